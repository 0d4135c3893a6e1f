//! `rapport opportunities`: what would strengthen the ties with an account, or with those of the portfolio.

use std::{fmt::Write as _, io::Write};

use contracts::{
    assessments::v1::{Estimate, FacetChange, Supposition},
    predictions::v1::{Aim, ListOpportunitiesRequest, ListOpportunitiesResponse, Opportunity},
};

use prost_types::Timestamp;
use wording::{Family, Words};

use super::{
    Format, account_id, account_name, days_ahead, facets,
    figures::{cells, counted, decimals, exact, signed, titles, with_interval},
    timestamp, told, told_in_short,
};
use crate::{
    client::{ConnectArgs, Connection},
    commands::import::quoted,
    contract,
    exit::{Error, Exit},
    output,
};

/// How many of the resources that an opportunity rests on a person is told.
const TOP_SOURCES: usize = 3;
/// How many flags of a simulation a person is told.
const MOST_FLAGS: usize = 4;
/// The least movement of a facet that a person is told, in points.
const LEAST_MOVEMENT: f64 = 0.05;

const HELP: &str = "\
Each opportunity is something that the provider can do, such as delivering what is late, answering, settling a conflict
or renewing a commitment, where the evidence supports it. It is assessed as if it were done, by the same calculation as
any assessment: `rapport simulate` with the flags that are printed, where they are few, gives the same figures. They are
ranked by what is gained: the expected spend within the horizon and the value kept if a rival made an offer, and where
no fit predicts, the bond. The gain is what such customers do; that the one is the cause of the other is not proven.
Often nothing stands out. csv has the flags of all simulations, json everything.

Examples:
  rapport opportunities 12748
  # The best ten with customers whose trust is falling, looking first at those with the strongest bond
  rapport opportunities --filter 'customer_trust_velocity <= -2' --order-by 'bond desc' --top 10
  # For a spreadsheet
  rapport opportunities --top 1000 --format csv > opportunities.csv";

/// What `opportunities` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct OpportunitiesArgs {
    /// The account, by id or full name; the portfolio if left out.
    account: Option<String>,
    /// Of the portfolio, only accounts that pass, such as 'bond < 40 AND stage = "commitment"'; the first 10,000 of
    /// them are looked at.
    #[arg(long, default_value = "", conflicts_with = "account")]
    filter: String,
    /// Which accounts of the portfolio are looked at first: a field of the filter, with ` desc` for falling.
    #[arg(long, default_value = "", value_name = "FIELD", conflicts_with = "account")]
    order_by: String,
    /// The days ahead that gains are reckoned for; those of the fit that predicts if left out.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
    /// What would have helped then, by what we now know of it: a time in RFC 3339, or a date. Needs an account.
    #[arg(long, value_name = "TIME", requires = "account")]
    at: Option<String>,
    /// At most this many, up to 1,000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    top: i32,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: OpportunitiesArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = ListOpportunitiesRequest {
        parent: args.account.as_deref().map_or_else(|| "accounts/-".to_owned(), account_name),
        page_size: args.top,
        filter: args.filter,
        order_by: args.order_by,
        horizon_days: args.horizon_days,
        as_of: timestamp(args.at.as_deref())?,
        ..ListOpportunitiesRequest::default()
    };
    let answer = connection.predictions().list_opportunities(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => {
            output::line(&page(&answer, &more_flags(args.at.as_deref(), args.horizon_days), connection.words()))?
        }
        Format::Json => {
            let json = contract::to_json("rapport.predictions.v1.ListOpportunitiesResponse", &answer)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => csv_rows(&mut output::stdout(), &answer.opportunities)?,
    }
    Ok(Exit::Ok)
}

/// The flags that a simulation needs beside what is supposed, so that it gives the same figures.
fn more_flags(at: Option<&str>, horizon_days: Option<i32>) -> String {
    let at = at.map(|at| format!(" --at {}", quoted(at))).unwrap_or_default();
    at + &horizon_days.map(|days| format!(" --horizon-days {days}")).unwrap_or_default()
}

fn page(answer: &ListOpportunitiesResponse, flags: &str, words: Option<&Words>) -> String {
    let mut page = match (answer.summary.as_str(), answer.opportunities.is_empty()) {
        ("", true) => "nothing stands out".to_owned(),
        ("", false) => counted(answer.opportunities.len() as i64, "opportunity", "opportunities"),
        (summary, _) => summary.to_owned(),
    };
    let looked_at = counted(answer.account_count, "account", "accounts");
    let _ = write!(page, "\n{looked_at} looked at");
    match answer.fit.strip_prefix("fits/") {
        Some(fit) => {
            let _ = write!(page, "; gains by fit {fit}");
        }
        None => page.push_str("; without gains in orders and value, as there is no fit: `rapport fit` makes one"),
    }
    for (number, opportunity) in answer.opportunities.iter().enumerate() {
        let _ = write!(page, "\n\n{}", entry(number + 1, opportunity, flags, words));
    }
    if !answer.next_page_token.is_empty() {
        let _ = write!(page, "\n\nthere are more: --top tells up to 1000");
    }
    page
}

