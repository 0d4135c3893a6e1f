//! Leases: which of the processes that share a database works on which partition.
//!
//! Who holds a partition is written in the database. Each process looks there twice a second, takes what nobody alive holds
//! and gives back what is more than its share, so that the shares even out as processes come and go.
//!
//! No clock is compared with another: a process counts its beats, and is taken for dead when the count has stood still for
//! [`DEAD_AFTER`] by the observer's own monotonic clock. That may be wrong, since a process may merely be slow. So nothing but
//! speed depends on it: a lease has a generation, which grows whenever it changes hands, and each transaction of a holder
//! begins with [`Database::transaction_under`], which refuses it if the generation is another by now.
//!
//! A SQLite file is for one process. The last that opens it takes all partitions at once, and whoever had them before is
//! fenced off.

mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use sqlx::Row as _;
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

pub use plan::{DEAD_AFTER, Lease, Plan, Sightings, plan};

use crate::{
    Backend, Database, Error, PARTITIONS, Transaction, Value,
    transaction::{LookUp, Plans},
};

/// How often a process says that it lives, and looks at who holds what.
pub const BEAT_EVERY: Duration = Duration::from_millis(500);

const READ_LEASES: &str = "select feed_partition, holder, generation from leases order by feed_partition";
const READ_REPLICAS: &str = "select id, beats from replicas";
/// The process counts, not the row: one that was buried and beats again must not say what it had said before, or who buried
/// it would see a count that stands still.
const BEAT: &str =
    "insert into replicas (id, beats) values ($1, $2) on conflict (id) do update set beats = excluded.beats";
const BURY: &str = "delete from replicas where id = $1 and beats = $2";
/// Whoever has stopped in the middle of a transaction locks what it held until the server ends its session. Beats do not wait
/// for that: the next one tries again.
const TAKE: &str = "update leases set holder = $1, generation = generation + 1 where feed_partition =
     (select feed_partition from leases where feed_partition = $2 and generation = $3 for update skip locked)";
const TAKE_ALL: &str = "update leases set holder = $1, generation = generation + 1";
const RELEASE_ALL: &str = "update leases set holder = '', generation = generation + 1 where holder = $1";
const LEAVE: &str = "delete from replicas where id = $1";

/// The partitions that a process holds, each with the generation of its lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held(BTreeMap<u32, i64>);

impl Held {
    /// The generation under which a partition is held, if it is.
    pub fn generation(&self, partition: u32) -> Option<i64> {
        self.0.get(&partition).copied()
    }

    /// The partitions with their generations, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, i64)> {
        self.0.iter().map(|(partition, generation)| (*partition, *generation))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is no other partition.
    pub fn is_all(&self) -> bool {
        self.0.len() == PARTITIONS as usize
    }

    /// Whether this partition is held under the same generation here and there.
    pub fn agrees(&self, other: &Self, partition: u32) -> bool {
        self.0.get(&partition).is_some_and(|generation| other.0.get(&partition) == Some(generation))
    }
}

impl FromIterator<(u32, i64)> for Held {
    fn from_iter<T: IntoIterator<Item = (u32, i64)>>(partitions: T) -> Self {
        Self(partitions.into_iter().collect())
    }
}

/// One process's part in the sharing. Cheap to clone; all clones are the same process.
#[derive(Clone)]
pub struct Leases {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    id: String,
    held: watch::Sender<Held>,
    /// Those who lived at the last beat.
    live: std::sync::Mutex<BTreeSet<String>>,
    began: Instant,
    /// Beats one at a time.
    keeper: Mutex<Keeper>,
}

struct Keeper {
    sightings: Sightings,
    /// How many times it has beaten.
    beats: i64,
    /// On SQLite: everything was taken.
    has_taken: bool,
    has_left: bool,
}

impl Leases {
    /// A process that holds nothing yet. No other may ever have had this id. One that is greater than those before
    /// leaves the shares of the others mostly as they are. Behind an `@`, the id may say where the process is: whoever was there
    /// before is taken for dead at once, as two cannot be in one place.
    pub fn new(database: Database, id: String) -> Self {
        let keeper =
            Mutex::new(Keeper { sightings: Sightings::default(), beats: 0, has_taken: false, has_left: false });
        let (held, live, began) = (watch::Sender::default(), std::sync::Mutex::default(), Instant::now());
        Self { shared: Arc::new(Shared { database, id, held, live, began, keeper }) }
    }

