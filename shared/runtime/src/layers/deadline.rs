//! Bounds how long a call may take.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::Either;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{Answer, Grpc, refuse};
use crate::entrance::Arrived;
use crate::fault::{Fault, reason};

/// When a call must be answered. Handlers find it with [`deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left, zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Gives a call to a peer no more time than is left of this one.
    pub fn limit<T>(&self, request: &mut tonic::Request<T>) {
        request.set_timeout(self.remaining());
    }
}

/// The deadline of a call, if it has one: every call does, except long-lived ones whose client sets none.
pub fn deadline<T>(request: &tonic::Request<T>) -> Option<Deadline> {
    request.extensions().get().copied()
}

/// Answers DEADLINE_EXCEEDED and drops the handler when a call takes longer than its client allows or than `longest`.
///
/// Methods that live long by nature follow their client alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer {
    pub(crate) longest: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadlines<S>;

    fn layer(&self, inner: S) -> Deadlines<S> {
        Deadlines { longest: self.longest, inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Deadlines<S> {
    longest: Duration,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Deadlines<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Bounded<S::Future>, Ready<Answer>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let long_lived = is_long_lived(request.uri().path());
        let asked = grpc_timeout(request.headers());
        let allowed =
            if long_lived { asked } else { Some(asked.map_or(self.longest, |asked| asked.min(self.longest))) };
        let now = Instant::now();
        let arrived = request.extensions().get().map_or(now, |Arrived(arrived)| *arrived);
        // A client may ask for more time than the machine can count; then it has no deadline.
        let end = allowed.and_then(|allowed| arrived.checked_add(allowed));
        if let Some(end) = end {
            // It has waited too long for its thread: nobody listens to the answer any more.
            if end <= now {
                return Either::Right(ready(Ok(refuse(exceeded()))));
            }
            request.extensions_mut().insert(Deadline(end));
        }
        Either::Left(Bounded { inner: self.inner.call(request), timer: end.map(sleep_until), long_lived })
    }
}

/// Feeds, imports, what takes them back, and checks of or trials on everything last as long as their client wants, like
/// a session of reflection.
pub(crate) fn is_long_lived(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let verbs = ["Watch", "Import", "Undo", "Verify", "Try", "Backtest", "Reanalyze"];
    verbs.iter().any(|verb| name.starts_with(verb)) || name == "ServerReflectionInfo"
}

/// The `grpc-timeout` header: at most eight digits and a unit. A malformed one counts as absent, as elsewhere in gRPC.
pub(crate) fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

pub(crate) fn exceeded() -> Fault {
    Fault::new(Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED, "the call took longer than it may")
}

pin_project! {
    pub(crate) struct Bounded<F> {
        #[pin]
        inner: F,
        #[pin]
        timer: Option<Sleep>,
        long_lived: bool,
    }
}

impl<F: Future<Output = Answer>> Future for Bounded<F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let this = self.project();
        if let Poll::Ready(Ok(response)) = this.inner.poll(context) {
            let deadline = this.timer.as_ref().get_ref().as_ref().map(Sleep::deadline);
            return Poll::Ready(Ok(match deadline {
                // The answer has only begun: its client's deadline holds for the rest of it.
                Some(end) if *this.long_lived => response.map(|body| Body::new(Ending::new(body, end))),
                _ => response,
            }));
        }
        match this.timer.as_pin_mut().map(|timer| timer.poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(Ok(refuse(exceeded()))),
            _ => Poll::Pending,
        }
    }
}

pin_project! {
    /// A streamed answer that ends with DEADLINE_EXCEEDED when its time is over.
    struct Ending {
        #[pin]
        inner: Body,
        #[pin]
        timer: Sleep,
        over: bool,
    }
}

