//! What is looked for in a language, as its file in `rules/` says.

use std::sync::LazyLock;

use crate::{Language, SpanKind, Stance};

use super::words::{Word, folded};

/// The rules of one language.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// What a text is searched for, in the order of the file.
    pub(super) searched: Vec<Rule>,
    /// What tells how a writer stands to a rival; the anchor of each is [`Element::Name`].
    pub(super) stances: Vec<Rule>,
    /// The rules of `searched` by a whole word of theirs, and by the head of a stem.
    pub(super) exact: Index,
    pub(super) stems: Index,
    /// Words that begin a clause.
    pub(super) clauses: WordSet,
    /// Words that go on with the clause after a comma.
    pub(super) continues: WordSet,
    /// Words that begin a clause when one of `subjects` follows.
    pub(super) joins: WordSet,
    pub(super) subjects: WordSet,
    /// What may follow a name as part of the same word: an ending, a link, or a link and an ending.
    pub(super) links: Vec<String>,
    pub(super) endings: Vec<String>,
}

impl Rules {
    /// The rules of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        static RULES: LazyLock<[Rules; 4]> = LazyLock::new(|| Language::ALL.map(read));
        &RULES[language as usize]
    }
}

/// The text of a language's file.
pub(super) const fn text(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("rules/en.txt"),
        Language::Hungarian => include_str!("rules/hu.txt"),
        Language::Dutch => include_str!("rules/nl.txt"),
        Language::Portuguese => include_str!("rules/pt.txt"),
    }
}

/// The files come with the crate and a test reads each; whatever one gets wrong is left out.
fn read(language: Language) -> Rules {
    super::parse::parse(text(language)).0
}

/// What a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A phrase that means something else than its words.
    Ignored,
    /// A place in the text.
    Place(SpanKind),
    /// How the writer stands to the rival that is named.
    Stance(Stance),
}

/// A sequence of words to find.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) finding: Finding,
    pub(super) elements: Vec<Element>,
    /// The element that is searched for, the rest being matched around it.
    pub(super) anchor: usize,
    pub(super) exceptions: Vec<Exception>,
    /// Whether the place starts with the clause, rather than with the first word that was matched.
    pub(super) whole_clause: bool,
}

/// What a rule expects next.
#[derive(Clone, Debug)]
pub(super) enum Element {
    /// One of these words.
    Word(WordSet),
    /// One of these words, or nothing.
    Optional(WordSet),
    /// Anything but one of these words; takes no word.
    Not(WordSet),
    /// Up to so many words of the same clause.
    Gap(usize),
    /// Perhaps a comma.
    Comma,
    /// The beginning or the end of a clause.
    Border,
    /// The rival's name, with one of these endings if there are any.
    Name(Vec<String>),
}

/// Where a rule does not hold.
#[derive(Clone, Debug)]
pub(super) enum Exception {
    /// In a question.
    Question,
    /// Out of a question.
    NoQuestion,
    /// With one of these words shortly before it, in the clause.
    Before(WordSet),
    /// With one of these words shortly after it, in the clause.
    After(WordSet),
    /// With one of these words in the clause.
    Clause(WordSet),
    /// With one of these words in the sentence.
    Sentence(WordSet),
}

/// Words and stems, compared without case and accents.
#[derive(Clone, Debug, Default)]
pub(super) struct WordSet {
    /// The hashes of whole words, ascending.
    pub(super) words: Vec<u64>,
    /// A bit for the top bits of each of these hashes.
    bits: [u64; 4],
    /// The folded beginnings of words, each with the hash of its head if it has enough letters, else 0.
    pub(super) stems: Vec<(u64, String)>,
}

impl WordSet {
    /// Whether the word of the text is among them.
    #[inline]
    pub(super) fn holds(&self, word: &Word, text: &str) -> bool {
        let (at, bit) = Self::bit(word.hash);
        if self.bits[at] & bit != 0 && self.words.binary_search(&word.hash).is_ok() {
            return true;
        }
        let starts = |(head, stem): &(u64, String)| {
            if *head != 0 && *head != word.head {
                return false;
            }
            let mut letters = folded(&text[word.start..word.end]);
            stem.chars().all(|letter| letters.next() == Some(letter))
        };
        self.stems.iter().any(starts)
    }
}

impl WordSet {
    pub(super) fn new(words: Vec<u64>, stems: Vec<(u64, String)>) -> Self {
        let mut set = Self::default();
        set.add(Self { words, stems, bits: [0; 4] });
        set
    }

    /// Takes in the words of another.
    pub(super) fn add(&mut self, other: Self) {
        for (at, bit) in other.words.iter().copied().map(Self::bit) {
            self.bits[at] |= bit;
        }
        self.words.extend(other.words);
        self.words.sort_unstable();
        self.words.dedup();
        self.stems.extend(other.stems);
    }

    #[inline]
    fn bit(hash: u64) -> (usize, u64) {
        let top = spread(hash) >> 56;
        ((top >> 6) as usize, 1 << (top & 63))
    }
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): hashes of short words differ in few bits.
#[inline]
const fn spread(hash: u64) -> u64 {
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Which rules to try at a word, by its hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A bit for the top bits of each hash, so that most words cost one look.
    bits: Vec<u64>,
    /// Hashes and rules, ascending.
    entries: Vec<(u64, usize)>,
}

impl Index {
    /// The logarithm of how many bits there are.
    const SIZE: u32 = 14;

    pub(super) fn new(mut entries: Vec<(u64, usize)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let mut bits = vec![0; if entries.is_empty() { 0 } else { 1 << (Self::SIZE - 6) }];
        for (hash, _) in &entries {
            let (at, bit) = Self::bit(*hash);
            bits[at] |= bit;
        }
        Self { bits, entries }
    }

    fn bit(hash: u64) -> (usize, u64) {
        let top = spread(hash) >> (64 - Self::SIZE);
        ((top >> 6) as usize, 1 << (top & 63))
    }

    /// Whether anything may have been entered under this hash.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let (at, bit) = Self::bit(hash);
        self.bits.get(at).is_some_and(|bits| bits & bit != 0)
    }

    /// What was entered under this hash.
    pub(super) fn get(&self, hash: u64) -> impl Iterator<Item = usize> {
        let start = match self.may_have(hash) {
            true => self.entries.partition_point(|entry| entry.0 < hash),
            false => self.entries.len(),
        };
        self.entries[start..].iter().take_while(move |entry| entry.0 == hash).map(|entry| entry.1)
    }
}

/// Whether words can be searched for by these: stems must not be shorter than what is hashed of a word's head.
pub(super) fn searchable(words: &WordSet) -> bool {
    words.stems.iter().all(|(head, _)| *head != 0)
}
