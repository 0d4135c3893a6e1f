//! How an order was placed.

use contracts::orders::v1::{Order, OrderChannel};
use dynamics::Signal;

use super::micros;
use crate::evidence::Resource;
use crate::evidence::draft::Draft;
use crate::evidence::scale::{HOUR, fewness, promptness};

/// A standing order renews itself: repeat buying without a decision counts half (dick1994 in the default model).
const STANDING_WEIGHT: f64 = 0.5;
/// Attempts beyond the first, or corrections, at which placing is as hard as easy.
const EVEN_REPEATS: f64 = 2.0;
/// The time of placing that is neither short nor long: half an hour.
const EVEN_PLACING: f64 = HOUR as f64 / 2.0;
/// Priority at no charge is a real concession, but a modest one.
const PRIORITY_VALUE: f64 = 0.5;
/// Each order is an occasion to need support and to send goods back. That neither has happened yet is half a fact: one
/// support contact or return outweighs one order, and an easy customer has several orders to each.
const OCCASION_WEIGHT: f64 = 0.5;

pub(super) fn draw(order: &Order, draft: &mut Draft) {
    let at = order.happened_at();
    let placement = order.placement.unwrap_or_default();

    let weight = if placement.channel() == OrderChannel::Standing { STANDING_WEIGHT } else { 1.0 };
    draft.say(Signal::Ordering, at, 1.0, weight);

    if placement.attempts > 0 {
        let repeats = f64::from(placement.attempts) - 1.0;
        draft.say(Signal::PlacingAttempts, at, fewness(repeats, EVEN_REPEATS), 1.0);
    }
    if let Some(corrections) = placement.corrections {
        let value = fewness(f64::from(corrections), EVEN_REPEATS);
        draft.say(Signal::PlacingCorrections, at, value, 1.0);
        draft.say(Signal::OrderCorrections, at, value, 1.0);
    }
    if let Some(start) = micros(&placement.start_time) {
        let span = at as f64 - start as f64;
        draft.say(Signal::PlacingTime, at, promptness(span, EVEN_PLACING), 1.0);
    }
    if order.priority {
        draft.say(Signal::Concession, at, PRIORITY_VALUE, 1.0);
    }
    draft.say(Signal::SupportLoad, at, 1.0, OCCASION_WEIGHT);
    draft.say(Signal::ReturnEffort, at, 1.0, OCCASION_WEIGHT);
    draft.say(Signal::FairReturns, at, 1.0, OCCASION_WEIGHT);
    if order.fulfilment.as_ref().is_none_or(|fulfilment| fulfilment.promise_time.is_none()) {
        // Where deliveries are not promised they are often not recorded either: an order counts as received until
        // something says otherwise.
        draft.say(Signal::Fulfilment, at, 1.0, OCCASION_WEIGHT);
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::Placement;

    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::{day, said, value};

    fn placed(placement: Placement) -> Source {
        Order { place_time: day(10), placement: Some(placement), ..Order::default() }.into()
    }

    #[test]
    fn attempts_and_corrections_cost_ease_on_both_sides() {
        let tried = |attempts| placed(Placement { attempts, ..Placement::default() });
        assert!(said(&tried(0), Signal::PlacingAttempts).is_empty());
        assert_eq!(value(&tried(1), Signal::PlacingAttempts), 1.0);
        assert_eq!(value(&tried(3), Signal::PlacingAttempts), 0.0);
        assert!(value(&tried(9), Signal::PlacingAttempts) < -0.8);

        let corrected = |corrections| placed(Placement { corrections, ..Placement::default() });
        assert!(said(&corrected(None), Signal::PlacingCorrections).is_empty());
        for signal in [Signal::PlacingCorrections, Signal::OrderCorrections] {
            assert_eq!(value(&corrected(Some(0)), signal), 1.0);
            assert!(value(&corrected(Some(1)), signal) > value(&corrected(Some(4)), signal));
        }
    }

    #[test]
    fn a_longer_time_of_placing_is_harder() {
        let began = |day_begun: f64| {
            placed(Placement { start_time: crate::evidence::tests::moment(day_begun), ..Placement::default() })
        };
        assert_eq!(value(&began(10.0), Signal::PlacingTime), 1.0);
        assert!(value(&began(9.9), Signal::PlacingTime) > value(&began(8.0), Signal::PlacingTime));
    }

    #[test]
    fn a_standing_order_is_weaker_loyalty_than_a_decision() {
        let by = |channel: OrderChannel| placed(Placement { channel: channel.into(), ..Placement::default() });
        let weight = |source: &Source| said(source, Signal::Ordering)[0].weight();
        assert!(weight(&by(OrderChannel::Standing)) < weight(&by(OrderChannel::Web)));
    }

    #[test]
    fn priority_is_a_concession() {
        let order = Order { place_time: day(1), priority: true, ..Order::default() };
        assert_eq!(value(&order.into(), Signal::Concession), 0.5);
    }
}
