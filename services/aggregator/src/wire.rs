//! From the mathematics' words to the contract's.

use std::collections::BTreeSet;

use contracts::assessments::v1 as wire;
use contracts::common::v1::{EmotionKind, Money, Party};
use dynamics::{
    Aspect, Assessment, Contribution, Emotion, Explanation, Facet, FacetScore, FacetSources, Ledger, Model, Stage,
    Topic, View, ViewAssessment,
};
use methods::from_micros;
use prost_types::Duration;
use wording::Words;

use crate::{
    evidence::Source,
    outlook::Outlook,
    store::{Shape, SourceRow},
    telling,
};

/// What the contract's assessment says beside the mathematics'.
pub(crate) struct Beside {
    /// The account asked for.
    pub(crate) account: String,
    /// ISO 4217; empty if no order or account named it.
    pub(crate) currency: String,
    /// How persons see it.
    pub(crate) stated_views: Vec<wire::StatedView>,
    /// The account that answers, if another.
    pub(crate) merged_into: Option<String>,
    /// How far the feeds have been seen.
    pub(crate) freshness: Vec<wire::SourceFreshness>,
}

/// Writes an assessment.
pub(crate) fn assessment(assessment: &Assessment, ledger: &Ledger, beside: Beside) -> wire::Assessment {
    let relationship = &assessment.relationship;
    wire::Assessment {
        name: format!("accounts/{}/assessment", beside.account),
        assess_time: Some(from_micros(assessment.now)),
        customer_view: Some(view(assessment.view(View::Customer))),
        provider_view: Some(view(assessment.view(View::Provider))),
        bond: Some(wire::Score {
            value: relationship.bond,
            low: relationship.low,
            high: relationship.high,
            confidence: relationship.confidence,
            velocity: relationship.velocity,
            prior_only: relationship.confidence == 0.0,
        }),
        gap: relationship.gap,
        trust_gap: relationship.trust_gap,
        exposed_party: relationship.exposed.map_or(Party::Unspecified, party).into(),
        stage: stage(relationship.stage).into(),
        worth: Some(worth(assessment.worth, &beside.currency)),
        activity: Some(activity(assessment, ledger)),
        model: format!("models/{}", assessment.model),
        fit: assessment.fit.as_ref().map_or(String::new(), |fit| format!("fits/{fit}")),
        freshness: beside.freshness,
        stated_views: beside.stated_views,
        prediction: None,
        summary: Vec::new(),
        merged_into: beside.merged_into.map_or(String::new(), |account| methods::account_name(&account)),
    }
}

fn view(view: &ViewAssessment) -> wire::View {
    let facet = |facet: Facet| Some(facet_score(view.facet(facet)));
    wire::View {
        index: Some(wire::Score {
            value: view.index,
            low: view.low,
            high: view.high,
            confidence: view.confidence,
            velocity: view.velocity,
            prior_only: view.facets.iter().all(|facet| facet.is_prior),
        }),
        rapport: facet(Facet::Rapport),
        trust: facet(Facet::Trust),
        loyalty: facet(Facet::Loyalty),
        ease: facet(Facet::Ease),
        value: facet(Facet::Value),
        emotions: view
            .emotions
            .iter()
            .filter(|emotion| emotion.weight > 0.0)
            .map(|emotion| wire::EmotionScore {
                kind: emotion_kind(emotion.emotion).into(),
                intensity: emotion.intensity,
                share: emotion.share,
            })
            .collect(),
    }
}

fn facet_score(score: &FacetScore) -> wire::FacetScore {
    wire::FacetScore {
        score: Some(wire::Score {
            value: score.score,
            low: score.low,
            high: score.high,
            confidence: score.confidence,
            velocity: score.velocity,
            prior_only: score.is_prior,
        }),
        aspects: score
            .aspects
            .iter()
            .map(|part| wire::AspectScore {
                aspect: aspect(part.aspect).into(),
                value: part.score,
                confidence: part.confidence,
            })
            .collect(),
    }
}

fn worth(worth: dynamics::Worth, currency: &str) -> wire::Worth {
    let money = |nanos: i128, is_recorded: bool| (is_recorded && !currency.is_empty()).then(|| money(nanos, currency));
    let is_cost_known = worth.cost_known_spend != 0 || worth.margin != 0;
    wire::Worth {
        spend: money(worth.spend, worth.orders != 0),
        savings: money(worth.savings, worth.savings != 0),
        margin: money(worth.margin, is_cost_known),
        returned: money(worth.returned, worth.returned != 0),
    }
}

