//! One fit of a tenant, and what it says of a customer.

use thiserror::Error;

use super::history::Past;
use super::layer::{Answer, Corrected, Correction, SUREST, chance, ln_odds, ln_orders};
use super::model::ActivityModel;
use super::spend::{GammaGamma, SpendModel};
use super::summary::{DAYS_PER_WEEK, Spend, Summary};

/// How sure the parameters of the model of activity are.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// The model whose parameters they are: the one that predicts, or where its fit is at a
    /// boundary and so has no precision, NBD or the pooled rate.
    pub model: ActivityModel,
    /// The covariance of the logarithms of its parameters, by rows.
    pub covariance_of_logarithms: Vec<f64>,
}

/// All numbers of a [`Predictor`], to be stored and put back.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictorParts {
    /// The horizon that the corrections were trained for, in days.
    pub horizon_days: u32,
    /// The model of activity.
    pub activity: ActivityModel,
    /// How sure its parameters are; none where that is not known.
    pub uncertainty: Option<Uncertainty>,
    /// The model of spend; none where nothing was spent.
    pub spend: Option<SpendModel>,
    /// The covariance of the logarithms of p, q and v, by rows; none where that is not known.
    pub spend_covariance: Option<Vec<f64>>,
    /// The correction of the chance of any order, where it won.
    pub chance: Option<Correction>,
    /// The correction of the expected orders, where it won.
    pub orders: Option<Correction>,
    /// Whether the expected spend takes that correction over: it does where that wins too.
    pub spend_follows_orders: bool,
}

/// Why parts are no [`Predictor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the {0} of a predictor is not as it was read out")]
pub struct PartsError(&'static str);

/// One fit of a tenant: the model of activity, the model of spend, and the corrections that won.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictor(PredictorParts);

/// What a customer will probably do within a horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The chance of being active at the cut as the model of activity has it, 0 to 1. Never rank
    /// by it.
    pub alive: f64,
    /// The chance of one order day or more, between 0 and 1, neither included.
    pub any_order: Estimate,
    /// The expected number of order days, at least the chance of any.
    pub orders: Estimate,
    /// The expected spend, at least 0: the expected orders times the expected spend of one. The
    /// orders are the corrected ones where [`PredictorParts::spend_follows_orders`], else those of
    /// the model of activity.
    pub spend: Estimate,
    /// The log-odds of [`Self::any_order`] as the model of activity alone has it.
    pub base_ln_odds: f64,
    /// The logarithm of [`Self::orders`] as the model of activity alone has it.
    pub base_ln_orders: f64,
    /// What moved both from there, the strongest on the log-odds first. They add up: the log-odds
    /// and the logarithm of the orders are the base and the sum of all, to within 1e-9.
    pub contributions: Vec<Moved>,
}

/// A figure with its 95 % interval, from what is uncertain in the parameters of the fit, not from
/// chance in what the customer does: with ever more customers to learn from it closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What moved a prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// What it is, for people: the name of a feature, or one of the names below.
    pub name: &'static str,
    /// What it adds to the log-odds of any order.
    pub ln_odds: f64,
    /// What it adds to the logarithm of the expected orders.
    pub ln_orders: f64,
}

impl Moved {
    /// What all customers have in common: the level of recent time.
    pub const LEVEL: &'static str = "general level of recent time";
    /// The model of activity was too sure, or not sure enough.
    pub const FORECAST: &'static str = "forecast of the activity model";
    /// Expected orders are never fewer than the chance of one.
    pub const AT_LEAST: &'static str = "at least as many orders as the chance of one";
    /// Chances and corrections are kept from what nobody can know.
    pub const BOUND: &'static str = "bound of certainty";
}

/// By how much a logarithm is moved to see what depends on it.
const STEP: f64 = 1e-3;
/// The normal deviate of 95 %.
const DEVIATE: f64 = 1.959_963_984_540_054;
/// The widest half of an interval, of log-odds or a logarithm.
const WIDEST: f64 = 30.0;
/// The most that a correction adds to log-odds or to a logarithm, either way.
const MOST: f64 = 6.0;

impl Predictor {
    /// From parts as [`Self::parts`] gave them.
    ///
    /// # Errors
    /// When a number is out of its range or a size does not fit.
    pub fn from_parts(parts: PredictorParts) -> Result<Predictor, PartsError> {
        let square = |covariance: &[f64], size: usize| {
            covariance.len() == size * size && covariance.iter().all(|value| value.is_finite())
        };
        if parts.horizon_days == 0 {
            return Err(PartsError("horizon"));
        }
        let known = parts.uncertainty.as_ref();
        if known.is_some_and(|known| !square(&known.covariance_of_logarithms, known.model.parameters().len())) {
            return Err(PartsError("uncertainty"));
        }
        let lawless = parts.spend.is_none_or(|spend| spend.law().is_none());
        if parts.spend_covariance.as_ref().is_some_and(|covariance| lawless || !square(covariance, 3)) {
            return Err(PartsError("covariance of spend"));
        }
        for (correction, name) in [(&parts.chance, "correction of the chance"), (&parts.orders, "correction of orders")]
        {
            let Some(correction) = correction else { continue };
            let fine = correction.terms.iter().all(|term| {
                let numbers = [term.mean, term.deviation, term.least, term.greatest, term.weight];
                numbers.iter().all(|number| number.is_finite()) && term.deviation > 0.0 && term.least <= term.greatest
            });
            if !fine || !correction.level.is_finite() || !square(&correction.covariance, correction.terms.len() + 1) {
                return Err(PartsError(name));
            }
        }
        Ok(Predictor(parts))
    }

