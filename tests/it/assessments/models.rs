//! Models: recorded once, chosen by segment, named by every assessment.

use contracts::{accounts::v1::*, assessments::v1::*};
use tests::{ask, ask_as, day, eventually};
use tonic::{Code, Status};

use super::{Story, of};
use crate::standard::{assert_invalid, assert_not_found, assert_refused};

const BUILT_IN: &str = "models/default-2";

impl Story {
    /// The built-in document under another id, with replacements.
    async fn document(&self, id: &str, replacements: &[(&str, &str)]) -> String {
        let mut document = self.model("models/default").await.unwrap().document;
        for (old, new) in replacements.iter().chain(&[("id = \"default-2\"", format!("id = \"{id}\"").as_str())]) {
            assert!(document.contains(old), "{old}");
            document = document.replace(old, new);
        }
        document
    }

    /// A model in which facts fade in a month, and trust starts low.
    async fn record_quick(&self, id: &str) -> Model {
        let quick = [("slow_days = 180", "slow_days = 60"), ("fast_days = 45", "fast_days = 20")];
        let document = self.document(id, &quick).await;
        self.record(&document, "").await.unwrap()
    }

    async fn model(&self, name: &str) -> Result<Model, Status> {
        let request = ask_as(self.tenant, GetModelRequest { name: name.to_owned() });
        Ok(self.client().get_model(request).await?.into_inner().model.unwrap())
    }

    async fn record(&self, document: &str, request_id: &str) -> Result<Model, Status> {
        let model = Some(Model { document: document.to_owned(), ..Model::default() });
        let request = CreateModelRequest { model, request_id: request_id.to_owned() };
        Ok(self.client().create_model(ask_as(self.tenant, request)).await?.into_inner().model.unwrap())
    }

    async fn choose(&self, name: &str, segment: &str, request_id: &str) -> Result<Model, Status> {
        let request = SetDefaultModelRequest {
            name: name.to_owned(),
            segment: segment.to_owned(),
            request_id: request_id.to_owned(),
        };
        Ok(self.client().set_default_model(ask_as(self.tenant, request)).await?.into_inner().model.unwrap())
    }

    async fn models(&self, page_size: i32) -> Vec<Model> {
        let mut models = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ask_as(self.tenant, ListModelsRequest { page_size, page_token });
            let page = self.client().list_models(request).await.unwrap().into_inner();
            assert!(page_size == 0 || page.models.len() <= page_size as usize);
            models.extend(page.models);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return models;
            }
        }
    }

    async fn restarted(mut self) -> Self {
        self.suite = self.suite.restart().await;
        self
    }

    async fn model_of(&self, account: &str) -> String {
        self.assess(account).await.model
    }

    async fn customer_in(&mut self, id: &str, segment: &str) {
        let account = Account { open_time: day(-100.0), segment: segment.to_owned(), ..Account::default() };
        self.account(id, account).await;
        let order = self.order(id, "o_1", -60.0).await;
        self.deliver(&order, -55.0).await;
        let order = self.order(id, "o_2", -5.0).await;
        self.deliver(&order, -4.0).await;
    }
}

fn names(models: &[Model]) -> Vec<&str> {
    models.iter().map(|model| model.name.as_str()).collect()
}

