//! Requests that are good: what is not said here follows from the names, the types and the comments of the fields.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor, Value,
};
use serde_json::{Map, Value as Json, json};

use super::contract::CONTRACT;

/// The account that everything belongs to that has no account of its own.
pub(super) const ACCOUNT: &str = "acme";
/// The id of what is only read.
pub(super) const SEED: &str = "seed";

/// A good message of each type, as proto JSON. `{id}` stands for the id of the case.
const MESSAGES: [(&str, &str); 24] = [
    (
        "Account",
        r#"{"display_name": "Acme", "open_time": "2025-06-01T00:00:00Z", "currency_code": "EUR", "region_code": "NL",
            "segment": "retail", "referred_by": "accounts/friend"}"#,
    ),
    ("Closure", r#"{"close_time": "2026-01-05T11:00:00Z", "party": "PARTY_CUSTOMER", "reason": "moved away"}"#),
    (
        "Contact",
        r#"{"display_name": "Ann", "email": "ann@acme.example", "phone": "+31 20 1", "role": "buyer",
            "language_code": "nl", "met_time": "2025-07-01T00:00:00Z"}"#,
    ),
    ("Milestone", r#"{"title": "first delivery", "party": "PARTY_PROVIDER", "due_time": "2026-02-01T00:00:00Z"}"#),
    (
        "Order",
        r#"{"place_time": "2025-12-01T00:00:00Z", "total": {"currency_code": "EUR", "units": 100},
            "list_total": {"currency_code": "EUR", "units": 110, "nanos": 500000000},
            "cost": {"currency_code": "EUR", "units": 60},
            "lines": [{"product": "p-1", "description": "a chair", "quantity": 2,
                       "unit_price": {"currency_code": "EUR", "units": 50}}],
            "placement": {"channel": "ORDER_CHANNEL_WEB", "attempts": 1, "corrections": 0,
                          "start_time": "2025-11-30T23:50:00Z"},
            "fulfilment": {"promise_time": "2025-12-10T00:00:00Z", "ship_time": "2025-12-02T00:00:00Z",
                           "deliver_time": "2025-12-05T00:00:00Z", "ordered_quantity": 2, "delivered_quantity": 2,
                           "damaged_quantity": 0, "papers_correct": true},
            "payment": {"due_time": "2026-01-01T00:00:00Z", "pay_time": "2025-12-20T00:00:00Z",
                        "paid": {"currency_code": "EUR", "units": 100}},
            "returns": [{"return_time": "2025-12-10T00:00:00Z", "amount": {"currency_code": "EUR", "units": 50},
                         "responsible": "PARTY_PROVIDER", "reason": "broken", "refund_time": "2025-12-12T00:00:00Z"}],
            "priority": true}"#,
    ),
    (
        "OrderReturn",
        r#"{"return_time": "2026-01-05T11:00:00Z", "amount": {"currency_code": "EUR", "units": 50},
            "responsible": "PARTY_PROVIDER", "reason": "broken"}"#,
    ),
    ("Cancellation", r#"{"cancel_time": "2026-01-05T11:00:00Z", "party": "PARTY_CUSTOMER", "reason": "no need"}"#),
    (
        "Interaction",
        r#"{"happen_time": "2025-12-01T00:00:00Z", "party": "PARTY_CUSTOMER", "channel": "INTERACTION_CHANNEL_EMAIL",
            "purpose": "PURPOSE_SUPPORT", "thread": "t-1", "contact": "accounts/acme/contacts/seed",
            "subject": "a chair", "text": "It broke.", "sentiment": -0.5,
            "emotions": [{"kind": "EMOTION_KIND_ANGER", "intensity": 0.5}], "duration": "90.5s", "intent": "a new chair",
            "intent_met": true, "resolve_time": "2025-12-02T00:00:00Z", "contacts_to_resolve": 2, "escalated": true}"#,
    ),
    (
        "Commitment",
        r#"{"party": "PARTY_PROVIDER", "description": "a new chair", "make_time": "2025-12-01T00:00:00Z",
            "due_time": "2026-02-01T00:00:00Z", "about": "accounts/acme/orders/seed"}"#,
    ),
    (
        "CompetitorOffer",
        r#"{"competitor": "Chairs Ltd", "description": "the same for less", "learn_time": "2025-12-01T00:00:00Z",
            "disclosed": true, "counter_chance": true}"#,
    ),
    ("CounterOffer", r#"{"make_time": "2026-01-05T11:00:00Z", "description": "even less"}"#),
    (
        "Feedback",
        r#"{"happen_time": "2025-12-01T00:00:00Z", "kind": "FEEDBACK_KIND_CSAT", "score": 4, "scale": {"min": 1, "max": 5},
            "about": {"subject": "SUBJECT_PRODUCT", "reference": "p-1"}, "contact": "accounts/acme/contacts/seed",
            "text": "Fine.", "sentiment": 0.5, "emotions": [{"kind": "EMOTION_KIND_JOY", "intensity": 0.5}],
            "themes": ["themes/seed"]}"#,
    ),
    (
        "Theme",
        r#"{"display_name": "Speed", "description": "all that is slow", "phrases": ["too slow"],
            "local_phrases": [{"language": "nl", "phrases": ["te traag"]}]}"#,
    ),
    (
        "Improvement",
        r#"{"kind": "IMPROVEMENT_KIND_PRODUCT", "title": "stronger chairs", "description": "of oak",
            "themes": ["themes/seed"], "feedback": ["accounts/acme/feedback/seed"]}"#,
    ),
    (
        "FacetEffect",
        r#"{"party": "PARTY_CUSTOMER", "facet": "trust", "change": 2, "low": 1, "high": 3, "p_value": 0.01,
            "account_count": 40, "comparable_account_count": 160}"#,
    ),
    (
        "StatedView",
        r#"{"author": "ann@provider.example", "rating": 70, "reason": "a good talk", "expire_time": "2026-06-01T00:00:00Z"}"#,
    ),
    (
        "Supposition",
        r#"{"signal": "delivery_promise", "value": 0.5, "weight": 1, "happen_time": "2026-01-05T11:00:00Z", "count": 2}"#,
    ),
    ("WithoutSignal", r#"{"source": "accounts/acme/orders/seed", "signal": "delivery_promise"}"#),
    (
        "AnalysisOverride",
        r#"{"sentiment": 0.5, "emotions": [{"kind": "EMOTION_KIND_JOY", "intensity": 0.5}], "reason": "a joke"}"#,
    ),
    ("AnalysisSettings", r#"{"competitors": [{"name": "Globex", "aliases": ["Globex Corporation", "GBX"]}]}"#),
    ("Competitor", r#"{"name": "Initech", "aliases": ["Initech Ltd"]}"#),
    ("Money", r#"{"currency_code": "EUR", "units": 10}"#),
    ("FeedPosition", r#"{"partition": 3, "position": 0}"#),
    ("FieldMask", "\"\""),
];

/// What there is before a request changes it, where that is not as good as new: by method or by type.
const BEFORE: [(&str, &str); 4] = [
    ("OpenAccount", r#"{"display_name": "Acme", "currency_code": "EUR"}"#),
    (
        "Order",
        r#"{"place_time": "2025-12-01T00:00:00Z", "total": {"currency_code": "EUR", "units": 100},
            "fulfilment": {"ordered_quantity": 2}}"#,
    ),
    (
        "Interaction",
        r#"{"happen_time": "2025-12-01T00:00:00Z", "party": "PARTY_CUSTOMER", "channel": "INTERACTION_CHANNEL_EMAIL",
            "purpose": "PURPOSE_SUPPORT", "text": "It broke."}"#,
    ),
    ("Feedback", r#"{"happen_time": "2025-12-01T00:00:00Z", "kind": "FEEDBACK_KIND_COMPLAINT", "text": "It broke."}"#),
];

/// What must have been done to a resource before.
const STEPS: [(&str, &[&str]); 8] = [
    ("ReopenAccount", &["CloseAccount"]),
    ("ReopenMilestone", &["CompleteMilestone"]),
    ("ReopenInteraction", &["ResolveInteraction"]),
    ("ReopenFeedback", &["ResolveFeedback"]),
    ("ReturnOrder", &["DeliverOrder"]),
    ("RefundOrder", &["DeliverOrder", "ReturnOrder"]),
    ("ShipImprovement", &["PlanImprovement"]),
    ("MeasureImprovement", &["PlanImprovement", "ShipImprovement"]),
];

/// Fields whose good value does not follow from their names: by method and field, or by field alone. Null leaves it unset.
const FIELDS: [(&str, &str); 51] = [
    ("BacktestPortfolio.cut_time", "\"2025-12-20T00:00:00Z\""),
    ("GetFit.name", "\"fits/default\""),
    ("CancelFit.name", "\"fits/default\""),
    ("SetDefaultFit.name", "null"),
    ("FitPortfolio.horizon_days", "28"),
    ("ListOpportunities.parent", "\"accounts/-\""),
    ("ListThemes.order_by", "\"account_count desc\""),
    ("ListThemes.language", "\"und\""),
    ("ListThemes.segment", "\"retail\""),
    ("ListThemeSources.theme", "\"themes/seed\""),
    ("ListThemeSources.phrase", "null"),
    ("ListThemeSources.language", "\"und\""),
    ("ListAskers.improvement", "\"improvements/seed\""),
    ("GetImprovementEffect.days", "7"),
    ("GetModel.name", "\"models/default\""),
    ("SetDefaultModel.name", "\"models/{builtin}\""),
    ("TryModel.name", "\"models/{builtin}\""),
    ("TryModel.segment", "\"retail\""),
    ("SimulateAssessment.without", "\"accounts/acme/orders/seed\""),
    ("SimulateAssessment.model", "null"),
    ("CreateModel.model", r#"{"document": "{document}"}"#),
    ("MergeAccount.into", "\"accounts/acme\""),
    ("EraseInteractions.parent", "\"accounts/{id}\""),
    ("EraseFeedback.parent", "\"accounts/{id}\""),
    ("ReanalyzeInteractions.parent", "\"accounts/{id}\""),
    ("ReanalyzeFeedback.parent", "\"accounts/{id}\""),
    ("max_texts_per_second", "100000"),
    ("EraseInteractions.contact", "null"),
    ("EraseFeedback.contact", "null"),
    ("ResolveCompetitorOffer.outcome", "\"OFFER_OUTCOME_STAYED\""),
    ("PayOrder.amount", r#"{"currency_code": "EUR", "units": 10}"#),
    ("DeliverOrder.damaged_quantity", "0"),
    ("RefundOrder.return_index", "0"),
    ("VerifyLedgers.account", "\"accounts/acme\""),
    ("CompareAssessments.as_of", "\"2025-12-15T00:00:00Z\""),
    ("WatchAssessments.threshold", "1"),
    ("filter", "\"bond >= 0\""),
    ("order_by", "\"bond desc\""),
    ("position", "null"),
    ("positions", "{\"partition\": 3, \"position\": 0}"),
    ("start", "\"FEED_START_POSITIONS\""),
    ("etag", "null"),
    ("page_token", "null"),
    ("document", "null"),
    ("as_of", "null"),
    ("known_at", "null"),
    ("until", "null"),
    ("until_known_at", "null"),
    ("happen_time_from", "\"2020-01-01T00:00:00Z\""),
    ("place_time_from", "\"2020-01-01T00:00:00Z\""),
    ("parent", "\"accounts/acme\""),
];

/// Makes good requests.
pub(super) struct Good {
    /// Names what there is to be read.
    pub(super) tokens: Vec<String>,
}

impl Good {
    /// A request that is taken, about the resource of this id.
    pub(super) fn request(&self, method: &MethodDescriptor, id: &str) -> DynamicMessage {
        let mut fields = Map::new();
        for field in method.input().fields() {
            if let Some(value) = self.value(method, &field, id).filter(|value| !value.is_null()) {
                let value = if field.is_list() && !value.is_array() { json!([value]) } else { value };
                fields.insert(field.name().to_owned(), value);
            }
        }
        let mut request = read(method.input(), Json::Object(fields));
        if let Some(Value::Message(mask)) = request.get_field_by_name_mut("update_mask") {
            mask.set_field_by_name("paths", Value::List(vec![Value::String("*".to_owned())]));
        }
        request
    }

    fn value(&self, method: &MethodDescriptor, field: &FieldDescriptor, id: &str) -> Option<Json> {
        let own = format!("{}.{}", method.name(), field.name());
        let said = |name: &str| FIELDS.iter().find(|(field, _)| *field == name).map(|(_, json)| parse(json, id));
        if let Some(value) = said(&own).or_else(|| said(field.name())) {
            return Some(value);
        }
        if field.name() == "rows" {
            return Some(self.rows(method, id));
        }
        match field.kind() {
            Kind::Message(of) if of.name() == "FreshnessToken" => {
                Some(self.tokens.iter().map(|token| json!({"value": token})).collect())
            }
            Kind::Message(of) => {
                let mut message = message(&of, id)?;
                if is_update(method)
                    && message.is_object()
                    && field.name() != "update_mask"
                    && let Some(pattern) = target(method)
                {
                    message["name"] = json!(name_of(&pattern, id));
                }
                Some(message)
            }
            Kind::String => match field.name() {
                "name" => Some(json!(name_of(&target(method)?, subject(method, id)))),
                "names" => Some(json!(name_of(&listed(method)?, SEED))),
                // A request has an id of its own, also where several are about the same resource.
                "request_id" => Some(json!(format!("{}:{id}", method.name()))),
                // Of an import, or of what is to be created.
                name if name.ends_with("_id") => Some(json!(id)),
                _ => Some(json!("text")),
            },
            Kind::Enum(_) => Some(json!(1)),
            Kind::Bool => None,
            _ => Some(json!(1)),
        }
    }

    /// A row for each resource that can be imported.
    fn rows(&self, method: &MethodDescriptor, id: &str) -> Json {
        let row_type = row_type(method);
        row_type.fields().map(|field| row(&field, message(&message_type(&field), id).unwrap(), id)).collect()
    }
}

/// The message that puts what a method changes in place: rows of the service's import.
pub(super) fn rows_before(method: &MethodDescriptor, import: &MethodDescriptor, ids: &[String]) -> DynamicMessage {
    let pattern = target(method).unwrap();
    let field = row_type(import).get_field_by_name(placeholder(&pattern)).unwrap();
    let resource = message_type(&field);
    let by = |name: &str| BEFORE.iter().find(|(of, _)| *of == name).map(|(_, json)| *json);
    let rows = ids.iter().map(|id| {
        let before = by(method.name()).or_else(|| by(resource.name())).map(|json| parse(json, id));
        row(&field, before.unwrap_or_else(|| message(&resource, id).unwrap()), id)
    });
    read(import.input(), json!({"rows": rows.collect::<Vec<Json>>()}))
}

/// What has to be done to a resource before a method can be called with it.
pub(super) fn steps(method: &MethodDescriptor) -> Vec<MethodDescriptor> {
    let steps = STEPS.iter().find(|(of, _)| *of == method.name()).map_or(&[][..], |(_, steps)| *steps);
    steps.iter().map(|step| method_named(method.parent_service(), step).unwrap()).collect()
}

/// The method of this name.
pub(super) fn method_named(service: &ServiceDescriptor, name: &str) -> Option<MethodDescriptor> {
    service.methods().find(|method| method.name() == name)
}

/// The method by which rows come into a service in bulk.
pub(super) fn import_of(service: &ServiceDescriptor) -> Option<MethodDescriptor> {
    service.methods().find(is_import)
}

pub(super) fn is_import(method: &MethodDescriptor) -> bool {
    method.name().starts_with("Import")
}

pub(super) fn is_update(method: &MethodDescriptor) -> bool {
    method.name().starts_with("Update")
}

pub(super) fn is_create(method: &MethodDescriptor) -> bool {
    method.name().starts_with("Create")
}

/// Whether a method changes the resource that it names, so that each call needs one of its own.
pub(super) fn changes_what_it_names(method: &MethodDescriptor) -> bool {
    let reads =
        ["Get", "BatchGet", "List", "Explain", "Compare", "Simulate", "Watch", "Try", "SetDefault", "CancelFit"];
    !reads.iter().any(|verb| method.name().starts_with(verb)) && target(method).is_some()
}

/// What the name of the resource looks like that a request is about, if it names one.
pub(super) fn target(method: &MethodDescriptor) -> Option<String> {
    let request = method.input();
    let field = if is_update(method) {
        message_type(&request.fields().next()?).get_field_by_name("name")
    } else {
        request.get_field_by_name("name")
    };
    CONTRACT.pattern(&field?).map(str::to_owned)
}

/// Whether a method creates what a list holds.
pub(super) fn creates(method: &MethodDescriptor, lists: &FieldDescriptor) -> bool {
    is_create(method) && method.input().fields().any(|field| field.kind() == lists.kind())
}

/// The name that a creation leads to.
pub(super) fn created(method: &MethodDescriptor, id: &str) -> Option<String> {
    let field = method.input().fields().find(|field| matches!(field.kind(), Kind::Message(_)))?;
    let name = message_type(&field).get_field_by_name("name")?;
    Some(name_of(CONTRACT.pattern(&name)?, id))
}

/// The name of this id, of the account that everything belongs to.
pub(super) fn name_of(pattern: &str, id: &str) -> String {
    let parts: Vec<&str> = pattern.split('/').collect();
    let last = parts.len() - 1;
    let named = parts.iter().enumerate().map(|(at, part)| match (part.starts_with('{'), at == last) {
        (false, _) => part,
        (true, true) => id,
        (true, false) => ACCOUNT,
    });
    named.collect::<Vec<_>>().join("/")
}

/// The id that a request's name ends with.
fn subject<'a>(method: &MethodDescriptor, id: &'a str) -> &'a str {
    if changes_what_it_names(method) { id } else { SEED }
}

/// What the names of the resources look like that a method answers with.
fn listed(method: &MethodDescriptor) -> Option<String> {
    let lists = method.output().fields().find(FieldDescriptor::is_list)?;
    let name = message_type(&lists).get_field_by_name("name")?;
    CONTRACT.pattern(&name).map(str::to_owned)
}

/// `order` of `accounts/{account}/orders/{order}`.
pub(super) fn placeholder(pattern: &str) -> &str {
    pattern.rsplit('/').next().unwrap().trim_matches(['{', '}'])
}

/// The type of an import's rows.
pub(super) fn row_type(import: &MethodDescriptor) -> MessageDescriptor {
    message_type(&import.input().get_field_by_name("rows").unwrap())
}

pub(super) fn message_type(field: &FieldDescriptor) -> MessageDescriptor {
    let Kind::Message(of) = field.kind() else { panic!("{} is no message", field.full_name()) };
    of
}

fn row(field: &FieldDescriptor, mut resource: Json, id: &str) -> Json {
    let name = message_type(field).get_field_by_name("name").unwrap();
    resource["name"] = json!(name_of(CONTRACT.pattern(&name).unwrap(), id));
    json!({field.name(): resource})
}

fn message(of: &MessageDescriptor, id: &str) -> Option<Json> {
    if of.full_name() == "google.protobuf.Timestamp" {
        return Some(json!("2026-01-05T11:00:00Z"));
    }
    let (_, json) = MESSAGES.iter().find(|(name, _)| *name == of.name())?;
    Some(parse(json, id))
}

fn parse(json: &str, id: &str) -> Json {
    let model = dynamics::Model::default();
    let document =
        dynamics::Model::DEFAULT_TEXT.replace(&format!("id = \"{}\"", model.id()), &format!("id = \"{id}\""));
    let document = serde_json::to_string(&document).unwrap();
    let json = json.replace("{id}", id).replace("{builtin}", model.id()).replace("\"{document}\"", &document);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn read(of: MessageDescriptor, json: Json) -> DynamicMessage {
    let shown = json.to_string();
    DynamicMessage::deserialize(of, json).unwrap_or_else(|error| panic!("{shown}: {error}"))
}
