//! What can go wrong in a store.

/// Why a command's decision refused: the caller's own error, handed back unopened.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// What a store answers when it cannot do as asked. Nothing was written, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The decision refused; the caller downcasts its own error.
    #[error("{0}")]
    Refused(Refusal),
    /// The request id was used for another request.
    #[error("request id `{0}` was used for another request")]
    RequestIdReused(String),
    /// A text that one of the databases cannot keep: it holds a NUL character, or a key is too long for an index.
    #[error("{0}")]
    Unstorable(&'static str),
    /// The feed no longer holds what follows this position.
    #[error("partition {partition} begins at {first}, after position {position}")]
    PositionExpired {
        /// The partition.
        partition: u32,
        /// The position asked for.
        position: i64,
        /// The first position held.
        first: i64,
    },
    /// The position lies ahead of the feed.
    #[error("partition {partition} ends at {last}, before position {position}")]
    PositionAhead {
        /// The partition.
        partition: u32,
        /// The position asked for.
        position: i64,
        /// The last position there is.
        last: i64,
    },
    /// The database cannot do it for now: busy, full, gone. Safe to retry with the same request id; without one, the
    /// write may have landed if the connection broke during the commit.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// What is stored cannot be understood: a defect or a damaged file.
    #[error("stored data are damaged: {0}")]
    Damaged(String),
    /// A decision panicked: a defect.
    #[error("a write's decision panicked")]
    Panicked,
    /// The writer has stopped: the process is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The lease of a partition has changed hands: somebody else works on it now.
    #[error("partition {partition} is somebody else's by now")]
    Fenced {
        /// The partition.
        partition: u32,
    },
    /// The database cannot be opened or migrated.
    #[error("cannot open the database {url}: {reason}")]
    Open {
        /// The database, without its password.
        url: String,
        /// Why.
        reason: String,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged(error.to_string()),
            error => Self::Unavailable(error),
        }
    }
}

impl Error {
    /// The same failure, for another who wanted the same.
    pub fn again(&self) -> Self {
        match self {
            Self::Damaged(reason) => Self::Damaged(reason.clone()),
            Self::Panicked => Self::Panicked,
            Self::Closed => Self::Closed,
            other => Self::Unavailable(sqlx::Error::Protocol(Chain(other).to_string())),
        }
    }
}

/// Writes an error with its causes, for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(formatter, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
