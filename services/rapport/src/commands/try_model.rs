//! `rapport models try`: what a model would change across the portfolio, before it is chosen.

use std::{fmt::Write as _, fs, io, path::Path};

use contracts::assessments::v1::{TryModelRequest, TryModelResponse};
use tokio_stream::StreamExt;
use tonic::Request;

use super::{account_id, facets, simulate::model_name, timestamp, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::{Progress, Show},
    output::{self, Grid},
};

/// How wide the longest bar is, in characters.
const BAR: usize = 40;

const EXAMPLES: &str = "\
Every account is assessed twice, at one time: with the model that is chosen for it, and with the one that is tried.
Nothing is stored. A document's own id may be one that is taken.

Examples:
  # A document that is being written
  rapport models try cautious.toml
  # A model that was created, for the wholesale customers only, and the hundred accounts that move most
  rapport models try cautious-2 --segment wholesale --top 100
  # The ten accounts that would fall furthest
  rapport models try cautious.toml --top 1000 --format json \\
    | jq '[.topMovements[] | select(.bondAfter < .bondBefore)][:10]'";

/// What `models try` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct TryModelArgs {
    /// A file with the document, in TOML, `-` for standard input; or, where there is no such file, a model by id or full
    /// name.
    #[arg(value_name = "FILE|NAME")]
    model: String,
    /// Only accounts of this segment; an empty one means those without.
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<String>,
    /// Try it on what is known of then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How many of the accounts that move most are named, up to 1,000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    top: i32,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Shape,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// How the trial is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// For people.
    Table,
    /// For programs: proto JSON.
    Json,
}

pub(crate) async fn run(connect: &ConnectArgs, args: TryModelArgs) -> Result<Exit, Error> {
    let (name, document) = model(&args.model)?;
    let connection = Connection::open(connect)?;
    let request = TryModelRequest {
        name,
        document,
        segment: args.segment,
        movement_count: args.top,
        as_of: timestamp(args.at.as_deref())?,
        ..TryModelRequest::default()
    };
    let mut answers = connection.assessments().try_model(Request::new(request)).await?.into_inner();
    let show = if args.quiet { Show::Nothing } else { Show::Auto };
    let mut progress: Option<Progress> = None;
    let mut last = None;
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        let assessed = u64::try_from(answer.assessed_count).unwrap_or_default();
        let total = u64::try_from(answer.total_count).unwrap_or_default();
        progress.get_or_insert_with(|| Progress::begin("try", total, show)).at(assessed, assessed, "accounts");
        last = Some(answer);
    }
    if let Some(progress) = progress {
        progress.end();
    }
    let last = last.ok_or_else(|| Error::Answer("the trial ended without a result".to_owned()))?;
    match args.format {
        Shape::Table => output::line(&page(&last))?,
        Shape::Json => {
            let json = contract::to_json("rapport.assessments.v1.TryModelResponse", &last)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
    }
    Ok(Exit::Ok)
}

/// The name, or the document, that an argument gives.
fn model(argument: &str) -> Result<(String, String), Error> {
    let failed = |error: io::Error| Error::NoInput(format!("{argument}: {error}"));
    if argument == "-" {
        return Ok((String::new(), io::read_to_string(io::stdin()).map_err(failed)?));
    }
    let path = Path::new(argument);
    if !path.is_file() && path.extension().is_none_or(|extension| extension != "toml") {
        return Ok((model_name(argument), String::new()));
    }
    Ok((String::new(), fs::read_to_string(path).map_err(failed)?))
}

