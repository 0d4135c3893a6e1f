//! What would be: suppositions, and models that are tried on a portfolio.

use std::{collections::BTreeSet, sync::Arc};

use contracts::assessments::v1::*;
use dynamics::Model as Weights;
use futures_util::{StreamExt as _, TryStreamExt as _};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use wording::{Language, Words};

use super::history::{ACCOUNTS, Events, SEGMENTS, TENANTS, history};
use super::properties::holds;
use super::{NOW, Place, recorded};
use crate::evidence::tests::resources::SPAN;
use crate::picture::Moment;
use crate::simulate::{Supposal, read_suppositions};
use crate::told::ACCOUNT;
use crate::trial::Trial;

/// Half-lives of models that are tried: the default model's own, and others.
const DAYS: [[&str; 2]; 3] = [
    ["slow_days = 180", "fast_days = 45"],
    ["slow_days = 60", "fast_days = 10"],
    ["slow_days = 720", "fast_days = 90"],
];

/// A model that is tried: it sees expansion with the first order.
fn tried(days: [&str; 2]) -> Arc<Weights> {
    let mut document = recorded("tried", days).document.to_string();
    for (threshold, least) in [("expansion_order_days = ", "1"), ("expansion_bond = ", "0.0")] {
        let start = document.find(threshold).unwrap() + threshold.len();
        let end = start + document[start..].find('\n').unwrap();
        document.replace_range(start..end, least);
    }
    Arc::new(Weights::parse(&document).unwrap())
}

fn english() -> &'static Words {
    Words::of(Language::English)
}

#[test]
fn a_trial_comes_to_what_single_simulations_come_to() {
    let segment = prop_oneof![Just(None), (0..SEGMENTS.len()).prop_map(Some)];
    let as_of = prop_oneof![3 => Just(None), 1 => (0..SPAN).prop_map(Some)];
    let trials = (history(Events::All), 0..DAYS.len(), segment, 1..4_i64, as_of);
    holds(30, trials, async |place, (history, days, segment, accounts_per_message, as_of)| {
        let moment = Moment { as_of: *as_of, known_at: None };
        place.clock.set(SPAN + 1_000);
        place.apply(history).await;
        let kept = place.kept().await;
        let tried = tried(DAYS[*days]);
        let segment = segment.map(|segment| SEGMENTS[segment].to_owned());
        for tenant in TENANTS {
            let mut movements = Vec::new();
            let mut total_count = 0;
            for ((of, account), (_, of_segment, _)) in &kept.ledgers {
                if of != tenant || segment.as_ref().is_some_and(|segment| segment != of_segment) {
                    continue;
                }
                total_count += 1;
                let picture = place.gallery().find_all(tenant, &[account], moment).await.unwrap().remove(0);
                // Nothing may have been known of it then.
                if let Some(picture) = picture {
                    let told = place
                        .gallery()
                        .simulate(
                            picture,
                            &Supposal { other_model: Some(tried.clone()), ..Supposal::default() },
                            None,
                            english(),
                        )
                        .await
                        .unwrap();
                    assert_adds_up(&told)?;
                    movements.push(movement(account, &told));
                }
            }
            let trial = Trial::begin(place.gallery(), tenant, segment.clone(), tried.clone(), moment).await.unwrap();
            let mut trial = trial.naming(3);
            trial.accounts_per_message = *accounts_per_message;
            let mut told: Vec<TryModelResponse> = trial.answers().try_collect().await.unwrap();
            let last = told.pop().unwrap();
            prop_assert_eq!(last.assess_time, Some(methods::from_micros(as_of.unwrap_or(SPAN + 1_000))));
            for (index, message) in (1..).zip(&told) {
                let assessed_count = message.assessed_count;
                let expected = TryModelResponse { assessed_count, total_count, ..TryModelResponse::default() };
                prop_assert_eq!(message, &expected);
                let whole_pages: i64 = index * accounts_per_message;
                prop_assert!(assessed_count == whole_pages || as_of.is_some() && assessed_count < whole_pages);
            }
            prop_assert!(told.is_sorted_by_key(|message| message.assessed_count));
            prop_assert_eq!(told.len() as i64, total_count / accounts_per_message);
            assert_sums_up(last, movements, 3)?;
        }
        prop_assert_eq!(kept, place.kept().await, "nothing is stored");
        Ok(())
    });
}

