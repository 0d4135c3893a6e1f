//! Explanations: every score as a sum of terms, by signal and down to the single source.

use crate::assess::facet_level;
use crate::decay::Micros;
use crate::facts::Facts;
use crate::ledger::Ledger;
use crate::level::Level;
use crate::model::Model;
use crate::signal::{Signal, Topic};
use crate::terms::{Term, Terms};
use crate::vocabulary::{Facet, View};

/// The source named for the rhythm of ordering, which no single source makes.
pub const ACTIVITY_SOURCE: &str = "activity";

/// Explains every facet by signal. For each, `base` plus the contributions' points is the score
/// that [`crate::assess()`] gives, to within 1e-9 points.
pub fn explain(ledger: &Ledger, model: &Model, now: Micros) -> Explanation {
    let terms = Terms::gather(ledger, model, now);
    let mut facets = Vec::new();
    for (view, facet) in all_facets() {
        let level = facet_level(view, facet, &terms, model);
        let mut contributions: Vec<Contribution> = Signal::of(view, facet)
            .map(|signal| Contribution::of(signal, terms.signal(signal), &level))
            .filter(|contribution| contribution.weight > 0.0)
            .collect();
        contributions.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
        facets.push(FacetExplanation {
            view,
            facet,
            base: level.base(),
            score: level.score(),
            is_prior: level.is_prior(),
            contributions,
        });
    }
    Explanation { now, model: model.id().to_owned(), facets }
}

/// Explains every facet by single source. `sources` are all that the ledger was folded from. The
/// points of a signal's sources add up to the signal's [`Contribution`], to within 1e-9 points.
pub fn explain_sources<'a>(
    ledger: &Ledger,
    model: &Model,
    now: Micros,
    sources: impl IntoIterator<Item = (&'a str, &'a Facts)>,
) -> Vec<FacetSources> {
    let terms = Terms::gather(ledger, model, now);
    let levels: Vec<(View, Facet, Level)> =
        all_facets().map(|(view, facet)| (view, facet, facet_level(view, facet, &terms, model))).collect();
    let mut found: Vec<FacetSources> = levels
        .iter()
        .map(|(view, facet, _)| FacetSources { view: *view, facet: *facet, contributions: vec![] })
        .collect();
    let mut add = |source: &str, signal: Signal, at: Micros, pending: bool, term: Term| {
        if term.weight > 0.0 {
            let place = signal.view().index() * Facet::ALL.len() + signal.facet().index();
            let points = levels[place].2.points_of(&term);
            let source = source.to_owned();
            let contribution = SourceContribution { source, signal, at, points, weight: term.weight, pending };
            found[place].contributions.push(contribution);
        }
    };
    for (source, facts) in sources {
        for evidence in &facts.evidence {
            if let Topic::Signal(signal) = evidence.topic() {
                let term = Term::of_evidence(evidence, signal, model, ledger.half_lives(), now);
                add(source, signal, evidence.at(), false, term);
            }
        }
        for pending in &facts.pending {
            let term = Term::of_pending(pending, model, ledger.half_lives(), now);
            add(source, pending.topic(), pending.since(), true, term);
        }
    }
    let last_at = ledger.activity().last_at().unwrap_or(now);
    let rhythm = Term::of_rhythm(ledger, model, now);
    add(ACTIVITY_SOURCE, Signal::OrderRhythm, last_at, false, rhythm);
    for facet in &mut found {
        facet.contributions.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
    }
    found
}

/// The terms of every facet's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The moment it speaks of.
    pub now: Micros,
    /// The id of the model it was made with.
    pub model: String,
    /// Every facet of the customer's view, then of the provider's; see [`Explanation::facet`].
    pub facets: Vec<FacetExplanation>,
}

impl Explanation {
    /// The explanation of one facet.
    pub fn facet(&self, view: View, facet: Facet) -> &FacetExplanation {
        &self.facets[view.index() * Facet::ALL.len() + facet.index()]
    }
}

/// The terms of one facet's score.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetExplanation {
    /// Whose view.
    pub view: View,
    /// Which facet.
    pub facet: Facet,
    /// The score without any evidence, the prior's: 50·(1 + m₀) points.
    pub base: f64,
    /// The score, 0 to 100: `base` and the contributions' points.
    pub score: f64,
    /// True when there is no evidence and the score is the prior.
    pub is_prior: bool,
    /// What each signal with evidence contributes, the largest effect first.
    pub contributions: Vec<Contribution>,
}

/// What one signal contributes to its facet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contribution {
    /// Which signal.
    pub signal: Signal,
    /// By how many points it moves the score away from the prior. [`Model::bond_points`] says
    /// what that is in the bond.
    pub points: f64,
    /// Its effective weight: the model's, the evidence's and the decay together; above 0.
    pub weight: f64,
    /// The mean value of its evidence so weighed, in [-1, 1].
    pub value: f64,
    /// How many pieces of evidence, open matters and rhythms are in it.
    pub count: u64,
}

impl Contribution {
    fn of(signal: Signal, term: &Term, level: &Level) -> Contribution {
        Contribution {
            signal,
            points: level.points_of(term),
            weight: term.weight,
            value: (term.value / term.weight).clamp(-1.0, 1.0),
            count: term.count,
        }
    }
}

/// What single sources contribute to one facet.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetSources {
    /// Whose view.
    pub view: View,
    /// Which facet.
    pub facet: Facet,
    /// Every contribution, the largest effect first.
    pub contributions: Vec<SourceContribution>,
}

/// What one piece of evidence, or one open matter, of a source contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceContribution {
    /// The source's key, or [`ACTIVITY_SOURCE`].
    pub source: String,
    /// Which signal.
    pub signal: Signal,
    /// When it happened or became due; for the rhythm, the last order day.
    pub at: Micros,
    /// By how many points it moves the score away from the prior.
    pub points: f64,
    /// Its effective weight, above 0.
    pub weight: f64,
    /// True while it is still owed or open.
    pub pending: bool,
}

pub(crate) fn all_facets() -> impl Iterator<Item = (View, Facet)> {
    View::ALL.into_iter().flat_map(|view| Facet::ALL.into_iter().map(move |facet| (view, facet)))
}
