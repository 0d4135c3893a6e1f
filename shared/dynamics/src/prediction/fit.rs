//! Fitting a model of activity to a portfolio by maximum likelihood.
//!
//! The search is over logarithms of the mean rate (or odds) of ordering and of leaving and of the
//! shapes that say how far customers differ. In these, each way in which a portfolio fails to
//! determine a model is one variable that runs away, and the fit names it.

use thiserror::Error;

use super::minimise::{Minimum, Space, Start, Value, hessian, inverse, minimise};
use super::model::{ActivityModel, Kind};
use super::nbd::Constant;
use super::summary::{Portfolio, Summary};

/// A model fitted to a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The kind of model that was asked for.
    pub asked: Kind,
    /// How the fit ended.
    pub outcome: Outcome,
    /// The model to predict with: of the kind that was asked for, or what the fit fell back on.
    pub model: ActivityModel,
    /// The logarithm of the portfolio's likelihood under that model.
    pub ln_likelihood: f64,
    /// How precisely the parameters are known. None at a boundary, and where the likelihood is too
    /// flat to tell.
    pub precision: Option<Precision>,
    /// Customers in the portfolio.
    pub customers: u64,
    /// How often the likelihood of the portfolio was computed.
    pub evaluations: u32,
}

/// How a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At a maximum inside the range of the parameters.
    Converged,
    /// A parameter ran away: the likelihood is highest in this limit.
    Boundary(Limit),
    /// The search found no maximum. The model is NBD, or the pooled rate if that was not found
    /// either.
    NotConverged,
}

/// The limits in which a portfolio no longer determines a model. Of several at once the first in
/// this order is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nobody has ordered again. The model is the pooled rate of half an order.
    NoOrders,
    /// Churn vanishes: nothing in the portfolio says that anybody leaves. The model is NBD, with
    /// the same likelihood to within [`Limit::TOLERANCE`].
    NoChurn,
    /// All who are not gone leave with the same rate or chance. The model is kept with its shape
    /// at the bound, where its predictions are those of the limit.
    SameChurn,
    /// Some leave at once and the others never. The model is kept at the bound.
    SplitChurn,
    /// All who are active order at the same rate. The model is kept at the bound; of NBD it is the
    /// pooled rate.
    SameRate,
    /// A few order and the others never do. The model is kept at the bound.
    SplitRate,
    /// Everybody leaves at once. The model is kept at the bound.
    AllLeave,
}

impl Limit {
    /// A model whose logarithm of the likelihood is not higher than its limit's by more than this
    /// is not told from the limit by the portfolio.
    pub const TOLERANCE: f64 = 0.01;
}

/// How precisely parameters are known, from the observed information: the inverse of the Hessian
/// of the negative logarithm of the likelihood, which central differences of the exact gradient give.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// The standard error of each parameter, in its unit.
    pub standard_errors: Vec<f64>,
    /// The covariance of the parameters' logarithms, by rows.
    pub covariance_of_logarithms: Vec<Vec<f64>>,
}

/// Why there is nothing to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FitError {
    /// No customer, or none seen for longer than the day of the first order.
    #[error("the portfolio has no customer with a history")]
    NoHistory,
}

/// Fits a model of this kind.
///
/// # Errors
/// When no customer has been seen for any time.
pub fn fit(kind: Kind, portfolio: &Portfolio) -> Result<Fit, FitError> {
    fit_watched(kind, portfolio, &mut |_| {})
}

/// As [`fit`]; tells `watch` each time the likelihood of the portfolio has been computed how often
/// that has been, some 20 to 60 times in all.
///
/// # Errors
/// As [`fit`].
pub fn fit_watched(kind: Kind, portfolio: &Portfolio, watch: &mut dyn FnMut(u32)) -> Result<Fit, FitError> {
    let pooled = Constant::of(portfolio).ok_or(FitError::NoHistory)?;
    let mut fitter = Fitter { portfolio, pooled, evaluations: 0, watch };
    let mut fit = fitter.fit(kind);
    fit.asked = kind;
    fit.evaluations = fitter.evaluations;
    Ok(fit)
}

struct Fitter<'a> {
    portfolio: &'a Portfolio,
    pooled: Constant,
    evaluations: u32,
    watch: &'a mut dyn FnMut(u32),
}

