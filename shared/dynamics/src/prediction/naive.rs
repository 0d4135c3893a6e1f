//! Rules of thumb that foretell customers, to be beaten.
//!
//! They know what the models know: each customer's order days up to the cut. What they learn of
//! others is how the period before the cut, as long as the horizon, followed on what was known at
//! its start; nothing after the cut is seen.

use super::evaluation::{Case, Followed, Predicted};
use super::history::OrderDay;
use super::summary::DAYS_PER_WEEK;

/// A rule of thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Everybody is predicted the same: the mean of the period before.
    BaseRate,
    /// Customers do as those did in the period before who, at its start, had been silent for as
    /// long; customers are told apart in ten groups of equal count, as far as their silences differ.
    Recency,
    /// Customers go on ordering at the rate of all their time: order days over the age, which
    /// counts as a week at least. The chance is that of a Poisson rate, the spend of an order day
    /// the customer's mean.
    Frequency,
    /// Customers do again what they did in the period before. The chance is the share that ordered
    /// in that period of those who had, or had not, in the one before it.
    LastPeriod,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 4] = [Rule::BaseRate, Rule::Recency, Rule::Frequency, Rule::LastPeriod];

    /// A lower-case name that is safe to store.
    pub fn name(self) -> &'static str {
        match self {
            Rule::BaseRate => "base_rate",
            Rule::Recency => "recency",
            Rule::Frequency => "frequency",
            Rule::LastPeriod => "last_period",
        }
    }
}

/// What the rules have learned of a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    cut: i64,
    horizon: u32,
    /// None when no customer was known a period before the cut.
    learned: Option<Learned>,
}

#[derive(Clone, Debug, PartialEq)]
struct Learned {
    all: Predicted,
    /// By the longest silence of each group, in days, rising.
    by_silence: Vec<(i64, Predicted)>,
    /// Of those who had not ordered in the period before, and of those who had.
    by_last_period: [Predicted; 2],
}

/// A customer at the start of the period that is learned from, and what followed.
#[derive(Clone, Copy)]
struct Lesson {
    silence: i64,
    ordered_before: bool,
    followed: Followed,
}

impl Rules {
    /// Learns from the order days of each customer, in ascending order; those after day `cut`
    /// are left aside. The horizon is in days; one of 0 counts as 1.
    pub fn learn<'a>(customers: impl IntoIterator<Item = &'a [OrderDay]>, cut: i64, horizon: u32) -> Rules {
        let horizon = horizon.max(1);
        let start = cut.saturating_sub(i64::from(horizon));
        let lesson = |days: &'a [OrderDay]| {
            let last = seen(days, start).last()?.day;
            Some(Lesson {
                silence: start.saturating_sub(last),
                ordered_before: start.saturating_sub(last) < i64::from(horizon),
                followed: followed(days, start, horizon),
            })
        };
        let mut lessons: Vec<Lesson> = customers.into_iter().filter_map(lesson).collect();
        // Sums of rounded numbers depend on their order, so there is one.
        lessons.sort_unstable_by(|one, other| {
            let days = one.silence.cmp(&other.silence).then(one.followed.orders.cmp(&other.followed.orders));
            days.then(one.followed.spend.total_cmp(&other.followed.spend))
        });
        Rules { cut, horizon, learned: (!lessons.is_empty()).then(|| Learned::from(&lessons)) }
    }

    /// What the rule says of a customer with these order days. None of a customer without an order
    /// up to the cut, nor by a rule that learns where no customer was known a period before.
    pub fn predict(&self, rule: Rule, of: &[OrderDay]) -> Option<Predicted> {
        let days = seen(of, self.cut);
        let (first, last) = (days.first()?.day, days.last()?.day);
        let silence = self.cut.saturating_sub(last);
        match rule {
            Rule::BaseRate => Some(self.learned.as_ref()?.all),
            Rule::Recency => Some(self.learned.as_ref()?.after(silence)),
            Rule::Frequency => {
                let age = self.cut.saturating_sub(first) as f64;
                let rate = days.len() as f64 / age.max(DAYS_PER_WEEK);
                let orders = rate * f64::from(self.horizon);
                let mean = days.iter().map(|day| day.spend).sum::<f64>() / days.len() as f64;
                Some(Predicted { any_order: -(-orders).exp_m1(), orders, spend: Some(amount(orders * mean)) })
            }
            Rule::LastPeriod => {
                let start = self.cut.saturating_sub(i64::from(self.horizon));
                let before = followed(days, start, self.horizon);
                let any_order = self.learned.as_ref()?.by_last_period[usize::from(before.orders > 0)].any_order;
                Some(Predicted { any_order, orders: f64::from(before.orders), spend: Some(before.spend) })
            }
        }
    }
}

