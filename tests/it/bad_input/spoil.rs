//! Ways to spoil a request.

use std::fmt;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, ReflectMessage as _, Value};

use super::{
    contract::CONTRACT,
    good::{is_create, is_import},
};
use crate::crash::chance::Chance;

/// A step into a message: a field, and which entry of it if it is a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) field: FieldDescriptor,
    pub(super) entry: Option<usize>,
}

/// A place in a request and what is done to it.
#[derive(Clone, Debug)]
pub(super) struct Spoil {
    path: Vec<Step>,
    harm: Harm,
    /// Whether the request must be refused for it.
    pub(super) is_fatal: bool,
}

#[derive(Clone, Debug)]
enum Harm {
    /// The field is not set.
    Missing,
    /// The field has another value.
    Set(Value, String),
    /// A list has its first entry, or this one, so many times.
    Repeated(Value, usize),
    /// What is sent is not quite the request.
    Bytes(Wire),
}

/// Harm to the encoded message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wire {
    /// With a field that the contract does not have.
    Unknown,
    /// Twice, which protobuf reads as one message.
    Twice,
    /// The field has content of another wire type.
    OtherType(u32),
    /// Groups in groups, two hundred deep.
    Deep,
    /// Cut off before the last byte.
    Cut,
    /// Text that is not UTF-8.
    NotText(u32),
    /// No protobuf at all.
    Noise(u64),
    /// No message at all.
    Nothing,
}

/// Every way to spoil a request in one place.
pub(super) fn all(method: &MethodDescriptor, good: &DynamicMessage) -> Vec<Spoil> {
    let mut spoils = Vec::new();
    visit(method, good, &[], &mut spoils);
    let mut wire = |wire: Wire, is_fatal: bool| {
        spoils.push(Spoil { path: Vec::new(), harm: Harm::Bytes(wire), is_fatal });
    };
    wire(Wire::Unknown, false);
    wire(Wire::Twice, false);
    wire(Wire::Deep, true);
    wire(Wire::Nothing, !method.is_client_streaming());
    (0..4).for_each(|seed| wire(Wire::Noise(seed), false));
    let encoded = good.encoded_len();
    if encoded > 0 {
        wire(Wire::Cut, true);
    }
    for field in good.descriptor().fields() {
        wire(Wire::OtherType(field.number()), true);
        if field.kind() == Kind::String {
            wire(Wire::NotText(field.number()), true);
        }
    }
    spoils
}

fn visit(method: &MethodDescriptor, message: &DynamicMessage, path: &[Step], spoils: &mut Vec<Spoil>) {
    for field in message.descriptor().fields() {
        let here = |entry| [path, &[Step { field: field.clone(), entry }]].concat();
        let is_set = message.has_field(&field);
        let mut add = |entry, harm: Harm, is_fatal: bool| {
            let path = here(entry);
            let is_fatal = is_fatal && !is_ignored(method, &path);
            spoils.push(Spoil { path, harm, is_fatal });
        };
        if is_set {
            let filled = path.last().is_some_and(|outer| CONTRACT.fills(&outer.field, &field));
            add(None, Harm::Missing, CONTRACT.is_required(&field) && !filled);
        }
        if field.is_list() {
            let value = message.get_field(&field);
            let entry = value.as_list().and_then(<[Value]>::first).cloned();
            let entry = entry.unwrap_or_else(|| Value::default_value(&field.kind()));
            for count in [2, 201, 2_001] {
                add(None, Harm::Repeated(entry.clone(), count), false);
            }
        }
        let entry = field.is_list().then_some(0);
        if entry.is_none() || is_set {
            for (value, label, is_fatal) in values(&field) {
                add(entry, Harm::Set(value, label), is_fatal);
            }
        }
        let inner = message.get_field(&field);
        let inner = inner.as_list().and_then(<[Value]>::first).unwrap_or(inner.as_ref());
        if let (true, Value::Message(inner)) = (is_set, inner) {
            visit(method, inner, &here(entry), spoils);
        }
    }
}

/// Whether the server does not look at a place, because it sets the field itself.
fn is_ignored(method: &MethodDescriptor, path: &[Step]) -> bool {
    let outputs = path.iter().any(|step| CONTRACT.is_output_only(&step.field));
    let unread_name = is_create(method) && path.len() == 2 && path[1].field.name() == "name";
    outputs && !is_import(method) || unread_name || outputs && is_always_output(path)
}

/// Whether not even an imported row fills the field.
fn is_always_output(path: &[Step]) -> bool {
    path.iter().any(|step| {
        CONTRACT.is_output_only(&step.field) && !CONTRACT.comment(&step.field).contains("taken from an imported row")
    })
}

