//! Duplicates: one answers for both.

use contracts::accounts::v1::{DeleteAccountRequest, EraseAccountRequest, MergeAccountRequest};
use contracts::assessments::v1::*;
use contracts::common::v1::Party;
use tests::ask;

use super::{Story, of, timeline_of};
use crate::standard::assert_not_found;

pub(super) async fn merge(story: &mut Story, account: &str, into: &str) {
    let (name, into) = (format!("accounts/{account}"), format!("accounts/{into}"));
    let request = MergeAccountRequest { name, into, ..MergeAccountRequest::default() };
    let answer = story.suite.accounts().merge_account(ask(request)).await.unwrap();
    story.note(answer.into_inner().freshness);
}

fn order_count(assessment: &Assessment) -> i64 {
    assessment.activity.unwrap().order_count
}

#[tokio::test]
async fn what_a_duplicate_did_counts_for_the_account_that_remains() {
    let mut story = Story::begin().await;
    for account in ["first", "second", "third"] {
        story.customer(account).await;
        story.order(account, "o_1", -9.0).await;
    }
    story.assess("first").await;
    merge(&mut story, "first", "second").await;
    let second = story.assess("second").await;
    assert_eq!((order_count(&second), second.merged_into.as_str()), (2, ""));
    let first = story.assess("first").await;
    assert_eq!((first.name.as_str(), first.merged_into.as_str()), ("accounts/first/assessment", "accounts/second"));
    assert_eq!(Assessment { name: second.name.clone(), merged_into: String::new(), ..first }, second);

    // What is still told of the duplicate, and a merge of what remained.
    story.order("first", "o_2", -2.0).await;
    merge(&mut story, "second", "third").await;
    story.say("first", "i_1", Party::Customer, -1.0).await;
    for account in ["first", "second", "third"] {
        let assessment = story.assess(account).await;
        assert_eq!((order_count(&assessment), assessment.activity.unwrap().customer_interaction_count), (4, 1));
        assert_eq!(assessment.merged_into.is_empty(), account == "third");
        assert_eq!(story.timeline(timeline_of(account)).await.entries.len(), 6, "one account, four orders, one call");
    }
    let listed = story.list(ListAssessmentsRequest::default()).await.unwrap().assessments;
    assert_eq!(listed.len(), 1);
    assert_eq!(story.verify().await, 1);

    // The same from the beginning.
    let before = story.assess("first").await;
    story.suite = story.suite.restart_without("aggregator").await;
    assert_eq!(story.assess("first").await, before);
}

#[tokio::test]
async fn a_duplicate_that_is_erased_still_leads_to_the_account_that_remains() {
    let mut story = Story::begin().await;
    for account in ["first", "second"] {
        story.customer(account).await;
        story.order(account, "o_1", -9.0).await;
    }
    merge(&mut story, "first", "second").await;
    let erase = EraseAccountRequest { name: "accounts/first".to_owned(), ..EraseAccountRequest::default() };
    let erased = story.suite.accounts().erase_account(ask(erase)).await.unwrap();
    story.note(erased.into_inner().freshness);
    for _ in 0..2 {
        let first = story.assess("first").await;
        assert_eq!((order_count(&first), first.merged_into.as_str()), (2, "accounts/second"));
        story.suite = story.suite.restart_without("aggregator").await;
    }
}

#[tokio::test]
async fn an_account_of_which_all_was_deleted_is_known_no_more() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.customer("zenith").await;
    let request = DeleteAccountRequest { name: "accounts/acme".to_owned(), ..DeleteAccountRequest::default() };
    let deleted = story.suite.accounts().delete_account(ask(request)).await.unwrap();
    story.note(deleted.into_inner().freshness);
    assert_not_found(story.get(of("acme")).await);
    assert_eq!(story.list(ListAssessmentsRequest::default()).await.unwrap().assessments.len(), 1);
    assert_eq!(story.verify().await, 1);
    story.order("acme", "o_1", -1.0).await;
    assert_eq!(order_count(&story.assess("acme").await), 1);
}
