//! The rhythm of ordering: a summary of five numbers, and the order days that it follows from.

use crate::codec::{DecodeError, Reader, Writer};
use crate::decay::{DAY, Micros};
use crate::facts::OrderFact;

/// How often and when the customer orders. Orders of one UTC day count as one order day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub(crate) orders: u64,
    pub(crate) order_days: u64,
    pub(crate) cancelled: u64,
    /// The first and the last order day, counted from the Unix epoch.
    pub(crate) span: Option<(i64, i64)>,
}

/// A UTC day with at least one order that was not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderDay {
    /// Days since the Unix epoch.
    pub day: i64,
    /// Such orders, at least 1.
    pub orders: u64,
    /// What the customer spent on them, returns deducted, in billionths of the account's currency.
    pub spend: i128,
}

/// The order days, so that an order may come or go anywhere among the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderDays {
    pub(crate) cancelled: u64,
    /// How many orders that were not cancelled.
    orders: u64,
    /// In order of time.
    days: Vec<OrderDay>,
}

impl Activity {
    /// Orders that were not cancelled.
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// UTC days with at least one such order.
    pub fn order_days(&self) -> u64 {
        self.order_days
    }

    /// Orders that were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// The start of the first order day.
    pub fn first_at(&self) -> Option<Micros> {
        self.span.map(|(first, _)| first.saturating_mul(DAY))
    }

    /// The start of the last order day.
    pub fn last_at(&self) -> Option<Micros> {
        self.span.map(|(_, last)| last.saturating_mul(DAY))
    }

    /// The mean number of days between order days, at least 1; none before the second.
    pub fn typical_gap_days(&self) -> Option<f64> {
        let (first, last) = self.span?;
        if self.order_days < 2 {
            return None;
        }
        let span = last as f64 - first as f64;
        Some((span / (self.order_days - 1) as f64).max(1.0))
    }

    /// Days of silence at `now`, counted from the end of the last order day; at least 0.
    pub fn silence_days(&self, now: Micros) -> Option<f64> {
        let (_, last) = self.span?;
        Some((now as f64 / DAY as f64 - (last as f64 + 1.0)).max(0.0))
    }
}

impl OrderDays {
    /// All of them, in order of time.
    pub(crate) fn all(&self) -> &[OrderDay] {
        &self.days
    }

    /// Takes in an order, on which so much was spent.
    pub(crate) fn add(&mut self, order: OrderFact, spend: i128) {
        if order.cancelled {
            self.cancelled = self.cancelled.saturating_add(1);
            return;
        }
        self.orders = self.orders.saturating_add(1);
        let day = day_of(order.at);
        match self.place(day) {
            Ok(place) => {
                let found = &mut self.days[place];
                found.orders = found.orders.saturating_add(1);
                found.spend = found.spend.wrapping_add(spend);
            }
            Err(place) => self.days.insert(place, OrderDay { day, orders: 1, spend }),
        }
    }

    /// Takes back an order that was added.
    pub(crate) fn remove(&mut self, order: OrderFact, spend: i128) {
        if order.cancelled {
            self.cancelled = self.cancelled.saturating_sub(1);
            return;
        }
        let Ok(place) = self.place(day_of(order.at)) else { return };
        self.orders = self.orders.saturating_sub(1);
        let found = &mut self.days[place];
        found.orders -= 1;
        found.spend = found.spend.wrapping_sub(spend);
        if found.orders == 0 {
            self.days.remove(place);
        }
    }

