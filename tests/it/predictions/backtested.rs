//! Back-tests: what was predicted at a cut, judged by what followed.

use contracts::predictions::v1::*;
use tests::{Suite, ask, day, refusal};
use tonic::Code;

use super::{Customer, fit, import, portfolio};

async fn backtest(suite: &Suite, cut: f64, horizon_days: i32) -> Backtest {
    let asked = BacktestPortfolioRequest { cut_time: day(cut), horizon_days, ..BacktestPortfolioRequest::default() };
    let mut answers = suite.predictions().backtest_portfolio(ask(asked)).await.unwrap().into_inner();
    let mut last = BacktestPortfolioResponse::default();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(last.backtest.is_none() && (0.0..=1.0).contains(&answer.progress));
        last = answer;
    }
    last.backtest.unwrap()
}

/// How many order days a customer had within so many days after a cut.
fn followed(customer: &Customer, cut: i64, days: i64) -> usize {
    customer.days_ago.iter().filter(|ago| (cut - days..cut).contains(*ago)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_predicted_is_held_against_what_followed() {
    let suite = Suite::start().await;
    let customers = portfolio(1_000, 21);
    let at_least_as_fresh = import(&suite, &customers).await;
    let found = backtest_fresh(&suite, at_least_as_fresh).await;

    let known: Vec<&Customer> = customers.iter().filter(|customer| customer.days_ago[0] >= 120).collect();
    let ordered = known.iter().filter(|customer| followed(customer, 120, 91) > 0).count();
    let days: usize = known.iter().map(|customer| followed(customer, 120, 91)).sum();
    assert_eq!((found.account_count, found.judged_account_count), (known.len() as i64, known.len() as i64));
    assert_eq!((found.currency_code.as_str(), found.known_at_cut), ("EUR", false));
    let names: Vec<&str> = found.predictors.iter().map(|quality| quality.predictor.as_str()).collect();
    let rules = ["base_rate", "recency", "frequency", "last_period"];
    assert_eq!(names, [&["served", "pareto_nbd", "bg_nbd", "mbg_nbd", "nbd"][..], &rules].concat());
    for quality in &found.predictors {
        let order = quality.order.as_ref().unwrap();
        assert_eq!(order.case_count, known.len() as i64);
        assert!((order.actual_rate - ordered as f64 / known.len() as f64).abs() < 1e-12);
        assert_eq!(order.reliability.iter().map(|bin| bin.case_count).sum::<i64>(), order.case_count);
        assert_eq!(quality.order_days.as_ref().unwrap().actual_total, days as f64);
        assert_eq!(quality.excess_log_loss.is_none(), quality.predictor == "served");
    }
    let log_loss = |name: &str| {
        found.predictors.iter().find(|quality| quality.predictor == name).unwrap().order.as_ref().unwrap().log_loss
    };
    // What is beyond the orders tells more than they do, and they more than any rule.
    let all: Vec<(&str, f64)> = names.iter().map(|name| (*name, log_loss(name))).collect();
    assert!(log_loss("served") < log_loss("pareto_nbd") && log_loss("pareto_nbd") < log_loss("base_rate"), "{all:?}");
    let served = found.predictors[0].order.as_ref().unwrap();
    assert!(served.auc.unwrap().low > 0.7 && served.calibration_error < 0.1, "{served:?}");

    assert!(found.cumulative_orders.is_sorted_by(|one, next| one.day < next.day && one.expected <= next.expected));
    let last = found.cumulative_orders.last().unwrap();
    assert_eq!((last.day, last.actual), (91, days as i64));
    let total = found.predictors[0].order_days.as_ref().unwrap().expected_total;
    assert!((last.expected - total).abs() < 1e-6 * total);

    // A fit's own back-test is that of one horizon before its cut.
    let fit = fit(&suite, FitPortfolioRequest::default()).await;
    assert_eq!(fit.backtest.unwrap(), backtest(&suite, -91.0, 91).await);
}

async fn backtest_fresh(suite: &Suite, tokens: Vec<contracts::common::v1::FreshnessToken>) -> Backtest {
    let portfolio = contracts::assessments::v1::GetPortfolioRequest { at_least_as_fresh: tokens, ..Default::default() };
    suite.assessments().get_portfolio(ask(portfolio)).await.unwrap();
    backtest(suite, -120.0, 91).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_without_a_past_or_a_future_is_refused() {
    let suite = Suite::start().await;
    let mut predictions = suite.predictions();
    let asked = |cut: f64, horizon_days| {
        let asked = BacktestPortfolioRequest { cut_time: day(cut), horizon_days, ..Default::default() };
        let mut predictions = predictions.clone();
        async move {
            match predictions.backtest_portfolio(ask(asked)).await {
                Err(status) => refusal(&status),
                Ok(answers) => refusal(&answers.into_inner().message().await.unwrap_err()),
            }
        }
    };
    let too_long = asked(-10.0, 11).await;
    assert_eq!((too_long.0, too_long.2), (Code::InvalidArgument, vec!["horizon_days".to_owned()]));
    assert_eq!(asked(-10.0, 0).await.2, ["horizon_days"]);
    let empty = asked(-10.0, 7).await;
    assert_eq!((empty.0, empty.1.as_str()), (Code::FailedPrecondition, "ERROR_REASON_TOO_LITTLE_HISTORY"));
    let no_cut =
        predictions.backtest_portfolio(ask(BacktestPortfolioRequest { horizon_days: 7, ..Default::default() }));
    assert_eq!(refusal(&no_cut.await.unwrap_err()).2, ["cut_time"]);
}
