//! Which of two predictors did better on the same customers.

use thiserror::Error;

use super::ranking::{Level, placements};
use super::{Case, Estimate, Figure, Undefined, loss};

/// How two predictors differ, the one less the other, each figure with its paired interval: what
/// makes a customer hard for both cancels out. An interval that holds 0 says that they may be equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The customers both were judged by.
    pub customers: u64,
    /// The difference of log-loss: below 0 the one is better. Its error is taken as normal, with the
    /// variance of the customers' differences.
    pub log_loss: Estimate,
    /// The difference of Brier's score, likewise.
    pub brier: Estimate,
    /// The difference of the areas under the ROC curves: above 0 the one is better. With the variance of
    /// two correlated areas by DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3):837-845.
    pub auc: Figure<Estimate>,
}

/// Why two predictors cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CompareError {
    /// One has more customers, or something else followed of them.
    #[error("the customers are not the same")]
    NotTheSame,
    /// Fewer than two customers, of whom nothing is known of how they differ.
    #[error("there are fewer than two customers")]
    TooFew,
}

/// Compares two predictors on the same customers, which are in the same order in both.
///
/// # Errors
/// When there are fewer than two customers, or not the same followed of each.
pub fn compare(one: &[Case], other: &[Case]) -> Result<Comparison, CompareError> {
    if one.len() != other.len() || one.iter().zip(other).any(|(one, other)| one.followed != other.followed) {
        return Err(CompareError::NotTheSame);
    }
    if one.len() < 2 {
        return Err(CompareError::TooFew);
    }
    let both = one.iter().zip(other);
    let mut customers: Vec<Pair> = both
        .map(|(one, other)| Pair {
            chances: [one.predicted.any_order, other.predicted.any_order],
            ordered: one.ordered(),
        })
        .collect();
    customers.sort_unstable_by(|one, other| {
        let [first, second] = [0, 1].map(|n| one.chances[n].total_cmp(&other.chances[n]));
        first.then(second).then(one.ordered.cmp(&other.ordered))
    });
    let mean = |cost: fn(f64, bool) -> f64| {
        let difference = |pair: &Pair| cost(pair.chances[0], pair.ordered) - cost(pair.chances[1], pair.ordered);
        let (mean, variance) = mean_and_variance(customers.iter().map(difference));
        Estimate::normal(mean, variance, (f64::NEG_INFINITY, f64::INFINITY))
    };
    Ok(Comparison {
        customers: customers.len() as u64,
        log_loss: mean(loss),
        brier: mean(|chance, ordered| (chance - f64::from(ordered)).powi(2)),
        auc: areas(&customers),
    })
}

struct Pair {
    chances: [f64; 2],
    ordered: bool,
}

/// The difference of the areas: the mean difference of placements, and its variance over those who
/// ordered and over those who did not.
fn areas(customers: &[Pair]) -> Figure<Estimate> {
    let (one, other) = (places(customers, 0)?, places(customers, 1)?);
    let differences = |ordered: bool| {
        let places = one.iter().zip(&other).zip(customers).filter(move |(_, pair)| pair.ordered == ordered);
        places.map(|((one, other), _)| one - other)
    };
    if differences(true).count() < 2 || differences(false).count() < 2 {
        return Err(Undefined::TooFew);
    }
    let (value, of_ordered) = mean_and_variance(differences(true));
    let (_, of_others) = mean_and_variance(differences(false));
    Ok(Estimate::normal(value, of_ordered + of_others, (-1.0, 1.0)))
}

/// Each customer's placement by one of the two chances.
fn places(customers: &[Pair], which: usize) -> Figure<Vec<f64>> {
    let mut order: Vec<usize> = (0..customers.len()).collect();
    let chance = |n: &usize| customers[*n].chances[which];
    order.sort_by(|one, other| chance(one).total_cmp(&chance(other)));
    let alike: Vec<&[usize]> = order.chunk_by(|one, other| chance(one) == chance(other)).collect();
    let level = |alike: &&[usize]| Level {
        chance: chance(&alike[0]),
        customers: alike.len() as u64,
        ordered: alike.iter().filter(|n| customers[**n].ordered).count() as u64,
    };
    let (placements, ..) = placements(&alike.iter().map(level).collect::<Vec<_>>())?;
    let mut places = vec![0.0; customers.len()];
    for (alike, place) in alike.iter().zip(placements) {
        alike.iter().for_each(|n| places[*n] = if customers[*n].ordered { place.of_ordered } else { place.of_others });
    }
    Ok(places)
}

/// The mean, and the variance of it.
fn mean_and_variance(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let spread = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, spread / (count - 1.0) / count)
}
