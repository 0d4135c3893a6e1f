//! What is told of simulated portfolios, where the truth is known.

use super::*;

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller (1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A portfolio whose scores waver about each account's own level, with a memory of half from step to step.
#[derive(Clone, Copy)]
struct Portfolio {
    accounts: usize,
    facets: usize,
    /// What the improvement adds to the concerned.
    effect: f64,
    /// What befalls all accounts at the time, and more the larger ones.
    shock: f64,
    /// Who is concerned.
    selection: Selection,
    /// What the concerned move in a step, before and after, whatever is done.
    drift: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Selection {
    /// Anybody.
    Chance,
    /// Those that are low just before, most likely.
    Low,
    /// Those that were low a step before.
    WereLow,
    /// The lowest fifth, all of them.
    Lowest,
    /// Anybody of another sort, always lower by some points, which nothing else tells of.
    Other,
}

const USUAL: Portfolio =
    Portfolio { accounts: 400, facets: 1, effect: 0.0, shock: -8.0, selection: Selection::Low, drift: 0.0 };

impl Portfolio {
    fn draw(&self, random: &mut Random) -> Vec<Account> {
        (0..self.accounts).map(|_| self.account(random)).collect()
    }

    fn account(&self, random: &mut Random) -> Account {
        let size = random.normal();
        let mut paths = Vec::new();
        for _ in 0..self.facets {
            let level = 60.0 + 9.0 * random.normal() + 3.0 * size;
            let mut off = 9.0 * random.normal();
            let path = [(); 4].map(|()| {
                off = 0.5 * off + 0.75_f64.sqrt() * 9.0 * random.normal();
                level + off
            });
            paths.push(path);
        }
        let first = paths[0];
        let low = |score: f64| 1.0 / (1.0 + ((score - 48.0) / 5.0).exp());
        let chance = match self.selection {
            Selection::Chance | Selection::Other => 0.2,
            Selection::Low => 0.8 * low(first[2]),
            Selection::WereLow => 0.8 * low(first[1]),
            Selection::Lowest => f64::from(u8::from(first[2] < 49.0)),
        };
        let concerned = random.uniform() < chance;
        let facets = paths
            .into_iter()
            .map(|mut path| {
                path[3] += self.shock + size;
                if concerned && self.selection == Selection::Other {
                    path.iter_mut().for_each(|score| *score -= 8.0);
                }
                if concerned {
                    path[3] += self.effect + 3.0 * random.normal();
                    for (step, score) in path.iter_mut().enumerate() {
                        *score += self.drift * (step as f64 - 2.0);
                    }
                }
                let [two, one, zero, after] = path.map(|score| Some(score.clamp(0.0, 100.0)));
                Scores { before: [two, one, zero], after }
            })
            .collect();
        let value = (7.0 + size).exp();
        Account {
            concerned,
            value,
            age_days: 2_000.0 * random.uniform(),
            activity: (2.0 + random.normal()).exp(),
            facets,
        }
    }
}

/// What is found in many portfolios.
#[derive(Debug, Default)]
struct Found {
    told: f64,
    held: f64,
    better: f64,
    worse: f64,
    differ: f64,
    parted: f64,
    mean: f64,
    naive: f64,
}

fn many(portfolio: Portfolio, rounds: usize) -> Found {
    let mut random = Random(11);
    let mut found = Found::default();
    for _ in 0..rounds {
        let accounts = portfolio.draw(&mut random);
        found.naive += naive(&accounts) / rounds as f64;
        let effects = measure(&accounts);
        let share = |is: bool| f64::from(u8::from(is)) / rounds as f64;
        found.better += share(effects.iter().any(|one| one.verdict == Verdict::Better));
        found.worse += share(effects.iter().any(|one| one.verdict == Verdict::Worse));
        found.differ += share(effects[0].verdict == Verdict::TooLittle(Reason::TrendsDiffer));
        found.parted += share(effects[0].placebo.is_some_and(|placebo| !placebo.holds(0.0)));
        if let Some(effect) = effects[0].effect {
            found.told += share(true);
            found.held += share(effect.holds(portfolio.effect));
            found.mean += effect.value / rounds as f64;
        }
    }
    found
}

/// The difference in differences of all concerned against all others.
fn naive(accounts: &[Account]) -> f64 {
    let mut sums = [(0.0, 0.0); 2];
    for account in accounts {
        let scores = account.facets[0];
        let sum = &mut sums[usize::from(account.concerned)];
        sum.0 += scores.after.unwrap() - scores.before[2].unwrap();
        sum.1 += 1.0;
    }
    sums[1].0 / sums[1].1 - sums[0].0 / sums[0].1
}

#[test]
fn the_interval_of_a_known_effect_holds_it() {
    for selection in [Selection::Chance, Selection::Low, Selection::WereLow] {
        for effect in [0.0, 6.0] {
            let found = many(Portfolio { effect, selection, ..USUAL }, 500);
            eprintln!("{effect}: {found:?}");
            assert!(found.told > 0.999, "{found:?}");
            assert!((0.92..=0.98).contains(&found.held), "{found:?}");
            assert!((found.mean - effect).abs() < 0.5, "{found:?}");
            assert!(found.parted < 0.08, "{found:?}");
            if effect > 0.0 {
                assert!(found.better > 0.7 && found.worse == 0.0, "{found:?}");
            } else {
                assert!(found.better + found.worse < 0.07, "{found:?}");
            }
        }
    }
}

#[test]
fn regression_to_the_mean_is_no_effect() {
    let found = many(USUAL, 500);
    // Whoever takes all others for comparison sees an improvement that is none.
    assert!(found.naive > 3.0, "{found:?}");
    assert!(found.better <= 0.05 && found.worse <= 0.05, "{found:?}");
    // Where all of the lowest are concerned, hardly any are comparable.
    let found = many(Portfolio { selection: Selection::Lowest, ..USUAL }, 200);
    eprintln!("{found:?}");
    assert!(found.naive > 5.0 && found.better <= 0.05 && found.worse <= 0.05, "{found:?}");
}

#[test]
fn who_was_on_another_way_already_shows_no_effect() {
    let found = many(Portfolio { drift: 4.0, selection: Selection::Chance, ..USUAL }, 300);
    eprintln!("{found:?}");
    assert!(found.differ > 0.8, "{found:?}");
}

#[test]
fn who_is_of_another_sort_shows_no_effect() {
    // Matching makes them look as if they had not recovered, and the placebo finds it out.
    let found = many(Portfolio { selection: Selection::Other, ..USUAL }, 300);
    eprintln!("{found:?}");
    assert!(found.mean < -1.0, "{found:?}");
    assert!(found.better + found.worse <= 0.05 + 3.0 * (0.0475_f64 / 300.0).sqrt(), "{found:?}");
}

#[test]
fn of_five_facets_none_is_claimed_by_chance() {
    let found = many(Portfolio { facets: 5, selection: Selection::Chance, ..USUAL }, 300);
    eprintln!("{found:?}");
    assert!(found.better + found.worse <= 0.05 + 3.0 * (0.0475_f64 / 300.0).sqrt(), "{found:?}");
}

#[test]
fn small_groups_are_told_honestly() {
    let found = many(Portfolio { accounts: 90, effect: 6.0, selection: Selection::Chance, ..USUAL }, 500);
    eprintln!("{found:?}");
    assert!(found.held / found.told > 0.92 && found.told > 0.5, "{found:?}");
}

#[test]
fn too_little_to_say_says_why() {
    let mut random = Random(5);
    let mut accounts = Portfolio { effect: 20.0, selection: Selection::Chance, ..USUAL }.draw(&mut random);
    let verdict = |accounts: &[Account]| measure(accounts)[0].verdict;
    assert_eq!(verdict(&accounts), Verdict::Better);
    for account in &mut accounts {
        account.facets[0].before[0] = None;
    }
    assert_eq!(verdict(&accounts), Verdict::TooLittle(Reason::NoEarlierFigures));
    let few: Vec<Account> = accounts.iter().filter(|one| !one.concerned).take(15).cloned().collect();
    let few: Vec<Account> = few.into_iter().chain(accounts.iter().filter(|one| one.concerned).cloned()).collect();
    assert_eq!(verdict(&few), Verdict::TooLittle(Reason::FewComparable));
    let mut left = 9;
    accounts.retain(|account| {
        !account.concerned || {
            left -= 1;
            left >= 0
        }
    });
    assert_eq!(verdict(&accounts), Verdict::TooLittle(Reason::FewConcerned));
    assert_eq!(measure(&[]), []);
}

#[test]
fn who_is_not_assessed_is_left_out_and_counted() {
    let mut accounts = Portfolio { effect: 12.0, selection: Selection::Chance, ..USUAL }.draw(&mut Random(6));
    let concerned = accounts.iter().filter(|account| account.concerned).count();
    let all = measure(&accounts)[0];
    assert_eq!((all.unassessed, all.concerned + all.unmatched), ([0, 0], concerned));
    let mut blank = accounts.clone();
    for account in &mut blank {
        account.facets.clear();
    }
    blank[0].facets.push(Scores { before: [Some(f64::NAN); 3], after: Some(f64::INFINITY) });
    let counts = [concerned, accounts.len() - concerned];
    assert_eq!(measure(&blank)[0].unassessed, counts);
    accounts.extend(blank);
    let more = measure(&accounts)[0];
    assert_eq!(Effect { unassessed: [0, 0], ..more }, all);
    assert_eq!(more.unassessed, counts);
}

#[test]
fn odd_figures_are_answered() {
    let scores = |score: f64| Scores { before: [Some(score); 3], after: Some(score) };
    for odd in [0.0, -1e300, f64::MAX, f64::NAN, f64::INFINITY] {
        let accounts: Vec<Account> = (0..80)
            .map(|at| Account {
                concerned: at % 2 == 0,
                value: if at % 3 == 0 { odd } else { 1.0 },
                age_days: odd,
                activity: -odd,
                facets: vec![scores(odd), scores(50.0)],
            })
            .collect();
        for effect in measure(&accounts) {
            assert!(matches!(effect.verdict, Verdict::TooLittle(_)), "{effect:?}");
            assert!(effect.effect.is_none_or(|one| one.low.is_finite() && one.high.is_finite()));
            assert!([effect.before, effect.after, effect.comparable_after].iter().all(|mean| mean.is_finite()));
        }
    }
}
