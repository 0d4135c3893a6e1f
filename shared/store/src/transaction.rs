//! A transaction that writes: one text for both databases, and for each of them the way that is fast there.
//!
//! PostgreSQL is far away, so many rows travel with one statement. SQLite is in this process, where a prepared statement run
//! for each row is fastest, if its driver takes no hop to another thread each time. So nothing here ever waits on SQLite: it
//! blocks its thread instead. [`Database::run_writer`] gives it one that may be blocked.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use sqlx::{Any, AssertSqlSafe, Row as _, any::AnyRow, query::Query};
use tokio::sync::OwnedMutexGuard;

use crate::{
    Database, Error,
    sql::{bind_row_sets, placeholders, placeholders_from},
};

/// How many statements SQLite keeps prepared: more than any service has that write.
const PREPARED_STATEMENTS: usize = 64;

/// The one connection that writes to a SQLite file, until it is closed.
pub(crate) type SqliteWriter = Option<rusqlite::Connection>;

/// A transaction that writes. Unless it is committed, it is undone as it is dropped.
pub struct Transaction(Inner);

enum Inner {
    Sqlite(Begun),
    Postgres(sqlx::Transaction<'static, Any>),
}

/// SQLite's connection inside a transaction.
struct Begun(OwnedMutexGuard<SqliteWriter>);

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A `bigint`.
    Integer(i64),
    /// A `bigint` that may be null.
    Optional(Option<i64>),
    /// A `double precision`.
    Number(f64),
    /// A `text`.
    Text(&'a str),
    /// A `bytea`.
    Bytes(&'a [u8]),
}

/// A row that was found. Its columns are counted from 0.
pub struct Found<'a>(Columns<'a>);

enum Columns<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Any(&'a AnyRow),
}

/// Opens the connection that writes.
pub(crate) fn open_sqlite(path: &str, pragmas: &[&str]) -> Result<rusqlite::Connection, rusqlite::Error> {
    let connection = rusqlite::Connection::open(path)?;
    pragmas.iter().try_for_each(|pragmas| connection.execute_batch(pragmas))?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    Ok(connection)
}

impl Transaction {
    /// Begins. On SQLite it takes the write lock at once, because a transaction that reads first and wants to write later
    /// fails when another was faster.
    pub(crate) async fn begin(database: &Database) -> Result<Self, Error> {
        Ok(Self(match &database.sqlite {
            Some(writer) => {
                let begun = Begun(writer.clone().lock_owned().await);
                begun.connection()?.execute_batch("begin immediate")?;
                Inner::Sqlite(begun)
            }
            // The level said aloud, because a server may have another default; each statement must see what the locks protect.
            None => Inner::Postgres(database.writer.begin_with("begin isolation level read committed").await?),
        }))
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; nothing was written then, unless the connection broke just now.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Inner::Sqlite(begun) => Ok(begun.connection()?.execute_batch("commit")?),
            Inner::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Writes rows of so many columns: `before` ends with `values`, and `after` follows the rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write_rows<const WIDTH: usize>(
        &mut self,
        (before, after): (&str, &str),
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            Inner::Sqlite(begun) => {
                let text = format!("{before} {} {after}", anonymous(WIDTH));
                let mut statement = begun.connection()?.prepare_cached(&text)?;
                for row in rows {
                    statement.execute(rusqlite::params_from_iter(row))?;
                }
            }
            Inner::Postgres(transaction) => {
                for set in bind_row_sets(rows) {
                    let text = format!("{before} {} {after}", placeholders(set.len(), WIDTH));
                    let insert = set.iter().flatten().fold(sqlx::query(AssertSqlSafe(text)), bind);
                    insert.execute(&mut **transaction).await?;
                }
            }
        }
        Ok(())
    }

