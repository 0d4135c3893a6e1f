//! What an assessment predicts: for a person, beside what would be, and as columns.

use std::fmt::Write as _;

use contracts::assessments::v1::{Assessment, Competition, Estimate, Position, Prediction};

use super::figures::{self, NONE, decimals, or_none, percent, signed, with_interval};
use crate::{import::value::short_name, output::Grid};

/// How many reasons a person is given.
const TOP_TERMS: usize = 10;

/// What is predicted of an account, for a person: only tables, if it was told in sentences before.
pub(super) fn page(assessment: &Assessment, is_told: bool) -> String {
    if is_told {
        return assessment.prediction.as_ref().map(grids).unwrap_or_default();
    }
    let Some(prediction) = &assessment.prediction else {
        return "nothing is predicted: the account has been closed".to_owned();
    };
    let mut page = format!("within {}", figures::counted(prediction.horizon_days.into(), "day", "days"));
    match (&prediction.order_probability, assessment.fit.as_str()) {
        (Some(_), fit) => {
            if let Some(fit) = fit.strip_prefix("fits/") {
                let _ = write!(page, ", by fit {fit}");
            }
            let _ = write!(page, "\n{}", orders(prediction));
            let _ = write!(page, "\n\n{}", reasons(prediction));
        }
        (None, "") => page.push_str("\nits orders are not predicted: no fit is in use, `rapport fit` makes one"),
        (None, _) => page.push_str("\nits orders are not predicted: it has none yet"),
    }
    if let Some(competition) = &prediction.competition {
        let _ = write!(page, "\n\n{}", rivals(competition));
    }
    page
}

/// What is predicted, what moved it, and where the customer stands against rivals.
fn grids(prediction: &Prediction) -> String {
    let mut grids = Vec::new();
    if prediction.order_probability.is_some() {
        grids.push(orders(prediction).to_string());
    }
    if !prediction.terms.is_empty() {
        grids.push(terms(prediction).to_string());
    }
    grids.extend(prediction.competition.as_ref().map(|competition| chances(competition).to_string()));
    grids.join("\n\n")
}

fn orders(prediction: &Prediction) -> Grid {
    let money = |of: Option<Estimate>| {
        let decimals = decimals(of.map_or(0.0, |of| of.value));
        move |amount: f64| format!("{amount:.decimals$} {}", prediction.currency_code).trim_end().to_owned()
    };
    let mut grid = Grid::titled(&["", "predicted", "95 %"]).right(&[1]);
    let mut row = |title: &str, estimate: Option<&Estimate>, tell: &dyn Fn(f64) -> String| {
        let [value, interval] = with_interval(estimate, tell);
        grid.row([title.to_owned(), value, interval]);
    };
    row("an order at all", prediction.order_probability.as_ref(), &percent);
    row("days with an order", prediction.order_day_count.as_ref(), &|days| format!("{days:.2}"));
    row("spend", prediction.spend.as_ref(), &money(prediction.spend));
    let discount = prediction.yearly_discount * 100.0;
    let title = format!("lifetime value, at {discount:.0} % a year");
    row(&title, prediction.lifetime_value.as_ref(), &money(prediction.lifetime_value));
    row("still active", prediction.active_probability.as_ref(), &percent);
    grid
}

fn reasons(prediction: &Prediction) -> String {
    let mut text = format!(
        "by its orders alone: {} for an order, {:.2} days with one",
        percent(prediction.order_probability_by_orders),
        prediction.order_day_count_by_orders
    );
    if prediction.terms.is_empty() {
        return text;
    }
    let _ = write!(text, "; what moves that\n{}", terms(prediction));
    text
}

fn terms(prediction: &Prediction) -> Grid {
    let mut grid = Grid::titled(&["log-odds", "days", "what else is known"]).right(&[0, 1]);
    for term in prediction.terms.iter().take(TOP_TERMS) {
        let days = format!("× {:.2}", term.log_count.exp());
        grid.row([signed(term.log_odds, 2), days, term.feature.clone()]);
    }
    let rest = prediction.terms.get(TOP_TERMS..).unwrap_or_default();
    if !rest.is_empty() {
        let odds: f64 = rest.iter().map(|term| term.log_odds).sum();
        let count: f64 = rest.iter().map(|term| term.log_count).sum();
        let name = figures::counted(rest.len() as i64, "more", "more together");
        grid.row([signed(odds, 2), format!("× {:.2}", count.exp()), name]);
    }
    grid
}

