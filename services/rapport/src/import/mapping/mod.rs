//! Mappings: how a file with any headers becomes rows. `README.md` beside this file tells how to write one.
//!
//! A flat file is the simplest mapping, of each column to the field of its name, so there is one way from cells to rows.

mod condition;
mod expression;
mod parse;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as FieldKind};

use self::{condition::Condition, expression::Expression};
use super::{
    draft::{Draft, Row},
    resource::{Kind, Resource},
    table::Line,
    target::Target,
};

/// A column, by its name, and where it stands in the file at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    index: usize,
}

impl Column {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), index: 0 }
    }

    pub(crate) fn of<'a>(&self, line: &'a Line) -> &'a str {
        line.cells.get(self.index).unwrap_or_default()
    }
}

/// How the lines of a file become rows.
#[derive(Clone, Debug)]
pub struct Mapping {
    resource: &'static Resource,
    /// Lines for which one of these does not hold are left out.
    filters: Vec<Condition>,
    /// Of the lines with the same value here, only the first counts.
    distinct: Option<Column>,
    /// Consecutive lines with the same value here make one row.
    group: Option<Column>,
    rules: Vec<Rule>,
    entries: Vec<Entries>,
}

/// What feeds a target: the first alternative that has something to say.
#[derive(Clone, Debug)]
struct Rule {
    target: Target,
    alternatives: Vec<Expression>,
}

/// A list of messages, an entry for each line, or for the lines with the same value in a column.
#[derive(Clone, Debug)]
struct Entries {
    list: FieldDescriptor,
    filters: Vec<Condition>,
    by: Option<Column>,
    rules: Vec<Rule>,
}

impl Mapping {
    /// Reads a mapping for files of this kind. On failure, everything that is wrong with it.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Vec<String>> {
        parse::mapping(kind, text)
    }

    /// The mapping of a flat file, by its header. On failure, everything that is wrong with the header.
    pub(crate) fn flat(kind: Kind, header: &[&str]) -> Result<Self, Vec<String>> {
        let resource = kind.resource();
        let mut problems = Vec::new();
        let mut unknown = Vec::new();
        let mut rules = Vec::new();
        for (index, name) in header.iter().enumerate() {
            let known = resource.flat.iter().any(|flat| flat.name == *name);
            if !known {
                unknown.push(format!("`{name}`"));
            } else if header[..index].contains(name) {
                problems.push(format!("column `{name}` is there twice"));
            } else if let Ok(target) = resource.target(name) {
                rules.push(Rule::column(target, name, index));
            }
        }
        if !unknown.is_empty() {
            let (unknown, known) = (unknown.join(", "), resource.flat_names());
            problems.push(format!("unknown columns: {unknown}; known are {known}; for other headers see --map"));
        }
        for flat in resource.flat.iter().filter(|flat| flat.required) {
            if !header.contains(&flat.name) {
                problems.push(format!("column `{}` is missing", flat.name));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self::new(resource, rules))
    }

    fn new(resource: &'static Resource, mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(|rule| rule.target.rank());
        Self { resource, filters: Vec::new(), distinct: None, group: None, rules, entries: Vec::new() }
    }

    /// Finds the columns in a file's header. On failure, every column that is not there, or there twice.
    pub(crate) fn bind(&mut self, header: &[&str]) -> Result<(), Vec<String>> {
        let mut missing: Vec<String> = Vec::new();
        let mut twice: Vec<String> = Vec::new();
        self.each_column(&mut |column| match header.iter().position(|name| *name == column.name) {
            Some(index) if header[index + 1..].contains(&column.name.as_str()) => {
                if !twice.contains(&column.name) {
                    twice.push(column.name.clone());
                }
            }
            Some(index) => column.index = index,
            None if missing.contains(&column.name) => {}
            None => missing.push(column.name.clone()),
        });
        if missing.is_empty() && twice.is_empty() {
            return Ok(());
        }
        let twice = twice.iter().map(|name| format!("the mapping wants column `{name}`, which is there twice"));
        let told =
            missing.iter().map(|name| format!("the mapping wants column `{name}`; the file has {}", header.join(", ")));
        Err(told.chain(twice).collect())
    }

    /// Whether the line is left out by the mapping's filters.
    pub(crate) fn skips(&self, line: &Line) -> bool {
        !self.filters.iter().all(|filter| filter.holds(line))
    }

    /// What only the first line of counts, if the mapping says so.
    pub(crate) fn distinct_key<'a>(&self, line: &'a Line) -> Option<&'a str> {
        self.distinct.as_ref().map(|column| column.of(line))
    }

    /// What the line shares with its neighbours of the same row, if the mapping groups lines.
    pub(crate) fn group_key<'a>(&self, line: &'a Line) -> Option<&'a str> {
        self.group.as_ref().map(|column| column.of(line))
    }

    /// The row that these lines make, or its name as far as it is known and what is wrong.
    pub(crate) fn row(&self, lines: &[Line]) -> Result<Row, (String, String)> {
        let all: Vec<&Line> = lines.iter().collect();
        let mut draft = Draft::new(self.resource);
        for rule in &self.rules {
            match rule.evaluate(&all) {
                Ok((origin, text)) => draft.put(&rule.target, &text, origin),
                Err(problem) => draft.wrong(&rule.target.name, &problem),
            }
        }
        for entries in &self.entries {
            entries.fill(&mut draft, &all);
        }
        draft.finish()
    }

    fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        self.filters.iter_mut().for_each(|filter| filter.each_column(visit));
        self.distinct.iter_mut().for_each(&mut *visit);
        self.group.iter_mut().for_each(&mut *visit);
        self.rules.iter_mut().for_each(|rule| rule.each_column(visit));
        for entries in &mut self.entries {
            entries.filters.iter_mut().for_each(|filter| filter.each_column(visit));
            entries.by.iter_mut().for_each(&mut *visit);
            entries.rules.iter_mut().for_each(|rule| rule.each_column(visit));
        }
    }
}

