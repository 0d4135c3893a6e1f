//! Rows in bulk: import and watch.

use contracts::{
    accounts::v1::*,
    common::v1::{FeedPosition, FeedStart, Party},
};
use tests::{Suite, ask, ask_as, day};
use tonic::{Code, Status};

use super::{Accounts, Client, Contacts, Milestones, create, create_contact, get, prospect};
use crate::{
    feed::{all_answers, assert_imported, imported, next_changes, watched},
    standard::{Sample as _, assert_invalid, assert_refused},
};

watched!(WatchAccountsResponse of AccountsChange);
imported!(ImportAccountsResponse);

async fn import(
    client: &mut Client,
    batches: Vec<Vec<accounts_row::Resource>>,
) -> Result<Vec<ImportAccountsResponse>, Status> {
    let messages = batches.into_iter().map(|batch| ImportAccountsRequest {
        rows: batch.into_iter().map(|resource| AccountsRow { resource: Some(resource) }).collect(),
        ..Default::default()
    });
    let messages: Vec<_> = messages.collect();
    all_answers(client.import_accounts(ask(tokio_stream::iter(messages))).await).await
}

fn account(id: &str, account: Account) -> accounts_row::Resource {
    accounts_row::Resource::Account(Account { name: format!("accounts/{id}"), ..account })
}

fn contact(of: &str, contact: Contact) -> accounts_row::Resource {
    accounts_row::Resource::Contact(Contact { name: format!("accounts/{of}/contacts/ann"), ..contact })
}

fn milestone(id: &str, milestone: Milestone) -> accounts_row::Resource {
    accounts_row::Resource::Milestone(Milestone { name: format!("accounts/a/milestones/{id}"), ..milestone })
}

#[tokio::test]
async fn an_import_lands_what_is_right_refuses_the_rest_and_changes_nothing_when_repeated() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    let closure = Closure { close_time: day(1.0), party: Party::Customer.into(), reason: "moved".to_owned() };
    let batches = || {
        let done = Milestone { complete_time: day(2.0), ..Milestones::sample() };
        vec![
            vec![
                account("a", Accounts::sample()),
                account("b", Account { closure: Some(closure.clone()), ..Accounts::sample() }),
                account(
                    "c",
                    Account { state: AccountState::Erased.into(), currency_code: String::new(), ..prospect() },
                ),
                account("d", Account { merged_into: "accounts/a".to_owned(), ..prospect() }),
                account("a/b", Account::default()),
            ],
            vec![
                contact("a", Contacts::sample()),
                milestone("done", done.clone()),
                milestone("both", Milestone { waive_time: day(3.0), ..done }),
            ],
        ]
    };
    let refused = [
        (2, "accounts/c", &["account.currency_code"][..]),
        (4, "accounts/a/b", &["account.name", "account.display_name", "account.currency_code"]),
        (7, "accounts/a/milestones/both", &["milestone.waive_time"]),
    ];
    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(3, 0), (2, 0)], &refused);
    assert_eq!(get(&mut client, "a").await.state(), AccountState::Active);
    let closed = get(&mut client, "b").await;
    assert_eq!((closed.state(), closed.closure), (AccountState::Closed, Some(closure.clone())));
    let untold = get(&mut client, "d").await;
    assert_eq!((untold.state(), untold.merged_into.as_str()), (AccountState::Prospect, ""), "no row merges");
    let name = "accounts/a/milestones/done".to_owned();
    let done = client.get_milestone(ask(GetMilestoneRequest { name, show_deleted: false })).await.unwrap();
    assert_eq!(done.into_inner().milestone.unwrap().state(), MilestoneState::Completed);

    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(0, 3), (0, 2)], &refused);
    assert_eq!(get(&mut client, "a").await.version, 1);

    let orphan = import(&mut client, vec![vec![contact("nobody", Contacts::sample())]]).await.unwrap();
    assert_eq!((orphan[0].landed_count, orphan[0].refusals[0].reason.as_str()), (0, "ERROR_REASON_NOT_FOUND"));
}

