//! Which earlier cuts are learned from, and which tell whether what was learned holds.

use thiserror::Error;

/// The parts of the horizon that are looked back over: all, a half, a quarter.
pub(super) const PARTS: [i64; 3] = [1, 2, 4];

/// The cuts at which a tenant's history is looked at again, to learn from what followed.
///
/// From T0 - H backwards in steps of a third of the horizon H, at most [`Plan::MOST`] of them, each
/// at least half a horizon after the first order. Whether what is learned holds is judged at T0 - H
/// on the whole horizon and at T0 - H/2 on half of it, each time from cuts of which all was known
/// by then; where history is too short for the first, at T0 - H/2 and T0 - H/4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    cut: i64,
    horizon: u32,
    cuts: Vec<i64>,
}

/// Why there is no [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The horizon is not from 1 day to [`Plan::MAX_HORIZON`].
    #[error("the horizon is outside 1 to {max} days", max = Plan::MAX_HORIZON)]
    Horizon,
    /// The first order day lies after the cut, or further from it than [`Plan::MAX_SPAN`].
    #[error("the first order does not lie within {max} days before the cut", max = Plan::MAX_SPAN)]
    Span,
}

impl Plan {
    /// How many cuts are learned from at most.
    pub const MOST: usize = 8;
    /// The longest horizon to train for, in days.
    pub const MAX_HORIZON: u32 = 3660;
    /// The longest history, in days.
    pub const MAX_SPAN: i64 = 700_000;

    /// For data from the first order day of any customer up to the end of day `cut` (T0), and
    /// predictions of so many days.
    ///
    /// # Errors
    /// When the horizon or the span is out of range.
    pub fn new(first_day: i64, cut: i64, horizon_days: u32) -> Result<Plan, PlanError> {
        if !(1..=Self::MAX_HORIZON).contains(&horizon_days) {
            return Err(PlanError::Horizon);
        }
        let span = cut.checked_sub(first_day).filter(|span| (0..=Self::MAX_SPAN).contains(span));
        let span = span.ok_or(PlanError::Span)?;
        let horizon = i64::from(horizon_days);
        let step = (horizon + 2) / 3;
        let mut cuts: Vec<i64> = (0..Self::MOST as i64)
            .map(|n| horizon + n * step)
            .take_while(|back| span - back >= horizon / 2 && span > *back)
            .map(|back| cut - back)
            .collect();
        if !cuts.is_empty() {
            let shorter = [horizon / 4, horizon / 2].into_iter().filter(|back| *back > 0);
            cuts.splice(0..0, shorter.map(|back| cut - back));
            cuts.dedup();
        }
        Ok(Plan { cut, horizon: horizon_days, cuts })
    }

    /// The last day of data, T0.
    pub fn cut(&self) -> i64 {
        self.cut
    }

    /// The horizon to train for, in days.
    pub fn horizon_days(&self) -> u32 {
        self.horizon
    }

    /// The earlier cuts, the latest first. Empty where history is too short to learn from: then
    /// the plain models are all there is. Assessments are wanted as of the end of each of these.
    pub fn cuts(&self) -> &[i64] {
        &self.cuts
    }

    /// The horizon.
    pub(super) fn days(&self) -> i64 {
        i64::from(self.horizon)
    }

    /// The looks back by which it is decided: a cut, the days that are held back after it, and the
    /// cuts of which all is known by then.
    pub(super) fn looks(&self) -> Vec<Look> {
        let lengths = PARTS.map(|part| self.days() / part);
        let look = |days: i64| {
            let judged = self.cut - days;
            let place = self.cuts.iter().position(|cut| *cut == judged)?;
            let learned: Vec<usize> = (0..self.cuts.len()).filter(|i| self.cuts[*i] + days <= judged).collect();
            (days > 0 && !learned.is_empty()).then_some(Look { judged: place, days, learned })
        };
        lengths.into_iter().filter_map(look).take(2).collect()
    }
}

/// A look back: the places of the cut that is judged and of those that are learned from, and the
/// days held back.
pub(super) struct Look {
    pub(super) judged: usize,
    pub(super) days: i64,
    pub(super) learned: Vec<usize>,
}
