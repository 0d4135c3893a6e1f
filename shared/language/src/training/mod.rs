//! Makes a model from labelled texts: the same texts give the same bytes. Pure functions still; the example `train`
//! reads the files and shows the progress.

mod calibrate;
mod corpus;
mod glossary;
mod linear;
mod logistic;
mod random;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::thread;

pub use corpus::{Example, Lexicons};
pub use glossary::Glossary;

use crate::Language;
use crate::calibration::Calibration;
use crate::evaluation::{Figures, Verdict, emotion_figures};
use crate::features::DENSE;
use crate::feelings::Feelings;
use crate::format::{ModelError, Writer, float_bytes};
use crate::header::Header;
use crate::model::{Model, OUTPUTS, ROW, lexicon_bytes};
use corpus::Corpus;
use linear::{Linear, Task};

/// How a model is trained.
#[derive(Clone, Debug)]
pub struct Settings {
    /// There are 2 to the power of this many rows.
    pub bits: u32,
    /// So often each example is learned from.
    pub epochs: usize,
    /// The first step of AdaGrad.
    pub rate: f32,
    /// What each step takes from a weight.
    pub decay: f32,
    /// So many models, each from another order of the examples, are averaged.
    pub seeds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bits: 19, epochs: 4, rate: 0.1, decay: 1e-6, seeds: 4 }
    }
}

/// Trains a model and returns its bytes.
///
/// `validation` are other examples, which calibrate it. Further sections are added as they are. `progress` is told what
/// was done, in words, and the share of the whole.
///
/// # Errors
///
/// What was written cannot be read again, which no examples bring about.
pub fn train(
    examples: &[Example],
    validation: &[Example],
    lexicons: &Lexicons,
    settings: &Settings,
    mut header: Header,
    sections: &[(&[u8; 4], &[u8])],
    progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Vec<u8>, ModelError> {
    header.push("features", "words, pairs, negated words, 3- to 5-grams of characters; FxHash, upper bits");
    header.push("settings", format!("{settings:?}"));
    header.push("examples", examples.len());
    progress("reads features", 0.0);
    let corpus = Corpus::of(examples, lexicons, settings.bits);
    progress("trains", 0.15);
    let mut sentiment: Option<Linear<3>> = None;
    let mut emotions: Option<Linear<8>> = None;
    thread::scope(|scope| {
        scope.spawn(|| {
            sentiment = Some(linear::train(&corpus, &Task::sentiment(examples), settings, &|share| {
                progress("trains", 0.15 + 0.35 * share);
            }));
        });
        emotions = Some(linear::train(&corpus, &Task::emotions(examples), settings, &|_| ()));
    });
    let (Some(sentiment), Some(emotions)) = (sentiment, emotions) else { return Err(ModelError::Missing("ROWS")) };
    progress("calibrates", 0.7);
    let (rows, scales) = quantised(&corpus, &sentiment, &emotions);
    let mut dense = vec![[0.0; OUTPUTS]; DENSE];
    for (all, (three, eight)) in dense.iter_mut().zip(sentiment.dense.iter().zip(&emotions.dense)) {
        all[..3].copy_from_slice(three);
        all[3..].copy_from_slice(eight);
    }
    let assemble = |header: &Header, calibrations: &[Calibration; 4]| {
        let mut writer = Writer::new();
        writer.section(b"HEAD", header.text().as_bytes());
        writer.section(b"SCAL", &float_bytes(&scales));
        writer.section(b"DENS", &float_bytes(dense.as_flattened()));
        writer.section(b"CALI", &float_bytes(&calibrations.iter().flat_map(Calibration::numbers).collect::<Vec<_>>()));
        for (tag, lexicon) in [b"LXen", b"LXhu", b"LXnl", b"LXpt"].into_iter().zip(lexicons.of_languages()) {
            writer.section(tag, &lexicon_bytes(lexicon));
        }
        for (tag, content) in sections {
            writer.section(tag, content);
        }
        writer.section(b"ROWS", &rows);
        writer.finish()
    };
    let raw = Model::of(assemble(&header, &Default::default()).into())?;
    let calibrations = calibrate::fit(&raw, validation);
    let calibrated = Model::of(assemble(&header, &calibrations).into())?;
    for (name, figures) in figures_of(&|text, language| calibrated.feelings(text, language), validation) {
        header.push(&name, figures);
    }
    progress("done", 1.0);
    Ok(assemble(&header, &calibrations))
}

/// The figures of each language and source, as a model's header names them.
pub fn figures_of(feelings: &dyn Fn(&str, Language) -> Feelings, examples: &[Example]) -> Vec<(String, String)> {
    let mut sets: BTreeMap<(Language, &str), Vec<&Example>> = BTreeMap::new();
    for example in examples {
        if let Some(language) = example.language {
            sets.entry((language, &example.source)).or_default().push(example);
        }
    }
    let mut figures = Vec::new();
    for ((language, source), examples) in sets {
        let told = |example: &Example| feelings(&example.text, language);
        let verdicts: Vec<_> =
            examples.iter().filter_map(|example| Some(Verdict::of(example.sentiment?, &told(example)))).collect();
        if !verdicts.is_empty() {
            let Figures { texts, macro_f1, auc, .. } = Figures::of(&verdicts);
            let name = format!("valid sentiment {} {source}", language.code());
            figures.push((name, format!("{texts} texts, macro-F1 {macro_f1:.4}, AUC {auc:.4}")));
        }
        let labelled: Vec<_> =
            examples.iter().filter_map(|example| Some((told(example).emotions, example.emotions?))).collect();
        if !labelled.is_empty() {
            let (macro_f1, auc) = emotion_figures(&labelled);
            let name = format!("valid emotions {} {source}", language.code());
            figures.push((name, format!("{} texts, macro-F1 {macro_f1:.4}, AUC {auc:.4}", labelled.len())));
        }
    }
    figures
}

/// The rows of both heads as bytes, and what a byte of each column is worth.
fn quantised(corpus: &Corpus, sentiment: &Linear<3>, emotions: &Linear<8>) -> (Vec<u8>, [f32; OUTPUTS]) {
    let weight = |row: usize, output: usize| {
        let weight = if output < 3 { sentiment.rows[row][output] } else { emotions.rows[row][output - 3] };
        weight * corpus.inverse_frequency(row)
    };
    let rows = sentiment.rows.len();
    let mut scales = [0.0_f32; OUTPUTS];
    for (output, scale) in scales.iter_mut().enumerate() {
        // Nothing is clipped: what is rare and strong counts most.
        *scale = (0..rows).map(|row| weight(row, output).abs()).fold(1e-6, f32::max) / 127.0;
    }
    let mut bytes = Vec::with_capacity(rows * ROW);
    for row in 0..rows {
        bytes.extend((0..OUTPUTS).map(|output| (weight(row, output) / scales[output]).round() as i8 as u8));
        bytes.push(corpus.squares[row]);
    }
    (bytes, scales)
}
