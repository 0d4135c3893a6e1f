//! What moved the scores between two moments, in terms that add up exactly to the difference.
//!
//! A score is `base + Σ points`, and the points of one piece of evidence are `a / D`: its own weighted pull `a`, over the
//! weight `D` of everything together. What stands in both moments therefore moves for two reasons, and
//!
//! `a₂/D₂ − a₁/D₁ = (a₂ − a₁)·(1/D₁ + 1/D₂)/2 + (a₁ + a₂)/2·(1/D₂ − 1/D₁)`
//!
//! divides the movement between them without a rest: the passing of time, and the balance with all the other evidence
//! (this is the Shapley value of two players; L. S. Shapley, "A value for n-person games", 1953). What stands in one
//! moment only brings or takes all of its points.

use std::collections::{BTreeMap, BTreeSet};

use crate::assess::facet_level;
use crate::decay::Micros;
use crate::explain::{ACTIVITY_SOURCE, all_facets};
use crate::facts::Facts;
use crate::ledger::Ledger;
use crate::level::Level;
use crate::model::Model;
use crate::signal::{Signal, Topic};
use crate::terms::{Term, Terms};
use crate::vocabulary::{Facet, View};

/// One side of a comparison: what was said, by which source, and when that is assessed.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The ledger that `facts` fold into.
    pub ledger: &'a Ledger,
    /// What each source says.
    pub facts: &'a [(String, Facts)],
    /// The time assessed.
    pub now: Micros,
}

/// Why a score moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Something happened, or came to be known.
    New,
    /// What was known was corrected.
    Corrected,
    /// What was known was taken back with its source.
    Withdrawn,
    /// Time passed: facts fade, open matters weigh more, silence lasts.
    Time,
    /// The same fact counts for more or less because there are fewer or more others.
    Balance,
    /// The model was another one.
    Model,
}

/// One reason why a facet's score moved.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeTerm {
    /// The view.
    pub view: View,
    /// The facet.
    pub facet: Facet,
    /// Why.
    pub cause: Cause,
    /// The signal; none for a change of model.
    pub signal: Option<Signal>,
    /// The source; empty for a change of model.
    pub source: String,
    /// What it adds to the facet's difference, in points.
    pub points: f64,
    /// What it adds to the bond's difference, in points.
    pub bond_points: f64,
}

/// Says why every score moved between two moments, largest effect on the bond first. The terms of a facet add up to its
/// difference, and all `bond_points` to the bond's. With two models, the whole step from one to the other is taken at the
/// first moment and told as [`Cause::Model`]; the rest is told under the second. Each ledger has its model's half-lives.
pub fn compare(
    before: Snapshot<'_>,
    before_model: &Model,
    after: Snapshot<'_>,
    after_model: &Model,
) -> Vec<ChangeTerm> {
    // What fades at another pace is a matter of the model, not of time.
    let refolded = (before.ledger.half_lives() != after.ledger.half_lives()).then(|| {
        let facts = before.facts.iter().map(|(source, facts)| (source.as_str(), facts));
        Ledger::fold(after.ledger.half_lives(), facts)
    });
    let first = Side::new(Snapshot { ledger: refolded.as_ref().unwrap_or(before.ledger), ..before }, after_model);
    let second = Side::new(after, after_model);
    let mut terms = Vec::new();
    if before_model != after_model || refolded.is_some() {
        model_terms(before, before_model, &first, after_model, &mut terms);
    }
    for (place, (view, facet)) in all_facets().enumerate() {
        let mut shifts = Shifts::default();
        for (key, items) in &first.items[place] {
            shifts.match_items(key, items, second.items[place].get(key), &first, &second, place);
        }
        for (key, items) in &second.items[place] {
            if !first.items[place].contains_key(key) {
                shifts.match_items(key, &[], Some(items), &first, &second, place);
            }
        }
        for ((cause, signal, source), points) in shifts.points {
            if points != 0.0 {
                let bond_points = after_model.bond_points(view, facet, points);
                terms.push(ChangeTerm { view, facet, cause, signal: Some(signal), source, points, bond_points });
            }
        }
    }
    terms.sort_by(|one, other| other.bond_points.abs().total_cmp(&one.bond_points.abs()));
    terms
}

