//! Writes: those acknowledged are there once, the others whole or not at all, in the order in which they were done.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Broken, Change, History, Moment, Outcome, Place, Told, Verdict, Write};

pub(super) fn judge(history: &History, told: &Told<'_>, verdict: &mut Verdict) {
    let mut tried = HashSet::new();
    for write in &history.writes {
        tried.insert((write.service.as_str(), write.said.note.as_str(), write.said.deleted));
        verdict.counts.retried += usize::from(write.attempts > 1);
        self::write(write, told, verdict);
    }
    for ((service, note, deleted), changes) in &told.by_note {
        if !tried.contains(&(*service, *note, *deleted)) {
            verdict.broken(Broken::Unasked, format!("nobody said {changes:?}"));
        }
    }
    versions_once(history, verdict);
    batches(history, told, verdict);
    in_order(history, verdict);
}

fn write(write: &Write, told: &Told<'_>, verdict: &mut Verdict) {
    let key = (write.service.as_str(), write.said.note.as_str(), write.said.deleted);
    let changes = told.by_note.get(&key).map_or(&[][..], Vec::as_slice);
    if changes.len() > 1 {
        verdict.broken(Broken::Duplicate, format!("{write:?} was done more than once: {changes:?}"));
    }
    if let Some(change) = changes.iter().find(|change| change.said != write.said) {
        verdict.broken(Broken::Half, format!("{write:?} was kept as {change:?}"));
    }
    match &write.outcome {
        Outcome::Acknowledged { resource, version, token, .. } => {
            verdict.counts.acknowledged += 1;
            let Some(change) = changes.first() else {
                return verdict.broken(Broken::Lost, format!("{write:?} is not there"));
            };
            verdict.counts.present_once += usize::from(changes.len() == 1);
            if change.resource != *resource || version.is_some_and(|version| change.version != version) {
                verdict.broken(Broken::Lost, format!("{write:?} is there as {change:?}"));
            }
            if let Some(token) = token
                && (token.service != write.service || !includes(token, change))
            {
                verdict.broken(Broken::TokenLied, format!("{write:?} has a token that does not include {change:?}"));
            }
        }
        Outcome::Refused { reason, expected } => {
            verdict.counts.refused += usize::from(*expected);
            if !expected {
                verdict.broken(Broken::Refused, format!("{reason}: {write:?}"));
            }
            if let Some(change) = changes.first() {
                verdict.broken(Broken::Unasked, format!("{write:?} was refused and is there as {change:?}"));
            }
        }
        Outcome::Unknown if changes.is_empty() => verdict.counts.unknown_absent += 1,
        Outcome::Unknown => verdict.counts.unknown_present += 1,
    }
}

fn includes(token: &Place, change: &Change) -> bool {
    token.partition == change.partition && token.position >= change.position
}

/// No two writes were answered with the same version of a resource.
fn versions_once(history: &History, verdict: &mut Verdict) {
    let mut answered: HashMap<(&str, i64), &Write> = HashMap::new();
    for write in &history.writes {
        if let Outcome::Acknowledged { resource, version: Some(version), .. } = &write.outcome
            && let Some(other) = answered.insert((resource, *version), write)
        {
            verdict.broken(Broken::Duplicate, format!("two writes were answered alike: {other:?} and {write:?}"));
        }
    }
}

/// Of each message of an import everything is there, or nothing.
fn batches(history: &History, told: &Told<'_>, verdict: &mut Verdict) {
    let mut batches: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for write in &history.writes {
        if let Some(batch) = write.batch
            && !matches!(write.outcome, Outcome::Refused { .. })
        {
            let is_there = told.by_note.contains_key(&(write.service.as_str(), write.said.note.as_str(), false));
            let (there, all) = batches.entry(batch).or_default();
            *there += usize::from(is_there);
            *all += 1;
        }
    }
    verdict.counts.batches = batches.len();
    for (batch, (there, all)) in batches {
        if there != 0 && there != all {
            verdict.broken(Broken::Half, format!("of batch {batch}, {there} of {all} rows are there"));
        }
    }
}

/// What was answered before another was tried stands before it in its partition.
fn in_order(history: &History, verdict: &mut Verdict) {
    // By position, when each was answered.
    type Answered<'a> = Vec<(i64, Moment, &'a Write)>;
    let mut partitions: BTreeMap<(&str, u32), Answered<'_>> = BTreeMap::new();
    for write in &history.writes {
        if let Outcome::Acknowledged { at, token: Some(place), .. } = &write.outcome {
            let partition = partitions.entry((&place.service, place.partition)).or_default();
            partition.push((place.position, *at, write));
        }
    }
    for writes in partitions.values_mut() {
        writes.sort_by_key(|(position, ..)| *position);
        let mut earliest: Option<(Moment, &Write)> = None;
        for (_, at, write) in writes.iter().rev() {
            if let Some((before, later)) = earliest
                && before < write.invoked
            {
                let text = format!("{later:?} was answered before {write:?} began, and stands after it");
                verdict.broken(Broken::Reordered, text);
            }
            if earliest.is_none_or(|(before, _)| *at < before) {
                earliest = Some((*at, write));
            }
        }
    }
}
