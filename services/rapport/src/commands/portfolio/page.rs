//! A portfolio as tables and bars for a person, and as rows for programs.

use std::{fmt::Write as _, io::Write};

use contracts::assessments::v1::{Bin, Cohort, GetPortfolioResponse, PortfolioOutlook, Position};
use prost_types::Timestamp;
use time::OffsetDateTime;

use crate::{
    commands::{
        facets,
        figures::{NONE, bar, counted, exact, percent, position},
        told_in_short,
    },
    exit::Error,
    import::value::short_name,
    output::Grid,
};

/// The longest bar, and the shortest that still tells something, in characters.
const BARS: (usize, usize) = (60, 8);
/// What a line of bars needs beside them.
const BESIDE_BARS: usize = 32;
/// How wide a line of a cohort may be where no terminal says so.
const PLAIN_WIDTH: usize = 120;
/// What a line of a cohort needs before its shares, and for each of them.
const COHORT: (usize, usize) = (20, 6);

/// A portfolio for a person; bars are drawn on a terminal only, and as wide as it.
pub(super) fn page(portfolio: &GetPortfolioResponse, horizon_days: i32, terminal: Option<usize>) -> String {
    let mut page = counted(portfolio.account_count, "account", "accounts");
    let bars = terminal.map(|width| width.saturating_sub(BESIDE_BARS).clamp(BARS.1, BARS.0));
    if portfolio.account_count > 0 {
        let stages: Vec<(String, i64)> =
            portfolio.stages.iter().map(|of| (facets::stage(of.stage()), of.account_count)).collect();
        for (title, counts) in [("stage", stages), ("bond", ranges(&portfolio.bonds)), ("gap", ranges(&portfolio.gaps))]
        {
            let _ = write!(page, "\n\n{}", counts_told(title, &counts, bars));
        }
    }
    if !portfolio.cohorts.is_empty() {
        let _ = write!(page, "\n\n{}", cohorts(&portfolio.cohorts, terminal));
    }
    if !portfolio.outlooks.is_empty() {
        let _ = write!(page, "\n\n{}", outlooks(portfolio, horizon_days));
    }
    page
}

fn ranges(bins: &[Bin]) -> Vec<(String, i64)> {
    bins.iter().map(|bin| (format!("{} to {}", bin.low, bin.high), bin.account_count)).collect()
}

fn counts_told(title: &str, counts: &[(String, i64)], bars: Option<usize>) -> Grid {
    let longest = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let total: i64 = counts.iter().map(|(_, count)| *count).sum();
    let mut grid = Grid::titled(&[title, "accounts", "share"]).right(&[1, 2]);
    for (name, count) in counts {
        let share = if total > 0 { percent(*count as f64 / total as f64) } else { NONE.to_owned() };
        let bar = bars.map(|width| bar(*count, longest, width)).unwrap_or_default();
        grid.row([name.clone(), count.to_string(), share, bar]);
    }
    grid
}

/// The quarter that begins at a time, such as `2011 Q3`.
pub(super) fn quarter(start: Option<Timestamp>) -> String {
    let time = start.and_then(|start| OffsetDateTime::from_unix_timestamp(start.seconds).ok());
    time.map_or(NONE.to_owned(), |time| format!("{} Q{}", time.year(), (u8::from(time.month()) - 1) / 3 + 1))
}

/// The share of a cohort that ordered in each quarter, its own included.
pub(super) fn retention(cohort: &Cohort) -> Vec<f64> {
    let all = cohort.account_count.max(1) as f64;
    cohort.ordering_account_counts.iter().map(|count| *count as f64 / all).collect()
}

