//! What a portfolio will probably bring, and how its cohorts have stayed: on one walk over all accounts.

use std::collections::BTreeMap;

use contracts::assessments::v1 as wire;
use dynamics::{DAY, OrderDay, Status, contest::Record};
use methods::from_micros;
use store::Error;
use time::{Date, Duration, Month};

use crate::{
    apply::decode_ledger,
    picture::Gallery,
    predict::{Subject, offers_now},
};

/// How many accounts are read at once.
const ACCOUNTS_PER_PAGE: i64 = 1_000;
/// After how many accounts others have their turn.
const ACCOUNTS_AT_ONCE: usize = 64;

const EPOCH: Date = match Date::from_calendar_date(1970, Month::January, 1) {
    Ok(date) => date,
    Err(_) => Date::MIN,
};

/// Quarters since the beginning of 1970.
type Quarter = i32;

/// The quarter of a day; none of one outside the calendar.
fn quarter_of(day: i64) -> Option<Quarter> {
    let date = EPOCH.checked_add(Duration::days(day.clamp(-100_000_000, 100_000_000)))?;
    Some((date.year() - 1970) * 4 + (i32::from(u8::from(date.month())) - 1) / 3)
}

/// The first day of a quarter.
fn start_of(quarter: Quarter) -> Option<i64> {
    let month = Month::try_from(u8::try_from(quarter.rem_euclid(4) * 3 + 1).ok()?).ok()?;
    let date = Date::from_calendar_date(1970 + quarter.div_euclid(4), month, 1).ok()?;
    Some((date - EPOCH).whole_days())
}

/// How customers have stayed, by the quarter of their first order.
#[derive(Debug, Default)]
pub(crate) struct Cohorts(BTreeMap<Quarter, Vec<i64>>);

impl Cohorts {
    /// Takes in a customer's order days up to today.
    fn add(&mut self, days: &[OrderDay], today: i64) {
        let until = &days[..days.partition_point(|day| day.day <= today)];
        let mut quarters: Vec<Quarter> = until.iter().filter_map(|day| quarter_of(day.day)).collect();
        quarters.dedup();
        let (Some(first), Some(now)) = (quarters.first(), quarter_of(today)) else { return };
        let length = usize::try_from(now - first + 1).unwrap_or(1);
        let counts = self.0.entry(*first).or_default();
        counts.resize(length.max(counts.len()), 0);
        for quarter in &quarters {
            if let Some(count) = usize::try_from(quarter - first).ok().and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        }
    }

    fn told(self) -> Vec<wire::Cohort> {
        let cohorts = self.0.into_iter().map(|(quarter, counts)| wire::Cohort {
            start_time: start_of(quarter).map(|day| from_micros(day * DAY)),
            account_count: counts.first().copied().unwrap_or_default(),
            ordering_account_counts: counts,
        });
        cohorts.collect()
    }
}

/// What was found on the walk.
#[derive(Debug, Default)]
pub(crate) struct Outlook {
    pub(crate) cohorts: Vec<wire::Cohort>,
    pub(crate) outlooks: Vec<wire::PortfolioOutlook>,
    /// The id of the fit.
    pub(crate) fit: Option<String>,
}

