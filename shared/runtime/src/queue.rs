//! The calls that have arrived on a thread and wait for it: which begins next, and which are too late to begin.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::load::Load;
use crate::pace::Pace;
use crate::telemetry::{Telemetry, names};
use crate::throttle::Throttle;

/// How long a call may wait for its thread while the thread does not keep up.
///
/// The rules are the "controlled delay" and the "adaptive LIFO" of B. Maurer, "Fail at Scale" (ACM Queue 13/8, 2015), the first
/// after CoDel (RFC 8289): while a queue empties now and then it may be long for a moment; once it has stood for [`STANDING`],
/// who has waited too long is refused. Refusals have a rate of their own ([`Pace`]); while more calls than that are too late,
/// the newest begins first, so that what is accepted has waited shortly. `tests/benches/overload` measures it.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// How long calls must have been waiting without a pause for the queue to count as standing, as in both sources.
const STANDING: Duration = Duration::from_millis(100);
/// So many calls are on their way to the thread in the order in which they came, whatever else waits: enough for it to read and
/// write for many at once. So many are not overload, however slow the machine is that day: callers who await each answer make
/// as many.
const SHORT: usize = 64;
/// So many calls may wait; beyond, the oldest are refused however many that are. Each takes some kilobytes.
const LONGEST: usize = 4_096;

/// The queue of one thread. It belongs to that thread; the locks only make it `Sync`.
#[derive(Debug)]
pub(crate) struct Queue {
    line: Mutex<Line>,
    load: Load,
    telemetry: Telemetry,
    lines: Throttle,
}

#[derive(Debug)]
struct Line {
    /// Calls that may begin and have not yet.
    called: usize,
    /// Calls that wait for others to begin, the oldest first; some of them were given up.
    parked: VecDeque<Arc<Place>>,
    given_up: usize,
    /// When nothing waited for the last time.
    emptied: Instant,
    refusals: Pace,
}

/// Where a call waits.
#[derive(Debug)]
struct Place {
    arrived: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Parked(Option<Waker>),
    Called,
    TooLate,
    GivenUp,
}

/// A call that waits. Dropped, it has left.
#[derive(Debug)]
pub(crate) struct Waiting {
    queue: Arc<Queue>,
    arrived: Instant,
    /// Where it waits, unless it was called as it came.
    place: Option<Arc<Place>>,
    left: bool,
}

/// The call is too late; with how long its caller should wait before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate(pub(crate) Duration);

impl Queue {
    pub(crate) fn new(now: Instant, telemetry: Telemetry) -> Queue {
        let line = Line { called: 0, parked: VecDeque::new(), given_up: 0, emptied: now, refusals: Pace::new(now) };
        Queue { line: Mutex::new(line), load: Load::new(now), telemetry, lines: Throttle::default() }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // Nothing that is done under the lock panics.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, reason: &'static str) -> TooLate {
        if let Some(recorder) = &self.telemetry.recorder {
            recorder.instruments.call_refused(reason);
        }
        if let Some(unsaid) = self.lines.line() {
            let waiting = self.line().waiting();
            tracing::warn!(reason, waiting, unsaid, "refusing calls of a thread's connections");
        }
        TooLate(self.load.pause())
    }

    /// Adds a call.
    pub(crate) fn join(self: &Arc<Queue>, now: Instant) -> Waiting {
        let mut line = self.line();
        if line.waiting() == 0 {
            line.emptied = now;
        }
        let place = if line.called < SHORT {
            line.called += 1;
            None
        } else {
            let place = Arc::new(Place { arrived: now, state: Mutex::new(State::Parked(None)) });
            line.parked.push_back(place.clone());
            Some(place)
        };
        Waiting { queue: self.clone(), arrived: now, place, left: false }
    }
}

impl Line {
    fn waiting(&self) -> usize {
        self.called + self.parked.len() - self.given_up
    }

