//! How far the partitions are behind: what comes and what is applied, as flows.

use store::PARTITIONS;

use crate::{chance::Chance, settings::Load};

const COUNT: usize = PARTITIONS as usize;

pub(crate) struct Work {
    load: Load,
    /// Events that come in a second, by partition.
    rates: [f64; COUNT],
    /// Events that wait, by partition.
    waiting: [f64; COUNT],
}

impl Work {
    pub(crate) fn new(load: &Load, chance: &mut Chance) -> Self {
        let mut rates: [f64; COUNT] = std::array::from_fn(|rank| (rank as f64 + 1.0).powf(-load.skew));
        let all: f64 = rates.iter().sum();
        rates.iter_mut().for_each(|rate| *rate *= load.arriving / all);
        chance.shuffle(&mut rates);
        Self { load: load.clone(), rates, waiting: [0.0; COUNT] }
    }

    /// Lets a time pass, in seconds, in which these partitions are read by these processes; by none if nothing can be
    /// written.
    pub(crate) fn pass(&mut self, seconds: f64, readers: &[Option<usize>; COUNT]) {
        let mut shares: Vec<(usize, f64, usize)> = Vec::new();
        for partition in 0..COUNT {
            self.waiting[partition] += self.rates[partition] * seconds;
            if let Some(process) = readers[partition] {
                shares.push((process, self.waiting[partition].min(self.load.partition * seconds), partition));
            }
        }
        // Each process divides its time fairly: who wants little has all of it, the others the same.
        shares.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut wanted = 0.0;
        for of_one in shares.chunk_by_mut(|a, b| a.0 == b.0) {
            let mut room = self.load.process * seconds;
            let mut left = of_one.len() as f64;
            for (_, share, _) in of_one {
                *share = share.min(room / left);
                room -= *share;
                left -= 1.0;
                wanted += *share;
            }
        }
        let part = (self.load.database * seconds / wanted).min(1.0);
        for (_, share, partition) in shares {
            self.waiting[partition] -= share * part;
        }
    }

    /// How far behind each partition is, in seconds of what comes.
    pub(crate) fn lags(&self) -> impl Iterator<Item = f64> + Clone {
        self.waiting.iter().zip(&self.rates).map(|(waiting, rate)| waiting / rate)
    }
}
