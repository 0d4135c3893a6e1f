//! What the model sees of a text: hashed n-grams, and a few dense signals of word lists and of how it is written.
//!
//! One pass, no allocation. Hashed are each token, each pair of neighbours, the words in reach of a negation once more,
//! and the 3-, 4- and 5-grams of the characters of `<word>`. Languages share all of them: what is written alike is
//! often felt alike.

use crate::Language;
use crate::hash::{self, extend};
use crate::lexicon::{EMOJI, LISTS, Lexicon, Valences, valence};
use crate::negation::{self, Effect, Effects};
use crate::tokens::{Kind, LONGEST_WORD, Tokens};

/// Signals of one list of words: of pleasant ones, of unpleasant ones, their difference, and its share.
const PER_LIST: usize = 4;
/// Signals that are weighed for each language by itself: that it is this language, and those of its lists.
pub(crate) const OWN: usize = 1 + EMOJI * PER_LIST;
/// Signals that are weighed alike in every language.
pub(crate) const COMMON: usize = 1 + PER_LIST + 5 + 6;
/// How many weights the dense signals have.
pub(crate) const DENSE: usize = Language::ALL.len() * OWN + COMMON;

/// What lists a language has, and what its words do to each other.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) language: Language,
    pub(crate) lexicon: Lexicon,
    pub(crate) effects: Effects,
    /// Whether neighbours are features: not of what was translated word by word.
    pub(crate) has_pairs: bool,
}

impl Reading {
    pub(crate) fn new(language: Language, lexicon: Lexicon) -> Self {
        Self { language, lexicon, effects: Effects::of(language), has_pairs: true }
    }

    /// So many last letters may be cut to find a word in a list; endings are as long as that.
    const fn longest_ending(&self) -> usize {
        match self.language {
            Language::English | Language::Dutch => 2,
            Language::Portuguese => 3,
            Language::Hungarian => 6,
        }
    }
}

/// What may be used again from text to text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    characters: Vec<char>,
    /// The hash of each beginning of the word.
    beginnings: Vec<u64>,
    /// The row of each feature.
    pub(crate) places: Vec<u32>,
}

/// The dense signals of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signals {
    pub(crate) own: [f32; OWN],
    pub(crate) common: [f32; COMMON],
    /// How many words there are, numbers included.
    pub(crate) words: u32,
    /// How many words or emoji a list has.
    pub(crate) hits: u32,
}

impl Signals {
    /// The mean over the lists, emoji included if there are any, of the difference between pleasant and unpleasant
    /// words.
    pub(crate) fn mean(&self) -> f32 {
        let (words, emoji) = (self.common[1 + PER_LIST], self.common[3]);
        if emoji == 0.0 { words } else { (words + emoji) / 2.0 }
    }
}

/// Where the weights of a language's own signals begin.
pub(crate) const fn own_offset(language: Language) -> usize {
    COMMON + language as usize * OWN
}

#[derive(Default)]
struct Sums {
    pleasant: [f32; LISTS],
    unpleasant: [f32; LISTS],
    words: u32,
    hits: u32,
    shouted: u32,
    elongated: u32,
    exclamations: u32,
    questions: u32,
    negations: u32,
}

/// Reads a text, hands over the hash of each feature, and returns the dense signals.
#[inline]
pub(crate) fn read(text: &str, reading: &Reading, scratch: &mut Scratch, mut features: impl FnMut(&[u64])) -> Signals {
    let Scratch { characters, beginnings, .. } = scratch;
    let mut tokens = Tokens::new(text, characters);
    let mut sums = Sums::default();
    let mut before = hash::WORD;
    // How many words a negation still reaches.
    let (mut reach, mut valence_reach, mut grade) = (0_u32, 0_u32, 1.0_f32);
    while let Some(kind) = tokens.next() {
        sums.elongated += u32::from(tokens.elongated);
        sums.shouted += u32::from(tokens.shouted);
        let characters = tokens.characters();
        beginnings.clear();
        let mut token = hash::WORD;
        for &character in characters {
            token = extend(token, u64::from(character));
            beginnings.push(token);
        }
        match reading.has_pairs {
            true => features(&[token, extend(before, token)]),
            false => features(&[token]),
        }
        before = token;
        let turned = if valence_reach > 0 { negation::TURNED } else { 1.0 };
        match kind {
            Kind::Word => {
                sums.words += 1;
                grams(characters, &mut features);
                if reach > 0 {
                    features(&[extend(hash::NEGATED, token)]);
                }
                reach = reach.saturating_sub(1);
                valence_reach = valence_reach.saturating_sub(1);
                let found = look_up(reading, beginnings);
                if let Some((valences, share)) = found {
                    sums.count(&valences, share * turned * grade);
                }
                grade = 1.0;
                match reading.effects.get(token) {
                    Some(Effect::Ends) => (reach, valence_reach) = (0, 0),
                    Some(Effect::Grades(by)) => grade = by,
                    Some(Effect::Negates) => {
                        sums.negations += 1;
                        (reach, valence_reach) = (negation::REACH, negation::VALENCE_REACH);
                    }
                    None if reading.language == Language::English && negation::is_contracted(characters) => {
                        sums.negations += 1;
                        (reach, valence_reach) = (negation::REACH, negation::VALENCE_REACH);
                    }
                    None => {}
                }
            }
            Kind::Marks => {
                sums.exclamations += u32::from(characters.contains(&'!'));
                sums.questions += u32::from(characters.contains(&'?'));
                if let Some(valences) = reading.lexicon.get(token) {
                    sums.count(&valences, 1.0);
                }
                (reach, valence_reach, grade) = (0, 0, 1.0);
            }
            Kind::Symbol => {
                if let Some(valences) = reading.lexicon.get(token) {
                    sums.count(&valences, 1.0);
                }
            }
            Kind::Reference => {}
        }
    }
    sums.signals()
}

