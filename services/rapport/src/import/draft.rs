//! A resource in the making: texts go in by target, a row of the contract comes out.

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as FieldKind, ReflectMessage, Value};

use super::{
    resource::Resource,
    target::{Aim, Target},
    value,
};

/// A resource in the making.
pub(crate) struct Draft {
    resource: &'static Resource,
    message: DynamicMessage,
    account: String,
    id: String,
    currency: String,
    problems: Vec<String>,
}

/// A finished row: the resource's name and the encoded row of the contract.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(resource: &'static Resource) -> Self {
        Self {
            resource,
            message: DynamicMessage::new(resource.message()),
            account: String::new(),
            id: String::new(),
            currency: String::new(),
            problems: Vec::new(),
        }
    }

    /// Puts a text into its place; an empty one says nothing. A wrong one is remembered, with the place it came from.
    pub(crate) fn put(&mut self, target: &Target, text: &str, origin: &str) {
        if text.trim().is_empty() {
            return;
        }
        if let Err(problem) = self.try_put(target, text) {
            self.wrong(origin, &problem);
        }
    }

    /// Remembers what is wrong, and where.
    pub(crate) fn wrong(&mut self, origin: &str, problem: &str) {
        self.problems.push(format!("{origin}: {problem}"));
    }

    /// Adds an entry to a list of messages, made of texts by target within the entry.
    pub(crate) fn push(&mut self, list: &FieldDescriptor, entry: DynamicMessage) {
        if let Value::List(entries) = self.message.get_field_mut(list) {
            entries.push(Value::Message(entry));
        }
    }

    /// Puts a text into an entry of a list.
    pub(crate) fn put_into(
        &mut self,
        entry: &mut DynamicMessage,
        target: &Target,
        text: &str,
        origin: impl FnOnce() -> String,
    ) {
        let Aim::Value(path) = &target.aim else { return };
        if text.trim().is_empty() {
            return;
        }
        match self.read(path, text) {
            Ok(value) => place(entry, path, value),
            Err(problem) => self.wrong(&origin(), &problem),
        }
    }

    /// The row, or everything that is wrong with it; and its name as far as it is known.
    pub(crate) fn finish(mut self) -> Result<Row, (String, String)> {
        let own_id = !self.resource.collection.is_empty();
        if self.resource.of_account && self.account.is_empty() && self.problems.is_empty() {
            self.wrong("account_id", "is empty");
        }
        if own_id && self.id.is_empty() && self.problems.is_empty() {
            self.wrong(&format!("{}_id", self.resource.name), "is empty");
        }
        let name = self.resource.full_name(&self.account, &self.id);
        if !self.problems.is_empty() {
            return Err((name, self.problems.join("; ")));
        }
        self.message.set_field_by_name("name", Value::String(name.clone()));
        let bytes = wrap(self.resource, self.message);
        Ok(Row { name, bytes })
    }

    fn try_put(&mut self, target: &Target, text: &str) -> Result<(), String> {
        match &target.aim {
            Aim::Account => self.account = id(text.trim().strip_prefix("accounts/").unwrap_or(text.trim()))?,
            Aim::Id => self.id = id(text.trim())?,
            Aim::Currency => self.currency = text.trim().to_owned(),
            Aim::Value(path) => {
                let value = self.read(path, text)?;
                place(&mut self.message, path, value);
            }
            Aim::Reference(field, collection) => {
                let name = self.reference(collection, text.trim())?;
                self.message.set_field_by_name(field, Value::String(name));
            }
            Aim::Scale => {
                let (min, max) = scale(text)?;
                self.put_parts(&[("scale.min", min), ("scale.max", max)])?;
            }
            Aim::About => {
                let (subject, reference) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
                let reference = match subject.trim() {
                    "order" => self.reference("orders", reference.trim())?,
                    "interaction" => self.reference("interactions", reference.trim())?,
                    _ => reference.trim().to_owned(),
                };
                self.put_parts(&[("about.subject", subject), ("about.reference", &reference)])?;
            }
            Aim::PaidAt => {
                self.put_parts(&[("payment.pay_time", text)])?;
                let total = self.message.descriptor().get_field_by_name("total");
                if let Some(total) = total.filter(|total| self.message.has_field(total)) {
                    let paid = self.message.get_field(&total).into_owned();
                    let path = self.path("payment.paid")?;
                    place(&mut self.message, &path, paid);
                }
            }
            Aim::ReturnedBecause => {
                let (party, reason) = text.split_once(':').unwrap_or((text, ""));
                self.put_parts(&[("returns.responsible", party), ("returns.reason", reason.trim())])?;
            }
        }
        Ok(())
    }

    fn put_parts(&mut self, parts: &[(&str, &str)]) -> Result<(), String> {
        for (path, text) in parts {
            if !text.is_empty() {
                let path = self.path(path)?;
                let value = self.read(&path, text)?;
                place(&mut self.message, &path, value);
            }
        }
        Ok(())
    }

    fn path(&self, path: &str) -> Result<Vec<FieldDescriptor>, String> {
        match Target::at(path, &self.message.descriptor(), path)?.aim {
            Aim::Value(path) => Ok(path),
            _ => Err(format!("`{path}` is not a value")),
        }
    }

    fn read(&self, path: &[FieldDescriptor], text: &str) -> Result<Value, String> {
        let field = path.last().ok_or("an empty path")?;
        if !value::is_money(field) {
            return value::read(field, text);
        }
        if self.currency.is_empty() {
            return Err("an amount needs a currency".to_owned());
        }
        value::money(field, &self.currency, text.parse()?)
    }

    fn reference(&self, collection: &str, text: &str) -> Result<String, String> {
        if text.starts_with("accounts/") {
            return Ok(text.to_owned());
        }
        let id = id(text)?;
        Ok(match collection {
            "" => format!("accounts/{id}"),
            _ => format!("accounts/{}/{collection}/{id}", self.account),
        })
    }
}

