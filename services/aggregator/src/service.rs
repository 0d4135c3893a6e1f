//! The RPC handlers: open the request, act, answer.

use contracts::{
    assessments::v1::{assessments_service_server::AssessmentsService, *},
    common::v1::ErrorReason,
};
use dynamics::{assess, explain, explain_sources};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use methods::{Call, Methods, Violations, account_id, account_name, is_id, not_found, page_size, store_fault};
use runtime::{Fault, Violation};
use store::PageToken;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use wording::Words;

use crate::{
    apply::{decode_ledger, fold},
    compare,
    filter::{self, Order},
    picture::{Gallery, Moment as At, Picture},
    predict::read_horizon,
    store::{Standing, StandingPlace, TimelinePlace},
    telling,
    told::{segment, source},
    tongue::Tongue,
    watch::Watching,
    wire,
};

/// How many ledgers are verified before progress is told.
const LEDGERS_PER_MESSAGE: i64 = 1_000;

/// Serves assessments.
pub(crate) struct Service {
    pub(crate) gallery: Gallery,
    pub(crate) watching: Watching,
    /// Over the documents that this service owns itself.
    pub(crate) methods: Methods,
}

#[tonic::async_trait]
impl AssessmentsService for Service {
    async fn get_assessment(
        &self,
        request: Request<GetAssessmentRequest>,
    ) -> Result<Response<GetAssessmentResponse>, Status> {
        let tongue = Tongue::of(&request);
        // The hottest call: it needs no fingerprint of its request.
        let tenant = runtime::tenant(&request)?;
        let ask = request.into_inner();
        let mut violations = Violations::default();
        let moment = At::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        let account = assessed("name", &ask.name, &mut violations);
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let picture = self.gallery.find(tenant.as_str(), account, moment).await?;
        let ahead = self.gallery.ahead(tenant.as_str(), horizon, [&picture]).await?;
        let assessment = self.gallery.assess_ahead(picture, ahead.as_ref(), tongue.if_asked())?;
        Ok(tongue.answer(GetAssessmentResponse { assessment: Some(assessment) }))
    }

