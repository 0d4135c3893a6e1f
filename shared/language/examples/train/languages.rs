//! The part of the model that tells languages apart.

use std::path::Path;

use indicatif::ProgressBar;
use language::Header;
use language::identify::{Row, Settings, train};

use crate::files::{Fault, text_of};
use crate::sources::{checked, is_unsettled};

/// Trains it, and returns its bytes.
pub(crate) fn identifier(
    folder: &Path,
    header: &mut Header,
    with_unsettled: bool,
    bar: &ProgressBar,
) -> Result<Vec<u8>, Fault> {
    let learned = text_of(&checked(folder, "langid/train.tsv.gz", header)?)?;
    let held = text_of(&checked(folder, "langid/valid.tsv.gz", header)?)?;
    let rows = |table| rows(table, with_unsettled);
    let settings = Settings::default();
    header.push("settings of languages", format!("{settings:?}"));
    let identifier = train(&rows(&learned), &rows(&held), &settings, &mut |progress| {
        bar.set_message("learns languages");
        bar.set_position(300 * progress.seen / progress.all.max(1));
    });
    Ok(identifier.map_err(|fault| fault.to_string())?.encode())
}

/// The rows of a table of texts with their languages; the text is the last column.
fn rows(table: &str, with_unsettled: bool) -> Vec<Row<'_>> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (code, source, text) = (columns.next()?, columns.next()?, columns.next_back()?);
            (with_unsettled || !is_unsettled(source)).then_some(Row { code, text })
        })
        .collect()
}