    /// All its numbers.
    pub fn parts(&self) -> &PredictorParts {
        &self.0
    }

    /// The model of activity.
    pub fn activity(&self) -> &ActivityModel {
        &self.0.activity
    }

    /// The model of spend; none where nothing was spent.
    pub fn spend(&self) -> Option<&SpendModel> {
        self.0.spend.as_ref()
    }

    /// The horizon that the corrections were trained for, in days. Others are served too; see
    /// [`Self::predict`].
    pub fn horizon_days(&self) -> u32 {
        self.0.horizon_days
    }

    /// What a customer with this past will probably do within so many weeks after the cut. A
    /// horizon below 0 or that is no number counts as 0, one above [`ActivityModel::MAX_HORIZON`]
    /// as that.
    ///
    /// The corrections are learned for one horizon H. For another, t, that of the chance holds on
    /// the scale of the cumulative hazard -ln(1 - p): it multiplies that of the model of activity
    /// at t by what it does at H, and each contribution is scaled alike. That of the orders is the
    /// same factor at every horizon. So both grow with the horizon.
    pub fn predict(&self, past: &Past<'_>, horizon_weeks: f64) -> Prediction {
        let parts = &self.0;
        let trained = f64::from(parts.horizon_days) / DAYS_PER_WEEK;
        let summary = past.summary();
        let (base, at_trained) =
            (parts.activity.forecast(&summary, horizon_weeks), parts.activity.forecast(&summary, trained));
        let features = past.features();
        let corrected = |answer: Answer, correction: &Option<Correction>| {
            let offset = answer.offset(&at_trained);
            correction.as_ref().map(|correction| correction.of(&features, offset))
        };
        let by_chance = corrected(Answer::Chance, &parts.chance);
        let by_orders = corrected(Answer::Orders, &parts.orders);
        let [of_odds, of_orders] = self.variances(&summary, trained);

        let mut moved = Movements::default();
        let (base_ln_odds, base_ln_orders) = (ln_odds(base.any_order), ln_orders(base.orders));
        let told = |sum: f64| transferred(at_trained.any_order, base.any_order, sum);
        let shift = by_chance.as_ref().map_or(0.0, |correction| correction.sum.clamp(-MOST, MOST));
        let value = told(shift);
        let total = ln_odds(value) - base_ln_odds;
        if let (Some(found), Some(correction)) = (&by_chance, &parts.chance) {
            moved.add(correction, found, total, |moved| &mut moved.ln_odds);
        }
        let spread = |found: &Option<Corrected>, variance: f64| {
            let (slope, own) = found.as_ref().map_or((1.0, 0.0), |found| (found.slope, found.variance));
            (DEVIATE * (slope * slope * variance + own).sqrt()).min(WIDEST)
        };
        let odds_spread = spread(&by_chance, of_odds);
        let any_order =
            Estimate { value, low: told(shift - odds_spread).min(value), high: told(shift + odds_spread).max(value) };

        let shift = by_orders.as_ref().map_or(0.0, |correction| correction.sum.clamp(-MOST, MOST));
        if let (Some(found), Some(correction)) = (&by_orders, &parts.orders) {
            moved.add(correction, found, shift, |moved| &mut moved.ln_orders);
        }
        let unbound = base_ln_orders + shift;
        let ln_value = unbound.max(value.ln());
        if ln_value > unbound {
            moved.of(Moved::AT_LEAST).ln_orders = ln_value - unbound;
        }
        let orders_spread = spread(&by_orders, of_orders);
        let orders = Estimate {
            value: ln_value.exp().max(value),
            low: (ln_value - orders_spread).exp().max(any_order.low),
            high: (ln_value + orders_spread).exp().max(any_order.high),
        };
        let (of_spend, spend_spread) = match parts.spend_follows_orders {
            true => (orders.value, orders_spread),
            false => (base_ln_orders.exp(), spread(&None, of_orders)),
        };
        let spend = self.spend_of(past.spend().as_ref(), of_spend, spend_spread);
        let contributions = moved.sorted();
        Prediction { alive: base.alive, any_order, orders, spend, base_ln_odds, base_ln_orders, contributions }
    }