fn money(nanos: i128, currency: &str) -> Money {
    const UNIT: i128 = 1_000_000_000;
    Money {
        currency_code: currency.to_owned(),
        units: i64::try_from(nanos / UNIT).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }),
        // The remainder has the sign of the amount, as the contract wants it.
        nanos: (nanos % UNIT) as i32,
    }
}

fn activity(assessment: &Assessment, ledger: &Ledger) -> wire::Activity {
    let activity = &assessment.activity;
    // One matter may speak of several facets: an overdue order of trust and of ease.
    let due = ledger.pending().filter(|(_, pending)| pending.since() <= assessment.now);
    let open: BTreeSet<_> = due.map(|(source, pending)| (source, pending.topic().view(), pending.since())).collect();
    wire::Activity {
        order_count: activity.orders as i64,
        order_day_count: activity.order_days as i64,
        first_order_time: activity.first_at.map(from_micros),
        last_order_time: activity.last_at.map(from_micros),
        mean_order_gap: activity.expected_gap_days.map(days),
        customer_interaction_count: assessment.interactions.customer,
        provider_interaction_count: assessment.interactions.provider,
        open_matter_count: open.len() as i64,
    }
}

fn days(days: f64) -> Duration {
    Duration { seconds: (days * 86_400.0) as i64, nanos: 0 }
}

/// Writes what each facet's score is made of.
pub(crate) fn explanation(explanation: &Explanation, model: &Model, words: &Words) -> Vec<wire::FacetExplanation> {
    let facets = explanation.facets.iter();
    facets
        .map(|told| wire::FacetExplanation {
            party: party(told.view).into(),
            facet: facet(told.facet).into(),
            score: told.score,
            base: told.base,
            contributions: told.contributions.iter().map(|told| contribution(told, words)).collect(),
            bond_share: model.bond_points(told.view, told.facet, 1.0),
        })
        .collect()
}

fn contribution(contribution: &Contribution, words: &Words) -> wire::SignalContribution {
    wire::SignalContribution {
        signal: contribution.signal.name().to_owned(),
        meaning: telling::meaning(words, contribution.signal),
        points: contribution.points,
        value: contribution.value,
        weight: contribution.weight,
        count: contribution.count as i64,
        stated: contribution.signal.stated(),
        sources: Vec::new(),
    }
}

/// Divides each contribution among its sources.
pub(crate) fn add_sources(facets: &mut [wire::FacetExplanation], sources: Vec<FacetSources>) {
    for told in sources {
        let place = (i32::from(party(told.view)), i32::from(facet(told.facet)));
        let Some(facet) = facets.iter_mut().find(|facet| (facet.party, facet.facet) == place) else { continue };
        for share in told.contributions {
            let of_signal = facet.contributions.iter_mut().find(|signal| signal.signal == share.signal.name());
            if let Some(of_signal) = of_signal {
                of_signal.sources.push(wire::SourceContribution {
                    source: share.source,
                    happen_time: Some(from_micros(share.at)),
                    points: share.points,
                    pending: share.pending,
                });
            }
        }
    }
}

/// Writes an entry of a timeline.
pub(crate) fn entry(row: &SourceRow, source: &Source) -> wire::TimelineEntry {
    let moments: Vec<wire::Moment> = source
        .moments()
        .into_iter()
        .map(|moment| wire::Moment {
            happen_time: Some(from_micros(moment.at)),
            party: moment.party.into(),
            text: moment.text,
        })
        .collect();
    wire::TimelineEntry {
        source: row.source.clone(),
        happen_time: Some(from_micros(row.happened_at)),
        record_time: Some(from_micros(row.recorded_at)),
        party: source.party().into(),
        kind: row.kind.clone(),
        headline: moments.first().map_or(String::new(), |moment| moment.text.clone()),
        moments,
        evidence: source.facts().evidence.iter().map(evidence).collect(),
        version: row.version,
    }
}

fn evidence(evidence: &dynamics::Evidence) -> wire::Evidence {
    let (signal, view) = match evidence.topic() {
        Topic::Signal(signal) => (signal.name(), signal.view()),
        Topic::Emotion(view, emotion) => (emotion.name(), view),
    };
    wire::Evidence {
        signal: signal.to_owned(),
        party: party(view).into(),
        happen_time: Some(from_micros(evidence.at())),
        value: evidence.value(),
        weight: evidence.weight(),
    }
}