/// What the change of model does to the first moment.
fn model_terms(
    before: Snapshot<'_>,
    model: &Model,
    first: &Side<'_>,
    after_model: &Model,
    terms: &mut Vec<ChangeTerm>,
) {
    let gathered = Terms::gather(before.ledger, model, before.now);
    for (place, (view, facet)) in all_facets().enumerate() {
        let old = facet_level(view, facet, &gathered, model).score();
        let new = first.levels[place].score();
        // The facets' shares of the bond may differ too: the bond moves by the difference of the products.
        let bond_points = after_model.bond_points(view, facet, new) - model.bond_points(view, facet, old);
        if new != old || bond_points != 0.0 {
            let source = String::new();
            let points = new - old;
            terms.push(ChangeTerm { view, facet, cause: Cause::Model, signal: None, source, points, bond_points });
        }
    }
}

/// The evidence of one source for one signal.
type Key = (Signal, String);

/// A piece of evidence or an open matter, told from others by what it says.
#[derive(Clone, Debug)]
struct Item {
    /// What makes it the same in both moments.
    identity: Identity,
    term: Term,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Identity {
    Fact {
        at: Micros,
        value: f64,
        weight: f64,
    },
    Open {
        since: Micros,
        full_after: Micros,
        value: f64,
        weight: f64,
    },
    /// The rhythm that follows from all orders together.
    Rhythm {
        order_days: i64,
        last_at: Option<Micros>,
    },
}

/// One side, taken apart.
struct Side<'a> {
    now: Micros,
    levels: Vec<Level>,
    /// For each facet, what each source says with each signal.
    items: Vec<BTreeMap<Key, Vec<Item>>>,
    sources: BTreeSet<&'a str>,
}

impl<'a> Side<'a> {
    fn new(snapshot: Snapshot<'a>, model: &Model) -> Self {
        let Snapshot { ledger, facts, now } = snapshot;
        let terms = Terms::gather(ledger, model, now);
        let levels = all_facets().map(|(view, facet)| facet_level(view, facet, &terms, model)).collect();
        let mut items: Vec<BTreeMap<Key, Vec<Item>>> = all_facets().map(|_| BTreeMap::new()).collect();
        let mut add = |signal: Signal, source: &str, item: Item| {
            if item.term.weight > 0.0 {
                let place = signal.view().index() * Facet::ALL.len() + signal.facet().index();
                items[place].entry((signal, source.to_owned())).or_default().push(item);
            }
        };
        for (source, facts) in facts {
            for evidence in &facts.evidence {
                if let Topic::Signal(signal) = evidence.topic() {
                    let identity =
                        Identity::Fact { at: evidence.at(), value: evidence.value(), weight: evidence.weight() };
                    let term = Term::of_evidence(evidence, signal, model, ledger.half_lives(), now);
                    add(signal, source, Item { identity, term });
                }
            }
            for pending in &facts.pending {
                let identity = Identity::Open {
                    since: pending.since(),
                    full_after: pending.full_after(),
                    value: pending.value(),
                    weight: pending.weight(),
                };
                let term = Term::of_pending(pending, model, ledger.half_lives(), now);
                add(pending.topic(), source, Item { identity, term });
            }
        }
        let activity = ledger.activity();
        let identity = Identity::Rhythm { order_days: activity.order_days() as i64, last_at: activity.last_at() };
        add(Signal::OrderRhythm, ACTIVITY_SOURCE, Item { identity, term: Term::of_rhythm(ledger, model, now) });
        let mut sources: BTreeSet<&str> =
            facts.iter().filter(|(_, facts)| !facts.is_empty()).map(|(source, _)| source.as_str()).collect();
        sources.insert(ACTIVITY_SOURCE);
        Self { now, levels, items, sources }
    }
}

#[derive(Default)]
struct Shifts {
    points: BTreeMap<(Cause, Signal, String), f64>,
}

impl Shifts {
    fn add(&mut self, cause: Cause, key: &Key, points: f64) {
        *self.points.entry((cause, key.0, key.1.clone())).or_default() += points;
    }

