//! `rapport serve` as a process of its own. The benchmark's own program plays it.

use std::net::TcpListener;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser as _;
use rapport::cli::Cli;
use runtime::Peer;
use tempfile::TempDir;

/// Set where the program plays the server.
const PLAYED: &str = "RAPPORT_BENCH_PLAYS_SERVER";

/// A running suite. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    address: String,
    _folder: TempDir,
}

/// Plays the server if that is wanted.
pub(crate) fn play() -> Option<ExitCode> {
    std::env::var_os(PLAYED)?;
    // It goes with the benchmark, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    Some(Cli::try_parse_from(["rapport", "serve"]).unwrap().run())
}

impl Server {
    /// Starts a suite with an empty folder, on the first core if it is to be kept apart.
    pub(crate) fn start(apart: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let program = std::env::current_exe().unwrap();
        let mut command = if apart { Command::new("taskset") } else { Command::new(&program) };
        if apart {
            command.args(["-c", "0"]).arg(&program);
        }
        let child = command
            .env(PLAYED, "1")
            .env("RAPPORT_LISTEN", &address)
            .env("RAPPORT_DATA_DIR", folder.path())
            .env("RAPPORT_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let server = Self { child: child.unwrap(), address, _folder: folder };
        while std::net::TcpStream::connect(&server.address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection of its own to it.
    pub(crate) fn peer(&self) -> Peer {
        runtime::peer(&format!("http://{}", self.address), None).unwrap()
    }

    /// The memory in use, in MB, as Linux tells it.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
