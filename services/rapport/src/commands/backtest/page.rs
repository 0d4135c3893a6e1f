//! A back-test as tables for a person, and as rows for programs.

use std::{fmt::Write as _, io::Write};

use contracts::predictions::v1::{AmountQuality, Backtest, ChanceQuality, PredictorQuality};

use crate::{
    commands::{
        figures::{cells, counted, exact, exact_or_empty, or_none, percent, predictor, signed, titles, with_interval},
        told_in_short,
    },
    exit::Error,
    output::Grid,
};

/// A back-test for a person.
pub(crate) fn page(backtest: &Backtest) -> String {
    let mut page = brief(backtest);
    if let Some(order) = backtest.predictors.first().and_then(|served| served.order.as_ref())
        && !order.reliability.is_empty()
    {
        let _ =
            write!(page, "\n\ndid the chances come true? by what is served, from the lowest\n{}", reliability(order));
    }
    page.push_str(&amounts(backtest, "days with an order", |of| of.order_days.as_ref()));
    let spend = match backtest.currency_code.as_str() {
        "" => "spend".to_owned(),
        currency => format!("spend, in {currency}"),
    };
    page.push_str(&amounts(backtest, &spend, |of| of.spend.as_ref()));
    let meanings = backtest.predictors.iter().filter(|of| !of.meaning.is_empty());
    let mut grid = Grid::default();
    for of in meanings {
        grid.row([predictor(&of.predictor), of.meaning.clone()]);
    }
    if !backtest.predictors.is_empty() {
        let _ = write!(page, "\n\n{grid}");
    }
    page
}

/// What was predicted for whom, and how good the chances of an order were.
pub(crate) fn brief(backtest: &Backtest) -> String {
    let days = counted(backtest.horizon_days.into(), "day", "days");
    let customers = counted(backtest.account_count, "customer", "customers");
    let known = if backtest.known_at_cut { "as they were known then" } else { "as they are known now" };
    let mut text = format!("{days} from {} on, for {customers}, {known}", told_in_short(backtest.cut_time));
    if backtest.judged_account_count != backtest.account_count {
        let _ = write!(text, "; judged by {} of them", backtest.judged_account_count);
    }
    if let Some(order) = backtest.predictors.first().and_then(|served| served.order.as_ref()) {
        let _ =
            write!(text, "\n{} ordered, {} were expected to", percent(order.actual_rate), percent(order.expected_rate));
    }
    if backtest.predictors.is_empty() {
        text.push_str("\nnothing was predicted");
        return text;
    }
    let mut grid = Grid::titled(&[
        "an order at all",
        "AUC",
        "95 %",
        "Brier",
        "log-loss",
        "than served",
        "95 %",
        "calibration",
        "lift",
    ])
    .right(&[1, 3, 4, 5, 7, 8]);
    for of in &backtest.predictors {
        grid.row(chances(of));
    }
    let _ = write!(text, "\n\n{grid}");
    text
}

fn chances(of: &PredictorQuality) -> Vec<String> {
    let mut row = vec![predictor(&of.predictor)];
    let Some(order) = &of.order else {
        row.push("says nothing of it".to_owned());
        return row;
    };
    row.extend(with_interval(order.auc.as_ref(), share));
    row.extend([share(order.brier), share(order.log_loss)]);
    row.extend(match &of.excess_log_loss {
        None => Default::default(),
        excess => with_interval(excess.as_ref(), |loss| signed(loss, 4)),
    });
    row.extend([share(order.calibration_error), or_none(order.top_tenth_lift, |lift| format!("{lift:.2}"))]);
    row
}

fn reliability(order: &ChanceQuality) -> Grid {
    let mut grid = Grid::titled(&["customers", "expected", "ordered", "95 %"]).right(&[0, 1, 2]);
    for bin in &order.reliability {
        let [actual, interval] = with_interval(bin.actual_rate.as_ref(), percent);
        grid.row([bin.case_count.to_string(), percent(bin.expected_rate), actual, interval]);
    }
    grid
}

