//! Effects: what an improvement changed for the accounts it concerned.
//!
//! [`measure`] compares how each facet of the concerned moved with how it moved in comparable accounts
//! that were not concerned: the difference in differences (Angrist and Pischke 2009, *Mostly Harmless
//! Econometrics*, chapter 5). What befalls all accounts falls out. Each account has one difference, so
//! the interval is one of accounts, however much each of them says.
//!
//! The trap is regression to the mean. Those who asked for an improvement did so because they were low,
//! and whoever is low rises again on average, improvement or not. So the comparable are those that were
//! as low at the time, and one step before it, and alike in value, age and activity: the [`NEIGHBOURS`]
//! nearest, in standard deviations, none further than [`CALIPER`] of them in either score. What
//! difference is left to them is taken out by a regression among the comparable (Abadie and Imbens 2011,
//! *Bias-corrected matching estimators for average treatment effects*).
//!
//! What was no improvement yet must show no effect: the same comparison of the change before those
//! scores, which nobody was matched by, is the [`Effect::placebo`]. If it leaves 0 out, the concerned were
//! on another way already, and nothing is claimed. That it holds 0 proves little (Roth 2022, *Pretest
//! with caution*), so an effect must also be surely larger than the placebo is: what parted the two after
//! may be as large as what parted them before (Rambachan and Roth 2023, *A more credible approach to
//! parallel trends*, relative magnitude 1). This is what finds out accounts of another sort, which are
//! always lower: matching makes them look as if they had not recovered (Daw and Hatfield 2018, *Matching
//! and regression to the mean in difference-in-differences analysis*).
//!
//! An effect is claimed where its p-value stands below 0.05 with all facets counted (Holm 1979), and
//! there are enough accounts; otherwise the [`Verdict`] says why it is too little to say. What this cannot
//! know: an improvement that reached the comparable too is told too small, and one that came together
//! with something else for the same accounts has that in it.
//!
//! ```
//! use dynamics::effect::{Account, Reason, Scores, Verdict, measure};
//!
//! let accounts: Vec<Account> = (0..90_u32)
//!     .map(|n| {
//!         let (concerned, noise) = (n % 3 == 0, f64::from(n * 37 % 11));
//!         let before = [50.0 + noise, 52.0 + f64::from(n * 17 % 7), 50.0 + f64::from(n * 29 % 13)].map(Some);
//!         let after = Some(45.0 + f64::from(n * 41 % 11) + if concerned { 10.0 } else { 0.0 });
//!         let facets = vec![Scores { before, after }, Scores::default()];
//!         Account { concerned, value: 1_000.0, age_days: 400.0, activity: 12.0, facets }
//!     })
//!     .collect();
//! let effects = measure(&accounts);
//! assert_eq!(effects[0].verdict, Verdict::Better);
//! assert!(effects[0].effect.is_some_and(|effect| effect.holds(10.0)));
//! assert_eq!(effects[1].verdict, Verdict::TooLittle(Reason::FewConcerned));
//! ```

mod estimate;
mod matching;
#[cfg(test)]
mod tests;

pub use matching::{CALIPER, NEIGHBOURS};

use crate::statistics::{COVERAGE, Interval, family_wise};
use crate::vocabulary::vocabulary;
use estimate::{Row, compare};
use matching::{Candidate, Matched, match_up};

/// The fewest concerned accounts, with figures and with comparable ones, that an effect is told of. A judgement: with
/// fewer the interval rests on the shape of their distribution.
pub const LEAST_CONCERNED: usize = 10;

/// The fewest comparable accounts. A judgement: the regression takes six of them.
pub const LEAST_COMPARABLE: usize = 20;

/// The share of the concerned that must have comparable accounts: of less than half, the effect is of others than
/// was asked. A judgement.
pub const LEAST_MATCHED: f64 = 0.5;

/// An account; all but its scores as of the time when the improvement shipped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Whether the improvement concerns it.
    pub concerned: bool,
    /// What it is worth, in any unit; 0 if that is not known.
    pub value: f64,
    /// How long it has been known, in days.
    pub age_days: f64,
    /// How much passes between the parties, as orders and conversations of a year.
    pub activity: f64,
    /// The scores of each facet, the facets in one order for all accounts. What is missing at the end has no scores.
    pub facets: Vec<Scores>,
}

/// What a facet scored, from 0 to 100: at three times before the improvement shipped, a step apart, the last just
/// before it; and after it. None where there was nothing to assess.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Two steps before, one step before, and just before.
    pub before: [Option<f64>; 3],
    /// After.
    pub after: Option<f64>,
}

/// What became of a facet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// By how many points more the concerned moved than the comparable; none if they are too few to say.
    pub effect: Option<Interval>,
    /// The mean of the concerned that are counted, before; 0 of none.
    pub before: f64,
    /// And after.
    pub after: f64,
    /// The mean of the comparable before, each weighed by how often it stands for one of the concerned.
    pub comparable_before: f64,
    /// And after.
    pub comparable_after: f64,
    /// By how many points more the concerned moved in the first step, when there was no improvement.
    pub placebo: Option<Interval>,
    /// The chance of an effect as far from 0 or further where there is none.
    pub p: Option<f64>,
    /// The same with all facets counted.
    pub adjusted_p: Option<f64>,
    /// How many of the concerned are counted.
    pub concerned: usize,
    /// How many comparable accounts they are compared with.
    pub comparable: usize,
    /// How many are left out as a figure of theirs is missing: of the concerned, and of the others.
    pub unassessed: [usize; 2],
    /// How many of the concerned are left out as nobody is comparable.
    pub unmatched: usize,
    /// What can be said.
    pub verdict: Verdict,
}

