//! Single rules of taking in and answering.

use std::sync::Arc;
use std::time::Duration;

use contracts::accounts::v1::{Account, AccountState};
use contracts::common::v1::Money;
use contracts::orders::v1::Order;
use methods::token;
use runtime::Shutdown;
use store::{Held, Mark};
use tokio::sync::{Semaphore, mpsc};

use super::{NOW, Place, mark};
use crate::apply::Heard;
use crate::evidence::Source;
use crate::follow::{Message, apply_all};
use crate::progress::Progress;
use crate::told::Told;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn told(tenant: &str, account: &str, version: i64, source: impl Into<Source>) -> Told {
    Told {
        tenant: tenant.to_owned(),
        account: account.to_owned(),
        version,
        recorded_at: version,
        source: source.into(),
    }
}

pub(super) fn order(account: &str, id: u8) -> Order {
    Order {
        name: format!("accounts/{account}/orders/{id}"),
        place_time: Some(methods::from_micros(7)),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 5, nanos: 0 }),
        ..Order::default()
    }
}

pub(super) fn merged(account: &str, into: &str) -> Account {
    Account {
        name: format!("accounts/{account}"),
        merged_into: format!("accounts/{into}"),
        state: AccountState::Merged.into(),
        ..Account::default()
    }
}

#[tokio::test]
async fn a_merge_in_one_tenant_moves_nothing_in_another() {
    let place = Place::sqlite().await;
    place.apply(&[told("one", "x", 1, merged("x", "a")), told("two", "x", 1, merged("x", "a"))]).await;
    let merge = told("one", "a", 1, merged("a", "b"));
    place.apply(&[told("two", "x", 1, order("x", 1)), merge, told("two", "x", 1, order("x", 2))]).await;
    let kept = place.kept().await;
    place.check(&kept).await;
    assert_eq!(place.assess("two", "x", NOW).await.unwrap().merged_into, "accounts/a");
    assert_eq!(place.assess("one", "x", NOW).await, None, "nothing stands of it");
}

#[tokio::test]
async fn merges_that_lead_in_a_circle_leave_the_account_that_answers() {
    let place = Place::sqlite().await;
    place.apply(&[told("one", "a", 1, order("a", 1)), told("one", "a", 1, merged("a", "b"))]).await;
    place.apply(&[told("one", "b", 1, merged("b", "a"))]).await;
    assert_eq!(place.assess("one", "b", NOW).await.unwrap().activity.unwrap().order_count, 1);
}

#[tokio::test]
async fn outdated_ledgers_are_made_again_as_the_service_starts() {
    let mut place = Place::sqlite().await;
    place.restart().await;
    place.apply(&[told("one", "a", 1, order("a", 1))]).await;
    let before = place.kept().await;
    // As after a process that ended while it made the ledgers again.
    for text in ["update settings set value = 'otherwise'", "update ledgers set document = x'00', currency = ''"] {
        sqlx::query(text).execute(&place.database.writer).await.unwrap();
    }
    let found = place.assess("one", "a", NOW).await.unwrap();
    assert_eq!(found.activity.unwrap().order_count, 1, "what is not understood is folded anew");
    place.restart().await;
    assert_eq!(place.kept().await, before);
    // As another version of this program may leave it while this one follows the account.
    sqlx::query("update ledgers set document = x'00'").execute(&place.database.writer).await.unwrap();
    place.apply(&[told("one", "a", 1, order("a", 2))]).await;
    let kept = place.kept().await;
    place.check(&kept).await;
    assert_eq!(kept.sources.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_applied_is_tried_again_and_nothing_is_passed_over() {
    let place = Place::sqlite().await;
    let (sender, messages) = mpsc::channel(8);
    let shutdown = Shutdown::new();
    let applying = tokio::spawn(apply_all(place.applier(), place.instruments(), messages, shutdown.clone()));
    let held = Arc::new(place.leases.held());
    sqlx::query("alter table sources rename to hidden").execute(&place.database.writer).await.unwrap();
    for id in 1..=5_u8 {
        let heard = Heard {
            told: vec![told("one", "a", 1, order("a", id))],
            topics: vec![],
            through: vec![mark(0, id.into())],
        };
        sender.send(message(heard, &held)).await.unwrap();
    }
    let all = [token(vec![mark(0, 5)])];
    assert!(tokio::time::timeout(Duration::from_millis(200), place.progress.wait(&all)).await.is_err());
    assert_eq!(place.reader().followed().await.unwrap(), []);

    sqlx::query("alter table hidden rename to sources").execute(&place.database.writer).await.unwrap();
    tokio::time::timeout(PATIENCE, place.progress.wait(&all)).await.unwrap().unwrap();
    assert_eq!(place.assess("one", "a", NOW).await.unwrap().activity.unwrap().order_count, 5);
    assert_eq!(place.reader().followed().await.unwrap(), [mark(0, 5)]);
    shutdown.begin();
    applying.await.unwrap();
}

#[tokio::test]
async fn a_feed_that_was_lost_is_forgotten_between_what_came_before_and_after() {
    let place = Place::sqlite().await;
    let (sender, messages) = mpsc::channel(8);
    let heard = |id: u8, position| Heard {
        told: vec![told("one", "a", 1, order("a", id))],
        topics: vec![],
        through: vec![mark(0, position)],
    };
    let orders = 1;
    let before = Arc::new(place.leases.held());
    let mut leases = place.leases.subscribe();
    let applying = tokio::spawn(apply_all(place.applier(), place.instruments(), messages, Shutdown::new()));
    // What was heard of the old feed, and comes after it was found out, counts no more.
    for message in
        [message(heard(1, 9), &before), Message::Lost(orders, before.clone()), message(heard(3, 10), &before)]
    {
        sender.send(message).await.ok().unwrap();
    }
    leases.changed().await.unwrap();
    let after = Arc::new(place.leases.held());
    assert!(after.is_all() && !after.agrees(&before, 0));
    sender.send(message(heard(2, 1), &after)).await.ok().unwrap();
    drop(sender);
    applying.await.unwrap();
    assert_eq!(place.kept().await.sources.len(), 1);
    assert_eq!(place.reader().followed().await.unwrap(), [mark(0, 1)]);
    place.check(&place.kept().await).await;
}

#[tokio::test]
async fn a_stored_position_counts_once_the_feed_was_joined() {
    let progress = Progress::new(&[mark(3, 5)]);
    let waits = async |tokens: Vec<Mark>| {
        let tokens = [token(tokens)];
        tokio::time::timeout(Duration::from_millis(50), progress.wait(&tokens)).await.is_err()
    };
    assert!(waits(vec![mark(3, 5)]).await, "the feed may be another by now");
    assert!(!waits(vec![mark(3, 0)]).await);
    assert_eq!(progress.beyond(&[mark(3, 5), mark(3, 6), mark(4, 1), mark(5, 0)]), [mark(3, 6), mark(4, 1)]);
    progress.reached(&[mark(3, 5)]);
    assert!(!waits(vec![mark(3, 5), mark(3, 2)]).await);
    assert!(waits(vec![mark(3, 6)]).await);
    progress.forget(1);
    assert!(waits(vec![mark(3, 5)]).await);
}

/// What a follower sends.
fn message(heard: Heard, held: &Arc<Held>) -> Message {
    Message::Heard(heard, held.clone(), Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap())
}
