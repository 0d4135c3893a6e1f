//! A change as a message, and in plain words.

use contracts::assessments::v1 as wire;
use contracts::common::v1::Party;
use dynamics::{Facet, View};
use methods::from_micros;

use super::rule::Change;
use crate::{
    filter::stage_name,
    standing,
    wire::{facet, party},
};

/// How many facets the summary tells of.
const FACETS_TOLD: usize = 3;

/// Writes a change that was noticed at this time. The facets that moved by the threshold are told, in points.
pub(crate) fn message(
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
        summary: summary(change, &facets),
        facets,
        causes: why.causes().into_iter().map(i32::from).collect(),
        sources: why.sources().to_vec(),
    }
}

/// Tells how the bond moved and the facets that moved most, the new stage and who is exposed now, and what it comes from.
fn summary(Change { before, after, why }: &Change, facets: &[wire::FacetChange]) -> Vec<String> {
    let moved = |from: f64, to: f64| {
        let way = if to >= from { "rose" } else { "fell" };
        format!("{way} by {:.1} points, from {from:.1} to {to:.1}", (to - from).abs())
    };
    let (from, to) = (before.figure(standing::BOND), after.figure(standing::BOND));
    let mut sentences = vec![match (to - from).abs() {
        still if still < 0.05 => format!("The bond stands still at {to:.1}."),
        _ => format!("The bond {}.", moved(from, to)),
    }];
    let mut facets: Vec<&wire::FacetChange> = facets.iter().collect();
    facets.sort_by(|one, other| (other.after - other.before).abs().total_cmp(&(one.after - one.before).abs()));
    sentences.extend(facets.into_iter().take(FACETS_TOLD).map(|change| {
        let whose = party_name(change.party());
        let what = change.facet().as_str_name().trim_start_matches("FACET_").to_lowercase();
        format!("The {whose}'s {what} {}.", moved(change.before, change.after))
    }));
    if before.stage != after.stage {
        let stage = |stage| stage_name(wire::Stage::try_from(stage).unwrap_or_default());
        sentences.push(format!("The relationship went from {} to {}.", stage(before.stage), stage(after.stage)));
    }
    if before.exposed != after.exposed {
        sentences.push(match after.exposed() {
            Party::Unspecified => "Neither party is exposed any more.".to_owned(),
            party => format!("The {} is exposed now: it trusts more than it is trusted.", party_name(party)),
        });
    }
    let causes: Vec<&str> = why.causes().into_iter().filter_map(cause).collect();
    let from = match causes.split_last() {
        None => return sentences,
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    sentences.push(match why.sources() {
        [] => format!("It comes from {from}."),
        [source] => format!("It comes from {from}: {source}."),
        [source, others @ ..] => format!("It comes from {from}: {source} and {} more.", others.len()),
    });
    sentences
}

fn party_name(party: Party) -> &'static str {
    match party {
        Party::Provider => "provider",
        _ => "customer",
    }
}

fn cause(cause: wire::Cause) -> Option<&'static str> {
    match cause {
        wire::Cause::New => Some("something new"),
        wire::Cause::Corrected => Some("a correction"),
        wire::Cause::Withdrawn => Some("something withdrawn"),
        wire::Cause::Time => Some("the passing of time"),
        wire::Cause::Model => Some("a change of model"),
        wire::Cause::Balance | wire::Cause::Unspecified => None,
    }
}
