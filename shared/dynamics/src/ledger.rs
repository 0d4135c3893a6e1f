//! The ledger: all that assessment needs to know of an account, in bounded space.
//!
//! Evidence fades: after each half-life it weighs half as much. The usual way to keep such sums
//! without touching old events is forward decay (Cormack, Shkapenyuk, Srivastava & Xu 2009,
//! "Forward decay"): weigh each event *up* by its time after a landmark when it is added, and the
//! whole sum *down* when it is read. In floating point, though, such sums depend on the order of
//! addition, and a correction leaves a residue. Here they are **integers**:
//!
//! - Time is cut into fixed buckets of 90 days, each its own landmark, so that weights grow
//!   within known bounds (2^13 at the shortest half-life).
//! - For each topic and bucket, an event adds `round(weight · 2^(offset / h) · 2^30)`, and the
//!   same with its value, for the slow and the fast half-life h. Rounding costs at most
//!   5e-10 of one usual event.
//! - Read at `now`, a bucket's sum S counts as `S · 2^(-(now − start) / h) / 2^30`; one that
//!   starts more than 64 half-lives ago counts for nothing.
//!
//! Integer addition is exact, commutative and has an inverse. So evidence in any order, added
//! twice and taken away once, or split over sources gives the identical ledger, bit for bit; a
//! correction takes away precisely what was added, without a rebuild. Entries that become zero
//! are removed, so ledgers of equal content are equal. Beside the sums stand the days with orders,
//! each with their number and what was spent: some 370 of them a year at most.
//!
//! A bucket cannot be cut at a time. To see an earlier day, fold a ledger from the evidence up to
//! that day.

use std::collections::BTreeMap;

use crate::activity::{Activity, OrderDay, OrderDays};
use crate::decay::{HalfLives, Micros, bucket_of};
use crate::evidence::{Evidence, Pending};
use crate::facts::{AccountFact, Facts, Interactions, Status, Worth};
use crate::signal::Topic;

/// The unit of the sums: 2^30 of them are a weight of 1.
pub(crate) const UNIT: f64 = (1_u64 << 30) as f64;

/// The sums of one account. Built by [`Ledger::fold`], kept current by [`Ledger::apply`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    pub(crate) half_lives: HalfLives,
    /// By topic and bucket, in order. A list, because it is read and written as a whole far more often than searched.
    pub(crate) sums: Vec<((Topic, i64), Sums)>,
    /// Open matters by source and place in its list.
    pub(crate) pending: BTreeMap<(String, u32), Pending>,
    /// The account's own sources; more than one after a merge.
    pub(crate) accounts: BTreeMap<String, AccountFact>,
    pub(crate) order_days: OrderDays,
    pub(crate) worth: Worth,
    pub(crate) interactions: Interactions,
}

impl Ledger {
    /// A ledger without any facts. The half-lives are the model's, and stay.
    pub fn new(half_lives: HalfLives) -> Ledger {
        Ledger {
            half_lives,
            sums: Vec::new(),
            pending: BTreeMap::new(),
            accounts: BTreeMap::new(),
            order_days: OrderDays::default(),
            worth: Worth::default(),
            interactions: Interactions::default(),
        }
    }

