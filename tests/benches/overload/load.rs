//! Loads: callers who await each answer, and calls that come by a clock.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tonic::{Code, Status};

use crate::calls::Calls;

/// How often the clock makes calls.
const TICK: Duration = Duration::from_millis(1);

/// What became of the calls of one load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Took {
    /// Calls a second that were made.
    pub(crate) made_rate: f64,
    /// Calls a second that were answered well.
    pub(crate) accepted_rate: f64,
    /// Their median, in milliseconds.
    pub(crate) middle: f64,
    /// Their 99th percentile, in milliseconds.
    pub(crate) tail: f64,
    /// The median time of those that were refused, in milliseconds.
    pub(crate) refused_middle: f64,
    /// The share of all calls that were refused as too many.
    pub(crate) refused: f64,
    /// The share that ran out of time.
    pub(crate) late: f64,
    /// The share that failed otherwise.
    pub(crate) failed: f64,
}

impl Took {
    pub(crate) const HEADER: &str = "  made/s accepted/s   p50 ms   p99 ms  refused  (ms)   late  failed   server";

    fn of(ended: &[(Instant, Instant, Code)], seconds: f64) -> Self {
        let times = |code: fn(Code) -> bool| {
            let times = ended.iter().filter(|call| code(call.2)).map(|call| (call.1 - call.0).as_secs_f64() * 1e3);
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let (accepted, refused) = (times(|code| code == Code::Ok), times(|code| code == Code::ResourceExhausted));
        let late = times(|code| matches!(code, Code::DeadlineExceeded | Code::Cancelled)).len();
        let all = ended.len().max(1) as f64;
        let at = |times: &[f64], share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        Self {
            made_rate: all / seconds,
            accepted_rate: accepted.len() as f64 / seconds,
            middle: at(&accepted, 0.5),
            tail: at(&accepted, 0.99),
            refused_middle: at(&refused, 0.5),
            refused: refused.len() as f64 / all,
            late: late as f64 / all,
            failed: (ended.len() - accepted.len() - refused.len() - late) as f64 / all,
        }
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>8.0} {:>10.0} {:>8.2} {:>8.2} {:>7.1}% {:>5.0} {:>5.1}% {:>6.2}%",
            self.made_rate,
            self.accepted_rate,
            self.middle,
            self.tail,
            self.refused * 100.0,
            self.refused_middle,
            self.late * 100.0,
            self.failed * 100.0
        )
    }
}

fn code(answer: Result<(), Status>) -> Code {
    answer.map_or_else(|status| status.code(), |()| Code::Ok)
}

/// Calls by so many callers, each of whom awaits the answer before the next call.
pub(crate) async fn by_callers(calls: &Calls, callers: usize, length: Duration) -> Took {
    let ended = RefCell::new(Vec::new());
    let start = Instant::now();
    let caller = || async {
        while start.elapsed() < length {
            let due = Instant::now();
            let code = code(calls.make().await);
            ended.borrow_mut().push((due, Instant::now(), code));
        }
    };
    futures_util::future::join_all((0..callers).map(|_| caller())).await;
    let seconds = start.elapsed().as_secs_f64();
    let ended = ended.borrow();
    Took::of(&ended, seconds)
}

/// So many calls a second, whatever becomes of them; the first fifth is not counted.
pub(crate) async fn by_clock(calls: &Calls, rate: f64, length: Duration) -> Took {
    let mut ended = Vec::with_capacity((rate * length.as_secs_f64()) as usize);
    let mut running = FuturesUnordered::new();
    let mut made = 0_u64;
    let start = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                let elapsed = start.elapsed();
                if elapsed >= length {
                    break;
                }
                while made < (elapsed.as_secs_f64() * rate) as u64 {
                    made += 1;
                    let due = start + Duration::from_secs_f64(made as f64 / rate);
                    running.push(async move {
                        let code = code(calls.make().await);
                        (due, Instant::now(), code)
                    });
                }
            }
            Some(call) = running.next() => ended.push(call),
        }
    }
    ended.extend(running.collect::<Vec<_>>().await);
    let warm = start + length / 5;
    let counted: Vec<_> = ended.into_iter().filter(|call| call.0 >= warm).collect();
    Took::of(&counted, length.as_secs_f64() * 0.8)
}
