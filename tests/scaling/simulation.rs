//! Lets a cell live through what happens to it, in virtual time: the same settings give the same figures, to the bit.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use store::PARTITIONS;

use crate::{
    chance::Chance,
    database::Database,
    figures::{Figures, Watch},
    process::{Next, Process, State, Step},
    scenarios::Happening,
    settings::{Settings, WARM_UP},
    work::Work,
};

/// How often what flows is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How soon a lock is tried again.
const RETRY: Duration = Duration::from_millis(20);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Go(usize, u64),
    Write(usize),
    Commit(usize),
    Opened,
    Happens(usize),
    Tick,
}

/// A cell's life.
pub(crate) struct Simulation<'a> {
    pub(crate) settings: &'a Settings,
    happenings: &'a [(Duration, Happening)],
    pub(crate) chance: Chance,
    pub(crate) now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    queued: u64,
    pub(crate) database: Database,
    pub(crate) processes: Vec<Process>,
    by_id: BTreeMap<String, usize>,
    readers: [Option<usize>; PARTITIONS as usize],
    work: Work,
    watch: Watch,
}

/// Lets a cell live, and checks what must hold of it.
pub(crate) fn simulate(settings: &Settings, happenings: &[(Duration, Happening)]) -> Figures {
    let mut chance = Chance::of(settings.seed);
    let mut simulation = Simulation {
        settings,
        happenings,
        work: Work::new(&settings.load, &mut chance),
        chance,
        now: Duration::ZERO,
        queue: BinaryHeap::new(),
        queued: 0,
        database: Database::new(settings.generations_stand_still),
        processes: Vec::new(),
        by_id: BTreeMap::new(),
        readers: [None; PARTITIONS as usize],
        watch: Watch::default(),
    };
    for _ in 0..settings.processes {
        let after = simulation.chance.between((Duration::ZERO, Duration::from_secs(1)));
        simulation.join(after);
    }
    for (index, (at, _)) in happenings.iter().enumerate() {
        simulation.put(*at, Event::Happens(index));
    }
    simulation.put(TICK, Event::Tick);
    simulation.run()
}

