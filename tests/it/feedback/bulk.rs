//! Rows in bulk: import, watch, erasure.

use contracts::{
    common::v1::{FeedPosition, FeedStart},
    feedback::v1::*,
};
use tests::{Suite, ask, ask_as, day};
use tonic::{Code, Status};

use super::{
    Client, Feedbacks, Improvements, Themes, complaint, create, get,
    improvements::{create_improvement, step},
    scored, update,
};
use crate::{
    feed::{all_answers, assert_imported, imported, next_changes, watched},
    standard::{Sample as _, assert_invalid, assert_refused},
};

watched!(WatchFeedbackResponse of FeedbackChange);
imported!(ImportFeedbackResponse);

async fn import(
    client: &mut Client,
    batches: Vec<Vec<feedback_row::Resource>>,
) -> Result<Vec<ImportFeedbackResponse>, Status> {
    let messages = batches.into_iter().map(|batch| ImportFeedbackRequest {
        rows: batch.into_iter().map(|resource| FeedbackRow { resource: Some(resource) }).collect(),
        ..Default::default()
    });
    let messages: Vec<_> = messages.collect();
    all_answers(client.import_feedback(ask(tokio_stream::iter(messages))).await).await
}

fn feedback_row(id: &str, feedback: Feedback) -> feedback_row::Resource {
    feedback_row::Resource::Feedback(Feedback { name: format!("accounts/acme/feedback/{id}"), ..feedback })
}

fn theme_row(name: &str, theme: Theme) -> feedback_row::Resource {
    feedback_row::Resource::Theme(Theme { name: name.to_owned(), ..theme })
}

fn improvement_row(name: &str, improvement: Improvement) -> feedback_row::Resource {
    feedback_row::Resource::Improvement(Improvement { name: name.to_owned(), ..improvement })
}

#[tokio::test]
async fn an_import_lands_what_is_right_refuses_the_rest_and_changes_nothing_when_repeated() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let batches = || {
        vec![
            vec![
                theme_row("themes/punctuality", Themes::sample()),
                theme_row("punctuality", Theme::default()),
                feedback_row("open", complaint()),
                feedback_row("settled", Feedback { resolve_time: day(1.0), ..complaint() }),
            ],
            vec![
                feedback_row("praised", Feedback { resolve_time: day(1.0), ..scored(FeedbackKind::Nps, Some(9.0)) }),
                // How far an improvement has come is not for an import to say.
                improvement_row("improvements/one", Improvement { plan_time: day(0.0), ..Improvements::sample() }),
            ],
        ]
    };
    let refused: [(i64, &str, &[&str]); 2] = [
        (1, "punctuality", &["theme.name", "theme.display_name"]),
        (4, "accounts/acme/feedback/praised", &["feedback.resolve_time"]),
    ];
    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(3, 0), (1, 0)], &refused);
    let settled = get(&mut client, "settled").await;
    assert_eq!((settled.state(), settled.resolve_time), (FeedbackState::Resolved, day(1.0)));

    // What became of the improvement meanwhile stands.
    let name = "improvements/one";
    let planned = step(&mut client, "plan", None, (name, "", "")).await.unwrap();
    assert_imported(&import(&mut client, batches()).await.unwrap(), &[(0, 3), (0, 1)], &refused);
    let get = GetImprovementRequest { name: name.to_owned(), show_deleted: false };
    assert_eq!(client.get_improvement(ask(get)).await.unwrap().into_inner().improvement, Some(planned));
}

