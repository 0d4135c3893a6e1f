//! Refusals on their way to a client, as `google.rpc` error details.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The `domain` of every `google.rpc.ErrorInfo` the suite sends.
pub const DOMAIN: &str = "rapport";

/// The reasons that the process itself gives; services add theirs from the contract's registry.
pub mod reason {
    /// The caller presented no known token.
    pub const UNAUTHENTICATED: &str = "ERROR_REASON_UNAUTHENTICATED";
    /// The token does not cover the tenant.
    pub const TENANT_FORBIDDEN: &str = "ERROR_REASON_TENANT_FORBIDDEN";
    /// The tenant is missing or is no tenant name.
    pub const TENANT_INVALID: &str = "ERROR_REASON_TENANT_INVALID";
    /// More calls are running than the process takes.
    pub const OVERLOADED: &str = "ERROR_REASON_OVERLOADED";
    /// The call did not finish in its time.
    pub const DEADLINE_EXCEEDED: &str = "ERROR_REASON_DEADLINE_EXCEEDED";
    /// The request is larger than the service reads.
    pub const MESSAGE_TOO_LARGE: &str = "ERROR_REASON_MESSAGE_TOO_LARGE";
    /// The request is no message of the method's type.
    pub const MESSAGE_MALFORMED: &str = "ERROR_REASON_MESSAGE_MALFORMED";
    /// Something broke inside; the log knows more.
    pub const INTERNAL: &str = "ERROR_REASON_INTERNAL";
    /// Something we need is busy or away; a retry may succeed.
    pub const UNAVAILABLE: &str = "ERROR_REASON_UNAVAILABLE";
}

