//! A transaction on PostgreSQL, which is far away: many rows travel with one statement, as an array for each column, and what
//! is written to several tables travels together.

mod copied;
mod parameters;

use std::{fmt, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, timeout},
};

use self::parameters::{BYTES_PER_STATEMENT, Parameters, portions};
use super::{Columns, Found, Parts, Value};
use crate::{
    Error,
    connect::{CONNECT_TIMEOUT, CONNECTION_LIFETIME, Server},
};

/// Of the connection that writes. Whatever it looks for it names by keys, so it reads along indexes, also in a table that has
/// no statistics yet. Who stops in the midst of a transaction is not waited for as long as elsewhere: it locks what others want.
const WRITER_SETTINGS: &str = "
    set idle_in_transaction_session_timeout = '5s';
    set enable_seqscan = off;
    set enable_hashjoin = off;
    set enable_mergejoin = off;
";
/// How long a statement may take until the server is taken for dead, as the network may not tell: more than the server itself
/// allows a statement.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// From so many rows on `COPY` is used, which takes less of the server for each row, and one way more.
pub(super) const COPIED_FROM: usize = 128;
/// The one connection that writes to a database, opened anew whenever it is lost, until it is closed.
#[derive(Clone)]
pub(crate) struct PostgresWriter {
    options: Arc<PgConnectOptions>,
    settings: Arc<str>,
    place: Arc<Mutex<Place>>,
}

#[derive(Default)]
enum Place {
    #[default]
    Empty,
    Connected {
        connection: PgConnection,
        since: Instant,
    },
    Closed,
}

/// The connection inside a transaction. Its place stays empty until the transaction is committed: whatever else happens, the
/// server undoes it as the connection ends.
pub(super) struct Begun {
    connection: PgConnection,
    since: Instant,
    place: OwnedMutexGuard<Place>,
    waiting: Waiting,
}

/// Rows that were written, to different tables, and not yet sent.
#[derive(Default)]
struct Waiting {
    /// What each table's statement begins with.
    tables: Vec<String>,
    statements: Vec<String>,
    parameters: Parameters,
}

impl PostgresWriter {
    /// A writer that connects as it is first needed.
    pub(crate) fn new(server: Server) -> Result<Self, sqlx::Error> {
        let settings = format!("{}{WRITER_SETTINGS}", server.settings()).into();
        Ok(Self { options: server.options()?.into(), settings, place: Arc::default() })
    }

    /// Another connection to the same database, for transactions that must not wait for those of this one.
    pub(crate) fn another(&self) -> Self {
        Self { place: Arc::default(), ..self.clone() }
    }

    pub(crate) async fn close(&self) {
        let mut place = self.place.lock().await;
        if let Place::Connected { connection, .. } = std::mem::replace(&mut *place, Place::Closed) {
            // The server notices anyway.
            let _ = timeout(CONNECT_TIMEOUT, connection.close()).await;
        }
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let connecting = async {
            let mut connection = self.options.connect().await?;
            connection.execute(AssertSqlSafe(&*self.settings)).await?;
            Ok(connection)
        };
        timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

impl fmt::Debug for PostgresWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options have the password.
        formatter.debug_struct("PostgresWriter").finish_non_exhaustive()
    }
}

