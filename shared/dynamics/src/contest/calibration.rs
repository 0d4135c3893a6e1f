//! How well the chances foretold what happened.

use super::logistic::Row;
use super::offer::Case;
use super::posterior::{Coefficients, Posterior, fit};
use super::predict::Predictor;
use super::prior::{Belief, Prior};
use super::standing::{ASKING, STAYING};
use crate::decay::Micros;

/// With fewer cases than this there is no telling: the standard error of a rate is then more than
/// 9 points.
pub const ENOUGH_CASES: u64 = 30;

/// Up to so many cases the posterior is made anew for each; beyond, whenever there are 5 % more.
const ANEW_UP_TO: usize = 50;
/// At most so many bins, each of at least so many cases where there are as many.
const MOST_BINS: usize = 5;
const LEAST_OF_BIN: usize = 10;
/// A chance of exactly 0 or 1 is as rounding left it.
const LEAST_CHANCE: f64 = 1e-12;
/// The 97.5th percentile of the standard normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// How well both questions were answered beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Of giving the chance to counter.
    pub asking: Reliability,
    /// Of staying.
    pub staying: Reliability,
}

/// How well one question was answered: each case by what was known when its offer was learned of.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// The cases.
    pub cases: u64,
    /// Whether they are enough, [`ENOUGH_CASES`], to tell good from bad; if not, that is to be said
    /// beside the figures.
    pub enough: bool,
    /// The figures; none without a case.
    pub figures: Option<Figures>,
    /// Chances against what happened, from the lowest chances to the highest: up to five bins of
    /// about as many cases each, equal chances never parted.
    pub bins: Vec<Bin>,
}

/// Means over the cases. The base rate is that of the cases known before each, by Laplace's rule of
/// succession: it knows as much as the model does, except the account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The log-loss, in nats: the lower, the better.
    pub log_loss: f64,
    /// That of the base rate.
    pub base_log_loss: f64,
    /// The Brier score: the lower, the better.
    pub brier: f64,
    /// That of the base rate.
    pub base_brier: f64,
    /// The base rate's log-loss less the model's: above 0 the model is better.
    pub gain: f64,
    /// The standard error of the gain, from its scatter over the cases.
    pub gain_error: f64,
    /// The expected calibration error: how far bins are off, by their cases.
    pub calibration_error: f64,
}

/// Cases of like chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// How many.
    pub cases: u64,
    /// The mean of their chances.
    pub predicted: f64,
    /// The share that was yes.
    pub observed: f64,
    /// The lower end of the 95 % interval of that share (Wilson 1927).
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Predicts each case from the cases that were known before it, and says how well that went. The
/// order of the cases makes no difference.
///
/// Whether a customer gave the chance to counter is taken as known from when the offer was learned
/// of, and an ending from its time; only what is earlier than a case's own offer counts for it.
/// Whether it was countered is taken as known where the question is whether the customer stayed.
pub fn calibrate(prior: &Prior, cases: &[Case]) -> Calibration {
    let asking = cases.iter().filter_map(|case| {
        let row = case.asking()?;
        Some(Question { asked_at: case.learned_at, known_at: case.learned_at, row })
    });
    let staying = cases.iter().filter_map(|case| {
        let row = case.staying()?;
        Some(Question { asked_at: case.learned_at, known_at: case.ended_at, row })
    });
    let nothing = fit(prior, &[]);
    let asker = |learned: Coefficients| Posterior { asking: learned, staying: nothing.staying.clone() }.predictor();
    let stayer = |learned: Coefficients| Posterior { asking: nothing.asking.clone(), staying: learned }.predictor();
    Calibration {
        asking: foretell::<ASKING>(&prior.asking, asking.collect(), asker, Predictor::asking),
        staying: foretell::<STAYING>(&prior.staying, staying.collect(), stayer, Predictor::staying),
    }
}

struct Question<const N: usize> {
    asked_at: Micros,
    known_at: Micros,
    row: Row<N>,
}

/// A chance that was told beforehand, the base rate of that time, and what happened.
#[derive(Clone, Copy)]
struct Told {
    chance: f64,
    base: f64,
    outcome: f64,
}

