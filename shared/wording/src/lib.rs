//! What is told to people, in English, Hungarian, Dutch and Portuguese: messages with their plurals, and figures, amounts
//! and dates in the form of each language. Pure functions: no I/O, no clock, no async.
//!
//! The messages are in `messages/*.ftl`, one file for each language, in the format of
//! [Fluent](https://projectfluent.org). Each message with arguments is a type here, a [`Saying`] that has the arguments as
//! fields, so that none is forgotten and none misspelt. Words that come from elsewhere, such as the names of signals, are
//! asked for by their [`Family`] and name.
//!
//! ```
//! use wording::{Figure, Language, Reason, Words, negotiate};
//!
//! let words = Words::of(negotiate("de, nl-BE;q=0.8, en;q=0.5"));
//! assert_eq!(words.language(), Language::Dutch);
//! let reason = Reason {
//!     signal: "geschillen".to_owned(),
//!     count: 1_200,
//!     points: Figure::new(-2.25, 1),
//!     of: words.facet_of("customer", "trust"),
//!     bond_points: Figure::new(-0.5, 1),
//! };
//! assert_eq!(
//!     words.tell(reason),
//!     "geschillen (1.200 feiten): het vertrouwen van de klant -2,2 punten, de band -0,5."
//! );
//! ```
//!
//! Nothing fails: a word that is missing is told in English, and one that is unknown is told as it came.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod figures;
mod language;
mod sayings;
#[cfg(test)]
mod tests;
mod words;

pub use figures::Figure;
pub use language::{Language, negotiate};
pub use sayings::*;
pub use words::{Family, Words, sentence};
