//! The difference between two groups of accounts, what is left of the difference of their traits taken out.

use super::matching::TRAITS;
use crate::statistics::{Interval, student_bound, student_outside};

/// The least standard deviation of a figure, in points: scores that are the same to the last digit are not known
/// better than they are shown.
const LEAST_DEVIATION: f64 = 0.1;

/// An account's figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// In standard deviations.
    pub(super) traits: [f64; TRAITS],
    pub(super) figure: f64,
    pub(super) weight: f64,
}

/// A difference, and what chance it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) interval: Interval,
    /// Of both sides.
    pub(super) p: f64,
}

/// By how much the figure of the concerned, each weighing as much as any other, is above that of the others, had these
/// the same traits.
///
/// The slopes are a weighted regression's among the others. The variance is that of the concerned
/// around their mean, plus that of a prediction at their mean from the others, whose number is that of as many of equal
/// weight (Kish 1965); the degrees of freedom are those of Welch (1947). None if there are fewer others than slopes.
pub(super) fn compare(concerned: &[Row], others: &[Row]) -> Option<Estimate> {
    let weights: f64 = others.iter().map(|row| row.weight).sum();
    let squares: f64 = others.iter().map(|row| (row.weight / weights).powi(2)).sum();
    let spread = spread(others, weights);
    let slopes = (0..TRAITS).filter(|&each| spread[each][each] > 0.0).count();
    let number = concerned.len() as f64;
    let freedom = 1.0 / squares - 1.0 - slopes as f64;
    // Written this way for what is not a number.
    if !(freedom >= 1.0 && number >= 2.0) {
        return None;
    }
    let (traits, figure) = means(others, weights);
    let mut together = [0.0; TRAITS];
    for row in others {
        for each in 0..TRAITS {
            together[each] += row.weight / weights * (row.traits[each] - traits[each]) * (row.figure - figure);
        }
    }
    let slope = solve(spread, together);
    let left = |row: &Row| row.figure - (0..TRAITS).map(|each| slope[each] * row.traits[each]).sum::<f64>();
    let mean_left: f64 = concerned.iter().map(left).sum::<f64>() / number;
    let others_left: f64 = others.iter().map(|row| row.weight / weights * left(row)).sum();
    let value = mean_left - others_left;

    let least = LEAST_DEVIATION * LEAST_DEVIATION;
    let own = concerned.iter().map(|row| (left(row) - mean_left).powi(2)).sum::<f64>() / (number - 1.0);
    let own = own.max(least) / number;
    let theirs: f64 = others.iter().map(|row| row.weight / weights * (left(row) - others_left).powi(2)).sum();
    let mut away = traits.map(|theirs| -theirs);
    for row in concerned {
        away.iter_mut().zip(row.traits).for_each(|(away, figure)| *away += figure / number);
    }
    let reach: f64 = solve(spread, away).iter().zip(away).map(|(one, other)| one * other).sum();
    let theirs = (theirs / squares / freedom).max(least) * squares * (1.0 + reach.max(0.0));

    let error = (own + theirs).sqrt();
    let welch = (own + theirs).powi(2) / (own * own / (number - 1.0) + theirs * theirs / freedom);
    let half = student_bound(welch) * error;
    let p = student_outside(value / error, welch);
    let interval = Interval { value, low: value - half, high: value + half };
    [value, half, p].iter().all(|figure| figure.is_finite()).then_some(Estimate { interval, p })
}

/// The weighted means of traits and figure.
fn means(rows: &[Row], weights: f64) -> ([f64; TRAITS], f64) {
    let mut traits = [0.0; TRAITS];
    for row in rows {
        traits.iter_mut().zip(row.traits).for_each(|(sum, figure)| *sum += row.weight / weights * figure);
    }
    (traits, rows.iter().map(|row| row.weight / weights * row.figure).sum())
}

