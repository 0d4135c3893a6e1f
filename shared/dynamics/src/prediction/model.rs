//! One fitted model of activity, whichever it is.

use super::geometric::{BetaGeometric, Geometric};
use super::nbd::{Constant, Nbd};
use super::pareto::ParetoNbd;
use super::summary::{Portfolio, Summary};

/// Which model of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Customers leave at any time, each at a rate of their own.
    ParetoNbd,
    /// Customers leave after a repeat order, each with a chance of their own.
    BgNbd,
    /// As [`Kind::BgNbd`], but the first order may be the last.
    MbgNbd,
    /// Nobody leaves; rates of ordering differ.
    Nbd,
    /// Nobody leaves, and all order at one rate: the pooled rate of the portfolio.
    Constant,
}

impl Kind {
    /// All of them, the richer first.
    pub const ALL: [Kind; 5] = [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd, Kind::Nbd, Kind::Constant];

    /// A lower-case name that is safe to store.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ParetoNbd => "pareto_nbd",
            Kind::BgNbd => "bg_nbd",
            Kind::MbgNbd => "mbg_nbd",
            Kind::Nbd => "nbd",
            Kind::Constant => "constant",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The names of the parameters, in the order of [`ActivityModel::parameters`]. `alpha` and
    /// `beta` are in weeks, `rate` is per week, the others have no unit.
    pub fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Kind::ParetoNbd => &["r", "alpha", "s", "beta"],
            Kind::BgNbd | Kind::MbgNbd => &["r", "alpha", "a", "b"],
            Kind::Nbd => &["r", "alpha"],
            Kind::Constant => &["rate"],
        }
    }
}

/// What a customer is expected to do within a horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The chance of being active at the cut, 0 to 1. Never rank by it: in BG/NBD it is 1 for
    /// every customer with one order.
    pub alive: f64,
    /// The chance of one order day or more within the horizon, 0 to `alive`.
    pub any_order: f64,
    /// The expected number of order days within the horizon, at least `any_order`.
    pub orders: f64,
}

/// What a customer who is active at the cut is expected to do within a horizon. It depends on the
/// repeats and the age alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IfActive {
    pub(super) any_order: f64,
    pub(super) orders: f64,
}

impl IfActive {
    /// With the chance of being active.
    pub(super) fn forecast(self, alive: f64) -> Forecast {
        let any_order = alive * at_most_one(self.any_order);
        // More orders are never fewer than one or more; rounding alone could say so.
        Forecast { alive, any_order, orders: (alive * self.orders).max(any_order) }
    }
}

/// What rounding has left just outside a probability's range, put back.
pub(super) fn at_most_one(probability: f64) -> f64 {
    probability.clamp(0.0, 1.0)
}

/// A continuous discount rate δ per week: an order after u weeks counts e^(-δu).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discount(f64);

impl Discount {
    /// The lowest rate; below it the future of a customer who never leaves counts without bound.
    pub const MIN: f64 = 1e-6;
    /// The highest rate: a week later next to nothing counts.
    pub const MAX: f64 = 10.0;
    /// Weeks in a year, as the literature discounts.
    pub const WEEKS_PER_YEAR: f64 = 52.0;

    /// So much per week, from [`Self::MIN`] to [`Self::MAX`].
    pub fn per_week(rate: f64) -> Option<Discount> {
        (Self::MIN..=Self::MAX).contains(&rate).then_some(Discount(rate))
    }

    /// From the effective rate of a year, such as 0.15: δ = ln(1 + rate) / 52.
    pub fn per_year(rate: f64) -> Option<Discount> {
        Discount::per_week(rate.ln_1p() / Self::WEEKS_PER_YEAR)
    }

    /// δ, per week.
    pub fn rate(self) -> f64 {
        self.0
    }
}

/// A model of activity with its parameters. Whatever it is asked, it answers with finite numbers
/// in the ranges that are stated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivityModel(Law);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    ParetoNbd(ParetoNbd),
    BgNbd(BetaGeometric),
    MbgNbd(BetaGeometric),
    Nbd(Nbd),
    Constant(Constant),
}

