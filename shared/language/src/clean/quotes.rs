//! What is quoted of other messages: lines with a mark, and headings after which a reply is quoted. English, Hungarian,
//! Dutch and Portuguese, in the words of the usual mail programs.

use super::lines::first_line;
use super::phrases::{after, begins, count, fold, is_one};

/// Lines that the heading of a quoted reply may be broken into.
const HEADING_LINES: usize = 3;
/// Longest heading of a quoted reply, in bytes.
const HEADING_LEN: usize = 320;
/// Most lines of a message's header.
const HEADER_LINES: usize = 8;
/// Longest line of a message's header, in bytes.
const HEADER_LEN: usize = 1000;

const DIVIDERS: [&str; 14] = [
    "original message",
    "original appointment",
    "forwarded message",
    "forwarded by",
    "eredeti üzenet",
    "továbbított üzenet",
    "továbbított levél",
    "oorspronkelijk bericht",
    "oorspronkelijke bericht",
    "doorgestuurd bericht",
    "mensagem original",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "reply message",
];
const FORWARDS: [&str; 4] = [
    "begin forwarded message:",
    "továbbított üzenet kezdete:",
    "begin doorgestuurd bericht:",
    "início da mensagem encaminhada:",
];
const INTRODUCED: [&str; 6] = ["on ", "op ", "em ", "a ", "no dia ", "le "];
const WROTE: [&str; 8] =
    [" wrote:", " schreef:", " schreef ", " escreveu:", " escreveu ", " ezt írta", " írta:", " írta ("];
/// What only the writer says of their own message.
const OWN: [&str; 3] = [" i wrote", " schreef ik", " we wrote"];

const FROM: [&str; 4] = ["from", "feladó", "van", "de"];
const DATE: [&str; 11] =
    ["sent", "date", "elküldve", "küldve", "dátum", "verzonden", "datum", "enviado", "enviada em", "enviada", "data"];
const OTHER: [&str; 16] = [
    "to",
    "cc",
    "bcc",
    "subject",
    "reply-to",
    "importance",
    "címzett",
    "másolat",
    "tárgy",
    "aan",
    "onderwerp",
    "para",
    "assunto",
    "attachments",
    "bijlagen",
    "anexos",
];

/// Whether a line, which may have marked neighbours, is marked as quoted: `> …`, but not `>:(` and not `> 5 days`.
pub(super) fn is_quoted(line: &str, has_neighbour: bool) -> bool {
    let Some(rest) = line.strip_prefix('>') else { return false };
    match rest.chars().next() {
        None | Some('>') => true,
        Some(':' | ';' | '=' | '.' | '_' | '<' | '-') => has_neighbour,
        Some(_) => {
            let amount = rest.trim_start_matches([' ', '=', '€', '$', '£']);
            has_neighbour || !amount.starts_with(|letter: char| letter.is_ascii_digit())
        }
    }
}

/// Whether a line divides a message from the one it answers or forwards: `-----Original Message-----`.
pub(super) fn is_divider(line: &str) -> bool {
    let inner = line.trim_matches(['-', '_', '*', ' ']);
    (line.starts_with("--") || line.starts_with("__")) && is_one(inner, &DIVIDERS)
        || line.starts_with("--") && begins(inner, &["forwarded by"])
        || is_one(line, &FORWARDS)
}

/// Whether a line is drawn and not written.
pub(super) fn is_rule(line: &str) -> bool {
    line.len() >= 5 && line.bytes().all(|byte| matches!(byte, b'-' | b'_' | b'=' | b'*'))
}

/// A heading of other people's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    /// Its bytes, with line breaks.
    pub(super) len: usize,
    /// Whether all that follows it is quoted. Otherwise what is quoted is marked.
    pub(super) quotes_rest: bool,
}

/// The heading at the begin of a text that begins with a line: `On … wrote:`, or a message's `From: …`, `Sent: …`.
pub(super) fn heading(text: &str) -> Option<Heading> {
    header(text).or_else(|| introduction(text))
}

/// `On 5 May 2025 at 10:03, Ann <ann@example.com> wrote:`, over one line or some.
fn introduction(text: &str) -> Option<Heading> {
    let begin = text.trim_start_matches([' ', '\t']);
    let mut len = 0;
    for _ in 0..HEADING_LINES {
        let line = first_line(&text[len..]);
        if line.trim().is_empty() || len + line.len() > HEADING_LEN {
            return None;
        }
        len += line.len();
        let heading = text[..len].trim();
        if heading.ends_with(':') {
            // Over several lines, the first one must begin like a heading.
            let begins = len == line.len() || is_begin(first_line(begin));
            if !begins || !is_introduction(heading, begin) {
                return None;
            }
            let follows = text[len..].trim_start();
            return Some(Heading { len, quotes_rest: !follows.starts_with('>') });
        }
    }
    None
}

/// Whether a line may begin a heading of several lines.
fn is_begin(line: &str) -> bool {
    let is_introduced = INTRODUCED.iter().any(|word| after(line, word).is_some());
    let has_digit = line.bytes().any(|byte| byte.is_ascii_digit());
    line.contains('@') || has_digit && (is_introduced || line.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// Whether it says who wrote, and by which message: an address, or a date and a time.
fn is_introduction(heading: &str, begin: &str) -> bool {
    let mut folded = String::new();
    fold(heading, HEADING_LEN, &mut folded);
    if count(&folded, &WROTE) == 0 || count(&folded, &OWN) > 0 {
        return false;
    }
    let has_time = folded.as_bytes().windows(4).any(|window| {
        window[0].is_ascii_digit() && window[1] == b':' && window[2].is_ascii_digit() && window[3].is_ascii_digit()
    });
    let is_hungarian = folded.contains("írta");
    folded.contains('@') || has_time && (is_hungarian || INTRODUCED.iter().any(|word| after(begin, word).is_some()))
}

/// A message's own header: lines `From: …`, then of date and others, at least three.
fn header(text: &str) -> Option<Heading> {
    if !is_field(first_line(text), &FROM) {
        return None;
    }
    let (mut len, mut fields, mut has_date) = (0, 0, false);
    for _ in 0..HEADER_LINES {
        let line = first_line(&text[len..]);
        let is_date = is_field(line, &DATE);
        if !(is_date || is_field(line, &FROM) || is_field(line, &OTHER)) {
            break;
        }
        has_date |= is_date;
        fields += 1;
        len += line.len();
    }
    (fields >= 3 && has_date).then_some(Heading { len, quotes_rest: true })
}

/// Whether a line is a field of this name, which may be set in asterisks.
fn is_field(line: &str, names: &[&str]) -> bool {
    let line = line.trim_start_matches(['*', ' ', '\t']);
    line.len() <= HEADER_LEN
        && names
            .iter()
            .any(|name| after(line, name).is_some_and(|rest| rest.trim_start_matches(['*', ' ']).starts_with(':')))
}
