//! What the steps of onboarding say.

use contracts::accounts::v1::{Milestone, MilestoneState};
use contracts::common::v1::Party;
use dynamics::Signal;
use prost::Message;

use crate::evidence::draft::Draft;
use crate::evidence::scale::{days, kept};
use crate::evidence::words::lateness;
use crate::evidence::{Moment, Resource, Source, earliest, forget, micros};

/// Days late at which a step of onboarding is as bad as good: a working week and its weekend.
const STEP_EVEN_DAYS: f64 = 7.0;
/// A step without a date proves less when it is done: nobody said by when.
const UNDATED_WEIGHT: f64 = 0.5;
/// A step that was given up: worse than nothing, far better than one that is simply missed.
const WAIVED_VALUE: f64 = -0.3;
/// A missed step counts in full after a month, when the start of the relationship has gone by without it.
const STEP_FULL_DAYS: i64 = 30;

impl Resource for Milestone {
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
        // An imported step was due and done long before it was recorded.
        earliest(&[&self.create_time, &self.due_time, &self.complete_time, &self.waive_time])
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        let was_open = forget(&mut then.complete_time, time) | forget(&mut then.waive_time, time);
        if was_open {
            then.set_state(match (then.complete_time, then.waive_time) {
                (Some(_), _) => MilestoneState::Completed,
                (None, Some(_)) => MilestoneState::Waived,
                (None, None) => MilestoneState::Open,
            });
        }
        then.into()
    }

    fn actor(&self) -> Party {
        self.party()
    }

    /// The provider's steps are what the customer learns of it at the start; the customer's steps are promises to it.
    fn draw(&self, draft: &mut Draft) {
        let signal = match self.party() {
            Party::Customer => Signal::CustomerCommitment,
            Party::Provider => Signal::Onboarding,
            Party::Unspecified => return,
        };
        let due = micros(&self.due_time);
        if let Some(at) = micros(&self.complete_time) {
            match due {
                Some(due) => draft.say(signal, at, kept(days(due, at), STEP_EVEN_DAYS), 1.0),
                None => draft.say(signal, at, 1.0, UNDATED_WEIGHT),
            }
        } else if let Some(at) = micros(&self.waive_time) {
            draft.say(signal, at, WAIVED_VALUE, 1.0);
        } else if let Some(due) = due {
            draft.owe(signal, due, STEP_FULL_DAYS, -1.0, 1.0);
        }
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        let (began, party, title) = (self.happened_at(), self.party(), &self.title);
        let done = micros(&self.complete_time);
        let waived = micros(&self.waive_time);
        if done != Some(began) && waived != Some(began) {
            moments.push(Moment::new(began, party, format!("had an onboarding step to reach: {title}")));
        }
        if let Some(at) = done {
            let when = micros(&self.due_time).map(|due| format!(" {}", lateness(due, at))).unwrap_or_default();
            moments.push(Moment::new(at, party, format!("reached an onboarding step{when}: {title}")));
        } else if let Some(at) = waived {
            moments.push(Moment::new(at, party, format!("gave up an onboarding step: {title}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use dynamics::DAY;

    use super::*;
    use crate::evidence::tests::{day, only, pending, value};

    fn step(party: Party) -> Milestone {
        Milestone { party: party.into(), title: "first login".to_owned(), due_time: day(20), ..Milestone::default() }
    }

    #[test]
    fn steps_are_judged_by_their_date_and_by_whose_they_are() {
        let done = |day_done| Source::from(Milestone { complete_time: day(day_done), ..step(Party::Provider) });
        assert_eq!(value(&done(20), Signal::Onboarding), 1.0);
        assert!(value(&done(23), Signal::Onboarding) > value(&done(40), Signal::Onboarding));
        let waived = Source::from(Milestone { waive_time: day(15), ..step(Party::Provider) });
        assert!(value(&waived, Signal::Onboarding) < 0.0);
        assert_eq!(only(&Source::from(step(Party::Customer)), pending).topic(), Signal::CustomerCommitment);
        assert_eq!(only(&Source::from(step(Party::Provider)), pending).since(), 20 * DAY);
        let texts: Vec<_> = done(23).moments().into_iter().map(|moment| moment.text).collect();
        assert_eq!(
            texts,
            ["had an onboarding step to reach: first login", "reached an onboarding step 3 days late: first login"]
        );
    }
}
