//! A suite of one size in two processes, the gate between them, and what each has used.

use std::time::Instant;

use contracts::{
    assessments::v1::assessments_service_client::AssessmentsServiceClient, common::v1::FreshnessToken,
    orders::v1::Order, orders::v1::orders_service_client::OrdersServiceClient,
    predictions::v1::predictions_service_client::PredictionsServiceClient,
};
use runtime::Peer;
use tests::{bulk, chance::Chance};

use crate::{gate::Gate, part::Part, server::Server};

/// A suite.
pub(crate) struct Cell {
    pub(crate) services: Part,
    pub(crate) gate: Gate,
    pub(crate) aggregator: Part,
    pub(crate) server: Option<Server>,
    /// Its size.
    pub(crate) accounts: usize,
    /// How many orders it has.
    pub(crate) orders: usize,
    /// The numbers of all accounts, in no order.
    numbers: Vec<u32>,
}

/// What was used for something, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) elapsed: f64,
    /// Processor time of the services, of the aggregator, and of the database server.
    pub(crate) services: f64,
    pub(crate) aggregator: f64,
    pub(crate) servers: f64,
    /// What the aggregator was told.
    pub(crate) bytes: f64,
}

impl Cell {
    /// Starts one without an account.
    pub(crate) async fn start(accounts: usize, server: Option<Server>) -> Self {
        let services = Part::services();
        let gate = Gate::before(services.address().to_owned()).await;
        let aggregator = Part::aggregator(gate.address());
        let numbers = (0..u32::try_from(accounts).unwrap()).collect();
        Self { services, gate, aggregator, server, accounts, orders: 0, numbers }
    }

    pub(crate) fn assessments(&self) -> AssessmentsServiceClient<Peer> {
        AssessmentsServiceClient::new(self.aggregator.peer())
    }

    pub(crate) fn predictions(&self) -> PredictionsServiceClient<Peer> {
        PredictionsServiceClient::new(self.aggregator.peer())
    }

    /// Some of the accounts, each once.
    pub(crate) fn some(&mut self, count: usize, chance: &mut Chance) -> Vec<usize> {
        let count = count.min(self.accounts);
        for place in 0..count {
            let other = place + chance.below((self.accounts - place) as u64) as usize;
            self.numbers.swap(place, other);
        }
        self.numbers[..count].iter().map(|number| *number as usize).collect()
    }

    /// Imports orders while nobody is told of them. Returns what that took, and what to wait for.
    pub(crate) async fn ingest(&mut self, orders: Vec<Order>) -> (Spent, Vec<FreshnessToken>) {
        self.orders += orders.len();
        self.gate.open(false);
        let client = OrdersServiceClient::new(self.services.peer());
        let before = self.spent();
        let tokens = bulk::send(client, orders.into_iter()).await;
        (self.spent().since(before), tokens)
    }

    /// Lets the aggregator hear of them, and waits until it has. Returns what that took.
    pub(crate) async fn follow(&self, tokens: Vec<FreshnessToken>) -> Spent {
        let before = self.spent();
        self.gate.open(true);
        bulk::wait(self.assessments(), tokens).await;
        self.spent().since(before)
    }

    /// Imports orders, and has them followed at once. Returns what both took together.
    pub(crate) async fn import(&mut self, orders: impl ExactSizeIterator<Item = Order> + Send + 'static) -> Spent {
        self.orders += orders.len();
        let client = OrdersServiceClient::new(self.services.peer());
        let before = self.spent();
        let tokens = bulk::send(client, orders).await;
        bulk::wait(self.assessments(), tokens).await;
        self.spent().since(before)
    }

    /// What something takes.
    pub(crate) async fn measure<T>(&self, work: impl Future<Output = T>) -> (Spent, T) {
        let before = self.spent();
        let result = work.await;
        (self.spent().since(before), result)
    }

    fn spent(&self) -> (Instant, Spent) {
        let spent = Spent {
            elapsed: 0.0,
            services: self.services.cpu_seconds(),
            aggregator: self.aggregator.cpu_seconds(),
            servers: self.server.as_ref().map_or(0.0, Server::cpu_seconds),
            bytes: self.gate.bytes() as f64,
        };
        (Instant::now(), spent)
    }
}

/// What was used between two moments.
trait Since {
    fn since(self, before: Self) -> Spent;
}

impl Since for (Instant, Spent) {
    fn since(self, before: Self) -> Spent {
        let ((now, is), (then, was)) = (self, before);
        Spent {
            elapsed: (now - then).as_secs_f64(),
            services: is.services - was.services,
            aggregator: is.aggregator - was.aggregator,
            servers: is.servers - was.servers,
            bytes: is.bytes - was.bytes,
        }
    }
}

impl Spent {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            elapsed: self.elapsed + other.elapsed,
            services: self.services + other.services,
            aggregator: self.aggregator + other.aggregator,
            servers: self.servers + other.servers,
            bytes: self.bytes + other.bytes,
        }
    }

    /// All processor time.
    pub(crate) fn cpu(&self) -> f64 {
        self.services + self.aggregator + self.servers
    }
}
