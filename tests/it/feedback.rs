//! What customers think of it all, and what becomes of that.

mod bulk;
mod improvements;

use contracts::{
    common::v1::{Emotion, EmotionKind},
    feedback::v1::{feedback_service_client::FeedbackServiceClient, *},
};
use prost_types::FieldMask;
use runtime::Peer;
use tests::{Suite, ask, day};
use tonic::{Code, Status};

use crate::standard::{
    Sample, assert_invalid, assert_not_found, assert_outdated, assert_refused, assert_state_conflict, standard,
    standard_stories,
};

type Client = FeedbackServiceClient<Peer>;

standard! {
    Feedbacks(FeedbackServiceClient, feedback) of Feedback as feedback in "accounts/acme", "feedback" {
        create_feedback(CreateFeedbackRequest { feedback_id, parent }),
        get_feedback(GetFeedbackRequest),
        batch_get_feedback(BatchGetFeedbackRequest) -> feedback_list,
        list_feedback(ListFeedbackRequest),
        update_feedback(UpdateFeedbackRequest),
        delete_feedback(DeleteFeedbackRequest),
        undelete_feedback(UndeleteFeedbackRequest),
    }
}
standard! {
    Themes(FeedbackServiceClient, feedback) of Theme as theme in "", "themes" {
        create_theme(CreateThemeRequest { theme_id }),
        get_theme(GetThemeRequest),
        batch_get_themes(BatchGetThemesRequest) -> themes,
        list_themes(ListThemesRequest),
        update_theme(UpdateThemeRequest),
        delete_theme(DeleteThemeRequest),
        undelete_theme(UndeleteThemeRequest),
    }
}
standard! {
    Improvements(FeedbackServiceClient, feedback) of Improvement as improvement in "", "improvements" {
        create_improvement(CreateImprovementRequest { improvement_id }),
        get_improvement(GetImprovementRequest),
        batch_get_improvements(BatchGetImprovementsRequest) -> improvements,
        list_improvements(ListImprovementsRequest),
        update_improvement(UpdateImprovementRequest),
        delete_improvement(DeleteImprovementRequest),
        undelete_improvement(UndeleteImprovementRequest),
    }
}
standard_stories!(feedback of Feedbacks);
standard_stories!(theme of Themes);
standard_stories!(improvement of Improvements);

impl Sample for Feedbacks {
    fn sample() -> Feedback {
        Feedback {
            about: Some(About { subject: Subject::Order.into(), reference: "accounts/acme/orders/o_1".to_owned() }),
            text: "arrived late again".to_owned(),
            sentiment: Some(-0.75),
            emotions: vec![Emotion { kind: EmotionKind::Anger.into(), intensity: 0.5 }],
            themes: vec!["themes/punctuality".to_owned()],
            ..complaint()
        }
    }

    fn spoilt() -> (Feedback, Vec<&'static str>) {
        let mut themes = vec!["themes/speed".to_owned(); 19];
        themes.extend([String::new(), "speed".to_owned()]);
        let spoilt = Feedback {
            happen_time: None,
            kind: 99,
            score: Some(3.0),
            about: Some(About { subject: 0, reference: "r".repeat(257) }),
            contact: "accounts/zenith/contacts/ann".to_owned(),
            text: "t".repeat(65_537),
            sentiment: Some(f64::INFINITY),
            emotions: vec![Emotion { kind: 99, intensity: -0.1 }],
            themes,
            ..Feedback::default()
        };
        let fields = vec![
            "happen_time",
            "kind",
            "scale",
            "about.subject",
            "about.reference",
            "contact",
            "text",
            "sentiment",
            "emotions[0].kind",
            "emotions[0].intensity",
            "themes",
            "themes[19]",
            "themes[20]",
        ];
        (spoilt, fields)
    }

    fn change(feedback: &mut Feedback) -> &'static str {
        feedback.content_with_resolution = Some(false);
        "content_with_resolution"
    }
}

