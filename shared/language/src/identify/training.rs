//! Training: AdaGrad on a softmax (Duchi, Hazan, Singer, Adaptive subgradient methods, 2011), one example at a time, in
//! an order that the seed gives. Same rows and settings, same bits.

use std::{error, fmt};

use super::letters::bare;
use super::table::{CODES, KNOTS, LANES, Table, Weights, softmax};
use super::words::{Word, each_word};
use super::{Identifier, calibrate};

/// A text and the language that it is in.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The code of ISO 639-1. Bosnian counts as Croatian.
    pub code: &'a str,
    /// The text.
    pub text: &'a str,
}

impl<'a> Row<'a> {
    /// The code of its class.
    pub(super) fn class(&self) -> &'a str {
        if self.code == "bs" { "hr" } else { self.code }
    }
}

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The table has 2^bits rows.
    pub bits: u32,
    /// How often every text is seen.
    pub epochs: u32,
    /// The step of AdaGrad.
    pub rate: f32,
    /// How many windows of 1 to 4 words are seen beside each text, each time others.
    pub windows: u32,
    /// The part of the windows that is seen without the marks of its letters.
    pub bare: f32,
    /// The power of how rare a language is by which its texts weigh more: 0 for not at all, 1 for as much as it is rare.
    pub power: f32,
    /// The part of the texts in other languages that may be accepted as one of the four, on validation data.
    pub false_acceptance: f32,
    /// Of the order, and of the choice of windows.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bits: 15, epochs: 4, rate: 0.2, windows: 2, bare: 0.1, power: 0.25, false_acceptance: 0.003, seed: 1 }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Examples seen.
    pub seen: u64,
    /// Examples to be seen in all.
    pub all: u64,
    /// The mean loss of the examples since the last report, in nats.
    pub loss: f32,
}

/// Why there is nothing to train.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrainingError {
    /// A language has no code that is known.
    Code(String),
    /// There are fewer than two languages, or more than there is room for.
    Languages(usize),
    /// A setting is out of its range.
    Settings,
}

impl fmt::Display for TrainingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "language `{code}` is not known"),
            Self::Languages(count) => write!(formatter, "{count} languages; 2 to {LANES} can be told apart"),
            Self::Settings => formatter.write_str("a setting is out of its range"),
        }
    }
}

impl error::Error for TrainingError {}

/// Numbers that look random: SplitMix64 (Steele, Lea, Flood, 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    fn chance(&mut self, probability: f32) -> bool {
        (self.next() >> 40) as f32 / ((1_u32 << 24) as f32) < probability
    }
}

/// The hashes of a text's words.
#[derive(Default)]
pub(super) struct Hashed {
    pub(super) hashes: Vec<u64>,
    /// Where each word ends in `hashes`.
    pub(super) ends: Vec<usize>,
}

impl Hashed {
    pub(super) fn fill(&mut self, text: &str) {
        self.hashes.clear();
        self.ends.clear();
        each_word(text, &mut Word::new(), |word| {
            word.hashes(|hash| self.hashes.push(hash));
            self.ends.push(self.hashes.len());
            true
        });
    }

    /// The hashes of `count` words from `first` on.
    pub(super) fn window(&self, first: usize, count: usize) -> &[u64] {
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.hashes[start..self.ends[first + count - 1]]
    }

    /// A window of 1 to `most` words, anywhere.
    fn any_window(&self, most: usize, dice: &mut Dice) -> &[u64] {
        let count = 1 + dice.below(most.min(self.ends.len()));
        self.window(dice.below(self.ends.len() - count + 1), count)
    }
}

/// A text as it is learned from: names that the source has put in brackets are no words of the language.
pub(super) fn unmasked(text: &str) -> String {
    let mut parts = text.split('[');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((mask, rest)) if !mask.is_empty() && mask.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                kept.push_str(rest);
            }
            _ => {
                kept.push('[');
                kept.push_str(part);
            }
        }
    }
    kept
}

struct Learner {
    weights: Vec<[f32; LANES]>,
    squares: Vec<[f32; LANES]>,
    bias: [f32; LANES],
    bias_squares: [f32; LANES],
    classes: usize,
    rate: f32,
}

impl Learner {
    fn new(classes: usize, settings: &Settings) -> Self {
        let rows = 1 << settings.bits;
        Self {
            weights: vec![[0.0; LANES]; rows],
            squares: vec![[1e-6; LANES]; rows],
            bias: [0.0; LANES],
            bias_squares: [1e-6; LANES],
            classes,
            rate: settings.rate,
        }
    }

