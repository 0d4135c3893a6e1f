//! What a contract says of its methods: which are unary, and which calls may be done twice.

use std::collections::HashMap;

use prost::DecodeError;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// The field by which a call says which call it is. Every write of the contract has it unless it may be done twice, which a
/// test of the suite holds; and a service answers a call whose id it has seen as it did the first time.
const REQUEST_ID: &str = "request_id";

/// The unary methods of a contract.
#[derive(Debug)]
pub struct Methods {
    /// By path; with the number of the request's [`REQUEST_ID`].
    unary: HashMap<String, Option<u32>>,
}

/// The descriptor set is none.
#[derive(Debug, thiserror::Error)]
#[error("no descriptor set: {0}")]
pub struct MethodsError(#[from] DecodeError);

impl Methods {
    /// Reads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// If it is none.
    pub fn of(descriptor_set: &[u8]) -> Result<Methods, MethodsError> {
        let set = FileDescriptorSet::decode(descriptor_set)?;
        let mut request_ids = HashMap::new();
        for file in &set.file {
            for message in &file.message_type {
                let field = message.field.iter().find(|field| field.name() == REQUEST_ID);
                let number = field.and_then(|field| u32::try_from(field.number()).ok());
                request_ids.insert(format!(".{}.{}", file.package(), message.name()), number);
            }
        }
        let mut unary = HashMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in service.method.iter().filter(|one| !one.client_streaming() && !one.server_streaming()) {
                    // Of a request that is not described nothing is known.
                    let Some(request_id) = request_ids.get(method.input_type()) else { continue };
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    unary.insert(path, *request_id);
                }
            }
        }
        Ok(Methods { unary })
    }

    /// Whether this is a known method that takes one message and answers with one.
    pub(super) fn is_unary(&self, path: &str) -> bool {
        self.unary.contains_key(path)
    }

    /// Whether this call may be done twice. `message` is as gRPC has it, with its prefix of five bytes.
    pub(super) fn may_be_done_twice(&self, path: &str, message: &[u8]) -> bool {
        match self.unary.get(path) {
            None => false,
            Some(None) => true,
            // What is compressed is not looked into.
            Some(Some(number)) => message
                .split_at_checked(5)
                .is_some_and(|(prefix, message)| prefix.first() == Some(&0) && has_text(message, *number)),
        }
    }
}

/// Whether an encoded message has a text in this field that is not empty.
fn has_text(mut message: &[u8], number: u32) -> bool {
    while !message.is_empty() {
        let Ok((tag, wire_type)) = prost::encoding::decode_key(&mut message) else { return false };
        if tag == number && wire_type == prost::encoding::WireType::LengthDelimited {
            return prost::encoding::decode_varint(&mut message).is_ok_and(|length| length > 0);
        }
        if prost::encoding::skip_field(wire_type, tag, &mut message, prost::encoding::DecodeContext::default()).is_err()
        {
            return false;
        }
    }
    false
}
