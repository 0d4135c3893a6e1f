//! The feeds over JetStream, on a server of each story's own: `tests/nats.sh cargo test -p tests --test it -- --ignored
//! jetstream`. Other stories are told over JetStream too where `TEST_NATS_URL` names a server.

use contracts::{
    assessments::v1::{
        GetAssessmentRequest, VerifyLedgersRequest, assessments_service_client::AssessmentsServiceClient,
    },
    common::v1::{FreshnessToken, Money},
    orders::v1::{ImportOrdersRequest, Order, OrdersRow, orders_row},
};
use relay::testing::Server;
use runtime::{FeedSettings, Peer, Secret};
use tests::{Suite, ask_for, day, eventually};

const ACCOUNTS: usize = 40;
const STREAM: &str = "RAPPORT";

/// A suite with its server.
struct Story {
    server: Server,
    suite: Suite,
    /// How many orders were imported.
    orders: usize,
}

impl Story {
    async fn begin() -> Self {
        let server = Server::start();
        let servers = Some(Secret::new(server.url()));
        let suite = Suite::start_feeding(FeedSettings { servers, ..FeedSettings::default() }).await;
        Self { server, suite, orders: 0 }
    }

    /// Imports so many orders for each account.
    async fn import(&mut self, each: usize) -> Vec<FreshnessToken> {
        let first = self.orders;
        self.orders += each * ACCOUNTS;
        let rows = (first..self.orders).map(|number| OrdersRow {
            resource: Some(orders_row::Resource::Order(Order {
                name: format!("accounts/a{}/orders/o{number}", number % ACCOUNTS),
                place_time: day(-1.0 - number as f64 / 100.0),
                total: Some(Money { currency_code: "EUR".to_owned(), units: 100, nanos: 0 }),
                ..Order::default()
            })),
        });
        let batch = ImportOrdersRequest { rows: rows.collect(), ..ImportOrdersRequest::default() };
        let answers = self.suite.orders().import_orders(ask_for(60, tokio_stream::iter([batch]))).await;
        let answers = crate::feed::all_answers(answers).await.unwrap();
        assert!(answers.iter().all(|answer| answer.refusals.is_empty()));
        answers.into_iter().filter_map(|answer| answer.freshness).collect()
    }

    fn assessments(&self) -> AssessmentsServiceClient<Peer> {
        self.suite.assessments()
    }

    /// Every account has all its orders, as fresh as these tokens ask, and no ledger differs from what it follows from.
    async fn assert_complete(&self, tokens: &[FreshnessToken]) {
        for account in 0..ACCOUNTS {
            let name = format!("accounts/a{account}/assessment");
            let request = GetAssessmentRequest { name, at_least_as_fresh: tokens.to_vec(), ..Default::default() };
            let answer = self.assessments().get_assessment(ask_for(60, request)).await.unwrap().into_inner();
            let count = answer.assessment.unwrap().activity.unwrap().order_count;
            assert_eq!(count as usize, self.orders / ACCOUNTS, "of account {account}");
        }
        let verified = self.assessments().verify_ledgers(ask_for(60, VerifyLedgersRequest::default())).await;
        for answer in crate::feed::all_answers(verified).await.unwrap() {
            assert!(answer.differing_accounts.is_empty(), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn changes_come_by_the_stream_and_are_acknowledged_once_applied() {
    let mut story = Story::begin().await;
    let tokens = story.import(3).await;
    story.assert_complete(&tokens).await;
    // One message at least for each partition that has an account.
    let partitions: std::collections::BTreeSet<u32> =
        (0..ACCOUNTS).map(|account| store::partition(tests::TENANT, &format!("a{account}"))).collect();
    eventually(async || (story.server.acknowledged(STREAM).await >= partitions.len() as u64).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn what_is_written_while_the_servers_are_away_is_assessed_all_the_same() {
    let mut story = Story::begin().await;
    let tokens = story.import(1).await;
    story.assert_complete(&tokens).await;
    story.server.kill();
    for _ in 0..3 {
        let tokens = story.import(1).await;
        story.assert_complete(&tokens).await;
    }
    story.server.start_again();
    for _ in 0..3 {
        let tokens = story.import(1).await;
        story.assert_complete(&tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn servers_that_are_killed_again_and_again_lose_nothing() {
    let mut story = Story::begin().await;
    let mut tokens = Vec::new();
    for _ in 0..6 {
        tokens.extend(story.import(2).await);
        story.server.kill();
        tokens.extend(story.import(1).await);
        story.server.start_again();
        tokens.extend(story.import(1).await);
    }
    let last = tokens.split_off(tokens.len() - 3);
    story.assert_complete(&last).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn what_the_stream_has_forgotten_is_asked_of_the_service() {
    let mut story = Story::begin().await;
    for _ in 0..3 {
        // At work, and behind.
        let tokens = story.import(2).await;
        story.server.purge(STREAM).await;
        story.assert_complete(&tokens).await;
        // Away, and started again.
        let tokens = story.import(1).await;
        story.suite = story.suite.restart_after(async || story.server.purge(STREAM).await).await;
        story.assert_complete(&tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_suite_that_is_started_again_goes_on_where_it_was() {
    let mut story = Story::begin().await;
    for _ in 0..4 {
        let tokens = story.import(1).await;
        story.suite = story.suite.restart().await;
        story.assert_complete(&tokens).await;
    }
}
