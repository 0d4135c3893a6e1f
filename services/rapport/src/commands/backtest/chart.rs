//! The charts of a back-test.

use contracts::predictions::v1::Backtest;

use crate::{
    commands::{figures::counted, told_in_short},
    plot::{Chart, Reliability, cumulative, reliability},
};

/// Whether the chances came true, and the orders since the cut.
pub(super) fn charts(backtest: &Backtest) -> [Chart; 2] {
    let days = counted(backtest.horizon_days.into(), "day", "days");
    let when = format!("within {days} of {}", told_in_short(backtest.cut_time));
    let served = backtest.predictors.first().and_then(|served| served.order.as_ref());
    let bins: Vec<Reliability> = served
        .iter()
        .flat_map(|order| &order.reliability)
        .filter_map(|bin| {
            let actual = bin.actual_rate.as_ref()?;
            Some(Reliability {
                customers: u64::try_from(bin.case_count).unwrap_or_default(),
                predicted: bin.expected_rate,
                actual: actual.value,
                interval: (actual.low, actual.high),
            })
        })
        .collect();
    let steps = &backtest.cumulative_orders;
    let actual: Vec<(f64, f64)> = steps.iter().map(|step| (weeks(step.day), step.actual as f64)).collect();
    let expected: Vec<(f64, f64)> = steps.iter().map(|step| (weeks(step.day), step.expected)).collect();
    [
        reliability(&format!("Did the chances of an order come true, {when}?"), &bins),
        cumulative(&format!("Days with an order {when}"), &actual, &[("expected", &expected)]),
    ]
}

fn weeks(day: i32) -> f64 {
    f64::from(day) / 7.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::backtest::page::tests::backtest, plot::Marks};

    #[test]
    fn the_charts_show_every_group_and_every_step() {
        let [curve, orders] = charts(&backtest());
        assert_eq!(curve.title, "Did the chances of an order come true, within 91 days of 1970-01-02?");
        let dots = curve.series.iter().find_map(|series| match &series.marks {
            Marks::Dots(dots) => Some(dots.iter().map(|dot| (dot.across, dot.up)).collect::<Vec<_>>()),
            _ => None,
        });
        assert_eq!(dots, Some(vec![(0.125, 0.0625), (0.395, 0.4375)]));
        let lines: Vec<_> = orders.series.iter().map(|series| (series.name.as_str(), &series.marks)).collect();
        let actual = Marks::Line(vec![(0.0, 0.0), (7.0, 58.0), (13.0, 100.0)]);
        let expected = Marks::Line(vec![(0.0, 0.0), (7.0, 60.5), (13.0, 95.0)]);
        assert_eq!(lines, [("actual", &actual), ("expected", &expected)]);
    }

    #[test]
    fn charts_of_nothing_are_drawn() {
        let charts = charts(&Backtest::default());
        assert!(charts.iter().all(|chart| chart.svg().is_ok()));
    }
}
