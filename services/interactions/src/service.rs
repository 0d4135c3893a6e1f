//! The RPC handlers: open the request, act, answer.

use contracts::interactions::v1::{interactions_service_server::InteractionsService, *};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use methods::{
    Call, EraseAsk, ImportMessage, ImportRow, ListAsk, Methods, ReanalyzeAsk, StateFilter, Undoing, Violations,
    Watched, WatchedChange,
};
use runtime::{Fault, Tenant};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    commitment::{self, COMMITMENT},
    interaction::{self, ERASURE, INTERACTION},
    offer::{self, COMPETITOR_OFFER},
};

type Answers<M> = BoxStream<'static, Result<M, Status>>;

/// What imports of interactions, commitments and competitor offers are taken back with.
static UNDOING: Undoing = Undoing { kinds: &[&INTERACTION, &COMMITMENT, &COMPETITOR_OFFER], settle: None };

/// Serves interactions, commitments and rivals' offers.
pub(crate) struct Service {
    pub(crate) methods: Methods,
}

#[tonic::async_trait]
impl InteractionsService for Service {
    async fn create_interaction(
        &self,
        request: Request<CreateInteractionRequest>,
    ) -> Result<Response<CreateInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self
            .methods
            .create(&INTERACTION, &call, &ask.parent, &ask.interaction_id, ask.interaction, &ask.request_id)
            .await?;
        Ok(Response::new(CreateInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_interaction(
        &self,
        request: Request<GetInteractionRequest>,
    ) -> Result<Response<GetInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (interaction, freshness) = self.methods.get(&INTERACTION, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetInteractionResponse { interaction: Some(interaction), freshness }))
    }

