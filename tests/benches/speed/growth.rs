//! What does not grow: the lag of the aggregator and the memory of the suite while much is imported, and the processor time
//! of an event when there are many accounts.

use std::time::Instant;

use contracts::orders::v1::Order;
use tests::{Suite, day};
use tokio::runtime::Runtime;

use crate::{
    import::{account, order, send, wait},
    process::{cpu_seconds, resident_megabytes},
    report, rounds, setting,
};

/// How many accounts are few.
const FEW: usize = 10_000;
/// How many events are measured.
const EVENTS: usize = 50_000;

/// Imports many orders in ten parts, and prints how far behind the aggregator is at the end, and the memory after each.
pub(crate) fn lag(runtime: &Runtime) {
    let orders = setting("RAPPORT_BENCH_ORDERS", 100_000);
    runtime.block_on(async {
        let suite = Suite::start().await;
        let start = Instant::now();
        let mut tokens = Vec::new();
        let mut memory = Vec::new();
        for part in 0..10 {
            let part = scattered(crate::accounts(), part * orders / 10, orders / 10);
            tokens.extend(send(&suite, part).await);
            memory.push(resident_megabytes());
        }
        let imported = start.elapsed().as_secs_f64();
        wait(&suite, tokens).await;
        let lag = start.elapsed().as_secs_f64() - imported;
        println!("imported {orders} orders in {imported:.1} s; the aggregator had all of them {lag:.1} s later");
        let rates = [(orders as f64 / (imported + lag), orders as f64 / imported)];
        report("  followed against imported", "rows/s", &rates, ">= 0.9");
        let memory: Vec<String> = memory.iter().map(|megabytes| format!("{megabytes:.0}")).collect();
        println!("  memory of client and suite after each tenth, in MB: {}", memory.join(" "));
    });
}

/// The processor time of an imported and followed event, with many accounts against few.
pub(crate) fn run(runtime: &Runtime) {
    let many = setting("RAPPORT_BENCH_MANY", 100_000);
    runtime.block_on(async {
        let large = filled(many).await;
        let small = filled(FEW).await;
        let mut pairs = Vec::new();
        for round in 0..rounds() {
            pairs.push((micros_each(&large, many, round).await, micros_each(&small, FEW, round).await));
        }
        report(&format!("CPU of an event at {many} accounts against {FEW}"), "us", &pairs, "<= 1.2");
    });
}

/// A suite in which each account has an order.
async fn filled(accounts: usize) -> Suite {
    let suite = Suite::start().await;
    // Not in the order of what is measured, which would find its accounts side by side.
    let first = (0..accounts).map(|number| order(&account(number), number, day(-364.0)));
    let tokens = send(&suite, first).await;
    wait(&suite, tokens).await;
    suite
}

async fn micros_each(suite: &Suite, accounts: usize, round: usize) -> f64 {
    let before = cpu_seconds();
    let tokens = send(suite, scattered(accounts, accounts + round * EVENTS, EVENTS)).await;
    wait(suite, tokens).await;
    (cpu_seconds() - before) * 1e6 / EVENTS as f64
}

/// Orders of all accounts in no order that a database likes.
fn scattered(accounts: usize, first: usize, count: usize) -> impl Iterator<Item = Order> + Send + 'static {
    (first..first + count).map(move |number| {
        // A prime beyond every number of accounts visits each of them once before it begins anew.
        let account = account(number * 15_485_863 % accounts);
        order(&account, number, day(-364.0 + (number % 360) as f64))
    })
}
