//! The sample of CDNOW, on which the models were published: the shop sold compact discs in 1997.
//! Fader and Hardie, note 026; the figures are those of `clv.md` and of `published.json` beside
//! the data.

use std::collections::BTreeMap;

use dynamics::prediction::{
    ActivityModel, Discount, GammaGamma, Kind, Outcome, Spend, Summary, choose, fit, fit_spend, residual_value, score,
};

use crate::data::{CDNOW_CUT, CDNOW_HELD_BACK, Histories, cdnow, day};
use crate::{each_near, fitted, held_back, near};

const BG: [f64; 4] = [0.242595, 4.413602, 0.792922, 2.425906];
const MBG: [f64; 4] = [0.524843, 6.183086, 0.891359, 1.614002];
const PARETO: [f64; 4] = [0.553277, 10.577683, 0.606240, 11.668738];
const SPEND: [f64; 3] = [6.249573, 3.744224, 15.443519];

fn bg() -> ActivityModel {
    ActivityModel::new(Kind::BgNbd, &BG).unwrap()
}

fn pareto() -> ActivityModel {
    ActivityModel::new(Kind::ParetoNbd, &PARETO).unwrap()
}

fn spend() -> GammaGamma {
    let [p, q, v] = SPEND;
    GammaGamma::new(p, q, v).unwrap()
}

fn summary(repeats: u32, last: f64, age: f64) -> Summary {
    Summary::new(repeats, last, age).unwrap()
}

#[test]
fn the_sample_is_the_published_one() {
    let Some(histories) = cdnow() else { return };
    let customers = histories.at(day(CDNOW_CUT), CDNOW_HELD_BACK);
    let repeats: u32 = customers.iter().map(|(_, summary, _)| summary.repeats()).sum();
    let later: f64 = customers.iter().map(|(.., orders)| orders).sum();
    assert_eq!((customers.len(), repeats, later), (2357, 2457, 1882.0));
    assert_eq!(histories.repeat_spend(day(CDNOW_CUT)).len(), 946);
}

#[test]
fn fits_and_likelihoods_are_the_published_ones() {
    let Some(histories) = cdnow() else { return };
    let portfolio = histories.portfolio(day(CDNOW_CUT));
    let published =
        [(Kind::BgNbd, BG, -9582.4292), (Kind::MbgNbd, MBG, -9582.1357), (Kind::ParetoNbd, PARETO, -9594.9762)];
    for (kind, parameters, ln_likelihood) in published {
        let fit = fit(kind, &portfolio).unwrap();
        assert_eq!((fit.outcome, fit.customers), (Outcome::Converged, 2357));
        each_near(&fit.model.parameters(), &parameters);
        near(fit.ln_likelihood, ln_likelihood, 6e-5);
        assert!(fit.evaluations < 100, "{}", fit.evaluations);
        let errors = fit.precision.unwrap().standard_errors;
        assert!(errors.iter().zip(parameters).all(|(error, parameter)| *error > 0.0 && *error < parameter));
    }
    let fit = fit_spend(&histories.spend_portfolio(day(CDNOW_CUT))).unwrap();
    assert_eq!((fit.outcome, fit.customers), (Outcome::Converged, 946));
    each_near(&fit.model.law().unwrap().parameters(), &SPEND);
    near(fit.ln_likelihood.unwrap(), -4055.9177, 6e-5);
}

#[test]
fn customers_are_foretold_as_published() {
    // x, t_x and T in days; then of BG/NBD and of Pareto/NBD: the chance of being active, the orders
    // expected in 39 and in 52 weeks, the chance of an order in 13. All to six decimals.
    type Known = (u32, f64, f64, [[f64; 4]; 2]);
    let known: [Known; 9] = [
        (2, 213.0, 272.0, [[0.72662, 1.225994, 1.558686, 0.323482], [0.869134, 1.455202, 1.85089, 0.366927]]),
        (1, 12.0, 272.0, [[0.212391, 0.203419, 0.260122, 0.059152], [0.167996, 0.171114, 0.217643, 0.047913]]),
        (0, 0.0, 272.0, [[1.0, 0.194794, 0.251682, 0.061741], [0.295113, 0.10707, 0.136184, 0.033442]]),
        (26, 216.0, 217.0, [[0.968854, 20.748904, 25.757339, 0.96859], [0.997873, 20.11482, 25.455183, 0.975532]]),
        (29, 264.0, 272.0, [[0.946068, 19.267279, 24.09685, 0.945632], [0.980254, 18.996894, 24.162404, 0.960111]]),
        (10, 140.0, 273.0, [[0.038124, 0.276719, 0.347484, 0.035517], [0.080387, 0.554936, 0.705888, 0.070428]]),
        (15, 140.0, 273.0, [[0.003194, 0.034178, 0.042837, 0.003135], [0.011139, 0.113324, 0.144151, 0.010479]]),
        (20, 140.0, 273.0, [[0.000235, 0.003322, 0.004159, 0.000234], [0.001315, 0.017681, 0.02249, 0.001269]]),
        (25, 140.0, 273.0, [[1.6e-5, 0.000286, 0.000358, 1.6e-5], [0.000145, 0.002429, 0.00309, 0.000142]]),
    ];
    for (x, last, age, models) in known {
        let customer = summary(x, last / 7.0, age / 7.0);
        for (model, [alive, in_39, in_52, any]) in [bg(), pareto()].into_iter().zip(models) {
            let found = [
                (model.alive(&customer), alive),
                (model.forecast(&customer, 39.0).orders, in_39),
                (model.forecast(&customer, 52.0).orders, in_52),
                (model.forecast(&customer, 13.0).any_order, any),
            ];
            found.into_iter().for_each(|(found, known)| near(found, known, 1e-4 * known + 5e-7));
        }
    }
    near(bg().orders_of_new_customer(52.0), 1.444012, 5e-6);
    near(pareto().orders_of_new_customer(52.0), 1.473434, 1e-6);
}

