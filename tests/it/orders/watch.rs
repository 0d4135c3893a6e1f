//! The feed of orders.

use std::collections::BTreeMap;

use contracts::{
    common::v1::{FeedPosition, FeedStart},
    orders::v1::*,
};
use tests::{Suite, ask, ask_as, day, refusal};
use tokio_stream::StreamExt as _;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{go, import, name, place, row, tea};
use crate::standard::{assert_invalid, assert_refused};

/// Follows the feed and keeps what came.
struct Watcher {
    stream: Streaming<WatchOrdersResponse>,
    positions: BTreeMap<u32, i64>,
}

impl Watcher {
    async fn start(suite: &Suite, tenant: &str, request: WatchOrdersRequest) -> Self {
        let stream = suite.orders().watch_orders(ask_as(tenant, request)).await.unwrap().into_inner();
        let mut watcher = Self { stream, positions: BTreeMap::new() };
        // It is told at once where it stands.
        assert_eq!(watcher.next().await.unwrap(), []);
        watcher
    }

    async fn next(&mut self) -> Result<Vec<OrdersChange>, Status> {
        let message = self.stream.next().await.expect("the feed goes on")?;
        self.positions.extend(message.changes_through.iter().map(|entry| (entry.partition, entry.position)));
        Ok(message.changes)
    }

    /// The next change; it must be alone in its transaction.
    async fn one(&mut self) -> (String, i64, OrderState) {
        let changes = self.next().await.unwrap();
        let [change] = changes.as_slice() else { panic!("not one change: {changes:?}") };
        told(change)
    }

    fn resume(&self) -> WatchOrdersRequest {
        let positions = self
            .positions
            .iter()
            .map(|(partition, position)| FeedPosition { partition: *partition, position: *position });
        WatchOrdersRequest { positions: positions.collect(), ..WatchOrdersRequest::default() }
    }
}

fn told(change: &OrdersChange) -> (String, i64, OrderState) {
    let stamp = change.stamp.as_ref().unwrap();
    let Some(orders_change::Resource::Order(order)) = &change.resource else { panic!("no order in {change:?}") };
    assert_eq!(stamp.version, order.version);
    assert_eq!(stamp.record_time, order.update_time);
    assert!(order.name.starts_with(&format!("accounts/{}/", stamp.account_id)));
    (order.name.clone(), order.version, order.state())
}

fn from(start: FeedStart) -> WatchOrdersRequest {
    WatchOrdersRequest { start: start.into(), ..WatchOrdersRequest::default() }
}

#[tokio::test]
async fn a_watcher_sees_every_change_from_the_beginning_or_from_now() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    place(&mut orders, "acme", "1", tea()).await.unwrap();
    let mut all = Watcher::start(&suite, "test", from(FeedStart::Beginning)).await;
    let mut new = Watcher::start(&suite, "test", from(FeedStart::Now)).await;
    let mut strange = Watcher::start(&suite, "stranger", from(FeedStart::Beginning)).await;
    assert_eq!(all.one().await, (name("1"), 1, OrderState::Placed));

    go!(orders, ship_order, ShipOrderRequest { name: name("1") }).unwrap();
    go!(orders, ship_order, ShipOrderRequest { name: name("1") }).unwrap_err();
    let delete = DeleteOrderRequest { name: name("1"), ..DeleteOrderRequest::default() };
    orders.delete_order(ask(delete)).await.unwrap();
    for watcher in [&mut all, &mut new] {
        assert_eq!(watcher.one().await, (name("1"), 2, OrderState::Shipped));
        let deleted = watcher.next().await.unwrap();
        let Some(orders_change::Resource::Order(order)) = &deleted[0].resource else { panic!("no order") };
        assert_eq!((order.version, order.delete_time), (3, day(0.0)));
    }

    // A batch is one transaction: one message for the changes of an account.
    let batch = ImportOrdersRequest { rows: vec![row("2", tea()), row("3", tea())], ..Default::default() };
    import(&mut orders, vec![batch]).await;
    let changes = all.next().await.unwrap();
    let told: Vec<_> = changes.iter().map(told).collect();
    assert_eq!(told, [(name("2"), 1, OrderState::Placed), (name("3"), 1, OrderState::Placed)]);
    let positions: Vec<i64> = changes.iter().map(|change| change.stamp.as_ref().unwrap().position).collect();
    assert_eq!(positions, [4, 5]);

    // Tenants do not see each other; who may sees all.
    let request = CreateOrderRequest {
        parent: "accounts/acme".to_owned(),
        order_id: "1".to_owned(),
        order: Some(tea()),
        ..CreateOrderRequest::default()
    };
    orders.create_order(ask_as("stranger", request)).await.unwrap();
    assert_eq!(strange.one().await, (name("1"), 1, OrderState::Placed));
    let mut everything = Watcher::start(&suite, "-", from(FeedStart::Beginning)).await;
    let mut tenants = Vec::new();
    while tenants.len() < 6 {
        let changes = everything.next().await.unwrap();
        tenants.extend(changes.into_iter().map(|change| change.stamp.unwrap().tenant));
    }
    tenants.sort_unstable();
    assert_eq!(tenants, ["stranger", "test", "test", "test", "test", "test"]);
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was_also_after_a_restart() {
    let suite = Suite::start().await;
    place(&mut suite.orders(), "acme", "1", tea()).await.unwrap();
    let mut watcher = Watcher::start(&suite, "test", from(FeedStart::Beginning)).await;
    watcher.one().await;
    place(&mut suite.orders(), "acme", "2", tea()).await.unwrap();
    let mut again = Watcher::start(&suite, "test", watcher.resume()).await;
    assert_eq!(again.one().await, (name("2"), 1, OrderState::Placed));

    // The server says goodbye to watchers that wait.
    suite.context.shutdown.begin();
    let goodbye = refusal(&again.next().await.unwrap_err());
    assert_eq!(goodbye, (Code::Unavailable, "ERROR_REASON_UNAVAILABLE".to_owned(), vec![]));
    let suite = suite.restart().await;
    place(&mut suite.orders(), "acme", "3", tea()).await.unwrap();
    let mut after = Watcher::start(&suite, "test", again.resume()).await;
    assert_eq!(after.one().await, (name("3"), 1, OrderState::Placed));
}