#[tokio::test]
async fn a_model_is_recorded_once_and_stays_as_it_is() {
    let story = Story::begin().await;
    let document = story.document("cautious-2", &[("prior_strength = 6.0", "prior_strength = 9.0")]).await;
    let created = story.record(&document, "r_1").await.unwrap();
    assert_eq!((created.name.as_str(), &created.document), ("models/cautious-2", &document));
    assert_eq!((created.create_time, created.is_default, created.segments.len()), (day(0.0), false, 0));
    story.on_day(1.0);
    for request_id in ["r_1", "", "r_2"] {
        assert_eq!(story.record(&document, request_id).await.unwrap(), created, "{request_id}");
    }
    let other = story.document("cautious-2", &[]).await;
    assert_refused(story.record(&other, "").await, Code::AlreadyExists, "ALREADY_EXISTS", &[]);
    let reused = story.record(&story.document("third", &[]).await, "r_1").await;
    assert_refused(reused, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    assert_not_found(story.model("models/third").await);

    // The built-in one is there already.
    let built_in = story.document("default-2", &[]).await;
    assert_eq!(story.record(&built_in, "").await.unwrap(), story.model(BUILT_IN).await.unwrap());
    let mut another = built_in.clone();
    another.push_str("# another\n");
    assert_refused(story.record(&another, "").await, Code::AlreadyExists, "ALREADY_EXISTS", &[]);

    for id in ["b", "a", "z.1"] {
        story.record(&story.document(id, &[]).await, "").await.unwrap();
    }
    let mut story = story.restarted().await;
    assert_eq!(story.model("models/cautious-2").await.unwrap(), created);
    assert_eq!(story.record(&document, "r_1").await.unwrap(), created);
    let all = [BUILT_IN, "models/a", "models/b", "models/cautious-2", "models/z.1"];
    for page_size in [0, 1, 2, 3, 5, 1_000] {
        let models = story.models(page_size).await;
        assert_eq!(names(&models), all, "{page_size} a page");
        assert!(models[0].is_default && models[0].create_time.is_none() && models[3] == created);
    }
    story.tenant = "other";
    assert_eq!(names(&story.models(0).await), [BUILT_IN]);
    assert_not_found(story.model("models/a").await);
    assert_not_found(story.choose("models/a", "", "").await);
}

#[tokio::test]
async fn every_violation_of_a_model_is_answered_at_once() {
    let story = Story::begin().await;
    let bad = [
        ("fast_days = 45", "fast_days = 170"),
        ("[signals]", "[signals]\nmood = { weight = 1 }"),
        ("[rhythm]", "[rhythms]"),
    ];
    let invalid = async |document: &str, fields: &[&str]| {
        assert_refused(story.record(document, "").await, Code::InvalidArgument, "MODEL_INVALID", fields);
    };
    let document = story.document("bad", &bad).await;
    let refused = story.record(&document, &"x".repeat(65)).await.unwrap_err();
    let (code, reason, mut fields) = tests::refusal(&refused);
    fields.sort();
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "ERROR_REASON_MODEL_INVALID"));
    for field in ["half_lives", "rhythm", "rhythms", "signals.mood"] {
        assert!(fields.contains(&format!("model.document.{field}")), "{field} in {fields:?}");
    }
    assert!(fields.contains(&"request_id".to_owned()), "{fields:?}");

    invalid("id = ", &["model.document"]).await;
    invalid("", &["model.document"]).await;
    let large = format!("{}#{}", story.document("large", &[]).await, "x".repeat(256 * 1024));
    invalid(&large, &["model.document"]).await;
    for id in ["default", "..", "-"] {
        invalid(&story.document(id, &[]).await, &["model.document.id"]).await;
    }
    let none = CreateModelRequest { request_id: "x".repeat(65), ..CreateModelRequest::default() };
    assert_invalid(story.client().create_model(ask(none)).await, &["request_id", "model"]);
    assert_eq!(names(&story.models(0).await), [BUILT_IN]);

    for name in ["", "default-2", "models/", "models/a b", "accounts/a"] {
        assert_invalid(story.model(name).await, &["name"]);
    }
    let wrong = story.choose("default-2", &"x".repeat(65), &"x".repeat(65)).await;
    assert_invalid(wrong, &["name", "segment", "request_id"]);
    assert_not_found(story.choose("models/none", "gold", "").await);
    let list = ListModelsRequest { page_size: -1, ..ListModelsRequest::default() };
    assert_invalid(story.client().list_models(ask(list)).await, &["page_size"]);
    let list = ListModelsRequest { page_token: "x".to_owned(), ..ListModelsRequest::default() };
    let refused = story.client().list_models(ask(list)).await;
    assert_refused(refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
}

