//! What happens to an order, and what cannot.

use contracts::orders::v1::*;
use tests::{Suite, ask, ask_as, day, refusal};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{by_customer, came_back, euros, go, import, name, no_time, place, row, tea};
use crate::standard::{assert_invalid, assert_not_found, assert_outdated, assert_refused, assert_state_conflict};

#[tokio::test]
async fn an_order_is_placed_shipped_delivered_paid_returned_and_refunded() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    let placed = place(&mut orders, "acme", "1", tea()).await.unwrap();
    assert_eq!(placed.state(), OrderState::Placed);
    assert_eq!(placed.fulfilment.unwrap().ordered_quantity, 10);

    let shipped = go!(orders, ship_order, ShipOrderRequest { name: name("1"), etag: placed.etag }).unwrap();
    assert_eq!((shipped.state(), shipped.version), (OrderState::Shipped, 2));
    assert_eq!(shipped.fulfilment.unwrap().ship_time, day(0.0), "now, because nobody said when");

    let delivered = go!(
        orders,
        deliver_order,
        DeliverOrderRequest {
            name: name("1"),
            deliver_time: day(2.0),
            delivered_quantity: Some(9),
            damaged_quantity: Some(1),
            papers_correct: Some(true),
        }
    )
    .unwrap();
    assert_eq!(delivered.state(), OrderState::Delivered);
    let arrived = Fulfilment {
        promise_time: day(3.0),
        ship_time: day(0.0),
        deliver_time: day(2.0),
        ordered_quantity: 10,
        delivered_quantity: Some(9),
        damaged_quantity: Some(1),
        papers_correct: Some(true),
    };
    assert_eq!(delivered.fulfilment, Some(arrived));

    let part = PayOrderRequest { name: name("1"), amount: euros(20), ..PayOrderRequest::default() };
    let part = orders.pay_order(ask(part)).await.unwrap().into_inner().order.unwrap();
    assert_eq!(part.payment, Some(Payment { due_time: day(30.0), paid: euros(20), pay_time: None }));
    let paid = go!(orders, pay_order, PayOrderRequest { name: name("1"), pay_time: day(10.0) }).unwrap();
    assert_eq!(paid.payment, Some(Payment { due_time: day(30.0), paid: euros(50), pay_time: day(10.0) }));

    let latter = Some(came_back(6.0, 5));
    let some = go!(orders, return_order, ReturnOrderRequest { name: name("1"), order_return: latter }).unwrap();
    assert_eq!(some.state(), OrderState::Delivered);
    let former = Some(came_back(5.0, 45));
    let all = go!(orders, return_order, ReturnOrderRequest { name: name("1"), order_return: former }).unwrap();
    assert_eq!(all.state(), OrderState::Returned);
    assert_eq!(all.returns, [came_back(5.0, 45), came_back(6.0, 5)], "oldest first");

    let refunded =
        go!(orders, refund_order, RefundOrderRequest { name: name("1"), return_index: 1, refund_time: day(9.0) });
    let refunded = refunded.unwrap();
    assert_eq!(refunded.returns, [came_back(5.0, 45), OrderReturn { refund_time: day(9.0), ..came_back(6.0, 5) }]);
    assert_eq!(refunded.version, 8);
    let get = GetOrderRequest { name: name("1"), show_deleted: false };
    assert_eq!(orders.get_order(ask(get)).await.unwrap().into_inner().order, Some(refunded));
}

