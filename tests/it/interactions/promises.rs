//! What becomes of promises and of rivals' offers.

use contracts::interactions::v1::*;
use tests::{Suite, ask, day};
use tonic::Status;

use super::{Client, Commitments, create_offer};
use crate::standard::{Sample as _, assert_invalid, assert_not_found, assert_outdated, assert_state_conflict};

async fn settle(
    client: &mut Client,
    how: CommitmentState,
    ask_for: KeepCommitmentRequest,
) -> Result<Commitment, Status> {
    let KeepCommitmentRequest { name, etag, request_id, settle_time } = ask_for;
    let commitment = match how {
        CommitmentState::Kept => {
            let request = KeepCommitmentRequest { name, etag, request_id, settle_time };
            client.keep_commitment(ask(request)).await?.into_inner().commitment
        }
        CommitmentState::Broken => {
            let request = BreakCommitmentRequest { name, etag, request_id, settle_time };
            client.break_commitment(ask(request)).await?.into_inner().commitment
        }
        _ => {
            let request = WithdrawCommitmentRequest { name, etag, request_id, settle_time };
            client.withdraw_commitment(ask(request)).await?.into_inner().commitment
        }
    };
    Ok(commitment.unwrap())
}

#[tokio::test]
async fn a_commitment_is_kept_broken_or_withdrawn_once() {
    use CommitmentState::{Broken, Kept, Withdrawn};
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    for how in [Kept, Broken, Withdrawn] {
        let request = CreateCommitmentRequest {
            parent: "accounts/acme".to_owned(),
            commitment: Some(Commitments::sample()),
            ..Default::default()
        };
        let open = client.create_commitment(ask(request)).await.unwrap().into_inner().commitment.unwrap();
        assert_eq!(open.state(), CommitmentState::Open);
        let target = KeepCommitmentRequest { name: open.name.clone(), ..Default::default() };

        let too_early = KeepCommitmentRequest { settle_time: day(-1.0), ..target.clone() };
        assert_invalid(settle(&mut client, how, too_early).await, &["settle_time"]);
        let stale = KeepCommitmentRequest { etag: "0".to_owned(), ..target.clone() };
        assert_outdated(settle(&mut client, how, stale).await);

        let right = KeepCommitmentRequest {
            etag: open.etag.clone(),
            request_id: format!("r_{how:?}"),
            settle_time: (how == Kept).then(|| day(2.0)).flatten(),
            ..target.clone()
        };
        let settled = settle(&mut client, how, right.clone()).await.unwrap();
        let expected_time = if how == Kept { day(2.0) } else { day(0.0) };
        assert_eq!((settled.state(), settled.settle_time), (how, expected_time));
        assert_eq!(settle(&mut client, how, right).await.unwrap(), settled, "a retry");
        for again in [Kept, Broken, Withdrawn] {
            assert_state_conflict(settle(&mut client, again, target.clone()).await);
        }
        let nobody =
            KeepCommitmentRequest { name: "accounts/acme/commitments/nobody".to_owned(), ..Default::default() };
        assert_not_found(settle(&mut client, how, nobody).await);
        let malformed = KeepCommitmentRequest { request_id: "r".repeat(65), ..Default::default() };
        assert_invalid(settle(&mut client, how, malformed).await, &["name", "request_id"]);

        let list =
            ListCommitmentsRequest { parent: "accounts/acme".to_owned(), state: how.into(), ..Default::default() };
        assert_eq!(client.list_commitments(ask(list)).await.unwrap().into_inner().commitments, [settled]);
    }
}

