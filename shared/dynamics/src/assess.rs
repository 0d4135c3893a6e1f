//! The assessment: what the ledger says at one moment, by the rules of one model.

use crate::decay::{DAY, Micros};
use crate::facts::{Interactions, Status, Worth};
use crate::ledger::Ledger;
use crate::level::{Level, interval};
use crate::model::Model;
use crate::relationship::Relationship;
use crate::signal::Signal;
use crate::terms::Terms;
use crate::vocabulary::{Aspect, Emotion, Facet, View};

/// Assesses an account at `now`.
///
/// The ledger holds only evidence from `now` or before: to assess an earlier day, fold a ledger
/// from the evidence of that time. Evidence a little ahead of `now`, from clocks that disagree,
/// counts as if it were fresh. The ledger's half-lives apply, so it should have been made with
/// the model's. The same ledger, model and `now` give the identical assessment, bit for bit.
pub fn assess(ledger: &Ledger, model: &Model, now: Micros) -> Assessment {
    let terms = Terms::gather(ledger, model, now);
    let views = View::ALL.map(|view| ViewAssessment::of(view, &terms, ledger, model));
    let relationship = Relationship::of(ledger, model, now, &views);
    Assessment {
        now,
        model: model.id().to_owned(),
        fit: model.expectation().map(|expectation| expectation.fit().to_owned()),
        views,
        relationship,
        activity: ActivitySummary::of(ledger, now),
        status: ledger.status(),
        opened_at: ledger.opened_at(),
        worth: ledger.worth(),
        interactions: ledger.interactions(),
    }
}

/// All that is said of an account at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The moment it speaks of.
    pub now: Micros,
    /// The id of the model it was made with.
    pub model: String,
    /// The id of the fit that said what to expect of customers, if one did.
    pub fit: Option<String>,
    /// The customer's view, then the provider's; see [`Assessment::view`].
    pub views: [ViewAssessment; 2],
    /// What holds between the two.
    pub relationship: Relationship,
    /// The rhythm of ordering.
    pub activity: ActivitySummary,
    /// Whether the account is still there.
    pub status: Status,
    /// When the account was opened, where that is known.
    pub opened_at: Option<Micros>,
    /// What the relationship brought so far.
    pub worth: Worth,
    /// How many contacts there were.
    pub interactions: Interactions,
}

impl Assessment {
    /// One party's view.
    pub fn view(&self, view: View) -> &ViewAssessment {
        &self.views[view.index()]
    }
}

/// How one party stands toward the other.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewAssessment {
    /// Whose view it is.
    pub view: View,
    /// The facets' scores, weighed by the model; 0 to 100.
    pub index: f64,
    /// The lower end of the index's 95 % interval, taking the facets as independent; 0 to 100.
    pub low: f64,
    /// The upper end of the index's 95 % interval; 0 to 100.
    pub high: f64,
    /// The standard deviation behind the interval, in points.
    pub deviation: f64,
    /// The facets' confidences, weighed alike; 0 to 1.
    pub confidence: f64,
    /// How the index moves, in points per quarter.
    pub velocity: f64,
    /// One score for each facet, in the order of [`Facet::ALL`]; see [`ViewAssessment::facet`].
    pub facets: [FacetScore; 5],
    /// One entry for each emotion, in the order of [`Emotion::ALL`].
    pub emotions: [EmotionScore; 8],
}

impl ViewAssessment {
    /// The score of one facet.
    pub fn facet(&self, facet: Facet) -> &FacetScore {
        &self.facets[facet.index()]
    }

    fn of(view: View, terms: &Terms, ledger: &Ledger, model: &Model) -> ViewAssessment {
        let facets = Facet::ALL.map(|facet| FacetScore::of(view, facet, terms, ledger, model));
        let weigh = |part: fn(&FacetScore) -> f64| -> f64 {
            facets.iter().map(|facet| model.facet_weight(view, facet.facet) * part(facet)).sum()
        };
        let index = weigh(|facet| facet.score);
        let variance: f64 =
            facets.iter().map(|facet| (model.facet_weight(view, facet.facet) * facet.deviation).powi(2)).sum();
        let deviation = variance.sqrt();
        let (low, high) = interval(index, deviation);
        ViewAssessment {
            view,
            index,
            low,
            high,
            deviation,
            confidence: weigh(|facet| facet.confidence),
            velocity: weigh(|facet| facet.velocity),
            emotions: emotions(view, terms),
            facets,
        }
    }
}

