//! What others have done since an import stays, and is told.

use contracts::{accounts::v1::*, interactions::v1::*, orders::v1::*};
use prost_types::FieldMask;
use rapport::import::Kind;
use tests::{ask, eventually};

use super::{IMPORT, Story};

fn told(undone: &rapport::import::undo::Undone) -> Vec<(&str, &str)> {
    let mut told: Vec<_> = undone
        .refusals
        .iter()
        .map(|refusal| (refusal.name.as_str(), &refusal.reason["ERROR_REASON_".len()..]))
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn what_others_have_changed_since_stays_and_is_told() {
    let mut story = Story::with_acme().await;
    let before = story.said().await;
    story.import_all(&IMPORT, "b").await;
    let mut orders = story.suite.orders();
    for name in ["o1", "o2"].map(|id| format!("accounts/acme/orders/{id}")) {
        let update = UpdateOrderRequest {
            order: Some(Order { name, priority: true, ..Order::default() }),
            update_mask: Some(FieldMask { paths: vec!["priority".to_owned()] }),
            ..UpdateOrderRequest::default()
        };
        story.written.extend(orders.update_order(ask(update)).await.unwrap().into_inner().freshness);
    }
    // Somebody else was faster to take this one back, and that one.
    let delete = DeleteOrderRequest { name: "accounts/nova/orders/o1".to_owned(), ..Default::default() };
    orders.delete_order(ask(delete)).await.unwrap();
    let mut interactions = story.suite.interactions();
    let update = UpdateInteractionRequest {
        interaction: Some(Interaction {
            name: "accounts/acme/interactions/i1".to_owned(),
            channel: InteractionChannel::Email.into(),
            text: "where is it?".to_owned(),
            sentiment: Some(-0.2),
            ..Interaction::default()
        }),
        update_mask: Some(FieldMask {
            paths: ["channel", "text", "sentiment", "escalated"].map(str::to_owned).to_vec(),
        }),
        ..UpdateInteractionRequest::default()
    };
    interactions.update_interaction(ask(update)).await.unwrap();
    let since = story.said().await;

    let undone = story.undo("b").await;
    let changed =
        [("accounts/acme/orders/o1", "CHANGED_SINCE_IMPORT"), ("accounts/acme/orders/o2", "CHANGED_SINCE_IMPORT")];
    assert_eq!(told(&undone), changed);
    assert!(undone.refusals[0].message.contains("`accounts/acme/orders/o"), "{:?}", undone.refusals);
    let mut left = before.clone();
    for (name, _) in changed {
        left.insert(name.to_owned(), since[name].clone());
    }
    assert_eq!(story.said().await, left);
    story.assert_ledgers_are_clean().await;
    // They are told again, and nothing else is done again.
    let resources = story.resources().await;
    let again = story.undo("b").await;
    assert_eq!((told(&again), again.deleted, again.restored), (changed.to_vec(), 0, 0));
    assert_eq!(story.resources().await, resources);
}

#[tokio::test]
async fn accounts_that_were_merged_or_erased_since_stay() {
    let mut story = Story::with_acme().await;
    let accounts = |ids: &[&str]| -> String {
        let line =
            |id: &&str| format!("{{\"name\":\"accounts/{id}\",\"display_name\":\"{id}\",\"currency_code\":\"EUR\"}}\n");
        ids.iter().map(line).collect()
    };
    story.import(Kind::Accounts, &accounts(&["double", "forgotten", "plain"]), "b").await;
    let contacts = "{\"contact\":{\"name\":\"accounts/double/contacts/bob\",\"display_name\":\"Bob\"}}";
    story.import(Kind::Accounts, contacts, "b").await;
    let mut client = story.suite.accounts();
    let merge = MergeAccountRequest {
        name: "accounts/double".to_owned(),
        into: "accounts/acme".to_owned(),
        ..MergeAccountRequest::default()
    };
    client.merge_account(ask(merge)).await.unwrap();
    let erase = EraseAccountRequest { name: "accounts/forgotten".to_owned(), ..Default::default() };
    client.erase_account(ask(erase)).await.unwrap();

    let undone = story.undo_kind(Kind::Accounts, "b").await;
    assert_eq!(told(&undone), [("accounts/double", "ACCOUNT_GONE"), ("accounts/forgotten", "ACCOUNT_GONE")]);
    // A person there can be deleted all the same, as by hand.
    assert_eq!((undone.deleted, undone.restored), (2, 0));
    let said = story.said().await;
    assert!(said.contains_key("accounts/double") && said.contains_key("accounts/forgotten"));
    assert!(!said.contains_key("accounts/plain") && !said.contains_key("accounts/double/contacts/bob"));
}

#[tokio::test]
async fn what_was_erased_does_not_come_back() {
    let mut story = Story::with_acme().await;
    story.import_all(&IMPORT, "b").await;
    let erase = EraseInteractionsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    story.suite.interactions().erase_interactions(ask(erase)).await.unwrap();
    let erase = EraseContactRequest { name: "accounts/acme/contacts/ann".to_owned(), ..Default::default() };
    story.suite.accounts().erase_contact(ask(erase)).await.unwrap();
    let undone = story.undo("b").await;
    let changed = ["accounts/acme/contacts/ann", "accounts/acme/interactions/i1", "accounts/acme/interactions/i2"];
    assert_eq!(told(&undone), changed.map(|name| (name, "CHANGED_SINCE_IMPORT")));
    let said = format!("{:?}", story.said().await);
    assert!(!said.contains("where is it?") && !said.contains("Ann\""), "{said}");
    story.assert_ledgers_are_clean().await;
}

#[tokio::test]
async fn what_the_feed_has_forgotten_is_not_made_up() {
    let mut story = Story::with_acme().await;
    story.import_all(&IMPORT, "b").await;
    story.assessments().await;
    let database = story.suite.context.settings.data_dir.join("orders.db");
    let imported = story.said().await;
    // As the feed does in time; from the beginning of each partition.
    let forget =
        |changes: &str| format!("delete from {changes} where recorded_at <= (select min(recorded_at) from {changes})");
    if let Some(schemas) = story.suite.schemas() {
        schemas.run(&forget(&format!("{}.changes", schemas.of("orders")))).await;
    } else {
        let forgotten = eventually(async || {
            let connection = rusqlite::Connection::open(&database).unwrap();
            connection.execute(&forget("changes"), []).ok()
        });
        assert!(forgotten.await > 0);
    }

    let undone = story.undo_kind(Kind::Orders, "b").await;
    // What was new needs no past.
    assert_eq!(undone.deleted, 3);
    let names = ["accounts/acme/orders/gone", "accounts/acme/orders/o1"];
    assert_eq!(told(&undone), names.map(|name| (name, "HISTORY_FORGOTTEN")));
    let said = story.said().await;
    for name in names {
        assert_eq!(said[name], imported[name]);
    }
}
