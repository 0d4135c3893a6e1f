//! Stories told through the public API. One binary, so that they link once.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

mod accounts;
mod analysis;
mod architecture;
mod assessments;
mod bad_input;
mod contract;
mod crash;
mod feed;
mod feedback;
mod foreign;
mod interactions;
mod jetstream;
mod orders;
mod overload;
mod predictions;
mod shared_database;
mod standard;
mod undo;
mod voice;
mod wording;