#[tokio::test]
async fn later_rows_of_an_import_win_and_batches_have_a_size() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let louder = Feedback { text: "again!".to_owned(), ..complaint() };
    let rows = vec![feedback_row("a", complaint()), feedback_row("a", louder)];
    assert_eq!(import(&mut client, vec![rows]).await.unwrap()[0].landed_count, 2);
    assert_eq!(get(&mut client, "a").await.text, "again!");

    assert_invalid(import(&mut client, vec![vec![]]).await, &["rows"]);
    let many = (0..1_001).map(|index| feedback_row(&format!("f_{index}"), complaint())).collect();
    assert_invalid(import(&mut client, vec![many]).await, &["rows"]);
    let nothing = vec![ImportFeedbackRequest { rows: vec![FeedbackRow { resource: None }], ..Default::default() }];
    let answers = all_answers(client.import_feedback(ask(tokio_stream::iter(nothing))).await).await.unwrap();
    assert_eq!(answers[0].refusals[0].violations[0].field, "resource");
    let nobody = client.import_feedback(ask_as("-", tokio_stream::iter(Vec::new()))).await;
    let field = "metadata.rapport-tenant";
    assert_refused(nobody.map(drop), Code::InvalidArgument, "TENANT_INVALID", &[field]);
}

#[tokio::test]
async fn a_watcher_sees_every_change_of_its_tenant_in_order_and_goes_on_where_it_stopped() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    // Themes and improvements are the tenant's: they share a partition.
    let theme = CreateThemeRequest {
        theme_id: "punctuality".to_owned(),
        theme: Some(Themes::sample()),
        request_id: String::new(),
    };
    client.create_theme(ask(theme.clone())).await.unwrap();
    let improvement = create_improvement(&mut client, "one").await;
    step(&mut client, "plan", None, (&improvement.name, "", "")).await.unwrap();

    let beginning = WatchFeedbackRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_feedback(ask(beginning.clone())).await.unwrap().into_inner();
    let checkpoint = watch.message().await.unwrap().unwrap();
    assert!(checkpoint.changes.is_empty());
    assert_eq!(checkpoint.changes_through.len(), 64);
    let (changes, through) = next_changes(&mut watch, 3).await;
    let Some(feedback_change::Resource::Theme(first)) = &changes[0].resource else { panic!("{changes:?}") };
    assert_eq!(first.name, "themes/punctuality");
    let Some(feedback_change::Resource::Improvement(last)) = &changes[2].resource else { panic!("{changes:?}") };
    assert_eq!((last.state(), last.version), (ImprovementState::Planned, 2));
    let stamp = changes[2].stamp.as_ref().unwrap();
    assert_eq!((stamp.tenant.as_str(), stamp.account_id.as_str()), ("test", ""));
    assert_eq!((stamp.position, stamp.version, stamp.record_time), (3, 2, day(0.0)));
    let partition = stamp.partition;
    assert_eq!(through, [FeedPosition { partition, position: 3 }]);

    create(&mut client, "a", complaint()).await;
    let (changes, elsewhere) = next_changes(&mut watch, 1).await;
    assert!(matches!(changes[0].resource, Some(feedback_change::Resource::Feedback(_))));
    assert_eq!(changes[0].stamp.as_ref().unwrap().account_id, "acme");
    assert_ne!(elsewhere[0].partition, partition);

    let name = "themes/punctuality".to_owned();
    client.delete_theme(ask(DeleteThemeRequest { name, ..Default::default() })).await.unwrap();
    let resume = WatchFeedbackRequest { partitions: vec![partition], start: 0, positions: through };
    let mut resumed = client.watch_feedback(ask(resume.clone())).await.unwrap().into_inner();
    for watch in [&mut watch, &mut resumed] {
        let (changes, _) = next_changes(watch, 1).await;
        let Some(feedback_change::Resource::Theme(gone)) = &changes[0].resource else { panic!("{changes:?}") };
        assert_eq!((gone.delete_time, gone.version), (day(0.0), 2));
    }

    // A stranger hears of nothing but its own.
    let mut stranger = client.watch_feedback(ask_as("stranger", beginning)).await.unwrap().into_inner();
    client.create_theme(ask_as("stranger", theme)).await.unwrap();
    let (changes, _) = next_changes(&mut stranger, 1).await;
    assert_eq!(changes[0].stamp.as_ref().unwrap().tenant, "stranger");

    let ahead = WatchFeedbackRequest { positions: vec![FeedPosition { partition, position: 99 }], ..resume };
    let refused = client.watch_feedback(ask(ahead)).await.map(drop);
    assert_refused(refused, Code::OutOfRange, "FEED_POSITION_AHEAD", &[]);
    let wrong = WatchFeedbackRequest {
        partitions: vec![64],
        start: 9,
        positions: vec![FeedPosition { partition: 77, position: -1 }],
    };
    let fields = ["partitions[0]", "positions[0].partition", "positions[0].position", "start"];
    assert_invalid(client.watch_feedback(ask(wrong)).await.map(drop), &fields);
}