fn local(language: &str, phrases: &[&str]) -> LocalPhrases {
    let phrases = phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
    LocalPhrases { language: language.to_owned(), phrases }
}

impl Sample for Themes {
    fn sample() -> Theme {
        Theme {
            display_name: "Punctuality".to_owned(),
            description: "whether things come when they were promised".to_owned(),
            phrases: vec!["late".to_owned(), "on time".to_owned()],
            local_phrases: vec![local("nl", &["te laat", "op tijd"]), local("hu", &["késik"])],
            ..Theme::default()
        }
    }

    fn spoilt() -> (Theme, Vec<&'static str>) {
        let mut phrases = vec!["late".to_owned(); 199];
        phrases.extend([String::new(), "p".repeat(129)]);
        let local_phrases = vec![local("nl", &["te laat"]), local("NL", &[""]), local("nl", &[])];
        let spoilt = Theme { description: "d".repeat(2_049), phrases, local_phrases, ..Theme::default() };
        let fields = vec![
            "display_name",
            "description",
            "phrases",
            "phrases[199]",
            "phrases[200]",
            "local_phrases[1].language",
            "local_phrases[1].phrases[0]",
            "local_phrases[2].language",
            "local_phrases[2].phrases",
        ];
        (spoilt, fields)
    }

    fn change(theme: &mut Theme) -> &'static str {
        theme.phrases = vec!["delay".to_owned()];
        "phrases"
    }
}

impl Sample for Improvements {
    fn sample() -> Improvement {
        Improvement {
            kind: ImprovementKind::Procedure.into(),
            title: "pack in the evening".to_owned(),
            description: "so that the morning's lorry takes all of it".to_owned(),
            themes: vec!["themes/punctuality".to_owned()],
            feedback: vec!["accounts/acme/feedback/one".to_owned()],
            ..Improvement::default()
        }
    }

    fn spoilt() -> (Improvement, Vec<&'static str>) {
        let spoilt = Improvement {
            kind: 0,
            title: String::new(),
            description: "d".repeat(8_193),
            themes: vec!["themes/speed".to_owned(); 101],
            feedback: vec!["accounts/acme/orders/o_1".to_owned()],
            ..Improvement::default()
        };
        (spoilt, vec!["kind", "title", "description", "themes", "feedback[0]"])
    }

    fn change(improvement: &mut Improvement) -> &'static str {
        improvement.title = "pack at night".to_owned();
        "title"
    }
}

fn complaint() -> Feedback {
    Feedback { happen_time: day(0.0), kind: FeedbackKind::Complaint.into(), ..Feedback::default() }
}

fn scored(kind: FeedbackKind, score: Option<f64>) -> Feedback {
    Feedback { happen_time: day(0.0), kind: kind.into(), score, ..Feedback::default() }
}

fn creation(id: &str, feedback: Feedback) -> CreateFeedbackRequest {
    CreateFeedbackRequest {
        parent: "accounts/acme".to_owned(),
        feedback_id: id.to_owned(),
        feedback: Some(feedback),
        request_id: String::new(),
    }
}

async fn create(client: &mut Client, id: &str, feedback: Feedback) -> Feedback {
    client.create_feedback(ask(creation(id, feedback))).await.unwrap().into_inner().feedback.unwrap()
}

async fn update(client: &mut Client, id: &str, feedback: Feedback, path: &str) -> Result<Feedback, Status> {
    let name = format!("accounts/acme/feedback/{id}");
    let request = UpdateFeedbackRequest {
        feedback: Some(Feedback { name, ..feedback }),
        update_mask: Some(FieldMask { paths: vec![path.to_owned()] }),
        request_id: String::new(),
    };
    Ok(client.update_feedback(ask(request)).await?.into_inner().feedback.unwrap())
}

