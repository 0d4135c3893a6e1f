//! A process of the aggregator: a beat is the steps of `store::Leases`, a statement each, with whatever happens between them.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use store::{
    Held,
    leases::{Lease, Plan, Sightings, plan},
};

use crate::{
    database::{Changed, Database},
    settings::Settings,
};

/// What a process does next.
#[derive(Debug)]
pub(crate) enum Step {
    Wake,
    Beat,
    Look,
    Bury(Vec<(String, i64)>),
    Plan,
    /// Partition, generation, and the new holder; since when the first is tried.
    Change(VecDeque<(u32, i64, String)>, Duration),
    LookAgain,
}

/// When the next step is.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// After a statement.
    Statement,
    /// A moment later, because of a lock.
    Retry,
    /// After a pause.
    Beat,
}

/// Whether a process runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum State {
    Runs,
    /// Does nothing until then, and knows nothing of it.
    Hangs(Duration),
    Gone,
}

pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) state: State,
    pub(crate) leaves: bool,
    pub(crate) step: Step,
    /// Tells its next step from those that were put off.
    pub(crate) turn: u64,
    sightings: Sightings,
    live: BTreeSet<String>,
    began: Duration,
    looks_at: Duration,
    counted: i64,
    /// How long it makes itself ready after its first beat; zero once it has.
    pub(crate) prepares: Duration,
    pub(crate) ready_at: Duration,
    pub(crate) held: Held,
    /// What it gives back with this beat.
    releases: BTreeSet<u32>,
    /// When the streams of what it holds are open.
    pub(crate) reads_from: Duration,
    /// What it held as its transaction began, and when the database gives that up.
    pub(crate) writing: Option<(Held, Duration)>,
}

impl Process {
    pub(crate) fn new(number: usize, now: Duration, dead_after: Duration) -> Self {
        Self {
            id: format!("{number:06}"),
            state: State::Runs,
            leaves: false,
            step: Step::Wake,
            turn: 0,
            sightings: Sightings::with(dead_after),
            live: BTreeSet::new(),
            began: now,
            looks_at: Duration::ZERO,
            counted: 0,
            prepares: Duration::ZERO,
            ready_at: now,
            held: Held::default(),
            releases: BTreeSet::new(),
            reads_from: now,
            writing: None,
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.state == State::Runs
    }

    /// Takes the next step.
    pub(crate) fn go(&mut self, now: Duration, database: &mut Database, settings: &Settings) -> Next {
        match std::mem::replace(&mut self.step, Step::Wake) {
            Step::Wake => {
                self.looks_at = now - self.began;
                self.step = Step::Beat;
            }
            Step::Beat => {
                self.counted += 1;
                database.beat(&self.id, settings.counts_itself.then_some(self.counted));
                self.step = Step::Look;
            }
            Step::Look => {
                database.rows_read += database.beats.len() as u64;
                self.live = self.sightings.see(self.looks_at, &database.beats);
                let dead = database.beats.iter().filter(|(id, _)| !self.live.contains(*id));
                let dead: Vec<_> = dead.map(|(id, count)| (id.clone(), *count)).collect();
                self.step = if dead.is_empty() { Step::Plan } else { Step::Bury(dead) };
            }
            Step::Bury(mut dead) => {
                if let Some((id, count)) = dead.pop() {
                    database.bury(&id, count);
                }
                self.step = if dead.is_empty() { Step::Plan } else { Step::Bury(dead) };
            }
            Step::Plan => {
                database.rows_read += database.leases.len() as u64;
                let Plan { take, release } = plan(&self.id, &self.live, &database.leases);
                let held = self.mine(database);
                self.releases = release.iter().copied().collect();
                self.held = self.without_released(&held);
                let change = |partition: &u32, holder: &str| {
                    (*partition, database.leases[partition].generation, holder.to_owned())
                };
                let taken = take.iter().map(|partition| change(partition, &self.id));
                let changes: VecDeque<_> = taken.chain(release.iter().map(|partition| change(partition, ""))).collect();
                if changes.is_empty() {
                    return Next::Beat;
                }
                self.step = Step::Change(changes, now);
            }
            Step::Change(mut changes, since) => {
                let Some((partition, generation, holder)) = changes.pop_front() else { return Next::Beat };
                let changed = database.change(now, partition, generation, &holder);
                if changed == Changed::Locked && !settings.passes_over_locked {
                    if now >= since + settings.lock_timeout {
                        // The beat fails.
                        return Next::Beat;
                    }
                    changes.push_front((partition, generation, holder));
                    self.step = Step::Change(changes, since);
                    return Next::Retry;
                }
                self.step = if changes.is_empty() { Step::LookAgain } else { Step::Change(changes, now) };
            }
            Step::LookAgain => {
                database.rows_read += database.leases.len() as u64;
                self.held = self.without_released(&self.mine(database));
                return Next::Beat;
            }
        }
        Next::Statement
    }

    fn mine(&self, database: &Database) -> Held {
        let mine = |lease: &Lease| lease.holder == self.id;
        let leases = database.leases.iter().filter(|(_, lease)| mine(lease));
        leases.map(|(partition, lease)| (*partition, lease.generation)).collect()
    }

    fn without_released(&self, held: &Held) -> Held {
        held.iter().filter(|(partition, _)| !self.releases.contains(partition)).collect()
    }
}
