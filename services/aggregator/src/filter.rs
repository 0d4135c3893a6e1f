//! The filter and the order of a list of assessments: parsed, checked against the known fields, made into SQL.

use contracts::assessments::v1::Stage;
use contracts::common::v1::ErrorReason;
use runtime::{Fault, Violation};

use crate::standing;

/// The field that is no figure.
pub(crate) const STAGE: &str = "stage";
/// The longest filter, in bytes.
const LONGEST: usize = 2_048;

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// For figures.
    Number(f64),
    /// For the stage.
    Text(String),
}

/// `FIELD OPERATOR VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    /// A figure of standings, or the stage.
    pub(crate) column: String,
    /// `<`, `<=`, `>`, `>=`, `=` or `<>`.
    pub(crate) operator: &'static str,
    /// The right side.
    pub(crate) value: Value,
}

/// What a list is ordered by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Order {
    /// A figure of standings, or the stage, by how far along it is; none for the account alone.
    pub(crate) column: Option<String>,
    /// Whether the largest comes first.
    pub(crate) descending: bool,
}

/// Parses comparisons joined by AND.
///
/// # Errors
/// A fault with `ERROR_REASON_FILTER_INVALID` and the position.
pub(crate) fn parse(filter: &str) -> Result<Vec<Comparison>, Fault> {
    if filter.len() > LONGEST {
        return Err(wrong("filter", LONGEST, format!("is longer than {LONGEST} bytes")));
    }
    let mut scanner = Scanner { text: filter, at: 0 };
    let mut comparisons = Vec::new();
    scanner.skip_space();
    if scanner.rest().is_empty() {
        return Ok(comparisons);
    }
    loop {
        comparisons.push(comparison(&mut scanner)?);
        if scanner.rest().is_empty() {
            return Ok(comparisons);
        }
        let at = scanner.at;
        if !scanner.word().eq_ignore_ascii_case("and") {
            return Err(wrong("filter", at, "expected AND between comparisons".to_owned()));
        }
    }
}

fn comparison(scanner: &mut Scanner<'_>) -> Result<Comparison, Fault> {
    let at = scanner.at;
    let field = scanner.word().to_owned();
    let is_stage = field == STAGE;
    if !is_stage && !standing::names().contains(&field) {
        return Err(wrong("filter", at, format!("there is no field `{field}`; {}", known())));
    }
    let at = scanner.at;
    let operator =
        scanner.operator().ok_or_else(|| wrong("filter", at, "expected one of < <= > >= = !=".to_owned()))?;
    let at = scanner.at;
    let value = if is_stage {
        if !matches!(operator, "=" | "<>") {
            return Err(wrong("filter", at, "a stage is compared with = or !=".to_owned()));
        }
        let name = scanner.quoted().map(str::to_lowercase);
        let name = name.filter(|name| stages().any(|stage| stage == *name));
        let stages = stages().collect::<Vec<_>>().join(", ");
        Value::Text(name.ok_or_else(|| wrong("filter", at, format!("expected a stage in quotes: {stages}")))?)
    } else {
        let number = scanner.word().parse::<f64>().ok().filter(|number| number.is_finite());
        Value::Number(number.ok_or_else(|| wrong("filter", at, "expected a number".to_owned()))?)
    };
    Ok(Comparison { column: field, operator, value })
}

/// Parses `FIELD` or `FIELD desc`.
///
/// # Errors
/// A fault with `ERROR_REASON_FILTER_INVALID`.
pub(crate) fn parse_order(order_by: &str) -> Result<Order, Fault> {
    let is_known = |column: &str| column == STAGE || standing::names().iter().any(|name| name == column);
    read_order(order_by, is_known, known)
}

/// Reads an order by one of the fields of a list.
///
/// # Errors
/// As [`parse_order`].
pub(crate) fn read_order(
    order_by: &str,
    is_field: impl Fn(&str) -> bool,
    known: impl Fn() -> String,
) -> Result<Order, Fault> {
    let words: Vec<&str> = order_by.split_whitespace().collect();
    let (column, descending) = match words.as_slice() {
        [] => return Ok(Order::default()),
        [column] => (*column, false),
        [column, direction] if direction.eq_ignore_ascii_case("desc") => (*column, true),
        [column, direction] if direction.eq_ignore_ascii_case("asc") => (*column, false),
        _ => return Err(wrong("order_by", 0, "expected a field, or a field and desc".to_owned())),
    };
    if !is_field(column) {
        return Err(wrong("order_by", 0, format!("there is no field `{column}`; {}", known())));
    }
    Ok(Order { column: Some(column.to_owned()), descending })
}