#[test]
fn only_bg_nbd_is_sure_of_a_customer_with_one_order() {
    let once = summary(0, 0.0, 272.0 / 7.0);
    assert_eq!(bg().alive(&once), 1.0);
    near(pareto().alive(&once), 0.295113, 1e-6);
    let alive = ActivityModel::new(Kind::MbgNbd, &MBG).unwrap().alive(&once);
    assert!(alive < 0.5, "{alive}");
}

#[test]
fn the_time_held_back_is_foretold_as_published() {
    let Some(histories) = cdnow() else { return };
    let portfolio = histories.portfolio(day(CDNOW_CUT));
    let customers = histories.at(day(CDNOW_CUT), CDNOW_HELD_BACK);
    type Known = (Kind, [f64; 4], [f64; 8]);
    // MAE, RMSE, correlation and total of 39 weeks; the mean expectation by repeats 0, 1, … 7 and more.
    let known: [Known; 3] = [
        (
            Kind::BgNbd,
            [0.7855, 1.6080, 0.6256, 1653.4],
            [0.2251, 0.5231, 1.0441, 1.5203, 2.1639, 2.6538, 3.5040, 6.1572],
        ),
        (
            Kind::MbgNbd,
            [0.7648, 1.6072, 0.6273, 1576.7],
            [0.1852, 0.5514, 1.0490, 1.4929, 2.1043, 2.5636, 3.3608, 5.8485],
        ),
        (
            Kind::ParetoNbd,
            [0.7545, 1.6028, 0.6302, 1665.5],
            [0.1384, 0.5995, 1.1958, 1.7138, 2.3983, 2.9072, 3.8186, 6.4031],
        ),
    ];
    for (kind, [mae, rmse, correlation, total], by_repeats) in known {
        let model = fitted(kind, &portfolio);
        let pairs: Vec<(u32, f64, f64)> = customers
            .iter()
            .map(|(_, summary, actual)| (summary.repeats(), model.forecast(summary, 39.0).orders, *actual))
            .collect();
        let mean = |part: &dyn Fn(f64, f64) -> f64| {
            pairs.iter().map(|(_, expected, actual)| part(*expected, *actual)).sum::<f64>() / pairs.len() as f64
        };
        near(mean(&|e, a| (e - a).abs()), mae, 6e-5);
        near(mean(&|e, a| (e - a) * (e - a)).sqrt(), rmse, 6e-5);
        let (mean_e, mean_a) = (mean(&|e, _| e), mean(&|_, a| a));
        let covariance = mean(&|e, a| (e - mean_e) * (a - mean_a));
        let deviations = mean(&|e, _| (e - mean_e).powi(2)).sqrt() * mean(&|_, a| (a - mean_a).powi(2)).sqrt();
        near(covariance / deviations, correlation, 6e-5);
        near(mean_e * pairs.len() as f64, total, 0.06);
        for (repeats, known) in by_repeats.into_iter().enumerate() {
            let group: Vec<f64> = pairs.iter().filter(|(x, ..)| (*x).min(7) as usize == repeats).map(|p| p.1).collect();
            near(group.iter().sum::<f64>() / group.len() as f64, known, 6e-5);
        }
    }
}

#[test]
fn the_growth_of_the_cohort_is_as_published() {
    let Some(histories) = cdnow() else { return };
    let customers = histories.at(day(CDNOW_CUT), 0);
    let known = [
        (13.0, 708.96603, 698.82747),
        (26.0, 1726.897997, 1733.145923),
        (39.0, 2493.956879, 2524.932613),
        (78.0, 4160.609286, 4270.040342),
    ];
    for (week, by_bg, by_pareto) in known {
        let total = |model: ActivityModel| -> f64 {
            customers.iter().map(|(_, of, _)| model.orders_of_new_customer(week - 39.0 + of.age())).sum()
        };
        near(total(bg()), by_bg, 1e-4 * by_bg);
        near(total(pareto()), by_pareto, 1e-4 * by_pareto);
    }
}

