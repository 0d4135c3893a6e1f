//! The suite as separate processes, with its databases and the network between them.

use std::{
    ffi::OsString,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tests::chance::Chance;

use crate::{disk::Disk, nats::Nats, node::Node, postgres::Postgres, proxy::Proxy};

/// The services, the aggregator last.
pub(crate) const SERVICES: [&str; 5] = ["accounts", "orders", "interactions", "feedback", "aggregator"];
/// The library that moves a process's clock, from Debian's package `libfaketime`.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/// How long anything may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the services keep what they own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Storage {
    Sqlite,
    Postgres,
}

/// What stands, and how it is connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) storage: Storage,
    /// How many processes each of the four services has.
    pub(crate) replicas: usize,
    /// How many processes the aggregator has.
    pub(crate) aggregators: usize,
    /// Whether a network that can be cut is between them all.
    pub(crate) networked: bool,
    /// The size of the disk that the data are on, in mebibytes, if it is one that can be filled.
    pub(crate) disk: Option<u32>,
    /// Whether the clocks of the processes can be moved.
    pub(crate) clocked: bool,
    /// How many NATS servers carry the feeds; 0 where they are direct streams.
    pub(crate) nats: usize,
}

/// Processes, databases, networks. Dropping it ends them.
pub(crate) struct Cluster {
    pub(crate) shape: Shape,
    pub(crate) folder: PathBuf,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) nats: Option<Nats>,
    pub(crate) nodes: Vec<Node>,
    /// By what they connect, such as `aggregator to orders`.
    pub(crate) networks: Vec<(String, Proxy)>,
    /// For each process, where clients find it: the service and the port.
    pub(crate) doors: Vec<(&'static str, u16)>,
    // After the processes that have files there.
    pub(crate) disk: Option<Disk>,
    binary: PathBuf,
}

