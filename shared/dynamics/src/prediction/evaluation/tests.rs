//! Known values, and what must hold of any predictions.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn case(any_order: f64, orders: f64, actual: u32) -> Case {
    let predicted = Predicted { any_order, orders, spend: Some(10.0 * orders) };
    Case::new(predicted, Followed { orders: actual, spend: 12.0 * f64::from(actual) }).unwrap()
}

/// Customers of these chances, who ordered once or not at all.
fn chances(all: &[(f64, u32)]) -> Vec<Case> {
    all.iter().map(|(chance, orders)| case(*chance, *chance, *orders)).collect()
}

fn judged(all: &[(f64, u32)]) -> Chances {
    evaluate(&chances(all)).unwrap().any_order
}

#[track_caller]
fn close(found: f64, known: f64) {
    assert!((found - known).abs() < 1e-12 * known.abs().max(1.0), "{found} is not {known}");
}

#[test]
fn a_small_ranking_is_as_computed_by_hand() {
    // Of three who ordered and four who did not, nine and a half of twelve pairs are in order.
    let found = judged(&[(0.8, 1), (0.6, 1), (0.4, 2), (0.7, 0), (0.3, 0), (0.2, 0), (0.4, 0)]);
    let auc = found.auc.unwrap();
    close(auc.value, 9.5 / 12.0);
    // Placements of those who ordered: 1, 3/4, 5/8; of the others 1/3, 1, 1 and 5/6.
    let mean: f64 = 9.5 / 12.0;
    let of_ordered = [1.0, 0.75, 0.625].iter().map(|place| (place - mean).powi(2)).sum::<f64>() / 2.0 / 3.0;
    let of_others =
        [1.0 / 3.0, 1.0, 1.0, 5.0 / 6.0].iter().map(|place| (place - mean).powi(2)).sum::<f64>() / 3.0 / 4.0;
    close(auc.lower, mean - Estimate::DEVIATION * (of_ordered + of_others).sqrt());
    assert_eq!(auc.upper, 1.0);
    close(found.brier, (0.04 + 0.16 + 0.36 + 0.49 + 0.09 + 0.04 + 0.16) / 7.0);
    let told: [f64; 7] = [0.8, 0.6, 0.4, 0.3, 0.7, 0.8, 0.6];
    close(found.log_loss, -told.iter().map(|told| told.ln()).sum::<f64>() / 7.0);
    // The top tenth is one customer, who ordered.
    close(found.lift.unwrap(), 7.0 / 3.0);
    close(found.expected_rate, 3.4 / 7.0);
    close(found.actual_rate, 3.0 / 7.0);
}

#[test]
fn a_perfect_ranking_of_few_proves_little() {
    let auc = judged(&[(0.9, 1), (0.8, 1), (0.2, 0), (0.1, 0)]).auc.unwrap();
    assert_eq!((auc.value, auc.upper), (1.0, 1.0));
    assert!((0.3..0.6).contains(&auc.lower), "{auc:?}");
    let reversed = judged(&[(0.1, 1), (0.2, 1), (0.8, 0), (0.9, 0)]).auc.unwrap();
    assert_eq!((reversed.value, reversed.lower), (0.0, 0.0));
    close(reversed.upper, 1.0 - auc.lower);
    // With one of each kind the interval is Wilson's of one in one.
    let one = judged(&[(0.9, 1), (0.1, 0)]).auc.unwrap();
    let square = Estimate::DEVIATION.powi(2);
    close(one.lower, 1.0 / (1.0 + square));
    let many: Vec<(f64, u32)> = (0..400).map(|n| (f64::from(n) / 400.0, u32::from(n >= 200))).collect();
    assert!(judged(&many).auc.unwrap().lower > 0.97);
}

