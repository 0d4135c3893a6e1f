//! The database of a cell: what the statements of `store::Leases` do there, and what it is asked to do.

use std::{collections::BTreeMap, time::Duration};

use store::{PARTITIONS, leases::Lease};

/// A lease's row that a transaction has locked.
#[derive(Debug, Clone, Copy)]
struct Lock {
    process: usize,
    until: Duration,
}

/// What became of a statement that changes a lease.
#[derive(Debug, PartialEq)]
pub(crate) enum Changed {
    /// It is done, or another was faster.
    Done,
    /// The row is locked.
    Locked,
}

pub(crate) struct Database {
    pub(crate) beats: BTreeMap<String, i64>,
    pub(crate) leases: BTreeMap<u32, Lease>,
    locks: [Option<Lock>; PARTITIONS as usize],
    /// Until when nobody reaches it, and whether it says so at once.
    pub(crate) away: Option<(Duration, bool)>,
    /// Something changed in the leases since this was last set back.
    pub(crate) moved: bool,
    /// Which process wrote under a generation of a partition.
    writers: BTreeMap<(u32, i64), usize>,
    generations_stand_still: bool,
    pub(crate) beat_count: u64,
    pub(crate) rows_read: u64,
    pub(crate) accepted: u64,
}

impl Database {
    pub(crate) fn new(generations_stand_still: bool) -> Self {
        let free = |partition| (partition, Lease { holder: String::new(), generation: 0 });
        Self {
            beats: BTreeMap::new(),
            leases: (0..PARTITIONS).map(free).collect(),
            locks: [None; PARTITIONS as usize],
            away: None,
            moved: true,
            writers: BTreeMap::new(),
            generations_stand_still,
            beat_count: 0,
            rows_read: 0,
            accepted: 0,
        }
    }

    /// Counts a beat: one more than before, or as many as the process says.
    pub(crate) fn beat(&mut self, id: &str, says: Option<i64>) {
        self.beat_count += 1;
        let count = self.beats.entry(id.to_owned()).or_insert(0);
        *count = says.unwrap_or(*count + 1);
    }

    pub(crate) fn bury(&mut self, id: &str, count: i64) {
        if self.beats.get(id) == Some(&count) {
            self.beats.remove(id);
        }
    }

    /// Gives a lease to somebody, unless it changed hands.
    pub(crate) fn change(&mut self, now: Duration, partition: u32, generation: i64, holder: &str) -> Changed {
        if self.locks[partition as usize].is_some_and(|lock| now < lock.until) {
            return Changed::Locked;
        }
        let Some(lease) = self.leases.get_mut(&partition) else { return Changed::Done };
        if lease.generation == generation {
            let generation = generation + i64::from(!self.generations_stand_still);
            *lease = Lease { holder: holder.to_owned(), generation };
            self.moved = true;
        }
        Changed::Done
    }

    /// Gives back all that a process holds, and forgets it.
    pub(crate) fn leave(&mut self, id: &str) {
        for lease in self.leases.values_mut().filter(|lease| lease.holder == id) {
            *lease = Lease { holder: String::new(), generation: lease.generation + 1 };
        }
        self.beats.remove(id);
        self.moved = true;
    }

    /// Begins to write: locks the rows of what is held. `false` if one has changed hands.
    pub(crate) fn fence(&mut self, process: usize, held: &store::Held) -> bool {
        if held.iter().any(|(partition, generation)| self.leases[&partition].generation != generation) {
            return false;
        }
        for (partition, _) in held.iter() {
            self.locks[partition as usize] = Some(Lock { process, until: Duration::MAX });
        }
        true
    }

    /// The locks of a process go, at this time.
    pub(crate) fn unlock(&mut self, process: usize, until: Duration) {
        for lock in self.locks.iter_mut().flatten().filter(|lock| lock.process == process) {
            lock.until = lock.until.min(until);
        }
    }

    /// Ends a transaction whose locks are all there still: what it wrote is there for ever.
    pub(crate) fn commit(&mut self, now: Duration, process: usize, held: &store::Held) {
        for (partition, generation) in held.iter() {
            let first = *self.writers.entry((partition, generation)).or_insert(process);
            assert_eq!(first, process, "two wrote under generation {generation} of partition {partition}, at {now:?}");
            let later = self.writers.range((partition, generation + 1)..=(partition, i64::MAX)).next();
            assert_eq!(later, None, "an older generation of partition {partition} wrote after a younger, at {now:?}");
        }
        self.accepted += 1;
        self.unlock(process, now);
    }
}
