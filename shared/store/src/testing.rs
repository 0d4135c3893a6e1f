//! A database of its own for each test, on either backend.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

/// A place for one test's database, gone afterwards.
pub struct Scratch {
    /// What to open.
    pub url: String,
    server: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl Scratch {
    /// A SQLite file in a temporary folder, under a name that a URL would have to escape.
    ///
    /// # Errors
    /// If there is no place for temporary files.
    pub fn sqlite() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("a b%20c?d#é.db").display());
        Ok(Self { url, server: None, _folder: Some(folder) })
    }

    /// A schema of its own on the server that `TEST_DATABASE_URL` names; none if it names none.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn postgres() -> Result<Option<Self>, sqlx::Error> {
        static SCHEMAS: AtomicU64 = AtomicU64::new(0);
        let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
            return Ok(None);
        };
        let schema = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        administrate(&server, format!("create schema {schema}")).await?;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-c%20search_path={schema}&application_name={schema}");
        Ok(Some(Self { url, server: Some((server, schema)), _folder: None }))
    }

    /// The same place, for another process. It goes with this one.
    pub fn shared(&self) -> Self {
        Self { url: self.url.clone(), server: None, _folder: None }
    }

    /// The schema's name, which is also the name of the application that the server knows; none on SQLite.
    pub fn schema(&self) -> Option<&str> {
        self.server.as_ref().map(|(_, schema)| schema.as_str())
    }

    /// Runs a statement on the server, over a connection of its own. Nothing happens on SQLite.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub async fn administrate(&self, statement: String) -> Result<(), sqlx::Error> {
        match &self.server {
            Some((server, _)) => administrate(server, statement).await,
            None => Ok(()),
        }
    }

    /// Removes what a server keeps of it. A test that fails before leaves its schema behind, to be looked at.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn drop_schema(&self) -> Result<(), sqlx::Error> {
        match self.schema() {
            Some(schema) => self.administrate(format!("drop schema {schema} cascade")).await,
            None => Ok(()),
        }
    }
}

/// Runs statements on a server, over a connection of its own.
///
/// # Errors
/// If the server cannot be reached or refuses.
pub async fn administrate(server: &str, statement: String) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}
