//! The course of an order in plain words.

use contracts::common::v1::Party;
use contracts::orders::v1::{Order, OrderChannel};

use super::{cancelled_at, micros, ordered_quantity, received_at, returned_at};
use crate::evidence::words::{amount, counted, lateness, quoted, span};
use crate::evidence::{Moment, Resource};

/// How many lines are named.
const LINES_NAMED: usize = 3;

pub(super) fn tell(order: &Order, moments: &mut Vec<Moment>) {
    moments.push(Moment::new(order.happened_at(), Party::Customer, placed(order)));
    fulfilled(order, moments);
    settled(order, moments);
}

fn placed(order: &Order) -> String {
    let what = match ordered_quantity(order) {
        0 => String::new(),
        quantity => format!(" {}", counted(quantity, "item")),
    };
    let price = order.total.as_ref().map(|total| format!(" for {}", amount(total))).unwrap_or_default();
    let by = match order.placement.unwrap_or_default().channel() {
        OrderChannel::Unspecified => "",
        OrderChannel::Web => " by web",
        OrderChannel::Phone => " by telephone",
        OrderChannel::Email => " by e-mail",
        OrderChannel::InPerson => " in person",
        OrderChannel::Electronic => " from system to system",
        OrderChannel::Letter => " by letter",
        OrderChannel::Standing => " by standing order",
    };
    let names = order.lines.iter().take(LINES_NAMED).map(|line| match line.description.as_str() {
        "" => line.product.as_str(),
        description => description,
    });
    let names: Vec<&str> = names.collect();
    format!("ordered{what}{price}{by}{}", quoted([names.join(", ").as_str()]))
}

fn fulfilled(order: &Order, moments: &mut Vec<Moment>) {
    let fulfilment = order.fulfilment.unwrap_or_default();
    let promised = micros(&fulfilment.promise_time);
    if let Some(shipped) = micros(&fulfilment.ship_time) {
        let late = promised.filter(|promised| shipped > *promised);
        let late = late.map(|promised| format!(" {}", lateness(promised, shipped))).unwrap_or_default();
        moments.push(Moment::new(shipped, Party::Provider, format!("shipped{late}")));
    }
    let delivered = micros(&fulfilment.deliver_time);
    if delivered.is_none() && fulfilment.delivered_quantity.is_none() {
        return;
    }
    let mut text = match (delivered, promised) {
        (Some(at), Some(promised)) => format!("delivered {}", lateness(promised, at)),
        (Some(at), None) => format!("delivered after {}", span(at.saturating_sub(order.happened_at()))),
        (None, _) => "delivered".to_owned(),
    };
    let missing =
        fulfilment.delivered_quantity.map_or(0, |delivered| ordered_quantity(order).saturating_sub(delivered));
    if missing > 0 {
        text.push_str(&format!(", {missing} missing"));
    }
    if let Some(damaged) = fulfilment.damaged_quantity.filter(|damaged| *damaged > 0) {
        text.push_str(&format!(", {damaged} damaged"));
    }
    if fulfilment.papers_correct == Some(false) {
        text.push_str(", with the wrong papers");
    }
    moments.push(Moment::new(received_at(order), Party::Provider, text));
}

fn settled(order: &Order, moments: &mut Vec<Moment>) {
    let payment = order.payment.clone().unwrap_or_default();
    if let Some(paid) = micros(&payment.pay_time) {
        let when = micros(&payment.due_time).map(|due| format!(" {}", lateness(due, paid))).unwrap_or_default();
        moments.push(Moment::new(paid, Party::Customer, format!("paid{when}")));
    }
    for back in &order.returns {
        let at = returned_at(order, back);
        let money = back.amount.as_ref().map(amount);
        let worth = money.as_ref().map(|money| format!(" worth {money}")).unwrap_or_default();
        let cause = match back.responsible() {
            Party::Customer => " at its own wish",
            Party::Provider => " through the provider's fault",
            Party::Unspecified => "",
        };
        let text = format!("returned goods{worth}{cause}{}", quoted([back.reason.as_str()]));
        moments.push(Moment::new(at, Party::Customer, text));
        if let Some(refunded) = micros(&back.refund_time) {
            let money = money.unwrap_or_default();
            let text = format!("refunded {money} after {}", span(refunded.saturating_sub(at)));
            moments.push(Moment::new(refunded.max(at), Party::Provider, text));
        }
    }
    if let Some((cancellation, at)) = order.cancellation.as_ref().zip(cancelled_at(order)) {
        let text = format!("cancelled the order{}", quoted([cancellation.reason.as_str()]));
        moments.push(Moment::new(at, cancellation.party(), text));
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Fulfilment, OrderLine, OrderReturn, Payment, Placement};

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, euros};

    #[test]
    fn an_order_is_told_from_the_order_to_the_refund() {
        let order = Order {
            place_time: day(1),
            total: euros(139.5),
            placement: Some(Placement { channel: OrderChannel::Web.into(), ..Placement::default() }),
            lines: vec![OrderLine { product: "mug".to_owned(), quantity: 12, ..OrderLine::default() }],
            fulfilment: Some(Fulfilment {
                promise_time: day(5),
                ship_time: day(4),
                deliver_time: day(8),
                delivered_quantity: Some(10),
                damaged_quantity: Some(1),
                papers_correct: Some(false),
                ..Fulfilment::default()
            }),
            payment: Some(Payment { due_time: day(31), pay_time: day(30), paid: None }),
            returns: vec![OrderReturn {
                return_time: day(9),
                amount: euros(11.0),
                responsible: Party::Provider.into(),
                reason: "broken".to_owned(),
                refund_time: day(14),
            }],
            ..Order::default()
        };
        let texts: Vec<_> = Source::from(order).moments().into_iter().map(|moment| moment.text).collect();
        assert_eq!(
            texts,
            [
                "ordered 12 items for 139.50 EUR by web: mug",
                "shipped",
                "delivered 3 days late, 2 missing, 1 damaged, with the wrong papers",
                "returned goods worth 11 EUR through the provider's fault: broken",
                "refunded 11 EUR after 5 days",
                "paid on time",
            ]
        );
    }
}
