//! Ledgers that are asked for at the same time travel together.
//!
//! A way to the database and back costs more than the row that is found on it. So callers leave here which ledger they want,
//! and a few tasks take what has been left and ask for all of it at once. Nobody waits for others to come: who finds a task
//! idle is served at once, and alone; the more there are, the more travel together.
//!
//! What a caller is given was read after the caller asked, so that whatever the caller took for granted before still holds.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use store::Error;
use tokio::sync::oneshot;

use crate::store::{LEDGERS_PER_STATEMENT, LedgerRow, Reader};

/// How many ask the database at once: enough that one may wait for its answer while another one is at work, and few enough
/// that under load many callers travel together.
const WAYS: usize = 4;

/// Callers who wait for ledgers. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Together {
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    asked: Vec<Asked>,
    /// How many ask the database now.
    ways: usize,
}

/// What one caller wants.
struct Asked {
    tenant: String,
    account: String,
    answer: oneshot::Sender<Result<Option<Arc<LedgerRow>>, Error>>,
}

/// A task that asks the database until nobody waits.
struct Way {
    together: Together,
    reader: Reader,
    ended: bool,
}

impl Together {
    /// The ledger of an account, if it has one.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn read(
        &self,
        reader: &Reader,
        tenant: &str,
        account: &str,
    ) -> Result<Option<Arc<LedgerRow>>, Error> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { tenant: tenant.to_owned(), account: account.to_owned(), answer };
        if self.join(asked) {
            let way = Way { together: self.clone(), reader: reader.clone(), ended: false };
            tokio::spawn(way.run());
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Leaves what is asked. Returns whether a task is to be started for it, which is counted already.
    fn join(&self, asked: Asked) -> bool {
        let mut waiting = self.lock();
        waiting.asked.push(asked);
        let starts = waiting.ways < WAYS;
        waiting.ways += usize::from(starts);
        starts
    }

    /// Takes what the next statement asks for: of one tenant, as much as fits. Where nobody waits the task that asks counts no
    /// longer.
    fn take(&self) -> Vec<Asked> {
        let mut waiting = self.lock();
        let Some(first) = waiting.asked.first() else {
            waiting.ways -= 1;
            return Vec::new();
        };
        let tenant = first.tenant.clone();
        let mut taken = Vec::new();
        for asked in mem::take(&mut waiting.asked) {
            let fits = asked.tenant == tenant && taken.len() < LEDGERS_PER_STATEMENT;
            if fits { &mut taken } else { &mut waiting.asked }.push(asked);
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Whatever was left is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way {
    async fn run(mut self) {
        loop {
            let asked = self.together.take();
            let Some(first) = asked.first() else {
                self.ended = true;
                return;
            };
            let accounts: Vec<&str> = asked.iter().map(|asked| asked.account.as_str()).collect();
            let read = self.reader.ledgers(&first.tenant, &accounts).await;
            let found = read.map(|rows| -> HashMap<String, Arc<LedgerRow>> {
                rows.into_iter().map(|row| (row.account.clone(), Arc::new(row))).collect()
            });
            for Asked { account, answer, .. } in asked {
                let row = found.as_ref().map(|found| found.get(&account).cloned()).map_err(Error::again);
                // Who went away does not listen any more.
                let _ = answer.send(row);
            }
        }
    }
}

impl Drop for Way {
    /// By a panic, or as the process stops.
    fn drop(&mut self) {
        if !self.ended {
            let mut waiting = self.together.lock();
            waiting.ways -= 1;
            // Who waits is told, unless somebody else will ask for it.
            if waiting.ways == 0 {
                waiting.asked.clear();
            }
        }
    }
}
