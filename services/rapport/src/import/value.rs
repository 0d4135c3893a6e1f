//! What the text of a cell says, by the type of the field that it is for.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, Value};
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, Time,
    format_description::{OwnedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

use super::decimal::Decimal;

/// How a file writes its times, where that is neither RFC 3339 nor a date.
#[derive(Clone, Debug)]
pub(crate) struct TimeFormat {
    text: String,
    items: OwnedFormatItem,
}

impl TimeFormat {
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let wrong = |problem: String| format!("`{text}` is not a time format: {problem}");
        if has_nested_brackets(text) {
            // Nobody writes these, and `time` 0.3.55 asserts what is not so where they are malformed.
            return Err(wrong("brackets stand in brackets".to_owned()));
        }
        let items = time::format_description::parse_owned::<2>(text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { text: text.to_owned(), items })
    }

    /// The time that `text` names. Without an offset it is UTC; without an hour it is midnight.
    pub(crate) fn read(&self, text: &str) -> Result<OffsetDateTime, String> {
        let text = text.trim();
        let read = if self.text.contains("[offset") {
            OffsetDateTime::parse(text, &self.items)
        } else if self.text.contains("[hour") {
            PrimitiveDateTime::parse(text, &self.items).map(PrimitiveDateTime::assume_utc)
        } else {
            Date::parse(text, &self.items).map(|date| date.with_time(Time::MIDNIGHT).assume_utc())
        };
        read.map_err(|_| format!("`{text}` is not a time written like `{}`", self.text))
    }
}

/// Whether a bracket opens before the one before it has closed; one behind a backslash is text.
fn has_nested_brackets(format: &str) -> bool {
    let mut is_open = false;
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '[' if is_open => return true,
            '[' => is_open = true,
            ']' => is_open = false,
            _ => {}
        }
    }
    false
}

/// The time that a text in RFC 3339 names; a date is its beginning in UTC.
pub(crate) fn read_time(text: &str) -> Result<OffsetDateTime, String> {
    let text = text.trim();
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    if let Ok(date) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Ok(date.with_time(Time::MIDNIGHT).assume_utc());
    }
    if OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).is_ok() {
        return Err(format!("`{text}` does not say its time zone: add Z or an offset such as +01:00"));
    }
    Err(format!("`{text}` is not a time: write it like 2026-03-01T10:15:00Z or 2026-03-01"))
}

/// The value of a field that is not money, from a text that is not empty.
pub(crate) fn read(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    if field.is_list() {
        let single = text.split(';').filter(|part| !part.trim().is_empty());
        return Ok(Value::List(single.map(|part| one(field, part.trim())).collect::<Result<_, _>>()?));
    }
    one(field, text)
}

fn one(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let whole = || format!("`{trimmed}` is not a whole number");
    match field.kind() {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bool => flag(trimmed).map(Value::Bool),
        Kind::Int32 => trimmed.parse().map(Value::I32).map_err(|_| whole()),
        Kind::Int64 => trimmed.parse().map(Value::I64).map_err(|_| whole()),
        Kind::Double => number(trimmed).map(Value::F64),
        Kind::Enum(of) => choice(&of, trimmed).map(Value::EnumNumber),
        Kind::Message(of) if of.full_name() == "google.protobuf.Timestamp" => {
            let time = read_time(trimmed)?;
            Ok(seconds_and_nanos(DynamicMessage::new(of), time.unix_timestamp(), time.nanosecond()))
        }
        Kind::Message(of) if of.full_name() == "google.protobuf.Duration" => duration(of, trimmed),
        other => Err(format!("{} cannot be read from a text: it is a {other:?}", field.name())),
    }
}

/// A `google.type.Money`-shaped message of this type.
pub(crate) fn money(field: &FieldDescriptor, currency: &str, amount: Decimal) -> Result<Value, String> {
    let Kind::Message(of) = field.kind() else {
        return Err(format!("{} is not an amount", field.name()));
    };
    let (units, nanos) = amount.units_and_nanos()?;
    let mut money = DynamicMessage::new(of);
    money.set_field_by_name("currency_code", Value::String(currency.to_owned()));
    money.set_field_by_name("units", Value::I64(units));
    money.set_field_by_name("nanos", Value::I32(nanos));
    Ok(Value::Message(money))
}

/// Whether a field holds an amount of money.
pub(crate) fn is_money(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(of) if of.full_name() == "rapport.common.v1.Money")
}

/// A finite number.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("`{}` is not a number", text.trim())),
    }
}

