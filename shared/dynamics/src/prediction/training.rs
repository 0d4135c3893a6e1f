//! Fitting all that a tenant's predictions rest on, from the order days of its customers.

use std::cmp::Ordering;

use super::choice::{Candidate, HeldBack, Trial, choose};
use super::fit::{Fit, FitError, Precision, fit};
use super::history::{Features, Known, OrderDay, Past, PastError};
use super::layer::{Answer, Correction, Example, Lesson};
use super::model::{ActivityModel, Kind};
use super::plan::{PARTS, Plan};
use super::predictor::{Predictor, PredictorParts, Uncertainty};
use super::spend::{SpendFit, SpendModel, fit_spend};
use super::summary::{DAYS_PER_WEEK, Portfolio, Spend, Summary, Tally};

/// How far a training has come, in steps of about the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub of: u32,
}

/// Takes customers in, in any order, and fits. The same customers give the same bits.
///
/// Memory: 32 to 128 bytes for each distinct summary of a counted customer; for one that is learned
/// from, some 600 bytes for each cut of the plan at which it had ordered. A sample of some 20,000
/// customers is enough to learn from.
#[derive(Clone, Debug)]
pub struct Trainer {
    plan: Plan,
    portfolio: Tally<Summary>,
    spends: Tally<Spend>,
    trials: Tally<Trial>,
    earlier: Vec<(Tally<Summary>, Tally<Spend>)>,
    learned: Vec<Vec<Seen>>,
}

/// The models of activity and of spend at a cut.
type Models = Option<(ActivityModel, Option<SpendModel>)>;

/// A customer at one of the cuts.
#[derive(Clone, Debug)]
struct Seen {
    cut: usize,
    summary: Summary,
    features: Features,
    spend: Option<Spend>,
    /// Order days within the horizon, half of it, and a quarter.
    orders: [f64; 3],
    /// What was spent on them.
    spent: [f64; 3],
}

impl Trainer {
    /// Ready for customers.
    pub fn new(plan: Plan) -> Trainer {
        let earlier = vec![Default::default(); plan.cuts().len()];
        let (portfolio, spends, trials) = (Tally::default(), Tally::default(), Tally::default());
        Trainer { plan, portfolio, spends, trials, earlier, learned: Vec::new() }
    }

    /// What was planned.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Counts a customer for the models of activity and spend only. One with no order up to the
    /// cut is left out.
    ///
    /// # Errors
    /// When the days do not ascend, lie too far apart, or their spend is not finite.
    pub fn count(&mut self, days: &[OrderDay]) -> Result<(), PastError> {
        let now = match Past::new(days, self.plan.cut(), Known::NOTHING) {
            Err(PastError::NoOrder) => return Ok(()),
            past => past?,
        };
        self.portfolio.add(now.summary(), 1);
        if let Some(spend) = now.spend() {
            self.spends.add(spend, 1);
        }
        let horizon = self.plan.days();
        if let Ok(before) = Past::new(days, self.plan.cut().saturating_sub(horizon), Known::NOTHING)
            && let Ok(trial) = Trial::new(before.summary(), now.summary())
        {
            self.trials.add(trial, 1);
        }
        Ok(())
    }

    /// Counts a customer and learns from it. `known` has what was known beyond orders at each of
    /// the plan's cuts, or is empty.
    ///
    /// # Errors
    /// As for [`Self::count`], or when `known` fits neither.
    pub fn add(&mut self, days: &[OrderDay], known: &[Known]) -> Result<(), PastError> {
        if !known.is_empty() && known.len() != self.plan.cuts().len() {
            return Err(PastError::Known);
        }
        self.learn_from(days, |cut| Some((days, known.get(cut).copied().unwrap_or_default())))
    }