    /// The variances of the log-odds of the chance and of the logarithm of the orders, as the
    /// parameters of the model of activity are uncertain, by the delta method.
    fn variances(&self, summary: &Summary, weeks: f64) -> [f64; 2] {
        let Some(known) = &self.0.uncertainty else { return [0.0; 2] };
        let parameters = known.model.parameters();
        let size = parameters.len();
        let slopes: Vec<[f64; 2]> = (0..size)
            .map(|i| {
                let beside = |offset: f64| {
                    let mut moved = parameters.clone();
                    moved[i] *= offset.exp();
                    let model = ActivityModel::new(known.model.kind(), &moved).unwrap_or(known.model);
                    let forecast = model.forecast(summary, weeks);
                    [ln_odds(forecast.any_order), ln_orders(forecast.orders)]
                };
                let (above, below) = (beside(STEP), beside(-STEP));
                [0, 1].map(|k| (above[k] - below[k]) / (2.0 * STEP))
            })
            .collect();
        quadratic(&known.covariance_of_logarithms, &slopes)
    }

    fn spend_of(&self, spent: Option<&Spend>, orders: f64, orders_spread: f64) -> Estimate {
        let Some(model) = &self.0.spend else { return Estimate { value: 0.0, low: 0.0, high: 0.0 } };
        let mean = model.expected(spent);
        let mut variance = 0.0;
        if let (Some(law), Some(covariance)) = (model.law(), &self.0.spend_covariance) {
            let slope = |i: usize| {
                let beside = |offset: f64| {
                    let mut moved = law.parameters();
                    moved[i] *= offset.exp();
                    let law = GammaGamma::new(moved[0], moved[1], moved[2]);
                    SpendModel::new(law, model.pooled()).unwrap_or(*model).expected(spent).ln()
                };
                [(beside(STEP) - beside(-STEP)) / (2.0 * STEP), 0.0]
            };
            variance = quadratic(covariance, &[0, 1, 2].map(slope))[0];
        }
        let value = orders * mean;
        let spread = (orders_spread * orders_spread + DEVIATE * DEVIATE * variance).sqrt();
        Estimate { value, low: value * (-spread).exp(), high: (value * spread.exp()).min(f64::MAX) }
    }
}

/// The chance at a horizon where the model of activity says `base`, after a shift of log-odds
/// learned at a horizon where it says `trained`.
fn transferred(trained: f64, base: f64, shift: f64) -> f64 {
    if shift == 0.0 {
        return base.clamp(SUREST, 1.0 - SUREST);
    }
    let hazard = |chance: f64| -(-chance.clamp(SUREST, 1.0 - SUREST)).ln_1p();
    let shifted = chance(ln_odds(trained) + shift);
    let factor = hazard(shifted) / hazard(trained);
    (-(-factor * hazard(base)).exp_m1()).clamp(SUREST, 1.0 - SUREST)
}

/// gᵀ C g for each of two gradients.
fn quadratic(covariance: &[f64], slopes: &[[f64; 2]]) -> [f64; 2] {
    let size = slopes.len();
    [0, 1].map(|k| {
        let at = |i: usize, j: usize| slopes[i][k] * covariance[i * size + j] * slopes[j][k];
        let sum: f64 = (0..size).map(|i| (0..size).map(|j| at(i, j)).sum::<f64>()).sum();
        if sum.is_finite() { sum.clamp(0.0, 100.0) } else { 100.0 }
    })
}

#[derive(Default)]
struct Movements(Vec<Moved>);

impl Movements {
    fn of(&mut self, name: &'static str) -> &mut Moved {
        let place = self.0.iter().position(|moved| moved.name == name).unwrap_or_else(|| {
            self.0.push(Moved { name, ln_odds: 0.0, ln_orders: 0.0 });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// Splits what a correction adds in all among its terms, by what each adds to its sum. Where
    /// that sum is next to 0 and the parts cancel, or a bound has cut it, the rest is named.
    fn add(&mut self, correction: &Correction, found: &Corrected, total: f64, side: fn(&mut Moved) -> &mut f64) {
        let ratio = if found.sum.abs() > 1e-6 { (total / found.sum).clamp(0.0, 100.0) } else { 1.0 };
        for (term, part) in correction.terms.iter().zip(&found.parts) {
            if *part != 0.0 {
                let name = term.feature.map_or(Moved::FORECAST, |feature| feature.name());
                *side(self.of(name)) += part * ratio;
            }
        }
        *side(self.of(Moved::LEVEL)) += correction.level * ratio;
        let rest = total - found.sum * ratio;
        if rest.abs() > 1e-12 {
            *side(self.of(Moved::BOUND)) += rest;
        }
    }

    fn sorted(mut self) -> Vec<Moved> {
        self.0.sort_by(|one, other| other.ln_odds.abs().total_cmp(&one.ln_odds.abs()).then(one.name.cmp(other.name)));
        self.0
    }
}
