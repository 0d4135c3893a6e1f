//! Cuts what a partition's feed tells into messages of the stream.

use contracts::common::v1::FeedPosition;
use methods::{Watched, WatchedChange};
use prost::Message;
use runtime::Fault;
use store::Changes;

use crate::wire::{Kind, Label};

/// Several transactions share a message up to this size, so that a backlog goes fast; about as large as the feed's groups.
const BYTES_TOGETHER: usize = 256 * 1024;
/// The largest payload, where the server would take a larger one: what waits for a consumer is bounded.
pub(crate) const LARGEST: usize = 768 * 1024;
/// What headers, and how far a message comes, take of the size that the server allows, at most.
pub(crate) const HEADER_BYTES: usize = 1024;

/// A message to be published.
#[derive(Debug, PartialEq)]
pub(crate) struct Letter {
    pub(crate) label: Label,
    pub(crate) payload: Vec<u8>,
}

impl Letter {
    /// One that says nothing but where to ask.
    pub(crate) fn empty(kind: Kind, first: i64, last: i64) -> Self {
        Self { label: Label { kind, first, last, erases: kind == Kind::Anew }, payload: Vec::new() }
    }
}

/// Cuts groups of changes of one partition into letters, none with changes above `largest` bytes.
///
/// # Errors
/// What `encode` says of a change.
pub(crate) fn letters<M: Message>(
    groups: Vec<Changes>,
    largest: usize,
    encode: fn(Watched) -> Result<M, Fault>,
) -> Result<Vec<Letter>, Fault> {
    let mut cutter = Cutter { letters: Vec::with_capacity(1), open: None, largest };
    let together = largest.min(BYTES_TOGETHER);
    let partition = groups.first().map_or(0, |group| group.partition);
    for Changes { partition, changes, redacts } in groups {
        // An encoded message whose fields are all repeated is the sequence of the encodings of their elements, so that each
        // change is encoded once, and its size is known before it is put anywhere.
        let mut encoded = Vec::with_capacity(changes.len());
        for change in changes {
            let position = change.position;
            let change = WatchedChange::new(partition, change);
            let alone = Watched { changes: vec![change], changes_through: vec![] };
            encoded.push((position, encode(alone)?.encode_to_vec()));
        }
        let bytes: usize = encoded.iter().map(|(_, change)| change.len()).sum();
        cutter.close_unless(bytes, together);
        for (position, change) in encoded {
            cutter.put(position, &change);
        }
        if redacts {
            cutter.erases();
        }
    }
    cutter.close();
    for letter in cutter.letters.iter_mut().filter(|letter| letter.label.kind == Kind::Changes) {
        let through = FeedPosition { partition, position: letter.label.last };
        let through = encode(Watched { changes: vec![], changes_through: vec![through] })?;
        letter.payload.extend_from_slice(&through.encode_to_vec());
    }
    Ok(cutter.letters)
}

struct Cutter {
    letters: Vec<Letter>,
    open: Option<Letter>,
    largest: usize,
}

impl Cutter {
    /// Closes the open letter unless it would still be within the limit with so many bytes more.
    fn close_unless(&mut self, bytes: usize, limit: usize) {
        if self.open.as_ref().is_some_and(|open| open.payload.len() + bytes > limit) {
            self.close();
        }
    }

    fn close(&mut self) {
        self.letters.extend(self.open.take());
    }

    /// Puts a change, into a letter of its own if need be; without its content if no letter can hold that.
    fn put(&mut self, position: i64, change: &[u8]) {
        if change.len() > self.largest {
            self.close();
            self.letters.push(Letter::empty(Kind::Elsewhere, position, position));
            return;
        }
        self.close_unless(change.len(), self.largest);
        let open = self.open.get_or_insert_with(|| Letter::empty(Kind::Changes, position, position));
        open.label.last = position;
        open.payload.extend_from_slice(change);
    }

