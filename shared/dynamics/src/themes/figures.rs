//! What ranks a theme.

use std::collections::HashMap;

use super::rate::{Ground, Group};
use crate::statistics::{Interval, mean};
use crate::vocabulary::vocabulary;

/// A text without its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// Whose it is, by any numbering.
    pub account: u32,
    /// Which side it is on.
    pub group: Group,
    /// How many words it has ([`super::count_words`]); 0 counts as 1, so that without any the rates are of texts.
    pub words: u32,
    /// How it sounds, from -1 (hostile) to 1 (warm); none if that is not known.
    pub sentiment: Option<f64>,
}

vocabulary! {
    /// Which way a theme moves.
    Direction {
        /// Said more often than before.
        Up = "up",
        /// Said less often than before.
        Down = "down",
        /// The interval holds 1: it cannot be told.
        Unclear = "unclear",
    }
}

/// The figures of a theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How many accounts mention it now.
    pub accounts: usize,
    /// In how many texts.
    pub mentions: usize,
    /// How many accounts mentioned it before.
    pub accounts_before: usize,
    /// In how many texts.
    pub mentions_before: usize,
    /// The sum of the values of the accounts that mention it now.
    pub value_at_stake: f64,
    /// How many of these have no value.
    pub value_unknown: usize,
    /// How it sounds where it is mentioned now, from -1 to 1: the mean over the accounts of their means. Of one account
    /// alone the interval is all that can be. None without any sentiment.
    pub feeling: Option<Interval>,
    /// How many times as often it is said as before; above 0, and 1 if nothing has changed.
    pub trend: Interval,
    /// Which way it moves, by the interval.
    pub direction: Direction,
}

/// All texts that themes could be mentioned in.
#[derive(Clone, Debug)]
pub struct Voices {
    ground: Ground,
    accounts: Vec<u32>,
    sentiments: Vec<Option<f64>>,
}

impl Voices {
    /// Of all texts, whether they mention anything or not: what a theme is compared with.
    pub fn new(said: &[Said]) -> Voices {
        let mut numbers = HashMap::new();
        let mut accounts = Vec::new();
        let numbered = said.iter().map(|said| {
            let number = *numbers.entry(said.account).or_insert_with(|| {
                accounts.push(said.account);
                accounts.len() as u32 - 1
            });
            (number, said.group, said.words)
        });
        let ground = Ground::new(numbered);
        let heard = |sentiment: f64| sentiment.is_finite().then_some(sentiment.clamp(-1.0, 1.0));
        Voices { ground, accounts, sentiments: said.iter().map(|said| said.sentiment.and_then(heard)).collect() }
    }

    /// The figures of a theme that the texts at these positions mention. Their order makes no difference;
    /// positions that are twice there count once, and those of no text not at all. `value` is what is at stake with an
    /// account; none if that is not known.
    pub fn figures(&self, mentions: &[usize], value: impl Fn(u32) -> Option<f64>) -> Figures {
        let mut by_account: Vec<(u32, usize)> =
            mentions.iter().filter_map(|&at| Some((self.ground.voice.get(at)?.0, at))).collect();
        by_account.sort_unstable();
        by_account.dedup();
        let voiced = self.ground.count(by_account.iter().map(|&(_, at)| at));
        let trend = self.ground.compare(&voiced).ratio();
        let (mut value_at_stake, mut value_unknown, mut feelings) = (0.0, 0, Vec::new());
        for texts in by_account.chunk_by(|one, other| one.0 == other.0) {
            let now = || texts.iter().map(|&(_, at)| at).filter(|&at| self.ground.voice[at].1 == Group::Now);
            if now().next().is_none() {
                continue;
            }
            match value(self.accounts[texts[0].0 as usize]).filter(|value| value.is_finite()) {
                Some(value) => value_at_stake += value,
                None => value_unknown += 1,
            }
            let (sum, count) = now()
                .filter_map(|at| self.sentiments[at])
                .fold((0.0, 0.0), |(sum, count), sentiment| (sum + sentiment, count + 1.0));
            if count > 0.0 {
                feelings.push(sum / count);
            }
        }
        Figures {
            accounts: voiced.accounts[0] as usize,
            mentions: voiced.texts[0] as usize,
            accounts_before: voiced.accounts[1] as usize,
            mentions_before: voiced.texts[1] as usize,
            value_at_stake: value_at_stake.clamp(f64::MIN, f64::MAX),
            value_unknown,
            feeling: mean(&feelings, (-1.0, 1.0)),
            trend,
            direction: Direction::of(&trend),
        }
    }
}

impl Direction {
    fn of(trend: &Interval) -> Direction {
        match trend {
            trend if trend.low > 1.0 => Direction::Up,
            trend if trend.high < 1.0 => Direction::Down,
            _ => Direction::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(account: u32, group: Group, sentiment: Option<f64>) -> Said {
        Said { account, group, words: 8, sentiment }
    }

    #[test]
    fn accounts_count_once() {
        let mut all = vec![said(7, Group::Now, Some(-1.0)); 9];
        all.push(said(8, Group::Now, Some(0.5)));
        all.push(said(9, Group::Now, None));
        all.push(said(7, Group::Before, Some(1.0)));
        let mentions = [10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 11, 999];
        let figures = Voices::new(&all).figures(&mentions, |account| (account != 8).then_some(100.0));
        assert_eq!((figures.accounts, figures.mentions), (3, 11));
        assert_eq!((figures.accounts_before, figures.mentions_before), (1, 1));
        assert_eq!((figures.value_at_stake, figures.value_unknown), (200.0, 1));
        let feeling = figures.feeling.unwrap();
        assert_eq!((feeling.value, feeling.low, feeling.high), (-0.25, -1.0, 1.0));
        assert_eq!(figures.direction, Direction::Unclear);
    }

    #[test]
    fn the_way_it_moves_is_told_where_it_can_be() {
        let all: Vec<Said> =
            (0..200).map(|at| said(at % 100, if at < 100 { Group::Now } else { Group::Before }, Some(0.1))).collect();
        let voices = Voices::new(&all);
        let figures = |now: usize, before: usize| {
            voices.figures(&(0..now).chain(100..100 + before).collect::<Vec<_>>(), |_| None)
        };
        assert_eq!(figures(30, 10).direction, Direction::Up);
        assert_eq!(figures(10, 30).direction, Direction::Down);
        assert_eq!(figures(22, 20).direction, Direction::Unclear);
        assert!((figures(30, 10).trend.value - 3.0).abs() < 0.15);
        let feeling = figures(30, 10).feeling.unwrap();
        assert!(feeling.high - feeling.low < 1e-9, "all feel the same");
    }

    #[test]
    fn nothing_is_told_of_nothing() {
        let figures = Voices::new(&[]).figures(&[3], |_| Some(f64::NAN));
        assert_eq!((figures.accounts, figures.feeling, figures.direction), (0, None, Direction::Unclear));
        let odd = said(0, Group::Now, Some(f64::NAN));
        let figures = Voices::new(&[odd]).figures(&[0], |_| Some(f64::INFINITY));
        assert_eq!((figures.value_at_stake, figures.value_unknown, figures.feeling), (0.0, 1, None));
    }
}
