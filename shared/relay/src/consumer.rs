//! Consuming a feed.

use std::time::Duration;

use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::Stream,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream as streams, stream::BoxStream, stream::SelectAll};
use prost::bytes::Bytes;

use crate::{Bus, Error, Label};

/// After which time a message that was not acknowledged is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How many messages of a partition may be on their way to being applied.
const WAITING_MESSAGES: i64 = 1_024;
/// How many bytes of a partition's messages are asked for at once; the largest letter fits.
const BYTES_AT_ONCE: usize = 1024 * 1024;
/// How often the servers say of a partition that there is nothing to say.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long the servers remember a consumer that nobody asks for, at least.
const REMEMBERED: Duration = Duration::from_secs(3 * 86_400);
/// How many consumers are set up at once.
const SETUPS_AT_ONCE: usize = 16;

/// Reads partitions of a feed, each from where it was last acknowledged.
pub struct Consumer {
    messages: SelectAll<BoxStream<'static, Result<Delivery, Error>>>,
}

/// A message of the stream.
pub struct Delivery {
    /// What it stands for.
    pub label: Label,
    /// What it brings: the encoded answer of the service's `Watch` method; nothing for some labels.
    pub payload: Bytes,
    /// How many messages of its partition come after it.
    pub pending: u64,
    /// To be acknowledged once nobody needs the message again.
    pub receipt: Receipt,
}

/// Acknowledges a message.
pub struct Receipt {
    /// The partition of the message.
    pub partition: u32,
    /// The last position that the message stands for.
    pub last: i64,
    acker: jetstream::message::Acker,
}

impl Bus {
    /// Begins to consume partitions of a feed. Who consumes as the same group shares its places, which the servers keep.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn consume(&self, group: &str, feed: &str, partitions: &[u32]) -> Result<Consumer, Error> {
        let stream = self.stream().await?;
        let mut setups = Vec::with_capacity(partitions.len());
        for partition in partitions {
            setups.push(self.consume_one(&stream, group, feed, *partition));
        }
        let messages: Vec<_> = streams::iter(setups).buffer_unordered(SETUPS_AT_ONCE).try_collect().await?;
        Ok(Consumer { messages: streams::select_all(messages) })
    }

    async fn consume_one(
        &self,
        stream: &Stream,
        group: &str,
        feed: &str,
        partition: u32,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error> {
        let name = format!("{group}-{feed}-{partition}");
        let config = pull::Config {
            durable_name: Some(name.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: WAITING_MESSAGES,
            filter_subject: self.subjects.partition_of(feed, partition),
            inactive_threshold: REMEMBERED.max(stream.cached_info().config.max_age),
            ..pull::Config::default()
        };
        let consumer = stream.get_or_create_consumer(&name, config).await.map_err(Error::away)?;
        let asked = consumer.stream().max_bytes_per_batch(BYTES_AT_ONCE).heartbeat(HEARTBEAT);
        let messages = asked.messages().await.map_err(Error::away)?;
        let ended = streams::once(async { Err(Error::away("the servers tell no more of a partition")) });
        let delivered = messages.map(move |message| delivery(message.map_err(Error::away)?, partition));
        Ok(delivered.chain(ended).boxed())
    }
}

fn delivery(message: jetstream::Message, partition: u32) -> Result<Delivery, Error> {
    let pending = message.info().map_err(Error::away)?.pending;
    let (message, acker) = message.split();
    let label = message.headers.as_ref().and_then(Label::read);
    let Some(label) = label else { return Err(Error::Foreign { subject: message.subject.to_string() }) };
    Ok(Delivery { label, payload: message.payload, pending, receipt: Receipt { partition, last: label.last, acker } })
}

impl Consumer {
    /// Waits for the next message.
    ///
    /// # Errors
    /// The consumer is to be begun anew then.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        match self.messages.next().await {
            Some(delivery) => delivery,
            // Of no partition.
            None => std::future::pending().await,
        }
    }
}

impl Receipt {
    /// Tells the servers that the message need not come again.
    ///
    /// # Errors
    /// [`Error::Away`]: it comes again then.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        self.acker.ack_with(AckKind::Ack).await.map_err(Error::away)
    }
}
