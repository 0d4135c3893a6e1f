//! The order in which things are heard decides nothing, and the past can be asked for.

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use super::history::{ACCOUNTS, Events, TENANTS, history, retold};
use super::{NOW, Place, assess, choose, models};
use crate::cache::Ledgers;
use crate::columns::Standings;
use crate::evidence::tests::resources::{SPAN, source};
use crate::filter::Order;
use crate::picture::{Gallery, Moment};
use crate::store::Standing;
use crate::told::Told;

/// Runs a property on each database there is, emptied before each case.
pub(super) fn holds<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    property: impl AsyncFn(&mut Place, &T) -> Result<(), TestCaseError>,
) {
    let runtime = Runtime::new().unwrap();
    let places = [Some(runtime.block_on(Place::sqlite())), runtime.block_on(Place::postgres())];
    for mut place in places.into_iter().flatten() {
        // Failures are told, not kept in files beside the sources.
        let config =
            ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
        let place_of_case = std::cell::RefCell::new(&mut place);
        let result = TestRunner::new(config).run(&strategy, |case| {
            let mut place = place_of_case.borrow_mut();
            runtime.block_on(async {
                place.clear().await;
                property(&mut place, &case).await
            })
        });
        if let Err(error) = result {
            panic!("on {}: {error}", place.scratch.url);
        }
        runtime.block_on(place.close());
    }
}