#[tokio::test]
async fn erased_words_are_found_neither_now_nor_in_the_past_nor_do_they_come_back() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let ann = "accounts/acme/contacts/ann".to_owned();
    let said = |contact: &str| Feedback { contact: contact.to_owned(), ..Feedbacks::sample() };
    create(&mut client, "anns", said(&ann)).await;
    let louder = Feedback { text: "LATE AGAIN".to_owned(), ..said(&ann) };
    update(&mut client, "anns", louder, "text").await.unwrap();
    create(&mut client, "bobs", said("accounts/acme/contacts/bob")).await;
    create(&mut client, "deleted", said(&ann)).await;
    let name = "accounts/acme/feedback/deleted".to_owned();
    client.delete_feedback(ask(DeleteFeedbackRequest { name, ..Default::default() })).await.unwrap();
    suite.clock.advance(std::time::Duration::from_secs(86_400));

    let erase = EraseFeedbackRequest { parent: "accounts/acme".to_owned(), contact: ann };
    let answer = client.erase_feedback(ask(erase.clone())).await.unwrap().into_inner();
    assert_eq!(answer.erased_count, 2);
    assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
    assert_eq!(client.erase_feedback(ask(erase.clone())).await.unwrap().into_inner().erased_count, 0);
    for id in ["anns", "deleted"] {
        let erased = get(&mut client, id).await;
        assert_eq!((erased.text.as_str(), erased.erase_time, erased.happen_time), ("", day(1.0), day(0.0)));
        assert_eq!((erased.sentiment, erased.state()), (Some(-0.75), FeedbackState::Open));
        assert_eq!(erased.delete_time.is_some(), id == "deleted");
    }
    assert_eq!(get(&mut client, "bobs").await.text, "arrived late again");

    let everybody = EraseFeedbackRequest { contact: String::new(), ..erase };
    assert_eq!(client.erase_feedback(ask(everybody)).await.unwrap().into_inner().erased_count, 1);
    let beginning = WatchFeedbackRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    let mut watch = client.watch_feedback(ask(beginning)).await.unwrap().into_inner();
    let (changes, _) = next_changes(&mut watch, 8).await;
    for change in &changes {
        let Some(feedback_change::Resource::Feedback(past)) = &change.resource else { panic!("{change:?}") };
        assert_eq!((past.text.as_str(), past.happen_time), ("", day(0.0)), "{change:?}");
    }

    let again = import(&mut client, vec![vec![feedback_row("bobs", said("accounts/acme/contacts/bob"))]]).await;
    assert_eq!(again.unwrap()[0].unchanged_count, 1, "the row of an import brings no words back");
    let told = update(&mut client, "bobs", said(""), "text").await.unwrap();
    assert_eq!((told.text.as_str(), told.erase_time.is_some()), ("", true));
}

#[tokio::test]
async fn an_erasure_needs_an_account_and_a_person_of_it() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    for (parent, contact, fields) in [
        ("", "", vec!["parent"]),
        ("accounts/-", "ann", vec!["parent", "contact"]),
        ("accounts/acme", "accounts/zenith/contacts/ann", vec!["contact"]),
    ] {
        let request = EraseFeedbackRequest { parent: parent.to_owned(), contact: contact.to_owned() };
        assert_invalid(client.erase_feedback(ask(request)).await, &fields);
    }
    let nobody = EraseFeedbackRequest { parent: "accounts/nobody".to_owned(), contact: String::new() };
    assert_eq!(client.erase_feedback(ask(nobody)).await.unwrap().into_inner().erased_count, 0);
}
