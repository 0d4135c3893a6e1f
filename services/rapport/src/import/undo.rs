//! Takes an import back, service by service.
//!
//! The four calls have one shape on the wire (a test holds that), so one client serves them all.

use contracts::{
    common::v1::{FreshnessToken, UndoRefusal},
    orders::v1::{UndoOrdersImportRequest, UndoOrdersImportResponse},
};
use tokio_stream::StreamExt;
use tonic::{Request, Status, Streaming, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_prost::ProstCodec;

use super::{
    KEPT_REFUSALS,
    progress::{Progress, Show},
    resource::Kind,
};
use crate::client::Connection;

/// The order in which services are asked: what belongs to accounts goes before the accounts.
pub const ORDER: [Kind; 4] = [Kind::Orders, Kind::Interactions, Kind::Feedback, Kind::Accounts];

/// What became of an import that was to be taken back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undone {
    /// Resources deleted, because they were not there before the import.
    pub deleted: u64,
    /// Resources that say again what they said before the import.
    pub restored: u64,
    /// Resources left as they are.
    pub kept: u64,
    /// The first of those, and why.
    pub refusals: Vec<UndoRefusal>,
    /// The freshness token of each transaction.
    pub tokens: Vec<FreshnessToken>,
}

impl Undone {
    /// Adds what became of another part of the import.
    pub fn add(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.restored += other.restored;
        self.kept += other.kept;
        let room = KEPT_REFUSALS.saturating_sub(self.refusals.len());
        self.refusals.extend(other.refusals.into_iter().take(room));
        self.tokens.extend(other.tokens);
    }

    fn answered(&mut self, answer: UndoOrdersImportResponse) {
        self.add(Self {
            deleted: u64::try_from(answer.deleted_count).unwrap_or_default(),
            restored: u64::try_from(answer.restored_count).unwrap_or_default(),
            kept: answer.refusals.len() as u64,
            refusals: answer.refusals,
            tokens: answer.freshness.into_iter().collect(),
        });
    }
}

/// Takes back what a service has of a batch.
///
/// # Errors
/// Why the service stopped, and what became of the batch before: the same call goes on from there. NOT_FOUND if it knows of
/// no such batch.
pub async fn undo(
    connection: &Connection,
    kind: Kind,
    batch_id: &str,
    show: Show,
) -> Result<Undone, (Box<Status>, Undone)> {
    let mut undone = Undone::default();
    let mut answers = match call(connection, kind, batch_id).await {
        Ok(answers) => answers,
        Err(status) => return Err((Box::new(status), undone)),
    };
    let mut progress: Option<Progress> = None;
    let ended = loop {
        match answers.next().await {
            None => break Ok(()),
            Some(Err(status)) => break Err(status),
            Some(Ok(answer)) => {
                let total = u64::try_from(answer.total_count).unwrap_or_default();
                undone.answered(answer);
                let done = undone.deleted + undone.restored + undone.kept;
                let progress = progress.get_or_insert_with(|| Progress::begin(kind.name(), total, show));
                progress.at(done, done, "taken back");
            }
        }
    };
    if let Some(progress) = progress {
        progress.end();
    }
    match ended {
        Ok(()) => Ok(undone),
        Err(status) => Err((Box::new(status), undone)),
    }
}

async fn call(
    connection: &Connection,
    kind: Kind,
    batch_id: &str,
) -> Result<Streaming<UndoOrdersImportResponse>, Status> {
    let mut grpc = Grpc::new(connection.service());
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let codec: ProstCodec<UndoOrdersImportRequest, UndoOrdersImportResponse> = ProstCodec::default();
    let request = Request::new(UndoOrdersImportRequest { batch_id: batch_id.to_owned() });
    Ok(grpc.server_streaming(request, PathAndQuery::from_static(kind.undo_method()), codec).await?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn the_four_calls_have_one_shape_on_the_wire() {
        let shape = |name: &str| -> Vec<String> {
            let fields = contract::message(name).fields().collect::<Vec<_>>().into_iter();
            fields.map(|field| format!("{} {} {:?}", field.number(), field.name(), field.kind())).collect()
        };
        for kind in ORDER {
            let name = kind.name();
            let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            let package = format!("rapport.{name}.v1");
            assert_eq!(kind.undo_method(), format!("/{package}.{title}Service/Undo{title}Import"));
            for end in ["Request", "Response"] {
                assert_eq!(
                    shape(&format!("{package}.Undo{title}Import{end}")),
                    shape(&format!("rapport.orders.v1.UndoOrdersImport{end}")),
                );
            }
        }
    }
}
