//! A transaction in the making: what was kept before a batch, and what the batch makes of it.
//!
//! A version that is not newer than the one kept is ignored, so that hearing a thing twice changes nothing. A newer one
//! replaces what the older said: its facts are taken out of the account's ledger and the new ones put in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use dynamics::Facts;
use store::{Error, Transaction};

use crate::{
    store::SourceRow,
    tables::{self, AccountKey, SourceKey},
    told::{ACCOUNT, Told, facts, merged_into, own_segment, referral_source, referrer},
};

/// What an account's source said and what it says.
pub(crate) struct Shift {
    pub(crate) source: Arc<SourceRow>,
    pub(crate) old: Box<Facts>,
    pub(crate) new: Box<Facts>,
}

/// The current version of a source.
struct Current {
    row: Arc<SourceRow>,
    /// Which of the new versions it is; none if it was kept before.
    insert: Option<usize>,
}

/// A new version.
struct Insert {
    row: Arc<SourceRow>,
    superseded_at: Option<i64>,
    /// The version before it, if that is new too.
    before: Option<usize>,
    /// Whether it was erased since, and is not to be kept.
    is_erased: bool,
}

/// What is to be written of one batch.
#[derive(Default)]
pub(crate) struct Work {
    /// What changed in the ledger of each account that answers for itself.
    pub(crate) shifts: BTreeMap<AccountKey, Vec<Shift>>,
    /// Accounts whose ledgers are to be folded anew.
    pub(crate) rebuild: BTreeSet<AccountKey>,
    /// The currency of each account's orders, as far as one was told.
    pub(crate) currencies: HashMap<AccountKey, String>,
    /// The segment of each account whose own resource was told.
    pub(crate) segments: HashMap<AccountKey, String>,
    /// Accounts that were merged away in this batch, in order, with those that answer for them.
    pub(crate) new_merges: Vec<(AccountKey, String)>,
    /// All that were merged away, of those that are touched.
    merges: HashMap<AccountKey, String>,
    /// The current version of each source that is touched.
    current: HashMap<SourceKey, Current>,
    /// New versions, in the order in which they were told.
    inserts: Vec<Insert>,
    /// Versions kept before that are no longer current, with what replaced them.
    superseded: Vec<(SourceKey, i64)>,
    /// Sources of which no version but the last may be kept.
    erased: Vec<SourceKey>,
}

impl Work {
    /// Reads all that the batch can touch.
    pub(crate) async fn load(transaction: &mut Transaction, batch: &[&Told]) -> Result<Self, Error> {
        let mut work = Self::default();
        let keys = batch.iter().map(|told| (told.tenant.clone(), told.account.clone(), told.source.name().to_owned()));
        work.load_sources(transaction, keys.collect()).await?;

        let mut accounts = BTreeSet::new();
        let mut referrals = BTreeSet::new();
        // Referrals are kept with the account that referred, which the old version and the new one may name differently.
        for Current { row, .. } in work.current.values() {
            referrals.extend(referrer(row)?.map(|referrer| referral_key(&row.tenant, referrer, &row.account)));
        }
        for told in batch {
            referrals.extend(told.referral().as_ref().map(key_of));
            let named = [Some(told.account.as_str()), merged_into(&told.source)];
            accounts.extend(named.into_iter().flatten().map(|account| (told.tenant.clone(), account.to_owned())));
        }
        accounts.extend(referrals.iter().map(|(tenant, account, _)| (tenant.clone(), account.clone())));
        work.load_sources(transaction, referrals).await?;
        let accounts: Vec<AccountKey> = accounts.into_iter().collect();
        work.merges = tables::merges(transaction, &accounts).await?;
        Ok(work)
    }

    async fn load_sources(&mut self, transaction: &mut Transaction, keys: BTreeSet<SourceKey>) -> Result<(), Error> {
        let keys: Vec<SourceKey> = keys.into_iter().collect();
        for row in tables::current_sources(transaction, &keys).await? {
            self.current.insert(key_of(&row), Current { row: Arc::new(row), insert: None });
        }
        Ok(())
    }

    /// Takes in one version of a resource.
    ///
    /// # Errors
    /// [`Error::Damaged`] if what is kept cannot be read.
    pub(crate) fn hear(&mut self, told: &Told) -> Result<(), Error> {
        let row = told.row();
        let old = self.current.get(&key_of(&row)).map(|current| &*current.row);
        if old.is_some_and(|old| old.version >= told.version) {
            return Ok(());
        }
        let old_referrer = old.map(referrer).transpose()?.flatten();
        self.replace(row, told.facts(), told.is_erased())?;

        let referral = told.referral();
        if let Some(old_referrer) = old_referrer
            && referral.as_ref().is_none_or(|referral| referral.account != old_referrer)
            && let Some(Current { row: gone, .. }) =
                self.current.get(&referral_key(&told.tenant, old_referrer, &told.account))
        {
            let withdrawn = SourceRow {
                version: told.version,
                recorded_at: told.recorded_at,
                deleted_at: Some(told.recorded_at),
                ..SourceRow::clone(gone)
            };
            self.replace(withdrawn, Facts::default(), false)?;
        }
        if let Some(referral) = referral {
            let new = facts(&referral)?;
            self.replace(referral, new, false)?;
        }
        if let Some(into) = merged_into(&told.source) {
            let into = self.answering(&told.tenant, into);
            self.merge((told.tenant.clone(), told.account.clone()), into);
        }
        if let Some(currency) = told.currency() {
            let account = self.answering(&told.tenant, &told.account);
            self.currencies.insert((told.tenant.clone(), account), currency.to_owned());
        }
        Ok(())
    }

