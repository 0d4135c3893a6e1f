//! The store's promises, kept on SQLite always and on PostgreSQL when `TEST_DATABASE_URL` names a server
//! (`tests/postgres.sh cargo test -p store` starts one). A difference between the two is a bug.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;
use sqlx::{ConnectOptions as _, Row as _, postgres::PgConnectOptions};
use store::{
    Backend, Change, Command, Database, Draft, Error, Key, ListQuery, Migration, Outcome, PARTITIONS, Position,
    RequestId, Row, Rows, Store, Table, Written, partition, testing::Scratch,
};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Declares each case once for each database.
macro_rules! on_both_databases {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() -> super::Result {
                    super::$case(&super::Place::sqlite()?).await
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() -> super::Result {
                    let Some(place) = super::Place::postgres().await? else { return Ok(()) };
                    super::$case(&place).await?;
                    place.drop_schema().await
                }
            )*
        }
    };
}

on_both_databases![
    a_row_comes_back_as_it_was_put,
    a_put_that_says_nothing_new_changes_nothing,
    a_put_that_is_taken_back_changes_nothing,
    a_deletion_remembers_when_and_can_be_undone,
    a_refusal_leaves_nothing,
    a_panic_hurts_only_its_own_command,
    a_row_that_was_not_named_is_neither_seen_nor_put,
    an_answer_that_is_not_there_undoes_the_puts,
    commands_of_one_batch_see_each_other,
    a_row_put_unfed_is_not_in_the_feed,
    a_merge_writes_to_two_partitions,
    a_repeated_request_gets_the_first_answer,
    a_request_id_serves_one_request_only,
    an_answer_is_kept_for_a_day,
    a_refused_request_may_be_tried_again,
    pages_neither_skip_nor_repeat,
    a_list_is_filtered,
    rows_are_ordered_by_bytes,
    named_rows_come_together,
    positions_have_no_gaps_under_concurrent_writers,
    two_stores_share_one_feed,
    time_never_falls_within_a_partition,
    the_feed_is_read_in_portions,
    a_position_ahead_of_the_feed_is_refused,
    a_forgotten_position_is_refused,
    a_large_transaction_is_cut_into_groups,
    an_erased_past_is_rewritten_everywhere,
    an_erasure_reaches_the_commands_it_is_joined_with,
    a_redaction_that_panics_writes_nothing,
    a_cancelled_caller_leaves_nothing_half_done,
    unusual_values_survive,
    a_nul_character_hurts_only_its_own_command,
    an_endless_id_hurts_only_its_own_command,
    everything_is_there_after_reopening,
    a_write_survives_a_store_that_was_not_closed,
    a_newer_database_is_refused,
    concurrent_writers_share_commits,
    a_closed_database_is_answered_with_an_error,
];

static THINGS: Table = Table { name: "things" };
static NOTES: Table = Table { name: "notes" };
static TABLES: [&Table; 2] = [&THINGS, &NOTES];

const TABLE: &str = "
    tenant text not null,
    account text not null,
    id text not null,
    version bigint not null,
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    document bytea not null,
";
const HOUR: i64 = 3_600_000_000;
const START: i64 = 1_700_000_000_000_000;

// ---- Where a test keeps its data

struct Place {
    scratch: Scratch,
    migrations: [Migration; 2],
    clock: Arc<AtomicI64>,
}

impl Place {
    fn sqlite() -> Result<Self> {
        Ok(Self::new(Scratch::sqlite()?))
    }

    async fn postgres() -> Result<Option<Self>> {
        let scratch = Scratch::postgres().await?;
        if scratch.is_none() {
            eprintln!("skipped: TEST_DATABASE_URL is not set");
        }
        Ok(scratch.map(Self::new))
    }

    fn new(scratch: Scratch) -> Self {
        // Migrations are embedded in a program; a test's are as good as that.
        let leak = |table: &str| {
            let text =
                format!("create table {table} ({TABLE} constraint {table}_key primary key (tenant, account, id));");
            Box::leak(text.into_boxed_str()) as &'static str
        };
        let migrations = [
            Migration { version: 1, name: "things", sql: leak("things") },
            Migration { version: 2, name: "notes", sql: leak("notes") },
        ];
        Self { scratch, migrations, clock: Arc::new(AtomicI64::new(START)) }
    }

    async fn open(&self) -> std::result::Result<Database, Error> {
        Database::open(&self.scratch.url, &self.migrations).await
    }

    /// Opens the database and starts a store in it.
    async fn store(&self) -> Result<Store> {
        Ok(self.start(self.open().await?))
    }

    fn start(&self, database: Database) -> Store {
        let clock = self.clock.clone();
        Store::new(database, &TABLES, Arc::new(move || clock.load(Ordering::Relaxed)))
    }

    fn pass(&self, time: i64) -> i64 {
        self.clock.fetch_add(time, Ordering::Relaxed) + time
    }

    async fn drop_schema(&self) -> Result {
        Ok(self.scratch.drop_schema().await?)
    }
}

// ---- Short forms

fn key(account: &str, id: &str) -> Key {
    Key { table: "things", tenant: "t".into(), account: account.into(), id: id.into() }
}

fn draft(document: &str) -> Draft {
    Draft {
        state: "open".into(),
        label: String::new(),
        happened_at: 7,
        deleted: false,
        document: document.as_bytes().to_vec(),
    }
}

