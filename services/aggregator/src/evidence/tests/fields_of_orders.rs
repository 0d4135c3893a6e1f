//! The same as in `fields.rs`, for orders.

use contracts::common::v1::Party;
use contracts::orders::v1::{
    Cancellation, Fulfilment, Order, OrderChannel, OrderLine, OrderReturn, Payment, Placement,
};

use super::fields::{OF_THE_RECORD, assert_all, changed};
use super::{day, euros};

fn order() -> Order {
    Order {
        place_time: day(10),
        total: euros(100.0),
        lines: vec![OrderLine {
            product: "mug".to_owned(),
            description: String::new(),
            quantity: 4,
            unit_price: euros(30.0),
        }],
        placement: Some(Placement { attempts: 1, ..Placement::default() }),
        fulfilment: Some(Fulfilment { deliver_time: day(14), ..Fulfilment::default() }),
        payment: Some(Payment { due_time: day(40), ..Payment::default() }),
        returns: vec![OrderReturn {
            return_time: day(20),
            amount: euros(25.0),
            responsible: Party::Customer.into(),
            ..OrderReturn::default()
        }],
        ..Order::default()
    }
}

#[test]
fn of_an_order() {
    let used = changed(
        &order(),
        &[
            ("delete_time", |order| order.delete_time = day(60)),
            ("place_time", |order| order.place_time = day(9)),
            ("total", |order| order.total = euros(99.0)),
            ("list_total", |order| order.list_total = euros(150.0)),
            ("cost", |order| order.cost = euros(60.0)),
            ("lines", |order| order.lines.clear()),
            ("placement", |order| order.placement = None),
            ("fulfilment", |order| order.fulfilment = None),
            ("payment", |order| order.payment = None),
            ("returns", |order| order.returns.clear()),
            ("cancellation", |order| order.cancellation = Some(Cancellation::default())),
            ("priority", |order| order.priority = true),
        ],
    );
    assert_all("Order", used, &[OF_THE_RECORD.as_slice(), &["create_time", "state"]].concat());

    let used = changed(
        &order(),
        &[
            ("product", |order| order.lines[0].product = "cup".to_owned()),
            ("description", |order| order.lines[0].description = "a blue mug".to_owned()),
            ("quantity", |order| order.lines[0].quantity = 5),
            ("unit_price", |order| order.lines[0].unit_price = euros(40.0)),
        ],
    );
    assert_all("OrderLine", used, &[]);

    let used = changed(
        &order(),
        &[
            ("channel", |order| order.placement.as_mut().unwrap().channel = OrderChannel::Phone.into()),
            ("attempts", |order| order.placement.as_mut().unwrap().attempts = 2),
            ("corrections", |order| order.placement.as_mut().unwrap().corrections = Some(0)),
            ("start_time", |order| order.placement.as_mut().unwrap().start_time = day(9)),
        ],
    );
    assert_all("Placement", used, &[]);

    let cancelled = Order {
        cancellation: Some(Cancellation { cancel_time: day(11), party: Party::Customer.into(), reason: String::new() }),
        ..order()
    };
    let used = changed(
        &cancelled,
        &[
            ("cancel_time", |order| order.cancellation.as_mut().unwrap().cancel_time = day(12)),
            ("party", |order| order.cancellation.as_mut().unwrap().party = Party::Provider.into()),
            ("reason", |order| order.cancellation.as_mut().unwrap().reason = "too late".to_owned()),
        ],
    );
    assert_all("Cancellation", used, &[]);
}

#[test]
fn of_the_course_of_an_order() {
    let used = changed(
        &order(),
        &[
            ("promise_time", |order| order.fulfilment.as_mut().unwrap().promise_time = day(12)),
            ("ship_time", |order| order.fulfilment.as_mut().unwrap().ship_time = day(11)),
            ("deliver_time", |order| order.fulfilment.as_mut().unwrap().deliver_time = day(15)),
            ("ordered_quantity", |order| order.fulfilment.as_mut().unwrap().ordered_quantity = 7),
            ("delivered_quantity", |order| order.fulfilment.as_mut().unwrap().delivered_quantity = Some(3)),
            ("damaged_quantity", |order| order.fulfilment.as_mut().unwrap().damaged_quantity = Some(1)),
            ("papers_correct", |order| order.fulfilment.as_mut().unwrap().papers_correct = Some(true)),
        ],
    );
    assert_all("Fulfilment", used, &[]);

    let used = changed(
        &order(),
        &[
            ("due_time", |order| order.payment.as_mut().unwrap().due_time = day(41)),
            ("pay_time", |order| order.payment.as_mut().unwrap().pay_time = day(41)),
            ("paid", |order| order.payment.as_mut().unwrap().paid = euros(50.0)),
        ],
    );
    assert_all("Payment", used, &[]);

    let used = changed(
        &order(),
        &[
            ("return_time", |order| order.returns[0].return_time = day(21)),
            ("amount", |order| order.returns[0].amount = euros(26.0)),
            ("responsible", |order| order.returns[0].responsible = Party::Provider.into()),
            ("reason", |order| order.returns[0].reason = "torn".to_owned()),
            ("refund_time", |order| order.returns[0].refund_time = day(22)),
        ],
    );
    assert_all("OrderReturn", used, &[]);

    let used = changed(
        &order(),
        &[
            ("currency_code", |order| order.total.as_mut().unwrap().currency_code = "USD".to_owned()),
            ("units", |order| order.total.as_mut().unwrap().units = 101),
            ("nanos", |order| order.total.as_mut().unwrap().nanos = 1),
        ],
    );
    assert_all("Money", used, &[]);
}
