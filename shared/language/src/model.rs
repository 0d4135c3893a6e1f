//! The model: a row of small weights for each hash, weights of the dense signals, word lists and calibration.

use std::borrow::Cow;
use std::ops::Range;

use crate::Language;
use crate::calibration::Calibration;
use crate::features::{COMMON, DENSE, OWN, Reading, Scratch, Signals, own_offset, read};
use crate::format::{ModelError, Sections, floats};
use crate::header::Header;
use crate::lexicon::{LISTS, Lexicon};

/// Sums that a text has: of negative, neutral, positive, and of the eight emotions.
pub(crate) const OUTPUTS: usize = 11;
/// A row: a weight for each sum, each already multiplied by the feature's inverse frequency, and the square of that.
pub(crate) const ROW: usize = OUTPUTS + 1;
/// A row's last byte is the square of the inverse frequency times this; frequencies are from 1 to some 200,000.
pub(crate) const SQUARES: f32 = 0.7;

/// A model, read.
#[derive(Debug)]
pub(crate) struct Model {
    bytes: Cow<'static, [u8]>,
    rows: Range<usize>,
    /// A hash's row is its upper bits.
    shift: u32,
    scales: [f32; OUTPUTS],
    dense: Vec<[f32; OUTPUTS]>,
    readings: [Reading; 4],
    calibrations: [Calibration; 4],
    pub(crate) header: Header,
    pub(crate) checksum: u64,
}

/// What a text comes to, before calibration.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub(crate) values: [f32; OUTPUTS],
    pub(crate) signals: Signals,
    /// The mean square of the inverse frequencies, in bytes of rows.
    pub(crate) rarity: f32,
}

impl Model {
    pub(crate) fn of(bytes: Cow<'static, [u8]>) -> Result<Self, ModelError> {
        let sections = Sections::of(&bytes)?;
        let header = Header::of(sections.get("HEAD")?)?;
        let rows = sections.get("ROWS")?;
        let (chunks, rest) = rows.as_chunks::<ROW>();
        if !rest.is_empty() || !chunks.len().is_power_of_two() || !(1 << 8..=1 << 24).contains(&chunks.len()) {
            return Err(ModelError::Content("ROWS"));
        }
        let shift = 64 - chunks.len().trailing_zeros();
        // A section lies within the bytes: where, tells the distance.
        let start = rows.as_ptr().addr() - bytes.as_ptr().addr();
        let rows = start..start + rows.len();
        let scales = floats(sections.get("SCAL")?, "SCAL")?.try_into().map_err(|_| ModelError::Content("SCAL"))?;
        let dense = floats(sections.get("DENS")?, "DENS")?;
        let (dense, rest) = dense.as_chunks::<OUTPUTS>();
        if !rest.is_empty() || dense.len() != DENSE {
            return Err(ModelError::Content("DENS"));
        }
        let dense = dense.to_vec();
        let numbers = floats(sections.get("CALI")?, "CALI")?;
        if numbers.len() % 4 != 0 || numbers.is_empty() {
            return Err(ModelError::Content("CALI"));
        }
        let calibrations: Vec<_> = numbers.chunks(numbers.len() / 4).map(Calibration::of).collect::<Result<_, _>>()?;
        let calibrations = calibrations.try_into().map_err(|_| ModelError::Content("CALI"))?;
        let [english, hungarian, dutch, portuguese] =
            ["LXen", "LXhu", "LXnl", "LXpt"].map(|tag| sections.get(tag).and_then(|section| lexicon(section, tag)));
        let readings = [
            Reading::new(Language::English, english?),
            Reading::new(Language::Hungarian, hungarian?),
            Reading::new(Language::Dutch, dutch?),
            Reading::new(Language::Portuguese, portuguese?),
        ];
        let checksum = sections.checksum;
        Ok(Self { rows, shift, scales, dense, readings, calibrations, header, checksum, bytes })
    }

    /// Returns a further section, which others read.
    pub(crate) fn section(&self, tag: &'static str) -> Result<&[u8], ModelError> {
        Sections::of(&self.bytes)?.get(tag)
    }

    pub(crate) fn calibration(&self, language: Language) -> &Calibration {
        &self.calibrations[language as usize]
    }

