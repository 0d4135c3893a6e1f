//! `rapport view`: how persons see a relationship, beside the computed views.

use std::fmt::Write as _;

use contracts::assessments::v1::{
    CreateStatedViewRequest, DeleteStatedViewRequest, ListStatedViewsRequest, StatedView,
};
use prost_types::Timestamp;

use super::{Format, account_name, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::value,
    output::{self, Grid},
};

const FULL_NAME: &str = "rapport.assessments.v1.StatedView";

const EXAMPLES: &str = "\
A stated view is kept beside the computed ones and is never part of a score. The latest of each author that has not
expired is shown with the assessment.

Examples:
  rapport view state 12748 --author kim@example.com --rating 35 --expires 2026-12-31 \\
    --reason 'their new buyer has worked with our rival for years'
  rapport view list 12748
  rapport view withdraw accounts/12748/statedViews/0198c0ffee";

/// What `view` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ViewArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Record how a person sees an account.
    State(StateArgs),
    /// List what was stated of an account, latest first.
    List(ListArgs),
    /// Withdraw a view.
    Withdraw(WithdrawArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct StateArgs {
    /// The account, by id or full name.
    account: String,
    /// Who sees it so, such as an e-mail address.
    #[arg(long)]
    author: String,
    /// How they rate it, from 0 to 100.
    #[arg(long, allow_negative_numbers = true)]
    rating: f64,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Until when it holds: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    expires: String,
    /// The id of the view, so that stating it again changes nothing; chosen by the server if left out.
    #[arg(long, default_value = "")]
    id: String,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct ListArgs {
    /// The account, by id or full name.
    account: String,
    /// List withdrawn views too.
    #[arg(long)]
    all: bool,
    /// How to print it; json is proto JSON, a view a line.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
struct WithdrawArgs {
    /// The view's full name, as `view list` prints it.
    name: String,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ViewArgs) -> Result<Exit, Error> {
    match args.command {
        Command::State(args) => state(connect, args).await,
        Command::List(args) => list(connect, args).await,
        Command::Withdraw(args) => withdraw(connect, args).await,
    }
}

async fn state(connect: &ConnectArgs, args: StateArgs) -> Result<Exit, Error> {
    let expires = value::read_time(&args.expires).map_err(|problem| Error::Usage(format!("--expires {problem}")))?;
    let expire_time =
        Timestamp { seconds: expires.unix_timestamp(), nanos: i32::try_from(expires.nanosecond()).unwrap_or_default() };
    let connection = Connection::open(connect)?;
    let request = CreateStatedViewRequest {
        parent: account_name(&args.account),
        stated_view_id: args.id,
        stated_view: Some(StatedView {
            author: args.author,
            rating: Some(args.rating),
            reason: args.reason,
            expire_time: Some(expire_time),
            ..StatedView::default()
        }),
        request_id: String::new(),
    };
    let answer = connection.assessments().create_stated_view(connection.request(request)).await?.into_inner();
    print(&answer.stated_view.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

async fn list(connect: &ConnectArgs, args: ListArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let mut views = Vec::new();
    let mut request = ListStatedViewsRequest {
        parent: account_name(&args.account),
        show_deleted: args.all,
        ..ListStatedViewsRequest::default()
    };
    loop {
        let page = connection.assessments().list_stated_views(connection.request(request.clone())).await?.into_inner();
        views.extend(page.stated_views);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    match args.format {
        Format::Table => output::line(&table(&views).to_string())?,
        Format::Json => {
            for view in &views {
                output::line(&contract::to_json(FULL_NAME, view)?.to_string())?;
            }
        }
        Format::Csv => csv_rows(&views)?,
    }
    Ok(Exit::Ok)
}

async fn withdraw(connect: &ConnectArgs, args: WithdrawArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = DeleteStatedViewRequest { name: args.name, ..DeleteStatedViewRequest::default() };
    let answer = connection.assessments().delete_stated_view(connection.request(request)).await?.into_inner();
    print(&answer.stated_view.unwrap_or_default(), args.format)?;
    Ok(Exit::Ok)
}

fn print(view: &StatedView, format: Format) -> Result<(), Error> {
    match format {
        Format::Table => output::line(&table(std::slice::from_ref(view)).to_string())?,
        Format::Json => {
            output::line(&serde_json::to_string_pretty(&contract::to_json(FULL_NAME, view)?)?)?;
        }
        Format::Csv => csv_rows(std::slice::from_ref(view))?,
    }
    Ok(())
}

fn table(views: &[StatedView]) -> Grid {
    let mut table = Grid::titled(&["rating", "author", "stated", "until", "withdrawn", "view", "reason"]).right(&[0]);
    for view in views {
        table.row([
            rating(view),
            view.author.clone(),
            told(view.create_time),
            told(view.expire_time),
            told(view.delete_time),
            view.name.clone(),
            on_one_line(&view.reason),
        ]);
    }
    table
}

fn csv_rows(views: &[StatedView]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(output::stdout());
    rows.write_record(["name", "author", "rating", "reason", "create_time", "expire_time", "delete_time"])?;
    for view in views {
        let times = [view.create_time, view.expire_time, view.delete_time].map(told);
        let texts = [view.name.clone(), view.author.clone(), rating(view), view.reason.clone()];
        rows.write_record(texts.iter().chain(&times))?;
    }
    Ok(rows.flush()?)
}

/// The views that stand beside an assessment, for a person; nothing if there are none.
pub(super) fn beside(views: &[StatedView]) -> String {
    let mut lines = String::new();
    for view in views {
        let _ = write!(
            lines,
            "\nstated by {} on {}: {} of 100, {} (until {})",
            view.author,
            told(view.create_time),
            rating(view),
            on_one_line(&view.reason),
            told(view.expire_time)
        );
    }
    lines
}

fn rating(view: &StatedView) -> String {
    view.rating.map_or_else(String::new, |rating| rating.to_string())
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_told_beside_the_scores() {
        let view = StatedView {
            author: "kim".to_owned(),
            rating: Some(35.5),
            reason: "a new buyer,\nwho knows our rival".to_owned(),
            create_time: Some(Timestamp { seconds: 0, nanos: 0 }),
            expire_time: Some(Timestamp { seconds: 86_400, nanos: 0 }),
            ..StatedView::default()
        };
        assert_eq!(
            beside(&[view]),
            "\nstated by kim on 1970-01-01T00:00:00Z: 35.5 of 100, a new buyer, who knows our rival (until \
             1970-01-02T00:00:00Z)"
        );
        assert_eq!(beside(&[]), "");
    }
}
