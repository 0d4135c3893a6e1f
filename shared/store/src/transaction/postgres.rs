//! A transaction on PostgreSQL, which is far away: many rows travel with one statement, as an array for each column, and what
//! is written to several tables travels together.

mod parameters;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _, PgConnection,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, timeout},
};

use self::parameters::{BYTES_PER_STATEMENT, Parameters, literal_keys, portions};
use super::{Columns, Found, LookUp, Parts, Plans, Update, Value};
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
/// So many keys are looked for on the way on which a transaction begins. More are cheaper as arrays.
const KEYS_WITH_BEGIN: usize = 192;
/// What a transaction of few rows is told first. To plan its statements takes as long as to run them, so they keep their plans.
/// That is for those that only insert: of one that reads, a plan made while a table was empty may take the wrong index for ever.
const KEEP_PLANS: &str = "set local plan_cache_mode = force_generic_plan; ";
/// Before such a transaction reads or changes anything else.
const PLAN_ANEW: &str = "set local plan_cache_mode = force_custom_plan";
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
    keeps_plans: bool,
}

/// Rows that were written, to different tables, and not yet sent.
#[derive(Default)]
struct Waiting {
    /// The table of each statement.
    tables: Vec<String>,
    statements: Vec<String>,
    parameters: Parameters,
}

