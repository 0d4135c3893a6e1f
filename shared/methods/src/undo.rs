//! Undo: takes a whole import back, through the same feed.
//!
//! The journal says which versions the batch landed. What was new is deleted; what was changed says again what it said
//! before, which is found in the change feed, so that what was erased there does not come back. What says something else
//! than the import left is somebody else's by now, and stays.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    mem,
    pin::Pin,
};

use contracts::common::v1::{ErrorReason, FreshnessToken, UndoRefusal};
use futures_util::{Stream, stream};
use runtime::{Fault, Tenant};
use store::{Command, Draft, Key, Mark, PARTITIONS, Position, Row, Rows, Store, Table, partition};
use tonic::{Code, Status};

use crate::{
    Call, Guard, Kind, Methods, Resource, Violations,
    faults::{self, stopping},
    journal::{self, Entry, Journal},
    refusal, store_fault, token,
};

/// How many resources one transaction takes back.
const ROWS_PER_TRANSACTION: usize = 500;
/// How many bytes of documents one transaction brings back, unless a single one has more.
const BYTES_PER_TRANSACTION: usize = 4 << 20;
/// How many entries of the journal are held at a time, unless a single partition has more.
const ENTRIES_AT_A_TIME: usize = 100_000;
/// How many characters the id of a batch may have.
const LONGEST_BATCH_ID: usize = 64;

/// A kind of resource whose imports can be taken back; every [`Kind`] is.
pub trait Restorable: Sync {
    /// The table of its rows.
    fn table(&self) -> &'static Table;
    /// What it is called in messages.
    fn name(&self) -> &'static str;
    /// The name of a resource.
    fn name_of(&self, key: &Key) -> String;
    /// Which rows its rules look at for a resource.
    ///
    /// # Errors
    /// INTERNAL if the document cannot be understood.
    fn related(&self, tenant: &Tenant, key: &Key, document: &[u8]) -> Result<Vec<Key>, Fault>;
    /// What is stored of a document.
    ///
    /// # Errors
    /// INTERNAL if it cannot be understood.
    fn draft(&self, document: &[u8], deleted: bool) -> Result<Draft, Fault>;
    /// Whether the rules allow that a document follows on what stands.
    ///
    /// # Errors
    /// What the rules refuse with.
    fn check(&self, rows: &mut Rows<'_>, standing: &Row, document: &[u8]) -> Result<(), Fault>;
}

impl<T: Resource> Restorable for Kind<T> {
    fn table(&self) -> &'static Table {
        self.table
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn name_of(&self, key: &Key) -> String {
        Self::name_of(self, key)
    }

    fn related(&self, tenant: &Tenant, key: &Key, document: &[u8]) -> Result<Vec<Key>, Fault> {
        Ok((self.related)(tenant, key, &read(document)?))
    }

    fn draft(&self, document: &[u8], deleted: bool) -> Result<Draft, Fault> {
        // To the byte what it was, whatever this program would make of it.
        Ok(Draft { document: document.to_vec(), ..Self::draft(self, &read(document)?, deleted) })
    }

    fn check(&self, rows: &mut Rows<'_>, standing: &Row, document: &[u8]) -> Result<(), Fault> {
        let name = Self::name_of(self, &standing.key);
        let old = self.load(standing)?;
        // What the rules would add was added when it was written.
        let mut new: T = read(document)?;
        new.set_name(name.clone());
        (self.rules)(&mut Guard { rows, key: &standing.key, name: &name, old: Some(&old), new: &mut new })
    }
}

fn read<T: Resource>(document: &[u8]) -> Result<T, Fault> {
    T::decode(document).map_err(|error| Fault::log_internal(&error))
}

/// What a service's imports are taken back with.
pub struct Undoing {
    /// Its kinds; those that belong to another of them stand before it.
    pub kinds: &'static [&'static dyn Restorable],
    /// What remains to be done for accounts whose resources were taken back.
    pub settle: Option<Settle>,
}

