//! `GetAssessment` at 64 calls in flight against the echo, and over a long history against a short one.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use contracts::assessments::v1::{
    BatchGetAssessmentsRequest, GetAssessmentRequest, GetAssessmentResponse, ListTimelineRequest,
    assessments_service_client::AssessmentsServiceClient,
};
use prost::Message as _;
use runtime::Peer;
use tests::{Suite, ask};
use tokio::runtime::Runtime;

use crate::{accounts, cpu_micros, echo, filling, import, median, report, rounds};

pub(crate) const IN_FLIGHT: usize = 64;
/// Over how many connections the calls go by turns: one, which each server reads by one task, and some.
const CONNECTIONS: [usize; 2] = [1, 4];
const CALLS: usize = 20_000;
const LONG: usize = 10_000;
const SHORT: usize = 10;
/// Just more than a page of the timeline.
const MIDDLE: usize = 60;
/// How many assessments are asked for at once where only their making is to be measured.
const BATCH: usize = 500;
const BATCHES: usize = 100;

type Client = AssessmentsServiceClient<Peer>;

/// What a run of calls took.
pub(crate) struct Took {
    /// Calls in a second.
    pub(crate) rate: f64,
    /// The 99th percentile of the latency, in microseconds.
    tail: f64,
    /// CPU time of a call, client and server together, in microseconds.
    cpu: f64,
}

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let suite = Suite::start().await;
        let names: Arc<Vec<String>> = Arc::new((0..accounts()).map(import::account).collect());
        filling::accounts(&suite, &names, 2).await;
        for (account, length) in [("long", LONG), ("short", SHORT), ("middle", MIDDLE)] {
            filling::history(&suite, account, length).await;
        }
        let ours = suite.assessments();
        let answer = get(ours.clone(), &names[0]).await;
        let address = echo::start(answer.clone()).await;
        let echo = || {
            let peer = runtime::peer(&format!("http://{address}"), None).unwrap();
            AssessmentsServiceClient::new(peer)
        };

        let mut making = Vec::new();
        for connections in CONNECTIONS {
            let ours: Vec<Client> = (0..connections).map(|_| suite.assessments()).collect();
            let echo: Vec<Client> = (0..connections).map(|_| echo()).collect();
            calls(&ours, &names).await;
            calls(&echo, &names).await;
            let (mut rates, mut tails, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds() {
                let took = calls(&ours, &names).await;
                let echoed = calls(&echo, &names).await;
                rates.push((took.rate, echoed.rate));
                tails.push((took.tail, echoed.tail));
                cpu.push((took.cpu, echoed.cpu));
                if connections == 1 {
                    making.push((making_one(&ours[0], &names, &answer).await, echoed.cpu));
                }
            }
            let what = format!("GetAssessment, {IN_FLIGHT} in flight, an echo, connections: {connections}");
            report(&what, "calls/s", &rates, ">= 0.8");
            report("  99th percentile", "us", &tails, "<= 1.5");
            report("  CPU of a call, both ends", "us", &cpu, "-");
        }
        report("to read, assess and encode against an echo's CPU", "us", &making, "<= 0.3");

        let (mut flat, mut timeline) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            flat.push((one_by_one(&ours, "long").await, one_by_one(&ours, "short").await));
            timeline.push((page_by_page(&ours, "long").await, page_by_page(&ours, "middle").await));
        }
        report("GetAssessment after 10,000 events against 10", "us", &flat, "<= 1.1");
        report("a page of 50 of a timeline of 10,000 against 60", "us", &timeline, "~1");
    });
}

pub(crate) async fn get(mut client: Client, account: &str) -> GetAssessmentResponse {
    let request = GetAssessmentRequest { name: name(account), ..Default::default() };
    client.get_assessment(ask(request)).await.unwrap().into_inner()
}

fn name(account: &str) -> String {
    format!("accounts/{account}/assessment")
}

/// Makes all calls.
pub(crate) async fn calls(clients: &[Client], names: &Arc<Vec<String>>) -> Took {
    let next = Arc::new(AtomicUsize::new(0));
    let (start, cpu) = (Instant::now(), cpu_micros());
    let callers: Vec<_> = (0..IN_FLIGHT)
        .map(|caller| {
            let client = clients[caller % clients.len()].clone();
            let (names, next) = (names.clone(), next.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= CALLS {
                        return latencies;
                    }
                    let began = Instant::now();
                    // A step that is coprime to most sizes visits the accounts in no order the database likes.
                    get(client.clone(), &names[call * 7_919 % names.len()]).await;
                    latencies.push(began.elapsed().as_secs_f64() * 1e6);
                }
            })
        })
        .collect();
    let mut latencies = Vec::with_capacity(CALLS);
    for caller in callers {
        latencies.extend(caller.await.unwrap());
    }
    let rate = CALLS as f64 / start.elapsed().as_secs_f64();
    let cpu = (cpu_micros() - cpu) / CALLS as f64;
    latencies.sort_by(f64::total_cmp);
    Took { rate, tail: latencies[CALLS * 99 / 100], cpu }
}

/// The CPU time of making one assessment, in microseconds: of one in a large batch, less what the client takes to read it.
/// What the transport takes for its bytes is still in it.
async fn making_one(client: &Client, names: &[String], answer: &GetAssessmentResponse) -> f64 {
    let cpu = cpu_micros();
    for batch in 0..BATCHES {
        let names = (0..BATCH).map(|index| name(&names[(batch * BATCH + index) * 7_919 % names.len()]));
        let request = BatchGetAssessmentsRequest { names: names.collect(), ..Default::default() };
        black_box(client.clone().batch_get_assessments(ask(request)).await.unwrap());
    }
    let batches = cpu_micros() - cpu;
    let bytes = answer.encode_to_vec();
    let cpu = cpu_micros();
    for _ in 0..BATCHES * BATCH {
        black_box(GetAssessmentResponse::decode(black_box(bytes.as_slice())).unwrap());
    }
    (batches - (cpu_micros() - cpu)) / (BATCHES * BATCH) as f64
}

async fn one_by_one(client: &Client, account: &str) -> f64 {
    let mut latencies = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        get(client.clone(), account).await;
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(latencies.into_iter())
}

/// The first page and the next one, in turn: a page in the middle of a history must not cost more.
async fn page_by_page(client: &Client, account: &str) -> f64 {
    let mut latencies = Vec::new();
    let mut page_token = String::new();
    for _ in 0..200 {
        let request = ListTimelineRequest {
            parent: format!("accounts/{account}"),
            page_size: 50,
            page_token,
            ..Default::default()
        };
        let began = Instant::now();
        let page = client.clone().list_timeline(ask(request)).await.unwrap().into_inner();
        let took = began.elapsed().as_secs_f64() * 1e6;
        // Only full pages are compared.
        if page.entries.len() == 50 {
            latencies.push(took);
        }
        page_token = page.next_page_token;
    }
    median(latencies.into_iter())
}
