//! Every SQL statement of the aggregator that reads. What writes stands in `apply.rs`'s transaction, in `tables.rs`.

mod standings;

use std::collections::{BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};
use store::{Database, Error, Found, Mark, Row, Table, Transaction, Value, bind_row_sets, placeholders, set_size};

#[cfg(test)]
pub(crate) use standings::STANDINGS;
pub(crate) use standings::{Figures, MadeWith, Shape, Standing, StandingPlace};

use crate::tables::AccountKey;

/// A version of a resource, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceRow {
    pub(crate) tenant: String,
    /// The account that the resource itself names.
    pub(crate) account: String,
    pub(crate) source: String,
    pub(crate) version: i64,
    pub(crate) kind: String,
    pub(crate) happened_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) superseded_at: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) document: Vec<u8>,
}

impl SourceRow {
    pub(crate) const COLUMNS: &'static str =
        "tenant, account, source, version, kind, happened_at, recorded_at, superseded_at, deleted_at, document";

    pub(crate) fn read(row: &AnyRow) -> Result<Self, Error> {
        Self::found(&Found::any(row))
    }

    pub(crate) fn found(row: &Found<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: row.text(0)?,
            account: row.text(1)?,
            source: row.text(2)?,
            version: row.integer(3)?,
            kind: row.text(4)?,
            happened_at: row.integer(5)?,
            recorded_at: row.integer(6)?,
            superseded_at: row.optional(7)?,
            deleted_at: row.optional(8)?,
            document: row.bytes(9)?,
        })
    }
}

/// An account's ledger, as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) currency: String,
    /// Of the account that answers.
    pub(crate) segment: String,
    pub(crate) document: Vec<u8>,
}

impl LedgerRow {
    pub(crate) const COLUMNS: &'static str = "tenant, account, currency, segment, document";

    fn read(row: &AnyRow) -> Result<Self, Error> {
        Self::found(&Found::any(row))
    }

    pub(crate) fn found(row: &Found<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: row.text(0)?,
            account: row.text(1)?,
            currency: row.text(2)?,
            segment: row.text(3)?,
            document: row.bytes(4)?,
        })
    }
}

/// A place in a timeline: after this time and source, going back.
#[derive(Debug, Clone)]
pub(crate) struct TimelinePlace {
    pub(crate) happened_at: i64,
    pub(crate) source: String,
}

/// A row of a table of documents.
#[derive(Debug, Clone)]
pub(crate) struct DocumentRow {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) document: Vec<u8>,
}

impl From<Row> for DocumentRow {
    fn from(row: Row) -> Self {
        Self {
            tenant: row.key.tenant,
            account: row.key.account,
            id: row.key.id,
            version: row.version,
            created_at: row.created_at,
            recorded_at: row.recorded_at,
            deleted_at: row.deleted_at,
            document: row.document,
        }
    }
}

/// How many ledgers are asked for with one statement.
pub(crate) const LEDGERS_PER_STATEMENT: usize = 64;

/// Reads what the aggregator keeps.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) database: Database,
}

impl Reader {
    /// How far each feed has been followed.
    pub(crate) async fn followed(&self) -> Result<Vec<Mark>, Error> {
        let rows =
            sqlx::query("select feed, feed_partition, position from followed").fetch_all(&self.database.reader).await?;
        let mut marks = Vec::with_capacity(rows.len());
        for row in rows {
            let partition: i64 = row.try_get(1)?;
            let partition = u32::try_from(partition).ok().filter(|partition| *partition < store::PARTITIONS);
            let partition = partition.ok_or_else(|| Error::Damaged("a followed partition's number".to_owned()))?;
            marks.push(Mark { feed: row.try_get(0)?, partition, position: row.try_get(2)? });
        }
        Ok(marks)
    }

    /// The ledgers of those accounts that have one.
    #[tracing::instrument(name = "aggregator.ledgers", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "ledgers", otel.kind = "client"))]
    pub(crate) async fn ledgers(&self, tenant: &str, accounts: &[&str]) -> Result<Vec<LedgerRow>, Error> {
        let mut found = Vec::with_capacity(accounts.len());
        for set in accounts.chunks(LEDGERS_PER_STATEMENT) {
            // Few different texts, so that each is prepared once; who is named twice is found once.
            let size = set_size(set.len());
            let text = ledgers_of(size);
            let select = sqlx::query(AssertSqlSafe(text)).bind(tenant);
            let padded = set.iter().chain(std::iter::repeat(&set[set.len() - 1])).take(size);
            let select = padded.fold(select, |select, account| select.bind(*account));
            for row in select.fetch_all(&self.database.reader_by_key).await? {
                found.push(LedgerRow::read(&row)?);
            }
        }
        Ok(found)
    }

