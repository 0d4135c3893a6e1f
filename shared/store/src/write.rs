//! Writing: one task that joins the commands that wait into one transaction (group commit).
//!
//! A caller that is cancelled drops its answer, never a transaction: the task owns every transaction from begin to commit.

use std::{mem, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::join};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

use crate::{
    Database, Error, Refusal,
    error::Chain,
    feed::Position,
    requests,
    row::{Key, Row, Table, check_text},
    rows::Rows,
    work::{self, Needed, Portion, Work},
};

/// How many commands one transaction takes at most, unless a single batch has more.
const COMMANDS_PER_TRANSACTION: usize = 2_000;
/// How many batches wait for the writer before callers wait themselves.
const WAITING_BATCHES: usize = 1_024;
/// How many bytes a tenant and a request id may have together, as for a row's key.
const REQUEST_BYTES: usize = 2_048;
/// How long the answer to a request id is kept.
const REQUESTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How often old answers are dropped.
const REQUESTS_DROPPED_EVERY: Duration = Duration::from_secs(10 * 60);

/// A write: which rows it looks at, and what it decides from them.
pub struct Command {
    /// The tenant.
    pub tenant: String,
    /// The rows that the decision may read or put.
    pub keys: Vec<Key>,
    /// Makes a retry safe.
    pub request: Option<RequestId>,
    /// Looks at the rows, puts rows, and names the row to answer with. It is called at most once, and a refusal undoes
    /// what it put. It must be quick: everybody waits for it.
    pub decide: Decision,
}

/// What a command decides: it puts rows and names the one to answer with, or refuses.
pub type Decision = Box<dyn FnOnce(&mut Rows<'_>) -> Result<Key, Refusal> + Send>;

/// Names a request, so that its retry is answered as the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The id that the client chose.
    pub id: String,
    /// Tells another request with the same id.
    pub fingerprint: Vec<u8>,
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something.
    Landed,
    /// Everything was already as it wanted it.
    Unchanged,
    /// Its request id was seen before; the answer is the one given then.
    Replayed,
}

/// The answer to a command.
#[derive(Debug, Clone)]
pub struct Written {
    /// The row that the decision named, as it was then.
    pub row: Arc<Row>,
    /// The position in the feed that includes the write.
    pub position: Position,
    /// What was done.
    pub outcome: Outcome,
}

pub(crate) type Answer = Result<Written, Error>;

struct Batch {
    commands: Vec<Command>,
    answer: oneshot::Sender<Vec<Answer>>,
}

/// A service's database, with its writer. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Database,
    tables: &'static [&'static Table],
    batches: mpsc::Sender<Batch>,
    commits: watch::Receiver<u64>,
}

impl Store {
    /// Starts the writer. `clock` tells the time in microseconds since 1970.
    pub fn new(
        database: Database,
        tables: &'static [&'static Table],
        clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> Self {
        let (batches, waiting) = mpsc::channel(WAITING_BATCHES);
        let (committed, commits) = watch::channel(0);
        let writer = Writer { database: database.clone(), tables, clock, committed, requests_dropped_at: 0 };
        if let Err(error) = database.run_writer(writer.run(waiting)) {
            // Whoever writes is told that the store is closed.
            tracing::error!(error = %Chain(&error), "the writer could not be started");
        }
        Self { database, tables, batches, commits }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn tables(&self) -> &'static [&'static Table] {
        self.tables
    }

    /// Whether the store has this table.
    pub fn has(&self, table: &Table) -> bool {
        self.tables.iter().any(|one| one.name == table.name)
    }

    /// Wakes with each commit of this process. Commits of other processes are found by polling.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Writes. When this answers, the write is durable.
    ///
    /// # Errors
    /// Any [`Error`] but those of positions; nothing was written then.
    pub async fn write(&self, command: Command) -> Result<Written, Error> {
        let mut answers = self.write_batch(vec![command]).await?;
        answers.pop().unwrap_or(Err(Error::Closed))
    }

    /// Writes a batch in one transaction; each command is answered on its own, in order, and those that refuse do not
    /// hinder the others.
    ///
    /// # Errors
    /// [`Error::Closed`] if the writer has stopped.
    pub async fn write_batch(&self, commands: Vec<Command>) -> Result<Vec<Result<Written, Error>>, Error> {
        self.submit(commands).await?.written().await
    }

