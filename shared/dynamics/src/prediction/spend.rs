//! Gamma-Gamma: what an order is worth, given the mean of those seen.
//!
//! Fader, Hardie and Lee (2005), *RFM and CLV: Using Iso-Value Curves for Customer Base Analysis*,
//! Journal of Marketing Research 42(4):415-430, and Fader and Hardie (2013), *The Gamma-Gamma Model
//! of Monetary Value*, whose parameters p, q and v these are. A customer's orders are distributed
//! Gamma(p, ν), and ν is distributed Gamma(q, v) over customers; what one spends does not depend
//! on how often one orders.

use super::fit::{FitError, Limit, Outcome, Precision};
use super::functions::{digamma, ln_gamma};
use super::minimise::{Space, Start, Value, hessian, inverse, minimise};
use super::summary::{Spend, SpendPortfolio};

/// The parameters of Gamma-Gamma, all above 0 and finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaGamma {
    p: f64,
    q: f64,
    v: f64,
}

impl GammaGamma {
    /// With these parameters; `v` is in the currency of the spend. None unless each lies from
    /// 1e-12 to 1e18.
    pub fn new(p: f64, q: f64, v: f64) -> Option<GammaGamma> {
        let allowed = 1e-12..=1e18;
        [p, q, v].iter().all(|parameter| allowed.contains(parameter)).then_some(GammaGamma { p, q, v })
    }

    /// p, q and v.
    pub fn parameters(&self) -> [f64; 3] {
        [self.p, self.q, self.v]
    }

    /// The logarithm of the density of a customer's mean spend, equation 1a of the note of 2013.
    pub fn ln_likelihood(&self, of: &Spend) -> f64 {
        let GammaGamma { p, q, v } = *self;
        let (x, shape) = (f64::from(of.orders()), p * f64::from(of.orders()));
        let all = x * of.mean();
        // v^q (x m)^(px) / (v + x m)^(px+q) as two shares, which no scale overflows.
        let ln_shares = -q * (all / v).ln_1p() - shape * (v / all).ln_1p();
        ln_gamma(shape + q) - ln_gamma(shape) - ln_gamma(q) + ln_shares - of.mean().ln()
    }

    /// The logarithm of a portfolio's likelihood, and its exact derivatives by the logarithms of
    /// p, q and v.
    pub fn ln_likelihood_with_gradient(&self, portfolio: &SpendPortfolio) -> (f64, [f64; 3]) {
        let GammaGamma { p, q, v } = *self;
        let (mut sum, mut gradient) = (0.0, [0.0; 3]);
        let mut orders = None;
        let (mut constant, mut psi) = (0.0, [0.0; 2]);
        for (row, customers) in portfolio.rows() {
            let (x, shape) = (f64::from(row.orders()), p * f64::from(row.orders()));
            if orders != Some(row.orders()) {
                orders = Some(row.orders());
                constant = ln_gamma(shape + q) - ln_gamma(shape) - ln_gamma(q);
                let both = digamma(shape + q);
                psi = [both - digamma(shape), both - digamma(q)];
            }
            let weight = *customers as f64;
            let all = x * row.mean();
            let (ln_unseen, ln_seen) = ((all / v).ln_1p(), (v / all).ln_1p());
            sum += weight * (constant - q * ln_unseen - shape * ln_seen - row.mean().ln());
            gradient[0] += weight * shape * (psi[0] - ln_seen);
            gradient[1] += weight * q * (psi[1] - ln_unseen);
            gradient[2] += weight * (q - (shape + q) * v / (v + all));
        }
        (sum, gradient)
    }

    /// The mean spend of an order over all customers, p v / (q - 1). None when q is 1 or less: so
    /// heavy a tail has no mean.
    pub fn population_mean(&self) -> Option<f64> {
        (self.q > 1.0).then(|| self.p * self.v / (self.q - 1.0))
    }

    /// The expected spend of a customer's next order, given those seen: equation 5 of the note of
    /// 2013, p (v + x m) / (p x + q - 1). None when p x + q is 1 or less.
    pub fn expected(&self, of: &Spend) -> Option<f64> {
        let GammaGamma { p, q, v } = *self;
        let x = f64::from(of.orders());
        let shape = p * x + q - 1.0;
        (shape > 0.0).then(|| p * (v + x * of.mean()) / shape)
    }
}

/// What orders are worth in a portfolio: Gamma-Gamma where it could be fitted and has a mean, and
/// the pooled mean where not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpendModel {
    law: Option<GammaGamma>,
    pooled: f64,
}

impl SpendModel {
    /// Of a law, and the mean spend of all orders. None unless that is above 0 and at most
    /// [`Spend::MAX`].
    pub fn new(law: Option<GammaGamma>, pooled: f64) -> Option<SpendModel> {
        (pooled > 0.0 && pooled <= Spend::MAX).then_some(SpendModel { law, pooled })
    }

    /// Gamma-Gamma, if it could be fitted.
    pub fn law(&self) -> Option<GammaGamma> {
        self.law
    }

