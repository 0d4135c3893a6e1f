//! Reading rows.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::{
    Error, Found, Store,
    row::{Key, Row, Table, check_text},
    sql::{bind_row_sets, placeholders},
};

/// What a list asks for. Rows come ordered by account and id.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// The tenant.
    pub tenant: String,
    /// Only this account's rows; `None` for those of every account.
    pub account: Option<String>,
    /// Only rows after this account and id.
    pub after: Option<(String, String)>,
    /// At most this many.
    pub limit: u32,
    /// Whether deleted rows are listed too.
    pub show_deleted: bool,
    /// Only rows in this state.
    pub state: Option<String>,
    /// Only rows with this label.
    pub label: Option<String>,
    /// Only rows that happened at or after this time.
    pub happened_from: Option<i64>,
    /// Only rows that happened before this time.
    pub happened_before: Option<i64>,
}

/// A page of rows.
#[derive(Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is one: after this account and id.
    pub next: Option<(String, String)>,
}

impl Store {
    /// Returns a row, deleted or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Unstorable`].
    #[tracing::instrument(name = "store.get", skip_all, fields(db.system.name = self.database().backend.system_name(), db.operation.name = "select", db.collection.name = key.table, otel.kind = "client"))]
    pub async fn get(&self, key: &Key) -> Result<Option<Row>, Error> {
        key.check()?;
        let text = format!("select {} from {} where tenant = $1 and account = $2 and id = $3", Row::COLUMNS, key.table);
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(&key.tenant)
            .bind(&key.account)
            .bind(&key.id)
            .fetch_optional(&self.database().reader)
            .await?;
        row.map(|row| Row::read(key.table, &Found::any(&row))).transpose()
    }

    /// Returns the rows that exist of those named, deleted or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Unstorable`].
    #[tracing::instrument(name = "store.batch_get", skip_all, fields(db.system.name = self.database().backend.system_name(), db.operation.name = "select", otel.kind = "client"))]
    pub async fn batch_get(&self, keys: &[Key]) -> Result<HashMap<Key, Row>, Error> {
        keys.iter().try_for_each(Key::check)?;
        let mut connection = self.database().reader.acquire().await?;
        let mut by_table: HashMap<&'static str, Vec<&Key>> = HashMap::new();
        for key in keys {
            by_table.entry(key.table).or_default().push(key);
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (table, keys) in by_table {
            for set in bind_row_sets(&keys) {
                let text = format!(
                    "select {} from {table} where (tenant, account, id) in (values {})",
                    Row::COLUMNS,
                    placeholders(set.len(), 3)
                );
                let mut select = sqlx::query(AssertSqlSafe(text));
                for key in set {
                    select = select.bind(&key.tenant).bind(&key.account).bind(&key.id);
                }
                for row in select.fetch_all(&mut *connection).await? {
                    let row = Row::read(table, &Found::any(&row))?;
                    found.insert(row.key.clone(), row);
                }
            }
        }
        connection.done();
        Ok(found)
    }

    /// Returns a page of rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Unstorable`].
    #[tracing::instrument(name = "store.list", skip_all, fields(db.system.name = self.database().backend.system_name(), db.operation.name = "select", db.collection.name = table.name, otel.kind = "client"))]
    pub async fn list(&self, table: &'static Table, query: &ListQuery) -> Result<Page, Error> {
        let after = query.after.iter().flat_map(|(account, id)| [account, id]);
        let texts = [&query.account, &query.state, &query.label].into_iter().flatten();
        texts.chain(after).chain([&query.tenant]).try_for_each(|text| check_text(text))?;

        let mut text = format!("select {} from {} where tenant = $1", Row::COLUMNS, table.name);
        let mut count = 1;
        let mut condition = |condition: &str, parameters: usize| {
            let mut condition = condition.to_owned();
            for _ in 0..parameters {
                count += 1;
                condition = condition.replacen('?', &format!("${count}"), 1);
            }
            text.push_str(" and ");
            text.push_str(&condition);
        };
        if query.account.is_some() {
            condition("account = ?", 1);
        }
        if query.after.is_some() {
            condition("(account, id) > (?, ?)", 2);
        }
        if !query.show_deleted {
            condition("deleted_at is null", 0);
        }
        if query.state.is_some() {
            condition("state = ?", 1);
        }
        if query.label.is_some() {
            condition("label = ?", 1);
        }
        if query.happened_from.is_some() {
            condition("happened_at >= ?", 1);
        }
        if query.happened_before.is_some() {
            condition("happened_at < ?", 1);
        }
        text.push_str(&format!(" order by account, id limit ${}", count + 1));

        let mut select = sqlx::query(AssertSqlSafe(text)).bind(&query.tenant);
        if let Some(account) = &query.account {
            select = select.bind(account);
        }
        if let Some((account, id)) = &query.after {
            select = select.bind(account).bind(id);
        }
        for text in [&query.state, &query.label].into_iter().flatten() {
            select = select.bind(text);
        }
        for time in [query.happened_from, query.happened_before].into_iter().flatten() {
            select = select.bind(time);
        }
        // One more than asked for tells whether there is a next page.
        let rows = select.bind(i64::from(query.limit) + 1).fetch_all(&self.database().reader).await?;
        let mut rows = rows.iter().map(|row| Row::read(table.name, &Found::any(row))).collect::<Result<Vec<_>, _>>()?;
        let mut next = None;
        if rows.len() > query.limit as usize {
            rows.truncate(query.limit as usize);
            next = rows.last().map(|row| (row.key.account.clone(), row.key.id.clone()));
        }
        Ok(Page { rows, next })
    }
}
