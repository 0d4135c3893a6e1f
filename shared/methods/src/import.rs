//! Import: messages of rows in, an answer for each once it is durable.

use std::collections::BTreeMap;

use contracts::common::v1::{FieldViolation, FreshnessToken, ImportRefusal};
use futures_util::{Stream, StreamExt as _, stream};
use runtime::{Fault, Tenant};
use store::{Command, Mark, Outcome, Position, Submitted};
use tonic::{Request, Status, Streaming};

use crate::{Methods, Violations, faults, journal::Journal, store_fault, token, undo::check_batch_id};

/// The most rows that one message may have.
const ROWS_PER_MESSAGE: usize = 1_000;
/// How many batches of a stream are on their way at once: while one is committed, the next is decoded and checked.
const BATCHES_ON_THEIR_WAY: usize = 2;

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
    /// Records the messages of a stream in their order, the next one handed in while the one before is being written. `rows`
    /// takes a message apart.
    ///
    /// # Errors
    /// A fault with `ERROR_REASON_TENANT_INVALID`.
    pub fn import<M: Send + 'static>(
        &self,
        request: Request<Streaming<M>>,
        rows: impl Fn(&Tenant, M) -> ImportMessage + Send + Sync + 'static,
    ) -> Result<impl Stream<Item = Result<ImportAnswer, Status>> + Send + 'static, Fault> {
        let tenant = runtime::tenant(&request)?;
        let start = (request.into_inner(), 0_i64, self.clone(), tenant, rows);
        let batches = stream::unfold(start, |(mut messages, first_index, methods, tenant, rows)| async move {
            let mut next_index = first_index;
            let handed_in = match messages.next().await? {
                Err(status) => Err(runtime::unread(status)),
                Ok(message) => {
                    methods.readers.of(&methods.store, &tenant).await;
                    let message = rows(&tenant, message);
                    next_index += message.rows.len() as i64;
                    methods.hand_in(&tenant, first_index, message).await.map_err(Status::from)
                }
            };
            let feed = methods.feed;
            let answer = async move { handed_in?.answer(feed).await.map_err(Status::from) };
            Some((answer, (messages, next_index, methods, tenant, rows)))
        });
        Ok(batches.buffered(BATCHES_ON_THEIR_WAY))
    }

    async fn hand_in(
        &self,
        tenant: &Tenant,
        first_index: i64,
        ImportMessage { batch_id, rows }: ImportMessage,
    ) -> Result<HandedIn, Fault> {
        let mut violations = Violations::default();
        if rows.is_empty() {
            violations.add("rows", "is required");
        }
        violations.at_most("rows", rows.len(), ROWS_PER_MESSAGE);
        check_batch_id(&batch_id, 0, &mut violations);
        violations.finish()?;

        let mut refusals = Vec::new();
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
                Err(fault) => refusals.push(refused(index, row.name, &fault)),
            }
        }
        let is_noted = journal.is_some();
        commands.extend(journal.map(Journal::close));
        let submitted = self.store().submit(commands).await.map_err(store_fault)?;
        Ok(HandedIn { submitted, is_noted, named, refusals })
    }

    /// Adds where a write stands, so that each partition has one mark.
    pub(crate) fn add_mark(&self, marks: &mut Vec<Mark>, Position { partition, position }: Position) {
        match marks.iter_mut().find(|mark| mark.partition == partition) {
            Some(mark) => mark.position = mark.position.max(position),
            None => marks.push(Mark { feed: self.feed.to_owned(), partition, position }),
        }
    }
}

/// A message's rows that the writer has.
struct HandedIn {
    submitted: Submitted,
    /// Whether the last command is the journal's.
    is_noted: bool,
    /// The index and the name of each row that the writer has.
    named: Vec<(i64, String)>,
    /// The rows that it has not.
    refusals: Vec<ImportRefusal>,
}

impl HandedIn {
    /// Waits until the rows are durable.
    async fn answer(self, feed: &str) -> Result<ImportAnswer, Fault> {
        let mut answer = ImportAnswer { refusals: self.refusals, ..ImportAnswer::default() };
        let mut reached: BTreeMap<u32, i64> = BTreeMap::new();
        let mut written = self.submitted.written().await.map_err(store_fault)?;
        if self.is_noted {
            written.pop().transpose().map_err(store_fault)?;
        }
        for ((index, name), written) in self.named.into_iter().zip(written) {
            match written {
                Ok(written) => {
                    match written.outcome {
                        Outcome::Landed => answer.landed_count += 1,
                        Outcome::Unchanged | Outcome::Replayed => answer.unchanged_count += 1,
                    }
                    let position = reached.entry(written.position.partition).or_default();
                    *position = written.position.position.max(*position);
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
        let marks = reached.into_iter();
        let marks = marks.map(|(partition, position)| Mark { feed: feed.to_owned(), partition, position });
        answer.freshness = Some(token(marks.collect()));
        Ok(answer)
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

/// Says an answer in the words of each service's contract.
macro_rules! import_responses {
    ($($response:path),* $(,)?) => {
        $(impl From<ImportAnswer> for $response {
            fn from(answer: ImportAnswer) -> Self {
                let ImportAnswer { landed_count, unchanged_count, refusals, freshness } = answer;
                Self { landed_count, unchanged_count, refusals, freshness }
            }
        })*
    };
}

import_responses![
    contracts::accounts::v1::ImportAccountsResponse,
    contracts::orders::v1::ImportOrdersResponse,
    contracts::interactions::v1::ImportInteractionsResponse,
    contracts::feedback::v1::ImportFeedbackResponse,
];
