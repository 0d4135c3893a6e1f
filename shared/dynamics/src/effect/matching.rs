//! Who is comparable.

use super::Account;

/// How many comparable accounts stand for one of the concerned. A judgement: more make the interval narrower and the
/// comparison coarser, and beyond a few there is little to gain (Abadie and Imbens 2006).
pub const NEIGHBOURS: usize = 5;

/// How far the scores of comparable accounts may lie apart, in standard deviations. A judgement: what a linear
/// regression still puts right.
pub const CALIPER: f64 = 0.5;

/// What accounts are compared by.
pub(super) const TRAITS: usize = 5;

/// The traits that are scores: these have a caliper.
const SCORES: usize = 2;

/// An account with the figures that a facet needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// The score just before and one step before; value, age and activity, as logarithms. In [`Matched`] all are in
    /// standard deviations.
    pub(super) traits: [f64; TRAITS],
    pub(super) earliest: Option<f64>,
    pub(super) earlier: f64,
    last: f64,
    pub(super) after: f64,
}

impl Candidate {
    /// None if a score is missing that has to be there.
    pub(super) fn of(account: &Account, facet: usize) -> Option<Candidate> {
        let scores = account.facets.get(facet)?;
        let known = |score: Option<f64>| score.filter(|score| score.is_finite()).map(|score| score.clamp(0.0, 100.0));
        let [earliest, earlier, last] = scores.before.map(known);
        let (earlier, last, after) = (earlier?, last?, known(scores.after)?);
        let log = |figure: f64| if figure.is_finite() { figure.abs().ln_1p().copysign(figure) } else { 0.0 };
        let traits = [last, earlier, log(account.value), log(account.age_days), log(account.activity)];
        Some(Candidate { traits, earliest, earlier, last, after })
    }

    /// The score just before.
    pub(super) fn level(&self) -> f64 {
        self.last
    }
}

/// Those that are compared, with their weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched {
    /// Each of the concerned that somebody is comparable with weighs 1.
    pub(super) concerned: Vec<(Candidate, f64)>,
    /// The others weigh 1 together for each of these.
    pub(super) comparable: Vec<(Candidate, f64)>,
}

/// Finds for each of the concerned its nearest others; one may be near to several.
pub(super) fn match_up(concerned: &[Candidate], others: &[Candidate]) -> Matched {
    let scales = scales(concerned, others);
    let scaled = |one: &Candidate| {
        let mut one = *one;
        for (figure, (middle, scale)) in one.traits.iter_mut().zip(scales) {
            *figure = (*figure - middle) * scale;
        }
        one
    };
    let mut others: Vec<Candidate> = others.iter().map(scaled).collect();
    // By score, so that those within the caliper stand together; what is equal in it stays in order.
    others.sort_by(|one, other| one.traits[0].total_cmp(&other.traits[0]));
    let mut weights = vec![0.0; others.len()];
    let mut matched = Matched::default();
    let mut near = Vec::new();
    for one in concerned.iter().map(scaled) {
        let start = others.partition_point(|other| other.traits[0] < one.traits[0] - CALIPER);
        let end = others.partition_point(|other| other.traits[0] <= one.traits[0] + CALIPER);
        near.clear();
        for (at, other) in others[start..end].iter().enumerate() {
            let apart = |trait_: usize| one.traits[trait_] - other.traits[trait_];
            if (0..SCORES).all(|score| apart(score).abs() <= CALIPER) {
                let distance: f64 = (0..TRAITS).map(|each| apart(each) * apart(each)).sum();
                near.push((distance, start + at));
            }
        }
        if near.is_empty() {
            continue;
        }
        let count = NEIGHBOURS.min(near.len());
        near.select_nth_unstable_by(count - 1, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for &(_, at) in &near[..count] {
            weights[at] += 1.0 / count as f64;
        }
        matched.concerned.push((one, 1.0));
    }
    matched.comparable = others.into_iter().zip(weights).filter(|&(_, weight)| weight > 0.0).collect();
    matched
}

/// The mean of each trait, and 1 over its standard deviation; 0 where all are the same.
fn scales(concerned: &[Candidate], others: &[Candidate]) -> [(f64, f64); TRAITS] {
    let count = (concerned.len() + others.len()).max(2) as f64;
    let mut scales = [(0.0, 0.0); TRAITS];
    for (each, scale) in scales.iter_mut().enumerate() {
        let all = || concerned.iter().chain(others).map(|one| one.traits[each]);
        let mean = all().sum::<f64>() / count;
        let deviation = (all().map(|figure| (figure - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        *scale = (mean, if deviation > 1e-9 * (1.0 + mean.abs()) { 1.0 / deviation } else { 0.0 });
    }
    scales
}
