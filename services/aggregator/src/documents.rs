//! The documents that this service owns itself, as other processes write them: models, choices, stated views, fits. Each
//! process holds all of them in memory and hears of the others' from the feed of its own store.

use std::time::Duration;

use methods::Methods;
use runtime::Shutdown;
use store::{Error, Position, Row};

use crate::{
    fits::{self, Fits},
    models::{self, Models},
    picture::Gallery,
    stated_views::{self, StatedViews},
};

/// How often it is looked for documents that others wrote: so old may be what one process says of another's.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the documents in memory current.
pub(crate) struct Documents {
    methods: Methods,
    models: Models,
    views: StatedViews,
    fits: Fits,
    positions: Vec<Position>,
}

impl Documents {
    /// Documents that are held as they were at these positions, or later.
    pub(crate) fn new(gallery: &Gallery, methods: Methods, positions: Vec<Position>) -> Self {
        let Gallery { models, views, fits, .. } = gallery.clone();
        Self { methods, models, views, fits, positions }
    }

    /// Works until the shutdown begins.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.wait() => return,
            }
            if let Err(error) = self.look().await {
                tracing::warn!(error = %error, "documents of other processes could not be read; trying again");
            }
        }
    }

    /// Takes in what was written by now. What this process wrote itself is held already, and is passed over as too old.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn look(&mut self) -> Result<(), Error> {
        for now in self.methods.store().positions().await? {
            let place = now.partition as usize;
            while self.positions[place].position < now.position {
                let groups = self.methods.store().changes_after(self.positions[place]).await?;
                if groups.is_empty() {
                    break;
                }
                for change in groups.into_iter().flat_map(|group| group.changes) {
                    match self.take(change.row).await {
                        // The other documents must not suffer.
                        Err(Error::Damaged(reason)) => tracing::error!(reason, "a document cannot be understood"),
                        taken => taken?,
                    }
                    self.positions[place].position = change.position;
                }
            }
        }
        Ok(())
    }

    async fn take(&self, row: Row) -> Result<(), Error> {
        let table = row.key.table;
        let row = row.into();
        match table {
            table if table == models::MODELS.name => self.models.take(&models::MODELS, &row),
            table if table == models::CHOICES.name => self.models.take(&models::CHOICES, &row),
            table if table == stated_views::VIEWS.name => self.views.take(&row),
            table if table == stated_views::ERASED.name => {
                self.views.forget(&row.tenant, &row.account);
                Ok(())
            }
            table if table == fits::CHOICES.name => self.fits.take_written(&self.methods, &row).await,
            _ => Ok(()),
        }
    }
}
