//! `cargo bench -p tests --bench overload`: what becomes of a service that is asked for more than it can do.
//!
//! The server is a process of its own, on the first core; what calls it has the second core to itself, so that neither takes
//! from the other (`taskset`, of util-linux; without it, or with one core, they share, and the program says so). Most calls are
//! written frame by frame (`frames.rs`), which costs a fraction of what the server does for them. Capacity is found in the same
//! run: the highest rate by a clock that is accepted. Then calls come by a clock, whatever becomes of those before: at half of
//! that, at capacity and at several times of it. A call's time counts from the moment when it was due; where the clock was not
//! kept, or not enough, nothing is concluded. Last, the same is asked of by the suite's own clients.
//!
//! `RAPPORT_BENCH_ROUNDS` (3) and `RAPPORT_BENCH_SECONDS` (3) say how often and how long each is measured, `RAPPORT_BENCH_TIMES`
//! (5) how many times its capacity the server is asked for, `RAPPORT_BENCH_CONNECTIONS` (8) over how many connections. Arguments
//! pick measures by name: `reads`, `writes`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

mod calls;
mod frames;
mod load;
mod server;

use std::process::{Command, ExitCode};
use std::time::Duration;

use calls::{Clients, Kind};
use load::{Flood, Took};
use server::Server;
use tokio::runtime::Runtime;

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
            println!("{name}");
            measure(&server, kind, &runtime);
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

/// Over how many connections the server is called.
fn connections() -> usize {
    setting("RAPPORT_BENCH_CONNECTIONS", 8)
}

fn measure(server: &Server, kind: Kind, runtime: &Runtime) {
    let seconds = Duration::from_secs(setting("RAPPORT_BENCH_SECONDS", 3) as u64);
    let times = setting("RAPPORT_BENCH_TIMES", 5) as f64;
    println!("  {:<22} {}", "", Took::HEADER);
    let show = |what: &str, took: &Took| println!("  {what:<22} {took} {:>6.0} MB", server.resident());
    let mut flood = Flood::connect(server, kind);
    // Caches and windows are warm from the second time on.
    flood.by_callers(CALLERS, seconds);
    let by_callers = flood.by_callers(CALLERS, seconds);
    show("by 64 callers", &by_callers);
    let rate = flood.capacity(by_callers.accepted_rate, seconds);
    let clients = Clients::connect(server, kind);
    let mut of = [Ratios::default(), Ratios::default()];
    for _ in 0..setting("RAPPORT_BENCH_ROUNDS", 3) {
        show("half the capacity", &flood.by_clock(rate * 0.5, seconds));
        let full = flood.by_clock(rate, seconds);
        show("at capacity", &full);
        let before = server.resident();
        let over = flood.by_clock(rate * times, seconds);
        show(&format!("{times} times that"), &over);
        of[0].add(&full, &over, server.resident() / before);
        show("half, at once after", &flood.by_clock(rate * 0.5, seconds / 3));
        let before = server.resident();
        let over = runtime.block_on(load::by_clock(&clients, rate * times, seconds));
        show("  by suite's clients", &over);
        of[1].add(&full, &over, server.resident() / before);
    }
    of[0].report("");
    of[1].report("by the suite's clients, ");
}

/// What is compared, round by round.
#[derive(Default)]
struct Ratios {
    tails: Vec<f64>,
    rates: Vec<f64>,
    memory: Vec<f64>,
    rounds: usize,
}

impl Ratios {
    fn add(&mut self, full: &Took, over: &Took, memory: f64) {
        self.rounds += 1;
        self.memory.push(memory);
        if full.is_by_the_clock() && over.is_by_the_clock() {
            self.tails.push(over.tail / full.tail);
            self.rates.push(over.accepted_rate / full.accepted_rate);
        }
    }

    fn report(&mut self, who: &str) {
        if self.tails.len() * 2 > self.rounds {
            report(&format!("  {who}p99 of what is accepted, against that at capacity"), &mut self.tails, "<= 3");
            report(&format!("  {who}accepted a second, against capacity"), &mut self.rates, ">= 0.8");
        } else {
            println!("  {who}the callers did not keep to their clock, so that nothing is said of the server");
        }
        report(&format!("  {who}memory after, against before"), &mut self.memory, "~1");
    }
}

/// Prints the median of ratios with their spread.
fn report(what: &str, ratios: &mut [f64], wanted: &str) {
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!("{what:<84} ratio {:.2} ({least:.2}-{most:.2}), wanted {wanted}", ratios[ratios.len() / 2]);
}
