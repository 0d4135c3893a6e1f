//! Keeps what clients do and are told, as it happens.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Instant,
};

use contracts::common::v1::FreshnessToken;
use tests::{
    history::{Fresh, Get, History, Moment, Outcome, Place, Said, Write},
    resources::{Kind, Row},
};

/// How many of the latest writes readers choose from.
const RECENT: usize = 200;

/// Something that was acknowledged, for those who read.
#[derive(Clone)]
pub(crate) struct Acknowledged {
    pub(crate) tenant: &'static str,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) token: FreshnessToken,
}

/// The recorder. All tasks share it.
pub(crate) struct Recorder {
    begun: Instant,
    pub(crate) history: RefCell<History>,
    recent: RefCell<VecDeque<Acknowledged>>,
    in_flight: Cell<usize>,
    closed: Cell<bool>,
    /// For each service, when the latest of the writes that were acknowledged was begun; and so of fresh reads.
    begun_at: RefCell<BTreeMap<&'static str, Moment>>,
    failure: RefCell<Option<String>>,
    cut_off: Cell<usize>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            history: RefCell::default(),
            recent: RefCell::default(),
            in_flight: Cell::new(0),
            closed: Cell::new(false),
            begun_at: RefCell::default(),
            failure: RefCell::default(),
            cut_off: Cell::new(0),
        }
    }

    /// Microseconds since the run began.
    pub(crate) fn now(&self) -> Moment {
        self.begun.elapsed().as_micros() as u64
    }

    /// Notes that a write is on its way.
    pub(crate) fn depart(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    /// Records a write once it is known what came of it, or that it will not be known.
    pub(crate) fn arrive(&self, write: Write) {
        self.in_flight.set(self.in_flight.get() - 1);
        self.record(write);
    }

    /// Records a row of an import.
    pub(crate) fn record(&self, write: Write) {
        if let Outcome::Acknowledged { .. } = write.outcome {
            self.served(service_of(&write.service), write.invoked);
        }
        self.history.borrow_mut().writes.push(write);
    }

    /// Offers a write that was acknowledged to those who read.
    pub(crate) fn offer(&self, acknowledged: Acknowledged) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(acknowledged);
        if recent.len() > RECENT {
            recent.pop_front();
        }
    }

    /// What was acknowledged of late, the latest last.
    pub(crate) fn recent(&self) -> Vec<Acknowledged> {
        self.recent.borrow().iter().cloned().collect()
    }

    pub(crate) fn got(&self, get: Get) {
        self.history.borrow_mut().gets.push(get);
    }

    pub(crate) fn refreshed(&self, fresh: Fresh) {
        self.served("aggregator", fresh.invoked);
        self.history.borrow_mut().fresh.push(fresh);
    }

    /// Notes that a service answered something that was begun then.
    fn served(&self, service: &'static str, invoked: Moment) {
        let mut begun_at = self.begun_at.borrow_mut();
        let latest = begun_at.entry(service).or_default();
        *latest = invoked.max(*latest);
    }

    /// The services that have not answered anything that was begun after this.
    pub(crate) fn silent_since(&self, moment: Moment) -> Vec<&'static str> {
        let begun_at = self.begun_at.borrow();
        let is_silent = |service: &&str| begun_at.get(service).is_none_or(|at| *at <= moment);
        crate::cluster::SERVICES.into_iter().filter(is_silent).collect()
    }

    /// How many writes are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    /// How many writes were recorded.
    pub(crate) fn written(&self) -> usize {
        self.history.borrow().writes.len()
    }

    /// Asks everybody to finish.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(crate) fn count_cut_off(&self) {
        self.cut_off.set(self.cut_off.get() + 1);
    }

    /// How many calls were cut off.
    pub(crate) fn cut_off(&self) -> usize {
        self.cut_off.get()
    }

    /// Notes something that must not happen and that no history tells of. The first is kept.
    pub(crate) fn fail(&self, what: String) {
        self.failure.borrow_mut().get_or_insert(what);
    }

    /// What must not have happened, if something did.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }
}

/// What a row says, as the history has it.
pub(crate) fn said(row: &Row) -> Said {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", row.said()).hash(&mut hasher);
    Said { note: row.note().to_owned(), content: hasher.finish(), deleted: row.is_deleted() }
}

/// A resource's name in the history.
pub(crate) fn resource(tenant: &str, name: &str) -> String {
    format!("{tenant}:{name}")
}

/// What a token names.
pub(crate) fn places(token: &FreshnessToken) -> Vec<Place> {
    let marks = store::FreshnessToken::decode(&token.value).map(|token| token.marks).unwrap_or_default();
    let place = |mark: store::Mark| Place { service: mark.feed, partition: mark.partition, position: mark.position };
    marks.into_iter().map(place).collect()
}

fn service_of(service: &str) -> &'static str {
    crate::cluster::SERVICES.into_iter().find(|known| *known == service).unwrap_or("aggregator")
}
