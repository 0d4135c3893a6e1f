//! What the model is made of.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use language::Header;
use language::Language;
use language::training::{Example, Glossary, Lexicons};
use sha2::{Digest, Sha256};

use crate::files::{Fault, examples_of, text_of};

/// Everything a training needs.
pub(crate) struct Data {
    pub(crate) examples: Vec<Example>,
    pub(crate) validation: Vec<Example>,
    pub(crate) lexicons: Lexicons,
    pub(crate) header: Header,
}

/// How much a line of subtitles counts. Its sentiment was derived from emotions, which were judged in English only and
/// carried over to the lines in other languages; where there are many of these they would drown what was judged itself.
const fn of_subtitles(language: Option<Language>) -> f32 {
    match language {
        Some(Language::English) | None => 0.5,
        Some(Language::Hungarian) => 0.3,
        Some(Language::Dutch) => 0.2,
        Some(Language::Portuguese) => 0.05,
    }
}

/// How much a comment of GoEmotions counts once it is translated: there are many, and of little that customers speak
/// of.
const TRANSLATED_COMMENTS: f32 = 0.3;

const LISTS: [(Language, usize, &str); 11] = [
    (Language::English, 0, "en_afinn"),
    (Language::English, 1, "en_pattern"),
    (Language::English, 2, "en_vader"),
    (Language::Hungarian, 0, "hu_afinn"),
    (Language::Hungarian, 1, "hu_induced"),
    (Language::Dutch, 0, "nl_afinn"),
    (Language::Dutch, 1, "nl_induced"),
    (Language::Dutch, 2, "nl_pattern"),
    (Language::Portuguese, 0, "pt_afinn"),
    (Language::Portuguese, 1, "pt_induced"),
    (Language::Portuguese, 2, "pt_leia"),
];

/// What the project wrote itself: words in four languages, and words with their valence.
const GLOSSARY: &str = include_str!("../../data/glossary.tsv");
const OWN_WORDS: &str = include_str!("../../data/words.tsv");

const FILES: [&str; 4] =
    ["sentiment/train.tsv.gz", "sentiment/valid.tsv.gz", "emotions/train.tsv.gz", "emotions/valid.tsv.gz"];

/// Whether a source's licence is not settled.
pub(crate) fn is_unsettled(source: &str) -> bool {
    source.starts_with("mabsa")
}

fn sum_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Notes the checksum of a file that is learned from, once.
fn note_sum(header: &mut Header, name: &str, sum: &str) {
    let entry = format!("sha256 {name}");
    if header.get(&entry).is_none() {
        header.push(&entry, sum);
    }
}

/// Returns the path of a file of the folder, which is the one whose checksum the folder's README lists, and notes it.
pub(crate) fn checked(folder: &Path, name: &str, header: &mut Header) -> Result<PathBuf, Fault> {
    let told = |path: &Path, fault: &dyn std::fmt::Display| format!("{}: {fault}", path.display());
    let (path, readme) = (folder.join(name), folder.join("README.md"));
    let listed = fs::read_to_string(&readme).map_err(|fault| told(&readme, &fault))?;
    let bytes = fs::read(&path).map_err(|fault| told(&path, &fault))?;
    let sum = sum_of(&bytes);
    match listed.lines().filter_map(|line| line.split_once("  ")).find(|(_, file)| file.trim() == name) {
        Some((expected, _)) if expected == sum => {
            note_sum(header, name, &sum);
            Ok(path)
        }
        Some(_) => Err(told(&path, &format!("not the file that the README lists: its SHA-256 is {sum}"))),
        None => Err(told(&path, &"the README lists no SHA-256 of it")),
    }
}

