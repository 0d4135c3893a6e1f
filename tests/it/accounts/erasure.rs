//! What is known of a person can always go, and does not come back.

use contracts::{accounts::v1::*, common::v1::FeedStart};
use tests::{Suite, ask, day};
use tonic::{Code, Status};

use super::{Accounts, Client, Contacts, create, create_contact, get, two_prospects};
use crate::feed::next_changes;
use crate::standard::{Sample as _, assert_outdated, assert_refused};

async fn erase_account(client: &mut Client, id: &str, etag: &str) -> Result<Account, Status> {
    let request = EraseAccountRequest { name: format!("accounts/{id}"), etag: etag.to_owned(), ..Default::default() };
    let answer = client.erase_account(ask(request)).await?.into_inner();
    assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
    Ok(answer.account.unwrap())
}

async fn erase_contact(client: &mut Client, id: &str, etag: &str) -> Result<Contact, Status> {
    let name = format!("accounts/acme/contacts/{id}");
    let request = EraseContactRequest { name, etag: etag.to_owned(), ..EraseContactRequest::default() };
    Ok(client.erase_contact(ask(request)).await?.into_inner().contact.unwrap())
}

async fn get_contact(client: &mut Client, id: &str) -> Contact {
    let request = GetContactRequest { name: format!("accounts/acme/contacts/{id}"), show_deleted: true };
    client.get_contact(ask(request)).await.unwrap().into_inner().contact.unwrap()
}

async fn delete_contact(client: &mut Client, id: &str) {
    let name = format!("accounts/acme/contacts/{id}");
    client.delete_contact(ask(DeleteContactRequest { name, ..Default::default() })).await.unwrap();
}

/// Reads the feed from its beginning, and returns it as text of which nothing may be readable.
async fn whole_feed(client: &mut Client, count: usize) -> String {
    let beginning = WatchAccountsRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_accounts(ask(beginning)).await.unwrap().into_inner();
    let (changes, _) = next_changes(&mut watch, count).await;
    format!("{changes:?}")
}

const WORDS: [&str; 7] = ["Acme", "gold", "dear", "Ann", "example.org", "123 4567", "purchasing"];

#[tokio::test]
async fn an_erased_account_takes_its_people_along_now_and_in_the_past() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    create(&mut client, "acme", Accounts::sample()).await;
    create_contact(&mut client, "ann", Contacts::sample()).await;
    create_contact(&mut client, "deleted", Contacts::sample()).await;
    delete_contact(&mut client, "deleted").await;
    let closure = Closure { close_time: day(0.0), party: 1, reason: "too dear".to_owned() };
    let close = CloseAccountRequest { name: "accounts/acme".to_owned(), closure: Some(closure), ..Default::default() };
    client.close_account(ask(close)).await.unwrap();

    assert_outdated(erase_account(&mut client, "acme", "1-1").await);
    let erased = erase_account(&mut client, "acme", "").await.unwrap();
    assert_eq!(erased.state(), AccountState::Erased);
    assert_eq!((erased.open_time, erased.currency_code.as_str()), (day(-100.0), "EUR"));
    for id in ["ann", "deleted"] {
        let contact = get_contact(&mut client, id).await;
        assert_eq!((contact.display_name.as_str(), contact.erase_time), ("", day(0.0)));
        assert_eq!((contact.met_time, contact.delete_time.is_some()), (day(-50.0), id == "deleted"));
    }
    let feed = whole_feed(&mut client, 8).await;
    assert!(feed.contains("accounts/acme/contacts/ann"), "names of resources remain");
    for word in WORDS {
        assert!(!feed.contains(word), "`{word}` is still readable");
    }
    assert_eq!(erase_account(&mut client, "acme", "").await.unwrap(), erased, "again changes nothing");
}

