//! Levers: what the provider could do for a relationship, and what that would change.
//!
//! [`opportunities`] looks in an account's facts for what each [`Lever`] could move, supposes the
//! [`Change`] and assesses again: the figures are those of [`crate::assess()`] before and after, and
//! anybody who supposes the same gets the same. A lever stands only where the facts have what it
//! would put right (deliveries that came late, a conflict that is open, a promise that is due), and
//! where the bond would rise by [`LEAST_GAIN`] or more. An empty list means that nothing stands out.
//!
//! How much is supposed is what the account has seen before, or the least that the deed still says:
//!
//! - What comes again and again (deliveries, answers, corrections) is supposed to have gone, in the
//!   last half-year, as in the account's own best quarter of the last year: each lapse is replaced by
//!   that quarter's mean, at most [`Aim::MOST`], at the lapse's own time and weight. Where no quarter
//!   was clearly better, it is half the way from the half-year's mean to the best there is.
//! - What is open (a conflict, a promise, a need, an offer to counter) no longer is, and in its place
//!   stands the least that such a matter says once it is done, this late.
//! - A silent customer is contacted; that it would order again is not supposed.
//!
//! ```
//! use dynamics::levers::{Finding, Lever, opportunities};
//! use dynamics::{DAY, Evidence, Facts, Model, Pending, Signal, Topic};
//!
//! let now = 1_000 * DAY;
//! let complaint = Evidence::new(Topic::Signal(Signal::Conflict), now - 12 * DAY, -0.6, 2.0).ok_or("none")?;
//! let open = Pending::new(Signal::Conflict, now - 11 * DAY, 14 * DAY, -0.6, 1.5).ok_or("none")?;
//! let facts = Facts { evidence: vec![complaint], pending: vec![open], ..Facts::default() };
//! let found = opportunities(&[("feedback/1".to_owned(), facts)], &Model::default(), now);
//! assert_eq!(found[0].lever, Lever::SettleConflict);
//! assert_eq!(found[0].finding, Finding::Open { count: 1 });
//! assert!(found[0].bond_gain() > 1.5);
//! # Ok::<(), &str>(())
//! ```

mod change;
mod open;
mod recurring;
mod silence;

pub use change::{Change, Supposition, Without};
pub use recurring::Aim;

use crate::assess::{Assessment, assess};
use crate::decay::{DAY, Micros};
use crate::evidence::Evidence;
use crate::facts::{Facts, Status};
use crate::ledger::Ledger;
use crate::model::Model;
use crate::signal::{Signal, Topic};
use crate::vocabulary::{Facet, View, vocabulary};

/// The least gain of the bond, in points, that makes an opportunity: what a report with one decimal
/// shows.
pub const LEAST_GAIN: f64 = 0.1;

/// A quarter of a year.
const QUARTER: Micros = 365 * DAY / 4;

vocabulary! {
    /// What the provider can do.
    Lever {
        /// Deliver by the promised date.
        DeliverOnTime = "deliver_on_time",
        /// Answer sooner, and settle what the customer asked for.
        AnswerFaster = "answer_faster",
        /// Settle the conflicts that are open.
        SettleConflict = "settle_conflict",
        /// Keep the promises that are overdue or due soon, or agree on new ones.
        KeepCommitment = "keep_commitment",
        /// Make orders right at the first go.
        ReduceCorrections = "reduce_corrections",
        /// Meet the needs that the customer stated.
        MeetNeed = "meet_need",
        /// Contact the customer, who has gone silent.
        ContactCustomer = "contact_customer",
        /// Counter the rival's offer that the customer gave the chance to counter.
        CounterOffer = "counter_offer",
    }
}

/// Something worth doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Opportunity {
    /// What to do.
    pub lever: Lever,
    /// What was found that speaks for it.
    pub finding: Finding,
    /// The sources it rests on, in order of their names.
    pub evidence: Vec<String>,
    /// What is supposed.
    pub change: Change,
    /// What the suppositions aim at, where they are of what comes again and again.
    pub aims: Vec<Aim>,
    /// The bond as it is.
    pub bond_before: f64,
    /// The facets that would move, in order.
    pub facets: Vec<FacetChange>,
    /// The assessment as it would be.
    pub after: Assessment,
}

/// How one facet would move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FacetChange {
    /// Whose view.
    pub view: View,
    /// Which facet.
    pub facet: Facet,
    /// The score as it is.
    pub before: f64,
    /// The score as it would be.
    pub after: f64,
}