impl Cluster {
    /// Makes everything and starts it.
    pub(crate) async fn start(binary: &Path, folder: &Path, shape: Shape) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let disk = match shape.disk {
            Some(mebibytes) => Some(Disk::mount(&folder.join("disk"), mebibytes)?),
            None => None,
        };
        let mut cluster = Self {
            shape,
            folder: folder.to_owned(),
            postgres: None,
            nats: None,
            nodes: Vec::new(),
            networks: Vec::new(),
            doors: Vec::new(),
            disk,
            binary: binary.to_owned(),
        };
        if shape.storage == Storage::Postgres {
            cluster.start_postgres().await?;
        }
        if shape.nats > 0 {
            let nats = cluster.nats.insert(Nats::new(&folder.join("nats"), shape.nats)?);
            nats.nodes.iter_mut().try_for_each(Node::start)?;
        }
        cluster.make_nodes().await?;
        for node in &mut cluster.nodes {
            node.start()?;
        }
        Ok(cluster)
    }

    /// Where data are kept.
    fn data(&self) -> PathBuf {
        self.disk.as_ref().map_or_else(|| self.folder.clone(), |disk| disk.folder.clone())
    }

    async fn start_postgres(&mut self) -> Result<(), String> {
        let folder = self.data().join("postgres");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        // Its user has to come as far as its folder.
        let _ = std::process::Command::new("chmod").arg("a+x").arg(&self.folder).arg(self.data()).status();
        let mut postgres = Postgres::new(&folder, free_port())?;
        postgres.node.start()?;
        let postgres = self.postgres.insert(postgres);
        until(PATIENCE, "PostgreSQL starts", async || postgres.is_ready()).await?;
        for service in SERVICES {
            postgres.ask("postgres", &format!("create database {service}"))?;
        }
        Ok(())
    }

    async fn make_nodes(&mut self) -> Result<(), String> {
        let Shape { replicas, aggregators, networked, .. } = self.shape;
        let mut addresses = Vec::new();
        for service in &SERVICES[..4] {
            let ports: Vec<u16> = (0..replicas).map(|_| free_port()).collect();
            for (number, port) in ports.iter().enumerate() {
                let accounts = match *service {
                    "orders" => vec![("accounts", self.way("orders", "accounts", &addresses).await?)],
                    _ => vec![],
                };
                self.add(service, number, *port, &accounts).await?;
            }
            addresses.push((*service, ports));
        }
        for number in 0..aggregators {
            let mut peers = Vec::new();
            for service in &SERVICES[..4] {
                peers.push((*service, self.way("aggregator", service, &addresses).await?));
            }
            self.add("aggregator", number, free_port(), &peers).await?;
        }
        if networked {
            for index in 0..self.doors.len() {
                let (service, port) = self.doors[index];
                self.doors[index].1 = self.network(format!("clients to {service}"), vec![port]).await?;
            }
        }
        Ok(())
    }

    /// The port where one service finds another: past a network, or what stands before its replicas, where there is one.
    async fn way(&mut self, from: &str, to: &str, addresses: &[(&str, Vec<u16>)]) -> Result<u16, String> {
        let ports = addresses.iter().find(|(service, _)| *service == to).map(|(_, ports)| ports.clone());
        let ports = ports.ok_or(format!("{to} is not there yet"))?;
        match ports.as_slice() {
            [port] if !self.shape.networked => Ok(*port),
            _ => self.network(format!("{from} to {to}"), ports).await,
        }
    }

    async fn network(&mut self, name: String, targets: Vec<u16>) -> Result<u16, String> {
        let proxy = Proxy::start(free_port(), targets).await.map_err(|error| error.to_string())?;
        let port = proxy.port;
        self.networks.push((name, proxy));
        Ok(port)
    }

    async fn add(
        &mut self,
        service: &'static str,
        number: usize,
        port: u16,
        peers: &[(&str, u16)],
    ) -> Result<(), String> {
        let mut node = self.node(service, &format!("{service}-{number}"), port, peers);
        if let Some(postgres) = &self.postgres {
            let mut database = postgres.port;
            if self.shape.networked {
                database = self.network(format!("{service} to postgres"), vec![database]).await?;
            }
            let url = format!("postgres://postgres@127.0.0.1:{database}/{service}");
            node = node.with(database_variable(service), url);
        }
        self.nodes.push(node);
        self.doors.push((service, port));
        Ok(())
    }

    /// A process of a service, on SQLite unless its environment says otherwise.
    fn node(&self, service: &str, name: &str, port: u16, peers: &[(&str, u16)]) -> Node {
        let mut command: Vec<OsString> = vec![self.binary.clone().into(), "serve".into(), service.into()];
        command.extend(["--listen".into(), format!("127.0.0.1:{port}").into()]);
        // Replicas of a service share a database, so on SQLite a folder.
        command.extend(["--data-dir".into(), self.data().join(service).into()]);
        for (peer, port) in peers {
            command.extend([format!("--{peer}-endpoint").into(), format!("http://127.0.0.1:{port}").into()]);
        }
        if let Some(nats) = &self.nats {
            command.extend(["--feed".into(), nats.url().into()]);
            command.extend(["--feed-replicas".into(), self.shape.nats.to_string().into()]);
        }
        let node = Node::new(name.to_owned(), command, self.folder.join(format!("{name}.log")));
        match self.shape.clocked {
            true => node
                .with("LD_PRELOAD", FAKETIME)
                .with("FAKETIME_TIMESTAMP_FILE", self.clock(name))
                .with("FAKETIME_NO_CACHE", "1")
                .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .with("DONT_FAKE_MONOTONIC", "1"),
            false => node,
        }
    }

    /// The file that says how far the clock of a process is off.
    fn clock(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.clock"))
    }

    /// Moves the clock of a process by so many seconds from the right time.
    pub(crate) fn set_clock(&self, name: &str, seconds: i64) -> Result<(), String> {
        let (file, new) = (self.clock(name), self.folder.join(format!("{name}.clock-new")));
        // In one step: it is read at any time.
        fs::write(&new, format!("{seconds:+}\n")).and_then(|()| fs::rename(&new, &file)).map_err(|e| e.to_string())
    }

    /// Whether clocks can be moved here.
    pub(crate) fn has_faketime() -> bool {
        Path::new(FAKETIME).exists()
    }

    /// An aggregator that has heard nothing yet, on SQLite, following the services past all networks. It is yet to start;
    /// with the port where it will be.
    pub(crate) fn newcomer(&self, direct: &[(&'static str, u16)]) -> (Node, u16) {
        let port = free_port();
        let folder = self.folder.join("newcomer");
        let mut command: Vec<OsString> = vec![self.binary.clone().into(), "serve".into(), "aggregator".into()];
        command.extend(["--listen".into(), format!("127.0.0.1:{port}").into(), "--data-dir".into(), folder.into()]);
        for service in &SERVICES[..4] {
            if let Some((_, port)) = direct.iter().find(|(door, _)| door == service) {
                command.extend([format!("--{service}-endpoint").into(), format!("http://127.0.0.1:{port}").into()]);
            }
        }
        (Node::new("newcomer".to_owned(), command, self.folder.join("newcomer.log")), port)
    }

    /// Starts again what ended by itself; answers with the names of those.
    pub(crate) fn tend(&mut self) -> Result<Vec<String>, String> {
        let mut ended = Vec::new();
        let postgres = self.postgres.as_mut().map(|postgres| &mut postgres.node);
        let nats = self.nats.iter_mut().flat_map(|nats| &mut nats.nodes);
        for node in self.nodes.iter_mut().chain(postgres).chain(nats) {
            if node.tend()? {
                ended.push(node.name.clone());
            }
        }
        Ok(ended)
    }

    /// The number of one of the processes, at random.
    pub(crate) fn any(&self, chance: &mut Chance) -> usize {
        chance.below(self.nodes.len() as u64) as usize
    }

    /// The lines of all logs that no fault excuses.
    pub(crate) fn confessions(&self) -> Vec<String> {
        let mut found = Vec::new();
        for node in &self.nodes {
            let log = fs::read_to_string(node.log()).unwrap_or_default();
            let wrong = |line: &&str| line.contains("panicked") || line.contains("damaged");
            found.extend(log.lines().filter(wrong).map(|line| format!("{}: {line}", node.name)));
        }
        found
    }
}

fn database_variable(service: &str) -> &'static str {
    match service {
        "accounts" => "RAPPORT_ACCOUNTS_DATABASE",
        "orders" => "RAPPORT_ORDERS_DATABASE",
        "interactions" => "RAPPORT_INTERACTIONS_DATABASE",
        "feedback" => "RAPPORT_FEEDBACK_DATABASE",
        _ => "RAPPORT_AGGREGATOR_DATABASE",
    }
}

/// A port that is free and stays the harness's own: below those that the system gives to others.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + std::process::id() as u16 % 40 * 200;
    loop {
        let port = first + TAKEN.fetch_add(1, Ordering::Relaxed) % 200;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits until something is so.
///
/// # Errors
/// If it takes longer than patience lasts.
pub(crate) async fn until(patience: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Result<(), String> {
    let waiting = tokio::time::timeout(patience, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waiting.await.map_err(|_| format!("waited {patience:?} in vain until {what}"))
}
