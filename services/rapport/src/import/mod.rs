//! Imports files: streams them to a service in batches, whatever their size, and tells what became of each row.
//!
//! A thread reads the source and makes rows of its lines; a stream sends them, a few batches ahead of the answers. Rows
//! that cannot be made and rows that the server refuses are told alike, by line; all others land.

pub mod batch_id;
mod decimal;
mod draft;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod mapping;
mod progress;
mod reader;
mod refused;
mod resource;
mod send;
mod source;
mod table;
mod target;
pub mod undo;
pub(crate) mod value;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use contracts::common::v1::{FreshnessToken, ImportRefusal};
use tonic::Status;

pub use self::{
    mapping::Mapping,
    progress::{Progress, Show},
    refused::Refusal,
    resource::Kind,
    source::{Format, Source},
};
use self::{
    reader::{Batch, Origin, Original, Reading, Said},
    refused::RefusedFile,
    send::{Answer, Stream},
};
use crate::{client::Connection, exit::Told};

/// The reason given for rows that this program refuses.
const INVALID: &str = "ERROR_REASON_INVALID_FIELDS";
/// How many refusals a summary keeps; the rest are counted.
const KEPT_REFUSALS: usize = 20;

/// What to import.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the source holds.
    pub kind: Kind,
    /// Where it is.
    pub source: Source,
    /// How it is written; by the source's name if unset.
    pub format: Option<Format>,
    /// How its lines become rows; by the flat names of the kind if unset. Only for CSV.
    pub mapping: Option<Mapping>,
    /// What the import is called as a whole, 1 to 64 characters, so that [`undo`] can take it back; empty if it need not be.
    pub batch_id: String,
    /// Rows in a message, from 1 to 1,000.
    pub rows: usize,
    /// The file to add refused rows to, each source's under a header of its own.
    pub refused: Option<PathBuf>,
    /// Whether to keep every batch's freshness token.
    pub keep_tokens: bool,
    /// How to show progress.
    pub show: Show,
}

impl Job {
    /// An import of a source with everything else as usual.
    pub fn new(kind: Kind, source: Source) -> Self {
        Self {
            kind,
            source,
            format: None,
            mapping: None,
            batch_id: String::new(),
            rows: 500,
            refused: None,
            keep_tokens: false,
            show: Show::Auto,
        }
    }
}

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Lines read, the header left out.
    pub lines: u64,
    /// Lines that the mapping leaves out, and empty ones.
    pub skipped: u64,
    /// Rows recorded as new or changed.
    pub landed: u64,
    /// Rows that said what was already recorded.
    pub unchanged: u64,
    /// Rows refused, here or by the server.
    pub refused: u64,
    /// The first of the refusals.
    pub refusals: Vec<Refusal>,
    /// The freshness token of each batch, if they were to be kept: a read that carries all of them includes all of the import.
    pub tokens: Vec<FreshnessToken>,
}

impl Summary {
    /// Adds what became of another import.
    pub fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.skipped += other.skipped;
        self.landed += other.landed;
        self.unchanged += other.unchanged;
        self.refused += other.refused;
        let room = KEPT_REFUSALS.saturating_sub(self.refusals.len());
        self.refusals.extend(other.refusals.into_iter().take(room));
        self.tokens.extend(other.tokens);
    }
}

