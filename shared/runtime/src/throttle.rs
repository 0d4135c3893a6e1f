//! Log lines that a flood of calls may not make a flood of.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How long a line that was told is not told again.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets a line through once in a while, and counts those in between.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    state: Mutex<(Option<Instant>, u64)>,
}

impl Throttle {
    /// Whether the line may be written now: then with how many were not, since the last one.
    pub(crate) fn line(&self) -> Option<u64> {
        self.line_at(Instant::now())
    }

    fn line_at(&self, now: Instant) -> Option<u64> {
        // Who finds it taken need not wait: another is about to tell the same.
        let mut state = self.state.try_lock().ok()?;
        if state.0.is_some_and(|told| now.saturating_duration_since(told) < PAUSE) {
            state.1 += 1;
            return None;
        }
        state.0 = Some(now);
        Some(std::mem::take(&mut state.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_counted() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        assert_eq!(throttle.line_at(now), Some(0));
        for _ in 0..7 {
            assert_eq!(throttle.line_at(now + PAUSE / 2), None);
        }
        assert_eq!(throttle.line_at(now + PAUSE), Some(7));
        assert_eq!(throttle.line_at(now + PAUSE), None);
        assert_eq!(throttle.line_at(now + PAUSE * 2), Some(1));
    }
}
