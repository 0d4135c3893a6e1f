//! The part of the model that tells languages apart.

use std::path::Path;

use indicatif::ProgressBar;
use language::Header;
use language::identify::{Row, Settings, train};

use crate::files::{Fault, text_of};
use crate::sources::{checked, is_unsettled};

/// Tables of texts with their languages; besides them, labelled ones, of which English has more than enough.
const TABLE: &str = "langid/train.tsv.gz";
const LABELLED: [&str; 2] = ["emotions/train.tsv.gz", "sentiment/train.tsv.gz"];
/// Of English, only these of the labelled ones: what customers and other judges write.
const ENGLISH: [&str; 2] = ["uci", "vader"];

/// Word lists: for single words, of which texts have few.
const LISTS: [(&str, &str); 8] = [
    ("en", "en_afinn"),
    ("en", "en_pattern"),
    ("en", "en_vader"),
    ("hu", "hu_afinn"),
    ("nl", "nl_afinn"),
    ("nl", "nl_pattern"),
    ("pt", "pt_afinn"),
    ("pt", "pt_leia"),
];

/// Trains it, and returns its bytes.
pub(crate) fn identifier(
    folder: &Path,
    header: &mut Header,
    with_unsettled: bool,
    bar: &ProgressBar,
) -> Result<Vec<u8>, Fault> {
    let mut read = |name: &str| checked(folder, name, header).and_then(|path| text_of(&path));
    let (learned, held) = (read(TABLE)?, read("langid/valid.tsv.gz")?);
    let labelled = LABELLED.map(&mut read).into_iter().collect::<Result<Vec<_>, _>>()?;
    let lists = LISTS.map(|(code, list)| Ok((code, read(&format!("lexicons/{list}.tsv.gz"))?)));
    let lists = lists.into_iter().collect::<Result<Vec<_>, Fault>>()?;

    let is_settled = |_: &str, source: &str| with_unsettled || !is_unsettled(source);
    let is_wanted = |code: &str, source: &str| {
        is_settled(code, source) && (code != "en" || ENGLISH.iter().any(|judging| source.starts_with(judging)))
    };
    let mut examples = rows(&learned, is_settled);
    labelled.iter().for_each(|table| examples.extend(rows(table, is_wanted)));
    examples.sort_by_key(|row| (row.code, row.text));
    examples.dedup_by_key(|row| (row.code, row.text));
    for (code, list) in &lists {
        examples.extend(list.lines().skip(1).filter_map(|line| Some(Row { code, text: line.split('\t').next()? })));
    }

    let settings = Settings::default();
    header.push("settings of languages", format!("{settings:?}"));
    let identifier = train(&examples, &rows(&held, is_settled), &settings, &mut |progress| {
        bar.set_message("learns languages");
        bar.set_position(300 * progress.seen / progress.all.max(1));
    });
    Ok(identifier.map_err(|fault| fault.to_string())?.encode())
}

/// The rows of a table that are wanted by their language and source; the text is the last column.
fn rows(table: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<Row<'_>> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (code, source, text) = (columns.next()?, columns.next()?, columns.next_back()?);
            is_wanted(code, source).then_some(Row { code, text })
        })
        .collect()
}
