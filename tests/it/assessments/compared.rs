//! What moved the scores between two moments.

use contracts::assessments::v1::{Cause, CompareAssessmentsRequest, CompareAssessmentsResponse};
use tests::{ask_as, day};
use tonic::Status;

use super::Story;
use crate::standard::{assert_invalid, assert_not_found};

impl Story {
    async fn compare(&self, account: &str, from: f64, until: f64) -> Result<CompareAssessmentsResponse, Status> {
        let request = CompareAssessmentsRequest {
            name: format!("accounts/{account}/assessment"),
            as_of: day(from),
            until: day(until),
            at_least_as_fresh: self.written.clone(),
            ..Default::default()
        };
        let answer = self.suite.assessments().compare_assessments(ask_as(self.tenant, request)).await?;
        Ok(answer.into_inner())
    }
}

/// The terms of each facet add up to its difference, and all of them to the bond's.
pub(super) fn assert_adds_up(told: &CompareAssessmentsResponse) {
    assert_eq!(told.facets.len(), 10);
    for facet in &told.facets {
        let of_facet = told.terms.iter().filter(|term| (term.party, term.facet) == (facet.party, facet.facet));
        let points: f64 = of_facet.map(|term| term.points).sum();
        assert!((points - (facet.after - facet.before)).abs() < 1e-9, "{facet:?}: {points}");
    }
    let bond = |assessment: &Option<contracts::assessments::v1::Assessment>| {
        assessment.as_ref().unwrap().bond.as_ref().unwrap().value
    };
    let points: f64 = told.terms.iter().map(|term| term.bond_points).sum();
    assert!((points - (bond(&told.after) - bond(&told.before))).abs() < 1e-9);
}

fn causes<'a>(told: &'a CompareAssessmentsResponse, source: &'a str) -> Vec<Cause> {
    let mut causes: Vec<Cause> =
        told.terms.iter().filter(|term| term.source == source).map(|term| term.cause()).collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

#[tokio::test]
async fn a_late_delivery_is_told_as_new_and_what_stood_before_as_time() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let early = story.order("acme", "early", -90.0).await;
    story.deliver(&early, -89.0).await;
    let late = story.order("acme", "late", -40.0).await;
    story.deliver(&late, -20.0).await;

    let told = story.compare("acme", -50.0, 0.0).await.unwrap();
    assert_adds_up(&told);
    assert_eq!(causes(&told, &early), [Cause::Time, Cause::Balance]);
    assert_eq!(causes(&told, &late), [Cause::New]);
    let trust: Vec<&str> = told
        .terms
        .iter()
        .filter(|term| term.signal == "delivery_promise" && term.points < 0.0 && term.cause() == Cause::New)
        .map(|term| term.source.as_str())
        .collect();
    assert_eq!(trust, [late.as_str()]);
    assert!(told.summary.iter().any(|sentence| sentence.contains("passing of time")), "{:?}", told.summary);
}

#[tokio::test]
async fn an_order_that_was_outstanding_and_has_arrived_adds_up_too() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o-1", -30.0).await;
    story.deliver(&order, -5.0).await;
    for (from, until) in [(-29.0, -10.0), (-10.0, 0.0), (-29.0, 0.0), (0.0, -10.0)] {
        assert_adds_up(&story.compare("acme", from, until).await.unwrap());
    }
}

#[tokio::test]
async fn a_comparison_needs_a_time_and_an_account_that_was_known_then() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let request = CompareAssessmentsRequest { name: "acme".to_owned(), ..Default::default() };
    assert_invalid(
        story.suite.assessments().compare_assessments(ask_as(story.tenant, request)).await,
        &["name", "as_of"],
    );
    assert_not_found(story.compare("acme", -1_000.0, 0.0).await);
}