/// The mean rate of ordering relative to the pooled one. Those who are active hardly order less
/// than the whole portfolio.
const RATES: (f64, f64) = (1e-2, 1e6);
/// The shape of the rates: a coefficient of variation from 100 down to 0.01.
const SHAPES: (f64, f64) = (1e-4, 1e4);
/// The mean rate of leaving, per week, and the odds to leave after an order.
const CHURN: (f64, f64) = (1e-7, 1e6);
/// How many rows of a large portfolio a first search sees.
const SAMPLE: usize = 5_000;
/// A shape from which the limit in which customers are alike is looked at.
const ALIKE: f64 = 20.0;

impl Fitter<'_> {
    fn fit(&mut self, kind: Kind) -> Fit {
        let nobody_returned = self.portfolio.rows().iter().all(|(row, _)| row.repeats() == 0);
        match kind {
            Kind::Constant => self.constant(Outcome::Converged),
            _ if nobody_returned => self.constant(Outcome::Boundary(Limit::NoOrders)),
            Kind::Nbd => self.nbd(),
            Kind::ParetoNbd | Kind::BgNbd | Kind::MbgNbd => self.with_churn(kind),
        }
    }

    fn constant(&mut self, outcome: Outcome) -> Fit {
        let model = ActivityModel::constant(self.pooled.rate);
        let ln_likelihood = model.ln_likelihood_with_gradient(self.portfolio).0;
        let orders = self.portfolio.rows().iter().map(|(row, customers)| row.x() * *customers as f64).sum::<f64>();
        // The information of a Poisson rate.
        let precision = (outcome == Outcome::Converged && orders > 0.0).then(|| Precision {
            standard_errors: vec![self.pooled.rate / orders.sqrt()],
            covariance_of_logarithms: vec![vec![1.0 / orders]],
        });
        self.answer(outcome, model, ln_likelihood, precision)
    }

    fn nbd(&mut self) -> Fit {
        let rate = self.pooled.rate.ln();
        let space =
            Space { least: [rate + RATES.0.ln(), SHAPES.0.ln()], greatest: [rate + RATES.1.ln(), SHAPES.1.ln()] };
        let natural = |[mean, r]: [f64; 2]| [r, r - mean];
        let pull = |_: &[f64; 2], [by_r, by_alpha]: [f64; 2]| [-by_alpha, by_r + by_alpha];
        let best = self.search(Kind::Nbd, &space, &[[rate, 0.0]], &natural, &pull);
        if !best.converged || space.at_bound(&best.at, 0) != (false, false) {
            return self.constant(Outcome::NotConverged);
        }
        let pooled = self.constant(Outcome::Boundary(Limit::SameRate));
        if pooled.ln_likelihood >= best.ln_likelihood - Limit::TOLERANCE {
            return pooled;
        }
        match space.at_bound(&best.at, 1) {
            (true, _) => self.kept(Kind::Nbd, natural(best.at), Limit::SplitRate),
            _ => self.polished(Kind::Nbd, natural(best.at), best.ln_likelihood),
        }
    }

    fn with_churn(&mut self, kind: Kind) -> Fit {
        let nbd = self.nbd();
        let rate = self.pooled.rate.ln();
        let weeks: f64 = self.mean(Summary::age);
        let orders = self.mean(Summary::x);
        let pareto = kind == Kind::ParetoNbd;
        // The shape of the rates of leaving, or the weight a + b of the chances to leave.
        let space = Space {
            least: [rate + RATES.0.ln(), SHAPES.0.ln(), CHURN.0.ln(), SHAPES.0.ln()],
            greatest: [rate + RATES.1.ln(), SHAPES.1.ln(), CHURN.1.ln(), SHAPES.1.ln()],
        };
        let natural = move |at: [f64; 4]| {
            let [mean, r, churn, shape] = at;
            if pareto {
                return [r, r - mean, shape, shape - churn];
            }
            // a = n o / (1 + o) and b = n / (1 + o) of odds o and weight n.
            [r, r - mean, shape - (-churn).exp().ln_1p(), shape - churn.exp().ln_1p()]
        };
        let pull = move |at: &[f64; 4], [by_r, by_alpha, by_third, by_fourth]: [f64; 4]| {
            let (by_churn, by_shape) = if pareto {
                (-by_fourth, by_third + by_fourth)
            } else {
                let leaving = 1.0 / (1.0 + (-at[2]).exp());
                (by_third * (1.0 - leaving) - by_fourth * leaving, by_third + by_fourth)
            };
            [-by_alpha, by_r + by_alpha, by_churn, by_shape]
        };
        // A customer who leaves within the time seen, or after as many orders as were seen; half
        // of them, then nearly all.
        let churn = if pareto { (1.0 / weeks).ln() } else { (1.0 / (1.0 + orders)).ln() };
        let starts = [[rate + 0.5, -0.3, churn - 0.7, 0.0], [rate + 1.5, -1.0, churn + 1.0, -0.7]];
        let mut best = self.search(kind, &space, &starts[..1], &natural, &pull);
        if !best.converged || best.ln_likelihood < nbd.ln_likelihood + Limit::TOLERANCE {
            let again = self.search(kind, &space, &starts[1..], &natural, &pull);
            let better = again.ln_likelihood > best.ln_likelihood || !best.converged;
            best = if again.converged && better { again } else { best };
        }
        if best.converged && best.ln_likelihood <= nbd.ln_likelihood + Limit::TOLERANCE {
            return Fit { outcome: Outcome::Boundary(Limit::NoChurn), precision: None, ..nbd };
        }
        // A mean rate at its bound is no limit that has a name.
        if !best.converged || space.at_bound(&best.at, 0) != (false, false) {
            return Fit { outcome: Outcome::NotConverged, precision: None, ..nbd };
        }
        self.limit_of(kind, best, &space, &natural)
    }

    /// Whether a shape has run away, or nearly so; otherwise the maximum, polished.
    fn limit_of(&mut self, kind: Kind, best: Best<4>, space: &Space<4>, natural: &dyn Fn([f64; 4]) -> [f64; 4]) -> Fit {
        for (i, alike, split) in [(3, Limit::SameChurn, Limit::SplitChurn), (1, Limit::SameRate, Limit::SplitRate)] {
            match space.at_bound(&best.at, i) {
                (true, _) => return self.kept(kind, natural(best.at), split),
                (_, true) => return self.kept(kind, natural(best.at), alike),
                _ if best.at[i] < ALIKE.ln() => {}
                _ => {
                    let mut there = best.at;
                    there[i] = space.greatest[i];
                    if self.value(kind, natural(there)).0 >= best.ln_likelihood - Limit::TOLERANCE {
                        return self.kept(kind, natural(there), alike);
                    }
                }
            }
        }
        match space.at_bound(&best.at, 2) {
            (_, true) => self.kept(kind, natural(best.at), Limit::AllLeave),
            _ => self.polished(kind, natural(best.at), best.ln_likelihood),
        }
    }

    /// The best maximum from several starts.
    fn search<const N: usize>(
        &mut self,
        kind: Kind,
        space: &Space<N>,
        starts: &[[f64; N]],
        natural: &dyn Fn([f64; N]) -> [f64; N],
        pull: &Pull<'_, N>,
    ) -> Best<N> {
        let mut best = Best { at: [0.0; N], ln_likelihood: f64::NEG_INFINITY, converged: false };
        let sample = self.sample();
        for start in starts {
            let mut start = Start { at: *start, hessian: None };
            if let Some(sample) = &sample {
                let mut negative = per_customer(sample, pull, |at| likelihood(kind, sample, natural(*at)));
                let found = minimise(&mut negative, start, space);
                if found.converged {
                    let curvature = hessian(negative, &found.at);
                    // Where a variable is at its bound, or nearly so, the curvature is not safe.
                    start = Start { at: found.at, hessian: inverse(&curvature).map(|_| curvature) };
                }
            }
            let portfolio = self.portfolio;
            let negative = per_customer(portfolio, pull, |at| self.value(kind, natural(*at)));
            let Minimum { at, value, converged } = minimise(negative, start, space);
            let ln_likelihood = -value * portfolio.customers() as f64;
            if (converged, ln_likelihood) > (best.converged, best.ln_likelihood) {
                best = Best { at, ln_likelihood, converged };
            }
        }
        best
    }

    /// A part of a large portfolio, on which a search is cheap and ends near the same maximum. As
    /// rows are in order, every so manieth is a fair share of each kind of customer.
    fn sample(&self) -> Option<Portfolio> {
        let step = self.portfolio.rows().len() / SAMPLE;
        (step >= 4).then(|| self.portfolio.thinned(step))
    }

    /// The logarithm of the likelihood at these logarithms of parameters, and its gradient.
    fn value<const N: usize>(&mut self, kind: Kind, logarithms: [f64; N]) -> Value<N> {
        self.evaluations += 1;
        (self.watch)(self.evaluations);
        likelihood(kind, self.portfolio, logarithms)
    }

    /// A model in its limit.
    fn kept<const N: usize>(&mut self, kind: Kind, logarithms: [f64; N], limit: Limit) -> Fit {
        let Some(model) = ActivityModel::new(kind, &logarithms.map(f64::exp)) else {
            return self.constant(Outcome::NotConverged);
        };
        let (ln_likelihood, _) = self.value(kind, logarithms);
        self.answer(Outcome::Boundary(limit), model, ln_likelihood, None)
    }

    /// One step of Newton's method from a maximum, to its last digits; and what the curvature says
    /// of the precision.
    fn polished<const N: usize>(&mut self, kind: Kind, logarithms: [f64; N], ln_likelihood: f64) -> Fit {
        let negative = |(value, gradient): Value<N>| (-value, gradient.map(|g| -g));
        let curvature = hessian(|at| negative(self.value(kind, *at)), &logarithms);
        let covariance = inverse(&curvature);
        let (mut at, mut highest) = (logarithms, ln_likelihood);
        if let Some(covariance) = &covariance {
            let (_, gradient) = self.value(kind, logarithms);
            let step = |i: usize| covariance[i].iter().zip(&gradient).map(|(c, g)| c * g).sum::<f64>();
            let next = std::array::from_fn(|i| logarithms[i] + step(i).clamp(-0.1, 0.1));
            let (value, _) = self.value(kind, next);
            // Rounding of a long sum must not keep the better digits out.
            if value >= highest - 1e-12 * highest.abs() {
                (at, highest) = (next, value);
            }
        }
        let Some(model) = ActivityModel::new(kind, &at.map(f64::exp)) else {
            return self.constant(Outcome::NotConverged);
        };
        let precision = covariance.map(|covariance| Precision {
            standard_errors: (0..N).map(|i| at[i].exp() * covariance[i][i].sqrt()).collect(),
            covariance_of_logarithms: covariance.iter().map(|row| row.to_vec()).collect(),
        });
        self.answer(Outcome::Converged, model, highest, precision)
    }

    fn answer(&self, outcome: Outcome, model: ActivityModel, ln_likelihood: f64, precision: Option<Precision>) -> Fit {
        let customers = self.portfolio.customers();
        Fit { asked: model.kind(), outcome, model, ln_likelihood, precision, customers, evaluations: self.evaluations }
    }

    fn mean(&self, part: fn(&Summary) -> f64) -> f64 {
        let rows = self.portfolio.rows().iter();
        rows.map(|(row, customers)| *customers as f64 * part(row)).sum::<f64>() / self.portfolio.customers() as f64
    }
}

