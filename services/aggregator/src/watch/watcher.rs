//! One watcher: reads the log at its own pace, decides what is told, and tells it.

use std::{collections::HashMap, time::Duration};

use contracts::{assessments::v1::WatchAssessmentsResponse, common::v1::ErrorReason};
use methods::store_fault;
use runtime::{Fault, Shutdown, Tenant};
use store::Error;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};
use tonic::{Code, Status};
use wording::Words;

use super::{
    Limits, Readers, expired,
    message::message,
    place::Place,
    rule::{Change, Outcome, Rule, Untold},
};
use crate::{
    instruments::Instruments,
    log::{self, LogRow},
    movement::{Movement, Number},
    picture::{Gallery, Moment},
    progress::Commits,
};

/// How long a watcher with nothing to see waits before it looks for what other processes wrote.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How long a watcher that has read everything rests at least. Many of them would else read as often as is committed.
const REST: Duration = Duration::from_millis(50);
/// How long after the last message a watcher is told where it stands.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);
/// How many rows of the log are read together.
const ROWS_PER_PAGE: i64 = 16;
/// How many accounts are assessed together.
const ACCOUNTS_PER_READ: usize = 100;
const NOW: Moment = Moment { as_of: None, known_at: None };

/// Where the messages go.
pub(super) type Sender = mpsc::Sender<Result<WatchAssessmentsResponse, Status>>;

/// A watcher at work, in a task of its own.
pub(crate) struct Watcher {
    pub(super) gallery: Gallery,
    pub(super) readers: Readers,
    pub(super) limits: Limits,
    pub(super) instruments: Instruments,
    pub(super) tenant: Tenant,
    /// In which it tells.
    pub(super) words: &'static Words,
    pub(super) rule: Rule,
    /// How far it has read.
    pub(super) place: Place,
    /// The place of the last message.
    pub(super) told: Place,
    pub(super) commits: Commits,
    pub(super) sender: Sender,
    /// What is untold of the accounts that moved after `remembered_from`. What is not in here is looked up in the log.
    pub(super) untold: HashMap<String, Untold>,
    pub(super) remembered_from: Number,
    pub(super) last_message: Instant,
}

