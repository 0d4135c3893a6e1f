//! Ledgers are exact: what they hold depends on the facts, never on the way they came.

use std::collections::BTreeMap;

use super::*;
use crate::assess;

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
        extra in any_facts(),
    ) {
        let mut ledger = fold(&sources);
        let before = ledger.clone();
        ledger.apply("extra", None, Some(&extra));
        ledger.apply("extra", Some(&extra), None);
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
            ledger.apply(&key, old.as_ref(), new.as_ref());
            if let Some(new) = new {
                current.insert(key, new);
            }
            let fold = Ledger::fold(model.half_lives(), current.iter().map(|(k, f)| (k.as_str(), f)));
            prop_assert_eq!(&ledger, &fold);
        }
        for (key, facts) in current {
            ledger.apply(&key, Some(&facts), None);
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
