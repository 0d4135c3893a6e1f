//! What the provider could do: only what the facts support, and exactly what it would change.

use super::*;
use crate::levers::{Aim, Change, Finding, LEAST_GAIN, Lever, Opportunity, Supposition, Without, opportunities};
use crate::{Assessment, Facet, Status, assess};

fn found(sources: &[(String, Facts)]) -> Vec<Opportunity> {
    opportunities(sources, &Model::default(), NOW)
}

fn levers(sources: &[(String, Facts)]) -> Vec<Lever> {
    found(sources).iter().map(|opportunity| opportunity.lever).collect()
}

fn only(sources: &[(String, Facts)], lever: Lever) -> Opportunity {
    let found = found(sources).into_iter().filter(|opportunity| opportunity.lever == lever);
    let [opportunity] = <[_; 1]>::try_from(found.collect::<Vec<_>>()).unwrap();
    opportunity
}

fn source(name: &str, facts: Facts) -> (String, Facts) {
    (name.to_owned(), facts)
}

/// So many days before the tests assess.
fn ago(days: i64) -> Micros {
    NOW - days * DAY
}

fn owing(signal: Signal, since: Micros, full_days: i64, value: f64, weight: f64) -> Facts {
    let pending = vec![Pending::new(signal, since, full_days * DAY, value, weight).unwrap()];
    Facts { pending, ..Facts::default() }
}

/// A delivery as good as this on both counts.
fn delivery(name: &str, days: i64, value: f64) -> (String, Facts) {
    let signals = [Signal::DeliveryPromise, Signal::DeliveryOnTime];
    source(name, told(signals.map(|signal| evidence(signal, ago(days), value, 1.0)).to_vec()))
}

fn deliveries(days_and_values: &[(i64, f64)]) -> Vec<(String, Facts)> {
    days_and_values.iter().map(|(days, value)| delivery(&format!("orders/{days:03}"), *days, *value)).collect()
}

fn after_by_hand(opportunity: &Opportunity, sources: &[(String, Facts)]) -> Assessment {
    let Change { without, suppositions } = &opportunity.change;
    let mut changed = sources.to_vec();
    for Without { source, signal } in without {
        let (_, facts) = changed.iter_mut().find(|(key, _)| key == source).unwrap();
        facts.evidence.retain(|evidence| evidence.topic() != Topic::Signal(*signal));
        facts.pending.retain(|pending| pending.topic() != *signal);
    }
    for (n, Supposition { signal, value, weight, at, count }) in suppositions.iter().enumerate() {
        let said = (0..*count).map(|_| evidence(*signal, *at, *value, *weight)).collect();
        changed.push(source(&format!("suppositions/{}", n + 1), told(said)));
    }
    assess(&fold(&changed), &Model::default(), NOW)
}

#[test]
fn late_deliveries_are_to_go_as_in_the_best_quarter() {
    let late = [(10, -0.8), (20, 0.9), (40, -0.5), (70, 0.7)];
    let good = [(100, 0.8), (120, 0.7), (150, 0.9), (280, -0.2), (300, 0.1), (310, -0.9)];
    let sources = deliveries(&[late.as_slice(), &good].concat());
    let opportunity = only(&sources, Lever::DeliverOnTime);
    assert_eq!(opportunity.evidence, ["orders/010", "orders/040"]);
    let [trust, ease] = <[Aim; 2]>::try_from(opportunity.aims.clone()).unwrap();
    assert_eq!((trust.signal, ease.signal), (Signal::DeliveryPromise, Signal::DeliveryOnTime));
    assert!((trust.value - 0.8).abs() < 1e-9, "{trust:?}");
    let (from, to) = trust.quarter.unwrap();
    assert!(from < ago(150) && ago(100) < to && to < ago(70));
    assert_eq!(opportunity.finding, Finding::Habit { lapses: 2, open: 0, was_better: true });
    let moved: Vec<Facet> = opportunity.facets.iter().map(|change| change.facet).collect();
    assert_eq!(moved, [Facet::Trust, Facet::Ease]);
    assert!(opportunity.facets.iter().all(|change| change.after > change.before && change.view == View::Customer));
    // The lapses are as good, at their own times; all else stands.
    for supposition in &opportunity.change.suppositions {
        assert!([ago(10), ago(40)].contains(&supposition.at) && supposition.weight == 1.0 && supposition.count == 1);
        assert!((supposition.value - 0.8).abs() < 1e-9);
    }
    assert_eq!(opportunity.change.suppositions.len(), 4);
    assert_eq!(levers(&sources), [Lever::DeliverOnTime]);
}

