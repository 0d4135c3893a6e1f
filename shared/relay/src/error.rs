//! What can go wrong on the way through the stream.

use runtime::{BoxError, Fault};

/// Why something could not be relayed or consumed now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The NATS servers cannot be reached, or refuse.
    #[error("the NATS servers: {0}")]
    Away(BoxError),
    /// Somebody else published to our subjects.
    #[error("a message on `{subject}` is none of ours")]
    Foreign {
        /// Where it stands.
        subject: String,
    },
    /// The service's own feed cannot be read.
    #[error("the service's feed: {0}")]
    Feed(#[from] store::Error),
    /// A change cannot be told.
    #[error("a change of the feed: {0}")]
    Change(Box<Fault>),
}

impl Error {
    pub(crate) fn away(error: impl Into<BoxError>) -> Self {
        Self::Away(error.into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Change(Box::new(fault))
    }
}
