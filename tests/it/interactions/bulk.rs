//! Rows in bulk: import, watch, erasure.

use contracts::{
    common::v1::{FeedPosition, FeedStart},
    interactions::v1::*,
};
use tests::{Suite, ask, ask_as, day};
use tonic::{Code, Status};

use super::{
    Client, Commitments, CompetitorOffers, HOUR, Interactions, answered, asked, create, create_offer, get, hours,
    update,
};
use crate::{
    feed::{all_answers, assert_imported, imported, next_changes, watched},
    standard::{Sample as _, assert_invalid, assert_refused},
};

watched!(WatchInteractionsResponse of InteractionsChange);
imported!(ImportInteractionsResponse);

async fn import(
    client: &mut Client,
    batches: Vec<Vec<interactions_row::Resource>>,
) -> Result<Vec<ImportInteractionsResponse>, Status> {
    let messages = batches.into_iter().map(|batch| ImportInteractionsRequest {
        rows: batch.into_iter().map(|resource| InteractionsRow { resource: Some(resource) }).collect(),
        ..Default::default()
    });
    let messages: Vec<_> = messages.collect();
    all_answers(client.import_interactions(ask(tokio_stream::iter(messages))).await).await
}

fn interaction_row(id: &str, interaction: Interaction) -> interactions_row::Resource {
    let name = format!("accounts/acme/interactions/{id}");
    interactions_row::Resource::Interaction(Interaction { name, ..interaction })
}

fn commitment_row(id: &str, commitment: Commitment) -> interactions_row::Resource {
    let name = format!("accounts/acme/commitments/{id}");
    interactions_row::Resource::Commitment(Commitment { name, ..commitment })
}

fn offer_row(id: &str, offer: CompetitorOffer) -> interactions_row::Resource {
    let name = format!("accounts/acme/competitorOffers/{id}");
    interactions_row::Resource::CompetitorOffer(CompetitorOffer { name, ..offer })
}

#[tokio::test]
async fn an_import_lands_what_is_right_refuses_the_rest_and_changes_nothing_when_repeated() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let batches = || {
        let kept = Commitment { state: CommitmentState::Kept.into(), ..Commitments::sample() };
        let decided = CompetitorOffer {
            counter_offer: Some(CounterOffer { make_time: day(1.0), description: String::new() }),
            outcome: OfferOutcome::Left.into(),
            resolve_time: day(2.0),
            ..CompetitorOffers::sample()
        };
        vec![
            vec![
                interaction_row("question", asked(0.0)),
                interaction_row("answer", answered(HOUR, "question")),
                interaction_row("timed", Interaction { reply_delay: hours(5), ..asked(1.0) }),
                interaction_row("no/name", Interaction { party: 0, ..asked(0.0) }),
            ],
            vec![
                commitment_row("open", Commitments::sample()),
                commitment_row("kept", Commitment { settle_time: day(1.0), ..kept.clone() }),
                commitment_row("no_time", kept),
                offer_row("open", CompetitorOffers::sample()),
                offer_row("decided", decided.clone()),
                offer_row("undecided", CompetitorOffer { outcome: 0, ..decided }),
            ],
        ]
    };
    let refused: [(i64, &str, &[&str]); 3] = [
        (3, "accounts/acme/interactions/no/name", &["interaction.name", "interaction.party"]),
        (6, "accounts/acme/commitments/no_time", &["commitment.settle_time"]),
        (9, "accounts/acme/competitorOffers/undecided", &["competitor_offer.resolve_time"]),
    ];
    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(3, 0), (4, 0)], &refused);
    assert_eq!(get(&mut client, "answer").await.reply_delay, hours(1), "of the same batch");
    assert_eq!(get(&mut client, "timed").await.reply_delay, hours(5), "taken from the row");
    let list = ListCommitmentsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let commitments = client.list_commitments(ask(list)).await.unwrap().into_inner().commitments;
    let states: Vec<CommitmentState> = commitments.iter().map(Commitment::state).collect();
    assert_eq!(states, [CommitmentState::Kept, CommitmentState::Open]);
    let list = ListCompetitorOffersRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let offers = client.list_competitor_offers(ask(list)).await.unwrap().into_inner().competitor_offers;
    let outcomes: Vec<OfferOutcome> = offers.iter().map(CompetitorOffer::outcome).collect();
    assert_eq!(outcomes, [OfferOutcome::Left, OfferOutcome::Open]);

    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(0, 3), (0, 4)], &refused);
    assert_eq!(get(&mut client, "answer").await.version, 1);
}

