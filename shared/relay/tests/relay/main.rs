//! The relay's promises, kept on real servers: `tests/nats.sh cargo test -p relay --features nats -- --include-ignored`.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

mod service;

use std::{collections::BTreeMap, time::Duration};

use relay::testing::Server;
use store::testing::Scratch;

use self::service::{FEED, Service, Told, account};

type Feed = BTreeMap<u32, Vec<(i64, String)>>;

/// Waits until the stream has come as far as the feed, and returns what it holds.
async fn caught_up(service: &Service) -> BTreeMap<u32, Vec<Told>> {
    let ends = |feed: &Feed| feed.iter().map(|(partition, changes)| (*partition, changes.last().unwrap().0)).collect();
    let wanted: BTreeMap<u32, i64> = ends(&service.feed().await);
    let patience = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Some(stream) = service.stream().await {
                let reached = stream.iter().map(|(partition, told)| (*partition, told.last().unwrap().last));
                if reached.collect::<BTreeMap<_, _>>() == wanted {
                    return stream;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    patience.await.expect("the stream does not come as far as the feed")
}

/// The stream says exactly what the feed says: everything once, in order, under ids that nothing else has. Only at the
/// beginning of a subject it may say where to ask instead.
async fn assert_same(service: &Service) {
    let mut feed = service.feed().await;
    for (partition, told) in caught_up(service).await {
        let mut wanted = feed.remove(&partition).unwrap();
        let mut position = 0;
        for message in told {
            // After a loss of the connection a message may go without its id, in its place all the same.
            let id = format!("{FEED}-{partition}-{}", message.last);
            assert!(message.id.as_ref().is_none_or(|told| *told == id), "{message:?}");
            assert_eq!(message.first, position + 1);
            let rest = wanted.split_off((message.last - position) as usize);
            match message.kind {
                "changes" => assert_eq!(message.changes, wanted),
                kind => assert_eq!((kind, message.first, message.changes), ("elsewhere", 1, vec![])),
            }
            (wanted, position) = (rest, message.last);
        }
        assert_eq!(wanted, []);
    }
    assert!(feed.is_empty());
}

async fn write_some(service: &Service, round: usize) {
    for number in 0..20 {
        service.write(&format!("a{}", (round * 7 + number * number) % 40), &format!("{round}-{number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn the_stream_says_what_the_feed_says() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    // Some of it before the relay begins.
    let relaying = service.relay().await;
    caught_up(&service).await;
    let writers = (0..8).map(|round| write_some(&service, round));
    futures_util::future::join_all(writers).await;
    assert_same(&service).await;
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_relay_that_is_killed_again_and_again_neither_skips_nor_repeats() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    let mut relaying = service.relay().await;
    caught_up(&service).await;
    for round in 0..25 {
        let killing = async {
            tokio::time::sleep(Duration::from_micros(round as u64 * 1_700)).await;
            drop(relaying);
            service.relay().await
        };
        ((), relaying) = tokio::join!(write_some(&service, round), killing);
    }
    assert_same(&service).await;
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn relays_that_compete_neither_skip_nor_repeat() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let first = Service::open(&scratch.url, &server.url()).await;
    let second = Service::open(&scratch.url, &server.url()).await;
    let relaying = (first.relay().await, second.relay().await);
    caught_up(&first).await;
    for round in 0..10 {
        tokio::join!(write_some(&first, round), write_some(&second, round + 100));
    }
    assert_same(&first).await;
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn writes_go_on_while_the_servers_are_away() {
    let (mut server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    server.kill();
    let service = Service::open(&scratch.url, &server.url()).await;
    let relaying = service.relay().await;
    server.start_again();
    caught_up(&service).await;
    write_some(&service, 0).await;
    for round in 1..4 {
        // Killed while messages are on their way.
        let (_, ()) = tokio::join!(write_some(&service, round), async { server.kill() });
        write_some(&service, round + 10).await;
        server.start_again();
        assert_same(&service).await;
    }
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_change_that_no_message_can_hold_is_named() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    let relaying = service.relay().await;
    caught_up(&service).await;
    let account = account(5, 0);
    service.write(&account, "small").await;
    service.write(&account, &"large ".repeat(400_000)).await;
    service.write(&account, "small again").await;
    let told = caught_up(&service).await.remove(&5).unwrap();
    let kinds: Vec<(&str, i64, i64)> = told.iter().map(|message| (message.kind, message.first, message.last)).collect();
    assert_eq!(kinds, [("changes", 1, 1), ("elsewhere", 2, 2), ("changes", 3, 3)]);
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn what_was_erased_does_not_live_on_in_the_stream() {
    let (mut server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    let relaying = service.relay().await;
    caught_up(&service).await;
    let (erased, neighbour) = (account(9, 0), account(9, 1));
    for number in 0..50 {
        service.write(&erased, &format!("private {number} matter")).await;
        service.write(&neighbour, &format!("public {number}")).await;
    }
    caught_up(&service).await;
    assert!(server.keeps(b"private 7 matter"), "the test looks in the wrong place");

    // Told only once the servers are back, to a stream that has more behind the erasure by then.
    server.kill();
    service.erase(&erased).await;
    service.write(&neighbour, "after").await;
    server.start_again();
    let told = caught_up(&service).await.remove(&9).unwrap();
    let texts: Vec<&str> = told.iter().flat_map(|message| &message.changes).map(|(_, text)| text.as_str()).collect();
    assert!(
        texts.ends_with(&["erased", "after"]) && !texts.iter().any(|text| text.starts_with("private")),
        "{texts:?}"
    );
    assert!(!server.keeps(b"private 7 matter"), "a file of the server still holds what was erased");
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_stream_that_forgot_everything_is_not_told_it_again() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    let account = account(3, 0);
    service.write(&account, "before the first relay").await;
    let relaying = service.relay().await;
    service.write(&account, "first").await;
    caught_up(&service).await;
    let purge = async || {
        let client = async_nats::connect(server.url()).await.unwrap();
        let stream = async_nats::jetstream::new(client).get_stream("RAPPORT").await.unwrap();
        stream.purge().await.unwrap();
    };
    // The relay at work goes on where it was.
    purge().await;
    service.write(&account, "second").await;
    let told = caught_up(&service).await.remove(&3).unwrap();
    assert_eq!((told.len(), told[0].kind, told[0].changes.as_slice()), (1, "changes", &[(3, "second".to_owned())][..]));
    // One that comes says where to ask for what it does not tell.
    drop(relaying);
    purge().await;
    let relaying = service.relay().await;
    service.write(&account, "third").await;
    let told = caught_up(&service).await.remove(&3).unwrap();
    let positions: Vec<i64> = told.iter().flat_map(|message| message.first..=message.last).collect();
    assert_eq!((told[0].kind, positions), ("elsewhere", vec![1, 2, 3, 4]));
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_feed_that_begins_anew_says_so() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let account = account(3, 0);
    let lost = Service::open(&scratch.url, &server.url()).await;
    let relaying = lost.relay().await;
    caught_up(&lost).await;
    for number in 0..5 {
        lost.write(&account, &format!("lost {number}")).await;
    }
    caught_up(&lost).await;
    drop(relaying);

    let scratch = Scratch::sqlite().unwrap();
    let service = Service::open(&scratch.url, &server.url()).await;
    service.write(&account, "anew 1").await;
    service.write(&account, "anew 2").await;
    let relaying = service.relay().await;
    // Under the ids that messages of the lost feed had moments ago.
    caught_up(&service).await;
    for number in 3..8 {
        service.write(&account, &format!("anew {number}")).await;
    }
    let told = caught_up(&service).await.remove(&3).unwrap();
    assert_eq!((told[0].kind, told[0].first, told[0].last), ("anew", 1, 2));
    let texts: Vec<&str> = told.iter().flat_map(|message| &message.changes).map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["anew 3", "anew 4", "anew 5", "anew 6", "anew 7"]);
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a NATS server: tests/nats.sh"]
async fn a_consumer_goes_on_where_it_acknowledged() {
    let (server, scratch) = (Server::start(), Scratch::sqlite().unwrap());
    let service = Service::open(&scratch.url, &server.url()).await;
    let relaying = service.relay().await;
    let bus = service.bus().await;
    let account = account(6, 0);
    let mut read = 0;
    for round in 1..=5 {
        let mut consumer = bus.consume("group", FEED, &[5, 6]).await.unwrap();
        for number in 0..10 {
            service.write(&account, &format!("{round}-{number}")).await;
        }
        while read < round * 10 {
            let delivery = consumer.next().await.unwrap();
            assert_eq!((delivery.receipt.partition, delivery.label.first), (6, read + 1));
            read = delivery.label.last;
            delivery.receipt.acknowledge().await.unwrap();
        }
        // Acknowledgements are not waited for; this is behind them on the same connection.
        bus.consume("other", FEED, &[7]).await.unwrap();
    }
    drop(relaying);
}
