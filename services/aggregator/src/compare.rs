//! What moved an account's scores from one moment to another.

use contracts::assessments::v1 as wire;
use dynamics::{Assessment, Cause, ChangeTerm, Facet, Facts, Snapshot, View, assess, compare};
use runtime::Fault;
use wording::Words;

use crate::{
    picture::{Gallery, Picture},
    telling::movement::{self, Tense},
    wire::{facet, party},
};

/// Compares two pictures of one account.
///
/// # Errors
/// UNAVAILABLE.
pub(crate) async fn answer(
    gallery: &Gallery,
    mut before: Picture,
    mut after: Picture,
    words: &Words,
) -> Result<wire::CompareAssessmentsResponse, Fault> {
    let (facts_before, facts_after) = (gallery.sources(&mut before).await?, gallery.sources(&mut after).await?);
    Ok(between(gallery, (before, &facts_before), (after, &facts_after), Tense::Past, words))
}

/// Compares two pictures of one account, given what each source says in them.
pub(crate) fn between(
    gallery: &Gallery,
    (before, facts_before): (Picture, &[(String, Facts)]),
    (after, facts_after): (Picture, &[(String, Facts)]),
    tense: Tense,
    words: &Words,
) -> wire::CompareAssessmentsResponse {
    let terms = compare(snapshot(&before, facts_before), &before.model, snapshot(&after, facts_after), &after.model);
    let was = assess(&before.ledger, &before.model, before.now);
    let is = assess(&after.ledger, &after.model, after.now);
    wire::CompareAssessmentsResponse {
        facets: facets(&was, &is),
        summary: movement::compared(words, &was, &is, &terms, tense),
        terms: terms.iter().map(term).collect(),
        before: Some(gallery.assess(before)),
        after: Some(gallery.assess(after)),
    }
}

fn snapshot<'a>(picture: &'a Picture, facts: &'a [(String, Facts)]) -> Snapshot<'a> {
    Snapshot { ledger: &picture.ledger, facts, now: picture.now }
}

fn facets(was: &Assessment, is: &Assessment) -> Vec<wire::FacetChange> {
    let mut changes = Vec::new();
    for view in View::ALL {
        for of in Facet::ALL {
            changes.push(wire::FacetChange {
                party: party(view).into(),
                facet: facet(of).into(),
                before: was.view(view).facet(of).score,
                after: is.view(view).facet(of).score,
            });
        }
    }
    changes
}

fn term(term: &ChangeTerm) -> wire::ChangeTerm {
    wire::ChangeTerm {
        party: party(term.view).into(),
        facet: facet(term.facet).into(),
        cause: cause(term.cause).into(),
        signal: term.signal.map_or(String::new(), |signal| signal.name().to_owned()),
        source: term.source.clone(),
        points: term.points,
        bond_points: term.bond_points,
    }
}

fn cause(cause: Cause) -> wire::Cause {
    match cause {
        Cause::New => wire::Cause::New,
        Cause::Corrected => wire::Cause::Corrected,
        Cause::Withdrawn => wire::Cause::Withdrawn,
        Cause::Time => wire::Cause::Time,
        Cause::Balance => wire::Cause::Balance,
        Cause::Model => wire::Cause::Model,
    }
}
