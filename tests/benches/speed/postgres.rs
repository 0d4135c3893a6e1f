//! What PostgreSQL has to give against what the suite makes of it, on the server that `TEST_DATABASE_URL` names: an import
//! against `COPY`, unary writes against pgbench, reading against point reads.

use std::{
    path::Path,
    pin::pin,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use contracts::{assessments::v1::assessments_service_client::AssessmentsServiceClient, orders::v1::Order};
use prost::Message as _;
use runtime::ServeSettings;
use tests::{Place, START, Suite};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, binary_copy::BinaryCopyInWriter, types::Type};

use crate::{accounts, cpu_seconds, echo, filling, import, read, report, rounds, unary};

/// The peer's rows in a transaction, as the import's in a message.
const BATCH: usize = 1_000;
const WARMING: usize = 1_000;
/// About as long as pgbench has.
const CALLS: usize = 40_000;
const PGBENCH_SECONDS: u32 = 5;
const POINT_READS: usize = 20_000;
/// The tables of the peer: an order as the suite keeps it, and a change for each.
const TABLES: &str = "
    create schema raw;
    create table raw.orders (tenant text collate \"C\" not null, account text collate \"C\" not null,
        id text collate \"C\" not null, version bigint not null, state text collate \"C\" not null,
        label text collate \"C\" not null, happened_at bigint not null, created_at bigint not null,
        recorded_at bigint not null, deleted_at bigint, document bytea not null, primary key (tenant, account, id));
    create table raw.changes (feed_partition bigint not null, position bigint not null, recorded_at bigint not null,
        document bytea not null, primary key (feed_partition, position));
    create sequence raw.numbers;
";

pub(crate) fn import(runtime: &Runtime) {
    on_server(runtime, importing);
}

pub(crate) fn unary(runtime: &Runtime) {
    on_server(runtime, writing);
}

pub(crate) fn read(runtime: &Runtime) {
    on_server(runtime, reading);
}

fn on_server(runtime: &Runtime, measure: impl AsyncFnOnce(&str)) {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => runtime.block_on(measure(&server)),
        Err(_) => println!("TEST_DATABASE_URL names no server: tests/postgres.sh cargo bench -p tests -- postgres"),
    }
}

async fn importing(server: &str) {
    let (mut alone, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let suite = Suite::start_orders().await;
        let (start, cpu_before) = (Instant::now(), cpu_seconds());
        import::send(&suite, import::orders(0, import::ORDERS)).await;
        let ours = import::ORDERS as f64 / start.elapsed().as_secs_f64();
        let our_cpu = cpu_seconds() - cpu_before;
        drop(suite);

        let client = emptied(server).await;
        let (start, cpu_before) = (Instant::now(), cpu_seconds());
        copy_all(&client, import::orders(0, import::ORDERS)).await;
        alone.push((ours, import::ORDERS as f64 / start.elapsed().as_secs_f64()));
        let micros = 1e6 / import::ORDERS as f64;
        cpu.push((our_cpu * micros, (cpu_seconds() - cpu_before) * micros));
    }
    report("import of orders against COPY of rows and changes", "rows/s", &alone, ">= 0.5 (0.7)");
    report("  CPU beside the server's, the client's included", "us/row", &cpu, "-");
}

async fn writing(server: &str) {
    let mut against = Vec::new();
    for _ in 0..rounds() {
        let suite = Arc::new(Suite::start_orders().await);
        unary::create_all(&suite, unary::CALLERS, 0..WARMING).await;
        let ours = unary::create_all(&suite, unary::CALLERS, WARMING..WARMING + CALLS).await;
        drop(suite);
        drop(emptied(server).await);
        let server = server.to_owned();
        against.push((ours, tokio::task::spawn_blocking(move || pgbench(&server)).await.unwrap()));
    }
    report("unary writes by 64 against pgbench by 64", "calls/s", &against, ">= 1.5");
}

async fn reading(server: &str) {
    let names: Arc<Vec<String>> = Arc::new((0..accounts()).map(import::account).collect());
    let place = Place::new();
    let settings = ServeSettings { cache_bytes: 0, ..ServeSettings::default() };
    let connections = settings.database_connections as usize;
    let cold = Suite::start_with(place, settings).await;
    filling::accounts(&cold, &names, 2).await;
    let table = format!("{}.ledgers", cold.schemas().unwrap().of("aggregator"));
    let select = format!("select document from {table} where tenant = $1 and account = $2");
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(connect(server).await);
    }
    let ours: Vec<_> = (0..4).map(|_| cold.assessments()).collect();
    read::calls(&ours, &names).await;
    let (mut one_each, mut many_each) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let took = read::calls(&ours, &names).await;
        one_each.push((took.rate, point_reads(&clients, &names, &select, 1).await));
        many_each.push((took.rate, point_reads(&clients, &names, &select, read::IN_FLIGHT / connections).await));
    }
    report("GetAssessment without a cache against point reads", "calls/s", &one_each, ">= 0.6");
    report("  against point reads, pipelined by 64 callers", "calls/s", &many_each, "-");

    let warm = cold.restart().await;
    let ours: Vec<_> = (0..4).map(|_| warm.assessments()).collect();
    let address = echo::start(read::get(ours[0].clone(), &names[0]).await).await;
    let echo: Vec<_> = (0..4)
        .map(|_| AssessmentsServiceClient::new(runtime::peer(&format!("http://{address}"), None).unwrap()))
        .collect();
    read::calls(&ours, &names).await;
    read::calls(&echo, &names).await;
    let mut rates = Vec::new();
    for _ in 0..rounds() {
        rates.push((read::calls(&ours, &names).await.rate, read::calls(&echo, &names).await.rate));
    }
    report("GetAssessment at hand against an echo", "calls/s", &rates, ">= 0.8");
}