    /// Hands a batch to the writer, to be written as by [`Store::write_batch`]; who submits another before the first is
    /// written finds it done after the first. Waits while too many others wait.
    ///
    /// # Errors
    /// [`Error::Closed`] if the writer has stopped.
    pub async fn submit(&self, commands: Vec<Command>) -> Result<Submitted, Error> {
        let span = tracing::info_span!(
            "store.write",
            db.system.name = self.database().backend.system_name(),
            db.operation.name = "write",
            db.operation.batch.size = commands.len(),
            otel.kind = "client"
        );
        let (answer, answered) = oneshot::channel();
        if commands.is_empty() {
            let _ = answer.send(Vec::new());
        } else {
            let sent = self.batches.send(Batch { commands, answer }).instrument(span.clone()).await;
            sent.map_err(|_| Error::Closed)?;
        }
        Ok(Submitted { answered, span })
    }
}

/// A batch on its way. Dropping it takes nothing back.
#[must_use = "a batch that nobody waits for may have failed"]
pub struct Submitted {
    answered: oneshot::Receiver<Vec<Answer>>,
    span: tracing::Span,
}

impl Submitted {
    /// Waits until the batch is durable.
    ///
    /// # Errors
    /// [`Error::Closed`] if the writer has stopped.
    pub async fn written(self) -> Result<Vec<Result<Written, Error>>, Error> {
        self.answered.instrument(self.span).await.map_err(|_| Error::Closed)
    }
}

impl Command {
    /// Checks that both databases can keep what the command names.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_text(&self.tenant)?;
        if let Some(request) = &self.request {
            check_text(&request.id)?;
            if self.tenant.len() + request.id.len() > REQUEST_BYTES {
                return Err(Error::Unstorable("a request id is too long"));
            }
        }
        self.keys.iter().try_for_each(Key::check)
    }
}

struct Writer {
    database: Database,
    tables: &'static [&'static Table],
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    committed: watch::Sender<u64>,
    requests_dropped_at: i64,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Batch>) {
        while let Some(first) = waiting.recv().await {
            let mut batches = vec![first];
            let mut count = batches[0].commands.len();
            while count < COMMANDS_PER_TRANSACTION
                && let Ok(batch) = waiting.try_recv()
            {
                count += batch.commands.len();
                batches.push(batch);
            }
            self.commit(batches).await;
        }
    }

    /// Runs the batches as one transaction and answers each.
    async fn commit(&mut self, batches: Vec<Batch>) {
        let mut commands = Vec::new();
        let mut senders = Vec::with_capacity(batches.len());
        for batch in batches {
            senders.push((batch.commands.len(), batch.answer));
            commands.extend(batch.commands);
        }
        let count = commands.len();
        // Decisions are watched one by one; this is for everything else that may panic, so that the writer survives it.
        let transacted = AssertUnwindSafe(self.transact(commands)).catch_unwind().await;
        let mut answers = match transacted.unwrap_or(Err(Error::Panicked)) {
            Ok(answers) => {
                self.committed.send_modify(|generation| *generation += 1);
                answers
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), commands = count, "a write transaction failed");
                (0..count).map(|_| Err(error.again())).collect()
            }
        }
        .into_iter();
        for (length, sender) in senders {
            // Who was cancelled does not listen any more; the write stands all the same.
            let _ = sender.send(answers.by_ref().take(length).collect());
        }
    }

    async fn transact(&mut self, commands: Vec<Command>) -> Result<Vec<Answer>, Error> {
        let now = (self.clock)();
        self.drop_old_requests(now).await;

        let mut portions = work::portions(commands, self.database.backend);
        let needed = Needed::by(&portions);
        let (mut transaction, mut work) = Work::begin(&self.database, self.tables, &needed, now).await?;
        let mut answers = Vec::new();
        // While one portion is decided, the database writes the one before and looks for the one after.
        while let Some(portion) = portions.pop_front() {
            let next = portions.front().map(Portion::keys).unwrap_or_default();
            let beside = work::write_and_fetch(&mut transaction, mem::take(&mut work.dirty), &next);
            let (found, decided) = join(beside, work.decide_all(portion)).await;
            work.add(found?);
            answers.extend(decided);
        }
        work.store(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answers)
    }

    /// Drops answers that were kept long enough, now and then.
    async fn drop_old_requests(&mut self, now: i64) {
        if now.saturating_sub(self.requests_dropped_at) < micros(REQUESTS_DROPPED_EVERY) {
            return;
        }
        self.requests_dropped_at = now;
        if let Err(error) = requests::drop_before(&self.database, now.saturating_sub(micros(REQUESTS_KEPT))).await {
            tracing::warn!(error = %Chain(&error), "old answers could not be dropped");
        }
    }
}

fn micros(duration: Duration) -> i64 {
    duration.as_micros() as i64
}
