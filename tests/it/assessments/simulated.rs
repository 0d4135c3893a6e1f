//! What would be: with other evidence, or by another model.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
};

use contracts::{accounts::v1::Account, assessments::v1::*};
use flate2::read::GzDecoder;
use rapport::{
    client::{ConnectArgs, Connection},
    import::{self, Job, Show, Source},
    shipped::RETAIL,
};
use tests::{ask_as, day, refusal};
use tonic::{Code, Request, Status};

use super::compared::assert_adds_up;
use super::merged::merge;
use super::{Story, assessment, of, timeline_of, trust};
use crate::feed::all_answers;
use crate::standard::{assert_invalid, assert_not_found, assert_refused};

const BUILT_IN: &str = include_str!("../../../shared/dynamics/models/default.toml");

impl Story {
    async fn simulate(&self, request: SimulateAssessmentRequest) -> Result<SimulateAssessmentResponse, Status> {
        let request = SimulateAssessmentRequest { at_least_as_fresh: self.written.clone(), ..request };
        let told = self.client().simulate_assessment(ask_as(self.tenant, request)).await?.into_inner();
        let SimulateAssessmentResponse { before, after, facets, terms, summary } = told.clone();
        assert_adds_up(&CompareAssessmentsResponse { before, after, facets, terms, summary });
        Ok(told)
    }

    /// All that a trial tells.
    async fn try_model(&self, request: TryModelRequest) -> Result<Vec<TryModelResponse>, Status> {
        let request = TryModelRequest { at_least_as_fresh: self.written.clone(), ..request };
        all_answers(self.client().try_model(ask_as(self.tenant, request)).await).await
    }

    async fn create_model(&self, document: &str) -> String {
        let model = Model { document: document.to_owned(), ..Model::default() };
        let request = CreateModelRequest { model: Some(model), ..CreateModelRequest::default() };
        let answer = self.client().create_model(ask_as(self.tenant, request)).await.unwrap();
        answer.into_inner().model.unwrap().name
    }
}

/// The built-in model under another id, changed.
fn other(id: &str, changes: &[(&str, &str)]) -> String {
    let mut document = BUILT_IN.replace("id = \"default-2\"", &format!("id = \"{id}\""));
    for (from, to) in changes {
        assert!(document.contains(from), "{from}");
        document = document.replace(from, to);
    }
    document
}

fn suppose(account: &str) -> SimulateAssessmentRequest {
    SimulateAssessmentRequest { name: assessment(account), ..SimulateAssessmentRequest::default() }
}

fn supposition(signal: &str, value: f64) -> Supposition {
    Supposition { signal: signal.to_owned(), value: Some(value), ..Supposition::default() }
}

