//! How far the feeds have been followed, and waiting until they have come far enough.

use std::sync::Arc;

use contracts::assessments::v1::SourceFreshness;
use contracts::common::v1::{ErrorReason, FreshnessToken};
use methods::{marks, token};
use runtime::{Fault, Violation};
use store::{Mark, PARTITIONS};
use tokio::sync::watch;

/// The feeds, in the order of their numbers here.
pub(crate) const FEEDS: [&str; 4] = ["accounts", "orders", "interactions", "feedback"];

/// How far one feed has been followed.
#[derive(Clone, Copy)]
struct Followed {
    /// The position of each partition that is included in what is stored.
    positions: [i64; PARTITIONS as usize],
    /// Whether the feed has been heard since this process started. Before, it may have lost its database, and its
    /// positions may mean other changes than those that are stored.
    is_joined: bool,
}

/// How far each feed has been followed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Progress {
    feeds: Arc<watch::Sender<[Followed; FEEDS.len()]>>,
}

/// Notices the commits of what the feeds told.
pub(crate) struct Commits(watch::Receiver<[Followed; FEEDS.len()]>);

/// The progress at one moment.
pub(crate) struct Seen([Followed; FEEDS.len()]);

impl Progress {
    /// Starts with what is stored.
    pub(crate) fn new(stored: &[Mark]) -> Self {
        let mut feeds = [Followed { positions: [0; PARTITIONS as usize], is_joined: false }; FEEDS.len()];
        for mark in stored {
            if let Some(feed) = feed_number(&mark.feed) {
                feeds[feed].positions[mark.partition as usize] = mark.position;
            }
        }
        Self { feeds: Arc::new(watch::Sender::new(feeds)) }
    }

    /// Records what a committed transaction has included.
    pub(crate) fn reached(&self, marks: &[Mark]) {
        self.feeds.send_modify(|feeds| {
            for mark in marks {
                if let Some(feed) = feed_number(&mark.feed) {
                    let followed = &mut feeds[feed];
                    let position = &mut followed.positions[mark.partition as usize];
                    *position = mark.position.max(*position);
                    followed.is_joined = true;
                }
            }
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
                *position == 0 || followed.is_joined && followed.positions[*partition] >= *position
            })
        };
        let mut feeds = self.feeds.subscribe();
        let reached = feeds.wait_for(is_reached).await;
        reached.map(|_| ()).map_err(|error| Fault::log_unavailable(&error))
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
