//! Plain words: what assessments, comparisons, predictions and opportunities come to, in the language that is asked for.
//! They are made of the same contributions and terms as the figures, and say nothing that the answer beside them does not.

pub(crate) mod assessment;
pub(crate) mod movement;
pub(crate) mod opportunity;
pub(crate) mod prediction;
#[cfg(test)]
mod tests;

use contracts::{
    assessments::v1 as wire,
    common::v1::{Money, Party},
};
use dynamics::{DAY, Facet, Signal, Stage, View};
use wording::{Family, Figure, Text, TheBond, Words};

/// Reasons that move the bond by less than this many points are not worth a sentence.
const SMALLEST_REASON: f64 = 0.05;
/// How many reasons are told.
const REASONS: usize = 5;

/// Points, with a decimal.
fn points(points: f64) -> Figure {
    Figure::new(points, 1)
}

/// Whole points, or whatever else is told without decimals.
fn whole(figure: f64) -> Figure {
    Figure::new(figure, 0)
}

/// "the customer's trust".
fn facet_of(words: &Words, view: View, facet: Facet) -> Text {
    words.facet_of(view.name(), facet.name())
}

fn the_bond(words: &Words) -> Text {
    wording::sentence(&words.tell(TheBond {}))
}

fn stage(words: &Words, stage: Stage) -> Text {
    words.name(Family::Stage, stage.name())
}

fn signal(words: &Words, signal: Signal) -> Text {
    words.name(Family::Signal, signal.name())
}

/// What a signal measures.
pub(crate) fn meaning(words: &Words, of: Signal) -> String {
    signal(words, of)
}

fn way(by: f64) -> &'static str {
    if by > 0.0 { "up" } else { "down" }
}

/// The day of a time in microseconds, in UTC.
fn date(words: &Words, micros: i64) -> Text {
    let seconds = micros.div_euclid(DAY) * (DAY / 1_000_000);
    // Times of the contract lie within the years 1 to 9999.
    let day = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    words.date(day.year(), day.month().into(), day.day())
}

/// An exact amount, with as many decimals as tell anything.
fn money(words: &Words, money: &Money) -> Text {
    amount(words, money.units as f64 + f64::from(money.nanos) / 1e9, &money.currency_code, false)
}

/// An amount, with two decimals if it is below a thousand.
fn amount(words: &Words, amount: f64, currency: &str, signed: bool) -> Text {
    words.money(amount, decimals(amount), currency, signed)
}

fn decimals(amount: f64) -> u8 {
    if amount.abs() < 1_000.0 { 2 } else { 0 }
}

/// The value of an estimate and its ends, as amounts with the decimals of the value.
fn amounts(words: &Words, of: &wire::Estimate, currency: &str, signed: bool) -> [Text; 3] {
    [of.value, of.low, of.high].map(|end| words.money(end, decimals(of.value), currency, signed))
}

/// The name by which a message chooses for a party.
fn party_key(party: Party) -> &'static str {
    match party {
        Party::Provider => View::Provider.name(),
        Party::Customer | Party::Unspecified => View::Customer.name(),
    }
}

/// The name by which a message chooses for a facet.
fn facet_key(facet: wire::Facet) -> &'static str {
    match facet {
        wire::Facet::Rapport => Facet::Rapport.name(),
        wire::Facet::Trust => Facet::Trust.name(),
        wire::Facet::Loyalty => Facet::Loyalty.name(),
        wire::Facet::Ease => Facet::Ease.name(),
        wire::Facet::Value | wire::Facet::Unspecified => Facet::Value.name(),
    }
}

fn count(of: usize) -> u64 {
    of as u64
}
