//! Turns a source into batches of rows, on a thread of its own, and waits when nobody takes them.

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::{Arc, atomic::AtomicU64},
};

use tokio::sync::mpsc;

use super::{
    draft::Row,
    json,
    mapping::Mapping,
    resource::Kind,
    source::{self, Format, Source},
    table::{self, Line, Step, Table},
};

/// A batch is sent once it has this many bytes, whatever its number of rows.
const FULL_BYTES: usize = 1 << 20;
/// A single row has no more bytes than this.
const LARGEST_ROW: usize = 3 << 20;
/// A batch speaks of no more lines than this, so that progress shows even where all are skipped.
const FULL_LINES: u64 = 20_000;
/// A row is made of no more lines than this.
const LARGEST_GROUP: usize = 10_000;
/// The lines that a row is made of have no more bytes than this together.
const LARGEST_GROUP_BYTES: usize = 32 << 20;
/// How many groups are remembered, to notice one that comes back.
const REMEMBERED_GROUPS: usize = 65_536;
/// How many keys `distinct` remembers, at eight bytes each.
const MOST_DISTINCT: usize = 16_000_000;

/// What was asked for.
pub(crate) struct Reading {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    pub(crate) format: Format,
    pub(crate) mapping: Option<Mapping>,
    pub(crate) batch: usize,
    /// Whether refused rows are wanted as they stood in the file.
    pub(crate) originals: bool,
}

/// Rows and what became of the lines they were made from.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Vec<u8>>,
    /// Where each row comes from.
    pub(crate) origins: Vec<Origin>,
    /// The rows that were refused before they were sent.
    pub(crate) refused: Vec<(Origin, String)>,
    pub(crate) lines: u64,
    pub(crate) skipped: u64,
    bytes: usize,
    /// How many bytes of originals the refused rows hold.
    refused_bytes: usize,
}

/// Where a row comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) line: u64,
    pub(crate) name: String,
    pub(crate) original: Original,
}

/// A row as it stood in the file.
#[derive(Debug)]
pub(crate) enum Original {
    Unwanted,
    Lines(Vec<Line>),
    Text(String),
}

impl Original {
    fn bytes(&self) -> usize {
        match self {
            Self::Unwanted => 0,
            Self::Lines(lines) => lines.iter().map(|line| line.cells.as_slice().len()).sum(),
            Self::Text(text) => text.len(),
        }
    }
}

/// What the thread says.
pub(crate) enum Said {
    /// The header of a table.
    Header(csv::StringRecord),
    Batch(Batch),
    /// The file cannot be used at all; nothing of it was read.
    Unusable(Vec<String>),
    /// The file cannot be opened.
    Closed(String),
    /// Reading cannot go on, at this line; what came before it was said.
    Broken(u64, String),
}

struct Stopped;

/// Starts to read. The channel ends with the source.
pub(crate) fn start(reading: Reading, counter: Arc<AtomicU64>) -> mpsc::Receiver<Said> {
    let (sender, receiver) = mpsc::channel(2);
    std::thread::spawn(move || {
        let mut out = Out { sender, batch: Batch::default(), rows: reading.batch, originals: reading.originals };
        // Stopped means that nobody listens any more.
        let _: Result<(), Stopped> = read(reading, &counter, &mut out);
    });
    receiver
}

fn read(reading: Reading, counter: &Arc<AtomicU64>, out: &mut Out) -> Result<(), Stopped> {
    let bytes = match reading.source.open(counter) {
        Ok(bytes) => bytes,
        Err(error) => return out.say(Said::Closed(error.to_string())),
    };
    match source::peek(bytes) {
        Err(error) => out.say(Said::Unusable(vec![format!("line 1: {}", table::reading_failed(&error))])),
        Ok((first, bytes)) => match source::foreign(&first) {
            Some((what, remedy)) => out.say(Said::Unusable(vec![format!("line 1: the file is {what}: {remedy}")])),
            None => read_opened(reading.kind, reading.format, reading.mapping, bytes, out),
        },
    }
}

