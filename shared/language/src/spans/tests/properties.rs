//! What holds for any text.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Competitors, Language, Span, SpanKind};

use super::super::find;
use super::super::rules::text as rules;

fn rivals() -> Competitors {
    Competitors::new([("Acme", ["A-C"]), ("Ő É", ["łx"]), ("need", ["köszi"])]).unwrap()
}

fn check(text: &str) -> Result<(), TestCaseError> {
    for language in Language::ALL {
        let said = find(text, language);
        prop_assert_eq!(&said, &find(text, language));
        prop_assert!(said.is_sorted_by_key(|span| (span.range.start, span.kind)));
        let named = rivals().find(text, Some(language));
        prop_assert!(named.is_sorted_by_key(|span| span.range.start));
        for span in said.iter().chain(&named) {
            prop_assert!(text.get(span.range.clone()).is_some_and(|place| !place.is_empty()), "{span:?}");
            prop_assert_eq!(span.kind == SpanKind::Competitor, span.competitor.is_some() && span.stance.is_some());
        }
        for (at, span) in said.iter().enumerate() {
            let overlaps = |other: &Span| other.kind == span.kind && other.range.start < span.range.end;
            prop_assert!(!said[at + 1..].iter().any(overlaps), "{said:?}");
        }
        prop_assert!(named.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    }
    rivals().find(text, None);
    Ok(())
}

/// Words of the rules themselves, in any order: more of them match, and nearly match, than in any real text.
fn words_of_rules() -> impl Strategy<Value = String> {
    let words: Vec<&str> = Language::ALL
        .into_iter()
        .flat_map(|language| rules(language).split(|c: char| c.is_whitespace() || "|{}=*/!?:[]".contains(c)))
        .filter(|word| !word.is_empty())
        .chain(["?", "!", ".", "\n", ",", "Acme", "Acme's", "need"])
        .collect();
    vec(prop::sample::select(words), 0..80).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_gives_valid_places(text in "\\PC{0,200}") {
        check(&text)?;
    }

    #[test]
    fn any_letters_and_signs_give_valid_places(text in vec(any::<char>(), 0..200)) {
        check(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn words_of_the_rules_in_any_order_give_valid_places(text in words_of_rules()) {
        check(&text)?;
    }
}

#[test]
fn places_do_not_depend_on_what_stands_in_other_sentences() {
    let one = find("I need a second login.", Language::English);
    let two = find("The sun shines. I need a second login. It rains.", Language::English);
    assert_eq!(one.len(), 1);
    assert_eq!(two.len(), 1);
    assert_eq!(two[0].range, one[0].range.start + 16..one[0].range.end + 16);
}

#[test]
fn a_long_text_that_nearly_matches_everywhere_is_read() {
    for part in [
        "i need ",
        "we ",
        "ik zal het u ",
        "@ ",
        "\n ",
        "’",
        "köszönöm ",
        "\u{301}",
        "não não ",
        "need need, ",
        "... ",
        ".",
        "\n-\r",
    ] {
        let text = part.repeat(200_000 / part.len());
        for language in Language::ALL {
            let places = find(&text, language);
            assert!(places.iter().all(|span| text.get(span.range.clone()).is_some()));
            assert!(rivals().find(&text, Some(language)).iter().all(|span| text.get(span.range.clone()).is_some()));
        }
    }
}