#[test]
fn what_is_at_hand_says_what_is_stored_after_every_change() {
    holds(25, history(Events::All), async |place, history| {
        let order = Order { column: Some("bond".to_owned()), descending: true };
        place.clock.set(SPAN + 1_000);
        for told in history {
            place.apply(std::slice::from_ref(told)).await;
            for tenant in TENANTS {
                let reader = place.reader();
                let page = async |standings: &Standings| {
                    let page = standings.page(&reader, tenant, &[], &order, None, 100).await.unwrap();
                    let told = |standing: Standing| (standing.place.account, standing.place.figure, standing.model);
                    page.into_iter().map(told).collect::<Vec<_>>()
                };
                prop_assert_eq!(page(&place.standings).await, page(&Standings::new(1 << 20)).await);
                for account in ACCOUNTS {
                    let at_hand = place.assess(tenant, account, NOW).await;
                    let stored = Gallery { ledgers: Ledgers::new(1 << 20), ..place.gallery() };
                    prop_assert_eq!(at_hand, assess(&stored, tenant, account, NOW).await);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn however_a_history_is_told_the_result_is_the_same() {
    let told = (history(Events::All), prop::collection::vec(any::<usize>(), 1..200));
    holds(40, told, async |place, (history, numbers)| {
        place.clock.set(SPAN + 1_000);
        for told in history {
            place.apply(std::slice::from_ref(told)).await;
        }
        let straight = place.kept().await;
        place.check(&straight).await;

        place.clear().await;
        for (index, batch) in retold(history, numbers.clone()).iter().enumerate() {
            place.apply(batch).await;
            if numbers[index % numbers.len()] % 3 == 0 {
                place.restart().await;
            }
        }
        let otherwise = place.kept().await;
        prop_assert_eq!(&straight, &otherwise);

        place.clear().await;
        place.apply(history).await;
        prop_assert_eq!(&straight, &place.kept().await);
        // All of it once more.
        place.apply(history).await;
        prop_assert_eq!(straight, place.kept().await);
        Ok(())
    });
}

#[test]
fn another_choice_of_models_is_what_was_chosen_all_along() {
    holds(30, history(Events::All), async |place, history| {
        place.clock.set(SPAN + 1_000);
        let (before, after) = history.split_at(history.len() / 2);
        place.apply(before).await;
        choose(&place.models, 2, [("one", "gold", None), ("one", "home", Some("quick")), ("two", "", Some("quick"))]);
        let mut chosen = Vec::new();
        for (tenant, account) in everybody() {
            chosen.push(place.assess(tenant, account, NOW).await);
        }
        place.apply(after).await;
        let everybody_after: Vec<_> = everybody().map(|(one, other)| (one.to_owned(), other.to_owned())).collect();
        place.applier().refresh(&everybody_after).await.unwrap();
        let afterwards = place.kept().await;
        place.check(&afterwards).await;

        place.clear().await;
        place.apply(before).await;
        for ((tenant, account), chosen) in everybody().zip(chosen) {
            prop_assert_eq!(&place.assess(tenant, account, NOW).await, &chosen, "{} {}", tenant, account);
        }
        place.apply(after).await;
        prop_assert_eq!(afterwards, place.kept().await);
        place.models = models();
        Ok(())
    });
}

#[test]
fn a_feed_that_begins_anew_leaves_what_the_others_told() {
    let told = (history(Events::All), 0..4_usize);
    holds(20, told, async |place, (history, feed)| {
        place.clock.set(SPAN + 1_000);
        place.apply(history).await;
        let before = place.kept().await;

        place.applier().forget_feed(*feed, &place.leases.held()).await.unwrap();
        let without = place.kept().await;
        place.check(&without).await;
        prop_assert!(without.sources.iter().all(|row| feed_of(&row.kind) != *feed));

        let again: Vec<Told> = history.iter().filter(|told| feed_of(told.source.kind()) == *feed).cloned().collect();
        place.apply(&again).await;
        prop_assert_eq!(before, place.kept().await);
        Ok(())
    });
}

fn feed_of(kind: &str) -> usize {
    match kind {
        "order" => 1,
        "interaction" | "commitment" | "competitor_offer" => 2,
        "feedback" => 3,
        _ => 0,
    }
}

#[test]
fn what_was_known_at_a_time_is_what_was_answered_then() {
    holds(20, history(Events::Remembered), async |place, history| {
        let mut answers = Vec::new();
        for told in history {
            place.clock.set(told.recorded_at);
            place.apply(std::slice::from_ref(told)).await;
            for (tenant, account) in everybody() {
                answers.push((told.recorded_at, tenant, account, place.assess(tenant, account, NOW).await));
            }
        }
        for (time, tenant, account, answer) in answers {
            // As an answer of now, but for what is known: nothing in these histories happens later.
            place.clock.set(time);
            for as_of in [None, Some(time)] {
                let known = place.assess(tenant, account, Moment { as_of, known_at: Some(time) }).await;
                prop_assert_eq!(&known, &answer, "{} {} at {}", tenant, account, time);
            }
        }
        Ok(())
    });
}

#[test]
fn as_of_a_time_an_account_is_assessed_as_it_was_when_no_more_had_happened() {
    let sources = prop::collection::vec((source(), 0..2_usize), 1..12);
    let times = prop::collection::btree_set(0..SPAN, 1..6);
    holds(40, (sources, times), async |place, (sources, times)| {
        let mut sources = sources.clone();
        let mut opened = Vec::new();
        sources.retain(|(source, account)| {
            let is_twice = source.kind() == "account" && opened.contains(account);
            opened.extend((source.kind() == "account").then_some(*account));
            !is_twice
        });
        let mut answers = Vec::new();
        let mut versions = vec![0; sources.len()];
        // Each resource is recorded as it happens, and changed only by what happens next.
        for time in times.iter().copied().chain([SPAN]) {
            place.clock.set(time);
            let mut told = Vec::new();
            for (index, (source, account)) in sources.iter().enumerate() {
                let Some(source) = source.as_of(time) else { continue };
                versions[index] += 1;
                told.push(Told {
                    tenant: TENANTS[0].to_owned(),
                    account: ACCOUNTS[*account].to_owned(),
                    version: versions[index],
                    recorded_at: time,
                    source: named(source, index),
                });
            }
            place.apply(&told).await;
            for account in ACCOUNTS {
                answers.push((time, account, place.assess(TENANTS[0], account, NOW).await));
            }
        }
        place.check(&place.kept().await).await;
        for (time, account, answer) in answers {
            let now = place.assess(TENANTS[0], account, Moment { as_of: Some(time), known_at: None }).await;
            prop_assert_eq!(&now, &answer, "{} at {}", account, time);
        }
        Ok(())
    });
}

fn everybody() -> impl Iterator<Item = (&'static str, &'static str)> {
    TENANTS.into_iter().flat_map(|tenant| ACCOUNTS.into_iter().map(move |account| (tenant, account)))
}

/// The source under a name of its own.
fn named(mut source: crate::evidence::Source, index: usize) -> crate::evidence::Source {
    use crate::evidence::Source;
    let name = format!("{}/{index}", source.kind());
    match &mut source {
        Source::Account(resource) => resource.name = name,
        Source::Contact(resource) => resource.name = name,
        Source::Milestone(resource) => resource.name = name,
        Source::Order(resource) => {
            resource.name = name;
            resource.total.get_or_insert_default().currency_code = "EUR".to_owned();
        }
        Source::Interaction(resource) => resource.name = name,
        Source::Commitment(resource) => resource.name = name,
        Source::CompetitorOffer(resource) => resource.name = name,
        Source::Feedback(resource) => resource.name = name,
    }
    source
}
