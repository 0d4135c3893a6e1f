//! Reads CSV line by line, in bounded memory whatever the file holds.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use csv::{ByteRecord, StringRecord};

/// A cell holds no more than this.
const LARGEST_CELL: usize = 1 << 20;
/// A line holds no more than this; beyond it a quote was never closed.
const LARGEST_LINE: u64 = 16 << 20;

/// A line of a table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Where it begins in the file, from 1.
    pub(crate) number: u64,
    pub(crate) cells: StringRecord,
}

impl Line {
    #[cfg(test)]
    pub(crate) fn new(number: u64, cells: &[&str]) -> Self {
        Self { number, cells: StringRecord::from(cells) }
    }
}

/// What was read.
pub(crate) enum Step {
    Line(Line),
    /// A line that cannot be used: its cells as far as they can be shown, and what is wrong.
    Bad(Line, String),
    End,
    /// Reading cannot go on.
    Broken(u64, String),
}

/// A table that is being read.
pub(crate) struct Table {
    reader: csv::Reader<Limited>,
    header: StringRecord,
    record: ByteRecord,
    seen: Arc<Seen>,
}

impl Table {
    /// Begins with the header. On failure, what is wrong with it.
    pub(crate) fn open(inner: Box<dyn Read + Send>) -> Result<Self, String> {
        let seen = Arc::new(Seen { budget: AtomicU64::new(LARGEST_LINE), ..Seen::default() });
        let limited = Limited { inner, seen: Arc::clone(&seen) };
        // Ending lines at the line feed alone keeps the count of lines right; a carriage return before it is cut off.
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(limited);
        let mut header = ByteRecord::new();
        match reader.read_byte_record(&mut header) {
            Ok(true) => {}
            Ok(false) => return Err("line 1: the file is empty: its first line must name the columns".to_owned()),
            Err(error) => return Err(format!("line 1: {}", told(&error))),
        }
        cut_carriage_return(&mut header);
        let header =
            StringRecord::from_byte_record(header).map_err(|_| "line 1: the header is not UTF-8".to_owned())?;
        Ok(Self { reader, header, record: ByteRecord::new(), seen })
    }

    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    pub(crate) fn next(&mut self) -> Step {
        loop {
            self.seen.budget.store(LARGEST_LINE, Relaxed);
            let number = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Step::End,
                Err(error) => return Step::Broken(number, told(&error)),
            }
            let number = self.line_number();
            cut_carriage_return(&mut self.record);
            let is_blank = self.record.len() == 1 && self.record[0].is_empty() && self.header.len() > 1;
            if !is_blank {
                return self.checked(number);
            }
        }
    }

    /// Where the record at hand begins, counted back from its end: blank lines before it are passed over unseen.
    fn line_number(&self) -> u64 {
        let end = self.reader.position();
        let breaks: usize = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count();
        let unended = end.byte() == self.seen.total.load(Relaxed) && !self.seen.ended.load(Relaxed);
        end.line() - breaks as u64 - u64::from(!unended)
    }

    fn checked(&mut self, number: u64) -> Step {
        let problem = self.problem();
        let cells = match &problem {
            None => StringRecord::from_byte_record(std::mem::take(&mut self.record)).ok(),
            Some(_) => None,
        };
        let line = Line { number, cells: cells.unwrap_or_else(|| shown(&self.record)) };
        match problem {
            None => Step::Line(line),
            Some(problem) => Step::Bad(line, problem),
        }
    }

    fn problem(&self) -> Option<String> {
        for (index, cell) in self.record.iter().enumerate() {
            let name = || match self.header.get(index) {
                Some(name) => format!("column `{name}`"),
                None => format!("column {}", index + 1),
            };
            if cell.len() > LARGEST_CELL {
                return Some(format!("{}: {} bytes are more than the 1 MiB that a cell may hold", name(), cell.len()));
            }
            if let Err(error) = std::str::from_utf8(cell) {
                return Some(format!("{}: not UTF-8 at byte {} of the cell", name(), error.valid_up_to() + 1));
            }
        }
        let (found, wanted) = (self.record.len(), self.header.len());
        (found != wanted).then(|| format!("{found} cells, but the header names {wanted} columns"))
    }
}

