//! How a model lies in bytes, and how it is read so that no bytes whatever can do harm.
//!
//! A mark of eight bytes, then sections: a tag of four letters, the length as four bytes, the content. The last eight
//! bytes are a checksum of all before. All numbers are little-endian.

use std::{error, fmt};

use crate::hash;

/// What a model's bytes begin with; the last byte is the version of the layout.
pub(crate) const MARK: [u8; 8] = *b"RAPPLM\0\x01";

/// Why bytes are no model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// They do not begin as a model of this version does.
    Mark,
    /// They were cut off or changed: the checksum differs.
    Damaged,
    /// A section is absent.
    Missing(&'static str),
    /// A section's content has another length or other values than it may.
    Content(&'static str),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark => write!(f, "it does not begin as a model of this version does"),
            Self::Damaged => write!(f, "it was cut off or changed: the checksum differs"),
            Self::Missing(section) => write!(f, "its section `{section}` is absent"),
            Self::Content(section) => write!(f, "its section `{section}` has other content than it may"),
        }
    }
}

impl error::Error for ModelError {}

/// Writes the sections of a model.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self(MARK.to_vec())
    }

    /// Adds a section; one is shorter than 4 GB.
    pub(crate) fn section(&mut self, tag: &[u8; 4], content: &[u8]) {
        self.0.extend(tag);
        self.0.extend((content.len() as u32).to_le_bytes());
        self.0.extend(content);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let checksum = hash::checksum(&self.0);
        self.0.extend(checksum.to_le_bytes());
        self.0
    }
}

/// The sections of a model whose checksum is right.
pub(crate) struct Sections<'b> {
    content: &'b [u8],
    /// The checksum.
    pub(crate) checksum: u64,
}

impl<'b> Sections<'b> {
    pub(crate) fn of(bytes: &'b [u8]) -> Result<Self, ModelError> {
        if !bytes.starts_with(&MARK) {
            return Err(ModelError::Mark);
        }
        let (content, checksum) = bytes.split_last_chunk::<8>().ok_or(ModelError::Damaged)?;
        let checksum = u64::from_le_bytes(*checksum);
        if content.len() < MARK.len() || hash::checksum(content) != checksum {
            return Err(ModelError::Damaged);
        }
        Ok(Self { content: &content[MARK.len()..], checksum })
    }

    /// Where in the sections' bytes the section with this tag lies.
    pub(crate) fn get(&self, tag: &'static str) -> Result<&'b [u8], ModelError> {
        let mut rest = self.content;
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, length @ ..] = *head;
            let content = after.get(..u32::from_le_bytes(length) as usize).ok_or(ModelError::Damaged)?;
            if [a, b, c, d] == *tag.as_bytes() {
                return Ok(content);
            }
            rest = &after[content.len()..];
        }
        Err(ModelError::Missing(tag))
    }
}

/// Reads finite numbers, all that there are.
pub(crate) fn floats(bytes: &[u8], tag: &'static str) -> Result<Vec<f32>, ModelError> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    let floats: Vec<f32> = chunks.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
    // Weights are small; what is greater would overflow the sums.
    if rest.is_empty() && floats.iter().all(|float| float.abs() <= 1e6) {
        Ok(floats)
    } else {
        Err(ModelError::Content(tag))
    }
}

/// Writes numbers.
pub(crate) fn float_bytes<'f>(floats: impl IntoIterator<Item = &'f f32>) -> Vec<u8> {
    floats.into_iter().flat_map(|float| float.to_le_bytes()).collect()
}
