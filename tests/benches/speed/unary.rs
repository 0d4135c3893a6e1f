//! Durable unary writes by 64 callers against one transaction per call, all with `synchronous = full`.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
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

pub(crate) const CALLERS: usize = 64;
pub(crate) const CALLS: usize = 8_000;
const CALLS_OF_ONE: usize = 1_000;
const RAW_CALLS: usize = 400;

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let (mut against_one, mut against_raw) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let suite = Arc::new(Suite::start_orders().await);
            let one = create_all(&suite, 1, 0..CALLS_OF_ONE).await;
            let ours = create_all(&suite, CALLERS, CALLS_OF_ONE..CALLS_OF_ONE + CALLS).await;
            let raw = tokio::task::spawn_blocking(|| rate(RAW_CALLS, one_by_one)).await.unwrap();
            against_one.push((ours, one));
            against_raw.push((ours, raw));
        }
        // A caller that waits for each answer before the next call gets a transaction for each: nobody is there to share it.
        report("unary writes by 64 against a call at a time", "calls/s", &against_one, ">= 10");
        report("  against a raw transaction per call, without calls", "calls/s", &against_raw, "-");
    });
}

pub(crate) fn order() -> Order {
    Order {
        place_time: day(-1.0),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100, nanos: 0 }),
        ..Order::default()
    }
}

/// Makes these calls, so many at a time, and returns their rate.
pub(crate) async fn create_all(suite: &Arc<Suite>, callers: usize, calls: Range<usize>) -> f64 {
    let count = calls.len();
    let next = Arc::new(AtomicUsize::new(calls.start));
    let start = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (suite, next) = (suite.clone(), next.clone());
            tokio::spawn(async move {
                let mut orders = suite.orders();
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= calls.end {
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
    count as f64 / start.elapsed().as_secs_f64()
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
