//! Pareto/NBD: orders are Poisson while a customer is active, and the customer leaves at any time.
//!
//! Schmittlein, Morrison and Colombo (1987), *Counting Your Customers: Who Are They and What Will
//! They Do Next?*, Management Science 33(1):1-24.

use super::functions::{
    Decay, Rising, decay_integral, decay_nodes, decay_tail, ln_gamma, ln_sum, scaled_exponential_integral, sunk,
};
use super::model::{IfActive, at_most_one};
use super::summary::{Portfolio, Summary};

/// The parameters of Pareto/NBD, per week: order rates are distributed Gamma(r, alpha), rates of
/// leaving Gamma(s, beta), each independent of the other. All are above 0 and finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ParetoNbd {
    /// The shape of the order rates.
    pub(super) r: f64,
    /// Their scale, in weeks.
    pub(super) alpha: f64,
    /// The shape of the rates of leaving.
    pub(super) s: f64,
    /// Their scale, in weeks.
    pub(super) beta: f64,
}

impl ParetoNbd {
    /// The logarithm of the density of this customer's order times.
    ///
    /// Given both rates it is λ^x (e^(-(λ+μ)T) + ∫ μ e^(-(λ+μ)y) dy over y from t_x to T): the
    /// customer is still active, or left at y. Averaged over the rates,
    /// L = Γ(r+x)/Γ(r) α^r β^s ((α+T)^-(r+x) (β+T)^-s + s ∫ (α+y)^-(r+x) (β+y)^-(s+1) dy).
    /// The published form solves the integral by two Gauss hypergeometric functions, whose
    /// difference loses its digits where α and β lie far apart; the integral itself loses none.
    pub(super) fn ln_likelihood(&self, of: &Summary) -> f64 {
        let ParetoNbd { r, alpha, s, beta } = *self;
        let (ln_paths, _) = self.paths(of);
        ln_gamma(r + of.x()) - ln_gamma(r) + r * alpha.ln() + s * beta.ln() + ln_paths
    }

    /// The logarithm of the two paths' sum, and the share of those still active in it, which is
    /// P(active at T).
    fn paths(&self, of: &Summary) -> (f64, f64) {
        let ParetoNbd { r, alpha, s, beta } = *self;
        let rate = Decay { scale: alpha + of.last(), power: r + of.x() };
        let leaving = Decay { scale: beta + of.last(), power: s + 1.0 };
        let integral = decay_integral(rate, leaving, of.age() - of.last());
        let left = s.ln() + integral.ln() - rate.power * rate.scale.ln() - leaving.power * leaving.scale.ln();
        let active = -rate.power * (alpha + of.age()).ln() - s * (beta + of.age()).ln();
        ln_sum(active, left)
    }

    /// The logarithm of a portfolio's likelihood, and its derivatives by the logarithms of r,
    /// alpha, s and beta. They are exact: differentiation under the integral gives means of ln(α+y),
    /// 1/(α+y) and so on over the same nodes.
    pub(super) fn total(&self, portfolio: &Portfolio) -> (f64, [f64; 4]) {
        let ParetoNbd { r, alpha, s, beta } = *self;
        let (mut sum, mut gradient) = (0.0, [0.0; 4]);
        let ln_prior = r * alpha.ln() + s * beta.ln();
        let mut rising = Rising::new(r);
        for (row, customers) in portfolio.rows() {
            let power = r + row.x();
            let (ln_rising, psi) = rising.of(row);
            let rate = Decay { scale: alpha + row.last(), power };
            let leaving = Decay { scale: beta + row.last(), power: s + 1.0 };
            let (ln_rate, ln_leaving) = (rate.scale.ln(), leaving.scale.ln());
            // The integral; of ln((α+y)/(α+t_x)) and (α+t_x)/(α+y) over it; the same for β.
            let mut over = [0.0; 5];
            decay_nodes(rate, leaving, row.age() - row.last(), |share, one, other| {
                over[0] += share;
                over[1] += share * one.ln;
                over[2] += share / one.value;
                over[3] += share * other.ln;
                over[4] += share / other.value;
            });
            let left = s.ln() + over[0].ln() - power * ln_rate - leaving.power * ln_leaving;
            let (at_age, beta_at_age) = (alpha + row.age(), beta + row.age());
            let (ln_at_age, ln_beta_at_age) = (at_age.ln(), beta_at_age.ln());
            let (ln_paths, active) = ln_sum(-power * ln_at_age - s * ln_beta_at_age, left);
            // Without a span there is no integral, nor any share of it.
            let gone = if over[0] > 0.0 { 1.0 - active } else { 0.0 };
            let mean = |n: usize| if over[0] > 0.0 { over[n] / over[0] } else { 0.0 };
            let weight = *customers as f64;
            sum += weight * (ln_rising + ln_prior + ln_paths);
            let by_r = psi + alpha.ln() - active * ln_at_age - gone * (ln_rate + mean(1));
            let by_alpha = r / alpha - power * (active / at_age + gone * mean(2) / rate.scale);
            let by_s = beta.ln() - active * ln_beta_at_age + gone * (1.0 / s - ln_leaving - mean(3));
            let by_beta = s / beta - active * s / beta_at_age - gone * leaving.power * mean(4) / leaving.scale;
            gradient[0] += weight * r * by_r;
            gradient[1] += weight * alpha * by_alpha;
            gradient[2] += weight * s * by_s;
            gradient[3] += weight * beta * by_beta;
        }
        (sum, gradient)
    }

