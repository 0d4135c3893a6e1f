//! What an operator can choose when a process serves.

mod feed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

pub use feed::FeedSettings;

/// How a process serves. Every default works; each flag can also come from the environment.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "RAPPORT_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7600")]
    pub listen: SocketAddr,

    /// Folder for the SQLite files of services that have no database URL
    #[arg(long, env = "RAPPORT_DATA_DIR", value_name = "DIR", default_value = "./rapport-data")]
    pub data_dir: PathBuf,

    /// Connections with which each service reads its database; another one writes
    #[arg(long, env = "RAPPORT_DATABASE_CONNECTIONS", value_name = "CONNECTIONS", default_value_t = 8)]
    pub database_connections: u32,

    /// Serve strangers: allow listening beyond this machine without tokens
    #[arg(long, env = "RAPPORT_INSECURE", value_parser = FalseyValueParser::new())]
    pub insecure: bool,

    /// File of accepted tokens: a line each, SHA-256 of the token in hex, then its tenants (a,b,c or *); `#` starts a comment
    #[arg(long, env = "RAPPORT_AUTH_TOKENS", value_name = "FILE")]
    pub auth_tokens: Option<PathBuf>,

    /// File holding the token to present to other processes of the suite
    #[arg(long, env = "RAPPORT_PEER_TOKEN", value_name = "FILE")]
    pub peer_token: Option<PathBuf>,

    /// How long calls may still run after the signal to stop
    #[arg(long, env = "RAPPORT_GRACE_PERIOD", value_name = "SECONDS", value_parser = seconds, default_value = "25")]
    pub grace_period: Duration,

    /// Longest a call may take, whatever its client allows; Watch, Import, Undo, Verify, Try and Backtest calls follow
    /// theirs alone. A connection whose client takes none of an answer for as long again is closed
    #[arg(long, env = "RAPPORT_REQUEST_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub request_timeout: Duration,

    /// Calls that may run at once; more are refused and told to retry
    #[arg(long, env = "RAPPORT_CONCURRENCY_LIMIT", value_name = "CALLS", default_value_t = 1024)]
    pub concurrency_limit: usize,

    /// Connections that may be open at once; more are closed as they come
    #[arg(long, env = "RAPPORT_MAX_CONNECTIONS", value_name = "CONNECTIONS", default_value_t = 10_000)]
    pub max_connections: usize,

    /// Connections that may be open at once from one address (of IPv6, one network of 64 bits)
    #[arg(long, env = "RAPPORT_MAX_CONNECTIONS_PER_ADDRESS", value_name = "CONNECTIONS", default_value_t = 1_000)]
    pub max_connections_per_address: usize,

    /// Calls that one connection may have open at once; its client holds back what is more
    #[arg(long, env = "RAPPORT_MAX_STREAMS", value_name = "CALLS", default_value_t = 128)]
    pub max_streams: u32,

    /// Time without a call after which a connection is closed; its client connects again when it needs to
    #[arg(long, env = "RAPPORT_IDLE_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "900")]
    pub idle_timeout: Duration,

    /// Largest request message that is read
    #[arg(long, env = "RAPPORT_MAX_MESSAGE_BYTES", value_name = "BYTES", default_value_t = 4 * 1024 * 1024)]
    pub max_message_bytes: usize,

    /// Memory for the accounts that the aggregator keeps at hand, some 1,500 per MiB; and as much for figures that lists name
    #[arg(long, env = "RAPPORT_CACHE_BYTES", value_name = "BYTES", default_value_t = 256 * 1024 * 1024)]
    pub cache_bytes: usize,

    /// Age at which a connection is asked to come again, so that clients spread over new replicas; never by default
    #[arg(long, env = "RAPPORT_MAX_CONNECTION_AGE", value_name = "SECONDS", value_parser = seconds)]
    pub max_connection_age: Option<Duration>,

    /// What to log: a level, or targets with levels such as `info,orders=debug`
    #[arg(long, env = "RAPPORT_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// How log lines on stderr are written
    #[arg(long, env = "RAPPORT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// OTLP/gRPC collector for traces and metrics; none turns both off. OTEL_EXPORTER_OTLP_ENDPOINT is honoured too
    #[arg(long, env = "RAPPORT_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Share of calls to trace when the caller has not decided, from 0 to 1
    #[arg(long, env = "RAPPORT_TRACE_SAMPLE", value_name = "RATIO", default_value_t = 1.0)]
    pub trace_sample: f64,

    /// How changes travel to the aggregator.
    #[command(flatten)]
    pub feed: FeedSettings,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// The same as the command line without flags, whatever the environment says.
impl Default for ServeSettings {
    fn default() -> ServeSettings {
        ServeSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 7600)),
            data_dir: PathBuf::from("./rapport-data"),
            database_connections: 8,
            insecure: false,
            auth_tokens: None,
            peer_token: None,
            grace_period: Duration::from_secs(25),
            request_timeout: Duration::from_secs(30),
            concurrency_limit: 1024,
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            max_streams: 128,
            idle_timeout: Duration::from_secs(900),
            max_message_bytes: 4 * 1024 * 1024,
            cache_bytes: 256 * 1024 * 1024,
            max_connection_age: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            trace_sample: 1.0,
            feed: FeedSettings::default(),
        }
    }
}