impl Begun {
    /// Begins, and reads with a statement without parameters on the same way. A connection that broke while nobody used it is
    /// replaced.
    pub(super) async fn begin<T>(
        writer: &PostgresWriter,
        select: &str,
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<(Self, Vec<T>), Error> {
        let mut place = writer.place.clone().lock_owned().await;
        let kept = match std::mem::replace(&mut *place, Place::Empty) {
            Place::Closed => {
                *place = Place::Closed;
                return Err(Error::Unavailable(sqlx::Error::PoolClosed));
            }
            Place::Connected { connection, since } if since.elapsed() < CONNECTION_LIFETIME => {
                Some((connection, since))
            }
            Place::Connected { .. } | Place::Empty => None,
        };
        // The level is said aloud, because a server may have another default; each statement must see what the locks protect.
        let begin = format!("begin isolation level read committed; {select}");
        let mut begun = None;
        if let Some((mut connection, since)) = kept {
            match answered(connection.fetch_all(AssertSqlSafe(begin.clone()))).await {
                Ok(rows) => begun = Some((connection, since, rows)),
                // The server refused, and would again.
                Err(error @ sqlx::Error::Database(_)) if !is_gone(&error) => return Err(error.into()),
                Err(error) => tracing::debug!(error = %error, "the connection that writes is replaced"),
            }
        }
        let (connection, since, rows) = match begun {
            Some(begun) => begun,
            None => {
                let mut connection = writer.connect().await?;
                let rows = answered(connection.fetch_all(AssertSqlSafe(begin))).await?;
                (connection, Instant::now(), rows)
            }
        };
        let found = rows.iter().map(|row| read(&Found(Columns::Postgres(row)))).collect::<Result<_, _>>()?;
        Ok((Self { connection, since, place, waiting: Waiting::default() }, found))
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.flush().await?;
        answered(self.connection.execute("commit")).await?;
        let Self { connection, since, mut place, .. } = self;
        *place = Place::Connected { connection, since };
        Ok(())
    }

    pub(super) async fn write_rows<const WIDTH: usize>(
        &mut self,
        (before, after): Parts<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        let insert = before.trim_end().strip_suffix("values").unwrap_or(before);
        for rows in portions(rows) {
            // A statement does not see what another one beside it writes, so each table is written once at a time.
            if self.waiting.tables.iter().any(|table| table == insert)
                || self.waiting.parameters.bytes > BYTES_PER_STATEMENT
            {
                self.flush().await?;
            }
            let waiting = &mut self.waiting;
            let set = waiting.parameters.bind_columns(rows)?;
            waiting.tables.push(insert.to_owned());
            waiting.statements.push(format!("{insert} select * from {set} {after}"));
        }
        Ok(())
    }

    pub(super) async fn copy_rows<const WIDTH: usize>(
        &mut self,
        copy: &str,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        for rows in portions(rows) {
            let bytes = copied::encode(rows)?;
            let copying = async {
                let mut copying = self.connection.copy_in_raw(copy).await?;
                copying.send(bytes).await?;
                copying.finish().await
            };
            answered(copying).await?;
        }
        Ok(())
    }

    pub(super) async fn write_keyed<const WIDTH: usize>(
        &mut self,
        (before, after): Parts<'_>,
        leading: &[Value<'_>],
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        self.flush().await?;
        for keys in portions(keys) {
            let mut parameters = Parameters::default();
            parameters.bind(leading)?;
            let text = format!("{before} {} {after}", parameters.bind_keys(keys)?);
            let statement = sqlx::query_with(AssertSqlSafe(text), parameters.arguments);
            answered(statement.execute(&mut self.connection)).await?;
        }
        Ok(())
    }

    pub(super) async fn look_up<T, const WIDTH: usize>(
        &mut self,
        (before, after): Parts<'_>,
        keys: &[[Value<'_>; WIDTH]],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.flush().await?;
        let mut found = Vec::new();
        for keys in portions(keys) {
            let mut parameters = Parameters::default();
            let text = format!("{before} {} {after}", parameters.bind_keys(keys)?);
            self.fetch(text, parameters.arguments, &read, &mut found).await?;
        }
        Ok(found)
    }

    pub(super) async fn execute(&mut self, text: &str, parameters: &[Value<'_>]) -> Result<u64, Error> {
        self.flush().await?;
        let mut bound = Parameters::default();
        bound.bind(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(text.to_owned()), bound.arguments);
        Ok(answered(statement.execute(&mut self.connection)).await?.rows_affected())
    }

    pub(super) async fn select<T>(
        &mut self,
        text: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.flush().await?;
        let mut bound = Parameters::default();
        bound.bind(parameters)?;
        let mut found = Vec::new();
        self.fetch(text.to_owned(), bound.arguments, &read, &mut found).await?;
        Ok(found)
    }

    async fn fetch<T>(
        &mut self,
        text: String,
        arguments: PgArguments,
        read: &impl Fn(&Found<'_>) -> Result<T, Error>,
        found: &mut Vec<T>,
    ) -> Result<(), Error> {
        let select = sqlx::query_with(AssertSqlSafe(text), arguments);
        let rows: Vec<PgRow> = answered(select.fetch_all(&mut self.connection)).await?;
        found.reserve(rows.len());
        for row in &rows {
            found.push(read(&Found(Columns::Postgres(row)))?);
        }
        Ok(())
    }

    /// Sends what waits: one statement, with the others in its `with`.
    async fn flush(&mut self) -> Result<(), Error> {
        let Waiting { mut statements, parameters, .. } = std::mem::take(&mut self.waiting);
        let Some(last) = statements.pop() else { return Ok(()) };
        let others: Vec<String> = (0..).zip(&statements).map(|(n, text)| format!("others_{n} as ({text})")).collect();
        let text = if others.is_empty() { last } else { format!("with {} {last}", others.join(", ")) };
        answered(sqlx::query_with(AssertSqlSafe(text), parameters.arguments).execute(&mut self.connection)).await?;
        Ok(())
    }
}

/// Whether the server has ended the connection: classes 57P (it stops or is not up yet) and 25P03 (it waited too long).
fn is_gone(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("57P") || code == "25P03")
}

/// Waits for the server's answer, though not for ever.
async fn answered<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let silent = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server is silent"));
    timeout(ANSWER_TIMEOUT, statement).await.unwrap_or_else(|_| Err(silent()))
}
