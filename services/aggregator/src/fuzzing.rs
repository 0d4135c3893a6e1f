//! What reads foreign text and foreign documents, for the fuzz targets of `tests/fuzz` and for nobody else: it changes as
//! the code does.

use dynamics::Facts;
use runtime::Fault;

use crate::{
    evidence::Source,
    filter::{self, Value},
};

/// Reads a filter: its comparisons, each as field, operator and value, as a filter writes them.
///
/// # Errors
/// As for a list that is asked with this filter.
pub fn filter(text: &str) -> Result<Vec<[String; 3]>, Fault> {
    let comparisons = filter::parse(text)?.into_iter().map(|comparison| {
        let operator = if comparison.operator == "<>" { "!=" } else { comparison.operator };
        let value = match comparison.value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("\"{text}\""),
        };
        [comparison.column, operator.to_owned(), value]
    });
    Ok(comparisons.collect())
}

/// Reads an order: the figure in SQL, if there is one, and whether the largest comes first.
///
/// # Errors
/// As for a list that is asked with this order.
pub fn order(text: &str) -> Result<(Option<String>, bool), Fault> {
    filter::parse_order(text).map(|order| (order.column, order.descending))
}

/// A document of a feed, and what is made of it.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// The document, written anew.
    pub encoded: Vec<u8>,
    /// What it says.
    pub facts: Facts,
    /// What it said at the time that was asked for.
    pub facts_then: Facts,
    /// What happened, in words.
    pub moments: Vec<String>,
}

/// Reads a document of a feed; nothing if it is not one of this kind.
pub fn document(kind: &str, bytes: &[u8], then: i64) -> Option<Document> {
    let source = Source::decode(kind, bytes).ok()?;
    Some(Document {
        encoded: source.encode(),
        facts: source.facts(),
        facts_then: source.as_of(then).map_or_else(Facts::default, |source| source.facts()),
        moments: source.moments().into_iter().map(|moment| moment.text).collect(),
    })
}
