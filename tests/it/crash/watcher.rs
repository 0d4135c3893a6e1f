//! One who watches a feed and is cut off all the time.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use contracts::common::v1::{FeedPosition, FeedStart};
use tests::resources::{Change, Clients, Kind, Message, is_cut_off, until_answered};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::{chance::Chance, judge::ends, writer::Book};

/// Keeps what it sees, and how far it has come.
pub(super) struct Watcher {
    kind: Kind,
    clients: Clients,
    chance: Chance,
    positions: BTreeMap<u32, i64>,
    seen: Vec<Change>,
}

impl Watcher {
    pub(super) fn new(kind: Kind, clients: &Clients, chance: &mut Chance) -> Self {
        let (clients, chance) = (clients.clone(), chance.split());
        Self { kind, clients, chance, positions: BTreeMap::new(), seen: Vec::new() }
    }

    /// Watches until it has seen all that was written when the book was closed. Returns that, and how often it was cut off.
    pub(super) async fn run(mut self, book: Rc<Book>) -> (Kind, Vec<Change>, u64) {
        let mut cuts = 0;
        loop {
            if book.is_closed() {
                let ends = until_answered(async || ends(&self.clients, self.kind).await).await;
                if ends.iter().all(|(partition, end)| self.position(*partition) >= *end) {
                    return (self.kind, self.seen, cuts);
                }
            }
            self.watch_a_while().await;
            cuts += 1;
        }
    }

    /// Resumes where it was, and leaves or loses the stream somewhere.
    async fn watch_a_while(&mut self) {
        let positions = self.positions.iter();
        let positions: Vec<FeedPosition> = positions
            .map(|(partition, position)| FeedPosition { partition: *partition, position: *position })
            .collect();
        let clients = self.clients.clone();
        let resume = async || clients.watch(self.kind, FeedStart::Positions, positions.clone()).await;
        let mut messages = until_answered(resume).await;
        for _ in 0..self.chance.below(40) {
            match timeout(self.chance.up_to(Duration::from_millis(400)), messages.next()).await {
                Ok(Some(Ok(message))) => self.keep(message),
                Ok(Some(Err(status))) => {
                    assert!(is_cut_off(&status), "refused: {status:?}");
                    return;
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn keep(&mut self, (changes, through): Message) {
        for change in &changes {
            let stamp = &change.stamp;
            assert_eq!(stamp.position, self.position(stamp.partition) + 1, "{change:?} comes next");
            self.positions.insert(stamp.partition, stamp.position);
        }
        for entry in through {
            // Nobody else writes: a message goes as far as the changes that it tells of, a checkpoint no further.
            assert_eq!(entry.position, self.position(entry.partition));
        }
        self.seen.extend(changes);
    }

    fn position(&self, partition: u32) -> i64 {
        self.positions.get(&partition).copied().unwrap_or_default()
    }
}
