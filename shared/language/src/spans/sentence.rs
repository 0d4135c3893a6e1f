//! A sentence: the stretch of a text in which rules are applied.

use super::rules::Rules;
use super::words::{Apart, Word, Words};

/// The most words of a sentence; a longer one is cut, so that work stays linear in the text.
const LONGEST: usize = 128;

/// The sentences of a text, one at a time, in one buffer.
pub(super) struct Sentences<'a> {
    words: Words<'a>,
    /// The first word of the next sentence.
    next: Option<Word>,
    sentence: Sentence<'a>,
}

/// Words up to the end of a sentence.
pub(super) struct Sentence<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// The words.
    pub(super) words: Vec<Word>,
    /// Whether it ends in a question mark.
    pub(super) asks: bool,
    /// The rules of its language, which say where clauses begin.
    rules: Option<&'static Rules>,
    /// Of each word, whether it is part of a phrase that means something else; empty if there is none.
    ignored: Vec<bool>,
}

impl<'a> Sentences<'a> {
    pub(super) fn new(text: &'a str, rules: Option<&'static Rules>) -> Self {
        let mut words = Words::new(text);
        let next = words.next();
        let sentence =
            Sentence { text, words: Vec::with_capacity(LONGEST / 4), asks: false, rules, ignored: Vec::new() };
        Self { words, next, sentence }
    }

    /// The next sentence, as long as there is one.
    pub(super) fn advance(&mut self) -> Option<&mut Sentence<'a>> {
        let first = self.next.take()?;
        let sentence = &mut self.sentence;
        sentence.words.clear();
        sentence.ignored.clear();
        sentence.words.push(first);
        sentence.asks = loop {
            match self.words.next() {
                None => break self.words.gap().asks,
                Some(word) if word.gap.apart == Apart::Sentence || sentence.words.len() == LONGEST => {
                    self.next = Some(word);
                    break word.gap.asks;
                }
                Some(word) => sentence.words.push(word),
            }
        };
        Some(sentence)
    }
}

impl Sentence<'_> {
    /// Whether a clause begins or ends before the word with this number. It is asked of few words, so nothing is kept.
    pub(super) fn border(&self, at: usize) -> bool {
        let (Some(word), Some(rules)) = (self.words.get(at), self.rules) else {
            return true;
        };
        let joins = || {
            let next = self.words.get(at + 1).filter(|next| next.gap.apart == Apart::Space);
            rules.joins.holds(word, self.text) && next.is_some_and(|next| rules.subjects.holds(next, self.text))
        };
        at == 0
            || (word.gap.apart > Apart::Space && !rules.continues.holds(word, self.text))
            || (!word.accented && (rules.clauses.holds(word, self.text) || joins()))
    }

    /// Whether this word is part of a phrase that means something else.
    pub(super) fn ignored(&self, at: usize) -> bool {
        self.ignored.get(at).copied().unwrap_or(false)
    }

    /// Leaves these words out of account.
    pub(super) fn ignore(&mut self, start: usize, end: usize) {
        self.ignored.resize(self.words.len(), false);
        if let Some(words) = self.ignored.get_mut(start..end) {
            words.fill(true);
        }
    }

    /// How the word with this number is set apart from the one before it.
    pub(super) fn apart(&self, at: usize) -> Apart {
        self.words.get(at).map_or(Apart::Sentence, |word| word.gap.apart)
    }

    /// The first word of the clause that holds the word with this number, at most `most` words before it.
    pub(super) fn clause_start(&self, at: usize, most: usize) -> usize {
        let nearest = at.saturating_sub(most);
        (nearest..=at).rev().find(|border| self.border(*border)).unwrap_or(nearest)
    }

    /// The end of the clause that goes on before the word with this number, at most `most` words after it.
    pub(super) fn clause_end(&self, at: usize, most: usize) -> usize {
        let farthest = (at + most).min(self.words.len());
        (at..=farthest).find(|border| self.border(*border)).unwrap_or(farthest)
    }
}
