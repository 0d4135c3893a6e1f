//! From prospect to active to closed and back; steps of onboarding, reached and given up.

use contracts::{accounts::v1::*, common::v1::Party};
use tests::{Suite, ask, day};
use tonic::{Code, Status};

use super::{Client, create, create_milestone, prospect};
use crate::standard::{assert_invalid, assert_not_found, assert_outdated, assert_refused, assert_state_conflict};

const NAME: &str = "accounts/acme";

async fn open(client: &mut Client, etag: &str, request_id: &str, at: Option<f64>) -> Result<Account, Status> {
    let request = OpenAccountRequest {
        name: NAME.to_owned(),
        etag: etag.to_owned(),
        request_id: request_id.to_owned(),
        open_time: at.and_then(day),
    };
    Ok(client.open_account(ask(request)).await?.into_inner().account.unwrap())
}

async fn close(client: &mut Client, closure: Option<Closure>) -> Result<Account, Status> {
    let request = CloseAccountRequest { name: NAME.to_owned(), closure, ..CloseAccountRequest::default() };
    Ok(client.close_account(ask(request)).await?.into_inner().account.unwrap())
}

async fn reopen(client: &mut Client) -> Result<Account, Status> {
    let request = ReopenAccountRequest { name: NAME.to_owned(), ..ReopenAccountRequest::default() };
    Ok(client.reopen_account(ask(request)).await?.into_inner().account.unwrap())
}

fn left() -> Closure {
    Closure { close_time: None, party: Party::Customer.into(), reason: "too dear".to_owned() }
}

#[tokio::test]
async fn an_account_is_opened_closed_and_taken_up_again() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    let stated = Account { state: AccountState::Closed.into(), closure: Some(left()), ..prospect() };
    let prospect = create(&mut client, "acme", stated).await;
    assert_eq!(
        (prospect.state(), prospect.closure.clone()),
        (AccountState::Prospect, None),
        "what is output is ignored"
    );
    assert_state_conflict(reopen(&mut client).await);

    assert_outdated(open(&mut client, "1-1", "", None).await);
    let opened = open(&mut client, &prospect.etag, "r_1", Some(-3.0)).await.unwrap();
    assert_eq!((opened.state(), opened.open_time, opened.version), (AccountState::Active, day(-3.0), 2));
    assert_eq!(open(&mut client, &prospect.etag, "r_1", Some(-3.0)).await.unwrap(), opened, "a retry");
    let reused = open(&mut client, "", "r_1", Some(-2.0)).await;
    assert_refused(reused, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    assert_state_conflict(open(&mut client, "", "", None).await);

    assert_invalid(close(&mut client, None).await, &["closure.party"]);
    let early = Closure { close_time: day(-4.0), reason: "r".repeat(1_025), ..left() };
    let early = close(&mut client, Some(early)).await;
    assert_invalid(early, &["closure.close_time", "closure.reason"]);
    let closed = close(&mut client, Some(left())).await.unwrap();
    assert_eq!(closed.state(), AccountState::Closed);
    assert_eq!(closed.closure, Some(Closure { close_time: day(0.0), ..left() }));
    assert_state_conflict(close(&mut client, Some(left())).await);
    assert_state_conflict(open(&mut client, "", "", None).await);

    let back = reopen(&mut client).await.unwrap();
    assert_eq!((back.state(), back.closure.clone()), (AccountState::Active, None));
    assert_state_conflict(reopen(&mut client).await);
}

#[tokio::test]
async fn a_prospect_that_is_closed_was_never_open() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    assert_not_found(close(&mut client, Some(left())).await);
    create(&mut client, "acme", prospect()).await;
    assert_eq!(close(&mut client, Some(left())).await.unwrap().state(), AccountState::Closed);
    assert_eq!(reopen(&mut client).await.unwrap().state(), AccountState::Prospect);
    assert_eq!(open(&mut client, "", "", None).await.unwrap().open_time, day(0.0), "now, if nothing is said");
}

