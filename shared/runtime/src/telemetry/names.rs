//! The names of what is exported, after the semantic conventions for RPC, in one place because the conventions move.

use tonic::Code;

/// The instrumentation scope.
pub const SCOPE: &str = "rapport";
/// Resource: the version of the binary.
pub const SERVICE_VERSION: &str = "service.version";

/// Attribute: the RPC system, always [`GRPC`].
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// The value of [`RPC_SYSTEM_NAME`].
pub const GRPC: &str = "grpc";
/// Attribute: the full method, `rapport.orders.v1.OrdersService/CreateOrder`; also the span's name.
pub const RPC_METHOD: &str = "rpc.method";
/// Attribute: the gRPC code by name, `OK` or `NOT_FOUND`.
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";
/// Attribute on failed spans: the code again, where generic tools look for it.
pub const ERROR_TYPE: &str = "error.type";
/// Stands for methods that are not served.
pub const OTHER_METHOD: &str = "_OTHER";

/// Histogram, seconds: from the first header to the end of the answer.
pub const SERVER_CALL_DURATION: &str = "rpc.server.call.duration";
/// Counter: calls by method and code.
pub const SERVER_CALLS: &str = "rapport.server.calls";
/// Up-down counter: calls not yet answered in full.
pub const SERVER_CALLS_IN_FLIGHT: &str = "rapport.server.calls.in_flight";
/// Counter: handlers that panicked, by method.
pub const SERVER_PANICS: &str = "rapport.server.panics";

/// A gRPC code as the conventions spell it.
pub fn code(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Whether a server's span counts as failed: the codes that are the server's fault, not its client's.
pub fn is_server_error(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