fn command(
    keys: Vec<Key>,
    decide: impl FnOnce(&mut Rows<'_>) -> std::result::Result<Key, store::Refusal> + Send + 'static,
) -> Command {
    Command { tenant: "t".into(), keys, request: None, decide: Box::new(decide) }
}

fn put(key: &Key, draft: Draft) -> Command {
    let (named, key) = (key.clone(), key.clone());
    command(vec![named], move |rows| {
        rows.put(key.clone(), draft);
        Ok(key)
    })
}

/// Appends a letter to a row's document.
fn append(key: &Key, letter: char) -> Command {
    let (named, key) = (key.clone(), key.clone());
    command(vec![named], move |rows| {
        let mut draft = draft("");
        draft.document = rows.get(&key).map(|row| row.document.clone()).unwrap_or_default();
        draft.document.extend(letter.to_string().bytes());
        rows.put(key.clone(), draft);
        Ok(key)
    })
}

/// Puts a row, and erases its past.
fn erase(key: &Key) -> Command {
    let (named, key) = (key.clone(), key.clone());
    command(vec![named], move |rows| {
        rows.redact_past(key.clone(), |_| b"redacted".to_vec());
        rows.put(key.clone(), draft("erased"));
        Ok(key)
    })
}

fn refuse(key: &Key) -> Command {
    let (named, key) = (key.clone(), key.clone());
    command(vec![named], move |rows| {
        rows.put(key, draft("refused"));
        Err("no".into())
    })
}

fn requested(id: &str, fingerprint: &str, command: Command) -> Command {
    Command { request: Some(RequestId { id: id.into(), fingerprint: fingerprint.as_bytes().to_vec() }), ..command }
}

fn text(row: &Row) -> String {
    String::from_utf8_lossy(&row.document).into_owned()
}

/// Reads the whole feed from a position on, and checks that it has no gaps.
async fn feed_after(store: &Store, mut after: Position) -> Result<Vec<Change>> {
    let mut feed = Vec::new();
    loop {
        let groups = store.changes_after(after).await?;
        if groups.is_empty() {
            return Ok(feed);
        }
        for group in groups {
            assert_eq!(group.partition, after.partition);
            assert!(!group.changes.is_empty());
            for change in group.changes {
                after.position += 1;
                assert_eq!(change.position, after.position);
                assert_eq!(partition(&change.row.key.tenant, &change.row.key.account), after.partition);
                feed.push(change);
            }
        }
    }
}

async fn feed_of(store: &Store, account: &str) -> Result<Vec<Change>> {
    feed_after(store, Position { partition: partition("t", account), position: 0 }).await
}

async fn whole_feed(store: &Store) -> Result<Vec<Change>> {
    let mut feed = Vec::new();
    for end in store.positions().await? {
        let changes = feed_after(store, Position { partition: end.partition, position: 0 }).await?;
        assert_eq!(changes.len() as i64, end.position);
        feed.extend(changes);
    }
    Ok(feed)
}

fn texts(feed: &[Change]) -> Vec<String> {
    feed.iter().map(|change| text(&change.row)).collect()
}

/// What a row says in the feed, which leaves some columns out.
fn in_feed(row: &Row) -> Row {
    Row { state: String::new(), label: String::new(), happened_at: 0, ..row.clone() }
}

/// Checks that the feed, replayed, gives the rows that are stored.
async fn check_feed_against_rows(store: &Store) -> Result {
    let mut last = HashMap::new();
    for change in whole_feed(store).await? {
        let version = change.row.version;
        let before = last.insert(change.row.key.clone(), change.row).map_or(0, |row: Row| row.version);
        assert_eq!(version, before + 1);
    }
    let keys: Vec<Key> = last.keys().cloned().collect();
    let rows = store.batch_get(&keys).await?;
    assert_eq!(rows.into_iter().map(|(key, row)| (key, in_feed(&row))).collect::<HashMap<_, _>>(), last);
    Ok(())
}

/// Polls a future so many times and drops it.
async fn cancel_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

// ---- Rows

async fn a_row_comes_back_as_it_was_put(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    assert_eq!(store.get(&key).await?, None);

    let first = Draft { label: "thread".into(), ..draft("one") };
    let written = store.write(put(&key, first)).await?;
    let row = Row {
        key: key.clone(),
        version: 1,
        state: "open".into(),
        label: "thread".into(),
        happened_at: 7,
        created_at: START,
        recorded_at: START,
        deleted_at: None,
        document: b"one".to_vec(),
    };
    assert_eq!(written.outcome, Outcome::Landed);
    assert_eq!(written.position, Position { partition: partition("t", "a"), position: 1 });
    assert_eq!(*written.row, row);
    assert_eq!(store.get(&key).await?, Some(row.clone()));

    let later = place.pass(5);
    let second = Draft { state: "shut".into(), happened_at: 8, ..draft("two") };
    let written = store.write(put(&key, second)).await?;
    let second = Row {
        version: 2,
        state: "shut".into(),
        label: String::new(),
        happened_at: 8,
        recorded_at: later,
        document: b"two".to_vec(),
        ..row.clone()
    };
    assert_eq!(*written.row, second);
    assert_eq!(store.get(&key).await?, Some(second.clone()));
    let feed: Vec<Row> = feed_of(&store, "a").await?.into_iter().map(|change| change.row).collect();
    assert_eq!(feed, [in_feed(&row), in_feed(&second)]);
    Ok(())
}

async fn a_put_that_says_nothing_new_changes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let first = store.write(put(&key, draft("one"))).await?;
    place.pass(5);
    let second = store.write(put(&key, draft("one"))).await?;
    assert_eq!(second.outcome, Outcome::Unchanged);
    assert_eq!((second.row, second.position), (first.row, first.position));
    assert_eq!(feed_of(&store, "a").await?.len(), 1);
    Ok(())
}

async fn a_put_that_is_taken_back_changes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    store.write(put(&thing, draft("one"))).await?;
    let (named, other) = (thing.clone(), key("a", "2"));
    let written = store
        .write(command(vec![thing.clone(), other.clone()], move |rows| {
            rows.put(named.clone(), draft("two"));
            rows.put(other.clone(), draft("x"));
            rows.put(other.clone(), draft("y"));
            assert_eq!(rows.put(named.clone(), draft("one")).version, 1);
            assert_eq!(rows.get(&other).map(|row| row.version), Some(1));
            Ok(named)
        }))
        .await?;
    assert_eq!((written.outcome, written.row.version), (Outcome::Landed, 1));
    assert_eq!(texts(&feed_of(&store, "a").await?), ["one", "y"]);
    check_feed_against_rows(&store).await
}

async fn a_deletion_remembers_when_and_can_be_undone(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let deleted = |text| Draft { deleted: true, ..draft(text) };
    store.write(put(&key, draft("one"))).await?;
    let then = place.pass(5);
    assert_eq!(store.write(put(&key, deleted("one"))).await?.row.deleted_at, Some(then));
    place.pass(5);
    assert_eq!(store.write(put(&key, deleted("two"))).await?.row.deleted_at, Some(then));
    assert_eq!(store.get(&key).await?.and_then(|row| row.deleted_at), Some(then));
    assert_eq!(store.write(put(&key, draft("two"))).await?.row.deleted_at, None);
    assert_eq!(store.get(&key).await?.map(|row| (row.version, row.deleted_at)), Some((4, None)));
    check_feed_against_rows(&store).await
}

// ---- Decisions

async fn a_refusal_leaves_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let Err(Error::Refused(refusal)) = store.write(refuse(&key)).await else { panic!("it was not refused") };
    assert_eq!(refusal.to_string(), "no");
    assert_eq!(store.get(&key).await?, None);
    assert_eq!(whole_feed(&store).await?, []);
    Ok(())
}

async fn a_panic_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    let (first, second, third) = (key("a", "1"), key("a", "2"), key("b", "3"));
    let doomed = second.clone();
    let panicking = command(vec![second.clone()], move |rows| {
        rows.put(doomed, draft("lost"));
        panic!("as the test wants it")
    });
    let batch = vec![put(&first, draft("one")), panicking, refuse(&second), put(&third, draft("three"))];
    let answers = store.write_batch(batch).await?;
    assert!(
        matches!(&answers[..], [Ok(_), Err(Error::Panicked), Err(Error::Refused(_)), Ok(_)]),
        "answered {answers:?}"
    );
    assert!(store.get(&first).await?.is_some());
    assert!(store.get(&second).await?.is_none());
    assert!(store.get(&third).await?.is_some());
    assert_eq!(whole_feed(&store).await?.len(), 2);
    check_feed_against_rows(&store).await
}

