//! Simulated portfolios whose truth is known, and what holds whatever the cases are.

use proptest::prelude::*;

use super::logistic::{logistic, slope};
use super::predict::SplitMix;
use super::*;
use crate::decay::DAY;

/// Both questions' coefficients, drawn from the prior.
struct Truth {
    asking: Vec<f64>,
    staying: Vec<f64>,
}

struct World {
    random: SplitMix,
    truth: Truth,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = SplitMix(seed);
        let prior = Prior::default();
        let mut draw = |beliefs: &[Belief]| -> Vec<f64> {
            beliefs.iter().map(|belief| belief.mean + belief.deviation * normal(&mut random)).collect()
        };
        let truth = Truth { asking: draw(prior.asking()), staying: draw(prior.staying()) };
        World { random, truth }
    }

    fn uniform(&mut self) -> f64 {
        uniform(&mut self.random)
    }

    fn standing(&mut self) -> Standing {
        let mut score = |mean: f64, deviation: f64| Scored {
            score: (mean + deviation * normal(&mut self.random)).clamp(0.0, 100.0),
            deviation: 0.0,
        };
        let bond = score(60.0, 13.0);
        let mut facet = || score(bond.score, 10.0);
        let (trust, loyalty, value) = (facet(), facet(), facet());
        let velocity = 5.0 * normal(&mut self.random);
        let conflict = (self.uniform() - 0.6).max(0.0) * 2.0;
        let mut count = || (self.uniform() * 3.0) as u32;
        let record = Record { open: count(), closed: count(), stayed: count(), split: 0, left: count() };
        Standing { bond, trust, loyalty, value, velocity, conflict, record }
    }

    fn asks(&self, standing: &Standing) -> f64 {
        chance(Prior::default().asking(), &self.truth.asking, &standing.asking(0.0))
    }

    fn stays(&self, standing: &Standing, countered: bool) -> f64 {
        chance(Prior::default().staying(), &self.truth.staying, &standing.staying(0.0, countered))
    }

    /// One offer a day, each decided within a month.
    fn cases(&mut self, count: i64) -> Vec<Case> {
        (0..count).map(|day| self.case(day)).collect()
    }

    fn case(&mut self, day: i64) -> Case {
        let standing = self.standing();
        let asked = self.uniform() < self.asks(&standing);
        let countered = self.uniform() < if asked { 0.7 } else { 0.05 };
        let stays = self.uniform() < self.stays(&standing, countered);
        let after = (1.0 + 30.0 * self.uniform()) as i64;
        let offer = Offer {
            learned_at: day * DAY,
            disclosed: Some(asked),
            counter_chance: Some(asked),
            countered_at: countered.then_some(day * DAY),
            ending: Some(if stays { Ending::Stayed } else { Ending::Left }),
            ended_at: (day + after) * DAY,
        };
        Case::new(&offer, standing)
    }
}

fn chance(beliefs: &[Belief], truth: &[f64], features: &[f64]) -> f64 {
    let slopes = beliefs.iter().zip(truth).map(|(belief, truth)| slope(belief.form, *truth));
    logistic(slopes.zip(features).map(|(slope, feature)| slope * feature).sum())
}

