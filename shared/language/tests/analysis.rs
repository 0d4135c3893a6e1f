//! What the model that the program brings says of texts.

use language::{Abstention, Analyzer, Context, Emotion, Language, Polarity};
use proptest::prelude::*;

fn value(text: &str, language: Language) -> f32 {
    Analyzer::embedded().analyze_in(text, language).sentiment.value
}

#[test]
fn a_negation_turns_a_sentiment() {
    for (language, good, bad) in [
        (Language::English, "It is good.", "It is not good."),
        (Language::English, "I like it", "I don't like it"),
        (Language::Hungarian, "Ez jó.", "Ez nem jó."),
        (Language::Hungarian, "Tetszik nekem.", "Nem tetszik nekem."),
        (Language::Dutch, "Het is goed.", "Het is niet goed."),
        (Language::Dutch, "Ik ben tevreden.", "Ik ben niet tevreden."),
        (Language::Portuguese, "Isso é bom.", "Isso não é bom."),
        (Language::Portuguese, "Recomendo.", "Não recomendo."),
    ] {
        assert!(value(good, language) > 0.0, "{good}: {}", value(good, language));
        assert!(value(bad, language) < 0.0, "{bad}: {}", value(bad, language));
    }
}

#[test]
fn plain_praise_and_plain_blame_are_told_in_each_language() {
    for (good, bad, code) in [
        (
            "Excellent service, friendly staff, I am very happy!",
            "Terrible service, rude staff, I want my money back!",
            "en",
        ),
        (
            "Kiváló szolgáltatás, kedves személyzet, nagyon elégedett vagyok!",
            "Borzalmas szolgáltatás, bunkó személyzet, csalódtam.",
            "hu",
        ),
        (
            "Uitstekende service, vriendelijk personeel, ik ben erg blij!",
            "Slechte service, onbeschoft personeel, ik ben teleurgesteld.",
            "nl",
        ),
        (
            "Excelente atendimento, equipe simpática, estou muito feliz!",
            "Péssimo atendimento, equipe grosseira, estou decepcionado.",
            "pt",
        ),
    ] {
        let [good, bad] = [good, bad].map(|text| Analyzer::embedded().analyze(text));
        assert_eq!((good.language, bad.language), (code, code));
        assert_eq!(good.sentiment.map(|it| Polarity::of(it.value)), Some(Polarity::Positive), "{code}");
        assert_eq!(bad.sentiment.map(|it| Polarity::of(it.value)), Some(Polarity::Negative), "{code}");
        let joy = |of: &language::Analysis| of.emotions.map(|emotions| emotions[Emotion::Joy as usize].sure);
        assert!(joy(&good) > joy(&bad), "{code}");
    }
}

#[test]
fn emoji_speak_for_themselves() {
    let told = |text: &str| Analyzer::embedded().analyze(text);
    assert!(told("😍😍").sentiment.is_some_and(|it| it.value > 0.0), "{:?}", told("😍😍"));
    assert!(told("😡").sentiment.is_some_and(|it| it.value < 0.0), "{:?}", told("😡"));
    assert_eq!(told("😍").language, "und");
}

#[test]
fn repeated_letters_capitals_and_curly_apostrophes_do_not_hide_a_word() {
    assert!(value("soooo goooood!!!", Language::English) > 0.0);
    assert!(value("THIS IS TERRIBLE", Language::English) < 0.0);
    assert_eq!(value("I don’t like it", Language::English), value("I don't like it", Language::English));
    assert_eq!(value("Jo\u{301} volt", Language::Hungarian), value("Jó volt", Language::Hungarian));
}

#[test]
fn it_abstains_from_what_it_cannot_tell() {
    let told = |text: &str| Analyzer::embedded().analyze(text);
    for text in ["", "   \n", "<p></p>", "> only\n> a quotation\n"] {
        assert_eq!(told(text).abstention, Some(Abstention::Empty), "{text:?}");
        assert_eq!((told(text).sentiment, told(text).emotions), (None, None), "{text:?}");
    }
    let german = told("Der Kundendienst war leider sehr unfreundlich und hat mir nicht geholfen.");
    assert_eq!((german.language, german.abstention, german.sentiment), ("de", Some(Abstention::OtherLanguage), None));
    for text in ["4711", "0031 20 555 0100", "x", "ок"] {
        assert!(told(text).abstention.is_some(), "{text}: {:?}", told(text));
    }
}

#[test]
fn a_stated_language_is_believed() {
    let stated = |language| Context { language: Some(language), competitors: None };
    let analyzer = Analyzer::embedded();
    assert_eq!(analyzer.analyze_with("Super!", &stated(Language::Dutch)).language, "nl");
    let hungarian = analyzer.analyze_with("Super!", &stated(Language::Hungarian));
    assert_eq!((hungarian.language, hungarian.language_probability), ("hu", 1.0));
}

#[test]
fn places_are_told_by_their_bytes_in_the_text_as_it_was_given() {
    let text = "<p>Hello,</p><p>I wish it could export to Excel &amp; PDF. Thank you!</p>";
    let analysis = Analyzer::embedded().analyze(text);
    assert!(analysis.spans.iter().any(|span| text[span.range.clone()].contains("export")), "{analysis:?}");
}

#[test]
fn a_megabyte_is_read_as_its_beginning() {
    let long = "The support was great and I am happy. ".repeat(30_000);
    let beginning = &long[..16 * 1024];
    let analyzer = Analyzer::embedded();
    assert_eq!(analyzer.analyze(&long).sentiment, analyzer.analyze(beginning).sentiment);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_gives_the_same_finite_figures_in_their_ranges(text in any::<String>(), words in "(good|nem|não|niet|!|😀|<|&|@|'|\u{301}|0|A| |\n){0,60}") {
        let analyzer = Analyzer::embedded();
        for text in [&text, &words] {
            let analysis = analyzer.analyze(text);
            prop_assert_eq!(&analysis, &analyzer.analyze(text));
            prop_assert!((0.0..=1.0).contains(&analysis.language_probability));
            for span in &analysis.spans {
                prop_assert!(text.get(span.range.clone()).is_some());
            }
            if analysis.sentiment.is_none() {
                prop_assert!(analysis.abstention.is_some());
            }
            for language in Language::ALL {
                let feelings = analyzer.analyze_in(text, language);
                prop_assert_eq!(&feelings, &analyzer.analyze_in(text, language));
                prop_assert!((-1.0..=1.0).contains(&feelings.sentiment.value));
                prop_assert!((0.0..=1.0).contains(&feelings.sentiment.sure));
                for emotion in feelings.emotions {
                    prop_assert!((0.0..=1.0).contains(&emotion.value) && (0.0..=1.0).contains(&emotion.sure));
                }
            }
        }
    }
}