fn sources(told: &SimulateAssessmentResponse, cause: Cause) -> Vec<&str> {
    let mut sources: Vec<&str> =
        told.terms.iter().filter(|term| term.cause() == cause).map(|term| term.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn bond(assessment: &Option<Assessment>) -> f64 {
    assessment.as_ref().unwrap().bond.unwrap().value
}

#[tokio::test]
async fn suppositions_are_told_apart_and_change_nothing() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o_1", -30.0).await;
    story.deliver(&order, -29.0).await;
    let before = story.assess("acme").await;
    let listed = story.list(ListAssessmentsRequest::default()).await.unwrap();

    let late = Supposition { count: 3, ..supposition("delivery_promise", -1.0) };
    let praise = Supposition { happen_time: day(-7.0), weight: Some(2.0), ..supposition("advocacy", 1.0) };
    let request = SimulateAssessmentRequest { suppositions: vec![late.clone(), praise], ..suppose("acme") };
    let told = story.simulate(request.clone()).await.unwrap();
    assert_eq!(told.before, Some(before.clone()));
    let after = told.after.clone().unwrap();
    assert!(trust(&after) < trust(&before));
    assert_eq!(
        (after.activity, after.worth.clone(), after.stage),
        (before.activity, before.worth.clone(), before.stage)
    );
    assert_eq!(sources(&told, Cause::New), ["suppositions/1", "suppositions/2"]);
    assert_eq!(sources(&told, Cause::Balance), [&order], "what stood before counts for less now");
    let moved = bond(&told.after) - bond(&told.before);
    assert!(moved.abs() > 0.1, "{moved}");
    let told_so = if moved > 0.0 { "The bond would rise by " } else { "The bond would fall by " };
    assert!(told.summary[0].starts_with(told_so), "{:?}", told.summary);
    assert!(told.summary.iter().any(|sentence| sentence.contains("suppositions/1")), "{:?}", told.summary);

    // Three at once weigh what one of three times the weight does, and an old one less than a fresh one.
    let once = Supposition { count: 0, weight: Some(3.0), ..late.clone() };
    let old = Supposition { happen_time: day(-300.0), ..late.clone() };
    let trust_with = async |supposition: &Supposition| {
        let request = SimulateAssessmentRequest { suppositions: vec![supposition.clone()], ..suppose("acme") };
        trust(&story.simulate(request).await.unwrap().after.unwrap())
    };
    let (thrice, once, old) = (trust_with(&late).await, trust_with(&once).await, trust_with(&old).await);
    assert!((thrice - once).abs() < 1e-6 && thrice < old, "{thrice} {once} {old}");

    // Nothing of it stays.
    assert_eq!(story.simulate(request).await.unwrap(), told);
    assert_eq!(story.assess("acme").await, before);
    assert_eq!(story.list(ListAssessmentsRequest::default()).await.unwrap(), listed);
    assert_eq!(story.verify().await, 1);
}

#[tokio::test]
async fn the_past_can_be_supposed_to_have_been_otherwise() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    for (id, days) in [("o_1", -60.0), ("o_2", -30.0), ("o_3", -10.0)] {
        story.order("acme", id, days).await;
    }
    let then = GetAssessmentRequest { as_of: day(-20.0), ..of("acme") };
    let request = SimulateAssessmentRequest { as_of: day(-20.0), ..suppose("acme") };
    let kept = Supposition { happen_time: day(-25.0), ..supposition("delivery_promise", 1.0) };
    let told = story
        .simulate(SimulateAssessmentRequest { suppositions: vec![kept.clone()], ..request.clone() })
        .await
        .unwrap();
    assert_eq!(told.before, Some(story.get(then).await.unwrap()));
    assert_eq!(sources(&told, Cause::New), ["suppositions/1"]);
    let later = Supposition { happen_time: day(-19.0), ..kept };
    let late = SimulateAssessmentRequest { suppositions: vec![later], ..request.clone() };
    assert_invalid(story.simulate(late).await, &["suppositions[0].happen_time"]);
    // What had not happened by then cannot be left out of it.
    let orders = ["accounts/acme/orders/o_2", "accounts/acme/orders/o_3"].map(str::to_owned).to_vec();
    let without = SimulateAssessmentRequest { without: orders, ..request };
    assert_invalid(story.simulate(without).await, &["without[1]"]);
}

#[tokio::test]
async fn an_order_that_never_was_is_as_if_it_had_never_been_placed() {
    let mut story = Story::begin().await;
    for account in ["acme", "zenith"] {
        story.customer(account).await;
        story.order(account, "o_1", -60.0).await;
    }
    let late = story.order("acme", "o_2", -30.0).await;
    story.deliver(&late, -3.0).await;
    story.complain("acme", "f_1", -2.0).await;
    let without = vec![late.clone(), "accounts/acme/feedback/f_1".to_owned()];
    let told = story.simulate(SimulateAssessmentRequest { without, ..suppose("acme") }).await.unwrap();
    // The other customer did the same, and nothing else.
    let unspoilt = story.assess("zenith").await;
    let after = told.after.clone().unwrap();
    assert_eq!(Assessment { name: after.name.clone(), freshness: after.freshness.clone(), ..unspoilt }, after,);
    assert!(sources(&told, Cause::Withdrawn).contains(&late.as_str()));
    assert!(bond(&told.after) > bond(&told.before));

    // Of everything that was told, nothing is left but the prior.
    let entries = story.timeline(timeline_of("acme")).await.entries;
    let all = entries.into_iter().map(|entry| entry.source).collect();
    let told = story.simulate(SimulateAssessmentRequest { without: all, ..suppose("acme") }).await.unwrap();
    assert!(told.after.unwrap().bond.unwrap().prior_only);
}

