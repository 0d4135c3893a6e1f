//! Resource names: `accounts/{account}/orders/{order}`, `themes/{theme}`.

use runtime::Tenant;
use store::{Key, Table};
use uuid::Uuid;

/// The collection that a kind of resource lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// `accounts/{account}`.
    Accounts,
    /// `accounts/{account}/NAME/{id}`.
    OfAccount(&'static str),
    /// `NAME/{id}`.
    OfTenant(&'static str),
}

/// Whether a text can be an id: 1 to 128 of letters, digits and `-_.~`, not only dots.
pub fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        && text != "-"
        && text.bytes().any(|byte| byte != b'.')
}

/// Chooses an id. Ids are ordered by time, which keeps the newest rows together.
pub fn new_id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Returns the id in `accounts/{account}`.
pub fn account_id(name: &str) -> Option<&str> {
    name.strip_prefix("accounts/").filter(|id| is_id(id))
}

/// Returns the id of the account in the name of anything that belongs to one.
pub(crate) fn owning_account(name: &str) -> Option<&str> {
    name.strip_prefix("accounts/")?.split('/').next().filter(|id| is_id(id))
}

/// Returns `accounts/{account}`.
pub fn account_name(account: &str) -> String {
    format!("accounts/{account}")
}

impl Collection {
    /// Returns the account and the id in a resource name of this collection.
    pub fn parse<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let parts: Vec<&str> = name.split('/').collect();
        match (self, parts.as_slice()) {
            (Self::Accounts, ["accounts", account]) if is_id(account) => Some((account, "")),
            (Self::OfAccount(collection), ["accounts", account, middle, id])
                if middle == collection && is_id(account) && is_id(id) =>
            {
                Some((account, id))
            }
            (Self::OfTenant(collection), [first, id]) if first == collection && is_id(id) => Some(("", id)),
            _ => None,
        }
    }

    /// Returns the resource name.
    pub fn name(&self, account: &str, id: &str) -> String {
        match self {
            Self::Accounts => format!("accounts/{account}"),
            Self::OfAccount(collection) => format!("accounts/{account}/{collection}/{id}"),
            Self::OfTenant(collection) => format!("{collection}/{id}"),
        }
    }

    /// What a name looks like, for messages.
    pub fn pattern(&self) -> String {
        match self {
            Self::Accounts => "accounts/{account}".to_owned(),
            Self::OfAccount(collection) => format!("accounts/{{account}}/{collection}/{{id}}"),
            Self::OfTenant(collection) => format!("{collection}/{{id}}"),
        }
    }

    /// Returns the key of a resource of this collection.
    pub fn key(&self, table: &'static Table, tenant: &Tenant, account: &str, id: &str) -> Key {
        Key { table: table.name, tenant: tenant.as_str().to_owned(), account: account.to_owned(), id: id.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let orders = Collection::OfAccount("orders");
        assert_eq!(orders.parse(&orders.name("acme", "o_1")), Some(("acme", "o_1")));
        assert_eq!(Collection::Accounts.parse("accounts/acme"), Some(("acme", "")));
        assert_eq!(Collection::OfTenant("themes").parse("themes/speed"), Some(("", "speed")));
    }

    #[test]
    fn other_names_are_refused() {
        let orders = Collection::OfAccount("orders");
        for name in [
            "",
            "orders/1",
            "accounts//orders/1",
            "accounts/a/orders/",
            "accounts/a/orders/1/",
            "accounts/-/orders/1",
            "accounts/a b/orders/1",
            "accounts/../orders/1",
        ] {
            assert_eq!(orders.parse(name), None, "{name}");
        }
        assert!(!is_id(&"x".repeat(129)));
        assert!(!is_id("é"));
    }
}
