//! The special functions and integrals of the purchase models.
//!
//! The logarithm of the gamma function comes from `libm`. Its derivative is here, as the crates
//! that have it bring far more with it. No light crate evaluates the hypergeometric integrals of
//! these models where their scales lie far apart, so each is integrated in the form that has no
//! cancellation, by fixed Gauss-Legendre rules or the trapezoidal rule, whose errors vanish
//! exponentially on what is analytic (Trefethen and Weideman 2014, SIAM Review 56(3)).

use super::summary::Summary;

/// The nodes on (0, 1/2) and the weights of the rule of 8 points on (0, 1).
const EIGHT: [(f64, f64); 4] = [
    (0.019855071751231884, 0.05061426814518813),
    (0.10166676129318664, 0.11119051722668724),
    (0.2372337950418355, 0.15685332293894363),
    (0.4082826787521751, 0.181341891689181),
];

/// The same of the rule of 16 points.
const SIXTEEN: [(f64, f64); 8] = [
    (0.005299532504175033, 0.013576229705877048),
    (0.02771248846338371, 0.031126761969323947),
    (0.06718439880608412, 0.04757925584124639),
    (0.12229779582249849, 0.06231448562776694),
    (0.19106187779867811, 0.07479799440828837),
    (0.2709916111713863, 0.08457825969750127),
    (0.35919822461037054, 0.09130170752246179),
    (0.4524937450811813, 0.09472530522753425),
];

/// What has sunk by this exponent, a factor of some 1e-20, is left out.
const NEGLIGIBLE: f64 = 46.0;

/// ln Γ(x), for x above 0.
pub(super) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x), the derivative of ln Γ(x), for x above 0: the asymptotic series in 1/x², Abramowitz and
/// Stegun 6.3.18, from where its seven terms are exact to 1e-15; ψ(x) = ψ(x+1) - 1/x below.
pub(super) fn digamma(mut x: f64) -> f64 {
    // B_2n / 2n.
    const TERMS: [f64; 7] =
        [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32_760.0, 1.0 / 12.0];
    let mut below = 0.0;
    while x < 8.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * square);
    x.ln() - 0.5 / x - series - below
}

/// ln B(a, b).
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ln(e^a + e^b), and the share of e^a in the sum. Either may be minus infinity, not both.
pub(super) fn ln_sum(a: f64, b: f64) -> (f64, f64) {
    if a >= b {
        let ratio = (b - a).exp();
        (a + ratio.ln_1p(), 1.0 / (1.0 + ratio))
    } else {
        let ratio = (a - b).exp();
        (b + ratio.ln_1p(), ratio / (1.0 + ratio))
    }
}

/// A factor (1 + y / scale)^-power that decays from 1 as y grows from 0.
#[derive(Clone, Copy)]
pub(super) struct Decay {
    pub(super) scale: f64,
    pub(super) power: f64,
}

/// A factor at a node: its ratio 1 + y / scale, and the logarithm of that.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    pub(super) value: f64,
    pub(super) ln: f64,
}

/// The logarithm of 1 + span / scale, times a power that is at least 0.
#[inline]
pub(super) fn sunk(scale: f64, power: f64, span: f64) -> f64 {
    // The quicker function is off by some 1e-16, which only a high power makes felt.
    power * if power < 300.0 { (1.0 + span / scale).ln() } else { (span / scale).ln_1p() }
}

/// The integral of the product of two decays for y from 0 to `span`.
pub(super) fn decay_integral(one: Decay, other: Decay, span: f64) -> f64 {
    if let Some(integral) = between_tails(one, other, span) {
        return integral;
    }
    let mut sum = 0.0;
    decay_nodes(one, other, span, |share, _, _| sum += share);
    sum
}

/// Visits the nodes of that integral with their share in it and the two ratios there.
///
/// In u = ln(1 + y / scale) of the shorter scale the shorter decay is exactly exponential, and the
/// longer one has its knee no nearer than iπ to the real line: pieces of at most 3 units over
/// which the integrand sinks by at most e^-36 are exact to some 1e-12 with 16 nodes, and pieces of
/// 1.6 units and e^-6 with 8.
#[inline]
pub(super) fn decay_nodes(one: Decay, other: Decay, span: f64, mut visit: impl FnMut(f64, Ratio, Ratio)) {
    if one.scale <= other.scale {
        nodes_of(one, other, span, visit);
    } else {
        nodes_of(other, one, span, |share, other, one| visit(share, one, other));
    }
}

