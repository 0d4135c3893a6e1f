//! A page of a list and the shape of a portfolio at many accounts against a thousand: the same calls, by turns.
//!
//! Accounts beyond the first are written straight into the aggregator's database, each with figures of its own: lists are
//! measured here, not imports. `RAPPORT_BENCH_LISTED` says how many (default 100,000).

use std::time::Instant;

use contracts::assessments::v1::{GetPortfolioRequest, ListAssessmentsRequest};
use rusqlite::{Connection, params};
use tests::{Suite, TENANT, ask_as};
use tokio::runtime::Runtime;

use crate::{filling, import, median, report, rounds, setting};

const FEW: usize = 1_000;
const PAGES: usize = 20;

/// The name of a measure, the order and the filter.
const LISTS: [(&str, &str, &str); 4] = [
    ("by account", "", ""),
    ("by bond, largest first", "bond desc", ""),
    ("by a facet's velocity", "customer_trust_velocity", ""),
    ("one in ten, by gap", "gap", "bond < 10"),
];

pub(crate) fn run(runtime: &Runtime) {
    let many = setting("RAPPORT_BENCH_LISTED", 100_000);
    runtime.block_on(async {
        let suite = Suite::start().await;
        filling::accounts(&suite, &[import::account(0)], 20).await;
        let database = suite.context.settings.data_dir.join("aggregator.db");
        tokio::task::spawn_blocking(move || {
            let connection = Connection::open(database).unwrap();
            for (tenant, count) in [("few", FEW), ("many", many)] {
                multiply(&connection, tenant, count);
            }
        })
        .await
        .unwrap();

        for (name, order_by, filter) in LISTS {
            let first = Instant::now();
            pages(&suite, "many", order_by, filter, 1).await;
            let first = first.elapsed().as_secs_f64() * 1e3;
            pages(&suite, "few", order_by, filter, 1).await;
            let mut pairs = Vec::new();
            for _ in 0..rounds() {
                pairs.push((
                    pages(&suite, "many", order_by, filter, PAGES).await,
                    pages(&suite, "few", order_by, filter, PAGES).await,
                ));
            }
            report(&format!("a page of 50 of {many}, {name}, against {FEW}"), "us", &pairs, "-");
            println!("  the first of all, which loads what it needs: {first:.0} ms");
        }
        let mut pairs = Vec::new();
        for round in 0..=rounds() {
            let pair = (portfolio(&suite, "many").await, portfolio(&suite, "few").await);
            // The first loads what the others read.
            if round > 0 {
                pairs.push(pair);
            }
        }
        report(&format!("the shape of a portfolio of {many} against {FEW}"), "us", &pairs, "-");
    });
}

/// Copies the ledger and the standing of the one account to so many of another tenant, with other figures each.
fn multiply(connection: &Connection, tenant: &str, count: usize) {
    for table in ["ledgers", "standings"] {
        let mut columns = connection.prepare(&format!("select name, type from pragma_table_info('{table}')")).unwrap();
        let columns = columns.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
        let values: Vec<String> = columns
            .map(|column| match column.unwrap() {
                (name, _) if name == "tenant" => "?1".to_owned(),
                (name, _) if name == "account" => "printf('a%08d', number)".to_owned(),
                (_, kind) if kind.eq_ignore_ascii_case("double precision") => {
                    "abs(random() % 1000000) / 10000.0".to_owned()
                }
                (name, _) => name,
            })
            .collect();
        let text = format!(
            "with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < ?2)
             insert into {table} select {} from numbers, {table} where tenant = ?3",
            values.join(", ")
        );
        connection.execute(&text, params![tenant, count as i64, TENANT]).unwrap();
    }
}

/// The median time of a page, in microseconds, over so many that follow each other, from the beginning again at the end.
async fn pages(suite: &Suite, tenant: &str, order_by: &str, filter: &str, count: usize) -> f64 {
    let mut client = suite.assessments();
    let mut latencies = Vec::with_capacity(count);
    let mut page_token = String::new();
    for _ in 0..count {
        let request = ListAssessmentsRequest {
            order_by: order_by.to_owned(),
            filter: filter.to_owned(),
            page_size: 50,
            page_token,
            ..Default::default()
        };
        let began = Instant::now();
        let page = client.list_assessments(ask_as(tenant, request)).await.unwrap().into_inner();
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
        page_token = page.next_page_token;
    }
    median(latencies.into_iter())
}

async fn portfolio(suite: &Suite, tenant: &str) -> f64 {
    let began = Instant::now();
    suite.assessments().get_portfolio(ask_as(tenant, GetPortfolioRequest::default())).await.unwrap();
    began.elapsed().as_secs_f64() * 1e6
}
