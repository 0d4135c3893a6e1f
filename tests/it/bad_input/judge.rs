//! The judge: whether an answer is one that the contract knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, MethodDescriptor};
use runtime::Peer;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{
    call::{call, open},
    contract::CONTRACT,
    good::{is_import, row_type},
};

/// What a call was answered with.
pub(super) type Answer = Result<Vec<DynamicMessage>, Status>;

/// Clients take some 8 KB of headers; more costs the whole connection.
const MOST_HEADER_BYTES: usize = 8 * 1024;

static REASONS: LazyLock<HashMap<String, Code>> = LazyLock::new(|| CONTRACT.reasons());

/// What is wrong with an answer to a request that must be refused, or may be.
pub(super) fn problem(method: &MethodDescriptor, answer: &Answer, must_refuse: bool) -> Option<String> {
    let outcome = match answer {
        Ok(answers) => judge_rows(method, answers).and_then(|()| {
            let is_taken = !is_import(method) || answers.iter().all(|answer| list(answer, "refusals").is_empty());
            if must_refuse && is_taken { Err("was taken".to_owned()) } else { Ok(()) }
        }),
        Err(status) => judge_status(method, status),
    };
    outcome.err()
}

fn judge_status(method: &MethodDescriptor, status: &Status) -> Result<(), String> {
    if [Code::Internal, Code::Unknown, Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled]
        .contains(&status.code())
    {
        return Err(format!("is no answer to bad input: {status:?}"));
    }
    let size = status.details().len() * 4 / 3 + status.message().len() * 3;
    if size > MOST_HEADER_BYTES {
        return Err(format!("is {size} bytes long: {:?}", status.code()));
    }
    let details = status.get_error_details();
    let info = details.error_info().ok_or_else(|| format!("has no ErrorInfo: {status:?}"))?;
    if info.domain != "rapport" || REASONS.get(&info.reason) != Some(&status.code()) {
        return Err(format!("has a reason that the registry does not have for {:?}: {info:?}", status.code()));
    }
    let violations = details.bad_request().map_or(&[][..], |request| &request.field_violations);
    if info.reason == "ERROR_REASON_INVALID_FIELDS" && violations.is_empty() {
        return Err(format!("blames no field: {status:?}"));
    }
    for violation in violations {
        if violation.description.is_empty() || !is_path(&method.input(), &violation.field) {
            return Err(format!("blames `{}`, which the request does not have: {}", violation.field, status.message()));
        }
    }
    Ok(())
}

/// Each row of an import is counted or refused, with a reason and the fields at fault.
fn judge_rows(method: &MethodDescriptor, answers: &[DynamicMessage]) -> Result<(), String> {
    if !is_import(method) {
        return Ok(());
    }
    for refusal in answers.iter().flat_map(|answer| list(answer, "refusals")) {
        let reason = text(&refusal, "reason");
        let violations = list(&refusal, "violations");
        if !REASONS.contains_key(&reason) || ["INTERNAL", "UNAVAILABLE"].iter().any(|bad| reason.ends_with(bad)) {
            return Err(format!("refuses a row with {refusal}"));
        }
        if reason == "ERROR_REASON_INVALID_FIELDS" && violations.is_empty() {
            return Err(format!("blames no field of a row: {refusal}"));
        }
        for violation in violations {
            if !is_path(&row_type(method), &text(&violation, "field")) {
                return Err(format!("blames {violation}, which a row does not have"));
            }
        }
    }
    Ok(())
}

/// Whether a path such as `order.lines[3].quantity` leads to a field of a message, to a choice of fields, or to a place in
/// the document that a field holds.
fn is_path(of: &MessageDescriptor, path: &str) -> bool {
    let (part, rest) = path.split_once('.').map_or((path, None), |(part, rest)| (part, Some(rest)));
    let (name, index) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
    let Some(field) = of.get_field_by_name(name) else { return of.oneofs().any(|choice| choice.name() == path) };
    if let Some(index) = index
        && (!field.is_list() || index.strip_suffix(']').is_none_or(|index| index.parse::<u32>().is_err()))
    {
        return false;
    }
    match (rest, field.kind()) {
        (None, _) => true,
        (Some(rest), Kind::Message(of)) => is_path(&of, rest),
        (Some(_), _) => field.name() == "document",
    }
}

/// The entries of a list of messages.
pub(super) fn list(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(field);
    let entries = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.as_message().cloned()).collect()
}

/// A text; empty if there is none.
pub(super) fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn number(message: &DynamicMessage, field: &str) -> i64 {
    let value = message.get_field_by_name(field).unwrap();
    value.as_i64().or_else(|| value.as_u32().map(i64::from)).unwrap()
}

fn inner(message: &DynamicMessage, field: &str) -> DynamicMessage {
    message.get_field_by_name(field).unwrap().as_message().unwrap().clone()
}

/// Reads a feed from its beginning to its end: gapless and in order, as are the versions of each resource. Returns the
/// last version of each resource, by name.
pub(super) async fn feed(peer: &Peer, watch: &MethodDescriptor) -> BTreeMap<String, DynamicMessage> {
    let ask = |start: i32| {
        let mut request = DynamicMessage::new(watch.input());
        request.set_field_by_name("start", prost_reflect::Value::EnumNumber(start));
        vec![prost_reflect::prost::Message::encode_to_vec(&request)]
    };
    // FEED_START_NOW answers at once with where each partition ends.
    let now = call(peer, watch, ask(3)).await.unwrap();
    let through = list(&now[0], "changes_through");
    let ends: BTreeMap<i64, i64> =
        through.iter().map(|entry| (number(entry, "partition"), number(entry, "position"))).collect();
    let mut positions: BTreeMap<i64, i64> = ends.keys().map(|partition| (*partition, 0)).collect();
    let mut last: BTreeMap<String, DynamicMessage> = BTreeMap::new();
    let mut answers = open(peer, watch, ask(2)).await.unwrap();
    while positions != ends {
        for change in list(&answers.next().await.unwrap().unwrap(), "changes") {
            let stamp = inner(&change, "stamp");
            let position = positions.get_mut(&number(&stamp, "partition")).unwrap();
            *position += 1;
            assert_eq!(number(&stamp, "position"), *position, "a gap in {stamp}");
            let (_, resource) = change.fields().find(|(field, _)| field.name() != "stamp").unwrap();
            let resource = resource.as_message().unwrap().clone();
            let before = last.get(&text(&resource, "name")).map_or(0, version);
            assert_eq!(version(&resource), before + 1, "{resource}");
            last.insert(text(&resource, "name"), resource);
        }
    }
    last
}

fn version(resource: &DynamicMessage) -> i64 {
    number(resource, "version")
}
