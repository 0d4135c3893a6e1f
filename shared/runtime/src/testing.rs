//! A tiny service behind the real stack, for the tests of this crate.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use http::uri::PathAndQuery;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codec::{CompressionEncoding, EnabledCompressionEncodings};
use tonic::server::{NamedService, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest as Command, HealthCheckResponse as Reply};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::{App, Clock, Context, Peer, Secret, ServeSettings, Server, ServerError, Shutdown, deadline, peer};

/// The largest request the scripted service reads.
pub(crate) const LIMIT: usize = 4 * 1024;

type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// The reason in a refusal; a refusal without one fails the test.
pub(crate) fn reason_of(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("{status} has no ErrorInfo"));
    assert_eq!(info.domain, "rapport");
    info.reason
}

pub(crate) fn digest(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for something that must become true; how long is up to the environment.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    let seconds = std::env::var("RAPPORT_TEST_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let patience = tokio::time::timeout(Duration::from_secs(seconds), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    patience.await.expect("patience ran out");
}

/// A service that does what its request says.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    running: Arc<AtomicUsize>,
    released: Shutdown,
    shutdown: Shutdown,
    /// Where "relay" sends its own call.
    pub(crate) relay: Option<Peer>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Script {
    fn new(shutdown: Shutdown) -> Script {
        Script { running: Arc::default(), released: Shutdown::new(), shutdown, relay: None }
    }

    /// How many "slow" calls are running.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    async fn run(self, request: Request<Command>) -> Result<Response<Reply>, Status> {
        let left = deadline(&request).map_or(0, |deadline| deadline.remaining().as_millis());
        let status = match request.get_ref().service.as_str() {
            "slow" => {
                self.running.fetch_add(1, Ordering::SeqCst);
                let _running = Running(self.running.clone());
                self.released.wait().await;
                1
            }
            "busy" => {
                let begun = std::time::Instant::now();
                while begun.elapsed() < Duration::from_millis(2) {}
                1
            }
            "panic" => panic!("a detail that stays inside"),
            "panic later" => {
                tokio::task::yield_now().await;
                panic!("a detail that stays inside: {left}")
            }
            "out of range" => return Err(Status::out_of_range("no such page")),
            "time left" => i32::try_from(left).unwrap(),
            "relay" => {
                let mut client = ScriptClient(self.relay.unwrap());
                client.run("acme", "quick", None).await?
            }
            _ => 1,
        };
        Ok(Response::new(Reply { status }))
    }
}

impl UnaryService<Command> for Script {
    type Response = Reply;
    type Future = BoxFuture<Reply>;

    fn call(&mut self, request: Request<Command>) -> Self::Future {
        Box::pin(self.clone().run(request))
    }
}

impl ServerStreamingService<Command> for Script {
    type Response = Reply;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;
    type Future = BoxFuture<Self::ResponseStream>;

    fn call(&mut self, _: Request<Command>) -> Self::Future {
        let stop: Stop = Box::pin(self.shutdown.wait());
        let ticks = stream::unfold(0, |count| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok(Reply { status: count }), count + 1))
        });
        let ticks: Self::ResponseStream = Box::pin(ticks.take_until(stop));
        Box::pin(std::future::ready(Ok(Response::new(ticks))))
    }
}

impl NamedService for Script {
    const NAME: &'static str = "test.v1.Script";
}

impl tower::Service<http::Request<Body>> for Script {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let script = self.clone();
        let mut accepted = EnabledCompressionEncodings::default();
        accepted.enable(CompressionEncoding::Gzip);
        let mut grpc = tonic::server::Grpc::new(ProstCodec::<Reply, Command>::default())
            .apply_max_message_size_config(Some(LIMIT), None)
            .apply_compression_config(accepted, EnabledCompressionEncodings::default());
        Box::pin(async move {
            Ok(if request.uri().path().ends_with("/WatchRun") {
                grpc.server_streaming(script, request).await
            } else {
                grpc.unary(script, request).await
            })
        })
    }
}

/// The client of the scripted service.
#[derive(Clone)]
pub(crate) struct ScriptClient(pub(crate) Peer);

impl ScriptClient {
    pub(crate) async fn run(&mut self, tenant: &str, command: &str, timeout: Option<&str>) -> Result<i32, Status> {
        self.call(tonic::client::Grpc::new(self.0.clone()), ask(tenant, command, timeout)).await
    }

    async fn call(&mut self, mut grpc: tonic::client::Grpc<Peer>, request: Request<Command>) -> Result<i32, Status> {
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static("/test.v1.Script/Run");
        let codec = ProstCodec::<Command, Reply>::default();
        Ok(grpc.unary(request, path, codec).await?.into_inner().status)
    }

