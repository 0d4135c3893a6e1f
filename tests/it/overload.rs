//! Many clients: what they cost, and whom they hold up. What single connections may ask for is tried in
//! `shared/runtime/src/abuse.rs`, against the same server.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clap::Parser as _;
use rapport::cli::Cli;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Set where the test binary plays a server.
const PLAYED: &str = "RAPPORT_OVERLOAD_PROCESS";

/// Not a test by itself: the server of the test below.
#[test]
fn a_server() {
    if std::env::var_os(PLAYED).is_none() {
        return;
    }
    // It goes with the test that it is part of, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let code = Cli::try_parse_from(["rapport", "serve", "accounts"]).unwrap().run();
    panic!("the server ended by itself with {code:?}");
}

/// A server as a process of its own, whose memory is its own.
struct Process {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Process {
    fn start(connections: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["overload::a_server", "--exact", "--nocapture"])
            .env(PLAYED, "1")
            .env("RAPPORT_LISTEN", &address)
            .env("RAPPORT_DATA_DIR", folder.path())
            .env("RAPPORT_MAX_CONNECTIONS_PER_ADDRESS", (connections + 10).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self { child: child.unwrap(), address, _folder: folder }
    }

    async fn connect(&self) -> TcpStream {
        tests::eventually(async || TcpStream::connect(&self.address).await.ok()).await
    }

    /// Its memory in use, in bytes, as Linux tells it.
    fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says what every HTTP/2 client says first, and waits until the server has answered that.
async fn greet(stream: &mut TcpStream) {
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut header = [0; 9];
    tokio::time::timeout(Duration::from_secs(60), stream.read_exact(&mut header)).await.unwrap().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_idle_connections_cost_little_and_hold_up_nobody() {
    // As many as the system lets both ends have, and thousands where it does.
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files = files.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    let count = (files / 2).saturating_sub(200).min(3_000);
    let process = Process::start(count);
    let mut first = process.connect().await;
    greet(&mut first).await;
    let before = process.resident();
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = process.connect().await;
        greet(&mut stream).await;
        idle.push(stream);
    }
    let each = process.resident().saturating_sub(before) / count;
    eprintln!("{count} idle connections, {each} bytes each");
    assert!(each < 64 << 10, "{each} bytes for each of {count} connections");
    greet(&mut process.connect().await).await;
}
