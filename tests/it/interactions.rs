//! What the parties say to, promise and offer each other.

mod bulk;
mod promises;

use contracts::{
    common::v1::{Emotion, EmotionKind, Party},
    interactions::v1::{interactions_service_client::InteractionsServiceClient, *},
};
use prost_types::{Duration, FieldMask};
use runtime::Peer;
use tests::{Suite, ask, day};
use tonic::Code;

use crate::standard::{
    Sample, assert_invalid, assert_not_found, assert_outdated, assert_refused, assert_state_conflict, standard,
    standard_stories,
};

type Client = InteractionsServiceClient<Peer>;

const HOUR: f64 = 1.0 / 24.0;

standard! {
    Interactions(InteractionsServiceClient, interactions) of Interaction as interaction in "accounts/acme", "interactions" {
        create_interaction(CreateInteractionRequest { interaction_id, parent }),
        get_interaction(GetInteractionRequest),
        batch_get_interactions(BatchGetInteractionsRequest) -> interactions,
        list_interactions(ListInteractionsRequest),
        update_interaction(UpdateInteractionRequest),
        delete_interaction(DeleteInteractionRequest),
        undelete_interaction(UndeleteInteractionRequest),
    }
}
standard! {
    Commitments(InteractionsServiceClient, interactions) of Commitment as commitment in "accounts/acme", "commitments" {
        create_commitment(CreateCommitmentRequest { commitment_id, parent }),
        get_commitment(GetCommitmentRequest),
        batch_get_commitments(BatchGetCommitmentsRequest) -> commitments,
        list_commitments(ListCommitmentsRequest),
        update_commitment(UpdateCommitmentRequest),
        delete_commitment(DeleteCommitmentRequest),
        undelete_commitment(UndeleteCommitmentRequest),
    }
}
standard! {
    CompetitorOffers(InteractionsServiceClient, interactions) of CompetitorOffer as competitor_offer in "accounts/acme", "competitorOffers" {
        create_competitor_offer(CreateCompetitorOfferRequest { competitor_offer_id, parent }),
        get_competitor_offer(GetCompetitorOfferRequest),
        batch_get_competitor_offers(BatchGetCompetitorOffersRequest) -> competitor_offers,
        list_competitor_offers(ListCompetitorOffersRequest),
        update_competitor_offer(UpdateCompetitorOfferRequest),
        delete_competitor_offer(DeleteCompetitorOfferRequest),
        undelete_competitor_offer(UndeleteCompetitorOfferRequest),
    }
}
standard_stories!(interaction of Interactions);
standard_stories!(commitment of Commitments);
standard_stories!(competitor_offer of CompetitorOffers);

impl Sample for Interactions {
    fn sample() -> Interaction {
        Interaction {
            thread: "t_1".to_owned(),
            subject: "invoice".to_owned(),
            text: "the invoice is wrong".to_owned(),
            sentiment: Some(-0.5),
            emotions: vec![Emotion { kind: EmotionKind::Anger.into(), intensity: 0.25 }],
            duration: Some(Duration { seconds: 90, nanos: 0 }),
            intent: "a new invoice".to_owned(),
            ..asked(0.0)
        }
    }

    fn spoilt() -> (Interaction, Vec<&'static str>) {
        let spoilt = Interaction {
            happen_time: None,
            party: 9,
            channel: 0,
            purpose: 99,
            thread: "t".repeat(129),
            in_reply_to: "accounts/zenith/interactions/one".to_owned(),
            contact: "accounts/zenith/contacts/ann".to_owned(),
            subject: "s".repeat(513),
            text: "\u{1}".to_owned(),
            sentiment: Some(1.5),
            emotions: vec![
                Emotion { kind: EmotionKind::Joy.into(), intensity: f64::NAN },
                Emotion { kind: EmotionKind::Joy.into(), intensity: 1.0 },
                Emotion { kind: 0, intensity: 1.0 },
            ],
            duration: Some(Duration { seconds: -1, nanos: 0 }),
            intent: "i".repeat(257),
            resolve_time: day(0.0),
            contacts_to_resolve: 10_001,
            ..Interaction::default()
        };
        let fields = vec![
            "happen_time",
            "party",
            "channel",
            "purpose",
            "thread",
            "in_reply_to",
            "contact",
            "subject",
            "text",
            "sentiment",
            "emotions[0].intensity",
            "emotions[1].kind",
            "emotions[2].kind",
            "duration",
            "intent",
            "resolve_time",
            "contacts_to_resolve",
        ];
        (spoilt, fields)
    }

    fn change(interaction: &mut Interaction) -> &'static str {
        interaction.escalated = true;
        "escalated"
    }
}

