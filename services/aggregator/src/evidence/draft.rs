//! Facts in the making: each resource says here what happened and what is owed.

use contracts::common::v1::Party;
use dynamics::{
    AccountFact, DAY, Emotion, Evidence, Facts, Interactions, OrderFact, Pending, Signal, Topic, View, Worth,
};

/// Collects the facts of one resource. What is no number, or weighs nothing, is left out.
#[derive(Default)]
pub(super) struct Draft(Facts);

impl Draft {
    /// Something happened that speaks of a signal. 1 is the weight of an ordinary fact.
    pub(super) fn say(&mut self, signal: Signal, at: i64, value: f64, weight: f64) {
        self.0.evidence.extend(Evidence::new(Topic::Signal(signal), at, value, weight));
    }

    /// A party showed an emotion. 1 is the weight of one that somebody stated.
    pub(super) fn feel(&mut self, view: View, emotion: Emotion, at: i64, intensity: f64, weight: f64) {
        self.0.evidence.extend(Evidence::new(Topic::Emotion(view, emotion), at, intensity, weight));
    }

    /// Something is owed from `since` on, and counts in full `full_days` later.
    pub(super) fn owe(&mut self, signal: Signal, since: i64, full_days: i64, value: f64, weight: f64) {
        self.0.pending.extend(Pending::new(signal, since, full_days * DAY, value, weight));
    }

    /// The resource is an account that was opened.
    pub(super) fn account(&mut self, account: AccountFact) {
        self.0.account = Some(account);
    }

    /// The resource is an order.
    pub(super) fn order(&mut self, order: OrderFact, worth: Worth) {
        self.0.order = Some(order);
        self.0.worth = worth;
    }

    /// The resource is a contact between the parties, in which this one acted.
    pub(super) fn contact_by(&mut self, party: Party) {
        let count = |acting| i64::from(party == acting);
        self.0.interactions = Interactions { customer: count(Party::Customer), provider: count(Party::Provider) };
    }

    pub(super) fn finish(self) -> Facts {
        self.0
    }
}

/// The view that what a party does is evidence for.
pub(super) fn view_of(party: Party) -> Option<View> {
    match party {
        Party::Customer => Some(View::Customer),
        Party::Provider => Some(View::Provider),
        Party::Unspecified => None,
    }
}
