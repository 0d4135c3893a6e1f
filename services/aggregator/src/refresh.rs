//! Keeps standings, which lists filter and order by, from growing stale: decay goes on while nothing happens, and another
//! model may be chosen.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use runtime::Shutdown;
use store::{Error, Held, partition};

use crate::{apply::Applier, picture::Gallery, store::MadeWith};

/// Standings older than this are brought up to now.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const CHECKED_EVERY: Duration = Duration::from_secs(60);
/// How often all standings are looked at for their age. An index by age would spare that, but each change of an account would
/// move its entry there, on a page of its own.
const WALKED_EVERY: Duration = Duration::from_secs(60 * 60);
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
    /// The choices that the standings of the partitions held like this were made for.
    done: Mutex<Option<(String, Held)>>,
    /// How many are made again in one transaction.
    pub(crate) at_once: i64,
}

impl Refresher {
    pub(crate) fn new(gallery: Gallery, applier: Applier, shutdown: Shutdown) -> Self {
        Self { gallery, applier, shutdown, done: Mutex::default(), at_once: AT_ONCE }
    }

    /// Works until the shutdown begins.
    pub(crate) async fn run(self) {
        let mut walked_at = i64::MIN;
        let mut leases = self.applier.leases.subscribe();
        loop {
            // A process before this one may have ended half-way.
            let refreshed = async {
                self.follow_choices().await?;
                let now = self.gallery.clock.now();
                if now.saturating_sub(walked_at) >= WALKED_EVERY.as_micros() as i64 {
                    self.renew().await?;
                    walked_at = now;
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = refreshed.await {
                tracing::warn!(error = %error, "standings could not be brought up to date; trying again later");
            }
            tokio::select! {
                () = tokio::time::sleep(CHECKED_EVERY) => {}
                () = self.gallery.models.another_choice() => {}
                Ok(()) = leases.changed() => {}
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
        self.walk("standings were brought up to now", Duration::ZERO, |made| made.assessed_at < before).await?;
        Ok(())
    }

    /// Brings the standings that were made with another model, or by another fit, than the one chosen for them up to date, and with them the
    /// ledgers with other half-lives. Broken off, it goes on where standings are left.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn follow_choices(&self) -> Result<(), Error> {
        let Gallery { reader, models, .. } = &self.gallery;
        let current = (models.fingerprint(), self.applier.leases.held());
        if self.done().as_ref() == Some(&current) {
            return Ok(());
        }
        let (choices, held) = &current;
        // Written only by a process that has all partitions, and forgotten where one has not.
        let is_written = reader.setting(CHOSEN).await?.as_ref() == Some(choices);
        if !held.is_all() {
            self.set_chosen(held, "").await?;
        } else if is_written {
            *self.done() = Some(current);
            return Ok(());
        }
        // A transaction that began before the choice may still keep what was made with the model before.
        self.applier.database.transaction().await?.commit().await?;
        let is_outdated = |made: &MadeWith| models.of(&made.tenant, &made.segment).made_with() != made.model;
        if !self.walk("standings are made with the models now chosen", PAUSE, is_outdated).await? {
            return Ok(());
        }
        if held.is_all() {
            self.set_chosen(held, choices).await?;
        }
        *self.done() = Some(current);
        Ok(())
    }

    async fn set_chosen(&self, held: &Held, choices: &str) -> Result<(), Error> {
        if self.gallery.reader.setting(CHOSEN).await?.as_deref() == Some(choices) {
            return Ok(());
        }
        self.applier.set(held, CHOSEN, choices).await
    }

    fn done(&self) -> MutexGuard<'_, Option<(String, Held)>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the standings that are outdated up to date, with a pause after each transaction. Tells whether it came to the
    /// end before the shutdown began.
    async fn walk(&self, what: &str, pause: Duration, is_outdated: impl Fn(&MadeWith) -> bool) -> Result<bool, Error> {
        let (mut checked, mut refreshed, mut told) = (0, 0, 0);
        let mut after = (String::new(), String::new());
        loop {
            let page = self.gallery.reader.made_with((&after.0, &after.1), self.at_once).await?;
            let Some(last) = page.last() else { break };
            after = (last.tenant.clone(), last.account.clone());
            checked += page.len();
            let held = self.applier.leases.held();
            let mine =
                page.into_iter().filter(|made| held.generation(partition(&made.tenant, &made.account)).is_some());
            let outdated: Vec<_> = mine.filter(&is_outdated).map(|made| (made.tenant, made.account)).collect();
            if !outdated.is_empty() {
                self.applier.refresh(&outdated).await?;
                refreshed += outdated.len();
                if refreshed - told >= TOLD_EVERY {
                    told = refreshed;
                    tracing::info!(checked, refreshed, "{what}: not all are yet");
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.shutdown.wait() => {}
                }
            }
            if self.shutdown.has_begun() {
                return Ok(false);
            }
        }
        if refreshed > 0 {
            tracing::info!(checked, refreshed, "{what}");
        }
        Ok(true)
    }
}
