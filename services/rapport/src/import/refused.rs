//! Keeps the refused rows as they stood in the file, with line, reason and message.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{
    reader::{Origin, Original},
    source::Format,
};

/// A row that was refused, by this program or by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The source's name.
    pub source: String,
    /// The line of the source, from 1; the first one of a row made of several.
    pub line: u64,
    /// The resource's name, as far as it could be made.
    pub name: String,
    /// The reason, from the contract's `ErrorReason`.
    pub reason: String,
    /// What is wrong, for a person.
    pub message: String,
}

/// The file of refused rows. It is made with the first of them; rows of another import are added to it.
pub(crate) struct RefusedFile {
    path: PathBuf,
    header: csv::StringRecord,
    open: Option<Writer>,
}

enum Writer {
    Csv(Box<csv::Writer<File>>),
    Jsonl(BufWriter<File>),
}

impl RefusedFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), header: csv::StringRecord::new(), open: None }
    }

    pub(crate) fn set_header(&mut self, header: csv::StringRecord) {
        self.header = header;
    }

    pub(crate) fn write(&mut self, format: Format, origin: &Origin, refusal: &Refusal) -> io::Result<()> {
        let writer = match &mut self.open {
            Some(writer) => writer,
            None => self.open.insert(Writer::create(&self.path, format, &self.header)?),
        };
        match (writer, &origin.original) {
            (Writer::Csv(writer), Original::Lines(lines)) => {
                for line in lines {
                    let number = line.number.to_string();
                    let cells = (0..self.header.len()).map(|index| line.cells.get(index).unwrap_or_default());
                    writer.write_record(cells.chain([number.as_str(), &refusal.reason, &refusal.message]))?;
                }
                Ok(())
            }
            (Writer::Csv(writer), _) => {
                let number = refusal.line.to_string();
                let cells = std::iter::repeat_n("", self.header.len());
                Ok(writer.write_record(cells.chain([number.as_str(), &refusal.reason, &refusal.message]))?)
            }
            (Writer::Jsonl(writer), original) => {
                let row = match original {
                    Original::Text(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
                    _ => serde_json::Value::Null,
                };
                let line = serde_json::json!({
                    "line": refusal.line, "reason": refusal.reason, "message": refusal.message, "row": row,
                });
                writeln!(writer, "{line}")
            }
        }
    }

    /// Makes sure that all of it is in the file.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.open {
            None => Ok(()),
            Some(Writer::Csv(mut writer)) => writer.flush(),
            Some(Writer::Jsonl(mut writer)) => writer.flush(),
        }
    }
}

impl Writer {
    fn create(path: &Path, format: Format, header: &csv::StringRecord) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(match format {
            Format::Jsonl => Self::Jsonl(BufWriter::new(file)),
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
                writer.write_record(header.iter().chain(["line", "reason", "message"]))?;
                Self::Csv(Box::new(writer))
            }
        })
    }
}
