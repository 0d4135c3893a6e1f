//! `rapport import`: imports files and tells what became of their rows, or takes an import back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tonic::Code;

use crate::{
    client::{ConnectArgs, Connection},
    exit::{Error, Exit},
    import::{
        self, Format, Job, Kind, Mapping, Refusal, Show, Source, Summary, batch_id,
        undo::{self, Undone},
    },
    output,
};

/// What `--help` says of the files.
const HELP: &str = "\
Files are CSV with a header, or JSON Lines in proto JSON (.jsonl); .gz is unpacked. Times are RFC 3339 or dates.
A refused row is reported with its line and reason; the rest lands. The same file can be imported again, after an
interruption too: what is already recorded stays as it is.

An import is a batch, and can be taken back as a whole: what it added is deleted, what it changed says again what it said
before; what others have changed since stays and is reported. The batch is printed at the end. It follows from KIND, the
mapping and the content of the files, so that the same import has the same batch however often it is repeated; --batch
names it otherwise. What comes through a pipe has a new one each time.
  rapport import --undo BATCH                    # if interrupted, again

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
    #[arg(required_unless_present = "undo")]
    kind: Option<Kind>,
    /// The files, one after the other; `-` is standard input.
    #[arg(required_unless_present = "undo", value_name = "FILE")]
    files: Vec<String>,
    /// How the lines of CSV files with other headers become rows.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Where to keep refused rows, with line, reason and message.
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// What to call this import, 1 to 64 characters, to take it back by.
    #[arg(long, value_name = "ID")]
    batch: Option<String>,
    /// Take an import back, in place of importing.
    #[arg(
        long,
        value_name = "BATCH",
        conflicts_with_all = ["kind", "files", "map", "refused", "batch", "rows", "input_format"]
    )]
    undo: Option<String>,
    /// Rows in a message; each message is one transaction.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1000), value_name = "N")]
    rows: u64,
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
    match (&args.undo, args.kind) {
        (Some(batch), _) => undo(connect, batch, &args).await,
        (None, Some(kind)) => import(connect, kind, args).await,
        (None, None) => Err(Error::Usage("say what the files hold, or what to --undo".to_owned())),
    }
}

async fn import(connect: &ConnectArgs, kind: Kind, args: ImportArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let text = args.map.as_deref().map(read).transpose()?;
    let mapping = match (&args.map, &text) {
        (Some(path), Some(text)) => Some(parse(kind, path, text)?),
        _ => None,
    };
    let sources: Vec<Source> = args.files.iter().map(|file| Source::from_argument(file)).collect();
    let batch = name(kind, text.as_deref(), &sources, args.batch.as_deref())?;
    if let Some(path) = &args.refused {
        // What an earlier import refused is no longer true.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut all = Summary::default();
    for source in sources {
        let job = Job {
            format: args.input_format,
            mapping: mapping.clone(),
            batch_id: batch.clone(),
            rows: usize::try_from(args.rows).unwrap_or(500),
            refused: args.refused.clone(),
            show: args.show(),
            ..Job::new(kind, source)
        };
        match import::run(&connection, job).await {
            Ok(summary) => all.add(summary),
            Err(mut error) => {
                if let import::Error::Broken { summary, .. } | import::Error::Interrupted { summary, .. } = &mut error {
                    all.add(std::mem::take(summary));
                }
                if all.lines > 0 {
                    tell(&all, connect, &batch, args.format)?;
                }
                return Err(error.into());
            }
        }
    }
    tell(&all, connect, &batch, args.format)?;
    Ok(if all.refused > 0 { Exit::Differs } else { Exit::Ok })
}

impl ImportArgs {
    fn show(&self) -> Show {
        if self.quiet { Show::Nothing } else { Show::Auto }
    }
}

/// What the import is called.
fn name(kind: Kind, mapping: Option<&str>, sources: &[Source], chosen: Option<&str>) -> Result<String, Error> {
    if let Some(chosen) = chosen {
        return match chosen.chars().count() {
            1..=64 => Ok(chosen.to_owned()),
            count => Err(Error::Usage(format!("--batch: has {count} characters, not 1 to 64"))),
        };
    }
    let of_content = batch_id::of_content(kind, mapping, sources)
        .map_err(|(name, error)| Error::NoInput(format!("{name}: {error}; nothing was imported")))?;
    Ok(of_content.unwrap_or_else(|| {
        let new = batch_id::new(kind);
        // Whoever interrupts it has no other way to learn it.
        output::note(&format!("this is batch {new}"));
        new
    }))
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::NoInput(format!("{}: {error}", path.display())))
}