    /// As [`Self::add`], of a customer of whom other order days were known at the plan's cuts than are
    /// today: later ones were cancelled, entered late or returned. What followed a cut is counted by
    /// what is known today. None where the customer was not known to be one.
    ///
    /// # Errors
    /// As for [`Self::count`], or when there is not one entry for each cut.
    pub fn add_as_known(&mut self, days: &[OrderDay], then: &[Option<(&[OrderDay], Known)>]) -> Result<(), PastError> {
        if then.len() != self.plan.cuts().len() {
            return Err(PastError::Known);
        }
        self.learn_from(days, |cut| match then.get(cut) {
            Some(then) => *then,
            None => Some((days, Known::NOTHING)),
        })
    }

    fn learn_from<'a>(
        &mut self,
        days: &'a [OrderDay],
        then: impl Fn(usize) -> Option<(&'a [OrderDay], Known)>,
    ) -> Result<(), PastError> {
        self.count(days)?;
        if self.plan.cuts().is_empty() {
            return Ok(());
        }
        let mut seen = Vec::new();
        for (i, cut) in self.plan.cuts().iter().chain([&self.plan.cut()]).enumerate() {
            let Some((known_days, known)) = then(i) else { continue };
            let Ok(past) = Past::new(known_days, *cut, known) else { continue };
            let seen_days = days.partition_point(|order| order.day <= *cut);
            let within = |part: i64| {
                let last = cut.saturating_add(self.plan.days() / part).min(self.plan.cut());
                &days[seen_days..days.partition_point(|order| order.day <= last).max(seen_days)]
            };
            if let Some(tally) = self.earlier.get_mut(i) {
                tally.0.add(past.summary(), 1);
                past.spend().into_iter().for_each(|spend| tally.1.add(spend, 1));
            }
            seen.push(Seen {
                cut: i,
                summary: past.summary(),
                features: past.features(),
                spend: past.spend(),
                orders: PARTS.map(|part| within(part).len() as f64),
                spent: PARTS.map(|part| within(part).iter().map(|order| order.spend).sum()),
            });
        }
        if !seen.is_empty() {
            self.learned.push(seen);
        }
        Ok(())
    }

    /// Fits everything, telling `watch` of each step.
    ///
    /// # Errors
    /// When no customer has been seen for any time.
    pub fn train(mut self, watch: &mut dyn FnMut(Progress)) -> Result<Trained, FitError> {
        // What follows must not depend on the order in which customers came.
        self.learned.sort_by(|one, other| one.iter().map(Key).cmp(other.iter().map(Key)));
        let portfolio = std::mem::take(&mut self.portfolio).finish();
        let held_back: HeldBack = std::mem::take(&mut self.trials).finish();
        let spends = std::mem::take(&mut self.spends).finish();
        let mut progress = Progress { done: 0, of: (3 + self.plan.cuts().len() + 2 * STRENGTHS.len()) as u32 };
        let mut step = |progress: &mut Progress| {
            progress.done += 1;
            watch(*progress);
        };

        let kinds = [Kind::ParetoNbd, Kind::BgNbd, Kind::MbgNbd, Kind::Nbd];
        let candidates = choose(&kinds, &held_back).unwrap_or_default();
        step(&mut progress);
        let activity = match candidates.first() {
            Some(best) => fit(best.fit.asked, &portfolio)?,
            None => {
                let fits: Vec<Fit> = kinds.iter().map(|kind| fit(*kind, &portfolio)).collect::<Result<_, _>>()?;
                let higher = |best: Fit, next: Fit| if next.ln_likelihood > best.ln_likelihood { next } else { best };
                fits.into_iter().reduce(higher).ok_or(FitError::NoHistory)?
            }
        };
        let uncertainty = uncertainty_of(&activity, &portfolio);
        step(&mut progress);
        let spend = fit_spend(&spends).ok();
        step(&mut progress);

        let mut models = Vec::with_capacity(self.earlier.len() + 1);
        for (summaries, spends) in std::mem::take(&mut self.earlier) {
            let model = fit(activity.asked, &summaries.finish()).ok().map(|fit| fit.model);
            let spend = fit_spend(&spends.finish()).ok().map(|fit| fit.model);
            models.push(model.map(|model| (model, spend)));
            step(&mut progress);
        }
        models.push(Some((activity.model, spend.as_ref().map(|fit| fit.model))));
        let [(chance, chance_correction), (orders, orders_correction)] =
            [Answer::Chance, Answer::Orders].map(|answer| self.learn(answer, &models, &mut || step(&mut progress)));
        let spend_losses = orders_correction.as_ref().and_then(|_| self.spend_losses(&models, &orders));
        let parts = PredictorParts {
            horizon_days: self.plan.horizon_days(),
            activity: activity.model,
            uncertainty,
            spend: spend.as_ref().map(|fit| fit.model),
            spend_covariance: spend.as_ref().and_then(|fit| fit.precision.as_ref()).map(flat),
            chance: chance_correction,
            orders: orders_correction,
            spend_follows_orders: spend_losses.is_some_and(|[plain, corrected]| corrected < plain),
        };
        let predictor = Predictor::from_parts(parts).map_err(|_| FitError::NoHistory)?;
        let customers_learned = self.learned.len() as u64;
        Ok(Trained { predictor, activity, candidates, spend, chance, orders, spend_losses, customers_learned })
    }

