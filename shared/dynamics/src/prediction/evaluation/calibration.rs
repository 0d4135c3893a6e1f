//! Whether of those with a chance of one in three one in three ordered.

use super::Estimate;
use super::ranking::Level;

/// Customers of neighbouring chances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// How many they are.
    pub customers: u64,
    /// Their mean chance.
    pub predicted: f64,
    /// The share of them who ordered, with the interval of Wilson (1927), JASA 22(158):209-212.
    /// Where a bin ends among equal chances, those who ordered are shared out evenly.
    pub actual: Estimate,
}

/// How many bins there are.
const BINS: u64 = 10;

/// Bins of equal count, to within one, in rising order of chance.
pub(super) fn reliability(levels: &[Level], customers: u64) -> Vec<Bin> {
    let mut bins = Vec::with_capacity(BINS as usize);
    let mut rest = levels.iter().copied();
    let (mut level, mut left) = (None, 0);
    for n in 0..BINS {
        // Counts are far below 2^60.
        let size = customers * (n + 1) / BINS - customers * n / BINS;
        let (mut room, mut predicted, mut ordered) = (size, 0.0, 0.0);
        while room > 0 {
            if left == 0 {
                level = rest.next();
            }
            let Some(Level { chance, customers, ordered: of_level }) = level else { break };
            left = if left == 0 { customers } else { left };
            let taken = room.min(left);
            predicted += taken as f64 * chance;
            ordered += of_level as f64 * (taken as f64 / customers as f64);
            (room, left) = (room - taken, left - taken);
        }
        if size > 0 {
            bins.push(Bin {
                customers: size,
                predicted: predicted / size as f64,
                actual: wilson(ordered, size as f64),
            });
        }
    }
    bins
}

/// The distance between both rates, weighed by customers.
pub(super) fn calibration_error(bins: &[Bin], customers: u64) -> f64 {
    let gap = |bin: &Bin| bin.customers as f64 * (bin.predicted - bin.actual.value).abs();
    bins.iter().map(gap).sum::<f64>() / customers as f64
}

/// The share of so many, and the interval of Wilson's score.
fn wilson(ordered: f64, customers: f64) -> Estimate {
    let value = (ordered / customers).clamp(0.0, 1.0);
    let square = Estimate::DEVIATION.powi(2);
    let shrunk = 1.0 + square / customers;
    let middle = (value + square / (2.0 * customers)) / shrunk;
    let spread = value * (1.0 - value) / customers + square / (4.0 * customers * customers);
    let reach = Estimate::DEVIATION * spread.sqrt() / shrunk;
    // Rounding must not leave the share itself outside.
    Estimate { value, lower: (middle - reach).clamp(0.0, value), upper: (middle + reach).clamp(value, 1.0) }
}
