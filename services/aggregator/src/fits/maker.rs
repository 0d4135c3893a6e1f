//! Makes fits, one after another, in the background: those that are asked for, and others when enough has changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::predictions::v1 as told;
use methods::{Methods, from_micros};
use prost_types::Timestamp;
use runtime::Shutdown;
use store::{Error, Leases, PARTITIONS, partition};
use tokio::sync::mpsc;

use super::{
    Making, handlers,
    portfolio::Scope,
    rows,
    wire::{self, Stored},
};
use crate::{instruments::Instruments, picture::Gallery};

/// How often it is seen whether the maker of a fit is gone.
const LOOKED_EVERY: Duration = Duration::from_secs(5);
/// How often it is seen whether enough has changed for another fit.
const CHECKED_EVERY: Duration = Duration::from_secs(10 * 60);
/// A fit is made without being asked for once a tenant has this many accounts...
const ACCOUNTS_AT_LEAST: i64 = 200;
/// ... then when it has this many changes of orders and rivals' offers more, in parts of the order days that the last one
/// saw...
const CHANGED: f64 = 0.1;
/// ... or after this long, if there was any change.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// But never sooner after the last one than this.
const RESTED: Duration = Duration::from_secs(60 * 60);

/// A fit that was asked for.
pub(crate) struct Job {
    pub(crate) tenant: String,
    pub(crate) making: Making,
    /// As it was recorded.
    pub(crate) begun: told::Fit,
    /// The cut, if it has one of its own.
    pub(crate) own_cut: Option<Timestamp>,
}

/// How many changes of orders and rivals' offers each tenant has had since its last fit, or since the service started. Cheap
/// to clone.
#[derive(Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<HashMap<String, u64>>>);

impl Changes {
    /// Counts some.
    pub(crate) fn add(&self, tenant: &str, count: u64) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match changes.get_mut(tenant) {
            Some(changed) => *changed += count,
            None => {
                changes.insert(tenant.to_owned(), count);
            }
        }
    }

    /// All of them, by tenant.
    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().map(|(tenant, count)| (tenant.clone(), *count)).collect()
    }

    fn forget(&self, tenant: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }
}

/// Makes fits.
pub(crate) struct Maker {
    pub(crate) gallery: Gallery,
    pub(crate) methods: Methods,
    pub(crate) changes: Changes,
    pub(crate) instruments: Instruments,
    pub(crate) leases: Leases,
    pub(crate) jobs: mpsc::UnboundedSender<Job>,
    pub(crate) waiting: mpsc::UnboundedReceiver<Job>,
    pub(crate) shutdown: Shutdown,
}

impl Maker {
    /// Works until the shutdown begins.
    pub(crate) async fn run(mut self) {
        let mut checked_at = self.gallery.clock.now();
        loop {
            if let Err(error) = self.end_interrupted().await {
                tracing::warn!(error = %error, "interrupted fits could not be ended; trying again");
            }
            let since = self.gallery.clock.now().saturating_sub(checked_at);
            if since >= CHECKED_EVERY.as_micros() as i64 {
                checked_at = self.gallery.clock.now();
                self.check().await;
            }
            tokio::select! {
                job = self.waiting.recv() => match job {
                    Some(job) => self.make(job).await,
                    None => return,
                },
                () = tokio::time::sleep(LOOKED_EVERY) => {}
                () = self.shutdown.wait() => return,
            }
        }
    }

    /// Begins fits for those tenants of whom enough has changed; of several processes, the one that follows the tenant's
    /// own partition does.
    pub(crate) async fn check(&self) {
        let held = self.leases.held();
        for (tenant, changed) in self.changes.all() {
            if held.generation(partition(&tenant, "")).is_none() {
                continue;
            }
            // What others follow is about as much for each partition.
            let changed = changed * u64::from(PARTITIONS) / held.len().max(1) as u64;
            match self.is_due(&tenant, changed).await {
                Ok(false) => {}
                Ok(true) => {
                    let begun = told::Fit { automatic: true, ..handlers::pending() };
                    let (fits, maker) = (&self.gallery.fits, self.leases.id());
                    let begun = handlers::begin(&self.methods, fits, maker, &self.jobs, &tenant, begun, None);
                    match begun.await {
                        // One that was asked for is in the making.
                        Ok(_) | Err(Error::Refused(_)) => {}
                        Err(error) => tracing::warn!(error = %error, tenant, "a fit could not be begun"),
                    }
                }
                Err(error) => tracing::warn!(error = %error, tenant, "it could not be seen whether a fit is due"),
            }
        }
    }

