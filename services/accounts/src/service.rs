//! The RPC handlers: open the request, act, answer.

use contracts::accounts::v1::{accounts_service_server::AccountsService, *};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use methods::{
    Call, EraseAsk, ImportMessage, ImportRow, ListAsk, Methods, StateFilter, Undoing, Violations, Watched,
    WatchedChange, not_found,
};
use runtime::{Fault, Tenant};
use store::{Key, Rows};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    account::{self, ACCOUNT},
    contact::{self, CONTACT},
    milestone::{self, MILESTONE},
};

type Answers<M> = BoxStream<'static, Result<M, Status>>;

/// What imports of accounts, contacts and milestones are taken back with.
static UNDOING: Undoing = Undoing { kinds: &[&CONTACT, &MILESTONE, &ACCOUNT], settle: None };

/// Serves accounts, contacts and milestones.
pub(crate) struct Service {
    pub(crate) methods: Methods,
}

#[tonic::async_trait]
impl AccountsService for Service {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.create(&ACCOUNT, &call, "", &ask.account_id, ask.account, &ask.request_id).await?;
        Ok(Response::new(CreateAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<GetAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (account, freshness) = self.methods.get(&ACCOUNT, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetAccountResponse { account: Some(account), freshness }))
    }

    async fn batch_get_accounts(
        &self,
        request: Request<BatchGetAccountsRequest>,
    ) -> Result<Response<BatchGetAccountsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (accounts, freshness) = self.methods.batch_get(&ACCOUNT, &call, &ask.names).await?;
        Ok(Response::new(BatchGetAccountsResponse { accounts, freshness }))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, AccountState::as_str_name),
            ..ListAsk::default()
        };
        let (accounts, next_page_token, freshness) = self.methods.list(&ACCOUNT, &call, page).await?;
        Ok(Response::new(ListAccountsResponse { accounts, next_page_token, freshness }))
    }

    async fn update_account(
        &self,
        request: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&ACCOUNT, &call, ask.account, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_account(
        &self,
        request: Request<DeleteAccountRequest>,
    ) -> Result<Response<DeleteAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&ACCOUNT, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_account(
        &self,
        request: Request<UndeleteAccountRequest>,
    ) -> Result<Response<UndeleteAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&ACCOUNT, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn open_account(
        &self,
        request: Request<OpenAccountRequest>,
    ) -> Result<Response<OpenAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ACCOUNT, &call, target, move |account, now| account::open(account, ask.open_time, now))
            .await?;
        Ok(Response::new(OpenAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn close_account(
        &self,
        request: Request<CloseAccountRequest>,
    ) -> Result<Response<CloseAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&ACCOUNT, &call, target, move |account, now| account::close(account, ask.closure, now))
            .await?;
        Ok(Response::new(CloseAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn reopen_account(
        &self,
        request: Request<ReopenAccountRequest>,
    ) -> Result<Response<ReopenAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self.methods.transition(&ACCOUNT, &call, target, move |account, _| account::reopen(account)).await?;
        Ok(Response::new(ReopenAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_contact(
        &self,
        request: Request<CreateContactRequest>,
    ) -> Result<Response<CreateContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done =
            self.methods.create(&CONTACT, &call, &ask.parent, &ask.contact_id, ask.contact, &ask.request_id).await?;
        Ok(Response::new(CreateContactResponse { contact: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_contact(&self, request: Request<GetContactRequest>) -> Result<Response<GetContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (contact, freshness) = self.methods.get(&CONTACT, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetContactResponse { contact: Some(contact), freshness }))
    }

    async fn batch_get_contacts(
        &self,
        request: Request<BatchGetContactsRequest>,
    ) -> Result<Response<BatchGetContactsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (contacts, freshness) = self.methods.batch_get(&CONTACT, &call, &ask.names).await?;
        Ok(Response::new(BatchGetContactsResponse { contacts, freshness }))
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            ..ListAsk::default()
        };
        let (contacts, next_page_token, freshness) = self.methods.list(&CONTACT, &call, page).await?;
        Ok(Response::new(ListContactsResponse { contacts, next_page_token, freshness }))
    }

    async fn update_contact(
        &self,
        request: Request<UpdateContactRequest>,
    ) -> Result<Response<UpdateContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&CONTACT, &call, ask.contact, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateContactResponse { contact: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_contact(
        &self,
        request: Request<DeleteContactRequest>,
    ) -> Result<Response<DeleteContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&CONTACT, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteContactResponse { contact: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_contact(
        &self,
        request: Request<UndeleteContactRequest>,
    ) -> Result<Response<UndeleteContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&CONTACT, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteContactResponse { contact: Some(done.resource), freshness: done.freshness }))
    }

    async fn create_milestone(
        &self,
        request: Request<CreateMilestoneRequest>,
    ) -> Result<Response<CreateMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self
            .methods
            .create(&MILESTONE, &call, &ask.parent, &ask.milestone_id, ask.milestone, &ask.request_id)
            .await?;
        Ok(Response::new(CreateMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn get_milestone(
        &self,
        request: Request<GetMilestoneRequest>,
    ) -> Result<Response<GetMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (milestone, freshness) = self.methods.get(&MILESTONE, &call, &ask.name, ask.show_deleted).await?;
        Ok(Response::new(GetMilestoneResponse { milestone: Some(milestone), freshness }))
    }

    async fn batch_get_milestones(
        &self,
        request: Request<BatchGetMilestonesRequest>,
    ) -> Result<Response<BatchGetMilestonesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (milestones, freshness) = self.methods.batch_get(&MILESTONE, &call, &ask.names).await?;
        Ok(Response::new(BatchGetMilestonesResponse { milestones, freshness }))
    }

    async fn list_milestones(
        &self,
        request: Request<ListMilestonesRequest>,
    ) -> Result<Response<ListMilestonesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let page = ListAsk {
            parent: ask.parent,
            page_size: ask.page_size,
            page_token: ask.page_token,
            show_deleted: ask.show_deleted,
            state: StateFilter::new(ask.state, MilestoneState::as_str_name),
            ..ListAsk::default()
        };
        let (milestones, next_page_token, freshness) = self.methods.list(&MILESTONE, &call, page).await?;
        Ok(Response::new(ListMilestonesResponse { milestones, next_page_token, freshness }))
    }

    async fn update_milestone(
        &self,
        request: Request<UpdateMilestoneRequest>,
    ) -> Result<Response<UpdateMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.update(&MILESTONE, &call, ask.milestone, ask.update_mask, &ask.request_id).await?;
        Ok(Response::new(UpdateMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn delete_milestone(
        &self,
        request: Request<DeleteMilestoneRequest>,
    ) -> Result<Response<DeleteMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&MILESTONE, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
        Ok(Response::new(DeleteMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn undelete_milestone(
        &self,
        request: Request<UndeleteMilestoneRequest>,
    ) -> Result<Response<UndeleteMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let done = self.methods.set_deleted(&MILESTONE, &call, &ask.name, &ask.etag, &ask.request_id, false).await?;
        Ok(Response::new(UndeleteMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn complete_milestone(
        &self,
        request: Request<CompleteMilestoneRequest>,
    ) -> Result<Response<CompleteMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&MILESTONE, &call, target, move |milestone, now| {
                milestone::complete(milestone, ask.complete_time, now)
            })
            .await?;
        Ok(Response::new(CompleteMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn waive_milestone(
        &self,
        request: Request<WaiveMilestoneRequest>,
    ) -> Result<Response<WaiveMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&MILESTONE, &call, target, move |milestone, now| {
                milestone::waive(milestone, ask.waive_time, now)
            })
            .await?;
        Ok(Response::new(WaiveMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn reopen_milestone(
        &self,
        request: Request<ReopenMilestoneRequest>,
    ) -> Result<Response<ReopenMilestoneResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self
            .methods
            .transition(&MILESTONE, &call, target, move |milestone, _| milestone::reopen(milestone))
            .await?;
        Ok(Response::new(ReopenMilestoneResponse { milestone: Some(done.resource), freshness: done.freshness }))
    }

    async fn merge_account(
        &self,
        request: Request<MergeAccountRequest>,
    ) -> Result<Response<MergeAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let into = ask.into;
        let into_key = ACCOUNT.key(&call.tenant, &into).filter(|_| into != ask.name);
        let Some(into_key) = into_key else {
            let mut violations = Violations::default();
            violations.add("into", "must be the name of another account, such as `accounts/{account}`");
            violations.finish()?;
            return Err(not_found("account", &into).into());
        };
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let related = vec![into_key.clone()];
        let merge =
            move |account: &mut Account, rows: &mut Rows<'_>, _: &Key| account::merge(account, &into, rows, &into_key);
        let done = self.methods.transition_with(&ACCOUNT, &call, target, related, merge).await?;
        Ok(Response::new(MergeAccountResponse { account: Some(done.resource), freshness: done.freshness }))
    }

    async fn erase_account(
        &self,
        request: Request<EraseAccountRequest>,
    ) -> Result<Response<EraseAccountResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let erase = |account: &mut Account, _| account::erase(account);
        let done = self.methods.erase_one(&ACCOUNT, &call, target, erase, account::redact).await?;
        // The account takes no more contacts now, so those that are found are all there are.
        let everybody = EraseAsk { parent: ask.name, contact: String::new() };
        let (_, freshness) = self.methods.erase(&CONTACT, &contact::ERASURE, &call, everybody).await?;
        Ok(Response::new(EraseAccountResponse { account: Some(done.resource), freshness }))
    }

    async fn erase_contact(
        &self,
        request: Request<EraseContactRequest>,
    ) -> Result<Response<EraseContactResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let target = (ask.name.as_str(), ask.etag.as_str(), ask.request_id.as_str());
        let done = self.methods.erase_one(&CONTACT, &call, target, contact::erase, contact::redact).await?;
        Ok(Response::new(EraseContactResponse { contact: Some(done.resource), freshness: done.freshness }))
    }

    type ImportAccountsStream = Answers<ImportAccountsResponse>;

    async fn import_accounts(
        &self,
        request: Request<Streaming<ImportAccountsRequest>>,
    ) -> Result<Response<Self::ImportAccountsStream>, Status> {
        let methods = self.methods.clone();
        let answers = self.methods.import(request, move |tenant, message: ImportAccountsRequest| {
            let rows = message.rows.into_iter().map(|row| import_row(&methods, tenant, row)).collect();
            ImportMessage { batch_id: message.batch_id, rows }
        })?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type UndoAccountsImportStream = Answers<UndoAccountsImportResponse>;

    async fn undo_accounts_import(
        &self,
        request: Request<UndoAccountsImportRequest>,
    ) -> Result<Response<Self::UndoAccountsImportStream>, Status> {
        let (call, ask) = Call::enter(request)?;
        let answers = self.methods.undo_import(&UNDOING, &call, ask.batch_id).await?;
        Ok(Response::new(Box::pin(answers.map_ok(Into::into))))
    }

    type WatchAccountsStream = Answers<WatchAccountsResponse>;

    async fn watch_accounts(
        &self,
        request: Request<WatchAccountsRequest>,
    ) -> Result<Response<Self::WatchAccountsStream>, Status> {
        let scope = runtime::tenant_or_all(&request)?;
        let watched = self.methods.watch(scope, request.into_inner().into()).await?;
        Ok(Response::new(Box::pin(watched.map(|watched| Ok(told(watched?)?)))))
    }
}

fn import_row(methods: &Methods, tenant: &Tenant, row: AccountsRow) -> ImportRow {
    match row.resource {
        Some(accounts_row::Resource::Account(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&ACCOUNT, tenant, row) }
        }
        Some(accounts_row::Resource::Contact(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&CONTACT, tenant, row) }
        }
        Some(accounts_row::Resource::Milestone(row)) => {
            ImportRow { name: row.name.clone(), command: methods.import_command(&MILESTONE, tenant, row) }
        }
        None => ImportRow::empty(),
    }
}

/// What a watcher is told.
pub(crate) fn told(Watched { changes, changes_through }: Watched) -> Result<WatchAccountsResponse, Fault> {
    let changes = changes.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(WatchAccountsResponse { changes, changes_through })
}

fn change(change: WatchedChange) -> Result<AccountsChange, Fault> {
    let resource = match change.row.key.table {
        table if table == ACCOUNT.table.name => accounts_change::Resource::Account(ACCOUNT.load(&change.row)?),
        table if table == CONTACT.table.name => accounts_change::Resource::Contact(CONTACT.load(&change.row)?),
        table if table == MILESTONE.table.name => accounts_change::Resource::Milestone(MILESTONE.load(&change.row)?),
        other => return Err(Fault::log_internal(&store::Error::Damaged(format!("a change of `{other}`")))),
    };
    Ok(AccountsChange { stamp: Some(change.stamp), resource: Some(resource) })
}
