//! Channels to the other processes of the suite.

use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::TryFutureExt;
use futures_util::future::{Either, MapErr};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::{self, Channel, Endpoint};
use tonic::{ConnectError, Status, TimeoutExpired};
use tower::Service;

use crate::layers::deadline;
use crate::retry::{Methods, Retry};
use crate::secret::Secret;
use crate::telemetry;

/// The channel that clients of the suite's services are built on: `OrdersServiceClient<Peer>`.
///
/// Every call carries the bearer token and the current trace, and a call that runs out of time fails with
/// DEADLINE_EXCEEDED. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Peer {
    channel: Channel,
    authorization: Option<HeaderValue>,
    retry: Option<Retry<Channel>>,
}

/// Why a peer cannot be dialled at all.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The address is not a URI we can dial.
    #[error("{uri:?} is no address of a peer: it should look like http://host:port")]
    Uri {
        /// What was given.
        uri: String,
    },
    /// The token holds characters that a header cannot.
    #[error("the bearer token cannot be sent: it holds control characters")]
    Bearer,
}

/// A channel that dials `uri` on first use and again whenever the connection is lost. It must be called on a Tokio runtime.
///
/// # Errors
/// When the URI or the token can never work.
pub fn peer(uri: &str, bearer: Option<Secret>) -> Result<Peer, PeerError> {
    let malformed = || PeerError::Uri { uri: uri.to_owned() };
    let parsed: http::Uri = uri.parse().map_err(|_| malformed())?;
    if parsed.scheme_str() != Some("http") || parsed.authority().is_none() {
        return Err(malformed());
    }
    let authorization = bearer.map(|secret| authorization(&secret)).transpose()?;
    let channel = Endpoint::from(parsed)
        // Without it, Nagle's algorithm holds small messages back for some 40 ms.
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(5))
        .tcp_keepalive(Some(Duration::from_secs(60)))
        // A peer that vanished without a word is noticed within 40 s, also under an idle stream.
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .connect_lazy();
    Ok(Peer { channel, authorization, retry: None })
}

impl Peer {
    /// The same channel, over which unary calls of these methods are made again where that is safe, as [`Retry`] says.
    pub fn retrying(mut self, methods: Arc<Methods>) -> Peer {
        self.retry = Some(Retry::new(self.channel.clone(), methods, random_seed()));
        self
    }
}

/// A seed that no other client has.
pub fn random_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}

fn authorization(secret: &Secret) -> Result<HeaderValue, PeerError> {
    let text = format!("Bearer {}", secret.expose());
    let mut value = HeaderValue::try_from(text).map_err(|_| PeerError::Bearer)?;
    // Neither printed by Debug nor kept in HPACK's table.
    value.set_sensitive(true);
    Ok(value)
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Either<
        MapErr<<Channel as Service<Request<Body>>>::Future, fn(transport::Error) -> Status>,
        <Retry<Channel> as Service<Request<Body>>>::Future,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        match &mut self.retry {
            Some(retry) => retry.poll_ready(context),
            None => self.channel.poll_ready(context).map_err(status),
        }
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        telemetry::propagate(request.headers_mut());
        match &mut self.retry {
            Some(retry) => Either::Right(retry.call(request)),
            None => Either::Left(self.channel.call(request).map_err(status)),
        }
    }
}

/// The channel calls its own timeout a cancellation; callers must be able to tell the two apart.
pub(crate) fn status(error: impl Into<Box<dyn Error + Send + Sync>>) -> Status {
    let error = error.into();
    if any_cause(&*error, |cause| cause.is::<TimeoutExpired>()) {
        return deadline::exceeded().into();
    }
    Status::from_error(error)
}

/// Whether a call failed before any of it was sent: nobody was there, or its connection ended while it waited for its turn.
pub(crate) fn was_never_sent(error: &(dyn Error + 'static)) -> bool {
    any_cause(error, |cause| {
        cause.is::<ConnectError>() || cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
    })
}

/// Whether this is so of an error, or of what caused it.
fn any_cause(error: &(dyn Error + 'static), is_so: impl Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if is_so(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::fault::reason;
    use crate::testing::{ScriptClient, Suite, reason_of};

    #[tokio::test]
    async fn a_bearer_is_not_printed() {
        let peer = peer("http://127.0.0.1:1", Some(Secret::new("hunter2"))).unwrap();
        assert!(!format!("{peer:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn what_can_never_be_dialled_is_refused_at_once() {
        for uri in ["", "orders:7600", "https://orders:7600", "http://", "/orders", "unix:/run/orders"] {
            assert!(matches!(peer(uri, None), Err(PeerError::Uri { .. })), "{uri}");
        }
        assert!(matches!(peer("http://a:1", Some(Secret::new("a\nb"))), Err(PeerError::Bearer)));
        assert!(peer("http://orders.rapport.svc:7600", None).is_ok());
    }

    #[tokio::test]
    async fn a_peer_that_is_away_is_unavailable() {
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut client = ScriptClient(peer(&format!("http://{nobody}"), None).unwrap());
        assert_eq!(client.run("acme", "quick", None).await.unwrap_err().code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn a_call_that_runs_out_of_time_says_so() {
        let suite = Suite::start(Suite::settings()).await;
        let refused = suite.ask_within("slow", Some("40m")).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason_of(&refused)),
            (Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED.to_owned())
        );
    }
}
