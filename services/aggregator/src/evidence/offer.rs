//! What a rival's offer says: of the customer, by whether it told and stayed; of the provider, by whether it fought.

use contracts::common::v1::Party;
use contracts::interactions::v1::{CompetitorOffer, OfferOutcome};
use dynamics::Signal;
use prost::Message;

use super::draft::Draft;
use super::scale::{days, days_after, promptness};
use super::words::quoted;
use super::{Moment, Resource, Source, forget, micros};

/// That the customer told, and that it gave the chance to counter, each make half of full disclosure.
const TOLD: f64 = 0.5;
/// An offer that was kept hidden and found out says more than one that was told says.
const HIDDEN: f64 = -0.8;

/// To counter at all is at least this; the rest is for doing it soon.
const COUNTERED_AT_LEAST: f64 = 0.5;
/// Days until a counter-offer that are neither quick nor slow.
const COUNTER_EVEN_DAYS: f64 = 7.0;
/// A week's time to answer before the silence counts, in full after another month.
const COUNTER_GRACE_DAYS: i64 = 7;
const COUNTER_FULL_DAYS: i64 = 30;
/// A chance that can still be taken weighs half of one that has passed.
const CHANCE_WEIGHT: f64 = 0.5;

/// A customer that splits its business has stayed in part, and has let the rival in.
const SPLIT_VALUE: f64 = -0.3;
/// Going to a rival is among the plainest deeds there are.
const LEFT_WEIGHT: f64 = 2.0;

impl Resource for CompetitorOffer {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    fn happened_at(&self) -> i64 {
        micros(&self.learn_time).unwrap_or(0)
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        if countered_at(self).is_some_and(|at| at > time) {
            then.counter_offer = None;
        }
        if forget(&mut then.resolve_time, time) {
            then.set_outcome(OfferOutcome::Open);
        }
        then.into()
    }

    fn actor(&self) -> Party {
        if self.disclosed == Some(true) { Party::Customer } else { Party::Provider }
    }

    fn draw(&self, draft: &mut Draft) {
        let learned = self.happened_at();
        if let Some(value) = disclosure(self) {
            draft.say(Signal::OfferDisclosure, learned, value, 1.0);
        }
        let outcome = self.outcome();
        let is_open = matches!(outcome, OfferOutcome::Open | OfferOutcome::Unspecified);
        let resolved = resolved_at(self);
        match (countered_at(self), self.counter_chance) {
            (Some(at), _) => {
                let room = 1.0 - COUNTERED_AT_LEAST;
                let soon = (promptness(days(learned, at), COUNTER_EVEN_DAYS) + 1.0) / 2.0;
                draft.say(Signal::CounterOffer, at, COUNTERED_AT_LEAST + room * soon, 1.0);
            }
            (None, Some(true)) if is_open => {
                let since = days_after(learned, COUNTER_GRACE_DAYS);
                draft.owe(Signal::CounterOffer, since, COUNTER_FULL_DAYS, -1.0, CHANCE_WEIGHT);
            }
            (None, Some(true)) => draft.say(Signal::CounterOffer, resolved, -1.0, 1.0),
            (None, _) => {}
        }
        match outcome {
            OfferOutcome::Open | OfferOutcome::Unspecified => {}
            OfferOutcome::Stayed => draft.say(Signal::OfferOutcome, resolved, 1.0, 1.0),
            OfferOutcome::Split => draft.say(Signal::OfferOutcome, resolved, SPLIT_VALUE, 1.0),
            OfferOutcome::Left => draft.say(Signal::OfferOutcome, resolved, -1.0, LEFT_WEIGHT),
        }
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        let learned = self.happened_at();
        let how = if self.disclosed == Some(true) { "told of an offer" } else { "learned of an offer" };
        let chance = match self.counter_chance {
            Some(true) => ", with the chance to counter it",
            Some(false) => ", without a chance to counter it",
            None => "",
        };
        let rival = &self.competitor;
        let what = quoted([self.description.as_str()]);
        moments.push(Moment::new(learned, self.actor(), format!("{how} by {rival}{chance}{what}")));
        if let (Some(counter), Some(at)) = (&self.counter_offer, countered_at(self)) {
            let text = format!("countered the offer by {rival}{}", quoted([counter.description.as_str()]));
            moments.push(Moment::new(at, Party::Provider, text));
        }
        let ending = match self.outcome() {
            OfferOutcome::Open | OfferOutcome::Unspecified => return,
            OfferOutcome::Stayed => "stayed, and declined the offer",
            OfferOutcome::Split => "gave part of its business to",
            OfferOutcome::Left => "left for",
        };
        let by = if self.outcome() == OfferOutcome::Stayed { " by" } else { "" };
        moments.push(Moment::new(resolved_at(self), Party::Customer, format!("{ending}{by} {rival}")));
    }
}

