//! Bounds how many calls run at once.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::Either;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, Grpc, refuse};
use crate::fault::{Fault, reason};
use crate::health;
use crate::load::Load;
use crate::pace::Pace;
use crate::telemetry::{Telemetry, names};
use crate::throttle::Throttle;

/// Refuses a call when the limit is reached: a queue would only turn overload into timeouts. Of a flood most wait to be told so
/// ([`Pace`]).
///
/// A call holds its place until its answer begins, so long-lived answers such as watches do not use up the places.
/// Health is always answered: a busy process is not a broken one.
#[derive(Clone, Debug)]
pub(crate) struct OverloadLayer {
    door: Door,
}

#[derive(Clone, Debug)]
struct Door {
    places: Arc<Semaphore>,
    load: Arc<Load>,
    refusals: Arc<Mutex<Pace>>,
    lines: Arc<Throttle>,
    telemetry: Telemetry,
}

impl OverloadLayer {
    pub(crate) fn new(limit: usize, telemetry: Telemetry) -> OverloadLayer {
        if let Some(recorder) = &telemetry.recorder {
            recorder.instruments.calls_limited(limit);
        }
        let now = Instant::now();
        let door = Door {
            places: Arc::new(Semaphore::new(limit)),
            load: Arc::new(Load::new(now)),
            refusals: Arc::new(Mutex::new(Pace::new(now))),
            lines: Arc::default(),
            telemetry,
        };
        OverloadLayer { door }
    }
}

impl Door {
    /// Takes a place, or refuses.
    fn enter(&self, now: Instant) -> Result<OwnedSemaphorePermit, Refused> {
        let place = self.places.clone().try_acquire_owned();
        self.load.count(now, place.is_err());
        place.map_err(|_| {
            if let Some(recorder) = &self.telemetry.recorder {
                recorder.instruments.call_refused(names::REFUSED_RUNNING);
            }
            if let Some(unsaid) = self.lines.line() {
                tracing::warn!(unsaid, "refusing calls: there are as many as may run at once");
            }
            // Nothing that is done under the lock panics.
            let at = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(now);
            Refused { turn: (at > now).then(|| Box::pin(sleep_until(at))), pause: self.load.pause() }
        })
    }
}

impl<S> Layer<S> for OverloadLayer {
    type Service = Overload<S>;

    fn layer(&self, inner: S) -> Overload<S> {
        Overload { door: self.door.clone(), inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Overload<S> {
    door: Door,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Overload<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Admitted<S::Future>, Refused>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut place = None;
        if !request.uri().path().starts_with(health::PATH) {
            place = match self.door.enter(Instant::now()) {
                Ok(place) => Some(place),
                Err(refused) => return Either::Right(refused),
            };
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
        let answer = ready!(this.inner.poll(context));
        this.place.take();
        Poll::Ready(answer)
    }
}

/// A call that is refused as its turn comes.
#[derive(Debug)]
pub(crate) struct Refused {
    turn: Option<Pin<Box<Sleep>>>,
    pause: Duration,
}

impl Future for Refused {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        if let Some(turn) = &mut self.turn {
            ready!(turn.as_mut().poll(context));
        }
        Poll::Ready(Ok(refuse_after(self.pause)))
    }
}

/// The shortest pause that is told in a refusal, and into how many steps each doubling of it is parted.
const FIRST_STEP: Duration = Duration::from_millis(50);
const STEPS: f64 = 4.0;
/// Enough for the longest pause.
const MOST_STEPS: usize = 32;

/// A refusal with a hint of about so long. It is made once for each step: a flood is refused at the price of a copy, and HTTP/2
/// sends of headers that it has sent before no more than their number.
pub(crate) fn refuse_after(pause: Duration) -> Response<Body> {
    static REFUSALS: [OnceLock<HeaderMap>; MOST_STEPS] = [const { OnceLock::new() }; MOST_STEPS];
    let step = ((pause.as_secs_f64() / FIRST_STEP.as_secs_f64()).log2() * STEPS).clamp(0.0, (MOST_STEPS - 1) as f64);
    let headers = REFUSALS[step as usize].get_or_init(|| {
        let pause = FIRST_STEP.mul_f64((step.floor() / STEPS).exp2());
        refuse(overloaded(Duration::from_millis(pause.as_millis() as u64))).into_parts().0.headers
    });
    let mut answer = Response::new(Body::empty());
    *answer.headers_mut() = headers.clone();
    answer
}

fn overloaded(pause: Duration) -> Fault {
    Fault::new(Code::ResourceExhausted, reason::OVERLOADED, "too many calls are running, try again").retry_after(pause)
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;
    use crate::pace::AT_ONCE;
    use crate::settings::ServeSettings;
    use crate::testing::{Suite, eventually, reason_of};

    #[tokio::test]
    async fn calls_beyond_the_limit_are_refused_at_once_and_told_when_to_retry() {
        let suite = Suite::start(ServeSettings { concurrency_limit: 1, ..Suite::settings() }).await;
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;

        let refused = suite.ask(None, "quick").await.unwrap_err();
        assert_eq!((refused.code(), reason_of(&refused)), (Code::ResourceExhausted, reason::OVERLOADED.to_owned()));
        let pause = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(pause >= Duration::from_millis(50) && pause <= Duration::from_secs(10), "{pause:?}");
        suite.health().await.unwrap();

        suite.release();
        running.await.unwrap().unwrap();
        suite.ask(None, "quick").await.unwrap();
    }

    #[tokio::test]
    async fn a_flood_beyond_the_limit_is_refused_one_after_another() {
        let door = OverloadLayer::new(1, Telemetry::off()).door;
        let later = Instant::now() + Duration::from_secs(1);
        let _running = door.enter(later).unwrap();
        let refused: Vec<Refused> = (0..AT_ONCE + 100).map(|_| door.enter(later).unwrap_err()).collect();
        assert!(refused[..AT_ONCE].iter().all(|refused| refused.turn.is_none()));
        let turns = refused[AT_ONCE..].iter().map(|refused| refused.turn.as_ref().unwrap().deadline());
        let turns: Vec<Instant> = turns.collect();
        assert!(turns[0] > later && turns.windows(2).all(|turns| turns[0] < turns[1]));
    }

    #[tokio::test]
    async fn a_thread_that_cannot_keep_up_refuses_what_waits_answers_health_and_recovers_at_once() {
        // All over one connection, and so on one thread: half a second of work comes at once.
        let suite = Suite::start(ServeSettings { max_streams: 1_000, ..Suite::settings() }).await;
        let client = suite.client(None);
        let calls = (0..400).map(|_| {
            let mut client = client.clone();
            async move { client.run("acme", "busy", None).await }
        });
        let (answers, health) = tokio::join!(futures_util::future::join_all(calls), suite.health());
        health.unwrap();
        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(!refused.is_empty() && refused.len() < answers.len(), "{} of {}", refused.len(), answers.len());
        for status in refused {
            assert_eq!((status.code(), reason_of(status)), (Code::ResourceExhausted, reason::OVERLOADED.to_owned()));
            assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() >= Duration::from_millis(50));
        }
        for _ in 0..100 {
            client.clone().run("acme", "quick", None).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_call_that_its_client_gives_up_stops() {
        let suite = Suite::start(ServeSettings { concurrency_limit: 1, ..Suite::settings() }).await;
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;
        running.abort();
        eventually(|| suite.running() == 0).await;
        // And its place is free.
        suite.ask(None, "quick").await.unwrap();
    }
}
