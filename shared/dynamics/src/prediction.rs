//! What a customer will probably do next, from orders and what else is known at the time.
//!
//! A customer's orders come down to a [`Summary`], what was spent to a [`Spend`]; a portfolio is a
//! count of them ([`Tally`]). [`fit`] finds the parameters of a [`Kind`] of model and says how it
//! ended, whatever the portfolio; [`ActivityModel`] then answers for each customer: the chance of
//! an order within a horizon, the orders expected in it, and all residual orders discounted.
//! [`fit_spend`] does the same for what an order is worth, and [`choose`] picks the kind that
//! foretells time held back best. Time is in weeks. [`evaluation`] judges predictions of any origin
//! by what followed, beside the rules of thumb of [`naive`].
//!
//! A [`Trainer`] fits all of it for a tenant and learns, from earlier cuts of the tenant's own
//! history, how the rest of what a [`Past`] says corrects the model of activity. What comes of it is
//! a [`Predictor`]; its [`Prediction`]s say what moved them, and by how much.
//!
//! ```
//! use dynamics::prediction::{Discount, Kind, Summary, Tally, fit, residual_value};
//!
//! let mut portfolio = Tally::default();
//! for (orders, last_day) in [(1, 0), (1, 0), (2, 30), (1, 0), (5, 200), (3, 45), (9, 270), (1, 0)] {
//!     portfolio.add(Summary::of_days(orders, 0, last_day, 280)?, 1);
//! }
//! let fit = fit(Kind::ParetoNbd, &portfolio.finish())?;
//! let customer = Summary::of_days(9, 0, 270, 280)?;
//! let forecast = fit.model.forecast(&customer, 13.0);
//! assert!(forecast.any_order > 0.5 && forecast.orders > forecast.any_order);
//! let discount = Discount::per_year(0.15).ok_or("not a rate")?;
//! let worth = residual_value(fit.model.residual_orders(&customer, discount), 20.0, 0.3);
//! assert!(worth > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod encoding;
pub mod evaluation;
mod fit;
mod forecaster;
mod functions;
mod gain;
mod geometric;
mod history;
mod layer;
mod minimise;
mod model;
pub mod naive;
mod nbd;
mod pareto;
mod plan;
mod predictor;
mod regression;
mod spend;
mod summary;
#[cfg(test)]
mod tests;
mod training;

pub use choice::{Candidate, HeldBack, Score, Trial, choose, score};
pub use fit::{Fit, FitError, Limit, Outcome, Precision, fit, fit_watched};
pub use forecaster::Forecaster;
pub use gain::Gain;
pub use history::{Feature, Features, Known, OrderDay, Past, PastError};
pub use layer::{Correction, Term};
pub use model::{ActivityModel, Discount, Forecast, Kind};
pub use plan::{Plan, PlanError};
pub use predictor::{Estimate, Moved, PartsError, Prediction, Predictor, PredictorParts, Uncertainty};
pub use spend::{GammaGamma, SpendFit, SpendModel, fit_spend};
pub use summary::{Counted, DAYS_PER_WEEK, Portfolio, Spend, SpendPortfolio, Summary, SummaryError, Tally};
pub use training::{Comparison, LayerOutcome, Level, Progress, Trained, Trainer};

/// Residual lifetime value: residual orders times the expected spend of one, times the margin that
/// is kept of it (1 for revenue). Fader, Hardie and Lee (2005), *RFM and CLV*, equation 2: spend
/// does not depend on how often one orders.
pub fn residual_value(residual_orders: f64, expected_spend: f64, margin: f64) -> f64 {
    residual_orders * expected_spend * margin
}