fn read_opened(
    kind: Kind,
    format: Format,
    mapping: Option<Mapping>,
    bytes: Box<dyn io::Read + Send>,
    out: &mut Out,
) -> Result<(), Stopped> {
    match format {
        Format::Jsonl => read_lines(kind, json::Lines::open(bytes), out),
        Format::Csv => match Table::open(bytes) {
            Ok(table) => read_table(kind, mapping, table, out),
            Err(problem) => out.say(Said::Unusable(vec![problem])),
        },
    }
}

/// Reads what is in memory on the caller's thread and returns all that is said of it.
pub(super) fn read_all(kind: Kind, format: Format, mapping: Option<Mapping>, rows: usize, bytes: Vec<u8>) -> Vec<Said> {
    // Room for more than can be said of it, since nobody takes anything meanwhile.
    let (sender, mut receiver) = mpsc::channel(bytes.len() + 4);
    let mut out = Out { sender, batch: Batch::default(), rows, originals: true };
    let _: Result<(), Stopped> = read_opened(kind, format, mapping, Box::new(io::Cursor::new(bytes)), &mut out);
    drop(out);
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

fn read_lines(kind: Kind, mut lines: json::Lines, out: &mut Out) -> Result<(), Stopped> {
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return out.flush(),
            Err(error) => return out.broken(lines.number() + 1, table::reading_failed(&error)),
        };
        out.batch.lines += 1;
        let number = lines.number();
        match line {
            Ok(text) if text.trim().is_empty() => out.batch.skipped += 1,
            Ok(text) => out.add(json::row(kind, &text), number, |_| Original::Text(text.trim_end().to_owned()))?,
            Err(problem) => out.add(Err((String::new(), problem)), number, |_| Original::Unwanted)?,
        }
        out.flush_if_full()?;
    }
}

fn read_table(kind: Kind, mapping: Option<Mapping>, mut table: Table, out: &mut Out) -> Result<(), Stopped> {
    let header: Vec<&str> = table.header().iter().map(str::trim).collect();
    let bound = match mapping {
        Some(mut mapping) => mapping.bind(&header).map(|()| mapping),
        None => Mapping::flat(kind, &header),
    };
    let mapping = match bound {
        Ok(mapping) => mapping,
        Err(problems) => {
            let located = problems.into_iter().map(|problem| format!("line 1: {problem}"));
            return out.say(Said::Unusable(located.collect()));
        }
    };
    out.say(Said::Header(table.header().clone()))?;
    let mut gather = Gather::new(mapping);
    loop {
        match table.next() {
            Step::Line(line) => {
                out.batch.lines += 1;
                gather.take(line, out)?;
            }
            Step::Bad(line, problem) => {
                out.batch.lines += 1;
                out.refuse_lines(vec![line], String::new(), problem)?;
            }
            Step::End => {
                gather.close(out)?;
                return out.flush();
            }
            Step::Broken(number, problem) => {
                gather.close(out)?;
                return out.broken(number, problem);
            }
        }
        out.flush_if_full()?;
    }
}

/// Gathers the lines of a row.
struct Gather {
    mapping: Mapping,
    lines: Vec<Line>,
    /// How many bytes these have.
    bytes: usize,
    seen: HashSet<u64>,
    closed: VecDeque<u64>,
    closed_set: HashSet<u64>,
}

impl Gather {
    fn new(mapping: Mapping) -> Self {
        Self {
            mapping,
            lines: Vec::new(),
            bytes: 0,
            seen: HashSet::new(),
            closed: VecDeque::new(),
            closed_set: HashSet::new(),
        }
    }

    fn take(&mut self, line: Line, out: &mut Out) -> Result<(), Stopped> {
        if self.mapping.skips(&line) || self.is_repeated(&line, out)? {
            out.batch.skipped += 1;
            return Ok(());
        }
        let Some(key) = self.mapping.group_key(&line) else {
            self.lines.push(line);
            return self.close(out);
        };
        if self.lines.first().is_some_and(|first| self.mapping.group_key(first) != Some(key)) {
            self.close(out)?;
        }
        if self.lines.is_empty() && self.closed_set.contains(&hash(key)) {
            let problem = format!("`{key}` comes again: the lines of one row must follow each other");
            return out.refuse_lines(vec![line], String::new(), problem);
        }
        self.bytes += line.cells.as_slice().len();
        self.lines.push(line);
        let problem = match () {
            () if self.lines.len() > LARGEST_GROUP => format!("more than {LARGEST_GROUP} lines in one row"),
            () if self.bytes > LARGEST_GROUP_BYTES => "more than 32 MiB of lines in one row".to_owned(),
            () => return Ok(()),
        };
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        self.remember(&lines[0]);
        out.refuse_lines(lines, String::new(), problem)
    }

