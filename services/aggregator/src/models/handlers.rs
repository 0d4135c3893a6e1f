//! The RPC handlers of models: recorded, listed, chosen.

use std::sync::Arc;

use contracts::{assessments::v1::*, common::v1::ErrorReason};
use dynamics::Model as Weights;
use methods::{Call, Violations, already_exists, from_micros, is_id, not_found, page_size, store_fault};
use store::{Command, Draft, Key, PageToken};
use tonic::{Request, Response, Status};

use super::{CHOICES, Choice, Models, Recorded, rows};
use crate::service::{Service, page_token_fault, to_its_end};

/// How many bytes a document may have.
const LARGEST_DOCUMENT: usize = 256 * 1024;
/// How many bytes the documents of a page have together, unless one alone has more: a message is to fit its limit.
const LARGEST_PAGE: usize = 2 * 1024 * 1024;
/// In place of an id, the model that assesses accounts without a choice of their own.
const DEFAULT: &str = "default";

impl Service {
    pub(crate) async fn model(&self, request: Request<GetModelRequest>) -> Result<Response<GetModelResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let id = model_id("name", &ask.name, &mut violations);
        violations.finish()?;
        let (tenant, models) = (call.tenant.as_str(), &self.gallery.models);
        let id = if id == DEFAULT { models.of(tenant, "").id().to_owned() } else { id.to_owned() };
        let recorded = models.recorded(tenant, &id).ok_or_else(|| not_found("model", &ask.name))?;
        Ok(Response::new(GetModelResponse { model: Some(message(models, tenant, &recorded)) }))
    }

    pub(crate) async fn models_listed(
        &self,
        request: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.finish()?;
        let (tenant, models) = (call.tenant.as_str(), &self.gallery.models);
        let list = methods::list_fingerprint(&(tenant, "models"));
        let limit = page_size(ask.page_size) as usize;
        let mut page = Vec::new();
        let after = match ask.page_token.as_str() {
            "" => {
                page.push(models.built_in());
                String::new()
            }
            token => {
                let after = PageToken::decode(token, list).ok().map(|token| token.after);
                let after = after.and_then(|after| <[String; 1]>::try_from(after).ok());
                after.map(|[after]| after).ok_or_else(page_token_fault)?
            }
        };
        page.extend(models.recorded_after(tenant, &after, limit + 1 - page.len()));
        let sizes = page.iter().scan(0, |sum, recorded: &Recorded| {
            *sum += recorded.document.len();
            Some(*sum)
        });
        let limit = sizes.take_while(|sum| *sum <= LARGEST_PAGE).count().clamp(1, limit);
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().filter(|_| more);
        // After the built-in one come all the others.
        let after = last.map(|last| if last.created_at.is_some() { last.model.id().to_owned() } else { String::new() });
        Ok(Response::new(ListModelsResponse {
            models: page.iter().map(|recorded| message(models, tenant, recorded)).collect(),
            next_page_token: after.map_or(String::new(), |after| PageToken { list, after: vec![after] }.encode()),
        }))
    }

    pub(crate) async fn model_created(
        &self,
        request: Request<CreateModelRequest>,
    ) -> Result<Response<CreateModelResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        violations.text("request_id", &ask.request_id, 0, 64);
        let document = ask.model.map(|model| model.document);
        let weights = match &document {
            Some(document) => read_document("model.document", document, &mut violations),
            None => {
                violations.add("model", "is required");
                None
            }
        };
        let (Some(document), Some(weights)) = (document.clone(), weights) else {
            let is_invalid = document.is_some();
            let reason = if is_invalid { ErrorReason::ModelInvalid } else { ErrorReason::InvalidFields };
            return Err(violations.fault(reason).into());
        };
        violations.finish()?;

        let models = self.gallery.models.clone();
        let built_in = models.built_in();
        if weights.id() == built_in.model.id() {
            if document != *built_in.document {
                return Err(already_exists("model", &name_of(weights.id())).into());
            }
            let model = Some(message(&models, call.tenant.as_str(), &built_in));
            return Ok(Response::new(CreateModelResponse { model }));
        }
        let methods = self.methods.clone();
        let created = to_its_end(async move {
            let new = Model { document, ..Model::default() };
            let id = weights.id().to_owned();
            let done = methods.create(&rows::MODEL, &call, "", &id, Some(new), &ask.request_id).await?;
            let tenant = call.tenant.as_str();
            let recorded = Recorded {
                model: Arc::new(weights),
                document: done.resource.document.into(),
                created_at: done.resource.create_time.as_ref().map(methods::to_micros),
            };
            models.hold(tenant, recorded.clone());
            Ok(message(&models, tenant, &recorded))
        });
        Ok(Response::new(CreateModelResponse { model: Some(created.await?) }))
    }

    pub(crate) async fn default_model_set(
        &self,
        request: Request<SetDefaultModelRequest>,
    ) -> Result<Response<SetDefaultModelResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let id = match ask.name.as_str() {
            "" => None,
            name => Some(model_id("name", name, &mut violations).to_owned()),
        };
        violations.text("segment", &ask.segment, 0, 64);
        violations.text("request_id", &ask.request_id, 0, 64);
        violations.finish()?;
        let models = self.gallery.models.clone();
        let tenant = call.tenant.as_str().to_owned();
        if id.as_ref().is_some_and(|id| models.recorded(&tenant, id).is_none()) {
            return Err(not_found("model", &ask.name).into());
        }
        let methods = self.methods.clone();
        let in_use = to_its_end(async move {
            let command = choice(&call, &ask.segment, id, &ask.request_id);
            let row = methods.store().write(command).await.map_err(store_fault)?.row;
            let model = rows::chosen(row.deleted_at, &row.document).map_err(store_fault)?;
            let id = model.clone();
            models.choose(&tenant, &ask.segment, Choice { version: row.version, model });
            let id = id.unwrap_or_else(|| models.of(&tenant, &ask.segment).id().to_owned());
            let recorded = models.recorded(&tenant, &id).ok_or_else(|| not_found("model", &name_of(&id)))?;
            Ok(message(&models, &tenant, &recorded))
        });
        Ok(Response::new(SetDefaultModelResponse { model: Some(in_use.await?) }))
    }
}

