//! What is read of the sources of all accounts of a tenant, and of some.

use std::collections::{BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, Row as _};
use store::{Error, bind_row_sets, placeholders};

use crate::store::{Reader, SourceRow};

/// Where a walk through what was said has come: everything before this is still to be heard, the latest first.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) happened_at: i64,
    pub(super) account: String,
    pub(super) source: String,
}

impl Place {
    /// Just before a time.
    pub(super) fn before(time: i64) -> Self {
        Self { happened_at: time, account: String::new(), source: String::new() }
    }
}

/// The statement of a page of the interactions and the feedback of a tenant since a time, the latest first.
pub(crate) fn words() -> String {
    format!(
        "select {} from sources
         where tenant = $1 and superseded_at is null and deleted_at is null and kind in ('interaction', 'feedback')
         and happened_at >= $2 and (happened_at, account, source) < ($3, $4, $5)
         order by happened_at desc, account desc, source desc limit $6",
        SourceRow::COLUMNS
    )
}

/// The statement of the interactions with so many accounts since a time. The time is a number in the text, so that the
/// accounts are all that is bound.
pub(crate) fn interactions_since(accounts: usize, time: i64) -> String {
    format!(
        "select {} from sources where (tenant, account) in (values {}) and superseded_at is null
         and deleted_at is null and happened_at >= {time} and kind = 'interaction'",
        SourceRow::COLUMNS,
        placeholders(accounts, 2)
    )
}

impl Reader {
    /// A page of the interactions and the feedback of a tenant since a time, the latest first.
    #[tracing::instrument(name = "aggregator.words", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "sources", otel.kind = "client"))]
    pub(super) async fn words(
        &self,
        tenant: &str,
        since: i64,
        place: &Place,
        limit: i64,
    ) -> Result<Vec<SourceRow>, Error> {
        let select = sqlx::query(AssertSqlSafe(words())).bind(tenant).bind(since);
        let select = select.bind(place.happened_at).bind(&place.account).bind(&place.source).bind(limit);
        select.fetch_all(&self.database.reader).await?.iter().map(SourceRow::read).collect()
    }

    /// Those of these resources that stand, each given by account and name.
    pub(super) async fn standing(&self, tenant: &str, names: &[(String, String)]) -> Result<Vec<SourceRow>, Error> {
        let mut found = Vec::with_capacity(names.len());
        for set in bind_row_sets(names) {
            let text = format!(
                "select {} from sources where (tenant, account, source) in (values {})
                 and superseded_at is null and deleted_at is null",
                SourceRow::COLUMNS,
                placeholders(set.len(), 3)
            );
            let mut select = sqlx::query(AssertSqlSafe(text));
            for (account, source) in set {
                select = select.bind(tenant).bind(account).bind(source);
            }
            for row in select.fetch_all(&self.database.reader).await? {
                found.push(SourceRow::read(&row)?);
            }
        }
        Ok(found)
    }

    /// The interactions with these accounts, and with those merged into them, since a time, by the account that answers.
    pub(super) async fn interactions_since(
        &self,
        tenant: &str,
        accounts: &[&str],
        time: i64,
    ) -> Result<HashMap<String, Vec<SourceRow>>, Error> {
        self.told_of(tenant, accounts, |accounts| interactions_since(accounts, time)).await
    }

    /// Those of these accounts that were merged away, each with the one that answers for it.
    pub(super) async fn merged_away(
        &self,
        tenant: &str,
        accounts: &BTreeSet<&str>,
    ) -> Result<HashMap<String, String>, Error> {
        let accounts: Vec<&str> = accounts.iter().copied().collect();
        let mut answering = HashMap::new();
        for set in bind_row_sets(&accounts) {
            let text = format!(
                "select account, into_account from merges where (tenant, account) in (values {})",
                placeholders(set.len(), 2)
            );
            let mut select = sqlx::query(AssertSqlSafe(text));
            for account in set {
                select = select.bind(tenant).bind(*account);
            }
            for row in select.fetch_all(&self.database.reader).await? {
                answering.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(answering)
    }

    /// Those of these accounts that are of a segment.
    pub(super) async fn of_segment(
        &self,
        tenant: &str,
        accounts: &BTreeSet<&str>,
        segment: &str,
    ) -> Result<BTreeSet<String>, Error> {
        let accounts: Vec<&str> = accounts.iter().copied().collect();
        let mut found = BTreeSet::new();
        for set in bind_row_sets(&accounts) {
            let text = format!(
                "select account, segment from ledgers where (tenant, account) in (values {})",
                placeholders(set.len(), 2)
            );
            let mut select = sqlx::query(AssertSqlSafe(text));
            for account in set {
                select = select.bind(tenant).bind(*account);
            }
            for row in select.fetch_all(&self.database.reader).await? {
                if row.try_get::<&str, _>(1)? == segment {
                    found.insert(row.try_get(0)?);
                }
            }
        }
        Ok(found)
    }

    /// A page of the accounts of a tenant, each with its segment, by account.
    pub(super) async fn segments(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<(String, String)>, Error> {
        let text = "select account, segment from ledgers where tenant = $1 and account > $2 order by account limit $3";
        let select = sqlx::query(text).bind(tenant).bind(after).bind(limit);
        let mut found = Vec::new();
        for row in select.fetch_all(&self.database.reader).await? {
            found.push((row.try_get(0)?, row.try_get(1)?));
        }
        Ok(found)
    }
}
