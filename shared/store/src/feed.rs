//! The change feed: what each transaction changed in each partition, in commit order without gaps.

use std::collections::HashMap;

use prost::{
    Message,
    encoding::{self, WireType, encode_key, encode_varint, encoded_len_varint},
};
use sqlx::Row as _;

use crate::{
    Error, Store, Transaction, Value,
    row::{Key, Row, Table},
    rows::Redaction,
};

/// How many partitions a feed has. Fixed: positions and tokens refer to it.
pub const PARTITIONS: u32 = 64;

/// How many stored groups of changes one read returns at most.
const GROUPS_PER_READ: i64 = 32;

/// How far one partition has been read; 0 stands before the first change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The partition, below [`PARTITIONS`].
    pub partition: u32,
    /// The position of the last change seen.
    pub position: i64,
}

/// A change: a row as it was after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its position in its partition.
    pub position: i64,
    /// The row. `state`, `label` and `happened_at` are not kept in the feed and stay empty.
    pub row: Row,
}

/// The changes of one transaction in one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The partition.
    pub partition: u32,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Whether their transaction rewrote the partition's past: what was read of it before may hold what was erased.
    pub redacts: bool,
}

/// Returns the partition that the changes of an account (or, with an empty account, of a tenant) belong to.
pub fn partition(tenant: &str, account: &str) -> u32 {
    // FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv): stable for ever, which the standard hasher is not.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in tenant.bytes().chain([0]).chain(account.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // Ids that differ in few characters leave FNV's bits poorly mixed; MurmurHash3's last step spreads them.
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash >> 33) as u32 % PARTITIONS
}

/// A group of changes as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StoredChanges {
    #[prost(message, repeated, tag = "1")]
    pub(crate) changes: Vec<StoredChange>,
    /// As in [`Changes`].
    #[prost(bool, tag = "2")]
    pub(crate) redacts: bool,
}

/// Marks an encoded [`StoredChanges`] as one whose transaction rewrote the past.
pub(crate) fn encode_redacts(changes: &mut Vec<u8>) {
    encoding::bool::encode(2, &true, changes);
}

/// A change as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StoredChange {
    #[prost(string, tag = "1")]
    pub(crate) table: String,
    #[prost(string, tag = "2")]
    pub(crate) tenant: String,
    #[prost(string, tag = "3")]
    pub(crate) account: String,
    #[prost(string, tag = "4")]
    pub(crate) id: String,
    #[prost(int64, tag = "5")]
    pub(crate) version: i64,
    #[prost(sint64, tag = "6")]
    pub(crate) created_at: i64,
    #[prost(sint64, tag = "7")]
    pub(crate) recorded_at: i64,
    #[prost(sint64, optional, tag = "8")]
    pub(crate) deleted_at: Option<i64>,
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) document: Vec<u8>,
    // The columns that the feed leaves out; a kept answer has them.
    #[prost(string, tag = "10")]
    state: String,
    #[prost(string, tag = "11")]
    label: String,
    #[prost(sint64, tag = "12")]
    happened_at: i64,
}

