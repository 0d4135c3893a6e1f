//! Which language a text is in.
//!
//! A softmax over languages, linear in the n-grams of the words (Joulin et al., Bag of tricks for efficient text
//! classification, 2017, without a hidden layer): whole words and 2 to 4 letters of them, hashed to rows of small
//! integers. Its temperature depends on how many words there are, so that what it is 90 % sure of is right in nine cases
//! of ten. Letters of other scripts tell their language themselves.

#[cfg(any(test, feature = "training"))]
mod calibrate;
#[cfg(any(test, feature = "training"))]
mod evaluate;
mod letters;
mod scripts;
mod table;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "training"))]
mod training;
mod words;

use crate::analysis::Language;
#[cfg(any(test, feature = "training"))]
pub use evaluate::{Confusion, Figures, Unit, evaluate};
pub use table::IdentifierError;
#[cfg(any(test, feature = "training"))]
pub use training::{Progress, Row, Settings, TrainingError, train};

pub(crate) use letters::joined;
use scripts::Scripts;
use table::Table;
use tally::{Blocks, Tally};
use words::{Word, each_word};

/// The code of a text in no language that can be told (ISO 639-2).
pub const UNDETERMINED: &str = "und";

/// Bytes of a text that are looked at; of a longer one, [`STRETCHES`] parts spread evenly over it.
pub const LOOKED_AT: usize = 1024;
/// Parts of a long text that are looked at.
pub const STRETCHES: usize = 16;

/// Of a mixed text, each language has at least this part of the n-grams.
const MIXED_SHARE: f32 = 0.25;
/// Of a mixed text, each language is at least this likely in the words that speak for it.
const MIXED_PROBABILITY: f32 = 0.9;

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identified {
    /// The likeliest language's code of ISO 639-1; [`UNDETERMINED`] if there is no word.
    pub code: &'static str,
    /// The probability that it is this language, from 0 to 1.
    pub probability: f32,
    /// The second likeliest, or [`UNDETERMINED`].
    pub runner_up: &'static str,
    /// The probability of the second likeliest, from 0 to 1.
    pub runner_up_probability: f32,
    /// Whether a good part of it is clearly in one language and another clearly in another.
    pub is_mixed: bool,
    /// How many words were looked at.
    pub words: usize,
}

impl Identified {
    const NOTHING: Self = Self {
        code: UNDETERMINED,
        probability: 0.0,
        runner_up: UNDETERMINED,
        runner_up_probability: 0.0,
        is_mixed: false,
        words: 0,
    };
}

/// Tells languages apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Identifier {
    table: Table,
}

impl Identifier {
    /// Reads what [`Identifier::encode`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentifierError> {
        Table::decode(bytes).map(|table| Self { table })
    }

    /// Writes it: the same identifier, the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.table.encode()
    }

    /// The codes of the languages that are told apart by their words.
    pub fn codes(&self) -> &[&'static str] {
        &self.table.codes
    }

    /// From which probability on a text counts as being in one of the [languages](Language) that are analysed.
    pub fn threshold(&self) -> f32 {
        self.table.threshold
    }

    /// The language that the text can be analysed in: one of the four, likely enough, and not mixed with another.
    pub fn accepted(&self, identified: &Identified) -> Option<Language> {
        let sure = identified.probability >= self.table.threshold && !identified.is_mixed;
        Language::of_code(identified.code).filter(|_| sure)
    }

    /// Tells the language of a text, of its first [`LOOKED_AT`] bytes or of parts all over it.
    pub fn identify(&self, text: &str) -> Identified {
        let mut scripts = Scripts::default();
        let mut blocks = Blocks::new(text.len().min(LOOKED_AT));
        let mut word = Word::new();
        each_stretch(text, |stretch| {
            each_word(stretch, &mut word, |word| {
                if scripts.count(word.letters()) {
                    blocks.add(&self.table, word);
                }
                true
            });
        });
        let total = blocks.total();
        if let Some(other) = scripts.language() {
            return Identified { words: scripts.words + total.words as usize, ..other };
        }
        if total.words == 0 {
            return Identified::NOTHING;
        }
        let is_mixed = scripts.is_mixed() || self.is_mixed(&blocks, &total);
        Identified { is_mixed, ..self.likeliest(&total) }
    }

    fn likeliest(&self, total: &Tally) -> Identified {
        let probabilities = self.table.probabilities(total);
        let mut order = [0, 0];
        for (class, probability) in probabilities.iter().enumerate().take(self.table.codes.len()).skip(1) {
            if *probability > probabilities[order[0]] {
                order = [class, order[0]];
            } else if order[0] == order[1] || *probability > probabilities[order[1]] {
                order[1] = class;
            }
        }
        let code = |class: usize| self.table.codes.get(class).copied().unwrap_or(UNDETERMINED);
        Identified {
            code: code(order[0]),
            probability: probabilities[order[0]],
            runner_up: code(order[1]),
            runner_up_probability: probabilities[order[1]],
            is_mixed: false,
            words: total.words as usize,
        }
    }

    /// Whether the text can be cut into two parts that are clearly in two languages, or its blocks can be sorted so.
    fn is_mixed(&self, blocks: &Blocks, total: &Tally) -> bool {
        let Some((_, inner)) = blocks.all().split_last().filter(|(_, inner)| !inner.is_empty()) else { return false };
        let mut groups = [Tally::NONE; table::LANES];
        let mut before = Tally::NONE;
        for block in inner {
            before.join(block);
            groups[self.table.likeliest(block)].join(block);
            if self.are_two(total, &before) {
                return true;
            }
        }
        let rest = total.without(&before);
        groups[self.table.likeliest(&rest)].join(&rest);
        let largest = groups.iter().reduce(|best, group| if group.grams > best.grams { group } else { best });
        largest.is_some_and(|largest| self.are_two(total, largest))
    }

    /// Whether a part and the rest are both large enough, and clearly in two languages.
    fn are_two(&self, total: &Tally, part: &Tally) -> bool {
        let rest = total.without(part);
        if (part.grams.min(rest.grams) as f32) < MIXED_SHARE * total.grams as f32 {
            return false;
        }
        let (first, second) = (self.table.likeliest(part), self.table.likeliest(&rest));
        let is_clear = |tally, class: usize| self.table.probabilities(tally)[class] >= MIXED_PROBABILITY;
        first != second && is_clear(part, first) && is_clear(&rest, second)
    }
}

/// The hashes of what [`Identifier::identify`] reads of a text, all in one: the least that identifying it can cost.
#[cfg(any(test, feature = "training"))]
pub fn digest(text: &str) -> u64 {
    let mut digest = 0;
    let mut word = Word::new();
    each_stretch(text, |stretch| {
        each_word(stretch, &mut word, |word| {
            word.hashes(|hash| digest ^= hash);
            true
        });
    });
    digest
}

/// Calls `each` with the parts of the text that are looked at, cut at borders of characters, from a word's begin.
fn each_stretch(text: &str, mut each: impl FnMut(&str)) {
    if text.len() <= LOOKED_AT {
        return each(text);
    }
    for stretch in 0..STRETCHES {
        // Without overflow for any text that fits into memory: both factors are small against 2^64.
        let start = (text.len() - LOOKED_AT / STRETCHES) / (STRETCHES - 1) * stretch;
        let part = &text[text.floor_char_boundary(start)..text.floor_char_boundary(start + LOOKED_AT / STRETCHES)];
        let border = if start == 0 { 0 } else { part.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(0) };
        each(&part[border..]);
    }
}
