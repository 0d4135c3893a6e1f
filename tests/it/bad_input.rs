//! Bad input: every method of every service is called with requests that are good but for what was done to them. Fields
//! are left out, wrong, extreme, repeated, of another type, one at a time and two at a time, and some requests are no
//! protobuf at all. The requests follow from the descriptors, so a new method or field needs nothing here, unless its good
//! value does not follow from its name.
//!
//! Each is answered with a code and a reason of the registry, blaming fields that there are, and never with INTERNAL; what
//! was refused is not there; and afterwards everything works as before.
//!
//! `RAPPORT_BAD_INPUT_ROUNDS` says how many requests are tried: 1 if unset, which takes seconds. The choice among them
//! comes from a seed, which `RAPPORT_BAD_INPUT_SEED` sets:
//!
//! ```console
//! $ RAPPORT_BAD_INPUT_ROUNDS=20 RAPPORT_BAD_INPUT_SEED=7 cargo test -p tests bad_input
//! ```

mod call;
mod contract;
mod good;
mod judge;
mod spoil;

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    assessments::v1::{GetPortfolioRequest, VerifyLedgersRequest, VerifyLedgersResponse},
    common::v1::FreshnessToken,
    feedback::v1::{PlanImprovementRequest, ShipImprovementRequest},
    predictions::v1::{FitPortfolioRequest, FitState},
};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, ServiceDescriptor, Value};
use runtime::Peer;
use tests::{Suite, ask};
use tokio::task::JoinSet;

use self::{
    call::call,
    contract::CONTRACT,
    good::{ACCOUNT, Good, SEED},
    judge::{Answer, feed, list, problem, text},
    spoil::Spoil,
};
use crate::crash::chance::Chance;

/// Of a method's many requests with one thing wrong, so many are tried in each round, and all that lack something.
const SINGLES: usize = 36;
/// How many requests with two things wrong are tried in each round.
const PAIRS: usize = 8;
/// How many calls are made at once.
const AT_ONCE: usize = 64;

/// A request and what was done to it.
#[derive(Clone)]
struct Case {
    method: MethodDescriptor,
    /// Ends the name of what it creates or changes.
    id: String,
    spoils: Vec<Spoil>,
    messages: Vec<Vec<u8>>,
}

/// What a service has, by name.
type Resources = BTreeMap<String, DynamicMessage>;

/// A call of a method with the messages sent to it.
type Call = (MethodDescriptor, Vec<Vec<u8>>);

impl Case {
    fn new(method: &MethodDescriptor, id: String, good: &DynamicMessage, spoils: Vec<Spoil>) -> Self {
        let mut request = good.clone();
        spoils.iter().for_each(|spoil| spoil.apply(&mut request));
        let mut messages = vec![request.encode_to_vec()];
        spoils.iter().for_each(|spoil| spoil.apply_to(&mut messages));
        Self { method: method.clone(), id, spoils, messages }
    }

    /// Whether it has to be refused. Two spoils may undo each other.
    fn must_be_refused(&self) -> bool {
        matches!(self.spoils.as_slice(), [only] if only.is_fatal)
    }

    /// The resources that it is about.
    fn subjects(&self) -> Vec<String> {
        let method = &self.method;
        let created = if good::is_create(method) { good::created(method, &self.id) } else { None };
        let changed = good::changes_what_it_names(method).then(|| good::target(method)).flatten();
        created.into_iter().chain(changed.map(|pattern| good::name_of(&pattern, &self.id))).collect()
    }

