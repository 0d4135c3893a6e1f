//! What people say: letters of the kind that the suite reads as they are written. The samples have none.

use language::Analyzer;

use crate::{
    commands::{Format, analyze::Told},
    exit::Error,
    output,
};

/// Made up, one in each language that is read, and one that is not.
const LETTERS: [&str; 5] = [
    "The delivery was late again and nobody answers. I am really disappointed.",
    "Köszönöm a gyors segítséget, minden hibátlanul megérkezett!",
    "Ik vind de nieuwe app verschrikkelijk, niets werkt meer.",
    "Gostei muito do atendimento, recomendo a todos.",
    "Toimitus oli myöhässä ja olen todella vihainen.",
];

/// Reads the letters, and says what they say.
pub(super) fn show() -> Result<(), Error> {
    output::line("What people say, read on this machine (`rapport analyze`; the suite reads what is written to it)\n")?;
    let mut told = Told::begin(output::stdout(), Format::Table, &[])?;
    for letter in LETTERS {
        told.tell(letter, &Analyzer::embedded().analyze(letter))?;
    }
    drop(told.end()?);
    output::line("").map_err(Error::from)
}
