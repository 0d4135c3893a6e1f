//! Imports and undoings that break off, and are repeated until they are through.

use std::collections::BTreeMap;

use contracts::{
    common::v1::{FeedStart, Money},
    orders::v1::*,
};
use rapport::import::Kind;
use tests::{ask, day};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Story;
use crate::feed::{all_answers, next_changes, watched};

watched!(WatchOrdersResponse of OrdersChange);

const ROWS: usize = 1_300;
const ROWS_PER_MESSAGE: usize = 50;

/// Orders of many accounts.
fn rows(count: usize, units: i64) -> Vec<OrdersRow> {
    let row = |index: usize| {
        let total = Money { currency_code: "EUR".to_owned(), units: units + index as i64 % 90, nanos: 0 };
        let order = Order {
            name: format!("accounts/a{}/orders/o{index}", index % 37),
            place_time: day(-(index as f64 % 200.0)),
            total: Some(total),
            ..Order::default()
        };
        OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
    };
    (0..count).map(row).collect()
}

fn messages(rows: Vec<OrdersRow>, batch_id: &str) -> Vec<ImportOrdersRequest> {
    let chunks = rows.chunks(ROWS_PER_MESSAGE);
    chunks.map(|rows| ImportOrdersRequest { rows: rows.to_vec(), batch_id: batch_id.to_owned() }).collect()
}

/// A story in which a part of the orders that are to be imported stands already, in other words.
async fn begin() -> Story {
    let mut story = Story::begin().await;
    let accounts = (0..37).map(|index| {
        format!("{{\"name\":\"accounts/a{index}\",\"display_name\":\"A\",\"currency_code\":\"EUR\",\"open_time\":\"2025-01-01T00:00:00Z\"}}\n")
    });
    story.import(Kind::Accounts, &accounts.collect::<String>(), "").await;
    import(&mut story, messages(rows(ROWS / 3, 500), "")).await;
    story
}

/// Imports all of it; answers with how many rows landed and how many said nothing new.
async fn import(story: &mut Story, messages: Vec<ImportOrdersRequest>) -> (i64, i64) {
    let stream = story.suite.orders().import_orders(ask(tokio_stream::iter(messages))).await;
    let mut counts = (0, 0);
    for answer in all_answers(stream).await.unwrap() {
        assert_eq!(answer.refusals, []);
        counts = (counts.0 + answer.landed_count, counts.1 + answer.unchanged_count);
        story.note(answer.freshness);
    }
    counts
}

/// Imports some of it: the client is gone after so many answers.
async fn import_in_part(story: &mut Story, messages: &[ImportOrdersRequest], answers: usize) {
    let (sender, receiver) = mpsc::channel(2);
    let mut orders = story.suite.orders();
    let messages = messages.to_vec();
    let sending = tokio::spawn(async move {
        for message in messages {
            if sender.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut stream = orders.import_orders(ask(ReceiverStream::new(receiver))).await.unwrap().into_inner();
    for _ in 0..answers {
        let answer = stream.message().await.unwrap().unwrap();
        story.note(answer.freshness);
    }
    drop(stream);
    sending.abort();
}

/// What the feed tells of each resource, version by version.
async fn history(story: &Story) -> BTreeMap<(String, i64), String> {
    let count: i64 =
        story.resources().await.iter().filter(|(name, _)| name.contains("/orders/")).map(|(_, row)| row.version).sum();
    let beginning = WatchOrdersRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut feed = story.suite.orders().watch_orders(ask(beginning)).await.unwrap().into_inner();
    let (changes, _) = next_changes(&mut feed, count as usize).await;
    let orders = changes.into_iter().map(|change| match change.resource.unwrap() {
        orders_change::Resource::Order(order) => ((order.name.clone(), order.version), format!("{order:?}")),
    });
    let history: BTreeMap<_, _> = orders.collect();
    assert_eq!(history.len() as i64, count, "a version is told twice");
    history
}

#[tokio::test]
async fn an_import_that_breaks_off_and_is_repeated_ends_in_the_same_state() {
    let all = messages(rows(ROWS, 10), "b");
    let mut at_once = begin().await;
    let before = at_once.resources().await;
    assert_eq!(import(&mut at_once, all.clone()).await, (ROWS as i64, 0));

    let mut in_parts = begin().await;
    let untouched = in_parts.assessments().await;
    for answers in [1, 9, 4] {
        import_in_part(&mut in_parts, &all, answers).await;
    }
    let (landed, unchanged) = import(&mut in_parts, all.clone()).await;
    assert!(unchanged >= 9 * ROWS_PER_MESSAGE as i64 && landed + unchanged == ROWS as i64, "{landed} {unchanged}");
    assert_eq!(import(&mut in_parts, all).await, (0, ROWS as i64));

    assert_eq!(in_parts.resources().await, at_once.resources().await);
    assert_eq!(history(&in_parts).await, history(&at_once).await);
    let assessed = in_parts.assessments().await;
    assert_eq!(assessed, at_once.assessments().await);
    assert_ne!(assessed, untouched);

    // What landed in all its parts is one batch; and the undoing may break off too.
    let undo = UndoOrdersImportRequest { batch_id: "b".to_owned() };
    for _ in 0..2 {
        let mut answers = in_parts.suite.orders().undo_orders_import(ask(undo.clone())).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        assert!(answer.deleted_count + answer.restored_count > 0 && answer.refusals.is_empty(), "{answer:?}");
        in_parts.note(answer.freshness);
    }
    assert_eq!(in_parts.undo_kind(Kind::Orders, "b").await.kept, 0);
    let after = in_parts.resources().await;
    for (name, row) in after.iter().filter(|(name, _)| name.contains("/orders/")) {
        match before.get(name) {
            Some(before) => assert_eq!((row.version, row.deleted, &row.says), (3, false, &before.says), "{name}"),
            None => assert_eq!((row.version, row.deleted), (2, true), "{name}"),
        }
    }
    assert_eq!(in_parts.assessments().await, untouched);
    in_parts.assert_ledgers_are_clean().await;
}
