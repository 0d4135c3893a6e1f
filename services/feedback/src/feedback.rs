//! What feedback is: an answer to a survey, a complaint, a wish.

use contracts::feedback::v1::{Feedback, FeedbackKind, FeedbackState, Scale, Subject};
use methods::{Collection, Erasure, Guard, Index, Kind, Reading, Violations, from_micros, state_conflict, to_micros};
use prost::Message as _;
use prost_types::Timestamp;
use runtime::Fault;
use store::Table;

use crate::theme;

pub(crate) static TABLE: Table = Table { name: "feedback" };
pub(crate) const COLLECTION: Collection = Collection::OfAccount("feedback");

/// What feedback is. NOTED, or OPEN → RESOLVED → OPEN.
pub(crate) static FEEDBACK: Kind<Feedback> = Kind {
    name: "feedback",
    table: &TABLE,
    collection: COLLECTION,
    updatable: &[
        "happen_time",
        "kind",
        "score",
        "scale",
        "about",
        "contact",
        "text",
        "sentiment",
        "emotions",
        "themes",
        "content_with_resolution",
    ],
    check,
    as_new: |feedback| {
        feedback.resolve_time = None;
        as_row(feedback);
    },
    as_row,
    derive: |feedback| {
        let state = match feedback.resolve_time {
            Some(_) => FeedbackState::Resolved,
            None if asks_for_something(feedback) => FeedbackState::Open,
            None => FeedbackState::Noted,
        };
        feedback.set_state(state);
    },
    reading: Some(Reading { text: |feedback| &feedback.text, analysis: |feedback| &mut feedback.analysis }),
    index: |feedback| Index {
        state: feedback.state().as_str_name(),
        happened_at: feedback.happen_time.as_ref().map_or(0, to_micros),
        ..Index::default()
    },
    related: Kind::<Feedback>::unrelated,
    rules,
};

/// How feedback loses its words.
pub(crate) static ERASURE: Erasure<Feedback> = Erasure {
    contact: |feedback| &feedback.contact,
    erase_time: |feedback| &mut feedback.erase_time,
    empty: empty_words,
    redact: |document| {
        let mut feedback = Feedback::decode(document).unwrap_or_default();
        empty_words(&mut feedback);
        feedback.encode_to_vec()
    },
};

fn check(feedback: &Feedback, violations: &mut Violations) {
    let happen_time = feedback.happen_time.as_ref();
    violations.required_time("happen_time", happen_time);
    violations.required_enum::<FeedbackKind>("kind", feedback.kind);
    check_score(feedback, violations);
    if let Some(about) = &feedback.about {
        violations.within("about", |violations| {
            violations.required_enum::<Subject>("subject", about.subject);
            violations.text("reference", &about.reference, 0, 256);
        });
    }
    violations.reference_within("contact", &feedback.contact, Collection::OfAccount("contacts"), &feedback.name);
    violations.text("text", &feedback.text, 0, 65_536);
    violations.number("sentiment", feedback.sentiment, -1.0, 1.0);
    violations.emotions("emotions", &feedback.emotions);
    theme::check_names(violations, "themes", &feedback.themes, theme::COLLECTION, 20);
    let resolve_time = feedback.resolve_time.as_ref();
    violations.time("resolve_time", resolve_time);
    violations.in_order("resolve_time", resolve_time, "happen_time", happen_time);
    if resolve_time.is_some() && !asks_for_something(feedback) {
        violations.add("resolve_time", "is only for complaints, suggestions and needs");
    }
}

fn check_score(feedback: &Feedback, violations: &mut Violations) {
    let usual = usual_scale(feedback.kind());
    if feedback.score.is_none() && usual.is_some() {
        violations.add("score", "is required for this kind");
    }
    if let Some(Scale { min, max }) = feedback.scale
        && !(min.is_finite() && max.is_finite() && min < max)
    {
        violations.add("scale", "must be two numbers, `max` more than `min`");
        return;
    }
    match feedback.scale.or(usual) {
        Some(scale) => violations.number("score", feedback.score, scale.min, scale.max),
        None if feedback.score.is_some() => violations.add("scale", "is required with a score of this kind"),
        None => {}
    }
}

/// The scale of a kind's scores if none is given; nothing for the kinds that need no score.
fn usual_scale(kind: FeedbackKind) -> Option<Scale> {
    match kind {
        FeedbackKind::Nps => Some(Scale { min: 0.0, max: 10.0 }),
        FeedbackKind::Csat | FeedbackKind::Rating => Some(Scale { min: 1.0, max: 5.0 }),
        FeedbackKind::Ces => Some(Scale { min: 1.0, max: 7.0 }),
        _ => None,
    }
}

fn asks_for_something(feedback: &Feedback) -> bool {
    matches!(feedback.kind(), FeedbackKind::Complaint | FeedbackKind::Suggestion | FeedbackKind::Need)
}

fn as_row(feedback: &mut Feedback) {
    feedback.state = 0;
    feedback.erase_time = None;
}

