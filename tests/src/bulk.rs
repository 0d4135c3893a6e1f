//! Many orders at once, as benchmarks send them, and waiting until they are followed, however long that takes.

use contracts::{
    assessments::v1::{GetAssessmentRequest, assessments_service_client::AssessmentsServiceClient},
    common::v1::{FreshnessToken, Money},
    orders::v1::{ImportOrdersRequest, Order, OrdersRow, orders_row, orders_service_client::OrdersServiceClient},
};
use prost_types::Timestamp;
use runtime::Peer;
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::{ask, ask_for};

/// How many orders go in a message of an import.
pub const BATCH: usize = 1_000;
/// How many tokens are waited for at once.
const TOKENS: usize = 20;

/// The id of the account with this number.
pub fn account(number: usize) -> String {
    format!("a{number}")
}

/// The order with this number, which no other order of the account may have.
pub fn order(account: &str, number: usize, place_time: Option<Timestamp>) -> Order {
    Order {
        name: format!("accounts/{account}/orders/o{number:09}"),
        place_time,
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100 + number as i64 % 900, nanos: 500_000_000 }),
        ..Order::default()
    }
}

/// Imports orders, made as they are sent. Answers with the tokens of all batches.
pub async fn send(
    mut client: OrdersServiceClient<Peer>,
    orders: impl Iterator<Item = Order> + Send + 'static,
) -> Vec<FreshnessToken> {
    let mut rows = orders.map(|order| OrdersRow { resource: Some(orders_row::Resource::Order(order)) });
    let batches = std::iter::from_fn(move || {
        let rows: Vec<OrdersRow> = rows.by_ref().take(BATCH).collect();
        (!rows.is_empty()).then(|| ImportOrdersRequest { rows, ..Default::default() })
    });
    let request = ask_for(3_600, tokio_stream::iter(batches));
    let mut answers = client.import_orders(request).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.next().await {
        let answer = answer.unwrap();
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals.first());
        tokens.extend(answer.freshness);
    }
    tokens
}

/// Waits until the aggregator has seen all that these tokens name.
pub async fn wait(mut client: AssessmentsServiceClient<Peer>, tokens: Vec<FreshnessToken>) {
    for tokens in tokens.chunks(TOKENS).rev() {
        loop {
            // Any account will do, also one that there is not.
            let name = "accounts/a0/assessment".to_owned();
            let request = GetAssessmentRequest { name, at_least_as_fresh: tokens.to_vec(), ..Default::default() };
            match client.get_assessment(ask(request)).await {
                Err(status) if status.code() == Code::DeadlineExceeded => {}
                Err(status) if status.code() != Code::NotFound => panic!("{status:?}"),
                _ => break,
            }
        }
    }
}
