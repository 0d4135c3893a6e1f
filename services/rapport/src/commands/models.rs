//! `rapport models`: the documents that say how assessments are made, and which of them is used for whom.

use std::{fs, io, io::Read as _, path::PathBuf};

use contracts::assessments::v1::{
    CreateModelRequest, GetModelRequest, ListModelsRequest, Model, SetDefaultModelRequest,
};

use super::{Format, simulate::model_name, told, try_model};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output::{self, Grid},
};

const FULL_NAME: &str = "rapport.assessments.v1.Model";

const EXAMPLES: &str = "\
Every assessment names the model that made it. A model cannot be changed: a new version is a new document with a new id.

Examples:
  # A document of one's own begins with the built-in one
  rapport models show default > cautious.toml
  # What it would change, before it is chosen
  rapport models try cautious.toml
  rapport models create cautious.toml
  # For the wholesale customers, and for all whose segment has no choice of its own
  rapport models default cautious-2 --segment wholesale
  rapport models default cautious-2
  # The wholesale customers as all others again
  rapport models default --none --segment wholesale";

/// What `models` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// List the models, the built-in one first, and what each was chosen for.
    List(ListArgs),
    /// Print a model's document.
    Show(ShowArgs),
    /// Record a document as a new model.
    Create(CreateArgs),
    /// Choose the model that assesses accounts, or those of one segment.
    Default(DefaultArgs),
    /// Tell what a model would change across the portfolio, before it is chosen.
    Try(try_model::TryModelArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct ListArgs {
    /// How to print it; json is proto JSON, a model a line.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct ShowArgs {
    /// The model, by id or full name; `default` is the one that assesses accounts whose segment has no choice of its own.
    name: String,
    /// How to print it; table is the document alone.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct CreateArgs {
    /// The document, in TOML; `-` reads standard input. Its `id` names the model.
    file: PathBuf,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct DefaultArgs {
    /// The model, by id or full name.
    #[arg(required_unless_present = "none")]
    name: Option<String>,
    /// Take the choice back.
    #[arg(long, conflicts_with = "name")]
    none: bool,
    /// Only for accounts of this segment; for all whose segment has no choice of its own if left out.
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<String>,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ModelsArgs) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(connect, args).await,
        Command::Show(args) => show(connect, args).await,
        Command::Create(args) => create(connect, args).await,
        Command::Default(args) => choose(connect, args).await,
        Command::Try(args) => try_model::run(connect, args).await,
    }
}

async fn list(connect: &ConnectArgs, args: ListArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let mut models = Vec::new();
    let mut request = ListModelsRequest::default();
    loop {
        let page = connection.assessments().list_models(connection.request(request.clone())).await?.into_inner();
        models.extend(page.models);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    match args.format {
        Format::Table => output::line(&table(&models).to_string())?,
        Format::Json => {
            for model in &models {
                output::line(&contract::to_json(FULL_NAME, model)?.to_string())?;
            }
        }
        Format::Csv => csv_rows(&models)?,
    }
    Ok(Exit::Ok)
}

async fn show(connect: &ConnectArgs, args: ShowArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = GetModelRequest { name: model_name(&args.name) };
    let answer = connection.assessments().get_model(connection.request(request)).await?.into_inner();
    let model = answer.model.unwrap_or_default();
    match args.format {
        Format::Table => output::line(model.document.trim_end())?,
        other => print(&model, other)?,
    }
    Ok(Exit::Ok)
}

async fn create(connect: &ConnectArgs, args: CreateArgs) -> Result<Exit, Error> {
    let failed = |error: io::Error| Error::NoInput(format!("{}: {error}", args.file.display()));
    let document = if args.file.as_os_str() == "-" {
        let mut document = String::new();
        io::stdin().read_to_string(&mut document).map_err(failed)?;
        document
    } else {
        fs::read_to_string(&args.file).map_err(failed)?
    };
    let connection = Connection::open(connect)?;
    let model = Model { document, ..Model::default() };
    let request = CreateModelRequest { model: Some(model), request_id: String::new() };
    let answer = connection.assessments().create_model(connection.request(request)).await?.into_inner();
    print(&answer.model.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

async fn choose(connect: &ConnectArgs, args: DefaultArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = SetDefaultModelRequest {
        name: args.name.as_deref().map(model_name).unwrap_or_default(),
        segment: args.segment.unwrap_or_default(),
        request_id: String::new(),
    };
    let answer = connection.assessments().set_default_model(connection.request(request)).await?.into_inner();
    print(&answer.model.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

/// Prints one model, in a table without its document.
fn print(model: &Model, format: Format) -> Result<(), Error> {
    match format {
        Format::Table => output::line(&table(std::slice::from_ref(model)).to_string())?,
        Format::Json => {
            output::line(&serde_json::to_string_pretty(&contract::to_json(FULL_NAME, model)?)?)?;
        }
        Format::Csv => csv_rows(std::slice::from_ref(model))?,
    }
    Ok(())
}

fn table(models: &[Model]) -> Grid {
    let mut table = Grid::titled(&["model", "recorded", "chosen for"]);
    for model in models {
        let recorded = if model.create_time.is_some() { told(model.create_time) } else { "built in".to_owned() };
        table.row([id(model).to_owned(), recorded, chosen_for(model)]);
    }
    table
}

fn chosen_for(model: &Model) -> String {
    let others = model.is_default.then(|| "accounts without a choice of their own".to_owned());
    let segments = model.segments.iter().map(|segment| format!("segment {segment}"));
    segments.chain(others).collect::<Vec<_>>().join(", ")
}

fn csv_rows(models: &[Model]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(output::stdout());
    rows.write_record(["model", "create_time", "is_default", "segments"])?;
    for model in models {
        let segments = model.segments.join(" ");
        rows.write_record([id(model), &told(model.create_time), &model.is_default.to_string(), &segments])?;
    }
    Ok(rows.flush()?)
}

fn id(model: &Model) -> &str {
    model.name.strip_prefix("models/").unwrap_or(&model.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_tells_what_it_was_chosen_for() {
        let model = Model {
            name: "models/cautious-2".to_owned(),
            is_default: true,
            segments: vec!["home".to_owned(), "wholesale".to_owned()],
            ..Model::default()
        };
        let table = table(&[model]).to_string();
        assert!(table.contains("cautious-2  built in"), "{table}");
        assert!(table.contains("segment home, segment wholesale, accounts without a choice of their own"), "{table}");
    }
}
