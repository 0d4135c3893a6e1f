use prost::Message;

use super::*;
use crate::import::Kind;

fn filled(kind: Kind, cells: &[(&str, &str)]) -> Result<Row, (String, String)> {
    let resource = kind.resource();
    let mut draft = Draft::new(resource);
    for (name, text) in cells {
        draft.put(&resource.target(name).expect("a known name"), text, name);
    }
    draft.finish()
}

fn order(cells: &[(&str, &str)]) -> contracts::orders::v1::Order {
    let row = filled(Kind::Orders, cells).expect("a good row");
    let row = contracts::orders::v1::OrdersRow::decode(row.bytes.as_slice()).expect("a row of the contract");
    let Some(contracts::orders::v1::orders_row::Resource::Order(order)) = row.resource else { panic!("not an order") };
    order
}

#[test]
fn a_flat_order_becomes_an_order_of_the_contract() {
    let order = order(&[
        ("order_id", "o-1"),
        ("account_id", "acme"),
        ("currency", "EUR"),
        ("placed_at", "2026-03-01"),
        ("total", "12.34"),
        ("channel", "E-mail"),
        ("corrections", "0"),
        ("quantity_damaged", ""),
        ("paid_at", "2026-03-02"),
        ("cancelled_at", "2026-03-03T00:00:00Z"),
        ("cancelled_by", "provider"),
        ("returned_at", "2026-03-04"),
        ("returned_total", "2.34"),
        ("returned_because", "Customer: too small"),
    ]);
    assert_eq!(order.name, "accounts/acme/orders/o-1");
    let total = order.total.expect("a total");
    assert_eq!((total.currency_code.as_str(), total.units, total.nanos), ("EUR", 12, 340_000_000));
    let placement = order.placement.expect("a placement");
    assert_eq!((placement.channel, placement.corrections), (3, Some(0)));
    assert!(order.fulfilment.is_none(), "an empty cell says nothing");
    assert_eq!(order.payment.expect("a payment").paid, Some(total));
    assert_eq!(order.cancellation.expect("a cancellation").party, 2);
    assert_eq!(order.returns.len(), 1);
    assert_eq!((order.returns[0].responsible, order.returns[0].reason.as_str()), (1, "too small"));
}

#[test]
fn references_and_scales_of_feedback_are_read() {
    let row = filled(
        Kind::Feedback,
        &[
            ("account_id", "acme"),
            ("feedback_id", "f-1"),
            ("at", "2026-03-01"),
            ("kind", "nps"),
            ("score", "9"),
            ("scale", "0-10"),
            ("about", "order:o-1"),
            ("contact", "ann"),
        ],
    );
    let row = row.expect("a good row");
    let row = contracts::feedback::v1::FeedbackRow::decode(row.bytes.as_slice()).expect("a row");
    let Some(contracts::feedback::v1::feedback_row::Resource::Feedback(feedback)) = row.resource else {
        panic!("not feedback")
    };
    assert_eq!(feedback.scale.map(|scale| (scale.min, scale.max)), Some((0.0, 10.0)));
    let about = feedback.about.expect("a subject");
    assert_eq!((about.subject, about.reference.as_str()), (2, "accounts/acme/orders/o-1"));
    assert_eq!(feedback.contact, "accounts/acme/contacts/ann");
}

#[test]
fn everything_wrong_with_a_row_is_said_at_once() {
    let (name, message) = filled(
        Kind::Orders,
        &[("account_id", "acme"), ("order_id", "o 1"), ("currency", "EUR"), ("placed_at", "soon"), ("total", "1.2.3")],
    )
    .expect_err("a bad row");
    assert_eq!(name, "accounts/acme/orders/");
    for part in ["order_id: `o 1` cannot be an id", "placed_at: `soon`", "total: `1.2.3`"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn scales_may_begin_below_zero() {
    assert_eq!(scale("-5-5"), Ok(("-5", "5")));
    assert_eq!(scale("1-5"), Ok(("1", "5")));
    for wrong in ["", "5", "-5", "a-b", "1-"] {
        assert!(scale(wrong).is_err(), "{wrong}");
    }
}
