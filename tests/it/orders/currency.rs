//! Which currency an account's orders are in.

use contracts::{
    accounts::v1::{Account, CreateAccountRequest, UpdateAccountRequest},
    orders::v1::*,
};
use tests::{Suite, ask, ask_as, eventually, refusal};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{came_back, dollars, euros, go, name, place, tea};

#[track_caller]
fn assert_mismatch(answer: Result<Order, Status>, currency_code: &str, account_currency_code: &str) {
    let status = answer.expect_err("a mismatch");
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "ERROR_REASON_CURRENCY_MISMATCH".to_owned(), vec![]));
    let metadata = status.get_details_error_info().unwrap().metadata;
    assert_eq!(metadata["currency_code"], currency_code);
    assert_eq!(metadata["account_currency_code"], account_currency_code);
}

fn account(id: &str, currency_code: &str) -> Account {
    Account {
        name: format!("accounts/{id}"),
        display_name: id.to_owned(),
        currency_code: currency_code.to_owned(),
        ..Account::default()
    }
}

async fn open_account(suite: &Suite, id: &str, currency_code: &str) {
    let request = CreateAccountRequest {
        account_id: id.to_owned(),
        account: Some(account(id, currency_code)),
        ..CreateAccountRequest::default()
    };
    suite.accounts().create_account(ask(request)).await.unwrap();
}

/// Waits until orders has heard of accounts: an order in dollars is refused. An order that comes too early is taken and
/// settles its account's currency, so each account is asked once, and the later the longer it has been there.
async fn until_followed(suite: &Suite, prefix: &str) -> Status {
    let mut orders = suite.orders();
    let mut tries = 0..;
    eventually(async || {
        let number = tries.next()?;
        for id in [2 * number, 2 * number + 1] {
            open_account(suite, &format!("{prefix}-{id}"), "EUR").await;
        }
        place(&mut orders, &format!("{prefix}-{number}"), "1", dollars(tea())).await.err()
    })
    .await
}

#[tokio::test]
async fn the_first_order_of_an_unknown_account_settles_its_currency() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    place(&mut orders, "acme", "1", dollars(tea())).await.unwrap();
    assert_mismatch(place(&mut orders, "acme", "2", tea()).await, "EUR", "USD");
    place(&mut orders, "zenith", "1", tea()).await.unwrap();
    place(&mut orders, "acme", "2", dollars(tea())).await.unwrap();

    let patch = Order { name: name("1"), total: euros(50), ..Order::default() };
    let update = UpdateOrderRequest { order: Some(patch), ..UpdateOrderRequest::default() };
    let updated = orders.update_order(ask(update)).await.map(|answer| answer.into_inner().order.unwrap());
    assert_mismatch(updated, "EUR", "USD");
    let amount = euros(1);
    assert_mismatch(go!(orders, pay_order, PayOrderRequest { name: name("1"), amount }), "EUR", "USD");
    go!(orders, ship_order, ShipOrderRequest { name: name("1") }).unwrap();
    let order_return = Some(came_back(1.0, 1));
    let returned = go!(orders, return_order, ReturnOrderRequest { name: name("1"), order_return });
    assert_mismatch(returned, "EUR", "USD");

    // What the accounts service says later comes too late.
    open_account(&suite, "acme", "EUR").await;
    until_followed(&suite, "other").await;
    assert_mismatch(place(&mut orders, "acme", "3", tea()).await, "EUR", "USD");
    place(&mut orders, "acme", "3", dollars(tea())).await.unwrap();
}

#[tokio::test]
async fn an_order_in_another_currency_than_its_account_is_refused() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    open_account(&suite, "acme", "EUR").await;
    let status = until_followed(&suite, "other").await;
    assert_mismatch(Err(status), "USD", "EUR");
    assert_mismatch(place(&mut orders, "acme", "1", dollars(tea())).await, "USD", "EUR");

    // Another tenant's account of the same name is another account.
    let request = CreateOrderRequest {
        parent: "accounts/acme".to_owned(),
        order: Some(dollars(tea())),
        ..CreateOrderRequest::default()
    };
    orders.create_order(ask_as("stranger", request)).await.unwrap();

    // Without an order the account may still move to another currency.
    let update = UpdateAccountRequest { account: Some(account("acme", "USD")), ..UpdateAccountRequest::default() };
    suite.accounts().update_account(ask(update)).await.unwrap();
    eventually(async || place(&mut orders, "acme", "1", dollars(tea())).await.ok()).await;
    assert_mismatch(place(&mut orders, "acme", "2", tea()).await, "EUR", "USD");
}

#[tokio::test]
async fn what_was_learned_of_accounts_outlives_a_restart() {
    let suite = Suite::start().await;
    open_account(&suite, "acme", "EUR").await;
    until_followed(&suite, "before").await;
    let suite = suite.restart().await;
    assert_mismatch(place(&mut suite.orders(), "acme", "1", dollars(tea())).await, "USD", "EUR");
    until_followed(&suite, "after").await;
}

#[tokio::test]
async fn an_accounts_feed_that_was_lost_is_followed_from_its_new_beginning() {
    let suite = Suite::start().await;
    // So many changes that the new feed does not soon have as many.
    for number in 0..100 {
        open_account(&suite, &format!("first-{number}"), "EUR").await;
    }
    until_followed(&suite, "second").await;
    let suite = suite.restart_without("accounts").await;
    until_followed(&suite, "third").await;
}
