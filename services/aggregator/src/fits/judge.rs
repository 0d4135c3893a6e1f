//! Judges what was learned up to a cut by what followed, beside the plain models and naive rules.

use contracts::{assessments::v1::Estimate, predictions::v1 as told};
use dynamics::{
    DAY,
    prediction::{
        DAYS_PER_WEEK, Forecast, Kind, Known, OrderDay, Past, SpendModel,
        evaluation::{self, Amounts, Case, Chances, Evaluation, Followed, Predicted, compare, evaluate},
        fit,
        naive::{Rule, Rules},
    },
};
use methods::from_micros;

use super::{
    Making,
    learn::{Learned, Problem},
    portfolio::{Customer, Scope, in_units},
};

/// The plain models that are judged beside what is served.
const PLAIN: [Kind; 4] = [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd, Kind::Nbd];
/// The most steps of the cumulative count.
const STEPS: u32 = 26;

/// A customer at the cut, and what followed.
struct Judged {
    /// Up to the cut, as it was known then if that is asked for.
    days: Vec<OrderDay>,
    known: Known,
    followed: Followed,
    /// The days after the cut on which it ordered.
    ordered_on: Vec<u32>,
}

/// Predicts at the cut for the customers that are looked at closely, and compares with what followed.
pub(super) async fn judge(
    scope: &Scope,
    learned: Learned,
    horizon_days: u32,
    making: &Making,
) -> Result<told::Backtest, Problem> {
    let cut_day = scope.cut.div_euclid(DAY);
    let known_at_cut = scope.was_known(scope.cut, learned.survey.customers).await?;
    let mut judged = Vec::new();
    let mut walk = scope.customers().await?;
    while let Some(page) = walk.next(making, "sees what followed").await? {
        let close: Vec<&Customer> = page
            .iter()
            .filter(|customer| customer.days_until(scope.cut).is_some())
            .filter(|customer| scope.samples(&customer.row.account, learned.survey.customers))
            .collect();
        let then = scope.then(&close, &[scope.cut], &learned.scales, known_at_cut).await?;
        for (customer, then) in close.into_iter().zip(then) {
            let Some(then) = then.into_iter().flatten().next().filter(|then| then.is_open) else { continue };
            let all = in_units(customer.ledger.order_days(), &customer.row.currency, &learned.scales);
            let followed = dynamics::prediction::naive::followed(&all, cut_day, horizon_days);
            let within = all.iter().filter_map(|day| u32::try_from(day.day - cut_day).ok());
            let ordered_on = within.filter(|day| (1..=horizon_days).contains(day)).collect();
            judged.push(Judged { days: then.days, known: then.known, followed, ordered_on });
        }
    }
    making.reach("judges the predictions", 0.0);
    let backtest = told::Backtest {
        cut_time: Some(from_micros(scope.cut)),
        horizon_days: horizon_days as i32,
        account_count: learned.survey.customers as i64,
        judged_account_count: judged.len() as i64,
        known_at_cut,
        currency_code: learned.scales.first().to_owned(),
        ..told::Backtest::default()
    };
    let computed = tokio::task::spawn_blocking(move || {
        let bench = Bench { learned: &learned, judged: &judged, cut_day, horizon_days };
        told::Backtest { predictors: bench.predictors(), cumulative_orders: bench.cumulative(), ..backtest }
    });
    Ok(computed.await?)
}

/// All that is needed to judge.
struct Bench<'a> {
    learned: &'a Learned,
    judged: &'a [Judged],
    cut_day: i64,
    horizon_days: u32,
}