    /// The mean spend of all orders seen.
    pub fn pooled(&self) -> f64 {
        self.pooled
    }

    /// The expected spend of the next order of a customer with this spend so far, or of one of
    /// whom none is known; above 0.
    pub fn expected(&self, of: Option<&Spend>) -> f64 {
        let by_law = self.law.and_then(|law| match of {
            Some(spend) => law.expected(spend),
            None => law.population_mean(),
        });
        by_law.filter(|mean| mean.is_finite()).unwrap_or(self.pooled)
    }
}

/// A model of spend fitted to a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub struct SpendFit {
    /// How the fit ended. [`Limit::SameRate`] here says that all spend the same on the mean, and
    /// [`Limit::SplitRate`] that one customer's orders are all the same.
    pub outcome: Outcome,
    /// The model to predict with.
    pub model: SpendModel,
    /// The logarithm of the likelihood under Gamma-Gamma, if it could be fitted.
    pub ln_likelihood: Option<f64>,
    /// How precisely p, q and v are known. None at a boundary, and where the likelihood is too
    /// flat to tell.
    pub precision: Option<Precision>,
    /// Customers in the portfolio.
    pub customers: u64,
    /// How often the likelihood of the portfolio was computed.
    pub evaluations: u32,
}

/// Fits Gamma-Gamma by maximum likelihood. When the search does not converge, the model falls back
/// on the pooled mean.
///
/// # Errors
/// When the portfolio is empty.
pub fn fit_spend(portfolio: &SpendPortfolio) -> Result<SpendFit, FitError> {
    let customers = portfolio.customers();
    let (mut orders, mut spent) = (0.0, 0.0);
    for (row, count) in portfolio.rows() {
        let all = f64::from(row.orders()) * *count as f64;
        orders += all;
        spent += all * row.mean();
    }
    let pooled = SpendModel::new(None, spent / orders).ok_or(FitError::NoHistory)?;
    let mut evaluations = 0;
    let mut value = |logarithms: [f64; 3]| -> Value<3> {
        evaluations += 1;
        let [p, q, v] = logarithms.map(f64::exp);
        match GammaGamma::new(p, q, v) {
            Some(law) => law.ln_likelihood_with_gradient(portfolio),
            None => (f64::NAN, [f64::NAN; 3]),
        }
    };
    // The scale of spend p v / q, and the shapes within and between customers: a customer's orders
    // vary by 1 / sqrt(p), their means by some 1 / sqrt(q).
    let middle = pooled.pooled.ln();
    let space = Space {
        least: [middle - 14.0, 1e-3_f64.ln(), 1e-2_f64.ln()],
        greatest: [middle + 14.0, 1e5_f64.ln(), 1e4_f64.ln()],
    };
    let natural = |[scale, p, q]: [f64; 3]| [p, q, scale + q - p];
    let pull = |[by_p, by_q, by_v]: [f64; 3]| [by_v, by_p - by_v, by_q + by_v];
    let count = customers as f64;
    let negative = |at: &[f64; 3]| {
        let (sum, gradient) = value(natural(*at));
        (-sum / count, pull(gradient).map(|g| -g / count))
    };
    let found = minimise(negative, Start { at: [middle, 1.0, 1.0], hessian: None }, &space);
    let logarithms = natural(found.at);
    let ends = |i: usize| space.at_bound(&found.at, i);
    let outcome = match (found.converged, ends(2), ends(1)) {
        (false, ..) => Outcome::NotConverged,
        (_, (_, true), _) => Outcome::Boundary(Limit::SameRate),
        (_, _, (_, true)) => Outcome::Boundary(Limit::SplitRate),
        _ if (0..3).any(|i| ends(i).0 || ends(i).1) => Outcome::NotConverged,
        _ => Outcome::Converged,
    };
    let mut at = logarithms;
    let mut precision = None;
    if outcome == Outcome::Converged {
        let curvature = hessian(|at: &[f64; 3]| (0.0, value(*at).1.map(|g| -g)), &logarithms);
        let gradient = value(logarithms).1;
        if let Some(covariance) = inverse(&curvature) {
            // One step of Newton's method, to the last digits.
            let step = |i: usize| covariance[i].iter().zip(&gradient).map(|(c, g)| c * g).sum::<f64>();
            at = std::array::from_fn(|i| logarithms[i] + step(i).clamp(-0.1, 0.1));
            precision = Some(Precision {
                standard_errors: (0..3).map(|i| at[i].exp() * covariance[i][i].sqrt()).collect(),
                covariance_of_logarithms: covariance.iter().map(|row| row.to_vec()).collect(),
            });
        }
    }
    let [p, q, v] = at.map(f64::exp);
    let law = GammaGamma::new(p, q, v).filter(|_| outcome != Outcome::NotConverged);
    let ln_likelihood = law.map(|law| law.ln_likelihood_with_gradient(portfolio).0);
    let model = SpendModel { law, ..pooled };
    Ok(SpendFit { outcome, model, ln_likelihood, precision, customers, evaluations })
}
