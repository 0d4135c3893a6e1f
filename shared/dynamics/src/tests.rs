//! The properties the rest of the suite relies on.

mod ledgers;
mod levers;
mod scores;
mod stories;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::{
    AccountFact, DAY, Emotion, Evidence, Facts, Interactions, Ledger, Micros, Model, OrderFact, Pending, Signal, Topic,
    View, Worth,
};

/// When the tests assess; evidence lies before.
const NOW: Micros = 2_000 * DAY;

fn fold(sources: &[(String, Facts)]) -> Ledger {
    let sources = sources.iter().map(|(key, facts)| (key.as_str(), facts));
    Ledger::fold(Model::default().half_lives(), sources)
}

fn evidence(signal: Signal, at: Micros, value: f64, weight: f64) -> Evidence {
    Evidence::new(Topic::Signal(signal), at, value, weight).unwrap()
}

/// The default model with priors off the middle, where the terms of the prior show.
fn tilted() -> Model {
    Model::parse(&Model::DEFAULT_TEXT.replace("prior_mean = 0.0", "prior_mean = 0.3")).unwrap()
}

/// Facts of evidence alone.
fn told(evidence: Vec<Evidence>) -> Facts {
    Facts { evidence, ..Facts::default() }
}

fn any_signal() -> impl Strategy<Value = Signal> {
    let given: Vec<Signal> = Signal::ALL.into_iter().filter(|signal| !signal.derived()).collect();
    prop::sample::select(given)
}

fn any_topic() -> impl Strategy<Value = Topic> {
    let emotion = (prop::sample::select(View::ALL.to_vec()), prop::sample::select(Emotion::ALL.to_vec()));
    prop_oneof![
        4 => any_signal().prop_map(Topic::Signal),
        1 => emotion.prop_map(|(view, emotion)| Topic::Emotion(view, emotion)),
    ]
}

fn any_at() -> impl Strategy<Value = Micros> {
    -300 * DAY..=NOW
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    (any_topic(), any_at(), -1.0..=1.0, 0.001..=16.0)
        .prop_map(|(topic, at, value, weight)| Evidence::new(topic, at, value, weight).unwrap())
}

fn any_pending() -> impl Strategy<Value = Pending> {
    (any_signal(), any_at(), 1..100 * DAY, -1.0..=1.0, 0.001..=16.0).prop_map(
        |(topic, since, full_after, value, weight)| Pending::new(topic, since, full_after, value, weight).unwrap(),
    )
}

fn any_order() -> impl Strategy<Value = OrderFact> {
    // Few days, so that orders often share one and changes often touch an end.
    (0..12_i64, 0..DAY, prop::bool::weighted(0.2))
        .prop_map(|(day, time, cancelled)| OrderFact { at: day * DAY + time, cancelled })
}

fn any_account() -> impl Strategy<Value = AccountFact> {
    (any_at(), option::of(any_at()), option::of(any_at()))
        .prop_map(|(opened_at, first_contact_at, closed_at)| AccountFact { opened_at, first_contact_at, closed_at })
}

fn any_worth() -> impl Strategy<Value = Worth> {
    (0..3_i64, any::<i64>(), any::<i64>()).prop_map(|(orders, spend, margin)| Worth {
        orders,
        spend: i128::from(spend) * 1_000_000_007,
        cost_known_spend: i128::from(spend) / 2,
        margin: i128::from(margin),
        savings: i128::from(margin) - i128::from(spend),
        returned: i128::from(spend) / 10,
    })
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let parts = (
        vec(any_evidence(), 0..6),
        vec(any_pending(), 0..3),
        option::of(any_order()),
        any_worth(),
        option::weighted(0.1, any_account()),
        (0..3_i64, 0..3_i64),
    );
    parts.prop_map(|(evidence, pending, order, worth, account, (customer, provider))| Facts {
        evidence,
        pending,
        order,
        worth,
        account,
        interactions: Interactions { customer, provider },
    })
}

/// Sources with keys of their own.
fn any_sources() -> impl Strategy<Value = Vec<(String, Facts)>> {
    vec(any_facts(), 0..8)
        .prop_map(|all| all.into_iter().enumerate().map(|(n, facts)| (format!("source/{n}"), facts)).collect())
}