impl ServeSettings {
    /// Checks the settings against each other.
    ///
    /// # Errors
    /// Every problem, each a sentence for the operator.
    pub fn validate(&self) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        if !self.listen.ip().is_loopback() && self.auth_tokens.is_none() && !self.insecure {
            problems.push(format!(
                "refusing to listen on {} without tokens: give --auth-tokens FILE, listen on 127.0.0.1, or accept strangers with --insecure",
                self.listen
            ));
        }
        if self.auth_tokens.is_some() && self.insecure {
            problems.push("--auth-tokens and --insecure contradict each other".to_owned());
        }
        if !(1..=1_000).contains(&self.database_connections) {
            problems.push("--database-connections must be from 1 to 1000".to_owned());
        }
        if self.request_timeout.is_zero() {
            problems.push("--request-timeout must be above 0".to_owned());
        }
        if self.concurrency_limit == 0 || self.concurrency_limit > tokio::sync::Semaphore::MAX_PERMITS {
            problems.push(format!("--concurrency-limit must be from 1 to {}", tokio::sync::Semaphore::MAX_PERMITS));
        }
        for (flag, limit) in [
            ("--max-connections", self.max_connections),
            ("--max-connections-per-address", self.max_connections_per_address),
            ("--max-streams", self.max_streams as usize),
        ] {
            if limit == 0 {
                problems.push(format!("{flag} must be above 0"));
            }
        }
        if self.idle_timeout.is_zero() {
            problems.push("--idle-timeout must be above 0".to_owned());
        }
        if self.max_message_bytes == 0 {
            problems.push("--max-message-bytes must be above 0".to_owned());
        }
        if self.max_connection_age.is_some_and(|age| age.is_zero()) {
            problems.push("--max-connection-age must be above 0".to_owned());
        }
        if !(0.0..=1.0).contains(&self.trace_sample) {
            problems.push(format!("--trace-sample must be from 0 to 1, not {}", self.trace_sample));
        }
        if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(&self.log) {
            problems.push(format!("--log is no filter: {error}"));
        }
        if let Some(endpoint) = &self.otlp_endpoint
            && !endpoint
                .parse::<http::Uri>()
                .is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some())
        {
            problems.push(format!("--otlp-endpoint must be an http:// URL, not {endpoint:?}"));
        }
        self.feed.problems(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Fills what a standard variable says and no flag of ours does. Called once where a process starts.
    pub(crate) fn with_standard_environment(mut self) -> ServeSettings {
        if self.otlp_endpoint.is_none() {
            self.otlp_endpoint = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok().filter(|url| !url.is_empty());
        }
        self
    }
}

/// Seconds, with a fraction if wanted.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        // Beyond this, adding the duration to a point in time could overflow.
        .filter(|duration| *duration <= Duration::from_secs(366 * 86_400))
        .ok_or_else(|| format!("{text:?} must be from 0 seconds to a year"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        serve: ServeSettings,
    }

    fn parse(arguments: &[&str]) -> ServeSettings {
        Command::parse_from(std::iter::once("rapport").chain(arguments.iter().copied())).serve
    }

    #[test]
    fn the_defaults_are_valid_and_the_same_in_code_and_on_the_command_line() {
        let parsed = parse(&[]);
        assert_eq!(format!("{parsed:?}"), format!("{:?}", ServeSettings::default()));
        assert_eq!(parsed.validate(), Ok(()));
    }

    #[test]
    fn listening_to_strangers_needs_tokens_or_a_word() {
        let problems = parse(&["--listen", "0.0.0.0:7600"]).validate().unwrap_err();
        assert!(problems[0].starts_with("refusing to listen on 0.0.0.0:7600 without tokens"), "{problems:?}");
        assert_eq!(parse(&["--listen", "0.0.0.0:7600", "--insecure"]).validate(), Ok(()));
        assert_eq!(parse(&["--listen", "[::]:7600", "--auth-tokens", "tokens"]).validate(), Ok(()));
        assert_eq!(parse(&["--listen", "[::1]:7600"]).validate(), Ok(()));
    }

    #[test]
    fn every_problem_is_reported() {
        let arguments =
            ["--trace-sample", "2", "--log", "a=b=c", "--concurrency-limit", "0", "--otlp-endpoint", "https://x"];
        assert_eq!(parse(&arguments).validate().unwrap_err().len(), 4);
        let none = ["--max-connections=0", "--max-connections-per-address=0", "--max-streams=0", "--idle-timeout=0"];
        assert_eq!(parse(&none).validate().unwrap_err().len(), none.len());
    }

    #[test]
    fn seconds_may_have_a_fraction_and_must_be_sane() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["-1", "NaN", "1e12", "soon", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