/// One facet of one view.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetScore {
    /// Which facet.
    pub facet: Facet,
    /// The score, 0 to 100; 50 is neither good nor bad.
    pub score: f64,
    /// The lower end of the score's 95 % interval; 0 to 100.
    pub low: f64,
    /// The upper end of the score's 95 % interval; 0 to 100.
    pub high: f64,
    /// The standard deviation behind the interval, in points.
    pub deviation: f64,
    /// The share of the evidence in the score, against the prior; 0 to 1.
    pub confidence: f64,
    /// How the score moves, in points per quarter.
    pub velocity: f64,
    /// True when there is no evidence and the score is the prior.
    pub is_prior: bool,
    /// The same formula for each aspect alone that has signals in this facet, in order.
    pub aspects: Vec<AspectScore>,
}

impl FacetScore {
    fn of(view: View, facet: Facet, terms: &Terms, ledger: &Ledger, model: &Model) -> FacetScore {
        let level = facet_level(view, facet, terms, model);
        let deviation = level.deviation(model.prior_variance());
        let (low, high) = interval(level.score(), deviation);
        FacetScore {
            facet,
            score: level.score(),
            low,
            high,
            deviation,
            confidence: level.confidence(),
            velocity: level.velocity(ledger.half_lives()),
            is_prior: level.is_prior(),
            aspects: aspects(view, facet, terms, model),
        }
    }

    /// The score of one aspect, where the facet has signals of it.
    pub fn aspect(&self, aspect: Aspect) -> Option<&AspectScore> {
        self.aspects.iter().find(|score| score.aspect == aspect)
    }
}

/// One aspect of a facet, kept apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AspectScore {
    /// Which aspect.
    pub aspect: Aspect,
    /// The score from this aspect's signals alone, against the facet's prior; 0 to 100.
    pub score: f64,
    /// The share of the evidence in it; 0 to 1.
    pub confidence: f64,
}

/// One emotion a party has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmotionScore {
    /// Which emotion.
    pub emotion: Emotion,
    /// Its mean intensity where it was looked for, recent evidence counting most; 0 to 1.
    pub intensity: f64,
    /// Its part in all that was felt, by weight and intensity; 0 to 1. The shares of a view add
    /// up to 1, or are all 0 when nothing was felt.
    pub share: f64,
    /// The decayed weight of the evidence, at least 0.
    pub weight: f64,
}

/// The rhythm of ordering at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivitySummary {
    /// Orders that were not cancelled.
    pub orders: u64,
    /// UTC days with at least one such order.
    pub order_days: u64,
    /// Orders that were cancelled.
    pub cancelled: u64,
    /// The start of the first order day.
    pub first_at: Option<Micros>,
    /// The start of the last order day.
    pub last_at: Option<Micros>,
    /// The mean number of days between order days, at least 1; none before the second.
    pub expected_gap_days: Option<f64>,
    /// The last order day and one such gap: when the next order is due by that rhythm.
    pub expected_next_at: Option<Micros>,
    /// Days since the last order day ended, at least 0.
    pub silence_days: Option<f64>,
}

impl ActivitySummary {
    fn of(ledger: &Ledger, now: Micros) -> ActivitySummary {
        let activity = ledger.activity();
        let gap = activity.typical_gap_days();
        ActivitySummary {
            orders: activity.orders(),
            order_days: activity.order_days(),
            cancelled: activity.cancelled(),
            first_at: activity.first_at(),
            last_at: activity.last_at(),
            expected_gap_days: gap,
            expected_next_at: activity
                .last_at()
                .zip(gap)
                .map(|(last, gap)| last.saturating_add((gap * DAY as f64) as Micros)),
            silence_days: activity.silence_days(now),
        }
    }
}

/// The level of one facet; explanations start from the same one.
pub(crate) fn facet_level(view: View, facet: Facet, terms: &Terms, model: &Model) -> Level {
    Level::new(model.prior(view, facet), Signal::of(view, facet).map(|signal| terms.signal(signal)))
}

fn aspects(view: View, facet: Facet, terms: &Terms, model: &Model) -> Vec<AspectScore> {
    let mut scores = Vec::new();
    for aspect in Aspect::ALL {
        let mut signals = Signal::of(view, facet).filter(|signal| signal.aspect() == aspect).peekable();
        if signals.peek().is_none() {
            continue;
        }
        let level = Level::new(model.prior(view, facet), signals.map(|signal| terms.signal(signal)));
        scores.push(AspectScore { aspect, score: level.score(), confidence: level.confidence() });
    }
    scores
}

fn emotions(view: View, terms: &Terms) -> [EmotionScore; 8] {
    let felt: f64 = Emotion::ALL.iter().map(|emotion| terms.emotion(view, *emotion).value).sum();
    Emotion::ALL.map(|emotion| {
        let term = terms.emotion(view, emotion);
        EmotionScore {
            emotion,
            intensity: share_of(term.value, term.weight),
            share: share_of(term.value, felt),
            weight: term.weight,
        }
    })
}

fn share_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}
