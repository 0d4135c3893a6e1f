//! The model: every number that is a matter of judgement, in one immutable, versioned document.

mod parse;

use std::sync::LazyLock;

use crate::decay::HalfLives;
use crate::expectation::Expectation;
use crate::signal::Signal;
use crate::vocabulary::{Facet, View};

/// The default model, parsed once.
static DEFAULT: LazyLock<Model> = LazyLock::new(|| match Model::parse(Model::DEFAULT_TEXT) {
    Ok(model) => model,
    // A test parses the document, which is compiled in, so no build that passes gets here.
    Err(error) => panic!("the default model is not valid: {error}"),
});

/// Weights, priors, half-lives and thresholds. Read from a TOML document whose form the default
/// one, [`Model::DEFAULT_TEXT`], documents line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    id: String,
    half_lives: HalfLives,
    prior_variance: f64,
    views: [ViewWeights; 2],
    signals: Vec<SignalWeight>,
    rhythm: Rhythm,
    stages: Stages,
    exposure: Exposure,
    /// Not of the document: what a fit to the portfolio expects, if one is in use.
    expectation: Option<Expectation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct ViewWeights {
    weight: f64,
    facets: [FacetWeights; 5],
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct FacetWeights {
    weight: f64,
    prior: Prior,
}

/// What is believed of a facet before any evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prior {
    /// The mean m₀, in [-1, 1]; the score is then 50·(1 + m₀).
    pub mean: f64,
    /// The strength k, in (0, 1000]: how much evidence, by weight, counts as much as the prior.
    pub strength: f64,
}

/// How much a signal counts.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalWeight {
    /// The factor on its evidence, in [0, 10]; 0 leaves the signal out.
    pub weight: f64,
    /// Why it is that.
    pub reason: String,
    /// What supports it: a full citation, or that it is judgement.
    pub source: String,
}

/// How the rhythm of ordering turns into a term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// The silence, in typical gaps, at which the value is 0; in (0, 100].
    pub even_gaps: f64,
    /// The weight it tends to, before the signal's own; in [0, 16].
    pub max_weight: f64,
    /// The number of gaps seen at which it has half that weight; in (0, 1000].
    pub half_weight_gaps: f64,
}

/// The thresholds between stages; [`crate::Stage`] says how they are used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stages {
    /// Confidence from which a score is sure; in [0, 1].
    pub confidence: f64,
    /// Order days; 1 to 10 000.
    pub expansion_order_days: u32,
    /// A bond; 0 to 100.
    pub expansion_bond: f64,
    /// Order days; 1 to 10 000.
    pub commitment_order_days: u32,
    /// Days from the first order to the last; 0 to 36 500.
    pub commitment_days: u32,
    /// A score; 0 to 100.
    pub commitment_score: f64,
    /// An index; 0 to 100.
    pub commitment_provider_index: f64,
    /// Typical gaps of silence; above 0, at most 1000.
    pub dissolution_gaps: f64,
    /// A score; 0 to 100.
    pub dissolution_loyalty: f64,
}

/// When a difference in trust exposes the party that trusts more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// The difference in points that must be exceeded; 0 to 100.
    pub trust_gap: f64,
    /// The confidence both trust scores need; in [0, 1].
    pub confidence: f64,
}

/// Everything that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; "))]
pub struct ModelError {
    /// Each violation, at least one, in the order of the document's parts.
    pub violations: Vec<Violation>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Violation {
    /// The path of the field, such as `views.customer.trust.weight`; `document` for the whole.
    pub field: String,
    /// What is wrong with it, lower case, without a full stop.
    pub problem: String,
}

impl Model {
    /// The document of the default model.
    pub const DEFAULT_TEXT: &'static str = include_str!("../models/default.toml");

    /// Reads a document.
    ///
    /// # Errors
    /// Every violation in it, unless it is not TOML at all, which is one.
    pub fn parse(text: &str) -> Result<Model, ModelError> {
        parse::parse(text)
    }

    /// The revision's id: lower-case letters, digits, `-` and `.`, at most 64 characters.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same model, measuring what customers do by what a fit expects of them, or by the rhythm of
    /// each alone.
    pub fn expecting(&self, expectation: Option<Expectation>) -> Model {
        Model { expectation, ..self.clone() }
    }

    /// Names the model and the fit that it measures by: as long as it is the same, so are its scores.
    /// The ids are joined by a character that none has.
    pub fn made_with(&self) -> String {
        match &self.expectation {
            Some(expectation) => format!("{}/{}", self.id, expectation.fit()),
            None => self.id.clone(),
        }
    }

    /// What a fit expects of customers, if one is in use.
    pub fn expectation(&self) -> Option<&Expectation> {
        self.expectation.as_ref()
    }