#[tokio::test]
async fn a_rivals_offer_is_countered_once_while_it_is_open() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let open = create_offer(&mut client).await;
    assert_eq!(open.outcome(), OfferOutcome::Open);
    let counter = CounterCompetitorOfferRequest {
        name: open.name.clone(),
        counter_offer: Some(CounterOffer { make_time: None, description: "a tenth off".to_owned() }),
        ..Default::default()
    };

    let bare =
        CounterCompetitorOfferRequest { name: "offer".to_owned(), request_id: "r".repeat(65), ..Default::default() };
    assert_invalid(client.counter_competitor_offer(ask(bare)).await, &["name", "request_id", "counter_offer"]);
    let wrong = CounterOffer { make_time: day(-1.0), description: "d".repeat(4_097) };
    let wrong = CounterCompetitorOfferRequest { counter_offer: Some(wrong), ..counter.clone() };
    let fields = ["counter_offer.make_time", "counter_offer.description"];
    assert_invalid(client.counter_competitor_offer(ask(wrong)).await, &fields);
    let stale = CounterCompetitorOfferRequest { etag: "0".to_owned(), ..counter.clone() };
    assert_outdated(client.counter_competitor_offer(ask(stale)).await);
    let name = "accounts/acme/competitorOffers/nobody".to_owned();
    assert_not_found(
        client.counter_competitor_offer(ask(CounterCompetitorOfferRequest { name, ..counter.clone() })).await,
    );

    let once = CounterCompetitorOfferRequest { request_id: "r_1".to_owned(), ..counter.clone() };
    let countered = client.counter_competitor_offer(ask(once.clone())).await.unwrap().into_inner().competitor_offer;
    let made = countered.as_ref().and_then(|offer| offer.counter_offer.clone());
    assert_eq!(made, Some(CounterOffer { make_time: day(0.0), description: "a tenth off".to_owned() }));
    let again = client.counter_competitor_offer(ask(once)).await.unwrap().into_inner().competitor_offer;
    assert_eq!(again, countered, "a retry");
    assert_state_conflict(client.counter_competitor_offer(ask(counter)).await);
}

#[tokio::test]
async fn a_rivals_offer_is_decided_once() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    for outcome in [OfferOutcome::Stayed, OfferOutcome::Split, OfferOutcome::Left] {
        let open = create_offer(&mut client).await;
        let resolve = ResolveCompetitorOfferRequest {
            name: open.name.clone(),
            outcome: outcome.into(),
            resolve_time: day(5.0),
            ..Default::default()
        };
        for not_a_decision in [0, OfferOutcome::Open.into(), 77] {
            let wrong = ResolveCompetitorOfferRequest { outcome: not_a_decision, ..Default::default() };
            assert_invalid(client.resolve_competitor_offer(ask(wrong)).await, &["name", "outcome"]);
        }
        let early = ResolveCompetitorOfferRequest { resolve_time: day(-1.0), ..resolve.clone() };
        assert_invalid(client.resolve_competitor_offer(ask(early)).await, &["resolve_time"]);
        let stale = ResolveCompetitorOfferRequest { etag: "0".to_owned(), ..resolve.clone() };
        assert_outdated(client.resolve_competitor_offer(ask(stale)).await);
        let name = "accounts/acme/competitorOffers/nobody".to_owned();
        let nobody = ResolveCompetitorOfferRequest { name, ..resolve.clone() };
        assert_not_found(client.resolve_competitor_offer(ask(nobody)).await);

        let once = ResolveCompetitorOfferRequest { request_id: format!("r_{outcome:?}"), ..resolve.clone() };
        let resolved = client.resolve_competitor_offer(ask(once.clone())).await.unwrap().into_inner();
        let resolved = resolved.competitor_offer.unwrap();
        assert_eq!((resolved.outcome(), resolved.resolve_time), (outcome, day(5.0)));
        let again = client.resolve_competitor_offer(ask(once)).await.unwrap().into_inner().competitor_offer.unwrap();
        assert_eq!(again, resolved, "a retry");
        assert_state_conflict(client.resolve_competitor_offer(ask(resolve)).await);
        let counter = CounterCompetitorOfferRequest {
            name: open.name,
            counter_offer: Some(CounterOffer::default()),
            ..Default::default()
        };
        assert_state_conflict(client.counter_competitor_offer(ask(counter)).await);

        let list = ListCompetitorOffersRequest {
            parent: "accounts/acme".to_owned(),
            outcome: outcome.into(),
            ..Default::default()
        };
        let listed = client.list_competitor_offers(ask(list)).await.unwrap().into_inner().competitor_offers;
        assert_eq!(listed, [resolved]);
    }
    let unknown = ListCompetitorOffersRequest { parent: "accounts/acme".to_owned(), outcome: 99, ..Default::default() };
    assert_invalid(client.list_competitor_offers(ask(unknown)).await, &["outcome"]);
}
