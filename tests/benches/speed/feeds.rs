//! Following over JetStream against following the services' own streams, on the same cores: orders are imported, and the
//! time is taken until the assessments have them all. `tests/nats.sh cargo bench -p tests -- feeds`.

use std::time::Instant;

use tests::Suite;
use tokio::runtime::Runtime;

use crate::{
    cpu_micros,
    import::{orders, send, wait},
    report, rounds, setting,
};

pub(crate) fn run(runtime: &Runtime) {
    if std::env::var_os("TEST_NATS_URL").is_none() {
        println!("feeds: needs a NATS server, as in `tests/nats.sh cargo bench -p tests -- feeds`");
        return;
    }
    let count = setting("RAPPORT_BENCH_ORDERS", 50_000);
    let (mut rates, mut cpu) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for _ in 0..rounds() {
            let (streamed, streamed_cpu) = followed(Suite::start().await, count).await;
            let (direct, direct_cpu) = followed(Suite::start_direct().await, count).await;
            rates.push((streamed, direct));
            cpu.push((streamed_cpu, direct_cpu));
        }
    });
    report("following over JetStream against direct streams", "rows/s", &rates, ">= 0.7");
    report("  its CPU, without the NATS server's", "us/row", &cpu, "-");
}

/// Imports so many orders. Returns how many a second were imported and followed, and the CPU time of each.
async fn followed(suite: Suite, count: usize) -> (f64, f64) {
    // Both ways are open before the time is taken.
    let tokens = send(&suite, orders(0, 100)).await;
    wait(&suite, tokens).await;
    let (start, cpu_before) = (Instant::now(), cpu_micros());
    let tokens = send(&suite, orders(100, count)).await;
    wait(&suite, tokens).await;
    (count as f64 / start.elapsed().as_secs_f64(), (cpu_micros() - cpu_before) / count as f64)
}
