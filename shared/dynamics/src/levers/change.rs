//! A change of what is known, to see what the assessment would be.

use std::collections::BTreeMap;

use crate::decay::Micros;
use crate::evidence::Evidence;
use crate::facts::Facts;
use crate::ledger::Ledger;
use crate::signal::{Signal, Topic};

/// What is supposed: first what is left out, then what is said in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// What is left out, in order of source and signal, each once; at most [`Change::MOST_WITHOUT`].
    pub without: Vec<Without>,
    /// What is said, at most [`Change::MOST`].
    pub suppositions: Vec<Supposition>,
}

/// All that a source says of a signal, past and open, is left out; what it says of others stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Without {
    /// The key of the source.
    pub source: String,
    /// The signal.
    pub signal: Signal,
}

/// Something that is supposed to have happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Supposition {
    /// What it is about.
    pub signal: Signal,
    /// What it says, -1 to 1.
    pub value: f64,
    /// How much it counts, above 0, up to 16.
    pub weight: f64,
    /// When it happened.
    pub at: Micros,
    /// How many times, at least 1, at most [`Supposition::MOST_COUNT`].
    pub count: u32,
}

impl Supposition {
    /// The most times of one supposition; what comes more often is another one.
    pub const MOST_COUNT: u32 = 1_000;
}

impl Change {
    /// The most suppositions of a change.
    pub const MOST: usize = 100;
    /// The most that a change leaves out.
    pub const MOST_WITHOUT: usize = 1_000;

    /// The sources as they would be: what is left out is left out, and each supposition is a source
    /// of its own at the end, `suppositions/1` and so on, its evidence repeated as often as it counts.
    pub fn apply(&self, sources: &[(String, Facts)]) -> Vec<(String, Facts)> {
        let left_out = self.by_source();
        let mut changed: Vec<(String, Facts)> = sources
            .iter()
            .map(|(key, facts)| match left_out.get(key.as_str()) {
                Some(signals) => (key.clone(), without(facts, signals)),
                None => (key.clone(), facts.clone()),
            })
            .collect();
        changed.extend(self.said());
        changed
    }

    /// The ledger of the changed sources, from that of the sources.
    pub(super) fn applied(&self, ledger: &Ledger, sources: &[(&str, &Facts)]) -> Ledger {
        let left_out = self.by_source();
        let mut ledger = ledger.clone();
        for (key, facts) in sources {
            if let Some(signals) = left_out.get(key) {
                ledger.apply(key, Some(facts), Some(&without(facts, signals)));
            }
        }
        for (key, facts) in self.said() {
            ledger.apply(&key, None, Some(&facts));
        }
        ledger
    }

    /// Whether there is room to leave out one more and to say so many things.
    pub(super) fn has_room(&self, said: usize) -> bool {
        self.without.len() < Change::MOST_WITHOUT && self.suppositions.len() + said <= Change::MOST
    }

    pub(super) fn leave_out(&mut self, source: &str, signal: Signal) {
        let without = Without { source: source.to_owned(), signal };
        if let Err(place) = self.without.binary_search(&without) {
            self.without.insert(place, without);
        }
    }

    /// Says this once more; equal ones are counted.
    pub(super) fn say(&mut self, signal: Signal, at: Micros, value: f64, weight: f64) {
        let new = Supposition { signal, value, weight, at, count: 1 };
        let same =
            |old: &&mut Supposition| old.count < Supposition::MOST_COUNT && Supposition { count: 1, ..**old } == new;
        match self.suppositions.iter_mut().find(same) {
            Some(old) => old.count += 1,
            None => self.suppositions.push(new),
        }
    }

    fn by_source(&self) -> BTreeMap<&str, Vec<Signal>> {
        let mut left_out: BTreeMap<&str, Vec<Signal>> = BTreeMap::new();
        for Without { source, signal } in &self.without {
            left_out.entry(source).or_default().push(*signal);
        }
        left_out
    }

    fn said(&self) -> impl Iterator<Item = (String, Facts)> {
        self.suppositions.iter().enumerate().map(|(n, said)| {
            let evidence = Evidence::new(Topic::Signal(said.signal), said.at, said.value, said.weight);
            let evidence = evidence.map_or_else(Vec::new, |evidence| vec![evidence; said.count as usize]);
            (format!("suppositions/{}", n + 1), Facts { evidence, ..Facts::default() })
        })
    }
}

fn without(facts: &Facts, signals: &[Signal]) -> Facts {
    let mut left = facts.clone();
    let stands = |topic| !matches!(topic, Topic::Signal(signal) if signals.contains(&signal));
    left.evidence.retain(|evidence| stands(evidence.topic()));
    left.pending.retain(|pending| stands(Topic::Signal(pending.topic())));
    left
}
