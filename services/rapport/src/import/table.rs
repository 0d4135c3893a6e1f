//! Reads CSV line by line, in bounded memory whatever the file holds.
//!
//! Cells are separated by commas, lines end in a line feed, with or without a carriage return. A cell that begins with a
//! quote ends with one; in between, commas and line breaks are text, and a quote is written twice. Nothing else is guessed:
//! a line whose quotes do not fit is refused alone, and reading goes on with the next line of the file.

use std::io::{self, Read};

use csv::{ByteRecord, StringRecord};
use memchr::{memchr, memchr_iter, memchr2};

/// A cell holds no more than this.
const LARGEST_CELL: usize = 1 << 20;
/// A line holds no more than this; where it is quoted, beyond this a quote was never closed.
const LARGEST_LINE: usize = 16 << 20;
/// A line has no more cells than this.
const MOST_CELLS: usize = 16_384;
/// How many bytes of a cell that cannot be used are shown.
const SHOWN_CELL: usize = 1 << 10;
/// How many bytes of a line that cannot be taken apart are shown.
const SHOWN_LINE: usize = 64 << 10;
/// How many bytes are read at a time.
const CHUNK: usize = 64 << 10;

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
    bytes: Bytes,
    header: StringRecord,
    record: ByteRecord,
    /// How many cells the line has; the record holds no more than [`MOST_CELLS`].
    count: usize,
    /// A quoted cell without its quotes.
    cell: Vec<u8>,
    /// The line that comes next, from 1.
    next_line: u64,
}

/// What is found where a line begins.
enum Scan {
    End,
    /// So many bytes are a line, whose cells are in the record; perhaps a cell is too large.
    Cells(usize, Option<String>),
    /// This line of the file cannot be taken apart.
    Malformed(String),
}

/// What ends a piece of text.
enum Found {
    /// What was looked for, at this offset.
    At(usize),
    /// The end of the file.
    End,
    /// The line is too long.
    TooLong,
}

impl Table {
    /// Begins with the header. On failure, what is wrong with it.
    pub(crate) fn open(inner: Box<dyn Read + Send>) -> Result<Self, String> {
        let bytes = Bytes { inner, held: Vec::new(), at: 0, ended: false };
        let (header, record, cell) = (StringRecord::new(), ByteRecord::new(), Vec::new());
        let mut table = Self { bytes, header, record, count: 0, cell, next_line: 1 };
        table.open_header().map_err(|problem| format!("line 1: {problem}"))?;
        Ok(table)
    }

    fn open_header(&mut self) -> Result<(), String> {
        self.bytes.skip_mark().map_err(|error| reading_failed(&error))?;
        let length = match self.scan().map_err(|error| reading_failed(&error))? {
            Scan::End => return Err("the file is empty: its first line must name the columns".to_owned()),
            Scan::Cells(_, Some(problem)) | Scan::Malformed(problem) => return Err(problem),
            Scan::Cells(length, None) => length,
        };
        if self.count > MOST_CELLS {
            return Err(format!("the header names {} columns; at most {MOST_CELLS} are taken", self.count));
        }
        let has = |byte: u8| self.record.iter().any(|cell| cell.contains(&byte));
        if has(0) {
            return Err("the header holds NUL bytes: save the file as UTF-8".to_owned());
        }
        if has(b'\r') {
            return Err("lines end in carriage returns alone: save the file with line feeds".to_owned());
        }
        self.header = StringRecord::from_byte_record(self.record.clone()).map_err(|error| {
            format!("column {}: the header is not UTF-8: save the file as UTF-8", error.utf8_error().field() + 1)
        })?;
        self.pass(length);
        Ok(())
    }

    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    pub(crate) fn next(&mut self) -> Step {
        loop {
            let number = self.next_line;
            let (length, problem) = match self.scan() {
                Err(error) => return Step::Broken(number, reading_failed(&error)),
                Ok(Scan::End) => return Step::End,
                Ok(Scan::Cells(length, problem)) => (length, problem),
                Ok(Scan::Malformed(problem)) => {
                    return match self.pass_line() {
                        Ok(text) => Step::Bad(Line { number, cells: StringRecord::from(vec![text]) }, problem),
                        Err(error) => Step::Broken(number, reading_failed(&error)),
                    };
                }
            };
            let is_blank = self.bytes.held_at(0..length).iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            self.pass(length);
            if !is_blank {
                return self.checked(number, problem);
            }
        }
    }

