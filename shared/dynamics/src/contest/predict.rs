//! Chances of one account, with their intervals.

use std::sync::LazyLock;

use super::linear::cholesky;
use super::logistic::{logistic, slope};
use super::position::Position;
use super::posterior::{Coefficients, Posterior};
use super::standing::{ASKING, STAYING, Standing};

/// How many draws stand for the posterior.
const DRAWS: usize = 512;
/// Draws below the lower end of a 95 % interval, and above the upper one: 2.5 %.
const TAIL: usize = DRAWS / 40;
/// One of both questions' coefficients each, and one of how far scores are off.
const AXES: usize = ASKING + STAYING + 1;

/// A chance and its 95 % interval. The interval is of the chance itself: what is not known of the
/// coefficients, and of the account's scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The chance, 0 to 1.
    pub chance: f64,
    /// The lower end, at most the chance.
    pub low: f64,
    /// The upper end, at least the chance.
    pub high: f64,
}

/// What happens if a rival makes an offer that the provider learns of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contest {
    /// The customer gives the provider the chance to counter it.
    pub counter: Chance,
    /// The customer stays if no counter-offer is made.
    pub stay_alone: Chance,
    /// The customer stays if one is made.
    pub stay_countered: Chance,
    /// The customer stays if one is made whenever the customer gives the chance.
    pub stay: Chance,
}

impl Contest {
    /// The account's competitive position; none when the intervals are too wide to tell, which is
    /// when their ends lie two positions or more apart.
    pub fn position(&self) -> Option<Position> {
        let [low, likely, high] = self.range();
        (high.index() - low.index() < 2).then_some(likely)
    }

    /// The positions at the lower ends of the intervals, at the chances, and at the upper ends: in
    /// ascending order. None of them becomes worse when any of the account's scores rises.
    pub fn range(&self) -> [Position; 3] {
        let of = |part: fn(&Chance) -> f64| Position::of(part(&self.stay_alone), part(&self.counter), part(&self.stay));
        [of(|chance| chance.low), of(|chance| chance.chance), of(|chance| chance.high)]
    }
}

/// A posterior made ready for many accounts.
///
/// It is 512 fixed draws from the posterior's Gaussian, a Latin hypercube (McKay, Beckman & Conover
/// 1979, *Technometrics* 21(2)): a chance is the mean over the draws, the ends of its interval leave
/// out 2.5 % to either side. Each draw has slopes of the right sign, so that every chance and every
/// end rises with each score. For the ends, each draw also takes the scores to be off by as many of
/// their standard deviations, the same for all of them, as if they had one cause: wide rather than
/// narrow.
#[derive(Clone, Debug)]
pub struct Predictor {
    draws: Vec<Draw>,
}

#[derive(Clone, Copy, Debug)]
struct Draw {
    asking: [f64; ASKING],
    staying: [f64; STAYING],
    shift: f64,
}

impl Posterior {
    /// Makes it ready to predict. Some 0.2 ms; each account then takes some 50 µs.
    pub fn predictor(&self) -> Predictor {
        let asking = slopes::<ASKING>(&self.asking, 0);
        let staying = slopes::<STAYING>(&self.staying, ASKING);
        let draws =
            (0..DRAWS).map(|k| Draw { asking: asking[k], staying: staying[k], shift: NORMALS[k][ASKING + STAYING] });
        Predictor { draws: draws.collect() }
    }
}

impl Predictor {
    /// The chances of an account that stands like this. All are finite, whatever the standing.
    pub fn contest(&self, standing: &Standing) -> Contest {
        let plain = Answers::of(standing, 0.0);
        let mut means = [0.0; 4];
        let mut spread: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(DRAWS));
        for draw in &self.draws {
            for (mean, chance) in means.iter_mut().zip(plain.chances(draw)) {
                *mean += chance / DRAWS as f64;
            }
            for (spread, chance) in spread.iter_mut().zip(Answers::of(standing, draw.shift).chances(draw)) {
                spread.push(chance);
            }
        }
        let [counter, stay_alone, stay_countered, stay] =
            std::array::from_fn(|which| interval(means[which], &mut spread[which]));
        Contest { counter, stay_alone, stay_countered, stay }
    }

    /// The chance alone that an account gives the provider the chance to counter.
    pub(super) fn asking(&self, features: &[f64; ASKING]) -> f64 {
        self.draws.iter().map(|draw| logistic(dot(&draw.asking, features))).sum::<f64>() / DRAWS as f64
    }

    /// The chance alone that it stays.
    pub(super) fn staying(&self, features: &[f64; STAYING]) -> f64 {
        self.draws.iter().map(|draw| logistic(dot(&draw.staying, features))).sum::<f64>() / DRAWS as f64
    }
}

