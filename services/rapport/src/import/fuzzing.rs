//! What reads foreign files, for the fuzz targets of `tests/fuzz` and for nobody else: it changes as the reader does.

use super::{
    Format, Kind, Mapping,
    decimal::Decimal,
    reader::{self, Batch, Said},
    value::{self, TimeFormat},
};

/// A line, the name of its resource as far as it is known, and the encoded row or what is wrong with it.
pub type Told<T> = (u64, String, T);

/// What was said of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Lines read, without the header.
    pub lines: u64,
    /// Lines left out.
    pub skipped: u64,
    /// The rows, encoded.
    pub rows: Vec<Told<Vec<u8>>>,
    /// The rows that were refused, with what is wrong.
    pub refused: Vec<Told<String>>,
    /// Why nothing was read.
    pub unusable: Vec<String>,
    /// Where reading could not go on, and why.
    pub broken: Option<(u64, String)>,
    /// How many rows the largest batch has.
    pub largest_batch: usize,
}

/// Reads a whole file in batches of so many rows.
pub fn read(kind: Kind, format: Format, mapping: Option<Mapping>, batch: usize, bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    for said in reader::read_all(kind, format, mapping, batch, bytes.to_vec()) {
        match said {
            Said::Header(_) => {}
            Said::Batch(batch) => reading.add(batch),
            Said::Unusable(problems) => reading.unusable.extend(problems),
            Said::Closed(problem) => reading.unusable.push(problem),
            Said::Broken(line, problem) => reading.broken = Some((line, problem)),
        }
    }
    reading
}

impl Reading {
    fn add(&mut self, batch: Batch) {
        self.lines += batch.lines;
        self.skipped += batch.skipped;
        self.largest_batch = self.largest_batch.max(batch.rows.len());
        let rows = batch.origins.into_iter().zip(batch.rows);
        self.rows.extend(rows.map(|(origin, row)| (origin.line, origin.name, row)));
        let refused = batch.refused.into_iter();
        self.refused.extend(refused.map(|(origin, problem)| (origin.line, origin.name, problem)));
    }
}

/// The full name of the message that a row of this kind is.
pub fn row_type(kind: Kind) -> String {
    kind.row().full_name().to_owned()
}

/// Units and billionths, or why money cannot hold the number.
pub type Money = Result<(i64, i32), String>;

/// Reads a decimal number: how it is written anew, and as money.
///
/// # Errors
/// What is wrong with it.
pub fn decimal(text: &str) -> Result<(String, Money), String> {
    let number: Decimal = text.parse()?;
    Ok((number.to_string(), number.units_and_nanos()))
}

/// Reads a time, in nanoseconds since 1970.
///
/// # Errors
/// What is wrong with it.
pub fn time(text: &str) -> Result<i128, String> {
    value::read_time(text).map(|time| time.unix_timestamp_nanos())
}

/// Reads a time as a file writes it, in nanoseconds since 1970.
///
/// # Errors
/// What is wrong with the format or the time.
pub fn time_written(format: &str, text: &str) -> Result<i128, String> {
    TimeFormat::new(format)?.read(text).map(|time| time.unix_timestamp_nanos())
}
