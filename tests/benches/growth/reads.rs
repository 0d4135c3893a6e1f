//! What a read costs: an assessment at hand and not, lists, the portfolio; and a fit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use contracts::{
    assessments::v1::{
        GetAssessmentRequest, GetPortfolioRequest, assessments_service_client::AssessmentsServiceClient,
    },
    predictions::v1::{FitPortfolioRequest, FitState, GetFitRequest},
};
use runtime::Peer;
use tests::{
    TENANT, ask, ask_for,
    benchmark::{median, pages},
    bulk::account,
    chance::Chance,
};

use crate::{
    cell::{Cell, Spent},
    table::Table,
};

const CALLS: usize = 10_000;
const IN_FLIGHT: usize = 64;
const CONNECTIONS: usize = 4;
/// So few accounts that they stay at hand.
const AT_HAND: usize = 2_000;
const PAGES: usize = 100;
const PORTFOLIOS: usize = 20;
/// The name of a list, its order and its filter.
const LISTS: [(&str, &str, &str); 3] =
    [("by account", "", ""), ("by bond, largest first", "bond desc", ""), ("filtered", "gap", "bond < 50")];

/// Assessments that are at hand.
pub(crate) async fn at_hand(cell: &mut Cell, size: usize, chance: &mut Chance, table: &mut Table) {
    let accounts: Vec<usize> = cell.some(AT_HAND, chance);
    calls(cell, &accounts, accounts.len()).await;
    let spent = calls(cell, &accounts, CALLS).await;
    report("GetAssessment at hand", size, spent, table);
}

/// Assessments of an aggregator that keeps nothing at hand.
pub(crate) async fn from_database(cell: &mut Cell, size: usize, chance: &mut Chance, table: &mut Table) {
    let accounts: Vec<usize> = cell.some(CALLS, chance);
    let spent = calls(cell, &accounts, CALLS).await;
    report("GetAssessment from the database", size, spent, table);
}

fn report(what: &str, size: usize, spent: Spent, table: &mut Table) {
    let micros = |seconds: f64| seconds * 1e6 / CALLS as f64;
    table.add(size, &format!("{what}, aggregator, us/call"), micros(spent.aggregator));
    if spent.servers > 0.0 {
        table.add(size, &format!("{what}, database server, us/call"), micros(spent.servers));
    }
    table.add(size, &format!("{what}, calls/s"), CALLS as f64 / spent.elapsed);
}

async fn calls(cell: &Cell, accounts: &[usize], count: usize) -> Spent {
    let names: Arc<Vec<String>> = Arc::new(accounts.iter().map(|number| name(&account(*number))).collect());
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| cell.assessments()).collect();
    for client in &clients {
        get(client.clone(), &names[0]).await;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let work = async {
        let callers: Vec<_> = (0..IN_FLIGHT)
            .map(|caller| {
                let (client, names, next) = (clients[caller % CONNECTIONS].clone(), names.clone(), next.clone());
                tokio::spawn(async move {
                    loop {
                        let call = next.fetch_add(1, Ordering::Relaxed);
                        if call >= count {
                            return;
                        }
                        get(client.clone(), &names[call % names.len()]).await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    };
    cell.measure(work).await.0
}

pub(crate) fn name(account: &str) -> String {
    format!("accounts/{account}/assessment")
}

pub(crate) async fn get(mut client: AssessmentsServiceClient<Peer>, name: &str) {
    let request = GetAssessmentRequest { name: name.to_owned(), ..Default::default() };
    client.get_assessment(ask(request)).await.unwrap();
}

/// Pages of lists that follow each other, and the shape of the portfolio.
pub(crate) async fn lists(cell: &Cell, size: usize, round: usize, table: &mut Table) {
    for (what, order_by, filter) in LISTS {
        let first = pages(cell.assessments(), TENANT, order_by, filter, 1).await;
        // It loads what the others read.
        if round == 0 && !order_by.is_empty() {
            table.add(size, &format!("the first page of 50 {what}, us"), first);
        }
        let (spent, latency) = cell.measure(pages(cell.assessments(), TENANT, order_by, filter, PAGES)).await;
        table.add(size, &format!("a page of 50 {what}, CPU, us"), spent.cpu() * 1e6 / PAGES as f64);
        table.add(size, &format!("a page of 50 {what}, us"), latency);
    }
    portfolios(cell, 1).await;
    let (spent, latency) = cell.measure(portfolios(cell, PORTFOLIOS)).await;
    table.add(size, "GetPortfolio, CPU, us", spent.cpu() * 1e6 / PORTFOLIOS as f64);
    table.add(size, "GetPortfolio, us", latency);
}

async fn portfolios(cell: &Cell, count: usize) -> f64 {
    let mut client = cell.assessments();
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        client.get_portfolio(ask_for(120, GetPortfolioRequest::default())).await.unwrap();
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
    }
    median(latencies.into_iter())
}

/// A fit to all accounts.
pub(crate) async fn fit(cell: &Cell, size: usize, table: &mut Table) {
    let mut client = cell.predictions();
    let work = async {
        let begun = client.fit_portfolio(ask(FitPortfolioRequest::default())).await.unwrap().into_inner().fit.unwrap();
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let request = GetFitRequest { name: begun.name.clone() };
            let fit = client.get_fit(ask(request)).await.unwrap().into_inner().fit.unwrap();
            match fit.state() {
                FitState::Pending | FitState::Running => {}
                FitState::Succeeded => return fit,
                _ => panic!("the fit failed: {}", fit.status),
            }
        }
    };
    let (spent, fit) = cell.measure(work).await;
    let accounts = fit.account_count as f64;
    table.add(size, "FitPortfolio, s", spent.elapsed);
    table.add(size, "FitPortfolio, CPU, us/account", spent.cpu() * 1e6 / accounts);
}
