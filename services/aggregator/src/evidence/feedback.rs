//! What feedback says: scores by what they are about, and complaints, compliments, ideas and needs by what became of
//! them.

mod score;
mod telling;

use contracts::common::v1::{Party, TextSpanKind};
use contracts::feedback::v1::{Feedback, FeedbackKind, FeedbackState, Subject};
use dynamics::{Signal, View};
use prost::Message;

use super::draft::Draft;
use super::scale::{days, days_after, promptness};
use super::voice::Words;
use super::{Moment, Resource, Source, forget, micros};

/// A complaint without a stated tone, and how far the tone moves it: from -1 when hostile to -0.2 when friendly.
const COMPLAINT_VALUE: f64 = -0.6;
const COMPLAINT_TONE: f64 = 0.4;
/// A complaint is conflict said aloud: it weighs as two facts, and as one and a half more while it stays open.
const COMPLAINT_WEIGHT: f64 = 2.0;
const OPEN_COMPLAINT_WEIGHT: f64 = 1.5;
/// An open complaint has a day before it is held against the provider, and counts in full after two weeks.
const COMPLAINT_GRACE_DAYS: i64 = 1;
const COMPLAINT_FULL_DAYS: i64 = 14;

/// How a conflict was settled weighs as much as it did while it was open (smith1999 in the default model).
const SETTLEMENT_WEIGHT: f64 = 1.5;
/// Days to settle a complaint that are neither quick nor slow: a week.
const SETTLE_EVEN_DAYS: f64 = 7.0;
/// What the customer says of the settlement decides its sign, how soon it came the rest.
const CONTENT_VALUE: f64 = 0.75;
const SOON_VALUE: f64 = 0.25;
/// With no word from the customer, a settlement is as good as it was quick, by half.
const UNKNOWN_VALUE: f64 = 0.5;

/// A compliment without a stated tone, and how far the tone moves it.
const COMPLIMENT_VALUE: f64 = 0.75;
const COMPLIMENT_TONE: f64 = 0.25;
/// What praise and blame say of their subject, beside what they are themselves.
const SUBJECT_WEIGHT: f64 = 0.5;

/// An idea is worth something when it is given, and all once it was taken up to the customer's content.
const IDEA_VALUE: f64 = 0.5;
const IDEA_TAKEN_UP_VALUE: f64 = 0.75;
/// Days to meet a need that are neither quick nor slow: products change by the quarter.
const NEED_EVEN_DAYS: f64 = 90.0;
/// A need that nothing meets yet is no broken promise: it counts mildly, from a month on, in full after a quarter more.
const OPEN_NEED_VALUE: f64 = -0.5;
const OPEN_NEED_WEIGHT: f64 = 0.5;
const OPEN_NEED_GRACE_DAYS: i64 = 30;
const OPEN_NEED_FULL_DAYS: i64 = 90;

/// A need that is told in passing is one that nothing has met so far. It was found by rules in the words, as are ideas, and
/// weighs half of what somebody recorded.
const NEED_IN_PASSING: f64 = -0.3;
const WISH_WEIGHT: f64 = 0.5;

impl Resource for Feedback {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    fn happened_at(&self) -> i64 {
        micros(&self.happen_time).unwrap_or(0)
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        if forget(&mut then.resolve_time, time) {
            then.content_with_resolution = None;
            let asks = matches!(self.kind(), FeedbackKind::Complaint | FeedbackKind::Suggestion | FeedbackKind::Need);
            then.set_state(if asks { FeedbackState::Open } else { FeedbackState::Noted });
        }
        then.into()
    }

    fn actor(&self) -> Party {
        Party::Customer
    }

    fn draw(&self, draft: &mut Draft) {
        let words = words(self);
        words.draw(draft);
        words.rivals(draft);
        wishes(self, &words, draft);
        score::draw(self, draft);
        match self.kind() {
            FeedbackKind::Complaint => complaint(self, draft),
            FeedbackKind::Compliment => compliment(self, draft),
            FeedbackKind::Suggestion => suggestion(self, draft),
            FeedbackKind::Need => need(self, draft),
            FeedbackKind::Nps | FeedbackKind::Csat | FeedbackKind::Ces | FeedbackKind::Rating => {}
            FeedbackKind::Unspecified => {}
        }
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        telling::tell(self, moments);
    }
}

