//! What reads foreign text, held to what it promises of any text at all. Each function is the body of a fuzz target
//! (`tests/fuzz`) and fails by panicking; the test `foreign` calls them with the seeds and what is close to them.

mod files;
mod listing;
mod scoring;
mod texts;
mod tokens;

pub use files::{csv, jsonl, mapping, value};
pub use listing::{filter, name};
pub use scoring::{document, ledger, model};
pub use texts::text;
pub use tokens::{freshness_token, page_token};

/// A target, with the name of its folder of seeds.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 12] = [
    ("page_token", page_token),
    ("freshness_token", freshness_token),
    ("filter", filter),
    ("name", name),
    ("csv", csv),
    ("mapping", mapping),
    ("jsonl", jsonl),
    ("value", value),
    ("model", model),
    ("ledger", ledger),
    ("document", document),
    ("text", text),
];

/// Takes the first byte; 0 if there is none.
fn first(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// Takes the first eight bytes as a number; 0 if there are fewer.
fn number(data: &[u8]) -> (i64, &[u8]) {
    data.split_first_chunk().map_or((0, data), |(first, rest)| (i64::from_le_bytes(*first), rest))
}