    /// Runs a statement for each of these keys: `before` ends with the columns of the key in brackets, and `after` follows.
    /// `leading` are the parameters in `before`, `$1` and so on, in order.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write_keyed<const WIDTH: usize>(
        &mut self,
        (before, after): (&str, &str),
        leading: &[Value<'_>],
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            Inner::Sqlite(begun) => {
                let text = format!("{before} = {} {after}", anonymous(WIDTH));
                let mut statement = begun.connection()?.prepare_cached(&text)?;
                for key in keys {
                    statement.execute(rusqlite::params_from_iter(leading.iter().chain(key)))?;
                }
            }
            Inner::Postgres(transaction) => {
                for set in bind_row_sets(keys) {
                    let values = placeholders_from(leading.len(), set.len(), WIDTH);
                    let text = format!("{before} in (values {values}) {after}");
                    let parameters = leading.iter().chain(set.iter().flatten());
                    parameters.fold(sqlx::query(AssertSqlSafe(text)), bind).execute(&mut **transaction).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads the rows that have one of these keys: `before` ends with the columns of the key in brackets, and `after` follows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and what `read` fails with.
    pub async fn look_up<T, const WIDTH: usize>(
        &mut self,
        (before, after): (&str, &str),
        keys: &[[Value<'_>; WIDTH]],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        if keys.is_empty() {
            return Ok(found);
        }
        match &mut self.0 {
            Inner::Sqlite(begun) => {
                let text = format!("{before} = {} {after}", anonymous(WIDTH));
                let mut statement = begun.connection()?.prepare_cached(&text)?;
                for key in keys {
                    let mut rows = statement.query(rusqlite::params_from_iter(key))?;
                    while let Some(row) = rows.next()? {
                        found.push(read(&Found(Columns::Sqlite(row)))?);
                    }
                }
            }
            Inner::Postgres(transaction) => {
                for set in bind_row_sets(keys) {
                    let text = format!("{before} in (values {}) {after}", placeholders(set.len(), WIDTH));
                    let select = set.iter().flatten().fold(sqlx::query(AssertSqlSafe(text)), bind);
                    for row in select.fetch_all(&mut **transaction).await? {
                        found.push(read(&Found::any(&row))?);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Runs one statement with the parameters `$1` and so on, in order. Returns how many rows it touched.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn execute(&mut self, text: &str, parameters: &[Value<'_>]) -> Result<u64, Error> {
        match &mut self.0 {
            Inner::Sqlite(begun) => {
                let mut statement = begun.connection()?.prepare_cached(text)?;
                bind_numbered(&mut statement, parameters)?;
                Ok(statement.raw_execute()? as u64)
            }
            Inner::Postgres(transaction) => {
                let statement = parameters.iter().fold(sqlx::query(AssertSqlSafe(text)), bind);
                Ok(statement.execute(&mut **transaction).await?.rows_affected())
            }
        }
    }

    /// Reads with one statement with the parameters `$1` and so on, in order.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and what `read` fails with.
    pub async fn select<T>(
        &mut self,
        text: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        match &mut self.0 {
            Inner::Sqlite(begun) => {
                let mut statement = begun.connection()?.prepare_cached(text)?;
                bind_numbered(&mut statement, parameters)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    found.push(read(&Found(Columns::Sqlite(row)))?);
                }
            }
            Inner::Postgres(transaction) => {
                let select = parameters.iter().fold(sqlx::query(AssertSqlSafe(text)), bind);
                for row in select.fetch_all(&mut **transaction).await? {
                    found.push(read(&Found::any(&row))?);
                }
            }
        }
        Ok(found)
    }
}

impl Begun {
    fn connection(&self) -> Result<&rusqlite::Connection, Error> {
        self.0.as_ref().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(connection) = &*self.0
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("rollback")
        {
            tracing::error!(error = %error, "a transaction could not be undone");
        }
    }
}

impl<'a> Found<'a> {
    /// A row that sqlx found.
    pub fn any(row: &'a AnyRow) -> Self {
        Self(Columns::Any(row))
    }

    /// A `bigint`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none.
    pub fn integer(&self, column: usize) -> Result<i64, Error> {
        match self.0 {
            Columns::Sqlite(row) => Ok(row.get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }

    /// A `bigint` that may be null.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none.
    pub fn optional(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0 {
            Columns::Sqlite(row) => Ok(row.get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }

    /// A `text`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        match self.0 {
            Columns::Sqlite(row) => Ok(row.get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }

    /// A `bytea`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, Error> {
        match self.0 {
            Columns::Sqlite(row) => Ok(row.get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }

    /// A `bytea` that may be null.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none.
    pub fn optional_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        match self.0 {
            Columns::Sqlite(row) => Ok(row.get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) | Self::Optional(Some(number)) => ValueRef::Integer(*number),
            Self::Optional(None) => ValueRef::Null,
            Self::Number(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Damaged(error.to_string()),
            error => Self::Unavailable(sqlx::Error::AnyDriverError(Box::new(error))),
        }
    }
}

type AnyQuery<'q> = Query<'q, Any, <Any as sqlx::Database>::Arguments>;

fn bind<'q>(query: AnyQuery<'q>, value: &Value<'_>) -> AnyQuery<'q> {
    match *value {
        Value::Integer(number) => query.bind(number),
        Value::Optional(number) => query.bind(number),
        Value::Number(number) => query.bind(number),
        Value::Text(text) => query.bind(text.to_owned()),
        Value::Bytes(bytes) => query.bind(bytes.to_vec()),
    }
}

/// SQLite numbers `$n` in the order in which they appear, whatever n is.
fn bind_numbered(statement: &mut rusqlite::Statement<'_>, parameters: &[Value<'_>]) -> Result<(), Error> {
    for (number, value) in (1..).zip(parameters) {
        if let Some(index) = statement.parameter_index(&format!("${number}"))? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// Writes `(?, ?, …)`: SQLite looks for a name among all names each time, and these have none.
fn anonymous(columns: usize) -> String {
    format!("({})", vec!["?"; columns].join(", "))
}
