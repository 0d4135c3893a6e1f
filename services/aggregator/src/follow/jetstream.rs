//! Follows a feed by the stream that the services relay theirs to. What the stream does not bring is asked of the service.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contracts::common::v1::FeedStart;
use futures_util::TryStreamExt as _;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};
use relay::{Bus, Delivery, Error, Kind, Receipt};
use runtime::Pause;
use store::{Held, PARTITIONS};
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Code, Status};

use super::{
    decode::Opened,
    follower::{Follower, Positions},
};
use crate::progress::FEEDS;

/// How often a service is asked how far its feed has come. It is asked for the changes of a partition that was behind the
/// feed at one time, and to which the stream has brought nothing by the next.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// The stream, and as whom to consume it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Source {
    bus: Bus,
    /// The aggregators of one database.
    group: Arc<str>,
    instruments: Arc<Instruments>,
}

/// How the stream is kept up with.
struct Instruments {
    /// Messages of each feed that wait in the stream.
    lags: [AtomicU64; FEEDS.len()],
    messages: Counter<u64>,
    asked: Counter<u64>,
}

impl Source {
    pub(crate) fn new(bus: Bus, group: &str, meter: &Meter) -> Self {
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        let instruments = Arc::new(Instruments {
            lags: Default::default(),
            messages: counter("rapport.aggregator.stream.messages", "Messages of the stream taken in, by feed."),
            asked: counter(
                "rapport.aggregator.stream.asked",
                "Times that a service was asked for what the stream did not bring, by feed.",
            ),
        });
        let lags = instruments.clone();
        meter
            .u64_observable_gauge("rapport.aggregator.stream.lag")
            .with_description("Messages of the stream that wait to be taken in, by feed.")
            .with_callback(move |observer| {
                for (feed, lag) in FEEDS.iter().zip(&lags.lags) {
                    observer.observe(lag.load(Ordering::Relaxed), &[KeyValue::new("rapport.feed", *feed)]);
                }
            })
            .build();
        let connected = bus.clone();
        meter
            .u64_observable_gauge("rapport.aggregator.stream.connected")
            .with_description("1 while the NATS servers can be reached, 0 while they cannot.")
            .with_callback(move |observer| observer.observe(connected.is_connected().into(), &[]))
            .build();
        Self { bus, group: group.into(), instruments }
    }
}

/// What was found at one time.
struct Look {
    /// How far the feed was heard.
    positions: Positions,
    /// Where it ended.
    ends: Positions,
}

impl Look {
    /// Whether a partition was behind the feed, and still stands there.
    fn is_late(&self, now: &Positions, partition: u32) -> bool {
        let (position, partition) = (now[partition as usize], partition as usize);
        position < self.ends[partition] && position == self.positions[partition]
    }
}

/// Following a feed in some partitions.
struct Following<'a> {
    follower: &'a Follower,
    source: &'a Source,
    held: &'a Arc<Held>,
    positions: &'a mut Positions,
    /// Handed on, and not known to be applied.
    waiting: Vec<Receipt>,
    /// How many messages of each partition wait in the stream.
    pending: [u64; PARTITIONS as usize],
}

impl Follower {
    /// Follows the stream, until it ends. While it cannot be reached the service's own stream is followed.
    pub(super) async fn follow_stream(
        &self,
        source: &Source,
        held: &Arc<Held>,
        positions: &mut Positions,
    ) -> Result<(), Status> {
        let partitions: Vec<u32> = held.iter().map(|(partition, _)| partition).collect();
        // What was acknowledged to somebody before the connection was lost may be lost.
        let connections = source.bus.connections();
        let mut consumer = match source.bus.consume(&source.group, FEEDS[self.feed], &partitions).await {
            Ok(consumer) => consumer,
            Err(error) => {
                tracing::warn!(feed = FEEDS[self.feed], error = %error, "the stream cannot be followed now: following the service itself");
                source.instruments.asked.add(1, &[KeyValue::new("rapport.feed", FEEDS[self.feed])]);
                return tokio::select! {
                    ended = self.follow_directly(held, positions) => ended,
                    () = reachable(&source.bus) => Ok(()),
                };
            }
        };
        let pending = [0; PARTITIONS as usize];
        let mut following = Following { follower: self, source, held, positions, waiting: Vec::new(), pending };
        let mut commits = self.progress.commits();
        let mut pause = Pause::default();
        // Before the first look, nobody knows what the stream has forgotten; all that is asked for at once.
        let (mut looked, mut has_tried) = (None, false);
        let mut next_look = Instant::now();
        loop {
            tokio::select! {
                delivery = consumer.next(), if has_tried => {
                    if !following.take(delivery.map_err(unavailable)?).await? {
                        return Ok(());
                    }
                }
                () = commits.next() => following.acknowledge().await,
                () = sleep_until(next_look) => {
                    if source.bus.connections() > connections.max(1) {
                        return Ok(());
                    }
                    following.acknowledge().await;
                    has_tried = true;
                    next_look = match following.look(&partitions, &mut looked).await {
                        Ok(()) => Instant::now() + CHECK_EVERY,
                        Err(status) if status.code() == Code::OutOfRange => return Err(status),
                        // The stream has what it has, also while the service is away.
                        Err(status) => {
                            tracing::debug!(feed = FEEDS[self.feed], error = %status, "the service could not be asked");
                            Instant::now() + pause.grow()
                        }
                    };
                }
            }
        }
    }

