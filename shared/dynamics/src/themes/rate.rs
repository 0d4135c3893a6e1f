//! How often a thing is said, now against before.
//!
//! Monroe, Colaresi and Quinn (2008), *Fightin' Words*, compare what two groups say by the log-odds
//! ratio of their words with an informative Dirichlet prior: both groups are supposed to say a word as
//! often as the two together do, until they show otherwise. So it is here, with three differences that
//! make it hold for few accounts:
//!
//! - What is counted is not words but accounts: each adds the share of its texts that mention the thing.
//!   Exposure is the same mean of the words of its texts, as theirs is all words: a thing is not said
//!   more often because texts have become longer.
//! - A sum of shares spreads less than a count. It weighs as the count of the same relative spread
//!   (Fay and Feuer 1997, Statistics in Medicine 16, for weighted sums of counts).
//! - Prior and counts give each group's rate a gamma distribution, which the Dirichlet is made of, and
//!   the ratio of two of these is a beta distribution's odds. Its tails and quantiles stand for the
//!   normal approximation, which fails where a thing was never said before.
//!
//! The prior weighs [`PRIOR`] mentions in each group, Jeffreys' half, at the rate of both together.
//! An account that speaks in both groups is taken for two, which makes intervals a little too wide.

use crate::statistics::{COVERAGE, Interval, beta_below, beta_quantile};

/// The mentions that the prior weighs in each group.
const PRIOR: f64 = 0.5;

/// The mentioning accounts that the spread of both groups together weighs in that of one: a judgement.
const LEAN: f64 = 4.0;

/// The furthest that the logarithm of a ratio goes.
const FURTHEST: f64 = 300.0;

/// Which side of a comparison a text is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Of late; or here.
    Now,
    /// Before that; or elsewhere.
    Before,
}

/// The texts that things are said in.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// Of each text, its account's place in `texts`, and its group.
    pub(super) voice: Vec<(u32, Group)>,
    /// Of each account, the texts of each group.
    texts: Vec<[u32; 2]>,
    /// The sum over the accounts of the mean words of a text.
    exposure: [f64; 2],
    /// The accounts that speak at all.
    accounts: [u32; 2],
}

impl Ground {
    /// The texts' accounts by number from 0, groups and words. Texts without words weigh as one word.
    pub(super) fn new(said: impl Iterator<Item = (u32, Group, u32)>) -> Ground {
        let mut ground = Ground::default();
        let mut words: Vec<[f64; 2]> = Vec::new();
        for (account, group, count) in said {
            let at = account as usize;
            if ground.texts.len() <= at {
                ground.texts.resize(at + 1, [0; 2]);
                words.resize(at + 1, [0.0; 2]);
            }
            ground.voice.push((account, group));
            ground.texts[at][group as usize] += 1;
            words[at][group as usize] += f64::from(count.max(1));
        }
        for (texts, words) in ground.texts.iter().zip(&words) {
            for group in 0..2 {
                if texts[group] > 0 {
                    ground.exposure[group] += words[group] / f64::from(texts[group]);
                    ground.accounts[group] += 1;
                }
            }
        }
        ground
    }

    /// Counts the voices of these texts, each given once; those of an account stand together.
    pub(super) fn count(&self, mentions: impl Iterator<Item = usize>) -> Voiced {
        let mut voiced = Voiced::default();
        let (mut account, mut run) = (u32::MAX, [0_u32; 2]);
        for (next, group) in mentions.filter_map(|at| self.voice.get(at).copied()) {
            if next != account {
                self.add(&mut voiced, account, run);
                (account, run) = (next, [0; 2]);
            }
            run[group as usize] += 1;
        }
        self.add(&mut voiced, account, run);
        voiced
    }

    fn add(&self, voiced: &mut Voiced, account: u32, mentions: [u32; 2]) {
        let Some(texts) = self.texts.get(account as usize) else { return };
        for group in 0..2 {
            if mentions[group] > 0 {
                let share = f64::from(mentions[group]) / f64::from(texts[group]);
                voiced.accounts[group] += 1;
                voiced.texts[group] += mentions[group];
                voiced.shares[group] += share;
                voiced.squares[group] += share * share;
            }
        }
    }

    /// Compares the rates at which a thing is said.
    pub(super) fn compare(&self, voiced: &Voiced) -> Comparison {
        let shares = voiced.shares[0] + voiced.shares[1];
        // Without any text a group has been listened to for one word.
        let words = self.exposure.map(|words| words.max(1.0));
        let prior = if shares > 0.0 { PRIOR * (words[0] + words[1]) / shares } else { 0.0 };
        let spreads = self.spreads(voiced);
        let (mut shapes, mut exposure) = ([PRIOR; 2], [prior; 2]);
        for group in 0..2 {
            shapes[group] += voiced.shares[group] / spreads[group];
            exposure[group] += words[group] / spreads[group];
        }
        Comparison { shapes, exposure }
    }

    /// The variance of each group's sum of shares over the sum, from above 0 to 1. Where the accounts that mention a
    /// thing are few, it leans on that of both groups together.
    fn spreads(&self, voiced: &Voiced) -> [f64; 2] {
        let (shares, squares) = (voiced.shares[0] + voiced.shares[1], voiced.squares[0] + voiced.squares[1]);
        if shares <= 0.0 {
            return [1.0; 2];
        }
        let variance = [0, 1].map(|group| {
            let accounts = f64::from(self.accounts[group].max(1));
            let explained = voiced.shares[group].powi(2) / accounts;
            // Where everybody says it, as if half an account did not.
            (voiced.squares[group] - explained).max(0.5 / (accounts + 1.0) * voiced.squares[group])
        });
        let together = (variance[0] + variance[1]) / shares;
        let weight = LEAN * squares / shares;
        [0, 1].map(|group| (variance[group] + weight * together) / (voiced.shares[group] + weight))
    }
}