fn words(feedback: &Feedback) -> Words<'_> {
    Words {
        view: View::Customer,
        at: feedback.happened_at(),
        sentiment: feedback.sentiment,
        emotions: &feedback.emotions,
        analysis: feedback.analysis.as_ref(),
    }
}

/// What the words ask for, where the feedback is not given as a need or an idea itself.
fn wishes(feedback: &Feedback, words: &Words<'_>, draft: &mut Draft) {
    let at = feedback.happened_at();
    let kind = feedback.kind();
    if words.tell_of(TextSpanKind::Need) && kind != FeedbackKind::Need {
        draft.say(Signal::NeedMet, at, NEED_IN_PASSING, WISH_WEIGHT);
    }
    if words.tell_of(TextSpanKind::Suggestion) && kind != FeedbackKind::Suggestion {
        draft.say(Signal::IdeaGiven, at, IDEA_VALUE, WISH_WEIGHT);
    }
}

fn subject(feedback: &Feedback) -> Subject {
    feedback.about.as_ref().map_or(Subject::Unspecified, |about| about.subject())
}

/// The satisfaction that praise or blame of a subject is evidence for. Feedback about nothing in particular speaks of
/// the dealings as a whole.
fn satisfaction(subject: Subject) -> Signal {
    match subject {
        Subject::Product | Subject::Order => Signal::ProductSatisfaction,
        Subject::Interaction => Signal::InteractionSatisfaction,
        Subject::Policy => Signal::PolicySatisfaction,
        Subject::Relationship | Subject::Unspecified => Signal::OutcomeStated,
    }
}

/// A conflict, until it is settled; then also how it was settled.
fn complaint(feedback: &Feedback, draft: &mut Draft) {
    let at = feedback.happened_at();
    let severity = COMPLAINT_VALUE + COMPLAINT_TONE * words(feedback).sure_tone();
    draft.say(Signal::Conflict, at, severity, COMPLAINT_WEIGHT);
    if subject(feedback) != Subject::Unspecified {
        draft.say(satisfaction(subject(feedback)), at, severity, SUBJECT_WEIGHT);
    }
    let Some(resolved) = micros(&feedback.resolve_time) else {
        let since = days_after(at, COMPLAINT_GRACE_DAYS);
        draft.owe(Signal::Conflict, since, COMPLAINT_FULL_DAYS, severity, OPEN_COMPLAINT_WEIGHT);
        return;
    };
    let soon = promptness(days(at, resolved), SETTLE_EVEN_DAYS);
    let value = match feedback.content_with_resolution {
        Some(true) => CONTENT_VALUE + SOON_VALUE * soon,
        Some(false) => SOON_VALUE * soon - CONTENT_VALUE,
        None => UNKNOWN_VALUE * soon,
    };
    draft.say(Signal::Settlement, resolved, value, SETTLEMENT_WEIGHT);
}

fn compliment(feedback: &Feedback, draft: &mut Draft) {
    let value = COMPLIMENT_VALUE + COMPLIMENT_TONE * words(feedback).sure_tone();
    draft.say(Signal::Advocacy, feedback.happened_at(), value, 1.0);
    if subject(feedback) != Subject::Unspecified {
        draft.say(satisfaction(subject(feedback)), feedback.happened_at(), value, SUBJECT_WEIGHT);
    }
}

/// An idea given to the provider, and what the provider made of it.
fn suggestion(feedback: &Feedback, draft: &mut Draft) {
    draft.say(Signal::IdeaGiven, feedback.happened_at(), IDEA_VALUE, 1.0);
    if let Some(resolved) = micros(&feedback.resolve_time) {
        let value = match feedback.content_with_resolution {
            Some(true) => 1.0,
            Some(false) => 0.0,
            None => IDEA_TAKEN_UP_VALUE,
        };
        draft.say(Signal::IdeaGiven, resolved, value, 1.0);
    }
}

fn need(feedback: &Feedback, draft: &mut Draft) {
    let at = feedback.happened_at();
    let Some(resolved) = micros(&feedback.resolve_time) else {
        let since = days_after(at, OPEN_NEED_GRACE_DAYS);
        draft.owe(Signal::NeedMet, since, OPEN_NEED_FULL_DAYS, OPEN_NEED_VALUE, OPEN_NEED_WEIGHT);
        return;
    };
    let soon = SOON_VALUE * promptness(days(at, resolved), NEED_EVEN_DAYS);
    let value = match feedback.content_with_resolution {
        Some(true) => CONTENT_VALUE,
        Some(false) => -CONTENT_VALUE,
        None => UNKNOWN_VALUE,
    };
    draft.say(Signal::NeedMet, resolved, value + soon, 1.0);
}

