//! What one analysis should have been.

use contracts::{
    common::v1::{AnalysisOverride, Emotion, EmotionKind, TextAnalysis},
    feedback::v1::OverrideFeedbackAnalysisRequest,
    interactions::v1::OverrideInteractionAnalysisRequest,
};

use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output,
};

const FULL_NAME: &str = "rapport.common.v1.TextAnalysis";

/// With a reason alone, the text is said to tell nothing of feelings.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct OverrideArgs {
    /// The full name of an interaction or of feedback.
    name: String,
    /// How the words sound, from -1 (hostile) to 1 (warm).
    #[arg(long, allow_negative_numbers = true, value_name = "TONE")]
    sentiment: Option<f64>,
    /// An emotion in them and how strong it is, from 0 to 1; may be repeated.
    #[arg(long, value_name = "EMOTION=INTENSITY", value_parser = emotion)]
    emotion: Vec<Emotion>,
    /// Why.
    #[arg(long, required_unless_present = "take_back")]
    reason: Option<String>,
    /// Let the analysis stand again.
    #[arg(long, conflicts_with_all = ["sentiment", "emotion", "reason"])]
    take_back: bool,
}

pub(super) async fn run(connect: &ConnectArgs, args: OverrideArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let said = (!args.take_back).then(|| AnalysisOverride {
        sentiment: args.sentiment,
        emotions: args.emotion,
        reason: args.reason.unwrap_or_default(),
        override_time: None,
    });
    let collection = args.name.split('/').nth(2).unwrap_or_default();
    let analysis = match collection {
        "interactions" => {
            let ask = OverrideInteractionAnalysisRequest { name: args.name, r#override: said, ..Default::default() };
            let answer = connection.interactions().override_interaction_analysis(connection.request(ask)).await?;
            answer.into_inner().interaction.and_then(|interaction| interaction.analysis)
        }
        "feedback" => {
            let ask = OverrideFeedbackAnalysisRequest { name: args.name, r#override: said, ..Default::default() };
            let answer = connection.feedback().override_feedback_analysis(connection.request(ask)).await?;
            answer.into_inner().feedback.and_then(|feedback| feedback.analysis)
        }
        _ => {
            return Err(Error::Usage(format!(
                "`{}` is no name such as `accounts/{{account}}/interactions/{{interaction}}` or \
                 `accounts/{{account}}/feedback/{{feedback}}`",
                args.name
            )));
        }
    };
    print(&analysis.unwrap_or_default())
}

fn print(analysis: &TextAnalysis) -> Result<Exit, Error> {
    output::line(&serde_json::to_string_pretty(&contract::to_json(FULL_NAME, analysis)?)?)?;
    Ok(Exit::Ok)
}

/// Reads `anger=0.7`.
fn emotion(argument: &str) -> Result<Emotion, String> {
    let (name, intensity) = argument.split_once('=').ok_or("needs an intensity, as in anger=0.7")?;
    let kind = EmotionKind::from_str_name(&format!("EMOTION_KIND_{}", name.trim().to_uppercase()));
    let kind = kind.filter(|kind| *kind != EmotionKind::Unspecified).ok_or_else(|| {
        format!("`{name}` is none of joy, trust, fear, surprise, sadness, disgust, anger and anticipation")
    })?;
    let intensity = intensity.trim().parse::<f64>().ok().filter(|intensity| (0.0..=1.0).contains(intensity));
    let intensity = intensity.ok_or("the intensity is a number from 0 to 1")?;
    Ok(Emotion { kind: kind.into(), intensity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emotion_has_a_name_and_an_intensity() {
        assert_eq!(emotion("anger=0.7"), Ok(Emotion { kind: EmotionKind::Anger.into(), intensity: 0.7 }));
        for wrong in ["anger", "hate=1", "unspecified=1", "joy=2", "joy=much", "=1"] {
            assert!(emotion(wrong).is_err(), "{wrong}");
        }
    }
}
