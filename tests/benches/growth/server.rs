//! The PostgreSQL server that `TEST_DATABASE_URL` names: what its processes use, if they run on this machine.

use tests::process;
use tokio_postgres::{Client, NoTls};

/// A server.
#[derive(Clone)]
pub(crate) struct Server {
    url: String,
    /// The process that started all others; none on another machine.
    first: Option<String>,
    shared: String,
}

impl Server {
    /// The server, if there is one.
    pub(crate) async fn find() -> Option<Self> {
        let url = std::env::var("TEST_DATABASE_URL").ok()?;
        let client = connect(&url).await;
        let row = client.query_one("select pg_backend_pid(), current_setting('shared_buffers')", &[]).await.unwrap();
        let first = process::parent(&row.get::<_, i32>(0).to_string());
        Some(Self { url, first, shared: row.get(1) })
    }

    /// A connection.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url).await
    }

    /// The processor time of all its processes so far, those that have ended included, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let Some(first) = &self.first else { return 0.0 };
        let children = process::children(first);
        let running: f64 = children.iter().map(|child| process::cpu_seconds(child)).sum();
        process::cpu_seconds(first) + process::ended_children_cpu_seconds(first) + running
    }

    /// The memory that its processes do not share, in MB.
    pub(crate) fn megabytes(&self) -> f64 {
        let Some(first) = &self.first else { return 0.0 };
        let children = process::children(first);
        process::own_megabytes(first) + children.iter().map(|child| process::own_megabytes(child)).sum::<f64>()
    }

    /// How much memory they share, as the server says it.
    pub(crate) fn shared(&self) -> &str {
        &self.shared
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