impl Learned {
    /// How many groups silences are told apart in.
    const GROUPS: usize = 10;

    /// From one lesson or more, in ascending order of silence.
    fn from(lessons: &[Lesson]) -> Learned {
        let coin = Predicted { any_order: 0.5, orders: 0.0, spend: None };
        let chance = mean(lessons.iter(), coin).any_order;
        let count = lessons.len() as f64;
        let all = Predicted {
            any_order: chance,
            orders: lessons.iter().map(|lesson| f64::from(lesson.followed.orders)).sum::<f64>() / count,
            spend: Some(amount(lessons.iter().map(|lesson| lesson.followed.spend).sum::<f64>() / count)),
        };
        let mut by_silence = Vec::new();
        let mut from = 0;
        for n in 1..=Self::GROUPS {
            let to = lessons.len() * n / Self::GROUPS;
            if to <= from {
                continue;
            }
            // Those who have been silent for as long are one group.
            let silence = lessons[to - 1].silence;
            let to = lessons.partition_point(|lesson| lesson.silence <= silence);
            by_silence.push((silence, mean(lessons[from..to].iter(), all)));
            from = to;
        }
        let by_last_period =
            [false, true].map(|before| mean(lessons.iter().filter(|lesson| lesson.ordered_before == before), all));
        Learned { all, by_silence, by_last_period }
    }

    /// What those did who had been silent for so long, or for longest.
    fn after(&self, silence: i64) -> Predicted {
        let group = self.by_silence.partition_point(|(longest, _)| *longest < silence);
        self.by_silence[group.min(self.by_silence.len() - 1)].1
    }
}

/// The mean of what followed, with one customer of the prior more: so no group is certain, and an
/// empty one is the prior. The prior chance of all is a coin's, which is the mean of Jeffreys' posterior.
fn mean<'a>(lessons: impl Iterator<Item = &'a Lesson>, prior: Predicted) -> Predicted {
    let (mut customers, mut ordered) = (1.0, prior.any_order);
    let (mut orders, mut spend) = (prior.orders, prior.spend.unwrap_or(0.0));
    for Lesson { followed, .. } in lessons {
        customers += 1.0;
        ordered += f64::from(followed.orders > 0);
        orders += f64::from(followed.orders);
        spend += followed.spend;
    }
    let [any_order, orders, spend] = [ordered, orders, spend].map(|sum| sum / customers);
    Predicted { any_order, orders, spend: Some(amount(spend)) }
}

/// What followed within so many days after day `cut`, from order days in ascending order.
pub fn followed(days: &[OrderDay], cut: i64, horizon: u32) -> Followed {
    let within = &seen(days, cut.saturating_add(i64::from(horizon)))[seen(days, cut).len()..];
    Followed {
        orders: u32::try_from(within.len()).unwrap_or(u32::MAX),
        spend: amount(within.iter().map(|day| day.spend).sum()),
    }
}

/// The days up to a cut.
fn seen(days: &[OrderDay], cut: i64) -> &[OrderDay] {
    &days[..days.partition_point(|day| day.day <= cut)]
}

