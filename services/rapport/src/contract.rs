//! The contract as data: message types by name, and proto JSON.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(contracts::DESCRIPTOR_SET).expect("the contract's own descriptor set is whole")
});

/// Every type of the contract.
#[cfg(test)]
pub(crate) fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The type of a message of the contract, by its full name. Only for names that are written in this crate.
pub(crate) fn message(full_name: &str) -> MessageDescriptor {
    let found = POOL.get_message_by_name(full_name);
    found.unwrap_or_else(|| panic!("the contract has no {full_name}"))
}

/// A message of this full name as proto JSON, with the fields that hold nothing left out.
pub(crate) fn to_json(full_name: &str, content: &impl Message) -> Result<serde_json::Value, serde_json::Error> {
    let decoded = DynamicMessage::decode(message(full_name), content.encode_to_vec().as_slice());
    let decoded = decoded.map_err(|error| serde::ser::Error::custom(error.to_string()))?;
    let options = SerializeOptions::new().stringify_64_bit_integers(true);
    decoded.serialize_with_options(serde_json::value::Serializer, &options)
}