/// Who says a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Voiced {
    /// How many accounts, by group.
    pub(super) accounts: [u32; 2],
    /// In how many texts.
    pub(super) texts: [u32; 2],
    /// The sum over the accounts of the shares of their texts.
    shares: [f64; 2],
    /// The sum of the squares of these.
    squares: [f64; 2],
}

/// The distributions of two rates: gamma with these shapes, and exposures for their rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    shapes: [f64; 2],
    exposure: [f64; 2],
}

impl Comparison {
    /// The chance that the rate has not risen: a p-value of one side.
    pub(super) fn not_risen(&self) -> f64 {
        beta_below(self.shapes[0], self.shapes[1], (self.exposure[0] / self.exposure[1]).ln())
    }

    /// How many times the earlier rate it is: the median and the 95 % interval.
    pub(super) fn ratio(&self) -> Interval {
        let at = |share| {
            let odds = beta_quantile(self.shapes[0], self.shapes[1], share);
            (odds + (self.exposure[1] / self.exposure[0]).ln()).clamp(-FURTHEST, FURTHEST).exp()
        };
        let outside = 0.5 * (1.0 - COVERAGE);
        Interval { value: at(0.5), low: at(outside), high: at(1.0 - outside) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accounts of one text of one word each: the first of them mention it.
    fn compare(now: (u32, u32), before: (u32, u32)) -> Comparison {
        let groups = (0..now.1).map(|_| Group::Now).chain((0..before.1).map(|_| Group::Before));
        let ground = Ground::new(groups.enumerate().map(|(account, group)| (account as u32, group, 1)));
        let mentions = (0..now.0).chain(now.1..now.1 + before.0);
        ground.compare(&ground.count(mentions.map(|at| at as usize)))
    }

    #[test]
    fn a_ratio_of_many_is_as_counted_and_its_error_as_known() {
        // Var ln(p1 / p2) = (1-p1) / y1 + (1-p2) / y2 (Katz and others 1978).
        let ratio = compare((300, 1_000), (200, 2_000)).ratio();
        assert!((ratio.value / 3.0 - 1.0).abs() < 0.01, "{ratio:?}");
        let error = (0.7_f64 / 300.0 + 0.9 / 200.0).sqrt();
        let half = (ratio.high / ratio.low).ln() / 2.0;
        assert!((half / (1.96 * error) - 1.0).abs() < 0.05, "{half} {error}");
    }

    #[test]
    fn what_was_never_said_before_has_risen_and_one_voice_has_not() {
        assert!(compare((8, 100), (0, 1_000)).not_risen() < 1e-6);
        assert!(compare((1, 100), (0, 100)).not_risen() > 0.1);
        assert!(compare((5, 100), (5, 100)).ratio().holds(1.0));
        assert!((compare((5, 100), (5, 100)).not_risen() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_loud_account_has_one_voice() {
        // Of 41 accounts one mentions it in each of its 200 texts.
        let said = (0..40).chain(std::iter::repeat_n(40, 200)).map(|account| (account, Group::Now, 5));
        let ground = Ground::new(said.chain((0..41).map(|account| (account, Group::Before, 5))));
        let voiced = ground.count(40..240);
        assert_eq!((voiced.accounts, voiced.texts), ([1, 0], [200, 0]));
        assert!(ground.compare(&voiced).not_risen() > 0.1);
    }

    #[test]
    fn longer_and_more_texts_alone_raise_nothing() {
        // Each account mentions it in a fifth of its texts: one of 5 before, 4 of 20 of half the length now.
        let now = (0..50).flat_map(|account| (0..20).map(move |_| (account, Group::Now, 10)));
        let before = (0..50).flat_map(|account| (0..5).map(move |_| (account, Group::Before, 10)));
        let ground = Ground::new(now.chain(before));
        let mentions: Vec<usize> = (0..50)
            .flat_map(|account| (0..4).map(move |text| account * 20 + text).chain([1_000 + account * 5]))
            .collect();
        let ratio = ground.compare(&ground.count(mentions.into_iter())).ratio();
        assert!((ratio.value - 1.0).abs() < 0.01 && ratio.high < 1.6, "{ratio:?}");
        // Twice the words and twice the mentions.
        let said = (0..400).map(|account| (account, if account < 200 { Group::Now } else { Group::Before }));
        let ground =
            Ground::new(said.map(|(account, group)| (account, group, if group == Group::Now { 20 } else { 10 })));
        let ratio = ground.compare(&ground.count((0..40).chain(200..220))).ratio();
        assert!((ratio.value - 1.0).abs() < 0.02, "{ratio:?}");
    }

    #[test]
    fn nothing_said_says_nothing() {
        for ground in [Ground::default(), Ground::new([(0, Group::Now, 0)].into_iter())] {
            let compared = ground.compare(&ground.count([7].into_iter()));
            let ratio = compared.ratio();
            assert!(ratio.low > 0.0 && ratio.high.is_finite() && ratio.holds(1.0), "{ratio:?}");
            assert!((0.0..=1.0).contains(&compared.not_risen()));
        }
    }
}
