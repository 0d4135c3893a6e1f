//! What is kept at hand is never older than what is vouched for, and what is read from tables is read along an index.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contracts::common::v1::Money;
use contracts::orders::v1::Order;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use store::Backend;

use super::{NOW, Place, mark};
use crate::apply::Heard;
use crate::filter::Order as ListOrder;
use crate::store::{ACCOUNTS_WITH_OFFERS, STANDINGS, ledgers_of, offers_of, sources_of, timeline};
use crate::told::Told;

const ACCOUNT: &str = "a";
const ROUNDS: i64 = 300;

/// The nth change of the account, and how far the feed is with it: an order placed at its time.
fn change(number: i64) -> Heard {
    let order = Order {
        name: format!("accounts/{ACCOUNT}/orders/{number}"),
        place_time: Some(methods::from_micros(number)),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 5, nanos: 0 }),
        ..Order::default()
    };
    let told = Told {
        tenant: "t".to_owned(),
        account: ACCOUNT.to_owned(),
        version: 1,
        recorded_at: number,
        source: order.into(),
    };
    Heard { told: vec![told], topics: vec![], through: vec![mark(store::partition("t", ACCOUNT), number)] }
}

/// Readers race the one that applies. Each takes the progress first, and must find at least what it includes.
async fn race(place: Place, read: impl AsyncFn(&Place) -> i64 + Clone + 'static) {
    let (place, is_over) = (Arc::new(place), Arc::new(AtomicBool::new(false)));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let partition = store::partition("t", ACCOUNT) as usize;
            let readers: Vec<_> = (0..4)
                .map(|reader| {
                    let (place, is_over, read) = (place.clone(), is_over.clone(), read.clone());
                    tokio::task::spawn_local(async move {
                        let mut reads = 0;
                        while !is_over.load(Ordering::Relaxed) {
                            // What is forgotten must be loaded, and what is loaded may be overtaken.
                            if (reads + reader) % 3 == 0 {
                                place.ledgers.clear();
                                place.standings.clear();
                            }
                            let vouched = place.progress.of_feed(1)[partition];
                            let found = read(&place).await;
                            assert!(found >= vouched, "{found} changes where {vouched} are vouched for");
                            reads += 1;
                        }
                        reads
                    })
                })
                .collect();
            for number in 1..=ROUNDS {
                place.clock.set(number);
                place.applier().apply(&[change(number)]).await.unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
            for reader in readers {
                assert!(reader.await.unwrap() > 0);
            }
        })
        .await;
    Arc::into_inner(place).unwrap().close().await;
}

