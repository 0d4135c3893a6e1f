//! Movements: what moved in an account's standing, how far, and why; and how that is kept.
//!
//! A movement is kept in the transaction that moves the standing, so that none is lost and none is told that did not
//! happen. Movements of an account form a chain: each begins where the one before it ended, and names it. What is too
//! small to be a movement is not kept, but counted: it is part of the next one.

use std::collections::HashMap;

use contracts::{assessments::v1 as wire, common::v1::Party};
use dynamics::{Assessment, Facts, Ledger, Model, assess};
use prost::Message;
use store::Error;

use crate::{
    standing,
    tables::AccountKey,
    wire::{party, stage},
};

/// Figures are kept in ten-thousandths: of a point, or of what else they count. Small and exact, so that the movements of
/// an account add up.
const PARTS: f64 = 10_000.0;
/// The least movement, in points.
pub(crate) const LEAST_MOVEMENT: f64 = 0.1;
/// How many movements a row of the log holds at most.
pub(crate) const MOVEMENTS_PER_ROW: usize = 1 << INDEX_BITS;
const INDEX_BITS: u32 = 6;
/// How many sources are remembered of what was too small to be a movement; the latest.
const SOURCES_WHILE_STILL: usize = 16;
/// How many sources a movement names.
pub(crate) const SOURCES_PER_MOVEMENT: usize = 100;
/// A standing that is older than this, in microseconds, may have moved with the time too.
const FRESH: i64 = 60 * 60 * 1_000_000;

/// The number of a movement: the position of its row in the log, and its index there. Later movements have larger
/// numbers; not all numbers are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(pub(crate) i64);

/// Where an account stood.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct State {
    #[prost(enumeration = "wire::Stage", tag = "1")]
    pub(crate) stage: i32,
    #[prost(enumeration = "Party", tag = "2")]
    pub(crate) exposed: i32,
    /// In the order of [`standing::names`], in parts.
    #[prost(sint32, repeated, tag = "3")]
    figures: Vec<i32>,
    /// What it was made with: see [`Model::made_with`].
    #[prost(string, tag = "4")]
    pub(crate) model: String,
}

/// Why an account may have moved.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Why {
    causes: Causes,
    /// The sources whose changes it may be, each once.
    sources: Vec<String>,
}

/// A set of [`wire::Cause`]s, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Causes(u32);

/// A movement as it is kept.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Movement {
    #[prost(string, tag = "1")]
    pub(crate) tenant: String,
    #[prost(string, tag = "2")]
    pub(crate) account: String,
    /// The number of the account's movement before this one; 0 if this is the first.
    #[prost(int64, tag = "3")]
    previous: i64,
    #[prost(message, required, tag = "4")]
    pub(crate) before: State,
    #[prost(message, required, tag = "5")]
    pub(crate) after: State,
    #[prost(uint32, tag = "6")]
    causes: u32,
    /// Those of the account itself without `accounts/{account}`.
    #[prost(string, repeated, tag = "7")]
    sources: Vec<String>,
}

/// The movements in one row of the log.
#[derive(Clone, PartialEq, Message)]
struct Row {
    #[prost(message, repeated, tag = "1")]
    movements: Vec<Movement>,
}

/// What is kept with a standing, to tell the next movement: where the account stood when the last one was kept, and why it
/// may have moved since.
#[derive(Clone, PartialEq, Message)]
struct Last {
    #[prost(message, required, tag = "1")]
    state: State,
    /// The number of that movement; 0 if there was none yet.
    #[prost(int64, tag = "2")]
    number: i64,
    #[prost(uint32, tag = "3")]
    causes: u32,
    #[prost(string, repeated, tag = "4")]
    sources: Vec<String>,
}

/// What was kept with the standing that a new one replaces.
pub(crate) struct Stood {
    pub(crate) assessed_at: i64,
    pub(crate) last_movement: Option<Vec<u8>>,
}

/// The movements of one transaction in the making, and what is kept with each standing.
#[derive(Default)]
pub(crate) struct Movements {
    movements: Vec<Movement>,
    /// What is kept with each standing, and which of the movements it has made.
    lasts: Vec<(Last, Option<usize>)>,
    /// Where an account stands of which nothing is known, by tenant and model.
    priors: HashMap<(String, String), State>,
}

impl Number {
    /// Larger than any.
    pub(crate) const LAST: Self = Self(i64::MAX >> 1);

    /// The end of a row of the log.
    pub(crate) fn end_of_row(position: i64) -> Self {
        Self::in_row(position, MOVEMENTS_PER_ROW - 1)
    }

