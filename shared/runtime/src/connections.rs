//! Accepts connections and sees each of them to its end.
//!
//! The accept loop is ours because the ready-made one waits for every client on shutdown, however silent, cannot close
//! a connection that never speaks HTTP/2, and answers deadlines with the wrong code before our layer can.

use std::convert::Infallible;
use std::io::{Cursor, ErrorKind};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::shutdown::Shutdown;
use crate::threads::Threads;

/// How many calls of one connection may run at once.
const MOST_STREAMS: u32 = 256;

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
}

/// Serves `stack` until the shutdown begins; then stops accepting, lets running calls finish, and closes what is left
/// when the grace period is over.
pub(crate) async fn serve(listener: TcpListener, threads: &Threads, stack: Stack, limits: Limits) {
    let mut connections = JoinSet::new();
    let http = http2();
    let mut stop = pin!(limits.shutdown.wait());
    loop {
        tokio::select! {
            () = &mut stop => break,
            // Reaps what has ended; on an empty set the branch is off.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                // Taken off this runtime here, and put on its thread's there.
                Ok((stream, _)) => if let Ok(stream) = stream.into_std() {
                    let connection = connection(stream, stack.clone(), http.clone(), limits.clone());
                    threads.spawn(&mut connections, connection);
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

fn http2() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        // A client that vanished is noticed within 40 s.
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        // The default is no limit at all.
        .max_concurrent_streams(MOST_STREAMS)
        // Of calls that were given up before they were seen. A client may give up all it has at once, and a busy thread sees
        // none of them before that; more is an attack (CVE-2023-44487) and ends the connection.
        .max_pending_accept_reset_streams(MOST_STREAMS as usize)
        .max_header_list_size(16 * 1024);
    builder
}

async fn connection(stream: std::net::TcpStream, stack: Stack, http: Builder<TokioExecutor>, limits: Limits) {
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

    let entrance = Entrance { stack, connection: stream.connect_info() };
    let (read, write) = stream.into_split();
    let replayed = tokio::io::join(Cursor::new(preface).chain(read), write);
    let mut serving = pin!(http.serve_connection(TokioIo::new(replayed), TowerToHyperService::new(entrance)));
    let too_old = async {
        match limits.age {
            Some(age) => sleep(age).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = async { tokio::select! { () = stop => {}, () = too_old => {} } } => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}

/// Takes requests as the transport has them to the stack, and tells handlers where they came from.
#[derive(Clone)]
struct Entrance {
    stack: Stack,
    connection: TcpConnectInfo,
}

impl<B> Service<Request<B>> for Entrance
where
    B: http_body::Body<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Stack as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.connection.clone());
        self.stack.call(request)
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