async fn a_row_that_was_not_named_is_neither_seen_nor_put(place: &Place) -> Result {
    let store = place.store().await?;
    let (named, other) = (key("a", "1"), key("b", "1"));
    store.write(put(&other, draft("theirs"))).await?;
    let (mine, theirs) = (named.clone(), other.clone());
    let curious = command(vec![named.clone()], move |rows| {
        assert_eq!(rows.get(&theirs), None);
        rows.put(mine.clone(), draft("mine"));
        Ok(mine)
    });
    let theirs = other.clone();
    let careless = command(vec![named.clone()], move |rows| {
        rows.put(theirs.clone(), draft("mine"));
        Ok(theirs)
    });
    // In one batch with a command that does name it.
    let answers = store.write_batch(vec![append(&other, '!'), curious, careless]).await?;
    assert!(matches!(&answers[..], [Ok(_), Ok(_), Err(Error::Panicked)]), "answered {answers:?}");
    assert_eq!(store.get(&other).await?.map(|row| text(&row)), Some("theirs!".into()));
    check_feed_against_rows(&store).await
}

async fn an_answer_that_is_not_there_undoes_the_puts(place: &Place) -> Result {
    let store = place.store().await?;
    let (there, absent) = (key("a", "1"), key("a", "2"));
    let (mine, named) = (there.clone(), absent.clone());
    let answer = store
        .write(command(vec![there.clone(), absent], move |rows| {
            rows.put(mine, draft("one"));
            Ok(named)
        }))
        .await;
    assert!(matches!(answer, Err(Error::Damaged(_))), "answered {answer:?}");
    assert_eq!(store.get(&there).await?, None);
    assert_eq!(whole_feed(&store).await?, []);
    Ok(())
}

async fn commands_of_one_batch_see_each_other(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let answers = store.write_batch("abc".chars().map(|letter| append(&key, letter)).collect()).await?;
    let answers: Vec<Written> = answers.into_iter().collect::<std::result::Result<_, _>>()?;
    let seen = answers.iter().map(|written| (text(&written.row), written.row.version, written.position.position));
    assert_eq!(seen.collect::<Vec<_>>(), [("a".into(), 1, 1), ("ab".into(), 2, 2), ("abc".into(), 3, 3)]);
    assert_eq!(store.get(&key).await?.as_ref(), answers.last().map(|written| &*written.row));
    // What stood in between is in the feed too.
    assert_eq!(texts(&feed_of(&store, "a").await?), ["a", "ab", "abc"]);
    check_feed_against_rows(&store).await
}

async fn a_row_put_unfed_is_not_in_the_feed(place: &Place) -> Result {
    let store = place.store().await?;
    let (thing, note) = (key("a", "1"), Key { table: "notes", ..key("a", "1") });
    let (named, noted) = (thing.clone(), note.clone());
    let answer = store
        .write(command(vec![thing.clone(), note.clone()], move |rows| {
            rows.put_unfed(noted, draft("note"));
            rows.put(named.clone(), draft("thing"));
            Ok(named)
        }))
        .await?;
    assert_eq!(answer.position.position, 1);
    assert_eq!(store.get(&note).await?.map(|row| text(&row)), Some("note".into()));
    assert_eq!(store.get(&thing).await?.map(|row| text(&row)), Some("thing".into()));
    assert_eq!(texts(&feed_of(&store, "a").await?), ["thing"]);
    let only = note.clone();
    let answer = store
        .write(command(vec![note], move |rows| {
            rows.put_unfed(only.clone(), draft("note 2"));
            Ok(only)
        }))
        .await?;
    assert_eq!((answer.position.position, answer.row.version, answer.outcome), (1, 2, Outcome::Landed));
    Ok(())
}

async fn a_merge_writes_to_two_partitions(place: &Place) -> Result {
    let store = place.store().await?;
    let (from, into) = (key("a", "1"), key("b", "1"));
    assert_ne!(partition("t", "a"), partition("t", "b"));
    store.write_batch(vec![put(&from, draft("from")), put(&into, draft("into"))]).await?;
    let (gone, kept) = (from.clone(), into.clone());
    let written = store
        .write(command(vec![from.clone(), into.clone()], move |rows| {
            let merged = rows.get(&kept).map(text).unwrap_or_default() + &rows.get(&gone).map(text).unwrap_or_default();
            rows.put(gone, Draft { deleted: true, ..draft("") });
            rows.put(kept.clone(), draft(&merged));
            Ok(kept)
        }))
        .await?;
    assert_eq!(text(&written.row), "intofrom");
    assert_eq!(written.position, Position { partition: partition("t", "b"), position: 2 });
    assert_eq!(texts(&feed_of(&store, "a").await?), ["from", ""]);
    assert_eq!(texts(&feed_of(&store, "b").await?), ["into", "intofrom"]);
    check_feed_against_rows(&store).await
}

// ---- Request ids

async fn a_repeated_request_gets_the_first_answer(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let full = || Draft { label: "thread".into(), deleted: true, happened_at: -3, ..draft("one") };
    let request = || requested("r", "same", put(&key, full()));
    // The same request twice in one batch, and a command in between that changes the row.
    let answers = store.write_batch(vec![request(), append(&key, '2'), request()]).await?;
    let mut answers = answers.into_iter().collect::<std::result::Result<Vec<Written>, _>>()?;
    let (second, _, first) = (answers.pop(), answers.pop(), answers.pop());
    let (Some(first), Some(second)) = (first, second) else { panic!("answers are missing") };
    assert_eq!((first.outcome, second.outcome), (Outcome::Landed, Outcome::Replayed));
    assert_eq!((&first.row, first.position), (&second.row, second.position));

    place.pass(HOUR);
    store.write(append(&key, '3')).await?;
    let store = place.store().await?;
    let third = store.write(request()).await?;
    assert_eq!(third.outcome, Outcome::Replayed);
    assert_eq!((third.row, third.position), (first.row, first.position));
    assert_eq!(feed_of(&store, "a").await?.len(), 3);
    // Another tenant's request of that id is another request.
    let theirs = Key { tenant: "u".into(), ..key.clone() };
    let other = Command { tenant: "u".into(), ..requested("r", "same", put(&theirs, draft("theirs"))) };
    assert_eq!(store.write(other).await?.outcome, Outcome::Landed);
    Ok(())
}

async fn a_request_id_serves_one_request_only(place: &Place) -> Result {
    let store = place.store().await?;
    let (one, other) = (key("a", "1"), key("a", "2"));
    let reuse = || requested("r", "other", put(&other, draft("other")));
    let answers = store.write_batch(vec![requested("r", "one", put(&one, draft("one"))), reuse()]).await?;
    assert!(matches!(&answers[..], [Ok(_), Err(Error::RequestIdReused(id))] if id == "r"), "answered {answers:?}");
    assert!(matches!(store.write(reuse()).await, Err(Error::RequestIdReused(_))));
    assert_eq!(store.get(&other).await?, None);
    Ok(())
}

async fn an_answer_is_kept_for_a_day(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let request = || requested("r", "same", append(&key, 'x'));
    store.write(request()).await?;
    place.pass(24 * HOUR);
    assert_eq!(store.write(request()).await?.outcome, Outcome::Replayed);
    place.pass(HOUR);
    let written = store.write(request()).await?;
    assert_eq!((written.outcome, text(&written.row)), (Outcome::Landed, "xx".into()));
    assert_eq!(store.write(request()).await?.outcome, Outcome::Replayed);
    Ok(())
}

async fn a_refused_request_may_be_tried_again(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    assert!(store.write(requested("r", "same", refuse(&key))).await.is_err());
    assert_eq!(store.write(requested("r", "same", put(&key, draft("one")))).await?.outcome, Outcome::Landed);
    Ok(())
}

// ---- Lists

