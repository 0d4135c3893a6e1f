//! Judges how well a model tells languages apart, on rows that it has not seen.
//!
//! ```sh
//! cargo run --release -p language --features training --example identify -- ../shared/data/text
//! ```
//!
//! Options: `model=FILE` (another than the one that is built in), `long` (each language).
#![allow(clippy::print_stdout)]

use std::{env, error::Error, fs, hint, io::Read, path::Path, time::Instant};

use flate2::read::MultiGzDecoder;
use language::Analyzer;
use language::identify::{Figures, Identifier, Row, Unit, digest, evaluate};

type Outcome<T> = Result<T, Box<dyn Error>>;

const OURS: [&str; 4] = ["en", "hu", "nl", "pt"];
/// Sources of texts of customers, and of others who judge what they got.
const JUDGING: [&str; 4] = ["mabsa", "husst", "brighter", "uci"];

struct Options(Vec<String>);

impl Options {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|option| option == name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }
}

fn read(path: &Path) -> Outcome<String> {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    Ok(text)
}

/// The rows that are wanted by their language and source: the text is the last column.
fn rows(tsv: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<Row<'_>> {
    let row = |line| {
        let mut columns = str::split(line, '\t');
        let (code, source, text) = (columns.next()?, columns.next()?, columns.next_back()?);
        is_wanted(code, source).then_some(Row { code, text })
    };
    tsv.lines().skip(1).filter_map(row).collect()
}

fn is_settled(source: &str) -> bool {
    !source.starts_with("mabsa")
}

fn print(title: &str, figures: &[Figures], is_long: bool) {
    let mean = |ours: bool, figure: &dyn Fn(&Figures) -> f32| {
        let side = figures.iter().filter(|one| OURS.contains(&one.code.as_str()) == ours && one.texts > 0);
        let values: Vec<_> = side.map(figure).collect();
        100.0 * values.iter().sum::<f32>() / values.len().max(1) as f32
    };
    let ours = figures.iter().filter(|one| OURS.contains(&one.code.as_str()));
    let ours: Vec<_> = ours.map(|one| format!("{} {:.1}", one.code, 100.0 * one.accuracy)).collect();
    println!(
        "{title:22} right: ours {:.2} ({}), others {:.1}; accepted: ours {:.1} (wrongly {:.2}), others {:.2}; mixed {:.2}",
        mean(true, &|one| one.accuracy),
        ours.join(", "),
        mean(false, &|one| one.accuracy),
        mean(true, &|one| one.accepted),
        mean(true, &|one| one.accepted_wrongly),
        mean(false, &|one| one.accepted_wrongly),
        mean(true, &|one| one.mixed),
    );
    for one in figures.iter().filter(|_| is_long) {
        let confusions = one.confusions.iter().take(4).map(|other| format!(" {} {}", other.taken_for, other.count));
        println!(
            "  {} of {:5}: right {:6.2}, accepted {:6.2}, wrongly {:5.2}, mixed {:5.2}, of 80-90 % right {}; taken for{}",
            one.code,
            one.texts,
            100.0 * one.accuracy,
            100.0 * one.accepted,
            100.0 * one.accepted_wrongly,
            100.0 * one.mixed,
            one.right_at_80_to_90.map_or("-".to_owned(), |part| format!("{:.0}", 100.0 * part)),
            confusions.collect::<String>()
        );
    }
}

/// Of pairs of texts in two languages, how many are told to be mixed, and how many are accepted all the same.
fn print_mixed(identifier: &Identifier, rows: &[Row<'_>]) {
    let of = |code: &str| -> Vec<&str> {
        let is_wanted = |row: &&Row<'_>| row.code == code && (6..=25).contains(&row.text.split(' ').count());
        rows.iter().filter(is_wanted).map(|row| row.text).take(300).collect()
    };
    for (one, two) in
        ["en hu", "en nl", "en pt", "hu nl", "nl pt", "en de", "pt es", "en en", "hu hu", "nl nl", "pt pt"]
            .into_iter()
            .filter_map(|pair| pair.split_once(' '))
    {
        let (ones, twos) = (of(one), of(two));
        let count = ones.len().min(twos.len());
        let told: Vec<_> =
            (0..count).map(|at| identifier.identify(&format!("{} {}", ones[at], twos[(at + 7) % count]))).collect();
        let part = |many: usize| 100.0 * many as f32 / count.max(1) as f32;
        print!(
            "{one}+{two}: mixed {:.1}, accepted {:.1}; ",
            part(told.iter().filter(|told| told.is_mixed).count()),
            part(told.iter().filter(|told| identifier.accepted(told).is_some()).count())
        );
    }
    println!();
}

fn print_speed(identifier: &Identifier, rows: &[Row<'_>]) {
    let time = |work: &dyn Fn(&str)| {
        let start = Instant::now();
        rows.iter().for_each(|row| work(row.text));
        start.elapsed().as_secs_f64() * 1e9 / rows.len() as f64
    };
    // The least of several, taken in turns: other work on the machine only adds.
    let (mut raw, mut whole, mut cleaning) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..7 {
        raw = raw.min(time(&|text| _ = hint::black_box(digest(text))));
        whole = whole.min(time(&|text| _ = hint::black_box(identifier.identify(text))));
        cleaning = cleaning.min(time(&|text| _ = hint::black_box(language::clean(text))));
    }
    let bytes = rows.iter().map(|row| row.text.len()).sum::<usize>() / rows.len().max(1);
    println!(
        "per text of {bytes} bytes: hashing {raw:.0} ns, identifying {whole:.0} ns ({:.2}x), cleaning {cleaning:.0} ns",
        whole / raw
    );
}

fn main() -> Outcome<()> {
    let options = Options(env::args().skip(1).collect());
    let folder = Path::new(options.0.first().ok_or("the data folder is missing")?);
    let read_model;
    let analyzer = match options.text("model") {
        None => Analyzer::embedded(),
        Some(path) => {
            read_model = Analyzer::from_bytes(fs::read(path)?)?;
            &read_model
        }
    };
    let identifier = analyzer.identifier();
    println!("model {}, threshold {:.3}", analyzer.revision(), identifier.threshold());
    let held = read(&folder.join("langid/valid.tsv.gz"))?;

    let parts =
        [(Unit::Words(1), "words"), (Unit::Words(2), "pairs"), (Unit::Words(4), "fours"), (Unit::Line, "lines")];
    for (unit, name) in parts {
        let is_long = options.has("long") && unit == Unit::Line;
        for (of, settled) in [("settled", true), ("mabsa", false)] {
            let held = rows(&held, |_, source| is_settled(source) == settled);
            print(&format!("{of}, {name}"), &evaluate(identifier, &held, unit, 7), is_long);
        }
    }
    let mut short = rows(&held, |code, source| OURS.contains(&code) && JUDGING.contains(&source));
    short.retain(|row| (5..=20).contains(&row.text.split_whitespace().count()));
    print("customers, 5-20 words", &evaluate(identifier, &short, Unit::Line, 7), options.has("long"));
    let all = rows(&held, |_, _| true);
    print_mixed(identifier, &all);
    print_speed(identifier, &all);
    Ok(())
}
