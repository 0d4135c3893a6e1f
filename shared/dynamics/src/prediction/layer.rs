//! What the rest of the relationship adds to a model of activity.
//!
//! Two ridge regressions on the features of a customer's past: a logistic one whose offset is the
//! log-odds of an order within the trained horizon as the model of activity has it, and a Poisson
//! one whose offset is the logarithm of the orders that it expects. With all weights 0 the model
//! of activity stays as it is, and to that the ridge pulls.
//!
//! A feature counts only within the range that was seen in training: beyond it, it counts as the
//! nearest value seen, so nothing is extrapolated. Features that can only grow as time goes by
//! (age, orders and spend so far) would lie beyond that range for nearly everybody, so they are
//! not learned from; see [`Feature::is_learned`].

use super::history::{Feature, Features};
use super::model::Forecast;
use super::regression::{Family, Row, Search};

impl Feature {
    /// Whether the layer learns from it: all do but those that only grow with time, which say
    /// little at a later cut that a comparison with the customer's own pace does not say better.
    pub fn is_learned(self) -> bool {
        !matches!(self, Feature::Age | Feature::Repeats | Feature::Span | Feature::TotalSpend | Feature::MaxSpend)
    }

    /// Those that the layer learns from.
    pub(super) fn learned() -> impl Iterator<Item = Feature> {
        Feature::ALL.into_iter().filter(|feature| feature.is_learned())
    }
}

/// The surest a chance gets: one in a million either way.
pub(super) const SUREST: f64 = 1e-6;

/// The log-odds of a chance, no surer than [`SUREST`].
pub(super) fn ln_odds(chance: f64) -> f64 {
    let chance = chance.clamp(SUREST, 1.0 - SUREST);
    (chance / (1.0 - chance)).ln()
}

/// The chance of log-odds, no surer than [`SUREST`].
pub(super) fn chance(ln_odds: f64) -> f64 {
    (1.0 / (1.0 + (-ln_odds).exp())).clamp(SUREST, 1.0 - SUREST)
}

/// The logarithm of expected orders, not below that of the least chance.
pub(super) fn ln_orders(orders: f64) -> f64 {
    orders.clamp(SUREST, 1e12).ln()
}

/// Which of the two corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Of the chance of any order, in log-odds.
    Chance,
    /// Of the expected number of orders, in logarithms.
    Orders,
}

impl Answer {
    pub(super) fn family(self) -> Family {
        match self {
            Answer::Chance => Family::Logistic,
            Answer::Orders => Family::Poisson,
        }
    }

    /// What the model of activity says, on the scale of the correction.
    pub(super) fn offset(self, forecast: &Forecast) -> f64 {
        match self {
            Answer::Chance => ln_odds(forecast.any_order),
            Answer::Orders => ln_orders(forecast.orders),
        }
    }

    pub(super) fn target(self, orders: f64) -> f64 {
        match self {
            Answer::Chance => f64::from(u8::from(orders > 0.0)),
            Answer::Orders => orders,
        }
    }
}

/// One variable of a correction: how it is standardised and what it weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The feature; none is the model of activity's own answer, whose slope is so corrected.
    pub feature: Option<Feature>,
    /// Its mean in training.
    pub mean: f64,
    /// Its standard deviation in training, above 0.
    pub deviation: f64,
    /// The least value seen in training.
    pub least: f64,
    /// The greatest value seen in training.
    pub greatest: f64,
    /// What one standard deviation adds to the log-odds or to the logarithm of orders.
    pub weight: f64,
}

impl Term {
    /// The standardised value; 0, the mean, where absent.
    fn standardised(&self, features: &Features, offset: f64) -> f64 {
        let value = match self.feature {
            Some(feature) => features.get(feature),
            None => Some(offset),
        };
        value.map_or(0.0, |value| (value.clamp(self.least, self.greatest) - self.mean) / self.deviation)
    }
}

/// A correction of the model of activity's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// The variables.
    pub terms: Vec<Term>,
    /// What is added for all: the general level of recent time.
    pub level: f64,
    /// The covariance of the weights and, last, of the level; by rows, of their number + 1.
    pub covariance: Vec<f64>,
}

/// What a correction says of one customer.
pub(super) struct Corrected {
    /// What each term adds.
    pub(super) parts: Vec<f64>,
    /// The sum of the parts and the level.
    pub(super) sum: f64,
    /// The variance of that sum, from what is uncertain in the weights.
    pub(super) variance: f64,
    /// By how much the answer moves with the model of activity's own, whose slope is corrected.
    pub(super) slope: f64,
}

