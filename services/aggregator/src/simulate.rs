//! SimulateAssessment: what an assessment would be with other evidence, or by another model.

use std::{collections::BTreeSet, sync::Arc};

use contracts::assessments::v1::*;
use dynamics::{
    Evidence, Facts, Model as Weights, Signal, Topic,
    levers::{Change, Without},
};
use methods::{Call, Collection, Violations, not_found, store_fault, to_micros};
use runtime::Fault;
use tonic::{Request, Response, Status};
use wording::Words;

use crate::{
    compare,
    picture::{Gallery, Moment, Picture},
    predict::read_horizon,
    service::{Service, assessed},
    telling::{self, movement::Tense},
    tongue::Tongue,
};

pub(crate) const MODELS: Collection = Collection::OfTenant("models");

const MOST_SUPPOSITIONS: usize = 100;
const MOST_WITHOUT: usize = 1_000;

impl Service {
    pub(crate) async fn simulate(
        &self,
        request: Request<SimulateAssessmentRequest>,
    ) -> Result<Response<SimulateAssessmentResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = Moment::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        let account = assessed("name", &ask.name, &mut violations);
        let until = moment.as_of.unwrap_or_else(|| self.gallery.clock.now());
        let supposed = read_suppositions(&ask.suppositions, until, &mut violations);
        check_without(&ask.without, &mut violations);
        let without_signals = read_without_signals(&ask.without_signals, &mut violations);
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.reference("model", &ask.model, MODELS);
        violations.finish()?;

        let tenant = call.tenant.as_str();
        let other_model = match ask.model.as_str() {
            "" => None,
            name => Some(self.gallery.model(tenant, name)?),
        };
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let before = self.gallery.find(tenant, account, moment).await?;
        let supposed = Supposal { supposed, without: ask.without, without_signals, other_model };
        Ok(tongue.answer(self.gallery.simulate(before, &supposed, horizon, tongue.words).await?))
    }
}

impl Gallery {
    /// Supposes something of a picture.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with each name in `without` that is none of the account's sources, and each in `without_signals`
    /// of which it says nothing; UNAVAILABLE.
    pub(crate) async fn simulate(
        &self,
        mut before: Picture,
        supposal: &Supposal,
        horizon: Option<u32>,
        words: &Words,
    ) -> Result<SimulateAssessmentResponse, Fault> {
        let facts = self.sources(&mut before).await?;
        let mut facts_after = unsaid(&facts, &supposal.without_signals)?.apply(&facts);
        facts_after = others(&facts_after, &supposal.without)?;
        facts_after.extend(supposal.supposed.iter().map(|supposed| supposed.facts(before.now)));
        let after = before.supposing(supposal.other_model.clone(), &facts_after);
        let ahead = self.ahead(&before.tenant, horizon, [&before]).await?;
        let [predicted_before, predicted_after] = [&before, &after].map(|picture| match &ahead {
            None => Ok(None),
            Some(ahead) => self.predict(picture, ahead).map_err(store_fault),
        });
        let CompareAssessmentsResponse { mut before, mut after, facets, terms, mut summary } =
            compare::between(self, (before, &facts), (after, &facts_after), Tense::Conditional, words);
        let (predicted_before, predicted_after) = (predicted_before?, predicted_after?);
        summary.extend(telling::movement::chance(words, predicted_before.as_ref(), predicted_after.as_ref()));
        for (assessment, mut prediction) in [(&mut before, predicted_before), (&mut after, predicted_after)] {
            if let Some(prediction) = &mut prediction {
                telling::prediction::translate(words, prediction);
            }
            if let Some(assessment) = assessment {
                assessment.prediction = prediction;
            }
        }
        Ok(SimulateAssessmentResponse { before, after, facets, terms, summary })
    }

    /// The model of this name; of `models/default`, the one that assesses accounts without a choice of their own.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub(crate) fn model(&self, tenant: &str, name: &str) -> Result<Arc<Weights>, Fault> {
        let model = match MODELS.parse(name) {
            Some((_, "default")) => Some(self.models.of(tenant, "")),
            Some((_, id)) => self.models.find(tenant, id),
            None => None,
        };
        model.ok_or_else(|| not_found("model", name))
    }
}

/// All that is supposed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supposal {
    pub(crate) supposed: Vec<Supposed>,
    /// The sources that never were.
    pub(crate) without: Vec<String>,
    /// What sources do not say.
    pub(crate) without_signals: Vec<Without>,
    pub(crate) other_model: Option<Arc<Weights>>,
}

/// A supposition that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Supposed {
    /// Its place in the request, from 1 on: it is told as a source of this number.
    number: usize,
    signal: Signal,
    value: f64,
    weight: f64,
    /// When; at the time of the assessment if unset.
    at: Option<i64>,
    count: usize,
}