#[cfg(test)]
mod tests {
    use contracts::feedback::v1::About;
    use dynamics::DAY;

    use super::*;
    use crate::evidence::tests::{day, only, pending, said, value};

    fn of(kind: FeedbackKind) -> Feedback {
        Feedback { happen_time: day(10), kind: kind.into(), ..Feedback::default() }
    }

    fn resolved(kind: FeedbackKind, on: i64, content: Option<bool>) -> Source {
        Feedback { resolve_time: day(on), content_with_resolution: content, ..of(kind) }.into()
    }

    #[test]
    fn a_complaint_is_a_conflict_until_it_is_settled() {
        let open = Source::from(of(FeedbackKind::Complaint));
        let owed = only(&open, pending);
        assert_eq!((owed.topic(), owed.since()), (Signal::Conflict, 11 * DAY));
        let toned = |sentiment| Feedback { sentiment: Some(sentiment), ..of(FeedbackKind::Complaint) }.into();
        assert_eq!(value(&toned(-1.0), Signal::Conflict), -1.0);
        assert!(value(&toned(1.0), Signal::Conflict) > value(&open, Signal::Conflict));
        assert!(value(&toned(1.0), Signal::Conflict) < 0.0);
        assert_eq!(value(&toned(f64::NAN), Signal::Conflict), value(&open, Signal::Conflict));
        assert_eq!(resolved(FeedbackKind::Complaint, 20, None).as_of(15 * DAY).unwrap().facts(), open.facts());
    }

    #[test]
    fn a_settlement_is_judged_by_the_customers_word_then_by_how_soon() {
        let settled = |on, content| {
            let source = resolved(FeedbackKind::Complaint, on, content);
            assert!(pending(&source).is_empty());
            value(&source, Signal::Settlement)
        };
        assert_eq!((settled(10, Some(true)), settled(10, Some(false))), (1.0, -0.5));
        for content in [Some(true), Some(false), None] {
            assert!(settled(11, content) > settled(15, content) && settled(15, content) > settled(90, content));
        }
        assert!(settled(90, Some(true)) > settled(90, None) && settled(90, None) > settled(90, Some(false)));
    }

    #[test]
    fn praise_and_blame_also_speak_of_their_subject() {
        let about = |kind, subject: Subject| {
            let about = About { subject: subject.into(), reference: "x".to_owned() };
            Source::from(Feedback { about: Some(about), ..of(kind) })
        };
        let blamed = about(FeedbackKind::Complaint, Subject::Policy);
        assert!(value(&blamed, Signal::PolicySatisfaction) < 0.0);
        let praised = about(FeedbackKind::Compliment, Subject::Product);
        assert_eq!(value(&praised, Signal::ProductSatisfaction), 0.75);
        assert_eq!(value(&praised, Signal::Advocacy), 0.75);
        assert!(pending(&praised).is_empty());
    }

    #[test]
    fn an_idea_is_worth_more_once_it_was_taken_up() {
        let given = Source::from(of(FeedbackKind::Suggestion));
        assert_eq!(value(&given, Signal::IdeaGiven), 0.5);
        assert!(pending(&given).is_empty());
        let taken = said(&resolved(FeedbackKind::Suggestion, 50, Some(true)), Signal::IdeaGiven);
        assert_eq!(taken.iter().map(|fact| fact.value()).collect::<Vec<_>>(), [0.5, 1.0]);
    }

    #[test]
    fn a_need_waits_patiently_and_is_best_met_soon() {
        let owed = only(&Source::from(of(FeedbackKind::Need)), pending);
        assert_eq!((owed.topic(), owed.since()), (Signal::NeedMet, 40 * DAY));
        let met = |on, content| value(&resolved(FeedbackKind::Need, on, content), Signal::NeedMet);
        assert_eq!(met(10, Some(true)), 1.0);
        assert!(met(20, None) > met(200, None) && met(200, None) > met(10, Some(false)));
    }
}
