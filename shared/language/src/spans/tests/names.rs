//! Rivals by name, with the endings of four languages.

use crate::{Competitors, Language, Stance};

use super::super::CompetitorError;

fn rivals() -> Competitors {
    let none: [&str; 0] = [];
    Competitors::new([
        ("Acme", vec!["Acme Corp", "ACM"]),
        ("Blue Yonder", vec![]),
        ("HP", vec![]),
        ("Telekom", vec![]),
        ("AT&T", vec![]),
        ("Müller", none.to_vec()),
        ("Booking.com", vec![]),
    ])
    .unwrap()
}

/// What is found in a text.
fn found(text: &str, language: Option<Language>) -> Vec<&str> {
    rivals().find(text, language).into_iter().map(|span| &text[span.range]).collect()
}

#[test]
fn a_name_is_found_with_the_endings_of_the_language() {
    let whole = [
        (Language::Hungarian, "Acmétől Acme-nél acme-től Acmével Acmének Acméhez Acmések Acmés Acméé Acméket Acméknál"),
        (
            Language::Hungarian,
            "Telekommal Telekomot Telekomok telekomtól Telekomoknál HP-nál HPtől Müllernek MULLERREL",
        ),
        (Language::English, "Acme's Acmes ACME acme Acme’s HP's Telekom's mullers"),
        (Language::Dutch, "Acme's Acmes acme Telekoms HP's"),
        (Language::Portuguese, "Acmes ACME Telekom müller Muller"),
    ];
    for (language, text) in whole {
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(found(text, Some(language)), words, "{language:?}");
    }
}

#[test]
fn a_name_of_several_words_is_found_with_spaces_hyphens_or_none() {
    let text = "Blue Yonder, blue-yonder, BlueYonder, Blue  Yonder’s; Blue\nYonder";
    let expected = ["Blue Yonder", "blue-yonder", "BlueYonder", "Blue  Yonder’s", "Blue\nYonder"];
    assert_eq!(found(text, Some(Language::English)), expected);
    assert_eq!(found("AT&T and AT & T, not at t", Some(Language::English)), ["AT&T", "AT & T"]);
    assert_eq!(found("Acme Corp, not Acme", Some(Language::English)), ["Acme Corp", "Acme"]);
    assert_eq!(found("Booking.com. Booking a room. Blue. Yonder", Some(Language::English)), ["Booking.com"]);
}

#[test]
fn a_name_is_not_found_inside_another_word_or_an_address() {
    for language in Language::ALL.map(Some).into_iter().chain([None]) {
        let text = "Acmeist pacme acmeology Telekommunikation Chp hp acm Mullerian x@acme.com HPV ACMX Atelekom blues \
                    yonderly";
        assert_eq!(found(text, language), [""; 0], "{language:?}");
    }
    assert_eq!(found("@acme a-acme acme_x acme.com", None), ["acme", "acme", "acme"]);
}

#[test]
fn a_name_is_found_where_the_language_is_not_known_but_no_stance() {
    let spans = rivals().find("Acme is terrible, az Acmétől jöttünk, Acme's", None);
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.stance == Some(Stance::Neutral) && span.competitor == Some(0)));
}

#[test]
fn a_list_is_refused_with_the_name_that_is_wrong() {
    let refused = |list: &[(&str, &[&str])]| {
        Competitors::new(list.iter().map(|(name, aliases)| (*name, *aliases))).map(|_| ()).unwrap_err()
    };
    assert_eq!(refused(&[("Acme", &[]), ("…", &[])]), CompetitorError::TooShort { competitor: 1, alias: None });
    assert_eq!(refused(&[("Acme", &["ok", "x"])]), CompetitorError::TooShort { competitor: 0, alias: Some(1) });
    assert_eq!(refused(&[("a b c d e f g h i", &[])]), CompetitorError::TooLong { competitor: 0, alias: None });
    let taken = refused(&[("Acme", &[]), ("Globex", &["ACME"])]);
    assert_eq!(taken, CompetitorError::Taken { competitor: 1, alias: Some(0), by: 0 });
    assert_eq!(taken.to_string(), "alias 0 of competitor 1 is also competitor 0");
    let many: Vec<(String, [&str; 0])> = (0..1001).map(|number| (format!("rival{number}"), [])).collect();
    assert_eq!(Competitors::new(many).map(|_| ()).unwrap_err(), CompetitorError::TooMany);
    assert!(Competitors::new([("Acme", ["acme"])]).is_ok(), "twice the same name counts once");
    assert!(Competitors::default().find("Acme", None).is_empty());
}
