//! Bayesian logistic regression on a few features, by Laplace's approximation.

use super::linear::{Matrix, cholesky, inverse, solve};
use super::prior::{Belief, Form};

/// Steps of Newton's method at most; some ten are taken.
const MOST_STEPS: usize = 200;
/// The search ends when no coefficient moves by this share of its prior deviation; as steps square
/// the distance to the mode, what is left then is rounding.
const STILL: f64 = 1e-7;
/// What rounding may make of the height, as a share of it.
const ROUNDING: f64 = 1e-12;

/// The exact Hessian counts when it has at least this share of the prior's precision in every
/// direction: no deviation is then above 1.5 times the prior's.
const LEAST_OF_PRIOR: f64 = 0.5;

/// One case: features, and the share of the outcome that was yes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row<const N: usize> {
    pub(super) features: [f64; N],
    pub(super) outcome: f64,
}

/// The mode of the posterior and the inverse of the negative logarithm's Hessian there.
pub(super) struct Laplace {
    pub(super) mean: Vec<f64>,
    pub(super) covariance: Matrix,
}

/// The logistic function.
pub(super) fn logistic(odds: f64) -> f64 {
    // Either form overflows to the right limit, and neither cancels.
    if odds >= 0.0 {
        1.0 / (1.0 + (-odds).exp())
    } else {
        let odds = odds.exp();
        odds / (1.0 + odds)
    }
}

/// What a coefficient multiplies its feature with.
pub(super) fn slope(form: Form, coefficient: f64) -> f64 {
    match form {
        Form::Free => coefficient,
        Form::Positive => coefficient.exp(),
    }
}

/// The posterior under these beliefs. Sums run over the rows in an order of their own, so that the
/// order they come in makes no difference, not even to the last bit.
///
/// With c the coefficients, s(c) the slopes they stand for, η = Σ s·x and p = 1 / (1 + e^-η), the
/// logarithm of the posterior is
///
/// ```text
/// Σ [ y·η − ln(1 + e^η) ] − ½ Σ ((c − mean) / deviation)²
/// ```
///
/// and the negative of its Hessian Σ p(1−p)·(s'x)(s'x)ᵀ − diag Σ (y−p)·s''x + diag 1/deviation²,
/// where s' is 1 and s'' is 0 for a free coefficient, and both are s for a positive one. The middle
/// part may bend it the wrong way far from the mode; steps are damped (Levenberg 1944) until each
/// goes up.
pub(super) fn laplace<const N: usize>(beliefs: &[Belief; N], rows: &mut [Row<N>]) -> Laplace {
    rows.sort_unstable_by(|one, other| {
        let features = one.features.iter().zip(&other.features).map(|(one, other)| one.total_cmp(other));
        features.fold(one.outcome.total_cmp(&other.outcome), |order, feature| order.then(feature))
    });
    let mut at: [f64; N] = std::array::from_fn(|j| beliefs[j].mean);
    let mut height = ln_posterior(beliefs, rows, &at);
    let mut damping = 0.0;
    for _ in 0..MOST_STEPS {
        let Curve { gradient, information, bend } = curve(beliefs, rows, &at);
        let damped: Matrix = (0..N)
            .map(|j| {
                let mut row = information[j].to_vec();
                row[j] += damping * (1.0 / beliefs[j].deviation.powi(2)) - bend[j];
                row
            })
            .collect();
        let step = cholesky(&damped).map(|lower| solve(&lower, &gradient));
        let next = step.map(|step| std::array::from_fn(|j| at[j] + step[j]));
        let risen = next.map(|next| (next, ln_posterior(beliefs, rows, &next)));
        // Near the mode the height is flat to within its rounding.
        let least = height - ROUNDING * (1.0 + height.abs());
        match risen.filter(|(_, there)| *there >= least) {
            Some((next, there)) => {
                let moved = (0..N).map(|j| (next[j] - at[j]).abs() / beliefs[j].deviation).fold(0.0, f64::max);
                (at, height) = (next, there);
                if moved < STILL && damping == 0.0 {
                    break;
                }
                damping = if damping > 0.01 { damping / 10.0 } else { 0.0 };
            }
            None => damping = (damping * 10.0).max(0.01),
        }
    }
    let Curve { information, bend, .. } = curve(beliefs, rows, &at);
    let expected: Matrix = information.iter().map(|row| row.to_vec()).collect();
    let mut exact = expected.clone();
    (0..N).for_each(|j| exact[j][j] -= bend[j]);
    // Where the exact one is next to flat the Gaussian says nothing of the posterior; the expected one is
    // never flatter than the prior.
    let mut spare = exact.clone();
    (0..N).for_each(|j| spare[j][j] -= LEAST_OF_PRIOR / beliefs[j].deviation.powi(2));
    let lower = cholesky(&spare).and_then(|_| cholesky(&exact)).or_else(|| cholesky(&expected));
    let covariance = match lower {
        Some(lower) => inverse(&lower),
        None => diagonal(beliefs),
    };
    Laplace { mean: at.to_vec(), covariance }
}

fn diagonal<const N: usize>(beliefs: &[Belief; N]) -> Matrix {
    (0..N).map(|j| (0..N).map(|k| if j == k { beliefs[j].deviation.powi(2) } else { 0.0 }).collect()).collect()
}

