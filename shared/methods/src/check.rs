//! Checking a request: every violation is collected before any is answered.

use contracts::common::v1::{Emotion, EmotionKind, ErrorReason, Money, Party};
use prost_types::{Duration, Timestamp};
use runtime::{Fault, Violation};

use crate::{Collection, account_name, is_id, names::owning_account, to_micros};

/// The end of time for the contract: 9999-12-31T23:59:59Z, in seconds since 1970.
const LAST_SECOND: i64 = 253_402_300_799;
/// The largest amount, in whole units.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

/// What is wrong with a request, field by field.
#[derive(Debug, Default)]
pub struct Violations {
    found: Vec<Violation>,
    path: Vec<String>,
}

impl Violations {
    /// Records a violation of a field of the message that is being checked.
    pub fn add(&mut self, field: &str, description: impl Into<String>) {
        let field = match (self.path.is_empty(), field) {
            (true, field) => field.to_owned(),
            (false, "") => self.path.join("."),
            (false, field) => format!("{}.{field}", self.path.join(".")),
        };
        self.found.push(Violation::new(field, description));
    }

    /// Checks a message inside the one that is being checked: its fields are named with their path.
    pub fn within(&mut self, field: impl Into<String>, check: impl FnOnce(&mut Self)) {
        self.path.push(field.into());
        check(self);
        self.path.pop();
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Ends the check.
    ///
    /// # Errors
    /// A fault with `ERROR_REASON_INVALID_FIELDS` and every violation, if there are any. Of very many, the first ones are
    /// answered and the last one says how many more there are.
    pub fn finish(self) -> Result<(), Fault> {
        if self.found.is_empty() { Ok(()) } else { Err(self.fault(ErrorReason::InvalidFields)) }
    }

    /// The fault that answers what was found, with a reason of its own; otherwise as [`Violations::finish`] says.
    pub fn fault(self, reason: ErrorReason) -> Fault {
        Fault::invalid(reason.as_str_name(), self.found)
    }

    /// A text of this many characters, without control characters other than line breaks and tabs.
    pub fn text(&mut self, field: &str, text: &str, shortest: usize, longest: usize) {
        let length = text.chars().count();
        if length < shortest {
            self.add(field, "is required");
        } else if length > longest {
            self.add(field, format!("has {length} characters; at most {longest} are taken"));
        }
        if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
            self.add(field, "has control characters");
        }
    }

    /// A list of at most this many.
    pub fn at_most(&mut self, field: &str, count: usize, most: usize) {
        if count > most {
            self.add(field, format!("has {count} entries; at most {most} are taken"));
        }
    }

    /// A time from 1970 on, if given.
    pub fn time(&mut self, field: &str, time: Option<&Timestamp>) {
        if let Some(time) = time
            && !((0..=LAST_SECOND).contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos))
        {
            self.add(field, "must lie between 1970 and 9999");
        }
    }

    /// A time from 1970 on.
    pub fn required_time(&mut self, field: &str, time: Option<&Timestamp>) {
        if time.is_none() {
            self.add(field, "is required");
        }
        self.time(field, time);
    }

    /// Two times in order, where both are given.
    pub fn in_order(&mut self, field: &str, time: Option<&Timestamp>, earlier: &str, earlier_time: Option<&Timestamp>) {
        if let (Some(time), Some(earlier_time)) = (time, earlier_time)
            && to_micros(time) < to_micros(earlier_time)
        {
            self.add(field, format!("must not be before {earlier}"));
        }
    }

    /// A length of time, zero or more, if given.
    pub fn duration(&mut self, field: &str, duration: Option<&Duration>) {
        if let Some(duration) = duration
            && !((0..=LAST_SECOND).contains(&duration.seconds) && (0..1_000_000_000).contains(&duration.nanos))
        {
            self.add(field, "must be zero or more");
        }
    }

    /// A number within a range, if given.
    pub fn number(&mut self, field: &str, number: Option<f64>, least: f64, most: f64) {
        if let Some(number) = number
            && !(least..=most).contains(&number)
        {
            self.add(field, format!("must lie between {least} and {most}"));
        }
    }

    /// A whole number within a range.
    pub fn integer(&mut self, field: &str, number: i64, least: i64, most: i64) {
        if !(least..=most).contains(&number) {
            self.add(field, format!("must lie between {least} and {most}"));
        }
    }

    /// A value of an enum that is known and not the zero value.
    pub fn required_enum<E: TryFrom<i32>>(&mut self, field: &str, value: i32) {
        if value == 0 {
            self.add(field, "is required");
        }
        self.known_enum::<E>(field, value);
    }

    /// A value of an enum that is known.
    pub fn known_enum<E: TryFrom<i32>>(&mut self, field: &str, value: i32) {
        if E::try_from(value).is_err() {
            self.add(field, format!("has no value {value}"));
        }
    }

    /// One of the two parties.
    pub fn party(&mut self, field: &str, party: i32) {
        self.required_enum::<Party>(field, party);
    }

    /// The name of a resource of a collection, if given.
    pub fn reference(&mut self, field: &str, name: &str, collection: Collection) {
        if !name.is_empty() && collection.parse(name).is_none() {
            self.add(field, format!("must be a name such as `{}`", collection.pattern()));
        }
    }

    /// The name of a resource of a collection, if given, of the account that the resource `of` belongs to.
    pub fn reference_within(&mut self, field: &str, name: &str, collection: Collection, of: &str) {
        self.reference(field, name, collection);
        if let (Some((account, _)), Some(of)) = (collection.parse(name), owning_account(of))
            && account != of
        {
            self.add(field, format!("must be of the same account, `{}`", account_name(of)));
        }
    }

    /// An id that the client chose, if given.
    pub fn chosen_id(&mut self, field: &str, id: &str) {
        if !id.is_empty() && !is_id(id) {
            self.add(field, "must be 1 to 128 of letters, digits and -_.~");
        }
    }

    /// A currency code.
    pub fn currency(&mut self, field: &str, code: &str) {
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.add(field, "must be three capital letters of ISO 4217, such as EUR");
        }
    }

    /// An amount of money that is not negative, if given.
    pub fn money(&mut self, field: &str, money: Option<&Money>) {
        let Some(money) = money else { return };
        self.within(field, |violations| {
            violations.currency("currency_code", &money.currency_code);
            violations.integer("units", money.units, -LARGEST_AMOUNT, LARGEST_AMOUNT);
            violations.integer("nanos", money.nanos.into(), -999_999_999, 999_999_999);
            if (money.units > 0 && money.nanos < 0) || (money.units < 0 && money.nanos > 0) {
                violations.add("nanos", "must have the sign of `units`");
            }
            if money_nanos(money) < 0 {
                violations.add("", "must not be negative");
            }
        });
    }

    /// An amount of money that is not negative.
    pub fn required_money(&mut self, field: &str, money: Option<&Money>) {
        if money.is_none() {
            self.add(field, "is required");
        }
        self.money(field, money);
    }

    /// The emotions that somebody stated.
    pub fn emotions(&mut self, field: &str, emotions: &[Emotion]) {
        self.at_most(field, emotions.len(), 8);
        for (index, emotion) in emotions.iter().enumerate() {
            self.within(format!("{field}[{index}]"), |violations| {
                violations.required_enum::<EmotionKind>("kind", emotion.kind);
                violations.number("intensity", Some(emotion.intensity), 0.0, 1.0);
                if emotions[..index].iter().any(|other| other.kind == emotion.kind) {
                    violations.add("kind", "is stated twice");
                }
            });
        }
    }
}