/// The number of an enum's value, by its name without prefix, whatever its case, spaces and hyphens.
pub(crate) fn choice(of: &EnumDescriptor, text: &str) -> Result<i32, String> {
    let prefix = prefix(of.name());
    let asked = letters(text.trim());
    let known = || of.values().filter(|value| value.number() != 0);
    for value in known() {
        let short = value.name().strip_prefix(&prefix).unwrap_or(value.name());
        if letters(short) == asked || letters(value.name()) == asked {
            return Ok(value.number());
        }
    }
    let names: Vec<String> =
        known().map(|value| value.name().strip_prefix(&prefix).unwrap_or(value.name()).to_lowercase()).collect();
    Err(format!("`{}` is not one of {}", text.trim(), names.join(", ")))
}

/// The name of an enum's value without prefix, in lower case.
pub(crate) fn short_name(enum_name: &str, value_name: &str) -> String {
    value_name.strip_prefix(&prefix(enum_name)).unwrap_or(value_name).to_lowercase()
}

fn prefix(enum_name: &str) -> String {
    let mut prefix = String::new();
    for letter in enum_name.chars() {
        if letter.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.push(letter.to_ascii_uppercase());
    }
    prefix + "_"
}

fn letters(text: &str) -> String {
    let kept = text.chars().filter(|letter| !matches!(letter, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

fn flag(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

fn duration(of: prost_reflect::MessageDescriptor, text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is not a number of seconds");
    let seconds: Decimal = text.strip_suffix('s').unwrap_or(text).parse().map_err(|_| wrong())?;
    let (seconds, nanos) = seconds.units_and_nanos().map_err(|_| wrong())?;
    let nanos = u32::try_from(nanos).map_err(|_| format!("`{text}` is less than no time"))?;
    if seconds < 0 {
        return Err(format!("`{text}` is less than no time"));
    }
    Ok(seconds_and_nanos(DynamicMessage::new(of), seconds, nanos))
}

fn seconds_and_nanos(mut message: DynamicMessage, seconds: i64, nanos: u32) -> Value {
    message.set_field_by_name("seconds", Value::I64(seconds));
    message.set_field_by_name("nanos", Value::I32(i32::try_from(nanos).unwrap_or_default()));
    Value::Message(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    fn unix(text: &str) -> Result<i64, String> {
        read_time(text).map(OffsetDateTime::unix_timestamp)
    }

    #[test]
    fn times_are_rfc_3339_or_dates() {
        assert_eq!(unix("2026-03-01"), Ok(1_772_323_200));
        assert_eq!(unix("2026-03-01T10:15:00Z"), Ok(1_772_360_100));
        assert_eq!(unix("2026-03-01T11:15:00+01:00"), Ok(1_772_360_100));
        assert!(unix("2026-03-01T10:15:00").is_err_and(|problem| problem.contains("time zone")));
        for wrong in ["", "01/03/2026", "2026-02-30", "soon"] {
            assert!(unix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_files_own_time_format_is_read() {
        let read = |format: &str, text: &str| {
            TimeFormat::new(format).and_then(|format| format.read(text)).map(OffsetDateTime::unix_timestamp)
        };
        assert_eq!(read("[day]/[month]/[year]", "01/03/2026"), Ok(1_772_323_200));
        assert_eq!(read("[year]-[month]-[day] [hour padding:none]:[minute]", "2026-03-01 3:00"), Ok(1_772_334_000));
        assert!(read("[day]/[month]/[year]", "2026-03-01").is_err());
        assert!(TimeFormat::new("[dy]").is_err());
        for nested in ["[year]-[mo[[nth]-[day]", "[optional [[hour]]]", "[a["] {
            assert!(TimeFormat::new(nested).is_err_and(|problem| problem.contains("in brackets")), "{nested}");
        }
        assert!(read(r"\[[year]-[month]-[day]\]", "[2026-03-01]").is_ok());
    }

    #[test]
    fn enum_values_are_forgiving_and_say_what_is_known() {
        let channel = contract::pool().get_enum_by_name("rapport.interactions.v1.InteractionChannel").expect("it");
        for text in ["in_person", "In-Person", "in person", "INTERACTION_CHANNEL_IN_PERSON"] {
            assert_eq!(choice(&channel, text), Ok(3), "{text}");
        }
        assert_eq!(choice(&channel, "e-mail"), Ok(2));
        let problem = choice(&channel, "pigeon").expect_err("no such channel");
        assert!(problem.contains("phone, email, in_person"), "{problem}");
        assert!(choice(&channel, "unspecified").is_err());
        assert_eq!(short_name("InteractionChannel", "INTERACTION_CHANNEL_IN_PERSON"), "in_person");
    }
}
