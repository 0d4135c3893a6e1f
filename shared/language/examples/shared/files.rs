//! Reads tables of labelled texts.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use language::training::Example;
use language::{Emotion, Language};

/// What a table lacks.
pub(crate) type Fault = String;

/// Reads a whole file, unpacked if its name ends in `.gz`.
pub(crate) fn text_of(path: &Path) -> Result<String, Fault> {
    let told = |fault: &dyn std::fmt::Display| format!("{}: {fault}", path.display());
    let bytes = fs::read(path).map_err(|fault| told(&fault))?;
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(|fault| told(&fault))?;
    } else {
        text = String::from_utf8(bytes).map_err(|fault| told(&fault))?;
    }
    Ok(text)
}

/// Reads a table with a header line: `text`, `lang`, `source` and either `label` (-1, 0, 1; others are unlabelled) or
/// `labels` and `observed` (emotions between commas). Without `lang` all is in `language`.
pub(crate) fn examples_of(path: &Path, language: Option<Language>) -> Result<Vec<Example>, Fault> {
    let text = text_of(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| header.iter().position(|column| *column == name);
    let told = |line: usize, fault: &str| format!("{}, line {line}: {fault}", path.display());
    let Some(text_at) = column("text") else { return Err(told(1, "no column `text`")) };
    let (lang, source, label) = (column("lang"), column("source"), column("label"));
    let (labels, observed) = (column("labels"), column("observed"));
    let mut examples = Vec::new();
    for (number, line) in (2..).zip(lines) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != header.len() {
            return Err(told(number, &format!("{} columns, the header has {}", cells.len(), header.len())));
        }
        let cell = |at: Option<usize>| at.map_or("", |at| cells[at]);
        let sentiment = match cell(label) {
            "-1" => Some(0),
            "0" => Some(1),
            "1" => Some(2),
            _ => None,
        };
        let emotions = match (labels, observed) {
            (Some(_), Some(_)) => {
                let known = bits(cell(observed)).map_err(|fault| told(number, &fault))?;
                Some((known, bits(cell(labels)).map_err(|fault| told(number, &fault))? & known))
            }
            _ => None,
        };
        examples.push(Example {
            text: cells[text_at].to_owned(),
            language: if lang.is_some() { Language::of_code(cell(lang)) } else { language },
            source: if source.is_some() { cell(source).to_owned() } else { name_of(path) },
            translated: false,
            weight: 1.0,
            sentiment,
            emotions,
        });
    }
    Ok(examples)
}

fn bits(names: &str) -> Result<u8, Fault> {
    names.split(',').filter(|name| !name.is_empty()).try_fold(0, |bits, name| {
        let at = Emotion::ALL.iter().position(|emotion| emotion.name() == name);
        at.map(|at| bits | 1 << at).ok_or_else(|| format!("`{name}` is no emotion"))
    })
}

fn name_of(path: &Path) -> String {
    PathBuf::from(path.file_name().unwrap_or_default()).to_string_lossy().into_owned()
}
