//! The one shape that all tables of resources have.

use crate::{Error, Found, Value};

/// How many bytes the parts of a key may have together: PostgreSQL's indexes take no more than 2,704.
const KEY_BYTES: usize = 2_048;

/// A table of resources, created by the service's migrations with exactly these columns:
///
/// `tenant text, account text, id text, version bigint, state text, label text, happened_at bigint, created_at bigint,
/// recorded_at bigint, deleted_at bigint null, document bytea`, with the primary key `(tenant, account, id)`.
///
/// Every key leads with tenant and account, so that the tables can be sharded by them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
}

/// Names a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The name of the table.
    pub table: &'static str,
    /// The tenant.
    pub tenant: String,
    /// The account, or empty for a resource of the tenant as a whole.
    pub account: String,
    /// The id within the account.
    pub id: String,
}

/// A resource as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What names it.
    pub key: Key,
    /// Grows by one with each change; 1 is the first.
    pub version: i64,
    /// The state, for filters.
    pub state: String,
    /// A second thing to filter by, whatever the table uses it for (a thread); often empty.
    pub label: String,
    /// When what it tells of happened, for filters, in microseconds since 1970.
    pub happened_at: i64,
    /// When it was first recorded.
    pub created_at: i64,
    /// When this version was recorded.
    pub recorded_at: i64,
    /// When it was deleted, while it is.
    pub deleted_at: Option<i64>,
    /// The resource itself, without what the other columns tell.
    pub document: Vec<u8>,
}

/// What a decision puts: a row without what the store itself gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// See [`Row::state`].
    pub state: String,
    /// See [`Row::label`].
    pub label: String,
    /// See [`Row::happened_at`].
    pub happened_at: i64,
    /// Whether the row is deleted.
    pub deleted: bool,
    /// See [`Row::document`].
    pub document: Vec<u8>,
}

impl Key {
    /// Tenant, account and id.
    pub(crate) fn values(&self) -> [Value<'_>; 3] {
        [Value::Text(&self.tenant), Value::Text(&self.account), Value::Text(&self.id)]
    }

    /// Checks that both databases can keep the key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_text(&self.tenant)?;
        check_text(&self.account)?;
        check_text(&self.id)?;
        if self.tenant.len() + self.account.len() + self.id.len() > KEY_BYTES {
            return Err(Error::Unstorable("an id is too long"));
        }
        Ok(())
    }
}

/// Checks that both databases can keep a text: PostgreSQL keeps all characters but one.
pub(crate) fn check_text(text: &str) -> Result<(), Error> {
    if text.contains('\0') { Err(Error::Unstorable("a text holds a NUL character")) } else { Ok(()) }
}

impl Row {
    /// The columns, in the order in which [`Row::read`] expects them.
    pub(crate) const COLUMNS: &'static str =
        "tenant, account, id, version, state, label, happened_at, created_at, recorded_at, deleted_at, document";
    /// How many columns there are.
    pub(crate) const WIDTH: usize = 11;

    pub(crate) fn read(table: &'static str, row: &Found<'_>) -> Result<Self, Error> {
        Ok(Self {
            key: Key { table, tenant: row.text(0)?, account: row.text(1)?, id: row.text(2)? },
            version: row.integer(3)?,
            state: row.text(4)?,
            label: row.text(5)?,
            happened_at: row.integer(6)?,
            created_at: row.integer(7)?,
            recorded_at: row.integer(8)?,
            deleted_at: row.optional(9)?,
            document: row.bytes(10)?,
        })
    }

    /// The columns' values, in the same order.
    pub(crate) fn values(&self) -> [Value<'_>; Self::WIDTH] {
        let [tenant, account, id] = self.key.values();
        [
            tenant,
            account,
            id,
            Value::Integer(self.version),
            Value::Text(&self.state),
            Value::Text(&self.label),
            Value::Integer(self.happened_at),
            Value::Integer(self.created_at),
            Value::Integer(self.recorded_at),
            Value::Optional(self.deleted_at),
            Value::Bytes(&self.document),
        ]
    }

    /// Whether the row already says what the draft says.
    pub(crate) fn says(&self, draft: &Draft) -> bool {
        self.document == draft.document
            && self.state == draft.state
            && self.label == draft.label
            && self.happened_at == draft.happened_at
            && self.deleted_at.is_some() == draft.deleted
    }
}