async fn all_pages(store: &Store, query: ListQuery) -> Result<Vec<(String, String)>> {
    let mut query = query;
    let mut found = Vec::new();
    loop {
        let page = store.list(&THINGS, &query).await?;
        assert!(page.rows.len() <= query.limit as usize);
        found.extend(page.rows.into_iter().map(|row| (row.key.account, row.key.id)));
        match page.next {
            Some(next) => {
                assert_eq!(found.last(), Some(&next));
                query.after = Some(next);
            }
            None => return Ok(found),
        }
    }
}

async fn pages_neither_skip_nor_repeat(place: &Place) -> Result {
    let store = place.store().await?;
    let mut wanted = Vec::new();
    let mut batch = Vec::new();
    for account in ["", "a", "b", "c"] {
        for id in 0..7 {
            wanted.push((account.to_owned(), format!("{id}")));
            batch.push(put(&key(account, &id.to_string()), draft("x")));
            let theirs = Key { tenant: "u".into(), ..key(account, &id.to_string()) };
            batch.push(put(&theirs, draft("x")));
        }
    }
    store.write_batch(batch).await?;
    for limit in [1, 2, 3, 7, 27, 28, 29] {
        let query = ListQuery { tenant: "t".into(), limit, ..ListQuery::default() };
        assert_eq!(all_pages(&store, query.clone()).await?, wanted, "pages of {limit}");
        let of_b = ListQuery { account: Some("b".into()), ..query };
        assert_eq!(all_pages(&store, of_b).await?, wanted[14..21], "pages of {limit}");
    }
    // What is written between two pages does not disturb what stands.
    let query = ListQuery { tenant: "t".into(), limit: 10, ..ListQuery::default() };
    let page = store.list(&THINGS, &query).await?;
    store.write_batch(vec![put(&key("", "00"), draft("x")), put(&key("a", "20"), draft("x"))]).await?;
    let rest = all_pages(&store, ListQuery { after: page.next, ..query }).await?;
    assert_eq!(page.rows.len() + rest.len(), wanted.len() + 1);
    assert_eq!(rest[0], ("a".into(), "20".into()));
    Ok(())
}

async fn a_list_is_filtered(place: &Place) -> Result {
    let store = place.store().await?;
    let mut batch = Vec::new();
    for number in 0..24_i64 {
        batch.push(put(
            &key("a", &format!("{number:02}")),
            Draft {
                state: if number % 2 == 0 { "even" } else { "odd" }.into(),
                label: if number % 3 == 0 { "third" } else { "" }.into(),
                happened_at: number,
                deleted: number % 4 == 0,
                document: Vec::new(),
            },
        ));
    }
    store.write_batch(batch).await?;
    let all = ListQuery { tenant: "t".into(), limit: 2, show_deleted: true, ..ListQuery::default() };
    let check = async |query: ListQuery, wanted: fn(i64) -> bool| -> Result {
        let wanted = (0..24).filter(|number| wanted(*number)).map(|number| ("a".to_owned(), format!("{number:02}")));
        assert_eq!(all_pages(&store, query.clone()).await?, wanted.collect::<Vec<_>>(), "{query:?}");
        Ok(())
    };
    check(all.clone(), |_| true).await?;
    check(ListQuery { show_deleted: false, ..all.clone() }, |n| n % 4 != 0).await?;
    check(ListQuery { state: Some("odd".into()), ..all.clone() }, |n| n % 2 == 1).await?;
    check(ListQuery { label: Some("third".into()), ..all.clone() }, |n| n % 3 == 0).await?;
    check(ListQuery { label: Some(String::new()), ..all.clone() }, |n| n % 3 != 0).await?;
    check(ListQuery { happened_from: Some(5), ..all.clone() }, |n| n >= 5).await?;
    check(ListQuery { happened_before: Some(20), ..all.clone() }, |n| n < 20).await?;
    let everything = ListQuery {
        account: Some("a".into()),
        show_deleted: false,
        state: Some("even".into()),
        label: Some("third".into()),
        happened_from: Some(5),
        happened_before: Some(20),
        ..all.clone()
    };
    check(everything, |n| n % 4 != 0 && n % 6 == 0 && (5..20).contains(&n)).await?;
    check(ListQuery { account: Some("b".into()), ..all }, |_| false).await
}

async fn rows_are_ordered_by_bytes(place: &Place) -> Result {
    let store = place.store().await?;
    let mut ids =
        vec!["a", "B", "b", "A", "ä", "é", "z", "_", "-", "1", "10", "2", "", " ", "日本", "𝄞", "a b", "a-b", "ab"];
    store.write_batch(ids.iter().map(|id| put(&key("a", id), draft("x"))).collect()).await?;
    ids.sort_unstable();
    let query = ListQuery { tenant: "t".into(), limit: 3, ..ListQuery::default() };
    let found: Vec<String> = all_pages(&store, query).await?.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, ids);
    Ok(())
}

async fn named_rows_come_together(place: &Place) -> Result {
    let store = place.store().await?;
    let keys: Vec<Key> = (0..150).map(|number| key(&(number % 5).to_string(), &number.to_string())).collect();
    store.write_batch(keys.iter().map(|key| put(key, draft(&key.id))).collect()).await?;
    let note = Key { table: "notes", ..key("0", "0") };
    store.write(put(&note, draft("note"))).await?;
    let mut asked = keys.clone();
    asked.extend([key("0", "absent"), note.clone(), Key { tenant: "u".into(), ..keys[0].clone() }, keys[0].clone()]);
    let found = store.batch_get(&asked).await?;
    assert_eq!(found.len(), 151);
    for key in &keys {
        assert_eq!(found.get(key).map(text).as_ref(), Some(&key.id));
    }
    assert_eq!(found.get(&note).map(text), Some("note".into()));
    assert!(store.batch_get(&[]).await?.is_empty());
    Ok(())
}

// ---- The feed

