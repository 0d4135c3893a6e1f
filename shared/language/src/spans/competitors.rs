//! The rivals that a tenant names, found in a text with the writer's stance toward them.

use std::cmp::Reverse;
use std::fmt;

use crate::{Language, Span, SpanKind, Stance};

use super::inflection::{after_hyphen, inflects};
use super::matching::{Matched, matched};
use super::rules::{Element, Finding, Index, Rule, Rules};
use super::sentence::{Sentence, Sentences};
use super::words::{HEAD, Words, folded, hash};

/// The most words and bytes of a name, and the most names and aliases.
const MOST_WORDS: usize = 8;
const MOST_BYTES: usize = 200;
const MOST_NAMES: usize = 1000;

/// Names with as many letters and digits or fewer are found only as they are written, or in capitals: else they would be
/// found in words.
const SHORT: usize = 3;
/// In small letters, names that are shorter are found only without an ending, or with a hyphen or an apostrophe before
/// it.
const LONG: usize = 5;

/// A tenant's rivals, ready to be found.
#[derive(Clone, Debug, Default)]
pub struct Competitors {
    names: Vec<Name>,
    /// The names by the head of their first word, and the short ones by their first two letters.
    heads: Index,
    pairs: Index,
}

/// A name or an alias.
#[derive(Clone, Debug)]
struct Name {
    /// Whose it is.
    competitor: usize,
    /// How many letters and digits it has.
    length: usize,
    parts: Vec<Part>,
}

/// A word of a name.
#[derive(Clone, Debug)]
struct Part {
    hash: u64,
    /// As it was given, in capitals, and folded.
    given: String,
    capitals: String,
    folded: String,
    /// What stands between it and the word before.
    between: String,
}

/// Why a list of competitors cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompetitorError {
    /// A name has fewer than two letters or digits.
    TooShort {
        /// The competitor's number in the list, from 0.
        competitor: usize,
        /// The alias's number, from 0; absent if it is the name itself.
        alias: Option<usize>,
    },
    /// A name has more than 8 words, or more than 200 bytes.
    TooLong {
        /// The competitor's number in the list, from 0.
        competitor: usize,
        /// The alias's number, from 0; absent if it is the name itself.
        alias: Option<usize>,
    },
    /// Another competitor has the name already.
    Taken {
        /// The competitor's number in the list, from 0.
        competitor: usize,
        /// The alias's number, from 0; absent if it is the name itself.
        alias: Option<usize>,
        /// The other competitor's number.
        by: usize,
    },
    /// There are more than 1000 names and aliases.
    TooMany,
}

impl fmt::Display for CompetitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (competitor, alias, what) = match self {
            Self::TooShort { competitor, alias } => (competitor, alias, "has fewer than two letters or digits".into()),
            Self::TooLong { competitor, alias } => (competitor, alias, "has more than 8 words or 200 bytes".into()),
            Self::Taken { competitor, alias, by } => (competitor, alias, format!("is also competitor {by}")),
            Self::TooMany => return f.write_str("more than 1000 names and aliases of competitors"),
        };
        match alias {
            None => write!(f, "the name of competitor {competitor} {what}"),
            Some(alias) => write!(f, "alias {alias} of competitor {competitor} {what}"),
        }
    }
}

impl std::error::Error for CompetitorError {}

