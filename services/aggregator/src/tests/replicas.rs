//! Several processes over one database: each account is followed by one, and all say the same of it. On PostgreSQL only,
//! since a SQLite file is for one process.

use std::{sync::Arc, time::Duration};

use contracts::accounts::v1::Account;
use contracts::assessments::v1::{StatedView, WatchAssessmentsRequest};
use methods::{from_micros, token};
use store::{Error, Held, Mark, PARTITIONS, leases::DEAD_AFTER, partition};

use super::rules::{merged, order, told};
use super::watching::{roomy, tenant};
use super::*;
use crate::{documents::Documents, progress::FEEDS, told::Told};

const DAY: i64 = 86_400_000_000;
const PATIENCE: Duration = Duration::from_secs(20);

impl Place {
    /// Another process over the same database.
    async fn another(&self) -> Self {
        let place = Self::open(self.scratch.shared()).await;
        place.clock.set(self.clock.now());
        place
    }

    /// Lets it beat so long after it began.
    async fn beat(&self, seconds: u64) {
        self.leases.beat_at(Duration::from_secs(seconds)).await.unwrap();
    }

    async fn applied(&self, applier: &Applier, told: Told, position: i64) -> Result<(), Error> {
        let partition = partition(&told.tenant, &told.account);
        let through = vec![Mark { feed: feed_of(&told).to_owned(), partition, position }];
        applier.apply(&[Heard { told: vec![told], topics: vec![], through }]).await
    }

    async fn orders_of(&self, account: &str) -> Option<i64> {
        let assessment = self.assess("one", account, NOW).await?;
        Some(assessment.activity.map_or(0, |activity| activity.order_count))
    }
}

fn feed_of(told: &Told) -> &'static str {
    if told.source.kind() == "order" { FEEDS[1] } else { FEEDS[0] }
}

/// Two processes that share out the partitions.
async fn two() -> Option<(Place, Place)> {
    let first = Place::postgres().await?;
    first.clock.set(10 * DAY);
    let second = first.another().await;
    for seconds in 1..4 {
        first.beat(seconds).await;
        second.beat(seconds).await;
    }
    assert_eq!((first.leases.held().len(), second.leases.held().len()), (32, 32));
    Some((first, second))
}

/// An account of a partition that is held.
fn account_in(held: &Held) -> String {
    let names = (0..).map(|number| format!("a{number}"));
    names.into_iter().find(|name| held.generation(partition("one", name)).is_some()).unwrap()
}

#[tokio::test]
async fn what_one_process_writes_the_others_find_and_no_token_lies() {
    let Some((first, second)) = two().await else { return };
    let (writer, others) = (first.applier(), second.others());
    let account = account_in(&first.leases.held());
    others.look().await.unwrap();
    for position in 1..=5_u8 {
        first.applied(&writer, told("one", &account, 1, order(&account, position)), position.into()).await.unwrap();
        // It may say what it knew, but not that it knows more.
        let mark = Mark { feed: "orders".to_owned(), partition: partition("one", &account), position: position.into() };
        let fresh = [token(vec![mark])];
        let waited = tokio::time::timeout(Duration::from_millis(20), second.progress.wait(&fresh));
        assert!(waited.await.is_err());
        others.look().await.unwrap();
        second.progress.wait(&fresh).await.unwrap();
        assert_eq!(second.orders_of(&account).await, Some(position.into()));
        // Twice, so that it is answered from memory.
        assert_eq!(second.orders_of(&account).await, Some(position.into()));
        // A list is as fresh.
        let bonds = listed(&second).await;
        assert_eq!(bonds, listed(&first).await);
        assert_eq!(bonds.len(), 1);
    }
    assert!(second.ledgers.reads().0 > 0, "the second looked into its memory");
    second.database.close().await;
    first.close().await;
}

/// The accounts that a list names with the time at which each was assessed.
async fn listed(place: &Place) -> Vec<(String, i64)> {
    let (comparisons, order) = (crate::filter::parse("bond > 1").unwrap(), crate::filter::parse_order("bond").unwrap());
    let page = place.standings.page(&place.reader(), "one", &comparisons, &order, None, 10).await.unwrap();
    page.into_iter().map(|standing| (standing.place.account, standing.assessed_at)).collect()
}