#[tokio::test]
async fn the_target_of_a_transition_is_checked_like_any_other() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    let (name, request_id) = ("acme".to_owned(), "r".repeat(65));
    let open = OpenAccountRequest { name: name.clone(), request_id: request_id.clone(), ..Default::default() };
    assert_invalid(client.open_account(ask(open)).await, &["name", "request_id"]);
    let close = CloseAccountRequest { name: name.clone(), request_id: request_id.clone(), ..Default::default() };
    assert_invalid(client.close_account(ask(close)).await, &["name", "request_id"]);
    let erase = EraseAccountRequest { name: name.clone(), request_id: request_id.clone(), ..Default::default() };
    assert_invalid(client.erase_account(ask(erase)).await, &["name", "request_id"]);
    let erase = EraseContactRequest { name: name.clone(), request_id: request_id.clone(), ..Default::default() };
    assert_invalid(client.erase_contact(ask(erase)).await, &["name", "request_id"]);
    let complete = CompleteMilestoneRequest { name: name.clone(), request_id, ..Default::default() };
    assert_invalid(client.complete_milestone(ask(complete)).await, &["name", "request_id"]);
    let nobody = "accounts/nobody".to_owned();
    let erase = EraseAccountRequest { name: nobody, ..Default::default() };
    assert_not_found(client.erase_account(ask(erase)).await);
    let nobody = "accounts/acme/contacts/nobody".to_owned();
    assert_not_found(client.erase_contact(ask(EraseContactRequest { name: nobody, ..Default::default() })).await);
    let nothing = "accounts/acme/milestones/nothing".to_owned();
    let reopen = ReopenMilestoneRequest { name: nothing, ..Default::default() };
    assert_not_found(client.reopen_milestone(ask(reopen)).await);
}

#[tokio::test]
async fn a_step_is_reached_or_given_up_and_taken_up_again() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    create(&mut client, "acme", prospect()).await;
    let step = create_milestone(&mut client, "login").await;
    assert_eq!(step.state(), MilestoneState::Open);
    let complete = CompleteMilestoneRequest {
        name: step.name.clone(),
        etag: step.etag.clone(),
        request_id: "r_1".to_owned(),
        complete_time: day(-1.0),
    };
    let waive = WaiveMilestoneRequest { name: step.name.clone(), ..WaiveMilestoneRequest::default() };
    let reopen = ReopenMilestoneRequest { name: step.name.clone(), ..ReopenMilestoneRequest::default() };
    assert_state_conflict(client.reopen_milestone(ask(reopen.clone())).await);

    let done = client.complete_milestone(ask(complete.clone())).await.unwrap().into_inner();
    assert!(done.freshness.is_some());
    let done = done.milestone.unwrap();
    assert_eq!((done.state(), done.complete_time), (MilestoneState::Completed, day(-1.0)));
    let again = client.complete_milestone(ask(complete.clone())).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!(again, done, "a retry");
    let outdated = CompleteMilestoneRequest { request_id: String::new(), ..complete };
    assert_outdated(client.complete_milestone(ask(outdated.clone())).await);
    assert_state_conflict(
        client.complete_milestone(ask(CompleteMilestoneRequest { etag: String::new(), ..outdated })).await,
    );
    assert_state_conflict(client.waive_milestone(ask(waive.clone())).await);

    let open = client.reopen_milestone(ask(reopen.clone())).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!((open.state(), open.complete_time), (MilestoneState::Open, None));
    let waived = client.waive_milestone(ask(waive.clone())).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!((waived.state(), waived.waive_time), (MilestoneState::Waived, day(0.0)));
    assert_state_conflict(client.waive_milestone(ask(waive)).await);

    for (state, count) in [(MilestoneState::Waived, 1), (MilestoneState::Open, 0), (MilestoneState::Unspecified, 1)] {
        let list = ListMilestonesRequest {
            parent: "accounts/-".to_owned(),
            state: state.into(),
            ..ListMilestonesRequest::default()
        };
        let listed = client.list_milestones(ask(list)).await.unwrap().into_inner().milestones;
        assert_eq!(listed.len(), count, "{state:?}");
    }
}

#[tokio::test]
async fn accounts_are_listed_by_state_and_a_page_token_remembers_which() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    for id in ["a", "b", "c"] {
        create(&mut client, id, Account { open_time: day(-1.0), ..prospect() }).await;
    }
    create(&mut client, "p", prospect()).await;
    let active =
        ListAccountsRequest { state: AccountState::Active.into(), page_size: 2, ..ListAccountsRequest::default() };
    let page = client.list_accounts(ask(active.clone())).await.unwrap().into_inner();
    let names = |page: &ListAccountsResponse| -> Vec<String> {
        page.accounts.iter().map(|account| account.name.clone()).collect()
    };
    assert_eq!(names(&page), ["accounts/a", "accounts/b"]);
    assert!(page.freshness.is_some());
    let next = ListAccountsRequest { page_token: page.next_page_token, ..active };
    let other = ListAccountsRequest { state: AccountState::Prospect.into(), ..next.clone() };
    assert_refused(
        client.list_accounts(ask(other)).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
        &["page_token"],
    );
    let page = client.list_accounts(ask(next)).await.unwrap().into_inner();
    assert_eq!((names(&page), page.next_page_token.as_str()), (vec!["accounts/c".to_owned()], ""));
}