fn uniform(random: &mut SplitMix) -> f64 {
    (random.next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(random: &mut SplitMix) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(random)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// The mean log-loss to be expected of a chance when this is the true one.
fn expected_loss(truth: f64, told: f64) -> f64 {
    -truth * told.ln() - (1.0 - truth) * (1.0 - told).ln()
}

#[test]
fn intervals_of_coefficients_hold_the_truth_as_often_as_they_say() {
    let (mut held, mut all) = ([0; 13], 0);
    for seed in 0..150 {
        let mut world = World::new(seed);
        let posterior = fit(&Prior::default(), &world.cases(120));
        let truths = world.truth.asking.iter().chain(&world.truth.staying);
        let found = posterior.asking.each().chain(posterior.staying.each());
        for (which, (truth, found)) in truths.zip(found).enumerate() {
            held[which] += u32::from((truth - found.mean).abs() <= 1.96 * found.deviation);
        }
        all += 1;
    }
    let shares = held.map(|held| f64::from(held) / f64::from(all));
    // Three standard errors of a share of .95 are .053 in 150 and .015 in 1,950.
    assert!(shares.iter().all(|share| (0.89..=1.0).contains(share)), "{shares:?}");
    let mean = shares.iter().sum::<f64>() / 13.0;
    assert!((0.935..0.965).contains(&mean), "{mean}");
}

#[test]
fn chances_are_learned_and_their_intervals_hold_the_true_ones() {
    let sizes = [0, 30, 300, 1_500];
    let (mut excess, mut width, mut held, mut told) = ([0.0; 4], [0.0; 4], [0.0; 4], 0.0);
    let mut at_truth = 0.0;
    for seed in 1_000..1_008 {
        let mut world = World::new(seed);
        let cases = world.cases(1_500);
        let standings: Vec<Standing> = (0..100).map(|_| world.standing()).collect();
        let predictors = sizes.map(|size| fit(&Prior::default(), &cases[..size]).predictor());
        for standing in &standings {
            let truths = [world.asks(standing), world.stays(standing, false), world.stays(standing, true)];
            told += truths.len() as f64;
            at_truth += truths.iter().map(|truth| expected_loss(*truth, *truth)).sum::<f64>();
            for (size, predictor) in predictors.iter().enumerate() {
                let contest = predictor.contest(standing);
                let found = [contest.counter, contest.stay_alone, contest.stay_countered];
                for (truth, found) in truths.into_iter().zip(found) {
                    excess[size] += expected_loss(truth, found.chance) - expected_loss(truth, truth);
                    width[size] += found.high - found.low;
                    held[size] += f64::from(u8::from(found.low <= truth && truth <= found.high));
                }
            }
        }
    }
    let share_of_truth = excess.map(|excess| excess / at_truth);
    assert!(excess.windows(2).all(|pair| pair[1] < 0.6 * pair[0]), "{share_of_truth:?}");
    assert!(share_of_truth[2] < 0.05 && share_of_truth[3] < 0.01, "{share_of_truth:?}");
    assert!(width.windows(2).all(|pair| pair[1] < 0.7 * pair[0]), "{width:?}");
    let mean_width = width.map(|width| width / told);
    assert!(mean_width[0] > 0.6 && mean_width[3] < 0.1, "{mean_width:?}");
    // Chances of one portfolio go together, so eight portfolios say little more than thirty draws.
    assert!(held.iter().all(|held| (0.87..=1.0).contains(&(held / told))), "{held:?} of {told}");
}

#[test]
fn a_truth_that_the_prior_did_not_expect_is_learned_too() {
    // Nothing but the bond matters, and all else is next to nothing.
    let (mut told, mut base, mut truth) = ([0.0; 2], [0.0; 2], 0.0);
    for seed in 3_000..3_006 {
        let mut world = World::new(seed);
        world.truth.staying = vec![0.3, 0.4, -5.0, -5.0, -5.0, -5.0, -5.0, -5.0];
        let cases = world.cases(1_000);
        let standings: Vec<Standing> = (0..100).map(|_| world.standing()).collect();
        for (which, size) in [100, 1_000].into_iter().enumerate() {
            let known = &cases[..size];
            let rate = known.iter().map(|case| case.ending.unwrap().share()).sum::<f64>() / size as f64;
            let predictor = fit(&Prior::default(), known).predictor();
            for standing in &standings {
                let stays = world.stays(standing, false);
                told[which] += expected_loss(stays, predictor.contest(standing).stay_alone.chance);
                base[which] += expected_loss(stays, rate);
            }
        }
        truth +=
            standings.iter().map(|standing| world.stays(standing, false)).map(|p| expected_loss(p, p)).sum::<f64>();
    }
    assert!(told[0] < base[0] && told[0] < 1.06 * truth, "{told:?} {base:?} {truth}");
    assert!(told[1] < base[1] && told[1] < 1.02 * truth, "{told:?} {base:?} {truth}");
}

#[test]
fn a_calibration_report_tells_what_was_gained() {
    for seed in 2_000..2_002 {
        let mut world = World::new(seed);
        let means = |beliefs: &[Belief]| beliefs.iter().map(|belief| belief.mean).collect();
        let prior = Prior::default();
        world.truth = Truth { asking: means(prior.asking()), staying: means(prior.staying()) };
        let cases = world.cases(600);
        let Calibration { asking, staying } = calibrate(&Prior::default(), &cases);
        for question in [&asking, &staying] {
            let figures = question.figures.unwrap();
            assert!(question.cases == 600 && question.enough && question.bins.len() == 5);
            assert!(figures.gain > 3.0 * figures.gain_error, "{figures:?}");
            assert!((figures.base_log_loss - figures.log_loss - figures.gain).abs() < 1e-12);
            assert!(figures.brier < figures.base_brier && figures.calibration_error < 0.07, "{figures:?}");
            let right = |bin: &&Bin| (bin.low..=bin.high).contains(&bin.predicted);
            assert!(question.bins.iter().filter(right).count() >= 4, "{:?}", question.bins);
            assert!(question.bins.windows(2).all(|pair| pair[0].predicted < pair[1].predicted));
        }
    }
}

#[test]
fn a_calibration_report_is_the_same_in_any_order() {
    let mut cases = World::new(2_010).cases(120);
    let report = calibrate(&Prior::default(), &cases);
    cases.reverse();
    assert_eq!(calibrate(&Prior::default(), &cases), report);
}

#[test]
fn a_case_is_foretold_by_none_but_what_was_known_before_it() {
    let mut world = World::new(7);
    let mut cases = world.cases(40);
    // All learned of at once: nothing is known before any of them.
    cases.iter_mut().for_each(|case| case.learned_at = 0);
    let Calibration { asking, staying: report } = calibrate(&Prior::default(), &cases);
    assert!((asking.figures.unwrap().base_log_loss - std::f64::consts::LN_2).abs() < 1e-12);
    let prior = fit(&Prior::default(), &[]).predictor();
    let by_hand: f64 = cases
        .iter()
        .map(|case| {
            let contest = prior.contest(&case.standing);
            let told = if case.countered { contest.stay_countered } else { contest.stay_alone };
            expected_loss(case.ending.unwrap().share(), told.chance)
        })
        .sum::<f64>()
        / 40.0;
    let figures = report.figures.unwrap();
    assert!((figures.log_loss - by_hand).abs() < 1e-12);
    assert!((figures.base_log_loss - std::f64::consts::LN_2).abs() < 1e-12);

    // An ending that comes later than all other offers changes nothing but its own loss.
    let mut late = world.cases(60);
    late[0].ended_at = 1_000 * DAY;
    let with = |ending| {
        let mut cases = late.clone();
        cases[0].ending = Some(ending);
        let figures = calibrate(&Prior::default(), &cases).staying.figures.unwrap();
        60.0 * figures.log_loss
    };
    let contest = prior.contest(&late[0].standing);
    let told = if late[0].countered { contest.stay_countered } else { contest.stay_alone };
    let own = expected_loss(1.0, told.chance) - expected_loss(0.0, told.chance);
    assert!((with(Ending::Stayed) - with(Ending::Left) - own).abs() < 1e-9);
}

#[test]
fn few_cases_are_said_to_be_few() {
    let mut world = World::new(11);
    let none = calibrate(&Prior::default(), &[]);
    assert!(none.staying.figures.is_none() && none.staying.bins.is_empty() && !none.staying.enough);
    for (count, enough) in [(1, false), (29, false), (30, true)] {
        let report = calibrate(&Prior::default(), &world.cases(count)).staying;
        assert_eq!((report.cases as i64, report.enough), (count, enough));
        let figures = report.figures.unwrap();
        assert!(figures.log_loss.is_finite() && figures.gain_error.is_finite());
        for bin in report.bins {
            assert!(0.0 <= bin.low && bin.low <= bin.observed && bin.observed <= bin.high && bin.high <= 1.0);
        }
    }
}

#[test]
fn bins_never_part_equal_chances() {
    // One standing and no countering: at any time all have the same chance, and at the start many
    // have that of the prior.
    let mut world = World::new(3);
    let standing = world.standing();
    let mut cases = world.cases(60);
    for (n, case) in cases.iter_mut().enumerate() {
        (case.standing, case.countered) = (standing, false);
        (case.learned_at, case.ended_at) = if n < 40 { (0, DAY) } else { (2 * DAY, 3 * DAY) };
    }
    let report = calibrate(&Prior::default(), &cases).staying;
    let mut sizes: Vec<u64> = report.bins.iter().map(|bin| bin.cases).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 40]);
}

