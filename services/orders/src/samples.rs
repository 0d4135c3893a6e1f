//! Samples for the tests of this crate.

use contracts::{
    common::v1::{Money, Party},
    orders::v1::{Order, OrderLine, OrderReturn},
};
use methods::{Violations, from_micros};
use prost_types::Timestamp;

use crate::check;

/// So many seconds after 1970.
pub(crate) fn at(seconds: i64) -> Option<Timestamp> {
    Some(from_micros(seconds * 1_000_000))
}

/// So many euros.
pub(crate) fn euros(units: i64) -> Option<Money> {
    Some(Money { currency_code: "EUR".to_owned(), units, nanos: 0 })
}

/// A line of so many boxes of tea.
pub(crate) fn line(quantity: i64) -> OrderLine {
    OrderLine { product: "tea".to_owned(), quantity, unit_price: euros(5), ..OrderLine::default() }
}

/// A return at a time, worth so many euros.
pub(crate) fn came_back(seconds: i64, units: i64) -> OrderReturn {
    OrderReturn {
        return_time: at(seconds),
        amount: euros(units),
        responsible: Party::Customer.into(),
        ..OrderReturn::default()
    }
}

/// An order of 10 euros, placed at 100 seconds.
pub(crate) fn order() -> Order {
    Order { place_time: at(100), total: euros(10), ..Order::default() }
}

/// The fields of an order that are wrong.
pub(crate) fn violated(order: &Order) -> Vec<String> {
    let mut violations = Violations::default();
    check::order(order, &mut violations);
    let refused = violations.finish().err();
    refused.map_or(vec![], |fault| fault.violations().iter().map(|violation| violation.field.clone()).collect())
}
