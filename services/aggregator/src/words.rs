//! What an assessment comes to, in plain words.

use dynamics::{Assessment, Contribution, Explanation, FacetExplanation, Model, View};

/// How many reasons are told.
const REASONS: usize = 5;
/// Reasons that move the bond by less than this many points are not worth a sentence.
const SMALLEST_REASON: f64 = 0.05;

/// Tells an assessment: where it stands, which way it moves, who is exposed, and the reasons that weigh most.
pub(crate) fn summary(assessment: &Assessment, explanation: &Explanation, model: &Model) -> Vec<String> {
    let relationship = &assessment.relationship;
    let mut sentences = vec![format!(
        "The bond is {:.0} of 100 (95% interval {:.0} to {:.0}), {}; the relationship is in {}.",
        relationship.bond,
        relationship.low,
        relationship.high,
        movement(relationship.velocity),
        relationship.stage
    )];
    if relationship.confidence == 0.0 {
        sentences.push("Nothing is known of it yet: every score is the model's prior.".to_owned());
        return sentences;
    }
    let index = |view| assessment.view(view).index;
    sentences.push(match relationship.gap {
        gap if gap.abs() < 1.0 => "Both parties stand equally close.".to_owned(),
        gap => format!(
            "The {} stands {:.0} points closer than the {}: {:.0} against {:.0}.",
            if gap > 0.0 { View::Customer } else { View::Provider },
            gap.abs(),
            if gap > 0.0 { View::Provider } else { View::Customer },
            index(if gap > 0.0 { View::Customer } else { View::Provider }),
            index(if gap > 0.0 { View::Provider } else { View::Customer }),
        ),
    });
    if let Some(exposed) = relationship.exposed {
        sentences.push(format!(
            "The {exposed} is exposed: it trusts {:.0} points more than it is trusted.",
            relationship.trust_gap.abs()
        ));
    }
    sentences.extend(reasons(explanation, model));
    sentences
}

fn movement(velocity: f64) -> String {
    match velocity {
        steady if steady.abs() < 0.5 => "steady".to_owned(),
        up if up > 0.0 => format!("rising {up:.1} points a quarter"),
        down => format!("falling {:.1} points a quarter", -down),
    }
}

/// The contributions that move the bond most, largest first.
fn reasons(explanation: &Explanation, model: &Model) -> Vec<String> {
    let mut reasons: Vec<(f64, &FacetExplanation, &Contribution)> = explanation
        .facets
        .iter()
        .flat_map(|facet| facet.contributions.iter().map(move |contribution| (facet, contribution)))
        .map(|(facet, contribution)| {
            (model.bond_points(facet.view, facet.facet, contribution.points), facet, contribution)
        })
        .filter(|(points, _, _)| points.abs() >= SMALLEST_REASON)
        .collect();
    reasons.sort_by(|(one, _, _), (other, _, _)| other.abs().total_cmp(&one.abs()));
    reasons.into_iter().take(REASONS).map(|(points, facet, contribution)| reason(points, facet, contribution)).collect()
}

fn reason(bond_points: f64, facet: &FacetExplanation, contribution: &Contribution) -> String {
    let meaning = contribution.signal.meaning();
    let facts = match contribution.count {
        0 => String::new(),
        1 => " (1 fact)".to_owned(),
        count => format!(" ({count} facts)"),
    };
    format!(
        "{}{}{facts}: {:+.1} points for the {}'s {}, {bond_points:+.1} for the bond.",
        meaning.get(..1).unwrap_or_default().to_uppercase(),
        meaning.get(1..).unwrap_or_default(),
        contribution.points,
        facet.view,
        facet.facet,
    )
}