/// Writes the shape of a portfolio.
pub(crate) fn portfolio(shape: Shape, outlook: Outlook) -> wire::GetPortfolioResponse {
    let stages = Stage::ALL.into_iter().map(stage);
    let stages = stages.map(|stage| {
        let name = crate::filter::stage_name(stage);
        let counted = shape.stages.iter().find(|(counted, _)| *counted == name);
        wire::StageCount { stage: stage.into(), account_count: counted.map_or(0, |(_, count)| *count) }
    });
    let bins = |counts: Vec<i64>, low: f64, width: f64| {
        let bins = counts.into_iter().enumerate();
        bins.map(|(index, account_count)| {
            let low = low + width * index as f64;
            wire::Bin { low, high: low + width, account_count }
        })
        .collect()
    };
    wire::GetPortfolioResponse {
        account_count: shape.stages.iter().map(|(_, count)| count).sum(),
        stages: stages.collect(),
        bonds: bins(shape.bonds, 0.0, 10.0),
        gaps: bins(shape.gaps, -100.0, 20.0),
        cohorts: outlook.cohorts,
        outlooks: outlook.outlooks,
        fit: outlook.fit.map_or(String::new(), |fit| format!("fits/{fit}")),
    }
}

/// The party whose view it is.
pub(crate) fn party(view: View) -> Party {
    match view {
        View::Customer => Party::Customer,
        View::Provider => Party::Provider,
    }
}

/// The facet in the contract.
pub(crate) fn facet(facet: Facet) -> wire::Facet {
    match facet {
        Facet::Rapport => wire::Facet::Rapport,
        Facet::Trust => wire::Facet::Trust,
        Facet::Loyalty => wire::Facet::Loyalty,
        Facet::Ease => wire::Facet::Ease,
        Facet::Value => wire::Facet::Value,
    }
}

/// The stage in the contract.
pub(crate) fn stage(stage: Stage) -> wire::Stage {
    match stage {
        Stage::Awareness => wire::Stage::Awareness,
        Stage::Exploration => wire::Stage::Exploration,
        Stage::Expansion => wire::Stage::Expansion,
        Stage::Commitment => wire::Stage::Commitment,
        Stage::Dissolution => wire::Stage::Dissolution,
    }
}

fn aspect(aspect: Aspect) -> wire::Aspect {
    match aspect {
        Aspect::General => wire::Aspect::General,
        Aspect::Behaviour => wire::Aspect::Behaviour,
        Aspect::Attitude => wire::Aspect::Attitude,
        Aspect::Placing => wire::Aspect::Placing,
        Aspect::Receiving => wire::Aspect::Receiving,
        Aspect::Economic => wire::Aspect::Economic,
        Aspect::Social => wire::Aspect::Social,
    }
}

fn emotion_kind(emotion: Emotion) -> EmotionKind {
    match emotion {
        Emotion::Joy => EmotionKind::Joy,
        Emotion::Trust => EmotionKind::Trust,
        Emotion::Fear => EmotionKind::Fear,
        Emotion::Surprise => EmotionKind::Surprise,
        Emotion::Sadness => EmotionKind::Sadness,
        Emotion::Disgust => EmotionKind::Disgust,
        Emotion::Anger => EmotionKind::Anger,
        Emotion::Anticipation => EmotionKind::Anticipation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_its_sign_in_both_parts() {
        assert_eq!(
            money(-1_750_000_000, "EUR"),
            Money { currency_code: "EUR".to_owned(), units: -1, nanos: -750_000_000 }
        );
        assert_eq!(money(-5, "EUR").nanos, -5);
    }

    #[test]
    fn an_amount_of_which_nothing_was_recorded_is_unset() {
        assert_eq!(worth(dynamics::Worth::default(), "EUR"), wire::Worth::default());
        let sold = dynamics::Worth { orders: 1, spend: 2_000_000_000, ..dynamics::Worth::default() };
        assert_eq!(worth(sold, "EUR"), wire::Worth { spend: Some(money(sold.spend, "EUR")), ..wire::Worth::default() });
        let at_cost = dynamics::Worth { cost_known_spend: sold.spend, ..sold };
        assert_eq!(worth(at_cost, "EUR").margin, Some(money(0, "EUR")));
        assert_eq!(worth(sold, ""), wire::Worth::default());
    }
}
