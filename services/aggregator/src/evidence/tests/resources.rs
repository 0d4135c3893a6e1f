//! Arbitrary resources: any field may be set or not, times lie anywhere within a hundred days, and scores are often out
//! of range. Only what the services refuse, such as a step both reached and given up, is left out.

use contracts::accounts::v1::{Account, Closure, Contact, Milestone};
use contracts::common::v1::{AnalysisOverride, Emotion, Money, PerceivedEmotion, TextAnalysis, TextSpan};
use contracts::feedback::v1::{About, Feedback, Scale};
use contracts::interactions::v1::{Commitment, CompetitorOffer, CounterOffer, Interaction};
use contracts::orders::v1::{Cancellation, Fulfilment, Order, OrderLine, OrderReturn, Payment, Placement};
use dynamics::DAY;
use proptest::collection::vec;
use proptest::prelude::*;
use prost_types::{Duration, Timestamp};

use super::Source;

/// The length of time in which everything happens.
pub(crate) const SPAN: i64 = 100 * DAY;

/// A source of any kind.
pub(crate) fn source() -> impl Strategy<Value = Source> {
    (0..8_u8, vec(any::<u64>(), 0..80)).prop_map(|(kind, numbers)| {
        let mut dice = Dice(numbers.into_iter());
        match kind {
            0 => dice.account().into(),
            1 => dice.contact().into(),
            2 => dice.milestone().into(),
            3 => dice.order().into(),
            4 => dice.interaction().into(),
            5 => dice.commitment().into(),
            6 => dice.offer().into(),
            _ => dice.feedback().into(),
        }
    })
}

/// A time before, within or after the span.
pub(super) fn time() -> impl Strategy<Value = i64> {
    -DAY..SPAN + DAY
}

/// Takes one number for each choice, and zeros when there are no more, so that fewer numbers make simpler resources.
struct Dice(std::vec::IntoIter<u64>);

impl Dice {
    fn below(&mut self, limit: u64) -> i64 {
        (self.0.next().unwrap_or(0) % limit) as i64
    }