impl ActivityModel {
    /// The least value of a parameter.
    pub const MIN_PARAMETER: f64 = 1e-12;
    /// The greatest value of a parameter.
    pub const MAX_PARAMETER: f64 = 1e12;
    /// The longest horizon, in weeks; a longer one counts as this.
    pub const MAX_HORIZON: f64 = 100_000.0;

    /// The model of this kind with these parameters, named by [`Kind::parameter_names`]. None
    /// unless there are as many, each from [`Self::MIN_PARAMETER`] to [`Self::MAX_PARAMETER`].
    pub fn new(kind: Kind, parameters: &[f64]) -> Option<ActivityModel> {
        let allowed = Self::MIN_PARAMETER..=Self::MAX_PARAMETER;
        if !parameters.iter().all(|parameter| allowed.contains(parameter)) {
            return None;
        }
        let law = match (kind, parameters) {
            (Kind::ParetoNbd, &[r, alpha, s, beta]) => Law::ParetoNbd(ParetoNbd { r, alpha, s, beta }),
            (Kind::BgNbd, &[r, alpha, a, b]) => Law::BgNbd(BetaGeometric { r, alpha, a, b }),
            (Kind::MbgNbd, &[r, alpha, a, b]) => Law::MbgNbd(BetaGeometric { r, alpha, a, b }),
            (Kind::Nbd, &[r, alpha]) => Law::Nbd(Nbd { r, alpha }),
            (Kind::Constant, &[rate]) => Law::Constant(Constant { rate }),
            _ => return None,
        };
        Some(ActivityModel(law))
    }

    /// One rate for all, or the nearest that is allowed.
    pub(super) fn constant(rate: f64) -> ActivityModel {
        ActivityModel(Law::Constant(Constant { rate: rate.clamp(Self::MIN_PARAMETER, Self::MAX_PARAMETER) }))
    }

    /// Which model it is.
    pub fn kind(&self) -> Kind {
        match self.0 {
            Law::ParetoNbd(_) => Kind::ParetoNbd,
            Law::BgNbd(_) => Kind::BgNbd,
            Law::MbgNbd(_) => Kind::MbgNbd,
            Law::Nbd(_) => Kind::Nbd,
            Law::Constant(_) => Kind::Constant,
        }
    }

    /// The parameters, named by [`Kind::parameter_names`].
    pub fn parameters(&self) -> Vec<f64> {
        match self.0 {
            Law::ParetoNbd(at) => vec![at.r, at.alpha, at.s, at.beta],
            Law::BgNbd(at) | Law::MbgNbd(at) => vec![at.r, at.alpha, at.a, at.b],
            Law::Nbd(at) => vec![at.r, at.alpha],
            Law::Constant(at) => vec![at.rate],
        }
    }

    /// The logarithm of the density of the times of this customer's repeat orders, up to the cut.
    pub fn ln_likelihood(&self, of: &Summary) -> f64 {
        match self.0 {
            Law::ParetoNbd(at) => at.ln_likelihood(of),
            Law::BgNbd(at) => Geometric { at, first: 0 }.ln_likelihood(of),
            Law::MbgNbd(at) => Geometric { at, first: 1 }.ln_likelihood(of),
            Law::Nbd(at) => at.ln_likelihood(of),
            Law::Constant(at) => at.ln_likelihood(of),
        }
    }

    /// The logarithm of a portfolio's likelihood, and its derivatives by the logarithms of the
    /// parameters. They are exact; the constant rate's is 0 where it has been fitted.
    pub fn ln_likelihood_with_gradient(&self, portfolio: &Portfolio) -> (f64, Vec<f64>) {
        let with = |(sum, gradient): (f64, [f64; 4])| (sum, gradient.to_vec());
        match self.0 {
            Law::ParetoNbd(at) => with(at.total(portfolio)),
            Law::BgNbd(at) => with(Geometric { at, first: 0 }.total(portfolio)),
            Law::MbgNbd(at) => with(Geometric { at, first: 1 }.total(portfolio)),
            Law::Nbd(at) => {
                let (sum, gradient) = at.total(portfolio);
                (sum, gradient.to_vec())
            }
            Law::Constant(at) => {
                let rows = portfolio.rows().iter().map(|(row, customers)| (row, *customers as f64));
                rows.fold((0.0, vec![0.0]), |(sum, gradient), (row, weight)| {
                    let slope = row.x() - at.rate * row.age();
                    (sum + weight * at.ln_likelihood(row), vec![gradient[0] + weight * slope])
                })
            }
        }
    }

