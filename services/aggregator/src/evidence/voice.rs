//! The tone and the emotions of what a party says, as somebody stated them.

use contracts::common::v1::{Emotion as StatedEmotion, EmotionKind};
use dynamics::{Emotion, Signal, View};

use super::draft::Draft;
use super::scale::stated;

/// What emotions alone say of the tone weighs half of a stated tone: it follows from them and was not stated itself.
const EMOTIONS_WEIGHT: f64 = 0.5;

/// Records the tone that was stated, the emotions, and the tone that follows from the emotions.
pub(super) fn draw(draft: &mut Draft, view: View, at: i64, sentiment: Option<f64>, emotions: &[StatedEmotion]) {
    let tone = match view {
        View::Customer => Signal::CustomerTone,
        View::Provider => Signal::ProviderTone,
    };
    if let Some(sentiment) = stated(sentiment) {
        draft.say(tone, at, sentiment, 1.0);
    }
    let (mut felt, mut warmth) = (0.0, 0.0);
    for stated_emotion in emotions {
        let Some(emotion) = emotion(stated_emotion.kind()) else {
            continue;
        };
        let Some(intensity) = stated(Some(stated_emotion.intensity)) else {
            continue;
        };
        draft.feel(view, emotion, at, intensity);
        felt += intensity.max(0.0);
        warmth += valence(emotion) * intensity.max(0.0);
    }
    if felt > 0.0 {
        draft.say(tone, at, warmth / felt, EMOTIONS_WEIGHT * felt.min(1.0));
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
