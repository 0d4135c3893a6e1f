//! What a promise says: of the party that made it, by how it was kept.

use contracts::common::v1::Party;
use contracts::interactions::v1::{Commitment, CommitmentState};
use dynamics::Signal;
use prost::Message;

use super::draft::Draft;
use super::scale::{days, kept};
use super::words::{lateness, quoted};
use super::{Moment, Resource, Source, forget, micros};

/// Days late at which keeping a promise is one quarter as good as keeping it in time (see `scale::kept`).
const KEPT_EVEN_DAYS: f64 = 3.0;
/// A broken promise weighs more than a kept one, which is what was expected.
const BROKEN_WEIGHT: f64 = 1.5;
/// An overdue promise counts in full after a month, when the other party has given up on it.
const OVERDUE_FULL_DAYS: i64 = 30;

impl Resource for Commitment {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    fn happened_at(&self) -> i64 {
        micros(&self.make_time).unwrap_or(0)
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        let is_settled = !matches!(self.state(), CommitmentState::Open | CommitmentState::Unspecified);
        if is_settled && settled_at(self) > time {
            then.set_state(CommitmentState::Open);
        }
        forget(&mut then.settle_time, time);
        then.into()
    }

    fn actor(&self) -> Party {
        self.party()
    }

    fn draw(&self, draft: &mut Draft) {
        let signal = match self.party() {
            Party::Customer => Signal::CustomerCommitment,
            Party::Provider => Signal::ProviderCommitment,
            Party::Unspecified => return,
        };
        let at = settled_at(self);
        match self.state() {
            CommitmentState::Kept => {
                let late = late_days(self).unwrap_or(0.0);
                draft.say(signal, at, kept(late, KEPT_EVEN_DAYS), 1.0);
            }
            CommitmentState::Broken => draft.say(signal, at, -1.0, BROKEN_WEIGHT),
            // Taken back with the other party's consent: neither kept nor broken.
            CommitmentState::Withdrawn => {}
            CommitmentState::Open | CommitmentState::Unspecified => {
                if let Some(due) = micros(&self.due_time) {
                    draft.owe(signal, due, OVERDUE_FULL_DAYS, -1.0, BROKEN_WEIGHT);
                }
            }
        }
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        let party = self.party();
        let about = match self.about.split_once('/').map(|(_, rest)| rest) {
            _ if self.about.is_empty() => String::new(),
            // The account goes without saying: "accounts/acme/orders/o-1" is about "orders/o-1".
            Some(rest) => format!(" about {}", rest.split_once('/').map_or(rest, |(_, own)| own)),
            None => format!(" about {}", self.about),
        };
        let promise = quoted([self.description.as_str()]);
        moments.push(Moment::new(self.happened_at(), party, format!("made a promise{about}{promise}")));
        let how = match (self.state(), micros(&self.settle_time), micros(&self.due_time)) {
            (CommitmentState::Kept, Some(settled), Some(due)) => format!("kept the promise {}", lateness(due, settled)),
            (CommitmentState::Kept, ..) => "kept the promise".to_owned(),
            (CommitmentState::Broken, ..) => "broke the promise".to_owned(),
            (CommitmentState::Withdrawn, ..) => "took the promise back".to_owned(),
            (CommitmentState::Open | CommitmentState::Unspecified, ..) => return,
        };
        moments.push(Moment::new(settled_at(self), party, format!("{how}{promise}")));
    }
}

/// When it was settled; where an imported row leaves that out, when it was due or, at the least, made.
fn settled_at(commitment: &Commitment) -> i64 {
    let made = commitment.happened_at();
    let settled = micros(&commitment.settle_time).or(micros(&commitment.due_time));
    settled.map_or(made, |settled| settled.max(made))
}

fn late_days(commitment: &Commitment) -> Option<f64> {
    Some(days(micros(&commitment.due_time)?, micros(&commitment.settle_time)?))
}

#[cfg(test)]
mod tests {
    use dynamics::DAY;

    use super::*;
    use crate::evidence::tests::{day, net, only, pending, said, value};

    fn promise(party: Party, state: CommitmentState, settled: i64) -> Source {
        let is_open = state == CommitmentState::Open;
        let commitment = Commitment {
            party: party.into(),
            description: "call back".to_owned(),
            make_time: day(1),
            due_time: day(5),
            settle_time: if is_open { None } else { day(settled) },
            state: state.into(),
            about: "accounts/acme/orders/o-1".to_owned(),
            ..Commitment::default()
        };
        commitment.into()
    }

    #[test]
    fn keeping_in_time_is_best_and_breaking_is_worst() {
        let kept = |on| value(&promise(Party::Provider, CommitmentState::Kept, on), Signal::ProviderCommitment);
        assert_eq!((kept(3), kept(5)), (1.0, 1.0));
        assert!(kept(6) > kept(9) && kept(9) > kept(60));
        let broken = promise(Party::Provider, CommitmentState::Broken, 5);
        assert!(kept(60) > value(&broken, Signal::ProviderCommitment));
        let withdrawn = promise(Party::Provider, CommitmentState::Withdrawn, 5);
        assert_eq!(net(&withdrawn, Signal::ProviderCommitment), 0.0);
        let by_customer = promise(Party::Customer, CommitmentState::Kept, 5);
        assert!(said(&by_customer, Signal::ProviderCommitment).is_empty());
        assert_eq!(value(&by_customer, Signal::CustomerCommitment), 1.0);
    }

    #[test]
    fn an_open_promise_is_owed_from_its_date() {
        let open = promise(Party::Customer, CommitmentState::Open, 0);
        let owed = only(&open, pending);
        assert_eq!((owed.topic(), owed.since(), owed.value()), (Signal::CustomerCommitment, 5 * DAY, -1.0));
        let kept = promise(Party::Customer, CommitmentState::Kept, 9);
        assert_eq!(kept.as_of(8 * DAY).unwrap(), open);
    }

    #[test]
    fn a_promise_is_told_from_its_making_to_its_end() {
        let kept = promise(Party::Provider, CommitmentState::Kept, 7);
        let texts: Vec<_> = kept.moments().into_iter().map(|moment| moment.text).collect();
        assert_eq!(texts, ["made a promise about orders/o-1: call back", "kept the promise 2 days late: call back"]);
    }
}