/// Appends a row as a further change of an encoded [`StoredChanges`], without the copies that making a [`StoredChange`] takes.
pub(crate) fn encode_change(row: &Row, changes: &mut Vec<u8>) {
    let texts = [row.key.table, &row.key.tenant, &row.key.account, &row.key.id];
    let bytes = |length: usize| 1 + encoded_len_varint(length as u64) + length;
    let texts_length: usize = texts.iter().filter(|text| !text.is_empty()).map(|text| bytes(text.len())).sum();
    let length = texts_length
        + encoding::int64::encoded_len(5, &row.version)
        + encoding::sint64::encoded_len(6, &row.created_at)
        + encoding::sint64::encoded_len(7, &row.recorded_at)
        + row.deleted_at.map_or(0, |deleted_at| encoding::sint64::encoded_len(8, &deleted_at))
        + bytes(row.document.len());
    encode_key(1, WireType::LengthDelimited, changes);
    encode_varint(length as u64, changes);
    let put = |tag: u32, bytes: &[u8], changes: &mut Vec<u8>| {
        encode_key(tag, WireType::LengthDelimited, changes);
        encode_varint(bytes.len() as u64, changes);
        changes.extend_from_slice(bytes);
    };
    for (tag, text) in (1..).zip(texts).filter(|(_, text)| !text.is_empty()) {
        put(tag, text.as_bytes(), changes);
    }
    encoding::int64::encode(5, &row.version, changes);
    encoding::sint64::encode(6, &row.created_at, changes);
    encoding::sint64::encode(7, &row.recorded_at, changes);
    if let Some(deleted_at) = row.deleted_at {
        encoding::sint64::encode(8, &deleted_at, changes);
    }
    put(9, &row.document, changes);
}

impl StoredChange {
    /// The row with all its columns.
    pub(crate) fn whole(row: &Row) -> Self {
        Self {
            table: row.key.table.to_owned(),
            tenant: row.key.tenant.clone(),
            account: row.key.account.clone(),
            id: row.key.id.clone(),
            version: row.version,
            created_at: row.created_at,
            recorded_at: row.recorded_at,
            deleted_at: row.deleted_at,
            document: row.document.clone(),
            state: row.state.clone(),
            label: row.label.clone(),
            happened_at: row.happened_at,
        }
    }

    /// Rewrites the document, if the redaction means this change. Tells whether it does.
    pub(crate) fn redact(&mut self, redaction: &Redaction) -> bool {
        let Redaction { key, before_version, redact } = redaction;
        let meant = self.id == key.id
            && self.account == key.account
            && self.tenant == key.tenant
            && self.table == key.table
            && self.version < *before_version;
        if meant {
            self.document = redact(&self.document);
        }
        meant
    }

    pub(crate) fn into_row(self, tables: &[&'static Table]) -> Result<Row, Error> {
        let table = tables.iter().find(|table| table.name == self.table);
        let table = table.ok_or_else(|| Error::Damaged(format!("a change of an unknown table `{}`", self.table)))?;
        Ok(Row {
            key: Key { table: table.name, tenant: self.tenant, account: self.account, id: self.id },
            version: self.version,
            state: self.state,
            label: self.label,
            happened_at: self.happened_at,
            created_at: self.created_at,
            recorded_at: self.recorded_at,
            deleted_at: self.deleted_at,
            document: self.document,
        })
    }
}

impl Store {
    /// Returns how far every partition has come, ordered by partition; partitions without a change are at 0.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn positions(&self) -> Result<Vec<Position>, Error> {
        let mut positions: Vec<Position> =
            (0..PARTITIONS).map(|partition| Position { partition, position: 0 }).collect();
        let rows = sqlx::query("select feed_partition, position from feed_positions")
            .fetch_all(&self.database().reader)
            .await?;
        for row in rows {
            let partition: i64 = row.try_get(0)?;
            if let Some(entry) = usize::try_from(partition).ok().and_then(|index| positions.get_mut(index)) {
                entry.position = row.try_get(1)?;
            }
        }
        Ok(positions)
    }

    /// Returns the next groups of changes after a position, oldest first; none if there are none yet.
    ///
    /// # Errors
    /// [`Error::PositionExpired`] or [`Error::PositionAhead`] if the feed does not continue there.
    pub async fn changes_after(&self, after: Position) -> Result<Vec<Changes>, Error> {
        let rows = sqlx::query(
            "select first_position, last_position, document from changes
             where feed_partition = $1 and last_position > $2
             order by last_position limit $3",
        )
        .bind(i64::from(after.partition))
        .bind(after.position)
        .bind(GROUPS_PER_READ)
        .fetch_all(&self.database().reader)
        .await?;

        let mut groups = Vec::with_capacity(rows.len());
        for row in rows {
            let (first, last): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let document: Vec<u8> = row.try_get(2)?;
            if groups.is_empty() && first > after.position + 1 {
                return Err(Error::PositionExpired { partition: after.partition, position: after.position, first });
            }
            let stored = decode(&document, last)?;
            let mut changes = Vec::with_capacity(stored.changes.len());
            for (position, change) in (first..).zip(stored.changes) {
                if position > after.position {
                    changes.push(Change { position, row: change.into_row(self.tables())? });
                }
            }
            groups.push(Changes { partition: after.partition, changes, redacts: stored.redacts });
        }
        if groups.is_empty() {
            self.check_position(after).await?;
        }
        Ok(groups)
    }

