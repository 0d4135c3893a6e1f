//! What a simulation assumes.

use std::time::Duration;

use store::leases::{BEAT_EVERY, DEAD_AFTER};

/// A cell (the processes over one database), and what it is like.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// How many processes there are at the start.
    pub(crate) processes: usize,
    pub(crate) beat_every: Duration,
    pub(crate) dead_after: Duration,
    /// How long a statement takes, there and back.
    pub(crate) statement: (Duration, Duration),
    /// One statement in so many takes as long as this instead: a pause of a process, a busy database.
    pub(crate) slow: (usize, Duration),
    /// How long the database keeps the locks of a process that says nothing in the midst of a transaction.
    pub(crate) silence: Duration,
    /// How long a statement waits for a lock, at most.
    pub(crate) lock_timeout: Duration,
    /// Whether a lease whose row is locked is passed over, rather than waited for.
    pub(crate) passes_over_locked: bool,
    /// Whether a process counts its beats itself, so that no count comes twice, rather than from 1 after it was buried.
    pub(crate) counts_itself: bool,
    /// How long a process makes itself ready between its first beat and its second, and reads nothing.
    pub(crate) prepares: (Duration, Duration),
    /// From other partitions being held until they are read.
    pub(crate) open_stream: (Duration, Duration),
    /// How often a process that holds something writes, and how long its transaction takes.
    pub(crate) write_every: Duration,
    pub(crate) write_takes: (Duration, Duration),
    pub(crate) load: Load,
    /// When the simulation ends.
    pub(crate) ends: Duration,
    /// The checks are to find it: a lease that changes hands keeps its generation.
    pub(crate) generations_stand_still: bool,
}

/// Events in a second.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// How many come, in the whole cell.
    pub(crate) arriving: f64,
    /// A partition's part of them falls with its rank to the power of this: 0 is even.
    pub(crate) skew: f64,
    /// How many a process applies at most.
    pub(crate) process: f64,
    /// How many of one partition are applied at most, one after another.
    pub(crate) partition: f64,
    /// How many a database takes at most.
    pub(crate) database: f64,
}

/// Before this nothing is disturbed, and nothing measured.
pub(crate) const WARM_UP: Duration = Duration::from_secs(10);

impl Settings {
    /// A cell as it is meant to be.
    pub(crate) fn new(seed: u64, processes: usize, arriving: f64) -> Self {
        Self {
            seed,
            processes,
            beat_every: BEAT_EVERY,
            dead_after: DEAD_AFTER,
            statement: (Duration::from_micros(300), Duration::from_millis(5)),
            slow: (200, Duration::from_millis(300)),
            silence: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(10),
            passes_over_locked: true,
            counts_itself: true,
            prepares: (Duration::from_millis(50), Duration::from_secs(1)),
            open_stream: (Duration::from_millis(20), Duration::from_millis(200)),
            write_every: Duration::from_millis(200),
            write_takes: (Duration::from_millis(5), Duration::from_millis(100)),
            load: Load { arriving, skew: 0.3, process: 2_000.0, partition: 1_500.0, database: 6_000.0 },
            ends: Duration::from_secs(60),
            generations_stand_still: false,
        }
    }

    /// How long it may take, after the last failure, until somebody reads each partition again.
    ///
    /// A process's last beat may have been seen a beat late, and that it is dead is seen at the first look after `dead_after`;
    /// a look's time counts for a quarter of `dead_after` at most. Taking goes on at the next looks if another was faster, or
    /// if the shares were told before all were known to be dead: four more. A look takes a beat and up to ten statements, one
    /// of them slow. Where a machine was lost, its locks must be gone.
    pub(crate) fn bound(&self) -> Duration {
        let look = self.beat_every + self.statement.1 * 10 + self.slow.1;
        self.dead_after.max(self.silence) + look * 6 + self.prepares.1 + self.open_stream.1
    }
}
