//! The faults that all services answer alike.

use contracts::common::v1::ErrorReason;
use runtime::Fault;
use store::Error;
use tonic::Code;

/// NOT_FOUND: there is no such resource.
pub fn not_found(kind: &'static str, name: &str) -> Fault {
    Fault::new(Code::NotFound, ErrorReason::NotFound.as_str_name(), format!("there is no {kind} `{name}`"))
        .with("name", name)
        .resource(kind, name)
}

/// ALREADY_EXISTS: the name is taken by another resource.
pub fn already_exists(kind: &'static str, name: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        ErrorReason::AlreadyExists.as_str_name(),
        format!("there is another {kind} `{name}`"),
    )
    .with("name", name)
    .resource(kind, name)
}

/// FAILED_PRECONDITION: the resource's state does not allow it.
pub fn state_conflict(name: &str, state: &str, wanted: &'static str) -> Fault {
    Fault::new(
        Code::FailedPrecondition,
        ErrorReason::StateConflict.as_str_name(),
        format!("`{name}` is {state} and cannot be {wanted}"),
    )
    .with("name", name)
    .with("state", state)
    .with("wanted", wanted)
}

/// FAILED_PRECONDITION: the account was merged or erased.
pub fn account_gone(name: &str, state: &str) -> Fault {
    Fault::new(
        Code::FailedPrecondition,
        ErrorReason::AccountGone.as_str_name(),
        format!("`{name}` is {state} and takes no more changes"),
    )
    .with("name", name)
    .with("state", state)
}

/// UNAVAILABLE: the server stops. `then` says how to go on.
pub(crate) fn stopping(then: &str) -> Fault {
    Fault::new(Code::Unavailable, ErrorReason::Unavailable.as_str_name(), format!("the server stops: {then}"))
}

/// Turns a fault into what a decision refuses with.
pub fn refusal(fault: Fault) -> store::Refusal {
    Box::new(fault)
}

/// What the client reads of a store's error.
pub fn store_fault(error: Error) -> Fault {
    match error {
        Error::Refused(refusal) => match refusal.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::log_internal(other.as_ref()),
        },
        Error::RequestIdReused(id) => Fault::new(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused.as_str_name(),
            "the request id was used before, for another request",
        )
        .with("request_id", id)
        .violation("request_id", "choose a new one for each request"),
        Error::PositionExpired { partition, position, first } => Fault::new(
            Code::OutOfRange,
            ErrorReason::FeedPositionExpired.as_str_name(),
            format!("partition {partition} begins at position {first}: start at the beginning"),
        )
        .with("partition", partition.to_string())
        .with("position", position.to_string())
        .with("first_position", first.to_string()),
        Error::PositionAhead { partition, position, last } => Fault::new(
            Code::OutOfRange,
            ErrorReason::FeedPositionAhead.as_str_name(),
            format!("partition {partition} ends at position {last}"),
        )
        .with("partition", partition.to_string())
        .with("position", position.to_string())
        .with("last_position", last.to_string()),
        Error::Unstorable(what) => Fault::new(
            Code::InvalidArgument,
            ErrorReason::InvalidFields.as_str_name(),
            format!("cannot be stored: {what}"),
        ),
        Error::Unavailable(_) | Error::Closed | Error::Fenced { .. } => Fault::log_unavailable(&error),
        Error::Damaged(_) | Error::Panicked | Error::Open { .. } => Fault::log_internal(&error),
    }
}