#[tokio::test]
async fn one_that_was_taken_for_dead_cannot_write() {
    let Some((first, second)) = two().await else { return };
    let account = account_in(&second.leases.held());
    let writer = second.applier();
    second.applied(&writer, told("one", &account, 1, order(&account, 1)), 1).await.unwrap();
    // The second hangs; the first takes over what it had, and hears the same and more.
    for seconds in 4..4 + 2 * DEAD_AFTER.as_secs() {
        first.beat(seconds).await;
    }
    assert!(first.leases.held().is_all());
    first.applier().prepare().await.unwrap();
    for position in 1..=2_u8 {
        let heard = told("one", &account, 1, order(&account, position));
        first.applied(&first.applier(), heard, position.into()).await.unwrap();
    }
    let before = first.kept().await;
    let late = second.applied(&writer, told("one", &account, 1, order(&account, 3)), 3).await;
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    let late = second.refresher(&runtime::Shutdown::new()).renew().await;
    assert!(late.is_ok(), "nothing is too old: {late:?}");
    second.clock.set(20 * DAY);
    let late = second.refresher(&runtime::Shutdown::new()).renew().await;
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    assert_eq!(first.kept().await, before);
    // It finds out, and says what the first knows.
    second.beat(20).await;
    assert!(second.leases.held().is_empty());
    second.others().look().await.unwrap();
    assert_eq!(second.orders_of(&account).await, Some(2));
    second.database.close().await;
    first.close().await;
}

