use std::collections::VecDeque;
use std::sync::Mutex;

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    ServiceDescriptorProto,
};
use tonic::ConnectError;

use super::*;

const READ: &str = "/shop.v1.Shop/GetItem";
const WRITE: &str = "/shop.v1.Shop/BuyItem";
const STREAM: &str = "/shop.v1.Shop/WatchItems";

/// A contract with a read, a write that takes a request id as its third field, and a stream.
fn methods() -> Arc<Methods> {
    let text = |name: &str, number| FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..FieldDescriptorProto::default()
    };
    let message =
        |name: &str, field| DescriptorProto { name: Some(name.to_owned()), field, ..DescriptorProto::default() };
    let method = |name: &str, streams| MethodDescriptorProto {
        name: Some(name.to_owned()),
        input_type: Some(format!(".shop.v1.{name}Request")),
        server_streaming: Some(streams),
        ..MethodDescriptorProto::default()
    };
    let file = FileDescriptorProto {
        package: Some("shop.v1".to_owned()),
        message_type: vec![
            message("GetItemRequest", vec![text("name", 1)]),
            message("BuyItemRequest", vec![text("name", 1), text("request_id", 3)]),
            message("WatchItemsRequest", vec![]),
        ],
        service: vec![ServiceDescriptorProto {
            name: Some("Shop".to_owned()),
            method: vec![method("GetItem", false), method("BuyItem", false), method("WatchItems", true)],
            ..ServiceDescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    Arc::new(Methods::of(&FileDescriptorSet { file: vec![file] }.encode_to_vec()).unwrap())
}

#[derive(Clone, PartialEq, prost::Message)]
struct BuyItemRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    request_id: String,
}

fn message(request_id: &str) -> Bytes {
    let message = BuyItemRequest { name: "a thing".to_owned(), request_id: request_id.to_owned() }.encode_to_vec();
    let length = (message.len() as u32).to_be_bytes();
    [&[0][..], &length, &message].concat().into()
}

/// What the server does with a call.
#[derive(Clone, Debug)]
enum Does {
    Answers,
    Fails(Status),
    NobodyThere,
    BreaksOff,
}

/// A server that does these things in turn, and then answers.
#[derive(Clone, Default)]
struct Server {
    script: Arc<Mutex<VecDeque<Does>>>,
    /// The calls that reached it.
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The body of a call, and its timeout.
type Seen = (Bytes, Option<Duration>);

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Request<Body>> for Server {
    type Response = Response<Body>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let does = server.script.lock().unwrap().pop_front().unwrap_or(Does::Answers);
            if matches!(does, Does::NobodyThere) {
                return Err(Box::new(ConnectError("refused".into())) as Failure);
            }
            let timeout = deadline::grpc_timeout(request.headers());
            let body = request.into_body().collect().await?.to_bytes();
            server.seen.lock().unwrap().push((body, timeout));
            match does {
                Does::Fails(status) => Ok(status.into_http()),
                Does::BreaksOff => Err(Box::new(Status::unavailable("the connection broke"))),
                Does::Answers | Does::NobodyThere => Ok(Response::new(Body::empty())),
            }
        })
    }
}

impl Server {
    fn doing(script: impl IntoIterator<Item = Does>) -> Server {
        Server { script: Arc::new(Mutex::new(script.into_iter().collect())), seen: Arc::default() }
    }

