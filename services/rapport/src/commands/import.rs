//! `rapport import`: imports files, and tells what became of their rows.

use std::{fs, io, path::PathBuf};

use crate::{
    client::{ConnectArgs, Connection},
    exit::{Error, Exit},
    import::{self, Format, Job, Kind, Mapping, Show, Source, Summary},
    output,
};

/// What `--help` says of the files.
const HELP: &str = "\
Files are CSV with a header, or JSON Lines in proto JSON (.jsonl); .gz is unpacked. Times are RFC 3339 or dates.
A refused row is reported with its line and reason; the rest lands. The same file can be imported again: what is
already recorded stays as it is.

CSV columns, optional ones in brackets:
  accounts      account_id display_name opened_at currency [country segment referred_by]
  orders        order_id account_id placed_at total currency [list_total cost channel attempts corrections started_at
                promised_at shipped_at delivered_at quantity_ordered quantity_delivered quantity_damaged due_at paid_at
                cancelled_at cancelled_by returned_at returned_total returned_because]
  interactions  interaction_id account_id at party channel purpose [thread_id in_reply_to contact subject text sentiment
                duration_seconds resolved_at intent intent_met]
  feedback      feedback_id account_id at kind score scale [text about sentiment contact]

Files with other headers need a mapping, --map FILE.toml:
  where = [\"status != draft\"]                    # lines to take
  group = \"invoice\"                              # consecutive lines that make one row
  [fields]                                       # a column of above, or a path of the contract, and what feeds it
  order_id   = \"invoice\"                         # a text alone names a column
  account_id = { template = \"C-{customer}\" }
  currency   = { constant = \"EUR\" }
  place_time = { column = \"date\", time_format = \"[day]/[month]/[year]\" }
  total      = { sum = \"quantity * unit_price\" }  # exact, over the lines of the row
  placement.channel = { column = \"via\", values = { shop = \"in_person\" }, default = \"web\" }
The whole format is described in services/rapport/src/import/README.md, with examples in tests/data/.";

/// What `import` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct ImportArgs {
    /// What the files hold.
    kind: Kind,
    /// The files, one after the other; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How the lines of CSV files with other headers become rows.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Where to keep refused rows, with line, reason and message.
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// Rows in a batch; each batch is one transaction.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1000), value_name = "N")]
    batch: u64,
    /// How the files are written, where their names do not tell.
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<Format>,
    /// How the summary is printed.
    #[arg(long, default_value = "table")]
    format: super::Format,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ImportArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let mapping = args.map.as_ref().map(|path| read_mapping(args.kind, path)).transpose()?;
    if let Some(path) = &args.refused {
        // What an earlier import refused is no longer true.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut all = Summary::default();
    for file in &args.files {
        let job = Job {
            format: args.input_format,
            mapping: mapping.clone(),
            batch: usize::try_from(args.batch).unwrap_or(500),
            refused: args.refused.clone(),
            show: if args.quiet { Show::Nothing } else { Show::Auto },
            ..Job::new(args.kind, Source::from_argument(file))
        };
        match import::run(&connection, job).await {
            Ok(summary) => all.add(summary),
            Err(mut error) => {
                if let import::Error::Broken { summary, .. } | import::Error::Interrupted { summary, .. } = &mut error {
                    all.add(std::mem::take(summary));
                }
                if all.lines > 0 {
                    tell(&all, args.format)?;
                }
                return Err(error.into());
            }
        }
    }
    tell(&all, args.format)?;
    Ok(if all.refused > 0 { Exit::Differs } else { Exit::Ok })
}

fn read_mapping(kind: Kind, path: &std::path::Path) -> Result<Mapping, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::NoInput(format!("{}: {error}", path.display())))?;
    Mapping::parse(kind, &text)
        .map_err(|problems| Error::Usage(format!("{}:\n  {}", path.display(), problems.join("\n  "))))
}

fn tell(summary: &Summary, format: super::Format) -> Result<(), Error> {
    for refusal in &summary.refusals {
        let name = if refusal.name.is_empty() { "" } else { " " };
        output::note(&format!(
            "{}, line {}:{name}{}: {} ({})",
            refusal.source, refusal.line, refusal.name, refusal.message, refusal.reason
        ));
    }
    let untold = summary.refused - summary.refusals.len() as u64;
    if untold > 0 {
        output::note(&format!("and {untold} more"));
    }
    let Summary { lines, skipped, landed, unchanged, refused, .. } = summary;
    let text = match format {
        super::Format::Table => {
            format!("{landed} landed, {unchanged} unchanged, {refused} refused; {lines} lines read, {skipped} left out")
        }
        super::Format::Json => serde_json::json!({
            "landed": landed, "unchanged": unchanged, "refused": refused, "lines": lines, "skipped": skipped,
        })
        .to_string(),
        super::Format::Csv => {
            format!("landed,unchanged,refused,lines,skipped\n{landed},{unchanged},{refused},{lines},{skipped}")
        }
    };
    Ok(output::line(&text)?)
}
