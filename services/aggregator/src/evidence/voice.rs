//! What a party says: how it sounds, which emotions are in it, and what it tells of needs and of rivals.
//!
//! What somebody stated of the words stands before what somebody said instead of the analysis, and that before what the
//! analysis found; they are never averaged. An analysis that abstains says nothing of feelings, and nothing at all unless it
//! understood the words and was merely not sure how they sound.

use std::collections::BTreeMap;

use contracts::common::v1::{
    Abstention, Emotion as StatedEmotion, EmotionKind, Stance, TextAnalysis, TextSpan, TextSpanKind,
};
use dynamics::{Emotion, Signal, View};

use super::draft::Draft;
use super::scale::stated;

/// What emotions alone say of the tone weighs half of a stated tone: it follows from them and was not stated itself.
const EMOTIONS_WEIGHT: f64 = 0.5;
/// What an analysis is quite sure of weighs half of what somebody stated; what it is less sure of, less.
const ANALYSIS_WEIGHT: f64 = 0.5;
/// The probability of the likeliest of three classes when nothing is known: there an analysis weighs nothing.
const CHANCE_OF_CLASS: f64 = 1.0 / 3.0;
/// From this intensity on an emotion counts as found; it weighs by how probable it is.
const FOUND: f64 = 0.5;

/// To lean to a rival in words is worse than to have one in mind, and better than to accept its offer.
const LEANS_TO_RIVAL: f64 = -0.7;
const HAS_RIVAL_IN_MIND: f64 = -0.1;
const SPEAKS_AGAINST_RIVAL: f64 = 0.5;

/// What a party said, and what is known of its words.
pub(super) struct Words<'a> {
    /// Whose words they are.
    pub(super) view: View,
    /// When they were said.
    pub(super) at: i64,
    /// How they sounded to whoever recorded them.
    pub(super) sentiment: Option<f64>,
    /// The emotions that somebody stated.
    pub(super) emotions: &'a [StatedEmotion],
    /// What they say by themselves.
    pub(super) analysis: Option<&'a TextAnalysis>,
}