    /// A call that was called has begun or was given up: calls others, and refuses those who are too late.
    fn go_on(&mut self, now: Instant) {
        self.called -= 1;
        let standing = now.saturating_duration_since(self.emptied) > STANDING;
        while self.called < SHORT {
            // If the oldest is too late, those after it soon would be too.
            let late = standing && self.parked.front().is_some_and(|place| place.is_late(now));
            let next = if late { self.parked.pop_back() } else { self.parked.pop_front() };
            let Some(place) = next else { break };
            if place.tell(State::Called) {
                self.called += 1;
            } else {
                self.given_up -= 1;
            }
        }
        while standing
            && let Some(oldest) = self.parked.front()
            && (self.parked.len() > LONGEST || oldest.is_late(now) && self.refusals.is_due(now))
        {
            if oldest.tell(State::TooLate) {
                self.refusals.take(now);
            } else {
                self.given_up -= 1;
            }
            self.parked.pop_front();
        }
        if self.waiting() == 0 {
            self.emptied = now;
        }
    }
}

impl Place {
    fn is_late(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.arrived) > LONGEST_WAIT
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a call that is parked what became of it. Returns false if it was given up.
    fn tell(&self, news: State) -> bool {
        let before = std::mem::replace(&mut *self.state(), news);
        match before {
            State::Parked(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
                true
            }
            _ => false,
        }
    }
}

impl Waiting {
    /// When the call arrived.
    pub(crate) fn arrived(&self) -> Instant {
        self.arrived
    }

