//! How fast calls are refused.

use std::time::Duration;

use tokio::time::Instant;

/// One refusal for so much time: at about 10 us each, a tenth of a core. Refusing over HTTP/2 costs a good part of answering, and
/// a process that refused all it cannot do would do little else under a flood. Who waits to be refused holds a stream, and so
/// asks for nothing more meanwhile.
const REFUSAL_EACH: Duration = Duration::from_micros(100);
/// For how long refusals that were not made may be made up for.
const REFUSALS_KEPT: Duration = Duration::from_millis(10);
/// For how long at most a call waits to be refused. Each that waits takes some kilobytes; where so many do that it would be longer,
/// further ones are refused at once.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How many are refused at once, where nobody was refused for a while.
#[cfg(test)]
pub(crate) const AT_ONCE: usize = REFUSALS_KEPT.as_micros() as usize / REFUSAL_EACH.as_micros() as usize + 1;

/// Gives out the times at which calls are refused.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When the next may be refused.
    next: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Pace {
        Pace { next: now }
    }

    /// Whether a call may be refused now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next <= now
    }

    /// Returns when a call is to be refused, which may be past, and counts it.
    pub(crate) fn take(&mut self, now: Instant) -> Instant {
        if self.next > now + LONGEST_WAIT {
            return now;
        }
        let at = self.next.max(now.checked_sub(REFUSALS_KEPT).unwrap_or(now));
        self.next = at + REFUSAL_EACH;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_refused_at_once_and_the_others_one_after_another() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let now = start + Duration::from_secs(1);
        let times: Vec<Instant> = (0..AT_ONCE + 1_000).map(|_| pace.take(now)).collect();
        assert_eq!(times.iter().filter(|at| **at <= now).count(), AT_ONCE);
        assert_eq!(times[AT_ONCE + 999] - now, REFUSAL_EACH * 1_000);
        assert!(!pace.is_due(now) && pace.is_due(now + REFUSAL_EACH * 1_001));
    }

    #[test]
    fn nobody_waits_for_long_however_many_there_are() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let waits: Vec<Duration> = (0..100_000).map(|_| pace.take(now).saturating_duration_since(now)).collect();
        assert_eq!(waits.iter().max(), Some(&LONGEST_WAIT));
        assert!(waits[10_000..].iter().all(Duration::is_zero));
        // And when those who waited were told, the next ones wait again.
        assert!(!pace.is_due(now + LONGEST_WAIT) && pace.is_due(now + LONGEST_WAIT * 2));
    }
}
