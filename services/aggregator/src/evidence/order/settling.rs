//! How an order was paid, what came back of it, and whether it was called off.

use contracts::common::v1::Party;
use contracts::orders::v1::{Order, OrderReturn};
use dynamics::Signal;
use methods::money_nanos;

use super::worth::Amounts;
use super::{cancelled_at, micros, returned_at};
use crate::evidence::Resource;
use crate::evidence::draft::Draft;
use crate::evidence::scale::{balance, days, days_after, fewness, share, size, timeliness};

/// Days late at which a payment is as bad as good: about one round of reminders.
const PAY_EVEN_DAYS: f64 = 15.0;
/// Payment without a date is due within 30 days (Directive 2011/7/EU on late payment, article 3(3)(b)).
const USUAL_TERM_DAYS: i64 = 30;
/// What follows from the usual term and no agreed date counts half.
const USUAL_TERM_WEIGHT: f64 = 0.5;
/// An unpaid order counts in full after 60 days, the longest term between businesses that is not gross unfairness by
/// itself (Directive 2011/7/EU, article 3(5)).
const UNPAID_FULL_DAYS: i64 = 60;
/// Money that is owed weighs more than money that came late.
const UNPAID_WEIGHT: f64 = 1.5;
/// The term of payment that is half-way to the most generous one: the usual 30 days.
const HALF_TERM_DAYS: f64 = 30.0;

/// Refunds are due within 14 days (Directive 2011/83/EU on consumer rights, article 13(1)).
const REFUND_DAYS: i64 = 14;
/// An overdue refund counts in full after another month.
const REFUND_FULL_DAYS: i64 = 30;
/// A return with a cause: fair, as it should be, and so only half a fact.
const CAUSED_WEIGHT: f64 = 0.5;
/// A return at the customer's wish is less unfair when the customer says why.
const EXPLAINED_VALUE: f64 = -0.5;
/// A return is some work whatever its size, and more the more comes back: weights are this plus the share returned.
const RETURN_BASE_WEIGHT: f64 = 0.5;
/// Goods sent back take away what their arrival gave, and as much again.
const UNDONE_WEIGHT: f64 = 2.0;

/// To call off an accepted order breaks a promise, without even the attempt to keep it late.
const CALLED_OFF_WEIGHT: f64 = 1.5;

pub(super) fn draw(order: &Order, amounts: &Amounts, draft: &mut Draft) {
    payment(order, amounts, draft);
    let is_paid = amounts.paid > 0 || order.payment.as_ref().is_some_and(|payment| payment.pay_time.is_some());
    for back in &order.returns {
        returned(order, back, amounts, is_paid, draft);
    }
    cancellation(order, draft);
}

fn payment(order: &Order, amounts: &Amounts, draft: &mut Draft) {
    let Some(payment) = &order.payment else {
        return;
    };
    let placed = order.happened_at();
    let due = micros(&payment.due_time);
    if let Some(due) = due {
        draft.say(Signal::TermsGranted, placed, balance(days(placed, due), HALF_TERM_DAYS), 1.0);
    }
    match (micros(&payment.pay_time), due) {
        (Some(paid), Some(due)) => {
            draft.say(Signal::PaymentOnTime, paid, timeliness(days(due, paid), PAY_EVEN_DAYS), 1.0);
        }
        (Some(paid), None) => {
            let due = days_after(placed, USUAL_TERM_DAYS);
            draft.say(Signal::PaymentOnTime, paid, timeliness(days(due, paid), PAY_EVEN_DAYS), USUAL_TERM_WEIGHT);
        }
        (None, Some(due)) if order.cancellation.is_none() => {
            let open = amounts.total - amounts.paid - amounts.returned;
            let open = share(open as f64, amounts.total as f64).unwrap_or(0.0);
            draft.owe(Signal::PaymentOnTime, due, UNPAID_FULL_DAYS, -1.0, UNPAID_WEIGHT * open);
        }
        (None, _) => {}
    }
}

/// Whoever caused it, a return is work for the provider and goods the customer did not keep. Caused by the provider it
/// means that the order did not bring what was ordered, so it counts as incomplete. It is no conflict: that is for the
/// customer to say, with a complaint.
fn returned(order: &Order, back: &OrderReturn, amounts: &Amounts, is_paid: bool, draft: &mut Draft) {
    let at = returned_at(order, back);
    let amount = back.amount.as_ref().map_or(0, money_nanos);
    let part = share(amount as f64, amounts.total as f64).unwrap_or(1.0);
    let weight = RETURN_BASE_WEIGHT + part;

    match back.responsible() {
        Party::Customer => {
            let value = if back.reason.is_empty() { -1.0 } else { EXPLAINED_VALUE };
            draft.say(Signal::FairReturns, at, value, weight);
        }
        Party::Provider => {
            draft.say(Signal::FairReturns, at, 1.0, CAUSED_WEIGHT);
            draft.say(Signal::DeliveryComplete, at, -1.0, weight);
        }
        Party::Unspecified => {}
    }
    draft.say(Signal::ReturnEffort, at, -1.0, weight);
    draft.say(Signal::Fulfilment, at, -1.0, UNDONE_WEIGHT * part);
    draft.say(Signal::Spend, at, -1.0, size(amount));

    if let Some(refunded) = micros(&back.refund_time) {
        // Money sent ahead of the goods is known of with the return.
        let value = fewness(days(at, refunded), REFUND_DAYS as f64);
        draft.say(Signal::Resolution, refunded.max(at), value, weight);
    } else if is_paid {
        draft.owe(Signal::Resolution, days_after(at, REFUND_DAYS), REFUND_FULL_DAYS, -1.0, weight);
    }
}

