//! Ledgers at hand: the rows most asked for, so that reading an account touches no database.
//!
//! What is read here is never older than what [`crate::progress::Progress`] vouches for:
//!
//! - Whoever changes ledgers commits, then tells the cache, and only then moves the progress on. A reader takes the progress
//!   first and the ledger second, so it finds at least what that progress includes.
//! - A row on its way from the database to the cache may be overtaken by a change. The reader therefore takes a ticket before
//!   it asks the database; a change makes all tickets of its stripe worthless; a worthless ticket stores nothing. Both happen
//!   under the stripe's lock, so a row that was read before a change never arrives after it.
//!
//! What other processes write over the same database is let go by [`crate::others::Others`], in the same order.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quick_cache::{Weighter, sync::Cache};
use store::Error;

use crate::{
    store::{LedgerRow, Reader},
    tables::AccountKey,
    together::Together,
};

/// More stripes make it rarer that a change of one account keeps another's row out.
const STRIPES: usize = 1024;
/// About what an entry takes beside its texts and its document.
const ENTRY_BYTES: u64 = 256;

/// A bounded cache of ledgers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ledgers {
    shared: Arc<Shared>,
}

struct Shared {
    rows: Cache<String, Arc<LedgerRow>, Bytes>,
    /// How many changes each stripe has seen.
    stripes: Vec<Mutex<u64>>,
    hasher: RandomState,
    together: Together,
}

/// Allows a row to be stored, unless its stripe changed since.
pub(crate) struct Ticket {
    key: String,
    stripe: usize,
    changes: u64,
}

/// The memory that an entry takes.
#[derive(Clone)]
struct Bytes;

impl Weighter<String, Arc<LedgerRow>> for Bytes {
    fn weight(&self, key: &String, row: &Arc<LedgerRow>) -> u64 {
        let texts = key.len() + row.tenant.len() + row.account.len() + row.currency.len();
        ENTRY_BYTES + (texts + row.document.len()) as u64
    }
}

impl Ledgers {
    /// An empty cache that takes about so many bytes of memory at most.
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes as u64;
        let rows = Cache::with_weighter((bytes / (2 * ENTRY_BYTES)) as usize, bytes, Bytes);
        let stripes = (0..STRIPES).map(|_| Mutex::new(0)).collect();
        Self { shared: Arc::new(Shared { rows, stripes, hasher: RandomState::new(), together: Together::default() }) }
    }

    /// The ledgers of accounts, in their order, from here or from the database; none where there is none.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn read(
        &self,
        reader: &Reader,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<Vec<Option<Arc<LedgerRow>>>, Error> {
        let mut found = Vec::with_capacity(accounts.len());
        let mut missing = Vec::new();
        let mut tickets = HashMap::new();
        for account in accounts {
            let key = key(tenant, account);
            let row = self.shared.rows.get(&key);
            if row.is_none() {
                missing.push(*account);
                tickets.insert(*account, self.ticket(key));
            }
            found.push(row);
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let rows: Vec<Arc<LedgerRow>> = match missing[..] {
            [account] => self.shared.together.read(reader, tenant, account).await?.into_iter().collect(),
            _ => reader.ledgers(tenant, &missing).await?.into_iter().map(Arc::new).collect(),
        };
        let mut loaded: HashMap<String, Arc<LedgerRow>> = HashMap::new();
        for row in rows {
            if let Some(ticket) = tickets.remove(row.account.as_str()) {
                self.store(ticket, row.clone());
            }
            loaded.insert(row.account.clone(), row);
        }
        for (place, account) in found.iter_mut().zip(accounts) {
            if place.is_none() {
                *place = loaded.get(*account).cloned();
            }
        }
        Ok(found)
    }

    /// How many ledgers that were asked for were at hand, and how many were not.
    pub(crate) fn reads(&self) -> (u64, u64) {
        (self.shared.rows.hits(), self.shared.rows.misses())
    }

    /// How many bytes of memory the ledgers take, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.rows.weight()
    }

    /// Taken before the database is asked.
    fn ticket(&self, key: String) -> Ticket {
        let stripe = self.stripe(&key);
        let changes = *self.lock(stripe);
        Ticket { key, stripe, changes }
    }

    /// Keeps a row that was read from the database, unless something of its stripe changed since the ticket was taken.
    fn store(&self, ticket: Ticket, row: Arc<LedgerRow>) {
        let changes = self.lock(ticket.stripe);
        if *changes == ticket.changes {
            self.shared.rows.insert(ticket.key, row);
        }
    }

    /// Takes in what a committed transaction made of ledgers: those written replace what is here, those touched in any other
    /// way are let go. Called before the progress moves.
    pub(crate) fn changed(&self, written: Vec<LedgerRow>, touched: &BTreeSet<AccountKey>) {
        let mut let_go: BTreeSet<&AccountKey> = touched.iter().collect();
        for row in written {
            let account = (row.tenant.clone(), row.account.clone());
            let_go.remove(&account);
            let key = key(&row.tenant, &row.account);
            let mut changes = self.lock(self.stripe(&key));
            *changes += 1;
            // Only those that somebody asked for: an import of all accounts is not to push them out.
            if self.shared.rows.contains_key(&key) {
                self.shared.rows.insert(key, Arc::new(row));
            }
        }
        for (tenant, account) in let_go {
            let key = key(tenant, account);
            let mut changes = self.lock(self.stripe(&key));
            *changes += 1;
            self.shared.rows.remove(&key);
        }
    }

    /// Lets everything go.
    pub(crate) fn clear(&self) {
        let mut stripes: Vec<MutexGuard<'_, u64>> = (0..STRIPES).map(|stripe| self.lock(stripe)).collect();
        stripes.iter_mut().for_each(|changes| **changes += 1);
        self.shared.rows.clear();
    }

    fn stripe(&self, key: &str) -> usize {
        self.shared.hasher.hash_one(key) as usize % STRIPES
    }

    fn lock(&self, stripe: usize) -> MutexGuard<'_, u64> {
        // A count is whole whatever happened beside it.
        self.shared.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Neither part holds a slash.
