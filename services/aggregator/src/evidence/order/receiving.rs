//! How an order arrived, or did not.

use contracts::orders::v1::{Fulfilment, Order};
use dynamics::Signal;

use super::{cancelled_at, micros, ordered_quantity, received_at};
use crate::evidence::Resource;
use crate::evidence::draft::Draft;
use crate::evidence::scale::{days, fewness, share, signed, timeliness};

/// Days late at which a delivery is as bad as good.
const LATE_EVEN_DAYS: f64 = 3.0;
/// Days from order to arrival that are neither quick nor slow: two weeks, ordinary for goods sent by parcel.
const WAIT_EVEN_DAYS: f64 = 14.0;
/// A date agreed further ahead than this is a plan and no wait: what goes beyond it is not held against the delivery.
const PLANNED_AHEAD_DAYS: f64 = 60.0;
/// How long it took matters less than whether it came when promised.
const WAIT_WEIGHT: f64 = 0.5;
/// An order that has not arrived counts in full three days after its date, when one that arrives is as bad as good: who
/// still waits does not know for how long. In the sample named below, buyers of late orders who were asked two or three
/// days after the date gave 1.8 of five stars where theirs was still to come, and 4 where it had come by then.
const MISSING_FULL_DAYS: i64 = 3;
/// An order on its way is held against the provider three quarters as much as one that never left. In a sample of real
/// marketplace orders (Olist, 2016 to 2018), buyers gave one or two of five stars to three in four that had left and not
/// arrived, to nine in ten that had not left, and to one in eight that had arrived.
const ON_ITS_WAY_WEIGHT: f64 = 0.75;
/// That an order arrived, with no word on what was in it, counts half as fulfilled.
const UNCOUNTED_WEIGHT: f64 = 0.5;
/// As complete it counts a quarter of one that was counted, if it is of one unit: nothing can be missing, but nobody
/// said that it was the right one. Of several units each may be missing, and they may come apart: the quarter is shared
/// among them. How much it is, is judgement.
const UNCOUNTED_UNIT_WEIGHT: f64 = 0.25;

pub(super) fn draw(order: &Order, draft: &mut Draft) {
    let Some(fulfilment) = &order.fulfilment else {
        return;
    };
    if let Some(delivered) = micros(&fulfilment.deliver_time) {
        arrival(order.happened_at(), delivered, micros(&fulfilment.promise_time), draft);
    } else if let Some(promised) = micros(&fulfilment.promise_time)
        && cancelled_at(order).is_none()
        && fulfilment.delivered_quantity.is_none()
        && order.returns.is_empty()
    {
        absence(fulfilment, promised, draft);
    }
    condition(order, fulfilment, draft);
}

/// The lateness speaks of a promise (trust) and of a wait (ease); the whole time from order to arrival of ease alone.
fn arrival(placed: i64, delivered: i64, promised: Option<i64>, draft: &mut Draft) {
    if let Some(promised) = promised {
        let value = timeliness(days(promised, delivered), LATE_EVEN_DAYS);
        draft.say(Signal::DeliveryPromise, delivered, value, 1.0);
        draft.say(Signal::DeliveryOnTime, delivered, value, 1.0);
    }
    let planned = promised.map_or(0.0, |promised| days(placed, promised) - PLANNED_AHEAD_DAYS).max(0.0);
    let value = fewness(days(placed, delivered), WAIT_EVEN_DAYS + planned);
    draft.say(Signal::DeliveryOnTime, delivered, value, WAIT_WEIGHT);
}

/// Nothing has arrived. An order that left after its date is late by at least as much, and that weighs the more the later
/// it left, up to what one weighs that never did.
fn absence(fulfilment: &Fulfilment, promised: i64, draft: &mut Draft) {
    let shipped = micros(&fulfilment.ship_time);
    let weight = if shipped.is_some() { ON_ITS_WAY_WEIGHT } else { 1.0 };
    for signal in [Signal::DeliveryPromise, Signal::DeliveryOnTime] {
        draft.owe(signal, promised, MISSING_FULL_DAYS, -1.0, weight);
        if let Some(shipped) = shipped {
            let lateness = (1.0 - timeliness(days(promised, shipped), LATE_EVEN_DAYS)) / 2.0;
            draft.say(signal, shipped, -1.0, (1.0 - ON_ITS_WAY_WEIGHT) * lateness);
        }
    }
}

