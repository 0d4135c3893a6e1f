//! The places in a text that speak of needs, suggestions, complaints, thanks and promises, and the rivals it names.
//!
//! What to look for is written down by language in `spans/rules`; one engine applies it. A text is read sentence by
//! sentence, each word is looked up once by its hash, and rules are tried only around words that are theirs.

mod competitors;
mod inflection;
mod matching;
mod parse;
mod rules;
mod sentence;
#[cfg(test)]
mod tests;
mod words;

use crate::{Language, Span, SpanKind};

use self::matching::{Matched, matched_at};
use self::rules::{Finding, Rules};
use self::sentence::{Sentence, Sentences};

pub use self::competitors::{CompetitorError, Competitors};

/// The most words of a place before and after the words that a rule matched.
const MOST_BEFORE: usize = 20;
const MOST_AFTER: usize = 40;

/// Finds the needs, suggestions, complaints, thanks and promises of a text in this language.
///
/// They come in the order of the text, then of their kind; those of one kind do not overlap. It takes time in proportion
/// to the length of the text, whatever it holds.
pub fn find(text: &str, language: Language) -> Vec<Span> {
    let rules = Rules::of(language);
    let mut found = Vec::new();
    let mut candidates = Vec::new();
    let mut places = Vec::new();
    let mut sentences = Sentences::new(text, Some(rules));
    while let Some(sentence) = sentences.advance() {
        candidates.clear();
        for (at, word) in sentence.words.iter().enumerate() {
            if rules.exact.may_have(word.hash) {
                candidates.extend(rules.exact.get(word.hash).map(|rule| (at, rule)));
            }
            if rules.stems.may_have(word.head) {
                candidates.extend(rules.stems.get(word.head).map(|rule| (at, rule)));
            }
        }
        if !candidates.is_empty() {
            ignore(rules, sentence, &candidates);
            places.clear();
            search(rules, sentence, &candidates, &mut places);
            gather(sentence, &mut places, &mut found);
        }
    }
    found.sort_by_key(|span| (span.range.start, span.kind));
    found
}

/// Leaves phrases that mean something else out of account.
fn ignore(rules: &Rules, sentence: &mut Sentence<'_>, candidates: &[(usize, usize)]) {
    for (at, rule) in candidates {
        let rule = &rules.searched[*rule];
        if rule.finding == Finding::Ignored
            && let Some((start, end)) = matched_at(rule, sentence, *at)
        {
            sentence.ignore(start, end);
        }
    }
}

/// Tries each rule at the word where it may match.
fn search(
    rules: &Rules,
    sentence: &Sentence<'_>,
    candidates: &[(usize, usize)],
    places: &mut Vec<(SpanKind, Matched)>,
) {
    for (at, rule) in candidates {
        let rule = &rules.searched[*rule];
        let Finding::Place(kind) = rule.finding else { continue };
        // A place goes on to the end of its clause, so what is found inside it adds nothing.
        if places.iter().rev().take(4).any(|(other, (start, end))| *other == kind && (*start..*end).contains(at)) {
            continue;
        }
        if let Some((start, end)) = matched_at(rule, sentence, *at) {
            let end = sentence.clause_end(end, MOST_AFTER);
            let start = if rule.whole_clause { beginning(rules, sentence, start) } else { start };
            places.push((kind, (start, end)));
        }
    }
}

/// The first word of a clause, without the conjunction that ties it to the one before.
fn beginning(rules: &Rules, sentence: &Sentence<'_>, at: usize) -> usize {
    let ties = |at: &usize| {
        let word = &sentence.words[*at];
        !word.accented && (rules.joins.holds(word, sentence.text) || rules.clauses.holds(word, sentence.text))
    };
    (sentence.clause_start(at, MOST_BEFORE)..at).find(|at| !ties(at)).unwrap_or(at)
}

/// Joins what overlaps of one kind, and turns words into bytes.
fn gather(sentence: &Sentence<'_>, places: &mut Vec<(SpanKind, Matched)>, found: &mut Vec<Span>) {
    places.sort_unstable();
    places.dedup_by(|(kind, (start, end)), (earlier, (_, last))| {
        let overlaps = kind == earlier && *start < *last;
        if overlaps {
            *last = (*last).max(*end);
        }
        debug_assert!(start <= end);
        overlaps
    });
    found.extend(places.iter().filter_map(|(kind, (start, end))| {
        let (first, last) = (sentence.words.get(*start)?, sentence.words.get(end.checked_sub(1)?)?);
        Some(Span { kind: *kind, range: first.start..last.end, competitor: None, stance: None })
    }));
}
