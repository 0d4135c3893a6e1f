//! How crowded a place is: what share of the calls that come to it are refused, and when those should come again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Over how long calls are counted: this window and the one before.
const WINDOW: Duration = Duration::from_secs(1);
/// What a refused caller is told to wait where one call is refused for very many that begin. Shorter waits would come again
/// within the queue that has just been too long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// And at most: it still notices within seconds that the crowd has gone.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Counts of calls begun and refused. Counts may be off by a few where a window ends.
#[derive(Debug)]
pub(crate) struct Load {
    created: Instant,
    window: AtomicU64,
    begun: [AtomicU64; 2],
    refused: [AtomicU64; 2],
}

impl Load {
    pub(crate) fn new(now: Instant) -> Load {
        Load { created: now, window: AtomicU64::new(0), begun: Default::default(), refused: Default::default() }
    }

    /// Counts a call.
    pub(crate) fn count(&self, now: Instant, refused: bool) {
        let window = now.saturating_duration_since(self.created).as_secs() / WINDOW.as_secs();
        let slot = (window % 2) as usize;
        let before = self.window.load(Relaxed);
        if before != window {
            self.window.store(window, Relaxed);
            // Of a window that is long past nothing is kept.
            let past = if window == before + 1 { slot..slot + 1 } else { 0..2 };
            for slot in past {
                self.begun[slot].store(0, Relaxed);
                self.refused[slot].store(0, Relaxed);
            }
        }
        let counts = if refused { &self.refused } else { &self.begun };
        counts[slot].fetch_add(1, Relaxed);
    }

    /// How long a refused caller should wait: as many times the shortest pause as calls come for each that begins, so that
    /// who comes again finds a place; spread by half to either side, lest all come together.
    pub(crate) fn pause(&self) -> Duration {
        let sum = |counts: &[AtomicU64; 2]| counts.iter().map(|count| count.load(Relaxed)).sum::<u64>();
        let (begun, refused) = (sum(&self.begun), sum(&self.refused));
        let crowd = (begun + refused) as f64 / begun.max(1) as f64;
        // Multiples of the golden ratio lie as evenly between 0 and 1 as any numbers do.
        let spread = 0.5 + (refused as f64 * 0.618_033_988_75).fract();
        SHORTEST_PAUSE.mul_f64(crowd * spread).clamp(SHORTEST_PAUSE / 2, LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses told while, of so many calls, one begins.
    fn pauses(of: usize) -> Vec<Duration> {
        let now = Instant::now();
        let load = Load::new(now);
        let mut pauses = Vec::new();
        for call in 0..1_000 {
            load.count(now, call % of > 0);
            pauses.extend((call % of > 0 && call > 100).then(|| load.pause()));
        }
        pauses
    }

    #[test]
    fn the_more_are_refused_the_longer_they_are_told_to_wait() {
        let mean = |pauses: Vec<Duration>| pauses.iter().sum::<Duration>() / pauses.len() as u32;
        let (twice, tenfold) = (mean(pauses(2)), mean(pauses(10)));
        assert!(twice > Duration::from_millis(180) && twice < Duration::from_millis(220), "{twice:?}");
        assert!(tenfold > twice * 4 && tenfold < twice * 6, "{tenfold:?}");
    }

    #[test]
    fn those_who_are_refused_together_come_again_apart() {
        let mut pauses = pauses(2);
        pauses.sort();
        // Every tenth part of the spread is told to about a tenth of them.
        let (first, last) = (pauses[0], pauses[pauses.len() - 1]);
        let part = |pause: &Duration| ((*pause - first).as_secs_f64() / (last - first).as_secs_f64() * 10.0) as usize;
        let mut counts = [0; 10];
        pauses.iter().for_each(|pause| counts[part(pause).min(9)] += 1);
        let fair = pauses.len() / 10;
        assert!(counts.iter().all(|count| *count > fair / 2 && *count < fair * 2), "{counts:?}");
    }

    #[test]
    fn what_is_long_past_does_not_count() {
        let now = Instant::now();
        let load = Load::new(now);
        (0..100).for_each(|_| load.count(now, true));
        load.count(now, false);
        assert!(load.pause() > Duration::from_secs(4));
        // Still counted in the next window, but not two windows on.
        load.count(now + WINDOW, false);
        assert!(load.pause() > Duration::from_secs(2));
        load.count(now + WINDOW * 3, false);
        assert!(load.pause() < Duration::from_millis(200));
    }
}
