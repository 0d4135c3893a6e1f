//! A fit as a page for a person.

use std::{collections::BTreeMap, fmt::Write as _};

use contracts::predictions::v1::{
    ActivityFit, ChanceQuality, CompetitionFit, Correction, Fit, FitState, Parameter, SpendFit,
};

use crate::{
    commands::{
        backtest::page::brief,
        figures::{counted, or_none, percent, predictor, signed, with_interval},
        told, told_in_short,
    },
    import::value::short_name,
    output::Grid,
};

/// How many of the features that count most a person is told.
const TOP_FEATURES: usize = 10;
/// What the correction's own term is called, that says how much of the forecast it believes.
const FORECAST: &str = "forecast";

/// The id of a fit.
pub(crate) fn id(fit: &Fit) -> &str {
    fit.name.strip_prefix("fits/").unwrap_or(&fit.name)
}

/// A state in one word.
pub(crate) fn state(fit: &Fit) -> String {
    short_name("FitState", fit.state().as_str_name())
}

/// Everything that was learned, for a person.
pub(crate) fn page(fit: &Fit) -> String {
    let mut page = head(fit);
    if fit.state() != FitState::Succeeded {
        return page;
    }
    if let Some(activity) = &fit.activity {
        let _ = write!(page, "\n\n{}", activity_told(activity));
    }
    if !fit.activity_trials.is_empty() {
        let _ = write!(page, "\n\n{}", trials(fit));
    }
    if let Some(spend) = &fit.spend {
        let _ = write!(page, "\n\n{}", spend_told(spend));
    }
    let _ = write!(page, "\n\n{}", corrections(fit));
    if let Some(competition) = &fit.competition {
        let _ = write!(page, "\n\n{}", competition_told(competition));
    }
    match &fit.backtest {
        Some(backtest) => {
            let _ = write!(page, "\n\nback-test: {}", brief(backtest));
            let days = backtest.predictors.first().and_then(|served| served.order_days.as_ref());
            if let Some(days) = days {
                let bias = or_none(days.bias, |bias| format!("{} %", signed(bias * 100.0, 1)));
                let (expected, actual) = (days.expected_total, days.actual_total);
                let _ = write!(page, "\n\ndays with an order: {expected:.0} expected, {actual:.0} followed ({bias})");
            }
        }
        None => page.push_str("\n\nno back-test: history is too short"),
    }
    page
}

fn head(fit: &Fit) -> String {
    let mut head = format!("fit {}: {}", id(fit), state(fit));
    if fit.is_default {
        head.push_str(", predicts now");
    }
    if !fit.status.is_empty() {
        let _ = write!(head, "; {}", fit.status);
    }
    if matches!(fit.state(), FitState::Pending | FitState::Running) && fit.progress > 0.0 {
        let _ = write!(head, ", {:.0} % of that", fit.progress * 100.0);
    }
    let by = if fit.automatic { "begun by itself" } else { "asked for" };
    let _ = write!(head, "\n{by} at {}", told(fit.create_time));
    if let (Some(begun), Some(ended)) = (fit.create_time, fit.end_time) {
        let micros = |time: prost_types::Timestamp| time.seconds as f64 + f64::from(time.nanos) / 1e9;
        let _ = write!(head, ", ended after {:.1} s", (micros(ended) - micros(begun)).max(0.0));
    }
    let days = counted(fit.horizon_days.into(), "day", "days");
    let _ = write!(head, "\nmade for {days} ahead");
    if fit.state() == FitState::Succeeded {
        let known = if fit.known_at_cuts { "as it was known at each time" } else { "as it is known now of each time" };
        let _ = write!(
            head,
            ", from {} with {} with an order, up to {}, {known}",
            counted(fit.account_count, "customer", "customers"),
            counted(fit.order_day_count, "day", "days"),
            told_in_short(fit.cut_time),
        );
        if !fit.is_default {
            let _ = write!(head, "\nit does not predict: `rapport fits use {}` chooses it", id(fit));
        }
    }
    head
}

fn activity_told(activity: &ActivityFit) -> String {
    let mut text = format!("when they order: {}, {}", predictor(&activity.model), outcome(&activity.outcome));
    let _ = write!(text, "; log-likelihood {:.2}", activity.log_likelihood);
    if !activity.parameters.is_empty() {
        let _ = write!(text, "\n{}", parameters(&activity.parameters));
    }
    text
}

fn outcome(told: &str) -> &str {
    if told.is_empty() { "nothing is said of how it ended" } else { told }
}

