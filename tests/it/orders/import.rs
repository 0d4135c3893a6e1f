//! Orders in bulk.

use contracts::orders::v1::*;
use tests::{Suite, ask, day, refusal};
use tonic::Status;

use super::{by_customer, came_back, dollars, euros, import, name, row, tea};

#[tokio::test]
async fn rows_are_taken_as_they_are_and_the_same_rows_again_change_nothing() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    let whole = Order {
        list_total: euros(60),
        cost: euros(30),
        fulfilment: Some(Fulfilment { ship_time: day(1.0), deliver_time: day(2.0), ..Fulfilment::default() }),
        payment: Some(Payment { pay_time: day(-1.0), ..Payment::default() }),
        returns: vec![came_back(4.0, 20), came_back(3.0, 30)],
        ..tea()
    };
    let cancelled = Order { cancellation: Some(Cancellation { cancel_time: day(1.0), ..by_customer() }), ..tea() };
    let part = Order { payment: Some(Payment { paid: euros(20), ..Payment::default() }), ..tea() };
    let batches = vec![
        ImportOrdersRequest { rows: vec![row("whole", whole), row("cancelled", cancelled)], ..Default::default() },
        // The later row wins.
        ImportOrdersRequest { rows: vec![row("part", tea()), row("part", part)], ..Default::default() },
    ];
    let counts = |answers: Vec<Result<ImportOrdersResponse, Status>>| -> Vec<(i64, i64, usize)> {
        let answers = answers.into_iter().map(Result::unwrap);
        answers.map(|answer| (answer.landed_count, answer.unchanged_count, answer.refusals.len())).collect()
    };
    assert_eq!(counts(import(&mut orders, batches.clone()).await), [(2, 0, 0), (2, 0, 0)]);

    let names = ["whole", "cancelled", "part"].map(name).to_vec();
    let batch = BatchGetOrdersRequest { names };
    let found = orders.batch_get_orders(ask(batch.clone())).await.unwrap().into_inner().orders;
    let states: Vec<OrderState> = found.iter().map(Order::state).collect();
    assert_eq!(states, [OrderState::Returned, OrderState::Cancelled, OrderState::Placed]);
    assert_eq!(found[0].payment, Some(Payment { paid: euros(50), pay_time: day(-1.0), due_time: None }));
    assert_eq!(found[0].returns, [came_back(3.0, 30), came_back(4.0, 20)]);
    assert_eq!(found[1].cancellation.as_ref().unwrap().cancel_time, day(1.0));
    assert_eq!(found[2].payment.as_ref().unwrap().paid, euros(20));

    let once_more = import(
        &mut orders,
        vec![batches[0].clone(), ImportOrdersRequest { rows: vec![batches[1].rows[1].clone()], ..Default::default() }],
    );
    assert_eq!(counts(once_more.await), [(0, 2, 0), (0, 1, 0)]);
    assert_eq!(orders.batch_get_orders(ask(batch)).await.unwrap().into_inner().orders, found);
}

#[tokio::test]
async fn refused_rows_are_told_by_index_and_reason_and_the_rest_lands() {
    let suite = Suite::start().await;
    let mut orders = suite.orders();
    let contradictory = Order {
        fulfilment: Some(Fulfilment { ship_time: day(1.0), ..Fulfilment::default() }),
        payment: Some(Payment { pay_time: day(1.0), paid: euros(1), ..Payment::default() }),
        cancellation: Some(Cancellation { cancel_time: day(1.0), ..by_customer() }),
        ..tea()
    };
    let nameless = OrdersRow { resource: Some(orders_row::Resource::Order(Order { name: "1".to_owned(), ..tea() })) };
    let batches = vec![
        ImportOrdersRequest {
            rows: vec![row("1", tea()), row("2", contradictory), row("3", dollars(tea()))],
            ..Default::default()
        },
        ImportOrdersRequest { rows: vec![nameless, OrdersRow::default(), row("4", tea())], ..Default::default() },
        ImportOrdersRequest { rows: vec![], ..Default::default() },
    ];
    let answers = import(&mut orders, batches).await;
    let told: Vec<_> = answers[..2]
        .iter()
        .map(|answer| {
            let answer = answer.as_ref().unwrap();
            let refusals = answer.refusals.iter().map(|refusal| {
                let fields: Vec<&str> = refusal.violations.iter().map(|violation| violation.field.as_str()).collect();
                (refusal.index, refusal.name.as_str(), &refusal.reason["ERROR_REASON_".len()..], fields)
            });
            (answer.landed_count, refusals.collect::<Vec<_>>())
        })
        .collect();
    let contradictions = vec!["order.payment.paid", "order.fulfilment.ship_time"];
    assert_eq!(
        told,
        [
            (
                1,
                vec![
                    (1, "accounts/acme/orders/2", "INVALID_FIELDS", contradictions),
                    (2, "accounts/acme/orders/3", "CURRENCY_MISMATCH", vec![]),
                ]
            ),
            (1, vec![(3, "1", "INVALID_FIELDS", vec!["order.name"]), (4, "", "INVALID_FIELDS", vec!["resource"]),]),
        ]
    );
    // An empty batch is no batch, and ends the stream.
    assert_eq!(refusal(answers[2].as_ref().unwrap_err()).2, ["rows"]);
    let listed = ListOrdersRequest { parent: "accounts/-".to_owned(), ..ListOrdersRequest::default() };
    assert_eq!(orders.list_orders(ask(listed)).await.unwrap().into_inner().orders.len(), 2);
}
