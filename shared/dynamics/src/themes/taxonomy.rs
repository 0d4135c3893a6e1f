//! A tenant's own themes, found in texts.

use std::collections::HashMap;
use std::ops::Range;

use super::stem::stem;
use super::words::{Words, fold, hash};

/// The most words of a phrase.
pub const LONGEST_PHRASE: usize = 8;

/// Words that a theme is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase<'a> {
    /// The language it is in, of ISO 639-1; empty if it is the same in every language, as names are. Then its words
    /// have no endings but those written.
    pub language: &'a str,
    /// The words.
    pub text: &'a str,
}

/// A phrase in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The theme, by its position in the taxonomy.
    pub theme: usize,
    /// The phrase, by its position in the theme.
    pub phrase: usize,
    /// Its bytes in the text; both ends are borders of characters.
    pub range: Range<usize>,
}

/// The phrases of themes, ready to be looked for.
///
/// Case, accents and endings that say number, case or gender make no difference. A phrase is found by
/// its first word, so texts are read at nearly the same speed whatever the number of themes.
#[derive(Clone, Debug, Default)]
pub struct Taxonomy {
    /// By language; that of every language first.
    indexes: Vec<(String, Index)>,
}

/// Phrases by their first word.
type Index = HashMap<u64, Vec<Entry>>;

#[derive(Clone, Debug)]
struct Entry {
    /// The words after the first.
    rest: Box<[u64]>,
    theme: usize,
    phrase: usize,
}

/// A word of a text.
struct Token {
    /// As it stands, and without its endings.
    forms: [u64; 2],
    range: Range<usize>,
    apart: bool,
}

impl Taxonomy {
    /// Themes with their phrases. Phrases without a word, or of more than [`LONGEST_PHRASE`], are never found.
    pub fn new(themes: &[Vec<Phrase<'_>>]) -> Taxonomy {
        let mut taxonomy = Taxonomy { indexes: vec![(String::new(), Index::new())] };
        let mut tokens = Vec::new();
        for (theme, phrases) in themes.iter().enumerate() {
            for (phrase, Phrase { language, text }) in phrases.iter().enumerate() {
                read(text, language, &mut tokens);
                let form = usize::from(!language.is_empty());
                let mut words = tokens.iter().map(|token| token.forms[form]);
                let Some(first) = words.next().filter(|_| tokens.len() <= LONGEST_PHRASE) else { continue };
                let entry = Entry { rest: words.collect(), theme, phrase };
                taxonomy.index(language).entry(first).or_default().push(entry);
            }
        }
        for (_, index) in &mut taxonomy.indexes {
            for entries in index.values_mut() {
                // The longest first: it is the one that counts where several of a theme begin.
                entries.sort_by_key(|entry| (std::cmp::Reverse(entry.rest.len()), entry.theme, entry.phrase));
            }
        }
        taxonomy
    }

    fn index(&mut self, language: &str) -> &mut Index {
        let known = self.indexes.iter().position(|(other, _)| other == language);
        let at = known.unwrap_or_else(|| {
            self.indexes.push((language.to_owned(), Index::new()));
            self.indexes.len() - 1
        });
        &mut self.indexes[at].1
    }

    /// Where themes are mentioned, in the order of the text; the longest phrases of a theme, no two of one theme in the
    /// same words. `language` is that of the text, of ISO 639-1; if it is empty or `und`, phrases of every language are
    /// looked for.
    pub fn find(&self, text: &str, language: &str) -> Vec<Match> {
        let unknown = language.is_empty() || language == "und";
        let mut found = Vec::new();
        let mut tokens = Vec::new();
        let (every, others) = match self.indexes.split_first() {
            Some(((_, every), others)) => (every, others),
            None => return found,
        };
        let mut languages = others.iter().filter(|(other, _)| unknown || other == language).peekable();
        if languages.peek().is_none() {
            read(text, "", &mut tokens);
        }
        for (language, index) in languages {
            read(text, language, &mut tokens);
            seek(index, 1, &tokens, &mut found);
        }
        seek(every, 0, &tokens, &mut found);
        found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end), found.theme, found.phrase));
        let mut ends: HashMap<usize, usize> = HashMap::new();
        found.retain(|found| {
            let end = ends.entry(found.theme).or_default();
            let free = *end <= found.range.start;
            if free {
                *end = found.range.end;
            }
            free
        });
        found
    }

    /// The themes that are mentioned, each once, in ascending order.
    pub fn themes(&self, text: &str, language: &str) -> Vec<usize> {
        let mut themes: Vec<usize> = self.find(text, language).into_iter().map(|found| found.theme).collect();
        themes.sort_unstable();
        themes.dedup();
        themes
    }
}

