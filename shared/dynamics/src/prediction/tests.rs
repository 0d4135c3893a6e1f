//! Whatever they are asked, the models answer with numbers in range, and with exact gradients.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A number between the two, each order of magnitude as likely.
fn magnitude(from: f64, to: f64) -> impl Strategy<Value = f64> {
    (from.ln()..=to.ln()).prop_map(f64::exp)
}

fn any_model(from: f64, to: f64) -> impl Strategy<Value = ActivityModel> {
    (prop::sample::select(Kind::ALL.to_vec()), vec(magnitude(from, to), 4))
        .prop_map(|(kind, parameters)| ActivityModel::new(kind, &parameters[..kind.parameter_names().len()]).unwrap())
}

/// From a customer with one order today to one who has ordered daily for decades.
fn any_summary() -> impl Strategy<Value = Summary> {
    let days = prop_oneof![0..30i64, 0..800i64, 0..20_000i64];
    (days, 0.0..=1.0f64, 0.0..=1.0f64, any::<bool>()).prop_map(|(days, last, density, daily)| {
        let last = (days as f64 * f64::min(1.2 * last, 1.0)) as i64;
        let repeats = if daily { last } else { (last as f64 * density.powi(3)) as i64 };
        let last = if repeats == 0 { 0 } else { last };
        Summary::of_days(1 + repeats as u64, 0, last, days).unwrap()
    })
}

