//! The connection to the NATS servers, and the stream there.

use std::{sync::atomic::Ordering, time::Duration};

use async_nats::{
    Client, ConnectOptions, Event,
    connection::State,
    jetstream::{
        self, Context,
        context::GetStreamErrorKind,
        stream::{Config, DiscardPolicy, RetentionPolicy, Stream},
    },
};
use runtime::{BoxError, FeedSettings};

use crate::{Error, wire::Subjects};

/// How long a request, or the acknowledgement of a message, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long the stream knows the ids of messages, at most. The order of a subject is guarded without them.
const IDS_KNOWN: Duration = Duration::from_secs(120);
/// The server's code for a stream that is not there.
const NO_STREAM: u64 = 404;

/// The stream that carries the feeds. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) context: Context,
    pub(crate) subjects: Subjects,
    settings: FeedSettings,
}

impl Bus {
    /// Begins to connect, and goes on by itself for as long as it takes; none if the settings name no servers.
    ///
    /// # Errors
    /// If an address is none, or a file that the settings name cannot be read.
    pub async fn connect(settings: &FeedSettings, name: &str) -> Result<Option<Self>, BoxError> {
        let Some(addresses) = settings.addresses() else { return Ok(None) };
        let addresses = addresses.into_iter().map(str::parse).collect::<Result<Vec<async_nats::ServerAddr>, _>>();
        // The address itself may hold a password.
        let addresses = addresses.map_err(|error| format!("--feed names no NATS server: {error}"))?;
        let mut options = ConnectOptions::new()
            .name(format!("rapport {name}"))
            .retry_on_initial_connect()
            .max_reconnects(None)
            .request_timeout(Some(PATIENCE))
            .event_callback(|event| async move {
                match event {
                    Event::Connected => tracing::info!("connected with the NATS servers"),
                    Event::Disconnected => tracing::warn!("the connection with the NATS servers is lost"),
                    Event::SlowConsumer(_) => tracing::warn!("messages of the NATS servers were not read in time"),
                    event => tracing::info!(%event, "the NATS servers"),
                }
            });
        if let Some(file) = &settings.credentials {
            options = options.credentials_file(file).await.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        if let Some(file) = &settings.authority {
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(addresses).await?;
        let context = jetstream::ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client.clone());
        Ok(Some(Self { client, context, subjects: Subjects::of_stream(&settings.stream), settings: settings.clone() }))
    }

    /// Whether the servers can be reached now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// How often the connection was made: after each time the servers may know less than they acknowledged before.
    pub fn connections(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// The stream as it is on the servers; it is made if it is not there.
    pub(crate) async fn stream(&self) -> Result<Stream, Error> {
        match self.context.get_stream(&self.settings.stream).await {
            Ok(stream) => return Ok(stream),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.code() as u64 == NO_STREAM => {}
                _ => return Err(Error::away(error)),
            },
        }
        let FeedSettings { stream, replicas, max_age, max_bytes, .. } = &self.settings;
        let config = Config {
            name: stream.clone(),
            description: Some("The change feeds of Rapport's services.".to_owned()),
            subjects: vec![self.subjects.all()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            max_age: *max_age,
            max_bytes: i64::try_from(*max_bytes).unwrap_or(i64::MAX),
            num_replicas: *replicas,
            duplicate_window: IDS_KNOWN.min(*max_age),
            ..Config::default()
        };
        // Another may have made it meanwhile, with the same settings or others: theirs stand.
        match self.context.create_stream(config).await {
            Ok(stream) => {
                tracing::info!(stream = stream.cached_info().config.name, "made the stream of the feeds");
                Ok(stream)
            }
            Err(error) => self.context.get_stream(stream).await.map_err(|_| Error::away(error)),
        }
    }
}