fn parameters(of: &[Parameter]) -> Grid {
    let mut grid = Grid::titled(&["parameter", "value", "error"]).right(&[1, 2]);
    for parameter in of {
        let error = or_none(parameter.standard_error, significant);
        grid.row([parameter.name.clone(), significant(parameter.value), error]);
    }
    grid
}

/// A number in six significant digits, or in as many as it has before the point.
fn significant(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    let before = if size < 1.0 { 0 } else { size.log10().floor() as usize + 1 };
    format!("{value:.*}", 6_usize.saturating_sub(before))
}

fn trials(fit: &Fit) -> String {
    let mut grid = Grid::titled(&["model", "log-likelihood", "log-loss", "its fit"]).right(&[1, 2]);
    for trial in &fit.activity_trials {
        grid.row([
            predictor(&trial.model),
            format!("{:.4}", trial.held_back_log_likelihood),
            format!("{:.4}", trial.log_loss),
            trial.outcome.clone(),
        ]);
    }
    format!("the models that were tried, best first, by time held back, of one customer\n{grid}")
}

fn spend_told(spend: &SpendFit) -> String {
    let customers = counted(spend.account_count, "customer", "customers");
    let mut text = format!("what they spend on an order day: {}, from {customers}", outcome(&spend.outcome));
    if !spend.currency_code.is_empty() {
        let _ = write!(text, "; {:.2} {} on the mean", spend.pooled_mean, spend.currency_code);
    }
    if !spend.parameters.is_empty() {
        let _ = write!(text, "\n{}", parameters(&spend.parameters));
    }
    if spend.currencies.len() > 1 {
        let mut grid = Grid::titled(&["currency", "customers", "mean"]).right(&[1, 2]);
        for currency in &spend.currencies {
            let mean = format!("{:.2}", currency.mean_spend);
            grid.row([currency.currency_code.clone(), currency.account_count.to_string(), mean]);
        }
        let _ = write!(text, "\n{grid}");
    }
    text
}

fn corrections(fit: &Fit) -> String {
    let mut text = "what else is known of them, beside when they ordered".to_owned();
    if fit.sampled_account_count > 0 && fit.sampled_account_count != fit.account_count {
        let _ = write!(text, " (learned from {} of them, drawn evenly)", fit.sampled_account_count);
    }
    let mut grid =
        Grid::titled(&["corrects", "used", "loss without", "with", "moves", "judged by", "why"]).right(&[2, 3, 4, 5]);
    let both = [
        ("the chance of an order", fit.order_correction.as_ref()),
        ("the days with an order", fit.order_day_correction.as_ref()),
    ];
    for (title, correction) in both {
        let Some(correction) = correction else {
            grid.row([title.to_owned(), "no".to_owned()]);
            continue;
        };
        let used = if correction.is_used { "yes" } else { "no" };
        let moves = correction.loss_without.zip(correction.loss_with).map(|(without, with)| with - without);
        let loss = |loss: Option<f64>| or_none(loss, |loss| format!("{loss:.4}"));
        grid.row([
            title.to_owned(),
            used.to_owned(),
            loss(correction.loss_without),
            loss(correction.loss_with),
            or_none(moves, |moves| signed(moves, 4)),
            correction.judged_account_count.to_string(),
            correction.outcome.clone(),
        ]);
    }
    let _ = write!(text, "\n{grid}");
    let features = features(both.map(|(_, correction)| correction));
    if !features.is_bare() {
        let _ = write!(text, "\n\nwhat counts most; one standard deviation more adds\n{features}");
    }
    text
}

fn features(both: [Option<&Correction>; 2]) -> Grid {
    let mut weights: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for (index, correction) in both.into_iter().enumerate() {
        for coefficient in correction.iter().flat_map(|correction| &correction.coefficients) {
            weights.entry(&coefficient.feature).or_default()[index] = coefficient.weight;
        }
    }
    let size = |weights: &[f64; 2]| weights[0].abs() + weights[1].abs();
    let mut sorted: Vec<_> = weights.into_iter().filter(|(feature, _)| *feature != FORECAST).collect();
    sorted.sort_by(|(_, one), (_, other)| size(other).total_cmp(&size(one)));
    let mut grid = Grid::titled(&["log-odds", "log of days", "feature"]).right(&[0, 1]);
    for (feature, [odds, days]) in sorted.into_iter().take(TOP_FEATURES) {
        grid.row([signed(odds, 3), signed(days, 3), feature.to_owned()]);
    }
    grid
}

