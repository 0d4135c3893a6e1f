//! One who watches the feed of a service, of all tenants, and is cut off all the time.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use contracts::common::v1::{FeedPosition, FeedStart};
use tests::{
    chance::Chance,
    history::{self, Feed},
    resources::{Change, Clients, Kind, is_cut_off},
};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;
use tonic::Status;

use crate::{
    doors::{Doors, PATIENCE},
    recorder::{Recorder, resource, said},
    writer::refused,
};

/// Whoever may see all tenants asks for them so.
pub(crate) const EVERYBODY: &str = "-";

/// Keeps what it is told.
pub(crate) struct Watcher {
    kind: Kind,
    doors: Doors,
    chance: Chance,
    recorder: Rc<Recorder>,
    positions: BTreeMap<u32, i64>,
    feed: Feed,
}

impl Watcher {
    pub(crate) fn new(name: String, kind: Kind, doors: &Doors, chance: Chance, recorder: &Rc<Recorder>) -> Self {
        let service = kind.service().to_owned();
        let feed = Feed { service, watcher: name, changes: Vec::new(), ends: BTreeMap::new() };
        let (doors, recorder) = (doors.clone(), recorder.clone());
        Self { kind, doors, chance, recorder, positions: BTreeMap::new(), feed }
    }

    /// Watches until the recorder is closed, resuming where it was at whichever replica it finds.
    pub(crate) async fn run(mut self) {
        while !self.recorder.is_closed() {
            match self.watch_a_while().await {
                Ok(()) => {}
                Err(status) if is_cut_off(&status) => {
                    self.recorder.count_cut_off();
                    self.chance.pause(Duration::from_millis(200)).await;
                }
                Err(status) => {
                    let text = format!("{} cannot be watched: {:?}", self.kind.service(), refused(&status));
                    return self.recorder.fail(text);
                }
            }
        }
        self.recorder.history.borrow_mut().watched.push(self.feed);
    }

    async fn watch_a_while(&mut self) -> Result<(), Status> {
        let positions = self.positions.iter();
        let positions =
            positions.map(|(partition, position)| FeedPosition { partition: *partition, position: *position });
        let clients = self.doors.clients(self.kind.service(), EVERYBODY, &mut self.chance);
        let watch = clients.watch(self.kind, FeedStart::Positions, positions.collect());
        let Ok(messages) = timeout(PATIENCE, watch).await else { return Ok(()) };
        let mut messages = messages?;
        for _ in 0..self.chance.below(60) {
            match timeout(self.chance.up_to(PATIENCE / 3), messages.next()).await {
                Ok(Some(message)) => {
                    for change in message?.0 {
                        self.positions.insert(change.stamp.partition, change.stamp.position);
                        self.feed.changes.push(heard(&change));
                    }
                }
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// A change as the history has it.
fn heard(change: &Change) -> history::Change {
    let Change { stamp, row } = change;
    let time = stamp.record_time.unwrap_or_default();
    history::Change {
        partition: stamp.partition,
        position: stamp.position,
        resource: resource(&stamp.tenant, row.name()),
        version: stamp.version,
        said: said(row),
        recorded_at: time.seconds * 1_000_000 + i64::from(time.nanos / 1_000),
    }
}

/// Where each partition ends now.
pub(crate) async fn ends(clients: &Clients, kind: Kind) -> Result<BTreeMap<u32, i64>, Status> {
    let mut messages = clients.watch(kind, FeedStart::Now, vec![]).await?;
    let first = messages.next().await.ok_or(Status::unavailable("the feed said nothing"))??;
    Ok(first.1.into_iter().map(|entry| (entry.partition, entry.position)).collect())
}

/// Reads a feed from its beginning to where it ends now.
pub(crate) async fn read_feed(clients: &Clients, kind: Kind, watcher: &str) -> Result<Feed, Status> {
    let ends = ends(clients, kind).await?;
    let mut messages = clients.watch(kind, FeedStart::Beginning, vec![]).await?;
    let mut missing: i64 = ends.values().sum();
    let mut changes = Vec::new();
    while missing > 0 {
        // Who is told nothing asks again from the beginning.
        let silent = |_| Status::deadline_exceeded("the feed has more and says nothing");
        let message = timeout(PATIENCE * 10, messages.next()).await.map_err(silent)?;
        let told = message.ok_or(Status::unavailable("the feed ended"))??.0;
        missing -= told.len() as i64;
        changes.extend(told.iter().map(heard));
    }
    Ok(Feed { service: kind.service().to_owned(), watcher: watcher.to_owned(), changes, ends })
}
