//! Fits as a table for a person, a line each, and as rows for programs.

use std::io::Write;

use contracts::predictions::v1::{Fit, FitState};

use super::page::{id, state};
use crate::{
    commands::{
        backtest::page::{BRIEF_COLUMNS, brief_cells},
        figures::{NONE, exact, exact_or_empty, predictor},
        told,
    },
    exit::Error,
    output::Grid,
};

/// Fits as a table, a line each.
pub(crate) fn table(fits: &[Fit]) -> Grid {
    let titles = ["fit", "asked for", "state", "up to", "days", "customers", "model", "corrects", "predicts"];
    let mut grid = Grid::titled(&titles).right(&[4, 5]);
    for fit in fits {
        let succeeded = fit.state() == FitState::Succeeded;
        let model = fit.activity.as_ref().filter(|_| succeeded).map(|activity| predictor(&activity.model));
        let corrected = [("chance", &fit.order_correction), ("days", &fit.order_day_correction)];
        let used = corrected.iter().filter(|(_, of)| of.as_ref().is_some_and(|of| of.is_used)).map(|(name, _)| *name);
        grid.row([
            id(fit).to_owned(),
            told(fit.create_time).get(..19).unwrap_or_default().to_owned(),
            state(fit),
            told(fit.cut_time).get(..10).unwrap_or(NONE).to_owned(),
            fit.horizon_days.to_string(),
            if succeeded { fit.account_count.to_string() } else { NONE.to_owned() },
            model.unwrap_or_else(|| NONE.to_owned()),
            used.collect::<Vec<_>>().join(", "),
            if fit.is_default { "now" } else { "" }.to_owned(),
        ]);
    }
    grid
}

fn columns() -> Vec<&'static str> {
    let mut columns =
        vec!["fit", "state", "is_default", "automatic", "create_time", "end_time", "cut_time", "horizon_days"];
    columns.extend(["account_count", "order_day_count", "activity_model", "activity_outcome", "log_likelihood"]);
    columns.extend(["order_correction_used", "order_loss_without", "order_loss_with"]);
    columns.extend(["order_day_correction_used", "order_day_loss_without", "order_day_loss_with"]);
    columns.extend(BRIEF_COLUMNS);
    columns
}

/// Prints a row for each fit.
pub(crate) fn csv_rows(out: &mut impl Write, fits: &[Fit]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(columns())?;
    for fit in fits {
        let mut row = vec![
            id(fit).to_owned(),
            state(fit),
            fit.is_default.to_string(),
            fit.automatic.to_string(),
            told(fit.create_time),
            told(fit.end_time),
            told(fit.cut_time),
            fit.horizon_days.to_string(),
            fit.account_count.to_string(),
            fit.order_day_count.to_string(),
        ];
        let activity = fit.activity.as_ref();
        row.push(activity.map(|activity| activity.model.clone()).unwrap_or_default());
        row.push(activity.map(|activity| activity.outcome.clone()).unwrap_or_default());
        row.push(activity.map(|activity| exact(activity.log_likelihood)).unwrap_or_default());
        for correction in [&fit.order_correction, &fit.order_day_correction] {
            let of = correction.as_ref();
            row.push(of.map(|of| of.is_used.to_string()).unwrap_or_default());
            row.push(exact_or_empty(of.and_then(|of| of.loss_without)));
            row.push(exact_or_empty(of.and_then(|of| of.loss_with)));
        }
        row.extend(brief_cells(fit.backtest.as_ref()));
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fit::page::tests::fit;

    #[test]
    fn a_list_has_a_line_and_a_row_for_each() {
        let pending = Fit { name: "fits/f2".to_owned(), state: FitState::Pending.into(), ..Fit::default() };
        let fits = [pending, fit()];
        let table = table(&fits).to_string();
        let line = "f1   1970-01-12T13:46:40  succeeded  1970-01-11    91       2357  Pareto/NBD  chance    now";
        assert!(table.contains(line), "{table}");
        assert!(table.lines().nth(1).is_some_and(|line| line.starts_with("f2 ") && line.ends_with(" -")), "{table}");

        let mut out = Vec::new();
        csv_rows(&mut out, &fits).expect("written");
        let text = String::from_utf8(out).expect("text");
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let cell = |row: usize, column: &str| {
            let index = rows[0].iter().position(|title| *title == column).expect("a column");
            rows[row][index]
        };
        assert!(rows.iter().all(|row| row.len() == columns().len()), "{text}");
        assert_eq!((cell(1, "fit"), cell(1, "state"), cell(1, "auc")), ("f2", "pending", ""));
        assert_eq!((cell(2, "is_default"), cell(2, "log_likelihood")), ("true", "-9594.9762"));
        assert_eq!((cell(2, "order_loss_with"), cell(2, "order_day_loss_with")), ("0.36", ""));
        assert_eq!((cell(2, "order_day_correction_used"), cell(2, "log_loss")), ("false", "0.3652"));
    }
}
