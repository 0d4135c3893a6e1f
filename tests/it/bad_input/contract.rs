//! The contract as data: its methods, and what the comments in the proto files say of fields and reasons. The descriptor
//! set that is served has no comments, so the files are compiled once more.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};
use prost_types::{DescriptorProto, source_code_info::Location};
use tonic::Code;

pub(super) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

/// The contract and its comments.
pub(super) struct Contract {
    /// What the suite serves.
    pub(super) pool: DescriptorPool,
    /// By the full names of fields and enum values.
    comments: HashMap<String, String>,
}

impl Contract {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
        let mut files = Vec::new();
        proto_files(&root, &mut files);
        let mut compiler = protox::Compiler::new([&root]).unwrap();
        compiler.include_source_info(true).open_files(files).unwrap();
        let mut comments = HashMap::new();
        for file in compiler.file_descriptor_set().file {
            let package = file.package().to_owned();
            let info = file.source_code_info.unwrap_or_default();
            let told: HashMap<&[i32], &str> = info.location.iter().map(told).collect();
            for (at, message) in (0..).zip(&file.message_type) {
                read_fields(&told, &[4, at], &package, message, &mut comments);
            }
            for (at, of) in (0..).zip(&file.enum_type) {
                for (index, value) in (0..).zip(&of.value) {
                    let comment = told.get([5, at, 2, index].as_slice()).copied().unwrap_or_default();
                    comments.insert(format!("{package}.{}", value.name()), comment.to_owned());
                }
            }
        }
        Self { pool: DescriptorPool::decode(contracts::DESCRIPTOR_SET).unwrap(), comments }
    }

    /// The message of this name, without its package.
    pub(super) fn message(&self, name: &str) -> MessageDescriptor {
        self.pool.all_messages().find(|message| message.name() == name).unwrap_or_else(|| panic!("no message {name}"))
    }

    pub(super) fn comment(&self, field: &FieldDescriptor) -> &str {
        self.comments.get(field.full_name()).map_or("", String::as_str)
    }

    /// Whether a request without this field is to be refused, whatever else it says.
    pub(super) fn is_required(&self, field: &FieldDescriptor) -> bool {
        let comment = self.comment(field);
        comment.contains("Required.") || comment.contains("Required;")
    }

    /// Whether the server sets the field itself, at least where it is not imported.
    pub(super) fn is_output_only(&self, field: &FieldDescriptor) -> bool {
        self.comment(field).contains("Output only")
    }

    /// Whether the comment of the message field `outer` says that the server fills `inner` in.
    pub(super) fn fills(&self, outer: &FieldDescriptor, inner: &FieldDescriptor) -> bool {
        self.comment(outer).contains(&format!("`{}` is now if unset", inner.name()))
    }

    /// What a resource name in this field looks like, such as `accounts/{account}/orders/{order}`.
    pub(super) fn pattern(&self, field: &FieldDescriptor) -> Option<&str> {
        self.comment(field).split('`').skip(1).step_by(2).find(|quoted| quoted.contains("/{"))
    }

    /// The registry of reasons: the code that each comes with.
    pub(super) fn reasons(&self) -> HashMap<String, Code> {
        let reasons = self.pool.get_enum_by_name("rapport.common.v1.ErrorReason").unwrap();
        let all = reasons.values().filter(|reason| reason.number() != 0);
        all.map(|reason| (reason.name().to_owned(), self.code_of(reason.name()))).collect()
    }

    /// The first word of the reason's comment.
    fn code_of(&self, reason: &str) -> Code {
        let comment = &self.comments[&format!("rapport.common.v1.{reason}")];
        let word = comment.trim().split('.').next().unwrap();
        let codes = (1..=16).map(Code::from);
        // `OutOfRange` is OUT_OF_RANGE.
        let spelt = |code: &Code| format!("{code:?}").to_uppercase();
        codes
            .into_iter()
            .find(|code| spelt(code) == word.replace('_', ""))
            .unwrap_or_else(|| panic!("{reason}: {word}"))
    }
}

fn told(location: &Location) -> (&[i32], &str) {
    (&location.path, location.leading_comments())
}

fn read_fields(
    told: &HashMap<&[i32], &str>,
    path: &[i32],
    scope: &str,
    message: &DescriptorProto,
    comments: &mut HashMap<String, String>,
) {
    let scope = format!("{scope}.{}", message.name());
    for (index, field) in (0..).zip(&message.field) {
        let comment = told.get([path, &[2, index]].concat().as_slice()).copied().unwrap_or_default();
        comments.insert(format!("{scope}.{}", field.name()), comment.to_owned());
    }
    for (index, nested) in (0..).zip(&message.nested_type) {
        read_fields(told, &[path, &[3, index]].concat(), &scope, nested, comments);
    }
}

fn proto_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            proto_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
}

#[test]
fn comments_tell_what_is_required_and_which_code_a_reason_has() {
    let contract = &*CONTRACT;
    let field = |message: &str, field: &str| contract.message(message).get_field_by_name(field).unwrap();
    assert!(contract.is_required(&field("Account", "display_name")));
    assert!(!contract.is_required(&field("Account", "segment")));
    assert!(contract.is_output_only(&field("Order", "etag")));
    assert!(contract.fills(&field("CancelOrderRequest", "cancellation"), &field("Cancellation", "cancel_time")));
    assert_eq!(contract.pattern(&field("GetOrderRequest", "name")), Some("accounts/{account}/orders/{order}"));
    assert_eq!(contract.reasons()["ERROR_REASON_FEED_POSITION_AHEAD"], Code::OutOfRange);
}
