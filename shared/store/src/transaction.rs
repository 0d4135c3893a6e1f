//! A transaction that writes: one text for both databases, and for each of them the way that is fast there.

mod postgres;
mod sqlite;

use sqlx::{Row as _, any::AnyRow, postgres::PgRow};

pub(crate) use self::{
    postgres::PostgresWriter,
    sqlite::{SqliteWriter, open_sqlite},
};
use crate::{Backend, Error};

/// The connections of transactions.
#[derive(Debug, Clone)]
pub(crate) enum Writer {
    Sqlite(SqliteWriter),
    Postgres(PostgresWriter),
}

/// A transaction that writes. Unless it is committed, it is undone as it is dropped.
pub struct Transaction(Begun);

enum Begun {
    Sqlite(sqlite::Begun),
    Postgres(Box<postgres::Begun>),
}

/// What stands before and after the rows or the keys of a statement.
type Parts<'a> = (&'a str, &'a str);

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
    Postgres(&'a PgRow),
    Any(&'a AnyRow),
}

impl Transaction {
    /// Begins.
    pub(crate) async fn begin(writer: &Writer) -> Result<Self, Error> {
        Ok(Self(match writer {
            Writer::Sqlite(writer) => Begun::Sqlite(sqlite::Begun::begin(writer).await?),
            Writer::Postgres(writer) => {
                Begun::Postgres(Box::new(postgres::Begun::begin(writer, "", |_| Ok(())).await?.0))
            }
        }))
    }

    /// Begins and, on the same way to a server, reads the rows that have one of these numbers: `before` ends with the column,
    /// and `after` follows.
    pub(crate) async fn begin_with<T>(
        writer: &Writer,
        parts: (&str, &str),
        numbers: &[i64],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<(Self, Vec<T>), Error> {
        match writer {
            Writer::Postgres(writer) if !numbers.is_empty() => {
                let (before, after) = parts;
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                let select = format!("{before} in ({}) {after}", numbers.join(", "));
                let (begun, found) = postgres::Begun::begin(writer, &select, read).await?;
                Ok((Self(Begun::Postgres(Box::new(begun))), found))
            }
            writer => {
                let mut transaction = Self::begin(writer).await?;
                let keys: Vec<[Value<'_>; 1]> = numbers.iter().map(|number| [Value::Integer(*number)]).collect();
                let found = transaction.look_up(parts, &keys, read).await?;
                Ok((transaction, found))
            }
        }
    }

    /// Of which database it is.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Begun::Sqlite(_) => Backend::Sqlite,
            Begun::Postgres(_) => Backend::Postgres,
        }
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; nothing was written then, unless the connection broke just now.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Begun::Sqlite(begun) => begun.commit(),
            Begun::Postgres(begun) => begun.commit().await,
        }
    }

    /// Writes rows of so many columns: `before` ends with `values`, and `after` follows the rows. Each column has values of
    /// one type. What does not fit may be said by a later step, by [`Transaction::commit`] at the latest.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write_rows<const WIDTH: usize>(
        &mut self,
        parts: (&str, &str),
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        match &mut self.0 {
            _ if rows.is_empty() => Ok(()),
            Begun::Sqlite(begun) => begun.write_rows(parts, rows),
            Begun::Postgres(begun) => begun.write_rows(parts, rows).await,
        }
    }

    /// Writes rows that are new to a table: nothing stands in their place. As for [`Transaction::write_rows`].
    ///
    /// # Errors
    /// [`Error::Unavailable`], also if something does stand there.
    pub async fn insert_rows<const WIDTH: usize>(
        &mut self,
        table: &str,
        columns: &str,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        let insert = format!("insert into {table} ({columns}) values");
        match &mut self.0 {
            Begun::Postgres(begun) if rows.len() >= postgres::COPIED_FROM => {
                begun.copy_rows(&format!("copy {table} ({columns}) from stdin binary"), rows).await
            }
            _ => self.write_rows((&insert, ""), rows).await,
        }
    }

    /// Runs a statement for each of these keys: `before` ends with the columns of the key in brackets, and `after` follows.
    /// `leading` are the parameters in `before`, `$1` and so on, in order.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write_keyed<const WIDTH: usize>(
        &mut self,
        parts: (&str, &str),
        leading: &[Value<'_>],
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        match &mut self.0 {
            _ if keys.is_empty() => Ok(()),
            Begun::Sqlite(begun) => begun.write_keyed(parts, leading, keys),
            Begun::Postgres(begun) => begun.write_keyed(parts, leading, keys).await,
        }
    }

    /// Reads the rows that have one of these keys: `before` ends with the columns of the key in brackets, and `after` follows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and what `read` fails with.
    pub async fn look_up<T, const WIDTH: usize>(
        &mut self,
        parts: (&str, &str),
        keys: &[[Value<'_>; WIDTH]],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match &mut self.0 {
            _ if keys.is_empty() => Ok(Vec::new()),
            Begun::Sqlite(begun) => begun.look_up(parts, keys, read),
            Begun::Postgres(begun) => begun.look_up(parts, keys, read).await,
        }
    }

    /// Runs one statement with the parameters `$1` and so on, in order. Returns how many rows it touched.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn execute(&mut self, text: &str, parameters: &[Value<'_>]) -> Result<u64, Error> {
        match &mut self.0 {
            Begun::Sqlite(begun) => begun.execute(text, parameters),
            Begun::Postgres(begun) => begun.execute(text, parameters).await,
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
        match &mut self.0 {
            Begun::Sqlite(begun) => begun.select(text, parameters, read),
            Begun::Postgres(begun) => begun.select(text, parameters, read).await,
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
            Columns::Postgres(row) => Ok(row.try_get(column)?),
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
            Columns::Postgres(row) => Ok(row.try_get(column)?),
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
            Columns::Postgres(row) => Ok(row.try_get(column)?),
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
            Columns::Postgres(row) => Ok(row.try_get(column)?),
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
            Columns::Postgres(row) => Ok(row.try_get(column)?),
            Columns::Any(row) => Ok(row.try_get(column)?),
        }
    }
}
