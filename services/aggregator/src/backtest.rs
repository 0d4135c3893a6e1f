//! BacktestPortfolio: judges the models on time that they have not seen.

use contracts::predictions::v1::*;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use methods::{Call, Violations, to_micros};
use runtime::Fault;
use std::time::Duration;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};

use crate::fits::{Making, Predictions, Problem, Scope, backtest};

/// The longest horizon, in days.
const MOST_DAYS: i32 = 730;
const DAY: i64 = dynamics::DAY;
/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// A back-test on its way; let go, it is broken off.
struct Underway {
    making: Making,
    made: JoinHandle<Result<Backtest, Problem>>,
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.making.cancel();
        self.made.abort();
    }
}

impl Predictions {
    pub(crate) async fn backtested(
        &self,
        request: Request<BacktestPortfolioRequest>,
    ) -> Result<Response<BoxStream<'static, Result<BacktestPortfolioResponse, Status>>>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        violations.required_time("cut_time", ask.cut_time.as_ref());
        violations.integer("horizon_days", ask.horizon_days.into(), 1, MOST_DAYS.into());
        let cut = ask.cut_time.as_ref().map_or(0, to_micros);
        let horizon = i64::from(ask.horizon_days);
        if cut.saturating_add(horizon.saturating_mul(DAY)) > self.gallery.clock.now() {
            violations.add("horizon_days", "must have passed since `cut_time`");
        }
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let scope = Scope::new(self.gallery.clone(), call.tenant.as_str(), cut);
        let making = Making::new("");
        let watched = making.clone();
        let days = u32::try_from(ask.horizon_days).unwrap_or(1);
        let made = self.workers.spawn(async move { backtest(&scope, days, &watched).await });
        let underway = Underway { making, made };
        let answers = stream::unfold(Some(underway), |underway| async {
            let mut underway = underway?;
            let made = tokio::time::timeout(TOLD_EVERY, &mut underway.made).await;
            let step = underway.making.step();
            let told = BacktestPortfolioResponse { status: step.status, progress: step.progress, backtest: None };
            match made {
                Err(_) => Some((Ok(told), Some(underway))),
                Ok(Ok(Ok(backtest))) => {
                    let whole = BacktestPortfolioResponse { progress: 1.0, backtest: Some(backtest), ..told };
                    Some((Ok(whole), None))
                }
                Ok(Ok(Err(problem))) => Some((Err(problem.fault()), None)),
                Ok(Err(error)) => Some((Err(Fault::log_internal(&error)), None)),
            }
        });
        Ok(Response::new(answers.map(|answer| answer.map_err(Status::from)).boxed()))
    }
}
