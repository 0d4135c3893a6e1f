//! BG/NBD and MBG/NBD: orders are Poisson while a customer is active, and the customer may leave
//! after each order.
//!
//! Fader, Hardie and Lee (2005), *"Counting Your Customers" the Easy Way: An Alternative to the
//! Pareto/NBD Model*, Marketing Science 24(2):275-284. Batislam, Denizel and Filiztekin (2007),
//! *Empirical validation and comparison of models for customer base analysis*, International
//! Journal of Research in Marketing 24(3):201-209, let the customer leave after the first order
//! as well.

use super::functions::{beta_mean, digamma, ln_gamma, ln_sum, scaled_exponential_integral, sunk};
use super::model::{IfActive, at_most_one};
use super::summary::{Portfolio, Summary};

/// The parameters of BG/NBD or MBG/NBD: order rates per week are distributed Gamma(r, alpha), the
/// chance to leave after an order Beta(a, b), each independent of the other. All are above 0 and
/// finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BetaGeometric {
    /// The shape of the order rates.
    pub(super) r: f64,
    /// Their scale, in weeks.
    pub(super) alpha: f64,
    /// The weight of leaving.
    pub(super) a: f64,
    /// The weight of staying.
    pub(super) b: f64,
}

/// The parameters, and how many chances to leave the first order brings: 0 in BG/NBD, 1 in
/// MBG/NBD. With k = x + that, both models have the same formulas.
#[derive(Clone, Copy)]
pub(super) struct Geometric {
    pub(super) at: BetaGeometric,
    pub(super) first: u32,
}

impl Geometric {
    /// Equation 6 of Fader, Hardie and Lee: L = Γ(r+x)/Γ(r) α^r B(a, b+k)/B(a, b)
    /// ((α+T)^-(r+x) + [k > 0] a/(b+k-1) (α+t_x)^-(r+x)).
    pub(super) fn ln_likelihood(&self, of: &Summary) -> f64 {
        let BetaGeometric { r, alpha, a, b } = self.at;
        let k = self.chances(of);
        let (ln_staying, _) = staying(a, b, k);
        let power = r + of.x();
        let left = self.ln_odds(k) - power * (alpha + of.last()).ln();
        let (ln_paths, _) = ln_sum(-power * (alpha + of.age()).ln(), left);
        ln_gamma(power) - ln_gamma(r) + r * alpha.ln() + ln_staying + ln_paths
    }

    /// The logarithm of a portfolio's likelihood, and its exact derivatives by the logarithms of
    /// r, alpha, a and b.
    pub(super) fn total(&self, portfolio: &Portfolio) -> (f64, [f64; 4]) {
        let BetaGeometric { r, alpha, a, b } = self.at;
        let ln_alpha = alpha.ln();
        let (mut sum, mut gradient) = (0.0, [0.0; 4]);
        let mut repeats = None;
        // What depends on the repeats alone: two logarithms, and the derivatives by r, a and b.
        let (mut constant, mut ln_odds, mut psi) = (0.0, 0.0, [0.0; 3]);
        for (row, customers) in portfolio.rows() {
            let (power, k) = (r + row.x(), self.chances(row));
            if repeats != Some(row.repeats()) {
                repeats = Some(row.repeats());
                let (ln_staying, [by_a, by_b]) = staying(a, b, k);
                constant = ln_gamma(power) - ln_gamma(r) + r * ln_alpha + ln_staying;
                ln_odds = self.ln_odds(k);
                psi = [digamma(power) - digamma(r), by_a, by_b];
            }
            let (at_age, at_last) = (alpha + row.age(), alpha + row.last());
            let (ln_at_age, ln_at_last) = (at_age.ln(), at_last.ln());
            let (ln_paths, active) = ln_sum(-power * ln_at_age, ln_odds - power * ln_at_last);
            let gone = 1.0 - active;
            let weight = *customers as f64;
            sum += weight * (constant + ln_paths);
            let by_r = psi[0] + ln_alpha - active * ln_at_age - gone * ln_at_last;
            let by_alpha = r / alpha - power * (active / at_age + gone / at_last);
            gradient[0] += weight * r * by_r;
            gradient[1] += weight * alpha * by_alpha;
            gradient[2] += weight * (a * psi[1] + gone);
            // Where nobody had a chance to leave, nobody is gone and there is nothing to divide.
            let less = if k > 0.0 { gone * b / (b + k - 1.0) } else { 0.0 };
            gradient[3] += weight * (b * psi[2] - less);
        }
        (sum, gradient)
    }

    /// 1 for a customer with one order in BG/NBD, by construction; so nothing should be ranked by it.
    pub(super) fn alive(&self, of: &Summary, ln_odds: f64) -> f64 {
        let BetaGeometric { r, alpha, .. } = self.at;
        let silence = sunk(alpha + of.last(), r + of.x(), of.age() - of.last());
        at_most_one(1.0 / (1.0 + (ln_odds + silence).exp()))
    }