fn amounts(backtest: &Backtest, title: &str, of: fn(&PredictorQuality) -> Option<&AmountQuality>) -> String {
    let mut grid = Grid::titled(&[title, "expected", "actual", "bias", "MAE", "RMSE", "r", "top tenth"])
        .right(&[1, 2, 3, 4, 5, 6, 7]);
    for each in &backtest.predictors {
        let Some(quality) = of(each) else { continue };
        grid.row([
            predictor(&each.predictor),
            format!("{:.0}", quality.expected_total),
            format!("{:.0}", quality.actual_total),
            or_none(quality.bias, |bias| format!("{} %", signed(bias * 100.0, 1))),
            figure(quality.mean_absolute_error),
            figure(quality.root_mean_squared_error),
            or_none(quality.correlation, |r| format!("{r:.3}")),
            or_none(quality.captured_top_tenth, percent),
        ]);
    }
    if grid.is_bare() { String::new() } else { format!("\n\n{grid}") }
}

fn share(figure: f64) -> String {
    format!("{figure:.4}")
}

/// Four digits for small figures, two decimals for large ones.
fn figure(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.4}") } else { format!("{value:.2}") }
}

/// The titles of the figures that a fit's row has of its back-test.
pub(crate) const BRIEF_COLUMNS: [&str; 6] =
    ["auc", "brier", "log_loss", "calibration_error", "order_days_bias", "spend_correlation"];

/// Those figures of what was served; empty cells if there are none.
pub(crate) fn brief_cells(backtest: Option<&Backtest>) -> [String; 6] {
    let served = backtest.and_then(|backtest| backtest.predictors.first());
    let order = served.and_then(|served| served.order.as_ref());
    let of_order = |figure: fn(&ChanceQuality) -> Option<f64>| exact_or_empty(order.and_then(figure));
    [
        of_order(|order| Some(order.auc?.value)),
        of_order(|order| Some(order.brier)),
        of_order(|order| Some(order.log_loss)),
        of_order(|order| Some(order.calibration_error)),
        exact_or_empty(served.and_then(|served| served.order_days.as_ref()?.bias)),
        exact_or_empty(served.and_then(|served| served.spend.as_ref()?.correlation)),
    ]
}

fn columns() -> Vec<String> {
    let mut columns = vec!["predictor".to_owned(), "customers".to_owned()];
    columns.extend(titles("auc"));
    columns.extend(["brier", "log_loss"].map(str::to_owned));
    columns.extend(titles("excess_log_loss"));
    columns.extend(["calibration_error", "top_tenth_lift", "expected_rate", "actual_rate"].map(str::to_owned));
    for of in ["order_days", "spend"] {
        let each = ["expected", "actual", "mae", "rmse", "bias", "correlation", "captured_top_tenth"];
        columns.extend(each.map(|figure| format!("{of}_{figure}")));
    }
    columns.push("currency".to_owned());
    columns
}

