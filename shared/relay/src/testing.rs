//! NATS servers of a test's own.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A server with JetStream, on a port and a folder that stay the same when it is started again.
pub struct Server {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts one. `TEST_NATS_SERVER` names the program; `tests/nats.sh` sets it.
    ///
    /// # Panics
    /// If it cannot be started; as all of these do.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let program = std::env::var("TEST_NATS_SERVER").expect("run me by tests/nats.sh");
        fs::copy(program, folder.path().join("nats-server")).unwrap();
        if is_root() {
            run("chown", &["-R", "nobody", &folder.path().display().to_string()]);
        }
        // Free now; whoever takes it before the server does makes the test fail, not lie.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, process: None };
        server.start_again();
        server
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        let program = self.folder.path().join("nats-server");
        // A server has no business with what root may do.
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream", "--store_dir"]);
        let process = command.arg(self.store()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.process = Some(process);
    }

    /// Kills it, as by `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Whether any file of it holds these bytes.
    pub fn keeps(&self, bytes: &[u8]) -> bool {
        files(&self.store()).iter().any(|file| fs::read(file).unwrap().windows(bytes.len()).any(|found| found == bytes))
    }

    /// Removes everything from a stream.
    #[cfg(feature = "nats")]
    pub async fn purge(&self, stream: &str) {
        self.stream(stream).await.purge().await.unwrap();
    }

    /// How many messages of a stream were acknowledged by all its consumers together.
    #[cfg(feature = "nats")]
    pub async fn acknowledged(&self, stream: &str) -> u64 {
        use futures_util::TryStreamExt as _;

        let stream = self.stream(stream).await;
        let consumers: Vec<_> = stream.consumers().try_collect().await.unwrap();
        consumers.iter().map(|consumer| consumer.ack_floor.consumer_sequence).sum()
    }

    #[cfg(feature = "nats")]
    async fn stream(&self, name: &str) -> async_nats::jetstream::stream::Stream {
        let client = async_nats::connect(self.url()).await.unwrap();
        async_nats::jetstream::new(client).get_stream(name).await.unwrap()
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success());
}