    /// The ledger of all these sources, in any order. Keys are unique among them.
    pub fn fold<'a>(half_lives: HalfLives, sources: impl IntoIterator<Item = (&'a str, &'a Facts)>) -> Ledger {
        let mut ledger = Ledger::new(half_lives);
        for (source_key, facts) in sources {
            ledger.add(source_key, facts);
        }
        ledger
    }

    /// Replaces what a source said (`old`, none when it is new) by what it says now (`new`, none
    /// when it is gone). `old` must be what was applied last for this source. The result equals
    /// the fold of all current facts.
    pub fn apply(&mut self, source_key: &str, old: Option<&Facts>, new: Option<&Facts>) {
        if let Some(facts) = old {
            self.remove(source_key, facts);
        }
        if let Some(facts) = new {
            self.add(source_key, facts);
        }
    }

    /// The half-lives the sums were made with. A model with others needs a ledger of its own.
    pub fn half_lives(&self) -> HalfLives {
        self.half_lives
    }

    /// How often and when the customer orders.
    pub fn activity(&self) -> Activity {
        self.order_days.summary()
    }

    /// The days on which the customer ordered, in order of time.
    pub fn order_days(&self) -> &[OrderDay] {
        self.order_days.all()
    }

    /// What the relationship brought so far.
    pub fn worth(&self) -> Worth {
        self.worth
    }

    /// How many contacts there were.
    pub fn interactions(&self) -> Interactions {
        self.interactions
    }

    /// Closed when every account source says so, at the latest of their times.
    pub fn status(&self) -> Status {
        let closed: Option<Vec<Micros>> = self.accounts.values().map(|account| account.closed_at).collect();
        match closed.and_then(|times| times.into_iter().max()) {
            Some(at) => Status::Closed { at },
            None => Status::Open,
        }
    }

    /// When the first of the account's sources was opened.
    pub fn opened_at(&self) -> Option<Micros> {
        self.accounts.values().map(|account| account.opened_at).min()
    }

    /// When the parties first were in contact, where that is known.
    pub fn first_contact_at(&self) -> Option<Micros> {
        self.accounts.values().filter_map(|account| account.first_contact_at).min()
    }

    /// What is still owed or open, with the key of its source.
    pub fn pending(&self) -> impl Iterator<Item = (&str, &Pending)> {
        self.pending.iter().map(|((source, _), pending)| (source.as_str(), pending))
    }

    /// True when no facts are left in it.
    pub fn is_empty(&self) -> bool {
        *self == Ledger::new(self.half_lives)
    }

    fn add(&mut self, source_key: &str, facts: &Facts) {
        for evidence in &facts.evidence {
            self.update(evidence, Sums::plus);
        }
        for (ordinal, pending) in (0_u32..).zip(&facts.pending) {
            self.pending.insert((source_key.to_owned(), ordinal), *pending);
        }
        if let Some(account) = facts.account {
            self.accounts.insert(source_key.to_owned(), account);
        }
        if let Some(order) = facts.order {
            self.order_days.add(order, facts.worth.spend);
        }
        self.worth = self.worth.plus(facts.worth);
        self.interactions = self.interactions.plus(facts.interactions);
    }

    fn remove(&mut self, source_key: &str, facts: &Facts) {
        for evidence in &facts.evidence {
            self.update(evidence, Sums::minus);
        }
        for (ordinal, _) in (0_u32..).zip(&facts.pending) {
            self.pending.remove(&(source_key.to_owned(), ordinal));
        }
        if facts.account.is_some() {
            self.accounts.remove(source_key);
        }
        if let Some(order) = facts.order {
            self.order_days.remove(order, facts.worth.spend);
        }
        self.worth = self.worth.minus(facts.worth);
        self.interactions = self.interactions.minus(facts.interactions);
    }

    fn update(&mut self, evidence: &Evidence, change: fn(Sums, Sums) -> Sums) {
        let key = (evidence.topic(), bucket_of(evidence.at()));
        let one = Sums::of(evidence, self.half_lives);
        match self.sums.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(place) => {
                let sums = change(self.sums[place].1, one);
                if sums == Sums::default() {
                    self.sums.remove(place);
                } else {
                    self.sums[place].1 = sums;
                }
            }
            Err(place) => {
                let sums = change(Sums::default(), one);
                if sums != Sums::default() {
                    self.sums.insert(place, (key, sums));
                }
            }
        }
    }
}

/// The sums of one topic in one bucket, in units of 2^-30. They wrap rather than panic, which
/// keeps taking away the exact inverse of adding; 128 bits are never filled in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// How many pieces of evidence.
    pub(crate) count: i64,
    pub(crate) slow_weight: i128,
    /// Weight times value.
    pub(crate) slow_value: i128,
    /// Weight times value squared, for the interval.
    pub(crate) slow_square: i128,
    pub(crate) fast_weight: i128,
    pub(crate) fast_value: i128,
}

impl Sums {
    /// What one piece of evidence adds. Rounding is monotone and symmetric, so |value| and
    /// square never exceed weight and a larger value never adds less.
    pub(crate) fn of(evidence: &Evidence, half_lives: HalfLives) -> Sums {
        let (weight, value) = (evidence.weight(), evidence.value());
        let grown = |growth: f64, amount: f64| (amount * growth * UNIT).round() as i128;
        let slow = half_lives.slow().growth(evidence.at());
        let fast = half_lives.fast().growth(evidence.at());
        Sums {
            count: 1,
            slow_weight: grown(slow, weight),
            slow_value: grown(slow, weight * value),
            slow_square: grown(slow, weight * value * value),
            fast_weight: grown(fast, weight),
            fast_value: grown(fast, weight * value),
        }
    }

    fn plus(self, other: Sums) -> Sums {
        Sums {
            count: self.count.wrapping_add(other.count),
            slow_weight: self.slow_weight.wrapping_add(other.slow_weight),
            slow_value: self.slow_value.wrapping_add(other.slow_value),
            slow_square: self.slow_square.wrapping_add(other.slow_square),
            fast_weight: self.fast_weight.wrapping_add(other.fast_weight),
            fast_value: self.fast_value.wrapping_add(other.fast_value),
        }
    }

    fn minus(self, other: Sums) -> Sums {
        Sums {
            count: self.count.wrapping_sub(other.count),
            slow_weight: self.slow_weight.wrapping_sub(other.slow_weight),
            slow_value: self.slow_value.wrapping_sub(other.slow_value),
            slow_square: self.slow_square.wrapping_sub(other.slow_square),
            fast_weight: self.fast_weight.wrapping_sub(other.fast_weight),
            fast_value: self.fast_value.wrapping_sub(other.fast_value),
        }
    }
}
