//! Get, batch get and list.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use contracts::common::v1::{ErrorReason, FreshnessToken};
use prost_types::Timestamp;
use runtime::{Fault, Violation};
use store::{ListQuery, Mark, PageToken};

use crate::{
    Call, Collection, Kind, Methods, Resource, Violations, account_id, not_found, store_fault, to_micros, token,
};

/// No label is longer than this, in characters.
const LONGEST_LABEL: usize = 128;

/// What a list asks for.
#[derive(Debug, Default)]
pub struct ListAsk {
    /// `accounts/{account}` or `accounts/-`; empty for resources of the tenant and for accounts.
    pub parent: String,
    /// As asked; see [`page_size`].
    pub page_size: i32,
    /// As asked.
    pub page_token: String,
    /// As asked.
    pub show_deleted: bool,
    /// The state, or any.
    pub state: StateFilter,
    /// What the contract calls it; `state` if empty.
    pub state_field: &'static str,
    /// The label, or nothing.
    pub label: String,
    /// What the contract calls it.
    pub label_field: &'static str,
    /// What the contract calls the time that `from` and `before` are about; `happen_time` if empty.
    pub time_field: &'static str,
    /// From when.
    pub from: Option<Timestamp>,
    /// Until before when.
    pub before: Option<Timestamp>,
}

/// The state that a list is narrowed to, as asked.
#[derive(Debug, Default)]
pub struct StateFilter {
    value: i32,
    name: Option<&'static str>,
}

impl StateFilter {
    /// The state of this number in the contract, or any if it is 0. `name` is the enum's `as_str_name`.
    pub fn new<E: TryFrom<i32>>(value: i32, name: fn(&E) -> &'static str) -> Self {
        Self { value, name: E::try_from(value).ok().filter(|_| value != 0).map(|state| name(&state)) }
    }
}

/// How many rows a page has: 50 if nothing is asked, at most 1,000.
pub fn page_size(asked: i32) -> u32 {
    match asked {
        ..=0 => 50,
        asked => asked.min(1_000) as u32,
    }
}

