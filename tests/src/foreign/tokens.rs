//! Tokens: what is read is read again from what is written of it, and only as what it is.

use contracts::common::v1 as common;
use store::{FreshnessToken, Mark, PARTITIONS, PageToken, fuzzing::seal_body};

/// A page token: the text itself, a token with any body, and a token of any list and key.
pub fn page_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.as_ref(), &seal_body(b'p', data)] {
        let Ok(token) = PageToken::decode(text, 0) else { continue };
        assert_eq!(PageToken::decode(&token.encode(), 0), Ok(token.clone()));
        assert!(PageToken::decode(text, 1).is_err(), "a token of another list");
        assert!(FreshnessToken::decode(text).is_err(), "a token of another kind");
    }
    let (list, rest) = super::number(data);
    let after = rest.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let token = PageToken { list: list.cast_unsigned(), after: after.collect() };
    let text = token.encode();
    assert_eq!(PageToken::decode(&text, token.list), Ok(token));
    assert_damage_is_noticed(&text, rest, |text| PageToken::decode(text, list.cast_unsigned()).is_ok());
}

/// A freshness token: the text itself, a token with any body, and a token of any marks.
pub fn freshness_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.as_ref(), &seal_body(b'f', data)] {
        let asked = methods::marks("at_least_as_fresh", &[common::FreshnessToken { value: text.to_owned() }]);
        match FreshnessToken::decode(text) {
            Ok(token) => {
                assert_eq!(asked.unwrap(), token.marks);
                for mark in &token.marks {
                    assert!(mark.partition < PARTITIONS && mark.position >= 0 && !mark.feed.is_empty(), "{mark:?}");
                }
                assert_eq!(FreshnessToken::decode(&token.encode()), Ok(token));
                assert!(PageToken::decode(text, 0).is_err(), "a token of another kind");
            }
            Err(_) if text.is_empty() => assert!(asked.unwrap().is_empty()),
            Err(_) => {
                let fault = asked.unwrap_err();
                assert_eq!(fault.reason(), "ERROR_REASON_FRESHNESS_TOKEN_INVALID");
                assert_eq!(fault.violations()[0].field, "at_least_as_fresh[0]");
            }
        }
    }
    let marks = data.chunks_exact(10).map(|chunk| {
        let (position, rest) = super::number(chunk);
        Mark {
            feed: format!("f{}", rest[0]),
            partition: u32::from(rest[1]) % PARTITIONS,
            position: position & i64::MAX,
        }
    });
    let token = FreshnessToken { marks: marks.collect() };
    let text = token.encode();
    assert_eq!(FreshnessToken::decode(&text), Ok(token));
    assert_damage_is_noticed(&text, data, |text| FreshnessToken::decode(text).is_ok());
}

/// A slip of one character is noticed, wherever it is.
fn assert_damage_is_noticed(text: &str, choice: &[u8], is_token: impl Fn(&str) -> bool) {
    let (at, other) = choice.split_first_chunk().map_or((0, b'A'), |([low, high], rest)| {
        (usize::from(u16::from_le_bytes([*low, *high])), if rest.len().is_multiple_of(2) { b'Q' } else { b'7' })
    });
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    if bytes[at] != other {
        bytes[at] = other;
        let damaged = String::from_utf8(bytes).unwrap();
        assert!(!is_token(&damaged), "{damaged} instead of {text}");
    }
}