    /// The customers at these cuts, each with the days after it; the place after the last is T0.
    fn examples(&self, models: &[Models], cuts: &[usize], days: i64) -> Vec<Example<'_>> {
        let part = PARTS.iter().position(|part| self.plan.days() / part == days).unwrap_or(0);
        let mut examples = Vec::new();
        for (customer, seen) in self.learned.iter().enumerate() {
            for at in seen.iter().filter(|at| cuts.contains(&at.cut)) {
                let Some((model, spend)) = &models[at.cut] else { continue };
                examples.push(Example {
                    customer,
                    features: &at.features,
                    forecast: model.forecast(&at.summary, days as f64 / DAYS_PER_WEEK),
                    orders: at.orders[part],
                    worth: spend.as_ref().map(|model| model.expected(at.spend.as_ref())),
                    spent: at.spent[part],
                });
            }
        }
        examples
    }

    /// What the expected spend e lost on the time held back, s being spent, as the mean over customers
    /// of e - s ln e (the quasi-likelihood of a variance in proportion to the mean): with the orders
    /// that the model of activity expects, and with the corrected ones. None where it cannot be told.
    fn spend_losses(&self, models: &[Models], orders: &Comparison) -> Option<[f64; 2]> {
        let (mut losses, mut count) = ([0.0; 2], 0.0);
        for look in self.plan.looks() {
            let judged = self.examples(models, &[look.judged], look.days);
            let learned = self.examples(models, &look.learned, look.days);
            let correction = Lesson::new(Answer::Orders, &learned).learn(&[orders.strength?], false).pop()??;
            let correction = part_of(&correction, orders.share?);
            let correction = match orders.level? {
                Level::Learned => correction,
                Level::OfModel => at_level_of_model(Answer::Orders, &correction, &judged),
            };
            count += judged.len() as f64;
            for example in &judged {
                let offset = Answer::Orders.offset(&example.forecast);
                let plain = offset.exp() * example.worth?;
                let corrected = plain * correction.of(example.features, offset).sum.exp();
                let spent = example.spent.max(0.0);
                for (loss, expected) in losses.iter_mut().zip([plain, corrected]) {
                    *loss += expected - spent * expected.ln();
                }
            }
        }
        (count > 0.0).then(|| losses.map(|loss| loss / count))
    }

    /// Learns a correction at each strength and tells how it does on what was left out: on customers
    /// (by folds inside the cuts that are learned from) and on time. The strength that loses least on
    /// both is judged on the time held back, and what wins there is learned again from all cuts.
    fn learn(&self, answer: Answer, models: &[Models], step: &mut dyn FnMut()) -> (Comparison, Option<Correction>) {
        let mut comparison = Comparison::none(LayerOutcome::TooShort);
        let mut trials = STRENGTHS.map(|strength| Trialled { strength, left_out: 0.0, lost: [[0.0; 2]; 2] });
        let mut plain = 0.0;
        for look in self.plan.looks() {
            let judged = self.examples(models, &[look.judged], look.days);
            let learned = self.examples(models, &look.learned, look.days);
            if !enough(answer, &learned) || judged.is_empty() {
                comparison.outcome = LayerOutcome::TooLittle;
                continue;
            }
            comparison.judged += judged.len() as u64;
            plain += loss(answer, &judged, None);
            for (trial, pooled) in trials.iter_mut().zip(Lesson::new(answer, &learned).learn(&STRENGTHS, false)) {
                for (of_share, share) in trial.lost.iter_mut().zip(SHARES) {
                    let pooled = pooled.as_ref().map(|correction| part_of(correction, share));
                    let kept = pooled.as_ref().map(|correction| at_level_of_model(answer, correction, &judged));
                    for (lost, correction) in of_share.iter_mut().zip([pooled, kept]) {
                        *lost +=
                            correction.map_or(f64::INFINITY, |correction| loss(answer, &judged, Some(&correction)));
                    }
                }
            }
        }
        let cuts = self.plan.cuts();
        let all: Vec<usize> = (0..cuts.len()).filter(|i| cuts[*i] + self.plan.days() <= self.plan.cut()).collect();
        let all = if comparison.judged > 0 { self.examples(models, &all, self.plan.days()) } else { Vec::new() };
        if !all.is_empty() {
            for (trial, loss) in trials.iter_mut().zip(losses_left_out(answer, &all)) {
                trial.left_out = loss;
            }
        }
        STRENGTHS.iter().for_each(|_| step());
        if comparison.judged == 0 {
            return (comparison, None);
        }
        let count = comparison.judged as f64;
        comparison.plain = Some(plain / count);
        // The strength is chosen at one level for all, so that what moved everybody in the time held
        // back has no say in it.
        let left_out = |trial: &Trialled| trial.left_out + trial.lost[0][1];
        let ended = trials.iter().filter(|trial| left_out(trial).is_finite() && trial.lost[0][0].is_finite());
        let Some(best) = ended.min_by(|one, other| left_out(one).total_cmp(&left_out(other))) else {
            comparison.outcome = LayerOutcome::NotConverged;
            return (comparison, None);
        };
        comparison.strength = Some(best.strength);
        // The level that was learned from all cuts first: two looks back say less of it. Half of a correction only where
        // all of it loses: the loss is convex along the way from nothing to all, so what comes close to winning does so
        // by half.
        let tried = SHARES
            .iter()
            .zip(best.lost)
            .flat_map(|(share, [pooled, kept])| [(*share, Level::Learned, pooled), (*share, Level::OfModel, kept)]);
        for (share, level, loss) in tried {
            comparison.layer = Some(loss / count);
            comparison.level = Some(level);
            comparison.share = Some(share);
            comparison.outcome = LayerOutcome::Lost;
            if loss >= plain {
                continue;
            }
            let now = || self.examples(models, &[self.plan.cuts().len()], self.plan.days());
            let correction = Lesson::new(answer, &all).learn(&[best.strength], true).pop().flatten();
            let correction = correction.map(|correction| part_of(&correction, share));
            let correction = correction.map(|correction| match level {
                Level::Learned => correction,
                Level::OfModel => at_level_of_model(answer, &correction, &now()),
            });
            comparison.outcome = if correction.is_some() { LayerOutcome::Kept } else { LayerOutcome::NotConverged };
            return (comparison, correction);
        }
        (comparison, None)
    }
}

