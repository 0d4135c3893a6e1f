//! Takes in what the feeds tell: sources, ledgers, standings and positions, in one transaction.

mod ready;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use dynamics::{HalfLives, Ledger, Model, assess};
use methods::Methods;
use runtime::Clock;
use store::{Backend, Database, Error, Held, Leases, Mark, Transaction, leases::Fenced, partition};
use tokio::sync::watch;

use crate::{
    cache::Ledgers,
    columns::Standings,
    fits::Changes,
    log,
    models::Models,
    movement::{Movements, Stood, Why},
    others::Others,
    progress::Progress,
    standing,
    stated_views::{self, StatedViews},
    store::{LedgerRow, SourceRow, current_sources_of},
    tables::{self, AccountKey, StandingRow},
    told::{OFFER, ORDER, Told, facts, orders_currency, segment},
    voice::topics::{self, Topic},
    wire,
    work::Work,
};

/// What one message of a feed told, and how far the feed has come with it.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) told: Vec<Told>,
    /// Of the tenants as a whole.
    pub(crate) topics: Vec<Topic>,
    pub(crate) through: Vec<Mark>,
}

impl Heard {
    /// Leaves out the marks of partitions that are not followed any more as they were when this was heard. None is left
    /// where something was told of one of them.
    pub(crate) fn still_held(mut self, then: &Held, now: &Held) -> Option<Self> {
        self.through.retain(|mark| then.agrees(now, mark.partition));
        let is_held = |tenant: &str, account: &str| then.agrees(now, partition(tenant, account));
        let is_whole = self.told.iter().all(|told| is_held(&told.tenant, &told.account))
            && self.topics.iter().all(|topic| is_held(&topic.tenant, ""));
        is_whole.then_some(self)
    }
}

/// Applies what is heard.
pub(crate) struct Applier {
    pub(crate) database: Database,
    pub(crate) methods: Methods,
    pub(crate) models: Models,
    pub(crate) views: StatedViews,
    pub(crate) clock: Clock,
    pub(crate) progress: Progress,
    pub(crate) ledgers: Ledgers,
    pub(crate) standings: Standings,
    pub(crate) leases: Leases,
    pub(crate) others: Others,
    /// The partitions of those that are held which are ready to be followed.
    pub(crate) ready: Arc<watch::Sender<Arc<Held>>>,
    /// Of what fits learn from: orders and rivals' offers.
    pub(crate) changes: Changes,
}

/// An account's ledger, the currency of its amounts, and the segment of the account with the model that was chosen for it.
struct Kept {
    currency: String,
    segment: String,
    /// The same one throughout: another may be chosen while this is made.
    model: Arc<Model>,
    ledger: Ledger,
}

/// The standings of one transaction in the making.
struct Stands {
    now: i64,
    stood: HashMap<AccountKey, Stood>,
    movements: Movements,
    rows: Vec<StandingRow>,
}

/// A transaction that writes under leases.
struct Leased {
    transaction: Transaction,
    fenced: BTreeMap<u32, Fenced>,
}

/// What a transaction made of ledgers and standings.
#[derive(Default)]
struct Written {
    ledgers: Vec<LedgerRow>,
    standings: Vec<StandingRow>,
    gone: BTreeSet<AccountKey>,
}

impl Applier {
    /// As [`Applier::apply_under`], under the leases that are held now.
    #[cfg(test)]
    pub(crate) async fn apply(&self, batch: &[Heard]) -> Result<(), Error> {
        self.apply_under(&self.leases.held(), batch).await
    }