fn competition_told(competition: &CompetitionFit) -> String {
    let mut text = "when a rival makes an offer".to_owned();
    let both = [
        ("gives the chance to counter", competition.counter_case_count, &competition.counter_quality),
        ("stays", competition.stay_case_count, &competition.stay_quality),
    ];
    let titles = ["the customer", "cases", "expected", "happened", "AUC", "95 %", "log-loss", "a rule's", ""];
    let mut grid = Grid::titled(&titles).right(&[1, 2, 3, 4, 6, 7]);
    for (title, count, quality) in both {
        let share = |of: fn(&ChanceQuality) -> f64| or_none(quality.as_ref().map(of), percent);
        let [auc, interval] =
            with_interval(quality.as_ref().and_then(|quality| quality.auc.as_ref()), |auc| format!("{auc:.3}"));
        let loss = |loss: Option<f64>| or_none(loss, |loss| format!("{loss:.4}"));
        grid.row([
            title.to_owned(),
            count.to_string(),
            share(|quality| quality.expected_rate),
            share(|quality| quality.actual_rate),
            auc,
            interval,
            loss(quality.as_ref().map(|quality| quality.log_loss)),
            loss(quality.as_ref().and_then(|quality| quality.base_log_loss)),
            if quality.is_none() { "too few to judge by" } else { "" }.to_owned(),
        ]);
    }
    let _ = write!(text, "\n{grid}");
    let parameters = weighed(competition);
    if !parameters.is_bare() {
        let _ = write!(text, "\n\n{parameters}");
    }
    text
}