/// Settles what remains to be done for some accounts of a tenant. It may be repeated.
pub type Settle = fn(Store, Tenant, Vec<String>) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// The answer for some of an import's resources.
#[derive(Debug, Default)]
pub struct UndoAnswer {
    /// How many were deleted.
    pub deleted_count: i64,
    /// How many say again what they said before.
    pub restored_count: i64,
    /// Those that were left as they are.
    pub refusals: Vec<UndoRefusal>,
    /// Names the writes.
    pub freshness: Option<FreshnessToken>,
    /// How many there are in all.
    pub total_count: i64,
}

impl Methods {
    /// Takes a batch back, a transaction after the other.
    ///
    /// # Errors
    /// As the contract says of the `Undo` methods.
    pub async fn undo_import(
        &self,
        undoing: &'static Undoing,
        call: &Call,
        batch_id: String,
    ) -> Result<impl Stream<Item = Result<UndoAnswer, Status>> + Send + 'static, Fault> {
        let mut violations = Violations::default();
        check_batch_id(&batch_id, 1, &mut violations);
        violations.finish()?;

        let mut counts = [0_usize; PARTITIONS as usize];
        let (mut landed, mut taken_back) = (0, 0);
        let tenant = &call.tenant;
        let is_known = journal::read(self.store(), tenant, &batch_id, |page| {
            let count = if page.taken_back { &mut taken_back } else { &mut landed };
            *count += page.entries.len() as i64;
            for entry in &page.entries {
                counts[partition(tenant.as_str(), &entry.account) as usize] += 1;
            }
        })
        .await?;
        if !is_known {
            return Err(faults::not_found("import", &batch_id));
        }
        let undo = Undo {
            methods: self.clone(),
            undoing,
            tenant: tenant.clone(),
            batch_id,
            total_count: (landed - taken_back).max(0),
            groups: groups(&counts),
            steps: VecDeque::new(),
            reading: None,
            ready: VecDeque::new(),
            accounts: Vec::new(),
            answered: false,
        };
        Ok(stream::unfold(Some(undo), |undo| async move {
            let mut undo = undo?;
            match undo.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(undo))),
                Ok(None) => None,
                Err(fault) => Some((Err(fault.into()), None)),
            }
        }))
    }
}

/// Checks the name of a batch: 0 characters mean that there is none.
pub(crate) fn check_batch_id(batch_id: &str, shortest: usize, violations: &mut Violations) {
    violations.text("batch_id", batch_id, shortest, LONGEST_BATCH_ID);
}

/// Joins partitions whose entries can be held together.
fn groups(counts: &[usize; PARTITIONS as usize]) -> VecDeque<Vec<u32>> {
    let mut groups: VecDeque<Vec<u32>> = VecDeque::new();
    let mut held = 0;
    for (partition, count) in (0..).zip(counts).filter(|(_, count)| **count > 0) {
        held += count;
        match groups.back_mut().filter(|_| held <= ENTRIES_AT_A_TIME) {
            Some(group) => group.push(partition),
            None => {
                groups.push_back(vec![partition]);
                held = *count;
            }
        }
    }
    groups
}

/// A batch that is being taken back.
struct Undo {
    methods: Methods,
    undoing: &'static Undoing,
    tenant: Tenant,
    batch_id: String,
    total_count: i64,
    groups: VecDeque<Vec<u32>>,
    /// What is left of the group at hand.
    steps: VecDeque<Step>,
    reading: Option<Reading>,
    ready: VecDeque<Item>,
    /// The accounts of the group at hand, settled ones too: an undoing may have been interrupted before that.
    accounts: Vec<String>,
    answered: bool,
}

/// Resources of one kind in one partition.
struct Step {
    partition: u32,
    /// Those that need nothing of the feed.
    plain: Vec<Item>,
    wanted: HashMap<Key, Wanted>,
}

/// A resource and what is to become of it.
struct Item {
    kind: &'static dyn Restorable,
    key: Key,
    what: Result<Take, Fault>,
}