/// A strength, and what was lost with it.
struct Trialled {
    strength: f64,
    /// On customers left out.
    left_out: f64,
    /// On time left out: for each share, with the level that was learned and with that of the model of activity.
    lost: [[f64; 2]; 2],
}

/// How much of a correction is tried.
const SHARES: [f64; 2] = [1.0, 0.5];

/// A share of a correction.
fn part_of(correction: &Correction, share: f64) -> Correction {
    let mut part = correction.clone();
    part.terms.iter_mut().for_each(|term| term.weight *= share);
    part.level *= share;
    part.covariance.iter_mut().for_each(|covariance| *covariance *= share * share);
    part
}

/// What is lost on these examples, in all.
fn loss(answer: Answer, examples: &[Example<'_>], correction: Option<&Correction>) -> f64 {
    let one = |example: &Example<'_>| {
        let offset = answer.offset(&example.forecast);
        let shift = correction.map_or(0.0, |correction| correction.of(example.features, offset).sum);
        answer.family().loss(offset + shift, answer.target(example.orders))
    };
    examples.iter().map(one).sum()
}

/// What is lost on each customer with what was learned from the others, in all, for each strength;
/// by folds.
fn losses_left_out(answer: Answer, examples: &[Example<'_>]) -> Vec<f64> {
    const FOLDS: usize = 3;
    let mut losses = vec![0.0; STRENGTHS.len()];
    for fold in 0..FOLDS {
        let (left_out, others): (Vec<Example<'_>>, Vec<Example<'_>>) =
            examples.iter().copied().partition(|example| example.customer % FOLDS == fold);
        for (sum, correction) in losses.iter_mut().zip(Lesson::new(answer, &others).learn(&STRENGTHS, false)) {
            *sum += correction.map_or(f64::INFINITY, |correction| loss(answer, &left_out, Some(&correction)));
        }
    }
    losses
}

/// The correction with a level at which these customers together are foretold what the model of
/// activity foretells. What followed is not looked at.
fn at_level_of_model(answer: Answer, correction: &Correction, customers: &[Example<'_>]) -> Correction {
    let family = answer.family();
    let all: Vec<(f64, f64)> = customers
        .iter()
        .map(|example| {
            let offset = answer.offset(&example.forecast);
            (offset, offset + correction.of(example.features, offset).sum)
        })
        .collect();
    let model: f64 = all.iter().map(|(offset, _)| family.mean(*offset).0).sum();
    let excess = |shift: f64| all.iter().map(|(_, told)| family.mean(told + shift).0).sum::<f64>() - model;
    // The sum grows with the shift; halving some 50 times is exact and never fails.
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if excess(middle) > 0.0 { high = middle } else { low = middle }
    }
    Correction { level: correction.level + (low + high) / 2.0, ..correction.clone() }
}

/// An order of what was seen, in which only what is alike in everything is equal.
struct Key<'a>(&'a Seen);

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other) = (self.0, other.0);
        let values = || {
            let after = one.orders.iter().chain(&one.spent).zip(other.orders.iter().chain(&other.spent));
            one.features.0.iter().zip(&other.features.0).chain(after)
        };
        let by_values = || values().map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        let first = one.cut.cmp(&other.cut).then(one.summary.cmp(&other.summary));
        let first = first.then_with(|| one.spend.cmp(&other.spend));
        first.then_with(|| by_values().unwrap_or(Ordering::Equal))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The strengths that are tried, the strongest first.
