//! The endings that languages give to names.

use crate::Language;

use super::rules::Rules;
use super::sentence::Sentence;
use super::words::{Apart, folded};

/// More letters than any ending has.
const LONGEST: usize = 16;

/// Whether what follows a name in the same word is an ending; in a language that is not known, of any language.
///
/// An ending may follow a link, such as a plural's. One that begins with `~` doubles the name's last consonant:
/// `Telekommal`.
pub(super) fn inflects(name: &str, rest: &str, language: Option<Language>) -> bool {
    let rest = rest.trim_start_matches(['\'', '’', 'ʼ', '´', '-']);
    let mut letters = ['\0'; LONGEST];
    let mut length = 0;
    for letter in folded(rest) {
        match letters.get_mut(length) {
            Some(place) => *place = letter,
            None => return false,
        }
        length += 1;
    }
    let letters = &letters[..length];
    match language {
        Some(language) => ends(Rules::of(language), name, letters),
        None => Language::ALL.into_iter().any(|language| ends(Rules::of(language), name, letters)),
    }
}

fn ends(rules: &Rules, name: &str, letters: &[char]) -> bool {
    let ending = |letters: &[char]| rules.endings.iter().any(|ending| is(letters, ending));
    let last = name.chars().last();
    let doubled = |ending: &String| {
        let ending = ending.strip_prefix('~');
        ending.is_some_and(|ending| {
            letters.first().copied() == last && letters.get(1..).is_some_and(|rest| is(rest, ending))
        })
    };
    letters.is_empty()
        || ending(letters)
        || rules.endings.iter().any(doubled)
        || rules.links.iter().any(|link| {
            let (linked, rest) = letters.split_at(link.chars().count().min(letters.len()));
            is(linked, link) && (rest.is_empty() || ending(rest))
        })
}

fn is(letters: &[char], text: &str) -> bool {
    letters.iter().copied().eq(text.chars())
}

/// Whether the word with this number is an ending that a hyphen ties to the name before it: `Acme-nél`.
pub(super) fn after_hyphen(sentence: &Sentence<'_>, at: usize, language: Option<Language>) -> bool {
    let Some((word, last)) = sentence.words.get(at).zip(at.checked_sub(1).and_then(|last| sentence.words.get(last)))
    else {
        return false;
    };
    let tied = word.gap.apart == Apart::Space && matches!(&sentence.text[last.end..word.start], "-" | "‐" | "‑");
    tied && !word.capital && inflects("", &sentence.text[word.start..word.end], language)
}
