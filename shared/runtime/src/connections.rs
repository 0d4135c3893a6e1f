//! Accepts connections and sees each of them to its end.
//!
//! The accept loop is ours because the ready-made one waits for every client on shutdown, however silent, cannot close
//! a connection that never speaks HTTP/2, and answers deadlines with the wrong code before our layer can.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{Cursor, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tonic::transport::server::Connected;
use tower::util::BoxCloneSyncService;

use crate::entrance::Entrance;
use crate::frames::Frames;
use crate::gather::Gather;
use crate::guests::Guests;
use crate::queue::Queue;
use crate::shutdown::Shutdown;
use crate::tally::Tally;
use crate::telemetry::{Telemetry, names};
use crate::threads::Threads;

/// The stack, boxed once where it meets the server, so that its type is compiled once too.
pub(crate) type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// What every HTTP/2 client says first.
const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long it may take to say so.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections end.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Begins the drain.
    pub(crate) shutdown: Shutdown,
    /// How long the drain may take.
    pub(crate) grace: Duration,
    /// When a connection is asked to come again.
    pub(crate) age: Option<Duration>,
    /// How long a connection may be without a call.
    pub(crate) idle: Duration,
    /// How long the client may leave an answer where it is.
    pub(crate) untaken: Duration,
    /// Bytes of answers that clients have not taken.
    pub(crate) untaken_by_all: Arc<AtomicUsize>,
    /// How many calls of a connection may be open at once.
    pub(crate) streams: u32,
    /// How many connections there may be.
    pub(crate) guests: Guests,
    /// Where what is cut off is counted.
    pub(crate) telemetry: Telemetry,
}

/// Serves `stack` until the shutdown begins; then stops accepting, lets running calls finish, and closes what is left
/// when the grace period is over.
pub(crate) async fn serve(listener: TcpListener, threads: &Threads, stack: Stack, limits: Limits) {
    let mut connections = JoinSet::new();
    let http = http2(limits.streams);
    let mut stop = pin!(limits.shutdown.wait());
    loop {
        tokio::select! {
            () = &mut stop => break,
            // Reaps what has ended; on an empty set the branch is off.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                // Taken off this runtime here, and put on its thread's there.
                Ok((stream, from)) => if let Some(guest) = limits.guests.admit(from.ip())
                    && let Ok(stream) = stream.into_std()
                {
                    let (stack, http, limits) = (stack.clone(), http.clone(), limits.clone());
                    threads.spawn(&mut connections, |queue| async move {
                        let _guest = guest;
                        connection(stream, stack, http, limits, queue).await;
                    });
                }
                Err(error) => recover(error).await,
            },
        }
    }
    // New clients are refused by the kernel from here on, rather than left waiting in its queue.
    drop(listener);
    let drained = timeout(limits.grace, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(connections = connections.len(), "grace period over, closing what is still open");
        connections.shutdown().await;
    }
}

/// A failed accept is the client's doing or passes; running out of files needs a pause, or the loop would spin.
async fn recover(error: std::io::Error) {
    if !matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(Duration::from_millis(100)).await;
    }
}

fn http2(streams: u32) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        // A client that vanished is noticed within 40 s.
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        // The default is no limit at all.
        .max_concurrent_streams(streams)
        // Of calls that were given up before they were seen. A client may give up all it has at once, and a busy thread sees
        // none of them before that; more is an attack (CVE-2023-44487) and ends the connection.
        .max_pending_accept_reset_streams(streams as usize)
        .max_header_list_size(16 * 1024);
    builder
}

async fn connection(
    stream: std::net::TcpStream,
    stack: Stack,
    http: Builder<TokioExecutor>,
    limits: Limits,
    queue: Arc<Queue>,
) {
    let mut stop = pin!(limits.shutdown.wait());
    // Without it, Nagle's algorithm holds small answers back for some 40 ms.
    let mut stream = match stream.set_nodelay(true).and_then(|()| TcpStream::from_std(stream)) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(%error, "a connection closed as it opened");
            return;
        }
    };
    // Until the preface has come, HTTP/2's own keep-alive does not run and its graceful end would wait for ever.
    let mut preface = [0; PREFACE.len()];
    let spoken = tokio::select! {
        read = timeout(PREFACE_TIMEOUT, stream.read_exact(&mut preface)) => matches!(read, Ok(Ok(_))),
        () = &mut stop => false,
    };
    if !spoken || preface != PREFACE {
        return;
    }

    let tally = Arc::new(Tally::new(limits.untaken_by_all.clone()));
    let entrance = Entrance { stack, connection: stream.connect_info(), queue, tally: tally.clone() };
    let (read, write) = stream.into_split();
    let gather = Gather::new(write);
    let replayed = tokio::io::join(Cursor::new(preface).chain(Frames::new(read)), gather.clone());
    let mut serving = pin!(http.serve_connection(TokioIo::new(replayed), entrance));
    let mut leaves = pin!(async {
        tokio::select! {
            () = stop => {}
            () = too_old(limits.age) => {}
            () = idle(&tally, limits.idle) => cut_off(&limits, names::CUT_OFF_IDLE),
        }
    });
    let mut stalls = pin!(stalled(&tally, limits.untaken));
    let mut leaving = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|context| {
                let step = serving.as_mut().poll(context);
                // What cannot be sent any more is found by the next read or write.
                gather.send(context).ok();
                step
            }) => break ended,
            () = leaves.as_mut(), if !leaving => {
                leaving = true;
                serving.as_mut().graceful_shutdown();
            }
            () = stalls.as_mut() => return cut_off(&limits, names::CUT_OFF_STALLED),
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}

