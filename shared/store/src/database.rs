//! Opening a database by its URL.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Once},
    time::Duration,
};

use sqlx::{
    AnyPool, AssertSqlSafe, Executor as _, SqlSafeStr as _,
    any::AnyPoolOptions,
    migrate::{MigrateError, MigrationType, Migrator},
};

use tokio::sync::{Mutex, mpsc};

use crate::{
    Error, Transaction,
    transaction::{SqliteWriter, open_sqlite},
};

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

/// An open database: a pool to read with and a connection to write with.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which one.
    pub backend: Backend,
    /// For reading.
    pub reader: AnyPool,
    /// For migrations, and on PostgreSQL for [`Transaction`]s: one connection.
    pub writer: AnyPool,
    /// On SQLite, the connection of [`Transaction`]s.
    pub(crate) sqlite: Option<Arc<Mutex<SqliteWriter>>>,
}

const FEED: [Migration; 2] = [
    Migration { version: 1, name: "feed", sql: include_str!("../migrations/0001_feed.sql") },
    Migration { version: 2, name: "leases", sql: include_str!("../migrations/0002_leases.sql") },
];

/// `synchronous = full`: a commit that was acknowledged survives a power cut.
const SQLITE_PRAGMAS: &str = "
    pragma page_size = 8192;
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma busy_timeout = 5000;
    pragma foreign_keys = on;
    pragma wal_autocheckpoint = 16000;
    pragma cache_size = -16384;
";
/// Of the one connection that writes: so much that what a large transaction has written once is not written out before its
/// end, and then again.
const SQLITE_WRITER_PRAGMAS: &str = "pragma cache_size = -65536;";
/// `plan_cache_mode`: a plan made while a table was empty reads all of it for ever after, until the table is analysed.
/// To plan each statement anew costs less.
const POSTGRES_SETTINGS: &str = "
    set statement_timeout = '30s';
    set idle_in_transaction_session_timeout = '10s';
    set lock_timeout = '10s';
    set plan_cache_mode = force_custom_plan;
";

impl Database {
    /// Opens `sqlite:PATH` (created if absent) or `postgres://…`, and brings the feed's tables and the given ones up to date.
    ///
    /// # Errors
    /// [`Error::Open`] if the URL is neither, the database cannot be reached, or it was migrated by a newer program.
    pub async fn open(url: &str, migrations: &[Migration]) -> Result<Self, Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let failed = |reason: String| Error::Open { url: without_password(url), reason };
        let (backend, address) = match url.split_once(':') {
            // Each connection would have a memory of its own.
            Some(("sqlite", path)) if sqlite_path(path).starts_with(":memory:") => {
                return Err(failed("a database in memory cannot be shared; name a file".to_owned()));
            }
            Some(("sqlite", path)) if !sqlite_path(path).is_empty() => (Backend::Sqlite, sqlite_url(path)),
            Some(("postgres" | "postgresql", _)) => (Backend::Postgres, url.to_owned()),
            _ => return Err(failed("expected `sqlite:PATH` or `postgres://…`".to_owned())),
        };
        let mut database = Self {
            backend,
            writer: pool(backend, 1).connect_lazy(&address).map_err(|error| failed(error.to_string()))?,
            reader: pool(backend, 8).connect_lazy(&address).map_err(|error| failed(error.to_string()))?,
            sqlite: None,
        };
        database.migrate("feed_migrations", &FEED).await.map_err(failed)?;
        database.migrate("migrations", migrations).await.map_err(failed)?;
        if let (Backend::Sqlite, Some((_, path))) = (backend, url.split_once(':')) {
            let connection = open_sqlite(sqlite_path(path), &[SQLITE_PRAGMAS, SQLITE_WRITER_PRAGMAS])
                .map_err(|error| failed(error.to_string()))?;
            database.sqlite = Some(Arc::new(Mutex::new(Some(connection))));
        }
        Ok(database)
    }

    async fn migrate(&self, table: &'static str, migrations: &[Migration]) -> Result<(), String> {
        let steps = migrations.iter().map(|step| {
            let sql = AssertSqlSafe(self.backend.migration(step.sql)).into_sql_str();
            sqlx::migrate::Migration::new(step.version, step.name.into(), MigrationType::Simple, sql, false)
        });
        let mut migrator = Migrator::with_migrations(steps.collect());
        migrator.dangerous_set_table_name(table);
        let mut result = migrator.run(&self.writer).await;
        for _ in migrations {
            // Two processes may open a new file at once, and sqlx takes no lock there. The slower one finds the step done
            // when it looks again.
            if result.is_err() && self.backend == Backend::Sqlite {
                result = migrator.run(&self.writer).await;
            }
        }
        result.map_err(|error| match error {
            MigrateError::VersionMissing(version) => {
                format!(
                    "a newer version of this program has migrated it (step {version} of `{table}` is not known here)"
                )
            }
            error => error.to_string(),
        })
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        Transaction::begin(self).await
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
        self.writer.close().await;
        if let Some(sqlite) = &self.sqlite {
            drop(sqlite.lock().await.take());
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

    /// Writes a migration for this database. PostgreSQL would order texts by the language its cluster was made for, and
    /// differently after an upgrade of the system's library; and its tables are never kept in the order of a key.
    fn migration(self, sql: &str) -> String {
        match self {
            Self::Sqlite => sql.to_owned(),
            Self::Postgres => {
                sql.replace(" text not null", " text collate \"C\" not null").replace(") without rowid;", ");")
            }
        }
    }
}

/// The path in what follows `sqlite:`, as sqlx reads it.
fn sqlite_path(path: &str) -> &str {
    path.trim_start_matches("//")
}

/// Makes a path into sqlx's URL, which decodes percent signs and cuts at question marks.
fn sqlite_url(path: &str) -> String {
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}?mode=rwc")
}

fn pool(backend: Backend, connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(backend == Backend::Postgres)
        .max_lifetime(None)
        .idle_timeout(None)
        .after_connect(move |connection, _| {
            let settings = match backend {
                Backend::Sqlite => SQLITE_PRAGMAS,
                Backend::Postgres => POSTGRES_SETTINGS,
            };
            Box::pin(async move { connection.execute(settings).await.map(|_| ()) })
        })
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) => match url[scheme + 3..at].find(':') {
            Some(colon) => format!("{}:***{}", &url[..scheme + 3 + colon], &url[at..]),
            None => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_password("postgres://me:secret@host/db"), "postgres://me:***@host/db");
        assert_eq!(without_password("postgres://me@host/db"), "postgres://me@host/db");
        assert_eq!(without_password("sqlite:a@b:c"), "sqlite:a@b:c");
    }

    #[tokio::test]
    async fn another_scheme_is_refused_with_the_ones_that_work() {
        let error = Database::open("mysql://x", &[]).await.unwrap_err().to_string();
        assert!(error.contains("sqlite:PATH"), "{error}");
    }
}
