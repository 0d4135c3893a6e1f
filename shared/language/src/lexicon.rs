//! Word lists: how pleasant a word is, by several lists at once.

/// How many lists a language may have. The last holds emoji and emoticons.
pub(crate) const LISTS: usize = 5;

/// The list of emoji and emoticons.
pub(crate) const EMOJI: usize = LISTS - 1;

/// One step of a valence; valences are from -1 to 1, of some lists to 1.25.
const STEP: f32 = 1.0 / 100.0;

/// The valence of each word by each list, in hundredths; 0 where a list has none.
pub(crate) type Valences = [i8; LISTS];

/// Rounds a valence to hundredths.
pub(crate) fn hundredths(valence: f32) -> i8 {
    (valence / STEP).round().clamp(-127.0, 127.0) as i8
}

/// Returns the valence that hundredths stand for.
pub(crate) fn valence(hundredths: i8) -> f32 {
    f32::from(hundredths) * STEP
}

/// The words of one language: an open table that is found in by a word's hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lexicon {
    slots: Vec<Slot>,
    /// A bit for some bits of each key: small enough to stay at hand, so that most other words are told without a look
    /// at the table.
    may_have: Vec<u64>,
}

/// So many bits of a key choose its bit.
const FILTER_BITS: u32 = 17;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The upper half of the word's hash, with its lowest bit set; 0 where there is no word.
    key: u32,
    valences: Valences,
}

fn key(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}

impl Lexicon {
    /// Collects entries; of equal keys the last one stays.
    pub(crate) fn of(entries: impl ExactSizeIterator<Item = (u32, Valences)>) -> Self {
        let size = (entries.len() * 2 + 1).next_power_of_two();
        let mut lexicon = Self { slots: vec![Slot::default(); size], may_have: vec![0; 1 << (FILTER_BITS - 6)] };
        for (key, valences) in entries {
            let bit = key >> (32 - FILTER_BITS);
            lexicon.may_have[bit as usize / 64] |= 1 << (bit % 64);
            let at = lexicon.find(key | 1);
            lexicon.slots[at] = Slot { key: key | 1, valences };
        }
        lexicon
    }

    /// The key that stands for a word.
    pub(crate) fn key_of(hash: u64) -> u32 {
        key(hash)
    }

    /// The place of a key, or the free one where it would be. At least half of the places are free.
    fn find(&self, key: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = key as usize >> 1 & mask;
        while self.slots[at].key != key && self.slots[at].key != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// Returns the valences of the word with this hash.
    #[inline]
    pub(crate) fn get(&self, hash: u64) -> Option<Valences> {
        let bit = hash >> (64 - FILTER_BITS);
        if self.may_have.get(bit as usize / 64).is_none_or(|bits| bits >> (bit % 64) & 1 == 0) {
            return None;
        }
        let slot = self.slots[self.find(key(hash))];
        (slot.key != 0).then_some(slot.valences)
    }

    /// The entries in ascending order of their keys.
    pub(crate) fn entries(&self) -> Vec<(u32, Valences)> {
        let mut entries: Vec<_> =
            self.slots.iter().filter(|slot| slot.key != 0).map(|slot| (slot.key, slot.valences)).collect();
        entries.sort_by_key(|&(key, _)| key);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    #[test]
    fn words_are_found_and_others_are_not() {
        let words: Vec<Vec<char>> = (0..500).map(|at: u32| format!("w{at}").chars().collect()).collect();
        let entries: Vec<_> =
            (0_i8..100).cycle().zip(&words).map(|(at, word)| (key(hash::word(word)), [at; LISTS])).collect();
        let lexicon = Lexicon::of(entries.into_iter());
        assert_eq!(lexicon.entries().len(), 500);
        for (at, word) in (0_i8..100).cycle().zip(&words) {
            assert_eq!(lexicon.get(hash::word(word)), Some([at; LISTS]));
        }
        assert_eq!(lexicon.get(hash::word(&['x'])), None);
        assert_eq!(Lexicon::of([].into_iter()).get(hash::WORD), None);
    }
}
