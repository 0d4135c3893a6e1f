//! What a history of orders comes down to, and portfolios of such summaries in which equal ones
//! are counted once.

use std::cmp::Ordering;

use thiserror::Error;

/// Days in a week, the unit of time of this module.
pub const DAYS_PER_WEEK: f64 = 7.0;

/// A customer's orders up to a cut: what the activity models need to know.
///
/// Orders of one day count as one order day. All spans are in weeks of seven days.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    repeats: u32,
    last: f64,
    age: f64,
}

/// Why three numbers are no [`Summary`], or two no [`Spend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SummaryError {
    /// The age is negative, not a number, or more than [`Summary::MAX_AGE`].
    #[error("the age is outside 0 to {max} weeks", max = Summary::MAX_AGE)]
    Age,
    /// The last order lies before the first or after the cut, or there is no repeat order and it
    /// is not the first.
    #[error("the last order does not lie between the first order and the cut")]
    Last,
    /// No order, or more order days than days.
    #[error("the number of order days does not fit the days")]
    Repeats,
    /// A mean spend that is not a number from [`Spend::MIN`] to [`Spend::MAX`].
    #[error("the mean spend is outside {min} to {max}", min = Spend::MIN, max = Spend::MAX)]
    Spend,
}

impl Summary {
    /// The oldest customer, in weeks.
    pub const MAX_AGE: f64 = 100_000.0;

    /// A customer on the day of the first order.
    pub const NEW: Summary = Summary { repeats: 0, last: 0.0, age: 0.0 };

    /// A customer with `repeats` order days after the first (x), the last of them `last` weeks
    /// after it (t_x; 0 without a repeat), first seen `age` weeks before the cut (T).
    ///
    /// # Errors
    /// When the age is outside 0 to [`Self::MAX_AGE`], or the last order outside 0 to the age.
    pub fn new(repeats: u32, last: f64, age: f64) -> Result<Summary, SummaryError> {
        if !(0.0..=Self::MAX_AGE).contains(&age) {
            return Err(SummaryError::Age);
        }
        if !(0.0..=age).contains(&last) || repeats == 0 && last > 0.0 {
            return Err(SummaryError::Last);
        }
        // Adding 0 makes a negative zero positive, so that equal summaries have equal bits.
        Ok(Summary { repeats, last: last + 0.0, age: age + 0.0 })
    }

    /// A customer with so many order days from day `first` to day `last`, at the end of day
    /// `cut`; days are counted from any common origin.
    ///
    /// # Errors
    /// As for [`Self::new`], or when so many order days do not fit between the first and the last.
    pub fn of_days(order_days: u64, first: i64, last: i64, cut: i64) -> Result<Summary, SummaryError> {
        let span = last.checked_sub(first).ok_or(SummaryError::Last)?;
        let age = cut.checked_sub(first).ok_or(SummaryError::Age)?;
        let repeats = order_days.checked_sub(1).ok_or(SummaryError::Repeats)?;
        if i64::try_from(repeats).is_ok_and(|repeats| repeats > span.max(0)) {
            return Err(SummaryError::Repeats);
        }
        let repeats = u32::try_from(repeats).map_err(|_| SummaryError::Repeats)?;
        Summary::new(repeats, span as f64 / DAYS_PER_WEEK, age as f64 / DAYS_PER_WEEK)
    }

    /// Order days after the first (x).
    pub fn repeats(&self) -> u32 {
        self.repeats
    }

    /// Weeks from the first order to the last (t_x).
    pub fn last(&self) -> f64 {
        self.last
    }

    /// Weeks from the first order to the cut (T).
    pub fn age(&self) -> f64 {
        self.age
    }

    /// The repeats as the formulas need them.
    pub(super) fn x(&self) -> f64 {
        f64::from(self.repeats)
    }
}

impl Ord for Summary {
    fn cmp(&self, other: &Summary) -> Ordering {
        // Repeats first: what depends on them alone is then computed once for a run of rows.
        let repeats = self.repeats.cmp(&other.repeats);
        repeats.then(self.age.total_cmp(&other.age)).then(self.last.total_cmp(&other.last))
    }
}