    /// Applies a batch that was heard under these leases. When it answers, everything is durable and [`Progress`] knows.
    ///
    /// # Errors
    /// Nothing was applied then; the batch can be applied again, but for [`Error::Fenced`].
    pub(crate) async fn apply_under(&self, held: &Held, batch: &[Heard]) -> Result<(), Error> {
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
        if !told.is_empty() || !moved.is_empty() || batch.iter().any(|heard| !heard.topics.is_empty()) {
            // First, and in transactions of their own: what follows is not heard again once it is done.
            let erased = told.iter().filter(|told| told.is_erased_account());
            let erased = erased.map(|told| (told.tenant.clone(), told.account.clone())).collect();
            stated_views::erase(&self.methods, &self.views, &erased).await?;
            let own = told.iter().map(|told| partition(&told.tenant, &told.account));
            let own = own.chain(batch.iter().flat_map(|heard| &heard.topics).map(|topic| partition(&topic.tenant, "")));
            let own = own.chain(moved.iter().map(|mark| mark.partition)).collect();
            let (mut leased, work) = self.work(held, &told, own).await?;
            let transaction = &mut leased.transaction;
            work.store_sources(transaction).await?;
            topics::keep(transaction, batch.iter().flat_map(|heard| &heard.topics)).await?;
            // All that was told of, whether it was new or not: a commit that seemed to fail and did not is applied again.
            let touched = work.touched();
            let merges = work.new_merges.clone();
            let written = self.store_ledgers(transaction, work).await?;
            tables::follow(transaction, &moved).await?;
            let merged = || {
                for ((tenant, duplicate), into) in merges {
                    self.views.merge(&tenant, &duplicate, &into);
                }
            };
            self.commit(leased, written, &touched, merged).await?;
            let mut learnable: HashMap<&str, u64> = HashMap::new();
            for told in told.iter().filter(|told| matches!(told.source.kind(), ORDER | OFFER)) {
                *learnable.entry(&told.tenant).or_default() += 1;
            }
            for (tenant, count) in learnable {
                self.changes.add(tenant, count);
            }
        }
        self.progress.reached(&marks);
        Ok(())
    }

    /// Takes in what was told, in a transaction under the leases of its partitions and of all others that it touches.
    async fn work(&self, held: &Held, told: &[&Told], own: BTreeSet<u32>) -> Result<(Leased, Work), Error> {
        let mut others = BTreeSet::new();
        loop {
            let mut leased = self.begin(held, &own, &others).await?;
            let mut work = Work::load(&mut leased.transaction, told).await?;
            for told in told {
                work.hear(told)?;
            }
            if self.database.backend == Backend::Sqlite {
                return Ok((leased, work));
            }
            // A merge or a referral touches an account of another partition. Locks are taken in order, so it begins anew
            // with all of them; what it needs then may be something else again, if somebody was faster.
            let touched = work.touched();
            let touched = touched.iter().map(|(tenant, account)| partition(tenant, account));
            let before = others.len();
            others.extend(touched.filter(|partition| !own.contains(partition)));
            if others.len() == before {
                return Ok((leased, work));
            }
        }
    }

    /// Begins a transaction that writes in partitions of this process, and perhaps in others.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one is not held any more.
    async fn begin(&self, held: &Held, own: &BTreeSet<u32>, others: &BTreeSet<u32>) -> Result<Leased, Error> {
        let generation = |partition: &u32| match held.generation(*partition) {
            Some(generation) => Ok((*partition, generation)),
            None => Err(Error::Fenced { partition: *partition }),
        };
        let held: Held = own.iter().map(generation).collect::<Result<_, _>>()?;
        let (transaction, fenced) = self.database.transaction_under(&held, others).await?;
        Ok(Leased { transaction, fenced })
    }

    /// Begins a transaction that writes of these accounts, which are all of partitions of this process.
    async fn begin_of(&self, held: &Held, accounts: impl Iterator<Item = &AccountKey>) -> Result<Leased, Error> {
        let own = accounts.map(|(tenant, account)| partition(tenant, account)).collect();
        self.begin(held, &own, &BTreeSet::new()).await
    }

    /// Commits, and tells those who keep ledgers and standings at hand.
    async fn commit(
        &self,
        leased: Leased,
        written: Written,
        touched: &BTreeSet<AccountKey>,
        also: impl FnOnce(),
    ) -> Result<(), Error> {
        let Leased { mut transaction, fenced } = leased;
        let ledgers = written.ledgers.iter().map(|row| (&row.tenant, &row.account));
        let standings = written.standings.iter().map(|row| (&row.tenant, &row.account));
        let rows = ledgers.chain(standings).map(|(tenant, account)| (tenant.clone(), account.clone()));
        let all: BTreeSet<AccountKey> = if self.others.may_be() {
            rows.chain(written.gone.iter().chain(touched).cloned()).collect()
        } else {
            BTreeSet::new()
        };
        self.others.leave_word(&mut transaction, &fenced, all.iter()).await?;
        let _telling = self.others.telling().await;
        transaction.commit().await.inspect_err(|_| self.standings.doubt())?;
        also();
        self.standings.changed(&written.standings, &written.gone);
        self.ledgers.changed(written.ledgers, touched);
        self.others.wrote(&fenced);
        Ok(())
    }

