//! How sure the identifier is, and when it is sure enough.

use super::table::{KNOTS, LANES, Sum, softmax};
use super::tally::Tally;
use super::training::{Dice, Hashed, Row, Settings, unmasked};
use super::{Identifier, Language};

/// Steps of the search for a temperature.
const STEPS: u32 = 40;
/// The temperatures that are searched.
const COLDEST: f32 = 0.05;
const HOTTEST: f32 = 5.0;

/// Some words of known language.
struct Example {
    logits: [f32; LANES],
    class: usize,
    weight: f32,
    words: u32,
}

/// Sets the temperatures to those that make the validation rows likeliest: whole ones, and windows of 1, 2, 4 and 8
/// words of each. Then sets the threshold so that, on average over the other languages, at most the part that the
/// settings allow of their whole rows is accepted. The four languages together weigh as much as all others together,
/// and every language as much as the others on its side.
pub(super) fn calibrate(identifier: &mut Identifier, rows: &[Row<'_>], settings: &Settings) {
    let examples = examples(identifier, rows, settings.seed);
    let classes = identifier.table.codes.len();
    for (at, knot) in KNOTS.iter().enumerate() {
        // A knot stands for the lengths that are nearer to it than to another.
        let near = |words: u32| nearest_knot(words) == *knot;
        let near: Vec<_> = examples.iter().filter(|example| near(example.words)).collect();
        if near.is_empty() {
            continue;
        }
        identifier.table.temperatures[at] = coldest_of_least(|temperature| {
            near.iter()
                .map(|example| {
                    let probability = softmax(example.logits, classes, temperature)[example.class];
                    -example.weight * libm::logf(probability.max(1e-9))
                })
                .sum()
        });
    }
    identifier.table.threshold = threshold(identifier, rows, settings.false_acceptance);
}

fn nearest_knot(words: u32) -> u32 {
    let distance = |knot: u32| libm::fabsf(libm::log2f(words.max(1) as f32 / knot as f32));
    KNOTS.into_iter().reduce(|best, knot| if distance(knot) < distance(best) { knot } else { best }).unwrap_or(1)
}

/// Where a function of one low point has it (golden-section search, Kiefer 1953, in the logarithm).
fn coldest_of_least(loss: impl Fn(f32) -> f32) -> f32 {
    const GOLDEN: f32 = 0.618_034;
    let (mut low, mut high) = (libm::logf(COLDEST), libm::logf(HOTTEST));
    for _ in 0..STEPS {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if loss(libm::expf(left)) <= loss(libm::expf(right)) {
            high = right;
        } else {
            low = left;
        }
    }
    libm::expf((low + high) / 2.0)
}

/// The weight of a row of each class: the same for all classes of a side, and both sides together the same.
pub(super) fn weights(identifier: &Identifier, rows: &[Row<'_>]) -> Vec<f32> {
    let codes = identifier.codes();
    let counts: Vec<_> = codes.iter().map(|code| rows.iter().filter(|row| row.class() == *code).count()).collect();
    let is_ours = |class: usize| Language::of_code(codes[class]).is_some();
    let side = |ours: bool| (0..codes.len()).filter(|class| is_ours(*class) == ours && counts[*class] > 0).count();
    (0..codes.len()).map(|class| 0.5 / (side(is_ours(class)).max(1) * counts[class].max(1)) as f32).collect()
}

fn examples(identifier: &Identifier, rows: &[Row<'_>], seed: u64) -> Vec<Example> {
    let table = &identifier.table;
    let weights = weights(identifier, rows);
    let mut dice = Dice(seed);
    let mut hashed = Hashed::default();
    let mut examples = Vec::new();
    for row in rows {
        let Some(class) = table.codes.iter().position(|code| *code == row.class()) else { continue };
        hashed.fill(&unmasked(row.text));
        let all = hashed.ends.len();
        for words in [1, 2, 4, 8, all] {
            if words == 0 || words > all {
                continue;
            }
            let mut tally = Tally { words: words as u32, ..Tally::NONE };
            for hash in hashed.window(dice.below(all - words + 1), words) {
                let mut sum = Sum::default();
                sum.add(&table.rows[table.place(*hash) as usize]);
                sum.move_to(&mut tally.sums);
                tally.grams += 1;
            }
            examples.push(Example { logits: table.logits(&tally), class, weight: weights[class], words: words as u32 });
        }
    }
    examples
}

/// The least probability at which at most this part of the rows in other languages is accepted.
fn threshold(identifier: &Identifier, rows: &[Row<'_>], false_acceptance: f32) -> f32 {
    let weights = weights(identifier, rows);
    let mut accepted = Vec::new();
    for row in rows.iter().filter(|row| Language::of_code(row.class()).is_none()) {
        let Some(class) = identifier.codes().iter().position(|code| *code == row.class()) else { continue };
        let identified = identifier.identify(&unmasked(row.text));
        if Language::of_code(identified.code).is_some() && !identified.is_mixed {
            // Both sides weigh one half.
            accepted.push((identified.probability, 2.0 * weights[class]));
        }
    }
    accepted.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut sum = 0.0;
    for (probability, weight) in accepted {
        sum += weight;
        if sum > false_acceptance {
            // Just above the first that is too much.
            return probability.next_up().min(1.0);
        }
    }
    0.0
}
