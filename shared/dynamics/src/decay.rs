//! Time and how evidence fades with it.

use std::f64::consts::LN_2;

/// Microseconds since the Unix epoch, or a span of as many microseconds. Any value is accepted.
pub type Micros = i64;

/// One day, in microseconds.
pub const DAY: Micros = 86_400_000_000;

/// The length of a ledger's buckets: 90 days, in microseconds.
pub const BUCKET: Micros = 90 * DAY;

/// How many half-lives before now a bucket must lie to count for nothing: by then less than one
/// unit in 2^64 of it would be left.
const FORGOTTEN: f64 = 64.0;

/// How long evidence takes to lose half its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfLives {
    slow_days: u32,
    fast_days: u32,
}

impl HalfLives {
    /// The shortest half-life, in days. It bounds how far weights grow inside one bucket.
    pub const MIN_DAYS: u32 = 7;
    /// The longest half-life, in days.
    pub const MAX_DAYS: u32 = 3650;

    /// The slow one sets the level, the fast one the movement. Both lie between
    /// [`Self::MIN_DAYS`] and [`Self::MAX_DAYS`], and the slow one is at least twice the fast
    /// one, as their difference divides the velocity; otherwise there is no such pair.
    pub fn new(slow_days: u32, fast_days: u32) -> Option<HalfLives> {
        let allowed = Self::MIN_DAYS..=Self::MAX_DAYS;
        let valid = allowed.contains(&slow_days) && allowed.contains(&fast_days) && slow_days >= 2 * fast_days;
        valid.then_some(HalfLives { slow_days, fast_days })
    }

    /// The half-life of the level, in days.
    pub fn slow_days(self) -> u32 {
        self.slow_days
    }

    /// The half-life of the movement, in days.
    pub fn fast_days(self) -> u32 {
        self.fast_days
    }

    pub(crate) fn slow(self) -> HalfLife {
        HalfLife::of_days(self.slow_days)
    }

    pub(crate) fn fast(self) -> HalfLife {
        HalfLife::of_days(self.fast_days)
    }

    /// Fast over slow: the share of a steady stream's slow weight that its fast weight is.
    pub(crate) fn ratio(self) -> f64 {
        f64::from(self.fast_days) / f64::from(self.slow_days)
    }
}

/// One half-life, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct HalfLife(f64);

impl HalfLife {
    fn of_days(days: u32) -> HalfLife {
        HalfLife(f64::from(days) * DAY as f64)
    }

    /// How much more an event counts than one at the start of its bucket: 2^(offset / h), at
    /// least 1.
    pub(crate) fn growth(self, at: Micros) -> f64 {
        exp2(at.rem_euclid(BUCKET) as f64 / self.0)
    }

    /// What is left at `now` of the weight of a bucket's start: 2^(-age / h). At most 1, so a
    /// clock that runs ahead cannot blow weights up; exactly 0 when long forgotten.
    pub(crate) fn decay(self, bucket: i64, now: Micros) -> f64 {
        let start = i128::from(bucket) * i128::from(BUCKET);
        let half_lives = (i128::from(now) - start) as f64 / self.0;
        if half_lives > FORGOTTEN { 0.0 } else { exp2(-half_lives.max(0.0)) }
    }

    /// What is left after a span of `age` microseconds: 2^(-age / h), at most 1.
    pub(crate) fn fade(self, age: f64) -> f64 {
        exp2(-(age / self.0).max(0.0))
    }
}

/// The bucket a time falls into; buckets before 1970 are negative.
pub(crate) fn bucket_of(at: Micros) -> i64 {
    at.div_euclid(BUCKET)
}

/// 2^x by basic arithmetic only, to the last few bits. The platform's own `exp2` may differ
/// between systems, and then a ledger written on one could not be corrected exactly on another.
fn exp2(x: f64) -> f64 {
    let x = x.clamp(-1000.0, 1000.0);
    let whole = x.floor();
    let t = (x - whole) * LN_2;
    // The Taylor series of e^t; t < 0.7, so the terms left out are below 1e-20.
    let series = (1..=18).rev().fold(1.0, |sum, n| 1.0 + sum * t / f64::from(n));
    let power = f64::from_bits(((1023 + whole as i64) as u64) << 52);
    series * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp2_agrees_with_the_platform() {
        for step in -6400..=6400 {
            let x = f64::from(step) / 97.0;
            assert!((exp2(x) / x.exp2() - 1.0).abs() < 1e-14, "{x}");
        }
        assert_eq!(exp2(0.0), 1.0);
        assert_eq!(exp2(-3.0), 0.125);
    }

    #[test]
    fn growth_and_decay_meet_at_the_events_age() {
        let half = HalfLife::of_days(45);
        for at in [-5 * DAY, 0, 3 * DAY, 89 * DAY, 1_000 * DAY] {
            let left = half.growth(at) * half.decay(bucket_of(at), at + 90 * DAY);
            assert!((left - 0.25).abs() < 1e-12, "{at}");
        }
    }

    #[test]
    fn extreme_times_stay_finite() {
        let half = HalfLife::of_days(7);
        for at in [Micros::MIN, Micros::MAX] {
            for now in [Micros::MIN, 0, Micros::MAX] {
                assert!((0.0..=1.0).contains(&half.decay(bucket_of(at), now)));
                assert!(half.growth(at).is_finite());
            }
        }
    }

    #[test]
    fn half_lives_out_of_range_do_not_exist() {
        assert!(HalfLives::new(180, 45).is_some());
        assert_eq!(HalfLives::new(180, 91), None);
        assert_eq!(HalfLives::new(180, 6), None);
        assert_eq!(HalfLives::new(3651, 45), None);
    }
}
