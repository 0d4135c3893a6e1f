//! Exact decimal numbers, so that money never passes through floating point.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A decimal number: `mantissa` × 10^-`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// More digits than any amount here may have.
const MOST_DIGITS: usize = 30;
/// Whole units of money, within ± this.
const MOST_UNITS: i128 = 1_000_000_000_000;

impl Decimal {
    pub(crate) const ZERO: Self = Self { mantissa: 0, scale: 0 };

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Self { mantissa, scale })
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, scale: self.scale + other.scale })
    }

    pub(crate) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, scale: self.scale }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        let scale = self.scale.max(other.scale);
        Some(self.at(scale)?.cmp(&other.at(scale)?))
    }

    /// Whole units and billionths, both with the sign of the number, as `Money` has them.
    pub(crate) fn units_and_nanos(self) -> Result<(i64, i32), String> {
        const NANOS: i128 = 1_000_000_000;
        let number = self.shortened();
        if number.scale > 9 {
            return Err(format!("{self} has more than 9 decimals"));
        }
        let too_large = || format!("{self} is beyond ±{MOST_UNITS}");
        let nanos = number.at(9).ok_or_else(too_large)?;
        if nanos.abs() > MOST_UNITS * NANOS {
            return Err(too_large());
        }
        let units = i64::try_from(nanos / NANOS).map_err(|_| too_large())?;
        let nanos = i32::try_from(nanos % NANOS).map_err(|_| too_large())?;
        Ok((units, nanos))
    }

    fn at(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }

    /// Without needless zeros behind the ninth decimal.
    pub(crate) fn shortened(mut self) -> Self {
        while self.scale > 9 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a decimal number: write it like 1234.56");
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        // Zeros in front say nothing.
        let told = whole.trim_start_matches('0').len() + fraction.len();
        if whole.is_empty() && fraction.is_empty() || told > MOST_DIGITS {
            return Err(wrong());
        }
        let mut mantissa = 0_i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return Err(wrong());
            }
            mantissa = mantissa * 10 + i128::from(digit - b'0');
        }
        let number = Self { mantissa, scale: u32::try_from(fraction.len()).map_err(|_| wrong())? };
        Ok(if negative { number.negated() } else { number })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Result<(i64, i32), String> {
        text.parse::<Decimal>().and_then(Decimal::units_and_nanos)
    }

    #[test]
    fn money_is_exact_to_the_last_decimal() {
        assert_eq!(money("12.34"), Ok((12, 340_000_000)));
        assert_eq!(money("-1.75"), Ok((-1, -750_000_000)));
        assert_eq!(money("-0.5"), Ok((0, -500_000_000)));
        assert_eq!(money("0.1"), Ok((0, 100_000_000)));
        assert_eq!(money(" +7 "), Ok((7, 0)));
        assert_eq!(money(".5"), Ok((0, 500_000_000)));
        assert_eq!(money("999999999999.999999999"), Ok((999_999_999_999, 999_999_999)));
        assert_eq!(money("1.1000000000"), Ok((1, 100_000_000)), "zeros at the end say nothing");
    }

    #[test]
    fn what_money_cannot_hold_is_refused() {
        for text in ["", ".", "-", "1e3", "1,50", "12.3.4", "abc", "1.0000000001", "1000000000000.1"] {
            assert!(money(text).is_err(), "{text}");
        }
        assert!(money("0.0000000001").is_err_and(|problem| problem.contains("9 decimals")));
    }

    #[test]
    fn sums_and_products_lose_nothing() {
        let price: Decimal = "1.69".parse().expect("a number");
        let three = "3".parse().expect("a number");
        let total = price.times(three).and_then(|part| part.plus(Decimal::ZERO));
        assert_eq!(total.map(|total| total.to_string()), Some("5.07".to_owned()));
        assert_eq!(price.negated().to_string(), "-1.69");
        assert_eq!("0.05".parse::<Decimal>().map(|n| n.to_string()), Ok("0.05".to_owned()));
        assert_eq!(price.compare(three), Some(Ordering::Less));
        // However it was written, what is written anew is read again.
        let long = ".99999399999996099999399999996";
        let written = long.parse::<Decimal>().map(|number| number.to_string());
        assert_eq!(written.clone().and_then(|text| text.parse::<Decimal>()).map(|n| n.to_string()), written);
        assert!("1".repeat(31).parse::<Decimal>().is_err());
    }
}
