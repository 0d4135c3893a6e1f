//! From sums of weights to figures that mean what they say.

use crate::format::ModelError;

/// How many numbers one language's calibration has.
pub(crate) const NUMBERS: usize = 3 + 1 + SURE + 8 * 3 + 2;
/// Coefficients of how sure a sentiment is.
pub(crate) const SURE: usize = 6;

/// The calibration of one language, fitted on validation texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calibration {
    /// Added to the sums of negative, neutral, positive.
    pub(crate) offsets: [f32; 3],
    /// The sums are multiplied by it.
    pub(crate) sharpness: f32,
    /// A logistic regression of being right on [`evidence`].
    pub(crate) sure: [f32; SURE],
    /// Of each emotion: slope and offset of its probability, and the probability from which on it counts as present.
    pub(crate) emotions: [[f32; 3]; 8],
    /// The lowest sureness of a class with which it is told.
    pub(crate) least_sure: f32,
    /// The greatest mean weight of a text's features that is familiar: rarer ones weigh more.
    pub(crate) most_unfamiliar: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            offsets: [0.0; 3],
            sharpness: 1.0,
            sure: [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            emotions: [[1.0, 0.0, 0.5]; 8],
            least_sure: 0.0,
            most_unfamiliar: 127.0,
        }
    }
}

impl Calibration {
    pub(crate) fn numbers(&self) -> Vec<f32> {
        let mut numbers = self.offsets.to_vec();
        numbers.push(self.sharpness);
        numbers.extend(self.sure);
        numbers.extend(self.emotions.as_flattened());
        numbers.extend([self.least_sure, self.most_unfamiliar]);
        numbers
    }

    /// Reads what [`numbers`](Self::numbers) wrote.
    pub(crate) fn of(numbers: &[f32]) -> Result<Self, ModelError> {
        let wrong = ModelError::Content("CALI");
        let numbers: &[f32; NUMBERS] = numbers.try_into().map_err(|_| wrong.clone())?;
        let (offsets, rest) = numbers.split_first_chunk::<3>().ok_or(wrong.clone())?;
        let (&[sharpness], rest) = rest.split_first_chunk::<1>().ok_or(wrong.clone())?;
        let (sure, rest) = rest.split_first_chunk::<SURE>().ok_or(wrong.clone())?;
        let (emotions, rest) = rest.split_first_chunk::<24>().ok_or(wrong.clone())?;
        let &[least_sure, most_unfamiliar] = rest else { return Err(wrong) };
        let (emotions, _) = emotions.as_chunks::<3>();
        let emotions: [[f32; 3]; 8] = emotions.try_into().map_err(|_| wrong.clone())?;
        if emotions.iter().any(|&[_, _, threshold]| !(0.001..=0.999).contains(&threshold)) || sharpness <= 0.0 {
            return Err(wrong);
        }
        Ok(Self { offsets: *offsets, sharpness, sure: *sure, emotions, least_sure, most_unfamiliar })
    }

    /// The probabilities of negative, neutral and positive.
    pub(crate) fn probabilities(&self, sums: [f32; 3]) -> [f32; 3] {
        softmax([0, 1, 2].map(|class| (sums[class] + self.offsets[class]) * self.sharpness))
    }

    /// The probability that the likeliest class is right.
    pub(crate) fn sureness(&self, evidence: &[f32; SURE]) -> f32 {
        sigmoid(self.sure.iter().zip(evidence).map(|(coefficient, value)| coefficient * value).sum())
    }

    /// The probability of an emotion, and its intensity: one half where it begins to count as present.
    pub(crate) fn emotion(&self, emotion: usize, sum: f32) -> (f32, f32) {
        let [slope, offset, threshold] = self.emotions[emotion];
        let logit = slope * sum + offset;
        (sigmoid(logit), sigmoid(logit - (threshold / (1.0 - threshold)).ln()))
    }
}

/// What tells how sure a class is: by how much it leads, and how much there is to read. Which class it is does not
/// count, or what is neutral would always be told last.
pub(crate) fn evidence(probabilities: [f32; 3], words: u32, hits: u32) -> [f32; SURE] {
    let mut sorted = probabilities;
    sorted.sort_by(f32::total_cmp);
    let [_, second, first] = sorted;
    let lead = (first.max(1e-6) / second.max(1e-6)).ln().min(8.0);
    let words = words as f32;
    let is_hit = if hits > 0 { 1.0 } else { 0.0 };
    [1.0, lead, lead.min(1.0), (1.0 + words).ln(), hits as f32 / words.max(1.0), is_hit]
}

/// The class that leads: 0 negative, 1 neutral, 2 positive; of equals the most moderate.
pub(crate) fn leading(probabilities: [f32; 3]) -> usize {
    let [negative, neutral, positive] = probabilities;
    if neutral >= negative && neutral >= positive || negative == positive {
        1
    } else if positive > negative {
        2
    } else {
        0
    }
}

pub(crate) fn softmax(sums: [f32; 3]) -> [f32; 3] {
    let greatest = sums.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let powers = sums.map(|sum| (sum - greatest).exp());
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}

pub(crate) fn sigmoid(sum: f32) -> f32 {
    1.0 / (1.0 + (-sum).exp())
}
