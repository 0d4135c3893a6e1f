//! Who asked for an improvement, and that they are told.

use contracts::accounts::v1::{Account, CreateAccountRequest, MergeAccountRequest};
use contracts::common::v1::{FreshnessToken, Party};
use contracts::feedback::v1::{Feedback, FeedbackKind};
use contracts::interactions::v1::{CreateInteractionRequest, Interaction};
use contracts::voice::v1::*;
use tests::{Suite, TENANT, ask, day};

use super::{complaint, import, import_feedback, propose, said, ship, theme};
use crate::standard::{assert_invalid, assert_not_found};

const NAME: &str = "improvements/faster";

async fn askers(suite: &Suite, untold_only: bool, at_least_as_fresh: Vec<FreshnessToken>) -> ListAskersResponse {
    let request =
        ListAskersRequest { improvement: NAME.to_owned(), untold_only, at_least_as_fresh, ..Default::default() };
    suite.voice().list_askers(ask(request)).await.unwrap().into_inner()
}

fn shown(answer: &ListAskersResponse) -> Vec<(&str, &str, Vec<&str>)> {
    answer
        .askers
        .iter()
        .map(|asker| {
            let contact = asker.contact.rsplit('/').next().unwrap_or_default();
            (asker.account.as_str(), contact, asker.sources.iter().map(String::as_str).collect())
        })
        .collect()
}

/// Tells an account, or a person there, of the improvement.
async fn tell(suite: &Suite, account: &str, contact: &str, days_ago: f64, id: &str) -> FreshnessToken {
    let interaction = Interaction {
        party: Party::Provider.into(),
        thread: NAME.to_owned(),
        contact: match contact {
            "" => String::new(),
            contact => format!("accounts/{account}/contacts/{contact}"),
        },
        ..said(account, "", days_ago, "You asked for it, and it is there.")
    };
    let request = CreateInteractionRequest {
        parent: format!("accounts/{account}"),
        interaction_id: id.to_owned(),
        interaction: Some(interaction),
        request_id: String::new(),
    };
    suite.interactions().create_interaction(ask(request)).await.unwrap().into_inner().freshness.unwrap()
}

/// An improvement that answers a theme and a complaint, and those who asked for it.
async fn asked(suite: &Suite) -> Vec<FreshnessToken> {
    let mut fresh = vec![theme(suite, TENANT, "slow", &["too slow"]).await];
    let of = |contact: &str| format!("accounts/a/contacts/{contact}");
    let interactions = vec![
        Interaction { contact: of("ann"), ..said("a", "1", 50.0, "It is too slow for us.") },
        Interaction { contact: of("ann"), ..said("a", "2", 40.0, "Still too slow.") },
        Interaction { contact: of("bob"), ..said("a", "3", 45.0, "Far too slow!") },
        said("b", "1", 60.0, "much too slow"),
        // After it was shipped, and so of what is there now.
        said("c", "1", 20.0, "too slow"),
        Interaction { party: Party::Provider.into(), ..said("e", "1", 60.0, "Is it too slow?") },
    ];
    fresh.extend(import(suite, TENANT, interactions).await);
    let compliment = Feedback { kind: FeedbackKind::Compliment.into(), ..complaint("e", "1", 60.0, "never too slow") };
    // Gathered by name, whatever it says.
    let gathered = complaint("d", "1", 70.0, "Do something about the queue.");
    fresh.extend(import_feedback(suite, TENANT, vec![compliment, gathered]).await);
    fresh.push(propose(suite, TENANT, "faster", &["themes/slow"], &["accounts/d/feedback/1"]).await);
    fresh
}

