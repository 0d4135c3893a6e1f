//! What attempts may add to the load of a server, and what it is spared.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Tokens as in gRPC's retry throttling (proposal A6): a failure takes one, an answer gives a tenth, and there are retries
/// only while more than half are there. So retries are at most a tenth of a healthy load, and none of a failing one.
const MOST_TOKENS: f64 = 10.0;
const TOKENS_PER_ANSWER: f64 = 0.1;
/// A server may be sent so many times what it takes; the rest is refused here ("Handling Overload" in "Site Reliability
/// Engineering", O'Reilly 2016, where it is 2). Each refusal costs a server that has too much to do already.
const MOST_PER_TAKEN: f64 = 1.5;
/// So many refusals of late are no reason yet: who calls seldom is never refused here.
const FREE: f64 = 10.0;
/// What happened so long ago counts for a third. The shorter, the sooner the server is asked in full again.
const MEMORY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    tokens: f64,
    /// Calls of late: all, and those that the server took on.
    asked: f64,
    taken: f64,
    at: Instant,
    random: u64,
}

impl Budget {
    pub(super) fn new(now: Instant, seed: u64) -> Budget {
        Budget(Mutex::new(State { tokens: MOST_TOKENS, asked: 0.0, taken: 0.0, at: now, random: seed }))
    }

    /// Whether the next call is sent at all.
    pub(super) fn sends(&self, now: Instant) -> bool {
        let mut state = self.at(now);
        let excess = state.asked - MOST_PER_TAKEN * state.taken - FREE;
        if excess <= 0.0 || state.chance() >= excess / (state.asked + 1.0) {
            return true;
        }
        state.asked += 1.0;
        false
    }

    /// Whether there is something left for another attempt.
    pub(super) fn retries(&self) -> bool {
        self.state().tokens > MOST_TOKENS / 2.0
    }

    /// The server has answered, whatever.
    pub(super) fn answered(&self, now: Instant) {
        let mut state = self.at(now);
        state.tokens = MOST_TOKENS.min(state.tokens + TOKENS_PER_ANSWER);
        state.asked += 1.0;
        state.taken += 1.0;
    }

    /// The server has refused a call because it has too many, or was not in time.
    pub(super) fn refused(&self, now: Instant) {
        let mut state = self.at(now);
        state.tokens = 0.0_f64.max(state.tokens - 1.0);
        state.asked += 1.0;
    }

    /// The server could not be reached, or not do it. That is no sign of load.
    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.at(now);
        state.tokens = 0.0_f64.max(state.tokens - 1.0);
    }

    /// A number from 0 up to 1.
    pub(super) fn chance(&self) -> f64 {
        self.state().chance()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Figures only: each is right by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state();
        let passed = now.saturating_duration_since(state.at);
        // In steps, so that not every call has a power to compute.
        if passed >= MEMORY / 20 {
            let left = (-passed.as_secs_f64() / MEMORY.as_secs_f64()).exp();
            state.asked *= left;
            state.taken *= left;
            state.at = now;
        }
        state
    }
}

impl State {
    /// `SplitMix64`, by G. Steele, D. Lea and C. Flood, 2014.
    fn chance(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 7;

    #[test]
    fn retries_end_while_calls_fail_and_come_back_with_answers() {
        let (budget, now) = (Budget::new(Instant::now(), SEED), Instant::now());
        let spent = (0..100).take_while(|_| budget.retries()).map(|_| budget.failed(now)).count();
        assert_eq!(spent, (MOST_TOKENS / 2.0) as usize);
        budget.failed(now);
        // A failure takes as much as ten answers give.
        (0..9).for_each(|_| budget.answered(now));
        assert!(!budget.retries());
        (0..2).for_each(|_| budget.answered(now));
        assert!(budget.retries());
    }

    #[test]
    fn a_failing_server_gets_a_tenth_more_calls_at_the_most() {
        let (budget, now) = (Budget::new(Instant::now(), SEED), Instant::now());
        // One call in five fails.
        let mut retries = 0;
        for call in 0..10_000 {
            if call % 5 > 0 {
                budget.answered(now);
            } else {
                budget.failed(now);
                retries += usize::from(budget.retries());
            }
        }
        assert!(retries < 1_000, "{retries}");
    }

    /// Which share of a load that is so many times what the server takes is sent to it, and which it takes.
    fn sent_and_taken(budget: &Budget, mut now: Instant, times: usize) -> (f64, f64) {
        let (mut sent, mut taken, mut all) = (0, 0, 0);
        for _millisecond in 0..4_000 {
            let mut room = 10;
            for _ in 0..10 * times {
                all += 1;
                if !budget.sends(now) {
                    continue;
                }
                sent += 1;
                if room > 0 {
                    (room, taken) = (room - 1, taken + 1);
                    budget.answered(now);
                } else {
                    budget.refused(now);
                }
            }
            now += Duration::from_millis(1);
        }
        (f64::from(sent) / f64::from(all), f64::from(taken) / f64::from(all))
    }

    #[test]
    fn a_server_is_sent_little_more_than_it_takes() {
        eprintln!("seed {SEED}");
        let now = Instant::now();
        let (sent, taken) = sent_and_taken(&Budget::new(now, SEED), now, 5);
        assert!(taken > 0.19, "{taken}");
        assert!(sent < taken * MOST_PER_TAKEN * 1.1, "{sent} {taken}");
    }

    #[test]
    fn who_is_not_refused_is_never_held_back_and_neither_is_who_calls_seldom() {
        let now = Instant::now();
        assert_eq!(sent_and_taken(&Budget::new(now, SEED), now, 1), (1.0, 1.0));
        let budget = Budget::new(now, SEED);
        for second in 0..100 {
            let now = now + Duration::from_secs(second);
            assert!(budget.sends(now));
            budget.refused(now);
        }
    }

    #[test]
    fn once_the_server_takes_all_again_it_is_sent_all_again() {
        eprintln!("seed {SEED}");
        let now = Instant::now();
        let budget = Budget::new(now, SEED);
        sent_and_taken(&budget, now, 5);
        let after = now + Duration::from_secs(4) + MEMORY * 20;
        assert_eq!(sent_and_taken(&budget, after, 1), (1.0, 1.0));
    }
}