    fn checked(&mut self, number: u64, problem: Option<String>) -> Step {
        let problem = problem.or_else(|| self.problem());
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
            let name = || self.name(index);
            if let Err(error) = std::str::from_utf8(cell) {
                let byte = error.valid_up_to() + 1;
                return Some(format!("{}: not UTF-8 at byte {byte} of the cell: save the file as UTF-8", name()));
            }
            if cell.contains(&0) {
                return Some(format!("{}: holds a NUL byte", name()));
            }
        }
        let (found, wanted) = (self.count, self.header.len());
        (found != wanted).then(|| format!("{found} cells, but the header names {wanted} columns"))
    }

    /// What to call a cell.
    fn name(&self, index: usize) -> String {
        match self.header.get(index) {
            Some(name) => format!("column `{}`", name.trim()),
            None => format!("column {}", index + 1),
        }
    }

    /// Takes apart the line that begins here, and leaves it here.
    fn scan(&mut self) -> io::Result<Scan> {
        self.record.clear();
        self.count = 0;
        let mut at = 0;
        let mut problem = None;
        if self.bytes.get(0)?.is_none() {
            return Ok(Scan::End);
        }
        loop {
            let index = self.count;
            self.count += 1;
            let is_quoted = self.bytes.get(at)? == Some(b'"');
            let (size, end) = if is_quoted {
                match self.scan_quoted(at)? {
                    Ok(scanned) => scanned,
                    Err(wrong) => return Ok(Scan::Malformed(format!("{}: {wrong}", self.name(index)))),
                }
            } else {
                let end = match self.bytes.find(at, |rest| memchr2(b',', b'\n', rest))? {
                    Found::At(end) => end,
                    Found::End => self.bytes.len(),
                    Found::TooLong => return Ok(Scan::Malformed("the line is longer than 16 MiB".to_owned())),
                };
                let is_last = self.bytes.get(end)? != Some(b',');
                let cell = self.bytes.held_at(at..end);
                let cell = if is_last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
                if index < MOST_CELLS {
                    self.record.push_field(&cell[..cell.len().min(LARGEST_CELL)]);
                }
                (cell.len(), end)
            };
            if size > LARGEST_CELL && problem.is_none() {
                let name = self.name(index);
                problem = Some(format!("{name}: {size} bytes are more than the 1 MiB that a cell may hold"));
            }
            match self.bytes.get(end)? {
                Some(b',') => at = end + 1,
                Some(_) => return Ok(Scan::Cells(end + 1, problem)),
                None => return Ok(Scan::Cells(end, problem)),
            }
        }
    }

    /// Takes a quoted cell off its quotes. Returns how many bytes it has, and the offset of the comma or the line feed behind
    /// it, or of the end of the file; or what is wrong with its quotes.
    fn scan_quoted(&mut self, start: usize) -> io::Result<Result<(usize, usize), &'static str>> {
        self.cell.clear();
        let mut size = 0;
        let mut at = start + 1;
        loop {
            let end = match self.bytes.find(at, |rest| memchr(b'"', rest))? {
                Found::At(end) => end,
                Found::End => return Ok(Err("the quote that opens here is not closed")),
                Found::TooLong if self.bytes.held_at(0..LARGEST_LINE.min(self.bytes.len())).contains(&b'\n') => {
                    return Ok(Err("the quote that opens here is not closed within 16 MiB"));
                }
                Found::TooLong => return Ok(Err("the line is longer than 16 MiB")),
            };
            let is_doubled = self.bytes.get(end + 1)? == Some(b'"');
            // A doubled quote stands for one.
            let text = self.bytes.held_at(at..if is_doubled { end + 1 } else { end });
            size += text.len();
            let room = LARGEST_CELL.saturating_sub(self.cell.len());
            self.cell.extend_from_slice(&text[..text.len().min(room)]);
            if is_doubled {
                at = end + 2;
                continue;
            }
            let mut behind = end + 1;
            if self.bytes.get(behind)? == Some(b'\r') && matches!(self.bytes.get(behind + 1)?, Some(b'\n') | None) {
                behind += 1;
            }
            if self.count <= MOST_CELLS {
                self.record.push_field(&self.cell);
            }
            return Ok(match self.bytes.get(behind)? {
                Some(b',' | b'\n') | None => Ok((size, behind)),
                Some(_) => Err("text follows its closing quote (inside quotes, a quote is written twice)"),
            });
        }
    }

    /// Goes on after what was scanned.
    fn pass(&mut self, length: usize) {
        self.next_line += memchr_iter(b'\n', self.bytes.held_at(0..length)).count() as u64;
        self.bytes.at += length;
    }

    /// Goes on with the next line of the file. Returns what this one holds, as far as it can be shown.
    fn pass_line(&mut self) -> io::Result<String> {
        let mut start = Vec::new();
        loop {
            let rest = self.bytes.held_at(0..self.bytes.len());
            let end = memchr(b'\n', rest);
            let piece = &rest[..end.unwrap_or(rest.len())];
            start.extend_from_slice(&piece[..piece.len().min(SHOWN_LINE - start.len())]);
            let length = piece.len() + usize::from(end.is_some());
            self.bytes.at += length;
            if end.is_some() || self.bytes.get(0)?.is_none() {
                self.next_line += u64::from(end.is_some());
                return Ok(String::from_utf8_lossy(start.strip_suffix(b"\r").unwrap_or(&start)).into_owned());
            }
        }
    }
}

