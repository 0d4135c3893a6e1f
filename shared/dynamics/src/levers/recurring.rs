//! What comes again and again, and could go as it did at its best.

use std::collections::BTreeSet;

use super::{Finding, Plan, QUARTER, of_signal};
use crate::decay::Micros;
use crate::facts::Facts;
use crate::signal::Signal;

/// Quarters that are looked at for the best one: a year.
const QUARTERS: i64 = 4;
/// Quarters whose lapses would be put right: half a year, about as long as evidence counts most.
const RECENT: i64 = 2;
/// So many facts make a quarter's mean one to hold others to.
const LEAST_OF_QUARTER: usize = 3;
/// By so much the best quarter must be better than the recent ones to be an aim.
const CLEARLY: f64 = 0.1;
/// One lapse may be chance; so many sources with lapses are a habit.
const LEAST_LAPSES: usize = 2;

/// What a lever aims at for one signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// The signal.
    pub signal: Signal,
    /// Its mean in the last half-year.
    pub now: f64,
    /// The value that lapses are supposed to have had instead.
    pub value: f64,
    /// The start and the end of the quarter that had this mean; none when the aim is half the way
    /// from the half-year's mean to the best there is, as no quarter was clearly better.
    pub quarter: Option<(Micros, Micros)>,
}

impl Aim {
    /// No more than this is aimed at: nobody is perfect for a quarter.
    pub const MOST: f64 = 0.9;
}

/// A habit of the provider's.
pub(super) struct Habit {
    signals: &'static [Signal],
}

pub(super) const DELIVERIES: Habit = Habit { signals: &[Signal::DeliveryPromise, Signal::DeliveryOnTime] };

pub(super) const ANSWERS: Habit = Habit { signals: &[Signal::ProviderResponseTime, Signal::Resolution] };

pub(super) const CORRECTIONS: Habit =
    Habit { signals: &[Signal::PlacingAttempts, Signal::PlacingCorrections, Signal::OrderCorrections] };

/// Supposes each lapse to have been as at the best; what is open, and is one as well, is left out
/// without a word in its place. The latest come first, as many as a change can say.
pub(super) fn plan(habit: &Habit, sources: &[(&str, &Facts)], now: Micros) -> Option<Plan> {
    let mut plan = Plan::of(Finding::Habit { lapses: 0, open: 0, was_better: false });
    let mut lapses: Vec<Lapse> = Vec::new();
    for signal in habit.signals {
        let aim = aim(sources, *signal, now);
        let found = lapsed(sources, *signal, aim.map(|aim| aim.value), now);
        if found.iter().any(|lapse| lapse.is_slow) {
            plan.aims.extend(aim);
        }
        lapses.extend(found);
    }
    lapses.sort_by(|one, other| other.at.cmp(&one.at).then((one.key, one.signal).cmp(&(other.key, other.signal))));
    let (mut slow, mut open) = (BTreeSet::new(), BTreeSet::new());
    for lapse in &lapses {
        if !plan.change.has_room(lapse.said.len()) {
            break;
        }
        plan.change.leave_out(lapse.key, lapse.signal);
        for (at, value, weight) in &lapse.said {
            plan.change.say(lapse.signal, *at, *value, *weight);
        }
        let named = if lapse.is_open { &mut open } else { &mut slow };
        named.insert(lapse.key);
    }
    slow.retain(|key| !open.contains(key));
    if open.is_empty() && slow.len() < LEAST_LAPSES {
        return None;
    }
    plan.evidence = open.union(&slow).map(|key| (*key).to_owned()).collect();
    let was_better = plan.aims.iter().any(|aim| aim.quarter.is_some());
    plan.finding = Finding::Habit { lapses: slow.len(), open: open.len(), was_better };
    Some(plan)
}

/// What one source says of a signal, with its lapses put right.
struct Lapse<'a> {
    key: &'a str,
    signal: Signal,
    /// Something was said of it that is a lapse.
    is_slow: bool,
    /// Something is owed, and due.
    is_open: bool,
    /// When the latest of these was.
    at: Micros,
    /// Time, value and weight of what it is then supposed to say.
    said: Vec<(Micros, f64, f64)>,
}