const STRENGTHS: [f64; 5] = [1000.0, 300.0, 100.0, 30.0, 10.0];

/// Whether there is enough to learn an answer from: so many who ordered, and for the chance so many
/// who did not.
fn enough(answer: Answer, examples: &[Example<'_>]) -> bool {
    const LEAST: usize = 20;
    let ordered = examples.iter().filter(|example| example.orders > 0.0).count();
    ordered >= LEAST && (answer == Answer::Orders || examples.len() - ordered >= LEAST)
}

/// What is known of the precision of a fit; at a boundary, of what lies next to it: of NBD, then
/// of the pooled rate.
fn uncertainty_of(activity: &Fit, portfolio: &Portfolio) -> Option<Uncertainty> {
    let of = |fit: &Fit| {
        let covariance_of_logarithms = flat(fit.precision.as_ref()?);
        Some(Uncertainty { model: fit.model, covariance_of_logarithms })
    };
    let next = |kind: Kind| fit(kind, portfolio).ok().and_then(|fit| of(&fit));
    of(activity).or_else(|| next(Kind::Nbd)).or_else(|| next(Kind::Constant))
}

fn flat(precision: &Precision) -> Vec<f64> {
    precision.covariance_of_logarithms.concat()
}

/// All that a training found.
#[derive(Clone, Debug)]
pub struct Trained {
    /// What to predict with.
    pub predictor: Predictor,
    /// The fit of the model of activity to all time.
    pub activity: Fit,
    /// The kinds of models as they did on the last horizon held back, the best first. Empty where
    /// history is too short; the kind of the highest likelihood is then taken.
    pub candidates: Vec<Candidate>,
    /// The fit of the model of spend; none where nothing was spent.
    pub spend: Option<SpendFit>,
    /// How the correction of the chance of any order did.
    pub chance: Comparison,
    /// How the correction of the expected orders did.
    pub orders: Comparison,
    /// What expected spend lost on the time held back with the orders that the model of activity
    /// expects, then with the corrected ones: the mean of e - s ln e, only the difference of which
    /// means anything. None where orders are not corrected.
    pub spend_losses: Option<[f64; 2]>,
    /// Customers that were learned from.
    pub customers_learned: u64,
}

/// What became of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerOutcome {
    /// It did better on time held back, and is used.
    Kept,
    /// It did no better, and is not used.
    Lost,
    /// History is too short to hold time back and learn from what was before.
    TooShort,
    /// Too few ordered, or too few did not, to learn from.
    TooLittle,
    /// The search for the weights did not end.
    NotConverged,
}

