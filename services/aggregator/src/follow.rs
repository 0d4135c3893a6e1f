//! Follows the four feeds, each in its own task, and hands what they tell to the one task that applies it.

use std::{sync::Arc, time::Duration};

use contracts::{
    accounts::v1::{
        AccountsChange, WatchAccountsRequest, accounts_change, accounts_service_client::AccountsServiceClient,
    },
    common::v1::{ChangeStamp, FeedPosition, FeedStart},
    feedback::v1::{
        FeedbackChange, WatchFeedbackRequest, feedback_change, feedback_service_client::FeedbackServiceClient,
    },
    interactions::v1::{
        InteractionsChange, WatchInteractionsRequest, interactions_change,
        interactions_service_client::InteractionsServiceClient,
    },
    orders::v1::{OrdersChange, WatchOrdersRequest, orders_change, orders_service_client::OrdersServiceClient},
};
use methods::to_micros;
use runtime::{Peer, Shutdown};
use store::{Backend, Mark};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::{Code, Request, Status, Streaming};

use crate::{
    apply::{Applier, Heard},
    evidence::Source,
    instruments::Instruments,
    progress::{FEEDS, Progress},
    told::Told,
    voice::topics::Topic,
};

/// How many messages wait to be applied, at most.
const WAITING_MESSAGES: usize = 4_096;
/// How many bytes of messages wait or are being applied before the feeds are not read further.
const WAITING_BYTES: usize = 32 * 1024 * 1024;
/// How many changes one transaction takes, about. Of a live feed there is never that much at once; a backlog goes several
/// times as fast in large transactions, because an account's ledger and each page of the tables is written once in each.
const CHANGES_PER_TRANSACTION: usize = 50_000;
/// The same on PostgreSQL, where who applies shares its thread with others and must not hold it for long.
const CHANGES_PER_SHARED_TRANSACTION: usize = 2_000;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Larger than what the services send.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// How the four services are reached, in the order of [`FEEDS`].
pub(crate) struct Peers {
    pub(crate) accounts: Peer,
    pub(crate) orders: Peer,
    pub(crate) interactions: Peer,
    pub(crate) feedback: Peer,
}

/// What a feed's task sends to the one that applies.
pub(crate) enum Message {
    /// Something was told, and the room that it takes.
    Heard(Heard, OwnedSemaphorePermit),
    /// The feed does not continue where it was left: all that it told is to be forgotten, and heard again.
    Lost(usize),
}

