//! Matches rules with the words of a sentence.

use super::rules::{Element, Exception, Rule, WordSet};
use super::sentence::Sentence;
use super::words::Apart;

/// How near a word must stand before or after a match to be its exception.
const NEAR_BEFORE: usize = 4;
const NEAR_AFTER: usize = 3;

/// The words that a rule matched: the first, and the one after the last.
pub(super) type Matched = (usize, usize);

/// Which way a match grows from its anchor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Ahead,
    Back,
}

/// Matches a rule whose anchor is the words from `start` to `end`, unless one of its exceptions holds.
pub(super) fn matched(rule: &Rule, sentence: &Sentence<'_>, (start, end): Matched) -> Option<Matched> {
    let (before, rest) = rule.elements.split_at(rule.anchor);
    let end = walk(sentence, rest.get(1..).unwrap_or_default(), Way::Ahead, end, Apart::Space)?;
    let start = walk(sentence, before, Way::Back, start, Apart::Space)?;
    let holds = !rule.exceptions.iter().any(|exception| excepted(sentence, exception, (start, end)));
    holds.then_some((start, end))
}

/// Matches a rule whose anchor is one word, which has not been looked at yet.
pub(super) fn matched_at(rule: &Rule, sentence: &Sentence<'_>, at: usize) -> Option<Matched> {
    match rule.elements.get(rule.anchor) {
        Some(Element::Word(words)) if meets(sentence, words, at) => matched(rule, sentence, (at, at + 1)),
        _ => None,
    }
}

/// Whether the word with this number counts, and is among these.
fn meets(sentence: &Sentence<'_>, words: &WordSet, at: usize) -> bool {
    !sentence.ignored(at) && sentence.words.get(at).is_some_and(|word| words.holds(word, sentence.text))
}

/// Matches the elements one after the other from the border `at`, and returns the border where they end. `gap` is how
/// far apart the next word may stand. Its depth is at most the number of elements; a gap tries few words, and there are
/// few gaps.
fn walk(sentence: &Sentence<'_>, elements: &[Element], way: Way, at: usize, gap: Apart) -> Option<usize> {
    let (element, rest) = match way {
        Way::Ahead => elements.split_first(),
        Way::Back => elements.split_last(),
    }
    .map_or((None, elements), |(element, rest)| (Some(element), rest));
    let Some(element) = element else {
        return Some(at);
    };
    // The word on the other side of the border, and the border beyond it.
    let (next, beyond) = match way {
        Way::Ahead if at < sentence.words.len() => (Some(at), at + 1),
        Way::Back if at > 0 => (Some(at - 1), at - 1),
        _ => (None, at),
    };
    let next = next.filter(|_| sentence.apart(at) <= gap);
    let meets = |words: &WordSet| next.is_some_and(|next| meets(sentence, words, next));
    match element {
        Element::Word(words) if meets(words) => walk(sentence, rest, way, beyond, Apart::Space),
        Element::Word(_) | Element::Name(_) => None,
        Element::Optional(words) => meets(words)
            .then(|| walk(sentence, rest, way, beyond, Apart::Space))
            .flatten()
            .or_else(|| walk(sentence, rest, way, at, gap)),
        // Whichever way the match grows, it is the word after the border that must not be one of these.
        Element::Not(words) if at < sentence.words.len() && self::meets(sentence, words, at) => None,
        Element::Not(_) => walk(sentence, rest, way, at, gap),
        Element::Comma => walk(sentence, rest, way, at, Apart::Comma),
        Element::Border if sentence.border(at) => walk(sentence, rest, way, at, gap),
        Element::Border => None,
        Element::Gap(most) => {
            let (mut at, mut gap) = (at, gap);
            for _ in 0..*most {
                if let Some(end) = walk(sentence, rest, way, at, gap) {
                    return Some(end);
                }
                // A gap stays inside a clause; it may begin behind a comma that the rule names.
                let inside = gap > Apart::Space || !sentence.border(at);
                if at == 0 || at == sentence.words.len() || sentence.apart(at) > Apart::Comma || !inside {
                    return None;
                }
                at = if way == Way::Ahead { at + 1 } else { at - 1 };
                gap = Apart::Space;
            }
            walk(sentence, rest, way, at, gap)
        }
    }
}

fn excepted(sentence: &Sentence<'_>, exception: &Exception, (start, end): Matched) -> bool {
    let any = |words: &WordSet, from: usize, to: usize| (from..to).any(|at| meets(sentence, words, at));
    match exception {
        Exception::Question => sentence.asks,
        Exception::NoQuestion => !sentence.asks,
        Exception::Before(words) => any(words, sentence.clause_start(start, NEAR_BEFORE), start),
        Exception::After(words) => any(words, end, sentence.clause_end(end, NEAR_AFTER)),
        Exception::Clause(words) => {
            let length = sentence.words.len();
            any(words, sentence.clause_start(start, length), sentence.clause_end(end, length))
        }
        Exception::Sentence(words) => any(words, 0, sentence.words.len()),
    }
}
