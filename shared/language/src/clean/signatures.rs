//! Signatures: after their mark, of a device, or a greeting at the end with a name and where to find its bearer.

use std::ops::Range;

use super::phrases::after;

/// Lines at the end that are looked at, without blank ones.
const LINES: usize = 14;
/// Longest line of a signature, in bytes.
const LINE_LEN: usize = 120;
/// Lines of a signature that are not like its others, at most: `managing director`.
const ODD_LINES: usize = 2;
/// Words of a name, at most.
const NAME_WORDS: usize = 5;

/// Begins of what devices and mail programs add.
const DEVICES: [&str; 24] = [
    "sent from my",
    "sent from mail for windows",
    "sent from outlook",
    "sent from yahoo mail",
    "sent with proton mail",
    "get outlook for",
    "verzonden vanaf mijn",
    "verstuurd vanaf mijn",
    "verstuurd met mijn",
    "verzonden met mijn",
    "verzonden vanuit mail",
    "verzonden vanuit outlook",
    "outlook voor ",
    "enviado do meu",
    "enviado a partir do meu",
    "enviado pelo meu",
    "enviada do meu",
    "enviado do outlook",
    "enviado do yahoo",
    "obter o outlook para",
    "elküldve",
    "küldve az iphone",
    "iphone-omról küldve",
    "iphone-ról küldve",
];
/// What is behind [`DEVICES`], so that a sentence that begins alike is not taken for one.
const MACHINES: [&str; 22] = [
    "iphone",
    "ipad",
    "android",
    "samsung",
    "galaxy",
    "blackberry",
    "huawei",
    "xiaomi",
    "nokia",
    "pixel",
    "mobile",
    "phone",
    "telefoon",
    "toestel",
    "telefon",
    "mobil",
    "telemóvel",
    "celular",
    "outlook",
    "yahoo",
    "windows",
    "mail",
];

/// Greetings at the end, which say nothing of the matter.
const GREETINGS: [&str; 53] = [
    "best regards",
    "kind regards",
    "kindest regards",
    "warm regards",
    "warmest regards",
    "with kind regards",
    "regards",
    "best wishes",
    "all the best",
    "best",
    "sincerely",
    "sincerely yours",
    "yours sincerely",
    "yours faithfully",
    "yours truly",
    "cheers",
    "br",
    "kr",
    "rgds",
    "respectfully",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "hartelijke groet",
    "hartelijke groeten",
    "met hartelijke groet",
    "groeten",
    "groet",
    "groetjes",
    "hoogachtend",
    "mvg",
    "üdvözlettel",
    "szívélyes üdvözlettel",
    "baráti üdvözlettel",
    "üdv",
    "üdvözöl",
    "tisztelettel",
    "minden jót",
    "atenciosamente",
    "cordialmente",
    "respeitosamente",
    "att",
    "abraço",
    "abraços",
    "um abraço",
    "cumprimentos",
    "com os melhores cumprimentos",
    "melhores cumprimentos",
    "os melhores cumprimentos",
    "saudações",
    "grato",
    "grata",
];
/// Thanks at the end, which are the writer's words; only what follows them goes.
const THANKS: [&str; 17] = [
    "thanks",
    "thank you",
    "many thanks",
    "thanks in advance",
    "thanks again",
    "thanks and regards",
    "bedankt",
    "alvast bedankt",
    "dank u",
    "dank je wel",
    "köszönettel",
    "köszönöm",
    "köszi",
    "előre is köszönöm",
    "obrigado",
    "obrigada",
    "muito obrigado",
];

/// Small words of names.
const PARTICLES: [&str; 17] =
    ["van", "de", "der", "den", "het", "ten", "ter", "da", "das", "do", "dos", "e", "von", "és", "and", "en", "of"];

/// Whether a line is the mark of a signature: two hyphens (RFC 3676, section 4.3).
pub(super) fn is_mark(line: &str) -> bool {
    line.trim_end() == "--"
}