/// Sixteen writers write at once, some to shared rows. Returns how many writes there were.
async fn write_from_many_tasks(stores: &[Store]) -> Result<i64> {
    let writers = (0..16_usize).map(|writer| {
        let store = stores[writer % stores.len()].clone();
        tokio::spawn(async move {
            for round in 0..25 {
                let shared = key(&format!("account {}", round % 3), "shared");
                let own = key(&format!("account {}", writer % 4), &format!("{writer} {round}"));
                let answer = store.write(append(&shared, 'x')).await.expect("the shared row is written");
                let seen = store.changes_after(Position { position: answer.position.position - 1, ..answer.position });
                let seen = seen.await.expect("the feed continues");
                assert_eq!(seen[0].changes[0].row, in_feed(&answer.row));
                store.write(put(&own, draft("own"))).await.expect("the own row is written");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await?;
    }
    Ok(16 * 25 * 2)
}

async fn positions_have_no_gaps_under_concurrent_writers(place: &Place) -> Result {
    let store = place.store().await?;
    // A reader who follows meanwhile sees each position once, in order: `feed_after` checks it.
    let followed = partition("t", "account 0");
    let follower = tokio::spawn({
        let store = store.clone();
        async move {
            let mut commits = store.commits();
            let mut after = Position { partition: followed, position: 0 };
            let mut seen = Vec::new();
            while seen.len() < 100 {
                let changes = feed_after(&store, after).await.expect("the feed continues");
                after.position += changes.len() as i64;
                seen.extend(changes);
                if commits.changed().await.is_err() {
                    break;
                }
            }
            seen
        }
    });
    let writes = write_from_many_tasks(std::slice::from_ref(&store)).await?;
    let feed = whole_feed(&store).await?;
    assert_eq!(feed.len() as i64, writes);
    // One more, in case the follower waits after the last.
    store.write(put(&key("account 0", "last"), draft("x"))).await?;
    let seen = follower.await?;
    let same = feed_of(&store, "account 0").await?;
    assert_eq!(seen, same[..seen.len()]);
    check_feed_against_rows(&store).await
}

async fn two_stores_share_one_feed(place: &Place) -> Result {
    // Opened at once, as two processes may be.
    let (one, other) = tokio::join!(place.open(), place.open());
    let stores = [place.start(one?), place.start(other?)];
    let writes = write_from_many_tasks(&stores).await?;
    assert_eq!(whole_feed(&stores[0]).await?.len() as i64, writes);
    assert_eq!(whole_feed(&stores[0]).await?, whole_feed(&stores[1]).await?);
    check_feed_against_rows(&stores[1]).await
}

async fn time_never_falls_within_a_partition(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    store.write(append(&key, '1')).await?;
    place.pass(-HOUR);
    // Another process, whose clock is behind.
    let store = place.store().await?;
    assert_eq!(store.write(append(&key, '2')).await?.row.recorded_at, START);
    let later = place.pass(2 * HOUR);
    assert_eq!(store.write(append(&key, '3')).await?.row.recorded_at, later);
    Ok(())
}

async fn the_feed_is_read_in_portions(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    for _ in 0..70 {
        store.write(append(&key, 'x')).await?;
    }
    let start = Position { partition: partition("t", "a"), position: 0 };
    assert_eq!(store.changes_after(start).await?.len(), 32);
    assert_eq!(feed_of(&store, "a").await?.len(), 70);
    // From the middle of a group only what follows.
    store.write_batch("abc".chars().map(|letter| append(&key, letter)).collect()).await?;
    let rest = store.changes_after(Position { position: 71, ..start }).await?;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].changes.iter().map(|change| change.position).collect::<Vec<_>>(), [72, 73]);
    Ok(())
}

async fn a_position_ahead_of_the_feed_is_refused(place: &Place) -> Result {
    let store = place.store().await?;
    let end = store.write(put(&key("a", "1"), draft("x"))).await?.position;
    assert_eq!(store.changes_after(end).await?, []);
    store.check_position(end).await?;
    for position in [2, i64::MAX] {
        let ahead = Position { position, ..end };
        for error in [store.changes_after(ahead).await.err(), store.check_position(ahead).await.err()] {
            assert!(matches!(error, Some(Error::PositionAhead { last: 1, .. })), "{error:?}");
        }
    }
    let untouched = Position { partition: (end.partition + 1) % PARTITIONS, position: 0 };
    assert_eq!(store.changes_after(untouched).await?, []);
    let ahead = store.check_position(Position { position: 1, ..untouched }).await;
    assert!(matches!(ahead, Err(Error::PositionAhead { last: 0, .. })), "{ahead:?}");
    Ok(())
}

async fn a_forgotten_position_is_refused(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    for letter in "abcde".chars() {
        store.write(append(&thing, letter)).await?;
        store.write(append(&key("b", "1"), letter)).await?;
        place.pass(10);
    }
    let at = |position| Position { partition: partition("t", "a"), position };
    let check = async |position, wanted: Option<i64>| -> Result {
        for error in [store.changes_after(at(position)).await.err(), store.check_position(at(position)).await.err()] {
            match (error, wanted) {
                (None, None) => {}
                (Some(Error::PositionExpired { first, .. }), Some(wanted)) => assert_eq!(first, wanted),
                (error, _) => panic!("after {position}: {error:?}"),
            }
        }
        Ok(())
    };
    assert_eq!(store.beginning(partition("t", "a")).await?, at(0));
    assert_eq!(store.forget_changes_before(START + 20).await?, 4);
    assert_eq!(store.beginning(partition("t", "a")).await?, at(2));
    for (position, wanted) in [(0, Some(3)), (1, Some(3)), (2, None), (4, None), (5, None)] {
        check(position, wanted).await?;
    }
    assert_eq!(texts(&feed_after(&store, at(2)).await?), ["abc", "abcd", "abcde"]);
    assert_eq!(store.get(&thing).await?.map(|row| text(&row)), Some("abcde".into()));

    // When all is forgotten, only who had seen all may go on.
    assert_eq!(store.forget_changes_before(i64::MAX).await?, 6);
    assert_eq!(store.beginning(partition("t", "a")).await?, at(5));
    for (position, wanted) in [(0, Some(6)), (4, Some(6)), (5, None)] {
        check(position, wanted).await?;
    }
    assert_eq!(store.write(append(&thing, 'f')).await?.position.position, 6);
    assert_eq!(texts(&feed_after(&store, at(5)).await?), ["abcdef"]);
    Ok(())
}

async fn a_large_transaction_is_cut_into_groups(place: &Place) -> Result {
    let store = place.store().await?;
    let sizes = [100, 200, 60, 300, 0, 255, 1, 1, 900].map(|kib| kib * 1024);
    let documents = sizes.iter().enumerate();
    let batch = documents.map(|(number, size)| put(&key("a", &number.to_string()), draft(&"x".repeat(*size))));
    store.write_batch(batch.collect()).await?;
    // Many small ones are large together: their keys count as well.
    let long = "x".repeat(1_000);
    let small = (0..600).map(|number| put(&key("a", &format!("{long}{number}")), draft("")));
    store.write_batch(small.collect()).await?;

    let mut groups = Vec::new();
    let mut after = Position { partition: partition("t", "a"), position: 0 };
    loop {
        let more = store.changes_after(after).await?;
        if more.is_empty() {
            break;
        }
        for group in more {
            let bytes = group.changes.iter().map(|change| change.row.document.len() + change.row.key.id.len());
            assert!(group.changes.len() == 1 || bytes.sum::<usize>() <= 256 * 1024);
            after.position += group.changes.len() as i64;
            groups.push(group.changes.len());
        }
    }
    assert_eq!(groups[..7], [1, 1, 1, 1, 2, 2, 1]);
    assert_eq!(groups[7..].len(), 3);
    check_feed_against_rows(&store).await?;
    Ok(())
}

// ---- Erasure

async fn an_erased_past_is_rewritten_everywhere(place: &Place) -> Result {
    let store = place.store().await?;
    let (erased, neighbour) = (key("a", "1"), key("a", "2"));
    let note = Key { table: "notes", ..erased.clone() };
    for round in 0..40 {
        let mut batch = vec![append(&erased, 'x'), append(&neighbour, 'y'), append(&erased, 'z'), append(&note, 'n')];
        batch.truncate(4 - round % 3);
        store.write_batch(batch).await?;
    }
    let answered = |key: &Key, id: &str| requested(id, "same", append(key, '!'));
    store.write_batch(vec![answered(&erased, "r1"), answered(&neighbour, "r2"), answered(&note, "r3")]).await?;
    let before = feed_of(&store, "a").await?;

    let erasure = || requested("erasure", "same", erase(&erased));
    store.write(erasure()).await?;
    let after = feed_of(&store, "a").await?;
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().map(|change| text(&change.row)), Some("erased".into()));
    for (before, after) in before.into_iter().zip(after) {
        let mut wanted = before;
        if wanted.row.key == erased {
            wanted.row.document = b"redacted".to_vec();
        }
        assert_eq!(after, wanted);
    }
    // The erasure's own answer is kept, those of others are, those that would tell what was erased are not.
    assert_eq!(store.write(erasure()).await?.outcome, Outcome::Replayed);
    assert_eq!(store.write(answered(&neighbour, "r2")).await?.outcome, Outcome::Replayed);
    assert_eq!(store.write(answered(&note, "r3")).await?.outcome, Outcome::Replayed);
    let again = store.write(answered(&erased, "r1")).await?;
    assert_eq!((again.outcome, text(&again.row)), (Outcome::Landed, "erased!".into()));
    Ok(())
}

async fn an_erasure_reaches_the_commands_it_is_joined_with(place: &Place) -> Result {
    let store = place.store().await?;
    let (erased, other) = (key("a", "1"), key("a", "2"));
    let request = |id: &str, key: &Key| requested(id, "same", append(key, '!'));
    store.write(request("r0", &erased)).await?;
    let batch = vec![request("r1", &erased), request("r2", &other), erase(&erased), append(&erased, '?')];
    for answer in store.write_batch(batch).await? {
        answer?;
    }
    assert_eq!(texts(&feed_of(&store, "a").await?), ["redacted", "redacted", "!", "erased", "erased?"]);
    assert_eq!(store.write(request("r2", &other)).await?.outcome, Outcome::Replayed);
    for id in ["r0", "r1"] {
        assert_eq!(store.write(request(id, &erased)).await?.outcome, Outcome::Landed);
    }
    check_feed_against_rows(&store).await
}

async fn a_redaction_that_panics_writes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    store.write(put(&thing, draft("one"))).await?;
    let named = thing.clone();
    let panicking = command(vec![thing.clone()], move |rows| {
        rows.redact_past(named.clone(), |_| panic!("as the test wants it"));
        rows.put(named.clone(), draft("two"));
        Ok(named)
    });
    let answer = store.write(panicking).await;
    assert!(matches!(answer, Err(Error::Panicked)), "answered {answer:?}");
    // The writer goes on.
    assert_eq!(text(&store.write(append(&thing, '!')).await?.row), "one!");
    check_feed_against_rows(&store).await
}