fn parse(kind: Kind, path: &Path, text: &str) -> Result<Mapping, Error> {
    Mapping::parse(kind, text)
        .map_err(|problems| Error::Usage(format!("{}:\n  {}", path.display(), problems.join("\n  "))))
}

/// Takes an import back wherever something of it is.
async fn undo(connect: &ConnectArgs, batch: &str, args: &ImportArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let mut all = Undone::default();
    let mut is_known = false;
    let mut unknown = None;
    for kind in undo::ORDER {
        match undo::undo(&connection, kind, batch, args.show()).await {
            Ok(undone) => {
                is_known = true;
                if args.format == super::Format::Table {
                    output::line(&format!("{kind}: {}", counts(&undone)))?;
                }
                all.add(undone);
            }
            Err((status, _)) if status.code() == Code::NotFound => unknown = Some(status),
            Err((status, undone)) => {
                all.add(undone);
                tell_kept(&all);
                output::note(&format!("stopped at {kind} after {}; the same command goes on from there", counts(&all)));
                return Err(status.into());
            }
        }
    }
    if let (false, Some(status)) = (is_known, unknown) {
        return Err(status.into());
    }
    tell_kept(&all);
    let Undone { deleted, restored, kept, .. } = all;
    match args.format {
        super::Format::Table => {}
        super::Format::Json => {
            let told = serde_json::json!({ "batch": batch, "deleted": deleted, "restored": restored, "kept": kept });
            output::line(&told.to_string())?;
        }
        super::Format::Csv => csv(["batch", "deleted", "restored", "kept"], batch, [deleted, restored, kept])?,
    }
    Ok(if kept > 0 { Exit::Differs } else { Exit::Ok })
}

fn counts(undone: &Undone) -> String {
    let Undone { deleted, restored, kept, .. } = undone;
    format!("{deleted} deleted, {restored} restored, {kept} left as they are")
}

fn tell_kept(undone: &Undone) {
    for refusal in &undone.refusals {
        output::note(&format!("{}: {} ({})", refusal.name, refusal.message, refusal.reason));
    }
    tell_rest(undone.kept - undone.refusals.len() as u64);
}

fn tell_rest(untold: u64) {
    if untold > 0 {
        output::note(&format!("and {untold} more"));
    }
}

/// Prints a header and a line of CSV: the batch's name, which may hold anything, and what was counted.
fn csv<const N: usize, const M: usize>(header: [&str; N], batch: &str, counts: [u64; M]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(output::stdout());
    rows.write_record(header)?;
    rows.write_record([batch.to_owned()].into_iter().chain(counts.map(|count| count.to_string())))?;
    Ok(rows.flush()?)
}

fn tell(summary: &Summary, connect: &ConnectArgs, batch: &str, format: super::Format) -> Result<(), Error> {
    for refusal in &summary.refusals {
        let name = if refusal.name.is_empty() { String::new() } else { format!("{}: ", refusal.name) };
        let Refusal { source, line, reason, message, .. } = refusal;
        output::note(&format!("{source}, line {line}: {name}{message} ({reason})"));
    }
    tell_rest(summary.refused - summary.refusals.len() as u64);
    let &Summary { lines, skipped, landed, unchanged, refused, .. } = summary;
    match format {
        super::Format::Table => {
            output::line(&format!(
                "{landed} landed, {unchanged} unchanged, {refused} refused; {lines} lines read, {skipped} left out"
            ))?;
            output::line(&format!("to take it back: rapport {}import --undo {}", connect.flags(), quoted(batch)))?;
        }
        super::Format::Json => {
            let told = serde_json::json!({
                "landed": landed, "unchanged": unchanged, "refused": refused, "lines": lines, "skipped": skipped,
                "batch": batch,
            });
            output::line(&told.to_string())?;
        }
        super::Format::Csv => {
            let header = ["batch", "landed", "unchanged", "refused", "lines", "skipped"];
            csv(header, batch, [landed, unchanged, refused, lines, skipped])?;
        }
    }
    Ok(())
}

/// A word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("orders-0f3a"), "orders-0f3a");
        assert_eq!(quoted("my orders"), "'my orders'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
