//! Follows the four feeds, each in its own task, and hands what they tell to the one task that applies it. Only the
//! partitions whose leases this process holds are followed.

mod decode;
mod direct;
mod follower;
#[cfg(feature = "nats")]
mod jetstream;

use std::sync::Arc;

use runtime::{Pause, Shutdown};
use store::{Backend, Error, Held};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

pub(crate) use self::follower::{Peers, follow_all};
#[cfg(feature = "nats")]
pub(crate) use self::jetstream::Source;
/// There is none in a program without NATS.
#[cfg(not(feature = "nats"))]
#[derive(Clone, Copy)]
pub(crate) enum Source {}

use crate::{
    apply::{Applier, Heard},
    instruments::Instruments,
};

/// How many changes one transaction takes, about. Of a live feed there is never that much at once; a backlog goes several
/// times as fast in large transactions, because an account's ledger and each page of the tables is written once in each.
const CHANGES_PER_TRANSACTION: usize = 50_000;
/// The same on PostgreSQL, where who applies shares its thread with others and must not hold it for long.
const CHANGES_PER_SHARED_TRANSACTION: usize = 2_000;

/// What a feed's task sends to the one that applies.
pub(crate) enum Message {
    /// Something was told, of partitions that were held like this, and the room that it takes.
    Heard(Heard, Arc<Held>, OwnedSemaphorePermit),
    /// The feed does not continue where it was left, in partitions that were held like this: all that it told is to be
    /// forgotten, and heard again.
    Lost(usize, Arc<Held>),
}

/// What is applied in one transaction.
#[derive(Default)]
struct Batch {
    heard: Vec<Heard>,
    /// How each was held as it was heard.
    held: Vec<Arc<Held>>,
    rooms: Vec<OwnedSemaphorePermit>,
    changes: usize,
}

impl Batch {
    fn add(&mut self, heard: Heard, held: Arc<Held>, room: OwnedSemaphorePermit) {
        self.changes += heard.told.len();
        self.heard.push(heard);
        self.held.push(held);
        self.rooms.push(room);
    }

    /// Leaves out what was heard of partitions that somebody else follows by now.
    fn keep(&mut self, now: &Held) {
        if self.held.iter().all(|then| **then == *now) {
            return;
        }
        let heard = std::mem::take(&mut self.heard).into_iter().zip(std::mem::take(&mut self.held));
        for (heard, then) in heard {
            if let Some(heard) = heard.still_held(&then, now) {
                self.heard.push(heard);
                self.held.push(then);
            }
        }
    }
}

/// Applies what comes, until the shutdown begins. What cannot be applied is tried again, never passed over; unless its
/// partition changed hands, for then somebody else hears it.
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
    let mut leases = applier.leases.subscribe();
    let mut lost = None;
    loop {
        // What was changed before is found now.
        leases.borrow_and_update();
        if !retry(&applier, &shutdown, || applier.prepare()).await {
            return;
        }
        let first = match lost.take() {
            Some(message) => Some(message),
            None => tokio::select! {
                message = messages.recv() => message,
                Ok(()) = leases.changed() => continue,
                () = shutdown.wait() => return,
            },
        };
        match first {
            None => return,
            Some(Message::Lost(feed, held)) => {
                retry(&applier, &shutdown, || applier.forget_feed(feed, &held)).await;
            }
            Some(Message::Heard(heard, held, room)) => {
                let mut batch = Batch::default();
                batch.add(heard, held, room);
                while batch.changes < at_once {
                    match messages.try_recv() {
                        Ok(Message::Heard(heard, held, room)) => batch.add(heard, held, room),
                        Ok(message) => {
                            lost = Some(message);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                let mut pause = Pause::default();
                loop {
                    let held = applier.leases.held();
                    batch.keep(&held);
                    match applier.apply_under(&held, &batch.heard).await {
                        Ok(()) => {
                            instruments.applied(&batch.heard);
                            break;
                        }
                        Err(error) => {
                            if !rest(&applier, &shutdown, error, &mut pause).await {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Tries until it is done. Tells whether it is; the shutdown ends the trying.
async fn retry<F>(applier: &Applier, shutdown: &Shutdown, act: impl Fn() -> F) -> bool
where
    F: Future<Output = Result<(), Error>>,
{
    let mut pause = Pause::default();
    while let Err(error) = act().await {
        if !rest(applier, shutdown, error, &mut pause).await {
            return false;
        }
    }
    true
}

/// Rests after a failure, ever longer. Tells whether to go on.
async fn rest(applier: &Applier, shutdown: &Shutdown, error: Error, pause: &mut Pause) -> bool {
    if matches!(error, Error::Fenced { .. }) {
        // Not a failure: what is held is merely not what was thought.
        tracing::info!(error = %error, "a partition has changed hands");
        if let Err(error) = applier.leases.beat().await {
            tracing::warn!(error = %error, "the leases could not be looked at; trying again");
        }
    } else {
        tracing::error!(error = %error, "what the feeds told could not be applied; trying again");
    }
    tokio::select! {
        () = tokio::time::sleep(pause.grow()) => true,
        () = shutdown.wait() => false,
    }
}
