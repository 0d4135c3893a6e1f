//! Themes and their sources, for a person and as rows.

use std::{fmt::Write as _, io::Write};

use contracts::{
    common::v1::Money,
    voice::v1::{
        HeardTheme, ListThemeSourcesResponse, ListThemesResponse, ThemeOrigin, ThemeSource, Trend, TrendDirection,
    },
};

use crate::{
    commands::{
        figures::{cells, counted, exact_or_empty, or_none, signed, titles},
        told,
    },
    exit::Error,
    import::value::short_name,
    output::Grid,
};

pub(super) fn page(answer: &ListThemesResponse) -> String {
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
        // Of what was never said before nobody can tell how many times as often it is.
        TrendDirection::Up if ratio.high >= 100.0 => ["up".to_owned(), format!("at least {}x", times(ratio.low))],
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

pub(super) fn csv_rows(out: &mut impl Write, themes: &[HeardTheme]) -> Result<(), Error> {
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

pub(super) fn sources_page(answer: &ListThemeSourcesResponse) -> String {
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

pub(super) fn sources_csv(out: &mut impl Write, sources: &[ThemeSource]) -> Result<(), Error> {
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
             theme                  accounts  before  texts  feeling  moves                 spend\n\
             \"parking permit\" (en)        20       0     23    -0.50  up     at least 3.0x  140 EUR\n\
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
}
