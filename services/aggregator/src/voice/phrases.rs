//! From themes to the phrases that are looked for, and from a place in a text to what a person is shown of it.

use std::ops::Range;

use contracts::feedback::v1::Theme;
use dynamics::themes::{Phrase, Taxonomy};

/// How many characters are shown of a text.
const SHOWN: usize = 200;
/// How many of them stand before the place that is shown.
const SHOWN_BEFORE: usize = 80;

/// The phrases of themes, in the order of the themes.
pub(super) fn taxonomy(themes: &[Theme]) -> Taxonomy {
    let phrases: Vec<Vec<Phrase<'_>>> = themes.iter().map(phrases).collect();
    Taxonomy::new(&phrases)
}

fn phrases(theme: &Theme) -> Vec<Phrase<'_>> {
    let of_all = theme.phrases.iter().map(|text| Phrase { language: "", text });
    let local = theme.local_phrases.iter().flat_map(|local| {
        let language = local.language.as_str();
        local.phrases.iter().map(move |text| Phrase { language, text })
    });
    of_all.chain(local).collect()
}

/// Phrases that stand for one thing, in any language.
pub(super) fn alike<'a>(phrases: impl Iterator<Item = &'a str>) -> Taxonomy {
    Taxonomy::new(&[phrases.map(|text| Phrase { language: "", text }).collect()])
}

/// What is shown of a text: the words around a place, or its beginning, on one line.
pub(super) fn excerpt(text: &str, place: Option<Range<usize>>) -> String {
    let place = place.filter(|place| text.get(place.clone()).is_some()).unwrap_or(0..0);
    let (before, after) = text.split_at(place.start);
    let skipped = before.chars().count().saturating_sub(SHOWN_BEFORE);
    let mut start = before.char_indices().nth(skipped).map_or(place.start, |(at, _)| at);
    if skipped > 0 {
        // Begins with a whole word, if there is one before the place.
        start += text[start..place.start].find(char::is_whitespace).unwrap_or(0);
    }
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What cannot matter is not looked at.
    let shown: String = text[start..].chars().take(4 * SHOWN).collect();
    let mut shown = line(&shown);
    let is_cut = shown.chars().count() > SHOWN - 1 || start + 4 * SHOWN < text.len() && !after.trim().is_empty();
    if is_cut {
        shown = shown.chars().take(SHOWN - 2).collect();
        shown.truncate(shown.trim_end().len());
        shown.push('…');
    }
    if start > 0 && !text[..start].trim().is_empty() { format!("…{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use contracts::feedback::v1::LocalPhrases;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_around_a_place_are_shown() {
        assert_eq!(excerpt("  It came\n too late. ", None), "It came too late.");
        assert_eq!(excerpt("It came too late.", Some(8..16)), "It came too late.");
        let text = format!("{} too late {}", "so much was said before ".repeat(10), "and after ".repeat(40));
        let at = text.find("too late").unwrap();
        let shown = excerpt(&text, Some(at..at + 8));
        assert!(
            shown.starts_with("…") && shown.ends_with('…') && shown.contains("before too late and after"),
            "{shown}"
        );
        assert!(shown.chars().count() <= SHOWN && !shown.contains("… "), "{shown}");
    }

    #[test]
    fn phrases_of_a_language_are_marked_with_it() {
        let local = LocalPhrases { language: "nl".to_owned(), phrases: vec!["te laat".to_owned()] };
        let theme = Theme { phrases: vec!["late".to_owned()], local_phrases: vec![local], ..Theme::default() };
        let found: Vec<_> = phrases(&theme).iter().map(|phrase| (phrase.language, phrase.text)).collect();
        assert_eq!(found, [("", "late"), ("nl", "te laat")]);
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_can_be_shown(text in "\\PC{0,600}", start in 0_usize..700, length in 0_usize..50) {
            let shown = excerpt(&text, Some(start..start + length));
            prop_assert!(shown.chars().count() <= SHOWN);
            prop_assert!(!shown.contains('\n'));
        }
    }
}