#[tokio::test]
async fn an_erased_account_takes_no_more_changes() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    two_prospects(&mut client).await;
    erase_account(&mut client, "acme", "").await.unwrap();
    let back = Account { name: "accounts/acme".to_owned(), display_name: "Acme".to_owned(), ..Default::default() };
    let update = UpdateAccountRequest { account: Some(back), ..UpdateAccountRequest::default() };
    let update = client.update_account(ask(update)).await.map(drop);
    let merge = MergeAccountRequest {
        name: "accounts/acme".to_owned(),
        into: "accounts/zenith".to_owned(),
        ..MergeAccountRequest::default()
    };
    let merge = client.merge_account(ask(merge)).await.map(drop);
    let contact = CreateContactRequest {
        parent: "accounts/acme".to_owned(),
        contact: Some(Contacts::sample()),
        ..CreateContactRequest::default()
    };
    let contact = client.create_contact(ask(contact)).await.map(drop);
    for answer in [update, merge, contact] {
        assert_refused(answer, Code::FailedPrecondition, "ACCOUNT_GONE", &[]);
    }
    assert_eq!(get(&mut client, "acme").await.display_name, "");
}

#[tokio::test]
async fn deleted_and_merged_accounts_can_be_erased_too() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    two_prospects(&mut client).await;
    create(&mut client, "deleted", Accounts::sample()).await;
    let name = "accounts/deleted".to_owned();
    client.delete_account(ask(DeleteAccountRequest { name, ..Default::default() })).await.unwrap();
    let merge = MergeAccountRequest {
        name: "accounts/acme".to_owned(),
        into: "accounts/zenith".to_owned(),
        ..MergeAccountRequest::default()
    };
    client.merge_account(ask(merge)).await.unwrap();

    let deleted = erase_account(&mut client, "deleted", "").await.unwrap();
    assert_eq!((deleted.state(), deleted.delete_time.is_some()), (AccountState::Erased, true));
    let merged = erase_account(&mut client, "acme", "").await.unwrap();
    assert_eq!((merged.state(), merged.merged_into.as_str()), (AccountState::Erased, "accounts/zenith"));
    erase_account(&mut client, "zenith", "").await.unwrap();
    let feed = whole_feed(&mut client, 8).await;
    for word in WORDS {
        assert!(!feed.contains(word), "`{word}` is still readable");
    }
}

#[tokio::test]
async fn an_erased_person_does_not_come_back() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    two_prospects(&mut client).await;
    let ann = create_contact(&mut client, "ann", Contacts::sample()).await;
    create_contact(&mut client, "bob", Contacts::sample()).await;
    delete_contact(&mut client, "bob").await;
    suite.clock.advance(std::time::Duration::from_secs(86_400));
    assert_outdated(erase_contact(&mut client, "ann", "1-1").await);
    let erased = erase_contact(&mut client, "ann", &ann.etag).await.unwrap();
    let left = Contact { name: ann.name.clone(), met_time: ann.met_time, erase_time: day(1.0), ..Contact::default() };
    assert_eq!(
        erased,
        Contact { create_time: day(0.0), update_time: day(1.0), etag: erased.etag.clone(), version: 2, ..left }
    );
    assert_eq!(erase_contact(&mut client, "ann", "").await.unwrap(), erased, "again changes nothing");
    assert_eq!(erase_contact(&mut client, "bob", "").await.unwrap().display_name, "", "a deleted one too");

    let back = Contact { name: ann.name.clone(), ..Contacts::sample() };
    let update = UpdateContactRequest { contact: Some(back.clone()), ..UpdateContactRequest::default() };
    let updated = client.update_contact(ask(update)).await.unwrap().into_inner().contact.unwrap();
    let rows = vec![AccountsRow { resource: Some(accounts_row::Resource::Contact(back)) }];
    let messages = tokio_stream::iter(vec![ImportAccountsRequest { rows, ..Default::default() }]);
    crate::feed::all_answers(client.import_accounts(ask(messages)).await).await.unwrap();
    let imported = get_contact(&mut client, "ann").await;
    for contact in [updated, imported] {
        assert_eq!((contact.display_name.as_str(), contact.email.as_str()), ("", ""));
        assert_eq!(contact.erase_time, day(1.0));
    }
}
