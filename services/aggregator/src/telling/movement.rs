//! What moved: between two assessments, and for whoever watches.

use contracts::{assessments::v1 as wire, common::v1::Party};
use dynamics::{Assessment, Cause, ChangeTerm};
use wording::{
    Because, ChanceMoved, Change, ComesFrom, ExposedNow, Family, Figure, Moved, NobodyExposed, StageMoved, Still,
    Words, sentence,
};

use super::{REASONS, SMALLEST_REASON, count, facet_key, facet_of, party_key, points, signal, stage, the_bond, way};
use crate::{
    filter::stage_name,
    movement::{State, Why},
    standing,
};

/// How many facets a watcher is told of.
const FACETS_TOLD: usize = 3;

/// How a movement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tense {
    /// It came about.
    Past,
    /// It would, if something were so.
    Conditional,
}

impl Tense {
    const fn key(self) -> &'static str {
        match self {
            Tense::Past => "past",
            Tense::Conditional => "conditional",
        }
    }
}

/// Tells how the bond moved, and why: time and balance in a sentence each, then the single reasons that weigh most.
pub(crate) fn compared(
    words: &Words,
    was: &Assessment,
    is: &Assessment,
    terms: &[ChangeTerm],
    tense: Tense,
) -> Vec<String> {
    let (before, after) = (&was.relationship, &is.relationship);
    let mut sentences = vec![bond(words, before.bond, after.bond, tense)];
    if before.stage != after.stage {
        let (from, to) = (stage(words, before.stage), stage(words, after.stage));
        sentences.push(words.tell(StageMoved { tense: tense.key(), from, to }));
    }
    for (cause, key) in [(Cause::Time, "time"), (Cause::Balance, "balance"), (Cause::Model, "model")] {
        let by: f64 = terms.iter().filter(|term| term.cause == cause).map(|term| term.bond_points).sum();
        if by.abs() >= SMALLEST_REASON {
            sentences.push(words.tell(Because { cause: key, points: points(by) }));
        }
    }
    let single = terms.iter().filter(|term| {
        matches!(term.cause, Cause::New | Cause::Corrected | Cause::Withdrawn)
            && term.bond_points.abs() >= SMALLEST_REASON
    });
    sentences.extend(single.take(REASONS).map(|term| {
        words.tell(Change {
            signal: term.signal.map_or(String::new(), |of| signal(words, of)),
            how: match term.cause {
                Cause::Corrected => "corrected",
                Cause::Withdrawn => "withdrawn",
                _ => "new",
            },
            source: term.source.clone(),
            points: points(term.points),
            of: facet_of(words, term.view, term.facet),
            bond_points: points(term.bond_points),
        })
    }));
    sentences
}

/// Tells how the chance of an order would move; nothing if it is not predicted, or would not move.
pub(crate) fn chance(
    words: &Words,
    before: Option<&wire::Prediction>,
    after: Option<&wire::Prediction>,
) -> Option<String> {
    let (before, after) = (before?, after?);
    let chance = |of: &wire::Prediction| Some(Figure::percent(of.order_probability?.value, 1));
    let (from, to) = (chance(before)?, chance(after)?);
    let days = u64::from(after.horizon_days.unsigned_abs());
    (from != to).then(|| words.tell(ChanceMoved { days, from, to }))
}

/// Tells how the bond moved.
pub(super) fn bond(words: &Words, from: f64, to: f64, tense: Tense) -> String {
    if (to - from).abs() < SMALLEST_REASON {
        return words.tell(Still { tense: tense.key(), at: points(to) });
    }
    moved(words, the_bond(words), from, to, tense)
}

/// Tells how a facet moved.
pub(super) fn facet(words: &Words, change: &wire::FacetChange, tense: Tense) -> String {
    let subject = words.facet_of(party_key(change.party()), facet_key(change.facet()));
    moved(words, sentence(&subject), change.before, change.after, tense)
}

fn moved(words: &Words, subject: String, from: f64, to: f64, tense: Tense) -> String {
    let by = to - from;
    words.tell(Moved {
        subject,
        tense: tense.key(),
        way: way(by),
        points: points(by.abs()),
        from: points(from),
        to: points(to),
    })
}

/// The facets that moved most, by at least so many points, largest movement first.
pub(super) fn largest(facets: &[wire::FacetChange], least: f64, most: usize) -> Vec<&wire::FacetChange> {
    let by = |change: &wire::FacetChange| (change.after - change.before).abs();
    let mut facets: Vec<&wire::FacetChange> = facets.iter().filter(|change| by(change) >= least).collect();
    facets.sort_by(|one, other| by(other).total_cmp(&by(one)));
    facets.truncate(most);
    facets
}

/// Tells how the bond moved and the facets that moved most, the new stage and who is exposed now, and what it comes from.
pub(crate) fn watched(
    words: &Words,
    before: &State,
    after: &State,
    why: &Why,
    facets: &[wire::FacetChange],
) -> Vec<String> {
    let mut sentences = vec![bond(words, before.figure(standing::BOND), after.figure(standing::BOND), Tense::Past)];
    sentences.extend(largest(facets, 0.0, FACETS_TOLD).into_iter().map(|change| facet(words, change, Tense::Past)));
    if before.stage != after.stage {
        let stage = |stage| words.name(Family::Stage, &stage_name(wire::Stage::try_from(stage).unwrap_or_default()));
        let (from, to) = (stage(before.stage), stage(after.stage));
        sentences.push(words.tell(StageMoved { tense: Tense::Past.key(), from, to }));
    }
    if before.exposed != after.exposed {
        sentences.push(match after.exposed() {
            Party::Unspecified => words.tell(NobodyExposed {}),
            party => words.tell(ExposedNow { party: party_key(party) }),
        });
    }
    let causes: Vec<String> =
        why.causes().into_iter().filter_map(cause).map(|cause| words.name(Family::Cause, cause)).collect();
    if !causes.is_empty() {
        let (source, more) = match why.sources() {
            [] => ("none", 0),
            [source, others @ ..] => (source.as_str(), others.len()),
        };
        let causes = words.list(causes);
        sentences.push(words.tell(ComesFrom { causes, source: source.to_owned(), more: count(more) }));
    }
    sentences
}

fn cause(cause: wire::Cause) -> Option<&'static str> {
    match cause {
        wire::Cause::New => Some("new"),
        wire::Cause::Corrected => Some("corrected"),
        wire::Cause::Withdrawn => Some("withdrawn"),
        wire::Cause::Time => Some("time"),
        wire::Cause::Model => Some("model"),
        wire::Cause::Balance | wire::Cause::Unspecified => None,
    }
}
