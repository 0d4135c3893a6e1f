//! What feeds a field: a column, a constant, a template or a sum, and what is done with it.

use std::{borrow::Cow, collections::BTreeMap};

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Column, Condition, Line};
use crate::import::{
    decimal::Decimal,
    value::{self, TimeFormat},
};

/// Where a text comes from, and what is done with it.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) source: Source,
    /// Only lines for which all of these hold.
    pub(super) when: Vec<Condition>,
    /// What certain texts become.
    pub(super) values: BTreeMap<String, String>,
    /// What stands in for nothing.
    pub(super) default: Option<String>,
    pub(super) time_format: Option<TimeFormat>,
    /// A column with minutes to add to the time.
    pub(super) plus_minutes: Option<Column>,
}

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The cell of the first line.
    Column(Column),
    /// The first cell that is not empty.
    First(Column),
    Constant(String),
    Template(Vec<Piece>),
    Sum(Product),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Column(Column),
}

/// What is summed over the lines: `-quantity * unit_price`.
#[derive(Clone, Debug)]
pub(super) struct Product {
    negative: bool,
    factors: Vec<Column>,
}

impl Expression {
    pub(super) fn new(source: Source) -> Self {
        Self { source, when: Vec::new(), values: BTreeMap::new(), default: None, time_format: None, plus_minutes: None }
    }

    pub(super) fn column(column: Column) -> Self {
        Self::new(Source::Column(column))
    }

    /// What to call the place that the text comes from.
    pub(super) fn origin(&self) -> Option<&str> {
        match &self.source {
            Source::Column(column) | Source::First(column) => Some(&column.name),
            _ => None,
        }
    }

    /// The text; empty where there is nothing to say.
    pub(super) fn evaluate<'a>(&'a self, lines: &[&'a Line]) -> Result<Cow<'a, str>, String> {
        if self.when.is_empty() {
            return self.of(lines);
        }
        let held = lines.iter().copied().filter(|line| self.when.iter().all(|condition| condition.holds(line)));
        let held: Vec<&Line> = held.collect();
        if held.is_empty() {
            return Ok("".into());
        }
        self.of(&held)
    }

    fn of<'a>(&'a self, lines: &[&'a Line]) -> Result<Cow<'a, str>, String> {
        let Some(first) = lines.first() else {
            return Ok("".into());
        };
        let mut text: Cow<'a, str> = match &self.source {
            Source::Column(column) => column.of(first).into(),
            Source::First(column) => {
                let mut cells = lines.iter().map(|line| column.of(line));
                cells.find(|cell| !cell.trim().is_empty()).unwrap_or_default().into()
            }
            Source::Constant(text) => text.into(),
            Source::Template(pieces) => fill(pieces, first).into(),
            Source::Sum(product) => product.sum(lines)?.into(),
        };
        if let Some(value) = self.values.get(text.trim()) {
            text = value.into();
        }
        if let (true, Some(default)) = (text.trim().is_empty(), &self.default) {
            text = default.into();
        }
        if text.trim().is_empty() || (self.time_format.is_none() && self.plus_minutes.is_none()) {
            return Ok(text);
        }
        let time = match &self.time_format {
            Some(format) => format.read(&text)?,
            None => value::read_time(&text)?,
        };
        self.later(time, first).map(Cow::Owned)
    }

    fn later(&self, time: OffsetDateTime, line: &Line) -> Result<String, String> {
        let minutes = self.plus_minutes.as_ref().map_or("", |column| column.of(line));
        let minutes = if minutes.trim().is_empty() { 0.0 } else { value::number(minutes)? };
        let later = time.checked_add(Duration::seconds_f64(minutes.clamp(-1e9, 1e9) * 60.0));
        let later = later.ok_or_else(|| format!("{minutes} minutes after {time} is too late"))?;
        later.format(&Rfc3339).map_err(|error| error.to_string())
    }

    pub(super) fn each_column(&mut self, visit: &mut dyn FnMut(&mut Column)) {
        match &mut self.source {
            Source::Column(column) | Source::First(column) => visit(column),
            Source::Constant(_) => {}
            Source::Template(pieces) => pieces.iter_mut().for_each(|piece| {
                if let Piece::Column(column) = piece {
                    visit(column);
                }
            }),
            Source::Sum(product) => product.factors.iter_mut().for_each(&mut *visit),
        }
        self.when.iter_mut().for_each(|condition| condition.each_column(visit));
        self.plus_minutes.iter_mut().for_each(visit);
    }
}

/// A template with the line's cells in it.
fn fill(pieces: &[Piece], line: &Line) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(fixed) => text.push_str(fixed),
            Piece::Column(column) => text.push_str(column.of(line).trim()),
        }
    }
    text
}

/// Reads `{a}-{b}`; `{{` and `}}` stand for braces.
pub(super) fn template(text: &str) -> Result<Vec<Piece>, String> {
    let wrong = || format!("`{text}` is not a template: columns stand in braces, {{a}}-{{b}}");
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        fixed.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            fixed.push_str(brace);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|end| brace == "{" && *end > 0).ok_or_else(wrong)?;
        if !fixed.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut fixed)));
        }
        pieces.push(Piece::Column(Column::new(&rest[..end])));
        rest = &rest[end + 1..];
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        pieces.push(Piece::Text(fixed));
    }
    Ok(pieces)
}

impl Product {
    /// Reads `a`, `a * b` or `-a * b`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (negative, rest) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let factors: Vec<Column> = rest.split('*').map(|name| Column::new(name.trim())).collect();
        if factors.iter().any(|factor| factor.name.is_empty()) {
            return Err(format!("`{text}` is not a sum: write a column, or columns joined by *"));
        }
        Ok(Self { negative, factors })
    }

    fn sum(&self, lines: &[&Line]) -> Result<String, String> {
        let mut sum = Decimal::ZERO;
        for line in lines {
            let located = |problem: String| format!("line {}: {problem}", line.number);
            let too_large = || located("the product is too large".to_owned());
            let mut product: Option<Decimal> = None;
            for factor in &self.factors {
                let number: Decimal = factor
                    .of(line)
                    .parse()
                    .map_err(|problem| located(format!("column `{}`: {problem}", factor.name)))?;
                product = Some(product.map_or(Some(number), |so_far| so_far.times(number)).ok_or_else(too_large)?);
            }
            sum = product.and_then(|product| sum.plus(product)).ok_or_else(too_large)?;
        }
        // Factors with many decimals leave zeros at the end that would make the text too long to be read.
        Ok(if self.negative { sum.negated() } else { sum }.shortened().to_string())
    }
}