impl Bench<'_> {
    fn weeks(&self) -> f64 {
        f64::from(self.horizon_days) / DAYS_PER_WEEK
    }

    fn past<'a>(&self, judged: &'a Judged) -> Option<Past<'a>> {
        Past::new(&judged.days, self.cut_day, judged.known).ok()
    }

    /// Pairs what one way of predicting says of each customer with what followed. Those of whom it says nothing are left
    /// out of all.
    fn cases(&self, predict: impl Fn(&Judged, &Past<'_>) -> Option<Predicted>) -> Vec<Case> {
        let cases = self.judged.iter().filter_map(|judged| {
            let predicted = predict(judged, &self.past(judged)?)?;
            Case::new(predicted, judged.followed).ok()
        });
        cases.collect()
    }

    fn served(&self, past: &Past<'_>, weeks: f64) -> Predicted {
        let prediction = self.learned.trained.predictor.predict(past, weeks);
        let spend = Some(prediction.spend.value.clamp(0.0, Case::MAX_AMOUNT));
        Predicted { any_order: prediction.any_order.value, orders: prediction.orders.value, spend }
    }

    fn predictors(&self) -> Vec<told::PredictorQuality> {
        let served = self.cases(|_, past| Some(self.served(past, self.weeks())));
        let mut all =
            vec![quality("served", "what is served: the chosen model, and its correction where that won", &served)];
        let spend = self.learned.trained.predictor.spend();
        for fit in PLAIN.iter().filter_map(|kind| fit(*kind, &self.learned.portfolio).ok()) {
            let plain =
                self.cases(|_, past| Some(with_spend(fit.model.forecast(&past.summary(), self.weeks()), past, spend?)));
            all.push(beside(
                quality(fit.asked.name(), "a plain model of when customers order", &plain),
                &plain,
                &served,
            ));
        }
        let customers = self.judged.iter().map(|judged| judged.days.as_slice());
        let rules = Rules::learn(customers, self.cut_day, self.horizon_days);
        for rule in Rule::ALL {
            let naive = self.cases(|judged, _| rules.predict(rule, &judged.days));
            if !naive.is_empty() {
                all.push(beside(quality(rule.name(), meaning(rule), &naive), &naive, &served));
            }
        }
        all
    }

    fn cumulative(&self) -> Vec<told::CumulativeOrders> {
        let weeks = self.horizon_days.div_ceil(7);
        let step = weeks.div_ceil(STEPS).max(1) * 7;
        let ends = (1..).map(|number| number * step).take_while(|day| *day < self.horizon_days);
        let ends = ends.chain([self.horizon_days]);
        let totals = ends.map(|day| {
            let ahead = f64::from(day) / DAYS_PER_WEEK;
            let pasts = self.judged.iter().filter_map(|judged| self.past(judged));
            told::CumulativeOrders {
                day: day as i32,
                expected: pasts.map(|past| self.served(&past, ahead).orders).sum(),
                actual: self.judged.iter().flat_map(|judged| &judged.ordered_on).filter(|on| **on <= day).count()
                    as i64,
            }
        });
        totals.collect()
    }
}

fn with_spend(forecast: Forecast, past: &Past<'_>, spend: &SpendModel) -> Predicted {
    let expected = forecast.orders * spend.expected(past.spend().as_ref());
    Predicted { spend: Some(expected.clamp(0.0, Case::MAX_AMOUNT)), ..Predicted::from(forecast) }
}

fn meaning(rule: Rule) -> &'static str {
    match rule {
        Rule::BaseRate => "everybody does as all did on the mean in the period before",
        Rule::Recency => "customers do as those did who had been silent for as long",
        Rule::Frequency => "customers go on ordering at the rate of all their time",
        Rule::LastPeriod => "customers do what they did in the period before",
    }
}

fn quality(predictor: &str, meaning: &str, cases: &[Case]) -> told::PredictorQuality {
    let bare = told::PredictorQuality {
        predictor: predictor.to_owned(),
        meaning: meaning.to_owned(),
        ..told::PredictorQuality::default()
    };
    match evaluate(cases) {
        Err(_) => bare,
        Ok(Evaluation { customers, any_order, orders, spend }) => told::PredictorQuality {
            order: Some(chances(customers, &any_order)),
            order_days: Some(amounts(&orders)),
            spend: spend.as_ref().map(amounts),
            ..bare
        },
    }
}

/// Adds how much worse one is than what is served.
fn beside(quality: told::PredictorQuality, cases: &[Case], served: &[Case]) -> told::PredictorQuality {
    let excess = compare(cases, served).ok().map(|comparison| estimate(&comparison.log_loss));
    told::PredictorQuality { excess_log_loss: excess, ..quality }
}

fn estimate(of: &evaluation::Estimate) -> Estimate {
    Estimate { value: of.value, low: of.lower, high: of.upper }
}

fn chances(customers: u64, of: &Chances) -> told::ChanceQuality {
    let bins = of.reliability.iter().map(|bin| told::ReliabilityBin {
        case_count: bin.customers as i64,
        expected_rate: bin.predicted,
        actual_rate: Some(estimate(&bin.actual)),
    });
    told::ChanceQuality {
        case_count: customers as i64,
        expected_rate: of.expected_rate,
        actual_rate: of.actual_rate,
        auc: of.auc.as_ref().ok().map(estimate),
        brier: of.brier,
        log_loss: of.log_loss,
        calibration_error: of.calibration_error,
        reliability: bins.collect(),
        top_tenth_lift: of.lift.ok(),
        base_log_loss: None,
    }
}

fn amounts(of: &Amounts) -> told::AmountQuality {
    told::AmountQuality {
        expected_total: of.expected_total,
        actual_total: of.actual_total,
        mean_absolute_error: of.mae,
        root_mean_squared_error: of.rmse,
        bias: of.bias.ok(),
        correlation: of.correlation.ok(),
        captured_top_tenth: of.captured.ok(),
    }
}
