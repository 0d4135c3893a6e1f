//! Standings in memory, by column: what lists that filter or order and the shape of a portfolio read in place of the table.
//!
//! A list may be ordered by any of some forty figures and filtered by any of them together. With indexes in the database
//! each would need one of its own, and every change of an account moves its entry in all of them, each on a page of its own:
//! on a million accounts one such index nearly doubled the work of applying changes. A figure of a million accounts is 8 MB
//! here, and a page of a list is one pass over the figures it names, a few milliseconds, whatever the filter lets through.
//!
//! A tenant's columns are loaded when a list first names one that is not there, as many as there is room for, and kept
//! current from then on: whoever changes standings
//! commits, then tells, and only then moves [`crate::progress::Progress`] on. Changes that come while columns are loaded are
//! kept aside and put in at the end, so that none is lost to a row that was read before it.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, BinaryHeap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{self, AtomicBool},
    },
};

use store::Error;

use crate::{
    filter::{Comparison, Order, STAGE, Value, stage_rank},
    standing,
    store::{Figures, Reader, Shape, Standing, StandingPlace},
    tables::{AccountKey, StandingRow},
};

/// How many rows are loaded at a time.
const ROWS_PER_LOAD: i64 = 10_000;
/// About what a row takes beside its figures: its name, twice referred to, and a place in a map.
const ROW_BYTES: usize = 144;
/// From so many accounts on, a pass is too long for a thread that serves other calls.
const LONG_PASS: usize = 50_000;
/// The column of the stage's rank, behind those of the figures.
const STAGE_COLUMN: usize = standing::METRICS;
/// When an account was assessed that is no more.
const GONE: i64 = i64::MIN;

/// The columns of all tenants. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Standings {
    shared: Arc<Shared>,
}

struct Shared {
    tenants: Mutex<HashMap<String, Arc<Tenant>>>,
    bytes: usize,
    /// Whether a transaction may have been committed that was not told of.
    is_doubtful: AtomicBool,
}

#[derive(Default)]
struct Tenant {
    /// Held while columns are loaded, by one at a time.
    loading: tokio::sync::Mutex<()>,
    columns: RwLock<Columns>,
}

/// The columns of one tenant.
#[derive(Default)]
struct Columns {
    names: Vec<Arc<str>>,
    rows: HashMap<Arc<str>, u32>,
    /// As far as this, names are in order.
    sorted: usize,
    assessed_at: Vec<i64>,
    /// The ids of the models, each text once.
    models: Vec<Arc<str>>,
    /// By the number of the column; none for those that are not loaded.
    figures: HashMap<usize, Vec<f64>>,
    /// What changed since a load began.
    aside: Option<Vec<Change>>,
}

/// Keeps changes aside until it is dropped, also when a load fails or is given up.
struct Aside<'a>(&'a Tenant);

/// What an account's standing became; none if it is gone.
#[derive(Clone)]
struct Change {
    account: String,
    standing: Option<Became>,
}

/// A standing: when and with which model it was made, and its figures.
#[derive(Clone)]
struct Became {
    assessed_at: i64,
    model: Arc<str>,
    figures: Arc<[f64]>,
}

/// A list's conditions, its columns numbered.
struct Wanted {
    comparisons: Vec<(usize, &'static str, f64)>,
    order: Option<usize>,
    descending: bool,
    after: Option<StandingPlace>,
    limit: usize,
}

/// A row that may be on the page; the greatest is the last of them.
struct Candidate<'a> {
    figure: f64,
    row: usize,
    columns: &'a Columns,
}

