//! Small relationships whose assessment is plain to anyone.

use super::*;
use crate::{Aspect, Assessment, Facet, FacetScore, Stage, Status, assess, explain};

fn assessed(facts: Facts) -> Assessment {
    assess(&fold(&[("one".to_owned(), facts)]), &Model::default(), NOW)
}

/// The customer's trust after deliveries of these values, `days` apart, the last one today.
fn trust_after(values: impl DoubleEndedIterator<Item = f64>, days: i64) -> FacetScore {
    let all = (0..).zip(values.rev());
    let all = all.map(|(n, value)| evidence(Signal::DeliveryPromise, NOW - n * days * DAY, value, 1.0));
    assessed(told(all.collect())).view(View::Customer).facet(Facet::Trust).clone()
}

fn orders(days: impl Iterator<Item = i64>) -> Vec<(String, Facts)> {
    days.map(|day| {
        let order = Some(OrderFact { at: day * DAY, cancelled: false });
        (format!("order/{day}"), Facts { order, ..Facts::default() })
    })
    .collect()
}

#[test]
fn without_evidence_the_score_is_the_prior_and_says_so() {
    let (ledger, model) = (fold(&[]), tilted());
    let assessment = assess(&ledger, &model, NOW);
    for view in View::ALL {
        for facet in Facet::ALL {
            let score = assessment.view(view).facet(facet);
            assert_eq!(score.score, 50.0 * (1.0 + model.prior(view, facet).mean));
            assert_eq!((score.confidence, score.velocity, score.is_prior), (0.0, 0.0, true));
            assert!(explain(&ledger, &model, NOW).facet(view, facet).contributions.is_empty());
        }
    }
    assert_eq!(assessment.relationship.stage, Stage::Awareness);
    assert_eq!(assessment.relationship.exposed, None);
    assert_eq!(assessment.status, Status::Open);
}

#[test]
fn velocity_tells_rise_from_fall_from_rest() {
    let rising = trust_after((0..40).map(|n| f64::from(n) / 20.0 - 1.0), 10);
    let falling = trust_after((0..40).map(|n| 1.0 - f64::from(n) / 20.0), 10);
    let steady = trust_after((0..400).map(|_| 0.8), 10);
    assert!(rising.velocity > 1.0, "{rising:?}");
    assert!(falling.velocity < -1.0, "{falling:?}");
    assert!(steady.velocity.abs() < 1.0, "{steady:?}");
}

#[test]
fn velocity_recovers_a_steady_trend() {
    // From -0.5 to 0.5 in 1460 days, an event a day: 50 / 16 points a quarter, less the prior's pull.
    let trend = trust_after((0..1460).map(|day| f64::from(day) / 1460.0 - 0.5), 1);
    let expected = 50.0 / 1460.0 * 91.3125;
    assert!((trend.velocity / expected - 1.0).abs() < 0.1, "{trend:?}");
}

#[test]
fn disagreeing_evidence_widens_the_interval_and_more_evidence_narrows_it() {
    let width = |facet: &FacetScore| facet.high - facet.low;
    let agreeing = trust_after((0..20).map(|_| 0.0), 1);
    let disagreeing = trust_after((0..20).map(|n| if n % 2 == 0 { 1.0 } else { -1.0 }), 1);
    let more = trust_after((0..80).map(|_| 0.0), 1);
    assert!(width(&disagreeing) > 1.5 * width(&agreeing));
    assert!(width(&more) < width(&agreeing));
}

#[test]
fn an_open_conflict_weighs_more_the_longer_it_is_open() {
    let open_for = |days: i64| {
        let conflict = Pending::new(Signal::Conflict, NOW - days * DAY, 30 * DAY, -1.0, 1.0);
        let facts = Facts { pending: conflict.into_iter().collect(), ..Facts::default() };
        assessed(facts).view(View::Customer).facet(Facet::Trust).score
    };
    assert_eq!(open_for(-5), open_for(0));
    assert!(open_for(10) < open_for(0));
    assert!(open_for(30) < open_for(10));
    assert_eq!(open_for(900), open_for(30));
}

