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

/// What [`Transaction::set_each`] sets.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// The table.
    pub table: &'a str,
    /// The column that is set.
    pub column: &'a str,
    /// The columns of the key.
    pub key: &'a str,
    /// Follows the key: `and …`, or nothing.
    pub condition: &'a str,
}

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

/// How a server plans what a transaction does after it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plans {
    /// Each statement anew.
    Anew,
    /// Inserts that few rows need keep their plans, if nothing is to be looked for any more.
    Kept,
}

/// Rows to look for: those that have one of some keys.
pub(crate) struct LookUp<'a> {
    before: &'a str,
    after: &'a str,
    width: usize,
    /// One after another.
    keys: &'a [Value<'a>],
}

impl<'a> LookUp<'a> {
    /// As [`Transaction::look_up`] has them.
    pub(crate) fn new<const WIDTH: usize>((before, after): Parts<'a>, keys: &'a [[Value<'a>; WIDTH]]) -> Self {
        Self { before, after, width: WIDTH, keys: keys.as_flattened() }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
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
                Begun::Postgres(Box::new(postgres::Begun::begin(writer, &[], Plans::Anew).await?.0))
            }
        }))
    }

    /// Begins and looks for rows, one after another; on the same way to a server, if they are few. `read` is told which of
    /// `look_ups`, none of which is empty, found a row.
    pub(crate) async fn begin_with<T>(
        writer: &Writer,
        look_ups: &[LookUp<'_>],
        plans: Plans,
        read: impl Fn(usize, &Found<'_>) -> Result<T, Error>,
    ) -> Result<(Self, Vec<T>), Error> {
        let (mut transaction, mut found, done) = match writer {
            Writer::Sqlite(_) => (Self::begin(writer).await?, Vec::new(), 0),
            Writer::Postgres(writer) => {
                let (begun, rows, done) = postgres::Begun::begin(writer, look_ups, plans).await?;
                let found = rows.iter().map(|(number, row)| read(*number, &Found(Columns::Postgres(row))));
                (Self(Begun::Postgres(Box::new(begun))), found.collect::<Result<_, _>>()?, done)
            }
        };
        for (number, look_up) in look_ups.iter().enumerate().skip(done) {
            found.extend(transaction.look_for(look_up, |row| read(number, row)).await?);
        }
        Ok((transaction, found))
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

    /// Sends what was written and waits for its end, which a later step would do otherwise.
    pub(crate) async fn send(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Begun::Sqlite(_) => Ok(()),
            Begun::Postgres(begun) => begun.flush().await,
        }
    }

    /// Runs a statement for each of these keys: `before` ends with the columns of the key in brackets, and `after` follows.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write_keyed<const WIDTH: usize>(
        &mut self,
        parts: (&str, &str),
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        match &mut self.0 {
            _ if keys.is_empty() => Ok(()),
            Begun::Sqlite(begun) => begun.write_keyed(parts, keys),
            Begun::Postgres(begun) => begun.write_keyed(parts, keys).await,
        }
    }

    /// Sets a column of each of these rows: each has the new value first, then its key.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn set_each<const WIDTH: usize>(
        &mut self,
        update: &Update<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        match &mut self.0 {
            _ if rows.is_empty() => Ok(()),
            Begun::Sqlite(begun) => begun.set_each(update, rows),
            Begun::Postgres(begun) => begun.set_each(update, rows).await,
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
        self.look_for(&LookUp::new(parts, keys), read).await
    }

    async fn look_for<T>(
        &mut self,
        look_up: &LookUp<'_>,
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match &mut self.0 {
            _ if look_up.is_empty() => Ok(Vec::new()),
            Begun::Sqlite(begun) => begun.look_up(look_up, read),
            Begun::Postgres(begun) => begun.look_up(look_up, read).await,
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

    /// The number of a partition, which is a `bigint`.
    pub(crate) fn partition(&self, column: usize) -> Result<u32, Error> {
        u32::try_from(self.integer(column)?).map_err(|_| Error::Damaged("a partition's number".to_owned()))
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
