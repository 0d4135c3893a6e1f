//! Gives requests that cannot be read the code and the reason that clients expect.

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
/// it inflates beyond the limit, as RESOURCE_EXHAUSTED without a reason), and INVALID_ARGUMENT for one that is no message
/// of its type, which the codec takes for a defect of ours.
///
/// Only those very answers are touched: a handler's own pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodecLayer;

impl<S> Layer<S> for CodecLayer {
    type Service = Codec<S>;

    fn layer(&self, inner: S) -> Codec<S> {
        Codec { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Codec<S> {
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Codec<S> {
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
        Poll::Ready(Ok(match unread_answer(response.headers()) {
            Some(fault) => refuse(fault),
            None => response,
        }))
    }
}

/// The codec's own words, which the tests below pin: there is no other mark on its answers.
const DECODED: &str = "Error, decoded message length too large: ";
const INFLATED: &str = "Error decompressing: size limit, of ";
const MALFORMED: [&str; 5] = [
    "failed to decode Protobuf message: ",
    "Missing request message.",
    "Unexpected EOF decoding stream.",
    "protocol error: received message with ",
    "Error decompressing: ",
];

/// What a client is told of a message in the middle of its stream that could not be read; any other status is itself.
pub fn unread(status: Status) -> Status {
    fault(&status).map_or(status, Status::from)
}

fn unread_answer(headers: &HeaderMap) -> Option<Fault> {
    let code = headers.get(Status::GRPC_STATUS)?.as_bytes();
    // Codes first, as text: nearly every answer leaves here without a parse.
    if !matches!(code, b"8" | b"11" | b"13") {
        return None;
    }
    fault(&Status::from_header_map(headers)?)
}

fn fault(status: &Status) -> Option<Fault> {
    if !status.details().is_empty() {
        return None;
    }
    let message = status.message();
    let too_large = |message: String| Fault::new(Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE, message);
    match status.code() {
        Code::OutOfRange => {
            let sizes = message.strip_prefix(DECODED)?;
            Some(too_large(format!("the request message is too large: {sizes}")))
        }
        Code::ResourceExhausted if message.starts_with(INFLATED) => {
            Some(too_large("the request message is too large when inflated".to_owned()))
        }
        Code::Internal if MALFORMED.iter().any(|words| message.starts_with(words)) => {
            let message = "the request is not a message of the method's type";
            Some(Fault::new(Code::InvalidArgument, reason::MESSAGE_MALFORMED, message))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tonic_health::pb::HealthCheckResponse as Reply;

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

    #[tokio::test]
    async fn what_is_no_message_is_refused_as_malformed() {
        let suite = Suite::start(Suite::settings()).await;
        // A number where the method's type has a text.
        for message in [Some(Reply { status: 1 }), None] {
            let refused = suite.ask_otherwise(message).await.unwrap_err();
            let told = (refused.code(), reason_of(&refused));
            assert_eq!(told, (Code::InvalidArgument, reason::MESSAGE_MALFORMED.to_owned()), "{message:?}");
        }
    }

    #[test]
    fn other_statuses_are_left_as_they_are() {
        let own = || Status::internal("a defect");
        assert_eq!(unread(own()).message(), "a defect");
        assert_eq!(unread(Fault::log_internal(&std::io::Error::other("x")).into()).code(), Code::Internal);
        let cut = unread(Status::internal("Unexpected EOF decoding stream."));
        assert_eq!((cut.code(), reason_of(&cut)), (Code::InvalidArgument, reason::MESSAGE_MALFORMED.to_owned()));
    }
}
