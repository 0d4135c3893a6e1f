use contracts::orders::v1::{Order, OrdersRow, orders_row};
use prost::Message;

use super::*;

const ORDERS: &str = r#"
where = "quantity != 0"
group = "invoice"
[fields]
order_id = "invoice"
account_id = { template = "C-{customer}" }
currency = { constant = "EUR" }
placed_at = { column = "day", time_format = "[day].[month].[year]" }
total = { sum = "quantity * price", when = "quantity > 0" }
channel = [{ column = "via", when = "via in shop, phone", values = { shop = "in_person" } }, { constant = "web" }]
"fulfilment.papers_correct" = { column = "papers", values = { ok = "yes" } }
"placement.attempts" = { first = "tries", default = "1" }
[each.lines]
where = "quantity > 0"
[each.lines.fields]
product = "sku"
quantity = "quantity"
unit_price = "price"
[each.returns]
where = "quantity < 0"
by = "note"
[each.returns.fields]
return_time = { column = "day", time_format = "[day].[month].[year]" }
amount = { sum = "-quantity * price" }
responsible = { constant = "customer" }
"#;

const HEADER: [&str; 10] = ["invoice", "customer", "day", "sku", "quantity", "price", "via", "papers", "tries", "note"];

fn order(lines: &[[&str; 10]]) -> Result<Order, String> {
    let mut mapping = Mapping::parse(Kind::Orders, ORDERS).expect("a good mapping");
    mapping.bind(&HEADER).expect("the columns are there");
    let lines: Vec<Line> = lines.iter().enumerate().map(|(at, cells)| Line::new(at as u64 + 2, cells)).collect();
    let row = mapping.row(&lines).map_err(|(_, problem)| problem)?;
    match OrdersRow::decode(row.bytes.as_slice()).expect("a row").resource {
        Some(orders_row::Resource::Order(order)) => Ok(order),
        None => panic!("an order"),
    }
}

#[test]
fn lines_of_one_invoice_become_one_order() {
    let order = order(&[
        ["7", "9", "01.03.2026", "a", "3", "1.69", "shop", "ok", "", ""],
        ["7", "9", "01.03.2026", "b", "1", "0.015", "shop", "ok", "2", ""],
        ["7", "9", "05.03.2026", "a", "-1", "1.69", "", "", "", "n1"],
        ["7", "9", "05.03.2026", "b", "-1", "0.01", "", "", "", "n1"],
        ["7", "9", "06.03.2026", "a", "-1", "1.69", "", "", "", "n2"],
    ])
    .expect("a good order");
    assert_eq!(order.name, "accounts/C-9/orders/7");
    let total = order.total.expect("a total");
    assert_eq!((total.units, total.nanos), (5, 85_000_000));
    assert_eq!(order.lines.len(), 2);
    let placement = order.placement.expect("a placement");
    assert_eq!((placement.channel, placement.attempts), (4, 2));
    assert_eq!(order.fulfilment.expect("papers").papers_correct, Some(true));
    let returned: Vec<i32> = order.returns.iter().map(|back| back.amount.as_ref().expect("an amount").nanos).collect();
    assert_eq!(returned, [700_000_000, 690_000_000], "one for each note");
}

#[test]
fn factors_may_have_many_decimals() {
    let (quantity, price) = (format!("3.{}", "0".repeat(15)), format!("1.69{}", "0".repeat(15)));
    let told = order(&[["7", "9", "01.03.2026", "a", &quantity, &price, "web", "", "", ""]]);
    // A quantity is whole in the contract, but the sum is not what is wrong.
    let problem = told.expect_err("a quantity with decimals");
    assert!(!problem.contains("total"), "{problem}");
}

#[test]
fn an_alternative_that_does_not_apply_leaves_room_for_the_next() {
    let order = order(&[["7", "9", "01.03.2026", "a", "3", "1", "fax", "", "", ""]]).expect("a good order");
    assert_eq!(order.placement.expect("a placement").channel, 1);
    assert!(order.fulfilment.is_none());
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_column() {
    let problem = order(&[
        ["7", "9", "01.03.2026", "a", "3", "1", "", "", "", ""],
        ["7", "9", "soon", "a", "2", "a lot", "", "", "", ""],
        ["7", "9", "soon", "a", "-2", "1", "", "", "", ""],
    ])
    .expect_err("a bad order");
    for part in
        ["total: line 3: column `price`: `a lot`", "lines of line 3, price:", "returns of line 4, return_time: `soon`"]
    {
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn everything_wrong_with_a_mapping_is_said_at_once() {
    let text = r#"
colour = "blue"
where = "quantity above 0"
[fields]
order_id = { column = "id", constant = "x" }
total = { sum = "a *" }
placed = "day"
"fulfilment.promised" = "day"
account_id = { template = "{" }
channel = { column = "via", valeus = {} }
placed_at = { column = "day", time_format = "[dya]" }
cost = { default = "0" }
[each.line]
fields = { product = "sku" }
[each.lines.fields]
amount = "sku"
"#;
    let problems = Mapping::parse(Kind::Orders, text).expect_err("a bad mapping");
    let told = problems.join("\n");
    for part in [
        "colour: is unknown",
        "where: `quantity above 0`",
        "fields.order_id: needs exactly one of",
        "fields.total: `a *`",
        "fields.placed: `placed` is unknown",
        "fields.fulfilment.promised: `fulfilment.promised` is unknown: Fulfilment has promise_time",
        "fields.account_id: `{` is not a template",
        "fields.channel.valeus: is unknown",
        "fields.placed_at: `[dya]`",
        "fields.cost: needs exactly one of",
        "fields: amounts need `currency`",
        "each.line: `line` is not a list",
        "each.lines.fields.amount",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let problems = Mapping::parse(Kind::Accounts, "resource = \"order\"\n[fields]\n").expect_err("a bad mapping");
    assert!(problems[0].contains("account, contact, milestone"), "{problems:?}");
    assert_eq!(problems.iter().filter(|problem| problem.contains("is missing")).count(), 3);
    assert!(Mapping::parse(Kind::Orders, "[fields").is_err());
}

#[test]
fn a_path_and_its_flat_name_are_one_target() {
    let text = "[fields]\naccount_id = \"a\"\ndisplay_name = \"b\"\ncurrency_code = \"c\"\n";
    assert!(Mapping::parse(Kind::Accounts, text).is_ok());
}

#[test]
fn columns_that_are_not_there_are_all_named() {
    let mut mapping = Mapping::parse(Kind::Orders, ORDERS).expect("a good mapping");
    let problems = mapping.bind(&HEADER[2..]).expect_err("two are missing");
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().any(|problem| problem.contains("`customer`")), "{problems:?}");
}

#[test]
fn a_flat_header_names_what_is_unknown_and_what_is_missing() {
    let problems = Mapping::flat(Kind::Accounts, &["account_id", "name", "currency", "currency"]).expect_err("bad");
    let told = problems.join("\n");
    for part in [
        "unknown columns: `name`; known are account_id",
        "`display_name` is missing",
        "`opened_at` is missing",
        "twice",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn templates_have_columns_in_braces() {
    let piece = |name: &str| expression::Piece::Column(Column::new(name));
    let text = |text: &str| expression::Piece::Text(text.to_owned());
    assert_eq!(expression::template("{a}-{b c}"), Ok(vec![piece("a"), text("-"), piece("b c")]));
    assert_eq!(expression::template("{{a}}"), Ok(vec![text("{a}")]));
    for wrong in ["{a", "a}", "{}"] {
        assert!(expression::template(wrong).is_err(), "{wrong}");
    }
}