impl Rule {
    fn column(target: Target, name: &str, index: usize) -> Self {
        let column = Column { name: name.to_owned(), index };
        Self { target, alternatives: vec![Expression::column(column)] }
    }

    /// What the target gets from these lines, and what to call where it came from.
    fn evaluate<'a>(&'a self, lines: &[&'a Line]) -> Result<(&'a str, std::borrow::Cow<'a, str>), String> {
        for alternative in &self.alternatives {
            let text = alternative.evaluate(lines)?;
            if !text.is_empty() {
                return Ok((alternative.origin().unwrap_or(&self.target.name), text));
            }
        }
        Ok((&self.target.name, "".into()))
    }

    fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        self.alternatives.iter_mut().for_each(|alternative| alternative.each_column(visit));
    }
}

impl Entries {
    fn fill(&self, draft: &mut Draft, lines: &[&Line]) {
        let FieldKind::Message(of) = self.list.kind() else {
            return;
        };
        for part in self.parts(lines) {
            let mut entry = DynamicMessage::new(of.clone());
            for rule in &self.rules {
                let place = |origin: &str| format!("{} of line {}, {origin}", self.list.name(), part[0].number);
                match rule.evaluate(&part) {
                    Ok((origin, text)) => {
                        draft.put_into(&mut entry, &rule.target, &text, || place(origin));
                    }
                    Err(problem) => draft.wrong(&place(&rule.target.name), &problem),
                }
            }
            draft.push(&self.list, entry);
        }
    }

    /// The lines of each entry.
    fn parts<'a>(&self, lines: &[&'a Line]) -> Vec<Vec<&'a Line>> {
        let held = |line: &&&Line| self.filters.iter().all(|filter| filter.holds(line));
        let lines = lines.iter().filter(held);
        let Some(by) = &self.by else {
            return lines.map(|line| vec![*line]).collect();
        };
        let mut parts: Vec<Vec<&Line>> = Vec::new();
        for line in lines {
            match parts.iter_mut().find(|part| by.of(part[0]) == by.of(line)) {
                Some(part) => part.push(line),
                None => parts.push(vec![line]),
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests;
