//! The words of a text, and what stands between them.

/// What FNV-1a starts from, and multiplies by (Fowler, Noll, Vo; 64 bits).
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// How many letters the hash of a word's head covers; stems to search for have at least as many.
pub(super) const HEAD: usize = 4;

/// Titles that are written with a full stop before a name.
const TITLES: [&str; 14] =
    ["Dr", "Mr", "Mrs", "Ms", "Prof", "St", "Sr", "Sra", "Dra", "Srta", "dhr", "mevr", "dr", "prof"];

/// How far apart two words stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Apart {
    /// By a space, a hyphen or the like.
    #[default]
    Space,
    /// By a comma or another sign inside a sentence.
    Comma,
    /// By the end of a sentence.
    Sentence,
}

/// What stands between two words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    /// How far apart it keeps them.
    pub(super) apart: Apart,
    /// Whether there is a question mark.
    pub(super) asks: bool,
}

/// A word: letters, digits and underscores, with apostrophes inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// Where it starts, in bytes of the text.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// The hash of its folded letters; that of a single letter tells whether it has an accent.
    pub(super) hash: u64,
    /// The hash of its first [`HEAD`] folded letters, or of all if it has fewer.
    pub(super) head: u64,
    /// The hash of its first two folded letters, or of the only one.
    pub(super) pair: u64,
    /// Whether it begins with a capital.
    pub(super) capital: bool,
    /// Whether folding took an accent away.
    pub(super) accented: bool,
    /// What stands before it.
    pub(super) gap: Gap,
}

/// A hash that grows letter by letter.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    #[inline]
    const fn add(self, letter: char) -> Self {
        Self((self.0 ^ letter as u64).wrapping_mul(PRIME))
    }
}

/// The hash of folded letters, at most `most` of them.
pub(super) fn hash(text: &str, most: usize) -> u64 {
    folded(text).take(most).fold(Hash(BASIS), Hash::add).0
}

/// The letters of a text as words are compared: lower case, without accents.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().filter_map(fold)
}

/// A letter in lower case without its accent; nothing of a mark that combines with the letter before it.
#[inline]
fn fold(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter.to_ascii_lowercase());
    }
    fold_beyond_ascii(letter)
}

fn fold_beyond_ascii(letter: char) -> Option<char> {
    let plain = match letter {
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{ad}' => return None,
        '’' | '‘' | 'ʼ' | '´' => '\'',
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => 'a',
        'Ç' | 'ç' | 'Ć'..='č' => 'c',
        'Ď'..='đ' => 'd',
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => 'e',
        'Ĝ'..='ģ' => 'g',
        'Ĥ'..='ħ' => 'h',
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => 'i',
        'Ĵ' | 'ĵ' => 'j',
        'Ķ'..='ĸ' => 'k',
        'Ĺ'..='ł' => 'l',
        'Ñ' | 'ñ' | 'Ń'..='ŋ' => 'n',
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => 'o',
        'Ŕ'..='ř' => 'r',
        'Ś'..='š' => 's',
        'Ţ'..='ŧ' => 't',
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => 'u',
        'Ŵ' | 'ŵ' => 'w',
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => 'y',
        'Ź'..='ž' => 'z',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    Some(plain)
}

/// Whether it takes an accent away from a letter.
#[inline]
const fn accented(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{17f}' | '\u{300}'..='\u{36f}')
}

#[inline]
fn of_word(letter: char) -> bool {
    if letter.is_ascii() {
        letter.is_ascii_alphanumeric() || letter == '_'
    } else {
        letter.is_alphanumeric() || matches!(letter, '\u{300}'..='\u{36f}' | '\u{ad}')
    }
}

/// The letters, digits and underscores of ASCII in lower case; zero for every other byte.
const PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        if letter.is_ascii_alphanumeric() || letter == b'_' {
            plain[byte] = letter.to_ascii_lowercase();
        }
        byte += 1;
    }
    plain
};

/// The words of a text, in order.
pub(super) struct Words<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
    /// What stands before the next word, or after the last.
    gap: Gap,
}