impl Watcher {
    /// Tells until the client goes, the shutdown begins or something stands in the way, and says so to the client.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        // The last word always has a place.
        let Ok(last_word) = self.sender.clone().reserve_owned().await else { return };
        let (instruments, sender) = (self.instruments.clone(), self.sender.clone());
        instruments.watcher_comes();
        let ended = tokio::select! {
            fault = self.tell() => Some(fault),
            () = shutdown.wait() => Some(Fault::new(
                Code::Unavailable,
                ErrorReason::Unavailable.as_str_name(),
                "the server stops: resume from the last position",
            )),
            () = sender.closed() => None,
        };
        instruments.watcher_goes();
        if let Some(fault) = ended {
            last_word.send(Err(fault.into()));
        }
    }

    /// Tells what there is to tell, for ever; answers with what stood in the way.
    async fn tell(&mut self) -> Fault {
        loop {
            if let Err(fault) = self.step().await {
                return fault;
            }
        }
    }

    /// Reads and tells a page of the log, or waits for more.
    async fn step(&mut self) -> Result<(), Fault> {
        self.commits.seen();
        let is_behind = self.tell_page().await?;
        if self.last_message.elapsed() >= CHECKPOINT_EVERY {
            self.checkpoint();
        }
        if !is_behind {
            let rested = Instant::now() + REST;
            // Whether a commit woke it or not, it looks again.
            let _ = tokio::time::timeout(POLL_EVERY, self.commits.next()).await;
            tokio::time::sleep_until(rested).await;
        }
        Ok(())
    }

    /// Reads and tells a page of the log, if there is one.
    pub(crate) async fn tell_page(&mut self) -> Result<bool, Fault> {
        let rows = self.page().await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let changes = self.changes(rows).await?;
        for batch in changes.chunks(ACCOUNTS_PER_READ) {
            self.tell_changes(batch).await?;
        }
        Ok(true)
    }

    /// The next rows.
    async fn page(&self) -> Result<Vec<LogRow>, Fault> {
        let _permit = self.readers.permit().await;
        let rows = log::after(&self.gallery.reader.database, self.place.number, ROWS_PER_PAGE);
        let rows = rows.await.map_err(store_fault)?;
        match rows.first() {
            Some(first) if first.position > self.place.number.next_row() => Err(expired(&self.place, first.position)),
            _ => Ok(rows),
        }
    }

    /// Takes in rows; answers with what is to be told of them: account, number, time and change.
    async fn changes(&mut self, rows: Vec<LogRow>) -> Result<Vec<(String, Number, i64, Change)>, Fault> {
        let mut movements = Vec::new();
        let mut end = self.place.number;
        for row in rows {
            end = Number::end_of_row(row.position);
            let mine = row.movements().map_err(store_fault)?.into_iter();
            let mine = mine
                .filter(|(number, movement)| *number > self.place.number && movement.tenant == self.tenant.as_str());
            let before = movements.len();
            movements.extend(mine.map(|(number, movement)| (number, row.moved_at, movement)));
            // Whoever has seen the last one has seen the row, and goes on though it may be forgotten.
            if let Some((number, ..)) = movements[before..].last_mut() {
                *number = end;
            }
        }
        self.recall(&movements).await.map_err(store_fault)?;
        let mut changes = Vec::new();
        for (number, moved_at, movement) in movements {
            let account = movement.account.clone();
            match self.rule.take(self.untold.remove(&account), movement) {
                Outcome::Told(change) => changes.push((account, number, moved_at, *change)),
                Outcome::Untold(untold) => {
                    self.untold.insert(account, untold);
                }
            }
        }
        self.place.number = end;
        if self.untold.len() > self.limits.untold {
            self.untold.clear();
            self.remembered_from = end;
        }
        Ok(changes)
    }

    /// Looks up what is untold of the accounts that move now and have moved before since the watch began, but not since
    /// they are remembered: in the log, movement by movement from the last one back.
    async fn recall(&mut self, movements: &[(Number, i64, Movement)]) -> Result<(), Error> {
        let mut seen = HashMap::new();
        for (_, _, movement) in movements {
            seen.entry(movement.account.as_str()).or_insert_with(|| movement.previous());
        }
        let is_forgotten = |number: &Number| *number > self.place.origin && *number <= self.remembered_from;
        let mut wanted: Vec<(&str, Number)> = seen
            .into_iter()
            .filter(|(account, _)| !self.untold.contains_key(*account))
            .filter_map(|(account, previous)| Some((account, previous.filter(is_forgotten)?)))
            .collect();
        let mut chains: HashMap<&str, Vec<Movement>> = HashMap::new();
        while !wanted.is_empty() {
            let mut positions: Vec<i64> = wanted.iter().map(|(_, number)| number.row()).collect();
            positions.sort_unstable();
            positions.dedup();
            let permit = self.readers.permit().await;
            let mut found = HashMap::new();
            for row in log::at(&self.gallery.reader.database, &positions).await? {
                found.extend(row.movements()?);
            }
            drop(permit);
            let mut next = Vec::new();
            for (account, number) in wanted {
                // What is not held any more cannot be counted.
                let Some(movement) = found.remove(&number) else { continue };
                next.extend(movement.previous().filter(is_forgotten).map(|previous| (account, previous)));
                chains.entry(account).or_default().push(movement);
            }
            wanted = next;
        }
        for (account, chain) in chains {
            let mut untold = None;
            for movement in chain.into_iter().rev() {
                untold = match self.rule.take(untold, movement) {
                    Outcome::Told(_) => None,
                    Outcome::Untold(untold) => Some(untold),
                };
            }
            if let Some(untold) = untold {
                self.untold.insert(account.to_owned(), untold);
            }
        }
        Ok(())
    }

    /// Tells changes, each with the assessment as it is now. Of an account that is gone meanwhile nothing is told.
    async fn tell_changes(&mut self, changes: &[(String, Number, i64, Change)]) -> Result<(), Fault> {
        let mut accounts: Vec<&str> = changes.iter().map(|(account, ..)| account.as_str()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let permit = self.readers.permit().await;
        // Another process may have moved them: what is at hand of them is not to be older than that.
        self.gallery.others.look().await.map_err(store_fault)?;
        let pictures = self.gallery.find_all(self.tenant.as_str(), &accounts, NOW).await?;
        drop(permit);
        let found = accounts.into_iter().zip(pictures);
        let assessments: HashMap<&str, _> = found
            .filter_map(|(account, picture)| picture.map(|picture| (account, self.gallery.assess(picture))))
            .collect();
        for (account, number, moved_at, change) in changes {
            let Some(assessment) = assessments.get(account.as_str()) else { continue };
            let place = Place { number: *number, ..self.place.clone() };
            let position = place.encode(&self.tenant);
            let threshold = self.rule.threshold();
            let told = message(self.words, change, threshold, *moved_at, assessment.clone(), position);
            self.send(told).await?;
            self.told = place;
        }
        Ok(())
    }

    /// Tells where the watcher stands, unless it has enough to read.
    pub(super) fn checkpoint(&mut self) {
        let told = WatchAssessmentsResponse { position: self.place.encode(&self.tenant), ..Default::default() };
        if self.sender.try_send(Ok(told)).is_ok() {
            self.told = self.place.clone();
            self.last_message = Instant::now();
        }
    }

    /// Hands a message over. Where that takes too long, the watcher is cut off; nobody else waits.
    async fn send(&mut self, told: WatchAssessmentsResponse) -> Result<(), Fault> {
        self.last_message = Instant::now();
        let told = match self.sender.try_send(Ok(told)) {
            Ok(()) => return Ok(()),
            // Whoever has gone is noticed elsewhere.
            Err(TrySendError::Full(told) | TrySendError::Closed(told)) => told,
        };
        let since = self.gallery.clock.now();
        let count = self.movement_count().await?;
        let sender = self.sender.clone();
        loop {
            if let Ok(Ok(permit)) = tokio::time::timeout(POLL_EVERY, sender.reserve()).await {
                permit.send(told);
                return Ok(());
            }
            let waited = self.gallery.clock.now().saturating_sub(since);
            let behind = self.movement_count().await?.saturating_sub(count);
            if waited >= self.limits.stall.as_micros() as i64 || behind >= self.limits.movements {
                self.instruments.watcher_cut_off();
                tracing::info!(tenant = self.tenant.as_str(), behind, "a watcher did not keep up and is cut off");
                return Err(Fault::new(
                    Code::Aborted,
                    ErrorReason::WatcherTooSlow.as_str_name(),
                    "the watcher does not keep up: resume after the last position",
                )
                .with("position", self.told.encode(&self.tenant)));
            }
        }
    }

    /// How many movements there have been.
    async fn movement_count(&self) -> Result<i64, Fault> {
        let _permit = self.readers.permit().await;
        Ok(log::end(&self.gallery.reader.database).await.map_err(store_fault)?.movement_count)
    }
}
