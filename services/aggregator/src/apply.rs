//! Takes in what the feeds tell: sources, ledgers, standings and positions, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use dynamics::{Ledger, Model, Outcome, assess};
use runtime::Clock;
use sqlx::AnyConnection;
use store::{Database, Error, Mark};

use crate::{
    cache::Ledgers,
    columns::Standings,
    progress::{FEEDS, Progress},
    standing,
    store::{LedgerRow, Reader, SourceRow, sources},
    tables::{self, AccountKey, StandingRow},
    told::{EVIDENCE_REVISION, REFERRAL, Told, facts, orders_currency},
    wire,
    work::Work,
};

/// What one message of a feed told, and how far the feed has come with it.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) told: Vec<Told>,
    pub(crate) through: Vec<Mark>,
}

/// The kinds of sources that each feed tells of, in the order of [`FEEDS`].
const KINDS: [&[&str]; FEEDS.len()] = [
    &["account", "contact", "milestone", REFERRAL],
    &["order"],
    &["interaction", "commitment", "competitor_offer"],
    &["feedback"],
];
/// How many ledgers are made again in one transaction.
const ACCOUNTS_PER_REBUILD: i64 = 200;
/// The name of the setting that tells how the stored ledgers were made.
const MADE_WITH: &str = "ledgers_made_with";

/// Applies what is heard.
pub(crate) struct Applier {
    pub(crate) database: Database,
    pub(crate) model: Model,
    pub(crate) clock: Clock,
    pub(crate) progress: Progress,
    pub(crate) ledgers: Ledgers,
    pub(crate) standings: Standings,
}

/// An account's ledger, and the currency of its amounts.
struct Kept {
    currency: String,
    ledger: Ledger,
}

/// What a transaction made of ledgers and standings.
struct Written {
    ledgers: Vec<LedgerRow>,
    standings: Vec<StandingRow>,
    gone: BTreeSet<AccountKey>,
}

impl Applier {
    /// Applies a batch. When it answers, everything is durable and [`Progress`] knows.
    ///
    /// # Errors
    /// Nothing was applied then; the batch can be applied again.
    pub(crate) async fn apply(&self, batch: &[Heard]) -> Result<(), Error> {
        let told: Vec<&Told> = batch.iter().flat_map(|heard| &heard.told).collect();
        let mut through: BTreeMap<(&str, u32), i64> = BTreeMap::new();
        for mark in batch.iter().flat_map(|heard| &heard.through) {
            let position = through.entry((&mark.feed, mark.partition)).or_default();
            *position = mark.position.max(*position);
        }
        let marks: Vec<Mark> = through
            .into_iter()
            .map(|((feed, partition), position)| Mark { feed: feed.to_owned(), partition, position })
            .collect();
        let moved = self.progress.beyond(&marks);
        // A checkpoint mostly tells what is known; an idle suite writes nothing.
        if !told.is_empty() || !moved.is_empty() {
            let mut transaction = self.database.begin().await?;
            let mut work = Work::load(&mut transaction, &told).await?;
            for told in told {
                work.hear(told)?;
            }
            work.store_sources(&mut transaction).await?;
            // All that was told of, whether it was new or not: a commit that seemed to fail and did not is applied again.
            let touched = work.touched();
            let written = self.store_ledgers(&mut transaction, work).await?;
            tables::follow(&mut transaction, &moved).await?;
            self.commit(transaction).await?;
            self.tell(written, &touched);
        }
        self.progress.reached(&marks);
        Ok(())
    }

    async fn commit(&self, transaction: sqlx::Transaction<'_, sqlx::Any>) -> Result<(), Error> {
        Ok(transaction.commit().await.inspect_err(|_| self.standings.doubt())?)
    }

    /// Tells those who keep ledgers and standings at hand what was committed.
    fn tell(&self, written: Written, touched: &BTreeSet<AccountKey>) {
        self.standings.changed(&written.standings, &written.gone);
        self.ledgers.changed(written.ledgers, touched);
    }

