//! What a resource says of an account, as pure functions of the resource alone: no clock, no I/O, no other resource.
//!
//! [`Source::facts`] draws what is scored, [`Source::moments`] tells it in plain words, and [`Source::as_of`] goes back
//! to what the resource said earlier. Two rules hold for every kind of resource, and the tests keep them:
//!
//! - Every piece of evidence stands at a time that the resource itself states.
//! - What happened after a time is not needed to know what was said before it: the resource as of that time has the
//!   same evidence up to then. Only an order takes some back: its worth when it is cancelled, and what its dispatch said
//!   of its lateness when it arrives.
//!
//! Deletion is a correction of the record and nothing that passed between the two parties. A deleted resource therefore
//! says nothing, at any time.

mod account;
mod commitment;
mod draft;
mod feedback;
mod interaction;
mod offer;
mod order;
mod scale;
#[cfg(test)]
pub(crate) mod tests;
mod voice;
mod words;

use contracts::accounts::v1::{Account, Contact, Milestone};
use contracts::common::v1::Party;
use contracts::feedback::v1::Feedback;
use contracts::interactions::v1::{Commitment, CompetitorOffer, Interaction};
use contracts::orders::v1::Order;
use dynamics::Facts;
use methods::to_micros;
use prost::Message;
use prost_types::Timestamp;

use draft::Draft;

/// A resource of one of the four services that says something of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The account itself.
    Account(Box<Account>),
    /// A person at the customer's.
    Contact(Box<Contact>),
    /// A step of onboarding.
    Milestone(Box<Milestone>),
    /// An order.
    Order(Box<Order>),
    /// A contact between the two parties.
    Interaction(Box<Interaction>),
    /// A promise of either party.
    Commitment(Box<Commitment>),
    /// A rival's offer.
    CompetitorOffer(Box<CompetitorOffer>),
    /// Something the customer thinks.
    Feedback(Box<Feedback>),
}

/// Something that happened in the course of a resource, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When, in microseconds since 1970.
    pub(crate) at: i64,
    /// The party that acted; unspecified where the resource does not say.
    pub(crate) party: Party,
    /// What happened, in plain English of at most 120 characters, as a fragment such as "delivered 3 days late".
    pub(crate) text: String,
}

/// A stored document could not be read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The word is none that [`Source::kind`] returns.
    #[error("`{0}` is no kind of source")]
    Kind(String),
    /// The document is not one of this kind.
    #[error("the document is malformed")]
    Document(#[from] prost::DecodeError),
}

/// What each kind of resource knows of itself. None of it looks at `delete_time`: [`Source`] does that for all.
trait Resource {
    fn name(&self) -> &str;
    fn document(&self) -> Vec<u8>;
    fn is_deleted(&self) -> bool;
    fn happened_at(&self) -> i64;
    fn as_of(&self, time: i64) -> Source;
    fn actor(&self) -> Party;
    fn draw(&self, draft: &mut Draft);
    fn tell(&self, moments: &mut Vec<Moment>);
}

impl Source {
    /// Reads back what [`Source::encode`] wrote for a source of this kind.
    pub(crate) fn decode(kind: &str, document: &[u8]) -> Result<Self, DecodeError> {
        Ok(match kind {
            "account" => Account::decode(document)?.into(),
            "contact" => Contact::decode(document)?.into(),
            "milestone" => Milestone::decode(document)?.into(),
            "order" => Order::decode(document)?.into(),
            "interaction" => Interaction::decode(document)?.into(),
            "commitment" => Commitment::decode(document)?.into(),
            "competitor_offer" => CompetitorOffer::decode(document)?.into(),
            "feedback" => Feedback::decode(document)?.into(),
            other => return Err(DecodeError::Kind(other.to_owned())),
        })
    }