    async fn batch_get_interactions(
        &self,
        request: Request<BatchGetInteractionsRequest>,
    ) -> Result<Response<BatchGetInteractionsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (interactions, freshness) = self.methods.batch_get(&INTERACTION, &call, &ask.names).await?;
        Ok(Response::new(BatchGetInteractionsResponse { interactions, freshness }))
    }

    async fn list_interactions(
        &self,
        request: Request<ListInteractionsRequest>,
    ) -> Result<Response<ListInteractionsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, InteractionState::as_str_name),
            label: ask.thread,
            label_field: "thread",
            from: ask.happen_time_from,
            before: ask.happen_time_before,
            ..ListAsk::default()
        };
        let (interactions, next_page_token, freshness) = self.methods.list(&INTERACTION, &call, page).await?;
        Ok(Response::new(ListInteractionsResponse { interactions, next_page_token, freshness }))
    }

    async fn update_interaction(
        &self,
        request: Request<UpdateInteractionRequest>,
    ) -> Result<Response<UpdateInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&INTERACTION, &call, ask.interaction, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_interaction(
        &self,
        request: Request<DeleteInteractionRequest>,
    ) -> Result<Response<DeleteInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&INTERACTION, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_interaction(
        &self,
        request: Request<UndeleteInteractionRequest>,
    ) -> Result<Response<UndeleteInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&INTERACTION, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn resolve_interaction(
        &self,
        request: Request<ResolveInteractionRequest>,
    ) -> Result<Response<ResolveInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&INTERACTION, &call, target, move |interaction, now| {
                interaction::resolve(interaction, ask.resolve_time, ask.intent_met, ask.contacts_to_resolve, now)
            })
            .await?;
        Ok(Response::new(ResolveInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn reopen_interaction(
        &self,
        request: Request<ReopenInteractionRequest>,
    ) -> Result<Response<ReopenInteractionResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&INTERACTION, &call, target, move |interaction, _| interaction::reopen(interaction))
            .await?;
        Ok(Response::new(ReopenInteractionResponse { interaction: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_commitment(
        &self,
        request: Request<CreateCommitmentRequest>,
    ) -> Result<Response<CreateCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self
            .methods
            .create(&COMMITMENT, &call, &ask.parent, &ask.commitment_id, ask.commitment, &ask.request_id)
            .await?;
        Ok(Response::new(CreateCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_commitment(
        &self,
        request: Request<GetCommitmentRequest>,
    ) -> Result<Response<GetCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (commitment, freshness) = self.methods.get(&COMMITMENT, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetCommitmentResponse { commitment: Some(commitment), freshness }))
    }

    async fn batch_get_commitments(
        &self,
        request: Request<BatchGetCommitmentsRequest>,
    ) -> Result<Response<BatchGetCommitmentsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (commitments, freshness) = self.methods.batch_get(&COMMITMENT, &call, &ask.names).await?;
        Ok(Response::new(BatchGetCommitmentsResponse { commitments, freshness }))
    }

    async fn list_commitments(
        &self,
        request: Request<ListCommitmentsRequest>,
    ) -> Result<Response<ListCommitmentsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, CommitmentState::as_str_name),
            ..ListAsk::default()
        };
        let (commitments, next_page_token, freshness) = self.methods.list(&COMMITMENT, &call, page).await?;
        Ok(Response::new(ListCommitmentsResponse { commitments, next_page_token, freshness }))
    }

    async fn update_commitment(
        &self,
        request: Request<UpdateCommitmentRequest>,
    ) -> Result<Response<UpdateCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&COMMITMENT, &call, ask.commitment, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_commitment(
        &self,
        request: Request<DeleteCommitmentRequest>,
    ) -> Result<Response<DeleteCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&COMMITMENT, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_commitment(
        &self,
        request: Request<UndeleteCommitmentRequest>,
    ) -> Result<Response<UndeleteCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&COMMITMENT, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn keep_commitment(
        &self,
        request: Request<KeepCommitmentRequest>,
    ) -> Result<Response<KeepCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&COMMITMENT, &call, target, move |commitment, now| {
                commitment::settle(commitment, CommitmentState::Kept, ask.settle_time, now)
            })
            .await?;
        Ok(Response::new(KeepCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn break_commitment(
        &self,
        request: Request<BreakCommitmentRequest>,
    ) -> Result<Response<BreakCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&COMMITMENT, &call, target, move |commitment, now| {
                commitment::settle(commitment, CommitmentState::Broken, ask.settle_time, now)
            })
            .await?;
        Ok(Response::new(BreakCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn withdraw_commitment(
        &self,
        request: Request<WithdrawCommitmentRequest>,
    ) -> Result<Response<WithdrawCommitmentResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&COMMITMENT, &call, target, move |commitment, now| {
                commitment::settle(commitment, CommitmentState::Withdrawn, ask.settle_time, now)
            })
            .await?;
        Ok(Response::new(WithdrawCommitmentResponse { commitment: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_competitor_offer(
        &self,
        request: Request<CreateCompetitorOfferRequest>,
    ) -> Result<Response<CreateCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self
            .methods
            .create(
                &COMPETITOR_OFFER,
                &call,
                &ask.parent,
                &ask.competitor_offer_id,
                ask.competitor_offer,
                &ask.request_id,
            )
            .await?;
        Ok(Response::new(CreateCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn get_competitor_offer(
        &self,
        request: Request<GetCompetitorOfferRequest>,
    ) -> Result<Response<GetCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (competitor_offer, freshness) =
            self.methods.get(&COMPETITOR_OFFER, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetCompetitorOfferResponse { competitor_offer: Some(competitor_offer), freshness }))
    }

    async fn batch_get_competitor_offers(
        &self,
        request: Request<BatchGetCompetitorOffersRequest>,
    ) -> Result<Response<BatchGetCompetitorOffersResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (competitor_offers, freshness) = self.methods.batch_get(&COMPETITOR_OFFER, &call, &ask.names).await?;
        Ok(Response::new(BatchGetCompetitorOffersResponse { competitor_offers, freshness }))
    }

    async fn list_competitor_offers(
        &self,
        request: Request<ListCompetitorOffersRequest>,
    ) -> Result<Response<ListCompetitorOffersResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.outcome, OfferOutcome::as_str_name),
            state_field: "outcome",
            ..ListAsk::default()
        };
        let (competitor_offers, next_page_token, freshness) = self.methods.list(&COMPETITOR_OFFER, &call, page).await?;
        Ok(Response::new(ListCompetitorOffersResponse { competitor_offers, next_page_token, freshness }))
    }

    async fn update_competitor_offer(
        &self,
        request: Request<UpdateCompetitorOfferRequest>,
    ) -> Result<Response<UpdateCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self
            .methods
            .update(&COMPETITOR_OFFER, &call, ask.competitor_offer, ask.update_mask, &ask.request_id)
            .await?;
        Ok(Response::new(UpdateCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn delete_competitor_offer(
        &self,
        request: Request<DeleteCompetitorOfferRequest>,
    ) -> Result<Response<DeleteCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done =
            self.methods.set_deleted(&COMPETITOR_OFFER, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn undelete_competitor_offer(
        &self,
        request: Request<UndeleteCompetitorOfferRequest>,
    ) -> Result<Response<UndeleteCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done =
            self.methods.set_deleted(&COMPETITOR_OFFER, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn counter_competitor_offer(
        &self,
        request: Request<CounterCompetitorOfferRequest>,
    ) -> Result<Response<CounterCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let mut violations = Violations::default();
        COMPETITOR_OFFER.check_target(&ask.name, &ask.request_id, &mut violations);
        offer::check_counter(&ask, &mut violations);
        violations.finish()?;
        let done = self
            .methods
            .transition(&COMPETITOR_OFFER, &call, target, move |competitor_offer, now| {
                offer::counter(competitor_offer, ask.counter_offer, now)
            })
            .await?;
        Ok(Response::new(CounterCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn resolve_competitor_offer(
        &self,
        request: Request<ResolveCompetitorOfferRequest>,
    ) -> Result<Response<ResolveCompetitorOfferResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let mut violations = Violations::default();
        COMPETITOR_OFFER.check_target(&ask.name, &ask.request_id, &mut violations);
        offer::check_resolution(&ask, &mut violations);
        violations.finish()?;
        let outcome = ask.outcome();
        let done = self
            .methods
            .transition(&COMPETITOR_OFFER, &call, target, move |competitor_offer, now| {
                offer::resolve(competitor_offer, outcome, ask.resolve_time, now)
            })
            .await?;
        Ok(Response::new(ResolveCompetitorOfferResponse {
            competitor_offer: Some(done.resource),
            freshness: done.freshness,
        }))
    }

    async fn override_interaction_analysis(
        &self,
        request: Request<OverrideInteractionAnalysisRequest>,
    ) -> Result<Response<OverrideInteractionAnalysisResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self.methods.override_analysis(&INTERACTION, &call, target, ask.r#override).await?;
        Ok(Response::new(OverrideInteractionAnalysisResponse {
            interaction: Some(done.resource),
            freshness: done.freshness,
        }))
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

    type ReanalyzeInteractionsStream = Answers<ReanalyzeInteractionsResponse>;

    async fn reanalyze_interactions(
        &self,
        request: Request<ReanalyzeInteractionsRequest>,
    ) -> Result<Response<Self::ReanalyzeInteractionsStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let asked = ReanalyzeAsk { parent: ask.parent, max_texts_per_second: ask.max_texts_per_second };
        let answers = self.methods.reanalyze(&INTERACTION, &call, asked).await?;
        Ok(Response::new(Box::pin(answers.map_ok(|so_far| ReanalyzeInteractionsResponse {
            read_count: so_far.read_count,
            changed_count: so_far.changed_count,
            freshness: so_far.freshness,
        }))))
    }

    async fn erase_interactions(
        &self,
        request: Request<EraseInteractionsRequest>,
    ) -> Result<Response<EraseInteractionsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let whose = EraseAsk { parent: ask.parent, contact: ask.contact };
        let (erased_count, freshness) = self.methods.erase(&INTERACTION, &ERASURE, &call, whose).await?;
        Ok(Response::new(EraseInteractionsResponse { erased_count, freshness }))
    }

    type ImportInteractionsStream = Answers<ImportInteractionsResponse>;

    async fn import_interactions(
        &self,
        request: Request<Streaming<ImportInteractionsRequest>>,
    ) -> Result<Response<Self::ImportInteractionsStream>, Status> {
        let methods = self.methods.clone();
        let answers = self.methods.import(request, move |tenant, message: ImportInteractionsRequest| {
            let rows = message.rows.into_iter().map(|row| import_row(&methods, tenant, row)).collect();
            ImportMessage { batch_id: message.batch_id, rows }
        })?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type UndoInteractionsImportStream = Answers<UndoInteractionsImportResponse>;

    async fn undo_interactions_import(
        &self,
        request: Request<UndoInteractionsImportRequest>,
    ) -> Result<Response<Self::UndoInteractionsImportStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let answers = self.methods.undo_import(&UNDOING, &call, ask.batch_id).await?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type WatchInteractionsStream = Answers<WatchInteractionsResponse>;

    async fn watch_interactions(
        &self,
        request: Request<WatchInteractionsRequest>,
    ) -> Result<Response<Self::WatchInteractionsStream>, Status> {
        let scope = runtime::tenant_or_all(&request)?;
        let watched = self.methods.watch(scope, request.into_inner().into()).await?;
        Ok(Response::new(Box::pin(watched.map(|watched| Ok(told(watched?)?)))))
    }
}

fn import_row(methods: &Methods, tenant: &Tenant, row: InteractionsRow) -> ImportRow {
    match row.resource {
        Some(interactions_row::Resource::Interaction(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&INTERACTION, tenant, row) }
        }
        Some(interactions_row::Resource::Commitment(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&COMMITMENT, tenant, row) }
        }
        Some(interactions_row::Resource::CompetitorOffer(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&COMPETITOR_OFFER, tenant, row) }
        }
        None => ImportRow::empty(),
    }
}

/// What a watcher is told.
pub(crate) fn told(Watched { changes, changes_through }: Watched) -> Result<WatchInteractionsResponse, Fault> {
    let changes = changes.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(WatchInteractionsResponse { changes, changes_through })
}

fn change(change: WatchedChange) -> Result<InteractionsChange, Fault> {
    let resource = match change.row.key.table {
        table if table == INTERACTION.table.name => {
            interactions_change::Resource::Interaction(INTERACTION.load(&change.row)?)
        }
        table if table == COMMITMENT.table.name => {
            interactions_change::Resource::Commitment(COMMITMENT.load(&change.row)?)
        }
        table if table == COMPETITOR_OFFER.table.name => {
            interactions_change::Resource::CompetitorOffer(COMPETITOR_OFFER.load(&change.row)?)
        }
        other => return Err(Fault::log_internal(&store::Error::Damaged(format!("a change of `{other}`")))),
    };
    Ok(InteractionsChange { stamp: Some(change.stamp), resource: Some(resource) })
}
