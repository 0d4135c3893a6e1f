//! `rapport demo`: starts the suite on temporary data, loads the sample data through the public API, shows what it says
//! of real customers, and keeps serving.

mod ahead;
mod words;

use std::{fmt::Write as _, net::SocketAddr};

use clap::ValueEnum as _;
use contracts::{
    assessments::v1::{Assessment, ExplainAssessmentRequest, ListAssessmentsRequest, Stage},
    common::v1::FreshnessToken,
};
use prost_types::Timestamp;
use runtime::{Clock, ServeSettings, Server, Shutdown};
use tempfile::TempDir;
use wording::Language;

use crate::{
    client::{ConnectArgs, Connection},
    commands,
    commands::facets,
    exit::{Error, Exit},
    import::{self, Job},
    output::{self, Grid},
    serve::{Service, SuiteArgs},
    shipped::{DataSet, RETAIL, SAAS},
};

/// Accounts of which less is known than this are not shown as extremes.
const LEAST_CONFIDENCE: f64 = 0.3;
/// How wide the longest bar is, in characters.
const BAR: usize = 40;

/// What `demo` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, env = "RAPPORT_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7600")]
    listen: SocketAddr,
    /// Stop when everything has been shown, in place of serving on.
    #[arg(long)]
    once: bool,
}

/// Shows the suite on sample data, telling in this language, or that of the locale.
pub async fn run(args: DemoArgs, lang: Option<Language>) -> Result<Exit, Error> {
    let folder = TempDir::with_prefix("rapport-demo-")?;
    let settings =
        ServeSettings { listen: args.listen, data_dir: folder.path().to_owned(), ..ServeSettings::default() };
    settings.validate().map_err(|problems| Error::Usage(problems.join("; ")))?;
    let failed = |error: runtime::BoxError| Error::Usage(format!("cannot serve on {}: {error}", args.listen));
    let server = Server::bind(settings, Clock::system()).await.map_err(|error| failed(error.into()))?;
    let context = server.context();
    let app = SuiteArgs::default().build(&context, Service::value_variants()).await.map_err(failed)?;
    let shutdown = context.shutdown.clone();
    let asked = runtime::signals()?;
    let serving = tokio::spawn(server.serve(app));
    let drain = shutdown.clone();
    tokio::spawn(async move {
        asked.await;
        drain.begin();
    });

    let endpoint = context.own_uri();
    output::line(&format!(
        "The suite serves on {} (data in a temporary folder, gone when it stops).\n",
        context.address
    ))?;
    tokio::select! {
        shown = show_all(&endpoint, &context.address, lang) => shown?,
        () = shutdown.wait() => {}
    }
    if !args.once && !shutdown.has_begun() {
        output::line("\nServing on. Stop with Ctrl-C.")?;
        shutdown.wait().await;
    }
    stop(&shutdown, serving).await
}

async fn stop(
    shutdown: &Shutdown,
    serving: tokio::task::JoinHandle<Result<(), runtime::ServerError>>,
) -> Result<Exit, Error> {
    shutdown.begin();
    match serving.await {
        Ok(Ok(())) => Ok(Exit::Ok),
        Ok(Err(error)) => Err(Error::Usage(error.to_string())),
        Err(error) => Err(Error::Answer(error.to_string())),
    }
}

async fn show_all(endpoint: &str, address: &SocketAddr, lang: Option<Language>) -> Result<(), Error> {
    let mut example = None;
    for set in [SAAS, RETAIL] {
        let connect = ConnectArgs {
            endpoint: endpoint.to_owned(),
            tenant: set.tenant.to_owned(),
            token_file: None,
            timeout: 600,
            lang,
        };
        let connection = Connection::open(&connect)?;
        output::line(&format!("Tenant {}: {}", set.tenant, set.about))?;
        let tokens = load(&connection, &set).await?;
        let at = set.ends();
        let assessments = assess_all(&connection, at, tokens).await?;
        output::line(&portfolio(&assessments, set.ends_on))?;
        let strongest = show_extremes(&connection, at, &assessments).await?;
        // What is synthetic has no future to learn.
        if let Some(account) = strongest.as_ref().filter(|_| set.tenant == RETAIL.tenant) {
            ahead::show(&connection, at, account).await?;
        }
        example = strongest.map(|account| (set, account));
    }
    words::show()?;
    if let Some((set, account)) = example {
        output::line(&invitation(&set, &account, address))?;
    }
    Ok(())
}

/// Imports a set and returns the tokens that name all its writes.
async fn load(connection: &Connection, set: &DataSet) -> Result<Vec<FreshnessToken>, Error> {
    let mut tokens = Vec::new();
    for step in set.steps {
        let job = step.job().map_err(|problems| Error::Usage(problems.join("; ")))?;
        let summary = import::run(connection, Job { keep_tokens: true, ..job }).await?;
        let refused = match summary.refused {
            0 => String::new(),
            refused => format!(", {refused} refused"),
        };
        output::line(&format!(
            "  {:<32} {:>6} lines read, {:>5} rows landed{refused}",
            step.name, summary.lines, summary.landed
        ))?;
        for refusal in summary.refusals.iter().take(1) {
            output::line(&format!("    such as line {}: {}", refusal.line, refusal.message))?;
        }
        tokens.extend(summary.tokens);
    }
    Ok(tokens)
}

