//! Importing orders, durable and validated, against a raw rusqlite loop that writes the same rows and change rows; and how
//! far behind the aggregator is when the import ends.

use std::time::Instant;

use contracts::{
    assessments::v1::GetPortfolioRequest,
    common::v1::{FreshnessToken, Money},
    orders::v1::{ImportOrdersRequest, Order, OrdersRow, orders_row},
};
use prost::Message as _;
use rusqlite::{Connection, params};
use tests::{START, Suite, ask_for, day};
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;

use crate::{accounts, rate, report, rounds};

const ORDERS: usize = 50_000;
const BATCH: usize = 1_000;

/// The id of the account with this number.
pub(crate) fn account(number: usize) -> String {
    format!("a{number}")
}

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let mut pairs = Vec::new();
        let mut followed = Vec::new();
        for _ in 0..rounds() {
            let suite = Suite::start().await;
            let start = Instant::now();
            let tokens = send(&suite, orders(0, ORDERS)).await;
            let imported = start.elapsed().as_secs_f64();
            wait(&suite, tokens).await;
            let both = start.elapsed().as_secs_f64();
            drop(suite);
            let raw = tokio::task::spawn_blocking(|| rate(ORDERS, || raw_loop(orders(0, ORDERS)))).await.unwrap();
            pairs.push((ORDERS as f64 / imported, raw));
            followed.push((ORDERS as f64 / both, ORDERS as f64 / imported));
        }
        report("import of orders against a raw rusqlite loop", "rows/s", &pairs, ">= 0.5");
        report("  imported and followed against imported", "rows/s", &followed, "-");
    });
}

/// Imports so many orders for each account, and waits until all are followed.
pub(crate) async fn fill(suite: &Suite, accounts: usize, orders_each: usize) {
    let start = Instant::now();
    let tokens = send(suite, orders(0, accounts * orders_each)).await;
    let imported = start.elapsed();
    wait(suite, tokens).await;
    println!(
        "filled with {} orders in {:.1} s; the aggregator had all of them {:.1} s later",
        accounts * orders_each,
        imported.as_secs_f64(),
        (start.elapsed() - imported).as_secs_f64()
    );
}

/// Imports an account with so many orders, a quarter of an hour apart.
pub(crate) async fn history(suite: &Suite, account: &str, length: usize) {
    let orders = (0..length).map(|number| order(account, number, day(-(number as f64) / 96.0)));
    let tokens = send(suite, orders.collect()).await;
    wait(suite, tokens).await;
}

fn orders(first: usize, count: usize) -> Vec<Order> {
    (first..first + count)
        .map(|number| order(&account(number % accounts()), number, day(-365.0 + 364.0 * number as f64 / count as f64)))
        .collect()
}

fn order(account: &str, number: usize, place_time: Option<prost_types::Timestamp>) -> Order {
    Order {
        name: format!("accounts/{account}/orders/o{number:09}"),
        place_time,
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100 + number as i64 % 900, nanos: 500_000_000 }),
        ..Order::default()
    }
}

async fn send(suite: &Suite, orders: Vec<Order>) -> Vec<FreshnessToken> {
    let batches: Vec<ImportOrdersRequest> = orders
        .chunks(BATCH)
        .map(|batch| ImportOrdersRequest {
            rows: batch
                .iter()
                .map(|order| OrdersRow { resource: Some(orders_row::Resource::Order(order.clone())) })
                .collect(),
            ..Default::default()
        })
        .collect();
    let request = ask_for(600, tokio_stream::iter(batches));
    let mut answers = suite.orders().import_orders(request).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.next().await {
        let answer = answer.unwrap();
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals.first());
        tokens.extend(answer.freshness);
    }
    tokens
}

async fn wait(suite: &Suite, tokens: Vec<FreshnessToken>) {
    // Tokens of later batches cover the earlier ones of their partitions; the last few cover them all but for luck.
    for tokens in tokens.chunks(20) {
        let request = GetPortfolioRequest { at_least_as_fresh: tokens.to_vec() };
        suite.assessments().get_portfolio(ask_for(600, request)).await.unwrap();
    }
}

/// The same rows and one change row for each, in transactions of a thousand, by prepared statements.
fn raw_loop(orders: Vec<Order>) {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(folder.path().join("raw.db")).unwrap();
    connection
        .execute_batch(
            "pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = full;
             create table orders (tenant text not null, account text not null, id text not null, version bigint not null,
                 state text not null, label text not null, happened_at bigint not null, created_at bigint not null,
                 recorded_at bigint not null, deleted_at bigint, document bytea not null,
                 primary key (tenant, account, id));
             create table changes (feed_partition bigint not null, position bigint not null, recorded_at bigint not null,
                 document bytea not null, primary key (feed_partition, position));",
        )
        .unwrap();
    let mut positions = [0_i64; 64];
    for batch in orders.chunks(BATCH) {
        let transaction = connection.transaction().unwrap();
        {
            let mut row = transaction
                .prepare_cached("insert into orders values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
                .unwrap();
            let mut change = transaction.prepare_cached("insert into changes values (?1, ?2, ?3, ?4)").unwrap();
            for order in batch {
                let parts: Vec<&str> = order.name.split('/').collect();
                let document = order.encode_to_vec();
                let partition = store::partition("test", parts[1]) as usize;
                positions[partition] += 1;
                row.execute(params![
                    "test",
                    parts[1],
                    parts[3],
                    1,
                    "ORDER_STATE_PLACED",
                    "",
                    START,
                    START,
                    START,
                    Option::<i64>::None,
                    document
                ])
                .unwrap();
                change.execute(params![partition as i64, positions[partition], START, document]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
}
