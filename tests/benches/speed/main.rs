//! `cargo bench -p tests`: how fast the suite is, as ratios against raw peers that do the same work in the same run.
//!
//! Each measure runs ours and the peer by turns (A B A B …) and prints the median of each, the ratio pair by pair with its
//! spread, and the target. Absolute figures depend on the machine; only the ratios mean anything. Sizes come from the
//! environment: `RAPPORT_BENCH_ACCOUNTS` (default 20,000), `RAPPORT_BENCH_ROUNDS` (default 5), `RAPPORT_BENCH_ORDERS` (of
//! `lag`, default 100,000). Arguments pick measures by how their names begin. All are over SQLite, and over PostgreSQL
//! where `TEST_DATABASE_URL` names a server; `postgres` needs one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

mod echo;
mod feeds;
mod filling;
mod import;
mod lag;
mod lists;
mod postgres;
mod read;
mod texts;
mod unary;

use std::time::Instant;

pub(crate) use tests::benchmark::{median, setting};
use tests::process::{self, SELF};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A measure's name and what runs it.
type Measure = (&'static str, fn(&tokio::runtime::Runtime));

const MEASURES: [Measure; 10] = [
    ("read", read::run),
    ("lists", lists::run),
    ("import", import::run),
    ("texts", texts::run),
    ("unary", unary::run),
    ("lag", lag::run),
    ("feeds", feeds::run),
    ("postgres-import", postgres::import),
    ("postgres-unary", postgres::unary),
    ("postgres-read", postgres::read),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, {} rounds, {} accounts", rounds(), accounts());
    for (name, run) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.starts_with(wanted.as_str())) {
            // A runtime for each measure, so that none inherits another's background work.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            run(&runtime);
        }
    }
}

/// How many times each side is measured.
pub(crate) fn rounds() -> usize {
    setting("RAPPORT_BENCH_ROUNDS", 5)
}

/// How many accounts there are.
pub(crate) fn accounts() -> usize {
    setting("RAPPORT_BENCH_ACCOUNTS", 20_000)
}

/// Prints a comparison: medians, the ratio ours / peer pair by pair, and what is wanted of it.
pub(crate) fn report(what: &str, unit: &str, pairs: &[(f64, f64)], wanted: &str) {
    let ours = median(pairs.iter().map(|pair| pair.0));
    let peer = median(pairs.iter().map(|pair| pair.1));
    let ratios: Vec<f64> = pairs.iter().map(|(ours, peer)| ours / peer).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    println!(
        "{what:<52} {ours:>10.0} {peer:>10.0} {unit:<8} ratio {:.2} ({least:.2}-{most:.2}), wanted {wanted}",
        median(ratios.iter().copied())
    );
}

/// The processor time of all threads of this process so far, in seconds, to a hundredth.
fn cpu_seconds() -> f64 {
    process::cpu_seconds(SELF)
}

/// The CPU time that the process has used so far, in microseconds; 0 where the system does not say.
pub(crate) fn cpu_micros() -> f64 {
    cpu_seconds() * 1e6
}

/// Runs something and returns its rate: `count` in so many seconds.
pub(crate) fn rate(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    count as f64 / start.elapsed().as_secs_f64()
}