// ---- Trouble

async fn a_cancelled_caller_leaves_nothing_half_done(place: &Place) -> Result {
    let store = place.store().await?;
    let (from, into) = (key("a", "1"), key("b", "1"));
    let mut answered = 0;
    for round in 0..300_u32 {
        let (one, other) = (from.clone(), into.clone());
        let both = command(vec![from.clone(), into.clone()], move |rows| {
            let text = rows.get(&one).map(text).unwrap_or_default() + "x";
            rows.put(other, draft(&text));
            rows.put(one.clone(), draft(&text));
            Ok(one)
        });
        answered += u32::from(cancel_after(round % 60, store.write(both)).await.is_some());
        cancel_after(round % 50, store.forget_changes_before(0)).await;
        cancel_after(round % 40, store.get(&from)).await;
        cancel_after(round % 30, store.changes_after(Position { partition: 0, position: 0 })).await;
    }
    let last = store.write(append(&from, '.')).await?;
    let (from, into) = (store.get(&from).await?, store.get(&into).await?);
    let (from, into) = (from.as_ref().map(text).unwrap_or_default(), into.as_ref().map(text).unwrap_or_default());
    assert_eq!(from, into.clone() + ".");
    // Those who went away before their turn wrote as well, or not at all; those who were answered wrote.
    assert!(into.len() >= answered as usize, "{answered} were answered, {into} was written");
    assert_eq!(last.row.version, from.len() as i64);
    check_feed_against_rows(&store).await?;
    assert_eq!(open_transactions(place).await?, 0);
    Ok(())
}

/// Counts the place's connections that PostgreSQL finds inside a transaction and idle.
async fn open_transactions(place: &Place) -> Result<i64> {
    let Some(schema) = place.scratch.schema() else { return Ok(0) };
    let mut connection = place.scratch.url.parse::<PgConnectOptions>()?.connect().await?;
    let row = sqlx::query(
        "select count(*) from pg_stat_activity where application_name = $1 and state like 'idle in transaction%'",
    )
    .bind(schema)
    .fetch_one(&mut connection)
    .await?;
    Ok(row.try_get(0)?)
}

async fn unusual_values_survive(place: &Place) -> Result {
    let store = place.store().await?;
    let nothing =
        Draft { state: String::new(), label: String::new(), happened_at: 0, deleted: false, document: Vec::new() };
    let texts = [
        "",
        " ",
        "0",
        "1e3",
        "null",
        "Zoë Äpfel 日本語 🦀",
        "'; drop table things; --",
        "\"\\\n\t\r\u{1}\u{7f}",
        "%_?$1",
    ];
    let times = [i64::MIN, -1, 0, i64::MAX];
    let mut wanted = Vec::new();
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (number, text) in texts.into_iter().enumerate() {
        let key = Key { table: "things", tenant: "t".into(), account: text.into(), id: text.into() };
        let draft = Draft {
            state: text.into(),
            label: text.into(),
            happened_at: times[number % times.len()],
            deleted: number % 2 == 1,
            document: if number % 3 == 0 { Vec::new() } else { all_bytes.clone() },
        };
        wanted.push(store.write(requested(&format!("r{text}"), text, put(&key, draft))).await?);
    }
    let emptiest = Key { table: "notes", tenant: String::new(), account: String::new(), id: String::new() };
    wanted.push(store.write(put(&emptiest, nothing)).await?);

    let store = place.store().await?;
    for written in &wanted {
        let row = &*written.row;
        assert_eq!(store.get(&row.key).await?.as_ref(), Some(row));
        assert_eq!(store.batch_get(std::slice::from_ref(&row.key)).await?.get(&row.key), Some(row));
        let before = Position { position: written.position.position - 1, ..written.position };
        assert_eq!(store.changes_after(before).await?[0].changes[0].row, in_feed(row));
    }
    for (text, written) in texts.into_iter().zip(&wanted) {
        let repeated = requested(&format!("r{text}"), text, refuse(&written.row.key));
        assert_eq!(store.write(repeated).await?.row, written.row);
        let query = ListQuery {
            tenant: "t".into(),
            account: Some(text.into()),
            state: Some(text.into()),
            label: Some(text.into()),
            happened_from: Some(written.row.happened_at),
            show_deleted: true,
            limit: 1,
            ..ListQuery::default()
        };
        assert_eq!(store.list(&THINGS, &query).await?.rows, std::slice::from_ref(&*written.row));
    }
    check_feed_against_rows(&store).await
}

