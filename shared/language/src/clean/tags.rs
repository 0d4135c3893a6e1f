//! Tags of HTML. What only looks like one is not taken for one.

/// What becomes of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It goes with everything up to its closing tag.
    Hidden,
    /// It goes with everything up to its closing tag, tags of its name inside it counted.
    Quote,
    /// It becomes a line break.
    Block,
    /// It becomes a blank.
    Cell,
    /// It goes.
    Inline,
}

/// Elements whose contents nobody reads.
const HIDDEN: [&str; 8] = ["head", "math", "object", "script", "style", "svg", "template", "title"];
const BLOCK: [&str; 37] = [
    "address",
    "article",
    "aside",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
    "option",
];
const CELL: [&str; 2] = ["td", "th"];
const INLINE: [&str; 47] = [
    "a", "abbr", "area", "b", "base", "big", "button", "cite", "code", "col", "colgroup", "del", "dfn", "em", "font",
    "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "map", "mark", "meta", "noscript", "param",
    "picture", "q", "s", "samp", "select", "small", "source", "span", "strike", "strong", "sub", "sup", "tbody",
    "tfoot", "thead", "time", "tt", "u", "wbr",
];
/// Name spaces of Office.
const OFFICE: [&str; 5] = ["m:", "o:", "st1:", "v:", "w:"];
/// Longest name, in bytes.
const LONGEST: usize = 16;

/// A tag at the begin of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    pub(super) kind: Kind,
    /// As it is written.
    pub(super) name: &'t str,
    pub(super) is_closing: bool,
    /// Its bytes, with both brackets.
    pub(super) len: usize,
}

fn kind(name: &str) -> Option<Kind> {
    let is_in = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    match () {
        () if is_in(&INLINE) => Some(Kind::Inline),
        () if is_in(&BLOCK) => Some(Kind::Block),
        () if is_in(&CELL) => Some(Kind::Cell),
        () if is_in(&HIDDEN) => Some(Kind::Hidden),
        () if name.eq_ignore_ascii_case("blockquote") => Some(Kind::Quote),
        () => OFFICE
            .iter()
            .any(|space| name.get(..space.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(space)))
            .then_some(Kind::Inline),
    }
}

/// Reads the tag at the begin of a text that begins with `<`. It looks no further than the next `<`.
pub(super) fn read(text: &str) -> Option<Tag<'_>> {
    let bytes = text.as_bytes();
    let declares = match bytes.get(1)? {
        b'!' => bytes.get(2).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'['),
        b'?' => bytes.get(2).is_some_and(u8::is_ascii_alphabetic),
        _ => false,
    };
    if declares {
        return end(bytes, 2).map(|len| Tag { kind: Kind::Inline, name: "", is_closing: false, len });
    }
    let is_closing = bytes[1] == b'/';
    let start = 1 + usize::from(is_closing);
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b':';
    let len = bytes[start..].iter().take(LONGEST + 1).take_while(is_name).count();
    let name = text.get(start..start + len).filter(|_| (1..=LONGEST).contains(&len))?;
    let kind = kind(name)?;
    match bytes.get(start + len)? {
        b'>' | b'/' => {}
        byte if byte.is_ascii_whitespace() => {}
        _ => return None,
    }
    end(bytes, start + len).map(|len| Tag { kind, name, is_closing, len })
}

/// Where the tag ends: at the first `>` that is not in a quoted value, or else at the first.
fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let limit = memchr::memchr(b'<', &bytes[from..]).map_or(bytes.len(), |at| from + at);
    let body = &bytes[..limit];
    let first = memchr::memchr(b'>', &body[from..]).map(|at| from + at + 1)?;
    let mut quote = None;
    for at in from..body.len() {
        match (quote, body[at]) {
            (None, b'>') => return Some(at + 1),
            (None, byte @ (b'"' | b'\'')) if body[at - 1] == b'=' => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::{Kind, read};

    #[test]
    fn tags_are_told_from_prose() {
        let kind = |text| read(text).map(|tag| (tag.kind, tag.len));
        assert_eq!(kind("<p>"), Some((Kind::Block, 3)));
        assert_eq!(kind("</DIV >x"), Some((Kind::Block, 7)));
        assert_eq!(kind("<a href=\"x>y\">z"), Some((Kind::Inline, 14)));
        assert_eq!(kind("<a href=\"x>y z"), Some((Kind::Inline, 11)));
        assert_eq!(kind("<br/>"), Some((Kind::Block, 5)));
        assert_eq!(kind("<o:p>"), Some((Kind::Inline, 5)));
        assert_eq!(kind("<!DOCTYPE html>"), Some((Kind::Inline, 15)));
        for prose in
            ["<3", "< b", "<", "</", "<ann@example.com>", "<http://a.example>", "<b", "<b <i>", "<name>", "<é>", "<!>"]
        {
            assert_eq!(kind(prose), None, "{prose}");
        }
    }
}
