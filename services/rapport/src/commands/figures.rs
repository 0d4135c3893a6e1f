//! Figures for a person and for programs: estimates with their ends, shares in percent, bars.

use contracts::assessments::v1::{Estimate, Position};

use crate::import::value::short_name;

/// A bar's parts, in eighths of a character.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A share of 1 in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0 + 0.0)
}

/// What stands in place of a figure that does not exist.
pub(super) const NONE: &str = "-";

/// An estimate in a person's words, and its interval, if it has one; [`NONE`] and nothing if there is no estimate.
pub(super) fn with_interval(estimate: Option<&Estimate>, tell: impl Fn(f64) -> String) -> [String; 2] {
    match estimate {
        None => [NONE.to_owned(), String::new()],
        Some(Estimate { value, low, high }) if low == high => [tell(*value), String::new()],
        Some(Estimate { value, low, high }) => [tell(*value), format!("{} to {}", tell(*low), tell(*high))],
    }
}

/// A figure in a person's words, or [`NONE`].
pub(super) fn or_none(figure: Option<f64>, tell: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| NONE.to_owned(), tell)
}

/// A number that reads back as itself, without a negative zero.
pub(super) fn exact(value: f64) -> String {
    (value + 0.0).to_string()
}

/// A number that reads back as itself, or nothing.
pub(super) fn exact_or_empty(value: Option<f64>) -> String {
    value.map(exact).unwrap_or_default()
}

/// An estimate and its ends for programs; three empty cells if there is none.
pub(super) fn cells(estimate: Option<&Estimate>) -> [String; 3] {
    match estimate {
        None => Default::default(),
        Some(Estimate { value, low, high }) => [*value, *low, *high].map(exact),
    }
}

/// The titles of [`cells`].
pub(super) fn titles(of: &str) -> [String; 3] {
    [of.to_owned(), format!("{of}_low"), format!("{of}_high")]
}

/// A position in words.
pub(super) fn position(position: Position) -> String {
    short_name("Position", position.as_str_name()).replace('_', " ")
}

/// A difference with its sign, in so many decimals, without a negative zero.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let told = format!("{value:+.decimals$}");
    if told.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.')) {
        return told.replace('-', "+");
    }
    told
}

/// How many decimals of an amount of money tell anything.
pub(super) fn decimals(amount: f64) -> usize {
    if amount.abs() < 1_000.0 { 2 } else { 0 }
}

/// A way of predicting: a model by the name that the literature gives it, a rule by its own.
pub(super) fn predictor(name: &str) -> String {
    match name {
        "pareto_nbd" => "Pareto/NBD".to_owned(),
        "bg_nbd" => "BG/NBD".to_owned(),
        "mbg_nbd" => "MBG/NBD".to_owned(),
        "nbd" => "NBD".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A bar for a count, the longest of which is `width` characters long. What is not 0 is seen.
pub(super) fn bar(count: i64, longest: i64, width: usize) -> String {
    if count <= 0 || longest <= 0 {
        return String::new();
    }
    let eighths = (count as f64 / longest as f64).min(1.0) * (width * EIGHTHS.len()) as f64;
    let eighths = (eighths.round() as usize).max(1);
    "█".repeat(eighths / EIGHTHS.len()) + EIGHTHS[eighths % EIGHTHS.len()]
}

/// One thing, or several.
pub(super) fn counted(count: i64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_told_with_their_ends() {
        let estimate = Estimate { value: 0.625, low: 0.5, high: 0.75 };
        assert_eq!(with_interval(Some(&estimate), percent), ["62.5 %", "50.0 % to 75.0 %"]);
        assert_eq!(with_interval(None, percent), ["-", ""]);
        assert_eq!(with_interval(Some(&Estimate { value: 0.5, low: 0.5, high: 0.5 }), percent), ["50.0 %", ""]);
        assert_eq!(cells(Some(&estimate)), ["0.625", "0.5", "0.75"]);
        assert_eq!(cells(None), ["", "", ""]);
        assert_eq!(titles("p_order"), ["p_order", "p_order_low", "p_order_high"]);
        assert_eq!([predictor("mbg_nbd"), predictor("last_period")], ["MBG/NBD", "last period"]);
        assert_eq!((percent(-0.0), exact(-0.0)), ("0.0 %".to_owned(), "0".to_owned()));
    }

    #[test]
    fn bars_are_as_long_as_their_counts() {
        assert_eq!((bar(8, 8, 4), bar(4, 8, 4), bar(3, 8, 4)), ("████".into(), "██".into(), "█▌".into()));
        assert_eq!((bar(1, 1_000_000, 4), bar(0, 8, 4), bar(0, 0, 4)), ("▏".into(), String::new(), String::new()));
    }

    #[test]
    fn differences_have_a_sign_and_no_negative_zero() {
        let told = [-0.00004, 0.0, -0.0, 1.5, -1.5].map(|value| signed(value, 2));
        assert_eq!(told, ["+0.00", "+0.00", "+0.00", "+1.50", "-1.50"]);
        assert_eq!((signed(-0.4, 0), decimals(-999.0), decimals(1_000.0)), ("+0".to_owned(), 2, 0));
    }

    #[test]
    fn positions_are_words() {
        assert_eq!(position(Position::BeyondCompetition), "beyond competition");
        assert_eq!(position(Position::Unspecified), "unspecified");
    }
}