impl Opportunity {
    /// How far the bond would rise, in points; at least [`LEAST_GAIN`].
    pub fn bond_gain(&self) -> f64 {
        self.after.relationship.bond - self.bond_before
    }
}

/// What speaks for a lever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Something goes wrong time and again: deliveries, answers, orders.
    Habit {
        /// So many sources have a lapse in the last half-year and nothing open.
        lapses: usize,
        /// So many have something that is due and still open.
        open: usize,
        /// Whether it was clearly better in one of the last four quarters, which is the aim.
        was_better: bool,
    },
    /// So many matters are open: conflicts, needs, offers of rivals.
    Open {
        /// How many sources tell of one.
        count: usize,
    },
    /// Promises are to be kept.
    Promises {
        /// So many are overdue.
        overdue: usize,
        /// So many are due within two weeks.
        soon: usize,
    },
    /// The customer has gone silent.
    Silence {
        /// Whole days since its last order.
        days: f64,
        /// Days between its orders, as is usual for it, to the nearest.
        usual_days: f64,
    },
}

/// What one lever would do; the outcome of looking for it.
#[derive(Clone, Debug)]
struct Plan {
    finding: Finding,
    evidence: Vec<String>,
    change: Change,
    aims: Vec<Aim>,
}

/// Looks for what the provider could do, the largest gain of the bond first, then in the order of
/// [`Lever`]. `sources` are all that the account's ledger is folded from at `now`, with keys of their
/// own; their order makes no difference. There is nothing to do for an account that is closed.
pub fn opportunities(sources: &[(String, Facts)], model: &Model, now: Micros) -> Vec<Opportunity> {
    let mut sorted: Vec<&(String, Facts)> = sources.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let sources: Vec<(&str, &Facts)> = sorted.into_iter().map(|(key, facts)| (key.as_str(), facts)).collect();
    let ledger = Ledger::fold(model.half_lives(), sources.iter().copied());
    if ledger.status() != Status::Open {
        return Vec::new();
    }
    let before = assess(&ledger, model, now);
    let mut found = Vec::new();
    for lever in Lever::ALL {
        let Some(mut plan) = plan(lever, &sources, &ledger, model, now) else {
            continue;
        };
        plan.evidence.sort_unstable();
        plan.evidence.dedup();
        let after = assess(&plan.change.applied(&ledger, &sources), model, now);
        let opportunity = Opportunity {
            lever,
            finding: plan.finding,
            evidence: plan.evidence,
            change: plan.change,
            aims: plan.aims,
            bond_before: before.relationship.bond,
            facets: changes(&before, &after),
            after,
        };
        if opportunity.bond_gain() >= LEAST_GAIN {
            found.push(opportunity);
        }
    }
    found.sort_by(|one, other| other.bond_gain().total_cmp(&one.bond_gain()).then(one.lever.cmp(&other.lever)));
    found
}

fn plan(lever: Lever, sources: &[(&str, &Facts)], ledger: &Ledger, model: &Model, now: Micros) -> Option<Plan> {
    match lever {
        Lever::DeliverOnTime => recurring::plan(&recurring::DELIVERIES, sources, now),
        Lever::AnswerFaster => recurring::plan(&recurring::ANSWERS, sources, now),
        Lever::ReduceCorrections => recurring::plan(&recurring::CORRECTIONS, sources, now),
        Lever::SettleConflict => open::conflicts(sources, now),
        Lever::KeepCommitment => open::commitments(sources, now),
        Lever::MeetNeed => open::needs(sources, now),
        Lever::CounterOffer => open::offers(sources, now),
        Lever::ContactCustomer => silence::plan(sources, ledger, model, now),
    }
}

fn changes(before: &Assessment, after: &Assessment) -> Vec<FacetChange> {
    let mut changes = Vec::new();
    for view in View::ALL {
        for facet in Facet::ALL {
            let score = |assessment: &Assessment| assessment.view(view).facet(facet).score;
            let (before, after) = (score(before), score(after));
            if before != after {
                changes.push(FacetChange { view, facet, before, after });
            }
        }
    }
    changes
}

/// What facts say of a signal.
fn of_signal(facts: &Facts, signal: Signal) -> impl Iterator<Item = &Evidence> {
    facts.evidence.iter().filter(move |evidence| evidence.topic() == Topic::Signal(signal))
}

impl Plan {
    fn of(finding: Finding) -> Plan {
        Plan { finding, evidence: Vec::new(), change: Change::default(), aims: Vec::new() }
    }
}