fn page(trial: &TryModelResponse) -> String {
    let count = trial.assessed_count;
    let accounts = if count == 1 { "account" } else { "accounts" };
    let mut page = format!("{count} {accounts} assessed with both models, at {}\n", told(trial.assess_time));
    let _ = writeln!(
        page,
        "the bond would move by {:.2} points on average ({:+.2} with its sign); {} would change their stage",
        trial.mean_absolute_movement, trial.mean_movement, trial.stage_change_count,
    );

    let longest = trial.movements.iter().map(|bin| bin.account_count).max().unwrap_or_default().max(1);
    let mut movements = Grid::titled(&["bond moves by", "accounts", ""]).right(&[0, 1]);
    for bin in &trial.movements {
        let bar = (bin.account_count * BAR as i64 + longest - 1) / longest;
        let range = format!("{:+} to {:+}", bin.low, bin.high);
        movements.row([range, bin.account_count.to_string(), "█".repeat(usize::try_from(bar).unwrap_or_default())]);
    }
    let _ = write!(page, "\n{movements}");

    let mut stages = Grid::titled(&["stage", "now", "then"]).right(&[1, 2]);
    for (before, after) in trial.stages_before.iter().zip(&trial.stages_after) {
        stages.row([facets::stage(before.stage()), before.account_count.to_string(), after.account_count.to_string()]);
    }
    let _ = write!(page, "\n\n{stages}");

    if !trial.top_movements.is_empty() {
        let mut top = Grid::titled(&["account", "now", "then", "moves", "stage"]).right(&[1, 2, 3]);
        for movement in &trial.top_movements {
            let (before, after) = (movement.stage_before(), movement.stage_after());
            let stage = match before == after {
                true => facets::stage(after),
                false => format!("{} → {}", facets::stage(before), facets::stage(after)),
            };
            top.row([
                account_id(&movement.account).to_owned(),
                format!("{:.1}", movement.bond_before),
                format!("{:.1}", movement.bond_after),
                format!("{:+.1}", movement.bond_after - movement.bond_before),
                stage,
            ]);
        }
        let _ = write!(page, "\n\nthe accounts that would move most\n{top}");
    }
    page
}

#[cfg(test)]
mod tests {
    use contracts::assessments::v1::{Bin, Movement, Stage, StageCount};

    use super::*;

    #[test]
    fn a_file_is_a_document_and_anything_else_a_name() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        fs::write(file.path(), "id = \"calm-1\"").expect("written");
        let path = file.path().to_string_lossy().into_owned();
        assert_eq!(model(&path).expect("a document"), (String::new(), "id = \"calm-1\"".to_owned()));
        assert_eq!(model("calm-1.2").expect("a name"), ("models/calm-1.2".to_owned(), String::new()));
        assert_eq!(model("models/default").expect("a name"), ("models/default".to_owned(), String::new()));
        assert_eq!(model("absent.toml").expect_err("no file").exit(), Exit::NoInput);
    }

    #[test]
    fn a_page_tells_the_distribution_the_stages_and_who_moves_most() {
        let bin = |low, high, account_count| Bin { low, high, account_count };
        let count = |stage: Stage, account_count| StageCount { stage: stage.into(), account_count };
        let trial = TryModelResponse {
            assessed_count: 41,
            total_count: 41,
            movements: vec![bin(-1.0, -0.1, 1), bin(-0.1, 0.1, 40)],
            mean_movement: -0.02,
            mean_absolute_movement: 0.03,
            stage_change_count: 1,
            stages_before: vec![count(Stage::Expansion, 41), count(Stage::Commitment, 0)],
            stages_after: vec![count(Stage::Expansion, 40), count(Stage::Commitment, 1)],
            top_movements: vec![Movement {
                account: "accounts/acme".to_owned(),
                bond_before: 61.0,
                bond_after: 60.25,
                stage_before: Stage::Expansion.into(),
                stage_after: Stage::Commitment.into(),
            }],
            assess_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
        };
        let expected = format!(
            "41 accounts assessed with both models, at 1970-01-01T00:00:00Z\n\
             the bond would move by 0.03 points on average (-0.02 with its sign); 1 would change their stage\n\
             \n\
             bond moves by  accounts\n   -1 to -0.1         1  █\n -0.1 to +0.1        40  {}\n\
             \n\
             stage       now  then\nexpansion    41    40\ncommitment    0     1\n\
             \n\
             the accounts that would move most\n\
             account   now  then  moves  stage\nacme     61.0  60.2   -0.8  expansion → commitment",
            "█".repeat(BAR)
        );
        assert_eq!(page(&trial), expected);
    }
}
