//! The fits of each tenant: what was learned from its portfolio, and which of it predicts.
//!
//! All that succeeded are held in memory, ready to predict, with what is told of each in lists: they are few. What a fit
//! holds beside that is read from the database. Any process may make a fit, one at a time for each tenant; the others hear of
//! it by [`crate::documents`].

mod handlers;
mod judge;
mod learn;
mod maker;
mod portfolio;
mod rows;
mod wire;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use contracts::predictions::v1 as told;
use dynamics::{Expectation, contest, prediction::Predictor};

use crate::models::Models;

pub(crate) use handlers::Predictions;
pub(crate) use learn::{Problem, backtest};
pub(crate) use maker::{Changes, Maker};
pub(crate) use portfolio::{History, Scope, in_units, known, until};
pub(crate) use rows::{CHOICES, FITS};

/// The days ahead that a fit is made for unless the caller says how many: a quarter.
pub(crate) const HORIZON_DAYS: u32 = 91;

/// A fit that has succeeded, ready to predict.
pub(crate) struct Fitted {
    pub(crate) id: String,
    pub(crate) predictor: Predictor,
    pub(crate) contest: contest::Predictor,
    /// How many offers the latter has learned from: whether they were disclosed, and how they ended.
    pub(crate) contest_cases: u64,
    pub(crate) scales: Scales,
}

/// The mean spend of an order day by currency. The predictor knows amounts in units of the first one's.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scales {
    /// Code, customers and mean, most customers first.
    pub(crate) currencies: Vec<(String, u64, f64)>,
}

impl Scales {
    /// How many units of the predictor one unit of a currency is; none of one that the fit has not seen.
    pub(crate) fn of(&self, currency: &str) -> Option<f64> {
        let (_, _, first) = self.currencies.first()?;
        let (_, _, mean) = self.currencies.iter().find(|(code, _, _)| code == currency)?;
        Some(first / mean)
    }

    /// The most frequent currency; empty if there is none.
    pub(crate) fn first(&self) -> &str {
        self.currencies.first().map_or("", |(code, _, _)| code)
    }
}

impl Fitted {
    /// What it expects of customers.
    pub(crate) fn expectation(&self) -> Expectation {
        Expectation::new(&self.id, *self.predictor.activity(), self.predictor.horizon_days())
    }
}

/// The fits of every tenant. Cheap to clone; all clones hold the same.
#[derive(Clone)]
pub(crate) struct Fits {
    tenants: Arc<RwLock<HashMap<String, Tenant>>>,
    models: Models,
}

#[derive(Default)]
struct Tenant {
    /// What is told of each in lists, by id, and so by time.
    told: BTreeMap<String, told::Fit>,
    /// Those that succeeded.
    fitted: BTreeMap<String, Arc<Fitted>>,
    choice: Choice,
    /// The one that is being made or waits for it.
    making: Option<Making>,
}

/// Which fit a tenant chose.
#[derive(Debug, Clone, Default, PartialEq)]
struct Choice {
    /// Grows with each choice.
    version: i64,
    /// The fit's id; none if the choice was taken back.
    fit: Option<String>,
}

/// A fit in the making. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    pub(crate) id: String,
    step: Arc<Mutex<Step>>,
    is_cancelled: Arc<AtomicBool>,
}

/// What is being done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) is_running: bool,
    /// In plain words.
    pub(crate) status: String,
    /// From 0 to 1.
    pub(crate) progress: f64,
}

impl Making {
    pub(crate) fn new(id: &str) -> Self {
        let step = Step { status: "waits for its turn".to_owned(), ..Step::default() };
        Self { id: id.to_owned(), step: Arc::new(Mutex::new(step)), is_cancelled: Arc::default() }
    }