#[test]
fn nobody_who_left_and_cases_that_part_cleanly_end_finite() {
    let mut world = World::new(13);
    let cases = world.cases(500);
    let ended = |cases: &[Case], ending: &dyn Fn(&Case) -> Ending| -> Vec<Case> {
        cases.iter().map(|case| Case { ending: Some(ending(case)), ..*case }).collect()
    };
    let parted = |case: &Case| if case.standing.bond.score > 60.0 { Ending::Stayed } else { Ending::Left };
    let perverse = |case: &Case| if case.standing.bond.score > 60.0 { Ending::Left } else { Ending::Stayed };
    let degenerate = [
        ended(&cases, &|_| Ending::Stayed),
        ended(&cases, &|_| Ending::Left),
        ended(&cases, &|_| Ending::Split),
        ended(&cases, &parted),
        ended(&cases, &perverse),
        ended(&cases[..1], &|_| Ending::Left),
        vec![cases[0]; 10_000],
        vec![],
    ];
    for (which, cases) in degenerate.iter().enumerate() {
        let posterior = fit(&Prior::default(), cases);
        for coefficient in posterior.staying.each().chain(posterior.asking.each()) {
            assert!(coefficient.mean.abs() < 50.0, "{which}: {coefficient:?}");
            assert!(coefficient.deviation > 0.0 && coefficient.deviation <= 1.5 * 1.5, "{which}: {coefficient:?}");
        }
        let contest = posterior.predictor().contest(&world.standing());
        for chance in [contest.counter, contest.stay_alone, contest.stay_countered, contest.stay] {
            assert!(0.0 <= chance.low && chance.low <= chance.chance, "{which}: {chance:?}");
            assert!(chance.chance <= chance.high && chance.high <= 1.0, "{which}: {chance:?}");
        }
    }
    let middling = World::new(1).standing();
    let stay = |which: usize| fit(&Prior::default(), &degenerate[which]).predictor().contest(&middling).stay;
    assert!(stay(0).low > 0.9 && stay(1).high < 0.1);
    assert!((stay(2).chance - 0.5).abs() < 0.1);
    // One case moves the chance somewhat, and hardly the interval.
    assert!(stay(5).chance < stay(7).chance && stay(5).high - stay(5).low > 0.5);
}