    /// A page of all ledgers of a tenant (or of every tenant), by tenant and account.
    pub(crate) async fn ledger_page(
        &self,
        tenant: Option<&str>,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<LedgerRow>, Error> {
        let text = format!(
            "select {} from ledgers where (tenant, account) > ($1, $2){} order by tenant, account limit $3",
            LedgerRow::COLUMNS,
            if tenant.is_some() { " and tenant = $4" } else { "" }
        );
        let mut select = sqlx::query(AssertSqlSafe(text)).bind(after.0).bind(after.1).bind(limit);
        if let Some(tenant) = tenant {
            select = select.bind(tenant);
        }
        let rows = select.fetch_all(&self.database.reader).await?;
        rows.iter().map(LedgerRow::read).collect()
    }

    /// How many ledgers a tenant has.
    pub(crate) async fn ledger_count(&self, tenant: &str) -> Result<i64, Error> {
        let row = sqlx::query("select count(*) from ledgers where tenant = $1")
            .bind(tenant)
            .fetch_one(&self.database.reader)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// A page of the ledgers of a tenant, or of one segment of it, by account.
    #[tracing::instrument(name = "aggregator.portfolio_page", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "ledgers", otel.kind = "client"))]
    pub(crate) async fn portfolio_page(
        &self,
        tenant: &str,
        segment: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, Error> {
        let text = format!(
            "select {} from ledgers where tenant = $1 and account > $2{} order by account limit $3",
            LedgerRow::COLUMNS,
            if segment.is_some() { " and segment = $4" } else { "" }
        );
        let mut select = sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(after).bind(limit);
        if let Some(segment) = segment {
            select = select.bind(segment);
        }
        let rows = select.fetch_all(&self.database.reader).await?;
        rows.iter().map(LedgerRow::read).collect()
    }

    /// How many ledgers a tenant, or one segment of it, has.
    pub(crate) async fn portfolio_count(&self, tenant: &str, segment: Option<&str>) -> Result<i64, Error> {
        let text = format!(
            "select count(*) from ledgers where tenant = $1{}",
            if segment.is_some() { " and segment = $2" } else { "" }
        );
        let mut select = sqlx::query(AssertSqlSafe(text)).bind(tenant);
        if let Some(segment) = segment {
            select = select.bind(segment);
        }
        Ok(select.fetch_one(&self.database.reader).await?.try_get(0)?)
    }

    /// The current versions of all that was told of these accounts and of those merged into them, by the account that
    /// answers. None of these accounts is merged into another.
    #[tracing::instrument(name = "aggregator.sources_of", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "sources", otel.kind = "client"))]
    pub(crate) async fn sources_of(
        &self,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<HashMap<String, Vec<SourceRow>>, Error> {
        self.told_of(tenant, accounts, |accounts| sources_of(accounts, true)).await
    }

    /// What a statement of so many accounts finds of these and of those merged into them, by the account that answers.
    pub(crate) async fn told_of(
        &self,
        tenant: &str,
        accounts: &[&str],
        statement: impl Fn(usize) -> String,
    ) -> Result<HashMap<String, Vec<SourceRow>>, Error> {
        let answering = self.answering(tenant, accounts).await?;
        let all: Vec<&str> = accounts.iter().copied().chain(answering.keys().map(String::as_str)).collect();
        let mut found: HashMap<String, Vec<SourceRow>> = HashMap::new();
        for set in bind_row_sets(&all) {
            let mut select = sqlx::query(AssertSqlSafe(statement(set.len())));
            for account in set {
                select = select.bind(tenant).bind(*account);
            }
            for row in select.fetch_all(&self.database.reader).await? {
                let row = SourceRow::read(&row)?;
                let account = answering.get(&row.account).unwrap_or(&row.account).clone();
                found.entry(account).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// The accounts that were merged into these, each with the one that answers for it.
    async fn answering(&self, tenant: &str, accounts: &[&str]) -> Result<HashMap<String, String>, Error> {
        let mut answering = HashMap::new();
        for set in bind_row_sets(accounts) {
            let text = format!(
                "select account, into_account from merges where (tenant, into_account) in (values {})",
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

    /// All versions of the rivals' offers to these accounts and to those merged into them, by the account that answers.
    #[tracing::instrument(name = "aggregator.offers_of", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "sources", otel.kind = "client"))]
    pub(crate) async fn offers_of(
        &self,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<HashMap<String, Vec<SourceRow>>, Error> {
        self.told_of(tenant, accounts, offers_of).await
    }

    /// The accounts of a tenant to which rivals made offers, by account; those that were merged away by their own names.
    pub(crate) async fn accounts_with_offers(&self, tenant: &str) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(ACCOUNTS_WITH_OFFERS).bind(tenant).fetch_all(&self.database.reader).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// The account that answers for one that was merged away.
    pub(crate) async fn merged_into(&self, tenant: &str, account: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("select into_account from merges where tenant = $1 and account = $2")
            .bind(tenant)
            .bind(account)
            .fetch_optional(&self.database.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The accounts that were merged into one.
    async fn duplicates(&self, tenant: &str, account: &str) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(MERGED_INTO).bind(tenant).bind(account).fetch_all(&self.database.reader).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// All versions of all that was told of an account and of those merged into it; of the current versions only, if so
    /// asked.
    #[tracing::instrument(name = "aggregator.sources", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "sources", otel.kind = "client"))]
    pub(crate) async fn sources(&self, tenant: &str, account: &str, current: bool) -> Result<Vec<SourceRow>, Error> {
        let mut accounts = self.duplicates(tenant, account).await?;
        accounts.push(account.to_owned());
        let mut found = Vec::new();
        for set in bind_row_sets(&accounts) {
            let text = sources_of(set.len(), current);
            let select =
                set.iter().fold(sqlx::query(AssertSqlSafe(text)), |select, account| select.bind(tenant).bind(account));
            for row in select.fetch_all(&self.database.reader).await? {
                found.push(SourceRow::read(&row)?);
            }
        }
        Ok(found)
    }

    /// A page of a timeline, latest first.
    #[tracing::instrument(name = "aggregator.timeline", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "sources", otel.kind = "client"))]
    pub(crate) async fn timeline(
        &self,
        tenant: &str,
        account: &str,
        after: Option<&TimelinePlace>,
        limit: i64,
    ) -> Result<Vec<SourceRow>, Error> {
        let mut found = self.timeline_of(tenant, account, after, limit).await?;
        for duplicate in self.duplicates(tenant, account).await? {
            found.extend(self.timeline_of(tenant, &duplicate, after, limit).await?);
        }
        // Each account's page is read along its index; together they hold the page of all.
        found.sort_by(|a, b| (b.happened_at, &b.source).cmp(&(a.happened_at, &a.source)));
        found.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(found)
    }

    /// As [`Reader::timeline`], of what was told of the account itself.
    async fn timeline_of(
        &self,
        tenant: &str,
        account: &str,
        after: Option<&TimelinePlace>,
        limit: i64,
    ) -> Result<Vec<SourceRow>, Error> {
        let text = timeline(after.is_some());
        let mut select = sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(account).bind(limit);
        if let Some(after) = after {
            select = select.bind(after.happened_at).bind(&after.source);
        }
        let rows = select.fetch_all(&self.database.reader).await?;
        rows.iter().map(SourceRow::read).collect()
    }

    /// Everybody who was merged away: tenant, account and the one that answers.
    pub(crate) async fn merges(&self) -> Result<Vec<(String, String, String)>, Error> {
        let rows =
            sqlx::query("select tenant, account, into_account from merges").fetch_all(&self.database.reader).await?;
        let mut merges = Vec::with_capacity(rows.len());
        for row in rows {
            merges.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        }
        Ok(merges)
    }

    /// As [`Reader::merges`], of those of these accounts that were merged away.
    pub(crate) async fn merges_of(
        &self,
        accounts: &BTreeSet<AccountKey>,
    ) -> Result<Vec<(String, String, String)>, Error> {
        let mut merges = Vec::new();
        let accounts: Vec<&AccountKey> = accounts.iter().collect();
        let before = "select tenant, account, into_account from merges where (tenant, account)";
        for set in bind_row_sets(&accounts) {
            for row in self.of_accounts(before, set).await? {
                merges.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
            }
        }
        Ok(merges)
    }

    async fn of_accounts(&self, before: &str, accounts: &[&AccountKey]) -> Result<Vec<AnyRow>, Error> {
        let text = format!("{before} in (values {})", placeholders(accounts.len(), 2));
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, account) in accounts {
            select = select.bind(tenant).bind(account);
        }
        Ok(select.fetch_all(&self.database.reader).await?)
    }

    /// All rows of a table of documents, of every tenant.
    pub(crate) async fn documents(&self, table: &Table) -> Result<Vec<DocumentRow>, Error> {
        let text = format!(
            "select tenant, account, id, version, created_at, recorded_at, deleted_at, document from {}",
            table.name
        );
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&self.database.reader).await?;
        let mut documents = Vec::with_capacity(rows.len());
        for row in rows {
            documents.push(DocumentRow {
                tenant: row.try_get(0)?,
                account: row.try_get(1)?,
                id: row.try_get(2)?,
                version: row.try_get(3)?,
                created_at: row.try_get(4)?,
                recorded_at: row.try_get(5)?,
                deleted_at: row.try_get(6)?,
                document: row.try_get(7)?,
            });
        }
        Ok(documents)
    }

    /// The settings whose names begin like this, by name.
    pub(crate) async fn settings(&self, beginning: &str) -> Result<HashMap<String, String>, Error> {
        let mut settings = HashMap::new();
        for row in sqlx::query("select name, value from settings").fetch_all(&self.database.reader).await? {
            let name: String = row.try_get(0)?;
            if name.starts_with(beginning) {
                settings.insert(name, row.try_get(1)?);
            }
        }
        Ok(settings)
    }

    /// A setting, if it is set.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("select value from settings where name = $1")
            .bind(name)
            .fetch_optional(&self.database.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

/// The statement of the ledgers of so many accounts of a tenant.
pub(crate) fn ledgers_of(accounts: usize) -> String {
    let numbers: Vec<String> = (2..accounts + 2).map(|number| format!("${number}")).collect();
    format!("select {} from ledgers where tenant = $1 and account in ({})", LedgerRow::COLUMNS, numbers.join(", "))
}

/// The statement of a page of one account's timeline.
pub(crate) fn timeline(is_continued: bool) -> String {
    format!(
        "select {} from sources
         where tenant = $1 and account = $2 and superseded_at is null and deleted_at is null and kind <> 'referral'{}
         order by happened_at desc, source desc limit $3",
        SourceRow::COLUMNS,
        if is_continued { " and (happened_at, source) < ($4, $5)" } else { "" }
    )
}

/// As [`Reader::sources`], inside a transaction, and of the current versions only.
pub(crate) async fn current_sources_of(
    transaction: &mut Transaction,
    tenant: &str,
    account: &str,
) -> Result<Vec<SourceRow>, Error> {
    let parameters = [Value::Text(tenant), Value::Text(account)];
    let mut accounts = transaction.select(MERGED_INTO, &parameters, |row| row.text(0)).await?;
    accounts.push(account.to_owned());
    let keys: Vec<_> = accounts.iter().map(|account| [Value::Text(tenant), Value::Text(account)]).collect();
    let select = format!("select {} from sources where (tenant, account)", SourceRow::COLUMNS);
    transaction.look_up((&select, "and superseded_at is null"), &keys, SourceRow::found).await
}

/// The statement that names the accounts that were merged into one. It stands alone: as a part of what selects from sources
/// it would have SQLite read all sources of the tenant.
const MERGED_INTO: &str = "select account from merges where tenant = $1 and into_account = $2";

/// The statement of what was told of so many accounts.
pub(crate) fn sources_of(accounts: usize, current: bool) -> String {
    format!(
        "select {} from sources where (tenant, account) in (values {}){}",
        SourceRow::COLUMNS,
        placeholders(accounts, 2),
        if current { " and superseded_at is null" } else { "" }
    )
}

/// The statement of the rivals' offers to so many accounts, in all versions.
pub(crate) fn offers_of(accounts: usize) -> String {
    format!("{} and kind = 'competitor_offer'", sources_of(accounts, false))
}

/// The statement of the accounts with rivals' offers.
pub(crate) const ACCOUNTS_WITH_OFFERS: &str =
    "select distinct account from sources where tenant = $1 and kind = 'competitor_offer' order by account";
