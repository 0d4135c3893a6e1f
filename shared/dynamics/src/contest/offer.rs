//! Rivals' offers as they are recorded, and what they say.

use super::standing::Standing;
use crate::decay::Micros;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// How a rival's offer ended.
    Ending {
        /// The customer stayed.
        Stayed = "stayed",
        /// The customer gave part of the business to the rival.
        Split = "split",
        /// The customer left.
        Left = "left",
    }
}

impl Ending {
    /// The share of the customer that stayed: a split counts as one half.
    pub fn share(self) -> f64 {
        match self {
            Ending::Stayed => 1.0,
            Ending::Split => 0.5,
            Ending::Left => 0.0,
        }
    }
}

/// One rival's offer to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// When the provider learned of it.
    pub learned_at: Micros,
    /// Whether the customer told of it; none when that is not known.
    pub disclosed: Option<bool>,
    /// Whether the customer gave the chance to counter it; none when that is not known.
    pub counter_chance: Option<bool>,
    /// When it was countered, if it was.
    pub countered_at: Option<Micros>,
    /// How it ended; none while it is open.
    pub ending: Option<Ending>,
    /// When it ended; counts only with an ending, and not before `learned_at`.
    pub ended_at: Micros,
}

impl Offer {
    /// Whether the customer gave the chance to counter: as recorded; where that is not known, an
    /// offer that was countered could be, and one that was kept hidden could not. Of an offer that
    /// the customer told of, and no more is known, there is no saying.
    pub fn asked(&self) -> Option<bool> {
        let countered = self.countered_at.map(|_| true);
        let hidden = (self.disclosed == Some(false)).then_some(false);
        self.counter_chance.or(countered).or(hidden)
    }

    /// Whether a counter-offer was made while the offer was open.
    pub fn countered(&self) -> bool {
        let end = self.ending.map(|_| self.known_at());
        self.countered_at.is_some_and(|at| end.is_none_or(|end| at <= end))
    }

    fn known_at(&self) -> Micros {
        self.ended_at.max(self.learned_at)
    }
}

/// What the earlier offers to one account say of it. Offers of which nothing is known count
/// nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Offers that the customer was open about: it gave the chance to counter them, or told of
    /// them and no more is known.
    pub open: u32,
    /// Offers that it kept to itself, or gave no chance to counter.
    pub closed: u32,
    /// Offers on which it stayed.
    pub stayed: u32,
    /// Offers for which it split its business.
    pub split: u32,
    /// Offers for which it left.
    pub left: u32,
}

impl Record {
    /// What was known just before `at`. The offers are all of one account, in any order; those
    /// learned of at `at` or later count nowhere, and endings of that time neither.
    pub fn before(offers: &[Offer], at: Micros) -> Record {
        let mut record = Record::default();
        for offer in offers.iter().filter(|offer| offer.learned_at < at) {
            match (offer.asked(), offer.disclosed) {
                (Some(true), _) | (None, Some(true)) => record.open += 1,
                (Some(false), _) => record.closed += 1,
                (None, _) => {}
            }
            match offer.ending.filter(|_| offer.known_at() < at) {
                Some(Ending::Stayed) => record.stayed += 1,
                Some(Ending::Split) => record.split += 1,
                Some(Ending::Left) => record.left += 1,
                None => {}
            }
        }
        record
    }

    /// From -1, always closed, to +1, always open; 0 without an offer.
    pub(super) fn openness(&self) -> f64 {
        balance(f64::from(self.open), f64::from(self.closed))
    }

    /// From -1, always left, to +1, always stayed; 0 without an ending.
    pub(super) fn staying(&self) -> f64 {
        let half = f64::from(self.split) * Ending::Split.share();
        balance(f64::from(self.stayed) + half, f64::from(self.left) + half)
    }
}

/// The mean of ±1 over the cases and two imagined ones, one of each kind: the mean of a beta
/// distribution that was uniform before, mapped to [-1, 1].
fn balance(yes: f64, no: f64) -> f64 {
    (yes - no) / (yes + no + 2.0)
}

/// An offer and where its account stood when the provider learned of it: what the model learns
/// from. Whatever is not known, or not decided yet, says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    pub(super) learned_at: Micros,
    pub(super) ended_at: Micros,
    pub(super) standing: Standing,
    pub(super) asked: Option<bool>,
    pub(super) countered: bool,
    pub(super) ending: Option<Ending>,
}

impl Case {
    /// `standing` is of just before the offer was learned of, and has nothing of it.
    pub fn new(offer: &Offer, standing: Standing) -> Case {
        Case {
            learned_at: offer.learned_at,
            ended_at: offer.known_at(),
            standing,
            asked: offer.asked(),
            countered: offer.countered(),
            ending: offer.ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: Offer =
        Offer { learned_at: 10, disclosed: None, counter_chance: None, countered_at: None, ending: None, ended_at: 0 };

    #[test]
    fn an_offer_says_no_more_than_is_known() {
        let asked = |disclosed, counter_chance, countered_at| {
            Offer { disclosed, counter_chance, countered_at, ..OFFER }.asked()
        };
        assert_eq!(asked(None, None, None), None);
        assert_eq!(asked(Some(true), None, None), None);
        assert_eq!(asked(Some(false), None, None), Some(false));
        assert_eq!(asked(Some(false), Some(true), None), Some(true));
        assert_eq!(asked(Some(true), Some(false), Some(12)), Some(false));
        assert_eq!(asked(None, None, Some(12)), Some(true));
    }

    #[test]
    fn a_counter_offer_after_the_end_comes_too_late() {
        let countered = |ending, ended_at| Offer { countered_at: Some(20), ending, ended_at, ..OFFER }.countered();
        assert!(countered(None, 0));
        assert!(countered(Some(Ending::Left), 20));
        assert!(!countered(Some(Ending::Left), 19));
        assert!(!Offer { ending: Some(Ending::Left), ended_at: 30, ..OFFER }.countered());
    }

    #[test]
    fn a_record_has_what_was_known_before() {
        let offers = [
            Offer { disclosed: Some(true), ending: Some(Ending::Stayed), ended_at: 15, ..OFFER },
            Offer { counter_chance: Some(false), ending: Some(Ending::Split), ended_at: 40, ..OFFER },
            Offer { learned_at: 30, counter_chance: Some(true), ..OFFER },
            OFFER,
        ];
        assert_eq!(Record::before(&offers, 10), Record::default());
        assert_eq!(Record::before(&offers, 15), Record { open: 1, closed: 1, ..Record::default() });
        assert_eq!(Record::before(&offers, 30), Record { open: 1, closed: 1, stayed: 1, ..Record::default() });
        let all = Record { open: 2, closed: 1, stayed: 1, split: 1, left: 0 };
        assert_eq!(Record::before(&offers, 41), all);
        let mut turned = offers;
        turned.reverse();
        assert_eq!(Record::before(&turned, 41), all);
    }

    #[test]
    fn a_record_leans_with_its_cases_and_never_reaches_the_ends() {
        let stayed = |stayed| Record { stayed, ..Record::default() }.staying();
        assert_eq!(stayed(0), 0.0);
        assert!(stayed(1) > 0.3 && stayed(1) < stayed(5) && stayed(u32::MAX) < 1.0);
        assert_eq!(Record { split: 7, ..Record::default() }.staying(), 0.0);
        assert!(Record { closed: 3, ..Record::default() }.openness() < -0.5);
    }
}
