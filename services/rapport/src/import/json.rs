//! Reads JSON Lines: a resource, or a row of the contract, in proto JSON on each line.

use std::io::{self, BufRead, BufReader, Read};

use prost_reflect::{DeserializeOptions, DynamicMessage, Kind as FieldKind, MessageDescriptor};
use serde_json::Value;

use super::{
    draft::{self, Row},
    resource::Kind,
};

/// A line holds no more than this.
const LARGEST_LINE: u64 = 4 << 20;

/// Lines of text that are being read.
pub(crate) struct Lines {
    inner: BufReader<Box<dyn Read + Send>>,
    number: u64,
}

impl Lines {
    pub(crate) fn open(inner: Box<dyn Read + Send>) -> Self {
        Self { inner: BufReader::new(inner), number: 0 }
    }

    /// The line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or what is wrong with it; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<String, String>>> {
        let mut bytes = Vec::new();
        let count = self.inner.by_ref().take(LARGEST_LINE).read_until(b'\n', &mut bytes)?;
        if count == 0 {
            return Ok(None);
        }
        self.number += 1;
        if count as u64 == LARGEST_LINE && !bytes.ends_with(b"\n") {
            self.inner.skip_until(b'\n')?;
            return Ok(Some(Err("the line is longer than 4 MiB".to_owned())));
        }
        if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let text = String::from_utf8(bytes);
        Ok(Some(text.map_err(|error| {
            format!("not UTF-8 at byte {}: save the file as UTF-8", error.utf8_error().valid_up_to() + 1)
        })))
    }
}

/// The row that a line says, or its name as far as it is known and what is wrong.
pub(crate) fn row(kind: Kind, text: &str) -> Result<Row, (String, String)> {
    let unnamed = |problem: String| (String::new(), problem);
    // A line of JSON is all that the parser knows of: it speaks of line 1.
    let broken = |error: serde_json::Error| unnamed(error.to_string().replace(" at line 1 column ", " at column "));
    let value: Value = serde_json::from_str(text).map_err(broken)?;
    let Value::Object(fields) = &value else {
        return Err(unnamed("not a JSON object".to_owned()));
    };
    let (resource, content) = match wrapped(kind, fields) {
        Some((resource, content)) => (resource, content.clone()),
        None => (kind.resource(), value),
    };
    let name = content.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let message = decode(resource.message(), content).map_err(|problem| (name.clone(), problem))?;
    if name.is_empty() {
        return Err(unnamed("`name` is missing".to_owned()));
    }
    Ok(Row { name, bytes: draft::wrap(resource, message) })
}

/// The resource of a line such as `{"contact": {…}}`.
fn wrapped(
    kind: Kind,
    fields: &serde_json::Map<String, Value>,
) -> Option<(&'static super::resource::Resource, &Value)> {
    let (key, content) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let row = kind.row();
    let field = row.fields().find(|field| field.name() == key || field.json_name() == key)?;
    Some((kind.resource_named(field.name()).ok()?, content))
}

fn decode(of: MessageDescriptor, content: Value) -> Result<DynamicMessage, String> {
    let copy = content.clone();
    read(of.clone(), content).map_err(|problem| {
        let mut problems = Vec::new();
        blame(&of, &copy, "", &mut problems);
        if problems.is_empty() { problem } else { problems.join("; ") }
    })
}

fn read(of: MessageDescriptor, content: Value) -> Result<DynamicMessage, String> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(of, content, &options).map_err(|error| error.to_string())
}

/// Finds the fields that cannot be read, by reading each alone.
fn blame(of: &MessageDescriptor, content: &Value, path: &str, problems: &mut Vec<String>) {
    for (key, value) in content.as_object().into_iter().flatten() {
        let alone = Value::Object([(key.clone(), value.clone())].into_iter().collect());
        let Err(problem) = read(of.clone(), alone) else { continue };
        let path = format!("{path}{key}");
        let field = of.fields().find(|field| field.name() == key || field.json_name() == key);
        let before = problems.len();
        if let Some(FieldKind::Message(inner)) = field.filter(|field| !field.is_map()).map(|field| field.kind()) {
            match value {
                Value::Array(entries) => {
                    for (index, entry) in entries.iter().enumerate() {
                        blame(&inner, entry, &format!("{path}[{index}]."), problems);
                    }
                }
                value => blame(&inner, value, &format!("{path}."), problems),
            }
        }
        if problems.len() == before {
            problems.push(format!("{path}: {problem}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn a_line_is_a_resource_or_a_row() {
        let text = r#"{"name": "accounts/acme", "displayName": "Acme", "currencyCode": "EUR", "openTime": "2026-03-01T00:00:00Z"}"#;
        let plain = row(Kind::Accounts, text).expect("an account");
        let wrapped = row(Kind::Accounts, &format!(r#"{{"account": {text}}}"#)).expect("a row");
        assert_eq!(plain.bytes, wrapped.bytes);
        assert_eq!(plain.name, "accounts/acme");
        let contact = r#"{"contact": {"name": "accounts/acme/contacts/ann", "display_name": "Ann"}}"#;
        let contact = row(Kind::Accounts, contact).expect("a contact");
        let contact = contracts::accounts::v1::AccountsRow::decode(contact.bytes.as_slice()).expect("a row");
        assert!(matches!(contact.resource, Some(contracts::accounts::v1::accounts_row::Resource::Contact(_))));
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        for (text, part) in [
            ("{", "EOF while parsing an object at column 1"),
            ("[]", "not a JSON object"),
            (r#"{"name": "accounts/a", "colour": 1}"#, "colour: "),
            (r#"{"display_name": "A"}"#, "`name` is missing"),
            (r#"{"name": "accounts/a", "open_time": "soon"}"#, "open_time: "),
            (r#"{"name": "accounts/a", "closure": {"party": "NOBODY", "close_time": 7}}"#, "closure.party: "),
            (r#"{"name": "accounts/a", "closure": {"party": "NOBODY", "close_time": 7}}"#, "closure.close_time: "),
        ] {
            let (_, problem) = row(Kind::Accounts, text).expect_err("a bad line");
            assert!(problem.contains(part), "{text}: {problem}");
        }
        let lines = r#"{"name": "accounts/a/orders/1", "lines": [{"product": "tea"}, {"quantity": "two"}]}"#;
        let (name, problem) = row(Kind::Orders, lines).expect_err("a bad line");
        assert!(name == "accounts/a/orders/1" && problem.starts_with("lines[1].quantity: "), "{problem}");
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_and_the_next_one_is_read() {
        let text = format!("\u{feff}{{}}\n{}\n[]\n", "x".repeat(LARGEST_LINE as usize + 1));
        let mut lines = Lines::open(Box::new(&*text.into_bytes().leak()));
        assert_eq!(lines.next().expect("readable"), Some(Ok("{}\n".to_owned())));
        assert!(lines.next().expect("readable").is_some_and(|line| line.is_err()));
        assert_eq!(lines.next().expect("readable"), Some(Ok("[]\n".to_owned())));
        assert_eq!(lines.number(), 3);
    }
}
