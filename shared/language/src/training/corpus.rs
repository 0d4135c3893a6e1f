//! Labelled texts as numbers.

use std::collections::HashMap;

use crate::Language;
use crate::features::{Reading, Scratch, Signals, read};
use crate::hash;
use crate::lexicon::{EMOJI, LISTS, Lexicon, Valences, hundredths};
use crate::model::SQUARES;

/// A labelled text.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// What it says.
    pub text: String,
    /// In which language; absent in none that is analysed.
    pub language: Option<Language>,
    /// Where it is from.
    pub source: String,
    /// Whether it is a translation word by word.
    pub translated: bool,
    /// How much it counts beside others.
    pub weight: f32,
    /// Its class, if it has one: 0 negative, 1 neutral, 2 positive.
    pub sentiment: Option<u8>,
    /// The emotions that were looked for, a bit each from joy on, and those of them that are in it.
    pub emotions: Option<(u8, u8)>,
}

/// Word lists, to be collected.
#[derive(Clone, Debug, Default)]
pub struct Lexicons {
    entries: [HashMap<u32, Valences>; 4],
    finished: [Lexicon; 4],
}

impl Lexicons {
    /// Adds a list of a language: terms, as they are after lowering, and valences from -1 to 1. Terms of several words
    /// are left out. A language has up to four.
    pub fn add<'t>(&mut self, language: Language, list: usize, terms: impl IntoIterator<Item = (&'t str, f32)>) {
        for (term, valence) in terms {
            let mut characters = Vec::new();
            let mut tokens = crate::tokens::Tokens::new(term, &mut characters);
            let Some(kind) = tokens.next() else { continue };
            let hash = hash::word(tokens.characters());
            // Digits are all alike to the model.
            let is_number = tokens.characters().iter().all(|character| *character == '0');
            if is_number || tokens.next().is_some() {
                continue;
            }
            let list = if kind == crate::tokens::Kind::Word { list } else { EMOJI };
            self.entries[language as usize].entry(Lexicon::key_of(hash)).or_default()[list] = hundredths(valence);
        }
        let mut entries: Vec<_> =
            self.entries[language as usize].iter().map(|(&key, &valences)| (key, valences)).collect();
        entries.sort_by_key(|&(key, _)| key);
        self.finished[language as usize] = Lexicon::of(entries.into_iter());
    }

    /// Adds a list of emoji and emoticons to every language.
    pub fn add_emoji<'t>(&mut self, terms: impl IntoIterator<Item = (&'t str, f32)> + Clone) {
        for language in Language::ALL {
            self.add(language, EMOJI, terms.clone());
        }
    }

    pub(crate) fn of_languages(&self) -> &[Lexicon; 4] {
        &self.finished
    }
}

/// The features of every text: rows and their values one after the other.
pub(crate) struct Corpus {
    entries: Vec<(u32, f32)>,
    ends: Vec<usize>,
    pub(crate) signals: Vec<Signals>,
    pub(crate) languages: Vec<Language>,
    /// Of each row the square of the inverse frequency, as it is stored.
    pub(crate) squares: Vec<u8>,
}

impl Corpus {
    pub(crate) fn of(examples: &[Example], lexicons: &Lexicons, bits: u32) -> Self {
        let readings = [true, false].map(|has_pairs| {
            Language::ALL.map(|language| Reading {
                has_pairs,
                ..Reading::new(language, lexicons.of_languages()[language as usize].clone())
            })
        });
        let mut scratch = Scratch::default();
        let mut corpus = Self {
            entries: Vec::new(),
            ends: Vec::new(),
            signals: Vec::new(),
            languages: Vec::new(),
            squares: Vec::new(),
        };
        let mut frequencies = vec![0_u32; 1 << bits];
        let mut rows: Vec<u32> = Vec::new();
        for example in examples {
            let language = example.language.unwrap_or(Language::English);
            rows.clear();
            let signals = read(
                &example.text,
                &readings[usize::from(example.translated)][language as usize],
                &mut scratch,
                |hashes| rows.extend(hashes.iter().map(|hash| (hash >> (64 - bits)) as u32)),
            );
            rows.sort_unstable();
            for equal in rows.chunk_by(|a, b| a == b) {
                frequencies[equal[0] as usize] += 1;
                corpus.entries.push((equal[0], equal.len() as f32));
            }
            corpus.ends.push(corpus.entries.len());
            corpus.signals.push(signals);
            corpus.languages.push(language);
        }
        corpus.squares = frequencies
            .iter()
            .map(|&frequency| {
                let inverse = ((examples.len() + 1) as f32 / (frequency + 1) as f32).ln() + 1.0;
                (inverse * inverse * SQUARES).round().clamp(1.0, 127.0) as u8
            })
            .collect();
        let mut start = 0;
        for &end in &corpus.ends {
            let entries = &mut corpus.entries[start..end];
            // As when a text is analysed: each occurrence counts by itself.
            let squares: f32 =
                entries.iter().map(|&(row, count)| count * f32::from(corpus.squares[row as usize])).sum();
            let length = (squares / SQUARES).sqrt().max(1.0);
            for (row, value) in entries {
                *value *= (f32::from(corpus.squares[*row as usize]) / SQUARES).sqrt() / length;
            }
            start = end;
        }
        corpus
    }

    /// The rows of a text and their values.
    pub(crate) fn entries(&self, example: usize) -> &[(u32, f32)] {
        let start = example.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[example]]
    }

    pub(crate) fn inverse_frequency(&self, row: usize) -> f32 {
        (f32::from(self.squares[row]) / SQUARES).sqrt()
    }
}

const _: () = assert!(LISTS == 5);
