//! Some of the services in a process of their own, so that what they use is told apart from what others use. The
//! benchmark's own program plays it, with the harness' suite: its clock stands still, so that nothing is done in the
//! background that was not asked for.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use aggregator::PeerAddresses;
use runtime::{Peer, ServeSettings};
use tests::{Place, SERVICES, Suite, process};

/// Set where the program plays a part: what it plays.
const PLAYED: &str = "RAPPORT_BENCH_PLAYS";
/// Where the aggregator finds the others.
const PEERS: &str = "RAPPORT_BENCH_PEERS";
const AGGREGATOR: &str = "aggregator";
const OTHERS: &str = "services";
const STOP: &str = "stop";

/// A running part. Dropping it ends it, and what it kept is gone.
pub(crate) struct Part {
    child: Child,
    /// Told the bytes of its caches to start with, or to stop.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    place: Kept,
    address: String,
}

/// Where a part keeps what it owns.
#[derive(Clone)]
pub(crate) enum Kept {
    /// In this folder, a file for each service.
    Folder(PathBuf),
    /// In schemas, whose names begin like this.
    Schemas(String),
}

/// Plays a part if that is wanted.
pub(crate) fn play() -> bool {
    let Ok(played) = env::var(PLAYED) else { return false };
    let others = env::var(PEERS).ok();
    let peers = PeerAddresses {
        accounts: others.clone(),
        orders: others.clone(),
        interactions: others.clone(),
        feedback: others,
    };
    let services: Vec<&str> =
        SERVICES.into_iter().filter(|name| (*name == AGGREGATOR) == (played == AGGREGATOR)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut place = Some(Place::new());
    let mut suite: Option<Suite> = None;
    // It goes with the benchmark, however that ends.
    for command in stdin().lines().map_while(Result::ok) {
        if let Some(suite) = suite.take() {
            place = Some(runtime.block_on(suite.end()));
        }
        if command == STOP {
            println!("stopped");
            continue;
        }
        let settings = ServeSettings { cache_bytes: command.parse().unwrap(), ..ServeSettings::default() };
        let begun = runtime.block_on(Suite::start_some(place.take().unwrap(), settings, &services, &peers));
        let folder = begun.context.settings.data_dir.display().to_string();
        let kept = begun.schemas().map_or(folder, |schemas| schemas.of(""));
        println!("{} {kept}", begun.context.own_uri());
        suite = Some(begun);
    }
    if let Some(suite) = suite {
        drop(runtime.block_on(suite.end()));
    }
    true
}

impl Part {
    /// Starts the services that own what happened.
    pub(crate) fn services() -> Self {
        Self::start(OTHERS, "")
    }

    /// Starts an aggregator that finds the others there.
    pub(crate) fn aggregator(peers: &str) -> Self {
        Self::start(AGGREGATOR, peers)
    }

    fn start(played: &str, peers: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let command = command.env(PLAYED, played).env(PEERS, peers).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let place = Kept::Schemas(String::new());
        let mut part = Self { child, commands, answers, place, address: String::new() };
        part.start_with(ServeSettings::default().cache_bytes);
        part
    }

    /// Starts it, again if it runs, with caches of so many bytes.
    pub(crate) fn start_with(&mut self, cache_bytes: usize) {
        let answer = self.tell(&cache_bytes.to_string());
        let (address, kept) = answer.split_once(' ').unwrap();
        address.clone_into(&mut self.address);
        self.place = if kept.starts_with('/') { Kept::Folder(kept.into()) } else { Kept::Schemas(kept.to_owned()) };
    }

    /// Stops it, so that what it kept can be looked at.
    pub(crate) fn stop(&mut self) {
        assert_eq!(self.tell(STOP), "stopped");
    }

    fn tell(&mut self, command: &str) -> String {
        writeln!(self.commands.as_ref().unwrap(), "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// A connection of its own to it.
    pub(crate) fn peer(&self) -> Peer {
        runtime::peer(&self.address, None).unwrap()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.address.strip_prefix("http://").unwrap()
    }

    /// Where it keeps what it owns.
    pub(crate) fn kept(&self) -> Kept {
        self.place.clone()
    }

    /// Its processor time so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        process::cpu_seconds(&self.child.id().to_string())
    }

    /// Its memory, in MB.
    pub(crate) fn megabytes(&self) -> f64 {
        process::resident_megabytes(&self.child.id().to_string())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It ends as nobody can tell it anything any more, and takes along what it kept.
        self.commands = None;
        let _ = self.child.wait();
    }
}
