//! From a TOML document to a model, collecting every violation on the way.

use std::ops::RangeInclusive;

use toml::{Table, Value};

use super::{Exposure, FacetWeights, Model, ModelError, Prior, Rhythm, SignalWeight, Stages, ViewWeights, Violation};
use crate::decay::HalfLives;
use crate::signal::Signal;
use crate::vocabulary::{Facet, View};

/// The least of what must be above zero.
const ABOVE_ZERO: f64 = 1e-6;

pub(super) fn parse(text: &str) -> Result<Model, ModelError> {
    let mut violations = Vec::new();
    let document = text.parse::<Table>().unwrap_or_else(|error| {
        violations.push(Violation { field: "document".to_owned(), problem: error.to_string() });
        Table::new()
    });
    if violations.is_empty() {
        let mut root = Section { path: String::new(), table: &document, violations: &mut violations };
        if let Some(model) = model(&mut root)
            && violations.is_empty()
        {
            return Ok(model);
        }
    }
    Err(ModelError { violations })
}

/// Signals that came after the first documents were recorded: a document that is older gives them no weight.
const LATER: [Signal; 3] = [Signal::CustomerAssurance, Signal::ProviderAssurance, Signal::RivalMention];

/// None only along with a violation.
fn model(root: &mut Section<'_>) -> Option<Model> {
    root.knows(&["id", "half_lives", "prior_variance", "views", "sources", "signals", "rhythm", "stages", "exposure"]);
    let id = id(root);
    let half_lives = root.section("half_lives", half_lives).flatten();
    let prior_variance = root.number("prior_variance", 0.0..=1.0);
    let views = root.section("views", views);
    let sources = root.table.get("sources").and_then(Value::as_table).cloned().unwrap_or_default();
    root.section("sources", |section| section.texts());
    let signals = root.section("signals", |section| signals(section, &sources));
    let rhythm = root.section("rhythm", rhythm);
    let stages = root.section("stages", stages);
    let exposure = root.section("exposure", exposure);
    Some(Model {
        id,
        half_lives: half_lives?,
        prior_variance,
        views: views?,
        signals: signals?,
        rhythm: rhythm?,
        stages: stages?,
        exposure: exposure?,
        expectation: None,
    })
}

fn id(root: &mut Section<'_>) -> String {
    let id = root.text("id");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if id.len() > 64 || !id.chars().all(allowed) {
        root.violate("id", "must be at most 64 lower-case letters, digits, '-' and '.'");
    }
    id
}

fn half_lives(section: &mut Section<'_>) -> Option<HalfLives> {
    section.knows(&["slow_days", "fast_days"]);
    let range = HalfLives::MIN_DAYS..=HalfLives::MAX_DAYS;
    let slow = section.count("slow_days", range.clone());
    let fast = section.count("fast_days", range);
    let half_lives = HalfLives::new(slow, fast);
    if half_lives.is_none() {
        section.violate("", "slow_days must be at least twice fast_days, and both in range");
    }
    half_lives
}

fn views(section: &mut Section<'_>) -> [ViewWeights; 2] {
    section.knows(&View::ALL.map(View::name));
    let mut views = View::ALL.map(|view| section.section(view.name(), view_weights));
    let total: f64 = views.iter().flatten().map(|view| view.weight).sum();
    if views.iter().all(Option::is_some) && total <= 0.0 {
        section.violate("", "one view must have a weight above 0");
    }
    views.iter_mut().flatten().for_each(|view| view.weight /= total);
    views.map(Option::unwrap_or_default)
}

fn view_weights(section: &mut Section<'_>) -> ViewWeights {
    let mut known = vec!["weight", "reason"];
    known.extend(Facet::ALL.map(Facet::name));
    section.knows(&known);
    let weight = section.number("weight", 0.0..=1000.0);
    section.text("reason");
    let mut facets = Facet::ALL.map(|facet| section.section(facet.name(), facet_weights));
    let total: f64 = facets.iter().flatten().map(|facet| facet.weight).sum();
    if facets.iter().all(Option::is_some) && total <= 0.0 {
        section.violate("", "one facet must have a weight above 0");
    }
    facets.iter_mut().flatten().for_each(|facet| facet.weight /= total);
    ViewWeights { weight, facets: facets.map(Option::unwrap_or_default) }
}

fn facet_weights(section: &mut Section<'_>) -> FacetWeights {
    section.knows(&["weight", "prior_mean", "prior_strength", "reason"]);
    section.text("reason");
    FacetWeights {
        weight: section.number("weight", 0.0..=1000.0),
        prior: Prior {
            mean: section.number("prior_mean", -1.0..=1.0),
            strength: section.number("prior_strength", ABOVE_ZERO..=1000.0),
        },
    }
}