fn any_spend() -> impl Strategy<Value = Spend> {
    (1..400u32, magnitude(0.01, 1e6)).prop_map(|(orders, mean)| Spend::new(orders, mean).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_model_answers_in_range(
        model in any_model(1e-6, 1e6), of in any_summary(), weeks in magnitude(0.01, 2000.0),
        discount in magnitude(1e-5, 1.0),
    ) {
        prop_assert!(model.ln_likelihood(&of).is_finite());
        prop_assert!((0.0..=1.0).contains(&model.alive(&of)));
        let forecast = model.forecast(&of, weeks);
        prop_assert_eq!(forecast.alive, model.alive(&of));
        prop_assert!((0.0..=forecast.alive).contains(&forecast.any_order), "{:?}", forecast);
        prop_assert!(forecast.orders >= forecast.any_order && forecast.orders.is_finite(), "{:?}", forecast);
        let longer = model.forecast(&of, weeks * 1.5);
        prop_assert!(longer.any_order >= forecast.any_order * (1.0 - 1e-9), "{:?} {:?}", forecast, longer);
        prop_assert!(longer.orders >= forecast.orders * (1.0 - 1e-9), "{:?} {:?}", forecast, longer);
        let residual = model.residual_orders(&of, Discount::per_week(discount).unwrap());
        prop_assert!(residual >= 0.0 && residual.is_finite(), "{}", residual);
        // Orders within the horizon, even if all came at its end, are among those still to come.
        let least = forecast.orders * (-discount * weeks).exp();
        prop_assert!(residual >= least * (1.0 - 1e-6) - f64::MIN_POSITIVE, "{} {:?}", residual, forecast);
    }

    #[test]
    fn a_horizon_of_nothing_or_of_no_number_holds_nothing(model in any_model(1e-3, 1e3), of in any_summary()) {
        for weeks in [0.0, -3.0, f64::NAN] {
            let forecast = model.forecast(&of, weeks);
            prop_assert!(forecast.any_order == 0.0 && forecast.orders.abs() < 1e-9, "{:?}", forecast);
        }
        prop_assert!(model.forecast(&of, f64::INFINITY).orders.is_finite());
    }

    #[test]
    fn gradients_are_exact(model in any_model(0.05, 50.0), summaries in vec(any_summary(), 1..6)) {
        let portfolio: Portfolio = summaries.iter().copied().collect();
        let (sum, gradient) = model.ln_likelihood_with_gradient(&portfolio);
        let plain: f64 = summaries.iter().map(|of| model.ln_likelihood(of)).sum();
        prop_assert!((sum - plain).abs() <= 1e-10 * plain.abs() + 1e-10, "{} {}", sum, plain);
        for (i, slope) in gradient.iter().enumerate() {
            let beside = |step: f64| {
                let mut parameters = model.parameters();
                parameters[i] *= f64::exp(step);
                ActivityModel::new(model.kind(), &parameters).unwrap().ln_likelihood_with_gradient(&portfolio).0
            };
            // Richardson's extrapolation of central differences.
            let [wide, narrow] = [2e-3, 1e-3].map(|step| (beside(step) - beside(-step)) / (2.0 * step));
            let difference = (4.0 * narrow - wide) / 3.0;
            let scale = slope.abs() + 1.0 + 1e-4 * sum.abs();
            prop_assert!((difference - slope).abs() <= 1e-6 * scale, "{model:?} {i}: {difference} {slope}");
        }
    }

    #[test]
    fn gradients_of_spend_are_exact(
        parameters in vec(magnitude(0.05, 50.0), 3), spends in vec(any_spend(), 1..6),
    ) {
        let portfolio: SpendPortfolio = spends.iter().copied().collect();
        let law = |at: &[f64]| GammaGamma::new(at[0], at[1], at[2]).unwrap();
        let (sum, gradient) = law(&parameters).ln_likelihood_with_gradient(&portfolio);
        let plain: f64 = spends.iter().map(|of| law(&parameters).ln_likelihood(of)).sum();
        prop_assert!((sum - plain).abs() <= 1e-10 * plain.abs() + 1e-10);
        for (i, slope) in gradient.into_iter().enumerate() {
            let beside = |step: f64| {
                let mut at = parameters.clone();
                at[i] *= f64::exp(step);
                law(&at).ln_likelihood_with_gradient(&portfolio).0
            };
            let [wide, narrow] = [2e-3, 1e-3].map(|step| (beside(step) - beside(-step)) / (2.0 * step));
            let difference = (4.0 * narrow - wide) / 3.0;
            prop_assert!((difference - slope).abs() <= 1e-6 * (slope.abs() + 1.0 + 1e-4 * sum.abs()));
        }
    }

    #[test]
    fn expected_spend_lies_between_the_customers_and_all(
        (p, q) in (magnitude(0.01, 100.0), magnitude(1.01, 100.0)), of in any_spend(),
    ) {
        let law = GammaGamma::new(p, q, 20.0).unwrap();
        let (all, own) = (law.population_mean().unwrap(), of.mean());
        let expected = law.expected(&of).unwrap();
        prop_assert!(expected >= all.min(own) * (1.0 - 1e-12) && expected <= all.max(own) * (1.0 + 1e-12));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_portfolio_fits_to_numbers(
        kind in prop::sample::select(Kind::ALL.to_vec()), summaries in vec(any_summary(), 1..12),
    ) {
        let portfolio: Portfolio = summaries.iter().copied().collect();
        let Ok(fit) = fit(kind, &portfolio) else {
            prop_assert!(summaries.iter().all(|of| of.age() == 0.0));
            return Ok(());
        };
        prop_assert!(fit.ln_likelihood.is_finite(), "{:?}", fit);
        prop_assert_eq!(fit.precision.is_some() && fit.outcome != Outcome::Converged, false);
        let pooled = super::fit(Kind::Constant, &portfolio).unwrap();
        prop_assert!(fit.ln_likelihood >= pooled.ln_likelihood - 1e-6, "{:?} {:?}", fit, pooled);
        for of in &summaries {
            let forecast = fit.model.forecast(of, 13.0);
            prop_assert!(forecast.orders.is_finite() && (0.0..=1.0).contains(&forecast.any_order), "{:?}", fit);
        }
    }

    #[test]
    fn any_spend_fits_to_numbers(spends in vec(any_spend(), 1..12)) {
        let fit = fit_spend(&spends.iter().copied().collect()).unwrap();
        for of in &spends {
            let expected = fit.model.expected(Some(of));
            prop_assert!(expected > 0.0 && expected.is_finite(), "{:?}", fit);
        }
        prop_assert!(fit.model.expected(None) > 0.0 && fit.model.expected(None).is_finite(), "{:?}", fit);
    }
}

#[test]
fn without_churn_all_models_are_nbd() {
    let nbd = ActivityModel::new(Kind::Nbd, &[0.7, 10.0]).unwrap();
    let of = Summary::new(7, 20.0, 39.0).unwrap();
    let likely = nbd.ln_likelihood(&of);
    let known = nbd.forecast(&of, 13.0);
    for (kind, leaving) in [
        (Kind::ParetoNbd, [1e-9, 1.0]),
        (Kind::ParetoNbd, [1.0, 1e9]),
        (Kind::BgNbd, [1e-9, 1.0]),
        (Kind::MbgNbd, [1.0, 1e9]),
    ] {
        let model = ActivityModel::new(kind, &[0.7, 10.0, leaving[0], leaving[1]]).unwrap();
        assert!((model.ln_likelihood(&of) - likely).abs() < 1e-6, "{kind:?}");
        let forecast = model.forecast(&of, 13.0);
        assert!((forecast.any_order - known.any_order).abs() < 1e-6, "{kind:?} {forecast:?} {known:?}");
        assert!((forecast.orders - known.orders).abs() < 1e-6, "{kind:?} {forecast:?} {known:?}");
    }
}

#[test]
fn a_dense_buyer_is_no_trouble() {
    // An order a day for two years, seen a day, a month and a year after the last.
    for silence in [1, 30, 365] {
        let of = Summary::of_days(731, 0, 730, 730 + silence).unwrap();
        for kind in [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd] {
            let model = ActivityModel::new(kind, &[0.5, 6.0, 0.6, 11.0]).unwrap();
            let forecast = model.forecast(&of, 1.0);
            // A day's silence says nothing, a month's all but everything.
            assert_eq!(forecast.alive > 0.9, silence == 1, "{kind:?} {forecast:?}");
            assert_eq!(forecast.alive < 1e-6, silence > 1, "{kind:?} {forecast:?}");
            if silence == 1 {
                assert!((6.0..7.0).contains(&forecast.orders), "{kind:?} {forecast:?}");
            }
        }
    }
}

#[test]
fn a_shape_of_one_is_no_gap() {
    let of = Summary::new(3, 20.0, 39.0).unwrap();
    let discount = Discount::per_year(0.15).unwrap();
    for (kind, third) in [(Kind::ParetoNbd, 1.0), (Kind::BgNbd, 1.0), (Kind::MbgNbd, 1.0)] {
        let at = |shape: f64| ActivityModel::new(kind, &[0.5, 6.0, shape * third, 11.0]).unwrap();
        let [below, exact, above] = [1.0 - 1e-7, 1.0, 1.0 + 1e-7].map(at);
        for figure in [
            |model: &ActivityModel, of: &Summary, _: Discount| model.forecast(of, 39.0).orders,
            |model: &ActivityModel, of: &Summary, _: Discount| model.ln_likelihood(of),
            |model: &ActivityModel, of: &Summary, discount| model.residual_orders(of, discount),
        ] {
            let [below, exact, above] = [below, exact, above].map(|model| figure(&model, &of, discount));
            assert!((exact - (below + above) / 2.0).abs() < 1e-9 * exact.abs(), "{kind:?} {below} {exact} {above}");
        }
    }
}

#[test]
fn a_model_is_rebuilt_from_its_name_and_parameters() {
    for kind in Kind::ALL {
        let parameters: Vec<f64> = kind.parameter_names().iter().zip(1..).map(|(_, n)| f64::from(n)).collect();
        let model = ActivityModel::new(kind, &parameters).unwrap();
        assert_eq!(Kind::parse(kind.name()), Some(model.kind()));
        assert_eq!(model.parameters(), parameters);
        assert_eq!(ActivityModel::new(kind, &parameters[1..]), None);
        assert_eq!(ActivityModel::new(kind, &[f64::NAN; 4][..parameters.len()]), None);
        assert_eq!(ActivityModel::new(kind, &[0.0; 4][..parameters.len()]), None);
    }
    assert_eq!(Kind::parse("pareto"), None);
    assert_eq!(Discount::per_year(-0.1), None);
    assert_eq!(Discount::per_week(f64::NAN), None);
}

#[test]
fn impossible_trials_are_refused() {
    let of = |x, last, age| Summary::new(x, last, age).unwrap();
    let before = of(2, 5.0, 10.0);
    assert_eq!(Trial::new(before, of(2, 5.0, 10.0)), Err(SummaryError::Age));
    assert_eq!(Trial::new(before, of(1, 5.0, 12.0)), Err(SummaryError::Repeats));
    assert_eq!(Trial::new(before, of(3, 9.0, 12.0)), Err(SummaryError::Last));
    assert_eq!(Trial::new(before, of(2, 11.0, 12.0)), Err(SummaryError::Last));
    let trial = Trial::new(before, of(4, 11.0, 12.0)).unwrap();
    assert_eq!((trial.orders(), trial.weeks()), (2, 2.0));
}

#[test]
fn a_fit_tells_how_far_it_is() {
    let portfolio: Portfolio = [(0, 0.0), (1, 3.0), (4, 9.0), (2, 10.0), (0, 0.0), (7, 8.0)]
        .map(|(x, last)| Summary::new(x, last, 12.0).unwrap())
        .into_iter()
        .collect();
    let mut told = Vec::new();
    let fit = fit_watched(Kind::BgNbd, &portfolio, &mut |evaluations| told.push(evaluations)).unwrap();
    assert_eq!(told, (1..=fit.evaluations).collect::<Vec<u32>>());
}