impl Gallery {
    /// Walks over a tenant's accounts, for its cohorts, and for what it will probably bring within so many days.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn outlook(
        &self,
        tenant: &str,
        show_cohorts: bool,
        horizon_days: Option<u32>,
    ) -> Result<Outlook, Error> {
        let mut outlook = Outlook::default();
        if !show_cohorts && horizon_days.is_none() {
            return Ok(outlook);
        }
        // One fit for all of them.
        let fitted = self.fits.in_use(tenant).filter(|_| horizon_days.is_some());
        let now = self.clock.now();
        let mut cohorts = Cohorts::default();
        let mut groups: BTreeMap<(String, i32), wire::PortfolioOutlook> = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.reader.portfolio_page(tenant, None, &after, ACCOUNTS_PER_PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.account);
            let accounts: Vec<&str> = page.iter().map(|row| row.account.as_str()).collect();
            let offers = match horizon_days {
                Some(_) => self.reader.offers_of(tenant, &accounts).await?,
                None => Default::default(),
            };
            for (number, row) in page.iter().enumerate() {
                let ledger = decode_ledger(row)?;
                if show_cohorts {
                    cohorts.add(ledger.order_days(), now.div_euclid(DAY));
                }
                if let Some(days) = horizon_days.filter(|_| ledger.status() == Status::Open) {
                    let model = self.models.plain(tenant, &row.segment);
                    let offers = offers.get(&row.account).map_or(Ok(Vec::new()), |rows| offers_now(rows, now))?;
                    let subject = Subject { ledger: &ledger, model: &model, currency: &row.currency, now };
                    let prediction = subject.predict(fitted.as_ref(), &Record::before(&offers, now), days);
                    add(&mut groups, &row.currency, &prediction);
                }
                if number % ACCOUNTS_AT_ONCE == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
        outlook.cohorts = cohorts.told();
        outlook.outlooks = groups.into_values().collect();
        outlook.fit = fitted.map(|fitted| fitted.id.clone());
        Ok(outlook)
    }
}

fn add(groups: &mut BTreeMap<(String, i32), wire::PortfolioOutlook>, currency: &str, prediction: &wire::Prediction) {
    let value = |estimate: &Option<wire::Estimate>| estimate.as_ref().map_or(0.0, |estimate| estimate.value);
    let Some(competition) = &prediction.competition else { return };
    let position = competition.position;
    let group = groups.entry((currency.to_owned(), position)).or_insert_with(|| wire::PortfolioOutlook {
        currency_code: currency.to_owned(),
        position,
        ..wire::PortfolioOutlook::default()
    });
    group.account_count += 1;
    group.spend += value(&prediction.spend);
    group.lifetime_value += value(&prediction.lifetime_value);
    group.value_at_risk += value(&prediction.lifetime_value) * (1.0 - value(&competition.stay_probability));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u8, day: u8) -> i64 {
        let date = Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).unwrap();
        (date - EPOCH).whole_days()
    }

    #[test]
    fn quarters_are_of_the_calendar() {
        let quarters = [day(1969, 12, 31), 0, day(1970, 4, 1), day(2026, 11, 22)].map(|day| quarter_of(day).unwrap());
        assert_eq!(quarters, [-1, 0, 1, 227]);
        for quarter in [-5, 0, 3, 227] {
            let start = start_of(quarter).unwrap();
            assert_eq!((quarter_of(start), quarter_of(start - 1)), (Some(quarter), Some(quarter - 1)));
        }
        assert_eq!(quarter_of(i64::MAX), None);
    }

    #[test]
    fn a_cohort_counts_each_customer_once_a_quarter() {
        let days = |all: &[i64]| -> Vec<OrderDay> {
            all.iter().map(|day| OrderDay { day: *day, orders: 1, spend: 0 }).collect()
        };
        let mut cohorts = Cohorts::default();
        cohorts.add(&days(&[day(2025, 2, 1), day(2025, 3, 31), day(2025, 7, 1)]), day(2025, 8, 1));
        cohorts.add(&days(&[day(2025, 1, 1), day(2025, 4, 1), day(2025, 12, 1)]), day(2025, 8, 1));
        cohorts.add(&days(&[day(2025, 5, 1)]), day(2025, 8, 1));
        cohorts.add(&days(&[day(2025, 9, 1)]), day(2025, 8, 1));
        cohorts.add(&[], day(2025, 8, 1));
        let told = cohorts.told();
        let counts: Vec<_> =
            told.iter().map(|cohort| (cohort.account_count, &cohort.ordering_account_counts[..])).collect();
        assert_eq!(counts, [(2, &[2, 1, 1][..]), (1, &[1, 0][..])]);
        assert_eq!(told[1].start_time, Some(from_micros(day(2025, 4, 1) * DAY)));
    }
}