/// The cells of a bad line, for the file of refused rows.
fn shown(record: &ByteRecord) -> StringRecord {
    let cells = record.iter().map(|cell| {
        let text = String::from_utf8_lossy(&cell[..cell.len().min(SHOWN_CELL)]).into_owned();
        if cell.len() > SHOWN_CELL { text + "…" } else { text }
    });
    cells.collect()
}

/// What is wrong with the bytes of a file, for a person.
pub(crate) fn reading_failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the packed file ends too early".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("the packed file is damaged, or goes on with something else ({error})")
        }
        _ => error.to_string(),
    }
}

/// The bytes of a file, of which those from the beginning of a line on are held. Offsets count from there.
struct Bytes {
    inner: Box<dyn Read + Send>,
    held: Vec<u8>,
    /// Where the line begins.
    at: usize,
    ended: bool,
}

impl Bytes {
    /// How many bytes are held.
    fn len(&self) -> usize {
        self.held.len() - self.at
    }

    fn held_at(&self, range: std::ops::Range<usize>) -> &[u8] {
        &self.held[self.at + range.start..self.at + range.end]
    }

    /// The byte at an offset, or nothing at the end of the file.
    fn get(&mut self, offset: usize) -> io::Result<Option<u8>> {
        while offset >= self.len() {
            if !self.read_more()? {
                return Ok(None);
            }
        }
        Ok(Some(self.held[self.at + offset]))
    }

    /// Looks for something from an offset on.
    fn find(&mut self, from: usize, look: impl Fn(&[u8]) -> Option<usize>) -> io::Result<Found> {
        let mut from = from;
        loop {
            let rest = &self.held[self.at + from.min(self.len())..];
            if let Some(found) = look(rest) {
                return Ok(if from + found < LARGEST_LINE { Found::At(from + found) } else { Found::TooLong });
            }
            from = from.max(self.len());
            if from >= LARGEST_LINE {
                return Ok(Found::TooLong);
            }
            if !self.read_more()? {
                return Ok(Found::End);
            }
        }
    }

