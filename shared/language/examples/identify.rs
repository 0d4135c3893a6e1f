//! Trains the identifier on the data folder and prints its figures.
//!
//! `cargo run --release -p language --features training --example identify -- ../shared/data/text [with-mabsa] [bits=16] [epochs=3]
//! [without=CODE,CODE]`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{env, fs, io::Read, path::Path, time::Instant};

use flate2::read::MultiGzDecoder;
use language::identify::{Figures, Identifier, Row, Settings, Unit, evaluate, train};

fn read(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Rows whose source is as wanted; the text is the last column.
fn rows(tsv: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<Row<'_>> {
    tsv.lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (code, source, text) = (columns.next()?, columns.next()?, columns.next_back()?);
            is_wanted(code, source).then_some(Row { code, text })
        })
        .collect()
}

const OURS: [&str; 4] = ["en", "hu", "nl", "pt"];

fn print(title: &str, figures: &[Figures], is_long: bool) {
    let mean = |ours: bool, figure: &dyn Fn(&Figures) -> f32| {
        let side: Vec<_> = figures
            .iter()
            .filter(|language| OURS.contains(&language.code.as_str()) == ours && language.texts > 0)
            .map(figure)
            .collect();
        100.0 * side.iter().sum::<f32>() / side.len().max(1) as f32
    };
    let right = figures
        .iter()
        .filter(|one| OURS.contains(&one.code.as_str()))
        .map(|one| format!("{} {:.2}", one.code, 100.0 * one.accuracy));
    println!(
        "{title:24} four {:6.2} ({}), others {:6.2}; accepted: four {:5.1} (wrongly {:.2}), others {:.2}; mixed {:.2}",
        mean(true, &|one| one.accuracy),
        right.collect::<Vec<_>>().join(", "),
        mean(false, &|one| one.accuracy),
        mean(true, &|one| one.accepted),
        mean(true, &|one| one.accepted_wrongly),
        mean(false, &|one| one.accepted_wrongly),
        mean(true, &|one| one.mixed),
    );
    if is_long {
        for one in figures {
            let confusions: Vec<_> =
                one.confusions.iter().take(4).map(|other| format!("{} {}", other.taken_for, other.count)).collect();
            println!(
                "    {} {:5} texts, right {:6.2}, accepted {:6.2}, wrongly {:5.2}, mixed {:.2}, of 80-90 % right {}; {}",
                one.code,
                one.texts,
                100.0 * one.accuracy,
                100.0 * one.accepted,
                100.0 * one.accepted_wrongly,
                100.0 * one.mixed,
                one.right_at_80_to_90.map_or("-".to_owned(), |part| format!("{:.0}", 100.0 * part)),
                confusions.join(", ")
            );
        }
    }
}

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let folder = Path::new(arguments.first().expect("the data folder"));
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let number = |name: &str| {
        arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse::<f32>().ok())
    };
    let without = arguments.iter().find_map(|argument| argument.strip_prefix("without=")).unwrap_or("");
    let is_kept = |code: &str| !without.split(',').any(|left_out| left_out == code);
    let is_settled = |source: &str| !source.starts_with("mabsa");
    let with_mabsa = has("with-mabsa");

    let learned = read(&folder.join("langid/train.tsv.gz"));
    let held = read(&folder.join("langid/valid.tsv.gz"));
    let emotions = read(&folder.join("emotions/train.tsv.gz"));
    let sentiment = read(&folder.join("sentiment/train.tsv.gz"));
    let mut examples = rows(&learned, |code, source| is_kept(code) && (with_mabsa || is_settled(source)));
    if has("more") {
        let more = |code: &str, source: &str| {
            is_settled(source) && (code != "en" || source.starts_with("uci") || source.starts_with("vader"))
        };
        examples.extend(rows(&emotions, more));
        examples.extend(rows(&sentiment, more));
        examples.sort_by_key(|row| (row.code, row.text));
        examples.dedup_by_key(|row| (row.code, row.text));
    }
    let lexicons: Vec<_> = OURS
        .iter()
        .flat_map(|code| {
            ["afinn", "pattern", "vader", "leia"].map(|name| (*code, format!("lexicons/{code}_{name}.tsv.gz")))
        })
        .filter(|(_, name)| folder.join(name).exists())
        .map(|(code, name)| (code, read(&folder.join(name))))
        .collect();
    if has("lexicons") {
        for (code, lexicon) in &lexicons {
            let terms = lexicon.lines().skip(1).filter_map(|line| line.split('\t').next());
            examples.extend(terms.map(|text| Row { code, text }));
        }
    }
    let validation = rows(&held, |code, source| is_kept(code) && (with_mabsa || is_settled(source)));
    let settings = Settings {
        bits: number("bits").unwrap_or(15.0) as u32,
        epochs: number("epochs").unwrap_or(4.0) as u32,
        rate: number("rate").unwrap_or(0.2),
        windows: number("windows").unwrap_or(2.0) as u32,
        bare: number("bare").unwrap_or(0.1),
        power: number("power").unwrap_or(0.25),
        false_acceptance: number("false").unwrap_or(0.003),
        ..Settings::default()
    };
    println!("{} rows, {} to validate, {settings:?}", examples.len(), validation.len());
    let start = Instant::now();
    let identifier = train(&examples, &validation, &settings, &mut |_| ()).unwrap();
    let bytes = identifier.encode();
    println!("{:.1} s, {} bytes, threshold {:.3}", start.elapsed().as_secs_f32(), bytes.len(), identifier.threshold());
    assert_eq!(Identifier::from_bytes(&bytes).as_ref(), Ok(&identifier));
    if let Some(path) = arguments.iter().find_map(|argument| argument.strip_prefix("out=")) {
        fs::write(path, &bytes).expect("write");
    }

    let settled = rows(&held, |_, source| is_settled(source));
    let reviews = rows(&held, |_, source| !is_settled(source));
    for (unit, title) in
        [(Unit::Words(1), "words"), (Unit::Words(2), "word pairs"), (Unit::Words(4), "4 words"), (Unit::Line, "lines")]
    {
        print(
            &format!("settled: {title}"),
            &evaluate(&identifier, &settled, unit, 7),
            has("long") && unit == Unit::Line,
        );
        print(&format!("mabsa: {title}"), &evaluate(&identifier, &reviews, unit, 7), has("long") && unit == Unit::Line);
    }
    let is_short = |row: &Row<'_>| (5..=20).contains(&row.text.split_whitespace().count());
    let short: Vec<_> =
        rows(&held, |code, source| OURS.contains(&code) && matches!(source, "mabsa" | "husst" | "brighter"))
            .into_iter()
            .filter(is_short)
            .collect();
    print("customers, 5-20 words", &evaluate(&identifier, &short, Unit::Line, 7), true);

    for (title, wanted) in [("four", true), ("others", false)] {
        let mut languages: Vec<&str> = Vec::new();
        for row in rows(&held, |code, _| OURS.contains(&code) == wanted) {
            if !languages.contains(&row.code) && (wanted || !is_kept(row.code)) {
                languages.push(row.code);
            }
        }
        for code in languages {
            let answers: Vec<_> =
                rows(&held, |other, _| other == code).iter().map(|row| identifier.identify(row.text)).collect();
            print!("{title} {code}:");
            for threshold in [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99] {
                let taken = answers.iter().filter(|answer| {
                    answer.probability >= threshold && !answer.is_mixed && OURS.contains(&answer.code)
                });
                print!(" {threshold}: {:.2}", 100.0 * taken.count() as f32 / answers.len() as f32);
            }
            println!();
        }
    }
}
