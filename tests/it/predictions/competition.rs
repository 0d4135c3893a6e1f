//! Being lured away: what is learned from rivals' offers, and what a portfolio has at stake.

use contracts::assessments::v1::*;
use contracts::interactions::v1::*;
use contracts::predictions::v1::FitPortfolioRequest;
use tests::{START, Suite, ask};

use super::{DAY, assess, fit, import, portfolio};

fn days_ago(days: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: (START - days * DAY) / 1_000_000, nanos: 0 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chance_to_counter_is_learned_from_how_offers_went() {
    let suite = Suite::start().await;
    let customers = portfolio(200, 41);
    let mut tokens = import(&suite, &customers).await;
    let before = fit(&suite, FitPortfolioRequest { at_least_as_fresh: tokens.clone(), ..Default::default() }).await;
    let learned = before.competition.unwrap();
    assert_eq!((learned.counter_case_count, learned.stay_case_count), (0, 0));
    assert!(learned.counter_quality.is_none() && learned.counter_parameters.iter().all(|p| p.standard_error.is_some()));
    let subject = customers.last().unwrap();
    let believed = assess(&suite, &subject.id, 91).await.prediction.unwrap().competition.unwrap();

    // In this market nobody tells, and whoever is made an offer goes.
    let rows: Vec<InteractionsRow> = customers[..150]
        .iter()
        .map(|customer| {
            let offer = CompetitorOffer {
                name: format!("accounts/{}/competitorOffers/o", customer.id),
                competitor: "Rival".to_owned(),
                learn_time: days_ago(40),
                disclosed: Some(false),
                counter_chance: Some(false),
                outcome: OfferOutcome::Left.into(),
                resolve_time: days_ago(30),
                ..CompetitorOffer::default()
            };
            InteractionsRow { resource: Some(interactions_row::Resource::CompetitorOffer(offer)) }
        })
        .collect();
    let batch = ImportInteractionsRequest { rows, ..Default::default() };
    let mut answers =
        suite.interactions().import_interactions(ask(tokio_stream::iter([batch]))).await.unwrap().into_inner();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals[0]);
        tokens.extend(answer.freshness);
    }
    let after = fit(&suite, FitPortfolioRequest { at_least_as_fresh: tokens, ..Default::default() }).await;
    let learned = after.competition.unwrap();
    assert_eq!((learned.counter_case_count, learned.stay_case_count), (150, 150));
    let quality = learned.counter_quality.unwrap();
    assert!(quality.log_loss.is_finite() && quality.case_count > 0);
    let known = assess(&suite, &subject.id, 91).await.prediction.unwrap().competition.unwrap();
    let width = |chance: Option<Estimate>| chance.unwrap().high - chance.unwrap().low;
    assert!(known.counter_probability.unwrap().high < believed.counter_probability.unwrap().value);
    assert!(known.stay_probability.unwrap().value < believed.stay_probability.unwrap().value);
    assert!(width(known.counter_probability) < width(believed.counter_probability));
    assert_eq!(known.position(), Position::Exposed);
    assert_eq!((believed.case_count, known.case_count), (0, 150));

    let portfolio =
        GetPortfolioRequest { show_cohorts: true, horizon_days: Some(91), ..GetPortfolioRequest::default() };
    let portfolio = suite.assessments().get_portfolio(ask(portfolio)).await.unwrap().into_inner();
    assert_eq!(portfolio.fit, after.name);
    let counted: i64 = portfolio.outlooks.iter().map(|outlook| outlook.account_count).sum();
    assert_eq!(counted, portfolio.account_count);
    let (mut spend, mut at_risk) = (0.0, 0.0);
    for customer in &customers {
        let prediction = assess(&suite, &customer.id, 91).await.prediction.unwrap();
        let stays = prediction.competition.unwrap().stay_probability.unwrap().value;
        spend += prediction.spend.unwrap().value;
        at_risk += prediction.lifetime_value.unwrap().value * (1.0 - stays);
    }
    let told: (f64, f64) = portfolio
        .outlooks
        .iter()
        .fold((0.0, 0.0), |(spend, risk), outlook| (spend + outlook.spend, risk + outlook.value_at_risk));
    assert!((told.0 / spend - 1.0).abs() < 1e-9 && (told.1 / at_risk - 1.0).abs() < 1e-9, "{told:?} {spend} {at_risk}");
    let cohorts: i64 = portfolio.cohorts.iter().map(|cohort| cohort.account_count).sum();
    assert_eq!(cohorts, 200);
    assert!(portfolio.cohorts.iter().all(|cohort| cohort.ordering_account_counts[0] == cohort.account_count));
}