    /// The movement with this index in the row at this position.
    pub(crate) fn in_row(position: i64, index: usize) -> Self {
        Self((position << INDEX_BITS) | index as i64)
    }

    /// The position of the row that it is in.
    pub(crate) fn row(self) -> i64 {
        self.0 >> INDEX_BITS
    }

    /// The position of the row with the next movement after it.
    pub(crate) fn next_row(self) -> i64 {
        Self(self.0 + 1).row()
    }
}

impl State {
    /// What an assessment says.
    pub(crate) fn of(assessment: &Assessment, model: &Model) -> Self {
        let in_parts = |figure: f64| (figure * PARTS).round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32;
        Self {
            stage: stage(assessment.relationship.stage).into(),
            exposed: assessment.relationship.exposed.map_or(Party::Unspecified, party).into(),
            figures: standing::figures(assessment).into_iter().map(in_parts).collect(),
            model: model.made_with(),
        }
    }

    /// A figure by its place among [`standing::names`].
    pub(crate) fn figure(&self, place: usize) -> f64 {
        self.figures.get(place).map_or(0.0, |parts| f64::from(*parts) / PARTS)
    }

    /// How far a figure is from what it is in another state, in points and exact.
    pub(crate) fn distance(&self, other: &Self, place: usize) -> f64 {
        let parts = |state: &Self| state.figures.get(place).copied().map_or(0, i64::from);
        (parts(self) - parts(other)).abs() as f64 / PARTS
    }

    /// Whether it is really another than this one: the bond or a facet by at least so many points, the stage, or the
    /// party that is exposed.
    pub(crate) fn is_moved_from(&self, before: &Self, threshold: f64) -> bool {
        self.stage != before.stage
            || self.exposed != before.exposed
            || standing::scores().any(|place| self.distance(before, place) >= threshold)
    }
}

impl Why {
    /// For this reason and no source.
    pub(crate) fn because_of(cause: wire::Cause) -> Self {
        Self { causes: Causes::default().with(cause), sources: Vec::new() }
    }

    /// Adds that a source says this in place of that. A change that says nothing new of the relationship is no reason.
    pub(crate) fn source_changed(&mut self, source: &str, old: &Facts, new: &Facts) {
        if old == new {
            return;
        }
        let is_unsaid = || old.evidence.iter().any(|evidence| !new.evidence.contains(evidence));
        let cause = match () {
            () if new.is_empty() => wire::Cause::Withdrawn,
            // What was owed and is now done has happened, though it is owed no more.
            () if is_unsaid() => wire::Cause::Corrected,
            () => wire::Cause::New,
        };
        self.causes = self.causes.with(cause);
        self.add_source(source);
    }

    /// Adds that an account was merged into this one.
    pub(crate) fn account_merged(&mut self, account: &str) {
        self.causes = self.causes.with(wire::Cause::New);
        self.add_source(&methods::account_name(account));
    }

    /// Adds the reasons of another.
    pub(crate) fn add(&mut self, other: Self) {
        self.causes = Causes(self.causes.0 | other.causes.0);
        for source in other.sources {
            self.add_source(&source);
        }
    }

    /// The causes, in the order of the contract.
    pub(crate) fn causes(&self) -> Vec<wire::Cause> {
        self.causes.list()
    }

    /// The sources, in the order in which they changed, up to [`SOURCES_PER_MOVEMENT`].
    pub(crate) fn sources(&self) -> &[String] {
        &self.sources
    }

    fn add_source(&mut self, source: &str) {
        if self.sources.len() < SOURCES_PER_MOVEMENT && !self.sources.iter().any(|known| known == source) {
            self.sources.push(source.to_owned());
        }
    }
}

impl Causes {
    fn with(self, cause: wire::Cause) -> Self {
        Self(self.0 | 1 << i32::from(cause))
    }

    fn list(self) -> Vec<wire::Cause> {
        let known = (1..32).filter(|bit| self.0 & (1 << bit) != 0);
        known.filter_map(|bit| wire::Cause::try_from(bit).ok()).collect()
    }
}

impl Movement {
    /// The account's movement before this one, if there is one.
    pub(crate) fn previous(&self) -> Option<Number> {
        (self.previous != 0).then_some(Number(self.previous))
    }

    /// Why it moved.
    pub(crate) fn why(&self) -> Why {
        let own = methods::account_name(&self.account);
        let name = |source: &String| {
            if source.is_empty() || source.starts_with('/') { format!("{own}{source}") } else { source.clone() }
        };
        Why { causes: Causes(self.causes), sources: self.sources.iter().map(name).collect() }
    }
}