    /// Says what is being done.
    pub(crate) fn reach(&self, status: &str, progress: f64) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        step.is_running = true;
        step.progress = progress.clamp(0.0, 1.0);
        if step.status != status {
            status.clone_into(&mut step.status);
        }
    }

    /// What is being done.
    pub(crate) fn step(&self) -> Step {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks that it be broken off.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it is to be broken off.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Tenant {
    /// The choice, else the latest of those that were made of all that was known.
    fn in_use(&self) -> Option<&Arc<Fitted>> {
        let chosen = self.choice.fit.as_ref().and_then(|id| self.fitted.get(id));
        chosen.or_else(|| self.fitted.values().rev().find(|fitted| self.told.get(&fitted.id).is_some_and(follows)))
    }
}

/// Whether a fit predicts from when it has succeeded: one with a cut of its own only does if it is chosen.
fn follows(fit: &told::Fit) -> bool {
    fit.cut_time == fit.create_time
}

impl Fits {
    /// No fits yet. The models are told what the fit in use expects.
    pub(crate) fn new(models: Models) -> Self {
        Self { tenants: Arc::default(), models }
    }

    /// The fit that predicts for a tenant.
    pub(crate) fn in_use(&self, tenant: &str) -> Option<Arc<Fitted>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant)?.in_use().cloned()
    }

    /// A fit that has succeeded.
    pub(crate) fn find(&self, tenant: &str, id: &str) -> Option<Arc<Fitted>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant)?.fitted.get(id).cloned()
    }

    /// What lists tell of a tenant's fits, the latest first, after this id; at most so many.
    pub(crate) fn told_before(&self, tenant: &str, before: Option<&str>, limit: usize) -> Vec<told::Fit> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let Some(tenant) = tenants.get(tenant) else { return Vec::new() };
        let ids = tenant.told.iter().rev().filter(|(id, _)| before.is_none_or(|before| id.as_str() < before));
        ids.take(limit).map(|(id, fit)| tenant.as_now(id, fit.clone())).collect()
    }

    /// Says of a fit what is not written in it: whether it predicts now, and how far it has come.
    fn as_now(&self, tenant: &str, id: &str, fit: told::Fit) -> told::Fit {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        match tenants.get(tenant) {
            Some(tenant) => tenant.as_now(id, fit),
            None => fit,
        }
    }

    /// The fit that a tenant has in the making.
    fn making(&self, tenant: &str) -> Option<Making> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant)?.making.clone()
    }

    /// Begins a fit, unless the tenant has another in the making.
    fn begin(&self, tenant: &str, id: &str) -> Result<Making, Making> {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let place = &mut tenants.entry(tenant.to_owned()).or_default().making;
        match place {
            Some(other) if other.id != id => Err(other.clone()),
            Some(same) => Ok(same.clone()),
            None => Ok(place.insert(Making::new(id)).clone()),
        }
    }

    /// Ends a fit that was begun.
    fn end(&self, tenant: &str, id: &str) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = tenants.get_mut(tenant) {
            tenant.making.take_if(|making| making.id == id);
        }
    }

    /// Holds what is told of a fit, and the fit itself once it has succeeded.
    fn hold(&self, tenant: &str, id: &str, told: told::Fit, fitted: Option<Fitted>) {
        {
            let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
            let held = tenants.entry(tenant.to_owned()).or_default();
            held.told.insert(id.to_owned(), wire::in_lists(told));
            if let Some(fitted) = fitted {
                held.fitted.insert(id.to_owned(), Arc::new(fitted));
            }
        }
        self.tell_models(tenant);
    }

    /// Holds a choice, unless a later one is held already.
    fn choose(&self, tenant: &str, choice: Choice) {
        {
            let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
            let held = &mut tenants.entry(tenant.to_owned()).or_default().choice;
            if choice.version > held.version {
                *held = choice;
            }
        }
        self.tell_models(tenant);
    }

    fn tell_models(&self, tenant: &str) {
        self.models.expect(tenant, self.in_use(tenant).map(|fitted| fitted.expectation()));
    }

    /// What the last fit that was made of all that was known saw: when, and how many order days.
    fn last_seen(&self, tenant: &str) -> Option<(i64, i64)> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let last = tenants.get(tenant)?.told.values().rev().find(|fit| follows(fit))?;
        Some((last.create_time.as_ref().map_or(0, methods::to_micros), last.order_day_count))
    }
}

impl Tenant {
    fn as_now(&self, id: &str, fit: told::Fit) -> told::Fit {
        let mut fit = told::Fit { is_default: self.in_use().is_some_and(|fitted| fitted.id == id), ..fit };
        if let Some(making) = self.making.as_ref().filter(|making| making.id == id) {
            let Step { is_running, status, progress } = making.step();
            let state = if is_running { told::FitState::Running } else { told::FitState::Pending };
            fit = told::Fit { state: state.into(), end_time: None, status, progress, ..fit };
        } else if fit.state() == told::FitState::Pending {
            "is in the hands of another process".clone_into(&mut fit.status);
        }
        fit
    }
}
