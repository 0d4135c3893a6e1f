//! `rapport verify`: has every ledger recomputed from its evidence, and reports those that differ.

use contracts::assessments::v1::VerifyLedgersRequest;
use tokio_stream::StreamExt;
use tonic::Request;

use super::account_name;
use crate::{
    client::{ConnectArgs, Connection},
    exit::{Error, Exit},
    import::{Progress, Show},
    output,
};

/// What `verify` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct VerifyArgs {
    /// Only this account, by id or full name.
    account: Option<String>,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) async fn run(connect: &ConnectArgs, args: VerifyArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = VerifyLedgersRequest { account: args.account.as_deref().map(account_name).unwrap_or_default() };
    let mut answers = connection.assessments().verify_ledgers(Request::new(request)).await?.into_inner();
    let show = if args.quiet { Show::Nothing } else { Show::Auto };
    let mut progress: Option<Progress> = None;
    let (mut verified, mut differing) = (0, 0);
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        verified = u64::try_from(answer.verified_count).unwrap_or_default();
        let total = u64::try_from(answer.total_count).unwrap_or_default();
        let progress = progress.get_or_insert_with(|| Progress::begin("verify", total, show));
        progress.at(verified, verified, "ledgers");
        for account in &answer.differing_accounts {
            differing += 1;
            output::line(&format!("{account} differs"))?;
        }
    }
    if let Some(progress) = progress {
        progress.end();
    }
    output::line(&format!("{verified} ledgers recomputed, {differing} differ"))?;
    Ok(if differing > 0 { Exit::Differs } else { Exit::Ok })
}
