//! Intervals, distributions and the control of many tests at once; what [`crate::themes`] and
//! [`crate::effect`] rest on.

/// The share of intervals that hold the truth.
pub(crate) const COVERAGE: f64 = 0.95;

/// Steps of a bisection: more than the bits of a number.
const STEPS: usize = 80;

/// Terms of the continued fraction; it needs some √max(a, b).
const TERMS: usize = 20_000;

/// A figure and its 95 % interval. All three are finite, and `low` ≤ `value` ≤ `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether this lies between the ends, or is one of them.
    pub fn holds(&self, figure: f64) -> bool {
        self.low <= figure && figure <= self.high
    }
}

/// ln(x / (1 - x)) of the regularised incomplete beta function's argument, and what both shares are.
fn shares(logit: f64) -> (f64, f64) {
    (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()))
}

/// I_x(a, b), the distribution function of Beta(a, b), at x = e^logit / (1 + e^logit). Both shapes
/// are above 0. DLMF 8.17.22 by Lentz's method, on the side of the mean where it converges quickly.
pub(crate) fn beta_below(a: f64, b: f64, logit: f64) -> f64 {
    let (x, y) = shares(logit);
    let below = if x <= (a + 1.0) / (a + b + 2.0) { tail(a, b, x, y) } else { 1.0 - tail(b, a, y, x) };
    below.clamp(0.0, 1.0)
}

/// I_x(a, b) where x is at most the mean, or hardly more; y = 1 - x.
fn tail(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const TINY: f64 = 1e-300;
    if x <= 0.0 {
        return 0.0;
    }
    let ln_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * y.max(TINY).ln();
    let guard = |term: f64| if term.abs() < TINY { TINY } else { term };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        fraction *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    ln_front.exp() * fraction / a
}

/// The logit below which Beta(a, b) has this share; within ±700.
pub(crate) fn beta_quantile(a: f64, b: f64, share: f64) -> f64 {
    bisect(-700.0, 700.0, |logit| beta_below(a, b, logit) < share)
}

/// Where a condition that holds below ends.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The standard normal deviate with this share above it; within ±38.
pub(crate) fn normal_above(share: f64) -> f64 {
    bisect(-38.0, 38.0, |z| libm::erfc(z / std::f64::consts::SQRT_2) / 2.0 > share)
}

/// The chance that Student's t lies further from 0 than this, either way; `freedom` above 0.
pub(crate) fn student_outside(t: f64, freedom: f64) -> f64 {
    let squared = t * t;
    if squared == 0.0 {
        return 1.0;
    }
    // DLMF 8.17 with x = ν / (ν + t²).
    beta_below(0.5 * freedom, 0.5, (freedom / squared).ln())
}

/// The t beyond which, either way, [`COVERAGE`] leaves the rest.
pub(crate) fn student_bound(freedom: f64) -> f64 {
    bisect(0.0, 1e4, |t| student_outside(t, freedom) > 1.0 - COVERAGE)
}

/// The mean of these with the interval of Student's t; none of no value. One alone has no interval:
/// its ends are those of `range`, which the others are cut to as well.
pub(crate) fn mean(values: &[f64], range: (f64, f64)) -> Option<Interval> {
    let count = values.len() as f64;
    let value = (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)?;
    let value = value.clamp(range.0, range.1);
    if values.len() == 1 {
        return Some(Interval { value, low: range.0, high: range.1 });
    }
    let squares: f64 = values.iter().map(|one| (one - value) * (one - value)).sum();
    let half = student_bound(count - 1.0) * (squares / (count - 1.0) / count).sqrt();
    Some(Interval { value, low: (value - half).max(range.0), high: (value + half).min(range.1) })
}

/// The share of false discoveries at which each test is made one, when `tests` were made and these
/// are the least of their p-values; Benjamini and Hochberg (1995).
pub(crate) fn false_discoveries(p: &[f64], tests: usize) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (rank, &at) in order.iter().enumerate().rev() {
        least = least.min(p[at] * (tests as f64 / (rank + 1) as f64));
        adjusted[at] = least;
    }
    adjusted
}

