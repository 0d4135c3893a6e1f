//! The RPC handlers: open the request, act, answer.

use contracts::feedback::v1::{feedback_service_server::FeedbackService, *};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use methods::{
    Call, EraseAsk, ImportMessage, ImportRow, ListAsk, Methods, ReanalyzeAsk, StateFilter, Undoing, Violations,
    Watched, WatchedChange,
};
use runtime::{Fault, Tenant};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    feedback::{self, ERASURE, FEEDBACK},
    improvement::{self, IMPROVEMENT},
    theme::THEME,
};

type Answers<M> = BoxStream<'static, Result<M, Status>>;

/// What imports of feedback, themes and improvements are taken back with.
static UNDOING: Undoing = Undoing { kinds: &[&FEEDBACK, &THEME, &IMPROVEMENT], settle: None };

/// Serves feedback, themes and improvements.
pub(crate) struct Service {
    pub(crate) methods: Methods,
}

#[tonic::async_trait]
impl FeedbackService for Service {
    async fn create_feedback(
        &self,
        request: Request<CreateFeedbackRequest>,
    ) -> Result<Response<CreateFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done =
            self.methods.create(&FEEDBACK, &call, &ask.parent, &ask.feedback_id, ask.feedback, &ask.request_id).await?;
        Ok(Response::new(CreateFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_feedback(
        &self,
        request: Request<GetFeedbackRequest>,
    ) -> Result<Response<GetFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (feedback, freshness) = self.methods.get(&FEEDBACK, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetFeedbackResponse { feedback: Some(feedback), freshness }))
    }

