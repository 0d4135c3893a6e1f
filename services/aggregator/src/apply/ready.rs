//! Readies partitions to be followed: makes ledgers again that were made in another way, and forgets what a feed told that
//! does not continue.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use contracts::assessments::v1::Cause;
use dynamics::Ledger;
use store::{Backend, Error, Held, Mark, PARTITIONS, partition};

use super::{Applier, Leased, Written};
use crate::{
    movement::Why,
    progress::FEEDS,
    store::Reader,
    tables::{self, AccountKey},
    told::{EVIDENCE_REVISION, REFERRAL},
    voice::topics,
};

/// The kinds of sources that each feed tells of, in the order of [`FEEDS`].
const KINDS: [&[&str]; FEEDS.len()] = [
    &["account", "contact", "milestone", REFERRAL],
    &["order"],
    &["interaction", "commitment", "competitor_offer"],
    &["feedback"],
];
/// How many ledgers are made again in one transaction.
const ACCOUNTS_PER_REBUILD: i64 = 200;
/// The name of the setting that tells how the stored ledgers were made; behind a slash and a partition, that of its ledgers.
const MADE_WITH: &str = "ledgers_made_with";

impl Applier {
    /// Forgets all that a feed told, before it is heard again from its beginning. It takes all partitions away from everybody:
    /// whoever has them next makes their ledgers again and hears the feed from there. Nothing is done if a partition that was
    /// `held` when the feed was asked is not held any more.
    ///
    /// # Errors
    /// The database's; it can be done again. If the process ends half-way, the next one completes it.
    pub(crate) async fn forget_feed(&self, feed: usize, held: &Held) -> Result<(), Error> {
        if held.iter().any(|(partition, _)| !held.agrees(&self.leases.held(), partition)) {
            return Ok(());
        }
        let own = held.iter().map(|(partition, _)| partition).collect();
        let everybody = (0..PARTITIONS).collect();
        let Leased { mut transaction, .. } = self.begin(held, &own, &everybody).await?;
        if self.database.backend == Backend::Postgres {
            // It may be millions of rows.
            transaction.execute("set local statement_timeout = 0", &[]).await?;
        }
        tables::forget_kinds(&mut transaction, KINDS[feed]).await?;
        if KINDS[feed].contains(&"account") {
            tables::forget_merges(&mut transaction, &Ledger::new(self.models.built_in().model.half_lives()).encode())
                .await?;
        }
        if KINDS[feed].contains(&"feedback") {
            topics::forget(&mut transaction).await?;
        }
        tables::unfollow(&mut transaction, FEEDS[feed]).await?;
        tables::unset(&mut transaction, MADE_WITH).await?;
        tables::set(&mut transaction, MADE_WITH, "sources that a feed told before it began anew").await?;
        transaction.take_away_all().await?;
        transaction.commit().await?;
        if KINDS[feed].contains(&"account") {
            self.views.forget_merges();
        }
        self.ledgers.clear();
        self.standings.clear();
        self.progress.forget(feed);
        self.leases.take_again().await;
        self.prepare().await
    }

