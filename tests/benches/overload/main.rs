//! `cargo bench -p tests --bench overload`: what becomes of a service that is asked for more than it can do.
//!
//! The server is a process of its own, on the first core; what calls it has the second core to itself, so that neither takes
//! from the other (`taskset`, of util-linux; without it, or with one core, they share, and the program says so). Capacity is
//! found in the same run, by callers who await each answer. Then calls come by a clock, whatever becomes of those before: at
//! capacity and at several times of it. A call's time counts from the moment when it was due.
//!
//! `RAPPORT_BENCH_ROUNDS` (3) and `RAPPORT_BENCH_SECONDS` (3) say how often and how long each is measured, `RAPPORT_BENCH_TIMES`
//! (5) how many times its capacity the server is asked for, `RAPPORT_BENCH_CONNECTIONS` (8) over how many connections. Arguments pick measures by name: `reads`, `writes`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

mod calls;
mod load;
mod server;

use std::process::{Command, ExitCode};
use std::time::Duration;

use calls::{Calls, Clients, Kind};
use load::Took;
use server::Server;

/// Who await each answer, as in the benchmark of reading.
const CALLERS: usize = 64;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = server::play() {
        return code;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let apart = cores > 1 && pin_self();
    println!(
        "{cores} cores, {}",
        if apart { "server and callers on one each" } else { "which server and callers SHARE" }
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, kind) in [("reads", Kind::Read), ("writes", Kind::Write)] {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            let server = Server::start(apart);
            // Channels are made on it too.
            let _entered = runtime.enter();
            runtime.block_on(calls::fill(&server.peer()));
            for (clients, who) in [(Clients::OfTheSuite, "clients of the suite"), (Clients::Plain, "plain clients")] {
                println!("{name} by {who}");
                runtime.block_on(measure(&server, &calls::connect(&server, kind, clients)));
            }
        }
    }
    ExitCode::SUCCESS
}

/// Keeps this process, before it has other threads, to the second core.
fn pin_self() -> bool {
    let id = std::process::id().to_string();
    Command::new("taskset").args(["-p", "-c", "1", &id]).output().is_ok_and(|output| output.status.success())
}

/// A number from the environment.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

async fn measure(server: &Server, calls: &Calls) {
    let seconds = Duration::from_secs(setting("RAPPORT_BENCH_SECONDS", 3) as u64);
    let times = setting("RAPPORT_BENCH_TIMES", 5) as f64;
    println!("  {:<22} {}", "", Took::HEADER);
    let show = |what: &str, took: &Took| println!("  {what:<22} {took} {:>6.0} MB", server.resident());
    // Caches and windows are warm from the second time on.
    load::by_callers(calls, CALLERS, seconds).await;
    let (mut tails, mut rates, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting("RAPPORT_BENCH_ROUNDS", 3) {
        let capacity = load::by_callers(calls, CALLERS, seconds).await;
        show("by 64 callers", &capacity);
        let rate = capacity.accepted_rate;
        let half = load::by_clock(calls, rate * 0.5, seconds).await;
        show("half that, by a clock", &half);
        let full = load::by_clock(calls, rate, seconds).await;
        show("all of that", &full);
        let before = server.resident();
        let over = load::by_clock(calls, rate * times, seconds).await;
        show(&format!("{times} times that"), &over);
        memory.push(server.resident() / before);
        let after = load::by_clock(calls, rate * 0.5, seconds / 3).await;
        show("half, at once after", &after);
        tails.push(over.tail / full.tail);
        rates.push(over.accepted_rate / rate);
    }
    report("  p99 of what is accepted, against that at capacity", &mut tails, "<= 3");
    report("  accepted a second, against capacity", &mut rates, ">= 0.8");
    report("  memory after, against before", &mut memory, "~1");
}

/// Prints the median of ratios with their spread.
fn report(what: &str, ratios: &mut [f64], wanted: &str) {
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!("{what:<60} ratio {:.2} ({least:.2}-{most:.2}), wanted {wanted}", ratios[ratios.len() / 2]);
}