impl Competitors {
    /// Takes each competitor's name and aliases. A name that its competitor has twice counts once.
    ///
    /// # Errors
    ///
    /// Names the first name that is too short, too long or another competitor's, and refuses more than 1000.
    pub fn new<Given, Aliases>(list: impl IntoIterator<Item = (Given, Aliases)>) -> Result<Self, CompetitorError>
    where
        Given: AsRef<str>,
        Aliases: IntoIterator,
        Aliases::Item: AsRef<str>,
    {
        let (mut names, mut count) = (Vec::new(), 0);
        let mut take = |text: &str, competitor, alias| {
            count += 1;
            if count > MOST_NAMES { Err(CompetitorError::TooMany) } else { add(&mut names, text, competitor, alias) }
        };
        for (competitor, (name, aliases)) in list.into_iter().enumerate() {
            take(name.as_ref(), competitor, None)?;
            for (alias, text) in aliases.into_iter().enumerate() {
                take(text.as_ref(), competitor, Some(alias))?;
            }
        }
        let (mut heads, mut pairs) = (Vec::new(), Vec::new());
        for (number, name) in names.iter().enumerate() {
            let first = name.parts.first().map_or("", |part| part.folded.as_str());
            if first.chars().count() < HEAD {
                pairs.push((hash(first, 2), number));
            } else {
                heads.push((hash(first, HEAD), number));
            }
        }
        Ok(Self { names, heads: Index::new(heads), pairs: Index::new(pairs) })
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Finds the competitors in a text, in its order and without overlaps.
    ///
    /// A name is found whatever its case and accents, hyphenated or not, with the endings that the language gives to names;
    /// a name of up to three letters only as it was given, or in capitals. It is not found inside another word or an
    /// e-mail address. The stance is neutral when nothing in the sentence says otherwise, and when the language is not
    /// known.
    pub fn find(&self, text: &str, language: Option<Language>) -> Vec<Span> {
        let mut found = Vec::new();
        if self.is_empty() {
            return found;
        }
        let mut sentences = Sentences::new(text, language.map(Rules::of));
        while let Some(sentence) = sentences.advance() {
            let mut at = 0;
            while at < sentence.words.len() {
                let Some(Named { competitor, end, ending }) = self.named(sentence, at, language) else {
                    at += 1;
                    continue;
                };
                let ending = &text[ending..sentence.words[end - 1].end];
                let stance = language.map_or(Stance::Neutral, |language| stance(sentence, language, (at, end), ending));
                found.push(Span {
                    kind: SpanKind::Competitor,
                    range: sentence.words[at].start..sentence.words[end - 1].end,
                    competitor: Some(competitor),
                    stance: Some(stance),
                });
                at = end;
            }
        }
        found
    }

    /// The competitor that the words from here name; of several names the longest.
    fn named(&self, sentence: &Sentence<'_>, at: usize, language: Option<Language>) -> Option<Named> {
        let word = &sentence.words[at];
        let candidates = self.heads.get(word.head).chain(self.pairs.get(word.pair));
        candidates
            .filter_map(|number| {
                let name = &self.names[number];
                let (end, ending) = name.end(sentence, at, language)?;
                Some((name.length, Named { competitor: name.competitor, end, ending }))
            })
            .max_by_key(|(length, named)| (named.end, *length, Reverse(named.competitor)))
            .map(|(_, named)| named)
            .filter(|_| !in_address(sentence.text, word.start))
    }
}

/// A competitor that is named.
struct Named {
    competitor: usize,
    /// The word after its name.
    end: usize,
    /// Where the name's ending starts, in bytes of the text.
    ending: usize,
}

/// Adds a name, and for one of several words what it is when written as one.
fn add(names: &mut Vec<Name>, text: &str, competitor: usize, alias: Option<usize>) -> Result<(), CompetitorError> {
    let name = Name::new(text, competitor);
    if text.len() > MOST_BYTES || name.parts.len() > MOST_WORDS {
        return Err(CompetitorError::TooLong { competitor, alias });
    }
    if name.length < 2 {
        return Err(CompetitorError::TooShort { competitor, alias });
    }
    let joined: String = name.parts.iter().map(|part| part.given.as_str()).collect();
    let joins = name.parts.len() > 1 && name.length > LONG && name.parts.iter().all(|part| part.between.is_empty());
    for name in std::iter::once(name).chain(joins.then(|| Name::new(&joined, competitor))) {
        match names.iter().find(|other| other.same(&name)) {
            Some(other) if other.competitor != competitor => {
                return Err(CompetitorError::Taken { competitor, alias, by: other.competitor });
            }
            Some(_) => {}
            None => names.push(name),
        }
    }
    Ok(())
}

/// Whether it is part of an e-mail address.
fn in_address(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    before.next() == Some('@') && before.next().is_some_and(char::is_alphanumeric)
}

/// What stands between two words, when it matters: not white space, and not a hyphen.
fn between(text: &str) -> &str {
    text.trim_matches(|sign: char| sign.is_whitespace() || matches!(sign, '-' | '‐' | '‑' | '–'))
}

impl Name {
    fn new(text: &str, competitor: usize) -> Self {
        let mut last = None;
        let parts = Words::new(text).map(|word| {
            let given = &text[word.start..word.end];
            let between = last.map_or("", |last: usize| between(&text[last..word.start]));
            last = Some(word.end);
            Part {
                hash: word.hash,
                given: given.to_string(),
                capitals: given.to_uppercase(),
                folded: folded(given).collect(),
                between: between.to_string(),
            }
        });
        let parts: Vec<Part> = parts.collect();
        let length = parts.iter().map(|part| part.folded.chars().filter(|c| c.is_alphanumeric()).count()).sum();
        Self { competitor, length, parts }
    }