#[test]
fn silence_against_the_rhythm_lowers_loyal_behaviour_only() {
    let model = Model::default();
    let ledger = fold(&orders((0..10).map(|n| n * 30)));
    let last = 270 * DAY;
    let behaviour = |days: i64| {
        let assessment = assess(&ledger, &model, last + days * DAY);
        let loyalty = assessment.view(View::Customer).facet(Facet::Loyalty).clone();
        assert_eq!(loyalty.aspect(Aspect::Attitude).unwrap().score, 50.0);
        loyalty.aspect(Aspect::Behaviour).unwrap().score
    };
    assert!(behaviour(0) > 65.0);
    assert!((behaviour(61) - 50.0).abs() < TOLERANCE);
    assert!(behaviour(400) < 35.0);
    assert!((1..60).all(|n| behaviour(10 * n) < behaviour(10 * (n - 1))));
}

#[test]
fn emotions_have_an_intensity_and_a_share() {
    let felt = |emotion, value| Evidence::new(Topic::Emotion(View::Customer, emotion), NOW, value, 1.0).unwrap();
    let facts = told(vec![felt(Emotion::Joy, 0.6), felt(Emotion::Joy, 0.0), felt(Emotion::Anger, 0.2)]);
    let emotions = assessed(facts).view(View::Customer).emotions;
    let joy = emotions[Emotion::Joy.index()];
    assert!((joy.intensity - 0.3).abs() < 1e-6 && (joy.share - 0.75).abs() < 1e-6);
    assert!((emotions.iter().map(|emotion| emotion.share).sum::<f64>() - 1.0).abs() < TOLERANCE);
}

#[test]
fn the_party_that_trusts_more_is_exposed_once_both_are_sure() {
    let facts = |count: usize| {
        let mut all = vec![evidence(Signal::ProviderCommitment, NOW, 1.0, 1.0); count];
        all.extend(vec![evidence(Signal::PaymentOnTime, NOW, -1.0, 1.0); count]);
        assessed(told(all)).relationship
    };
    assert_eq!(facts(1).exposed, None);
    assert_eq!(facts(10).exposed, Some(View::Customer));
    assert!(facts(10).trust_gap > 50.0);
}

#[test]
fn a_relationship_passes_through_its_stages() {
    let model = Model::default();
    let stage = |sources: &[(String, Facts)], day: i64| assess(&fold(sources), &model, day * DAY).relationship.stage;
    let mut sources = orders([0].into_iter());
    assert_eq!(stage(&sources, 1), Stage::Exploration);

    sources.extend(orders((1..14).map(|n| n * 30)));
    assert_eq!(stage(&sources, 391), Stage::Expansion);

    let good = [Signal::ProviderCommitment, Signal::Recommendation, Signal::PaymentOnTime]
        .into_iter()
        .flat_map(|signal| vec![evidence(signal, 385 * DAY, 1.0, 1.0); 12]);
    sources.push(("good".to_owned(), told(good.collect())));
    assert_eq!(stage(&sources, 391), Stage::Commitment);
    assert_eq!(stage(&sources, 391 + 300), Stage::Dissolution);

    let account = AccountFact { opened_at: 0, first_contact_at: None, closed_at: Some(390 * DAY) };
    let closed = Facts { account: Some(account), ..Facts::default() };
    sources.push(("account".to_owned(), closed));
    assert_eq!(stage(&sources, 391), Stage::Dissolution);
    assert_eq!(fold(&sources).status(), Status::Closed { at: 390 * DAY });
}

#[test]
fn a_clock_that_runs_ahead_does_no_harm() {
    let ahead = |days: i64| {
        let all = vec![evidence(Signal::Resolution, NOW + days * DAY, 1.0, 1.0)];
        assessed(told(all)).view(View::Customer).facet(Facet::Trust).score
    };
    assert!((ahead(1) - ahead(0)).abs() < 0.1);
    assert!(ahead(4_000) < 65.0);
}

#[test]
fn taking_away_more_than_was_added_turns_no_score_around() {
    let mut ledger = fold(&[]);
    let facts = told(vec![evidence(Signal::Conflict, NOW, -1.0, 16.0)]);
    ledger.apply("one", Some(&facts), None);
    let assessment = assess(&ledger, &Model::default(), NOW);
    assert!(assessment.view(View::Customer).facet(Facet::Trust).is_prior);
}

const TOLERANCE: f64 = 1e-9;
