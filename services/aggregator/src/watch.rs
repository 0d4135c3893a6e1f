//! WatchAssessments: tells watchers what moved, and why.
//!
//! Each watcher reads the log of movements in a task of its own, at its own pace, and fills a short queue that the
//! transport empties. Nobody waits for a watcher: what it has not read stays in the log. All watchers together take no
//! more than a few of the connections that read.

mod message;
mod place;
mod rule;
mod watcher;

use std::{collections::HashMap, sync::Arc, time::Duration};

use contracts::{assessments::v1::*, common::v1::ErrorReason};
use futures_util::{StreamExt as _, stream::BoxStream};
use methods::{Call, Violations, store_fault};
use runtime::{Fault, Shutdown, Tenant};
use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use wording::{Language, Words};

pub(crate) use self::watcher::Watcher;
use self::{place::Place, rule::Rule};
use crate::{
    instruments::Instruments, log, movement::LEAST_MOVEMENT, movement::Number, service::Service, tongue::Tongue,
};

/// In points.
const DEFAULT_THRESHOLD: f64 = 1.0;
const LARGEST_THRESHOLD: f64 = 100.0;
/// How many connections all watchers together read with, at the same time.
const READERS: usize = 2;

/// What watchers share.
#[derive(Clone)]
pub(crate) struct Watching {
    pub(crate) limits: Limits,
    pub(crate) shutdown: Shutdown,
    pub(crate) instruments: Instruments,
    readers: Readers,
}

/// When a watcher is cut off, and what is remembered for it.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// How many messages wait for the transport. What the client and the network hold comes on top.
    pub(crate) queue: usize,
    /// How long the queue may be full without a message being taken, by the clock.
    pub(crate) stall: Duration,
    /// How many movements, of whichever tenant, may come in meanwhile; more than one transaction makes of a backlog.
    pub(crate) movements: i64,
    /// Of how many accounts it is remembered what is untold. Beyond that all of it is forgotten, and looked up in the log
    /// where it is needed again: slower, and the same.
    pub(crate) untold: usize,
}

/// The queue of what a watcher tells.
pub(crate) type Receiver = mpsc::Receiver<Result<WatchAssessmentsResponse, Status>>;

/// The connections that watchers may read with.
#[derive(Clone)]
struct Readers(Arc<Semaphore>);

impl Default for Limits {
    fn default() -> Self {
        Self { queue: 64, stall: Duration::from_secs(60), movements: 100_000, untold: 10_000 }
    }
}

impl Watching {
    pub(crate) fn new(shutdown: Shutdown, instruments: Instruments) -> Self {
        let readers = Readers(Arc::new(Semaphore::new(READERS)));
        Self { limits: Limits::default(), shutdown, instruments, readers }
    }
}

impl Readers {
    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.acquire().await.ok()
    }
}

impl Service {
    pub(crate) async fn watch(
        &self,
        request: Request<WatchAssessmentsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchAssessmentsResponse, Status>>>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let (mut watcher, receiver) = self.begin_watch(call.tenant, &ask).await?;
        watcher.words = tongue.words;
        tokio::spawn(watcher.run(self.watching.shutdown.clone()));
        Ok(tongue.answer(ReceiverStream::new(receiver).boxed()))
    }

    /// A watcher that has told where it stands, so that its client knows that it is connected, and the queue of what it
    /// tells.
    pub(crate) async fn begin_watch(
        &self,
        tenant: Tenant,
        ask: &WatchAssessmentsRequest,
    ) -> Result<(Watcher, Receiver), Fault> {
        let mut violations = Violations::default();
        violations.number("threshold", ask.threshold, LEAST_MOVEMENT, LARGEST_THRESHOLD);
        let stored = (!ask.position.is_empty()).then(|| Place::decode(&ask.position, &tenant));
        if stored == Some(None) {
            violations.add("position", "is not the `position` of a message to this tenant");
        }
        violations.finish()?;
        let threshold = ask.threshold.unwrap_or(DEFAULT_THRESHOLD);
        let rule = Rule::new(&ask.filter, threshold)?;

        let Watching { limits, instruments, readers, .. } = self.watching.clone();
        // Before the first look, so that no commit falls between.
        let commits = self.gallery.progress.commits();
        let place = self.place(stored.flatten(), place::rule(&ask.filter, threshold)).await?;
        // One more than the queue: the last word has a place of its own.
        let (sender, receiver) = mpsc::channel(limits.queue + 1);
        let mut watcher = Watcher {
            gallery: self.gallery.clone(),
            readers,
            limits,
            instruments,
            tenant,
            words: Words::of(Language::default()),
            rule,
            told: place.clone(),
            remembered_from: place.number,
            place,
            commits,
            sender,
            untold: HashMap::new(),
            last_message: Instant::now(),
        };
        watcher.checkpoint();
        Ok((watcher, receiver))
    }

    /// Where a watch begins: after the place that it resumes, which the log has to continue, or else at the log's end.
    async fn place(&self, stored: Option<Place>, rule: u64) -> Result<Place, Fault> {
        let database = &self.gallery.reader.database;
        let _permit = self.watching.readers.permit().await;
        // The end is asked first: what it counts was there by then, so what is missing afterwards was forgotten.
        let end = log::end(database).await.map_err(store_fault)?;
        let last = Number::end_of_row(end.position);
        let Some(stored) = stored else {
            return Ok(Place { epoch: end.epoch, number: last, origin: last, rule });
        };
        if stored.epoch != end.epoch {
            return Err(expired(&stored, 0));
        }
        if stored.number > last {
            return Err(Fault::new(
                Code::OutOfRange,
                ErrorReason::FeedPositionAhead.as_str_name(),
                "the position is ahead of what there is: list the assessments and watch from now on",
            )
            .with("partition", "0")
            .with("position", stored.number.0.to_string())
            .with("last_position", last.0.to_string()));
        }
        if stored.number < last {
            let first = log::first(database).await.map_err(store_fault)?.unwrap_or(end.position + 1);
            if first > stored.number.next_row() {
                return Err(expired(&stored, first));
            }
        }
        let origin = if stored.rule == rule { stored.origin } else { stored.number };
        Ok(Place { origin, rule, ..stored })
    }
}

/// OUT_OF_RANGE: the log does not hold what follows a place; the first row that it holds is at this position.
fn expired(place: &Place, first: i64) -> Fault {
    Fault::new(
        Code::OutOfRange,
        ErrorReason::FeedPositionExpired.as_str_name(),
        "what followed the position is no longer held: list the assessments and watch from now on",
    )
    .with("partition", "0")
    .with("position", place.number.0.to_string())
    .with("first_position", Number::in_row(first, 0).0.to_string())
}
