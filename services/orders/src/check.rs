//! What is wrong with an order that cannot be.

use contracts::{
    common::v1::Money,
    orders::v1::{Cancellation, Order, OrderChannel, OrderLine, OrderReturn},
};
use methods::{Violations, money_nanos, to_micros};

use crate::order::{currency_code, is_row, quantity_of, returned, total};

/// The most lines that an order may have.
const MOST_LINES: usize = 2_000;
/// The most returns that an order may have.
pub(crate) const MOST_RETURNS: usize = 200;

/// Checks all that a client says of an order.
pub(crate) fn order(order: &Order, violations: &mut Violations) {
    violations.required_time("place_time", order.place_time.as_ref());
    violations.required_money("total", order.total.as_ref());
    let currency_code = currency_code(order);
    amount("list_total", order.list_total.as_ref(), currency_code, violations);
    amount("cost", order.cost.as_ref(), currency_code, violations);
    violations.at_most("lines", order.lines.len(), MOST_LINES);
    for (index, line) in order.lines.iter().take(MOST_LINES).enumerate() {
        violations.within(format!("lines[{index}]"), |violations| self::line(line, currency_code, violations));
    }
    if quantity_of(&order.lines).is_none() {
        violations.add("lines", "have more units together than can be counted");
    }
    placement(order, violations);
    fulfilment(order, violations);
    payment(order, violations);
    returns(order, violations);
    if let Some(cancellation) = &order.cancellation {
        violations.within("cancellation", |violations| {
            self::cancellation(cancellation, violations);
            if cancellation.cancel_time.is_none() {
                violations.add("cancel_time", "is required");
            }
        });
        not_shipped(order, violations);
    }
}

fn line(line: &OrderLine, currency_code: &str, violations: &mut Violations) {
    violations.text("product", &line.product, 1, 128);
    violations.text("description", &line.description, 0, 512);
    violations.integer("quantity", line.quantity, 1, i64::MAX);
    if line.unit_price.is_none() {
        violations.add("unit_price", "is required");
    }
    amount("unit_price", line.unit_price.as_ref(), currency_code, violations);
}

fn placement(order: &Order, violations: &mut Violations) {
    let Some(placement) = &order.placement else { return };
    violations.within("placement", |violations| {
        violations.known_enum::<OrderChannel>("channel", placement.channel);
        violations.integer("attempts", placement.attempts.into(), 0, 1_000);
        violations.integer("corrections", placement.corrections.unwrap_or_default().into(), 0, 1_000);
        violations.time("start_time", placement.start_time.as_ref());
        if let (Some(start_time), Some(place_time)) = (&placement.start_time, &order.place_time)
            && to_micros(start_time) > to_micros(place_time)
        {
            violations.add("start_time", "must not be after place_time");
        }
    });
}

fn fulfilment(order: &Order, violations: &mut Violations) {
    let Some(fulfilment) = &order.fulfilment else { return };
    violations.within("fulfilment", |violations| {
        violations.time("promise_time", fulfilment.promise_time.as_ref());
        violations.time("ship_time", fulfilment.ship_time.as_ref());
        violations.time("deliver_time", fulfilment.deliver_time.as_ref());
        let ship_time = fulfilment.ship_time.as_ref();
        violations.in_order("deliver_time", fulfilment.deliver_time.as_ref(), "ship_time", ship_time);
        violations.integer("ordered_quantity", fulfilment.ordered_quantity, 0, i64::MAX);
        arrived(fulfilment.delivered_quantity, fulfilment.damaged_quantity, violations);
    });
}

/// Checks how much arrived, and how much of that was damaged.
pub(crate) fn arrived(delivered: Option<i64>, damaged: Option<i64>, violations: &mut Violations) {
    violations.integer("delivered_quantity", delivered.unwrap_or_default(), 0, i64::MAX);
    violations.integer("damaged_quantity", damaged.unwrap_or_default(), 0, i64::MAX);
    if let (Some(delivered), Some(damaged)) = (delivered, damaged)
        && damaged > delivered
    {
        violations.add("damaged_quantity", "must not be more than delivered_quantity");
    }
}

fn payment(order: &Order, violations: &mut Violations) {
    let Some(payment) = &order.payment else { return };
    violations.within("payment", |violations| {
        violations.time("due_time", payment.due_time.as_ref());
        violations.time("pay_time", payment.pay_time.as_ref());
        amount("paid", payment.paid.as_ref(), currency_code(order), violations);
        let Some(paid) = &payment.paid else { return };
        if money_nanos(paid) > total(order) {
            violations.add("paid", "must not be more than the order's total");
        }
        // A change of the total may open a paid order again, see `derive`; a row that says both contradicts itself.
        if is_row(order) && payment.pay_time.is_some() && money_nanos(paid) < total(order) {
            violations.add("paid", "must be the order's total where pay_time says that it is paid in full");
        }
    });
}

fn returns(order: &Order, violations: &mut Violations) {
    violations.at_most("returns", order.returns.len(), MOST_RETURNS);
    for (index, order_return) in order.returns.iter().take(MOST_RETURNS).enumerate() {
        violations.within(format!("returns[{index}]"), |violations| {
            self::order_return(order_return, violations);
            if order_return.return_time.is_none() {
                violations.add("return_time", "is required");
            }
            in_currency("amount", order_return.amount.as_ref(), currency_code(order), violations);
            let (return_time, place_time) = (order_return.return_time.as_ref(), order.place_time.as_ref());
            violations.in_order("return_time", return_time, "place_time", place_time);
        });
    }
    if returned(order) > total(order) {
        violations.add("returns", "are together worth more than the order's total");
    }
}