fn cancellation(order: &Order, draft: &mut Draft) {
    let Some((cancellation, at)) = order.cancellation.as_ref().zip(cancelled_at(order)) else {
        return;
    };
    match cancellation.party() {
        Party::Customer => draft.say(Signal::Cancellation, at, -1.0, 1.0),
        Party::Provider => {
            draft.say(Signal::ProviderCommitment, at, -1.0, CALLED_OFF_WEIGHT);
            draft.say(Signal::Fulfilment, at, -1.0, 1.0);
            if order.fulfilment.is_some_and(|fulfilment| fulfilment.promise_time.is_some()) {
                // To the customer it is an order that never arrived.
                draft.say(Signal::DeliveryPromise, at, -1.0, 1.0);
                draft.say(Signal::DeliveryOnTime, at, -1.0, 1.0);
            }
        }
        Party::Unspecified => {}
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Cancellation, Fulfilment, Payment};
    use dynamics::DAY;

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, euros, last_value, net, only, pending, said, value};

    fn order() -> Order {
        Order { place_time: day(1), total: euros(100.0), ..Order::default() }
    }

    fn paid(due: Option<i64>, paid: Option<i64>) -> Source {
        let payment = Payment { due_time: due.and_then(day), pay_time: paid.and_then(day), paid: None };
        Order { payment: Some(payment), ..order() }.into()
    }

    fn back(responsible: Party) -> OrderReturn {
        let reason = "torn".to_owned();
        OrderReturn {
            return_time: day(20),
            amount: euros(50.0),
            responsible: responsible.into(),
            reason,
            refund_time: None,
        }
    }

    fn with(back: OrderReturn, is_paid: bool) -> Source {
        let payment = is_paid.then(|| Payment { pay_time: day(2), ..Payment::default() });
        Order { returns: vec![back], payment, ..order() }.into()
    }

    #[test]
    fn payments_are_judged_by_the_agreed_date_or_the_usual_term() {
        assert_eq!(value(&paid(Some(31), Some(31)), Signal::PaymentOnTime), 1.0);
        assert_eq!(value(&paid(Some(31), Some(46)), Signal::PaymentOnTime), 0.0);
        let usual = said(&paid(None, Some(31)), Signal::PaymentOnTime)[0];
        assert_eq!((usual.value(), usual.weight()), (1.0, 0.5));
        assert_eq!(value(&paid(Some(31), None), Signal::TermsGranted), 0.5);
        assert!(value(&paid(Some(0), None), Signal::TermsGranted) < 0.0);
    }

    #[test]
    fn what_is_not_paid_is_owed_from_its_date() {
        let owed = only(&paid(Some(31), None), pending);
        assert_eq!((owed.topic(), owed.since(), owed.full_after()), (Signal::PaymentOnTime, 31 * DAY, 60 * DAY));
        let payment = Payment { due_time: day(31), paid: euros(75.0), pay_time: None };
        let partly = only(&Order { payment: Some(payment), ..order() }.into(), pending);
        assert!(partly.weight() < owed.weight() / 3.0);
        assert_eq!(paid(Some(31), Some(90)).as_of(60 * DAY).unwrap().facts().pending, [owed]);
    }

    #[test]
    fn who_caused_a_return_decides_what_it_says() {
        let (wish, fault) = (with(back(Party::Customer), false), with(back(Party::Provider), false));
        assert!(last_value(&wish, Signal::FairReturns) < 0.0);
        assert!(last_value(&fault, Signal::FairReturns) > 0.0);
        assert_eq!(value(&fault, Signal::DeliveryComplete), -1.0);
        let silent = with(OrderReturn { reason: String::new(), ..back(Party::Customer) }, false);
        assert!(last_value(&silent, Signal::FairReturns) < last_value(&wish, Signal::FairReturns));
        let more = with(OrderReturn { amount: euros(90.0), ..back(Party::Customer) }, false);
        for signal in [Signal::FairReturns, Signal::ReturnEffort, Signal::Fulfilment, Signal::Spend] {
            assert!(net(&more, signal) < net(&wish, signal), "{signal}");
        }
    }

    #[test]
    fn a_refund_is_due_when_the_goods_were_paid() {
        assert!(pending(&with(back(Party::Customer), false)).is_empty());
        let owed = only(&with(back(Party::Customer), true), pending);
        assert_eq!((owed.topic(), owed.since()), (Signal::Resolution, 34 * DAY));
        let after = |days: i64| with(OrderReturn { refund_time: day(20 + days), ..back(Party::Customer) }, true);
        assert_eq!(value(&after(0), Signal::Resolution), 1.0);
        assert_eq!(value(&after(14), Signal::Resolution), 0.0);
        assert!(value(&after(30), Signal::Resolution) < value(&after(20), Signal::Resolution));
    }

    #[test]
    fn who_calls_an_order_off_decides_what_it_says() {
        let by = |party: Party| {
            let cancellation = Some(Cancellation { cancel_time: day(3), party: party.into(), reason: String::new() });
            let fulfilment = Some(Fulfilment { promise_time: day(9), ..Fulfilment::default() });
            Source::from(Order { cancellation, fulfilment, ..order() })
        };
        assert_eq!(value(&by(Party::Customer), Signal::Cancellation), -1.0);
        assert!(said(&by(Party::Customer), Signal::ProviderCommitment).is_empty());
        for signal in [Signal::ProviderCommitment, Signal::DeliveryPromise, Signal::DeliveryOnTime, Signal::Fulfilment]
        {
            assert_eq!(value(&by(Party::Provider), signal), -1.0);
        }
        assert!(pending(&by(Party::Provider)).is_empty());
    }
}