async fn get(client: &mut Client, id: &str) -> Feedback {
    let request = GetFeedbackRequest { name: format!("accounts/acme/feedback/{id}"), show_deleted: true };
    client.get_feedback(ask(request)).await.unwrap().into_inner().feedback.unwrap()
}

#[tokio::test]
async fn a_score_lies_on_the_scale_of_its_kind_or_on_its_own() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let usual = create(&mut client, "usual", scored(FeedbackKind::Nps, Some(9.0))).await;
    assert_eq!((usual.state(), usual.score, usual.scale), (FeedbackState::Noted, Some(9.0), None));
    let percent = Feedback { scale: Some(Scale { min: 0.0, max: 100.0 }), ..scored(FeedbackKind::Csat, Some(88.0)) };
    create(&mut client, "percent", percent.clone()).await;
    for (wrong, field) in [
        (scored(FeedbackKind::Nps, None), "feedback.score"),
        (scored(FeedbackKind::Ces, Some(7.5)), "feedback.score"),
        (Feedback { score: Some(101.0), ..percent.clone() }, "feedback.score"),
        (Feedback { scale: Some(Scale { min: 5.0, max: 5.0 }), ..percent.clone() }, "feedback.scale"),
        (scored(FeedbackKind::Complaint, Some(1.0)), "feedback.scale"),
    ] {
        assert_invalid(client.create_feedback(ask(creation("", wrong))).await, &[field]);
    }
    // What an update leaves has to fit together too.
    assert_invalid(update(&mut client, "percent", Feedback::default(), "scale").await, &["feedback.score"]);
    let wider = Feedback { scale: Some(Scale { min: 0.0, max: 200.0 }), ..Feedback::default() };
    assert_eq!(update(&mut client, "percent", wider, "scale.max").await.unwrap().scale.unwrap().max, 200.0);
}

#[tokio::test]
async fn what_asks_for_something_is_settled_and_taken_up_again() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    let stated = Feedback { resolve_time: day(1.0), ..complaint() };
    let open = create(&mut client, "complaint", stated).await;
    assert_eq!((open.state(), open.resolve_time), (FeedbackState::Open, None), "what a client states is ignored");
    for (id, kind) in [("suggestion", FeedbackKind::Suggestion), ("need", FeedbackKind::Need)] {
        assert_eq!(create(&mut client, id, scored(kind, None)).await.state(), FeedbackState::Open);
    }
    let praise = create(&mut client, "praise", scored(FeedbackKind::Compliment, None)).await;
    assert_eq!(praise.state(), FeedbackState::Noted);

    let resolve = ResolveFeedbackRequest {
        name: open.name.clone(),
        etag: open.etag.clone(),
        request_id: "r_1".to_owned(),
        resolve_time: None,
        content_with_resolution: Some(true),
    };
    let resolved = client.resolve_feedback(ask(resolve.clone())).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!((resolved.state(), resolved.resolve_time), (FeedbackState::Resolved, day(0.0)));
    assert_eq!(resolved.content_with_resolution, Some(true));
    let again = client.resolve_feedback(ask(resolve.clone())).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!(again, resolved, "a retry");
    let unasked = ResolveFeedbackRequest { request_id: String::new(), ..resolve };
    assert_outdated(client.resolve_feedback(ask(unasked.clone())).await);
    let twice = ResolveFeedbackRequest { etag: String::new(), ..unasked };
    assert_state_conflict(client.resolve_feedback(ask(twice.clone())).await);
    let of_praise = ResolveFeedbackRequest { name: praise.name, ..twice.clone() };
    assert_state_conflict(client.resolve_feedback(ask(of_praise)).await);
    // A settled complaint cannot become something that is never settled.
    let compliment = scored(FeedbackKind::Compliment, None);
    assert_invalid(update(&mut client, "complaint", compliment, "kind").await, &["feedback.resolve_time"]);

    let reopen = ReopenFeedbackRequest { name: open.name, request_id: "r_2".to_owned(), ..Default::default() };
    let reopened = client.reopen_feedback(ask(reopen.clone())).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!((reopened.state(), reopened.content_with_resolution), (FeedbackState::Open, None));
    let again = client.reopen_feedback(ask(reopen.clone())).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!(again, reopened, "a retry");
    let reused = ReopenFeedbackRequest { etag: reopened.etag.clone(), ..reopen.clone() };
    let refused = client.reopen_feedback(ask(reused)).await;
    assert_refused(refused, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    let reopen = ReopenFeedbackRequest { request_id: String::new(), ..reopen };
    assert_state_conflict(client.reopen_feedback(ask(reopen.clone())).await);
    assert_outdated(client.reopen_feedback(ask(ReopenFeedbackRequest { etag: open.etag, ..reopen })).await);

    let too_early = ResolveFeedbackRequest { resolve_time: day(-1.0), ..twice };
    assert_invalid(client.resolve_feedback(ask(too_early)).await, &["resolve_time"]);
    for (name, invalid) in [("accounts/acme/feedback/nobody", false), ("accounts/acme", true)] {
        let resolve = ResolveFeedbackRequest { name: name.to_owned(), ..Default::default() };
        let reopen = ReopenFeedbackRequest { name: name.to_owned(), ..Default::default() };
        let resolved = client.resolve_feedback(ask(resolve)).await.map(drop);
        let reopened = client.reopen_feedback(ask(reopen)).await.map(drop);
        for answer in [resolved, reopened] {
            if invalid { assert_invalid(answer, &["name"]) } else { assert_not_found(answer) }
        }
    }
}