    /// Pairs what one source says with one signal in both moments, and tells what has no pair.
    fn match_items(
        &mut self,
        key: &Key,
        before: &[Item],
        after: Option<&Vec<Item>>,
        first: &Side<'_>,
        second: &Side<'_>,
        place: usize,
    ) {
        let (level1, level2) = (&first.levels[place], &second.levels[place]);
        let mut unmatched: Vec<&Item> = after.map(|items| items.iter().collect()).unwrap_or_default();
        for item in before {
            let pair = unmatched.iter().position(|other| other.identity == item.identity);
            match pair.map(|index| unmatched.swap_remove(index)) {
                Some(same) => {
                    let (a1, a2) = (level1.pull_of(&item.term), level2.pull_of(&same.term));
                    let (d1, d2) = (level1.weight(), level2.weight());
                    self.add(Cause::Time, key, (a2 - a1) * (1.0 / d1 + 1.0 / d2) / 2.0);
                    self.add(Cause::Balance, key, (a1 + a2) / 2.0 * (1.0 / d2 - 1.0 / d1));
                }
                None => self.add(gone(item, key, second), key, -level1.points_of(&item.term)),
            }
        }
        for item in unmatched {
            self.add(come(item, key, first), key, level2.points_of(&item.term));
        }
    }
}

/// Why something is not said any more.
fn gone(item: &Item, key: &Key, second: &Side<'_>) -> Cause {
    match item.identity {
        _ if !second.sources.contains(key.1.as_str()) => Cause::Withdrawn,
        // An open matter that is not open any more was settled, and the rhythm has new orders: something happened.
        Identity::Open { .. } | Identity::Rhythm { .. } => Cause::New,
        Identity::Fact { .. } => Cause::Corrected,
    }
}