    fn short(&self) -> bool {
        self.length <= SHORT
    }

    /// Whether it is found where the other is.
    fn same(&self, other: &Self) -> bool {
        let equal = |(one, two): (&Part, &Part)| {
            one.hash == two.hash && one.between == two.between && (!self.short() || one.given == two.given)
        };
        self.parts.len() == other.parts.len() && self.parts.iter().zip(&other.parts).all(equal)
    }

    /// The word after it and the byte at which its ending starts, if it begins at this word.
    fn end(&self, sentence: &Sentence<'_>, at: usize, language: Option<Language>) -> Option<(usize, usize)> {
        let mut ending = 0;
        let words = sentence.words.get(at..at + self.parts.len())?;
        let text = sentence.text;
        for (number, (part, word)) in self.parts.iter().zip(words).enumerate() {
            let written = &text[word.start..word.end];
            if number > 0 && between(&text[words[number - 1].end..word.start]) != part.between {
                return None;
            }
            if number + 1 < self.parts.len() {
                if part.hash != word.hash || (self.short() && written != part.given && written != part.capitals) {
                    return None;
                }
                continue;
            }
            let rest = if self.short() {
                written.strip_prefix(part.given.as_str()).or_else(|| written.strip_prefix(part.capitals.as_str()))?
            } else {
                after(written, &part.folded)?
            };
            ending = word.end - rest.len();
            let marked = rest.starts_with(['\'', '’', 'ʼ', '´']);
            let cased = words[0].capital && (language.is_some() || !self.short());
            if !rest.is_empty()
                && !((marked || cased || (language.is_some() && self.length >= LONG))
                    && inflects(&part.folded, rest, language))
            {
                return None;
            }
        }
        let end = at + self.parts.len();
        Some((end + usize::from(after_hyphen(sentence, end, language)), ending))
    }
}

/// The rest of a word after its folded beginning, and after the marks that belong to that.
fn after<'a>(word: &'a str, beginning: &str) -> Option<&'a str> {
    let mut rest = word.chars();
    for letter in beginning.chars() {
        while folded(rest.clone().next()?.encode_utf8(&mut [0; 4])).next().is_none() {
            rest.next();
        }
        let next = rest.next()?;
        if folded(next.encode_utf8(&mut [0; 4])).next() != Some(letter) {
            return None;
        }
    }
    while rest.clone().next().is_some_and(|next| folded(next.encode_utf8(&mut [0; 4])).next().is_none()) {
        rest.next();
    }
    Some(rest.as_str())
}

/// How the writer stands to the rival that these words name, with this ending: neutral unless all that is said points one
/// way.
fn stance(sentence: &Sentence<'_>, language: Language, name: Matched, ending: &str) -> Stance {
    let rules = Rules::of(language);
    let mut found = None;
    for rule in &rules.stances {
        let Finding::Stance(stance) = rule.finding else { continue };
        if found != Some(stance) && ends(rule, ending) && matched(rule, sentence, name).is_some() {
            match found {
                None if stance != Stance::Neutral => found = Some(stance),
                _ => return Stance::Neutral,
            }
        }
    }
    found.unwrap_or(Stance::Neutral)
}

/// Whether the name has an ending that the rule asks for, if it asks for any.
fn ends(rule: &Rule, ending: &str) -> bool {
    let Some(Element::Name(endings)) = rule.elements.get(rule.anchor) else {
        return false;
    };
    let ends = |wanted: &String| {
        let skipped = folded(ending).count().checked_sub(wanted.chars().count());
        skipped.is_some_and(|skipped| folded(ending).skip(skipped).eq(wanted.chars()))
    };
    endings.is_empty() || endings.iter().any(ends)
}
