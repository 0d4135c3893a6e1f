//! One partition of a feed on its way into the stream.

use async_nats::jetstream::{
    context::PublishErrorKind,
    message::PublishMessage,
    stream::{LastRawMessageErrorKind, Stream},
};
use prost::Message;
use store::{Error as FeedError, Position};

use crate::{
    Error,
    erasure::erase_before,
    letters::{HEADER_BYTES, LARGEST, Letter, letters},
    publisher::Publisher,
    wire::{Kind, Label},
};

/// How often a lane reads on from the feed before it is others' turn.
const READS_PER_TURN: usize = 8;

/// Where the stream stands in a lane's subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The last position that the subject's last message stands for.
    position: i64,
    /// That message's number in the stream; 0 if there is none.
    sequence: u64,
}

/// What became of a letter.
enum Published {
    Landed,
    /// The subject's last message is another than was thought.
    Overtaken,
}

/// One partition of a feed.
pub(crate) struct Lane {
    partition: u32,
    subject: String,
    /// None if the stream has to be asked.
    place: Option<Place>,
    /// How far this lane was seen to have come; what the stream held until there it may have forgotten since.
    known: Option<i64>,
    /// Whether the next letter goes under its id. Without it after the stream took an id for one that it knows, though it
    /// may have removed that message since.
    is_named: bool,
}

impl Lane {
    pub(crate) fn new(partition: u32, subject: String) -> Self {
        Self { partition, subject, place: None, known: None, is_named: true }
    }

    /// How many positions the stream is known to be behind the feed; none if it has to be asked.
    pub(crate) fn behind(&self, end: i64) -> Option<i64> {
        self.place.map(|place| end - place.position)
    }

    /// The stream has to be asked where it stands.
    pub(crate) fn doubt(&mut self) {
        self.place = None;
    }

    /// Publishes what the feed has beyond the stream, in order.
    ///
    /// # Errors
    /// It can be called again.
    pub(crate) async fn advance<M: Message>(&mut self, relay: &Publisher<M>, stream: &Stream) -> Result<(), Error> {
        for _ in 0..READS_PER_TURN {
            let Some(place) = self.find(relay, stream).await? else { continue };
            let after = Position { partition: self.partition, position: place.position };
            let letters = match relay.methods.store().changes_after(after).await {
                Ok(groups) if groups.is_empty() => return Ok(()),
                Ok(groups) => {
                    let largest = relay.bus.client.server_info().max_payload.saturating_sub(HEADER_BYTES).min(LARGEST);
                    letters(groups, largest, relay.encode)?
                }
                // The feed has forgotten what follows: who needs it is to be told so by the service itself.
                Err(FeedError::PositionExpired { first, .. }) => {
                    vec![Letter::empty(Kind::Elsewhere, place.position + 1, first - 1)]
                }
                Err(FeedError::PositionAhead { last, .. }) => {
                    tracing::warn!(
                        subject = self.subject,
                        "the feed ends before the stream, as if its database was lost: the subject begins anew"
                    );
                    vec![Letter::empty(Kind::Anew, 1, last)]
                }
                Err(error) => return Err(error.into()),
            };
            for letter in letters {
                if let Published::Overtaken = self.publish(relay, stream, letter).await? {
                    relay.instruments.overtaken();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Where the stream stands. None if that became different meanwhile.
    async fn find<M: Message>(&mut self, relay: &Publisher<M>, stream: &Stream) -> Result<Option<Place>, Error> {
        if self.place.is_some() {
            return Ok(self.place);
        }
        let message = match stream.get_last_raw_message_by_subject(&self.subject).await {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return self.begin(relay, stream).await;
            }
            Err(error) => return Err(Error::away(error)),
        };
        let label = Label::read(&message.headers).ok_or_else(|| Error::Foreign { subject: self.subject.clone() })?;
        if label.erases {
            // Who published it may have ended before the rest was done.
            self.purge_before(stream, message.sequence).await?;
        }
        self.stand(Place { position: label.last, sequence: message.sequence });
        Ok(self.place)
    }

    /// Begins a subject without messages: where it was left or, if that is not known, at the end of the feed. What is before
    /// that is as well asked of the service; the stream could not hold it all.
    async fn begin<M: Message>(&mut self, relay: &Publisher<M>, stream: &Stream) -> Result<Option<Place>, Error> {
        if let Some(known) = self.known {
            self.stand(Place { position: known, sequence: 0 });
            return Ok(self.place);
        }
        let positions = relay.methods.store().positions().await?;
        let end = positions.get(self.partition as usize).map_or(0, |entry| entry.position);
        self.place = Some(Place { position: 0, sequence: 0 });
        if end > 0 {
            self.publish(relay, stream, Letter::empty(Kind::Elsewhere, 1, end)).await?;
        }
        Ok(self.place)
    }

    fn stand(&mut self, place: Place) {
        self.place = Some(place);
        self.known = Some(place.position);
    }

    /// Publishes a letter behind the subject's last message, and waits until the stream has it.
    async fn publish<M: Message>(
        &mut self,
        relay: &Publisher<M>,
        stream: &Stream,
        Letter { label, payload }: Letter,
    ) -> Result<Published, Error> {
        let Some(place) = self.place.take() else { return Ok(Published::Overtaken) };
        let message = PublishMessage::build()
            .payload(payload.into())
            .expected_last_subject_sequence(place.sequence)
            .expected_stream(&stream.cached_info().config.name);
        let mut message = label.write(message);
        if self.is_named {
            message = message.message_id(format!("{}-{}-{}", relay.methods.feed(), self.partition, label.last));
        }
        let sent = match relay.bus.context.send_publish(self.subject.clone(), message).await {
            Ok(sent) => sent.await,
            Err(error) => Err(error),
        };
        let sequence = match sent {
            Ok(ack) => {
                self.is_named = !ack.duplicate;
                if ack.duplicate {
                    return Ok(Published::Overtaken);
                }
                ack.sequence
            }
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => return Ok(Published::Overtaken),
            Err(error) => return Err(Error::away(error)),
        };
        let changes = if label.kind == Kind::Changes { label.last - label.first + 1 } else { 0 };
        relay.instruments.published(label.kind.name(), changes);
        if label.erases {
            self.purge_before(stream, sequence).await?;
        }
        self.stand(Place { position: label.last, sequence });
        Ok(Published::Landed)
    }

    /// Removes what stands in the subject before a message: it may hold what was erased since.
    async fn purge_before(&self, stream: &Stream, sequence: u64) -> Result<(), Error> {
        let removed = erase_before(stream, &self.subject, sequence).await?;
        tracing::debug!(subject = self.subject, messages = removed, "removed what stood before an erasure");
        Ok(())
    }
}
