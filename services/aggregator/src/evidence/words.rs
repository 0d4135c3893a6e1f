//! The words of moments: amounts, spans, lateness, quotations.

use contracts::common::v1::{Money, Party};
use dynamics::DAY;

use super::Moment;
use super::scale::HOUR;

/// The longest text of a moment, in characters.
const LONGEST: usize = 120;
/// One minute, in microseconds.
const MINUTE: i64 = 60_000_000;

impl Moment {
    /// A moment whose text is put on one line and cut to 120 characters.
    pub(super) fn new(at: i64, party: Party, text: impl AsRef<str>) -> Moment {
        Moment { at, party, text: cut(text.as_ref()) }
    }
}

/// An amount such as "139.50 GBP", exact, with decimals only where there are any.
pub(super) fn amount(money: &Money) -> String {
    let sign = if money.units < 0 || money.nanos < 0 { "-" } else { "" };
    let (units, currency) = (money.units.unsigned_abs(), &money.currency_code);
    if money.nanos == 0 {
        return format!("{sign}{units} {currency}");
    }
    let digits = format!("{:09}", money.nanos.unsigned_abs());
    let decimals = digits.trim_end_matches('0');
    format!("{sign}{units}.{decimals:0<2} {currency}")
}

/// A span in its two largest useful steps: "5 min", "3 h", "2 days".
pub(super) fn span(micros: i64) -> String {
    match micros.max(0) {
        short if short < HOUR => format!("{} min", short / MINUTE),
        medium if medium < 2 * DAY => format!("{} h", medium / HOUR),
        long => counted(long / DAY, "day"),
    }
}

/// "on time", or "3 days late".
pub(super) fn lateness(due: i64, done: i64) -> String {
    let late = done.saturating_sub(due);
    if late > 0 { format!("{} late", span(late)) } else { "on time".to_owned() }
}

/// "1 item", "2 items".
pub(super) fn counted(count: i64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// The words that are not empty after a colon, or nothing: ": late again".
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().map(str::trim).filter(|words| !words.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(": ")) }
}

/// The last part of a resource name: the id that people know it by.
pub(super) fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn cut(text: &str) -> String {
    // Texts may hold 65,536 characters: those that cannot matter are not looked at.
    let head: String = text.chars().take(4 * LONGEST).collect();
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let mut cut: String = line.chars().take(LONGEST - 1).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let money = |units, nanos| amount(&Money { currency_code: "GBP".to_owned(), units, nanos });
        assert_eq!(money(139, 500_000_000), "139.50 GBP");
        assert_eq!(money(0, -5_000_000), "-0.005 GBP");
        assert_eq!(money(-12, 0), "-12 GBP");
    }

    #[test]
    fn spans_are_rounded_down_to_a_useful_step() {
        assert_eq!(span(-1), "0 min");
        assert_eq!(span(59 * MINUTE), "59 min");
        assert_eq!(span(47 * HOUR), "47 h");
        assert_eq!(lateness(0, 3 * DAY + HOUR), "3 days late");
        assert_eq!(lateness(5, 5), "on time");
    }

    #[test]
    fn long_texts_are_cut_and_put_on_one_line() {
        assert_eq!(cut("  two\n lines "), "two lines");
        assert_eq!(cut(&"é".repeat(121)).chars().count(), LONGEST);
        assert!(cut(&"é".repeat(70_000)).ends_with('…'));
        assert_eq!(quoted(["", " "]), "");
        assert_eq!(quoted(["late", "", "again"]), ": late: again");
    }
}
