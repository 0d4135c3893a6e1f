//! The rows of the n-grams, and how they are written.

use std::{error, fmt};

use super::tally::Tally;

/// Places of a row: one per class, the others stay 0.
pub(super) const LANES: usize = 32;
/// Numbers of words at which the temperature is given; between them it is interpolated in the logarithm.
pub(super) const KNOTS: [u32; 6] = [1, 2, 4, 8, 16, 32];
/// Added to a weight, which makes it a byte without a sign: sums of those can be made many at a time.
const SHIFT: i32 = 128;
/// Every second byte of eight.
const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
/// Probabilities whose logits are so far below the largest do not change a sum of `f32`.
const NEGLIGIBLE: f32 = -17.0;
/// Marks the bytes and the version of the features.
const MAGIC: &[u8; 8] = b"RAPLID\0\x01";
/// Bits of a row's number.
const BITS: std::ops::RangeInclusive<u32> = 8..=20;
/// Every code that a table may name.
pub(super) const CODES: [&str; 40] = [
    "af", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id", "is", "it",
    "lt", "lv", "ms", "mt", "nl", "no", "oc", "pl", "pt", "ro", "sk", "sl", "so", "sq", "sv", "sw", "tl", "tr", "vi",
    "yo", "zu",
];

/// Why bytes are no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierError {
    /// They begin differently, or are of another version.
    Magic,
    /// They are shorter or longer than they say.
    Length,
    /// They name a language that is not known, or none, or one twice.
    Code,
    /// A number is out of its range.
    Number,
}

impl fmt::Display for IdentifierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Magic => "not an identifier of this version",
            Self::Length => "an identifier of the wrong length",
            Self::Code => "an identifier of unknown languages",
            Self::Number => "an identifier with a number out of range",
        })
    }
}

impl error::Error for IdentifierError {}

/// Weights of all classes, each moved up by [`SHIFT`], the first in the lowest byte. Aligned, so that
/// no row is in two lines of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(32))]
pub(super) struct Weights([u64; LANES / 8]);

impl Weights {
    pub(super) fn new(weights: &[i8]) -> Self {
        let mut bytes = [SHIFT as u8; LANES];
        bytes.iter_mut().zip(weights).for_each(|(byte, weight)| *byte = (i32::from(*weight) + SHIFT) as u8);
        let mut words = [0; LANES / 8];
        words.iter_mut().zip(bytes.as_chunks::<8>().0).for_each(|(word, eight)| *word = u64::from_le_bytes(*eight));
        Self(words)
    }

    fn get(&self, class: usize) -> i8 {
        (i32::from(self.0[class / 8].to_le_bytes()[class % 8]) - SHIFT) as i8
    }
}

/// The sum of fewer than 256 rows.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    even: [u64; LANES / 8],
    odd: [u64; LANES / 8],
    rows: i32,
}

impl Sum {
    /// Adds a row, four classes with every addition: a sum of fewer than 256 bytes fits into 16 bits.
    #[inline]
    pub(super) fn add(&mut self, row: &Weights) {
        for (at, word) in row.0.iter().enumerate() {
            self.even[at] += word & EVEN;
            self.odd[at] += (word >> 8) & EVEN;
        }
        self.rows += 1;
    }

    /// Whether so many more rows still fit.
    #[inline]
    pub(super) const fn has_room(&self, rows: usize) -> bool {
        self.rows as usize + rows < 256
    }

    /// Adds it to the sums of the classes, and begins anew.
    #[inline]
    pub(super) fn move_to(&mut self, sums: &mut [i32; LANES]) {
        let shift = SHIFT * self.rows;
        for (eight, (even, odd)) in sums.as_chunks_mut::<8>().0.iter_mut().zip(self.even.into_iter().zip(self.odd)) {
            for pair in 0..4 {
                eight[2 * pair] += i32::from((even >> (16 * pair)) as u16) - shift;
                eight[2 * pair + 1] += i32::from((odd >> (16 * pair)) as u16) - shift;
            }
        }
        *self = Self::default();
    }
}

/// A row per hash, in small integers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// The class of each lane.
    pub(super) codes: Vec<&'static str>,
    pub(super) rows: Vec<Weights>,
    /// What 1 in a row is.
    pub(super) scale: f32,
    pub(super) bias: [f32; LANES],
    /// At [`KNOTS`].
    pub(super) temperatures: [f32; KNOTS.len()],
    pub(super) threshold: f32,
}

impl Table {
    /// The number of the row of a hash.
    #[inline]
    pub(super) fn place(&self, hash: u64) -> u32 {
        // There are 2^n rows, at most 2^20; the upper half of the hash is the better mixed one.
        (hash >> 32) as u32 & (self.rows.len() - 1) as u32
    }