/// What is known of whether the customer was open about it; none when nothing is.
fn disclosure(offer: &CompetitorOffer) -> Option<f64> {
    let told = offer.disclosed.map(|told| if told { TOLD } else { HIDDEN });
    let chance = offer.counter_chance.map(|chance| if chance { TOLD } else { -TOLD });
    (told.is_some() || chance.is_some()).then(|| told.unwrap_or(0.0) + chance.unwrap_or(0.0))
}

fn countered_at(offer: &CompetitorOffer) -> Option<i64> {
    let counter = offer.counter_offer.as_ref()?;
    Some(micros(&counter.make_time).unwrap_or(offer.happened_at()))
}

fn resolved_at(offer: &CompetitorOffer) -> i64 {
    micros(&offer.resolve_time).unwrap_or(offer.happened_at())
}

#[cfg(test)]
mod tests {
    use contracts::interactions::v1::CounterOffer;
    use dynamics::DAY;

    use super::*;
    use crate::evidence::tests::{day, net, only, pending, said, value};

    fn offer() -> CompetitorOffer {
        CompetitorOffer { competitor: "Globex".to_owned(), learn_time: day(1), ..CompetitorOffer::default() }
    }

    #[test]
    fn openness_is_telling_and_giving_the_chance() {
        let open = |disclosed, counter_chance| {
            net(&CompetitorOffer { disclosed, counter_chance, ..offer() }.into(), Signal::OfferDisclosure)
        };
        assert_eq!(open(Some(true), Some(true)), 1.0);
        assert_eq!(open(Some(true), None), 0.5);
        assert_eq!(open(Some(true), Some(false)), 0.0);
        assert_eq!(open(Some(false), None), -0.8);
        assert_eq!(open(Some(false), Some(false)), -1.0);
        assert!(said(&offer().into(), Signal::OfferDisclosure).is_empty());
    }

    #[test]
    fn a_chance_to_counter_is_taken_soon_or_late_or_let_pass() {
        let chance = CompetitorOffer { counter_chance: Some(true), ..offer() };
        let made = |on| {
            let counter = CounterOffer { make_time: day(on), description: "5 % off".to_owned() };
            Source::from(CompetitorOffer { counter_offer: Some(counter), ..chance.clone() })
        };
        assert_eq!(value(&made(1), Signal::CounterOffer), 1.0);
        assert!(value(&made(4), Signal::CounterOffer) > value(&made(40), Signal::CounterOffer));
        assert!(value(&made(400), Signal::CounterOffer) >= 0.5);
        assert_eq!(only(&Source::from(chance.clone()), pending).since(), 8 * DAY);
        let passed = CompetitorOffer { outcome: OfferOutcome::Left.into(), resolve_time: day(9), ..chance };
        assert_eq!(value(&passed.into(), Signal::CounterOffer), -1.0);
    }

    #[test]
    fn how_it_ended_is_told_and_counted_from_that_day() {
        let ended = |outcome: OfferOutcome| {
            Source::from(CompetitorOffer { outcome: outcome.into(), resolve_time: day(9), ..offer() })
        };
        let values = [OfferOutcome::Stayed, OfferOutcome::Split, OfferOutcome::Left]
            .map(|outcome| net(&ended(outcome), Signal::OfferOutcome));
        assert!(values[0] > values[1] && values[1] > values[2]);
        let before = ended(OfferOutcome::Left).as_of(8 * DAY).unwrap();
        assert!(said(&before, Signal::OfferOutcome).is_empty());
        assert_eq!(ended(OfferOutcome::Left).moments()[1].text, "left for Globex");
        assert_eq!(ended(OfferOutcome::Stayed).moments()[1].text, "stayed, and declined the offer by Globex");
    }
}