impl Standings {
    /// Nothing loaded yet; when more is loaded than this, the tenants not asked for are let go.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { shared: Arc::new(Shared { tenants: Mutex::default(), bytes, is_doubtful: AtomicBool::new(false) }) }
    }

    /// A page of the accounts whose standings pass the comparisons.
    ///
    /// # Errors
    /// The database's, of what is loaded first.
    pub(crate) async fn page(
        &self,
        reader: &Reader,
        tenant: &str,
        comparisons: &[Comparison],
        order: &Order,
        after: Option<StandingPlace>,
        limit: i64,
    ) -> Result<Vec<Standing>, Error> {
        let number = |name: &str| if name == STAGE { Some(STAGE_COLUMN) } else { standing::number(name) };
        let unknown = || Error::Damaged("a list names a figure that standings do not have".to_owned());
        let mut wanted = Wanted {
            comparisons: Vec::with_capacity(comparisons.len()),
            order: order.column.as_deref().map(|name| number(name).ok_or_else(unknown)).transpose()?,
            descending: order.descending,
            after,
            limit: usize::try_from(limit).unwrap_or(0),
        };
        for comparison in comparisons {
            let value = match &comparison.value {
                Value::Number(value) => *value,
                Value::Text(stage) => stage_rank(stage).unwrap_or(0.0),
            };
            let column = number(&comparison.column).ok_or_else(unknown)?;
            wanted.comparisons.push((column, comparison.operator, value));
        }
        let needed = wanted.comparisons.iter().map(|(column, ..)| *column).chain(wanted.order).collect();
        self.read(reader, tenant, needed, move |columns| columns.page(&wanted)).await
    }

    /// Counts a portfolio: stages, bonds in ten bins from 0 to 100, gaps in ten bins from -100 to 100; in one pass.
    ///
    /// # Errors
    /// The database's, of what is loaded first.
    pub(crate) async fn shape(&self, reader: &Reader, tenant: &str) -> Result<Shape, Error> {
        let figures = ["bond", "gap"].map(|name| standing::number(name).unwrap_or(STAGE_COLUMN));
        let needed = figures.into_iter().chain([STAGE_COLUMN]).collect();
        self.read(reader, tenant, needed, move |columns| columns.shape(figures)).await
    }

    /// Takes in the standings that a committed transaction wrote, and the accounts that it dropped. Called before the
    /// progress moves.
    pub(crate) fn changed(&self, written: &[StandingRow], gone: &BTreeSet<AccountKey>) {
        if self.shared.is_doubtful.swap(false, atomic::Ordering::Relaxed) {
            self.clear();
        }
        let mut by_tenant: HashMap<&str, Vec<Change>> = HashMap::new();
        let tenants = self.tenants().clone();
        for row in written.iter().filter(|row| tenants.contains_key(&row.tenant)) {
            let figures: Arc<[f64]> =
                row.figures.iter().copied().chain([stage_rank(&row.stage).unwrap_or(0.0)]).collect();
            let standing = Became { assessed_at: row.assessed_at, model: row.model.as_str().into(), figures };
            let change = Change { account: row.account.clone(), standing: Some(standing) };
            by_tenant.entry(&row.tenant).or_default().push(change);
        }
        for (tenant, account) in gone.iter().filter(|(tenant, _)| tenants.contains_key(tenant)) {
            by_tenant.entry(tenant).or_default().push(Change { account: account.clone(), standing: None });
        }
        for (tenant, changes) in by_tenant {
            let mut columns = tenants[tenant].write();
            for change in &changes {
                columns.set(&change.account, change.standing.as_ref());
            }
            if let Some(aside) = &mut columns.aside {
                aside.extend(changes);
            }
        }
    }

    /// Tells of a commit that failed: it may have come about all the same, and then nothing tells what it wrote. Before the
    /// next change everything is let go.
    pub(crate) fn doubt(&self) {
        self.shared.is_doubtful.store(true, atomic::Ordering::Relaxed);
    }

    /// Lets everything go.
    pub(crate) fn clear(&self) {
        self.tenants().clear();
    }

    /// Whether anything of a tenant is here, or about to be.
    pub(crate) fn holds(&self, tenant: &str) -> bool {
        self.tenants().contains_key(tenant)
    }

    async fn read<T: Send + 'static>(
        &self,
        reader: &Reader,
        tenant: &str,
        needed: BTreeSet<usize>,
        pass: impl FnOnce(&Columns) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let columns = self.tenants().entry(tenant.to_owned()).or_default().clone();
        if !columns.read().has(&needed) {
            let _loading = columns.loading.lock().await;
            if !columns.read().has(&needed) {
                let room = self.shared.bytes.saturating_sub(self.bytes_of_others(tenant));
                columns.load(reader, tenant, &needed, room).await?;
                self.make_room(tenant);
            }
        }
        if columns.read().names.len() < LONG_PASS {
            return Ok(pass(&columns.read()));
        }
        let passed = tokio::task::spawn_blocking(move || pass(&columns.read())).await;
        passed.map_err(|error| Error::Damaged(format!("a pass over standings ended early: {error}")))
    }

    fn bytes_of_others(&self, tenant: &str) -> usize {
        let tenants = self.tenants();
        let others = tenants.iter().filter(|(name, _)| *name != tenant);
        others.map(|(_, columns)| columns.read().bytes()).sum()
    }

    /// Lets other tenants go, the largest first, until what is left fits.
    fn make_room(&self, tenant: &str) {
        let mut tenants = self.tenants();
        loop {
            let sizes: Vec<(usize, &String)> =
                tenants.iter().map(|(name, columns)| (columns.read().bytes(), name)).collect();
            let total: usize = sizes.iter().map(|(bytes, _)| bytes).sum();
            let largest = sizes.into_iter().filter(|(_, name)| *name != tenant).max();
            match largest {
                Some((_, name)) if total > self.shared.bytes => {
                    let name = name.clone();
                    tenants.remove(&name);
                }
                _ => return,
            }
        }
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<String, Arc<Tenant>>> {
        self.shared.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    fn read(&self) -> RwLockReadGuard<'_, Columns> {
        self.columns.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Columns> {
        self.columns.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the columns that are needed, and anew those that are here. It reads every row whatever it is to take from it:
    /// so it takes along what else there is room for, in bytes, beginning with what is asked for most.
    async fn load(&self, reader: &Reader, tenant: &str, needed: &BTreeSet<usize>, room: usize) -> Result<(), Error> {
        let _aside = Aside::open(self);
        let needed: BTreeSet<usize> = self.read().figures.keys().chain(needed).copied().collect();
        let mut along: Vec<usize> = Vec::new();
        for column in [STAGE_COLUMN].into_iter().chain(standing::scores()).chain(0..standing::METRICS) {
            if !needed.contains(&column) && !along.contains(&column) {
                along.push(column);
            }
        }
        let wanted: Vec<usize> = needed.iter().chain(&along).copied().collect();
        let mut loaded =
            Columns { figures: wanted.iter().map(|column| (*column, Vec::new())).collect(), ..Columns::default() };
        let mut after = Some(String::new());
        while let Some(begin) = after {
            let (page, last) = reader.figures(tenant, &wanted, &begin, ROWS_PER_LOAD).await?;
            for Figures { account, assessed_at, model, figures } in page {
                let name: Arc<str> = account.as_str().into();
                loaded.rows.insert(name.clone(), loaded.names.len() as u32);
                loaded.names.push(name);
                loaded.assessed_at.push(assessed_at);
                let model = loaded.model(&model);
                loaded.models.push(model);
                for (column, figure) in wanted.iter().zip(figures) {
                    if let Some(column) = loaded.figures.get_mut(column) {
                        column.push(figure);
                    }
                }
            }
            while loaded.bytes() > room
                && let Some(column) = along.pop()
            {
                loaded.figures.remove(&column);
            }
            after = last;
        }
        loaded.sorted = loaded.names.len();
        let mut columns = self.write();
        for change in columns.aside.take().unwrap_or_default() {
            loaded.set(&change.account, change.standing.as_ref());
        }
        *columns = loaded;
        Ok(())
    }
}

impl<'a> Aside<'a> {
    fn open(tenant: &'a Tenant) -> Self {
        tenant.write().aside = Some(Vec::new());
        Self(tenant)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.write().aside = None;
    }
}

impl Columns {
    fn has(&self, needed: &BTreeSet<usize>) -> bool {
        needed.iter().all(|column| self.figures.contains_key(column))
    }

    fn bytes(&self) -> usize {
        ROW_BYTES * (self.names.len() + 8) + 8 * self.names.len() * self.figures.len()
    }

    /// The text of a model's id, as most other rows have it.
    fn model(&self, id: &str) -> Arc<str> {
        self.models.last().filter(|last| ***last == *id).cloned().unwrap_or_else(|| id.into())
    }

    fn set(&mut self, account: &str, standing: Option<&Became>) {
        if self.figures.is_empty() {
            return;
        }
        let row = match (self.rows.get(account), standing) {
            (Some(row), _) => *row as usize,
            (None, None) => return,
            (None, Some(_)) => {
                let name: Arc<str> = account.into();
                self.rows.insert(name.clone(), self.names.len() as u32);
                self.names.push(name);
                self.assessed_at.push(GONE);
                self.models.push("".into());
                self.figures.values_mut().for_each(|column| column.push(0.0));
                self.names.len() - 1
            }
        };
        self.assessed_at[row] = standing.map_or(GONE, |standing| standing.assessed_at);
        if let Some(Became { model, figures, .. }) = standing {
            self.models[row] =
                if row > 0 && self.models[row - 1] == *model { self.models[row - 1].clone() } else { model.clone() };
            for (number, column) in &mut self.figures {
                column[row] = figures[*number];
            }
        }
        if self.names.len() - self.sorted > LONG_PASS / 4 + self.sorted / 4 {
            self.sort();
        }
    }

    /// Brings the rows into the order of their names, those that are gone left out.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.names.len()).filter(|row| self.assessed_at[*row] != GONE).collect();
        order.sort_by(|a, b| self.by_name(*a, *b));
        let names = order.iter().map(|row| self.names[*row].clone()).collect();
        self.assessed_at = order.iter().map(|row| self.assessed_at[*row]).collect();
        self.models = order.iter().map(|row| self.models[*row].clone()).collect();
        for column in self.figures.values_mut() {
            *column = order.iter().map(|row| column[*row]).collect();
        }
        self.names = names;
        self.rows = (0..).zip(&self.names).map(|(row, name)| (name.clone(), row)).collect();
        self.sorted = self.names.len();
    }

    fn by_name(&self, a: usize, b: usize) -> Ordering {
        if a < self.sorted && b < self.sorted { a.cmp(&b) } else { self.names[a].cmp(&self.names[b]) }
    }

    fn page(&self, wanted: &Wanted) -> Vec<Standing> {
        let sign = if wanted.descending { -1.0 } else { 1.0 };
        let column = wanted.order.and_then(|column| self.figures.get(&column));
        let filters: Vec<(&Vec<f64>, &str, f64)> = wanted
            .comparisons
            .iter()
            .filter_map(|(column, operator, value)| Some((self.figures.get(column)?, *operator, *value)))
            .collect();
        let after = wanted.after.as_ref().map(|after| {
            let row = self.names[..self.sorted].partition_point(|name| **name <= *after.account);
            (if column.is_some() { sign * after.figure } else { 0.0 }, row, after.account.as_str())
        });
        let mut page: BinaryHeap<Candidate<'_>> = BinaryHeap::with_capacity(wanted.limit + 1);
        for row in 0..self.names.len() {
            let figure = column.map_or(0.0, |column| sign * column[row]);
            if page.len() == wanted.limit && page.peek().is_none_or(|last| figure > last.figure) {
                continue;
            }
            let is_after = after.is_none_or(|(least, first, account)| {
                let is_later = || if row < self.sorted { row >= first } else { *self.names[row] > *account };
                figure > least || figure == least && is_later()
            });
            if !is_after || self.assessed_at[row] == GONE || !filters.iter().all(|filter| passes(filter, row)) {
                continue;
            }
            page.push(Candidate { figure, row, columns: self });
            if page.len() > wanted.limit {
                page.pop();
            }
        }
        let place = |candidate: Candidate<'_>| {
            let account = self.names[candidate.row].to_string();
            Standing {
                place: StandingPlace { figure: sign * candidate.figure, account },
                assessed_at: self.assessed_at[candidate.row],
                model: self.models[candidate.row].to_string(),
            }
        };
        page.into_sorted_vec().into_iter().map(place).collect()
    }

    fn shape(&self, [bond, gap]: [usize; 2]) -> Shape {
        let mut stages: HashMap<u64, i64> = HashMap::new();
        let (mut bonds, mut gaps) = (vec![0; 10], vec![0; 10]);
        let column = |number: usize| self.figures.get(&number).map_or(&[][..], Vec::as_slice);
        let figures = column(STAGE_COLUMN).iter().zip(column(bond)).zip(column(gap)).zip(&self.assessed_at);
        for (((stage, bond), gap), _) in figures.filter(|(_, assessed_at)| **assessed_at != GONE) {
            *stages.entry(*stage as u64).or_default() += 1;
            bonds[bin(*bond, 0.0, 10.0)] += 1;
            gaps[bin(*gap, -100.0, 20.0)] += 1;
        }
        let named = crate::filter::stages().filter_map(|stage| {
            let count = stages.get(&(stage_rank(&stage)? as u64))?;
            Some((stage, *count))
        });
        Shape { stages: named.collect(), bonds, gaps }
    }
}