    /// What is known of the rhythm.
    pub(crate) fn summary(&self) -> Activity {
        let first = self.days.first();
        Activity {
            orders: self.orders,
            order_days: self.days.len() as u64,
            cancelled: self.cancelled,
            span: first.zip(self.days.last()).map(|(first, last)| (first.day, last.day)),
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.unsigned(self.cancelled.into());
        out.unsigned(self.days.len() as u128);
        let mut before = None;
        for OrderDay { day, orders, spend } in &self.days {
            match before {
                None => out.signed((*day).into()),
                Some(before) => out.unsigned(day.abs_diff(before).into()),
            }
            out.unsigned((*orders).into());
            write_amount(out, *spend);
            before = Some(*day);
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<OrderDays, DecodeError> {
        const OUT_OF_RANGE: DecodeError = DecodeError::OutOfRange("an order day");
        let cancelled = input.count("a count")?;
        let length: usize = input.count("a count")?;
        // A day takes three bytes or more.
        let mut read = OrderDays { cancelled, orders: 0, days: Vec::with_capacity(length.min(input.left() / 3)) };
        for _ in 0..length {
            let day = match read.days.last() {
                None => input.integer("an order day")?,
                Some(before) => {
                    let gap: u64 = input.count("an order day")?;
                    before.day.checked_add_unsigned(gap).filter(|_| gap > 0).ok_or(OUT_OF_RANGE)?
                }
            };
            let orders: u64 = input.count("a count")?;
            read.orders = read.orders.checked_add(orders).filter(|_| orders > 0).ok_or(OUT_OF_RANGE)?;
            read.days.push(OrderDay { day, orders, spend: read_amount(input)? });
        }
        Ok(read)
    }

    /// Where a day is, or would be.
    fn place(&self, day: i64) -> Result<usize, usize> {
        // Most orders come last.
        match self.days.last() {
            Some(last) if last.day < day => Err(self.days.len()),
            _ => self.days.binary_search_by_key(&day, |found| found.day),
        }
    }
}

/// A hundredth, in billionths: what nearly all amounts are multiples of.
const CENT: i64 = 10_000_000;

/// Writes an amount: twice its hundredths where it is a whole number of them, which is two or three bytes; else 1 and its
/// billionths.
fn write_amount(out: &mut Writer, amount: i128) {
    match i64::try_from(amount).ok().filter(|short| short % CENT == 0) {
        Some(short) => out.signed(i128::from(short / CENT) * 2),
        None => {
            out.signed(1);
            out.signed(amount);
        }
    }
}

fn read_amount(input: &mut Reader<'_>) -> Result<i128, DecodeError> {
    const OUT_OF_RANGE: DecodeError = DecodeError::OutOfRange("an amount");
    match input.signed()? {
        1 => {
            let amount = input.signed()?;
            let is_short = i64::try_from(amount).is_ok_and(|short| short % CENT == 0);
            if is_short { Err(OUT_OF_RANGE) } else { Ok(amount) }
        }
        cents if cents % 2 == 0 => {
            let amount = (cents / 2).checked_mul(CENT.into()).filter(|amount| i64::try_from(*amount).is_ok());
            amount.ok_or(OUT_OF_RANGE)
        }
        _ => Err(OUT_OF_RANGE),
    }
}

fn day_of(at: Micros) -> i64 {
    at.div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: i64) -> OrderFact {
        OrderFact { at: day * DAY + 7, cancelled: false }
    }

    fn days(all: &[i64]) -> OrderDays {
        let mut days = OrderDays::default();
        all.iter().for_each(|day| days.add(on(*day), i128::from(*day)));
        days
    }

    #[test]
    fn orders_come_and_go_anywhere() {
        let two = days(&[10, 20]).summary();
        assert_eq!(two.typical_gap_days(), Some(10.0));
        assert_eq!((two.orders, two.order_days, two.span), (2, 2, Some((10, 20))));
        let mut many = days(&[20, 5, 15, 15, 10]);
        assert_eq!(many, days(&[5, 10, 15, 15, 20]));
        assert_eq!((many.summary().orders, many.summary().order_days), (5, 4));
        assert_eq!(many.all()[2], OrderDay { day: 15, orders: 2, spend: 30 });
        many.add(OrderFact { cancelled: true, ..on(1) }, 0);
        for day in [15, 20, 15, 5] {
            many.remove(on(day), i128::from(day));
        }
        assert_eq!(many.summary(), Activity { orders: 1, order_days: 1, cancelled: 1, span: Some((10, 10)) });
        assert_eq!(many.all(), [OrderDay { day: 10, orders: 1, spend: 10 }]);
        many.remove(OrderFact { cancelled: true, ..on(99) }, 0);
        many.remove(on(10), 10);
        assert_eq!(many, OrderDays::default());
    }

    #[test]
    fn amounts_come_back_and_have_one_form_each() {
        let cent = i128::from(CENT);
        for amount in [0, 1, -1, cent, -cent, 1_550 * cent, 1_550 * cent + 1, i128::MAX, i128::MIN, i64::MAX.into()] {
            let mut out = Writer::new(1);
            write_amount(&mut out, amount);
            let bytes = out.finish();
            let mut input = Reader::new(&bytes, 1).unwrap();
            assert_eq!((read_amount(&mut input), input.left()), (Ok(amount), 0));
        }
        let mut out = Writer::new(1);
        write_amount(&mut out, 1_550 * cent);
        assert_eq!(out.finish().len(), 3, "the version, and two bytes");
        for wrong in [3, -1, i128::MAX - 1] {
            let mut out = Writer::new(1);
            out.signed(wrong);
            assert!(read_amount(&mut Reader::new(&out.finish(), 1).unwrap()).is_err());
        }
    }

    #[test]
    fn silence_starts_when_the_order_day_ends() {
        let one = days(&[10]).summary();
        assert_eq!(one.silence_days(10 * DAY + 9), Some(0.0));
        assert_eq!(one.silence_days(13 * DAY), Some(2.0));
        assert_eq!(one.typical_gap_days(), None);
    }
}