#[test]
fn the_order_of_cases_makes_no_difference_to_the_last_bit() {
    let mut world = World::new(17);
    let cases = world.cases(200);
    let posterior = fit(&Prior::default(), &cases);
    let mut mixed = cases;
    for last in (1..mixed.len()).rev() {
        let other = (world.uniform() * (last + 1) as f64) as usize;
        mixed.swap(last, other);
    }
    assert_eq!(fit(&Prior::default(), &mixed).encode(), posterior.encode());
}

#[test]
fn a_posterior_comes_back_as_it_was_and_nothing_else_does() {
    let posterior = fit(&Prior::default(), &World::new(19).cases(77));
    assert_eq!(posterior.staying.cases(), 77);
    let bytes = posterior.encode();
    let back = Posterior::decode(&bytes).unwrap();
    assert_eq!(back, posterior);
    assert_eq!(back.encode(), bytes);
    let standing = World::new(20).standing();
    assert_eq!(back.predictor().contest(&standing), posterior.predictor().contest(&standing));
    for end in 0..bytes.len() {
        assert!(Posterior::decode(&bytes[..end]).is_err(), "{end}");
    }
    assert!(Posterior::decode(&[bytes.clone(), vec![0]].concat()).is_err());
    let mut wild = bytes;
    let last = wild.len() - 8;
    wild[last..].copy_from_slice(&(-1.0_f64).to_bits().to_le_bytes());
    assert!(Posterior::decode(&wild).is_err(), "no negative variance");
}

