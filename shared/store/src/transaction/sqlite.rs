//! A transaction on SQLite, which is in this process: a prepared statement run for each row is fastest there, if its driver
//! takes no hop to another thread each time. So nothing here ever waits: it blocks its thread instead.
//! [`crate::Database::run_writer`] gives it one that may be blocked.

use std::sync::Arc;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Columns, Found, LookUp, Parts, Update, Value};
use crate::Error;

/// How many statements are kept prepared: more than any service has that write.
const PREPARED_STATEMENTS: usize = 64;

/// The one connection that writes to a file, until it is closed.
pub(crate) type SqliteWriter = Arc<Mutex<Option<rusqlite::Connection>>>;

/// The connection inside a transaction.
pub(super) struct Begun(OwnedMutexGuard<Option<rusqlite::Connection>>);

/// Opens the connection that writes.
pub(crate) fn open_sqlite(path: &str, pragmas: &[&str]) -> Result<rusqlite::Connection, rusqlite::Error> {
    let connection = rusqlite::Connection::open(path)?;
    pragmas.iter().try_for_each(|pragmas| connection.execute_batch(pragmas))?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    Ok(connection)
}

impl Begun {
    /// Begins, and takes the write lock at once, because a transaction that reads first and wants to write later fails when
    /// another was faster.
    pub(super) async fn begin(writer: &SqliteWriter) -> Result<Self, Error> {
        let begun = Self(writer.clone().lock_owned().await);
        begun.connection()?.execute_batch("begin immediate")?;
        Ok(begun)
    }

    pub(super) fn commit(self) -> Result<(), Error> {
        Ok(self.connection()?.execute_batch("commit")?)
    }

    pub(super) fn write_rows<const WIDTH: usize>(
        &self,
        (before, after): Parts<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        self.run_for_each(&format!("{before} {} {after}", anonymous(WIDTH)), rows)
    }

    pub(super) fn write_keyed<const WIDTH: usize>(
        &self,
        (before, after): Parts<'_>,
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        self.run_for_each(&format!("{before} = {} {after}", anonymous(WIDTH)), keys)
    }

    pub(super) fn set_each<const WIDTH: usize>(
        &self,
        Update { table, column, key, condition }: &Update<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        let keys = anonymous(WIDTH - 1);
        self.run_for_each(&format!("update {table} set {column} = ? where ({key}) = {keys} {condition}"), rows)
    }

    fn run_for_each<const WIDTH: usize>(&self, text: &str, rows: &[[Value<'_>; WIDTH]]) -> Result<(), Error> {
        let mut statement = self.connection()?.prepare_cached(text)?;
        for row in rows {
            statement.execute(rusqlite::params_from_iter(row))?;
        }
        Ok(())
    }

    pub(super) fn look_up<T>(
        &self,
        LookUp { before, after, width, keys }: &LookUp<'_>,
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let text = format!("{before} = {} {after}", anonymous(*width));
        let mut statement = self.connection()?.prepare_cached(&text)?;
        let mut found = Vec::new();
        for key in keys.chunks(*width) {
            let mut rows = statement.query(rusqlite::params_from_iter(key))?;
            while let Some(row) = rows.next()? {
                found.push(read(&Found(Columns::Sqlite(row)))?);
            }
        }
        Ok(found)
    }

    pub(super) fn execute(&self, text: &str, parameters: &[Value<'_>]) -> Result<u64, Error> {
        let mut statement = self.connection()?.prepare_cached(text)?;
        bind_numbered(&mut statement, parameters)?;
        Ok(statement.raw_execute()? as u64)
    }

    pub(super) fn select<T>(
        &self,
        text: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.connection()?.prepare_cached(text)?;
        bind_numbered(&mut statement, parameters)?;
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&Found(Columns::Sqlite(row)))?);
        }
        Ok(found)
    }

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