impl Methods {
    /// Returns a resource.
    ///
    /// # Errors
    /// As the contract says of the `Get` methods.
    pub async fn get<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        name: &str,
        show_deleted: bool,
    ) -> Result<(T, Option<FreshnessToken>), Fault> {
        let Some(key) = kind.key(&call.tenant, name) else {
            let mut violations = Violations::default();
            violations.add("name", format!("must be a name such as `{}`", kind.collection.pattern()));
            violations.finish()?;
            return Err(not_found(kind.name, name));
        };
        // The position is read first: what is read after it includes at least that much.
        let freshness = self.read_mark(&[store::partition(&key.tenant, &key.account)]).await?;
        let row = self.store().get(&key).await.map_err(store_fault)?;
        let row = row.filter(|row| show_deleted || row.deleted_at.is_none());
        let row = row.ok_or_else(|| not_found(kind.name, name))?;
        Ok((kind.load(&row)?, Some(freshness)))
    }

    /// Returns several resources, in the order of their names.
    ///
    /// # Errors
    /// As the contract says of the `BatchGet` methods.
    pub async fn batch_get<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        names: &[String],
    ) -> Result<(Vec<T>, Option<FreshnessToken>), Fault> {
        let mut violations = Violations::default();
        if names.is_empty() {
            violations.add("names", "is required");
        }
        violations.at_most("names", names.len(), 1_000);
        let mut keys = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            match kind.key(&call.tenant, name) {
                Some(key) => keys.push(key),
                None => violations
                    .add(&format!("names[{index}]"), format!("must be a name such as `{}`", kind.collection.pattern())),
            }
        }
        violations.finish()?;
        let partitions: Vec<u32> = keys.iter().map(|key| store::partition(&key.tenant, &key.account)).collect();
        let freshness = self.read_mark(&partitions).await?;
        let rows = self.store().batch_get(&keys).await.map_err(store_fault)?;
        let mut resources = Vec::with_capacity(keys.len());
        for (key, name) in keys.iter().zip(names) {
            let row = rows.get(key).filter(|row| row.deleted_at.is_none());
            resources.push(kind.load(row.ok_or_else(|| not_found(kind.name, name))?)?);
        }
        Ok((resources, Some(freshness)))
    }

    /// Returns a page of resources and the token of the next.
    ///
    /// # Errors
    /// As the contract says of the `List` methods.
    pub async fn list<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        ask: ListAsk,
    ) -> Result<(Vec<T>, String, Option<FreshnessToken>), Fault> {
        let mut violations = Violations::default();
        let account = match (kind.collection, ask.parent.as_str()) {
            (Collection::OfTenant(_), _) => Some(String::new()),
            (Collection::Accounts, _) | (Collection::OfAccount(_), "accounts/-") => None,
            (Collection::OfAccount(_), parent) => {
                if account_id(parent).is_none() {
                    violations.add("parent", "must be a name such as `accounts/{account}`, or `accounts/-`");
                }
                account_id(parent).map(str::to_owned)
            }
        };
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        if ask.state.value != 0 && ask.state.name.is_none() {
            let state_field = if ask.state_field.is_empty() { "state" } else { ask.state_field };
            violations.add(state_field, format!("has no value {}", ask.state.value));
        }
        violations.text(ask.label_field, &ask.label, 0, LONGEST_LABEL);
        let time_field = if ask.time_field.is_empty() { "happen_time" } else { ask.time_field };
        violations.time(&format!("{time_field}_from"), ask.from.as_ref());
        violations.time(&format!("{time_field}_before"), ask.before.as_ref());
        violations.finish()?;

        let mut query = ListQuery {
            tenant: call.tenant.as_str().to_owned(),
            account,
            after: None,
            limit: page_size(ask.page_size),
            show_deleted: ask.show_deleted,
            state: ask.state.name.map(str::to_owned),
            label: (!ask.label.is_empty()).then_some(ask.label),
            happened_from: ask.from.as_ref().map(to_micros),
            happened_before: ask.before.as_ref().map(to_micros),
        };
        let list = list_fingerprint(&(
            (kind.table.name, &query.tenant, &query.account, query.show_deleted),
            (&query.state, &query.label, query.happened_from, query.happened_before),
        ));
        if !ask.page_token.is_empty() {
            query.after = Some(after(&ask.page_token, list)?);
        }
        let partitions: Vec<u32> = match &query.account {
            Some(account) => vec![store::partition(&query.tenant, account)],
            None => (0..store::PARTITIONS).collect(),
        };
        let freshness = self.read_mark(&partitions).await?;
        let page = self.store().list(kind.table, &query).await.map_err(store_fault)?;
        let resources = page.rows.iter().map(|row| kind.load(row)).collect::<Result<_, _>>()?;
        let next =
            page.next.map_or(String::new(), |(account, id)| PageToken { list, after: vec![account, id] }.encode());
        Ok((resources, next, Some(freshness)))
    }

    pub(crate) async fn read_mark(&self, partitions: &[u32]) -> Result<FreshnessToken, Fault> {
        let positions = self.store().positions().await.map_err(store_fault)?;
        let seen = positions.iter().filter(|entry| entry.position > 0 && partitions.contains(&entry.partition));
        Ok(token(
            seen.map(|entry| Mark { feed: self.feed.to_owned(), partition: entry.partition, position: entry.position })
                .collect(),
        ))
    }
}

/// Tells one list from another by all that was asked but the page.
pub fn list_fingerprint(asked: &impl Hash) -> u64 {
    // Tokens live for minutes and one version of the program, so the standard hasher will do: it has fixed keys.
    let mut hasher = DefaultHasher::new();
    asked.hash(&mut hasher);
    hasher.finish()
}

fn after(page_token: &str, list: u64) -> Result<(String, String), Fault> {
    let token = PageToken::decode(page_token, list).ok();
    token.and_then(|token| <[String; 2]>::try_from(token.after).ok()).map(|[account, id]| (account, id)).ok_or_else(
        || {
            Fault::invalid(
                ErrorReason::PageTokenInvalid.as_str_name(),
                vec![Violation::new("page_token", "is not the `next_page_token` of a page of this list")],
            )
        },
    )
}