#[tokio::test]
async fn each_segment_is_assessed_by_the_model_chosen_for_it() {
    let mut story = Story::begin().await;
    for (id, segment) in [("a", "gold"), ("b", "gold"), ("c", "home"), ("d", "")] {
        story.customer_in(id, segment).await;
    }
    let before = story.assess("a").await;
    assert_eq!(before.model, BUILT_IN);
    story.record_quick("quick").await;
    story.record(&story.document("mild", &[("prior_strength = 6.0", "prior_strength = 2.0")]).await, "").await.unwrap();

    let chosen = story.choose("models/quick", "gold", "r_1").await.unwrap();
    assert_eq!(
        (chosen.name.as_str(), chosen.is_default, chosen.segments),
        ("models/quick", false, vec!["gold".into()])
    );
    // At once, though the ledgers have other half-lives.
    let quick = story.assess("a").await;
    assert_eq!(quick.model, "models/quick");
    assert_ne!(super::trust(&quick), super::trust(&before));
    let explained = story.explain("a").await;
    assert_eq!(explained.assessment.unwrap(), story.assess("a").await);
    for facet in &explained.facets {
        let points: f64 = facet.contributions.iter().map(|contribution| contribution.points).sum();
        assert!((facet.base + points - facet.score).abs() < 1e-9, "{facet:?}");
    }
    let compare = CompareAssessmentsRequest {
        name: super::assessment("a"),
        as_of: day(-30.0),
        at_least_as_fresh: story.written.clone(),
        ..Default::default()
    };
    let compared = story.client().compare_assessments(ask(compare)).await.unwrap().into_inner();
    for assessment in [compared.before.unwrap(), compared.after.unwrap()] {
        assert_eq!(assessment.model, "models/quick", "the account's own model at both moments");
    }
    assert!(compared.terms.iter().all(|term| term.cause() != Cause::Model));

    let all = async |story: &Story| {
        let mut models = Vec::new();
        for account in ["a", "b", "c", "d"] {
            models.push(story.model_of(account).await);
        }
        models.map_to_ids()
    };
    assert_eq!(all(&story).await, ["quick", "quick", "default-2", "default-2"]);
    let is_default = story.choose("models/mild", "", "").await.unwrap();
    assert!(is_default.is_default && is_default.segments.is_empty());
    assert_eq!(story.model("models/default").await.unwrap(), is_default);
    assert_eq!(all(&story).await, ["quick", "quick", "mild", "mild"]);
    story.choose(BUILT_IN, "home", "").await.unwrap();
    assert_eq!(story.model(BUILT_IN).await.unwrap().segments, ["home"]);
    assert_eq!(all(&story).await, ["quick", "quick", "default-2", "mild"]);

    let story = story.restarted().await;
    assert_eq!(all(&story).await, ["quick", "quick", "default-2", "mild"]);
    assert_eq!(story.assess("a").await, quick);
    // The request is answered as the first time, and chooses nothing again.
    story.choose("models/mild", "gold", "r_2").await.unwrap();
    assert_eq!(story.choose("models/quick", "gold", "r_1").await.unwrap().name, "models/quick");
    let reused = story.choose("models/quick", "home", "r_1").await;
    assert_refused(reused, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    assert_eq!(all(&story).await, ["mild", "mild", "default-2", "mild"]);

    // Taken back, the choice for all others holds; that taken back too, the built-in one does.
    assert_eq!(story.choose("", "home", "").await.unwrap().name, "models/mild");
    assert_eq!(story.choose("", "gold", "").await.unwrap().name, "models/mild");
    assert_eq!(all(&story).await, ["mild"; 4]);
    assert_eq!(story.choose("", "", "").await.unwrap().name, BUILT_IN);
    assert_eq!(story.choose("", "unheard of", "").await.unwrap().name, BUILT_IN);
    assert_eq!(all(&story).await, ["default-2"; 4]);
    assert_eq!(story.assess("a").await, before);
    assert_eq!(story.verify().await, 4);
}

#[tokio::test]
async fn an_account_that_changes_its_segment_changes_its_model() {
    let mut story = Story::begin().await;
    story.customer_in("a", "gold").await;
    story.record_quick("quick").await;
    story.choose("models/quick", "gold", "").await.unwrap();
    assert_eq!(story.model_of("a").await, "models/quick");
    story.on_day(1.0);
    let account = Account { name: "accounts/a".to_owned(), segment: "home".to_owned(), ..Account::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["segment".to_owned()] });
    let request = UpdateAccountRequest { account: Some(account), update_mask, ..Default::default() };
    let answer = story.suite.accounts().update_account(ask(request)).await.unwrap();
    story.note(answer.into_inner().freshness);
    assert_eq!(story.model_of("a").await, BUILT_IN);
    // What we now say about then goes by what the account is now; what was known then, by what it was then.
    let then = GetAssessmentRequest { as_of: day(0.0), ..of("a") };
    assert_eq!(story.get(then.clone()).await.unwrap().model, BUILT_IN);
    let known = GetAssessmentRequest { known_at: day(0.5), ..then };
    assert_eq!(story.get(known).await.unwrap().model, "models/quick");
    assert_eq!(story.verify().await, 1);
}

#[tokio::test]
async fn lists_follow_the_choice_and_what_they_list_passes_their_filter() {
    let mut story = Story::begin().await;
    for (index, id) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        story.customer_in(id, ["gold", "home"][index % 2]).await;
    }
    story.record_quick("quick").await;
    let filtered = ListAssessmentsRequest {
        filter: "customer_trust > 0".to_owned(),
        order_by: "customer_trust".to_owned(),
        ..ListAssessmentsRequest::default()
    };
    let before = story.list(filtered.clone()).await.unwrap().assessments;
    assert!(before.iter().all(|assessment| assessment.model == BUILT_IN));
    story.choose("models/quick", "gold", "").await.unwrap();
    // By the model that its standing was made with, so that the order holds at every moment.
    eventually(async || {
        let listed = story.list(filtered.clone()).await.unwrap().assessments;
        assert!(listed.is_sorted_by(|one, next| super::trust(one) <= super::trust(next)));
        assert_eq!(listed.len(), 6);
        listed.iter().all(|listed| (listed.model == "models/quick") == is_gold(listed)).then_some(())
    })
    .await;
    let now = story.list(ListAssessmentsRequest::default()).await.unwrap().assessments;
    for assessment in story.list(filtered).await.unwrap().assessments {
        assert!(now.contains(&assessment), "{assessment:?}");
    }
    assert_eq!(story.verify().await, 6);
}

fn is_gold(assessment: &Assessment) -> bool {
    ["a", "c", "e"].iter().any(|id| assessment.name == super::assessment(id))
}

trait Ids {
    fn map_to_ids(self) -> Vec<String>;
}

impl Ids for Vec<String> {
    fn map_to_ids(self) -> Vec<String> {
        self.into_iter().map(|name| name.trim_start_matches("models/").to_owned()).collect()
    }
}
