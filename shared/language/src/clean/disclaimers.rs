//! Legal disclaimers: paragraphs about the message itself, who may read it, and what may not be done with it.

use super::lines::first_line;
use super::phrases::{count, fold};

/// Bytes of a paragraph that are looked at.
const LOOKED_AT: usize = 1024;
/// Shortest disclaimer, in bytes.
const LEAST: usize = 60;
/// Legal phrases that make a paragraph about the message a disclaimer.
const LEGAL_LEAST: usize = 2;

/// What names the message.
const MESSAGE: [&str; 27] = [
    "this e-mail",
    "this email",
    "this message",
    "this communication",
    "the information contained",
    "this transmission",
    "ez az e-mail",
    "ez az üzenet",
    "ezen e-mail",
    "ezen üzenet",
    "jelen e-mail",
    "jelen üzenet",
    "jelen levél",
    "dit e-mailbericht",
    "dit bericht",
    "deze e-mail",
    "deze email",
    "de informatie verzonden",
    "dit e-mail bericht",
    "esta mensagem",
    "este e-mail",
    "este email",
    "esta comunicação",
    "este correio",
    "a presente mensagem",
    "a informação contida",
    "as informações contidas",
];
/// What a lawyer says of it.
const LEGAL: [&str; 46] = [
    "confidential",
    "privileged",
    "intended recipient",
    "intended solely",
    "intended only",
    "solely for the use",
    "addressee",
    "received this",
    "in error",
    "unauthorized",
    "unauthorised",
    "prohibited",
    "disclos",
    "liab",
    "bizalmas",
    "címzett",
    "jogosulatlan",
    "illetéktelen",
    "tévedésből",
    "haladéktalanul törölje",
    "szigorúan tilos",
    "felhasználása tilos",
    "titkot",
    "titoktartás",
    "vertrouwelijk",
    "geadresseerde",
    "uitsluitend bestemd",
    "onbevoegd",
    "niet voor u bestemd",
    "ten onrechte",
    "openbaarmaking",
    "verspreiding",
    "aansprakelijk",
    "niet de beoogde",
    "vernietigen",
    "confidencia",
    "destinatári",
    "destina-se exclusivamente",
    "por engano",
    "privilegiad",
    "não autorizad",
    "proibid",
    "divulgação",
    "responsabiliza",
    "sigilo",
    "uso exclusivo",
];
/// Phrases that are enough alone.
const ALONE: [&str; 8] = [
    "consider the environment before printing",
    "think before you print",
    "gondoljon a környezetre, mielőtt",
    "mielőtt kinyomtatja ezt",
    "denk aan het milieu voordat u",
    "denk aan het milieu voor u",
    "pense no meio ambiente antes de imprimir",
    "pense no ambiente antes de imprimir",
];

/// The bytes of the disclaimer at the begin of a text that begins with a paragraph, with the blank line
/// after it.
pub(super) fn len(text: &str, folded: &mut String) -> Option<usize> {
    let mut len = 0;
    while len < text.len() && !(len > 0 && first_line(&text[len..]).trim().is_empty()) {
        len += first_line(&text[len..]).len();
    }
    if len < LEAST.min(22) {
        return None;
    }
    fold(&text[..len], LOOKED_AT, folded);
    let is_legal = len >= LEAST && count(folded, &MESSAGE) > 0 && count(folded, &LEGAL) >= LEGAL_LEAST;
    let is_alone = len <= 4 * LEAST && count(folded, &ALONE) > 0;
    (is_legal || is_alone).then(|| len + first_line(&text[len..]).len())
}
