//! What an order says: how it was placed, what it was worth, how it arrived, and how it was settled.

mod placing;
mod receiving;
mod settling;
mod telling;
mod worth;

use contracts::common::v1::Party;
use contracts::orders::v1::{Order, OrderReturn, OrderState};
use dynamics::OrderFact;
use prost::Message;

use super::draft::Draft;
use super::{Moment, Resource, Source, forget, micros};
use worth::Amounts;

impl Resource for Order {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    fn happened_at(&self) -> i64 {
        micros(&self.place_time).unwrap_or(0)
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        if let Some(fulfilment) = &mut then.fulfilment {
            if received_at(self) > time {
                fulfilment.delivered_quantity = None;
                fulfilment.damaged_quantity = None;
                fulfilment.papers_correct = None;
            }
            forget(&mut fulfilment.ship_time, time);
            forget(&mut fulfilment.deliver_time, time);
        }
        if let Some(payment) = &mut then.payment
            && forget(&mut payment.pay_time, time)
        {
            // Parts paid before are not told apart from the rest.
            payment.paid = None;
        }
        then.returns.retain(|back| returned_at(self, back) <= time);
        for back in &mut then.returns {
            forget(&mut back.refund_time, time);
        }
        if cancelled_at(self).is_some_and(|at| at > time) {
            then.cancellation = None;
        }
        if then != *self {
            then.set_state(state(&then));
        }
        then.into()
    }

    fn actor(&self) -> Party {
        Party::Customer
    }

    fn draw(&self, draft: &mut Draft) {
        let amounts = Amounts::of(self);
        let cancelled = self.cancellation.is_some();
        draft.order(OrderFact { at: self.happened_at(), cancelled }, amounts.worth(cancelled));
        placing::draw(self, draft);
        if !cancelled {
            amounts.draw(self.happened_at(), draft);
        }
        receiving::draw(self, draft);
        settling::draw(self, &amounts, draft);
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        telling::tell(self, moments);
    }
}

/// Where the order stands, by what has happened to it.
fn state(order: &Order) -> OrderState {
    let fulfilment = order.fulfilment.unwrap_or_default();
    let amounts = Amounts::of(order);
    if order.cancellation.is_some() {
        OrderState::Cancelled
    } else if amounts.returned > 0 && amounts.returned >= amounts.total {
        OrderState::Returned
    } else if fulfilment.deliver_time.is_some() {
        OrderState::Delivered
    } else if fulfilment.ship_time.is_some() {
        OrderState::Shipped
    } else {
        OrderState::Placed
    }
}

/// When the goods' quantities and condition are known: on arrival, or as near to it as is recorded.
fn received_at(order: &Order) -> i64 {
    let fulfilment = order.fulfilment.unwrap_or_default();
    micros(&fulfilment.deliver_time).or(micros(&fulfilment.ship_time)).unwrap_or(order.happened_at())
}

fn returned_at(order: &Order, back: &OrderReturn) -> i64 {
    micros(&back.return_time).unwrap_or(order.happened_at())
}

fn cancelled_at(order: &Order) -> Option<i64> {
    let cancellation = order.cancellation.as_ref()?;
    Some(micros(&cancellation.cancel_time).unwrap_or(order.happened_at()))
}

/// How many units were ordered: as stated, or the sum of the lines.
fn ordered_quantity(order: &Order) -> i64 {
    match order.fulfilment.unwrap_or_default().ordered_quantity {
        0 => order.lines.iter().fold(0, |sum: i64, line| sum.saturating_add(line.quantity)),
        stated => stated,
    }
}
