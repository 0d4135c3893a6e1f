//! How well customers were foretold, judged by what followed.
//!
//! A [`Case`] is a customer with what was [`Predicted`] at a cut and what [`Followed`] within the
//! horizon. [`evaluate`] says how well the chances rank and how far they can be believed, and how
//! far off orders and spend were; [`compare`] says which of two predictors did better on the same
//! customers. A figure that does not exist, such as the rank of those who ordered where nobody did,
//! is an [`Undefined`] that says why.
//!
//! Customers of equal prediction count alike: where a tenth or a bin ends among them, each is
//! in it by the share of them that is. So no figure depends on the order of the customers, to the last bit.
//! Intervals are of 95 %.

mod amounts;
mod calibration;
mod comparison;
mod ranking;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use thiserror::Error;

pub use amounts::Amounts;
pub use calibration::Bin;
pub use comparison::{CompareError, Comparison, compare};

use super::model::Forecast;
use calibration::{calibration_error, reliability};
use ranking::{Level, area, levels, lift};

/// What was predicted of a customer for the time after the cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// The chance of one order day or more, 0 to 1.
    pub any_order: f64,
    /// The expected number of order days.
    pub orders: f64,
    /// The expected spend in all, where it was predicted.
    pub spend: Option<f64>,
}

impl From<Forecast> for Predicted {
    fn from(forecast: Forecast) -> Predicted {
        Predicted { any_order: forecast.any_order, orders: forecast.orders, spend: None }
    }
}

/// What followed within the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Followed {
    /// Order days.
    pub orders: u32,
    /// What was spent on them in all, at least 0.
    pub spend: f64,
}

/// A customer of whom both are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    predicted: Predicted,
    followed: Followed,
}

/// Why a prediction and what followed make no [`Case`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CaseError {
    /// The chance is not a number from 0 to 1.
    #[error("the chance of an order is outside 0 to 1")]
    Chance,
    /// Orders or spend are not a number from 0 to [`Case::MAX_AMOUNT`].
    #[error("orders or spend are outside 0 to {max:e}", max = Case::MAX_AMOUNT)]
    Amount,
}

impl Case {
    /// The greatest number of orders and the greatest spend; squares of it can still be summed.
    pub const MAX_AMOUNT: f64 = 1e100;

    /// A customer with what was predicted and what followed.
    ///
    /// # Errors
    /// When the chance is outside 0 to 1, or orders or spend outside 0 to [`Self::MAX_AMOUNT`].
    pub fn new(predicted: Predicted, followed: Followed) -> Result<Case, CaseError> {
        if !(0.0..=1.0).contains(&predicted.any_order) {
            return Err(CaseError::Chance);
        }
        let amounts = [Some(predicted.orders), predicted.spend, Some(followed.spend)];
        if !amounts.into_iter().flatten().all(|amount| (0.0..=Self::MAX_AMOUNT).contains(&amount)) {
            return Err(CaseError::Amount);
        }
        // Adding 0 makes a negative zero positive, so that equal predictions have equal bits.
        let predicted = Predicted {
            any_order: predicted.any_order + 0.0,
            orders: predicted.orders + 0.0,
            spend: predicted.spend.map(|spend| spend + 0.0),
        };
        Ok(Case { predicted, followed: Followed { spend: followed.spend + 0.0, ..followed } })
    }

    /// What was predicted.
    pub fn predicted(&self) -> &Predicted {
        &self.predicted
    }

    /// What followed.
    pub fn followed(&self) -> &Followed {
        &self.followed
    }

    fn ordered(&self) -> bool {
        self.followed.orders > 0
    }

