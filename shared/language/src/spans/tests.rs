//! What is found, judged by sentences in four languages, and what holds for any text.

mod labelled;
mod names;
mod properties;

use crate::Language;

use super::parse::parse;
use super::rules::text;

#[test]
fn every_file_of_rules_is_well_formed() {
    let mut wrong = Vec::new();
    for language in Language::ALL {
        let (rules, mistakes) = parse(text(language));
        wrong.extend(
            mistakes.into_iter().map(|mistake| format!("{}.txt:{}: {}", language.code(), mistake.line, mistake.what)),
        );
        assert!(rules.searched.len() > 50 && rules.stances.len() > 10, "{language:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let mistakes = |text: &str| parse(text).1.into_iter().map(|mistake| mistake.line).collect::<Vec<_>>();
    assert_eq!(mistakes("[need]\ni need\n[other]\n{none} need\n.. ..\nneed @"), [3, 4, 5, 6]);
    assert_eq!(mistakes("i need\n[need]\ni*\na b c / unless never\nlists: a"), [1, 3, 4, 5]);
    assert_eq!(mistakes("[favorable]\nbetter than\n@ @\n@ is better"), [2, 3]);
}
