//! An analysis in the words of the contract.

use contracts::common::v1::{Abstention, EmotionKind, PerceivedEmotion, Stance, TextAnalysis, TextSpan, TextSpanKind};
use language::{Analysis, Emotion, Span};

/// Figures are kept to a thousandth: the model knows no more.
const STEPS: f32 = 1_000.0;

pub(super) fn message(analysis: &Analysis, model: &str, competitors: &[String]) -> TextAnalysis {
    let emotions = analysis.emotions.iter().flat_map(|emotions| Emotion::ALL.into_iter().zip(emotions));
    TextAnalysis {
        language: analysis.language.to_owned(),
        language_probability: rounded(analysis.language_probability),
        sentiment: analysis.sentiment.map(|sentiment| rounded(sentiment.value)),
        sentiment_probability: analysis.sentiment.map_or(0.0, |sentiment| rounded(sentiment.sure)),
        emotions: emotions
            .map(|(emotion, estimate)| PerceivedEmotion {
                kind: kind(emotion).into(),
                intensity: rounded(estimate.value),
                probability: rounded(estimate.sure),
            })
            .collect(),
        abstention: analysis.abstention.map_or(Abstention::Unspecified, abstention).into(),
        spans: analysis.spans.iter().filter_map(|span| text_span(span, competitors)).collect(),
        model: model.to_owned(),
        r#override: None,
    }
}

fn rounded(value: f32) -> f32 {
    (value * STEPS).round() / STEPS
}

fn text_span(span: &Span, competitors: &[String]) -> Option<TextSpan> {
    Some(TextSpan {
        kind: match span.kind {
            language::SpanKind::Need => TextSpanKind::Need,
            language::SpanKind::Suggestion => TextSpanKind::Suggestion,
            language::SpanKind::Complaint => TextSpanKind::Complaint,
            language::SpanKind::Thanks => TextSpanKind::Thanks,
            language::SpanKind::Promise => TextSpanKind::Promise,
            language::SpanKind::Competitor => TextSpanKind::Competitor,
        }
        .into(),
        start_byte: i32::try_from(span.range.start).ok()?,
        end_byte: i32::try_from(span.range.end).ok()?,
        competitor: span.competitor.and_then(|index| competitors.get(index)).cloned().unwrap_or_default(),
        stance: match span.stance {
            None => Stance::Unspecified,
            Some(language::Stance::Favorable) => Stance::Favorable,
            Some(language::Stance::Neutral) => Stance::Neutral,
            Some(language::Stance::Unfavorable) => Stance::Unfavorable,
        }
        .into(),
    })
}

fn kind(emotion: Emotion) -> EmotionKind {
    match emotion {
        Emotion::Joy => EmotionKind::Joy,
        Emotion::Trust => EmotionKind::Trust,
        Emotion::Fear => EmotionKind::Fear,
        Emotion::Surprise => EmotionKind::Surprise,
        Emotion::Sadness => EmotionKind::Sadness,
        Emotion::Disgust => EmotionKind::Disgust,
        Emotion::Anger => EmotionKind::Anger,
        Emotion::Anticipation => EmotionKind::Anticipation,
    }
}

fn abstention(why: language::Abstention) -> Abstention {
    match why {
        language::Abstention::Empty => Abstention::Empty,
        language::Abstention::TooShort => Abstention::TooShort,
        language::Abstention::OtherLanguage => Abstention::OtherLanguage,
        language::Abstention::MixedLanguage => Abstention::MixedLanguage,
        language::Abstention::Unfamiliar => Abstention::Unfamiliar,
        language::Abstention::Unsure => Abstention::Unsure,
    }
}