fn cohorts(cohorts: &[Cohort], terminal: Option<usize>) -> String {
    let quarters = cohorts.iter().map(|cohort| cohort.ordering_account_counts.len()).max().unwrap_or_default();
    // Of the first quarter all is known beforehand: all ordered.
    let later = quarters.saturating_sub(1);
    let width = terminal.unwrap_or(PLAIN_WIDTH);
    let shown = later.min((width.saturating_sub(COHORT.0) / COHORT.1).max(1));
    let titles: Vec<String> = (1..=shown).map(|number| format!("+{number}")).collect();
    let titles: Vec<&str> = ["first order", "accounts"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let right: Vec<usize> = (1..titles.len()).collect();
    let mut grid = Grid::titled(&titles).right(&right);
    for cohort in cohorts {
        let shares = retention(cohort).into_iter().skip(1).take(shown).map(|share| format!("{:.0} %", share * 100.0));
        grid.row([quarter(cohort.start_time), cohort.account_count.to_string()].into_iter().chain(shares));
    }
    let mut text = "who ordered again, so many quarters after the first order".to_owned();
    if later > 0 {
        text.push_str(" (the last one is not over)");
    }
    let _ = write!(text, "\n{grid}");
    if shown < later {
        let more = counted((later - shown) as i64, "later quarter does", "later quarters do");
        let _ = write!(text, "\n{more} not fit on the line: --format csv has all");
    }
    text
}

fn outlooks(portfolio: &GetPortfolioResponse, horizon_days: i32) -> String {
    let mut text = format!("within {}", counted(horizon_days.into(), "day", "days"));
    match portfolio.fit.strip_prefix("fits/") {
        Some(fit) => {
            let _ = write!(text, ", by fit {fit}");
        }
        None => text.push_str("; spend and value are not predicted, as there is no fit: `rapport fit` makes one"),
    }
    let fitted = !portfolio.fit.is_empty();
    let mut grid = Grid::titled(&["position", "accounts", "spend", "lifetime value", "at risk", "of it", ""])
        .right(&[1, 2, 3, 4, 5]);
    let row = |name: String, of: &PortfolioOutlook| {
        let predicted = fitted && !of.currency_code.is_empty();
        let amount = |amount: f64| if predicted { format!("{amount:.0}") } else { NONE.to_owned() };
        let share = if predicted && of.lifetime_value > 0.0 {
            percent(of.value_at_risk / of.lifetime_value)
        } else {
            NONE.to_owned()
        };
        let figures = [amount(of.spend), amount(of.lifetime_value), amount(of.value_at_risk), share];
        let currency = if of.currency_code.is_empty() { "no orders" } else { &of.currency_code };
        [name, of.account_count.to_string()].into_iter().chain(figures).chain([currency.to_owned()]).collect::<Vec<_>>()
    };
    for group in portfolio.outlooks.chunk_by(|one, other| one.currency_code == other.currency_code) {
        let mut total =
            PortfolioOutlook { currency_code: group[0].currency_code.clone(), ..PortfolioOutlook::default() };
        for of in group {
            grid.row(row(position(of.position()), of));
            total.account_count += of.account_count;
            total.spend += of.spend;
            total.lifetime_value += of.lifetime_value;
            total.value_at_risk += of.value_at_risk;
        }
        if group.len() > 1 {
            grid.row(row("together".to_owned(), &total));
        }
    }
    let _ = write!(text, "\n{grid}");
    text
}

/// Prints a row for each figure.
pub(super) fn csv_rows(out: &mut impl Write, portfolio: &GetPortfolioResponse) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    let mut row =
        |section: &str, name: &str, figure: &str, value: String| rows.write_record([section, name, figure, &value]);
    row("section", "name", "figure", "value".to_owned())?;
    row("portfolio", "all", "accounts", portfolio.account_count.to_string())?;
    for of in &portfolio.stages {
        row("stage", &facets::stage(of.stage()), "accounts", of.account_count.to_string())?;
    }
    for (section, bins) in [("bond", &portfolio.bonds), ("gap", &portfolio.gaps)] {
        for (name, count) in ranges(bins) {
            row(section, &name, "accounts", count.to_string())?;
        }
    }
    for cohort in &portfolio.cohorts {
        let name = told_in_short(cohort.start_time);
        row("cohort", &name, "accounts", cohort.account_count.to_string())?;
        for (later, share) in retention(cohort).into_iter().enumerate() {
            row("cohort", &name, &format!("retention_{later}"), exact(share))?;
        }
    }
    for of in &portfolio.outlooks {
        let name = short_name("Position", Position::try_from(of.position).unwrap_or_default().as_str_name());
        let figure = |figure: &str| match of.currency_code.as_str() {
            "" => figure.to_owned(),
            code => format!("{figure}_{code}"),
        };
        row("position", &name, &figure("accounts"), of.account_count.to_string())?;
        if portfolio.fit.is_empty() || of.currency_code.is_empty() {
            continue;
        }
        for (name_of, value) in
            [("spend", of.spend), ("lifetime_value", of.lifetime_value), ("value_at_risk", of.value_at_risk)]
        {
            row("position", &name, &figure(name_of), exact(value))?;
        }
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::assessments::v1::{Stage, StageCount};

    use super::*;

    pub(in crate::commands::portfolio) fn portfolio() -> GetPortfolioResponse {
        let bin = |low, high, account_count| Bin { low, high, account_count };
        let start = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let outlook = |code: &str, position: Position, account_count| PortfolioOutlook {
            currency_code: code.to_owned(),
            position: position.into(),
            account_count,
            spend: 100.0,
            lifetime_value: 400.0,
            value_at_risk: 100.0,
        };
        GetPortfolioResponse {
            account_count: 10,
            stages: vec![
                StageCount { stage: Stage::Exploration.into(), account_count: 8 },
                StageCount { stage: Stage::Commitment.into(), account_count: 2 },
            ],
            bonds: vec![bin(0.0, 50.0, 2), bin(50.0, 100.0, 8)],
            gaps: vec![bin(-100.0, 0.0, 10), bin(0.0, 100.0, 0)],
            cohorts: vec![
                Cohort { start_time: start(0), account_count: 8, ordering_account_counts: vec![8, 4, 1] },
                Cohort { start_time: start(7_776_000), account_count: 2, ordering_account_counts: vec![2, 1] },
            ],
            outlooks: vec![
                outlook("EUR", Position::Exposed, 6),
                outlook("EUR", Position::BeyondCompetition, 3),
                outlook("", Position::Unknown, 1),
            ],
            fit: "fits/f1".to_owned(),
        }
    }

    #[test]
    fn a_page_shows_shares_cohorts_and_value_at_risk() {
        let page = page(&portfolio(), 91, None);
        for part in [
            "10 accounts\n",
            "exploration         8  80.0 %",
            "50 to 100         8  80.0 %",
            "-100 to 0        10  100.0 %",
            "1970 Q1             8  50 %  12 %",
            "1970 Q2             2  50 %",
            "within 91 days, by fit f1",
            "exposed                    6    100             400      100  25.0 %  EUR",
            "together                   9    200             800      200  25.0 %  EUR",
            "unknown                    1      -               -        -       -  no orders",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert!(!page.contains('█'), "{page}");
    }

    #[test]
    fn bars_fit_the_terminal() {
        for width in [40, 80, 200] {
            let page = page(&portfolio(), 91, Some(width));
            let widest = page.lines().filter(|line| line.contains('█')).map(|line| line.chars().count()).max();
            assert!(widest.is_some_and(|widest| widest <= width), "{width}: {widest:?}\n{page}");
        }
        let wide = page(&portfolio(), 91, Some(200));
        assert!(wide.contains(&"█".repeat(BARS.0)) && !wide.contains(&"█".repeat(BARS.0 + 1)), "{wide}");
        let narrow = page(&portfolio(), 91, Some(20));
        assert!(narrow.contains("1 later quarter does not fit on the line"), "{narrow}");
        assert!(!narrow.contains("12 %"), "{narrow}");
    }

    #[test]
    fn an_empty_portfolio_and_one_without_a_fit_say_so() {
        assert_eq!(page(&GetPortfolioResponse::default(), 91, Some(80)), "0 accounts");
        let unfitted = page(&GetPortfolioResponse { fit: String::new(), ..portfolio() }, 1, None);
        assert!(unfitted.contains("within 1 day; spend and value are not predicted"), "{unfitted}");
        assert!(
            unfitted.contains("exposed                    6      -               -        -      -  EUR"),
            "{unfitted}"
        );
        let odd = GetPortfolioResponse { cohorts: vec![Cohort::default()], ..GetPortfolioResponse::default() };
        assert!(page(&odd, 91, None).ends_with("-                   0"), "{}", page(&odd, 91, None));
    }

    #[test]
    fn each_figure_is_a_row() {
        let mut out = Vec::new();
        csv_rows(&mut out, &portfolio()).expect("written");
        let text = String::from_utf8(out).expect("text");
        for row in [
            "section,name,figure,value",
            "stage,commitment,accounts,2",
            "bond,50 to 100,accounts,8",
            "cohort,1970-01-01,retention_1,0.5",
            "position,beyond_competition,value_at_risk_EUR,100",
            "position,unknown,accounts,1",
        ] {
            assert!(text.lines().any(|line| line == row), "{row} is not in\n{text}");
        }
        assert!(!text.contains("position,unknown,spend"), "{text}");
    }
}
