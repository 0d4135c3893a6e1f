//! What clients did, what they were told, and what the suite came to: a history, and the judge of it.
//!
//! The judge knows nothing of processes, databases or faults. It takes what was recorded and says what contradicts the
//! suite's promises: what was acknowledged is there exactly once; what was not is there whole or not at all; feeds are
//! gapless, in order and the same to everybody; versions grow by one; whoever reads after a write sees it, where the
//! token says so; the aggregator's ledgers are what its sources say; and a replay comes to the same, to the byte.

mod feeds;
mod reads;
#[cfg(test)]
mod tests;
mod writes;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::{Deserialize, Serialize};

/// Microseconds since the run began, by a clock that no fault moves.
pub type Moment = u64;

/// A place in a feed: its service, partition and position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The service that the feed is of.
    pub service: String,
    /// The partition.
    pub partition: u32,
    /// The position.
    pub position: i64,
}

/// What a write says, and so what a change must say that tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// A word that no other write says; a deletion leaves that of the version before.
    pub note: String,
    /// A digest of all that the client said.
    pub content: u64,
    /// Whether the resource was deleted.
    pub deleted: bool,
}

/// A write as its client knows it. Attempts under one request id are one write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The service that it went to.
    pub service: String,
    /// Who wrote.
    pub client: String,
    /// What it said.
    pub said: Said,
    /// The message of an import that it was part of.
    pub batch: Option<u64>,
    /// When it was tried first.
    pub invoked: Moment,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was answered.
    Acknowledged {
        /// When.
        at: Moment,
        /// The resource: tenant, colon, name.
        resource: String,
        /// Its version, where the answer names it.
        version: Option<i64>,
        /// What the freshness token names, where there was one.
        token: Option<Place>,
    },
    /// It was refused, with this reason.
    Refused {
        /// The reason.
        reason: String,
        /// Whether the client asked for something that has to be refused.
        expected: bool,
    },
    /// Every attempt was cut off: it may have landed or not.
    Unknown,
}

/// A change that a feed tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The partition.
    pub partition: u32,
    /// The position.
    pub position: i64,
    /// The resource: tenant, colon, name.
    pub resource: String,
    /// Its version.
    pub version: i64,
    /// What it says.
    pub said: Said,
    /// When it was recorded, in microseconds since 1970.
    pub recorded_at: i64,
}

/// A feed from its beginning, as somebody heard it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// The service that it is of.
    pub service: String,
    /// Who heard it.
    pub watcher: String,
    /// In the order in which they were told.
    pub changes: Vec<Change>,
    /// Where each partition ended.
    pub ends: BTreeMap<u32, i64>,
}

/// A row as a list shows it at the end, deleted ones too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The service that owns it.
    pub service: String,
    /// The resource: tenant, colon, name.
    pub resource: String,
    /// Its version.
    pub version: i64,
    /// What it says.
    pub said: Said,
}

/// A read of a resource where it is owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Get {
    /// When it was asked.
    pub invoked: Moment,
    /// When it was answered.
    pub at: Moment,
    /// The resource: tenant, colon, name.
    pub resource: String,
    /// The version that was shown and what it said; none if there was no such resource any more.
    pub shown: Option<(i64, Said)>,
}

/// A read of the aggregator that had to include what some tokens name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fresh {
    /// When it was asked.
    pub invoked: Moment,
    /// When it was answered.
    pub at: Moment,
    /// The account: tenant, colon, `accounts/ID`.
    pub account: String,
    /// What the tokens name.
    pub asked: Vec<Place>,
    /// How far the answer says that it has come; empty where it does not say.
    pub named: Vec<Place>,
    /// What it showed.
    pub shown: Shown,
}

/// What a fresh read showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// A timeline: every resource (tenant, colon, name) that it tells of, with its version.
    Timeline(BTreeMap<String, i64>),
    /// An assessment: how many orders stand.
    Orders(i64),
}

/// What the verification of a tenant's ledgers found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledgers {
    /// The tenant.
    pub tenant: String,
    /// How many accounts it has.
    pub accounts: i64,
    /// How many were verified.
    pub verified: i64,
    /// The accounts whose ledgers differ from what their sources say.
    pub differing: Vec<String>,
}

/// A digest of something that has to come out the same twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// What it is, such as an account's assessment of a time.
    pub what: String,
    /// The bytes as the suite under test has them, as text.
    pub first: String,
    /// As the replay has them.
    pub second: String,
}

