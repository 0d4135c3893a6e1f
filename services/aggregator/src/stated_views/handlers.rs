//! The RPC handlers of stated views.

use contracts::assessments::v1::*;
use methods::{Call, Violations, account_id, not_found, page_size};
use runtime::Fault;
use store::PageToken;
use tonic::{Request, Response, Status};

use super::{
    created_at,
    rows::{VIEW, check, expired},
};
use crate::service::{Service, page_token_fault, to_its_end};

impl Service {
    pub(crate) async fn view_stated(
        &self,
        request: Request<CreateStatedViewRequest>,
    ) -> Result<Response<CreateStatedViewResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let account = parent(&ask.parent, &mut violations).to_owned();
        violations.chosen_id("stated_view_id", &ask.stated_view_id);
        violations.text("request_id", &ask.request_id, 0, 64);
        match &ask.stated_view {
            Some(view) => violations.within("stated_view", |violations| check(view, violations)),
            None => violations.add("stated_view", "is required"),
        }
        // Alone it is for the store to say, which answers a request that it has seen before as the first time.
        if !violations.is_empty()
            && let Some(problem) = ask.stated_view.as_ref().and_then(|view| expired(view, self.gallery.clock.now()))
        {
            violations.add("stated_view.expire_time", problem);
        }
        violations.finish()?;
        if !self.gallery.knows(call.tenant.as_str(), &account).await? {
            return Err(not_found("account", &ask.parent).into());
        }
        let (methods, views) = (self.methods.clone(), self.gallery.views.clone());
        let stated = to_its_end(async move {
            let (id, request_id) = (&ask.stated_view_id, &ask.request_id);
            let done = methods.create(&VIEW, &call, &ask.parent, id, ask.stated_view, request_id).await?;
            views.hold(call.tenant.as_str(), &account, done.resource.clone());
            Ok(done.resource)
        });
        Ok(Response::new(CreateStatedViewResponse { stated_view: Some(stated.await?) }))
    }

    pub(crate) async fn stated_view(
        &self,
        request: Request<GetStatedViewRequest>,
    ) -> Result<Response<GetStatedViewResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (view, _) = self.methods.get(&VIEW, &call, &ask.name, false).await?;
        Ok(Response::new(GetStatedViewResponse { stated_view: Some(view) }))
    }

    pub(crate) async fn stated_views(
        &self,
        request: Request<ListStatedViewsRequest>,
    ) -> Result<Response<ListStatedViewsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let account = parent(&ask.parent, &mut violations);
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.finish()?;
        let tenant = call.tenant.as_str();
        let list = methods::list_fingerprint(&(tenant, account, ask.show_deleted, "statedViews"));
        let after = match ask.page_token.as_str() {
            "" => None,
            token => Some(place(token, list)?),
        };
        let mut page = self.gallery.views.of(tenant, account, ask.show_deleted);
        if let Some((time, name)) = &after {
            page.retain(|view| (created_at(view), &view.name) < (*time, name));
        }
        let limit = page_size(ask.page_size) as usize;
        let more = page.len() > limit;
        page.truncate(limit);
        let next_page_token = page.last().filter(|_| more).map_or(String::new(), |view| {
            PageToken { list, after: vec![created_at(view).to_string(), view.name.clone()] }.encode()
        });
        Ok(Response::new(ListStatedViewsResponse { stated_views: page, next_page_token }))
    }

    pub(crate) async fn view_withdrawn(
        &self,
        request: Request<DeleteStatedViewRequest>,
    ) -> Result<Response<DeleteStatedViewResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let (methods, views) = (self.methods.clone(), self.gallery.views.clone());
        let withdrawn = to_its_end(async move {
            let done = methods.set_deleted(&VIEW, &call, &ask.name, &ask.etag, &ask.request_id, true).await?;
            if let Some((account, _)) = VIEW.collection.parse(&done.resource.name) {
                views.hold(call.tenant.as_str(), account, done.resource.clone());
            }
            Ok(done.resource)
        });
        Ok(Response::new(DeleteStatedViewResponse { stated_view: Some(withdrawn.await?) }))
    }
}

fn parent<'a>(name: &'a str, violations: &mut Violations) -> &'a str {
    account_id(name).unwrap_or_else(|| {
        violations.add("parent", "must be a name such as `accounts/{account}`");
        ""
    })
}

fn place(token: &str, list: u64) -> Result<(i64, String), Fault> {
    let after = PageToken::decode(token, list).ok().map(|token| token.after);
    let place = after.and_then(|after| match <[String; 2]>::try_from(after) {
        Ok([time, name]) => Some((time.parse().ok()?, name)),
        Err(_) => None,
    });
    place.ok_or_else(page_token_fault)
}