    async fn watch(&mut self, timeout: Option<&str>) -> Result<Streaming<Reply>, Status> {
        let mut grpc = tonic::client::Grpc::new(self.0.clone());
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static("/test.v1.Script/WatchRun");
        let codec = ProstCodec::<Command, Reply>::default();
        Ok(grpc.server_streaming(ask("acme", "", timeout), path, codec).await?.into_inner())
    }
}

async fn ready(grpc: &mut tonic::client::Grpc<Peer>) -> Result<(), Status> {
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))
}

/// The timeout is written as a header, so that only the server keeps it: the channel would cut the call by itself.
fn ask(tenant: &str, command: &str, timeout: Option<&str>) -> Request<Command> {
    let mut request = Request::new(Command { service: command.to_owned() });
    request.metadata_mut().insert("rapport-tenant", tenant.parse().unwrap());
    if let Some(timeout) = timeout {
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
    }
    request
}

/// A server with the scripted service, on a free port.
pub(crate) struct Suite {
    pub(crate) context: Context,
    script: Script,
    served: JoinHandle<Result<(), ServerError>>,
}

impl Suite {
    pub(crate) fn settings() -> ServeSettings {
        ServeSettings { listen: ([127, 0, 0, 1], 0).into(), ..ServeSettings::default() }
    }

    pub(crate) async fn start(settings: ServeSettings) -> Suite {
        Suite::serve(Server::bind(settings, Clock::system()).await.unwrap(), App::new())
    }

    pub(crate) fn serve(server: Server, mut app: App) -> Suite {
        let context = server.context();
        let mut script = Script::new(context.shutdown.clone());
        script.relay = Some(context.peer(None).unwrap());
        app.mount(script.clone());
        Suite { context, script, served: tokio::spawn(server.serve(app)) }
    }

    pub(crate) fn client(&self, bearer: Option<Secret>) -> ScriptClient {
        ScriptClient(peer(&self.context.own_uri(), bearer).unwrap())
    }

    pub(crate) async fn ask(&self, bearer: Option<Secret>, command: &str) -> Result<i32, Status> {
        self.ask_for(bearer, "acme", command).await
    }

    pub(crate) async fn ask_for(&self, bearer: Option<Secret>, tenant: &str, command: &str) -> Result<i32, Status> {
        self.client(bearer).run(tenant, command, None).await
    }

    pub(crate) async fn ask_within(&self, command: &str, timeout: Option<&str>) -> Result<i32, Status> {
        self.client(None).run("acme", command, timeout).await
    }

    pub(crate) async fn ask_compressed(&self, command: &str) -> Result<i32, Status> {
        let mut client = self.client(None);
        let grpc = tonic::client::Grpc::new(client.0.clone()).send_compressed(CompressionEncoding::Gzip);
        client.call(grpc, ask("acme", command, None)).await
    }

    /// Asks with a message of another type, or with none.
    pub(crate) async fn ask_otherwise(&self, message: Option<Reply>) -> Result<i32, Status> {
        let mut grpc = tonic::client::Grpc::new(self.client(None).0);
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static("/test.v1.Script/Run");
        let codec = ProstCodec::<Reply, Reply>::default();
        let mut answers = grpc.streaming(Request::new(stream::iter(message)), path, codec).await?.into_inner();
        answers.next().await.unwrap_or_else(|| Err(Status::unknown("no answer"))).map(|answer| answer.status)
    }

    pub(crate) fn spawn(&self, command: &'static str) -> JoinHandle<Result<i32, Status>> {
        let mut client = self.client(None);
        tokio::spawn(async move { client.run("acme", command, None).await })
    }

    pub(crate) async fn watch(&self, timeout: Option<&str>) -> Streaming<Reply> {
        self.client(None).watch(timeout).await.unwrap()
    }

    pub(crate) async fn health(&self) -> Result<i32, Status> {
        let mut client = HealthClient::new(peer(&self.context.own_uri(), None).unwrap());
        Ok(client.check(Command::default()).await?.into_inner().status)
    }

    pub(crate) fn script(&self) -> Script {
        self.script.clone()
    }

    pub(crate) fn running(&self) -> usize {
        self.script.running()
    }

    /// Lets every "slow" call finish.
    pub(crate) fn release(&self) {
        self.script.released.begin();
    }

    pub(crate) async fn stop(self) -> Result<(), ServerError> {
        self.context.shutdown.begin();
        self.served.await.unwrap()
    }
}
