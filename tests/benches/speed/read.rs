//! `GetAssessment` at 64 calls in flight against the echo, and over a long history against a short one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use contracts::assessments::v1::{
    GetAssessmentRequest, GetAssessmentResponse, assessments_service_client::AssessmentsServiceClient,
};
use runtime::Peer;
use tests::{Suite, ask};
use tokio::runtime::Runtime;

use crate::{accounts, echo, import, median, report, rounds};

const IN_FLIGHT: usize = 64;
const CALLS: usize = 20_000;
const LONG: usize = 10_000;
const SHORT: usize = 10;

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let suite = Suite::start().await;
        import::fill(&suite, accounts(), 2).await;
        import::history(&suite, "long", LONG).await;
        import::history(&suite, "short", SHORT).await;
        let ours = suite.assessments();
        let names: Arc<Vec<String>> = Arc::new((0..accounts()).map(import::account).collect());
        let answer = get(ours.clone(), &names[0]).await;
        let address = echo::start(answer).await;
        let peer = runtime::peer(&format!("http://{address}"), None).unwrap();
        let echo = AssessmentsServiceClient::new(peer);

        calls(&ours, &names).await;
        calls(&echo, &names).await;
        let (mut rates, mut tails) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (rate, tail) = calls(&ours, &names).await;
            let (echo_rate, echo_tail) = calls(&echo, &names).await;
            rates.push((rate, echo_rate));
            tails.push((tail, echo_tail));
        }
        report("GetAssessment, 64 in flight, against an echo", "calls/s", &rates, ">= 0.8");
        report("  99th percentile", "us", &tails, "<= 1.5");

        let mut flat = Vec::new();
        for _ in 0..rounds() {
            flat.push((one_by_one(&ours, "long").await, one_by_one(&ours, "short").await));
        }
        report("GetAssessment after 10,000 events against 10", "us", &flat, "<= 1.1");
    });
}

async fn get(mut client: AssessmentsServiceClient<Peer>, account: &str) -> GetAssessmentResponse {
    let request = GetAssessmentRequest { name: format!("accounts/{account}/assessment"), ..Default::default() };
    client.get_assessment(ask(request)).await.unwrap().into_inner()
}

/// Makes all calls and returns their rate, and the 99th percentile of their latency in microseconds.
async fn calls(client: &AssessmentsServiceClient<Peer>, names: &Arc<Vec<String>>) -> (f64, f64) {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let callers: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (client, names, next) = (client.clone(), names.clone(), next.clone());
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
    latencies.sort_by(f64::total_cmp);
    (rate, latencies[CALLS * 99 / 100])
}

async fn one_by_one(client: &AssessmentsServiceClient<Peer>, account: &str) -> f64 {
    let mut latencies = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        get(client.clone(), account).await;
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(latencies.into_iter())
}
