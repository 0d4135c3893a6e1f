//! What other processes that share this database write, as far as it concerns what this one holds in memory.
//!
//! Whoever writes under the leases of partitions leaves a row for each, which names the accounts that it touched. The others
//! look for such rows several times a second, let go of what they hold of these accounts, and only then move
//! [`Progress`] on: so whoever finds a position reached there finds what it includes. One that has missed rows lets go of
//! everything. A SQLite file is for one process, which writes no such rows and looks for none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prost::Message as _;
use runtime::Shutdown;
use sqlx::{AssertSqlSafe, Row as _};
use store::{Backend, Error, Leases, PARTITIONS, Transaction, Value, leases::Fenced, partition};
use tokio::sync::MutexGuard;

use crate::{
    cache::Ledgers,
    columns::Standings,
    progress::{FEEDS, Progress},
    stated_views::StatedViews,
    store::Reader,
    tables::AccountKey,
};

/// How often it is looked for what others wrote. So old may be what a read finds that asks for nothing fresher.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often while a call waits for what another process is to reach.
const LOOK_EVERY_WHILE_WAITED_FOR: Duration = Duration::from_millis(20);
/// How many rows of each partition are kept.
const KEPT: i64 = 512;
/// Every so many transactions those before are dropped.
const DROPPED_EVERY: i64 = 64;

/// The accounts that a transaction touched in a partition, as they are kept.
#[derive(Clone, PartialEq, prost::Message)]
struct Touched {
    #[prost(message, repeated, tag = "1")]
    accounts: Vec<Account>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Account {
    #[prost(string, tag = "1")]
    tenant: String,
    #[prost(string, tag = "2")]
    account: String,
}

/// How many transactions wrote under each partition's lease, and how far each feed was followed there.
struct Stand {
    partition: u32,
    writes: i64,
    positions: [i64; FEEDS.len()],
}

/// Keeps what is in memory true. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Others {
    reader: Reader,
    leases: Leases,
    progress: Progress,
    ledgers: Ledgers,
    standings: Standings,
    views: StatedViews,
    shared: Arc<Shared>,
}

struct Shared {
    /// How many transactions of each partition are known of.
    seen: Mutex<[i64; PARTITIONS as usize]>,
    /// Held from before a commit until what is in memory follows it, so that nothing older than the commit comes after.
    telling: tokio::sync::Mutex<()>,
    /// Held while it is looked for what others wrote.
    looking: tokio::sync::Mutex<()>,
}

impl Others {
    pub(crate) fn new(
        reader: Reader,
        leases: Leases,
        progress: Progress,
        ledgers: Ledgers,
        standings: Standings,
        views: StatedViews,
    ) -> Self {
        let shared = Shared {
            seen: Mutex::new([0; PARTITIONS as usize]),
            telling: tokio::sync::Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        };
        Self { reader, leases, progress, ledgers, standings, views, shared: Arc::new(shared) }
    }

    /// Whether there may be other processes.
    pub(crate) fn may_be(&self) -> bool {
        self.reader.database.backend == Backend::Postgres
    }

