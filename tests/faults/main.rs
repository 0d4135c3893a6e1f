//! Breaks the suite on purpose and judges what is left: see the README beside.
//!
//! An example as far as cargo is concerned, so that it is built with the tests and runs only when it is asked for.
#![allow(clippy::print_stdout, reason = "it says what it does and finds")]

mod cluster;
mod disk;
mod doors;
mod faults;
mod importer;
mod judging;
mod nats;
mod node;
mod postgres;
mod proxy;
mod reader;
mod recorder;
mod scenarios;
mod storm;
mod watcher;
mod writer;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use tests::{
    chance::Chance,
    history::{Broken, History, Verdict, judge},
};
use tokio::task::LocalSet;

use crate::{
    cluster::Cluster,
    nats::Nats,
    scenarios::{SCENARIOS, Scenario},
    storm::{Report, play},
};

/// How many rounds are played before everything is judged and begun anew.
const ROUNDS_AT_ONCE: u32 = 25;
/// How many violations are shown.
const SHOWN: usize = 12;

/// What can be asked for.
#[derive(Parser)]
struct Arguments {
    /// How many rounds of kills; the other faults get a share in addition
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Only scenarios whose names begin so; may be given again
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Makes the same random choices again, though the machine decides what they meet
    #[arg(long)]
    seed: Option<u64>,
    /// Where the folders of what was broken are kept; those of sound scenarios are removed
    #[arg(long, value_name = "DIR", default_value = "target/faults")]
    folder: PathBuf,
    /// The binary; the one beside this program if not given
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Lists the scenarios
    #[arg(long)]
    list: bool,
    /// Judges a history that was kept, and does nothing else
    #[arg(long, value_name = "FILE")]
    judge: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One thread: processes are to end with the one that started them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| LocalSet::new().block_on(&runtime, run(arguments)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("faults: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked; tells whether all was sound.
async fn run(arguments: Arguments) -> Result<bool, String> {
    if arguments.list {
        for scenario in SCENARIOS {
            println!("{:20} {} rounds, {:?}", scenario.name, scenario.rounds(arguments.rounds), scenario.shape);
        }
        return Ok(true);
    }
    if let Some(file) = &arguments.judge {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let history: History = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let verdict = judge(&history);
        tell_verdict("history", &verdict);
        return Ok(verdict.violations.is_empty());
    }
    let beside = std::env::current_exe().ok().and_then(|file| Some(file.parent()?.parent()?.join("rapport")));
    let binary = arguments.binary.clone().or(beside).ok_or("where is the binary? say --binary")?;
    let seed = arguments.seed.unwrap_or_else(Chance::any_seed);
    println!("seed {seed}");
    let begun = Instant::now();
    let mut chance = Chance::of(seed);
    let (mut kills, mut others, mut broken) = (0, 0, 0);
    let mut skipped = Vec::new();
    for scenario in &SCENARIOS {
        // Chosen or not, so that each has the same seeds whatever else is played.
        let mut seeds = chance.split();
        if !(arguments.only.is_empty() || arguments.only.iter().any(|only| scenario.name.starts_with(only))) {
            continue;
        }
        let mut left = scenario.rounds(arguments.rounds);
        if left == 0 {
            continue;
        }
        if let Some(reason) = missing(scenario, &binary) {
            println!("\nSKIPPED: {}: {reason}", scenario.name);
            skipped.push(scenario.name);
            continue;
        }
        while left > 0 {
            let rounds = left.min(ROUNDS_AT_ONCE);
            left -= rounds;
            let report = play_and_tell(scenario, rounds, seeds.below(u64::MAX), &binary, &arguments).await?;
            if scenario.kills() {
                kills += report.rounds
            } else {
                others += report.rounds
            }
            broken += match scenario.is_to_be_found() {
                true => usize::from(!is_found(&report)),
                false => report.failures.len() + report.verdict.violations.len(),
            };
        }
    }
    println!(
        "\n{kills} rounds of kills and {others} of other faults in {:.0?}: {}",
        begun.elapsed(),
        if broken == 0 { "no promise was broken".to_owned() } else { format!("{broken} VIOLATIONS") }
    );
    if !skipped.is_empty() {
        println!("SKIPPED: {}", skipped.join(", "));
    }
    Ok(broken == 0)
}

/// Whether the judge has found what was done behind the suite's back: a row is missing, and a ledger is wrong.
fn is_found(report: &Report) -> bool {
    let has = |broken| report.verdict.violations.iter().any(|violation| violation.broken == broken);
    let is_found = has(Broken::Rows) && has(Broken::Ledgers) && has(Broken::Replay);
    println!("  {}", if is_found { "this was found, as it had to be" } else { "THIS HAD TO BE FOUND, all of it" });
    is_found
}

/// Why a scenario cannot be played here.
fn missing(scenario: &Scenario, binary: &Path) -> Option<String> {
    if scenario.shape.clocked && !Cluster::has_faketime() {
        return Some("there is no libfaketime to move clocks with (Debian: apt-get install libfaketime)".to_owned());
    }
    if scenario.shape.nats > 0 && Nats::program().is_none() {
        return Some("there is no nats-server (tests/nats.sh installs one)".to_owned());
    }
    if scenario.shape.nats > 0 && !nats::is_spoken_by(binary) {
        return Some("the binary knows no feeds over NATS".to_owned());
    }
    let mebibytes = scenario.shape.disk?;
    let folder = std::env::temp_dir().join(format!("faults-{}", std::process::id()));
    let mounted = disk::Disk::mount(&folder, mebibytes).err();
    let _ = fs::remove_dir(&folder);
    mounted.map(|error| format!("no disk can be mounted here: {error}"))
}

async fn play_and_tell(
    scenario: &Scenario,
    rounds: u32,
    seed: u64,
    binary: &Path,
    arguments: &Arguments,
) -> Result<Report, String> {
    let name = format!("{}-{seed:016x}", scenario.name);
    let folder = arguments.folder.join(&name);
    // Where the server's user may come: it owns its folder below.
    let scratch = std::env::temp_dir().join(format!("faults-{}", std::process::id())).join(&name);
    println!("\n{}: {rounds} rounds, seed {seed}", scenario.name);
    let begun = Instant::now();
    let report = play(scenario, rounds, seed, binary, &scratch).await?;
    tell(scenario, &report, begun.elapsed());
    let is_sound = report.failures.is_empty() && report.verdict.violations.is_empty();
    if !is_sound && !scenario.is_to_be_found() {
        fs::create_dir_all(&arguments.folder).map_err(|error| error.to_string())?;
        let _ = std::process::Command::new("cp").arg("-r").arg(&scratch).arg(&folder).status();
        println!("  logs, data and history are kept in {}", folder.display());
    }
    let _ = fs::remove_dir_all(&scratch);
    let _ = scratch.parent().map(fs::remove_dir);
    Ok(report)
}

fn tell(scenario: &Scenario, report: &Report, took: Duration) {
    let mut recoveries = report.recoveries.clone();
    recoveries.sort_unstable();
    let middle = recoveries.get(recoveries.len() / 2).copied().unwrap_or_default();
    let longest = recoveries.last().copied().unwrap_or_default();
    println!(
        "  {} rounds in {took:.0?} (to start {:.1?}, to break {:.1?}, to read and judge {:.1?}); {} writes were in flight as it struck, \
         {} calls were cut off; serving again after {middle:.1?} (median), {longest:.1?} (longest)",
        report.rounds, report.took[0], report.took[1], report.took[2], report.in_flight, report.cut_off
    );
    report.failures.iter().take(SHOWN).for_each(|failure| println!("  FAILURE: {failure}"));
    tell_verdict(scenario.name, &report.verdict);
}

fn tell_verdict(name: &str, verdict: &Verdict) {
    let Verdict { counts, violations } = verdict;
    println!(
        "  {} acknowledged, {} of them there exactly once ({} took several attempts); of {} whose outcome nobody was told, \
         {} are there and {} not; {} messages of imports whole or absent",
        counts.acknowledged,
        counts.present_once,
        counts.retried,
        counts.unknown_present + counts.unknown_absent,
        counts.unknown_present,
        counts.unknown_absent,
        counts.batches
    );
    let feeds: Vec<String> = counts.feeds.iter().map(|(service, length)| format!("{service} {length}")).collect();
    println!(
        "  feeds: {}; {} further hearings of them; {} reads of rows, {} reads by freshness tokens; {} ledgers verified; {} \
         replays equal",
        feeds.join(", "),
        counts.watched,
        counts.gets,
        counts.fresh,
        counts.ledgers,
        counts.replays
    );
    for violation in violations.iter().take(SHOWN) {
        let text = violation.to_string();
        println!("  VIOLATION: {}", text.chars().take(1_500).collect::<String>());
    }
    match violations.len() {
        0 => println!("  {name}: sound"),
        count => println!("  {name}: {count} VIOLATIONS"),
    }
}