fn empty_words(feedback: &mut Feedback) {
    feedback.text.clear();
    methods::forget_words(&mut feedback.analysis);
}

fn rules(guard: &mut Guard<'_, '_, Feedback>) -> Result<(), Fault> {
    // Words that were erased do not come back, not even when the rows of an import are sent again.
    if let Some(erase_time) = guard.old.and_then(|old| old.erase_time) {
        empty_words(guard.new);
        guard.new.analysis = guard.old.and_then(|old| old.analysis.clone());
        guard.new.erase_time = Some(erase_time);
    }
    Ok(())
}

/// Records that the matter was settled.
pub(crate) fn resolve(
    feedback: &mut Feedback,
    at: Option<Timestamp>,
    content: Option<bool>,
    now: i64,
) -> Result<(), Fault> {
    expect(feedback, FeedbackState::Open, "resolved")?;
    feedback.resolve_time = Some(at.unwrap_or_else(|| from_micros(now)));
    feedback.content_with_resolution = content.or(feedback.content_with_resolution);
    Ok(())
}

/// Takes a settled matter up again: whether the customer will be content is not known any more.
pub(crate) fn reopen(feedback: &mut Feedback) -> Result<(), Fault> {
    expect(feedback, FeedbackState::Resolved, "reopened")?;
    feedback.resolve_time = None;
    feedback.content_with_resolution = None;
    Ok(())
}

fn expect(feedback: &Feedback, state: FeedbackState, wanted: &'static str) -> Result<(), Fault> {
    if feedback.state() == state {
        return Ok(());
    }
    Err(state_conflict(&feedback.name, feedback.state().as_str_name(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_at_fault(kind: FeedbackKind, score: Option<f64>, scale: Option<(f64, f64)>) -> Vec<String> {
        let scale = scale.map(|(min, max)| Scale { min, max });
        let feedback = Feedback {
            kind: kind.into(),
            score,
            scale,
            happen_time: Some(from_micros(1_000_000)),
            ..Feedback::default()
        };
        let mut violations = Violations::default();
        check(&feedback, &mut violations);
        let fault = violations.finish().err();
        fault.iter().flat_map(Fault::violations).map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn scores_lie_on_their_scale() {
        use FeedbackKind::{Ces, Complaint, Compliment, Csat, Nps, Rating};
        for (kind, score, scale) in [
            (Nps, Some(0.0), None),
            (Nps, Some(10.0), None),
            (Csat, Some(1.0), None),
            (Rating, Some(5.0), None),
            (Ces, Some(7.0), None),
            (Csat, Some(88.0), Some((0.0, 100.0))),
            (Complaint, None, None),
            (Compliment, Some(2.0), Some((-3.0, 3.0))),
        ] {
            assert_eq!(fields_at_fault(kind, score, scale), Vec::<String>::new(), "{kind:?} {score:?}");
        }
        for (kind, score, scale, field) in [
            (Nps, None, None, "score"),
            (Nps, Some(10.5), None, "score"),
            (Csat, Some(0.0), None, "score"),
            (Rating, None, Some((1.0, 5.0)), "score"),
            (Ces, Some(8.0), None, "score"),
            (Ces, Some(f64::NAN), None, "score"),
            (Csat, Some(3.0), Some((5.0, 1.0)), "scale"),
            (Csat, Some(3.0), Some((f64::NEG_INFINITY, 5.0)), "scale"),
            (Complaint, Some(3.0), None, "scale"),
        ] {
            assert_eq!(fields_at_fault(kind, score, scale), [field], "{kind:?} {score:?}");
        }
    }

    #[test]
    fn only_what_asks_for_something_is_settled() {
        let mut complaint = Feedback { kind: FeedbackKind::Complaint.into(), ..Feedback::default() };
        (FEEDBACK.derive)(&mut complaint);
        resolve(&mut complaint, None, Some(false), 1_000_000).unwrap();
        (FEEDBACK.derive)(&mut complaint);
        assert!(resolve(&mut complaint, None, None, 2_000_000).is_err());
        reopen(&mut complaint).unwrap();
        (FEEDBACK.derive)(&mut complaint);
        assert_eq!((complaint.state(), complaint.content_with_resolution), (FeedbackState::Open, None));

        let mut praise = Feedback { kind: FeedbackKind::Compliment.into(), ..Feedback::default() };
        (FEEDBACK.derive)(&mut praise);
        assert_eq!(praise.state(), FeedbackState::Noted);
        assert!(resolve(&mut praise, None, None, 1_000_000).is_err());
    }

    #[test]
    fn erasing_leaves_no_words_in_the_past() {
        let said = Feedback { text: "too slow".to_owned(), score: Some(2.0), ..Feedback::default() };
        let past = Feedback::decode((ERASURE.redact)(&said.encode_to_vec()).as_slice()).unwrap();
        assert_eq!(past, Feedback { score: Some(2.0), ..Feedback::default() });
    }
}
