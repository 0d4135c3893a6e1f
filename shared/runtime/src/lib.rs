//! What a process needs to serve: settings, telemetry, clock, server, client channels and faults.
//!
//! [`run()`] tells the story of a process and [`Server`] the story of a listener; services are mounted through an [`App`].
//! The crate never touches a database, never knows a message of the contract, and depends on no sibling.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(test)]
mod abuse;
mod app;
mod auth;
mod channel;
mod clock;
mod connections;
mod entrance;
mod fault;
mod frames;
mod gather;
mod guests;
mod health;
mod layers;
mod load;
mod pace;
mod pause;
mod queue;
mod retry;
mod run;
mod secret;
mod server;
mod settings;
mod shutdown;
mod tally;
pub mod telemetry;
mod tenant;
#[cfg(test)]
mod testing;
mod threads;
mod throttle;

pub use app::{App, BoxError, Context};
pub use auth::{AuthError, AuthTokens};
pub use channel::{Peer, PeerError, peer, random_seed};
pub use clock::Clock;
pub use fault::{DOMAIN, Fault, Violation, reason};
pub use layers::codec::unread;
pub use layers::deadline::{Deadline, deadline};
pub use pause::{Pause, random};
pub use retry::{Methods, MethodsError, Retry};
pub use run::{EXIT_USAGE, run};
pub use secret::Secret;
pub use server::{Server, ServerError};
pub use settings::{FeedSettings, LogFormat, ServeSettings};
pub use shutdown::{Shutdown, signals};
pub use tenant::{Tenant, TenantScope, tenant, tenant_or_all};
