//! Ledgers are exact: what they hold depends on the facts, never on the way they came.

use std::collections::BTreeMap;

use super::*;
use crate::{Outcome, assess};

proptest! {
    #[test]
    fn any_order_of_sources_gives_the_identical_ledger_and_assessment(
        (sources, shuffled) in any_sources().prop_flat_map(|sources| {
            (Just(sources.clone()), Just(sources).prop_shuffle())
        })
    ) {
        let (ledger, other) = (fold(&sources), fold(&shuffled));
        prop_assert_eq!(&ledger, &other);
        let model = Model::default();
        prop_assert_eq!(assess(&ledger, &model, NOW), assess(&other, &model, NOW));
    }

    #[test]
    fn what_is_added_twice_and_taken_away_once_leaves_no_trace(
        sources in any_sources(),
        mut extra in any_facts(),
    ) {
        extra.order = None;
        let mut ledger = fold(&sources);
        let before = ledger.clone();
        prop_assert_eq!(ledger.apply("extra", None, Some(&extra)), Outcome::Applied);
        prop_assert_eq!(ledger.apply("extra", Some(&extra), None), Outcome::Applied);
        prop_assert_eq!(ledger, before);
    }

    #[test]
    fn evidence_may_be_split_over_sources(
        all in vec(any_evidence(), 0..20),
        split in vec(0..4_usize, 20),
    ) {
        let whole = [("whole".to_owned(), told(all.clone()))];
        let mut parts: Vec<(String, Facts)> =
            (0..4).map(|n| (format!("part/{n}"), Facts::default())).collect();
        for (evidence, part) in all.into_iter().zip(split) {
            parts[part].1.evidence.push(evidence);
        }
        prop_assert_eq!(fold(&whole), fold(&parts));
    }

    #[test]
    fn applied_changes_equal_the_fold(
        changes in vec((0..6_usize, option::weighted(0.8, any_facts())), 0..25)
    ) {
        let model = Model::default();
        let mut current: BTreeMap<String, Facts> = BTreeMap::new();
        let mut ledger = Ledger::new(model.half_lives());
        for (source, new) in changes {
            let key = format!("source/{source}");
            let old = current.remove(&key);
            let before = ledger.clone();
            let outcome = ledger.apply(&key, old.as_ref(), new.as_ref());
            if let Some(new) = new {
                current.insert(key, new);
            }
            let fold = Ledger::fold(model.half_lives(), current.iter().map(|(k, f)| (k.as_str(), f)));
            match outcome {
                Outcome::Applied => prop_assert_eq!(&ledger, &fold),
                Outcome::Rebuild => {
                    prop_assert_eq!(&ledger, &before);
                    ledger = fold;
                }
            }
        }
        for (key, facts) in current {
            if ledger.apply(&key, Some(&facts), None) == Outcome::Rebuild {
                return Ok(());
            }
        }
        prop_assert!(ledger.is_empty());
    }

    #[test]
    fn encodings_come_back(sources in any_sources()) {
        let ledger = fold(&sources);
        prop_assert_eq!(Ledger::decode(&ledger.encode()), Ok(ledger));
        for (_, facts) in sources {
            prop_assert_eq!(Facts::decode(&facts.encode()), Ok(facts));
        }
    }

    #[test]
    fn garbage_is_refused_or_harmless(
        sources in any_sources(),
        noise in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        garbage in vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = fold(&sources).encode();
        for (place, byte) in noise {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(bytes.len() - cut.index(bytes.len()) % 3);
        for bytes in [bytes, garbage.clone()] {
            if let Ok(ledger) = Ledger::decode(&bytes) {
                for now in [NOW, Micros::MIN, Micros::MAX] {
                    let assessment = assess(&ledger, &Model::default(), now);
                    prop_assert!((0.0..=100.0).contains(&assessment.relationship.bond));
                }
            }
        }
        let _ = Facts::decode(&garbage);
    }
}

#[test]
fn a_removal_at_the_end_of_the_order_days_asks_for_a_rebuild_and_changes_nothing() {
    let order = |day: i64| Facts {
        order: Some(OrderFact { at: day * DAY, cancelled: false }),
        worth: Worth { orders: 1, ..Worth::default() },
        ..Facts::default()
    };
    let sources = [("a".to_owned(), order(1)), ("b".to_owned(), order(9))];
    let mut ledger = fold(&sources);
    assert_eq!(ledger.apply("b", Some(&order(9)), None), Outcome::Rebuild);
    assert_eq!(ledger, fold(&sources));
}
