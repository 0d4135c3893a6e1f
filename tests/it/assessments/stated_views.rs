//! Stated views: beside the computed ones, never in them.

use contracts::accounts::v1::EraseAccountRequest;
use contracts::assessments::v1::*;
use prost::Message as _;
use tests::{ask, ask_as, day};
use tonic::{Code, Status};

use super::{Story, merged::merge, of, said};
use crate::standard::{assert_invalid, assert_not_found, assert_outdated, assert_refused};

fn view(author: &str, rating: f64, expires_in_days: f64) -> StatedView {
    StatedView {
        author: author.to_owned(),
        rating: Some(rating),
        reason: format!("says {author}"),
        expire_time: day(expires_in_days),
        ..StatedView::default()
    }
}

fn stating(account: &str, id: &str, view: StatedView) -> CreateStatedViewRequest {
    CreateStatedViewRequest {
        parent: format!("accounts/{account}"),
        stated_view_id: id.to_owned(),
        stated_view: Some(view),
        ..CreateStatedViewRequest::default()
    }
}

impl Story {
    async fn state(&self, request: CreateStatedViewRequest) -> Result<StatedView, Status> {
        let answer = self.client().create_stated_view(ask_as(self.tenant, request)).await?;
        Ok(answer.into_inner().stated_view.unwrap())
    }

    async fn withdraw(&self, name: &str, etag: &str, request_id: &str) -> Result<StatedView, Status> {
        let request =
            DeleteStatedViewRequest { name: name.to_owned(), etag: etag.to_owned(), request_id: request_id.to_owned() };
        Ok(self.client().delete_stated_view(ask_as(self.tenant, request)).await?.into_inner().stated_view.unwrap())
    }

    async fn stated(&self, name: &str) -> Result<StatedView, Status> {
        let request = ask_as(self.tenant, GetStatedViewRequest { name: name.to_owned() });
        Ok(self.client().get_stated_view(request).await?.into_inner().stated_view.unwrap())
    }

