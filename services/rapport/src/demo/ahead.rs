//! What the demo shows of the future: how good predictions would have been, and one of them.

use std::time::Duration;

use contracts::{
    assessments::v1::GetAssessmentRequest,
    predictions::v1::{
        BacktestPortfolioRequest, Fit, FitPortfolioRequest, FitState, GetFitRequest, PredictorQuality,
        SetDefaultFitRequest,
    },
};
use prost_types::Timestamp;

use crate::{client::Connection, commands, exit::Error, output};

/// A quarter.
const HORIZON_DAYS: i32 = 91;
const DAY: i64 = 86_400;
/// How often a fit is asked how far it has come.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Judges predictions by the last quarter of the data, learns from all of it, and predicts for one account.
pub(super) async fn show(connection: &Connection, at: Timestamp, account: &str) -> Result<(), Error> {
    // The data end the day before.
    let last = Timestamp { seconds: at.seconds - 1, nanos: 0 };
    let cut = Timestamp { seconds: last.seconds - i64::from(HORIZON_DAYS) * DAY, nanos: 0 };
    let ask = BacktestPortfolioRequest { cut_time: Some(cut), horizon_days: HORIZON_DAYS, ..Default::default() };
    let mut answers = connection.predictions().backtest_portfolio(connection.request(ask)).await?.into_inner();
    let mut backtest = None;
    while let Some(answer) = answers.message().await? {
        backtest = answer.backtest;
    }
    if let Some(backtest) = backtest {
        let quality = |name: &str| backtest.predictors.iter().find(|quality| quality.predictor == name);
        if let (Some(served), Some(base)) = (quality("served"), quality("base_rate")) {
            output::line(&judged(served, base))?;
        }
    }

    let ask = FitPortfolioRequest { horizon_days: HORIZON_DAYS, as_of: Some(last), ..Default::default() };
    let fit = connection.predictions().fit_portfolio(connection.request(ask)).await?.into_inner().fit;
    let fit = ended(connection, fit.unwrap_or_default()).await?;
    if fit.state() != FitState::Succeeded {
        output::line(&format!("    Nothing was learned from all of it: {}", fit.status))?;
        return Ok(());
    }
    let ask = SetDefaultFitRequest { name: fit.name, request_id: String::new() };
    connection.predictions().set_default_fit(connection.request(ask)).await?;
    let ask = GetAssessmentRequest {
        name: format!("accounts/{account}/assessment"),
        as_of: Some(at),
        horizon_days: Some(HORIZON_DAYS),
        ..Default::default()
    };
    let assessment = connection.assessments().get_assessment(connection.request(ask)).await?.into_inner().assessment;
    let prediction = assessment.unwrap_or_default().prediction.unwrap_or_default();
    let (days, spend) = (prediction.order_day_count.unwrap_or_default(), prediction.spend.unwrap_or_default());
    output::line(&format!(
        "    {} is expected to order on {:.0} days (95% interval {:.0} to {:.0}) and for {:.0} {} ({:.0} to {:.0}).\n",
        commands::account_id(account),
        days.value,
        days.low,
        days.high,
        spend.value,
        prediction.currency_code,
        spend.low,
        spend.high
    ))?;
    Ok(())
}

async fn ended(connection: &Connection, mut fit: Fit) -> Result<Fit, Error> {
    while matches!(fit.state(), FitState::Pending | FitState::Running) {
        tokio::time::sleep(ASKED_EVERY).await;
        let ask = GetFitRequest { name: fit.name.clone() };
        fit = connection.predictions().get_fit(connection.request(ask)).await?.into_inner().fit.unwrap_or_default();
    }
    Ok(fit)
}

/// How good predictions of the last quarter would have been.
fn judged(served: &PredictorQuality, base: &PredictorQuality) -> String {
    let loss = |quality: &PredictorQuality| quality.order.as_ref().map_or(0.0, |order| order.log_loss);
    let auc = served.order.as_ref().and_then(|order| order.auc).map_or(0.5, |auc| auc.value);
    let days = served.order_days.unwrap_or_default();
    format!(
        "  What the next {HORIZON_DAYS} days will bring\n    Learned before the last {HORIZON_DAYS} days of the data and judged \
         by them: who orders again is told with an AUC of {auc:.2}\n    and a log-loss of {:.3}, where giving everybody the \
         same chance has {:.3}; {:.0} days with an order were\n    expected, and {:.0} followed.",
        loss(served),
        loss(base),
        days.expected_total,
        days.actual_total
    )
}