    pub(super) fn logits(&self, tally: &Tally) -> [f32; LANES] {
        let scale = self.scale / (tally.grams.max(1) as f32).sqrt();
        let mut logits = self.bias;
        for (logit, sum) in logits.iter_mut().zip(tally.sums) {
            *logit += scale * sum as f32;
        }
        logits
    }

    /// The likeliest class.
    pub(super) fn likeliest(&self, tally: &Tally) -> usize {
        let logits = self.logits(tally);
        (1..self.codes.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
    }

    /// The probability of each class; they add up to 1.
    pub(super) fn probabilities(&self, tally: &Tally) -> [f32; LANES] {
        softmax(self.logits(tally), self.codes.len(), self.temperature(tally.words))
    }

    /// What logits are divided by.
    pub(super) fn temperature(&self, words: u32) -> f32 {
        let above = KNOTS.iter().position(|knot| words <= *knot).unwrap_or(KNOTS.len() - 1);
        if above == 0 || words >= KNOTS[above] {
            return self.temperatures[above];
        }
        let way = libm::log2f(words as f32 / KNOTS[above - 1] as f32);
        self.temperatures[above - 1] + way * (self.temperatures[above] - self.temperatures[above - 1])
    }

    /// Writes it, little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let classes = self.codes.len();
        let mut bytes = Vec::with_capacity(128 + classes * (6 + self.rows.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[self.rows.len().trailing_zeros() as u8, classes as u8]);
        self.codes.iter().for_each(|code| bytes.extend_from_slice(code.as_bytes()));
        let numbers = [self.scale, self.threshold].into_iter().chain(self.temperatures);
        for number in numbers.chain(self.bias.iter().copied().take(classes)) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for row in &self.rows {
            bytes.extend((0..classes).map(|class| row.get(class).to_le_bytes()[0]));
        }
        bytes
    }

    /// Reads what [`Table::encode`] wrote.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, IdentifierError> {
        let (head, rest) = bytes.split_at_checked(MAGIC.len() + 2).ok_or(IdentifierError::Length)?;
        if &head[..MAGIC.len()] != MAGIC {
            return Err(IdentifierError::Magic);
        }
        let (bits, classes) = (u32::from(head[MAGIC.len()]), usize::from(head[MAGIC.len() + 1]));
        if !BITS.contains(&bits) || !(2..=LANES).contains(&classes) {
            return Err(IdentifierError::Number);
        }
        let (names, rest) = rest.split_at_checked(2 * classes).ok_or(IdentifierError::Length)?;
        let codes: Vec<_> = names
            .chunks_exact(2)
            .map(|name| CODES.into_iter().find(|code| code.as_bytes() == name).ok_or(IdentifierError::Code))
            .collect::<Result<_, _>>()?;
        if codes.iter().enumerate().any(|(at, code)| codes[..at].contains(code)) {
            return Err(IdentifierError::Code);
        }
        let (numbers, rows) = rest.split_at_checked(4 * (2 + KNOTS.len() + classes)).ok_or(IdentifierError::Length)?;
        let mut numbers = numbers.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number));
        let mut next = || numbers.next().filter(|number| number.is_finite()).ok_or(IdentifierError::Number);
        let (scale, threshold) = (next()?, next()?);
        let mut temperatures = [1.0; KNOTS.len()];
        for temperature in &mut temperatures {
            *temperature = next()?;
        }
        let mut bias = [0.0; LANES];
        for bias in &mut bias[..classes] {
            *bias = next()?;
        }
        let within = |number: f32| number > 1e-6 && number < 1e6;
        let all_within =
            within(scale) && temperatures.into_iter().all(within) && bias.iter().all(|bias| bias.abs() < 1e6);
        if !all_within || !(0.0..=1.0).contains(&threshold) {
            return Err(IdentifierError::Number);
        }
        if rows.len() != classes << bits {
            return Err(IdentifierError::Length);
        }
        let rows = rows
            .chunks_exact(classes)
            .map(|weights| {
                let mut row = [0; LANES];
                row.iter_mut().zip(weights).for_each(|(place, weight)| *place = i8::from_le_bytes([*weight]));
                Weights::new(&row)
            })
            .collect();
        Ok(Self { codes, rows, scale, bias, temperatures, threshold })
    }
}

/// The softmax of the first `classes` logits at a temperature.
pub(super) fn softmax(mut logits: [f32; LANES], classes: usize, temperature: f32) -> [f32; LANES] {
    let most = logits[..classes].iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for logit in &mut logits[..classes] {
        let below = (*logit - most) / temperature;
        *logit = if below > NEGLIGIBLE { libm::expf(below) } else { 0.0 };
        sum += *logit;
    }
    logits[..classes].iter_mut().for_each(|value| *value /= sum);
    logits[classes..].fill(0.0);
    logits
}