/// The stage's name in filters and in the table, such as "commitment".
pub(crate) fn stage_name(stage: Stage) -> String {
    stage.as_str_name().trim_start_matches("STAGE_").to_lowercase()
}

/// A stage as a figure: how far along it is, from awareness to dissolution.
pub(crate) fn stage_rank(name: &str) -> Option<f64> {
    stages().zip(1..).find(|(stage, _)| stage == name).map(|(_, rank)| f64::from(rank))
}

/// The names of the stages, in order.
pub(crate) fn stages() -> impl Iterator<Item = String> {
    [Stage::Awareness, Stage::Exploration, Stage::Expansion, Stage::Commitment, Stage::Dissolution]
        .into_iter()
        .map(stage_name)
}

fn known() -> String {
    "known are stage, bond, gap, trust_gap, confidence, velocity, and customer_ and provider_ index, rapport, trust, \
     loyalty, ease, value, each also with _confidence and _velocity"
        .to_owned()
}

fn wrong(field: &str, position: usize, description: String) -> Fault {
    let violation = Violation::new(field, format!("at {position}: {description}"));
    Fault::invalid(ErrorReason::FilterInvalid.as_str_name(), vec![violation]).with("position", position.to_string())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = &self.rest()[..bytes];
        self.at += bytes;
        self.skip_space();
        taken
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest().find(|char: char| !(char.is_ascii_alphanumeric() || "_.+-".contains(char)));
        self.take(end.unwrap_or(self.rest().len()))
    }

    fn operator(&mut self) -> Option<&'static str> {
        let (text, operator) = [("<=", "<="), (">=", ">="), ("!=", "<>"), ("<", "<"), (">", ">"), ("=", "=")]
            .into_iter()
            .find(|(text, _)| self.rest().starts_with(text))?;
        self.take(text.len());
        Some(operator)
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let inside = self.rest().strip_prefix('"')?;
        let length = inside.find('"')?;
        let taken = self.take(length + 2);
        Some(&taken[1..=length])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comparisons_are_read() {
        let parsed = parse(r#"bond < 40 AND stage != "Commitment" and customer_trust_velocity<=-5.5"#).unwrap();
        let number = |column: &str, operator, value| Comparison {
            column: column.to_owned(),
            operator,
            value: Value::Number(value),
        };
        let stage =
            Comparison { column: "stage".to_owned(), operator: "<>", value: Value::Text("commitment".to_owned()) };
        assert_eq!(parsed, [number("bond", "<", 40.0), stage, number("customer_trust_velocity", "<=", -5.5)]);
        assert_eq!(parse("  ").unwrap(), []);
    }

    #[test]
    fn mistakes_are_located() {
        for (filter, position) in [
            ("bonds < 4", "0"),
            ("bond ~ 4", "5"),
            ("bond < x", "7"),
            ("bond < 4 or gap > 1", "9"),
            ("stage = commitment", "8"),
            ("stage < \"commitment\"", "8"),
            ("bond < 4 and", "12"),
            ("bond < NaN", "7"),
        ] {
            let fault = parse(filter).unwrap_err();
            assert_eq!(fault.metadata(), [("position", position.to_owned())], "{filter}");
        }
    }

    #[test]
    fn orders_are_read() {
        assert_eq!(parse_order("").unwrap(), Order::default());
        assert_eq!(parse_order("gap desc").unwrap(), Order { column: Some("gap".to_owned()), descending: true });
        assert_eq!(parse_order("stage desc").unwrap(), Order { column: Some("stage".to_owned()), descending: true });
        assert!(stage_rank("exploration") < stage_rank("dissolution") && stage_rank("friendship").is_none());
        assert!(parse_order("account").is_err());
        assert!(parse_order("gap; drop table standings").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
            let _ = parse_order(&text);
        }
    }
}