#[tokio::test]
async fn a_duplicate_and_the_account_that_remains_are_supposed_alike() {
    let mut story = Story::begin().await;
    for account in ["first", "second"] {
        story.customer(account).await;
        let order = story.order(account, "o_1", -20.0).await;
        story.deliver(&order, -1.0).await;
    }
    merge(&mut story, "first", "second").await;
    let without = vec!["accounts/first/orders/o_1".to_owned()];
    let request = SimulateAssessmentRequest { without, ..suppose("second") };
    let told = story.simulate(request.clone()).await.unwrap();
    assert_eq!(told.after.as_ref().unwrap().activity.unwrap().order_count, 1);
    let of_duplicate =
        story.simulate(SimulateAssessmentRequest { name: assessment("first"), ..request }).await.unwrap();
    assert_eq!((&of_duplicate.terms, &of_duplicate.facets), (&told.terms, &told.facets));
    assert_eq!(of_duplicate.after.unwrap().merged_into, "accounts/second");
}

#[tokio::test]
async fn another_model_is_told_as_a_step_of_its_own() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let order = story.order("acme", "o_1", -60.0).await;
    story.deliver(&order, -20.0).await;
    let slow = story.create_model(&other("slow-1", &[("slow_days = 180", "slow_days = 720")])).await;
    let doubtful = story.create_model(&other("doubtful-1", &[("prior_strength = 6.0", "prior_strength = 12.0")])).await;
    for name in [&slow, &doubtful] {
        let told = story.simulate(SimulateAssessmentRequest { model: name.clone(), ..suppose("acme") }).await.unwrap();
        let (before, after) = (told.before.clone().unwrap(), told.after.clone().unwrap());
        assert_eq!((before.model.as_str(), after.model.as_str()), ("models/default-2", name.as_str()));
        assert_eq!(before, story.assess("acme").await);
        assert!(
            !told.terms.is_empty() && told.terms.iter().all(|term| term.cause() == Cause::Model),
            "{:?}",
            told.terms
        );
    }
    let suppositions = vec![supposition("delivery_promise", -1.0)];
    let request = SimulateAssessmentRequest { suppositions, model: slow, ..suppose("acme") };
    let told = story.simulate(request).await.unwrap();
    for cause in [Cause::Model, Cause::New, Cause::Balance] {
        assert!(!sources(&told, cause).is_empty(), "{cause:?}");
    }
    let same = SimulateAssessmentRequest { model: "models/default".to_owned(), ..suppose("acme") };
    let told = story.simulate(same).await.unwrap();
    assert_eq!((told.terms, told.before), (vec![], told.after));
    assert_eq!(told.summary.len(), 1, "{:?}", told.summary);
    assert!(told.summary[0].starts_with("The bond would stand still at "));
}

#[tokio::test]
async fn what_cannot_be_supposed_is_refused_all_at_once() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let wrong = vec![
        Supposition::default(),
        supposition("customer_mood", 1.5),
        supposition("order_rhythm", f64::NAN),
        Supposition { weight: Some(0.0), count: -1, ..supposition("effort", -1.0) },
        Supposition { weight: Some(16.5), count: 1_001, ..supposition("effort", f64::INFINITY) },
        Supposition { weight: Some(f64::NAN), happen_time: day(0.1), ..supposition("effort", 0.0) },
        Supposition { happen_time: Some(prost_types::Timestamp { seconds: -1, nanos: 0 }), ..supposition("joy", 1.0) },
        // The ends of what is taken.
        Supposition { weight: Some(16.0), count: 1_000, happen_time: day(0.0), ..supposition("effort", -1.0) },
    ];
    let request = SimulateAssessmentRequest {
        name: "acme".to_owned(),
        suppositions: wrong,
        without: ["accounts/acme", "", "accounts/acme"].map(str::to_owned).to_vec(),
        model: "default-2".to_owned(),
        known_at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
        ..SimulateAssessmentRequest::default()
    };
    let expected = [
        "known_at",
        "name",
        "suppositions[0].value",
        "suppositions[0].signal",
        "suppositions[1].value",
        "suppositions[1].signal",
        "suppositions[2].value",
        "suppositions[2].signal",
        "suppositions[3].weight",
        "suppositions[3].count",
        "suppositions[4].value",
        "suppositions[4].weight",
        "suppositions[4].count",
        "suppositions[5].weight",
        "suppositions[5].happen_time",
        "suppositions[6].happen_time",
        "suppositions[6].signal",
        "without[1]",
        "without[2]",
        "model",
    ];
    assert_invalid(story.simulate(request).await, &expected);

    let many = SimulateAssessmentRequest {
        suppositions: vec![supposition("effort", 1.0); 101],
        without: (0..1_001).map(|index| format!("accounts/acme/orders/{index}")).collect(),
        ..suppose("acme")
    };
    assert_invalid(story.simulate(many).await, &["suppositions", "without"]);
    let most = vec![Supposition { count: 1_000, ..supposition("effort", 1.0) }; 100];
    let told = story.simulate(SimulateAssessmentRequest { suppositions: most, ..suppose("acme") }).await.unwrap();
    assert!(told.terms.iter().all(|term| term.signal == "effort"));

    let without =
        ["accounts/acme", "accounts/acme/orders/o_9", "activity", "accounts/zenith"].map(str::to_owned).to_vec();
    let elsewhere = story.simulate(SimulateAssessmentRequest { without, ..suppose("acme") }).await;
    assert_invalid(elsewhere, &["without[1]", "without[2]", "without[3]"]);
    assert_not_found(story.simulate(suppose("zenith")).await);
    assert_not_found(
        story.simulate(SimulateAssessmentRequest { model: "models/absent".to_owned(), ..suppose("acme") }).await,
    );
}