/// The level at which each of these tests stands if the chance of even one false one is to be at most
/// that; Holm (1979).
pub(crate) fn family_wise(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![1.0; p.len()];
    let mut most: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        most = most.max((p[at] * (p.len() - rank) as f64).min(1.0));
        adjusted[at] = most;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]).then(one.cmp(&other)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logit(x: f64) -> f64 {
        (x / (1.0 - x)).ln()
    }

    #[test]
    fn beta_is_as_the_binomial_sum_has_it() {
        // I_x(a, b) is the chance of a or more successes in a + b - 1 trials (DLMF 8.17.5).
        for (a, b, x) in [(3_u32, 5_u32, 0.2), (1, 9, 0.05), (12, 4, 0.9), (7, 7, 0.5)] {
            let trials = a + b - 1;
            let choose = |k: u32| (1..=k).fold(1.0, |sum, i| sum * f64::from(trials - k + i) / f64::from(i));
            let sum: f64 = (a..=trials)
                .map(|k| choose(k) * f64::powi(x, k as i32) * f64::powi(1.0 - x, (trials - k) as i32))
                .sum();
            let below = beta_below(f64::from(a), f64::from(b), logit(x));
            assert!((below / sum - 1.0).abs() < 1e-12, "{a} {b} {x}: {below} {sum}");
        }
        // Tails far out keep their digits: I_x(a, 1) = x^a.
        assert!((beta_below(50.0, 1.0, logit(1e-4)) / 1e-200 - 1.0).abs() < 1e-10);
        assert!((beta_below(0.5, 0.5, 0.0) - 0.5).abs() < 1e-14);
        assert!((beta_below(2e5, 2e5, 0.0) - 0.5).abs() < 1e-8);
    }

    #[test]
    fn quantiles_lead_back() {
        for (a, b) in [(0.5, 0.5), (0.5, 900.0), (20.0, 3.5), (4e4, 100.0)] {
            for share in [1e-6, 0.025, 0.5, 0.975] {
                let back = beta_below(a, b, beta_quantile(a, b, share));
                assert!((back - share).abs() < 1e-9, "{a} {b} {share} {back}");
            }
        }
        assert!((normal_above(0.025) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_above(1e-20) - 9.262_340_089_798_408).abs() < 1e-9);
    }

    #[test]
    fn student_is_as_tabled() {
        // Fisher and Yates, table III.
        for (freedom, bound) in [(1.0, 12.706_204_736), (4.0, 2.776_445_105), (30.0, 2.042_272_456)] {
            assert!((student_bound(freedom) - bound).abs() < 1e-6, "{freedom}");
        }
        assert!((student_outside(2.0, 10.0) - 0.073_388_035).abs() < 1e-8);
        assert_eq!(student_outside(0.0, 5.0), 1.0);
    }

    #[test]
    fn many_tests_are_adjusted_as_published() {
        // The fifteen p-values of Benjamini and Hochberg's section 4.1: four stand at 0.05, of Bonferroni's three.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let discovered = false_discoveries(&p, p.len());
        assert_eq!(discovered.iter().filter(|&&q| q <= 0.05).count(), 4);
        assert!((discovered[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        let held = family_wise(&p);
        assert_eq!(held.iter().filter(|&&p| p <= 0.05).count(), 3);
        assert!((held[2] - 0.0019 * 13.0).abs() < 1e-12);
        assert_eq!(family_wise(&[0.04, 0.03]), vec![0.06, 0.06]);
    }

    #[test]
    fn a_mean_stays_in_its_range() {
        assert_eq!(mean(&[], (-1.0, 1.0)), None);
        assert_eq!(mean(&[0.5], (-1.0, 1.0)), Some(Interval { value: 0.5, low: -1.0, high: 1.0 }));
        let three = mean(&[0.2, 0.4, 0.6], (-1.0, 1.0)).unwrap();
        // 4.302653 * 0.2 / sqrt(3)
        assert!((three.value - 0.4).abs() < 1e-12 && (three.low + 0.096_828).abs() < 1e-5, "{three:?}");
        assert!((three.high - 0.896_828).abs() < 1e-5);
    }
}