fn rivals(competition: &Competition) -> String {
    let learned = match competition.case_count {
        0 => "by what is believed beforehand: no offer of a rival was resolved yet".to_owned(),
        count => format!("learned from {}", figures::counted(count, "offer of a rival", "offers of rivals")),
    };
    format!("position: {}, {learned}\n{}", figures::position(competition.position()), chances(competition))
}

fn chances(competition: &Competition) -> Grid {
    let mut grid = Grid::titled(&["if a rival makes an offer, it", "chance", "95 %"]).right(&[1]);
    for (title, estimate) in [
        ("gives the chance to counter", &competition.counter_probability),
        ("stays if it is not countered", &competition.stay_probability),
        ("stays if it is countered", &competition.countered_stay_probability),
    ] {
        let [value, interval] = with_interval(estimate.as_ref(), percent);
        grid.row([title.to_owned(), value, interval]);
    }
    grid
}

/// What would be predicted, beside what is; nothing if neither is.
pub(super) fn compared(before: Option<&Prediction>, after: Option<&Prediction>) -> Option<String> {
    let (before, after) = (before?, after?);
    let mut grid = Grid::titled(&["", "now", "then", "moves"]).right(&[1, 2, 3]);
    let currency = match after.currency_code.as_str() {
        "" => String::new(),
        code => format!(" {code}"),
    };
    let mut row = |title: &str, of: fn(&Prediction) -> Option<Estimate>, figure: Figure| {
        let [now, then] = [before, after].map(|prediction| of(prediction).map(|estimate| estimate.value));
        let (scale, unit, step) = match figure {
            Figure::Chance => (100.0, " %", " points"),
            Figure::Days => (1.0, "", ""),
            Figure::Money => (1.0, currency.as_str(), currency.as_str()),
        };
        let decimals = if figure == Figure::Money { decimals(now.or(then).unwrap_or_default()) } else { 2 };
        let tell = |value: f64| format!("{:.decimals$}{unit}", value * scale + 0.0);
        let moves = now.zip(then).map(|(now, then)| then - now);
        let moves = or_none(moves, |moves| signed(moves * scale, decimals) + step);
        grid.row([title.to_owned(), or_none(now, tell), or_none(then, tell), moves]);
    };
    row("an order at all", |of| of.order_probability, Figure::Chance);
    row("days with an order", |of| of.order_day_count, Figure::Days);
    row("spend", |of| of.spend, Figure::Money);
    row("lifetime value", |of| of.lifetime_value, Figure::Money);
    row("chance to counter a rival", |of| of.competition?.counter_probability, Figure::Chance);
    row("stays if not countered", |of| of.competition?.stay_probability, Figure::Chance);
    row("stays if countered", |of| of.competition?.countered_stay_probability, Figure::Chance);
    let positions = [before, after].map(|of| of.competition.map_or(NONE.to_owned(), position_told));
    let [now, then] = positions;
    grid.row(["position".to_owned(), now, then, String::new()]);
    Some(format!("within {}\n{grid}", figures::counted(after.horizon_days.into(), "day", "days")))
}

/// What a figure is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figure {
    Chance,
    Days,
    Money,
}

fn position_told(competition: Competition) -> String {
    figures::position(competition.position())
}

/// The columns that a prediction adds to an assessment's, in their order.
pub(super) fn columns() -> Vec<String> {
    let figures = ["p_order", "expected_orders", "expected_spend", "lifetime_value", "p_counter"];
    let figures = figures.into_iter().flat_map(figures::titles);
    figures.chain(["position", "currency", "fit"].map(str::to_owned)).collect()
}