#[tokio::test]
async fn later_rows_of_an_import_win_and_batches_have_a_size() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    let rows = vec![account("a", prospect()), account("a", Accounts::sample())];
    assert_eq!(import(&mut client, vec![rows]).await.unwrap()[0].landed_count, 2);
    assert_eq!(get(&mut client, "a").await.segment, "gold");
    assert_invalid(import(&mut client, vec![vec![]]).await, &["rows"]);
    let many = (0..1_001).map(|index| account(&format!("a_{index}"), prospect())).collect();
    assert_invalid(import(&mut client, vec![many]).await, &["rows"]);
    let nothing = vec![ImportAccountsRequest { rows: vec![AccountsRow { resource: None }], ..Default::default() }];
    let answers = all_answers(client.import_accounts(ask(tokio_stream::iter(nothing))).await).await.unwrap();
    assert_imported(&answers, &[(0, 0)], &[(0, "", &["resource"])]);
    let nobody = client.import_accounts(ask_as("-", tokio_stream::iter(Vec::new()))).await;
    let field = "metadata.rapport-tenant";
    assert_refused(nobody.map(drop), Code::InvalidArgument, "TENANT_INVALID", &[field]);
}

/// The name and the version of each resource that changed.
fn told(changes: &[AccountsChange]) -> Vec<(&str, i64)> {
    let told = changes.iter().map(|change| match change.resource.as_ref().unwrap() {
        accounts_change::Resource::Account(account) => (account.name.as_str(), account.version),
        accounts_change::Resource::Contact(contact) => (contact.name.as_str(), contact.version),
        accounts_change::Resource::Milestone(milestone) => (milestone.name.as_str(), milestone.version),
    });
    told.collect()
}

#[tokio::test]
async fn a_watcher_begins_anywhere_and_goes_on_where_it_stopped() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    create(&mut client, "acme", prospect()).await;
    create_contact(&mut client, "ann", Contacts::sample()).await;

    let beginning = WatchAccountsRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_accounts(ask(beginning.clone())).await.unwrap().into_inner();
    let (changes, through) = next_changes(&mut watch, 2).await;
    assert_eq!(told(&changes), [("accounts/acme", 1), ("accounts/acme/contacts/ann", 1)]);
    let stamp = changes[1].stamp.as_ref().unwrap();
    let partition = stamp.partition;
    assert_eq!((stamp.tenant.as_str(), stamp.account_id.as_str(), stamp.position), ("test", "acme", 2));
    assert_eq!(through, [FeedPosition { partition, position: 2 }]);

    let now = WatchAccountsRequest { start: FeedStart::Now.into(), ..Default::default() };
    let mut from_now = client.watch_accounts(ask(now)).await.unwrap().into_inner();
    let first = from_now.message().await.unwrap().unwrap();
    assert_eq!(first.changes, []);
    assert!(first.changes_through.contains(&FeedPosition { partition, position: 2 }));
    let after_one = WatchAccountsRequest {
        partitions: vec![partition],
        start: FeedStart::Positions.into(),
        positions: vec![FeedPosition { partition, position: 1 }],
    };
    let mut resumed = client.watch_accounts(ask(after_one.clone())).await.unwrap().into_inner();
    let name = "accounts/acme".to_owned();
    client.open_account(ask(OpenAccountRequest { name, ..Default::default() })).await.unwrap();
    assert_eq!(told(&next_changes(&mut watch, 1).await.0), [("accounts/acme", 2)]);
    assert_eq!(told(&next_changes(&mut from_now, 1).await.0), [("accounts/acme", 2)]);
    let expected = [("accounts/acme/contacts/ann", 1), ("accounts/acme", 2)];
    assert_eq!(told(&next_changes(&mut resumed, 2).await.0), expected);

    let mut stranger = client.watch_accounts(ask_as("stranger", beginning)).await.unwrap().into_inner();
    let own = CreateAccountRequest { account: Some(prospect()), ..CreateAccountRequest::default() };
    client.create_account(ask_as("stranger", own)).await.unwrap();
    let (changes, _) = next_changes(&mut stranger, 1).await;
    assert_eq!(changes[0].stamp.as_ref().unwrap().tenant, "stranger", "and nothing of the others");

    let ahead = WatchAccountsRequest { positions: vec![FeedPosition { partition, position: 99 }], ..after_one };
    let refused = client.watch_accounts(ask(ahead)).await.map(drop);
    assert_refused(refused, Code::OutOfRange, "FEED_POSITION_AHEAD", &[]);
    let wrong = WatchAccountsRequest {
        partitions: vec![64],
        start: 9,
        positions: vec![FeedPosition { partition: 77, position: -1 }],
    };
    let fields = ["partitions[0]", "positions[0].partition", "positions[0].position", "start"];
    assert_invalid(client.watch_accounts(ask(wrong)).await.map(drop), &fields);
}
