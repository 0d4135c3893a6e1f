//! ListThemes: what is talked about, own themes and phrases that stand out, ranked.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use contracts::assessments::v1::Estimate;
use contracts::feedback::v1::Theme;
use contracts::voice::v1::*;
use dynamics::{
    Interval,
    themes::{Discovered, Figures, Group, Said, Search, Taxonomy, Text, Voices, count_words, discover},
};
use methods::{Call, Violations, from_micros, list_fingerprint, store_fault, to_micros};
use runtime::Fault;
use tonic::{Request, Response, Status};

use super::{
    Page, Period, Voice,
    hearing::{Hearing, Saying},
    phrases::{alike, taxonomy},
    read_days,
    sources::told,
    stake::{Stakes, Sum, amount_in},
};
use crate::{
    filter::{self, Order},
    predict::read_horizon,
};

/// What a list is ordered by.
const FIELDS: [&str; 4] = ["account_count", "value", "feeling", "trend"];
/// How many sources of a theme are shown.
const EXAMPLES: usize = 3;

impl Voice {
    pub(super) async fn listed_themes(
        &self,
        request: Request<ListThemesRequest>,
    ) -> Result<Response<ListThemesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let days = read_days(ask.days, &ask.language, &mut violations);
        violations.time("as_of", ask.as_of.as_ref());
        violations.known_enum::<ThemeOrigin>("origin", ask.origin);
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        if horizon.is_some() && ask.as_of.is_some() {
            violations.add("horizon_days", "looks ahead of now: leave `as_of` unset");
        }
        violations.finish()?;
        let order = read_order(&ask.order_by)?;
        let tenant = call.tenant.as_str().to_owned();
        let as_of = ask.as_of.as_ref().map(to_micros);
        let of = (&ask.language, ask.origin, &ask.order_by, horizon);
        let list = list_fingerprint(&(&tenant, "themes", of, (days, as_of)));
        let now = as_of.unwrap_or_else(|| self.gallery.clock.now());
        let page = Page::read(&ask.page_token, list, now.saturating_add(1))?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let period = Period { days, end: page.end };
        let (gallery, origin) = (self.gallery.clone(), ask.origin());
        let ranked = self.at_work(async move {
            let reader = &gallery.reader;
            let themes = reader.themes(&tenant).await.map_err(store_fault)?;
            let mut hearings = Vec::with_capacity(2);
            for period in [period, period.before()] {
                let hearing = Hearing::of(reader, &tenant, period.start(), period.end).await;
                let mut hearing = hearing.map_err(store_fault)?;
                hearing.only(&ask.language);
                hearings.push(hearing);
            }
            let heard: Vec<Heard> = hearings.iter().map(Hearing::told).collect();
            let ranking = tokio::task::spawn_blocking(move || Ranking::of(&hearings, &themes, origin));
            let ranking = ranking.await.map_err(|error| Fault::log_internal(&error))?;
            let stakes = Stakes::of(&gallery, &tenant, &ranking.accounts(), period.end, horizon).await;
            let stakes = stakes.map_err(store_fault)?;
            let fit = stakes.fit.as_ref().map_or(String::new(), |fit| format!("fits/{fit}"));
            Ok::<_, Fault>((ranking.finish(&stakes, &order), heard, fit))
        });
        let (themes, heard, fit) = ranked.await?;
        let summary = summary(&themes, heard.first(), days);
        let (themes, next_page_token) = page.cut(themes, ask.page_size, list);
        let [heard, heard_before] = <[Heard; 2]>::try_from(heard).unwrap_or_default();
        Ok(Response::new(ListThemesResponse {
            themes,
            next_page_token,
            start_time: Some(from_micros(period.start())),
            end_time: Some(from_micros(period.end.saturating_sub(1))),
            heard: Some(heard),
            heard_before: Some(heard_before),
            fit,
            summary,
        }))
    }
}

fn read_order(order_by: &str) -> Result<Order, Fault> {
    let known = || format!("known are {}", FIELDS.join(", "));
    let order = filter::read_order(order_by, |field| FIELDS.contains(&field), known)?;
    Ok(match order.column {
        None => Order { column: Some(FIELDS[0].to_owned()), descending: true },
        Some(_) => order,
    })
}

/// A theme, and who spoke of it in the period.
struct Ranked {
    theme: HeardTheme,
    accounts: BTreeSet<String>,
}

/// The themes that were heard, without what is at stake.
struct Ranking(Vec<Ranked>);

impl Ranking {
    /// Of what was said in the period and in the one before, in this order.
    fn of(hearings: &[Hearing], themes: &[Theme], origin: ThemeOrigin) -> Self {
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
        let heard = Everything {
            now: hearings.first().map_or(0, |hearing| hearing.sayings.len()),
            voices: Voices::new(&said),
            sayings,
        };
        let own = taxonomy(themes);
        let mut ranked = Vec::new();
        if origin != ThemeOrigin::Discovered {
            ranked.extend(heard.own(themes, &own));
        }
        if origin != ThemeOrigin::Own {
            ranked.extend(heard.discovered(&said, &own));
        }
        Self(ranked)
    }

