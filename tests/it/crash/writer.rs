//! Those who write, and the book of what they tried and what was acknowledged.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use tests::resources::{Clients, Row, Write, is_cut_off, until_answered};
use tokio::time::timeout;
use tonic::Status;

use super::{KINDS, chance::Chance};

/// Few, so that the writers meet.
pub(super) const ACCOUNTS: [&str; 6] = ["amber", "birch", "cedar", "dover", "elgin", "fjord"];
/// How long an impatient client waits at most.
const IMPATIENCE: Duration = Duration::from_millis(12);

/// What was tried and what came of it.
#[derive(Default)]
pub(super) struct Book {
    /// What each write said, by its note.
    pub(super) tried: RefCell<HashMap<String, Row>>,
    /// The rows that unary writes were answered with.
    pub(super) acknowledged: RefCell<Vec<Row>>,
    /// The sound rows of each batch that was sent in an import.
    pub(super) batches: RefCell<Vec<Vec<Row>>>,
    /// How many calls and imports were cut off.
    pub(super) cut_off: Cell<usize>,
    closed: Cell<bool>,
}

impl Book {
    /// How many unary writes were acknowledged.
    pub(super) fn count(&self) -> usize {
        self.acknowledged.borrow().len()
    }

    /// Asks everybody to finish.
    pub(super) fn close(&self) {
        self.closed.set(true);
    }

    pub(super) fn count_cut_off(&self) {
        self.cut_off.set(self.cut_off.get() + 1);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn note(&self, row: &Row) {
        let before = self.tried.borrow_mut().insert(row.note().to_owned(), row.said());
        assert_eq!(before, None, "a note is used twice");
    }

    fn acknowledge(&self, write: &Write, row: Row) {
        let (Write::Create { row: wanted, .. } | Write::Update { row: wanted, .. } | Write::Delete { row: wanted, .. }) =
            write;
        assert_eq!(row.said(), wanted.said());
        assert_eq!(row.is_deleted(), matches!(write, Write::Delete { .. }));
        self.acknowledged.borrow_mut().push(row);
    }
}

/// Writes one thing after the other: rows of its own, and rows that all share.
pub(super) struct Writer {
    name: String,
    clients: Clients,
    chance: Chance,
    book: Rc<Book>,
    /// Its rows as they were last acknowledged.
    own: Vec<Row>,
    /// The rows that all writers change, as they were created.
    shared: Rc<Vec<Row>>,
    count: u32,
}

impl Writer {
    /// So many writers, once the rows that they share are there.
    pub(super) async fn many(count: usize, clients: &Clients, chance: &mut Chance, book: &Rc<Book>) -> Vec<Self> {
        let mut shared = Vec::new();
        for account in ACCOUNTS {
            for kind in KINDS {
                let row = Row::new(kind, format!("shared-{account}-{kind:?}"), chance);
                book.note(&row);
                let write = Write::Create { account, id: "shared".to_owned(), row, request_id: String::new() };
                let row = until_answered(async || clients.write(&write, None).await).await;
                book.acknowledge(&write, row.clone());
                shared.push(row.without_etag());
            }
        }
        let shared = Rc::new(shared);
        let writer = |number: usize| Self {
            name: format!("writer-{number}"),
            clients: clients.clone(),
            chance: chance.split(),
            book: Rc::clone(book),
            own: Vec::new(),
            shared: Rc::clone(&shared),
            count: 0,
        };
        (0..count).map(writer).collect()
    }

    /// Writes until the book is closed. What is cut off is sent again, the same, until it is answered.
    pub(super) async fn run(&mut self) {
        while !self.book.is_closed() {
            let write = self.choose();
            let answer = async || {
                let answer = self.clients.write(&write, None).await;
                answer.inspect_err(|_| self.book.count_cut_off())
            };
            let row = until_answered(answer).await;
            self.acknowledge(&write, row);
        }
    }

    /// Writes once.
    pub(super) async fn step_once(&mut self) -> Result<(), Status> {
        let write = self.choose();
        let row = self.clients.write(&write, None).await?;
        self.acknowledge(&write, row);
        Ok(())
    }

    /// Goes away in the middle of a read and of a write: drops the call, or the whole connection, or lets its deadline
    /// pass. Then it tries the write again until it is answered, or never.
    pub(super) async fn step_impatiently(&mut self, uri: &str) {
        let lonely = || Clients::new(runtime::peer(uri, None).unwrap());
        let clients = if self.chance.one_in(4) { lonely() } else { self.clients.clone() };
        let kind = self.chance.one_of(&KINDS);
        // What it would have read does not matter.
        let _ = timeout(self.chance.up_to(IMPATIENCE), clients.list(kind, String::new())).await;

        let write = self.choose();
        let patience = self.chance.up_to(IMPATIENCE);
        let answer = if self.chance.one_in(3) {
            Some(clients.write(&write, Some(patience)).await)
        } else {
            timeout(patience, clients.write(&write, None)).await.ok()
        };
        drop(clients);
        match answer {
            Some(Ok(row)) => self.acknowledge(&write, row),
            Some(Err(status)) if !is_cut_off(&status) => panic!("refused: {status:?}"),
            _ if self.chance.one_in(2) => {
                let row = until_answered(async || self.clients.write(&write, None).await).await;
                self.acknowledge(&write, row);
            }
            // Whether it was written is for the judge to say: the row is left alone from now on.
            _ => {
                self.book.count_cut_off();
                self.leave(&write);
            }
        }
    }

    /// What to write next.
    fn choose(&mut self) -> Write {
        self.count += 1;
        let note = format!("{}-{}", self.name, self.count);
        let request_id = format!("request-{note}");
        let die = self.chance.below(10);
        if die >= 4 && !self.own.is_empty() {
            let row = self.chance.one_of(&self.own);
            if die == 9 {
                return Write::Delete { row, request_id };
            }
            if die >= 7 {
                // Every other time only if it is still as it was acknowledged.
                let row = if self.chance.one_in(2) { row } else { row.without_etag() };
                return self.update(row, note, request_id);
            }
        }
        if die >= 4 {
            let row = self.chance.one_of(&self.shared);
            return self.update(row, note, request_id);
        }
        let kind = self.chance.one_of(&KINDS);
        let row = Row::new(kind, note.clone(), &mut self.chance);
        self.book.note(&row);
        // Either id is enough to send it again safely.
        let (id, request_id) = match self.chance.below(3) {
            0 => (note, String::new()),
            1 => (String::new(), request_id),
            _ => (note, request_id),
        };
        Write::Create { account: self.chance.one_of(&ACCOUNTS), id, row, request_id }
    }

    fn update(&mut self, row: Row, note: String, request_id: String) -> Write {
        let row = row.rewritten(note, &mut self.chance);
        self.book.note(&row);
        Write::Update { row, request_id }
    }

    fn acknowledge(&mut self, write: &Write, row: Row) {
        self.leave(write);
        let is_shared = self.shared.iter().any(|shared| shared.name() == row.name());
        if !is_shared && !row.is_deleted() {
            self.own.push(row.clone());
        }
        self.book.acknowledge(write, row);
    }

    fn leave(&mut self, write: &Write) {
        if let Write::Update { row, .. } | Write::Delete { row, .. } = write {
            self.own.retain(|own| own.name() != row.name());
        }
    }
}
