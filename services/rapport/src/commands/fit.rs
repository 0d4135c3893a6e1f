//! `rapport fit`: has the models of prediction fitted to the portfolio, and tells what was learned.

pub(super) mod list;
mod page;

use std::time::Duration;

use contracts::predictions::v1::{Fit, FitPortfolioRequest, FitState, GetFitRequest};
use tokio::time::sleep;

use super::{Format, steps::Steps, timestamp};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::Show,
    output,
};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

const HELP: &str = "\
A fit learns from the tenant's own portfolio what its customers will probably do next: when they order, what they spend,
and what they do when a rival makes an offer. It is made in the background and kept; once it has succeeded it predicts,
in `rapport assess --horizon-days` and elsewhere, unless another one was chosen. Fits are also made by themselves when
enough has changed. `rapport fits` lists them, shows them again, cancels and chooses.

What is told of it:
  - which model of when customers order did best on time held back, its parameters with their standard errors (times are
    in weeks), and how its fit ended;
  - what all else that is known of customers adds to it, and the loss without and with that, on time held back: it is
    used only where it wins;
  - the back-test: the same, fitted to what was known one horizon earlier and judged by what followed; `rapport backtest
    --help` says what its figures mean.
Ctrl-C stops the waiting, not the fit. Exit code 1 says that the fit has failed or was cancelled.

Examples:
  rapport fit
  # For the next half year mostly
  rapport fit --horizon-days 182
  # Of what had happened until then; it predicts only once it is chosen by `rapport fits use`
  rapport fit --at 2025-12-31";

/// What `fit` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct FitArgs {
    /// The days ahead that predictions will be made for mostly, 7 to 730; a quarter if left out.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = clap::value_parser!(i32).range(7..=730))]
    horizon_days: Option<i32>,
    /// Learn only from what had happened by then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Do not wait for the fit.
    #[arg(long)]
    no_wait: bool,
    /// How to print it; csv is a row with the main figures.
    #[arg(long, default_value = "table")]
    format: Format,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) async fn run(connect: &ConnectArgs, args: FitArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = FitPortfolioRequest {
        horizon_days: args.horizon_days.unwrap_or_default(),
        as_of: timestamp(args.at.as_deref())?,
        ..FitPortfolioRequest::default()
    };
    let begun = connection.predictions().fit_portfolio(connection.request(request)).await?.into_inner();
    let begun = begun.fit.unwrap_or_default();
    if args.no_wait {
        print(&begun, args.format)?;
        return Ok(Exit::Ok);
    }
    let show = if args.quiet { Show::Nothing } else { Show::Auto };
    let id = page::id(&begun).to_owned();
    let waited = tokio::select! {
        waited = ended(&connection, begun, Steps::begin("fit", show)) => Some(waited),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            None
        }
    };
    let flags = connect.flags();
    let goes_on = || output::note(&format!("rapport: the fit goes on: rapport {flags}fits show {id}"));
    let Some(waited) = waited else {
        goes_on();
        return Ok(Exit::TryAgain);
    };
    let fit = waited.inspect_err(|_| goes_on())?;
    print(&fit, args.format)?;
    Ok(if fit.state() == FitState::Succeeded { Exit::Ok } else { Exit::Differs })
}

/// Waits until a fit has ended, however long it takes.
async fn ended(connection: &Connection, begun: Fit, mut steps: Steps) -> Result<Fit, Error> {
    let mut fit = begun;
    let mut pause = SHORTEST_PAUSE;
    while is_under_way(&fit) {
        steps.at(&fit.status, fit.progress);
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let request = connection.request(GetFitRequest { name: fit.name.clone() });
        fit = connection.predictions().get_fit(request).await?.into_inner().fit.unwrap_or_default();
    }
    Ok(fit)
}

fn is_under_way(fit: &Fit) -> bool {
    matches!(fit.state(), FitState::Pending | FitState::Running)
}

/// Prints one fit.
pub(super) fn print(fit: &Fit, format: Format) -> Result<(), Error> {
    match format {
        Format::Table => output::line(&page::page(fit))?,
        Format::Json => {
            let json = contract::to_json("rapport.predictions.v1.Fit", fit)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => list::csv_rows(&mut output::stdout(), std::slice::from_ref(fit))?,
    }
    Ok(())
}
