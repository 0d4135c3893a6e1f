//! Which currency an account's orders are in: the one that its orders are in already, else the one that the accounts
//! service says.

use std::{future::Future, pin::Pin};

use contracts::common::v1::ErrorReason;
use methods::{Collection, store_fault};
use runtime::{Fault, Tenant};
use store::{Command, Draft, Key, ListQuery, Row, Rows, Store, Table};
use tonic::Code;

use crate::order;

pub(crate) static TABLE: Table = Table { name: "account_currencies" };

/// The accounts service says so; no order stands.
const BY_ACCOUNT: &str = "account";
/// An order is in it. The row's document is what the accounts service says.
const BY_ORDER: &str = "order";
/// As [`BY_ORDER`], while it is looked up whether an order still stands.
const IN_QUESTION: &str = "in_question";

/// How many accounts are settled in one transaction.
const ACCOUNTS_PER_TRANSACTION: usize = 500;

/// The key of an account's currency.
pub(crate) fn key(tenant: &Tenant, account: &str) -> Key {
    Collection::Accounts.key(&TABLE, tenant, account, "")
}

/// Refuses an order in another currency than its account's. The account's first order settles the matter.
pub(crate) fn check(rows: &mut Rows<'_>, account_currency: Key, currency_code: &str) -> Result<(), Fault> {
    let row = known(rows, &account_currency);
    if let Some(row) = row
        && row.state != currency_code
    {
        return Err(mismatch(currency_code, &row.state));
    }
    // Mostly it is settled already.
    if row.is_none_or(|row| row.label != BY_ORDER) {
        let said = row.map(said_by_account).unwrap_or_default();
        rows.put_unfed(account_currency, draft(currency_code, BY_ORDER, said));
    }
    Ok(())
}

/// Notes what the accounts service says, unless the account's orders say otherwise.
pub(crate) fn learn(rows: &mut Rows<'_>, account_currency: Key, currency_code: &str) {
    let draft = match known(rows, &account_currency) {
        Some(Row { state, label, .. }) if label != BY_ACCOUNT => {
            if state != currency_code {
                tracing::warn!(
                    tenant = account_currency.tenant,
                    account.id = account_currency.account,
                    account.currency_code = currency_code,
                    orders.currency_code = state,
                    "an account is in another currency than its orders, which stay as they are"
                );
            }
            draft(state, label, currency_code.as_bytes().to_vec())
        }
        _ => draft(currency_code, BY_ACCOUNT, Vec::new()),
    };
    rows.put_unfed(account_currency, draft);
}

/// Leaves the currency of accounts of which no order stands any more to what the accounts service says. For orders that
/// were taken back: they never were.
pub(crate) fn settle(
    store: Store,
    tenant: Tenant,
    accounts: Vec<String>,
) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>> {
    Box::pin(async move {
        for accounts in accounts.chunks(ACCOUNTS_PER_TRANSACTION) {
            settle_some(&store, &tenant, accounts).await.map_err(store_fault)?;
        }
        Ok(())
    })
}

async fn settle_some(store: &Store, tenant: &Tenant, accounts: &[String]) -> Result<(), store::Error> {
    let keys: Vec<Key> = accounts.iter().map(|account| key(tenant, account)).collect();
    let rows = store.batch_get(&keys).await?;
    let settled_by_order = |row: &Row| row.deleted_at.is_none() && row.label != BY_ACCOUNT;
    let keys: Vec<Key> = rows.into_values().filter(settled_by_order).map(|row| row.key).collect();

    // An order that comes while we look settles the matter again: then the question is not open any more.
    let questions = keys.iter().map(|key| change(key, |row| draft(&row.state, IN_QUESTION, said_by_account(row))));
    wait(store, questions.collect()).await?;
    let mut answers = Vec::with_capacity(keys.len());
    for key in &keys {
        let orders = ListQuery {
            tenant: key.tenant.clone(),
            account: Some(key.account.clone()),
            limit: 1,
            ..ListQuery::default()
        };
        let stands = !store.list(&order::TABLE, &orders).await?.rows.is_empty();
        answers.push(change(key, move |row| answer(row, stands)));
    }
    wait(store, answers).await
}

fn answer(row: &Row, stands: bool) -> Draft {
    let said = said_by_account(row);
    match std::str::from_utf8(&said) {
        _ if row.label != IN_QUESTION => draft(&row.state, &row.label, said),
        _ if stands => draft(&row.state, BY_ORDER, said),
        Ok(code) if !code.is_empty() => draft(code, BY_ACCOUNT, Vec::new()),
        // Nobody has said anything yet.
        _ => Draft { deleted: true, ..draft(&row.state, BY_ACCOUNT, Vec::new()) },
    }
}

/// The command that changes an account's currency, which is there.
fn change(key: &Key, to: impl FnOnce(&Row) -> Draft + Send + 'static) -> Command {
    let key = key.clone();
    Command {
        tenant: key.tenant.clone(),
        keys: vec![key.clone()],
        request: None,
        decide: Box::new(move |rows| {
            if let Some(draft) = rows.get(&key).map(to) {
                rows.put_unfed(key.clone(), draft);
            }
            Ok(key)
        }),
    }
}

async fn wait(store: &Store, commands: Vec<Command>) -> Result<(), store::Error> {
    store.write_batch(commands).await?.into_iter().try_for_each(|written| written.map(drop))
}

fn known<'a>(rows: &'a Rows<'_>, account_currency: &Key) -> Option<&'a Row> {
    rows.get(account_currency).filter(|row| row.deleted_at.is_none())
}

/// The currency that the accounts service says, as the row's document keeps it; empty if it has said nothing.
fn said_by_account(row: &Row) -> Vec<u8> {
    if row.label == BY_ACCOUNT { row.state.as_bytes().to_vec() } else { row.document.clone() }
}

/// FAILED_PRECONDITION: the amount is in another currency than the account's orders.
pub(crate) fn mismatch(currency_code: &str, account_currency_code: &str) -> Fault {
    Fault::new(
        Code::FailedPrecondition,
        ErrorReason::CurrencyMismatch.as_str_name(),
        format!("the amount is in {currency_code}, the account's orders are in {account_currency_code}"),
    )
    .with("currency_code", currency_code)
    .with("account_currency_code", account_currency_code)
}

fn draft(currency_code: &str, label: &str, said_by_account: Vec<u8>) -> Draft {
    Draft {
        state: currency_code.to_owned(),
        label: label.to_owned(),
        happened_at: 0,
        deleted: false,
        document: said_by_account,
    }
}