    /// Makes a row of the lines gathered so far.
    fn close(&mut self, out: &mut Out) -> Result<(), Stopped> {
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        let Some(first) = lines.first() else {
            return Ok(());
        };
        self.remember(first);
        let number = first.number;
        out.add(
            self.mapping.row(&lines),
            number,
            |wanted| if wanted { Original::Lines(lines) } else { Original::Unwanted },
        )
    }

    fn remember(&mut self, first: &Line) {
        let Some(key) = self.mapping.group_key(first).map(hash) else {
            return;
        };
        self.closed_set.insert(key);
        self.closed.push_back(key);
        if self.closed.len() > REMEMBERED_GROUPS {
            let oldest = self.closed.pop_front();
            oldest.map(|oldest| self.closed_set.remove(&oldest));
        }
    }

    fn is_repeated(&mut self, line: &Line, out: &mut Out) -> Result<bool, Stopped> {
        let Some(key) = self.mapping.distinct_key(line) else {
            return Ok(false);
        };
        let is_new = self.seen.insert(hash(key));
        if self.seen.len() > MOST_DISTINCT {
            out.broken(line.number, format!("more than {MOST_DISTINCT} distinct values"))?;
            return Err(Stopped);
        }
        Ok(!is_new)
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The way out of the thread.
struct Out {
    sender: mpsc::Sender<Said>,
    batch: Batch,
    rows: usize,
    originals: bool,
}

impl Out {
    fn add(
        &mut self,
        row: Result<Row, (String, String)>,
        line: u64,
        original: impl FnOnce(bool) -> Original,
    ) -> Result<(), Stopped> {
        let original = original(self.originals);
        let original = if self.originals { original } else { Original::Unwanted };
        let (name, outcome) = match row {
            Ok(row) if row.bytes.len() > LARGEST_ROW => (row.name, Err("the row is larger than 3 MiB".to_owned())),
            Ok(row) => (row.name, Ok(row.bytes)),
            Err((name, problem)) => (name, Err(problem)),
        };
        let origin = Origin { line, name, original };
        match outcome {
            Ok(bytes) => {
                self.batch.bytes += bytes.len();
                if self.batch.bytes > FULL_BYTES && !self.batch.rows.is_empty() {
                    let size = bytes.len();
                    self.flush()?;
                    self.batch.bytes = size;
                }
                self.batch.rows.push(bytes);
                self.batch.origins.push(origin);
            }
            Err(problem) => {
                self.batch.refused_bytes += origin.original.bytes();
                self.batch.refused.push((origin, problem));
            }
        }
        Ok(())
    }

    fn refuse_lines(&mut self, lines: Vec<Line>, name: String, problem: String) -> Result<(), Stopped> {
        let number = lines.first().map_or(0, |line| line.number);
        self.add(Err((name, problem)), number, |_| Original::Lines(lines))
    }

    fn flush_if_full(&mut self) -> Result<(), Stopped> {
        let batch = &self.batch;
        let is_full = batch.rows.len() >= self.rows || batch.refused.len() >= self.rows;
        if is_full || batch.refused_bytes >= FULL_BYTES || batch.lines >= FULL_LINES {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Stopped> {
        let batch = std::mem::take(&mut self.batch);
        // Lines may have been told before the row that they make.
        if batch.lines == 0 && batch.rows.is_empty() && batch.refused.is_empty() {
            return Ok(());
        }
        self.say(Said::Batch(batch))
    }

    fn broken(&mut self, line: u64, problem: String) -> Result<(), Stopped> {
        self.flush()?;
        self.say(Said::Broken(line, problem))
    }

    fn say(&mut self, said: Said) -> Result<(), Stopped> {
        self.sender.blocking_send(said).map_err(|_| Stopped)
    }
}
