//! Texts, one after the other: the lines of a source, or one column of a table.

use std::io::{BufRead, BufReader, Read};

use super::Input;

/// What is wrong with a source, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Counted from 1.
    pub(super) line: u64,
    pub(super) what: String,
}

/// The texts of a source. Bytes that are no UTF-8 are read as unknown characters.
pub(super) enum Texts {
    Lines { reader: BufReader<Box<dyn Read + Send>>, line: u64 },
    Column { records: csv::ByteRecordsIntoIter<Box<dyn Read + Send>>, column: usize },
}

impl Texts {
    /// Begins to read. Of a table, the column of this name has the texts.
    pub(super) fn read(bytes: Box<dyn Read + Send>, input: Input, column: &str) -> Result<Self, Problem> {
        let delimiter = match input {
            Input::Lines => return Ok(Self::Lines { reader: BufReader::new(bytes), line: 0 }),
            Input::Csv => b',',
            Input::Tsv => b'\t',
        };
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(delimiter).quoting(input == Input::Csv).flexible(true);
        let mut reader = builder.from_reader(bytes);
        let header = reader.headers().map_err(|error| problem(&error, 1))?.clone();
        let found = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == column);
        let Some(column) = found else {
            let columns: Vec<&str> = header.iter().collect();
            let what =
                format!("there is no column `{column}`: name another with --column; there are {}", columns.join(", "));
            return Err(Problem { line: 1, what });
        };
        Ok(Self::Column { records: reader.into_byte_records(), column })
    }
}

impl Iterator for Texts {
    type Item = Result<String, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines { reader, line } => {
                let mut bytes = Vec::new();
                *line += 1;
                match reader.read_until(b'\n', &mut bytes) {
                    Ok(0) => None,
                    Ok(_) => {
                        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                        let text = text.strip_suffix(b"\r").unwrap_or(text);
                        Some(Ok(String::from_utf8_lossy(text).into_owned()))
                    }
                    Err(error) => Some(Err(Problem { line: *line, what: error.to_string() })),
                }
            }
            Self::Column { records, column } => {
                let line = records.reader().position().line();
                let record = match records.next()? {
                    Ok(record) => record,
                    Err(error) => return Some(Err(problem(&error, line))),
                };
                let text = record.get(*column).unwrap_or_default();
                Some(Ok(String::from_utf8_lossy(text).into_owned()))
            }
        }
    }
}

fn problem(error: &csv::Error, line: u64) -> Problem {
    let line = error.position().map_or(line, csv::Position::line);
    Problem { line, what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], input: Input) -> Result<Vec<String>, Problem> {
        Texts::read(Box::new(bytes), input, "text")?.collect()
    }

    fn all(bytes: &'static [u8], input: Input) -> Vec<String> {
        read(bytes, input).expect("texts")
    }

    #[test]
    fn a_line_is_a_text_whatever_its_end_and_bytes() {
        assert_eq!(
            all(b"one\r\n\ntwo \"quoted\nthr\xffee", Input::Lines),
            ["one", "", "two \"quoted", "thr\u{fffd}ee"]
        );
        assert!(all(b"", Input::Lines).is_empty());
    }

    #[test]
    fn a_column_of_a_table_has_the_texts() {
        assert_eq!(all(b"id\ttext\n1\tsaid \"so\n2\n3\tno\n", Input::Tsv), ["said \"so", "", "no"]);
        assert_eq!(all(b"\xef\xbb\xbftext,id\n\"a, b\nc\",1\n", Input::Csv), ["a, b\nc"]);
        let missing = read(b"id,body\n1,a\n", Input::Csv).expect_err("no such column");
        assert!(missing.line == 1 && missing.what.contains("id, body"), "{missing:?}");
    }
}
