//! Those who watch are told every real change, once and in order, whatever happens to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use contracts::accounts::v1::{Account, AccountState};
use contracts::assessments::v1::{Cause, WatchAssessmentsRequest, WatchAssessmentsResponse};
use contracts::feedback::v1::{Feedback, FeedbackKind};
use proptest::prelude::*;
use runtime::{Shutdown, Tenant};
use store::Error;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use super::history::{ACCOUNTS, Events, TENANTS, history};
use super::properties::holds;
use super::{NOW, Place};
use crate::evidence::Source;
use crate::evidence::tests::resources::SPAN;
use crate::log;
use crate::movement::Number;
use crate::service::Service;
use crate::told::Told;
use crate::watch::{Limits, Watcher, Watching};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The numbers may say that nothing is ever taken.
const CUTS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// Larger than what any of these stories tells at once.
const QUEUE: usize = 10_000;

type Message = WatchAssessmentsResponse;

impl Place {
    pub(super) fn service(&self, limits: Limits) -> Service {
        let mut watching = Watching::new(Shutdown::new(), self.instruments());
        watching.limits = limits;
        Service { gallery: self.gallery(), watching, methods: self.methods.clone() }
    }
}

pub(super) fn roomy() -> Limits {
    Limits { queue: QUEUE, ..Limits::default() }
}

pub(super) fn tenant(name: &str) -> Tenant {
    let mut request = Request::new(());
    request.metadata_mut().insert("rapport-tenant", name.parse().unwrap());
    runtime::tenant(&request).unwrap()
}

/// A watcher that a test lets work, and that may be cut off.
struct Cursor<'a> {
    service: &'a Service,
    ask: WatchAssessmentsRequest,
    tenant: Tenant,
    watcher: Watcher,
    queue: crate::watch::Receiver,
}

impl<'a> Cursor<'a> {
    async fn begin(service: &'a Service, of: &str, ask: WatchAssessmentsRequest) -> Self {
        let tenant = tenant(of);
        let (watcher, mut queue) = service.begin_watch(tenant.clone(), &ask).await.unwrap();
        let first = queue.try_recv().unwrap().unwrap();
        assert_eq!(first, Message { position: first.position.clone(), ..Message::default() });
        let ask = WatchAssessmentsRequest { position: first.position, ..ask };
        Self { service, ask, tenant, watcher, queue }
    }

    /// All that there is to tell now.
    async fn told(&mut self) -> Vec<Message> {
        while self.watcher.tell_page().await.unwrap() {}
        std::iter::from_fn(|| self.queue.try_recv().ok()).map(Result::unwrap).collect()
    }

    /// The same, but told to a client that is cut off after some messages, again and again, up to [`CUTS`] times.
    async fn told_with_cuts(&mut self, numbers: &mut impl Iterator<Item = usize>) -> Vec<Message> {
        let mut all = Vec::new();
        for cut in 0.. {
            let mut told = self.told().await;
            let kept = if cut < CUTS { numbers.next().unwrap() % (told.len() + 1) } else { told.len() };
            let is_all = kept == told.len();
            told.truncate(kept);
            if let Some(last) = told.last() {
                self.ask.position.clone_from(&last.position);
            }
            all.extend(told);
            *self = Self::begin(self.service, self.tenant.as_str(), self.ask.clone()).await;
            if is_all {
                break;
            }
        }
        all
    }
}

fn account_of(message: &Message) -> &str {
    message.assessment.as_ref().unwrap().name.split('/').nth(1).unwrap()
}

/// What a message says of the change.
fn said(message: &Message) -> Message {
    Message { assessment: None, ..message.clone() }
}

