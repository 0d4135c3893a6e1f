//! What the messages of each feed tell.

use contracts::{
    accounts::v1::{AccountsChange, WatchAccountsResponse, accounts_change},
    common::v1::{ChangeStamp, FeedPosition},
    feedback::v1::{FeedbackChange, WatchFeedbackResponse, feedback_change},
    interactions::v1::{InteractionsChange, WatchInteractionsResponse, interactions_change},
    orders::v1::{OrdersChange, WatchOrdersResponse, orders_change},
};
use methods::to_micros;
use prost::Message;

use crate::{evidence::Source, told::Told, voice::topics::Topic};

/// What a message tells.
pub(super) struct Opened {
    pub(super) told: Vec<Told>,
    pub(super) topics: Vec<Topic>,
    pub(super) through: Vec<FeedPosition>,
    /// How large it was.
    pub(super) bytes: usize,
}

impl From<WatchAccountsResponse> for Opened {
    fn from(message: WatchAccountsResponse) -> Self {
        let bytes = message.encoded_len();
        let told = message.changes.into_iter().filter_map(account).collect();
        Self { told, topics: vec![], through: message.changes_through, bytes }
    }
}

impl From<WatchOrdersResponse> for Opened {
    fn from(message: WatchOrdersResponse) -> Self {
        let bytes = message.encoded_len();
        let told = message.changes.into_iter().filter_map(order).collect();
        Self { told, topics: vec![], through: message.changes_through, bytes }
    }
}

impl From<WatchInteractionsResponse> for Opened {
    fn from(message: WatchInteractionsResponse) -> Self {
        let bytes = message.encoded_len();
        let told = message.changes.into_iter().filter_map(interaction).collect();
        Self { told, topics: vec![], through: message.changes_through, bytes }
    }
}

impl From<WatchFeedbackResponse> for Opened {
    fn from(message: WatchFeedbackResponse) -> Self {
        let bytes = message.encoded_len();
        let (mut told, mut topics) = (Vec::with_capacity(message.changes.len()), Vec::new());
        message.changes.into_iter().for_each(|change| feedback(change, &mut told, &mut topics));
        Self { told, topics, through: message.changes_through, bytes }
    }
}

impl Opened {
    /// Opens an encoded message of a feed, by the feed's number.
    #[cfg(feature = "nats")]
    pub(super) fn decode(feed: usize, message: &[u8]) -> Result<Self, prost::DecodeError> {
        Ok(match feed {
            0 => WatchAccountsResponse::decode(message)?.into(),
            1 => WatchOrdersResponse::decode(message)?.into(),
            2 => WatchInteractionsResponse::decode(message)?.into(),
            _ => WatchFeedbackResponse::decode(message)?.into(),
        })
    }
}

fn told(stamp: Option<ChangeStamp>, source: Source) -> Option<Told> {
    let stamp = stamp?;
    Some(Told {
        tenant: stamp.tenant,
        account: stamp.account_id,
        version: stamp.version,
        recorded_at: stamp.record_time.as_ref().map_or(0, to_micros),
        source,
    })
}

fn account(change: AccountsChange) -> Option<Told> {
    let source = match change.resource? {
        accounts_change::Resource::Account(account) => account.into(),
        accounts_change::Resource::Contact(contact) => contact.into(),
        accounts_change::Resource::Milestone(milestone) => milestone.into(),
    };
    told(change.stamp, source)
}

fn order(change: OrdersChange) -> Option<Told> {
    let orders_change::Resource::Order(order) = change.resource?;
    told(change.stamp, order.into())
}

fn interaction(change: InteractionsChange) -> Option<Told> {
    let source = match change.resource? {
        interactions_change::Resource::Interaction(interaction) => interaction.into(),
        interactions_change::Resource::Commitment(commitment) => commitment.into(),
        interactions_change::Resource::CompetitorOffer(offer) => offer.into(),
    };
    told(change.stamp, source)
}

/// Themes and improvements are about no account: they say nothing of a relationship, and are kept on their own.
fn feedback(change: FeedbackChange, accounts: &mut Vec<Told>, topics: &mut Vec<Topic>) {
    let tenant = |stamp: Option<ChangeStamp>| stamp.map(|stamp| stamp.tenant);
    match change.resource {
        Some(feedback_change::Resource::Feedback(feedback)) => accounts.extend(told(change.stamp, feedback.into())),
        Some(feedback_change::Resource::Theme(theme)) => {
            topics.extend(tenant(change.stamp).map(|tenant| Topic::theme(tenant, &theme)));
        }
        Some(feedback_change::Resource::Improvement(improvement)) => {
            topics.extend(tenant(change.stamp).map(|tenant| Topic::improvement(tenant, &improvement)));
        }
        None => {}
    }
}
