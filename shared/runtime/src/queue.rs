//! The calls that have arrived on a thread and wait for it, and which of them are too late to begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::load::Load;
use crate::telemetry::{Telemetry, names};
use crate::throttle::Throttle;

/// How long a call may wait for its thread while the thread does not keep up.
///
/// The rule is the "controlled delay" of B. Maurer, "Fail at Scale" (ACM Queue 13/8, 2015), after CoDel (RFC 8289): while a
/// queue empties now and then it may be long for a moment; once it has stood for [`STANDING`], only what waited shortly is
/// begun. There the wait is 5 ms; refusing a call over HTTP/2 costs a tenth of answering it, so that a thread which begins
/// calls for 5 ms and then refuses all others would do little else under a flood. `tests/benches/overload` measures it.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// How long calls must have been waiting without a pause for the queue to count as standing, as in both sources.
const STANDING: Duration = Duration::from_millis(100);
/// So many waiting calls are not overload, however slow the machine is that day: callers who await each answer make as many.
const SHORT: usize = 64;
/// The queue of one thread. It belongs to that thread; the atomics only make it `Sync`.
#[derive(Debug)]
pub(crate) struct Queue {
    created: Instant,
    waiting: AtomicUsize,
    /// When nothing waited for the last time, in microseconds since `created`.
    emptied: AtomicU64,
    load: Load,
    telemetry: Telemetry,
    lines: Throttle,
}

/// A call that waits. Dropped, it has left.
#[derive(Debug)]
pub(crate) struct Waiting {
    queue: Arc<Queue>,
    arrived: Instant,
}

/// The call is too late; with how long its caller should wait before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate(pub(crate) Duration);

impl Queue {
    pub(crate) fn new(now: Instant, telemetry: Telemetry) -> Queue {
        Queue {
            created: now,
            waiting: AtomicUsize::new(0),
            emptied: AtomicU64::new(0),
            load: Load::new(now),
            telemetry,
            lines: Throttle::default(),
        }
    }

    fn refuse(&self, reason: &'static str) -> TooLate {
        if let Some(recorder) = &self.telemetry.recorder {
            recorder.instruments.call_refused(reason);
        }
        if let Some(unsaid) = self.lines.line() {
            let waiting = self.waiting.load(Relaxed);
            tracing::warn!(reason, waiting, unsaid, "refusing calls of a thread's connections");
        }
        TooLate(self.load.pause())
    }

    /// Adds a call.
    pub(crate) fn join(self: &Arc<Queue>, now: Instant) -> Waiting {
        if self.waiting.fetch_add(1, Relaxed) == 0 {
            self.emptied.store(self.micros(now), Relaxed);
        }
        Waiting { queue: self.clone(), arrived: now }
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.created).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Waiting {
    /// When the call arrived.
    pub(crate) fn arrived(&self) -> Instant {
        self.arrived
    }

    /// The call's turn has come: whether it may begin. `full` says that its client leaves too many answers untaken.
    ///
    /// # Errors
    /// If it has waited for too long, or its client is to take answers first.
    pub(crate) fn begin(self, now: Instant, full: bool) -> Result<(), TooLate> {
        let queue = &self.queue;
        let micros = queue.micros(now);
        let stood = micros.saturating_sub(queue.emptied.load(Relaxed));
        let late = now.saturating_duration_since(self.arrived) > LONGEST_WAIT
            && u128::from(stood) > STANDING.as_micros()
            && queue.waiting.load(Relaxed) > SHORT;
        queue.load.count(now, late || full);
        match () {
            () if late => Err(queue.refuse(names::REFUSED_WAITED)),
            () if full => Err(queue.refuse(names::REFUSED_UNTAKEN)),
            () => Ok(()),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.queue.waiting.fetch_sub(1, Relaxed) == 1 {
            self.queue.emptied.store(self.queue.micros(Instant::now()), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: Duration = Duration::from_millis(1);

    /// A queue in which so many calls have waited since the start, with none having left.
    fn standing(count: usize, start: Instant) -> (Arc<Queue>, Vec<Waiting>) {
        let queue = Arc::new(Queue::new(start, Telemetry::off()));
        let waiting = (0..count).map(|_| queue.join(start)).collect();
        (queue, waiting)
    }

    #[test]
    fn a_burst_is_served_however_long_and_a_queue_that_stands_is_not() {
        let start = Instant::now();
        let (_queue, mut burst) = standing(SHORT * 4, start);
        burst.pop().unwrap().begin(start + STANDING, false).unwrap();
        burst.pop().unwrap().begin(start + STANDING + MILLIS, false).unwrap_err();
    }

    #[test]
    fn what_came_just_now_is_begun_even_while_the_queue_stands() {
        let start = Instant::now();
        let (queue, _burst) = standing(SHORT * 4, start);
        let now = start + STANDING * 3;
        queue.join(now).begin(now + LONGEST_WAIT, false).unwrap();
        queue.join(now).begin(now + LONGEST_WAIT + MILLIS, false).unwrap_err();
    }

    #[test]
    fn few_callers_are_served_on_however_slow_a_machine() {
        let start = Instant::now();
        let (_queue, mut few) = standing(SHORT, start);
        few.pop().unwrap().begin(start + STANDING * 50, false).unwrap();
    }

    #[test]
    fn everything_is_served_at_once_when_the_queue_has_emptied() {
        let start = Instant::now();
        let (queue, waiting) = standing(SHORT * 4, start);
        let later = start + STANDING * 2;
        assert!(waiting.into_iter().filter_map(|call| call.begin(later, false).err()).count() > SHORT);
        // The queue emptied a moment ago by the true clock, which is not that of this test: the next calls begin a new one.
        let next: Vec<Waiting> = (0..SHORT * 4).map(|_| queue.join(later)).collect();
        assert!(next.into_iter().all(|call| call.begin(later + STANDING, false).is_ok()));
    }

    #[test]
    fn a_call_that_is_given_up_leaves_the_queue() {
        let start = Instant::now();
        let (queue, mut waiting) = standing(SHORT + 2, start);
        waiting.truncate(2);
        assert_eq!(queue.waiting.load(Relaxed), 2);
        waiting.pop().unwrap().begin(start + STANDING * 2, false).unwrap();
    }
}
