//! Endings that make no difference to what a word is about.
//!
//! Light stemming, which takes off what number, case and gender add, and no more: it finds nearly
//! what the heavy stemmers find and merges fewer words that differ (Harman 1991, *How effective is
//! suffixing?*, for English; Savoy 2006, *Light stemming approaches for the French, Portuguese,
//! German and Hungarian languages*). The rules here are a short form of these. What is left need not
//! be a word: it is compared, never shown.

/// Takes the endings off a folded word, by the rules of a language of ISO 639-1. Words of other languages
/// stay as they are.
pub(super) fn stem(word: &mut String, language: &str) {
    if !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    match language {
        "en" => english(word),
        "hu" => hungarian(word),
        "nl" => dutch(word),
        "pt" => portuguese(word),
        _ => {}
    }
}

/// Takes an ending off where at least `left` letters stay.
fn strip(word: &mut String, ending: &str, left: usize) -> bool {
    let fits = word.len() >= ending.len() + left && word.ends_with(ending);
    if fits {
        word.truncate(word.len() - ending.len());
    }
    fits
}

/// Puts an ending in another's place.
fn replace(word: &mut String, ending: &str, other: &str, left: usize) -> bool {
    let fits = strip(word, ending, left);
    if fits {
        word.push_str(other);
    }
    fits
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// The letter that many places from the end; 0 where there is none.
fn from_end(word: &str, places: usize) -> u8 {
    word.len().checked_sub(places + 1).map_or(0, |at| word.as_bytes()[at])
}

/// Leaves one of two equal consonants at the end.
fn single(word: &mut String) -> bool {
    let last = from_end(word, 0);
    let double = last != 0 && !is_vowel(last) && last == from_end(word, 1) && word.len() > 3;
    if double {
        word.pop();
    }
    double
}

fn english(word: &mut String) {
    if word.len() < 4 {
        return;
    }
    let last = from_end(word, 1);
    if !replace(word, "ies", "y", 2) && !matches!(last, b's' | b'u' | b'i') {
        strip(word, "s", 3);
    }
    let sounds = |word: &str, ending: usize| {
        word.len() >= 3 + ending && word[..word.len() - ending].bytes().any(is_vowel) && from_end(word, ending) != b'e'
    };
    if word.ends_with("ing") && sounds(word, 3) {
        strip(word, "ing", 3);
    } else if word.ends_with("ed") && sounds(word, 2) {
        strip(word, "ed", 3);
    }
    single(word);
    strip(word, "e", 3);
    replace(word, "y", "i", 2);
}

/// Of the endings of case those that are longer come first.
const HUNGARIAN: [(&str, usize); 48] = [
    ("kent", 4),
    ("okat", 3),
    ("eket", 3),
    ("akat", 3),
    ("ban", 3),
    ("ben", 3),
    ("bol", 3),
    ("nak", 3),
    ("nek", 3),
    ("val", 3),
    ("vel", 3),
    ("rol", 3),
    ("hoz", 3),
    ("hez", 3),
    ("tol", 3),
    ("nal", 3),
    ("nel", 3),
    ("ert", 4),
    ("unk", 3),
    ("jai", 3),
    ("jei", 3),
    ("juk", 3),
    ("ba", 4),
    ("be", 4),
    ("ra", 4),
    ("re", 4),
    ("ig", 4),
    ("on", 4),
    ("en", 4),
    ("an", 4),
    ("at", 4),
    ("et", 4),
    ("ot", 4),
    ("ak", 4),
    ("ek", 4),
    ("ok", 4),
    ("uk", 4),
    ("ai", 4),
    ("ei", 4),
    ("ja", 4),
    ("je", 4),
    ("am", 4),
    ("em", 4),
    ("om", 4),
    ("t", 4),
    ("n", 5),
    ("k", 4),
    ("i", 4),
];

fn hungarian(word: &mut String) {
    // A word carries a few endings at most: possession, number, case.
    for _ in 0..4 {
        let with = (word.ends_with("al") || word.ends_with("el")) && word.len() >= 6;
        if with && from_end(word, 2) == from_end(word, 3) && !is_vowel(from_end(word, 2)) {
            word.truncate(word.len() - 3);
            continue;
        }
        if HUNGARIAN.iter().any(|&(ending, left)| strip(word, ending, left)) {
            continue;
        }
        if word.len() <= 4 || !matches!(from_end(word, 0), b'a' | b'e' | b'o' | b'u') {
            break;
        }
        word.pop();
    }
}

fn dutch(word: &mut String) {
    if replace(word, "heden", "heid", 2) {
        return;
    }
    // The plural of what ends in -er, -el and the like; elsewhere the s is the word's own, as in "prijs" and "kans".
    if matches!(from_end(word, 1), b'l' | b'r' | b'n' | b'm') || word.ends_with("jes") || word.ends_with("ies") {
        strip(word, "s", 5);
    }
    let open = strip(word, "en", 3) || strip(word, "e", 3);
    single(word);
    if open {
        replace(word, "z", "s", 2);
        replace(word, "v", "f", 2);
    }
    // "laat" beside "late", "week" beside "weken": a long vowel is written once in an open syllable.
    let (last, vowel) = (from_end(word, 0), from_end(word, 1));
    if word.len() > 3 && !is_vowel(last) && matches!(vowel, b'a' | b'e' | b'o' | b'u') && vowel == from_end(word, 2) {
        word.remove(word.len() - 2);
    }
}

fn portuguese(word: &mut String) {
    let plural = replace(word, "oes", "ao", 2)
        || replace(word, "aes", "ao", 2)
        || replace(word, "ns", "m", 2)
        || replace(word, "eis", "el", 2)
        || replace(word, "ais", "al", 2)
        || replace(word, "ois", "ol", 2)
        || strip(word, "es", 4);
    if !plural && from_end(word, 1) != b's' {
        strip(word, "s", 3);
    }
    if !word.ends_with("ao") {
        let _ = strip(word, "a", 3) || strip(word, "o", 3) || strip(word, "e", 3);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::fold;
    use super::*;

    fn stemmed(word: &str, language: &str) -> String {
        let mut folded = String::new();
        fold(word, &mut folded);
        stem(&mut folded, language);
        folded
    }

    #[test]
    fn forms_of_a_word_meet() {
        for (language, forms) in [
            ("en", "delivery deliveries Delivery's"),
            ("en", "invoice invoices invoiced invoicing"),
            ("en", "ship ships shipped shipping"),
            ("en", "delay delays delayed"),
            ("en", "box boxed"),
            ("hu", "szállítás szállítások szállítást szállításra szállítással szállításban"),
            ("hu", "számla számlák számlát számlában"),
            ("hu", "csomag csomagok csomagot csomaggal csomagban csomagnak"),
            ("hu", "termék termékek termékeket termékkel"),
            ("nl", "levering leveringen"),
            ("nl", "laat late"),
            ("nl", "pakket pakketten"),
            ("nl", "week weken"),
            ("nl", "prijs prijzen"),
            ("nl", "chauffeur chauffeurs"),
            ("pt", "entrega entregas"),
            ("pt", "avaliação avaliações"),
            ("pt", "atrasado atrasada atrasados"),
            ("pt", "fatura faturas"),
            ("pt", "portal portais"),
            ("pt", "homem homens"),
            ("pt", "entregador entregadores"),
        ] {
            let stems: Vec<String> = forms.split(' ').map(|form| stemmed(form, language)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{language}: {forms}: {stems:?}");
        }
    }

    #[test]
    fn other_words_stay_apart() {
        for (language, one, other) in [
            ("en", "delivery", "deliver"),
            ("en", "need", "new"),
            ("en", "us", "use"),
            ("hu", "számla", "számol"),
            ("hu", "csomag", "csomó"),
            ("nl", "prijs", "prins"),
            ("pt", "conta", "contato"),
            ("fr", "livre", "livres"),
        ] {
            assert_ne!(stemmed(one, language), stemmed(other, language), "{language}");
        }
        assert_eq!(stemmed("A380s", "en"), "a380s");
        assert_eq!(stemmed("ss", "nl"), "ss");
    }
}
