//! The aggregator: follows the four feeds, keeps its own picture of each account, and answers with assessments. It owns
//! no facts: everything here follows from what the feeds told, and can be made again from them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod apply;
mod cache;
mod columns;
mod compare;
mod evidence;
mod filter;
mod follow;
mod picture;
mod progress;
mod service;
mod standing;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod told;
mod wire;
mod words;
mod work;

use std::time::Duration;

use ::store::{Database, Migration};
use contracts::assessments::v1::assessments_service_server::AssessmentsServiceServer;
use dynamics::Model;
use runtime::{App, BoxError, Context};

use crate::{
    apply::Applier,
    cache::Ledgers,
    columns::Standings,
    follow::{Peers, apply_all, follow_all},
    picture::Gallery,
    progress::Progress,
    store::Reader,
};

const MIGRATIONS: [Migration; 1] =
    [Migration { version: 1, name: "aggregator", sql: include_str!("../migrations/0001_aggregator.sql") }];

/// Standings older than this are brought up to now.
const STANDINGS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const STANDINGS_CHECKED_EVERY: Duration = Duration::from_secs(60);
const STANDINGS_PER_REFRESH: i64 = 500;

/// The addresses of the four services; where one is absent, it is in this process.
#[derive(Debug, Clone, Default)]
pub struct PeerAddresses {
    /// Of the accounts service.
    pub accounts: Option<String>,
    /// Of the orders service.
    pub orders: Option<String>,
    /// Of the interactions service.
    pub interactions: Option<String>,
    /// Of the feedback service.
    pub feedback: Option<String>,
}

/// Opens the aggregator's database, by default `aggregator.db` in the data directory, starts to follow the feeds and mounts
/// the RPCs.
///
/// # Errors
/// If the database cannot be opened or migrated, or an address is none.
pub async fn build(
    app: &mut App,
    context: &Context,
    database_url: Option<&str>,
    addresses: &PeerAddresses,
) -> Result<(), BoxError> {
    let database = methods::open_database(app, "aggregator", database_url, &MIGRATIONS, context).await?;
    let reader = Reader { database: database.clone() };
    let model = Model::default();
    let progress = Progress::new(&reader.followed().await?);
    let ledgers = Ledgers::new(context.settings.cache_bytes);
    let standings = Standings::new(context.settings.cache_bytes);
    let gallery = Gallery {
        reader,
        ledgers: ledgers.clone(),
        standings: standings.clone(),
        progress: progress.clone(),
        model: model.clone(),
        clock: context.clock.clone(),
    };

    let applier = |database: Database| Applier {
        database,
        model: model.clone(),
        clock: context.clock.clone(),
        progress: progress.clone(),
        ledgers: ledgers.clone(),
        standings: standings.clone(),
    };
    applier(database.clone()).rebuild_if_outdated().await?;
    let peers = Peers {
        accounts: context.peer(addresses.accounts.as_deref())?,
        orders: context.peer(addresses.orders.as_deref())?,
        interactions: context.peer(addresses.interactions.as_deref())?,
        feedback: context.peer(addresses.feedback.as_deref())?,
    };
    let (followers, messages) = follow_all(peers, &progress, &context.shutdown);
    for follower in followers {
        app.background(follower.run());
    }
    app.background(apply_all(applier(database.clone()), messages, context.shutdown.clone()));
    app.background(refresh_standings(gallery.clone(), applier(database), context.clone()));

    let server = AssessmentsServiceServer::new(service::Service { gallery });
    app.mount(server.max_decoding_message_size(context.settings.max_message_bytes)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}

/// Keeps standings from growing stale while nothing happens: decay goes on.
async fn refresh_standings(gallery: Gallery, applier: Applier, context: Context) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(STANDINGS_CHECKED_EVERY) => {}
            () = context.shutdown.wait() => return,
        }
        let before = context.clock.now() - STANDINGS_KEPT.as_micros() as i64;
        loop {
            let refreshed = async {
                let stale = gallery.reader.stale(before, STANDINGS_PER_REFRESH).await?;
                applier.refresh(&stale).await?;
                Ok::<usize, ::store::Error>(stale.len())
            };
            match refreshed.await {
                Ok(0) => break,
                Ok(_) if context.shutdown.has_begun() => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "standings could not be brought up to date; trying again later");
                    break;
                }
            }
        }
    }
}