/// Reads a row of the log: its movements with their numbers.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn decode(position: i64, document: &[u8]) -> Result<Vec<(Number, Movement)>, Error> {
    let row = Row::decode(document).map_err(|error| Error::Damaged(format!("movements at {position}: {error}")))?;
    let numbered = row.movements.into_iter().enumerate();
    Ok(numbered.map(|(index, movement)| (Number::in_row(position, index), movement)).collect())
}

impl Movements {
    /// Takes in what an account's new standing says, in place of what stood. It has to be called for each standing in the
    /// order in which they are kept.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn stand(
        &mut self,
        (tenant, account): &AccountKey,
        stood: Option<Stood>,
        assessment: &Assessment,
        model: &Model,
        mut why: Why,
    ) -> Result<(), Error> {
        let state = State::of(assessment, model);
        let assessed_at = stood.as_ref().map_or(assessment.now, |stood| stood.assessed_at);
        let last = match stood {
            None => Some(Last { state: self.prior(tenant, model, assessment.now), ..Last::default() }),
            Some(Stood { last_movement: Some(document), .. }) => Some(
                Last::decode(document.as_slice())
                    .map_err(|error| Error::Damaged(format!("the standing of `{account}`: {error}")))?,
            ),
            Some(Stood { last_movement: None, .. }) => None,
        };
        // How it stood before there was a log is not known: it is told of from here on.
        let Some(mut last) = last else {
            self.lasts.push((Last { state, ..Last::default() }, None));
            return Ok(());
        };
        // What moves nothing at all is no reason for what moves later.
        if state == last.state {
            self.lasts.push((last, None));
            return Ok(());
        }
        if last.state.model != state.model {
            why.causes = why.causes.with(wire::Cause::Model);
        }
        if assessment.now.saturating_sub(assessed_at) > FRESH || why.causes == Causes::default() {
            why.causes = why.causes.with(wire::Cause::Time);
        }
        let mut all = Why { causes: Causes(last.causes), sources: std::mem::take(&mut last.sources) };
        all.add(why);
        if !state.is_moved_from(&last.state, LEAST_MOVEMENT) {
            all.sources.drain(..all.sources.len().saturating_sub(SOURCES_WHILE_STILL));
            (last.causes, last.sources) = (all.causes.0, all.sources);
            self.lasts.push((last, None));
            return Ok(());
        }
        let before = std::mem::replace(&mut last.state, state.clone());
        let movement = Movement {
            tenant: tenant.clone(),
            account: account.clone(),
            previous: last.number,
            before,
            after: state,
            causes: all.causes.0,
            sources: all.sources.into_iter().map(|source| shortened(source, account)).collect(),
        };
        last.causes = 0;
        self.lasts.push((last, Some(self.movements.len())));
        self.movements.push(movement);
        Ok(())
    }

    /// How many rows of the log they take.
    pub(crate) fn row_count(&self) -> usize {
        self.movements.len().div_ceil(MOVEMENTS_PER_ROW)
    }

    /// How many movements there are.
    pub(crate) fn len(&self) -> usize {
        self.movements.len()
    }

    /// The documents of the log's next rows, and what is kept with each standing, once it is known after which row they
    /// come.
    pub(crate) fn finish(self, after_row: i64) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let mut rows = Vec::with_capacity(self.row_count());
        let number = |index: usize| {
            Number::in_row(after_row + 1 + (index / MOVEMENTS_PER_ROW) as i64, index % MOVEMENTS_PER_ROW)
        };
        let lasts = self.lasts.into_iter().map(|(last, movement)| {
            let number = movement.map_or(last.number, |index| number(index).0);
            Last { number, ..last }.encode_to_vec()
        });
        let lasts = lasts.collect();
        let mut movements = self.movements.into_iter().peekable();
        while movements.peek().is_some() {
            let row = Row { movements: movements.by_ref().take(MOVEMENTS_PER_ROW).collect() };
            rows.push(row.encode_to_vec());
        }
        (rows, lasts)
    }

    /// Where an account stands of which nothing is known.
    fn prior(&mut self, tenant: &str, model: &Model, now: i64) -> State {
        let prior = self.priors.entry((tenant.to_owned(), model.made_with()));
        prior.or_insert_with(|| State::of(&assess(&Ledger::new(model.half_lives()), model, now), model)).clone()
    }
}

fn shortened(source: String, account: &str) -> String {
    let rest = source.strip_prefix("accounts/").and_then(|rest| rest.strip_prefix(account));
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.to_owned(),
        _ => source,
    }
}
