//! Text to tokens, one at a time, without an allocation.
//!
//! Letters are lowered, digits become `0`, more than two of one character become two, `’` becomes `'`; a word is of
//! letters, digits and underscores with apostrophes inside. Addresses of the web become one token, names of users
//! another, a run of punctuation one (so that `:-)` is one), each emoji and each other symbol one.

/// What a token is; its characters are in the tokeniser's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word, or a number.
    Word,
    /// A run of punctuation, or an emoticon.
    Marks,
    /// An emoji or another symbol.
    Symbol,
    /// An address of the web, or the name of a user.
    Reference,
}

/// Reads tokens.
pub(crate) struct Tokens<'t, 'b> {
    rest: &'t str,
    characters: &'b mut Vec<char>,
    /// Whether the last word was written in capitals, two at least.
    pub(crate) shouted: bool,
    /// Whether a character stood more than twice in the last token.
    pub(crate) elongated: bool,
}

/// A longer word is cut.
pub(crate) const LONGEST_WORD: usize = 40;

impl<'t, 'b> Tokens<'t, 'b> {
    /// Starts to read; the buffer is the caller's, to be used again.
    pub(crate) fn new(text: &'t str, characters: &'b mut Vec<char>) -> Self {
        Self { rest: text, characters, shouted: false, elongated: false }
    }

    /// The characters of the last token.
    pub(crate) fn characters(&self) -> &[char] {
        self.characters
    }

    /// Goes to the next token.
    pub(crate) fn next(&mut self) -> Option<Kind> {
        self.characters.clear();
        self.shouted = false;
        self.elongated = false;
        let first = loop {
            let first = self.rest.chars().next()?;
            match class(first) {
                Class::Nothing => self.skip(first),
                _ => break first,
            }
        };
        Some(match class(first) {
            Class::Letter => match address_length(self.rest) {
                Some(length) => self.reference(length, "http"),
                None => self.word(),
            },
            Class::Mark if first == '@' && self.rest[1..].chars().next().is_some_and(is_letter) => {
                let name = self.rest[1..].find(|c: char| !is_letter(c)).map_or(self.rest.len(), |length| length + 1);
                self.reference(name, "@user")
            }
            Class::Mark => self.marks(),
            Class::Symbol | Class::Nothing => {
                self.skip(first);
                self.characters.push(first);
                Kind::Symbol
            }
        })
    }

    fn skip(&mut self, character: char) {
        self.rest = &self.rest[character.len_utf8()..];
    }

    fn reference(&mut self, length: usize, token: &str) -> Kind {
        self.rest = &self.rest[length..];
        self.characters.extend(token.chars());
        Kind::Reference
    }

    fn push(&mut self, character: char) {
        if let [.., before, last] = self.characters[..]
            && before == character
            && last == character
        {
            self.elongated |= character != '0';
        } else if self.characters.len() < LONGEST_WORD {
            self.characters.push(character);
        }
    }

    fn word(&mut self) -> Kind {
        let (mut capitals, mut smalls, mut end) = (0_u32, 0_u32, self.rest.len());
        let mut characters = self.rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if character.is_ascii() {
                match character {
                    'a'..='z' | '_' => {
                        smalls += 1;
                        self.push(character);
                    }
                    'A'..='Z' => {
                        capitals += 1;
                        self.push(character.to_ascii_lowercase());
                    }
                    // A number says little but that it is one; its digits count as repeated.
                    '0'..='9' => self.push('0'),
                    '\'' if characters.peek().is_some_and(|&(_, next)| is_letter(next)) => self.push('\''),
                    _ => {
                        end = at;
                        break;
                    }
                }
            } else if is_letter(character) {
                if let Some(composed) = self.characters.last().and_then(|&base| compose(base, character)) {
                    self.characters.pop();
                    self.push(composed);
                    continue;
                }
                if is_combining(character) {
                    continue;
                }
                if character.is_uppercase() {
                    capitals += 1;
                } else {
                    smalls += 1;
                }
                if let Some(lower) = character.to_lowercase().next() {
                    self.push(lower);
                }
            } else if is_apostrophe(character) && characters.peek().is_some_and(|&(_, next)| is_letter(next)) {
                self.push('\'');
            } else {
                end = at;
                break;
            }
        }
        self.rest = &self.rest[end..];
        self.shouted = capitals > 1 && smalls == 0;
        Kind::Word
    }

    fn marks(&mut self) -> Kind {
        while let Some(character) = self.rest.chars().next().filter(|&next| matches!(class(next), Class::Mark)) {
            if character == '@' && !self.characters.is_empty() {
                break;
            }
            self.skip(character);
            self.push(if is_apostrophe(character) { '\'' } else { character });
        }
        // The mouth of an emoticon may be a letter: `:D`, `;-P`.
        let mut rest = self.rest.chars();
        if let (Some(mouth @ ('D' | 'P' | 'p' | 'O' | 'o')), after) = (rest.next(), rest.next())
            && matches!(self.characters[..], [':' | ';' | '='] | [':' | ';', '-'])
            && !after.is_some_and(is_letter)
        {
            self.skip(mouth);
            self.characters.push(mouth.to_ascii_lowercase());
        }
        Kind::Marks
    }
}