fn key(tenant: &str, account: &str) -> String {
    let mut key = String::with_capacity(tenant.len() + 1 + account.len());
    key.push_str(tenant);
    key.push('/');
    key.push_str(account);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(account: &str, document: u8) -> LedgerRow {
        LedgerRow {
            tenant: "t".to_owned(),
            account: account.to_owned(),
            currency: String::new(),
            segment: String::new(),
            document: vec![document; 100],
        }
    }

    fn held(ledgers: &Ledgers, account: &str) -> Option<u8> {
        ledgers.shared.rows.get(&key("t", account)).map(|row| row.document[0])
    }

    fn load(ledgers: &Ledgers, account: &str, document: u8) {
        ledgers.store(ledgers.ticket(key("t", account)), Arc::new(row(account, document)));
    }

    fn accounts(names: &[&str]) -> BTreeSet<AccountKey> {
        names.iter().map(|name| ("t".to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn what_is_written_replaces_what_is_held_and_nothing_else_comes_in() {
        let ledgers = Ledgers::new(1 << 20);
        load(&ledgers, "a", 1);
        load(&ledgers, "c", 1);
        ledgers.changed(vec![row("a", 2), row("b", 2)], &accounts(&["a", "b", "c"]));
        assert_eq!([held(&ledgers, "a"), held(&ledgers, "b"), held(&ledgers, "c")], [Some(2), None, None]);
        assert_eq!(ledgers.reads(), (1, 2), "a change is no reading");
    }

    #[test]
    fn a_row_that_was_overtaken_by_a_change_is_not_kept() {
        let ledgers = Ledgers::new(1 << 20);
        let late = [(); 3].map(|()| ledgers.ticket(key("t", "a")));
        let [written, let_go, cleared] = late;
        ledgers.changed(vec![row("a", 2)], &accounts(&["a"]));
        ledgers.store(written, Arc::new(row("a", 1)));
        assert_eq!(held(&ledgers, "a"), None);
        ledgers.changed(vec![], &accounts(&["a"]));
        ledgers.store(let_go, Arc::new(row("a", 1)));
        ledgers.clear();
        ledgers.store(cleared, Arc::new(row("a", 1)));
        assert_eq!(held(&ledgers, "a"), None);
        load(&ledgers, "a", 3);
        assert_eq!(held(&ledgers, "a"), Some(3));
    }

    #[test]
    fn memory_is_bounded() {
        let ledgers = Ledgers::new(100_000);
        for number in 0..10_000 {
            load(&ledgers, &format!("a{number}"), 1);
        }
        assert!(ledgers.shared.rows.weight() <= 100_000);
        assert!(ledgers.shared.rows.len() > 50);
    }
}
