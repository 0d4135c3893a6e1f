//! Calls that are made again when that is safe, may help, and hurts nobody.

mod budget;
mod methods;

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Service, ServiceExt as _};

use self::budget::Budget;
pub use self::methods::{Methods, MethodsError};
use crate::channel;
use crate::fault::{Fault, reason};
use crate::layers::deadline;

/// How often a call is made at most, as gRPC's own retries are (proposal A6 allows five; three meet a restart and a burst).
const MOST_ATTEMPTS: u32 = 3;
/// The pause before the second attempt is between nothing and this, and each further one between nothing and twice as much:
/// "full jitter", which lets the fewest attempts meet (M. Brooker, "Exponential Backoff and Jitter", 2015).
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause of our own choice is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes unary calls again over an inner service, such as a channel. Streams pass as they are.
///
/// - A call that was never sent, or that the server refused before it began, is made again whatever it does; one that failed
///   with UNAVAILABLE otherwise only if [`Methods`] says that it may be done twice.
/// - It waits as long as the server's `google.rpc.RetryInfo` says, or else at random; never beyond the call's deadline, of
///   which each attempt is told what is left.
/// - A budget, which clones share, bounds what attempts add to the load of a server that fails; and while a server refuses
///   most of what it is asked, a part of the calls is refused here and never sent, with the server's own reason.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    methods: Arc<Methods>,
    budget: Budget,
}

impl<S> Retry<S> {
    /// Retries calls of these methods. `seed` makes its chances; clients that start together need different ones.
    pub fn new(inner: S, methods: Arc<Methods>, seed: u64) -> Retry<S> {
        Retry { inner, shared: Arc::new(Shared { methods, budget: Budget::new(Instant::now(), seed) }) }
    }
}

/// What an attempt came to.
enum Attempt {
    /// An answer, or a failure that no other attempt would change.
    Final(Result<Response<Body>, Status>),
    /// It may be made again, after so long if the server said so.
    Again(Result<Response<Body>, Status>, Option<Duration>),
}

impl<S> Service<Request<Body>> for Retry<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<Box<dyn Error + Send + Sync>>, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(context).map_err(channel::status)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready is used, and its clone is left for the next call.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        if !self.shared.methods.is_unary(request.uri().path()) {
            let answer = inner.call(request);
            return Box::pin(async move { answer.await.map_err(channel::status) });
        }
        let shared = self.shared.clone();
        Box::pin(async move { shared.call(inner, request).await })
    }
}

impl Shared {
    async fn call<S>(&self, mut inner: S, request: Request<Body>) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error: Into<Box<dyn Error + Send + Sync>>> + Clone,
    {
        let timeout = deadline::grpc_timeout(request.headers());
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (parts, body) = request.into_parts();
        // The one message of a unary call is in memory already.
        let message = body.collect().await?.to_bytes();
        let safe = self.methods.may_be_done_twice(parts.uri.path(), &message);
        for attempt in 1.. {
            if !self.budget.sends(Instant::now()) {
                return Err(not_sent().into());
            }
            let mut again = Request::from_parts(parts.clone(), body_of(message.clone()));
            if let Some(end) = end {
                tell_timeout(again.headers_mut(), end.saturating_duration_since(Instant::now()));
            }
            let ready = inner.ready().await.map_err(channel::status)?;
            let (answer, pause) = match self.judge(ready.call(again).await, safe) {
                Attempt::Final(answer) => return answer,
                Attempt::Again(answer, pause) => (answer, pause),
            };
            if attempt >= MOST_ATTEMPTS || !self.budget.retries() {
                return answer;
            }
            let pause = self.pause(attempt, pause);
            if end.is_some_and(|end| Instant::now() + pause >= end) {
                return answer;
            }
            sleep(pause).await;
        }
        Err(Status::internal("a call that was never made"))
    }

    /// Counts an attempt, and says whether there may be another.
    fn judge<E>(&self, answer: Result<Response<Body>, E>, safe: bool) -> Attempt
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let now = Instant::now();
        match answer {
            Ok(answer) => {
                // A refusal has its status among the headers; otherwise an answer has begun.
                let Some(status) = Status::from_header_map(answer.headers()) else {
                    self.budget.answered(now);
                    return Attempt::Final(Ok(answer));
                };
                let refused = is_refusal(&status);
                match status.code() {
                    _ if refused => self.budget.refused(now),
                    // It had too much to do to be in time.
                    Code::DeadlineExceeded => self.budget.refused(now),
                    Code::Unavailable => self.budget.failed(now),
                    _ => self.budget.answered(now),
                }
                if refused || safe && status.code() == Code::Unavailable {
                    return Attempt::Again(Ok(answer), told_pause(&status));
                }
                Attempt::Final(Ok(answer))
            }
            Err(error) => {
                let error = error.into();
                let unsent = channel::was_never_sent(&*error);
                let status = channel::status(error);
                match status.code() {
                    Code::DeadlineExceeded => self.budget.refused(now),
                    _ => self.budget.failed(now),
                }
                if unsent || safe && status.code() == Code::Unavailable {
                    return Attempt::Again(Err(status), None);
                }
                Attempt::Final(Err(status))
            }
        }
    }

    fn pause(&self, attempt: u32, told: Option<Duration>) -> Duration {
        let chance = self.budget.chance();
        match told {
            // The server has spread its hints; a tenth more keeps apart those who were told the same.
            Some(told) => told.mul_f64(1.0 + chance / 10.0),
            None => LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(attempt.min(10) - 1)).mul_f64(chance),
        }
    }
}

/// Whether the server refused the call before it began.
fn is_refusal(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted
        && status.get_details_error_info().is_some_and(|info| info.reason == reason::OVERLOADED)
}

fn told_pause(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}

fn not_sent() -> Fault {
    let message = "the server refuses most calls, so this one was not sent";
    Fault::new(Code::ResourceExhausted, reason::OVERLOADED, message).retry_after(Duration::from_secs(1))
}

fn body_of(message: Bytes) -> Body {
    Body::new(Full::new(message).map_err(|never| match never {}))
}

/// Writes what is left of a call's time as the protocol has it: at most eight digits.
fn tell_timeout(headers: &mut HeaderMap, left: Duration) {
    let (micros, millis) = (left.as_micros(), left.as_millis());
    let text = match () {
        () if micros < 100_000_000 => format!("{micros}u"),
        () if millis < 100_000_000 => format!("{millis}m"),
        () => format!("{}S", left.as_secs().min(99_999_999)),
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert("grpc-timeout", value);
    }
}

#[cfg(test)]
mod tests;
