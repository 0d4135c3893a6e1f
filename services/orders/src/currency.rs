//! Which currency an account's orders are in: the one that its orders are in already, else the one that the accounts
//! service says.

use contracts::common::v1::ErrorReason;
use methods::Collection;
use runtime::{Fault, Tenant};
use store::{Draft, Key, Row, Rows, Table};
use tonic::Code;

pub(crate) static TABLE: Table = Table { name: "account_currencies" };

/// The accounts service says so; no order has come yet.
const BY_ACCOUNT: &str = "account";
/// An order is in it.
const BY_ORDER: &str = "order";

/// The key of an account's currency.
pub(crate) fn key(tenant: &Tenant, account: &str) -> Key {
    Collection::Accounts.key(&TABLE, tenant, account, "")
}

/// Refuses an order in another currency than its account's. The account's first order settles the matter.
pub(crate) fn check(rows: &mut Rows<'_>, account_currency: Key, currency_code: &str) -> Result<(), Fault> {
    match rows.get(&account_currency) {
        Some(known) if known.state != currency_code => return Err(mismatch(currency_code, &known.state)),
        Some(known) if known.label == BY_ORDER && known.deleted_at.is_none() => {}
        _ => {
            rows.put_unfed(account_currency, draft(currency_code, BY_ORDER));
        }
    }
    Ok(())
}

/// Notes what the accounts service says, unless the account's orders say otherwise.
pub(crate) fn learn(rows: &mut Rows<'_>, account_currency: Key, currency_code: &str) {
    match rows.get(&account_currency) {
        Some(Row { state, label, .. }) if label == BY_ORDER => {
            if state != currency_code {
                tracing::warn!(
                    tenant = account_currency.tenant,
                    account.id = account_currency.account,
                    account.currency_code = currency_code,
                    orders.currency_code = state,
                    "an account is in another currency than its orders, which stay as they are"
                );
            }
        }
        _ => {
            rows.put_unfed(account_currency, draft(currency_code, BY_ACCOUNT));
        }
    }
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

fn draft(currency_code: &str, label: &str) -> Draft {
    Draft {
        state: currency_code.to_owned(),
        label: label.to_owned(),
        happened_at: 0,
        deleted: false,
        document: Vec::new(),
    }
}
