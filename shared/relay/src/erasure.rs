//! Removing from the stream what may hold what was erased.

use async_nats::jetstream::{
    consumer::{AckPolicy, pull},
    stream::{DeleteMessageErrorKind, Stream},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream as streams};

use crate::Error;

/// How many messages are listed at once.
const MESSAGES_AT_ONCE: usize = 1_000;
/// How many of them are removed at once.
const REMOVALS_AT_ONCE: usize = 64;

/// Removes the messages of a subject before one of them. The servers overwrite each on their disks; purging the subject at one
/// stroke would hide them and leave their bytes in the files. Returns how many there were.
///
/// # Errors
/// It can be done again.
pub(crate) async fn erase_before(stream: &Stream, subject: &str, sequence: u64) -> Result<usize, Error> {
    let config = pull::Config {
        ack_policy: AckPolicy::None,
        filter_subject: subject.to_owned(),
        headers_only: true,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    };
    let mut consumer = stream.create_consumer(config).await.map_err(Error::away)?;
    let mut removed = 0;
    loop {
        let listed = consumer.fetch().max_messages(MESSAGES_AT_ONCE).messages().await.map_err(Error::away)?;
        let listed: Vec<_> = listed.try_collect().await.map_err(Error::away)?;
        let mut removals = Vec::with_capacity(listed.len());
        for message in &listed {
            let number = message.info().map_err(Error::away)?.stream_sequence;
            if number < sequence {
                removals.push(remove(stream, number));
            }
        }
        let old = removals.len();
        streams::iter(removals).buffer_unordered(REMOVALS_AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
        removed += old;
        if listed.is_empty() || old < listed.len() {
            break;
        }
    }
    let name = consumer.info().await.map_err(Error::away)?.name.clone();
    stream.delete_consumer(&name).await.map_err(Error::away)?;
    Ok(removed)
}

async fn remove(stream: &Stream, sequence: u64) -> Result<(), Error> {
    match stream.delete_message(sequence).await {
        Ok(_) => Ok(()),
        // Gone already: too old meanwhile, or removed by another replica.
        Err(error) if matches!(error.kind(), DeleteMessageErrorKind::JetStream(_)) => Ok(()),
        Err(error) => Err(Error::away(error)),
    }
}
