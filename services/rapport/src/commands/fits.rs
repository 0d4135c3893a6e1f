//! `rapport fits`: what was learned of the portfolio so far, and which of it predicts.

use contracts::predictions::v1::{CancelFitRequest, GetFitRequest, ListFitsRequest, SetDefaultFitRequest};

use tonic::Code;

use super::{Format, fit};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output,
};

const EXAMPLES: &str = "\
`rapport fit` makes a fit; some are made by themselves when enough has changed. The latest that has succeeded predicts,
unless another one is chosen.

Examples:
  rapport fits list
  # What predicts now: its models, its parameters, how good it is
  rapport fits show
  # An earlier one from now on, and then the latest again, and all later ones
  rapport fits use 0198c0ffee
  rapport fits use --latest";

/// What `fits` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct FitsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// List the fits, latest first.
    List(ListArgs),
    /// Tell what a fit has learned, and how good it is.
    Show(ShowArgs),
    /// Break off a fit that has not ended.
    Cancel(CancelArgs),
    /// Choose the fit that predicts.
    Use(UseArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct ListArgs {
    /// How to print it; json is proto JSON, a fit a line.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct ShowArgs {
    /// The fit, by id or full name; `default` is the one that predicts now.
    #[arg(default_value = "default", value_name = "FIT")]
    name: String,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct CancelArgs {
    /// The fit, by id or full name.
    #[arg(value_name = "FIT")]
    name: String,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct UseArgs {
    /// The fit, by id or full name.
    #[arg(value_name = "FIT", required_unless_present = "latest")]
    name: Option<String>,
    /// Take the choice back: the latest one that has succeeded predicts, and each later one from when it does.
    #[arg(long, conflicts_with = "name")]
    latest: bool,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: FitsArgs) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list(connect, args).await,
        Command::Show(args) => show(connect, args).await,
        Command::Cancel(args) => cancel(connect, args).await,
        Command::Use(args) => choose(connect, args).await,
    }
}

async fn list(connect: &ConnectArgs, args: ListArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let mut fits = Vec::new();
    let mut request = ListFitsRequest::default();
    loop {
        let page = connection.predictions().list_fits(connection.request(request.clone())).await?.into_inner();
        fits.extend(page.fits);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    match args.format {
        Format::Table if fits.is_empty() => output::line("no fits yet: `rapport fit` makes one")?,
        Format::Table => output::line(&fit::list::table(&fits).to_string())?,
        Format::Json => {
            for fit in &fits {
                output::line(&contract::to_json("rapport.predictions.v1.Fit", fit)?.to_string())?;
            }
        }
        Format::Csv => fit::list::csv_rows(&mut output::stdout(), &fits)?,
    }
    Ok(Exit::Ok)
}

async fn show(connect: &ConnectArgs, args: ShowArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = GetFitRequest { name: fit_name(&args.name) };
    let is_default = request.name == "fits/default";
    let answer = connection.predictions().get_fit(connection.request(request)).await.inspect_err(|status| {
        if is_default && status.code() == Code::NotFound {
            output::note("rapport: no fit predicts yet: `rapport fit` makes one, `rapport fits use` chooses one");
        }
    })?;
    fit::print(&answer.into_inner().fit.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

async fn cancel(connect: &ConnectArgs, args: CancelArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = CancelFitRequest { name: fit_name(&args.name), request_id: String::new() };
    let answer = connection.predictions().cancel_fit(connection.request(request)).await?.into_inner();
    fit::print(&answer.fit.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

async fn choose(connect: &ConnectArgs, args: UseArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let name = args.name.as_deref().map(fit_name).unwrap_or_default();
    let request = SetDefaultFitRequest { name, request_id: String::new() };
    let answer = connection.predictions().set_default_fit(connection.request(request)).await?.into_inner();
    match (answer.fit, args.format) {
        (Some(fit), Format::Table) => {
            output::line(&fit::list::table(std::slice::from_ref(&fit)).to_string())?;
        }
        (Some(fit), format) => fit::print(&fit, format)?,
        (None, Format::Table) => output::line("nothing predicts yet: `rapport fit` makes a fit")?,
        (None, Format::Json) => output::line("{}")?,
        (None, Format::Csv) => fit::list::csv_rows(&mut output::stdout(), &[])?,
    }
    Ok(Exit::Ok)
}

/// The full name of a fit that is given by id or by full name.
fn fit_name(argument: &str) -> String {
    format!("fits/{}", argument.strip_prefix("fits/").unwrap_or(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_is_given_by_id_or_name() {
        assert_eq!((fit_name("f1"), fit_name("fits/f1")), ("fits/f1".to_owned(), "fits/f1".to_owned()));
        assert_eq!(fit_name("default"), "fits/default");
    }
}
