//! The terms of every score: what each signal weighs and says at `now`. Scores, intervals,
//! velocities and explanations all come from these, which is why they agree.

use crate::decay::{HalfLives, Micros};
use crate::evidence::{Evidence, Pending};
use crate::ledger::{Ledger, Sums, UNIT};
use crate::model::Model;
use crate::signal::{Signal, Topic};
use crate::vocabulary::{Emotion, View};

/// What one signal adds to the sums of its facet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Term {
    /// Σ w, with w an event's effective weight: the model's times its own times its decay.
    pub(crate) weight: f64,
    /// Σ w·v.
    pub(crate) value: f64,
    /// Σ w·v².
    pub(crate) square: f64,
    /// Σ w at the fast half-life.
    pub(crate) fast_weight: f64,
    /// Σ w·v at the fast half-life.
    pub(crate) fast_value: f64,
    /// Pieces of evidence, open matters and rhythms in it.
    pub(crate) count: u64,
}

/// The terms of all signals, and the emotions' sums.
pub(crate) struct Terms {
    signals: [Term; Signal::COUNT],
    emotions: [[Term; Emotion::ALL.len()]; View::ALL.len()],
}

/// What is left of each bucket at `now`. Topics share their buckets, and powers are the dearest part of an assessment.
struct Fading {
    half_lives: HalfLives,
    now: Micros,
    known: Vec<(i64, (f64, f64))>,
}

impl Fading {
    fn of(&mut self, bucket: i64) -> (f64, f64) {
        // The buckets that still count are few.
        if let Some((_, decays)) = self.known.iter().find(|(known, _)| *known == bucket) {
            return *decays;
        }
        let decays = decays(bucket, self.half_lives, self.now);
        self.known.push((bucket, decays));
        decays
    }
}

/// What one unit of a bucket's sums counts at `now`, at the slow and at the fast half-life.
fn decays(bucket: i64, half_lives: HalfLives, now: Micros) -> (f64, f64) {
    (half_lives.slow().decay(bucket, now) / UNIT, half_lives.fast().decay(bucket, now) / UNIT)
}

impl Terms {
    pub(crate) fn gather(ledger: &Ledger, model: &Model, now: Micros) -> Terms {
        let mut terms = Terms {
            signals: [Term::default(); Signal::COUNT],
            emotions: [[Term::default(); Emotion::ALL.len()]; View::ALL.len()],
        };
        let half_lives = ledger.half_lives;
        let mut fading = Fading { half_lives, now, known: Vec::new() };
        for ((topic, bucket), sums) in &ledger.sums {
            let faded = Term::of_sums(sums, fading.of(*bucket));
            match *topic {
                Topic::Signal(signal) => {
                    terms.signals[signal.index()].add(faded.times(model.weight(signal)));
                }
                Topic::Emotion(view, emotion) => {
                    terms.emotions[view.index()][emotion.index()].add(faded);
                }
            }
        }
        for pending in ledger.pending.values() {
            terms.signals[pending.topic().index()].add(Term::of_pending(pending, model, half_lives, now));
        }
        terms.signals[Signal::OrderRhythm.index()].add(Term::of_rhythm(ledger, model, now));
        terms
    }

    pub(crate) fn signal(&self, signal: Signal) -> &Term {
        &self.signals[signal.index()]
    }

    pub(crate) fn emotion(&self, view: View, emotion: Emotion) -> &Term {
        &self.emotions[view.index()][emotion.index()]
    }
}

impl Term {
    /// One piece of evidence, with the same rounding as the ledger's sums, so that the terms of
    /// single sources add up to the signal's.
    pub(crate) fn of_evidence(
        evidence: &Evidence,
        signal: Signal,
        model: &Model,
        half_lives: HalfLives,
        now: Micros,
    ) -> Term {
        let bucket = crate::decay::bucket_of(evidence.at());
        let sums = Sums::of(evidence, half_lives);
        Term::of_sums(&sums, decays(bucket, half_lives, now)).times(model.weight(signal))
    }