/// A refusal on its way to the client: a code, a reason from the registry, and what the client needs to act on it.
///
/// Its texts are all for the client; what only the log should keep goes through [`Fault::log_internal`] and
/// [`Fault::log_unavailable`].
#[derive(Clone, Debug)]
pub struct Fault(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    reason: &'static str,
    message: String,
    metadata: Vec<(&'static str, String)>,
    violations: Vec<Violation>,
    resource: Option<(&'static str, String)>,
    retry_after: Option<Duration>,
}

/// One thing wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, as in the proto file: `order.lines[2].quantity`.
    pub field: String,
    /// What is wrong with it, in words a client's author can act on.
    pub description: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Violation {
        Violation { field: field.into(), description: description.into() }
    }
}

impl Fault {
    /// A fault with a reason of the registry and a message for the client: lower case, short, no full stop.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Fault {
        Fault(Box::new(Parts {
            code,
            reason,
            message: message.into(),
            metadata: Vec::new(),
            violations: Vec::new(),
            resource: None,
            retry_after: None,
        }))
    }

    /// INVALID_ARGUMENT carrying every violation at once; the message names the first. Of very many, the first ones are
    /// carried and the last of them says how many more there are.
    pub fn invalid(reason: &'static str, mut violations: Vec<Violation>) -> Fault {
        let all = violations.len();
        bound(&mut violations);
        let message = match violations.first() {
            None => "the request is invalid".to_owned(),
            Some(only) if all == 1 => format!("{}: {}", only.field, only.description),
            Some(first) => format!("{}: {} (and {} more)", first.field, first.description, all - 1),
        };
        let left_out = all - violations.len();
        if let (Some(last), 1..) = (violations.last_mut(), left_out) {
            last.description.push_str(&format!("; {left_out} more fields are at fault"));
        }
        let mut fault = Fault::new(Code::InvalidArgument, reason, message);
        fault.0.violations = violations;
        fault
    }

    /// Adds a metadata entry of the reason, as the registry documents it.
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Fault {
        self.0.metadata.push((key, value.into()));
        self
    }

    /// Adds a violation.
    pub fn violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Fault {
        self.0.violations.push(Violation::new(cut(field.into()), cut(description.into())));
        self
    }

    /// Names the resource that the refusal is about.
    pub fn resource(mut self, kind: &'static str, name: impl Into<String>) -> Fault {
        self.0.resource = Some((kind, name.into()));
        self
    }

    /// Tells the client how long to wait before it tries again.
    pub fn retry_after(mut self, delay: Duration) -> Fault {
        self.0.retry_after = Some(delay);
        self
    }

    /// Keeps an unexpected error in the log and answers INTERNAL without a word of it.
    pub fn log_internal(error: &dyn Error) -> Fault {
        tracing::error!(error = %chain(error), "a call failed inside");
        Fault::new(Code::Internal, reason::INTERNAL, "internal error")
    }

    /// Keeps the failure of something we depend on in the log and answers UNAVAILABLE, worth a retry.
    pub fn log_unavailable(error: &dyn Error) -> Fault {
        tracing::warn!(error = %chain(error), "a dependency is unavailable");
        Fault::new(Code::Unavailable, reason::UNAVAILABLE, "temporarily unavailable")
            .retry_after(Duration::from_secs(1))
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason, as the registry spells it.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The text for the client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The reason's metadata, in the order it was added.
    pub fn metadata(&self) -> &[(&'static str, String)] {
        &self.0.metadata
    }

    /// What is wrong with the request.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl Error for Fault {}

/// The longest text of an answer, in bytes. Answers travel in headers, of which clients take some 8 KB: longer ones cost
/// the whole connection, and with it the calls of others. Names of resources are never as long.
const LONGEST_TEXT: usize = 300;
/// How many bytes of violations are answered, and how many violations.
const MOST_VIOLATED: usize = 4_000;
const MOST_VIOLATIONS: usize = 25;

impl From<Fault> for Status {
    fn from(fault: Fault) -> Status {
        let parts = *fault.0;
        let mut details = ErrorDetails::new();
        let metadata: HashMap<String, String> =
            parts.metadata.into_iter().map(|(key, value)| (key.to_owned(), cut(value))).collect();
        details.set_error_info(parts.reason, DOMAIN, metadata);
        for violation in parts.violations {
            details.add_bad_request_violation(violation.field, violation.description);
        }
        if let Some((kind, name)) = parts.resource {
            details.set_resource_info(kind, cut(name), "", "");
        }
        if let Some(delay) = parts.retry_after {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(parts.code, cut(parts.message), details)
    }
}

/// Shortens what a client sent and would be sent back, at the end.
fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.push('…');
    }
    text
}

/// Keeps the first violations, as many as fit.
fn bound(violations: &mut Vec<Violation>) {
    let mut left = MOST_VIOLATED;
    let mut kept = 0;
    for violation in violations.iter_mut().take(MOST_VIOLATIONS) {
        violation.field = cut(std::mem::take(&mut violation.field));
        violation.description = cut(std::mem::take(&mut violation.description));
        let size = violation.field.len() + violation.description.len();
        if size > left {
            break;
        }
        left -= size;
        kept += 1;
    }
    violations.truncate(kept);
}

/// An error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_every_detail() {
        let status = Status::from(
            Fault::invalid("ERROR_REASON_INVALID", vec![Violation::new("a", "too long")])
                .violation("b", "missing")
                .with("limit", "5")
                .resource("rapport.orders.v1.Order", "o_1")
                .retry_after(Duration::from_secs(2)),
        );
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ERROR_REASON_INVALID", "rapport"));
        assert_eq!(info.metadata["limit"], "5");
        let fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["a", "b"]);
        assert_eq!(details.resource_info().unwrap().resource_name, "o_1");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(2)));
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "a: too long"));
    }

    #[test]
    fn an_answer_stays_small_whatever_it_speaks_of() {
        let long = "é".repeat(40_000);
        let violations = (0..500).map(|index| Violation::new(format!("names[{index}]"), long.clone())).collect();
        let fault =
            Fault::invalid("ERROR_REASON_INVALID", violations).with("name", long.clone()).resource("order", long);
        let status = Status::from(fault);
        // As in a header: details in Base64, the message with three characters for each byte.
        let bytes = status.details().len() * 4 / 3 + status.message().len() * 3;
        assert!(bytes < 8 * 1024, "{bytes}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!((violations.len(), violations[0].field.as_str()), (12, "names[0]"));
        assert!(
            violations[11].description.ends_with("…; 488 more fields are at fault"),
            "{}",
            violations[11].description
        );
        assert!(status.message().starts_with("names[0]: éé") && status.message().ends_with('…'));
    }

    #[test]
    fn an_internal_fault_keeps_its_cause_from_the_client() {
        let error = std::io::Error::other("password of db is hunter2");
        let status = Status::from(Fault::log_internal(&error));
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert_eq!(status.get_details_error_info().unwrap().reason, reason::INTERNAL);
    }

    #[test]
    fn several_violations_are_counted_in_the_message() {
        let fault =
            Fault::invalid("R", vec![Violation::new("a", "x"), Violation::new("b", "y"), Violation::new("c", "z")]);
        assert_eq!(fault.to_string(), "a: x (and 2 more)");
    }
}
