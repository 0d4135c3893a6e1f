//! What a process serves, gathered before it is served.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;

use crate::channel::{Peer, PeerError, peer};
use crate::clock::Clock;
use crate::secret::Secret;
use crate::settings::ServeSettings;
use crate::shutdown::Shutdown;
use crate::telemetry::Telemetry;

/// An error of any kind, for the few places where the only thing left to do is to print it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the process lends to the services it hosts. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Context {
    /// The settings the process runs with.
    pub settings: Arc<ServeSettings>,
    /// The time.
    pub clock: Clock,
    /// The address the process listens on, its port resolved.
    pub address: SocketAddr,
    /// Begins when the process should end: streams and background tasks end on it.
    pub shutdown: Shutdown,
    /// Opens this process's own listener, for every tenant; `None` when it asks for no token.
    pub own_token: Option<Secret>,
    /// Presented to other processes of the suite, from the settings.
    pub peer_token: Option<Secret>,
    /// Where a service records its own figures.
    pub telemetry: Telemetry,
}

impl Context {
    /// The URI of this process's own listener.
    pub fn own_uri(&self) -> String {
        // An address that means "every interface" cannot be dialled everywhere; loopback is among them.
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// A channel to another process of the suite or, without a URI, to this one. It dials on first use. Each is shown the
    /// token meant for it: this process's own never leaves it.
    ///
    /// # Errors
    /// When the URI is none.
    pub fn peer(&self, uri: Option<&str>) -> Result<Peer, PeerError> {
        match uri {
            Some(uri) => peer(uri, self.peer_token.clone()),
            None => peer(&self.own_uri(), self.own_token.clone()),
        }
    }
}

/// The services, their descriptors and their background tasks.
///
/// Dropping it ends the tasks.
#[derive(Debug, Default)]
pub struct App {
    pub(crate) routes: Routes,
    pub(crate) services: Vec<&'static str>,
    pub(crate) descriptors: Vec<&'static [u8]>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) closings: Closings,
}

impl App {
    /// An app that serves nothing yet.
    pub fn new() -> App {
        App::default()
    }

    /// Mounts a service; health and reflection know it by its own name.
    pub fn mount<S>(&mut self, service: S) -> &mut App
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes = std::mem::take(&mut self.routes).add_service(service);
        self.services.push(S::NAME);
        self
    }

    /// Adds an encoded `FileDescriptorSet` for reflection. Files given twice are kept once.
    pub fn describe(&mut self, descriptor_set: &'static [u8]) -> &mut App {
        if !self.descriptors.contains(&descriptor_set) {
            self.descriptors.push(descriptor_set);
        }
        self
    }

    /// Does something once no call and no task runs any more, such as closing a database.
    pub fn at_end(&mut self, closing: impl Future<Output = ()> + Send + 'static) -> &mut App {
        self.closings.0.push(Box::pin(closing));
        self
    }

    /// Starts a task that runs beside the services and ends by itself once the shutdown begins. The server waits for it
    /// within the grace period and aborts it after.
    pub fn background(&mut self, task: impl Future<Output = ()> + Send + 'static) -> &mut App {
        self.tasks.spawn(task);
        self
    }
}

/// What is left to do when nothing runs any more.
#[derive(Default)]
pub(crate) struct Closings(pub(crate) Vec<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl fmt::Debug for Closings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} closings", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_uri_can_be_dialled() {
        let mut context = Context {
            settings: Arc::new(ServeSettings::default()),
            clock: Clock::system(),
            address: "0.0.0.0:80".parse().unwrap(),
            shutdown: Shutdown::new(),
            own_token: None,
            peer_token: None,
            telemetry: Telemetry::off(),
        };
        assert_eq!(context.own_uri(), "http://127.0.0.1:80");
        context.address = "[::]:81".parse().unwrap();
        assert_eq!(context.own_uri(), "http://[::1]:81");
        context.address = "10.0.0.1:82".parse().unwrap();
        assert_eq!(context.own_uri(), "http://10.0.0.1:82");
    }
}
