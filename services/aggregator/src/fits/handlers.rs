//! The RPC handlers of fits, and the doors to back-tests and opportunities.

use contracts::predictions::v1::{predictions_service_server::PredictionsService, *};
use futures_util::stream::BoxStream;
use methods::{
    Call, Methods, Violations, from_micros, new_id, not_found, page_size, refusal, state_conflict, store_fault,
};
use store::{Command, Draft, PageToken};
use tokio::{runtime::Handle, sync::mpsc};
use tonic::{Request, Response, Status};

use super::{
    Choice, Fits, HORIZON_DAYS,
    maker::Job,
    rows::{self, NAMES},
    wire::Stored,
};
use crate::{
    picture::Gallery,
    service::{page_token_fault, to_its_end},
};

/// In place of an id, the fit that predicts now.
const DEFAULT: &str = "default";

/// Serves fits, back-tests and opportunities.
pub(crate) struct Predictions {
    pub(crate) gallery: Gallery,
    /// Over the documents that this service owns itself.
    pub(crate) methods: Methods,
    /// The id of this process among those that share the database.
    pub(crate) maker: String,
    /// To the [`super::Maker`].
    pub(crate) jobs: mpsc::UnboundedSender<Job>,
    /// Where long work runs, so that no connection waits behind it.
    pub(crate) workers: Handle,
}

