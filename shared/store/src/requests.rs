//! The answers kept for request ids, so that a repeated request is answered as the first time.

use std::sync::Arc;

use prost::Message as _;

use crate::{
    Database, Error, Found, Position, Transaction, Value,
    feed::StoredChange,
    row::{Key, Table},
    write::{Outcome, RequestId, Written},
};

/// An answer that was given before.
pub(crate) struct SeenRequest {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) written: Written,
}

/// An answer to keep.
pub(crate) struct NewRequest {
    pub(crate) tenant: String,
    pub(crate) request: RequestId,
    pub(crate) written: Written,
}

/// What [`seen`] reads of the answers to requests, by tenant and request id.
pub(crate) const SEEN: &str = "select tenant, request_id, fingerprint, feed_partition, position, document from requests
     where (tenant, request_id)";

/// Reads an answer that was given before, with the tenant and the request id.
pub(crate) fn seen(
    tables: &'static [&'static Table],
    row: &Found<'_>,
) -> Result<((String, String), SeenRequest), Error> {
    let change = StoredChange::decode(row.bytes(5)?.as_slice())
        .map_err(|error| Error::Damaged(format!("a kept answer: {error}")))?;
    let written = Written {
        row: Arc::new(change.into_row(tables)?),
        position: Position { partition: row.partition(3)?, position: row.integer(4)? },
        outcome: Outcome::Replayed,
    };
    Ok(((row.text(0)?, row.text(1)?), SeenRequest { fingerprint: row.bytes(2)?, written }))
}

/// Drops the answers kept before a time.
pub(crate) async fn drop_before(database: &Database, recorded_before: i64) -> Result<(), Error> {
    let mut transaction = database.transaction().await?;
    transaction.execute("delete from requests where recorded_at < $1", &[Value::Integer(recorded_before)]).await?;
    transaction.commit().await
}

/// Drops the answers that name a resource.
pub(crate) async fn drop_naming(transaction: &mut Transaction, key: &Key) -> Result<(), Error> {
    let [tenant, account, id] = key.values();
    let text = "delete from requests where tenant = $1 and account = $2 and id = $3 and table_name = $4";
    transaction.execute(text, &[tenant, account, id, Value::Text(key.table)]).await?;
    Ok(())
}

/// Keeps answers.
pub(crate) async fn insert(transaction: &mut Transaction, requests: &[NewRequest], now: i64) -> Result<(), Error> {
    let answers = requests.iter().map(|new| StoredChange::whole(&new.written.row).encode_to_vec());
    let answers: Vec<Vec<u8>> = answers.collect();
    let rows = requests.iter().zip(&answers).map(|(new, answer)| {
        let [_, account, id] = new.written.row.key.values();
        [
            Value::Text(&new.tenant),
            Value::Text(&new.request.id),
            Value::Bytes(&new.request.fingerprint),
            Value::Integer(now),
            Value::Text(new.written.row.key.table),
            account,
            id,
            Value::Integer(new.written.position.partition.into()),
            Value::Integer(new.written.position.position),
            Value::Bytes(answer),
        ]
    });
    let insert = "insert into requests (tenant, request_id, fingerprint, recorded_at, table_name, account, id,
             feed_partition, position, document) values";
    transaction.write_rows((insert, ""), &rows.collect::<Vec<_>>()).await
}
