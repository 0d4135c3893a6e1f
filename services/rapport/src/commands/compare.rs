//! `rapport compare`: what moved an account's scores between two times.

use std::fmt::Write as _;

use contracts::{
    assessments::v1::{Cause, ChangeTerm, CompareAssessmentsRequest, CompareAssessmentsResponse, FacetChange},
    common::v1::Party,
};

use super::{Format, account_id, account_name, facets, timestamp, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::value::short_name,
    output::{self, Grid},
};

/// How many reasons a person is given.
const TOP_REASONS: usize = 15;

/// What `compare` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct CompareArgs {
    /// The account, by id or full name.
    account: String,
    /// The first time, in RFC 3339, or a date.
    from: String,
    /// The second time; now if left out.
    to: Option<String>,
    /// How to print it; csv has a row for each reason.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: CompareArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = CompareAssessmentsRequest {
        name: format!("{}/assessment", account_name(&args.account)),
        as_of: timestamp(Some(&args.from))?,
        until: timestamp(args.to.as_deref())?,
        ..Default::default()
    };
    let answer = connection.assessments().compare_assessments(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page(&answer))?,
        Format::Json => {
            let json = contract::to_json("rapport.assessments.v1.CompareAssessmentsResponse", &answer)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => csv_rows(&answer.terms)?,
    }
    Ok(Exit::Ok)
}

fn page(answer: &CompareAssessmentsResponse) -> String {
    let mut page = String::new();
    if let (Some(before), Some(after)) = (&answer.before, &answer.after) {
        let account = account_id(&after.name);
        let _ = writeln!(page, "{account}, from {} to {}", told(before.assess_time), told(after.assess_time));
    }
    for sentence in &answer.summary {
        let _ = writeln!(page, "- {sentence}");
    }
    let _ = write!(page, "\n{}", scores(&answer.facets));
    if !answer.terms.is_empty() {
        let _ = write!(page, "\n\nwhat moved the bond most\n{}", reasons(&answer.terms));
    }
    page
}

/// How each facet moved.
pub(super) fn scores(changes: &[FacetChange]) -> Grid {
    let mut scores = Grid::titled(&["", "before", "after", "moved"]).right(&[1, 2, 3]);
    for change in changes {
        let name = format!("{}'s {}", facets::party(change.party()), facets::facet(change.facet()));
        let moved = change.after - change.before;
        scores.row([name, format!("{:.1}", change.before), format!("{:.1}", change.after), format!("{moved:+.1}")]);
    }
    scores
}

/// The first reasons.
pub(super) fn reasons(terms: &[ChangeTerm]) -> Grid {
    let mut reasons = Grid::titled(&["points", "bond", "facet", "why", "signal", "source"]).right(&[0, 1]);
    for term in terms.iter().take(TOP_REASONS) {
        reasons.row([
            format!("{:+.2}", term.points),
            format!("{:+.2}", term.bond_points),
            format!("{}'s {}", party(term), facets::facet(term.facet())),
            cause(term),
            term.signal.clone(),
            term.source.clone(),
        ]);
    }
    reasons
}

/// Prints a row for each reason.
pub(super) fn csv_rows(terms: &[ChangeTerm]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(output::stdout());
    rows.write_record(["party", "facet", "cause", "signal", "source", "points", "bond_points"])?;
    for term in terms {
        let figures = [term.points.to_string(), term.bond_points.to_string()];
        let words = [party(term), facets::facet(term.facet()), cause(term)];
        let names = [term.signal.clone(), term.source.clone()];
        rows.write_record(words.iter().chain(&names).chain(&figures))?;
    }
    Ok(rows.flush()?)
}

fn party(term: &ChangeTerm) -> String {
    facets::party(Party::try_from(term.party).unwrap_or_default())
}

fn cause(term: &ChangeTerm) -> String {
    short_name("Cause", Cause::try_from(term.cause).unwrap_or_default().as_str_name())
}