impl Words<'_> {
    /// Records the tone and the emotions, and what they say of trust.
    pub(super) fn draw(&self, draft: &mut Draft) {
        let signal = match self.view {
            View::Customer => Signal::CustomerTone,
            View::Provider => Signal::ProviderTone,
        };
        if let Some((tone, weight)) = self.tone() {
            draft.say(signal, self.at, tone, weight);
        }
        let felt = self.felt();
        for feeling in &felt {
            draft.feel(self.view, feeling.emotion, self.at, feeling.intensity, feeling.weight);
        }
        // Where the emotions were found, the tone was too.
        if self.found().is_none() {
            tone_of_emotions(&felt, signal, self.at, draft);
        }
        self.assurance(&felt, draft);
    }

    /// Records what the customer's words tell of rivals.
    pub(super) fn rivals(&self, draft: &mut Draft) {
        let mut stances: BTreeMap<&str, f64> = BTreeMap::new();
        for span in self.places(TextSpanKind::Competitor) {
            let value = match span.stance() {
                Stance::Favorable => LEANS_TO_RIVAL,
                Stance::Unfavorable => SPEAKS_AGAINST_RIVAL,
                Stance::Neutral | Stance::Unspecified => HAS_RIVAL_IN_MIND,
            };
            // Each rival speaks once in a text, by what is said most clearly of it.
            let said = stances.entry(&span.competitor).or_insert(value);
            if value.abs() > said.abs() {
                *said = value;
            }
        }
        for value in stances.into_values() {
            draft.say(Signal::RivalMention, self.at, value, ANALYSIS_WEIGHT);
        }
    }

    /// Whether the words tell of something of this kind.
    pub(super) fn tell_of(&self, kind: TextSpanKind) -> bool {
        self.places(kind).next().is_some()
    }

    /// The places of this kind in words that were understood.
    fn places(&self, kind: TextSpanKind) -> impl Iterator<Item = &TextSpan> {
        let understood = self
            .analysis
            .filter(|analysis| matches!(analysis.abstention(), Abstention::Unspecified | Abstention::Unsure));
        understood.into_iter().flat_map(|analysis| &analysis.spans).filter(move |span| span.kind() == kind)
    }

    /// How the words sound, from -1 to 1, and how much that weighs against an ordinary fact.
    pub(super) fn tone(&self) -> Option<(f64, f64)> {
        if let Some(sentiment) = stated(self.sentiment) {
            return Some((sentiment, 1.0));
        }
        let analysis = self.analysis?;
        if let Some(said) = &analysis.r#override {
            return stated(said.sentiment).map(|sentiment| (sentiment, 1.0));
        }
        // Emotions that somebody stated have a tone of their own.
        if !self.emotions.is_empty() || analysis.abstention() != Abstention::Unspecified {
            return None;
        }
        let sentiment = stated(analysis.sentiment.map(f64::from))?;
        let sure = (f64::from(analysis.sentiment_probability) - CHANCE_OF_CLASS) / (1.0 - CHANCE_OF_CLASS);
        (sure > 0.0).then(|| (sentiment, ANALYSIS_WEIGHT * sure.min(1.0)))
    }

    /// How the words sound as far as it is sure, from -1 to 1; 0 if nothing tells.
    pub(super) fn sure_tone(&self) -> f64 {
        self.tone().map_or(0.0, |(tone, weight)| tone * weight)
    }

    /// The analysis, where it is what tells of the emotions.
    fn found(&self) -> Option<&TextAnalysis> {
        self.analysis.filter(|analysis| self.emotions.is_empty() && analysis.r#override.is_none())
    }

    fn felt(&self) -> Vec<Feeling> {
        if let Some(analysis) = self.found() {
            if analysis.abstention() != Abstention::Unspecified {
                return Vec::new();
            }
            return analysis.emotions.iter().filter_map(Feeling::found).collect();
        }
        let said = self.analysis.and_then(|analysis| analysis.r#override.as_ref());
        let emotions = match said {
            Some(said) if self.emotions.is_empty() => &said.emotions,
            _ => self.emotions,
        };
        emotions.iter().filter_map(Feeling::stated).collect()
    }

    /// Trust in the other party, against the stronger of fear and anger.
    fn assurance(&self, felt: &[Feeling], draft: &mut Draft) {
        let signal = match self.view {
            View::Customer => Signal::CustomerAssurance,
            View::Provider => Signal::ProviderAssurance,
        };
        let strongest = |emotions: &[Emotion]| {
            let feelings = felt.iter().filter(|feeling| emotions.contains(&feeling.emotion));
            feelings
                .map(|feeling| (feeling.intensity, feeling.weight))
                .fold((0.0, 0.0), |one: (f64, f64), other| if other.0 * other.1 > one.0 * one.1 { other } else { one })
        };
        let (trust, trust_weight) = strongest(&[Emotion::Trust]);
        let (doubt, doubt_weight) = strongest(&[Emotion::Fear, Emotion::Anger]);
        if trust + doubt > 0.0 {
            draft.say(signal, self.at, trust - doubt, trust_weight.max(doubt_weight));
        }
    }
}

/// An emotion in somebody's words.
struct Feeling {
    emotion: Emotion,
    /// From 0 to 1.
    intensity: f64,
    /// 1 if somebody stated it.
    weight: f64,
}

impl Feeling {
    fn stated(said: &StatedEmotion) -> Option<Self> {
        Some(Self { emotion: emotion(said.kind())?, intensity: stated(Some(said.intensity))?.max(0.0), weight: 1.0 })
    }

    fn found(found: &contracts::common::v1::PerceivedEmotion) -> Option<Self> {
        let intensity = stated(Some(f64::from(found.intensity)))?.max(0.0);
        let weight = ANALYSIS_WEIGHT * f64::from(found.probability).clamp(0.0, 1.0);
        (intensity >= FOUND).then_some(Self { emotion: emotion(found.kind())?, intensity, weight })
    }
}

/// The tone that follows from emotions that somebody stated.
fn tone_of_emotions(felt: &[Feeling], signal: Signal, at: i64, draft: &mut Draft) {
    let total: f64 = felt.iter().map(|feeling| feeling.intensity).sum();
    let warmth: f64 = felt.iter().map(|feeling| valence(feeling.emotion) * feeling.intensity).sum();
    if total > 0.0 {
        draft.say(signal, at, warmth / total, EMOTIONS_WEIGHT * total.min(1.0));
    }
}

/// How warm or hostile toward the other party an emotion is, in [-1, 1]. Judgement, after the pleasant and unpleasant
/// sides of Plutchik's wheel: fear and sadness are unpleasant without being hostile, and surprise can be either.
fn valence(emotion: Emotion) -> f64 {
    match emotion {
        Emotion::Joy | Emotion::Trust => 1.0,
        Emotion::Anticipation => 0.3,
        Emotion::Surprise => 0.0,
        Emotion::Fear => -0.5,
        Emotion::Sadness => -0.6,
        Emotion::Disgust | Emotion::Anger => -1.0,
    }
}

fn emotion(kind: EmotionKind) -> Option<Emotion> {
    Some(match kind {
        EmotionKind::Unspecified => return None,
        EmotionKind::Joy => Emotion::Joy,
        EmotionKind::Trust => Emotion::Trust,
        EmotionKind::Fear => Emotion::Fear,
        EmotionKind::Surprise => Emotion::Surprise,
        EmotionKind::Sadness => Emotion::Sadness,
        EmotionKind::Disgust => Emotion::Disgust,
        EmotionKind::Anger => Emotion::Anger,
        EmotionKind::Anticipation => Emotion::Anticipation,
    })
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::{AnalysisOverride, PerceivedEmotion};
    use dynamics::Topic;

    use super::*;

    fn angry(probability: f32) -> TextAnalysis {
        TextAnalysis {
            sentiment: Some(-0.9),
            sentiment_probability: probability,
            emotions: vec![PerceivedEmotion { kind: EmotionKind::Anger.into(), intensity: 0.8, probability }],
            ..TextAnalysis::default()
        }
    }

    fn words(analysis: &TextAnalysis) -> Words<'_> {
        Words { view: View::Customer, at: 0, sentiment: None, emotions: &[], analysis: Some(analysis) }
    }

    /// What is said of a topic: values and weights.
    fn drawn(words: &Words<'_>, topic: Topic) -> Vec<(f64, f64)> {
        let mut draft = Draft::default();
        words.draw(&mut draft);
        words.rivals(&mut draft);
        let evidence = draft.finish().evidence;
        let of_topic = evidence.iter().filter(|fact| fact.topic() == topic);
        of_topic.map(|fact| (fact.value(), fact.weight())).collect()
    }

    const TONE: Topic = Topic::Signal(Signal::CustomerTone);
    const ANGER: Topic = Topic::Emotion(View::Customer, Emotion::Anger);
    const ASSURANCE: Topic = Topic::Signal(Signal::CustomerAssurance);

    #[test]
    fn an_analysis_weighs_less_than_a_statement_and_less_the_less_sure_it_is() {
        let weight = |probability| drawn(&words(&angry(probability)), TONE).first().map_or(0.0, |(_, weight)| *weight);
        assert!(weight(0.95) > weight(0.6) && weight(0.6) > 0.0 && weight(0.95) < 0.5);
        assert_eq!(weight(0.3), 0.0);
        let angry = angry(0.9);
        let anger = drawn(&words(&angry), ANGER);
        assert!(anger.len() == 1 && anger[0].1 < 0.5, "{anger:?}");
        assert!(drawn(&words(&angry), ASSURANCE)[0].0 < -0.7);
    }

    #[test]
    fn what_abstains_is_no_evidence() {
        let rival = TextSpan { kind: TextSpanKind::Competitor.into(), ..TextSpan::default() };
        let of = |abstention: Abstention| {
            let mut abstained = TextAnalysis { spans: vec![rival.clone()], ..angry(0.9) };
            abstained.set_abstention(abstention);
            let mut draft = Draft::default();
            words(&abstained).draw(&mut draft);
            words(&abstained).rivals(&mut draft);
            draft.finish().evidence
        };
        for abstention in [Abstention::TooShort, Abstention::OtherLanguage, Abstention::MixedLanguage] {
            assert_eq!(of(abstention), [], "{abstention:?}");
        }
        // Words that were understood name a rival, however they sound.
        let topics: Vec<Topic> = of(Abstention::Unsure).iter().map(|fact| fact.topic()).collect();
        assert_eq!(topics, [Topic::Signal(Signal::RivalMention)]);
    }

    #[test]
    fn a_statement_stands_alone() {
        let angry = angry(0.9);
        let joy = [StatedEmotion { kind: EmotionKind::Joy.into(), intensity: 1.0 }];
        let stated = Words { sentiment: Some(0.4), emotions: &joy, ..words(&angry) };
        assert_eq!(drawn(&stated, TONE), [(0.4, 1.0), (1.0, 0.5)]);
        assert_eq!(drawn(&stated, ANGER), []);
        // A stated tone says nothing of emotions: those are found.
        let toned = Words { sentiment: Some(0.4), ..words(&angry) };
        assert_eq!(drawn(&toned, TONE), [(0.4, 1.0)]);
        assert_eq!(drawn(&toned, ANGER).len(), 1);
    }

    #[test]
    fn an_override_takes_the_place_of_what_was_found() {
        let said = AnalysisOverride { sentiment: Some(0.2), reason: "irony".to_owned(), ..AnalysisOverride::default() };
        let overridden = TextAnalysis { r#override: Some(said), ..angry(0.9) };
        assert_eq!(drawn(&words(&overridden), TONE), [(0.2, 1.0)]);
        assert_eq!(drawn(&words(&overridden), ANGER), []);
        let silenced = TextAnalysis { r#override: Some(AnalysisOverride::default()), ..angry(0.9) };
        assert_eq!(drawn(&words(&silenced), TONE), []);
    }

    #[test]
    fn each_rival_speaks_once_by_what_is_said_most_clearly() {
        let span = |competitor: &str, stance: Stance| TextSpan {
            kind: TextSpanKind::Competitor.into(),
            competitor: competitor.to_owned(),
            stance: stance.into(),
            ..TextSpan::default()
        };
        let spans = vec![
            span("Globex", Stance::Neutral),
            span("Globex", Stance::Favorable),
            span("Initech", Stance::Unfavorable),
        ];
        let analysis = TextAnalysis { spans, ..TextAnalysis::default() };
        let said = drawn(&words(&analysis), Topic::Signal(Signal::RivalMention));
        assert_eq!(said, [(LEANS_TO_RIVAL, 0.5), (SPEAKS_AGAINST_RIVAL, 0.5)]);
    }
}