    fn told(&self) -> String {
        let spoils: Vec<String> = self.spoils.iter().map(Spoil::to_string).collect();
        format!("{} {} ({})", self.method.name(), spoils.join(" and "), self.id)
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn rounds() -> usize {
    number("RAPPORT_BAD_INPUT_ROUNDS").unwrap_or(1) as usize
}

/// The requests to try a method with.
fn cases(method: &MethodDescriptor, good: &Good, chance: &mut Chance) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let id = |count: usize| format!("{}-{count}", method.name().to_lowercase());
    let (missing, mut others): (Vec<Spoil>, Vec<Spoil>) =
        spoil::all(method, &good.request(method, "any")).into_iter().partition(Spoil::is_missing);
    let mut chosen: Vec<Vec<Spoil>> = missing.iter().map(|spoil| vec![spoil.clone()]).collect();
    for _ in 0..SINGLES * rounds() {
        if !others.is_empty() {
            let at = chance.below(others.len() as u64) as usize;
            chosen.push(vec![others.swap_remove(at)]);
        }
    }
    let all: Vec<Spoil> = chosen.iter().flatten().cloned().collect();
    for _ in 0..PAIRS * rounds() {
        let [one, other] = [0, 1].map(|_| all[chance.below(all.len() as u64) as usize].clone());
        if one.goes_with(&other) {
            chosen.push(vec![one, other]);
        }
    }
    for spoils in chosen {
        let id = id(cases.len());
        cases.push(Case::new(method, id.clone(), &good.request(method, &id), spoils));
    }
    cases
}

/// A call with one request.
fn one(method: &MethodDescriptor, request: DynamicMessage) -> Call {
    (method.clone(), vec![request.encode_to_vec()])
}

/// Makes many calls, several at once; the answers in the order of the calls.
async fn all(peer: &Peer, calls: Vec<Call>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(calls.len());
    for calls in calls.chunks(AT_ONCE) {
        let mut running = JoinSet::new();
        for (at, (method, messages)) in calls.iter().cloned().enumerate() {
            let peer = peer.clone();
            running.spawn(async move { (at, call(&peer, &method, messages).await) });
        }
        let mut told = running.join_all().await;
        told.sort_by_key(|(at, _)| *at);
        answers.extend(told.into_iter().map(|(_, answer)| answer));
    }
    answers
}

/// Puts in place what there is to read, and names it.
async fn prepare(suite: &Suite) -> Vec<String> {
    let peer = suite.peer();
    let mut good = Good { tokens: Vec::new() };
    let (imported, others): (Vec<_>, Vec<_>) =
        CONTRACT.pool.services().partition(|service| good::import_of(service).is_some());
    for import in imported.iter().filter_map(good::import_of) {
        for id in [ACCOUNT, SEED] {
            let answers = call(&peer, &import, vec![good.request(&import, id).encode_to_vec()]).await.unwrap();
            assert!(list(&answers[0], "refusals").is_empty(), "{}", answers[0]);
            good.tokens.extend(answers.iter().map(token));
        }
    }
    heard(suite, &good.tokens).await;
    for create in others.iter().flat_map(|service| service.methods().filter(good::is_create).collect::<Vec<_>>()) {
        call(&peer, &create, vec![good.request(&create, SEED).encode_to_vec()]).await.unwrap();
    }
    fitted(suite).await;
    good.tokens.extend(shipped(suite).await);
    good.tokens
}

/// Has a fit made, so that there is one to read.
async fn fitted(suite: &Suite) {
    let asked = FitPortfolioRequest { horizon_days: 28, ..FitPortfolioRequest::default() };
    let begun = suite.predictions().fit_portfolio(ask(asked)).await.unwrap().into_inner().fit.unwrap();
    let fit = tests::ended(suite, &begun.name).await;
    assert_eq!(fit.state(), FitState::Succeeded, "{}", fit.status);
}

/// Ships the improvement that is only read, so that its effect can be asked for. Returns what names that.
async fn shipped(suite: &Suite) -> Option<String> {
    let name = format!("improvements/{SEED}");
    let plan = PlanImprovementRequest { name: name.clone(), ..Default::default() };
    suite.feedback().plan_improvement(ask(plan)).await.unwrap();
    let ship = ShipImprovementRequest { name, ..Default::default() };
    let shipped = suite.feedback().ship_improvement(ask(ship)).await.unwrap().into_inner();
    shipped.freshness.map(|token| token.value)
}

/// Waits until the aggregator has heard of all this.
async fn heard(suite: &Suite, tokens: &[String]) {
    let at_least_as_fresh = tokens.iter().map(|value| FreshnessToken { value: value.clone() }).collect();
    suite
        .assessments()
        .get_portfolio(ask(GetPortfolioRequest { at_least_as_fresh, ..Default::default() }))
        .await
        .unwrap();
}

fn token(answer: &DynamicMessage) -> String {
    answer.get_field_by_name("freshness").map_or(String::new(), |token| text(token.as_message().unwrap(), "value"))
}

/// Puts in place what the requests of a method change.
async fn make_ready(peer: &Peer, good: &Good, method: &MethodDescriptor, ids: &[String]) {
    let service = method.parent_service();
    if method.name().starts_with("Undo") {
        let import = good::import_of(service).unwrap();
        let calls = ids.iter().map(|id| one(&import, good.request(&import, id)));
        all(peer, calls.collect()).await;
        return;
    }
    if !good::changes_what_it_names(method) {
        return;
    }
    let mut steps: Vec<Vec<Call>> = Vec::new();
    match good::import_of(service) {
        Some(import) => {
            let calls = ids.chunks(500).map(|ids| one(&import, good::rows_before(method, &import, ids))).collect();
            for answer in all(peer, calls).await {
                let refused = answer.unwrap().iter().flat_map(|answer| list(answer, "refusals")).next();
                assert!(refused.is_none(), "{}: {}", method.name(), refused.unwrap());
            }
        }
        None => {
            let kind = good::target(method).unwrap();
            let create = service.methods().filter(good::is_create);
            let create =
                create.into_iter().find(|create| create.input().get_field_by_name(good::placeholder(&kind)).is_some());
            let create = create.unwrap_or_else(|| panic!("nothing makes what {} changes", method.name()));
            steps.push(ids.iter().map(|id| one(&create, good.request(&create, id))).collect());
        }
    }
    for step in good::steps(method) {
        steps.push(ids.iter().map(|id| one(&step, good.request(&step, id))).collect());
    }
    for calls in steps {
        for answer in all(peer, calls).await {
            answer.unwrap();
        }
    }
}

/// Everything that the service has, as its feed tells of it or, where it has none, as it is listed.
async fn snapshot(peer: &Peer, service: &ServiceDescriptor) -> Resources {
    if good::import_of(service).is_none() {
        return listed(peer, service).await.0;
    }
    let watch = service.methods().find(|method| method.name().starts_with("Watch")).unwrap();
    feed(peer, &watch).await
}

async fn story(service: &str) {
    let seed = number("RAPPORT_BAD_INPUT_SEED").unwrap_or(1);
    eprintln!("RAPPORT_BAD_INPUT_SEED={seed} RAPPORT_BAD_INPUT_ROUNDS={}", rounds());
    let mut chance = Chance::of(seed);
    let service = CONTRACT.pool.services().find(|known| known.name() == service).unwrap();
    let suite = Suite::start().await;
    let peer = suite.peer();
    let good = Good { tokens: prepare(&suite).await };

    let mut cases_of = Vec::new();
    for method in service.methods() {
        let cases = cases(&method, &good, &mut chance);
        let mut ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
        ids.push(last_id(&method));
        make_ready(&peer, &good, &method, &ids).await;
        cases_of.extend(cases);
    }

    let before = snapshot(&peer, &service).await;
    let calls = cases_of.iter().map(|case| (case.method.clone(), case.messages.clone())).collect();
    let answers = all(&peer, calls).await;
    let mut problems: Vec<String> = cases_of
        .iter()
        .zip(&answers)
        .filter_map(|(case, answer)| {
            let problem = problem(&case.method, answer, case.must_be_refused())?;
            Some(format!("{} {problem}", case.told()))
        })
        .collect();
    let after = snapshot(&peer, &service).await;
    problems.extend(half_written(&cases_of, &answers, &before, &after));
    let (as_listed, _) = listed(&peer, &service).await;
    problems.extend(differing(&as_listed, &after).map(|name| format!("{name} is listed otherwise than it is told")));
    problems.extend(refused_though_good(&peer, &service, &good).await);

    let count = cases_of.len();
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    eprintln!("{count} requests to {}: {refused} refused", service.name());
    assert!(problems.is_empty(), "{} of {count}:\n{}", problems.len(), problems.join("\n"));
    let (_, mut tokens) = listed(&peer, &service).await;
    tokens.extend(good.tokens);
    assert_ledgers_are_clean(&suite, &tokens).await;
}

/// What was changed though it was refused, and what is there though nobody was told so.
fn half_written(cases: &[Case], answers: &[Answer], before: &Resources, after: &Resources) -> Vec<String> {
    let changed: BTreeSet<&str> = differing(before, after).collect();
    let mut problems = Vec::new();
    let mut made: BTreeSet<String> = before.keys().cloned().collect();
    for (case, answer) in cases.iter().zip(answers) {
        match answer {
            Ok(answers) => made.extend(answers.iter().flat_map(names).chain(imported(case, answers))),
            Err(_) => {
                let changed = case.subjects().into_iter().filter(|name| changed.contains(name.as_str()));
                problems.extend(changed.map(|name| format!("{} was refused and yet changed {name}", case.told())));
            }
        }
    }
    problems.extend(after.keys().filter(|name| !made.contains(*name)).map(|name| format!("nobody made {name}")));
    problems
}

/// The names of the resources that differ. They are compared as they are encoded, since no NaN equals itself.
fn differing<'a>(some: &'a Resources, others: &'a Resources) -> impl Iterator<Item = &'a str> {
    let encoded = |resource: Option<&DynamicMessage>| resource.map(DynamicMessage::encode_to_vec);
    let names: BTreeSet<&String> = some.keys().chain(others.keys()).collect();
    names.into_iter().filter(move |name| encoded(some.get(*name)) != encoded(others.get(*name))).map(String::as_str)
}

/// Methods that even a good call of may be refused: of fits, a tenant has one at a time in the making, and one that has ended
/// is not broken off.
const MAY_BE_REFUSED: [&str; 2] = ["FitPortfolio", "CancelFit"];

/// Makes a good call of every method, and tells what is refused.
async fn refused_though_good(peer: &Peer, service: &ServiceDescriptor, good: &Good) -> Vec<String> {
    let calls: Vec<Call> =
        service.methods().map(|method| one(&method, good.request(&method, &last_id(&method)))).collect();
    let mut problems = Vec::new();
    for ((method, _), answer) in calls.iter().zip(all(peer, calls.clone()).await) {
        match answer {
            Ok(answers) => {
                let rows = answers.iter().flat_map(|answer| list(answer, "refusals"));
                problems.extend(rows.map(|row| format!("a good row of {} is refused: {row}", method.name())));
            }
            Err(_) if MAY_BE_REFUSED.contains(&method.name()) => {}
            Err(status) => problems.push(format!("a good {} is refused: {status:?}", method.name())),
        }
    }
    problems
}

fn last_id(method: &MethodDescriptor) -> String {
    format!("{}-last", method.name().to_lowercase())
}

/// The names of all resources in an answer.
fn names(answer: &DynamicMessage) -> Vec<String> {
    let named = answer.fields().filter_map(|(_, value)| value.as_message().map(|inner| text(inner, "name")));
    named.filter(|name| !name.is_empty()).collect()
}

/// The names of the rows of an import that were not refused.
fn imported(case: &Case, answers: &[DynamicMessage]) -> Vec<String> {
    if !good::is_import(&case.method) {
        return Vec::new();
    }
    let refused: Vec<String> =
        answers.iter().flat_map(|answer| list(answer, "refusals")).map(|refusal| text(&refusal, "name")).collect();
    let read = |message: &Vec<u8>| DynamicMessage::decode(case.method.input(), message.as_slice()).unwrap();
    let rows = case.messages.iter().flat_map(|message| list(&read(message), "rows"));
    rows.flat_map(|row| names(&row)).filter(|name| !refused.contains(name)).collect()
}

/// Everything that the service lists, deleted or not, and what names all that was written.
async fn listed(peer: &Peer, service: &ServiceDescriptor) -> (Resources, Vec<String>) {
    let (mut listed, mut tokens) = (Resources::new(), Vec::new());
    let parent = if good::import_of(service).is_some() { "accounts/-" } else { "accounts/acme" };
    for method in service.methods().filter(|method| method.name().starts_with("List")) {
        let lists = method.output().fields().find(|field| field.is_list()).unwrap();
        // What nobody creates, such as an assessment, is not the service's own.
        if !service.methods().any(|create| good::creates(&create, &lists)) {
            continue;
        }
        let mut page_token = String::new();
        loop {
            let mut request = DynamicMessage::new(method.input());
            request.set_field_by_name("page_size", Value::I32(1_000));
            if method.input().get_field_by_name("show_deleted").is_some() {
                request.set_field_by_name("show_deleted", Value::Bool(true));
            }
            request.set_field_by_name("page_token", Value::String(page_token));
            if method.input().get_field_by_name("parent").is_some() {
                request.set_field_by_name("parent", Value::String(parent.to_owned()));
            }
            let answers = call(peer, &method, vec![request.encode_to_vec()]).await.unwrap();
            for resource in list(&answers[0], lists.name()) {
                let twice = listed.insert(text(&resource, "name"), resource);
                assert!(twice.is_none(), "listed twice: {}", twice.unwrap());
            }
            page_token = text(&answers[0], "next_page_token");
            if page_token.is_empty() {
                tokens.extend(answers.iter().map(token));
                break;
            }
        }
    }
    (listed, tokens)
}

async fn assert_ledgers_are_clean(suite: &Suite, tokens: &[String]) {
    heard(suite, tokens).await;
    let mut answers =
        suite.assessments().verify_ledgers(ask(VerifyLedgersRequest::default())).await.unwrap().into_inner();
    let mut last = VerifyLedgersResponse::default();
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.differing_accounts, Vec::<String>::new());
        last = answer;
    }
    assert_eq!(last.verified_count, last.total_count);
    assert!(last.total_count > 0);
}

/// A story for each service of the contract.
macro_rules! stories {
    ($($story:ident of $service:literal),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                story($service).await;
            }
        )+

        #[test]
        fn every_service_is_told_of() {
            let mut known: Vec<String> =
                CONTRACT.pool.services().map(|service| service.name().to_owned()).collect();
            known.sort();
            assert_eq!(known, [$($service),+]);
        }
    };
}
stories! {
    accounts_answers_bad_input of "AccountsService",
    assessments_answers_bad_input of "AssessmentsService",
    feedback_answers_bad_input of "FeedbackService",
    interactions_answers_bad_input of "InteractionsService",
    orders_answers_bad_input of "OrdersService",
    predictions_answers_bad_input of "PredictionsService",
    voice_answers_bad_input of "VoiceService",
}