#[test]
fn offers_that_are_open_or_unknown_teach_nothing_of_what_they_do_not_say() {
    let mut world = World::new(23);
    let cases = world.cases(50);
    let posterior = fit(&Prior::default(), &cases);
    let with = |asked, ending| {
        let mut cases = cases.clone();
        cases.extend(cases.clone().iter().map(|case| Case { asked, ending, ..*case }));
        fit(&Prior::default(), &cases)
    };
    assert_eq!(with(None, None), posterior);
    let open = with(Some(true), None);
    assert!(open.staying == posterior.staying && open.asking.mean()[0] > posterior.asking.mean()[0]);
    let unknown = with(None, Some(Ending::Left));
    assert!(unknown.asking == posterior.asking && unknown.staying.mean()[0] < posterior.staying.mean()[0]);
}

#[test]
fn an_accounts_own_offers_count_beyond_the_tenants() {
    let mut world = World::new(29);
    let predictor = fit(&Prior::default(), &world.cases(400)).predictor();
    let standing = world.standing();
    let with = |record| predictor.contest(&Standing { record, ..standing });
    let fresh = with(Record::default());
    let true_one = with(Record { open: 3, stayed: 3, ..Record::default() });
    let fickle = with(Record { closed: 3, left: 3, ..Record::default() });
    assert!(true_one.counter.chance > fresh.counter.chance && fresh.counter.chance > fickle.counter.chance);
    assert!(true_one.stay.chance > fresh.stay.chance && fresh.stay.chance > fickle.stay.chance);
}

#[test]
fn to_stay_is_to_be_asked_and_countered_or_to_stay_alone() {
    let mut world = World::new(37);
    let predictor = fit(&Prior::default(), &world.cases(3_000)).predictor();
    for _ in 0..50 {
        let Contest { counter, stay_alone, stay_countered, stay } = predictor.contest(&world.standing());
        let both = counter.chance * stay_countered.chance + (1.0 - counter.chance) * stay_alone.chance;
        assert!((stay.chance - both).abs() < 0.002, "{} {both}", stay.chance);
    }
}

#[test]
fn a_position_is_told_when_its_bounds_lie_no_further_apart_than_neighbours() {
    let contest = |low, chance, high| {
        let of = Chance { chance, low, high };
        Contest { counter: of, stay_alone: of, stay_countered: of, stay: of }
    };
    assert_eq!(contest(0.55, 0.72, 0.85).position(), Some(Position::Resilient));
    assert_eq!(contest(0.55, 0.72, 0.85).range(), [Position::Contestable, Position::Resilient, Position::Resilient]);
    assert_eq!(contest(0.75, 0.92, 0.95).position(), Some(Position::BeyondCompetition));
    assert_eq!(contest(0.45, 0.6, 0.72).position(), None);
    assert_eq!(contest(0.55, 0.72, 0.91).position(), None);
}