/// What moves either chance, side by side.
fn weighed(competition: &CompetitionFit) -> Grid {
    let mut grid =
        Grid::titled(&["what moves the log-odds", "to counter", "error", "to stay", "error"]).right(&[1, 2, 3, 4]);
    let cells = |parameters: &[Parameter], name: &str| {
        let found = parameters.iter().find(|parameter| parameter.name == name);
        let value = or_none(found.map(|found| found.value), |value| signed(value, 3));
        [value, or_none(found.and_then(|found| found.standard_error), |error| format!("{error:.3}"))]
    };
    let (counter, stay) = (&competition.counter_parameters, &competition.stay_parameters);
    let mut names: Vec<&str> = Vec::new();
    for parameter in counter.iter().chain(stay) {
        if !names.contains(&parameter.name.as_str()) {
            names.push(&parameter.name);
        }
    }
    for name in names {
        let [counter, counter_error] = cells(counter, name);
        let [stay, stay_error] = cells(stay, name);
        grid.row([name.to_owned(), counter, counter_error, stay, stay_error]);
    }
    grid
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::predictions::v1::{ActivityTrial, Coefficient, CurrencyMean};
    use prost_types::Timestamp;

    use super::*;
    use crate::commands::backtest::page::tests::backtest;

    fn parameter(name: &str, value: f64, standard_error: Option<f64>) -> Parameter {
        Parameter { name: name.to_owned(), value, standard_error }
    }

    fn correction(is_used: bool, outcome: &str, losses: Option<(f64, f64)>) -> Option<Correction> {
        let coefficient = |feature: &str, weight| Coefficient {
            feature: feature.to_owned(),
            weight,
            mean: 0.0,
            standard_deviation: 1.0,
        };
        Some(Correction {
            is_used,
            outcome: outcome.to_owned(),
            loss_without: losses.map(|losses| losses.0),
            loss_with: losses.map(|losses| losses.1),
            judged_account_count: 200,
            coefficients: if is_used {
                vec![coefficient("forecast", 1.0), coefficient("days silent", -0.25), coefficient("bond", 0.5)]
            } else {
                Vec::new()
            },
            level: 0.0,
        })
    }

    /// A fit that has learned a bit of everything.
    pub(in crate::commands::fit) fn fit() -> Fit {
        Fit {
            name: "fits/f1".to_owned(),
            create_time: Some(Timestamp { seconds: 1_000_000, nanos: 0 }),
            end_time: Some(Timestamp { seconds: 1_000_002, nanos: 500_000_000 }),
            state: FitState::Succeeded.into(),
            progress: 1.0,
            is_default: true,
            cut_time: Some(Timestamp { seconds: 864_000, nanos: 0 }),
            horizon_days: 91,
            known_at_cuts: true,
            account_count: 2_357,
            order_day_count: 6_696,
            sampled_account_count: 2_357,
            activity: Some(ActivityFit {
                model: "pareto_nbd".to_owned(),
                parameters: vec![parameter("r", 0.553277, Some(0.0476)), parameter("beta", 11.668738, None)],
                outcome: "converged".to_owned(),
                log_likelihood: -9594.9762,
            }),
            activity_trials: vec![ActivityTrial {
                model: "mbg_nbd".to_owned(),
                outcome: "converged".to_owned(),
                held_back_log_likelihood: -1.25,
                log_loss: 0.375,
            }],
            spend: Some(SpendFit {
                currency_code: "USD".to_owned(),
                account_count: 946,
                parameters: vec![parameter("p", 6.249573, Some(1.19))],
                outcome: "converged".to_owned(),
                pooled_mean: 35.17,
                currencies: vec![
                    CurrencyMean { currency_code: "USD".to_owned(), account_count: 900, mean_spend: 35.0 },
                    CurrencyMean { currency_code: "EUR".to_owned(), account_count: 46, mean_spend: 30.0 },
                ],
            }),
            order_correction: correction(true, "it did better on time held back", Some((0.375, 0.36))),
            order_day_correction: correction(false, "history is too short to hold time back", None),
            competition: Some(CompetitionFit {
                counter_parameters: vec![parameter("bond", 0.5, Some(0.25))],
                stay_parameters: vec![parameter("bond", 1.0, Some(0.5)), parameter("countered", 0.75, None)],
                counter_case_count: 12,
                stay_case_count: 3,
                counter_quality: Some(ChanceQuality {
                    case_count: 12,
                    expected_rate: 0.5,
                    actual_rate: 0.25,
                    log_loss: 0.6,
                    base_log_loss: Some(0.7),
                    ..ChanceQuality::default()
                }),
                stay_quality: None,
            }),
            backtest: Some(backtest()),
            ..Fit::default()
        }
    }

    #[test]
    fn a_page_tells_what_was_learned_and_how_good_it_is() {
        let page = page(&fit());
        for part in [
            "fit f1: succeeded, predicts now\nasked for at 1970-01-12T13:46:40Z, ended after 2.5 s",
            "made for 91 days ahead, from 2357 customers with 6696 days with an order, up to 1970-01-11, as it was",
            "when they order: Pareto/NBD, converged; log-likelihood -9594.98",
            "r          0.553277  0.047600",
            "beta        11.6687         -",
            "MBG/NBD         -1.2500    0.3750  converged",
            "what they spend on an order day: converged, from 946 customers; 35.17 USD on the mean",
            "EUR              46  30.00",
            "the chance of an order  yes         0.3750  0.3600  -0.0150        200  it did better on time held back",
            "the days with an order  no               -       -        -        200  history is too short",
            "  +0.500       +0.000  bond\n  -0.250       +0.000  days silent",
            "gives the chance to counter     12    50.0 %    25.0 %    -          0.6000    0.7000\n",
            "stays                            3         -         -    -               -         -  too few to judge",
            "countered                         -      -   +0.750      -",
            "back-test: 91 days from 1970-01-02 on",
            "days with an order: 95 expected, 100 followed (-5.0 %)",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert!(!page.contains("forecast") && !page.contains("fits use"), "{page}");
        let unused = super::page(&Fit { is_default: false, ..fit() });
        assert!(unused.contains("\nit does not predict: `rapport fits use f1` chooses it\n"), "{unused}");
    }

    #[test]
    fn a_fit_on_its_way_or_without_a_result_says_so() {
        let running = Fit {
            name: "fits/f1".to_owned(),
            state: FitState::Running.into(),
            status: "reads their histories".to_owned(),
            progress: 0.25,
            automatic: true,
            horizon_days: 91,
            ..Fit::default()
        };
        let told = page(&running);
        assert_eq!(
            told,
            "fit f1: running; reads their histories, 25 % of that\nbegun by itself at \nmade for 91 days ahead"
        );
        let failed = Fit { status: "no account had ordered".to_owned(), ..running };
        let failed = Fit { state: FitState::Failed.into(), ..failed };
        assert!(page(&failed).starts_with("fit f1: failed; no account had ordered\n"), "{}", page(&failed));
        // A fit that has learned nothing, as an old server may tell of one.
        let bare = Fit { state: FitState::Succeeded.into(), ..Fit::default() };
        assert!(page(&bare).contains("the chance of an order  no"), "{}", page(&bare));
    }

    #[test]
    fn numbers_have_six_digits() {
        let told = [0.553277, 11.668738, -9594.9762, 1_234_567.0, 0.0, 1e-7, 2e12].map(significant);
        assert_eq!(told, ["0.553277", "11.6687", "-9594.98", "1234567", "0.000000", "1.000e-7", "2.000e12"]);
    }
}