#[tokio::test]
async fn a_trial_without_a_model_is_refused() {
    let story = Story::begin().await;
    let ask = |name: &str, document: &str| TryModelRequest {
        name: name.to_owned(),
        document: document.to_owned(),
        ..TryModelRequest::default()
    };
    assert_invalid(story.try_model(ask("", "")).await, &["name"]);
    assert_invalid(story.try_model(ask("models/default", BUILT_IN)).await, &["document"]);
    assert_not_found(story.try_model(ask("models/absent", "")).await);
    let as_of = Some(prost_types::Timestamp { seconds: -1, nanos: 0 });
    let wrong = TryModelRequest { segment: Some("x".repeat(65)), movement_count: -1, as_of, ..ask("default", "") };
    assert_invalid(story.try_model(wrong).await, &["as_of", "segment", "movement_count", "name"]);
    let wrong = TryModelRequest { movement_count: 1_001, ..ask("models/default", "") };
    assert_invalid(story.try_model(wrong).await, &["movement_count"]);

    let document = other("Bad One", &[("slow_days = 180", "slow_days = 1"), ("[rhythm]", "[rhythms]")]);
    let refused = story.try_model(ask("", &document)).await.unwrap_err();
    let (code, reason, fields) = refusal(&refused);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "ERROR_REASON_MODEL_INVALID"));
    for field in ["document.id", "document.half_lives.slow_days", "document.rhythm", "document.rhythms"] {
        assert!(fields.iter().any(|told| told == field), "{field} in {fields:?}");
    }
    assert_refused(story.try_model(ask("", "id = ")).await, Code::InvalidArgument, "MODEL_INVALID", &["document"]);
    let long = format!("id = \"{}\"", "x".repeat(256 << 10));
    assert_refused(story.try_model(ask("", &long)).await, Code::InvalidArgument, "MODEL_INVALID", &["document"]);
    // The answer travels in a header: what it quotes is short.
    let unknown = format!("{} = 1\n{}", "x".repeat(100_000), BUILT_IN);
    let refused = story.try_model(ask("", &unknown)).await.unwrap_err();
    assert_eq!(refusal(&refused).1, "ERROR_REASON_MODEL_INVALID");
}

