//! One who imports.

use std::{rc::Rc, time::Duration};

use tests::{
    eventually,
    resources::{Answers, Clients, Counts, Kind, Row, is_cut_off},
};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::{
    KINDS,
    chance::Chance,
    writer::{ACCOUNTS, Book},
};

const BATCHES: usize = 10;
const ROWS_PER_BATCH: usize = 30;

/// Imports one file after the other, as it were: each a stream of batches, each batch with a row that is refused.
pub(super) struct Importer {
    clients: Clients,
    book: Rc<Book>,
    count: u64,
}

impl Importer {
    pub(super) fn new(clients: &Clients, book: &Rc<Book>) -> Self {
        Self { clients: clients.clone(), book: Rc::clone(book), count: 0 }
    }

    /// Imports until the book is closed. A stream that breaks is repeated from its start.
    pub(super) async fn run(mut self, mut chance: Chance) {
        while !self.book.is_closed() {
            let (kind, batches) = self.batches(&mut chance);
            let mut answered = 0;
            eventually(async || self.attempt(kind, &batches, &mut answered).await).await;
            // All of it is there: once more says nothing new.
            assert_eq!(answered, BATCHES);
            eventually(async || self.attempt(kind, &batches, &mut answered).await).await;
        }
    }

    /// Sends all batches; none if the stream broke. Of those that were answered before, nothing lands any more; any other
    /// lands as a whole, or is there as a whole already.
    async fn attempt(&self, kind: Kind, batches: &[Vec<Row>], answered: &mut usize) -> Option<()> {
        let mut index = 0;
        let broken = match self.clients.import(kind, batches).await {
            Err(status) => Some(status),
            Ok(mut answers) => loop {
                match answers.next().await {
                    None => break None,
                    Some(Err(status)) => break Some(status),
                    Some(Ok(counts)) => {
                        let sound = ROWS_PER_BATCH;
                        let (new, old) = ((sound, 0, 1), (0, sound, 1));
                        let expected: &[Counts] = if index < *answered { &[old] } else { &[new, old] };
                        assert!(expected.contains(&counts), "batch {index} of {kind:?}: {counts:?}");
                        index += 1;
                        *answered = index.max(*answered);
                    }
                }
            },
        };
        match broken {
            Some(status) => {
                assert!(is_cut_off(&status), "refused: {status:?}");
                self.book.count_cut_off();
            }
            None => assert_eq!(index, BATCHES),
        }
        (index == BATCHES).then_some(())
    }

    /// Goes away in the middle of an import, and does not come back.
    pub(super) async fn import_impatiently(&mut self, chance: &mut Chance) {
        let (kind, batches) = self.batches(chance);
        let import = async {
            let mut answers: Answers<Counts> = self.clients.import(kind, &batches).await.unwrap();
            while let Some(answer) = answers.next().await {
                answer.unwrap();
            }
        };
        // Ready or not.
        let _ = timeout(chance.up_to(Duration::from_millis(120)), import).await;
    }

    fn batches(&mut self, chance: &mut Chance) -> (Kind, Vec<Vec<Row>>) {
        self.count += 1;
        let kind = KINDS[self.count as usize % KINDS.len()];
        let mut batches = Vec::with_capacity(BATCHES);
        for batch in 0..BATCHES {
            let mut rows = Vec::with_capacity(ROWS_PER_BATCH + 1);
            for index in 0..ROWS_PER_BATCH {
                let note = format!("import-{}-{batch}-{index}", self.count);
                let account = chance.one_of(&ACCOUNTS);
                let name = format!("accounts/{account}/{}/{note}", kind.collection());
                let row = Row::new(kind, note, chance).with_name(name);
                self.book.note(&row);
                rows.push(row);
            }
            self.book.batches.borrow_mut().push(rows.clone());
            let wrong = rows[0].clone().with_name(format!("{}-wrong", rows[0].name())).spoilt();
            rows.insert(chance.below(ROWS_PER_BATCH as u64) as usize, wrong);
            batches.push(rows);
        }
        (kind, batches)
    }
}
