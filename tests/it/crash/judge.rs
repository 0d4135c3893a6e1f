//! The judge: reads what the suite has come to, and compares it with the book.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::common::v1::{FeedStart, FreshnessToken};
use tests::resources::{Change, Clients, Kind, Row, until_answered};
use tokio_stream::StreamExt as _;
use tonic::Status;

use super::{KINDS, writer::Book};

/// What was found to be in order.
pub(super) struct Verdict {
    /// All changes of all feeds.
    pub(super) changes: Vec<Change>,
    /// Name all that was written.
    pub(super) written: Vec<FreshnessToken>,
}

/// Judges all three services. `complete` says that everything tried was answered in the end; otherwise what was not
/// acknowledged may be missing, but not in part.
pub(super) async fn judge(clients: &Clients, book: &Book, complete: bool) -> Verdict {
    let mut verdict = Verdict { changes: Vec::new(), written: Vec::new() };
    for kind in KINDS {
        let changes = feed(clients, kind).await;
        let (rows, freshness) = listed(clients, kind).await;
        assert_rows_are_as_last_told(&changes, rows);
        verdict.changes.extend(changes);
        verdict.written.extend(freshness);
    }
    assert_each_try_counts_once(&verdict.changes, book);
    let imported = assert_batches_are_whole(&verdict.changes, book, complete);
    assert_what_was_acknowledged_is_there(&verdict.changes, book, imported, complete);
    verdict
}

/// Where each partition ends now.
pub(super) async fn ends(clients: &Clients, kind: Kind) -> Result<BTreeMap<u32, i64>, Status> {
    let mut messages = clients.watch(kind, FeedStart::Now, vec![]).await?;
    let (_, through) = messages.next().await.unwrap()?;
    Ok(through.into_iter().map(|entry| (entry.partition, entry.position)).collect())
}

/// Reads a feed from its beginning to where it ends now. Inside each partition it is gapless and in order, as are the
/// versions of each resource.
pub(super) async fn feed(clients: &Clients, kind: Kind) -> Vec<Change> {
    let ends = until_answered(async || ends(clients, kind).await).await;
    let mut messages = clients.watch(kind, FeedStart::Beginning, vec![]).await.unwrap();
    let mut positions: BTreeMap<u32, i64> = ends.keys().map(|partition| (*partition, 0)).collect();
    let mut recorded = BTreeMap::new();
    let mut versions: HashMap<String, i64> = HashMap::new();
    let mut changes = Vec::new();
    while positions != ends {
        let (told, through) = messages.next().await.unwrap().unwrap();
        for Change { stamp, row } in &told {
            let position = positions.get_mut(&stamp.partition).unwrap();
            *position += 1;
            assert_eq!(stamp.position, *position, "in partition {}", stamp.partition);
            let version = versions.entry(row.name().to_owned()).or_default();
            *version += 1;
            assert_eq!((stamp.version, row.version()), (*version, *version), "of {}", row.name());
            assert_eq!(row.update_time(), stamp.record_time);
            assert!(row.name().starts_with(&format!("accounts/{}/", stamp.account_id)), "{row:?} in {stamp:?}");
            let time = stamp.record_time.map(|time| (time.seconds, time.nanos));
            let before = recorded.insert(stamp.partition, time);
            assert!(before.is_none_or(|before| before <= time), "time goes back before {stamp:?}");
        }
        for entry in through {
            assert_eq!(entry.position, positions[&entry.partition]);
        }
        changes.extend(told);
    }
    changes
}

/// Lists all rows, deleted ones too, and names all that was written.
pub(super) async fn listed(clients: &Clients, kind: Kind) -> (Vec<Row>, Option<FreshnessToken>) {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let (page, next, freshness) = until_answered(async || clients.list(kind, token.clone()).await).await;
        rows.extend(page);
        token = next;
        if token.is_empty() {
            return (rows, freshness);
        }
    }
}

/// No row is there that the feed does not tell of, or otherwise than it tells, or twice.
fn assert_rows_are_as_last_told(changes: &[Change], rows: Vec<Row>) {
    let mut last: BTreeMap<&str, &Row> = BTreeMap::new();
    for change in changes {
        last.insert(change.row.name(), &change.row);
    }
    let names: BTreeSet<&str> = rows.iter().map(Row::name).collect();
    assert_eq!(names.len(), rows.len(), "a row is listed twice");
    assert_eq!(names, last.keys().copied().collect());
    for row in &rows {
        assert_eq!(row, last[row.name()]);
    }
}

/// Each change says exactly what some client said, and nothing that a client said once was done twice.
fn assert_each_try_counts_once(changes: &[Change], book: &Book) {
    let tried = book.tried.borrow();
    let mut done = BTreeSet::new();
    for Change { row, .. } in changes {
        assert_eq!(Some(&row.said()), tried.get(row.note()), "of {}", row.name());
        // To delete a row leaves its note.
        assert!(done.insert((row.note(), row.is_deleted())), "done twice: {row:?}");
    }
}

/// Of each batch of an import all sound rows are there, or none. Returns the notes of those that are.
fn assert_batches_are_whole(changes: &[Change], book: &Book, complete: bool) -> BTreeSet<String> {
    let told: BTreeMap<&str, &Row> = changes.iter().map(|change| (change.row.note(), &change.row)).collect();
    let mut imported = BTreeSet::new();
    for batch in book.batches.borrow().iter() {
        let there: Vec<&str> = batch.iter().map(Row::note).filter(|note| told.contains_key(note)).collect();
        assert!(there.len() == batch.len() || there.is_empty() && !complete, "in part: {there:?}");
        for row in batch.iter().filter(|row| told.contains_key(row.note())) {
            assert_eq!((told[row.note()].name(), told[row.note()].version()), (row.name(), 1));
        }
        imported.extend(there.into_iter().map(str::to_owned));
    }
    imported
}

/// The feed has each version that was acknowledged, as it was acknowledged.
fn assert_what_was_acknowledged_is_there(changes: &[Change], book: &Book, imported: BTreeSet<String>, complete: bool) {
    let told: HashMap<(&str, i64), &Row> =
        changes.iter().map(|change| ((change.row.name(), change.row.version()), &change.row)).collect();
    let acknowledged = book.acknowledged.borrow();
    let mut versions = BTreeSet::new();
    for row in acknowledged.iter() {
        assert_eq!(Some(&row), told.get(&(row.name(), row.version())));
        assert!(versions.insert((row.name(), row.version())), "two writes were answered with {row:?}");
    }
    eprintln!(
        "{} changes: {} acknowledged, {} imported; {} calls cut off",
        changes.len(),
        versions.len(),
        imported.len(),
        book.cut_off.get()
    );
    assert!(book.cut_off.get() > 0, "nobody was disturbed");
    if complete {
        // Everybody asked until there was an answer: nothing else has happened.
        assert_eq!(versions.len() + imported.len(), changes.len());
    }
}