fn lapsed<'a>(sources: &[(&'a str, &'a Facts)], signal: Signal, aim: Option<f64>, now: Micros) -> Vec<Lapse<'a>> {
    let recent = |at| quarter_of(at, now).is_some_and(|quarter| quarter < RECENT);
    let mut lapses = Vec::new();
    for (key, facts) in sources {
        let owed = || facts.pending.iter().filter(|owed| owed.topic() == signal);
        let due = owed().filter(|owed| owed.value() < 0.0 && owed.since() < now).map(|owed| owed.since()).max();
        let (mut slow, mut said) = (None, Vec::new());
        for evidence in of_signal(facts, signal) {
            let better = aim.filter(|aim| evidence.value() < aim.min(0.0) && recent(evidence.at()));
            if better.is_some() {
                slow = slow.max(Some(evidence.at()));
            }
            said.push((evidence.at(), better.unwrap_or(evidence.value()), evidence.weight()));
        }
        // What is ahead of now cannot be supposed, nor what is owed and not due yet.
        let ahead = said.iter().any(|(at, ..)| *at > now) || owed().any(|owed| owed.since() >= now);
        if let Some(at) = slow.max(due).filter(|_| !ahead) {
            lapses.push(Lapse { key, signal, is_slow: slow.is_some(), is_open: due.is_some(), at, said });
        }
    }
    lapses
}

/// What to aim at; none where the last half-year says nothing of the signal.
fn aim(sources: &[(&str, &Facts)], signal: Signal, now: Micros) -> Option<Aim> {
    let mut quarters = [Mean::default(); QUARTERS as usize];
    for (_, facts) in sources {
        for evidence in of_signal(facts, signal) {
            if let Some(quarter) = quarter_of(evidence.at(), now) {
                quarters[quarter as usize].add(evidence.value(), evidence.weight());
            }
        }
    }
    let mut recent = Mean::default();
    quarters[..RECENT as usize].iter().for_each(|quarter| recent.join(quarter));
    let mean = recent.value()?;
    let better = |best: Option<(usize, f64)>, (quarter, of_quarter): (usize, &Mean)| {
        let value = of_quarter.value().filter(|_| of_quarter.count >= LEAST_OF_QUARTER);
        match (best, value) {
            (Some((_, best_value)), Some(value)) if value > best_value => Some((quarter, value)),
            (None, Some(value)) => Some((quarter, value)),
            _ => best,
        }
    };
    let best = quarters.iter().enumerate().fold(None, better).filter(|(_, value)| *value >= mean + CLEARLY);
    let (value, quarter) = match best {
        Some((quarter, value)) => {
            let end = now.saturating_sub(QUARTER * quarter as i64);
            (value, Some((end.saturating_sub(QUARTER), end)))
        }
        None => ((mean + 1.0) / 2.0, None),
    };
    Some(Aim { signal, now: mean, value: value.min(Aim::MOST), quarter })
}

/// How many quarters before now, of the last year; none outside.
fn quarter_of(at: Micros, now: Micros) -> Option<i64> {
    let age = now.checked_sub(at).filter(|age| *age >= 0)?;
    Some(age / QUARTER).filter(|quarter| *quarter < QUARTERS)
}

/// A weighted mean. Sums of integers, so that no order of the sources shows in the last bits.
#[derive(Clone, Copy, Default)]
struct Mean {
    count: usize,
    weight: i128,
    value: i128,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        const UNIT: f64 = (1_u64 << 30) as f64;
        self.count += 1;
        self.weight += (weight * UNIT).round() as i128;
        self.value += (weight * value * UNIT).round() as i128;
    }

    fn join(&mut self, other: &Mean) {
        self.count += other.count;
        self.weight += other.weight;
        self.value += other.value;
    }

    fn value(&self) -> Option<f64> {
        (self.weight > 0).then(|| (self.value as f64 / self.weight as f64).clamp(-1.0, 1.0))
    }
}
