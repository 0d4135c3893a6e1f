//! Where an account stands when a rival makes an offer, and the features that follow from it.

use super::offer::Record;
use crate::assess::{Assessment, assess};
use crate::decay::Micros;
use crate::ledger::Ledger;
use crate::model::Model;
use crate::signal::Signal;
use crate::terms::Terms;
use crate::vocabulary::{Facet, View};

/// The middle of scores, where features are 0.
const MIDDLE: f64 = 50.0;
/// The points of a score that make one unit of its feature: half the way from the middle to an end.
const SCORE_UNIT: f64 = 25.0;
/// The points per quarter that make one unit of velocity's feature.
const VELOCITY_UNIT: f64 = 10.0;
/// The feature of velocity goes no further than this, to either side.
const VELOCITY_MOST: f64 = 3.0;
/// The severity, fading with the ledger's slow half-life, at which conflict is 0.5: a fresh complaint of
/// ordinary tone weighs 1.2 of itself.
const HALF_CONFLICT: f64 = 1.0;

/// A score and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The score, 0 to 100.
    pub score: f64,
    /// Its standard deviation in points, at least 0.
    pub deviation: f64,
}

impl Scored {
    /// The feature, at so many standard deviations from the score. What is no number is the middle.
    fn feature(self, shift: f64) -> f64 {
        let shifted = self.score + shift * self.deviation.clamp(0.0, 100.0);
        if shifted.is_nan() { 0.0 } else { (shifted.clamp(0.0, 100.0) - MIDDLE) / SCORE_UNIT }
    }
}

/// Where an account stood at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The bond.
    pub bond: Scored,
    /// The customer's trust.
    pub trust: Scored,
    /// The customer's loyalty.
    pub loyalty: Scored,
    /// What the relationship is worth to the customer.
    pub value: Scored,
    /// How the bond moves, in points per quarter.
    pub velocity: f64,
    /// Conflict that is open or recent, from 0 for none towards 1; see [`Standing::at`].
    pub conflict: f64,
    /// What the account's earlier offers say.
    pub record: Record,
}

impl Standing {
    /// The standing that a ledger says at `now`, with the record of the account's earlier offers.
    ///
    /// Conflict is s / (s + 1), with s the faded severity of conflicts, those that are open
    /// included, less what was gained by settling them: the sums Σ w·v of the two signals as
    /// evidence states them, without the model's weights.
    pub fn at(ledger: &Ledger, model: &Model, now: Micros, record: Record) -> Standing {
        Standing::of(&assess(ledger, model, now), ledger, model, record)
    }

    /// As [`Standing::at`], of an assessment that was made from this ledger by this model.
    pub fn of(assessment: &Assessment, ledger: &Ledger, model: &Model, record: Record) -> Standing {
        let customer = assessment.view(View::Customer);
        let facet = |facet| {
            let scored = customer.facet(facet);
            Scored { score: scored.score, deviation: scored.deviation }
        };
        let variance: f64 =
            assessment.views.iter().map(|view| (model.view_weight(view.view) * view.deviation).powi(2)).sum();
        Standing {
            bond: Scored { score: assessment.relationship.bond, deviation: variance.sqrt() },
            trust: facet(Facet::Trust),
            loyalty: facet(Facet::Loyalty),
            value: facet(Facet::Value),
            velocity: assessment.relationship.velocity,
            conflict: conflict(ledger, model, assessment.now),
            record,
        }
    }

    /// The features of the first question, in the order of [`super::Prior`]; scores are taken at
    /// `shift` standard deviations from what they are.
    pub(super) fn asking(&self, shift: f64) -> [f64; ASKING] {
        [1.0, self.bond.feature(shift), self.trust.feature(shift), self.conflict(), self.record.openness()]
    }

    /// The features of the second question, as above.
    pub(super) fn staying(&self, shift: f64, countered: bool) -> [f64; STAYING] {
        let velocity = (self.velocity / VELOCITY_UNIT).clamp(-VELOCITY_MOST, VELOCITY_MOST);
        [
            1.0,
            self.bond.feature(shift),
            self.loyalty.feature(shift),
            self.value.feature(shift),
            if velocity.is_nan() { 0.0 } else { velocity },
            1.0 - self.conflict(),
            self.record.staying(),
            f64::from(u8::from(countered)),
        ]
    }