    async fn store_ledgers(&self, transaction: &mut Transaction, work: Work) -> Result<Written, Error> {
        let touched: Vec<AccountKey> = work.shifts.keys().cloned().collect();
        let mut kept = BTreeMap::new();
        let mut outdated = BTreeSet::new();
        for row in tables::ledgers(transaction, &touched).await? {
            // Another version of this program may have made it, in a partition of its own.
            let Ok(ledger) = decode_ledger(&row) else {
                outdated.insert((row.tenant, row.account));
                continue;
            };
            let model = self.models.of(&row.tenant, &row.segment);
            let found = Kept { currency: row.currency, segment: row.segment, model, ledger };
            kept.insert((row.tenant, row.account), Some(found));
        }
        let standing = work.standing();
        let mut rebuild = work.rebuild;
        rebuild.extend(outdated);
        let mut reasons: HashMap<AccountKey, Why> = HashMap::with_capacity(work.shifts.len());
        for ((tenant, duplicate), into) in &work.new_merges {
            reasons.entry((tenant.clone(), into.clone())).or_default().account_merged(duplicate);
        }
        for (key, shifts) in work.shifts {
            let why = reasons.entry(key.clone()).or_default();
            let place = kept.entry(key.clone()).or_default();
            let told = work.segments.get(&key);
            let kept = place.get_or_insert_with(|| self.nothing(&key.0, told.map_or("", String::as_str)));
            if let Some(segment) = told {
                kept.segment.clone_from(segment);
                kept.model = self.models.of(&key.0, segment);
            }
            if let Some(currency) = work.currencies.get(&key) {
                kept.currency.clone_from(currency);
            }
            // The segment is another now, or another model was chosen for it.
            if kept.ledger.half_lives() != kept.model.half_lives() {
                rebuild.insert(key.clone());
            }
            for shift in shifts {
                let source = &shift.source.source;
                why.source_changed(source, &shift.old, &shift.new);
                kept.ledger.apply(source, Some(&shift.old), Some(&shift.new));
            }
            // An empty ledger may be that of a prospect, or of an account of which everything was deleted.
            if kept.ledger.is_empty() && !standing.contains(&key) {
                rebuild.insert(key);
            }
        }
        for key in rebuild {
            let folded = self.fold(transaction, &key).await?;
            kept.insert(key, folded);
        }
        kept.extend(work.new_merges.into_iter().map(|(duplicate, _)| (duplicate, None)));
        self.keep(transaction, kept, reasons).await
    }

    /// Keeps ledgers and the standings that follow from them, and drops those of accounts of which nothing is left. Returns
    /// what was written.
    async fn keep(
        &self,
        transaction: &mut Transaction,
        accounts: BTreeMap<AccountKey, Option<Kept>>,
        mut reasons: HashMap<AccountKey, Why>,
    ) -> Result<Written, Error> {
        let mut rows = Vec::with_capacity(accounts.len());
        let mut stands = self.stands(transaction, accounts.keys()).await?;
        let mut gone = BTreeSet::new();
        for (key, kept) in accounts {
            match kept {
                Some(Kept { mut currency, segment, model, ledger }) => {
                    // What an order said that is gone is not kept, so that it does not matter whether it was ever heard.
                    if ledger.worth().orders == 0 {
                        currency.clear();
                    }
                    stands.take(&key, &model, &ledger, reasons.remove(&key).unwrap_or_default())?;
                    let (tenant, account) = key;
                    rows.push(LedgerRow { tenant, account, currency, segment, document: ledger.encode() });
                }
                None => {
                    gone.insert(key);
                }
            }
        }
        tables::upsert_ledgers(transaction, &rows).await?;
        let standings = stands.keep(transaction).await?;
        tables::drop_accounts(transaction, &gone).await?;
        Ok(Written { ledgers: rows, standings, gone })
    }

    /// Begins the standings of some accounts.
    async fn stands(
        &self,
        transaction: &mut Transaction,
        accounts: impl Iterator<Item = &AccountKey>,
    ) -> Result<Stands, Error> {
        let accounts: Vec<AccountKey> = accounts.cloned().collect();
        let stood = tables::stood(transaction, &accounts).await?;
        let rows = Vec::with_capacity(accounts.len());
        Ok(Stands { now: self.clock.now(), stood, movements: Movements::default(), rows })
    }