    fn small(&mut self) -> i32 {
        self.below(6) as i32
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn word(&mut self) -> String {
        ["", "word", "two words", "accounts/a/contacts/b"][self.below(4) as usize].to_owned()
    }

    fn when(&mut self) -> Timestamp {
        methods::from_micros(self.below(SPAN as u64))
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.maybe(Self::when)
    }

    fn span(&mut self) -> Option<Duration> {
        self.maybe(|dice| Duration { seconds: dice.below(900_000) - 1_000, nanos: 0 })
    }

    /// In [-2, 2]: scores are clamped.
    fn tone(&mut self) -> f64 {
        self.below(41) as f64 / 10.0 - 2.0
    }

    fn money(&mut self) -> Option<Money> {
        self.maybe(|dice| Money { currency_code: "EUR".to_owned(), units: dice.below(2_000), nanos: 0 })
    }

    fn emotions(&mut self) -> Vec<Emotion> {
        (0..self.below(3)).map(|_| Emotion { kind: self.below(9) as i32, intensity: self.tone() }).collect()
    }

    fn analysis(&mut self) -> TextAnalysis {
        TextAnalysis {
            sentiment: self.maybe(|dice| dice.tone() as f32),
            sentiment_probability: self.tone() as f32,
            emotions: (0..self.below(3))
                .map(|_| PerceivedEmotion {
                    kind: self.below(9) as i32,
                    intensity: self.tone() as f32,
                    probability: self.tone() as f32,
                })
                .collect(),
            abstention: self.below(7) as i32,
            spans: (0..self.below(3))
                .map(|_| TextSpan {
                    kind: self.below(7) as i32,
                    competitor: self.word(),
                    stance: self.below(4) as i32,
                    ..TextSpan::default()
                })
                .collect(),
            r#override: self.maybe(|dice| AnalysisOverride {
                sentiment: dice.maybe(Self::tone),
                emotions: dice.emotions(),
                ..AnalysisOverride::default()
            }),
            ..TextAnalysis::default()
        }
    }

    fn account(&mut self) -> Account {
        Account {
            create_time: self.time(),
            open_time: self.time(),
            referred_by: self.maybe(|_| "accounts/friend".to_owned()).unwrap_or_default(),
            closure: self.maybe(|dice| Closure {
                close_time: dice.time(),
                party: dice.small() % 3,
                reason: dice.word(),
            }),
            ..Account::default()
        }
    }

    fn contact(&mut self) -> Contact {
        let [create_time, met_time, leave_time] = [self.time(), self.time(), self.time()];
        Contact { create_time, met_time, leave_time, role: self.word(), ..Contact::default() }
    }

    fn milestone(&mut self) -> Milestone {
        let (end, is_complete) = (self.time(), self.flag());
        Milestone {
            create_time: self.time(),
            party: self.small() % 3,
            due_time: self.time(),
            complete_time: end.filter(|_| is_complete),
            waive_time: end.filter(|_| !is_complete),
            ..Milestone::default()
        }
    }

    fn order(&mut self) -> Order {
        Order {
            place_time: self.time(),
            total: self.money(),
            list_total: self.money(),
            cost: self.money(),
            lines: (0..self.below(3))
                .map(|_| OrderLine { quantity: self.below(9), unit_price: self.money(), ..OrderLine::default() })
                .collect(),
            placement: self.maybe(|dice| Placement {
                channel: dice.small(),
                attempts: dice.small(),
                corrections: dice.maybe(Self::small),
                start_time: dice.time(),
            }),
            fulfilment: self.maybe(|dice| Fulfilment {
                promise_time: dice.time(),
                ship_time: dice.time(),
                deliver_time: dice.time(),
                ordered_quantity: dice.below(20),
                delivered_quantity: dice.maybe(|dice| dice.below(20)),
                damaged_quantity: dice.maybe(|dice| dice.below(20)),
                papers_correct: dice.maybe(Self::flag),
            }),
            payment: self.maybe(|dice| Payment { due_time: dice.time(), pay_time: dice.time(), paid: dice.money() }),
            returns: (0..self.below(3))
                .map(|_| OrderReturn {
                    return_time: self.time(),
                    amount: self.money(),
                    responsible: self.small() % 3,
                    reason: self.word(),
                    refund_time: self.time(),
                })
                .collect(),
            cancellation: self.maybe(|dice| Cancellation {
                cancel_time: dice.time(),
                party: dice.small() % 3,
                reason: dice.word(),
            }),
            priority: self.flag(),
            ..Order::default()
        }
    }

    fn interaction(&mut self) -> Interaction {
        Interaction {
            happen_time: self.time(),
            party: self.small() % 3,
            channel: self.below(9) as i32,
            purpose: self.small(),
            thread: self.word(),
            in_reply_to: self.word(),
            contact: self.word(),
            text: self.word(),
            sentiment: self.maybe(Self::tone),
            emotions: self.emotions(),
            duration: self.span(),
            intent_met: self.maybe(Self::flag),
            resolve_time: self.time(),
            contacts_to_resolve: self.small(),
            escalated: self.flag(),
            analysis: self.maybe(Self::analysis),
            reply_delay: self.span(),
            ..Interaction::default()
        }
    }

    fn commitment(&mut self) -> Commitment {
        let state = self.small() % 5;
        Commitment {
            party: self.small() % 3,
            description: self.word(),
            make_time: self.time(),
            due_time: self.time(),
            settle_time: self.time().filter(|_| state > 1),
            state,
            about: self.word(),
            ..Commitment::default()
        }
    }

    /// The counter-offer comes before the end, as the service demands.
    fn offer(&mut self) -> CompetitorOffer {
        let outcome = self.small() % 5;
        let resolve_time = self.time().filter(|_| outcome > 1);
        let counter = self.maybe(|dice| CounterOffer { make_time: dice.time(), description: dice.word() });
        let is_open = |counter: &CounterOffer| match (counter.make_time, resolve_time) {
            (Some(made), Some(resolved)) => methods::to_micros(&made) <= methods::to_micros(&resolved),
            (Some(_), None) => outcome <= 1,
            (None, _) => true,
        };
        CompetitorOffer {
            competitor: self.word(),
            learn_time: self.time(),
            disclosed: self.maybe(Self::flag),
            counter_chance: self.maybe(Self::flag),
            counter_offer: counter.filter(is_open),
            outcome,
            resolve_time,
            ..CompetitorOffer::default()
        }
    }

    fn feedback(&mut self) -> Feedback {
        Feedback {
            happen_time: self.time(),
            kind: self.below(9) as i32,
            score: self.maybe(Self::tone),
            scale: self.maybe(|dice| Scale { min: dice.tone(), max: dice.tone() }),
            about: self.maybe(|dice| About { subject: dice.small(), reference: dice.word() }),
            contact: self.word(),
            text: self.word(),
            sentiment: self.maybe(Self::tone),
            emotions: self.emotions(),
            themes: vec![self.word()],
            resolve_time: self.time(),
            content_with_resolution: self.maybe(Self::flag),
            analysis: self.maybe(Self::analysis),
            ..Feedback::default()
        }
    }
}