enum Class {
    Nothing,
    Letter,
    Mark,
    Symbol,
}

fn class(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => Class::Letter,
        '#' | '"' | '\0'..=' ' | '\u{7f}' => Class::Nothing,
        '!'..='~' => Class::Mark,
        // Dashes, quotation marks and dots of general punctuation and Latin-1; what is invisible; skin tones; what only
        // chooses how an emoji looks.
        '…' => Class::Mark,
        '\u{2018}' | '\u{2019}' | '\u{2013}' | '\u{2014}' | '¡' | '¿' => Class::Mark,
        '\u{80}'..='\u{a0}' | '\u{ad}' | '«' | '»' | '\u{2000}'..='\u{206f}' => Class::Nothing,
        '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}' => Class::Nothing,
        '\u{300}'..='\u{36f}' | '\u{fffd}' | '\u{feff}' => Class::Nothing,
        _ if character.is_alphanumeric() => Class::Letter,
        _ if character.is_whitespace() || character.is_control() => Class::Nothing,
        _ => Class::Symbol,
    }
}

fn is_letter(character: char) -> bool {
    matches!(character, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_')
        || !character.is_ascii() && (character.is_alphanumeric() || is_combining(character))
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2018}' | '\u{2019}')
}

fn is_combining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Composes a small letter with the accent after it, for the letters of the languages that are analysed (Unicode, NFC).
fn compose(base: char, accent: char) -> Option<char> {
    let (bases, composed) = match accent {
        '\u{300}' => ("aeiou", "àèìòù"),
        '\u{301}' => ("aeiou", "áéíóú"),
        '\u{302}' => ("aeiou", "âêîôû"),
        '\u{303}' => ("aon", "ãõñ"),
        '\u{308}' => ("aeiou", "äëïöü"),
        '\u{30b}' => ("ou", "őű"),
        '\u{327}' => ("c", "ç"),
        _ => return None,
    };
    bases.chars().zip(composed.chars()).find(|&(from, _)| from == base).map(|(_, to)| to)
}

/// The length in bytes of the address of the web that a text begins with.
fn address_length(text: &str) -> Option<usize> {
    let starts = |prefix: &str| {
        text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    (starts("http://") || starts("https://") || starts("www."))
        .then(|| text.find(char::is_whitespace).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut buffer = Vec::new();
        let mut tokens = Tokens::new(text, &mut buffer);
        let mut read = Vec::new();
        while tokens.next().is_some() {
            read.push(tokens.characters().iter().collect());
        }
        read
    }

    #[test]
    fn words_marks_emoji_and_addresses_are_tokens() {
        assert_eq!(tokens("I don’t LIKE it :-) at all!!!!"), ["i", "don't", "like", "it", ":-)", "at", "all", "!!"]);
        assert_eq!(tokens("see https://a.b/c?d and @kim, 1250 €"), ["see", "http", "and", "@user", ",", "00", "€"]);
        assert_eq!(tokens("👍🏽❤️ :D sooooo"), ["👍", "❤", ":d", "soo"]);
        assert_eq!(tokens("rock 'n' roll's"), ["rock", "'", "n", "'", "roll's"]);
    }

    #[test]
    fn accents_are_composed() {
        assert_eq!(tokens("jo\u{301} no\u{303}o O\u{30b}sz"), ["jó", "nõo", "ősz"]);
    }

    #[test]
    fn capitals_and_repeated_letters_are_noticed() {
        let mut buffer = Vec::new();
        let mut tokens = Tokens::new("NEVER sooo I", &mut buffer);
        let mut seen = Vec::new();
        while tokens.next().is_some() {
            seen.push((tokens.shouted, tokens.elongated));
        }
        assert_eq!(seen, [(true, false), (false, true), (false, false)]);
    }
}