#[inline]
fn nodes_of(short: Decay, long: Decay, span: f64, mut visit: impl FnMut(f64, Ratio, Ratio)) {
    let scales = short.scale / long.scale;
    let end = (span / short.scale).ln_1p();
    let sunk = |u: f64| (short.power - 1.0) * u + long.power * (scales * u.exp_m1()).ln_1p();
    // The quicker functions are off by some 1e-16, which only a high power makes felt.
    let plain = long.power < 300.0;
    let (mut from, mut sunk_before) = (0.0, 0.0);
    while from < end && sunk_before < NEGLIGIBLE {
        let mut width = (end - from).min(3.0);
        let mut sunk_after = sunk(from + width);
        while sunk_after - sunk_before > 36.0 {
            width /= 2.0;
            sunk_after = sunk(from + width);
        }
        let few = width <= 1.6 && sunk_after - sunk_before <= 6.0;
        let rule: &[(f64, f64)] = if few { &EIGHT } else { &SIXTEEN };
        for &(node, weight) in rule {
            for at in [node, 1.0 - node] {
                let u = from + at * width;
                let growth = if plain { u.exp() - 1.0 } else { u.exp_m1() };
                let ratio = scales * growth;
                let ln = if plain { (1.0 + ratio).ln() } else { ratio.ln_1p() };
                let share = weight * width * short.scale * ((1.0 - short.power) * u - long.power * ln).exp();
                visit(share, Ratio { value: 1.0 + growth, ln: u }, Ratio { value: 1.0 + ratio, ln });
            }
        }
        (from, sunk_before) = (from + width, sunk_after);
    }
}

/// The integral of the product of two decays over all y; their powers sum to more than 1. None where
/// the scales lie so far apart that [`decay_integral`] is quicker.
///
/// With m the shorter scale and p its power, M and q the longer ones, it is
/// m / (p+q-1) 2F1(1, q; p+q; 1 - m/M): Euler's integral (DLMF 15.6.1) after y = M v / (1-v) and
/// 15.8.1. All terms of that series are above 0, and each is below the one before it.
pub(super) fn decay_tail(one: Decay, other: Decay) -> Option<f64> {
    const FAR: f64 = 0.5;
    let (short, long) = if one.scale <= other.scale { (one, other) } else { (other, one) };
    let z = (long.scale - short.scale) / long.scale;
    if z > FAR {
        return None;
    }
    let all = short.power + long.power;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 0.0);
    // At most some fifty, as `z` is halved each time.
    while term > 1e-16 {
        term *= (long.power + n) / (all + n) * z;
        sum += term;
        n += 1.0;
    }
    Some(short.scale / (all - 1.0) * sum)
}

/// The integral up to `span` as the tail from 0 less that from there, where that leaves 13 digits.
fn between_tails(one: Decay, other: Decay, span: f64) -> Option<f64> {
    if one.power + other.power <= 1.1 {
        return None;
    }
    let all = decay_tail(one, other)?;
    let later = |decay: Decay| Decay { scale: decay.scale + span, power: decay.power };
    let left = decay_tail(later(one), later(other))?;
    let share = (-sunk(one.scale, one.power, span) - sunk(other.scale, other.power, span)).exp();
    let integral = all - share * left;
    (integral > 1e-3 * all).then_some(integral)
}

/// e^z E_ν(z), the integral of e^(-z v) (1 + v)^-ν for v from 0 to infinity; ν and z above 0. It
/// is U(1, 2 - ν, z), Tricomi's function.
pub(super) fn scaled_exponential_integral(order: f64, z: f64) -> f64 {
    if z >= 1.0 {
        return continued_fraction(order, z);
    }
    let sunk = |u: f64| z * (u.exp() - 1.0) + (order - 1.0) * u;
    let (mut sum, mut from, mut sunk_before) = (0.0, 0.0, 0.0);
    // z e^u has passed the negligible at the end, whatever the order.
    let end = (2.0 * NEGLIGIBLE / z).ln_1p();
    while from < end && sunk_before < NEGLIGIBLE {
        // Wider where z e^u is still small and the rest is a plain exponential.
        let mut width = if z * (from + 3.0).exp() < 2.0 { 3.0 } else { 2.0 };
        while sunk(from + width) - sunk_before > 36.0 {
            width /= 2.0;
        }
        for &(node, weight) in &SIXTEEN {
            for at in [node, 1.0 - node] {
                sum += weight * width * (-sunk(from + at * width)).exp();
            }
        }
        from += width;
        sunk_before = sunk(from);
    }
    sum
}