impl Simulation<'_> {
    fn run(mut self) -> Figures {
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            if at > self.settings.ends {
                break;
            }
            self.now = at;
            match event {
                Event::Go(process, turn) if self.processes[process].turn == turn => self.go(process),
                Event::Go(..) => {}
                Event::Write(process) => self.write(process),
                Event::Commit(process) => self.commit(process),
                Event::Opened => self.database.moved = true,
                Event::Happens(index) => self.happen(&self.happenings[index].1.clone()),
                Event::Tick => self.tick(),
            }
            if std::mem::take(&mut self.database.moved) {
                self.look_who_reads();
            }
        }
        self.now = self.settings.ends;
        let shares = self.shares();
        self.watch.finish(self.settings, self.happenings, &self.database, &shares)
    }

    fn put(&mut self, at: Duration, event: Event) {
        self.queued += 1;
        self.queue.push(Reverse((at, self.queued, event)));
    }

    pub(crate) fn join(&mut self, after: Duration) {
        let number = self.processes.len();
        let mut process = Process::new(number, self.now + after, self.settings.dead_after);
        // The first beat takes what is due; then the process makes itself ready, and only then reads and beats on.
        process.prepares = self.chance.between(self.settings.prepares);
        process.ready_at = self.now + after + process.prepares;
        self.by_id.insert(process.id.clone(), number);
        let prepares = process.prepares;
        self.processes.push(process);
        self.put(self.now + after, Event::Go(number, 0));
        let first = prepares + self.chance.between((Duration::ZERO, self.settings.write_every));
        self.put(self.now + after + first, Event::Write(number));
    }

    /// When what a process is about to do can be done, if not now.
    fn later(&mut self, process: usize, reaches_database: bool) -> Option<Duration> {
        match self.processes[process].state {
            State::Runs => {}
            State::Hangs(until) if self.now < until => return Some(until),
            State::Hangs(_) => {
                self.processes[process].state = State::Runs;
                self.database.moved = true;
            }
            State::Gone => return Some(Duration::MAX),
        }
        let (back, _) = self.database.away.filter(|(back, _)| reaches_database && self.now < *back)?;
        Some(back + self.chance.between(self.settings.statement))
    }

    fn go(&mut self, number: usize) {
        let refuses = self.database.away.is_some_and(|(back, refuses)| refuses && self.now < back);
        let asks = !matches!(self.processes[number].step, Step::Wake);
        if asks && refuses && self.processes[number].runs() {
            // The beat fails; what is held is what it was.
            self.processes[number].step = Step::Wake;
            return self.go_after(number, &Next::Beat);
        }
        if let Some(at) = self.later(number, asks) {
            return self.go_at(number, at);
        }
        let process = &mut self.processes[number];
        if process.leaves && matches!(process.step, Step::Wake) {
            self.database.unlock(number, self.now);
            self.database.leave(&process.id);
            process.state = State::Gone;
            return;
        }
        let held = process.held.clone();
        let next = process.go(self.now, &mut self.database, self.settings);
        if process.held != held {
            let opens = self.now.max(process.ready_at) + self.chance.between(self.settings.open_stream);
            process.reads_from = opens;
            self.put(opens, Event::Opened);
            self.database.moved = true;
        }
        self.go_after(number, &next);
    }

    fn go_after(&mut self, number: usize, next: &Next) {
        let (times, slow) = self.settings.slow;
        let after = match next {
            Next::Statement if self.chance.below(times) == 0 => slow,
            Next::Statement => self.chance.between(self.settings.statement),
            Next::Retry => RETRY,
            Next::Beat => {
                let prepares = std::mem::take(&mut self.processes[number].prepares);
                self.settings.beat_every + prepares + self.chance.between(self.settings.statement)
            }
        };
        self.go_at(number, self.now + after);
    }

    pub(crate) fn go_at(&mut self, number: usize, at: Duration) {
        let process = &mut self.processes[number];
        process.turn += 1;
        let turn = process.turn;
        if at < Duration::MAX {
            self.put(at, Event::Go(number, turn));
        }
    }

    fn write(&mut self, number: usize) {
        if let Some(at) = self.later(number, true) {
            if at < Duration::MAX {
                self.put(at, Event::Write(number));
            }
            return;
        }
        let held = self.processes[number].held.clone();
        if !held.is_empty() {
            if self.database.fence(number, &held) {
                self.processes[number].writing = Some((held, Duration::MAX));
                let takes = self.chance.between(self.settings.write_takes);
                return self.put(self.now + takes, Event::Commit(number));
            }
            self.watch.refused += u64::from(self.now >= WARM_UP);
            if matches!(self.processes[number].step, Step::Wake) {
                self.go_at(number, self.now);
            }
        }
        self.put(self.now + self.settings.write_every, Event::Write(number));
    }

    fn commit(&mut self, number: usize) {
        if let Some(at) = self.later(number, true) {
            if at < Duration::MAX {
                self.put(at, Event::Commit(number));
            }
            return;
        }
        if let Some((held, given_up)) = self.processes[number].writing.take() {
            if self.now < given_up {
                self.database.commit(self.now, number, &held);
            } else {
                self.watch.refused += 1;
            }
        }
        self.put(self.now + self.settings.write_every, Event::Write(number));
    }

    fn tick(&mut self) {
        for number in 0..self.processes.len() {
            if matches!(self.processes[number].state, State::Hangs(until) if until <= self.now) {
                self.processes[number].state = State::Runs;
                self.database.moved = true;
            }
        }
        let away = self.database.away.is_some_and(|(back, _)| self.now < back);
        let readers = if away { [None; PARTITIONS as usize] } else { self.readers };
        self.work.pass(TICK.as_secs_f64(), &readers);
        if self.now >= WARM_UP {
            let shares = self.shares();
            self.watch.tick(self.now, TICK, self.work.lags(), &shares);
        }
        self.put(self.now + TICK, Event::Tick);
    }

    /// How many partitions each process that runs holds.
    fn shares(&self) -> Vec<usize> {
        let mut shares: BTreeMap<usize, usize> = BTreeMap::new();
        for lease in self.database.leases.values() {
            self.by_id.get(&lease.holder).into_iter().for_each(|number| *shares.entry(*number).or_default() += 1);
        }
        let running = (0..self.processes.len()).filter(|number| self.processes[*number].runs());
        running.map(|number| shares.get(&number).copied().unwrap_or(0)).collect()
    }

    fn look_who_reads(&mut self) {
        for (partition, lease) in &self.database.leases {
            self.readers[*partition as usize] = self.by_id.get(&lease.holder).copied().filter(|number| {
                let process = &self.processes[*number];
                process.runs()
                    && process.reads_from <= self.now
                    && process.held.generation(*partition) == Some(lease.generation)
            });
        }
        self.watch.read(self.now, &self.readers, &self.database.leases);
    }
}
