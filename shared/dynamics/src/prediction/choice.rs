//! Choosing a model by what it says of time that it has not seen.

use super::fit::{Fit, FitError, fit};
use super::model::{ActivityModel, Kind};
use super::summary::{Counted, Portfolio, Summary, SummaryError, Tally};

/// A customer at a cut, and the same customer some time later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    before: Summary,
    after: Summary,
}

impl Trial {
    /// The summaries of one customer at the cut and at the end of the time held back.
    ///
    /// # Errors
    /// [`SummaryError::Age`] when no time has passed; [`SummaryError::Repeats`] when there are
    /// fewer orders than before; [`SummaryError::Last`] when the last order lies after the cut
    /// without a new order, or not after it with one.
    pub fn new(before: Summary, after: Summary) -> Result<Trial, SummaryError> {
        if after.age() <= before.age() {
            return Err(SummaryError::Age);
        }
        if after.repeats() < before.repeats() {
            return Err(SummaryError::Repeats);
        }
        let fits = match after.repeats() > before.repeats() {
            true => after.last() > before.age(),
            false => after.last() == before.last(),
        };
        if fits { Ok(Trial { before, after }) } else { Err(SummaryError::Last) }
    }

    /// The customer at the cut.
    pub fn before(&self) -> &Summary {
        &self.before
    }

    /// The customer at the end of the time held back.
    pub fn after(&self) -> &Summary {
        &self.after
    }

    /// The weeks held back.
    pub fn weeks(&self) -> f64 {
        self.after.age() - self.before.age()
    }

    /// The order days in them.
    pub fn orders(&self) -> u32 {
        self.after.repeats() - self.before.repeats()
    }
}

/// Customers of whom the time after a cut is held back, counted.
pub type HeldBack = Counted<Trial>;

impl HeldBack {
    /// The portfolio as it was at the cut.
    pub fn calibration(&self) -> Portfolio {
        let mut tally = Tally::default();
        self.rows().iter().for_each(|(trial, customers)| tally.add(trial.before, *customers));
        tally.finish()
    }
}

/// How well a model foretold the time held back. All figures are of one customer on the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The logarithm of the density of the order times held back, given those before the cut:
    /// the higher, the better.
    pub ln_likelihood: f64,
    /// The log-loss of the chance of any order: the lower, the better.
    pub log_loss: f64,
    /// Expected orders over actual ones, less 1; none where there were none.
    pub bias: Option<f64>,
}

/// Scores a model, fitted to nothing later than the cut, on the time held back. None of no customer.
///
/// As summaries are sufficient, the density of what followed is the likelihood of the whole history
/// over that of the history to the cut.
pub fn score(model: &ActivityModel, held_back: &HeldBack) -> Option<Score> {
    if held_back.customers() == 0 {
        return None;
    }
    let (mut ln_likelihood, mut log_loss, mut expected, mut actual) = (0.0, 0.0, 0.0, 0.0);
    for (trial, customers) in held_back.rows() {
        let weight = *customers as f64;
        let forecast = model.forecast(&trial.before, trial.weeks());
        ln_likelihood += weight * (model.ln_likelihood(&trial.after) - model.ln_likelihood(&trial.before));
        let told = if trial.orders() > 0 { forecast.any_order } else { 1.0 - forecast.any_order };
        // A chance of exactly 0 is as rounding left it; one such customer should not decide.
        log_loss -= weight * told.max(1e-15).ln();
        expected += weight * forecast.orders;
        actual += weight * f64::from(trial.orders());
    }
    let customers = held_back.customers() as f64;
    let bias = (actual > 0.0).then(|| expected / actual - 1.0);
    Some(Score { ln_likelihood: ln_likelihood / customers, log_loss: log_loss / customers, bias })
}

/// A kind of model, fitted before the cut and scored after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The fit to the time before the cut.
    pub fit: Fit,
    /// How it did on the time held back.
    pub score: Score,
}

/// Fits each of these kinds to the time before the cut and scores it on the time held back, the
/// highest held-back likelihood first; equal ones stay in the order they were given in, so the
/// first to be named wins. The winner is then to be fitted again on all time.
///
/// # Errors
/// When no customer had a history before the cut.
pub fn choose(kinds: &[Kind], held_back: &HeldBack) -> Result<Vec<Candidate>, FitError> {
    let calibration = held_back.calibration();
    let mut candidates = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let fit = fit(*kind, &calibration)?;
        let score = score(&fit.model, held_back).ok_or(FitError::NoHistory)?;
        candidates.push(Candidate { fit, score });
    }
    candidates.sort_by(|one, other| other.score.ln_likelihood.total_cmp(&one.score.ln_likelihood));
    Ok(candidates)
}
