use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::hash::checksum;

fn examples() -> Vec<Example> {
    let rows =
        [("good thing", 2), ("bad thing", 0), ("a thing", 1), ("good good", 2), ("so bad", 0), ("some thing", 1)];
    Language::ALL
        .into_iter()
        .flat_map(|language| {
            rows.map(|(text, class)| Example {
                text: text.to_owned(),
                language: Some(language),
                source: "made".to_owned(),
                weight: 1.0,
                sentiment: Some(class),
                emotions: Some((0xFF, if class == 2 { 1 } else { 1 << 6 })),
                ..Example::default()
            })
        })
        .collect()
}

fn small_model() -> Vec<u8> {
    let mut lexicons = Lexicons::default();
    lexicons.add(Language::English, 0, [("good", 0.5), ("bad", -0.5)]);
    lexicons.add_emoji([("😀", 0.5)]);
    let settings = Settings { bits: 8, epochs: 20, seeds: 2, ..Settings::default() };
    train(&examples(), &examples(), &lexicons, &settings, Header::default(), &[], &|_, _| ()).unwrap()
}

#[test]
fn the_same_texts_give_the_same_bytes_and_are_learned() {
    let bytes = small_model();
    assert_eq!(bytes, small_model());
    let model = Model::of(bytes.into()).unwrap();
    for example in examples() {
        let feelings = model.feelings(&example.text, example.language.unwrap());
        let told = crate::Polarity::of(feelings.sentiment.value);
        assert_eq!(Some(told as u8), example.sentiment, "{}", example.text);
        assert_eq!(feelings.emotions[0].value >= 0.5, example.sentiment == Some(2), "{}", example.text);
    }
    assert!(model.header.get("valid sentiment en made").is_some_and(|figures| figures.contains("macro-F1 1.0000")));
}

#[test]
fn a_glossary_translates_what_it_mostly_knows() {
    let glossary = Glossary::of("en\tnl\tpt\thu\nnot\tniet\tnão\tnem\ngood\tgoed\tbom\tjó\nit\t-\t-\t-\n").unwrap();
    let example =
        |text: &str| Example { text: text.to_owned(), language: Some(Language::English), ..Example::default() };
    let translated =
        glossary.translated(&[example("It NOT good!"), example("unheard of words")], Language::Hungarian, 0);
    assert_eq!(translated.len(), 1);
    assert_eq!(translated[0].text.split_whitespace().collect::<Vec<_>>(), ["NEM", "jó", "!"]);
    assert!(translated[0].translated);
    assert_eq!(glossary.terms(&[("good".to_owned(), 0.5)], Language::Dutch), [("goed".to_owned(), 0.5)]);
    assert_eq!(Glossary::of("en\tnl\tpt\thu\na\tb\n").err(), Some(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_bytes_are_refused_or_give_figures_in_their_ranges(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        is_mended in any::<bool>(),
    ) {
        static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
        let mut bytes = MODEL.get_or_init(small_model).clone();
        for (at, byte) in changes {
            // Most of it are rows, which may have any bytes: damage what is before them as often.
            let end = if byte % 2 == 0 { bytes.len() } else { bytes.len() - (256 * ROW) };
            bytes[at.index(end)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if is_mended && bytes.len() >= 8 {
            let end = bytes.len() - 8;
            let right = checksum(&bytes[..end]).to_le_bytes();
            bytes[end..].copy_from_slice(&right);
        }
        if let Ok(model) = Model::of(bytes.into()) {
            let feelings = model.feelings("It is not good 😀", Language::English);
            prop_assert!((-1.0..=1.0).contains(&feelings.sentiment.value));
            prop_assert!((0.0..=1.0).contains(&feelings.sentiment.sure));
        }
    }
}
