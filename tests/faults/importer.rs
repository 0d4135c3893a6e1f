//! One who imports: streams of messages, each of which lands as a whole or not at all.

use std::rc::Rc;

use tests::{
    chance::Chance,
    history::{self, Outcome},
    resources::{Kind, Row, is_cut_off},
};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use crate::{
    doors::{Doors, PATIENCE},
    recorder::{Recorder, resource, said},
    writer::{ACCOUNTS, refused},
};

const MESSAGES: usize = 4;
const ROWS_PER_MESSAGE: usize = 8;
/// How often a stream is repeated. With its pauses that takes longer than any fault.
const ATTEMPTS: u32 = 300;

/// Imports one file after the other, as it were.
pub(crate) struct Importer {
    pub(crate) name: String,
    pub(crate) tenant: &'static str,
    pub(crate) doors: Doors,
    pub(crate) chance: Chance,
    pub(crate) recorder: Rc<Recorder>,
    /// The number of the next message, which no other importer gives.
    pub(crate) next_batch: u64,
}

impl Importer {
    /// Imports until the recorder is closed. A stream that breaks is repeated from its start, or given up.
    pub(crate) async fn run(mut self) {
        while !self.recorder.is_closed() {
            let kind = self.chance.one_of(&Kind::ALL);
            let messages = self.messages(kind);
            let most = if self.chance.one_in(6) { 1 } else { ATTEMPTS };
            let invoked = self.recorder.now();
            let mut outcomes = vec![None; MESSAGES];
            let mut attempts = 0;
            while attempts < most && outcomes.contains(&None) {
                attempts += 1;
                if !self.attempt(kind, &messages, &mut outcomes).await {
                    self.recorder.count_cut_off();
                    self.chance.pause(PATIENCE / 10).await;
                }
            }
            if attempts == ATTEMPTS {
                self.recorder.fail(format!("{} could not be imported in {attempts} attempts", kind.collection()));
            }
            for (rows, outcome) in messages.iter().zip(outcomes) {
                self.record(kind, rows, invoked, attempts, &outcome.unwrap_or(Outcome::Unknown));
            }
            self.chance.pause(PATIENCE / 2).await;
        }
    }

    /// Sends all messages and notes what is answered. Tells whether all were.
    async fn attempt(&mut self, kind: Kind, messages: &[Vec<Row>], outcomes: &mut [Option<Outcome>]) -> bool {
        let clients = self.doors.clients(kind.service(), self.tenant, &mut self.chance);
        let refuse = |outcomes: &mut [Option<Outcome>], outcome: Outcome| {
            outcomes.iter_mut().filter(|known| known.is_none()).for_each(|known| *known = Some(outcome.clone()));
        };
        let mut answers = match timeout(PATIENCE, clients.import(kind, messages)).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(status)) if !is_cut_off(&status) => {
                refuse(outcomes, refused(&status));
                return false;
            }
            _ => return false,
        };
        for index in 0..messages.len() {
            match timeout(PATIENCE, answers.next()).await {
                Ok(Some(Ok((landed, unchanged, refusals)))) => {
                    if (landed + unchanged, refusals) != (ROWS_PER_MESSAGE, 0) || landed * unchanged > 0 {
                        let text = format!("of a message {landed} landed, {unchanged} were there, {refusals} refused");
                        self.recorder.fail(text);
                    }
                    let at = self.recorder.now();
                    let resource = String::new();
                    outcomes[index].get_or_insert(Outcome::Acknowledged {
                        at,
                        resource,
                        version: Some(1),
                        token: None,
                    });
                }
                Ok(Some(Err(status))) if !is_cut_off(&status) => {
                    refuse(outcomes, refused(&status));
                    return false;
                }
                _ => return false,
            }
        }
        true
    }

    fn messages(&mut self, kind: Kind) -> Vec<Vec<Row>> {
        let mut messages = Vec::with_capacity(MESSAGES);
        for message in 0..MESSAGES {
            let mut rows = Vec::with_capacity(ROWS_PER_MESSAGE);
            for index in 0..ROWS_PER_MESSAGE {
                let note = format!("{}-{}-{index}", self.name, self.next_batch + message as u64);
                let account = self.chance.one_of(&ACCOUNTS);
                let name = format!("accounts/{account}/{}/{note}", kind.collection());
                rows.push(Row::new(kind, note, &mut self.chance).with_name(name));
            }
            messages.push(rows);
        }
        messages
    }

    fn record(&mut self, kind: Kind, rows: &[Row], invoked: u64, attempts: u32, outcome: &Outcome) {
        self.next_batch += 1;
        for row in rows {
            let mut outcome = outcome.clone();
            if let Outcome::Acknowledged { resource: name, .. } = &mut outcome {
                *name = resource(self.tenant, row.name());
            }
            self.recorder.record(history::Write {
                service: kind.service().to_owned(),
                client: self.name.clone(),
                said: said(row),
                batch: Some(self.next_batch),
                invoked,
                attempts,
                outcome,
            });
        }
    }
}
