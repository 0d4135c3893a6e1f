//! Figures in the form of each language: decimal marks and groups of digits as Unicode CLDR has them.

use std::sync::LazyLock;

use icu_decimal::{
    DecimalFormatter,
    input::{Decimal, SignDisplay},
    options::{DecimalFormatterOptions, GroupingStrategy},
};
use icu_locale_core::{Locale, locale};

use crate::Language;

/// So many decimals are the most that a figure is told with.
const MOST_DECIMALS: u8 = 9;
/// Up to here a figure's decimals are exact enough to be told, and plurals can be chosen by it.
const LARGEST: f64 = 1e15;

/// A figure as it is told: rounded to so many decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    value: f64,
    decimals: u8,
}

impl Figure {
    /// A figure with so many decimals, up to 9. Half a last digit, where the value is exactly that, goes to the even one.
    pub fn new(value: f64, decimals: u8) -> Self {
        let decimals = decimals.min(MOST_DECIMALS);
        let rounded = format!("{value:.*}", usize::from(decimals)).parse().unwrap_or(value);
        // No zero is negative.
        Self { value: rounded + 0.0, decimals }
    }

    /// A share of 1 in percent.
    pub fn percent(share: f64, decimals: u8) -> Self {
        Self::new(share * 100.0, decimals)
    }

    /// What it says, as it is told.
    pub fn value(self) -> f64 {
        self.value
    }

    /// How many decimals it is told with.
    pub fn decimals(self) -> u8 {
        self.decimals
    }

    /// Whether it can be counted with: finite, and not beyond what counts.
    pub(crate) fn is_ordinary(self) -> bool {
        self.value.abs() < LARGEST
    }
}

static FORMS: LazyLock<[DecimalFormatter; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(form));

fn form(language: Language) -> DecimalFormatter {
    let locale: Locale = match language {
        Language::English => locale!("en"),
        Language::Hungarian => locale!("hu"),
        Language::Dutch => locale!("nl"),
        Language::Portuguese => locale!("pt"),
    };
    let mut options = DecimalFormatterOptions::default();
    options.grouping_strategy = Some(GroupingStrategy::Auto);
    DecimalFormatter::try_new((&locale).into(), options).expect("the four languages are in the data that is built in")
}

/// A figure in the form of a language, with a plus if it is to have a sign.
pub(crate) fn told(language: Language, figure: Figure, signed: bool) -> String {
    let plus = if signed { "+" } else { "" };
    if !figure.value.is_finite() {
        // As CLDR has it in all four languages.
        return match figure.value {
            nan if nan.is_nan() => "NaN".to_owned(),
            value if value > 0.0 => format!("{plus}∞"),
            _ => "-∞".to_owned(),
        };
    }
    let digits = format!("{:.*}", usize::from(figure.decimals), figure.value);
    let Ok(mut decimal) = digits.parse::<Decimal>() else { return digits };
    if signed {
        decimal.apply_sign_display(SignDisplay::Always);
    }
    FORMS[language as usize].format(&decimal).to_string()
}