async fn too_old(age: Option<Duration>) {
    match age {
        Some(age) => sleep(age).await,
        None => std::future::pending().await,
    }
}

/// Waits until there was no call for so long.
async fn idle(tally: &Tally, longest: Duration) {
    loop {
        let calls = tally.calls();
        sleep(longest).await;
        if !tally.is_busy() && tally.calls() == calls {
            return;
        }
    }
}

/// Waits until the client has left an answer where it is for so long: what it does not take fills memory.
async fn stalled(tally: &Tally, longest: Duration) {
    loop {
        sleep(longest).await;
        if !tally.pass() {
            return;
        }
    }
}

fn cut_off(limits: &Limits, reason: &'static str) {
    tracing::debug!(reason, "cutting off a connection");
    if let Some(recorder) = &limits.telemetry.recorder {
        recorder.instruments.connection_cut_off(reason);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::settings::ServeSettings;
    use crate::testing::{Suite, eventually};

    /// Long enough to be told from an end at once, also on a busy machine.
    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);

    async fn suite(grace_period: Duration) -> Suite {
        Suite::start(ServeSettings { grace_period, ..Suite::settings() }).await
    }

    /// Shuts the suite down and says how long it took.
    async fn stop(suite: Suite) -> Duration {
        let begun = tokio::time::Instant::now();
        suite.stop().await.unwrap();
        begun.elapsed()
    }

    #[tokio::test]
    async fn a_client_that_sends_nothing_does_not_delay_the_shutdown() {
        let suite = suite(LONG).await;
        let mut silent = TcpStream::connect(suite.context.address).await.unwrap();
        suite.ask(None, "quick").await.unwrap();
        assert!(stop(suite).await < LONG / 2);
        assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_connected_client_that_answers_nothing_is_closed_after_the_grace_period() {
        let suite = suite(SHORT).await;
        let mut silent = TcpStream::connect(suite.context.address).await.unwrap();
        // The preface and an empty SETTINGS frame, then never a word again: no answer to PING, none to GOAWAY.
        silent.write_all(&PREFACE).await.unwrap();
        silent.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        suite.ask(None, "quick").await.unwrap();
        let took = stop(suite).await;
        assert!(took < LONG / 2, "{took:?}");
    }

    #[tokio::test]
    async fn a_client_that_stays_connected_does_not_delay_the_shutdown() {
        let suite = suite(LONG).await;
        suite.ask(None, "quick").await.unwrap();
        assert!(stop(suite).await < LONG / 2);
    }

    #[tokio::test]
    async fn a_running_call_finishes() {
        let suite = suite(LONG).await;
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;
        suite.context.shutdown.begin();
        eventually_refused(&suite).await;
        suite.release();
        running.await.unwrap().unwrap();
        assert!(stop(suite).await < LONG / 2);
    }

    #[tokio::test]
    async fn a_call_that_outlives_the_grace_period_is_dropped() {
        let suite = suite(SHORT).await;
        let running = suite.spawn("slow");
        eventually(|| suite.running() == 1).await;
        let script = suite.script();
        let took = stop(suite).await;
        assert!(took >= SHORT && took < LONG / 2, "{took:?}");
        running.await.unwrap().unwrap_err();
        eventually(|| script.running() == 0).await;
    }

    #[tokio::test]
    async fn old_connections_are_renewed_without_a_lost_call() {
        let age = Some(Duration::from_millis(20));
        let suite = Suite::start(ServeSettings { max_connection_age: age, ..Suite::settings() }).await;
        let client = suite.client(None);
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let mut answer = client.clone().run("acme", "quick", None).await;
            // A call that meets the end of its connection inside the client is given back unsent; the next goes through.
            if answer.as_ref().is_err_and(was_never_sent) {
                answer = client.clone().run("acme", "quick", None).await;
            }
            answer.unwrap();
        }
    }

    /// Whether the client itself gave a call back before any of it was sent. A call that the server took and lost fails
    /// otherwise: as an HTTP/2 error, or with the server's own answer.
    fn was_never_sent(status: &tonic::Status) -> bool {
        status.code() == tonic::Code::Cancelled && format!("{status:?}").contains("hyper::Error(Canceled")
    }

    async fn eventually_refused(suite: &Suite) {
        while TcpStream::connect(suite.context.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
