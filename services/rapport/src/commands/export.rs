//! `rapport export assessments`: every account, one row each, a page at a time.

use std::io::{self, Write};

use contracts::assessments::v1::{Assessment, ListAssessmentsRequest, Score};

use super::{
    account_id, days_ahead,
    facets::{self, FACETS},
    figures::exact,
    prediction, timestamp,
};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::{Progress, Show},
    output,
};

const PAGE: i32 = 500;

const HELP: &str = "\
CSV columns:
  account stage bond gap confidence
  customer_F customer_F_confidence customer_F_velocity   for F rapport, trust, loyalty, ease and value
  provider_F provider_F_confidence provider_F_velocity   the same
  model
and with --horizon-days, each of the figures also with _low and _high, the ends of its 95 % interval:
  p_order           the chance of an order within the horizon, 0 to 1
  expected_orders   the expected days with an order within it
  expected_spend    the expected spend within it, returns deducted, in units of `currency`
  lifetime_value    all expected spend of the future, discounted, in units of `currency`
  p_counter         the chance to be given the chance to counter a rival's offer, 0 to 1
  position          unknown, exposed, contestable, resilient or beyond_competition (no _low and _high)
  currency          of the account's orders
  fit               the fit that predicts: for a past time too, the one that does now
A cell is empty where nothing is known: what is ordered is predicted only while there is a fit (`rapport fit`) and once
there was an order, and nothing of an account that was closed.

Examples:
  rapport export assessments > assessments.csv
  # As they stood at the end of the year, with what was to be expected of the quarter after it
  rapport export assessments --at 2025-12-31 --horizon-days 91";

/// What `export` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct ExportArgs {
    /// What to export.
    what: What,
    /// What we now say about then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Add what each customer will probably do within so many days.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
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
    let mut request = ListAssessmentsRequest {
        page_size: PAGE,
        as_of: timestamp(args.at.as_deref())?,
        horizon_days: args.horizon_days,
        ..Default::default()
    };
    let columns = Columns { prediction: args.horizon_days.is_some() };
    let show = if args.quiet { Show::Nothing } else { Show::Auto };
    let mut progress = Progress::begin("export", 0, show);
    let mut count = 0;
    loop {
        let page = connection.assessments().list_assessments(connection.request(request.clone())).await?.into_inner();
        // The lock is taken for each page: it cannot be held while waiting for the next one.
        let mut out = io::BufWriter::new(output::stdout());
        match args.format {
            ExportFormat::Csv => columns.write(&mut out, &page.assessments, count == 0)?,
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

/// Which columns an assessment has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Whether those of a prediction are among them.
    pub(crate) prediction: bool,
}

impl Columns {
    /// The titles, in their order.
    fn titles(self) -> Vec<String> {
        let mut titles: Vec<String> = ["account", "stage", "bond", "gap", "confidence"].map(str::to_owned).to_vec();
        for party in ["customer", "provider"] {
            for (facet, _) in FACETS {
                titles.push(format!("{party}_{facet}"));
                titles.push(format!("{party}_{facet}_confidence"));
                titles.push(format!("{party}_{facet}_velocity"));
            }
        }
        titles.push("model".to_owned());
        if self.prediction {
            titles.extend(prediction::columns());
        }
        titles
    }

    /// Writes assessments as rows; the header first, if it is wanted.
    pub(crate) fn write(self, out: &mut impl Write, assessments: &[Assessment], header: bool) -> Result<(), Error> {
        let mut writer = csv::Writer::from_writer(out);
        if header {
            writer.write_record(self.titles())?;
        }
        for assessment in assessments {
            writer.write_record(self.cells(assessment))?;
        }
        writer.flush()?;
        Ok(())
    }

    fn cells(self, assessment: &Assessment) -> Vec<String> {
        let bond = assessment.bond.unwrap_or_default();
        let mut cells = vec![
            account_id(&assessment.name).to_owned(),
            facets::stage(assessment.stage()),
            exact(bond.value),
            exact(assessment.gap),
            exact(bond.confidence),
        ];
        for view in [&assessment.customer_view, &assessment.provider_view] {
            for (_, facet) in FACETS {
                match facets::score(view.as_ref(), facet) {
                    Some(Score { value, confidence, velocity, .. }) => {
                        cells.extend([value, confidence, velocity].map(exact))
                    }
                    None => cells.extend(std::array::from_fn::<String, 3, _>(|_| String::new())),
                }
            }
        }
        cells.push(assessment.model.strip_prefix("models/").unwrap_or_default().to_owned());
        if self.prediction {
            cells.extend(prediction::cells(assessment));
        }
        cells
    }
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
        let titles = Columns { prediction: false }.titles();
        assert_eq!(titles.len(), 5 + 2 * 5 * 3 + 1);
        assert_eq!(titles[..5].join(","), "account,stage,bond,gap,confidence");
        assert_eq!(titles[5..8].join(","), "customer_rapport,customer_rapport_confidence,customer_rapport_velocity");
        assert_eq!(titles[34..].join(","), "provider_value_velocity,model");
        let ahead = Columns { prediction: true }.titles();
        assert_eq!(ahead[..36], titles);
        for title in &ahead[36..] {
            let figure = title.trim_end_matches("_low").trim_end_matches("_high");
            assert!(HELP.contains(&format!("\n  {figure} ")), "{title}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let assessment =
            Assessment { name: "accounts/acme/assessment".to_owned(), stage: 4, gap: -0.0, ..Default::default() };
        for columns in [Columns { prediction: false }, Columns { prediction: true }] {
            let mut out = Vec::new();
            columns.write(&mut out, std::slice::from_ref(&assessment), true).expect("written");
            let text = String::from_utf8(out).expect("text");
            let row = text.lines().nth(1).expect("a row");
            assert!(row.starts_with("acme,commitment,0,0,0,,"), "{row}");
            assert_eq!(row.split(',').count(), columns.titles().len());
        }
    }
}
