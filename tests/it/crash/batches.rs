//! One import of many messages and what takes it back, while the suite is killed again and again.

use std::collections::BTreeSet;

use contracts::{
    common::v1::Money,
    orders::v1::{orders_service_client::OrdersServiceClient, *},
};
use tests::{
    ask_for, day,
    resources::{Clients, Kind, is_cut_off},
};
use tokio_stream::iter;
use tonic::Status;

use super::{
    ACCOUNTS, assert_ledgers_are_clean,
    chance::{Chance, rounds, seeded},
    create_accounts,
    judge::{feed, listed},
    process::Process,
};

const MESSAGES: usize = 60;
const ROWS_PER_MESSAGE: usize = 50;
/// How many seconds one attempt may take.
const PATIENCE: u64 = 60;

fn messages() -> Vec<ImportOrdersRequest> {
    let row = |index: usize| {
        let order = Order {
            name: format!("accounts/{}/orders/o{index}", ACCOUNTS[index % ACCOUNTS.len()]),
            place_time: day(-(index as f64 % 300.0)),
            total: Some(Money { currency_code: "EUR".to_owned(), units: 1 + index as i64 % 70, nanos: 0 }),
            ..Order::default()
        };
        OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
    };
    let message = |at: usize| ImportOrdersRequest {
        rows: (at * ROWS_PER_MESSAGE..(at + 1) * ROWS_PER_MESSAGE).map(row).collect(),
        batch_id: "b".to_owned(),
    };
    (0..MESSAGES).map(message).collect()
}

/// Imports until it is through, or for so many answers; answers with how many rows landed, and whether it is through.
async fn import(process: &Process, most: usize) -> Result<(i64, bool), Status> {
    let mut orders = OrdersServiceClient::new(process.peer());
    let mut answers = orders.import_orders(ask_for(PATIENCE, iter(messages()))).await?.into_inner();
    let (mut landed, mut count) = (0, 0);
    while count < most {
        match answers.message().await? {
            Some(answer) => landed += answer.landed_count,
            None => return Ok((landed, true)),
        }
        count += 1;
    }
    Ok((landed, false))
}

/// The same for what takes it back.
async fn undo(process: &Process, most: usize) -> Result<(i64, bool), Status> {
    let mut orders = OrdersServiceClient::new(process.peer());
    let request = UndoOrdersImportRequest { batch_id: "b".to_owned() };
    let mut answers = orders.undo_orders_import(ask_for(PATIENCE, request)).await?.into_inner();
    let (mut deleted, mut count) = (0, 0);
    while count < most {
        match answers.message().await? {
            Some(answer) => {
                assert_eq!(answer.refusals, []);
                deleted += answer.deleted_count;
            }
            None => return Ok((deleted, true)),
        }
        count += 1;
    }
    Ok((deleted, false))
}

/// Repeats something that is killed in its middle, and then until it is through. Answers with how often it was cut off.
async fn repeat(
    process: &mut Process,
    chance: &mut Chance,
    most: u64,
    attempt: impl AsyncFn(&Process, usize) -> Result<(i64, bool), Status>,
) -> usize {
    let mut cut_off = 0;
    for _ in 0..rounds() {
        let most = chance.below(most) as usize;
        match attempt(process, most).await {
            Ok((_, is_through)) => cut_off += usize::from(!is_through),
            Err(status) => assert!(is_cut_off(&status), "refused: {status:?}"),
        }
        process.kill();
        process.start();
        super::until_answered(async || listing(process).await).await;
    }
    while !super::until_answered(async || attempt(process, usize::MAX).await).await.1 {}
    cut_off
}

/// Asks for a page, to see whether anybody is there.
async fn listing(process: &Process) -> Result<(), Status> {
    let clients = Clients::new(process.peer());
    clients.list(Kind::Order, String::new()).await.map(drop)
}

#[tokio::test]
async fn an_import_and_its_undoing_survive_kill_9() {
    let mut chance = seeded();
    let mut process = Process::new();
    process.start();
    let written = create_accounts(&process.peer()).await;
    let clients = Clients::new(process.peer());

    let cut_off = repeat(&mut process, &mut chance, MESSAGES as u64, import).await;
    assert!(cut_off > 0, "nobody was disturbed");
    let (rows, freshness) = listed(&clients, Kind::Order).await;
    assert!(rows.iter().all(|row| row.version() == 1 && !row.is_deleted()), "a row landed twice");
    assert_eq!(rows.len(), MESSAGES * ROWS_PER_MESSAGE);
    assert_ledgers_are_clean(&process.peer(), &[written.clone(), freshness.into_iter().collect()].concat()).await;

    repeat(&mut process, &mut chance, 5, undo).await;
    let (rows, freshness) = listed(&clients, Kind::Order).await;
    assert!(rows.iter().all(|row| row.version() == 2 && row.is_deleted()), "a row was taken back twice");
    assert_eq!(rows.len(), MESSAGES * ROWS_PER_MESSAGE);
    assert_ledgers_are_clean(&process.peer(), &[written, freshness.into_iter().collect()].concat()).await;
    let told = feed(&clients, Kind::Order).await;
    let told: BTreeSet<(&str, i64)> = told.iter().map(|change| (change.row.name(), change.row.version())).collect();
    assert_eq!(told.len(), 2 * rows.len());
    process.assert_nothing_went_wrong();
}
