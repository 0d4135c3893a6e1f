//! What the program prints: answers on standard output, everything else on standard error.

use std::{
    fmt, fs,
    io::{self, IsTerminal, Write},
    path::Path,
};

/// Prints a line of an answer.
pub fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// A locked standard output, buffered by line, for answers of many lines.
pub fn stdout() -> io::StdoutLock<'static> {
    io::stdout().lock()
}

/// Prints a note for a person. A closed standard error is no reason to stop.
pub fn note(text: &str) {
    let _: io::Result<()> = writeln!(io::stderr().lock(), "{text}");
}

/// Whether somebody watches standard error.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether somebody watches the answer.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How many characters a line of the answer may have on the terminal that shows it; none if none does.
pub fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, width)| usize::from(width))
}

/// Writes a file that was asked for beside the answer.
pub fn file(path: &Path, content: &str) -> io::Result<()> {
    fs::write(path, content).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// A table in columns as wide as their widest cell.
#[derive(Debug, Default)]
pub struct Grid {
    rows: Vec<Vec<String>>,
    /// The columns that are aligned to the right.
    right: Vec<usize>,
}

impl Grid {
    /// A table with these titles.
    pub fn titled(titles: &[&str]) -> Self {
        let mut grid = Self::default();
        grid.row(titles.iter().map(|title| (*title).to_owned()));
        grid
    }

    /// Aligns these columns to the right.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has nothing but titles.
    pub fn is_bare(&self) -> bool {
        self.rows.len() < 2
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                let cell = match self.right.contains(&column) {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                };
                line.push_str(&cell);
                line.push_str("  ");
            }
            let end = if index + 1 == self.rows.len() { "" } else { "\n" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut grid = Grid::titled(&["facet", "score"]).right(&[1]);
        grid.row(["trust".to_owned(), "7".to_owned()]);
        assert_eq!(grid.to_string(), "facet  score\ntrust      7");
    }
}
