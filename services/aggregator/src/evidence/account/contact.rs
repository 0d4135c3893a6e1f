//! What the people at the customer's say, by being there.

use contracts::accounts::v1::Contact;
use contracts::common::v1::Party;
use dynamics::Signal;
use prost::Message;

use crate::evidence::draft::Draft;
use crate::evidence::{Moment, Resource, Source, earliest, forget, micros};

impl Resource for Contact {
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
        let met_time = if self.met_time.is_some() { &self.met_time } else { &self.create_time };
        earliest(&[met_time, &self.leave_time])
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        forget(&mut then.leave_time, time);
        then.into()
    }

    fn actor(&self) -> Party {
        Party::Customer
    }

    /// Another person takes part, or no longer does. The two outweigh each other.
    fn draw(&self, draft: &mut Draft) {
        draft.say(Signal::ContactBreadth, self.happened_at(), 1.0, 1.0);
        if let Some(at) = micros(&self.leave_time) {
            draft.say(Signal::ContactBreadth, at, -1.0, 1.0);
        }
    }

    /// Names nobody: moments are kept and shown where a person's data have been erased.
    fn tell(&self, moments: &mut Vec<Moment>) {
        let person = if self.role.is_empty() { "a person" } else { &self.role };
        moments.push(Moment::new(self.happened_at(), Party::Customer, format!("{person} became a contact")));
        if let Some(at) = micros(&self.leave_time) {
            moments.push(Moment::new(at, Party::Customer, format!("{person} left the customer")));
        }
    }
}

#[cfg(test)]
mod tests {
    use dynamics::DAY;

    use super::*;
    use crate::evidence::tests::day;

    #[test]
    fn a_person_who_leaves_takes_back_the_breadth_that_came_with_them() {
        let contact = Contact { create_time: day(1), met_time: day(3), leave_time: day(8), ..Contact::default() };
        let facts = Source::from(contact).facts();
        let said: Vec<_> = facts.evidence.iter().map(|fact| (fact.at(), fact.value())).collect();
        assert_eq!(said, [(3 * DAY, 1.0), (8 * DAY, -1.0)]);
    }
}
