//! Opening a database by its URL.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Once},
};

use sqlx::{
    AnyPool, AssertSqlSafe, SqlSafeStr as _,
    migrate::{MigrateError, MigrationType, Migrator},
};
use tokio::sync::{Mutex, mpsc};

use crate::{
    Error, Readers, Transaction,
    connect::{
        SQLITE_PRAGMAS, SQLITE_WRITER_PRAGMAS, Server, sqlite_path, sqlite_pool, sqlite_readers, sqlite_url,
        without_password,
    },
    transaction::{PostgresWriter, Writer, open_sqlite},
};

/// How many connections read, unless something else is said.
pub const CONNECTIONS: u32 = 8;

/// Which database it is. Everything that differs between the two is asked of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file of its own, in this process.
    Sqlite,
    /// A server.
    Postgres,
}

/// A step in the making of a database's tables, embedded with `include_str!`. Never edited once landed.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The number in the file's name.
    pub version: i64,
    /// The rest of the file's name.
    pub name: &'static str,
    /// One text for both databases. A `text not null` compares by its bytes on both, as SQLite has it. `without rowid` is for
    /// SQLite only.
    pub sql: &'static str,
}

/// An open database: connections to read with and a connection to write with.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which one.
    pub backend: Backend,
    /// For reading.
    pub reader: Readers,
    /// For reading rows of a table by their keys, and nothing else: a server keeps the plans of such statements, which take
    /// longer to make than the reading takes. Of other statements a plan made while a table was small may be a bad one later.
    pub reader_by_key: Readers,
    /// For writing without a [`Transaction`]: one connection, which is opened as it is first used.
    pub writer: AnyPool,
    /// For [`Transaction`]s.
    pub(crate) transactions: Writer,
}

const FEED: [Migration; 2] = [
    Migration { version: 1, name: "feed", sql: include_str!("../migrations/0001_feed.sql") },
    Migration { version: 2, name: "leases", sql: include_str!("../migrations/0002_leases.sql") },
];

impl Database {
    /// As [`Database::open_with`], with as many connections as is usual.
    ///
    /// # Errors
    /// As [`Database::open_with`].
    pub async fn open(url: &str, migrations: &[Migration]) -> Result<Self, Error> {
        Self::open_with(url, migrations, CONNECTIONS).await
    }

