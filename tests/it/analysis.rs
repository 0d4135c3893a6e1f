//! What is written is read: what the words say stands beside what somebody stated, and becomes evidence.

use contracts::{
    common::v1::{
        Abstention, AnalysisOverride, AnalysisSettings, Competitor, Emotion, EmotionKind, FreshnessToken, Party,
        Stance, TextAnalysis, TextSpanKind,
    },
    feedback::v1::{self as feedback, Feedback, FeedbackKind},
    interactions::v1::*,
};
use prost_types::FieldMask;
use tests::{Suite, ask, ask_as, day, refusal};
use tonic::Code;

use crate::standard::{assert_invalid, assert_not_found, assert_outdated, assert_refused};

const ANGRY: &str = "I am very disappointed and angry: the delivery was terrible, and nobody answers my mails.";
const GLAD: &str = "Thank you so much, the new chairs are wonderful and your team was friendly and quick!";
const GLAD_IN_DUTCH: &str =
    "Hartelijk bedankt, de nieuwe stoelen zijn prachtig en jullie team was vriendelijk en snel!";
const IN_FINNISH: &str = "Toimitus oli myöhässä ja olen todella vihainen, koska kukaan ei vastaa minulle lainkaan.";
const OF_A_RIVAL: &str = "Globex offered us a better price for the same chairs.";

fn wrote(party: Party, text: &str) -> Interaction {
    Interaction {
        happen_time: day(0.0),
        party: party.into(),
        channel: InteractionChannel::Email.into(),
        purpose: Purpose::Sales.into(),
        text: text.to_owned(),
        ..Interaction::default()
    }
}

fn name(id: &str) -> String {
    format!("accounts/acme/interactions/{id}")
}

async fn create(suite: &Suite, id: &str, interaction: Interaction) -> Interaction {
    create_as(suite, tests::TENANT, id, interaction).await
}

