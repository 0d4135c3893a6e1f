//! What an assessment comes to.

use contracts::assessments::v1 as wire;
use dynamics::{Assessment, Contribution, Explanation, FacetExplanation, Model, View};
use methods::to_micros;
use wording::{
    Closer, EmotionShare, Emotions, EquallyClose, Exposed, Family, Figure, NothingKnown, Ordered, Reason, Standing,
    Words, Worth, WorthOf, sentence,
};

use super::{REASONS, SMALLEST_REASON, date, facet_of, money, points, signal, stage, whole};

/// How many emotions of a party are told.
const EMOTIONS: usize = 3;
/// An emotion with a smaller share is not told.
const SMALLEST_SHARE: f64 = 0.05;

/// Tells an assessment: where it stands, which way it moves, who is exposed, what has passed, and the reasons that weigh
/// most.
pub(crate) fn summary(
    words: &Words,
    assessment: &Assessment,
    explanation: &Explanation,
    model: &Model,
    answer: &wire::Assessment,
) -> Vec<String> {
    let relationship = &assessment.relationship;
    let velocity = relationship.velocity;
    let mut sentences = vec![words.tell(Standing {
        bond: whole(relationship.bond),
        low: whole(relationship.low),
        high: whole(relationship.high),
        way: match velocity {
            steady if steady.abs() < 0.5 => "steady",
            up if up > 0.0 => "rising",
            _ => "falling",
        },
        points: points(velocity.abs()),
        stage: stage(words, relationship.stage),
    })];
    if relationship.confidence == 0.0 {
        sentences.push(words.tell(NothingKnown {}));
        return sentences;
    }
    sentences.push(match relationship.gap {
        gap if gap.abs() < 1.0 => words.tell(EquallyClose {}),
        gap => {
            let near = if gap > 0.0 { View::Customer } else { View::Provider };
            words.tell(Closer {
                party: near.name(),
                points: whole(gap.abs()),
                near: whole(assessment.view(near).index),
                far: whole(assessment.view(near.other()).index),
            })
        }
    });
    if let Some(exposed) = relationship.exposed {
        let by = relationship.trust_gap.abs();
        sentences.push(words.tell(Exposed { party: exposed.name(), points: whole(by) }));
    }
    sentences.extend(passed(words, answer));
    sentences.extend(reasons(words, explanation, model));
    sentences
}

/// The contributions that move the bond most, largest first.
fn reasons(words: &Words, explanation: &Explanation, model: &Model) -> Vec<String> {
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
    let told = reasons.into_iter().take(REASONS).map(|(bond_points, facet, contribution)| {
        words.tell(Reason {
            signal: sentence(&signal(words, contribution.signal)),
            count: contribution.count,
            points: points(contribution.points),
            of: facet_of(words, facet.view, facet.facet),
            bond_points: points(bond_points),
        })
    });
    told.collect()
}

/// The orders, what came of them, and the emotions that were shown.
fn passed(words: &Words, answer: &wire::Assessment) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(activity) = &answer.activity
        && let (Some(first), Some(last)) = (&activity.first_order_time, &activity.last_order_time)
    {
        sentences.push(words.tell(Ordered {
            count: activity.order_count.unsigned_abs(),
            first: date(words, to_micros(first)),
            last: date(words, to_micros(last)),
        }));
    }
    if let Some(worth) = &answer.worth {
        let sums = [
            ("spend", &worth.spend),
            ("savings", &worth.savings),
            ("margin", &worth.margin),
            ("returned", &worth.returned),
        ];
        let amounts: Vec<String> = sums
            .into_iter()
            .filter_map(|(what, sum)| Some(words.tell(WorthOf { what, amount: money(words, sum.as_ref()?) })))
            .collect();
        if !amounts.is_empty() {
            sentences.push(words.tell(Worth { amounts: words.list(amounts) }));
        }
    }
    for (party, view) in [(View::Customer, &answer.customer_view), (View::Provider, &answer.provider_view)] {
        let mut shown: Vec<&wire::EmotionScore> = view.iter().flat_map(|view| &view.emotions).collect();
        shown.retain(|emotion| emotion.share >= SMALLEST_SHARE);
        shown.sort_by(|one, other| other.share.total_cmp(&one.share));
        let told: Vec<String> = shown.into_iter().take(EMOTIONS).map(|emotion| emotion_share(words, emotion)).collect();
        if !told.is_empty() {
            sentences.push(words.tell(Emotions { party: party.name(), emotions: words.list(told) }));
        }
    }
    sentences
}

fn emotion_share(words: &Words, emotion: &wire::EmotionScore) -> String {
    let name = emotion.kind().as_str_name().trim_start_matches("EMOTION_KIND_").to_lowercase();
    words.tell(EmotionShare { emotion: words.name(Family::Emotion, &name), share: Figure::percent(emotion.share, 0) })
}
