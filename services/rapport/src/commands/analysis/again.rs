//! Reading again what was written before.

use contracts::{feedback::v1::ReanalyzeFeedbackRequest, interactions::v1::ReanalyzeInteractionsRequest};
use tonic::{Request, Response, Status, Streaming};

use super::super::account_name;
use crate::{
    client::{ConnectArgs, Connection},
    exit::{Error, Exit},
    import::{Progress, Show},
    output,
};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct AgainArgs {
    /// Only of this account, by id or full name.
    account: Option<String>,
    /// At most so many texts a second, of each service; the rest of the suite's work goes on beside it.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    rate: i32,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) async fn run(connect: &ConnectArgs, args: AgainArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let parent = args.account.as_deref().map_or("accounts/-".to_owned(), account_name);
    let show = if args.quiet { Show::Nothing } else { Show::Auto };

    let ask = ReanalyzeInteractionsRequest { parent: parent.clone(), max_texts_per_second: args.rate };
    let answers = connection.interactions().reanalyze_interactions(Request::new(ask)).await;
    follow("interactions", show, answers, |answer| (answer.read_count, answer.changed_count)).await?;

    let ask = ReanalyzeFeedbackRequest { parent, max_texts_per_second: args.rate };
    let answers = connection.feedback().reanalyze_feedback(Request::new(ask)).await;
    follow("feedback", show, answers, |answer| (answer.read_count, answer.changed_count)).await?;
    Ok(Exit::Ok)
}

/// Follows one service to its end, and tells how much changed.
async fn follow<A>(
    service: &str,
    show: Show,
    answers: Result<Response<Streaming<A>>, Status>,
    counts: impl Fn(&A) -> (i64, i64),
) -> Result<(), Error> {
    let mut answers = answers?.into_inner();
    let mut progress = Progress::begin(service, 0, show);
    let (mut read, mut changed) = (0, 0);
    while let Some(answer) = answers.message().await? {
        (read, changed) = counts(&answer);
        progress.at(0, read.unsigned_abs(), "texts");
    }
    progress.end();
    Ok(output::line(&format!("{service}: {read} texts read, {changed} changed"))?)
}
