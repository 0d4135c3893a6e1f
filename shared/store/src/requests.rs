//! The answers kept for request ids, so that a repeated request is answered as the first time.

use std::collections::HashMap;

use prost::Message as _;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Database, Error, Position,
    feed::StoredChange,
    row::{Key, Table},
    sql::{bind_row_sets, placeholders},
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

/// Returns the answers given before to any of these requests, by tenant and request id.
pub(crate) async fn seen(
    connection: &mut sqlx::AnyConnection,
    tables: &[&'static Table],
    asked: &[(String, RequestId)],
) -> Result<HashMap<(String, String), SeenRequest>, Error> {
    let mut seen = HashMap::new();
    for set in bind_row_sets(asked) {
        let text = format!(
            "select request_id, fingerprint, feed_partition, position, document, tenant from requests
             where (tenant, request_id) in (values {})",
            placeholders(set.len(), 2)
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, request) in set {
            select = select.bind(tenant).bind(&request.id);
        }
        for row in select.fetch_all(&mut *connection).await? {
            let partition: i64 = row.try_get(2)?;
            let document: Vec<u8> = row.try_get(4)?;
            let change = StoredChange::decode(document.as_slice())
                .map_err(|error| Error::Damaged(format!("a kept answer: {error}")))?;
            let written = Written {
                row: change.into_row(tables)?,
                position: Position {
                    partition: u32::try_from(partition).unwrap_or_default(),
                    position: row.try_get(3)?,
                },
                outcome: Outcome::Replayed,
            };
            seen.insert((row.try_get(5)?, row.try_get(0)?), SeenRequest { fingerprint: row.try_get(1)?, written });
        }
    }
    Ok(seen)
}

/// Drops the answers kept before a time. One statement, hence a transaction of its own.
pub(crate) async fn drop_before(database: &Database, recorded_before: i64) -> Result<(), Error> {
    sqlx::query("delete from requests where recorded_at < $1").bind(recorded_before).execute(&database.writer).await?;
    Ok(())
}

/// Drops the answers that name a resource.
pub(crate) async fn drop_naming(connection: &mut sqlx::AnyConnection, key: &Key) -> Result<(), Error> {
    sqlx::query("delete from requests where tenant = $1 and account = $2 and id = $3 and table_name = $4")
        .bind(&key.tenant)
        .bind(&key.account)
        .bind(&key.id)
        .bind(key.table)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps answers.
pub(crate) async fn insert(
    connection: &mut sqlx::AnyConnection,
    requests: &[NewRequest],
    now: i64,
) -> Result<(), Error> {
    for set in bind_row_sets(requests) {
        let text = format!(
            "insert into requests (tenant, request_id, fingerprint, recorded_at, table_name, account, id,
                 feed_partition, position, document) values {}",
            placeholders(set.len(), 10)
        );
        let mut insert = sqlx::query(AssertSqlSafe(text));
        for new in set {
            let row = &new.written.row;
            insert = insert
                .bind(&new.tenant)
                .bind(&new.request.id)
                .bind(&new.request.fingerprint)
                .bind(now)
                .bind(row.key.table)
                .bind(&row.key.account)
                .bind(&row.key.id)
                .bind(i64::from(new.written.position.partition))
                .bind(new.written.position.position)
                .bind(StoredChange::whole(row).encode_to_vec());
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}