    /// Folds what stands of an account; none if nothing does.
    async fn fold(&self, transaction: &mut Transaction, (tenant, account): &AccountKey) -> Result<Option<Kept>, Error> {
        let rows = current_sources_of(transaction, tenant, account).await?;
        if rows.iter().all(|row| row.deleted_at.is_some()) {
            return Ok(None);
        }
        let segment = segment(&rows, account)?;
        let model = self.models.of(tenant, &segment);
        let ledger = fold(model.half_lives(), &rows)?;
        Ok(Some(Kept { currency: orders_currency(&rows)?.unwrap_or_default(), segment, model, ledger }))
    }

    fn nothing(&self, tenant: &str, segment: &str) -> Kept {
        let model = self.models.of(tenant, segment);
        let ledger = Ledger::new(model.half_lives());
        Kept { currency: String::new(), segment: segment.to_owned(), model, ledger }
    }

    /// Brings the standings of these accounts up to now and to the models that are chosen for them, and with them the
    /// ledgers that were made for a model with other half-lives.
    ///
    /// # Errors
    /// Nothing was changed then.
    pub(crate) async fn refresh(&self, accounts: &[AccountKey]) -> Result<(), Error> {
        let mut leased = self.begin_of(&self.leases.held(), accounts.iter()).await?;
        let transaction = &mut leased.transaction;
        let mut stands = self.stands(transaction, accounts.iter()).await?;
        let mut refolded = BTreeMap::new();
        for row in tables::ledgers(transaction, accounts).await? {
            let ledger = decode_ledger(&row)?;
            let model = self.models.of(&row.tenant, &row.segment);
            let key = (row.tenant, row.account);
            if ledger.half_lives() == model.half_lives() {
                stands.take(&key, &model, &ledger, Why::default())?;
            } else {
                let folded = self.fold(transaction, &key).await?;
                refolded.insert(key, folded);
            }
        }
        let standings = stands.keep(transaction).await?;
        let touched = refolded.keys().cloned().collect();
        let mut written = self.keep(transaction, refolded, HashMap::new()).await?;
        written.standings.extend(standings);
        self.commit(leased, written, &touched, || {}).await
    }
}

impl Stands {
    /// Takes in what an account stands at now, and why it may be another thing than before.
    fn take(&mut self, key: &AccountKey, model: &Model, ledger: &Ledger, why: Why) -> Result<(), Error> {
        let assessment = assess(ledger, model, self.now);
        self.movements.stand(key, self.stood.remove(key), &assessment, model, why)?;
        let (tenant, account) = key.clone();
        self.rows.push(StandingRow {
            tenant,
            account,
            assessed_at: assessment.now,
            stage: crate::filter::stage_name(wire::stage(assessment.relationship.stage)),
            figures: standing::figures(&assessment),
            model: model.made_with(),
            last_movement: Vec::new(),
        });
        Ok(())
    }

    /// Keeps standings, and logs how they differ from those before. Returns what was written.
    async fn keep(self, transaction: &mut Transaction) -> Result<Vec<StandingRow>, Error> {
        let Self { now, movements, mut rows, .. } = self;
        let after = match movements.row_count() {
            0 => 0,
            rows => log::reserve(transaction, rows, movements.len()).await?,
        };
        let (documents, lasts) = movements.finish(after);
        for (row, last) in rows.iter_mut().zip(lasts) {
            row.last_movement = last;
        }
        log::append(transaction, after, now, &documents).await?;
        tables::upsert_standings(transaction, &rows).await?;
        Ok(rows)
    }
}

/// Folds the facts of current rows into a ledger.
pub(crate) fn fold(half_lives: HalfLives, rows: &[SourceRow]) -> Result<Ledger, Error> {
    let facts = rows.iter().map(|row| Ok((row.source.as_str(), facts(row)?))).collect::<Result<Vec<_>, Error>>()?;
    Ok(Ledger::fold(half_lives, facts.iter().map(|(source, facts)| (*source, facts))))
}

/// Reads a kept ledger.
pub(crate) fn decode_ledger(row: &LedgerRow) -> Result<Ledger, Error> {
    Ledger::decode(&row.document).map_err(|error| Error::Damaged(format!("the ledger of `{}`: {error}", row.account)))
}
