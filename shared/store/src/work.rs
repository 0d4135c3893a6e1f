//! A transaction of commands: what it reads, what they decide, and what it writes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    Backend, Database, Error, Transaction, Value,
    feed::{self, Group, Position, encode_change, encode_redacts, partition},
    requests::{self, NewRequest, SeenRequest},
    row::{Key, Row, Table, check_text},
    rows::{Redaction, Rows, Staged},
    transaction::{LookUp, Plans},
    write::{Answer, Command, Outcome, Written},
};

/// How many bytes a stored group of changes has at most, so that it fits a message; a single change may be larger.
const BYTES_PER_GROUP: usize = 256 * 1024;
/// So many commands are decided while the database, which is not in this process, is busy with others.
const COMMANDS_PER_PORTION: usize = 500;
/// So many commands are decided until what is beside may go on.
const COMMANDS_AT_ONCE: usize = 64;

/// Some of a transaction's commands, each with what is wrong with it.
pub(crate) struct Portion(Vec<(Command, Result<(), Error>)>);

/// Cuts commands into portions, at least one.
pub(crate) fn portions(commands: Vec<Command>, backend: Backend) -> VecDeque<Portion> {
    let size = match backend {
        Backend::Sqlite => usize::MAX,
        Backend::Postgres => COMMANDS_PER_PORTION,
    };
    let mut commands = commands.into_iter().map(|command| {
        let check = command.check();
        (command, check)
    });
    let mut portions = VecDeque::new();
    loop {
        let portion: Vec<_> = commands.by_ref().take(size).collect();
        if portion.is_empty() && !portions.is_empty() {
            return portions;
        }
        portions.push_back(Portion(portion));
    }
}

impl Portion {
    fn sound(&self) -> impl Iterator<Item = &Command> {
        self.0.iter().filter(|(_, check)| check.is_ok()).map(|(command, _)| command)
    }

    /// The keys of its rows, in order, each once.
    pub(crate) fn keys(&self) -> Vec<&Key> {
        let mut keys: Vec<&Key> = self.sound().flat_map(|command| &command.keys).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// What a transaction begins with.
pub(crate) struct Needed<'a> {
    /// Those of all commands.
    partitions: BTreeSet<u32>,
    /// The tenant and the request id of each command that has one.
    requests: Vec<(&'a str, &'a str)>,
    /// Those of the first portion.
    keys: Vec<&'a Key>,
}

impl<'a> Needed<'a> {
    pub(crate) fn by(portions: &'a VecDeque<Portion>) -> Self {
        let commands = || portions.iter().flat_map(Portion::sound);
        let keys = commands().flat_map(|command| &command.keys);
        let request = |command: &'a Command| Some((command.tenant.as_str(), command.request.as_ref()?.id.as_str()));
        Self {
            partitions: keys.map(|key| partition(&key.tenant, &key.account)).collect(),
            requests: commands().filter_map(request).collect(),
            keys: portions.front().map(Portion::keys).unwrap_or_default(),
        }
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
pub(crate) struct Work {
    now: i64,
    positions: BTreeMap<u32, i64>,
    seen: HashMap<(String, String), SeenRequest>,
    current: Current,
    /// What was put and is not written yet, in order.
    pub(crate) dirty: Vec<Arc<Row>>,
    changes: BTreeMap<u32, Vec<Arc<Row>>>,
    requests: Vec<NewRequest>,
    redactions: BTreeMap<u32, Vec<Redaction>>,
}

impl Work {
    /// Begins a transaction, locks the partitions of all its commands in ascending order, and reads what they were answered
    /// before and the rows of the first portion.
    pub(crate) async fn begin(
        database: &Database,
        tables: &'static [&'static Table],
        needed: &Needed<'_>,
        now: i64,
    ) -> Result<(Transaction, Self), Error> {
        let in_order = format!("order by feed_partition{}", database.backend.lock_rows());
        let partitions: Vec<_> =
            needed.partitions.iter().map(|partition| [Value::Integer((*partition).into())]).collect();
        let requests: Vec<_> =
            needed.requests.iter().map(|(tenant, id)| [Value::Text(tenant), Value::Text(id)]).collect();
        let rows = by_table(&needed.keys);
        let mut look_ups = vec![
            (Kind::Position, LookUp::new((POSITIONS, &in_order), &partitions)),
            (Kind::Seen, LookUp::new((requests::SEEN, ""), &requests)),
        ];
        for (table, select, keys) in &rows {
            look_ups.push((Kind::Row(table), LookUp::new((select, ""), keys)));
        }
        look_ups.retain(|(_, look_up)| !look_up.is_empty());
        let (kinds, look_ups): (Vec<Kind>, Vec<LookUp<'_>>) = look_ups.into_iter().unzip();
        let mut work = Self { now, ..Self::default() };
        let begun = Transaction::begin_with(&database.transactions, &look_ups, Plans::Kept, |number, row| {
            Ok(match kinds[number] {
                Kind::Position => Known::Position {
                    partition: row.partition(0)?,
                    position: row.integer(1)?,
                    recorded_at: row.integer(2)?,
                },
                Kind::Seen => Known::Seen(requests::seen(tables, row)?),
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
                Known::Row(row) => work.add([row]),
            }
        }
        Ok((transaction, work))
    }

    /// Adds rows as they stood when the transaction began, unless commands have changed them since.
    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            self.current.entry(row.key.clone()).or_insert_with(|| Arc::new(row));
        }
    }

    /// Decides a portion of commands, in order, and lets others go on in between.
    pub(crate) async fn decide_all(&mut self, portion: Portion) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(portion.0.len());
        for (command, check) in portion.0 {
            answers.push(check.and_then(|()| self.decide(command)));
            if answers.len().is_multiple_of(COMMANDS_AT_ONCE) {
                tokio::task::yield_now().await;
            }
        }
        answers
    }

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

    /// Writes what is not written yet.
    pub(crate) async fn store(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
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

/// Writes rows, and then reads those with these keys.
pub(crate) async fn write_and_fetch(
    transaction: &mut Transaction,
    rows: Vec<Arc<Row>>,
    keys: &[&Key],
) -> Result<Vec<Row>, Error> {
    write_all(transaction, rows).await?;
    transaction.send().await?;
    let mut found = Vec::new();
    for (table, select, keys) in by_table(keys) {
        found.extend(transaction.look_up((&select, ""), &keys, |row| Row::read(table, row)).await?);
    }
    Ok(found)
}

/// What reads the rows of each table. A key leads with its table.
fn by_table<'a>(keys: &[&'a Key]) -> Vec<(&'static str, String, Vec<[Value<'a>; 3]>)> {
    let tables = keys.chunk_by(|one, next| one.table == next.table).map(|keys| {
        let select = format!("select {} from {} where (tenant, account, id)", Row::COLUMNS, keys[0].table);
        (keys[0].table, select, keys.iter().map(|key| key.values()).collect())
    });
    tables.collect()
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
        let insert = format!("insert into {table} ({}) values", Row::COLUMNS);
        transaction.write_rows((&insert, ""), &new).await?;
        let or_update = "on conflict (tenant, account, id) do update set
                 version = excluded.version, state = excluded.state, label = excluded.label,
                 happened_at = excluded.happened_at, recorded_at = excluded.recorded_at,
                 deleted_at = excluded.deleted_at, document = excluded.document";
        transaction.write_rows((&insert, or_update), &changed).await?;
    }
    Ok(())
}
