//! Fits the calibration on validation texts.

use std::collections::BTreeMap;

use super::corpus::Example;
use super::logistic::{Case, fit as fit_logistic};
use crate::calibration::{Calibration, SURE, evidence, leading};
use crate::evaluation::f1;
use crate::features::Scratch;
use crate::model::{Model, Sums};
use crate::{Emotion, Language};

/// A validation text and the sums it came to.
struct Seen<'e> {
    example: &'e Example,
    language: Language,
    sums: Sums,
    /// One over the number of texts of its language and source.
    share: f64,
}

/// One share of a hundred of the texts of any language is rarer than what counts as familiar.
const FAMILIAR: f64 = 0.99;

/// A class is told if it is at least so likely right.
const LEAST_SURE: f32 = 0.4;

pub(crate) fn fit(model: &Model, validation: &[Example]) -> [Calibration; 4] {
    let mut scratch = Scratch::default();
    let mut counts: BTreeMap<(Language, &str), f64> = BTreeMap::new();
    let known = || validation.iter().filter_map(|example| Some((example, example.language?)));
    for (example, language) in known() {
        *counts.entry((language, &example.source)).or_default() += 1.0;
    }
    let seen: Vec<Seen<'_>> = known()
        .map(|(example, language)| {
            let sums = model.sums(&example.text, language, &mut scratch);
            Seen { example, language, sums, share: 1.0 / counts[&(language, example.source.as_str())] }
        })
        .collect();
    let mut calibrations: [Calibration; 4] = Default::default();
    for language in Language::ALL {
        let calibration = &mut calibrations[language as usize];
        for emotion in 0..Emotion::ALL.len() {
            calibration.emotions[emotion] = of_emotion(&seen, language, emotion);
        }
        let mut rarities: Vec<f32> =
            seen.iter().filter(|seen| seen.language == language).map(|seen| seen.sums.rarity).collect();
        rarities.sort_by(f32::total_cmp);
        if let Some(&rarity) = rarities.get((rarities.len() as f64 * FAMILIAR) as usize) {
            calibration.most_unfamiliar = rarity;
        }
        calibration.least_sure = LEAST_SURE;
    }
    for language in Language::ALL {
        calibrations[language as usize].offsets = offsets(&seen, language);
    }
    fit_sureness(&seen, &mut calibrations);
    calibrations
}

/// How much texts of other languages count where one language has few of its own, or none of a class.
const OTHERS: f64 = 0.1;

/// The class of a text, and its sums.
type Labelled = (usize, [f32; 3]);

/// A source with so many texts counts in full; of fewer, chance tells too much.
const FULL: f64 = 400.0;