#[test]
fn where_no_quarter_was_better_half_the_way_to_the_best_is_supposed() {
    let sources = deliveries(&[(10, -0.6), (20, -0.8), (30, 0.2), (40, 0.4)]);
    let opportunity = only(&sources, Lever::DeliverOnTime);
    let aim = opportunity.aims[0];
    assert_eq!(aim.quarter, None);
    assert!((aim.now + 0.2).abs() < 1e-9 && (aim.value - 0.4).abs() < 1e-9);
    // A perfect quarter is not asked for again.
    let once = [(100, 1.0), (110, 1.0), (120, 1.0)];
    let sources = deliveries(&[[(10, -0.6), (20, -0.8)].as_slice(), &once].concat());
    assert_eq!(only(&sources, Lever::DeliverOnTime).aims[0].value, Aim::MOST);
}

#[test]
fn nothing_stands_out_where_the_facts_have_nothing_to_put_right() {
    assert_eq!(found(&[]), []);
    let well = deliveries(&[(5, 1.0), (30, 0.8), (60, 0.6), (200, 0.9), (250, 1.0)]);
    assert_eq!(found(&well), []);
    let once = deliveries(&[(5, -0.9), (30, 0.8), (60, 0.6)]);
    assert_eq!(found(&once), [], "one lapse may be chance");
    let long_ago = deliveries(&[(200, -0.9), (210, -0.8), (220, -0.9), (5, 0.9)]);
    assert_eq!(found(&long_ago), [], "what is over is over");
    let customers = source("commitments/1", owing(Signal::CustomerCommitment, ago(20), 30, -1.0, 1.5));
    let unpaid = source("orders/1", owing(Signal::PaymentOnTime, ago(40), 60, -1.0, 1.5));
    assert_eq!(found(&[customers, unpaid]), [], "what the customer owes is no lever of the provider's");
}

#[test]
fn a_gain_too_small_to_be_shown_is_none() {
    let mut sources = deliveries(&[(10, -0.4), (20, -0.3), (15, 0.9)]);
    assert_eq!(levers(&sources), [Lever::DeliverOnTime]);
    for n in 0..2_000 {
        sources.push(delivery(&format!("orders/more-{n}"), 5 + n % 80, 0.9));
    }
    assert_eq!(found(&sources), []);
}

#[test]
fn an_overdue_order_is_left_out_and_the_rest_of_it_stands() {
    let order = Some(OrderFact { at: ago(30), cancelled: false });
    let pending = [Signal::DeliveryPromise, Signal::DeliveryOnTime]
        .map(|signal| Pending::new(signal, ago(9), 14 * DAY, -1.0, 1.0).unwrap());
    let ordering = evidence(Signal::Ordering, ago(30), 1.0, 1.0);
    let overdue = Facts { pending: pending.to_vec(), order, evidence: vec![ordering], ..Facts::default() };
    let sources = [source("orders/1", overdue)];
    let opportunity = only(&sources, Lever::DeliverOnTime);
    assert_eq!(opportunity.finding, Finding::Habit { lapses: 0, open: 1, was_better: false });
    assert_eq!((opportunity.aims.len(), opportunity.change.suppositions.len()), (0, 0));
    let changed = opportunity.change.apply(&sources);
    assert_eq!(changed[0].1, Facts { order, evidence: vec![ordering], ..Facts::default() });
    assert_eq!(opportunity.after.activity.orders, 1);
}

#[test]
fn slow_answers_and_corrections_have_levers_of_their_own() {
    let two = |signal| {
        [(20, "1"), (30, "2")]
            .map(|(days, name)| source(name, told(vec![evidence(signal, ago(days), -0.7, 1.0)])))
            .to_vec()
    };
    assert_eq!(levers(&two(Signal::ProviderResponseTime)), [Lever::AnswerFaster]);
    assert_eq!(levers(&two(Signal::Resolution)), [Lever::AnswerFaster]);
    assert_eq!(levers(&two(Signal::PlacingCorrections)), [Lever::ReduceCorrections]);
    assert_eq!(levers(&two(Signal::OrderCorrections)), [Lever::ReduceCorrections]);
    assert_eq!(levers(&two(Signal::CustomerReplySpeed)), [], "how soon the customer replies is its own affair");
    let open = source("interactions/1", owing(Signal::Resolution, ago(12), 14, -1.0, 1.0));
    let opportunity = only(&[open], Lever::AnswerFaster);
    assert_eq!(opportunity.finding, Finding::Habit { lapses: 0, open: 1, was_better: false });
}