    /// The logarithm of the odds to have left after the last order, before any silence.
    pub(super) fn ln_odds_of(&self, of: &Summary) -> f64 {
        self.ln_odds(self.chances(of))
    }

    /// Given that the customer is active at T, the rate is Gamma(r+x, α+T) and the chance to leave
    /// Beta(a, b+k). Nobody leaves without an order, so the chance of one is that of NBD.
    pub(super) fn if_active(&self, of: &Summary, weeks: f64) -> IfActive {
        let active = Active::of(self, of);
        let ln = (weeks / active.alpha).ln_1p();
        IfActive { any_order: -(-active.r * ln).exp_m1(), orders: active.orders(weeks, ln) }
    }

    /// No closed form is known. An active customer who orders at rate λ and leaves with chance p
    /// orders at u with density λ e^(-λpu), which discounted sums to λ / (δ + λp). Its mean over λ
    /// is an exponential integral; over p it is summed by the trapezoidal rule.
    pub(super) fn residual_orders(&self, of: &Summary, alive: f64, discount: f64) -> f64 {
        let Active { r, alpha, a, b } = Active::of(self, of);
        let forever = r / (alpha * discount);
        let orders = beta_mean(a, b, forever, |p| {
            let z = discount * alpha / p;
            // As p vanishes, (r / p) e^z E_(r+1)(z) tends to r / (p z).
            if z > 1e15 { forever } else { r / p * scaled_exponential_integral(r + 1.0, z) }
        });
        alive * orders
    }

    fn chances(&self, of: &Summary) -> f64 {
        of.x() + f64::from(self.first)
    }

    fn ln_odds(&self, k: f64) -> f64 {
        if k > 0.0 { (self.at.a / (self.at.b + k - 1.0)).ln() } else { f64::NEG_INFINITY }
    }
}

/// ln B(a, b+k)/B(a, b), the chance to stay through k chances to leave, and its derivatives by a
/// and b. Few chances are multiplied out, as B(a, b) alone is huge where customers are alike.
fn staying(a: f64, b: f64, k: f64) -> (f64, [f64; 2]) {
    if k > 64.0 {
        let ln = ln_gamma(a + b) - ln_gamma(b) + ln_gamma(b + k) - ln_gamma(a + b + k);
        let by_a = digamma(a + b) - digamma(a + b + k);
        return (ln, [by_a, by_a - digamma(b) + digamma(b + k)]);
    }
    let (mut ln, mut by_a, mut by_b) = (0.0, 0.0, 0.0);
    for j in 0..k as u32 {
        let stay = b + f64::from(j);
        ln -= (a / stay).ln_1p();
        by_a -= 1.0 / (a + stay);
        by_b += a / (stay * (a + stay));
    }
    (ln, [by_a, by_b])
}

/// What is known of a customer who is active at T.
struct Active {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
}

impl Active {
    fn of(model: &Geometric, of: &Summary) -> Active {
        let BetaGeometric { r, alpha, a, b } = model.at;
        Active { r: r + of.x(), alpha: alpha + of.age(), a, b: b + model.chances(of) }
    }

    /// The mean of (1 - e^(-λpt)) / p: expected orders within t weeks, of which ln(1 + t/α) is given.
    fn orders(&self, weeks: f64, ln: f64) -> f64 {
        self.orders_by_series(weeks, ln).unwrap_or_else(|| self.orders_by_sum(weeks))
    }