fn foretell<const N: usize>(
    beliefs: &[Belief; N],
    mut questions: Vec<Question<N>>,
    ready: impl Fn(Coefficients) -> Predictor,
    answer: impl Fn(&Predictor, &[f64; N]) -> f64,
) -> Reliability {
    let mut answers: Vec<(Micros, Row<N>)> = questions.iter().map(|asked| (asked.known_at, asked.row)).collect();
    answers.sort_by_key(|(known_at, _)| *known_at);
    questions.sort_by_key(|question| question.asked_at);
    let (mut known, mut learned_from, mut yes) = (0, 0, 0.0);
    let mut predictor = ready(Coefficients::learn(beliefs, &mut []));
    let mut told = Vec::with_capacity(questions.len());
    for question in &questions {
        while let Some((_, row)) = answers.get(known).filter(|(at, _)| *at < question.asked_at) {
            known += 1;
            // Halves, so the sum is exact in any order.
            yes += row.outcome;
        }
        if known > learned_from && (known <= ANEW_UP_TO || known * 20 >= learned_from * 21) {
            learned_from = known;
            let mut rows: Vec<Row<N>> = answers[..known].iter().map(|(_, row)| *row).collect();
            predictor = ready(Coefficients::learn(beliefs, &mut rows));
        }
        told.push(Told {
            chance: answer(&predictor, &question.row.features),
            base: (yes + 1.0) / (known as f64 + 2.0),
            outcome: question.row.outcome,
        });
    }
    report(told)
}

fn report(mut told: Vec<Told>) -> Reliability {
    // An order of their own, so that sums are the same whatever order the cases came in.
    told.sort_by(|one, other| {
        let order = one.chance.total_cmp(&other.chance);
        order.then(one.outcome.total_cmp(&other.outcome)).then(one.base.total_cmp(&other.base))
    });
    let bins: Vec<Bin> = bins(&told).into_iter().map(Bin::of).collect();
    Reliability {
        cases: told.len() as u64,
        enough: told.len() as u64 >= ENOUGH_CASES,
        figures: (!told.is_empty()).then(|| Figures::of(&told, &bins)),
        bins,
    }
}

impl Figures {
    fn of(told: &[Told], bins: &[Bin]) -> Figures {
        let cases = told.len() as f64;
        let mean = |of: &dyn Fn(&Told) -> f64| told.iter().map(of).sum::<f64>() / cases;
        let gain_of = |told: &Told| log_loss(told.base, told.outcome) - log_loss(told.chance, told.outcome);
        let gain = mean(&gain_of);
        let scatter = told.iter().map(|told| (gain_of(told) - gain).powi(2)).sum::<f64>();
        Figures {
            log_loss: mean(&|told| log_loss(told.chance, told.outcome)),
            base_log_loss: mean(&|told| log_loss(told.base, told.outcome)),
            brier: mean(&|told| (told.chance - told.outcome).powi(2)),
            base_brier: mean(&|told| (told.base - told.outcome).powi(2)),
            gain,
            gain_error: (scatter / (cases - 1.0).max(1.0) / cases).sqrt(),
            calibration_error: bins
                .iter()
                .map(|bin| bin.cases as f64 / cases * (bin.predicted - bin.observed).abs())
                .sum(),
        }
    }
}

/// The log-loss of a chance; of an outcome between no and yes, its mean over both.
fn log_loss(chance: f64, outcome: f64) -> f64 {
    let chance = chance.clamp(LEAST_CHANCE, 1.0 - LEAST_CHANCE);
    -outcome * chance.ln() - (1.0 - outcome) * (-chance).ln_1p()
}

/// Cuts what is in order of chance into bins of about as many cases each, never between equals.
fn bins(told: &[Told]) -> Vec<&[Told]> {
    let count = (told.len() / LEAST_OF_BIN).clamp(1, MOST_BINS);
    let (mut bins, mut from) = (Vec::new(), 0);
    for bin in 1..=count {
        let mut to = told.len() * bin / count;
        while to > 0 && to < told.len() && told[to].chance == told[to - 1].chance {
            to += 1;
        }
        if to > from {
            bins.push(&told[from..to]);
            from = to;
        }
    }
    bins
}

impl Bin {
    fn of(told: &[Told]) -> Bin {
        let cases = told.len() as f64;
        let observed = told.iter().map(|told| told.outcome).sum::<f64>() / cases;
        let square = NORMAL_95 * NORMAL_95;
        let middle = (observed + square / (2.0 * cases)) / (1.0 + square / cases);
        let half = NORMAL_95 / (1.0 + square / cases)
            * (observed * (1.0 - observed) / cases + square / (4.0 * cases * cases)).sqrt();
        Bin {
            cases: told.len() as u64,
            predicted: told.iter().map(|told| told.chance).sum::<f64>() / cases,
            observed,
            low: (middle - half).clamp(0.0, observed),
            high: (middle + half).clamp(observed, 1.0),
        }
    }
}
