//! What is seen of a cell's life, and what must hold of it.

use std::{collections::BTreeMap, time::Duration};

use store::{PARTITIONS, leases::Lease};

use crate::{
    database::Database,
    scenarios::Happening,
    settings::{Settings, WARM_UP},
};

const COUNT: usize = PARTITIONS as usize;
/// Who is less far behind has caught up, in seconds.
const CAUGHT_UP: f64 = 1.0;

/// What was seen of one cell, or of several together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    /// How long partitions were read by nobody, each time.
    pub(crate) gaps: Vec<Duration>,
    /// How often another process read a partition than before.
    pub(crate) moves: usize,
    /// How long some process held two partitions more than another.
    pub(crate) uneven: Duration,
    /// How many transactions were refused, and how many were not.
    pub(crate) refused: u64,
    pub(crate) accepted: u64,
    /// How far behind each partition was, in seconds, once a second.
    pub(crate) lags: Vec<f64>,
    /// From the last thing that happened until no partition was behind.
    pub(crate) caught_up_after: Duration,
    /// In a second, of the busiest cell.
    pub(crate) beats: f64,
    pub(crate) rows: f64,
}

impl Figures {
    /// Takes in what was seen of another cell.
    pub(crate) fn join(&mut self, other: Self) {
        self.gaps.extend(other.gaps);
        self.moves += other.moves;
        self.uneven = self.uneven.max(other.uneven);
        self.refused += other.refused;
        self.accepted += other.accepted;
        self.lags.extend(other.lags);
        self.caught_up_after = self.caught_up_after.max(other.caught_up_after);
        self.beats = self.beats.max(other.beats);
        self.rows = self.rows.max(other.rows);
    }

    /// The longest gap.
    pub(crate) fn longest_gap(&self) -> Duration {
        self.gaps.iter().max().copied().unwrap_or_default()
    }

    /// As a row of a table.
    pub(crate) fn row(&self, name: &str) -> String {
        let mut gaps: Vec<f64> = self.gaps.iter().map(Duration::as_secs_f64).collect();
        gaps.sort_by(f64::total_cmp);
        let mut lags = self.lags.clone();
        lags.sort_by(f64::total_cmp);
        format!(
            "| {name} | {} | {:.1} / {:.1} / {:.1} | {} | {:.1} | {} | {:.1} / {:.1} / {:.1} | {:.0} | {:.0} | {:.0} |",
            gaps.len(),
            part(&gaps, 0.5),
            part(&gaps, 0.99),
            part(&gaps, 1.0),
            self.moves,
            self.uneven.as_secs_f64(),
            self.refused,
            part(&lags, 0.5),
            part(&lags, 0.99),
            part(&lags, 1.0),
            self.caught_up_after.as_secs_f64(),
            self.beats,
            self.rows,
        )
    }
}

/// The heading of a table of [`Figures::row`].
pub(crate) const HEADING: &str = "\
| what happens | gaps | seconds unread: median / p99 / longest | moves | uneven, s | refused | lag, s: median / p99 / most \
| caught up, s | beats/s | rows/s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

/// The value below which this part of the values lies.
fn part(sorted: &[f64], part: f64) -> f64 {
    sorted.get(((sorted.len() as f64 * part).ceil() as usize).max(1) - 1).copied().unwrap_or(0.0)
}

/// Watches a cell.
pub(crate) struct Watch {
    figures: Figures,
    /// Since when nobody reads a partition.
    unread: [Option<Duration>; COUNT],
    gaps: Vec<(Duration, Duration)>,
    last_readers: [Option<usize>; COUNT],
    generations: [i64; COUNT],
    last_behind: Duration,
    pub(crate) refused: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            figures: Figures::default(),
            unread: [Some(Duration::ZERO); COUNT],
            gaps: Vec::new(),
            last_readers: [None; COUNT],
            generations: [0; COUNT],
            last_behind: Duration::ZERO,
            refused: 0,
        }
    }
}

impl Watch {
    /// Who reads what from now on.
    pub(crate) fn read(&mut self, now: Duration, readers: &[Option<usize>; COUNT], leases: &BTreeMap<u32, Lease>) {
        for (partition, lease) in leases {
            let partition = *partition as usize;
            assert!(lease.generation >= self.generations[partition], "a generation went back, at {now:?}");
            self.generations[partition] = lease.generation;
            match (readers[partition], self.unread[partition]) {
                (None, None) => self.unread[partition] = Some(now),
                (Some(reader), before) => {
                    if let Some(since) = before {
                        self.gaps.push((since, now));
                        self.unread[partition] = None;
                    }
                    let is_other = self.last_readers[partition].replace(reader).is_some_and(|last| last != reader);
                    self.figures.moves += usize::from(is_other && now >= WARM_UP);
                }
                (None, Some(_)) => {}
            }
        }
    }

    /// Looks at what flows.
    pub(crate) fn tick(
        &mut self,
        now: Duration,
        tick: Duration,
        lags: impl Iterator<Item = f64> + Clone,
        shares: &[usize],
    ) {
        if lags.clone().any(|lag| lag >= CAUGHT_UP) {
            self.last_behind = now;
        }
        if now.subsec_millis() == 0 {
            self.figures.lags.extend(lags);
        }
        if spread(shares) > 1 {
            self.figures.uneven += tick;
        }
    }

    /// Checks what must hold of the whole life.
    pub(crate) fn finish(
        mut self,
        settings: &Settings,
        happenings: &[(Duration, Happening)],
        database: &Database,
        shares: &[usize],
    ) -> Figures {
        let seed = settings.seed;
        let unread = self.unread.iter().filter(|unread| unread.is_some()).count();
        assert_eq!(unread, 0, "partitions are read by nobody at the end (seed {seed})");
        assert!(spread(shares) <= 1, "the shares are uneven at the end (seed {seed}): {shares:?}");
        let away = |from: Duration, to: Duration| -> Duration {
            let overlaps = happenings.iter().map(|(at, happening)| match happening {
                Happening::DatabaseAway(time, _) => (*at + *time).min(to).saturating_sub((*at).max(from)),
                _ => Duration::ZERO,
            });
            overlaps.sum()
        };
        for (from, to) in &self.gaps {
            let bound = settings.bound() + away(*from, *to);
            assert!(
                *to - *from <= bound,
                "nobody read a partition from {from:?} to {to:?} (seed {seed}), above {bound:?}"
            );
        }
        let gaps = self.gaps.iter().filter(|(from, _)| *from >= WARM_UP);
        self.figures.gaps = gaps.map(|(from, to)| *to - *from).collect();
        let last = happenings.iter().map(|(at, happening)| *at + happening.lasts()).max().unwrap_or_default();
        self.figures.caught_up_after = self.last_behind.saturating_sub(last);
        self.figures.refused = self.refused;
        self.figures.accepted = database.accepted;
        self.figures.beats = database.beat_count as f64 / settings.ends.as_secs_f64();
        self.figures.rows = database.rows_read as f64 / settings.ends.as_secs_f64();
        self.figures
    }
}

fn spread(shares: &[usize]) -> usize {
    shares.iter().max().unwrap_or(&0) - shares.iter().min().unwrap_or(&0)
}