/// What can be said of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The facet rose by it.
    Better,
    /// The facet fell by it.
    Worse,
    /// Too little to say.
    TooLittle(Reason),
}

vocabulary! {
    /// Why it is too little to say.
    Reason {
        /// Fewer than [`LEAST_CONCERNED`] accounts are concerned and assessed.
        FewConcerned = "few_concerned",
        /// Fewer than [`LEAST_COMPARABLE`] accounts are comparable, or too few of the concerned have any.
        FewComparable = "few_comparable",
        /// Too few accounts were assessed early enough to see whether they were on one way before.
        NoEarlierFigures = "no_earlier_figures",
        /// They were not on one way before, or may not have been: they parted by as much as the effect at its least.
        TrendsDiffer = "trends_differ",
        /// With all facets counted, chance alone could have done it.
        NotTold = "not_told",
    }
}

/// Measures what an improvement changed, for each facet. To be given all accounts: those it concerns, and all others
/// that could have been.
///
/// The time it takes grows with the number of the concerned times that of the others.
pub fn measure(accounts: &[Account]) -> Vec<Effect> {
    let facets = accounts.iter().map(|account| account.facets.len()).max().unwrap_or(0);
    let mut effects: Vec<Effect> = (0..facets).map(|facet| measure_facet(accounts, facet)).collect();
    let p: Vec<f64> = effects.iter().filter_map(|effect| effect.p).collect();
    let mut adjusted = family_wise(&p).into_iter();
    for effect in &mut effects {
        effect.adjusted_p = effect.p.and_then(|_| adjusted.next());
        if let (Verdict::TooLittle(Reason::NotTold), Some(p), Some(found), Some(placebo)) =
            (effect.verdict, effect.adjusted_p, effect.effect, effect.placebo)
            && p < 1.0 - COVERAGE
        {
            let apart = placebo.value.abs();
            effect.verdict = match found {
                found if found.low > apart => Verdict::Better,
                found if found.high < -apart => Verdict::Worse,
                _ => Verdict::TooLittle(Reason::TrendsDiffer),
            };
        }
    }
    effects
}

/// Everything but what depends on the other facets.
fn measure_facet(accounts: &[Account], facet: usize) -> Effect {
    let mut effect = Effect {
        effect: None,
        before: 0.0,
        after: 0.0,
        comparable_before: 0.0,
        comparable_after: 0.0,
        placebo: None,
        p: None,
        adjusted_p: None,
        concerned: 0,
        comparable: 0,
        unassessed: [0; 2],
        unmatched: 0,
        verdict: Verdict::TooLittle(Reason::NotTold),
    };
    let (mut concerned, mut others) = (Vec::new(), Vec::new());
    for account in accounts {
        match Candidate::of(account, facet) {
            Some(candidate) if account.concerned => concerned.push(candidate),
            Some(candidate) => others.push(candidate),
            None => effect.unassessed[usize::from(!account.concerned)] += 1,
        }
    }
    let matched = match_up(&concerned, &others);
    effect.concerned = matched.concerned.len();
    effect.comparable = matched.comparable.len();
    effect.unmatched = concerned.len() - effect.concerned;
    let mean = |of: fn(&Candidate) -> f64, rows: &[(Candidate, f64)]| {
        let weights: f64 = rows.iter().map(|row| row.1).sum();
        rows.iter().map(|row| row.1 * of(&row.0)).sum::<f64>() / weights.max(f64::MIN_POSITIVE)
    };
    effect.before = mean(|one| one.level(), &matched.concerned);
    effect.after = mean(|one| one.after, &matched.concerned);
    effect.comparable_before = mean(|one| one.level(), &matched.comparable);
    effect.comparable_after = mean(|one| one.after, &matched.comparable);
    if concerned.len() < LEAST_CONCERNED {
        effect.verdict = Verdict::TooLittle(Reason::FewConcerned);
        return effect;
    }
    let Some(estimate) = compared(&matched, |one| Some(one.after - one.level())) else {
        effect.verdict = Verdict::TooLittle(Reason::FewComparable);
        return effect;
    };
    (effect.effect, effect.p) = (Some(estimate.interval), Some(estimate.p));
    let placebo = compared(&matched, |one| Some(one.earlier - one.earliest?));
    effect.placebo = placebo.map(|placebo| placebo.interval);
    effect.verdict = Verdict::TooLittle(match effect.placebo {
        _ if (effect.concerned as f64) < LEAST_MATCHED * concerned.len() as f64 => Reason::FewComparable,
        None => Reason::NoEarlierFigures,
        Some(placebo) if !placebo.holds(0.0) => Reason::TrendsDiffer,
        // Until all facets are counted.
        Some(_) => Reason::NotTold,
    });
    effect
}

/// Compares what those have that have it; none if they are too few.
fn compared(matched: &Matched, figure: impl Fn(&Candidate) -> Option<f64>) -> Option<estimate::Estimate> {
    let rows = |side: &[(Candidate, f64)]| -> Vec<Row> {
        let row =
            |(one, weight): &(Candidate, f64)| Some(Row { traits: one.traits, figure: figure(one)?, weight: *weight });
        side.iter().filter_map(row).collect()
    };
    let (concerned, comparable) = (rows(&matched.concerned), rows(&matched.comparable));
    if concerned.len() < LEAST_CONCERNED || comparable.len() < LEAST_COMPARABLE {
        return None;
    }
    compare(&concerned, &comparable)
}