#[test]
fn a_watcher_that_is_cut_off_is_told_what_one_is_told_that_never_was() {
    let asks = (
        prop_oneof![Just(None), Just(Some(0.1)), Just(Some(4.0))],
        prop_oneof![Just(""), Just("bond < 48"), Just("stage = \"exploration\" AND customer_trust_confidence > 0.05")],
    );
    let numbers = prop::collection::vec(any::<usize>(), 1..100);
    holds(15, (history(Events::All), asks, numbers, 0..3_usize), async |place, told| {
        let (history, (threshold, filter), numbers, untold) = told;
        let ask = WatchAssessmentsRequest { filter: (*filter).to_owned(), threshold: *threshold, ..Default::default() };
        let threshold = threshold.unwrap_or(1.0);
        let mut numbers = numbers.iter().copied().cycle();
        place.clock.set(SPAN + 1_000);
        let (steady, forgetful) = (place.service(roomy()), place.service(Limits { untold: *untold, ..roomy() }));
        let mut steady = Cursor::begin(&steady, TENANTS[0], ask.clone()).await;
        let mut everything = WatchAssessmentsRequest { threshold: Some(0.1), ..Default::default() };
        everything.position.clone_from(&steady.ask.position);
        let mut everything = Cursor::begin(steady.service, TENANTS[0], everything).await;
        let mut unlucky = Cursor::begin(&forgetful, TENANTS[0], ask).await;

        let mut last: HashMap<String, Message> = HashMap::new();
        let mut first: HashMap<String, Message> = HashMap::new();
        let mut gone = BTreeSet::new();
        for batch in history.chunks(1 + numbers.next().unwrap() % 5) {
            place.apply(batch).await;
            place.clock.advance(HOUR * (numbers.next().unwrap() % 2_000) as u32);
            if numbers.next().unwrap() % 3 == 0 {
                let all: Vec<_> = ACCOUNTS.map(|account| (TENANTS[0].to_owned(), account.to_owned())).to_vec();
                place.applier().refresh(&all).await.unwrap();
            }
            let told = steady.told().await;
            let told_in_pieces = unlucky.told_with_cuts(&mut numbers).await;
            prop_assert_eq!(
                told.iter().map(said).collect::<Vec<_>>(),
                told_in_pieces.iter().map(said).collect::<Vec<_>>()
            );
            for account in ACCOUNTS {
                if place.reader().ledgers(TENANTS[0], &[account]).await.unwrap().is_empty() {
                    gone.insert(account);
                    last.remove(account);
                }
            }
            // Every movement there was begins where the last one ended.
            for message in everything.told().await {
                let account = account_of(&message).to_owned();
                if let Some(before) = last.insert(account.clone(), message.clone())
                    && !gone.contains(account.as_str())
                {
                    prop_assert_eq!(before.bond_after, message.bond_before);
                    prop_assert_eq!(before.stage_after, message.stage_before);
                    prop_assert_eq!(before.exposed_after, message.exposed_before);
                }
                prop_assert!(!message.causes.is_empty());
                first.entry(account).or_insert(message);
            }
            for message in &told {
                let moved = (message.bond_after - message.bond_before).abs() >= threshold - 1e-9
                    || message.facets.iter().any(|facet| (facet.after - facet.before).abs() >= threshold - 1e-9)
                    || message.stage_before != message.stage_after
                    || message.exposed_before != message.exposed_after;
                prop_assert!(moved, "{:?}", message);
                let passes = |bond: f64| bond < 48.0;
                if *filter == "bond < 48" {
                    prop_assert!(passes(message.bond_before) || passes(message.bond_after), "{:?}", message);
                }
            }
        }
        // And the last one ended where the account stands, but for what is no movement.
        let mut assessments = BTreeMap::new();
        for account in ACCOUNTS {
            assessments.insert(account, place.assess(TENANTS[0], account, NOW).await);
        }
        let all: Vec<_> = ACCOUNTS.map(|account| (TENANTS[0].to_owned(), account.to_owned())).to_vec();
        place.applier().refresh(&all).await.unwrap();
        for message in everything.told().await {
            last.insert(account_of(&message).to_owned(), message);
        }
        for (account, message) in &last {
            let Some(Some(assessment)) = assessments.get(account.as_str()) else { continue };
            if !assessment.merged_into.is_empty() {
                continue;
            }
            let bond = assessment.bond.as_ref().unwrap().value;
            prop_assert!((bond - message.bond_after).abs() < 0.1001, "{}: {} {:?}", account, bond, message);
            prop_assert_eq!(assessment.stage, message.stage_after);
            prop_assert_eq!(assessment.exposed_party, message.exposed_after);
        }
        Ok(())
    });
}

fn told(account: &str, version: i64, source: impl Into<Source>) -> Told {
    let tenant = "one".to_owned();
    Told { tenant, account: account.to_owned(), version, recorded_at: version, source: source.into() }
}

/// What a customer says of the whole relationship, from 0 to 10.
fn survey(account: &str, id: u32, score: f64) -> Feedback {
    Feedback {
        name: format!("accounts/{account}/feedback/{id}"),
        kind: FeedbackKind::Nps.into(),
        score: Some(score),
        happen_time: Some(methods::from_micros(7)),
        ..Feedback::default()
    }
}

fn all_movements() -> WatchAssessmentsRequest {
    WatchAssessmentsRequest { threshold: Some(0.1), ..WatchAssessmentsRequest::default() }
}

