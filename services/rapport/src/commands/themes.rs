//! `rapport themes`: what customers talk about, and which of it grows.

use std::{fmt::Write as _, io::Write};

use contracts::{
    common::v1::Money,
    voice::v1::{
        HeardTheme, ListThemeSourcesRequest, ListThemeSourcesResponse, ListThemesRequest, ListThemesResponse,
        ThemeOrigin, ThemeSource, Trend, TrendDirection,
    },
};

use super::{
    Format, days_ahead,
    figures::{cells, counted, exact_or_empty, or_none, signed, titles},
    timestamp, told,
};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::value::short_name,
    output::{self, Grid},
};

const HELP: &str = "\
Themes are the tenant's own, by the phrases that point to them and by what was stated with feedback, and new ones:
phrases that are said by a larger share of the accounts than in as many days before. Only the customers' own words
count, from interactions and feedback. `moves` is how many times as often as before a theme is heard, with its 95%
interval; where that holds 1 it is `unclear`. A new phrase is told only if at most one in ten of those like it would
be chance. Of each period the newest 20,000 interactions and pieces of feedback are looked at; it says so if there
were more.

Examples:
  rapport themes
  # New phrases of the last month
  rapport themes --discovered --days 30
  # What is heard in Dutch, by what those who say it spend
  rapport themes --language nl --order-by 'value desc'
  # All that was said of a theme, or with a phrase
  rapport themes --sources themes/delivery --top 1000
  rapport themes --sources 'parking permit'";

/// What `themes` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct ThemesArgs {
    /// How many days to look at, compared with as many before.
    #[arg(long, value_name = "N", default_value_t = 91, value_parser = clap::value_parser!(i32).range(1..=730))]
    days: i32,
    /// The end of these days: a time in RFC 3339, or a date; now if left out.
    #[arg(long, value_name = "TIME", conflicts_with = "horizon_days")]
    at: Option<String>,
    /// Only what was said in this language, such as nl; und for what has no known language.
    #[arg(long, value_name = "CODE", default_value = "")]
    language: String,
    /// Only new phrases that stand out.
    #[arg(long, conflicts_with = "own")]
    discovered: bool,
    /// Only the tenant's own themes.
    #[arg(long)]
    own: bool,
    /// List what was said of a theme, by its full name `themes/…`, or with any other phrase.
    #[arg(long, value_name = "THEME", conflicts_with_all = ["own", "discovered", "order_by", "horizon_days"])]
    sources: Option<String>,
    /// account_count, value, feeling or trend, with ` desc` for the largest first; account_count desc if left out.
    #[arg(long, value_name = "FIELD", default_value = "")]
    order_by: String,
    /// Tell also what those who say it will probably spend in so many days, and be worth; needs a fit.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
    /// At most this many, up to 1,000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    top: i32,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ThemesArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    match &args.sources {
        Some(theme) => list_sources(&connection, theme, &args).await?,
        None => list(&connection, &args).await?,
    }
    Ok(Exit::Ok)
}

async fn list(connection: &Connection, args: &ThemesArgs) -> Result<(), Error> {
    let request = ListThemesRequest {
        days: args.days,
        as_of: timestamp(args.at.as_deref())?,
        language: args.language.clone(),
        origin: match (args.own, args.discovered) {
            (true, _) => ThemeOrigin::Own,
            (_, true) => ThemeOrigin::Discovered,
            _ => ThemeOrigin::Unspecified,
        }
        .into(),
        order_by: args.order_by.clone(),
        page_size: args.top,
        horizon_days: args.horizon_days,
        ..ListThemesRequest::default()
    };
    let answer = connection.voice().list_themes(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page(&answer))?,
        Format::Json => print_json("rapport.voice.v1.ListThemesResponse", &answer)?,
        Format::Csv => csv_rows(&mut output::stdout(), &answer.themes)?,
    }
    Ok(())
}

async fn list_sources(connection: &Connection, theme: &str, args: &ThemesArgs) -> Result<(), Error> {
    let is_theme = theme.starts_with("themes/");
    let request = ListThemeSourcesRequest {
        theme: if is_theme { theme.to_owned() } else { String::new() },
        phrase: if is_theme { String::new() } else { theme.to_owned() },
        language: args.language.clone(),
        days: args.days,
        as_of: timestamp(args.at.as_deref())?,
        page_size: args.top,
        ..ListThemeSourcesRequest::default()
    };
    let answer = connection.voice().list_theme_sources(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&sources_page(&answer))?,
        Format::Json => print_json("rapport.voice.v1.ListThemeSourcesResponse", &answer)?,
        Format::Csv => sources_csv(&mut output::stdout(), &answer.sources)?,
    }
    Ok(())
}

/// Prints a message as proto JSON, for a person's eyes too.
pub(super) fn print_json(full_name: &str, message: &impl prost::Message) -> Result<(), Error> {
    Ok(output::line(&serde_json::to_string_pretty(&contract::to_json(full_name, message)?)?)?)
}

