//! Listens to what the customers of a tenant said in a period: their own words, and the themes that were stated with them.

use std::collections::BTreeSet;

use contracts::common::v1::{Emotion, EmotionKind, Party, TextAnalysis};
use contracts::feedback::v1::FeedbackKind;
use contracts::voice::v1 as wire;
use language::clean::clean;
use methods::from_micros;
use store::Error;

use super::rows::Place;
use crate::{evidence::Source, store::Reader, told};

/// How much of a period is looked at.
const BOUNDS: Bounds = Bounds { sources: 20_000, characters: 4_000_000 };
/// How many characters of one text.
const LONGEST: usize = 4_096;
/// How many are read at once.
const SOURCES_PER_PAGE: i64 = 1_000;
/// From this probability on a language is taken for known.
const LIKELY_LANGUAGE: f32 = 0.5;
/// The language of what has no known one.
pub(super) const UNKNOWN: &str = "und";

/// How much is looked at, at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Interactions and pieces of feedback.
    pub(crate) sources: usize,
    /// Characters of all of them together; the last one may go beyond.
    pub(crate) characters: usize,
}

/// Something that a customer said.
#[derive(Debug, Clone, Default)]
pub(super) struct Saying {
    /// The account that answers for the one that it names.
    pub(super) account: String,
    /// The resource name.
    pub(super) source: String,
    /// The person; empty if none is named.
    pub(super) contact: String,
    /// In microseconds since 1970.
    pub(super) at: i64,
    /// The beginning of the customer's own words.
    pub(super) words: String,
    /// A code of ISO 639, or [`UNKNOWN`].
    pub(super) language: String,
    /// From -1 (hostile) to 1 (warm).
    pub(super) sentiment: Option<f64>,
    /// The themes that somebody stated.
    pub(super) themes: Vec<String>,
    /// Whether it asks for nothing.
    pub(super) is_compliment: bool,
}

/// What was heard in a period, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    pub(super) sayings: Vec<Saying>,
    /// Whether there was more than is looked at.
    pub(super) is_bounded: bool,
}

impl Saying {
    /// What a customer said with a resource; none if it is another resource, or the provider acted.
    pub(super) fn of(account: &str, source: &Source) -> Option<Self> {
        let said = match source {
            Source::Interaction(interaction) if interaction.party() == Party::Customer => {
                Self { source: interaction.name.clone(), contact: interaction.contact.clone(), ..Self::default() }
            }
            Source::Feedback(feedback) => Self {
                source: feedback.name.clone(),
                contact: feedback.contact.clone(),
                themes: feedback.themes.clone(),
                is_compliment: feedback.kind() == FeedbackKind::Compliment,
                ..Self::default()
            },
            _ => return None,
        };
        Some(Self {
            account: account.to_owned(),
            at: source.happened_at(),
            words: beginning(clean(words_of(source)).text()).to_owned(),
            language: language_of(source).to_owned(),
            sentiment: feeling_of(source),
            ..said
        })
    }
}

/// The customer's words in a resource that a customer is behind, with what is quoted in them.
fn words_of(source: &Source) -> &str {
    match source {
        Source::Interaction(interaction) if interaction.text.is_empty() => &interaction.subject,
        Source::Interaction(interaction) => &interaction.text,
        Source::Feedback(feedback) => &feedback.text,
        _ => "",
    }
}

/// What the words in a resource say by themselves, if they were read.
fn analysis_of(source: &Source) -> Option<&TextAnalysis> {
    match source {
        Source::Interaction(interaction) => interaction.analysis.as_ref(),
        Source::Feedback(feedback) => feedback.analysis.as_ref(),
        _ => None,
    }
}

/// The language of the words in a resource: a code of ISO 639, or [`UNKNOWN`].
fn language_of(source: &Source) -> &str {
    let likely = analysis_of(source).filter(|analysis| analysis.language_probability >= LIKELY_LANGUAGE);
    likely.map_or(UNKNOWN, |analysis| &analysis.language)
}