/// Values that are wrong or extreme, what to call them, and whether they must be refused.
fn values(field: &FieldDescriptor) -> Vec<(Value, String, bool)> {
    let of = field.parent_message();
    let is_time = matches!(of.full_name(), "google.protobuf.Timestamp" | "google.protobuf.Duration");
    match field.kind() {
        Kind::Bool => vec![(Value::Bool(true), "true".to_owned(), false)],
        Kind::Int32 => [i32::MIN, -1, 0, 1, 100_000, i32::MAX]
            .map(|number| (Value::I32(number), number.to_string(), is_time && !(0..1_000_000_000).contains(&number)))
            .to_vec(),
        Kind::Uint32 => [0, 1, 64, u32::MAX].map(|number| (Value::U32(number), number.to_string(), false)).to_vec(),
        Kind::Int64 => [i64::MIN, -1, 0, 1, 253_402_300_800, i64::MAX]
            .map(|number| (Value::I64(number), number.to_string(), is_time && !(0..253_402_300_800).contains(&number)))
            .to_vec(),
        Kind::Double => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, -0.0, -1.0]
            .map(|number| (Value::F64(number), format!("{number:e}"), !number.is_finite()))
            .to_vec(),
        Kind::Enum(of) => {
            let known = of.values().filter(|value| value.number() > 0).map(|value| (value.number(), false)).last();
            let numbers = [(i32::MIN, true), (-1, true), (99, true), (i32::MAX, true), (0, false)];
            numbers.into_iter().chain(known).map(|(n, fatal)| (Value::EnumNumber(n), n.to_string(), fatal)).collect()
        }
        Kind::String => texts().into_iter().map(|(text, label, fatal)| (Value::String(text), label, fatal)).collect(),
        Kind::Message(of) => vec![(Value::Message(DynamicMessage::new(of)), "empty".to_owned(), false)],
        other => panic!("{} is a {other:?}: say how to spoil it", field.full_name()),
    }
}

fn texts() -> Vec<(String, String, bool)> {
    let shown = [
        ("", false),
        (" ", false),
        ("a\0b", true),
        ("\u{7}\u{1b}[2J", true),
        ("\u{202e}txet\u{feff}\u{200b}", false),
        ("👩‍👩‍👧 Ω̴̛ ﷽", false),
        ("accounts/nobody", false),
        ("accounts/acme/orders/no such/1", false),
        ("accounts/../themes/.", false),
        ("'; drop table rows; --", false),
        ("*", false),
        ("place_time.seconds", false),
        ("name", false),
        ("-", false),
    ];
    let mut texts: Vec<(String, String, bool)> =
        shown.map(|(text, fatal)| (text.to_owned(), format!("{text:?}"), fatal)).to_vec();
    for count in [65, 129, 300_000] {
        texts.push(("x".repeat(count), format!("{count} × x"), count == 300_000));
    }
    texts.push(("é".repeat(4_000), "4000 × é".to_owned(), false));
    texts
}

impl Spoil {
    /// Whether something is left out.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.harm, Harm::Missing)
    }

    /// Whether both can be done to one request.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        let (short, long) = if self.path.len() < other.path.len() { (self, other) } else { (other, self) };
        !long.path.starts_with(&short.path)
    }

    /// Spoils a request.
    pub(super) fn apply(&self, request: &mut DynamicMessage) {
        let Some((last, outer)) = self.path.split_last() else { return };
        let mut message = request;
        for step in outer {
            let value = message.get_field_mut(&step.field);
            let value = match (step.entry, value) {
                (Some(at), Value::List(entries)) => entries.get_mut(at),
                (_, value) => Some(value),
            };
            // Another spoil may have emptied the list.
            let Some(value) = value else { return };
            message = value.as_message_mut().unwrap();
        }
        match (&self.harm, last.entry) {
            (Harm::Missing, _) => message.clear_field(&last.field),
            (Harm::Set(value, _), None) => message.set_field(&last.field, value.clone()),
            (Harm::Set(value, _), Some(at)) => {
                if let Some(entry) = message.get_field_mut(&last.field).as_list_mut().and_then(|list| list.get_mut(at))
                {
                    *entry = value.clone();
                }
            }
            (Harm::Repeated(entry, count), _) => {
                message.set_field(&last.field, Value::List(vec![entry.clone(); *count]));
            }
            (Harm::Bytes(_), _) => {}
        }
    }

    /// Spoils what is sent.
    pub(super) fn apply_to(&self, messages: &mut Vec<Vec<u8>>) {
        let Harm::Bytes(wire) = self.harm else { return };
        let Some(bytes) = messages.first_mut() else { return };
        match wire {
            // Field 9,999 of wire type 2, with three bytes.
            Wire::Unknown => bytes.extend([0xfa, 0xf0, 0x04, 3, 0xff, 0, 7]),
            Wire::Twice => bytes.extend(bytes.clone()),
            // A group of field 9,999 begins, and begins, …
            Wire::Deep => (0..200).for_each(|_| bytes.extend([0xfb, 0xf0, 0x04])),
            // Four bytes of wire type 5, which no field of the contract has.
            Wire::OtherType(number) => {
                prost::encoding::encode_varint(u64::from(number << 3 | 5), bytes);
                bytes.extend([1, 2, 3, 4]);
            }
            Wire::NotText(number) => {
                prost::encoding::encode_varint(u64::from(number << 3 | 2), bytes);
                bytes.extend([2, 0xc3, 0x28]);
            }
            Wire::Cut => drop(bytes.pop()),
            Wire::Nothing => messages.clear(),
            Wire::Noise(seed) => {
                let mut chance = Chance::of(seed);
                *bytes = (0..1 + chance.below(64)).map(|_| chance.below(256) as u8).collect();
            }
        }
    }
}

impl fmt::Display for Spoil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<&str> = self.path.iter().map(|step| step.field.name()).collect();
        let path = path.join(".");
        match &self.harm {
            Harm::Missing => write!(f, "without {path}"),
            Harm::Set(_, label) => write!(f, "{path} = {label}"),
            Harm::Repeated(_, count) => write!(f, "{path} {count} times"),
            Harm::Bytes(wire) => write!(f, "{wire:?}"),
        }
    }
}