    /// Notes what there is while nothing is held in memory yet.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        if self.may_be() {
            for Stand { partition, writes, positions } in self.reader.stands().await? {
                self.seen()[partition as usize] = writes;
                self.progress.observe(partition, positions, false);
            }
        }
        Ok(())
    }

    /// Looks for what others write until the shutdown begins.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut pause = LOOK_EVERY;
        while self.may_be() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.progress.wanted() => {}
                () = shutdown.wait() => return,
            }
            pause = if self.progress.is_waited_for() { LOOK_EVERY_WHILE_WAITED_FOR } else { LOOK_EVERY };
            // Nobody else may write then; and what was written before was looked for as the last lease was taken.
            if !self.leases.held().is_all()
                && let Err(error) = self.look().await
            {
                tracing::warn!(error = %error, "what other processes wrote could not be read; trying again");
            }
        }
    }

    /// Takes in what others have written by now.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn look(&self) -> Result<(), Error> {
        if !self.may_be() {
            return Ok(());
        }
        let _looking = self.shared.looking.lock().await;
        let held = self.leases.held();
        let stands = self.reader.stands().await?;
        let seen = *self.seen();
        let mut behind: BTreeMap<u32, i64> = BTreeMap::new();
        for stand in &stands {
            let seen = seen[stand.partition as usize];
            if seen != stand.writes {
                behind.insert(stand.partition, seen);
            }
        }
        if !behind.is_empty() {
            let _telling = self.shared.telling.lock().await;
            self.catch_up(&stands, behind).await?;
        }
        for Stand { partition, positions, .. } in stands {
            // What this process follows itself it knows better.
            if held.generation(partition).is_none() && self.leases.held().generation(partition).is_none() {
                self.progress.observe(partition, positions, true);
            }
        }
        Ok(())
    }

    async fn catch_up(&self, stands: &[Stand], behind: BTreeMap<u32, i64>) -> Result<(), Error> {
        let mut reached = behind.clone();
        let mut accounts = BTreeSet::new();
        for (partition, writes, touched) in self.reader.touched_after(&behind).await? {
            let reached = reached.entry(partition).or_default();
            // One after another, else some are missing.
            if writes == *reached + 1 {
                *reached = writes;
                accounts.extend(touched);
            }
        }
        let is_complete =
            stands.iter().all(|stand| reached.get(&stand.partition).is_none_or(|reached| *reached >= stand.writes));
        if is_complete {
            let held: Vec<&AccountKey> = accounts.iter().filter(|(tenant, _)| self.standings.holds(tenant)).collect();
            let standings = self.reader.standing_rows(&held).await?;
            let mut gone: BTreeSet<AccountKey> = held.into_iter().cloned().collect();
            for row in &standings {
                gone.remove(&(row.tenant.clone(), row.account.clone()));
            }
            self.standings.changed(&standings, &gone);
            self.ledgers.changed(Vec::new(), &accounts);
            for (tenant, duplicate, into) in self.reader.merges_of(&accounts).await? {
                self.views.merge(&tenant, &duplicate, &into);
            }
        } else {
            let merges = self.reader.merges().await?;
            self.standings.clear();
            self.ledgers.clear();
            self.views.forget_merges();
            for (tenant, duplicate, into) in merges {
                self.views.merge(&tenant, &duplicate, &into);
            }
            reached.extend(stands.iter().map(|stand| (stand.partition, stand.writes)));
        }
        let mut seen = self.seen();
        for (partition, writes) in reached {
            let seen = &mut seen[partition as usize];
            *seen = writes.max(*seen);
        }
        Ok(())
    }

    /// Leaves word of what a transaction touched, to be read by others once it is committed.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn leave_word<'a>(
        &self,
        transaction: &mut Transaction,
        fenced: &BTreeMap<u32, Fenced>,
        accounts: impl Iterator<Item = &'a AccountKey>,
    ) -> Result<(), Error> {
        if !self.may_be() {
            return Ok(());
        }
        let mut touched: BTreeMap<u32, Touched> =
            fenced.keys().map(|partition| (*partition, Touched::default())).collect();
        for (tenant, account) in accounts {
            if let Some(touched) = touched.get_mut(&partition(tenant, account)) {
                touched.accounts.push(Account { tenant: tenant.clone(), account: account.clone() });
            }
        }
        let rows: Vec<(u32, i64, Vec<u8>)> = touched
            .into_iter()
            .map(|(partition, touched)| (partition, fenced[&partition].writes_before + 1, touched.encode_to_vec()))
            .collect();
        let values = rows.iter().map(|(partition, writes, document)| {
            [Value::Integer((*partition).into()), Value::Integer(*writes), Value::Bytes(document)]
        });
        let insert = "insert into touched (feed_partition, writes, document) values";
        transaction.write_rows((insert, ""), &values.collect::<Vec<_>>()).await?;
        for (partition, writes, _) in rows.iter().filter(|(_, writes, _)| writes % DROPPED_EVERY == 0) {
            let old = [Value::Integer((*partition).into()), Value::Integer(writes - KEPT)];
            transaction.execute("delete from touched where feed_partition = $1 and writes <= $2", &old).await?;
        }
        Ok(())
    }

    /// Taken before a commit, and kept until what is in memory follows it.
    pub(crate) async fn telling(&self) -> MutexGuard<'_, ()> {
        self.shared.telling.lock().await
    }

    /// Notes that what is in memory follows a transaction of this process.
    pub(crate) fn wrote(&self, fenced: &BTreeMap<u32, Fenced>) {
        let mut seen = self.seen();
        for (partition, Fenced { writes_before }) in fenced {
            let seen = &mut seen[*partition as usize];
            // Else somebody has written before it, which is to be looked at still.
            if *seen == *writes_before {
                *seen += 1;
            }
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, [i64; PARTITIONS as usize]> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// How far each partition has come, all of them at one moment.
    async fn stands(&self) -> Result<Vec<Stand>, Error> {
        let rows = sqlx::query(
            "select l.feed_partition, l.writes, f.feed, f.position from leases l
             left join followed f on f.feed_partition = l.feed_partition",
        );
        let mut stands: BTreeMap<u32, Stand> = BTreeMap::new();
        for row in rows.fetch_all(&self.database.reader).await? {
            let partition = u32::try_from(row.try_get::<i64, _>(0)?).ok().filter(|partition| *partition < PARTITIONS);
            let partition = partition.ok_or_else(|| Error::Damaged("a leased partition's number".to_owned()))?;
            let writes = row.try_get(1)?;
            let stand = stands.entry(partition).or_insert(Stand { partition, writes, positions: [0; FEEDS.len()] });
            let feed: Option<&str> = row.try_get(2)?;
            if let Some(feed) = FEEDS.iter().position(|known| Some(*known) == feed) {
                stand.positions[feed] = row.try_get(3)?;
            }
        }
        Ok(stands.into_values().collect())
    }

    /// The accounts that transactions touched after these, in order: partition, number of the transaction, accounts.
    async fn touched_after(&self, seen: &BTreeMap<u32, i64>) -> Result<Vec<(u32, i64, Vec<AccountKey>)>, Error> {
        let after: Vec<String> = (0..seen.len())
            .map(|index| format!("feed_partition = ${} and writes > ${}", 2 * index + 1, 2 * index + 2))
            .collect();
        let text = format!(
            "select feed_partition, writes, document from touched where {} order by feed_partition, writes",
            after.join(" or ")
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (partition, writes) in seen {
            select = select.bind(i64::from(*partition)).bind(*writes);
        }
        let mut found = Vec::new();
        for row in select.fetch_all(&self.database.reader).await? {
            let touched = Touched::decode(row.try_get::<&[u8], _>(2)?);
            let touched = touched.map_err(|error| Error::Damaged(format!("touched accounts: {error}")))?;
            let accounts = touched.accounts.into_iter().map(|account| (account.tenant, account.account)).collect();
            let partition = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(PARTITIONS);
            found.push((partition, row.try_get(1)?, accounts));
        }
        Ok(found)
    }
}