    async fn store_ledgers(&self, connection: &mut AnyConnection, work: Work) -> Result<Written, Error> {
        let touched: Vec<AccountKey> = work.shifts.keys().cloned().collect();
        let mut kept = BTreeMap::new();
        for row in tables::ledgers(connection, &touched).await? {
            let ledger = decode_ledger(&row)?;
            kept.insert((row.tenant, row.account), Some(Kept { currency: row.currency, ledger }));
        }
        let standing = work.standing();
        let mut rebuild = work.rebuild;
        for (key, shifts) in work.shifts {
            let place = kept.entry(key.clone()).or_default();
            let kept = place.get_or_insert_with(|| self.nothing());
            if let Some(currency) = work.currencies.get(&key) {
                kept.currency.clone_from(currency);
            }
            for shift in shifts {
                if !rebuild.contains(&key)
                    && kept.ledger.apply(&shift.source, Some(&shift.old), Some(&shift.new)) == Outcome::Rebuild
                {
                    rebuild.insert(key.clone());
                }
            }
            // An empty ledger may be that of a prospect, or of an account of which everything was deleted.
            if kept.ledger.is_empty() && !standing.contains(&key) {
                rebuild.insert(key);
            }
        }
        for key in rebuild {
            let folded = self.fold(connection, &key).await?;
            kept.insert(key, folded);
        }
        kept.extend(work.new_merges.into_iter().map(|(duplicate, _)| (duplicate, None)));
        self.keep(connection, kept).await
    }

    /// Keeps ledgers and the standings that follow from them, and drops those of accounts of which nothing is left. Returns
    /// what was written.
    async fn keep(
        &self,
        connection: &mut AnyConnection,
        accounts: BTreeMap<AccountKey, Option<Kept>>,
    ) -> Result<Written, Error> {
        let mut rows = Vec::with_capacity(accounts.len());
        let mut standings = Vec::with_capacity(accounts.len());
        let mut gone = BTreeSet::new();
        for (key, kept) in accounts {
            match kept {
                Some(Kept { mut currency, ledger }) => {
                    // What an order said that is gone is not kept, so that it does not matter whether it was ever heard.
                    if ledger.worth().orders == 0 {
                        currency.clear();
                    }
                    standings.push(self.standing(&key, &ledger));
                    let (tenant, account) = key;
                    rows.push(LedgerRow { tenant, account, currency, document: ledger.encode() });
                }
                None => {
                    gone.insert(key);
                }
            }
        }
        tables::upsert_ledgers(connection, &rows).await?;
        tables::upsert_standings(connection, &standings).await?;
        tables::drop_accounts(connection, &gone).await?;
        Ok(Written { ledgers: rows, standings, gone })
    }

    fn standing(&self, (tenant, account): &AccountKey, ledger: &Ledger) -> StandingRow {
        let now = self.clock.now();
        let assessment = assess(ledger, &self.model, now);
        StandingRow {
            tenant: tenant.clone(),
            account: account.clone(),
            assessed_at: now,
            stage: crate::filter::stage_name(wire::stage(assessment.relationship.stage)),
            figures: standing::figures(&assessment),
        }
    }

    /// Folds what stands of an account; none if nothing does.
    async fn fold(
        &self,
        connection: &mut AnyConnection,
        (tenant, account): &AccountKey,
    ) -> Result<Option<Kept>, Error> {
        let rows = sources(connection, tenant, account, true).await?;
        if rows.iter().all(|row| row.deleted_at.is_some()) {
            return Ok(None);
        }
        Ok(Some(Kept { currency: orders_currency(&rows)?.unwrap_or_default(), ledger: fold(&self.model, &rows)? }))
    }

    fn nothing(&self) -> Kept {
        Kept { currency: String::new(), ledger: Ledger::new(self.model.half_lives()) }
    }

