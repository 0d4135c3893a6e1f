//! Phrases that are said more often than before.

use std::collections::BTreeMap;

use super::corpus::Corpus;
use super::figures::Said;
use super::fold::{Risen, fold};
use super::rate::{Ground, Group};
use crate::statistics::{Interval, false_discoveries, normal_above};

/// The most phrases of a language that are looked at together: what the folding of all pairs takes
/// milliseconds for.
const TOGETHER: usize = 600;

/// A text, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Text<'a> {
    /// The writer's own words.
    pub text: &'a str,
    /// The language they are in, of ISO 639-1.
    pub language: &'a str,
    /// Whose it is and on which side. Its `words` are counted here, whatever they say.
    pub said: Said,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// How many accounts must use a phrase: in both groups together to be looked at, now to be told. At least 2.
    pub least_accounts: usize,
    /// The share of what is told that may be chance, in each language; above 0, below 1.
    pub false_discoveries: f64,
    /// How many themes of a language are told at most.
    pub most: usize,
}

impl Default for Search {
    /// Five accounts, one false theme in ten, 50 themes. Judgements: fewer than five accounts are better asked than
    /// counted, and a reader can pass over one theme in ten.
    fn default() -> Search {
        Search { least_accounts: 5, false_discoveries: 0.1, most: 50 }
    }
}

/// A phrase that is said more often than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovered {
    /// The language, as it was given.
    pub language: String,
    /// The phrase as it is most often written now, in lower case.
    pub phrase: String,
    /// The phrases that rose with it and are folded into it, surest first.
    pub variants: Vec<String>,
    /// How many times as often as before the phrase is said: per word, by the mean account.
    pub ratio: Interval,
    /// How many standard errors that is above 1.
    pub z: f64,
    /// The chance of such a rise where there is none.
    pub p: f64,
    /// The share of false ones among all themes that are as sure as this one or surer.
    pub q: f64,
    /// How many accounts use the phrase or a variant now.
    pub accounts: usize,
    /// How many did before.
    pub accounts_before: usize,
    /// The texts of now that have it or a variant, by position, ascending: the sources behind it.
    pub texts: Vec<usize>,
    /// Those of before.
    pub texts_before: Vec<usize>,
}

/// Finds the phrases of one to three words that a larger share of what is said is now than before, in
/// each language on its own: languages in order of their codes, in each the surest first.
///
/// Of the phrases that enough accounts use, in either group, each is tested for a rise (see [`Discovered::p`];
/// a phrase is looked at by what both groups say, which does not tell them apart, so the tests stay
/// honest: Bourgon, Gentleman and Huber 2010). Phrases that say the same are folded together, and what
/// is left is cut where the share of false discoveries would exceed what may be (Benjamini and Hochberg
/// 1995), counted over themes, against all phrases that were tested.
pub fn discover(texts: &[Text<'_>], search: &Search) -> Vec<Discovered> {
    let mut languages: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        languages.entry(text.language).or_default().push(at);
    }
    languages.into_iter().flat_map(|(language, own)| of_language(texts, own, language, search)).collect()
}

fn of_language(texts: &[Text<'_>], mut own: Vec<usize>, language: &str, search: &Search) -> Vec<Discovered> {
    own.sort_by_key(|&at| (texts[at].said.account, at));
    let corpus = Corpus::read(own.iter().map(|&at| texts[at].text), language);
    let mut number = 0;
    let numbered: Vec<_> = (0..own.len())
        .map(|at| {
            let said = texts[own[at]].said;
            number += u32::from(at > 0 && texts[own[at - 1]].said.account != said.account);
            (number, said.group, corpus.counts[at])
        })
        .collect();
    let ground = Ground::new(numbered.into_iter());
    let sides = [Group::Now, Group::Before].map(|group| ground.voice.iter().any(|voice| voice.1 == group));
    if sides != [true, true] {
        return Vec::new();
    }
    let level = if search.false_discoveries > 0.0 { search.false_discoveries.min(0.99) } else { return Vec::new() };
    let least = search.least_accounts.max(2);
    let mut tested: Vec<Risen> = corpus
        .phrases(&ground, least)
        .into_iter()
        .map(|found| {
            let voiced = ground.count(found.texts.iter().map(|&text| text as usize));
            let compared = ground.compare(&voiced);
            Risen { found, compared, p: compared.not_risen(), accounts: voiced.accounts[0] as usize }
        })
        .collect();
    let tests = tested.len();
    let adjusted = false_discoveries(&tested.iter().map(|one| one.p).collect::<Vec<_>>(), tests);
    let mut keep =
        tested.iter().zip(adjusted).map(|(one, q)| q <= level && one.accounts >= least).collect::<Vec<_>>().into_iter();
    tested.retain(|_| keep.next().unwrap_or(false));
    tested.sort_by(|one, other| one.p.total_cmp(&other.p).then(one.found.gram.cmp(&other.found.gram)));
    tested.truncate(TOGETHER);
    let heads = fold(&tested, &ground);
    let themes: Vec<usize> = (0..tested.len()).filter(|&at| heads[at] == at).collect();
    let adjusted = false_discoveries(&themes.iter().map(|&at| tested[at].p).collect::<Vec<_>>(), tests);
    let told = themes.into_iter().zip(adjusted).filter(|&(_, q)| q <= level).take(search.most);
    let written = |one: &Risen| {
        let now = one.found.texts.iter().map(|&at| at as usize).filter(|&at| ground.voice[at].1 == Group::Now);
        corpus.written(&one.found.gram, now.map(|at| (at, texts[own[at]].text)))
    };
    told.map(|(theme, q)| {
        let folded: Vec<usize> = (0..tested.len()).filter(|&at| heads[at] == theme && at != theme).collect();
        let mut all: Vec<u32> =
            folded.iter().chain([&theme]).flat_map(|&at| tested[at].found.texts.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        let voiced = ground.count(all.iter().map(|&at| at as usize));
        let of = |group| {
            let mut of: Vec<usize> =
                all.iter().filter(|&&at| ground.voice[at as usize].1 == group).map(|&at| own[at as usize]).collect();
            of.sort_unstable();
            of
        };
        Discovered {
            language: language.to_owned(),
            phrase: written(&tested[theme]),
            variants: folded.iter().map(|&at| written(&tested[at])).collect(),
            ratio: tested[theme].compared.ratio(),
            z: normal_above(tested[theme].p),
            p: tested[theme].p,
            q,
            accounts: voiced.accounts[0] as usize,
            accounts_before: voiced.accounts[1] as usize,
            texts: of(Group::Now),
            texts_before: of(Group::Before),
        }
    })
    .collect()
}
