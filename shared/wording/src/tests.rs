//! Every language says everything, with the same arguments, and figures in its own form.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::{
    ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement, Resource, VariantKey},
    parser::parse,
};
use proptest::prelude::*;

use super::*;
use crate::words::source;

const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// What a message is filled with: its variables, and of those that it chooses by the words that it knows.
#[derive(Debug, Default, PartialEq)]
struct Use {
    variables: BTreeSet<String>,
    choices: BTreeMap<String, BTreeSet<String>>,
    functions: BTreeSet<String>,
    references: BTreeSet<String>,
}

impl Use {
    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                let keys = variants.iter().filter_map(|variant| match variant.key {
                    VariantKey::Identifier { name } if !PLURALS.contains(&name) => Some(name.to_owned()),
                    _ => None,
                });
                if let InlineExpression::VariableReference { id } = selector {
                    self.choices.entry(id.name.to_owned()).or_default().extend(keys);
                }
                assert!(variants.iter().any(|variant| variant.default));
                variants.iter().for_each(|variant| self.pattern(&variant.value));
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
            }
            InlineExpression::FunctionReference { id, arguments: CallArguments { positional, named } } => {
                self.functions.insert(id.name.to_owned());
                assert!(named.is_empty());
                positional.iter().for_each(|argument| self.inline(argument));
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
            InlineExpression::MessageReference { id, .. } | InlineExpression::TermReference { id, .. } => {
                self.references.insert(id.name.to_owned());
            }
        }
    }
}

fn resource(language: Language) -> Resource<&'static str> {
    parse(source(language)).unwrap_or_else(|(_, errors)| panic!("{language:?}: {errors:?}"))
}

/// The messages of a language, by id, with what fills each.
fn messages(language: Language) -> BTreeMap<&'static str, Use> {
    let mut found = BTreeMap::new();
    for entry in resource(language).body {
        match entry {
            Entry::Message(message) => {
                let mut told = Use::default();
                told.pattern(
                    message.value.as_ref().unwrap_or_else(|| panic!("{language:?}: {} is empty", message.id.name)),
                );
                assert!(message.attributes.is_empty(), "{language:?}: {} has attributes", message.id.name);
                assert!(
                    found.insert(message.id.name, told).is_none(),
                    "{language:?}: {} is there twice",
                    message.id.name
                );
            }
            Entry::Term(term) => panic!("{language:?}: {} is a term", term.id.name),
            Entry::Junk { content } => panic!("{language:?}: {content}"),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
        }
    }
    found
}

#[test]
fn every_language_has_every_message_with_the_same_arguments() {
    let english = messages(Language::English);
    for language in Language::ALL {
        let own = messages(language);
        let missing: Vec<_> = english.keys().filter(|id| !own.contains_key(*id)).collect();
        let more: Vec<_> = own.keys().filter(|id| !english.contains_key(*id)).collect();
        assert!(missing.is_empty() && more.is_empty(), "{language:?} lacks {missing:?} and has {more:?} more");
        for (id, told) in &own {
            assert_eq!(told.variables, english[id].variables, "{language:?}: {id}");
            assert_eq!(told.references, BTreeSet::new(), "{language:?}: {id}");
            let functions: Vec<_> = told.functions.iter().collect();
            assert!(functions.is_empty() || functions == ["SIGNED"], "{language:?}: {id}");
            // Plurals are each language's own affair, and so is whether there are any.
            let words = |told: &Use| -> BTreeMap<String, BTreeSet<String>> {
                told.choices.clone().into_iter().filter(|(_, choices)| !choices.is_empty()).collect()
            };
            assert_eq!(words(told), words(&english[id]), "{language:?}: {id}");
        }
    }
}

#[test]
fn every_message_is_a_saying_or_a_name_and_every_saying_a_message() {
    let english = messages(Language::English);
    let mut sayings = BTreeSet::new();
    for (_, id, arguments) in SAYINGS {
        let told = english.get(id).unwrap_or_else(|| panic!("{id} is no message"));
        assert_eq!(told.variables, arguments.iter().map(|name| (*name).to_owned()).collect(), "{id}");
        assert!(sayings.insert(*id), "{id} is said by two");
    }
    for (id, told) in english.iter().filter(|(id, _)| !sayings.contains(*id)) {
        assert!(Family::ALL.iter().any(|family| id.starts_with(family.prefix())), "{id} is unused");
        assert_eq!(told.variables, BTreeSet::new(), "{id}");
    }
}