    /// Where the feed ends now; 0 in partitions that were not asked for.
    async fn ends(&self, partitions: &[u32]) -> Result<Positions, Status> {
        let mut ends = [0; PARTITIONS as usize];
        let mut stream = self.watch(FeedStart::Now, partitions.to_vec(), &ends).await?;
        let first = stream.try_next().await?.ok_or_else(|| Status::unavailable("the feed says nothing"))?;
        for entry in first.through.iter().filter(|entry| entry.partition < PARTITIONS) {
            ends[entry.partition as usize] = entry.position;
        }
        Ok(ends)
    }
}

impl Following<'_> {
    /// Takes a message in. Tells whether anybody still applies it.
    async fn take(&mut self, Delivery { label, payload, pending, receipt }: Delivery) -> Result<bool, Status> {
        let feed = self.follower.feed;
        let partition = receipt.partition as usize;
        self.pending[partition] = pending;
        self.source.instruments.lags[feed].store(self.pending.iter().sum(), Ordering::Relaxed);
        self.source.instruments.messages.add(1, &[KeyValue::new("rapport.feed", FEEDS[feed])]);

        let position = self.positions[partition];
        let continues = label.kind == Kind::Changes && label.first <= position + 1;
        let opened = if continues && label.last > position { Opened::decode(feed, &payload).ok() } else { None };
        if let Some(opened) = opened {
            if !self.follower.hand_on(opened, self.held, self.positions).await {
                return Ok(false);
            }
        } else if label.last > position || label.kind == Kind::Anew {
            let partitions = [receipt.partition];
            let ends = self.follower.ends(&partitions).await?;
            if !self.ask(&partitions, &ends).await? {
                return Ok(false);
            }
        }
        if label.last > self.positions[partition] {
            // The service knows of no such change: it lost its database since.
            tracing::warn!(feed = FEEDS[feed], partition, %label, "a message of the stream is none of the feed's: passed over");
            receipt.acknowledge().await.map_err(unavailable)?;
        } else {
            self.waiting.push(receipt);
        }
        Ok(true)
    }

    /// Asks the service for what the stream has not brought since the last look; at the first, for all that the service has.
    async fn look(&mut self, partitions: &[u32], looked: &mut Option<Look>) -> Result<(), Status> {
        let ends = self.follower.ends(partitions).await?;
        let late: Vec<u32> = match looked {
            None => partitions.to_vec(),
            Some(before) => {
                partitions.iter().filter(|partition| before.is_late(self.positions, **partition)).copied().collect()
            }
        };
        if !late.is_empty() {
            self.ask(&late, &ends).await?;
        }
        *looked = Some(Look { positions: *self.positions, ends });
        Ok(())
    }

    /// Follows the service's own stream until these positions. Tells whether anybody still applies it.
    async fn ask(&mut self, partitions: &[u32], until: &Positions) -> Result<bool, Status> {
        self.source.instruments.asked.add(1, &[KeyValue::new("rapport.feed", FEEDS[self.follower.feed])]);
        let mut stream = self.follower.watch(FeedStart::Positions, partitions.to_vec(), self.positions).await?;
        // The first message says that the feed continues here, at least.
        while let Some(opened) = stream.try_next().await? {
            if !self.follower.hand_on(opened, self.held, self.positions).await {
                return Ok(false);
            }
            let is_there = |partition: &u32| self.positions[*partition as usize] >= until[*partition as usize];
            if partitions.iter().all(is_there) {
                return Ok(true);
            }
        }
        Err(Status::unavailable("the feed ended"))
    }

    /// Acknowledges what is applied by now.
    async fn acknowledge(&mut self) {
        let applied = self.follower.progress.of_feed(self.follower.feed);
        for receipt in self.waiting.extract_if(.., |receipt| receipt.last <= applied[receipt.partition as usize]) {
            if let Err(error) = receipt.acknowledge().await {
                tracing::debug!(error = %error, "a message could not be acknowledged: it comes again");
            }
        }
    }
}

fn unavailable(error: Error) -> Status {
    Status::unavailable(error.to_string())
}

/// Waits until it is worth another try.
async fn reachable(bus: &Bus) {
    loop {
        sleep(CHECK_EVERY).await;
        if bus.is_connected() {
            return;
        }
    }
}