impl LayerOutcome {
    /// A lower-case name that is safe to store.
    pub fn name(self) -> &'static str {
        match self {
            LayerOutcome::Kept => "kept",
            LayerOutcome::Lost => "lost",
            LayerOutcome::TooShort => "too_short",
            LayerOutcome::TooLittle => "too_little",
            LayerOutcome::NotConverged => "not_converged",
        }
    }
}

/// The model of activity with a correction against the model alone, on the same customers and time
/// held back: the last horizon and the last half of one, each foretold from what was known before.
///
/// The figures are means of a customer: the log-loss of the chance of any order; of the expected
/// orders e and the actual ones n, e - n ln e, of which only differences mean anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What became of the correction.
    pub outcome: LayerOutcome,
    /// With which level it did so.
    pub level: Option<Level>,
    /// The loss of the model of activity alone: the lower, the better.
    pub plain: Option<f64>,
    /// The loss with the best correction.
    pub layer: Option<f64>,
    /// How strongly that was held at nothing, as a share of the information on one variable.
    pub strength: Option<f64>,
    /// The share of it that was tried last: all of it, or half where all of it lost.
    pub share: Option<f64>,
    /// Customers judged, each once for each time held back.
    pub judged: u64,
}

impl Comparison {
    fn none(outcome: LayerOutcome) -> Comparison {
        Comparison { outcome, level: None, plain: None, layer: None, strength: None, share: None, judged: 0 }
    }
}

/// What the customers of a portfolio are expected to do together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What was learned from all earlier cuts: actual orders over expected ones.
    Learned,
    /// What the model of activity expects of all at T0; the correction only moves it between them.
    OfModel,
}

impl Level {
    /// A lower-case name that is safe to store.
    pub fn name(self) -> &'static str {
        match self {
            Level::Learned => "learned",
            Level::OfModel => "of_model",
        }
    }
}
