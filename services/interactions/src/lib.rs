//! The interactions service: what the two parties say to, promise and offer each other. It decides how long an answer took,
//! whether a matter is still open, and what becomes of promises and of rivals' offers. What the words say is read by
//! `methods::analysis`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commitment;
mod interaction;
mod offer;
mod service;

use contracts::interactions::v1::interactions_service_server::InteractionsServiceServer;
use methods::Methods;
use runtime::{App, BoxError, Context};
use store::{Migration, Table};

const MIGRATIONS: [Migration; 3] = [
    Migration { version: 1, name: "interactions", sql: include_str!("../migrations/0001_interactions.sql") },
    methods::imports_migration(2),
    methods::analysis_settings_migration(3),
];
const TABLES: [&Table; 5] =
    [&interaction::TABLE, &commitment::TABLE, &offer::TABLE, &methods::IMPORTS, &methods::ANALYSIS_SETTINGS];

/// Opens the service's database, by default `interactions.db` in the data directory, and mounts its RPCs.
///
/// # Errors
/// If the database cannot be opened or migrated.
pub async fn build(app: &mut App, context: &Context, database_url: Option<&str>) -> Result<(), BoxError> {
    let methods = Methods::open(app, "interactions", database_url, &MIGRATIONS, &TABLES, context).await?;
    relay::start(app, context, &methods, service::told).await?;
    let server = InteractionsServiceServer::new(service::Service { methods });
    app.mount(server.max_decoding_message_size(context.settings.max_message_bytes)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}