impl<'a> Words<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, gap: Gap { apart: Apart::Space, asks: false } }
    }

    /// What stands after the last word, once all are read.
    pub(super) const fn gap(&self) -> Gap {
        self.gap
    }

    /// The letter or sign that is read next.
    fn peek(&self) -> Option<char> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => self.text[self.at..].chars().next(),
            None => None,
        }
    }

    /// The next letter of a word, unless it ends here.
    fn letter(&self) -> Option<char> {
        let letter = self.peek()?;
        if of_word(letter) {
            return Some(letter);
        }
        let inside = || self.text[self.at + letter.len_utf8()..].chars().next().is_some_and(of_word);
        (matches!(letter, '\'' | '’' | 'ʼ' | '´') && inside()).then_some(letter)
    }

    /// Takes in a sign between two words, which has just been read.
    fn divide(&mut self, sign: char, lines: &mut u8) {
        let apart = match sign {
            ' ' | '\t' | '\'' | '/' | '&' | '+' | '#' | '@' | '%' | '*' | '\u{a0}' => Apart::Space,
            '!' | ';' => Apart::Sentence,
            '?' => {
                self.gap.asks = true;
                Apart::Sentence
            }
            '.' | '…' => self.after_dot(),
            '\n' => {
                *lines = lines.saturating_add(1);
                if *lines > 1 { Apart::Sentence } else { self.after_line() }
            }
            '-' if self.peek().is_some_and(of_word) && self.gap.apart == Apart::Space => Apart::Space,
            '-' | '–' | '—' | ',' | ':' | '(' | ')' | '"' | '“' | '”' | '„' | '«' | '»' | '[' | ']' | '|' => {
                Apart::Comma
            }
            _ if sign.is_whitespace() || sign < '\u{2190}' => Apart::Space,
            _ => Apart::Comma,
        };
        self.gap.apart = self.gap.apart.max(apart);
    }

    /// A full stop ends a sentence, unless it stands inside a number or an address, or a small letter follows.
    fn after_dot(&self) -> Apart {
        let rest = &self.text[self.at..];
        match rest.chars().next() {
            None => Apart::Sentence,
            Some(next) if of_word(next) => Apart::Space,
            Some(_) if self.after_title() => Apart::Space,
            Some(_) => match rest.chars().take(4).find(|letter| of_word(*letter)) {
                Some(next) if next.is_lowercase() => Apart::Comma,
                _ => Apart::Sentence,
            },
        }
    }

    /// Whether the full stop that was just read belongs to a title before a name.
    fn after_title(&self) -> bool {
        let before = self.text[..self.at].strip_suffix('.').unwrap_or_default();
        TITLES.iter().any(|title| before.strip_suffix(title).is_some_and(|rest| !rest.ends_with(of_word)))
    }

    /// A line may be broken anywhere; a capital after it begins something new.
    fn after_line(&self) -> Apart {
        match self.text[self.at..].chars().find(|letter| !matches!(letter, ' ' | '\t' | '\r')) {
            Some(next) if next.is_lowercase() => Apart::Space,
            Some('-' | '*' | '•') => Apart::Sentence,
            _ => Apart::Comma,
        }
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        self.gap = Gap::default();
        let mut lines = 0;
        let first = loop {
            match self.peek()? {
                letter if of_word(letter) => break letter,
                ' ' => self.at += 1,
                sign => {
                    self.at += sign.len_utf8();
                    self.divide(sign, &mut lines);
                }
            }
        };
        let (mut hash, mut head, mut pair, mut count) = (Hash(BASIS), BASIS, BASIS, 0);
        let (start, mut marked) = (self.at, false);
        loop {
            let byte = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
            let mut plain = Some(PLAIN[usize::from(byte)] as char);
            if plain == Some('\0') {
                let Some(letter) = self.letter() else { break };
                self.at += letter.len_utf8();
                marked |= accented(letter);
                plain = fold(letter);
            } else {
                self.at += 1;
            }
            if let Some(plain) = plain {
                hash = hash.add(plain);
                count += 1;
                if count <= HEAD {
                    head = hash.0;
                    if count <= 2 {
                        pair = hash.0;
                    }
                }
            }
        }
        if marked && count == 1 {
            // In Portuguese `e` joins what `é` says.
            hash = hash.add('\u{301}');
        }
        let gap = std::mem::take(&mut self.gap);
        let (end, capital) = (self.at, first.is_uppercase());
        Some(Word { start, end, hash: hash.0, head, pair, capital, accented: marked, gap })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(&str, Apart)> {
        Words::new(text).map(|word| (&text[word.start..word.end], word.gap.apart)).collect()
    }

    #[test]
    fn words_keep_inner_apostrophes_and_split_at_hyphens() {
        let (space, comma, sentence) = (Apart::Space, Apart::Comma, Apart::Sentence);
        assert_eq!(words("I don’t e-mail"), [("I", space), ("don’t", space), ("e", space), ("mail", space)]);
        assert_eq!(
            words("no, 'yes' v2.1. End"),
            [("no", space), ("yes", comma), ("v2", space), ("1", space), ("End", sentence)]
        );
    }

    #[test]
    fn words_are_compared_without_case_and_accents() {
        let of = |text: &str| Words::new(text).next().unwrap().hash;
        assert_eq!(of("KÖSZÖNŐ"), of("koszono"));
        assert_eq!(of("não"), of("na\u{303}o"));
        assert_eq!(of("köszönöm"), hash("Koszonom", usize::MAX));
        assert_ne!(of("kar"), of("kor"));
        assert_ne!(of("é"), of("e"));
        assert_eq!(of("É"), of("é"));
    }
}