#[test]
fn what_never_was_is_as_if_it_had_never_been_told() {
    let told = (history(Events::All), vec(any::<bool>(), 40));
    holds(30, told, async |place, (history, left_out)| {
        place.clock.set(SPAN + 1_000);
        place.apply(history).await;
        let kept = place.kept().await;
        // Merges and referrals follow from accounts: those are not as if they had never been told.
        let names: BTreeSet<(&str, &str)> = history
            .iter()
            .filter(|told| told.source.kind() != ACCOUNT)
            .map(|told| (told.tenant.as_str(), told.source.name()))
            .collect();
        let gone: BTreeSet<(&str, &str)> =
            names.into_iter().zip(left_out).filter(|(_, left_out)| **left_out).map(|(name, _)| name).collect();
        let mut supposed = Vec::new();
        for tenant in TENANTS {
            for account in ACCOUNTS {
                let Some(mut picture) = place.gallery().find_all(tenant, &[account], NOW).await.unwrap().remove(0)
                else {
                    continue;
                };
                let sources = place.gallery().sources(&mut picture).await.unwrap();
                let sources = sources.into_iter().map(|(source, _)| source);
                let without: Vec<String> = sources.filter(|source| gone.contains(&(tenant, source.as_str()))).collect();
                let told = place
                    .gallery()
                    .simulate(picture, &Supposal { without: without.clone(), ..Supposal::default() }, None, english())
                    .await
                    .unwrap();
                assert_adds_up(&told)?;
                prop_assert_eq!(without_freshness(told.before), place.assess(tenant, account, NOW).await);
                supposed.push((tenant, account, without_freshness(told.after)));
            }
        }
        prop_assert_eq!(kept, place.kept().await, "nothing is stored");

        place.clear().await;
        let others = history.iter().filter(|told| !gone.contains(&(told.tenant.as_str(), told.source.name())));
        place.apply(&others.cloned().collect::<Vec<_>>()).await;
        for (tenant, account, supposed) in supposed {
            // Of an account of which nothing is left, nothing can be asked.
            if let Some(never_told) = place.assess(tenant, account, NOW).await {
                prop_assert_eq!(supposed, Some(never_told), "{} {}", tenant, account);
            }
        }
        Ok(())
    });
}

#[test]
fn everything_at_once_still_adds_up() {
    let signals = ["delivery_promise", "conflict", "recommendation", "effort", "margin", "provider_tone"];
    let supposition = (0..signals.len(), -1.0..=1.0_f64, 0.1..=16.0_f64, 0..SPAN, 0..5_i32);
    let cases = (history(Events::All), vec(supposition, 0..6), 0..DAYS.len(), 0..3_usize);
    holds(30, cases, async |place, (history, suppositions, days, without)| {
        place.clock.set(SPAN + 1_000);
        place.apply(history).await;
        let suppositions: Vec<Supposition> = suppositions
            .iter()
            .map(|(signal, value, weight, at, count)| Supposition {
                signal: signals[*signal].to_owned(),
                value: Some(*value),
                weight: Some(*weight),
                happen_time: Some(methods::from_micros(*at)),
                count: *count,
            })
            .collect();
        let mut violations = methods::Violations::default();
        let supposed = read_suppositions(&suppositions, SPAN, &mut violations);
        prop_assert!(violations.is_empty());
        let tried = tried(DAYS[*days]);
        for tenant in TENANTS {
            for account in ACCOUNTS {
                let Some(mut picture) = place.gallery().find_all(tenant, &[account], NOW).await.unwrap().remove(0)
                else {
                    continue;
                };
                let sources = place.gallery().sources(&mut picture).await.unwrap();
                let without: Vec<String> = sources.into_iter().map(|(source, _)| source).take(*without).collect();
                let told = place
                    .gallery()
                    .simulate(
                        picture,
                        &Supposal {
                            supposed: supposed.clone(),
                            without: without.clone(),
                            other_model: Some(tried.clone()),
                            ..Supposal::default()
                        },
                        None,
                        english(),
                    )
                    .await
                    .unwrap();
                assert_adds_up(&told)?;
                let named = |source: &str| told.terms.iter().any(|term| term.source == source);
                for (index, supposition) in (1..).zip(&suppositions) {
                    let weighs_nothing = supposition.value == Some(0.0);
                    prop_assert!(weighs_nothing || named(&format!("suppositions/{index}")), "{:?}", told.terms);
                }
            }
        }
        Ok(())
    });
}

