//! Bounds how many calls run at once.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::Either;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, Grpc, refuse};
use crate::fault::{Fault, reason};
use crate::health;

/// Refuses a call at once when the limit is reached: a queue would only turn overload into timeouts.
///
/// A call holds its place until its answer begins, so long-lived answers such as watches do not use up the places.
/// Health is always answered: a busy process is not a broken one.
#[derive(Clone, Debug)]
pub(crate) struct OverloadLayer {
    places: Arc<Semaphore>,
}

impl OverloadLayer {
    pub(crate) fn new(limit: usize) -> OverloadLayer {
        OverloadLayer { places: Arc::new(Semaphore::new(limit)) }
    }
}

impl<S> Layer<S> for OverloadLayer {
    type Service = Overload<S>;

    fn layer(&self, inner: S) -> Overload<S> {
        Overload { places: self.places.clone(), inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Overload<S> {
    places: Arc<Semaphore>,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Overload<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Admitted<S::Future>, Ready<Answer>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut place = None;
        if !request.uri().path().starts_with(health::PATH) {
            place = self.places.clone().try_acquire_owned().ok();
            if place.is_none() {
                return Either::Right(ready(Ok(refuse(overloaded()))));
            }
        }
        Either::Left(Admitted { inner: self.inner.call(request), place })
    }
}

pin_project! {
    /// A running call and its place, given back when it is answered or dropped.
    pub(crate) struct Admitted<F> {
        #[pin]
        inner: F,
        place: Option<OwnedSemaphorePermit>,
    }
}

impl<F: Future> Future for Admitted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let answer = std::task::ready!(this.inner.poll(context));
        this.place.take();
        Poll::Ready(answer)
    }
}

fn overloaded() -> Fault {
    Fault::new(Code::ResourceExhausted, reason::OVERLOADED, "too many calls are running, try again")
        .retry_after(Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;
    use crate::settings::ServeSettings;
    use crate::testing::{Suite, eventually, reason_of};

    #[tokio::test]
    async fn calls_beyond_the_limit_are_refused_at_once_and_told_when_to_retry() {
        let suite = Suite::start(ServeSettings { concurrency_limit: 1, ..Suite::settings() }).await;
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;

        let refused = suite.ask(None, "quick").await.unwrap_err();
        assert_eq!((refused.code(), reason_of(&refused)), (Code::ResourceExhausted, reason::OVERLOADED.to_owned()));
        assert_eq!(refused.get_details_retry_info().unwrap().retry_delay, Some(Duration::from_millis(500)));
        suite.health().await.unwrap();

        suite.release();
        running.await.unwrap().unwrap();
        suite.ask(None, "quick").await.unwrap();
    }
}
