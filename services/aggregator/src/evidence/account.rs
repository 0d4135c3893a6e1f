//! What an account says; the people there and the steps of its onboarding have files of their own.

mod contact;
mod milestone;

use contracts::accounts::v1::{Account, AccountState};
use contracts::common::v1::Party;
use dynamics::{AccountFact, Signal};
use prost::Message;

use super::draft::Draft;
use super::words::{id, quoted};
use super::{Moment, Resource, Source, earliest, forget, micros};

/// Leaving, and sending away, is a decision about the whole relationship: it weighs as three facts.
const CLOSURE_WEIGHT: f64 = 3.0;

/// The id of the account that referred this one, and when: when this one was first known.
pub(super) fn referral(account: &Account) -> Option<(&str, i64)> {
    methods::account_id(&account.referred_by).map(|referrer| (referrer, account.happened_at()))
}

/// What a referral says of the account that made it: it brought a customer, and it spoke well of the provider.
pub(super) fn referred(at: i64, draft: &mut Draft) {
    draft.say(Signal::Referral, at, 1.0, 1.0);
    draft.say(Signal::Advocacy, at, 1.0, 1.0);
}

impl Resource for Account {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        let is_gone = matches!(self.state(), AccountState::Merged | AccountState::Erased);
        self.delete_time.is_some() || !self.merged_into.is_empty() || is_gone
    }

    fn happened_at(&self) -> i64 {
        // An imported account was open long before it was recorded; a prospect is recorded before it is open.
        match &self.closure {
            Some(closure) => earliest(&[&self.open_time, &self.create_time, &closure.close_time]),
            None => earliest(&[&self.open_time, &self.create_time]),
        }
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        then.closure = then.closure.filter(|closure| micros(&closure.close_time).is_none_or(|at| at <= time));
        forget(&mut then.open_time, time);
        if then != *self && !self.is_deleted() {
            then.set_state(match (&then.closure, then.open_time) {
                (Some(_), _) => AccountState::Closed,
                (None, Some(_)) => AccountState::Active,
                (None, None) => AccountState::Prospect,
            });
        }
        then.into()
    }

    fn actor(&self) -> Party {
        Party::Customer
    }

    fn draw(&self, draft: &mut Draft) {
        let known_at = self.happened_at();
        let opened_at = micros(&self.open_time);
        let closed_at = self.closure.as_ref().map(|closure| micros(&closure.close_time).unwrap_or(known_at));
        if opened_at.is_some() || closed_at.is_some() {
            let opened_at = opened_at.unwrap_or(known_at);
            let first_contact_at = Some(known_at).filter(|at| *at < opened_at);
            draft.account(AccountFact { opened_at, first_contact_at, closed_at });
        }
        if let (Some(closure), Some(at)) = (&self.closure, closed_at) {
            match closure.party() {
                Party::Customer => draft.say(Signal::Departure, at, -1.0, CLOSURE_WEIGHT),
                Party::Provider => draft.say(Signal::StayedThroughTrouble, at, -1.0, CLOSURE_WEIGHT),
                Party::Unspecified => {}
            }
        }
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        let known_at = self.happened_at();
        let opened_at = micros(&self.open_time);
        let by = if self.referred_by.is_empty() {
            String::new()
        } else {
            format!(", referred by {}", id(&self.referred_by))
        };
        let first = if opened_at == Some(known_at) { "became a customer" } else { "became known as a prospect" };
        moments.push(Moment::new(known_at, Party::Customer, format!("{first}{by}")));
        if let Some(at) = opened_at.filter(|at| *at != known_at) {
            moments.push(Moment::new(at, Party::Customer, "became a customer"));
        }
        if let Some(closure) = &self.closure {
            let at = micros(&closure.close_time).unwrap_or(known_at);
            let text = format!("closed the account{}", quoted([closure.reason.as_str()]));
            moments.push(Moment::new(at, closure.party(), text));
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::accounts::v1::Closure;
    use dynamics::{DAY, Status};

    use super::*;
    use crate::evidence::tests::{day, value};

    fn account() -> Account {
        Account { name: "accounts/acme".to_owned(), create_time: day(500), open_time: day(10), ..Account::default() }
    }

    #[test]
    fn an_account_is_known_from_its_opening_or_its_first_record() {
        let facts = Source::from(account()).facts();
        let opened = AccountFact { opened_at: 10 * DAY, first_contact_at: None, closed_at: None };
        assert_eq!((facts.account, facts.evidence.len()), (Some(opened), 0));

        let prospect = Account { create_time: day(4), ..account() };
        let facts = Source::from(prospect.clone()).facts();
        assert_eq!(facts.account.and_then(|account| account.first_contact_at), Some(4 * DAY));
        assert!(Source::from(prospect).as_of(5 * DAY).unwrap().facts().is_empty());
    }

    #[test]
    fn who_closes_the_account_decides_whose_loyalty_it_tells_of() {
        let closed = |party: Party| {
            let closure = Closure { close_time: day(90), party: party.into(), reason: "too dear".to_owned() };
            Source::from(Account { closure: Some(closure), ..account() })
        };
        assert_eq!(value(&closed(Party::Customer), Signal::Departure), -1.0);
        assert_eq!(value(&closed(Party::Provider), Signal::StayedThroughTrouble), -1.0);
        let facts = closed(Party::Customer).facts();
        assert_eq!(facts.account.and_then(|account| account.closed_at), Some(90 * DAY));
        assert_eq!(closed(Party::Customer).moments()[1].text, "closed the account: too dear");
        let ledger = dynamics::Ledger::fold(dynamics::HalfLives::new(180, 45).unwrap(), [("a", &facts)]);
        assert_eq!(ledger.status(), Status::Closed { at: 90 * DAY });
    }

    #[test]
    fn a_referral_belongs_to_the_account_that_made_it() {
        let came = Account { referred_by: "accounts/friend".to_owned(), ..account() };
        assert_eq!(Source::from(came.clone()).referral(), Some(("friend", 10 * DAY)));
        assert!(Source::from(came.clone()).facts().evidence.is_empty());
        assert_eq!(crate::evidence::referred(5).evidence.len(), 2);
        let merged = Account { merged_into: "accounts/acme".to_owned(), ..came };
        assert_eq!(Source::from(merged).referral(), None);
    }
}