impl PostgresWriter {
    /// A writer that connects as it is first needed.
    pub(crate) fn new(server: Server) -> Result<Self, sqlx::Error> {
        let settings = format!("{}{WRITER_SETTINGS}", server.settings()).into();
        // A statement's text may have keys in it, which are nobody's business in a log.
        let options = server.options()?.disable_statement_logging();
        Ok(Self { options: options.into(), settings, place: Arc::default() })
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
    /// Begins, and looks on the same way for what comes first, if that is few rows. Returns what was found, each with the number
    /// of what looked for it, and how many have been looked for. A connection that broke while nobody used it is replaced.
    pub(super) async fn begin(
        writer: &PostgresWriter,
        look_ups: &[LookUp<'_>],
        plans: Plans,
    ) -> Result<(Self, Vec<(usize, PgRow)>, usize), Error> {
        // The level is said aloud, because a server may have another default; each statement must see what the locks protect.
        let mut begin = "begin isolation level read committed; ".to_owned();
        let mut keys = 0;
        let with_begin: Vec<&LookUp<'_>> = look_ups
            .iter()
            .take_while(|look_up| {
                keys += look_up.keys.len() / look_up.width;
                keys <= KEYS_WITH_BEGIN
            })
            .collect();
        let keeps_plans = plans == Plans::Kept && with_begin.len() == look_ups.len();
        if keeps_plans {
            begin.push_str(KEEP_PLANS);
        }
        let statements_before = begin.matches(';').count();
        for LookUp { before, after, width, keys } in &with_begin {
            begin.push_str(&format!("{before} {} {after}; ", literal_keys(*width, keys)?));
        }

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
        let mut begun = None;
        if let Some((mut connection, since)) = kept {
            match answered(run_all(&mut connection, &begin)).await {
                Ok(rows) => begun = Some((connection, since, rows)),
                // The server refused, and would again.
                Err(error @ sqlx::Error::Database(_)) if !is_gone(&error) => return Err(error.into()),
                Err(error) => tracing::debug!(error = %error, "the connection that writes is replaced"),
            }
        }
        let (connection, since, mut rows) = match begun {
            Some(begun) => begun,
            None => {
                let mut connection = writer.connect().await?;
                let rows = answered(run_all(&mut connection, &begin)).await?;
                (connection, Instant::now(), rows)
            }
        };
        rows.iter_mut().for_each(|(statement, _)| *statement -= statements_before);
        let begun = Self { connection, since, place, waiting: Waiting::default(), keeps_plans };
        Ok((begun, rows, with_begin.len()))
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
        for rows in portions(WIDTH, rows.as_flattened()) {
            let parameters = self.parameters_beside(insert).await?;
            let set = parameters.bind_columns(WIDTH, rows)?;
            self.waiting.statements.push(format!("{insert} select * from {set} {after}"));
        }
        Ok(())
    }

    pub(super) async fn write_keyed<const WIDTH: usize>(
        &mut self,
        (before, after): Parts<'_>,
        keys: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        self.plan_anew().await?;
        for keys in portions(WIDTH, keys.as_flattened()) {
            let parameters = self.parameters_beside(before).await?;
            let keys = parameters.bind_keys(WIDTH, keys)?;
            self.waiting.statements.push(format!("{before} {keys} {after}"));
        }
        Ok(())
    }

    pub(super) async fn set_each<const WIDTH: usize>(
        &mut self,
        Update { table, column, key, condition }: &Update<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> Result<(), Error> {
        let keys: Vec<String> = (1..WIDTH).map(|number| format!("key_{number}")).collect();
        let keys = keys.join(", ");
        let update = format!("update {table} set {column} = new_value");
        self.plan_anew().await?;
        for rows in portions(WIDTH, rows.as_flattened()) {
            let parameters = self.parameters_beside(&update).await?;
            let rows = parameters.bind_columns(WIDTH, rows)?;
            let named = format!("from {rows} as named (new_value, {keys}) where ({key}) = ({keys})");
            self.waiting.statements.push(format!("{update} {named} {condition}"));
        }
        Ok(())
    }

    pub(super) async fn look_up<T>(
        &mut self,
        LookUp { before, after, width, keys }: &LookUp<'_>,
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.flush().await?;
        self.plan_anew().await?;
        let mut found = Vec::new();
        for keys in portions(*width, keys) {
            let mut parameters = Parameters::default();
            let text = format!("{before} {} {after}", parameters.bind_keys(*width, keys)?);
            self.fetch(text, parameters.arguments, &read, &mut found).await?;
        }
        Ok(found)
    }

    pub(super) async fn execute(&mut self, text: &str, parameters: &[Value<'_>]) -> Result<u64, Error> {
        let mut bound = Parameters::default();
        bound.bind(parameters)?;
        self.run(text.to_owned(), bound).await
    }

    /// Runs a statement, after what waits. Returns how many rows it touched.
    async fn run(&mut self, text: String, parameters: Parameters) -> Result<u64, Error> {
        self.flush().await?;
        self.plan_anew().await?;
        let statement = sqlx::query_with(AssertSqlSafe(text), parameters.arguments);
        Ok(answered(statement.execute(&mut self.connection)).await?.rows_affected())
    }

    pub(super) async fn select<T>(
        &mut self,
        text: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&Found<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.flush().await?;
        self.plan_anew().await?;
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

    /// The parameters of what waits, for a statement that begins like this to wait beside. A statement does not see what another
    /// one beside it writes, so each table is written once at a time.
    async fn parameters_beside(&mut self, beginning: &str) -> Result<&mut Parameters, Error> {
        let table = table_of(beginning);
        if self.waiting.tables.iter().any(|waiting| waiting == table)
            || self.waiting.parameters.bytes > BYTES_PER_STATEMENT
        {
            self.flush().await?;
        }
        self.waiting.tables.push(table.to_owned());
        Ok(&mut self.waiting.parameters)
    }

    async fn plan_anew(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.keeps_plans) {
            answered(self.connection.execute(PLAN_ANEW)).await?;
        }
        Ok(())
    }

    /// Sends what waits: one statement, with the others in its `with`.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let Waiting { mut statements, parameters, .. } = std::mem::take(&mut self.waiting);
        let Some(last) = statements.pop() else { return Ok(()) };
        let others: Vec<String> = (0..).zip(&statements).map(|(n, text)| format!("others_{n} as ({text})")).collect();
        let text = if others.is_empty() { last } else { format!("with {} {last}", others.join(", ")) };
        answered(sqlx::query_with(AssertSqlSafe(text), parameters.arguments).execute(&mut self.connection)).await?;
        Ok(())
    }
}

/// Runs statements without parameters. Returns the rows of each, with its number.
async fn run_all(connection: &mut PgConnection, statements: &str) -> Result<Vec<(usize, PgRow)>, sqlx::Error> {
    let mut answers = connection.fetch_many(AssertSqlSafe(statements));
    let (mut statement, mut rows) = (0, Vec::new());
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(_) => statement += 1,
            Either::Right(row) => rows.push((statement, row)),
        }
    }
    Ok(rows)
}

/// The table that a statement writes: `insert into TABLE …`, `update TABLE …` or `delete from TABLE …`.
fn table_of(statement: &str) -> &str {
    let mut words = statement.split_whitespace();
    if words.next() != Some("update") {
        words.next();
    }
    words.next().unwrap_or_default()
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
