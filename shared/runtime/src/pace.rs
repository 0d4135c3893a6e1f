//! How fast calls are refused.

use std::time::Duration;

use tokio::time::Instant;

/// One refusal for so much time: at about 10 us each, a tenth of a core. Refusing over HTTP/2 costs a good part of answering, and
/// a process that refused all it cannot do would do little else under a flood. Who waits to be refused holds a stream, and so
/// asks for nothing more meanwhile.
const REFUSAL_EACH: Duration = Duration::from_micros(100);
/// For how long refusals that were not made may be made up for.
const REFUSALS_KEPT: Duration = Duration::from_millis(10);
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

    /// Returns when a call may be refused, which may be past, and counts it.
    pub(crate) fn take(&mut self, now: Instant) -> Instant {
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
}