fn read(text: &str, language: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let mut folded = String::new();
    for word in Words::of(text) {
        fold(word.text, &mut folded);
        let plain = hash(&folded);
        stem(&mut folded, language);
        let range = word.start..word.start + word.text.len();
        tokens.push(Token { forms: [plain, hash(&folded)], range, apart: word.apart });
    }
}

fn seek(index: &Index, form: usize, tokens: &[Token], found: &mut Vec<Match>) {
    if index.is_empty() {
        return;
    }
    for (at, first) in tokens.iter().enumerate() {
        let Some(entries) = index.get(&first.forms[form]) else { continue };
        let after = &tokens[at + 1..];
        for entry in entries {
            let words = after.iter().take_while(|token| !token.apart).map(|token| token.forms[form]);
            if words.take(entry.rest.len()).eq(entry.rest.iter().copied()) {
                let last = &tokens[at + entry.rest.len()];
                let range = first.range.start..last.range.end;
                found.push(Match { theme: entry.theme, phrase: entry.phrase, range });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases<'a>(all: &[(&'a str, &'a str)]) -> Vec<Phrase<'a>> {
        all.iter().map(|&(language, text)| Phrase { language, text }).collect()
    }

    fn taxonomy() -> Taxonomy {
        Taxonomy::new(&[
            phrases(&[("en", "delivery"), ("en", "late delivery"), ("hu", "késik a csomag"), ("nl", "late levering")]),
            phrases(&[("en", "invoice"), ("hu", "számla"), ("nl", "factuur"), ("pt", "fatura")]),
            phrases(&[("", "Acme Plus")]),
            phrases(&[("en", ""), ("en", "…"), ("en", "a b c d e f g h i")]),
        ])
    }

    #[test]
    fn themes_are_found_whatever_the_form() {
        let taxonomy = taxonomy();
        for (language, text, themes) in [
            ("en", "LATE deliveries; the invoices too", vec![0, 1]),
            ("hu", "Késik a csomagom? Nem: a szamlat kérem!", vec![0, 1]),
            ("nl", "Weer late leveringen.", vec![0]),
            ("pt", "As FATURAS não vêm", vec![1]),
            ("pt", "invoice", vec![]),
            ("de", "acme plus ist da", vec![2]),
            ("en", "acme. Plus that", vec![]),
            ("und", "invoice? factuur! ACME-plus", vec![1, 2]),
            ("", "fatura", vec![1]),
            ("en", "", vec![]),
            ("en", "a b c d e f g h i", vec![]),
        ] {
            assert_eq!(taxonomy.themes(text, language), themes, "{language}: {text}");
        }
        assert_eq!(Taxonomy::default().themes("x", "en"), [0_usize; 0]);
    }

    #[test]
    fn the_longest_phrase_is_told_with_its_place() {
        let text = "Früh: a late Delivery — delivery!";
        let found = taxonomy().find(text, "en");
        let told: Vec<_> = found.iter().map(|one| (one.theme, one.phrase, &text[one.range.clone()])).collect();
        assert_eq!(told, [(0, 1, "late Delivery"), (0, 0, "delivery")]);
    }

    #[test]
    fn hundreds_of_themes_are_told_apart() {
        let names: Vec<String> = (0..600).map(|n| format!("common part{n} end")).collect();
        let themes: Vec<_> = names.iter().map(|name| phrases(&[("en", name)])).collect();
        let taxonomy = Taxonomy::new(&themes);
        assert_eq!(taxonomy.themes("the common part599 end and common part7 ends; common part8", "en"), [7, 599]);
    }
}