    async fn batch_get_assessments(
        &self,
        request: Request<BatchGetAssessmentsRequest>,
    ) -> Result<Response<BatchGetAssessmentsResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = At::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        if ask.names.is_empty() {
            violations.add("names", "is required");
        }
        violations.at_most("names", ask.names.len(), 1_000);
        let accounts: Vec<&str> = (0..)
            .zip(&ask.names)
            .map(|(index, name): (usize, _)| assessed(&format!("names[{index}]"), name, &mut violations))
            .collect();
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let pictures = self.gallery.find_all(call.tenant.as_str(), &accounts, moment).await?;
        let ahead = self.gallery.ahead(call.tenant.as_str(), horizon, pictures.iter().flatten()).await?;
        let mut assessments = Vec::with_capacity(pictures.len());
        for (picture, name) in pictures.into_iter().zip(&ask.names) {
            let picture = picture.ok_or_else(|| not_found("assessment", name))?;
            assessments.push(self.gallery.assess_ahead(picture, ahead.as_ref(), tongue.if_asked())?);
            tongue.rest().await;
        }
        Ok(tongue.answer(BatchGetAssessmentsResponse { assessments }))
    }

    async fn list_assessments(
        &self,
        request: Request<ListAssessmentsRequest>,
    ) -> Result<Response<ListAssessmentsResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = At::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        if !(ask.filter.is_empty() && ask.order_by.is_empty()) {
            for (field, time) in [("as_of", moment.as_of), ("known_at", moment.known_at)] {
                if time.is_some() {
                    violations.add(field, "needs an empty `filter` and `order_by`");
                }
            }
        }
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.finish()?;
        let comparisons = filter::parse(&ask.filter)?;
        let order = filter::parse_order(&ask.order_by)?;
        let list = methods::list_fingerprint(&(
            call.tenant.as_str(),
            &ask.filter,
            &ask.order_by,
            (moment.as_of, moment.known_at),
            horizon,
        ));
        let after = match ask.page_token.as_str() {
            "" => None,
            token => Some(standing_place(token, list)?),
        };
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let tenant = call.tenant.as_str();
        let limit = i64::from(page_size(ask.page_size));
        let (reader, standings) = (&self.gallery.reader, &self.gallery.standings);
        let is_chosen = !comparisons.is_empty() || order != Order::default();
        let places = match is_chosen {
            true => standings.page(reader, tenant, &comparisons, &order, after, limit + 1).await,
            false => reader.standings(tenant, after.as_ref(), limit + 1).await,
        };
        let mut places = places.map_err(store_fault)?;
        let more = places.len() as i64 > limit;
        places.truncate(limit as usize);
        let next_page_token = places.last().filter(|_| more).map_or(String::new(), |Standing { place, .. }| {
            let after = vec![format!("{:016x}", place.figure.to_bits()), place.account.clone()];
            PageToken { list, after }.encode()
        });
        let accounts: Vec<&str> = places.iter().map(|standing| standing.place.account.as_str()).collect();
        let pictures = self.gallery.find_all(tenant, &accounts, moment).await?;
        let ahead = self.gallery.ahead(tenant, horizon, pictures.iter().flatten()).await?;
        // What was chosen or ordered by its standing is assessed as its standing was, or it might not pass.
        let mut assessments = Vec::with_capacity(pictures.len());
        for (picture, standing) in pictures.into_iter().zip(&places) {
            // An account that was not known at another moment is not in that list.
            if let Some(mut picture) = picture {
                if is_chosen {
                    picture.now = standing.assessed_at;
                    if let Some(model) = self.gallery.made_with(tenant, &standing.model) {
                        self.gallery.with_model(&mut picture, model).await?;
                    }
                }
                assessments.push(self.gallery.assess_ahead(picture, ahead.as_ref(), tongue.if_asked())?);
                tongue.rest().await;
            }
        }
        Ok(tongue.answer(ListAssessmentsResponse { assessments, next_page_token }))
    }

    async fn explain_assessment(
        &self,
        request: Request<ExplainAssessmentRequest>,
    ) -> Result<Response<ExplainAssessmentResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = At::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        let account = assessed("name", &ask.name, &mut violations);
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let mut picture = self.gallery.find(call.tenant.as_str(), account, moment).await?;
        Ok(tongue.answer(self.explanation(&mut picture, ask.by_source, tongue.words).await?))
    }

    async fn compare_assessments(
        &self,
        request: Request<CompareAssessmentsRequest>,
    ) -> Result<Response<CompareAssessmentsResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let account = assessed("name", &ask.name, &mut violations);
        violations.required_time("as_of", ask.as_of.as_ref());
        let before = At::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut Violations::default());
        let after = At::read(ask.until.as_ref(), ask.until_known_at.as_ref(), &mut Violations::default());
        violations.time("known_at", ask.known_at.as_ref());
        violations.time("until", ask.until.as_ref());
        violations.time("until_known_at", ask.until_known_at.as_ref());
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let tenant = call.tenant.as_str();
        let before = self.gallery.find(tenant, account, before).await?;
        let after = self.gallery.find(tenant, account, after).await?;
        Ok(tongue.answer(compare::answer(&self.gallery, before, after, tongue.words).await?))
    }

    async fn list_timeline(
        &self,
        request: Request<ListTimelineRequest>,
    ) -> Result<Response<ListTimelineResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let account = account_id(&ask.parent).unwrap_or_else(|| {
            violations.add("parent", "must be a name such as `accounts/{account}`");
            ""
        });
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.finish()?;
        let list = methods::list_fingerprint(&(call.tenant.as_str(), account));
        let after = match ask.page_token.as_str() {
            "" => None,
            token => Some(timeline_place(token, list)?),
        };
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let tenant = call.tenant.as_str();
        let reader = &self.gallery.reader;
        let merged = reader.merged_into(tenant, account).await.map_err(store_fault)?;
        let account = merged.as_deref().unwrap_or(account);
        let limit = i64::from(page_size(ask.page_size));
        let mut rows = reader.timeline(tenant, account, after.as_ref(), limit + 1).await.map_err(store_fault)?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next_page_token = rows.last().filter(|_| more).map_or(String::new(), |row| {
            PageToken { list, after: vec![row.happened_at.to_string(), row.source.clone()] }.encode()
        });
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            entries.push(wire::entry(row, &source(row).map_err(store_fault)?));
        }
        Ok(Response::new(ListTimelineResponse { entries, next_page_token }))
    }

    async fn get_portfolio(
        &self,
        request: Request<GetPortfolioRequest>,
    ) -> Result<Response<GetPortfolioResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.finish()?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let tenant = call.tenant.as_str();
        let shape = self.gallery.standings.shape(&self.gallery.reader, tenant).await.map_err(store_fault)?;
        let outlook = self.gallery.outlook(tenant, ask.show_cohorts, horizon).await.map_err(store_fault)?;
        Ok(Response::new(wire::portfolio(shape, outlook)))
    }

    type WatchAssessmentsStream = BoxStream<'static, Result<WatchAssessmentsResponse, Status>>;

    async fn watch_assessments(
        &self,
        request: Request<WatchAssessmentsRequest>,
    ) -> Result<Response<Self::WatchAssessmentsStream>, Status> {
        self.watch(request).await
    }

    async fn list_models(&self, request: Request<ListModelsRequest>) -> Result<Response<ListModelsResponse>, Status> {
        self.models_listed(request).await
    }

    async fn create_model(
        &self,
        request: Request<CreateModelRequest>,
    ) -> Result<Response<CreateModelResponse>, Status> {
        self.model_created(request).await
    }

    async fn set_default_model(
        &self,
        request: Request<SetDefaultModelRequest>,
    ) -> Result<Response<SetDefaultModelResponse>, Status> {
        self.default_model_set(request).await
    }

    async fn simulate_assessment(
        &self,
        request: Request<SimulateAssessmentRequest>,
    ) -> Result<Response<SimulateAssessmentResponse>, Status> {
        self.simulate(request).await
    }

    type TryModelStream = BoxStream<'static, Result<TryModelResponse, Status>>;

    async fn try_model(&self, request: Request<TryModelRequest>) -> Result<Response<Self::TryModelStream>, Status> {
        self.tried(request).await
    }

    async fn create_stated_view(
        &self,
        request: Request<CreateStatedViewRequest>,
    ) -> Result<Response<CreateStatedViewResponse>, Status> {
        self.view_stated(request).await
    }

    async fn get_stated_view(
        &self,
        request: Request<GetStatedViewRequest>,
    ) -> Result<Response<GetStatedViewResponse>, Status> {
        self.stated_view(request).await
    }

    async fn list_stated_views(
        &self,
        request: Request<ListStatedViewsRequest>,
    ) -> Result<Response<ListStatedViewsResponse>, Status> {
        self.stated_views(request).await
    }

    async fn delete_stated_view(
        &self,
        request: Request<DeleteStatedViewRequest>,
    ) -> Result<Response<DeleteStatedViewResponse>, Status> {
        self.view_withdrawn(request).await
    }

    async fn get_model(&self, request: Request<GetModelRequest>) -> Result<Response<GetModelResponse>, Status> {
        self.model(request).await
    }

    type VerifyLedgersStream = BoxStream<'static, Result<VerifyLedgersResponse, Status>>;

    async fn verify_ledgers(
        &self,
        request: Request<VerifyLedgersRequest>,
    ) -> Result<Response<Self::VerifyLedgersStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let gallery = self.gallery.clone();
        let tenant = call.tenant.as_str().to_owned();
        if !ask.account.is_empty() {
            let mut violations = Violations::default();
            if account_id(&ask.account).is_none() {
                violations.add("account", "must be a name such as `accounts/{account}`");
            }
            violations.finish()?;
            let picture = gallery
                .find(&tenant, account_id(&ask.account).unwrap_or_default(), At { as_of: None, known_at: None })
                .await?;
            let same = verified(&gallery, &picture.tenant, &picture.account).await?;
            let differing_accounts = if same { vec![] } else { vec![ask.account] };
            let answer = VerifyLedgersResponse { verified_count: 1, total_count: 1, differing_accounts };
            return Ok(Response::new(stream::iter([Ok(answer)]).boxed()));
        }
        let total = gallery.reader.ledger_count(&tenant).await.map_err(store_fault)?;
        let start = Some((String::new(), 0_i64));
        let answers = stream::unfold(start, move |state| {
            let (gallery, tenant) = (gallery.clone(), tenant.clone());
            async move {
                let (after, verified_before) = state?;
                match verify_page(&gallery, &tenant, &after, verified_before, total).await {
                    Ok((answer, next)) => Some((Ok(answer), next)),
                    Err(fault) => Some((Err(Status::from(fault)), None)),
                }
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}

impl Service {
    async fn explanation(
        &self,
        picture: &mut Picture,
        by_source: bool,
        words: &Words,
    ) -> Result<ExplainAssessmentResponse, Fault> {
        let sources = if by_source { Some(self.gallery.sources(picture).await?) } else { None };
        let model = picture.model.as_ref();
        let assessment = assess(&picture.ledger, model, picture.now);
        let explanation = explain(&picture.ledger, model, picture.now);
        let answer = self.gallery.assess(picture.clone());
        let summary = telling::assessment::summary(words, &assessment, &explanation, model, &answer);
        let mut facets = wire::explanation(&explanation, model, words);
        if let Some(sources) = sources {
            let facts = sources.iter().map(|(source, facts)| (source.as_str(), facts));
            wire::add_sources(&mut facets, explain_sources(&picture.ledger, model, picture.now, facts));
        }
        Ok(ExplainAssessmentResponse { assessment: Some(answer), facets, summary })
    }
}

/// Carries a write through, also when the client goes away meanwhile: what is held in memory must follow what is stored.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|error| Err(Fault::log_internal(&error)))
}

/// Verifies a page of ledgers. Returns what to tell and where to go on, if there is more.
async fn verify_page(
    gallery: &Gallery,
    tenant: &str,
    after: &str,
    verified_before: i64,
    total_count: i64,
) -> Result<(VerifyLedgersResponse, Option<(String, i64)>), Fault> {
    let page =
        gallery.reader.ledger_page(Some(tenant), (tenant, after), LEDGERS_PER_MESSAGE).await.map_err(store_fault)?;
    let verified_count = verified_before + page.len() as i64;
    let mut differing_accounts = Vec::new();
    for row in &page {
        if !verified(gallery, tenant, &row.account).await? {
            differing_accounts.push(account_name(&row.account));
        }
    }
    let next = page.last().filter(|_| page.len() as i64 == LEDGERS_PER_MESSAGE);
    let next = next.map(|row| (row.account.clone(), verified_count));
    Ok((VerifyLedgersResponse { verified_count, total_count, differing_accounts }, next))
}

/// Whether an account's ledger is what its sources fold into.
async fn verified(gallery: &Gallery, tenant: &str, account: &str) -> Result<bool, Fault> {
    // The ledger is read on both sides of the sources: if a change fell between, the comparison is made again.
    loop {
        let before = gallery.reader.ledgers(tenant, &[account]).await.map_err(store_fault)?;
        let rows = gallery.reader.sources(tenant, account, true).await.map_err(store_fault)?;
        let after = gallery.reader.ledgers(tenant, &[account]).await.map_err(store_fault)?;
        let (Some(before), Some(after)) = (before.first(), after.first()) else { return Ok(true) };
        if before.document == after.document {
            let stored = decode_ledger(after).map_err(store_fault)?;
            let folded = fold(stored.half_lives(), &rows).map_err(store_fault)?;
            return Ok(stored == folded && after.segment == segment(&rows, account).map_err(store_fault)?);
        }
    }
}

/// Returns the account in `accounts/{account}/assessment`.
pub(crate) fn assessed<'a>(field: &str, name: &'a str, violations: &mut Violations) -> &'a str {
    let account = name.strip_prefix("accounts/").and_then(|name| name.strip_suffix("/assessment"));
    account.filter(|account| is_id(account)).unwrap_or_else(|| {
        violations.add(field, "must be a name such as `accounts/{account}/assessment`");
        ""
    })
}

fn standing_place(token: &str, list: u64) -> Result<StandingPlace, Fault> {
    let after = PageToken::decode(token, list).ok().map(|token| token.after);
    let place = after.as_deref().and_then(|after| match after {
        [figure, account] => {
            let figure = f64::from_bits(u64::from_str_radix(figure, 16).ok()?);
            Some(StandingPlace { figure, account: account.clone() })
        }
        _ => None,
    });
    place.ok_or_else(page_token_fault)
}

fn timeline_place(token: &str, list: u64) -> Result<TimelinePlace, Fault> {
    let after = PageToken::decode(token, list).ok().map(|token| token.after);
    let place = after.as_deref().and_then(|after| match after {
        [happened_at, source] => Some(TimelinePlace { happened_at: happened_at.parse().ok()?, source: source.clone() }),
        _ => None,
    });
    place.ok_or_else(page_token_fault)
}

pub(crate) fn page_token_fault() -> Fault {
    let violation = Violation::new("page_token", "is not the `next_page_token` of a page of this list");
    Fault::invalid(ErrorReason::PageTokenInvalid.as_str_name(), vec![violation])
}