/// The features of both questions.
struct Answers {
    asking: [f64; ASKING],
    staying: [f64; STAYING],
}

impl Answers {
    fn of(standing: &Standing, shift: f64) -> Answers {
        Answers { asking: standing.asking(shift), staying: standing.staying(shift, false) }
    }

    /// In the order of [`Contest`]'s fields.
    fn chances(&self, draw: &Draw) -> [f64; 4] {
        let counter = logistic(dot(&draw.asking, &self.asking));
        let odds = dot(&draw.staying, &self.staying);
        let alone = logistic(odds);
        // Being countered is the last feature, and its slope is above 0.
        let countered = logistic(odds + draw.staying[STAYING - 1]);
        [counter, alone, countered, alone + counter * (countered - alone)]
    }
}

fn interval(mean: f64, spread: &mut [f64]) -> Chance {
    let chance = mean.clamp(0.0, 1.0);
    let low = *spread.select_nth_unstable_by(TAIL, f64::total_cmp).1;
    let high = *spread.select_nth_unstable_by(DRAWS - 1 - TAIL, f64::total_cmp).1;
    Chance { chance, low: low.min(chance), high: high.max(chance) }
}

fn dot<const N: usize>(one: &[f64; N], other: &[f64; N]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The slopes of each draw, from the standard normals of these axes.
fn slopes<const N: usize>(coefficients: &Coefficients, first: usize) -> Vec<[f64; N]> {
    let mean = coefficients.mean();
    let covariance = coefficients.covariance().to_vec();
    // It is positive definite, as the inverse of such a one; should rounding deny that, what is
    // between the coefficients is left out.
    let lower = cholesky(&covariance).unwrap_or_else(|| {
        (0..N).map(|j| (0..N).map(|k| if j == k { covariance[j][j].abs().sqrt() } else { 0.0 }).collect()).collect()
    });
    let forms: Vec<_> = coefficients.each().map(|coefficient| coefficient.form).collect();
    NORMALS
        .iter()
        .map(|normals| {
            std::array::from_fn(|j| {
                let off: f64 = (0..=j).map(|k| lower[j][k] * normals[first + k]).sum();
                slope(forms[j], mean[j] + off).min(MOST_SLOPE)
            })
        })
        .collect()
}

/// Slopes beyond this are certainty anyway, and sums of larger ones might be no numbers.
const MOST_SLOPE: f64 = 1e6;

/// Standard normal draws: on each axis the middles of as many equal slices of the distribution, in
/// an order of its own.
static NORMALS: LazyLock<Vec<[f64; AXES]>> = LazyLock::new(|| {
    let slices: Vec<f64> = (0..DRAWS).map(|k| normal_quantile((k as f64 + 0.5) / DRAWS as f64)).collect();
    let mut random = SplitMix(0x5eed);
    let mut axes: [Vec<f64>; AXES] = std::array::from_fn(|_| slices.clone());
    for axis in &mut axes {
        for last in (1..DRAWS).rev() {
            axis.swap(last, (random.next() % (last as u64 + 1)) as usize);
        }
    }
    (0..DRAWS).map(|k| std::array::from_fn(|axis| axes[axis][k])).collect()
});

/// Where the standard normal distribution has this share below; bisection to the last bits.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..64 {
        let middle = (low + high) / 2.0;
        let below = libm::erfc(-middle / std::f64::consts::SQRT_2) / 2.0;
        if below < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The generator of Steele, Lea & Flood (2014, *Fast Splittable Pseudorandom Number Generators*).
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_standard_normal_on_each_axis_and_hardly_go_together() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        let mean = |of: &dyn Fn(&[f64; AXES]) -> f64| NORMALS.iter().map(of).sum::<f64>() / DRAWS as f64;
        for axis in 0..AXES {
            assert!(mean(&|normals| normals[axis]).abs() < 1e-12);
            assert!((mean(&|normals| normals[axis].powi(2)) - 1.0).abs() < 0.01);
            for other in 0..axis {
                // Three standard errors of a correlation of independent draws are .13.
                assert!(mean(&|normals| normals[axis] * normals[other]).abs() < 0.15, "{axis} {other}");
            }
        }
    }
}
