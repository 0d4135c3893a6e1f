//! The orders service: what is ordered, how easily it was placed and received, what was paid and what came back. It decides
//! what an order may become, and that all orders of an account are in one currency. It follows the accounts service to
//! know which, and takes orders of accounts that it has not heard of yet.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod currency;
mod follow;
mod order;
#[cfg(test)]
mod samples;
mod service;
mod transitions;

use contracts::{
    accounts::v1::accounts_service_client::AccountsServiceClient,
    orders::v1::orders_service_server::OrdersServiceServer,
};
use methods::Methods;
use runtime::{App, BoxError, Context};
use store::{Migration, Table};

const MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, name: "orders", sql: include_str!("../migrations/0001_orders.sql") },
    methods::imports_migration(2),
];
const TABLES: [&Table; 4] = [&order::TABLE, &currency::TABLE, &follow::TABLE, &methods::IMPORTS];

/// Opens the service's database, by default `orders.db` in the data directory, mounts its RPCs, and follows the accounts
/// service at `accounts_uri`, by default in this process.
///
/// # Errors
/// If the database cannot be opened or migrated, or the URI is none.
pub async fn build(
    app: &mut App,
    context: &Context,
    database_url: Option<&str>,
    accounts_uri: Option<&str>,
) -> Result<(), BoxError> {
    let accounts = AccountsServiceClient::new(context.peer(accounts_uri)?);
    let methods = Methods::open(app, "orders", database_url, &MIGRATIONS, &TABLES, context).await?;
    app.background(follow::run(methods.store().clone(), accounts, context.shutdown.clone()));
    relay::start(app, context, &methods, service::told).await?;
    let server = OrdersServiceServer::new(service::Service { methods });
    app.mount(server.max_decoding_message_size(context.settings.max_message_bytes)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}
