//! How the program ends: the exit codes of `sysexits.h`, and an error for a person.

use std::{fmt, io, process::ExitCode};

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{import, plot::PlotError};

/// How the program ends. `--help` lists these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok = 0,
    /// It was finished, but something was refused or differs.
    Differs = 1,
    /// The command line or the configuration is wrong.
    Usage = 64,
    /// The data are wrong.
    Data = 65,
    /// An input cannot be opened.
    NoInput = 66,
    /// The service cannot be reached.
    Unavailable = 69,
    /// A defect, of the service or of this program.
    Internal = 70,
    /// Something stood in the way that will pass: try again.
    TryAgain = 75,
}

/// The exit codes, for `--help`.
pub const HELP: &str = "Exit codes:
  0   done
  1   finished, but something was refused or differs
  64  wrong usage or configuration
  65  wrong input data
  66  an input cannot be opened
  69  the service cannot be reached
  70  a defect of the service or the program
  75  a passing failure: try again";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A wrong argument or setting.
    #[error("{0}")]
    Usage(String),
    /// An input that cannot be opened.
    #[error("{0}")]
    NoInput(String),
    /// An input that is not what it should be.
    #[error("{0}")]
    Data(String),
    /// The service refused or failed.
    #[error("{}", Told(.0))]
    Status(#[from] Box<Status>),
    /// An import failed.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// An answer that this program does not understand.
    #[error("the answer cannot be read: {0}")]
    Answer(String),
    /// A chart was not drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// Writing failed.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => Self::Write(kind.into()),
            None => Self::Answer(error.to_string()),
        }
    }
}

impl From<csv::Error> for Error {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::Write(error),
            other => Self::Answer(format!("{other:?}")),
        }
    }
}

impl Error {
    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NoInput(_) => Exit::NoInput,
            Self::Data(_) => Exit::Data,
            Self::Status(status) => of_status(status),
            Self::Answer(_) | Self::Plot(_) => Exit::Internal,
            Self::Write(_) => Exit::TryAgain,
            Self::Import(error) => match error {
                import::Error::FormatUnknown(_) | import::Error::MappingForJson(_) => Exit::Usage,
                import::Error::CannotOpen { .. } => Exit::NoInput,
                import::Error::Unusable { .. } | import::Error::Broken { .. } => Exit::Data,
                import::Error::Interrupted { status, .. } => of_status(status),
                import::Error::RefusedFile { .. } => Exit::TryAgain,
            },
        }
    }

    /// Whether whoever read the output has had enough, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn of_status(status: &Status) -> Exit {
    match status.code() {
        Code::Unavailable => Exit::Unavailable,
        Code::DeadlineExceeded | Code::ResourceExhausted | Code::Aborted | Code::Cancelled => Exit::TryAgain,
        Code::Unauthenticated | Code::PermissionDenied => Exit::Usage,
        Code::InvalidArgument | Code::NotFound | Code::AlreadyExists => Exit::Data,
        Code::FailedPrecondition | Code::OutOfRange => Exit::Data,
        _ => Exit::Internal,
    }
}

/// A status with everything that its details say.
pub(crate) struct Told<'a>(pub(crate) &'a Status);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0;
        write!(f, "{}: {}", code_name(status.code()), status.message())?;
        let details = status.get_error_details();
        if let Some(info) = details.error_info() {
            write!(f, "\n  reason: {}", info.reason)?;
            let mut metadata: Vec<_> = info.metadata.iter().collect();
            metadata.sort();
            for (key, value) in metadata {
                write!(f, "\n  {key}: {value}")?;
            }
        }
        for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
            write!(f, "\n  {}: {}", violation.field, violation.description)?;
        }
        if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
            write!(f, "\n  try again in {} s", delay.as_secs_f64())?;
        }
        Ok(())
    }
}

fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn an_error_tells_its_reason_and_every_violation() {
        let mut details = ErrorDetails::with_error_info(
            "ERROR_REASON_INVALID_FIELDS",
            "rapport",
            HashMap::from([("tenant".to_owned(), "default".to_owned())]),
        );
        details.add_bad_request_violation("order.total", "is required");
        details.add_bad_request_violation("order.place_time", "is before 1970");
        let status = Status::with_error_details(Code::InvalidArgument, "the order has wrong fields", details);
        let error = Error::from(status);
        assert_eq!(
            error.to_string(),
            "INVALID_ARGUMENT: the order has wrong fields\n  reason: ERROR_REASON_INVALID_FIELDS\n  tenant: default\n  \
             order.total: is required\n  order.place_time: is before 1970",
        );
        assert_eq!(error.exit(), Exit::Data);
    }

    #[test]
    fn every_exit_code_is_listed_in_the_help() {
        let all = [Exit::Ok, Exit::Differs, Exit::Usage, Exit::Data, Exit::NoInput, Exit::Unavailable, Exit::Internal];
        for exit in all.into_iter().chain([Exit::TryAgain]) {
            assert!(HELP.contains(&format!("\n  {:<4}", exit as u8)), "{exit:?}");
        }
    }
}