    /// Returns where a partition begins: before the first change held.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn beginning(&self, partition: u32) -> Result<Position, Error> {
        // The end is asked first: if nothing is held afterwards, everything up to there was forgotten.
        let last = sqlx::query("select position from feed_positions where feed_partition = $1")
            .bind(i64::from(partition))
            .fetch_optional(&self.database().reader)
            .await?;
        let last: i64 = last.map_or(Ok(0), |row| row.try_get(0))?;
        let first =
            sqlx::query("select first_position from changes where feed_partition = $1 order by last_position limit 1")
                .bind(i64::from(partition))
                .fetch_optional(&self.database().reader)
                .await?;
        let first: i64 = first.map_or(Ok(last + 1), |row| row.try_get(0))?;
        Ok(Position { partition, position: first - 1 })
    }

    /// Checks that the feed continues after a position.
    ///
    /// # Errors
    /// [`Error::PositionExpired`] or [`Error::PositionAhead`] if it does not.
    pub async fn check_position(&self, after: Position) -> Result<(), Error> {
        let Position { partition, position } = after;
        // The end is asked first: what it counts was there by then, so what is missing afterwards was forgotten.
        let last = sqlx::query("select position from feed_positions where feed_partition = $1")
            .bind(i64::from(partition))
            .fetch_optional(&self.database().reader)
            .await?;
        let last: i64 = last.map_or(Ok(0), |row| row.try_get(0))?;
        if position > last {
            return Err(Error::PositionAhead { partition, position, last });
        }
        if position == last {
            return Ok(());
        }
        let row = sqlx::query(
            "select first_position from changes
             where feed_partition = $1 and last_position > $2
             order by last_position limit 1",
        )
        .bind(i64::from(partition))
        .bind(position)
        .fetch_optional(&self.database().reader)
        .await?;
        let first = row.map_or(Ok(last + 1), |row| row.try_get(0))?;
        if first > position + 1 {
            return Err(Error::PositionExpired { partition, position, first });
        }
        Ok(())
    }

    /// Forgets changes recorded before a time, so that the feed does not grow for ever; the rows themselves stay. Who
    /// asks for a position that is gone is told so. Returns how many groups were forgotten.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_changes_before(&self, recorded_before: i64) -> Result<u64, Error> {
        let mut forgotten = 0;
        // Partition by partition, so that writers need not wait long. Inside a partition the times never fall, so what is
        // forgotten is its beginning.
        for partition in 0..PARTITIONS {
            let mut transaction = self.database().transaction().await?;
            let text = "delete from changes where feed_partition = $1 and recorded_at < $2";
            let values = [Value::Integer(partition.into()), Value::Integer(recorded_before)];
            forgotten += transaction.execute(text, &values).await?;
            transaction.commit().await?;
        }
        Ok(forgotten)
    }
}

fn decode(document: &[u8], last_position: i64) -> Result<StoredChanges, Error> {
    StoredChanges::decode(document).map_err(|error| Error::Damaged(format!("changes up to {last_position}: {error}")))
}

