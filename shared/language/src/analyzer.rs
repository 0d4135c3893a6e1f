//! What a text says, all of it.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::analysis::{Abstention, Analysis, Language, Span};
use crate::clean::{Clean, clean};
use crate::feelings::Feelings;
use crate::format::ModelError;
use crate::header::Header;
use crate::identify::{Identified, Identifier, UNDETERMINED};
use crate::model::Model;
use crate::spans::{Competitors, find};

/// So few words are too few to tell their language, if it is not clear.
const FEW_WORDS: usize = 3;

/// Tells what texts say, with one model.
#[derive(Debug)]
pub struct Analyzer {
    pub(crate) model: Model,
    identifier: Identifier,
    revision: String,
}

/// What is known of a text besides its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// The language it is said to be in, which is believed.
    pub language: Option<Language>,
    /// The rivals to look for.
    pub competitors: Option<&'c Competitors>,
}

impl Analyzer {
    /// Returns the analyzer with the model that the program brings. The first call reads it, within milliseconds.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Analyzer> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            #[expect(clippy::expect_used, reason = "the bytes are part of the program, and a test reads them")]
            Self::from_bytes(include_bytes!("../model/language.model").as_slice()).expect("the embedded model is whole")
        })
    }

    /// Reads a model.
    ///
    /// # Errors
    ///
    /// Whatever the bytes, it returns an error if they are no model that can be used.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, ModelError> {
        let model = Model::of(bytes.into())?;
        let identifier = Identifier::from_bytes(model.section("IDEN")?).map_err(|_| ModelError::Content("IDEN"))?;
        let revision = format!("{:016x}", model.checksum);
        Ok(Self { model, identifier, revision })
    }

    /// A short name of the model: 16 hexadecimal digits that follow from its bytes.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// What the model says of itself.
    pub fn header(&self) -> &Header {
        &self.model.header
    }

    /// Tells languages apart.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// Tells what a text says of which nothing else is known.
    pub fn analyze(&self, text: &str) -> Analysis {
        self.analyze_with(text, &Context::default())
    }

    /// Tells what a text says: of the writer's own words in it, and of these the first
    /// [`OWN_WORDS_LIMIT`](crate::clean::OWN_WORDS_LIMIT) bytes. Takes time in proportion to the length of the text;
    /// the answer to a text, with a model, is always the same.
    pub fn analyze_with(&self, text: &str, context: &Context<'_>) -> Analysis {
        let own = clean(text);
        let identified = self.identifier.identify(own.text());
        let language = context.language.or_else(|| self.identifier.accepted(&identified));
        let mut analysis = Analysis {
            language: language.map_or(identified.code, Language::code),
            language_probability: if context.language.is_some() { 1.0 } else { identified.probability },
            sentiment: None,
            emotions: None,
            abstention: None,
            spans: spans(&own, language, context.competitors),
        };
        match language {
            Some(language) => tell(&mut analysis, &self.analyze_in(own.text(), language)),
            // Emoji mean the same in every language.
            None if identified.code == UNDETERMINED => {
                let mut feelings = self.analyze_in(own.text(), Language::English);
                if feelings.hits == 0 {
                    // Numbers and signs; or nothing.
                    feelings.abstention = feelings.abstention.or(Some(Abstention::Unfamiliar));
                }
                tell(&mut analysis, &feelings);
            }
            None => analysis.abstention = Some(self.not_understood(&identified)),
        }
        analysis
    }

    /// Why a text in a language that is not accepted is left alone.
    fn not_understood(&self, identified: &Identified) -> Abstention {
        let is_other = Language::of_code(identified.code).is_none();
        if identified.is_mixed {
            Abstention::MixedLanguage
        } else if is_other && identified.probability >= self.identifier.threshold() {
            Abstention::OtherLanguage
        } else if identified.words <= FEW_WORDS {
            Abstention::TooShort
        } else if is_other {
            Abstention::OtherLanguage
        } else {
            Abstention::MixedLanguage
        }
    }
}

/// Takes over what of the feelings is to be told.
fn tell(analysis: &mut Analysis, feelings: &Feelings) {
    analysis.abstention = feelings.abstention;
    analysis.sentiment = feelings.abstention.is_none().then_some(feelings.sentiment);
    analysis.emotions = matches!(feelings.abstention, None | Some(Abstention::Unsure)).then_some(feelings.emotions);
}

/// The places that say something particular, by their bytes in the text as it was given.
fn spans(own: &Clean<'_>, language: Option<Language>, competitors: Option<&Competitors>) -> Vec<Span> {
    let mut spans = language.map_or_else(Vec::new, |language| find(own.text(), language));
    if let Some(competitors) = competitors {
        spans.extend(competitors.find(own.text(), language));
    }
    for span in &mut spans {
        span.range = own.original(span.range.clone());
    }
    spans.sort_by_key(|span| (span.range.start, span.kind));
    spans
}
