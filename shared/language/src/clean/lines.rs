//! Which lines of a plain text are the writer's own.

use std::ops::Range;

use super::{Kept, disclaimers, quotes, signatures};

/// Keeps the writer's own lines of a text.
pub(super) fn own(plain: &str, kept: &mut Kept) {
    let mut own = own_parts(plain);
    if let Some(end) = signatures::start(plain, &own) {
        own.retain(|part| part.start < end);
        if let Some(last) = own.last_mut() {
            last.end = last.end.min(end);
        }
    }
    for part in own {
        if !kept.push(plain, part) {
            return;
        }
    }
}

/// The parts of a text without quoted replies, disclaimers, and what follows a signature's mark.
fn own_parts(plain: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut folded = String::new();
    let mut has_words = false;
    let mut is_new_paragraph = true;
    let mut was_quoted = false;
    let mut at = if plain.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < plain.len() {
        let rest = &plain[at..];
        let line = first_line(rest);
        let trimmed = line.trim();
        if is_new_paragraph
            && !trimmed.is_empty()
            && let Some(len) = disclaimers::len(rest, &mut folded)
        {
            at += len;
            continue;
        }
        is_new_paragraph = trimmed.is_empty();
        let next = first_line(&rest[line.len()..]).trim_start();
        let fate = match () {
            () if trimmed.is_empty() => Fate::Kept,
            () if quotes::is_quoted(trimmed, was_quoted || next.starts_with('>')) => Fate::Gone(line.len()),
            () if signatures::is_mark(line) || quotes::is_divider(trimmed) => match has_words {
                true => Fate::End,
                false => Fate::Gone(line.len()),
            },
            () if signatures::is_device(trimmed) || quotes::is_rule(trimmed) => Fate::Gone(line.len()),
            () => quotes::heading(rest).map_or(Fate::Kept, |heading| match heading.quotes_rest && has_words {
                true => Fate::End,
                false => Fate::Gone(heading.len),
            }),
        };
        was_quoted = trimmed.starts_with('>') && fate != Fate::Kept;
        match fate {
            Fate::End => break,
            Fate::Gone(len) => at += len,
            Fate::Kept => {
                has_words |= trimmed.contains(char::is_alphanumeric);
                let end = at + line.len();
                match parts.last_mut() {
                    Some(last) if last.end == at => last.end = end,
                    _ => parts.push(at..end),
                }
                at = end;
            }
        }
    }
    parts
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The line stays.
    Kept,
    /// So many bytes go.
    Gone(usize),
    /// It goes with everything after it.
    End,
}

/// The first line of a text, with its break.
pub(super) fn first_line(text: &str) -> &str {
    memchr::memchr(b'\n', text.as_bytes()).map_or(text, |end| &text[..=end])
}
