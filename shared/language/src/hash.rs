//! The one hash of all features: that of Firefox and rustc, a rotation, an exclusive or and a product for each
//! character. Cheap enough to be extended character by character, so that an n-gram costs one step more than the one it
//! begins with.

/// 2^64 over the golden ratio, odd.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Where the hash of a word, or of any other token, begins.
pub(crate) const WORD: u64 = 0x51_7C_C1_B7_27_22_0A_95;
/// Where the hash of an n-gram of characters begins.
pub(crate) const GRAM: u64 = 0x2545_F491_4F6C_DD1D;
/// What a word in reach of a negation is combined with.
pub(crate) const NEGATED: u64 = 0x6A09_E667_F3BC_C909;

/// Returns the hash of what `hash` stands for, followed by `next`.
#[inline(always)]
pub(crate) const fn extend(hash: u64, next: u64) -> u64 {
    (hash.rotate_left(5) ^ next).wrapping_mul(FACTOR)
}

/// Returns the hash of a whole word or another token.
pub(crate) fn word(characters: &[char]) -> u64 {
    characters.iter().fold(WORD, |hash, &character| extend(hash, character as u64))
}

/// Returns a checksum of bytes.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let hash = chunks.iter().fold(WORD, |hash, &chunk| extend(hash, u64::from_le_bytes(chunk)));
    let hash = rest.iter().fold(hash, |hash, &byte| extend(hash, u64::from(byte)));
    // The last product moves nothing down: fold the upper half over the lower.
    let hash = extend(hash, bytes.len() as u64);
    hash ^ hash >> 32
}