    async fn is_due(&self, tenant: &str, changed: u64) -> Result<bool, Error> {
        let Some((made_at, order_days)) = self.gallery.fits.last_seen(tenant) else {
            return Ok(self.gallery.reader.ledger_count(tenant).await? >= ACCOUNTS_AT_LEAST);
        };
        let age = self.gallery.clock.now().saturating_sub(made_at);
        let is_changed = changed as f64 >= CHANGED * order_days as f64;
        Ok(age >= RESTED.as_micros() as i64 && (is_changed || age >= KEPT.as_micros() as i64))
    }

    /// Makes a fit that was asked for.
    pub(crate) async fn make(&self, job: Job) {
        let Job { tenant, making, begun, own_cut } = job;
        if making.is_cancelled() {
            return;
        }
        if own_cut.is_none() {
            self.changes.forget(&tenant);
        }
        let started = self.gallery.clock.now();
        let cut = own_cut.as_ref().map_or(started, methods::to_micros);
        let scope = Scope::new(self.gallery.clone(), &tenant, cut);
        let horizon_days = u32::try_from(begun.horizon_days).unwrap_or(super::HORIZON_DAYS);
        let made = tokio::select! {
            made = super::learn::fit(&scope, horizon_days, &making) => made,
            () = self.shutdown.wait() => return,
        };
        let ended = told::Fit { end_time: Some(from_micros(self.gallery.clock.now())), cut_time: own_cut, ..begun };
        let stored = match made {
            Ok(made) => wire::stored(&made, ended),
            Err(_) if making.is_cancelled() => return,
            Err(problem) => failed(ended, problem.to_string()),
        };
        let state = stored.fit.state().as_str_name();
        self.instruments.fitted(state, started);
        tracing::info!(tenant, fit.id = making.id, state, "a fit has ended");
        if let Err(error) = self.end(&tenant, &making.id, stored).await {
            tracing::error!(error = %error, fit.id = making.id, "how a fit has ended could not be written");
            self.gallery.fits.end(&tenant, &making.id);
        }
    }

    /// Ends the fits whose makers live no more.
    async fn end_interrupted(&self) -> Result<(), Error> {
        for (tenant, id, maker) in rows::unended(&self.gallery.reader).await? {
            let is_own = self.gallery.fits.making(&tenant).is_some_and(|making| making.id == id);
            if !is_own && (maker == self.leases.id() || !self.leases.is_live(&maker)) {
                self.interrupted(&tenant, &id).await?;
            }
        }
        Ok(())
    }

    /// Ends a fit that its maker did not.
    async fn interrupted(&self, tenant: &str, id: &str) -> Result<(), Error> {
        let Some(row) = self.methods.store().get(&rows::key(tenant, id)).await? else { return Ok(()) };
        let mut fit = rows::of_row(&row)?;
        fit.cut_time.take_if(|cut| Some(*cut) == fit.create_time);
        fit.end_time = Some(from_micros(self.gallery.clock.now()));
        self.end(tenant, id, failed(fit, "the service was stopped before it was done: ask for another".to_owned()))
            .await
    }

    /// Writes how a fit has ended, and lets it predict.
    async fn end(&self, tenant: &str, id: &str, stored: Stored) -> Result<(), Error> {
        let written = rows::write_end(&self.methods, tenant, id, &stored).await?;
        // Else it was broken off in the meantime.
        if written {
            let fitted = match stored.fit.state() {
                told::FitState::Succeeded => wire::fitted(id, &stored).map(Some).map_err(Error::Damaged)?,
                _ => None,
            };
            let created_at = self.methods.store().get(&rows::key(tenant, id)).await?.map_or(0, |row| row.created_at);
            self.gallery.fits.hold(tenant, id, rows::complete(id, created_at, stored.fit), fitted);
        }
        // Until here it is told as running: who sees that it has ended finds it in use.
        self.gallery.fits.end(tenant, id);
        Ok(())
    }
}

fn failed(fit: told::Fit, status: String) -> Stored {
    let fit = told::Fit { state: told::FitState::Failed.into(), status, ..fit };
    Stored { fit, ..Stored::default() }
}