#[tokio::test]
async fn a_change_says_what_it_comes_from() {
    let place = Place::sqlite().await;
    let service = place.service(roomy());
    let mut watcher = Cursor::begin(&service, "one", all_movements()).await;
    let merged = Account {
        name: "accounts/x".to_owned(),
        merged_into: "accounts/a".to_owned(),
        state: AccountState::Merged.into(),
        ..Account::default()
    };
    let withdrawn = Feedback { delete_time: Some(methods::from_micros(9)), ..survey("a", 1, 0.0) };
    let steps: [(Told, Cause, &str); 4] = [
        (told("a", 1, survey("a", 1, 10.0)), Cause::New, "accounts/a/feedback/1"),
        (told("a", 2, survey("a", 1, 0.0)), Cause::Corrected, "accounts/a/feedback/1"),
        (told("a", 3, withdrawn), Cause::Withdrawn, "accounts/a/feedback/1"),
        (told("x", 1, merged), Cause::New, "accounts/x"),
    ];
    place.apply(&[told("a", 1, Account { name: "accounts/a".to_owned(), ..Account::default() })]).await;
    for (told, cause, source) in steps {
        if cause == Cause::New && source == "accounts/x" {
            place.apply(&[super::watching::told("x", 1, survey("x", 2, 10.0))]).await;
            assert_eq!(account_of(&watcher.told().await[0]), "x");
        }
        place.apply(&[told]).await;
        let messages = watcher.told().await;
        let [message] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!((account_of(message), message.causes.clone()), ("a", vec![i32::from(cause)]));
        assert_eq!(message.sources, [source]);
        assert!(message.summary.last().unwrap().ends_with(&format!(": {source}.")), "{:?}", message.summary);
    }
}

#[tokio::test]
async fn what_is_too_small_to_tell_adds_up() {
    let place = Place::sqlite().await;
    place.apply(&[told("a", 1, survey("a", 1, 10.0))]).await;
    let service = place.service(roomy());
    let mut watcher = Cursor::begin(&service, "one", all_movements()).await;
    let before = place.assess("one", "a", NOW).await.unwrap().bond.unwrap().value;
    let (mut messages, mut steps) = (Vec::new(), 0);
    while messages.len() < 3 {
        steps += 1;
        place.clock.advance(HOUR * 6);
        place.applier().refresh(&[("one".to_owned(), "a".to_owned())]).await.unwrap();
        messages.extend(watcher.told().await);
    }
    assert!(steps > 10, "each step by itself is too small, but there were {steps} only");
    assert!(messages.iter().all(|message| message.causes == [i32::from(Cause::Time)]), "{messages:?}");
    let after = place.assess("one", "a", NOW).await.unwrap().bond.unwrap().value;
    assert!((messages[0].bond_before - before).abs() < 0.1);
    assert!((messages[2].bond_after - after).abs() < 1e-4, "{after} {messages:?}");
}

#[tokio::test]
async fn a_standing_from_before_there_was_a_log_is_told_of_from_then_on() {
    let place = Place::sqlite().await;
    place.apply(&[told("a", 1, survey("a", 1, 10.0))]).await;
    sqlx::query("update standings set last_movement = null").execute(&place.database.writer).await.unwrap();
    let service = place.service(roomy());
    let mut watcher = Cursor::begin(&service, "one", all_movements()).await;
    place.apply(&[told("a", 1, survey("a", 2, 10.0))]).await;
    assert_eq!(watcher.told().await, []);
    let before = place.assess("one", "a", NOW).await.unwrap().bond.unwrap().value;
    place.apply(&[told("a", 1, survey("a", 3, 0.0))]).await;
    assert!((watcher.told().await[0].bond_before - before).abs() < 1e-4);
}

/// Applies so many movements, each of an account of its own.
async fn shake(place: &Place, from: u32, count: u32) {
    for id in from..from + count {
        let account = format!("a{id}");
        place.apply(&[told(&account, 1, survey(&account, 1, 10.0))]).await;
    }
}