#[test]
fn figures_that_do_not_exist_say_why() {
    assert_eq!(evaluate(&[]), Err(Undefined::NoCustomers));
    let nobody = evaluate(&[case(0.2, 0.3, 0), case(0.1, 0.1, 0)]).unwrap();
    assert_eq!(nobody.any_order.auc, Err(Undefined::NobodyOrdered));
    assert_eq!(nobody.any_order.lift, Err(Undefined::NobodyOrdered));
    assert_eq!(nobody.orders.bias, Err(Undefined::NothingFollowed));
    assert_eq!(nobody.orders.captured, Err(Undefined::NothingFollowed));
    assert_eq!(nobody.orders.correlation, Err(Undefined::AllAlike));
    close(nobody.any_order.log_loss, -(0.8f64.ln() + 0.9f64.ln()) / 2.0);
    let everybody = judged(&[(0.2, 1), (0.1, 3)]);
    assert_eq!((everybody.auc, everybody.lift), (Err(Undefined::EverybodyOrdered), Ok(1.0)));
    let without = Predicted { any_order: 0.5, orders: 1.0, spend: None };
    let mut cases = vec![case(0.5, 1.0, 1)];
    assert!(evaluate(&cases).unwrap().spend.is_some());
    cases.push(Case::new(without, Followed { orders: 0, spend: 0.0 }).unwrap());
    assert_eq!(evaluate(&cases).unwrap().spend, None);
}

#[test]
fn no_number_makes_no_case() {
    let new = |any_order, orders, spend, actual| {
        let predicted = Predicted { any_order, orders, spend };
        Case::new(predicted, Followed { orders: 1, spend: actual }).err()
    };
    for chance in [f64::NAN, -0.1, 1.1] {
        assert_eq!(new(chance, 1.0, None, 1.0), Some(CaseError::Chance));
    }
    for amount in [f64::NAN, -0.1, f64::INFINITY] {
        assert_eq!(new(0.5, amount, None, 1.0), Some(CaseError::Amount));
        assert_eq!(new(0.5, 1.0, Some(amount), 1.0), Some(CaseError::Amount));
        assert_eq!(new(0.5, 1.0, None, amount), Some(CaseError::Amount));
    }
    assert_eq!(new(0.0, 0.0, Some(Case::MAX_AMOUNT), Case::MAX_AMOUNT), None);
}

#[test]
fn certainty_that_fails_costs_a_bounded_loss() {
    let found = judged(&[(0.0, 1), (1.0, 1), (1.0, 0)]);
    let most = -Chances::CLIP.ln();
    close(found.log_loss, 2.0 * most / 3.0);
    close(found.brier, 2.0 / 3.0);
}

#[test]
fn amounts_are_as_computed_by_hand() {
    let cases = [case(0.1, 0.5, 0), case(0.2, 1.0, 2), case(0.3, 3.0, 1), case(0.4, 1.5, 1)];
    let Evaluation { orders, spend, .. } = evaluate(&cases).unwrap();
    close(orders.mae, (0.5 + 1.0 + 2.0 + 0.5) / 4.0);
    close(orders.rmse, ((0.25 + 1.0 + 4.0 + 0.25) / 4.0f64).sqrt());
    close(orders.bias.unwrap(), 0.5);
    // Deviations -1, -1/2, 3/2, 0 and -1, 1, 0, 0.
    close(orders.correlation.unwrap(), 0.5 / (3.5f64 * 2.0).sqrt());
    // The one with the highest prediction ordered once, the best ordered twice.
    close(orders.captured.unwrap(), 0.5);
    let spend = spend.unwrap();
    close(spend.actual_total, 48.0);
    close(spend.expected_total, 60.0);
    close(spend.bias.unwrap(), 0.25);
}