#[tokio::test]
async fn feedback_is_listed_by_state_and_time() {
    let suite = Suite::start().await;
    let mut client = suite.feedback();
    create(&mut client, "a", complaint()).await;
    create(&mut client, "b", Feedback { happen_time: day(1.0), ..scored(FeedbackKind::Nps, Some(3.0)) }).await;
    create(&mut client, "c", Feedback { happen_time: day(2.0), ..complaint() }).await;
    let resolve = ResolveFeedbackRequest {
        name: "accounts/acme/feedback/c".to_owned(),
        resolve_time: day(3.0),
        ..Default::default()
    };
    client.resolve_feedback(ask(resolve)).await.unwrap();

    let all = ListFeedbackRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let asks = [
        (ListFeedbackRequest { state: FeedbackState::Open.into(), ..all.clone() }, vec!["a"]),
        (ListFeedbackRequest { state: FeedbackState::Noted.into(), ..all.clone() }, vec!["b"]),
        (ListFeedbackRequest { state: FeedbackState::Resolved.into(), ..all.clone() }, vec!["c"]),
        (ListFeedbackRequest { happen_time_from: day(1.0), ..all.clone() }, vec!["b", "c"]),
        (ListFeedbackRequest { happen_time_before: day(2.0), ..all.clone() }, vec!["a", "b"]),
    ];
    for (request, expected) in asks {
        let listed = client.list_feedback(ask(request.clone())).await.unwrap().into_inner().feedback_list;
        let ids: Vec<&str> = listed.iter().filter_map(|found| found.name.rsplit('/').next()).collect();
        assert_eq!(ids, expected, "{request:?}");
    }
    let page = ListFeedbackRequest { page_size: 1, happen_time_from: day(1.0), ..all.clone() };
    let token = client.list_feedback(ask(page.clone())).await.unwrap().into_inner().next_page_token;
    let other = ListFeedbackRequest { happen_time_from: day(0.5), page_token: token, ..page };
    let refused = client.list_feedback(ask(other)).await;
    assert_refused(refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    let never = ListFeedbackRequest { happen_time_from: day(-40_000.0), happen_time_before: day(1e7), ..all };
    assert_invalid(client.list_feedback(ask(never)).await, &["happen_time_from", "happen_time_before"]);
}
