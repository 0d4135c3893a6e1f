//! What an order is.

use contracts::orders::v1::{Order, OrderLine, OrderState, Payment};
use methods::{Collection, Guard, Index, Kind, money_nanos, to_micros};
use runtime::Fault;
use store::{Key, Rows, Table};

use crate::{check, currency};

pub(crate) static TABLE: Table = Table { name: "orders" };

/// What an order is. PLACED → SHIPPED → DELIVERED → RETURNED; PLACED → CANCELLED.
pub(crate) static ORDER: Kind<Order> = Kind {
    name: "order",
    table: &TABLE,
    collection: Collection::OfAccount("orders"),
    updatable: &[
        "place_time",
        "total",
        "list_total",
        "cost",
        "lines",
        "placement",
        "fulfilment",
        "payment.due_time",
        "returns",
        "priority",
    ],
    check: check::order,
    as_new: |order| {
        order.cancellation = None;
        if let Some(payment) = &mut order.payment {
            *payment = Payment { due_time: payment.due_time, ..Payment::default() };
        }
        as_row(order);
    },
    as_row,
    derive,
    reading: None,
    index: |order| Index {
        state: order.state().as_str_name(),
        happened_at: order.place_time.as_ref().map_or(0, to_micros),
        ..Index::default()
    },
    related: |tenant, key, _| vec![currency::key(tenant, &key.account)],
    rules,
};

fn as_row(order: &mut Order) {
    order.state = 0;
}

fn derive(order: &mut Order) {
    // Oldest first; those of the same time stay as they came.
    order.returns.sort_by_key(|order_return| order_return.return_time.as_ref().map(to_micros));
    if let Some(payment) = &mut order.payment {
        match (&payment.paid, &order.total) {
            (None, total) if payment.pay_time.is_some() => payment.paid = total.clone(),
            // The total grew after it was paid: the order is open again.
            (Some(paid), Some(total)) if money_nanos(paid) < money_nanos(total) => payment.pay_time = None,
            _ => {}
        }
    }
    if order.payment == Some(Payment::default()) {
        order.payment = None;
    }
    if let Some(quantity) = quantity_of(&order.lines).filter(|quantity| *quantity > 0) {
        let fulfilment = order.fulfilment.get_or_insert_default();
        if fulfilment.ordered_quantity == 0 {
            fulfilment.ordered_quantity = quantity;
        }
    }
    order.set_state(state(order));
}

fn state(order: &Order) -> OrderState {
    let fulfilment = order.fulfilment.unwrap_or_default();
    let came_back = !order.returns.is_empty();
    if order.cancellation.is_some() {
        OrderState::Cancelled
    } else if came_back && returned(order) >= total(order) {
        OrderState::Returned
    // Where nobody recorded how it was shipped, what came back tells that it had been there.
    } else if fulfilment.deliver_time.is_some() || (came_back && fulfilment.ship_time.is_none()) {
        OrderState::Delivered
    } else if fulfilment.ship_time.is_some() {
        OrderState::Shipped
    } else {
        OrderState::Placed
    }
}

fn rules(guard: &mut Guard<'_, '_, Order>) -> Result<(), Fault> {
    if let Some(old) = guard.old.filter(|_| !is_row(guard.new)) {
        keep_sum(old, guard.new);
    }
    can_stand(guard.new, guard.rows, guard.key)
}

/// Refuses an order in another currency than its account's other orders.
pub(crate) fn can_stand(order: &Order, rows: &mut Rows<'_>, key: &Key) -> Result<(), Fault> {
    let account_currency = Key { table: currency::TABLE.name, id: String::new(), ..key.clone() };
    currency::check(rows, account_currency, currency_code(order))
}

/// A quantity that was the sum of the lines is the sum of the new ones too, unless the change says otherwise.
fn keep_sum(old: &Order, new: &mut Order) {
    let (Some(before), Some(fulfilment)) = (old.fulfilment, &mut new.fulfilment) else { return };
    let was_sum = quantity_of(&old.lines) == Some(before.ordered_quantity);
    if was_sum && fulfilment.ordered_quantity == before.ordered_quantity {
        fulfilment.ordered_quantity = quantity_of(&new.lines).unwrap_or(before.ordered_quantity);
    }
}

/// Whether the order came from a client as a whole. A change is made to what stands, which has an etag.
pub(crate) fn is_row(order: &Order) -> bool {
    order.etag.is_empty()
}

