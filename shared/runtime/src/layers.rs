//! The layers of the server's stack, in the order a request meets them.
//!
//! Each wraps a service of the same shape, answers in place of failing, and gives every answer of its own a
//! `google.rpc.ErrorInfo`.

pub(crate) mod trace;

pub(crate) mod auth;

pub(crate) mod overload;

pub(crate) mod deadline;

pub(crate) mod panic;

pub(crate) mod codec;

use std::convert::Infallible;

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::fault::Fault;

/// The one shape of service in the stack. It is an alias: whatever fits, is.
pub(crate) trait Grpc:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send
{
}

impl<S> Grpc for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send
{
}

/// What every future of the stack returns.
pub(crate) type Answer = Result<Response<Body>, Infallible>;

/// A fault as a whole response.
pub(crate) fn refuse(fault: Fault) -> Response<Body> {
    Status::from(fault).into_http()
}

/// The method of a path, `package.Service/Method`.
pub(crate) fn method(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}
