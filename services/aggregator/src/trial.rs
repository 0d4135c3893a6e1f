//! TryModel: what a model would change across the portfolio.

use std::{cmp::Ordering, sync::Arc};

use contracts::{assessments::v1::*, common::v1::ErrorReason};
use dynamics::{Assessment, Ledger, Model, Stage as Reached, assess};
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use methods::{Call, Violations, account_name, from_micros, store_fault};
use runtime::Fault;
use store::Error;
use tonic::{Request, Response, Status};

use crate::{
    apply::decode_ledger,
    models::read_document,
    picture::{Gallery, Moment, fold_facts, told},
    service::Service,
    simulate::MODELS,
    store::LedgerRow,
    wire,
};

/// How many accounts are assessed before progress is told.
const ACCOUNTS_PER_MESSAGE: i64 = 1_000;
/// How many are assessed at a stretch, and so how many accounts' sources are held at once. Between stretches the trial
/// makes room for other calls, and ends if nobody waits for it any more.
const ACCOUNTS_AT_ONCE: usize = 64;
/// The ends of the bins of movements, in points. The middle one holds those that hardly move.
const BIN_ENDS: [f64; 18] =
    [-100.0, -50.0, -20.0, -10.0, -5.0, -2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
/// How many movements are named unless the caller says how many.
const MOVEMENTS_NAMED: i32 = 20;

impl Service {
    pub(crate) async fn tried(
        &self,
        request: Request<TryModelRequest>,
    ) -> Result<Response<BoxStream<'static, Result<TryModelResponse, Status>>>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = Moment::read(ask.as_of.as_ref(), None, &mut violations);
        if let Some(segment) = &ask.segment {
            violations.text("segment", segment, 0, 64);
        }
        violations.integer("movement_count", ask.movement_count.into(), 0, 1_000);
        violations.reference("name", &ask.name, MODELS);
        let mut document = None;
        match (ask.name.is_empty(), ask.document.is_empty()) {
            (true, true) => violations.add("name", "is required, or else `document`"),
            (false, false) => violations.add("document", "must be empty where `name` says which model"),
            (false, true) => {}
            (true, false) => {
                document = read_document("document", &ask.document, &mut violations);
                if document.is_none() {
                    return Err(violations.fault(ErrorReason::ModelInvalid).into());
                }
            }
        }
        violations.finish()?;

        let tenant = call.tenant.as_str();
        let tried = match document {
            Some(model) => self.gallery.models.measuring(tenant, model),
            None => self.gallery.model(tenant, &ask.name)?,
        };
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let trial = Trial::begin(self.gallery.clone(), tenant, ask.segment, tried, moment).await?;
        let named = if ask.movement_count == 0 { MOVEMENTS_NAMED } else { ask.movement_count };
        let answers = trial.naming(named as usize).answers();
        Ok(Response::new(answers.map(|answer| answer.map_err(Status::from)).boxed()))
    }
}

/// A trial on its way. What it holds does not grow with the portfolio.
pub(crate) struct Trial {
    gallery: Gallery,
    tenant: String,
    /// Only accounts of this segment.
    segment: Option<String>,
    tried: Arc<Model>,
    moment: Moment,
    /// The time at which every account is assessed.
    now: i64,
    /// How many accounts there were as it began.
    total: i64,
    /// The account that was reached last.
    after: String,
    tally: Tally,
    /// How many accounts are assessed before progress is told.
    pub(crate) accounts_per_message: i64,
}