/// How a resource is taken back.
struct Take {
    versions: Versions,
    /// The resource before the import; none if it was new.
    before: Option<Row>,
    /// The resource as the import left it, if it has another version by now.
    left: Option<Row>,
}

/// The versions that a batch landed of a resource, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Versions {
    first: i64,
    last: i64,
}

/// What is looked for in the feed.
struct Wanted {
    kind: &'static dyn Restorable,
    take: Take,
    /// Whether the version that the import left is needed.
    needs_left: bool,
}

impl Wanted {
    fn is_found(&self) -> bool {
        (self.take.versions.first == 1 || self.take.before.is_some()) && (!self.needs_left || self.take.left.is_some())
    }
}

/// Reads a partition of the feed for what a step wants.
struct Reading {
    at: Position,
    end: i64,
    wanted: HashMap<Key, Wanted>,
}

impl Undo {
    async fn next(&mut self) -> Result<Option<UndoAnswer>, Fault> {
        loop {
            if self.methods.shutdown.has_begun() {
                return Err(stopping("repeat the call"));
            }
            if self.is_full() {
                return self.take_back().await.map(Some);
            }
            if let Some(reading) = &mut self.reading {
                if reading.read(self.methods.store(), &mut self.ready).await? {
                    self.reading = None;
                }
            } else if let Some(step) = self.steps.pop_front() {
                self.ready.extend(step.plain);
                if !step.wanted.is_empty() {
                    self.reading = Some(Reading::begin(self.methods.store(), step.partition, step.wanted).await?);
                }
            } else if !self.ready.is_empty() {
                return self.take_back().await.map(Some);
            } else {
                self.settle().await?;
                match self.groups.pop_front() {
                    Some(group) => self.plan(&group).await?,
                    None if self.answered => return Ok(None),
                    None => return self.take_back().await.map(Some),
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        let mut bytes = 0;
        self.ready.len() >= ROWS_PER_TRANSACTION
            || self.ready.iter().any(|item| {
                bytes += item.bytes();
                bytes >= BYTES_PER_TRANSACTION
            })
    }

    /// Settles what is left of the group behind.
    async fn settle(&mut self) -> Result<(), Fault> {
        let accounts = mem::take(&mut self.accounts);
        match self.undoing.settle {
            Some(settle) if !accounts.is_empty() => {
                settle(self.methods.store().clone(), self.tenant.clone(), accounts).await
            }
            _ => Ok(()),
        }
    }

    /// Finds what the batch landed in these partitions and was not taken back, and what that needs of the feed.
    async fn plan(&mut self, group: &[u32]) -> Result<(), Fault> {
        let mut entries: Vec<(u32, Entry, bool)> = Vec::new();
        let tenant = &self.tenant;
        journal::read(self.methods.store(), tenant, &self.batch_id, |page| {
            for entry in page.entries {
                let partition = partition(tenant.as_str(), &entry.account);
                if group.contains(&partition) {
                    entries.push((partition, entry, page.taken_back));
                }
            }
        })
        .await?;
        for kind in self.undoing.kinds {
            let of_kind = entries.iter().filter(|(_, entry, _)| entry.table == kind.table().name);
            let mut of_kind: Vec<_> = of_kind.collect();
            of_kind.sort_unstable_by_key(|(partition, entry, taken_back)| {
                (*partition, &entry.account, &entry.id, entry.version, *taken_back)
            });
            for of_partition in of_kind.chunk_by(|one, other| one.0 == other.0) {
                let mut found = Vec::new();
                for of_one in
                    of_partition.chunk_by(|one, other| (&one.1.account, &one.1.id) == (&other.1.account, &other.1.id))
                {
                    let entry = &of_one[0].1;
                    let versions = of_one.iter().map(|(_, entry, taken_back)| (entry.version, *taken_back));
                    self.accounts.push(entry.account.clone());
                    if let Some(versions) = outstanding(versions) {
                        let key = Key {
                            table: kind.table().name,
                            tenant: tenant.as_str().to_owned(),
                            account: entry.account.clone(),
                            id: entry.id.clone(),
                        };
                        found.push((key, versions));
                    }
                }
                let step = self.step(*kind, of_partition[0].0, found).await?;
                self.steps.push_back(step);
            }
        }
        self.accounts.sort_unstable();
        self.accounts.dedup();
        Ok(())
    }

    /// Sorts resources by what they need of the feed.
    async fn step(
        &self,
        kind: &'static dyn Restorable,
        partition: u32,
        found: Vec<(Key, Result<Versions, Overwritten>)>,
    ) -> Result<Step, Fault> {
        let mut step = Step { partition, plain: Vec::new(), wanted: HashMap::new() };
        for chunk in found.chunks(ROWS_PER_TRANSACTION) {
            let keys: Vec<Key> = chunk.iter().map(|(key, _)| key.clone()).collect();
            let standing = self.methods.store().batch_get(&keys).await.map_err(store_fault)?;
            for (key, versions) in chunk {
                let key = key.clone();
                let versions = match versions {
                    Ok(versions) => *versions,
                    Err(Overwritten) => {
                        let what = Err(changed_since(kind, &key));
                        step.plain.push(Item { kind, key, what });
                        continue;
                    }
                };
                let row = standing.get(&key);
                let needs_left = row.is_some_and(|row| row.version != versions.last);
                // What was new and is deleted by now is as it should be.
                let is_gone = row.is_some_and(|row| row.deleted_at.is_some());
                let take = Take { versions, before: None, left: None };
                if versions.first == 1 && (!needs_left || is_gone) {
                    step.plain.push(Item { kind, key, what: Ok(take) });
                } else {
                    step.wanted.insert(key, Wanted { kind, take, needs_left });
                }
            }
        }
        Ok(step)
    }

    /// Takes back what is ready, in one transaction.
    async fn take_back(&mut self) -> Result<UndoAnswer, Fault> {
        let mut answer = UndoAnswer { total_count: self.total_count, ..UndoAnswer::default() };
        let journal = Journal::of_undoing(&self.tenant, &self.batch_id);
        let mut commands = Vec::new();
        let mut named = Vec::new();
        let mut bytes = 0;
        while commands.len() < ROWS_PER_TRANSACTION && bytes < BYTES_PER_TRANSACTION {
            let Some(item) = self.ready.pop_front() else { break };
            bytes += item.bytes();
            let Item { kind, key, what } = item;
            match what {
                Ok(take) => {
                    commands.push(journal.noting(command(kind, &self.tenant, key.clone(), take)?));
                    named.push((kind, key));
                }
                Err(fault) => answer.refusals.push(refused(kind, &key, &fault)),
            }
        }
        let mut marks: Vec<Mark> = Vec::new();
        if !commands.is_empty() {
            commands.push(journal.close());
            let mut written = self.methods.store().write_batch(commands).await.map_err(store_fault)?;
            written.pop().transpose().map_err(store_fault)?;
            for ((kind, key), written) in named.into_iter().zip(written) {
                match written {
                    Ok(written) => {
                        match written.row.deleted_at {
                            Some(_) => answer.deleted_count += 1,
                            None => answer.restored_count += 1,
                        }
                        self.methods.add_mark(&mut marks, written.position);
                    }
                    Err(store::Error::Refused(refusal)) => {
                        let fault = store_fault(store::Error::Refused(refusal));
                        answer.refusals.push(refused(kind, &key, &fault));
                    }
                    Err(error) => return Err(store_fault(error)),
                }
            }
        }
        answer.freshness = Some(token(marks));
        self.answered = true;
        Ok(answer)
    }
}

impl Item {
    fn bytes(&self) -> usize {
        let rows = self.what.iter().flat_map(|take| [&take.before, &take.left]).flatten();
        rows.map(|row| row.document.len()).sum()
    }
}

/// Somebody else wrote between two rows of the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Overwritten;

/// Which versions the batch landed since it was last taken back, given its versions in order and those that took them
/// back; none if there are none.
fn outstanding(versions: impl Iterator<Item = (i64, bool)>) -> Option<Result<Versions, Overwritten>> {
    let mut found: Option<Result<Versions, Overwritten>> = None;
    for (version, taken_back) in versions {
        found = match found {
            _ if taken_back => None,
            None => Some(Ok(Versions { first: version, last: version })),
            Some(Ok(Versions { first, last })) if version == last + 1 => Some(Ok(Versions { first, last: version })),
            Some(_) => Some(Err(Overwritten)),
        };
    }
    found
}

impl Reading {
    async fn begin(store: &Store, partition: u32, wanted: HashMap<Key, Wanted>) -> Result<Self, Fault> {
        let positions = store.positions().await.map_err(store_fault)?;
        let end = positions.get(partition as usize).map_or(0, |entry| entry.position);
        let at = store.beginning(partition).await.map_err(store_fault)?;
        Ok(Self { at, end, wanted })
    }

    /// Reads on. Answers whether this was all; what was not found is refused then.
    async fn read(&mut self, store: &Store, ready: &mut VecDeque<Item>) -> Result<bool, Fault> {
        if self.at.position < self.end && !self.wanted.is_empty() {
            match store.changes_after(self.at).await {
                // What was forgotten while it was read is gone.
                Err(store::Error::PositionExpired { first, .. }) => self.at.position = first - 1,
                groups => {
                    for change in groups.map_err(store_fault)?.into_iter().flat_map(|group| group.changes) {
                        self.at.position = change.position;
                        self.see(change.row, ready);
                    }
                }
            }
            return Ok(false);
        }
        for (key, Wanted { kind, take, needs_left }) in self.wanted.drain() {
            let is_foreign = needs_left && take.left.is_none();
            let fault = if is_foreign { changed_since(kind, &key) } else { history_forgotten(kind, &key) };
            ready.push_back(Item { kind, key, what: Err(fault) });
        }
        Ok(true)
    }

    fn see(&mut self, row: Row, ready: &mut VecDeque<Item>) {
        let Some(wanted) = self.wanted.get_mut(&row.key) else { return };
        let Versions { first, last } = wanted.take.versions;
        let key = row.key.clone();
        if row.version == first - 1 {
            wanted.take.before = Some(row);
        } else if row.version == last && wanted.needs_left {
            wanted.take.left = Some(row);
        }
        if wanted.is_found()
            && let Some(Wanted { kind, take, .. }) = self.wanted.remove(&key)
        {
            ready.push_back(Item { kind, key, what: Ok(take) });
        }
    }
}

/// Makes the command that takes a resource back.
fn command(kind: &'static dyn Restorable, tenant: &Tenant, key: Key, take: Take) -> Result<Command, Fault> {
    // Where nothing comes back, the key alone tells what belongs to it.
    let document = take.before.as_ref().map_or(&[][..], |before| &before.document);
    let mut keys = kind.related(tenant, &key, document)?;
    keys.push(key.clone());
    Ok(Command {
        tenant: tenant.as_str().to_owned(),
        keys,
        request: None,
        decide: Box::new(move |rows| {
            let standing = rows.get(&key).cloned();
            let standing = standing.ok_or_else(|| refusal(faults::not_found(kind.name(), &kind.name_of(&key))))?;
            let draft = match &take.before {
                Some(before) => kind.draft(&before.document, before.deleted_at.is_some()),
                None => kind.draft(&standing.document, true),
            };
            let draft = draft.map_err(refusal)?;
            if says(&standing, &draft.document, draft.deleted) {
                return Ok(key);
            }
            let left = take.left.as_ref();
            let is_as_left = standing.version == take.versions.last
                || left.is_some_and(|left| says(&standing, &left.document, left.deleted_at.is_some()));
            if !is_as_left {
                return Err(refusal(is_gone(kind, rows, &standing).unwrap_or_else(|| changed_since(kind, &key))));
            }
            // Whatever became of its account, a resource can be deleted.
            if !draft.deleted {
                kind.check(rows, &standing, &draft.document).map_err(refusal)?;
            }
            rows.put(key.clone(), draft);
            Ok(key)
        }),
    })
}

fn says(row: &Row, document: &[u8], deleted: bool) -> bool {
    row.document == document && row.deleted_at.is_some() == deleted
}

/// That the resource was merged or erased says more than that it has changed.
fn is_gone(kind: &dyn Restorable, rows: &mut Rows<'_>, standing: &Row) -> Option<Fault> {
    let fault = kind.check(rows, standing, &standing.document).err()?;
    (fault.reason() == ErrorReason::AccountGone.as_str_name()).then_some(fault)
}

fn refused(kind: &dyn Restorable, key: &Key, fault: &Fault) -> UndoRefusal {
    UndoRefusal { name: kind.name_of(key), reason: fault.reason().to_owned(), message: fault.message().to_owned() }
}

/// FAILED_PRECONDITION: what stands is somebody else's.
fn changed_since(kind: &dyn Restorable, key: &Key) -> Fault {
    let name = kind.name_of(key);
    let message = format!("{} `{name}` has been changed by somebody else since the import", kind.name());
    Fault::new(Code::FailedPrecondition, ErrorReason::ChangedSinceImport.as_str_name(), message).with("name", name)
}

/// FAILED_PRECONDITION: what stood before is not known any more.
fn history_forgotten(kind: &dyn Restorable, key: &Key) -> Fault {
    let name = kind.name_of(key);
    let message = format!("the feed no longer holds what {} `{name}` said before the import", kind.name());
    Fault::new(Code::FailedPrecondition, ErrorReason::HistoryForgotten.as_str_name(), message).with("name", name)
}

/// Says an answer in the words of each service's contract.
macro_rules! undo_responses {
    ($($response:path),* $(,)?) => {
        $(impl From<UndoAnswer> for $response {
            fn from(answer: UndoAnswer) -> Self {
                let UndoAnswer { deleted_count, restored_count, refusals, freshness, total_count } = answer;
                Self { deleted_count, restored_count, refusals, freshness, total_count }
            }
        })*
    };
}

undo_responses![
    contracts::accounts::v1::UndoAccountsImportResponse,
    contracts::orders::v1::UndoOrdersImportResponse,
    contracts::interactions::v1::UndoInteractionsImportResponse,
    contracts::feedback::v1::UndoFeedbackImportResponse,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(versions: &[(i64, bool)]) -> Option<Result<Versions, Overwritten>> {
        outstanding(versions.iter().copied())
    }

    #[test]
    fn only_what_was_landed_since_the_last_undoing_is_taken_back() {
        let versions = |first, last| Some(Ok(Versions { first, last }));
        assert_eq!(of(&[(1, false)]), versions(1, 1));
        assert_eq!(of(&[(3, false), (4, false)]), versions(3, 4));
        assert_eq!(of(&[(1, false), (2, true)]), None);
        assert_eq!(of(&[(3, false), (3, true)]), None, "it said what it had said before");
        assert_eq!(of(&[(1, false), (2, true), (3, false)]), versions(3, 3));
        assert_eq!(of(&[(1, false), (2, true), (5, false), (6, false)]), versions(5, 6));
    }

    #[test]
    fn what_somebody_else_wrote_in_between_is_not_taken_back() {
        assert_eq!(of(&[(1, false), (3, false)]), Some(Err(Overwritten)));
        assert_eq!(of(&[(1, false), (3, false), (4, false)]), Some(Err(Overwritten)));
        assert_eq!(of(&[(1, false), (3, false), (4, true), (5, false)]), Some(Ok(Versions { first: 5, last: 5 })));
    }

    #[test]
    fn partitions_are_held_together_as_long_as_they_are_small() {
        let mut counts = [0; PARTITIONS as usize];
        for (partition, count) in [(0, 60_000), (1, 40_000), (7, 1), (9, 200_000), (10, 1), (63, 1)] {
            counts[partition] = count;
        }
        assert_eq!(groups(&counts), [vec![0, 1], vec![7], vec![9], vec![10, 63]]);
    }
}