    /// Equation 10 of Fader, Hardie and Lee, (a+b-1)/(a-1) (1 - F) with F the hypergeometric
    /// function 2F1(r, a-1; a+b-1; -t/α). By Pfaff's transformation (DLMF 15.8.1) F is
    /// (1+t/α)^(1-a) 2F1(a-1, a+b-1-r; a+b-1; z), z = t/(α+t), in which a - 1 and a + b - 1 can be
    /// cancelled term by term: the sum below has no gap at a = 1. None where it converges slowly
    /// or loses digits.
    fn orders_by_series(&self, weeks: f64, ln: f64) -> Option<f64> {
        let Active { r, alpha, a, b } = *self;
        let z = weeks / (alpha + weeks);
        if z > 0.97 {
            return None;
        }
        let rest = a + b - 1.0;
        let bend = rest - r;
        let grown = ((1.0 - a) * ln).exp_m1();
        let first = rest * if a == 1.0 { ln } else { grown / (1.0 - a) };
        let mut term = bend * z;
        let (mut sum, mut largest) = (term, term.abs());
        // Past the few terms in which `bend` may change signs, terms shrink at least like z^n when
        // b >= bend, and what is left is below the last term times z / (1 - z).
        let enough = 1e-14 * (1.0 - z);
        let mut n = 1.0;
        while term.abs() > enough * sum.abs() + f64::MIN_POSITIVE {
            if n > 1000.0 {
                return None;
            }
            // Two terms at a time, as a division takes as long as all the rest, and each in as few steps
            // from the last as can be.
            let (above, below) = ((a + n - 1.0) * (bend + n), (rest + n) * (n + 1.0));
            let (next_above, next_below) = ((a + n) * (bend + n + 1.0), (rest + n + 1.0) * (n + 2.0));
            let share = z / (below * next_below);
            let one = term * (above * next_below * share);
            term *= (above * share) * (next_above * z);
            sum += one + term;
            largest = if one.abs() > largest { one.abs() } else { largest };
            largest = if term.abs() > largest { term.abs() } else { largest };
            n += 2.0;
        }
        let factor = if grown > -0.99 { 1.0 + grown } else { ((1.0 - a) * ln).exp() };
        let orders = first - factor * sum;
        let lost = first.abs().max(factor * largest);
        (orders.is_finite() && orders > 1e-5 * lost).then_some(orders)
    }

    /// The same mean, taken over λ in closed form and over p by the trapezoidal rule.
    fn orders_by_sum(&self, weeks: f64) -> f64 {
        let Active { r, alpha, a, b } = *self;
        let tau = weeks / alpha;
        beta_mean(a, b, r * tau, |p| {
            let eased = p * tau;
            if eased < 1e-12 { r * tau } else { -(-r * eased.ln_1p()).exp_m1() / p }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate λ of orders that are distributed Gamma(r, alpha) and p Beta(a, b), summed plainly.
    fn plainly(active: &Active, weeks: f64) -> f64 {
        let mut sum = 0.0;
        let steps = 400;
        for step in 0..steps {
            let u = (f64::from(step) + 0.5) / f64::from(steps) * weeks;
            let rate = active.r / active.alpha;
            let staying = |p: f64| (-(active.r + 1.0) * (p * u / active.alpha).ln_1p()).exp();
            sum += rate * beta_mean(active.a, active.b, 1.0, staying) * weeks / f64::from(steps);
        }
        sum
    }

    #[test]
    fn the_series_the_sum_and_the_plain_integral_agree() {
        for (r, a, b) in [(0.24, 0.79, 2.4), (10.2, 1.0, 12.4), (0.5, 0.02, 0.3), (300.0, 2.0, 290.0), (0.3, 0.6, 0.4)]
        {
            for weeks in [0.1, 13.0, 52.0, 200.0] {
                let active = Active { r, alpha: 40.0, a, b };
                let summed = active.orders_by_sum(weeks);
                if let Some(series) = active.orders_by_series(weeks, (weeks / active.alpha).ln_1p()) {
                    assert!((series / summed - 1.0).abs() < 1e-8, "{r} {a} {b} {weeks}: {series} {summed}");
                }
                let plain = plainly(&active, weeks);
                assert!((plain / summed - 1.0).abs() < 1e-3, "{r} {a} {b} {weeks}: {plain} {summed}");
            }
        }
    }

    #[test]
    fn both_ways_to_stay_meet() {
        for (a, b) in [(0.8, 2.4), (1e-3, 0.2), (20.0, 3.0)] {
            let (below, above) = (staying(a, b, 64.0), staying(a, b, 65.0));
            assert!((below.0 - above.0 - (a / (b + 64.0)).ln_1p()).abs() < 1e-11);
            assert!((below.1[0] - above.1[0] - 1.0 / (a + b + 64.0)).abs() < 1e-11);
            assert!((above.1[1] - below.1[1] - a / ((b + 64.0) * (a + b + 64.0))).abs() < 1e-11);
        }
    }

    #[test]
    fn the_usual_customer_needs_no_sum() {
        let active = Active { r: 2.24, alpha: 43.2, a: 0.79, b: 4.4 };
        assert!(active.orders_by_series(52.0, (52.0 / active.alpha).ln_1p()).is_some());
    }

    #[test]
    fn a_of_one_is_no_gap() {
        let orders = |a: f64| Active { r: 2.0, alpha: 40.0, a, b: 4.0 }.orders(39.0, 0.975f64.ln_1p());
        assert!((orders(1.0) / orders(1.0 + 1e-9) - 1.0).abs() < 1e-8);
        // Nor is a + b of one.
        let orders = |b: f64| Active { r: 0.3, alpha: 40.0, a: 0.4, b }.orders(39.0, 0.975f64.ln_1p());
        assert!((orders(0.6) / orders(0.6 + 1e-9) - 1.0).abs() < 1e-8);
    }
}
