//! The standard methods of a resource service, written once for the four services that own facts: create, get, list,
//! update, delete, transitions, import, undo and watch, over [`store`], the contract's messages and [`runtime`]'s faults.
//!
//! A service tells what its resources are ([`Kind`]: names, checks, states, rules) and keeps its handlers to three lines
//! each. Nothing here knows what an order or a complaint is.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod analysis;
mod check;
mod erase;
mod faults;
mod freshness;
mod import;
mod journal;
mod kind;
mod mask;
mod names;
mod read;
mod resource;
mod time;
mod undo;
mod watch;
mod write;

use std::sync::Arc;

use prost::Message;
use runtime::{App, BoxError, Clock, Context, Fault, Shutdown, Tenant};
use sha2::{Digest as _, Sha256};
use store::{Database, Migration, RequestId, Store, Table};
use tonic::Request;

pub use analysis::{ANALYSIS_SETTINGS, Reading, ReanalyzeAsk, Reread, analysis_settings_migration, forget_words};
pub use check::{Violations, money_nanos};
pub use erase::{EraseAsk, Erasure};
pub use faults::{account_gone, already_exists, not_found, refusal, state_conflict, store_fault};
pub use freshness::{marks, token};
pub use import::{ImportAnswer, ImportMessage, ImportRow};
pub use journal::{IMPORTS, imports_migration};
pub use kind::{Guard, Index, Kind};
pub use names::{Collection, account_id, account_name, is_id, new_id};
pub use read::{ListAsk, StateFilter, list_fingerprint, page_size};
pub use resource::{Meta, Resource};
pub use time::{from_micros, to_micros};
pub use undo::{Restorable, Settle, UndoAnswer, Undoing};
pub use watch::{WatchAsk, Watched, WatchedChange};
pub use write::Done;

/// What every call brings: whose rows it is about, and what tells it from other requests.
#[derive(Debug, Clone)]
pub struct Call {
    /// The tenant.
    pub tenant: Tenant,
    fingerprint: Vec<u8>,
}

impl Call {
    /// Opens a request.
    ///
    /// # Errors
    /// A fault with `ERROR_REASON_TENANT_INVALID`.
    pub fn enter<M: Message>(request: Request<M>) -> Result<(Self, M), Fault> {
        let tenant = runtime::tenant(&request)?;
        let message = request.into_inner();
        let mut hash = Sha256::new();
        hash.update(std::any::type_name::<M>());
        hash.update(message.encode_to_vec());
        Ok((Self { tenant, fingerprint: hash.finalize().to_vec() }, message))
    }

    /// What makes a retry of the call safe; none if the client chose no id.
    pub fn request(&self, request_id: &str) -> Option<RequestId> {
        (!request_id.is_empty()).then(|| RequestId { id: request_id.to_owned(), fingerprint: self.fingerprint.clone() })
    }
}

/// The standard methods over one service's store. Cheap to clone.
#[derive(Clone)]
pub struct Methods {
    feed: &'static str,
    store: Store,
    shutdown: Shutdown,
    readers: analysis::Readers,
}

impl Methods {
    /// Starts the methods of the service whose feed has this name.
    pub fn new(
        feed: &'static str,
        database: Database,
        tables: &'static [&'static Table],
        clock: Clock,
        shutdown: Shutdown,
    ) -> Self {
        let readers = analysis::Readers::new(clock.clone());
        Self { feed, store: Store::new(database, tables, Arc::new(move || clock.now())), shutdown, readers }
    }

    /// Opens the service's database, by default a SQLite file of the feed's name in the data directory, and starts the
    /// methods over it. The app closes it at its end.
    ///
    /// # Errors
    /// If the directory cannot be made or the database cannot be opened or migrated.
    pub async fn open(
        app: &mut App,
        feed: &'static str,
        url: Option<&str>,
        migrations: &[Migration],
        tables: &'static [&'static Table],
        context: &Context,
    ) -> Result<Self, BoxError> {
        let database = open_database(app, feed, url, migrations, context).await?;
        let methods = Self::new(feed, database, tables, context.clock.clone(), context.shutdown.clone());
        Ok(Self { readers: methods.readers.counted(feed, &context.telemetry.meter()), ..methods })
    }

    /// The name of the service's feed.
    pub fn feed(&self) -> &'static str {
        self.feed
    }

    /// The store underneath, for what is not standard.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Opens a service's database: by default a SQLite file of the service's name in the data directory. The app closes
/// it at its end.
///
/// # Errors
/// If the directory cannot be made or the database cannot be opened or migrated.
pub async fn open_database(
    app: &mut App,
    service: &str,
    url: Option<&str>,
    migrations: &[Migration],
    context: &Context,
) -> Result<Database, BoxError> {
    let url = match url {
        Some(url) => url.to_owned(),
        None => {
            let folder = &context.settings.data_dir;
            tokio::fs::create_dir_all(folder).await?;
            format!("sqlite:{}", folder.join(format!("{service}.db")).display())
        }
    };
    let database = Database::open_with(&url, migrations, context.settings.database_connections).await?;
    let closing = database.clone();
    app.at_end(async move { closing.close().await });
    Ok(database)
}
