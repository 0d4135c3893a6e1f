//! The contract in Rust: messages, clients and servers generated from `proto/`, and the descriptor set.
//!
//! Generated code only. What the messages mean stands in the proto files; what is done with them stands in the services.
#![allow(missing_docs, reason = "the documentation stands in the proto files")]
#![allow(clippy::all, reason = "generated")]

/// What two or more services share: money, parties, feeds, error reasons.
pub mod common {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.common.v1");
    }
}
/// Who the parties are.
pub mod accounts {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.accounts.v1");
    }
}
/// What is ordered, delivered, paid and returned.
pub mod orders {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.orders.v1");
    }
}
/// What the parties say to, promise and offer each other.
pub mod interactions {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.interactions.v1");
    }
}
/// What customers think, and what becomes of that.
pub mod feedback {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.feedback.v1");
    }
}
/// Assessments of relationships.
pub mod assessments {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.assessments.v1");
    }
}
/// Fits, back-tests and opportunities.
pub mod predictions {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.predictions.v1");
    }
}
/// What customers talk about, who asked for an improvement, and what it did.
pub mod voice {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("rapport.voice.v1");
    }
}

/// Every file of the contract and what they import, as an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rapport.binpb"));
