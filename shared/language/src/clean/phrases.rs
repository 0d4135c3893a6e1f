//! Phrases in any casing.

use std::iter;

fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// What follows the phrase, which is in lower case, if the text begins with it in any casing.
pub(super) fn after<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    let mut letters = text.chars();
    for wanted in phrase.chars() {
        let letter = letters.next()?;
        if letter != wanted && !letter.to_lowercase().eq(iter::once(wanted)) {
            return None;
        }
    }
    Some(letters.as_str())
}

/// Whether the text begins with one of the phrases, and no letter follows it.
pub(super) fn begins(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| after(text, phrase).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
}

/// Whether it is one of the phrases.
pub(super) fn is_one(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| after(text, phrase).is_some_and(str::is_empty))
}

/// Puts the begin of a text, `limit` bytes at most, into the buffer in lower case, each white space as one blank.
pub(super) fn fold(text: &str, limit: usize, folded: &mut String) {
    folded.clear();
    let begin = &text[..text.floor_char_boundary(limit)];
    for letter in lower(begin) {
        match letter.is_whitespace() {
            true if folded.ends_with(' ') => {}
            true => folded.push(' '),
            false => folded.push(letter),
        }
    }
}

/// How many of the phrases are in the folded text.
pub(super) fn count(folded: &str, phrases: &[&str]) -> usize {
    phrases.iter().filter(|phrase| folded.contains(**phrase)).count()
}
