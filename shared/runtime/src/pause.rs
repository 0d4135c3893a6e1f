//! Pauses between tries.

use std::time::Duration;

use crate::channel::random_seed;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow while it does not go well, each of another length, so that those who wait for the same come one by one.
#[derive(Debug)]
pub struct Pause {
    next: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { next: SHORTEST }
    }
}

impl Pause {
    /// Whether it has not grown yet.
    pub fn is_short(&self) -> bool {
        self.next == SHORTEST
    }

    /// It went well: the next pause is short again.
    pub fn reset(&mut self) {
        self.next = SHORTEST;
    }

    /// How long to wait now: between half of what it has grown to and all of it.
    pub fn grow(&mut self) -> Duration {
        let pause = self.next / 2 + (self.next / 2).mul_f64(random());
        self.next = (self.next * 2).min(LONGEST);
        pause
    }
}

/// From 0 to 1, another in each call.
pub fn random() -> f64 {
    random_seed() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_bounds_and_shrink_again() {
        let mut pause = Pause::default();
        let mut expected = SHORTEST;
        for _ in 0..12 {
            let waited = pause.grow();
            assert!(waited >= expected / 2 && waited <= expected, "{waited:?}");
            expected = (expected * 2).min(LONGEST);
        }
        assert!(!pause.is_short());
        pause.reset();
        assert!(pause.is_short() && pause.grow() <= SHORTEST);
    }
}
