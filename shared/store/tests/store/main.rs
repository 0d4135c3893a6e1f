//! The store's promises, kept on SQLite always and on PostgreSQL when `TEST_DATABASE_URL` names a server
//! (`tests/postgres.sh cargo test -p store` starts one). A difference between the two is a bug.

mod decisions;
mod erasure;
mod feed;
mod leases;
mod lists;
mod model;
mod opening;
mod requests;
mod rows;
mod trouble;

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
    RequestId, Row, Rows, Store, Table, Update, Value, Written, partition, testing::Scratch,
};

use self::{decisions::*, erasure::*, feed::*, leases::*, lists::*, opening::*, requests::*, rows::*, trouble::*};

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
    many_rows_at_once_are_each_as_they_were_put,
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
    a_request_is_known_to_all_of_a_large_batch,
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
    a_file_belongs_to_whoever_opened_it_last,
    leases_are_shared_out_among_those_who_live,
    one_that_was_buried_at_its_first_beat_comes_back,
    a_fence_counts_writes_and_holds_until_the_end,
    a_lease_that_is_locked_holds_up_no_beat,
    who_comes_back_to_its_place_takes_over_at_once,
    many_open_one_empty_database_at_once,
    a_transaction_sees_what_it_wrote,
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