/// Applies what comes, until the shutdown begins. What cannot be applied is tried again, never passed over.
pub(crate) async fn apply_all(
    applier: Applier,
    instruments: Instruments,
    mut messages: mpsc::Receiver<Message>,
    shutdown: Shutdown,
) {
    let at_once = match applier.database.backend {
        Backend::Sqlite => CHANGES_PER_TRANSACTION,
        Backend::Postgres => CHANGES_PER_SHARED_TRANSACTION,
    };
    let mut lost = None;
    loop {
        let first = match lost.take() {
            Some(feed) => Some(Message::Lost(feed)),
            None => tokio::select! {
                message = messages.recv() => message,
                () = shutdown.wait() => return,
            },
        };
        match first {
            None => return,
            Some(Message::Lost(feed)) => {
                retry(&shutdown, || applier.forget_feed(feed)).await;
            }
            Some(Message::Heard(heard, room)) => {
                let mut changes = heard.told.len();
                let (mut batch, mut rooms) = (vec![heard], vec![room]);
                while changes < at_once {
                    match messages.try_recv() {
                        Ok(Message::Heard(heard, room)) => {
                            changes += heard.told.len();
                            batch.push(heard);
                            rooms.push(room);
                        }
                        Ok(Message::Lost(feed)) => {
                            lost = Some(feed);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                if retry(&shutdown, || applier.apply(&batch)).await {
                    instruments.applied(&batch);
                }
            }
        }
    }
}

/// Tries until it is done. Tells whether it is; the shutdown ends the trying.
async fn retry<F: Future<Output = Result<(), store::Error>>>(shutdown: &Shutdown, act: impl Fn() -> F) -> bool {
    let mut pause = SHORTEST_PAUSE;
    while let Err(error) = act().await {
        tracing::error!(error = %error, "what the feeds told could not be applied; trying again");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = shutdown.wait() => return false,
        }
    }
    true
}

/// Starts a task for each feed.
pub(crate) fn follow_all(
    peers: Peers,
    progress: &Progress,
    shutdown: &Shutdown,
) -> (Vec<Follower>, mpsc::Receiver<Message>) {
    let (sender, receiver) = mpsc::channel(WAITING_MESSAGES);
    let room = Arc::new(Semaphore::new(WAITING_BYTES));
    let followers = (0..FEEDS.len())
        .map(|feed| Follower {
            feed,
            progress: progress.clone(),
            sender: sender.clone(),
            room: room.clone(),
            shutdown: shutdown.clone(),
            peer: peers.of(feed),
        })
        .collect();
    (followers, receiver)
}

impl Peers {
    fn of(&self, feed: usize) -> Peer {
        match feed {
            0 => &self.accounts,
            1 => &self.orders,
            2 => &self.interactions,
            _ => &self.feedback,
        }
        .clone()
    }
}

/// Follows one feed.
pub(crate) struct Follower {
    feed: usize,
    peer: Peer,
    progress: Progress,
    sender: mpsc::Sender<Message>,
    /// In bytes, of all feeds.
    room: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Follower {
    /// Follows until the shutdown begins; where the stream breaks off it is taken up again.
    pub(crate) async fn run(self) {
        let mut pause = SHORTEST_PAUSE;
        // Where the next stream begins: ahead of what is applied by what is on its way.
        let mut positions = self.progress.of_feed(self.feed);
        while !self.shutdown.has_begun() {
            let before = positions;
            let ended = tokio::select! {
                ended = self.follow(&mut positions) => ended,
                () = self.shutdown.wait() => return,
            };
            if self.sender.is_closed() {
                if !self.shutdown.has_begun() {
                    tracing::error!(
                        feed = FEEDS[self.feed],
                        "nobody applies what the feed tells any more: not following it"
                    );
                }
                return;
            }
            if let Err(status) = ended {
                if status.code() == Code::OutOfRange {
                    tracing::error!(feed = FEEDS[self.feed], error = %status.message(), "the feed does not continue where it was left: hearing all of it again");
                    positions = [0; store::PARTITIONS as usize];
                    if self.sender.send(Message::Lost(self.feed)).await.is_err() {
                        return;
                    }
                } else {
                    tracing::debug!(feed = FEEDS[self.feed], error = %status, "the feed broke off");
                }
            }
            pause = if positions == before { (pause * 2).min(LONGEST_PAUSE) } else { SHORTEST_PAUSE };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shutdown.wait() => return,
            }
        }
    }

    async fn follow(&self, positions: &mut [i64; store::PARTITIONS as usize]) -> Result<(), Status> {
        let start = FeedStart::Positions.into();
        let from: Vec<FeedPosition> = (0..)
            .zip(positions.iter())
            .filter(|(_, position)| **position > 0)
            .map(|(partition, position)| FeedPosition { partition, position: *position })
            .collect();
        let peer = self.peer.clone();
        match self.feed {
            0 => {
                let request = all(WatchAccountsRequest { partitions: vec![], start, positions: from });
                let mut client = AccountsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_accounts(request).await?.into_inner();
                self.read(stream, positions, |message| {
                    (message.changes.into_iter().filter_map(account).collect(), vec![], message.changes_through)
                })
                .await
            }
            1 => {
                let request = all(WatchOrdersRequest { partitions: vec![], start, positions: from });
                let mut client = OrdersServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_orders(request).await?.into_inner();
                self.read(stream, positions, |message| {
                    (message.changes.into_iter().filter_map(order).collect(), vec![], message.changes_through)
                })
                .await
            }
            2 => {
                let request = all(WatchInteractionsRequest { partitions: vec![], start, positions: from });
                let mut client = InteractionsServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_interactions(request).await?.into_inner();
                self.read(stream, positions, |message| {
                    (message.changes.into_iter().filter_map(interaction).collect(), vec![], message.changes_through)
                })
                .await
            }
            _ => {
                let request = all(WatchFeedbackRequest { partitions: vec![], start, positions: from });
                let mut client = FeedbackServiceClient::new(peer).max_decoding_message_size(MESSAGE_BYTES);
                let stream = client.watch_feedback(request).await?.into_inner();
                self.read(stream, positions, |message| {
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
        positions: &mut [i64; store::PARTITIONS as usize],
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
            // A checkpoint is handed on too: changes that say nothing of an account have moved the feed on.
            if self.sender.send(Message::Heard(Heard { told, topics, through }, room)).await.is_err() {
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
