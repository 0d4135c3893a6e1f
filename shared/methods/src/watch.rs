//! Watch: the change feed as a stream that is pulled, so that a slow watcher holds up nobody.

use std::{collections::VecDeque, time::Duration};

use contracts::common::v1::{ChangeStamp, FeedPosition, FeedStart};
use futures_util::{Stream, stream};
use runtime::{Fault, TenantScope};
use store::{Change, Changes, PARTITIONS, Position, Row};
use tokio::sync::watch;
use tonic::Status;

use crate::{Methods, Violations, faults::stopping, from_micros, store_fault};

/// How long a watcher with nothing to see waits before it looks for changes that other processes made.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How many polls without a change make a checkpoint.
const POLLS_PER_CHECKPOINT: u32 = 10;

/// What a watcher asks for.
#[derive(Debug, Default)]
pub struct WatchAsk {
    /// The partitions; none means all.
    pub partitions: Vec<u32>,
    /// Where to begin.
    pub start: i32,
    /// After which positions.
    pub positions: Vec<FeedPosition>,
}

/// Changes of one transaction in one partition, or a checkpoint.
#[derive(Debug)]
pub struct Watched {
    /// The changes; none in a checkpoint.
    pub changes: Vec<WatchedChange>,
    /// How far the watcher has come.
    pub changes_through: Vec<FeedPosition>,
}

/// A change and the row after it.
#[derive(Debug)]
pub struct WatchedChange {
    /// When and where the change stands.
    pub stamp: ChangeStamp,
    /// The row.
    pub row: Row,
}

impl WatchedChange {
    /// A change of a partition, as a watcher is told of it.
    pub fn new(partition: u32, Change { position, row }: Change) -> Self {
        let stamp = ChangeStamp {
            tenant: row.key.tenant.clone(),
            account_id: row.key.account.clone(),
            partition,
            position,
            version: row.version,
            record_time: Some(from_micros(row.recorded_at)),
        };
        Self { stamp, row }
    }
}

struct Watcher {
    methods: Methods,
    scope: TenantScope,
    positions: Vec<Position>,
    ready: VecDeque<Changes>,
    commits: watch::Receiver<u64>,
    idle_polls: u32,
    started: bool,
}

impl Methods {
    /// Follows the feed.
    ///
    /// # Errors
    /// As the contract says of the `Watch` methods.
    pub async fn watch(
        &self,
        scope: TenantScope,
        ask: WatchAsk,
    ) -> Result<impl Stream<Item = Result<Watched, Status>> + Send + 'static, Fault> {
        let positions = self.start(&ask).await?;
        // Subscribed before the first look, so that no commit falls between.
        let commits = self.store().commits();
        let watcher = Watcher {
            methods: self.clone(),
            scope,
            positions,
            ready: VecDeque::new(),
            commits,
            idle_polls: 0,
            started: false,
        };
        Ok(stream::unfold(Some(watcher), |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await {
                Ok(watched) => Some((Ok(watched), Some(watcher))),
                Err(fault) => Some((Err(fault.into()), None)),
            }
        }))
    }

    async fn start(&self, ask: &WatchAsk) -> Result<Vec<Position>, Fault> {
        let mut violations = Violations::default();
        for (index, partition) in ask.partitions.iter().enumerate() {
            violations.integer(&format!("partitions[{index}]"), i64::from(*partition), 0, i64::from(PARTITIONS) - 1);
        }
        for (index, entry) in ask.positions.iter().enumerate() {
            violations.within(format!("positions[{index}]"), |violations| {
                violations.integer("partition", i64::from(entry.partition), 0, i64::from(PARTITIONS) - 1);
                violations.integer("position", entry.position, 0, i64::MAX);
            });
        }
        violations.known_enum::<FeedStart>("start", ask.start);
        violations.finish()?;

        let mut partitions: Vec<u32> =
            if ask.partitions.is_empty() { (0..PARTITIONS).collect() } else { ask.partitions.clone() };
        partitions.sort_unstable();
        partitions.dedup();
        let last = self.store().positions().await.map_err(store_fault)?;
        let start = FeedStart::try_from(ask.start).unwrap_or_default();
        let mut positions = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let asked = ask.positions.iter().find(|entry| entry.partition == partition).map(|entry| entry.position);
            let position = match (start, asked) {
                (FeedStart::Unspecified | FeedStart::Positions, Some(position)) => {
                    self.store().check_position(Position { partition, position }).await.map_err(store_fault)?;
                    position
                }
                (FeedStart::Now, _) => last.get(partition as usize).map_or(0, |entry| entry.position),
                // A feed that forgets begins later than at 0.
                _ => self.store().beginning(partition).await.map_err(store_fault)?.position,
            };
            positions.push(Position { partition, position });
        }
        Ok(positions)
    }
}