impl Sample for Commitments {
    fn sample() -> Commitment {
        Commitment {
            party: Party::Provider.into(),
            description: "a new invoice".to_owned(),
            make_time: day(0.0),
            due_time: day(7.0),
            about: "accounts/acme/orders/o_1".to_owned(),
            ..Commitment::default()
        }
    }

    fn spoilt() -> (Commitment, Vec<&'static str>) {
        let spoilt = Commitment {
            party: 0,
            description: String::new(),
            make_time: day(-40_000.0),
            due_time: day(-40_001.0),
            about: "a".repeat(257),
            ..Commitment::default()
        };
        (spoilt, vec!["party", "description", "make_time", "due_time", "due_time", "about"])
    }

    fn change(commitment: &mut Commitment) -> &'static str {
        commitment.due_time = day(9.0);
        "due_time"
    }
}

impl Sample for CompetitorOffers {
    fn sample() -> CompetitorOffer {
        CompetitorOffer {
            competitor: "Globex".to_owned(),
            description: "a tenth cheaper".to_owned(),
            learn_time: day(0.0),
            disclosed: Some(true),
            ..CompetitorOffer::default()
        }
    }

    fn spoilt() -> (CompetitorOffer, Vec<&'static str>) {
        let spoilt = CompetitorOffer {
            competitor: "c".repeat(257),
            description: "d".repeat(4_097),
            learn_time: None,
            ..CompetitorOffer::default()
        };
        (spoilt, vec!["competitor", "description", "learn_time"])
    }

    fn change(offer: &mut CompetitorOffer) -> &'static str {
        offer.counter_chance = Some(false);
        "counter_chance"
    }
}

/// The customer's question, so many days after the start.
fn asked(days: f64) -> Interaction {
    Interaction {
        happen_time: day(days),
        party: Party::Customer.into(),
        channel: InteractionChannel::Email.into(),
        purpose: Purpose::Support.into(),
        ..Interaction::default()
    }
}

/// The provider's answer to another interaction of acme.
fn answered(days: f64, question: &str) -> Interaction {
    let in_reply_to = format!("accounts/acme/interactions/{question}");
    Interaction { party: Party::Provider.into(), in_reply_to, ..asked(days) }
}

