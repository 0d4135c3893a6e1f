//! A service's database: rows, group commit, the change feed, idempotency and tokens; one SQL text on SQLite and PostgreSQL.
//!
//! A [`Store`] keeps rows of tables that all have one shape ([`Table`]). Reads go to a pool; every write is a [`Command`],
//! given to one writer task that joins the commands that wait into one transaction. A command decides, from the rows it
//! named and nothing else, which rows to put; the store gives them versions and times and appends the changes to the feed
//! in the same transaction. Nothing here knows what the rows mean, what a message looks like or what time it is.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod connect;
mod database;
mod error;
mod feed;
pub mod leases;
mod read;
mod readers;
mod requests;
mod row;
mod rows;
mod sql;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transaction;
mod work;
mod write;

/// For the fuzz targets of `tests/fuzz`, and for nobody else.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::token::seal_body;
}

pub use database::{Backend, CONNECTIONS, Database, Migration};
pub use error::{Error, Refusal};
pub use feed::{Change, Changes, PARTITIONS, Position, partition};
pub use leases::{Held, Leases};
pub use read::{ListQuery, Page};
pub use readers::{Readers, Reading};
pub use row::{Draft, Key, Row, Table};
pub use rows::Rows;
pub use sql::{bind_row_sets, placeholders, set_size};
pub use token::{FreshnessToken, Mark, PageToken, TokenError};
pub use transaction::{Found, Transaction, Update, Value};
pub use write::{Command, Decision, Outcome, RequestId, Store, Submitted, Written};
