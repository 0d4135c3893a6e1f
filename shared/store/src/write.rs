//! Writing: one task that joins the commands that wait into one transaction (group commit).
//!
//! A caller that is cancelled drops its answer, never a transaction: the task owns every transaction from begin to commit.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

use crate::{
    Database, Error, Refusal, Transaction, Value,
    error::Chain,
    feed::{self, Group, Position, encode_change, encode_redacts, partition},
    requests::{self, NewRequest, SeenRequest},
    row::{Key, Row, Table, check_text},
    rows::{Redaction, Rows, Staged},
    transaction::LookUp,
};

/// How many commands one transaction takes at most, unless a single batch has more.
const COMMANDS_PER_TRANSACTION: usize = 2_000;
/// How many bytes a stored group of changes has at most, so that it fits a message; a single change may be larger.
const BYTES_PER_GROUP: usize = 256 * 1024;
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

type Answer = Result<Written, Error>;

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
    fn check(&self) -> Result<(), Error> {
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

        let checks: Vec<Result<(), Error>> = commands.iter().map(Command::check).collect();
        let sound = commands.iter().zip(&checks).filter(|(_, check)| check.is_ok());
        let needed = Needed::by(sound.map(|(command, _)| command));

        let (mut transaction, mut work) = self.begin(&needed, now).await?;
        let checked = commands.into_iter().zip(checks);
        let answers: Vec<Answer> = checked.map(|(command, check)| check.and_then(|()| work.decide(command))).collect();
        work.store(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answers)
    }

    /// Begins a transaction, locks the partitions in ascending order, and reads what the commands need.
    async fn begin(&self, needed: &Needed<'_>, now: i64) -> Result<(Transaction, Work), Error> {
        let in_order = format!("order by feed_partition{}", self.database.backend.lock_rows());
        let partitions: Vec<_> =
            needed.partitions.iter().map(|partition| [Value::Integer((*partition).into())]).collect();
        let requests: Vec<_> =
            needed.requests.iter().map(|(tenant, request)| [Value::Text(tenant), Value::Text(&request.id)]).collect();
        // A key leads with its table.
        let tables = needed.keys.chunk_by(|one, next| one.table == next.table).map(|keys| {
            let select = format!("select {} from {} where (tenant, account, id)", Row::COLUMNS, keys[0].table);
            (keys[0].table, select, keys.iter().map(|key| key.values()).collect::<Vec<_>>())
        });
        let tables: Vec<_> = tables.collect();

        let mut look_ups = vec![
            (Kind::Position, LookUp::new((POSITIONS, &in_order), &partitions)),
            (Kind::Seen, LookUp::new((requests::SEEN, ""), &requests)),
        ];
        for (table, select, keys) in &tables {
            look_ups.push((Kind::Row(table), LookUp::new((select, ""), keys)));
        }
        look_ups.retain(|(_, look_up)| !look_up.is_empty());
        let (kinds, look_ups): (Vec<Kind>, Vec<LookUp<'_>>) = look_ups.into_iter().unzip();
        let mut work = Work { now, ..Work::default() };
        let begun = Transaction::begin_with(&self.database.transactions, &look_ups, |number, row| {
            Ok(match kinds[number] {
                Kind::Position => {
                    let partition = u32::try_from(row.integer(0)?);
                    let partition = partition.map_err(|_| Error::Damaged("a partition's number".to_owned()))?;
                    Known::Position { partition, position: row.integer(1)?, recorded_at: row.integer(2)? }
                }
                Kind::Seen => Known::Seen(requests::seen(self.tables, row)?),
                Kind::Row(table) => Known::Row(Row::read(table, row)?),
            })
        });
        let (transaction, known) = begun.await?;
        for known in known {
            match known {
                Known::Position { partition, position, recorded_at } => {
                    work.positions.insert(partition, position);
                    // Never backwards inside a partition, so that what was known at a time is a prefix of the feed.
                    work.now = work.now.max(recorded_at);
                }
                Known::Seen((key, seen)) => drop(work.seen.insert(key, seen)),
                Known::Row(row) => drop(work.current.insert(row.key.clone(), Arc::new(row))),
            }
        }
        Ok((transaction, work))
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

/// What a transaction reads before it decides.
struct Needed<'a> {
    /// In order, each once.
    keys: Vec<&'a Key>,
    partitions: BTreeSet<u32>,
    requests: Vec<(&'a str, &'a RequestId)>,
}

impl<'a> Needed<'a> {
    fn by(commands: impl Iterator<Item = &'a Command>) -> Self {
        let mut keys: Vec<&Key> = Vec::new();
        let mut requests = Vec::new();
        for command in commands {
            keys.extend(&command.keys);
            requests.extend(command.request.as_ref().map(|request| (command.tenant.as_str(), request)));
        }
        keys.sort_unstable();
        keys.dedup();
        let partitions = keys.iter().map(|key| partition(&key.tenant, &key.account)).collect();
        Self { keys, partitions, requests }
    }
}

/// Where partitions stand, and when the latest change of each was written.
const POSITIONS: &str = "select feed_partition, position, recorded_at from feed_positions where feed_partition";

/// What a statement finds that a transaction begins with.
enum Kind {
    Position,
    Seen,
    Row(&'static str),
}

enum Known {
    Position { partition: u32, position: i64, recorded_at: i64 },
    Seen(((String, String), SeenRequest)),
    Row(Row),
}

/// The rows that a transaction's commands named, as they stand.
pub(crate) type Current = HashMap<Key, Arc<Row>>;

/// A transaction in the making: what was read, and what the decisions have put so far.
#[derive(Default)]
struct Work {
    now: i64,
    positions: BTreeMap<u32, i64>,
    seen: HashMap<(String, String), SeenRequest>,
    current: Current,
    /// What was put, in order.
    dirty: Vec<Arc<Row>>,
    changes: BTreeMap<u32, Vec<Arc<Row>>>,
    requests: Vec<NewRequest>,
    redactions: BTreeMap<u32, Vec<Redaction>>,
}

impl Work {
    fn decide(&mut self, command: Command) -> Answer {
        let request_key = command.request.as_ref().map(|request| (command.tenant.clone(), request.id.clone()));
        if let (Some(request), Some(key)) = (&command.request, &request_key)
            && let Some(seen) = self.seen.get(key)
        {
            if seen.fingerprint != request.fingerprint {
                return Err(Error::RequestIdReused(request.id.clone()));
            }
            return Ok(Written { outcome: Outcome::Replayed, ..seen.written.clone() });
        }

        let mut rows = Rows::new(self.now, &command.keys, &self.current);
        let decide = command.decide;
        let named = catch_unwind(AssertUnwindSafe(|| decide(&mut rows))).map_err(|_| Error::Panicked)?;
        let named = named.map_err(Error::Refused)?;
        let row = rows.standing(&named).cloned();
        let row = row.ok_or_else(|| Error::Damaged("a decision named a row that is not there".to_owned()))?;
        let (staged, redactions) = rows.into_parts();
        for Staged { row, .. } in &staged {
            check_text(&row.state)?;
            check_text(&row.label)?;
        }

        // Nothing fails from here on.
        let outcome = if staged.is_empty() { Outcome::Unchanged } else { Outcome::Landed };
        if !redactions.is_empty() {
            self.redact(redactions);
        }
        for Staged { row, fed, .. } in staged {
            if fed {
                let partition = partition(&row.key.tenant, &row.key.account);
                self.changes.entry(partition).or_default().push(row.clone());
                *self.positions.entry(partition).or_default() += 1;
            }
            self.dirty.push(row.clone());
            match self.current.get_mut(&row.key) {
                Some(current) => *current = row,
                None => drop(self.current.insert(row.key.clone(), row)),
            }
        }
        let partition = partition(&named.tenant, &named.account);
        let position = self.positions.get(&partition).copied().unwrap_or_default();
        let written = Written { row, position: Position { partition, position }, outcome };
        if let (Some(request), Some(key)) = (command.request, request_key) {
            let seen = SeenRequest { fingerprint: request.fingerprint.clone(), written: written.clone() };
            self.seen.insert(key, seen);
            self.requests.push(NewRequest { tenant: command.tenant, request, written: written.clone() });
        }
        Ok(written)
    }

    /// Redacts what earlier commands of this transaction did, and notes what is to be redacted in the database.
    fn redact(&mut self, redactions: Vec<Redaction>) {
        for redaction in redactions {
            let key = &redaction.key;
            let partition = partition(&key.tenant, &key.account);
            self.seen.retain(|_, seen| seen.written.row.key != *key);
            self.requests.retain(|request| request.written.row.key != *key);
            for change in self.changes.entry(partition).or_default() {
                if redaction.means(&change.key, change.version) {
                    let change = Arc::make_mut(change);
                    change.document = (redaction.redact)(&change.document);
                }
            }
            self.redactions.entry(partition).or_default().push(redaction);
        }
    }

    async fn store(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        for (partition, redactions) in &self.redactions {
            feed::redact(transaction, *partition, redactions).await?;
            for redaction in redactions {
                requests::drop_naming(transaction, &redaction.key).await?;
            }
        }
        write_all(transaction, mem::take(&mut self.dirty)).await?;
        let (groups, ends) = self.groups();
        feed::append(transaction, &groups, &ends, self.now).await?;
        requests::insert(transaction, &self.requests, self.now).await
    }

    /// Cuts the changes of each partition into groups that fit a message.
    fn groups(&mut self) -> (Vec<Group>, Vec<Position>) {
        let mut groups = Vec::new();
        let mut ends = Vec::new();
        for (partition, changes) in mem::take(&mut self.changes) {
            if changes.is_empty() {
                continue;
            }
            let end = self.positions.get(&partition).copied().unwrap_or_default();
            ends.push(Position { partition, position: end });
            let mut position = end - changes.len() as i64;
            let mut group = Group::after(partition, position);
            for change in changes {
                let before = group.document.len();
                encode_change(&change, &mut group.document);
                if before > 0 && group.document.len() > BYTES_PER_GROUP {
                    let mut next = Group::after(partition, position);
                    next.document = group.document.split_off(before);
                    groups.push(mem::replace(&mut group, next));
                }
                position += 1;
                group.last_position = position;
            }
            if self.redactions.contains_key(&partition) {
                encode_redacts(&mut group.document);
            }
            groups.push(group);
        }
        (groups, ends)
    }
}

/// Writes the last version of each row, in the order of their keys, so that neighbours are written to the same page. Which of
/// them stood before is known: they were read under the locks of their partitions.
async fn write_all(transaction: &mut Transaction, mut rows: Vec<Arc<Row>>) -> Result<(), Error> {
    rows.sort_unstable_by(|one, other| one.key.cmp(&other.key).then(other.version.cmp(&one.version)));
    for rows in rows.chunk_by(|one, next| one.key.table == next.key.table) {
        let table = rows[0].key.table;
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for versions in rows.chunk_by(|one, next| one.key == next.key) {
            // Whatever stood before has a version already.
            let is_new = versions[versions.len() - 1].version == 1;
            if is_new { &mut new } else { &mut changed }.push(versions[0].values());
        }
        transaction.insert_rows(table, Row::COLUMNS, &new).await?;
        let insert = format!("insert into {table} ({}) values", Row::COLUMNS);
        let or_update = "on conflict (tenant, account, id) do update set
                 version = excluded.version, state = excluded.state, label = excluded.label,
                 happened_at = excluded.happened_at, recorded_at = excluded.recorded_at,
                 deleted_at = excluded.deleted_at, document = excluded.document";
        transaction.write_rows((&insert, or_update), &changed).await?;
    }
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    duration.as_micros() as i64
}
