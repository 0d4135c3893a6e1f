//! Who the parties are.

mod bulk;
mod erasure;
mod life;
mod merge;

use contracts::{
    accounts::v1::{accounts_service_client::AccountsServiceClient, *},
    common::v1::Party,
};
use runtime::Peer;
use tests::{Suite, ask, day};

use crate::standard::{Sample, assert_not_found, standard, standard_stories};

type Client = AccountsServiceClient<Peer>;

standard! {
    Accounts(AccountsServiceClient, accounts) of Account as account in "", "accounts" {
        create_account(CreateAccountRequest { account_id }),
        get_account(GetAccountRequest),
        batch_get_accounts(BatchGetAccountsRequest) -> accounts,
        list_accounts(ListAccountsRequest),
        update_account(UpdateAccountRequest),
        delete_account(DeleteAccountRequest),
        undelete_account(UndeleteAccountRequest),
    }
}
standard! {
    Contacts(AccountsServiceClient, accounts) of Contact as contact in "accounts/acme", "contacts" {
        create_contact(CreateContactRequest { contact_id, parent }),
        get_contact(GetContactRequest),
        batch_get_contacts(BatchGetContactsRequest) -> contacts,
        list_contacts(ListContactsRequest),
        update_contact(UpdateContactRequest),
        delete_contact(DeleteContactRequest),
        undelete_contact(UndeleteContactRequest),
    }
}
standard! {
    Milestones(AccountsServiceClient, accounts) of Milestone as milestone in "accounts/acme", "milestones" {
        create_milestone(CreateMilestoneRequest { milestone_id, parent }),
        get_milestone(GetMilestoneRequest),
        batch_get_milestones(BatchGetMilestonesRequest) -> milestones,
        list_milestones(ListMilestonesRequest),
        update_milestone(UpdateMilestoneRequest),
        delete_milestone(DeleteMilestoneRequest),
        undelete_milestone(UndeleteMilestoneRequest),
    }
}
standard_stories!(account of Accounts);
standard_stories!(contact of Contacts);
standard_stories!(milestone of Milestones);

impl Sample for Accounts {
    fn sample() -> Account {
        Account { open_time: day(-100.0), segment: "gold".to_owned(), ..prospect() }
    }

    fn spoilt() -> (Account, Vec<&'static str>) {
        let spoilt = Account {
            display_name: "d".repeat(257),
            open_time: day(-40_000.0),
            currency_code: "euro".to_owned(),
            region_code: "r".repeat(65),
            segment: "\u{1}".to_owned(),
            referred_by: "zenith".to_owned(),
            ..Account::default()
        };
        let fields = vec!["display_name", "currency_code", "region_code", "segment", "open_time", "referred_by"];
        (spoilt, fields)
    }

    fn change(account: &mut Account) -> &'static str {
        account.referred_by = "accounts/zenith".to_owned();
        "referred_by"
    }
}

impl Sample for Contacts {
    fn sample() -> Contact {
        Contact {
            display_name: "Ann Example".to_owned(),
            email: "ann@example.org".to_owned(),
            phone: "+31 20 123 4567".to_owned(),
            role: "purchasing".to_owned(),
            language_code: "nl".to_owned(),
            met_time: day(-50.0),
            ..Contact::default()
        }
    }

    fn spoilt() -> (Contact, Vec<&'static str>) {
        let spoilt = Contact {
            email: "nowhere".to_owned(),
            phone: "0".repeat(33),
            role: "r".repeat(129),
            language_code: "l".repeat(36),
            met_time: day(1.0),
            leave_time: day(0.0),
            ..Contact::default()
        };
        (spoilt, vec!["display_name", "email", "phone", "role", "language_code", "leave_time"])
    }

    fn change(contact: &mut Contact) -> &'static str {
        contact.leave_time = day(3.0);
        "leave_time"
    }

    async fn prepare(suite: &Suite) {
        two_prospects(&mut suite.accounts()).await;
    }
}

impl Sample for Milestones {
    fn sample() -> Milestone {
        Milestone {
            title: "first login".to_owned(),
            party: Party::Provider.into(),
            due_time: day(7.0),
            ..Milestone::default()
        }
    }

    fn spoilt() -> (Milestone, Vec<&'static str>) {
        let spoilt = Milestone { party: 7, due_time: day(-40_000.0), ..Milestone::default() };
        (spoilt, vec!["title", "party", "due_time"])
    }

    fn change(milestone: &mut Milestone) -> &'static str {
        milestone.due_time = day(8.0);
        "due_time"
    }

    async fn prepare(suite: &Suite) {
        two_prospects(&mut suite.accounts()).await;
    }
}

fn prospect() -> Account {
    Account { display_name: "Acme".to_owned(), currency_code: "EUR".to_owned(), ..Account::default() }
}

async fn two_prospects(client: &mut Client) {
    for id in ["acme", "zenith"] {
        create(client, id, prospect()).await;
    }
}

async fn create(client: &mut Client, id: &str, account: Account) -> Account {
    let request = CreateAccountRequest { account_id: id.to_owned(), account: Some(account), request_id: String::new() };
    client.create_account(ask(request)).await.unwrap().into_inner().account.unwrap()
}

async fn create_contact(client: &mut Client, id: &str, contact: Contact) -> Contact {
    let request = CreateContactRequest {
        parent: "accounts/acme".to_owned(),
        contact_id: id.to_owned(),
        contact: Some(contact),
        request_id: String::new(),
    };
    client.create_contact(ask(request)).await.unwrap().into_inner().contact.unwrap()
}

async fn create_milestone(client: &mut Client, id: &str) -> Milestone {
    let request = CreateMilestoneRequest {
        parent: "accounts/acme".to_owned(),
        milestone_id: id.to_owned(),
        milestone: Some(Milestones::sample()),
        request_id: String::new(),
    };
    client.create_milestone(ask(request)).await.unwrap().into_inner().milestone.unwrap()
}

async fn get(client: &mut Client, id: &str) -> Account {
    let request = GetAccountRequest { name: format!("accounts/{id}"), show_deleted: true };
    client.get_account(ask(request)).await.unwrap().into_inner().account.unwrap()
}

#[tokio::test]
async fn people_and_steps_belong_to_an_account_that_is_there() {
    let suite = Suite::start().await;
    let mut client = suite.accounts();
    let contact = CreateContactRequest {
        parent: "accounts/acme".to_owned(),
        contact: Some(Contacts::sample()),
        ..CreateContactRequest::default()
    };
    let milestone = CreateMilestoneRequest {
        parent: "accounts/acme".to_owned(),
        milestone: Some(Milestones::sample()),
        ..CreateMilestoneRequest::default()
    };
    assert_not_found(client.create_contact(ask(contact.clone())).await);
    assert_not_found(client.create_milestone(ask(milestone.clone())).await);
    create(&mut client, "acme", prospect()).await;
    let name = "accounts/acme".to_owned();
    client.delete_account(ask(DeleteAccountRequest { name: name.clone(), ..Default::default() })).await.unwrap();
    assert_not_found(client.create_contact(ask(contact.clone())).await);
    assert_not_found(client.create_milestone(ask(milestone)).await);
    client.undelete_account(ask(UndeleteAccountRequest { name, ..Default::default() })).await.unwrap();
    assert!(client.create_contact(ask(contact)).await.is_ok());
}
