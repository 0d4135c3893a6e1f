//! Opaque tokens: where a page ends, and what a read must include.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prost::Message;

/// A token that is not ours, is damaged, or was made for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this kind")]
pub struct TokenError;

/// Names a position in one partition of one service's feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// The service: "accounts", "orders", "interactions" or "feedback".
    pub feed: String,
    /// The partition.
    pub partition: u32,
    /// The position.
    pub position: i64,
}

/// A set of marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreshnessToken {
    /// The marks.
    pub marks: Vec<Mark>,
}

/// Where a page ended, and which list it was a page of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken {
    /// Tells the list: everything in the request but the token and the size.
    pub list: u64,
    /// The key of the last row.
    pub after: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct RawFreshness {
    #[prost(message, repeated, tag = "1")]
    marks: Vec<RawMark>,
}

#[derive(Clone, PartialEq, Message)]
struct RawMark {
    #[prost(string, tag = "1")]
    feed: String,
    #[prost(uint32, tag = "2")]
    partition: u32,
    #[prost(int64, tag = "3")]
    position: i64,
}

#[derive(Clone, PartialEq, Message)]
struct RawPage {
    #[prost(fixed64, tag = "1")]
    list: u64,
    #[prost(string, repeated, tag = "2")]
    after: Vec<String>,
}

impl FreshnessToken {
    /// Writes the token as text.
    pub fn encode(&self) -> String {
        let marks = self.marks.iter().map(|mark| RawMark {
            feed: mark.feed.clone(),
            partition: mark.partition,
            position: mark.position,
        });
        seal(b'f', &RawFreshness { marks: marks.collect() })
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenError`] if it is not one of ours.
    pub fn decode(text: &str) -> Result<Self, TokenError> {
        let raw: RawFreshness = open(b'f', text)?;
        let marks = raw.marks.into_iter().map(|mark| {
            let plausible = mark.partition < crate::PARTITIONS && mark.position >= 0 && !mark.feed.is_empty();
            plausible.then_some(Mark { feed: mark.feed, partition: mark.partition, position: mark.position })
        });
        Ok(Self { marks: marks.collect::<Option<_>>().ok_or(TokenError)? })
    }
}

impl PageToken {
    /// Writes the token as text.
    pub fn encode(&self) -> String {
        seal(b'p', &RawPage { list: self.list, after: self.after.clone() })
    }

    /// Reads a token that was made for this list.
    ///
    /// # Errors
    /// [`TokenError`] if it is not one of ours, or was made for another list.
    pub fn decode(text: &str, list: u64) -> Result<Self, TokenError> {
        let raw: RawPage = open(b'p', text)?;
        if raw.list == list { Ok(Self { list, after: raw.after }) } else { Err(TokenError) }
    }
}

/// Encodes a message behind its kind and a checksum, which finds slips, not forgers: a token grants nothing.
fn seal(kind: u8, message: &impl Message) -> String {
    seal_body(kind, &message.encode_to_vec())
}

/// A token with this body, whatever it says. Fuzz targets need it: hardly any text they find has the right checksum.
pub fn seal_body(kind: u8, body: &[u8]) -> String {
    let mut bytes = vec![kind];
    bytes.extend(checksum(body).to_le_bytes());
    bytes.extend(body);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn open<M: Message + Default>(kind: u8, text: &str) -> Result<M, TokenError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
    let (head, body) = bytes.split_at_checked(5).ok_or(TokenError)?;
    if head[0] != kind || head[1..] != checksum(body).to_le_bytes() {
        return Err(TokenError);
    }
    M::decode(body).map_err(|_| TokenError)
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn freshness_tokens_come_back(marks in proptest::collection::vec(("[a-z]{1,12}", 0_u32..64, 0_i64..i64::MAX), 0..70)) {
            let marks = marks.into_iter().map(|(feed, partition, position)| Mark { feed, partition, position }).collect();
            let token = FreshnessToken { marks };
            prop_assert_eq!(FreshnessToken::decode(&token.encode()), Ok(token));
        }

        #[test]
        fn page_tokens_come_back_for_their_own_list_only(list: u64, after in proptest::collection::vec(".*", 0..4)) {
            let token = PageToken { list, after };
            prop_assert_eq!(PageToken::decode(&token.encode(), list), Ok(token.clone()));
            prop_assert_eq!(PageToken::decode(&token.encode(), list ^ 1), Err(TokenError));
        }

        #[test]
        fn other_texts_are_refused(text in ".*") {
            prop_assert_eq!(FreshnessToken::decode(&text), Err(TokenError));
            prop_assert_eq!(PageToken::decode(&text, 0), Err(TokenError));
        }
    }
}
