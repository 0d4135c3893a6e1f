//! Connections: what is set on each, and what pools them.

use std::time::Duration;

use sqlx::{AnyPool, AssertSqlSafe, Executor as _, any::AnyPoolOptions, postgres::PgConnectOptions};

use crate::{Backend, Readers};

/// How long a caller waits for a connection to a server before it is told to come again.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How many connections to a server read by keys at most.
const CONNECTIONS_BY_KEY: u32 = 4;
/// How long a connection to a server is used before another takes its place, so that those that are opened after a failover
/// or to another address come to be used, and what a server keeps for each does not grow for ever.
pub(crate) const CONNECTION_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// After how long a connection is no longer taken for sound because it was.
pub(crate) const TESTED_AFTER: Duration = Duration::from_secs(1);
/// How long a server may take to say that it is there; less than a caller waits for a connection, so that it gets another.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection to a server may be unused before it is closed.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// How long a caller waits for a connection to a file.
const SQLITE_PATIENCE: Duration = Duration::from_secs(10);

/// `synchronous = full`: a commit that was acknowledged survives a power cut.
pub(crate) const SQLITE_PRAGMAS: &str = "
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
pub(crate) const SQLITE_WRITER_PRAGMAS: &str = "pragma cache_size = -65536;";

/// `plan_cache_mode`: a plan made while a table was empty reads all of it for ever after, until the table is analysed.
/// To plan each statement anew costs less. `standard_conforming_strings`: what stands quoted in a statement is quoted for that.
/// `tcp_…`: the server lets go of a client that is gone, and of its locks, within minutes
/// rather than hours; what not every system's server takes is not set.
const POSTGRES_SETTINGS: &str = "
    set statement_timeout = '30s';
    set idle_in_transaction_session_timeout = '10s';
    set lock_timeout = '10s';
    set plan_cache_mode = force_custom_plan;
    set standard_conforming_strings = on;
    set tcp_keepalives_idle = 30;
    set tcp_keepalives_interval = 10;
";

/// Where a database on a server is.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// As sqlx reads it.
    pub(crate) url: String,
    /// The schema that has all tables; without one, the connection's own.
    pub(crate) schema: Option<String>,
}

impl Server {
    /// Takes what is ours from a URL: `schema=NAME` among its parameters.
    ///
    /// # Errors
    /// Says what is wrong with the name.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let Some((address, parameters)) = url.split_once('?') else {
            return Ok(Self { url: url.to_owned(), schema: None });
        };
        let (ours, others): (Vec<&str>, Vec<&str>) =
            parameters.split('&').partition(|parameter| parameter.starts_with("schema="));
        let schema = ours.last().map(|parameter| parameter["schema=".len()..].to_owned());
        if let Some(schema) = &schema {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
            if !schema.chars().all(plain) || !(1..=63).contains(&schema.len()) || schema.starts_with("pg_") {
                return Err("a schema's name has 1 to 63 of a-z, 0-9 and _, and does not begin with pg_".to_owned());
            }
        }
        let others = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        Ok(Self { url: format!("{address}{others}"), schema })
    }

    pub(crate) fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.url.parse()
    }

    /// What every connection that reads or writes is told first.
    pub(crate) fn settings(&self) -> String {
        format!("{POSTGRES_SETTINGS}{}", self.search_path())
    }

    fn search_path(&self) -> String {
        self.schema.as_ref().map(|schema| format!("set search_path to \"{schema}\";")).unwrap_or_default()
    }

    /// A connection to migrate with, inside the schema, which is created if absent.
    pub(crate) fn migrating(&self) -> Result<AnyPool, sqlx::Error> {
        let (schema, search_path) = (self.schema.clone(), self.search_path());
        let options = AnyPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
        let options = options.after_connect(move |connection, _| {
            // A server may have limits for everybody.
            let settings = AssertSqlSafe(format!("set statement_timeout = 0; set lock_timeout = 0; {search_path}"));
            let create = schema.as_ref().map(|schema| format!("create schema if not exists \"{schema}\""));
            Box::pin(async move {
                if let Some(create) = create
                    && connection.execute(AssertSqlSafe(create.clone())).await.is_err()
                {
                    // Of two that create it at once one fails, when the other has.
                    connection.execute(AssertSqlSafe(create)).await?;
                }
                connection.execute(settings).await.map(|_| ())
            })
        });
        options.connect_lazy(&self.url)
    }

    /// At most so many connections that read.
    pub(crate) fn readers(&self, connections: u32) -> Readers {
        Readers::new(Backend::Postgres, self.url.clone(), self.settings(), connections, CONNECT_TIMEOUT)
    }

    /// Connections whose statements keep their plans where that costs no more than others would.
    pub(crate) fn readers_by_key(&self) -> Readers {
        let settings = format!("{}set plan_cache_mode = auto;", self.settings());
        Readers::new(Backend::Postgres, self.url.clone(), settings, CONNECTIONS_BY_KEY, CONNECT_TIMEOUT)
    }
}

