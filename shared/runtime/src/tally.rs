//! What a connection has open: its calls, and the answers that its client has yet to take.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

/// How many bytes of answers a client may leave untaken before its further calls are refused: two of the largest messages
/// that clients take by default. A client that reads has some hundred kilobytes on their way.
const UNTAKEN: usize = 8 << 20;
/// The same for all connections together; then whoever leaves anything untaken is refused, and all others are served.
const UNTAKEN_BY_ALL: usize = 256 << 20;

/// The calls of one connection. Time passes in ticks, which the connection gives it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes of answers that were made and are not on their way to the client yet.
    untaken: AtomicUsize,
    /// The same of all connections.
    untaken_by_all: Arc<AtomicUsize>,
    open: AtomicUsize,
    /// Grows with each call.
    calls: AtomicUsize,
    tick: AtomicUsize,
    /// Answers that began in this tick and in the one before, and are not taken yet.
    answers: [AtomicUsize; 2],
}

/// A call that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    tally: Arc<Tally>,
    /// The slot of its answer, once that began.
    answer: Option<usize>,
    /// Bytes of it that were made last.
    made: usize,
}

impl Tally {
    /// The tally of a connection, of which `untaken_by_all` is shared by all.
    pub(crate) fn new(untaken_by_all: Arc<AtomicUsize>) -> Tally {
        Tally { untaken_by_all, ..Tally::default() }
    }

    /// Whether the client leaves so much of its answers that it should take some before it asks for more: what it does not take
    /// fills memory.
    pub(crate) fn is_full(&self) -> bool {
        let untaken = self.untaken.load(Relaxed);
        untaken > UNTAKEN || untaken > 0 && self.untaken_by_all.load(Relaxed) > UNTAKEN_BY_ALL
    }

    fn made(&self, bytes: usize) {
        self.untaken.fetch_add(bytes, Relaxed);
        self.untaken_by_all.fetch_add(bytes, Relaxed);
    }

    fn taken(&self, bytes: usize) {
        self.untaken.fetch_sub(bytes, Relaxed);
        self.untaken_by_all.fetch_sub(bytes, Relaxed);
    }

    /// Notes a call.
    pub(crate) fn open(self: &Arc<Tally>) -> Open {
        self.open.fetch_add(1, Relaxed);
        self.calls.fetch_add(1, Relaxed);
        Open { tally: self.clone(), answer: None, made: 0 }
    }

    /// Passes the time by a tick. Returns false if there is an answer that its client has not taken for a tick or two.
    pub(crate) fn pass(&self) -> bool {
        let next = self.tick.fetch_add(1, Relaxed) + 1;
        // What is still in the slot began before the last tick.
        self.answers[next % 2].load(Relaxed) == 0
    }

    /// Whether a call is open.
    pub(crate) fn is_busy(&self) -> bool {
        self.open.load(Relaxed) > 0
    }

    /// How many calls there have been.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

impl Open {
    /// Whether the client of its connection is to take answers first.
    pub(crate) fn is_of_full(&self) -> bool {
        self.tally.is_full()
    }

    /// Keeps the call open until its answer is taken. Of an answer that lives as long as its client wants, nothing is expected.
    pub(crate) fn until_taken(mut self, answer: Body, long_lived: bool) -> Body {
        if http_body::Body::is_end_stream(&answer) {
            return answer;
        }
        if !long_lived {
            let slot = self.tally.tick.load(Relaxed) % 2;
            self.tally.answers[slot].fetch_add(1, Relaxed);
            self.answer = Some(slot);
        }
        Body::new(Taken { inner: answer, open: self })
    }
}

impl Open {
    /// More of the answer was made, or is about to be: what was made before is on its way.
    fn goes_on(&mut self, made: usize) {
        self.tally.taken(std::mem::replace(&mut self.made, made));
        self.tally.made(made);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.goes_on(0);
        self.tally.open.fetch_sub(1, Relaxed);
        if let Some(slot) = self.answer {
            self.tally.answers[slot].fetch_sub(1, Relaxed);
        }
    }
}

pin_project! {
    /// An answer on its way to the client.
    struct Taken {
        #[pin]
        inner: Body,
        open: Open,
    }
}

impl http_body::Body for Taken {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = this.inner.poll_frame(context);
        // The transport asks for more when the client has room for all that it was given.
        let made = match &frame {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        this.open.goes_on(made);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Body {
        Body::new(String::from("an answer"))
    }

    #[test]
    fn an_answer_has_a_tick_or_two_to_be_taken() {
        let tally = Arc::new(Tally::default());
        let late = tally.open().until_taken(answer(), false);
        assert!(tally.pass());
        let taken = tally.open().until_taken(answer(), false);
        assert!(!tally.pass());
        drop(late);
        assert!(tally.is_busy());
        drop(taken);
        assert!(tally.pass() && tally.pass() && tally.pass());
        assert!(!tally.is_busy());
        assert_eq!(tally.calls(), 2);
    }

    #[tokio::test]
    async fn who_leaves_megabytes_untaken_takes_them_first() {
        use http_body_util::BodyExt as _;
        let all = Arc::default();
        let (full, other) = (Arc::new(Tally::new(Arc::clone(&all))), Tally::new(all));
        let message = "m".repeat(UNTAKEN / 4);
        let mut answers: Vec<Body> =
            (0..5).map(|_| full.open().until_taken(Body::new(message.clone()), false)).collect();
        assert!(!full.is_full());
        for answer in &mut answers {
            answer.frame().await.unwrap().unwrap();
        }
        assert!(full.is_full() && !other.is_full());
        // The transport comes back for more once there is room for what it has.
        assert!(answers[0].frame().await.is_none());
        assert!(!full.is_full());
        drop(answers);
        assert_eq!((full.untaken.load(Relaxed), other.untaken_by_all.load(Relaxed)), (0, 0));
    }

    #[test]
    fn what_lives_long_may_take_its_time_and_keeps_the_connection_busy() {
        let tally = Arc::new(Tally::default());
        let watch = tally.open().until_taken(answer(), true);
        assert!((0..9).all(|_| tally.pass()));
        assert!(tally.is_busy());
        drop(watch);
        assert!(!tally.is_busy());
    }
}
