//! Follows a feed by the service's own stream.

use std::sync::Arc;

use contracts::{
    accounts::v1::{WatchAccountsRequest, accounts_service_client::AccountsServiceClient},
    common::v1::{FeedPosition, FeedStart},
    feedback::v1::{WatchFeedbackRequest, feedback_service_client::FeedbackServiceClient},
    interactions::v1::{WatchInteractionsRequest, interactions_service_client::InteractionsServiceClient},
    orders::v1::{WatchOrdersRequest, orders_service_client::OrdersServiceClient},
};
use store::{Held, Mark};
use tonic::{Request, Status, Streaming};

use super::{
    Message,
    decode::{account, feedback, interaction, order},
    follower::{Follower, Positions},
};
use crate::{apply::Heard, progress::FEEDS, told::Told, voice::topics::Topic};

/// Larger than what the services send.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

impl Follower {
    /// Follows the service's own stream, until it ends.
    pub(super) async fn follow_directly(&self, held: &Arc<Held>, positions: &mut Positions) -> Result<(), Status> {
        let start = FeedStart::Positions.into();
        let partitions: Vec<u32> = held.iter().map(|(partition, _)| partition).collect();
        let from: Vec<FeedPosition> = partitions
            .iter()
            .map(|partition| FeedPosition { partition: *partition, position: positions[*partition as usize] })
            .filter(|from| from.position > 0)
            .collect();
        let peer = self.peer.clone();
        match self.feed {
            0 => {
                let request = all(WatchAccountsRequest { partitions, start, positions: from });
                let mut client = AccountsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_accounts(request).await?.into_inner();
                self.read(stream, held, positions, |message| {
                    (message.changes.into_iter().filter_map(account).collect(), vec![], message.changes_through)
                })
                .await
            }
            1 => {
                let request = all(WatchOrdersRequest { partitions, start, positions: from });
                let mut client = OrdersServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_orders(request).await?.into_inner();
                self.read(stream, held, positions, |message| {
                    (message.changes.into_iter().filter_map(order).collect(), vec![], message.changes_through)
                })
                .await
            }
            2 => {
                let request = all(WatchInteractionsRequest { partitions, start, positions: from });
                let mut client = InteractionsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_interactions(request).await?.into_inner();
                self.read(stream, held, positions, |message| {
                    (message.changes.into_iter().filter_map(interaction).collect(), vec![], message.changes_through)
                })
                .await
            }
            _ => {
                let request = all(WatchFeedbackRequest { partitions, start, positions: from });
                let mut client = FeedbackServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_feedback(request).await?.into_inner();
                self.read(stream, held, positions, |message| {
                    let (mut told, mut topics) = (Vec::with_capacity(message.changes.len()), Vec::new());
                    message.changes.into_iter().for_each(|change| feedback(change, &mut told, &mut topics));
                    (told, topics, message.changes_through)
                })
                .await
            }
        }
    }

    async fn read<M: prost::Message>(
        &self,
        mut stream: Streaming<M>,
        held: &Arc<Held>,
        positions: &mut Positions,
        open: impl Fn(M) -> (Vec<Told>, Vec<Topic>, Vec<FeedPosition>),
    ) -> Result<(), Status> {
        while let Some(message) = stream.message().await? {
            // No message is as large as the room, so that each can be let in.
            let bytes = message.encoded_len().clamp(1, MESSAGE_BYTES) as u32;
            let Ok(room) = self.room.clone().acquire_many_owned(bytes).await else { return Ok(()) };
            let (told, topics, through) = open(message);
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
            let heard = Heard { told, topics, through };
            // A checkpoint is handed on too: changes that say nothing of an account have moved the feed on.
            if self.sender.send(Message::Heard(heard, held.clone(), room)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn all<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("rapport-tenant", tonic::metadata::MetadataValue::from_static("-"));
    request
}
