//! What a prediction keeps to, whatever the portfolio: it is coherent, adds up, and is the same for
//! the same customers.

use dynamics::prediction::{
    Feature, Known, LayerOutcome, OrderDay, Past, PastError, Plan, PlanError, Prediction, Predictor, Trained, Trainer,
};

use crate::near;

type Customers = Vec<Vec<OrderDay>>;

/// Customers who begin one after the other; each orders in a rhythm of its own, some stop, and in
/// the second half of the year all order more.
fn customers(count: u64) -> Customers {
    (0..count)
        .map(|n| {
            let (gap, mut state) = (2 + (n * 7) % 40, n + 1);
            let until = if n % 3 == 0 { 120 + (n * 11) % 200 } else { 400 };
            let mut day = (n * 5) % 90;
            let mut days = Vec::new();
            while day < until.min(400) {
                days.push(OrderDay { day: day as i64, spend: (5 + (n * 13) % 50 + day % 7) as f64 });
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let pace = if day > 200 { 2 } else { 3 };
                day += 1 + (gap * pace * (state >> 33) / (1 << 31)) / 2;
            }
            days
        })
        .filter(|days| !days.is_empty())
        .collect()
}

const CUT: i64 = 330;
const HORIZON: u32 = 28;

fn trained(customers: &Customers) -> Trained {
    let first = customers.iter().map(|days| days[0].day).min().unwrap();
    let mut trainer = Trainer::new(Plan::new(first, CUT, HORIZON).unwrap());
    customers.iter().for_each(|days| trainer.add(days, &[]).unwrap());
    let (mut steps, mut of) = (0, 0);
    let trained = trainer.train(&mut |progress| (steps, of) = (progress.done, progress.of)).unwrap();
    assert_eq!(steps, of);
    trained
}

#[track_caller]
fn coherent(prediction: &Prediction) {
    let Prediction { alive, any_order, orders, spend, .. } = prediction;
    assert!((0.0..=1.0).contains(alive), "{prediction:?}");
    assert!(any_order.low > 0.0 && any_order.high < 1.0 && orders.high.is_finite(), "{prediction:?}");
    for estimate in [any_order, orders, spend] {
        assert!(estimate.low <= estimate.value && estimate.value <= estimate.high, "{prediction:?}");
    }
    assert!(orders.value >= any_order.value && orders.low >= any_order.low && spend.low >= 0.0, "{prediction:?}");
    let odds: f64 = prediction.contributions.iter().map(|moved| moved.ln_odds).sum();
    let logarithm: f64 = prediction.contributions.iter().map(|moved| moved.ln_orders).sum();
    near((any_order.value / (1.0 - any_order.value)).ln(), prediction.base_ln_odds + odds, 1e-9);
    near(orders.value.ln(), prediction.base_ln_orders + logarithm, 1e-9);
}

#[test]
fn predictions_are_coherent_add_up_and_grow_with_the_horizon() {
    let customers = customers(300);
    let trained = trained(&customers);
    assert_eq!((trained.chance.outcome, trained.orders.outcome), (LayerOutcome::Kept, LayerOutcome::Kept));
    let mut moved = 0;
    for days in &customers {
        let past = Past::new(days, CUT, Known::NOTHING).unwrap();
        let mut before: Option<Prediction> = None;
        for weeks in [0.0, 0.5, 2.0, 4.0, 13.0, 52.0, 500.0] {
            let prediction = trained.predictor.predict(&past, weeks);
            coherent(&prediction);
            if let Some(before) = before {
                assert!(before.any_order.value <= prediction.any_order.value + 1e-9, "{before:?} {prediction:?}");
                assert!(before.orders.value <= prediction.orders.value + 1e-9, "{before:?} {prediction:?}");
            }
            moved += prediction.contributions.iter().filter(|moved| moved.ln_odds.abs() > 0.01).count();
            before = Some(prediction);
        }
    }
    assert!(moved > 1000, "{moved}");
}