impl Trial {
    /// Begins to try a model on the accounts of a tenant, or of one segment of it.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn begin(
        gallery: Gallery,
        tenant: &str,
        segment: Option<String>,
        tried: Arc<Model>,
        moment: Moment,
    ) -> Result<Self, Fault> {
        let total = gallery.reader.portfolio_count(tenant, segment.as_deref()).await.map_err(store_fault)?;
        Ok(Self {
            now: moment.as_of.unwrap_or_else(|| gallery.clock.now()),
            moment,
            gallery,
            tenant: tenant.to_owned(),
            segment,
            tried,
            total,
            after: String::new(),
            tally: Tally::new(MOVEMENTS_NAMED as usize),
            accounts_per_message: ACCOUNTS_PER_MESSAGE,
        })
    }

    /// How many of the accounts that move most are to be named.
    pub(crate) fn naming(self, named: usize) -> Self {
        Self { tally: Tally::new(named), ..self }
    }

    /// Assesses all accounts, as far as the answers are asked for: a trial that nobody waits for any more does nothing.
    pub(crate) fn answers(self) -> impl Stream<Item = Result<TryModelResponse, Fault>> + Send + 'static {
        stream::unfold(Some(self), |trial| async {
            let mut trial = trial?;
            match trial.next().await {
                Ok((answer, true)) => Some((Ok(answer), None)),
                Ok((answer, false)) => Some((Ok(answer), Some(trial))),
                Err(error) => Some((Err(store_fault(error)), None)),
            }
        })
    }

    /// Assesses a page of accounts. Returns what to tell, and whether that was the last page.
    async fn next(&mut self) -> Result<(TryModelResponse, bool), Error> {
        let (tenant, segment) = (self.tenant.as_str(), self.segment.as_deref());
        let reader = &self.gallery.reader;
        let page = reader.portfolio_page(tenant, segment, &self.after, self.accounts_per_message).await?;
        for set in page.chunks(ACCOUNTS_AT_ONCE) {
            self.assess(set).await?;
            tokio::task::yield_now().await;
        }
        if let Some(last) = page.last() {
            self.after.clone_from(&last.account);
        }
        if page.len() as i64 == self.accounts_per_message {
            let assessed_count = self.tally.assessed;
            // Accounts may have come since they were counted.
            let total_count = self.total.max(assessed_count);
            return Ok((TryModelResponse { assessed_count, total_count, ..TryModelResponse::default() }, false));
        }
        Ok((TryModelResponse { assess_time: Some(from_micros(self.now)), ..self.tally.result() }, true))
    }

    /// Assesses accounts with both models.
    async fn assess(&mut self, rows: &[LedgerRow]) -> Result<(), Error> {
        let mut others = Vec::new();
        for row in rows {
            let chosen = self.gallery.models.of(&self.tenant, &row.segment);
            let ledger = decode_ledger(row)?;
            // A ledger may still be of the half-lives of a model that was chosen before.
            let fits = [&chosen, &self.tried].iter().all(|model| model.half_lives() == ledger.half_lives());
            if fits && self.moment.is_now() {
                self.compare(&row.account, (&ledger, &chosen), &ledger);
            } else {
                others.push((row.account.as_str(), chosen));
            }
        }
        let accounts: Vec<&str> = others.iter().map(|(account, _)| *account).collect();
        let sources = self.gallery.reader.sources_of(&self.tenant, &accounts).await?;
        for (account, chosen) in &others {
            let facts = sources.get(*account).map_or(Ok(Vec::new()), |rows| told(rows, self.moment))?;
            // Nothing was known of it then, or nothing is left of it by now.
            if facts.is_empty() {
                continue;
            }
            let (before, after) = (fold_facts(chosen, &facts), fold_facts(&self.tried, &facts));
            self.compare(account, (&before, chosen), &after);
        }
        Ok(())
    }

    fn compare(&mut self, account: &str, (before, chosen): (&Ledger, &Model), after: &Ledger) {
        let (before, after) = (assess(before, chosen, self.now), assess(after, &self.tried, self.now));
        self.tally.add(account, &before, &after);
    }
}

/// What has been found so far.
#[derive(Debug)]
struct Tally {
    assessed: i64,
    bins: [i64; BIN_ENDS.len() - 1],
    /// The sum of all movements.
    moved: f64,
    /// The sum of their sizes.
    moved_absolutely: f64,
    stage_changes: i64,
    /// In the order of [`Reached::ALL`].
    stages_before: [i64; Reached::ALL.len()],
    stages_after: [i64; Reached::ALL.len()],
    /// At least the largest movements, at most twice as many as are to be named.
    top: Vec<Movement>,
    named: usize,
}

impl Tally {
    fn new(named: usize) -> Self {
        Self {
            assessed: 0,
            bins: [0; BIN_ENDS.len() - 1],
            moved: 0.0,
            moved_absolutely: 0.0,
            stage_changes: 0,
            stages_before: [0; Reached::ALL.len()],
            stages_after: [0; Reached::ALL.len()],
            top: Vec::new(),
            named,
        }
    }

