//! The words of a text, and the n-grams of a word.

use super::letters::{is_mark, joined};

/// Letters of a word that are looked at.
pub(super) const WORD_LETTERS: usize = 24;
/// Longest n-gram, in letters; the borders of the word count.
const LONGEST: usize = 4;
/// Most n-grams of a word, itself included.
pub(super) const WORD_GRAMS: usize = (LONGEST - 1) * (WORD_LETTERS + 2) + 1;
/// Of FNV-1a, 64 bits (Fowler, Noll, Vo).
const PRIME: u64 = 0x0000_0100_0000_01b3;
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
/// Start of the hash of whole words; a number of no meaning.
const WORD_OFFSET: u64 = 0x9ae1_6a3b_2f90_404f;
/// Spreads the hash over its upper bits (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A word in lower case between its borders.
pub(super) struct Word {
    letters: [char; WORD_LETTERS + 2],
    len: usize,
}

impl Word {
    /// No word yet.
    pub(super) const fn new() -> Self {
        Self { letters: ['<'; WORD_LETTERS + 2], len: 1 }
    }

    fn clear(&mut self) {
        self.len = 1;
    }

    /// Its letters, without borders.
    pub(super) fn letters(&self) -> &[char] {
        &self.letters[1..self.len]
    }

    const fn is_empty(&self) -> bool {
        self.len == 1
    }

    fn push(&mut self, letter: char) {
        if self.len <= WORD_LETTERS {
            self.letters[self.len] = letter;
            self.len += 1;
        }
    }

    fn mark(&mut self, mark: char) {
        if let Some(letter) = joined(self.letters[self.len - 1], mark) {
            self.letters[self.len - 1] = letter;
        }
    }

    /// Calls `each` with the hash of the word and of every n-gram of 2 to 4 letters, borders included.
    #[inline]
    pub(super) fn hashes(&self, mut each: impl FnMut(u64)) {
        let mut buffer = self.letters;
        buffer[self.len] = '>';
        let letters = &buffer[..=self.len];
        let mut whole = WORD_OFFSET;
        for (start, first) in letters.iter().enumerate() {
            whole = (whole ^ u64::from(u32::from(*first))).wrapping_mul(PRIME);
            let mut hash = (OFFSET ^ u64::from(u32::from(*first))).wrapping_mul(PRIME);
            let end = letters.len().min(start + LONGEST);
            for letter in &letters[start + 1..end] {
                hash = (hash ^ u64::from(u32::from(*letter))).wrapping_mul(PRIME);
                each(spread(hash));
            }
        }
        each(spread(whole));
    }
}

const fn spread(hash: u64) -> u64 {
    (hash ^ (hash >> 29)).wrapping_mul(SPREAD)
}

/// Whether a token is an address and not words.
fn is_address(token: &str) -> bool {
    let bytes = token.as_bytes();
    memchr::memchr(b'@', bytes).is_some()
        || bytes.starts_with(b"www.")
        || memchr::memchr(b':', bytes).is_some_and(|at| bytes[at..].starts_with(b"://"))
}

/// Calls `each` with every word of the text: letters, with apostrophes inside, in lower case, marks joined to their
/// letters. Addresses are left out. `each` says whether to go on.
pub(super) fn each_word(text: &str, word: &mut Word, mut each: impl FnMut(&Word) -> bool) {
    // Few texts have an address at all.
    let has_addresses = memchr::memchr2(b'@', b':', text.as_bytes()).is_some()
        || memchr::memmem::find(text.as_bytes(), b"www.").is_some();
    for token in text.split_ascii_whitespace().filter(|token| !(has_addresses && is_address(token))) {
        word.clear();
        let mut apostrophe = false;
        for letter in token.chars() {
            if letter.is_alphabetic() {
                if apostrophe && !word.is_empty() {
                    word.push('\'');
                }
                apostrophe = false;
                if letter.is_ascii() {
                    word.push(letter.to_ascii_lowercase());
                } else {
                    letter.to_lowercase().filter(|letter| !is_mark(*letter)).for_each(|letter| word.push(letter));
                }
            } else if is_mark(letter) && !word.is_empty() {
                word.mark(letter);
            } else if matches!(letter, '\'' | '’') && !apostrophe && !word.is_empty() {
                apostrophe = true;
            } else {
                if !word.is_empty() && !each(word) {
                    return;
                }
                word.clear();
                apostrophe = false;
            }
        }
        if !word.is_empty() && !each(word) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{WORD_LETTERS, Word, each_word};

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word(text, &mut Word::new(), |word| {
            found.push(word.letters().iter().collect());
            true
        });
        found
    }

    fn hashes(text: &str) -> Vec<u64> {
        let mut found = Vec::new();
        each_word(text, &mut Word::new(), |word| {
            word.hashes(|hash| found.push(hash));
            true
        });
        found
    }

    #[test]
    fn words_are_letters_with_apostrophes_inside() {
        assert_eq!(words("Don’t  stop, it's 'OK' 24x7!"), ["don't", "stop", "it's", "ok", "x"]);
        assert_eq!(words("see https://x.example/a, a@b.example or www.c.example now"), ["see", "or", "now"]);
        assert_eq!(words("12 -- 😀 '"), Vec::<String>::new());
    }

    #[test]
    fn composed_and_decomposed_letters_are_one() {
        assert_eq!(words("No\u{301}! U\u{30b}r \u{130}"), ["nó", "űr", "i"]);
        assert_eq!(hashes("u\u{30b}r"), hashes("űr"));
    }

    #[test]
    fn a_word_has_its_n_grams_once_each() {
        // <ab>: <a ab b>, <ab ab>, <ab>, and the word itself.
        let mut all = hashes("ab");
        assert_eq!(all.len(), 3 + 2 + 1 + 1);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 7);
        assert_ne!(hashes("ab"), hashes("ba"));
    }

    #[test]
    fn a_long_word_is_cut() {
        let long = "x".repeat(10_000);
        assert_eq!(words(&long), ["x".repeat(WORD_LETTERS)]);
        assert!(hashes(&long).len() < 5 * (WORD_LETTERS + 2));
    }
}
