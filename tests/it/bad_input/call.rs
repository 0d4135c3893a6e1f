//! Calls of any method with any bytes.

use std::time::Duration;

use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use runtime::Peer;
use tests::ask;
use tokio_stream::{StreamExt as _, iter};
use tonic::{
    Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

/// How long a watcher who has been let in waits for a first word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends messages and reads the answer to its end; of a watch, only its beginning.
pub(super) async fn call(
    peer: &Peer,
    method: &MethodDescriptor,
    messages: Vec<Vec<u8>>,
) -> Result<Vec<DynamicMessage>, Status> {
    let mut answers = open(peer, method, messages).await?;
    let mut told = Vec::new();
    if method.name().starts_with("Watch") {
        if let Ok(Some(first)) = tokio::time::timeout(PATIENCE, answers.next()).await {
            told.push(first?);
        }
        return Ok(told);
    }
    while let Some(answer) = answers.next().await {
        told.push(answer?);
    }
    // A unary method answers with exactly one message.
    if told.is_empty() && !method.is_server_streaming() {
        return Err(Status::unknown("no answer"));
    }
    Ok(told)
}

/// Sends messages. The answer can be read as it comes.
pub(super) async fn open(peer: &Peer, method: &MethodDescriptor, messages: Vec<Vec<u8>>) -> Result<Answers, Status> {
    let mut client = Grpc::new(peer.clone()).max_decoding_message_size(usize::MAX);
    client.ready().await?;
    let path: PathAndQuery = format!("/{}/{}", method.parent_service().full_name(), method.name()).parse().unwrap();
    let stream = client.streaming(ask(iter(messages)), path, Bytes).await?.into_inner();
    Ok(Answers { stream, of: method.output() })
}

/// An answer on its way.
pub(super) struct Answers {
    stream: Streaming<Vec<u8>>,
    of: MessageDescriptor,
}

impl Answers {
    /// The next message.
    pub(super) async fn next(&mut self) -> Option<Result<DynamicMessage, Status>> {
        let bytes = self.stream.next().await?;
        Some(bytes.map(|bytes| DynamicMessage::decode(self.of.clone(), bytes.as_slice()).unwrap()))
    }
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}