    /// The id of this process.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Whether another process lives, as far as was seen with the last beat. On SQLite there is none.
    pub fn is_live(&self, id: &str) -> bool {
        self.shared.live.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// What is held, as far as is known: only [`Database::transaction_under`] is sure.
    pub fn held(&self) -> Held {
        self.shared.held.borrow().clone()
    }

    /// Wakes when it changes what is held.
    pub fn subscribe(&self) -> watch::Receiver<Held> {
        self.shared.held.subscribe()
    }

    /// Says that this process lives, takes and gives back what is due, and finds out what is held.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; what is held is then what it was.
    pub async fn beat(&self) -> Result<(), Error> {
        self.beat_at(self.shared.began.elapsed()).await
    }

    /// As [`Leases::beat`], when so much time has passed since the process began.
    ///
    /// # Errors
    /// As [`Leases::beat`].
    pub async fn beat_at(&self, now: Duration) -> Result<(), Error> {
        let mut keeper = self.shared.keeper.lock().await;
        if keeper.has_left {
            return Ok(());
        }
        let held = match self.shared.database.backend {
            Backend::Sqlite => self.beat_alone(&mut keeper).await?,
            Backend::Postgres => self.beat_among_others(&mut keeper, now).await?,
        };
        self.hold(held);
        Ok(())
    }

    /// As [`Leases::beat`], after everything was taken away from everybody, by this process. What fails is tried again with
    /// the next beat.
    pub async fn take_again(&self) {
        self.shared.keeper.lock().await.has_taken = false;
        if let Err(error) = self.beat().await {
            tracing::warn!(error = %error, "the leases could not be taken again; trying again");
        }
    }

    /// Beats for ever. What fails is tried again with the next beat.
    pub async fn keep(&self) {
        if self.shared.database.backend == Backend::Sqlite {
            // Nobody else would hear it, and an idle file is left alone. Who is fenced off beats by itself.
            return std::future::pending().await;
        }
        let mut is_well = true;
        loop {
            tokio::time::sleep(BEAT_EVERY).await;
            let beaten = self.beat().await;
            if let (Err(error), true) = (&beaten, is_well) {
                tracing::warn!(error = %error, "the leases cannot be looked at; trying again with every beat");
            }
            is_well = beaten.is_ok();
        }
    }

    /// Gives everything back, for good, so that the others need not wait until this process is taken for dead.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; then they have to wait.
    pub async fn leave(&self) -> Result<(), Error> {
        let mut keeper = self.shared.keeper.lock().await;
        keeper.has_left = true;
        self.hold(Held::default());
        if self.shared.database.backend == Backend::Postgres {
            // Not behind the transactions of this process, which may take long.
            for text in [RELEASE_ALL, LEAVE] {
                sqlx::query(text).bind(&self.shared.id).execute(&self.shared.database.reader).await?;
            }
            return Ok(());
        }
        let mut transaction = self.shared.database.transaction().await?;
        transaction.execute(RELEASE_ALL, &[Value::Text(&self.shared.id)]).await?;
        transaction.commit().await
    }

    fn hold(&self, held: Held) {
        self.shared.held.send_if_modified(|before| {
            let is_other = *before != held;
            if is_other {
                tracing::info!(partitions = held.len(), before = before.len(), "holds other partitions now");
                *before = held;
            }
            is_other
        });
    }

    async fn beat_alone(&self, keeper: &mut Keeper) -> Result<Held, Error> {
        if !keeper.has_taken {
            let mut transaction = self.shared.database.transaction().await?;
            transaction.execute(TAKE_ALL, &[Value::Text(&self.shared.id)]).await?;
            transaction.commit().await?;
        }
        let held = self.mine(&self.read().await?);
        if keeper.has_taken && held.is_empty() {
            tracing::error!("another process has taken over the database: this one writes no more");
        }
        keeper.has_taken = true;
        Ok(held)
    }

    async fn beat_among_others(&self, keeper: &mut Keeper, now: Duration) -> Result<Held, Error> {
        let Shared { database, id, .. } = &*self.shared;
        keeper.beats += 1;
        sqlx::query(BEAT).bind(id).bind(keeper.beats).execute(&database.reader).await?;
        let mut beats = BTreeMap::new();
        for row in sqlx::query(READ_REPLICAS).fetch_all(&database.reader).await? {
            beats.insert(row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?);
        }
        let mut live = keeper.sightings.see(now, &beats);
        if keeper.beats == 1
            && let Some((_, place)) = id.split_once('@')
        {
            live.retain(|other| other == id || other.split_once('@').is_none_or(|(_, other)| other != place));
        }
        self.shared.live.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&live);
        for (dead, beats) in beats.iter().filter(|(other, _)| !live.contains(*other)) {
            sqlx::query(BURY).bind(dead).bind(beats).execute(&database.reader).await?;
        }
        let mut leases = self.read().await?;
        let Plan { take, release } = plan(id, &live, &leases);
        let is_other = !take.is_empty() || !release.is_empty();
        // First it acts on its own as if they were given back, then they are; at once, or once its own transaction has ended.
        let without = |held: Held| held.iter().filter(|(partition, _)| !release.contains(partition)).collect();
        self.hold(without(self.mine(&leases)));
        for (holder, partitions) in [(id.as_str(), &take), ("", &release)] {
            for partition in partitions {
                let Some(lease) = leases.get(partition) else { continue };
                let taken = sqlx::query(TAKE).bind(holder).bind(i64::from(*partition)).bind(lease.generation);
                taken.execute(&database.reader).await?;
            }
        }
        if is_other {
            leases = self.read().await?;
        }
        Ok(without(self.mine(&leases)))
    }