/// Hands over the n-grams of `<word>`; one that is the whole of it says nothing new.
#[inline]
fn grams(word: &[char], features: &mut impl FnMut(&[u64])) {
    let mut letters = [u64::from('>'); LONGEST_WORD + 2];
    let length = word.len().min(LONGEST_WORD) + 2;
    letters[0] = u64::from('<');
    for (letter, &character) in letters[1..length - 1].iter_mut().zip(word) {
        *letter = u64::from(character);
    }
    let letters = &letters[..length];
    let three = |letters: &[u64]| extend(extend(extend(hash::GRAM, letters[0]), letters[1]), letters[2]);
    if let [rest @ .., _, _, _, _] = letters {
        let is_longer = rest.len() > 1;
        for letters in letters.windows(5) {
            let shortest = three(letters);
            let middle = extend(shortest, letters[3]);
            match is_longer {
                true => features(&[shortest, middle, extend(middle, letters[4])]),
                false => features(&[shortest, middle]),
            }
        }
        let last = three(&letters[length - 4..]);
        match rest.len() {
            0 => features(&[last]),
            _ => features(&[last, extend(last, letters[length - 1])]),
        }
        features(&[three(&letters[length - 3..])]);
    }
}

/// Finds a word in the lists, or what is left of it without an ending; that counts a fifth less.
#[inline]
fn look_up(reading: &Reading, beginnings: &[u64]) -> Option<(Valences, f32)> {
    let (whole, shorter) = beginnings.split_last()?;
    if let Some(valences) = reading.lexicon.get(*whole) {
        return Some((valences, 1.0));
    }
    let stems = shorter.iter().rev().take(reading.longest_ending()).take(shorter.len().saturating_sub(3));
    stems.into_iter().find_map(|&stem| reading.lexicon.get(stem)).map(|valences| (valences, 0.8))
}

impl Sums {
    fn count(&mut self, valences: &Valences, factor: f32) {
        self.hits += 1;
        for (list, &hundredths) in valences.iter().enumerate() {
            let valence = valence(hundredths) * factor;
            self.pleasant[list] += valence.max(0.0);
            self.unpleasant[list] += (-valence).max(0.0);
        }
    }

    /// The four signals of one list.
    fn of_list(&self, list: usize) -> [f32; PER_LIST] {
        let (pleasant, unpleasant) = (self.pleasant[list], self.unpleasant[list]);
        let length = (self.words.max(1) as f32).sqrt();
        let difference = pleasant - unpleasant;
        [pleasant / length, unpleasant / length, difference.tanh(), difference / (pleasant + unpleasant + 0.5)]
    }

    fn signals(&self) -> Signals {
        let mut own = [0.0; OWN];
        own[0] = 0.5;
        let (mut sum, mut strongest, mut signs, mut lists) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for list in 0..EMOJI {
            let signals = self.of_list(list);
            own[1 + list * PER_LIST..][..PER_LIST].copy_from_slice(&signals);
            if self.pleasant[list] + self.unpleasant[list] > 0.0 {
                let [.., difference, share] = signals;
                sum += difference;
                lists += 1.0;
                signs += if share == 0.0 { 0.0 } else { share.signum() };
                if difference.abs() > strongest.abs() {
                    strongest = difference;
                }
            }
        }
        let (mean, sign) = if lists > 0.0 { (sum / lists, signs / lists) } else { (0.0, 0.0) };
        let words = self.words.max(1) as f32;
        let mut common = [0.0; COMMON];
        let (bias, rest) = common.split_at_mut(1);
        bias[0] = 1.0;
        let (emoji, rest) = rest.split_at_mut(PER_LIST);
        emoji.copy_from_slice(&self.of_list(EMOJI));
        rest.copy_from_slice(&[
            mean,
            strongest,
            sign,
            mean.abs(),
            if self.hits == 0 { 1.0 } else { 0.0 },
            (self.exclamations as f32 * 0.5).tanh(),
            (self.questions as f32 * 0.5).tanh(),
            self.shouted as f32 / words,
            (self.elongated as f32 * 0.5).tanh(),
            (self.negations as f32 * 0.5).tanh(),
            0.2 * words.ln(),
        ]);
        Signals { own, common, words: self.words, hits: self.hits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str) -> (Vec<u64>, Signals) {
        let reading = Reading::new(
            Language::English,
            Lexicon::of([(Lexicon::key_of(hash::word(&['b', 'a', 'd'])), [-50; LISTS])].into_iter()),
        );
        let mut read_hashes = Vec::new();
        let signals = read(text, &reading, &mut Scratch::default(), |hashes| read_hashes.extend(hashes));
        (read_hashes, signals)
    }

    #[test]
    fn a_word_has_its_grams_but_for_the_whole() {
        // <bad>: the word, its pair with the beginning, <ba bad ad>, <bad bad>.
        assert_eq!(hashes("bad").0.len(), 7);
        assert_eq!(hashes("a").0.len(), 2);
        // The word, with what goes before, and negated, once more.
        assert_eq!(
            hashes("not bad").0.len() - hashes("so bad").0.len(),
            hashes("not").0.len() - hashes("so").0.len() + 1
        );
    }

    #[test]
    fn a_negation_turns_a_valence_until_punctuation() {
        assert!(hashes("bad").1.own[3] < 0.0);
        assert!(hashes("not bad").1.own[3] > 0.0);
        assert!(hashes("not, bad").1.own[3] < 0.0);
        assert!(hashes("it isn't bad").1.own[3] > 0.0);
        assert!(hashes("not so good but bad").1.own[3] < 0.0);
        assert!(hashes("very bad").1.own[3] < hashes("bad").1.own[3]);
    }
}
