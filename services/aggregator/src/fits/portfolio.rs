//! A tenant's customers as a fit sees them: counted on one walk, and a part of them looked at closely.
//!
//! A customer is an account with at least one order up to the cut that was not closed by then.

use std::collections::{BTreeMap, HashMap};

use dynamics::{
    DAY, Facts, Ledger, Model, Status,
    prediction::{Known, OrderDay},
};
use store::Error;

use super::{Making, Scales};
use crate::{
    apply::decode_ledger,
    evidence::Source,
    picture::{Gallery, fold_facts},
    store::{LedgerRow, SourceRow},
    told::{self, REFERRAL},
};

/// How many customers are looked at closely: their relationship is folded anew at each cut.
const SAMPLE: u64 = 20_000;
/// How many accounts are read at once.
const ACCOUNTS_PER_PAGE: i64 = 1_000;
/// How many accounts' sources are held at once. Between them, others have their turn.
const ACCOUNTS_AT_ONCE: usize = 64;
/// If at least this share of what had happened up to a cut was known by then, only what was known is learned from.
const MOSTLY_KNOWN: f64 = 0.9;
/// By how many customers that is judged.
const CUSTOMERS_ASKED: usize = 500;

/// Billionths in a unit of currency.
const UNIT: f64 = 1e9;

/// Whose customers, and up to when.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(super) gallery: Gallery,
    pub(super) tenant: String,
    /// The last moment that is seen: the end of its day, or now.
    pub(super) cut: i64,
}

/// What one walk over the customers has counted.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) customers: u64,
    pub(crate) order_days: u64,
    /// The first order day of all, counted from the Unix epoch.
    pub(crate) first_day: Option<i64>,
    /// Customers, order days and spend, in billionths, by currency.
    currencies: BTreeMap<String, (u64, u64, f64)>,
}

/// A customer as it is now.
pub(crate) struct Customer {
    pub(crate) row: LedgerRow,
    pub(crate) ledger: Ledger,
}

/// What was known of a customer at a cut.
pub(crate) struct Then {
    /// Amounts in units of the predictor.
    pub(crate) days: Vec<OrderDay>,
    pub(crate) known: Known,
    pub(crate) is_open: bool,
}

/// Pages through a tenant's customers.
pub(crate) struct Portfolio<'a> {
    scope: &'a Scope,
    after: String,
    is_over: bool,
    seen: u64,
    total: u64,
}

impl Survey {
    /// The mean spend of an order day by currency, most customers first; without those that brought nothing.
    pub(crate) fn scales(&self) -> Scales {
        let mut currencies: Vec<_> = self.currencies.iter().filter(|(_, (_, _, spend))| *spend > 0.0).collect();
        currencies.sort_by(|(one, (customers, ..)), (other, (others, ..))| others.cmp(customers).then(one.cmp(other)));
        let mean = |(code, (customers, days, spend)): (&String, &(u64, u64, f64))| {
            (code.clone(), *customers, spend / UNIT / *days as f64)
        };
        Scales { currencies: currencies.into_iter().map(mean).collect() }
    }

    fn add(&mut self, currency: &str, days: &[dynamics::OrderDay]) {
        self.customers += 1;
        self.order_days += days.len() as u64;
        let first = days.first().map(|day| day.day);
        self.first_day = self.first_day.into_iter().chain(first).min();
        if !currency.is_empty() {
            let (customers, count, spend) = self.currencies.entry(currency.to_owned()).or_default();
            *customers += 1;
            *count += days.len() as u64;
            *spend += days.iter().map(|day| day.spend as f64).sum::<f64>();
        }
    }
}

/// Order days with their amounts in units of the predictor; without amounts in a currency that it does not know.
pub(crate) fn in_units(days: &[dynamics::OrderDay], currency: &str, scales: &Scales) -> Vec<OrderDay> {
    let scale = scales.of(currency).unwrap_or_default();
    days.iter().map(|day| OrderDay { day: day.day, spend: day.spend as f64 / UNIT * scale }).collect()
}

/// The last moment of a day.
pub(super) fn end_of(day: i64) -> i64 {
    day.saturating_add(1).saturating_mul(DAY).saturating_sub(1)
}