    /// Readies the partitions that are held now, of those that were not before: makes their ledgers again if they were made
    /// in another way, and finds out how far they were followed.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn prepare(&self) -> Result<(), Error> {
        let held = self.leases.held();
        let before = self.ready.borrow().clone();
        if *before == held {
            return Ok(());
        }
        let new: Held = held.iter().filter(|(partition, _)| !held.agrees(&before, *partition)).collect();
        if !new.is_empty() {
            self.rebuild_if_outdated(&new).await?;
            self.others.look().await?;
            let reader = Reader { database: self.database.clone() };
            let mut positions: BTreeMap<u32, [i64; FEEDS.len()]> =
                new.iter().map(|(partition, _)| (partition, [0; FEEDS.len()])).collect();
            for Mark { feed, partition, position } in reader.followed().await? {
                let feed = FEEDS.iter().position(|known| *known == feed);
                if let (Some(feed), Some(positions)) = (feed, positions.get_mut(&partition)) {
                    positions[feed] = position;
                }
            }
            for (partition, positions) in positions {
                self.progress.observe(partition, positions, false);
            }
        }
        tracing::debug!(partitions = held.len(), new = new.len(), "follows other partitions now");
        self.ready.send_replace(Arc::new(held));
        Ok(())
    }

    /// Makes the ledgers of these partitions again if those that are stored were made in another way than this program's, or
    /// from sources that were forgotten since.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn rebuild_if_outdated(&self, held: &Held) -> Result<(), Error> {
        let half_lives = self.models.built_in().model.half_lives();
        let wanted = format!("{EVIDENCE_REVISION}/{}/{}/by segment", half_lives.slow_days(), half_lives.fast_days());
        let reader = Reader { database: self.database.clone() };
        let stored = reader.settings(MADE_WITH).await?;
        let of = |partition: u32| stored.get(&made_with(partition)).or_else(|| stored.get(MADE_WITH));
        let outdated: Held = held.iter().filter(|(partition, _)| of(*partition) != Some(&wanted)).collect();
        if outdated.is_empty() {
            return Ok(());
        }
        if outdated.iter().any(|(partition, _)| of(partition).is_some()) {
            tracing::info!(partitions = outdated.len(), "the stored ledgers are outdated: making them again");
            self.rebuild_all(&reader, &outdated).await?;
        }
        let own = outdated.iter().map(|(partition, _)| partition).collect();
        let mut leased = self.begin(held, &own, &BTreeSet::new()).await?;
        if outdated.is_all() {
            tables::unset(&mut leased.transaction, MADE_WITH).await?;
            tables::set(&mut leased.transaction, MADE_WITH, &wanted).await?;
        } else {
            for (partition, _) in outdated.iter() {
                tables::set(&mut leased.transaction, &made_with(partition), &wanted).await?;
            }
        }
        self.commit(leased, Written::default(), &BTreeSet::new(), || {}).await
    }

    /// Sets something of all ledgers and standings, if the partitions are still held as they were.
    ///
    /// # Errors
    /// [`Error::Fenced`], and the database's.
    pub(crate) async fn set(&self, held: &Held, name: &str, value: &str) -> Result<(), Error> {
        let own = held.iter().map(|(partition, _)| partition).collect();
        let mut leased = self.begin(held, &own, &BTreeSet::new()).await?;
        tables::set(&mut leased.transaction, name, value).await?;
        self.commit(leased, Written::default(), &BTreeSet::new(), || {}).await
    }

    async fn rebuild_all(&self, reader: &Reader, held: &Held) -> Result<(), Error> {
        let mut after = (String::new(), String::new());
        loop {
            let page = reader.ledger_page(None, (&after.0, &after.1), ACCOUNTS_PER_REBUILD).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.tenant.clone(), last.account.clone());
            let page = page.into_iter().map(|row| (row.tenant, row.account));
            let accounts: BTreeSet<AccountKey> =
                page.filter(|(tenant, account)| held.generation(partition(tenant, account)).is_some()).collect();
            let mut leased = self.begin_of(held, accounts.iter()).await?;
            let mut kept = BTreeMap::new();
            let mut reasons = HashMap::new();
            for key in &accounts {
                let folded = self.fold(&mut leased.transaction, key).await?;
                reasons.insert(key.clone(), Why::because_of(Cause::Corrected));
                kept.insert(key.clone(), folded);
            }
            let written = self.keep(&mut leased.transaction, kept, reasons).await?;
            self.commit(leased, written, &accounts, || {}).await?;
        }
    }
}

/// The name of the setting that tells how a partition's ledgers were made.
fn made_with(partition: u32) -> String {
    format!("{MADE_WITH}/{partition}")
}
