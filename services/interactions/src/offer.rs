//! What a competitor offer is: an offer that a rival made to the customer.

use contracts::interactions::v1::{
    CompetitorOffer, CounterCompetitorOfferRequest, CounterOffer, OfferOutcome, ResolveCompetitorOfferRequest,
};
use methods::{Collection, Index, Kind, Violations, from_micros, state_conflict, to_micros};
use prost_types::Timestamp;
use runtime::Fault;
use store::Table;

pub(crate) static TABLE: Table = Table { name: "competitor_offers" };

/// What a competitor offer is. OPEN → STAYED, SPLIT or LEFT.
pub(crate) static COMPETITOR_OFFER: Kind<CompetitorOffer> = Kind {
    name: "competitor_offer",
    table: &TABLE,
    collection: Collection::OfAccount("competitorOffers"),
    updatable: &["competitor", "description", "learn_time", "disclosed", "counter_chance"],
    check,
    as_new: |offer| {
        offer.counter_offer = None;
        offer.outcome = 0;
        offer.resolve_time = None;
    },
    as_row: |_| {},
    derive: |offer| {
        if offer.outcome() == OfferOutcome::Unspecified {
            offer.set_outcome(OfferOutcome::Open);
        }
    },
    reading: None,
    index: |offer| Index {
        state: offer.outcome().as_str_name(),
        happened_at: offer.learn_time.as_ref().map_or(0, to_micros),
        ..Index::default()
    },
    related: Kind::<CompetitorOffer>::unrelated,
    rules: Kind::<CompetitorOffer>::no_rules,
};

fn check(offer: &CompetitorOffer, violations: &mut Violations) {
    let learn_time = offer.learn_time.as_ref();
    let resolve_time = offer.resolve_time.as_ref();
    violations.text("competitor", &offer.competitor, 1, 256);
    violations.text("description", &offer.description, 0, 4_096);
    violations.required_time("learn_time", learn_time);
    if let Some(counter) = &offer.counter_offer {
        violations.within("counter_offer", |violations| {
            violations.required_time("make_time", counter.make_time.as_ref());
            violations.in_order("make_time", counter.make_time.as_ref(), "learn_time", learn_time);
            violations.text("description", &counter.description, 0, 4_096);
        });
        violations.in_order("resolve_time", resolve_time, "counter_offer.make_time", counter.make_time.as_ref());
    }
    violations.known_enum::<OfferOutcome>("outcome", offer.outcome);
    violations.time("resolve_time", resolve_time);
    violations.in_order("resolve_time", resolve_time, "learn_time", learn_time);
    match (is_open(offer), resolve_time) {
        (true, Some(_)) => violations.add("resolve_time", "cannot be set while the offer is open"),
        (false, None) => violations.add("resolve_time", "is required once the offer is decided"),
        _ => {}
    }
}

fn is_open(offer: &CompetitorOffer) -> bool {
    matches!(offer.outcome(), OfferOutcome::Unspecified | OfferOutcome::Open)
}

/// Checks what a counter-offer's request needs beyond its target.
pub(crate) fn check_counter(ask: &CounterCompetitorOfferRequest, violations: &mut Violations) {
    if ask.counter_offer.is_none() {
        violations.add("counter_offer", "is required");
    }
}

/// Records a counter-offer.
pub(crate) fn counter(offer: &mut CompetitorOffer, counter: Option<CounterOffer>, now: i64) -> Result<(), Fault> {
    if !is_open(offer) || offer.counter_offer.is_some() {
        let state = if is_open(offer) { "countered" } else { offer.outcome().as_str_name() };
        return Err(state_conflict(&offer.name, state, "countered"));
    }
    let mut counter = counter.unwrap_or_default();
    counter.make_time.get_or_insert_with(|| from_micros(now));
    offer.counter_offer = Some(counter);
    Ok(())
}

/// Checks what the request of a decision needs beyond its target.
pub(crate) fn check_resolution(ask: &ResolveCompetitorOfferRequest, violations: &mut Violations) {
    violations.required_enum::<OfferOutcome>("outcome", ask.outcome);
    if ask.outcome() == OfferOutcome::Open {
        violations.add("outcome", "must be stayed, left or split");
    }
}

/// Records how the offer ended.
pub(crate) fn resolve(
    offer: &mut CompetitorOffer,
    outcome: OfferOutcome,
    at: Option<Timestamp>,
    now: i64,
) -> Result<(), Fault> {
    if !is_open(offer) {
        return Err(state_conflict(&offer.name, offer.outcome().as_str_name(), "resolved"));
    }
    offer.set_outcome(outcome);
    offer.resolve_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rival() -> CompetitorOffer {
        CompetitorOffer {
            competitor: "Globex".to_owned(),
            learn_time: Some(from_micros(1_000_000)),
            ..CompetitorOffer::default()
        }
    }

    #[test]
    fn an_offer_is_countered_once_and_decided_once() {
        let mut offer = rival();
        counter(&mut offer, Some(CounterOffer::default()), 2_000_000).unwrap();
        assert!(counter(&mut offer, Some(CounterOffer::default()), 3_000_000).is_err());
        resolve(&mut offer, OfferOutcome::Stayed, None, 4_000_000).unwrap();
        assert!(resolve(&mut offer, OfferOutcome::Left, None, 5_000_000).is_err());
        assert!(counter(&mut offer, None, 5_000_000).is_err());
        let mut violations = Violations::default();
        check(&offer, &mut violations);
        assert!(violations.is_empty());
    }

    #[test]
    fn nothing_happens_before_the_offer_is_known_or_after_it_is_decided() {
        let mut offer = rival();
        counter(&mut offer, None, 500_000).unwrap();
        resolve(&mut offer, OfferOutcome::Split, None, 400_000).unwrap();
        let mut violations = Violations::default();
        check(&offer, &mut violations);
        let fault = violations.finish().unwrap_err();
        let fields: Vec<&str> = fault.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["counter_offer.make_time", "resolve_time", "resolve_time"]);
    }
}
