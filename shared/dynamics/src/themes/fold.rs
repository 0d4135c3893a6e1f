//! One theme where several phrases say the same.
//!
//! When people begin to speak of late deliveries, "late delivery", "delivery" and "late delivery again"
//! all rise. A phrase is folded into another where that one explains its rise:
//!
//! - a shorter one into a longer one that most of its accounts use, or without whose texts it has not
//!   risen;
//! - a longer one into a shorter one otherwise, unless it has surely risen by more;
//! - the less sure of two into the surer, where they are mostly in the same texts.

use super::corpus::{Found, Gram, length};
use super::rate::{Comparison, Ground, Group};
use crate::statistics::Interval;

/// The share of accounts, or of texts, that makes "most": a judgement.
const MOST: f64 = 2.0 / 3.0;

/// The p-value above which a phrase without another's texts has not risen.
const NOT_RISEN: f64 = 0.05;

/// A phrase that has risen.
pub(super) struct Risen {
    pub(super) found: Found,
    pub(super) compared: Comparison,
    pub(super) p: f64,
    /// How many accounts use it now.
    pub(super) accounts: usize,
}

/// Of each phrase the one that it is folded into, or itself. They are given surest first.
pub(super) fn fold(risen: &[Risen], ground: &Ground) -> Vec<usize> {
    let ratios: Vec<Interval> = risen.iter().map(|one| one.compared.ratio()).collect();
    let now: Vec<Vec<u32>> = risen.iter().map(|one| texts_now(&one.found, ground)).collect();
    let mut heads: Vec<usize> = (0..risen.len()).collect();
    for surer in 0..risen.len() {
        for other in surer + 1..risen.len() {
            let (one, two) = (&risen[surer].found.gram, &risen[other].found.gram);
            if contains(one, two) {
                nested(risen, &ratios, ground, other, surer, &mut heads);
            } else if contains(two, one) {
                nested(risen, &ratios, ground, surer, other, &mut heads);
            } else if overlap(&now[surer], &now[other]) >= MOST {
                attach(other, surer, &mut heads);
            }
        }
    }
    (0..heads.len()).map(|at| head(at, &heads)).collect()
}

fn nested(risen: &[Risen], ratios: &[Interval], ground: &Ground, short: usize, long: usize, heads: &mut [usize]) {
    let most = risen[long].accounts as f64 >= MOST * risen[short].accounts as f64;
    if most || !risen_without(&risen[short].found, &risen[long].found, ground) {
        attach(short, long, heads);
    } else if ratios[long].low <= ratios[short].value {
        attach(long, short, heads);
    }
}

/// Folds one into another, unless it is folded already, or that one into it.
fn attach(one: usize, other: usize, heads: &mut [usize]) {
    let into = head(other, heads);
    if heads[one] == one && into != one {
        heads[one] = into;
    }
}

fn head(mut at: usize, heads: &[usize]) -> usize {
    while heads[at] != at {
        at = heads[at];
    }
    at
}

/// Whether a phrase has risen in the texts that do not have another.
fn risen_without(one: &Found, other: &Found, ground: &Ground) -> bool {
    let left = one.texts.iter().filter(|&text| other.texts.binary_search(text).is_err());
    let voiced = ground.count(left.map(|&text| text as usize));
    ground.compare(&voiced).not_risen() <= NOT_RISEN
}

/// Whether a phrase is part of another.
fn contains(long: &Gram, short: &Gram) -> bool {
    let words = length(short);
    words < length(long) && long.windows(words).any(|part| part == &short[..words])
}

fn texts_now(found: &Found, ground: &Ground) -> Vec<u32> {
    found.texts.iter().copied().filter(|&text| ground.voice[text as usize].1 == Group::Now).collect()
}

/// The share that two lists have in common of what either has (Jaccard 1901).
fn overlap(one: &[u32], other: &[u32]) -> f64 {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if (few.len() as f64) < MOST * many.len() as f64 {
        return 0.0;
    }
    let common = few.iter().filter(|text| many.binary_search(text).is_ok()).count();
    common as f64 / (one.len() + other.len() - common).max(1) as f64
}