/// Checks what a return says by itself.
pub(crate) fn order_return(order_return: &OrderReturn, violations: &mut Violations) {
    violations.time("return_time", order_return.return_time.as_ref());
    if order_return.amount.is_none() {
        violations.add("amount", "is required");
    }
    positive("amount", order_return.amount.as_ref(), violations);
    violations.party("responsible", order_return.responsible);
    violations.text("reason", &order_return.reason, 0, 1_024);
    violations.time("refund_time", order_return.refund_time.as_ref());
}

/// Checks what a cancellation says by itself.
pub(crate) fn cancellation(cancellation: &Cancellation, violations: &mut Violations) {
    violations.time("cancel_time", cancellation.cancel_time.as_ref());
    violations.party("party", cancellation.party);
    violations.text("reason", &cancellation.reason, 0, 1_024);
}

/// Checks an amount that must be more than 0, if given.
pub(crate) fn positive(field: &str, money: Option<&Money>, violations: &mut Violations) {
    violations.money(field, money);
    if money.is_some_and(|money| money_nanos(money) == 0) {
        violations.add(field, "must be more than 0");
    }
}

/// An order is cancelled before it is shipped, or not at all.
fn not_shipped(order: &Order, violations: &mut Violations) {
    let fulfilment = order.fulfilment.unwrap_or_default();
    for (field, is_set) in [
        ("fulfilment.ship_time", fulfilment.ship_time.is_some()),
        ("fulfilment.deliver_time", fulfilment.deliver_time.is_some()),
        ("returns", !order.returns.is_empty()),
    ] {
        if is_set {
            violations.add(field, "cannot be set beside a cancellation");
        }
    }
}

/// Checks an amount that has to be in the order's currency, if given.
fn amount(field: &str, money: Option<&Money>, currency_code: &str, violations: &mut Violations) {
    violations.money(field, money);
    in_currency(field, money, currency_code, violations);
}

fn in_currency(field: &str, money: Option<&Money>, currency_code: &str, violations: &mut Violations) {
    if let Some(money) = money
        && !currency_code.is_empty()
        && money.currency_code != currency_code
    {
        violations.add(&format!("{field}.currency_code"), "must be that of the order's total");
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::v1::{Fulfilment, Payment, Placement};

    use super::*;
    use crate::samples::{at, came_back, euros, line, order, violated};

    #[test]
    fn an_untidy_but_possible_order_passes() {
        let order = Order {
            lines: vec![line(2)],
            placement: Some(Placement { start_time: at(100), attempts: 1_000, ..Placement::default() }),
            fulfilment: Some(Fulfilment {
                promise_time: at(300),
                // Sent before the paperwork was done, and more than was ordered.
                ship_time: at(90),
                deliver_time: at(90),
                delivered_quantity: Some(3),
                damaged_quantity: Some(3),
                ..Fulfilment::default()
            }),
            payment: Some(Payment { pay_time: at(50), ..Payment::default() }),
            returns: vec![came_back(200, 4), came_back(100, 6)],
            ..order()
        };
        assert_eq!(violated(&order), Vec::<String>::new());
    }

    #[test]
    fn every_impossible_thing_is_named() {
        let order = Order {
            list_total: Some(Money { currency_code: "USD".to_owned(), units: 1, nanos: 0 }),
            cost: euros(-1),
            lines: vec![line(1), OrderLine { quantity: 0, ..OrderLine::default() }],
            placement: Some(Placement { channel: 99, attempts: -1, corrections: Some(1_001), start_time: at(101) }),
            fulfilment: Some(Fulfilment {
                ship_time: at(20),
                deliver_time: at(10),
                ordered_quantity: -1,
                delivered_quantity: Some(1),
                damaged_quantity: Some(2),
                ..Fulfilment::default()
            }),
            payment: Some(Payment { paid: euros(11), ..Payment::default() }),
            returns: vec![OrderReturn { amount: euros(0), ..came_back(99, 0) }, came_back(100, 11)],
            cancellation: Some(Cancellation::default()),
            ..order()
        };
        let wanted = [
            "list_total.currency_code",
            "cost",
            "lines[1].product",
            "lines[1].quantity",
            "lines[1].unit_price",
            "placement.channel",
            "placement.attempts",
            "placement.corrections",
            "placement.start_time",
            "fulfilment.deliver_time",
            "fulfilment.ordered_quantity",
            "fulfilment.damaged_quantity",
            "payment.paid",
            "returns[0].amount",
            "returns[0].return_time",
            "returns",
            "cancellation.party",
            "cancellation.cancel_time",
            "fulfilment.ship_time",
            "fulfilment.deliver_time",
            "returns",
        ];
        assert_eq!(violated(&order), wanted);
        assert_eq!(violated(&Order::default()), ["place_time", "total"]);
    }

    #[test]
    fn lists_end_somewhere_and_quantities_can_be_counted() {
        let endless = Order { lines: vec![line(1); 2_001], returns: vec![came_back(100, 0); 201], ..order() };
        let blamed = violated(&endless);
        assert!(blamed.contains(&"lines".to_owned()) && blamed.contains(&"returns".to_owned()), "{blamed:?}");
        let uncountable = Order { lines: vec![line(i64::MAX), line(1)], ..order() };
        assert_eq!(violated(&uncountable), ["lines"]);
    }
}
