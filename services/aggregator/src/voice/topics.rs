//! The themes and improvements of each tenant. They belong to no account, so that no ledger follows from them; they are
//! kept beside the sources, the current version of each alone, because what is asked of them is asked of now.

use std::collections::BTreeMap;

use contracts::feedback::v1::{Improvement, Theme};
use prost::Message as _;
use sqlx::Row as _;
use store::{Error, Transaction, Value};

use crate::store::Reader;

/// The kind of themes.
const THEME: &str = "theme";
/// The kind of improvements.
const IMPROVEMENT: &str = "improvement";

/// A theme or an improvement as the feed told it.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) tenant: String,
    kind: &'static str,
    name: String,
    version: i64,
    deleted_at: Option<i64>,
    document: Vec<u8>,
}

impl Topic {
    /// A theme of a tenant.
    pub(crate) fn theme(tenant: String, theme: &Theme) -> Self {
        Self {
            tenant,
            kind: THEME,
            name: theme.name.clone(),
            version: theme.version,
            deleted_at: theme.delete_time.as_ref().map(methods::to_micros),
            document: theme.encode_to_vec(),
        }
    }

    /// An improvement of a tenant.
    pub(crate) fn improvement(tenant: String, improvement: &Improvement) -> Self {
        Self {
            tenant,
            kind: IMPROVEMENT,
            name: improvement.name.clone(),
            version: improvement.version,
            deleted_at: improvement.delete_time.as_ref().map(methods::to_micros),
            document: improvement.encode_to_vec(),
        }
    }
}

/// Keeps topics, each unless a version as new is kept already.
///
/// # Errors
/// The database's.
pub(crate) async fn keep<'a>(
    transaction: &mut Transaction,
    topics: impl Iterator<Item = &'a Topic>,
) -> Result<(), Error> {
    let mut latest: BTreeMap<(&str, &str, &str), &Topic> = BTreeMap::new();
    for topic in topics {
        let place = latest.entry((&topic.tenant, topic.kind, &topic.name)).or_insert(topic);
        if place.version < topic.version {
            *place = topic;
        }
    }
    let rows: Vec<_> = latest
        .into_values()
        .map(|topic| {
            [
                Value::Text(&topic.tenant),
                Value::Text(topic.kind),
                Value::Text(&topic.name),
                Value::Integer(topic.version),
                Value::Optional(topic.deleted_at),
                Value::Bytes(&topic.document),
            ]
        })
        .collect();
    let insert = "insert into topics (tenant, kind, topic, version, deleted_at, document) values";
    let or_update = "on conflict (tenant, kind, topic) do update set
             version = excluded.version, deleted_at = excluded.deleted_at, document = excluded.document
         where topics.version < excluded.version";
    transaction.write_rows((insert, or_update), &rows).await
}

/// Forgets all topics, before the feed that tells of them is heard again.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.execute("delete from topics", &[]).await?;
    Ok(())
}

impl Reader {
    /// The themes of a tenant that stand, by name.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn themes(&self, tenant: &str) -> Result<Vec<Theme>, Error> {
        let text = "select document from topics where tenant = $1 and kind = $2 and deleted_at is null order by topic";
        let rows = sqlx::query(text).bind(tenant).bind(THEME).fetch_all(&self.database.reader).await?;
        rows.iter().map(|row| read(row.try_get(0)?, "a theme")).collect()
    }

    /// A theme that stands.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn theme(&self, tenant: &str, name: &str) -> Result<Option<Theme>, Error> {
        self.topic(tenant, THEME, name).await?.map(|document| read(&document, name)).transpose()
    }

    /// An improvement that stands.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn improvement(&self, tenant: &str, name: &str) -> Result<Option<Improvement>, Error> {
        self.topic(tenant, IMPROVEMENT, name).await?.map(|document| read(&document, name)).transpose()
    }

    async fn topic(&self, tenant: &str, kind: &str, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let text = "select document from topics where tenant = $1 and kind = $2 and topic = $3 and deleted_at is null";
        let select = sqlx::query(text).bind(tenant).bind(kind).bind(name);
        let row = select.fetch_optional(&self.database.reader).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

fn read<M: prost::Message + Default>(document: &[u8], name: &str) -> Result<M, Error> {
    M::decode(document).map_err(|error| Error::Damaged(format!("`{name}`: {error}")))
}
