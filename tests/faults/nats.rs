//! NATS servers of the harness's own, with JetStream: one, or three that are a cluster.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    cluster::free_port,
    node::{Node, is_root, own},
};

/// Where `tests/nats.sh` puts the program.
const INSTALLED: &str = "target/tools/nats/bin/nats-server";
/// Whoever may do nothing else.
const USER: &str = "nobody";
/// How long a server may take to say who leads.
const PATIENCE: Duration = Duration::from_secs(2);

/// The servers.
pub(crate) struct Nats {
    pub(crate) nodes: Vec<Node>,
    ports: Vec<u16>,
    /// Where each says how it is.
    monitors: Vec<u16>,
}

impl Nats {
    /// The program, if it is there.
    pub(crate) fn program() -> Option<PathBuf> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&paths).map(|folder| folder.join("nats-server"));
        [PathBuf::from(INSTALLED)].into_iter().chain(found).find(|file| file.exists())
    }

    /// So many servers with their stores in a folder; yet to start.
    pub(crate) fn new(folder: &Path, count: usize) -> Result<Self, String> {
        let program = Self::program().ok_or("nats-server is not installed")?;
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        // Its own copy, as the tree may be out of the user's reach.
        let copy = folder.join("nats-server");
        fs::copy(program, &copy).map_err(|error| error.to_string())?;
        own(folder, USER)?;
        let take = || (0..count).map(|_| free_port()).collect::<Vec<u16>>();
        let (ports, monitors, links) = (take(), take(), take());
        let routes: Vec<String> = links.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut nodes = Vec::new();
        for number in 0..count {
            let name = format!("nats-{number}");
            let mut command: Vec<OsString> = Vec::new();
            if is_root() {
                command.extend(["--reuid", USER, "--clear-groups"].map(OsString::from));
            }
            command.push(copy.clone().into());
            command.extend(["--addr", "127.0.0.1", "--name", &name, "--jetstream"].map(OsString::from));
            command.extend(["--port".into(), ports[number].to_string().into()]);
            command.extend(["--http_port".into(), monitors[number].to_string().into()]);
            command.extend(["--store_dir".into(), folder.join(&name).into()]);
            if count > 1 {
                command.extend(["--cluster_name".into(), "faults".into()]);
                command.extend(["--cluster".into(), routes[number].clone().into()]);
                command.extend(["--routes".into(), routes.join(",").into()]);
            }
            nodes.push(Node::new(name.clone(), command, folder.with_file_name(format!("{name}.log"))));
        }
        Ok(Self { nodes, ports, monitors })
    }

    /// What services are told.
    pub(crate) fn url(&self) -> String {
        let urls: Vec<String> = self.ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        urls.join(",")
    }

    /// The number of the server that leads the stream, if somebody says so.
    pub(crate) async fn leader(&self) -> Option<usize> {
        for monitor in &self.monitors {
            let answer = tokio::time::timeout(PATIENCE, look(*monitor)).await.ok().flatten();
            let Some(answer) = answer else { continue };
            let leader = answer["account_details"][0]["stream_detail"][0]["cluster"]["leader"].as_str();
            let number = leader.and_then(|leader| self.nodes.iter().position(|node| node.name == leader));
            if number.is_some() {
                return number;
            }
        }
        None
    }
}

/// Asks a server for its streams.
async fn look(monitor: u16) -> Option<serde_json::Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", monitor)).await.ok()?;
    let request = "GET /jsz?accounts=true&streams=true HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// Whether a binary can be told to use NATS.
pub(crate) fn is_spoken_by(binary: &Path) -> bool {
    let help = Command::new(binary).args(["serve", "--help"]).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--feed <"))
}
