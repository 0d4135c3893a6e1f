//! From what was said to the figures of each theme that was heard in it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use contracts::assessments::v1::Estimate;
use contracts::feedback::v1::Theme;
use contracts::voice::v1::*;
use dynamics::{
    Interval,
    themes::{Discovered, Figures, Group, Said, Search, Taxonomy, Text, Voices, count_words, discover},
};

use super::{
    hearing::{Hearing, Saying},
    phrases::alike,
    sources::told,
};

/// How many sources of a theme are shown.
const EXAMPLES: usize = 3;

/// A theme, and who spoke of it in the period.
pub(super) struct Ranked {
    pub(super) theme: HeardTheme,
    pub(super) accounts: BTreeSet<String>,
}

/// All that was said in two periods.
pub(super) struct Everything<'a> {
    /// The latest first: what was said in the period, and then what was said before.
    sayings: Vec<&'a Saying>,
    /// How many of them were said in the period.
    now: usize,
    /// What each of them is counted as.
    said: Vec<Said>,
    voices: Voices,
}

impl<'a> Everything<'a> {
    /// What was said in the period, and what it is compared with.
    pub(super) fn of(hearings: &'a [Hearing; 2]) -> Self {
        let groups = [Group::Now, Group::Before];
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let (mut sayings, mut said) = (Vec::new(), Vec::new());
        for (hearing, group) in hearings.iter().zip(groups) {
            for saying in &hearing.sayings {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                let account = *numbers.entry(&saying.account).or_insert(next);
                said.push(Said { account, group, words: count_words(&saying.words), sentiment: saying.sentiment });
                sayings.push(saying);
            }
        }
        Self { now: hearings[0].sayings.len(), voices: Voices::new(&said), said, sayings }
    }

    /// The tenant's own themes that were heard in one of the periods.
    pub(super) fn own(&self, themes: &[Theme], phrases: &Taxonomy) -> Vec<Ranked> {
        let by_name: HashMap<&str, usize> = themes.iter().map(|theme| theme.name.as_str()).zip(0..).collect();
        let mut mentions: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); themes.len()];
        for (at, saying) in self.sayings.iter().enumerate() {
            let stated = saying.themes.iter().filter_map(|name| by_name.get(name.as_str()).copied());
            for theme in stated.chain(phrases.themes(&saying.words, &saying.language)) {
                if let Some(mentions) = mentions.get_mut(theme) {
                    mentions.insert(at);
                }
            }
        }
        let heard = themes.iter().zip(mentions).enumerate().filter(|(_, (_, mentions))| !mentions.is_empty());
        heard
            .map(|(number, (theme, mentions))| {
                let mentions: Vec<usize> = mentions.into_iter().collect();
                let shown = HeardTheme {
                    theme: theme.name.clone(),
                    display_name: theme.display_name.clone(),
                    origin: ThemeOrigin::Own.into(),
                    ..HeardTheme::default()
                };
                self.ranked(shown, &mentions, |saying| {
                    let found = phrases.find(&saying.words, &saying.language);
                    found.into_iter().find(|found| found.theme == number).map(|found| found.range)
                })
            })
            .collect()
    }

    /// Phrases that stand out, other than those of own themes.
    pub(super) fn discovered(&self, own: &Taxonomy) -> Vec<Ranked> {
        let texts: Vec<Text<'_>> = self
            .sayings
            .iter()
            .zip(&self.said)
            .map(|(saying, said)| Text { text: &saying.words, language: &saying.language, said: *said })
            .collect();
        let new = discover(&texts, &Search::default()).into_iter();
        new.filter(|new| own.themes(&new.phrase, &new.language).is_empty()).map(|new| self.new_theme(new)).collect()
    }

    fn new_theme(&self, new: Discovered) -> Ranked {
        // A shorter phrase may have risen only with this one, and is said of other things too: what has this one counts.
        let phrase = alike([new.phrase.as_str()].into_iter());
        let has = |at: &usize| {
            let saying = self.sayings.get(*at);
            saying.is_some_and(|saying| !phrase.find(&saying.words, &saying.language).is_empty())
        };
        let mentions: Vec<usize> = new.texts.iter().chain(&new.texts_before).copied().filter(has).collect();
        let shown = HeardTheme {
            display_name: new.phrase,
            origin: ThemeOrigin::Discovered.into(),
            language: new.language,
            ..HeardTheme::default()
        };
        let mut ranked = self.ranked(shown, &mentions, |saying| {
            phrase.find(&saying.words, &saying.language).into_iter().next().map(|found| found.range)
        });
        let trend = Trend { p_value: Some(new.p), q_value: Some(new.q), ..trend(&new.ratio) };
        ranked.theme.trend = Some(trend);
        ranked
    }

    /// A theme with its figures, of where it was heard.
    fn ranked(&self, theme: HeardTheme, mentions: &[usize], place: impl Fn(&Saying) -> Option<Range<usize>>) -> Ranked {
        let Figures { accounts, mentions: sources, accounts_before, mentions_before, feeling, trend: ratio, .. } =
            self.voices.figures(mentions, |_| None);
        let now: BTreeSet<usize> = mentions.iter().copied().filter(|at| *at < self.now).collect();
        let sayings: Vec<&Saying> = now.iter().filter_map(|at| self.sayings.get(*at).copied()).collect();
        let mut languages: BTreeMap<&str, i64> = BTreeMap::new();
        for saying in &sayings {
            *languages.entry(&saying.language).or_default() += 1;
        }
        let mut languages: Vec<(&str, i64)> = languages.into_iter().collect();
        languages.sort_by_key(|(_, count)| -count);
        let felt = sayings.iter().filter(|saying| saying.sentiment.is_some()).count() as i64;
        let examples = sayings.iter().take(EXAMPLES).map(|saying| {
            let is_stated = !theme.theme.is_empty() && saying.themes.contains(&theme.theme);
            told(saying, place(saying), is_stated)
        });
        let theme = HeardTheme {
            account_count: accounts as i64,
            account_count_before: accounts_before as i64,
            source_count: sources as i64,
            source_count_before: mentions_before as i64,
            feeling: feeling.map(|feeling| Feeling { sentiment: Some(estimate(&feeling)), source_count: felt }),
            trend: Some(trend(&ratio)),
            languages: languages
                .into_iter()
                .map(|(language, source_count)| LanguageCount { language: language.to_owned(), source_count })
                .collect(),
            examples: examples.collect(),
            ..theme
        };
        Ranked { theme, accounts: sayings.iter().map(|saying| saying.account.clone()).collect() }
    }
}

fn trend(ratio: &Interval) -> Trend {
    let direction = match ratio {
        Interval { low, .. } if *low > 1.0 => TrendDirection::Up,
        Interval { high, .. } if *high < 1.0 => TrendDirection::Down,
        _ => TrendDirection::Unclear,
    };
    Trend { ratio: Some(estimate(ratio)), direction: direction.into(), ..Trend::default() }
}

/// An interval in the contract's words.
pub(super) fn estimate(interval: &Interval) -> Estimate {
    Estimate { value: interval.value, low: interval.low, high: interval.high }
}
