//! What an account is and how its life goes.

use contracts::accounts::v1::{Account, AccountState, Closure};
use contracts::common::v1::ErrorReason;
use methods::{
    Collection, Guard, Index, Kind, Violations, account_gone, account_name, from_micros, not_found, state_conflict,
};
use prost::Message as _;
use prost_types::Timestamp;
use runtime::{Fault, Tenant};
use store::{Key, Rows, Table};
use tonic::Code;

pub(crate) static TABLE: Table = Table { name: "accounts" };

/// What an account is.
pub(crate) static ACCOUNT: Kind<Account> = Kind {
    name: "account",
    table: &TABLE,
    collection: Collection::Accounts,
    updatable: &["display_name", "open_time", "currency_code", "region_code", "segment", "referred_by"],
    check,
    as_new: |account| {
        account.closure = None;
        as_row(account);
    },
    as_row,
    derive,
    reading: None,
    index: |account| Index { state: account.state().as_str_name(), ..Index::default() },
    related: Kind::<Account>::unrelated,
    rules,
};

fn check(account: &Account, violations: &mut Violations) {
    if account.state() == AccountState::Erased {
        return;
    }
    violations.text("display_name", &account.display_name, 1, 256);
    violations.currency("currency_code", &account.currency_code);
    violations.text("region_code", &account.region_code, 0, 64);
    violations.text("segment", &account.segment, 0, 64);
    violations.time("open_time", account.open_time.as_ref());
    violations.reference("referred_by", &account.referred_by, Collection::Accounts);
    if let Some(closure) = &account.closure {
        violations.within("closure", |violations| {
            violations.required_time("close_time", closure.close_time.as_ref());
            let open_time = account.open_time.as_ref();
            violations.in_order("close_time", closure.close_time.as_ref(), "open_time", open_time);
            violations.party("party", closure.party);
            violations.text("reason", &closure.reason, 0, 1_024);
        });
    }
}

fn as_row(account: &mut Account) {
    account.state = 0;
    account.merged_into.clear();
}

fn derive(account: &mut Account) {
    let state = match account.state() {
        gone @ (AccountState::Erased | AccountState::Merged) => gone,
        _ if account.closure.is_some() => AccountState::Closed,
        _ if account.open_time.is_some() => AccountState::Active,
        _ => AccountState::Prospect,
    };
    account.set_state(state);
}

/// One that was merged or erased takes no more changes.
fn rules(guard: &mut Guard<'_, '_, Account>) -> Result<(), Fault> {
    guard.old.map_or(Ok(()), |old| still_there(guard.name, old))
}

fn still_there(name: &str, account: &Account) -> Result<(), Fault> {
    match account.state() {
        AccountState::Merged => Err(account_gone(name, "merged")),
        AccountState::Erased => Err(account_gone(name, "erased")),
        _ => Ok(()),
    }
}

/// The key of the account that something belongs to.
pub(crate) fn owner(tenant: &Tenant, key: &Key) -> Key {
    Collection::Accounts.key(&TABLE, tenant, &key.account, "")
}

/// Refuses what belongs to an account that is not there or takes no more changes.
pub(crate) fn check_owner(rows: &Rows<'_>, key: &Key) -> Result<(), Fault> {
    let name = account_name(&key.account);
    let owner = Key { table: TABLE.name, id: String::new(), ..key.clone() };
    let row = rows.get(&owner).filter(|row| row.deleted_at.is_none());
    still_there(&name, &ACCOUNT.load(row.ok_or_else(|| not_found("account", &name))?)?)
}

