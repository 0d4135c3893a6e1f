//! What it all comes to. Every read names the writes that it has to include.

mod compared;
mod explained;
mod freshness;
mod lists;
mod merged;
mod models;
mod past;
mod simulated;
mod spoken;
mod stated_views;
mod timeline;
mod told;
mod watched;

use contracts::{
    accounts::v1::*,
    assessments::v1::{FacetScore, assessments_service_client::AssessmentsServiceClient, *},
    common::v1::{FreshnessToken, Money, Party},
    feedback::v1::{About, CreateFeedbackRequest, Feedback, FeedbackKind, ResolveFeedbackRequest, Subject},
    interactions::v1::{CreateInteractionRequest, Interaction, InteractionChannel, Purpose},
    orders::v1::*,
};
use runtime::Peer;
use tests::{START, Suite, ask, ask_as, day};
use tonic::Status;

use crate::standard::{assert_invalid, assert_not_found};

/// A suite, and the tokens of all that was written to it.
struct Story {
    suite: Suite,
    tenant: &'static str,
    written: Vec<FreshnessToken>,
}

impl Story {
    async fn begin() -> Self {
        Self { suite: Suite::start().await, tenant: tests::TENANT, written: Vec::new() }
    }

    fn note(&mut self, freshness: Option<FreshnessToken>) {
        self.written.extend(freshness);
    }

