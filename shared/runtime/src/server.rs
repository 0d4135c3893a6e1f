//! The server: one listener and our only stack.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::app::{App, Closings, Context};
use crate::auth::{AuthError, AuthTokens, load_token};
use crate::clock::Clock;
use crate::connections::{self, Limits, Stack};
use crate::guests::Guests;
use crate::health::SwitchHealth;
use crate::layers::auth::AuthLayer;
use crate::layers::codec::CodecLayer;
use crate::layers::deadline::DeadlineLayer;
use crate::layers::overload::OverloadLayer;
use crate::layers::panic::PanicLayer;
use crate::layers::trace::TraceLayer;
use crate::secret::Secret;
use crate::settings::ServeSettings;
use crate::shutdown::Shutdown;
use crate::telemetry::Telemetry;
use crate::threads::Threads;

/// How long all that is done at the end may take together.
const LONGEST_CLOSING: Duration = Duration::from_secs(5);

/// A bound listener, ready to serve an [`App`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    context: Context,
    tokens: Option<Arc<AuthTokens>>,
}

/// Why a server could not start, or stopped other than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The settings contradict each other.
    #[error("{}", .0.join("; "))]
    Settings(Vec<String>),
    /// The token file cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A descriptor set does not describe what is served.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The threads for connections cannot be had.
    #[error("cannot start its threads: {0}")]
    Threads(#[from] std::io::Error),
    /// A background task panicked, and the server stopped because of it.
    #[error("a background task panicked")]
    Background,
}

impl Server {
    /// Checks the settings, reads the tokens and takes the address; clients may connect from here on, and are answered
    /// once the server serves.
    ///
    /// # Errors
    /// When any of the three fails.
    pub async fn bind(settings: ServeSettings, clock: Clock) -> Result<Server, ServerError> {
        settings.validate().map_err(ServerError::Settings)?;
        let tokens = settings.auth_tokens.as_deref().map(AuthTokens::load).transpose()?;
        // The services of this process call each other through the same door as everyone.
        let own_token = tokens.is_some().then(Secret::random);
        let tokens = tokens.zip(own_token.as_ref()).map(|(tokens, own)| Arc::new(tokens.with_internal(own)));
        let peer_token = settings.peer_token.as_deref().map(load_token).transpose()?;
        let bound = TcpListener::bind(settings.listen).await;
        let (listener, address) = bound
            .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
            .map_err(|source| ServerError::Bind { address: settings.listen, source })?;
        let settings = Arc::new(settings);
        let (shutdown, telemetry) = (Shutdown::new(), Telemetry::off());
        let context = Context { settings, clock, address, shutdown, own_token, peer_token, telemetry };
        Ok(Server { listener, context, tokens })
    }

    /// Records calls with `telemetry`; without this nothing is recorded.
    pub fn with_telemetry(mut self, telemetry: Telemetry) -> Server {
        self.context.telemetry = telemetry;
        self
    }

    /// The address it listens on, its port resolved.
    pub fn local_addr(&self) -> SocketAddr {
        self.context.address
    }

    /// What the services need to be built. Its `shutdown` ends this server.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Serves until the context's shutdown begins. Then health answers NOT_SERVING, no connection is accepted any more,
    /// running calls and background tasks finish, and what is left when the grace period ends is dropped.
    ///
    /// # Errors
    /// When the app cannot be served, or one of its background tasks panicked.
    pub async fn serve(self, app: App) -> Result<(), ServerError> {
        let shutdown = self.context.shutdown.clone();
        let grace = self.context.settings.grace_period;
        let stack = self.stack(with_standard_services(app.routes, &app.services, &app.descriptors, &shutdown)?);
        let (settings, telemetry) = (&self.context.settings, &self.context.telemetry);
        let (most, most_of_one) = (settings.max_connections, settings.max_connections_per_address);
        let limits = Limits {
            shutdown: shutdown.clone(),
            grace,
            age: settings.max_connection_age,
            idle: settings.idle_timeout,
            untaken: settings.request_timeout,
            untaken_by_all: Arc::default(),
            streams: settings.max_streams,
            guests: Guests::new(most, most_of_one, telemetry.clone()),
            telemetry: telemetry.clone(),
        };
        let threads = Threads::start(std::thread::available_parallelism().map_or(1, usize::from), telemetry)?;
        let (background, ()) = tokio::join!(
            supervise(app.tasks, shutdown, grace),
            connections::serve(self.listener, &threads, stack, limits),
        );
        close_all(app.closings).await;
        // Last, because what a call opened, such as a connection to a database, lives on its thread.
        drop(threads);
        background
    }

    /// The layers, in the order a request meets them.
    fn stack(&self, routes: Routes) -> Stack {
        let settings = &self.context.settings;
        let layers = ServiceBuilder::new()
            // First, so that every answer below is measured and traced, refusals included.
            .layer(TraceLayer { telemetry: self.context.telemetry.clone() })
            // Before the limit: strangers take no place.
            .layer(AuthLayer { tokens: self.tokens.clone() })
            .layer(OverloadLayer::new(settings.concurrency_limit, self.context.telemetry.clone()))
            // Below the limit: a call that ran out of time gives its place back.
            .layer(DeadlineLayer { longest: settings.request_timeout })
            // Below everything that must outlive a handler's panic.
            .layer(PanicLayer { telemetry: self.context.telemetry.clone() })
            // Next to the codec, whose answer it corrects.
            .layer(CodecLayer);
        BoxCloneSyncService::new(layers.service(routes.prepare()))
    }
}

