//! Durable unary writes by 64 callers against one transaction per call, both with `synchronous = full`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use contracts::{
    common::v1::Money,
    orders::v1::{CreateOrderRequest, Order},
};
use prost::Message as _;
use rusqlite::{Connection, params};
use tests::{START, Suite, ask, day};
use tokio::runtime::Runtime;

use crate::{rate, report, rounds};

const CALLERS: usize = 64;
const CALLS: usize = 8_000;
const RAW_CALLS: usize = 400;

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let mut pairs = Vec::new();
        for _ in 0..rounds() {
            let suite = Arc::new(Suite::start().await);
            let start = std::time::Instant::now();
            create_all(&suite).await;
            let ours = CALLS as f64 / start.elapsed().as_secs_f64();
            let raw = tokio::task::spawn_blocking(|| rate(RAW_CALLS, one_by_one)).await.unwrap();
            pairs.push((ours, raw));
        }
        report("unary writes by 64 against a transaction per call", "calls/s", &pairs, ">= 10");
    });
}

fn order() -> Order {
    Order {
        place_time: day(-1.0),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100, nanos: 0 }),
        ..Order::default()
    }
}

async fn create_all(suite: &Arc<Suite>) {
    let next = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (suite, next) = (suite.clone(), next.clone());
            tokio::spawn(async move {
                let mut orders = suite.orders();
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= CALLS {
                        return;
                    }
                    let request = CreateOrderRequest {
                        parent: format!("accounts/a{}", call % 997),
                        order_id: format!("o{call}"),
                        order: Some(order()),
                        ..CreateOrderRequest::default()
                    };
                    orders.create_order(ask(request)).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

/// A row and its change row, each pair in a transaction of its own.
fn one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(folder.path().join("raw.db")).unwrap();
    connection
        .execute_batch(
            "pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = full;
             create table orders (id text primary key, recorded_at bigint not null, document bytea not null);
             create table changes (position bigint primary key, document bytea not null);",
        )
        .unwrap();
    let document = order().encode_to_vec();
    for call in 0..RAW_CALLS as i64 {
        let transaction = connection.transaction().unwrap();
        transaction
            .execute("insert into orders values (?1, ?2, ?3)", params![format!("o{call}"), START, document])
            .unwrap();
        transaction.execute("insert into changes values (?1, ?2)", params![call, document]).unwrap();
        transaction.commit().unwrap();
    }
}
