//! What a relay measures of itself.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};

/// How a feed is relayed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Instruments {
    feed: &'static str,
    behind: Arc<AtomicI64>,
    messages: Counter<u64>,
    changes: Counter<u64>,
    overtaken: Counter<u64>,
    errors: Counter<u64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter, feed: &'static str) -> Self {
        let behind = Arc::new(AtomicI64::new(0));
        let observed = behind.clone();
        meter
            .i64_observable_gauge("rapport.relay.lag")
            .with_description("Changes of the feed that are not known to be in the stream yet, by feed.")
            .with_callback(move |observer| {
                observer.observe(observed.load(Ordering::Relaxed), &[KeyValue::new("rapport.feed", feed)]);
            })
            .build();
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        Self {
            feed,
            behind,
            messages: counter("rapport.relay.messages", "Messages published to the stream, by feed and kind."),
            changes: counter("rapport.relay.changes", "Changes in these messages, by feed."),
            overtaken: counter("rapport.relay.overtaken", "Messages refused as another replica was first, by feed."),
            errors: counter("rapport.relay.errors", "Times that relaying broke off, to be tried again, by feed."),
        }
    }

    pub(crate) fn behind(&self, positions: i64) {
        self.behind.store(positions, Ordering::Relaxed);
    }

    pub(crate) fn published(&self, kind: &'static str, changes: i64) {
        let feed = KeyValue::new("rapport.feed", self.feed);
        self.changes.add(changes.max(0) as u64, std::slice::from_ref(&feed));
        self.messages.add(1, &[feed, KeyValue::new("rapport.message.kind", kind)]);
    }

    pub(crate) fn overtaken(&self) {
        self.overtaken.add(1, &[KeyValue::new("rapport.feed", self.feed)]);
    }

    pub(crate) fn broke_off(&self) {
        self.errors.add(1, &[KeyValue::new("rapport.feed", self.feed)]);
    }
}