#[test]
fn the_same_customers_in_any_order_give_the_same_bits() {
    let mut customers = customers(150);
    let first = trained(&customers);
    customers.reverse();
    customers.rotate_left(40);
    let second = trained(&customers);
    assert_eq!(format!("{:?}", first.predictor.parts()), format!("{:?}", second.predictor.parts()));
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

#[test]
fn a_predictor_is_read_out_and_put_back() {
    let customers = customers(150);
    let trained = trained(&customers);
    let parts = trained.predictor.parts().clone();
    let again = Predictor::from_parts(parts.clone()).unwrap();
    assert_eq!(again, trained.predictor);
    let past = Past::new(&customers[3], CUT, Known::NOTHING).unwrap();
    assert_eq!(again.predict(&past, 4.0), trained.predictor.predict(&past, 4.0));
    let mut broken = parts.clone();
    broken.horizon_days = 0;
    assert!(Predictor::from_parts(broken).is_err());
    let mut broken = parts.clone();
    broken.orders.as_mut().unwrap().covariance.pop();
    assert!(Predictor::from_parts(broken).is_err());
    let mut broken = parts;
    broken.orders.as_mut().unwrap().terms[0].weight = f64::NAN;
    assert!(Predictor::from_parts(broken).is_err());
}

#[test]
fn portfolios_from_which_nothing_can_be_learned_end_cleanly() {
    let one = |day: i64, spend: f64| vec![OrderDay { day, spend }];
    let weekly = || (0..45).map(|week| OrderDay { day: week * 7, spend: 10.0 }).collect::<Vec<_>>();
    let portfolios: [(&str, Customers, LayerOutcome); 6] = [
        ("one customer", vec![weekly()], LayerOutcome::TooLittle),
        ("nobody returned", (0..50).map(|n| one(n, 10.0)).collect(), LayerOutcome::TooLittle),
        ("nothing was spent", (0..50).map(|n| one(n, 0.0)).collect(), LayerOutcome::TooLittle),
        ("all alike", (0..60).map(|_| weekly()).collect(), LayerOutcome::TooLittle),
        ("more was returned than bought", (0..50).map(|n| one(n, -5.0)).collect(), LayerOutcome::TooLittle),
        ("a short history", (0..50).map(|n| one(CUT - 10 + n % 9, 7.0)).collect(), LayerOutcome::TooShort),
    ];
    for (what, customers, outcome) in portfolios {
        let trained = trained(&customers);
        assert_eq!(trained.chance.outcome, outcome, "{what}");
        for days in &customers {
            let past = Past::new(days, CUT, Known::NOTHING).unwrap();
            for weeks in [0.0, 1.0, 1e9, f64::NAN] {
                coherent(&trained.predictor.predict(&past, weeks));
            }
        }
    }
    let trainer = Trainer::new(Plan::new(0, CUT, HORIZON).unwrap());
    assert!(trainer.train(&mut |_| {}).is_err());
}

#[test]
fn what_is_known_beyond_orders_moves_a_prediction() {
    // In every period of four weeks up to T0 some customers have something open, and then rarely order.
    let period = |day: i64| (CUT - day).div_euclid(28);
    let open = |n: usize, period: i64| (n as i64 * 5 + period * 3) % 4 < 2;
    let draw = |n: usize, day: i64| (n as u64 * 2_654_435_761 + day as u64 * 40_503 + 17) % 1009;
    let customers: Customers = (0..200)
        .map(|n| {
            let often = |day: &i64| draw(n, *day) < if open(n, period(*day) + 1) { 10 } else { 60 };
            let days = (0..=CUT).filter(|day| *day == n as i64 % 30 || often(day));
            days.map(|day| OrderDay { day, spend: 10.0 }).collect()
        })
        .collect();
    let plan = Plan::new(0, CUT, HORIZON).unwrap();
    let mut trainer = Trainer::new(plan.clone());
    let known = |n: usize, cut: i64| Known::NOTHING.with_open_matters(u32::from(open(n, period(cut))));
    for (n, days) in customers.iter().enumerate() {
        let at: Vec<Known> = plan.cuts().iter().map(|cut| known(n, *cut)).collect();
        assert_eq!(trainer.add(days, &at[1..]), Err(PastError::Known));
        trainer.add(days, &at).unwrap();
    }
    let trained = trainer.train(&mut |_| {}).unwrap();
    let term = trained.predictor.parts().chance.as_ref().unwrap();
    let of_open = term.terms.iter().find(|term| term.feature == Some(Feature::OpenMatters)).unwrap();
    assert!(of_open.weight < -0.1, "{of_open:?}");
    let days = &customers[0];
    let chance = |open: u32| {
        let past = Past::new(days, CUT, Known::NOTHING.with_open_matters(open)).unwrap();
        trained.predictor.predict(&past, 4.0)
    };
    assert!(chance(1).any_order.value < chance(0).any_order.value);
    assert!(
        chance(1).contributions.iter().any(|moved| moved.name == Feature::OpenMatters.name() && moved.ln_odds < 0.0)
    );
}

#[test]
fn a_past_sees_nothing_after_the_cut() {
    let days: Vec<OrderDay> = [0, 10, 40, 100].map(|day| OrderDay { day, spend: 20.0 }).to_vec();
    let past = Past::new(&days, 50, Known::NOTHING).unwrap();
    let alone = Past::new(&days[..3], 50, Known::NOTHING).unwrap();
    assert_eq!(format!("{:?}", past.features()), format!("{:?}", alone.features()));
    let features = past.features();
    near(features.get(Feature::Recency).unwrap(), 11f64.ln(), 1e-12);
    near(features.get(Feature::MeanGap).unwrap(), 21f64.ln(), 1e-12);
    near(features.get(Feature::LongestSilence).unwrap(), (11f64 / 31.0).ln(), 1e-12);
    near(features.get(Feature::Orders28).unwrap(), 2f64.ln(), 1e-12);
    assert_eq!((features.get(Feature::Orders91), features.get(Feature::CustomerTrust)), (None, None));
    assert_eq!(past.spend().unwrap().mean(), 20.0);
    assert_eq!(Past::new(&days, -1, Known::NOTHING).unwrap_err(), PastError::NoOrder);
    let twice = [days[1], days[1]];
    assert_eq!(Past::new(&twice, 50, Known::NOTHING).unwrap_err(), PastError::Order);
    let endless = [OrderDay { day: 0, spend: f64::INFINITY }];
    assert_eq!(Past::new(&endless, 50, Known::NOTHING).unwrap_err(), PastError::Spend);
}

#[test]
fn plans_learn_only_from_what_was_known_by_the_cut() {
    let plan = Plan::new(0, 272, 91).unwrap();
    assert_eq!(plan.cuts(), [250, 227, 181, 150, 119, 88, 57]);
    assert!(Plan::new(0, 20, 91).unwrap().cuts().is_empty());
    assert_eq!(Plan::new(5, 4, 91), Err(PlanError::Span));
    assert_eq!(Plan::new(0, 4, 0), Err(PlanError::Horizon));
    for name in Feature::ALL.map(|feature| feature.name()) {
        assert_eq!(Feature::from_name(name).map(Feature::name), Some(name));
    }
}

/// Trains on customers of whom these order days were known at each cut.
fn trained_as_known(customers: &Customers, known: impl Fn(&[OrderDay], i64) -> Option<Vec<OrderDay>>) -> Trained {
    let first = customers.iter().map(|days| days[0].day).min().unwrap();
    let plan = Plan::new(first, CUT, HORIZON).unwrap();
    assert!(!plan.cuts().is_empty());
    let mut trainer = Trainer::new(plan.clone());
    for days in customers {
        let then: Vec<Option<Vec<OrderDay>>> = plan.cuts().iter().map(|cut| known(days, *cut)).collect();
        let then: Vec<_> = then.iter().map(|days| days.as_deref().map(|days| (days, Known::NOTHING))).collect();
        trainer.add_as_known(days, &then).unwrap();
    }
    assert_eq!(trainer.add_as_known(&customers[0], &[]), Err(PastError::Known));
    trainer.train(&mut |_| {}).unwrap()
}

#[test]
fn what_was_known_at_a_cut_may_be_other_orders_than_today() {
    let customers = customers(300);
    let all = trained_as_known(&customers, |days, _| Some(days.to_vec()));
    assert_eq!(all.predictor, trained(&customers).predictor);
    // Every third order came to be known only after the cut.
    let late = trained_as_known(&customers, |days, cut| {
        let known = days.iter().enumerate().filter(|(n, day)| n % 3 != 2 && day.day <= cut);
        Some(known.map(|(_, day)| *day).collect())
    });
    assert_eq!(late.activity, all.activity, "what is fitted to all time is fitted to what is known today");
    assert_ne!(late.predictor, all.predictor);
}