async fn a_nul_character_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    let good = key("a", "1");
    let bad = key("a", "nul \0");
    let batch = vec![
        put(&good, draft("one")),
        put(&bad, draft("one")),
        put(&good, Draft { state: "\0".into(), ..draft("two") }),
        put(&good, Draft { label: "\0".into(), ..draft("two") }),
        requested("\0", "", put(&good, draft("two"))),
        Command { tenant: "\0".into(), ..put(&good, draft("two")) },
        put(&good, draft("with \0 in the document")),
    ];
    let answers = store.write_batch(batch).await?;
    let landed: Vec<bool> = answers.iter().map(std::result::Result::is_ok).collect();
    assert_eq!(landed, [true, false, false, false, false, false, true]);
    assert!(matches!(answers[1], Err(Error::Unstorable(_))), "{:?}", answers[1]);
    assert!(matches!(store.get(&bad).await, Err(Error::Unstorable(_))));
    assert!(matches!(store.batch_get(&[bad]).await, Err(Error::Unstorable(_))));
    let query = ListQuery { tenant: "t".into(), label: Some("\0".into()), limit: 1, ..ListQuery::default() };
    assert!(matches!(store.list(&THINGS, &query).await, Err(Error::Unstorable(_))));
    check_feed_against_rows(&store).await
}

async fn an_endless_id_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    // Hard to compress, as PostgreSQL would try to.
    let noise = |length: u32| (0..length).map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 20) as u8 % 90));
    let long: String = noise(2_000).collect();
    let endless: String = noise(3_000).collect();
    let answers = store
        .write_batch(vec![
            put(&key("a", &long), draft("long")),
            put(&key("a", &endless), draft("endless")),
            requested(&long, "", put(&key("a", "1"), draft("one"))),
            requested(&endless, "", put(&key("a", "2"), draft("two"))),
        ])
        .await?;
    let landed: Vec<bool> = answers.iter().map(std::result::Result::is_ok).collect();
    assert_eq!(landed, [true, false, true, false]);
    check_feed_against_rows(&store).await
}

async fn everything_is_there_after_reopening(place: &Place) -> Result {
    let database = place.open().await?;
    let store = place.start(database.clone());
    let key = key("a", "1");
    for _ in 0..3 {
        store.write(append(&key, 'x')).await?;
    }
    let row = store.get(&key).await?;
    let feed = whole_feed(&store).await?;
    drop(store);
    database.close().await;

    // Opening migrates again, which is fine.
    let store = place.store().await?;
    assert_eq!(store.get(&key).await?, row);
    assert_eq!(whole_feed(&store).await?, feed);
    assert_eq!(store.write(append(&key, 'x')).await?.position.position, 4);
    check_feed_against_rows(&store).await
}

async fn a_write_survives_a_store_that_was_not_closed(place: &Place) -> Result {
    let (thing, other) = (key("a", "1"), key("b", "1"));
    for polls in 1..6 {
        // A process that ends in the midst of its second write.
        let answered = std::thread::scope(|scope| {
            let process = scope.spawn(|| {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
                runtime.block_on(async {
                    let store = place.store().await.expect("the database opens");
                    let answered = store.write(append(&thing, 'x')).await.expect("the row is written");
                    let (one, two) = (thing.clone(), other.clone());
                    let both = command(vec![thing.clone(), other.clone()], move |rows| {
                        let text = rows.get(&one).map(text).unwrap_or_default() + "y";
                        rows.put(two, draft(&text));
                        rows.put(one.clone(), draft(&text));
                        Ok(one)
                    });
                    cancel_after(polls, store.write(both)).await;
                    text(&answered.row)
                })
            });
            process.join().expect("the process ends")
        });
        // This one waits until the database has done with the other.
        let store = place.store().await?;
        let row = store.write(append(&thing, '.')).await?.row;
        assert!([format!("{answered}."), format!("{answered}y.")].contains(&text(&row)), "{answered} became {row:?}");
        check_feed_against_rows(&store).await?;
    }
    Ok(())
}

async fn a_newer_database_is_refused(place: &Place) -> Result {
    let database = place.open().await?;
    database.close().await;
    let error = match Database::open(&place.scratch.url, &place.migrations[..1]).await {
        Err(error @ Error::Open { .. }) => error.to_string(),
        other => panic!("opened {other:?}"),
    };
    assert!(error.contains("a newer version of this program has migrated it (step 2"), "{error}");
    // An older one is brought up to date.
    let migrations = [
        place.migrations[0],
        place.migrations[1],
        Migration { version: 3, name: "more", sql: "create table more (id text not null)" },
    ];
    let database = Database::open(&place.scratch.url, &migrations).await?;
    let count = sqlx::query("select count(*) from more").fetch_one(&database.reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, 0);
    Ok(())
}

async fn concurrent_writers_share_commits(place: &Place) -> Result {
    let store = place.store().await?;
    let writers = (0..400).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.write(put(&key("a", &number.to_string()), draft("x"))).await.map(|_| ()) })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    let commits = *store.commits().borrow();
    assert!((1..100).contains(&commits), "{commits} commits for 400 writes");
    assert_eq!(whole_feed(&store).await?.len(), 400);
    Ok(())
}

async fn a_closed_database_is_answered_with_an_error(place: &Place) -> Result {
    let database = place.open().await?;
    let store = place.start(database.clone());
    let key = key("a", "1");
    store.write(put(&key, draft("one"))).await?;
    database.close().await;
    assert!(matches!(store.write(put(&key, draft("two"))).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.get(&key).await, Err(Error::Unavailable(_))));
    assert_eq!(place.store().await?.get(&key).await?.map(|row| text(&row)), Some("one".into()));
    Ok(())
}