    async fn read(&self) -> Result<BTreeMap<u32, Lease>, Error> {
        let mut leases = BTreeMap::new();
        for row in sqlx::query(READ_LEASES).fetch_all(&self.shared.database.reader).await? {
            let partition = u32::try_from(row.try_get::<i64, _>(0)?);
            let partition = partition.map_err(|_| Error::Damaged("a leased partition's number".to_owned()))?;
            leases.insert(partition, Lease { holder: row.try_get(1)?, generation: row.try_get(2)? });
        }
        Ok(leases)
    }

    fn mine(&self, leases: &BTreeMap<u32, Lease>) -> Held {
        let mine = leases.iter().filter(|(_, lease)| lease.holder == self.shared.id);
        mine.map(|(partition, lease)| (*partition, lease.generation)).collect()
    }
}

/// What [`Database::transaction_under`] found of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fenced {
    /// How many transactions had written under its lease before this one.
    pub writes_before: i64,
}

impl Database {
    /// Begins a transaction under leases: locks those of partitions until it ends, and counts it as one that writes there. Those
    /// in `held` must still be what they are there; those in `others` may be anybody's, whose transactions wait meanwhile.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one changed hands, and [`Error::Unavailable`].
    pub async fn transaction_under(
        &self,
        held: &Held,
        others: &BTreeSet<u32>,
    ) -> Result<(Transaction, BTreeMap<u32, Fenced>), Error> {
        let partitions: BTreeSet<u32> =
            held.iter().map(|(partition, _)| partition).chain(others.iter().copied()).collect();
        let keys: Vec<_> = partitions.iter().map(|partition| [Value::Integer((*partition).into())]).collect();
        let select = "select feed_partition, generation, writes from leases where feed_partition";
        let in_order = format!("order by feed_partition{}", self.backend.lock_rows());
        let mut look_ups = vec![LookUp::new((select, &in_order), &keys)];
        look_ups.retain(|look_up| !look_up.is_empty());
        let begun = Transaction::begin_with(&self.transactions, &look_ups, Plans::Anew, |_, row| {
            Ok((row.partition(0)?, row.integer(1)?, row.integer(2)?))
        });
        let (mut transaction, found): (Transaction, Vec<(u32, i64, i64)>) = begun.await?;
        let mut fenced = BTreeMap::new();
        for (partition, generation, writes_before) in found {
            if held.generation(partition).is_some_and(|held| held != generation) {
                return Err(Error::Fenced { partition });
            }
            fenced.insert(partition, Fenced { writes_before });
        }
        let count = ("update leases set writes = writes + 1 where feed_partition", "");
        transaction.write_keyed(count, &keys).await?;
        Ok((transaction, fenced))
    }
}

impl Transaction {
    /// Takes all partitions away from whoever holds them, to be taken again by anybody.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_away_all(&mut self) -> Result<(), Error> {
        let text = "update leases set holder = '', generation = generation + 1, writes = writes + 1";
        self.execute(text, &[]).await?;
        Ok(())
    }
}