/// The logarithm of a portfolio's likelihood at these logarithms of parameters, and its gradient;
/// no number where there is no such model.
fn likelihood<const N: usize>(kind: Kind, portfolio: &Portfolio, logarithms: [f64; N]) -> Value<N> {
    let Some(model) = ActivityModel::new(kind, &logarithms.map(f64::exp)) else {
        return (f64::NAN, [f64::NAN; N]);
    };
    let (value, gradient) = model.ln_likelihood_with_gradient(portfolio);
    (value, std::array::from_fn(|i| gradient[i]))
}

/// What to minimise: the negative of one customer's mean, so that tolerances mean the same for
/// every portfolio.
fn per_customer<const N: usize>(
    portfolio: &Portfolio,
    pull: &Pull<'_, N>,
    mut likelihood: impl FnMut(&[f64; N]) -> Value<N>,
) -> impl FnMut(&[f64; N]) -> Value<N> {
    let customers = portfolio.customers() as f64;
    move |at| {
        let (value, gradient) = likelihood(at);
        (-value / customers, pull(at, gradient).map(|g| -g / customers))
    }
}

/// A gradient by the logarithms of parameters as one by the variables of the search, at these.
type Pull<'a, const N: usize> = dyn Fn(&[f64; N], [f64; N]) -> [f64; N] + 'a;

struct Best<const N: usize> {
    at: [f64; N],
    ln_likelihood: f64,
    converged: bool,
}
