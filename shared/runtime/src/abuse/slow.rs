//! A client that takes of its answers what it is told to, and speaks proper HTTP/2 otherwise.

use std::net::SocketAddr;

use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tonic::Status;
use tonic::codegen::Bytes;

/// A connection.
pub(super) struct Slow(SendRequest<Bytes>);

/// What comes of a call.
pub(super) enum Answer {
    /// It was refused, or failed.
    Status(Status),
    /// Messages, to be taken one by one.
    Messages(RecvStream),
}

impl Slow {
    /// Connects with room for so many bytes of each answer.
    pub(super) async fn connect(address: SocketAddr, window: u32) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).initial_connection_window_size(1 << 24);
        let (send, connection) = builder.handshake(stream).await.unwrap();
        // How it ends is seen by its calls.
        tokio::spawn(async move { drop(connection.await) });
        Self(send)
    }

    /// Begins a call, whose message is yet to come.
    pub(super) async fn begin(&mut self, path: &str, metadata: &[(&str, &str)]) -> (ResponseFuture, SendStream<Bytes>) {
        let usual = [("content-type", "application/grpc"), ("te", "trailers"), ("rapport-tenant", "acme")];
        let mut request = Request::post(format!("http://here{path}"));
        for (name, value) in usual.iter().chain(metadata) {
            request = request.header(*name, *value);
        }
        let mut ready = self.0.clone().ready().await.unwrap();
        ready.send_request(request.body(()).unwrap(), false).unwrap()
    }

    /// Makes a call.
    pub(super) async fn call(&mut self, path: &str, metadata: &[(&str, &str)], message: Vec<u8>) -> Answer {
        let (answer, mut body) = self.begin(path, metadata).await;
        // The server may have refused it by now.
        let _ = body.send_data(message.into(), true);
        answered(answer).await
    }

    /// Makes a call that has to fail, and says how.
    pub(super) async fn fail(&mut self, path: &str, metadata: &[(&str, &str)], message: Vec<u8>) -> Status {
        match self.call(path, metadata, message).await {
            Answer::Status(status) => status,
            Answer::Messages(mut messages) => {
                assert_eq!(take(&mut messages).await, None, "a message");
                of_trailers(&mut messages).await
            }
        }
    }
}

/// Waits for an answer to begin.
pub(super) async fn answered(answer: ResponseFuture) -> Answer {
    match answer.await {
        Err(error) => Answer::Status(Status::unavailable(error.to_string())),
        Ok(answer) => match status(answer.headers()) {
            Some(status) => Answer::Status(status),
            None => Answer::Messages(answer.into_body()),
        },
    }
}

/// Takes what has come of an answer, and makes room for as much; none at its end.
pub(super) async fn take(messages: &mut RecvStream) -> Option<Bytes> {
    let bytes = messages.data().await?.ok()?;
    messages.flow_control().release_capacity(bytes.len()).unwrap();
    Some(bytes)
}

async fn of_trailers(messages: &mut RecvStream) -> Status {
    match messages.trailers().await {
        Ok(Some(trailers)) => status(&trailers).unwrap(),
        otherwise => panic!("no status but {otherwise:?}"),
    }
}

fn status(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers)
}
