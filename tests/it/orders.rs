//! What is ordered, delivered, paid and returned.

mod currency;
mod import;
mod transitions;
mod watch;

use contracts::{
    common::v1::{Money, Party},
    orders::v1::{orders_service_client::OrdersServiceClient, *},
};
use prost_types::{FieldMask, Timestamp};
use runtime::Peer;
use tests::{Suite, ask, day, refusal};
use tokio_stream::{StreamExt as _, iter};
use tonic::{Code, Status};

use crate::standard::{Sample, assert_invalid, assert_refused, standard, standard_stories};

type Client = OrdersServiceClient<Peer>;

standard! {
    Orders(OrdersServiceClient, orders) of Order as order in "accounts/acme", "orders" {
        create_order(CreateOrderRequest { order_id, parent }),
        get_order(GetOrderRequest),
        batch_get_orders(BatchGetOrdersRequest) -> orders,
        list_orders(ListOrdersRequest),
        update_order(UpdateOrderRequest),
        delete_order(DeleteOrderRequest),
        undelete_order(UndeleteOrderRequest),
    }
}

impl Sample for Orders {
    fn sample() -> Order {
        tea()
    }

    fn spoilt() -> (Order, Vec<&'static str>) {
        let order = Order {
            place_time: None,
            total: Some(Money { currency_code: "euro".to_owned(), units: 1, nanos: -1 }),
            list_total: euros(-1),
            cost: Some(Money { currency_code: "USD".to_owned(), ..Money::default() }),
            lines: vec![OrderLine { quantity: -1, description: "x".repeat(513), ..OrderLine::default() }],
            placement: Some(Placement { channel: 8, attempts: 1_001, corrections: Some(-1), ..Placement::default() }),
            fulfilment: Some(Fulfilment {
                ship_time: day(2.0),
                deliver_time: day(1.0),
                ordered_quantity: -1,
                delivered_quantity: Some(-1),
                damaged_quantity: Some(-1),
                ..Fulfilment::default()
            }),
            returns: vec![OrderReturn::default()],
            ..Order::default()
        };
        let blamed = vec![
            "place_time",
            "total.currency_code",
            "total.nanos",
            "list_total",
            "list_total.currency_code",
            "cost.currency_code",
            "lines[0].product",
            "lines[0].description",
            "lines[0].quantity",
            "lines[0].unit_price",
            "placement.channel",
            "placement.attempts",
            "placement.corrections",
            "fulfilment.deliver_time",
            "fulfilment.ordered_quantity",
            "fulfilment.delivered_quantity",
            "fulfilment.damaged_quantity",
            "returns[0].amount",
            "returns[0].responsible",
            "returns[0].return_time",
        ];
        (order, blamed)
    }

    fn change(order: &mut Order) -> &'static str {
        order.priority = true;
        "priority"
    }
}

standard_stories!(standard_methods of Orders);

fn money(currency_code: &str, units: i64) -> Option<Money> {
    Some(Money { currency_code: currency_code.to_owned(), units, nanos: 0 })
}

fn euros(units: i64) -> Option<Money> {
    money("EUR", units)
}

/// Ten boxes of tea for 50 euros.
fn tea() -> Order {
    Order {
        place_time: day(0.0),
        total: euros(50),
        lines: vec![OrderLine {
            product: "tea".to_owned(),
            description: "a box of tea".to_owned(),
            quantity: 10,
            unit_price: euros(5),
        }],
        placement: Some(Placement {
            channel: OrderChannel::Phone.into(),
            attempts: 2,
            corrections: Some(0),
            start_time: day(-0.1),
        }),
        fulfilment: Some(Fulfilment { promise_time: day(3.0), ..Fulfilment::default() }),
        payment: Some(Payment { due_time: day(30.0), ..Payment::default() }),
        ..Order::default()
    }
}

fn name(id: &str) -> String {
    format!("accounts/acme/orders/{id}")
}

fn row(id: &str, order: Order) -> OrdersRow {
    OrdersRow { resource: Some(orders_row::Resource::Order(Order { name: name(id), ..order })) }
}

fn came_back(days: f64, units: i64) -> OrderReturn {
    OrderReturn {
        return_time: day(days),
        amount: euros(units),
        responsible: Party::Provider.into(),
        reason: "damp".to_owned(),
        refund_time: None,
    }
}

fn by_customer() -> Cancellation {
    Cancellation { party: Party::Customer.into(), reason: "too late".to_owned(), ..Cancellation::default() }
}

async fn place(orders: &mut Client, account: &str, id: &str, order: Order) -> Result<Order, Status> {
    let request = CreateOrderRequest {
        parent: format!("accounts/{account}"),
        order_id: id.to_owned(),
        order: Some(order),
        ..CreateOrderRequest::default()
    };
    Ok(orders.create_order(ask(request)).await?.into_inner().order.unwrap())
}

/// A time that no clock shows.
fn no_time() -> Option<Timestamp> {
    Some(Timestamp { seconds: -1, nanos: 0 })
}

/// Calls a transition with the fields given; answers with the order as it is then.
macro_rules! go {
    ($client:expr, $method:ident, $request:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        $client
            .$method(ask(#[allow(clippy::needless_update, reason = "some name all fields")] $request {
                $($field $(: $value)?,)*
                ..$request::default()
            }))
            .await
            .map(|answer| {
                let answer = answer.into_inner();
                assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
                answer.order.unwrap()
            })
    };
}
use go;

