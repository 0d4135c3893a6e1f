//! Turns a panic into an answer.

use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{CatchUnwind, Either, Ready, ready};
use http::uri::PathAndQuery;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, Grpc, method, refuse};
use crate::fault::{Fault, reason};
use crate::telemetry::Telemetry;

/// Answers INTERNAL for a handler that panics, where the client would otherwise see its stream reset.
///
/// The panic's text stays in the log. A panic while a streamed answer is being produced still resets that stream.
#[derive(Clone, Debug)]
pub(crate) struct PanicLayer {
    pub(crate) telemetry: Telemetry,
}

impl<S> Layer<S> for PanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { telemetry: self.telemetry.clone(), inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct CatchPanic<S> {
    telemetry: Telemetry,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for CatchPanic<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Caught<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path_and_query().cloned();
        // Unwind safety is asserted because nothing of the call is used again after its panic; what services share
        // behind locks and pools must bear a handler that stops midway anyway, as every cancelled call is one.
        let inner = match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(future) => Either::Left(AssertUnwindSafe(future).catch_unwind()),
            Err(panic) => Either::Right(ready(Err(panic))),
        };
        Caught { inner, path, telemetry: self.telemetry.clone() }
    }
}

type Panic = Box<dyn Any + Send>;

pin_project! {
    pub(crate) struct Caught<F: Future> {
        #[pin]
        inner: Either<CatchUnwind<AssertUnwindSafe<F>>, Ready<Result<F::Output, Panic>>>,
        path: Option<PathAndQuery>,
        telemetry: Telemetry,
    }
}

impl<F: Future<Output = Answer>> Future for Caught<F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let this = self.project();
        let panic = match std::task::ready!(this.inner.poll(context)) {
            Ok(answer) => return Poll::Ready(answer),
            Err(panic) => panic,
        };
        let method = this.path.as_ref().map_or("", |path| method(path.path()));
        tracing::error!(rpc.method = method, panic = text(&*panic), "a handler panicked");
        if let Some(recorder) = &this.telemetry.recorder {
            recorder.instruments.panicked(method);
        }
        Poll::Ready(Ok(refuse(Fault::new(Code::Internal, reason::INTERNAL, "internal error"))))
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Suite, reason_of};

    #[tokio::test]
    async fn a_panic_is_an_internal_error_without_details() {
        let suite = Suite::start(Suite::settings()).await;
        for service in ["panic", "panic later"] {
            let refused = suite.ask(None, service).await.unwrap_err();
            assert_eq!((refused.code(), refused.message()), (Code::Internal, "internal error"));
            assert_eq!(reason_of(&refused), reason::INTERNAL);
        }
        // The connection and the place of the call survive.
        suite.ask(None, "quick").await.unwrap();
    }
}
