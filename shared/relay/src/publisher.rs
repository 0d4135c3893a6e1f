//! The relay of a service: from its feed into the stream.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream as streams};
use methods::{Methods, Watched};
use prost::Message;
use runtime::{Fault, Pause, Shutdown, random};
use store::PARTITIONS;
use tokio::sync::watch;

use crate::{Bus, Error, instruments::Instruments, lane::Lane};

/// How long a relay waits at most before it looks for changes that other replicas of its service made and did not relay.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How many partitions are relayed at once, each with one message on its way.
const LANES_AT_ONCE: usize = 16;

/// What a relay works with.
pub(crate) struct Publisher<M> {
    pub(crate) methods: Methods,
    pub(crate) bus: Bus,
    pub(crate) encode: fn(Watched) -> Result<M, Fault>,
    pub(crate) instruments: Instruments,
}

/// Relays until the shutdown begins. What breaks off is tried again; the feed waits.
pub(crate) async fn run<M: Message>(relay: Publisher<M>, shutdown: Shutdown) {
    let feed = relay.methods.feed();
    let lane = |partition| Lane::new(partition, relay.bus.subjects.partition_of(feed, partition));
    let mut lanes: Vec<Lane> = (0..PARTITIONS).map(lane).collect();
    // Subscribed before the first look, so that no commit falls between.
    let mut commits = relay.methods.store().commits();
    let mut pause = Pause::default();
    while !shutdown.has_begun() {
        let broke_off = tokio::select! {
            result = relay_on(&relay, &mut lanes, &mut commits, &mut pause) => result,
            () = shutdown.wait() => return,
        };
        if let Err(error) = broke_off {
            relay.instruments.broke_off();
            tracing::warn!(feed, error = %error, "relaying the feed broke off; trying again");
        }
        lanes.iter_mut().for_each(Lane::doubt);
        tokio::select! {
            () = tokio::time::sleep(pause.grow()) => {}
            () = shutdown.wait() => return,
        }
    }
}

/// Relays for as long as it goes well.
async fn relay_on<M: Message>(
    relay: &Publisher<M>,
    lanes: &mut [Lane],
    commits: &mut watch::Receiver<u64>,
    pause: &mut Pause,
) -> Result<(), Error> {
    let stream = relay.bus.stream().await?;
    let mut connections = relay.bus.connections();
    loop {
        let by_now = relay.bus.connections();
        if by_now != connections {
            connections = by_now;
            lanes.iter_mut().for_each(Lane::doubt);
        }
        commits.borrow_and_update();
        let ends = relay.methods.store().positions().await?;
        let end = |partition: usize| ends.get(partition).map_or(0, |entry| entry.position);
        relay.instruments.behind(lanes.iter().enumerate().filter_map(|(index, lane)| lane.behind(end(index))).sum());
        let mut advancing = Vec::new();
        for (partition, lane) in lanes.iter_mut().enumerate() {
            if lane.behind(end(partition)) != Some(0) {
                advancing.push(lane.advance(relay, &stream));
            }
        }
        if !advancing.is_empty() {
            streams::iter(advancing).buffer_unordered(LANES_AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
            continue;
        }
        drop(advancing);
        pause.reset();
        let wait = POLL_EVERY.mul_f64(0.5 + random() / 2.0);
        if tokio::time::timeout(wait, commits.changed()).await.is_err() {
            // What another replica wrote it has most likely relayed too: the stream is asked first.
            let ends = relay.methods.store().positions().await?;
            let moved = lanes.iter_mut().zip(&ends).filter(|(lane, end)| lane.behind(end.position) != Some(0));
            moved.for_each(|(lane, _)| lane.doubt());
        }
    }
}
