//! The models of purchases against published truths, portfolios that determine no model, and
//! simulated ones whose truth is known. Sets that are absent are said on standard error.

#![allow(clippy::unwrap_used, reason = "tests")]

mod cdnow;
mod data;
mod degenerate;
mod judged;
mod layer;
mod protocol;
mod simulated;

use dynamics::prediction::{ActivityModel, HeldBack, Kind, Portfolio, Trial, fit};

/// The model of a kind, fitted to a portfolio.
fn fitted(kind: Kind, portfolio: &Portfolio) -> ActivityModel {
    fit(kind, portfolio).unwrap().model
}

/// Asserts that a figure is the known one, to within a tolerance.
#[track_caller]
fn near(found: f64, known: f64, tolerance: f64) {
    assert!((found - known).abs() <= tolerance, "{found} is not {known} to within {tolerance}");
}

/// Asserts that each figure is the known one, printed to six decimals by a search of its own that
/// ended within a millionth of the maximum.
#[track_caller]
fn each_near(found: &[f64], known: &[f64]) {
    assert_eq!(found.len(), known.len());
    found.iter().zip(known).for_each(|(found, known)| near(*found, *known, 5e-7 + 1e-6 * known));
}

/// The customers at a cut, with so many days after it held back.
fn held_back(histories: &data::Histories, cut: i64, horizon: i64) -> HeldBack {
    let before = histories.at(cut, 0);
    let after = histories.at(cut + horizon, 0);
    let later = |name: &str| after.iter().find(|(other, ..)| *other == name).unwrap().1;
    before.into_iter().map(|(name, summary, _)| Trial::new(summary, later(name)).unwrap()).collect()
}