/// The days up to one.
pub(crate) fn until(days: &[dynamics::OrderDay], last: i64) -> &[dynamics::OrderDay] {
    &days[..days.partition_point(|day| day.day <= last)]
}

/// What is known of an account at a moment, beyond its orders. Loyalty in deeds goes by the customer's own rhythm there:
/// nothing that is predicted is learned from.
pub(crate) fn known(ledger: &Ledger, model: &Model, at: i64) -> Known {
    let open = ledger.pending().filter(|(_, pending)| pending.since() <= at).count();
    Known::of(&dynamics::assess(ledger, model, at)).with_open_matters(u32::try_from(open).unwrap_or(u32::MAX))
}

impl Customer {
    /// The days on which it ordered up to a cut; none if it was no customer then.
    pub(crate) fn days_until(&self, cut: i64) -> Option<&[dynamics::OrderDay]> {
        if matches!(self.ledger.status(), Status::Closed { at } if at <= cut) {
            return None;
        }
        Some(until(self.ledger.order_days(), cut.div_euclid(DAY))).filter(|days| !days.is_empty())
    }
}

impl Scope {
    /// The customers of a tenant up to the day of a cut, which is seen whole.
    pub(crate) fn new(gallery: Gallery, tenant: &str, cut: i64) -> Self {
        let cut = end_of(cut.div_euclid(DAY)).min(gallery.clock.now());
        Self { gallery, tenant: tenant.to_owned(), cut }
    }

    /// The same customers so many days before.
    pub(super) fn before(&self, days: u32) -> Self {
        let cut = self.cut.saturating_sub(i64::from(days).saturating_mul(DAY));
        Self::new(self.gallery.clone(), &self.tenant, cut)
    }

    /// Begins a walk over the customers.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn customers(&self) -> Result<Portfolio<'_>, Error> {
        let total = self.gallery.reader.ledger_count(&self.tenant).await?;
        Ok(Portfolio { scope: self, after: String::new(), is_over: false, seen: 0, total: total.max(1) as u64 })
    }

    /// Counts the customers.
    ///
    /// # Errors
    /// The database's; [`Error::Closed`] if it is to be broken off.
    pub(crate) async fn survey(&self, making: &Making, status: &str) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        let mut walk = self.customers().await?;
        while let Some(page) = walk.next(making, status).await? {
            for customer in &page {
                if let Some(days) = customer.days_until(self.cut) {
                    survey.add(&customer.row.currency, days);
                }
            }
        }
        Ok(survey)
    }

    /// Whether a customer is one of those that are looked at closely, of so many.
    pub(crate) fn samples(&self, account: &str, customers: u64) -> bool {
        methods::list_fingerprint(&("sample", account)).is_multiple_of(customers.div_ceil(SAMPLE).max(1))
    }

    /// Whether most of what had happened up to a time was known by then. It was not if it was imported later.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn was_known(&self, time: i64, customers: u64) -> Result<bool, Error> {
        let (mut happened, mut known, mut asked) = (0_u64, 0_u64, 0);
        let mut after = String::new();
        while asked < CUSTOMERS_ASKED {
            let page = self.gallery.reader.portfolio_page(&self.tenant, None, &after, ACCOUNTS_PER_PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.account);
            for row in page.iter().filter(|row| self.samples(&row.account, customers)).take(CUSTOMERS_ASKED - asked) {
                asked += 1;
                // Its first version may have been known where a later one was not.
                let mut first_recorded: HashMap<String, i64> = HashMap::new();
                for row in self.gallery.reader.sources(&self.tenant, &row.account, false).await? {
                    if row.happened_at <= time {
                        let first = first_recorded.entry(row.source).or_insert(row.recorded_at);
                        *first = row.recorded_at.min(*first);
                    }
                }
                happened += first_recorded.len() as u64;
                known += first_recorded.values().filter(|first| **first <= time).count() as u64;
            }
        }
        Ok(known as f64 >= MOSTLY_KNOWN * happened as f64)
    }

    /// What was known of customers at each of some cuts, in the order of both; without those that were no customers yet.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn then(
        &self,
        customers: &[&Customer],
        cuts: &[i64],
        scales: &Scales,
        as_known: bool,
    ) -> Result<Vec<Vec<Option<Then>>>, Error> {
        let mut all = Vec::with_capacity(customers.len());
        for set in customers.chunks(ACCOUNTS_AT_ONCE) {
            let mut sources: HashMap<String, Vec<SourceRow>> = match as_known {
                false => {
                    let accounts: Vec<&str> = set.iter().map(|customer| customer.row.account.as_str()).collect();
                    self.gallery.reader.sources_of(&self.tenant, &accounts).await?
                }
                true => HashMap::new(),
            };
            for customer in set {
                let account = &customer.row.account;
                let rows = match as_known {
                    true => self.gallery.reader.sources(&self.tenant, account, false).await?,
                    false => sources.remove(account).unwrap_or_default(),
                };
                let history = History::read(rows)?;
                let model = self.gallery.models.plain(&self.tenant, &customer.row.segment);
                let then = cuts.iter().map(|cut| {
                    let facts = history.facts(*cut, as_known);
                    let ledger = fold_facts(&model, &facts);
                    let days = until(ledger.order_days(), cut.div_euclid(DAY));
                    (!days.is_empty()).then(|| Then {
                        days: in_units(days, &customer.row.currency, scales),
                        known: known(&ledger, &model, *cut),
                        is_open: ledger.status() == Status::Open,
                    })
                });
                all.push(then.collect());
            }
            tokio::task::yield_now().await;
        }
        Ok(all)
    }
}

