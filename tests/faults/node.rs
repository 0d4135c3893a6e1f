//! A process that can be killed, stopped and started again.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A process of the suite, or a server that it needs. Dropping it kills it.
pub(crate) struct Node {
    /// Its name, such as `orders-0`.
    pub(crate) name: String,
    /// The program and its arguments.
    command: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    log: PathBuf,
    child: Option<Child>,
    paused: bool,
    /// Whether it was started and not killed since: if it ends by itself then, it is started again.
    wanted: bool,
}

impl Node {
    /// One that is yet to start. What it says goes to a file.
    pub(crate) fn new(name: String, command: Vec<OsString>, log: PathBuf) -> Self {
        Self { name, command, environment: Vec::new(), log, child: None, paused: false, wanted: false }
    }

    /// Sets a variable of its environment.
    pub(crate) fn with(mut self, variable: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    /// Starts it. It ends with the harness, however that ends.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log).map_err(|error| error.to_string())?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(&self.command);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("RAPPORT_") {
                command.env_remove(variable);
            }
        }
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        let copy = log.try_clone().map_err(|error| error.to_string())?;
        let child = command.stdin(Stdio::null()).stdout(copy).stderr(log).spawn();
        self.child = Some(child.map_err(|error| format!("{} cannot be started: {error}", self.name))?);
        self.wanted = true;
        Ok(())
    }

    /// The id of its process, while it has one.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills it with SIGKILL: it gets to do nothing more.
    pub(crate) fn kill(&mut self) {
        self.wanted = false;
        self.paused = false;
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself just before.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it where it is.
    pub(crate) fn pause(&mut self) {
        self.signal("STOP");
        self.paused = true;
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) {
        self.signal("CONT");
        self.paused = false;
    }

    /// Starts it again if it ended by itself, as whatever runs it would. Tells whether it did.
    pub(crate) fn tend(&mut self) -> Result<bool, String> {
        let Some(child) = &mut self.child else { return Ok(false) };
        if !self.wanted || child.try_wait().map_err(|error| error.to_string())?.is_none() {
            return Ok(false);
        }
        self.child = None;
        self.start()?;
        Ok(true)
    }

    /// Where it logs.
    pub(crate) fn log(&self) -> &PathBuf {
        &self.log
    }

    fn signal(&self, signal: &str) {
        if let Some(id) = self.id() {
            send(signal, &[id]);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to these processes; those that are gone do not mind.
pub(crate) fn send(signal: &str, processes: &[u32]) {
    let mut command = Command::new("kill");
    command.arg(format!("-{signal}")).args(processes.iter().map(u32::to_string));
    let _ = command.stderr(Stdio::null()).status();
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name, in brackets, may hold blanks; then come the state and the parent.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1).and_then(|field| field.parse().ok()) == Some(parent)
    };
    ids.filter(is_child).collect()
}

/// Whether the harness may do everything.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Gives a folder and what is in it to the user that a server runs as, where the harness is not that user itself.
pub(crate) fn own(folder: &Path, user: &str) -> Result<(), String> {
    if is_root() {
        let status = Command::new("chown").args(["-R", user]).arg(folder).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("{} cannot be given to {user}", folder.display()));
        }
    }
    Ok(())
}
