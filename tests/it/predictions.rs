//! Fits, predictions, back-tests and opportunities, on a portfolio drawn by a model whose parameters are known.

mod backtested;
mod competition;
mod fitted;
mod opportunities;

use contracts::assessments::v1::*;
use contracts::common::v1::{FreshnessToken, Money};
use contracts::orders::v1::{Fulfilment, ImportOrdersRequest, Order, OrdersRow, orders_row};
use contracts::predictions::v1::*;
use dynamics::prediction::Summary;
use tests::{START, Suite, ask, ended};

use crate::crash::chance::Chance;

const DAY: i64 = 86_400_000_000;
/// How long the oldest customers have been there, in days.
const SPAN: i64 = 720;

/// A customer of the portfolio: its id, and its order days, counted back from today.
pub(crate) struct Customer {
    pub(crate) id: String,
    /// Latest last.
    days_ago: Vec<i64>,
    /// Whether it gets its deliveries late.
    is_late: bool,
}

/// Customers who order at rates that differ, each until it leaves. Those who get their deliveries late leave far sooner.
pub(crate) fn portfolio(count: usize, seed: u64) -> Vec<Customer> {
    let mut chance = Chance::of(seed);
    let mut customers = Vec::with_capacity(count);
    for number in 0..count {
        let mut uniform = || (chance.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30);
        let is_late = uniform() < 0.3;
        // A mean gap of 15 to 60 days.
        let mean_gap = 15.0 * 4_f64.powf(uniform());
        let leaves = if is_late { 0.35 } else { 0.04 };
        let mut day = SPAN as f64 * (0.02 + 0.98 * uniform());
        let mut days_ago = Vec::new();
        while day >= 0.0 {
            if days_ago.last() != Some(&(day as i64)) {
                days_ago.push(day as i64);
            }
            if uniform() < leaves {
                break;
            }
            day -= 1.0 - mean_gap * uniform().ln();
        }
        customers.push(Customer { id: format!("c-{number:04}"), days_ago, is_late });
    }
    customers
}

impl Customer {
    /// Its order days up to so many days ago, as the models see them.
    fn summary(&self, until: i64) -> Option<Summary> {
        let days: Vec<i64> = self.days_ago.iter().copied().filter(|ago| *ago >= until).collect();
        Summary::of_days(days.len() as u64, -*days.first()?, -*days.last()?, -until).ok()
    }

    fn rows(&self) -> impl Iterator<Item = OrdersRow> {
        self.days_ago.iter().enumerate().map(|(number, ago)| {
            let placed = START - ago * DAY;
            let promised = placed + 3 * DAY;
            let delivered = placed + if self.is_late { 12 } else { 2 } * DAY;
            let time = |micros: i64| Some(prost_types::Timestamp { seconds: micros / 1_000_000, nanos: 0 });
            let order = Order {
                name: format!("accounts/{}/orders/{number}", self.id),
                place_time: time(placed),
                total: Some(Money { currency_code: "EUR".to_owned(), units: 40 + *ago % 20, nanos: 0 }),
                fulfilment: Some(Fulfilment {
                    promise_time: time(promised),
                    deliver_time: (delivered <= START).then(|| time(delivered)).flatten(),
                    ..Fulfilment::default()
                }),
                ..Order::default()
            };
            OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
        })
    }
}

/// Imports the orders of a portfolio. Returns what names them all.
pub(crate) async fn import(suite: &Suite, customers: &[Customer]) -> Vec<FreshnessToken> {
    let rows: Vec<OrdersRow> = customers.iter().flat_map(Customer::rows).collect();
    let batches: Vec<ImportOrdersRequest> =
        rows.chunks(500).map(|rows| ImportOrdersRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let mut answers = suite.orders().import_orders(ask(tokio_stream::iter(batches))).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals[0]);
        tokens.extend(answer.freshness);
    }
    tokens
}

/// Has a fit made, and waits for it.
pub(crate) async fn fit(suite: &Suite, ask_for: FitPortfolioRequest) -> Fit {
    let begun = suite.predictions().fit_portfolio(ask(ask_for)).await.unwrap().into_inner().fit.unwrap();
    assert_eq!(begun.state(), FitState::Pending);
    let fit = ended(suite, &begun.name).await;
    assert_eq!(fit.state(), FitState::Succeeded, "{}", fit.status);
    fit
}

/// The assessment of an account with a prediction of so many days.
pub(crate) async fn assess(suite: &Suite, account: &str, horizon_days: i32) -> Assessment {
    let get = GetAssessmentRequest {
        name: format!("accounts/{account}/assessment"),
        horizon_days: Some(horizon_days),
        ..GetAssessmentRequest::default()
    };
    suite.assessments().get_assessment(ask(get)).await.unwrap().into_inner().assessment.unwrap()
}
