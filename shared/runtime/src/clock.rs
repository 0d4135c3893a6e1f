//! Wall-clock time, handed to whoever needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The source of "now" for a process: the system's clock, or one that a test moves by hand.
///
/// Clones share the same time and are cheap. This is the only place where the wall clock is read.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that follows the system's.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands at `micros` since the Unix epoch until it is moved.
    pub fn fixed(micros: i64) -> Clock {
        Clock(Source::Fixed(Arc::new(AtomicI64::new(micros))))
    }

    /// Microseconds since the Unix epoch.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::System => since_epoch(SystemTime::now()),
            Source::Fixed(micros) => micros.load(Ordering::SeqCst),
        }
    }

    /// Sets a fixed clock, for all its clones.
    ///
    /// # Panics
    /// On the system's clock, which is not ours to set.
    pub fn set(&self, micros: i64) {
        self.hand().store(micros, Ordering::SeqCst);
    }

    /// Moves a fixed clock forward, for all its clones.
    ///
    /// # Panics
    /// On the system's clock, which is not ours to move.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.hand().fetch_add(micros, Ordering::SeqCst);
    }

    fn hand(&self) -> &AtomicI64 {
        match &self.0 {
            Source::Fixed(micros) => micros,
            Source::System => panic!("the system clock cannot be set; build the service with Clock::fixed"),
        }
    }
}

/// A machine set before 1970 gets a negative time rather than a panic.
fn since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_fixed_clock_move_together() {
        let clock = Clock::fixed(1_000);
        let clone = clock.clone();
        clock.advance(Duration::from_millis(2));
        assert_eq!(clone.now(), 3_000);
        clone.set(7);
        assert_eq!(clock.now(), 7);
    }

    #[test]
    fn the_system_clock_is_past_2020() {
        assert!(Clock::system().now() > 1_577_836_800_000_000);
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(since_epoch(UNIX_EPOCH - Duration::from_secs(1)), -1_000_000);
    }
}