impl Ending {
    fn new(inner: Body, end: Instant) -> Ending {
        Ending { inner, timer: sleep_until(end), over: false }
    }
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.over {
            return Poll::Ready(None);
        }
        // The timer first: a stream that is never short of messages must end as well.
        if this.timer.poll(context).is_pending() {
            return this.inner.poll_frame(context);
        }
        *this.over = true;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(Status::from(exceeded()).add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::settings::ServeSettings;
    use crate::testing::{Suite, eventually, reason_of};

    fn assert_exceeded(status: &Status) {
        assert_eq!((status.code(), reason_of(status)), (Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED.to_owned()));
    }

    #[tokio::test]
    async fn a_call_past_the_servers_limit_is_answered_and_dropped() {
        let settings = ServeSettings { request_timeout: Duration::from_millis(50), ..Suite::settings() };
        let suite = Suite::start(settings).await;
        assert_exceeded(&suite.ask(None, "slow").await.unwrap_err());
        eventually(|| suite.running() == 0).await;
        // A client cannot ask for more than the server allows.
        assert_exceeded(&suite.ask_within("slow", Some("60S")).await.unwrap_err());
    }

    #[tokio::test]
    async fn a_call_past_its_clients_deadline_is_answered() {
        // Straight at the layer: a channel would end the call by itself at about the same time.
        let never = tower::service_fn(|_: Request<Body>| std::future::pending::<Answer>());
        let mut service = DeadlineLayer { longest: Duration::from_secs(30) }.layer(never);
        let request = Request::builder().header("grpc-timeout", "40m").body(Body::empty()).unwrap();
        let Ok(answer) = service.call(request).await;
        assert_exceeded(&Status::from_header_map(answer.headers()).unwrap());

        let suite = Suite::start(Suite::settings()).await;
        let left = suite.ask_within("time left", Some("9S")).await.unwrap();
        assert!(left > 8_000 && left <= 9_000, "{left}");
        let left = suite.ask_within("time left", None).await.unwrap();
        assert!(left > 29_000 && left <= 30_000, "{left}");
    }

    #[tokio::test]
    async fn a_call_whose_time_has_passed_before_its_turn_is_not_begun() {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        let counting = tower::service_fn(move |request: Request<Body>| {
            count.fetch_add(1, Ordering::SeqCst);
            assert!(request.extensions().get::<Deadline>().unwrap().remaining() < Duration::from_secs(7));
            ready(Answer::Ok(Response::new(Body::empty())))
        });
        let mut service = DeadlineLayer { longest: Duration::from_secs(30) }.layer(counting);
        let mut arrived = |timeout: &str, ago: u64| {
            let arrived = Arrived(Instant::now().checked_sub(Duration::from_secs(ago)).unwrap());
            let request = Request::builder().header("grpc-timeout", timeout).extension(arrived);
            service.call(request.body(Body::empty()).unwrap())
        };
        let Ok(answer) = arrived("2S", 3).await;
        assert_exceeded(&Status::from_header_map(answer.headers()).unwrap());
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        // One that has waited has only the rest of its time.
        let Ok(answer) = arrived("10S", 3).await;
        assert!(Status::from_header_map(answer.headers()).is_none());
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_watch_outlives_the_servers_limit_and_ends_with_its_clients() {
        let settings = ServeSettings { request_timeout: Duration::from_millis(20), ..Suite::settings() };
        let suite = Suite::start(settings).await;
        let mut watch = suite.watch(None).await;
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            watch.message().await.unwrap().unwrap();
        }
        let mut watch = suite.watch(Some("100m")).await;
        let end = loop {
            match watch.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the watch ended without a status"),
                Err(status) => break status,
            }
        };
        assert_exceeded(&end);
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let read = |text: &str| {
            grpc_timeout(&HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-timeout"),
                text.parse().unwrap(),
            )]))
        };
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("0S"), Some(Duration::ZERO));
        assert_eq!(read("5m"), Some(Duration::from_millis(5)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("5n"), Some(Duration::from_nanos(5)));
        for text in ["", "S", "5", "5s", "-5S", "+5S", "123456789S", "5 S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn long_lived_methods_are_known_by_name() {
        assert!(is_long_lived("/rapport.orders.v1.OrdersService/WatchOrders"));
        assert!(is_long_lived("/rapport.orders.v1.OrdersService/ImportOrders"));
        assert!(is_long_lived("/rapport.orders.v1.OrdersService/UndoOrdersImport"));
        assert!(is_long_lived("/rapport.assessments.v1.AssessmentsService/VerifyLedgers"));
        assert!(is_long_lived("/rapport.assessments.v1.AssessmentsService/TryModel"));
        assert!(!is_long_lived("/rapport.orders.v1.OrdersService/UndeleteOrder"));
        assert!(!is_long_lived("/rapport.orders.v1.OrdersService/GetOrder"));
        assert!(!is_long_lived("/WatchService/GetOrder"));
    }
}
