//! What a message of the stream says beside its payload.

use std::fmt;

use async_nats::{HeaderMap, jetstream::message::PublishMessage};

/// Header: the positions that the message stands for, as in `12-15`.
const POSITIONS: &str = "Rapport-Positions";
/// Header: what is in the payload; see [`Kind`].
const KIND: &str = "Rapport-Kind";
/// Header: what stood in this subject before this message is not to be read any more.
const ERASES: &str = "Rapport-Erases";

/// What a message brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The changes at its positions: what the service's `Watch` method would send.
    Changes,
    /// Nothing: who wants the changes at its positions asks the service.
    Elsewhere,
    /// Nothing: the service's feed has begun anew, and positions from before mean other changes.
    Anew,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Changes, Self::Elsewhere, Self::Anew];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Elsewhere => "elsewhere",
            Self::Anew => "anew",
        }
    }
}

/// The label of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// What it brings.
    pub kind: Kind,
    /// The first position that it stands for.
    pub first: i64,
    /// The last position that it stands for.
    pub last: i64,
    /// Whether what stood before it may hold what was erased since.
    pub erases: bool,
}

impl Label {
    /// Reads a message's label; none if it has none of ours.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let (first, last) = headers.get(POSITIONS)?.as_str().split_once('-')?;
        let kind = headers.get(KIND)?.as_str();
        Some(Self {
            kind: Kind::ALL.into_iter().find(|known| known.name() == kind)?,
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            erases: headers.get(ERASES).is_some(),
        })
    }

    /// Puts it on a message.
    pub(crate) fn write(&self, message: PublishMessage) -> PublishMessage {
        let message = message.header(POSITIONS, format!("{}-{}", self.first, self.last)).header(KIND, self.kind.name());
        if self.erases { message.header(ERASES, "1") } else { message }
    }
}

/// The subjects of a stream: of all feeds, and of one partition of one feed.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    prefix: String,
}

impl Subjects {
    pub(crate) fn of_stream(stream: &str) -> Self {
        Self { prefix: format!("{}.feeds", stream.to_ascii_lowercase()) }
    }

    pub(crate) fn all(&self) -> String {
        format!("{}.*.*", self.prefix)
    }

    pub(crate) fn partition_of(&self, feed: &str, partition: u32) -> String {
        format!("{}.{feed}.{partition}", self.prefix)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}-{}", self.kind.name(), self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            for erases in [false, true] {
                let label = Label { kind, first: 1, last: i64::MAX, erases };
                let message = label.write(PublishMessage::build()).outbound_message("a");
                assert_eq!(Label::read(&message.headers.unwrap()), Some(label));
            }
        }
        let mut headers = HeaderMap::new();
        assert_eq!(Label::read(&headers), None);
        headers.insert(POSITIONS, "7");
        headers.insert(KIND, "changes");
        assert_eq!(Label::read(&headers), None);
    }
}
