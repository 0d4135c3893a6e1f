//! A change as a message.

use contracts::assessments::v1 as wire;
use dynamics::{Facet, View};
use methods::from_micros;
use wording::Words;

use super::rule::Change;
use crate::{
    standing, telling,
    wire::{facet, party},
};

/// Writes a change that was noticed at this time. The facets that moved by the threshold are told, in points.
pub(crate) fn message(
    words: &Words,
    change: &Change,
    threshold: f64,
    moved_at: i64,
    assessment: wire::Assessment,
    position: String,
) -> wire::WatchAssessmentsResponse {
    let Change { before, after, why } = change;
    let mut facets = Vec::new();
    for view in View::ALL {
        for of in Facet::ALL {
            let place = standing::place(view, of);
            if after.distance(before, place) >= threshold {
                facets.push(wire::FacetChange {
                    party: party(view).into(),
                    facet: facet(of).into(),
                    before: before.figure(place),
                    after: after.figure(place),
                });
            }
        }
    }
    wire::WatchAssessmentsResponse {
        assessment: Some(assessment),
        position,
        move_time: Some(from_micros(moved_at)),
        bond_before: before.figure(standing::BOND),
        bond_after: after.figure(standing::BOND),
        stage_before: before.stage,
        stage_after: after.stage,
        exposed_before: before.exposed,
        exposed_after: after.exposed,
        summary: telling::movement::watched(words, before, after, why, &facets),
        facets,
        causes: why.causes().into_iter().map(i32::from).collect(),
        sources: why.sources().to_vec(),
    }
}