/// All that was recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What was written, or tried.
    pub writes: Vec<Write>,
    /// The feeds at the end, one for each service.
    pub feeds: Vec<Feed>,
    /// The feeds as those heard them who were cut off all the time. Each may end early.
    pub watched: Vec<Feed>,
    /// All rows at the end.
    pub rows: Vec<Row>,
    /// What was read of the services.
    pub gets: Vec<Get>,
    /// What was read of the aggregator.
    pub fresh: Vec<Fresh>,
    /// The ledgers at the end, one entry for each tenant.
    pub ledgers: Vec<Ledgers>,
    /// The replays.
    pub replays: Vec<Replay>,
}

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A position is missing from a feed, or told twice.
    Gap,
    /// What was over before another began stands after it, or time falls inside a partition.
    Reordered,
    /// A version does not follow the one before.
    Versions,
    /// Two watchers were told different things.
    Watchers,
    /// A row says something else than the last change of it, or one of the two is missing.
    Rows,
    /// What was acknowledged is not there, or otherwise than acknowledged.
    Lost,
    /// What was said once was done twice.
    Duplicate,
    /// Of what belongs together a part is there.
    Half,
    /// Something is there that was refused, or that nobody said.
    Unasked,
    /// A refusal that nobody expected.
    Refused,
    /// A read did not show what was there before it began.
    Stale,
    /// The aggregator did not include what the token names, or said that it had come further than it had.
    TokenLied,
    /// A ledger differs from what its sources say, or was not verified.
    Ledgers,
    /// A replay came to something else.
    Replay,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which.
    pub broken: Broken,
    /// What exactly was found.
    pub text: String,
}

/// What was judged, in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Those of them that are there exactly once.
    pub present_once: usize,
    /// Writes of which the client never learned what became, that are there.
    pub unknown_present: usize,
    /// And that are not.
    pub unknown_absent: usize,
    /// Writes that were refused, as they had to be.
    pub refused: usize,
    /// Writes that took more than one attempt.
    pub retried: usize,
    /// Messages of imports.
    pub batches: usize,
    /// The length of each feed.
    pub feeds: BTreeMap<String, usize>,
    /// Feeds that were heard by those who were cut off, and compared.
    pub watched: usize,
    /// Reads of the services.
    pub gets: usize,
    /// Reads of the aggregator that named tokens.
    pub fresh: usize,
    /// Ledgers that were verified.
    pub ledgers: i64,
    /// Replays that came to the same.
    pub replays: usize,
}

/// What the judge says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What was judged.
    pub counts: Counts,
    /// What was broken.
    pub violations: Vec<Violation>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.broken, self.text)
    }
}

impl Verdict {
    fn broken(&mut self, broken: Broken, text: String) {
        self.violations.push(Violation { broken, text });
    }
}

/// Judges a history.
pub fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::default();
    feeds::judge(history, &mut verdict);
    let told = Told::of(history);
    writes::judge(history, &told, &mut verdict);
    reads::judge(history, &told, &mut verdict);
    for ledgers in &history.ledgers {
        verdict.counts.ledgers += ledgers.verified;
        if !ledgers.differing.is_empty() || ledgers.verified != ledgers.accounts {
            verdict.broken(Broken::Ledgers, format!("{ledgers:?}"));
        }
    }
    for replay in &history.replays {
        if replay.first == replay.second {
            verdict.counts.replays += 1;
        } else {
            let Replay { what, first, second } = replay;
            verdict.broken(Broken::Replay, format!("{what}: {first} against {second}"));
        }
    }
    verdict
}

/// The changes of all feeds, found by what they are about.
struct Told<'a> {
    /// By service and note, and whether they delete.
    by_note: HashMap<(&'a str, &'a str, bool), Vec<&'a Change>>,
    /// By resource, in order of their versions.
    by_resource: HashMap<&'a str, Vec<&'a Change>>,
    /// By service and account, in order of their positions.
    by_account: HashMap<(&'a str, &'a str), Vec<&'a Change>>,
}

impl<'a> Told<'a> {
    fn of(history: &'a History) -> Self {
        let mut told = Self { by_note: HashMap::new(), by_resource: HashMap::new(), by_account: HashMap::new() };
        for feed in &history.feeds {
            let service = feed.service.as_str();
            for change in &feed.changes {
                let Change { said, resource, .. } = change;
                told.by_note.entry((service, said.note.as_str(), said.deleted)).or_default().push(change);
                told.by_resource.entry(resource).or_default().push(change);
                told.by_account.entry((service, account_of(resource))).or_default().push(change);
            }
        }
        told
    }
}

/// `tenant:accounts/a/orders/o` is of `tenant:accounts/a`.
fn account_of(resource: &str) -> &str {
    let end = resource.match_indices('/').nth(1).map_or(resource.len(), |(at, _)| at);
    &resource[..end]
}