/// The amount in billionths of a unit.
pub fn money_nanos(money: &Money) -> i128 {
    i128::from(money.units) * 1_000_000_000 + i128::from(money.nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(violations: Violations) -> Vec<String> {
        violations
            .finish()
            .err()
            .map_or(Vec::new(), |fault| fault.violations().iter().map(|v| v.field.clone()).collect())
    }

    #[test]
    fn every_violation_is_answered_with_its_path() {
        let mut violations = Violations::default();
        violations.within("order", |violations| {
            violations.required_time("place_time", None);
            let total = Money { currency_code: "eur".to_owned(), units: 1, nanos: -1 };
            violations.required_money("total", Some(&total));
            violations.number("score", Some(f64::NAN), 0.0, 1.0);
        });
        assert_eq!(
            fields(violations),
            ["order.place_time", "order.total.currency_code", "order.total.nanos", "order.score"]
        );
    }

    #[test]
    fn of_very_many_violations_the_first_are_answered_and_the_rest_are_counted() {
        let mut violations = Violations::default();
        (0..2_000).for_each(|index| violations.add(&format!("lines[{index}]"), "is required"));
        let fault = violations.finish().unwrap_err();
        let last = fault.violations().last().unwrap();
        assert_eq!(fault.violations().len(), 25);
        assert_eq!(
            (last.field.as_str(), last.description.as_str()),
            ("lines[24]", "is required; 1975 more fields are at fault")
        );
    }

    #[test]
    fn what_a_client_wrote_at_length_is_quoted_in_short() {
        let mut violations = Violations::default();
        (0..20).for_each(|_| violations.add(&"ü".repeat(100_000), "is not known"));
        let fault = violations.fault(ErrorReason::ModelInvalid);
        assert_eq!(fault.violations().len(), 12);
        assert!(fault.violations()[11].description.ends_with("; 8 more fields are at fault"));
        assert!(
            fault.violations().iter().all(|violation| violation.field.ends_with("ü…") && violation.field.len() <= 303)
        );
    }

    #[test]
    fn a_reference_stays_within_its_account() {
        let contacts = Collection::OfAccount("contacts");
        for (name, of, expected) in [
            ("accounts/acme/contacts/ann", "accounts/acme/interactions/i_1", vec![]),
            ("", "accounts/acme", vec![]),
            ("accounts/zenith/contacts/ann", "accounts/acme/interactions/i_1", vec!["contact"]),
            ("ann", "accounts/acme", vec!["contact"]),
            // Whose it is to be is not known; that is another violation.
            ("accounts/zenith/contacts/ann", "accounts//interactions/i_1", vec![]),
        ] {
            let mut violations = Violations::default();
            violations.reference_within("contact", name, contacts, of);
            assert_eq!(fields(violations), expected, "{name} of {of}");
        }
    }

    #[test]
    fn what_is_right_passes() {
        let mut violations = Violations::default();
        violations.text("text", "Grüße\n", 1, 10);
        violations.money("total", Some(&Money { currency_code: "HUF".to_owned(), units: 0, nanos: 1 }));
        violations.reference("contact", "", Collection::OfAccount("contacts"));
        violations.emotions("emotions", &[Emotion { kind: 1, intensity: 1.0 }]);
        assert_eq!(fields(violations), Vec::<String>::new());
    }
}