/// Rewrites the documents of rows' earlier changes in their partition of the feed.
pub(crate) async fn redact(
    transaction: &mut Transaction,
    partition: u32,
    redactions: &[Redaction],
) -> Result<(), Error> {
    let mut by_id: HashMap<&str, Vec<&Redaction>> = HashMap::new();
    for redaction in redactions {
        by_id.entry(&redaction.key.id).or_default().push(redaction);
    }
    let partition = i64::from(partition);
    let mut after = 0_i64;
    loop {
        let text = "select last_position, document from changes
             where feed_partition = $1 and last_position > $2
             order by last_position limit $3";
        let limits = [Value::Integer(partition), Value::Integer(after), Value::Integer(GROUPS_PER_READ)];
        let rows = transaction.select(text, &limits, |row| Ok((row.integer(0)?, row.bytes(1)?))).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        for (last_position, document) in rows {
            let mut stored = decode(&document, last_position)?;
            let mut touched = false;
            for change in &mut stored.changes {
                for redaction in by_id.get(change.id.as_str()).into_iter().flatten() {
                    touched |= change.redact(redaction);
                }
            }
            if touched {
                let text = "update changes set document = $1 where feed_partition = $2 and last_position = $3";
                let document = stored.encode_to_vec();
                let values = [Value::Bytes(&document), Value::Integer(partition), Value::Integer(last_position)];
                transaction.execute(text, &values).await?;
            }
        }
    }
}

/// A group of changes to append.
pub(crate) struct Group {
    pub(crate) partition: u32,
    pub(crate) first_position: i64,
    pub(crate) last_position: i64,
    /// An encoded [`StoredChanges`].
    pub(crate) document: Vec<u8>,
}

impl Group {
    /// An empty group that begins after a position.
    pub(crate) fn after(partition: u32, position: i64) -> Self {
        Self { partition, first_position: position + 1, last_position: position, document: Vec::new() }
    }
}

/// Appends groups of changes and moves their partitions' positions.
pub(crate) async fn append(
    transaction: &mut Transaction,
    groups: &[Group],
    ends: &[Position],
    now: i64,
) -> Result<(), Error> {
    let rows = groups.iter().map(|group| {
        [
            Value::Integer(group.partition.into()),
            Value::Integer(group.last_position),
            Value::Integer(group.first_position),
            Value::Integer(now),
            Value::Bytes(&group.document),
        ]
    });
    let insert = "insert into changes (feed_partition, last_position, first_position, recorded_at, document) values";
    transaction.write_rows((insert, ""), &rows.collect::<Vec<_>>()).await?;

    let rows = ends
        .iter()
        .map(|end| [Value::Integer(end.partition.into()), Value::Integer(end.position), Value::Integer(now)]);
    let upsert = "insert into feed_positions (feed_partition, position, recorded_at) values";
    let or_update = "on conflict (feed_partition) do update set
             position = excluded.position, recorded_at = excluded.recorded_at";
    transaction.write_rows((upsert, or_update), &rows.collect::<Vec<_>>()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_encoded_as_the_change_it_becomes() {
        let key = |account: &str| Key { table: "t", tenant: "me".into(), account: account.into(), id: "ä".into() };
        let row = Row {
            key: key("a"),
            version: 300,
            state: String::new(),
            label: String::new(),
            happened_at: 0,
            created_at: -1,
            recorded_at: i64::MAX,
            deleted_at: None,
            document: vec![7; 200],
        };
        let rows = [row.clone(), Row { key: key(""), deleted_at: Some(0), document: Vec::new(), ..row }];
        let mut encoded = Vec::new();
        rows.iter().for_each(|row| encode_change(row, &mut encoded));
        let changes = rows.iter().map(StoredChange::whole).collect();
        assert_eq!(StoredChanges::decode(encoded.as_slice()).unwrap(), StoredChanges { changes, redacts: false });
    }

    #[test]
    fn partitions_are_stable_and_even() {
        assert_eq!(partition("retail", "12347"), partition("retail", "12347"));
        let mut counts = [0_u32; PARTITIONS as usize];
        for account in 0..64_000 {
            counts[partition("t", &account.to_string()) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
