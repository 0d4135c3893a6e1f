//! What happens to a cell, and to all of them.

use std::time::Duration;

use crate::{
    chance::Chance,
    figures::Figures,
    settings::{Settings, WARM_UP},
    simulation::simulate,
};

/// Something that happens to a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    /// So many processes are killed: the database hears of it at once.
    Killed(usize),
    /// So many processes go with their machines: the database hears nothing.
    MachineLost(usize),
    /// So many processes are stopped for a time, and go on.
    Hangs(usize, Duration),
    /// So many give back what they hold, and go.
    Leaves(usize),
    /// The one that has run longest gives back what it holds, and goes.
    OldestLeaves,
    /// So many come, within a second.
    Joins(usize),
    /// The database cannot be reached for a time; and says so at once, or lets everybody wait.
    DatabaseAway(Duration, bool),
}

impl Happening {
    /// How long it goes on.
    pub(crate) fn lasts(&self) -> Duration {
        match self {
            Self::Hangs(_, time) | Self::DatabaseAway(time, _) => *time,
            _ => Duration::ZERO,
        }
    }
}

/// What happens to a cell with so many processes, in turn.
pub(crate) type Scenario = (&'static str, fn(usize) -> Vec<(Duration, Happening)>);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// When the first thing happens.
const FIRST: Duration = seconds(WARM_UP.as_secs() + 2);

pub(crate) const LOST_ZONE: &str = "a third goes with its zone, and comes back 10 s later";

/// A fifth of the processes hangs for a time.
pub(crate) fn hang(processes: usize, seconds: f64) -> Vec<(Duration, Happening)> {
    vec![(FIRST, Happening::Hangs(processes.div_ceil(5), Duration::from_secs_f64(seconds)))]
}

pub(crate) const SCENARIOS: [Scenario; 10] = [
    ("nothing", |_| Vec::new()),
    ("one process is killed", |_| vec![(FIRST, Happening::Killed(1))]),
    ("a tenth is killed, one after another", |processes| {
        (0..processes.div_ceil(10)).map(|each| (FIRST + seconds(1) * each as u32 / 4, Happening::Killed(1))).collect()
    }),
    (LOST_ZONE, |processes| {
        vec![
            (FIRST, Happening::MachineLost(processes.div_ceil(3))),
            (FIRST + seconds(10), Happening::Joins(processes.div_ceil(3))),
        ]
    }),
    ("a fifth hangs for 8 s", |processes| hang(processes, 8.0)),
    ("a fifth hangs for 15 s", |processes| hang(processes, 15.0)),
    ("the database is away for 8 s, and refuses", |_| vec![(FIRST, Happening::DatabaseAway(seconds(8), true))]),
    ("the database is away for 8 s, and is silent", |_| vec![(FIRST, Happening::DatabaseAway(seconds(8), false))]),
    ("a rolling update, all within 20 s", |processes| {
        let each = |index: usize| {
            let at = FIRST + seconds(20) * index as u32 / processes as u32;
            [(at, Happening::Joins(1)), (at + seconds(2), Happening::OldestLeaves)]
        };
        (0..processes).flat_map(each).collect()
    }),
    ("twice as many, and back", |processes| {
        vec![(FIRST, Happening::Joins(processes)), (FIRST + seconds(15), Happening::Leaves(processes))]
    }),
];

/// Many cells that share out processes and events.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    pub(crate) seed: u64,
    pub(crate) cells: usize,
    pub(crate) processes: usize,
    /// Events in a second, of all cells.
    pub(crate) arriving: f64,
    /// How many times as much as the mean the busiest cell has; the others' parts fall evenly.
    pub(crate) busiest: f64,
}

impl Suite {
    /// Lets the same happen to all cells at once. `adjust` changes what a cell is like.
    pub(crate) fn live(&self, scenario: Scenario, adjust: impl Fn(&mut Settings) + Sync) -> Figures {
        let mut seeds = Chance::of(self.seed);
        let cells: Vec<Settings> = (0..self.cells)
            .map(|cell| {
                let place = if self.cells == 1 { 0.5 } else { cell as f64 / (self.cells - 1) as f64 };
                let weight = self.busiest - (self.busiest - 1.0) * 2.0 * place;
                let processes = (self.processes * (cell + 1) / self.cells) - (self.processes * cell / self.cells);
                let mut settings = Settings::new(seeds.next(), processes, self.arriving / self.cells as f64 * weight);
                adjust(&mut settings);
                settings
            })
            .collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut all = Figures::default();
        for some in cells.chunks(threads) {
            std::thread::scope(|scope| {
                let lives: Vec<_> = some
                    .iter()
                    .map(|settings| scope.spawn(move || simulate(settings, &scenario.1(settings.processes))))
                    .collect();
                for life in lives {
                    match life.join() {
                        Ok(figures) => all.join(figures),
                        Err(panic) => std::panic::resume_unwind(panic),
                    }
                }
            });
        }
        all
    }
}
