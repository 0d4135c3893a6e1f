//! The journal of imports: which versions of which resources a batch landed, and which of them were taken back. It holds
//! names and versions, no content. It is written in the transactions of which it tells.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use prost::Message;
use runtime::{Fault, Tenant};
use store::{Command, Draft, Key, ListQuery, Migration, Store, Table};

use crate::{names::new_id, store_fault};

/// The table of the journal. Each service has one of its own.
pub static IMPORTS: Table = Table { name: "imports" };

/// How many rows of the journal are read together. Each is some 30 KB, and never more than 300.
const ROWS_PER_READ: u32 = 32;

/// The migration that makes the journal's table, under the number that a service gives it.
pub const fn imports_migration(version: i64) -> Migration {
    Migration { version, name: "imports", sql: include_str!("../migrations/imports.sql") }
}

/// A row of the journal: what one transaction did for a batch.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Page {
    #[prost(message, repeated, tag = "1")]
    pub(crate) entries: Vec<Entry>,
    /// Whether the entries tell of versions that took the batch's back, rather than of the batch's own.
    #[prost(bool, tag = "2")]
    pub(crate) taken_back: bool,
}

/// A version of a resource.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(string, tag = "1")]
    pub(crate) table: String,
    #[prost(string, tag = "2")]
    pub(crate) account: String,
    #[prost(string, tag = "3")]
    pub(crate) id: String,
    #[prost(int64, tag = "4")]
    pub(crate) version: i64,
}

/// Notes what the commands of one transaction do.
pub(crate) struct Journal {
    tenant: String,
    batch_id: String,
    taken_back: bool,
    noted: Arc<Mutex<Vec<Entry>>>,
}

impl Journal {
    /// For the rows of a message of a batch.
    pub(crate) fn of_rows(tenant: &Tenant, batch_id: &str) -> Self {
        Self {
            tenant: tenant.as_str().to_owned(),
            batch_id: batch_id.to_owned(),
            taken_back: false,
            noted: Arc::default(),
        }
    }

    /// For what takes a batch back.
    pub(crate) fn of_undoing(tenant: &Tenant, batch_id: &str) -> Self {
        Self { taken_back: true, ..Self::of_rows(tenant, batch_id) }
    }

    /// The command, noting the version that it leaves. A row is noted if it says anything new; what is taken back in any
    /// case, because then the matter is settled.
    pub(crate) fn noting(&self, command: Command) -> Command {
        let noted = Arc::clone(&self.noted);
        let always = self.taken_back;
        let decide = command.decide;
        let decide = move |rows: &mut store::Rows<'_>| {
            let key = decide(rows)?;
            if let Some(row) = rows.get(&key).filter(|_| always || rows.has_put(&key)) {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(Entry {
                    table: key.table.to_owned(),
                    account: key.account.clone(),
                    id: key.id.clone(),
                    version: row.version,
                });
            }
            Ok(key)
        };
        Command { decide: Box::new(decide), ..command }
    }

    /// The command that records what was noted. It must be the last of the transaction that has the others.
    pub(crate) fn close(self) -> Command {
        let Self { tenant, batch_id, taken_back, noted } = self;
        let key = |id: String| Key { table: IMPORTS.name, tenant: tenant.clone(), account: batch_id.clone(), id };
        let (head, page) = (key(String::new()), key(new_id()));
        Command {
            keys: vec![head.clone(), page.clone()],
            request: None,
            decide: Box::new(move |rows| {
                let entries = mem::take(&mut *noted.lock().unwrap_or_else(PoisonError::into_inner));
                // A batch of which nothing landed is known all the same.
                rows.put_unfed(head.clone(), draft(Vec::new()));
                if !entries.is_empty() {
                    rows.put_unfed(page, draft(Page { entries, taken_back }.encode_to_vec()));
                }
                Ok(head)
            }),
            tenant,
        }
    }
}

fn draft(document: Vec<u8>) -> Draft {
    Draft { state: String::new(), label: String::new(), happened_at: 0, deleted: false, document }
}

/// Reads all that is noted of a batch, and hands it over page by page. Answers whether there is such a batch.
pub(crate) async fn read(
    store: &Store,
    tenant: &Tenant,
    batch_id: &str,
    mut take: impl FnMut(Page) + Send,
) -> Result<bool, Fault> {
    let mut query = ListQuery {
        tenant: tenant.as_str().to_owned(),
        account: Some(batch_id.to_owned()),
        limit: ROWS_PER_READ,
        ..ListQuery::default()
    };
    let mut is_known = false;
    loop {
        let page = store.list(&IMPORTS, &query).await.map_err(store_fault)?;
        for row in page.rows {
            is_known = true;
            take(Page::decode(row.document.as_slice()).map_err(|error| Fault::log_internal(&error))?);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(is_known),
        }
    }
}
