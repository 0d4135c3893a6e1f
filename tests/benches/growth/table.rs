//! Figures by size, and how they grow.

use tests::benchmark::median;

/// A table: a column for each size, a row for each figure.
pub(crate) struct Table {
    what: &'static str,
    sizes: Vec<usize>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    /// What the last size against the first is to be at most, if anything was said.
    wanted: Option<f64>,
    /// For each size, for each round.
    figures: Vec<Vec<f64>>,
}

impl Table {
    pub(crate) fn new(what: &'static str, sizes: &[usize]) -> Self {
        Self { what, sizes: sizes.to_vec(), rows: Vec::new() }
    }

    /// Adds what one round has shown of a size, by its place.
    pub(crate) fn add(&mut self, size: usize, name: &str, figure: f64) {
        self.row(name).figures[size].push(figure);
    }

    /// As [`Table::add`], of a figure that should not grow beyond a ratio.
    pub(crate) fn add_wanted(&mut self, size: usize, name: &str, figure: f64, wanted: f64) {
        let row = self.row(name);
        row.wanted = Some(wanted);
        row.figures[size].push(figure);
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let place = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            let figures = vec![Vec::new(); self.sizes.len()];
            self.rows.push(Row { name: name.to_owned(), wanted: None, figures });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// Prints medians, and ratios to the first size, round by round, with their spread.
    pub(crate) fn print(&self) {
        let sizes: String = self.sizes.iter().map(|size| format!(" | {}", grouped(*size))).collect();
        println!("\n| {}{sizes} | last / first | wanted |", self.what);
        println!("| --- |{}", " --- |".repeat(self.sizes.len() + 2));
        for row in &self.rows {
            let medians: String = row.figures.iter().map(|figures| format!(" | {}", shown(figures))).collect();
            let wanted = row.wanted.filter(|_| self.sizes.len() > 1);
            let wanted = wanted.map_or(String::new(), |wanted| format!("<= {wanted}"));
            println!("| {}{medians} | {} | {wanted} |", row.name, row.ratios());
        }
    }
}

impl Row {
    fn ratios(&self) -> String {
        let (Some(first), Some(last)) = (self.figures.first(), self.figures.last()) else { return String::new() };
        let mut ratios: Vec<f64> =
            last.iter().zip(first).filter(|(_, first)| **first > 0.0).map(|(last, first)| last / first).collect();
        ratios.sort_by(f64::total_cmp);
        match ratios.as_slice() {
            _ if self.figures.len() < 2 => String::new(),
            [] => String::new(),
            [ratio] => format!("{ratio:.2}"),
            [least, .., most] => format!("{:.2} ({least:.2}-{most:.2})", median(ratios.iter().copied())),
        }
    }
}

fn shown(figures: &[f64]) -> String {
    if figures.is_empty() {
        return "-".to_owned();
    }
    // Without a minus before nothing.
    let figure = median(figures.iter().copied()).max(0.0);
    if figure < 10.0 { format!("{figure:.2}") } else { grouped(figure.round() as usize) }
}

/// In groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
