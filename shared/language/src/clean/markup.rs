//! Takes markup out of a text.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use super::entities;
use super::map::Map;
use super::tags::{self, Kind, Tag};

/// The text without tags and with its entities resolved, and where it comes from.
pub(super) fn plain(text: &str) -> (Cow<'_, str>, Map) {
    let mut reader = Reader { text, plain: String::new(), map: Map::default(), done: 0, unclosed: Vec::new() };
    let mut at = 0;
    while let Some(next) = memchr2(b'<', b'&', &text.as_bytes()[at..]).map(|offset| at + offset) {
        at = reader.read(next);
    }
    if reader.done == 0 {
        return (Cow::Borrowed(text), Map::verbatim(0..text.len()));
    }
    reader.take(text.len());
    (Cow::Owned(reader.plain), reader.map)
}

struct Reader<'t> {
    text: &'t str,
    plain: String,
    map: Map,
    /// The bytes of the text that are done with.
    done: usize,
    /// What no closing follows for, so that it is searched for only once.
    unclosed: Vec<&'t str>,
}

impl<'t> Reader<'t> {
    /// Reads what may be markup; answers where to go on.
    fn read(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        if rest.starts_with('&') {
            return match entities::read(rest) {
                Some((len, letter)) => self.replace(at, at + len, letter.encode_utf8(&mut [0; 4])),
                None => at + 1,
            };
        }
        if rest.starts_with("<!--") {
            return match self.closing("-->", at + 4, |text| memmem::find(text.as_bytes(), b"-->").map(|end| end + 3)) {
                Some(end) => self.replace(at, end, ""),
                None => at + 1,
            };
        }
        let Some(tag) = tags::read(rest) else { return at + 1 };
        let after = at + tag.len;
        let end = match tag.kind {
            Kind::Hidden | Kind::Quote if !tag.is_closing => {
                self.closing(tag.name, after, |text| past_closing(text, &tag)).unwrap_or(after)
            }
            _ => after,
        };
        match tag.kind {
            Kind::Inline => self.replace(at, end, ""),
            Kind::Cell => self.replace(at, end, " "),
            Kind::Hidden | Kind::Quote | Kind::Block => self.replace(at, end, "\n"),
        }
    }

    /// Where the closing ends that `find` finds, unless it is known that none follows.
    fn closing(&mut self, name: &'t str, from: usize, find: impl Fn(&str) -> Option<usize>) -> Option<usize> {
        if self.unclosed.iter().any(|unclosed| unclosed.eq_ignore_ascii_case(name)) {
            return None;
        }
        let found = find(&self.text[from..]);
        if found.is_none() {
            self.unclosed.push(name);
        }
        found.map(|end| from + end)
    }

    /// Takes the bytes before `end` as they are.
    fn take(&mut self, end: usize) {
        self.plain.push_str(&self.text[self.done..end]);
        self.map.push_verbatim(self.done..end);
        self.done = end;
    }

    /// Takes the bytes before `start` as they are, and others for those before `end`; answers `end`.
    fn replace(&mut self, start: usize, end: usize, by: &str) -> usize {
        self.take(start);
        let is_repeated = match by {
            "\n" => self.plain.is_empty() || self.plain.ends_with('\n'),
            " " => self.plain.ends_with(char::is_whitespace),
            _ => false,
        };
        if !is_repeated {
            self.plain.push_str(by);
            self.map.push_instead(by.len(), start..end);
        }
        self.done = end;
        end
    }
}

/// Where the closing tag of an element ends, in the text after its opening tag.
fn past_closing(text: &str, opening: &Tag<'_>) -> Option<usize> {
    let mut depth = 1;
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'<', &text.as_bytes()[at..]).map(|offset| at + offset) {
        at = next + 1;
        let is_closing = text[at..].starts_with('/');
        let name = &text[at + usize::from(is_closing)..];
        let begin = name.get(..opening.name.len()).filter(|begin| begin.eq_ignore_ascii_case(opening.name));
        if begin.is_none() || name[opening.name.len()..].starts_with(char::is_alphanumeric) {
            continue;
        }
        match is_closing {
            true => depth -= 1,
            false if opening.kind == Kind::Quote => depth += 1,
            false => {}
        }
        if depth == 0 {
            let end = memchr2(b'>', b'<', &text.as_bytes()[at..]).map_or(text.len(), |offset| at + offset);
            return Some(if text[end..].starts_with('>') { end + 1 } else { end });
        }
    }
    None
}