/// Prints a row for each way of predicting.
pub(crate) fn csv_rows(out: &mut impl Write, backtest: &Backtest) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(columns())?;
    for of in &backtest.predictors {
        let order = of.order.as_ref();
        let mut row = vec![of.predictor.clone(), order.map(|order| order.case_count.to_string()).unwrap_or_default()];
        row.extend(cells(order.and_then(|order| order.auc.as_ref())));
        row.extend([order.map(|order| order.brier), order.map(|order| order.log_loss)].map(exact_or_empty));
        row.extend(cells(of.excess_log_loss.as_ref()));
        let rest = [
            order.map(|order| order.calibration_error),
            order.and_then(|order| order.top_tenth_lift),
            order.map(|order| order.expected_rate),
            order.map(|order| order.actual_rate),
        ];
        row.extend(rest.map(exact_or_empty));
        for quality in [&of.order_days, &of.spend] {
            row.extend(match quality {
                None => Default::default(),
                Some(quality) => [
                    exact(quality.expected_total),
                    exact(quality.actual_total),
                    exact(quality.mean_absolute_error),
                    exact(quality.root_mean_squared_error),
                    exact_or_empty(quality.bias),
                    exact_or_empty(quality.correlation),
                    exact_or_empty(quality.captured_top_tenth),
                ],
            });
        }
        row.push(backtest.currency_code.clone());
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
pub(in crate::commands) mod tests {
    use contracts::assessments::v1::Estimate;
    use contracts::predictions::v1::{CumulativeOrders, ReliabilityBin};
    use prost_types::Timestamp;

    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Option<Estimate> {
        Some(Estimate { value, low, high })
    }

    /// What is served, beside a rule that only says who will order.
    pub(in crate::commands) fn backtest() -> Backtest {
        let bin = |case_count, expected_rate, actual| ReliabilityBin {
            case_count,
            expected_rate,
            actual_rate: estimate(actual, actual / 2.0, actual * 2.0),
        };
        let order = ChanceQuality {
            case_count: 200,
            expected_rate: 0.26,
            actual_rate: 0.25,
            auc: estimate(0.8125, 0.75, 0.875),
            brier: 0.125,
            log_loss: 0.3652,
            calibration_error: 0.0156,
            reliability: vec![bin(100, 0.125, 0.0625), bin(100, 0.395, 0.4375)],
            top_tenth_lift: Some(2.5),
            base_log_loss: None,
        };
        let amount = AmountQuality {
            expected_total: 95.0,
            actual_total: 100.0,
            mean_absolute_error: 0.75,
            root_mean_squared_error: 1.5,
            bias: Some(-0.05),
            correlation: Some(0.625),
            captured_top_tenth: Some(0.5),
        };
        let served = PredictorQuality {
            predictor: "served".to_owned(),
            meaning: "what is served".to_owned(),
            order: Some(order.clone()),
            order_days: Some(amount),
            spend: Some(AmountQuality { mean_absolute_error: 12.5, correlation: None, ..amount }),
            excess_log_loss: None,
        };
        let rule = PredictorQuality {
            predictor: "base_rate".to_owned(),
            meaning: "everybody the same".to_owned(),
            order: Some(ChanceQuality { auc: None, log_loss: 0.5, top_tenth_lift: None, ..order }),
            order_days: None,
            spend: None,
            excess_log_loss: estimate(0.1348, 0.1, 0.2),
        };
        Backtest {
            cut_time: Some(Timestamp { seconds: 86_400, nanos: 0 }),
            horizon_days: 91,
            account_count: 1_000,
            judged_account_count: 200,
            known_at_cut: true,
            predictors: vec![served, rule],
            cumulative_orders: vec![
                CumulativeOrders { day: 49, expected: 60.5, actual: 58 },
                CumulativeOrders { day: 91, expected: 95.0, actual: 100 },
            ],
            currency_code: "GBP".to_owned(),
        }
    }

    #[test]
    fn a_page_tells_who_predicts_better_and_whether_chances_came_true() {
        let page = page(&backtest());
        for part in [
            "91 days from 1970-01-02 on, for 1000 customers, as they were known then; judged by 200 of them",
            "25.0 % ordered, 26.0 % were expected to",
            "served           0.8125  0.7500 to 0.8750  0.1250    0.3652",
            "base rate             -                    0.1250    0.5000      +0.1348  +0.1000 to +0.2000",
            "      100    12.5 %    6.2 %  3.1 % to 12.5 %",
            "served                    95     100  -5.0 %  0.7500  1.5000  0.625     50.0 %",
            "served               95     100  -5.0 %  12.50  1.5000  -     50.0 %",
            "base rate  everybody the same",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }

    #[test]
    fn a_back_test_of_nobody_says_so() {
        let empty = Backtest { horizon_days: 1, ..Backtest::default() };
        assert_eq!(page(&empty), "1 day from  on, for 0 customers, as they are known now\nnothing was predicted");
        let mut out = Vec::new();
        csv_rows(&mut out, &empty).expect("written");
        assert_eq!(String::from_utf8(out).expect("text").lines().count(), 1);
        let unset = Backtest { predictors: vec![PredictorQuality::default()], ..empty };
        assert!(page(&unset).contains("says nothing of it"), "{}", page(&unset));
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut out = Vec::new();
        csv_rows(&mut out, &backtest()).expect("written");
        let text = String::from_utf8(out).expect("text");
        let table: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(table.len(), 3);
        let cell = |row: usize, column: &str| {
            let index = table[0].iter().position(|title| *title == column).expect("a column");
            table[row][index]
        };
        assert_eq!((cell(1, "predictor"), cell(1, "auc_low"), cell(1, "log_loss")), ("served", "0.75", "0.3652"));
        assert_eq!((cell(1, "excess_log_loss"), cell(2, "excess_log_loss_high")), ("", "0.2"));
        assert_eq!((cell(1, "spend_mae"), cell(1, "spend_correlation"), cell(2, "spend_mae")), ("12.5", "", ""));
        assert_eq!((cell(2, "auc"), cell(2, "customers"), cell(2, "currency")), ("", "200", "GBP"));
    }

    #[test]
    fn the_brief_figures_are_those_of_what_is_served() {
        assert_eq!(brief_cells(Some(&backtest())), ["0.8125", "0.125", "0.3652", "0.0156", "-0.05", ""]);
        assert_eq!(brief_cells(None), ["", "", "", "", "", ""]);
    }
}