fn signals(section: &mut Section<'_>, sources: &Table) -> Vec<SignalWeight> {
    section.knows(&Signal::ALL.map(Signal::name));
    let weights = Signal::ALL.map(|signal| {
        if LATER.contains(&signal) && !section.table.contains_key(signal.name()) {
            return Some(SignalWeight {
                weight: 0.0,
                reason: "the model is older than the signal".to_owned(),
                source: String::new(),
            });
        }
        section.section(signal.name(), |section| {
            section.knows(&["weight", "reason", "source"]);
            let source = section.text("source");
            let citation = sources.get(&source).and_then(Value::as_str);
            if citation.is_none() && !source.is_empty() {
                section.violate("source", "must be a key of [sources]");
            }
            SignalWeight {
                weight: section.number("weight", 0.0..=10.0),
                reason: section.text("reason"),
                source: citation.unwrap_or_default().to_owned(),
            }
        })
    });
    weights.into_iter().flatten().collect()
}

fn rhythm(section: &mut Section<'_>) -> Rhythm {
    section.knows(&["even_gaps", "max_weight", "half_weight_gaps"]);
    Rhythm {
        even_gaps: section.number("even_gaps", ABOVE_ZERO..=100.0),
        max_weight: section.number("max_weight", 0.0..=16.0),
        half_weight_gaps: section.number("half_weight_gaps", ABOVE_ZERO..=1000.0),
    }
}

fn stages(section: &mut Section<'_>) -> Stages {
    section.knows(&[
        "confidence",
        "expansion_order_days",
        "expansion_bond",
        "commitment_order_days",
        "commitment_days",
        "commitment_score",
        "commitment_provider_index",
        "dissolution_gaps",
        "dissolution_loyalty",
    ]);
    Stages {
        confidence: section.number("confidence", 0.0..=1.0),
        expansion_order_days: section.count("expansion_order_days", 1..=10_000),
        expansion_bond: section.number("expansion_bond", 0.0..=100.0),
        commitment_order_days: section.count("commitment_order_days", 1..=10_000),
        commitment_days: section.count("commitment_days", 0..=36_500),
        commitment_score: section.number("commitment_score", 0.0..=100.0),
        commitment_provider_index: section.number("commitment_provider_index", 0.0..=100.0),
        dissolution_gaps: section.number("dissolution_gaps", ABOVE_ZERO..=1000.0),
        dissolution_loyalty: section.number("dissolution_loyalty", 0.0..=100.0),
    }
}

fn exposure(section: &mut Section<'_>) -> Exposure {
    section.knows(&["trust_gap", "confidence"]);
    Exposure {
        trust_gap: section.number("trust_gap", 0.0..=100.0),
        confidence: section.number("confidence", 0.0..=1.0),
    }
}

/// One table of the document. Reading a field that is absent or wrong records a violation and
/// gives a stand-in, so that reading goes on.
struct Section<'a> {
    path: String,
    table: &'a Table,
    violations: &'a mut Vec<Violation>,
}

impl Section<'_> {
    fn violate(&mut self, key: &str, problem: impl Into<String>) {
        let field = self.path_of(key);
        self.violations.push(Violation { field, problem: problem.into() });
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    /// Records every field that is not among the known ones.
    fn knows(&mut self, known: &[&str]) {
        for key in self.table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.violate(key, "is not known");
        }
    }

    fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> Option<T> {
        let Some(table) = self.table.get(key).and_then(Value::as_table) else {
            self.violate(key, "must be a table");
            return None;
        };
        let path = self.path_of(key);
        Some(read(&mut Section { path, table, violations: self.violations }))
    }

    fn number(&mut self, key: &str, range: RangeInclusive<f64>) -> f64 {
        let number = match self.table.get(key) {
            Some(Value::Float(number)) => Some(*number),
            Some(Value::Integer(number)) => Some(*number as f64),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => number,
            _ => {
                self.violate(key, format!("must be a number from {} to {}", range.start(), range.end()));
                *range.start()
            }
        }
    }

    fn count(&mut self, key: &str, range: RangeInclusive<u32>) -> u32 {
        let count = self.table.get(key).and_then(Value::as_integer);
        match count.and_then(|count| u32::try_from(count).ok()) {
            Some(count) if range.contains(&count) => count,
            _ => {
                self.violate(key, format!("must be a whole number from {} to {}", range.start(), range.end()));
                *range.start()
            }
        }
    }

    fn text(&mut self, key: &str) -> String {
        match self.table.get(key).and_then(Value::as_str).map(str::trim) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => {
                self.violate(key, "must be a text that is not empty");
                String::new()
            }
        }
    }

    /// Records every field that is not a text.
    fn texts(&mut self) {
        for key in self.table.keys() {
            self.text(key);
        }
    }
}