    /// Marks the letter that was put into last.
    fn erases(&mut self) {
        let last = self.open.as_mut().or(self.letters.last_mut());
        if let Some(letter) = last {
            letter.label.erases = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::accounts::v1::{AccountsChange, WatchAccountsResponse};
    use store::{Change, Key, Row};

    use super::*;

    fn encode(Watched { changes, changes_through }: Watched) -> Result<WatchAccountsResponse, Fault> {
        let changes = changes.into_iter().map(|change| AccountsChange { stamp: Some(change.stamp), resource: None });
        Ok(WatchAccountsResponse { changes: changes.collect(), changes_through })
    }

    /// A group at these positions, whose changes are of an account with a name of so many letters.
    fn group(positions: std::ops::RangeInclusive<i64>, letters: usize, redacts: bool) -> Changes {
        let row = Row {
            key: Key { table: "t", tenant: String::new(), account: "a".repeat(letters), id: String::new() },
            version: 1,
            state: String::new(),
            label: String::new(),
            happened_at: 0,
            created_at: 0,
            recorded_at: 0,
            deleted_at: None,
            document: Vec::new(),
        };
        let changes = positions.map(|position| Change { position, row: row.clone() });
        Changes { partition: 3, changes: changes.collect(), redacts }
    }

    fn cut(groups: Vec<Changes>, largest: usize) -> Vec<(Kind, i64, i64, bool)> {
        let mut cut = Vec::new();
        for letter in letters(groups, largest, encode).unwrap() {
            let Label { kind, first, last, erases } = letter.label;
            let told = WatchAccountsResponse::decode(letter.payload.as_slice()).unwrap();
            let positions: Vec<i64> = told.changes.into_iter().map(|change| change.stamp.unwrap().position).collect();
            let through: Vec<i64> = told.changes_through.iter().map(|through| through.position).collect();
            assert_eq!(through, if kind == Kind::Changes { vec![last] } else { vec![] });
            let wanted = if kind == Kind::Changes { (first..=last).collect() } else { vec![] };
            assert_eq!(positions, wanted);
            assert!(letter.payload.len() <= largest + HEADER_BYTES);
            cut.push((kind, first, last, erases));
        }
        cut
    }

    #[test]
    fn transactions_share_a_letter_while_they_fit() {
        let groups = vec![group(1..=2, 10, false), group(3..=3, 10, true), group(4..=9, 10, false)];
        assert_eq!(cut(groups, 1 << 20), [(Kind::Changes, 1, 9, true)]);
        let groups = vec![group(1..=2, 40, false), group(3..=3, 40, true), group(4..=5, 40, false)];
        assert_eq!(
            cut(groups, 150),
            [(Kind::Changes, 1, 2, false), (Kind::Changes, 3, 3, true), (Kind::Changes, 4, 5, false)]
        );
    }

    #[test]
    fn a_transaction_that_is_too_large_is_cut_and_a_change_that_is_too_large_is_named_only() {
        let groups = vec![group(1..=5, 40, false), group(6..=6, 400, true), group(7..=7, 40, false)];
        let wanted = [
            (Kind::Changes, 1, 2, false),
            (Kind::Changes, 3, 4, false),
            (Kind::Changes, 5, 5, false),
            (Kind::Elsewhere, 6, 6, true),
            (Kind::Changes, 7, 7, false),
        ];
        assert_eq!(cut(groups, 150), wanted);
    }

    #[test]
    fn the_payload_is_the_very_message_that_watch_would_send() {
        let told = letters(vec![group(1..=3, 10, false)], 1 << 20, encode).unwrap();
        let changes = group(1..=3, 10, false).changes.into_iter().map(|change| WatchedChange::new(3, change));
        let through = FeedPosition { partition: 3, position: 3 };
        let watched = Watched { changes: changes.collect(), changes_through: vec![through] };
        assert_eq!(told[0].payload, encode(watched).unwrap().encode_to_vec());
    }
}