/// Why an import did not come to its end. What landed before stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source's name does not tell its format.
    #[error("{0}: the name does not end in .csv or .jsonl: say --input-format")]
    FormatUnknown(String),
    /// A mapping was given for JSON Lines.
    #[error("{0}: a mapping is for CSV files only")]
    MappingForJson(String),
    /// The source cannot be opened.
    #[error("{name}: {problem}")]
    CannotOpen {
        /// The source's name.
        name: String,
        /// Why.
        problem: String,
    },
    /// The header or the mapping does not fit; nothing was sent.
    #[error("{name}: {}", problems.join("\n  "))]
    Unusable {
        /// The source's name.
        name: String,
        /// Everything that does not fit.
        problems: Vec<String>,
    },
    /// The source ends or breaks in the middle. What came before was sent.
    #[error("{name}, line {line}: {problem}; what came before was imported")]
    Broken {
        /// The source's name.
        name: String,
        /// The line that could not be read.
        line: u64,
        /// Why.
        problem: String,
        /// What became of the lines before.
        summary: Box<Summary>,
    },
    /// The server ended the stream. The same import can be sent again from the start.
    #[error("stopped after {} rows: {}", summary.landed + summary.unchanged, Told(status))]
    Interrupted {
        /// Why.
        status: Box<Status>,
        /// What became of the batches before.
        summary: Box<Summary>,
    },
    /// The file of refused rows cannot be written.
    #[error("{path}: {error}")]
    RefusedFile {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Imports one source, and tells what became of its rows.
pub async fn run(connection: &Connection, job: Job) -> Result<Summary, Error> {
    let name = job.source.name();
    let format = job.format.or_else(|| job.source.format()).ok_or_else(|| Error::FormatUnknown(name.clone()))?;
    if format == Format::Jsonl && job.mapping.is_some() {
        return Err(Error::MappingForJson(name));
    }
    let counter = Arc::new(AtomicU64::new(0));
    let progress = Progress::begin(&name, job.source.size().unwrap_or_default(), job.show);
    let refused = job.refused.as_deref().map(RefusedFile::new);
    let stream = Stream::open(connection, job.kind, job.batch_id);
    let said = reader::start(
        Reading {
            kind: job.kind,
            source: job.source,
            format,
            mapping: job.mapping,
            batch: job.rows.clamp(1, 1000),
            originals: refused.is_some(),
        },
        Arc::clone(&counter),
    );
    let mut import = Import {
        name,
        format,
        stream,
        refused,
        refused_path: job.refused,
        keep_tokens: job.keep_tokens,
        summary: Summary::default(),
        first_index: 0,
        progress,
        counter,
    };
    let outcome = import.drive(said).await;
    import.end(outcome)
}

/// An import on its way.
struct Import {
    name: String,
    format: Format,
    stream: Stream,
    refused: Option<RefusedFile>,
    refused_path: Option<PathBuf>,
    keep_tokens: bool,
    summary: Summary,
    /// The index in the stream of the first row that is not answered.
    first_index: i64,
    progress: Progress,
    counter: Arc<AtomicU64>,
}

impl Import {
    async fn drive(&mut self, mut said: tokio::sync::mpsc::Receiver<Said>) -> Result<(), Error> {
        let mut reading = true;
        let mut broken = None;
        while reading || !self.stream.is_idle() {
            tokio::select! {
                word = said.recv(), if reading && self.stream.has_room() => match word {
                    Some(Said::Header(header)) => if let Some(file) = &mut self.refused {
                        file.set_header(header);
                    },
                    Some(Said::Batch(batch)) => self.take(batch).await?,
                    Some(Said::Closed(problem)) => {
                        return Err(Error::CannotOpen { name: self.name.clone(), problem });
                    }
                    Some(Said::Unusable(problems)) => {
                        return Err(Error::Unusable { name: self.name.clone(), problems });
                    }
                    Some(Said::Broken(line, problem)) => broken = Some((line, problem)),
                    None => {
                        reading = false;
                        self.stream.finish();
                    }
                },
                answer = self.stream.answer(), if !self.stream.is_idle() => match answer {
                    Ok((batch, answer)) => self.answered(batch, answer)?,
                    Err(status) => {
                        let summary = Box::new(std::mem::take(&mut self.summary));
                        return Err(Error::Interrupted { status: Box::new(status), summary });
                    }
                },
            }
        }
        match broken {
            None => Ok(()),
            Some((line, problem)) => Err(Error::Broken {
                name: self.name.clone(),
                line,
                problem,
                summary: Box::new(std::mem::take(&mut self.summary)),
            }),
        }
    }

    /// Counts what was refused here and sends the rest.
    async fn take(&mut self, mut batch: Batch) -> Result<(), Error> {
        self.summary.lines += batch.lines;
        self.summary.skipped += batch.skipped;
        for (origin, message) in std::mem::take(&mut batch.refused) {
            self.refuse(&origin, INVALID.to_owned(), message)?;
        }
        if !batch.rows.is_empty() {
            self.stream.send(batch).await;
        }
        self.show();
        Ok(())
    }

    fn answered(&mut self, batch: Batch, answer: Answer) -> Result<(), Error> {
        self.summary.landed += u64::try_from(answer.landed_count).unwrap_or_default();
        self.summary.unchanged += u64::try_from(answer.unchanged_count).unwrap_or_default();
        for refusal in answer.refusals {
            let at = usize::try_from(refusal.index - self.first_index).ok();
            let unknown = Origin { line: 0, name: refusal.name.clone(), original: Original::Unwanted };
            let origin = at.and_then(|at| batch.origins.get(at)).unwrap_or(&unknown);
            let message = told(&refusal);
            self.refuse(origin, refusal.reason, message)?;
        }
        self.first_index += i64::try_from(batch.origins.len()).unwrap_or_default();
        if let (true, Some(token)) = (self.keep_tokens, answer.freshness) {
            self.summary.tokens.push(token);
        }
        self.show();
        Ok(())
    }

    fn refuse(&mut self, origin: &Origin, reason: String, message: String) -> Result<(), Error> {
        let refusal =
            Refusal { source: self.name.clone(), line: origin.line, name: origin.name.clone(), reason, message };
        if let (Some(file), Some(path)) = (&mut self.refused, &self.refused_path) {
            let written = file.write(self.format, origin, &refusal);
            written.map_err(|error| Error::RefusedFile { path: path.clone(), error })?;
        }
        self.summary.refused += 1;
        if self.summary.refusals.len() < KEPT_REFUSALS {
            self.summary.refusals.push(refusal);
        }
        Ok(())
    }

    fn show(&mut self) {
        let rows = self.summary.landed + self.summary.unchanged + self.summary.refused;
        self.progress.at(self.counter.load(Relaxed), rows, "rows");
    }

    fn end(self, outcome: Result<(), Error>) -> Result<Summary, Error> {
        self.progress.end();
        if let (Some(file), Some(path)) = (self.refused, self.refused_path) {
            file.finish().map_err(|error| Error::RefusedFile { path, error })?;
        }
        outcome.map(|()| self.summary)
    }
}

/// A refusal by the server, with each field at fault.
fn told(refusal: &ImportRefusal) -> String {
    let mut message = refusal.message.clone();
    for violation in &refusal.violations {
        message.push_str(&format!("; {}: {}", violation.field, violation.description));
    }
    message
}

#[cfg(test)]
mod shipped_tests;
#[cfg(test)]
mod stream_tests;
