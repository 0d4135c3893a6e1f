//! Breaking it: the suite is killed with SIGKILL, its watchers are cut off, its clients go away in the middle of a call.
//! Whatever was acknowledged is there exactly once, and whatever was not is there whole or not at all.
//!
//! `RAPPORT_CRASH_ROUNDS` says how often each story breaks what it breaks: 4 if unset, which takes seconds; the long
//! version is 50:
//!
//! ```console
//! $ RAPPORT_CRASH_ROUNDS=50 cargo test -p tests crash
//! ```
//!
//! The random moments come from a seed, which a story that fails prints. `RAPPORT_CRASH_SEED` sets it: the same seed makes
//! the same choices, though the machine decides what they meet.

mod assessed;
mod batches;
pub(crate) mod chance;
mod importer;
mod judge;
mod process;
mod watcher;
mod writer;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use contracts::{
    accounts::v1::{Account, CreateAccountRequest, accounts_service_client::AccountsServiceClient},
    assessments::v1::{assessments_service_client::AssessmentsServiceClient, *},
    common::v1::FreshnessToken,
};
use prost_types::Timestamp;
use runtime::Peer;
use tests::{
    Suite, ask, day, eventually,
    resources::{Change, Clients, Kind, until_answered},
};
use tokio::task::{JoinSet, LocalSet};

use self::{
    chance::{Chance, rounds, seeded},
    importer::Importer,
    judge::{Verdict, feed, judge, listed},
    process::Process,
    watcher::Watcher,
    writer::{ACCOUNTS, Book, Writer},
};

const WRITERS: usize = 16;
/// What is written here.
const KINDS: [Kind; 3] = [Kind::Order, Kind::Interaction, Kind::Feedback];

/// A suite in a process of its own, and those who write to it.
struct Storm {
    process: Process,
    clients: Clients,
    chance: Chance,
    book: Rc<Book>,
    /// Those who write until the book is closed.
    tasks: JoinSet<()>,
    /// Names the accounts that were created.
    accounts: Vec<FreshnessToken>,
}

impl Storm {
    /// Starts the suite, which may be killed while it makes its databases, and sends out the writers.
    async fn begin() -> Self {
        let mut chance = seeded();
        let mut process = Process::new();
        for _ in 0..rounds().div_ceil(4) {
            process.start();
            chance.pause(Duration::from_millis(200)).await;
            process.kill();
        }
        process.start();
        let clients = Clients::new(process.peer());
        let accounts = create_accounts(&process.peer()).await;
        let book = Rc::new(Book::default());
        let mut tasks = JoinSet::new();
        for mut writer in Writer::many(WRITERS, &clients, &mut chance, &book).await {
            tasks.spawn_local(async move { writer.run().await });
        }
        tasks.spawn_local(Importer::new(&clients, &book).run(chance.split()));
        Self { process, clients, chance, book, tasks, accounts }
    }

    /// Kills the suite while all are at work and starts it again, round after round; then lets everybody finish.
    async fn rage(&mut self) {
        for _ in 0..rounds() {
            let goal = self.book.count() + 30 + self.chance.below(300) as usize;
            eventually(async || (self.book.count() >= goal).then_some(())).await;
            self.chance.pause(Duration::from_millis(30)).await;
            self.process.kill();
            // Now and then it is killed again while it starts.
            while self.chance.one_in(4) {
                self.process.start();
                self.chance.pause(Duration::from_millis(300)).await;
                self.process.kill();
            }
            self.process.start();
        }
        let goal = self.book.count() + WRITERS;
        eventually(async || (self.book.count() >= goal).then_some(())).await;
        self.book.close();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    /// Reads what the suite has come to, and judges it.
    async fn judge(&self) -> Verdict {
        self.process.assert_nothing_went_wrong();
        judge(&self.clients, &self.book, true).await
    }
}

async fn create_accounts(peer: &Peer) -> Vec<FreshnessToken> {
    let accounts = AccountsServiceClient::new(peer.clone());
    let mut tokens = Vec::new();
    for id in ACCOUNTS {
        let account = Account {
            display_name: id.to_owned(),
            open_time: day(-300.0),
            currency_code: "EUR".to_owned(),
            ..Account::default()
        };
        let request = CreateAccountRequest { account_id: id.to_owned(), account: Some(account), ..Default::default() };
        let answer = until_answered(async || accounts.clone().create_account(ask(request.clone())).await).await;
        tokens.extend(answer.into_inner().freshness);
    }
    tokens
}

/// Checks all ledgers, once the aggregator has heard everything.
async fn assert_ledgers_are_clean(peer: &Peer, written: &[FreshnessToken]) {
    let mut assessments = AssessmentsServiceClient::new(peer.clone());
    all_assessments(peer, written, None, None).await;
    let mut answers = assessments.verify_ledgers(ask(VerifyLedgersRequest::default())).await.unwrap().into_inner();
    let mut last = VerifyLedgersResponse::default();
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.differing_accounts, Vec::<String>::new());
        last = answer;
    }
    assert_eq!((last.verified_count, last.total_count), (ACCOUNTS.len() as i64, ACCOUNTS.len() as i64));
}

