//! The accounts service: who the parties are, the people there, and the steps of onboarding. It decides identity, the
//! life of an account, the merge of duplicates and the erasure of a person or an account. It knows nothing of what passes
//! between the parties.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account;
mod contact;
mod milestone;
mod service;

use contracts::accounts::v1::accounts_service_server::AccountsServiceServer;
use methods::Methods;
use runtime::{App, BoxError, Context};
use store::{Migration, Table};

const MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, name: "accounts", sql: include_str!("../migrations/0001_accounts.sql") },
    methods::imports_migration(2),
];
const TABLES: [&Table; 4] = [&account::TABLE, &contact::TABLE, &milestone::TABLE, &methods::IMPORTS];

/// Opens the service's database, by default `accounts.db` in the data directory, and mounts its RPCs.
///
/// # Errors
/// If the database cannot be opened or migrated.
pub async fn build(app: &mut App, context: &Context, database_url: Option<&str>) -> Result<(), BoxError> {
    let methods = Methods::open(app, "accounts", database_url, &MIGRATIONS, &TABLES, context).await?;
    relay::start(app, context, &methods, service::told).await?;
    let server = AccountsServiceServer::new(service::Service { methods });
    app.mount(server.max_decoding_message_size(context.settings.max_message_bytes)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}
