//! The aggregator: follows the four feeds, keeps its own picture of each account, and answers with assessments. It owns
//! no facts: all that it knows of accounts follows from what the feeds told, and can be made again from them. Its own are
//! only the models, which of them are chosen, and the views that persons state.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod apply;
mod backtest;
mod cache;
mod columns;
mod compare;
mod documents;
mod evidence;
mod filter;
mod fits;
mod follow;
#[doc(hidden)]
pub mod fuzzing;
mod instruments;
mod log;
mod models;
mod movement;
mod opportunities;
mod others;
mod outlook;
mod picture;
mod predict;
mod progress;
mod refresh;
mod service;
mod simulate;
mod standing;
mod stated_views;
mod store;
mod tables;
mod telling;
#[cfg(test)]
mod tests;
mod together;
mod told;
mod tongue;
mod trial;
mod voice;
mod watch;
mod wire;
mod work;

use std::sync::Arc;

use ::store::{Database, Leases, Migration, Table};
use contracts::assessments::v1::assessments_service_server::AssessmentsServiceServer;
use contracts::predictions::v1::predictions_service_server::PredictionsServiceServer;
use contracts::voice::v1::voice_service_server::VoiceServiceServer;
use methods::Methods;
use runtime::{App, BoxError, Context};
use tokio::{runtime::Handle, sync::mpsc};

use crate::{
    apply::Applier,
    cache::Ledgers,
    columns::Standings,
    documents::Documents,
    fits::{Changes, Fits, Maker, Predictions},
    follow::{Peers, apply_all, follow_all},
    instruments::Instruments,
    models::Models,
    others::Others,
    picture::Gallery,
    progress::Progress,
    refresh::Refresher,
    stated_views::StatedViews,
    store::Reader,
    voice::Voice,
    watch::Watching,
};

const MIGRATIONS: [Migration; 7] = [
    Migration { version: 1, name: "aggregator", sql: include_str!("../migrations/0001_aggregator.sql") },
    Migration { version: 2, name: "models", sql: include_str!("../migrations/0002_models.sql") },
    Migration { version: 4, name: "movements", sql: include_str!("../migrations/0004_movements.sql") },
    Migration { version: 5, name: "figures", sql: include_str!("../migrations/0005_figures.sql") },
    Migration { version: 6, name: "fits", sql: include_str!("../migrations/0006_fits.sql") },
    Migration { version: 7, name: "topics", sql: include_str!("../migrations/0007_topics.sql") },
    Migration { version: 8, name: "touched", sql: include_str!("../migrations/0008_touched.sql") },
];

