//! What happens moves the scores, and the scores say what moved them.

use contracts::assessments::v1::*;
use contracts::common::v1::Party;
use contracts::orders::v1::{DeleteOrderRequest, Order, UndeleteOrderRequest};
use tests::{ask, day};

use super::{Story, ease, euros, said, trust};

/// The sources of a signal of the customer's view.
fn sources<'a>(explained: &'a ExplainAssessmentResponse, facet: Facet, signal: &str) -> Vec<&'a SourceContribution> {
    let of_facet = explained.facets.iter().filter(|it| it.party() == Party::Customer && it.facet() == facet);
    let signals = of_facet.flat_map(|facet| &facet.contributions);
    signals.filter(|it| it.signal == signal).flat_map(|signal| &signal.sources).collect()
}

/// Contributions add up to scores, and sources to contributions.
fn assert_adds_up(explained: &ExplainAssessmentResponse) {
    assert_eq!(explained.facets.len(), 10);
    for facet in &explained.facets {
        let points: f64 = facet.contributions.iter().map(|signal| signal.points).sum();
        assert!((facet.base + points - facet.score).abs() < 1e-9, "{facet:?}");
        let view = match facet.party() {
            Party::Customer => explained.assessment.as_ref().unwrap().customer_view.as_ref().unwrap(),
            _ => explained.assessment.as_ref().unwrap().provider_view.as_ref().unwrap(),
        };
        let scored = match facet.facet() {
            Facet::Rapport => &view.rapport,
            Facet::Trust => &view.trust,
            Facet::Loyalty => &view.loyalty,
            Facet::Ease => &view.ease,
            Facet::Value => &view.value,
            Facet::Unspecified => panic!("{facet:?}"),
        };
        assert!((super::value(scored) - facet.score).abs() < 1e-9);
        for signal in &facet.contributions {
            let points: f64 = signal.sources.iter().map(|source| source.points).sum();
            assert!((points - signal.points).abs() < 1e-9, "{signal:?}");
            assert!(!signal.meaning.is_empty());
        }
    }
    assert!(!explained.summary.is_empty());
}

#[tokio::test]
async fn a_late_delivery_lowers_trust_and_ease_and_the_order_is_named() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let first = story.order("acme", "first", -60.0).await;
    story.deliver(&first, -58.0).await;
    let second = story.order("acme", "second", -30.0).await;
    story.deliver(&second, -28.0).await;
    let before = story.assess("acme").await;

    let late = story.order("acme", "late", -20.0).await;
    story.deliver(&late, -8.0).await;
    let after = story.assess("acme").await;
    assert!(trust(&after) < trust(&before), "{} is not below {}", trust(&after), trust(&before));
    assert!(ease(&after) < ease(&before));

    let explained = story.explain("acme").await;
    assert_adds_up(&explained);
    let promises = sources(&explained, Facet::Trust, "delivery_promise");
    let worst = promises.iter().min_by(|a, b| a.points.total_cmp(&b.points)).unwrap();
    assert_eq!((worst.source.as_str(), worst.happen_time), (late.as_str(), day(-8.0)));
    assert!(worst.points < 0.0 && promises.iter().filter(|source| source.points > 0.0).count() == 2);
    assert_eq!(said(explained.assessment.unwrap()), said(after));
}

#[tokio::test]
async fn a_late_refund_lowers_trust() {
    let mut story = Story::begin().await;
    let mut trusts = Vec::new();
    for (account, refund) in [("prompt", -38.0), ("late", -2.0)] {
        story.customer(account).await;
        let order = story.order(account, "o_1", -50.0).await;
        story.deliver(&order, -48.0).await;
        story.send_back(&order, -39.0).await;
        story.refund(&order, refund).await;
        assert_adds_up(&story.explain(account).await);
        trusts.push(trust(&story.assess(account).await));
    }
    assert!(trusts[1] < trusts[0], "{trusts:?}");
}

#[tokio::test]
async fn a_complaint_costs_trust_and_settling_it_brings_some_back() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let calm = trust(&story.assess("acme").await);
    let complaint = story.complain("acme", "c_1", -20.0).await;
    let upset = story.assess("acme").await;
    assert_eq!(upset.activity.unwrap().open_matter_count, 1);
    assert!(trust(&upset) < calm);
    let explained = story.explain("acme").await;
    assert_adds_up(&explained);
    let open = explained.facets.iter().flat_map(|facet| &facet.contributions).flat_map(|signal| &signal.sources);
    assert!(open.filter(|source| source.pending).all(|source| source.source == complaint));

    story.settle(&complaint, -1.0).await;
    let settled = story.assess("acme").await;
    assert_eq!(settled.activity.unwrap().open_matter_count, 0);
    assert!(trust(&settled) > trust(&upset));
    assert_adds_up(&story.explain("acme").await);
}

#[tokio::test]
async fn a_deleted_order_takes_its_evidence_away_and_brings_it_back() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let without = said(story.assess("acme").await);
    let name = story.order("acme", "o_1", -20.0).await;
    story.deliver(&name, -1.0).await;
    let with = said(story.assess("acme").await);
    assert_ne!(with, without);

    let delete = DeleteOrderRequest { name: name.clone(), ..DeleteOrderRequest::default() };
    let deleted = story.suite.orders().delete_order(ask(delete)).await.unwrap();
    story.note(deleted.into_inner().freshness);
    assert_eq!(said(story.assess("acme").await), without);
    assert_eq!(story.timeline(super::timeline_of("acme")).await.entries.len(), 1);
    assert_eq!(story.verify().await, 1);

    let undelete = UndeleteOrderRequest { name, ..UndeleteOrderRequest::default() };
    let back = story.suite.orders().undelete_order(ask(undelete)).await.unwrap();
    story.note(back.into_inner().freshness);
    assert_eq!(said(story.assess("acme").await), with);
}

#[tokio::test]
async fn only_amounts_that_were_recorded_are_set() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    assert_eq!(story.assess("acme").await.worth, Some(Worth::default()));
    story.order("acme", "o_1", -20.0).await;
    let spend = Worth { spend: euros(50), ..Worth::default() };
    assert_eq!(story.assess("acme").await.worth, Some(spend));

    let known =
        Order { place_time: day(-10.0), total: euros(80), list_total: euros(100), cost: euros(60), ..Order::default() };
    let name = story.place("acme", "o_2", known).await;
    let worth = Worth { spend: euros(130), savings: euros(20), margin: euros(20), returned: None };
    assert_eq!(story.assess("acme").await.worth, Some(worth.clone()));
    story.deliver(&name, -9.0).await;
    story.send_back(&name, -8.0).await;
    let returned = Worth { spend: euros(80), returned: euros(50), ..worth };
    assert_eq!(story.assess("acme").await.worth, Some(returned));
}
