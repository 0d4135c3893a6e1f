//! The harness: a suite in the test's own process, on a free port, over a temporary folder or schemas of its own on a server,
//! with a clock that stands still until the test moves it. Tests act through the public API only.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

pub mod benchmark;
pub mod bulk;
pub mod chance;
pub mod foreign;
pub mod history;
mod place;
pub mod process;
pub mod resources;

use std::time::Duration;

use aggregator::PeerAddresses;
use contracts::accounts::v1::accounts_service_client::AccountsServiceClient;
use contracts::assessments::v1::assessments_service_client::AssessmentsServiceClient;
use contracts::feedback::v1::feedback_service_client::FeedbackServiceClient;
use contracts::interactions::v1::interactions_service_client::InteractionsServiceClient;
use contracts::orders::v1::orders_service_client::OrdersServiceClient;
use contracts::predictions::v1::{Fit, FitState, GetFitRequest, predictions_service_client::PredictionsServiceClient};
use contracts::voice::v1::voice_service_client::VoiceServiceClient;
use prost_types::Timestamp;
use runtime::{App, Clock, Context, FeedSettings, Peer, Secret, ServeSettings, Server};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

pub use place::{Place, SERVICES, Schemas};

/// When the suite's clock stands as it starts: 2026-01-05T12:00:00Z, in microseconds since 1970.
pub const START: i64 = 1_767_614_400_000_000;
/// The tenant that tests use unless they say otherwise.
pub const TENANT: &str = "test";

/// A running suite. Dropping it ends it.
pub struct Suite {
    /// Moves the time.
    pub clock: Clock,
    /// Where it listens, and how to stop it.
    pub context: Context,
    place: Option<Place>,
    serving: JoinHandle<()>,
}

impl Suite {
    /// Starts the suite.
    pub async fn start() -> Self {
        Self::start_in(Place::new()).await
    }

    /// Starts the suite with direct streams, whatever the environment says.
    pub async fn start_direct() -> Self {
        Self::start_feeding(FeedSettings::default()).await
    }

    /// Starts the suite with feeds that travel like this.
    pub async fn start_feeding(feed: FeedSettings) -> Self {
        Self::start_with(Place::new(), ServeSettings { feed, ..ServeSettings::default() }).await
    }

    /// Starts the orders service alone: nobody follows it, and it follows nobody.
    pub async fn start_orders() -> Self {
        let (server, clock, place) = bind(Place::new(), ServeSettings::default()).await;
        let context = server.context();
        let mut app = App::new();
        orders::build(&mut app, &context, place.url("orders").as_deref(), None).await.unwrap();
        Self::serve(server, app, clock, place)
    }

    /// Starts the interactions service alone.
    pub async fn start_interactions() -> Self {
        let (server, clock, place) = bind(Place::new(), ServeSettings::default()).await;
        let context = server.context();
        let mut app = App::new();
        interactions::build(&mut app, &context, place.url("interactions").as_deref()).await.unwrap();
        Self::serve(server, app, clock, place)
    }

    /// Starts the suite in a place.
    pub async fn start_in(place: Place) -> Self {
        let feed = feed(&place);
        Self::start_with(place, ServeSettings { feed, ..ServeSettings::default() }).await
    }

    /// Starts the suite in a place with settings other than the usual; those of place and address are the harness's.
    pub async fn start_with(place: Place, settings: ServeSettings) -> Self {
        Self::start_some(place, settings, &SERVICES, &PeerAddresses::default()).await
    }

    /// Starts some of the services. The aggregator finds those that are not among them at these addresses.
    pub async fn start_some(place: Place, settings: ServeSettings, services: &[&str], peers: &PeerAddresses) -> Self {
        let (server, clock, place) = bind(place, settings).await;
        let context = server.context();
        let mut app = App::new();
        for service in services {
            let url = place.url(service);
            let (app, url) = (&mut app, url.as_deref());
            let built = match *service {
                "accounts" => accounts::build(app, &context, url).await,
                "interactions" => interactions::build(app, &context, url).await,
                "feedback" => feedback::build(app, &context, url).await,
                "orders" => orders::build(app, &context, url, None).await,
                "aggregator" => aggregator::build(app, &context, url, peers).await,
                unknown => panic!("there is no service `{unknown}`"),
            };
            built.unwrap();
        }
        Self::serve(server, app, clock, place)
    }

    fn serve(server: Server, app: App, clock: Clock, place: Place) -> Self {
        let context = server.context();
        let serving = tokio::spawn(async move { server.serve(app).await.unwrap() });
        Self { clock, context, place: Some(place), serving }
    }

    /// The schemas that have its data, if it is on a server.
    pub fn schemas(&self) -> Option<&Schemas> {
        self.place.as_ref().and_then(Place::schemas)
    }

    /// Stops the suite and starts it again over the same place.
    pub async fn restart(self) -> Self {
        self.restart_after(async || {}).await
    }

    /// Stops the suite, does something, and starts it again over the same place.
    pub async fn restart_after(mut self, act: impl AsyncFnOnce()) -> Self {
        self.stop().await;
        act().await;
        let place = self.place.take().unwrap();
        self.start_again(place).await
    }