#[tonic::async_trait]
impl PredictionsService for Predictions {
    async fn fit_portfolio(
        &self,
        request: Request<FitPortfolioRequest>,
    ) -> Result<Response<FitPortfolioResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let horizon_days = horizon("horizon_days", ask.horizon_days, &mut violations);
        violations.time("as_of", ask.as_of.as_ref());
        if ask.as_of.as_ref().is_some_and(|cut| methods::to_micros(cut) > self.gallery.clock.now()) {
            violations.add("as_of", "must not be after now");
        }
        violations.text("request_id", &ask.request_id, 0, 64);
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let begun = Fit { horizon_days: horizon_days as i32, cut_time: ask.as_of, ..pending() };
        let (methods, fits, jobs) = (self.methods.clone(), self.gallery.fits.clone(), self.jobs.clone());
        let maker = self.maker.clone();
        let request = call.request(&ask.request_id);
        let fit = to_its_end(async move {
            begin(&methods, &fits, &maker, &jobs, call.tenant.as_str(), begun, request).await.map_err(store_fault)
        });
        Ok(Response::new(FitPortfolioResponse { fit: Some(fit.await?) }))
    }

    async fn get_fit(&self, request: Request<GetFitRequest>) -> Result<Response<GetFitResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let id = fit_id(&ask.name, &mut violations);
        violations.finish()?;
        let (tenant, fits) = (call.tenant.as_str(), &self.gallery.fits);
        let id = match id {
            DEFAULT => fits.in_use(tenant).ok_or_else(|| not_found("fit", &ask.name))?.id.clone(),
            id => id.to_owned(),
        };
        let fit = self.read(tenant, &id).await?.ok_or_else(|| not_found("fit", &ask.name))?;
        Ok(Response::new(GetFitResponse { fit: Some(fit) }))
    }

    async fn list_fits(&self, request: Request<ListFitsRequest>) -> Result<Response<ListFitsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.finish()?;
        let tenant = call.tenant.as_str();
        let list = methods::list_fingerprint(&(tenant, "fits"));
        let before = match ask.page_token.as_str() {
            "" => None,
            token => {
                let after = PageToken::decode(token, list).ok().map(|token| token.after);
                let after = after.and_then(|after| <[String; 1]>::try_from(after).ok());
                Some(after.map(|[id]| id).ok_or_else(page_token_fault)?)
            }
        };
        let limit = page_size(ask.page_size) as usize;
        let mut page = self.gallery.fits.told_before(tenant, before.as_deref(), limit + 1);
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().filter(|_| more).and_then(|fit| NAMES.parse(&fit.name));
        let next_page_token =
            last.map_or(String::new(), |(_, id)| PageToken { list, after: vec![id.to_owned()] }.encode());
        Ok(Response::new(ListFitsResponse { fits: page, next_page_token }))
    }

    async fn cancel_fit(&self, request: Request<CancelFitRequest>) -> Result<Response<CancelFitResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let id = fit_id(&ask.name, &mut violations).to_owned();
        violations.text("request_id", &ask.request_id, 0, 64);
        violations.finish()?;
        let tenant = call.tenant.as_str().to_owned();
        if self.read(&tenant, &id).await?.is_none() {
            return Err(not_found("fit", &ask.name).into());
        }
        let (methods, fits) = (self.methods.clone(), self.gallery.fits.clone());
        let request = call.request(&ask.request_id);
        let cancelled = to_its_end(async move {
            let key = rows::key(&tenant, &id);
            let name = ask.name;
            let command = Command {
                tenant: tenant.clone(),
                keys: vec![key.clone(), rows::note_key(&tenant)],
                request,
                decide: Box::new(move |rows| {
                    let row = rows.get(&key).ok_or_else(|| refusal(not_found("fit", &name)))?;
                    let mut fit = rows::of_row(row)?;
                    if row.state != "pending" {
                        return Err(refusal(state_conflict(&name, fit.state().as_str_name(), "cancelled")));
                    }
                    // The cut is its own only if it is another than when it was asked for.
                    fit.cut_time.take_if(|cut| Some(*cut) == fit.create_time);
                    fit.set_state(FitState::Cancelled);
                    fit.end_time = Some(from_micros(rows.now()));
                    rows.put_unfed(key.clone(), rows::draft(&Stored { fit, ..Stored::default() }, ""));
                    rows::note_end(rows, &key.tenant, &key.id);
                    Ok(key)
                }),
            };
            let row = methods.store().write(command).await.map_err(store_fault)?.row;
            let fit = rows::of_row(&row).map_err(store_fault)?;
            if let Some(making) = fits.making(&tenant).filter(|making| making.id == id) {
                making.cancel();
                fits.end(&tenant, &id);
            }
            fits.hold(&tenant, &id, fit.clone(), None);
            Ok(fits.as_now(&tenant, &id, fit))
        });
        Ok(Response::new(CancelFitResponse { fit: Some(cancelled.await?) }))
    }

    async fn set_default_fit(
        &self,
        request: Request<SetDefaultFitRequest>,
    ) -> Result<Response<SetDefaultFitResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let id = (!ask.name.is_empty()).then(|| fit_id(&ask.name, &mut violations).to_owned());
        if id.as_deref() == Some(DEFAULT) {
            violations.add("name", "must name a fit, or be empty to take the choice back");
        }
        violations.text("request_id", &ask.request_id, 0, 64);
        violations.finish()?;
        let tenant = call.tenant.as_str().to_owned();
        if let Some(id) = &id {
            let fit = self.read(&tenant, id).await?.ok_or_else(|| not_found("fit", &ask.name))?;
            if self.gallery.fits.find(&tenant, id).is_none() {
                return Err(state_conflict(&ask.name, fit.state().as_str_name(), "chosen").into());
            }
        }
        let (methods, fits) = (self.methods.clone(), self.gallery.fits.clone());
        let request = call.request(&ask.request_id);
        let chosen = tenant.clone();
        to_its_end(async move {
            let key = rows::choice_key(&chosen);
            let command = Command {
                tenant: chosen.clone(),
                keys: vec![key.clone()],
                request,
                decide: Box::new(move |rows| {
                    let draft = Draft {
                        state: String::new(),
                        label: String::new(),
                        happened_at: 0,
                        deleted: id.is_none(),
                        document: id.unwrap_or_default().into_bytes(),
                    };
                    rows.put(key.clone(), draft);
                    Ok(key)
                }),
            };
            let row = methods.store().write(command).await.map_err(store_fault)?.row;
            let fit = rows::chosen(row.deleted_at, &row.document).map_err(store_fault)?;
            fits.choose(&chosen, Choice { version: row.version, fit });
            Ok(())
        })
        .await?;
        let fit = match self.gallery.fits.in_use(&tenant) {
            Some(fitted) => self.read(&tenant, &fitted.id).await?,
            None => None,
        };
        Ok(Response::new(SetDefaultFitResponse { fit }))
    }

    type BacktestPortfolioStream = BoxStream<'static, Result<BacktestPortfolioResponse, Status>>;

    async fn backtest_portfolio(
        &self,
        request: Request<BacktestPortfolioRequest>,
    ) -> Result<Response<Self::BacktestPortfolioStream>, Status> {
        self.backtested(request).await
    }

    async fn list_opportunities(
        &self,
        request: Request<ListOpportunitiesRequest>,
    ) -> Result<Response<ListOpportunitiesResponse>, Status> {
        self.listed_opportunities(request).await
    }
}

