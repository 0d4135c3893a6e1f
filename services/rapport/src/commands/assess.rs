//! `rapport assess`: one assessment, both views side by side, and what it is made of.

use std::fmt::Write as _;

use contracts::{
    assessments::v1::{
        Assessment, ExplainAssessmentRequest, ExplainAssessmentResponse, FacetExplanation, GetAssessmentRequest, Score,
        SignalContribution, View,
    },
    common::v1::{Money, Party},
};

use wording::{Figure, Words};

use super::{
    Format, account_name, days_ahead,
    facets::{self, FACETS},
    prediction, timestamp, told, view,
};
use crate::{
    client::{ConnectArgs, Connection},
    commands::export,
    contract,
    exit::{Error, Exit},
    output::{self, Grid},
};

/// How many reasons a person is given.
const TOP_REASONS: usize = 12;

/// What `assess` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct AssessArgs {
    /// The account, by id or full name.
    account: String,
    /// What we now say about then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Tell the single events behind each reason.
    #[arg(long)]
    by_source: bool,
    /// Tell what the customer will probably do within so many days, and where it stands between the provider and its
    /// rivals.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
    /// How to print it; csv has the columns of `export assessments`.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: AssessArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = ExplainAssessmentRequest {
        name: format!("{}/assessment", account_name(&args.account)),
        by_source: args.by_source,
        as_of: timestamp(args.at.as_deref())?,
        ..Default::default()
    };
    let name = request.name.clone();
    let as_of = request.as_of;
    let mut answer = connection.assessments().explain_assessment(connection.request(request)).await?.into_inner();
    if let Some(explained) = answer.assessment.as_mut().filter(|_| args.horizon_days.is_some()) {
        let request = GetAssessmentRequest { name, as_of, horizon_days: args.horizon_days, ..Default::default() };
        let ahead = connection.assessments().get_assessment(connection.request(request)).await?.into_inner();
        let ahead = ahead.assessment.unwrap_or_default();
        (explained.fit, explained.prediction) = (ahead.fit, ahead.prediction);
        // It says the same, and what is predicted.
        if !ahead.summary.is_empty() {
            answer.summary = ahead.summary;
        }
    }
    match args.format {
        Format::Table => {
            output::line(&page(&answer, connection.words()))?;
            if let Some(assessment) = answer.assessment.as_ref().filter(|_| args.horizon_days.is_some()) {
                let predicted = prediction::page(assessment, connection.words().is_some());
                if !predicted.is_empty() {
                    output::line(&format!("\n{predicted}"))?;
                }
            }
        }
        Format::Json => {
            let json = contract::to_json("rapport.assessments.v1.ExplainAssessmentResponse", &answer)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => {
            let columns = export::Columns { prediction: args.horizon_days.is_some() };
            columns.write(&mut output::stdout(), answer.assessment.as_slice(), true)?;
        }
    }
    Ok(Exit::Ok)
}

/// The assessment for a person, as plain text; names of facets are in the words of a language if it was asked for.
pub fn page(answer: &ExplainAssessmentResponse, words: Option<&Words>) -> String {
    let Some(assessment) = &answer.assessment else {
        return "no assessment".to_owned();
    };
    let mut page = head(assessment);
    let _ = write!(page, "\n\n{}", views(assessment));
    let emotions = [("customer", &assessment.customer_view), ("provider", &assessment.provider_view)];
    for (party, view) in emotions {
        let told = view.as_ref().map(emotions_told).unwrap_or_default();
        if !told.is_empty() {
            let _ = write!(page, "\nemotions the {party} showed: {told}");
        }
    }
    let worth = worth_told(assessment);
    if !worth.is_empty() {
        let _ = write!(page, "\n{worth}");
    }
    page.push_str(&view::beside(&assessment.stated_views));
    for sentence in &answer.summary {
        let _ = write!(page, "\n- {sentence}");
    }
    let reasons = reasons(&answer.facets, words);
    if !reasons.is_empty() {
        let _ = write!(page, "\n\n{reasons}");
    }
    page
}

fn head(assessment: &Assessment) -> String {
    let id = super::account_id(&assessment.name);
    let mut head = format!("{id}, {}", told(assessment.assess_time));
    if !assessment.merged_into.is_empty() {
        let _ = write!(head, " (merged into {})", assessment.merged_into);
    }
    if let Some(model) = assessment.model.strip_prefix("models/") {
        let _ = write!(head, ", by model {model}");
    }
    let bond = assessment.bond.as_ref().map(score_told).unwrap_or_else(|| "unknown".to_owned());
    let _ = write!(head, "\nbond {bond}, stage {}, gap {:+.1}", facets::stage(assessment.stage()), assessment.gap);
    match assessment.exposed_party() {
        Party::Unspecified => {}
        party => {
            let _ = write!(head, "; the {} trusts more than it is trusted", facets::party(party));
        }
    }
    head
}

fn views(assessment: &Assessment) -> Grid {
    let mut grid =
        Grid::titled(&["", "customer", "95 %", "sure", "/quarter", "", "provider", "95 %", "sure", "/quarter"])
            .right(&[1, 3, 4, 6, 8, 9]);
    let mut row = |title: &str, customer: Option<Score>, provider: Option<Score>| {
        let mut cells = vec![title.to_owned()];
        cells.extend(cells_of(customer));
        cells.push(String::new());
        cells.extend(cells_of(provider));
        grid.row(cells);
    };
    let (customer, provider) = (assessment.customer_view.as_ref(), assessment.provider_view.as_ref());
    for (name, facet) in FACETS {
        row(name, facets::score(customer, facet), facets::score(provider, facet));
    }
    row("together", customer.and_then(|view| view.index), provider.and_then(|view| view.index));
    grid
}