#[tokio::test]
async fn a_trial_that_is_given_up_leaves_nothing_behind() {
    for place in [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten() {
        let history = ACCOUNTS.map(|account| super::rules::told("one", account, 1, super::rules::order(account, 1)));
        place.apply(&history).await;
        let tried = tried(DAYS[1]);
        let begin = async || {
            let mut trial = Trial::begin(place.gallery(), "one", None, tried.clone(), NOW).await.unwrap();
            trial.accounts_per_message = 1;
            trial.answers().boxed()
        };
        let mut whole = begin().await;
        assert_eq!(whole.by_ref().count().await, ACCOUNTS.len() + 1);
        for given_up_after in 0..ACCOUNTS.len() {
            let mut answers = begin().await;
            for _ in 0..given_up_after {
                answers.next().await.unwrap().unwrap();
            }
            // In the middle of a page, too.
            assert!(futures_util::poll!(answers.next()).is_pending());
            drop(answers);
            assert_eq!(place.kept().await.ledgers.len(), ACCOUNTS.len(), "the database answers");
        }
        place.close().await;
    }
}

/// The terms of each facet add up to its difference, and all of them to the bond's.
fn assert_adds_up(told: &SimulateAssessmentResponse) -> Result<(), TestCaseError> {
    for facet in &told.facets {
        let of_facet = told.terms.iter().filter(|term| (term.party, term.facet) == (facet.party, facet.facet));
        let points: f64 = of_facet.map(|term| term.points).sum();
        prop_assert!((points - (facet.after - facet.before)).abs() < 1e-9, "{:?}: {}", facet, points);
    }
    let points: f64 = told.terms.iter().map(|term| term.bond_points).sum();
    prop_assert!((points - (bond(&told.after) - bond(&told.before))).abs() < 1e-9);
    Ok(())
}

/// What a trial said at its end is what these movements come to.
fn assert_sums_up(told: TryModelResponse, movements: Vec<Movement>, named: usize) -> Result<(), TestCaseError> {
    let count = movements.len() as i64;
    prop_assert_eq!((told.assessed_count, told.total_count), (count, count));
    let moved = |movement: &Movement| movement.bond_after - movement.bond_before;
    for bin in &told.movements {
        let within = |moved: f64| moved >= bin.low && (moved < bin.high || (bin.high == 100.0 && moved == 100.0));
        let expected = movements.iter().filter(|movement| within(moved(movement))).count() as i64;
        prop_assert_eq!(bin.account_count, expected, "{:?}", bin);
    }
    prop_assert_eq!(told.movements.iter().map(|bin| bin.account_count).sum::<i64>(), count);
    let mean = |sum: f64| sum / (count as f64).max(1.0);
    let sizes: f64 = movements.iter().map(|movement| moved(movement).abs()).sum();
    prop_assert!((told.mean_movement - mean(movements.iter().map(moved).sum())).abs() < 1e-9);
    prop_assert!((told.mean_absolute_movement - mean(sizes)).abs() < 1e-9);
    let changes = movements.iter().filter(|movement| movement.stage_before != movement.stage_after);
    prop_assert_eq!(told.stage_change_count, changes.count() as i64);
    prop_assert_eq!((told.stages_before.len(), told.stages_after.len()), (5, 5));
    for (before, after) in told.stages_before.iter().zip(&told.stages_after) {
        let in_stage =
            |of: fn(&Movement) -> i32| movements.iter().filter(|movement| of(movement) == before.stage).count();
        prop_assert_eq!((before.stage, before.account_count), (after.stage, in_stage(|one| one.stage_before) as i64));
        prop_assert_eq!(after.account_count, in_stage(|one| one.stage_after) as i64);
    }
    let mut top = movements;
    top.retain(|movement| moved(movement) != 0.0 || movement.stage_before != movement.stage_after);
    top.sort_by(|one, other| {
        moved(other).abs().total_cmp(&moved(one).abs()).then_with(|| one.account.cmp(&other.account))
    });
    top.truncate(named);
    prop_assert_eq!(told.top_movements, top);
    Ok(())
}

fn movement(account: &str, told: &SimulateAssessmentResponse) -> Movement {
    Movement {
        account: format!("accounts/{account}"),
        bond_before: bond(&told.before),
        bond_after: bond(&told.after),
        stage_before: told.before.as_ref().unwrap().stage,
        stage_after: told.after.as_ref().unwrap().stage,
    }
}

fn bond(assessment: &Option<Assessment>) -> f64 {
    assessment.as_ref().unwrap().bond.unwrap().value
}

fn without_freshness(assessment: Option<Assessment>) -> Option<Assessment> {
    assessment.map(|assessment| Assessment { freshness: vec![], ..assessment })
}