/// The sum of the lines, if it can be counted.
pub(crate) fn quantity_of(lines: &[OrderLine]) -> Option<i64> {
    lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.quantity))
}

/// The currency of the order; empty only before it is checked.
pub(crate) fn currency_code(order: &Order) -> &str {
    order.total.as_ref().map_or("", |total| &total.currency_code)
}

/// The total, in billionths.
pub(crate) fn total(order: &Order) -> i128 {
    order.total.as_ref().map_or(0, money_nanos)
}

/// What the returns are worth together, in billionths.
pub(crate) fn returned(order: &Order) -> i128 {
    order.returns.iter().filter_map(|order_return| order_return.amount.as_ref()).map(money_nanos).sum()
}

/// What has been paid, in billionths.
pub(crate) fn paid(order: &Order) -> i128 {
    order.payment.as_ref().and_then(|payment| payment.paid.as_ref()).map_or(0, money_nanos)
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Cancellation, Fulfilment};

    use super::*;
    use crate::samples::{at, came_back, euros, line, order, violated};

    fn derived(mut order: Order) -> Order {
        derive(&mut order);
        order
    }

    #[test]
    fn the_state_follows_from_the_facts() {
        let fulfilled = |ship_time, deliver_time| Some(Fulfilment { ship_time, deliver_time, ..Fulfilment::default() });
        let shipped = Order { fulfilment: fulfilled(at(110), None), ..order() };
        let cases = [
            (order(), OrderState::Placed),
            (shipped.clone(), OrderState::Shipped),
            (Order { returns: vec![came_back(200, 9)], ..shipped.clone() }, OrderState::Shipped),
            (Order { fulfilment: fulfilled(None, at(120)), ..order() }, OrderState::Delivered),
            (Order { returns: vec![came_back(200, 9)], ..order() }, OrderState::Delivered),
            (Order { returns: vec![came_back(200, 9), came_back(300, 1)], ..shipped }, OrderState::Returned),
            (Order { cancellation: Some(Cancellation::default()), ..order() }, OrderState::Cancelled),
        ];
        for (order, state) in cases {
            assert_eq!(derived(order).state(), state);
        }
    }

    #[test]
    fn what_was_ordered_is_the_sum_of_the_lines_unless_it_is_given() {
        let quantity = |order: Order| derived(order).fulfilment.map(|fulfilment| fulfilment.ordered_quantity);
        assert_eq!(quantity(order()), None);
        assert_eq!(quantity(Order { lines: vec![line(2), line(3)], ..order() }), Some(5));
        let given = Some(Fulfilment { ordered_quantity: 7, ..Fulfilment::default() });
        assert_eq!(quantity(Order { lines: vec![line(2)], fulfilment: given, ..order() }), Some(7));
    }

    #[test]
    fn the_sum_follows_the_lines_and_a_given_quantity_stays() {
        let old = derived(Order { lines: vec![line(2)], ..order() });
        let mut new = derived(Order { lines: vec![line(3)], ..old.clone() });
        keep_sum(&old, &mut new);
        assert_eq!(new.fulfilment.unwrap().ordered_quantity, 3);

        let given = Some(Fulfilment { ordered_quantity: 7, ..Fulfilment::default() });
        let old = Order { fulfilment: given, ..old };
        let mut new = Order { lines: vec![line(3)], ..old.clone() };
        keep_sum(&old, &mut new);
        assert_eq!(new.fulfilment.unwrap().ordered_quantity, 7);
    }

    #[test]
    fn returns_are_kept_oldest_first() {
        let order = derived(Order { returns: vec![came_back(300, 1), came_back(200, 2)], ..order() });
        assert_eq!(order.returns, [came_back(200, 2), came_back(300, 1)]);
    }

    #[test]
    fn paid_in_full_means_that_the_total_is_paid() {
        let paid_at = |paid| Some(Payment { pay_time: at(150), paid, ..Payment::default() });
        let order = Order { payment: paid_at(None), ..order() };
        let order = derived(order);
        assert_eq!(order.payment, paid_at(euros(10)));

        // A row that contradicts itself is refused; a total that grows opens the order again.
        let mut order = Order { total: euros(12), ..order };
        assert_eq!(violated(&order), ["payment.paid"]);
        order.etag = "1-1".to_owned();
        assert_eq!(violated(&order), Vec::<String>::new());
        assert_eq!(derived(order).payment, Some(Payment { paid: euros(10), ..Payment::default() }));
    }
}