    /// The resource as it is stored: the message of its contract.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.resource().document()
    }

    /// What it is, in a stable word that is stored and shown.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Contact(_) => "contact",
            Self::Milestone(_) => "milestone",
            Self::Order(_) => "order",
            Self::Interaction(_) => "interaction",
            Self::Commitment(_) => "commitment",
            Self::CompetitorOffer(_) => "competitor_offer",
            Self::Feedback(_) => "feedback",
        }
    }

    /// The resource name.
    pub(crate) fn name(&self) -> &str {
        self.resource().name()
    }

    /// Where it stands in the timeline, in microseconds since 1970: when it happened or began, and so the time of its
    /// first moment. [`Source::as_of`] has something from this time on and nothing before it.
    pub(crate) fn happened_at(&self) -> i64 {
        self.resource().happened_at()
    }

    /// What the resource said at `time`: everything that happened later is left out. None if nothing had happened.
    pub(crate) fn as_of(&self, time: i64) -> Option<Source> {
        (self.happened_at() <= time).then(|| self.resource().as_of(time))
    }

    /// Whether it says nothing any more: deleted, or an account that was erased or merged into another.
    pub(crate) fn is_deleted(&self) -> bool {
        self.resource().is_deleted()
    }

    /// What it says of the relationship. Empty when it is deleted.
    pub(crate) fn facts(&self) -> Facts {
        let mut draft = Draft::default();
        if !self.is_deleted() {
            self.resource().draw(&mut draft);
        }
        draft.finish()
    }

    /// The party that acted first.
    pub(crate) fn party(&self) -> Party {
        self.resource().actor()
    }

    /// What happened in its course, oldest first; the first moment is the headline. Empty when it is deleted.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        let mut moments = Vec::new();
        if !self.is_deleted() {
            self.resource().tell(&mut moments);
            moments.sort_by_key(|moment| moment.at.max(self.happened_at()));
        }
        moments
    }

    /// For an account that came by a referral: the id of the account that referred it, and when. What this says belongs
    /// to that other account, and so is not among the facts; [`referred`] has them.
    pub(crate) fn referral(&self) -> Option<(&str, i64)> {
        match self {
            Self::Account(account) if !self.is_deleted() => account::referral(account),
            _ => None,
        }
    }

    fn resource(&self) -> &dyn Resource {
        match self {
            Self::Account(account) => account.as_ref(),
            Self::Contact(contact) => contact.as_ref(),
            Self::Milestone(milestone) => milestone.as_ref(),
            Self::Order(order) => order.as_ref(),
            Self::Interaction(interaction) => interaction.as_ref(),
            Self::Commitment(commitment) => commitment.as_ref(),
            Self::CompetitorOffer(offer) => offer.as_ref(),
            Self::Feedback(feedback) => feedback.as_ref(),
        }
    }
}

/// What a referral made at `at` says of the account that made it.
pub(crate) fn referred(at: i64) -> Facts {
    let mut draft = Draft::default();
    account::referred(at, &mut draft);
    draft.finish()
}

/// Lets each resource become a source by `into`.
macro_rules! sources {
    ($($kind:ident),+) => {$(
        impl From<$kind> for Source {
            fn from(resource: $kind) -> Self {
                Self::$kind(Box::new(resource))
            }
        }
    )+};
}
sources!(Account, Contact, Milestone, Order, Interaction, Commitment, CompetitorOffer, Feedback);

/// The time in microseconds, where it is set.
fn micros(time: &Option<Timestamp>) -> Option<i64> {
    time.as_ref().map(to_micros)
}

/// The earliest of the times that are set; 0 if none is, which the contracts rule out.
fn earliest(times: &[&Option<Timestamp>]) -> i64 {
    times.iter().filter_map(|time| micros(time)).min().unwrap_or(0)
}

/// Clears a time that lies after `time`, and says whether it did.
fn forget(slot: &mut Option<Timestamp>, time: i64) -> bool {
    let is_later = micros(slot).is_some_and(|at| at > time);
    if is_later {
        *slot = None;
    }
    is_later
}
