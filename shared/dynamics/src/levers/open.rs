//! What is open, and could be settled.

use super::{Finding, Plan};
use crate::decay::{DAY, Micros};
use crate::evidence::Pending;
use crate::facts::Facts;
use crate::signal::Signal;

/// A conflict that is settled to the customer's content says at least this, however late.
const SETTLED: f64 = 0.5;
/// A need that is met says at least this, however late and with no word from the customer.
const MET: f64 = 0.25;
/// A counter-offer says at least this, however late.
const COUNTERED: f64 = 0.5;
/// A promise that is kept late, but kept, says at least this.
const KEPT_AT_LEAST: f64 = -0.5;
/// Kept late by this share of the time after which an overdue one counts in full, a promise says a
/// quarter of what it says kept in time.
const KEPT_EVEN: f64 = 0.1;
/// A promise that is due within two weeks is one to see to.
const SOON: Micros = 14 * DAY;
/// The weight of an ordinary fact.
const ORDINARY: f64 = 1.0;

/// One thing that is owed, and who says so.
struct Owed<'a> {
    key: &'a str,
    pending: &'a Pending,
}

/// All that is owed of these signals and counts against the provider, or will once it is due.
fn owed<'a>(sources: &[(&'a str, &'a Facts)], signals: &[Signal]) -> Vec<Owed<'a>> {
    let mut all = Vec::new();
    for (key, facts) in sources {
        let of_these = |pending: &&Pending| signals.contains(&pending.topic()) && pending.value() < 0.0;
        all.extend(facts.pending.iter().filter(of_these).map(|pending| Owed { key, pending }));
    }
    all
}

/// Takes what is owed away, saying of each what `says` has for it: signal, value and weight. What
/// the source said of the signal before stays said.
fn plan(
    sources: &[(&str, &Facts)],
    all: &[Owed<'_>],
    now: Micros,
    says: impl Fn(&Pending) -> (Signal, f64, f64),
) -> Option<Plan> {
    let mut plan = Plan::of(Finding::Open { count: 0 });
    for Owed { key, pending } in all {
        let (signal, value, weight) = says(pending);
        let facts = sources.iter().find(|(other, _)| other == key).map(|(_, facts)| *facts)?;
        let said: Vec<_> = super::of_signal(facts, pending.topic()).collect();
        let is_new = !plan.evidence.iter().any(|named| named == key);
        if !plan.change.has_room(said.len() + 1) || said.iter().any(|evidence| evidence.at() > now) {
            continue;
        }
        let known = plan.change.without.len();
        plan.change.leave_out(key, pending.topic());
        if plan.change.without.len() > known {
            for evidence in said {
                plan.change.say(pending.topic(), evidence.at(), evidence.value(), evidence.weight());
            }
        }
        plan.change.say(signal, now, value, weight);
        if is_new {
            plan.evidence.push((*key).to_owned());
        }
    }
    plan.finding = Finding::Open { count: plan.evidence.len() };
    (!plan.evidence.is_empty()).then_some(plan)
}

pub(super) fn conflicts(sources: &[(&str, &Facts)], now: Micros) -> Option<Plan> {
    let all = owed(sources, &[Signal::Conflict]);
    plan(sources, &all, now, |open| (Signal::Settlement, SETTLED, open.weight()))
}

pub(super) fn needs(sources: &[(&str, &Facts)], now: Micros) -> Option<Plan> {
    let all = owed(sources, &[Signal::NeedMet]);
    plan(sources, &all, now, |_| (Signal::NeedMet, MET, ORDINARY))
}

pub(super) fn offers(sources: &[(&str, &Facts)], now: Micros) -> Option<Plan> {
    let all = owed(sources, &[Signal::CounterOffer]);
    plan(sources, &all, now, |_| (Signal::CounterOffer, COUNTERED, ORDINARY))
}

pub(super) fn commitments(sources: &[(&str, &Facts)], now: Micros) -> Option<Plan> {
    let mut all = owed(sources, &[Signal::ProviderCommitment, Signal::Onboarding]);
    all.retain(|owed| owed.pending.since() <= now.saturating_add(SOON));
    let overdue = all.iter().filter(|owed| owed.pending.since() < now).count();
    let soon = all.len() - overdue;
    let kept = |open: &Pending| (open.topic(), kept(open.age(now) / open.full_after() as f64), ORDINARY);
    let mut plan = plan(sources, &all, now, kept)?;
    plan.finding = Finding::Promises { overdue, soon };
    Some(plan)
}

/// What a promise says that is kept late by a share of the time after which it counts in full: 1 in
/// time, a quarter at [`KEPT_EVEN`], towards [`KEPT_AT_LEAST`].
fn kept(late: f64) -> f64 {
    let evens = late.max(0.0) / KEPT_EVEN;
    KEPT_AT_LEAST + (1.0 - KEPT_AT_LEAST) / (1.0 + evens * evens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_kept_late_is_worth_less_and_never_as_little_as_a_broken_one() {
        assert_eq!((kept(-1.0), kept(0.0), kept(KEPT_EVEN)), (1.0, 1.0, 0.25));
        assert!(kept(0.2) > kept(0.3) && kept(1e9) >= -0.5);
    }
}
