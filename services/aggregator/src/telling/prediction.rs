//! What a customer will probably do, and where it stands between the provider and its rivals.

use contracts::assessments::v1 as wire;
use wording::{
    Ahead, ByOrders, Closed, Family, Figure, Lifetime, Lowers, NoFit, NoOrders, Position, Raises, Rivals, Spending,
    Words,
};

use super::{amounts, whole};

/// How many of the things that raise a chance are told, and of those that lower it.
const FEATURES: usize = 3;
/// What moves the log-odds by less is not told.
const SMALLEST_TERM: f64 = 0.05;

/// Says what is known in the words of a language.
pub(crate) fn translate(words: &Words, prediction: &mut wire::Prediction) {
    for term in &mut prediction.terms {
        term.feature = words.name(Family::Feature, &term.feature);
    }
}

/// Tells a prediction whose terms are in the words of the language already; `fit` is the name of the fit in use.
pub(crate) fn summary(words: &Words, prediction: Option<&wire::Prediction>, fit: &str) -> Vec<String> {
    let Some(prediction) = prediction else { return vec![words.tell(Closed {})] };
    let mut sentences = orders(words, prediction)
        .unwrap_or_else(|| vec![if fit.is_empty() { words.tell(NoFit {}) } else { words.tell(NoOrders {}) }]);
    if let Some(competition) = &prediction.competition {
        sentences.extend(rivals(words, competition));
    }
    sentences
}

fn orders(words: &Words, of: &wire::Prediction) -> Option<Vec<String>> {
    let (chance, order_days) = (of.order_probability?, of.order_day_count?);
    let [chance, chance_low, chance_high] = shares(&chance);
    let days = |days: f64| Figure::new(days, 1);
    let mut sentences = vec![words.tell(Ahead {
        days: u64::from(of.horizon_days.unsigned_abs()),
        chance,
        chance_low,
        chance_high,
        order_days: days(order_days.value),
        order_days_low: days(order_days.low),
        order_days_high: days(order_days.high),
    })];
    if let Some(spend) = &of.spend {
        let [spend, low, high] = amounts(words, spend, &of.currency_code, false);
        sentences.push(words.tell(Spending { spend, low, high }));
    }
    if let Some(value) = &of.lifetime_value {
        let [value, low, high] = amounts(words, value, &of.currency_code, false);
        let discount = Figure::percent(of.yearly_discount, 0);
        sentences.push(words.tell(Lifetime { value, low, high, discount }));
    }
    if !of.terms.is_empty() {
        sentences.push(words.tell(ByOrders { chance: Figure::percent(of.order_probability_by_orders, 1) }));
        let most = |sign: f64| {
            let telling = of.terms.iter().filter(|term| term.log_odds * sign >= SMALLEST_TERM);
            let told: Vec<String> = telling.take(FEATURES).map(|term| term.feature.clone()).collect();
            (!told.is_empty()).then(|| words.list(told))
        };
        sentences.extend(most(1.0).map(|features| words.tell(Raises { features })));
        sentences.extend(most(-1.0).map(|features| words.tell(Lowers { features })));
    }
    Some(sentences)
}

fn rivals(words: &Words, of: &wire::Competition) -> Vec<String> {
    let position = match of.position() {
        wire::Position::Exposed => "exposed",
        wire::Position::Contestable => "contestable",
        wire::Position::Resilient => "resilient",
        wire::Position::BeyondCompetition => "beyond_competition",
        wire::Position::Unknown | wire::Position::Unspecified => "unknown",
    };
    let mut sentences = vec![words.tell(Position { position })];
    if let (Some(counter), Some(stay), Some(countered)) =
        (&of.counter_probability, &of.stay_probability, &of.countered_stay_probability)
    {
        let share = |of: &wire::Estimate| whole(of.value * 100.0);
        let (counter, stay, countered) = (share(counter), share(stay), share(countered));
        sentences.push(words.tell(Rivals { counter, stay, countered, cases: of.case_count.unsigned_abs() }));
    }
    sentences
}

/// A chance and its ends, in percent.
fn shares(of: &wire::Estimate) -> [Figure; 3] {
    [of.value, of.low, of.high].map(|share| Figure::percent(share, 1))
}
