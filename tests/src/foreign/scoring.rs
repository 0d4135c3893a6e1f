//! What is scored: models, ledgers and the documents that feeds tell of.

use dynamics::{Assessment, Evidence, Facet, Facts, Ledger, Model, Signal, Topic, View, assess, explain};

/// When everything is assessed: 2026-01-01, in microseconds since 1970.
const NOW: i64 = 1_767_225_600_000_000;

const KINDS: [&str; 8] =
    ["account", "contact", "milestone", "order", "interaction", "commitment", "competitor_offer", "feedback"];

/// A model's document: what is read assesses, what is not is told field by field.
pub fn model(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Model::parse(&text) {
        Ok(model) => {
            assert_eq!(Model::parse(&text).as_ref(), Ok(&model));
            assert!((1..=64).contains(&model.id().len()), "{}", model.id());
            let mut facts = Facts::default();
            let evidence = Signal::ALL.map(|signal| Evidence::new(Topic::Signal(signal), NOW - 1, 0.5, 1.0));
            facts.evidence.extend(evidence.into_iter().flatten());
            for facts in [Facts::default(), facts] {
                let ledger = Ledger::fold(model.half_lives(), [("a", &facts)]);
                assert_is_sound(&assess(&ledger, &model, NOW));
            }
        }
        Err(error) => {
            assert!(!error.violations.is_empty());
            for violation in &error.violations {
                assert!(!violation.field.is_empty() && !violation.problem.is_empty(), "{violation:?}");
            }
        }
    }
}

/// Stored facts and a stored ledger: what is read is written as it was, and assesses.
pub fn ledger(data: &[u8]) {
    let (choice, bytes) = super::first(data);
    let (now, bytes) = super::number(bytes);
    let model = Model::default();
    if choice.is_multiple_of(2) {
        let Ok(ledger) = Ledger::decode(bytes) else { return };
        assert_eq!(Ledger::decode(&ledger.encode()).as_ref(), Ok(&ledger));
        for now in [now, NOW] {
            assert_is_sound(&assess(&ledger, &model, now));
            explain(&ledger, &model, now);
        }
    } else {
        let Ok(facts) = Facts::decode(bytes) else { return };
        assert_facts_are_sound(&facts, now);
    }
}

/// A document of a feed, as some service wrote it: what it says is sound, and the same when it is written anew.
pub fn document(data: &[u8]) {
    let (choice, rest) = super::first(data);
    let (then, bytes) = super::number(rest);
    let kind = KINDS[usize::from(choice) % KINDS.len()];
    let Some(document) = aggregator::fuzzing::document(kind, bytes, then) else { return };
    let again = aggregator::fuzzing::document(kind, &document.encoded, then);
    assert_eq!(again.as_ref(), Some(&document));
    let at_the_end = aggregator::fuzzing::document(kind, bytes, i64::MAX).unwrap();
    assert_eq!(at_the_end.facts_then, document.facts, "nothing is later than the end of time");
    assert!(document.moments.iter().all(|moment| moment.chars().count() <= 120), "{:?}", document.moments);
    assert_facts_are_sound(&document.facts, then);
    assert_facts_are_sound(&document.facts_then, then);
}

fn assert_facts_are_sound(facts: &Facts, now: i64) {
    assert_eq!(Facts::decode(&facts.encode()).as_ref(), Ok(facts));
    let model = Model::default();
    let mut ledger = Ledger::fold(model.half_lives(), [("a", facts)]);
    for now in [now, NOW] {
        assert_is_sound(&assess(&ledger, &model, now));
        explain(&ledger, &model, now);
    }
    ledger.apply("a", Some(facts), None);
    assert!(ledger.is_empty(), "{ledger:?}");
}

fn assert_is_sound(assessment: &Assessment) {
    for view in View::ALL.map(|view| assessment.view(view)) {
        for score in [view.index, view.low, view.high] {
            assert!((0.0..=100.0).contains(&score), "{view:?}");
        }
        assert!((0.0..=1.0).contains(&view.confidence) && view.velocity.is_finite(), "{view:?}");
        for facet in Facet::ALL.map(|facet| view.facet(facet)) {
            assert!((0.0..=100.0).contains(&facet.score), "{facet:?}");
        }
    }
}