/// The nearest spend that a [`Case`] takes; returns may exceed what was spent.
fn amount(spend: f64) -> f64 {
    if spend.is_nan() { 0.0 } else { spend.clamp(0.0, Case::MAX_AMOUNT) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn days(days: &[(i64, f64)]) -> Vec<OrderDay> {
        days.iter().map(|(day, spend)| OrderDay { day: *day, spend: *spend }).collect()
    }

    fn learned(customers: &[Vec<OrderDay>], cut: i64, horizon: u32) -> Rules {
        Rules::learn(customers.iter().map(Vec::as_slice), cut, horizon)
    }

    #[test]
    fn the_rules_are_what_they_say() {
        // At day 60 of 100, three customers were known; two of them had ordered since day 20, of whom one
        // ordered by day 100, as did the one who had not.
        let customers = [
            days(&[(0, 10.0), (50, 30.0), (70, 8.0), (90, 4.0), (101, 99.0)]),
            days(&[(10, 5.0), (60, 5.0)]),
            days(&[(5, 20.0), (100, 6.0)]),
            days(&[(61, 40.0)]),
            days(&[(101, 1.0)]),
        ];
        let rules = learned(&customers, 100, 40);
        let base = rules.predict(Rule::BaseRate, &customers[3]).unwrap();
        assert_eq!((base.any_order, base.orders, base.spend), (2.5 / 4.0, 1.0, Some(6.0)));
        let frequency = rules.predict(Rule::Frequency, &customers[0]).unwrap();
        assert_eq!((frequency.orders, frequency.spend), (1.6, Some(1.6 * 13.0)));
        assert_eq!(frequency.any_order, 1.0 - (-1.6_f64).exp());
        let last = rules.predict(Rule::LastPeriod, &customers[0]).unwrap();
        assert_eq!((last.any_order, last.orders, last.spend), ((1.0 + 0.625) / 3.0, 2.0, Some(12.0)));
        let silent = rules.predict(Rule::LastPeriod, &customers[1]).unwrap();
        assert_eq!((silent.any_order, silent.orders, silent.spend), ((1.0 + 0.625) / 2.0, 0.0, Some(0.0)));
        // Silences of 0, 10 and 55 days, each its own group; a longer one counts as the longest.
        let recent = |of: &[OrderDay]| rules.predict(Rule::Recency, of).unwrap().any_order;
        assert_eq!(recent(&customers[2]), (0.0 + 0.625) / 2.0);
        assert_eq!(recent(&customers[0]), (1.0 + 0.625) / 2.0);
        assert_eq!(recent(&days(&[(0, 1.0)])), (1.0 + 0.625) / 2.0);
        for rule in Rule::ALL {
            assert_eq!(rules.predict(rule, &customers[4]), None);
        }
    }

    #[test]
    fn without_a_period_before_only_a_rate_of_ones_own_is_known() {
        let rules = learned(&[days(&[(95, 7.0)])], 100, 40);
        let known = Rule::ALL.map(|rule| rules.predict(rule, &days(&[(95, 7.0)])).is_some());
        assert_eq!(known, [false, false, true, false]);
        // An age below a week counts as one.
        let new = rules.predict(Rule::Frequency, &days(&[(100, 7.0)])).unwrap();
        assert!((new.orders - 40.0 / 7.0).abs() < 1e-12, "{new:?}");
    }

    #[test]
    fn returns_beyond_what_was_spent_are_no_spend() {
        let rules = learned(&[days(&[(0, -5.0), (90, -3.0)])], 100, 40);
        for rule in Rule::ALL {
            assert_eq!(rules.predict(rule, &days(&[(0, -5.0), (90, -3.0)])).unwrap().spend, Some(0.0));
        }
    }

    proptest! {
        #[test]
        fn what_follows_the_cut_changes_nothing_and_what_is_said_makes_a_case(
            customers in vec(btree_map(0..300i64, 0.0..1e3f64, 1..12), 1..60), cut in 0..300i64, horizon in 0..200u32,
        ) {
            let order_day = |(day, spend): (&i64, &f64)| OrderDay { day: *day, spend: *spend };
            let all: Vec<Vec<OrderDay>> =
                customers.iter().map(|days| days.iter().map(order_day).collect()).collect();
            let rules = learned(&all, cut, horizon);
            let mut other: Vec<Vec<OrderDay>> =
                all.iter().map(|days| days.iter().copied().filter(|day| day.day <= cut).collect()).collect();
            other.reverse();
            prop_assert_eq!(&rules, &learned(&other, cut, horizon));
            for (days, rule) in all.iter().flat_map(|days| Rule::ALL.map(|rule| (days, rule))) {
                if let Some(predicted) = rules.predict(rule, days) {
                    prop_assert!(Case::new(predicted, followed(days, cut, horizon)).is_ok(), "{:?}", predicted);
                    if rule != Rule::Frequency {
                        prop_assert!(predicted.any_order > 0.0 && predicted.any_order < 1.0);
                    }
                } else {
                    prop_assert!(days[0].day > cut || rules.learned.is_none());
                }
            }
        }
    }
}
