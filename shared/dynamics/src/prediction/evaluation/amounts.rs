//! How far off amounts were: numbers of orders, or spend.

use super::{Figure, Undefined, tenth};

/// How well amounts were foretold. Errors are in the unit of the amount, on the mean of customers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amounts {
    /// The sum of what was predicted.
    pub expected_total: f64,
    /// The sum of what followed.
    pub actual_total: f64,
    /// The mean absolute error. Where most customers do nothing, "nothing" has a low one: never
    /// look at it alone.
    pub mae: f64,
    /// The root of the mean squared error.
    pub rmse: f64,
    /// The total predicted over the actual one, less 1.
    pub bias: Figure<f64>,
    /// Pearson's correlation between both.
    pub correlation: Figure<f64>,
    /// What followed of the tenth of customers with the highest predictions, over what followed of
    /// the tenth with the most; the tenth is rounded up.
    pub captured: Figure<f64>,
}

impl Amounts {
    /// Of pairs of predicted and actual, in an order of their own.
    pub(super) fn of(mut pairs: Vec<(f64, f64)>) -> Amounts {
        let customers = pairs.len() as f64;
        let sum = |part: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(one, other)| part(*one, *other)).sum::<f64>();
        let expected_total = sum(&|predicted, _| predicted);
        let actual_total = sum(&|_, actual| actual);
        let mae = sum(&|predicted, actual| (predicted - actual).abs()) / customers;
        let rmse = (sum(&|predicted, actual| (predicted - actual).powi(2)) / customers).sqrt();
        let bias =
            if actual_total > 0.0 { Ok(expected_total / actual_total - 1.0) } else { Err(Undefined::NothingFollowed) };
        let correlation = correlation(&pairs);
        Amounts { expected_total, actual_total, mae, rmse, bias, correlation, captured: captured(&mut pairs) }
    }
}

fn correlation(pairs: &[(f64, f64)]) -> Figure<f64> {
    let alike = |part: fn(&(f64, f64)) -> f64| pairs.iter().all(|pair| part(pair) == part(&pairs[0]));
    if alike(|pair| pair.0) || alike(|pair| pair.1) {
        return Err(Undefined::AllAlike);
    }
    let customers = pairs.len() as f64;
    // Amounts may be as large as their squares, not their fourth powers, can be summed.
    let scale = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).fold(f64::MIN_POSITIVE, f64::max);
    let (one, other) = (scale(|pair| pair.0), scale(|pair| pair.1));
    let mean = |part: fn(&(f64, f64)) -> f64, scale: f64| pairs.iter().map(|pair| part(pair) / scale).sum::<f64>();
    let (mean_one, mean_other) = (mean(|pair| pair.0, one) / customers, mean(|pair| pair.1, other) / customers);
    let (mut product, mut square_one, mut square_other) = (0.0, 0.0, 0.0);
    for (predicted, actual) in pairs {
        let (x, y) = (predicted / one - mean_one, actual / other - mean_other);
        (product, square_one, square_other) = (product + x * y, square_one + x * x, square_other + y * y);
    }
    let correlation = product / (square_one.sqrt() * square_other.sqrt());
    // Amounts that differ by less than rounding can still have no spread.
    if correlation.is_finite() { Ok(correlation.clamp(-1.0, 1.0)) } else { Err(Undefined::AllAlike) }
}

fn captured(pairs: &mut [(f64, f64)]) -> Figure<f64> {
    let top = tenth(pairs.len() as u64) as usize;
    pairs.sort_unstable_by(|one, other| one.1.total_cmp(&other.1).then(one.0.total_cmp(&other.0)));
    let most: f64 = pairs.iter().rev().take(top).map(|pair| pair.1).sum();
    if most <= 0.0 {
        return Err(Undefined::NothingFollowed);
    }
    pairs.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let (mut room, mut among) = (top, 0.0);
    for alike in pairs.chunk_by(|one, other| one.0 == other.0).rev() {
        let taken = room.min(alike.len());
        among += alike.iter().map(|pair| pair.1).sum::<f64>() * (taken as f64 / alike.len() as f64);
        room -= taken;
        if room == 0 {
            break;
        }
    }
    Ok((among / most).min(1.0))
}