/// CLDR, `numbers/decimalFormats/standard` with the symbols and `minimumGroupingDigits` of each language.
#[test]
fn figures_have_the_form_of_their_language() {
    let told = |value: f64, decimals| {
        Language::ALL.map(|language| figures::told(language, Figure::new(value, decimals), false))
    };
    assert_eq!(told(0.5, 1), ["0.5", "0,5", "0,5", "0,5"]);
    assert_eq!(told(1_234.5, 2), ["1,234.50", "1234,50", "1.234,50", "1.234,50"]);
    assert_eq!(told(-12_345.678, 2), ["-12,345.68", "-12\u{a0}345,68", "-12.345,68", "-12.345,68"]);
    assert_eq!(told(1e9, 0), ["1,000,000,000", "1\u{a0}000\u{a0}000\u{a0}000", "1.000.000.000", "1.000.000.000"]);
    assert_eq!(told(-0.04, 1), ["0.0", "0,0", "0,0", "0,0"]);
    assert_eq!((told(f64::NAN, 1)[0].as_str(), told(f64::NEG_INFINITY, 1)[1].as_str()), ("NaN", "-∞"));
    let signed = |value: f64| figures::told(Language::Hungarian, Figure::new(value, 1), true);
    assert_eq!([signed(2.25), signed(-2.25), signed(0.0), signed(-0.01)], ["+2,2", "-2,2", "+0,0", "+0,0"]);
}

/// CLDR, `dateFormats/long` and `currencyFormats/standard`.
#[test]
fn dates_and_amounts_have_the_form_of_their_language() {
    let dates = Language::ALL.map(|language| Words::of(language).date(2011, 1, 5));
    assert_eq!(dates, ["January 5, 2011", "2011. január 5.", "5 januari 2011", "5 de janeiro de 2011"]);
    let dates = Language::ALL.map(|language| Words::of(language).date(1999, 12, 31));
    assert_eq!(dates, ["December 31, 1999", "1999. december 31.", "31 december 1999", "31 de dezembro de 1999"]);
    let amounts = Language::ALL.map(|language| Words::of(language).money(12_345.6, 2, "EUR", false));
    assert_eq!(amounts, ["EUR\u{a0}12,345.60", "12\u{a0}345,60\u{a0}EUR", "EUR\u{a0}12.345,60", "EUR\u{a0}12.345,60"]);
    assert_eq!(Words::of(Language::Hungarian).money(-1.0, 0, "HUF", true), "-1\u{a0}HUF");
    let months = |language| (1..=12).map(|month| Words::of(language).date(2000, month, 1)).collect::<BTreeSet<_>>();
    assert!(Language::ALL.iter().all(|language| months(*language).len() == 12));
}

/// CLDR, `supplemental/plurals`: one in English and Dutch is 1 without decimals, in Hungarian 1 with any, in Portuguese
/// all from 0 to below 2.
#[test]
fn plurals_follow_the_rules_of_their_language() {
    let closer = |language, points| {
        let far = Figure::new(50.0, 0);
        Words::of(language).tell(Closer { party: "customer", points, near: far, far })
    };
    let one = [Language::English, Language::Dutch, Language::Portuguese].map(|of| closer(of, Figure::new(1.0, 0)));
    assert!(one[0].contains("1 point closer") && one[1].contains("1 punt dichter") && one[2].contains("1 ponto mais"));
    let many = Language::ALL.map(|of| closer(of, Figure::new(7.0, 0)));
    assert!(many[0].contains("7 points") && many[1].contains("7 ponttal") && many[2].contains("7 punten"), "{many:?}");
    assert!(closer(Language::Portuguese, Figure::new(1.5, 1)).contains("1,5 ponto mais"));
    assert!(closer(Language::English, Figure::new(1.0, 1)).contains("1.0 points closer"));
    let open = |language, count| Words::of(language).tell(Open { lever: "settle_conflict", count });
    assert_eq!(open(Language::Dutch, 1), "1 geschil is open");
    assert_eq!(open(Language::Portuguese, 2_000), "2.000 conflitos estão em aberto");
}

#[test]
fn names_that_have_no_words_are_told_as_they_came() {
    for language in Language::ALL {
        let words = Words::of(language);
        assert_eq!(words.name(Family::Signal, "no_such_signal"), "no such signal");
        assert_ne!(words.name(Family::Signal, "conflict"), "conflict");
    }
    assert_eq!(Family::Feature.id("movement of the customer's trust"), "feature-movement-of-the-customers-trust");
    assert_eq!(sentence("őket"), "Őket");
    assert_eq!(sentence(""), "");
}

proptest! {
    /// Whatever is put in comes out as it is: nothing panics, and no message shows what it is made of.
    #[test]
    fn anything_can_be_put_in(value in any::<f64>(), decimals in any::<u8>(), count in any::<u64>(), text in "\\PC{0,20}") {
        for language in Language::ALL {
            let words = Words::of(language);
            let figure = Figure::new(value, decimals);
            let told = words.tell(Reason { signal: text.clone(), count, points: figure, of: text.clone(), bond_points: figure });
            prop_assert!(told.contains(&text), "{told}");
            prop_assert!(told.contains(&figures::told(language, figure, figure.is_ordinary())), "{told}");
            let told = told.replace(&text, "");
            prop_assert!(!told.contains('{') && !told.contains('$'), "{told}");
            words.date(count as i32, decimals, decimals);
            words.money(value, decimals, &text, true);
            words.name(Family::Feature, &text);
            words.tell(Found { found: count, accounts: count });
            words.tell(Closer { party: "nobody", points: figure, near: figure, far: figure });
        }
    }
}