fn dollars(order: Order) -> Order {
    Order { total: money("USD", 50), lines: vec![], ..order }
}

async fn import(orders: &mut Client, batches: Vec<ImportOrdersRequest>) -> Vec<Result<ImportOrdersResponse, Status>> {
    orders.import_orders(ask(iter(batches))).await.unwrap().into_inner().collect().await
}

#[tokio::test]
async fn an_update_keeps_what_was_paid_and_counts_new_lines() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    place(&mut orders, "acme", "1", tea()).await.unwrap();
    go!(orders, pay_order, PayOrderRequest { name: name("1"), pay_time: day(1.0) }).unwrap();
    let update = |order: Order, paths: &[&str]| UpdateOrderRequest {
        order: Some(Order { name: name("1"), ..order }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        ..UpdateOrderRequest::default()
    };
    let grown = Order {
        total: euros(60),
        lines: vec![OrderLine { quantity: 12, ..tea().lines[0].clone() }],
        payment: Some(Payment { due_time: day(60.0), paid: euros(1), ..Payment::default() }),
        ..Order::default()
    };
    let order = orders.update_order(ask(update(grown, &["total", "lines", "payment"]))).await;
    let order = order.unwrap().into_inner().order.unwrap();
    assert_eq!(order.fulfilment.unwrap().ordered_quantity, 12);
    let open_again = Payment { due_time: day(60.0), paid: euros(50), pay_time: None };
    assert_eq!(order.payment, Some(open_again));

    let refused = orders.update_order(ask(update(Order::default(), &["payment.paid", "state", "cancellation"]))).await;
    assert_invalid(refused, &["update_mask"; 3]);
    let refused = orders.update_order(ask(update(Order { total: euros(49), ..Order::default() }, &["total"]))).await;
    assert_invalid(refused, &["order.payment.paid"]);
}

#[tokio::test]
async fn a_list_has_only_orders_of_its_state_and_time() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    for (id, days) in [("1", 1.0), ("2", 2.0), ("3", 3.0), ("4", 4.0)] {
        let order = Order { place_time: day(days), payment: None, ..tea() };
        place(&mut orders, "acme", id, order).await.unwrap();
    }
    for id in ["2", "3"] {
        go!(orders, ship_order, ShipOrderRequest { name: name(id), ship_time: day(5.0) }).unwrap();
    }
    let all = ListOrdersRequest { parent: "accounts/acme".to_owned(), ..ListOrdersRequest::default() };
    let state = |state: OrderState| ListOrdersRequest { state: state.into(), ..all.clone() };
    let between = |from, before| ListOrdersRequest { place_time_from: from, place_time_before: before, ..all.clone() };
    let cases = [
        (all.clone(), "1 2 3 4"),
        (state(OrderState::Shipped), "2 3"),
        (state(OrderState::Placed), "1 4"),
        (state(OrderState::Returned), ""),
        (between(day(2.0), None), "2 3 4"),
        (between(None, day(2.0)), "1"),
        (between(day(2.0), day(4.0)), "2 3"),
        (ListOrdersRequest { state: OrderState::Placed.into(), ..between(day(2.0), None) }, "4"),
    ];
    for (request, wanted) in cases {
        let listed = orders.list_orders(ask(request)).await.unwrap().into_inner().orders;
        let ids: Vec<&str> = listed.iter().map(|order| &order.name["accounts/acme/orders/".len()..]).collect();
        assert_eq!(ids.join(" "), wanted);
    }

    // A token belongs to its filter.
    let shipped = ListOrdersRequest { page_size: 1, ..state(OrderState::Shipped) };
    let page_token = orders.list_orders(ask(shipped.clone())).await.unwrap().into_inner().next_page_token;
    let next = ListOrdersRequest { page_token: page_token.clone(), ..shipped };
    assert_eq!(orders.list_orders(ask(next)).await.unwrap().into_inner().orders[0].name, name("3"));
    let other = orders.list_orders(ask(ListOrdersRequest { page_token, ..state(OrderState::Placed) })).await;
    assert_refused(other, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    let never = orders.list_orders(ask(between(no_time(), no_time()))).await;
    assert_invalid(never, &["place_time_from", "place_time_before"]);
}

#[tokio::test]
async fn thousands_of_wrong_lines_are_still_answered() {
    let suite = Suite::start().await;
    let order = Order { lines: vec![OrderLine::default(); 2_000], ..tea() };
    let status = place(&mut suite.orders(), "acme", "1", order).await.unwrap_err();
    let (code, reason, fields) = refusal(&status);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "ERROR_REASON_INVALID_FIELDS"));
    assert_eq!(fields[0], "order.lines[0].product");

    let mut batch = ImportOrdersRequest { rows: vec![], ..Default::default() };
    for id in 0..1_000 {
        let lines = vec![OrderLine::default(); 100];
        batch.rows.push(row(&id.to_string(), Order { lines, ..tea() }));
    }
    let answers = import(&mut suite.orders(), vec![batch]).await;
    assert_eq!(answers[0].as_ref().unwrap().refusals.len(), 1_000);
}
