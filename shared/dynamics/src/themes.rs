//! Themes: what people speak of, how much, and whether more than before.
//!
//! A [`Taxonomy`] finds a tenant's own themes in texts. [`discover()`] finds those that nobody has named
//! yet: phrases that are said more often than before, or than elsewhere. [`Voices`] gives any theme its
//! [`Figures`]: how many accounts speak of it, what is at stake with them, how they feel, and which way
//! it moves.
//!
//! Every account has one voice. What counts is the share of its texts that mention a thing, and the
//! mean of these shares over the accounts; so neither one loud account makes a theme, nor does an
//! account that writes more often than before.
//!
//! ```
//! use dynamics::themes::{Group, Phrase, Said, Taxonomy, Voices, count_words};
//!
//! let taxonomy = Taxonomy::new(&[vec![
//!     Phrase { language: "en", text: "late delivery" },
//!     Phrase { language: "hu", text: "késik a szállítás" },
//! ]]);
//! assert_eq!(taxonomy.themes("LATE deliveries, again!", "en"), [0]);
//! assert_eq!(taxonomy.themes("Megint kesik a szallitas.", "hu"), [0]);
//!
//! let said = |account, text| Said { account, group: Group::Now, words: count_words(text), sentiment: Some(-0.5) };
//! let voices = Voices::new(&[said(1, "LATE deliveries, again!"), said(2, "Thanks.")]);
//! let figures = voices.figures(&[0], |account| Some(f64::from(account) * 1_000.0));
//! assert_eq!((figures.accounts, figures.value_at_stake), (1, 1_000.0));
//! ```

mod corpus;
mod discover;
mod figures;
mod fold;
mod rate;
mod stem;
mod stop;
mod taxonomy;
#[cfg(test)]
mod tests;
mod words;

pub use discover::{Discovered, Search, Text, discover};
pub use figures::{Direction, Figures, Said, Voices};
pub use rate::Group;
pub use taxonomy::{LONGEST_PHRASE, Match, Phrase, Taxonomy};
pub use words::count_words;