#[tokio::test]
async fn merges_and_referrals_across_partitions_wait_for_each_other() {
    let Some((first, second)) = two().await else { return };
    let (one, other) = (account_in(&first.leases.held()), account_in(&second.leases.held()));
    let (on_first, on_second) = (Arc::new(first.applier()), Arc::new(second.applier()));
    // One is merged into the other, which the first process hears, while both go on ordering.
    let mut tasks = Vec::new();
    for (applier, account) in [(on_first, one.clone()), (on_second, other.clone())] {
        let (one, other) = (one.clone(), other.clone());
        tasks.push(tokio::spawn(async move {
            for number in 1..=20_u8 {
                let mut heard = vec![told("one", &account, 1, order(&account, number))];
                if number == 10 && account == one {
                    heard.push(told("one", &one, 2, merged(&one, &other)));
                }
                if number == 15 && account == other {
                    let referred = Account {
                        name: format!("accounts/{other}"),
                        referred_by: format!("accounts/{one}"),
                        ..Account::default()
                    };
                    heard.push(told("one", &other, 2, referred));
                }
                applier.apply(&[Heard { told: heard, topics: vec![], through: vec![] }]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.expect("nobody waits for ever").unwrap();
    }
    for place in [&first, &second] {
        place.others().look().await.unwrap();
        assert_eq!(place.orders_of(&other).await, Some(40), "all orders of both");
        assert_eq!(place.orders_of(&one).await, Some(40), "whoever is asked for");
    }
    let kept = first.kept().await;
    first.check(&kept).await;
    second.database.close().await;
    first.close().await;
}

#[tokio::test]
async fn a_process_that_was_left_behind_lets_go_of_everything() {
    let Some((first, second)) = two().await else { return };
    let (writer, account) = (first.applier(), account_in(&first.leases.held()));
    let write = async |number: i64| {
        let heard = told("one", &account, number, order(&account, 1));
        first.applied(&writer, heard, number).await.unwrap();
    };
    write(1).await;
    let others = second.others();
    others.look().await.unwrap();
    assert_eq!(second.orders_of(&account).await, Some(1));
    assert_eq!(listed(&second).await.len(), 1);
    for number in 2..700 {
        write(number).await;
    }
    first.clock.set(11 * DAY);
    write(700).await;
    let rows = first.rows("select count(*) from touched").await;
    let count: i64 = sqlx::Row::get(&rows[0], 0);
    assert!((512..700).contains(&count), "{count} rows are kept for others");
    others.look().await.unwrap();
    assert_eq!(listed(&second).await, [(account.clone(), 11 * DAY)]);
    second.database.close().await;
    first.close().await;
}

#[tokio::test]
async fn a_feed_that_was_lost_is_taken_from_everybody() {
    let Some((first, second)) = two().await else { return };
    for place in [&first, &second] {
        let account = account_in(&place.leases.held());
        place.applied(&place.applier(), told("one", &account, 1, order(&account, 1)), 7).await.unwrap();
    }
    let held = [first.leases.held(), second.leases.held()];
    first.applier().forget_feed(1, &held[0]).await.unwrap();
    assert_eq!(first.kept().await.sources.len(), 0);
    assert_eq!(first.reader().followed().await.unwrap(), []);
    // The second finds out too, but does not forget again what is heard again by then.
    first.beat(5).await;
    let account = account_in(&held[0]);
    first.applied(&first.applier(), told("one", &account, 1, order(&account, 1)), 1).await.unwrap();
    let _ = second.applier().forget_feed(1, &held[1]).await;
    assert_eq!(first.kept().await.sources.len(), 1);
    for seconds in 6..9 {
        first.beat(seconds).await;
        second.beat(seconds).await;
    }
    assert_eq!(first.leases.held().len() + second.leases.held().len(), PARTITIONS as usize);
    let account = account_in(&second.leases.held());
    second.applier().prepare().await.unwrap();
    second.applied(&second.applier(), told("one", &account, 1, order(&account, 1)), 1).await.unwrap();
    assert_eq!(second.orders_of(&account).await, Some(1));
    let kept = first.kept().await;
    first.check(&kept).await;
    second.database.close().await;
    first.close().await;
}

#[tokio::test]
async fn whoever_watches_one_process_is_told_what_another_applies() {
    let Some((first, second)) = two().await else { return };
    let (writer, account) = (first.applier(), account_in(&first.leases.held()));
    let write = async |number: u8| {
        let heard = told("one", &account, 1, order(&account, number));
        first.applied(&writer, heard, number.into()).await.unwrap();
    };
    write(1).await;
    assert_eq!(second.orders_of(&account).await, Some(1), "the second has it at hand");
    let watch = async |place: &Place, position: &str| {
        let ask = WatchAssessmentsRequest { position: position.to_owned(), threshold: Some(0.1), ..Default::default() };
        let (watcher, mut queue) = place.service(roomy()).begin_watch(tenant("one"), &ask).await.unwrap();
        let first = queue.recv().await.unwrap().unwrap();
        assert!(first.assessment.is_none(), "it is told where it stands");
        (watcher, queue)
    };
    let (mut watcher, mut queue) = watch(&second, "").await;
    let mut position = String::new();
    for number in 2..=4 {
        write(number).await;
        while watcher.tell_page().await.unwrap() {}
        let told = queue.recv().await.unwrap().unwrap();
        let activity = told.assessment.unwrap().activity.unwrap();
        assert_eq!(activity.order_count, i64::from(number), "what is told includes what moved it");
        position = told.position;
    }
    write(5).await;
    // The process goes away, and the watch goes on with the other one.
    let (mut watcher, mut queue) = watch(&first, &position).await;
    while watcher.tell_page().await.unwrap() {}
    assert_eq!(queue.recv().await.unwrap().unwrap().assessment.unwrap().activity.unwrap().order_count, 5);
    assert!(queue.try_recv().is_err(), "once");
    second.database.close().await;
    first.close().await;
}

#[tokio::test]
async fn documents_of_one_process_are_known_to_the_others() {
    let Some((first, second)) = two().await else { return };
    let from = second.methods.store().positions().await.unwrap();
    let mut documents = Documents::new(&second.gallery(), second.methods.clone(), from);
    let view = |id: &str| StatedView {
        name: format!("accounts/a/statedViews/{id}"),
        author: id.to_owned(),
        expire_time: Some(from_micros(90 * DAY)),
        ..StatedView::default()
    };
    for id in ["ann", "bob"] {
        first.state("a", id, id).await;
    }
    assert!(second.views.of("one", "a", true).is_empty());
    documents.look().await.unwrap();
    let authors: Vec<String> = second.views.of("one", "a", true).into_iter().map(|view| view.author).collect();
    assert_eq!(authors.len(), 2, "{authors:?}");
    let gone = std::collections::BTreeSet::from([("one".to_owned(), "a".to_owned())]);
    stated_views::erase(&first.methods, &first.views, &gone).await.unwrap();
    documents.look().await.unwrap();
    assert!(second.views.of("one", "a", true).is_empty());
    second.views.hold("one", "a", view("cid"));
    assert!(second.views.of("one", "a", true).is_empty(), "it was erased");
    second.database.close().await;
    first.close().await;
}