fn page(answer: &ListThemesResponse) -> String {
    let mut page = answer.summary.clone();
    if !answer.themes.is_empty() {
        let _ = write!(page, "\n\n{}", table(&answer.themes));
    }
    if !answer.next_page_token.is_empty() {
        page.push_str("\n\nthere are more: --top tells up to 1000");
    }
    page
}

fn table(themes: &[HeardTheme]) -> Grid {
    let is_ahead = themes.iter().any(|theme| !theme.lifetime_value.is_empty());
    let mut titles = vec!["theme", "accounts", "before", "texts", "feeling", "moves", "", "spend"];
    if is_ahead {
        titles.extend(["worth from now on"]);
    }
    let mut table = Grid::titled(&titles).right(&[1, 2, 3, 4]);
    for theme in themes {
        let [moves, interval] = moves(theme.trend.as_ref());
        let mut row = vec![
            shown_name(theme),
            theme.account_count.to_string(),
            theme.account_count_before.to_string(),
            theme.source_count.to_string(),
            or_none(sentiment(theme), |sentiment| signed(sentiment, 2)),
            moves,
            interval,
            amounts(&theme.spend),
        ];
        if is_ahead {
            row.push(amounts(&theme.lifetime_value));
        }
        table.row(row);
    }
    table
}

/// What a theme is called; a phrase that nobody has named stands in quotes, with its language where that is known.
fn shown_name(theme: &HeardTheme) -> String {
    match (theme.origin(), theme.language.as_str()) {
        (ThemeOrigin::Discovered, "" | "und") => format!("\"{}\"", theme.display_name),
        (ThemeOrigin::Discovered, language) => format!("\"{}\" ({language})", theme.display_name),
        _ => theme.display_name.clone(),
    }
}

fn sentiment(theme: &HeardTheme) -> Option<f64> {
    theme.feeling.as_ref()?.sentiment.as_ref().map(|sentiment| sentiment.value)
}

/// Which way a theme moves, and the interval of that.
fn moves(trend: Option<&Trend>) -> [String; 2] {
    let Some((trend, ratio)) = trend.and_then(|trend| Some((trend, trend.ratio.as_ref()?))) else {
        return Default::default();
    };
    // An end that would need more figures than tell anything.
    let times = |ratio: f64| if ratio < 100.0 { format!("{ratio:.1}") } else { "100+".to_owned() };
    let interval = format!("{} to {}", times(ratio.low), times(ratio.high));
    match trend.direction() {
        TrendDirection::Up => [format!("up {}x", times(ratio.value)), interval],
        TrendDirection::Down => [format!("down {}x", times(ratio.value)), interval],
        TrendDirection::Unspecified | TrendDirection::Unclear => ["unclear".to_owned(), interval],
    }
}

fn amounts(amounts: &[Money]) -> String {
    let told = amounts.iter().map(|money| format!("{} {}", money.units, money.currency_code));
    told.collect::<Vec<_>>().join(", ")
}

/// An amount of money, exact.
fn amount(money: &Money) -> String {
    let sign = if money.units < 0 || money.nanos < 0 { "-" } else { "" };
    let nanos = format!("{:09}", money.nanos.unsigned_abs());
    let nanos = nanos.trim_end_matches('0');
    let point = if nanos.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{nanos} {}", money.units.unsigned_abs(), money.currency_code)
}

fn columns() -> Vec<String> {
    let names = ["theme", "display_name", "origin", "language", "accounts", "accounts_before", "sources"];
    let mut columns: Vec<String> = names.map(str::to_owned).to_vec();
    columns.push("sources_before".to_owned());
    columns.extend(["sentiment", "trend"].into_iter().flat_map(titles));
    columns.extend(["direction", "p_value", "q_value", "spend", "expected_spend", "lifetime_value"].map(str::to_owned));
    columns
}

