//! From feedback to improvement to effect.

use contracts::common::v1::Party;
use contracts::feedback::v1::*;
use tests::{Suite, ask, day};
use tonic::Status;

use super::{Client, Improvements};
use crate::standard::{Sample as _, assert_invalid, assert_not_found, assert_outdated, assert_state_conflict};

pub(super) async fn create_improvement(client: &mut Client, id: &str) -> Improvement {
    let request = CreateImprovementRequest {
        improvement_id: id.to_owned(),
        improvement: Some(Improvement {
            plan_time: day(0.0),
            effect: "none".to_owned(),
            facet_effects: vec![trust(1.0, 0.5)],
            decline_reason: "none".to_owned(),
            ..Improvements::sample()
        }),
        request_id: String::new(),
    };
    client.create_improvement(ask(request)).await.unwrap().into_inner().improvement.unwrap()
}

/// A step of an improvement's life, with a time so many days after the start or none.
pub(super) async fn step(
    client: &mut Client,
    step: &str,
    days: Option<f64>,
    (name, etag, request_id): (&str, &str, &str),
) -> Result<Improvement, Status> {
    let time = days.and_then(day);
    let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), request_id.to_owned());
    let improvement = match step {
        "plan" => {
            let request = PlanImprovementRequest { name, etag, request_id, plan_time: time };
            client.plan_improvement(ask(request)).await?.into_inner().improvement
        }
        "ship" => {
            let request = ShipImprovementRequest { name, etag, request_id, ship_time: time };
            client.ship_improvement(ask(request)).await?.into_inner().improvement
        }
        "measure" => {
            let effect = "a third fewer complaints".to_owned();
            let facet_effects = vec![trust(4.0, 1.5)];
            let request =
                MeasureImprovementRequest { name, etag, request_id, measure_time: time, effect, facet_effects };
            client.measure_improvement(ask(request)).await?.into_inner().improvement
        }
        _ => {
            let decline_reason = "too dear".to_owned();
            let request = DeclineImprovementRequest { name, etag, request_id, decline_reason };
            client.decline_improvement(ask(request)).await?.into_inner().improvement
        }
    };
    Ok(improvement.unwrap())
}

/// What the improvement did to the customers' trust.
fn trust(change: f64, low: f64) -> FacetEffect {
    FacetEffect {
        party: Party::Customer.into(),
        facet: "trust".to_owned(),
        change,
        low,
        high: 6.5,
        p_value: Some(0.01),
        account_count: 40,
        comparable_account_count: 160,
    }
}

const STEPS: [&str; 4] = ["plan", "ship", "measure", "decline"];

#[tokio::test]
async fn an_improvement_goes_from_the_proposal_to_its_measured_effect() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let mut standing = create_improvement(&mut client, "one").await;
    assert_eq!(standing.state(), ImprovementState::Proposed);
    assert_eq!((standing.plan_time, standing.effect.as_str(), standing.decline_reason.as_str()), (None, "", ""));
    assert_eq!(standing.facet_effects, []);

    let name = standing.name.clone();
    for (days, wanted, state) in [
        (1.0, "plan", ImprovementState::Planned),
        (2.0, "ship", ImprovementState::Shipped),
        (3.0, "measure", ImprovementState::Measured),
    ] {
        for other in STEPS.iter().filter(|other| **other != wanted && **other != "decline") {
            assert_state_conflict(step(&mut client, other, None, (&name, "", "")).await);
        }
        assert_outdated(step(&mut client, wanted, None, (&name, "0", "")).await);
        if wanted != "plan" {
            let field = if wanted == "ship" { "ship_time" } else { "measure_time" };
            assert_invalid(step(&mut client, wanted, Some(0.5), (&name, "", "")).await, &[field]);
        }
        let target = (name.as_str(), standing.etag.as_str(), wanted);
        let next = step(&mut client, wanted, Some(days), target).await.unwrap();
        assert_eq!(next.state(), state);
        assert_eq!(step(&mut client, wanted, Some(days), target).await.unwrap(), next, "a retry");
        let list = ListImprovementsRequest { state: state.into(), ..Default::default() };
        let listed = client.list_improvements(ask(list)).await.unwrap().into_inner().improvements;
        assert_eq!(listed, std::slice::from_ref(&next));
        standing = next;
    }
    assert_eq!((standing.plan_time, standing.ship_time, standing.measure_time), (day(1.0), day(2.0), day(3.0)));
    assert_eq!(standing.effect, "a third fewer complaints");
    assert_eq!(standing.facet_effects, [trust(4.0, 1.5)]);
    for any in STEPS {
        assert_state_conflict(step(&mut client, any, None, (&name, "", "")).await);
    }
}

#[tokio::test]
async fn an_improvement_is_declined_until_it_is_shipped() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    for (id, walk, declined) in
        [("new", &[][..], true), ("planned", &["plan"], true), ("shipped", &["plan", "ship"], false)]
    {
        let name = create_improvement(&mut client, id).await.name;
        for wanted in walk {
            // Without a time it is now.
            step(&mut client, wanted, None, (&name, "", "")).await.unwrap();
        }
        let answer = step(&mut client, "decline", None, (&name, "", "")).await;
        if declined {
            let improvement = answer.unwrap();
            assert_eq!(improvement.state(), ImprovementState::Declined);
            assert_eq!(improvement.decline_reason, "too dear");
            for any in STEPS {
                assert_state_conflict(step(&mut client, any, None, (&name, "", "")).await);
            }
        } else {
            assert_state_conflict(answer);
        }
    }
}

#[tokio::test]
async fn steps_of_an_improvement_say_everything_that_is_wrong_with_them() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    for any in STEPS {
        assert_not_found(step(&mut client, any, None, ("improvements/nobody", "", "")).await);
        let too_long = "r".repeat(65);
        assert_invalid(step(&mut client, any, None, ("nobody", "", &too_long)).await, &["name", "request_id"]);
    }
    let measure = MeasureImprovementRequest { measure_time: day(-40_000.0), ..Default::default() };
    assert_invalid(client.measure_improvement(ask(measure)).await, &["name", "effect", "measure_time"]);
    let wrong =
        FacetEffect { party: 0, facet: "joy".to_owned(), p_value: Some(1.5), account_count: -1, ..trust(7.0, 8.0) };
    let measure = MeasureImprovementRequest {
        name: "improvements/nobody".to_owned(),
        effect: "some".to_owned(),
        facet_effects: vec![trust(101.0, f64::NAN), trust(1.0, 0.5), wrong],
        ..Default::default()
    };
    let fields = [
        "facet_effects[0].change",
        "facet_effects[0].low",
        "facet_effects[1].facet",
        "facet_effects[2].party",
        "facet_effects[2].facet",
        "facet_effects[2].high",
        "facet_effects[2].p_value",
        "facet_effects[2].account_count",
    ];
    assert_invalid(client.measure_improvement(ask(measure)).await, &fields);
    let decline = DeclineImprovementRequest { decline_reason: "r".repeat(1_025), ..Default::default() };
    assert_invalid(client.decline_improvement(ask(decline)).await, &["name", "decline_reason"]);
}
