//! Loads: callers who await each answer, and calls that come by a clock.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tonic::Code;

use crate::calls::{Clients, Kind};
use crate::frames::{Connection, Ended};
use crate::server::Server;

/// How often the clock makes calls of the suite's clients.
const TICK: Duration = Duration::from_millis(1);
/// How long connections are left alone between two looks at them. The system adds half as much.
const LOOK: Duration = Duration::from_micros(100);
/// A call that is made later than this after it was due was not made by the clock.
const IN_TIME: Duration = Duration::from_millis(5);
/// What share of the calls the clock must make in time, for what is said of them to hold.
const KEPT: f64 = 0.95;

/// What became of the calls of one load. The first fifth of its time, which warms up, and what is answered after its end are
/// not counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Took {
    /// Calls a second that were due.
    pub(crate) due_rate: f64,
    /// Calls a second that were answered well.
    pub(crate) accepted_rate: f64,
    /// Their median, in milliseconds.
    middle: f64,
    /// Their 99th percentile, in milliseconds.
    pub(crate) tail: f64,
    /// The median time of those that were refused, in milliseconds.
    refused_middle: f64,
    /// The share of the calls due for which no connection had room.
    held: f64,
    /// The share of the answers that refused a call as too many.
    refused: f64,
    /// The share that came out of time.
    late: f64,
    /// The share that failed otherwise.
    failed: f64,
    /// The share of the calls that were made when they were due.
    in_time: f64,
}

/// What was counted of one load.
#[derive(Default)]
struct Count {
    ended: Vec<Ended>,
    due: usize,
    held: usize,
    in_time: usize,
}

impl Count {
    fn make(&mut self, due: Instant, now: Instant) {
        self.due += 1;
        self.in_time += usize::from(now.saturating_duration_since(due) < IN_TIME);
    }

    fn took(&self, seconds: f64) -> Took {
        let times = |code: Code| {
            let times =
                self.ended.iter().filter(|call| call.2 == code).map(|call| (call.1 - call.0).as_secs_f64() * 1e3);
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let (accepted, refused) = (times(Code::Ok), times(Code::ResourceExhausted));
        let late = times(Code::DeadlineExceeded).len() + times(Code::Cancelled).len();
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        let at = |times: &[f64], share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        let all = self.ended.len();
        Took {
            due_rate: self.due as f64 / seconds,
            accepted_rate: accepted.len() as f64 / seconds,
            middle: at(&accepted, 0.5),
            tail: at(&accepted, 0.99),
            refused_middle: at(&refused, 0.5),
            held: share(self.held, self.due),
            refused: share(refused.len(), all),
            late: share(late, all),
            failed: share(all - accepted.len() - refused.len() - late, all),
            in_time: share(self.in_time, self.due),
        }
    }
}

/// A load while it runs.
struct Run {
    start: Instant,
    length: Duration,
    warm: Duration,
    is_warm: bool,
    count: Count,
}

impl Run {
    fn begin(length: Duration) -> Self {
        Self { start: Instant::now(), length, warm: length / 5, is_warm: false, count: Count::default() }
    }

    /// How long it has run; none when it is over. What came before it was warm is forgotten.
    fn elapsed(&mut self, now: Instant) -> Option<Duration> {
        let elapsed = now - self.start;
        if !self.is_warm && elapsed >= self.warm {
            (self.count, self.is_warm) = (Count::default(), true);
        }
        (elapsed < self.length).then_some(elapsed)
    }

    /// When a call of a clock is due.
    fn due(&self, number: usize, rate: f64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / rate)
    }

    fn took(&self) -> Took {
        self.count.took((self.length - self.warm).as_secs_f64())
    }
}

impl Took {
    pub(crate) const HEADER: &str =
        "   due/s accepted/s   p50 ms   p99 ms    held  refused  (ms)   late  failed  in time   server";

    /// Whether the clock was kept.
    pub(crate) fn is_by_the_clock(&self) -> bool {
        self.in_time >= KEPT
    }

