//! Import: messages of rows in, an answer for each once it is durable.

use contracts::common::v1::{FieldViolation, FreshnessToken, ImportRefusal};
use futures_util::{Stream, StreamExt as _, stream};
use runtime::{Fault, Tenant};
use store::{Command, Mark, Outcome, Position};
use tonic::{Request, Status, Streaming};

use crate::{Methods, Violations, faults, journal::Journal, store_fault, token, undo::check_batch_id};

/// The most rows that one message may have.
const ROWS_PER_MESSAGE: usize = 1_000;

/// The rows of a message, and the batch that they are part of.
pub struct ImportMessage {
    /// What the client calls the import as a whole; empty if it is not to be taken back.
    pub batch_id: String,
    /// The rows.
    pub rows: Vec<ImportRow>,
}

/// A row on its way in.
pub struct ImportRow {
    /// The resource's name as given, to name it in a refusal.
    pub name: String,
    /// What records it, or what is wrong with it.
    pub command: Result<Command, Fault>,
}

/// The answer to one message.
#[derive(Debug, Default)]
pub struct ImportAnswer {
    /// How many rows were recorded.
    pub landed_count: i64,
    /// How many rows said nothing new.
    pub unchanged_count: i64,
    /// The rows that were refused.
    pub refusals: Vec<ImportRefusal>,
    /// Names the writes.
    pub freshness: Option<FreshnessToken>,
}

impl ImportRow {
    /// A row without a resource.
    pub fn empty() -> Self {
        let mut violations = Violations::default();
        violations.add("resource", "is required");
        let refused = violations.finish().err();
        let refused = refused.unwrap_or_else(|| faults::not_found("resource", ""));
        Self { name: String::new(), command: Err(refused) }
    }
}

impl Methods {
    /// Records the messages of a stream one after the other. `rows` takes a message apart.
    ///
    /// # Errors
    /// A fault with `ERROR_REASON_TENANT_INVALID`.
    pub fn import<M: Send + 'static>(
        &self,
        request: Request<Streaming<M>>,
        rows: impl Fn(&Tenant, M) -> ImportMessage + Send + Sync + 'static,
    ) -> Result<impl Stream<Item = Result<ImportAnswer, Status>> + Send + 'static, Fault> {
        let tenant = runtime::tenant(&request)?;
        let methods = self.clone();
        let start = (request.into_inner(), 0_i64, methods, tenant, rows);
        Ok(stream::unfold(start, |(mut messages, first_index, methods, tenant, rows)| async move {
            let answer = match messages.next().await? {
                Err(status) => Err(runtime::unread(status)),
                Ok(message) => {
                    let message = rows(&tenant, message);
                    let length = message.rows.len() as i64;
                    let answer = methods.import_message(&tenant, first_index, message).await;
                    return Some((
                        answer.map_err(Status::from),
                        (messages, first_index + length, methods, tenant, rows),
                    ));
                }
            };
            Some((answer, (messages, first_index, methods, tenant, rows)))
        }))
    }

    async fn import_message(
        &self,
        tenant: &Tenant,
        first_index: i64,
        ImportMessage { batch_id, rows }: ImportMessage,
    ) -> Result<ImportAnswer, Fault> {
        let mut violations = Violations::default();
        if rows.is_empty() {
            violations.add("rows", "is required");
        }
        violations.at_most("rows", rows.len(), ROWS_PER_MESSAGE);
        check_batch_id(&batch_id, 0, &mut violations);
        violations.finish()?;

        let mut answer = ImportAnswer::default();
        let journal = (!batch_id.is_empty()).then(|| Journal::of_rows(tenant, &batch_id));
        let mut commands = Vec::with_capacity(rows.len() + 1);
        let mut named = Vec::with_capacity(rows.len());
        for (index, row) in (first_index..).zip(rows) {
            match row.command {
                Ok(command) => {
                    commands.push(match &journal {
                        Some(journal) => journal.noting(command),
                        None => command,
                    });
                    named.push((index, row.name));
                }
                Err(fault) => answer.refusals.push(refused(index, row.name, &fault)),
            }
        }
        let is_noted = journal.is_some();
        commands.extend(journal.map(Journal::close));
        let mut marks: Vec<Mark> = Vec::new();
        let mut written = self.store().write_batch(commands).await.map_err(store_fault)?;
        if is_noted {
            written.pop().transpose().map_err(store_fault)?;
        }
        for ((index, name), written) in named.into_iter().zip(written) {
            match written {
                Ok(written) => {
                    match written.outcome {
                        Outcome::Landed => answer.landed_count += 1,
                        Outcome::Unchanged | Outcome::Replayed => answer.unchanged_count += 1,
                    }
                    self.add_mark(&mut marks, written.position);
                }
                Err(store::Error::Refused(refusal)) => {
                    let fault = faults::store_fault(store::Error::Refused(refusal));
                    answer.refusals.push(refused(index, name, &fault));
                }
                // Not this row's fault: the message did not land, and the stream says so.
                Err(error) => return Err(store_fault(error)),
            }
        }
        answer.refusals.sort_by_key(|refusal| refusal.index);
        answer.freshness = Some(token(marks));
        Ok(answer)
    }

    /// Adds where a write stands, so that each partition has one mark.
    pub(crate) fn add_mark(&self, marks: &mut Vec<Mark>, Position { partition, position }: Position) {
        match marks.iter_mut().find(|mark| mark.partition == partition) {
            Some(mark) => mark.position = mark.position.max(position),
            None => marks.push(Mark { feed: self.feed.to_owned(), partition, position }),
        }
    }
}

fn refused(index: i64, name: String, fault: &Fault) -> ImportRefusal {
    let violations = fault
        .violations()
        .iter()
        .map(|violation| FieldViolation { field: violation.field.clone(), description: violation.description.clone() });
    ImportRefusal {
        index,
        name,
        reason: fault.reason().to_owned(),
        message: fault.message().to_owned(),
        violations: violations.collect(),
    }
}
