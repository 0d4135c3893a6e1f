//! Where the bytes of a clean text come from.

use std::ops::Range;

/// A piece of a clean text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the clean text; it ends where the next one begins.
    at: usize,
    /// The bytes of the original that it comes from.
    from: Range<usize>,
    /// Whether it is the same there, byte by byte.
    is_verbatim: bool,
}

/// The pieces of a clean text, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Map {
    pieces: Vec<Piece>,
    len: usize,
}

impl Map {
    /// The map of a text that is a part of the original.
    pub(super) fn verbatim(range: Range<usize>) -> Self {
        let mut map = Self::default();
        map.push_verbatim(range);
        map
    }

    /// Adds a piece that is the same in the original.
    pub(super) fn push_verbatim(&mut self, from: Range<usize>) {
        let len = from.len();
        match self.pieces.last_mut() {
            _ if len == 0 => return,
            Some(last) if last.is_verbatim && last.from.end == from.start => last.from.end = from.end,
            _ => self.pieces.push(Piece { at: self.len, from, is_verbatim: true }),
        }
        self.len += len;
    }

    /// Adds a piece of `len` bytes that stands for other bytes of the original.
    pub(super) fn push_instead(&mut self, len: usize, from: Range<usize>) {
        if len > 0 {
            self.pieces.push(Piece { at: self.len, from, is_verbatim: false });
            self.len += len;
        }
    }

    fn end(&self, piece: usize) -> usize {
        self.pieces.get(piece + 1).map_or(self.len, |next| next.at)
    }

    /// The map of the parts of the clean text that are kept; they do not overlap and are in their order.
    pub(super) fn kept(&self, ranges: &[Range<usize>]) -> Self {
        let mut kept = Self::default();
        let mut piece = 0;
        for range in ranges {
            let mut start = range.start;
            while start < range.end && piece < self.pieces.len() {
                let end = self.end(piece);
                if end <= start {
                    piece += 1;
                    continue;
                }
                let part = start..end.min(range.end);
                start = part.end;
                let Piece { at, from, is_verbatim } = &self.pieces[piece];
                match is_verbatim {
                    true => kept.push_verbatim(from.start + part.start - at..from.start + part.end - at),
                    false => kept.push_instead(part.len(), from.clone()),
                }
            }
        }
        kept
    }

    /// The bytes of the original that these bytes of the clean text come from.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start).map_or(0, |(piece, inside)| match piece.is_verbatim {
            true => piece.from.start + inside,
            false => piece.from.start,
        });
        let Some(last) = range.end.checked_sub(1).filter(|_| !range.is_empty()) else { return start..start };
        let end = self.place(last).map_or(0, |(piece, inside)| match piece.is_verbatim {
            true => piece.from.start + inside + 1,
            false => piece.from.end,
        });
        start..end.max(start)
    }

    /// The piece of a byte, and the byte's place in it.
    fn place(&self, at: usize) -> Option<(&Piece, usize)> {
        let after = self.pieces.partition_point(|piece| piece.at <= at);
        self.pieces[..after].last().map(|piece| (piece, at - piece.at))
    }
}

#[cfg(test)]
mod tests {
    use super::Map;

    #[test]
    fn a_place_is_found_in_the_original() {
        // "a&amp;b" is "a&b".
        let mut map = Map::verbatim(0..1);
        map.push_instead(1, 1..6);
        map.push_verbatim(6..7);
        assert_eq!(map.original(0..3), 0..7);
        assert_eq!(map.original(1..2), 1..6);
        assert_eq!(map.original(2..3), 6..7);
        assert_eq!(map.original(1..1), 1..1);
        assert_eq!(map.original(3..3), 7..7);
    }

    #[test]
    fn a_part_of_a_map_finds_the_same_places() {
        let mut map = Map::verbatim(0..4);
        map.push_instead(1, 4..9);
        map.push_verbatim(9..20);
        let kept = map.kept(&[1..3, 4..6, 10..12]);
        assert_eq!(kept.original(0..2), 1..3);
        assert_eq!(kept.original(2..3), 4..9);
        assert_eq!(kept.original(3..4), 9..10);
        assert_eq!(kept.original(4..6), 14..16);
    }
}
