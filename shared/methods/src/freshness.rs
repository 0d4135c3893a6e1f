//! Freshness tokens on the wire.

use contracts::common::v1::{ErrorReason, FreshnessToken};
use runtime::{Fault, Violation};
use store::Mark;

/// Writes marks as a token.
pub fn token(marks: Vec<Mark>) -> FreshnessToken {
    FreshnessToken { value: store::FreshnessToken { marks }.encode() }
}

/// Reads what several tokens ask for. Empty ones ask for nothing.
///
/// # Errors
/// A fault with `ERROR_REASON_FRESHNESS_TOKEN_INVALID` that names each token that is not ours.
pub fn marks(field: &str, tokens: &[FreshnessToken]) -> Result<Vec<Mark>, Fault> {
    let mut marks = Vec::new();
    let mut violations = Vec::new();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| !token.value.is_empty()) {
        match store::FreshnessToken::decode(&token.value) {
            Ok(token) => marks.extend(token.marks),
            Err(_) => violations.push(Violation::new(
                format!("{field}[{index}]"),
                "is not a freshness token: send one back as a write answered it",
            )),
        }
    }
    if violations.is_empty() {
        Ok(marks)
    } else {
        Err(Fault::invalid(ErrorReason::FreshnessTokenInvalid.as_str_name(), violations))
    }
}
