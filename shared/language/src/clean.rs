//! The writer's own words, without HTML, quoted replies, signatures and disclaimers.
//!
//! Two passes, each once over the text: markup is taken out and entities are resolved, then whole lines go. What is left
//! is known by the pieces of the original that it is made of, so that a place in it can be shown in the original. A text
//! without markup and line breaks is searched once for them and not copied.

mod disclaimers;
mod entities;
mod lines;
mod map;
mod markup;
mod phrases;
mod quotes;
mod signatures;
mod tags;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

use map::Map;

/// The most bytes of own words that are kept, cut at a border of characters.
pub const OWN_WORDS_LIMIT: usize = 16 * 1024;

/// The writer's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean<'t> {
    text: Cow<'t, str>,
    map: Map,
    original: &'t str,
    is_cut: bool,
}

impl Clean<'_> {
    /// The words, in plain text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there were more than [`OWN_WORDS_LIMIT`] bytes of them, and the rest was left out.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The bytes of the original that these bytes of the clean text come from. What ends inside a character, or outside
    /// of the text, is widened to its border or cut to the text; both ends are borders of characters in the original.
    /// An entity counts as a whole.
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        let end = self.text.ceil_char_boundary(range.end.min(self.text.len()));
        let start = self.text.floor_char_boundary(range.start.min(end));
        let found = self.map.original(start..end);
        self.original.floor_char_boundary(found.start)..self.original.ceil_char_boundary(found.end)
    }
}

/// Finds the writer's own words in a text. Takes time in proportion to its length, whatever is in it.
pub fn clean(text: &str) -> Clean<'_> {
    let bytes = text.as_bytes();
    let has_markup = memchr::memchr2(b'<', b'&', bytes).is_some();
    let has_lines = text.starts_with(['>', '\u{feff}']) || memchr::memchr(b'\n', bytes).is_some();
    if !has_markup && !has_lines {
        return whole(text, text);
    }
    let (plain, map) = match has_markup {
        true => markup::plain(text),
        false => (Cow::Borrowed(text), Map::verbatim(0..text.len())),
    };
    let mut kept = Kept::default();
    lines::own(&plain, &mut kept);
    let map = map.kept(&kept.ranges);
    let text_of = |plain: &str| kept.ranges.iter().map(|range| &plain[range.clone()]).collect::<String>();
    let own = match (plain, kept.ranges.as_slice()) {
        (_, []) => Cow::Borrowed(""),
        (Cow::Borrowed(plain), [only]) => Cow::Borrowed(&plain[only.clone()]),
        (plain, _) => Cow::Owned(text_of(&plain)),
    };
    Clean { text: own, map, original: text, is_cut: kept.is_full }
}

fn whole<'t>(text: &'t str, original: &'t str) -> Clean<'t> {
    let own = &text[..text.floor_char_boundary(OWN_WORDS_LIMIT)];
    let is_cut = own.len() < text.len();
    Clean { text: Cow::Borrowed(own), map: Map::verbatim(0..own.len()), original, is_cut }
}

/// The parts of a plain text that are kept, in their order, up to the limit.
#[derive(Debug, Default)]
struct Kept {
    ranges: Vec<Range<usize>>,
    bytes: usize,
    is_full: bool,
}

impl Kept {
    /// Keeps bytes after those kept before; answers whether there is room for more.
    fn push(&mut self, plain: &str, range: Range<usize>) -> bool {
        let room = OWN_WORDS_LIMIT - self.bytes;
        let end = plain.floor_char_boundary(range.end.min(range.start.saturating_add(room)));
        self.is_full |= end < range.end;
        if end > range.start {
            self.bytes += end - range.start;
            match self.ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = end,
                _ => self.ranges.push(range.start..end),
            }
        }
        !self.is_full
    }
}
