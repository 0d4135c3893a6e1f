//! What would be expected of a customer if the rest of the relationship were another.

use super::history::{Features, Past};
use super::layer::Correction;
use super::predictor::{Estimate, Predictor};

/// The deviations that hold 95 % of a normal distribution.
const DEVIATE: f64 = 1.959963984540054;

/// A change in what is expected within a horizon, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// In order days.
    pub orders: Estimate,
    /// In spend; none where the expected spend does not follow the correction.
    pub spend: Option<Estimate>,
}

impl Predictor {
    /// The change from one past to another of the same orders, of which more or less is known beyond
    /// them. None where no correction of the expected orders has won: the orders alone cannot tell.
    ///
    /// With d the change of the standardised features and C the covariance of the weights, the
    /// logarithm of the expected orders changes with a variance of d' C d (the delta method): what
    /// both predictions share is as uncertain in either, and drops out. It is what such customers
    /// do, not proof that the one follows from the other.
    pub fn gain(&self, before: &Past<'_>, after: &Past<'_>, horizon_weeks: f64) -> Option<Gain> {
        let correction = self.parts().orders.as_ref()?;
        let (was, is) = (self.predict(before, horizon_weeks), self.predict(after, horizon_weeks));
        let moved = (is.orders.value / was.orders.value).ln();
        let spread = DEVIATE * variance_between(correction, &before.features(), &after.features()).sqrt();
        let of = |amount: f64, ratio: f64| amount * (ratio.exp() - 1.0);
        let orders = |shift: f64| of(was.orders.value, moved + shift);
        let per_order = if is.orders.value > 0.0 { is.spend.value / is.orders.value } else { 0.0 };
        let estimate = |scale: f64| Estimate {
            value: scale * orders(0.0),
            low: scale * orders(-spread),
            high: scale * orders(spread),
        };
        let spend = self.parts().spend_follows_orders.then(|| estimate(per_order));
        Some(Gain { orders: estimate(1.0), spend })
    }
}

fn variance_between(correction: &Correction, before: &Features, after: &Features) -> f64 {
    let moved: Vec<f64> = correction
        .terms
        .iter()
        .map(|term| {
            let at = |features: &Features| {
                let value = term.feature.and_then(|feature| features.get(feature));
                value.map_or(0.0, |value| (value.clamp(term.least, term.greatest) - term.mean) / term.deviation)
            };
            at(after) - at(before)
        })
        .collect();
    // The last row and column are the level's, which does not move.
    let rows = correction.covariance.chunks_exact(moved.len() + 1).zip(&moved);
    let sum: f64 = rows.map(|(row, d)| d * row.iter().zip(&moved).map(|(c, other)| c * other).sum::<f64>()).sum();
    sum.max(0.0)
}
