//! What an analysis comes to.

use std::ops::Range;

/// A language that texts are analysed in. What is written in any other is recognised as such, and left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Hungarian.
    Hungarian,
    /// Dutch.
    Dutch,
    /// Portuguese, of Brazil and Portugal.
    Portuguese,
}

impl Language {
    /// Every language that texts are analysed in.
    pub const ALL: [Self; 4] = [Self::English, Self::Hungarian, Self::Dutch, Self::Portuguese];

    /// The code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hungarian => "hu",
            Self::Dutch => "nl",
            Self::Portuguese => "pt",
        }
    }

    /// Returns the language with this code of ISO 639-1.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// The primary emotions of Plutchik's wheel (A psychoevolutionary theory of emotion, 1980).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Emotion {
    /// Joy.
    Joy,
    /// Trust.
    Trust,
    /// Fear.
    Fear,
    /// Surprise.
    Surprise,
    /// Sadness.
    Sadness,
    /// Disgust.
    Disgust,
    /// Anger.
    Anger,
    /// Anticipation.
    Anticipation,
}

impl Emotion {
    /// Every emotion, in the order of [`Analysis::emotions`].
    pub const ALL: [Self; 8] = [
        Self::Joy,
        Self::Trust,
        Self::Fear,
        Self::Surprise,
        Self::Sadness,
        Self::Disgust,
        Self::Anger,
        Self::Anticipation,
    ];

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joy => "joy",
            Self::Trust => "trust",
            Self::Fear => "fear",
            Self::Surprise => "surprise",
            Self::Sadness => "sadness",
            Self::Disgust => "disgust",
            Self::Anger => "anger",
            Self::Anticipation => "anticipation",
        }
    }
}

/// A figure, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// A sentiment from -1 (hostile) to 1 (warm), whose class follows from it: neutral from -1/3 to 1/3. Or an emotion's
    /// intensity from 0 (none) to 1 (as strong as can be), which counts as present from one half on.
    pub value: f32,
    /// The probability that it is right, from 0 to 1: of a sentiment, that its class (negative, neutral, positive) is right;
    /// of an emotion, that it is in the text.
    pub sure: f32,
}

/// Why there is no sentiment and no emotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Abstention {
    /// Nothing is left to analyse: no words of the writer's own.
    Empty,
    /// Too few words to tell.
    TooShort,
    /// In a language that is not analysed.
    OtherLanguage,
    /// In several languages, or in none that can be told.
    MixedLanguage,
    /// Unlike what was trained on: names, numbers, code.
    Unfamiliar,
    /// No class is clearly likelier than the others. This concerns the sentiment alone: emotions are told all the same.
    Unsure,
}

/// What a place in a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpanKind {
    /// Something the writer needs or misses.
    Need,
    /// Something the writer suggests or wishes changed.
    Suggestion,
    /// Something the writer complains of.
    Complaint,
    /// Thanks or praise to the reader.
    Thanks,
    /// Something the writer promises to do.
    Promise,
    /// A rival, by name.
    Competitor,
}

/// How the writer stands to a rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stance {
    /// Speaks for the rival: praises it, leans to it, goes over to it.
    Favorable,
    /// Only mentions it.
    Neutral,
    /// Speaks against it: blames it, comes from it, prefers the reader.
    Unfavorable,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// Its bytes in the text as it was given; both ends are borders of characters.
    pub range: Range<usize>,
    /// Which of the competitors that were asked for; only of a competitor.
    pub competitor: Option<usize>,
    /// How the writer stands to it; only of a competitor.
    pub stance: Option<Stance>,
}

/// What a text says.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The language's code of ISO 639-1, of any language that is recognised; `und` if none is.
    pub language: &'static str,
    /// The probability that it is this language, from 0 to 1.
    pub language_probability: f32,
    /// The sentiment; absent if the analysis abstains.
    pub sentiment: Option<Estimate>,
    /// The emotions in the order of [`Emotion::ALL`]; absent if the analysis abstains for another reason than being unsure.
    pub emotions: Option<[Estimate; 8]>,
    /// Why there is no sentiment, or no emotion.
    pub abstention: Option<Abstention>,
    /// The places that say something particular, in the order of the text.
    pub spans: Vec<Span>,
}
