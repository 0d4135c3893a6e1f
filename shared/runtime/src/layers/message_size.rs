//! Gives requests that are too large the code that clients expect.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{Answer, Grpc, refuse};
use crate::fault::{Fault, reason};

/// Answers RESOURCE_EXHAUSTED for a request message over the limit, which the codec reports as OUT_OF_RANGE (or, when
/// it inflates beyond the limit, as RESOURCE_EXHAUSTED without a reason).
///
/// Only those very answers are touched: a handler's own OUT_OF_RANGE passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageSizeLayer;

impl<S> Layer<S> for MessageSizeLayer {
    type Service = MessageSize<S>;

    fn layer(&self, inner: S) -> MessageSize<S> {
        MessageSize { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct MessageSize<S> {
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for MessageSize<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Mapped<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Mapped { inner: self.inner.call(request) }
    }
}

pin_project! {
    pub(crate) struct Mapped<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Answer>> Future for Mapped<F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let Ok(response) = std::task::ready!(self.project().inner.poll(context));
        Poll::Ready(Ok(match too_large(response.headers()) {
            Some(message) => refuse(Fault::new(Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE, message)),
            None => response,
        }))
    }
}

/// The codec's own words, which a test below pins: there is no other mark on its answer.
const DECODED: &str = "Error, decoded message length too large: ";
const INFLATED: &str = "Error decompressing: size limit, of ";

fn too_large(headers: &HeaderMap) -> Option<String> {
    let code = headers.get(Status::GRPC_STATUS)?.as_bytes();
    // Codes first, as text: nearly every answer leaves here without a parse.
    if !matches!(code, b"11" | b"8") || headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return None;
    }
    let status = Status::from_header_map(headers)?;
    let message = status.message();
    match status.code() {
        Code::OutOfRange => {
            message.strip_prefix(DECODED).map(|sizes| format!("the request message is too large: {sizes}"))
        }
        Code::ResourceExhausted if message.starts_with(INFLATED) => {
            Some("the request message is too large when inflated".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{LIMIT, Suite, reason_of};

    #[tokio::test]
    async fn a_request_over_the_limit_is_refused_as_too_large() {
        let suite = Suite::start(Suite::settings()).await;
        let refused = suite.ask(None, &"x".repeat(LIMIT)).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason_of(&refused)),
            (Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE.to_owned())
        );
        assert!(refused.message().starts_with("the request message is too large: found "), "{refused}");
    }

    #[tokio::test]
    async fn a_bomb_is_refused_as_too_large() {
        let suite = Suite::start(Suite::settings()).await;
        let refused = suite.ask_compressed(&"x".repeat(64 * LIMIT)).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason_of(&refused)),
            (Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE.to_owned())
        );
    }

    #[tokio::test]
    async fn a_handlers_own_out_of_range_passes() {
        let suite = Suite::start(Suite::settings()).await;
        let refused = suite.ask(None, "out of range").await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::OutOfRange, "no such page"));
    }
}
