//! What can happen to an order, and when: functions from values to values.

use contracts::{
    common::v1::{ErrorReason, Money},
    orders::v1::{Cancellation, Order, OrderReturn, OrderState},
};
use methods::{Violations, from_micros, money_nanos, state_conflict};
use prost_types::Timestamp;
use runtime::{Fault, Violation};

use crate::{
    check, currency,
    order::{currency_code, paid, returned, total},
};

const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// How an order arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// When; now if unset.
    pub(crate) deliver_time: Option<Timestamp>,
    /// How many units; all if unset.
    pub(crate) delivered_quantity: Option<i64>,
    /// How many of those were damaged; none if unset.
    pub(crate) damaged_quantity: Option<i64>,
    /// Whether the papers were right, if known.
    pub(crate) papers_correct: Option<bool>,
}

/// Records that the order left.
pub(crate) fn ship(order: &mut Order, ship_time: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect(order, &[OrderState::Placed], "shipped")?;
    order.fulfilment.get_or_insert_default().ship_time = Some(ship_time.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Records that the order arrived.
pub(crate) fn deliver(order: &mut Order, arrival: Arrival, now: i64) -> Result<(), Fault> {
    expect(order, &[OrderState::Placed, OrderState::Shipped], "delivered")?;
    let fulfilment = order.fulfilment.get_or_insert_default();
    let deliver_time = arrival.deliver_time.unwrap_or_else(|| from_micros(now));
    // Where nobody said how much was ordered, nobody knows how much all is.
    let all = (fulfilment.ordered_quantity > 0).then_some(fulfilment.ordered_quantity);
    let delivered_quantity = arrival.delivered_quantity.or(all);

    let mut violations = Violations::default();
    violations.in_order("deliver_time", Some(&deliver_time), "ship_time", fulfilment.ship_time.as_ref());
    check::arrived(delivered_quantity, arrival.damaged_quantity, &mut violations);
    violations.finish()?;

    fulfilment.deliver_time = Some(deliver_time);
    fulfilment.delivered_quantity = delivered_quantity;
    fulfilment.damaged_quantity = Some(arrival.damaged_quantity.unwrap_or_default());
    fulfilment.papers_correct = arrival.papers_correct.or(fulfilment.papers_correct);
    Ok(())
}

/// Records a payment of all that is open, or of a part.
pub(crate) fn pay(
    order: &mut Order,
    pay_time: Option<Timestamp>,
    amount: Option<Money>,
    now: i64,
) -> Result<(), Fault> {
    let owing = [OrderState::Placed, OrderState::Shipped, OrderState::Delivered, OrderState::Returned];
    expect(order, &owing, "paid")?;
    let open = total(order) - paid(order);
    if open <= 0 {
        return Err(state_conflict(&order.name, "paid in full", "paid"));
    }
    let paying = up_to("amount", amount.as_ref(), open, order)?.unwrap_or(open);
    let paid = money(currency_code(order), paid(order) + paying);
    let payment = order.payment.get_or_insert_default();
    payment.paid = Some(paid);
    if paying == open {
        payment.pay_time = Some(pay_time.unwrap_or_else(|| from_micros(now)));
    }
    Ok(())
}

/// Records that something came back.
pub(crate) fn take_back(order: &mut Order, mut order_return: OrderReturn, now: i64) -> Result<(), Fault> {
    expect(order, &[OrderState::Shipped, OrderState::Delivered], "returned")?;
    let return_time = order_return.return_time.get_or_insert_with(|| from_micros(now));
    let mut violations = Violations::default();
    let place_time = order.place_time.as_ref();
    violations.in_order("order_return.return_time", Some(return_time), "place_time", place_time);
    violations.finish()?;
    up_to("order_return.amount", order_return.amount.as_ref(), total(order) - returned(order), order)?;
    order.returns.push(order_return);
    Ok(())
}

/// Records that the money for a return is back with the customer.
pub(crate) fn refund(
    order: &mut Order,
    return_index: i32,
    refund_time: Option<Timestamp>,
    now: i64,
) -> Result<(), Fault> {
    let count = order.returns.len();
    let Some(order_return) = usize::try_from(return_index).ok().and_then(|index| order.returns.get_mut(index)) else {
        return Err(invalid("return_index", format!("must be that of one of the order's {count} returns")));
    };
    if order_return.refund_time.is_some() {
        return Err(state_conflict(&order.name, "refunded", "refunded"));
    }
    order_return.refund_time = Some(refund_time.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Cancels the order.
pub(crate) fn cancel(order: &mut Order, mut cancellation: Cancellation, now: i64) -> Result<(), Fault> {
    expect(order, &[OrderState::Placed], "cancelled")?;
    cancellation.cancel_time.get_or_insert_with(|| from_micros(now));
    order.cancellation = Some(cancellation);
    Ok(())
}

fn expect(order: &Order, states: &[OrderState], wanted: &'static str) -> Result<(), Fault> {
    if states.contains(&order.state()) {
        return Ok(());
    }
    Err(state_conflict(&order.name, order.state().as_str_name(), wanted))
}

fn invalid(field: &'static str, description: String) -> Fault {
    Fault::invalid(ErrorReason::InvalidFields.as_str_name(), vec![Violation::new(field, description)])
}

/// Reads an amount that joins the order, in billionths: it is in the order's currency and at most so much.
fn up_to(field: &'static str, amount: Option<&Money>, most: i128, order: &Order) -> Result<Option<i128>, Fault> {
    let Some(amount) = amount else { return Ok(None) };
    if amount.currency_code != currency_code(order) {
        return Err(currency::mismatch(&amount.currency_code, currency_code(order)));
    }
    let nanos = money_nanos(amount);
    if nanos > most {
        return Err(invalid(field, format!("is more than the {} that are left", decimal(most))));
    }
    Ok(Some(nanos))
}

/// Billionths as money. What is summed up here never exceeds an order's total.
fn money(currency_code: &str, nanos: i128) -> Money {
    Money {
        currency_code: currency_code.to_owned(),
        units: (nanos / NANOS_PER_UNIT) as i64,
        nanos: (nanos % NANOS_PER_UNIT) as i32,
    }
}

/// Billionths as a person writes them.
fn decimal(nanos: i128) -> String {
    let text = format!("{}.{:09}", nanos / NANOS_PER_UNIT, nanos % NANOS_PER_UNIT);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Fulfilment, Payment};

    use super::*;
    use crate::order::ORDER;

    const NOW: i64 = 1_000_000_000;

    fn euros(units: i64, nanos: i32) -> Money {
        Money { currency_code: "EUR".to_owned(), units, nanos }
    }

    fn forints() -> Money {
        Money { currency_code: "HUF".to_owned(), units: 1, nanos: 0 }
    }

    fn order() -> Order {
        let mut order = Order {
            name: "accounts/acme/orders/1".to_owned(),
            place_time: Some(from_micros(0)),
            total: Some(euros(10, 0)),
            ..Order::default()
        };
        (ORDER.derive)(&mut order);
        order
    }

    /// What a transition makes of an order.
    fn after(mut order: Order, change: impl FnOnce(&mut Order) -> Result<(), Fault>) -> Result<Order, Fault> {
        change(&mut order)?;
        (ORDER.derive)(&mut order);
        Ok(order)
    }

    fn reason(refused: Result<Order, Fault>) -> (&'static str, String) {
        let fault = refused.unwrap_err();
        (fault.reason(), fault.violations().first().map_or(String::new(), |violation| violation.field.clone()))
    }

    fn conflict() -> (&'static str, String) {
        ("ERROR_REASON_STATE_CONFLICT", String::new())
    }

    fn invalid_field(field: &str) -> (&'static str, String) {
        ("ERROR_REASON_INVALID_FIELDS", field.to_owned())
    }

    fn shipped() -> Order {
        after(order(), |order| ship(order, None, NOW)).unwrap()
    }

    fn delivered() -> Order {
        after(shipped(), |order| deliver(order, Arrival::default(), NOW)).unwrap()
    }

    fn cancelled() -> Order {
        after(order(), |order| cancel(order, Cancellation::default(), NOW)).unwrap()
    }

    fn give_back(amount: Money) -> impl FnOnce(&mut Order) -> Result<(), Fault> {
        |order| take_back(order, OrderReturn { amount: Some(amount), ..OrderReturn::default() }, NOW)
    }

    fn returned() -> Order {
        after(delivered(), give_back(euros(10, 0))).unwrap()
    }

    fn pay_some(amount: Option<Money>) -> impl FnOnce(&mut Order) -> Result<(), Fault> {
        |order| pay(order, None, amount, NOW)
    }

    #[test]
    fn an_order_goes_its_way_and_no_other() {
        let states = [order(), shipped(), delivered(), returned(), cancelled()];
        assert_eq!(
            states.each_ref().map(Order::state),
            [
                OrderState::Placed,
                OrderState::Shipped,
                OrderState::Delivered,
                OrderState::Returned,
                OrderState::Cancelled
            ]
        );
        type Change = fn(&mut Order) -> Result<(), Fault>;
        let changes: [(Change, [bool; 5]); 5] = [
            (|order| ship(order, None, NOW), [true, false, false, false, false]),
            (|order| deliver(order, Arrival::default(), NOW), [true, true, false, false, false]),
            (|order| give_back(euros(1, 0))(order), [false, true, true, false, false]),
            (|order| cancel(order, Cancellation::default(), NOW), [true, false, false, false, false]),
            (|order| pay(order, None, None, NOW), [true, true, true, true, false]),
        ];
        for (change, allowed) in changes {
            for (order, allowed) in states.iter().zip(allowed) {
                match after(order.clone(), change) {
                    Ok(_) => assert!(allowed, "{:?}", order.state()),
                    refused => {
                        assert!(!allowed, "{:?}", order.state());
                        assert_eq!(reason(refused), conflict());
                    }
                }
            }
        }
    }

    #[test]
    fn what_nobody_says_about_an_arrival_is_taken_to_be_fine() {
        let mut order = order();
        order.fulfilment = Some(Fulfilment { ordered_quantity: 4, ..Fulfilment::default() });
        let arrived = |arrival| after(order.clone(), |order| deliver(order, arrival, NOW)).unwrap().fulfilment.unwrap();
        let all = arrived(Arrival::default());
        assert_eq!((all.delivered_quantity, all.damaged_quantity, all.papers_correct), (Some(4), Some(0), None));
        assert_eq!(all.deliver_time, Some(from_micros(NOW)));
        let some = arrived(Arrival {
            delivered_quantity: Some(3),
            damaged_quantity: Some(1),
            papers_correct: Some(false),
            ..Arrival::default()
        });
        assert_eq!((some.delivered_quantity, some.damaged_quantity), (Some(3), Some(1)));
        assert_eq!(some.papers_correct, Some(false));
        // Nobody said how many were ordered.
        assert_eq!(delivered().fulfilment.unwrap().delivered_quantity, None);

        let too_many = Arrival { damaged_quantity: Some(5), ..Arrival::default() };
        let refused = after(order.clone(), |order| deliver(order, too_many, NOW));
        assert_eq!(reason(refused), invalid_field("damaged_quantity"));
        let early = Arrival { deliver_time: Some(from_micros(NOW - 1)), ..Arrival::default() };
        assert_eq!(reason(after(shipped(), |order| deliver(order, early, NOW))), invalid_field("deliver_time"));
    }

    #[test]
    fn payments_add_up_exactly_to_the_total() {
        let part = after(order(), pay_some(Some(euros(3, 333_333_333)))).unwrap();
        assert_eq!(part.payment, Some(Payment { paid: Some(euros(3, 333_333_333)), ..Payment::default() }));
        let refused = after(part.clone(), pay_some(Some(euros(6, 666_666_668))));
        assert_eq!(refused.unwrap_err().violations()[0].description, "is more than the 6.666666667 that are left");
        let all = after(part, pay_some(Some(euros(6, 666_666_667)))).unwrap();
        let paid = Payment { paid: Some(euros(10, 0)), pay_time: Some(from_micros(NOW)), ..Payment::default() };
        assert_eq!(all.payment, Some(paid.clone()));
        assert_eq!(reason(after(all, pay_some(None))), conflict());
        assert_eq!(after(order(), pay_some(None)).unwrap().payment, Some(paid));
        assert_eq!(reason(after(order(), pay_some(Some(forints())))).0, "ERROR_REASON_CURRENCY_MISMATCH");
    }

    #[test]
    fn no_more_comes_back_than_was_ordered() {
        let some = after(delivered(), give_back(euros(4, 0))).unwrap();
        assert_eq!(some.state(), OrderState::Delivered);
        let refused = after(some.clone(), give_back(euros(6, 1)));
        assert_eq!(reason(refused), invalid_field("order_return.amount"));
        assert_eq!(after(some, give_back(euros(6, 0))).unwrap().state(), OrderState::Returned);
        assert_eq!(reason(after(delivered(), give_back(forints()))).0, "ERROR_REASON_CURRENCY_MISMATCH");
        let early = OrderReturn { return_time: Some(from_micros(-1)), ..OrderReturn::default() };
        let refused = after(delivered(), |order| take_back(order, early, NOW));
        assert_eq!(reason(refused), invalid_field("order_return.return_time"));
    }

    #[test]
    fn each_return_is_refunded_once() {
        let refunded = after(returned(), |order| refund(order, 0, None, NOW)).unwrap();
        assert_eq!(refunded.returns[0].refund_time, Some(from_micros(NOW)));
        assert_eq!(reason(after(refunded, |order| refund(order, 0, None, NOW))), conflict());
        for index in [-1, 1] {
            let refused = after(returned(), |order| refund(order, index, None, NOW));
            assert_eq!(reason(refused), invalid_field("return_index"));
        }
    }
}
