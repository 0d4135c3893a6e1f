//! `rapport themes` and `rapport improvements` as a person meets them: the real binary, from what customers say to those
//! who are told.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A suite in a process of its own, and a folder for files.
struct Suite {
    folder: TempDir,
    endpoint: String,
    process: Child,
}

/// How often a command is repeated until the aggregator has followed; each is a process of its own.
const MOST_TRIES: usize = 1_000;

/// The exit code of a command, what it said and what it noted.
type Told = (i32, String, String);

impl Suite {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let data = folder.path().join("data");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let serve = command().args(["serve", "--listen", &address, "--data-dir"]).arg(data).stderr(log).spawn();
        let mut suite = Self { folder, endpoint: format!("http://{address}"), process: serve.unwrap() };
        // Each asks anew; one that finds nobody takes a while.
        while suite.run(&["health", "--timeout", "1"]).0 != 0 {
            assert_eq!(suite.process.try_wait().unwrap(), None, "the suite ended");
        }
        suite
    }

    fn run(&self, arguments: &[&str]) -> Told {
        let output = command().args(["--endpoint", &self.endpoint]).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// What a command says that must succeed.
    fn said(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    /// What a command says once it says this among the rest.
    fn eventually(&self, arguments: &[&str], wanted: &str) -> String {
        let mut told = String::new();
        for _ in 0..MOST_TRIES {
            told = self.said(arguments);
            if told.contains(wanted) {
                return told;
            }
        }
        panic!("{arguments:?} never said {wanted:?}, but {told}");
    }

    fn import(&self, kind: &str, rows: &str) {
        let path = self.folder.path().join(format!("{kind}.jsonl"));
        fs::write(&path, rows).unwrap();
        self.said(&["import", kind, path.to_str().unwrap(), "--quiet"]);
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The binary, whatever the environment says.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("RAPPORT_") {
            command.env_remove(variable);
        }
    }
    command.stdin(Stdio::null());
    command
}

fn row(account: usize, text: &str) -> String {
    format!(
        "{{\"interaction\": {{\"name\": \"accounts/a{account}/interactions/1\", \"happen_time\": \"2025-03-01T00:00:00Z\", \
         \"party\": \"PARTY_CUSTOMER\", \"channel\": \"INTERACTION_CHANNEL_EMAIL\", \"purpose\": \"PURPOSE_SUPPORT\", \
         \"sentiment\": -0.5, \"text\": \"{text}\"}}}}\n"
    )
}

#[test]
fn what_is_asked_for_is_shipped_told_and_measured() {
    let suite = Suite::start();
    let theme = r#"{"theme": {"name": "themes/returns", "display_name": "Returns", "phrases": ["send it back"]}}"#;
    suite.import("feedback", theme);
    let rows = (0..30).map(|account| row(account, if account < 3 { "May I send it back?" } else { "Thank you." }));
    suite.import("interactions", &rows.collect::<String>());

    let period = ["--days", "90", "--at", "2025-03-31"];
    let themes = ["themes", "--own"].iter().chain(&period).copied().collect::<Vec<_>>();
    // What was just imported is heard when the aggregator has followed.
    let heard = suite.eventually(&themes, "1 theme in 30 texts");
    let line = heard.lines().last().unwrap();
    assert!(line.starts_with("Returns") && line.contains("-0.50"), "{heard}");
    let found = suite.said(&["themes", "--sources", "themes/returns", "--days", "90", "--at", "2025-03-31"]);
    assert!(found.starts_with("heard in 3 texts") && found.contains("May I send it back?"), "{found}");
    let json: Value =
        serde_json::from_str(&suite.said(&["themes", "--days", "90", "--at", "2025-03-31", "--format", "json"]))
            .unwrap();
    assert_eq!(json["themes"][0]["accountCount"], "3");

    let create = ["improvements", "create", "--id", "longer", "--kind", "policy", "--title", "Returns within 60 days"];
    let created = suite.said(&create.iter().chain(&["--theme", "returns"]).copied().collect::<Vec<_>>());
    assert!(created.contains("improvements/longer: Returns within 60 days (policy, proposed)"), "{created}");
    assert_eq!(suite.run(&["improvements", "tell", "longer", "--text", "Done."]).0, 64, "it is not there yet");
    suite.said(&["improvements", "plan", "longer", "--at", "2025-04-01"]);
    let shipped = suite.said(&["improvements", "ship", "longer", "--at", "2025-04-02"]);
    assert!(shipped.contains("3 persons or accounts asked for it, 0 have been told"), "{shipped}");
    assert!(shipped.lines().last().unwrap().starts_with("a2"), "{shipped}");

    let would = suite.said(&["improvements", "tell", "longer", "--text", "Done.", "--dry-run"]);
    assert_eq!(would.lines().count(), 6, "{would}");
    assert_eq!(suite.said(&["improvements", "tell", "longer", "--text", "Done."]), "3 persons or accounts told\n");
    // At once again: whether the aggregator has heard of it or not, nobody is told twice.
    let again = suite.said(&["improvements", "tell", "longer", "--text", "Done."]);
    assert!(again.starts_with("0 persons or accounts told"), "{again}");
    suite.eventually(&["improvements", "askers", "longer"], "3 have been told");
    assert_eq!(suite.said(&["improvements", "askers", "longer", "--untold", "--format", "json"]), "");

    let effect = suite.said(&["improvements", "effect", "longer", "--days", "30"]);
    assert!(effect.starts_with("Too little to say: too few") && effect.contains("customer's trust"), "{effect}");
    let measured = suite.said(&["improvements", "measure", "longer", "--days", "30"]);
    assert!(measured.contains("measured") && measured.contains("Too little to say"), "{measured}");
    let list = suite.said(&["improvements", "list", "--state", "measured", "--format", "csv"]);
    assert!(list.lines().nth(1).unwrap().starts_with("improvements/longer,measured,policy,Returns"), "{list}");
    suite.said(&["improvements", "create", "--id", "no", "--kind", "product", "--title", "No"]);
    let declined = suite.said(&["improvements", "decline", "no", "--reason", "too dear"]);
    assert!(declined.contains("declined  too dear"), "{declined}");
    assert_eq!(suite.run(&["improvements", "ship", "no"]).0, 65, "it was declined");
}