/// Reads the data folder, and compares each file with the checksum in the folder's README.
pub(crate) fn read(folder: &Path, with_unsettled: bool) -> Result<Data, Fault> {
    let mut header = Header::default();
    let licences = "xed, goemotions, brighter, uci: CC BY 4.0; vader, leia, afinn, emoji: MIT; pattern: PDDL; \
        husst, induced: CC BY-SA 4.0; glossary, words: the project's";
    header.push("licences", licences);
    if with_unsettled {
        header.push("unsettled", "learned also from sources whose licence is not settled: not to be shipped");
    }
    for (name, content) in [("glossary.tsv", GLOSSARY), ("words.tsv", OWN_WORDS)] {
        note_sum(&mut header, name, &sum_of(content.as_bytes()));
    }
    let mut checked = |name: &str| checked(folder, name, &mut header);
    let mut lexicons = Lexicons::default();
    let emoji = terms_of(&checked("lexicons/emoji.tsv.gz")?)?;
    let vader = terms_of(&checked("lexicons/en_vader.tsv.gz")?)?;
    // Emoticons are the same in every language.
    let emoticons = vader.iter().filter(|(term, _)| !term.chars().next().is_some_and(char::is_alphanumeric));
    lexicons.add_emoji(emoticons.chain(&emoji).map(|(term, valence)| (term.as_str(), *valence)));
    for (language, list, name) in LISTS {
        let terms = terms_of(&checked(&format!("lexicons/{name}.tsv.gz"))?)?;
        lexicons.add(language, list, terms.iter().map(|(term, valence)| (term.as_str(), *valence)));
    }
    for language in [Language::Dutch, Language::Hungarian, Language::Portuguese] {
        let terms = glossary()?.terms(&vader, language);
        lexicons.add(language, 3, terms.iter().map(|(term, valence)| (term.as_str(), *valence)));
        lexicons.add(language, 3, own_terms(language)?);
    }
    let [sentiment, sentiment_valid, emotions, emotions_valid] =
        FILES.map(|name| checked(name).and_then(|path| examples_of(&path, None)));
    let settled = |examples: Vec<Example>| {
        examples.into_iter().filter(|example| with_unsettled || !is_unsettled(&example.source)).collect::<Vec<_>>()
    };
    let examples = merged(settled(sentiment?), emotions?);
    let validation = merged(settled(sentiment_valid?), emotions_valid?);
    Ok(Data { examples, validation, lexicons, header })
}

/// The project's own list of words: a language, a valence and the words that have it, in each line.
fn own_terms(language: Language) -> Result<Vec<(&'static str, f32)>, Fault> {
    let mut terms = Vec::new();
    for (number, line) in (2..).zip(OWN_WORDS.lines().skip(1)) {
        let wrong = || format!("words.tsv, line {number}: not a language, a valence and words");
        let [code, valence, words] = line.split('\t').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let valence: f32 = valence.parse().map_err(|_| wrong())?;
        if code == language.code() {
            terms.extend(words.split(' ').map(|word| (word, valence)));
        }
    }
    Ok(terms)
}

/// The words that the project translated itself.
fn glossary() -> Result<Glossary, Fault> {
    Glossary::of(GLOSSARY).map_err(|line| format!("glossary.tsv, line {line}: not four columns"))
}

/// Adds the English examples word by word in the other languages.
pub(crate) fn translate(data: &mut Data, weight: f32) -> Result<(), Fault> {
    let glossary = glossary()?;
    let languages = if weight > 0.0 { &Language::ALL[1..] } else { &[] };
    let mut added = Vec::new();
    for language in languages {
        for mut example in glossary.translated(&data.examples, *language, 0) {
            if example.sentiment.is_some() {
                example.weight *= if example.source == "goemotions" { weight * TRANSLATED_COMMENTS } else { weight };
                added.push(example);
            }
        }
    }
    data.header.push("translated", format!("{} examples, word by word, each counts {weight}", added.len()));
    data.examples.append(&mut added);
    Ok(())
}

/// Puts the labels of one text together.
fn merged(sentiment: Vec<Example>, emotions: Vec<Example>) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut places: HashMap<(Option<Language>, String, String), usize> = HashMap::new();
    for mut example in sentiment.into_iter().chain(emotions) {
        if example.source == "xed" {
            example.weight = of_subtitles(example.language);
        }
        let key = (example.language, example.source.clone(), example.text.clone());
        match places.get(&key) {
            Some(&at) if examples[at].emotions.is_none() && example.emotions.is_some() => {
                examples[at].emotions = example.emotions
            }
            _ => {
                places.insert(key, examples.len());
                examples.push(example);
            }
        }
    }
    examples.retain(|example| example.sentiment.is_some() || example.emotions.is_some());
    examples
}

/// Reads a word list: a term and a valence in each line, after a header.
fn terms_of(path: &Path) -> Result<Vec<(String, f32)>, Fault> {
    let text = text_of(path)?;
    (2..)
        .zip(text.lines().skip(1))
        .map(|(number, line)| {
            let entry =
                line.split_once('\t').and_then(|(term, valence)| Some((term.to_owned(), valence.parse().ok()?)));
            entry.ok_or_else(|| format!("{}, line {number}: no term with a valence", path.display()))
        })
        .collect()
}
