//! The change feeds over NATS JetStream. A service's relay publishes what its feed tells, in order in each partition, to one
//! stream; the aggregator consumes from it and asks the service itself for what the stream does not hold.
//!
//! The feed in the service's database is the outbox: writes know nothing of NATS, and go on without it. The relay keeps no
//! state of its own: how far it has come is read from the last message of each subject, and the stream refuses whoever
//! builds on another message than that one, so that any number of replicas may relay. Compiled only with the feature
//! `nats`; without it, a feed over NATS is refused.
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(feature = "nats")]
mod connection;
#[cfg(feature = "nats")]
mod consumer;
#[cfg(feature = "nats")]
mod erasure;
#[cfg(feature = "nats")]
mod error;
#[cfg(feature = "nats")]
mod instruments;
#[cfg(feature = "nats")]
mod lane;
#[cfg(feature = "nats")]
mod letters;
#[cfg(feature = "nats")]
mod publisher;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "nats")]
mod wire;

use methods::{Methods, Watched};
use prost::Message;
use runtime::{App, BoxError, Context, Fault, FeedSettings};

#[cfg(feature = "nats")]
pub use {
    connection::Bus,
    consumer::{Consumer, Delivery, Receipt},
    error::Error,
    wire::{Kind, Label},
};

/// Says why this program cannot carry the feeds as the settings want, if it cannot.
pub fn problem(settings: &FeedSettings) -> Option<&'static str> {
    let is_wanted = settings.servers.is_some();
    (is_wanted && cfg!(not(feature = "nats"))).then_some("--feed: this program was built without NATS (feature `nats`)")
}

/// Starts to relay the feed of a service in the background, if the settings name NATS servers; `encode` makes what its `Watch`
/// method would send, a message with repeated fields only.
///
/// # Errors
/// If the settings name what is not there, or this program has no NATS.
pub async fn start<M: Message + 'static>(
    app: &mut App,
    context: &Context,
    methods: &Methods,
    encode: fn(Watched) -> Result<M, Fault>,
) -> Result<(), BoxError> {
    if let Some(problem) = problem(&context.settings.feed) {
        return Err(problem.into());
    }
    #[cfg(feature = "nats")]
    if let Some(bus) = Bus::connect(&context.settings.feed, methods.feed()).await? {
        let instruments = instruments::Instruments::new(&context.telemetry.meter(), methods.feed());
        let publisher = publisher::Publisher { methods: methods.clone(), bus, encode, instruments };
        app.background(publisher::run(publisher, context.shutdown.clone()));
    }
    #[cfg(not(feature = "nats"))]
    let _ = (app, methods, encode);
    Ok(())
}