/// A prediction in those columns; empty cells for what is not predicted.
pub(super) fn cells(assessment: &Assessment) -> Vec<String> {
    let prediction = assessment.prediction.clone().unwrap_or_default();
    let competition = prediction.competition.unwrap_or_default();
    let estimates = [
        prediction.order_probability,
        prediction.order_day_count,
        prediction.spend,
        prediction.lifetime_value,
        competition.counter_probability,
    ];
    let figures = estimates.iter().flat_map(|estimate| figures::cells(estimate.as_ref()));
    let position = match competition.position() {
        Position::Unspecified => String::new(),
        position => short_name("Position", position.as_str_name()),
    };
    let fit = assessment.fit.strip_prefix("fits/").unwrap_or_default();
    figures.chain([position, prediction.currency_code, fit.to_owned()]).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::assessments::v1::PredictionTerm;

    use super::*;

    pub(in crate::commands) fn estimate(value: f64, low: f64, high: f64) -> Option<Estimate> {
        Some(Estimate { value, low, high })
    }

    /// An account with everything predicted.
    pub(in crate::commands) fn predicted() -> Assessment {
        Assessment {
            name: "accounts/acme/assessment".to_owned(),
            fit: "fits/f1".to_owned(),
            prediction: Some(Prediction {
                horizon_days: 91,
                active_probability: estimate(0.9, 0.9, 0.9),
                order_probability: estimate(0.625, 0.5, 0.75),
                order_day_count: estimate(2.5, 2.0, 3.0),
                spend: estimate(250.0, 200.0, 300.0),
                lifetime_value: estimate(1000.5, 900.0, 1100.0),
                currency_code: "GBP".to_owned(),
                yearly_discount: 0.15,
                order_probability_by_orders: 0.5,
                order_day_count_by_orders: 2.0,
                terms: vec![PredictionTerm { feature: "open complaints".to_owned(), log_odds: -0.5, log_count: 0.0 }],
                competition: Some(Competition {
                    counter_probability: estimate(0.25, 0.125, 0.5),
                    stay_probability: estimate(0.5, 0.25, 0.75),
                    countered_stay_probability: estimate(0.75, 0.5, 1.0),
                    position: Position::BeyondCompetition.into(),
                    case_count: 1,
                }),
            }),
            ..Assessment::default()
        }
    }

    #[test]
    fn a_page_tells_figures_with_intervals_and_what_moved_them() {
        let told = page(&predicted(), true);
        assert!(told.contains("62.5 %  50.0 % to 75.0 %") && !told.contains("position"), "{told}");
        let page = page(&predicted(), false);
        for part in [
            "within 91 days, by fit f1",
            "62.5 %  50.0 % to 75.0 %",
            "1000 GBP  900 GBP to 1100 GBP",
            "by its orders alone: 50.0 % for an order, 2.00 days with one",
            "   -0.50  × 1.00  open complaints",
            "position: beyond competition, learned from 1 offer of a rival",
            "stays if it is countered       75.0 %  50.0 % to 100.0 %",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }

    #[test]
    fn what_is_not_predicted_says_why() {
        let closed = Assessment::default();
        assert!(page(&closed, false).contains("closed"), "{}", page(&closed, false));
        let mut bare = Assessment {
            prediction: Some(Prediction {
                horizon_days: 1,
                competition: Some(Competition::default()),
                ..Prediction::default()
            }),
            ..Assessment::default()
        };
        let told = page(&bare, false);
        assert!(told.starts_with("within 1 day\n") && told.contains("`rapport fit`"), "{told}");
        assert!(told.contains("no offer of a rival was resolved"), "{told}");
        bare.fit = "fits/f1".to_owned();
        assert!(page(&bare, false).contains("it has none"), "{}", page(&bare, false));
    }

    #[test]
    fn terms_beyond_the_first_are_summed() {
        let mut assessment = predicted();
        let term = PredictionTerm { feature: "x".to_owned(), log_odds: 0.25, log_count: 0.0 };
        assessment.prediction.as_mut().expect("a prediction").terms = vec![term; TOP_TERMS + 4];
        assert!(page(&assessment, false).contains("   +1.00  × 1.00  4 more together"), "{}", page(&assessment, false));
    }

    #[test]
    fn what_would_be_stands_beside_what_is() {
        let before = predicted().prediction.expect("a prediction");
        let after = Prediction {
            order_probability: estimate(0.7, 0.6, 0.8),
            lifetime_value: None,
            competition: None,
            ..before.clone()
        };
        let told = compared(Some(&before), Some(&after)).expect("both");
        for part in ["62.50 %     70.00 %  +7.50 points", "+0.00 GBP", "beyond competition"] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        assert!(told.lines().any(|line| line.starts_with("lifetime value") && line.ends_with(" -")), "{told}");
        assert_eq!(compared(Some(&before), None), None);
    }

    #[test]
    fn columns_have_a_cell_each() {
        let row: Vec<(String, String)> = columns().into_iter().zip(cells(&predicted())).collect();
        let cell = |name: &str| row.iter().find(|(title, _)| title == name).map(|(_, cell)| cell.as_str());
        assert_eq!(cell("p_order_low"), Some("0.5"));
        assert_eq!(cell("expected_orders"), Some("2.5"));
        assert_eq!(cell("expected_spend_high"), Some("300"));
        assert_eq!(cell("lifetime_value"), Some("1000.5"));
        assert_eq!(cell("p_counter"), Some("0.25"));
        assert_eq!(cell("position"), Some("beyond_competition"));
        assert_eq!((cell("currency"), cell("fit")), (Some("GBP"), Some("f1")));
        assert_eq!(cells(&Assessment::default()), vec![""; columns().len()]);
    }
}
