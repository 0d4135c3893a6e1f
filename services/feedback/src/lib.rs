//! The feedback service: what customers think of it all, and what becomes of that. It decides whether feedback still asks
//! for something and how far an improvement has come. What the words say is read by `methods::analysis`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod feedback;
mod improvement;
mod service;
mod theme;

use contracts::feedback::v1::feedback_service_server::FeedbackServiceServer;
use methods::Methods;
use runtime::{App, BoxError, Context};
use store::{Migration, Table};

const MIGRATIONS: [Migration; 3] = [
    Migration { version: 1, name: "feedback", sql: include_str!("../migrations/0001_feedback.sql") },
    methods::imports_migration(2),
    methods::analysis_settings_migration(3),
];
const TABLES: [&Table; 5] =
    [&feedback::TABLE, &theme::TABLE, &improvement::TABLE, &methods::IMPORTS, &methods::ANALYSIS_SETTINGS];

/// Opens the service's database, by default `feedback.db` in the data directory, and mounts its RPCs.
///
/// # Errors
/// If the database cannot be opened or migrated.
pub async fn build(app: &mut App, context: &Context, database_url: Option<&str>) -> Result<(), BoxError> {
    let methods = Methods::open(app, "feedback", database_url, &MIGRATIONS, &TABLES, context).await?;
    relay::start(app, context, &methods, service::told).await?;
    let server = FeedbackServiceServer::new(service::Service { methods });
    app.mount(server.max_decoding_message_size(context.settings.max_message_bytes)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}
