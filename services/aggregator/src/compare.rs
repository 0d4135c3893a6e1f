//! What moved an account's scores from one moment to another.

use contracts::assessments::v1 as wire;
use dynamics::{Assessment, Cause, ChangeTerm, Facet, Facts, Snapshot, View, assess, compare};
use runtime::Fault;

use crate::{
    picture::{Gallery, Picture},
    wire::{facet, party},
};

/// How many reasons the summary tells.
const REASONS: usize = 5;
/// Reasons that move the bond by less than this many points are not worth a sentence.
const SMALLEST_REASON: f64 = 0.05;

/// How a movement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tense {
    /// It came about.
    Past,
    /// It would, if something were so.
    Conditional,
}

/// Compares two pictures of one account.
///
/// # Errors
/// UNAVAILABLE.
pub(crate) async fn answer(
    gallery: &Gallery,
    mut before: Picture,
    mut after: Picture,
) -> Result<wire::CompareAssessmentsResponse, Fault> {
    let (facts_before, facts_after) = (gallery.sources(&mut before).await?, gallery.sources(&mut after).await?);
    Ok(between(gallery, (before, &facts_before), (after, &facts_after), Tense::Past))
}

/// Compares two pictures of one account, given what each source says in them.
pub(crate) fn between(
    gallery: &Gallery,
    (before, facts_before): (Picture, &[(String, Facts)]),
    (after, facts_after): (Picture, &[(String, Facts)]),
    tense: Tense,
) -> wire::CompareAssessmentsResponse {
    let terms = compare(snapshot(&before, facts_before), &before.model, snapshot(&after, facts_after), &after.model);
    let was = assess(&before.ledger, &before.model, before.now);
    let is = assess(&after.ledger, &after.model, after.now);
    wire::CompareAssessmentsResponse {
        facets: facets(&was, &is),
        summary: summary(&was, &is, &terms, tense),
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

/// Tells how the bond moved, and why: time and balance in a sentence each, then the single reasons that weigh most.
fn summary(was: &Assessment, is: &Assessment, terms: &[ChangeTerm], tense: Tense) -> Vec<String> {
    let (before, after) = (&was.relationship, &is.relationship);
    let moved = after.bond - before.bond;
    let (rose, fell, stands, went) = match tense {
        Tense::Past => ("rose", "fell", "stands", "went"),
        Tense::Conditional => ("would rise", "would fall", "would stand", "would go"),
    };
    let mut sentences = vec![match moved {
        still if still.abs() < SMALLEST_REASON => format!("The bond {stands} still at {:.1}.", after.bond),
        moved => format!(
            "The bond {} by {:.1} points, from {:.1} to {:.1}.",
            if moved > 0.0 { rose } else { fell },
            moved.abs(),
            before.bond,
            after.bond
        ),
    }];
    if before.stage != after.stage {
        sentences.push(format!("The relationship {went} from {} to {}.", before.stage, after.stage));
    }
    for (cause, what) in [
        (Cause::Time, "The passing of time"),
        (Cause::Balance, "The shifting balance of the evidence"),
        (Cause::Model, "The change of model"),
    ] {
        let points: f64 = terms.iter().filter(|term| term.cause == cause).map(|term| term.bond_points).sum();
        if points.abs() >= SMALLEST_REASON {
            sentences.push(format!("{what}: {points:+.1} for the bond."));
        }
    }
    let single = terms.iter().filter(|term| {
        matches!(term.cause, Cause::New | Cause::Corrected | Cause::Withdrawn)
            && term.bond_points.abs() >= SMALLEST_REASON
    });
    sentences.extend(single.take(REASONS).map(|term| {
        let how = match term.cause {
            Cause::Corrected => "corrected, ",
            Cause::Withdrawn => "withdrawn, ",
            _ => "",
        };
        format!(
            "{} ({how}{}): {:+.1} points for the {}'s {}, {:+.1} for the bond.",
            term.signal.map_or("", |signal| signal.meaning()),
            term.source,
            term.points,
            term.view,
            term.facet,
            term.bond_points
        )
    }));
    sentences
}
