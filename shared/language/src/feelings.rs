//! Feelings of a text whose language is known.

use std::cell::RefCell;

use crate::analysis::{Abstention, Estimate, Language};
use crate::analyzer::Analyzer;
use crate::calibration::{evidence, leading};
use crate::features::Scratch;
use crate::model::{Model, Sums};

/// So many bytes of the writer's own words are read for feelings; what follows is left unread, so that time is bounded.
pub const READ_BYTES: usize = 16 * 1024;

/// Sentiments from this on are positive, and below its opposite negative; in between they are neutral.
pub const CLASS_BORDER: f32 = 1.0 / 3.0;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The class of a sentiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polarity {
    /// Below -1/3.
    Negative,
    /// From -1/3 to 1/3.
    Neutral,
    /// Above 1/3.
    Positive,
}

impl Polarity {
    /// Every class, from the most hostile to the warmest.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// Returns the class of a sentiment's value.
    pub fn of(value: f32) -> Self {
        if value < -CLASS_BORDER {
            Self::Negative
        } else if value > CLASS_BORDER {
            Self::Positive
        } else {
            Self::Neutral
        }
    }
}

/// What a text feels like, also where an analysis would rather not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Feelings {
    /// The sentiment; its value tells its class, see [`Polarity::of`].
    pub sentiment: Estimate,
    /// The emotions in the order of [`Emotion::ALL`](crate::Emotion::ALL). An intensity of one half or more counts as
    /// present.
    pub emotions: [Estimate; 8],
    /// Why the figures had better not be told: [`Empty`](Abstention::Empty), [`TooShort`](Abstention::TooShort) and
    /// [`Unfamiliar`](Abstention::Unfamiliar) concern all, [`Unsure`](Abstention::Unsure) the sentiment alone.
    pub abstention: Option<Abstention>,
    /// How many words, emoji and emoticons of the word lists are in it.
    pub hits: u32,
    /// How unlike the texts it was trained on the text is; 1 is the most that is told.
    pub strangeness: f32,
}

impl Analyzer {
    /// Tells the feelings of a text in this language that is all the writer's own words. Of a longer one the first
    /// [`READ_BYTES`] are read.
    pub fn analyze_in(&self, text: &str, language: Language) -> Feelings {
        self.model.feelings(text, language)
    }

    /// The mean of what the language's word lists say, from -1 to 1, without anything that was learned: what a model
    /// has to beat.
    pub fn lists_alone(&self, text: &str, language: Language) -> f32 {
        self.model.sums_of_beginning(text, language).signals.mean()
    }
}

impl Model {
    fn sums_of_beginning(&self, text: &str, language: Language) -> Sums {
        let text = &text[..text.floor_char_boundary(READ_BYTES)];
        SCRATCH.with_borrow_mut(|scratch| self.sums(text, language, scratch))
    }

    pub(crate) fn feelings(&self, text: &str, language: Language) -> Feelings {
        let sums = self.sums_of_beginning(text, language);
        let calibration = self.calibration(language);
        let [negative, neutral, positive, emotions @ ..] = sums.values;
        let probabilities = calibration.probabilities([negative, neutral, positive]);
        let sure = calibration.sureness(&evidence(probabilities, sums.signals.words, sums.signals.hits));
        let mut estimates = [Estimate { value: 0.0, sure: 0.0 }; 8];
        for (emotion, (estimate, sum)) in estimates.iter_mut().zip(emotions).enumerate() {
            let (sure, value) = calibration.emotion(emotion, sum);
            *estimate = Estimate { value, sure };
        }
        let strangeness = sums.rarity / calibration.most_unfamiliar;
        let abstention = if sums.signals.words == 0 && sums.signals.hits == 0 {
            Some(Abstention::Empty)
        } else if sums.signals.words < 2 && sums.signals.hits == 0 {
            Some(Abstention::TooShort)
        } else if strangeness > 1.0 && sums.signals.hits == 0 {
            Some(Abstention::Unfamiliar)
        } else if sure < calibration.least_sure {
            Some(Abstention::Unsure)
        } else {
            None
        };
        Feelings {
            sentiment: Estimate { value: value(probabilities), sure },
            emotions: estimates,
            abstention,
            hits: sums.signals.hits,
            strangeness,
        }
    }
}

/// One figure for three probabilities: the difference of positive and negative, moved so that it also tells which class
/// leads.
fn value(probabilities: [f32; 3]) -> f32 {
    let [negative, _, positive] = probabilities;
    let difference = positive - negative;
    match leading(probabilities) {
        1 => difference * CLASS_BORDER,
        _ => (CLASS_BORDER + 1e-4 + (1.0 - CLASS_BORDER - 1e-4) * difference.abs()).copysign(difference),
    }
    .clamp(-1.0, 1.0)
}
