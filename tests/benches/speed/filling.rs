//! Fills a suite with orders, and waits until they are followed however long that takes.

use contracts::{
    assessments::v1::GetPortfolioRequest,
    common::v1::{FreshnessToken, Money},
    orders::v1::{ImportOrdersRequest, Order, OrdersRow, orders_row},
};
use prost_types::Timestamp;
use tests::{Suite, ask_for, day};
use tokio_stream::StreamExt as _;
use tonic::Code;

const BATCH: usize = 1_000;

/// Gives each account so many orders over the last year.
pub(crate) async fn accounts(suite: &Suite, names: &[String], orders_each: usize) {
    let count = names.len() * orders_each;
    let time = |number: usize| day(-365.0 + 364.0 * number as f64 / count as f64);
    orders(suite, (0..count).map(|number| order(&names[number % names.len()], number, time(number)))).await;
}

/// Gives an account so many orders, a quarter of an hour apart.
pub(crate) async fn history(suite: &Suite, account: &str, length: usize) {
    orders(suite, (0..length).map(|number| order(account, number, day(-(number as f64) / 96.0)))).await;
}

fn order(account: &str, number: usize, place_time: Option<Timestamp>) -> OrdersRow {
    let order = Order {
        name: format!("accounts/{account}/orders/o{number:09}"),
        place_time,
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100 + number as i64 % 900, nanos: 500_000_000 }),
        ..Order::default()
    };
    OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
}

async fn orders(suite: &Suite, rows: impl Iterator<Item = OrdersRow>) {
    let rows: Vec<OrdersRow> = rows.collect();
    let batches: Vec<_> =
        rows.chunks(BATCH).map(|rows| ImportOrdersRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let mut answers =
        suite.orders().import_orders(ask_for(3_600, tokio_stream::iter(batches))).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.next().await {
        let answer = answer.unwrap();
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals.first());
        tokens.extend(answer.freshness);
    }
    for tokens in tokens.chunks(20) {
        followed(suite, tokens).await;
    }
}

/// Waits until what the tokens name is followed.
async fn followed(suite: &Suite, tokens: &[FreshnessToken]) {
    loop {
        let request = GetPortfolioRequest { at_least_as_fresh: tokens.to_vec(), ..Default::default() };
        match suite.assessments().get_portfolio(ask_for(60, request)).await {
            Ok(_) => return,
            Err(status) => assert_eq!(status.code(), Code::DeadlineExceeded, "{status}"),
        }
    }
}
