//! Follows a feed by the service's own stream.

use std::sync::Arc;

use contracts::{
    accounts::v1::{WatchAccountsRequest, accounts_service_client::AccountsServiceClient},
    common::v1::{FeedPosition, FeedStart},
    feedback::v1::{WatchFeedbackRequest, feedback_service_client::FeedbackServiceClient},
    interactions::v1::{WatchInteractionsRequest, interactions_service_client::InteractionsServiceClient},
    orders::v1::{WatchOrdersRequest, orders_service_client::OrdersServiceClient},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use store::{Held, Mark};
use tonic::{Request, Status};

use super::{
    Message,
    decode::Opened,
    follower::{Follower, Positions},
};
use crate::{apply::Heard, progress::FEEDS};

/// Larger than what the services send.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

impl Follower {
    /// Follows the service's own stream, until it ends.
    pub(super) async fn follow_directly(&self, held: &Arc<Held>, positions: &mut Positions) -> Result<(), Status> {
        let partitions = held.iter().map(|(partition, _)| partition).collect();
        let mut stream = self.watch(FeedStart::Positions, partitions, positions).await?;
        while let Some(opened) = stream.try_next().await? {
            if !self.hand_on(opened, held, positions).await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Begins to watch partitions of the feed.
    pub(super) async fn watch(
        &self,
        start: FeedStart,
        partitions: Vec<u32>,
        positions: &Positions,
    ) -> Result<BoxStream<'static, Result<Opened, Status>>, Status> {
        let start = start.into();
        let positions: Vec<FeedPosition> = partitions
            .iter()
            .map(|partition| FeedPosition { partition: *partition, position: positions[*partition as usize] })
            .filter(|from| from.position > 0)
            .collect();
        let peer = self.peer.clone();
        Ok(match self.feed {
            0 => {
                let request = all(WatchAccountsRequest { partitions, start, positions });
                let mut client = AccountsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                client.watch_accounts(request).await?.into_inner().map_ok(Opened::from).boxed()
            }
            1 => {
                let request = all(WatchOrdersRequest { partitions, start, positions });
                let mut client = OrdersServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                client.watch_orders(request).await?.into_inner().map_ok(Opened::from).boxed()
            }
            2 => {
                let request = all(WatchInteractionsRequest { partitions, start, positions });
                let mut client = InteractionsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                client.watch_interactions(request).await?.into_inner().map_ok(Opened::from).boxed()
            }
            _ => {
                let request = all(WatchFeedbackRequest { partitions, start, positions });
                let mut client = FeedbackServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                client.watch_feedback(request).await?.into_inner().map_ok(Opened::from).boxed()
            }
        })
    }

    /// Hands on what was told, and moves the positions with it; both or, if the wait for room is given up, neither. Tells
    /// whether anybody still applies it.
    pub(super) async fn hand_on(&self, opened: Opened, held: &Arc<Held>, positions: &mut Positions) -> bool {
        let Opened { told, topics, through, bytes } = opened;
        // No message is as large as the room, so that each can be let in.
        let bytes = bytes.clamp(1, MESSAGE_BYTES) as u32;
        let Ok(room) = self.room.clone().acquire_many_owned(bytes).await else { return false };
        let Ok(place) = self.sender.reserve().await else { return false };
        let through: Vec<Mark> = through
            .into_iter()
            .filter(|entry| entry.partition < store::PARTITIONS)
            .map(|entry| Mark {
                feed: FEEDS[self.feed].to_owned(),
                partition: entry.partition,
                position: entry.position,
            })
            .collect();
        for mark in &through {
            positions[mark.partition as usize] = mark.position;
        }
        // A checkpoint is handed on too: changes that say nothing of an account have moved the feed on.
        place.send(Message::Heard(Heard { told, topics, through }, held.clone(), room));
        true
    }
}

fn all<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("rapport-tenant", tonic::metadata::MetadataValue::from_static("-"));
    request
}
