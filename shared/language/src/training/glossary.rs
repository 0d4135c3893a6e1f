//! Examples in one language from those in another, word by word.
//!
//! Few texts with a settled licence are labelled in Dutch, Hungarian and Portuguese, and many in English. Word by word
//! they are no texts anybody would write, but n-grams of their words carry the feeling over.

use std::collections::{BTreeMap, HashMap};

use super::corpus::Example;
use super::random::Random;
use crate::tokens::{Kind, Tokens};
use crate::{Language, hash};

/// English words and what they are in the other languages.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    entries: HashMap<String, [Vec<String>; 4]>,
}

/// Of so many words of a text the glossary must have a translation.
const COVERED: f32 = 0.65;

impl Glossary {
    /// Reads a table with the columns `en`, `nl`, `pt`, `hu`; alternatives are between slashes, `-` is for what has no
    /// word of its own.
    ///
    /// # Errors
    ///
    /// The number of a line that has other columns.
    pub fn of(table: &str) -> Result<Self, usize> {
        let mut entries = HashMap::new();
        for (number, line) in (1..).zip(table.lines()).skip(1) {
            let [english, dutch, portuguese, hungarian] = line.split('\t').collect::<Vec<_>>()[..] else {
                return Err(number);
            };
            let alternatives = |cell: &str| -> Vec<String> {
                cell.split('/').map(|word| if word == "-" { String::new() } else { word.to_owned() }).collect()
            };
            let translations =
                [vec![english.to_owned()], alternatives(hungarian), alternatives(dutch), alternatives(portuguese)];
            entries.insert(english.to_owned(), translations);
        }
        Ok(Self { entries })
    }

    /// Returns the terms of an English list in another language. A word with several origins has their mean.
    pub fn terms(&self, english: &[(String, f32)], language: Language) -> Vec<(String, f32)> {
        let mut sums: BTreeMap<&str, (f32, f32)> = BTreeMap::new();
        for (term, valence) in english {
            let translations = self.entries.get(term).map_or(&[][..], |translations| &translations[language as usize]);
            for word in translations.iter().filter(|word| !word.is_empty() && !word.contains(' ')) {
                let (sum, count) = sums.entry(word).or_default();
                *sum += valence;
                *count += 1.0;
            }
        }
        sums.into_iter().map(|(word, (sum, count))| (word.to_owned(), sum / count)).collect()
    }

    /// Returns the English examples in another language, as far as most of their words are known.
    pub fn translated(&self, examples: &[Example], language: Language, variant: u64) -> Vec<Example> {
        let english = examples.iter().filter(|example| example.language == Some(Language::English));
        english
            .filter_map(|example| {
                let text = self.text(&example.text, language, variant)?;
                Some(Example { text, language: Some(language), translated: true, ..example.clone() })
            })
            .collect()
    }

    fn text(&self, text: &str, language: Language, variant: u64) -> Option<String> {
        let mut random = Random::of(hash::checksum(text.as_bytes()) ^ variant);
        let mut buffer = Vec::new();
        let mut tokens = Tokens::new(text, &mut buffer);
        let (mut words, mut known) = (0, 0);
        let mut translated = String::with_capacity(text.len());
        while let Some(kind) = tokens.next() {
            let token: String = tokens.characters().iter().collect();
            if kind != Kind::Word {
                translated.push_str(&token);
                translated.push(' ');
                continue;
            }
            words += 1;
            let Some(translations) = self.look_up(&token) else { continue };
            known += 1;
            let alternatives = &translations[language as usize];
            let chosen = &alternatives[random.below(alternatives.len())];
            let chosen = if tokens.shouted && token.len() > 1 { chosen.to_uppercase() } else { chosen.clone() };
            if !chosen.is_empty() {
                if translated.is_empty() || !translated.ends_with(' ') {
                    translated.push(' ');
                }
                translated.push_str(&chosen);
                translated.push(' ');
            }
        }
        (words > 0 && known as f32 >= COVERED * words as f32).then_some(translated)
    }

    /// Finds a word, or what is left of it without an English ending.
    fn look_up(&self, word: &str) -> Option<&[Vec<String>; 4]> {
        self.entries.get(word).or_else(|| {
            let stem =
                |ending: &str, instead: &str| self.entries.get(&format!("{}{instead}", word.strip_suffix(ending)?));
            let rules = [
                ("s", ""),
                ("es", ""),
                ("'s", ""),
                ("ly", ""),
                ("ed", ""),
                ("ed", "e"),
                ("ing", ""),
                ("ing", "e"),
                ("er", ""),
                ("ies", "y"),
            ];
            rules.into_iter().find_map(|(ending, instead)| stem(ending, instead))
        })
    }
}
