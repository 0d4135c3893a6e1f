//! The peer of reading: a tonic service that answers `GetAssessment` with one constant message.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
};

use contracts::assessments::v1::{GetAssessmentRequest, GetAssessmentResponse};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, UnaryService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

#[derive(Clone)]
struct Echo {
    answer: GetAssessmentResponse,
}

impl UnaryService<GetAssessmentRequest> for Echo {
    type Response = GetAssessmentResponse;
    type Future = Ready<Result<Response<GetAssessmentResponse>, Status>>;

    fn call(&mut self, _: Request<GetAssessmentRequest>) -> Self::Future {
        ready(Ok(Response::new(self.answer.clone())))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(echo, request).await) })
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "rapport.assessments.v1.AssessmentsService";
}

/// Serves the answer on a free port with tonic's own server.
pub(crate) async fn start(answer: GetAssessmentResponse) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(Server::builder().add_service(Echo { answer }).serve_with_incoming(incoming));
    address
}
