//! Character references of HTML.

use crate::identify::joined;

/// Longest name or number, in bytes.
const LONGEST: usize = 8;

/// What the ends of names make of the letter before (HTML, named character references).
const MARKS: [(&str, char); 10] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circ", '\u{302}'),
    ("uml", '\u{308}'),
    ("tilde", '\u{303}'),
    ("cedil", '\u{327}'),
    ("ring", '\u{30a}'),
    ("caron", '\u{30c}'),
    ("dblac", '\u{30b}'),
    ("ogon", '\u{328}'),
];

/// Numbers 128 to 159, which mean Windows-1252 (HTML, numeric character reference end state); the others are kept.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads the reference at the begin of a text that begins with `&`: its length and its character. It must end in `;`.
pub(super) fn read(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let len = bytes.iter().skip(1).take(LONGEST + 2).position(|byte| *byte == b';')?;
    let name = text.get(1..=len)?;
    let letter = match name.strip_prefix('#') {
        Some(number) => numeric(number)?,
        None => named(name)?,
    };
    Some((len + 2, letter))
}

fn numeric(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16).ok()?,
        None if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok()?,
        _ => return None,
    };
    match code {
        0 => None,
        0xa0 => Some(' '),
        0x80..=0x9f => Some(WINDOWS[code as usize - 0x80]),
        _ => char::from_u32(code),
    }
}

fn named(name: &str) -> Option<char> {
    let common = match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" => '\u{ad}',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "lsquo" => '‘',
        "rsquo" => '’',
        "sbquo" => '‚',
        "ldquo" => '“',
        "rdquo" => '”',
        "bdquo" => '„',
        "laquo" => '«',
        "raquo" => '»',
        "lsaquo" => '‹',
        "rsaquo" => '›',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "pound" => '£',
        "cent" => '¢',
        "yen" => '¥',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "sect" => '§',
        "para" => '¶',
        "deg" => '°',
        "plusmn" => '±',
        "times" => '×',
        "divide" => '÷',
        "micro" => 'µ',
        "sup2" => '²',
        "sup3" => '³',
        "frac12" => '½',
        "frac14" => '¼',
        "frac34" => '¾',
        "iexcl" => '¡',
        "iquest" => '¿',
        "ordf" => 'ª',
        "ordm" => 'º',
        "szlig" => 'ß',
        "aelig" => 'æ',
        "AElig" => 'Æ',
        "oelig" => 'œ',
        "OElig" => 'Œ',
        "oslash" => 'ø',
        "Oslash" => 'Ø',
        "eth" => 'ð',
        "ETH" => 'Ð',
        "thorn" => 'þ',
        "THORN" => 'Þ',
        "hearts" => '♥',
        "rarr" => '→',
        "larr" => '←',
        _ => return marked(name),
    };
    Some(common)
}

fn marked(name: &str) -> Option<char> {
    let base = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let (_, mark) = MARKS.iter().find(|(end, _)| *end == &name[1..])?;
    let letter = joined(base.to_ascii_lowercase(), *mark)?;
    match base.is_ascii_uppercase() {
        true => letter.to_uppercase().next(),
        false => Some(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn references_are_resolved() {
        for (text, len, letter) in [
            ("&amp;x", 5, '&'),
            ("&eacute;", 8, 'é'),
            ("&Odblac;", 8, 'Ő'),
            ("&atilde;o", 8, 'ã'),
            ("&#8217;", 7, '’'),
            ("&#x1F600; ", 9, '😀'),
            ("&#146;", 6, '’'),
            ("&nbsp;", 6, ' '),
            ("&#160;", 6, ' '),
        ] {
            assert_eq!(read(text), Some((len, letter)), "{text}");
        }
    }

    #[test]
    fn broken_ones_are_none() {
        for text in [
            "&",
            "&;",
            "&amp",
            "& ;",
            "&é;",
            "&#;",
            "&#x;",
            "&#0;",
            "&#xd800;",
            "&#99999999;",
            "&#+5;",
            "&bogus;",
            "&T mobile;",
            "&éacute;",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