fn entry(rank: usize, opportunity: &Opportunity, flags: &str, words: Option<&Words>) -> String {
    let account = account_id(&opportunity.account);
    let lever = match words {
        None => opportunity.lever.replace('_', " "),
        Some(words) => words.name(Family::Lever, &opportunity.lever),
    };
    let mut text = format!("{rank}. {account}: {lever}");
    match opportunity.summary.as_slice() {
        [] => details(&mut text, opportunity),
        told => told.iter().for_each(|sentence| {
            let _ = write!(text, "\n   - {sentence}");
        }),
    }
    let simulation = simulation(opportunity);
    if !simulation.is_empty() && simulation.len() <= MOST_FLAGS {
        detail(&mut text, "see", &format!("rapport simulate {} {}{flags}", quoted(account), simulation.join(" ")));
    }
    text
}

fn detail(text: &mut String, title: &str, content: &str) {
    if !content.is_empty() {
        let _ = write!(text, "\n   {title:<9} {content}");
    }
}

/// What is not told in sentences.
fn details(text: &mut String, opportunity: &Opportunity) {
    let mut line = |title: &str, content: &str| detail(text, title, content);
    line("takes", &opportunity.text);
    for (number, gain) in gains(opportunity).iter().enumerate() {
        line(if number == 0 { "gain" } else { "" }, gain);
    }
    let moves = opportunity.bond_after - opportunity.bond_before;
    line("bond", &format!("{:.1} → {:.1} ({moves:+.1})", opportunity.bond_before, opportunity.bond_after));
    line("moves", &moved(&opportunity.facets));
    line("aims at", &opportunity.aims.iter().map(aim).collect::<Vec<_>>().join(", "));
    line("rests on", &sources(&opportunity.sources));
}

fn aim(of: &Aim) -> String {
    let mut text = format!("{} {} instead of {}", of.signal, signed(of.goal, 2), signed(of.now, 2));
    if of.start_time.is_some() {
        let day = |time| told(time).get(..10).unwrap_or_default().to_owned();
        let _ = write!(text, " (as from {} to {})", day(of.start_time), day(of.end_time));
    }
    text
}

/// What is to be gained in orders and value; nothing if no fit says so.
fn gains(of: &Opportunity) -> Vec<String> {
    let told = |estimate: &Option<Estimate>, unit: &str| {
        let estimate = estimate.as_ref()?;
        let [value, interval] = with_interval(Some(estimate), |value| signed(value, decimals(estimate.value)));
        let interval = if interval.is_empty() { interval } else { format!(" ({interval})") };
        Some(format!("{value} {unit}{interval}"))
    };
    let currency = if of.currency_code.is_empty() { "of value" } else { &of.currency_code };
    let parts = [
        told(&of.order_day_gain, "days with an order"),
        told(&of.spend_gain, &format!("{currency} spent")),
        told(&of.kept_value_gain, &format!("{currency} kept from rivals")),
    ];
    parts.into_iter().flatten().collect()
}

fn moved(changes: &[FacetChange]) -> String {
    let mut moved: Vec<(f64, &FacetChange)> =
        changes.iter().map(|change| (change.after - change.before, change)).collect();
    moved.retain(|(by, _)| by.abs() >= LEAST_MOVEMENT);
    moved.sort_by(|(one, _), (other, _)| other.abs().total_cmp(&one.abs()));
    let told = moved
        .into_iter()
        .map(|(by, change)| format!("{}'s {} {by:+.1}", facets::party(change.party()), facets::facet(change.facet())));
    told.collect::<Vec<_>>().join(", ")
}

fn sources(sources: &[String]) -> String {
    let mut told: Vec<&str> = sources.iter().take(TOP_SOURCES).map(String::as_str).collect();
    let rest = sources.len().saturating_sub(TOP_SOURCES);
    let more = format!("{rest} more");
    if rest > 0 {
        told.push(&more);
    }
    told.join(", ")
}

/// The flags with which `rapport simulate` supposes the same.
fn simulation(of: &Opportunity) -> Vec<String> {
    let suppositions =
        of.suppositions.iter().map(|supposition| format!("--suppose {}", quoted(&supposed(supposition))));
    let own = format!("{}/", of.account);
    let left_out = of.without_signals.iter().map(|without| {
        let source = without.source.strip_prefix(&own).unwrap_or(&without.source);
        format!("--without-signal {}", quoted(&format!("{source}={}", without.signal)))
    });
    suppositions.chain(left_out).collect()
}