/// The weighted covariance of the traits.
fn spread(rows: &[Row], weights: f64) -> [[f64; TRAITS]; TRAITS] {
    let middle = means(rows, weights).0;
    let mut spread = [[0.0; TRAITS]; TRAITS];
    for row in rows {
        for one in 0..TRAITS {
            for other in 0..TRAITS {
                let product = (row.traits[one] - middle[one]) * (row.traits[other] - middle[other]);
                spread[one][other] += row.weight / weights * product;
            }
        }
    }
    spread
}

/// Solves a symmetric system by elimination without exchange, after adding a little to its diagonal: traits that say
/// the same share their slope, and one that says nothing has none.
fn solve(mut matrix: [[f64; TRAITS]; TRAITS], mut right: [f64; TRAITS]) -> [f64; TRAITS] {
    for (each, row) in matrix.iter_mut().enumerate() {
        row[each] += 1e-6;
    }
    for pivot in 0..TRAITS {
        let from = matrix[pivot];
        for below in pivot + 1..TRAITS {
            let factor = matrix[below][pivot] / from[pivot];
            matrix[below].iter_mut().zip(from).for_each(|(to, from)| *to -= factor * from);
            right[below] -= factor * right[pivot];
        }
    }
    for pivot in (0..TRAITS).rev() {
        let known: f64 = (pivot + 1..TRAITS).map(|column| matrix[pivot][column] * right[column]).sum();
        right[pivot] = (right[pivot] - known) / matrix[pivot][pivot];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: f64) -> Row {
        Row { traits: [0.0; TRAITS], figure, weight: 1.0 }
    }

    #[test]
    fn without_traits_it_is_welchs_test() {
        // Two samples computed by hand: means 5 and 2, variances 2.5 and 2; t = 3 / sqrt(0.5 + 0.5) at 7.902 degrees.
        let one: Vec<Row> = [3.0, 4.0, 5.0, 6.0, 7.0].map(row).to_vec();
        let other: Vec<Row> = [0.0, 2.0, 2.0, 4.0].map(row).to_vec();
        let (v1, v2): (f64, f64) = (2.5 / 5.0, (8.0 / 3.0) / 4.0);
        let freedom = (v1 + v2).powi(2) / (v1 * v1 / 4.0 + v2 * v2 / 3.0);
        let found = compare(&one, &other).unwrap();
        assert!((found.interval.value - 3.0).abs() < 1e-9);
        let half = student_bound(freedom) * (v1 + v2).sqrt();
        assert!((found.interval.high - 3.0 - half).abs() < 1e-6, "{found:?} {half}");
        assert!((found.p - student_outside(3.0 / (v1 + v2).sqrt(), freedom)).abs() < 1e-6);
    }

    #[test]
    fn a_difference_of_traits_is_taken_out() {
        // The figure is 3 times the first trait, and 7 more for the concerned, which have more of the trait.
        let rows = |from: u32, count: u32, more: f64| -> Vec<Row> {
            (from..from + count)
                .map(|n| {
                    let traits = [f64::from(n) / 10.0, f64::from(n * 7 % 5), 0.0, 1.0, f64::from(n * 11 % 3)];
                    Row { traits, figure: 3.0 * traits[0] + more, weight: f64::from(1 + n % 2) }
                })
                .collect()
        };
        let found = compare(&rows(20, 30, 7.0), &rows(0, 60, 0.0)).unwrap();
        assert!((found.interval.value - 7.0).abs() < 1e-3, "{found:?}");
        assert!(found.p < 1e-9, "{found:?}");
    }

    #[test]
    fn too_few_are_not_compared() {
        assert!(compare(&[row(1.0)], &[row(1.0), row(2.0), row(3.0)]).is_none());
        assert!(compare(&[row(1.0), row(2.0)], &[row(1.0)]).is_none());
        assert!(compare(&[], &[]).is_none());
        let same = compare(&vec![row(4.0); 10], &vec![row(4.0); 20]).unwrap();
        assert!(same.interval.holds(0.0) && same.p > 0.999, "{same:?}");
    }
}
