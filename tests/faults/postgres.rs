//! A PostgreSQL server of the harness's own: its data folder, its port, its processes.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::node::{Node, children, is_root, own, send};

/// The server.
pub(crate) struct Postgres {
    pub(crate) node: Node,
    binaries: PathBuf,
    pub(crate) port: u16,
}

impl Postgres {
    /// Makes a cluster in a folder, and the server for it, which is yet to start.
    pub(crate) fn new(folder: &Path, port: u16) -> Result<Self, String> {
        let binaries = binaries()?;
        let data = folder.join("data");
        own(folder, "postgres")?;
        let initdb = as_server(&binaries.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-sync"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("initdb: {error}"))?;
        if !initdb.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&initdb.stderr)));
        }
        let mut command: Vec<OsString> = server_user();
        command.extend([binaries.join("postgres").into(), "-D".into(), data.into(), "-p".into()]);
        command.push(port.to_string().into());
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=250", "log_checkpoints=off"]
        {
            command.extend(["-c".into(), setting.into()]);
        }
        // Outside of its folder, which may fill up.
        let log = folder.with_extension("log");
        Ok(Self { node: Node::new("postgres".to_owned(), command, log), binaries, port })
    }

    /// Whether it takes connections.
    pub(crate) fn is_ready(&self) -> bool {
        self.ask("postgres", "select 1").is_ok()
    }

    /// Runs a statement; answers with its rows as text.
    pub(crate) fn ask(&self, database: &str, statement: &str) -> Result<String, String> {
        let answer = Command::new(self.binaries.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-X", "-A", "-t", "-q"])
            .args(["-d", database, "-c", statement])
            .env("PGCONNECT_TIMEOUT", "5")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("psql: {error}"))?;
        match answer.status.success() {
            true => Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&answer.stderr).trim().to_owned()),
        }
    }

    /// How many transactions of the suite are open that have written already.
    pub(crate) fn open_transactions(&self) -> Result<usize, String> {
        let text = "select count(*) from pg_stat_activity
            where backend_xid is not null and pid <> pg_backend_pid() and datname is not null";
        self.ask("postgres", text)?.parse().map_err(|error| format!("pg_stat_activity: {error}"))
    }

    /// Kills every process of the server with SIGKILL at once.
    pub(crate) fn kill(&mut self) {
        if let Some(id) = self.node.id() {
            let mut all = vec![id];
            all.extend(children(id));
            send("KILL", &all);
        }
        self.node.kill();
    }

    /// The processes that serve connections, one of which may be stopped.
    pub(crate) fn backends(&self) -> Vec<u32> {
        let text = "select pid from pg_stat_activity where datname <> 'postgres' and pid <> pg_backend_pid()";
        let pids = self.ask("postgres", text).unwrap_or_default();
        pids.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of the server's programs.
fn binaries() -> Result<PathBuf, String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|_| "PostgreSQL is not installed".to_owned())?;
    let folders = versions.flatten().map(|entry| entry.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max().ok_or("PostgreSQL is not installed".to_owned())
}

/// PostgreSQL refuses to run as root; its package brings a user for it.
fn server_user() -> Vec<OsString> {
    match is_root() {
        true => ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"].map(OsString::from).to_vec(),
        false => Vec::new(),
    }
}

fn as_server(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    // Something has to be asked of it where the user stays the same.
    command.args(["--pdeathsig", "KILL"]).args(server_user()).arg(program);
    command
}
