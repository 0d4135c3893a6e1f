//! The mathematics of relationships: evidence → [`Ledger`] → [`assess`]`(ledger, model, now)`.
//!
//! A source (an order, a conversation, an answer to a survey) says [`Facts`]. Facts are folded
//! into the account's [`Ledger`], a bounded set of integer sums. [`assess`] reads an
//! [`Assessment`] from the ledger by the rules of a [`Model`]; [`explain`] and
//! [`explain_sources`] break every score into terms that add up to it again.
//!
//! [`prediction`] says from the order days of a portfolio what each customer will probably do next,
//! and what that is worth. [`contest`] says what happens if a rival makes an offer,
//! and [`levers`] what the provider could do, and what that would change.
//!
//! [`themes`] finds what people speak of, and what they speak of more than before; [`effect`] measures
//! what an improvement changed for those it concerned.
//!
//! Everything here is a pure function of its arguments. The crate never reads a clock, a file or
//! the network, knows nothing of databases or messages, and never panics on what it is given.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activity;
mod assess;
mod codec;
mod compare;
pub mod contest;
mod decay;
pub mod effect;
mod encoding;
mod evidence;
mod expectation;
mod explain;
mod facts;
mod ledger;
mod level;
pub mod levers;
mod model;
pub mod prediction;
mod relationship;
mod signal;
mod statistics;
mod terms;
#[cfg(test)]
mod tests;
pub mod themes;
mod vocabulary;

pub use activity::{Activity, OrderDay};
pub use assess::{ActivitySummary, AspectScore, Assessment, EmotionScore, FacetScore, ViewAssessment, assess};
pub use codec::DecodeError;
pub use compare::{Cause, ChangeTerm, Snapshot, compare};
pub use decay::{BUCKET, DAY, HalfLives, Micros};
pub use evidence::{Evidence, Pending};
pub use expectation::Expectation;
pub use explain::{
    ACTIVITY_SOURCE, Contribution, Explanation, FacetExplanation, FacetSources, SourceContribution, explain,
    explain_sources,
};
pub use facts::{AccountFact, Facts, Interactions, OrderFact, Status, Worth};
pub use ledger::Ledger;
pub use model::{Exposure, Model, ModelError, Prior, Rhythm, SignalWeight, Stages, Violation};
pub use relationship::{Relationship, Stage};
pub use signal::{Signal, Topic};
pub use statistics::Interval;
pub use vocabulary::{Aspect, Emotion, Facet, View};
