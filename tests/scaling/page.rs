//! `deploy/SCALING.md` says what it is made of: its inputs, and a formula beside each figure that follows from them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use crate::formula;

/// The page, with each figure that a formula gives.
fn computed(page: &str) -> String {
    let mut names = BTreeMap::new();
    let mut lines = Vec::new();
    for line in page.lines() {
        let mut cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        let name = cells.get(1).and_then(|cell| quoted(cell)).map(str::to_owned);
        match (name, cells.len()) {
            // | `name` | value | unit | where it is from |
            (Some(name), 6) if number(&cells[2]).is_some() => {
                names.insert(name, number(&cells[2]).unwrap());
            }
            // | `name` | value | unit | `formula` | what it is |
            (Some(name), 7) if quoted(&cells[4]).is_some() => {
                let value = formula::value(quoted(&cells[4]).unwrap(), &names).unwrap_or_else(|error| {
                    panic!("{name}: {error}");
                });
                cells[2] = shown(value);
                names.insert(name, value);
                lines.push(cells.join(" | ").trim().to_owned());
                continue;
            }
            _ => {}
        }
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}

fn quoted(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

fn number(cell: &str) -> Option<f64> {
    cell.replace(',', "").parse().ok()
}

/// Whole from ten on, in groups of three digits; below, to a tenth.
fn shown(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// After a measurement: change the input, and run this with `RAPPORT_SCALING_WRITE=1`.
#[test]
fn the_page_follows_from_its_inputs() {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/SCALING.md"));
    let page = fs::read_to_string(&path).unwrap();
    let computed = computed(&page);
    if std::env::var_os("RAPPORT_SCALING_WRITE").is_some() {
        fs::write(&path, computed).unwrap();
        return;
    }
    for (is, should_be) in page.lines().zip(computed.lines()) {
        assert_eq!(is, should_be, "RAPPORT_SCALING_WRITE=1 writes what follows from the inputs");
    }
}

#[test]
fn a_page_that_says_otherwise_is_corrected() {
    let page = "| `a` | 1,500 | events | assumed |\n| `b` | 7 | events | `a * 3 / 2` | more |\n";
    assert_eq!(computed(page), "| `a` | 1,500 | events | assumed |\n| `b` | 2,250 | events | `a * 3 / 2` | more |\n");
    assert_eq!(
        (shown(0.25), shown(1e9), shown(9.96), shown(3.0)),
        ("0.2".into(), "1,000,000,000".into(), "10.0".into(), "3".into())
    );
}
