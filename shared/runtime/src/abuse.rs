//! Limits: what a client may ask of a connection, and what becomes of those who ask for more. Clients here speak HTTP/2 frame
//! by frame, as no well-behaved one does. Whoever is cut off, all others are served.

mod raw;
mod slow;

use std::time::Duration;

use prost::Message as _;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

use self::raw::{CONTINUATION, PING, RST_STREAM, Raw};
use self::slow::{Answer, Slow};
use crate::fault::reason;
use crate::settings::ServeSettings;
use crate::testing::{LIMIT, Suite, reason_of};

const RUN: &str = "/test.v1.Script/Run";
const WATCH: &str = "/test.v1.Script/WatchRun";
/// HTTP/2's ENHANCE_YOUR_CALM and REFUSED_STREAM.
const CALM_DOWN: u32 = 11;
const REFUSED: u32 = 7;
/// The time limits of these tests, which only have to pass.
const SHORT: Duration = Duration::from_millis(300);

async fn start(settings: ServeSettings) -> Suite {
    Suite::start(ServeSettings { listen: Suite::settings().listen, ..settings }).await
}

/// A message as gRPC has it.
fn framed(message: &[u8]) -> Vec<u8> {
    [&[0][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

fn quick() -> Vec<u8> {
    framed(&HealthCheckRequest { service: "quick".to_owned() }.encode_to_vec())
}

async fn raw(suite: &Suite) -> Raw {
    Raw::connect(suite.context.address).await
}

/// Makes a call over a connection of its own, as somebody else would.
async fn assert_serves_others(suite: &Suite) {
    suite.ask(None, "quick").await.unwrap();
}

/// Tries until it comes about.
async fn eventually(mut comes_about: impl AsyncFnMut() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(60), async { while !comes_about().await {} });
    patience.await.expect("patience ran out");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_a_place_that_is_left_is_free() {
    let suite = start(ServeSettings { max_connections_per_address: 3, ..ServeSettings::default() }).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut one = raw(&suite).await;
        assert!(one.is_answered(RUN, &quick()).await);
        kept.push(one);
    }
    for _ in 0..5 {
        assert!(!raw(&suite).await.is_answered(RUN, &quick()).await);
    }
    kept.pop();
    eventually(async || raw(&suite).await.is_answered(RUN, &quick()).await).await;
    for mut one in kept {
        assert!(one.is_answered(RUN, &quick()).await);
    }
}

#[tokio::test]
async fn a_connection_without_calls_is_closed_and_one_with_a_watch_is_not() {
    let suite = start(ServeSettings { idle_timeout: SHORT, ..ServeSettings::default() }).await;
    let mut watching = raw(&suite).await;
    assert!(watching.is_answered(WATCH, &framed(&[])).await);
    let mut idle = raw(&suite).await;
    assert!(idle.is_answered(RUN, &quick()).await);
    // It is asked to leave, in order, and nothing was wrong with it.
    assert_eq!(idle.end().await, Some(0));
    // The other was there before it, and is answered on.
    assert!(watching.is_answered(RUN, &quick()).await);
}

#[tokio::test]
async fn who_does_not_take_its_answer_is_cut_off() {
    let suite = start(ServeSettings { request_timeout: SHORT * 3, ..ServeSettings::default() }).await;
    // A window of nothing: the server may send no byte of an answer.
    let mut slow = Raw::with_window(suite.context.address, 0).await;
    for call in 0..50 {
        slow.request(1 + 2 * call, RUN, &quick()).await;
    }
    // One that has no room for what it watches keeps its place: nothing but the next message waits for it.
    let mut watching = Raw::with_window(suite.context.address, 0).await;
    watching.request(1, WATCH, &framed(&[])).await;
    let mut taking = raw(&suite).await;
    slow.end().await;
    assert!(taking.is_answered(RUN, &quick()).await);
    watching.make_room(1, 1 << 16).await;
    assert!(watching.is_answered_with_a_message(1).await);
    assert_serves_others(&suite).await;
}

#[tokio::test]
async fn a_call_whose_message_does_not_come_ends_with_its_time() {
    let suite = start(ServeSettings { request_timeout: SHORT, ..ServeSettings::default() }).await;
    let mut slow = Slow::connect(suite.context.address, 1 << 16).await;
    let (answer, mut body) = slow.begin(RUN, &[]).await;
    body.send_data(quick()[..3].to_vec().into(), false).unwrap();
    let Answer::Status(status) = slow::answered(answer).await else { panic!("an answer to half a message") };
    assert_eq!((status.code(), reason_of(&status)), (Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED.to_owned()));
    // The connection and its other calls are as good as before.
    assert!(matches!(slow.call(RUN, &[], quick()).await, Answer::Messages(_)));
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_one_by_one() {
    let suite = start(ServeSettings { max_streams: 4, ..ServeSettings::default() }).await;
    let mut greedy = raw(&suite).await;
    // A client knows its limit once it has heard it, and what it opened before that counts.
    assert!(greedy.is_answered(RUN, &quick()).await);
    assert_eq!(greedy.told_most_streams, Some(4));
    for stream in (3..13).step_by(2) {
        greedy.request(stream, WATCH, &framed(&[])).await;
    }
    let refused = greedy.frame_of(RST_STREAM).await.unwrap();
    assert_eq!((refused.stream, refused.payload), (11, REFUSED.to_be_bytes().to_vec()));
    // Where one is given back there is room for another.
    greedy.send(RST_STREAM, 0, 3, &8_u32.to_be_bytes()).await;
    assert!(greedy.is_answered(RUN, &quick()).await);
}

/// CVE-2023-44487: calls that are given up as soon as they are made, so that they never count as open.
#[tokio::test]
async fn calls_made_to_be_given_up_end_the_connection() {
    let suite = start(ServeSettings::default()).await;
    let mut attacker = raw(&suite).await;
    let mut pair = Vec::new();
    for call in 0..50_000 {
        pair.clear();
        let stream = 1 + 2 * call;
        Raw::put_headers(&mut pair, stream, RUN, &[], false);
        Raw::put(&mut pair, RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        if !attacker.try_write(&pair).await {
            break;
        }
    }
    assert!(attacker.end().await.is_none_or(|code| code == CALM_DOWN));
    assert_serves_others(&suite).await;
}

/// CVE-2024-27316: headers that never end.
#[tokio::test]
async fn headers_that_never_end_end_the_connection() {
    let suite = start(ServeSettings::default()).await;
    let mut attacker = raw(&suite).await;
    let mut first = Vec::new();
    Raw::put_headers(&mut first, 1, RUN, &[], false);
    // Without END_HEADERS.
    first[4] = 0;
    attacker.try_write(&first).await;
    let more = Raw::literal("x-a", &"a".repeat(1_000));
    let mut frame = Vec::new();
    Raw::put(&mut frame, CONTINUATION, 0, 1, &more);
    let mut sent = 0;
    while sent < 20_000 && attacker.try_write(&frame).await {
        sent += 1;
    }
    assert!(sent < 20_000, "the server read 20 MB of headers");
    assert_serves_others(&suite).await;
}

#[tokio::test]
async fn metadata_is_bounded_in_bytes_and_so_in_number() {
    let suite = start(ServeSettings::default()).await;
    // Each entry counts 32 bytes more than it has, as HTTP/2 counts them.
    let many: Vec<(String, String)> = (0..1_000).map(|entry| (format!("x-{entry}"), "v".to_owned())).collect();
    let long = vec![("x-long".to_owned(), "v".repeat(17_000))];
    for metadata in [many, long] {
        let mut greedy = raw(&suite).await;
        let metadata: Vec<(&str, &str)> =
            metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        greedy.headers(1, RUN, &metadata, false).await;
        greedy.data(1, &quick(), true).await;
        assert!(!greedy.is_answered_with_a_message(1).await);
    }
    let mut modest = raw(&suite).await;
    let some: Vec<(String, String)> = (0..100).map(|entry| (format!("x-{entry}"), "v".to_owned())).collect();
    let some: Vec<(&str, &str)> = some.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    modest.headers(1, RUN, &some, false).await;
    modest.data(1, &quick(), true).await;
    assert!(modest.is_answered_with_a_message(1).await);
    assert_serves_others(&suite).await;
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_connection() {
    let suite = start(ServeSettings::default()).await;
    let mut attacker = raw(&suite).await;
    let mut pings = Vec::new();
    (0..1_000).for_each(|_| Raw::put(&mut pings, PING, 0, 0, &[0; 8]));
    let mut sent = 0;
    while sent < 1_000 && attacker.try_write(&pings).await {
        sent += 1;
        attacker.skip_what_came().await;
    }
    assert!(sent < 1_000, "the server answered a million PINGs");
    assert_serves_others(&suite).await;
}

#[tokio::test]
async fn a_message_without_a_bottom_is_refused_as_malformed() {
    let suite = start(ServeSettings::default()).await;
    let mut client = Slow::connect(suite.context.address, 1 << 16).await;
    // Groups within groups, in a field that nobody knows: a reader that follows them runs out of stack.
    let deep = [[0x9b, 0x06].repeat(LIMIT / 5), [0x9c, 0x06].repeat(LIMIT / 5)].concat();
    let refused = client.fail(RUN, &[], framed(&deep)).await;
    let told = (refused.code(), reason_of(&refused));
    assert_eq!(told, (Code::InvalidArgument, reason::MESSAGE_MALFORMED.to_owned()));
    assert!(matches!(client.call(RUN, &[], quick()).await, Answer::Messages(_)));
}
