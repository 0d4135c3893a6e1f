//! `rapport import` as a person meets it: the real binary, files good and bad, and what is told of them.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_rapport");
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

/// A suite in a process of its own, and a folder for files.
struct Suite {
    folder: TempDir,
    endpoint: String,
    process: Child,
}

/// What a command came to.
#[derive(Debug)]
struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Suite {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let data = folder.path().join("data");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let serve = command().args(["serve", "--listen", &address, "--data-dir"]).arg(data).stderr(log).spawn();
        let mut suite = Self { folder, endpoint: format!("http://{address}"), process: serve.unwrap() };
        // Each asks anew; one that finds nobody takes a while.
        while suite.run(&["health", "--timeout", "1"]).code != 0 {
            assert_eq!(suite.process.try_wait().unwrap(), None, "the suite ended");
        }
        suite
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        command.args(["--endpoint", &self.endpoint]).args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Told {
        Told::of(self.command(arguments).output().unwrap())
    }

    /// Imports a file with this content.
    fn import(&self, kind: &str, file: &str, content: &[u8]) -> Told {
        fs::write(self.folder.path().join(file), content).unwrap();
        self.run(&["import", kind, file, "--format", "json", "--quiet"])
    }

    /// What is known of everybody.
    fn exported(&self) -> String {
        let told = self.run(&["export", "assessments", "--at", "2026-01-01", "--format", "csv"]);
        assert_eq!(told.code, 0, "{told:?}");
        told.out
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Told {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// The binary, whatever the environment says.
fn command() -> Command {
    let mut command = Command::new(BINARY);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("RAPPORT_") {
            command.env_remove(variable);
        }
    }
    command.stdin(Stdio::null());
    command
}

const HEADER: &str = "order_id,account_id,placed_at,total,currency\n";

fn orders(ids: std::ops::Range<usize>) -> String {
    let line = |id| format!("o{id},a{},2025-12-01,{}.50,EUR\n", id % 11, id % 70);
    ids.map(line).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn the_wholesalers_import_is_taken_back_by_the_name_that_it_ended_with() {
    let suite = Suite::start();
    let nothing = suite.exported();
    let data = |file: &str| Path::new(DATA).join("retail").join(file).display().to_string();
    // The beginning of it, since neither side is optimised here.
    let mut lines = String::new();
    GzDecoder::new(fs::File::open(data("lines.csv.gz")).unwrap()).read_to_string(&mut lines).unwrap();
    let lines: String = lines.split_inclusive('\n').take(10_000).collect();
    fs::write(suite.folder.path().join("lines.csv"), lines).unwrap();
    let mut batches = Vec::new();
    for kind in ["accounts", "orders"] {
        let told = suite.run(&["import", kind, "lines.csv", "--map", &data(&format!("{kind}.toml")), "--quiet"]);
        assert_eq!(told.code, 0, "{told:?}");
        let (_, command) = told.out.split_once("to take it back: rapport ").unwrap();
        assert!(command.contains(&format!("--endpoint {} import --undo {kind}-", suite.endpoint)), "{command}");
        batches.push(command.trim().to_owned());
    }
    // The assessments follow in their own time, which is no longer than asking so often takes.
    let comes_to = |check: &dyn Fn(&str) -> bool| (0..1_000).any(|_| check(&suite.exported()));
    assert!(comes_to(&|known| known.lines().count() > 200));

    for command in batches.iter().rev() {
        let told = Told::of(self::command().args(command.split(' ')).output().unwrap());
        assert_eq!(told.code, 0, "{told:?}");
        assert!(told.out.contains(" deleted, 0 restored, 0 left as they are"), "{told:?}");
    }
    assert!(comes_to(&|left| left == nothing), "{}", suite.exported());
    let verified = suite.run(&["verify", "--quiet"]);
    assert!(verified.code == 0 && verified.out.ends_with(" 0 differ\n"), "{verified:?}");
}

#[test]
fn an_import_that_was_killed_is_repeated_and_taken_back() {
    const ROWS: usize = 12_000;
    let suite = Suite::start();
    let file = format!("{HEADER}{}", orders(0..ROWS));
    let mut importing =
        suite.command(&["import", "orders", "-", "--input-format", "csv", "--batch", "my orders", "--quiet"]);
    let mut importing = importing.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    importing.stdin.as_mut().unwrap().write_all(&file.as_bytes()[..file.len() / 2]).unwrap();
    importing.kill().unwrap();
    importing.wait().unwrap();

    fs::write(suite.folder.path().join("orders.csv"), &file).unwrap();
    let again = ["import", "orders", "orders.csv", "--batch", "my orders", "--format", "json", "--quiet"];
    let told = suite.run(&again);
    let counts = told.json();
    let (landed, unchanged) = (counts["landed"].as_u64().unwrap(), counts["unchanged"].as_u64().unwrap());
    assert!(told.code == 0 && unchanged > 0 && landed + unchanged == ROWS as u64, "{told:?}");
    assert_eq!(suite.run(&again).json()["unchanged"], ROWS);

    let told = suite.run(&["import", "--undo", "my orders", "--format", "json", "--quiet"]);
    assert_eq!(told.json(), json!({ "batch": "my orders", "deleted": ROWS, "restored": 0, "kept": 0 }));
    let told = suite.run(&["import", "--undo", "my orders", "--format", "csv", "--quiet"]);
    assert_eq!((told.code, told.out.as_str()), (0, "batch,deleted,restored,kept\nmy orders,0,0,0\n"));
}

#[test]
fn the_same_files_are_the_same_batch() {
    let suite = Suite::start();
    let file = format!("{HEADER}{}", orders(0..10));
    let first = suite.import("orders", "a.csv", file.as_bytes()).json();
    let again = suite.import("orders", "b.csv", file.as_bytes()).json();
    assert_eq!((&first["landed"], &again["unchanged"], &first["batch"]), (&json!(10), &json!(10), &again["batch"]));
    let other = suite.import("orders", "c.csv", format!("{HEADER}{}", orders(5..12)).as_bytes()).json();
    assert_ne!(first["batch"], other["batch"]);

    // What the second import added goes; what was there before it stays.
    let undo = |batch: &Value| suite.run(&["import", "--undo", batch.as_str().unwrap(), "--quiet"]);
    assert_eq!(undo(&other["batch"]).out, "orders: 2 deleted, 0 restored, 0 left as they are\n");
    assert_eq!(undo(&first["batch"]).out, "orders: 10 deleted, 0 restored, 0 left as they are\n");

    // What stays is told with its reason, and by the exit code.
    suite.import("orders", "a.csv", file.as_bytes());
    suite.import("orders", "d.csv", format!("{HEADER}o3,a3,2025-12-01,99.50,EUR\n").as_bytes());
    let told = undo(&first["batch"]);
    assert_eq!((told.code, told.out.as_str()), (1, "orders: 9 deleted, 0 restored, 1 left as they are\n"));
    let kept = "accounts/a3/orders/o3: order `accounts/a3/orders/o3` has been changed by somebody else since the import \
                (ERROR_REASON_CHANGED_SINCE_IMPORT)\n";
    assert_eq!(told.err, kept);
}

#[test]
fn wrong_usage_is_told_before_anything_is_done() {
    let suite = Suite::start();
    for (arguments, code, part) in [
        (&["import"][..], 64, "<KIND>"),
        (&["import", "orders"], 64, "FILE"),
        (&["import", "orders", "o.csv", "--undo", "b"], 64, "cannot be used with"),
        (&["import", "--undo", "b", "--batch", "c"], 64, "cannot be used with"),
        (&["import", "orders", "o.csv", "--batch", ""], 64, "--batch: has 0 characters, not 1 to 64"),
        (&["import", "orders", "o.csv"], 66, "o.csv: No such file or directory (os error 2); nothing was imported"),
        (&["import", "--undo", "b"], 65, "NOT_FOUND: there is no import `b`\n  reason: ERROR_REASON_NOT_FOUND"),
        (&["import", "--undo", ""], 65, "batch_id: is required"),
    ] {
        let told = suite.run(arguments);
        assert_eq!(told.code, code, "{arguments:?}: {told:?}");
        assert!(told.err.contains(part), "{arguments:?}: {told:?}");
    }
}

/// Imports a bad file of which so many rows land and so many are refused; answers with what is told on standard error.
#[track_caller]
fn imports(suite: &Suite, (kind, file): (&str, &str), content: &[u8], code: i32, landed: u64, refused: u64) -> String {
    let told = suite.import(kind, file, content);
    assert_eq!(told.code, code, "{told:?}");
    let counts = told.json();
    let count = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!((count("landed") + count("unchanged"), count("refused")), (landed, refused), "{told:?}");
    assert_eq!(count("lines"), landed + refused + count("skipped"), "every line is told: {told:?}");
    told.err
}

#[test]
fn a_bad_row_is_located_and_the_rows_around_it_land() {
    let suite = Suite::start();
    let around = |bad: &[u8]| [HEADER.as_bytes(), orders(1..3).as_bytes(), bad, orders(4..6).as_bytes()].concat();
    let huge = format!("o3,a,2025-12-01,1,{}\n", "x".repeat(10 << 20));
    let cases: [(&[u8], &str); 8] = [
        (b"o3,a,2025-12-01,\"1,EUR\n", "column `total`: the quote that opens here is not closed"),
        (
            b"o3,\"a \"b\" c\",2025-12-01,1,EUR\n",
            "column `account_id`: text follows its closing quote (inside quotes, a quote is written twice)",
        ),
        (b"o3,\xe9,2025-12-01,1,EUR\n", "column `account_id`: not UTF-8 at byte 1 of the cell: save the file as UTF-8"),
        (b"o3,a\0,2025-12-01,1,EUR\n", "column `account_id`: holds a NUL byte"),
        (b"o3,a,2025-12-01\n", "3 cells, but the header names 5 columns"),
        (b"o3,a,2025-12-01,1,EUR,more\n", "6 cells, but the header names 5 columns"),
        (b"o3,a,soon,1,EUR\n", "accounts/a/orders/o3: placed_at: `soon`"),
        (huge.as_bytes(), "column `currency`: 10485760 bytes are more than the 1 MiB that a cell may hold"),
    ];
    for (bad, told) in cases {
        let err = imports(&suite, ("orders", "orders.csv"), &around(bad), 1, 4, 1);
        assert!(err.starts_with(&format!("orders.csv, line 4: {told}")), "{err}");
        assert!(err.ends_with("(ERROR_REASON_INVALID_FIELDS)\n"), "{err}");
    }

    let account =
        |id: &str| format!("{{\"name\":\"accounts/{id}\",\"display_name\":\"A\",\"currency_code\":\"EUR\"}}\n");
    let around = |bad: &[u8]| [account("a").as_bytes(), b"\n", bad, account("b").as_bytes()].concat();
    let huge = format!("{{\"name\":\"accounts/c\",\"display_name\":\"{}\"}}\n", "x".repeat(10 << 20));
    let cases: [(&[u8], &str); 6] = [
        (b"{\"name\":\"accounts/c\",\n", "EOF while parsing"),
        (b"{\"name\":\"accounts/c\",\"open_time\":\"soon\"}\n", "accounts/c: open_time: "),
        (b"{\"name\":\"accounts/c\",\"display_name\":\"\xe9\"}\n", "not UTF-8 at byte 38: save the file as UTF-8"),
        (b"{\"name\":\"accounts/c\",\"display_name\":\"\0\"}\n", "control character"),
        (b"\"accounts/c\"\n", "not a JSON object"),
        (huge.as_bytes(), "the line is longer than 4 MiB"),
    ];
    for (bad, told) in cases {
        let err = imports(&suite, ("accounts", "accounts.jsonl"), &around(bad), 1, 2, 1);
        assert!(err.starts_with(&format!("accounts.jsonl, line 3: {told}")), "{err}");
    }
}

#[test]
fn refused_rows_are_kept_and_can_be_mended_and_imported() {
    let suite = Suite::start();
    let text = format!("{HEADER}{}o3,a,soon,1,EUR\no4,\"a,2025-12-01,1,EUR\n{}", orders(1..3), orders(5..7));
    fs::write(suite.folder.path().join("orders.csv"), text).unwrap();
    let told = suite.run(&["import", "orders", "orders.csv", "--refused", "refused.csv", "--quiet"]);
    assert_eq!(told.code, 1, "{told:?}");
    let kept = fs::read_to_string(suite.folder.path().join("refused.csv")).unwrap();
    let kept: Vec<&str> = kept.lines().collect();
    assert_eq!(kept[0], "order_id,account_id,placed_at,total,currency,line,reason,message");
    assert!(kept[1].starts_with("o3,a,soon,1,EUR,4,ERROR_REASON_INVALID_FIELDS,"), "{kept:?}");
    assert!(kept[2].starts_with("\"o4,\"\"a,2025-12-01,1,EUR\",,,,,5,ERROR_REASON_INVALID_FIELDS,"), "{kept:?}");
}

#[test]
fn what_is_no_table_of_this_kind_is_refused_with_the_remedy() {
    let suite = Suite::start();
    let good = format!("{HEADER}{}", orders(0..3));
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> { good.encode_utf16().flat_map(order).collect() };
    let little = [&[0xff, 0xfe], utf16(u16::to_le_bytes).as_slice()].concat();
    let cases: [(&str, Vec<u8>, &str); 13] = [
        ("o.csv", Vec::new(), "o.csv: line 1: the file is empty: its first line must name the columns"),
        ("o.csv", little.clone(), "o.csv: line 1: the file is UTF-16: save it as UTF-8"),
        ("o.jsonl", little, "o.jsonl: line 1: the file is UTF-16: save it as UTF-8"),
        (
            "o.csv",
            utf16(u16::to_le_bytes),
            "o.csv: line 1: the file is UTF-16 without a byte-order mark: save it as UTF-8",
        ),
        (
            "o.csv",
            utf16(u16::to_be_bytes),
            "o.csv: line 1: the file is UTF-16 without a byte-order mark: save it as UTF-8",
        ),
        (
            "o.csv",
            b"PK\x03\x04rest".to_vec(),
            "o.csv: line 1: the file is a ZIP archive or a spreadsheet's workbook: save it",
        ),
        (
            "o.csv",
            good.replace('\n', "\r").into(),
            "line 1: lines end in carriage returns alone: save the file with line feeds",
        ),
        (
            "o.csv",
            b"order_id,pr\xe9nom\n".to_vec(),
            "line 1: column 2: the header is not UTF-8: save the file as UTF-8",
        ),
        (
            "o.csv",
            good.replace("order_id", "\"order_id").into(),
            "line 1: column 1: the quote that opens here is not closed",
        ),
        ("o.csv", good.replace("order_id", "id").into(), "line 1: unknown columns: `id`; known are order_id"),
        ("o.csv", good.replace("order_id", "id").into(), "line 1: column `order_id` is missing"),
        ("o.csv", good.replace("total", "order_id").into(), "line 1: column `order_id` is there twice"),
        ("o.csv.gz", packed(&good)[..8].to_vec(), "line 1: the packed file ends too early"),
    ];
    for (file, content, told) in cases {
        let run = suite.import("orders", file, &content);
        assert_eq!((run.code, run.out.as_str()), (65, ""), "{run:?}");
        assert!(run.err.contains(told), "{told}\n{}", run.err);
    }
    let map =
        "[fields]\norder_id = \"id\"\naccount_id = \"who\"\nplaced_at = \"at\"\ntotal = \"sum\"\ncurrency = \"in\"\n";
    fs::write(suite.folder.path().join("map.toml"), map).unwrap();
    fs::write(suite.folder.path().join("o.csv"), "id,who,at,id,in\n").unwrap();
    let run = suite.run(&["import", "orders", "o.csv", "--map", "map.toml", "--quiet"]);
    assert_eq!(run.code, 65, "{run:?}");
    assert!(run.err.contains("line 1: the mapping wants column `sum`; the file has id, who"), "{}", run.err);
    assert!(run.err.contains("line 1: the mapping wants column `id`, which is there twice"), "{}", run.err);
    assert_eq!(suite.exported().lines().count(), 1, "nothing was imported");
}

#[test]
fn files_that_are_only_unusual_land_and_broken_ones_land_as_far_as_they_go() {
    let suite = Suite::start();
    let good = format!("{HEADER}{}", orders(0..3));
    let marked = format!("\u{feff}{good}");
    let windows = good.replace('\n', "\r\n");
    let quoted = good.replace("EUR", "\"EUR\"");
    let members = [packed(HEADER), packed(&orders(0..2)), packed(&orders(2..3))].concat();
    for (file, content) in [("a.csv", marked.as_bytes()), ("b.csv", windows.as_bytes()), ("c.csv", quoted.as_bytes())] {
        assert_eq!(imports(&suite, ("orders", file), content, 0, 3, 0), "");
    }
    assert_eq!(imports(&suite, ("orders", "d.csv.gz"), &members, 0, 3, 0), "");
    assert_eq!(imports(&suite, ("orders", "e.csv"), HEADER.as_bytes(), 0, 0, 0), "", "a header alone");

    let damaged = "the packed file is damaged, or goes on with something else";
    let behind = [packed(&good).as_slice(), b"and something that is not packed"].concat();
    let told = imports(&suite, ("orders", "f.csv.gz"), &behind, 65, 3, 0);
    assert!(told.starts_with(&format!("rapport: f.csv.gz, line 5: {damaged}")), "{told}");
    assert!(told.ends_with("; what came before was imported\n"), "{told}");

    let many = packed(&format!("{HEADER}{}", orders(0..40_000)));
    let cut = suite.import("orders", "g.csv.gz", &many[..many.len() / 2]);
    let counts = cut.json();
    let landed = counts["landed"].as_u64().unwrap() + counts["unchanged"].as_u64().unwrap();
    assert!(cut.code == 65 && landed > 1_000 && counts["lines"] == landed, "{cut:?}");
    let told = format!(
        "rapport: g.csv.gz, line {}: the packed file ends too early; what came before was imported\n",
        landed + 2
    );
    assert_eq!(cut.err, told);

    let line =
        |id: usize| format!("{{\"name\":\"accounts/j{id}\",\"display_name\":\"A\",\"currency_code\":\"EUR\"}}\n");
    let lines = packed(&(0..5_000).map(line).collect::<String>());
    let cut = suite.import("accounts", "h.jsonl.gz", &lines[..lines.len() / 2]);
    assert!(cut.code == 65 && cut.json()["landed"].as_u64().unwrap() > 100, "{cut:?}");
    assert!(cut.err.contains(": the packed file ends too early"), "{cut:?}");
    let marked = format!("\u{feff}{}", line(1));
    assert_eq!(imports(&suite, ("accounts", "i.jsonl"), marked.as_bytes(), 0, 1, 0), "");
}

/// The most memory that a process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: &Child) -> u64 {
    let status = fs::read_to_string(PathBuf::from(format!("/proc/{}/status", process.id()))).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn large_cells_do_not_fill_the_memory() {
    let suite = Suite::start();
    let mut importing =
        suite.command(&["import", "orders", "-", "--input-format", "csv", "--refused", "refused.csv", "--quiet"]);
    let mut importing = importing.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut pipe = importing.stdin.take().unwrap();
    pipe.write_all(HEADER.as_bytes()).unwrap();
    // Half a gigabyte: cells of 10 MB, quoted and not, and lines of many cells that are large but not too large.
    let cell = "x".repeat(10 << 20);
    let large = "y".repeat(900 << 10);
    for id in 0..16 {
        let quote = if id % 2 == 0 { "" } else { "\"" };
        pipe.write_all(format!("o{id},{quote}{cell}{quote},2025-12-01,1,EUR\n").as_bytes()).unwrap();
        pipe.write_all(format!("o{id},{large},{large},{large},{large}\n").as_bytes()).unwrap();
        pipe.write_all(format!("o{id},{},2025-12-01,1,EUR\n", [large.as_str(); 15].join(",")).as_bytes()).unwrap();
    }
    let peak = peak(&importing);
    drop(pipe);
    assert_eq!(importing.wait().unwrap().code(), Some(1));
    assert!(peak < 256 << 10, "{peak} KiB");
}