    fn accounts(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|ranked| ranked.accounts.iter().map(String::as_str)).collect()
    }

    /// Adds what is at stake, and ranks.
    fn finish(self, stakes: &Stakes, order: &Order) -> Vec<HeardTheme> {
        let currency = stakes.main_currency().to_owned();
        let themes = self.0.into_iter().map(|ranked| {
            let Sum { spend, expected, lifetime } = stakes.sum(ranked.accounts.iter().map(String::as_str));
            HeardTheme { spend, expected_spend: expected, lifetime_value: lifetime, ..ranked.theme }
        });
        let mut themes: Vec<HeardTheme> = themes.collect();
        let key = |theme: &HeardTheme| match order.column.as_deref() {
            Some("value") => amount_in(&theme.lifetime_value, &currency).or_else(|| amount_in(&theme.spend, &currency)),
            Some("feeling") => sentiment(theme).map(f64::abs),
            Some("trend") => theme.trend.as_ref().and_then(|trend| trend.ratio.as_ref()).map(|ratio| ratio.value),
            _ => Some(theme.account_count as f64),
        };
        themes.sort_by(|one, other| {
            let by_key = match (key(one), key(other)) {
                (Some(one), Some(other)) if order.descending => other.total_cmp(&one),
                (Some(one), Some(other)) => one.total_cmp(&other),
                // What is not known comes last.
                (one, other) => other.is_some().cmp(&one.is_some()),
            };
            by_key.then_with(|| by_accounts(one, other))
        });
        themes
    }
}

/// Most accounts first; equal ones by name.
fn by_accounts(one: &HeardTheme, other: &HeardTheme) -> Ordering {
    let counts = |theme: &HeardTheme| (theme.account_count, theme.source_count);
    let name = |theme: &HeardTheme| (theme.display_name.clone(), theme.theme.clone(), theme.language.clone());
    counts(other).cmp(&counts(one)).then_with(|| name(one).cmp(&name(other)))
}

fn sentiment(theme: &HeardTheme) -> Option<f64> {
    theme.feeling.as_ref()?.sentiment.as_ref().map(|sentiment| sentiment.value)
}

/// All that was said in two periods.
struct Everything<'a> {
    /// The latest first: what was said in the period, and then what was said before.
    sayings: Vec<&'a Saying>,
    /// How many of them were said in the period.
    now: usize,
    voices: Voices,
}

impl Everything<'_> {
    /// The tenant's own themes that were heard in one of the periods.
    fn own(&self, themes: &[Theme], phrases: &Taxonomy) -> Vec<Ranked> {
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
    fn discovered(&self, said: &[Said], own: &Taxonomy) -> Vec<Ranked> {
        let texts: Vec<Text<'_>> = self
            .sayings
            .iter()
            .zip(said)
            .map(|(saying, said)| Text { text: &saying.words, language: &saying.language, said: *said })
            .collect();
        let new = discover(&texts, &Search::default()).into_iter();
        new.filter(|new| own.themes(&new.phrase, &new.language).is_empty()).map(|new| self.new_theme(new)).collect()
    }

    fn new_theme(&self, new: Discovered) -> Ranked {
        let mentions: Vec<usize> = new.texts.iter().chain(&new.texts_before).copied().collect();
        let phrases = alike([&new.phrase].into_iter().chain(&new.variants).map(String::as_str));
        let shown = HeardTheme {
            display_name: new.phrase,
            origin: ThemeOrigin::Discovered.into(),
            language: new.language,
            ..HeardTheme::default()
        };
        let mut ranked = self.ranked(shown, &mentions, |saying| {
            phrases.find(&saying.words, "").into_iter().next().map(|found| found.range)
        });
        let trend = Trend { p_value: Some(new.p), q_value: Some(new.q), ..trend(&new.ratio) };
        ranked.theme.trend = Some(trend);
        ranked
    }

    /// A theme with its figures, of where it was heard.
    fn ranked(
        &self,
        theme: HeardTheme,
        mentions: &[usize],
        place: impl Fn(&Saying) -> Option<std::ops::Range<usize>>,
    ) -> Ranked {
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

/// What a list comes to, in plain words.
fn summary(themes: &[HeardTheme], heard: Option<&Heard>, days: i64) -> String {
    let accounts = heard.map_or(0, |heard| heard.account_count);
    let (sources, bounded) = heard.map_or((0, false), |heard| (heard.source_count, heard.is_bounded));
    let of = |count: i64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let listened = format!(
        "{} of {} in {}{}",
        of(sources, "text", "texts"),
        of(accounts, "account", "accounts"),
        of(days, "day", "days"),
        if bounded { ", the newest there are" } else { "" }
    );
    if themes.is_empty() {
        return format!("nothing stands out of {listened}");
    }
    let rising =
        |theme: &&HeardTheme| theme.trend.as_ref().is_some_and(|trend| trend.direction() == TrendDirection::Up);
    let names: Vec<String> = themes.iter().filter(rising).map(|theme| format!("\"{}\"", theme.display_name)).collect();
    let rising = match names.as_slice() {
        [] => "none of them is clearly rising".to_owned(),
        [first @ .., last] if first.is_empty() => format!("{last} is rising"),
        several => format!("{} are rising, {} among them", several.len(), several[..several.len().min(3)].join(", ")),
    };
    format!("{} in {listened}; {rising}", of(themes.len() as i64, "theme", "themes"))
}
