//! The lag of the aggregator and the memory of the suite while much is imported.

use std::time::Instant;

use contracts::orders::v1::Order;
use tests::{
    Suite, day,
    process::{self, SELF},
};
use tokio::runtime::Runtime;

use crate::{
    import::{account, order, send, wait},
    report, setting,
};

/// Imports many orders in ten parts, and prints how far behind the aggregator is at the end, and the memory after each.
pub(crate) fn run(runtime: &Runtime) {
    let orders = setting("RAPPORT_BENCH_ORDERS", 100_000);
    runtime.block_on(async {
        let suite = Suite::start().await;
        let start = Instant::now();
        let mut tokens = Vec::new();
        let mut memory = Vec::new();
        for part in 0..10 {
            let part = scattered(crate::accounts(), part * orders / 10, orders / 10);
            tokens.extend(send(&suite, part).await);
            memory.push(process::resident_megabytes(SELF));
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

/// Orders of all accounts in no order that a database likes.
fn scattered(accounts: usize, first: usize, count: usize) -> impl Iterator<Item = Order> + Send + 'static {
    (first..first + count).map(move |number| {
        // A prime beyond every number of accounts visits each of them once before it begins anew.
        let account = account(number * 15_485_863 % accounts);
        order(&account, number, day(-364.0 + (number % 360) as f64))
    })
}