    /// Whether all was accepted but for one call of a thousand.
    fn is_accepted(&self) -> bool {
        self.is_by_the_clock() && self.held + self.refused + self.late + self.failed < 0.001
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        write!(
            f,
            "{:>8.0} {:>10.0} {:>8.2} {:>8.2} {:>6.1}% {:>7.1}% {:>5.0} {:>5.1}% {:>6.2}% {:>7.1}%",
            self.due_rate,
            self.accepted_rate,
            self.middle,
            self.tail,
            percent(self.held),
            percent(self.refused),
            self.refused_middle,
            percent(self.late),
            percent(self.failed),
            percent(self.in_time)
        )
    }
}

/// Connections that are written to frame by frame. They send whatever the server lets them, and take any answer.
pub(crate) struct Flood {
    kind: Kind,
    connections: Vec<Connection>,
    next: usize,
}

impl Flood {
    /// Connects.
    pub(crate) fn connect(server: &Server, kind: Kind) -> Self {
        let connections = (0..crate::connections()).map(|_| Connection::to(server.address(), kind.path())).collect();
        Self { kind, connections, next: 0 }
    }

    /// Makes a call over the next connection that has room.
    fn call(&mut self, due: Instant) -> bool {
        let message = self.kind.message();
        let count = self.connections.len();
        self.next += 1;
        (0..count).any(|other| self.connections[(self.next + other) % count].call(due, &message))
    }

    fn exchange(&mut self, ended: &mut Vec<Ended>) {
        self.connections.iter_mut().for_each(|connection| connection.exchange(ended));
        std::thread::sleep(LOOK);
    }

    fn open(&self) -> usize {
        self.connections.iter().map(Connection::open).sum()
    }

    /// For so long, makes what calls `due` says: how many since the start, by the time since then and what is open.
    fn run(&mut self, length: Duration, mut due: impl FnMut(Duration, &Self) -> (usize, Option<f64>)) -> Took {
        let (mut run, mut made) = (Run::begin(length), 0);
        loop {
            let now = Instant::now();
            let Some(elapsed) = run.elapsed(now) else { break };
            let (wanted, rate) = due(elapsed, self);
            while made < wanted {
                made += 1;
                let due = rate.map_or(now, |rate| run.due(made, rate));
                run.count.make(due, now);
                run.count.held += usize::from(!self.call(due));
            }
            self.exchange(&mut run.count.ended);
        }
        let took = run.took();
        // The next load begins with nothing open.
        while self.open() > 0 {
            self.exchange(&mut run.count.ended);
        }
        took
    }

    /// Calls by so many callers, each of whom awaits the answer before the next call.
    pub(crate) fn by_callers(&mut self, callers: usize, length: Duration) -> Took {
        let mut made = 0;
        self.run(length, |_, flood| {
            made += callers - flood.open();
            (made, None)
        })
    }

    /// So many calls a second, whatever becomes of them.
    pub(crate) fn by_clock(&mut self, rate: f64, length: Duration) -> Took {
        self.run(length, |elapsed, _| ((elapsed.as_secs_f64() * rate) as usize, Some(rate)))
    }

    /// The highest rate by a clock that is accepted, to a hundredth or so of `about`: what is halved lies between half and one
    /// and a half times of that. What fails by chance, on a machine that does something else too, may try again.
    pub(crate) fn capacity(&mut self, about: f64, length: Duration) -> f64 {
        let (mut accepted, mut refused) = (about * 0.5, about * 1.5);
        for _ in 0..6 {
            let middle = (accepted + refused) / 2.0;
            if (0..2).any(|_| self.by_clock(middle, length).is_accepted()) {
                accepted = middle;
            } else {
                refused = middle;
            }
        }
        accepted
    }
}

/// So many calls a second of the suite's clients, whatever becomes of them.
pub(crate) async fn by_clock(clients: &Clients, rate: f64, length: Duration) -> Took {
    let mut running = FuturesUnordered::new();
    let (mut run, mut made) = (Run::begin(length), 0);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                let now = Instant::now();
                let Some(elapsed) = run.elapsed(now) else { break };
                while made < (elapsed.as_secs_f64() * rate) as usize {
                    made += 1;
                    let due = run.due(made, rate);
                    run.count.make(due, now);
                    running.push(async move {
                        let code = clients.make().await.map_or_else(|status| status.code(), |()| Code::Ok);
                        (due, Instant::now(), code)
                    });
                }
            }
            Some(call) = running.next() => run.count.ended.push(call),
        }
    }
    let took = run.took();
    // The next load begins with nothing open.
    running.collect::<Vec<_>>().await;
    took
}