impl PartialOrd for Summary {
    fn partial_cmp(&self, other: &Summary) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Summary {
    fn eq(&self, other: &Summary) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Summary {}

/// What a customer spends: the mean of so many orders, in any one currency.
#[derive(Clone, Copy, Debug)]
pub struct Spend {
    orders: u32,
    mean: f64,
}

impl Spend {
    /// The lowest mean spend, far below any coin: a customer who paid nothing has no logarithm of
    /// spend, and is left out.
    pub const MIN: f64 = 1e-9;
    /// The highest mean spend.
    pub const MAX: f64 = 1e12;

    /// The mean spend over so many orders, one or more. In the literature these are the repeat
    /// orders; a portfolio keeps to one convention.
    ///
    /// # Errors
    /// When there is no order, or the mean is outside [`Self::MIN`] to [`Self::MAX`].
    pub fn new(orders: u32, mean: f64) -> Result<Spend, SummaryError> {
        if orders == 0 {
            return Err(SummaryError::Repeats);
        }
        if !(Self::MIN..=Self::MAX).contains(&mean) {
            return Err(SummaryError::Spend);
        }
        Ok(Spend { orders, mean })
    }

    /// How many orders the mean is of, at least 1.
    pub fn orders(&self) -> u32 {
        self.orders
    }

    /// The mean spend of one order.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

impl Ord for Spend {
    fn cmp(&self, other: &Spend) -> Ordering {
        self.orders.cmp(&other.orders).then(self.mean.total_cmp(&other.mean))
    }
}

impl PartialOrd for Spend {
    fn partial_cmp(&self, other: &Spend) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Spend {
    fn eq(&self, other: &Spend) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Spend {}

/// A portfolio in which equal summaries are one row with a count, in ascending order. What is
/// computed from it does not depend on the order in which customers came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<T> {
    rows: Vec<(T, u64)>,
    customers: u64,
}

/// The orders of a portfolio.
pub type Portfolio = Counted<Summary>;

/// The spend of a portfolio.
pub type SpendPortfolio = Counted<Spend>;

impl<T> Counted<T> {
    /// The distinct summaries and how many customers have each.
    pub fn rows(&self) -> &[(T, u64)] {
        &self.rows
    }

    /// All customers.
    pub fn customers(&self) -> u64 {
        self.customers
    }
}

impl<T: Copy> Counted<T> {
    /// Every so manieth row.
    pub(super) fn thinned(&self, step: usize) -> Counted<T> {
        let rows: Vec<(T, u64)> = self.rows.iter().step_by(step.max(1)).copied().collect();
        let customers = rows.iter().fold(0u64, |sum, (_, customers)| sum.saturating_add(*customers));
        Counted { rows, customers }
    }
}

impl<T: Ord> FromIterator<T> for Counted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(summaries: I) -> Counted<T> {
        let mut tally = Tally::default();
        summaries.into_iter().for_each(|summary| tally.add(summary, 1));
        tally.finish()
    }
}

/// Counts summaries as they stream by. Memory is bounded by the distinct ones: it holds at most
/// twice as many rows (of 32 bytes for a [`Summary`]) as there were at the last merge.
#[derive(Clone, Debug)]
pub struct Tally<T> {
    rows: Vec<(T, u64)>,
    /// How many rows to let in before the next merge.
    limit: usize,
}

impl<T> Default for Tally<T> {
    fn default() -> Tally<T> {
        Tally { rows: Vec::new(), limit: Self::LEAST }
    }
}

impl<T> Tally<T> {
    const LEAST: usize = 4096;
}

impl<T: Ord> Tally<T> {
    /// Counts so many customers with this summary.
    pub fn add(&mut self, summary: T, customers: u64) {
        if customers == 0 {
            return;
        }
        if self.rows.len() >= self.limit {
            self.merge();
            self.limit = (2 * self.rows.len()).max(Self::LEAST);
        }
        self.rows.push((summary, customers));
    }

    /// The portfolio counted so far.
    pub fn finish(mut self) -> Counted<T> {
        self.merge();
        let customers = self.rows.iter().fold(0u64, |sum, (_, customers)| sum.saturating_add(*customers));
        Counted { rows: self.rows, customers }
    }

    fn merge(&mut self) {
        // A stable sort, as it makes use of the run that the last merge has left.
        self.rows.sort_by(|one, other| one.0.cmp(&other.0));
        self.rows.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_summaries_are_counted_once_in_any_order() {
        let some = |x, last, age| Summary::new(x, last, age).unwrap();
        let mut all: Vec<Summary> =
            (0..20_000).map(|n| some(n % 5, if n % 5 == 0 { 0.0 } else { f64::from(n % 7) }, 40.0)).collect();
        let counted: Portfolio = all.iter().copied().collect();
        assert_eq!(counted.customers(), 20_000);
        assert_eq!(counted.rows().len(), 1 + 4 * 7);
        assert_eq!(counted.rows()[0], (some(0, 0.0, 40.0), 4_000));
        all.reverse();
        assert_eq!(counted, all.into_iter().collect());
    }

    #[test]
    fn a_tally_holds_twice_the_distinct_at_most() {
        let mut tally = Tally::default();
        for n in 0..1_000_000u32 {
            tally.add(Spend::new(1 + n % 100, f64::from(1 + n % 60)).unwrap(), 1);
            assert!(tally.rows.len() <= 4096);
        }
        let counted = tally.finish();
        assert_eq!((counted.customers(), counted.rows().len()), (1_000_000, 300));
    }

    #[test]
    fn impossible_summaries_are_refused() {
        assert_eq!(Summary::new(1, 2.0, 1.0), Err(SummaryError::Last));
        assert_eq!(Summary::new(0, 1.0, 2.0), Err(SummaryError::Last));
        assert_eq!(Summary::new(1, f64::NAN, 2.0), Err(SummaryError::Last));
        assert_eq!(Summary::new(1, 0.0, f64::INFINITY), Err(SummaryError::Age));
        assert_eq!(Summary::new(1, 0.0, -1.0), Err(SummaryError::Age));
        assert_eq!(Summary::of_days(0, 5, 5, 9), Err(SummaryError::Repeats));
        assert_eq!(Summary::of_days(3, 5, 6, 9), Err(SummaryError::Repeats));
        assert_eq!(Summary::of_days(2, i64::MIN, i64::MAX, 0), Err(SummaryError::Last));
        assert_eq!(Summary::of_days(3, 3, 17, 31), Summary::new(2, 2.0, 4.0));
        assert_eq!(Spend::new(0, 1.0), Err(SummaryError::Repeats));
        assert_eq!(Spend::new(1, 0.0), Err(SummaryError::Spend));
        assert_eq!(Spend::new(1, f64::NAN), Err(SummaryError::Spend));
    }
}