/// At most so many connections that read a file.
pub(crate) fn sqlite_readers(url: &str, connections: u32) -> Readers {
    Readers::new(Backend::Sqlite, url.to_owned(), SQLITE_PRAGMAS.to_owned(), connections, SQLITE_PATIENCE)
}

/// A connection to a file for what is not written in a transaction.
pub(crate) fn sqlite_pool(url: &str) -> Result<AnyPool, sqlx::Error> {
    let options = AnyPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(SQLITE_PATIENCE)
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .after_connect(|connection, _| Box::pin(async { connection.execute(SQLITE_PRAGMAS).await.map(|_| ()) }));
    options.connect_lazy(url)
}

/// The path in what follows `sqlite:`, as sqlx reads it.
pub(crate) fn sqlite_path(path: &str) -> &str {
    path.trim_start_matches("//")
}

/// Makes a path into sqlx's URL, which decodes percent signs and cuts at question marks.
pub(crate) fn sqlite_url(path: &str) -> String {
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}?mode=rwc")
}

/// The URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    let mut shown = url.to_owned();
    if let (Some(scheme), Some(at)) = (url.find("://"), url.rfind('@'))
        && let Some(colon) = url.get(scheme + 3..at).and_then(|user| user.find(':'))
    {
        shown = format!("{}:***{}", &url[..scheme + 3 + colon], &url[at..]);
    }
    for start in ["?password=", "&password="] {
        if let Some(value) = shown.find(start).map(|at| at + start.len()) {
            let end = shown[value..].find('&').map_or(shown.len(), |length| value + length);
            shown.replace_range(value..end, "***");
        }
    }
    shown
}

impl Backend {
    /// Writes a migration for this database. PostgreSQL would order texts by the language its cluster was made for, and
    /// differently after an upgrade of the system's library; and its tables are never kept in the order of a key.
    pub(crate) fn migration(self, sql: &str) -> String {
        match self {
            Self::Sqlite => sql.to_owned(),
            Self::Postgres => {
                sql.replace(" text not null", " text collate \"C\" not null").replace(") without rowid;", ");")
            }
        }
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
        let url = "postgres://host/db?user=me&password=secret&sslmode=require";
        assert_eq!(without_password(url), "postgres://host/db?user=me&password=***&sslmode=require");
    }

    #[test]
    fn a_schema_is_ours_and_the_rest_is_the_drivers() {
        let server = Server::parse("postgres://host/db?sslmode=require&schema=orders&application_name=x").unwrap();
        assert_eq!(server.url, "postgres://host/db?sslmode=require&application_name=x");
        assert_eq!(server.schema.as_deref(), Some("orders"));
        assert_eq!(Server::parse("postgres://host/db?schema=a").unwrap().url, "postgres://host/db");
        assert_eq!(Server::parse("postgres://host/db").unwrap().schema, None);
        for name in ["", "Orders", "a\"b", "a;b", "pg_x", "ä", &"a".repeat(64)] {
            assert!(Server::parse(&format!("postgres://host/db?schema={name}")).is_err(), "{name}");
        }
    }
}
