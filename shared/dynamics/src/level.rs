//! From terms to a score, its interval and its movement.

use crate::decay::HalfLives;
use crate::model::Prior;
use crate::terms::Term;

/// Days in a quarter of a year, over which velocity is stated.
const QUARTER_DAYS: f64 = 91.3125;

/// The 97.5th percentile of the standard normal distribution: both tails leave 95 %.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// A facet, or an aspect of one, weighed against its prior.
///
/// The prior is an imagined body of evidence of mean m₀ and weight k, so the mean is that of a
/// conjugate Bayesian estimate: s = (k·m₀ + Σ w·v) / (k + Σ w).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    prior: Prior,
    total: Term,
    mean: f64,
}

impl Level {
    pub(crate) fn new<'a>(prior: Prior, terms: impl Iterator<Item = &'a Term>) -> Level {
        let mut total = Term::default();
        for term in terms {
            total.add(*term);
        }
        let mean = weighted_mean(prior, prior.strength, total.weight, total.value);
        Level { prior, total, mean }
    }

    /// The score in points, 0 to 100.
    pub(crate) fn score(&self) -> f64 {
        points(self.mean)
    }

    /// True when no evidence is left, and the score is the prior's.
    pub(crate) fn is_prior(&self) -> bool {
        self.total.weight == 0.0
    }

    /// The share of the evidence in the score, 0 to 1: Σ w / (k + Σ w).
    pub(crate) fn confidence(&self) -> f64 {
        self.total.weight / (self.prior.strength + self.total.weight)
    }

    /// The standard deviation of the score, in points. The values' variance about the mean, the
    /// prior's own included, over their number: disagreeing evidence widens it, more evidence
    /// narrows it.
    pub(crate) fn deviation(&self, prior_variance: f64) -> f64 {
        let Prior { mean, strength } = self.prior;
        let weight = strength + self.total.weight;
        let squares = strength * (mean * mean + prior_variance) + self.total.square;
        let variance = (squares / weight - self.mean * self.mean).max(0.0);
        50.0 * (variance / (weight + 1.0)).sqrt()
    }

    /// The movement in points per quarter.
    ///
    /// Under exponential weights of half-life h, the mean of a value that rises by b a day lags
    /// by b·h/ln 2: the mean age of the weights is h/ln 2. So the fast mean leads the slow one by
    /// b·(h_slow − h_fast)/ln 2, and b = (fast − slow)·ln 2/(h_slow − h_fast).
    ///
    /// A steady stream of evidence weighs h_fast/h_slow as much at the fast half-life as at the
    /// slow one. The prior's strength is taken down by as much, or every steady relationship
    /// would seem to be drifting towards its prior.
    pub(crate) fn velocity(&self, half_lives: HalfLives) -> f64 {
        if self.is_prior() {
            return 0.0;
        }
        let strength = self.prior.strength * half_lives.ratio();
        let total = &self.total;
        let fast = weighted_mean(self.prior, strength, total.fast_weight, total.fast_value);
        let days = f64::from(half_lives.slow_days() - half_lives.fast_days());
        50.0 * (fast - self.mean) * std::f64::consts::LN_2 / days * QUARTER_DAYS
    }

    /// The weight of everything together, the prior included: what every pull is divided by.
    pub(crate) fn weight(&self) -> f64 {
        self.prior.strength + self.total.weight
    }

    /// What a term adds to the score times [`Level::weight`]: its own pull, whatever else there is.
    pub(crate) fn pull_of(&self, term: &Term) -> f64 {
        50.0 * (term.value - self.prior.mean * term.weight)
    }

    /// The points a term moves the score away from the prior: 50·(Σ w·v − m₀·Σ w)/(k + W).
    /// Added to [`Level::base`] over all terms they give the score.
    pub(crate) fn points_of(&self, term: &Term) -> f64 {
        let weight = self.prior.strength + self.total.weight;
        50.0 * (term.value - self.prior.mean * term.weight) / weight
    }

    /// The score without any evidence, in points.
    pub(crate) fn base(&self) -> f64 {
        points(self.prior.mean)
    }
}

/// The 95 % interval about a score, cut to 0 to 100.
pub(crate) fn interval(score: f64, deviation: f64) -> (f64, f64) {
    let half = NORMAL_95 * deviation;
    ((score - half).max(0.0), (score + half).min(100.0))
}

/// From [-1, 1] to points. Rounding may step over the ends by a hair; scores never do.
fn points(mean: f64) -> f64 {
    (50.0 * (1.0 + mean)).clamp(0.0, 100.0)
}

fn weighted_mean(prior: Prior, strength: f64, weight: f64, value: f64) -> f64 {
    (strength * prior.mean + value) / (strength + weight)
}
