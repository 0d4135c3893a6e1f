//! A page of a list and the shape of a portfolio at many accounts against a thousand: the same calls, by turns.
//!
//! Accounts beyond the first are written straight into the aggregator's database, each with figures of its own: lists are
//! measured here, not imports. `RAPPORT_BENCH_LISTED` says how many (default 100,000).

use std::time::Instant;

use contracts::assessments::v1::GetPortfolioRequest;
use rusqlite::{Connection, params};
use tests::{Suite, TENANT, ask_as, benchmark::pages};
use tokio::runtime::Runtime;

use crate::{filling, import, report, rounds, setting};

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
            let mut connection = Connection::open(database).unwrap();
            for (tenant, count) in [("few", FEW), ("many", many)] {
                multiply(&mut connection, tenant, count);
            }
        })
        .await
        .unwrap();

        for (name, order_by, filter) in LISTS {
            let first = Instant::now();
            pages(suite.assessments(), "many", order_by, filter, 1).await;
            let first = first.elapsed().as_secs_f64() * 1e3;
            pages(suite.assessments(), "few", order_by, filter, 1).await;
            let mut pairs = Vec::new();
            for _ in 0..rounds() {
                pairs.push((
                    pages(suite.assessments(), "many", order_by, filter, PAGES).await,
                    pages(suite.assessments(), "few", order_by, filter, PAGES).await,
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
fn multiply(connection: &mut Connection, tenant: &str, count: usize) {
    let transaction = connection.transaction().unwrap();
    let ledger = "insert into ledgers (tenant, account, currency, document, segment)
        select ?1, ?2, currency, document, segment from ledgers where tenant = ?3";
    let standing = "insert into standings (tenant, account, assessed_at, model, stage, figures, last_movement)
        select ?1, ?2, assessed_at, model, stage, ?4, last_movement from standings where tenant = ?3";
    let figures = "select length(figures) / 8 from standings where tenant = ?1";
    let figures: i64 = transaction.query_row(figures, params![TENANT], |row| row.get(0)).unwrap();
    let (mut ledger, mut standing) = (transaction.prepare(ledger).unwrap(), transaction.prepare(standing).unwrap());
    let mut state = 1_u64;
    for number in 1..=count {
        let account = format!("a{number:08}");
        let figures: Vec<u8> = (0..figures)
            .flat_map(|_| {
                // Knuth's linear congruential generator; its high bits are the better ones.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 33) as f64 % 1e6 / 1e4).to_le_bytes()
            })
            .collect();
        assert_eq!(ledger.execute(params![tenant, account, TENANT]).unwrap(), 1);
        assert_eq!(standing.execute(params![tenant, account, TENANT, figures]).unwrap(), 1);
    }
    drop((ledger, standing));
    transaction.commit().unwrap();
}

async fn portfolio(suite: &Suite, tenant: &str) -> f64 {
    let began = Instant::now();
    suite.assessments().get_portfolio(ask_as(tenant, GetPortfolioRequest::default())).await.unwrap();
    began.elapsed().as_secs_f64() * 1e6
}
