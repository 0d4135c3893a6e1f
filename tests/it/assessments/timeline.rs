//! Everything that passed between the two.

use contracts::accounts::v1::{Contact, CreateContactRequest, EraseAccountRequest, EraseContactRequest};
use contracts::assessments::v1::*;
use contracts::common::v1::Party;
use contracts::feedback::v1::EraseFeedbackRequest;
use contracts::interactions::v1::EraseInteractionsRequest;
use tests::{ask, ask_as, day};
use tonic::Code;

use super::{Story, timeline_of};
use crate::standard::assert_refused;

async fn told() -> Story {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o_1", -40.0).await;
    story.deliver(&order, -30.0).await;
    story.complain("acme", "c_1", -29.0).await;
    story.say("acme", "i_1", Party::Customer, -20.0).await;
    story.say("acme", "i_2", Party::Provider, -20.0).await;
    story.customer("zenith").await;
    story
}

#[tokio::test]
async fn both_directions_are_told_latest_first() {
    let story = told().await;
    let entries = story.timeline(timeline_of("acme")).await.entries;
    let told: Vec<(&str, Party, &str)> =
        entries.iter().map(|entry| (entry.kind.as_str(), entry.party(), entry.source.as_str())).collect();
    assert_eq!(
        told,
        [
            ("interaction", Party::Provider, "accounts/acme/interactions/i_2"),
            ("interaction", Party::Customer, "accounts/acme/interactions/i_1"),
            ("feedback", Party::Customer, "accounts/acme/feedback/c_1"),
            ("order", Party::Customer, "accounts/acme/orders/o_1"),
            ("account", Party::Customer, "accounts/acme"),
        ]
    );
    let order = &entries[3];
    assert_eq!((order.happen_time, order.record_time, order.version), (day(-40.0), day(0.0), 2));
    assert!(order.moments.len() >= 2 && order.headline == order.moments[0].text);
    assert!(order.moments.iter().any(|moment| moment.party() == Party::Provider), "{order:?}");
    let promise = order.evidence.iter().find(|evidence| evidence.signal == "delivery_promise").unwrap();
    assert_eq!((promise.party(), promise.happen_time), (Party::Customer, day(-30.0)));
    assert!(promise.value < 0.0 && promise.weight > 0.0);
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let story = told().await;
    let all = story.timeline(timeline_of("acme")).await.entries;
    for page_size in [1, 2, 4, 5] {
        let mut read = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = story.timeline(ListTimelineRequest { page_size, page_token, ..timeline_of("acme") }).await;
            read.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
            let mut client = story.client();
            let other = ListTimelineRequest { page_token: page_token.clone(), ..timeline_of("zenith") };
            let same = ListTimelineRequest { page_token: page_token.clone(), ..timeline_of("acme") };
            for refused in
                [client.list_timeline(ask(other)).await, client.list_timeline(ask_as("stranger", same)).await]
            {
                assert_refused(refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
            }
        }
        assert_eq!(read, all);
    }
}

#[tokio::test]
async fn nothing_of_what_was_erased_can_be_read() {
    let mut story = told().await;
    let ann = Contact { display_name: "Ann".to_owned(), role: "Ann's role".to_owned(), ..Contact::default() };
    let parent = "accounts/acme".to_owned();
    let request = CreateContactRequest {
        parent: parent.clone(),
        contact_id: "c_1".to_owned(),
        contact: Some(ann),
        ..CreateContactRequest::default()
    };
    let created = story.suite.accounts().create_contact(ask(request)).await.unwrap().into_inner();
    story.note(created.freshness);
    let before = story.assess("acme").await;
    assert!(format!("{:?}", story.timeline(timeline_of("acme")).await).contains("Ann"));

    let words = EraseInteractionsRequest { parent: parent.clone(), ..EraseInteractionsRequest::default() };
    let erased = story.suite.interactions().erase_interactions(ask(words)).await.unwrap().into_inner();
    story.note(erased.freshness);
    let words = EraseFeedbackRequest { parent: parent.clone(), ..EraseFeedbackRequest::default() };
    let erased = story.suite.feedback().erase_feedback(ask(words)).await.unwrap().into_inner();
    story.note(erased.freshness);
    let name = created.contact.unwrap().name;
    let person = EraseContactRequest { name, ..EraseContactRequest::default() };
    let erased = story.suite.accounts().erase_contact(ask(person)).await.unwrap().into_inner();
    story.note(erased.freshness);
    let timeline = story.timeline(timeline_of("acme")).await;
    assert_eq!(timeline.entries.len(), 6);
    assert!(!format!("{timeline:?}").contains("Ann"), "{timeline:?}");
    let after = story.assess("acme").await;
    assert_eq!(super::said(after), super::said(before), "what happened and how it was felt remains");

    let account = EraseAccountRequest { name: parent, ..EraseAccountRequest::default() };
    let erased = story.suite.accounts().erase_account(ask(account)).await.unwrap().into_inner();
    story.note(erased.freshness);
    let timeline = story.timeline(timeline_of("acme")).await;
    assert!(timeline.entries.iter().all(|entry| entry.kind != "account"));
    assert_eq!(story.verify().await, 2);
}