/// A supposition as `--suppose` takes it.
fn supposed(of: &Supposition) -> String {
    let mut text = format!("{}={}", of.signal, exact(of.value.unwrap_or_default()));
    if of.count > 1 {
        let _ = write!(text, "*{}", of.count);
    }
    if let Some(weight) = of.weight {
        let _ = write!(text, "^{}", exact(weight));
    }
    if of.happen_time.is_some() {
        let _ = write!(text, "@{}", exact_time(of.happen_time));
    }
    text
}

/// A time to the last fraction of a second, as figures depend on it.
fn exact_time(time: Option<Timestamp>) -> String {
    let short = told_in_short(time);
    match (time.map_or(0, |time| time.nanos), short.strip_suffix('Z')) {
        (0, _) => short,
        (nanos, seconds) => {
            let seconds = seconds.map_or_else(|| format!("{short}T00:00:00"), str::to_owned);
            format!("{seconds}.{}Z", format!("{nanos:09}").trim_end_matches('0'))
        }
    }
}

fn columns() -> Vec<String> {
    let mut columns = ["rank", "account", "lever", "text", "bond_before", "bond_after"].map(str::to_owned).to_vec();
    columns.extend(["order_day_gain", "spend_gain", "kept_value_gain"].into_iter().flat_map(titles));
    columns.extend(["currency", "sources", "simulate"].map(str::to_owned));
    columns
}

