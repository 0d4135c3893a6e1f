//! Who lives and who is to hold what: pure functions, so that they can be tried with thousands of processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a process's count of beats may stand still before it is taken for dead. Longer than a busy machine keeps one
/// from its turn, and short enough that its partitions do not wait long.
pub const DEAD_AFTER: Duration = Duration::from_secs(4);

/// Who holds a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The id of a process; empty if nobody does.
    pub holder: String,
    /// Grows whenever it changes hands.
    pub generation: i64,
}

/// What a process should do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Partitions to take, unless they changed hands meanwhile.
    pub take: Vec<u32>,
    /// Partitions to give back.
    pub release: Vec<u32>,
}

/// When each process's beats were last seen to change.
///
/// Only the time in which the observer looks counts: between two looks a quarter of `dead_after` at most. So nobody is
/// taken for dead because the observer could not look, nor because nobody could beat while the database was away.
#[derive(Debug, Clone)]
pub struct Sightings {
    dead_after: Duration,
    looked_at: Duration,
    /// How much of the time counts so far.
    watched: Duration,
    /// By id: the count, and how much had been watched when it was first seen.
    seen: BTreeMap<String, (i64, Duration)>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self::with(DEAD_AFTER)
    }
}

impl Sightings {
    /// Takes a process for dead after another time than [`DEAD_AFTER`].
    pub fn with(dead_after: Duration) -> Self {
        Self { dead_after, looked_at: Duration::ZERO, watched: Duration::ZERO, seen: BTreeMap::new() }
    }

    /// Takes in what the counts are `now`, by a clock that only goes forward. Answers with those who live.
    pub fn see(&mut self, now: Duration, beats: &BTreeMap<String, i64>) -> BTreeSet<String> {
        self.watched += now.saturating_sub(self.looked_at).min(self.dead_after / 4);
        self.looked_at = now.max(self.looked_at);
        let watched = self.watched;
        self.seen.retain(|id, _| beats.contains_key(id));
        for (id, count) in beats {
            let seen = self.seen.entry(id.clone()).or_insert((*count, watched));
            if seen.0 != *count {
                *seen = (*count, watched);
            }
        }
        let live = self.seen.iter().filter(|(_, (_, since))| watched.saturating_sub(*since) < self.dead_after);
        live.map(|(id, _)| id.clone()).collect()
    }
}

