//! How far the feeds have been followed, and waiting until they have come far enough.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use contracts::assessments::v1::SourceFreshness;
use contracts::common::v1::{ErrorReason, FreshnessToken};
use methods::{marks, token};
use runtime::{Fault, Violation};
use store::{Mark, PARTITIONS};
use tokio::sync::{Notify, watch};

/// The feeds, in the order of their numbers here.
pub(crate) const FEEDS: [&str; 4] = ["accounts", "orders", "interactions", "feedback"];

/// How far one feed has been followed.
#[derive(Clone, Copy)]
struct Followed {
    /// The position of each partition that is included in what is stored.
    positions: [i64; PARTITIONS as usize],
    /// Whether the partition has been heard since this process started, here or by another process that follows it. Before,
    /// the feed may have lost its database, and its positions may mean other changes than those that are stored.
    is_joined: [bool; PARTITIONS as usize],
}

/// How far each feed has been followed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Progress {
    feeds: Arc<watch::Sender<[Followed; FEEDS.len()]>>,
    /// How many calls wait, and what wakes whoever looks for what other processes have reached.
    waiting: Arc<(AtomicUsize, Notify)>,
}

/// A call that waits, counted until it is dropped.
struct Waiting(Arc<(AtomicUsize, Notify)>);

/// Notices the commits of what the feeds told.
pub(crate) struct Commits(watch::Receiver<[Followed; FEEDS.len()]>);

/// The progress at one moment.
pub(crate) struct Seen([Followed; FEEDS.len()]);

impl Progress {
    /// Starts with what is stored.
    pub(crate) fn new(stored: &[Mark]) -> Self {
        let mut feeds =
            [Followed { positions: [0; PARTITIONS as usize], is_joined: [false; PARTITIONS as usize] }; FEEDS.len()];
        for mark in stored {
            if let Some(feed) = feed_number(&mark.feed) {
                feeds[feed].positions[mark.partition as usize] = mark.position;
            }
        }
        Self { feeds: Arc::new(watch::Sender::new(feeds)), waiting: Arc::default() }
    }

    /// Records what a committed transaction has included.
    pub(crate) fn reached(&self, marks: &[Mark]) {
        self.feeds.send_modify(|feeds| {
            for mark in marks {
                if let Some(feed) = feed_number(&mark.feed) {
                    let followed = &mut feeds[feed];
                    let position = &mut followed.positions[mark.partition as usize];
                    *position = mark.position.max(*position);
                    followed.is_joined[mark.partition as usize] = true;
                }
            }
        });
    }

    /// Records what is stored of a partition, in the order of [`FEEDS`]: it was written by another process, which follows
    /// it or did so last.
    pub(crate) fn observe(&self, partition: u32, positions: [i64; FEEDS.len()], is_joined: bool) {
        self.feeds.send_if_modified(|feeds| {
            let mut is_other = false;
            for (followed, position) in feeds.iter_mut().zip(positions) {
                let held = (&mut followed.positions[partition as usize], &mut followed.is_joined[partition as usize]);
                is_other |= *held.0 != position || is_joined && !*held.1;
                *held.0 = position;
                *held.1 |= is_joined;
            }
            is_other
        });
    }

    /// Records that all that a feed told was forgotten.
    pub(crate) fn forget(&self, feed: usize) {
        self.feeds.send_modify(|feeds| feeds[feed].positions = [0; PARTITIONS as usize]);
    }

    /// Those of the marks that have not been reached.
    pub(crate) fn beyond(&self, marks: &[Mark]) -> Vec<Mark> {
        let feeds = self.feeds.borrow();
        let is_beyond = |mark: &&Mark| {
            feed_number(&mark.feed).is_some_and(|feed| feeds[feed].positions[mark.partition as usize] < mark.position)
        };
        marks.iter().filter(is_beyond).cloned().collect()
    }

    /// The position of each partition of a feed.
    pub(crate) fn of_feed(&self, feed: usize) -> [i64; PARTITIONS as usize] {
        self.feeds.borrow()[feed].positions
    }

    /// How far the feeds have been seen by now. Read before what it vouches for.
    pub(crate) fn seen(&self) -> Seen {
        Seen(*self.feeds.borrow())
    }

    /// Notices what is committed from now on.
    pub(crate) fn commits(&self) -> Commits {
        Commits(self.feeds.subscribe())
    }

    /// Waits until everything that the tokens name is included. The call's deadline ends the wait.
    pub(crate) async fn wait(&self, tokens: &[FreshnessToken]) -> Result<(), Fault> {
        if tokens.is_empty() {
            return Ok(());
        }
        let marks = marks("at_least_as_fresh", tokens)?;
        let mut wanted = Vec::with_capacity(marks.len());
        for mark in marks {
            let feed = feed_number(&mark.feed).ok_or_else(|| {
                let violation = Violation::new("at_least_as_fresh", format!("names no feed of ours: `{}`", mark.feed));
                Fault::invalid(ErrorReason::FreshnessTokenInvalid.as_str_name(), vec![violation])
            })?;
            wanted.push((feed, mark.partition as usize, mark.position));
        }
        let is_reached = |feeds: &[Followed; FEEDS.len()]| {
            wanted.iter().all(|(feed, partition, position)| {
                let followed = &feeds[*feed];
                *position == 0 || followed.is_joined[*partition] && followed.positions[*partition] >= *position
            })
        };
        let mut feeds = self.feeds.subscribe();
        let _waiting = (!is_reached(&feeds.borrow_and_update())).then(|| Waiting::begin(&self.waiting));
        let reached = feeds.wait_for(is_reached).await;
        reached.map(|_| ()).map_err(|error| Fault::log_unavailable(&error))
    }
}

impl Progress {
    /// Whether some call waits for a position.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.0.load(Ordering::Relaxed) > 0
    }

    /// Waits until a call begins to wait.
    pub(crate) async fn wanted(&self) {
        self.waiting.1.notified().await;
    }
}

impl Waiting {
    fn begin(waiting: &Arc<(AtomicUsize, Notify)>) -> Self {
        waiting.0.fetch_add(1, Ordering::Relaxed);
        waiting.1.notify_one();
        Self(waiting.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Commits {
    /// Forgets the commits so far.
    pub(crate) fn seen(&mut self) {
        self.0.borrow_and_update();
    }

    /// Waits for a commit that was not seen.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could commit.
            std::future::pending::<()>().await;
        }
    }
}

impl Seen {
    /// How far each feed has been seen for an account.
    pub(crate) fn of(&self, tenant: &str, account: &str) -> Vec<SourceFreshness> {
        let partition = store::partition(tenant, account);
        let feeds = FEEDS.iter().zip(&self.0);
        feeds
            .map(|(feed, followed)| {
                let position = followed.positions[partition as usize];
                let mark = Mark { feed: (*feed).to_owned(), partition, position };
                SourceFreshness { feed: (*feed).to_owned(), partition, position, token: Some(token(vec![mark])) }
            })
            .collect()
    }
}

fn feed_number(feed: &str) -> Option<usize> {
    FEEDS.iter().position(|known| *known == feed)
}
