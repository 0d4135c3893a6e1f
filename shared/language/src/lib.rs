//! What a text says: its language, its sentiment, the emotions in it and how sure that is, and the places that speak of
//! needs, complaints, thanks, promises and rivals. Pure functions: no I/O, no clock, no async.
//!
//! It abstains rather than guess: a wrong "angry" costs more than none.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod analysis;
mod analyzer;
mod calibration;
pub mod clean;
pub mod evaluation;
mod features;
mod feelings;
mod format;
mod hash;
mod header;
pub mod identify;
mod lexicon;
mod model;
mod negation;
mod spans;
mod tokens;
pub mod training;

pub use analysis::{Abstention, Analysis, Emotion, Estimate, Language, Span, SpanKind, Stance};
pub use analyzer::{Analyzer, Context};
pub use clean::{Clean, clean};
pub use feelings::{CLASS_BORDER, Feelings, Polarity, READ_BYTES};
pub use format::ModelError;
pub use header::Header;
pub use identify::{Identified, Identifier};
pub use spans::{CompetitorError, Competitors, find as find_spans};
