//! Holds what the contract promises in every place where it promises it. What a linter can see, buf sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// Methods that only read. Every other one writes.
const READS: [&str; 6] = ["Get", "BatchGet", "List", "Explain", "Compare", "Simulate"];
/// Writes that work through many resources, one transaction after another. There is no one answer to repeat, and what was
/// done is not done again.
const IN_BATCHES: [&str; 2] = ["EraseFeedback", "EraseInteractions"];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TIMESTAMP: &str = "google.protobuf.Timestamp";
const FRESHNESS: &str = "rapport.common.v1.FreshnessToken";

fn contract() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR_SET).unwrap()
}

/// The services that own resources: those with a feed of changes.
fn owners(pool: &DescriptorPool) -> Vec<ServiceDescriptor> {
    let is_fed = |service: &ServiceDescriptor| {
        one_method(service, "Watch").is_some_and(|watch| watch.output().get_field_by_name("changes").is_some())
    };
    pool.services().filter(is_fed).collect()
}

fn one_method(service: &ServiceDescriptor, prefix: &str) -> Option<MethodDescriptor> {
    service.methods().find(|method| method.name().starts_with(prefix))
}

/// The resources of a service, as its feed tells them.
fn resources(service: &ServiceDescriptor) -> Vec<MessageDescriptor> {
    let watched = one_method(service, "Watch").unwrap().output();
    in_oneof(&message(&watched.get_field_by_name("changes").unwrap()))
}

fn in_oneof(holder: &MessageDescriptor) -> Vec<MessageDescriptor> {
    let oneof = holder.oneofs().find(|oneof| oneof.name() == "resource").unwrap();
    oneof.fields().map(|field| message(&field)).collect()
}

fn message(field: &FieldDescriptor) -> MessageDescriptor {
    field.kind().as_message().unwrap().clone()
}

/// What a field holds: the full name of its message, or its scalar type.
fn holds(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn has(message: &MessageDescriptor, name: &str, kind: &str) -> bool {
    message.get_field_by_name(name).is_some_and(|field| !field.is_list() && holds(&field) == kind)
}

/// The files of a folder, and of all folders in it, that end so.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_client_needs_nothing_but_the_proto_folder() {
    let folder = Path::new(ROOT).join("proto");
    let written = files(&folder, "proto").into_iter();
    let written: BTreeSet<String> =
        written.map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned()).collect();
    let pool = contract();
    let compiled = pool.files().map(|file| file.name().to_owned());
    let compiled: BTreeSet<String> = compiled.filter(|name| !name.starts_with("google/protobuf/")).collect();
    assert_eq!(compiled, written, "the descriptor set holds all of proto/, and beyond it only google/protobuf");
}

#[test]
fn every_resource_begins_alike() {
    let fields = [
        ("name", "string"),
        ("create_time", TIMESTAMP),
        ("update_time", TIMESTAMP),
        ("delete_time", TIMESTAMP),
        ("etag", "string"),
        ("version", "int64"),
    ];
    let mut wrong = Vec::new();
    let pool = contract();
    for resource in owners(&pool).iter().flat_map(resources) {
        for (number, (name, kind)) in (1..).zip(fields) {
            let found = resource.get_field(number).map(|field| (field.name().to_owned(), holds(&field)));
            if found != Some((name.to_owned(), kind.to_owned())) {
                wrong.push(format!("field {number} of {} is {found:?}, not the {kind} {name}", resource.full_name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(owners(&pool).len(), 4);
}

#[test]
fn what_is_watched_can_be_imported_and_the_import_taken_back() {
    for service in owners(&contract()) {
        let import = one_method(&service, "Import").unwrap();
        assert!(import.is_client_streaming() && import.is_server_streaming(), "{}", import.full_name());
        let rows = import.input().get_field_by_name("rows").unwrap();
        assert_eq!(in_oneof(&message(&rows)), resources(&service), "{}", service.full_name());

        let undo = service.methods().find(|method| method.name() == format!("Undo{}", import_of(&service))).unwrap();
        assert!(undo.is_server_streaming() && !undo.is_client_streaming(), "{}", undo.full_name());
        for ask in [import.input(), undo.input()] {
            assert!(has(&ask, "batch_id", "string"), "{} names no batch", ask.full_name());
        }
    }
}

/// What an import is called: `OrdersImport` of `ImportOrders`.
fn import_of(service: &ServiceDescriptor) -> String {
    let import = one_method(service, "Import").unwrap();
    format!("{}Import", import.name().strip_prefix("Import").unwrap())
}

#[test]
fn every_write_can_be_retried_and_every_answer_names_what_it_saw() {
    let mut wrong = Vec::new();
    let pool = contract();
    let owners = owners(&pool);
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    for method in methods.filter(|method| !method.name().starts_with("Watch")) {
        let is_unary = !method.is_client_streaming() && !method.is_server_streaming();
        let is_read = READS.iter().any(|verb| method.name().starts_with(verb));
        let in_batches = IN_BATCHES.contains(&method.name());
        if is_unary && !is_read && !in_batches && !has(&method.input(), "request_id", "string") {
            wrong.push(format!("{} takes no request_id", method.full_name()));
        }
        // The service that answers from the feeds is itself asked to be as fresh.
        if owners.contains(method.parent_service()) && !has(&method.output(), "freshness", FRESHNESS) {
            wrong.push(format!("{} answers without a freshness token", method.full_name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_list_has_pages() {
    let pool = contract();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    for method in methods.filter(|method| method.name().starts_with("List")) {
        let (ask, answer) = (method.input(), method.output());
        let pages = has(&ask, "page_size", "int32") && has(&ask, "page_token", "string");
        assert!(pages && has(&answer, "next_page_token", "string"), "{}", method.full_name());
    }
}

#[test]
fn reasons_and_their_registry_agree() {
    let pool = contract();
    let registry = pool.get_enum_by_name("rapport.common.v1.ErrorReason").unwrap();
    let registry: BTreeSet<String> = registry.values().map(|value| value.name().to_owned()).collect();
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    for parent in ["shared", "services"] {
        for path in files(&Path::new(ROOT).join(parent), "rs") {
            let source = fs::read_to_string(&path).unwrap();
            // Tests stand at the end of a file, and may make up their own.
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            for reason in reasons(source) {
                given.insert(reason, path.strip_prefix(ROOT).unwrap().display().to_string());
            }
        }
    }
    let unknown: Vec<_> = given.iter().filter(|(reason, _)| !registry.contains(*reason)).collect();
    assert!(unknown.is_empty(), "not in the registry: {unknown:#?}");
    let never: Vec<_> = registry.iter().filter(|reason| !given.contains_key(*reason)).collect();
    assert_eq!(never, ["ERROR_REASON_UNSPECIFIED"], "in the registry, but never given");
}

/// The reasons that a source gives, by name in a text or as a value of the generated enum.
fn reasons(source: &str) -> BTreeSet<String> {
    let texts = source.split("\"ERROR_REASON_").skip(1).map(|rest| word(rest).to_owned());
    let values = source.split("ErrorReason::").skip(1).map(|rest| screaming(word(rest)));
    texts.chain(values).map(|name| format!("ERROR_REASON_{name}")).collect()
}

fn word(text: &str) -> &str {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').next().unwrap()
}

/// `EtagMismatch` as `ETAG_MISMATCH`.
fn screaming(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}