fn ln_posterior<const N: usize>(beliefs: &[Belief; N], rows: &[Row<N>], at: &[f64; N]) -> f64 {
    let slopes: [f64; N] = std::array::from_fn(|j| slope(beliefs[j].form, at[j]));
    let mut sum = 0.0;
    for row in rows {
        let odds: f64 = (0..N).map(|j| slopes[j] * row.features[j]).sum();
        sum += row.outcome * odds - odds.max(0.0) - (-odds.abs()).exp().ln_1p();
    }
    let prior: f64 = (0..N).map(|j| ((at[j] - beliefs[j].mean) / beliefs[j].deviation).powi(2)).sum();
    sum - prior / 2.0
}

struct Curve<const N: usize> {
    gradient: [f64; N],
    /// The negative Hessian without its middle part.
    information: [[f64; N]; N],
    /// The middle part.
    bend: [f64; N],
}

fn curve<const N: usize>(beliefs: &[Belief; N], rows: &[Row<N>], at: &[f64; N]) -> Curve<N> {
    let slopes: [f64; N] = std::array::from_fn(|j| slope(beliefs[j].form, at[j]));
    let first: [f64; N] = std::array::from_fn(|j| if beliefs[j].form == Form::Free { 1.0 } else { slopes[j] });
    let mut curve = Curve { gradient: [0.0; N], information: [[0.0; N]; N], bend: [0.0; N] };
    for row in rows {
        let odds: f64 = (0..N).map(|j| slopes[j] * row.features[j]).sum();
        let chance = logistic(odds);
        let (missed, spread) = (row.outcome - chance, chance * (1.0 - chance));
        for j in 0..N {
            let steep = first[j] * row.features[j];
            curve.gradient[j] += missed * steep;
            for (k, sum) in curve.information[j][..=j].iter_mut().enumerate() {
                *sum += spread * steep * first[k] * row.features[k];
            }
        }
    }
    for j in 0..N {
        if beliefs[j].form == Form::Positive {
            curve.bend[j] = curve.gradient[j];
        }
        let precision = 1.0 / beliefs[j].deviation.powi(2);
        curve.gradient[j] -= (at[j] - beliefs[j].mean) * precision;
        curve.information[j][j] += precision;
        for k in 0..j {
            curve.information[k][j] = curve.information[j][k];
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Prior;

    fn rows(count: usize) -> Vec<Row<8>> {
        // Features that wander over their ranges, and outcomes of both kinds and halves.
        (0..count)
            .map(|n| {
                let features = std::array::from_fn(|j| match j {
                    0 => 1.0,
                    _ => ((n * (2 * j + 3)) % 17) as f64 / 8.0 - 1.0,
                });
                Row { features, outcome: [0.0, 1.0, 1.0, 0.5][(n * 7 + n / 5) % 4] }
            })
            .collect()
    }

    #[test]
    fn gradient_and_hessian_are_those_of_the_posterior() {
        let (beliefs, rows) = (Prior::default().staying, rows(40));
        let at = std::array::from_fn(|j| beliefs[j].mean + 0.1 * j as f64 - 0.3);
        let Curve { gradient, information, bend } = curve(&beliefs, &rows, &at);
        let moved = |at: &[f64; 8], j: usize, by: f64| {
            let mut moved = *at;
            moved[j] += by;
            moved
        };
        let h = 1e-5;
        for j in 0..8 {
            let up = ln_posterior(&beliefs, &rows, &moved(&at, j, h));
            let down = ln_posterior(&beliefs, &rows, &moved(&at, j, -h));
            assert!(((up - down) / (2.0 * h) - gradient[j]).abs() < 1e-6, "{j}");
            let up = curve(&beliefs, &rows, &moved(&at, j, h)).gradient;
            let down = curve(&beliefs, &rows, &moved(&at, j, -h)).gradient;
            for k in 0..8 {
                let exact = information[j][k] - if j == k { bend[j] } else { 0.0 };
                assert!(((down[k] - up[k]) / (2.0 * h) - exact).abs() < 1e-6, "{j} {k}");
            }
        }
    }

    #[test]
    fn the_mode_is_where_the_gradient_vanishes() {
        let beliefs = Prior::default().staying;
        for count in [0, 1, 7, 300, 3_000] {
            let mut rows = rows(count);
            let found = laplace(&beliefs, &mut rows);
            let at = std::array::from_fn(|j| found.mean[j]);
            let gradient = curve(&beliefs, &rows, &at).gradient;
            for j in 0..8 {
                assert!(gradient[j].abs() * beliefs[j].deviation < 1e-7, "{count}: {gradient:?}");
            }
        }
    }

    #[test]
    fn without_a_case_the_posterior_is_the_prior() {
        let beliefs = Prior::default().asking;
        let found = laplace(&beliefs, &mut []);
        for (j, belief) in beliefs.iter().enumerate() {
            assert_eq!(found.mean[j], belief.mean);
            assert!((found.covariance[j][j].sqrt() - belief.deviation).abs() < 1e-12);
        }
    }

    #[test]
    fn the_logistic_function_is_total() {
        assert_eq!((logistic(0.0), logistic(-1e9), logistic(1e9)), (0.5, 0.0, 1.0));
        assert!((logistic(2.0) + logistic(-2.0) - 1.0).abs() < 1e-15);
    }
}
