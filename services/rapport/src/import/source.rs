//! Where an import's bytes come from: files, standard input, or data that ship with the program.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use flate2::bufread::MultiGzDecoder;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// A JSON object a line, in proto JSON.
    Jsonl,
}

/// Where an import's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory, with the name that messages use for them.
    Bytes(&'static str, &'static [u8]),
}

impl Source {
    /// The source that an argument names: a path, or `-` for standard input.
    pub fn from_argument(argument: &str) -> Self {
        match argument {
            "-" => Self::Stdin,
            path => Self::File(PathBuf::from(path)),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
            Self::Bytes(name, _) => (*name).to_owned(),
        }
    }

    /// The format that its name tells, past a `.gz`.
    pub fn format(&self) -> Option<Format> {
        let name = self.name();
        let path = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
        match path.extension()?.to_str()? {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        }
    }

    /// How many bytes there are to read, if that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len()),
            Self::Stdin => None,
            Self::Bytes(_, bytes) => Some(bytes.len() as u64),
        }
    }

    /// Opens it. `counter` counts the bytes as they are read, before they are unpacked.
    pub(crate) fn open(&self, counter: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let raw: Box<dyn Read + Send> = match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Stdin => Box::new(io::stdin()),
            Self::Bytes(_, bytes) => Box::new(Cursor::new(*bytes)),
        };
        let counted = Counted { inner: raw, counter: Arc::clone(counter) };
        let mut buffered = BufReader::with_capacity(1 << 16, counted);
        // By its first bytes, since standard input has no name.
        if buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            return Ok(Box::new(MultiGzDecoder::new(buffered)));
        }
        Ok(Box::new(buffered))
    }
}

/// What bytes are that cannot be read as text, given the first of a file: what to call it, and what to do about it.
pub(crate) fn foreign(first: &[u8]) -> Option<(&'static str, &'static str)> {
    const ENCODING: &str = "save it as UTF-8";
    Some(match first {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", ENCODING),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", ENCODING),
        [0, 1..=255, ..] | [1..=255, 0, ..] => ("UTF-16 without a byte-order mark", ENCODING),
        [b'P', b'K', 3, 4, ..] => ("a ZIP archive or a spreadsheet's workbook", "save it as CSV in UTF-8"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', b'1'..=b'9', ..] | [0xfd, b'7', b'z', b'X', ..] => {
            ("packed in a way other than gzip", "unpack it first")
        }
        _ => return None,
    })
}

/// Reads so much that [`foreign`] can tell. Returns it, and all the bytes.
pub(crate) fn peek(mut bytes: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut first = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut first)?;
    Ok((first.clone(), Box::new(Cursor::new(first).chain(bytes))))
}

struct Counted<R> {
    inner: R,
    counter: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.counter.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}