#[test]
fn an_open_conflict_is_settled_and_what_was_said_stands() {
    let complaint = evidence(Signal::Conflict, ago(12), -0.6, 2.0);
    let tone = evidence(Signal::CustomerTone, ago(12), -0.6, 1.0);
    let open = Facts { evidence: vec![complaint, tone], ..owing(Signal::Conflict, ago(11), 14, -0.6, 1.5) };
    let sources = [source("feedback/1", open)];
    let opportunity = only(&sources, Lever::SettleConflict);
    assert_eq!(opportunity.evidence, ["feedback/1"]);
    assert_eq!(opportunity.finding, Finding::Open { count: 1 });
    let all: Vec<_> = opportunity.change.apply(&sources).into_iter().flat_map(|(_, facts)| facts.evidence).collect();
    assert_eq!(all, [tone, complaint, evidence(Signal::Settlement, NOW, 0.5, 1.5)]);
    let settled = source("feedback/1", told(vec![complaint, tone, evidence(Signal::Settlement, ago(2), 0.9, 1.5)]));
    assert_eq!(found(&[settled]), []);
}

#[test]
fn promises_that_are_overdue_or_due_soon_are_to_be_kept() {
    let promise = |since| [source("commitments/1", owing(Signal::ProviderCommitment, since, 30, -1.0, 1.5))];
    let said = |since| only(&promise(since), Lever::KeepCommitment).change.suppositions[0].value;
    assert_eq!(said(NOW + 5 * DAY), 1.0);
    assert!(said(ago(3)) > said(ago(10)) && said(ago(10)) > said(ago(40)) && said(ago(400)) >= -0.5);
    assert_eq!(found(&promise(NOW + 15 * DAY)), [], "there is time yet");
    let step = [source("milestones/1", owing(Signal::Onboarding, ago(20), 30, -1.0, 1.0))];
    let both = [promise(NOW + 5 * DAY).as_slice(), &step].concat();
    let opportunity = only(&both, Lever::KeepCommitment);
    assert_eq!(opportunity.evidence, ["commitments/1", "milestones/1"]);
    assert_eq!(opportunity.finding, Finding::Promises { overdue: 1, soon: 1 });
}

#[test]
fn needs_are_to_be_met_and_offers_countered() {
    let need = source("feedback/1", owing(Signal::NeedMet, NOW + 3 * DAY, 90, -0.5, 0.5));
    let offer = source("competitorOffers/1", owing(Signal::CounterOffer, ago(4), 30, -1.0, 0.5));
    let sources = [need, offer];
    let need = only(&sources, Lever::MeetNeed);
    assert_eq!(
        (need.evidence.as_slice(), need.finding),
        (["feedback/1".to_owned()].as_slice(), Finding::Open { count: 1 })
    );
    assert_eq!(need.facets[0].facet, Facet::Value);
    let offer = only(&sources, Lever::CounterOffer);
    assert_eq!(offer.evidence, ["competitorOffers/1"]);
    assert_eq!((offer.facets[0].view, offer.facets[0].facet), (View::Provider, Facet::Loyalty));
    let ranked = found(&sources);
    assert!(ranked[0].bond_gain() >= ranked[1].bond_gain() && ranked.len() == 2);
}

#[test]
fn a_customer_who_fell_silent_is_contacted_once() {
    let orders = |last: i64| -> Vec<(String, Facts)> {
        let order =
            |n: i64| Facts { order: Some(OrderFact { at: ago(last + 20 * n), cancelled: false }), ..Facts::default() };
        (0..5).map(|n| source(&format!("orders/{n}"), order(n))).collect()
    };
    let opportunity = only(&orders(60), Lever::ContactCustomer);
    assert_eq!(opportunity.evidence, ["orders/0"]);
    assert_eq!(opportunity.finding, Finding::Silence { days: 59.0, usual_days: 20.0 });
    assert!(opportunity.facets.iter().all(|change| change.view == View::Provider && change.after > change.before));
    assert_eq!(found(&orders(30)), [], "two usual gaps are not over yet");
    assert_eq!(found(&orders(60)[3..]), [], "two orders make no rhythm");
    let contact = |days| source("interactions/1", told(vec![evidence(Signal::ProactiveContact, ago(days), 1.0, 1.0)]));
    let with = |days| [orders(60), vec![contact(days)]].concat();
    assert_eq!(found(&with(5)), [], "it was just contacted");
    assert_eq!(levers(&with(50)), [Lever::ContactCustomer]);
}