    async fn batch_get_feedback(
        &self,
        request: Request<BatchGetFeedbackRequest>,
    ) -> Result<Response<BatchGetFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (feedback_list, freshness) = self.methods.batch_get(&FEEDBACK, &call, &ask.names).await?;
        Ok(Response::new(BatchGetFeedbackResponse { feedback_list, freshness }))
    }

    async fn list_feedback(
        &self,
        request: Request<ListFeedbackRequest>,
    ) -> Result<Response<ListFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, FeedbackState::as_str_name),
            from: ask.happen_time_from,
            before: ask.happen_time_before,
            ..ListAsk::default()
        };
        let (feedback_list, next_page_token, freshness) = self.methods.list(&FEEDBACK, &call, page).await?;
        Ok(Response::new(ListFeedbackResponse { feedback_list, next_page_token, freshness }))
    }

    async fn update_feedback(
        &self,
        request: Request<UpdateFeedbackRequest>,
    ) -> Result<Response<UpdateFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&FEEDBACK, &call, ask.feedback, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_feedback(
        &self,
        request: Request<DeleteFeedbackRequest>,
    ) -> Result<Response<DeleteFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&FEEDBACK, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_feedback(
        &self,
        request: Request<UndeleteFeedbackRequest>,
    ) -> Result<Response<UndeleteFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&FEEDBACK, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn resolve_feedback(
        &self,
        request: Request<ResolveFeedbackRequest>,
    ) -> Result<Response<ResolveFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&FEEDBACK, &call, target, move |feedback, now| {
                feedback::resolve(feedback, ask.resolve_time, ask.content_with_resolution, now)
            })
            .await?;
        Ok(Response::new(ResolveFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn reopen_feedback(
        &self,
        request: Request<ReopenFeedbackRequest>,
    ) -> Result<Response<ReopenFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done =
            self.methods.transition(&FEEDBACK, &call, target, move |feedback, _| feedback::reopen(feedback)).await?;
        Ok(Response::new(ReopenFeedbackResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_theme(
        &self,
        request: Request<CreateThemeRequest>,
    ) -> Result<Response<CreateThemeResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.create(&THEME, &call, "", &ask.theme_id, ask.theme, &ask.request_id).await?;
        Ok(Response::new(CreateThemeResponse { theme: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_theme(&self, request: Request<GetThemeRequest>) -> Result<Response<GetThemeResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (theme, freshness) = self.methods.get(&THEME, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetThemeResponse { theme: Some(theme), freshness }))
    }

    async fn batch_get_themes(
        &self,
        request: Request<BatchGetThemesRequest>,
    ) -> Result<Response<BatchGetThemesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (themes, freshness) = self.methods.batch_get(&THEME, &call, &ask.names).await?;
        Ok(Response::new(BatchGetThemesResponse { themes, freshness }))
    }

    async fn list_themes(&self, request: Request<ListThemesRequest>) -> Result<Response<ListThemesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            ..ListAsk::default()
        };
        let (themes, next_page_token, freshness) = self.methods.list(&THEME, &call, page).await?;
        Ok(Response::new(ListThemesResponse { themes, next_page_token, freshness }))
    }

    async fn update_theme(
        &self,
        request: Request<UpdateThemeRequest>,
    ) -> Result<Response<UpdateThemeResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&THEME, &call, ask.theme, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateThemeResponse { theme: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_theme(
        &self,
        request: Request<DeleteThemeRequest>,
    ) -> Result<Response<DeleteThemeResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&THEME, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteThemeResponse { theme: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_theme(
        &self,
        request: Request<UndeleteThemeRequest>,
    ) -> Result<Response<UndeleteThemeResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&THEME, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteThemeResponse { theme: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_improvement(
        &self,
        request: Request<CreateImprovementRequest>,
    ) -> Result<Response<CreateImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done =
            self.methods.create(&IMPROVEMENT, &call, "", &ask.improvement_id, ask.improvement, &ask.request_id).await?;
        Ok(Response::new(CreateImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_improvement(
        &self,
        request: Request<GetImprovementRequest>,
    ) -> Result<Response<GetImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (improvement, freshness) = self.methods.get(&IMPROVEMENT, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetImprovementResponse { improvement: Some(improvement), freshness }))
    }

    async fn batch_get_improvements(
        &self,
        request: Request<BatchGetImprovementsRequest>,
    ) -> Result<Response<BatchGetImprovementsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (improvements, freshness) = self.methods.batch_get(&IMPROVEMENT, &call, &ask.names).await?;
        Ok(Response::new(BatchGetImprovementsResponse { improvements, freshness }))
    }

    async fn list_improvements(
        &self,
        request: Request<ListImprovementsRequest>,
    ) -> Result<Response<ListImprovementsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, ImprovementState::as_str_name),
            ..ListAsk::default()
        };
        let (improvements, next_page_token, freshness) = self.methods.list(&IMPROVEMENT, &call, page).await?;
        Ok(Response::new(ListImprovementsResponse { improvements, next_page_token, freshness }))
    }

    async fn update_improvement(
        &self,
        request: Request<UpdateImprovementRequest>,
    ) -> Result<Response<UpdateImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&IMPROVEMENT, &call, ask.improvement, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_improvement(
        &self,
        request: Request<DeleteImprovementRequest>,
    ) -> Result<Response<DeleteImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&IMPROVEMENT, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_improvement(
        &self,
        request: Request<UndeleteImprovementRequest>,
    ) -> Result<Response<UndeleteImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&IMPROVEMENT, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn plan_improvement(
        &self,
        request: Request<PlanImprovementRequest>,
    ) -> Result<Response<PlanImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&IMPROVEMENT, &call, target, move |improvement, now| {
                improvement::plan(improvement, ask.plan_time, now)
            })
            .await?;
        Ok(Response::new(PlanImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn ship_improvement(
        &self,
        request: Request<ShipImprovementRequest>,
    ) -> Result<Response<ShipImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&IMPROVEMENT, &call, target, move |improvement, now| {
                improvement::ship(improvement, ask.ship_time, now)
            })
            .await?;
        Ok(Response::new(ShipImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn measure_improvement(
        &self,
        request: Request<MeasureImprovementRequest>,
    ) -> Result<Response<MeasureImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let mut violations = Violations::default();
        IMPROVEMENT.check_target(&ask.name, &ask.request_id, &mut violations);
        improvement::check_measurement(&ask, &mut violations);
        violations.finish()?;
        let done = self
            .methods
            .transition(&IMPROVEMENT, &call, target, move |improvement, now| {
                improvement::measure(improvement, (ask.effect, ask.facet_effects), ask.measure_time, now)
            })
            .await?;
        Ok(Response::new(MeasureImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn decline_improvement(
        &self,
        request: Request<DeclineImprovementRequest>,
    ) -> Result<Response<DeclineImprovementResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let mut violations = Violations::default();
        IMPROVEMENT.check_target(&ask.name, &ask.request_id, &mut violations);
        improvement::check_refusal(&ask, &mut violations);
        violations.finish()?;
        let done = self
            .methods
            .transition(&IMPROVEMENT, &call, target, move |improvement, _| {
                improvement::decline(improvement, ask.decline_reason)
            })
            .await?;
        Ok(Response::new(DeclineImprovementResponse { improvement: Some(done.resource), freshness: done.freshness }))
    }

    async fn override_feedback_analysis(
        &self,
        request: Request<OverrideFeedbackAnalysisRequest>,
    ) -> Result<Response<OverrideFeedbackAnalysisResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self.methods.override_analysis(&FEEDBACK, &call, target, ask.r#override).await?;
        Ok(Response::new(OverrideFeedbackAnalysisResponse { feedback: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_analysis_settings(
        &self,
        request: Request<GetAnalysisSettingsRequest>,
    ) -> Result<Response<GetAnalysisSettingsResponse>, Status> {
        let (call, _) = Call::enter(request)?;
        let (settings, freshness) = self.methods.analysis_settings(&call).await?;
        Ok(Response::new(GetAnalysisSettingsResponse { settings: Some(settings), freshness }))
    }

    async fn update_analysis_settings(
        &self,
        request: Request<UpdateAnalysisSettingsRequest>,
    ) -> Result<Response<UpdateAnalysisSettingsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (settings, freshness) = self.methods.set_analysis_settings(&call, ask.settings, &ask.request_id).await?;
        Ok(Response::new(UpdateAnalysisSettingsResponse { settings: Some(settings), freshness }))
    }

    type ReanalyzeFeedbackStream = Answers<ReanalyzeFeedbackResponse>;

    async fn reanalyze_feedback(
        &self,
        request: Request<ReanalyzeFeedbackRequest>,
    ) -> Result<Response<Self::ReanalyzeFeedbackStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let asked = ReanalyzeAsk { parent: ask.parent, max_texts_per_second: ask.max_texts_per_second };
        let answers = self.methods.reanalyze(&FEEDBACK, &call, asked).await?;
        Ok(Response::new(Box::pin(answers.map_ok(|so_far| ReanalyzeFeedbackResponse {
            read_count: so_far.read_count,
            changed_count: so_far.changed_count,
            freshness: so_far.freshness,
        }))))
    }

    async fn erase_feedback(
        &self,
        request: Request<EraseFeedbackRequest>,
    ) -> Result<Response<EraseFeedbackResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let whose = EraseAsk { parent: ask.parent, contact: ask.contact };
        let (erased_count, freshness) = self.methods.erase(&FEEDBACK, &ERASURE, &call, whose).await?;
        Ok(Response::new(EraseFeedbackResponse { erased_count, freshness }))
    }

    type ImportFeedbackStream = Answers<ImportFeedbackResponse>;

    async fn import_feedback(
        &self,
        request: Request<Streaming<ImportFeedbackRequest>>,
    ) -> Result<Response<Self::ImportFeedbackStream>, Status> {
        let methods = self.methods.clone();
        let answers = self.methods.import(request, move |tenant, message: ImportFeedbackRequest| {
            let rows = message.rows.into_iter().map(|row| import_row(&methods, tenant, row)).collect();
            ImportMessage { batch_id: message.batch_id, rows }
        })?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type UndoFeedbackImportStream = Answers<UndoFeedbackImportResponse>;

    async fn undo_feedback_import(
        &self,
        request: Request<UndoFeedbackImportRequest>,
    ) -> Result<Response<Self::UndoFeedbackImportStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let answers = self.methods.undo_import(&UNDOING, &call, ask.batch_id).await?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type WatchFeedbackStream = Answers<WatchFeedbackResponse>;

    async fn watch_feedback(
        &self,
        request: Request<WatchFeedbackRequest>,
    ) -> Result<Response<Self::WatchFeedbackStream>, Status> {
        let scope = runtime::tenant_or_all(&request)?;
        let watched = self.methods.watch(scope, request.into_inner().into()).await?;
        Ok(Response::new(Box::pin(watched.map(|watched| Ok(told(watched?)?)))))
    }
}

fn import_row(methods: &Methods, tenant: &Tenant, row: FeedbackRow) -> ImportRow {
    match row.resource {
        Some(feedback_row::Resource::Feedback(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&FEEDBACK, tenant, row) }
        }
        Some(feedback_row::Resource::Theme(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&THEME, tenant, row) }
        }
        Some(feedback_row::Resource::Improvement(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&IMPROVEMENT, tenant, row) }
        }
        None => ImportRow::empty(),
    }
}

/// What a watcher is told.
pub(crate) fn told(Watched { changes, changes_through }: Watched) -> Result<WatchFeedbackResponse, Fault> {
    let changes = changes.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(WatchFeedbackResponse { changes, changes_through })
}

fn change(change: WatchedChange) -> Result<FeedbackChange, Fault> {
    let resource = match change.row.key.table {
        table if table == FEEDBACK.table.name => feedback_change::Resource::Feedback(FEEDBACK.load(&change.row)?),
        table if table == THEME.table.name => feedback_change::Resource::Theme(THEME.load(&change.row)?),
        table if table == IMPROVEMENT.table.name => {
            feedback_change::Resource::Improvement(IMPROVEMENT.load(&change.row)?)
        }
        other => return Err(Fault::log_internal(&store::Error::Damaged(format!("a change of `{other}`")))),
    };
    Ok(FeedbackChange { stamp: Some(change.stamp), resource: Some(resource) })
}