    /// Stops the suite, and leaves what it kept.
    pub async fn end(mut self) -> Place {
        self.stop().await;
        self.place.take().unwrap()
    }

    async fn stop(&mut self) {
        self.context.shutdown.begin();
        (&mut self.serving).await.unwrap();
    }

    async fn start_again(&self, place: Place) -> Self {
        let feed = self.context.settings.feed.clone();
        let suite = Self::start_with(place, ServeSettings { feed, ..ServeSettings::default() }).await;
        suite.clock.set(self.clock.now());
        suite
    }

    /// A channel to the suite.
    pub fn peer(&self) -> Peer {
        self.context.peer(None).unwrap()
    }

    /// Stops the suite and starts it again after one service lost its database.
    pub async fn restart_without(mut self, service: &str) -> Self {
        self.stop().await;
        let place = self.place.take().unwrap();
        place.lose(service).await;
        self.start_again(place).await
    }

    /// A client of the accounts service.
    pub fn accounts(&self) -> AccountsServiceClient<Peer> {
        AccountsServiceClient::new(self.peer())
    }

    /// A client of the interactions service.
    pub fn interactions(&self) -> InteractionsServiceClient<Peer> {
        InteractionsServiceClient::new(self.peer())
    }

    /// A client of the feedback service.
    pub fn feedback(&self) -> FeedbackServiceClient<Peer> {
        FeedbackServiceClient::new(self.peer())
    }

    /// A client of the aggregator.
    pub fn assessments(&self) -> AssessmentsServiceClient<Peer> {
        AssessmentsServiceClient::new(self.peer())
    }

    /// A client of the predictions.
    pub fn predictions(&self) -> PredictionsServiceClient<Peer> {
        PredictionsServiceClient::new(self.peer())
    }

    /// A client of the voice of the customer.
    pub fn voice(&self) -> VoiceServiceClient<Peer> {
        VoiceServiceClient::new(self.peer())
    }

    /// A client of the orders service.
    pub fn orders(&self) -> OrdersServiceClient<Peer> {
        OrdersServiceClient::new(self.peer())
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        self.context.shutdown.begin();
    }
}

/// Binds a free port over a place, with a clock that stands still.
async fn bind(place: Place, settings: ServeSettings) -> (Server, Clock, Place) {
    let clock = Clock::fixed(START);
    let settings = ServeSettings { listen: ([127, 0, 0, 1], 0).into(), data_dir: place.path().to_owned(), ..settings };
    (Server::bind(settings, clock.clone()).await.unwrap(), clock, place)
}

/// How changes travel in a suite in this place: directly or, if `TEST_NATS_URL` names servers (`tests/nats.sh` starts one),
/// over a stream of the place's own.
fn feed(place: &Place) -> FeedSettings {
    let servers = std::env::var("TEST_NATS_URL").ok().map(Secret::new);
    let name = place.path().file_name().unwrap_or_default().to_string_lossy();
    let stream = name.chars().filter(char::is_ascii_alphanumeric).collect();
    // The servers set the room aside that a stream may take.
    FeedSettings { servers, stream, max_bytes: 64 * 1024 * 1024, ..FeedSettings::default() }
}

/// A request of [`TENANT`].
pub fn ask<M>(message: M) -> Request<M> {
    ask_as(TENANT, message)
}

/// A request of [`TENANT`] that may take so many seconds.
pub fn ask_for<M>(seconds: u64, message: M) -> Request<M> {
    let mut request = ask(message);
    request.set_timeout(Duration::from_secs(seconds));
    request
}

/// A request of a tenant.
pub fn ask_as<M>(tenant: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("rapport-tenant", tenant.parse().unwrap());
    request.set_timeout(Duration::from_secs(20));
    request
}

/// Waits for something that must come about, by asking for it again and again. How long is up to the environment:
/// `RAPPORT_TEST_PATIENCE`, in seconds.
pub async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let seconds = std::env::var("RAPPORT_TEST_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let patience = tokio::time::timeout(Duration::from_secs(seconds), async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    patience.await.expect("patience ran out")
}

/// A time, so many days after [`START`].
pub fn day(days: f64) -> Option<Timestamp> {
    let micros = START + (days * 86_400e6) as i64;
    Some(Timestamp { seconds: micros.div_euclid(1_000_000), nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32 })
}

/// What an error says: its code, its reason from the registry, and the fields at fault.
pub fn refusal(status: &Status) -> (Code, String, Vec<String>) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "rapport");
    let fields = details.bad_request().map_or(Vec::new(), |request| {
        request.field_violations.iter().map(|violation| violation.field.clone()).collect()
    });
    (status.code(), info.reason.clone(), fields)
}

/// Waits until a fit has ended, however.
pub async fn ended(suite: &Suite, name: &str) -> Fit {
    eventually(async || {
        let get = GetFitRequest { name: name.to_owned() };
        let fit = suite.predictions().get_fit(ask(get)).await.unwrap().into_inner().fit.unwrap();
        (!matches!(fit.state(), FitState::Pending | FitState::Running)).then_some(fit)
    })
    .await
}