/// Writes a choice, or takes it back.
fn choice(call: &Call, segment: &str, model: Option<String>, request_id: &str) -> Command {
    let key = Key {
        table: CHOICES.name,
        tenant: call.tenant.as_str().to_owned(),
        account: String::new(),
        id: segment.to_owned(),
    };
    Command {
        tenant: key.tenant.clone(),
        keys: vec![key.clone()],
        request: call.request(request_id),
        decide: Box::new(move |rows| {
            let draft = Draft {
                state: String::new(),
                label: String::new(),
                happened_at: 0,
                deleted: model.is_none(),
                document: model.unwrap_or_default().into_bytes(),
            };
            rows.put(key.clone(), draft);
            Ok(key)
        }),
    }
}

/// Reads a document. What is wrong with it is told by its own paths below the field, such as
/// `model.document.views.customer.trust.weight`.
pub(crate) fn read_document(field: &str, document: &str, violations: &mut Violations) -> Option<Weights> {
    if document.is_empty() {
        violations.add(field, "is required");
        return None;
    }
    if document.len() > LARGEST_DOCUMENT {
        violations.add(field, format!("has {} bytes; at most {LARGEST_DOCUMENT} are taken", document.len()));
        return None;
    }
    match Weights::parse(document) {
        Ok(model) if model.id() == DEFAULT || !is_id(model.id()) => {
            violations.add(&format!("{field}.id"), format!("must be another name than `{}`", model.id()));
            None
        }
        Ok(model) => Some(model),
        Err(error) => {
            violations.within(field, |violations| {
                for violation in error.violations {
                    let part = if violation.field == "document" { "" } else { &violation.field };
                    violations.add(part, violation.problem);
                }
            });
            None
        }
    }
}

/// Returns the id in a model's name.
fn model_id<'a>(field: &str, name: &'a str, violations: &mut Violations) -> &'a str {
    let id = rows::MODEL.collection.parse(name).map(|(_, id)| id);
    id.unwrap_or_else(|| {
        violations.add(field, format!("must be a name such as `{}`", rows::MODEL.collection.pattern()));
        ""
    })
}

fn name_of(id: &str) -> String {
    rows::MODEL.collection.name("", id)
}

/// Writes a model, with what it was chosen for.
fn message(models: &Models, tenant: &str, recorded: &Recorded) -> Model {
    let id = recorded.model.id();
    let mut segments = models.segments(tenant, id);
    segments.retain(|segment| !segment.is_empty());
    Model {
        name: name_of(id),
        document: recorded.document.to_string(),
        create_time: recorded.created_at.map(from_micros),
        is_default: models.of(tenant, "").id() == id,
        segments,
    }
}
