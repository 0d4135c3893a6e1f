//! Scores given on a scale.

use contracts::feedback::v1::{Feedback, FeedbackKind, Scale, Subject};
use dynamics::Signal;

use super::{satisfaction, subject};
use crate::evidence::Resource;
use crate::evidence::draft::Draft;
use crate::evidence::scale::signed;

/// The middle of the passives, 7 and 8, who count neither for the provider nor against it.
const NPS_EVEN: f64 = 7.5;
/// How wide the bands are: 9 is at 0.76 and 10 at 0.93, 7 and 8 at ∓0.32, 6 at -0.76.
const NPS_WIDTH: f64 = 1.5;
/// A score that came with a complaint or a need, beside what those say.
const BESIDE_WEIGHT: f64 = 0.5;

pub(super) fn draw(feedback: &Feedback, draft: &mut Draft) {
    let Some(share) = share(feedback) else {
        return;
    };
    let at = feedback.happened_at();
    let satisfied = satisfaction(subject(feedback));
    match feedback.kind() {
        FeedbackKind::Nps => draft.say(Signal::Recommendation, at, recommendation(share), 1.0),
        FeedbackKind::Ces => draft.say(Signal::Effort, at, signed(share), 1.0),
        // Stars for nothing in particular are stars for what was bought.
        FeedbackKind::Rating if subject(feedback) == Subject::Unspecified => {
            draft.say(Signal::ProductSatisfaction, at, signed(share), 1.0);
        }
        FeedbackKind::Csat | FeedbackKind::Rating => draft.say(satisfied, at, signed(share), 1.0),
        FeedbackKind::Complaint | FeedbackKind::Compliment | FeedbackKind::Suggestion | FeedbackKind::Need => {
            draft.say(satisfied, at, signed(share), BESIDE_WEIGHT);
        }
        FeedbackKind::Unspecified => {}
    }
}

/// Where the score lies between the ends of its scale, in [0, 1]; none without a score or a scale.
fn share(feedback: &Feedback) -> Option<f64> {
    let score = feedback.score.filter(|score| score.is_finite())?;
    let stated = feedback.scale.filter(|scale| scale.max > scale.min && (scale.max - scale.min).is_finite());
    let scale = stated.or(usual_scale(feedback.kind()))?;
    Some(((score - scale.min) / (scale.max - scale.min)).clamp(0.0, 1.0))
}

fn usual_scale(kind: FeedbackKind) -> Option<Scale> {
    let (min, max) = match kind {
        FeedbackKind::Nps => (0.0, 10.0),
        FeedbackKind::Csat | FeedbackKind::Rating => (1.0, 5.0),
        FeedbackKind::Ces => (1.0, 7.0),
        _ => return None,
    };
    Some(Scale { min, max })
}

/// Promoters (9, 10) count for the provider, passives (7, 8) for nothing and detractors (0 to 6) against it (reichheld2003
/// in the default model). The three bands are joined smoothly, so that a 10 says more than a 9 and a 5 less than a 6.
fn recommendation(share: f64) -> f64 {
    ((10.0 * share - NPS_EVEN) / NPS_WIDTH).tanh()
}

#[cfg(test)]
mod tests {
    use contracts::feedback::v1::About;

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, said, value};

    fn scored(kind: FeedbackKind, score: f64, subject: Subject) -> Feedback {
        let about = (subject != Subject::Unspecified).then(|| About { subject: subject.into(), ..About::default() });
        Feedback { happen_time: day(1), kind: kind.into(), score: Some(score), about, ..Feedback::default() }
    }

    #[test]
    fn recommendation_rises_through_its_three_bands() {
        let nps = |score| {
            let feedback = scored(FeedbackKind::Nps, score, Subject::Unspecified);
            value(&feedback.into(), Signal::Recommendation)
        };
        for score in 0..10 {
            assert!(nps(f64::from(score)) < nps(f64::from(score + 1)));
        }
        assert!(nps(6.0) < -0.7 && nps(7.0) < 0.0 && nps(8.0) > 0.0 && nps(9.0) > 0.7);
    }

    #[test]
    fn satisfaction_goes_by_its_subject() {
        for (kind, subject, signal) in [
            (FeedbackKind::Csat, Subject::Product, Signal::ProductSatisfaction),
            (FeedbackKind::Rating, Subject::Order, Signal::ProductSatisfaction),
            (FeedbackKind::Csat, Subject::Interaction, Signal::InteractionSatisfaction),
            (FeedbackKind::Csat, Subject::Policy, Signal::PolicySatisfaction),
            (FeedbackKind::Csat, Subject::Relationship, Signal::OutcomeStated),
            (FeedbackKind::Csat, Subject::Unspecified, Signal::OutcomeStated),
            (FeedbackKind::Rating, Subject::Unspecified, Signal::ProductSatisfaction),
        ] {
            assert_eq!(value(&scored(kind, 5.0, subject).into(), signal), 1.0, "{kind:?} {subject:?}");
            assert_eq!(value(&scored(kind, 2.0, subject).into(), signal), -0.5, "{kind:?} {subject:?}");
        }
        let easy = Source::from(scored(FeedbackKind::Ces, 4.0, Subject::Unspecified));
        assert_eq!(value(&easy, Signal::Effort), 0.0);
    }

    #[test]
    fn a_stated_scale_is_used_and_nonsense_is_left_out() {
        let feedback = scored(FeedbackKind::Csat, 50.0, Subject::Product);
        let percent = Feedback { scale: Some(Scale { min: 0.0, max: 100.0 }), ..feedback.clone() };
        assert_eq!(value(&percent.into(), Signal::ProductSatisfaction), 0.0);
        let nothing = Feedback { score: Some(f64::NAN), ..feedback.clone() };
        assert!(said(&nothing.into(), Signal::ProductSatisfaction).is_empty());
        let need = Feedback { kind: FeedbackKind::Need.into(), ..feedback };
        assert!(said(&need.into(), Signal::ProductSatisfaction).is_empty());
    }
}