/// The cells of a bad line, for the file of refused rows.
fn shown(record: &ByteRecord) -> StringRecord {
    let cells = record.iter().map(|cell| {
        let text = String::from_utf8_lossy(&cell[..cell.len().min(1024)]).into_owned();
        if cell.len() > 1024 { text + "…" } else { text }
    });
    cells.collect()
}

fn told(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => reading_failed(error),
        _ => error.to_string(),
    }
}

/// What is wrong with the bytes of a file, for a person.
pub(crate) fn reading_failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the packed file ends too early".to_owned(),
        _ => error.to_string(),
    }
}

/// Lines may end in a carriage return and a line feed.
fn cut_carriage_return(record: &mut ByteRecord) {
    if record.iter().next_back().is_some_and(|cell| cell.ends_with(b"\r")) {
        let last = record.len() - 1;
        let cells: ByteRecord = record
            .iter()
            .enumerate()
            .map(|(index, cell)| if index == last { &cell[..cell.len() - 1] } else { cell })
            .collect();
        *record = cells;
    }
}

/// What is known of the bytes read.
#[derive(Default)]
struct Seen {
    /// How many more the line at hand may have.
    budget: AtomicU64,
    total: AtomicU64,
    /// Whether the last of them ended a line.
    ended: AtomicBool,
}

/// Lets no line grow beyond its budget.
struct Limited {
    inner: Box<dyn Read + Send>,
    seen: Arc<Seen>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.seen.budget.load(Relaxed);
        if (count as u64) > left {
            return Err(io::Error::other("this line is longer than 16 MiB: a quote is not closed"));
        }
        self.seen.budget.store(left - count as u64, Relaxed);
        self.seen.total.fetch_add(count as u64, Relaxed);
        if let Some(last) = buffer[..count].last() {
            self.seen.ended.store(*last == b'\n', Relaxed);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &'static [u8]) -> Vec<String> {
        let mut table = Table::open(Box::new(bytes)).expect("a header");
        let mut told = vec![table.header().iter().collect::<Vec<_>>().join("|")];
        loop {
            told.push(match table.next() {
                Step::Line(line) => format!("{}: {}", line.number, line.cells.iter().collect::<Vec<_>>().join("|")),
                Step::Bad(line, problem) => format!("{}! {problem}", line.number),
                Step::Broken(number, problem) => format!("{number}!! {problem}"),
                Step::End => return told,
            });
            if told.last().is_some_and(|last| last.contains("!!")) {
                return told;
            }
        }
    }

    #[test]
    fn a_byte_order_mark_quotes_and_line_breaks_are_understood() {
        assert_eq!(told(b"\xef\xbb\xbfa,b\r\n\"1\n2\",\"x \"\"y\"\"\"\r\n3,4\n"), ["a|b", "2: 1\n2|x \"y\"", "4: 3|4"]);
        assert_eq!(told(b"a,b\n\n1,2\n\r\n\n3,4"), ["a|b", "3: 1|2", "6: 3|4"], "blank lines are counted");
    }

    #[test]
    fn a_bad_line_is_located_and_the_next_one_is_read() {
        assert_eq!(
            told(b"a,b\n1\n\xff,2\n3,4\n1,2,3\n"),
            [
                "a|b",
                "2! 1 cells, but the header names 2 columns",
                "3! column `a`: not UTF-8 at byte 1 of the cell",
                "4: 3|4",
                "5! 3 cells, but the header names 2 columns",
            ]
        );
    }

    #[test]
    fn a_huge_cell_is_refused_and_an_open_quote_does_not_fill_the_memory() {
        let huge = format!("a\n{}\n2\n", "x".repeat(LARGEST_CELL + 1));
        let told_huge = told(huge.into_bytes().leak());
        assert!(told_huge[1].contains("more than the 1 MiB"), "{}", told_huge[1]);
        assert_eq!(told_huge[2], "3: 2");
        let open = format!("a\n1\n\"{}", "x\n".repeat(10 << 20));
        let told_open = told(open.into_bytes().leak());
        assert!(told_open[2].starts_with("3!!") && told_open[2].contains("quote"), "{}", told_open[2]);
    }

    #[test]
    fn an_empty_file_says_what_is_missing() {
        assert!(Table::open(Box::new(&b""[..])).is_err_and(|problem| problem.contains("name the columns")));
    }
}