#[test]
fn orders_are_worth_what_is_published() {
    near(spend().population_mean().unwrap(), 35.170371554, 1e-4);
    for (orders, mean, expected) in [(2, 22.35, 24.65801841), (1, 11.77, 18.910018), (7, 73.74, 71.46336172)] {
        near(spend().expected(&Spend::new(orders, mean).unwrap()).unwrap(), expected, 1e-5 * expected);
    }
}

#[test]
fn residual_orders_and_value_are_as_published() {
    // Fader, Hardie and Lee (2005), RFM and CLV: the parameters as printed there, δ = .0027.
    let printed = ActivityModel::new(Kind::ParetoNbd, &[0.553, 10.578, 0.606, 11.669]).unwrap();
    let discount = Discount::per_week(0.0027).unwrap();
    for (x, last, known) in [(7, 35.0, 20.658868), (7, 20.0, 4.867402), (1, 5.0, 1.158519), (0, 0.0, 0.477136)] {
        near(printed.residual_orders(&summary(x, last, 38.86), discount), known, 1e-5 * known);
    }
    let discount = Discount::per_year(0.15).unwrap();
    near(discount.rate(), 0.002687729661, 1e-12);
    for (x, last, age, known) in [
        (2, 213.0, 272.0, 6.500354),
        (1, 12.0, 272.0, 0.764364),
        (0, 0.0, 272.0, 0.478280),
        (29, 264.0, 266.0, 87.170367),
    ] {
        near(pareto().residual_orders(&summary(x, last / 7.0, age / 7.0), discount), known, 1e-5 * known);
    }
    let Some(histories) = cdnow() else { return };
    let spends: BTreeMap<&str, Spend> = histories.repeat_spend(day(CDNOW_CUT));
    let (mut orders, mut value) = (0.0, 0.0);
    for (name, customer, _) in histories.at(day(CDNOW_CUT), 0) {
        let residual = pareto().residual_orders(&customer, discount);
        let each = match spends.get(name) {
            Some(seen) => spend().expected(seen),
            None => spend().population_mean(),
        };
        orders += residual;
        value += residual_value(residual, each.unwrap(), 1.0);
    }
    near(orders, 7205.55, 0.05);
    near(value, 261_531.75, 2.0);
}

#[test]
fn residual_orders_of_the_geometric_models_are_the_discounted_sum_of_what_is_expected() {
    let discount = Discount::per_week(0.02).unwrap();
    for kind in [Kind::BgNbd, Kind::MbgNbd] {
        let model = ActivityModel::new(kind, if kind == Kind::BgNbd { &BG } else { &MBG }).unwrap();
        for customer in [summary(0, 0.0, 38.857), summary(2, 30.43, 38.86), summary(26, 30.857, 31.0)] {
            // Half weeks, each discounted from its middle, until e^-40 is left.
            let expected = |step: u32| model.forecast(&customer, f64::from(step) * 0.5).orders;
            let mut sum = 0.0;
            for step in 0..4000 {
                let middle = (f64::from(step) + 0.5) * 0.5;
                sum += (expected(step + 1) - expected(step)) * (-discount.rate() * middle).exp();
            }
            near(model.residual_orders(&customer, discount), sum, 1e-4 * sum);
        }
    }
}

#[test]
fn models_are_scored_on_time_they_have_not_seen() {
    let Some(histories) = cdnow() else { return };
    // Protocol A of `clv.md`: 13 weeks.
    let trials = held_back(&histories, day(CDNOW_CUT), 91);
    let portfolio = trials.calibration();
    assert_eq!(portfolio, histories.portfolio(day(CDNOW_CUT)));
    for (kind, log_loss) in [(Kind::BgNbd, 0.3671), (Kind::ParetoNbd, 0.3680)] {
        near(score(&fitted(kind, &portfolio), &trials).unwrap().log_loss, log_loss, 6e-5);
    }
    let candidates = choose(&Kind::ALL, &trials).unwrap();
    let order: Vec<Kind> = candidates.iter().map(|candidate| candidate.fit.asked).collect();
    let without_churn = order.iter().position(|kind| *kind == Kind::Nbd).unwrap();
    assert!(without_churn >= 3 && order[4] == Kind::Constant, "{order:?}");
    assert!(candidates.windows(2).all(|pair| pair[0].score.ln_likelihood >= pair[1].score.ln_likelihood));
}

#[test]
fn ten_portfolios_at_once_fit_as_one() {
    let Some(histories) = cdnow() else { return };
    let customers = Histories::at(&histories, day(CDNOW_CUT), 0);
    let ten = (0..10).flat_map(|_| customers.iter().map(|(_, summary, _)| *summary)).collect();
    let fit = fit(Kind::BgNbd, &ten).unwrap();
    each_near(&fit.model.parameters(), &BG);
    near(fit.ln_likelihood, -95_824.292, 6e-4);
}