#[test]
fn bins_are_of_equal_count_and_share_out_what_is_alike() {
    // 25 customers in three levels: bins of 2 and 3, of which two straddle levels.
    let cases: Vec<(f64, u32)> =
        (0..25).map(|n| ([0.1, 0.4, 0.8][n / 9], u32::from(n % 9 < [1, 4, 6][n / 9]))).collect();
    let found = judged(&cases);
    let counts: Vec<u64> = found.reliability.iter().map(|bin| bin.customers).collect();
    assert_eq!(counts, [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]);
    close(found.reliability[0].actual.value, 1.0 / 9.0);
    close(found.reliability[3].predicted, (2.0 * 0.1 + 0.4) / 3.0);
    close(found.reliability[3].actual.value, (2.0 / 9.0 + 4.0 / 9.0) / 3.0);
    let ordered: f64 = found.reliability.iter().map(|bin| bin.customers as f64 * bin.actual.value).sum();
    close(ordered, 11.0);
    // Wilson's interval of 4 in 10 as published widely: 0.168 to 0.687.
    let ten = judged(&[(0.4, 1); 40].iter().chain(&[(0.4, 0); 60]).copied().collect::<Vec<_>>());
    let bin = ten.reliability[0];
    assert_eq!(bin.customers, 10);
    assert!((bin.actual.lower - 0.1682).abs() < 5e-5 && (bin.actual.upper - 0.6873).abs() < 5e-5, "{bin:?}");
    close(ten.calibration_error, 0.0);
    close(ten.lift.unwrap(), 1.0);
    assert_eq!(ten.auc, Ok(Estimate { value: 0.5, lower: 0.5, upper: 0.5 }));
    assert_eq!(judged(&[(0.4, 1), (0.3, 0), (0.2, 1)]).reliability.len(), 3);
}

#[test]
fn only_the_same_customers_are_compared() {
    let (one, other) = (chances(&[(0.3, 1), (0.2, 0)]), chances(&[(0.3, 1), (0.2, 1)]));
    assert_eq!(compare(&one, &other), Err(CompareError::NotTheSame));
    assert_eq!(compare(&one, &one[..1]), Err(CompareError::NotTheSame));
    assert_eq!(compare(&one[..1], &one[..1]), Err(CompareError::TooFew));
    let same = compare(&one, &one).unwrap();
    assert_eq!(same.log_loss, Estimate { value: 0.0, lower: 0.0, upper: 0.0 });
    assert_eq!(same.auc, Err(Undefined::TooFew));
}

#[test]
fn a_comparison_is_as_computed_by_hand() {
    let one = chances(&[(0.8, 1), (0.4, 1), (0.3, 0), (0.2, 0)]);
    let other = chances(&[(0.5, 1), (0.4, 1), (0.45, 0), (0.2, 0)]);
    let found = compare(&one, &other).unwrap();
    let differences = [(0.5f64 / 0.8).ln(), 0.0, (0.55f64 / 0.7).ln(), 0.0];
    let mean = differences.iter().sum::<f64>() / 4.0;
    let variance = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 3.0 / 4.0;
    close(found.log_loss.value, mean);
    close(found.log_loss.upper, mean + Estimate::DEVIATION * variance.sqrt());
    close(found.brier.value, (0.04 - 0.25 + 0.09 - 0.2025) / 4.0);
    // The other has one of four pairs in the wrong order; the differences are 0 and 1/2 in each kind.
    let auc = found.auc.unwrap();
    close(auc.value, 0.25);
    close(auc.lower, 0.25 - Estimate::DEVIATION * (2.0f64 * 0.125 / 2.0).sqrt());
}

/// Chances with ties, and at the ends.
fn any_cases() -> impl Strategy<Value = Vec<Case>> {
    let chance = prop_oneof![0.0..=1.0f64, (0..=5u32).prop_map(|fifths| f64::from(fifths) / 5.0)];
    let orders = prop_oneof![0.0..=20.0f64, (0..3u32).prop_map(f64::from)];
    let actual = prop_oneof![Just(0u32), 0..4u32];
    vec((chance, orders, actual).prop_map(|(chance, orders, actual)| case(chance, orders, actual)), 1..60)
}