#[tokio::test]
async fn a_slow_watcher_is_cut_off_and_goes_on_where_it_was() {
    let place = Place::sqlite().await;
    let by_count = Limits { queue: 3, movements: 5, ..Limits::default() };
    let by_time = Limits { queue: 3, stall: HOUR, ..Limits::default() };
    for (round, limits) in [by_count, by_time].into_iter().enumerate() {
        let first = 10_000 * round as u32;
        let is_by_time = limits.stall == HOUR;
        let service = place.service(limits);
        let (watcher, mut slow) = service.begin_watch(tenant("one"), &all_movements()).await.unwrap();
        let watching = tokio::spawn(watcher.run(Shutdown::new()));
        let roomy = place.service(roomy());
        let mut steady = Cursor::begin(&roomy, "one", all_movements()).await;
        let start = steady.ask.position.clone();
        // Others go on all the while.
        shake(&place, first, 20).await;
        let mut count = 20;
        let seen = steady.told().await;
        assert_eq!(seen.len(), 20);

        // Nobody reads the slow one until it is cut off.
        let cut_off = async {
            while !watching.is_finished() {
                if is_by_time {
                    place.clock.advance(HOUR);
                } else {
                    shake(&place, first + count, 1).await;
                    count += 1;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, cut_off).await.unwrap();
        let (mut told, mut last) = (Vec::new(), None);
        while let Some(next) = slow.recv().await {
            match next {
                Ok(message) => told.push(message),
                Err(status) => last = Some(status),
            }
        }
        let status = last.unwrap();
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str()), (Code::Aborted, "ERROR_REASON_WATCHER_TOO_SLOW"));
        assert_eq!(info.metadata["position"], told.last().unwrap().position);
        assert!(told.len() < 10, "{}", told.len());

        let mut all: Vec<Message> = told.iter().filter(|message| message.assessment.is_some()).map(said).collect();
        let resumed = WatchAssessmentsRequest { position: info.metadata["position"].clone(), ..all_movements() };
        all.extend(Cursor::begin(&roomy, "one", resumed).await.told().await.iter().map(said));
        let from_start = WatchAssessmentsRequest { position: start, ..all_movements() };
        let without_cut = Cursor::begin(&roomy, "one", from_start).await.told().await;
        assert_eq!(without_cut.len() as u32, count);
        assert_eq!(all, without_cut.iter().map(said).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_place_that_the_log_does_not_continue_is_refused() {
    for place in [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten() {
        log::name(&place.database).await.unwrap();
        let service = place.service(roomy());
        let start = Cursor::begin(&service, "one", all_movements()).await.ask;
        shake(&place, 0, 4).await;
        let mut reader = Cursor::begin(&service, "one", start.clone()).await;
        let told = reader.told().await;
        let resume = async |position: &str| {
            let ask = WatchAssessmentsRequest { position: position.to_owned(), ..all_movements() };
            let begun = service.begin_watch(tenant("one"), &ask).await;
            begun.map(|_| ()).map_err(|fault| (fault.code(), fault.reason()))
        };
        let expired = Err((Code::OutOfRange, "ERROR_REASON_FEED_POSITION_EXPIRED"));

        place.clock.set(1_000);
        shake(&place, 4, 2).await;
        assert_eq!(log::forget_before(&place.database, 1_000).await.unwrap(), 4);
        assert_eq!(log::forget_before(&place.database, 1_000).await.unwrap(), 0);
        assert_eq!(resume(&start.position).await, expired);
        assert_eq!(resume(&told[2].position).await, expired);
        assert_eq!(resume(&told[3].position).await, Ok(()), "what follows it is still there");
        assert_eq!(resume("").await, Ok(()));
        // A watcher that is at work when it is overtaken.
        let told = reader.told().await;
        assert_eq!(told.len(), 2);
        shake(&place, 6, 1).await;
        log::forget_before(&place.database, i64::MAX).await.unwrap();
        shake(&place, 7, 1).await;
        let overtaken = reader.watcher.tell_page().await.map_err(|fault| (fault.code(), fault.reason()));
        assert_eq!(overtaken, expired.map(|()| false));

        // Another log may have come just as far.
        let position = Cursor::begin(&service, "one", all_movements()).await.ask.position;
        let end = log::end(&place.database).await.unwrap();
        let rewind = "update movement_log set position = 1";
        sqlx::query(rewind).execute(&place.database.writer).await.unwrap();
        assert_eq!(resume(&position).await, Err((Code::OutOfRange, "ERROR_REASON_FEED_POSITION_AHEAD")));
        sqlx::query("update movement_log set epoch = '', position = 1000")
            .execute(&place.database.writer)
            .await
            .unwrap();
        log::name(&place.database).await.unwrap();
        assert_ne!(log::end(&place.database).await.unwrap().epoch, end.epoch);
        assert_eq!(resume(&position).await, expired);
        place.close().await;
    }
}

#[tokio::test]
async fn a_movement_is_kept_with_the_standing_or_not_at_all() {
    let place = Place::sqlite().await;
    shake(&place, 0, 3).await;
    let end = log::end(&place.database).await.unwrap();
    assert_eq!((end.position, end.movement_count), (3, 3));
    sqlx::query("alter table followed rename to hidden").execute(&place.database.writer).await.unwrap();
    let heard = crate::apply::Heard {
        told: vec![told("a", 1, survey("a", 9, 0.0))],
        topics: vec![],
        through: vec![super::mark(0, 1)],
    };
    let failed = place.applier().apply(&[heard]).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert_eq!(log::end(&place.database).await.unwrap(), end);
    assert!(log::after(&place.database, Number::end_of_row(3), 10).await.unwrap().is_empty());
}
