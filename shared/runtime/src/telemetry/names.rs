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

/// Counter: calls refused because there were too many, by [`REFUSED_REASON`].
pub const SERVER_CALLS_REFUSED: &str = "rapport.server.calls.refused";
/// Gauge: the limit of calls that run at once.
pub const SERVER_CALLS_LIMIT: &str = "rapport.server.calls.limit";
/// Up-down counter: open connections.
pub const SERVER_CONNECTIONS: &str = "rapport.server.connections";
/// Counter: connections refused, by [`REFUSED_REASON`].
pub const SERVER_CONNECTIONS_REFUSED: &str = "rapport.server.connections.refused";
/// Counter: connections that the server ended, by [`REFUSED_REASON`].
pub const SERVER_CONNECTIONS_CUT_OFF: &str = "rapport.server.connections.cut_off";

/// Attribute: why something was refused or cut off.
pub const REFUSED_REASON: &str = "rapport.reason";
/// Calls: they had waited too long for their thread.
pub const REFUSED_WAITED: &str = "waited";
/// Calls: their client leaves too much of its answers untaken.
pub const REFUSED_UNTAKEN: &str = "untaken";
/// Calls: as many were running as may.
pub const REFUSED_RUNNING: &str = "running";
/// Connections: as many were open as may be.
pub const REFUSED_ALL: &str = "all";
/// Connections: as many were open from their address as may be.
pub const REFUSED_ADDRESS: &str = "address";
/// Connections: nothing was called for long.
pub const CUT_OFF_IDLE: &str = "idle";
/// Connections: an answer was not taken for long.
pub const CUT_OFF_STALLED: &str = "stalled";

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