#[test]
fn nothing_is_to_be_done_for_an_account_that_is_closed() {
    let owed = source("feedback/1", owing(Signal::Conflict, ago(30), 14, -0.6, 1.5));
    let life = |closed_at| {
        let account = AccountFact { opened_at: ago(500), first_contact_at: None, closed_at };
        source("account", Facts { account: Some(account), ..Facts::default() })
    };
    assert_eq!(levers(&[life(None), owed.clone()]), [Lever::SettleConflict]);
    assert_eq!(found(&[life(Some(ago(1))), owed]), []);
}

#[test]
fn a_change_never_supposes_more_than_can_be_asked() {
    let sources: Vec<_> = (0..300).map(|n| delivery(&format!("orders/{n}"), 1 + n % 170, -0.9)).collect();
    let opportunity = only(&sources, Lever::DeliverOnTime);
    assert!((90..=Change::MOST).contains(&opportunity.change.suppositions.len()));
    assert_eq!(after_by_hand(&opportunity, &sources), opportunity.after);
    let overdue =
        |n: i64| source(&format!("orders/{n}"), owing(Signal::DeliveryPromise, ago(1 + n % 90), 14, -1.0, 1.0));
    let sources: Vec<_> = (0..1_010).map(overdue).collect();
    let opportunity = only(&sources, Lever::DeliverOnTime);
    assert_eq!((opportunity.change.without.len(), opportunity.evidence.len()), (1_000, 1_000));
}

/// Facts of the kind that levers are about: provider's deeds, recent, and matters that are open.
fn any_deeds() -> impl Strategy<Value = Vec<(String, Facts)>> {
    let signals = [
        Signal::DeliveryPromise,
        Signal::DeliveryOnTime,
        Signal::ProviderResponseTime,
        Signal::Resolution,
        Signal::PlacingCorrections,
        Signal::OrderCorrections,
        Signal::Conflict,
        Signal::ProviderCommitment,
        Signal::Onboarding,
        Signal::NeedMet,
        Signal::CounterOffer,
        Signal::CustomerTone,
    ];
    let signal = || prop::sample::select(signals.to_vec());
    let said = (signal(), 0..400_i64, -1.0..=1.0, 0.1..=3.0)
        .prop_map(|(signal, days, value, weight)| evidence(signal, ago(days), value, weight));
    let owed =
        (signal(), -40..60_i64, 1..90_i64, -1.0..=1.0, 0.1..=3.0).prop_map(|(signal, days, full, value, weight)| {
            Pending::new(signal, ago(days), full * DAY, value, weight).unwrap()
        });
    let order = option::of((0..400_i64).prop_map(|days| OrderFact { at: ago(days), cancelled: false }));
    let facts = (vec(said, 0..5), vec(owed, 0..2), order).prop_map(|(evidence, pending, order)| Facts {
        evidence,
        pending,
        order,
        ..Facts::default()
    });
    vec(facts, 0..12).prop_map(|all| {
        all.into_iter().enumerate().map(|(n, facts)| source(&format!("source/{n:02}"), facts)).collect()
    })
}

/// What a lever is about; what it rests on must have some of it below 0, or owed.
fn puts_right(lever: Lever) -> &'static [Signal] {
    match lever {
        Lever::DeliverOnTime => &[Signal::DeliveryPromise, Signal::DeliveryOnTime],
        Lever::AnswerFaster => &[Signal::ProviderResponseTime, Signal::Resolution],
        Lever::ReduceCorrections => &[Signal::PlacingAttempts, Signal::PlacingCorrections, Signal::OrderCorrections],
        Lever::SettleConflict => &[Signal::Conflict],
        Lever::KeepCommitment => &[Signal::ProviderCommitment, Signal::Onboarding],
        Lever::MeetNeed => &[Signal::NeedMet],
        Lever::CounterOffer => &[Signal::CounterOffer],
        Lever::ContactCustomer => &[],
    }
}

fn supported(lever: Lever, facts: &Facts) -> bool {
    let about = |topic| puts_right(lever).iter().any(|signal| topic == Topic::Signal(*signal));
    let lapse = facts.evidence.iter().any(|evidence| about(evidence.topic()) && evidence.value() < 0.0);
    let owed = facts.pending.iter().any(|pending| about(Topic::Signal(pending.topic())) && pending.value() < 0.0);
    match lever {
        Lever::ContactCustomer => facts.order.is_some(),
        Lever::DeliverOnTime | Lever::AnswerFaster | Lever::ReduceCorrections => lapse || owed,
        Lever::SettleConflict | Lever::KeepCommitment | Lever::MeetNeed | Lever::CounterOffer => owed,
    }
}