#[test]
fn positions_are_told_only_when_the_cases_are_enough() {
    let mut world = World::new(31);
    let cases = world.cases(2_000);
    let standings: Vec<Standing> = (0..200).map(|_| world.standing()).collect();
    let told = |count: usize| {
        let predictor = fit(&Prior::default(), &cases[..count]).predictor();
        standings.iter().filter(|standing| predictor.contest(standing).position().is_some()).count()
    };
    let counts = [0, 20, 200, 2_000].map(told);
    assert!(counts[0] < 20 && counts[3] == 200 && counts.is_sorted(), "{counts:?}");
    let predictor = fit(&Prior::default(), &cases).predictor();
    let at = |deviation| {
        let sure = Standing { bond: Scored { score: 60.0, deviation }, ..standings[0] };
        let stay = predictor.contest(&sure).stay;
        stay.high - stay.low
    };
    assert!(at(15.0) > at(5.0) && at(5.0) > at(0.0), "an unsure score makes the interval wide");
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let score = (0.0..=100.0, 0.0..=20.0).prop_map(|(score, deviation)| Scored { score, deviation });
    let scores = [score.clone(), score.clone(), score.clone(), score];
    let record = prop::array::uniform5(0_u32..4);
    (scores, -40.0..40.0, 0.0..=1.0, record).prop_map(|([bond, trust, loyalty, value], velocity, conflict, record)| {
        let [open, closed, stayed, split, left] = record;
        let record = Record { open, closed, stayed, split, left };
        Standing { bond, trust, loyalty, value, velocity, conflict, record }
    })
}

fn any_cases() -> impl Strategy<Value = Vec<Case>> {
    let case = (any_standing(), prop::option::of(any::<bool>()), any::<bool>(), 0..4_usize, 0..100_i64, 0..50_i64);
    let case = case.prop_map(|(standing, asked, countered, ending, day, after)| Case {
        learned_at: day * DAY,
        ended_at: (day + after) * DAY,
        standing,
        asked,
        countered,
        ending: Ending::ALL.get(ending).copied(),
    });
    prop::collection::vec(case, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_better_standing_is_never_a_worse_position(
        cases in any_cases(),
        standing in any_standing(),
        rises in prop::array::uniform4(0.0..60.0),
        faster in 0.0..20.0,
    ) {
        let predictor = fit(&Prior::default(), &cases).predictor();
        let risen = |scored: Scored, rise: f64| Scored { score: scored.score + rise, ..scored };
        let better = Standing {
            bond: risen(standing.bond, rises[0]),
            trust: risen(standing.trust, rises[1]),
            loyalty: risen(standing.loyalty, rises[2]),
            value: risen(standing.value, rises[3]),
            velocity: standing.velocity + faster,
            ..standing
        };
        let (was, is) = (predictor.contest(&standing), predictor.contest(&better));
        let chances = |contest: Contest| {
            [contest.counter, contest.stay_alone, contest.stay_countered, contest.stay]
                .map(|chance| [chance.low, chance.chance, chance.high])
        };
        for (was, is) in chances(was).into_iter().flatten().zip(chances(is).into_iter().flatten()) {
            prop_assert!(is >= was - 1e-12, "{} to {}", was, is);
        }
        for (was, is) in was.range().into_iter().zip(is.range()) {
            prop_assert!(is >= was);
        }
        prop_assert!(was.range().is_sorted());
        prop_assert!(was.stay_alone.chance <= was.stay.chance + 1e-12);
        prop_assert!(was.stay.chance <= was.stay_countered.chance + 1e-12);
    }

    #[test]
    fn reports_of_any_cases_are_finite(cases in any_cases()) {
        let Calibration { asking, staying } = calibrate(&Prior::default(), &cases);
        for question in [asking, staying] {
            prop_assert_eq!(question.bins.iter().map(|bin| bin.cases).sum::<u64>(), question.cases);
            if let Some(figures) = question.figures {
                let all = [figures.log_loss, figures.brier, figures.gain, figures.gain_error];
                prop_assert!(all.iter().all(|figure| figure.is_finite()));
                prop_assert!((0.0..=1.0).contains(&figures.calibration_error));
            }
        }
    }
}
