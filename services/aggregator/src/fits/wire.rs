//! From what was learned to the contract's words, and to what is stored.

use contracts::{assessments::v1::Estimate, predictions::v1 as told};
use dynamics::{
    contest::{Coefficients, Posterior, Reliability},
    prediction::{self, Candidate, Comparison, LayerOutcome, Limit, Outcome, Precision, Predictor, SpendFit},
};
use prost::Message;

use super::{
    Fitted, Scales,
    learn::{Learned, Made, Offers},
};

/// A fit as it is stored: what is told of it, and what it predicts with.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Stored {
    #[prost(message, required, tag = "1")]
    pub(super) fit: told::Fit,
    /// As [`Predictor::encode`] writes it; empty unless the fit has succeeded.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) predictor: Vec<u8>,
    /// As [`Posterior::encode`] writes it; empty unless the fit has succeeded.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) contest: Vec<u8>,
}

/// What is stored of a fit that has succeeded.
pub(super) fn stored(made: &Made, ended: told::Fit) -> Stored {
    Stored {
        fit: fit(made, ended),
        predictor: made.learned.trained.predictor.encode(),
        contest: made.offers.posterior.encode(),
    }
}

/// Makes a stored fit ready to predict.
///
/// # Errors
/// What is wrong with it.
pub(super) fn fitted(id: &str, stored: &Stored) -> Result<Fitted, String> {
    let predictor = Predictor::decode(&stored.predictor).map_err(|error| error.to_string())?;
    let posterior = Posterior::decode(&stored.contest).map_err(|error| error.to_string())?;
    let currencies = stored.fit.spend.iter().flat_map(|spend| &spend.currencies);
    let currencies = currencies.map(|mean| (mean.currency_code.clone(), mean.account_count as u64, mean.mean_spend));
    Ok(Fitted {
        id: id.to_owned(),
        predictor,
        contest_cases: posterior.asking.cases().max(posterior.staying.cases()),
        contest: posterior.predictor(),
        scales: Scales { currencies: currencies.collect() },
    })
}

/// What lists tell of a fit.
pub(super) fn in_lists(fit: told::Fit) -> told::Fit {
    let brief = |correction: told::Correction| told::Correction { coefficients: Vec::new(), ..correction };
    told::Fit {
        order_correction: fit.order_correction.map(brief),
        order_day_correction: fit.order_day_correction.map(brief),
        backtest: None,
        ..fit
    }
}

fn fit(made: &Made, ended: told::Fit) -> told::Fit {
    let Made { learned, offers, backtest } = made;
    let Learned { survey, scales, trained, sampled, known_at_cuts, .. } = learned;
    let parts = trained.predictor.parts();
    told::Fit {
        state: told::FitState::Succeeded.into(),
        status: String::new(),
        progress: 1.0,
        known_at_cuts: *known_at_cuts,
        account_count: survey.customers as i64,
        order_day_count: survey.order_days as i64,
        sampled_account_count: *sampled as i64,
        activity: Some(activity(&trained.activity)),
        activity_trials: trained.candidates.iter().map(trial).collect(),
        spend: Some(spend(trained.spend.as_ref(), scales)),
        order_correction: Some(correction(&trained.chance, parts.chance.as_ref())),
        order_day_correction: Some(correction(&trained.orders, parts.orders.as_ref())),
        competition: Some(competition(offers)),
        backtest: backtest.clone(),
        ..ended
    }
}

fn activity(fit: &prediction::Fit) -> told::ActivityFit {
    // The errors are of the model that was asked for: none at a boundary, where another may predict.
    let names = fit.model.kind().parameter_names();
    told::ActivityFit {
        model: fit.model.kind().name().to_owned(),
        parameters: parameters(names, &fit.model.parameters(), fit.precision.as_ref()),
        outcome: outcome(fit.outcome).to_owned(),
        log_likelihood: fit.ln_likelihood,
    }
}

fn parameters(names: &[&str], values: &[f64], precision: Option<&Precision>) -> Vec<told::Parameter> {
    let errors = precision.map(|precision| &precision.standard_errors).filter(|errors| errors.len() == values.len());
    let each = names.iter().zip(values).enumerate().map(|(index, (name, value))| told::Parameter {
        name: (*name).to_owned(),
        value: *value,
        standard_error: errors.map(|errors| errors[index]),
    });
    each.collect()
}

fn trial(candidate: &Candidate) -> told::ActivityTrial {
    told::ActivityTrial {
        model: candidate.fit.asked.name().to_owned(),
        outcome: outcome(candidate.fit.outcome).to_owned(),
        held_back_log_likelihood: candidate.score.ln_likelihood,
        log_loss: candidate.score.log_loss,
    }
}

