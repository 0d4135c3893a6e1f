//! Conditions on a line: `quantity > 0`, `invoice starts_with C`, `score not_empty`.

use std::cmp::Ordering;

use super::{Column, Line};
use crate::import::decimal::Decimal;

/// A condition on a line: one of these holds.
#[derive(Clone, Debug)]
pub(super) struct Condition(Vec<Comparison>);

/// A comparison with one column of a line.
#[derive(Clone, Debug)]
struct Comparison {
    column: Column,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Empty(bool),
    Is(String, bool),
    StartsWith(String, bool),
    Contains(String, bool),
    In(Vec<String>),
    Compare(Decimal, &'static [Ordering]),
}

const KNOWN: &str = "=, !=, <, <=, >, >=, in, starts_with, not_starts_with, contains, not_contains, empty, not_empty";

impl Condition {
    /// Reads `column operator value`, or several of these joined by `or`. Columns and values may have spaces in them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let comparisons = words.split(|word| *word == "or").map(|words| Comparison::parse(words, text));
        comparisons.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn holds(&self, line: &Line) -> bool {
        self.0.iter().any(|comparison| comparison.holds(line))
    }

    pub(super) fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        self.0.iter_mut().for_each(|comparison| visit(&mut comparison.column));
    }
}

impl Comparison {
    fn parse(words: &[&str], text: &str) -> Result<Self, String> {
        for (at, word) in words.iter().enumerate().skip(1) {
            let value = words[at + 1..].join(" ");
            let Some(test) = test(word, &value) else {
                continue;
            };
            return Ok(Self {
                column: Column::new(&words[..at].join(" ")),
                test: test.map_err(|problem| format!("`{text}`: {problem}"))?,
            });
        }
        Err(format!("`{text}` is not a condition: write `column operator value` with one of {KNOWN}"))
    }

    fn holds(&self, line: &Line) -> bool {
        let cell = self.column.of(line).trim();
        match &self.test {
            Test::Empty(wanted) => cell.is_empty() == *wanted,
            Test::Is(value, wanted) => (cell == value) == *wanted,
            Test::StartsWith(value, wanted) => cell.starts_with(value) == *wanted,
            Test::Contains(value, wanted) => cell.contains(value) == *wanted,
            Test::In(values) => values.iter().any(|value| value == cell),
            Test::Compare(value, wanted) => {
                let order = cell.parse::<Decimal>().ok().and_then(|number| number.compare(*value));
                order.is_some_and(|order| wanted.contains(&order))
            }
        }
    }
}

fn test(word: &str, value: &str) -> Option<Result<Test, String>> {
    use Ordering::{Equal, Greater, Less};
    let text = || value.to_owned();
    let than = |wanted: &'static [Ordering]| value.parse().map(|number| Test::Compare(number, wanted));
    Some(match word {
        "empty" | "not_empty" if value.is_empty() => Ok(Test::Empty(word == "empty")),
        "empty" | "not_empty" => Err(format!("nothing can follow {word}")),
        "=" => Ok(Test::Is(text(), true)),
        "!=" => Ok(Test::Is(text(), false)),
        "starts_with" => Ok(Test::StartsWith(text(), true)),
        "not_starts_with" => Ok(Test::StartsWith(text(), false)),
        "contains" => Ok(Test::Contains(text(), true)),
        "not_contains" => Ok(Test::Contains(text(), false)),
        "in" => Ok(Test::In(value.split(',').map(|one| one.trim().to_owned()).collect())),
        "<" => than(&[Less]),
        "<=" => than(&[Less, Equal]),
        ">" => than(&[Greater]),
        ">=" => than(&[Greater, Equal]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, cell: &str) -> bool {
        let condition = Condition::parse(condition).expect("a condition");
        condition.holds(&Line::new(2, &[cell]))
    }

    #[test]
    fn conditions_read_like_words() {
        assert!(holds("quantity > 0", "0.5"));
        assert!(!holds("quantity > 0", "-1"));
        assert!(!holds("quantity > 0", "many"), "what is no number is not more");
        assert!(holds("Order ID not_empty", "7"));
        assert!(holds("invoice starts_with C", "C12"));
        assert!(holds("reason in pricing, budget", "budget"));
        assert!(holds("text empty or text in pricing, budget", "budget"));
        assert!(holds("text = switched to competitor", "switched to competitor"));
        assert!(!holds("text not_contains rival", "a rival's offer"));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for wrong in ["", "quantity", "> 0", "quantity above 0", "quantity > few", "text empty please"] {
            assert!(Condition::parse(wrong).is_err(), "{wrong}");
        }
    }
}
