//! Reads: nobody sees less than was there when he asked, and a token is kept to.

use std::collections::{BTreeMap, HashMap};

use super::{Broken, Change, Fresh, History, Moment, Outcome, Place, Shown, Told, Verdict};

pub(super) fn judge(history: &History, told: &Told<'_>, verdict: &mut Verdict) {
    gets(history, told, verdict);
    let ends: BTreeMap<(&str, u32), i64> = history
        .feeds
        .iter()
        .flat_map(|feed| feed.ends.iter().map(|(partition, end)| ((feed.service.as_str(), *partition), *end)))
        .collect();
    for fresh in &history.fresh {
        verdict.counts.fresh += 1;
        named(fresh, &ends, verdict);
        match &fresh.shown {
            Shown::Timeline(shown) => timeline(fresh, shown, told, verdict),
            Shown::Orders(count) => orders(fresh, *count, told, verdict),
        }
    }
}

/// A resource is never shown at an earlier version than somebody knew of before.
fn gets(history: &History, told: &Told<'_>, verdict: &mut Verdict) {
    // What somebody knew of each resource, by when he learned it.
    let mut known: HashMap<&str, Vec<(Moment, i64)>> = HashMap::new();
    for write in &history.writes {
        if let Outcome::Acknowledged { at, resource, version: Some(version), .. } = &write.outcome {
            known.entry(resource).or_default().push((*at, *version));
        }
    }
    for get in &history.gets {
        let version = get.shown.as_ref().map_or(0, |(version, _)| *version);
        known.entry(&get.resource).or_default().push((get.at, version));
    }
    for known in known.values_mut() {
        known.sort_unstable();
        let mut highest = 0;
        for (_, version) in known {
            highest = highest.max(*version);
            *version = highest;
        }
    }
    for get in &history.gets {
        verdict.counts.gets += 1;
        let known = &known[get.resource.as_str()];
        let before = known.partition_point(|(at, _)| *at < get.invoked);
        let version = before.checked_sub(1).map_or(0, |index| known[index].1);
        let changes = told.by_resource.get(get.resource.as_str()).map_or(&[][..], Vec::as_slice);
        match &get.shown {
            Some((shown, said)) => {
                if *shown < version {
                    verdict.broken(Broken::Stale, format!("version {version} was known before {get:?}"));
                }
                let change = changes.iter().find(|change| change.version == *shown);
                if change.is_none_or(|change| change.said != *said) {
                    verdict.broken(Broken::Half, format!("{get:?} was told as {change:?}"));
                }
            }
            // Gone, if it was deleted and not too early for what was known.
            None if changes.iter().any(|change| change.said.deleted && change.version >= version) => {}
            None => verdict.broken(Broken::Stale, format!("version {version} was known and stands, before {get:?}")),
        }
    }
}

/// What an answer says of its freshness includes what was asked for, and nothing that never was.
fn named(fresh: &Fresh, ends: &BTreeMap<(&str, u32), i64>, verdict: &mut Verdict) {
    if fresh.named.is_empty() {
        return;
    }
    for asked in &fresh.asked {
        let same = |named: &&Place| (&named.service, named.partition) == (&asked.service, asked.partition);
        if let Some(named) = fresh.named.iter().find(same)
            && named.position < asked.position
        {
            verdict.broken(Broken::TokenLied, format!("{named:?} is no answer to {asked:?}, in {fresh:?}"));
        }
    }
    for named in &fresh.named {
        let end = ends.get(&(named.service.as_str(), named.partition)).copied().unwrap_or_default();
        if named.position > end {
            verdict.broken(Broken::TokenLied, format!("{named:?} is beyond the feed's end {end}, in {fresh:?}"));
        }
    }
}

/// How far an answer has come at least in a feed, by what was asked and what it names.
fn least(fresh: &Fresh, service: &str) -> i64 {
    let places = fresh.asked.iter().chain(&fresh.named);
    places.filter(|place| place.service == service).map(|place| place.position).max().unwrap_or_default()
}

/// For each service, what is shown was true after some change of the account, and not before the token.
fn timeline<'a>(fresh: &Fresh, shown: &BTreeMap<String, i64>, told: &Told<'a>, verdict: &mut Verdict) {
    for service in ["accounts", "orders", "interactions", "feedback"] {
        let changes = told.by_account.get(&(service, fresh.account.as_str())).map_or(&[][..], Vec::as_slice);
        let mut standing: HashMap<&'a str, i64> = HashMap::new();
        let mut wrong = shown.keys().filter(|resource| service_of(resource) == Some(service)).count();
        let at_first = wrong == 0;
        let is_right = |standing: &HashMap<&str, i64>, resource: &str| standing.get(resource) == shown.get(resource);
        let is_true = |change: &'a Change| {
            // Accounts themselves are no events of a timeline.
            if service_of(&change.resource).is_some() {
                let was_right = is_right(&standing, &change.resource);
                if change.said.deleted {
                    standing.remove(change.resource.as_str());
                } else {
                    standing.insert(&change.resource, change.version);
                }
                wrong = wrong + usize::from(was_right) - usize::from(is_right(&standing, &change.resource));
            }
            wrong == 0
        };
        let least = least(fresh, service);
        if !some_moment(changes, least, at_first, is_true) {
            let text = format!("its {service} were never so after position {least}: {fresh:?}");
            verdict.broken(Broken::TokenLied, text);
        }
    }
}

/// So many orders stood after some change of the account, and not before the token.
fn orders<'a>(fresh: &Fresh, count: i64, told: &Told<'a>, verdict: &mut Verdict) {
    let changes = told.by_account.get(&("orders", fresh.account.as_str())).map_or(&[][..], Vec::as_slice);
    let mut standing: HashMap<&'a str, ()> = HashMap::new();
    let is_true = |change: &'a Change| {
        if change.said.deleted {
            standing.remove(change.resource.as_str());
        } else {
            standing.insert(&change.resource, ());
        }
        standing.len() as i64 == count
    };
    let least = least(fresh, "orders");
    if !some_moment(changes, least, count == 0, is_true) {
        verdict.broken(Broken::TokenLied, format!("there were never {count} orders after position {least}: {fresh:?}"));
    }
}

/// Whether something was true at some moment that is not before a position: `at_first`, or after one of the changes.
fn some_moment<'a>(
    changes: &[&'a Change],
    least: i64,
    at_first: bool,
    mut is_true: impl FnMut(&'a Change) -> bool,
) -> bool {
    let mut holds = at_first;
    for change in changes {
        // What held until here held at a moment that is late enough.
        if holds && change.position > least {
            return true;
        }
        holds = is_true(change);
    }
    holds
}

/// The service that owns a resource of an account.
fn service_of(resource: &str) -> Option<&'static str> {
    match resource.split('/').nth(2)? {
        "orders" => Some("orders"),
        "interactions" => Some("interactions"),
        "feedback" => Some("feedback"),
        _ => Some("accounts"),
    }
}
