//! Where calls come in: each is told where it came from and when, waits for its thread, and is refused if that took too long.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::{Bytes, StdError};
use tonic::transport::server::TcpConnectInfo;
use tower::Service;

use crate::connections::Stack;
use crate::health;
use crate::layers::{Answer, deadline, overload};
use crate::queue::{Queue, Waiting};
use crate::tally::{Open, Tally};

/// When a call arrived, before it waited for its thread: what its client's deadline counts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived(pub(crate) Instant);

/// Takes requests as the transport has them to the stack.
///
/// The transport calls it where it reads the request, and polls what it returns in a task of its own, so that the time in
/// between is the time that the call has waited for its thread. A refusal here costs a fraction of one in the stack.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) stack: Stack,
    pub(crate) connection: TcpConnectInfo,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tally: Arc<Tally>,
}

impl<B> hyper::service::Service<Request<B>> for Entrance
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Entering;

    fn call(&self, request: Request<B>) -> Entering {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.connection.clone());
        let path = request.uri().path();
        let long_lived = deadline::is_long_lived(path);
        // A busy process is not a broken one; and what lives long begins seldom.
        let waits = !long_lived && !path.starts_with(health::PATH);
        let waiting = waits.then(|| self.queue.join(Instant::now()));
        let state = State::Waiting(Some((request, self.stack.clone(), waiting)));
        Entering { state, open: Some(self.tally.open()), long_lived }
    }
}

/// A call on its way to its answer.
pub(crate) struct Entering {
    state: State,
    open: Option<Open>,
    long_lived: bool,
}

/// A call that waits for its turn and then runs.
#[expect(
    clippy::large_enum_variant,
    reason = "each call is both in turn, and a box would be an allocation more for each"
)]
enum State {
    Waiting(Option<(Request<Body>, Stack, Option<Waiting>)>),
    Running(<Stack as Service<Request<Body>>>::Future),
}

impl Future for Entering {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        loop {
            let this = &mut *self;
            let call = match &mut this.state {
                State::Waiting(call) => call,
                State::Running(answer) => {
                    let Ok(answer) = ready!(answer.as_mut().poll(context));
                    let (open, long_lived) = (this.open.take(), this.long_lived);
                    return Poll::Ready(Ok(match open {
                        Some(open) => answer.map(|body| open.until_taken(body, long_lived)),
                        None => answer,
                    }));
                }
            };
            if let Some((request, stack, waiting)) = call {
                if let Some(turn) = waiting {
                    let full = this.open.as_ref().is_some_and(Open::is_of_full);
                    match ready!(turn.poll_begin(context, Instant::now(), full)) {
                        Ok(()) => request.extensions_mut().insert(Arrived(turn.arrived())),
                        Err(too_late) => return Poll::Ready(Ok(overload::refuse_after(too_late.0))),
                    };
                    *waiting = None;
                }
                let Ok(()) = ready!(stack.poll_ready(context));
            }
            let Some((request, mut stack, _)) = call.take() else { return Poll::Pending };
            this.state = State::Running(stack.call(request));
        }
    }
}
