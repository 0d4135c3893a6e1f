//! Evidence: something that happened; and pending matters: something still owed or open.

use crate::decay::Micros;
use crate::signal::{Signal, Topic};

/// The largest weight one piece of evidence may have, before the model's own weight.
const MAX_WEIGHT: f64 = 16.0;

/// One fact about one topic at one time. Its parts always lie within their ranges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    topic: Topic,
    at: Micros,
    value: f64,
    weight: f64,
}

impl Evidence {
    /// The largest weight of one piece of evidence.
    pub const MAX_WEIGHT: f64 = MAX_WEIGHT;

    /// `at` is when it happened. `value` is clamped to [-1, 1] for a signal (see each signal for
    /// its extremes) and to [0, 1] for an emotion, whose value is its intensity. `weight` says
    /// how much the fact itself counts (1 is the usual) and is clamped to at most 16.
    ///
    /// There is no evidence, and so `None`, when the value is not finite, the weight is not
    /// finite or not above zero, or the signal is one that only assessment derives.
    pub fn new(topic: Topic, at: Micros, value: f64, weight: f64) -> Option<Evidence> {
        let value = match topic {
            Topic::Signal(signal) if signal.derived() => return None,
            Topic::Signal(_) => clamped(value, -1.0)?,
            Topic::Emotion(..) => clamped(value, 0.0)?,
        };
        let weight = positive(weight)?;
        Some(Evidence { topic, at, value, weight })
    }

    /// What it is about.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// When it happened.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// Its value, in [-1, 1]; an emotion's intensity, in [0, 1].
    pub fn value(&self) -> f64 {
        self.value
    }

    /// How much it counts, in (0, 16].
    pub fn weight(&self) -> f64 {
        self.weight
    }
}

/// Something still owed or open: an order past its promised date, an unpaid invoice, an open
/// conflict. It counts from the moment it is due, in full after a while, and does not fade while
/// it stays open; once settled, the source says so with [`Evidence`] in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pending {
    topic: Signal,
    since: Micros,
    full_after: Micros,
    value: f64,
    weight: f64,
}

impl Pending {
    /// `since` is when it becomes due and `full_after` how many microseconds later it counts in
    /// full (at least 1). `value` and `weight` are as for [`Evidence::new`], which also says
    /// when there is none.
    pub fn new(topic: Signal, since: Micros, full_after: Micros, value: f64, weight: f64) -> Option<Pending> {
        if topic.derived() || full_after <= 0 {
            return None;
        }
        let value = clamped(value, -1.0)?;
        let weight = positive(weight)?;
        Some(Pending { topic, since, full_after, value, weight })
    }

    /// What it is about.
    pub fn topic(&self) -> Signal {
        self.topic
    }

    /// When it becomes due.
    pub fn since(&self) -> Micros {
        self.since
    }

    /// How long after `since` it counts in full, in microseconds; above zero.
    pub fn full_after(&self) -> Micros {
        self.full_after
    }

    /// Its value, in [-1, 1].
    pub fn value(&self) -> f64 {
        self.value
    }

    /// How much it counts once in full, in (0, 16].
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// How long it has been due at `now`, in microseconds; 0 when it is not due yet.
    pub(crate) fn age(&self, now: Micros) -> f64 {
        (i128::from(now) - i128::from(self.since)).max(0) as f64
    }

    /// How much it counts at `now`: nothing until due, then rising in a line to its weight. The
    /// weight rises and the value stands, so a matter can only pull the score its own way.
    pub(crate) fn weight_at(&self, now: Micros) -> f64 {
        self.weight * (self.age(now) / self.full_after as f64).min(1.0)
    }
}

fn clamped(value: f64, least: f64) -> Option<f64> {
    // Adding zero makes a negative zero positive, so that equal values have equal bits.
    value.is_finite().then(|| value.clamp(least, 1.0) + 0.0)
}

fn positive(weight: f64) -> Option<f64> {
    (weight.is_finite() && weight > 0.0).then(|| weight.min(MAX_WEIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Emotion, View};

    #[test]
    fn evidence_is_clamped_or_refused() {
        let tone = Topic::Signal(Signal::CustomerTone);
        let loud = Evidence::new(tone, 0, -7.0, 99.0).unwrap();
        assert_eq!((loud.value(), loud.weight()), (-1.0, 16.0));
        let joy = Topic::Emotion(View::Customer, Emotion::Joy);
        assert_eq!(Evidence::new(joy, 0, -0.5, 1.0).unwrap().value(), 0.0);
        for (value, weight) in [(f64::NAN, 1.0), (0.5, f64::INFINITY), (0.5, 0.0), (0.5, -1.0)] {
            assert_eq!(Evidence::new(tone, 0, value, weight), None);
        }
        assert_eq!(Evidence::new(Topic::Signal(Signal::OrderRhythm), 0, 1.0, 1.0), None);
        assert_eq!(Pending::new(Signal::OrderRhythm, 0, 1, 1.0, 1.0), None);
        assert_eq!(Pending::new(Signal::Conflict, 0, 0, -1.0, 1.0), None);
    }

    #[test]
    fn a_pending_matter_counts_from_when_it_is_due_until_it_counts_in_full() {
        let late = Pending::new(Signal::DeliveryPromise, 1_000, 100, -1.0, 2.0).unwrap();
        assert_eq!(late.weight_at(999), 0.0);
        assert_eq!(late.weight_at(1_000), 0.0);
        assert_eq!(late.weight_at(1_050), 1.0);
        assert_eq!(late.weight_at(9_999), 2.0);
    }
}
