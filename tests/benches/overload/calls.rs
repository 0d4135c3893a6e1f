//! The calls that are made: reads from memory, and durable writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use contracts::{
    assessments::v1::{
        GetAssessmentRequest, GetPortfolioRequest, assessments_service_client::AssessmentsServiceClient,
    },
    common::v1::{FreshnessToken, Money},
    orders::v1::{
        CreateOrderRequest, ImportOrdersRequest, Order, OrdersRow, orders_row,
        orders_service_client::OrdersServiceClient,
    },
};
use prost::Message as _;
use prost_types::Timestamp;
use runtime::{Methods, Peer};
pub(crate) use tests::TENANT;
use tests::ask_for;
use tonic::Status;

use crate::server::Server;

const ACCOUNTS: usize = 2_000;
/// How long a caller waits, in seconds.
pub(crate) const PATIENCE: u64 = 2;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `GetAssessment`, of a ledger at hand.
    Read,
    /// `CreateOrder`, durable when it is answered.
    Write,
}

impl Kind {
    /// The path of the method.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Read => "/rapport.assessments.v1.AssessmentsService/GetAssessment",
            Kind::Write => "/rapport.orders.v1.OrdersService/CreateOrder",
        }
    }

    /// The message of the next call. No two calls are the same, whoever makes them.
    pub(crate) fn message(self) -> Vec<u8> {
        match self {
            Kind::Read => reading(next()).encode_to_vec(),
            Kind::Write => writing(next()).encode_to_vec(),
        }
    }
}

fn next() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn reading(call: usize) -> GetAssessmentRequest {
    let name = format!("accounts/a{}/assessment", call * 7_919 % ACCOUNTS);
    GetAssessmentRequest { name, ..Default::default() }
}

fn writing(call: usize) -> CreateOrderRequest {
    CreateOrderRequest {
        parent: format!("accounts/a{}", call % 997),
        order_id: format!("o{call}"),
        order: Some(order(String::new())),
        ..Default::default()
    }
}

/// Clients of the suite, as its command line has them: with retries, and holding back what would be refused. Each has a
/// connection of its own, and they are used by turns.
pub(crate) struct Clients {
    kind: Kind,
    peers: Vec<Peer>,
}

impl Clients {
    /// Connects.
    pub(crate) fn connect(server: &Server, kind: Kind) -> Self {
        let methods = Arc::new(Methods::of(contracts::DESCRIPTOR_SET).unwrap());
        let peers = (0..crate::connections()).map(|_| server.peer().retrying(methods.clone())).collect();
        Self { kind, peers }
    }

    /// Makes the next call.
    pub(crate) async fn make(&self) -> Result<(), Status> {
        let call = next();
        let peer = self.peers[call % self.peers.len()].clone();
        match self.kind {
            Kind::Read => {
                let request = ask_for(PATIENCE, reading(call));
                AssessmentsServiceClient::new(peer).get_assessment(request).await.map(drop)
            }
            Kind::Write => {
                let request = ask_for(PATIENCE, writing(call));
                OrdersServiceClient::new(peer).create_order(request).await.map(drop)
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the server is a process of its own, whose time is the system's")]
fn order(name: String) -> Order {
    let yesterday = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 - 86_400;
    Order {
        name,
        place_time: Some(Timestamp { seconds: yesterday, nanos: 0 }),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100, nanos: 0 }),
        ..Default::default()
    }
}

/// Gives each account two orders, and waits until they are followed.
pub(crate) async fn fill(peer: &Peer) {
    let rows = (0..ACCOUNTS * 2).map(|number| {
        let order = order(format!("accounts/a{}/orders/o{number}", number % ACCOUNTS));
        OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
    });
    let rows: Vec<OrdersRow> = rows.collect();
    let batches: Vec<_> =
        rows.chunks(500).map(|rows| ImportOrdersRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let mut orders = OrdersServiceClient::new(peer.clone());
    let mut answers = orders.import_orders(ask_for(60, tokio_stream::iter(batches))).await.unwrap().into_inner();
    let mut tokens: Vec<FreshnessToken> = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        tokens.extend(answer.freshness);
    }
    for tokens in tokens.chunks(20) {
        let request = GetPortfolioRequest { at_least_as_fresh: tokens.to_vec(), ..Default::default() };
        AssessmentsServiceClient::new(peer.clone()).get_portfolio(ask_for(25, request)).await.unwrap();
    }
}
