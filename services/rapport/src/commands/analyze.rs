//! `rapport analyze`: what texts say, line by line, on this machine alone.

mod texts;
mod told;

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicU64, atomic::Ordering::Relaxed},
};

use language::{Analyzer, Competitors, Context, Language};

use self::texts::Texts;
pub(crate) use self::told::Told;
use super::Format;
use crate::{
    exit::{Error, Exit},
    import::{Progress, Show, Source},
    output,
};

const HELP: &str = "\
Each line is a text; of a .tsv or .csv file (packed with gzip or not) the column `text` is. Nothing leaves this machine.

Columns:
  language              ISO 639-1; `und` if none can be told. Read are en, hu, nl and pt
  language_probability  that it is this language, 0 to 1
  sentiment             -1 hostile to 1 warm: below -1/3 negative, above 1/3 positive, between them neutral
  sentiment_sure        the probability that this class is right, 0 to 1
  joy trust fear surprise sadness disgust anger anticipation
                        how strong each of Plutchik's emotions is, 0 to 1; 0.5 is where it begins to count as present
  abstained             why there is no sentiment: empty, too_short, other_language, mixed_language, unfamiliar, unsure;
                        nothing if there is one
JSON has the places too that speak of needs, suggestions, complaints, thanks, promises and competitors, as bytes of the text.

Examples:
  echo 'The delivery was late again, and nobody answers.' | rapport analyze
  rapport analyze reviews.tsv.gz --format csv > analysed.csv
  rapport analyze mails.csv --column body --format json --competitor 'Globex=Globex Corporation,GBX'";

/// What `analyze` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct AnalyzeArgs {
    /// The texts: a file, or `-` for standard input.
    #[arg(default_value = "-")]
    file: String,
    /// How to print the results, one a line.
    #[arg(long, default_value = "table")]
    format: Format,
    /// How the texts are given, where the file's name does not tell.
    #[arg(long, value_name = "HOW")]
    input: Option<Input>,
    /// The column that has the texts, of a table.
    #[arg(long, default_value = "text", value_name = "NAME")]
    column: String,
    /// The language of all texts, where it is known; else each text tells its own.
    #[arg(long, value_name = "CODE", value_parser = language)]
    language: Option<Language>,
    /// A competitor to look for, with what it is called otherwise; may be repeated. Only JSON shows where.
    #[arg(long, value_name = "NAME[=ALIAS,…]")]
    competitor: Vec<String>,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// How texts are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Input {
    /// A text a line.
    Lines,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header, without quotes.
    Tsv,
}

impl Input {
    /// As the name of a source tells, past a `.gz`.
    fn of(source: &Source) -> Self {
        let name = source.name().to_lowercase();
        match name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.') {
            Some((_, "csv")) => Self::Csv,
            Some((_, "tsv" | "tab")) => Self::Tsv,
            _ => Self::Lines,
        }
    }
}

pub(crate) fn run(args: &AnalyzeArgs) -> Result<Exit, Error> {
    let competitors = competitors(&args.competitor)?;
    let context = Context { language: args.language, competitors: Some(&competitors) };
    let names: Vec<&str> = args.competitor.iter().map(|argument| name_and_aliases(argument).0).collect();
    let source = Source::from_argument(&args.file);
    let total = source.size().unwrap_or_default();
    let counter = Arc::new(AtomicU64::new(0));
    let closed = |error: io::Error| Error::NoInput(format!("{}: {error}", source.name()));
    let bytes = source.open(&counter).map_err(closed)?;
    let input = args.input.unwrap_or_else(|| Input::of(&source));
    let texts = Texts::read(bytes, input, &args.column).map_err(|problem| told::wrong(&source.name(), &problem))?;

    let show = if args.quiet || output::stdout_is_terminal() { Show::Nothing } else { Show::Auto };
    let mut progress = Progress::begin("analyze", total, show);
    let mut told = Told::begin(io::BufWriter::new(output::stdout()), args.format, &names)?;
    let analyzer = Analyzer::embedded();
    let mut count = 0_u64;
    for text in texts {
        let text = text.map_err(|problem| told::wrong(&source.name(), &problem))?;
        told.tell(&text, &analyzer.analyze_with(&text, &context))?;
        count += 1;
        if count.is_multiple_of(1_000) {
            progress.at(counter.load(Relaxed), count, "texts");
        }
    }
    told.end()?.flush()?;
    progress.end();
    Ok(Exit::Ok)
}

fn competitors(arguments: &[String]) -> Result<Competitors, Error> {
    let competitors = Competitors::new(arguments.iter().map(|argument| name_and_aliases(argument)));
    competitors.map_err(|problem| Error::Usage(format!("--competitor: {problem}")))
}

fn language(code: &str) -> Result<Language, String> {
    let codes = || Language::ALL.map(Language::code).join(", ");
    Language::of_code(code).ok_or_else(|| format!("texts are read in {}", codes()))
}

fn name_and_aliases(argument: &str) -> (&str, Vec<&str>) {
    match argument.split_once('=') {
        Some((name, aliases)) => (name.trim(), aliases.split(',').map(str::trim).collect()),
        None => (argument.trim(), Vec::new()),
    }
}