#[tokio::test]
async fn later_rows_of_an_import_win_and_batches_have_a_size() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let louder = Interaction { escalated: true, ..asked(0.0) };
    let rows = vec![interaction_row("a", asked(0.0)), interaction_row("a", louder)];
    assert_eq!(import(&mut client, vec![rows]).await.unwrap()[0].landed_count, 2);
    assert!(get(&mut client, "a").await.escalated);

    assert_invalid(import(&mut client, vec![vec![]]).await, &["rows"]);
    let many = (0..1_001).map(|index| interaction_row(&format!("i_{index}"), asked(0.0))).collect();
    assert_invalid(import(&mut client, vec![many]).await, &["rows"]);
    let nothing =
        vec![ImportInteractionsRequest { rows: vec![InteractionsRow { resource: None }], ..Default::default() }];
    let answers = all_answers(client.import_interactions(ask(tokio_stream::iter(nothing))).await).await.unwrap();
    assert_eq!(answers[0].refusals[0].violations[0].field, "resource");
    let nobody = client.import_interactions(ask_as("-", tokio_stream::iter(Vec::new()))).await;
    let field = "metadata.rapport-tenant";
    assert_refused(nobody.map(drop), Code::InvalidArgument, "TENANT_INVALID", &[field]);
}

#[tokio::test]
async fn a_watcher_sees_every_change_of_its_tenant_in_order_and_goes_on_where_it_stopped() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    create(&mut client, "a", asked(0.0)).await;
    let commitment = CreateCommitmentRequest {
        parent: "accounts/acme".to_owned(),
        commitment: Some(Commitments::sample()),
        ..Default::default()
    };
    client.create_commitment(ask(commitment)).await.unwrap();
    create_offer(&mut client).await;

    let beginning = WatchInteractionsRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_interactions(ask(beginning.clone())).await.unwrap().into_inner();
    let checkpoint = watch.message().await.unwrap().unwrap();
    assert!(checkpoint.changes.is_empty());
    assert_eq!(checkpoint.changes_through.len(), 64);
    let (changes, through) = next_changes(&mut watch, 3).await;
    let kinds: Vec<u8> = changes
        .iter()
        .map(|change| match change.resource.as_ref().unwrap() {
            interactions_change::Resource::Interaction(_) => 1,
            interactions_change::Resource::Commitment(_) => 2,
            interactions_change::Resource::CompetitorOffer(_) => 3,
        })
        .collect();
    assert_eq!(kinds, [1, 2, 3]);
    let stamp = changes[0].stamp.as_ref().unwrap();
    assert_eq!((stamp.tenant.as_str(), stamp.account_id.as_str()), ("test", "acme"));
    assert_eq!((stamp.position, stamp.version, stamp.record_time), (1, 1, day(0.0)));
    let partition = stamp.partition;
    assert_eq!(through, [FeedPosition { partition, position: 3 }]);

    let name = "accounts/acme/interactions/a".to_owned();
    client.delete_interaction(ask(DeleteInteractionRequest { name, ..Default::default() })).await.unwrap();
    let resume = WatchInteractionsRequest { partitions: vec![partition], start: 0, positions: through };
    let mut resumed = client.watch_interactions(ask(resume.clone())).await.unwrap().into_inner();
    for watch in [&mut watch, &mut resumed] {
        let (changes, _) = next_changes(watch, 1).await;
        let Some(interactions_change::Resource::Interaction(gone)) = &changes[0].resource else {
            panic!("{changes:?}")
        };
        assert_eq!((gone.delete_time, gone.version), (day(0.0), 2));
    }

    // A stranger hears of nothing but its own.
    let mut stranger = client.watch_interactions(ask_as("stranger", beginning)).await.unwrap().into_inner();
    let own = CreateInteractionRequest {
        parent: "accounts/acme".to_owned(),
        interaction: Some(asked(0.0)),
        ..Default::default()
    };
    client.create_interaction(ask_as("stranger", own)).await.unwrap();
    let (changes, _) = next_changes(&mut stranger, 1).await;
    assert_eq!(changes[0].stamp.as_ref().unwrap().tenant, "stranger");

    let ahead = WatchInteractionsRequest { positions: vec![FeedPosition { partition, position: 99 }], ..resume };
    let refused = client.watch_interactions(ask(ahead)).await.map(drop);
    assert_refused(refused, Code::OutOfRange, "FEED_POSITION_AHEAD", &[]);
    let wrong = WatchInteractionsRequest {
        partitions: vec![64],
        start: 9,
        positions: vec![FeedPosition { partition: 77, position: -1 }],
    };
    let fields = ["partitions[0]", "positions[0].partition", "positions[0].position", "start"];
    assert_invalid(client.watch_interactions(ask(wrong)).await.map(drop), &fields);
}