    /// The chance of being active at the cut, 0 to 1. Not a ranking: see [`Forecast::alive`].
    pub fn alive(&self, of: &Summary) -> f64 {
        self.alive_with(of, self.at_last(of), self.at_cut(of))
    }

    /// What this customer is expected to do within so many weeks after the cut. A horizon below 0
    /// or that is no number counts as 0, one above [`Self::MAX_HORIZON`] as that.
    pub fn forecast(&self, of: &Summary, weeks: f64) -> Forecast {
        self.if_active(of, weeks).forecast(self.alive(of))
    }

    /// What the chance of being active needs of the repeats and the last order alone, where it does.
    pub(super) fn at_last(&self, of: &Summary) -> Option<f64> {
        match self.0 {
            Law::ParetoNbd(at) => at.tail(of, of.last()),
            _ => None,
        }
    }

    /// What the chance of being active needs of the repeats and the age alone, where it does.
    pub(super) fn at_cut(&self, of: &Summary) -> Option<f64> {
        match self.0 {
            Law::ParetoNbd(at) => at.tail(of, of.age()),
            Law::BgNbd(at) => Some(Geometric { at, first: 0 }.ln_odds_of(of)),
            Law::MbgNbd(at) => Some(Geometric { at, first: 1 }.ln_odds_of(of)),
            Law::Nbd(_) | Law::Constant(_) => None,
        }
    }

    /// The chance of being active with both.
    pub(super) fn alive_with(&self, of: &Summary, at_last: Option<f64>, at_cut: Option<f64>) -> f64 {
        match (self.0, at_cut) {
            (Law::ParetoNbd(at), _) => at.alive(of, at_last, at_cut),
            (Law::BgNbd(at), Some(ln_odds)) => Geometric { at, first: 0 }.alive(of, ln_odds),
            (Law::MbgNbd(at), Some(ln_odds)) => Geometric { at, first: 1 }.alive(of, ln_odds),
            _ => 1.0,
        }
    }

    /// What follows given that the customer is active.
    pub(super) fn if_active(&self, of: &Summary, weeks: f64) -> IfActive {
        let weeks = if weeks > 0.0 { weeks.min(Self::MAX_HORIZON) } else { 0.0 };
        match self.0 {
            Law::ParetoNbd(at) => at.if_active(of, weeks),
            Law::BgNbd(at) => Geometric { at, first: 0 }.if_active(of, weeks),
            Law::MbgNbd(at) => Geometric { at, first: 1 }.if_active(of, weeks),
            Law::Nbd(at) => at.if_active(of, weeks),
            Law::Constant(at) => at.if_active(weeks),
        }
    }

    /// The repeat orders expected of a customer within so many weeks after the first order.
    pub fn orders_of_new_customer(&self, weeks: f64) -> f64 {
        self.forecast(&Summary::NEW, weeks).orders
    }

    /// All orders still to come, discounted: the present number of residual orders. Times the
    /// expected spend of an order it is the residual lifetime value.
    pub fn residual_orders(&self, of: &Summary, discount: Discount) -> f64 {
        match self.0 {
            Law::ParetoNbd(at) => at.residual_orders(of, self.alive(of), discount.0),
            Law::BgNbd(at) => Geometric { at, first: 0 }.residual_orders(of, self.alive(of), discount.0),
            Law::MbgNbd(at) => Geometric { at, first: 1 }.residual_orders(of, self.alive(of), discount.0),
            Law::Nbd(at) => at.residual_orders(of, discount.0),
            Law::Constant(at) => at.residual_orders(discount.0),
        }
    }
}
