//! The rhythm of ordering, in a summary of five numbers.

use std::collections::BTreeMap;

use crate::decay::{DAY, Micros};
use crate::facts::OrderFact;

/// How often and when the customer orders. Orders of one UTC day count as one order day.
///
/// A summary cannot forget or learn every day: it says so, and the caller folds anew. New orders
/// come last in practice, so that is rare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub(crate) orders: u64,
    pub(crate) order_days: u64,
    pub(crate) cancelled: u64,
    /// The first and the last order day, counted from the Unix epoch.
    pub(crate) span: Option<(i64, i64)>,
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

    /// The summary of these orders, in whatever order they come.
    pub(crate) fn of(orders: impl Iterator<Item = OrderFact>) -> Activity {
        let mut activity = Activity::default();
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for order in orders {
            if order.cancelled {
                activity.cancelled += 1;
            } else {
                *days.entry(day_of(order.at)).or_default() += 1;
            }
        }
        activity.orders = days.values().sum();
        activity.order_days = days.len() as u64;
        let first = days.first_key_value();
        activity.span = first.zip(days.last_key_value()).map(|((first, _), (last, _))| (*first, *last));
        activity
    }

    /// The summary after an order's facts changed, or none when it does not follow from the
    /// summary alone.
    pub(crate) fn replaced(self, old: Option<OrderFact>, new: Option<OrderFact>) -> Option<Activity> {
        if old.map(essence) == new.map(essence) {
            return Some(self);
        }
        let mut activity = self;
        if let Some(order) = old {
            activity = activity.without(order)?;
        }
        if let Some(order) = new {
            activity = activity.with(order)?;
        }
        Some(activity)
    }

    fn with(mut self, order: OrderFact) -> Option<Activity> {
        if order.cancelled {
            self.cancelled = self.cancelled.checked_add(1)?;
            return Some(self);
        }
        let day = day_of(order.at);
        let (first, last) = self.span.unwrap_or((day, day));
        let is_new_day = self.span.is_none() || day < first || day > last;
        if !is_new_day && day != first && day != last {
            return None; // Whether that day already had an order is not known here.
        }
        self.orders = self.orders.checked_add(1)?;
        self.order_days = self.order_days.checked_add(u64::from(is_new_day))?;
        self.span = Some((first.min(day), last.max(day)));
        Some(self)
    }

    fn without(mut self, order: OrderFact) -> Option<Activity> {
        if order.cancelled {
            self.cancelled = self.cancelled.checked_sub(1)?;
            return Some(self);
        }
        let day = day_of(order.at);
        let (first, last) = self.span?;
        if self.orders == 1 && first == day && last == day {
            return Some(Activity { cancelled: self.cancelled, ..Activity::default() });
        }
        // Where every order has a day of its own, one from the middle takes just its day along.
        let inside = first < day && day < last;
        if inside && self.orders == self.order_days && self.orders > 2 {
            self.orders -= 1;
            self.order_days -= 1;
            return Some(self);
        }
        // Where all orders fall on one day, that day stays.
        if first == last && day == first && self.order_days == 1 {
            self.orders = self.orders.checked_sub(1)?;
            return Some(self);
        }
        None
    }
}

/// What of an order the summary can see.
fn essence(order: OrderFact) -> Option<i64> {
    (!order.cancelled).then(|| day_of(order.at))
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

    #[test]
    fn orders_at_either_end_are_added_and_others_ask_for_a_rebuild() {
        let two = Activity::of([on(10), on(20)].into_iter());
        assert_eq!(two.typical_gap_days(), Some(10.0));
        assert_eq!(two.with(on(30)), Some(Activity::of([on(10), on(20), on(30)].into_iter())));
        assert_eq!(two.with(on(5)), Some(Activity::of([on(5), on(10), on(20)].into_iter())));
        assert_eq!(two.with(on(20)), Some(Activity::of([on(10), on(20), on(20)].into_iter())));
        assert_eq!(two.with(on(15)), None);
        assert_eq!(two.without(on(20)), None);
        assert_eq!(two.replaced(Some(on(20)), Some(OrderFact { at: 20 * DAY, ..on(20) })), Some(two));
    }

    #[test]
    fn silence_starts_when_the_order_day_ends() {
        let one = Activity::of([on(10)].into_iter());
        assert_eq!(one.silence_days(10 * DAY + 9), Some(0.0));
        assert_eq!(one.silence_days(13 * DAY), Some(2.0));
        assert_eq!(one.typical_gap_days(), None);
    }
}