#[tokio::test]
async fn a_model_is_tried_on_a_segment_and_on_nobody() {
    let mut story = Story::begin().await;
    let whole = |document: &str| TryModelRequest { document: document.to_owned(), ..TryModelRequest::default() };
    let doubtful = other("doubtful-1", &[("prior_strength = 6.0", "prior_strength = 12.0")]);
    let told = story.try_model(whole(&doubtful)).await.unwrap();
    let nobody = told.last().unwrap();
    assert_eq!((told.len(), nobody.total_count, nobody.mean_movement), (1, 0, 0.0));
    assert_eq!((nobody.movements.len(), nobody.stages_before.len(), nobody.assess_time), (17, 5, day(0.0)));

    for (account, segment) in [("a", "gold"), ("b", "gold"), ("c", "")] {
        let opened = Account { open_time: day(-100.0), segment: segment.to_owned(), ..Account::default() };
        story.account(account, opened).await;
        let order = story.order(account, "o_1", -20.0).await;
        story.deliver(&order, -1.0).await;
    }
    let tried = async |request: TryModelRequest| {
        let last = story.try_model(request).await.unwrap().pop().unwrap();
        let named: Vec<String> = last.top_movements.iter().map(|movement| movement.account.clone()).collect();
        (last.assessed_count, last.total_count, named)
    };
    let accounts = |ids: &[&str]| ids.iter().map(|id| format!("accounts/{id}")).collect::<Vec<_>>();
    assert_eq!(tried(whole(&doubtful)).await, (3, 3, accounts(&["a", "b", "c"])));
    let of_segment = |segment: &str| TryModelRequest { segment: Some(segment.to_owned()), ..whole(&doubtful) };
    assert_eq!(tried(of_segment("gold")).await, (2, 2, accounts(&["a", "b"])));
    assert_eq!(tried(of_segment("")).await, (1, 1, accounts(&["c"])));
    assert_eq!(tried(of_segment("silver")).await, (0, 0, vec![]));
    assert_eq!(tried(TryModelRequest { movement_count: 1, ..whole(&doubtful) }).await, (3, 3, accounts(&["a"])));

    let then = TryModelRequest { as_of: day(-50.0), ..whole(&doubtful) };
    assert_eq!(tried(then).await, (3, 3, vec![]), "nothing had been ordered yet");
    let before = TryModelRequest { as_of: day(-101.0), ..whole(&doubtful) };
    assert_eq!(tried(before).await, (0, 0, vec![]), "nothing was known yet");

    // Each account is compared with the model that was chosen for its segment.
    let name = story.create_model(&doubtful).await;
    let choice = SetDefaultModelRequest { name: name.clone(), segment: "gold".to_owned(), ..Default::default() };
    story.client().set_default_model(ask_as(story.tenant, choice)).await.unwrap();
    let by_name = TryModelRequest { name, ..TryModelRequest::default() };
    assert_eq!(tried(by_name).await, (3, 3, accounts(&["c"])));
    let other_tenant = ask_as("elsewhere", whole(&doubtful));
    let elsewhere = all_answers(story.client().try_model(other_tenant).await).await.unwrap();
    assert_eq!(elsewhere.last().unwrap().total_count, 0);
}

/// How many lines of the wholesaler's a test reads: about 600 customers'.
const LINES: usize = 20_000;

/// Imports the beginning of the wholesaler's data.
async fn import_retail(story: &mut Story) {
    let connect = ConnectArgs {
        endpoint: story.suite.context.own_uri(),
        tenant: story.tenant.to_owned(),
        token_file: None,
        timeout: 60,
        lang: None,
    };
    let connection = Connection::open(&connect).unwrap();
    let all = GzDecoder::new(include_bytes!("../../data/retail/lines.csv.gz").as_slice());
    let lines = BufReader::new(all).lines().take(LINES).map(|line| line.unwrap() + "\n");
    let data: &'static [u8] = lines.collect::<String>().leak().as_bytes();
    for step in RETAIL.steps {
        let source = Source::Bytes("lines.csv", data);
        let job = Job { source, keep_tokens: true, show: Show::Nothing, ..step.job().unwrap() };
        let summary = import::run(&connection, job).await.unwrap();
        assert!(summary.refused == 0 && summary.landed > 500, "{summary:?}");
        story.written.extend(summary.tokens);
    }
}

