//! Feeds: gapless, in order, the same to everybody, and in agreement with the rows.

use std::collections::{BTreeMap, HashMap};

use super::{Broken, Change, Feed, History, Row, Verdict};

pub(super) fn judge(history: &History, verdict: &mut Verdict) {
    for feed in &history.feeds {
        verdict.counts.feeds.insert(feed.service.clone(), feed.changes.len());
        let ends = gapless(feed, verdict);
        let is_end = |(partition, end): (&u32, &i64)| ends.get(partition).copied().unwrap_or_default() == *end;
        if !feed.ends.iter().all(is_end) {
            verdict.broken(Broken::Gap, format!("{} ends at {:?} and not at {ends:?}", feed.service, feed.ends));
        }
        versions(feed, verdict);
        rows(feed, &history.rows, verdict);
    }
    for watched in &history.watched {
        gapless(watched, verdict);
        verdict.counts.watched += 1;
        match history.feeds.iter().find(|feed| feed.service == watched.service) {
            Some(feed) => same(feed, watched, verdict),
            None => verdict.broken(Broken::Watchers, format!("nobody read the feed of {} at the end", watched.service)),
        }
    }
}

/// Each position follows the one before it, and time does not fall. Returns where the partitions end.
fn gapless(feed: &Feed, verdict: &mut Verdict) -> BTreeMap<u32, i64> {
    let mut ends: BTreeMap<u32, i64> = BTreeMap::new();
    let mut times: BTreeMap<u32, i64> = BTreeMap::new();
    for change in &feed.changes {
        let end = ends.entry(change.partition).or_default();
        if change.position != *end + 1 {
            let text = format!("{} was told {change:?} after position {end} of {}", feed.watcher, feed.service);
            verdict.broken(Broken::Gap, text);
        }
        *end = change.position;
        let time = times.entry(change.partition).or_insert(change.recorded_at);
        if change.recorded_at < *time {
            verdict.broken(Broken::Reordered, format!("time falls in {} before {change:?}", feed.service));
        }
        *time = change.recorded_at;
    }
    ends
}

/// The versions of each resource are 1, 2, 3 and so on.
fn versions(feed: &Feed, verdict: &mut Verdict) {
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for change in &feed.changes {
        let version = versions.entry(&change.resource).or_default();
        if change.version != *version + 1 {
            verdict.broken(Broken::Versions, format!("version {version} is followed by {change:?}"));
        }
        *version = change.version;
    }
}

/// What a watcher was told is how the feed begins, in each partition.
fn same(feed: &Feed, watched: &Feed, verdict: &mut Verdict) {
    let all: HashMap<(u32, i64), &Change> =
        feed.changes.iter().map(|change| ((change.partition, change.position), change)).collect();
    for change in &watched.changes {
        let told = all.get(&(change.partition, change.position));
        if told != Some(&change) {
            let text = format!("{} was told {change:?}, the feed says {told:?}", watched.watcher);
            verdict.broken(Broken::Watchers, text);
        }
    }
}

/// Each row is as it was last told, and no other row is there.
fn rows(feed: &Feed, rows: &[Row], verdict: &mut Verdict) {
    let mut last: HashMap<&str, &Change> = HashMap::new();
    for change in &feed.changes {
        last.insert(&change.resource, change);
    }
    for row in rows.iter().filter(|row| row.service == feed.service) {
        match last.remove(row.resource.as_str()) {
            Some(change) if change.version == row.version && change.said == row.said => {}
            // Told of never, told of otherwise, or listed twice.
            other => verdict.broken(Broken::Rows, format!("{row:?} was last told as {other:?}")),
        }
    }
    for change in last.values() {
        verdict.broken(Broken::Rows, format!("no row is there of {change:?}"));
    }
}
