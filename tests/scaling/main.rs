//! Who reads which partition, and how far behind everybody is, at a thousand processes to which things happen: simulated, in
//! virtual time, by the very functions that decide it in production (`store::leases`).
//!
//! `cargo test -p tests --test scaling` runs each scenario once, small, and one at a thousand. What `deploy/SCALING.md` shows is
//! printed by `cargo test -p tests --test scaling -- --ignored --nocapture`. `RAPPORT_SCALING_SEED` chooses another seed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a simulation prints, and fails by panicking")]

mod chance;
mod database;
mod figures;
mod formula;
mod happen;
mod page;
mod process;
mod scenarios;
mod settings;
mod simulation;
mod work;

use std::time::Duration;

use store::leases::{BEAT_EVERY, DEAD_AFTER};

use crate::{
    figures::HEADING,
    scenarios::{LOST_ZONE, SCENARIOS, Scenario, Suite, hang},
    settings::Settings,
};

/// A billion events a day, and three times as many at the day's peak.
const PEAK: f64 = 3.0 * 1e9 / 86_400.0;

fn seed() -> u64 {
    let seed = std::env::var("RAPPORT_SCALING_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("RAPPORT_SCALING_SEED={seed}");
    seed
}

fn small() -> Suite {
    Suite { seed: seed(), cells: 2, processes: 24, arriving: PEAK / 8.0, busiest: 1.2 }
}

fn scenario(name: &str) -> Scenario {
    *SCENARIOS.iter().find(|(scenario, _)| *scenario == name).unwrap()
}

#[test]
fn whatever_happens_each_partition_is_read_again_by_one_and_the_shares_even_out() {
    println!("{HEADING}");
    for scenario in SCENARIOS {
        println!("{}", small().live(scenario, |_| {}).row(scenario.0));
    }
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let live = |suite: &Suite| suite.live(scenario(LOST_ZONE), |_| {});
    assert_eq!(live(&small()), live(&small()));
    assert_ne!(live(&small()), live(&Suite { seed: small().seed + 1, ..small() }));
}

#[test]
#[should_panic(expected = "wrote under generation")]
fn a_lease_that_keeps_its_generation_is_found() {
    small().live(scenario("a fifth hangs for 15 s"), |settings| settings.generations_stand_still = true);
}

#[test]
fn nobody_moves_because_the_database_was_away() {
    for name in ["the database is away for 8 s, and refuses", "the database is away for 8 s, and is silent"] {
        let figures = small().live(scenario(name), |_| {});
        assert_eq!((figures.moves, figures.refused), (0, 0), "{name}");
    }
}

#[test]
fn whoever_hangs_for_less_than_dead_after_keeps_what_it_has() {
    let figures = small().live(("", |processes| hang(processes, 3.0)), |_| {});
    assert_eq!((figures.moves, figures.refused), (0, 0));
}

/// As it once was: whoever was buried at its first beat began to count anew, and was buried for ever.
#[test]
#[should_panic(expected = "partitions are read by nobody at the end")]
fn counts_that_come_twice_are_found() {
    let suite = Suite { seed: 1, ..small() };
    suite.live(scenario("twice as many, and back"), |settings| {
        settings.counts_itself = false;
        settings.prepares = (Duration::from_millis(3_700), Duration::from_millis(4_200));
    });
}

#[test]
fn a_thousand_go_on_when_a_third_is_lost() {
    let suite = Suite { seed: seed(), cells: 16, processes: 1_000, arriving: PEAK, busiest: 1.5 };
    let figures = suite.live(scenario(LOST_ZONE), |settings| settings.ends = Duration::from_secs(28));
    println!("{HEADING}\n{}", figures.row(LOST_ZONE));
}

/// The tables of `deploy/SCALING.md`.
#[test]
#[ignore = "takes minutes"]
fn tables() {
    constants();
    for cells in [16, 64, 1] {
        // One database takes no more than its part: here it is who reads that matters.
        let arriving = PEAK * cells.min(16) as f64 / 16.0;
        let suite = Suite { seed: seed(), cells, processes: 1_000, arriving, busiest: 1.5 };
        println!("\n{} processes over {cells} databases\n\n{HEADING}", suite.processes);
        for scenario in SCENARIOS {
            println!("{}", suite.live(scenario, |_| {}).row(scenario.0));
        }
    }
}

/// Other constants than [`BEAT_EVERY`] and [`DEAD_AFTER`].
fn constants() {
    println!(
        "\n| a beat every | dead after | unread after a kill, longest | after a lost zone, if locks go after 3 s | moves by a hang of 1, 2, 3, 5 s | beats/s |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let suite = Suite { seed: seed(), cells: 4, processes: 256, arriving: PEAK / 4.0, busiest: 1.2 };
    let now = (BEAT_EVERY.as_millis() as u64, DEAD_AFTER.as_millis() as u64);
    for (beat, dead) in [(250, 1_000), (250, 2_000), (500, 2_000), now, (1_000, 4_000), (500, 8_000), (2_000, 8_000)] {
        let adjust = |settings: &mut Settings| {
            settings.beat_every = Duration::from_millis(beat);
            settings.dead_after = Duration::from_millis(dead);
            settings.silence = Duration::from_secs(3);
        };
        let killed = suite.live(scenario("one process is killed"), adjust);
        let lost = suite.live(scenario(LOST_ZONE), adjust);
        let hangs: [Scenario; 4] = [
            ("", |processes| hang(processes, 1.0)),
            ("", |processes| hang(processes, 2.0)),
            ("", |processes| hang(processes, 3.0)),
            ("", |processes| hang(processes, 5.0)),
        ];
        let moves: Vec<String> = hangs.iter().map(|hang| suite.live(*hang, adjust).moves.to_string()).collect();
        let (beat, dead) = (beat as f64 / 1_000.0, dead as f64 / 1_000.0);
        let (killed_for, lost_for) = (killed.longest_gap().as_secs_f64(), lost.longest_gap().as_secs_f64());
        let moves = moves.join(", ");
        println!("| {beat} s | {dead} s | {killed_for:.1} s | {lost_for:.1} s | {moves} | {:.0} |", killed.beats);
    }
}