    fn add(&mut self, account: &str, before: &Assessment, after: &Assessment) {
        let (before, after) = (&before.relationship, &after.relationship);
        let moved = after.bond - before.bond;
        self.assessed += 1;
        self.bins[bin_of(moved)] += 1;
        self.moved += moved;
        self.moved_absolutely += moved.abs();
        self.stages_before[place_of(before.stage)] += 1;
        self.stages_after[place_of(after.stage)] += 1;
        self.stage_changes += i64::from(before.stage != after.stage);
        if moved != 0.0 || before.stage != after.stage {
            self.top.push(Movement {
                account: account_name(account),
                bond_before: before.bond,
                bond_after: after.bond,
                stage_before: wire::stage(before.stage).into(),
                stage_after: wire::stage(after.stage).into(),
            });
            if self.top.len() >= 2 * self.named {
                self.cut();
            }
        }
    }

    /// Leaves only the movements that are to be named.
    fn cut(&mut self) {
        self.top.sort_by(by_size);
        self.top.truncate(self.named);
    }

    fn result(&mut self) -> TryModelResponse {
        self.cut();
        let mean = |sum: f64| if self.assessed == 0 { 0.0 } else { sum / self.assessed as f64 };
        let bins = BIN_ENDS.windows(2).zip(self.bins);
        let stages = |counts: [i64; Reached::ALL.len()]| {
            let counted = Reached::ALL.into_iter().zip(counts);
            counted
                .map(|(stage, account_count)| StageCount { stage: wire::stage(stage).into(), account_count })
                .collect()
        };
        TryModelResponse {
            assessed_count: self.assessed,
            total_count: self.assessed,
            movements: bins.map(|(ends, account_count)| Bin { low: ends[0], high: ends[1], account_count }).collect(),
            mean_movement: mean(self.moved),
            mean_absolute_movement: mean(self.moved_absolutely),
            stage_change_count: self.stage_changes,
            stages_before: stages(self.stages_before),
            stages_after: stages(self.stages_after),
            top_movements: std::mem::take(&mut self.top),
            assess_time: None,
        }
    }
}

/// Largest first; equal ones by account, so that the order never depends on the order of reading.
fn by_size(one: &Movement, other: &Movement) -> Ordering {
    let size = |movement: &Movement| (movement.bond_after - movement.bond_before).abs();
    size(other).total_cmp(&size(one)).then_with(|| one.account.cmp(&other.account))
}

/// The bin of a movement. Both ends of the scale are within.
fn bin_of(moved: f64) -> usize {
    let inner = &BIN_ENDS[1..BIN_ENDS.len() - 1];
    inner.partition_point(|end| *end <= moved)
}

fn place_of(stage: Reached) -> usize {
    Reached::ALL.iter().position(|other| *other == stage).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_has_its_bin_and_the_bins_mirror_each_other() {
        for (low, high) in BIN_ENDS.iter().zip(BIN_ENDS.iter().rev()) {
            assert_eq!(*low, -high);
        }
        for (index, ends) in BIN_ENDS.windows(2).enumerate() {
            assert!(ends[0] < ends[1]);
            assert_eq!(bin_of(ends[0]), index, "the lower end is included");
            assert_eq!(bin_of((ends[0] + ends[1]) / 2.0), index);
        }
        assert_eq!((bin_of(0.0), bin_of(100.0), bin_of(-100.5)), (8, 16, 0));
    }

    #[test]
    fn of_many_movements_only_the_largest_are_held() {
        let model = Model::default();
        let ledger = Ledger::new(model.half_lives());
        let with_bond = |bond: f64| {
            let mut assessment = assess(&ledger, &model, 0);
            assessment.relationship.bond = bond;
            assessment
        };
        let mut tally = Tally::new(3);
        for index in 0..1_000_u32 {
            // Each size four times, up and down, in no order.
            let moved = f64::from(index * 7 % 250) / 10.0 * if index % 2 == 0 { 1.0 } else { -1.0 };
            tally.add(&format!("a{index:03}"), &with_bond(50.0), &with_bond(50.0 + moved));
            assert!(tally.top.len() <= 6);
        }
        let result = tally.result();
        let sizes: Vec<f64> = result.top_movements.iter().map(|top| (top.bond_after - 50.0).abs()).collect();
        assert_eq!(sizes, [24.9; 3]);
        let accounts: Vec<&str> = result.top_movements.iter().map(|top| top.account.as_str()).collect();
        assert!(accounts.is_sorted(), "{accounts:?}");
        assert_eq!(result.movements.iter().map(|bin| bin.account_count).sum::<i64>(), 1_000);
    }
}