/// What the process `me` should do, given who lives and who holds what. The shares of all who live differ by one at most;
/// those whose ids come first have the larger ones.
pub fn plan(me: &str, live: &BTreeSet<String>, leases: &BTreeMap<u32, Lease>) -> Plan {
    let Some(rank) = live.iter().position(|id| id == me) else { return Plan::default() };
    let share = leases.len() / live.len() + usize::from(rank < leases.len() % live.len());
    let mut mine = Vec::new();
    let mut free = Vec::new();
    for (partition, lease) in leases {
        if lease.holder == me {
            mine.push(*partition);
        } else if !live.contains(&lease.holder) {
            free.push(*partition);
        }
    }
    // Each of those who have a share begins elsewhere, so that several who take at once seldom want the same.
    let begin = (rank * free.len()).checked_div(live.len().min(leases.len())).unwrap_or(0).min(free.len());
    free.rotate_left(begin);
    free.truncate(share.saturating_sub(mine.len()));
    Plan { take: free, release: mine.split_off(share.min(mine.len())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PARTITIONS;

    fn ids(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("{number:04}")).collect()
    }

    fn free() -> BTreeMap<u32, Lease> {
        (0..PARTITIONS).map(|partition| (partition, Lease { holder: String::new(), generation: 0 })).collect()
    }

    /// Lets everybody act once, one after another, on what they all saw before.
    fn act(live: &BTreeSet<String>, leases: &mut BTreeMap<u32, Lease>) {
        let seen = leases.clone();
        for me in live {
            let Plan { take, release } = plan(me, live, &seen);
            for (holder, partitions) in [(me.as_str(), take), ("", release)] {
                for partition in partitions {
                    let lease = leases.get_mut(&partition).unwrap();
                    if lease.generation == seen[&partition].generation {
                        *lease = Lease { holder: holder.to_owned(), generation: lease.generation + 1 };
                    }
                }
            }
        }
    }

    fn shares(live: &BTreeSet<String>, leases: &BTreeMap<u32, Lease>) -> Vec<usize> {
        live.iter().map(|me| leases.values().filter(|lease| lease.holder == *me).count()).collect()
    }

    #[test]
    fn one_alone_takes_everything_at_once() {
        let (live, mut leases) = (ids(1), free());
        act(&live, &mut leases);
        assert_eq!(shares(&live, &leases), [64]);
    }

    #[test]
    fn more_processes_than_partitions_leave_some_without() {
        let (live, mut leases) = (ids(1_000), free());
        for _ in 0..20 {
            act(&live, &mut leases);
        }
        let shares = shares(&live, &leases);
        assert_eq!((shares.iter().sum::<usize>(), shares.iter().max()), (64, Some(&1)));
    }

    #[test]
    fn a_newcomer_takes_only_its_share() {
        let (mut live, mut leases) = (ids(3), free());
        for _ in 0..20 {
            act(&live, &mut leases);
        }
        let before = leases.clone();
        live.insert("9999".to_owned());
        for _ in 0..20 {
            act(&live, &mut leases);
        }
        let moved = leases.iter().filter(|(partition, lease)| lease.holder != before[*partition].holder).count();
        assert_eq!((shares(&live, &leases), moved), (vec![16; 4], 16));
    }

    proptest! {
        #[test]
        fn whoever_comes_and_goes_the_shares_even_out(
            steps in proptest::collection::vec(proptest::collection::btree_set(0_usize..40, 1..30), 1..8)
        ) {
            let mut leases = free();
            for step in steps {
                let live: BTreeSet<String> = step.iter().map(|number| format!("{number:04}")).collect();
                for _ in 0..40 {
                    act(&live, &mut leases);
                }
                let shares = shares(&live, &leases);
                prop_assert_eq!(shares.iter().sum::<usize>(), 64, "nobody holds {:?}", leases);
                prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{:?}", shares);
                let settled = leases.clone();
                act(&live, &mut leases);
                prop_assert_eq!(&settled, &leases, "it goes on for ever");
            }
        }
    }

    fn watcher() -> impl FnMut(u64, &[(&str, i64)]) -> Vec<String> {
        let mut sightings = Sightings::default();
        move |seconds, beats| {
            let beats = beats.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect();
            sightings.see(Duration::from_secs(seconds), &beats).into_iter().collect()
        }
    }

    #[test]
    fn a_process_is_dead_when_its_beats_stand_still() {
        let mut see = watcher();
        for second in 0..4 {
            assert_eq!(see(second, &[("a", 7), ("b", second as i64)]), ["a", "b"]);
        }
        assert_eq!(see(4, &[("a", 7), ("b", 4)]), ["b"]);
        assert_eq!(see(5, &[("a", 8), ("b", 5)]), ["a", "b"], "it was merely slow");
        for second in 6..9 {
            assert_eq!(see(second, &[("a", second as i64 + 3)]), ["a"], "b has left");
        }
    }

    #[test]
    fn nobody_is_dead_because_nobody_looked() {
        let mut see = watcher();
        assert_eq!(see(0, &[("a", 1), ("b", 1)]), ["a", "b"]);
        // The database was away: it is b that beats first, and looks.
        assert_eq!(see(60, &[("a", 1), ("b", 2)]), ["a", "b"]);
        assert_eq!(see(62, &[("a", 2), ("b", 3)]), ["a", "b"]);
        for second in 63..66 {
            assert_eq!(see(second, &[("a", 2), ("b", second as i64)]), ["a", "b"]);
        }
        assert_eq!(see(66, &[("a", 2), ("b", 66)]), ["b"], "it has died meanwhile");
    }
}