#[tokio::test]
async fn an_order_is_cancelled_before_it_is_shipped_or_not_at_all() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    for id in ["1", "2"] {
        place(&mut orders, "acme", id, tea()).await.unwrap();
    }
    let cancellation = Some(by_customer());
    let cancel = CancelOrderRequest { name: name("1"), cancellation, ..CancelOrderRequest::default() };
    let cancelled = orders.cancel_order(ask(cancel.clone())).await.unwrap().into_inner().order.unwrap();
    assert_eq!(cancelled.state(), OrderState::Cancelled);
    assert_eq!(cancelled.cancellation, Some(Cancellation { cancel_time: day(0.0), ..by_customer() }));

    go!(orders, ship_order, ShipOrderRequest { name: name("2") }).unwrap();
    let status = orders.cancel_order(ask(CancelOrderRequest { name: name("2"), ..cancel })).await.unwrap_err();
    assert_eq!(refusal(&status).1, "ERROR_REASON_STATE_CONFLICT");
    let metadata = status.get_details_error_info().unwrap().metadata;
    assert_eq!(metadata["name"], name("2"));
    assert_eq!(metadata["state"], "ORDER_STATE_SHIPPED");
    assert_eq!(metadata["wanted"], "cancelled");
}

#[tokio::test]
async fn what_cannot_happen_to_an_order_any_more_is_refused() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    let cancelled = Order { cancellation: Some(Cancellation { cancel_time: day(1.0), ..by_customer() }), ..tea() };
    let fulfilment = Some(Fulfilment { deliver_time: day(1.0), ..Fulfilment::default() });
    let paid = Some(Payment { pay_time: day(1.0), ..Payment::default() });
    let delivered = Order { fulfilment, payment: paid, ..tea() };
    let refunded = OrderReturn { refund_time: day(2.0), ..came_back(1.0, 50) };
    let returned = Order { returns: vec![refunded], ..delivered.clone() };
    let rows = [("cancelled", cancelled), ("delivered", delivered), ("returned", returned), ("placed", tea())];
    let batch = ImportOrdersRequest { rows: rows.map(|(id, order)| row(id, order)).to_vec(), ..Default::default() };
    assert_eq!(import(&mut orders, vec![batch]).await[0].as_ref().unwrap().landed_count, 4);

    for id in ["cancelled", "delivered", "returned"] {
        assert_state_conflict(go!(orders, ship_order, ShipOrderRequest { name: name(id) }));
        assert_state_conflict(go!(orders, deliver_order, DeliverOrderRequest { name: name(id) }));
        assert_state_conflict(go!(orders, pay_order, PayOrderRequest { name: name(id) }));
        let cancellation = Some(by_customer());
        assert_state_conflict(go!(orders, cancel_order, CancelOrderRequest { name: name(id), cancellation }));
    }
    for id in ["cancelled", "returned", "placed"] {
        let order_return = Some(came_back(3.0, 1));
        assert_state_conflict(go!(orders, return_order, ReturnOrderRequest { name: name(id), order_return }));
    }
    assert_state_conflict(go!(orders, refund_order, RefundOrderRequest { name: name("returned") }));
}