    /// Opens `sqlite:PATH` (created if absent) or `postgres://…`, and brings the feed's tables and the given ones up to date.
    /// So many connections read. With `schema=NAME` among a server's URL's parameters, all tables are in that schema, which is
    /// created if absent.
    ///
    /// # Errors
    /// [`Error::Open`] if the URL is neither, the database cannot be reached, or it was migrated by a newer program.
    pub async fn open_with(url: &str, migrations: &[Migration], connections: u32) -> Result<Self, Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let failed = |reason: String| Error::Open { url: without_password(url), reason };
        let unreached = |error: sqlx::Error| failed(error.to_string());
        match url.split_once(':') {
            // Each connection would have a memory of its own.
            Some(("sqlite", path)) if sqlite_path(path).starts_with(":memory:") => {
                Err(failed("a database in memory cannot be shared; name a file".to_owned()))
            }
            Some(("sqlite", path)) if !sqlite_path(path).is_empty() => {
                let url = sqlite_url(path);
                let writer = sqlite_pool(&url).map_err(unreached)?;
                migrate_sqlite(&writer, "feed_migrations", &FEED).await.map_err(failed)?;
                migrate_sqlite(&writer, "migrations", migrations).await.map_err(failed)?;
                let connection = open_sqlite(sqlite_path(path), &[SQLITE_PRAGMAS, SQLITE_WRITER_PRAGMAS])
                    .map_err(|error| failed(error.to_string()))?;
                let reader = sqlite_readers(&url, connections);
                Ok(Self {
                    backend: Backend::Sqlite,
                    reader_by_key: reader.clone(),
                    reader,
                    writer,
                    transactions: Writer::Sqlite(Arc::new(Mutex::new(Some(connection)))),
                })
            }
            Some(("postgres" | "postgresql", _)) => {
                let server = Server::parse(url).map_err(failed)?;
                migrate_postgres(&server, [("feed_migrations", &FEED), ("migrations", migrations)])
                    .await
                    .map_err(failed)?;
                Ok(Self {
                    backend: Backend::Postgres,
                    reader: server.readers(connections),
                    reader_by_key: server.readers_by_key(),
                    writer: server.migrating().map_err(unreached)?,
                    transactions: Writer::Postgres(PostgresWriter::new(server).map_err(unreached)?),
                })
            }
            _ => Err(failed("expected `sqlite:PATH` or `postgres://…`".to_owned())),
        }
    }

    /// Begins a transaction that writes. There is one at a time; others wait for its end.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        Transaction::begin(&self.transactions).await
    }

    /// The same database, whose transactions do not wait for those of this one on PostgreSQL. SQLite knows one at a time.
    #[must_use]
    pub fn with_own_writer(&self) -> Self {
        let transactions = match &self.transactions {
            Writer::Sqlite(writer) => Writer::Sqlite(writer.clone()),
            Writer::Postgres(writer) => Writer::Postgres(writer.another()),
        };
        Self { transactions, ..self.clone() }
    }

    /// Starts what writes, and returns what ends with it. A [`Transaction`] on SQLite blocks its thread, so it gets one of its
    /// own there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there can be no further thread.
    pub fn run_writer(
        &self,
        writer: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Pin<Box<dyn Future<Output = ()> + Send>>, Error> {
        // Dropped as the writer ends, however it does.
        let (running, mut ended) = mpsc::channel::<Infallible>(1);
        let writer = async move {
            let _running = running;
            writer.await;
        };
        match self.backend {
            Backend::Sqlite => {
                // With timers of its own: the caller's runtime may end before the last transaction does.
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                let runtime = runtime.map_err(|error| Error::Unavailable(error.into()))?;
                let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
                let started = thread.spawn(move || runtime.block_on(writer));
                started.map_err(|error| Error::Unavailable(error.into()))?;
            }
            Backend::Postgres => {
                tokio::spawn(writer);
            }
        }
        Ok(Box::pin(async move {
            ended.recv().await;
        }))
    }

    /// Closes all connections; on SQLite this also folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.reader_by_key.close().await;
        self.writer.close().await;
        match &self.transactions {
            Writer::Sqlite(writer) => drop(writer.lock().await.take()),
            Writer::Postgres(writer) => writer.close().await,
        }
    }
}

impl Backend {
    /// The name in OpenTelemetry's semantic conventions (`db.system.name`).
    pub fn system_name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }

    /// Ends a `select` whose rows are to be locked until the transaction ends. SQLite's writer has locked everything already.
    pub(crate) fn lock_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update",
        }
    }
}

async fn migrate_sqlite(pool: &AnyPool, table: &'static str, migrations: &[Migration]) -> Result<(), String> {
    let migrator = migrator(Backend::Sqlite, table, migrations);
    let mut result = migrator.run(pool).await;
    for _ in migrations {
        // Two processes may open a new file at once, and sqlx takes no lock there. The slower one finds the step done when it
        // looks again.
        if result.is_err() {
            result = migrator.run(pool).await;
        }
    }
    result.map_err(|error| refused(error, table))
}

/// Over a connection of its own, which has no time limits: who comes second waits for as long as the first one's steps take.
async fn migrate_postgres(server: &Server, steps: [(&'static str, &[Migration]); 2]) -> Result<(), String> {
    let pool = server.migrating().map_err(|error| error.to_string())?;
    for (table, migrations) in steps {
        let migrator = migrator(Backend::Postgres, table, migrations);
        migrator.run(&pool).await.map_err(|error| refused(error, table))?;
    }
    pool.close().await;
    Ok(())
}

fn migrator(backend: Backend, table: &'static str, migrations: &[Migration]) -> Migrator {
    let steps = migrations.iter().map(|step| {
        let sql = AssertSqlSafe(backend.migration(step.sql)).into_sql_str();
        sqlx::migrate::Migration::new(step.version, step.name.into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(steps.collect());
    migrator.dangerous_set_table_name(table);
    migrator
}

fn refused(error: MigrateError, table: &str) -> String {
    match error {
        MigrateError::VersionMissing(version) => {
            format!("a newer version of this program has migrated it (step {version} of `{table}` is not known here)")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_scheme_is_refused_with_the_ones_that_work() {
        let error = Database::open("mysql://x", &[]).await.unwrap_err().to_string();
        assert!(error.contains("sqlite:PATH"), "{error}");
    }
}