impl Supposed {
    /// The source that says so.
    fn facts(self, now: i64) -> (String, Facts) {
        let evidence = Evidence::new(Topic::Signal(self.signal), self.at.unwrap_or(now), self.value, self.weight);
        let evidence = evidence.map_or_else(Vec::new, |evidence| vec![evidence; self.count]);
        (format!("suppositions/{}", self.number), Facts { evidence, ..Facts::default() })
    }
}

/// Reads suppositions, none of which may lie after a time.
pub(crate) fn read_suppositions(
    suppositions: &[Supposition],
    until: i64,
    violations: &mut Violations,
) -> Vec<Supposed> {
    violations.at_most("suppositions", suppositions.len(), MOST_SUPPOSITIONS);
    let mut read = Vec::with_capacity(suppositions.len().min(MOST_SUPPOSITIONS));
    for (index, supposition) in suppositions.iter().enumerate() {
        violations.within(format!("suppositions[{index}]"), |violations| {
            if supposition.value.is_none() {
                violations.add("value", "is required");
            }
            violations.number("value", supposition.value, -1.0, 1.0);
            let weight = supposition.weight.unwrap_or(1.0);
            if !(weight > 0.0 && weight <= Evidence::MAX_WEIGHT) {
                violations.add("weight", format!("must lie above 0, up to {}", Evidence::MAX_WEIGHT));
            }
            violations.time("happen_time", supposition.happen_time.as_ref());
            let at = supposition.happen_time.as_ref().map(to_micros);
            if at.is_some_and(|at| at > until) {
                violations.add("happen_time", "must not be after the time of the assessment");
            }
            violations.integer("count", supposition.count.into(), 0, 1_000);
            let count = usize::try_from(supposition.count).unwrap_or_default().max(1);
            if let Some(signal) = read_signal(&supposition.signal, violations) {
                let value = supposition.value.unwrap_or_default();
                read.push(Supposed { number: index + 1, signal, value, weight, at, count });
            }
        });
    }
    read
}

fn read_signal(name: &str, violations: &mut Violations) -> Option<Signal> {
    match Signal::from_name(name) {
        Some(signal) if !signal.derived() => return Some(signal),
        Some(_) => violations.add("signal", "follows from the orders and cannot be supposed"),
        None if name.is_empty() => violations.add("signal", "is required"),
        None => {
            violations.add("signal", "is no signal; `GetModel` answers with a document that has them all in [signals]")
        }
    }
    None
}

fn check_without(names: &[String], violations: &mut Violations) {
    violations.at_most("without", names.len(), MOST_WITHOUT);
    let mut named = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            violations.add(&format!("without[{index}]"), "is required");
        } else if !named.insert(name) {
            violations.add(&format!("without[{index}]"), "is named twice");
        }
    }
}

fn read_without_signals(named: &[WithoutSignal], violations: &mut Violations) -> Vec<Without> {
    violations.at_most("without_signals", named.len(), MOST_WITHOUT);
    let mut read: Vec<Without> = Vec::with_capacity(named.len().min(MOST_WITHOUT));
    for (index, WithoutSignal { source, signal }) in named.iter().enumerate() {
        violations.within(format!("without_signals[{index}]"), |violations| {
            if source.is_empty() {
                violations.add("source", "is required");
            }
            let Some(signal) = read_signal(signal, violations) else { return };
            let without = Without { source: source.clone(), signal };
            if read.contains(&without) {
                violations.add("source", "is named twice with this signal");
            } else {
                read.push(without);
            }
        });
    }
    read
}

/// What leaves out what sources are not to say.
///
/// # Errors
/// A fault with each of which no source says anything.
fn unsaid(facts: &[(String, Facts)], without: &[Without]) -> Result<Change, Fault> {
    let mut violations = Violations::default();
    for (index, Without { source, signal }) in without.iter().enumerate() {
        let says = |facts: &Facts| {
            let evidence = facts.evidence.iter().any(|evidence| evidence.topic() == Topic::Signal(*signal));
            evidence || facts.pending.iter().any(|pending| pending.topic() == *signal)
        };
        if !facts.iter().any(|(name, facts)| name == source && says(facts)) {
            let problem = "names no source that the account had at that time, or one that says nothing of that signal";
            violations.add(&format!("without_signals[{index}]"), problem);
        }
    }
    violations.finish()?;
    Ok(Change { without: without.to_vec(), suppositions: Vec::new() })
}

/// What the other sources say.
///
/// # Errors
/// A fault with each name that is none of the sources.
fn others(facts: &[(String, Facts)], names: &[String]) -> Result<Vec<(String, Facts)>, Fault> {
    let sources: BTreeSet<&str> = facts.iter().map(|(source, _)| source.as_str()).collect();
    let mut violations = Violations::default();
    for (index, name) in names.iter().enumerate() {
        if !sources.contains(name.as_str()) {
            violations.add(&format!("without[{index}]"), "is no source that the account had at that time");
        }
    }
    violations.finish()?;
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    Ok(facts.iter().filter(|(source, _)| !names.contains(source.as_str())).cloned().collect())
}
