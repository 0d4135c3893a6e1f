//! The shipped data, read through their mappings without a server.

use contracts::{
    feedback::v1::{FeedbackKind, FeedbackRow, feedback_row},
    interactions::v1::{InteractionsRow, OfferOutcome, interactions_row},
    orders::v1::{OrdersRow, orders_row},
};
use prost::Message;

use super::*;
use crate::shipped::{DataSet, RETAIL, SAAS};

#[derive(Default)]
struct Read {
    rows: Vec<Vec<u8>>,
    refused: Vec<String>,
    lines: u64,
    skipped: u64,
}

async fn read(set: DataSet, mapping: &str) -> Read {
    let step = set.steps.iter().find(|step| step.name.ends_with(mapping)).expect("a step");
    let job = step.job().unwrap_or_else(|problems| panic!("{}", problems.join("\n")));
    let reading = Reading {
        kind: job.kind,
        format: job.source.format().expect("a format"),
        source: job.source,
        mapping: job.mapping,
        batch: 500,
        originals: false,
    };
    let mut said = reader::start(reading, Arc::new(AtomicU64::new(0)));
    let mut read = Read::default();
    while let Some(word) = said.recv().await {
        match word {
            Said::Batch(batch) => {
                assert!(batch.rows.len() <= 500);
                read.rows.extend(batch.rows);
                read.refused.extend(batch.refused.into_iter().map(|(origin, problem)| format!("{origin:?} {problem}")));
                read.lines += batch.lines;
                read.skipped += batch.skipped;
            }
            Said::Header(_) => {}
            Said::Unusable(problems) => panic!("{}", problems.join("\n")),
            Said::Closed(problem) | Said::Broken(_, problem) => panic!("{problem}"),
        }
    }
    assert_eq!(read.refused, [""; 0], "{mapping}");
    read
}

#[tokio::test]
async fn every_line_of_the_wholesaler_is_accounted_for() {
    let accounts = read(RETAIL, "accounts.toml").await;
    assert_eq!((accounts.lines, accounts.rows.len()), (188_283, 2_169));

    let orders = read(RETAIL, "orders.toml").await;
    assert_eq!((orders.lines, orders.skipped), (188_283, 757 + 18), "cancellations without a sale, and gifts");
    let mut total = 0_i128;
    let (mut lines, mut returned, mut returns) = (0, 0_i128, 0);
    for row in &orders.rows {
        let row = OrdersRow::decode(row.as_slice()).expect("a row");
        let Some(orders_row::Resource::Order(order)) = row.resource else { panic!("an order") };
        let nanos =
            |money: &contracts::common::v1::Money| i128::from(money.units) * 1_000_000_000 + i128::from(money.nanos);
        let worth = nanos(order.total.as_ref().expect("a total"));
        let back: i128 = order.returns.iter().map(|back| nanos(back.amount.as_ref().expect("an amount"))).sum();
        let of_lines: i128 = order
            .lines
            .iter()
            .map(|line| nanos(line.unit_price.as_ref().expect("a price")) * i128::from(line.quantity))
            .sum();
        assert_eq!(worth, of_lines, "{}", order.name);
        assert!(back <= worth, "{} returns more than it is worth", order.name);
        let placed = order.place_time.expect("a time").seconds;
        assert!(order.returns.iter().all(|back| back.return_time.expect("a time").seconds >= placed));
        (total, returned) = (total + worth, returned + back);
        (lines, returns) = (lines + order.lines.len(), returns + order.returns.len());
    }
    assert_eq!((orders.rows.len(), lines, returns), (8_634, 184_194, 1_695));
    assert_eq!((total, returned), (3_504_383_481_000_000, 138_302_110_000_000), "to the penny");
}

#[tokio::test]
async fn the_vendors_facts_reach_all_four_services() {
    let counts = [
        ("accounts.toml", 500),
        ("orders.toml", 5_000),
        ("subscription_ends.toml", 486),
        ("tickets.toml", 2_000),
        ("replies.toml", 2_000),
        ("satisfaction.toml", 1_175),
        ("churn_reasons.toml", 422),
        ("competitor_offers.toml", 207),
    ];
    assert_eq!(counts.len(), SAAS.steps.len());
    for (mapping, count) in counts {
        assert_eq!(read(SAAS, mapping).await.rows.len(), count, "{mapping}");
    }
}

#[tokio::test]
async fn a_ticket_its_reply_and_its_score_belong_together() {
    let replies = read(SAAS, "replies.toml").await;
    let row = InteractionsRow::decode(replies.rows[0].as_slice()).expect("a row");
    let Some(interactions_row::Resource::Interaction(reply)) = row.resource else { panic!("an interaction") };
    assert_eq!(reply.name, "accounts/A-712f1c/interactions/T-0024de-reply");
    assert_eq!(reply.in_reply_to, "accounts/A-712f1c/interactions/T-0024de");
    let day = 1_690_416_000;
    assert_eq!(reply.happen_time.expect("a time").seconds, day + 74 * 60);

    let tickets = read(SAAS, "tickets.toml").await;
    let row = InteractionsRow::decode(tickets.rows[0].as_slice()).expect("a row");
    let Some(interactions_row::Resource::Interaction(ticket)) = row.resource else { panic!("an interaction") };
    assert_eq!(ticket.resolve_time.expect("a time").seconds, day + 27 * 3600);

    let scores = read(SAAS, "satisfaction.toml").await;
    let row = FeedbackRow::decode(scores.rows[0].as_slice()).expect("a row");
    let Some(feedback_row::Resource::Feedback(feedback)) = row.resource else { panic!("feedback") };
    assert_eq!((feedback.kind(), feedback.score), (FeedbackKind::Csat, Some(4.0)));
    assert_eq!(feedback.about.expect("a subject").reference, "accounts/A-0f3e88/interactions/T-d5e12f");

    let offers = read(SAAS, "competitor_offers.toml").await;
    let row = InteractionsRow::decode(offers.rows[0].as_slice()).expect("a row");
    let Some(interactions_row::Resource::CompetitorOffer(offer)) = row.resource else { panic!("an offer") };
    assert_eq!((offer.outcome(), offer.disclosed), (OfferOutcome::Left, Some(true)));
}
