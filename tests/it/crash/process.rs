//! `rapport serve` as a process of its own, which can be killed. The test binary plays it.

use std::{
    fs::{self, File},
    iter::repeat_with,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use clap::Parser as _;
use rapport::cli::Cli;
use runtime::Peer;
use tempfile::TempDir;

/// Set where the test binary plays the process.
const PLAYED: &str = "RAPPORT_CRASH_PROCESS";

/// A suite's process, its data folder and its address. Dropping it ends the process.
pub(super) struct Process {
    folder: TempDir,
    address: String,
    child: Option<Child>,
}

/// Not a test by itself: the process that the stories kill.
#[test]
fn a_process() {
    if std::env::var_os(PLAYED).is_none() {
        return;
    }
    // It goes with the story that it is part of, however that ends.
    std::thread::spawn(|| {
        // An error tells the same as an end.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let code = Cli::try_parse_from(["rapport", "serve"]).unwrap().run();
    panic!("the suite ended by itself with {code:?}");
}

impl Process {
    /// A process that is yet to start, with an empty data folder.
    pub(super) fn new() -> Self {
        // A fixed address, so that clients find it again. Not one that the system gives to others in between.
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let first = 10_000 + std::process::id() as u16 % 1_000 * 20;
        let port = repeat_with(|| first + TAKEN.fetch_add(1, Ordering::Relaxed)).find(is_free).unwrap();
        Self { folder: TempDir::new().unwrap(), address: format!("127.0.0.1:{port}"), child: None }
    }

    /// Starts it. Callers that come too early are told that nobody is there.
    pub(super) fn start(&mut self) {
        assert!(self.child.is_none());
        let mut command = Command::new(std::env::current_exe().unwrap());
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("RAPPORT_") {
                command.env_remove(variable);
            }
        }
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let child = command
            .args(["crash::process::a_process", "--exact", "--nocapture"])
            .env(PLAYED, "1")
            .env("RAPPORT_LISTEN", &self.address)
            .env("RAPPORT_DATA_DIR", self.folder.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Kills it with SIGKILL: it gets to do nothing more.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Loses the database of a service.
    pub(super) fn lose(&self, service: &str) {
        assert!(self.child.is_none());
        for end in ["db", "db-wal", "db-shm"] {
            // Not every file is there at every time.
            let _ = fs::remove_file(self.folder.path().join("data").join(format!("{service}.{end}")));
        }
    }

    /// A channel to it, whether it runs or not.
    pub(super) fn peer(&self) -> Peer {
        runtime::peer(&format!("http://{}", self.address), None).unwrap()
    }

    /// Checks that it logged no error: neither a transaction that failed, nor a panic, nor a feed that did not go on.
    pub(super) fn assert_nothing_went_wrong(&self) {
        let log = fs::read_to_string(self.log()).unwrap();
        let wrong = |line: &&str| line.contains("ERROR") || line.contains("panicked");
        assert_eq!(log.lines().filter(wrong).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the last words of the process:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}
