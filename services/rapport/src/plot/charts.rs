//! The charts that commands draw.

use super::{Axis, Bar, Chart, Corner, Dot, Labels, Marks, Series, Tone};

/// A bin of a reliability table; all but the count are shares of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// The customers in it.
    pub customers: u64,
    /// Their mean predicted chance.
    pub predicted: f64,
    /// The share of them who ordered.
    pub actual: f64,
    /// The interval of that share.
    pub interval: (f64, f64),
}

/// Whether predicted chances came true: one dot a bin, which should lie on the dashed line.
pub fn reliability(title: &str, bins: &[Reliability]) -> Chart {
    let dot = |bin: &Reliability| Dot { across: bin.predicted, up: bin.actual, interval: bin.interval };
    let line = bins.iter().map(|bin| (bin.predicted, bin.actual)).collect();
    Chart {
        title: title.to_owned(),
        across: share("predicted chance of an order"),
        up: share("customers who ordered"),
        legend: Corner::UpperLeft,
        series: vec![
            series("as predicted", Tone::Quiet, Marks::Dashed(vec![(0.0, 0.0), (1.0, 1.0)])),
            series("", Tone::Nth(0), Marks::Line(line)),
            series("actual, with its 95% interval", Tone::Nth(0), Marks::Dots(bins.iter().map(dot).collect())),
        ],
    }
}

/// Orders since a cut, as weeks after it and the total until then. Several predictors may be named.
pub fn cumulative(title: &str, actual: &[(f64, f64)], expected: &[(&str, &[(f64, f64)])]) -> Chart {
    let from_the_cut = |totals: &[(f64, f64)]| std::iter::once((0.0, 0.0)).chain(totals.iter().copied()).collect();
    let mut all = vec![series("actual", Tone::Quiet, Marks::Line(from_the_cut(actual)))];
    for (n, (name, totals)) in expected.iter().enumerate() {
        all.push(series(name, Tone::Nth(n), Marks::Line(from_the_cut(totals))));
    }
    Chart {
        title: title.to_owned(),
        across: plain("weeks after the cut"),
        up: plain("order days so far"),
        legend: Corner::UpperLeft,
        series: all,
    }
}

/// How many accounts lie in each of neighbouring ranges of a figure: the edges are one more than
/// the counts.
pub fn distribution(title: &str, figure: &str, edges: &[f64], counts: &[u64]) -> Chart {
    let bars =
        edges.windows(2).zip(counts).map(|(edges, count)| Bar { across: (edges[0], edges[1]), height: *count as f64 });
    Chart {
        title: title.to_owned(),
        across: plain(figure),
        up: plain("accounts"),
        legend: Corner::UpperLeft,
        series: vec![series("", Tone::Nth(0), Marks::Bars(bars.collect()))],
    }
}

/// The share of each cohort that ordered again in the first, second … period after its own, in which
/// all did.
pub fn retention(title: &str, period: &str, cohorts: &[(&str, &[f64])]) -> Chart {
    let line = |shares: &[f64]| {
        let later = shares.iter().enumerate().map(|(n, share)| ((n + 1) as f64, *share));
        std::iter::once((0.0, 1.0)).chain(later).collect()
    };
    let cohort = |(n, (name, shares)): (usize, &(&str, &[f64]))| series(name, Tone::Nth(n), Marks::Line(line(shares)));
    Chart {
        title: title.to_owned(),
        across: plain(period),
        up: share("customers who ordered"),
        legend: Corner::UpperRight,
        series: cohorts.iter().enumerate().map(cohort).collect(),
    }
}

fn series(name: &str, tone: Tone, marks: Marks) -> Series {
    Series { name: name.to_owned(), tone, marks }
}

/// A whole share of 1.
fn share(title: &str) -> Axis {
    Axis { title: title.to_owned(), least: (0.0, 1.0), labels: Labels::Percent }
}

/// Numbers from 0.
fn plain(title: &str) -> Axis {
    Axis { title: title.to_owned(), least: (0.0, 0.0), labels: Labels::Plain }
}
