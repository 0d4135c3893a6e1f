//! The client's commands, a file each.

pub mod analysis;
pub mod analyze;
pub mod assess;
pub mod backtest;
pub mod compare;
pub mod export;
pub mod fit;
pub mod fits;
pub mod health;
pub mod import;
pub mod improvements;
pub mod models;
pub mod opportunities;
pub mod portfolio;
pub mod simulate;
pub mod themes;
pub mod timeline;
pub mod try_model;
pub mod verify;
pub mod view;
pub mod watch;

pub(crate) mod facets;
mod figures;
mod prediction;
mod steps;

use clap::builder::RangedI64ValueParser;
use prost_types::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{exit::Error, import::value};

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs: proto JSON.
    Json,
    /// For programs: comma-separated values with a header.
    Csv,
}

/// The full name of an account that is given by id or by full name.
fn account_name(argument: &str) -> String {
    format!("accounts/{}", account_id(argument))
}

/// The id of an account in a name such as `accounts/acme/assessment`, or in the id itself.
pub(crate) fn account_id(name: &str) -> &str {
    let rest = name.strip_prefix("accounts/").unwrap_or(name);
    rest.split('/').next().unwrap_or(rest)
}

/// The time that an argument names.
fn timestamp(argument: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let time = argument.map(read_time).transpose();
    time.map_err(|problem| Error::Usage(format!("--at {problem}")))
}

/// Reads a time in RFC 3339, or a date.
fn read_time(text: &str) -> Result<Timestamp, String> {
    let time = value::read_time(text)?;
    Ok(Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() })
}

/// Reads the days ahead that predictions may be asked for.
fn days_ahead() -> RangedI64ValueParser<i32> {
    clap::value_parser!(i32).range(1..=3_650)
}

/// A time in RFC 3339, or nothing.
fn told(time: Option<Timestamp>) -> String {
    let known = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time.seconds).ok());
    known.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// A time, as a date if it is the beginning of one in UTC; or nothing.
fn told_in_short(time: Option<Timestamp>) -> String {
    let time = told(time);
    time.strip_suffix("T00:00:00Z").map_or(time.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_given_by_id_or_name() {
        assert_eq!(account_name("acme"), "accounts/acme");
        assert_eq!(account_name("accounts/acme"), "accounts/acme");
        assert_eq!(account_id("accounts/acme/assessment"), "acme");
    }

    #[test]
    fn times_go_in_and_out() {
        let time = timestamp(Some("2026-03-01")).expect("a time");
        assert_eq!(told(time), "2026-03-01T00:00:00Z");
        assert!(timestamp(Some("soon")).is_err());
        assert_eq!(told(None), "");
        assert_eq!(told_in_short(time), "2026-03-01");
        assert_eq!(told_in_short(timestamp(Some("2026-03-01T01:00:00Z")).expect("a time")), "2026-03-01T01:00:00Z");
    }
}
