//! What holds between the two parties: bond, gap, exposure and stage.

use crate::assess::{FacetScore, ViewAssessment};
use crate::decay::{DAY, Micros};
use crate::facts::Status;
use crate::ledger::Ledger;
use crate::level::interval;
use crate::model::Model;
use crate::vocabulary::{Facet, View};

/// The relationship as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relationship {
    /// The two indexes, weighed by the model; 0 to 100.
    pub bond: f64,
    /// The lower end of the bond's 95 % interval; 0 to 100.
    pub low: f64,
    /// The upper end of the bond's 95 % interval; 0 to 100.
    pub high: f64,
    /// How much of all this rests on evidence; 0 to 1.
    pub confidence: f64,
    /// How the bond moves, in points per quarter.
    pub velocity: f64,
    /// The customer's index less the provider's; -100 to 100.
    pub gap: f64,
    /// The customer's trust less the provider's; -100 to 100.
    pub trust_gap: f64,
    /// The party that trusts more, and so depends on the goodwill of the other (Emerson 1962),
    /// when the trust gap exceeds the model's threshold and both are sure enough.
    pub exposed: Option<View>,
    /// How far the relationship has come.
    pub stage: Stage,
}

crate::vocabulary::vocabulary! {
    /// The stages of a relationship (Dwyer, Schurr & Oh 1987). The first rule that holds, in this
    /// order, decides; thresholds are the model's [`crate::Stages`]:
    ///
    /// 1. **Dissolution**: the account is closed; or there is a rhythm of ordering and the
    ///    customer has been silent for `dissolution_gaps` typical gaps or more; or the customer's
    ///    loyalty is surely below `dissolution_loyalty`.
    /// 2. **Awareness**: nothing was ordered yet.
    /// 3. **Commitment**: at least `commitment_order_days` order days over `commitment_days` or
    ///    more; the customer's trust and loyalty surely at or above `commitment_score`; the
    ///    provider's index at or above `commitment_provider_index`.
    /// 4. **Expansion**: at least `expansion_order_days` order days, with a bond at or above
    ///    `expansion_bond`.
    /// 5. **Exploration**: everything else, the time of trial orders.
    ///
    /// "Surely" means with a confidence of at least `confidence`.
    Stage {
        /// The parties know of each other; nothing was bought.
        Awareness = "awareness",
        /// First orders, each side trying the other out.
        Exploration = "exploration",
        /// Repeated orders to mutual benefit.
        Expansion = "expansion",
        /// A lasting tie that both sides mean to keep.
        Commitment = "commitment",
        /// The tie is broken, or nearly so.
        Dissolution = "dissolution",
    }
}

impl Relationship {
    pub(crate) fn of(ledger: &Ledger, model: &Model, now: Micros, views: &[ViewAssessment; 2]) -> Relationship {
        let weigh = |part: fn(&ViewAssessment) -> f64| -> f64 {
            views.iter().map(|view| model.view_weight(view.view) * part(view)).sum()
        };
        let bond = weigh(|view| view.index);
        let variance: f64 = views.iter().map(|view| (model.view_weight(view.view) * view.deviation).powi(2)).sum();
        let (low, high) = interval(bond, variance.sqrt());
        let [customer, provider] = views;
        let trust = [customer.facet(Facet::Trust), provider.facet(Facet::Trust)];
        Relationship {
            bond,
            low,
            high,
            confidence: weigh(|view| view.confidence),
            velocity: weigh(|view| view.velocity),
            gap: customer.index - provider.index,
            trust_gap: trust[0].score - trust[1].score,
            exposed: exposed(model, trust),
            stage: stage(ledger, model, now, views, bond),
        }
    }
}

fn exposed(model: &Model, [customer, provider]: [&FacetScore; 2]) -> Option<View> {
    let exposure = model.exposure();
    let gap = customer.score - provider.score;
    let sure = customer.confidence.min(provider.confidence) >= exposure.confidence;
    if !sure || gap.abs() <= exposure.trust_gap {
        return None;
    }
    Some(if gap > 0.0 { View::Customer } else { View::Provider })
}

fn stage(ledger: &Ledger, model: &Model, now: Micros, [customer, provider]: &[ViewAssessment; 2], bond: f64) -> Stage {
    let rules = model.stages();
    let activity = ledger.activity();
    let (trust, loyalty) = (customer.facet(Facet::Trust), customer.facet(Facet::Loyalty));

    let closed = ledger.status() != Status::Open;
    let silent = activity
        .typical_gap_days()
        .zip(activity.silence_days(now))
        .is_some_and(|(gap, silence)| silence >= rules.dissolution_gaps * gap);
    let disloyal = loyalty.confidence >= rules.confidence && loyalty.score < rules.dissolution_loyalty;
    if closed || silent || disloyal {
        return Stage::Dissolution;
    }
    let order_days = activity.order_days();
    if order_days == 0 {
        return Stage::Awareness;
    }
    let span = activity.first_at().zip(activity.last_at());
    let lasting =
        span.is_some_and(|(first, last)| last.saturating_sub(first) / DAY >= i64::from(rules.commitment_days));
    let committed = [trust, loyalty]
        .iter()
        .all(|facet| facet.score >= rules.commitment_score && facet.confidence >= rules.confidence);
    let mutual = provider.index >= rules.commitment_provider_index;
    if order_days >= u64::from(rules.commitment_order_days) && lasting && committed && mutual {
        return Stage::Commitment;
    }
    if order_days >= u64::from(rules.expansion_order_days) && bond >= rules.expansion_bond {
        return Stage::Expansion;
    }
    Stage::Exploration
}