/// What was felt in a resource, from -1 (hostile) to 1 (warm), as somebody stated it: as a sentiment, or else as emotions;
/// or else as somebody overrode what its words say; or else as they say.
fn feeling_of(source: &Source) -> Option<f64> {
    let (sentiment, emotions) = match source {
        Source::Interaction(interaction) => (interaction.sentiment, &interaction.emotions),
        Source::Feedback(feedback) => (feedback.sentiment, &feedback.emotions),
        _ => return None,
    };
    if let Some(stated) = stated(sentiment, emotions) {
        return Some(stated);
    }
    let analysis = analysis_of(source)?;
    match &analysis.r#override {
        Some(said) => stated(said.sentiment, &said.emotions),
        None => stated(analysis.sentiment.map(f64::from), &[]),
    }
}

fn stated(sentiment: Option<f64>, emotions: &[Emotion]) -> Option<f64> {
    let sentiment = sentiment.filter(|sentiment| sentiment.is_finite()).map(|sentiment| sentiment.clamp(-1.0, 1.0));
    sentiment.or_else(|| balance(emotions))
}

/// By how much the pleasant emotions outweigh the unpleasant ones; none if there are neither.
fn balance(emotions: &[Emotion]) -> Option<f64> {
    let (mut pleasant, mut unpleasant) = (0.0, 0.0);
    for emotion in emotions.iter().filter(|emotion| emotion.intensity > 0.0) {
        let intensity = emotion.intensity.min(1.0);
        match emotion.kind() {
            EmotionKind::Joy | EmotionKind::Trust => pleasant += intensity,
            EmotionKind::Fear | EmotionKind::Sadness | EmotionKind::Disgust | EmotionKind::Anger => {
                unpleasant += intensity;
            }
            EmotionKind::Unspecified | EmotionKind::Surprise | EmotionKind::Anticipation => {}
        }
    }
    let felt: f64 = pleasant + unpleasant;
    (felt > 0.0).then(|| (pleasant - unpleasant) / felt)
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

impl Hearing {
    /// Listens to what was said from one time on until before another.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(super) async fn of(reader: &Reader, tenant: &str, from: i64, until: i64) -> Result<Self, Error> {
        Self::within(BOUNDS, reader, tenant, from, until).await
    }

    /// As [`Hearing::of`], within other bounds.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn within(
        bounds: Bounds,
        reader: &Reader,
        tenant: &str,
        from: i64,
        until: i64,
    ) -> Result<Self, Error> {
        let mut hearing = Self::default();
        let (mut place, mut looked_at, mut characters) = (Place::before(until), 0, 0);
        'pages: loop {
            let page = reader.words(tenant, from, &place, SOURCES_PER_PAGE).await?;
            let Some(last) = page.last() else { break };
            place = Place { happened_at: last.happened_at, account: last.account.clone(), source: last.source.clone() };
            let accounts: BTreeSet<&str> = page.iter().map(|row| row.account.as_str()).collect();
            let merged = reader.merged_away(tenant, &accounts).await?;
            for row in &page {
                if looked_at == bounds.sources || characters >= bounds.characters {
                    hearing.is_bounded = true;
                    break 'pages;
                }
                looked_at += 1;
                let account = merged.get(&row.account).unwrap_or(&row.account);
                let said = Saying::of(account, &told::source(row)?);
                if let Some(saying) = said.filter(|saying| !(saying.words.is_empty() && saying.themes.is_empty())) {
                    characters += saying.words.chars().count();
                    hearing.sayings.push(saying);
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(hearing)
    }

    /// Takes apart what these accounts said and what all others did.
    pub(super) fn split(self, here: &BTreeSet<String>) -> [Self; 2] {
        let is_bounded = self.is_bounded;
        let (here, elsewhere) = self.sayings.into_iter().partition(|saying| here.contains(&saying.account));
        [here, elsewhere].map(|sayings| Self { sayings, is_bounded })
    }

    /// The accounts that said anything.
    pub(super) fn accounts(&self) -> BTreeSet<&str> {
        self.sayings.iter().map(|saying| saying.account.as_str()).collect()
    }

    /// Leaves out what was said in another language than this; nothing if it is empty.
    pub(super) fn only(&mut self, language: &str) {
        if !language.is_empty() {
            self.sayings.retain(|saying| saying.language == language);
        }
    }

    /// What was listened to.
    pub(crate) fn told(&self) -> wire::Heard {
        wire::Heard {
            account_count: self.accounts().len() as i64,
            source_count: self.sayings.len() as i64,
            is_bounded: self.is_bounded,
            first_time: self.sayings.last().map(|saying| from_micros(saying.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::AnalysisOverride;
    use contracts::feedback::v1::Feedback;
    use contracts::interactions::v1::Interaction;

    use super::*;

    fn felt(kind: EmotionKind, intensity: f64) -> Emotion {
        Emotion { kind: kind.into(), intensity }
    }

    #[test]
    fn only_the_customers_words_are_heard() {
        let said = |party: Party| {
            let source = Interaction { party: party.into(), text: "too late".to_owned(), ..Interaction::default() };
            Saying::of("a", &source.into()).map(|saying| saying.words)
        };
        assert_eq!([said(Party::Customer), said(Party::Provider)], [Some("too late".to_owned()), None]);
        let mail = "It came too late.\n\nOn Mon, Nov 9, 2026 at 10:03 Ann wrote:\n> Was the parcel delivered?\n";
        let mail = Feedback { text: mail.to_owned(), ..Feedback::default() };
        assert_eq!(Saying::of("a", &mail.into()).unwrap().words.trim(), "It came too late.");
        let long = Feedback { text: "é".repeat(LONGEST + 1), ..Feedback::default() };
        assert_eq!(Saying::of("a", &long.into()).unwrap().words.chars().count(), LONGEST);
    }

    #[test]
    fn a_stated_sentiment_goes_before_emotions() {
        let feeling = |sentiment, emotions: &[Emotion]| {
            feeling_of(&Feedback { sentiment, emotions: emotions.to_vec(), ..Feedback::default() }.into())
        };
        let angry = [felt(EmotionKind::Anger, 0.75), felt(EmotionKind::Joy, 0.25), felt(EmotionKind::Surprise, 1.0)];
        assert_eq!(feeling(Some(0.25), &angry), Some(0.25));
        assert_eq!(feeling(None, &angry), Some(-0.5));
        assert_eq!(feeling(None, &[felt(EmotionKind::Surprise, 1.0)]), None);
        assert_eq!(feeling(Some(f64::NAN), &[]), None);
    }

    #[test]
    fn where_nothing_is_stated_the_words_speak_for_themselves() {
        let read = TextAnalysis {
            language: "nl".to_owned(),
            language_probability: 0.9,
            sentiment: Some(-0.5),
            ..TextAnalysis::default()
        };
        let of = |sentiment, analysis: &TextAnalysis| -> Source {
            Feedback { sentiment, analysis: Some(analysis.clone()), ..Feedback::default() }.into()
        };
        assert_eq!((language_of(&of(None, &read)), feeling_of(&of(None, &read))), ("nl", Some(-0.5)));
        assert_eq!(feeling_of(&of(Some(0.25), &read)), Some(0.25));
        let said = AnalysisOverride { sentiment: Some(1.0), ..AnalysisOverride::default() };
        let overridden = TextAnalysis { r#override: Some(said), ..read.clone() };
        assert_eq!(feeling_of(&of(None, &overridden)), Some(1.0));
        let unsure = TextAnalysis { language_probability: 0.4, sentiment: None, ..read };
        assert_eq!((language_of(&of(None, &unsure)), feeling_of(&of(None, &unsure))), (UNKNOWN, None));
    }
}
