//! Gives each call its trace, its span and its place in the metrics.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use opentelemetry::trace::{SpanKind, Status as SpanStatus, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{Answer, Grpc, method};
use crate::health;
use crate::telemetry::{self, Decision, Recorder, Telemetry, names};

/// Continues the caller's trace, records a span when the call is sampled, and measures every call.
///
/// The span ends where the answer begins, so that a watch does not keep one open for days; the metrics last to the
/// answer's end. Probes of health leave no mark.
#[derive(Clone, Debug)]
pub(crate) struct TraceLayer {
    pub(crate) telemetry: Telemetry,
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { telemetry: self.telemetry.clone(), inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Trace<S> {
    telemetry: Telemetry,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Trace<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Traced<S::Future>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (context, call) = self.begin(&request);
        let _entered = context.clone().map(Context::attach);
        Traced { inner: self.inner.call(request), context, call }
    }
}

impl<S> Trace<S> {
    fn begin(&self, request: &Request<Body>) -> (Option<Context>, Option<Call>) {
        if request.uri().path().starts_with(health::PATH) {
            return (None, None);
        }
        let Some(recorder) = &self.telemetry.recorder else {
            return (telemetry::extract(request.headers()), None);
        };
        let (context, span) = match recorder.sampling.decide(request.headers()) {
            Decision::Record(parent) => {
                let context = recorder.start_span(method(request.uri().path()), &parent);
                (context.clone(), Some(context))
            }
            Decision::Carry(context) => (context, None),
        };
        recorder.instruments.call_begins();
        let path = request.uri().path_and_query().cloned();
        let call = Call { recorder: recorder.clone(), path, started: Instant::now(), span, measured: false };
        (Some(context), Some(call))
    }
}

impl Recorder {
    fn start_span(&self, method: &str, parent: &Context) -> Context {
        let attributes =
            [KeyValue::new(names::RPC_SYSTEM_NAME, names::GRPC), KeyValue::new(names::RPC_METHOD, method.to_owned())];
        let builder =
            self.tracer.span_builder(method.to_owned()).with_kind(SpanKind::Server).with_attributes(attributes);
        parent.with_span(self.tracer.build_with_context(builder, parent))
    }
}

/// A call being recorded. Dropped early, it was cancelled.
#[derive(Debug)]
struct Call {
    recorder: Arc<Recorder>,
    path: Option<PathAndQuery>,
    started: Instant,
    span: Option<Context>,
    measured: bool,
}

impl Call {
    fn end_span(&mut self, code: Code) {
        let Some(context) = self.span.take() else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, names::code(code)));
        if names::is_server_error(code) {
            span.set_attribute(KeyValue::new(names::ERROR_TYPE, names::code(code)));
            // The description stays empty: messages may hold what a trace should not keep.
            span.set_status(SpanStatus::error(""));
        }
        span.end();
    }

    fn end(&mut self, code: Code) {
        self.end_span(code);
        if !self.measured {
            self.measured = true;
            let method = self.path.as_ref().map_or("", |path| method(path.path()));
            self.recorder.instruments.call_ends(method, code, self.started.elapsed());
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

pin_project! {
    pub(crate) struct Traced<F> {
        #[pin]
        inner: F,
        context: Option<Context>,
        call: Option<Call>,
    }
}

impl<F: Future<Output = Answer>> Future for Traced<F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Answer> {
        let this = self.project();
        let _entered = this.context.clone().map(Context::attach);
        let Ok(response) = ready!(this.inner.poll(context));
        let Some(mut call) = this.call.take() else { return Poll::Ready(Ok(response)) };
        // A status among the headers is a whole answer; otherwise it follows the body.
        if let Some(code) = code(response.headers()) {
            call.end(code);
            return Poll::Ready(Ok(response));
        }
        call.end_span(Code::Ok);
        Poll::Ready(Ok(response.map(|body| Body::new(Measured { inner: body, call }))))
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

pin_project! {
    /// A body that ends its call with the status in its trailers.
    struct Measured {
        #[pin]
        inner: Body,
        call: Call,
    }
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(code) {
                    this.call.end(code);
                }
            }
            Some(Err(status)) => this.call.end(status.code()),
            None => this.call.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
