//! Sends batches over an import stream and reads the answers, with a few batches on their way at a time.
//!
//! The import calls of the four services have one shape on the wire (a test holds that), so one client serves them all:
//! rows are encoded where they are read and sent as they are.

use std::{collections::VecDeque, sync::Arc};

use contracts::orders::v1::ImportOrdersResponse;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Status, Streaming, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_prost::ProstCodec;

use super::{reader::Batch, resource::Kind};
use crate::client::{Connection, Service};

/// How many batches may be unanswered.
const MOST_UNANSWERED: usize = 4;

/// The request of any import: encoded rows.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Rows {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) rows: Vec<Vec<u8>>,
    #[prost(string, tag = "2")]
    pub(crate) batch_id: String,
}

/// The answer of any import.
pub(crate) type Answer = ImportOrdersResponse;

/// An import stream.
pub(crate) struct Stream {
    batch_id: String,
    requests: Option<mpsc::Sender<Rows>>,
    window: Arc<Semaphore>,
    answers: mpsc::Receiver<Result<Answer, Status>>,
    unanswered: VecDeque<Batch>,
}

impl Stream {
    /// Opens a stream to the service of this kind. All its rows are part of the batch of this name, if it has one.
    pub(crate) fn open(connection: &Connection, kind: Kind, batch_id: String) -> Self {
        let (requests, queue) = mpsc::channel(MOST_UNANSWERED);
        let (answer, answers) = mpsc::channel(MOST_UNANSWERED);
        let service = connection.service();
        tokio::spawn(async move {
            if let Err(status) = relay(service, kind, ReceiverStream::new(queue), &answer).await {
                // Nobody to tell if the import was given up.
                let _: Result<(), _> = answer.send(Err(status)).await;
            }
        });
        Self {
            batch_id,
            requests: Some(requests),
            window: Arc::new(Semaphore::new(MOST_UNANSWERED)),
            answers,
            unanswered: VecDeque::new(),
        }
    }

    /// Whether another batch may be sent without waiting for an answer.
    pub(crate) fn has_room(&self) -> bool {
        self.window.available_permits() > 0
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.unanswered.is_empty()
    }

    /// Sends a batch. If the stream has ended, its reason comes as the next answer.
    pub(crate) async fn send(&mut self, mut batch: Batch) {
        let rows = Rows { rows: std::mem::take(&mut batch.rows), batch_id: self.batch_id.clone() };
        if let Ok(permit) = self.window.try_acquire() {
            permit.forget();
        }
        self.unanswered.push_back(batch);
        if let Some(requests) = &self.requests {
            // A closed queue means that the stream has failed: the status waits among the answers.
            let _: Result<(), _> = requests.send(rows).await;
        }
    }

    /// Tells the server that nothing more comes.
    pub(crate) fn finish(&mut self) {
        self.requests = None;
    }

    /// The next answer and the batch it is for.
    pub(crate) async fn answer(&mut self) -> Result<(Batch, Answer), Status> {
        let ended = || Status::unavailable("the server ended the import before all of it was answered");
        let answer = self.answers.recv().await.unwrap_or_else(|| Err(ended()))?;
        self.window.add_permits(1);
        let batch = self.unanswered.pop_front();
        Ok((batch.ok_or_else(|| Status::internal("an answer without a batch"))?, answer))
    }
}

async fn relay(
    service: Service,
    kind: Kind,
    requests: ReceiverStream<Rows>,
    answers: &mpsc::Sender<Result<Answer, Status>>,
) -> Result<(), Status> {
    let mut grpc = Grpc::new(service);
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let codec: ProstCodec<Rows, Answer> = ProstCodec::default();
    let path = PathAndQuery::from_static(kind.method());
    let mut stream: Streaming<Answer> = grpc.streaming(Request::new(requests), path, codec).await?.into_inner();
    while let Some(answer) = stream.next().await {
        let answer = answer?;
        if answers.send(Ok(answer)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn the_four_imports_have_one_shape_on_the_wire() {
        let shape = |name: &str| -> Vec<String> {
            let fields = contract::message(name).fields().collect::<Vec<_>>().into_iter();
            fields.map(|field| format!("{} {} {}", field.number(), field.name(), field.is_list())).collect()
        };
        for kind in [Kind::Accounts, Kind::Orders, Kind::Interactions, Kind::Feedback] {
            let name = kind.name();
            let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            let package = format!("rapport.{name}.v1");
            assert_eq!(kind.method(), format!("/{package}.{title}Service/Import{title}"));
            assert_eq!(shape(&format!("{package}.Import{title}Request")), ["1 rows true", "2 batch_id false"]);
            assert_eq!(
                shape(&format!("{package}.Import{title}Response")),
                shape("rapport.orders.v1.ImportOrdersResponse"),
            );
        }
    }
}
