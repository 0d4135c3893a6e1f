//! What the aggregator measures of itself.

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, UpDownCounter},
};
use runtime::Clock;
use store::Leases;

use crate::{apply::Heard, cache::Ledgers, progress::FEEDS};

/// Bounds in seconds: from a live feed to one that is caught up on after a day.
const DELAYS: [f64; 12] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0];

/// How the feeds are kept up with, and by whom the aggregator itself is watched.
#[derive(Clone)]
pub(crate) struct Instruments {
    clock: Clock,
    delay: Histogram<f64>,
    changes: Counter<u64>,
    watchers: UpDownCounter<i64>,
    watchers_cut_off: Counter<u64>,
    fits: Histogram<f64>,
}

impl Instruments {
    /// What `ledgers` and `leases` count themselves is read as often as metrics are exported.
    pub(crate) fn new(meter: &Meter, clock: Clock, ledgers: &Ledgers, leases: &Leases) -> Self {
        let holding = leases.clone();
        meter
            .u64_observable_gauge("rapport.aggregator.partitions")
            .with_description("Partitions that this process follows.")
            .with_callback(move |observer| observer.observe(holding.held().len() as u64, &[]))
            .build();
        let counting = ledgers.clone();
        meter
            .u64_observable_counter("rapport.aggregator.cache.reads")
            .with_description("Ledgers asked for, by whether they were at hand.")
            .with_callback(move |observer| {
                let (hits, misses) = counting.reads();
                observer.observe(hits, &[KeyValue::new("rapport.cache.result", "hit")]);
                observer.observe(misses, &[KeyValue::new("rapport.cache.result", "miss")]);
            })
            .build();
        let weighing = ledgers.clone();
        meter
            .u64_observable_gauge("rapport.aggregator.cache.size")
            .with_unit("By")
            .with_description("Memory of the ledgers at hand.")
            .with_callback(move |observer| observer.observe(weighing.bytes(), &[]))
            .build();
        Self {
            clock,
            delay: meter
                .f64_histogram("rapport.aggregator.follow.delay")
                .with_unit("s")
                .with_description("From the recording of a message's last change to its being part of the assessments.")
                .with_boundaries(DELAYS.to_vec())
                .build(),
            changes: meter
                .u64_counter("rapport.aggregator.changes")
                .with_description("Changes taken in, by feed.")
                .build(),
            watchers: meter
                .i64_up_down_counter("rapport.aggregator.watchers")
                .with_description("Who watches assessments now.")
                .build(),
            watchers_cut_off: meter
                .u64_counter("rapport.aggregator.watchers.cut_off")
                .with_description("Watchers that did not keep up.")
                .build(),
            fits: meter
                .f64_histogram("rapport.aggregator.fit.duration")
                .with_unit("s")
                .with_description("How long fits took, by how they ended.")
                .with_boundaries(DELAYS.to_vec())
                .build(),
        }
    }

    pub(crate) fn watcher_comes(&self) {
        self.watchers.add(1, &[]);
    }

    pub(crate) fn watcher_goes(&self) {
        self.watchers.add(-1, &[]);
    }

    pub(crate) fn watcher_cut_off(&self) {
        self.watchers_cut_off.add(1, &[]);
    }

    /// Records a fit that has ended.
    pub(crate) fn fitted(&self, state: &'static str, began_at: i64) {
        let taken = (self.clock.now() - began_at).max(0) as f64 / 1e6;
        self.fits.record(taken, &[KeyValue::new("rapport.fit.state", state)]);
    }

    /// Records what a committed transaction took in.
    pub(crate) fn applied(&self, batch: &[Heard]) {
        let now = self.clock.now();
        for heard in batch {
            let Some(newest) = heard.told.iter().map(|told| told.recorded_at).max() else { continue };
            let feed = heard.through.first().and_then(|mark| FEEDS.iter().find(|feed| **feed == mark.feed));
            let labels = [KeyValue::new("rapport.feed", feed.copied().unwrap_or_default())];
            self.delay.record((now - newest).max(0) as f64 / 1e6, &labels);
            self.changes.add(heard.told.len() as u64, &labels);
        }
    }
}
