//! What is written of each sort, by chance, and what a client says of it.

use contracts::{
    accounts::v1::{Account, Milestone},
    common::v1::{Money, Party},
    feedback::v1::{Feedback, FeedbackKind},
    interactions::v1::{Interaction, InteractionChannel, Purpose},
    orders::v1::{Order, OrderLine},
};

use super::{Kind, Row};
use crate::{chance::Chance, day};

impl Row {
    /// A new one that bears a note.
    pub fn new(kind: Kind, note: String, chance: &mut Chance) -> Self {
        let time = day(-(chance.below(300) as f64));
        let sentiment = Some(sentiment(chance));
        match kind {
            Kind::Milestone => Self::Milestone(Milestone {
                title: note,
                party: chance.one_of(&[Party::Customer, Party::Provider]).into(),
                due_time: time,
                ..Milestone::default()
            }),
            Kind::Order => {
                let (lines, total) = sold(note, chance);
                Self::Order(Order { place_time: time, lines, total, ..Order::default() })
            }
            Kind::Interaction => Self::Interaction(Interaction {
                happen_time: time,
                party: chance.one_of(&[Party::Customer, Party::Provider]).into(),
                channel: InteractionChannel::Phone.into(),
                purpose: chance.one_of(&[Purpose::Support, Purpose::Sales]).into(),
                text: note,
                sentiment,
                ..Interaction::default()
            }),
            Kind::Feedback => Self::Feedback(Feedback {
                happen_time: time,
                kind: FeedbackKind::Nps.into(),
                score: Some(chance.below(11) as f64),
                text: note,
                sentiment,
                ..Feedback::default()
            }),
        }
    }

    /// The same with another note.
    pub fn rewritten(&self, note: String, chance: &mut Chance) -> Self {
        match self.clone() {
            Self::Account(account) => Self::Account(Account { display_name: note, ..account }),
            Self::Milestone(step) => {
                let due_time = day(-(chance.below(300) as f64));
                Self::Milestone(Milestone { title: note, due_time, ..step })
            }
            Self::Order(order) => {
                let (lines, total) = sold(note, chance);
                Self::Order(Order { lines, total, ..order })
            }
            Self::Interaction(said) => {
                Self::Interaction(Interaction { text: note, sentiment: Some(sentiment(chance)), ..said })
            }
            Self::Feedback(said) => Self::Feedback(Feedback { text: note, sentiment: Some(sentiment(chance)), ..said }),
        }
    }

    /// The same, so that an import refuses it.
    pub fn spoilt(self) -> Self {
        match self {
            Self::Account(account) => Self::Account(Account { display_name: String::new(), ..account }),
            Self::Milestone(step) => Self::Milestone(Milestone { title: String::new(), ..step }),
            Self::Order(order) => Self::Order(Order { place_time: None, ..order }),
            Self::Interaction(said) => Self::Interaction(Interaction { happen_time: None, ..said }),
            Self::Feedback(said) => Self::Feedback(Feedback { happen_time: None, ..said }),
        }
    }

    /// The note, which no other write bears.
    pub fn note(&self) -> &str {
        match self {
            Self::Account(account) => &account.display_name,
            Self::Milestone(step) => &step.title,
            Self::Order(order) => &order.lines[0].description,
            Self::Interaction(said) => &said.text,
            Self::Feedback(said) => &said.text,
        }
    }

    /// What a client says of it, without its name and what the suite adds.
    pub fn said(&self) -> Self {
        match self.clone() {
            Self::Account(Account { display_name, open_time, currency_code, .. }) => {
                Self::Account(Account { display_name, open_time, currency_code, ..Account::default() })
            }
            Self::Milestone(Milestone { title, party, due_time, .. }) => {
                Self::Milestone(Milestone { title, party, due_time, ..Milestone::default() })
            }
            Self::Order(Order { place_time, total, lines, .. }) => {
                Self::Order(Order { place_time, total, lines, ..Order::default() })
            }
            Self::Interaction(Interaction { happen_time, party, channel, purpose, text, sentiment, .. }) => {
                let said = Interaction { happen_time, party, channel, purpose, text, sentiment, ..Default::default() };
                Self::Interaction(said)
            }
            Self::Feedback(Feedback { happen_time, kind, score, text, sentiment, .. }) => {
                Self::Feedback(Feedback { happen_time, kind, score, text, sentiment, ..Default::default() })
            }
        }
    }
}

fn sold(note: String, chance: &mut Chance) -> (Vec<OrderLine>, Option<Money>) {
    let units = 1 + chance.below(500) as i64;
    let price = Some(Money { currency_code: "EUR".to_owned(), units, nanos: 0 });
    let line = OrderLine { product: "tea".to_owned(), description: note, quantity: 1, unit_price: price.clone() };
    (vec![line], price)
}

fn sentiment(chance: &mut Chance) -> f64 {
    chance.below(201) as f64 / 100.0 - 1.0
}
