//! How changes travel from the services to the aggregator.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::seconds;
use crate::secret::Secret;

/// The way of the change feeds. Without NATS servers the aggregator follows each service's own stream.
#[derive(Args, Clone, Debug)]
pub struct FeedSettings {
    /// NATS servers whose JetStream carries the changes, nats://HOST:PORT or tls://HOST:PORT, several with commas; a user is
    /// named as in nats://USER:PASSWORD@HOST:PORT. Without, the aggregator asks the services directly
    #[arg(long = "feed", env = "RAPPORT_FEED", value_name = "URL", value_parser = secret, hide_env_values = true)]
    pub servers: Option<Secret>,

    /// File with the credentials of a NATS user (JWT and nkey, as `nsc` writes it)
    #[arg(long = "feed-credentials", env = "RAPPORT_FEED_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// File with the certificates (PEM) to trust beside the system's where a server asks for TLS
    #[arg(long = "feed-ca", env = "RAPPORT_FEED_CA", value_name = "FILE")]
    pub authority: Option<PathBuf>,

    /// Name of the stream; its subjects begin with the name in small letters. Letters, digits, `-` and `_`
    #[arg(long = "feed-stream", env = "RAPPORT_FEED_STREAM", value_name = "NAME", default_value = "RAPPORT")]
    pub stream: String,

    /// How many servers keep each change, if the stream is not there yet: 1, 3 or 5
    #[arg(long = "feed-replicas", env = "RAPPORT_FEED_REPLICAS", value_name = "COUNT", default_value_t = 1)]
    pub replicas: usize,

    /// How long the stream keeps a change, if it is not there yet; who comes later asks the services
    #[arg(long = "feed-max-age", env = "RAPPORT_FEED_MAX_AGE", value_name = "SECONDS", value_parser = seconds,
        default_value = "86400")]
    pub max_age: Duration,

    /// How much the stream keeps, if it is not there yet; the oldest go first
    #[arg(long = "feed-max-bytes", env = "RAPPORT_FEED_MAX_BYTES", value_name = "BYTES", default_value_t = 1 << 30)]
    pub max_bytes: u64,
}

/// The same as the command line without flags, whatever the environment says.
impl Default for FeedSettings {
    fn default() -> FeedSettings {
        FeedSettings {
            servers: None,
            credentials: None,
            authority: None,
            stream: "RAPPORT".to_owned(),
            replicas: 1,
            max_age: Duration::from_secs(86_400),
            max_bytes: 1 << 30,
        }
    }
}

impl FeedSettings {
    /// The addresses of the NATS servers; none for direct streams.
    pub fn addresses(&self) -> Option<Vec<&str>> {
        Some(self.servers.as_ref()?.expose().split(',').map(str::trim).collect())
    }

    /// Every problem, each a sentence for the operator.
    pub(super) fn problems(&self, problems: &mut Vec<String>) {
        let is_address = |address: &&str| {
            let host = address.strip_prefix("nats://").or_else(|| address.strip_prefix("tls://"));
            host.is_some_and(|host| !host.is_empty())
        };
        if self.addresses().is_some_and(|addresses| !addresses.iter().all(is_address)) {
            // The address may hold a password.
            problems.push("--feed must name servers such as nats://host:4222, with commas between several".to_owned());
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if self.stream.is_empty() || !self.stream.chars().all(is_plain) {
            problems.push(format!("--feed-stream takes letters, digits, `-` and `_`, not {:?}", self.stream));
        }
        if !matches!(self.replicas, 1 | 3 | 5) {
            problems.push("--feed-replicas must be 1, 3 or 5".to_owned());
        }
        if self.max_age.is_zero() {
            problems.push("--feed-max-age must be above 0".to_owned());
        }
        if self.max_bytes == 0 || self.max_bytes > i64::MAX as u64 {
            problems.push("--feed-max-bytes must be above 0 and below 2⁶³".to_owned());
        }
    }
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(servers: &str, stream: &str, replicas: usize) -> Vec<String> {
        let servers = Some(Secret::new(servers));
        let mut problems = Vec::new();
        FeedSettings { servers, stream: stream.to_owned(), replicas, ..FeedSettings::default() }
            .problems(&mut problems);
        problems
    }

    #[test]
    fn servers_and_stream_are_checked_and_a_password_is_not_repeated() {
        assert_eq!(problems("nats://a:4222, tls://user:word@b:4222", "RAPPORT-2", 3), Vec::<String>::new());
        for servers in ["", "direct", "http://user:word@a", "nats://a,", "nats://"] {
            let told = problems(servers, "RAPPORT", 1);
            assert!(told.len() == 1 && told[0].starts_with("--feed must") && !told[0].contains("word"), "{told:?}");
        }
        assert_eq!(problems("nats://a", "feeds.>", 2).len(), 2);
    }
}