async fn places() -> Vec<Place> {
    [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten().collect()
}

#[tokio::test]
async fn a_ledger_at_hand_is_never_older_than_what_is_vouched_for() {
    for place in places().await {
        race(place, async |place: &Place| {
            let pictures = place.gallery().find_all("t", &[ACCOUNT], NOW).await.unwrap();
            pictures[0].as_ref().map_or(0, |picture| picture.ledger.activity().orders() as i64)
        })
        .await;
    }
}

#[tokio::test]
async fn a_standing_at_hand_is_never_older_than_what_is_vouched_for() {
    for place in places().await {
        race(place, async |place: &Place| {
            let order = ListOrder { column: Some("bond".to_owned()), descending: true };
            let page = place.standings.page(&place.reader(), "t", &[], &order, None, 1).await.unwrap();
            // The clock tells the number of the change.
            page.first().map_or(0, |standing| standing.assessed_at)
        })
        .await;
    }
}

#[tokio::test]
async fn pages_are_read_along_an_index() {
    for place in places().await {
        let mut connection = place.database.reader.acquire().await.unwrap();
        for (text, texts, numbers) in [
            (STANDINGS.to_owned(), &["t", "a"][..], &[50_i64][..]),
            (timeline(false), &["t", "a"], &[50]),
            (timeline(true), &["t", "a"], &[50, 7]),
        ] {
            let plan = plan(&mut connection, place.database.backend, &text, texts, numbers).await;
            let scans = ["SCAN ", "TEMP B-TREE", "Seq Scan", "Sort"];
            assert!(!scans.iter().any(|word| plan.contains(word)), "{text}\n{plan}");
            let is_timeline = text.contains("from sources");
            assert!(plan.contains(if is_timeline { "sources_timeline" } else { "standings" }), "{text}\n{plan}");
            // The place where a page begins is sought, not read up to.
            let sought = match place.database.backend {
                Backend::Sqlite => ["account>?", "(happened_at,source)<(?,?)"],
                Backend::Postgres => ["account > ", "ROW(happened_at, source) < ROW("],
            };
            if !is_timeline {
                assert!(plan.contains(sought[0]), "{plan}");
            } else if numbers.len() > 1 {
                assert!(plan.contains(sought[1]), "{plan}");
            }
        }
        drop(connection);
        place.close().await;
    }
}

#[tokio::test]
async fn what_was_told_of_an_account_is_found_by_an_index() {
    for place in places().await {
        let mut connection = place.database.reader.acquire().await.unwrap();
        for current in [false, true] {
            let text = sources_of(1, current);
            let plan = plan(&mut connection, place.database.backend, &text, &["t", "a"], &[]).await;
            let sought = match place.database.backend {
                Backend::Sqlite => "(tenant=? AND account=?",
                Backend::Postgres => "(account = ",
            };
            assert!(plan.contains(sought) && !plan.contains("SCAN sources"), "{text}\n{plan}");
        }
        for (text, texts) in [(offers_of(1), &["t", "a"][..]), (ACCOUNTS_WITH_OFFERS.to_owned(), &["t"])] {
            let plan = plan(&mut connection, place.database.backend, &text, texts, &[]).await;
            assert!(plan.contains("sources_offers"), "{text}\n{plan}");
        }
        drop(connection);
        place.close().await;
    }
}

#[tokio::test]
async fn ledgers_asked_for_together_are_sought_one_by_one() {
    for place in places().await {
        let mut connection = place.database.reader.acquire().await.unwrap();
        if place.database.backend == Backend::Postgres {
            // Of few rows it would read all, and also of many that it knows nothing about yet.
            let fill = "insert into ledgers (tenant, account, currency, document)
                 select 't', n::text, '', '' from generate_series(1, 20000) n";
            for text in [fill, "analyze ledgers"] {
                sqlx::query(text).execute(&mut *connection).await.unwrap();
            }
        }
        for accounts in [1, 64] {
            let names: Vec<String> = (0..accounts).map(|number| (number * 300).to_string()).collect();
            let texts: Vec<&str> = std::iter::once("t").chain(names.iter().map(String::as_str)).collect();
            let plan = plan(&mut connection, place.database.backend, &ledgers_of(accounts), &texts, &[]).await;
            let sought = match place.database.backend {
                Backend::Sqlite => "(tenant=? AND account=?",
                Backend::Postgres => "Index Cond: ((tenant = 't'::text) AND (account = ",
            };
            assert!(plan.contains(sought), "{plan}");
        }
        drop(connection);
        place.close().await;
    }
}

pub(super) async fn plan(
    connection: &mut AnyConnection,
    backend: Backend,
    text: &str,
    texts: &[&str],
    numbers: &[i64],
) -> String {
    let explain = match backend {
        Backend::Sqlite => "explain query plan",
        Backend::Postgres => {
            // On an empty table nothing is cheaper than to read it all; what counts is what the indexes allow.
            for setting in ["set enable_seqscan = off", "set enable_bitmapscan = off"] {
                sqlx::query(setting).execute(&mut *connection).await.unwrap();
            }
            "explain"
        }
    };
    let mut select = sqlx::query(AssertSqlSafe(format!("{explain} {text}")));
    for text in texts {
        select = select.bind(*text);
    }
    for number in numbers {
        select = select.bind(*number);
    }
    if numbers.len() > 1 {
        select = select.bind("orders/x");
    }
    let rows = select.fetch_all(connection).await.unwrap();
    let column = if backend == Backend::Sqlite { 3 } else { 0 };
    rows.iter().map(|row| row.get::<String, _>(column)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn ledgers_asked_for_together_are_each_ones_own() {
    for place in places().await {
        let told = |tenant: &str, number: i64| Told {
            tenant: tenant.to_owned(),
            account: format!("a{number}"),
            version: 1,
            recorded_at: number,
            source: change(number).told.remove(0).source,
        };
        // A tenant more has the accounts that the other lacks.
        let tenant_of = |number: i64| if number % 3 == 0 { "u" } else { "t" };
        let heard = Heard {
            told: (0..200).map(|number| told(tenant_of(number), number)).collect(),
            topics: vec![],
            through: vec![],
        };
        place.clock.set(200);
        place.applier().apply(&[heard]).await.unwrap();
        // Many more than fit one statement, each of them asked for twice, and everything let go in between.
        for _ in 0..5 {
            place.ledgers.clear();
            let reads = (0..400_i64).map(async |read| {
                let (number, account) = (read / 2, format!("a{}", read / 2));
                let reader = place.reader();
                for tenant in ["t", "u"] {
                    let found = place.ledgers.read(&reader, tenant, &[&account]).await.unwrap().remove(0);
                    let named = found.map(|row| (row.tenant.clone(), row.account.clone()));
                    let expected = (tenant == tenant_of(number)).then(|| (tenant.to_owned(), account.clone()));
                    assert_eq!(named, expected);
                }
            });
            futures_util::future::join_all(reads).await;
        }
        place.close().await;
    }
}

#[tokio::test]
async fn all_who_asked_together_are_told_of_a_failure() {
    for place in places().await {
        place.database.close().await;
        let reader = place.reader();
        let reads = (0..100).map(async |read| {
            let account = format!("a{read}");
            place.ledgers.read(&reader, "t", &[&account]).await.is_err()
        });
        assert!(futures_util::future::join_all(reads).await.into_iter().all(|failed| failed));
        place.scratch.drop_schema().await.unwrap();
    }
}