/// Whether a line is what a device or a mail program adds: `Sent from my iPhone`.
pub(super) fn is_device(line: &str) -> bool {
    if line.len() > LINE_LEN || line.split_whitespace().count() > 8 {
        return false;
    }
    let rest = DEVICES.iter().find_map(|phrase| after(line, phrase));
    rest.is_some_and(|rest| {
        // A link may follow in brackets.
        let words = rest.split(['<', '(']).next().unwrap_or_default().trim();
        MACHINES.iter().any(|machine| has(line, machine)) && !words.trim_end_matches('.').contains(['.', ',', '?', '!'])
    })
}

/// Whether the phrase is in the line, in any casing.
fn has(line: &str, phrase: &str) -> bool {
    line.char_indices().any(|(at, _)| after(&line[at..], phrase).is_some())
}

/// Where the signature at the end of the own parts of a text begins, if there is one: at a greeting, or after thanks,
/// when the lines behind them look like a name and where to find its bearer. It is none if there is nothing before it.
pub(super) fn start(plain: &str, own: &[Range<usize>]) -> Option<usize> {
    let mut lines = own.iter().rev().flat_map(|part| Backward { plain, start: part.start, end: part.end });
    let (mut seen, mut odd) = (0, 0);
    for line in lines.by_ref() {
        let trimmed = plain[line.clone()].trim();
        if trimmed.is_empty() {
            continue;
        }
        seen += 1;
        if seen > LINES || trimmed.len() > LINE_LEN {
            return None;
        }
        if is_greeting(trimmed) {
            let has_words = |line: Range<usize>| plain[line].contains(char::is_alphanumeric);
            return lines.any(has_words).then_some(line.start);
        }
        if odd == 0 && seen > 1 && is_closing(trimmed, &THANKS) {
            return Some(line.end);
        }
        odd += usize::from(!is_contact(trimmed));
        if odd > ODD_LINES || !is_contact(trimmed) && !is_title(trimmed) {
            return None;
        }
    }
    None
}

/// The lines of a part of a text, the last one first.
struct Backward<'t> {
    plain: &'t str,
    start: usize,
    end: usize,
}

impl Iterator for Backward<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let last = self.end.checked_sub(1).filter(|_| self.end > self.start)?;
        let body = &self.plain.as_bytes()[self.start..last];
        let start = memchr::memrchr(b'\n', body).map_or(self.start, |at| self.start + at + 1);
        let line = start..self.end;
        self.end = start;
        Some(line)
    }
}

/// Whether a line is a greeting at the end, perhaps in two languages.
fn is_greeting(line: &str) -> bool {
    line.split(['/', '|']).all(|part| is_closing(part.trim(), &GREETINGS))
}

/// Whether it may be what somebody is: one word or two, and no sentence.
fn is_title(line: &str) -> bool {
    line.split_whitespace().count() <= 2 && !line.ends_with(['.', '!', '?', ':'])
}

/// Whether a line is such a greeting, alone or with a name.
fn is_closing(line: &str, greetings: &[&str]) -> bool {
    greetings.iter().filter_map(|greeting| after(line, greeting)).any(|rest| {
        let name = rest.trim_start_matches([',', '.', '!', ' ', ':', '-', '–']);
        !rest.starts_with(char::is_alphanumeric) && (name.is_empty() || rest.starts_with(',') && is_name(name))
    })
}

/// Whether it is like a name: a few words with capitals, nothing that ends a sentence.
fn is_name(text: &str) -> bool {
    let is_capital = |word: &str| word.chars().find(|letter| letter.is_alphabetic()).is_none_or(char::is_uppercase);
    text.split_whitespace().count() <= NAME_WORDS
        && !text.ends_with(['!', '?', ';', ':'])
        && text.split_whitespace().all(|word| word.len() <= 40 && (is_capital(word) || PARTICLES.contains(&word)))
}

/// Whether it is like a line under a name: an address, a number, a place of work.
fn is_contact(line: &str) -> bool {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    let letters = line.chars().filter(|letter| letter.is_alphabetic()).count();
    let has_address = line.contains('@') || line.contains("www.") || line.contains("://");
    let is_short = line.split_whitespace().count() <= 10;
    is_name(line)
        || is_short && (has_address || digits >= 4 && digits * 4 >= letters)
        || line.contains(" | ") && line.len() <= LINE_LEN
}