    /// From the tails at the last order and at the cut, where there are both. The integral from t_x
    /// to T is the one less the other; where they nearly cancel, next to none of the customers have left.
    pub(super) fn alive(&self, of: &Summary, at_last: Option<f64>, at_cut: Option<f64>) -> f64 {
        let ParetoNbd { r, alpha, s, beta } = *self;
        let (Some(at_last), Some(at_cut)) = (at_last, at_cut) else {
            return at_most_one(self.paths(of).1);
        };
        let span = of.age() - of.last();
        let silence = sunk(alpha + of.last(), r + of.x(), span) + sunk(beta + of.last(), s, span);
        let odds = s * (at_last * silence.exp() - at_cut);
        1.0 / (1.0 + odds.max(0.0))
    }

    /// The tail of the integral in the likelihood from a time t on, over (α+t)^-(r+x) (β+t)^-s. None
    /// where the scales lie far apart.
    pub(super) fn tail(&self, of: &Summary, t: f64) -> Option<f64> {
        let rate = Decay { scale: self.alpha + t, power: self.r + of.x() };
        let leaving = Decay { scale: self.beta + t, power: self.s + 1.0 };
        decay_tail(rate, leaving).map(|tail| tail / leaving.scale)
    }

    /// Given that the customer is active at T, the rates are Gamma(r+x, α+T) and Gamma(s, β+T).
    /// The expectation is equation 41 of Fader and Hardie (2005), *A Note on Deriving the
    /// Pareto/NBD Model*, with its limit at s = 1; the chance that an order comes before the
    /// customer leaves is the integral of the next order's density.
    pub(super) fn if_active(&self, of: &Summary, weeks: f64) -> IfActive {
        let rate = Decay { scale: self.alpha + of.age(), power: self.r + of.x() + 1.0 };
        let staying = Decay { scale: self.beta + of.age(), power: self.s };
        let mean = (rate.power - 1.0) / rate.scale;
        let any_order = mean * decay_integral(rate, staying, weeks);
        let orders = mean * staying.scale * one_less(self.s - 1.0, (weeks / staying.scale).ln_1p());
        IfActive { any_order, orders }
    }

    /// Discounted expected residual transactions, equation 1 of Fader, Hardie and Lee (2005), *RFM
    /// and CLV*, Journal of Marketing Research 42(4), with Tricomi's function as an integral.
    pub(super) fn residual_orders(&self, of: &Summary, alive: f64, discount: f64) -> f64 {
        let staying = self.beta + of.age();
        let weeks = staying * scaled_exponential_integral(self.s, discount * staying);
        alive * (self.r + of.x()) / (self.alpha + of.age()) * weeks
    }
}

/// (1 - e^(-rest ln)) / rest, and its limit where rest is 0.
fn one_less(rest: f64, ln: f64) -> f64 {
    if rest == 0.0 { ln } else { -(-rest * ln).exp_m1() / rest }
}