/// Adds health, and reflection (both versions: many tools still speak the older) when there is something to describe.
fn with_standard_services(
    routes: Routes,
    services: &[&'static str],
    descriptors: &[&'static [u8]],
    shutdown: &Shutdown,
) -> Result<Routes, ServerError> {
    let routes = routes.add_service(HealthServer::new(SwitchHealth::new(services.iter().copied(), shutdown.clone())));
    if descriptors.is_empty() {
        return Ok(routes);
    }
    let describe = || {
        let mut builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        for descriptor in descriptors {
            builder = builder.register_encoded_file_descriptor_set(descriptor);
        }
        // Only what is mounted: a descriptor set may hold services of other processes.
        services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
    };
    Ok(routes.add_service(describe().build_v1()?).add_service(describe().build_v1alpha()?))
}

/// Does what is to be done at the end. What hangs there is left: the process ends all the same.
async fn close_all(closings: Closings) {
    let all = async {
        for closing in closings.0 {
            closing.await;
        }
    };
    if timeout(LONGEST_CLOSING, all).await.is_err() {
        tracing::warn!("closing took too long, leaving the rest");
    }
}

/// Waits for the background tasks until the grace period ends. A task that panics takes the process down with it: half
/// a service that looks whole is worse than a restart.
async fn supervise(mut tasks: JoinSet<()>, shutdown: Shutdown, grace: Duration) -> Result<(), ServerError> {
    let mut outcome = Ok(());
    let too_late = async {
        shutdown.wait().await;
        sleep(grace).await;
    };
    let finished = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a background task panicked, stopping");
                outcome = Err(ServerError::Background);
                shutdown.begin();
            }
        }
    };
    tokio::select! {
        () = finished => {}
        () = too_late => tracing::warn!("grace period over, dropping background tasks"),
    }
    tasks.shutdown().await;
    outcome
}

#[cfg(test)]
mod tests {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

    use super::*;
    use crate::testing::{Suite, eventually};

    #[tokio::test]
    async fn health_turns_before_the_running_calls_end() {
        let suite = Suite::start(Suite::settings()).await;
        let mut client = HealthClient::new(suite.context.peer(None).unwrap());
        for service in ["", "test.v1.Script"] {
            let request = HealthCheckRequest { service: service.to_owned() };
            assert_eq!(client.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving);
        }
        let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;

        suite.context.shutdown.begin();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert!(watch.message().await.unwrap().is_none());
        assert_eq!(suite.running(), 1);
        suite.release();
        running.await.unwrap().unwrap();
        suite.stop().await.unwrap();
    }

    #[tokio::test]
    async fn streams_that_end_on_the_shutdown_do_not_delay_it() {
        let suite = Suite::start(Suite::settings()).await;
        let mut watch = suite.watch(None).await;
        watch.message().await.unwrap().unwrap();
        let begun = tokio::time::Instant::now();
        suite.stop().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn reflection_lists_what_is_mounted() {
        let server = Server::bind(Suite::settings(), Clock::system()).await.unwrap();
        let mut app = App::new();
        app.describe(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let suite = Suite::serve(server, app);
        let mut client = ServerReflectionClient::new(suite.context.peer(None).unwrap());
        let ask = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut answers = client.server_reflection_info(futures_util::stream::iter([ask])).await.unwrap().into_inner();
        let answer: ServerReflectionResponse = answers.message().await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("{answer:?}") };
        let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["grpc.health.v1.Health", "test.v1.Script"]);
    }

    #[tokio::test]
    async fn a_background_task_that_panics_stops_the_server() {
        let server = Server::bind(Suite::settings(), Clock::system()).await.unwrap();
        let mut app = App::new();
        app.background(async { panic!("lost the feed") });
        assert!(matches!(server.serve(app).await, Err(ServerError::Background)));
    }

    #[tokio::test]
    async fn what_is_to_be_done_at_the_end_is_done_when_nothing_runs_any_more() {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (task, closing) = (order.clone(), order.clone());
        let server = Server::bind(Suite::settings(), Clock::system()).await.unwrap();
        let shutdown = server.context().shutdown;
        let mut app = App::new();
        app.at_end(async move { closing.lock().unwrap().push("closed") });
        let ended = shutdown.wait();
        app.background(async move {
            ended.await;
            task.lock().unwrap().push("task ended");
        });
        shutdown.begin();
        server.serve(app).await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["task ended", "closed"]);
    }

    #[tokio::test]
    async fn background_tasks_are_waited_for_within_the_grace_period() {
        let settings = ServeSettings { grace_period: Duration::from_millis(50), ..Suite::settings() };
        let server = Server::bind(settings, Clock::system()).await.unwrap();
        let shutdown = server.context().shutdown;
        let mut app = App::new();
        app.background(shutdown.wait()).background(std::future::pending());
        shutdown.begin();
        server.serve(app).await.unwrap();
    }

    #[tokio::test]
    async fn a_taken_address_is_named() {
        let server = Server::bind(Suite::settings(), Clock::system()).await.unwrap();
        let settings = ServeSettings { listen: server.local_addr(), ..Suite::settings() };
        let error = Server::bind(settings, Clock::system()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {}: ", server.local_addr())), "{error}");
    }
}
