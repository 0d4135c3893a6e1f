//! The charts of a portfolio.

use contracts::assessments::v1::GetPortfolioResponse;

use super::page::{quarter, retention};
use crate::plot::{self, Chart, distribution};

/// As many cohorts as there are colours that differ: the latest.
const COHORTS: usize = 6;

/// How the bonds are distributed, and how the cohorts went on ordering.
pub(super) fn charts(portfolio: &GetPortfolioResponse) -> [Chart; 2] {
    let mut edges: Vec<f64> = portfolio.bonds.iter().map(|bin| bin.low).collect();
    edges.extend(portfolio.bonds.last().map(|bin| bin.high));
    let counts: Vec<u64> =
        portfolio.bonds.iter().map(|bin| u64::try_from(bin.account_count).unwrap_or_default()).collect();
    // The last quarter of each is not over and would look like a fall.
    let whole = portfolio.cohorts.iter().filter(|cohort| cohort.ordering_account_counts.len() > 2);
    let lines: Vec<(String, Vec<f64>)> = whole
        .map(|cohort| {
            let shares = retention(cohort);
            let name = format!("{}, {}", quarter(cohort.start_time), cohort.account_count);
            (name, shares[1..shares.len() - 1].to_vec())
        })
        .collect();
    let latest: Vec<(&str, &[f64])> = lines
        .iter()
        .skip(lines.len().saturating_sub(COHORTS))
        .map(|(name, shares)| (name.as_str(), shares.as_slice()))
        .collect();
    let title = "Who ordered again, by the quarter of the first order";
    [
        distribution("How the bonds are distributed", "bond", &edges, &counts),
        plot::retention(title, "quarters after the first order", &latest),
    ]
}

#[cfg(test)]
mod tests {
    use contracts::assessments::v1::Cohort;

    use super::*;
    use crate::{
        commands::portfolio::page::tests::portfolio,
        plot::{Bar, Marks},
    };

    #[test]
    fn the_charts_show_every_bin_and_the_quarters_that_are_over() {
        let [bonds, cohorts] = charts(&portfolio());
        let bars = [Bar { across: (0.0, 50.0), height: 2.0 }, Bar { across: (50.0, 100.0), height: 8.0 }];
        assert_eq!(bonds.series[0].marks, Marks::Bars(bars.to_vec()));
        // The second cohort's only later quarter is not over.
        assert_eq!(cohorts.series.len(), 1);
        assert_eq!(cohorts.series[0].name, "1970 Q1, 8");
        assert_eq!(cohorts.series[0].marks, Marks::Line(vec![(0.0, 1.0), (1.0, 0.5)]));
    }

    #[test]
    fn of_many_cohorts_the_latest_are_drawn() {
        let cohort = |account_count| Cohort { account_count, ordering_account_counts: vec![1; 4], start_time: None };
        let many = GetPortfolioResponse { cohorts: (1..=20).map(cohort).collect(), ..GetPortfolioResponse::default() };
        let [bonds, cohorts] = charts(&many);
        let names: Vec<&str> = cohorts.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["-, 15", "-, 16", "-, 17", "-, 18", "-, 19", "-, 20"]);
        assert!(bonds.svg().is_ok() && cohorts.svg().is_ok());
    }
}
