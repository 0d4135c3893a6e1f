//! A place in a resource that a text can be put into.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// A place in a resource, by the name that a file or a mapping uses for it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) aim: Aim,
}

/// What happens with the text.
#[derive(Clone, Debug)]
pub(crate) enum Aim {
    /// The account's id, the first part of the name.
    Account,
    /// The resource's own id, the last part of the name.
    Id,
    /// The currency of all its amounts.
    Currency,
    /// A value, at the end of this path of fields. A list of messages on the way means its only entry.
    Value(Vec<FieldDescriptor>),
    /// Another resource of the same account: the field, and the collection it is in.
    Reference(&'static str, &'static str),
    /// The two ends of a scale, `0-10`.
    Scale,
    /// What feedback is about, `order:o-1`.
    About,
    /// When an order was paid in full.
    PaidAt,
    /// Whose doing a return was, `customer: too small`.
    ReturnedBecause,
}

/// What only the server sets, on every resource.
const OUTPUT_ONLY: [&str; 7] = ["name", "create_time", "update_time", "delete_time", "etag", "version", "erase_time"];

impl Target {
    pub(crate) fn new(name: &str, aim: Aim) -> Self {
        Self { name: name.to_owned(), aim }
    }

    /// The target at a path of fields joined by dots.
    pub(crate) fn at(name: &str, message: &MessageDescriptor, path: &str) -> Result<Self, String> {
        let mut fields: Vec<FieldDescriptor> = Vec::new();
        let mut inside = Some(message.clone());
        for part in path.split('.') {
            let Some(of) = inside.take() else {
                return Err(format!("`{name}` goes into a field that holds nothing more"));
            };
            let found =
                of.get_field_by_name(part).filter(|field| !(fields.is_empty() && OUTPUT_ONLY.contains(&field.name())));
            let Some(field) = found else {
                return Err(format!("`{name}` is unknown: {} has {}", of.name(), names(&of, fields.is_empty())));
            };
            inside = match field.kind() {
                Kind::Message(of) if !is_value(&of) => Some(of),
                _ => None,
            };
            fields.push(field);
        }
        if let Some(of) = inside {
            return Err(format!("`{name}` holds more than one value: name one of {}", names(&of, false)));
        }
        Ok(Self::new(name, Aim::Value(fields)))
    }

    /// The rank in which targets are filled: amounts need the currency, references the account, and what was
    /// paid the total.
    pub(crate) fn rank(&self) -> u8 {
        match self.aim {
            Aim::Account | Aim::Id | Aim::Currency => 0,
            Aim::PaidAt => 2,
            _ => 1,
        }
    }
}

/// Whether a message is written as one text.
fn is_value(of: &MessageDescriptor) -> bool {
    matches!(of.full_name(), "google.protobuf.Timestamp" | "google.protobuf.Duration" | "rapport.common.v1.Money")
}

fn names(of: &MessageDescriptor, top: bool) -> String {
    let fields = of.fields().filter(|field| !(top && OUTPUT_ONLY.contains(&field.name())));
    let names: Vec<String> = fields.map(|field| field.name().to_owned()).collect();
    names.join(", ")
}
