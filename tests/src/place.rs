//! Where a suite keeps its data: a temporary folder, or schemas of its own on the server that `TEST_DATABASE_URL` names.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use store::testing::administrate;
use tempfile::TempDir;

/// The services, each with a database of its own.
pub const SERVICES: [&str; 5] = ["accounts", "orders", "interactions", "feedback", "aggregator"];

/// A place for one suite's data, gone with it.
pub struct Place {
    folder: TempDir,
    schemas: Option<Schemas>,
}

/// A schema for each service.
pub struct Schemas {
    server: String,
    /// Begins their names, and is the name under which the server knows the suite.
    name: String,
}

impl Place {
    /// An empty place: on the server, if there is one.
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let schemas = std::env::var("TEST_DATABASE_URL").ok().map(|server| {
            let name = format!("suite_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            Schemas { server, name }
        });
        Self { folder: TempDir::new().unwrap(), schemas }
    }

    /// An empty place in a folder, whether there is a server or not.
    pub fn folder() -> Self {
        Self { folder: TempDir::new().unwrap(), schemas: None }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The schemas, if it is on a server.
    pub fn schemas(&self) -> Option<&Schemas> {
        self.schemas.as_ref()
    }

    /// The URL of a service's database; none for a file in the folder.
    pub(crate) fn url(&self, service: &str) -> Option<String> {
        self.schemas.as_ref().map(|schemas| schemas.url(service))
    }

    /// Loses a service's database.
    pub(crate) async fn lose(&self, service: &str) {
        match &self.schemas {
            Some(schemas) => schemas.run(&format!("drop schema {} cascade", schemas.of(service))).await,
            None => {
                for end in ["db", "db-wal", "db-shm"] {
                    // Not every file is there at every time.
                    let _ = std::fs::remove_file(self.path().join(format!("{service}.{end}")));
                }
            }
        }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Schemas {
    /// The name of a service's schema.
    pub fn of(&self, service: &str) -> String {
        format!("{}_{service}", self.name)
    }

    /// Runs a statement.
    pub async fn run(&self, statement: &str) {
        administrate(&self.server, statement.to_owned()).await.unwrap();
    }

    fn url(&self, service: &str) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}schema={}&application_name={}", self.server, self.of(service), self.name)
    }
}

/// A suite that failed leaves its schemas behind, to be looked at.
impl Drop for Schemas {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let drops: String =
            SERVICES.iter().map(|service| format!("drop schema if exists {} cascade;", self.of(service))).collect();
        // What is still connected would have locks.
        let statement = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{}'; {drops}",
            self.name
        );
        let server = self.server.clone();
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(administrate(&server, statement)).map_err(std::io::Error::other)
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the schemas of {} could not be dropped", self.name);
        }
    }
}