/// Assesses every account as of a time, once all that the tokens name is included.
async fn assess_all(
    connection: &Connection,
    at: Timestamp,
    tokens: Vec<FreshnessToken>,
) -> Result<Vec<Assessment>, Error> {
    let mut assessments = Vec::new();
    let mut ask = ListAssessmentsRequest {
        page_size: 1_000,
        at_least_as_fresh: tokens,
        as_of: Some(at),
        ..ListAssessmentsRequest::default()
    };
    loop {
        let page = connection.assessments().list_assessments(connection.request(ask.clone())).await?.into_inner();
        assessments.extend(page.assessments);
        if page.next_page_token.is_empty() {
            return Ok(assessments);
        }
        ask.page_token = page.next_page_token;
        ask.at_least_as_fresh.clear();
    }
}

/// How many accounts are in each stage, and how their bonds are distributed.
fn portfolio(assessments: &[Assessment], day: &str) -> String {
    let mut text = format!("\n  {} relationships as of {day}, the day after the data end\n\n", assessments.len());
    let mut grid = Grid::default().right(&[1, 5]);
    let stages = [Stage::Awareness, Stage::Exploration, Stage::Expansion, Stage::Commitment, Stage::Dissolution];
    let of_stage: Vec<usize> = stages
        .iter()
        .map(|stage| assessments.iter().filter(|assessment| assessment.stage() == *stage).count())
        .collect();
    let of_bond: Vec<usize> = (0..10)
        .map(|bin| assessments.iter().filter(|assessment| (bond(assessment) / 10.0) as usize == bin).count())
        .collect();
    let longest = of_bond.iter().chain(&of_stage).copied().max().unwrap_or(1).max(1);
    let bar = |count: usize| "█".repeat((count * BAR).div_ceil(longest));
    for (index, count) in of_bond.iter().enumerate() {
        let stage = stages.get(index).map(|stage| facets::stage(*stage)).unwrap_or_default();
        let stage_count = of_stage.get(index).map(ToString::to_string).unwrap_or_default();
        grid.row([
            format!("  {stage}"),
            stage_count,
            String::new(),
            format!("bond {:>2}-{:<3}", index * 10, (index + 1) * 10),
            String::new(),
            count.to_string(),
            bar(*count),
        ]);
    }
    let _ = write!(text, "{grid}");
    text
}

/// Shows the strongest, the most endangered and the most one-sided relationship, and returns the first one's account.
async fn show_extremes(
    connection: &Connection,
    at: Timestamp,
    assessments: &[Assessment],
) -> Result<Option<String>, Error> {
    let known: Vec<&Assessment> = assessments.iter().filter(|one| confidence(one) >= LEAST_CONFIDENCE).collect();
    let standing = known.iter().filter(|one| one.stage() != Stage::Dissolution);
    let strongest = known.iter().max_by(|one, other| bond(one).total_cmp(&bond(other)));
    let endangered = standing.min_by(|one, other| velocity(one).total_cmp(&velocity(other)));
    let one_sided = known.iter().max_by(|one, other| one.gap.abs().total_cmp(&other.gap.abs()));
    for (title, assessment) in
        [("strongest", strongest), ("most endangered (falls fastest)", endangered), ("most one-sided", one_sided)]
    {
        let Some(assessment) = assessment else { continue };
        let ask = ExplainAssessmentRequest {
            name: assessment.name.clone(),
            as_of: Some(at),
            ..ExplainAssessmentRequest::default()
        };
        let told = connection.assessments().explain_assessment(connection.request(ask)).await?.into_inner();
        output::line(&format!("\n  The {title} relationship: {}", commands::account_id(&assessment.name)))?;
        for sentence in told.summary {
            output::line(&format!("    {sentence}"))?;
        }
    }
    output::line("")?;
    Ok(strongest.map(|assessment| commands::account_id(&assessment.name).to_owned()))
}

fn bond(assessment: &Assessment) -> f64 {
    assessment.bond.map_or(0.0, |bond| bond.value.min(99.999))
}

fn velocity(assessment: &Assessment) -> f64 {
    assessment.bond.map_or(0.0, |bond| bond.velocity)
}

fn confidence(assessment: &Assessment) -> f64 {
    assessment.bond.map_or(0.0, |bond| bond.confidence)
}

/// How to go on from here.
fn invitation(set: &DataSet, account: &str, address: &SocketAddr) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "rapport".to_owned());
    let endpoint = if address.port() == 7600 { String::new() } else { format!(" --endpoint http://{address}") };
    format!(
        "Look closer, in another terminal:\n\
         \n  {program} assess {account} --tenant {tenant} --at {day} --horizon-days 91{endpoint}\
         \n  {program} timeline {account} --tenant {tenant}{endpoint}\
         \n  grpcurl -plaintext -H 'rapport-tenant: {tenant}' \\\
         \n    -d '{{\"name\": \"accounts/{account}/assessment\", \"as_of\": \"{day}T00:00:00Z\"}}' \\\
         \n    {address} rapport.assessments.v1.AssessmentsService/GetAssessment",
        tenant = set.tenant,
        day = set.ends_on,
    )
}
