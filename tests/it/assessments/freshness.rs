//! A read that carries the token of a write includes it, or says that it cannot.

use std::time::Duration;

use contracts::{assessments::v1::*, common::v1::FreshnessToken, common::v1::Party};
use tests::{Suite, ask};
use tonic::{Code, Request};

use super::{Story, of, said, timeline_of, trust};
use crate::standard::assert_refused;

fn fresh(account: &str, tokens: &[&FreshnessToken]) -> GetAssessmentRequest {
    GetAssessmentRequest { at_least_as_fresh: tokens.iter().map(|token| (*token).clone()).collect(), ..of(account) }
}

#[tokio::test]
async fn what_was_written_to_any_service_is_read() {
    let mut story = Story::begin().await;
    // Each read names one write only: the one that it is about.
    story.customer("acme").await;
    let token = story.written.pop().unwrap();
    let mut client = story.client();
    let prior = client.get_assessment(ask(fresh("acme", &[&token]))).await.unwrap().into_inner().assessment.unwrap();
    assert!(prior.bond.unwrap().prior_only);
    assert_eq!(prior.freshness.len(), 4);
    assert!(prior.freshness.iter().any(|source| source.feed == "accounts" && source.position == 1));

    story.order("acme", "o_1", -9.0).await;
    let token = story.written.pop().unwrap();
    let ordered = client.get_assessment(ask(fresh("acme", &[&token]))).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(ordered.activity.unwrap().order_count, 1);

    story.say("acme", "i_1", Party::Provider, -3.0).await;
    let token = story.written.pop().unwrap();
    let said = client.get_assessment(ask(fresh("acme", &[&token]))).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(said.activity.unwrap().provider_interaction_count, 1);

    story.complain("acme", "c_1", -2.0).await;
    let token = story.written.pop().unwrap();
    let upset = client.get_assessment(ask(fresh("acme", &[&token]))).await.unwrap().into_inner().assessment.unwrap();
    assert!(trust(&upset) < trust(&said));
    // What an assessment has seen can be asked for again, feeds without a change too.
    story.written = upset.freshness.iter().filter_map(|source| source.token.clone()).collect();
    assert_eq!(story.written.len(), 4);
    assert_eq!(story.assess("acme").await, upset);
    story.written.push(FreshnessToken::default());
    assert_eq!(story.assess("acme").await, upset, "an empty token asks for nothing");
}

/// A token of a write that another suite made, much later in the same partition.
async fn token_of_the_future() -> FreshnessToken {
    let mut other = Story::begin().await;
    for _ in 0..5 {
        other.order("acme", "", -9.0).await;
    }
    other.written.pop().unwrap()
}

#[tokio::test]
async fn a_token_of_the_future_waits_until_the_deadline() {
    let future = token_of_the_future().await;
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.order("acme", "o_1", -9.0).await;
    story.assess("acme").await;

    fn hasty<M>(message: M) -> Request<M> {
        let mut request = ask(message);
        request.set_timeout(Duration::from_millis(300));
        request
    }
    let mut client = story.client();
    let refused = |answer| assert_refused(answer, Code::DeadlineExceeded, "DEADLINE_EXCEEDED", &[]);
    let at_least_as_fresh = vec![future.clone()];
    refused(client.get_assessment(hasty(fresh("acme", &[&future]))).await.map(drop));
    let portfolio = GetPortfolioRequest { at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    refused(client.get_portfolio(hasty(portfolio)).await.map(drop));
    let list = ListAssessmentsRequest { at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    refused(client.list_assessments(hasty(list)).await.map(drop));
    let timeline = ListTimelineRequest { at_least_as_fresh, ..timeline_of("acme") };
    refused(client.list_timeline(hasty(timeline)).await.map(drop));

    // Until it comes about.
    let mut patient = story.client();
    let waiting = tokio::spawn(async move { patient.get_assessment(ask(fresh("acme", &[&future]))).await });
    for _ in 0..4 {
        story.order("acme", "", -5.0).await;
    }
    let answer = waiting.await.unwrap().unwrap().into_inner().assessment.unwrap();
    assert_eq!(answer.activity.unwrap().order_count, 5);
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let suite = Suite::start().await;
    let mut client = suite.assessments();
    let foreign = FreshnessToken { value: "foreign".to_owned() };
    let list = ListAssessmentsRequest { page_size: 1, ..ListAssessmentsRequest::default() };
    let page = client.list_assessments(ask(list)).await.unwrap().into_inner().next_page_token;
    let refused = client.get_assessment(ask(fresh("acme", &[&FreshnessToken { value: page }, &foreign]))).await;
    let fields = ["at_least_as_fresh[1]"];
    assert_refused(refused, Code::InvalidArgument, "FRESHNESS_TOKEN_INVALID", &fields);
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_changes_nothing() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o_1", -9.0).await;
    story.deliver(&order, -3.0).await;
    let before = story.assess("acme").await;
    let timeline = story.timeline(timeline_of("acme")).await;

    story.suite = story.suite.restart().await;
    assert_eq!(story.assess("acme").await, before);
    assert_eq!(story.timeline(timeline_of("acme")).await, timeline);
    assert_eq!(story.verify().await, 1);
    story.order("acme", "o_2", -1.0).await;
    assert_eq!(story.assess("acme").await.activity.unwrap().order_count, 2);
}

#[tokio::test]
async fn an_aggregator_that_lost_its_database_hears_everything_again() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.order("acme", "o_1", -9.0).await;
    story.complain("acme", "c_1", -4.0).await;
    let before = story.assess("acme").await;
    story.suite = story.suite.restart_without("aggregator").await;
    assert_eq!(story.assess("acme").await, before);
}

#[tokio::test]
async fn what_a_service_lost_with_its_database_is_forgotten_and_the_rest_remains() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.complain("acme", "c_1", -4.0).await;
    let before = said(story.assess("acme").await);
    for id in ["o_1", "o_2", "o_3"] {
        story.order("acme", id, -9.0).await;
    }
    story.assess("acme").await;
    story.suite = story.suite.restart_without("orders").await;
    // A token of before would wait for what is gone.
    story.written.clear();
    tests::eventually(async || (said(story.assess("acme").await) == before).then_some(())).await;
    story.order("acme", "new", -2.0).await;
    assert_eq!(story.assess("acme").await.activity.unwrap().order_count, 1);
    assert_eq!(story.verify().await, 1);
}