#[tokio::test]
async fn erased_words_are_found_neither_now_nor_in_the_past_nor_do_they_come_back() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let ann = "accounts/acme/contacts/ann".to_owned();
    let said = |contact: &str| Interaction { contact: contact.to_owned(), ..Interactions::sample() };
    create(&mut client, "anns", said(&ann)).await;
    let louder = Interaction { text: "THE INVOICE IS WRONG".to_owned(), ..said(&ann) };
    update(&mut client, "anns", louder, "text").await;
    create(&mut client, "bobs", said("accounts/acme/contacts/bob")).await;
    create(&mut client, "deleted", said(&ann)).await;
    let name = "accounts/acme/interactions/deleted".to_owned();
    client.delete_interaction(ask(DeleteInteractionRequest { name, ..Default::default() })).await.unwrap();
    suite.clock.advance(std::time::Duration::from_secs(86_400));

    let erase = EraseInteractionsRequest { parent: "accounts/acme".to_owned(), contact: ann };
    let answer = client.erase_interactions(ask(erase.clone())).await.unwrap().into_inner();
    assert_eq!(answer.erased_count, 2);
    assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
    assert_eq!(client.erase_interactions(ask(erase.clone())).await.unwrap().into_inner().erased_count, 0);
    for id in ["anns", "deleted"] {
        let erased = get(&mut client, id).await;
        assert_eq!((erased.subject.as_str(), erased.text.as_str(), erased.intent.as_str()), ("", "", ""));
        assert_eq!((erased.erase_time, erased.happen_time), (day(1.0), day(0.0)));
        assert_eq!((erased.sentiment, erased.thread.as_str()), (Some(-0.5), "t_1"));
        assert_eq!(erased.delete_time.is_some(), id == "deleted");
    }
    assert_eq!(get(&mut client, "bobs").await.text, "the invoice is wrong");

    let everybody = EraseInteractionsRequest { contact: String::new(), ..erase };
    assert_eq!(client.erase_interactions(ask(everybody)).await.unwrap().into_inner().erased_count, 1);
    let beginning = WatchInteractionsRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_interactions(ask(beginning)).await.unwrap().into_inner();
    let (changes, _) = next_changes(&mut watch, 8).await;
    for change in &changes {
        let Some(interactions_change::Resource::Interaction(past)) = &change.resource else { panic!("{change:?}") };
        assert_eq!((past.subject.as_str(), past.text.as_str(), past.intent.as_str()), ("", "", ""), "{change:?}");
        assert_eq!(past.happen_time, day(0.0));
    }

    let again = import(&mut client, vec![vec![interaction_row("bobs", said("accounts/acme/contacts/bob"))]]).await;
    assert_eq!(again.unwrap()[0].unchanged_count, 1, "the row of an import brings no words back");
    let told = update(&mut client, "bobs", said(""), "text").await;
    assert_eq!((told.text.as_str(), told.erase_time.is_some()), ("", true));
}

#[tokio::test]
async fn an_erasure_needs_an_account_and_a_person_of_it() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    for (parent, contact, fields) in [
        ("", "", vec!["parent"]),
        ("accounts/-", "ann", vec!["parent", "contact"]),
        ("accounts/acme", "accounts/zenith/contacts/ann", vec!["contact"]),
    ] {
        let request = EraseInteractionsRequest { parent: parent.to_owned(), contact: contact.to_owned() };
        assert_invalid(client.erase_interactions(ask(request)).await, &fields);
    }
    let nobody = EraseInteractionsRequest { parent: "accounts/nobody".to_owned(), contact: String::new() };
    assert_eq!(client.erase_interactions(ask(nobody)).await.unwrap().into_inner().erased_count, 0);
}

#[tokio::test]
async fn a_long_history_is_erased_in_batches() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let rows = |from: usize| -> Vec<_> {
        (from..from + 600).map(|index| interaction_row(&format!("i_{index:04}"), Interactions::sample())).collect()
    };
    import(&mut client, vec![rows(0), rows(600)]).await.unwrap();
    let request = EraseInteractionsRequest { parent: "accounts/acme".to_owned(), contact: String::new() };
    let answer = client.erase_interactions(ask(request.clone())).await.unwrap().into_inner();
    assert_eq!(answer.erased_count, 1_200);
    assert_eq!(get(&mut client, "i_1199").await.text, "");
    assert_eq!(client.erase_interactions(ask(request)).await.unwrap().into_inner().erased_count, 0);
}
