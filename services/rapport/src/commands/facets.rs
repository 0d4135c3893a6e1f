//! The facets by name, and the words for what enums say.

use contracts::assessments::v1::{Facet, FacetScore, Score, Stage, View};
use contracts::common::v1::{EmotionKind, Party};
use wording::Words;

use crate::import::value::short_name;

/// The facets of a view, in the order of the contract.
pub(super) const FACETS: [(&str, Facet); 5] = [
    ("rapport", Facet::Rapport),
    ("trust", Facet::Trust),
    ("loyalty", Facet::Loyalty),
    ("ease", Facet::Ease),
    ("value", Facet::Value),
];

/// The score of a facet in a view.
pub(super) fn score(view: Option<&View>, facet: Facet) -> Option<Score> {
    facet_score(view?, facet)?.score
}

fn facet_score(view: &View, facet: Facet) -> Option<&FacetScore> {
    match facet {
        Facet::Rapport => view.rapport.as_ref(),
        Facet::Trust => view.trust.as_ref(),
        Facet::Loyalty => view.loyalty.as_ref(),
        Facet::Ease => view.ease.as_ref(),
        Facet::Value => view.value.as_ref(),
        Facet::Unspecified => None,
    }
}

/// A stage in one word.
pub(crate) fn stage(stage: Stage) -> String {
    short_name("Stage", stage.as_str_name())
}

/// A party in one word.
pub(super) fn party(party: Party) -> String {
    short_name("Party", party.as_str_name())
}

/// A facet in one word.
pub(super) fn facet(facet: Facet) -> String {
    short_name("Facet", facet.as_str_name())
}

/// A facet of a party, such as "customer's trust", in the words of a language if one was asked for.
pub(super) fn whose(of: Party, which: Facet, words: Option<&Words>) -> String {
    let Some(words) = words else { return format!("{}'s {}", party(of), facet(which)) };
    let party = if of == Party::Provider { "provider" } else { "customer" };
    let named = FACETS.iter().find(|(_, facet)| *facet == which);
    named.map_or_else(|| facet(which), |(name, _)| words.facet_of(party, name))
}

/// An emotion in one word.
pub(super) fn emotion(kind: EmotionKind) -> String {
    short_name("EmotionKind", kind.as_str_name())
}