#[tokio::test]
async fn a_trial_on_real_customers_comes_to_what_each_simulation_says() {
    let mut story = Story::begin().await;
    story.suite.clock.set(RETAIL.ends().seconds * 1_000_000);
    import_retail(&mut story).await;
    let mut accounts = Vec::new();
    let mut page = ListAssessmentsRequest { page_size: 1_000, ..ListAssessmentsRequest::default() };
    loop {
        let listed = story.list(page.clone()).await.unwrap();
        accounts.extend(listed.assessments.into_iter().map(|assessment| assessment.name));
        if listed.next_page_token.is_empty() {
            break;
        }
        page.page_token = listed.next_page_token;
    }
    assert!(accounts.len() > 500, "{}", accounts.len());

    let same = TryModelRequest { document: other("same-1", &[]), ..TryModelRequest::default() };
    let told = story.try_model(same).await.unwrap().pop().unwrap();
    assert_eq!((told.mean_movement, told.mean_absolute_movement, told.stage_change_count), (0.0, 0.0, 0));
    assert_eq!((told.top_movements.len(), told.stages_before), (0, told.stages_after));
    let middle = told.movements.iter().find(|bin| bin.low < 0.0 && bin.high > 0.0).unwrap();
    assert_eq!(middle.account_count, accounts.len() as i64);

    for document in [
        other("doubtful-1", &[("prior_strength = 4.0", "prior_strength = 8.0")]),
        other("quick-1", &[("slow_days = 180", "slow_days = 60"), ("fast_days = 45", "fast_days = 15")]),
        other("hopeful-1", &[("dissolution_gaps = 6.0", "dissolution_gaps = 900.0")]),
    ] {
        let by_document = TryModelRequest { document: document.clone(), ..TryModelRequest::default() };
        let told = story.try_model(by_document).await.unwrap().pop().unwrap();
        let name = story.create_model(&document).await;
        let by_name = TryModelRequest { name: name.clone(), ..TryModelRequest::default() };
        assert_eq!(story.try_model(by_name).await.unwrap().pop().unwrap(), told);

        // The straightforward way: one by one.
        let mut movements = Vec::with_capacity(accounts.len());
        for account in &accounts {
            let request =
                SimulateAssessmentRequest { name: account.clone(), model: name.clone(), ..Default::default() };
            let told = story.client().simulate_assessment(ask_as(story.tenant, request)).await.unwrap().into_inner();
            let (before, after) = (told.before.unwrap(), told.after.unwrap());
            movements.push(Movement {
                account: account.strip_suffix("/assessment").unwrap().to_owned(),
                bond_before: before.bond.unwrap().value,
                bond_after: after.bond.unwrap().value,
                stage_before: before.stage,
                stage_after: after.stage,
            });
        }
        let moved = |movement: &Movement| movement.bond_after - movement.bond_before;
        let count = movements.len();
        assert_eq!((told.assessed_count, told.total_count), (count as i64, count as i64));
        for bin in &told.movements {
            let within = movements.iter().filter(|one| (bin.low..bin.high).contains(&moved(one)));
            assert_eq!(bin.account_count, within.count() as i64, "{bin:?}");
        }
        assert_eq!(told.movements.iter().map(|bin| bin.account_count).sum::<i64>(), count as i64);
        let mean = |of: &dyn Fn(&Movement) -> f64| movements.iter().map(of).sum::<f64>() / count as f64;
        assert!((told.mean_movement - mean(&moved)).abs() < 1e-9);
        assert!((told.mean_absolute_movement - mean(&|one| moved(one).abs())).abs() < 1e-9);
        assert!(told.mean_absolute_movement > 0.1 || told.stage_change_count > 10, "it is another model");
        let mut stages: BTreeMap<i32, [i64; 2]> = BTreeMap::new();
        for movement in &movements {
            stages.entry(movement.stage_before).or_default()[0] += 1;
            stages.entry(movement.stage_after).or_default()[1] += 1;
        }
        for (before, after) in told.stages_before.iter().zip(&told.stages_after) {
            let expected = stages.get(&before.stage).copied().unwrap_or_default();
            assert_eq!((before.stage, [before.account_count, after.account_count]), (after.stage, expected));
        }
        let changes = movements.iter().filter(|one| one.stage_before != one.stage_after).count();
        assert_eq!(told.stage_change_count, changes as i64);
        movements.sort_by(|one, other| {
            moved(other).abs().total_cmp(&moved(one).abs()).then_with(|| one.account.cmp(&other.account))
        });
        movements.retain(|one| moved(one) != 0.0 || one.stage_before != one.stage_after);
        assert_eq!(told.top_movements, movements[..20]);
    }
}

#[tokio::test]
async fn a_trial_may_be_given_up_at_any_time() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.assess("acme").await;
    for _ in 0..20 {
        let request = TryModelRequest { document: other("same-1", &[]), ..TryModelRequest::default() };
        let mut request = Request::new(request);
        request.metadata_mut().insert("rapport-tenant", story.tenant.parse().unwrap());
        let answers = story.client().try_model(request).await.unwrap();
        drop(answers);
    }
    let last =
        story.try_model(TryModelRequest { name: "models/default".to_owned(), ..Default::default() }).await.unwrap();
    assert_eq!(last.last().unwrap().assessed_count, 1);
}
