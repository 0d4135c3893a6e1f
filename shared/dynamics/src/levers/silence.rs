//! A customer that has gone silent, and could be contacted.

use super::{Finding, Plan, of_signal};
use crate::decay::{DAY, Micros};
use crate::facts::Facts;
use crate::ledger::Ledger;
use crate::model::Model;
use crate::signal::Signal;

/// So many order days make a rhythm to hold a customer to.
const LEAST_ORDER_DAYS: u64 = 3;
/// Who was contacted this recently is left to answer.
const PAUSE: Micros = 30 * DAY;
/// What a contact that nobody asked for says: of initiative, and of help offered.
const CONTACT: [Signal; 2] = [Signal::ProviderInitiative, Signal::ProactiveContact];

/// A contact, where the customer has been silent for as many of its usual gaps as make its rhythm
/// speak against it (the model's `even_gaps`), and was not contacted lately.
pub(super) fn plan(sources: &[(&str, &Facts)], ledger: &Ledger, model: &Model, now: Micros) -> Option<Plan> {
    let activity = ledger.activity();
    let (gap, silence) = activity.typical_gap_days().zip(activity.silence_days(now))?;
    let silent = activity.order_days() >= LEAST_ORDER_DAYS && silence >= model.rhythm().even_gaps * gap;
    let lately = |at: Micros| at > now.saturating_sub(PAUSE);
    let contacted = sources
        .iter()
        .any(|(_, facts)| CONTACT.iter().any(|signal| of_signal(facts, *signal).any(|evidence| lately(evidence.at()))));
    if !silent || contacted {
        return None;
    }
    let mut plan = Plan::of(Finding::Silence { days: silence.floor(), usual_days: gap.round() });
    let last = activity.last_at()?;
    let on_last_day = |facts: &Facts| facts.order.is_some_and(|order| !order.cancelled && order.at >= last);
    plan.evidence = sources.iter().filter(|(_, facts)| on_last_day(facts)).map(|(key, _)| (*key).to_owned()).collect();
    CONTACT.iter().for_each(|signal| plan.change.say(*signal, now, 1.0, 1.0));
    Some(plan)
}