    /// The ids of all views of an account, read in pages.
    async fn views(&self, account: &str, page_size: i32, show_deleted: bool) -> Vec<String> {
        let parent = format!("accounts/{account}");
        let mut request = ListStatedViewsRequest { parent, page_size, show_deleted, ..Default::default() };
        let mut views = Vec::new();
        loop {
            let page = self.client().list_stated_views(ask_as(self.tenant, request.clone())).await.unwrap();
            let page = page.into_inner();
            assert!(page_size == 0 || page.stated_views.len() <= page_size as usize);
            views.extend(page.stated_views.iter().map(id));
            if page.next_page_token.is_empty() {
                return views;
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn beside(&self, request: GetAssessmentRequest) -> Vec<String> {
        self.get(request).await.unwrap().stated_views.iter().map(id).collect()
    }
}

fn id(view: &StatedView) -> String {
    view.name.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_person_says_stands_beside_the_scores_and_never_in_them() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.order("acme", "o_1", -9.0).await;
    let before = said(story.assess("acme").await);
    let stated = story.state(stating("acme", "v_1", view("ann", 12.5, 10.0))).await.unwrap();
    assert_eq!(stated.name, "accounts/acme/statedViews/v_1");
    assert_eq!((stated.create_time, stated.update_time, stated.version), (day(0.0), day(0.0), 1));
    assert_eq!(story.stated(&stated.name).await.unwrap(), stated);

    let with = said(story.assess("acme").await);
    assert_eq!(with.stated_views, std::slice::from_ref(&stated));
    let bytes = |assessment: Assessment| Assessment { stated_views: vec![], ..assessment }.encode_to_vec();
    assert_eq!(bytes(with.clone()), bytes(before), "byte by byte the same");
    let explained = story.explain("acme").await;
    assert_eq!(said(explained.assessment.unwrap()), with);
    let listed = story.list(ListAssessmentsRequest::default()).await.unwrap().assessments;
    assert_eq!(listed[0].stated_views, [stated]);
    story.tenant = "other";
    story.customer("acme").await;
    assert_eq!(story.assess("acme").await.stated_views, []);
    assert_not_found(story.stated("accounts/acme/statedViews/v_1").await);
}

#[tokio::test]
async fn the_latest_of_each_author_stands_until_it_expires_or_is_withdrawn() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.customer("zenith").await;
    story.assess("zenith").await;
    story.state(stating("acme", "v_1", view("ann", 10.0, 30.0))).await.unwrap();
    story.on_day(1.0);
    let second = story.state(stating("acme", "v_2", view("bob", 20.0, 4.0))).await.unwrap();
    story.on_day(2.0);
    let third = story.state(stating("acme", "v_3", view("ann", 30.0, 30.0))).await.unwrap();
    assert_eq!(story.beside(of("acme")).await, ["v_3", "v_2"]);
    story.on_day(3.0);
    let withdrawn = story.withdraw(&third.name, &third.etag, "r_1").await.unwrap();
    assert_eq!((withdrawn.delete_time, withdrawn.version), (day(3.0), 2));
    assert_eq!(story.withdraw(&third.name, &third.etag, "r_1").await.unwrap(), withdrawn, "the same request");
    assert_not_found(story.stated(&third.name).await);
    assert_eq!(story.beside(of("acme")).await, ["v_2", "v_1"]);
    story.on_day(5.0);
    assert_eq!(story.beside(of("acme")).await, ["v_1"]);
    assert_eq!(story.stated(&second.name).await.unwrap(), second, "also one that has expired");

    for restarted in [false, true] {
        if restarted {
            story.suite = story.suite.restart().await;
        }
        for (days, expected) in
            [(0.0, vec!["v_1"]), (1.5, vec!["v_2", "v_1"]), (2.5, vec!["v_3", "v_2"]), (3.0, vec!["v_2", "v_1"])]
        {
            let at = |as_of, known_at| GetAssessmentRequest { as_of, known_at, ..of("acme") };
            assert_eq!(story.beside(at(day(days), None)).await, expected, "as of day {days}");
            assert_eq!(story.beside(at(day(days), day(days))).await, expected, "known on day {days}");
        }
        // As it was stated: its end was not known then.
        let then = GetAssessmentRequest { as_of: day(2.5), ..of("acme") };
        assert_eq!(story.get(then).await.unwrap().stated_views[0], third);
        for page_size in [0, 1, 2, 3] {
            assert_eq!(story.views("acme", page_size, false).await, ["v_2", "v_1"]);
            assert_eq!(story.views("acme", page_size, true).await, ["v_3", "v_2", "v_1"]);
        }
        assert_eq!(story.views("zenith", 0, true).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn every_refusal_says_why() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.assess("acme").await;
    let bad = CreateStatedViewRequest {
        parent: "acme".to_owned(),
        stated_view_id: "a b".to_owned(),
        request_id: "x".repeat(65),
        stated_view: Some(StatedView { reason: "x".repeat(2_049), expire_time: day(0.0), ..Default::default() }),
    };
    let fields = ["parent", "stated_view_id", "request_id", "stated_view.author", "stated_view.rating"];
    let more = ["stated_view.reason", "stated_view.expire_time"];
    assert_invalid(story.state(bad).await, &[fields.as_slice(), &more].concat());
    let nothing = CreateStatedViewRequest::default();
    assert_invalid(story.state(nothing).await, &["parent", "stated_view"]);
    for rating in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        assert_invalid(story.state(stating("acme", "", view("ann", rating, 1.0))).await, &["stated_view.rating"]);
    }
    for expires in [0.0, -1.0, -40_000.0] {
        let refused = story.state(stating("acme", "", view("ann", 1.0, expires))).await;
        assert_refused(refused, Code::InvalidArgument, "INVALID_FIELDS", &["stated_view.expire_time"]);
    }
    assert_not_found(story.state(stating("nobody", "", view("ann", 1.0, 1.0))).await);
    assert_eq!(story.beside(of("acme")).await, Vec::<String>::new());

    let request =
        CreateStatedViewRequest { request_id: "r_1".to_owned(), ..stating("acme", "", view("ann", 0.0, 0.5)) };
    let stated = story.state(request.clone()).await.unwrap();
    story.on_day(0.75);
    assert_eq!(
        story.state(request.clone()).await.unwrap(),
        stated,
        "answered as the first time, though it has expired"
    );
    let other = CreateStatedViewRequest { stated_view: Some(view("ann", 100.0, 1.0)), ..request };
    assert_refused(story.state(other).await, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    story.state(stating("acme", "v_1", view("bob", 1.0, 9.0))).await.unwrap();
    story.state(stating("acme", "v_1", view("bob", 1.0, 9.0))).await.unwrap();
    let taken = story.state(stating("acme", "v_1", view("bob", 2.0, 9.0))).await;
    assert_refused(taken, Code::AlreadyExists, "ALREADY_EXISTS", &[]);
    assert_eq!(story.views("acme", 0, true).await.len(), 2);

    let name = "accounts/acme/statedViews/v_1";
    assert_outdated(story.withdraw(name, "9-9", "").await);
    story.withdraw(name, "", "").await.unwrap();
    let taken = story.state(stating("acme", "v_1", view("bob", 1.0, 9.0))).await;
    assert_refused(taken, Code::AlreadyExists, "ALREADY_EXISTS", &[]);
    assert_not_found(story.withdraw("accounts/acme/statedViews/none", "", "").await);
    assert_not_found(story.stated("accounts/acme/statedViews/none").await);
    assert_invalid(story.withdraw("v_1", "", &"x".repeat(65)).await, &["name", "request_id"]);
    assert_invalid(story.stated("accounts/acme").await, &["name"]);
    let list = ListStatedViewsRequest { parent: "accounts/-".to_owned(), page_size: -1, ..Default::default() };
    assert_invalid(story.client().list_stated_views(ask(list)).await, &["parent", "page_size"]);
    let parent = "accounts/acme".to_owned();
    let list = ListStatedViewsRequest { parent, page_token: "x".to_owned(), ..Default::default() };
    let refused = story.client().list_stated_views(ask(list)).await;
    assert_refused(refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
}

#[tokio::test]
async fn what_was_said_of_a_duplicate_is_shown_with_the_account_that_remains() {
    let mut story = Story::begin().await;
    for account in ["first", "second"] {
        story.customer(account).await;
        story.assess(account).await;
        story.state(stating(account, account, view(account, 50.0, 90.0))).await.unwrap();
    }
    story.on_day(1.0);
    merge(&mut story, "first", "second").await;
    story.on_day(2.0);
    for restarted in [false, true] {
        if restarted {
            story.suite = story.suite.restart().await;
        }
        for account in ["first", "second"] {
            assert_eq!(story.beside(of(account)).await, ["second", "first"]);
            assert_eq!(story.views(account, 1, false).await, ["second", "first"]);
            let apart = GetAssessmentRequest { as_of: day(0.5), known_at: day(0.5), ..of(account) };
            assert_eq!(story.beside(apart).await, [account], "they were apart then");
        }
    }
    let stated = story.state(stating("first", "late", view("ann", 50.0, 90.0))).await.unwrap();
    assert_eq!(stated.name, "accounts/first/statedViews/late");
    assert_eq!(story.beside(of("second")).await, ["late", "second", "first"]);
}

#[tokio::test]
async fn an_erased_account_takes_what_was_said_of_it_along() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.order("acme", "o_1", -9.0).await;
    story.assess("acme").await;
    let request =
        CreateStatedViewRequest { request_id: "r_1".to_owned(), ..stating("acme", "v_1", view("ann", 1.0, 9.0)) };
    let stated = story.state(request.clone()).await.unwrap();
    story.state(stating("acme", "v_2", view("bob", 1.0, 9.0))).await.unwrap();
    story.withdraw("accounts/acme/statedViews/v_2", "", "").await.unwrap();
    story.on_day(1.0);
    let erase = EraseAccountRequest { name: "accounts/acme".to_owned(), ..EraseAccountRequest::default() };
    let answer = story.suite.accounts().erase_account(ask(erase)).await.unwrap();
    story.note(answer.into_inner().freshness);
    for restarted in [false, true] {
        if restarted {
            story.suite = story.suite.restart().await;
        }
        // The order still stands, and so does the account.
        assert_eq!(story.beside(of("acme")).await, Vec::<String>::new());
        assert_eq!(story.beside(GetAssessmentRequest { as_of: day(0.5), ..of("acme") }).await, Vec::<String>::new());
        assert_eq!(story.views("acme", 0, true).await, Vec::<String>::new());
        assert_not_found(story.stated(&stated.name).await);
        for request in [request.clone(), stating("acme", "", view("ann", 1.0, 9.0))] {
            let refused = story.state(request).await.unwrap_err();
            assert!(!format!("{refused:?}").contains("ann"));
            assert!(
                ["ERROR_REASON_ACCOUNT_GONE", "ERROR_REASON_ALREADY_EXISTS"].contains(&&*tests::refusal(&refused).1)
            );
        }
    }
}