    /// Waits for the call's turn, and says whether it may begin. `full` says that its client leaves too many answers untaken.
    ///
    /// # Errors
    /// If it has waited for too long, or its client is to take answers first.
    pub(crate) fn poll_begin(
        &mut self,
        context: &mut Context<'_>,
        now: Instant,
        full: bool,
    ) -> Poll<Result<(), TooLate>> {
        if let Some(place) = &self.place
            && let State::Parked(waker) = &mut *place.state()
        {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let late = self.leave(now);
        let queue = &self.queue;
        queue.load.count(now, late || full);
        Poll::Ready(match () {
            () if late => Err(queue.refuse(names::REFUSED_WAITED)),
            () if full => Err(queue.refuse(names::REFUSED_UNTAKEN)),
            () => Ok(()),
        })
    }

    /// Leaves the queue once. Returns whether the call was told that it is too late.
    fn leave(&mut self, now: Instant) -> bool {
        if std::mem::replace(&mut self.left, true) {
            return false;
        }
        let mut line = self.queue.line();
        let Some(place) = self.place.take() else {
            line.go_on(now);
            return false;
        };
        let before = std::mem::replace(&mut *place.state(), State::GivenUp);
        match before {
            State::Parked(_) => line.given_up += 1,
            State::Called => line.go_on(now),
            State::TooLate => return true,
            State::GivenUp => {}
        }
        false
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.left {
            self.leave(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::AT_ONCE;

    const MILLIS: Duration = Duration::from_millis(1);

    /// A queue in which so many calls have waited since the start, with none having left.
    fn standing(count: usize, start: Instant) -> (Arc<Queue>, Vec<Waiting>) {
        let queue = Arc::new(Queue::new(start, Telemetry::off()));
        let waiting = (0..count).map(|_| queue.join(start)).collect();
        (queue, waiting)
    }

    /// Whether a call begins (`Some(true)`), is refused, or waits on.
    fn begins(call: &mut Waiting, now: Instant) -> Option<bool> {
        match call.poll_begin(&mut Context::from_waker(Waker::noop()), now, false) {
            Poll::Ready(begun) => Some(begun.is_ok()),
            Poll::Pending => None,
        }
    }

    fn count(calls: &mut [Waiting], now: Instant, begun: Option<bool>) -> usize {
        calls.iter_mut().filter_map(|call| (begins(call, now) == begun).then_some(())).count()
    }

    #[test]
    fn calls_begin_in_the_order_in_which_they_came() {
        let start = Instant::now();
        let (_queue, mut calls) = standing(SHORT * 2, start);
        assert_eq!(begins(&mut calls[SHORT], start), None);
        assert_eq!(begins(&mut calls[0], start), Some(true));
        assert_eq!(begins(&mut calls[SHORT + 1], start), None);
        assert_eq!(begins(&mut calls[SHORT], start), Some(true));
    }

    #[test]
    fn a_burst_is_served_however_long_and_a_queue_that_stands_is_not() {
        let start = Instant::now();
        let (_queue, mut burst) = standing(SHORT * 4, start);
        assert_eq!(count(&mut burst, start + STANDING, Some(true)), SHORT * 4);
        let (_queue, mut burst) = standing(SHORT * 4, start);
        assert_eq!(begins(&mut burst[0], start + STANDING + MILLIS), Some(true));
        assert_eq!(begins(&mut burst[SHORT], start + STANDING + MILLIS), Some(false));
    }

    #[test]
    fn the_newest_begins_first_while_the_oldest_is_too_late_and_no_sooner() {
        let start = Instant::now();
        let (queue, mut old) = standing(SHORT * 2, start);
        let now = start + STANDING + MILLIS;
        let mut new: Vec<Waiting> = (0..3).map(|_| queue.join(now)).collect();
        assert_eq!(begins(&mut old[0], now), Some(true));
        assert_eq!((begins(&mut new[0], now), begins(&mut new[2], now)), (None, Some(true)));
        // All that were too late are told so by now, and order is kept again.
        assert_eq!(count(&mut old[SHORT..], now, Some(false)), SHORT);
        let newer = now + LONGEST_WAIT;
        let mut newest = queue.join(newer);
        assert_eq!(begins(&mut old[1], newer), Some(true));
        assert_eq!((begins(&mut newest, newer), begins(&mut new[1], newer)), (None, Some(true)));
    }

    #[test]
    fn refusals_have_a_rate_of_their_own_and_those_who_wait_for_one_are_told_later() {
        let start = Instant::now();
        let (_queue, mut calls) = standing(SHORT * 8, start);
        let now = start + STANDING * 2;
        assert_eq!(begins(&mut calls[0], now), Some(true));
        assert_eq!(count(&mut calls[SHORT..], now, Some(false)), AT_ONCE);
        let later = now + MILLIS;
        assert_eq!(begins(&mut calls[1], later), Some(true));
        let told = count(&mut calls[SHORT + AT_ONCE..], later, Some(false));
        assert!(told > 0 && told < AT_ONCE, "{told}");
    }

    #[test]
    fn beyond_the_longest_queue_the_oldest_are_refused_at_once() {
        let start = Instant::now();
        let (_queue, mut calls) = standing(SHORT + LONGEST + 1_000, start);
        let now = start + STANDING * 2;
        assert_eq!(begins(&mut calls[0], now), Some(true));
        let refused = count(&mut calls[SHORT..], now, Some(false));
        assert!((999..1_200).contains(&refused), "{refused}");
    }

    #[test]
    fn few_callers_are_served_on_however_slow_a_machine() {
        let start = Instant::now();
        let (_queue, mut few) = standing(SHORT, start);
        assert_eq!(count(&mut few, start + STANDING * 50, Some(true)), SHORT);
    }

    #[test]
    fn everything_is_served_at_once_when_the_queue_has_emptied() {
        let start = Instant::now();
        let (queue, mut calls) = standing(SHORT * 4, start);
        let later = start + STANDING * 2;
        while calls.iter_mut().any(|call| !call.left && begins(call, later).is_some()) {}
        let mut next: Vec<Waiting> = (0..SHORT * 4).map(|_| queue.join(later)).collect();
        assert_eq!(count(&mut next, later + STANDING, Some(true)), SHORT * 4);
    }

    #[test]
    fn a_call_that_is_given_up_leaves_the_queue_and_lets_others_in() {
        let start = Instant::now();
        let (queue, mut calls) = standing(SHORT + 3, start);
        drop(calls.remove(SHORT));
        assert_eq!(queue.line().waiting(), SHORT + 2);
        drop(calls.remove(0));
        drop(calls.remove(0));
        assert_eq!(queue.line().waiting(), SHORT);
        assert_eq!(count(&mut calls[SHORT - 2..], start, Some(true)), 2);
        drop(calls);
        assert_eq!(queue.line().waiting(), 0);
    }

    #[test]
    fn who_is_to_take_answers_first_is_refused_in_turn() {
        let start = Instant::now();
        let (queue, mut calls) = standing(1, start);
        let context = &mut Context::from_waker(Waker::noop());
        assert!(matches!(calls[0].poll_begin(context, start, true), Poll::Ready(Err(_))));
        assert_eq!(queue.line().waiting(), 0);
    }
}
