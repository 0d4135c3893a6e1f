//! Letters: marks that follow their letter are joined to it, and can be taken off.

/// Latin letters with a mark: the letter, its base, and the combining mark that makes it of the base.
const MARKED: &[(char, char, char)] = &[
    ('à', 'a', '\u{300}'),
    ('á', 'a', '\u{301}'),
    ('â', 'a', '\u{302}'),
    ('ã', 'a', '\u{303}'),
    ('ä', 'a', '\u{308}'),
    ('å', 'a', '\u{30a}'),
    ('ă', 'a', '\u{306}'),
    ('ą', 'a', '\u{328}'),
    ('ç', 'c', '\u{327}'),
    ('ć', 'c', '\u{301}'),
    ('č', 'c', '\u{30c}'),
    ('ď', 'd', '\u{30c}'),
    ('è', 'e', '\u{300}'),
    ('é', 'e', '\u{301}'),
    ('ê', 'e', '\u{302}'),
    ('ë', 'e', '\u{308}'),
    ('ę', 'e', '\u{328}'),
    ('ě', 'e', '\u{30c}'),
    ('ğ', 'g', '\u{306}'),
    ('ì', 'i', '\u{300}'),
    ('í', 'i', '\u{301}'),
    ('î', 'i', '\u{302}'),
    ('ï', 'i', '\u{308}'),
    ('ľ', 'l', '\u{30c}'),
    ('ñ', 'n', '\u{303}'),
    ('ń', 'n', '\u{301}'),
    ('ň', 'n', '\u{30c}'),
    ('ò', 'o', '\u{300}'),
    ('ó', 'o', '\u{301}'),
    ('ô', 'o', '\u{302}'),
    ('õ', 'o', '\u{303}'),
    ('ö', 'o', '\u{308}'),
    ('ő', 'o', '\u{30b}'),
    ('ř', 'r', '\u{30c}'),
    ('ś', 's', '\u{301}'),
    ('ş', 's', '\u{327}'),
    ('ș', 's', '\u{326}'),
    ('š', 's', '\u{30c}'),
    ('ť', 't', '\u{30c}'),
    ('ț', 't', '\u{326}'),
    ('ù', 'u', '\u{300}'),
    ('ú', 'u', '\u{301}'),
    ('û', 'u', '\u{302}'),
    ('ü', 'u', '\u{308}'),
    ('ů', 'u', '\u{30a}'),
    ('ű', 'u', '\u{30b}'),
    ('ý', 'y', '\u{301}'),
    ('ÿ', 'y', '\u{308}'),
    ('ź', 'z', '\u{301}'),
    ('ż', 'z', '\u{307}'),
    ('ž', 'z', '\u{30c}'),
];

/// Whether it is a mark that follows its letter (Combining Diacritical Marks of Unicode).
pub(super) const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// The letter that a base and the mark after it make, if there is one.
pub(crate) fn joined(base: char, mark: char) -> Option<char> {
    MARKED.iter().find(|(_, of, with)| *of == base && *with == mark).map(|(letter, ..)| *letter)
}

/// The letter without its mark, as it is written where the keyboard has none.
#[cfg(any(test, feature = "training"))]
pub(super) fn bare(letter: char) -> char {
    match letter {
        'ø' => 'o',
        'đ' => 'd',
        'ł' => 'l',
        'ı' => 'i',
        _ => MARKED.iter().find(|(marked, ..)| *marked == letter).map_or(letter, |(_, base, _)| *base),
    }
}

#[cfg(test)]
mod tests {
    use super::{MARKED, bare, is_mark, joined};

    #[test]
    fn a_letter_and_its_mark_make_the_marked_letter() {
        assert_eq!(joined('o', '\u{30b}'), Some('ő'));
        assert_eq!(joined('q', '\u{301}'), None);
        assert_eq!(bare('ő'), 'o');
        assert_eq!(bare('x'), 'x');
        for (letter, base, mark) in MARKED {
            assert_eq!(joined(*base, *mark), Some(*letter));
            assert!(base.is_ascii_lowercase() && is_mark(*mark));
        }
    }
}
