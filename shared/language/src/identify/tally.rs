//! What the words of a text add up to.

use super::table::{LANES, Sum, Table};
use super::words::{WORD_GRAMS, Word};

/// Fewest words of a block.
const BLOCK_WORDS: u32 = 4;
/// A block has at least this part of the bytes of the text.
const BLOCK_PARTS: usize = 12;

/// The rows of some words, added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tally {
    /// Sum of the rows of the n-grams, by class.
    pub(super) sums: [i32; LANES],
    /// How many n-grams.
    pub(super) grams: u32,
    /// How many words.
    pub(super) words: u32,
    pub(super) letters: usize,
}

impl Tally {
    pub(super) const NONE: Self = Self { sums: [0; LANES], grams: 0, words: 0, letters: 0 };

    /// What is left without a part.
    pub(super) fn without(mut self, part: &Self) -> Self {
        for (total, sum) in self.sums.iter_mut().zip(part.sums) {
            *total -= sum;
        }
        self.grams -= part.grams;
        self.words -= part.words;
        self.letters -= part.letters;
        self
    }

    /// Adds what another adds up to.
    pub(super) fn join(&mut self, other: &Self) {
        for (total, sum) in self.sums.iter_mut().zip(other.sums) {
            *total += sum;
        }
        self.grams += other.grams;
        self.words += other.words;
        self.letters += other.letters;
    }
}

/// The words of a text in consecutive blocks.
pub(super) struct Blocks {
    blocks: [Tally; BLOCK_PARTS + 1],
    len: usize,
    least: usize,
    open: Tally,
    /// Of the open block, what its sums do not have yet.
    pending: Sum,
}

impl Blocks {
    /// No block yet, of a text of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            blocks: [Tally::NONE; BLOCK_PARTS + 1],
            len: 0,
            least: bytes / BLOCK_PARTS,
            open: Tally::NONE,
            pending: Sum::default(),
        }
    }

    /// Adds a word to the last block.
    #[inline]
    pub(super) fn add(&mut self, table: &Table, word: &Word) {
        let mut places = [0; WORD_GRAMS];
        let mut grams = 0;
        word.hashes(|hash| {
            places[grams] = table.place(hash);
            grams += 1;
        });
        if !self.pending.has_room(grams) {
            self.pending.move_to(&mut self.open.sums);
        }
        // A copy of its own stays in registers.
        let mut sum = self.pending;
        for place in &places[..grams] {
            sum.add(&table.rows[*place as usize]);
        }
        self.pending = sum;
        self.open.grams += grams as u32;
        self.open.words += 1;
        self.open.letters += word.letters().len();
        if self.open.words >= BLOCK_WORDS && self.open.letters > self.least && self.len < self.blocks.len() {
            self.pending.move_to(&mut self.open.sums);
            self.blocks[self.len] = self.open;
            self.len += 1;
            self.open = Tally::NONE;
        }
    }

    /// The blocks that are full.
    pub(super) fn all(&self) -> &[Tally] {
        &self.blocks[..self.len]
    }

    /// All words.
    pub(super) fn total(&mut self) -> Tally {
        self.pending.move_to(&mut self.open.sums);
        let mut total = self.open;
        self.all().iter().for_each(|block| total.join(block));
        total
    }
}