/// Why something is said that was not.
fn come(item: &Item, key: &Key, first: &Side<'_>) -> Cause {
    match item.identity {
        Identity::Fact { at, .. } if at <= first.now && first.sources.contains(key.1.as_str()) => Cause::Corrected,
        // A matter that was agreed before and has since become due.
        Identity::Open { since, .. } if since > first.now && first.sources.contains(key.1.as_str()) => Cause::Time,
        _ => Cause::New,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DAY, Evidence, Pending, assess};

    fn fact(signal: Signal, day: i64, value: f64) -> Evidence {
        Evidence::new(Topic::Signal(signal), day * DAY, value, 1.0).unwrap()
    }

    fn says(evidence: Vec<Evidence>, pending: Vec<Pending>) -> Facts {
        Facts { evidence, pending, ..Facts::default() }
    }

    fn fold(facts: &[(String, Facts)], model: &Model) -> Ledger {
        Ledger::fold(model.half_lives(), facts.iter().map(|(source, facts)| (source.as_str(), facts)))
    }

    /// The default model with a part of its document replaced.
    fn with(part: &str, other: &str) -> Model {
        let text = Model::DEFAULT_TEXT.replace("id = \"default-2\"", "id = \"other-1\"");
        assert!(text.contains(part), "{part}");
        Model::parse(&text.replace(part, other)).unwrap()
    }

    fn sums_hold(before: &[(String, Facts)], day1: i64, after: &[(String, Facts)], day2: i64) -> Vec<ChangeTerm> {
        sums_hold_under(before, (day1, &Model::default()), after, (day2, &Model::default()))
    }

    fn sums_hold_under(
        before: &[(String, Facts)],
        (day1, model1): (i64, &Model),
        after: &[(String, Facts)],
        (day2, model2): (i64, &Model),
    ) -> Vec<ChangeTerm> {
        let (ledger1, ledger2) = (fold(before, model1), fold(after, model2));
        let one = Snapshot { ledger: &ledger1, facts: before, now: day1 * DAY };
        let two = Snapshot { ledger: &ledger2, facts: after, now: day2 * DAY };
        let terms = compare(one, model1, two, model2);
        let (was, is) = (assess(&ledger1, model1, one.now), assess(&ledger2, model2, two.now));
        for (view, facet) in all_facets() {
            let told: f64 =
                terms.iter().filter(|term| (term.view, term.facet) == (view, facet)).map(|term| term.points).sum();
            let moved = is.view(view).facet(facet).score - was.view(view).facet(facet).score;
            assert!((told - moved).abs() < 1e-9, "{view} {facet}: {told} against {moved}");
        }
        let told: f64 = terms.iter().map(|term| term.bond_points).sum();
        assert!((told - (is.relationship.bond - was.relationship.bond)).abs() < 1e-9);
        terms
    }

    fn causes(terms: &[ChangeTerm]) -> Vec<Cause> {
        let mut causes: Vec<Cause> = terms.iter().map(|term| term.cause).collect();
        causes.sort_unstable();
        causes.dedup();
        causes
    }

    #[test]
    fn time_alone_is_told_as_time_and_balance() {
        let facts = [
            ("a".to_owned(), says(vec![fact(Signal::DeliveryPromise, 10, 1.0)], vec![])),
            ("b".to_owned(), says(vec![fact(Signal::Conflict, 90, -1.0)], vec![])),
        ];
        assert_eq!(causes(&sums_hold(&facts, 100, &facts, 400)), [Cause::Time, Cause::Balance]);
    }

    #[test]
    fn new_corrected_withdrawn_and_settled_facts_are_told_apart() {
        let owed = Pending::new(Signal::DeliveryPromise, 90 * DAY, 14 * DAY, -1.0, 1.0).unwrap();
        let before = [
            ("kept".to_owned(), says(vec![fact(Signal::DeliveryPromise, 10, 1.0)], vec![])),
            ("settled".to_owned(), says(vec![fact(Signal::Ordering, 80, 1.0)], vec![owed])),
            ("wrong".to_owned(), says(vec![fact(Signal::Resolution, 50, 1.0)], vec![])),
            ("gone".to_owned(), says(vec![fact(Signal::Conflict, 50, -1.0)], vec![])),
        ];
        let after = [
            before[0].clone(),
            ("settled".to_owned(), says(vec![fact(Signal::Ordering, 80, 1.0)], vec![])),
            ("wrong".to_owned(), says(vec![fact(Signal::Resolution, 50, -1.0)], vec![])),
            ("new".to_owned(), says(vec![fact(Signal::Effort, 120, 0.5)], vec![])),
        ];
        let terms = sums_hold(&before, 100, &after, 130);
        let cause_of =
            |source: &str| causes(&terms.iter().filter(|term| term.source == source).cloned().collect::<Vec<_>>());
        assert!(cause_of("settled").contains(&Cause::New));
        assert_eq!(cause_of("wrong"), [Cause::Corrected]);
        assert_eq!(cause_of("gone"), [Cause::Withdrawn]);
        assert_eq!(cause_of("new"), [Cause::New]);
    }

    #[test]
    fn another_model_is_a_step_of_its_own() {
        let facts = [
            ("a".to_owned(), says(vec![fact(Signal::DeliveryPromise, 10, 1.0)], vec![])),
            ("b".to_owned(), says(vec![fact(Signal::Ordering, 90, 1.0)], vec![])),
        ];
        let model = Model::default();
        let same = with("id = \"other-1\"", "id = \"other-1\"");
        assert_eq!(sums_hold_under(&facts, (100, &model), &facts, (100, &same)), [], "equal weights move nothing");
        let slower = with("slow_days = 180", "slow_days = 360");
        let weightier = with("[views.customer.rapport]\nweight = 0.15", "[views.customer.rapport]\nweight = 0.9");
        for other in [slower, weightier] {
            let terms = sums_hold_under(&facts, (100, &model), &facts, (100, &other));
            assert_eq!(causes(&terms), [Cause::Model], "at one time, from one evidence");
            let terms = sums_hold_under(&facts, (100, &model), &facts[..1], (300, &other));
            assert_eq!(causes(&terms), [Cause::Withdrawn, Cause::Time, Cause::Balance, Cause::Model]);
        }
    }

    proptest::proptest! {
        #[test]
        fn terms_add_up_whatever_was_said(
            one in proptest::collection::vec((0_usize..6, 0_usize..Signal::ALL.len(), 0_i64..300, -1.0_f64..1.0), 0..30),
            two in proptest::collection::vec((0_usize..6, 0_usize..Signal::ALL.len(), 0_i64..300, -1.0_f64..1.0), 0..30),
            shared in proptest::collection::vec((0_usize..6, 0_usize..Signal::ALL.len(), 0_i64..300, -1.0_f64..1.0), 0..30),
        ) {
            let side = |own: &[(usize, usize, i64, f64)]| -> Vec<(String, Facts)> {
                (0..6).map(|source| {
                    let said = own.iter().chain(&shared).filter(|(by, ..)| *by == source);
                    let evidence = said
                        .filter_map(|(_, signal, day, value)| Evidence::new(Topic::Signal(Signal::ALL[*signal]), day * DAY, *value, 1.0))
                        .collect();
                    (format!("s{source}"), says(evidence, vec![]))
                }).collect()
            };
            sums_hold(&side(&one), 300, &side(&two), 420);
            let faster = with("fast_days = 45", "fast_days = 20");
            sums_hold_under(&side(&one), (300, &Model::default()), &side(&two), (420, &faster));
        }
    }
}