/// The continued fraction 5.1.22 of Abramowitz and Stegun in its even form, by Lentz's method.
fn continued_fraction(order: f64, z: f64) -> f64 {
    let mut b = z + order;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..500 {
        let i = f64::from(i);
        let a = -i * (order - 1.0 + i);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// The mean of g(p) for p distributed Beta(a, b), where g sinks from `at_zero` at p = 0 and stays
/// at or above 0.
///
/// The trapezoidal rule over the logit of p. Where a is small the left tail is long: then the mean
/// of `at_zero` - g, which vanishes with p, is integrated instead. The error is some 1e-10 of
/// `at_zero`, or of the mean where a is not small.
pub(super) fn beta_mean(a: f64, b: f64, at_zero: f64, g: impl Fn(f64) -> f64) -> f64 {
    /// The most nodes to either side; it is reached when b is next to 0.
    const MOST: u32 = 4000;
    const LEFT_OUT: f64 = 1e-13;
    let from_zero = a < 1.5;
    let (left, reference) = if from_zero { (a + 1.0, ln_beta(a, b)) } else { (a, 0.0) };
    let middle = (left / b).ln();
    let ln_density = |v: f64| -a * (-v).exp().ln_1p() - b * v.exp().ln_1p();
    let reference = if from_zero { reference } else { ln_density(middle) };
    // The density's transform falls like e^(-π ω / 2) where b is large, twice as fast where not:
    // at ω = 2 π / step the error is e^(-π² / step), and e^(-2 π² (σ / step)²) from a narrow peak
    // of deviation σ.
    let step = (0.6 * (1.0 / left + 1.0 / b).sqrt()).min(0.4);
    let (mut sum, mut total) = (0.0, 0.0);
    for side in [1.0, -1.0] {
        for n in 0..MOST {
            if n == 0 && side < 0.0 {
                continue;
            }
            let v = middle + side * f64::from(n) * step;
            let density = (ln_density(v) - reference).exp();
            let p = 1.0 / (1.0 + (-v).exp());
            let part = density * if from_zero { at_zero - g(p) } else { g(p) };
            sum += part;
            total += density;
            // Without the subtraction the tail of the density itself must be complete as well.
            if part.abs() <= LEFT_OUT * sum && (from_zero || density <= LEFT_OUT * total) {
                break;
            }
        }
    }
    let mean = if from_zero { at_zero - sum * step } else { sum / total };
    mean.clamp(0.0, at_zero)
}

/// The logarithm of Γ(r+x) / Γ(r) and its derivative by r: computed once for customers that follow
/// each other with as many repeat orders.
pub(super) struct Rising {
    r: f64,
    repeats: Option<u32>,
    last: (f64, f64),
}

impl Rising {
    pub(super) fn new(r: f64) -> Rising {
        Rising { r, repeats: None, last: (0.0, 0.0) }
    }

    pub(super) fn of(&mut self, row: &Summary) -> (f64, f64) {
        if self.repeats != Some(row.repeats()) {
            let power = self.r + row.x();
            self.repeats = Some(row.repeats());
            self.last = (ln_gamma(power) - ln_gamma(self.r), digamma(power) - digamma(self.r));
        }
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, known: f64, tolerance: f64) {
        assert!((found / known - 1.0).abs() < tolerance, "{found} is not {known}");
    }

    #[test]
    fn gamma_and_digamma_are_as_published() {
        // Abramowitz and Stegun, tables 6.1 to 6.3; NIST DLMF 5.4.
        close(ln_gamma(0.5), 0.572_364_942_924_700_1, 1e-14);
        close(ln_gamma(1e-3), 6.907_178_885_383_853, 1e-13);
        close(ln_gamma(101.0), 363.739_375_555_563_5, 1e-14);
        close(digamma(1.0), -0.577_215_664_901_532_9, 1e-13);
        close(digamma(0.5), -1.963_510_026_021_423_5, 1e-13);
        close(digamma(10.0), 2.251_752_589_066_721, 1e-13);
        close(digamma(0.1), -10.423_754_940_411_077, 1e-13);
        close(ln_beta(2.0, 3.0), (1.0f64 / 12.0).ln(), 1e-14);
    }

    #[test]
    fn the_exponential_integral_is_as_published() {
        // E1(1/2), E1(1), E1(2): Abramowitz and Stegun, table 5.1. E2(z) = e^-z - z E1(z).
        for (z, e1) in [(0.5_f64, 0.559_773_594_8), (1.0, 0.219_383_934_4), (2.0, 0.048_900_510_71)] {
            close(scaled_exponential_integral(1.0, z), e1 * z.exp(), 1e-8);
            close(scaled_exponential_integral(2.0, z), 1.0 - z * e1 * z.exp(), 1e-8);
        }
        // ν = 0: 1 / z; ν = 1/2: sqrt(π / z) e^z erfc(sqrt z), at z = 1/4 erfc(1/2) = 0.4795001222.
        close(scaled_exponential_integral(1e-300, 1e-6), 1e6, 1e-9);
        let half = 2.0 * std::f64::consts::PI.sqrt() * 0.25_f64.exp() * 0.479_500_122_186_953_5;
        close(scaled_exponential_integral(0.5, 0.25), half, 1e-9);
    }

    #[test]
    fn both_ways_to_the_exponential_integral_meet() {
        for order in [0.01, 0.6, 1.0, 3.0, 40.0, 600.0] {
            let (below, above) = (1.0 - 1e-9, 1.0);
            let change = scaled_exponential_integral(order, below) / scaled_exponential_integral(order, above) - 1.0;
            assert!((0.0..3e-9).contains(&change), "{order}: {change}");
        }
    }

    #[test]
    fn decays_integrate_to_what_is_known() {
        let known = |scale: f64, power: f64, span: f64| {
            let rest = power - 1.0;
            if rest == 0.0 {
                scale * (span / scale).ln_1p()
            } else {
                -scale * (-rest * (span / scale).ln_1p()).exp_m1() / rest
            }
        };
        for scale in [1e-6, 0.3, 5.0, 1e6] {
            for power in [0.2, 1.0, 3.0, 700.0, 1e6] {
                for span in [1e-3, 0.1, 40.0, 4e4] {
                    let alone = decay_integral(Decay { scale, power }, Decay { scale: 7.0, power: 0.0 }, span);
                    close(alone, known(scale, power, span), 1e-10);
                    let halves = Decay { scale, power: power / 2.0 };
                    close(decay_integral(halves, halves, span), known(scale, power, span), 1e-10);
                }
            }
        }
        // One scale a hundred times the other, by parts: the integral of (1+y)^-2 (1+y/100)^-1 is
        // (100/99) (1 - 1/(1+h)) - (100/99^2) ln((1+h) / (1+h/100)).
        let h = 50.0_f64;
        let parts =
            100.0 / 99.0 * (1.0 - 1.0 / (1.0 + h)) - 100.0 / 99.0f64.powi(2) * ((1.0 + h) / (1.0 + h / 100.0)).ln();
        let (one, other) = (Decay { scale: 1.0, power: 2.0 }, Decay { scale: 100.0, power: 1.0 });
        close(decay_integral(one, other, h), parts, 1e-11);
        close(decay_integral(other, one, h), parts, 1e-11);
    }

    #[test]
    fn the_series_of_a_tail_meets_the_integral() {
        for (one, other) in [(0.3, 0.3), (7.0, 9.0), (9.0, 7.0), (100.0, 199.0)] {
            for (power, more) in [(0.6, 1.6), (3.0, 0.9), (40.0, 1.6), (900.0, 30.0), (1.6, 1e4)] {
                let (one, other) = (Decay { scale: one, power }, Decay { scale: other, power: more });
                // What lies beyond this is no share of 1e-13.
                let far = 1e26f64.powf(1.0 / (power + more - 1.0)).min(1e30);
                let known = decay_integral(one, other, one.scale.max(other.scale) * far);
                close(decay_tail(one, other).unwrap(), known, 1e-10);
            }
        }
        assert_eq!(decay_tail(Decay { scale: 1.0, power: 2.0 }, Decay { scale: 2.1, power: 2.0 }), None);
    }

    #[test]
    fn beta_means_are_as_known() {
        for (a, b) in [(0.01, 3.0), (0.4, 0.7), (0.8, 2.4), (3.0, 40.0), (500.0, 9_000.0)] {
            // E[1 - p] = b / (a + b), E[(1 - p)^2] = b (b + 1) / ((a + b) (a + b + 1)).
            close(beta_mean(a, b, 1.0, |p| 1.0 - p), b / (a + b), 1e-10);
            let second = b * (b + 1.0) / ((a + b) * (a + b + 1.0));
            close(beta_mean(a, b, 1.0, |p| (1.0 - p) * (1.0 - p)), second, 1e-10);
        }
    }

    #[test]
    fn sums_of_logarithms_do_not_overflow() {
        let (ln, share) = ln_sum(-2000.0, -2000.0);
        close(ln, -2000.0 + std::f64::consts::LN_2, 1e-15);
        assert_eq!(share, 0.5);
        assert_eq!(ln_sum(f64::NEG_INFINITY, -3.0), (-3.0, 0.0));
        assert_eq!(ln_sum(700.0, -700.0), (700.0, 1.0));
    }
}