#[tokio::test]
async fn those_who_asked_are_told_once_it_is_there() {
    let suite = Suite::start().await;
    let fresh = asked(&suite).await;
    let before = askers(&suite, false, fresh).await;
    assert_eq!(
        (before.total_count, before.told_count),
        (5, 0),
        "while it is proposed, all who asked by now: {before:?}"
    );
    let early = tell(&suite, "b", "", 35.0, "early").await;
    let shipped = ship(&suite, TENANT, "faster", 30.0).await;
    let answer = askers(&suite, false, vec![early, shipped]).await;
    assert_eq!(
        shown(&answer),
        [
            ("accounts/a", "ann", vec!["accounts/a/interactions/2", "accounts/a/interactions/1"]),
            ("accounts/a", "bob", vec!["accounts/a/interactions/3"]),
            ("accounts/b", "", vec!["accounts/b/interactions/1"]),
            ("accounts/d", "", vec!["accounts/d/feedback/1"]),
        ]
    );
    let ann = &answer.askers[0];
    assert_eq!((ann.source_count, ann.first_ask_time, ann.last_ask_time), (2, day(-50.0), day(-40.0)));
    assert_eq!((answer.total_count, answer.told_count, answer.is_bounded), (4, 0, false), "told too early is not told");

    // Ann is told in person; whoever speaks for the whole of `d` is told with nobody named.
    let fresh = vec![tell(&suite, "a", "ann", 10.0, "to-ann").await, tell(&suite, "d", "", 9.0, "to-d").await];
    let answer = askers(&suite, false, fresh).await;
    let told: Vec<_> = answer.askers.iter().map(|asker| (asker.tell_time, asker.telling.as_str())).collect();
    assert_eq!(
        told,
        [
            (day(-10.0), "accounts/a/interactions/to-ann"),
            (None, ""),
            (None, ""),
            (day(-9.0), "accounts/d/interactions/to-d")
        ]
    );
    let untold = askers(&suite, true, vec![]).await;
    assert_eq!((untold.askers.len(), untold.total_count, untold.told_count), (2, 4, 2));
    // With nobody named, everybody there is told.
    let fresh = vec![tell(&suite, "a", "", 8.0, "to-all").await];
    let untold = askers(&suite, true, fresh).await;
    assert_eq!(shown(&untold), [("accounts/b", "", vec!["accounts/b/interactions/1"])]);
    let mut page = ListAskersRequest { improvement: NAME.to_owned(), page_size: 3, ..Default::default() };
    let first = suite.voice().list_askers(ask(page.clone())).await.unwrap().into_inner();
    page.page_token = first.next_page_token;
    let last = suite.voice().list_askers(ask(page)).await.unwrap().into_inner();
    assert_eq!((first.askers.len(), last.askers.len(), last.next_page_token.as_str()), (3, 1, ""));
}

#[tokio::test]
async fn a_duplicate_asks_in_the_name_of_the_account_that_answers_for_it() {
    let suite = Suite::start().await;
    let mut fresh = asked(&suite).await;
    for id in ["b", "z"] {
        let account = Account { display_name: id.to_owned(), currency_code: "EUR".to_owned(), ..Account::default() };
        let create = CreateAccountRequest { account_id: id.to_owned(), account: Some(account), ..Default::default() };
        suite.accounts().create_account(ask(create)).await.unwrap();
    }
    let merge = MergeAccountRequest {
        name: "accounts/b".to_owned(),
        into: "accounts/z".to_owned(),
        ..MergeAccountRequest::default()
    };
    fresh.extend(suite.accounts().merge_account(ask(merge)).await.unwrap().into_inner().freshness);
    fresh.push(ship(&suite, TENANT, "faster", 30.0).await);
    let answer = askers(&suite, false, fresh).await;
    assert_eq!(shown(&answer)[3], ("accounts/z", "", vec!["accounts/b/interactions/1"]));
    let told = tell(&suite, "z", "", 5.0, "told").await;
    assert_eq!(askers(&suite, false, vec![told]).await.told_count, 1);
}

#[tokio::test]
async fn askers_of_what_nobody_proposed_are_not_found() {
    let suite = Suite::start().await;
    let wrong = ListAskersRequest { page_size: -1, ..Default::default() };
    assert_invalid(suite.voice().list_askers(ask(wrong)).await, &["improvement", "page_size"]);
    let nobodys = ListAskersRequest { improvement: "improvements/nobody".to_owned(), ..Default::default() };
    assert_not_found(suite.voice().list_askers(ask(nobodys)).await);
}