proptest! {
    #[test]
    fn every_opportunity_is_what_its_change_makes_of_the_facts(sources in any_deeds(), more in any_sources()) {
        let sources = [sources, more].concat();
        let before = assess(&fold(&sources), &Model::default(), NOW);
        let found = found(&sources);
        prop_assert!(before.status == Status::Open || found.is_empty());
        for opportunity in &found {
            prop_assert_eq!(&after_by_hand(opportunity, &sources), &opportunity.after);
            let changed = opportunity.change.apply(&sources);
            prop_assert_eq!(&assess(&fold(&changed), &Model::default(), NOW), &opportunity.after);
            prop_assert_eq!(opportunity.bond_before, before.relationship.bond);
            prop_assert!(opportunity.bond_gain() >= LEAST_GAIN);
            prop_assert_eq!(opportunity.after.activity, before.activity);
            prop_assert_eq!(opportunity.after.worth, before.worth);
            for change in &opportunity.facets {
                prop_assert_eq!(change.before, before.view(change.view).facet(change.facet).score);
                prop_assert_eq!(change.after, opportunity.after.view(change.view).facet(change.facet).score);
            }
        }
        prop_assert!(found.is_sorted_by(|one, other| one.bond_gain() >= other.bond_gain()));
    }

    #[test]
    fn no_lever_stands_without_evidence_of_what_it_puts_right(sources in any_deeds()) {
        for opportunity in found(&sources) {
            prop_assert!(!opportunity.evidence.is_empty());
            for key in &opportunity.evidence {
                let (_, facts) = sources.iter().find(|(other, _)| other == key).unwrap();
                prop_assert!(supported(opportunity.lever, facts), "{} by {}", opportunity.lever, key);
            }
            for Without { source, .. } in &opportunity.change.without {
                prop_assert!(opportunity.evidence.contains(source));
            }
        }
    }

    #[test]
    fn what_is_supposed_can_be_asked_and_is_not_wishful(sources in any_deeds()) {
        for opportunity in found(&sources) {
            let Change { without, suppositions } = &opportunity.change;
            prop_assert!(suppositions.len() <= Change::MOST && without.is_sorted());
            for said in suppositions {
                prop_assert!((-1.0..=1.0).contains(&said.value) && said.weight > 0.0 && said.weight <= 16.0);
                prop_assert!(said.at <= NOW && (1..=Supposition::MOST_COUNT).contains(&said.count));
            }
            for aim in &opportunity.aims {
                prop_assert!(aim.value <= Aim::MOST && aim.now <= 1.0);
            }
        }
    }

    #[test]
    fn any_moment_and_any_facts_end_finite(
        deeds in any_deeds(),
        more in any_sources(),
        at in any::<Micros>(),
        since in any::<Micros>(),
        now in prop_oneof![any::<Micros>(), Just(Micros::MIN), Just(Micros::MAX), Just(NOW - 100 * DAY)],
    ) {
        let extreme = Facts {
            evidence: vec![evidence(Signal::DeliveryPromise, at, -1.0, 16.0)],
            order: Some(OrderFact { at, cancelled: false }),
            ..owing(Signal::ProviderCommitment, since, 30, -1.0, 16.0)
        };
        let sources = [deeds, more, vec![source("extreme", extreme)]].concat();
        for opportunity in opportunities(&sources, &tilted(), now) {
            prop_assert!(opportunity.bond_gain().is_finite() && opportunity.bond_gain() >= LEAST_GAIN);
            prop_assert!(opportunity.change.suppositions.iter().all(|said| said.at <= now));
        }
    }

    #[test]
    fn the_order_of_sources_makes_no_difference(sources in any_deeds()) {
        let mut turned = sources.clone();
        turned.reverse();
        prop_assert_eq!(found(&turned), found(&sources));
    }

    #[test]
    fn better_deliveries_of_the_last_half_year_leave_less_to_gain(
        values in vec(-1.0..0.0, 4..10),
        rise in 0.0..=1.0,
    ) {
        // Earlier deliveries set the aim, so that it is the same.
        let earlier: Vec<(i64, f64)> = (0..5).map(|n| (200 + n, 0.8)).collect();
        let at = |n: usize| 5 + 10 * n as i64;
        let gain = |share: f64| {
            let recent = values.iter().enumerate().map(|(n, value)| (at(n), value * share));
            let sources = deliveries(&recent.chain(earlier.iter().copied()).collect::<Vec<_>>());
            let opportunity = found(&sources).into_iter().find(|found| found.lever == Lever::DeliverOnTime);
            opportunity.map_or(0.0, |opportunity| opportunity.bond_gain())
        };
        prop_assert!(gain(1.0) >= gain(1.0 - rise) - 1e-9);
    }
}