/// The row that holds a resource, encoded.
pub(crate) fn wrap(resource: &Resource, message: DynamicMessage) -> Vec<u8> {
    let mut row = DynamicMessage::new(resource.kind.row());
    row.set_field_by_name(resource.name, Value::Message(message));
    row.encode_to_vec()
}

fn place(message: &mut DynamicMessage, path: &[FieldDescriptor], value: Value) {
    let Some((field, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        message.set_field(field, value);
        return;
    }
    match message.get_field_mut(field) {
        Value::Message(inner) => place(inner, rest, value),
        Value::List(entries) => {
            if let (true, FieldKind::Message(of)) = (entries.is_empty(), field.kind()) {
                entries.push(Value::Message(DynamicMessage::new(of)));
            }
            if let Some(Value::Message(first)) = entries.first_mut() {
                place(first, rest, value);
            }
        }
        _ => {}
    }
}

fn id(text: &str) -> Result<String, String> {
    let odd = text.chars().find(|letter| !letter.is_ascii_alphanumeric() && !"-_.~".contains(*letter));
    match odd {
        Some(odd) => Err(format!("`{text}` cannot be an id: `{odd}` is not a letter, a digit or one of - _ . ~")),
        None if text.is_empty() => Err("is empty".to_owned()),
        None if text.len() > 128 => Err("an id has at most 128 characters".to_owned()),
        None => Ok(text.to_owned()),
    }
}

fn scale(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is not a scale: write it like 0-10");
    let hyphen = text.char_indices().skip(1).find(|(_, letter)| *letter == '-').map(|(at, _)| at);
    let (min, max) = text.split_at(hyphen.ok_or_else(wrong)?);
    let max = &max[1..];
    value::number(min).and(value::number(max)).map_err(|_| wrong())?;
    Ok((min, max))
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
