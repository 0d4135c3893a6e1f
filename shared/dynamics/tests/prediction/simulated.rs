//! Simulated portfolios, whose parameters and whose customers' states are known.

use dynamics::prediction::{ActivityModel, GammaGamma, Kind, Outcome, fit, fit_spend};

use crate::data::{SIMULATED_CUT, day, simulated};
use crate::near;

/// How far off the chance of being active is on the mean square.
fn brier(pairs: &[(f64, bool)]) -> f64 {
    pairs.iter().map(|(chance, truth)| (chance - f64::from(*truth)).powi(2)).sum::<f64>() / pairs.len() as f64
}

/// The mean gap between chance and truth over ten bins of equal count.
fn calibration_error(mut pairs: Vec<(f64, bool)>) -> f64 {
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let bins = pairs.chunks(pairs.len().div_ceil(10));
    bins.map(|bin| bin.iter().map(|(chance, truth)| chance - f64::from(*truth)).sum::<f64>().abs()).sum::<f64>()
        / pairs.len() as f64
}

fn recovers(set: &str, kind: Kind, truth: [f64; 4], fitted: [f64; 4], ln_likelihood: f64, briers: [f64; 2]) {
    let Some((histories, states)) = simulated(set) else { return };
    let customers = histories.at(day(SIMULATED_CUT), 0);
    let portfolio = customers.iter().map(|(_, summary, _)| *summary).collect();
    let fit = fit(kind, &portfolio).unwrap();
    assert_eq!(fit.outcome, Outcome::Converged);
    near(fit.ln_likelihood, ln_likelihood, 6e-3);
    let errors = fit.precision.unwrap().standard_errors;
    for (((found, truth), reference), error) in fit.model.parameters().iter().zip(truth).zip(fitted).zip(errors) {
        near(*found, reference, 1e-3);
        near(*found, truth, 3.0 * error);
    }
    let chances = |model: ActivityModel| -> Vec<(f64, bool)> {
        customers.iter().map(|(name, summary, _)| (model.alive(summary), states[*name])).collect()
    };
    let at_truth = chances(ActivityModel::new(kind, &truth).unwrap());
    let at_fit = chances(fit.model);
    near(brier(&at_truth), briers[0], 6e-5);
    near(brier(&at_fit), briers[1], 6e-5);
    assert!(brier(&at_fit) <= 1.02 * brier(&at_truth));
    let gap = calibration_error(at_fit);
    assert!(gap <= 0.03, "{gap}");
    let spend = fit_spend(&histories.spend_portfolio(day(SIMULATED_CUT))).unwrap();
    let (law, errors) = (spend.model.law().unwrap(), spend.precision.unwrap().standard_errors);
    for ((found, truth), error) in law.parameters().into_iter().zip([6.25, 3.74, 15.44]).zip(errors) {
        near(found, truth, 3.0 * error);
    }
    assert!(spend.ln_likelihood > Some(truth_of_spend(&histories.spend_portfolio(day(SIMULATED_CUT)))));
}

fn truth_of_spend(portfolio: &dynamics::prediction::SpendPortfolio) -> f64 {
    GammaGamma::new(6.25, 3.74, 15.44).unwrap().ln_likelihood_with_gradient(portfolio).0
}

#[test]
fn customers_who_leave_at_any_time_are_recovered() {
    let (truth, fitted) = ([0.553, 10.578, 0.606, 11.669], [0.549, 10.701, 0.583, 11.215]);
    recovers("btyd_sim_pnbd", Kind::ParetoNbd, truth, fitted, -20820.98, [0.1708, 0.1709]);
}

#[test]
fn customers_who_leave_after_an_order_are_recovered() {
    let (truth, fitted) = ([0.243, 4.414, 0.793, 2.426], [0.250, 4.575, 0.774, 2.416]);
    recovers("btyd_sim_bgnbd", Kind::BgNbd, truth, fitted, -21053.75, [0.0861, 0.0862]);
}