/// The other three parts of a perfect order, and what the customer got of it.
fn condition(order: &Order, fulfilment: &Fulfilment, draft: &mut Draft) {
    let at = received_at(order);
    let ordered = ordered_quantity(order) as f64;
    let delivered = fulfilment.delivered_quantity.map(|quantity| quantity as f64);
    let damaged = fulfilment.damaged_quantity.map(|quantity| quantity as f64);

    if let Some(complete) = delivered.and_then(|delivered| share(delivered, ordered)) {
        draft.say(Signal::DeliveryComplete, at, signed(complete), 1.0);
    } else if fulfilment.deliver_time.is_some() && ordered > 0.0 {
        draft.say(Signal::DeliveryComplete, at, 1.0, UNCOUNTED_UNIT_WEIGHT / ordered);
    }
    if let Some(damaged) = damaged.and_then(|damaged| share(damaged, delivered.unwrap_or(ordered))) {
        draft.say(Signal::DeliveryUndamaged, at, -signed(damaged), 1.0);
    }
    if let Some(correct) = fulfilment.papers_correct {
        draft.say(Signal::DeliveryPapers, at, if correct { 1.0 } else { -1.0 }, 1.0);
    }
    let usable = |delivered: f64| share(delivered - damaged.unwrap_or(0.0), ordered);
    if let Some(usable) = delivered.and_then(usable) {
        draft.say(Signal::Fulfilment, at, signed(usable), 1.0);
    } else if fulfilment.deliver_time.is_some() {
        let usable = usable(ordered).unwrap_or(1.0);
        draft.say(Signal::Fulfilment, at, signed(usable), UNCOUNTED_WEIGHT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, last_value, net, pending, said, value};

    fn with(fulfilment: Fulfilment) -> Source {
        Order { place_time: day(1), fulfilment: Some(fulfilment), ..Order::default() }.into()
    }

    fn promised(delivered: Option<i64>, shipped: Option<i64>) -> Source {
        let time = |at: Option<i64>| at.and_then(day);
        with(Fulfilment {
            promise_time: day(10),
            ship_time: time(shipped),
            deliver_time: time(delivered),
            ..Fulfilment::default()
        })
    }

    #[test]
    fn a_later_delivery_never_raises_anything() {
        let mut before: Option<Source> = None;
        for delivered in 2..60 {
            let now = promised(Some(delivered), None);
            if let Some(before) = before {
                for signal in Signal::ALL {
                    assert!(net(&now, signal) <= net(&before, signal), "{signal} on day {delivered}");
                }
                assert!(net(&now, Signal::DeliveryOnTime) < net(&before, Signal::DeliveryOnTime));
            }
            before = Some(now);
        }
        assert_eq!(value(&promised(Some(10), None), Signal::DeliveryPromise), 1.0);
        assert_eq!(value(&promised(Some(13), None), Signal::DeliveryPromise), 0.0);
        assert!(value(&promised(Some(24), None), Signal::DeliveryPromise) < -0.9);
    }

    #[test]
    fn without_a_promise_only_the_wait_speaks() {
        let after = |delivered| with(Fulfilment { deliver_time: day(delivered), ..Fulfilment::default() });
        assert!(said(&after(3), Signal::DeliveryPromise).is_empty());
        assert!(value(&after(3), Signal::DeliveryOnTime) > value(&after(9), Signal::DeliveryOnTime));
        assert_eq!(value(&after(15), Signal::DeliveryOnTime), 0.0);
        assert!(pending(&with(Fulfilment::default())).is_empty());
    }

    #[test]
    fn a_date_far_ahead_is_no_wait() {
        let ahead = Fulfilment { promise_time: day(201), deliver_time: day(201), ..Fulfilment::default() };
        assert!(said(&with(ahead), Signal::DeliveryOnTime).iter().all(|fact| fact.value() > -0.3));
    }

    #[test]
    fn an_order_that_does_not_arrive_is_owed_from_its_date() {
        let missing = promised(None, None);
        assert_eq!(pending(&missing).len(), 2);
        assert!(pending(&missing).iter().all(|owed| owed.since() == 10 * dynamics::DAY && owed.weight() == 1.0));
        assert!(said(&missing, Signal::DeliveryPromise).is_empty());
        // The same order, whatever has become of it since, was owed as long as it had not come.
        assert_eq!(promised(Some(12), None).as_of(11 * dynamics::DAY).unwrap().facts(), missing.facts());
    }

    #[test]
    fn a_late_dispatch_is_held_against_the_provider_before_the_arrival() {
        let shipped = |on| promised(None, Some(on));
        assert_eq!(net(&shipped(9), Signal::DeliveryPromise), 0.0);
        for on in 9..60 {
            assert!(net(&shipped(on + 1), Signal::DeliveryPromise) <= net(&shipped(on), Signal::DeliveryPromise));
        }
        let owed = pending(&shipped(60))[0].weight();
        assert!(owed < pending(&promised(None, None))[0].weight());
        assert!(owed - net(&shipped(60), Signal::DeliveryPromise) <= 1.0);
    }

    #[test]
    fn a_perfect_order_is_complete_undamaged_and_has_the_right_papers() {
        let of = |delivered, damaged, papers_correct| {
            with(Fulfilment {
                deliver_time: day(5),
                ordered_quantity: 10,
                delivered_quantity: Some(delivered),
                damaged_quantity: Some(damaged),
                papers_correct: Some(papers_correct),
                ..Fulfilment::default()
            })
        };
        let signals = [Signal::DeliveryComplete, Signal::DeliveryUndamaged, Signal::DeliveryPapers, Signal::Fulfilment];
        assert_eq!(signals.map(|signal| last_value(&of(10, 0, true), signal)), [1.0; 4]);
        assert_eq!(signals.map(|signal| last_value(&of(5, 5, false), signal)), [0.0, -1.0, -1.0, -1.0]);
        let unknown = with(Fulfilment { deliver_time: day(5), ..Fulfilment::default() });
        assert!(said(&unknown, Signal::DeliveryComplete).is_empty());
        assert_eq!(value(&unknown, Signal::Fulfilment), 1.0);
    }

    #[test]
    fn an_arrival_that_nobody_counted_is_the_less_surely_complete_the_more_was_ordered() {
        let of =
            |ordered_quantity| with(Fulfilment { deliver_time: day(5), ordered_quantity, ..Fulfilment::default() });
        let counted = with(Fulfilment {
            deliver_time: day(5),
            ordered_quantity: 1,
            delivered_quantity: Some(1),
            ..Fulfilment::default()
        });
        let complete = |source: &Source| net(source, Signal::DeliveryComplete);
        assert_eq!((complete(&of(1)), complete(&counted)), (0.25, 1.0));
        for ordered in 1..20 {
            assert!(complete(&of(ordered + 1)) < complete(&of(ordered)));
        }
    }
}