    /// Sums the weights of a text's features.
    pub(crate) fn sums(&self, text: &str, language: Language, scratch: &mut Scratch) -> Sums {
        let mut places = std::mem::take(&mut scratch.places);
        places.clear();
        let shift = self.shift;
        let signals = read(text, &self.readings[language as usize], scratch, |hashes| {
            places.extend(hashes.iter().map(|hash| (hash >> shift) as u32));
        });
        let (rows, _) = self.bytes[self.rows.clone()].as_chunks::<ROW>();
        let totals = totals(rows, &places);
        let features = places.len();
        scratch.places = places;
        let squares = totals[OUTPUTS] as f32;
        let length = (squares / SQUARES).sqrt().max(1.0);
        let mut values = [0.0; OUTPUTS];
        for (output, value) in values.iter_mut().enumerate() {
            *value = totals[output] as f32 * self.scales[output] / length;
        }
        add_dense(&self.dense, &signals, language, &mut values);
        Sums { values, signals, rarity: squares / features.max(1) as f32 }
    }
}

/// Adds what the dense signals weigh.
pub(crate) fn add_dense<const N: usize>(
    dense: &[[f32; N]],
    signals: &Signals,
    language: Language,
    sums: &mut [f32; N],
) {
    let own = &dense[own_offset(language)..][..OWN];
    let weighed = signals.common.iter().zip(&dense[..COMMON]).chain(signals.own.iter().zip(own));
    for (&signal, weights) in weighed.filter(|&(&signal, _)| signal != 0.0) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += signal * weight;
        }
    }
}

/// So many rows fit into sums of 16 bits: 255 * 255 is less than 2^16.
const ROWS_AT_ONCE: usize = 255;
/// Every other byte of eight.
const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
/// Makes bytes of signed numbers those of numbers that are greater by 128.
const RAISED: u64 = 0x8080_8080_8080_8080;

/// Sums rows column by column, four bytes in one step, each with 16 bits to grow into.
fn totals(rows: &[[u8; ROW]], places: &[u32]) -> [i32; ROW] {
    let mut totals = [0_i32; ROW];
    for places in places.chunks(ROWS_AT_ONCE) {
        let [mut even, mut odd, mut last_even, mut last_odd, mut count] = [0_u64; 5];
        for &place in places {
            // There are as many rows as places have values.
            let Some(&[a, b, c, d, e, f, g, h, last @ ..]) = rows.get(place as usize) else { continue };
            let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ RAISED;
            let last = u64::from(u32::from_le_bytes(last)) ^ RAISED;
            even += first & EVEN;
            odd += first >> 8 & EVEN;
            last_even += last & EVEN;
            last_odd += last >> 8 & EVEN;
            count += 1;
        }
        for (at, total) in totals.iter_mut().enumerate() {
            let lanes = match (at < 8, at % 2 == 0) {
                (true, true) => even,
                (true, false) => odd,
                (false, true) => last_even,
                (false, false) => last_odd,
            };
            *total += (lanes >> (at % 8 / 2 * 16) & 0xFFFF) as i32 - 128 * count as i32;
        }
    }
    totals
}

/// Reads a word list: a key and the valences of each word.
fn lexicon(bytes: &[u8], tag: &'static str) -> Result<Lexicon, ModelError> {
    let (entries, rest) = bytes.as_chunks::<{ 4 + LISTS }>();
    if !rest.is_empty() {
        return Err(ModelError::Content(tag));
    }
    Ok(Lexicon::of(entries.iter().map(|&[a, b, c, d, ref valences @ ..]| {
        (u32::from_le_bytes([a, b, c, d]), valences.map(|valence| valence as i8))
    })))
}

/// Writes a word list.
pub(crate) fn lexicon_bytes(lexicon: &Lexicon) -> Vec<u8> {
    let entries = lexicon.entries();
    entries
        .iter()
        .flat_map(|(key, valences)| key.to_le_bytes().into_iter().chain(valences.map(|valence| valence as u8)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_summed_column_by_column() {
        let row = |seed: usize| -> [u8; ROW] { std::array::from_fn(|at| (seed * 89 + at * 41 + seed * at) as u8) };
        let rows: Vec<[u8; ROW]> = (0..256).map(row).chain([[0x80; ROW], [0x7F; ROW]]).collect();
        let places: Vec<u32> = (0..1000).map(|at| at * 7 % 258).chain([256; 600]).chain([257; 300]).collect();
        let mut expected = [0_i32; ROW];
        for &place in &places {
            for (sum, &byte) in expected.iter_mut().zip(&rows[place as usize]) {
                *sum += i32::from(byte as i8);
            }
        }
        assert_eq!(totals(&rows, &places), expected);
        assert_eq!(totals(&rows, &[]), [0; ROW]);
    }
}
