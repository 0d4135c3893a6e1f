//! Importing orders, durable and validated, against a raw rusqlite loop that writes the same rows and change rows: by the
//! orders service alone, and by the whole suite, whose aggregator follows on the same cores.

use std::time::Instant;

use contracts::{common::v1::FreshnessToken, orders::v1::Order};
use prost::Message as _;
use rusqlite::{Connection, params};
pub(crate) use tests::bulk::{account, order};
use tests::{START, Suite, bulk, bulk::BATCH, day};
use tokio::runtime::Runtime;

use crate::{accounts, cpu_seconds, rate, report, rounds};

pub(crate) const ORDERS: usize = 50_000;

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let (mut alone, mut cpu, mut together, mut followed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let suite = Suite::start_orders().await;
            let cpu_before = cpu_seconds();
            let start = Instant::now();
            send(&suite, orders(0, ORDERS)).await;
            let ours = ORDERS as f64 / start.elapsed().as_secs_f64();
            let our_cpu = cpu_seconds() - cpu_before;
            drop(suite);

            let cpu_before = cpu_seconds();
            let raw = tokio::task::spawn_blocking(|| rate(ORDERS, || raw_loop(orders(0, ORDERS)))).await.unwrap();
            let micros = 1e6 / ORDERS as f64;
            cpu.push((our_cpu * micros, (cpu_seconds() - cpu_before) * micros));
            alone.push((ours, raw));

            let suite = Suite::start().await;
            let start = Instant::now();
            let tokens = send(&suite, orders(0, ORDERS)).await;
            let imported = ORDERS as f64 / start.elapsed().as_secs_f64();
            wait(&suite, tokens).await;
            together.push((imported, raw));
            followed.push((ORDERS as f64 / start.elapsed().as_secs_f64(), imported));
        }
        report("import of orders against a raw rusqlite loop", "rows/s", &alone, ">= 0.5");
        report("  its CPU, the client's included", "us/row", &cpu, "-");
        report("  with the aggregator following on the same cores", "rows/s", &together, "-");
        report("  to the end of following, against import (see lag)", "rows/s", &followed, "-");
    });
}

pub(crate) fn orders(first: usize, count: usize) -> impl Iterator<Item = Order> + Send + 'static {
    (first..first + count).map(move |number| {
        order(&account(number % accounts()), number, day(-365.0 + 364.0 * number as f64 / count as f64))
    })
}

/// Imports orders, made as they are sent. Answers with the tokens of all batches.
pub(crate) async fn send(suite: &Suite, orders: impl Iterator<Item = Order> + Send + 'static) -> Vec<FreshnessToken> {
    bulk::send(suite.orders(), orders).await
}

/// Waits until the aggregator has seen all that these tokens name.
pub(crate) async fn wait(suite: &Suite, tokens: Vec<FreshnessToken>) {
    bulk::wait(suite.assessments(), tokens).await;
}

/// The same rows and one change row for each, in transactions of a thousand, by prepared statements.
fn raw_loop(orders: impl Iterator<Item = Order>) {
    let mut orders = orders.peekable();
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
    while orders.peek().is_some() {
        let transaction = connection.transaction().unwrap();
        {
            let mut row = transaction
                .prepare_cached("insert into orders values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
                .unwrap();
            let mut change = transaction.prepare_cached("insert into changes values (?1, ?2, ?3, ?4)").unwrap();
            for order in orders.by_ref().take(BATCH) {
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
