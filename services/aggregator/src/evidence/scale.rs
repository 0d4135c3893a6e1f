//! The curves that turn quantities into values in [-1, 1] and weights. All are smooth and monotone, take any number, and
//! are finite for finite ones.

use dynamics::DAY;

/// One hour, in microseconds.
pub(super) const HOUR: i64 = 3_600_000_000;

/// The weight of an amount grows by half for each digit: 9 units weigh 0.5, 99 weigh 1, 9,999 weigh 2.
const DIGITS_OF_ONE: f64 = 2.0;
/// The largest weight of an amount, at a million units: beyond it an order is large for anybody.
const LARGEST_SIZE: f64 = 3.0;
/// What is kept late, but kept, is never worse than this: breaking a promise is.
const KEPT_AT_LEAST: f64 = -0.5;
/// Billionths in one unit of a currency.
const NANOS: f64 = 1e9;

/// How well a date was met: +1 until the date, 0 when `even` days late, towards -1 after that.
///
/// With r the lateness in `even`s, (1 - r²) / (1 + r²): the first days past the date cost little, then every day does,
/// and when it is very late one more day makes no difference. It never quite reaches -1, so any two delays can be told
/// apart.
pub(super) fn timeliness(late_days: f64, even_days: f64) -> f64 {
    falling(late_days, even_days, 2)
}

/// As [`timeliness`], for a promise that was kept in the end: at least [`KEPT_AT_LEAST`].
pub(super) fn kept(late_days: f64, even_days: f64) -> f64 {
    let half_range = (1.0 - KEPT_AT_LEAST) / 2.0;
    KEPT_AT_LEAST + half_range * (timeliness(late_days, even_days) + 1.0)
}

/// How quick something was: +1 at once, 0 after `even`, towards -1.
///
/// With r the span in `even`s, (1 - r) / (1 + r): the logistic curve on a logarithmic scale, as waiting four hours
/// instead of two is felt like four days instead of two.
pub(super) fn promptness(span: f64, even: f64) -> f64 {
    falling(span, even, 1)
}

/// How few there were of what should not be: +1 for none, 0 for `even`, towards -1 for many.
pub(super) fn fewness(count: f64, even: f64) -> f64 {
    falling(count, even, 2)
}

/// Gain or loss against nothing: 0 at 0, ±0.5 at ±`half`, towards ±1.
pub(super) fn balance(amount: f64, half: f64) -> f64 {
    amount / (amount.abs() + half)
}

/// How much of something there was: 0 for none, 0.5 at `half`, towards 1.
pub(super) fn saturation(amount: f64, half: f64) -> f64 {
    balance(amount.max(0.0), half)
}

/// A share in [0, 1] as a value: -1 for nothing, +1 for all.
pub(super) fn signed(share: f64) -> f64 {
    2.0 * share - 1.0
}

/// The share that a part is of a whole, in [0, 1]; none when there is no whole.
pub(super) fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

/// The weight of an amount of money in nanos, in [0, 3]: logarithmic, as order sizes are spread over powers of ten.
pub(super) fn size(nanos: i128) -> f64 {
    let units = nanos.max(0) as f64 / NANOS;
    (units.ln_1p() / std::f64::consts::LN_10 / DIGITS_OF_ONE).min(LARGEST_SIZE)
}

/// A stated value within [-1, 1], if it is a number at all.
pub(super) fn stated(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite()).map(|value| value.clamp(-1.0, 1.0))
}

/// Days from one time to another, below 0 when the second is earlier.
pub(super) fn days(from: i64, to: i64) -> f64 {
    (to as f64 - from as f64) / DAY as f64
}

/// So many days after a time.
pub(super) fn days_after(at: i64, days: i64) -> i64 {
    at.saturating_add(days.saturating_mul(DAY))
}

fn falling(amount: f64, even: f64, steepness: i32) -> f64 {
    2.0 / (1.0 + (amount.max(0.0) / even).powi(steepness)) - 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn curves_pass_through_their_named_points() {
        for curve in [timeliness, promptness, fewness] {
            assert_eq!(curve(-5.0, 3.0), 1.0);
            assert_eq!(curve(0.0, 3.0), 1.0);
            assert_eq!(curve(3.0, 3.0), 0.0);
            assert!(curve(300.0, 3.0) < -0.95);
            assert_eq!(curve(f64::MAX, 3.0), -1.0);
        }
        assert_eq!(kept(0.0, 3.0), 1.0);
        assert_eq!(kept(3.0, 3.0), 0.25);
        assert_eq!(kept(f64::MAX, 3.0), -0.5);
        assert_eq!(balance(-0.25, 0.25), -0.5);
        assert_eq!(saturation(-1.0, 1.0), 0.0);
        assert_eq!(share(1.0, 0.0), None);
        assert_eq!(share(5.0, 4.0), Some(1.0));
        assert_eq!(stated(Some(f64::NAN)), None);
        assert_eq!(stated(Some(7.0)), Some(1.0));
    }

    #[test]
    fn an_amount_weighs_by_its_digits() {
        let units = |units: i128| size(units * 1_000_000_000);
        assert_eq!((units(-5), units(0)), (0.0, 0.0));
        assert!((units(99) - 1.0).abs() < 1e-9);
        assert!((units(9_999) - 2.0).abs() < 1e-9);
        assert_eq!(units(1_000_000_000_000), 3.0);
    }

    proptest! {
        #[test]
        fn curves_are_monotone_and_bounded(a in -1e6..1e6, b in -1e6..1e6, even in 0.01..1e3) {
            let (less, more) = if a <= b { (a, b) } else { (b, a) };
            for curve in [timeliness, kept, promptness, fewness] {
                prop_assert!(curve(less, even) >= curve(more, even));
                prop_assert!((-1.0..=1.0).contains(&curve(a, even)));
            }
            for curve in [balance, saturation] {
                prop_assert!(curve(less, even) <= curve(more, even));
                prop_assert!((-1.0..=1.0).contains(&curve(a, even)));
            }
        }
    }
}