async fn create(client: &mut Client, id: &str, interaction: Interaction) -> Interaction {
    let request = CreateInteractionRequest {
        parent: "accounts/acme".to_owned(),
        interaction_id: id.to_owned(),
        interaction: Some(interaction),
        request_id: String::new(),
    };
    client.create_interaction(ask(request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn update(client: &mut Client, id: &str, interaction: Interaction, path: &str) -> Interaction {
    let name = format!("accounts/acme/interactions/{id}");
    let request = UpdateInteractionRequest {
        interaction: Some(Interaction { name, ..interaction }),
        update_mask: Some(FieldMask { paths: vec![path.to_owned()] }),
        request_id: String::new(),
    };
    client.update_interaction(ask(request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn get(client: &mut Client, id: &str) -> Interaction {
    let request = GetInteractionRequest { name: format!("accounts/acme/interactions/{id}"), show_deleted: true };
    client.get_interaction(ask(request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn create_offer(client: &mut Client) -> CompetitorOffer {
    let request = CreateCompetitorOfferRequest {
        parent: "accounts/acme".to_owned(),
        competitor_offer: Some(CompetitorOffers::sample()),
        ..Default::default()
    };
    client.create_competitor_offer(ask(request)).await.unwrap().into_inner().competitor_offer.unwrap()
}

fn hours(hours: i64) -> Option<Duration> {
    Some(Duration { seconds: hours * 3_600, nanos: 0 })
}

#[tokio::test]
async fn an_answer_knows_how_long_the_other_party_waited() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    create(&mut client, "question", asked(0.0)).await;
    let answer = answered(2.0 * HOUR, "question");
    let stated = Interaction { reply_delay: hours(77), ..answer.clone() };
    assert_eq!(create(&mut client, "answer", stated).await.reply_delay, hours(2), "what a client states is ignored");

    let customers = Interaction { party: Party::Customer.into(), ..answer.clone() };
    assert_eq!(create(&mut client, "by_the_same", customers).await.reply_delay, None);
    assert_eq!(create(&mut client, "too_early", answered(-HOUR, "question")).await.reply_delay, None);
    assert_eq!(create(&mut client, "to_nothing", answered(HOUR, "nothing")).await.reply_delay, None);
    let unrelated = Interaction { in_reply_to: String::new(), reply_delay: hours(3), ..answer };
    assert_eq!(create(&mut client, "unrelated", unrelated).await.reply_delay, None);

    let itself = CreateInteractionRequest {
        parent: "accounts/acme".to_owned(),
        interaction_id: "itself".to_owned(),
        interaction: Some(answered(0.0, "itself")),
        request_id: String::new(),
    };
    assert_invalid(client.create_interaction(ask(itself)).await, &["interaction.in_reply_to"]);
}

#[tokio::test]
async fn every_write_reckons_the_wait_again() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    create(&mut client, "question", asked(0.0)).await;
    create(&mut client, "answer", answered(2.0 * HOUR, "question")).await;

    let later = update(&mut client, "answer", asked(3.0 * HOUR), "happen_time").await;
    assert_eq!(later.reply_delay, hours(3), "its own time moved, what it answers was not named");
    update(&mut client, "question", asked(HOUR), "happen_time").await;
    let noticed = update(&mut client, "answer", Interaction { escalated: true, ..asked(0.0) }, "escalated").await;
    assert_eq!(noticed.reply_delay, hours(2), "what it answers has moved");

    create(&mut client, "earlier", asked(-HOUR)).await;
    let elsewhere = update(&mut client, "answer", answered(0.0, "earlier"), "in_reply_to").await;
    assert_eq!(elsewhere.reply_delay, hours(4));
    let alone = update(&mut client, "answer", asked(0.0), "in_reply_to").await;
    assert_eq!(alone.reply_delay, None);
}

#[tokio::test]
async fn a_transition_reckons_the_wait_again_and_an_answer_to_what_was_deleted_waited_for_nothing() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    create(&mut client, "offer", Interaction { party: Party::Provider.into(), ..asked(0.0) }).await;
    let complaint = Interaction { party: Party::Customer.into(), ..answered(2.0 * HOUR, "offer") };
    assert_eq!(create(&mut client, "complaint", complaint).await.reply_delay, hours(2));
    update(&mut client, "offer", asked(HOUR), "happen_time").await;

    let name = "accounts/acme/interactions/complaint".to_owned();
    let resolve = ResolveInteractionRequest { name: name.clone(), resolve_time: day(1.0), ..Default::default() };
    let resolved = client.resolve_interaction(ask(resolve)).await.unwrap().into_inner().interaction.unwrap();
    assert_eq!(resolved.reply_delay, hours(1));

    let offer = DeleteInteractionRequest { name: "accounts/acme/interactions/offer".to_owned(), ..Default::default() };
    client.delete_interaction(ask(offer)).await.unwrap();
    let reopen = ReopenInteractionRequest { name, ..Default::default() };
    let reopened = client.reopen_interaction(ask(reopen)).await.unwrap().into_inner().interaction.unwrap();
    assert_eq!(reopened.reply_delay, None);
}

#[tokio::test]
async fn a_matter_is_settled_and_taken_up_again() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let open = create(&mut client, "matter", asked(0.0)).await;
    assert_eq!(open.state(), InteractionState::Open);
    let noted = create(&mut client, "chat", Interaction { purpose: Purpose::Sales.into(), ..asked(0.0) }).await;
    assert_eq!(noted.state(), InteractionState::Noted);

    let name = open.name.clone();
    let resolve = ResolveInteractionRequest {
        name: name.clone(),
        etag: open.etag.clone(),
        request_id: "r_1".to_owned(),
        resolve_time: None,
        intent_met: Some(true),
        contacts_to_resolve: 3,
    };
    let resolved = client.resolve_interaction(ask(resolve.clone())).await.unwrap().into_inner().interaction.unwrap();
    assert_eq!(resolved.state(), InteractionState::Resolved);
    assert_eq!((resolved.resolve_time, resolved.intent_met), (day(0.0), Some(true)));
    assert_eq!(resolved.contacts_to_resolve, 3);
    let again = client.resolve_interaction(ask(resolve.clone())).await.unwrap().into_inner().interaction.unwrap();
    assert_eq!(again, resolved, "a retry");
    let reused = ReopenInteractionRequest { name: name.clone(), request_id: "r_1".to_owned(), ..Default::default() };
    assert_refused(
        client.reopen_interaction(ask(reused)).await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
        &["request_id"],
    );

    let unasked = ResolveInteractionRequest { request_id: String::new(), ..resolve.clone() };
    assert_outdated(client.resolve_interaction(ask(unasked.clone())).await);
    let twice = ResolveInteractionRequest { etag: String::new(), ..unasked };
    assert_state_conflict(client.resolve_interaction(ask(twice.clone())).await);
    let not_open = ResolveInteractionRequest { name: noted.name.clone(), ..twice.clone() };
    assert_state_conflict(client.resolve_interaction(ask(not_open)).await);

    let reopen = ReopenInteractionRequest { name: name.clone(), ..Default::default() };
    let reopened = client.reopen_interaction(ask(reopen.clone())).await.unwrap().into_inner().interaction.unwrap();
    assert_eq!(reopened.state(), InteractionState::Open);
    assert_eq!((reopened.resolve_time, reopened.intent_met, reopened.contacts_to_resolve), (None, None, 0));
    assert_state_conflict(client.reopen_interaction(ask(reopen.clone())).await);
    assert_outdated(client.reopen_interaction(ask(ReopenInteractionRequest { etag: open.etag, ..reopen })).await);

    let wrong = ResolveInteractionRequest { resolve_time: day(-1.0), contacts_to_resolve: -1, ..twice.clone() };
    let fields = ["resolve_time", "contacts_to_resolve"];
    assert_invalid(client.resolve_interaction(ask(wrong)).await, &fields);
    for (name, invalid) in [("accounts/acme/interactions/nobody", false), ("accounts/acme", true)] {
        let resolve = ResolveInteractionRequest { name: name.to_owned(), ..Default::default() };
        let reopen = ReopenInteractionRequest { name: name.to_owned(), ..Default::default() };
        let resolved = client.resolve_interaction(ask(resolve)).await.map(drop);
        let reopened = client.reopen_interaction(ask(reopen)).await.map(drop);
        for answer in [resolved, reopened] {
            if invalid { assert_invalid(answer, &["name"]) } else { assert_not_found(answer) }
        }
    }
}

#[tokio::test]
async fn only_matters_of_support_and_ordering_can_be_settled() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let settled = create(&mut client, "settled", Interaction { resolve_time: day(1.0), ..asked(0.0) }).await;
    assert_eq!(settled.state(), InteractionState::Resolved);
    let ordering = Interaction { purpose: Purpose::Ordering.into(), ..asked(0.0) };
    assert_eq!(create(&mut client, "ordering", ordering).await.state(), InteractionState::Open);

    let sales = Interaction { name: settled.name, purpose: Purpose::Sales.into(), ..Interaction::default() };
    let request = UpdateInteractionRequest { interaction: Some(sales), ..Default::default() };
    assert_invalid(client.update_interaction(ask(request)).await, &["interaction.resolve_time"]);
}

#[tokio::test]
async fn interactions_are_listed_by_state_thread_and_time() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    create(&mut client, "a", Interaction { thread: "t_1".to_owned(), ..asked(0.0) }).await;
    create(&mut client, "b", Interaction { thread: "t_1".to_owned(), ..answered(1.0, "a") }).await;
    create(&mut client, "c", Interaction { resolve_time: day(3.0), ..asked(2.0) }).await;

    let all = ListInteractionsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let asks = [
        (ListInteractionsRequest { state: InteractionState::Open.into(), ..all.clone() }, vec!["a"]),
        (ListInteractionsRequest { state: InteractionState::Noted.into(), ..all.clone() }, vec!["b"]),
        (ListInteractionsRequest { state: InteractionState::Resolved.into(), ..all.clone() }, vec!["c"]),
        (ListInteractionsRequest { thread: "t_1".to_owned(), ..all.clone() }, vec!["a", "b"]),
        (ListInteractionsRequest { happen_time_from: day(1.0), ..all.clone() }, vec!["b", "c"]),
        (ListInteractionsRequest { happen_time_before: day(1.0), ..all.clone() }, vec!["a"]),
        (
            ListInteractionsRequest {
                thread: "t_1".to_owned(),
                happen_time_from: day(0.5),
                happen_time_before: day(1.5),
                ..all.clone()
            },
            vec!["b"],
        ),
    ];
    for (request, expected) in asks {
        let listed = client.list_interactions(ask(request.clone())).await.unwrap().into_inner().interactions;
        let ids: Vec<&str> = listed.iter().filter_map(|found| found.name.rsplit('/').next()).collect();
        assert_eq!(ids, expected, "{request:?}");
    }

    let first = ListInteractionsRequest { thread: "t_1".to_owned(), page_size: 1, ..all.clone() };
    let token = client.list_interactions(ask(first.clone())).await.unwrap().into_inner().next_page_token;
    let second = ListInteractionsRequest { page_token: token.clone(), ..first.clone() };
    let second = client.list_interactions(ask(second)).await.unwrap().into_inner();
    assert_eq!((second.interactions.len(), second.next_page_token.as_str()), (1, ""));
    let other = ListInteractionsRequest { thread: "t_2".to_owned(), page_token: token, ..first };
    let refused = client.list_interactions(ask(other)).await;
    assert_refused(refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    let unknown = ListInteractionsRequest { state: 99, thread: "t".repeat(129), ..all.clone() };
    assert_invalid(client.list_interactions(ask(unknown)).await, &["state", "thread"]);
    let never = ListInteractionsRequest { happen_time_from: day(-40_000.0), happen_time_before: day(1e7), ..all };
    let refused = client.list_interactions(ask(never)).await;
    assert_invalid(refused, &["happen_time_from", "happen_time_before"]);
}