/// A server may restart at any time; the store finds its way back, and a retry with a request id is safe.
#[tokio::test]
async fn broken_connections_are_replaced() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let store = place.store().await?;
    let key = key("a", "1");
    for round in 0..5 {
        let request = || requested(&format!("r{round}"), "same", append(&key, 'x'));
        store.write(append(&key, '.')).await?;
        place
            .scratch
            .administrate(format!(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where application_name = '{}' and pid <> pg_backend_pid()",
                place.scratch.schema().unwrap_or_default()
            ))
            .await?;
        let mut attempts = 1;
        while store.write(request()).await.is_err() {
            attempts += 1;
            assert!(attempts < 5, "the connection was not replaced");
        }
        assert!(store.get(&key).await?.is_some());
    }
    assert_eq!(store.get(&key).await?.map(|row| text(&row)), Some(".x.x.x.x.x".into()));
    check_feed_against_rows(&store).await?;
    place.drop_schema().await
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_a_reason() -> Result {
    let folder = tempfile::tempdir()?;
    let absent = format!("sqlite:{}/absent/x.db", folder.path().display());
    for (url, reason) in [
        ("sqlite:", "sqlite:PATH"),
        ("sqlite::memory:", "name a file"),
        ("postgres://me:secret@127.0.0.1:1/x", "me:***@"),
        (absent.as_str(), "unable to open"),
    ] {
        let error = Database::open(url, &[]).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_lookup_of_many_keys_uses_the_index() -> Result {
    let place = Place::sqlite()?;
    let database = place.open().await?;
    assert_eq!(database.backend, Backend::Sqlite);
    let plan =
        "explain query plan select id from things where (tenant, account, id) in (values ($1, $2, $3), ($4, $5, $6))";
    let steps = sqlx::query(plan).fetch_all(&database.reader).await?;
    let steps: Vec<String> = steps.iter().map(|step| step.try_get(3)).collect::<std::result::Result<_, _>>()?;
    assert!(steps.iter().any(|step| step.contains("SEARCH things")), "{steps:?}");
    Ok(())
}

// ---- Random commands against a model

#[derive(Debug, Clone)]
enum Action {
    Put { row: u8, document: u8, deleted: bool },
    PutTwo { row: u8, other: u8, document: u8 },
    Append { row: u8 },
    Erase { row: u8 },
    Refuse { row: u8 },
    Repeat { request: u8 },
}

fn actions() -> impl Strategy<Value = Vec<Vec<Action>>> {
    let action = prop_oneof![
        4 => (0..8_u8, 0..3_u8, any::<bool>()).prop_map(|(row, document, deleted)| Action::Put { row, document, deleted }),
        2 => (0..8_u8, 0..8_u8, 0..3_u8).prop_map(|(row, other, document)| Action::PutTwo { row, other, document }),
        4 => (0..8_u8).prop_map(|row| Action::Append { row }),
        1 => (0..8_u8).prop_map(|row| Action::Erase { row }),
        1 => (0..8_u8).prop_map(|row| Action::Refuse { row }),
        2 => (0..4_u8).prop_map(|request| Action::Repeat { request }),
    ];
    prop::collection::vec(prop::collection::vec(action, 1..8), 1..12)
}

/// What is to be stored: each row's version, document and whether it is deleted; and what each change says.
#[derive(Default)]
struct Model {
    rows: BTreeMap<Key, (i64, String, bool)>,
    changes: Vec<(Key, i64, String)>,
    requests: BTreeMap<u8, (Key, i64, String)>,
}

impl Model {
    fn put(&mut self, key: &Key, document: String, deleted: bool) -> (Key, i64, String) {
        let before = self.rows.get(key).cloned();
        let version = match before {
            Some((version, text, was_deleted)) if text == document && was_deleted == deleted => version,
            before => {
                let version = before.map_or(0, |(version, ..)| version) + 1;
                self.changes.push((key.clone(), version, document.clone()));
                version
            }
        };
        self.rows.insert(key.clone(), (version, document.clone(), deleted));
        (key.clone(), version, document)
    }

    fn appended(&self, key: &Key) -> String {
        self.rows.get(key).map(|(_, text, _)| text.clone()).unwrap_or_default() + "+"
    }

    /// Does an action, and returns the command that is to do the same and the answer it is to get.
    fn act(&mut self, tenant: &str, action: &Action) -> (Command, Option<(Key, i64, String)>) {
        let key =
            |row: u8| Key { tenant: tenant.into(), ..key(["a", "b", "c"][usize::from(row) % 3], &row.to_string()) };
        let (command, answer) = match *action {
            Action::Put { row, document, deleted } => {
                let draft = Draft { deleted, ..draft(&document.to_string()) };
                (put(&key(row), draft), Some(self.put(&key(row), document.to_string(), deleted)))
            }
            Action::PutTwo { row, other, document } => {
                let (one, two) = (key(row), key(other));
                let text = format!("two {document}");
                let answer = self.put(&one, text.clone(), false);
                self.put(&two, text.clone(), false);
                let command = command(vec![one.clone(), two.clone()], move |rows| {
                    rows.put(one.clone(), draft(&text));
                    rows.put(two, draft(&text));
                    Ok(one)
                });
                (command, Some(answer))
            }
            Action::Append { row } => {
                let text = self.appended(&key(row));
                (append(&key(row), '+'), Some(self.put(&key(row), text, false)))
            }
            Action::Erase { row } => {
                let erased = key(row);
                let answer = self.put(&erased, "erased".into(), false);
                let past = self.changes.iter_mut().filter(|change| change.0 == erased && change.1 < answer.1);
                past.for_each(|change| change.2 = "redacted".into());
                self.requests.retain(|_, answer| answer.0 != erased);
                (erase(&erased), Some(answer))
            }
            Action::Refuse { row } => (refuse(&key(row)), None),
            Action::Repeat { request } => {
                let key = key(request);
                let answer = match self.requests.get(&request) {
                    Some(answer) => answer.clone(),
                    None => {
                        let text = self.appended(&key);
                        let answer = self.put(&key, text, false);
                        self.requests.insert(request, answer.clone());
                        answer
                    }
                };
                (requested(&request.to_string(), "same", append(&key, '+')), Some(answer))
            }
        };
        (Command { tenant: tenant.into(), ..command }, answer)
    }
}

/// Does the batches in a tenant of their own, and compares answers, rows and feed with the model's.
async fn check_against_model(store: &Store, tenant: &str, batches: Vec<Vec<Action>>) -> Result {
    let mut model = Model::default();
    for batch in batches {
        let (commands, wanted): (Vec<_>, Vec<_>) = batch.iter().map(|action| model.act(tenant, action)).unzip();
        for (answer, wanted) in store.write_batch(commands).await?.into_iter().zip(wanted) {
            let answer = answer.ok().map(|written| (written.row.key.clone(), written.row.version, text(&written.row)));
            assert_eq!(answer, wanted);
        }
    }
    let query = ListQuery { tenant: tenant.into(), limit: 100, show_deleted: true, ..ListQuery::default() };
    let rows = store.list(&THINGS, &query).await?.rows;
    let rows = rows.into_iter().map(|row| (row.key.clone(), (row.version, text(&row), row.deleted_at.is_some())));
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), model.rows);

    let mut feed = whole_feed(store).await?;
    feed.retain(|change| change.row.key.tenant == tenant);
    let replayed =
        feed.iter().map(|Change { row, .. }| (row.key.clone(), (row.version, text(row), row.deleted_at.is_some())));
    assert_eq!(replayed.collect::<BTreeMap<_, _>>(), model.rows);
    // Order holds inside a partition; stable sorting compares just that.
    let mut feed: Vec<_> = feed.iter().map(|Change { row, .. }| (row.key.clone(), row.version, text(row))).collect();
    let of_partition = |change: &(Key, i64, String)| partition(tenant, &change.0.account);
    feed.sort_by_key(of_partition);
    model.changes.sort_by_key(of_partition);
    assert_eq!(feed, model.changes);
    Ok(())
}

fn random_commands_do_as_the_model_does(runtime: &tokio::runtime::Runtime, place: &Place) -> Result {
    let store = runtime.block_on(place.store())?;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let tenants = AtomicU64::new(0);
    runner.run(&actions(), |batches| {
        let tenant = format!("tenant {}", tenants.fetch_add(1, Ordering::Relaxed));
        let checked = runtime.block_on(check_against_model(&store, &tenant, batches));
        checked.map_err(|error| TestCaseError::fail(error.to_string()))
    })?;
    Ok(())
}

#[test]
fn random_commands_do_as_the_model_does_on_sqlite() -> Result {
    random_commands_do_as_the_model_does(&tokio::runtime::Runtime::new()?, &Place::sqlite()?)
}

#[test]
fn random_commands_do_as_the_model_does_on_postgres() -> Result {
    let runtime = tokio::runtime::Runtime::new()?;
    let Some(place) = runtime.block_on(Place::postgres())? else { return Ok(()) };
    random_commands_do_as_the_model_does(&runtime, &place)?;
    runtime.block_on(place.drop_schema())
}
