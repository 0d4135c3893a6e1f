//! How well a model does on labelled texts: pure functions over what it said and what was right.

use crate::Estimate;
use crate::feelings::{Feelings, Polarity};

/// What was said of one text's sentiment, and what was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What was right: 0 negative, 1 neutral, 2 positive.
    pub label: u8,
    /// The sentiment that was told, from -1 to 1.
    pub value: f32,
    /// How sure it was of the class.
    pub sure: f32,
    /// Whether it abstained.
    pub abstained: bool,
}

impl Verdict {
    /// What was said, beside what was right: 0 negative, 1 neutral, 2 positive.
    pub fn of(label: u8, feelings: &Feelings) -> Self {
        let Estimate { value, sure } = feelings.sentiment;
        Self { label, value, sure, abstained: feelings.abstention.is_some() }
    }
}

/// How well sentiments were told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many texts there were.
    pub texts: usize,
    /// The share of right classes. Of a set without neutral texts the sign decides.
    pub accuracy: f64,
    /// The mean over the classes that occur of the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// The probability that a positive text has a higher value than a negative one.
    pub auc: f64,
    /// `macro_f1` of the four fifths of which it was most sure.
    pub surest_f1: f64,
    /// The share of texts of which it abstained.
    pub abstained: f64,
    /// `macro_f1` of the others.
    pub told_f1: f64,
    /// For each tenth of sureness from 0 to 1: how many texts, how many of them right.
    pub calibration: [(usize, usize); 10],
}

impl Figures {
    /// Judges what was said of a set of texts.
    pub fn of(verdicts: &[Verdict]) -> Self {
        if verdicts.is_empty() {
            return Self::default();
        }
        let three = verdicts.iter().any(|verdict| verdict.label == 1);
        let pairs = |verdicts: &[Verdict]| {
            verdicts.iter().map(|verdict| (verdict.label, class(verdict.value, three))).collect::<Vec<_>>()
        };
        let mut by_sureness = verdicts.to_vec();
        by_sureness.sort_by(|a, b| b.sure.total_cmp(&a.sure));
        by_sureness.truncate(verdicts.len() - verdicts.len() / 5);
        let told: Vec<_> = verdicts.iter().copied().filter(|verdict| !verdict.abstained).collect();
        let mut calibration = [(0, 0); 10];
        for verdict in verdicts {
            let (texts, right) = &mut calibration[((verdict.sure * 10.0) as usize).min(9)];
            *texts += 1;
            *right += usize::from(class(verdict.value, true) == verdict.label);
        }
        let all = pairs(verdicts);
        let right = all.iter().filter(|(label, told)| label == told).count();
        let of = |label| {
            verdicts.iter().filter(|verdict| verdict.label == label).map(|verdict| verdict.value).collect::<Vec<_>>()
        };
        Self {
            texts: verdicts.len(),
            accuracy: right as f64 / verdicts.len() as f64,
            macro_f1: macro_f1(&all),
            auc: auc(&of(2), &of(0)),
            surest_f1: macro_f1(&pairs(&by_sureness)),
            abstained: 1.0 - told.len() as f64 / verdicts.len() as f64,
            told_f1: macro_f1(&pairs(&told)),
            calibration,
        }
    }
}

/// What was told of a text's emotions, with the emotions that were looked for and those that are in it, a bit each.
pub type Labelled = ([Estimate; 8], (u8, u8));

/// The F1 and the AUC of one emotion, over the texts in which it was looked for; absent if there are none.
pub fn emotion(told: &[Labelled], emotion: usize) -> Option<(f64, f64)> {
    let seen: Vec<_> = told
        .iter()
        .filter(|(_, (observed, _))| observed >> emotion & 1 == 1)
        .map(|(estimates, (_, present))| (present >> emotion & 1 == 1, estimates[emotion]))
        .collect();
    let values = |wanted: bool| {
        seen.iter().filter(|(is, _)| *is == wanted).map(|(_, estimate)| estimate.sure).collect::<Vec<_>>()
    };
    let f1 = f1(seen.iter().map(|(is, estimate)| (*is, estimate.value >= 0.5)));
    (!seen.is_empty()).then(|| (f1, auc(&values(true), &values(false))))
}

/// The means of F1 and AUC over the emotions that were looked for.
pub fn emotion_figures(told: &[Labelled]) -> (f64, f64) {
    let figures: Vec<_> = (0..8).filter_map(|at| emotion(told, at)).collect();
    let mean =
        |figure: &dyn Fn(&(f64, f64)) -> f64| figures.iter().map(figure).sum::<f64>() / figures.len().max(1) as f64;
    (mean(&|figures| figures.0), mean(&|figures| figures.1))
}

fn class(value: f32, three: bool) -> u8 {
    if three { Polarity::of(value) as u8 } else { 2 * u8::from(value > 0.0) }
}

/// The mean of the F1 of the labels that occur; pairs are of label and what was told.
pub fn macro_f1(pairs: &[(u8, u8)]) -> f64 {
    let mut labels: Vec<u8> = pairs.iter().map(|&(label, _)| label).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.is_empty() {
        return 0.0;
    }
    labels.iter().map(|&class| f1(pairs.iter().map(|&(label, told)| (label == class, told == class)))).sum::<f64>()
        / labels.len() as f64
}

/// The harmonic mean of precision and recall; pairs are of what is and what was told.
pub fn f1(pairs: impl Iterator<Item = (bool, bool)>) -> f64 {
    let (mut right, mut wrong) = (0.0, 0.0);
    for (is, told) in pairs {
        right += f64::from(u8::from(is && told));
        wrong += f64::from(u8::from(is != told));
    }
    if right == 0.0 { 0.0 } else { 2.0 * right / (2.0 * right + wrong) }
}

/// The probability that one of the first is greater than one of the second; equals count half. One half if there are
/// none.
pub fn auc(greater: &[f32], smaller: &[f32]) -> f64 {
    if greater.is_empty() || smaller.is_empty() {
        return 0.5;
    }
    let mut all: Vec<(f32, bool)> =
        greater.iter().map(|&value| (value, true)).chain(smaller.iter().map(|&value| (value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum) = (0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let greater = equal.iter().filter(|(_, greater)| *greater).count() as f64;
        let smaller = equal.len() as f64 - greater;
        sum += greater * (below + smaller / 2.0);
        below += smaller;
    }
    sum / (greater.len() as f64 * smaller.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_a_small_set_counted_by_hand() {
        assert_eq!(auc(&[0.9, 0.5], &[0.5, 0.1]), 0.875);
        assert_eq!(f1([(true, true), (true, false), (false, true)].into_iter()), 0.5);
        assert_eq!(macro_f1(&[(0, 0), (0, 2), (2, 2)]), (2.0 / 3.0 + 2.0 / 3.0) / 2.0);
        let verdict = |label, value, sure| Verdict { label, value, sure, abstained: sure < 0.5 };
        let verdicts = [
            verdict(0, -0.9, 0.95),
            verdict(2, 0.9, 0.85),
            verdict(2, -0.5, 0.4),
            verdict(0, 0.1, 0.3),
            verdict(2, 0.4, 0.8),
        ];
        let figures = Figures::of(&verdicts);
        assert_eq!((figures.texts, figures.accuracy, figures.abstained), (5, 0.6, 0.4));
        assert_eq!(figures.told_f1, 1.0);
        assert_eq!(figures.calibration[8], (2, 2));
        assert_eq!(figures.calibration[3], (1, 0));
    }
}