    /// Reads a further chunk. Returns whether there was any.
    fn read_more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        // What is behind is let go now and then, and the memory of a long line with it.
        if self.at >= CHUNK || self.at == self.held.len() {
            self.held.drain(..self.at);
            self.at = 0;
            if self.held.capacity() > 8 * CHUNK {
                self.held.shrink_to(2 * self.held.len() + CHUNK);
            }
        }
        let length = self.held.len();
        self.held.resize(length + CHUNK, 0);
        let count = loop {
            match self.inner.read(&mut self.held[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.held.truncate(length + count.as_ref().map_or(0, |count| *count));
        self.ended = count? == 0;
        Ok(!self.ended)
    }

    /// Passes over a byte-order mark of UTF-8.
    fn skip_mark(&mut self) -> io::Result<()> {
        if self.get(2)?.is_some() && self.held.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out the bytes in pieces of this size.
    struct Pieces(io::Cursor<Vec<u8>>, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = buffer.len().min(self.1);
            self.0.read(&mut buffer[..size])
        }
    }

    fn told_in_pieces(bytes: &[u8], size: usize) -> Vec<String> {
        let mut table = Table::open(Box::new(Pieces(io::Cursor::new(bytes.to_vec()), size))).expect("a header");
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

    fn told(bytes: &[u8]) -> Vec<String> {
        let told = told_in_pieces(bytes, CHUNK);
        if bytes.len() < CHUNK {
            assert_eq!(told_in_pieces(bytes, 1), told, "in however many pieces it comes");
        }
        told
    }

    fn refused(bytes: &'static [u8]) -> String {
        Table::open(Box::new(bytes)).err().expect("no header")
    }

    #[test]
    fn a_byte_order_mark_quotes_and_line_breaks_are_understood() {
        assert_eq!(told(b"\xef\xbb\xbfa,b\r\n\"1\n2\",\"x \"\"y\"\"\"\r\n3,4\n"), ["a|b", "2: 1\n2|x \"y\"", "4: 3|4"]);
        assert_eq!(told(b"a,b\n\n1,2\n\r\n\n3,4"), ["a|b", "3: 1|2", "6: 3|4"], "blank lines are counted");
        assert_eq!(told(b"\"a\",b\n,\n\"\",\"\"\n\",\",\"\"\"\"\r\n"), ["a|b", "2: |", "3: |", "4: ,|\""]);
        assert_eq!(told(b"a,b\n1,2\"\n3 \"x\",4\"\r"), ["a|b", "2: 1|2\"", "3: 3 \"x\"|4\""], "a quote inside a cell");
        assert_eq!(told(b"a"), ["a"]);
    }

    #[test]
    fn a_bad_line_is_located_and_the_next_one_is_read() {
        assert_eq!(
            told(b"a,b\n1\n\xff,2\n3,4\n1,2,3\n5,\0\n"),
            [
                "a|b",
                "2! 1 cells, but the header names 2 columns",
                "3! column `a`: not UTF-8 at byte 1 of the cell: save the file as UTF-8",
                "4: 3|4",
                "5! 3 cells, but the header names 2 columns",
                "6! column `b`: holds a NUL byte",
            ]
        );
    }

    #[test]
    fn broken_quotes_cost_one_line_and_no_other() {
        let behind = "text follows its closing quote (inside quotes, a quote is written twice)";
        assert_eq!(
            told(b"a,b\n1,\"2\n3,4\n5,\"6\"\n7,8\n"),
            ["a|b", &format!("2! column `b`: {behind}"), "3: 3|4", "4: 5|6", "5: 7|8"],
            "closed by the quote that opens the next"
        );
        assert_eq!(told(b"a,b\n\"the \"best\" one\",2\n3,4\n"), ["a|b", &format!("2! column `a`: {behind}"), "3: 3|4"]);
        assert_eq!(
            told(b"a,b\n1,2\n3,\"4\n5,6\n7,8"),
            ["a|b", "2: 1|2", "3! column `b`: the quote that opens here is not closed", "4: 5|6", "5: 7|8"],
            "nothing is swallowed up to the end"
        );
        assert_eq!(told(b"a,b\n1,\""), ["a|b", "2! column `b`: the quote that opens here is not closed"]);
        let Step::Bad(line, _) = Table::open(Box::new(&b"a,b\n1,\"x\r\n"[..])).expect("a header").next() else {
            panic!("a bad line");
        };
        assert_eq!(line.cells, StringRecord::from(vec!["1,\"x"]), "as it stood in the file");
    }

    #[test]
    fn what_is_huge_is_refused_and_does_not_fill_the_memory() {
        for cell in ["x".repeat(LARGEST_CELL + 1), "x".repeat(10 << 20)] {
            for quote in ["", "\""] {
                let told = told(format!("a,b\n1,{quote}{cell}{quote}\n2,3\n").as_bytes());
                let size = cell.len();
                let problem = format!("2! column `b`: {size} bytes are more than the 1 MiB that a cell may hold");
                assert_eq!(told, ["a|b", &problem, "3: 2|3"]);
            }
        }
        let longest = "x".repeat(LARGEST_CELL);
        assert_eq!(
            told(format!("a\n{longest}\n\"{longest}\"").as_bytes())[1..],
            [format!("2: {longest}"), format!("3: {longest}")]
        );

        let line = "x".repeat(LARGEST_LINE + 1);
        for quote in ["", "\""] {
            let mut table =
                Table::open(Box::new(io::Cursor::new(format!("a\n{quote}{line}{quote}\n2\n")))).expect("a header");
            let Step::Bad(bad, problem) = table.next() else { panic!("a bad line") };
            assert!(problem.ends_with("the line is longer than 16 MiB"), "{problem}");
            assert_eq!((bad.number, bad.cells[0].len()), (2, SHOWN_LINE));
            assert!(matches!(table.next(), Step::Line(line) if line.number == 3 && line.cells[0] == *"2"));
            assert!(matches!(table.next(), Step::End));
            assert!(table.bytes.held.capacity() < 2 << 20, "{}", table.bytes.held.capacity());
        }

        let line = "x".repeat(1 << 20);
        let open = format!("a\n1\n\"{}", format!("{line}\n").repeat(17));
        let told_open = told(open.as_bytes());
        assert_eq!(told_open[2], "3! column `a`: the quote that opens here is not closed within 16 MiB");
        assert_eq!((told_open.len(), &told_open[3]), (2 + 17, &format!("4: {line}")));

        let many = format!("a,b\n{}\n1,2\n", ",".repeat(LARGEST_LINE - 1));
        let mut table = Table::open(Box::new(io::Cursor::new(many))).expect("a header");
        assert!(matches!(table.next(), Step::Bad(_, problem) if problem.starts_with("16777216 cells")));
        assert_eq!(table.record.len(), MOST_CELLS);
        assert!(matches!(table.next(), Step::Line(_)));
    }

    #[test]
    fn what_is_no_table_says_what_is_wrong_with_it() {
        assert_eq!(refused(b""), "line 1: the file is empty: its first line must name the columns");
        assert_eq!(refused(b"\xef\xbb\xbf"), refused(b""));
        assert_eq!(refused(b"a,\xe9\n1,2\n"), "line 1: column 2: the header is not UTF-8: save the file as UTF-8");
        assert_eq!(refused(b"a,b\0\n1,2\n"), "line 1: the header holds NUL bytes: save the file as UTF-8");
        let endings = "line 1: lines end in carriage returns alone: save the file with line feeds";
        assert_eq!(refused(b"a,b\r1,2\r3,4\r"), endings);
        assert_eq!(refused(b"a,\"b\n1,2\n"), "line 1: column 2: the quote that opens here is not closed");
    }
}
