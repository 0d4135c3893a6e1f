//! Follows one feed, in the partitions that this process holds.

use std::sync::Arc;

use runtime::{Pause, Peer, Shutdown};
use store::{Held, PARTITIONS};
use tokio::sync::{Semaphore, mpsc, watch};
use tonic::{Code, Status};

use super::{Message, Source};
use crate::progress::{FEEDS, Progress};

/// How many messages wait to be applied, at most.
const WAITING_MESSAGES: usize = 4_096;
/// How many bytes of messages wait or are being applied before the feeds are not read further.
const WAITING_BYTES: usize = 32 * 1024 * 1024;

/// How far each partition of a feed was heard.
pub(super) type Positions = [i64; PARTITIONS as usize];

/// How the four services are reached, in the order of [`FEEDS`].
pub(crate) struct Peers {
    pub(crate) accounts: Peer,
    pub(crate) orders: Peer,
    pub(crate) interactions: Peer,
    pub(crate) feedback: Peer,
}

/// Starts a task for each feed, which hears it by the stream of all feeds if there is one. `ready` are the partitions that
/// are to be followed.
pub(crate) fn follow_all(
    peers: Peers,
    stream: Option<&Source>,
    progress: &Progress,
    ready: &watch::Sender<Arc<Held>>,
    shutdown: &Shutdown,
) -> (Vec<Follower>, mpsc::Receiver<Message>) {
    let (sender, receiver) = mpsc::channel(WAITING_MESSAGES);
    let room = Arc::new(Semaphore::new(WAITING_BYTES));
    let followers = (0..FEEDS.len())
        .map(|feed| Follower {
            feed,
            progress: progress.clone(),
            ready: ready.subscribe(),
            sender: sender.clone(),
            room: room.clone(),
            shutdown: shutdown.clone(),
            peer: peers.of(feed),
            stream: stream.cloned(),
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
    pub(super) feed: usize,
    pub(super) peer: Peer,
    /// Where it is heard, if not of the service itself.
    stream: Option<Source>,
    pub(super) progress: Progress,
    ready: watch::Receiver<Arc<Held>>,
    pub(super) sender: mpsc::Sender<Message>,
    /// In bytes, of all feeds.
    pub(super) room: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Follower {
    /// Follows until the shutdown begins; where the stream breaks off, or other partitions are held, it is taken up again.
    pub(crate) async fn run(mut self) {
        let mut pause = Pause::default();
        // Where the next stream begins: ahead of what is applied by what is on its way.
        let mut positions = self.progress.of_feed(self.feed);
        let mut held = Arc::new(Held::default());
        let mut ready = self.ready.clone();
        while !self.shutdown.has_begun() {
            let now = ready.borrow_and_update().clone();
            // What others have followed meanwhile begins where they left it.
            let applied = self.progress.of_feed(self.feed);
            for (partition, _) in now.iter().filter(|(partition, _)| !now.agrees(&held, *partition)) {
                positions[partition as usize] = applied[partition as usize];
            }
            held = now;
            let before = positions;
            let ended = tokio::select! {
                ended = self.follow(&held, &mut positions), if !held.is_empty() => ended,
                Ok(()) = ready.changed() => continue,
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
                    if self.sender.send(Message::Lost(self.feed, held.clone())).await.is_err() {
                        return;
                    }
                    // It is followed again under other leases, once it is forgotten.
                    tokio::select! {
                        Ok(()) = ready.changed() => continue,
                        () = self.shutdown.wait() => return,
                    }
                }
                tracing::debug!(feed = FEEDS[self.feed], error = %status, "the feed broke off");
            }
            if positions != before {
                pause.reset();
            }
            tokio::select! {
                () = tokio::time::sleep(pause.grow()) => {}
                Ok(()) = self.ready.changed() => {}
                () = self.shutdown.wait() => return,
            }
        }
    }

    async fn follow(&self, held: &Arc<Held>, positions: &mut Positions) -> Result<(), Status> {
        match &self.stream {
            #[cfg(feature = "nats")]
            Some(stream) => self.follow_stream(stream, held, positions).await,
            #[cfg(not(feature = "nats"))]
            Some(never) => match *never {},
            None => self.follow_directly(held, positions).await,
        }
    }
}
