//! Scores stay in range, add up, and move the way their evidence does.

use super::*;
use crate::{ACTIVITY_SOURCE, Facet, assess, explain, explain_sources};

const TOLERANCE: f64 = 1e-9;

proptest! {
    #[test]
    fn contributions_add_up_to_scores_and_bond(sources in any_sources()) {
        let (ledger, model) = (fold(&sources), tilted());
        let assessment = assess(&ledger, &model, NOW);
        let mut bond = 0.0;
        for facet in explain(&ledger, &model, NOW).facets {
            let points: f64 = facet.contributions.iter().map(|part| part.points).sum();
            let score = assessment.view(facet.view).facet(facet.facet).score;
            prop_assert!((facet.base + points - score).abs() < TOLERANCE);
            prop_assert_eq!(facet.score, score);
            bond += model.bond_points(facet.view, facet.facet, facet.base + points);
        }
        prop_assert!((bond - assessment.relationship.bond).abs() < TOLERANCE);
    }

    #[test]
    fn sources_add_up_to_contributions(sources in any_sources()) {
        let (ledger, model) = (fold(&sources), tilted());
        let explanation = explain(&ledger, &model, NOW);
        let all = sources.iter().map(|(key, facts)| (key.as_str(), facts));
        for facet in explain_sources(&ledger, &model, NOW, all) {
            let explained = explanation.facet(facet.view, facet.facet);
            for part in &explained.contributions {
                let points: f64 = facet.contributions.iter()
                    .filter(|source| source.signal == part.signal)
                    .map(|source| source.points)
                    .sum();
                prop_assert!((points - part.points).abs() < TOLERANCE, "{}", part.signal);
            }
            for source in facet.contributions {
                prop_assert!(explained.contributions.iter().any(|part| part.signal == source.signal));
                prop_assert_eq!(source.source == ACTIVITY_SOURCE, source.signal.derived());
            }
        }
    }

    #[test]
    fn a_better_value_never_lowers_a_score(
        sources in any_sources(),
        signal in any_signal(),
        at in any_at(),
        low in -1.0..=1.0,
        rise in 0.0..=2.0,
        weight in 0.001..=16.0,
    ) {
        let with = |value: f64| {
            let mut sources = sources.clone();
            sources.push(("one".to_owned(), told(vec![evidence(signal, at, value, weight)])));
            assess(&fold(&sources), &Model::default(), NOW)
        };
        let (worse, better) = (with(low), with(low + rise));
        for view in View::ALL {
            for facet in Facet::ALL {
                let (was, is) = (worse.view(view).facet(facet), better.view(view).facet(facet));
                if (view, facet) == (signal.view(), signal.facet()) {
                    prop_assert!(is.score >= was.score);
                } else {
                    prop_assert_eq!(is, was);
                }
            }
        }
        prop_assert!(better.relationship.bond >= worse.relationship.bond);
    }

    #[test]
    fn everything_stays_in_range_at_the_extremes(
        all in vec((any_topic(), any::<Micros>(), any::<f64>(), any::<f64>()), 0..20),
        open in vec((any_signal(), any::<Micros>(), any::<Micros>(), any::<f64>()), 0..5),
        order in any::<Micros>(),
        now in any::<Micros>(),
    ) {
        let facts = Facts {
            evidence: all.into_iter().filter_map(|(t, at, v, w)| Evidence::new(t, at, v, w)).collect(),
            pending: open.into_iter().filter_map(|(t, at, full, v)| Pending::new(t, at, full, v, 1.0)).collect(),
            order: Some(OrderFact { at: order, cancelled: false }),
            ..Facts::default()
        };
        let second = Facts {
            order: Some(OrderFact { at: order ^ Micros::MAX, cancelled: false }),
            ..Facts::default()
        };
        let ledger = fold(&[("one".to_owned(), facts), ("two".to_owned(), second)]);
        let assessment = assess(&ledger, &Model::default(), now);
        for view in &assessment.views {
            prop_assert!((0.0..=100.0).contains(&view.index));
            for facet in &view.facets {
                prop_assert!((0.0..=100.0).contains(&facet.score));
                prop_assert!(0.0 <= facet.low && facet.low <= facet.score);
                prop_assert!(facet.score <= facet.high && facet.high <= 100.0);
                prop_assert!((0.0..1.0).contains(&facet.confidence));
                prop_assert!(facet.velocity.abs() < 100.0);
            }
            for emotion in &view.emotions {
                prop_assert!((0.0..=1.0).contains(&emotion.intensity));
                prop_assert!((0.0..=1.0).contains(&emotion.share));
            }
        }
    }

    #[test]
    fn scores_follow_the_formula(
        events in vec((any_at(), -1.0..=1.0, 0.001..=16.0), 1..20),
    ) {
        let model = tilted();
        let all = events.iter().map(|(at, v, w)| evidence(Signal::Resolution, *at, *v, *w)).collect();
        let score = assess(&fold(&[("one".to_owned(), told(all))]), &model, NOW)
            .view(View::Customer).facet(Facet::Trust).score;

        let prior = model.prior(View::Customer, Facet::Trust);
        let (mut weight, mut value) = (prior.strength, prior.strength * prior.mean);
        for (at, v, w) in events {
            let age = (NOW - at) as f64 / DAY as f64;
            let effective =
                model.weight(Signal::Resolution) * w * (-age / f64::from(model.half_lives().slow_days())).exp2();
            weight += effective;
            value += effective * v;
        }
        prop_assert!((score - 50.0 * (1.0 + value / weight)).abs() < 1e-6);
    }
}
