//! Many clients and slow ones: what they cost, and whom they hold up. What single connections may ask for is tried in
//! `shared/runtime/src/abuse.rs`, against the same server.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clap::Parser as _;
use contracts::{
    common::v1::{FeedStart, Money},
    orders::v1::{
        ImportOrdersRequest, Order, OrderLine, OrdersRow, WatchOrdersRequest, WatchOrdersResponse, orders_row,
    },
};
use rapport::cli::Cli;
use tempfile::TempDir;
use tests::{Suite, ask_for, day};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Streaming;

/// Set where the test binary plays a server.
const PLAYED: &str = "RAPPORT_OVERLOAD_PROCESS";
const ORDERS: usize = 2_000;
const WATCHERS: usize = 8;
/// So many that the windows of a connection hold a small part of the feed.
const LINES: usize = 4;

fn line() -> OrderLine {
    let unit_price = Some(Money { currency_code: "EUR".to_owned(), units: 25, nanos: 0 });
    OrderLine { product: "p".to_owned(), description: "d".repeat(500), quantity: 1, unit_price }
}

fn rows() -> Vec<OrdersRow> {
    let order = |number: usize| Order {
        name: format!("accounts/a{}/orders/o{number}", number % 97),
        place_time: day(-1.0),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 100, nanos: 0 }),
        lines: vec![line(); LINES],
        ..Default::default()
    };
    (0..ORDERS).map(|number| OrdersRow { resource: Some(orders_row::Resource::Order(order(number))) }).collect()
}

async fn watch(suite: &Suite) -> Streaming<WatchOrdersResponse> {
    let ask = WatchOrdersRequest { start: FeedStart::Beginning.into(), ..Default::default() };
    suite.orders().watch_orders(ask_for(600, ask)).await.unwrap().into_inner()
}

/// Reads until every order was told of, once and in the order of its partition.
async fn hear_all(feed: &mut Streaming<WatchOrdersResponse>) {
    let (mut heard, mut positions) = (0, BTreeMap::new());
    while heard < ORDERS {
        for change in feed.message().await.unwrap().unwrap().changes {
            let stamp = change.stamp.unwrap();
            let before = positions.insert(stamp.partition, stamp.position).unwrap_or(0);
            assert_eq!(stamp.position, before + 1);
            heard += 1;
        }
    }
}

#[tokio::test]
async fn slow_watchers_of_a_feed_hold_up_nobody_and_miss_nothing() {
    let suite = Suite::start_orders().await;
    // They are connected, and read no further.
    let mut slow = Vec::new();
    for _ in 0..WATCHERS {
        let mut feed = watch(&suite).await;
        feed.message().await.unwrap().unwrap();
        slow.push(feed);
    }
    let requests: Vec<_> =
        rows().chunks(200).map(|rows| ImportOrdersRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let mut answers =
        suite.orders().import_orders(ask_for(600, tokio_stream::iter(requests))).await.unwrap().into_inner();
    // Whoever reads hears of everything, and whoever writes is done, while the others sleep.
    let mut quick = watch(&suite).await;
    let written = async {
        while let Some(answer) = answers.message().await.unwrap() {
            assert!(answer.refusals.is_empty(), "{:?}", answer.refusals);
        }
    };
    tokio::join!(hear_all(&mut quick), written);
    for mut feed in slow {
        hear_all(&mut feed).await;
    }
}

/// Not a test by itself: the server of the test below.
#[test]
fn a_server() {
    if std::env::var_os(PLAYED).is_none() {
        return;
    }
    // It goes with the test that it is part of, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let code = Cli::try_parse_from(["rapport", "serve", "accounts"]).unwrap().run();
    panic!("the server ended by itself with {code:?}");
}

/// A server as a process of its own, whose memory is its own.
struct Process {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Process {
    fn start(connections: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["overload::a_server", "--exact", "--nocapture"])
            .env(PLAYED, "1")
            .env("RAPPORT_LISTEN", &address)
            .env("RAPPORT_DATA_DIR", folder.path())
            .env("RAPPORT_MAX_CONNECTIONS_PER_ADDRESS", (connections + 10).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self { child: child.unwrap(), address, _folder: folder }
    }

    async fn connect(&self) -> TcpStream {
        tests::eventually(async || TcpStream::connect(&self.address).await.ok()).await
    }

    /// Its memory in use, in bytes, as Linux tells it.
    fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says what every HTTP/2 client says first, and waits until the server has answered that.
async fn greet(stream: &mut TcpStream) {
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut header = [0; 9];
    tokio::time::timeout(Duration::from_secs(60), stream.read_exact(&mut header)).await.unwrap().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_idle_connections_cost_little_and_hold_up_nobody() {
    // As many as the system lets both ends have, and thousands where it does.
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files = files.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    let count = (files / 2).saturating_sub(200).min(3_000);
    let process = Process::start(count);
    let mut first = process.connect().await;
    greet(&mut first).await;
    let before = process.resident();
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = process.connect().await;
        greet(&mut stream).await;
        idle.push(stream);
    }
    let each = process.resident().saturating_sub(before) / count;
    eprintln!("{count} idle connections, {each} bytes each");
    assert!(each < 64 << 10, "{each} bytes for each of {count} connections");
    greet(&mut process.connect().await).await;
}
