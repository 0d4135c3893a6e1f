//! What an order is worth to either party, in exact sums and in evidence.

use contracts::common::v1::Money;
use contracts::orders::v1::Order;
use dynamics::{Signal, Worth};
use methods::money_nanos;

use crate::evidence::draft::Draft;
use crate::evidence::scale::{balance, size};

/// The margin, as a share of the price, that is half-way to the best: a quarter, ordinary for a trader.
const HALF_MARGIN: f64 = 0.25;
/// The saving, as a share of the list price, that is half-way to the best: a tenth is noticed as a bargain.
const HALF_SAVING: f64 = 0.10;
/// The discount that is half-way to the largest concession: 15 %, as a provider grants less easily than a customer takes.
const HALF_DISCOUNT: f64 = 0.15;

/// The amounts of an order, in billionths of its currency. One in another currency is as good as unknown.
pub(super) struct Amounts {
    /// What the customer pays, returns not deducted.
    pub(super) total: i128,
    /// What it would cost at list price, where that is known.
    list: Option<i128>,
    /// What it costs the provider, where that is known.
    cost: Option<i128>,
    /// What all returns together are worth.
    pub(super) returned: i128,
    /// What has been paid.
    pub(super) paid: i128,
}

impl Amounts {
    pub(super) fn of(order: &Order) -> Amounts {
        let currency = order.total.as_ref().map_or("", |total| total.currency_code.as_str());
        let amount =
            |money: &Option<Money>| money.as_ref().filter(|money| money.currency_code == currency).map(money_nanos);
        let total = amount(&order.total).unwrap_or(0);
        // Lines that add up to more than the total tell of a discount on the whole. Lines that add up to less tell of
        // freight or taxes, and nothing of the list price.
        let by_line = || {
            let lines =
                order.lines.iter().filter_map(|line| Some(amount(&line.unit_price)? * i128::from(line.quantity)));
            Some(lines.fold(0, i128::saturating_add)).filter(|sum| *sum > total)
        };
        Amounts {
            total,
            list: amount(&order.list_total).or_else(by_line),
            cost: amount(&order.cost),
            returned: order.returns.iter().filter_map(|back| amount(&back.amount)).sum(),
            paid: order.payment.as_ref().and_then(|payment| amount(&payment.paid)).unwrap_or(0),
        }
    }

    /// The exact sums. A cancelled order is worth nothing to either party.
    pub(super) fn worth(&self, cancelled: bool) -> Worth {
        if cancelled {
            return Worth::default();
        }
        let spend = self.total - self.returned;
        Worth {
            orders: 1,
            spend,
            cost_known_spend: if self.cost.is_some() { spend } else { 0 },
            margin: self.cost.map_or(0, |cost| self.total - cost),
            savings: self.list.map_or(0, |list| list - self.total),
            returned: self.returned,
        }
    }

    /// What they say of value. An amount has no scale of its own: what is large for one provider is little for another.
    /// So that revenue came is always +1, and the amount decides how much that weighs, by its digits.
    pub(super) fn draw(&self, at: i64, draft: &mut Draft) {
        draft.say(Signal::Spend, at, 1.0, size(self.total));
        if let Some(cost) = self.cost {
            let margin = if self.total > 0 {
                balance((self.total - cost) as f64 / self.total as f64, HALF_MARGIN)
            } else {
                -1.0
            };
            draft.say(Signal::Margin, at, margin, size(self.total.max(cost)));
        }
        if let Some(list) = self.list.filter(|list| *list > 0) {
            let saved = (list - self.total) as f64 / list as f64;
            draft.say(Signal::Savings, at, balance(saved, HALF_SAVING), 1.0);
            if saved > 0.0 {
                draft.say(Signal::Concession, at, balance(saved, HALF_DISCOUNT), 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Cancellation, OrderLine, OrderReturn};

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, euros, said, value};

    const NANOS: i128 = 1_000_000_000;

    fn order() -> Order {
        Order {
            place_time: day(1),
            total: euros(80.0),
            list_total: euros(100.0),
            cost: euros(60.0),
            ..Order::default()
        }
    }

    #[test]
    fn sums_are_exact_and_returns_are_deducted_from_spend_alone() {
        let back = OrderReturn { return_time: day(3), amount: euros(30.5), ..OrderReturn::default() };
        let worth = Source::from(Order { returns: vec![back], ..order() }).facts().worth;
        assert_eq!((worth.orders, worth.spend, worth.returned), (1, 49_500_000_000, 30_500_000_000));
        assert_eq!((worth.cost_known_spend, worth.margin, worth.savings), (worth.spend, 20 * NANOS, 20 * NANOS));
        let unknown = Source::from(Order { cost: None, ..order() }).facts().worth;
        assert_eq!((unknown.cost_known_spend, unknown.margin), (0, 0));
    }

    #[test]
    fn a_cancelled_order_is_worth_nothing() {
        let cancellation = Some(Cancellation { cancel_time: day(2), ..Cancellation::default() });
        let cancelled = Source::from(Order { cancellation, ..order() });
        assert_eq!(cancelled.facts().worth, Worth::default());
        assert!(cancelled.facts().order.is_some_and(|order| order.cancelled));
        assert!(said(&cancelled, Signal::Spend).is_empty());
        let before = cancelled.as_of(dynamics::DAY).unwrap();
        assert_eq!(before.facts().worth.spend, 80 * NANOS);
    }

    #[test]
    fn margin_savings_and_concession_follow_their_shares() {
        let source = Source::from(order());
        assert!((value(&source, Signal::Margin) - 0.5).abs() < 1e-9);
        assert!((value(&source, Signal::Savings) - 2.0 / 3.0).abs() < 1e-9);
        assert!(value(&source, Signal::Concession) > 0.5);
        let loss = Source::from(Order { cost: euros(90.0), list_total: euros(70.0), ..order() });
        assert!(value(&loss, Signal::Margin) < 0.0);
        assert!(value(&loss, Signal::Savings) < 0.0);
        assert!(said(&loss, Signal::Concession).is_empty());
        let gift = Source::from(Order { total: euros(0.0), ..order() });
        assert_eq!(value(&gift, Signal::Margin), -1.0);
    }

    #[test]
    fn a_larger_order_weighs_more_and_another_currency_is_unknown() {
        let weight = |total| said(&Order { total: euros(total), ..order() }.into(), Signal::Spend)[0].weight();
        assert!(weight(10.0) < weight(100.0) && weight(100.0) < weight(10_000.0));
        assert_eq!(weight(1e9), weight(1e8));
        let mut foreign = order();
        foreign.cost.as_mut().unwrap().currency_code = "USD".to_owned();
        assert!(said(&foreign.into(), Signal::Margin).is_empty());
    }

    #[test]
    fn lines_above_the_total_tell_of_a_discount() {
        let line = OrderLine { quantity: 4, unit_price: euros(25.0), ..OrderLine::default() };
        let by_line = Source::from(Order { list_total: None, lines: vec![line], ..order() });
        assert_eq!(by_line.facts().worth.savings, 20 * NANOS);
    }
}
