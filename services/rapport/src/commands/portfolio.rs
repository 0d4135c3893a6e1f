//! `rapport portfolio`: the shape of the portfolio, and what it will probably bring.

mod chart;
mod page;

use std::path::PathBuf;

use contracts::assessments::v1::GetPortfolioRequest;

use super::{Format, days_ahead};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output, plot,
};

/// A quarter.
const HORIZON_DAYS: i32 = 91;

const HELP: &str = "\
Stages, bonds and gaps (how much closer the customer stands than the provider) are those that lists show. Cohorts are
the customers that ordered first in the same quarter (UTC); their retention is the share of them that ordered in each
quarter since, the last of which is not over.

By position, where customers stand between the provider and its rivals:
  exposed             a rival's offer would probably take them, and the provider would probably not be asked
  contestable         it could take them, but the provider would probably be given the chance to counter it
  resilient           they would probably stay, even without a counter-offer
  beyond competition  they would almost surely stay
  unknown             too little is known to tell
Value at risk is what would be lost on the mean if a rival made each of them an offer that is not countered: of each
customer's lifetime value the part that goes with its chance not to stay. Spend and lifetime value are told while there
is a fit (`rapport fit`). csv has a row for each figure, json everything.

Every account is counted anew for cohorts and positions; --quick leaves them out.

Examples:
  rapport portfolio
  rapport portfolio --horizon-days 365 --plot portfolio.svg";

/// What `portfolio` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct PortfolioArgs {
    /// The days ahead that spend is expected for.
    #[arg(long, alias = "horizon", value_name = "N", default_value_t = HORIZON_DAYS, value_parser = days_ahead())]
    horizon_days: i32,
    /// Leave out what is counted anew from every account: cohorts, positions and values.
    #[arg(long, conflicts_with_all = ["horizon_days", "plot"])]
    quick: bool,
    /// Draw the distribution of the bond and the retention of cohorts into this file, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: PortfolioArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = GetPortfolioRequest {
        show_cohorts: !args.quick,
        horizon_days: (!args.quick).then_some(args.horizon_days),
        ..GetPortfolioRequest::default()
    };
    let answer = connection.assessments().get_portfolio(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page::page(&answer, args.horizon_days, output::terminal_width()))?,
        Format::Json => {
            let json = contract::to_json("rapport.assessments.v1.GetPortfolioResponse", &answer)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => page::csv_rows(&mut output::stdout(), &answer)?,
    }
    if let Some(path) = &args.plot {
        output::file(path, &plot::sheet(&chart::charts(&answer))?)?;
    }
    Ok(Exit::Ok)
}
