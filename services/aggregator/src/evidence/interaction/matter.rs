//! What became of what the customer wanted settled.

use contracts::interactions::v1::{Interaction, Purpose};
use dynamics::{DAY, Signal};

use super::{length_weight, settled_at};
use crate::evidence::Resource;
use crate::evidence::draft::Draft;
use crate::evidence::scale::{days, fewness, promptness};

/// Days to settle a matter that are neither quick nor slow.
const SETTLE_EVEN_DAYS: f64 = 3.0;
/// Contacts beyond the first at which settling a matter is as hard as easy.
const EVEN_REPEATS: f64 = 2.0;
/// An open matter has a day before it is held against the provider.
const GRACE: i64 = DAY;
/// An open matter counts in full after two weeks.
const OPEN_FULL_DAYS: i64 = 14;

/// What became of what the customer wanted settled, and what it costs the provider.
pub(super) fn draw(interaction: &Interaction, draft: &mut Draft) {
    let at = interaction.happened_at();
    let settled = settled_at(interaction);
    if interaction.purpose() == Purpose::Support {
        draft.say(Signal::SupportLoad, at, -1.0, length_weight(interaction));
    }
    if let Some(met) = interaction.intent_met {
        draft.say(Signal::NeedMet, settled, if met { 1.0 } else { -1.0 }, 1.0);
    }
    match (interaction.resolve_time.is_some(), interaction.intent_met) {
        // Closed without what was asked for: nothing was solved, however soon.
        (true, Some(false)) => draft.say(Signal::Resolution, settled, -1.0, 1.0),
        (true, _) => draft.say(Signal::Resolution, settled, promptness(days(at, settled), SETTLE_EVEN_DAYS), 1.0),
        (false, Some(true)) => {}
        (false, _) => draft.owe(Signal::Resolution, at.saturating_add(GRACE), OPEN_FULL_DAYS, -1.0, 1.0),
    }
}

/// How many contacts it took.
pub(super) fn repeats(interaction: &Interaction, draft: &mut Draft) {
    if interaction.contacts_to_resolve > 0 {
        let repeats = f64::from(interaction.contacts_to_resolve) - 1.0;
        draft.say(Signal::ContactsToResolve, settled_at(interaction), fewness(repeats, EVEN_REPEATS), 1.0);
    }
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::Party;

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, only, pending, said, value};

    fn ticket() -> Interaction {
        Interaction {
            happen_time: day(10),
            party: Party::Customer.into(),
            purpose: Purpose::Support.into(),
            ..Interaction::default()
        }
    }

    #[test]
    fn a_matter_is_owed_until_it_is_settled_and_then_judged_by_how_soon() {
        let open = Source::from(ticket());
        let owed = only(&open, pending);
        assert_eq!((owed.topic(), owed.since()), (Signal::Resolution, 11 * DAY));
        assert!(said(&open, Signal::SupportLoad)[0].value() < 0.0);

        let settled = |on| Source::from(Interaction { resolve_time: day(on), ..ticket() });
        assert_eq!(value(&settled(10), Signal::Resolution), 1.0);
        assert_eq!(value(&settled(13), Signal::Resolution), 0.0);
        assert!(value(&settled(30), Signal::Resolution) < value(&settled(20), Signal::Resolution));
        assert_eq!(settled(20).as_of(15 * DAY).unwrap().facts(), open.facts());

        let unmet = Source::from(Interaction { resolve_time: day(10), intent_met: Some(false), ..ticket() });
        assert_eq!(value(&unmet, Signal::Resolution), -1.0);
        assert_eq!(value(&unmet, Signal::NeedMet), -1.0);
        let asked = Interaction { party: Party::Provider.into(), ..ticket() };
        assert!(pending(&Source::from(asked)).is_empty());
    }

    #[test]
    fn more_contacts_and_an_escalation_cost_ease_and_trust() {
        let took = |contacts_to_resolve| Source::from(Interaction { contacts_to_resolve, ..ticket() });
        assert_eq!(value(&took(1), Signal::ContactsToResolve), 1.0);
        assert!(value(&took(2), Signal::ContactsToResolve) > value(&took(6), Signal::ContactsToResolve));
        let raised = Source::from(Interaction { escalated: true, ..ticket() });
        assert!(value(&raised, Signal::Conflict) < 0.0);
    }
}
