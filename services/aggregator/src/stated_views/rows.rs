//! Stated views as they are stored, and how they are erased.

use std::collections::BTreeSet;

use contracts::assessments::v1::StatedView;
use contracts::common::v1::ErrorReason;
use methods::{
    Collection, Guard, Index, Kind, Meta, Methods, Resource as _, Violations, account_gone, account_name, to_micros,
};
use prost::Message as _;
use runtime::{Fault, Tenant, Violation};
use store::{Command, Draft, Error, Key, ListQuery, Table};

use super::StatedViews;
use crate::{
    store::{DocumentRow, Reader},
    tables::AccountKey,
};

/// The views.
pub(crate) const VIEWS: Table = Table { name: "stated_views" };
/// A note for each account that was erased.
pub(crate) const ERASED: Table = Table { name: "erased_accounts" };

/// How many views are erased in one transaction.
const VIEWS_PER_TRANSACTION: u32 = 500;

pub(super) static VIEW: Kind<StatedView> = Kind {
    name: "stated_view",
    table: &VIEWS,
    collection: Collection::OfAccount("statedViews"),
    updatable: &[],
    check,
    as_new: |_| {},
    as_row: |_| {},
    derive: |_| {},
    reading: None,
    index: |_| Index::default(),
    related: |tenant, key, _| vec![note(tenant, &key.account)],
    rules,
};

pub(super) fn check(view: &StatedView, violations: &mut Violations) {
    violations.text("author", &view.author, 1, 128);
    if view.rating.is_none() {
        violations.add("rating", "is required");
    }
    violations.number("rating", view.rating, 0.0, 100.0);
    violations.text("reason", &view.reason, 1, 2_048);
    violations.required_time("expire_time", view.expire_time.as_ref());
}

/// What is wrong with the time until which a view is to hold, if anything.
pub(super) fn expired(view: &StatedView, now: i64) -> Option<&'static str> {
    // What is no time at all is told by the check.
    let expire_time = view.expire_time.as_ref().filter(|time| time.seconds >= 0)?;
    (to_micros(expire_time) <= now).then_some("must be after now")
}

fn rules(guard: &mut Guard<'_, '_, StatedView>) -> Result<(), Fault> {
    // Whether the account was erased is told by a note that its erasure leaves before it looks for views to erase.
    let note = Key { table: ERASED.name, id: String::new(), ..guard.key.clone() };
    if guard.rows.get(&note).is_some() {
        return Err(account_gone(&account_name(&guard.key.account), "erased"));
    }
    match expired(guard.new, guard.rows.now()) {
        None => Ok(()),
        Some(problem) => {
            let violation = Violation::new("stated_view.expire_time", problem);
            Err(Fault::invalid(ErrorReason::InvalidFields.as_str_name(), vec![violation]))
        }
    }
}

fn note(tenant: &Tenant, account: &str) -> Key {
    note_of(tenant.as_str(), account)
}

fn note_of(tenant: &str, account: &str) -> Key {
    Key { table: ERASED.name, tenant: tenant.to_owned(), account: account.to_owned(), id: String::new() }
}

impl StatedViews {
    /// Reads all views that are stored, and who was merged into whom.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn load(reader: &Reader) -> Result<Self, Error> {
        let views = Self::default();
        for row in reader.documents(&ERASED).await? {
            views.forget(&row.tenant, &row.account);
        }
        for row in reader.documents(&VIEWS).await? {
            views.take(&row)?;
        }
        for (tenant, duplicate, into) in reader.merges().await? {
            views.merge(&tenant, &duplicate, &into);
        }
        Ok(views)
    }
}

impl StatedViews {
    /// Holds the view in a row.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn take(&self, row: &DocumentRow) -> Result<(), Error> {
        let mut view = StatedView::decode(row.document.as_slice())
            .map_err(|error| Error::Damaged(format!("the stated view `{}`: {error}", row.id)))?;
        view.stamp(Meta {
            name: VIEW.collection.name(&row.account, &row.id),
            created_at: row.created_at,
            recorded_at: row.recorded_at,
            deleted_at: row.deleted_at,
            version: row.version,
        });
        self.hold(&row.tenant, &row.account, view);
        Ok(())
    }
}

/// Erases all views of accounts, from the store's own feed and kept answers too, and lets none be stated any more. What is
/// erased already stays so, so it can be done again.
///
/// # Errors
/// The database's.
pub(crate) async fn erase(
    methods: &Methods,
    views: &StatedViews,
    accounts: &BTreeSet<AccountKey>,
) -> Result<(), Error> {
    if accounts.is_empty() {
        return Ok(());
    }
    let notes = accounts.iter().map(|(tenant, account)| {
        let key = note_of(tenant, account);
        Command {
            tenant: key.tenant.clone(),
            keys: vec![key.clone()],
            request: None,
            decide: Box::new(move |rows| {
                rows.put(key.clone(), nothing(false));
                Ok(key)
            }),
        }
    });
    all(methods, notes.collect()).await?;
    for (tenant, account) in accounts {
        let mut query = ListQuery {
            tenant: tenant.clone(),
            account: Some(account.clone()),
            limit: VIEWS_PER_TRANSACTION,
            show_deleted: true,
            ..ListQuery::default()
        };
        loop {
            let page = methods.store().list(&VIEWS, &query).await?;
            let commands = page.rows.into_iter().map(|row| Command {
                tenant: row.key.tenant.clone(),
                keys: vec![row.key.clone()],
                request: None,
                decide: Box::new(move |rows| {
                    rows.put(row.key.clone(), nothing(true));
                    rows.redact_past(row.key.clone(), |_| Vec::new());
                    Ok(row.key)
                }),
            });
            all(methods, commands.collect()).await?;
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        views.forget(tenant, account);
    }
    Ok(())
}

async fn all(methods: &Methods, commands: Vec<Command>) -> Result<(), Error> {
    methods.store().write_batch(commands).await?.into_iter().try_for_each(|written| written.map(|_| ()))
}

fn nothing(deleted: bool) -> Draft {
    Draft { state: String::new(), label: String::new(), happened_at: 0, deleted, document: Vec::new() }
}
