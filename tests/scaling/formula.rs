//! Formulas as they stand in a page: numbers, names, `+ - * /`, brackets, `up(x)` to the next whole number, `max(x, y)`.

use std::collections::BTreeMap;

/// What a formula is worth, where names are worth this.
///
/// # Errors
/// In words, where it is none.
pub(crate) fn value(formula: &str, names: &BTreeMap<String, f64>) -> Result<f64, String> {
    let mut reader = Reader { rest: formula, names };
    let value = reader.sum()?;
    if reader.rest.trim_start().is_empty() { Ok(value) } else { Err(format!("`{}` is left over", reader.rest)) }
}

struct Reader<'a> {
    rest: &'a str,
    names: &'a BTreeMap<String, f64>,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.one()?;
        loop {
            if self.take('*') {
                value *= self.one()?;
            } else if self.take('/') {
                value /= self.one()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn one(&mut self) -> Result<f64, String> {
        if self.take('(') {
            let value = self.sum()?;
            return self.expect(')').map(|()| value);
        }
        self.rest = self.rest.trim_start();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if let Ok(number) = word.parse() {
            return Ok(number);
        }
        match word {
            "up" => {
                self.expect('(')?;
                let value = self.sum()?;
                self.expect(')').map(|()| value.ceil())
            }
            "max" => {
                self.expect('(')?;
                let first = self.sum()?;
                self.expect(',')?;
                let second = self.sum()?;
                self.expect(')').map(|()| first.max(second))
            }
            name => self.names.get(name).copied().ok_or_else(|| format!("`{name}` is not known")),
        }
    }

    fn take(&mut self, sign: char) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("`{sign}` is missing before `{}`", self.rest)) }
    }
}

#[test]
fn formulas_are_worth_what_they_say() {
    let names = BTreeMap::from([("a_1".to_owned(), 3.0)]);
    let worth = |formula| value(formula, &names);
    assert_eq!(worth("1 + 2 * a_1 - 6 / 4"), Ok(5.5));
    assert_eq!(worth("(1 + 2) * up(a_1 / 2)"), Ok(6.0));
    assert_eq!(worth("max(2, up(a_1 * 0.9))"), Ok(3.0));
    assert_eq!(worth("10 - 2 - 3"), Ok(5.0));
    for wrong in ["", "1 +", "b", "(1", "1 2", "max(1)"] {
        assert!(worth(wrong).is_err(), "{wrong}");
    }
}