impl Correction {
    pub(super) fn of(&self, features: &Features, offset: f64) -> Corrected {
        let mut at: Vec<f64> = self.terms.iter().map(|term| term.standardised(features, offset)).collect();
        let parts: Vec<f64> = at.iter().zip(&self.terms).map(|(v, term)| v * term.weight).collect();
        let sum = parts.iter().sum::<f64>() + self.level;
        at.push(1.0);
        let along = self.covariance.chunks_exact(at.len()).zip(&at).map(|(row, v)| v * dot(row, &at));
        let variance = along.sum::<f64>().max(0.0);
        let own = self.terms.iter().filter(|term| term.feature.is_none());
        let inside = own.filter(|term| (term.least..=term.greatest).contains(&offset));
        // A slope below 0 would let a better forecast predict less; the sum allows it, the interval not.
        let slope = (1.0 + inside.map(|term| term.weight / term.deviation).sum::<f64>()).max(0.0);
        Corrected { parts, sum, variance, slope }
    }
}

/// A customer at a cut, and what followed.
#[derive(Clone, Copy)]
pub(super) struct Example<'a> {
    pub(super) customer: usize,
    pub(super) features: &'a Features,
    pub(super) forecast: Forecast,
    pub(super) orders: f64,
    /// What an order of the customer was expected to be worth, if that was known.
    pub(super) worth: Option<f64>,
    pub(super) spent: f64,
}

/// The slope of the model of activity's own answer is held so much less than other weights: it is
/// one number on which all customers bear.
const OF_OWN: f64 = 0.1;
/// The level is held to a factor of e either way, as a standard deviation.
const OF_LEVEL: f64 = 1.0;

/// Examples made ready to learn from.
pub(super) struct Lesson {
    answer: Answer,
    terms: Vec<Term>,
    /// The standardised variables of each example.
    values: Vec<f64>,
    /// Of each example the customer, the offset and the target.
    outcomes: Vec<(usize, f64, f64)>,
}

impl Lesson {
    pub(super) fn new(answer: Answer, examples: &[Example<'_>]) -> Lesson {
        let offsets: Vec<f64> = examples.iter().map(|example| answer.offset(&example.forecast)).collect();
        let mut terms = Vec::new();
        for feature in Feature::learned() {
            terms.extend(scaled(Some(feature), examples.iter().filter_map(|example| example.features.get(feature))));
        }
        terms.extend(scaled(None, offsets.iter().copied()));
        let mut values = Vec::with_capacity(examples.len() * terms.len());
        for (example, offset) in examples.iter().zip(&offsets) {
            values.extend(terms.iter().map(|term| term.standardised(example.features, *offset)));
        }
        let outcome =
            |(example, offset): (&Example<'_>, f64)| (example.customer, offset, answer.target(example.orders));
        let outcomes = examples.iter().zip(offsets).map(outcome).collect();
        Lesson { answer, terms, values, outcomes }
    }

    /// Learns a correction for each strength of the ridge: weights are held to a standard deviation
    /// of 1 / sqrt(strength) per standard deviation of their variable. None where a search does not
    /// end. The covariance, which takes as long as a search, only where it is wanted.
    pub(super) fn learn(&self, strengths: &[f64], with_covariance: bool) -> Vec<Option<Correction>> {
        let size = self.terms.len();
        let row = |(i, (customer, offset, target)): (usize, &(usize, f64, f64))| Row {
            at: &self.values[i * size..(i + 1) * size],
            offset: *offset,
            target: *target,
            customer: *customer,
        };
        let rows = self.outcomes.iter().enumerate().map(row).collect();
        let mut search = Search::new(self.answer.family(), rows, size);
        let mut learn = |strength: f64| {
            let ridge = |term: &Term| strength * if term.feature.is_some() { 1.0 } else { OF_OWN };
            let ridges: Vec<f64> = self.terms.iter().map(ridge).chain([OF_LEVEL]).collect();
            let weights = search.solve(&ridges)?;
            let covariance = match with_covariance {
                true => search.covariance(&ridges)?,
                false => vec![0.0; ridges.len() * ridges.len()],
            };
            let terms = self.terms.iter().zip(&weights).map(|(term, weight)| Term { weight: *weight, ..term.clone() });
            Some(Correction { terms: terms.collect(), level: weights[size], covariance })
        };
        strengths.iter().map(|strength| learn(*strength)).collect()
    }
}

/// A variable as it is standardised; none where it does not vary. Of a feature, the
/// lowest and the highest in 400 count as the values next to them: no rare customer decides a weight.
fn scaled(feature: Option<Feature>, values: impl Iterator<Item = f64>) -> Option<Term> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let rare = if feature.is_some() { values.len() / 400 } else { 0 };
    let (least, greatest) = (*values.get(rare)?, *values.get(values.len() - 1 - rare)?);
    values.iter_mut().for_each(|value| *value = value.clamp(least, greatest));
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt();
    (deviation > 1e-6).then_some(Term { feature, mean, deviation, least, greatest, weight: 0.0 })
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}