fn finite(figure: &Figure<f64>) -> bool {
    figure.is_ok_and(f64::is_finite) || figure.is_err()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn figures_are_in_range_whatever_the_order(cases in any_cases(), by in 0..60usize) {
        let found = evaluate(&cases).unwrap();
        let Chances { brier, log_loss, calibration_error, lift, reliability, auc, .. } = &found.any_order;
        prop_assert!((0.0..=1.0).contains(brier) && (0.0..35.0).contains(log_loss));
        prop_assert!((0.0..=1.0).contains(calibration_error) && finite(lift));
        prop_assert_eq!(reliability.iter().map(|bin| bin.customers).sum::<u64>(), found.customers);
        for bin in reliability {
            let Estimate { value, lower, upper } = bin.actual;
            prop_assert!(0.0 <= lower && lower <= value && value <= upper && upper <= 1.0, "{:?}", bin);
        }
        if let Ok(Estimate { value, lower, upper }) = auc {
            prop_assert!(0.0 <= *lower && lower <= value && value <= upper && *upper <= 1.0, "{:?}", auc);
        }
        for amounts in [&found.orders, found.spend.as_ref().unwrap()] {
            prop_assert!(amounts.mae <= amounts.rmse * (1.0 + 1e-12));
            prop_assert!(finite(&amounts.bias));
            prop_assert!(amounts.correlation.is_err() || amounts.correlation.is_ok_and(|r| r.abs() <= 1.0));
            prop_assert!(amounts.captured.is_err() || amounts.captured.is_ok_and(|share| (0.0..=1.0).contains(&share)));
        }
        let mut moved = cases.clone();
        moved.rotate_left(by % cases.len());
        moved.reverse();
        prop_assert_eq!(&evaluate(&moved).unwrap(), &found);
    }

    #[test]
    fn the_area_counts_pairs_and_knows_only_ranks(cases in any_cases()) {
        let Ok(auc) = evaluate(&cases).unwrap().any_order.auc else { return Ok(()) };
        let (mut pairs, mut right) = (0.0, 0.0);
        for one in cases.iter().filter(|case| case.ordered()) {
            for other in cases.iter().filter(|case| !case.ordered()) {
                pairs += 1.0;
                let (one, other) = (one.predicted.any_order, other.predicted.any_order);
                right += if one > other { 1.0 } else if one == other { 0.5 } else { 0.0 };
            }
        }
        prop_assert!((auc.value - right / pairs).abs() < 1e-12);
        let other = |f: fn(f64) -> f64| -> Vec<Case> {
            cases.iter().map(|of| {
                let predicted = Predicted { any_order: f(of.predicted.any_order), ..of.predicted };
                Case::new(predicted, of.followed).unwrap()
            }).collect()
        };
        // Halving is exact, so it keeps ties and makes none.
        let halved = evaluate(&other(|chance| chance / 2.0)).unwrap().any_order.auc.unwrap();
        prop_assert_eq!(halved, auc);
    }

    #[test]
    fn a_comparison_the_other_way_is_the_opposite(cases in any_cases(), shift in 0.0..0.5f64) {
        let other: Vec<Case> = cases.iter().enumerate().map(|(n, of)| {
            let chance = (of.predicted.any_order + if n % 3 == 0 { shift } else { -shift }).clamp(0.0, 1.0);
            Case::new(Predicted { any_order: chance, ..of.predicted }, of.followed).unwrap()
        }).collect();
        let (Ok(there), Ok(back)) = (compare(&cases, &other), compare(&other, &cases)) else { return Ok(()) };
        let opposite = |one: Estimate, other: Estimate| {
            (one.value + other.value).abs() < 1e-9 && (one.lower + other.upper).abs() < 1e-9
        };
        prop_assert!(opposite(there.log_loss, back.log_loss) && opposite(there.brier, back.brier));
        let (one, two) = (evaluate(&cases).unwrap().any_order, evaluate(&other).unwrap().any_order);
        prop_assert!((there.log_loss.value - (one.log_loss - two.log_loss)).abs() < 1e-9);
        if let (Ok(there), Ok(back)) = (there.auc, back.auc) {
            prop_assert!(opposite(there, back));
            prop_assert!((there.value - (one.auc.unwrap().value - two.auc.unwrap().value)).abs() < 1e-9);
        }
    }
}