async fn connect(server: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A client of the peer's tables, which are empty.
async fn emptied(server: &str) -> Client {
    let client = connect(server).await;
    client.batch_execute("drop schema if exists raw cascade").await.unwrap();
    client.batch_execute(TABLES).await.unwrap();
    // What others wrote is not written out in this one's time.
    client.batch_execute("checkpoint").await.unwrap();
    client
}

/// The same rows and one change row for each, in transactions of a thousand.
async fn copy_all(client: &Client, orders: impl Iterator<Item = Order>) {
    let mut orders = orders.peekable();
    let mut positions = [0_i64; 64];
    let (text, number, bytes) = (Type::TEXT, Type::INT8, Type::BYTEA);
    let order_types = [&text, &text, &text, &number, &text, &text, &number, &number, &number, &number, &bytes];
    let change_types = [&number, &number, &number, &bytes];
    let types = |types: &[&Type]| types.iter().map(|&kind| kind.clone()).collect::<Vec<_>>();
    let (order_types, change_types) = (types(&order_types), types(&change_types));
    while orders.peek().is_some() {
        let rows: Vec<(Order, Vec<u8>)> =
            orders.by_ref().take(BATCH).map(|order| (order.clone(), order.encode_to_vec())).collect();
        client.batch_execute("begin").await.unwrap();
        let sink = client.copy_in("copy raw.orders from stdin binary").await.unwrap();
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &order_types));
        for (order, document) in &rows {
            let parts: Vec<&str> = order.name.split('/').collect();
            let none: Option<i64> = None;
            writer
                .as_mut()
                .write(&[
                    &"test",
                    &parts[1],
                    &parts[3],
                    &1_i64,
                    &"ORDER_STATE_PLACED",
                    &"",
                    &START,
                    &START,
                    &START,
                    &none,
                    document,
                ])
                .await
                .unwrap();
        }
        writer.finish().await.unwrap();
        let sink = client.copy_in("copy raw.changes from stdin binary").await.unwrap();
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &change_types));
        for (order, document) in &rows {
            let partition = store::partition("test", order.name.split('/').nth(1).unwrap()) as usize;
            positions[partition] += 1;
            let position = positions[partition];
            writer.as_mut().write(&[&(partition as i64), &position, &START, document]).await.unwrap();
        }
        writer.finish().await.unwrap();
        client.batch_execute("commit").await.unwrap();
    }
}

/// The rate of transactions of two inserts, by 64 clients with prepared statements.
fn pgbench(server: &str) -> f64 {
    let document: String = unary::order().encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
    let script = format!(
        "begin;
         insert into raw.orders values ('test', 'a1', 'o' || nextval('raw.numbers'), 1, 'ORDER_STATE_PLACED', '', {START},
             {START}, {START}, null, '\\x{document}'::bytea);
         insert into raw.changes values (1, nextval('raw.numbers'), {START}, '\\x{document}'::bytea);
         commit;"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two_inserts.sql");
    // A statement a line, as pgbench ends them at the semicolon only inside a script of this form.
    std::fs::write(&file, script).unwrap();
    let output = run_pgbench(&file, server);
    let tps = output.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{output}"));
    tps.split_whitespace().next().unwrap().parse().unwrap()
}

fn run_pgbench(file: &Path, server: &str) -> String {
    let clients = unary::CALLERS.to_string();
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", &clients])
        .args(["--time", &PGBENCH_SECONDS.to_string()])
        .arg("--file")
        .arg(file)
        .arg(server)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rate of reading ledgers by their keys, so many callers for each connection.
async fn point_reads(clients: &[Client], names: &Arc<Vec<String>>, select: &str, callers: usize) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let reading = clients.iter().flat_map(|client| (0..callers).map(move |_| client)).map(|client| {
        let (names, next) = (names.clone(), next.clone());
        async move {
            let statement = client.prepare(select).await.unwrap();
            loop {
                let call = next.fetch_add(1, Ordering::Relaxed);
                if call >= POINT_READS {
                    return;
                }
                let account = &names[call * 7_919 % names.len()];
                let row = client.query_one(&statement, &[&"test", account]).await.unwrap();
                assert!(!row.get::<_, &[u8]>(0).is_empty());
            }
        }
    });
    futures_util::future::join_all(reading).await;
    POINT_READS as f64 / start.elapsed().as_secs_f64()
}
