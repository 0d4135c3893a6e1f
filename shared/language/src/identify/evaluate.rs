//! How often the identifier is right.

use super::training::{Dice, Hashed, Row, unmasked};
use super::{Identified, Identifier, Language, UNDETERMINED};

/// What of a row is to be identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The whole row.
    Line,
    /// So many words in a row of each that has them, chosen by chance.
    Words(usize),
}

/// A language that was taken for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// What it was.
    pub code: String,
    /// What it was taken for.
    pub taken_for: &'static str,
    /// How often.
    pub count: usize,
}

/// The figures of one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The code of ISO 639-1.
    pub code: String,
    /// How many texts.
    pub texts: usize,
    /// The part whose language was told right, from 0 to 1.
    pub accuracy: f32,
    /// The part that was accepted as one of the four languages, right or wrong.
    pub accepted: f32,
    /// The part that was accepted as one of the four languages that it is not in.
    pub accepted_wrongly: f32,
    /// The part that was called mixed.
    pub mixed: f32,
    /// Of the texts told with 80 to 90 % probability, the part that was right; absent if there is none.
    pub right_at_80_to_90: Option<f32>,
    /// What it was taken for instead, the most often first.
    pub confusions: Vec<Confusion>,
}

/// Identifies rows, and answers the figures of each language in the order of the codes.
pub fn evaluate(identifier: &Identifier, rows: &[Row<'_>], unit: Unit, seed: u64) -> Vec<Figures> {
    let mut codes: Vec<_> = rows.iter().map(Row::class).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut dice = Dice(seed);
    let mut answers: Vec<Vec<Identified>> = vec![Vec::new(); codes.len()];
    for row in rows {
        let Ok(class) = codes.binary_search(&row.class()) else { continue };
        let text = unmasked(row.text);
        let part = match unit {
            Unit::Line => Some(text.as_str()),
            Unit::Words(count) => part(&text, count, &mut dice),
        };
        answers[class].extend(part.map(|part| identifier.identify(part)));
    }
    codes.into_iter().zip(answers).map(|(code, answers)| figures(identifier, code, &answers)).collect()
}

/// Some words of a text, if it has so many, none of them without a letter.
fn part<'a>(text: &'a str, count: usize, dice: &mut Dice) -> Option<&'a str> {
    let mut words = Vec::new();
    let mut hashed = Hashed::default();
    for word in text.split_ascii_whitespace() {
        hashed.fill(word);
        if !hashed.ends.is_empty() {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            words.push(start..start + word.len());
        }
    }
    let starts = words.len().checked_sub(count.max(1)).map(|last| last + 1)?;
    let first = dice.below(starts);
    text.get(words[first].start..words[first + count.max(1) - 1].end)
}

fn figures(identifier: &Identifier, code: &str, answers: &[Identified]) -> Figures {
    let part = |is: &dyn Fn(&Identified) -> bool| {
        answers.iter().filter(|answer| is(answer)).count() as f32 / answers.len().max(1) as f32
    };
    let taken = |answer: &Identified| identifier.accepted(answer).map(Language::code);
    let unsure: Vec<_> = answers.iter().filter(|answer| (0.8..0.9).contains(&answer.probability)).collect();
    let right = unsure.iter().filter(|answer| answer.code == code).count();
    let mut confusions: Vec<Confusion> = Vec::new();
    for answer in answers.iter().filter(|answer| answer.code != code) {
        match confusions.iter_mut().find(|confusion| confusion.taken_for == answer.code) {
            Some(confusion) => confusion.count += 1,
            None => confusions.push(Confusion { code: code.to_owned(), taken_for: answer.code, count: 1 }),
        }
    }
    confusions.sort_by(|left, right| right.count.cmp(&left.count).then(left.taken_for.cmp(right.taken_for)));
    Figures {
        code: code.to_owned(),
        texts: answers.len(),
        accuracy: part(&|answer| answer.code == code && code != UNDETERMINED),
        accepted: part(&|answer| taken(answer).is_some()),
        accepted_wrongly: part(&|answer| taken(answer).is_some_and(|taken| taken != code)),
        mixed: part(&|answer| answer.is_mixed),
        right_at_80_to_90: (!unsure.is_empty()).then(|| right as f32 / unsure.len() as f32),
        confusions,
    }
}
