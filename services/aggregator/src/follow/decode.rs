//! What the changes of each feed tell.

use contracts::{
    accounts::v1::{AccountsChange, accounts_change},
    common::v1::ChangeStamp,
    feedback::v1::{FeedbackChange, feedback_change},
    interactions::v1::{InteractionsChange, interactions_change},
    orders::v1::{OrdersChange, orders_change},
};
use methods::to_micros;

use crate::{evidence::Source, told::Told, voice::topics::Topic};

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

pub(super) fn account(change: AccountsChange) -> Option<Told> {
    let source = match change.resource? {
        accounts_change::Resource::Account(account) => account.into(),
        accounts_change::Resource::Contact(contact) => contact.into(),
        accounts_change::Resource::Milestone(milestone) => milestone.into(),
    };
    told(change.stamp, source)
}

pub(super) fn order(change: OrdersChange) -> Option<Told> {
    let orders_change::Resource::Order(order) = change.resource?;
    told(change.stamp, order.into())
}

pub(super) fn interaction(change: InteractionsChange) -> Option<Told> {
    let source = match change.resource? {
        interactions_change::Resource::Interaction(interaction) => interaction.into(),
        interactions_change::Resource::Commitment(commitment) => commitment.into(),
        interactions_change::Resource::CompetitorOffer(offer) => offer.into(),
    };
    told(change.stamp, source)
}

/// Themes and improvements are about no account: they say nothing of a relationship, and are kept on their own.
pub(super) fn feedback(change: FeedbackChange, accounts: &mut Vec<Told>, topics: &mut Vec<Topic>) {
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
