//! Text that must not be printed.

use std::fmt;
use std::sync::Arc;

/// A token or password. It neither prints nor compares itself; [`Secret::expose`] is the one way to its text.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a text, from here on unprintable.
    pub fn new(text: impl Into<Arc<str>>) -> Secret {
        Secret(text.into())
    }

    /// A fresh secret of 244 random bits from the operating system.
    pub fn random() -> Secret {
        let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
        Secret::new(format!("{}{}", halves[0].simple(), halves[1].simple()))
    }

    /// The text itself, for the header that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some([redacted])");
    }

    #[test]
    fn random_secrets_differ() {
        let secret = Secret::random();
        assert_eq!(secret.expose().len(), 64);
        assert_ne!(secret.expose(), Secret::random().expose());
    }
}