    fn of_sums(sums: &Sums, (slow, fast): (f64, f64)) -> Term {
        // Sums without weight are what is left when more was taken away than added, a caller's
        // error; they count for nothing rather than turn scores around.
        if slow == 0.0 || sums.slow_weight <= 0 {
            return Term::default();
        }
        let within = |value: i128, weight: i128| value.clamp(-weight.max(0), weight.max(0)) as f64;
        Term {
            weight: sums.slow_weight as f64 * slow,
            value: within(sums.slow_value, sums.slow_weight) * slow,
            square: within(sums.slow_square, sums.slow_weight).max(0.0) * slow,
            fast_weight: sums.fast_weight.max(0) as f64 * fast,
            fast_value: within(sums.fast_value, sums.fast_weight) * fast,
            count: u64::try_from(sums.count).unwrap_or(0),
        }
    }

    /// An open matter does not fade, so it would weigh on the movement for ever. At the fast
    /// half-life it counts as an event when it becomes due, and in time as a standing state,
    /// which weighs there as a steady stream of evidence would.
    pub(crate) fn of_pending(pending: &Pending, model: &Model, half_lives: HalfLives, now: Micros) -> Term {
        let weight = pending.weight_at(now);
        if weight == 0.0 {
            return Term::default();
        }
        let standing = half_lives.ratio();
        let recent = half_lives.fast().fade(pending.age(now));
        let fast_weight = weight * (standing + (1.0 - standing) * recent);
        Term::single(weight, fast_weight, pending.value()).times(model.weight(pending.topic()))
    }

    /// What the customer does, a standing state: against what the portfolio's fit expects, where one
    /// is in use, and else against the customer's own rhythm.
    ///
    /// Against the fit, the value is that of [`crate::Expectation`], and its weight grows with the n
    /// order days seen as `max_weight · n / (n + half_weight_gaps)`.
    ///
    /// Against the rhythm, with s the silence in typical gaps and e the number of gaps at which it is
    /// as bad as good (the model's `even_gaps`),
    ///
    /// ```text
    /// value = (e² − s²) / (e² + s²)
    /// ```
    ///
    /// falls smoothly from +1 (has just ordered) through 0 at s = e towards −1: a log-logistic
    /// chance of being active, mapped to [-1, 1]. Its weight grows with the n gaps seen so far as
    /// `max_weight · n / (n + half_weight_gaps)`. One order day makes no rhythm.
    pub(crate) fn of_rhythm(ledger: &Ledger, model: &Model, now: Micros) -> Term {
        let (activity, rhythm) = (ledger.activity(), model.rhythm());
        let term = |seen: f64, value: f64| {
            let weight = rhythm.max_weight * seen / (seen + rhythm.half_weight_gaps);
            Term::single(weight, weight * ledger.half_lives.ratio(), value).times(model.weight(Signal::OrderRhythm))
        };
        if let Some(expectation) = model.expectation() {
            let standing = expectation.standing(&activity, now);
            return standing.map_or_else(Term::default, |value| term(activity.order_days as f64, value));
        }
        let Some((gap, silence)) = activity.typical_gap_days().zip(activity.silence_days(now)) else {
            return Term::default();
        };
        let even = rhythm.even_gaps * rhythm.even_gaps;
        let gaps_silent = silence / gap;
        let value = 2.0 * even / (even + gaps_silent * gaps_silent) - 1.0;
        term((activity.order_days - 1) as f64, value)
    }

    fn single(weight: f64, fast_weight: f64, value: f64) -> Term {
        Term {
            weight,
            value: weight * value,
            square: weight * value * value,
            fast_weight,
            fast_value: fast_weight * value,
            count: 1,
        }
    }

    pub(crate) fn add(&mut self, other: Term) {
        self.weight += other.weight;
        self.value += other.value;
        self.square += other.square;
        self.fast_weight += other.fast_weight;
        self.fast_value += other.fast_value;
        self.count = self.count.saturating_add(other.count);
    }

    fn times(self, factor: f64) -> Term {
        Term {
            weight: self.weight * factor,
            value: self.value * factor,
            square: self.square * factor,
            fast_weight: self.fast_weight * factor,
            fast_value: self.fast_value * factor,
            count: self.count,
        }
    }
}