impl Watcher {
    /// Waits for the next group of changes, or for a checkpoint to be due.
    async fn next(&mut self) -> Result<Watched, Fault> {
        // A watcher is told at once where it stands: it knows that it is connected.
        if !self.started {
            self.started = true;
            return Ok(self.checkpoint());
        }
        loop {
            while let Some(group) = self.ready.pop_front() {
                if let Some(watched) = self.deliver(group) {
                    self.idle_polls = 0;
                    return Ok(watched);
                }
            }
            if self.methods.shutdown.has_begun() {
                return Err(stopping("resume from the last position"));
            }
            self.commits.borrow_and_update();
            if !self.look().await? {
                let waited = tokio::time::timeout(POLL_EVERY, self.commits.changed());
                let commit_came = tokio::select! {
                    waited = waited => waited.is_ok(),
                    () = self.methods.shutdown.wait() => false,
                };
                if !commit_came {
                    self.idle_polls += 1;
                    if self.idle_polls >= POLLS_PER_CHECKPOINT {
                        self.idle_polls = 0;
                        return Ok(self.checkpoint());
                    }
                }
            }
        }
    }

    /// Reads what follows in the partitions that have moved. Returns whether there was anything.
    async fn look(&mut self) -> Result<bool, Fault> {
        let last = self.methods.store().positions().await.map_err(store_fault)?;
        for entry in &self.positions {
            if last.get(entry.partition as usize).is_some_and(|last| last.position > entry.position) {
                self.ready.extend(self.methods.store().changes_after(*entry).await.map_err(store_fault)?);
            }
        }
        Ok(!self.ready.is_empty())
    }

    /// Moves past a group; answers with what the watcher may see of it, or nothing.
    fn deliver(&mut self, group: Changes) -> Option<Watched> {
        let through = group.changes.last()?.position;
        let entry = self.positions.iter_mut().find(|entry| entry.partition == group.partition)?;
        entry.position = through;
        let visible = group.changes.into_iter().filter(|change| match &self.scope {
            TenantScope::All => true,
            TenantScope::One(tenant) => change.row.key.tenant == tenant.as_str(),
        });
        let changes: Vec<WatchedChange> = visible.map(|change| WatchedChange::new(group.partition, change)).collect();
        let through = FeedPosition { partition: group.partition, position: through };
        (!changes.is_empty()).then(|| Watched { changes, changes_through: vec![through] })
    }

    fn checkpoint(&self) -> Watched {
        let through = self.positions.iter();
        Watched {
            changes: Vec::new(),
            changes_through: through
                .map(|entry| FeedPosition { partition: entry.partition, position: entry.position })
                .collect(),
        }
    }
}

/// Reads what each service's contract lets a watcher ask.
macro_rules! watch_requests {
    ($($request:path),* $(,)?) => {
        $(impl From<$request> for WatchAsk {
            fn from(request: $request) -> Self {
                Self { partitions: request.partitions, start: request.start, positions: request.positions }
            }
        })*
    };
}

watch_requests![
    contracts::accounts::v1::WatchAccountsRequest,
    contracts::orders::v1::WatchOrdersRequest,
    contracts::interactions::v1::WatchInteractionsRequest,
    contracts::feedback::v1::WatchFeedbackRequest,
];