    /// Forgets all that a feed told, before it is heard again from its beginning.
    ///
    /// # Errors
    /// The database's; it can be done again. If the process ends half-way, the next one completes it.
    pub(crate) async fn forget_feed(&self, feed: usize) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        tables::forget_kinds(&mut transaction, KINDS[feed]).await?;
        if KINDS[feed].contains(&"account") {
            tables::forget_merges(&mut transaction, &self.nothing().ledger.encode()).await?;
        }
        tables::unfollow(&mut transaction, FEEDS[feed]).await?;
        tables::set(&mut transaction, MADE_WITH, "sources that a feed told before it began anew").await?;
        transaction.commit().await?;
        self.ledgers.clear();
        self.standings.clear();
        self.progress.forget(feed);
        self.rebuild_if_outdated().await
    }

    /// Makes every ledger again if those that are stored were made in another way than this program's, or from sources
    /// that were forgotten since.
    ///
    /// # Errors
    /// The database's; it can be done again.
    pub(crate) async fn rebuild_if_outdated(&self) -> Result<(), Error> {
        let half_lives = self.model.half_lives();
        let wanted = format!("{EVIDENCE_REVISION}/{}/{}", half_lives.slow_days(), half_lives.fast_days());
        let reader = Reader { database: self.database.clone() };
        let stored = reader.setting(MADE_WITH).await?;
        if stored.as_ref() == Some(&wanted) {
            return Ok(());
        }
        if stored.is_some() {
            tracing::info!("the stored ledgers are outdated: making them again");
            self.rebuild_all(&reader).await?;
        }
        let mut transaction = self.database.begin().await?;
        tables::set(&mut transaction, MADE_WITH, &wanted).await?;
        Ok(transaction.commit().await?)
    }

    async fn rebuild_all(&self, reader: &Reader) -> Result<(), Error> {
        let mut after = (String::new(), String::new());
        loop {
            let page = reader.ledger_page(None, (&after.0, &after.1), ACCOUNTS_PER_REBUILD).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.tenant.clone(), last.account.clone());
            let mut transaction = self.database.begin().await?;
            let mut kept = BTreeMap::new();
            for LedgerRow { tenant, account, .. } in page {
                let key = (tenant, account);
                let folded = self.fold(&mut transaction, &key).await?;
                kept.insert(key, folded);
            }
            let touched = kept.keys().cloned().collect();
            let written = self.keep(&mut transaction, kept).await?;
            self.commit(transaction).await?;
            self.tell(written, &touched);
        }
    }

    /// Brings the standings of these accounts up to now.
    ///
    /// # Errors
    /// Nothing was changed then.
    pub(crate) async fn refresh(&self, accounts: &[AccountKey]) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        let mut standings = Vec::with_capacity(accounts.len());
        for row in tables::ledgers(&mut transaction, accounts).await? {
            let ledger = decode_ledger(&row)?;
            standings.push(self.standing(&(row.tenant, row.account), &ledger));
        }
        tables::upsert_standings(&mut transaction, &standings).await?;
        self.commit(transaction).await?;
        self.standings.changed(&standings, &BTreeSet::new());
        Ok(())
    }
}

/// Folds the facts of current rows into a ledger.
pub(crate) fn fold(model: &Model, rows: &[SourceRow]) -> Result<Ledger, Error> {
    let facts = rows.iter().map(|row| Ok((row.source.as_str(), facts(row)?))).collect::<Result<Vec<_>, Error>>()?;
    Ok(Ledger::fold(model.half_lives(), facts.iter().map(|(source, facts)| (*source, facts))))
}

/// Reads a kept ledger.
pub(crate) fn decode_ledger(row: &LedgerRow) -> Result<Ledger, Error> {
    Ledger::decode(&row.document).map_err(|error| Error::Damaged(format!("the ledger of `{}`: {error}", row.account)))
}
