//! What is at stake with those who speak of a theme: what they spend, and what they will probably be worth.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::assessments::v1::Estimate;
use contracts::common::v1::Money;
use dynamics::{DAY, Ledger, contest::Record};
use store::Error;

use crate::{apply::decode_ledger, picture::Gallery, predict::Subject};

/// The days whose spend counts.
const YEAR: i64 = 365;
/// Billionths in a unit of currency.
const UNIT: i128 = 1_000_000_000;
/// The largest amount that the contract knows, in units.
const LARGEST: i128 = 1_000_000_000_000;
/// How many accounts are read at once.
const ACCOUNTS_AT_ONCE: usize = 64;

/// What an account brings, in billionths of its currency.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stake {
    pub(super) currency: String,
    /// Within the last year.
    pub(super) spend: i128,
    /// Within the horizon, and from now on; none without a horizon or a fit.
    ahead: Option<(i128, i128)>,
}

/// What accounts of one currency bring together.
#[derive(Default)]
struct Total {
    accounts: u64,
    spend: i128,
    ahead: Option<(i128, i128)>,
}

impl Total {
    fn add(&mut self, stake: &Stake) {
        self.accounts += 1;
        self.spend = self.spend.saturating_add(stake.spend);
        if let Some((expected, lifetime)) = stake.ahead {
            let (expected_so_far, lifetime_so_far) = self.ahead.unwrap_or_default();
            self.ahead = Some((expected_so_far.saturating_add(expected), lifetime_so_far.saturating_add(lifetime)));
        }
    }
}

/// The stakes of accounts, and the fit that amounts ahead are by.
#[derive(Debug, Default)]
pub(super) struct Stakes {
    by_account: HashMap<String, Stake>,
    pub(super) fit: Option<String>,
}

/// What some accounts bring together, by currency, that of most accounts first.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) spend: Vec<Money>,
    pub(super) expected: Vec<Money>,
    pub(super) lifetime: Vec<Money>,
}

impl Stakes {
    /// Reads what these accounts bring: up to a time, and ahead of now, so many days if that is asked.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(super) async fn of(
        gallery: &Gallery,
        tenant: &str,
        accounts: &BTreeSet<&str>,
        end: i64,
        horizon_days: Option<u32>,
    ) -> Result<Self, Error> {
        // One fit for all of them.
        let fitted = gallery.fits.in_use(tenant).filter(|_| horizon_days.is_some());
        let mut stakes = Self { fit: fitted.as_ref().map(|fitted| fitted.id.clone()), ..Self::default() };
        let accounts: Vec<&str> = accounts.iter().copied().collect();
        for set in accounts.chunks(ACCOUNTS_AT_ONCE) {
            for row in gallery.reader.ledgers(tenant, set).await? {
                let ledger = decode_ledger(&row)?;
                let spend = spent(&ledger, end);
                let ahead = fitted.as_ref().zip(horizon_days).map(|(fitted, days)| {
                    let model = gallery.models.plain(tenant, &row.segment);
                    let now = gallery.clock.now();
                    let subject = Subject { ledger: &ledger, model: &model, currency: &row.currency, now };
                    let predicted = subject.predict(Some(fitted), &Record::default(), days);
                    (billionths(&predicted.spend), billionths(&predicted.lifetime_value))
                });
                stakes.by_account.insert(row.account, Stake { currency: row.currency, spend, ahead });
            }
            tokio::task::yield_now().await;
        }
        Ok(stakes)
    }

    /// What these accounts bring together.
    pub(super) fn sum<'a>(&self, accounts: impl IntoIterator<Item = &'a str>) -> Sum {
        let mut totals: BTreeMap<&str, Total> = BTreeMap::new();
        let stakes = accounts.into_iter().filter_map(|account| self.by_account.get(account));
        for stake in stakes.filter(|stake| !stake.currency.is_empty()) {
            totals.entry(&stake.currency).or_default().add(stake);
        }
        let mut totals: Vec<(&str, Total)> = totals.into_iter().collect();
        totals.sort_by(|(one, total), (other, others)| others.accounts.cmp(&total.accounts).then(one.cmp(other)));
        let mut sum = Sum::default();
        for (currency, total) in totals {
            sum.spend.push(money(currency, total.spend));
            if let Some((expected, lifetime)) = total.ahead {
                sum.expected.push(money(currency, expected));
                sum.lifetime.push(money(currency, lifetime));
            }
        }
        sum
    }

    /// The currency of most accounts; empty if none has one.
    pub(super) fn main_currency(&self) -> &str {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for stake in self.by_account.values().filter(|stake| !stake.currency.is_empty()) {
            *counts.entry(&stake.currency).or_default() += 1;
        }
        let most = counts.into_iter().max_by(|(one, count), (other, others)| count.cmp(others).then(other.cmp(one)));
        most.map_or("", |(currency, _)| currency)
    }
}

/// What a customer spent in the year up to before a time.
pub(super) fn spent(ledger: &Ledger, end: i64) -> i128 {
    let last = end.saturating_sub(1).div_euclid(DAY);
    let days = ledger.order_days().iter().filter(|day| day.day > last - YEAR && day.day <= last);
    days.fold(0, |sum: i128, day| sum.saturating_add(day.spend))
}

fn billionths(estimate: &Option<Estimate>) -> i128 {
    let amount = estimate.as_ref().map_or(0.0, |estimate| estimate.value);
    // Casting rounds toward zero, and takes what is out of range to the nearest that is not.
    (amount * UNIT as f64) as i128
}

fn money(currency: &str, billionths: i128) -> Money {
    let bounded = billionths.clamp(-LARGEST * UNIT, LARGEST * UNIT);
    Money { currency_code: currency.to_owned(), units: (bounded / UNIT) as i64, nanos: (bounded % UNIT) as i32 }
}

/// An amount in this currency among several, in units; none if there is none.
pub(super) fn amount_in(amounts: &[Money], currency: &str) -> Option<f64> {
    let money = amounts.iter().find(|money| money.currency_code == currency)?;
    Some(money.units as f64 + f64::from(money.nanos) / UNIT as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stake(currency: &str, spend: i128, ahead: Option<(i128, i128)>) -> Stake {
        Stake { currency: currency.to_owned(), spend, ahead }
    }

    #[test]
    fn amounts_are_summed_by_currency_most_accounts_first() {
        let stakes = Stakes {
            by_account: [
                ("a", stake("EUR", 1_500_000_000, None)),
                ("b", stake("USD", 7_000_000_000, Some((1_000_000_000, 2_000_000_000)))),
                ("c", stake("EUR", -2_750_000_000, None)),
                ("d", stake("", 0, None)),
                ("e", stake("EUR", i128::MAX, None)),
            ]
            .into_iter()
            .map(|(account, stake)| (account.to_owned(), stake))
            .collect(),
            fit: None,
        };
        let money = |code: &str, units, nanos| Money { currency_code: code.to_owned(), units, nanos };
        let sum = stakes.sum(["a", "b", "c", "d", "nobody"]);
        assert_eq!(sum.spend, [money("EUR", -1, -250_000_000), money("USD", 7, 0)]);
        assert_eq!((sum.expected, sum.lifetime), (vec![money("USD", 1, 0)], vec![money("USD", 2, 0)]));
        assert_eq!(stakes.sum(["e", "a"]).spend, [money("EUR", 1_000_000_000_000, 0)]);
        assert_eq!((stakes.main_currency(), Stakes::default().main_currency()), ("EUR", ""));
        assert_eq!(amount_in(&stakes.sum(["c"]).spend, "EUR"), Some(-2.75));
    }
}
