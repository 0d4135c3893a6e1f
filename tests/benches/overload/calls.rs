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
use prost_types::Timestamp;
use runtime::{Methods, Peer};
use tests::ask_for;
use tonic::Status;

use crate::server::Server;

const ACCOUNTS: usize = 2_000;
/// How long a caller waits, in seconds.
const PATIENCE: u64 = 2;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Clients that send whatever they are told to, and take any answer.
    Plain,
    /// Clients of the suite, as its command line has them: with retries, and holding back what would be refused.
    OfTheSuite,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `GetAssessment`, of a ledger at hand.
    Read,
    /// `CreateOrder`, durable when it is answered.
    Write,
}

/// Calls of a kind, each another, over several connections by turns.
pub(crate) struct Calls {
    kind: Kind,
    peers: Vec<Peer>,
}

/// Connects.
pub(crate) fn connect(server: &Server, kind: Kind, clients: Clients) -> Calls {
    let methods = Arc::new(Methods::of(contracts::DESCRIPTOR_SET).unwrap());
    let peer = || match clients {
        Clients::Plain => server.peer(),
        Clients::OfTheSuite => server.peer().retrying(methods.clone()),
    };
    let peers = (0..crate::setting("RAPPORT_BENCH_CONNECTIONS", 8)).map(|_| peer()).collect();
    Calls { kind, peers }
}

impl Calls {
    /// Makes the next call.
    pub(crate) async fn make(&self) -> Result<(), Status> {
        // No two calls are the same, whoever makes them.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let call = NEXT.fetch_add(1, Ordering::Relaxed);
        let peer = self.peers[call % self.peers.len()].clone();
        match self.kind {
            Kind::Read => {
                let name = format!("accounts/a{}/assessment", call * 7_919 % ACCOUNTS);
                let request = GetAssessmentRequest { name, ..Default::default() };
                AssessmentsServiceClient::new(peer).get_assessment(ask_for(PATIENCE, request)).await.map(drop)
            }
            Kind::Write => {
                let request = CreateOrderRequest {
                    parent: format!("accounts/a{}", call % 997),
                    order_id: format!("o{call}"),
                    order: Some(order(String::new())),
                    ..Default::default()
                };
                OrdersServiceClient::new(peer).create_order(ask_for(PATIENCE, request)).await.map(drop)
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
