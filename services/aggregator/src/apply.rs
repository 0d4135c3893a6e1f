//! Takes in what the feeds tell: sources, ledgers, standings and positions, in one transaction.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use contracts::assessments::v1::Cause;
use dynamics::{HalfLives, Ledger, Model, assess};
use methods::Methods;
use runtime::Clock;
use store::{Backend, Database, Error, Held, Leases, Mark, PARTITIONS, Transaction, leases::Fenced, partition};
use tokio::sync::watch;

use crate::{
    cache::Ledgers,
    columns::Standings,
    fits::Changes,
    log,
    models::Models,
    movement::{Movements, Stood, Why},
    others::Others,
    progress::{FEEDS, Progress},
    standing,
    stated_views::{self, StatedViews},
    store::{LedgerRow, Reader, SourceRow, current_sources_of},
    tables::{self, AccountKey, StandingRow},
    told::{EVIDENCE_REVISION, OFFER, ORDER, REFERRAL, Told, facts, orders_currency, segment},
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
        if !told.is_empty() || !moved.is_empty() || batch.iter().any(|heard| !heard.topics.is_empty()) {
            // First, and in transactions of their own: what follows is not heard again once it is done.
            let erased = told.iter().filter(|told| told.is_erased_account());
            let erased = erased.map(|told| (told.tenant.clone(), told.account.clone())).collect();
            stated_views::erase(&self.methods, &self.views, &erased).await?;
            let own = told.iter().map(|told| partition(&told.tenant, &told.account));
            let own = own.chain(batch.iter().flat_map(|heard| &heard.topics).map(|topic| partition(&topic.tenant, "")));
            let own = own.chain(moved.iter().map(|mark| mark.partition)).collect();
            let (mut leased, work) = self.work(&told, own).await?;
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
    async fn work(&self, told: &[&Told], own: BTreeSet<u32>) -> Result<(Leased, Work), Error> {
        let mut others = BTreeSet::new();
        loop {
            let mut leased = self.begin(&own, &others).await?;
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
    async fn begin(&self, own: &BTreeSet<u32>, others: &BTreeSet<u32>) -> Result<Leased, Error> {
        let held = self.leases.held();
        let generation = |partition: &u32| match held.generation(*partition) {
            Some(generation) => Ok((*partition, generation)),
            None => Err(Error::Fenced { partition: *partition }),
        };
        let held: Held = own.iter().map(generation).collect::<Result<_, _>>()?;
        let mut transaction = self.database.transaction().await?;
        let fenced = transaction.fence(self.database.backend, &held, others).await?;
        Ok(Leased { transaction, fenced })
    }

    /// Begins a transaction that writes of these accounts, which are all of partitions of this process.
    async fn begin_of(&self, accounts: impl Iterator<Item = &AccountKey>) -> Result<Leased, Error> {
        let own = accounts.map(|(tenant, account)| partition(tenant, account)).collect();
        self.begin(&own, &BTreeSet::new()).await
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
        for row in tables::ledgers(transaction, &touched).await? {
            let ledger = decode_ledger(&row)?;
            let model = self.models.of(&row.tenant, &row.segment);
            let found = Kept { currency: row.currency, segment: row.segment, model, ledger };
            kept.insert((row.tenant, row.account), Some(found));
        }
        let standing = work.standing();
        let mut rebuild = work.rebuild;
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
        let Leased { mut transaction, .. } = self.begin(&own, &everybody).await?;
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
        let mut leased = self.begin(&own, &BTreeSet::new()).await?;
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

    async fn rebuild_all(&self, reader: &Reader, held: &Held) -> Result<(), Error> {
        let mut after = (String::new(), String::new());
        loop {
            let page = reader.ledger_page(None, (&after.0, &after.1), ACCOUNTS_PER_REBUILD).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.tenant.clone(), last.account.clone());
            let page = page.into_iter().map(|row| (row.tenant, row.account));
            let accounts: BTreeSet<AccountKey> =
                page.filter(|(tenant, account)| held.generation(partition(tenant, account)).is_some()).collect();
            let mut leased = self.begin_of(accounts.iter()).await?;
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

    /// Brings the standings of these accounts up to now and to the models that are chosen for them, and with them the
    /// ledgers that were made for a model with other half-lives.
    ///
    /// # Errors
    /// Nothing was changed then.
    pub(crate) async fn refresh(&self, accounts: &[AccountKey]) -> Result<(), Error> {
        let mut leased = self.begin_of(accounts.iter()).await?;
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

/// The name of the setting that tells how a partition's ledgers were made.
fn made_with(partition: u32) -> String {
    format!("{MADE_WITH}/{partition}")
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
