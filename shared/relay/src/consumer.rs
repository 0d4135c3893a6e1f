//! Consuming one partition of every feed.

use std::time::Duration;

use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures_util::StreamExt as _;
use prost::bytes::Bytes;

use crate::{Bus, Error, Label};

/// After which time a message that was not acknowledged is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How many messages of a partition may be on their way to being applied.
const WAITING_MESSAGES: i64 = 1_024;
/// How many bytes of messages are asked for at once.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// How often the servers say that there is nothing to say.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the servers remember a consumer that nobody asks for, at least.
const REMEMBERED: Duration = Duration::from_secs(3 * 86_400);

/// Reads one partition of every feed, from where it was last acknowledged.
pub struct Consumer {
    bus: Bus,
    partition: u32,
    messages: pull::Stream,
}

/// A message of the stream.
pub struct Delivery {
    /// The feed that it is of.
    pub feed: String,
    /// The partition that it is of.
    pub partition: u32,
    /// What it stands for.
    pub label: Label,
    /// What it brings: the encoded answer of the service's `Watch` method; nothing for some labels.
    pub payload: Bytes,
    /// How many messages of the partition come after it.
    pub pending: u64,
    acker: jetstream::message::Acker,
}

impl Bus {
    /// Begins to consume a partition. Who consumes as the same group shares its place, which the servers keep.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn consume(&self, group: &str, partition: u32) -> Result<Consumer, Error> {
        let stream = self.stream().await?;
        let name = format!("{group}-{partition}");
        let config = pull::Config {
            durable_name: Some(name.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: WAITING_MESSAGES,
            filter_subject: self.subjects.partition(partition),
            inactive_threshold: REMEMBERED.max(stream.cached_info().config.max_age),
            ..pull::Config::default()
        };
        let consumer = stream.get_or_create_consumer(&name, config).await.map_err(Error::away)?;
        let messages = consumer.stream().max_bytes_per_batch(BYTES_AT_ONCE).heartbeat(HEARTBEAT).messages();
        Ok(Consumer { bus: self.clone(), partition, messages: messages.await.map_err(Error::away)? })
    }
}

impl Consumer {
    /// Waits for the next message.
    ///
    /// # Errors
    /// The consumer is to be begun anew then.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        loop {
            let message = match self.messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(Error::away(error)),
                None => return Err(Error::away("the servers tell no more of the partition")),
            };
            let pending = message.info().map_err(Error::away)?.pending;
            let (message, acker) = message.split();
            let label = message.headers.as_ref().and_then(Label::read);
            let (Some(feed), Some(label)) = (self.bus.subjects.feed(&message.subject), label) else {
                tracing::warn!(subject = %message.subject, "a message on our subjects is none of ours: passed over");
                acker.ack_with(AckKind::Term).await.map_err(Error::away)?;
                continue;
            };
            let feed = feed.to_owned();
            return Ok(Delivery { feed, partition: self.partition, label, payload: message.payload, pending, acker });
        }
    }
}

impl Delivery {
    /// Tells the servers that the message need not come again.
    ///
    /// # Errors
    /// [`Error::Away`]: it comes again then.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        self.acker.ack().await.map_err(Error::away)
    }
}
