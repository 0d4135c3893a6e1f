//! What the tests of all kinds of resources share, and the rules that hold for every kind.

mod fields;
mod fields_of_orders;
mod properties;
pub(crate) mod resources;

use contracts::common::v1::Money;
use dynamics::{DAY, Evidence, Pending, Signal, Topic};
use prost_types::Timestamp;

use super::Source;

/// The start of a day, counted from 1970.
pub(super) fn day(day: i64) -> Option<Timestamp> {
    Some(methods::from_micros(day * DAY))
}

/// A moment within a day, counted in days from 1970.
pub(super) fn moment(day: f64) -> Option<Timestamp> {
    Some(methods::from_micros((day * DAY as f64) as i64))
}

/// An amount in euros.
pub(super) fn euros(amount: f64) -> Option<Money> {
    let (units, nanos) = (amount.trunc() as i64, (amount.fract() * 1e9).round() as i32);
    Some(Money { currency_code: "EUR".to_owned(), units, nanos })
}

/// What a source says of one signal, in its own order.
pub(super) fn said(source: &Source, signal: Signal) -> Vec<Evidence> {
    let is_of_signal = |fact: &Evidence| fact.topic() == Topic::Signal(signal);
    source.facts().evidence.into_iter().filter(is_of_signal).collect()
}

/// The value of the first thing that a source says of a signal.
pub(super) fn value(source: &Source, signal: Signal) -> f64 {
    said(source, signal).first().unwrap_or_else(|| panic!("nothing is said of {signal}")).value()
}

/// The value of the last thing that a source says of a signal: what became of it, where being an occasion says something
/// too.
pub(super) fn last_value(source: &Source, signal: Signal) -> f64 {
    said(source, signal).last().unwrap_or_else(|| panic!("nothing is said of {signal}")).value()
}

/// Weight times value of all that a source says of a signal.
pub(super) fn net(source: &Source, signal: Signal) -> f64 {
    said(source, signal).iter().map(|fact| fact.weight() * fact.value()).sum()
}

/// What is owed or open.
pub(super) fn pending(source: &Source) -> Vec<Pending> {
    source.facts().pending
}

/// The only one of its list.
pub(super) fn only<T>(source: &Source, list: impl Fn(&Source) -> Vec<T>) -> T {
    let mut items = list(source);
    assert_eq!(items.len(), 1);
    items.remove(0)
}