#[tokio::test]
async fn a_watcher_of_some_partitions_sees_only_these() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    place(&mut orders, "acme", "1", tea()).await.unwrap();
    let mut all = Watcher::start(&suite, "test", from(FeedStart::Beginning)).await;
    let partition = all.next().await.unwrap()[0].stamp.as_ref().unwrap().partition;
    let others: Vec<u32> = (0..64).filter(|other| *other != partition).collect();
    let request = WatchOrdersRequest { partitions: vec![partition], ..from(FeedStart::Beginning) };
    let mut this = Watcher::start(&suite, "test", request).await;
    assert_eq!(this.positions, BTreeMap::from([(partition, 0)]));
    assert_eq!(this.one().await.0, name("1"));

    let request = WatchOrdersRequest { partitions: others, ..from(FeedStart::Beginning) };
    let mut rest = Watcher::start(&suite, "test", request).await;
    assert_eq!(rest.positions.len(), 63);
    place(&mut orders, "acme", "2", tea()).await.unwrap();
    assert_eq!(this.one().await.0, name("2"));
    // Who has nothing to see hears a checkpoint now and then.
    assert_eq!(rest.next().await.unwrap(), []);
    assert_eq!(rest.positions.len(), 63);
}

#[tokio::test]
async fn a_watcher_that_asks_for_what_is_not_there_is_told() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    let position = |partition, position| vec![FeedPosition { partition, position }];
    let ahead = WatchOrdersRequest { positions: position(7, 1), ..WatchOrdersRequest::default() };
    let status = orders.watch_orders(ask(ahead)).await.map(|_| ()).unwrap_err();
    assert_eq!(refusal(&status), (Code::OutOfRange, "ERROR_REASON_FEED_POSITION_AHEAD".to_owned(), vec![]));
    let metadata = status.get_details_error_info().unwrap().metadata;
    let said = ["partition", "position", "last_position"].map(|key| metadata[key].as_str());
    assert_eq!(said, ["7", "1", "0"]);

    let wrong = WatchOrdersRequest { partitions: vec![64], start: 9, positions: position(64, -1) };
    let refused = orders.watch_orders(ask(wrong)).await.map(|_| ());
    assert_invalid(refused, &["partitions[0]", "positions[0].partition", "positions[0].position", "start"]);
    let nobody = orders.watch_orders(Request::new(from(FeedStart::Now))).await.map(|_| ());
    assert_refused(nobody, Code::InvalidArgument, "TENANT_INVALID", &["metadata.rapport-tenant"]);
}