fn csv_rows(out: &mut impl Write, themes: &[HeardTheme]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(columns())?;
    for theme in themes {
        let mut row = vec![theme.theme.clone(), theme.display_name.clone()];
        row.push(short_name("ThemeOrigin", theme.origin().as_str_name()));
        row.push(theme.language.clone());
        let counts = [theme.account_count, theme.account_count_before, theme.source_count, theme.source_count_before];
        row.extend(counts.map(|count| count.to_string()));
        row.extend(cells(theme.feeling.as_ref().and_then(|feeling| feeling.sentiment.as_ref())));
        let trend = theme.trend.as_ref();
        row.extend(cells(trend.and_then(|trend| trend.ratio.as_ref())));
        let direction = trend.map(|trend| short_name("TrendDirection", trend.direction().as_str_name()));
        row.push(direction.unwrap_or_default());
        row.push(exact_or_empty(trend.and_then(|trend| trend.p_value)));
        row.push(exact_or_empty(trend.and_then(|trend| trend.q_value)));
        for amounts in [&theme.spend, &theme.expected_spend, &theme.lifetime_value] {
            row.push(amounts.iter().map(amount).collect::<Vec<_>>().join(", "));
        }
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}

fn sources_page(answer: &ListThemeSourcesResponse) -> String {
    let mut page = format!("heard in {}", counted(answer.total_count, "text", "texts"));
    if answer.heard.as_ref().is_some_and(|heard| heard.is_bounded) {
        page.push_str(", the newest there are");
    }
    if !answer.sources.is_empty() {
        let mut table = Grid::titled(&["said", "feeling", "source", "words"]).right(&[1]);
        for source in &answer.sources {
            table.row([
                told(source.happen_time),
                or_none(source.sentiment, |sentiment| signed(sentiment, 2)),
                source.source.clone(),
                source.excerpt.clone(),
            ]);
        }
        let _ = write!(page, "\n\n{table}");
    }
    if !answer.next_page_token.is_empty() {
        page.push_str("\n\nthere are more: --top tells up to 1000");
    }
    page
}

fn sources_csv(out: &mut impl Write, sources: &[ThemeSource]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(["source", "contact", "happen_time", "language", "sentiment", "is_stated", "excerpt"])?;
    for source in sources {
        rows.write_record([
            source.source.clone(),
            source.contact.clone(),
            told(source.happen_time),
            source.language.clone(),
            exact_or_empty(source.sentiment),
            source.is_stated.to_string(),
            source.excerpt.clone(),
        ])?;
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use contracts::{assessments::v1::Estimate, voice::v1::Feeling};

    use super::*;

    fn heard() -> HeardTheme {
        HeardTheme {
            display_name: "parking permit".to_owned(),
            origin: ThemeOrigin::Discovered.into(),
            language: "en".to_owned(),
            account_count: 20,
            source_count: 23,
            spend: vec![Money { currency_code: "EUR".to_owned(), units: 140, nanos: 500_000_000 }],
            feeling: Some(Feeling {
                sentiment: Some(Estimate { value: -0.5, low: -0.75, high: -0.25 }),
                source_count: 20,
            }),
            trend: Some(Trend {
                ratio: Some(Estimate { value: 12.5, low: 3.0, high: 400.0 }),
                direction: TrendDirection::Up.into(),
                p_value: Some(0.001),
                q_value: Some(0.05),
            }),
            ..HeardTheme::default()
        }
    }

    #[test]
    fn a_person_is_told_who_speaks_of_what_and_which_way_it_moves() {
        let own = HeardTheme {
            theme: "themes/price".to_owned(),
            display_name: "Price".to_owned(),
            origin: ThemeOrigin::Own.into(),
            account_count: 3,
            account_count_before: 4,
            ..HeardTheme::default()
        };
        let answer = ListThemesResponse {
            themes: vec![heard(), own],
            summary: "2 themes".to_owned(),
            next_page_token: "more".to_owned(),
            ..ListThemesResponse::default()
        };
        assert_eq!(
            page(&answer),
            "2 themes\n\n\
             theme                  accounts  before  texts  feeling  moves                  spend\n\
             \"parking permit\" (en)        20       0     23    -0.50  up 12.5x  3.0 to 100+  140 EUR\n\
             Price                         3       4      0        -\n\n\
             there are more: --top tells up to 1000"
        );
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut out = Vec::new();
        csv_rows(&mut out, &[heard(), HeardTheme::default()]).expect("written");
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let titles = reader.headers().expect("titles").clone();
        let rows: Vec<_> = reader.records().collect::<Result<_, _>>().expect("rows of equal length");
        let cell = |row: usize, column: &str| {
            let index = titles.iter().position(|title| title == column).expect("a column");
            rows[row].get(index).expect("a cell").to_owned()
        };
        assert_eq!([cell(0, "origin"), cell(0, "trend_low"), cell(0, "spend")], ["discovered", "3", "140.5 EUR"]);
        assert_eq!([cell(1, "direction"), cell(1, "q_value"), cell(1, "sentiment")], ["", "", ""]);
    }

    #[test]
    fn amounts_are_exact() {
        let told = |units, nanos| amount(&Money { currency_code: "GBP".to_owned(), units, nanos });
        assert_eq!([told(0, -5_000_000), told(-2, -500_000_000), told(7, 0)], ["-0.005 GBP", "-2.5 GBP", "7 GBP"]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let read = |line: &str| crate::cli::Cli::try_parse_from(line.split(' ')).map(|_| ());
        for good in ["", " --own --days 30", " --discovered --language nl", " --sources themes/a --top 1000"] {
            assert!(read(&format!("rapport themes{good}")).is_ok(), "{good}");
        }
        for wrong in ["--own --discovered", "--days 731", "--sources a --own", "--at 2026-01-01 --horizon-days 9"] {
            assert!(read(&format!("rapport themes {wrong}")).is_err(), "{wrong}");
        }
    }
}
