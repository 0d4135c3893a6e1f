//! The models without churn: NBD, and one rate for all.
//!
//! Ehrenberg (1959), *The Pattern of Consumer Purchases*, Applied Statistics 8(1):26-41. NBD is
//! what every model here becomes when nobody leaves, and what a fit then falls back on.

use super::functions::{Rising, ln_gamma};
use super::model::IfActive;
use super::summary::{Portfolio, Summary};

/// Order rates per week are distributed Gamma(r, alpha), and nobody leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nbd {
    /// The shape of the order rates.
    pub(super) r: f64,
    /// Their scale, in weeks.
    pub(super) alpha: f64,
}

impl Nbd {
    pub(super) fn ln_likelihood(&self, of: &Summary) -> f64 {
        let power = self.r + of.x();
        // r ln(α / (α+T)) as one, since both parts are large where customers are alike.
        let base = -self.r * (of.age() / self.alpha).ln_1p();
        ln_gamma(power) - ln_gamma(self.r) + base - of.x() * (self.alpha + of.age()).ln()
    }

    /// The logarithm of a portfolio's likelihood, and its exact derivatives by the logarithms of
    /// r and alpha.
    pub(super) fn total(&self, portfolio: &Portfolio) -> (f64, [f64; 2]) {
        let Nbd { r, alpha } = *self;
        let (mut sum, mut gradient) = (0.0, [0.0; 2]);
        let mut rising = Rising::new(r);
        for (row, customers) in portfolio.rows() {
            let power = r + row.x();
            let (ln_rising, psi) = rising.of(row);
            let weight = *customers as f64;
            let shrunk = (row.age() / alpha).ln_1p();
            let at_age = alpha + row.age();
            sum += weight * (ln_rising - r * shrunk - row.x() * at_age.ln());
            gradient[0] += weight * r * (psi - shrunk);
            gradient[1] += weight * (r - alpha * power / at_age);
        }
        (sum, gradient)
    }

    pub(super) fn if_active(&self, of: &Summary, weeks: f64) -> IfActive {
        let (r, alpha) = (self.r + of.x(), self.alpha + of.age());
        IfActive { any_order: -(-r * (weeks / alpha).ln_1p()).exp_m1(), orders: r / alpha * weeks }
    }

    pub(super) fn residual_orders(&self, of: &Summary, discount: f64) -> f64 {
        (self.r + of.x()) / (self.alpha + of.age()) / discount
    }
}

/// Everybody orders at the same rate, and nobody leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Constant {
    /// Orders per week.
    pub(super) rate: f64,
}

impl Constant {
    /// All repeat orders over all weeks; without any order half of one, which is the mean of
    /// Jeffreys' posterior and leaves a chance. None without any week.
    pub(super) fn of(portfolio: &Portfolio) -> Option<Constant> {
        let total = |part: fn(&Summary) -> f64| -> f64 {
            portfolio.rows().iter().map(|(row, customers)| *customers as f64 * part(row)).sum()
        };
        let weeks = total(Summary::age);
        let orders = total(Summary::x);
        let rate = if orders > 0.0 { orders } else { 0.5 } / weeks;
        (weeks > 0.0 && rate.is_finite()).then_some(Constant { rate })
    }

    pub(super) fn ln_likelihood(&self, of: &Summary) -> f64 {
        of.x() * self.rate.ln() - self.rate * of.age()
    }

    pub(super) fn if_active(&self, weeks: f64) -> IfActive {
        let orders = self.rate * weeks;
        IfActive { any_order: -(-orders).exp_m1(), orders }
    }

    pub(super) fn residual_orders(&self, discount: f64) -> f64 {
        self.rate / discount
    }
}
