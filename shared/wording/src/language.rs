//! The languages, and which of them is asked for.

/// A language in which things are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also for whoever asks for a language that is not here.
    #[default]
    English,
    /// Hungarian.
    Hungarian,
    /// Dutch.
    Dutch,
    /// Portuguese, in words that serve on both sides of the Atlantic.
    Portuguese,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 4] = [Language::English, Language::Hungarian, Language::Dutch, Language::Portuguese];

    /// The code in ISO 639-1, as `content-language` states it: `en`, `hu`, `nl` or `pt`.
    pub const fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Hungarian => "hu",
            Language::Dutch => "nl",
            Language::Portuguese => "pt",
        }
    }

    /// The language of a tag such as `pt-BR`, or of a locale such as `hu_HU.UTF-8`; none if it is no language of these.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.trim().split(['-', '_', '.', '@']).next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }
}

/// The language that best answers a list of language ranges with weights, as `accept-language` has it (RFC 9110, section
/// 12.5.4): of the languages here the one of the greatest weight, of equal ones the first. A range stands for its primary
/// language, so `pt-BR` for Portuguese, and `*` for English, or the first language that is not refused by a weight of 0.
/// English answers if nothing else does. What is malformed is passed over.
pub fn negotiate(accept_language: &str) -> Language {
    let ranges: Vec<(&str, u16)> = accept_language.split(',').filter_map(range).collect();
    // A weight of 0 refuses only what no other range asks for: `pt-PT;q=0, pt` is Portuguese.
    let refused = |language: Language| {
        let mut own = ranges.iter().filter(|(range, _)| Language::of_tag(range) == Some(language)).peekable();
        own.peek().is_some() && own.all(|(_, weight)| *weight == 0)
    };
    let any = Language::ALL.into_iter().find(|language| !refused(*language));
    let mut best: Option<(Language, u16)> = None;
    for (range, weight) in ranges.iter().filter(|(_, weight)| *weight > 0) {
        let language = match *range {
            "*" => any,
            range => Language::of_tag(range),
        };
        if let Some(language) = language
            && best.is_none_or(|(_, most)| *weight > most)
        {
            best = Some((language, *weight));
        }
    }
    best.map_or(Language::English, |(language, _)| language)
}

/// A range and its weight in thousandths, 1,000 where none is stated; none if it is malformed.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let mut weight = 1_000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") {
            let value: f64 = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&value) {
                return None;
            }
            weight = (value * 1_000.0).round() as u16;
        }
    }
    Some((range, weight))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_greatest_weight_wins_and_of_equals_the_first() {
        for (asked, language) in [
            ("hu", Language::Hungarian),
            ("HU-hu", Language::Hungarian),
            ("pt-BR", Language::Portuguese),
            ("pt_PT.UTF-8", Language::Portuguese),
            ("nl, pt", Language::Dutch),
            ("nl;q=0.3, pt;q=0.8", Language::Portuguese),
            ("en;q=0.9, nl", Language::Dutch),
            (" nl-BE ; q=0.5 , hu ; Q=0.4", Language::Dutch),
            ("de-CH, de;q=0.9, fr;q=0.8, hu;q=0.1", Language::Hungarian),
        ] {
            assert_eq!(negotiate(asked), language, "{asked}");
        }
    }

    #[test]
    fn what_is_unknown_or_malformed_is_english() {
        for asked in ["", ",", "de", "*", "nl;q=0", "nl;q=2", "nl;q=much", "nl;q", "hungarian", "ptolemaic, de;q=1"] {
            assert_eq!(negotiate(asked), Language::English, "{asked}");
        }
        assert_eq!(negotiate("nl;q=2, hu;q=0.1"), Language::Hungarian);
    }

    #[test]
    fn any_other_language_is_the_first_that_is_not_refused() {
        assert_eq!(negotiate("en;q=0, *"), Language::Hungarian);
        assert_eq!(negotiate("en;q=0, hu;q=0, *;q=0.5"), Language::Dutch);
        assert_eq!(negotiate("*;q=0.5, pt;q=0.7"), Language::Portuguese);
        assert_eq!(negotiate("pt-PT;q=0, pt;q=0.2"), Language::Portuguese);
    }

    proptest! {
        #[test]
        fn anything_is_answered(asked in "\\PC{0,60}|([a-z*]{0,3}(;q=[0-9.]{0,4})?,?){0,5}") {
            let language = negotiate(&asked);
            prop_assert!(Language::of_tag(language.code()) == Some(language));
        }
    }
}