fn cells_of(score: Option<Score>) -> [String; 4] {
    match score {
        None => ["-", "", "", ""].map(str::to_owned),
        Some(score) if score.prior_only => {
            [format!("{:.1}", score.value), "no evidence".to_owned(), "0 %".to_owned(), "".to_owned()]
        }
        Some(score) => [
            format!("{:.1}", score.value),
            format!("{:.0}-{:.0}", score.low, score.high),
            format!("{:.0} %", score.confidence * 100.0),
            format!("{:+.1}", score.velocity),
        ],
    }
}

fn score_told(score: &Score) -> String {
    format!(
        "{:.1} ± {:.1} ({:.0} % sure, {:+.1} per quarter)",
        score.value,
        (score.high - score.low) / 2.0,
        score.confidence * 100.0,
        score.velocity
    )
}

fn emotions_told(view: &View) -> String {
    let mut emotions = view.emotions.clone();
    emotions.sort_by(|a, b| b.share.total_cmp(&a.share));
    let told = emotions.iter().take(4).map(|emotion| {
        format!(
            "{} {:.0} % (intensity {:.1})",
            facets::emotion(emotion.kind()),
            emotion.share * 100.0,
            emotion.intensity
        )
    });
    told.collect::<Vec<_>>().join(", ")
}

fn worth_told(assessment: &Assessment) -> String {
    let Some(worth) = &assessment.worth else {
        return String::new();
    };
    let named =
        [("spent", &worth.spend), ("saved", &worth.savings), ("earned", &worth.margin), ("returned", &worth.returned)];
    let told = named.into_iter().filter_map(|(name, money)| Some(format!("{name} {}", money_told(money.as_ref()?))));
    let told: Vec<String> = told.collect();
    let orders = assessment.activity.map(|activity| format!(" in {} orders", activity.order_count)).unwrap_or_default();
    if told.is_empty() { String::new() } else { format!("worth so far{orders}: {}", told.join(", ")) }
}

/// An amount with two decimals, or as many as it has.
pub(crate) fn money_told(money: &Money) -> String {
    let sign = if money.units < 0 || money.nanos < 0 { "-" } else { "" };
    let nanos = format!("{:09}", money.nanos.unsigned_abs());
    let decimals = nanos.trim_end_matches('0');
    let decimals = if decimals.len() < 2 { &nanos[..2] } else { decimals };
    format!("{sign}{}.{decimals} {}", money.units.unsigned_abs(), money.currency_code)
}

fn reasons(facets: &[FacetExplanation], words: Option<&Words>) -> String {
    let mut all: Vec<(&FacetExplanation, &SignalContribution)> = Vec::new();
    for facet in facets {
        all.extend(facet.contributions.iter().map(|contribution| (facet, contribution)));
    }
    all.sort_by(|a, b| b.1.points.abs().total_cmp(&a.1.points.abs()));
    let mut lines = Vec::new();
    for (facet, contribution) in all.into_iter().take(TOP_REASONS) {
        let whose = facets::whose(facet.party(), facet.facet(), words);
        let SignalContribution { points, meaning, count, .. } = contribution;
        lines.push(match words {
            None => format!("{points:+6.1}  {whose}: {meaning} ({count} facts)"),
            Some(words) => {
                let points = words.figure(Figure::new(*points, 1), true);
                format!("{points:>6}  {whose}: {meaning} ({count})")
            }
        });
        for source in &contribution.sources {
            let pending = if source.pending { ", still open" } else { "" };
            lines.push(format!(
                "        {:+6.2}  {} {}{pending}",
                source.points,
                told(source.happen_time),
                source.source
            ));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("what moved the scores, in points\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::assessments::v1::{FacetScore, Stage};

    #[test]
    fn a_page_shows_both_sides_and_the_reasons() {
        let score = Score { value: 61.25, low: 55.0, high: 67.0, confidence: 0.8, velocity: -2.0, prior_only: false };
        let view = View { trust: Some(FacetScore { score: Some(score), aspects: Vec::new() }), ..Default::default() };
        let assessment = Assessment {
            name: "accounts/acme/assessment".to_owned(),
            customer_view: Some(view),
            bond: Some(score),
            stage: Stage::Commitment.into(),
            ..Default::default()
        };
        let contribution = SignalContribution {
            points: -4.0,
            meaning: "deliveries after the promised day".to_owned(),
            count: 3,
            ..Default::default()
        };
        let facet = FacetExplanation {
            party: Party::Customer.into(),
            facet: 2,
            contributions: vec![contribution],
            ..Default::default()
        };
        let answer = ExplainAssessmentResponse {
            assessment: Some(assessment),
            facets: vec![facet],
            summary: vec!["deliveries come late".to_owned()],
        };
        let page_of = |words| page(&answer, words);
        let page = page_of(None);
        for part in [
            "bond 61.2 ± 6.0",
            "stage commitment",
            "55-67",
            "80 %",
            "-2.0",
            "- deliveries come late",
            "customer's trust: deliveries after",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        let told = page_of(Some(Words::of(wording::Language::Dutch)));
        assert!(told.contains("-4,0  het vertrouwen van de klant: deliveries after the promised day (3)"), "{told}");
    }

    #[test]
    fn amounts_are_told_exactly() {
        let money = |units, nanos| money_told(&Money { currency_code: "GBP".to_owned(), units, nanos });
        assert_eq!(money(12, 300_000_000), "12.30 GBP");
        assert_eq!(money(0, -5_000_000), "-0.005 GBP");
    }
}