/// The documents that this service owns itself.
const TABLES: [&Table; 6] =
    [&models::MODELS, &models::CHOICES, &stated_views::VIEWS, &stated_views::ERASED, &fits::FITS, &fits::CHOICES];

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
    log::name(&database).await?;
    let reader = Reader { database: database.clone() };
    let (clock, shutdown) = (context.clock.clone(), context.shutdown.clone());
    let methods = Methods::new("assessments", database.clone(), &TABLES, clock, shutdown);
    // Before the documents are read, so that none falls between.
    let documents_from = methods.store().positions().await?;
    let (models, views) = (Models::load(&reader).await?, StatedViews::load(&reader).await?);
    let fits = Fits::load(&reader, models.clone()).await?;
    let progress = Progress::new(&reader.followed().await?);
    let ledgers = Ledgers::new(context.settings.cache_bytes);
    let standings = Standings::new(context.settings.cache_bytes);
    // Ids grow with time: who comes later leaves the others' shares mostly as they are.
    let id = format!("{}@{}:{}", methods::new_id(), host(), context.address);
    let leases = Leases::new(database.clone(), id);
    let others = Others::new(
        reader.clone(),
        leases.clone(),
        progress.clone(),
        ledgers.clone(),
        standings.clone(),
        views.clone(),
    );
    let gallery = Gallery {
        reader,
        ledgers: ledgers.clone(),
        standings: standings.clone(),
        progress: progress.clone(),
        models: models.clone(),
        fits,
        views: views.clone(),
        others: others.clone(),
        clock: context.clock.clone(),
    };
    let changes = Changes::default();
    let ready = Arc::new(tokio::sync::watch::Sender::default());

    let applier = |database: Database| Applier {
        database,
        methods: methods.clone(),
        models: models.clone(),
        views: views.clone(),
        clock: context.clock.clone(),
        progress: progress.clone(),
        ledgers: ledgers.clone(),
        standings: standings.clone(),
        leases: leases.clone(),
        others: others.clone(),
        ready: ready.clone(),
        changes: changes.clone(),
    };
    others.begin().await?;
    leases.beat().await?;
    // A suite of one process serves when its ledgers are as this program makes them. Among others it may have none yet.
    applier(database.clone()).prepare().await?;
    let peers = Peers {
        accounts: context.peer(addresses.accounts.as_deref())?,
        orders: context.peer(addresses.orders.as_deref())?,
        interactions: context.peer(addresses.interactions.as_deref())?,
        feedback: context.peer(addresses.feedback.as_deref())?,
    };
    #[cfg(feature = "nats")]
    let stream = relay::Bus::connect(&context.settings.feed, "aggregator").await?;
    #[cfg(feature = "nats")]
    let stream = match stream {
        Some(bus) => {
            let group = format!("aggregator-{}", log::end(&database).await?.epoch);
            Some(follow::Source::new(bus, &group, &context.telemetry.meter()))
        }
        None => None,
    };
    #[cfg(not(feature = "nats"))]
    let stream: Option<follow::Source> = None;
    let (followers, messages) = follow_all(peers, stream.as_ref(), &progress, &ready, &context.shutdown);
    for follower in followers {
        app.background(follower.run());
    }
    app.background(others.clone().run(context.shutdown.clone()));
    if others.may_be() {
        let documents = Documents::new(&gallery, methods.clone(), documents_from);
        app.background(documents.run(context.shutdown.clone()));
    }
    let instruments = Instruments::new(&context.telemetry.meter(), context.clock.clone(), &ledgers, &leases);
    let watching = Watching::new(context.shutdown.clone(), instruments.clone());
    let applying = apply_all(applier(database.clone()), instruments.clone(), messages, context.shutdown.clone());
    app.background(database.run_writer(applying)?);
    app.background(database.run_writer(log::forget_old(database.clone(), context.clone()))?);
    let refresher = Refresher::new(gallery.clone(), applier(database.clone()), context.shutdown.clone());
    app.background(database.run_writer(refresher.run())?);

    let (keeping, shutdown) = (leases.clone(), context.shutdown.clone());
    app.background(database.run_writer(async move {
        tokio::select! {
            () = keeping.keep() => {}
            () = shutdown.wait() => {}
        }
        if let Err(error) = keeping.leave().await {
            tracing::warn!(error = %error, "the leases could not be given back: the others wait until they take them");
        }
    })?);

    let (jobs, waiting) = mpsc::unbounded_channel();
    let maker = Maker {
        gallery: gallery.clone(),
        methods: methods.clone(),
        changes,
        instruments,
        leases: leases.clone(),
        jobs: jobs.clone(),
        waiting,
        shutdown: context.shutdown.clone(),
    };
    app.background(maker.run());

    let largest = context.settings.max_message_bytes;
    let predictions = Predictions {
        gallery: gallery.clone(),
        methods: methods.clone(),
        maker: leases.id().to_owned(),
        jobs,
        workers: Handle::current(),
    };
    app.mount(PredictionsServiceServer::new(predictions).max_decoding_message_size(largest));
    let voice = Voice { gallery: gallery.clone(), workers: Handle::current() };
    app.mount(VoiceServiceServer::new(voice).max_decoding_message_size(largest));
    let server = AssessmentsServiceServer::new(service::Service { gallery, watching, methods });
    app.mount(server.max_decoding_message_size(largest)).describe(contracts::DESCRIPTOR_SET);
    Ok(())
}

/// The name of this machine, as far as it has one. Two of the same name and address would take partitions from each other as
/// they start, and share them after that.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.map(|name| name.trim().to_owned()).unwrap_or_default()
}