    fn row(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.weights.len() - 1)
    }

    /// Learns from one example; answers its loss.
    fn learn(&mut self, hashes: &[u64], class: usize, weight: f32) -> f32 {
        let value = 1.0 / (hashes.len().max(1) as f32).sqrt();
        let mut logits = [0.0; LANES];
        for hash in hashes {
            let row = &self.weights[self.row(*hash)];
            logits.iter_mut().zip(row).for_each(|(logit, weight)| *logit += weight);
        }
        logits.iter_mut().zip(self.bias).for_each(|(logit, bias)| *logit = *logit * value + bias);
        let mut gradient = softmax(logits, self.classes, 1.0);
        let loss = -libm::logf(gradient[class].max(1e-9));
        gradient[class] -= 1.0;
        gradient.iter_mut().for_each(|slope| *slope *= weight);
        step(&mut self.bias, &mut self.bias_squares, &gradient, self.rate);
        gradient.iter_mut().for_each(|slope| *slope *= value);
        for hash in hashes {
            let row = self.row(*hash);
            step(&mut self.weights[row], &mut self.squares[row], &gradient, self.rate);
        }
        loss
    }

    /// The weights as small integers: the largest becomes 127.
    fn table(&self, codes: Vec<&'static str>) -> Table {
        let most = self.weights.iter().flatten().fold(1e-3_f32, |most, weight| most.max(weight.abs()));
        let scale = most / 127.0;
        let small = |weight: &f32| (weight / scale).round() as i8;
        let rows = self.weights.iter().map(|row| Weights::new(&row.each_ref().map(small))).collect();
        Table { codes, rows, scale, bias: self.bias, temperatures: [1.0; KNOTS.len()], threshold: 0.0 }
    }
}

#[inline]
fn step(weights: &mut [f32; LANES], squares: &mut [f32; LANES], gradient: &[f32; LANES], rate: f32) {
    for lane in 0..LANES {
        squares[lane] += gradient[lane] * gradient[lane];
        weights[lane] -= rate * gradient[lane] / squares[lane].sqrt();
    }
}

/// Learns to tell the languages of `rows` apart; `validation` sets how sure it is, and when it is sure enough.
/// `progress` is called some hundred times.
pub fn train(
    rows: &[Row<'_>],
    validation: &[Row<'_>],
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Identifier, TrainingError> {
    let positive = |number: f32| number > 0.0 && number.is_finite();
    if !(8..=20).contains(&settings.bits) || !positive(settings.rate) || settings.epochs == 0 {
        return Err(TrainingError::Settings);
    }
    let (codes, counts) = classes(rows)?;
    let mean = rows.len() as f32 / codes.len() as f32;
    let mut learner = Learner::new(codes.len(), settings);
    let mut dice = Dice(settings.seed);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut hashed = Hashed::default();
    let mut marked = Hashed::default();
    let per_row = 1 + u64::from(settings.windows);
    let all = rows.len() as u64 * per_row * u64::from(settings.epochs);
    let (mut seen, mut losses, mut reported) = (0, 0.0, 0);
    for _ in 0..settings.epochs {
        for end in (1..order.len()).rev() {
            order.swap(end, dice.below(end + 1));
        }
        for at in &order {
            let row = &rows[*at];
            let Some(class) = codes.iter().position(|code| *code == row.class()) else { continue };
            // Rare languages weigh more, but less than as much as they are rare.
            let weight = libm::powf(mean / counts[class] as f32, settings.power);
            let text = unmasked(row.text);
            hashed.fill(&text);
            if hashed.ends.is_empty() {
                continue;
            }
            losses += learner.learn(&hashed.hashes, class, weight);
            for _ in 0..settings.windows {
                let from = if dice.chance(settings.bare) {
                    marked.fill(&text.chars().flat_map(char::to_lowercase).map(bare).collect::<String>());
                    &marked
                } else {
                    &hashed
                };
                losses += learner.learn(from.any_window(4, &mut dice), class, weight);
            }
            seen += per_row;
            if (seen - reported) * 200 > all {
                progress(Progress { seen, all, loss: losses / (seen - reported) as f32 });
                (losses, reported) = (0.0, seen);
            }
        }
    }
    let mut identifier = Identifier { table: learner.table(codes) };
    calibrate::calibrate(&mut identifier, validation, settings);
    Ok(identifier)
}

/// The languages in the order of their codes, and how many rows each has.
fn classes(rows: &[Row<'_>]) -> Result<(Vec<&'static str>, Vec<usize>), TrainingError> {
    let mut counts = [0; CODES.len()];
    for row in rows {
        match CODES.iter().position(|code| *code == row.class()) {
            Some(at) => counts[at] += 1,
            None => return Err(TrainingError::Code(row.code.to_owned())),
        }
    }
    let (codes, counts): (Vec<_>, Vec<_>) = CODES.into_iter().zip(counts).filter(|(_, count)| *count > 0).unzip();
    match codes.len() {
        2..=LANES => Ok((codes, counts)),
        count => Err(TrainingError::Languages(count)),
    }
}