/// Begins the relationship with a prospect.
pub(crate) fn open(account: &mut Account, at: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect(account, &[AccountState::Prospect], "opened")?;
    account.open_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Ends the relationship.
pub(crate) fn close(account: &mut Account, closure: Option<Closure>, now: i64) -> Result<(), Fault> {
    expect(account, &[AccountState::Prospect, AccountState::Active], "closed")?;
    let mut closure = closure.unwrap_or_default();
    closure.close_time.get_or_insert_with(|| from_micros(now));
    account.closure = Some(closure);
    Ok(())
}

/// Takes a closed account up again.
pub(crate) fn reopen(account: &mut Account) -> Result<(), Fault> {
    expect(account, &[AccountState::Closed], "reopened")?;
    account.closure = None;
    Ok(())
}

/// Merges a duplicate into another account, which must be there.
pub(crate) fn merge(account: &mut Account, into: &str, rows: &Rows<'_>, into_key: &Key) -> Result<(), Fault> {
    let target = rows.get(into_key).filter(|row| row.deleted_at.is_none());
    let target = ACCOUNT.load(target.ok_or_else(|| not_found("account", into))?)?;
    still_there(into, &target)?;
    still_there(&account.name, account)?;
    if account.currency_code != target.currency_code {
        return Err(currency_mismatch(&account.currency_code, &target.currency_code));
    }
    account.merged_into = into.to_owned();
    account.set_state(AccountState::Merged);
    Ok(())
}

fn currency_mismatch(code: &str, account_code: &str) -> Fault {
    let message = format!("accounts in {code} and {account_code} cannot be one");
    Fault::new(Code::FailedPrecondition, ErrorReason::CurrencyMismatch.as_str_name(), message)
        .with("currency_code", code)
        .with("account_currency_code", account_code)
}

/// Empties an account of everything but its name and how its life went. Who answers for a duplicate remains too.
pub(crate) fn erase(account: &mut Account) {
    *account = Account {
        name: std::mem::take(&mut account.name),
        etag: std::mem::take(&mut account.etag),
        currency_code: std::mem::take(&mut account.currency_code),
        open_time: account.open_time,
        closure: account.closure.take().map(|closure| Closure { reason: String::new(), ..closure }),
        merged_into: std::mem::take(&mut account.merged_into),
        ..Account::default()
    };
    account.set_state(AccountState::Erased);
}

/// The same for a document of the past.
pub(crate) fn redact(document: &[u8]) -> Vec<u8> {
    let mut account = Account::decode(document).unwrap_or_default();
    let state = account.state;
    erase(&mut account);
    account.state = state;
    account.encode_to_vec()
}

fn expect(account: &Account, states: &[AccountState], wanted: &'static str) -> Result<(), Fault> {
    if states.contains(&account.state()) {
        return Ok(());
    }
    Err(state_conflict(&account.name, account.state().as_str_name(), wanted))
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::Party;

    use super::*;

    fn closed_by_customer() -> Closure {
        Closure { party: Party::Customer.into(), ..Closure::default() }
    }

    fn account() -> Account {
        let mut account =
            Account { display_name: "Acme".to_owned(), currency_code: "EUR".to_owned(), ..Account::default() };
        derive(&mut account);
        account
    }

    #[test]
    fn a_life_goes_from_prospect_to_active_to_closed_and_back() {
        let mut account = account();
        assert_eq!(account.state(), AccountState::Prospect);
        open(&mut account, None, 1_000_000).unwrap();
        derive(&mut account);
        assert_eq!(account.state(), AccountState::Active);
        assert!(open(&mut account, None, 2_000_000).is_err());
        close(&mut account, Some(closed_by_customer()), 3_000_000).unwrap();
        derive(&mut account);
        assert_eq!(account.state(), AccountState::Closed);
        assert_eq!(account.closure.as_ref().unwrap().close_time, Some(from_micros(3_000_000)));
        reopen(&mut account).unwrap();
        derive(&mut account);
        assert_eq!(account.state(), AccountState::Active);
    }

    #[test]
    fn erasing_leaves_no_personal_data_now_or_in_the_past() {
        let mut account = account();
        account.segment = "gold".to_owned();
        account.closure = Some(Closure { reason: "moved to Bern".to_owned(), ..closed_by_customer() });
        let past = Account::decode(redact(&account.encode_to_vec()).as_slice()).unwrap();
        erase(&mut account);
        for (account, state) in [(account, AccountState::Erased), (past, AccountState::Prospect)] {
            assert_eq!(account.state(), state);
            assert_eq!((account.display_name.as_str(), account.segment.as_str()), ("", ""));
            assert_eq!(account.closure.unwrap().reason, "");
        }
    }

    #[test]
    fn a_closure_before_the_opening_is_refused() {
        let mut account = account();
        account.open_time = Some(from_micros(2_000_000));
        account.closure = Some(Closure { close_time: Some(from_micros(1_000_000)), ..closed_by_customer() });
        let mut violations = Violations::default();
        check(&account, &mut violations);
        assert_eq!(violations.finish().unwrap_err().violations()[0].field, "closure.close_time");
    }
}