    /// The half-lives that ledgers for this model are made with.
    pub fn half_lives(&self) -> HalfLives {
        self.half_lives
    }

    /// The variance of values about the prior's mean that the prior stands for; in [0, 1].
    pub fn prior_variance(&self) -> f64 {
        self.prior_variance
    }

    /// What is believed of a facet before any evidence.
    pub fn prior(&self, view: View, facet: Facet) -> Prior {
        self.views[view.index()].facets[facet.index()].prior
    }

    /// The facet's share of its view's index. The shares of a view add up to 1.
    pub fn facet_weight(&self, view: View, facet: Facet) -> f64 {
        self.views[view.index()].facets[facet.index()].weight
    }

    /// The view's share of the bond. Both shares add up to 1.
    pub fn view_weight(&self, view: View) -> f64 {
        self.views[view.index()].weight
    }

    /// How much a signal counts, and why.
    pub fn signal(&self, signal: Signal) -> &SignalWeight {
        &self.signals[signal.index()]
    }

    /// How much a signal counts.
    pub fn weight(&self, signal: Signal) -> f64 {
        self.signal(signal).weight
    }

    /// How the rhythm of ordering turns into a term.
    pub fn rhythm(&self) -> Rhythm {
        self.rhythm
    }

    /// The thresholds between stages.
    pub fn stages(&self) -> Stages {
        self.stages
    }

    /// When a difference in trust exposes a party.
    pub fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// What points in a facet are in the bond. As bond and index are weighted means, the facets'
    /// base and contributions, so converted, add up to the bond.
    pub fn bond_points(&self, view: View, facet: Facet, points: f64) -> f64 {
        self.view_weight(view) * self.facet_weight(view, facet) * points
    }

    /// What points in a facet are in its view's index.
    pub fn index_points(&self, view: View, facet: Facet, points: f64) -> f64 {
        self.facet_weight(view, facet) * points
    }
}

impl Default for Model {
    fn default() -> Model {
        DEFAULT.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_parses() {
        let model = Model::parse(Model::DEFAULT_TEXT).unwrap();
        assert_eq!(model.id(), "default-2");
        assert_eq!(model, Model::default());
    }

    #[test]
    fn shares_add_up_to_one() {
        let model = Model::default();
        let bond: f64 = View::ALL.map(|view| model.view_weight(view)).iter().sum();
        assert!((bond - 1.0).abs() < 1e-12);
        for view in View::ALL {
            let index: f64 = Facet::ALL.map(|facet| model.facet_weight(view, facet)).iter().sum();
            assert!((index - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn conflict_weighs_most_and_mere_contact_little() {
        let model = Model::default();
        let conflict = model.weight(Signal::Conflict);
        for signal in Signal::ALL {
            assert!(signal == Signal::Conflict || model.weight(signal) < conflict, "{signal}");
        }
        for weak in [Signal::CustomerInitiative, Signal::ContactBreadth, Signal::ProviderInitiative] {
            assert!(model.weight(weak) < 0.5, "{weak}");
        }
    }

    #[test]
    fn a_document_that_is_older_than_a_signal_gives_it_no_weight() {
        let is_later = |line: &&str| !line.starts_with("rival_mention") && !line.starts_with("customer_assurance");
        let older: Vec<&str> = Model::DEFAULT_TEXT.lines().filter(is_later).collect();
        let model = Model::parse(&older.join("\n")).unwrap();
        assert_eq!((model.weight(Signal::RivalMention), model.weight(Signal::CustomerAssurance)), (0.0, 0.0));
        assert!(model.weight(Signal::ProviderAssurance) > 0.0);
        let is_first = |line: &&str| !line.starts_with("ordering");
        let broken: Vec<&str> = Model::DEFAULT_TEXT.lines().filter(is_first).collect();
        assert!(Model::parse(&broken.join("\n")).is_err());
    }

    #[test]
    fn every_violation_is_reported() {
        let text = Model::DEFAULT_TEXT
            .replace("id = \"default-2\"", "id = \"Default 1\"")
            .replace("fast_days = 45", "fast_days = 170")
            .replace("[signals]", "[signals]\nmood = { weight = 1 }")
            .replace("[rhythm]", "[rhythms]");
        let fields: Vec<String> = Model::parse(&text).unwrap_err().violations.into_iter().map(|v| v.field).collect();
        for field in ["id", "half_lives", "signals.mood", "rhythm", "rhythms"] {
            assert!(fields.iter().any(|found| found == field), "{field} in {fields:?}");
        }
    }

    #[test]
    fn text_that_is_not_toml_is_one_violation() {
        let error = Model::parse("id = ").unwrap_err();
        assert_eq!(error.violations.len(), 1);
        assert_eq!(error.violations[0].field, "document");
        assert!(Model::parse("").unwrap_err().violations.len() > 3);
    }
}
