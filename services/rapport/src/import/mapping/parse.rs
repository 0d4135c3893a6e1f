//! Reads a mapping from TOML and reports everything that is wrong with it at once.

use toml::{Table, Value};

use super::{
    Column, Condition, Entries, Mapping, Rule,
    expression::{self, Expression, Product, Source},
};
use crate::import::{
    resource::{Kind, Resource},
    target::{Aim, Target},
    value::{self, TimeFormat},
};

const TOP: [&str; 7] = ["about", "resource", "where", "distinct", "group", "fields", "each"];
const EACH: [&str; 3] = ["where", "by", "fields"];
const SOURCES: [&str; 5] = ["column", "first", "constant", "template", "sum"];
const TREATMENTS: [&str; 5] = ["when", "values", "default", "time_format", "plus_minutes"];

pub(super) fn mapping(kind: Kind, text: &str) -> Result<Mapping, Vec<String>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| vec![error.to_string().trim().to_owned()])?;
    let mut problems = Problems::default();
    problems.unknown_keys("", &table, &TOP);

    let resource = match table.get("resource") {
        None => Ok(kind.resource()),
        Some(Value::String(name)) => kind.resource_named(name),
        Some(_) => Err("is not a text".to_owned()),
    };
    let resource = resource.unwrap_or_else(|problem| {
        problems.add("resource", &problem);
        kind.resource()
    });

    let fields = problems.table(&table, "fields");
    let rules = problems.rules("fields", &fields, &|name| resource.target(name));
    for required in resource.required {
        if !fields.keys().any(|name| resource.canonical(name) == *required) {
            problems.add("fields", &format!("`{required}` is missing"));
        }
    }
    let amounts = rules.iter().any(|rule| is_amount(&rule.target));
    if amounts && !fields.contains_key("currency") {
        problems.add("fields", "amounts need `currency`");
    }

    let mut mapping = Mapping::new(resource, rules);
    mapping.filters = problems.conditions("where", table.get("where"));
    mapping.distinct = problems.column("distinct", table.get("distinct"));
    mapping.group = problems.column("group", table.get("group"));
    for (name, value) in problems.table(&table, "each") {
        mapping.entries.extend(problems.entries(resource, &name, &value));
    }
    if problems.0.is_empty() {
        return Ok(mapping);
    }
    Err(problems.0)
}

fn is_amount(target: &Target) -> bool {
    match &target.aim {
        Aim::Value(path) => path.last().is_some_and(value::is_money),
        _ => false,
    }
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, place: &str, problem: &str) {
        self.0.push(format!("{place}: {problem}"));
    }

    fn unknown_keys(&mut self, place: &str, table: &Table, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            self.add(&place, &format!("is unknown; known are {}", known.join(", ")));
        }
    }

    fn table(&mut self, table: &Table, key: &str) -> Table {
        match table.get(key) {
            None => Table::new(),
            Some(Value::Table(inner)) => inner.clone(),
            Some(_) => {
                self.add(key, "is not a table");
                Table::new()
            }
        }
    }

    fn text(&mut self, place: &str, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            _ => {
                self.add(place, "is not a text (put numbers with decimals in quotes)");
                None
            }
        }
    }

    fn column(&mut self, place: &str, value: Option<&Value>) -> Option<Column> {
        self.text(place, value?).map(|name| Column::new(&name))
    }

    /// A condition, or a list of them that must all hold.
    fn conditions(&mut self, place: &str, value: Option<&Value>) -> Vec<Condition> {
        let texts = match value {
            None => return Vec::new(),
            Some(Value::Array(values)) => values.iter().filter_map(|value| self.text(place, value)).collect(),
            Some(value) => self.text(place, value).into_iter().collect::<Vec<String>>(),
        };
        let mut conditions = Vec::new();
        for text in texts {
            match Condition::parse(&text) {
                Ok(condition) => conditions.push(condition),
                Err(problem) => self.add(place, &problem),
            }
        }
        conditions
    }

    fn rules(&mut self, place: &str, fields: &Table, target: &dyn Fn(&str) -> Result<Target, String>) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (name, value) in fields {
            let place = format!("{place}.{name}");
            let found = target(name).map_err(|problem| self.add(&place, &problem)).ok();
            let alternatives = match value {
                Value::Array(values) => values.iter().filter_map(|value| self.expression(&place, value)).collect(),
                value => self.expression(&place, value).into_iter().collect(),
            };
            if let Some(target) = found {
                rules.push(Rule { target, alternatives });
            }
        }
        rules
    }

    fn expression(&mut self, place: &str, value: &Value) -> Option<Expression> {
        let table = match value {
            Value::Table(table) => table,
            // A text alone names a column.
            value => return self.column(place, Some(value)).map(Expression::column),
        };
        let known = [SOURCES.as_slice(), TREATMENTS.as_slice()].concat();
        self.unknown_keys(place, table, &known);
        let sources: Vec<&str> = SOURCES.into_iter().filter(|key| table.contains_key(*key)).collect();
        let [source] = sources.as_slice() else {
            self.add(place, &format!("needs exactly one of {}", SOURCES.join(", ")));
            return None;
        };
        let text = self.text(place, &table[*source])?;
        let source = match *source {
            "column" => Ok(Source::Column(Column::new(&text))),
            "first" => Ok(Source::First(Column::new(&text))),
            "constant" => Ok(Source::Constant(text)),
            "template" => expression::template(&text).map(Source::Template),
            _ => Product::parse(&text).map(Source::Sum),
        };
        let mut expression = match source {
            Ok(source) => Expression::new(source),
            Err(problem) => {
                self.add(place, &problem);
                return None;
            }
        };
        expression.when = self.conditions(&format!("{place}.when"), table.get("when"));
        for (from, to) in self.table(table, "values") {
            let to = self.text(&format!("{place}.values.{from}"), &to)?;
            expression.values.insert(from, to);
        }
        expression.default = table.get("default").and_then(|value| self.text(place, value));
        expression.plus_minutes = self.column(place, table.get("plus_minutes"));
        if let Some(format) = table.get("time_format").and_then(|value| self.text(place, value)) {
            let read = TimeFormat::new(&format).map_err(|problem| self.add(place, &problem));
            expression.time_format = read.ok();
        }
        Some(expression)
    }

    fn entries(&mut self, resource: &Resource, name: &str, value: &Value) -> Option<Entries> {
        let place = format!("each.{name}");
        let Value::Table(table) = value else {
            self.add(&place, "is not a table");
            return None;
        };
        self.unknown_keys(&place, table, &EACH);
        let list = resource.message().get_field_by_name(name).filter(prost_reflect::FieldDescriptor::is_list);
        let (list, of) = match list.as_ref().map(|list| (list, list.kind())) {
            Some((list, prost_reflect::Kind::Message(of))) => (list.clone(), of),
            _ => {
                self.add(&place, &format!("`{name}` is not a list of entries of {}", resource.name));
                return None;
            }
        };
        let fields = self.table(table, "fields");
        let rules = self.rules(&format!("{place}.fields"), &fields, &|name| Target::at(name, &of, name));
        Some(Entries {
            list,
            filters: self.conditions(&format!("{place}.where"), table.get("where")),
            by: self.column(&format!("{place}.by"), table.get("by")),
            rules,
        })
    }
}
