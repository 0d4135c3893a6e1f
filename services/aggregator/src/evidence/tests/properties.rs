//! What holds for every source, whatever it holds.

use dynamics::{Evidence, Facts, Signal, Topic};
use proptest::prelude::*;

use super::Source;
use super::resources::{SPAN, source, time};
use crate::evidence::DecodeError;

/// What a source said up to a time, leaving out what an order may take back: the worth of one that was cancelled, and
/// the lateness of a dispatch once the arrival is known.
fn lasting(source: &Source, facts: &Facts, until: i64) -> Vec<Evidence> {
    let (is_cancelled, was_shipped) = match source {
        Source::Order(order) => {
            let fulfilment = order.fulfilment.unwrap_or_default();
            (order.cancellation.is_some(), fulfilment.ship_time.is_some())
        }
        _ => (false, false),
    };
    let worth = [Signal::Spend, Signal::Margin, Signal::Savings, Signal::Concession];
    let lateness = [Signal::DeliveryPromise, Signal::DeliveryOnTime];
    let lasts = |fact: &&Evidence| match fact.topic() {
        Topic::Signal(signal) if worth.contains(&signal) => !is_cancelled,
        Topic::Signal(signal) if lateness.contains(&signal) => !was_shipped,
        _ => true,
    };
    facts.evidence.iter().filter(|fact| fact.at() <= until).filter(lasts).copied().collect()
}

/// Failures are told, not kept in files beside the sources.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_source_is_read_back_as_it_was_stored(source in source()) {
        prop_assert_eq!(Source::decode(source.kind(), &source.encode()).unwrap(), source);
    }

    #[test]
    fn as_of_the_end_of_time_a_source_is_what_it_is(source in source()) {
        prop_assert_eq!(source.as_of(SPAN), Some(source));
    }

    #[test]
    fn as_of_a_time_nothing_later_is_known(source in source(), time in time()) {
        let then = source.as_of(time);
        prop_assert_eq!(then.is_some(), time >= source.happened_at());
        let Some(then) = then else { return Ok(()) };
        prop_assert_eq!(then.happened_at(), source.happened_at());
        prop_assert_eq!(then.name(), source.name());
        prop_assert!(then.facts().evidence.iter().all(|fact| fact.at() <= time));
        prop_assert!(then.moments().iter().all(|moment| moment.at <= time));
        let facts = then.facts();
        prop_assert!(facts.order.is_none_or(|order| order.at <= time));
        prop_assert!(facts.account.and_then(|account| account.closed_at).is_none_or(|at| at <= time));
    }

    #[test]
    fn going_back_in_two_steps_is_going_back_in_one(source in source(), a in time(), b in time()) {
        let (earlier, later) = (a.min(b), a.max(b));
        let in_two = source.as_of(later).and_then(|then| then.as_of(earlier));
        prop_assert_eq!(in_two, source.as_of(earlier));
    }

    #[test]
    fn what_happens_later_does_not_change_what_was_said_before(source in source(), time in time()) {
        let Some(then) = source.as_of(time) else { return Ok(()) };
        let (now, before) = (source.facts(), then.facts());
        prop_assert_eq!(lasting(&source, &before, time), lasting(&source, &now, time));
    }

    #[test]
    fn the_headline_stands_where_the_source_does(source in source()) {
        let moments = source.moments();
        prop_assert_eq!(moments[0].at, source.happened_at());
        prop_assert_eq!(moments[0].party, source.party());
        for moment in moments {
            prop_assert!((1..=120).contains(&moment.text.chars().count()), "{}", moment.text);
        }
    }

    #[test]
    fn a_deleted_source_says_nothing(source in source(), time in time()) {
        let deleted = deleted(source);
        prop_assert!(deleted.is_deleted());
        prop_assert!(deleted.facts().is_empty() && deleted.moments().is_empty() && deleted.referral().is_none());
        prop_assert!(deleted.as_of(time).is_none_or(|then| then.facts().is_empty()));
    }
}

fn deleted(mut source: Source) -> Source {
    let time = super::day(7);
    match &mut source {
        Source::Account(account) => account.delete_time = time,
        Source::Contact(contact) => contact.delete_time = time,
        Source::Milestone(milestone) => milestone.delete_time = time,
        Source::Order(order) => order.delete_time = time,
        Source::Interaction(interaction) => interaction.delete_time = time,
        Source::Commitment(commitment) => commitment.delete_time = time,
        Source::CompetitorOffer(offer) => offer.delete_time = time,
        Source::Feedback(feedback) => feedback.delete_time = time,
    }
    source
}

#[test]
fn documents_of_no_known_kind_are_refused() {
    assert!(matches!(Source::decode("theme", &[]), Err(DecodeError::Kind(_))));
    assert!(matches!(Source::decode("order", &[0xff]), Err(DecodeError::Document(_))));
}
