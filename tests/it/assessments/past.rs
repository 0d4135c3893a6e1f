//! What we now say of then, and what could be known then.

use contracts::assessments::v1::*;
use tests::{ask, day};

use super::{Story, assessment, of, said, trust};
use crate::standard::assert_not_found;

#[tokio::test]
async fn the_past_is_told_as_we_see_it_now_and_as_we_saw_it_then() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let first = story.order("acme", "o_1", -40.0).await;
    story.deliver(&first, -38.0).await;
    let on_start = story.assess("acme").await;

    // Ten days later it turns out that five days ago another one came late.
    story.on_day(10.0);
    let late = story.order("acme", "o_2", -15.0).await;
    story.deliver(&late, 5.0).await;
    let on_day_ten = story.assess("acme").await;
    assert!(trust(&on_day_ten) < trust(&on_start));

    story.on_day(20.0);
    let known_then = story.get(GetAssessmentRequest { known_at: day(9.0), ..of("acme") }).await.unwrap();
    assert_eq!(known_then.activity.unwrap().order_count, 1, "nobody had heard of the second order");
    let at_start = GetAssessmentRequest { as_of: day(0.0), known_at: day(0.0), ..of("acme") };
    assert_eq!(said(story.get(at_start).await.unwrap()), said(on_start));
    let at_ten = GetAssessmentRequest { as_of: day(10.0), known_at: day(10.0), ..of("acme") };
    assert_eq!(said(story.get(at_ten).await.unwrap()), said(on_day_ten.clone()));
    assert_eq!(
        said(story.get(GetAssessmentRequest { as_of: day(10.0), ..of("acme") }).await.unwrap()),
        said(on_day_ten)
    );

    // As we now see it, the second order was placed then, and was not overdue for two days.
    let as_of = |days: f64| GetAssessmentRequest { as_of: day(days), ..of("acme") };
    let placed = story.get(as_of(-14.0)).await.unwrap();
    assert_eq!((placed.activity.unwrap().order_count, placed.activity.unwrap().open_matter_count), (2, 0));
    let overdue = story.get(as_of(-5.0)).await.unwrap();
    assert_eq!(overdue.activity.unwrap().open_matter_count, 1);
    assert_eq!(overdue.assess_time, day(-5.0));
    assert_eq!(story.get(as_of(-39.0)).await.unwrap().activity.unwrap().order_count, 1);

    assert_not_found(story.get(as_of(-101.0)).await);
    assert_not_found(story.get(GetAssessmentRequest { known_at: day(-1.0), ..of("acme") }).await);
    for (as_of, count) in [(-101.0, 0), (-99.0, 1)] {
        let list = ListAssessmentsRequest { as_of: day(as_of), ..ListAssessmentsRequest::default() };
        assert_eq!(story.list(list).await.unwrap().assessments.len(), count);
    }
}

#[tokio::test]
async fn an_explanation_of_the_past_adds_up_too() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o_1", -40.0).await;
    story.deliver(&order, -10.0).await;
    let request = ExplainAssessmentRequest {
        name: assessment("acme"),
        by_source: true,
        as_of: day(-20.0),
        known_at: day(0.0),
        at_least_as_fresh: story.written.clone(),
    };
    let explained = story.client().explain_assessment(ask(request)).await.unwrap().into_inner();
    let mut told = 0;
    for facet in &explained.facets {
        let points: f64 = facet.contributions.iter().map(|signal| signal.points).sum();
        assert!((facet.base + points - facet.score).abs() < 1e-9);
        for signal in &facet.contributions {
            let points: f64 = signal.sources.iter().map(|source| source.points).sum();
            assert!((points - signal.points).abs() < 1e-9);
            told += signal.sources.iter().filter(|source| source.source == order && source.pending).count();
        }
    }
    assert!(told > 0, "the order was overdue then");
}
