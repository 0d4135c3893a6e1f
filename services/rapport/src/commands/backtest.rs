//! `rapport backtest`: predicts as of a past date, and compares with what followed.

mod chart;
pub(super) mod page;

use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use contracts::predictions::v1::{Backtest, BacktestPortfolioRequest};
use prost_types::Timestamp;
use tokio_stream::StreamExt;
use tonic::Request;

use super::{Format, read_time, steps::Steps};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::Show,
    output, plot,
};

const HELP: &str = "\
The models are fitted to what was known at the cut, predict for every account that had ordered by then, and are compared
with what followed; nothing is stored. Beside what would have been served stand the plain models and rules of thumb: a
prediction is worth something if it beats them.

Of the chance of at least one order within the horizon:
  AUC          the chance that one who ordered was given a higher chance than one who did not; 0.5 is guessing
  Brier        the mean squared error of the chance; the lower, the better
  log-loss     the mean negative logarithm of the chance given to what happened; the lower, the better
  than served  how much larger that is than the log-loss of what is served, on the same customers
  calibration  how far the chances lie from the rates on the mean, in ten groups
  lift         how much more often the tenth with the highest chances ordered than all did
Of the days with an order, and of spend:
  MAE, RMSE    the mean absolute error, and the root of the mean squared error
  bias         expected over actual total, less 1
  r            the correlation of what was expected and what followed
  top tenth    what the tenth of whom most was expected brought, over what the best tenth brought
Intervals are of 95 %. csv has a row for each way of predicting, json everything.

Examples:
  rapport backtest --cut 2011-09-09 --horizon 91
  # A page with the reliability curve, and the expected and actual orders since the cut
  rapport backtest --cut 2011-09-09 --horizon 91 --plot backtest.svg";

/// What `backtest` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct BacktestArgs {
    /// The cut, after which nothing is seen: a time in RFC 3339, or a date.
    #[arg(long, value_name = "DATE", value_parser = read_time)]
    cut: Timestamp,
    /// How many days after the cut are predicted and judged, 1 to 730; they must have passed.
    #[arg(long, alias = "horizon-days", value_name = "DAYS", value_parser = horizon())]
    horizon: i32,
    /// Draw the reliability curve and the orders since the cut into this file, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

fn horizon() -> RangedI64ValueParser<i32> {
    clap::value_parser!(i32).range(1..=730)
}

pub(crate) async fn run(connect: &ConnectArgs, args: BacktestArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = BacktestPortfolioRequest {
        cut_time: Some(args.cut),
        horizon_days: args.horizon,
        ..BacktestPortfolioRequest::default()
    };
    let steps = Steps::begin("backtest", if args.quiet { Show::Nothing } else { Show::Auto });
    let backtest = asked(&connection, request, steps).await?;
    match args.format {
        Format::Table => output::line(&page::page(&backtest))?,
        Format::Json => {
            let json = contract::to_json("rapport.predictions.v1.Backtest", &backtest)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => page::csv_rows(&mut output::stdout(), &backtest)?,
    }
    if let Some(path) = &args.plot {
        output::file(path, &plot::sheet(&chart::charts(&backtest))?)?;
    }
    Ok(Exit::Ok)
}

/// Asks for a back-test and waits for its result, however long it takes.
async fn asked(
    connection: &Connection,
    request: BacktestPortfolioRequest,
    mut steps: Steps,
) -> Result<Backtest, Error> {
    let mut answers = connection.predictions().backtest_portfolio(Request::new(request)).await?.into_inner();
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        if let Some(backtest) = answer.backtest {
            return Ok(backtest);
        }
        steps.at(&answer.status, answer.progress);
    }
    Err(Error::Answer("the back-test ended without a result".to_owned()))
}