    /// Calls it, with retries.
    async fn call(&self, path: &str, message: Bytes, timeout: Option<&str>) -> Code {
        eprintln!("seed 1");
        ask(&mut Retry::new(self.clone(), methods(), 1), path, message, timeout).await
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn ask(retry: &mut Retry<Server>, path: &str, message: Bytes, timeout: Option<&str>) -> Code {
    let mut request = Request::builder().uri(format!("http://shop{path}"));
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    match retry.call(request.body(body_of(message)).unwrap()).await {
        Ok(answer) => Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code()),
        Err(status) => status.code(),
    }
}

fn overloaded(pause: u64) -> Does {
    let fault = Fault::new(Code::ResourceExhausted, reason::OVERLOADED, "too many");
    Does::Fails(fault.retry_after(Duration::from_millis(pause)).into())
}

fn unavailable() -> Does {
    Does::Fails(Fault::new(Code::Unavailable, reason::UNAVAILABLE, "no database").into())
}

#[tokio::test]
async fn what_was_refused_or_never_sent_is_made_again_whatever_it_does() {
    for does in [overloaded(1), Does::NobodyThere] {
        let server = Server::doing([does.clone(), does]);
        assert_eq!(server.call(WRITE, message(""), None).await, Code::Ok);
        let seen = server.seen.lock().unwrap();
        // Each attempt is the whole call.
        assert!(seen.iter().all(|(body, _)| *body == message("")), "{seen:?}");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_made_again_only_if_it_may_be_done_twice() {
    for does in [unavailable(), Does::BreaksOff] {
        for (path, message, code, calls) in [
            (READ, message(""), Code::Ok, 2),
            (WRITE, message("once"), Code::Ok, 2),
            (WRITE, message(""), Code::Unavailable, 1),
            (STREAM, message("once"), Code::Unavailable, 1),
            ("/shop.v1.Shop/Unknown", message("once"), Code::Unavailable, 1),
        ] {
            let server = Server::doing([does.clone()]);
            assert_eq!(server.call(path, message, None).await, code, "{path} {does:?}");
            assert_eq!(server.calls(), calls, "{path} {does:?}");
        }
    }
}

#[tokio::test]
async fn what_would_fail_again_is_not_made_again() {
    let too_large = Fault::new(Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE, "too large");
    for status in [too_large.into(), Status::invalid_argument("no"), Status::internal("no"), Status::aborted("no")] {
        let server = Server::doing([Does::Fails(status)]);
        assert_ne!(server.call(READ, message(""), None).await, Code::Ok);
        assert_eq!(server.calls(), 1);
    }
}

#[tokio::test]
async fn attempts_end() {
    let server = Server::doing(vec![overloaded(1); 9]);
    assert_eq!(server.call(READ, message(""), None).await, Code::ResourceExhausted);
    assert_eq!(server.calls(), MOST_ATTEMPTS as usize);
}

#[tokio::test]
async fn the_deadline_bounds_attempts_and_each_is_told_what_is_left() {
    // The server says to wait beyond the deadline: then there is nothing to wait for.
    let server = Server::doing(vec![overloaded(60_000); 9]);
    assert_eq!(server.call(READ, message(""), Some("30S")).await, Code::ResourceExhausted);
    assert_eq!(server.calls(), 1);

    let server = Server::doing(vec![overloaded(20); 2]);
    assert_eq!(server.call(READ, message(""), Some("30S")).await, Code::Ok);
    let told: Vec<Duration> = server.seen.lock().unwrap().iter().map(|(_, timeout)| timeout.unwrap()).collect();
    assert_eq!(told.len(), 3);
    assert!(told[0] <= Duration::from_secs(30), "{told:?}");
    assert!(told.windows(2).all(|two| two[1] + Duration::from_millis(20) <= two[0]), "{told:?}");
}

#[tokio::test]
async fn clones_share_a_budget_and_spend_it_on_nothing_when_it_is_gone() {
    let server = Server::doing(vec![unavailable(); 40]);
    let retry = Retry::new(server.clone(), methods(), 1);
    for _ in 0..20 {
        assert_eq!(ask(&mut retry.clone(), READ, message(""), None).await, Code::Unavailable);
    }
    // Twenty calls, and no more retries than there were tokens to spend.
    assert!(server.calls() <= 25, "{}", server.calls());
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_spared() {
    let server = Server::doing(vec![overloaded(60_000); 1_000]);
    let retry = Retry::new(server.clone(), methods(), 1);
    for _ in 0..200 {
        assert_eq!(ask(&mut retry.clone(), READ, message(""), Some("1S")).await, Code::ResourceExhausted);
    }
    assert!(server.calls() < 100, "{}", server.calls());
}

#[tokio::test]
async fn a_server_that_is_never_in_time_is_spared() {
    let late = Does::Fails(Fault::new(Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED, "late").into());
    let server = Server::doing(vec![late; 1_000]);
    let retry = Retry::new(server.clone(), methods(), 1);
    for _ in 0..200 {
        assert_ne!(ask(&mut retry.clone(), READ, message(""), Some("1S")).await, Code::Ok);
    }
    assert!(server.calls() < 100, "{}", server.calls());
}

#[test]
fn timeouts_are_written_as_they_are_read() {
    for left in [0, 1, 99_999_999, 100_000_000, 3_600_000_000, 9_000_000_000_000_000] {
        let (mut headers, left) = (HeaderMap::new(), Duration::from_micros(left));
        tell_timeout(&mut headers, left);
        let read = deadline::grpc_timeout(&headers).unwrap();
        assert!(
            read <= left && read.as_secs_f64() >= (left.as_secs_f64() * 0.999).min(99_999_999.0),
            "{left:?} {read:?}"
        );
    }
}

#[tokio::test]
async fn a_peer_makes_calls_again_over_the_network() {
    let suite = crate::testing::Suite::start(crate::testing::Suite::settings()).await;
    // Nobody knows these methods, so nothing is made again; the call itself passes as it is.
    let peer = suite.context.peer(None).unwrap().retrying(methods());
    assert_eq!(crate::testing::ScriptClient(peer).run("acme", "quick", None).await.unwrap(), 1);
}
