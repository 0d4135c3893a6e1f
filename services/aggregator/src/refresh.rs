//! Keeps standings, which lists filter and order by, from growing stale: decay goes on while nothing happens, and another
//! model may be chosen.

use std::time::Duration;

use runtime::Shutdown;
use store::Error;

use crate::{apply::Applier, picture::Gallery, tables};

/// Standings older than this are brought up to now.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const CHECKED_EVERY: Duration = Duration::from_secs(60);
/// See [`Refresher::at_once`].
const AT_ONCE: i64 = 500;
/// The pause between two such transactions after a choice: at most some 5,000 accounts a second, and time for the feeds.
const PAUSE: Duration = Duration::from_millis(100);
/// How often progress is told, in accounts.
const TOLD_EVERY: usize = 50_000;
/// The name of the setting that tells for which choices the standings were made.
const CHOSEN: &str = "standings_made_for";

/// What keeps standings fresh.
pub(crate) struct Refresher {
    gallery: Gallery,
    applier: Applier,
    shutdown: Shutdown,
    /// How many are made again in one transaction.
    pub(crate) at_once: i64,
}

impl Refresher {
    pub(crate) fn new(gallery: Gallery, applier: Applier, shutdown: Shutdown) -> Self {
        Self { gallery, applier, shutdown, at_once: AT_ONCE }
    }

    /// Works until the shutdown begins.
    pub(crate) async fn run(self) {
        loop {
            // A process before this one may have ended half-way.
            let refreshed = async {
                self.follow_choices().await?;
                self.renew().await
            };
            if let Err(error) = refreshed.await {
                tracing::warn!(error = %error, "standings could not be brought up to date; trying again later");
            }
            tokio::select! {
                () = tokio::time::sleep(CHECKED_EVERY) => {}
                () = self.gallery.models.another_choice() => {}
                () = self.shutdown.wait() => return,
            }
        }
    }

    /// Brings the standings that are too old up to now.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn renew(&self) -> Result<(), Error> {
        let before = self.gallery.clock.now() - KEPT.as_micros() as i64;
        loop {
            let stale = self.gallery.reader.stale(before, self.at_once).await?;
            self.applier.refresh(&stale).await?;
            if stale.is_empty() || self.shutdown.has_begun() {
                return Ok(());
            }
        }
    }

    /// Brings the standings that were made with another model than the one chosen for them up to date, and with them the
    /// ledgers with other half-lives. Broken off, it goes on where standings are left.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn follow_choices(&self) -> Result<(), Error> {
        let Gallery { reader, models, .. } = &self.gallery;
        let choices = models.fingerprint();
        if reader.setting(CHOSEN).await?.as_ref() == Some(&choices) {
            return Ok(());
        }
        // A transaction that began before the choice may still keep what was made with the model before.
        self.applier.database.transaction().await?.commit().await?;
        let (mut checked, mut refreshed, mut told) = (0, 0, 0);
        let mut after = (String::new(), String::new());
        loop {
            let page = reader.made_with((&after.0, &after.1), self.at_once).await?;
            let Some(last) = page.last() else { break };
            after = (last.tenant.clone(), last.account.clone());
            checked += page.len();
            let outdated: Vec<_> = page
                .into_iter()
                .filter(|made| models.of(&made.tenant, &made.segment).id() != made.model)
                .map(|made| (made.tenant, made.account))
                .collect();
            if !outdated.is_empty() {
                self.applier.refresh(&outdated).await?;
                refreshed += outdated.len();
                if refreshed - told >= TOLD_EVERY {
                    told = refreshed;
                    tracing::info!(
                        checked,
                        refreshed,
                        "standings are being made with the models now chosen: not all are yet"
                    );
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = self.shutdown.wait() => return Ok(()),
                }
            }
        }
        let mut transaction = self.applier.database.transaction().await?;
        tables::set(&mut transaction, CHOSEN, &choices).await?;
        transaction.commit().await?;
        if refreshed > 0 {
            tracing::info!(checked, refreshed, "standings are made with the models now chosen");
        }
        Ok(())
    }
}
