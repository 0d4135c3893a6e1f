//! Words of a text, and what is left of one when case, accents and endings make no difference.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// Its first byte.
    pub(super) start: usize,
    /// Whether more than space, a hyphen or the like parts it from the word before: no phrase
    /// reaches across.
    pub(super) apart: bool,
}

/// The words of a text: letters and digits of any script, with the accents written after them and the
/// apostrophes between them.
pub(super) struct Words<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Words<'a> {
        Words { text, rest: text.char_indices().peekable() }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let (mut apart, mut lines) = (false, 0);
        let start = loop {
            let (at, c) = self.rest.next()?;
            if c.is_alphanumeric() {
                break at;
            }
            lines += usize::from(c == '\n');
            apart |= lines > 1 || !(c.is_whitespace() || joins(c) || is_accent(c) || is_apostrophe(c));
        };
        let mut end = self.text.len();
        while let Some(&(at, c)) = self.rest.peek() {
            let inside = c.is_alphanumeric() || is_accent(c) || (is_apostrophe(c) && self.letter_after(at, c));
            if !inside {
                end = at;
                break;
            }
            self.rest.next();
        }
        Some(Word { text: &self.text[start..end], start, apart: apart || start == 0 })
    }
}

impl Words<'_> {
    fn letter_after(&self, at: usize, c: char) -> bool {
        self.text[at + c.len_utf8()..].chars().next().is_some_and(char::is_alphanumeric)
    }
}

fn joins(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '_' | '/' | '&' | '"' | '\u{201c}' | '\u{201d}' | '\u{ad}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2bc}')
}

/// An accent written after its letter.
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// How many words a text has.
pub fn count_words(text: &str) -> u32 {
    u32::try_from(Words::of(text).count()).unwrap_or(u32::MAX)
}

/// Writes a word in lower case and without accents and apostrophes; what was in `folded` is gone.
pub(super) fn fold(word: &str, folded: &mut String) {
    folded.clear();
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => folded.push(c),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            c if is_accent(c) || is_apostrophe(c) => {}
            c => folded.push(plain(c)),
        }
    }
}

/// A letter without its accent: those of the Latin-1 Supplement and of Latin Extended-A.
fn plain(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' | 'ħ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ŧ' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        c => c,
    }
}

/// FNV-1a of 64 bits (Fowler, Noll and Vo), by which words are known.
pub(super) fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words::of(text).map(|word| word.text).collect()
    }

    #[test]
    fn words_are_of_any_script() {
        assert_eq!(words("Don't ship-late, 2x!"), ["Don't", "ship", "late", "2x"]);
        assert_eq!(words("a 'szállító' késik… не 来た"), ["a", "szállító", "késik", "не", "来た"]);
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("…'’"), [""; 0]);
        assert_eq!(words("cafe\u{301} x"), ["cafe\u{301}", "x"]);
        assert_eq!(count_words("one two"), 2);
    }

    #[test]
    fn sentences_and_paragraphs_part_words() {
        let apart = |text| Words::of(text).map(|word| word.apart).collect::<Vec<_>>();
        assert_eq!(apart("late again. Call me"), [true, false, true, false]);
        assert_eq!(apart("late\nagain\n\ncall-me"), [true, false, true, false]);
        assert_eq!(apart(" late, (again)"), [false, true]);
    }

    #[test]
    fn folding_leaves_plain_letters() {
        let mut folded = String::from("what was");
        for (word, plain) in
            [("ÁRVÍZTŰRŐ", "arvizturo"), ("Cafe\u{301}’s", "cafes"), ("Straße", "strasse"), ("НЕ", "не")]
        {
            fold(word, &mut folded);
            assert_eq!(folded, plain);
        }
    }
}