    fn conflict(&self) -> f64 {
        if self.conflict.is_nan() { 0.0 } else { self.conflict.clamp(0.0, 1.0) }
    }
}

/// How many coefficients each question has.
pub(super) const ASKING: usize = 5;
pub(super) const STAYING: usize = 8;

fn conflict(ledger: &Ledger, model: &Model, now: Micros) -> f64 {
    let terms = Terms::gather(ledger, model, now);
    // A model may leave a signal out; then nothing is said of it.
    let sum = |signal| {
        let weight = model.weight(signal);
        if weight > 0.0 { terms.signal(signal).value / weight } else { 0.0 }
    };
    let severity = (-sum(Signal::Conflict) - sum(Signal::Settlement).max(0.0)).max(0.0);
    severity / (severity + HALF_CONFLICT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decay::DAY;
    use crate::evidence::{Evidence, Pending};
    use crate::facts::Facts;
    use crate::signal::Topic;

    fn said(signal: Signal, day: i64, value: f64, weight: f64) -> Evidence {
        Evidence::new(Topic::Signal(signal), day * DAY, value, weight).unwrap()
    }

    fn standing(facts: &Facts, day: i64) -> Standing {
        let model = Model::default();
        let ledger = Ledger::fold(model.half_lives(), [("a", facts)]);
        Standing::at(&ledger, &model, day * DAY, Record::default())
    }

    #[test]
    fn conflict_rises_while_open_and_falls_when_settled_or_old() {
        let complaint = said(Signal::Conflict, 1_000, -0.6, 2.0);
        let owed = Pending::new(Signal::Conflict, 1_001 * DAY, 14 * DAY, -0.6, 1.5).unwrap();
        let fresh = Facts { evidence: vec![complaint], ..Facts::default() };
        let open = Facts { pending: vec![owed], ..fresh.clone() };
        let settled =
            Facts { evidence: vec![complaint, said(Signal::Settlement, 1_010, 0.75, 1.5)], ..Facts::default() };
        assert_eq!(standing(&Facts::default(), 1_020).conflict, 0.0);
        let conflict = |facts: &Facts, day| standing(facts, day).conflict;
        assert!(conflict(&open, 1_020) > conflict(&fresh, 1_020));
        assert!(conflict(&fresh, 1_020) > conflict(&settled, 1_020));
        assert!(conflict(&fresh, 1_020) > conflict(&fresh, 1_400) && conflict(&fresh, 1_400) > 0.0);
        assert!((0.5..0.6).contains(&conflict(&fresh, 1_001)));
    }

    #[test]
    fn a_standing_has_the_assessments_scores() {
        let facts = Facts {
            evidence: vec![said(Signal::DeliveryPromise, 900, 1.0, 9.0), said(Signal::NeedMet, 990, -1.0, 3.0)],
            ..Facts::default()
        };
        let model = Model::default();
        let ledger = Ledger::fold(model.half_lives(), [("a", &facts)]);
        let assessment = assess(&ledger, &model, 1_000 * DAY);
        let standing = standing(&facts, 1_000);
        let customer = assessment.view(View::Customer);
        assert_eq!(standing.trust.score, customer.facet(Facet::Trust).score);
        assert_eq!(standing.value.deviation, customer.facet(Facet::Value).deviation);
        assert_eq!(standing.velocity, assessment.relationship.velocity);
        // Where no end is cut, the bond's interval is the same deviation to either side.
        let half = (assessment.relationship.high - assessment.relationship.low) / 2.0;
        assert!((standing.bond.deviation * 1.959_963_984_540_054 - half).abs() < 1e-9);
        assert!(standing.trust.score > 50.0 && standing.value.score < 50.0);
    }

    #[test]
    fn what_is_no_number_is_the_middle() {
        let odd = Scored { score: f64::NAN, deviation: f64::INFINITY };
        let record = Record::default();
        let odd = Standing {
            bond: odd,
            trust: odd,
            loyalty: odd,
            value: odd,
            velocity: f64::NAN,
            conflict: f64::NAN,
            record,
        };
        assert_eq!(odd.asking(1.0), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(odd.staying(-1.0, true), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    }
}
