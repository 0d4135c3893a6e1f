//! What a theme is: a subject that comes up again and again.

use std::collections::HashSet;

use contracts::feedback::v1::{LocalPhrases, Theme};
use methods::{Collection, Index, Kind, Violations};
use store::Table;

pub(crate) static TABLE: Table = Table { name: "themes" };
pub(crate) const COLLECTION: Collection = Collection::OfTenant("themes");

/// What a theme is.
pub(crate) static THEME: Kind<Theme> = Kind {
    name: "theme",
    table: &TABLE,
    collection: COLLECTION,
    updatable: &["display_name", "description", "phrases", "local_phrases"],
    check,
    as_new: |_| {},
    as_row: |_| {},
    derive: |_| {},
    reading: None,
    index: |_| Index::default(),
    related: Kind::<Theme>::unrelated,
    rules: Kind::<Theme>::no_rules,
};

fn check(theme: &Theme, violations: &mut Violations) {
    violations.text("display_name", &theme.display_name, 1, 128);
    violations.text("description", &theme.description, 0, 2_048);
    check_phrases(&theme.phrases, violations);
    violations.at_most("local_phrases", theme.local_phrases.len(), 50);
    let mut languages = HashSet::new();
    for (index, LocalPhrases { language, phrases }) in theme.local_phrases.iter().enumerate() {
        violations.within(format!("local_phrases[{index}]"), |violations| {
            if !((2..=3).contains(&language.len()) && language.bytes().all(|letter| letter.is_ascii_lowercase())) {
                violations.add("language", "must be a code of ISO 639: two or three small letters");
            } else if !languages.insert(language) {
                violations.add("language", "is there twice");
            }
            if phrases.is_empty() {
                violations.add("phrases", "is required");
            }
            check_phrases(phrases, violations);
        });
    }
}

fn check_phrases(phrases: &[String], violations: &mut Violations) {
    violations.at_most("phrases", phrases.len(), 200);
    for (index, phrase) in phrases.iter().enumerate() {
        violations.text(&format!("phrases[{index}]"), phrase, 1, 128);
    }
}

/// Checks a list of names of a collection.
pub(crate) fn check_names(
    violations: &mut Violations,
    field: &str,
    names: &[String],
    collection: Collection,
    most: usize,
) {
    violations.at_most(field, names.len(), most);
    for (index, name) in names.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if name.is_empty() {
            violations.add(&field, "is empty");
        }
        violations.reference(&field, name, collection);
    }
}