/// The assessments of all accounts, without the words on how far the feeds have been seen.
async fn all_assessments(
    peer: &Peer,
    written: &[FreshnessToken],
    as_of: Option<Timestamp>,
    known_at: Option<Timestamp>,
) -> Vec<Assessment> {
    let assessments = AssessmentsServiceClient::new(peer.clone());
    let request = BatchGetAssessmentsRequest {
        names: ACCOUNTS.map(|id| format!("accounts/{id}/assessment")).to_vec(),
        at_least_as_fresh: written.to_vec(),
        as_of,
        known_at,
        ..BatchGetAssessmentsRequest::default()
    };
    let answer = until_answered(async || assessments.clone().batch_get_assessments(ask(request.clone())).await).await;
    let strip = |assessment: Assessment| Assessment { freshness: Vec::new(), ..assessment };
    answer.into_inner().assessments.into_iter().map(strip).collect()
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_exactly_once() {
    LocalSet::new()
        .run_until(async {
            let mut storm = Storm::begin().await;
            storm.rage().await;
            let Verdict { changes, mut written } = storm.judge().await;

            written.extend(storm.accounts.clone());
            let peer = storm.process.peer();
            assert_ledgers_are_clean(&peer, &written).await;

            // An aggregator that hears everything for the first time, and at once, says the same.
            let recorded = |change: &Change| change.stamp.record_time;
            let now = changes.iter().filter_map(recorded).max_by_key(|time| (time.seconds, time.nanos));
            let midway = recorded(&changes[changes.len() / 2]);
            let told = all_assessments(&peer, &written, now, None).await;
            let told_then = all_assessments(&peer, &written, now, midway).await;
            assert_ne!(told, told_then);
            storm.process.kill();
            storm.process.lose("aggregator");
            storm.process.start();
            assert_eq!(all_assessments(&peer, &written, now, None).await, told);
            assert_eq!(all_assessments(&peer, &written, now, midway).await, told_then);
            assert_ledgers_are_clean(&peer, &written).await;
            storm.process.assert_nothing_went_wrong();
        })
        .await;
}

#[tokio::test]
async fn watchers_that_are_cut_off_see_each_change_once_and_in_order() {
    LocalSet::new()
        .run_until(async {
            let mut storm = Storm::begin().await;
            let mut watching = JoinSet::new();
            for kind in KINDS.into_iter().chain(KINDS) {
                let watcher = Watcher::new(kind, &storm.clients, &mut storm.chance);
                watching.spawn_local(watcher.run(Rc::clone(&storm.book)));
            }
            storm.rage().await;
            while let Some(watched) = watching.join_next().await {
                let (kind, mut seen, cuts) = watched.unwrap();
                assert!(cuts >= rounds(), "a watcher was cut off {cuts} times only");
                let mut told = feed(&storm.clients, kind).await;
                for changes in [&mut seen, &mut told] {
                    // Partitions come in any order, each in its own.
                    changes.sort_by_key(|change| change.stamp.partition);
                }
                assert_eq!(seen, told);
            }
            storm.judge().await;
        })
        .await;
}

#[tokio::test]
async fn watchers_of_assessments_that_are_cut_off_are_told_each_change_once_and_in_order() {
    LocalSet::new()
        .run_until(async {
            let mut storm = Storm::begin().await;
            let peer = storm.process.peer();
            let mut watching = JoinSet::new();
            for (filter, threshold) in [("", 0.1), ("", 0.1), ("", 1.5), ("customer_rapport < 52", 0.5)] {
                let watcher = assessed::Watcher::begin(&peer, &mut storm.chance, filter, threshold).await;
                watching.spawn_local(watcher.run(Rc::clone(&storm.book)));
            }
            storm.rage().await;
            let Verdict { mut written, .. } = storm.judge().await;
            written.extend(storm.accounts.clone());
            // From here on nothing moves any more, but for what a moment's decay does.
            all_assessments(&peer, &written, None, None).await;
            for mut watcher in watching.join_all().await {
                assert!(watcher.cuts() >= rounds(), "a watcher was cut off {} times only", watcher.cuts());
                let told = watcher.told_in_the_end().await;
                eprintln!(
                    "{} changes by {} points or more, told in {} pieces",
                    told.len(),
                    watcher.threshold(),
                    watcher.cuts()
                );
                assert_eq!(told, watcher.told_without_cuts().await);
                assert_chained(&watcher, &told, &all_assessments(&peer, &written, None, None).await);
            }
            storm.process.assert_nothing_went_wrong();
        })
        .await;
}

/// Each change begins where the one before it ended, is as large as asked for, and the last leads to what is.
fn assert_chained(watcher: &assessed::Watcher, told: &[assessed::Told], assessments: &[Assessment]) {
    let mut last: BTreeMap<&str, &assessed::Told> = BTreeMap::new();
    for change in told {
        let account = change.assessment.as_ref().unwrap().name.as_str();
        if let Some(before) = last.insert(account, change) {
            assert_eq!(
                (before.bond_after, before.stage_after, before.exposed_after),
                (change.bond_before, change.stage_before, change.exposed_before)
            );
        }
        let moved = |before: f64, after: f64| (after - before).abs() > watcher.threshold() - 1e-9;
        assert!(
            moved(change.bond_before, change.bond_after)
                || change.facets.iter().any(|facet| moved(facet.before, facet.after))
                || change.stage_before != change.stage_after
                || change.exposed_before != change.exposed_after,
            "{change:?}"
        );
        assert!(!change.causes.is_empty(), "{change:?}");
    }
    for assessment in assessments.iter().filter(|_| watcher.is_unfiltered()) {
        let last = last[assessment.name.as_str()];
        let bond = assessment.bond.unwrap().value;
        // What is smaller than the log keeps may be on top.
        assert!((bond - last.bond_after).abs() < watcher.threshold() + 0.11, "{bond} {last:?}");
        assert_eq!((assessment.stage, assessment.exposed_party), (last.stage_after, last.exposed_after));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_leave_nothing_half_written() {
    LocalSet::new()
        .run_until(async {
            let mut chance = seeded();
            let suite = Suite::start().await;
            let peer = suite.peer();
            let clients = Clients::new(peer.clone());
            let mut written = create_accounts(&peer).await;
            let book = Rc::new(Book::default());
            let writers = Writer::many(WRITERS, &clients, &mut chance, &book).await;
            let mut tasks = JoinSet::new();
            for mut writer in writers {
                let uri = suite.context.own_uri();
                tasks.spawn_local(async move {
                    for _ in 0..rounds() * 8 {
                        writer.step_impatiently(&uri).await;
                    }
                    writer
                });
            }
            let mut importer = Importer::new(&clients, &book);
            for _ in 0..rounds() * 4 {
                importer.import_impatiently(&mut chance).await;
            }
            let writers = tasks.join_all().await;

            // It answers all the same, to all at once, and at the first attempt.
            let mut calls = JoinSet::new();
            for mut writer in writers {
                calls.spawn_local(async move { writer.step_once().await.unwrap() });
                for kind in KINDS {
                    let clients = clients.clone();
                    calls.spawn_local(async move {
                        clients.list(kind, String::new()).await.unwrap();
                    });
                }
            }
            calls.join_all().await;
            for kind in KINDS {
                assert!(!listed(&clients, kind).await.0.is_empty());
            }
            let verdict = judge(&clients, &book, false).await;
            written.extend(verdict.written);
            assert_ledgers_are_clean(&peer, &written).await;
        })
        .await;
}