/// What every transition refuses, and how each is repeated.
macro_rules! transition_stories {
    ($($story:ident: $method:ident($request:ident { $($field:ident: $value:expr),* }), wrong $wrong:expr => $fields:expr;)*) => {
        $(
            #[tokio::test]
            async fn $story() {
                let suite = Suite::start().await;
                let mut orders = suite.orders();
                let fulfilment = match stringify!($method) {
                    "return_order" | "refund_order" => Some(Fulfilment { ship_time: day(0.5), ..Fulfilment::default() }),
                    _ => None,
                };
                let returns = match stringify!($method) {
                    "refund_order" => vec![came_back(1.0, 1), came_back(2.0, 1)],
                    _ => vec![],
                };
                let order = place(&mut orders, "acme", "1", Order { fulfilment, returns, ..tea() }).await.unwrap();
                let right = $request { name: name("1"), $($field: $value,)* ..$request::default() };

                assert_not_found(orders.$method(ask($request { name: name("2"), ..right.clone() })).await);
                assert_not_found(orders.$method(ask_as("stranger", right.clone())).await);
                let etag = "0-0".to_owned();
                assert_outdated(orders.$method(ask($request { etag, ..right.clone() })).await);
                let request_id = "r".repeat(65);
                let wrong = $request { name: "1".to_owned(), request_id, ..$wrong };
                let fields: Vec<&str> = ["name", "request_id"].into_iter().chain($fields).collect();
                assert_invalid(orders.$method(ask(wrong)).await, &fields);

                let request_id = "r_1".to_owned();
                let right = $request { etag: order.etag, request_id, ..right };
                let done = orders.$method(ask(right.clone())).await.unwrap().into_inner();
                assert_eq!(done.order.as_ref().unwrap().version, 2);
                assert_eq!(orders.$method(ask(right.clone())).await.unwrap().into_inner(), done, "a retry");
                let other = $request { etag: String::new(), ..right };
                let reused = orders.$method(ask(other)).await;
                assert_refused(reused, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
            }
        )*
    };
}

transition_stories! {
    a_shipment_is_recorded_once_and_for_the_version_it_was_meant_for:
        ship_order(ShipOrderRequest { ship_time: day(1.0) }),
        wrong ShipOrderRequest { ship_time: no_time(), ..ShipOrderRequest::default() } => ["ship_time"];
    a_delivery_is_recorded_once_and_for_the_version_it_was_meant_for:
        deliver_order(DeliverOrderRequest { deliver_time: day(1.0) }),
        wrong DeliverOrderRequest {
            deliver_time: no_time(),
            delivered_quantity: Some(1),
            damaged_quantity: Some(2),
            ..DeliverOrderRequest::default()
        } => ["deliver_time", "damaged_quantity"];
    a_payment_is_recorded_once_and_for_the_version_it_was_meant_for:
        pay_order(PayOrderRequest { amount: euros(20) }),
        wrong PayOrderRequest { pay_time: no_time(), amount: euros(-1), ..PayOrderRequest::default() }
            => ["pay_time", "amount"];
    a_return_is_recorded_once_and_for_the_version_it_was_meant_for:
        return_order(ReturnOrderRequest { order_return: Some(came_back(1.0, 1)) }),
        wrong ReturnOrderRequest { order_return: Some(OrderReturn { return_time: no_time(), ..OrderReturn::default() }), ..ReturnOrderRequest::default() }
            => ["order_return.return_time", "order_return.amount", "order_return.responsible"];
    a_refund_is_recorded_once_and_for_the_version_it_was_meant_for:
        refund_order(RefundOrderRequest { return_index: 1 }),
        wrong RefundOrderRequest { return_index: -1, refund_time: no_time(), ..RefundOrderRequest::default() }
            => ["return_index", "refund_time"];
    a_cancellation_is_recorded_once_and_for_the_version_it_was_meant_for:
        cancel_order(CancelOrderRequest { cancellation: Some(by_customer()) }),
        wrong CancelOrderRequest { cancellation: Some(Cancellation { party: 3, reason: "x".repeat(1_025), ..Cancellation::default() }), ..CancelOrderRequest::default() }
            => ["cancellation.party", "cancellation.reason"];
}

#[tokio::test]
async fn no_more_is_paid_or_comes_back_than_was_ordered() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    place(&mut orders, "acme", "1", tea()).await.unwrap();
    let amount = euros(51);
    assert_invalid(go!(orders, pay_order, PayOrderRequest { name: name("1"), amount }), &["amount"]);
    go!(orders, ship_order, ShipOrderRequest { name: name("1"), ship_time: day(1.0) }).unwrap();
    let early = go!(orders, deliver_order, DeliverOrderRequest { name: name("1"), deliver_time: day(0.9) });
    assert_invalid(early, &["deliver_time"]);
    for (order_return, field) in [(came_back(1.0, 51), "amount"), (came_back(-1.0, 1), "return_time")] {
        let order_return = Some(order_return);
        let refused = go!(orders, return_order, ReturnOrderRequest { name: name("1"), order_return });
        assert_invalid(refused, &[&format!("order_return.{field}")]);
    }
    assert_invalid(go!(orders, refund_order, RefundOrderRequest { name: name("1") }), &["return_index"]);
}