fn outcome(of: Outcome) -> &'static str {
    match of {
        Outcome::Converged => "converged",
        Outcome::NotConverged => "did not converge: it falls back on a simpler model",
        Outcome::Boundary(limit) => match limit {
            Limit::NoOrders => "nobody has ordered again: it predicts by the pooled rate of half an order",
            Limit::NoChurn => "nothing says that anybody leaves: it predicts by NBD, which is as likely",
            Limit::SameChurn => "all who leave do so at one rate: that shape is at its bound",
            Limit::SplitChurn => "some leave at once and the others never: that shape is at its bound",
            Limit::SameRate => "all order at one rate: that shape is at its bound",
            Limit::SplitRate => "a few order and the others never do: that shape is at its bound",
            Limit::AllLeave => "everybody leaves at once: that shape is at its bound",
        },
    }
}

fn spend(fit: Option<&SpendFit>, scales: &Scales) -> told::SpendFit {
    let bare = told::SpendFit {
        currency_code: scales.first().to_owned(),
        outcome: "nothing was spent".to_owned(),
        currencies: scales
            .currencies
            .iter()
            .map(|(code, customers, mean)| told::CurrencyMean {
                currency_code: code.clone(),
                account_count: *customers as i64,
                mean_spend: *mean,
            })
            .collect(),
        ..told::SpendFit::default()
    };
    let Some(fit) = fit else { return bare };
    let law = fit.model.law().map(|law| law.parameters().to_vec()).unwrap_or_default();
    told::SpendFit {
        account_count: fit.customers as i64,
        parameters: parameters(&["p", "q", "v"], &law, fit.precision.as_ref()),
        outcome: match fit.outcome {
            Outcome::NotConverged => "did not converge: everybody is expected to spend the pooled mean",
            Outcome::Boundary(Limit::SameRate) => "all spend the same on the mean: that shape is at its bound",
            Outcome::Boundary(Limit::SplitRate) => {
                "each customer's orders are all the same: that shape is at its bound"
            }
            other => outcome(other),
        }
        .to_owned(),
        pooled_mean: fit.model.pooled(),
        ..bare
    }
}

fn correction(of: &Comparison, used: Option<&prediction::Correction>) -> told::Correction {
    let coefficients = used.into_iter().flat_map(|correction| &correction.terms).map(|term| told::Coefficient {
        feature: term.feature.map_or("forecast", |feature| feature.name()).to_owned(),
        weight: term.weight,
        mean: term.mean,
        standard_deviation: term.deviation,
    });
    told::Correction {
        is_used: used.is_some(),
        outcome: match of.outcome {
            LayerOutcome::Kept => "it did better on time held back",
            LayerOutcome::Lost => "it did no better on time held back: the model of activity predicts alone",
            LayerOutcome::TooShort => "history is too short to hold time back",
            LayerOutcome::TooLittle => "too few ordered, or too few did not, to learn from",
            LayerOutcome::NotConverged => "the search for its weights did not end",
        }
        .to_owned(),
        loss_without: of.plain,
        loss_with: of.layer,
        judged_account_count: of.judged as i64,
        coefficients: coefficients.collect(),
        level: used.map_or(0.0, |correction| correction.level),
    }
}

fn competition(offers: &Offers) -> told::CompetitionFit {
    let Offers { posterior, calibration } = offers;
    told::CompetitionFit {
        counter_parameters: coefficients(&posterior.asking),
        stay_parameters: coefficients(&posterior.staying),
        counter_case_count: posterior.asking.cases() as i64,
        stay_case_count: posterior.staying.cases() as i64,
        counter_quality: quality(&calibration.asking),
        stay_quality: quality(&calibration.staying),
    }
}

fn coefficients(of: &Coefficients) -> Vec<told::Parameter> {
    let each = of.each().map(|coefficient| told::Parameter {
        name: coefficient.name.to_owned(),
        value: coefficient.mean,
        standard_error: Some(coefficient.deviation),
    });
    each.collect()
}

/// How good chances were; none while there are too few cases to say.
fn quality(of: &Reliability) -> Option<told::ChanceQuality> {
    let figures = of.figures.as_ref().filter(|_| of.enough)?;
    let mean = |part: fn(&dynamics::contest::Bin) -> f64| {
        of.bins.iter().map(|bin| bin.cases as f64 * part(bin)).sum::<f64>() / of.cases as f64
    };
    let bins = of.bins.iter().map(|bin| told::ReliabilityBin {
        case_count: bin.cases as i64,
        expected_rate: bin.predicted,
        actual_rate: Some(Estimate { value: bin.observed, low: bin.low, high: bin.high }),
    });
    Some(told::ChanceQuality {
        case_count: of.cases as i64,
        expected_rate: mean(|bin| bin.predicted),
        actual_rate: mean(|bin| bin.observed),
        brier: figures.brier,
        log_loss: figures.log_loss,
        calibration_error: figures.calibration_error,
        reliability: bins.collect(),
        base_log_loss: Some(figures.base_log_loss),
        ..told::ChanceQuality::default()
    })
}
