//! Duplicates.

use contracts::accounts::v1::*;
use prost_types::FieldMask;
use tests::{Suite, ask, refusal};
use tonic::{Code, Status};

use super::{Accounts, Client, Contacts, create, create_contact, prospect, two_prospects};
use crate::standard::{Sample as _, assert_invalid, assert_not_found, assert_outdated, assert_refused};

async fn merge(client: &mut Client, name: &str, into: &str) -> Result<Account, Status> {
    let (name, into) = (format!("accounts/{name}"), format!("accounts/{into}"));
    let request = MergeAccountRequest { name, into, request_id: "r_1".to_owned(), ..MergeAccountRequest::default() };
    Ok(client.merge_account(ask(request)).await?.into_inner().account.unwrap())
}

#[tokio::test]
async fn a_duplicate_is_merged_once_and_takes_no_more_changes() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    two_prospects(&mut client).await;
    create_contact(&mut client, "ann", Contacts::sample()).await;
    let merged = merge(&mut client, "acme", "zenith").await.unwrap();
    assert_eq!((merged.state(), merged.merged_into.as_str()), (AccountState::Merged, "accounts/zenith"));
    assert_eq!(merge(&mut client, "acme", "zenith").await.unwrap(), merged, "a retry");

    let gone = |answer: Result<_, Status>| assert_refused(answer, Code::FailedPrecondition, "ACCOUNT_GONE", &[]);
    let name = || "accounts/acme".to_owned();
    let update = UpdateAccountRequest {
        account: Some(Account { name: name(), segment: "gold".to_owned(), ..Account::default() }),
        update_mask: Some(FieldMask { paths: vec!["segment".to_owned()] }),
        request_id: String::new(),
    };
    gone(client.update_account(ask(update)).await.map(drop));
    let contact = CreateContactRequest { parent: name(), contact: Some(Contacts::sample()), ..Default::default() };
    gone(client.create_contact(ask(contact)).await.map(drop));
    let ann = Contact { name: "accounts/acme/contacts/ann".to_owned(), role: "sales".to_owned(), ..Default::default() };
    let update = UpdateContactRequest { contact: Some(ann), ..UpdateContactRequest::default() };
    gone(client.update_contact(ask(update)).await.map(drop));
    let again = MergeAccountRequest { name: name(), into: "accounts/zenith".to_owned(), ..Default::default() };
    gone(client.merge_account(ask(again)).await.map(drop));
    create(&mut client, "late", prospect()).await;
    let into_merged = MergeAccountRequest { name: "accounts/late".to_owned(), into: name(), ..Default::default() };
    gone(client.merge_account(ask(into_merged)).await.map(drop));

    // A name that is gone is taken for ever.
    let request =
        CreateAccountRequest { account_id: "acme".to_owned(), account: Some(Accounts::sample()), ..Default::default() };
    assert_refused(client.create_account(ask(request)).await, Code::AlreadyExists, "ALREADY_EXISTS", &[]);
}

#[tokio::test]
async fn a_merge_needs_two_accounts_in_one_currency() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    two_prospects(&mut client).await;
    create(&mut client, "dollars", Account { currency_code: "USD".to_owned(), ..Accounts::sample() }).await;
    assert_invalid(merge(&mut client, "acme", "acme").await, &["into"]);
    assert_invalid(merge(&mut client, "acme", "-").await, &["into"]);
    assert_not_found(merge(&mut client, "acme", "nobody").await);
    assert_not_found(merge(&mut client, "nobody", "acme").await);
    let refused = merge(&mut client, "acme", "dollars").await.unwrap_err();
    let expected = (Code::FailedPrecondition, "ERROR_REASON_CURRENCY_MISMATCH".to_owned(), vec![]);
    assert_eq!(refusal(&refused), expected);
    let outdated = MergeAccountRequest {
        name: "accounts/acme".to_owned(),
        etag: "1-1".to_owned(),
        into: "accounts/zenith".to_owned(),
        ..MergeAccountRequest::default()
    };
    assert_outdated(client.merge_account(ask(outdated)).await);
    assert!(merge(&mut client, "acme", "zenith").await.is_ok());
}
