//! Identification with a small table.

mod held;

use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::{
    Identified, Identifier, IdentifierError, LOOKED_AT, Row, STRETCHES, Settings, UNDETERMINED, Unit, evaluate, train,
};
use crate::analysis::Language;

const SENTENCES: [(&str, &[&str]); 5] = [
    (
        "en",
        &[
            "the parcel is late and nobody answers the phone",
            "this is the best thing that I have bought",
            "what do you want with it",
        ],
    ),
    (
        "hu",
        &[
            "a csomag késik és senki nem veszi fel a telefont",
            "ez a legjobb dolog amit vettem",
            "mit akarsz ezzel csinálni",
        ],
    ),
    (
        "nl",
        &[
            "het pakket is te laat en niemand neemt de telefoon op",
            "dit is het beste wat ik heb gekocht",
            "wat wil je ermee doen",
        ],
    ),
    (
        "pt",
        &[
            "a encomenda está atrasada e ninguém atende o telefone",
            "isto é a melhor coisa que comprei",
            "o que você quer com isso",
        ],
    ),
    (
        "fi",
        &[
            "paketti on myöhässä eikä kukaan vastaa puhelimeen",
            "tämä on paras mitä olen ostanut",
            "mitä haluat tehdä sillä",
        ],
    ),
];

fn rows() -> Vec<Row<'static>> {
    SENTENCES.iter().flat_map(|(code, texts)| texts.iter().map(|text| Row { code, text })).collect()
}

fn small() -> Identifier {
    let settings = Settings { bits: 12, epochs: 20, ..Settings::default() };
    train(&rows(), &rows(), &settings, &mut |_| ()).unwrap()
}

static SMALL: LazyLock<Identifier> = LazyLock::new(small);

#[test]
fn languages_are_told_apart() {
    for (text, code) in [
        ("Nobody answers the phone!", "en"),
        ("Senki nem veszi fel", "hu"),
        ("niemand neemt op", "nl"),
        ("ninguém atende", "pt"),
        ("KUKAAN VASTAA", "fi"),
    ] {
        let identified = SMALL.identify(text);
        assert_eq!(identified.code, code, "{text}");
        assert!(identified.probability > identified.runner_up_probability && identified.runner_up != code);
    }
    assert_eq!(SMALL.accepted(&SMALL.identify(SENTENCES[1].1[0])), Some(Language::Hungarian));
    assert_eq!(SMALL.accepted(&SMALL.identify(SENTENCES[4].1[0])), None);
}

#[test]
fn nothing_to_tell_is_undetermined() {
    for text in ["", "  ", "12 34", "😀!!!", "https://a.example/b", "\u{301}"] {
        assert_eq!(SMALL.identify(text), Identified::NOTHING, "{text:?}");
        assert_eq!(SMALL.identify(text).code, UNDETERMINED);
    }
}

#[test]
fn other_scripts_tell_themselves() {
    for (text, code) in [
        ("Καλημέρα σας", "el"),
        ("Добрый день, это мы", "ru"),
        ("Доброго дня, її немає", "uk"),
        ("こんにちは世界", "ja"),
        ("你好世界", "zh"),
        ("안녕하세요", "ko"),
        ("שלום", "he"),
        ("नमस्ते", UNDETERMINED),
    ] {
        let identified = SMALL.identify(text);
        assert_eq!(identified.code, code, "{text}");
        assert!(SMALL.accepted(&identified).is_none());
    }
    assert!(SMALL.identify("the parcel is late Добрый день, это мы").is_mixed);
}

#[test]
fn two_languages_are_mixed() {
    let mixed = format!("{}. {}.", SENTENCES[0].1[0], SENTENCES[1].1[0]);
    assert!(SMALL.identify(&mixed).is_mixed);
    assert!(SMALL.accepted(&SMALL.identify(&mixed)).is_none());
    assert!(!SMALL.identify(&format!("{}. {}.", SENTENCES[0].1[0], SENTENCES[0].1[1])).is_mixed);
}

#[test]
fn a_long_text_is_looked_at_all_over() {
    let begin = "the parcel is late and nobody answers ".repeat(LOOKED_AT / 30);
    let end = "a csomag késik és senki nem veszi fel ".repeat(LOOKED_AT / 30);
    let both = SMALL.identify(&format!("{begin}{end}"));
    assert!(both.is_mixed && both.words < LOOKED_AT);
    let mut parts = 0;
    super::each_stretch(&"é".repeat(1 << 20), |part| {
        parts += 1;
        assert!(part.len() <= LOOKED_AT / STRETCHES + 4);
    });
    assert_eq!(parts, STRETCHES);
}

#[test]
fn training_is_deterministic_and_survives_writing() {
    let bytes = SMALL.encode();
    assert_eq!(small().encode(), bytes);
    let read = Identifier::from_bytes(&bytes).unwrap();
    assert_eq!(read, *SMALL);
    assert_eq!(read.codes(), ["en", "fi", "hu", "nl", "pt"]);
}

#[test]
fn broken_bytes_are_refused() {
    let bytes = SMALL.encode();
    assert_eq!(Identifier::from_bytes(&[]), Err(IdentifierError::Length));
    assert_eq!(Identifier::from_bytes(&bytes[..bytes.len() - 1]), Err(IdentifierError::Length));
    for at in 0..bytes.len().min(100) {
        let mut broken = bytes.clone();
        broken[at] ^= 0xff;
        // It is refused, or still an identifier that answers.
        if let Ok(read) = Identifier::from_bytes(&broken) {
            assert!((0.0..=1.0).contains(&read.identify("the parcel").probability));
        }
        assert!(Identifier::from_bytes(&bytes[..at]).is_err());
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let settings = Settings::default();
    assert!(train(&[], &[], &settings, &mut |_| ()).is_err());
    assert!(train(&[Row { code: "xx", text: "a" }], &[], &settings, &mut |_| ()).is_err());
    assert!(train(&rows(), &[], &Settings { bits: 40, ..settings }, &mut |_| ()).is_err());
}

#[test]
fn figures_count_what_was_told() {
    let figures = evaluate(&SMALL, &rows(), Unit::Line, 1);
    assert_eq!(figures.len(), 5);
    assert!(figures.iter().all(|language| language.texts == 3 && language.accuracy == 1.0));
    let wrong = evaluate(&SMALL, &[Row { code: "hu", text: SENTENCES[0].1[0] }], Unit::Line, 1);
    assert_eq!((wrong[0].accuracy, wrong[0].confusions[0].taken_for), (0.0, "en"));
    assert_eq!(evaluate(&SMALL, &rows(), Unit::Words(40), 1)[0].texts, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in any::<String>(), times in 1_usize..200) {
        let text = text.repeat(times);
        let identified = SMALL.identify(&text);
        prop_assert!((0.0..=1.0).contains(&identified.probability));
        prop_assert!((0.0..=identified.probability.max(0.5)).contains(&identified.runner_up_probability));
        prop_assert_eq!(SMALL.identify(&text), identified);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Identifier::from_bytes(&bytes).is_err());
    }
}