/// All that was told of an account, read once for several times.
pub(crate) struct History {
    /// None of a referral, which is told by its row alone.
    rows: Vec<(SourceRow, Option<Source>)>,
}

impl History {
    /// Reads the documents of rows.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn read(rows: Vec<SourceRow>) -> Result<Self, Error> {
        let read = rows.into_iter().map(|mut row| {
            let source = if row.kind == REFERRAL { None } else { Some(told::source(&row)?) };
            row.document = Vec::new();
            Ok((row, source))
        });
        Ok(Self { rows: read.collect::<Result<_, Error>>()? })
    }

    /// The kind of each source that stands now, and when it happened.
    pub(crate) fn happened(&self) -> impl Iterator<Item = (&str, i64)> {
        let standing = self.rows.iter().filter(|(row, _)| row.superseded_at.is_none() && row.deleted_at.is_none());
        standing.map(|(row, _)| (row.kind.as_str(), row.happened_at))
    }

    /// What each source says of a time; if so asked, as it was known then.
    pub(crate) fn facts(&self, time: i64, as_known: bool) -> Vec<(String, Facts)> {
        let knew = |row: &SourceRow| match as_known {
            true => row.recorded_at <= time && row.superseded_at.is_none_or(|superseded_at| superseded_at > time),
            false => row.superseded_at.is_none(),
        };
        let standing = self.rows.iter().filter(|(row, _)| {
            let was_deleted = row.deleted_at.is_some_and(|deleted_at| !as_known || deleted_at <= time);
            knew(row) && !was_deleted && row.happened_at <= time
        });
        let said = standing.map(|(row, source)| {
            let facts = match source {
                None => crate::evidence::referred(row.happened_at),
                Some(source) => source.as_of(time).map_or_else(Facts::default, |source| source.facts()),
            };
            (row.source.clone(), facts)
        });
        said.collect()
    }
}

impl Portfolio<'_> {
    /// The next accounts; none after the last.
    ///
    /// # Errors
    /// The database's; [`Error::Closed`] if it is to be broken off.
    pub(crate) async fn next(&mut self, making: &Making, status: &str) -> Result<Option<Vec<Customer>>, Error> {
        if making.is_cancelled() {
            return Err(Error::Closed);
        }
        if self.is_over {
            return Ok(None);
        }
        let reader = &self.scope.gallery.reader;
        let page = reader.portfolio_page(&self.scope.tenant, None, &self.after, ACCOUNTS_PER_PAGE).await?;
        self.is_over = (page.len() as i64) < ACCOUNTS_PER_PAGE;
        if let Some(last) = page.last() {
            self.after.clone_from(&last.account);
        }
        self.seen += page.len() as u64;
        making.reach(status, self.seen as f64 / self.total as f64);
        let mut customers = Vec::with_capacity(page.len());
        for row in page {
            let ledger = decode_ledger(&row)?;
            customers.push(Customer { row, ledger });
        }
        tokio::task::yield_now().await;
        Ok(Some(customers))
    }
}
