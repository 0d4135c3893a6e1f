//! The log of movements: every SQL statement of it.
//!
//! It is appended to in the transaction that moves the standings. Whoever appends takes the row that says where the log
//! ends first, so that positions follow the order of commits, whichever process writes.

use std::time::Duration;

use runtime::Context;
use sqlx::{AssertSqlSafe, Row as _};
use store::{Database, Error, Transaction, Value, bind_row_sets, placeholders};

use crate::movement::{self, Movement, Number};

/// How long movements are kept.
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const CHECKED_EVERY: Duration = Duration::from_secs(60);
/// How many rows are forgotten in one transaction, so that writers need not wait long.
const ROWS_PER_FORGETTING: i64 = 500;

/// Where the log ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    /// Tells this log from others.
    pub(crate) epoch: String,
    /// The position of the last row; 0 if there was none yet.
    pub(crate) position: i64,
    /// How many movements there have been.
    pub(crate) movement_count: i64,
}

/// A row of the log.
pub(crate) struct LogRow {
    pub(crate) position: i64,
    pub(crate) moved_at: i64,
    document: Vec<u8>,
}

/// Takes the next positions; answers with the last one before them.
pub(crate) async fn reserve(transaction: &mut Transaction, rows: usize, movements: usize) -> Result<i64, Error> {
    let text = "update movement_log set position = position + $1, movement_count = movement_count + $2 where id = 1
         returning position";
    let counts = [Value::Integer(rows as i64), Value::Integer(movements as i64)];
    let last = transaction.select(text, &counts, |row| row.integer(0)).await?.pop();
    let last = last.ok_or_else(|| Error::Damaged("the log of movements has no end".to_owned()))?;
    Ok(last - rows as i64)
}

/// Appends rows after this position.
pub(crate) async fn append(
    transaction: &mut Transaction,
    after: i64,
    moved_at: i64,
    rows: &[Vec<u8>],
) -> Result<(), Error> {
    let rows = (after + 1..).zip(rows);
    let rows = rows.map(|(position, row)| [Value::Integer(position), Value::Integer(moved_at), Value::Bytes(row)]);
    let insert = "insert into movements (position, moved_at, document) values";
    transaction.write_rows((insert, ""), &rows.collect::<Vec<_>>()).await
}

/// Gives the log a name, if it has none yet.
///
/// # Errors
/// The database's.
pub(crate) async fn name(database: &Database) -> Result<(), Error> {
    let mut transaction = database.transaction().await?;
    let text = "update movement_log set epoch = $1 where id = 1 and epoch = ''";
    transaction.execute(text, &[Value::Text(&methods::new_id())]).await?;
    transaction.commit().await
}

/// Forgets some of what moved before a time. Returns how many rows were forgotten.
///
/// # Errors
/// The database's.
pub(crate) async fn forget_before(database: &Database, moved_before: i64) -> Result<u64, Error> {
    let mut transaction = database.transaction().await?;
    // Without an index on the time: what is old is at the beginning.
    let text = "delete from movements
         where position in (select position from movements order by position limit $1) and moved_at < $2";
    let forgotten =
        transaction.execute(text, &[Value::Integer(ROWS_PER_FORGETTING), Value::Integer(moved_before)]).await?;
    transaction.commit().await?;
    Ok(forgotten)
}

/// Keeps the log from growing for ever, until the shutdown begins.
pub(crate) async fn forget_old(database: Database, context: Context) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(CHECKED_EVERY) => {}
            () = context.shutdown.wait() => return,
        }
        loop {
            match forget_before(&database, context.clock.now() - KEPT.as_micros() as i64).await {
                Ok(0) => break,
                Ok(_) if context.shutdown.has_begun() => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "old movements could not be forgotten; trying again later");
                    break;
                }
            }
        }
    }
}

/// Where the log ends now.
///
/// # Errors
/// The database's.
pub(crate) async fn end(database: &Database) -> Result<End, Error> {
    let row = sqlx::query("select epoch, position, movement_count from movement_log where id = 1")
        .fetch_one(&database.reader)
        .await?;
    Ok(End { epoch: row.try_get(0)?, position: row.try_get(1)?, movement_count: row.try_get(2)? })
}

/// The position of the first row that is held, if any is.
///
/// # Errors
/// The database's.
pub(crate) async fn first(database: &Database) -> Result<Option<i64>, Error> {
    let row = sqlx::query("select position from movements order by position limit 1")
        .fetch_optional(&database.reader)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The next rows, oldest first, that hold movements after this one.
///
/// # Errors
/// The database's.
pub(crate) async fn after(database: &Database, number: Number, limit: i64) -> Result<Vec<LogRow>, Error> {
    let rows = sqlx::query(
        "select position, moved_at, document from movements where position >= $1 order by position limit $2",
    )
    .bind(number.next_row())
    .bind(limit)
    .fetch_all(&database.reader)
    .await?;
    rows.iter().map(LogRow::read).collect()
}

/// The rows at these positions, as far as they are held.
///
/// # Errors
/// The database's.
pub(crate) async fn at(database: &Database, positions: &[i64]) -> Result<Vec<LogRow>, Error> {
    let mut found = Vec::with_capacity(positions.len());
    for set in bind_row_sets(positions) {
        let text = format!(
            "select position, moved_at, document from movements where position in {}",
            placeholders(1, set.len())
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for position in set {
            select = select.bind(*position);
        }
        for row in select.fetch_all(&database.reader).await? {
            found.push(LogRow::read(&row)?);
        }
    }
    Ok(found)
}

impl LogRow {
    fn read(row: &sqlx::any::AnyRow) -> Result<Self, Error> {
        Ok(Self { position: row.try_get(0)?, moved_at: row.try_get(1)?, document: row.try_get(2)? })
    }

    /// Its movements.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn movements(&self) -> Result<Vec<(Number, Movement)>, Error> {
        movement::decode(self.position, &self.document)
    }
}
