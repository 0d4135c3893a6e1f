//! The phrases of texts of one language.

use std::collections::{HashMap, HashSet};

use super::rate::Ground;
use super::stem::stem;
use super::stop::{EVERYWHERE, words as stop_words};
use super::words::{Words, fold, hash};

/// The most words of a phrase that is looked for.
pub(super) const WORDS: usize = 3;

/// Up to three words by number; 0 after the last.
pub(super) type Gram = [u32; WORDS];

/// Where no phrase reaches across.
const APART: u32 = 0;

/// A word of a text, by its number, with its bytes.
#[derive(Clone, Copy)]
struct Token {
    word: u32,
    start: u32,
    end: u32,
}

/// Texts as numbered words.
pub(super) struct Corpus {
    tokens: Vec<Token>,
    /// Where each text's words end in `tokens`.
    ends: Vec<usize>,
    /// Of each word, whether a phrase may begin or end with it.
    edges: Vec<bool>,
    /// Of each text, how many words it has.
    pub(super) counts: Vec<u32>,
}

/// A phrase, with the texts that it is in, ascending.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) gram: Gram,
    pub(super) texts: Vec<u32>,
}

/// How many words a phrase has.
pub(super) fn length(gram: &Gram) -> usize {
    gram.iter().filter(|&&word| word != APART).count()
}

impl Corpus {
    /// Reads the texts of a language. Forms of a word have one number; words that say nothing keep their own.
    pub(super) fn read<'a>(texts: impl Iterator<Item = &'a str>, language: &str) -> Corpus {
        let stop = stop_words(language);
        let mut numbers: HashMap<(u64, bool), u32> = HashMap::new();
        let mut corpus = Corpus { tokens: Vec::new(), ends: Vec::new(), edges: vec![false], counts: Vec::new() };
        let mut folded = String::new();
        for text in texts {
            let mut count = 0;
            for word in Words::of(text) {
                if word.apart {
                    corpus.tokens.push(Token { word: APART, start: 0, end: 0 });
                }
                fold(word.text, &mut folded);
                let empty = stop.as_ref().is_some_and(|stop| stop.contains(&hash(&folded)));
                // Numbers name an order or a date, single letters nothing.
                let edge = !empty && folded.chars().any(char::is_alphabetic) && folded.chars().nth(1).is_some();
                if !empty {
                    stem(&mut folded, language);
                }
                let number = *numbers.entry((hash(&folded), empty)).or_insert_with(|| {
                    corpus.edges.push(edge);
                    corpus.edges.len() as u32 - 1
                });
                let end = word.start + word.text.len();
                // What lies beyond four gigabytes is counted, and told as nothing.
                let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                corpus.tokens.push(Token { word: number, start: place(word.start), end: place(end) });
                count += 1;
            }
            corpus.ends.push(corpus.tokens.len());
            corpus.counts.push(count);
        }
        if stop.is_none() {
            corpus.leave_out_what_is_everywhere();
        }
        corpus
    }

    fn leave_out_what_is_everywhere(&mut self) {
        let mut texts = vec![0_usize; self.edges.len()];
        let mut seen = HashSet::new();
        for text in 0..self.ends.len() {
            seen.clear();
            for token in self.tokens_of(text) {
                if seen.insert(token.word) {
                    texts[token.word as usize] += 1;
                }
            }
        }
        for (edge, texts) in self.edges.iter_mut().zip(texts) {
            *edge &= texts as f64 <= EVERYWHERE * self.ends.len() as f64;
        }
    }

    fn tokens_of(&self, text: usize) -> &[Token] {
        let start = text.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.tokens[start..self.ends[text]]
    }

    /// Visits the phrases of a text whose words all pass, with their first and last word.
    fn visit(&self, text: usize, passes: impl Fn(u32) -> bool, mut each: impl FnMut(Gram, &Token, &Token)) {
        let tokens = self.tokens_of(text);
        for (at, first) in tokens.iter().enumerate() {
            if !self.edges[first.word as usize] {
                continue;
            }
            let mut gram = [APART; WORDS];
            for (place, last) in tokens[at..].iter().take(WORDS).enumerate() {
                if last.word == APART || !passes(last.word) {
                    break;
                }
                gram[place] = last.word;
                if self.edges[last.word as usize] {
                    each(gram, first, last);
                }
            }
        }
    }

    /// The phrases that at least this many accounts use, in order of their words' numbers; the texts of an
    /// account stand together. No phrase is used by more accounts than its words are (Agrawal and Srikant 1994), so
    /// words are counted first. Of phrases that are in the same texts only the longest is told.
    pub(super) fn phrases(&self, ground: &Ground, least_accounts: usize) -> Vec<Found> {
        let mut words = vec![Seen::default(); self.edges.len()];
        for text in 0..self.ends.len() {
            for token in self.tokens_of(text) {
                words[token.word as usize].by(ground.voice[text].0);
            }
        }
        let frequent = |word: u32| words[word as usize].accounts as usize >= least_accounts;
        let mut seen: HashMap<Gram, Seen> = HashMap::new();
        for text in 0..self.ends.len() {
            self.visit(text, frequent, |gram, _, _| seen.entry(gram).or_default().by(ground.voice[text].0));
        }
        let mut found: HashMap<Gram, Vec<u32>> = seen
            .into_iter()
            .filter(|(_, seen)| seen.accounts as usize >= least_accounts)
            .map(|(gram, _)| (gram, Vec::new()))
            .collect();
        for text in 0..self.ends.len() {
            self.visit(text, frequent, |gram, _, _| {
                if let Some(texts) = found.get_mut(&gram).filter(|texts| texts.last() != Some(&(text as u32))) {
                    texts.push(text as u32);
                }
            });
        }
        let mut found: Vec<Found> = found.into_iter().map(|(gram, texts)| Found { gram, texts }).collect();
        found.sort_unstable_by(|one, other| {
            one.texts
                .cmp(&other.texts)
                .then(length(&other.gram).cmp(&length(&one.gram)))
                .then(one.gram.cmp(&other.gram))
        });
        found.dedup_by(|one, kept| one.texts == kept.texts);
        found.sort_unstable_by_key(|found| found.gram);
        found
    }

    /// A phrase as it is most often written in these texts, in lower case.
    pub(super) fn written<'a>(&self, gram: &Gram, texts: impl Iterator<Item = (usize, &'a str)>) -> String {
        let mut forms: HashMap<String, usize> = HashMap::new();
        for (at, text) in texts {
            self.visit(
                at,
                |_| true,
                |other, first, last| {
                    if other == *gram {
                        let form = text.get(first.start as usize..last.end as usize).unwrap_or_default().to_lowercase();
                        let form = form.split_whitespace().collect::<Vec<_>>().join(" ");
                        *forms.entry(form).or_default() += 1;
                    }
                },
            );
        }
        let most = forms.into_iter().max_by(|one, other| one.1.cmp(&other.1).then_with(|| other.0.cmp(&one.0)));
        most.map(|(form, _)| form).unwrap_or_default()
    }
}

/// By how many accounts a thing is used; accounts are met one after the other.
#[derive(Clone, Copy)]
struct Seen {
    last: u32,
    accounts: u32,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { last: u32::MAX, accounts: 0 }
    }
}

impl Seen {
    fn by(&mut self, account: u32) {
        self.accounts += u32::from(self.last != account);
        self.last = account;
    }
}