/// What is added to the sums of negative and positive so that the classes are told best: with the greatest mean
/// macro-F1 over the sources.
fn offsets(seen: &[Seen<'_>], language: Language) -> [f32; 3] {
    let mut sets: BTreeMap<(Language, &str), Vec<Labelled>> = BTreeMap::new();
    for seen in seen {
        if let Some(label) = seen.example.sentiment {
            let [negative, neutral, positive, ..] = seen.sums.values;
            let set = sets.entry((seen.language, &seen.example.source)).or_default();
            set.push((usize::from(label), [negative, neutral, positive]));
        }
    }
    let steps = || (-8..=8).map(|step| step as f32 * 0.1);
    let mut best = (f64::NEG_INFINITY, [0.0; 3]);
    for (negative, positive) in steps().flat_map(|negative| steps().map(move |positive| (negative, positive))) {
        // Moderate ones are preferred to what is hardly better.
        let mut value = -0.01 * f64::from(negative * negative + positive * positive);
        let mut weights = 0.0;
        for ((of, _), texts) in &sets {
            let weight = if *of == language { 1.0 } else { OTHERS } * (texts.len() as f64 / FULL).min(1.0);
            value += weight * told_f1(texts, [negative, 0.0, positive]);
            weights += weight;
        }
        value /= weights;
        if value > best.0 {
            best = (value, [negative, 0.0, positive]);
        }
    }
    best.1
}

/// The macro-F1 with these offsets; without neutral texts, of the sign.
fn told_f1(texts: &[Labelled], offsets: [f32; 3]) -> f64 {
    let three = texts.iter().any(|(label, _)| *label == 1);
    let mut confusion = [[0.0_f64; 3]; 3];
    for (label, sums) in texts {
        let [negative, neutral, positive] = [0, 1, 2].map(|class| sums[class] + offsets[class]);
        let told = match three {
            true => leading([negative, neutral, positive]),
            false => leading([negative, f32::NEG_INFINITY, positive]),
        };
        confusion[*label][told] += 1.0;
    }
    let classes = [0, 1, 2].into_iter().filter(|class| three || *class != 1);
    let f1s = classes.map(|class| {
        let labelled: f64 = confusion[class].iter().sum();
        let told: f64 = confusion.iter().map(|row| row[class]).sum();
        2.0 * confusion[class][class] / (labelled + told).max(1.0)
    });
    f1s.sum::<f64>() / if three { 3.0 } else { 2.0 }
}

/// An offset of a language is drawn to none the more, the smaller this is: one with few sources has them for all that
/// is written.
const DRAWN: f64 = 0.3;

/// How sure a class is: alike in all languages, but for an offset.
fn fit_sureness(seen: &[Seen<'_>], calibrations: &mut [Calibration; 4]) {
    const VARIABLES: usize = SURE + 4;
    let cases: Vec<_> = seen
        .iter()
        .filter_map(|seen| {
            let label = usize::from(seen.example.sentiment?);
            let [negative, neutral, positive, ..] = seen.sums.values;
            let probabilities = calibrations[seen.language as usize].probabilities([negative, neutral, positive]);
            let evidence = evidence(probabilities, seen.sums.signals.words, seen.sums.signals.hits);
            let mut variables = [0.0; VARIABLES];
            for (variable, &value) in variables.iter_mut().zip(&evidence) {
                *variable = f64::from(value);
            }
            variables[SURE + seen.language as usize] = DRAWN;
            Some(Case { variables, is: leading(probabilities) == label, weight: seen.share * 500.0 })
        })
        .collect();
    let mut prior = [0.0; VARIABLES];
    prior[1] = 0.5;
    let coefficients = fit_logistic(&cases, prior, 10.0);
    for language in Language::ALL {
        let sure = &mut calibrations[language as usize].sure;
        for (sure, coefficient) in sure.iter_mut().zip(coefficients) {
            *sure = coefficient as f32;
        }
        sure[0] += (DRAWN * coefficients[SURE + language as usize]) as f32;
    }
}

/// Slope and offset of an emotion's probability, and the probability from which on it counts as present.
fn of_emotion(seen: &[Seen<'_>], language: Language, emotion: usize) -> [f32; 3] {
    let sum = |seen: &Seen<'_>| seen.sums.values[3 + emotion];
    let labelled = || {
        seen.iter().filter_map(|seen| {
            let (observed, present) = seen.example.emotions?;
            (observed >> emotion & 1 == 1).then_some((seen, present >> emotion & 1 == 1))
        })
    };
    let cases: Vec<_> = labelled()
        .filter(|(seen, _)| seen.language == language)
        .map(|(seen, is)| Case { variables: [1.0, f64::from(sum(seen))], is, weight: seen.share * 300.0 })
        .collect();
    let [offset, slope] = fit_logistic(&cases, [0.0, 1.0], 2.0);
    let slope = slope.max(0.1);
    // The threshold: what has the greatest F1, the mean over the sources of the language; the other languages count
    // too, since one alone has few texts.
    let mut sets: BTreeMap<(Language, &str), Vec<(bool, f64)>> = BTreeMap::new();
    for (seen, is) in labelled() {
        let probability = 1.0 / (1.0 + (-(slope * f64::from(sum(seen)) + offset)).exp());
        sets.entry((seen.language, &seen.example.source)).or_default().push((is, probability));
    }
    let value = |threshold: f64| -> f64 {
        sets.iter()
            .map(|((of, _), texts)| {
                let weight = if *of == language { 1.0 } else { 0.1 };
                weight * f1(texts.iter().map(|&(is, probability)| (is, probability >= threshold)))
            })
            .sum()
    };
    let thresholds = (4..=140).map(|step| f64::from(step) * 0.005);
    let (_, threshold) = thresholds.fold((0.0, 0.5), |best, threshold| {
        let value = value(threshold);
        if value > best.0 { (value, threshold) } else { best }
    });
    [slope as f32, offset as f32, threshold as f32]
}