impl Predictions {
    /// A fit as it is now.
    async fn read(&self, tenant: &str, id: &str) -> Result<Option<Fit>, Status> {
        let row = self.methods.store().get(&rows::key(tenant, id)).await.map_err(store_fault)?;
        let Some(row) = row else { return Ok(None) };
        let fit = rows::of_row(&row).map_err(store_fault)?;
        Ok(Some(self.gallery.fits.as_now(tenant, id, fit)))
    }
}

/// A fit that has just been asked for.
pub(super) fn pending() -> Fit {
    Fit { state: FitState::Pending.into(), horizon_days: HORIZON_DAYS as i32, ..Fit::default() }
}

/// Records a fit that was asked for, and has it made.
///
/// # Errors
/// The database's; a refusal while the tenant has another in the making.
pub(super) async fn begin(
    methods: &Methods,
    fits: &Fits,
    maker: &str,
    jobs: &mpsc::UnboundedSender<Job>,
    tenant: &str,
    begun: Fit,
    request: Option<store::RequestId>,
) -> Result<Fit, store::Error> {
    let id = new_id();
    let key = rows::key(tenant, &id);
    let draft = rows::draft(&Stored { fit: begun.clone(), ..Stored::default() }, maker);
    let fits_then = fits.clone();
    let command = Command {
        tenant: tenant.to_owned(),
        keys: vec![key.clone(), rows::note_key(tenant)],
        request,
        decide: Box::new(move |rows| {
            let in_the_way = |other: &str, is_running| {
                let state = if is_running { "FIT_STATE_RUNNING" } else { "FIT_STATE_PENDING" };
                Err(refusal(state_conflict(&NAMES.name("", other), state, "followed by another yet")))
            };
            if let Err(other) = fits_then.begin(&key.tenant, &key.id) {
                return in_the_way(&other.id, other.step().is_running);
            }
            // Another process makes one.
            if let Some(other) = rows::noted(rows, &key.tenant) {
                return in_the_way(&other, false);
            }
            rows.put_unfed(key.clone(), draft);
            rows::note_begin(rows, &key.tenant, &key.id);
            Ok(key)
        }),
    };
    let written = methods.store().write(command).await.inspect_err(|_| fits.end(tenant, &id))?;
    let fit = rows::of_row(&written.row)?;
    // Answered as the first time, it was begun then.
    if written.row.key.id == id {
        fits.hold(tenant, &id, fit.clone(), None);
        let making = fits.making(tenant).filter(|making| making.id == id);
        if let Some(making) = making {
            // Nobody receives any more only while the service stops; the next start says so of the fit.
            let _ = jobs.send(Job { tenant: tenant.to_owned(), making, begun: fit.clone(), own_cut: begun.cut_time });
        }
    }
    Ok(fits.as_now(tenant, &written.row.key.id, fit))
}

/// Reads a horizon, in days.
pub(super) fn horizon(field: &'static str, days: i32, violations: &mut Violations) -> u32 {
    if days != 0 && !(7..=730).contains(&days) {
        violations.add(field, "must lie between 7 and 730, or be 0 for 91");
    }
    u32::try_from(days).ok().filter(|days| *days > 0).unwrap_or(HORIZON_DAYS)
}

/// Returns the id in a fit's name.
fn fit_id<'a>(name: &'a str, violations: &mut Violations) -> &'a str {
    let id = NAMES.parse(name).map(|(_, id)| id);
    id.unwrap_or_else(|| {
        violations.add("name", "must be a name such as `fits/{fit}`");
        ""
    })
}
