//! Good data that do not determine a model: the fit must say so, and what it falls back on serve.

use dynamics::prediction::{
    FitError, Kind, Limit, Outcome, Portfolio, Spend, SpendPortfolio, Summary, Tally, fit, fit_spend, score,
};

use crate::data::{Histories, complete_journey, day, online_retail};
use crate::{held_back, near};

#[test]
fn nobody_leaves_a_wholesaler_within_nine_months() {
    let Some(histories) = online_retail() else { return };
    let trials = held_back(&histories, day("2011-08-31"), 91);
    let portfolio = trials.calibration();
    assert_eq!(portfolio.customers(), 1619);
    for kind in [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd] {
        let fit = fit(kind, &portfolio).unwrap();
        assert_eq!((fit.asked, fit.outcome), (kind, Outcome::Boundary(Limit::NoChurn)));
        assert_eq!((fit.model.kind(), fit.precision), (Kind::Nbd, None));
        near(fit.model.parameters()[0], 0.7393, 6e-5);
        near(fit.model.parameters()[1], 10.163, 6e-4);
        near(fit.ln_likelihood, -10243.74, 6e-3);
        near(score(&fit.model, &trials).unwrap().log_loss, 0.6168, 6e-5);
        assert!(fit.evaluations < 300, "{}", fit.evaluations);
    }
}

#[test]
fn a_grocers_households_all_leave_at_one_rate() {
    let Some(histories) = complete_journey() else { return };
    let portfolio = histories.portfolio(day("2017-09-30"));
    let fit = fit(Kind::ParetoNbd, &portfolio).unwrap();
    assert_eq!(fit.outcome, Outcome::Boundary(Limit::SameChurn));
    assert_eq!(fit.precision, None);
    let [_, _, s, beta] = fit.model.parameters()[..] else { panic!("four parameters") };
    near(s / beta, 0.0011, 6e-5);
    near(fit.ln_likelihood, -31_500.06, 6e-3);
    for (days, log_loss) in [(28, 0.3555), (91, 0.2077)] {
        let score = score(&fit.model, &held_back(&histories, day("2017-09-30"), days)).unwrap();
        near(score.log_loss, log_loss, 6e-5);
    }
    // The data hold what households spend, and it varies more than any one of them does.
    let spend = fit_spend(&histories.spend_portfolio(day("2017-09-30"))).unwrap();
    assert_eq!(spend.outcome, Outcome::Converged);
    assert!(spend.model.law().unwrap().parameters()[0] < 1.0);
}

#[test]
fn every_cut_of_every_set_ends_in_numbers() {
    let sets: [(Option<Histories>, &str); 2] = [(online_retail(), "2010-12-01"), (complete_journey(), "2017-01-01")];
    for (histories, first) in sets {
        let Some(histories) = histories else { continue };
        // The first day, on which there is nothing to see, then further and further on.
        for days in [0, 1, 2, 7, 30, 120, 340] {
            let portfolio = histories.portfolio(day(first) + days);
            for kind in Kind::ALL {
                let Ok(fit) = fit(kind, &portfolio) else {
                    assert_eq!(days, 0);
                    continue;
                };
                assert!(fit.ln_likelihood.is_finite(), "{days} {fit:?}");
                assert!(fit.outcome != Outcome::NotConverged, "{days} {fit:?}");
                let errors = fit.precision.iter().flat_map(|precision| &precision.standard_errors);
                assert!(errors.clone().all(|error| error.is_finite() && *error > 0.0), "{days} {fit:?}");
                for (row, _) in portfolio.rows().iter().step_by(7) {
                    let forecast = fit.model.forecast(row, 4.0);
                    assert!((0.0..=1.0).contains(&forecast.any_order) && forecast.orders.is_finite(), "{fit:?}");
                }
            }
        }
    }
}

fn of(summaries: &[(u32, f64, f64)]) -> Portfolio {
    summaries.iter().map(|(x, last, age)| Summary::new(*x, *last, *age).unwrap()).collect()
}

#[test]
fn small_portfolios_name_their_limit() {
    let outcome = |kind: Kind, summaries: &[(u32, f64, f64)]| {
        let fit = fit(kind, &of(summaries)).unwrap();
        (fit.outcome, fit.model.kind())
    };
    let nobody = [(0, 0.0, 3.0), (0, 0.0, 30.0)];
    let alike: [(u32, f64, f64); 3] = [(10, 10.0, 10.0), (20, 20.0, 20.0), (30, 30.0, 30.0)];
    for kind in [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd, Kind::Nbd] {
        assert_eq!(outcome(kind, &nobody), (Outcome::Boundary(Limit::NoOrders), Kind::Constant));
        let limit = if kind == Kind::Nbd { Limit::SameRate } else { Limit::NoChurn };
        assert_eq!(outcome(kind, &alike), (Outcome::Boundary(limit), Kind::Constant));
    }
    assert_eq!(fit(Kind::BgNbd, &of(&[(0, 0.0, 0.0)])), Err(FitError::NoHistory));
    assert_eq!(fit(Kind::Constant, &of(&[])), Err(FitError::NoHistory));
}

#[test]
fn stark_portfolios_keep_the_model_at_its_limit() {
    let cases = [
        // Half ordered once more within a week, and for ten years nobody did.
        (Kind::BgNbd, Limit::AllLeave, vec![(1, 1.0, 500.0, 50), (0, 0.0, 500.0, 50)]),
        // One customer orders weekly, and a thousand never came back.
        (Kind::MbgNbd, Limit::SplitChurn, vec![(50, 50.0, 50.0, 1), (0, 0.0, 50.0, 1000)]),
        // All order weekly while they do; half have stopped.
        (Kind::ParetoNbd, Limit::SameRate, vec![(10, 10.0, 100.0, 500), (100, 99.0, 100.0, 500)]),
        // A handful of customers who order several times a week.
        (Kind::BgNbd, Limit::SameChurn, vec![(700, 100.0, 100.0, 10), (300, 60.0, 100.0, 5), (500, 99.0, 100.0, 7)]),
    ];
    for (kind, limit, rows) in cases {
        let mut tally = Tally::default();
        for (x, last, age, customers) in rows {
            tally.add(Summary::new(x, last, age).unwrap(), customers);
        }
        let portfolio = tally.finish();
        let fit = fit(kind, &portfolio).unwrap();
        assert_eq!((fit.outcome, fit.model.kind(), fit.precision), (Outcome::Boundary(limit), kind, None));
        for (row, _) in portfolio.rows() {
            let forecast = fit.model.forecast(row, 13.0);
            assert!((0.0..=1.0).contains(&forecast.any_order) && forecast.orders < 100.0, "{forecast:?}");
        }
    }
}

#[test]
fn spend_that_determines_no_law_names_its_limit() {
    let of = |spends: &[(u32, f64)]| -> SpendPortfolio {
        spends.iter().map(|(orders, mean)| Spend::new(*orders, *mean).unwrap()).collect()
    };
    let alike = fit_spend(&of(&[(30, 10.0), (40, 10.01), (50, 9.99), (1, 12.0), (1, 8.0)])).unwrap();
    assert_eq!(alike.outcome, Outcome::Boundary(Limit::SameRate));
    near(alike.model.expected(Some(&Spend::new(1, 20.0).unwrap())), 10.0, 0.1);
    let one = fit_spend(&of(&[(1, 10.0)])).unwrap();
    assert!(one.outcome != Outcome::Converged, "{one:?}");
    near(one.model.expected(None), 10.0, 0.5);
    assert_eq!(fit_spend(&of(&[])), Err(FitError::NoHistory));
}