    async fn account(&mut self, id: &str, account: Account) {
        let account = Account { display_name: format!("The {id}s"), currency_code: "EUR".to_owned(), ..account };
        let request = CreateAccountRequest { account_id: id.to_owned(), account: Some(account), ..Default::default() };
        let answer = self.suite.accounts().create_account(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    /// Opens an account a hundred days before the start.
    async fn customer(&mut self, id: &str) {
        self.account(id, Account { open_time: day(-100.0), ..Account::default() }).await;
    }

    /// Places an order for 50 euros that is promised for two days later.
    async fn order(&mut self, account: &str, id: &str, days: f64) -> String {
        let order = Order {
            place_time: day(days),
            total: euros(50),
            fulfilment: Some(Fulfilment { promise_time: day(days + 2.0), ..Fulfilment::default() }),
            ..Order::default()
        };
        self.place(account, id, order).await
    }

    async fn place(&mut self, account: &str, id: &str, order: Order) -> String {
        let request = CreateOrderRequest {
            parent: format!("accounts/{account}"),
            order_id: id.to_owned(),
            order: Some(order),
            ..Default::default()
        };
        let answer = self.suite.orders().create_order(ask_as(self.tenant, request)).await.unwrap().into_inner();
        self.note(answer.freshness);
        answer.order.unwrap().name
    }

    async fn deliver(&mut self, order: &str, days: f64) {
        let request =
            DeliverOrderRequest { name: order.to_owned(), deliver_time: day(days), ..DeliverOrderRequest::default() };
        let answer = self.suite.orders().deliver_order(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    /// The customer sends all of it back, for a reason of the provider's.
    async fn send_back(&mut self, order: &str, days: f64) {
        let order_return = OrderReturn {
            return_time: day(days),
            amount: euros(50),
            responsible: Party::Provider.into(),
            ..OrderReturn::default()
        };
        let request =
            ReturnOrderRequest { name: order.to_owned(), order_return: Some(order_return), ..Default::default() };
        let answer = self.suite.orders().return_order(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    async fn refund(&mut self, order: &str, days: f64) {
        let request = RefundOrderRequest { name: order.to_owned(), refund_time: day(days), ..Default::default() };
        let answer = self.suite.orders().refund_order(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    async fn complain(&mut self, account: &str, id: &str, days: f64) -> String {
        let feedback = Feedback {
            happen_time: day(days),
            kind: FeedbackKind::Complaint.into(),
            about: Some(About { subject: Subject::Relationship.into(), reference: String::new() }),
            text: "late again, says Ann".to_owned(),
            sentiment: Some(-0.5),
            ..Feedback::default()
        };
        let request = CreateFeedbackRequest {
            parent: format!("accounts/{account}"),
            feedback_id: id.to_owned(),
            feedback: Some(feedback),
            ..Default::default()
        };
        let answer = self.suite.feedback().create_feedback(ask_as(self.tenant, request)).await.unwrap().into_inner();
        self.note(answer.freshness);
        answer.feedback.unwrap().name
    }

    async fn settle(&mut self, complaint: &str, days: f64) {
        let request = ResolveFeedbackRequest {
            name: complaint.to_owned(),
            resolve_time: day(days),
            content_with_resolution: Some(true),
            ..Default::default()
        };
        let answer = self.suite.feedback().resolve_feedback(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    async fn say(&mut self, account: &str, id: &str, party: Party, days: f64) {
        let interaction = Interaction {
            happen_time: day(days),
            party: party.into(),
            channel: InteractionChannel::Phone.into(),
            purpose: Purpose::Support.into(),
            text: "Ann called".to_owned(),
            sentiment: Some(0.5),
            ..Interaction::default()
        };
        let request = CreateInteractionRequest {
            parent: format!("accounts/{account}"),
            interaction_id: id.to_owned(),
            interaction: Some(interaction),
            ..Default::default()
        };
        let answer = self.suite.interactions().create_interaction(ask_as(self.tenant, request)).await.unwrap();
        self.note(answer.into_inner().freshness);
    }

    /// Sets the time.
    fn on_day(&self, days: f64) {
        self.suite.clock.set(START + (days * 86_400e6) as i64);
    }

    fn client(&self) -> AssessmentsServiceClient<Peer> {
        self.suite.assessments()
    }

    async fn get(&self, request: GetAssessmentRequest) -> Result<Assessment, Status> {
        let request = GetAssessmentRequest { at_least_as_fresh: self.written.clone(), ..request };
        Ok(self.client().get_assessment(ask_as(self.tenant, request)).await?.into_inner().assessment.unwrap())
    }

    async fn assess(&self, account: &str) -> Assessment {
        self.get(of(account)).await.unwrap()
    }

    async fn explain(&self, account: &str) -> ExplainAssessmentResponse {
        let request = ExplainAssessmentRequest {
            name: assessment(account),
            by_source: true,
            at_least_as_fresh: self.written.clone(),
            ..ExplainAssessmentRequest::default()
        };
        self.client().explain_assessment(ask_as(self.tenant, request)).await.unwrap().into_inner()
    }

    async fn list(&self, request: ListAssessmentsRequest) -> Result<ListAssessmentsResponse, Status> {
        let request = ListAssessmentsRequest { at_least_as_fresh: self.written.clone(), ..request };
        Ok(self.client().list_assessments(ask_as(self.tenant, request)).await?.into_inner())
    }

    async fn timeline(&self, request: ListTimelineRequest) -> ListTimelineResponse {
        let request = ListTimelineRequest { at_least_as_fresh: self.written.clone(), ..request };
        self.client().list_timeline(ask_as(self.tenant, request)).await.unwrap().into_inner()
    }

    /// Lets the aggregator check all ledgers; answers with how many there are.
    async fn verify(&self) -> i64 {
        let request = ask_as(self.tenant, VerifyLedgersRequest::default());
        let answers = crate::feed::all_answers(self.client().verify_ledgers(request).await).await.unwrap();
        assert!(answers.iter().all(|answer| answer.differing_accounts.is_empty()), "{answers:?}");
        let last = answers.last().unwrap();
        assert_eq!(last.verified_count, last.total_count);
        last.total_count
    }
}

fn euros(units: i64) -> Option<Money> {
    Some(Money { currency_code: "EUR".to_owned(), units, nanos: 0 })
}

fn assessment(account: &str) -> String {
    format!("accounts/{account}/assessment")
}

fn of(account: &str) -> GetAssessmentRequest {
    GetAssessmentRequest { name: assessment(account), ..GetAssessmentRequest::default() }
}

fn timeline_of(account: &str) -> ListTimelineRequest {
    ListTimelineRequest { parent: format!("accounts/{account}"), ..ListTimelineRequest::default() }
}

fn value(score: &Option<FacetScore>) -> f64 {
    score.as_ref().unwrap().score.unwrap().value
}

/// The customer's trust.
fn trust(assessment: &Assessment) -> f64 {
    value(&assessment.customer_view.as_ref().unwrap().trust)
}

/// The customer's ease.
fn ease(assessment: &Assessment) -> f64 {
    value(&assessment.customer_view.as_ref().unwrap().ease)
}

/// The assessment without how far it has seen the feeds.
fn said(assessment: Assessment) -> Assessment {
    Assessment { freshness: vec![], ..assessment }
}

#[tokio::test]
async fn of_an_account_nobody_knows_nothing_is_said() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    assert_not_found(story.get(of("nobody")).await);
    let explain = ExplainAssessmentRequest { name: assessment("nobody"), ..Default::default() };
    assert_not_found(story.client().explain_assessment(ask(explain)).await);
    let batch = |names: &[&str]| BatchGetAssessmentsRequest {
        names: names.iter().map(|name| assessment(name)).collect(),
        at_least_as_fresh: story.written.clone(),
        ..BatchGetAssessmentsRequest::default()
    };
    let missing = story.client().batch_get_assessments(ask(batch(&["acme", "nobody", "none"]))).await.unwrap_err();
    assert!(missing.message().contains("accounts/nobody/assessment"), "{missing}");
    assert_not_found::<()>(Err(missing));
    let verify = VerifyLedgersRequest { account: "accounts/nobody".to_owned() };
    assert_not_found(story.client().verify_ledgers(ask(verify)).await.map(drop));
    assert_eq!(story.timeline(timeline_of("nobody")).await, ListTimelineResponse::default());
}

#[tokio::test]
async fn several_are_answered_in_the_order_of_their_names() {
    let mut story = Story::begin().await;
    for id in ["a", "b", "c"] {
        story.customer(id).await;
    }
    let request = BatchGetAssessmentsRequest {
        names: ["c", "a", "c", "b"].map(assessment).to_vec(),
        at_least_as_fresh: story.written.clone(),
        ..BatchGetAssessmentsRequest::default()
    };
    let assessments = story.client().batch_get_assessments(ask(request)).await.unwrap().into_inner().assessments;
    let names: Vec<&str> = assessments.iter().map(|assessment| assessment.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "c", "b"].map(assessment));
    assert_eq!(assessments[1], story.assess("a").await);
}

#[tokio::test]
async fn every_violation_is_answered_at_once() {
    let suite = Suite::start().await;
    let mut client = suite.assessments();
    let early = day(-40_000.0);
    let get = GetAssessmentRequest { name: "acme".to_owned(), as_of: early, known_at: early, ..Default::default() };
    assert_invalid(client.get_assessment(ask(get)).await, &["as_of", "known_at", "name"]);
    let explain = ExplainAssessmentRequest { name: "accounts/acme".to_owned(), as_of: early, ..Default::default() };
    assert_invalid(client.explain_assessment(ask(explain)).await, &["as_of", "name"]);
    let nothing = BatchGetAssessmentsRequest::default();
    assert_invalid(client.batch_get_assessments(ask(nothing)).await, &["names"]);
    let names = vec![assessment("acme"), "accounts/-/assessment".to_owned()];
    let batch = BatchGetAssessmentsRequest { names, known_at: early, ..Default::default() };
    assert_invalid(client.batch_get_assessments(ask(batch)).await, &["known_at", "names[1]"]);
    let batch = BatchGetAssessmentsRequest { names: vec![assessment("acme"); 1_001], ..Default::default() };
    assert_invalid(client.batch_get_assessments(ask(batch)).await, &["names"]);
    let list = ListAssessmentsRequest {
        page_size: -1,
        filter: "bond < 4".to_owned(),
        as_of: day(0.0),
        known_at: early,
        ..Default::default()
    };
    assert_invalid(client.list_assessments(ask(list)).await, &["known_at", "as_of", "known_at", "page_size"]);
    let timeline = ListTimelineRequest { parent: "acme".to_owned(), page_size: -1, ..Default::default() };
    assert_invalid(client.list_timeline(ask(timeline)).await, &["parent", "page_size"]);
    let verify = VerifyLedgersRequest { account: "acme".to_owned() };
    assert_invalid(client.verify_ledgers(ask(verify)).await.map(drop), &["account"]);
}

#[tokio::test]
async fn the_model_is_a_document_with_its_reasons() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let name = story.assess("acme").await.model;
    let mut models = Vec::new();
    for name in [name.clone(), "models/default".to_owned()] {
        let model = story.client().get_model(ask(GetModelRequest { name })).await.unwrap();
        models.push(model.into_inner().model.unwrap());
    }
    assert_eq!((models[0].name.as_str(), &models[0]), (name.as_str(), &models[1]));
    assert!(models[0].document.contains("delivery_promise"));
    assert_not_found(story.client().get_model(ask(GetModelRequest { name: "models/none".to_owned() })).await);
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.order("acme", "o_1", -9.0).await;
    story.tenant = "other";
    story.customer("acme").await;
    assert_eq!(story.assess("acme").await.activity.unwrap().order_count, 0);
    assert_eq!(story.timeline(timeline_of("acme")).await.entries.len(), 1);
    assert_eq!(story.verify().await, 1);
    story.tenant = "stranger";
    assert_not_found(story.get(of("acme")).await);
    assert_eq!(story.list(ListAssessmentsRequest::default()).await.unwrap().assessments, []);
    assert_eq!(story.verify().await, 0);
    let portfolio = story.client().get_portfolio(ask_as("stranger", GetPortfolioRequest::default())).await;
    assert_eq!(portfolio.unwrap().into_inner().account_count, 0);
    let nobody = story.client().get_assessment(ask_as("-", of("acme"))).await;
    let field = "metadata.rapport-tenant";
    crate::standard::assert_refused(nobody, tonic::Code::InvalidArgument, "TENANT_INVALID", &[field]);
}
