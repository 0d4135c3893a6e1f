//! Feedback in plain words.

use contracts::common::v1::Party;
use contracts::feedback::v1::{Feedback, FeedbackKind, Subject};

use super::subject;
use crate::evidence::words::{id, quoted, span};
use crate::evidence::{Moment, Resource, micros};

pub(super) fn tell(feedback: &Feedback, moments: &mut Vec<Moment>) {
    let happened = feedback.happened_at();
    moments.push(Moment::new(happened, Party::Customer, headline(feedback)));
    if let Some(resolved) = micros(&feedback.resolve_time) {
        let content = match feedback.content_with_resolution {
            Some(true) => ", to the customer's content",
            Some(false) => ", not to the customer's content",
            None => "",
        };
        let text = format!("settled it after {}{content}", span(resolved.saturating_sub(happened)));
        moments.push(Moment::new(resolved, Party::Provider, text));
    }
}

fn headline(feedback: &Feedback) -> String {
    let what = match feedback.kind() {
        FeedbackKind::Unspecified => "said something",
        FeedbackKind::Nps => "gave a recommendation score",
        FeedbackKind::Csat => "gave a satisfaction score",
        FeedbackKind::Ces => "gave an effort score",
        FeedbackKind::Rating => "gave a rating",
        FeedbackKind::Complaint => "complained",
        FeedbackKind::Compliment => "gave a compliment",
        FeedbackKind::Suggestion => "made a suggestion",
        FeedbackKind::Need => "stated a need",
    };
    let mut text = what.to_owned();
    if let Some(score) = feedback.score {
        let best = feedback.scale.map(|scale| format!(" on a scale of {} to {}", scale.min, scale.max));
        text.push_str(&format!(" of {score}{}", best.unwrap_or_default()));
    }
    let sort = match subject(feedback) {
        Subject::Unspecified => "",
        Subject::Product => " about product",
        Subject::Order => " about order",
        Subject::Interaction => " about contact",
        Subject::Policy => " about policy",
        Subject::Relationship => " about the relationship",
    };
    text.push_str(sort);
    if let Some(about) = feedback.about.as_ref().filter(|about| !about.reference.is_empty()) {
        text.push_str(&format!(" {}", id(&about.reference)));
    }
    if !feedback.contact.is_empty() {
        text.push_str(&format!(", by {}", id(&feedback.contact)));
    }
    if !feedback.themes.is_empty() {
        let themes: Vec<&str> = feedback.themes.iter().map(|theme| id(theme)).collect();
        text.push_str(&format!(" ({})", themes.join(", ")));
    }
    text.push_str(&quoted([feedback.text.as_str()]));
    text
}

#[cfg(test)]
mod tests {
    use contracts::feedback::v1::About;

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::day;

    #[test]
    fn a_complaint_is_told_with_its_settlement() {
        let about = About { subject: Subject::Order.into(), reference: "accounts/acme/orders/o-1".to_owned() };
        let complaint = Feedback {
            happen_time: day(1),
            kind: FeedbackKind::Complaint.into(),
            about: Some(about),
            themes: vec!["themes/speed".to_owned()],
            text: "two weeks late, and nobody calls back".to_owned(),
            resolve_time: day(4),
            content_with_resolution: Some(false),
            ..Feedback::default()
        };
        let texts: Vec<_> = Source::from(complaint).moments().into_iter().map(|moment| moment.text).collect();
        let expected = [
            "complained about order o-1 (speed): two weeks late, and nobody calls back",
            "settled it after 3 days, not to the customer's content",
        ];
        assert_eq!(texts, expected);
    }
}
