//! A linear head, by AdaGrad (Duchi, Hazan and Singer, 2011).

use std::collections::BTreeMap;

use super::Settings;
use super::corpus::{Corpus, Example};
use super::random::Random;
use crate::Language;
use crate::calibration::sigmoid;
use crate::features::{COMMON, DENSE, OWN, own_offset};

/// The weights of a head with `N` sums.
pub(crate) struct Linear<const N: usize> {
    pub(crate) rows: Vec<[f32; N]>,
    pub(crate) dense: Vec<[f32; N]>,
}

/// English examples count so much more: they are of the most kinds, and languages share what they teach.
const ENGLISH: f32 = 1.5;

/// What a head learns: which examples, how much each counts, and what each should come to.
pub(crate) struct Task {
    examples: Vec<(usize, f32)>,
    /// The outputs that are known and the outputs that are right, a bit each.
    labels: Vec<(u8, u8)>,
    /// Whether exactly one output is right.
    exclusive: bool,
}

fn counts<K: Ord>(keys: impl Iterator<Item = (K, f32)>) -> BTreeMap<K, f32> {
    let mut counts = BTreeMap::new();
    for (key, weight) in keys {
        *counts.entry(key).or_insert(0.0) += weight;
    }
    counts
}

impl Task {
    /// The classes of sentiment. Those of each language weigh alike, and each language by the root of its examples.
    pub(crate) fn sentiment(examples: &[Example]) -> Self {
        let known = || {
            examples.iter().enumerate().filter_map(|(at, example)| Some((at, example.language?, example.sentiment?)))
        };
        let kind = |at: usize| examples[at].translated;
        let of_class = counts(known().map(|(at, language, class)| ((language, kind(at), class), examples[at].weight)));
        let of_language = counts(known().map(|(at, language, _)| ((language, kind(at)), examples[at].weight)));
        let own = of_language.iter().filter(|((_, translated), _)| !translated);
        let mean = own.map(|(_, n)| n).sum::<f32>() / Language::ALL.len() as f32;
        let weighed = known().map(|(at, language, class)| {
            let n = of_language[&(language, kind(at))];
            let balance = n / 3.0 / of_class[&(language, kind(at), class)];
            let share = if kind(at) { 1.0 } else { (mean / n).sqrt() };
            let share = if language == Language::English { share * ENGLISH } else { share };
            (at, (balance * share).min(8.0) * examples[at].weight)
        });
        let labels = examples.iter().map(|example| (7, example.sentiment.map_or(0, |class| 1 << class))).collect();
        Self { examples: weighed.collect(), labels, exclusive: true }
    }

    /// The emotions. Sources with many examples weigh less for each.
    pub(crate) fn emotions(examples: &[Example]) -> Self {
        let known = || examples.iter().enumerate().filter(|(_, example)| example.emotions.is_some());
        let of_source = counts(known().map(|(_, example)| ((example.language, &example.source), 1.0)));
        let weighed = known().map(|(at, example)| {
            let n = of_source[&(example.language, &example.source)];
            (at, (10_000.0 / n).powf(0.25))
        });
        let labels = examples.iter().map(|example| example.emotions.unwrap_or_default()).collect();
        Self { examples: weighed.collect(), labels, exclusive: false }
    }
}

/// Trains a head as often as the settings have seeds, and averages.
pub(crate) fn train<const N: usize>(
    corpus: &Corpus,
    task: &Task,
    settings: &Settings,
    progress: &dyn Fn(f64),
) -> Linear<N> {
    let mut sum = Linear { rows: vec![[0.0; N]; corpus.squares.len()], dense: vec![[0.0; N]; DENSE] };
    for seed in 0..settings.seeds {
        let once = train_once::<N>(corpus, task, settings, seed, &|share| {
            progress((seed as f64 + share) / settings.seeds as f64);
        });
        let pairs = sum.rows.iter_mut().chain(&mut sum.dense).zip(once.rows.iter().chain(&once.dense));
        for (sum, weights) in pairs {
            for (sum, weight) in sum.iter_mut().zip(weights) {
                *sum += weight / settings.seeds as f32;
            }
        }
    }
    sum
}

/// A weight and the sum of the squares of its gradients.
type Cell = (f32, f32);

fn train_once<const N: usize>(
    corpus: &Corpus,
    task: &Task,
    settings: &Settings,
    seed: u64,
    progress: &dyn Fn(f64),
) -> Linear<N> {
    let mut rows: Vec<[Cell; N]> = vec![[(0.0, 0.0); N]; corpus.squares.len()];
    let mut dense: Vec<[Cell; N]> = vec![[(0.0, 0.0); N]; DENSE];
    let mut order = task.examples.clone();
    let mut random = Random::of(seed);
    for epoch in 0..settings.epochs {
        random.shuffle(&mut order);
        for &(example, weight) in &order {
            let entries = corpus.entries(example);
            let signals = &corpus.signals[example];
            let own = own_offset(corpus.languages[example]);
            let mut sums = [0.0_f32; N];
            for &(row, value) in entries {
                for (sum, (weight, _)) in sums.iter_mut().zip(&rows[row as usize]) {
                    *sum += weight * value;
                }
            }
            let (common, owns) = (&dense[..COMMON], &dense[own..][..OWN]);
            for (signal, cells) in signals.common.iter().zip(common).chain(signals.own.iter().zip(owns)) {
                for (sum, (weight, _)) in sums.iter_mut().zip(cells) {
                    *sum += weight * signal;
                }
            }
            let gradient = gradient(sums, task.labels[example], task.exclusive, weight);
            for &(row, value) in entries {
                step(&mut rows[row as usize], &gradient, value, settings);
            }
            for (signal, at) in signals.common.iter().zip(0..).chain(signals.own.iter().zip(own..)) {
                if *signal != 0.0 {
                    step(&mut dense[at], &gradient, *signal, settings);
                }
            }
        }
        progress((epoch + 1) as f64 / settings.epochs as f64);
    }
    let weights = |cells: Vec<[Cell; N]>| cells.into_iter().map(|cells| cells.map(|(weight, _)| weight)).collect();
    Linear { rows: weights(rows), dense: weights(dense) }
}

/// The derivative of the loss by each sum.
fn gradient<const N: usize>(sums: [f32; N], (known, right): (u8, u8), exclusive: bool, weight: f32) -> [f32; N] {
    let bit = |bits: u8, output: usize| bits >> output & 1 == 1;
    let target = |output: usize| if bit(right, output) { 1.0 } else { 0.0 };
    let mut gradient = [0.0; N];
    if exclusive {
        let greatest = sums.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let powers = sums.map(|sum| (sum - greatest).exp());
        let total: f32 = powers.iter().sum();
        for output in 0..N {
            gradient[output] = (powers[output] / total - target(output)) * weight;
        }
    } else {
        for output in (0..N).filter(|&output| bit(known, output)) {
            gradient[output] = (sigmoid(sums[output]) - target(output)) * weight;
        }
    }
    gradient
}

#[inline]
fn step<const N: usize>(cells: &mut [Cell; N], gradient: &[f32; N], value: f32, settings: &Settings) {
    for ((weight, squares), slope) in cells.iter_mut().zip(gradient) {
        let slope = slope * value + settings.decay * *weight;
        *squares += slope * slope;
        *weight -= settings.rate * slope / (squares.sqrt() + 1e-6);
    }
}