    /// Puts a version, and what it says, in the place of the one before.
    fn replace(&mut self, row: SourceRow, new: Facts, is_erased: bool) -> Result<(), Error> {
        let key = key_of(&row);
        let old = self.current.get(&key);
        let old_facts = old.map(|old| facts(&old.row)).transpose()?.unwrap_or_default();
        let before = old.and_then(|old| old.insert);
        match before {
            Some(before) => self.inserts[before].superseded_at = Some(row.recorded_at),
            None if old.is_some() => self.superseded.push((key.clone(), row.recorded_at)),
            None => {}
        }
        if is_erased {
            let mut earlier = before;
            while let Some(index) = earlier {
                self.inserts[index].is_erased = true;
                earlier = self.inserts[index].before;
            }
            self.erased.push(key.clone());
        }
        if row.kind == ACCOUNT {
            self.segments.insert((row.tenant.clone(), row.account.clone()), own_segment(&row)?);
        }
        let account = self.answering(&row.tenant, &row.account);
        let shifts = self.shifts.entry((row.tenant.clone(), account)).or_insert_with(|| Vec::with_capacity(1));
        let row = Arc::new(row);
        shifts.push(Shift { source: row.clone(), old: Box::new(old_facts), new: Box::new(new) });
        self.current.insert(key, Current { row: row.clone(), insert: Some(self.inserts.len()) });
        self.inserts.push(Insert { row, superseded_at: None, before, is_erased: false });
        Ok(())
    }

    /// Lets another account answer for a duplicate and for those that were merged into it before.
    fn merge(&mut self, duplicate: AccountKey, into: String) {
        let (tenant, account) = &duplicate;
        // Only a history that was rewritten behind our back leads around in a circle.
        if into == *account {
            return;
        }
        for ((_, _), answering) in self.merges.iter_mut().filter(|((of, _), into)| of == tenant && *into == account) {
            answering.clone_from(&into);
        }
        self.rebuild.remove(&duplicate);
        self.rebuild.insert((tenant.clone(), into.clone()));
        self.shifts.remove(&duplicate);
        self.merges.insert(duplicate.clone(), into.clone());
        self.new_merges.push((duplicate, into));
    }

    /// The account that answers for one.
    fn answering(&self, tenant: &str, account: &str) -> String {
        let key = (tenant.to_owned(), account.to_owned());
        self.merges.get(&key).cloned().unwrap_or(key.1)
    }

    /// The accounts of which something that was touched still stands.
    pub(crate) fn standing(&self) -> HashSet<AccountKey> {
        let rows = self.current.values().map(|current| &current.row).filter(|row| row.deleted_at.is_none());
        rows.map(|row| (row.tenant.clone(), self.answering(&row.tenant, &row.account))).collect()
    }

    /// The accounts whose ledgers may change, and those that were merged away.
    pub(crate) fn touched(&self) -> BTreeSet<AccountKey> {
        let rows = self.current.values().map(|current| &current.row);
        let named = rows.clone().map(|row| (row.tenant.clone(), row.account.clone()));
        let answering = rows.map(|row| (row.tenant.clone(), self.answering(&row.tenant, &row.account)));
        named.chain(answering).chain(self.rebuild.iter().cloned()).chain(self.shifts.keys().cloned()).collect()
    }

    /// Writes sources and merges. Ledgers are left to the caller.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn store_sources(&self, transaction: &mut Transaction) -> Result<(), Error> {
        tables::erase(transaction, &self.erased).await?;
        tables::supersede(transaction, &self.superseded).await?;
        let mut inserts: Vec<(&SourceRow, Option<i64>)> = self
            .inserts
            .iter()
            .filter(|insert| !insert.is_erased)
            .map(|insert| (&*insert.row, insert.superseded_at))
            .collect();
        // In the order of their keys, so that neighbours are written to the same page.
        inserts.sort_unstable_by_key(|(row, _)| (&row.tenant, &row.account, &row.source, row.version));
        tables::insert_sources(transaction, &inserts).await?;
        for ((tenant, account), into) in &self.new_merges {
            tables::merge(transaction, tenant, account, into).await?;
        }
        Ok(())
    }
}

fn key_of(row: &SourceRow) -> SourceKey {
    (row.tenant.clone(), row.account.clone(), row.source.clone())
}

fn referral_key(tenant: &str, referrer: String, referred: &str) -> SourceKey {
    (tenant.to_owned(), referrer, referral_source(referred))
}