async fn create_as(suite: &Suite, tenant: &str, id: &str, interaction: Interaction) -> Interaction {
    let request = CreateInteractionRequest {
        parent: "accounts/acme".to_owned(),
        interaction_id: id.to_owned(),
        interaction: Some(interaction),
        ..Default::default()
    };
    suite.interactions().create_interaction(ask_as(tenant, request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn update(suite: &Suite, id: &str, interaction: Interaction, path: &str) -> Interaction {
    let request = UpdateInteractionRequest {
        interaction: Some(Interaction { name: name(id), ..interaction }),
        update_mask: Some(FieldMask { paths: vec![path.to_owned()] }),
        ..Default::default()
    };
    suite.interactions().update_interaction(ask(request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn get(suite: &Suite, id: &str) -> Interaction {
    let request = GetInteractionRequest { name: name(id), show_deleted: true };
    suite.interactions().get_interaction(ask(request)).await.unwrap().into_inner().interaction.unwrap()
}

async fn set(suite: &Suite, settings: AnalysisSettings) -> AnalysisSettings {
    let request = UpdateAnalysisSettingsRequest { settings: Some(settings), ..Default::default() };
    suite.interactions().update_analysis_settings(ask(request)).await.unwrap().into_inner().settings.unwrap()
}

/// Reads all again. Answers with how many were read, how many changed, and the writes' token.
async fn read_again(suite: &Suite, parent: &str) -> (i64, i64, Option<FreshnessToken>) {
    let request = ReanalyzeInteractionsRequest { parent: parent.to_owned(), max_texts_per_second: 100_000 };
    let mut answers = suite.interactions().reanalyze_interactions(ask(request)).await.unwrap().into_inner();
    let mut last = None;
    while let Some(answer) = answers.message().await.unwrap() {
        last = Some(answer);
    }
    let last = last.unwrap();
    (last.read_count, last.changed_count, last.freshness)
}

fn globex() -> AnalysisSettings {
    let competitor = Competitor { name: "Globex".to_owned(), aliases: vec!["GBX".to_owned()] };
    AnalysisSettings { competitors: vec![competitor], ..AnalysisSettings::default() }
}

/// The competitors in a text, and the writer's stance.
fn rivals(analysis: &TextAnalysis) -> Vec<(&str, Stance)> {
    let spans = analysis.spans.iter().filter(|span| span.kind() == TextSpanKind::Competitor);
    spans.map(|span| (span.competitor.as_str(), span.stance())).collect()
}

#[tokio::test]
async fn what_either_party_writes_is_read_at_once() {
    let suite = Suite::start().await;
    let angry = create(&suite, "angry", wrote(Party::Customer, ANGRY)).await.analysis.unwrap();
    assert_eq!((angry.language.as_str(), angry.abstention()), ("en", Abstention::Unspecified));
    assert!(angry.sentiment.unwrap() < -0.3 && angry.sentiment_probability > 0.5, "{angry:?}");
    assert_eq!(angry.emotions.len(), 8);
    let strongest = angry.emotions.iter().max_by(|one, other| one.intensity.total_cmp(&other.intensity)).unwrap();
    let unpleasant = [EmotionKind::Anger, EmotionKind::Sadness, EmotionKind::Disgust, EmotionKind::Fear];
    assert!(unpleasant.contains(&strongest.kind()), "{angry:?}");
    assert!(!angry.model.is_empty());

    let glad = create(&suite, "glad", wrote(Party::Provider, GLAD_IN_DUTCH)).await;
    assert_eq!(get(&suite, "glad").await, glad);
    let glad = glad.analysis.unwrap();
    assert!(glad.language == "nl" && glad.sentiment.unwrap() > 0.3, "{glad:?}");
    let thanks = glad.spans.iter().find(|span| span.kind() == TextSpanKind::Thanks).unwrap();
    let range = thanks.start_byte as usize..thanks.end_byte as usize;
    assert!(GLAD_IN_DUTCH[range].to_lowercase().contains("bedankt"), "{thanks:?}");

    let request = feedback::CreateFeedbackRequest {
        parent: "accounts/acme".to_owned(),
        feedback: Some(Feedback {
            happen_time: day(0.0),
            kind: FeedbackKind::Complaint.into(),
            text: ANGRY.to_owned(),
            sentiment: Some(-0.2),
            ..Feedback::default()
        }),
        ..Default::default()
    };
    let complaint = suite.feedback().create_feedback(ask(request)).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!(complaint.sentiment, Some(-0.2), "what was stated stays beside it");
    assert_eq!(complaint.analysis, Some(angry));
}

#[tokio::test]
async fn it_abstains_rather_than_guess_and_nobody_states_an_analysis() {
    let suite = Suite::start().await;
    let finnish = create(&suite, "finnish", wrote(Party::Customer, IN_FINNISH)).await.analysis.unwrap();
    assert_eq!((finnish.language.as_str(), finnish.abstention()), ("fi", Abstention::OtherLanguage));
    for (id, text) in
        [("short", "42"), ("code", "{\"a\": [1, 2]}"), ("blank", " \n\t "), ("zalgo", "\u{301}\u{301}\u{202e}")]
    {
        let analysis = create(&suite, id, wrote(Party::Customer, text)).await.analysis.unwrap();
        assert!(analysis.sentiment.is_none() && analysis.emotions.is_empty(), "{id}: {analysis:?}");
        assert_ne!(analysis.abstention(), Abstention::Unspecified, "{id}");
    }
    let stated = TextAnalysis { sentiment: Some(1.0), model: "mine".to_owned(), ..TextAnalysis::default() };
    let silent = Interaction { analysis: Some(stated.clone()), ..wrote(Party::Customer, "") };
    assert_eq!(create(&suite, "silent", silent).await.analysis, None);
    let long = "terrible ".repeat(7_000);
    let long = create(&suite, "long", Interaction { analysis: Some(stated), ..wrote(Party::Customer, &long) }).await;
    assert!(long.text.len() > 60_000 && long.analysis.unwrap().model != "mine");
}

#[tokio::test]
async fn other_words_are_read_again_and_the_same_words_are_not() {
    let suite = Suite::start().await;
    let angry = create(&suite, "one", wrote(Party::Customer, ANGRY)).await.analysis;
    let elsewhere = Interaction { purpose: Purpose::Support.into(), ..wrote(Party::Customer, GLAD) };
    assert_eq!(update(&suite, "one", elsewhere.clone(), "purpose").await.analysis, angry);
    let glad = update(&suite, "one", elsewhere, "text").await.analysis.unwrap();
    assert!(glad.sentiment.unwrap() > 0.3, "{glad:?}");
    assert_eq!(update(&suite, "one", wrote(Party::Customer, ""), "text").await.analysis, None);

    let row = || {
        let row = Interaction { name: name("imported"), ..wrote(Party::Customer, ANGRY) };
        let resource = Some(interactions_row::Resource::Interaction(row));
        tokio_stream::once(ImportInteractionsRequest { rows: vec![InteractionsRow { resource }], ..Default::default() })
    };
    for landed in [1, 0] {
        let mut answers = suite.interactions().import_interactions(ask(row())).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!((answer.landed_count, answer.unchanged_count), (landed, 1 - landed), "{answer:?}");
        assert_eq!(get(&suite, "imported").await.analysis, angry);
    }
}

#[tokio::test]
async fn somebody_who_knows_better_says_so_with_a_reason() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let angry = create(&suite, "one", wrote(Party::Customer, ANGRY)).await;
    let said = AnalysisOverride {
        sentiment: Some(0.5),
        emotions: vec![Emotion { kind: EmotionKind::Joy.into(), intensity: 0.4 }],
        reason: "a joke between friends".to_owned(),
        override_time: None,
    };
    let request = OverrideInteractionAnalysisRequest {
        name: angry.name.clone(),
        etag: angry.etag.clone(),
        request_id: "r_1".to_owned(),
        r#override: Some(said.clone()),
    };
    let answer = client.override_interaction_analysis(ask(request.clone())).await.unwrap().into_inner();
    let overridden = answer.interaction.unwrap();
    let analysis = overridden.analysis.clone().unwrap();
    assert_eq!(analysis.r#override, Some(AnalysisOverride { override_time: day(0.0), ..said.clone() }));
    assert_eq!(analysis.sentiment, angry.analysis.unwrap().sentiment, "what was computed stays beside it");
    let again = client.override_interaction_analysis(ask(request.clone())).await.unwrap().into_inner().interaction;
    assert_eq!(again, Some(overridden), "a retry");
    let late = OverrideInteractionAnalysisRequest { request_id: String::new(), ..request.clone() };
    assert_outdated(client.override_interaction_analysis(ask(late)).await);

    let purpose =
        update(&suite, "one", Interaction { escalated: true, ..wrote(Party::Customer, "") }, "escalated").await;
    assert!(purpose.analysis.unwrap().r#override.is_some());
    assert_eq!(read_again(&suite, "accounts/acme").await.1, 0);
    let take_back = OverrideInteractionAnalysisRequest { name: name("one"), ..Default::default() };
    let standing = client.override_interaction_analysis(ask(take_back.clone())).await.unwrap().into_inner();
    assert_eq!(standing.interaction.unwrap().analysis.unwrap().r#override, None);
    client
        .override_interaction_analysis(ask(OverrideInteractionAnalysisRequest {
            etag: String::new(),
            request_id: String::new(),
            ..request.clone()
        }))
        .await
        .unwrap();
    let other_words = update(&suite, "one", wrote(Party::Customer, GLAD), "text").await;
    assert_eq!(other_words.analysis.unwrap().r#override, None, "it was said of other words");

    let wrong = AnalysisOverride {
        sentiment: Some(2.0),
        emotions: vec![Emotion { kind: 0, intensity: 0.4 }],
        ..AnalysisOverride::default()
    };
    let wrong = OverrideInteractionAnalysisRequest { r#override: Some(wrong), ..take_back.clone() };
    let fields = ["override.sentiment", "override.emotions[0].kind", "override.reason"];
    assert_invalid(client.override_interaction_analysis(ask(wrong)).await, &fields);
    let missing = OverrideInteractionAnalysisRequest { name: name("none"), ..take_back };
    assert_not_found(client.override_interaction_analysis(ask(missing)).await);
    create(&suite, "silent", wrote(Party::Customer, "")).await;
    let silent =
        OverrideInteractionAnalysisRequest { name: name("silent"), r#override: Some(said), ..Default::default() };
    let silent = client.override_interaction_analysis(ask(silent)).await;
    assert_refused(silent, Code::FailedPrecondition, "STATE_CONFLICT", &[]);
}

#[tokio::test]
async fn a_tenant_switches_the_reading_off_and_on_and_names_its_rivals() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    let ask_settings = || ask(GetAnalysisSettingsRequest {});
    let first = client.get_analysis_settings(ask_settings()).await.unwrap().into_inner().settings.unwrap();
    assert_eq!(first, AnalysisSettings::default());

    let off = set(&suite, AnalysisSettings { disabled: true, ..globex() }).await;
    assert!(off.disabled && !off.etag.is_empty() && off.update_time == day(0.0));
    assert_eq!(client.get_analysis_settings(ask_settings()).await.unwrap().into_inner().settings, Some(off.clone()));
    assert_eq!(create(&suite, "unread", wrote(Party::Customer, OF_A_RIVAL)).await.analysis, None);
    let another = create_as(&suite, "another", "read", wrote(Party::Customer, OF_A_RIVAL)).await.analysis.unwrap();
    assert_eq!(rivals(&another), [], "another tenant's reading is its own");

    let on = set(&suite, AnalysisSettings { etag: off.etag.clone(), ..globex() }).await;
    assert!(!on.disabled);
    let stale = UpdateAnalysisSettingsRequest { settings: Some(off), ..Default::default() };
    assert_outdated(client.update_analysis_settings(ask(stale)).await);
    assert_eq!(read_again(&suite, "accounts/-").await.1, 1, "what was left unread is read now");
    let read = get(&suite, "unread").await.analysis.unwrap();
    assert_eq!(rivals(&read), [("Globex", Stance::Favorable)]);
    let alias = create(&suite, "alias", wrote(Party::Customer, "We have heard of GBX as well.")).await;
    assert_eq!(rivals(&alias.analysis.unwrap()), [("Globex", Stance::Neutral)]);

    let competitor = |name: &str, aliases: &[&str]| Competitor {
        name: name.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    };
    for (competitors, fields) in [
        (vec![competitor("", &[])], vec!["settings.competitors[0].name"]),
        (vec![competitor("A", &[])], vec!["settings.competitors[0].name"]),
        (vec![competitor("Globex", &["?"])], vec!["settings.competitors[0].aliases[0]"]),
        (vec![competitor("Globex", &[]), competitor("Globex", &[])], vec!["settings.competitors[1].name"]),
        (
            vec![competitor("Globex", &["GBX"]), competitor("Initech", &["globex"])],
            vec!["settings.competitors[1].aliases[0]"],
        ),
    ] {
        let settings = Some(AnalysisSettings { competitors, ..AnalysisSettings::default() });
        let request = UpdateAnalysisSettingsRequest { settings, ..Default::default() };
        assert_invalid(client.update_analysis_settings(ask(request)).await, &fields);
    }
    assert_invalid(client.update_analysis_settings(ask(Default::default())).await, &["settings"]);
    let suite = suite.restart().await;
    assert_eq!(
        suite.interactions().get_analysis_settings(ask_settings()).await.unwrap().into_inner().settings,
        Some(on)
    );
}

#[tokio::test]
async fn what_is_read_again_goes_through_the_feed_once() {
    let suite = Suite::start().await;
    set(&suite, AnalysisSettings { disabled: true, ..AnalysisSettings::default() }).await;
    for id in 0..250 {
        create(&suite, &format!("i{id}"), wrote(Party::Customer, if id % 2 == 0 { ANGRY } else { "" })).await;
    }
    set(&suite, AnalysisSettings::default()).await;
    let elsewhere = read_again(&suite, "accounts/zenith").await;
    assert_eq!((elsewhere.0, elsewhere.1), (0, 0));
    let (read, changed, freshness) = read_again(&suite, "accounts/acme").await;
    assert_eq!((read, changed), (125, 125));
    assert!(freshness.is_some());
    let first = get(&suite, "i0").await;
    assert_eq!((first.version, first.analysis.is_some()), (2, true));
    assert_eq!(get(&suite, "i1").await.version, 1);
    let (read, changed, _) = read_again(&suite, "accounts/-").await;
    assert_eq!((read, changed), (125, 0), "what is up to date is left as it is");

    let mut client = suite.interactions();
    let mut changes = client.watch_interactions(ask(WatchInteractionsRequest::default())).await.unwrap().into_inner();
    let mut told = 0;
    while told < 250 + 125 {
        let message = changes.message().await.unwrap().unwrap();
        let read = message.changes.iter().filter(|change| change.stamp.as_ref().unwrap().version == 2);
        for change in read {
            let Some(interactions_change::Resource::Interaction(interaction)) = &change.resource else { panic!() };
            assert!(interaction.analysis.is_some());
        }
        told += message.changes.len();
    }
    let wrong = ReanalyzeInteractionsRequest { parent: "acme".to_owned(), max_texts_per_second: -1 };
    let refused = client.reanalyze_interactions(ask(wrong)).await.unwrap_err();
    let (code, _, mut fields) = refusal(&refused);
    fields.sort();
    assert_eq!((code, fields), (Code::InvalidArgument, vec!["max_texts_per_second".to_owned(), "parent".to_owned()]));
}

#[tokio::test]
async fn erasing_the_words_leaves_how_they_sounded_and_nothing_of_what_they_said() {
    let suite = Suite::start().await;
    let mut client = suite.interactions();
    set(&suite, globex()).await;
    create(&suite, "one", wrote(Party::Customer, OF_A_RIVAL)).await;
    let before = update(&suite, "one", wrote(Party::Customer, &format!("{ANGRY} {OF_A_RIVAL}")), "text").await;
    let said = AnalysisOverride { sentiment: Some(-1.0), reason: "Ann said so".to_owned(), ..Default::default() };
    let request =
        OverrideInteractionAnalysisRequest { name: name("one"), r#override: Some(said), ..Default::default() };
    client.override_interaction_analysis(ask(request)).await.unwrap();
    let erase = EraseInteractionsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    client.erase_interactions(ask(erase)).await.unwrap();

    let erased = get(&suite, "one").await.analysis.unwrap();
    assert_eq!((erased.sentiment, erased.spans.len()), (before.analysis.unwrap().sentiment, 0));
    let said = erased.r#override.clone().unwrap();
    assert_eq!((said.sentiment, said.reason.as_str()), (Some(-1.0), ""));
    let mut changes = client.watch_interactions(ask(WatchInteractionsRequest::default())).await.unwrap().into_inner();
    let mut told = 0;
    while told < 4 {
        for change in changes.message().await.unwrap().unwrap().changes {
            let Some(interactions_change::Resource::Interaction(interaction)) = change.resource else { panic!() };
            let analysis = interaction.analysis.unwrap();
            assert!(interaction.text.is_empty() && analysis.spans.is_empty(), "version {told}");
            assert!(analysis.r#override.is_none_or(|said| said.reason.is_empty()));
            told += 1;
        }
    }
    let back = update(&suite, "one", wrote(Party::Customer, ANGRY), "text").await;
    assert_eq!((back.text.as_str(), back.analysis), ("", Some(erased)), "erased words do not come back");
}