/// Prints a row for each opportunity.
fn csv_rows(out: &mut impl Write, opportunities: &[Opportunity]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(columns())?;
    for (number, of) in opportunities.iter().enumerate() {
        let mut row = vec![(number + 1).to_string(), account_id(&of.account).to_owned()];
        row.extend([of.lever.clone(), of.text.clone(), exact(of.bond_before), exact(of.bond_after)]);
        row.extend(
            [&of.order_day_gain, &of.spend_gain, &of.kept_value_gain].into_iter().flat_map(|it| cells(it.as_ref())),
        );
        row.extend([of.currency_code.clone(), of.sources.join(" ")]);
        row.push(simulation(of).join(" "));
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use contracts::{
        assessments::v1::{Facet, WithoutSignal},
        common::v1::Party,
    };

    use super::*;

    fn opportunity() -> Opportunity {
        let change = |facet: Facet, before, after| FacetChange {
            party: Party::Customer.into(),
            facet: facet.into(),
            before,
            after,
        };
        Opportunity {
            account: "accounts/acme".to_owned(),
            lever: "deliver_on_time".to_owned(),
            text: "deliver by the promised date: 2 of 9 came late".to_owned(),
            facets: vec![
                change(Facet::Ease, 50.0, 50.04),
                change(Facet::Loyalty, 50.0, 51.0),
                change(Facet::Trust, 60.0, 63.25),
            ],
            bond_before: 61.25,
            bond_after: 63.0,
            order_day_gain: Some(Estimate { value: 0.5, low: 0.25, high: 0.75 }),
            spend_gain: Some(Estimate { value: 120.5, low: -10.0, high: 250.0 }),
            kept_value_gain: None,
            currency_code: "GBP".to_owned(),
            sources: (1..=5).map(|number| format!("accounts/acme/orders/o{number}")).collect(),
            suppositions: vec![Supposition {
                signal: "delivery_promise".to_owned(),
                value: Some(1.0),
                count: 2,
                weight: Some(0.5),
                happen_time: None,
            }],
            aims: vec![Aim {
                signal: "delivery_promise".to_owned(),
                now: -0.25,
                goal: 0.5,
                start_time: Some(Timestamp { seconds: 0, nanos: 0 }),
                end_time: Some(Timestamp { seconds: 7_884_000, nanos: 0 }),
            }],
            without_signals: vec![WithoutSignal {
                source: "accounts/acme/orders/o1".to_owned(),
                signal: "delivery_promise".to_owned(),
            }],
            summary: vec![],
        }
    }

    #[test]
    fn what_is_told_in_sentences_is_not_told_in_figures_too() {
        let summary = vec!["Pontos szállítás: 2 szállítás késett az elmúlt fél évben.".to_owned()];
        let told = Opportunity { summary, ..opportunity() };
        let words = Words::of(wording::Language::Hungarian);
        assert_eq!(
            entry(1, &told, "", Some(words)),
            "1. acme: pontos szállítás\n   \
             - Pontos szállítás: 2 szállítás késett az elmúlt fél évben.\n   \
             see       rapport simulate acme --suppose 'delivery_promise=1*2^0.5' \
             --without-signal 'orders/o1=delivery_promise'"
        );
    }

    #[test]
    fn an_entry_tells_gain_bond_effort_and_evidence() {
        let answer = ListOpportunitiesResponse {
            opportunities: vec![opportunity()],
            account_count: 1,
            summary: "one thing stands out".to_owned(),
            fit: "fits/f1".to_owned(),
            next_page_token: "more".to_owned(),
        };
        assert_eq!(
            page(&answer, " --horizon-days 91", None),
            "one thing stands out\n1 account looked at; gains by fit f1\n\n\
             1. acme: deliver on time\n   \
             takes     deliver by the promised date: 2 of 9 came late\n   \
             gain      +0.50 days with an order (+0.25 to +0.75)\n             \
             +120.50 GBP spent (-10.00 to +250.00)\n   \
             bond      61.2 → 63.0 (+1.8)\n   \
             moves     customer's trust +3.2, customer's loyalty +1.0\n   \
             aims at   delivery_promise +0.50 instead of -0.25 (as from 1970-01-01 to 1970-04-02)\n   \
             rests on  accounts/acme/orders/o1, accounts/acme/orders/o2, accounts/acme/orders/o3, 2 more\n   \
             see       rapport simulate acme --suppose 'delivery_promise=1*2^0.5' \
             --without-signal 'orders/o1=delivery_promise' --horizon-days 91\n\n\
             there are more: --top tells up to 1000"
        );
    }

    #[test]
    fn times_are_exact() {
        let told = |seconds, nanos| exact_time(Some(Timestamp { seconds, nanos }));
        assert_eq!([told(0, 0), told(1, 0)], ["1970-01-01", "1970-01-01T00:00:01Z"]);
        assert_eq!([told(0, 5_000), told(1, 250_000_000)], ["1970-01-01T00:00:00.000005Z", "1970-01-01T00:00:01.25Z"]);
    }

    #[test]
    fn that_nothing_stands_out_is_said_plainly() {
        let mut answer = ListOpportunitiesResponse { account_count: 20, ..ListOpportunitiesResponse::default() };
        let told = page(&answer, "", None);
        assert!(told.starts_with("nothing stands out\n20 accounts looked at; without gains"), "{told}");
        answer.summary = "Nothing stands out: no matter is open.".to_owned();
        assert!(page(&answer, "", None).starts_with("Nothing stands out: no matter is open.\n"));
        answer.opportunities = vec![Opportunity::default()];
        let told = page(&answer, "", None);
        assert!(told.ends_with("1. : \n   bond      0.0 → 0.0 (+0.0)"), "{told}");
    }

    #[test]
    fn what_is_to_be_simulated_is_read_back_as_it_was() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: crate::commands::simulate::SimulateArgs,
        }
        let mut flags = simulation(&opportunity());
        flags.insert(0, "simulate acme".to_owned());
        // Without a shell between them.
        let words = flags.iter().flat_map(|flag| flag.split(' ')).map(|word| word.trim_matches('\''));
        let read = Line::try_parse_from(words).expect("good usage");
        assert_eq!(format!("{:?}", read.args).matches("delivery_promise").count(), 2);
        assert!(simulation(&Opportunity::default()).is_empty());
        // So many that nobody would type them.
        let many = Opportunity { without_signals: vec![WithoutSignal::default(); MOST_FLAGS], ..opportunity() };
        assert!(!entry(1, &many, "", None).contains("simulate"), "{}", entry(1, &many, "", None));
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut out = Vec::new();
        csv_rows(&mut out, &[opportunity(), Opportunity::default()]).expect("written");
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let titles = reader.headers().expect("titles").clone();
        let rows: Vec<_> = reader.records().collect::<Result<_, _>>().expect("rows of equal length");
        let cell = |row: usize, column: &str| {
            let index = titles.iter().position(|title| title == column).expect("a column");
            rows[row].get(index).expect("a cell")
        };
        assert_eq!((cell(0, "account"), cell(0, "bond_before")), ("acme", "61.25"));
        assert_eq!((cell(0, "spend_gain_low"), cell(0, "kept_value_gain")), ("-10", ""));
        assert_eq!((cell(1, "rank"), cell(1, "order_day_gain_high"), cell(1, "simulate")), ("2", "", ""));
    }

    #[test]
    fn filters_are_for_the_portfolio_and_past_times_for_an_account() {
        let read = |line: &str| crate::cli::Cli::try_parse_from(line.split(' ')).map(|_| ());
        assert!(read("rapport opportunities acme --at 2026-01-01").is_ok());
        assert!(read("rapport opportunities --filter bond<40 --order-by bond").is_ok());
        for wrong in ["acme --filter bond<40", "acme --order-by bond", "--at 2026-01-01", "--top 0", "--horizon-days 0"]
        {
            assert!(read(&format!("rapport opportunities {wrong}")).is_err(), "{wrong}");
        }
    }
}
