//! `rapport export assessments`: every account, one row each, a page at a time.

use std::io::{self, Write};

use contracts::assessments::v1::{Assessment, ListAssessmentsRequest, Score};

use super::{
    account_id,
    facets::{self, FACETS},
    timestamp,
};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::{Progress, Show},
    output,
};

const PAGE: i32 = 500;

/// What `export` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArgs {
    /// What to export.
    what: What,
    /// What we now say about then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How to print it.
    #[arg(long, default_value = "csv")]
    format: ExportFormat,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The assessment of every account.
    Assessments,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ExportFormat {
    /// Comma-separated values with a header.
    Csv,
    /// Proto JSON, an assessment a line.
    #[value(alias = "json")]
    Jsonl,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ExportArgs) -> Result<Exit, Error> {
    let What::Assessments = args.what;
    let connection = Connection::open(connect)?;
    let mut request =
        ListAssessmentsRequest { page_size: PAGE, as_of: timestamp(args.at.as_deref())?, ..Default::default() };
    let show = if args.quiet { Show::Nothing } else { Show::Auto };
    let mut progress = Progress::begin("export", 0, show);
    let mut count = 0;
    loop {
        let page = connection.assessments().list_assessments(connection.request(request.clone())).await?.into_inner();
        // The lock is taken for each page: it cannot be held while waiting for the next one.
        let mut out = io::BufWriter::new(output::stdout());
        match args.format {
            ExportFormat::Csv => csv_rows(&mut out, &page.assessments, count == 0)?,
            ExportFormat::Jsonl => json_lines(&mut out, &page.assessments)?,
        }
        out.flush()?;
        drop(out);
        count += page.assessments.len() as u64;
        progress.at(0, count, "accounts");
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    progress.end();
    Ok(Exit::Ok)
}

/// The columns, in their order.
pub(crate) fn columns() -> Vec<String> {
    let mut columns: Vec<String> = ["account", "stage", "bond", "gap", "confidence"].map(str::to_owned).to_vec();
    for party in ["customer", "provider"] {
        for (facet, _) in FACETS {
            columns.push(format!("{party}_{facet}"));
            columns.push(format!("{party}_{facet}_confidence"));
            columns.push(format!("{party}_{facet}_velocity"));
        }
    }
    columns.push("model".to_owned());
    columns
}

/// Writes assessments as rows of the columns above; the header first, if it is wanted.
pub(crate) fn csv_rows(out: &mut impl Write, assessments: &[Assessment], header: bool) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(out);
    if header {
        writer.write_record(columns())?;
    }
    for assessment in assessments {
        writer.write_record(cells(assessment))?;
    }
    writer.flush()?;
    Ok(())
}

fn cells(assessment: &Assessment) -> Vec<String> {
    let bond = assessment.bond.unwrap_or_default();
    let mut cells = vec![
        account_id(&assessment.name).to_owned(),
        facets::stage(assessment.stage()),
        number(bond.value),
        number(assessment.gap),
        number(bond.confidence),
    ];
    for view in [&assessment.customer_view, &assessment.provider_view] {
        for (_, facet) in FACETS {
            match facets::score(view.as_ref(), facet) {
                Some(Score { value, confidence, velocity, .. }) => {
                    cells.extend([value, confidence, velocity].map(number))
                }
                None => cells.extend(std::array::from_fn::<String, 3, _>(|_| String::new())),
            }
        }
    }
    cells.push(assessment.model.strip_prefix("models/").unwrap_or_default().to_owned());
    cells
}

/// A number that reads back as itself, without a negative zero.
fn number(value: f64) -> String {
    (value + 0.0).to_string()
}

fn json_lines(out: &mut impl Write, assessments: &[Assessment]) -> Result<(), Error> {
    for assessment in assessments {
        let json = contract::to_json("rapport.assessments.v1.Assessment", assessment)?;
        writeln!(out, "{json}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_that_are_documented() {
        let columns = columns();
        assert_eq!(columns.len(), 5 + 2 * 5 * 3 + 1);
        assert_eq!(columns[..5].join(","), "account,stage,bond,gap,confidence");
        assert_eq!(columns[5..8].join(","), "customer_rapport,customer_rapport_confidence,customer_rapport_velocity");
        assert_eq!(columns[34..].join(","), "provider_value_velocity,model");
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let assessment =
            Assessment { name: "accounts/acme/assessment".to_owned(), stage: 4, gap: -0.0, ..Default::default() };
        let mut out = Vec::new();
        csv_rows(&mut out, &[assessment], true).expect("written");
        let text = String::from_utf8(out).expect("text");
        let row = text.lines().nth(1).expect("a row");
        assert!(row.starts_with("acme,commitment,0,0,0,,"), "{row}");
        assert_eq!(row.split(',').count(), columns().len());
    }
}