/// One of ten bins; the first and the last take in what rounding may have put just outside.
fn bin(figure: f64, low: f64, width: f64) -> usize {
    (1..10).filter(|index| figure >= low + width * f64::from(*index)).count()
}

fn passes((column, operator, value): &(&Vec<f64>, &str, f64), row: usize) -> bool {
    let figure = column[row];
    match *operator {
        "<" => figure < *value,
        "<=" => figure <= *value,
        ">" => figure > *value,
        ">=" => figure >= *value,
        "=" => figure == *value,
        _ => figure != *value,
    }
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // Not total_cmp: -0 and 0 are one figure, told apart by the account.
        let figures = self.figure.partial_cmp(&other.figure).unwrap_or(Ordering::Equal);
        figures.then_with(|| self.columns.by_name(self.row, other.row))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Accounts by number with two figures of few values, so that many are equal; none where it is gone.
    type History = Vec<(u8, Option<(u8, u8)>)>;

    fn name(number: u8) -> String {
        format!("a{number}")
    }

    fn set(columns: &mut Columns, number: u8, standing: Option<(u8, u8)>) {
        let standing = standing.map(|(one, two)| {
            let mut figures = vec![0.0; STAGE_COLUMN + 1];
            (figures[0], figures[STAGE_COLUMN]) = (f64::from(one), f64::from(two));
            Became { assessed_at: 7, model: "default-2".into(), figures: Arc::from(figures) }
        });
        columns.set(&name(number), standing.as_ref());
    }

    fn columns(history: &History, sorted_after: usize) -> Columns {
        let figures = [0, STAGE_COLUMN].map(|column| (column, Vec::new()));
        let mut columns = Columns { figures: figures.into(), ..Columns::default() };
        for (index, (number, standing)) in history.iter().enumerate() {
            if index == sorted_after {
                columns.sort();
            }
            set(&mut columns, *number, *standing);
        }
        columns
    }

    proptest! {
        #[test]
        fn pages_together_are_the_list(
            history in prop::collection::vec((any::<u8>(), prop::option::weighted(0.8, (0..4_u8, 0..3_u8))), 0..200),
            sorted_after in 0..200_usize,
            order in prop::option::of(prop::sample::select(vec![0, STAGE_COLUMN])),
            descending: bool,
            limit in 1..20_usize,
            least in prop::option::of(0..4_u8),
        ) {
            let columns = columns(&history, sorted_after);
            let comparisons: Vec<_> = least.iter().map(|least| (0, ">=", f64::from(*least))).collect();
            let mut paged = Vec::new();
            let mut after = None;
            loop {
                let wanted = Wanted { comparisons: comparisons.clone(), order, descending, after, limit };
                let page = columns.page(&wanted);
                paged.extend(page.iter().map(|standing| standing.place.account.clone()));
                if page.len() < limit {
                    break;
                }
                after = page.into_iter().next_back().map(|standing| standing.place);
            }

            let last: HashMap<u8, Option<(u8, u8)>> = history.into_iter().collect();
            let mut list: Vec<(i16, String)> = last
                .into_iter()
                .filter_map(|(number, standing)| Some((number, standing?)))
                .filter(|(_, (one, _))| least.is_none_or(|least| *one >= least))
                .map(|(number, (one, two))| {
                    let figure = order.map_or(0, |column| if column == 0 { one } else { two });
                    (if descending { -i16::from(figure) } else { i16::from(figure) }, name(number))
                })
                .collect();
            list.sort();
            prop_assert_eq!(paged, list.into_iter().map(|(_, account)| account).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_figure_belongs_to_one_of_ten_bins() {
        assert_eq!([-0.1, 0.0, 9.9, 10.0, 99.9, 100.1].map(|bond| bin(bond, 0.0, 10.0)), [0, 0, 0, 1, 9, 9]);
        assert_eq!([-100.0, -80.0, 0.0, 80.0].map(|gap| bin(gap, -100.0, 20.0)), [0, 1, 5, 9]);
    }

    #[tokio::test]
    async fn what_is_loaded_is_what_is_needed_and_what_fits_beside_it() {
        let scratch = store::testing::Scratch::sqlite().unwrap();
        let database = store::Database::open(&scratch.url, &crate::MIGRATIONS).await.unwrap();
        let mut transaction = database.transaction().await.unwrap();
        let rows: Vec<StandingRow> = (0..100)
            .map(|number| StandingRow {
                tenant: "t".to_owned(),
                account: name(number),
                assessed_at: 1,
                model: "m".to_owned(),
                stage: "exploration".to_owned(),
                figures: (0..standing::METRICS).map(|figure| figure as f64).collect(),
                last_movement: Vec::new(),
            })
            .collect();
        crate::tables::upsert_standings(&mut transaction, &rows).await.unwrap();
        transaction.commit().await.unwrap();
        let reader = Reader { database: database.clone() };
        let needed = BTreeSet::from([7, 8]);
        let least = ROW_BYTES * 108;
        for (room, count) in [(0, 2), (least + 8 * 100 * 5, 5), (usize::MAX, standing::METRICS + 1)] {
            let tenant = Tenant::default();
            tenant.load(&reader, "t", &needed, room).await.unwrap();
            let columns = tenant.read();
            assert_eq!(columns.figures.len(), count);
            assert!(
                columns.has(&needed) && (count < 5 || columns.has(&BTreeSet::from([STAGE_COLUMN, standing::BOND])))
            );
            assert_eq!(columns.figures[&8], [8.0; 100]);
        }
        database.close().await;
    }

    #[test]
    fn what_does_not_fit_is_let_go_but_for_what_was_asked_for() {
        let standings = Standings::new(ROW_BYTES * 300);
        for (tenant, count) in [("small", 10), ("large", 250), ("new", 100)] {
            let history: History = (0..count).map(|number| (number, Some((1, 1)))).collect();
            *standings.tenants().entry(tenant.to_owned()).or_default().write() = columns(&history, 0);
        }
        standings.make_room("new");
        let mut left: Vec<String> = standings.tenants().keys().cloned().collect();
        left.sort();
        assert_eq!(left, ["new", "small"]);
    }
}