    /// An order of cases in which only equal ones are equal.
    fn order(&self, other: &Case) -> Ordering {
        let numbers = |case: &Case| {
            let Predicted { any_order, orders, spend } = case.predicted;
            [any_order, orders, spend.unwrap_or(-1.0), f64::from(case.followed.orders), case.followed.spend]
        };
        let pairs = numbers(self).into_iter().zip(numbers(other));
        pairs.map(|(one, other)| one.total_cmp(&other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A figure, or why there is none.
pub type Figure<T> = Result<T, Undefined>;

/// Why a figure does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum Undefined {
    /// There is nobody to judge by.
    #[error("there are no customers")]
    NoCustomers,
    /// Nobody ordered, so there is nobody to rank above the others.
    #[error("nobody ordered")]
    NobodyOrdered,
    /// Everybody ordered, so there is nobody to rank below them.
    #[error("everybody ordered")]
    EverybodyOrdered,
    /// Only one ordered, or only one did not: nothing is known of how such customers differ.
    #[error("fewer than two ordered, or fewer than two did not")]
    TooFew,
    /// Nothing followed, so there is nothing to divide by.
    #[error("nothing followed")]
    NothingFollowed,
    /// All customers were predicted the same, or the same followed of all.
    #[error("all customers are alike")]
    AllAlike,
}

/// A figure with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure itself, within the interval.
    pub value: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Estimate {
    /// The deviation of the normal distribution beyond which 2.5 % lie on either side.
    const DEVIATION: f64 = 1.959_963_984_540_054;

    /// A figure whose error is normal, within the range that it can have.
    fn normal(value: f64, variance: f64, (least, greatest): (f64, f64)) -> Estimate {
        let reach = Self::DEVIATION * variance.sqrt();
        Estimate { value, lower: (value - reach).max(least), upper: (value + reach).min(greatest) }
    }
}

/// How well a portfolio was foretold.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The customers judged by.
    pub customers: u64,
    /// The chances of any order.
    pub any_order: Chances,
    /// The numbers of orders.
    pub orders: Amounts,
    /// The spend; none unless it was predicted for every customer.
    pub spend: Option<Amounts>,
}

/// How well chances foretold who would order.
#[derive(Clone, Debug, PartialEq)]
pub struct Chances {
    /// The mean chance.
    pub expected_rate: f64,
    /// The share of customers who ordered.
    pub actual_rate: f64,
    /// The area under the ROC curve: how often, of one who ordered and one who did not, the first
    /// had the higher chance; equal chances count half. With the interval of DeLong, DeLong and
    /// Clarke-Pearson (1988), Biometrics 44(3):837-845; where that shrinks to a point, Newcombe's.
    pub auc: Figure<Estimate>,
    /// The mean squared difference between chance and truth: Brier (1950).
    pub brier: f64,
    /// The mean of -ln of the chance given to what happened, in nats. Chances are taken no nearer
    /// to 0 or 1 than [`Chances::CLIP`], so that one customer costs 34.5 at most.
    pub log_loss: f64,
    /// The mean distance between predicted and actual rate over the bins of the reliability table,
    /// each weighed by its customers.
    pub calibration_error: f64,
    /// Ten bins of equal count by rising chance; fewer where there are fewer customers.
    pub reliability: Vec<Bin>,
    /// The rate of orders among the tenth of customers with the highest chances over that of all;
    /// the tenth is rounded up.
    pub lift: Figure<f64>,
}

impl Chances {
    /// How near to 0 or 1 a chance may come in the log-loss.
    pub const CLIP: f64 = 1e-15;

    fn of(levels: &[Level], customers: u64) -> Chances {
        let mean = |part: &dyn Fn(&Level) -> f64| levels.iter().map(part).sum::<f64>() / customers as f64;
        let reliability = reliability(levels, customers);
        Chances {
            expected_rate: mean(&|level| level.customers as f64 * level.chance).min(1.0),
            actual_rate: mean(&|level| level.ordered as f64),
            auc: area(levels),
            brier: mean(&|level| {
                level.ordered as f64 * (1.0 - level.chance).powi(2) + level.others() as f64 * level.chance.powi(2)
            }),
            log_loss: mean(&|level| {
                level.ordered as f64 * loss(level.chance, true) + level.others() as f64 * loss(level.chance, false)
            }),
            calibration_error: calibration_error(&reliability, customers),
            reliability,
            lift: lift(levels, customers),
        }
    }
}

/// What a chance costs one customer in the log-loss.
fn loss(chance: f64, ordered: bool) -> f64 {
    -(if ordered { chance } else { 1.0 - chance }).max(Chances::CLIP).ln()
}

/// Judges predictions by what followed.
///
/// # Errors
/// [`Undefined::NoCustomers`] without any.
pub fn evaluate(cases: &[Case]) -> Figure<Evaluation> {
    if cases.is_empty() {
        return Err(Undefined::NoCustomers);
    }
    // Sums of rounded numbers depend on their order, so there is one.
    let mut cases = cases.to_vec();
    cases.sort_unstable_by(Case::order);
    let customers = cases.len() as u64;
    let orders = cases.iter().map(|case| (case.predicted.orders, f64::from(case.followed.orders))).collect();
    let spend: Option<Vec<_>> =
        cases.iter().map(|case| case.predicted.spend.map(|spend| (spend, case.followed.spend))).collect();
    Ok(Evaluation {
        customers,
        any_order: Chances::of(&levels(&cases), customers),
        orders: Amounts::of(orders),
        spend: spend.map(Amounts::of),
    })
}

/// A tenth of so many, rounded up.
fn tenth(customers: u64) -> u64 {
    customers.div_ceil(10)
}
