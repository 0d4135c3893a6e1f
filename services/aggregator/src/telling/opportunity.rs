//! What would strengthen a tie.

use contracts::predictions::v1::Opportunity;
use dynamics::levers::{self, Finding, Lever};
use wording::{
    Aim, AimOfQuarter, Asks, Figure, Found, GainKept, GainOrders, GainSpend, Lapses, Open, RestsOn, Silent, Soon, Text,
    Words, sentence,
};

use super::{
    SMALLEST_REASON, amounts, count, date,
    movement::{self, Tense},
    signal, whole,
};

/// How many facets are told.
const FACETS: usize = 3;
/// How many of the sources that it rests on are named.
const SOURCES: usize = 3;

/// Tells how many opportunities were found among so many accounts.
pub(crate) fn found(words: &Words, found: usize, accounts: i64) -> String {
    words.tell(Found { found: count(found), accounts: accounts.unsigned_abs() })
}

/// What it takes, and why: a sentence without its capital and its full stop.
pub(crate) fn asks(words: &Words, lever: Lever, finding: Finding) -> String {
    let key = lever.name();
    let some = |count: usize, told: &dyn Fn(u64) -> Text| (count > 0).then(|| told(count as u64));
    let open = |count| words.tell(Open { lever: key, count });
    let (was_better, parts) = match finding {
        Finding::Habit { lapses, open: due, was_better } => {
            let lapses = some(lapses, &|count| words.tell(Lapses { lever: key, count }));
            (was_better, [lapses, some(due, &open)])
        }
        Finding::Open { count } => (false, [Some(open(count as u64)), None]),
        Finding::Promises { overdue, soon } => {
            (false, [some(overdue, &open), some(soon, &|count| words.tell(Soon { count }))])
        }
        Finding::Silence { days, usual_days } => {
            (false, [Some(words.tell(Silent { days: whole(days), gap: whole(usual_days) })), None])
        }
    };
    let finding = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    words.tell(Asks { lever: key, best: if was_better { "yes" } else { "no" }, finding })
}

/// Tells an opportunity with gains reckoned for so many days: what it takes, how far the bond and the facets would move,
/// what would be gained, what it aims at and what it rests on.
pub(crate) fn summary(words: &Words, of: &Opportunity, aims: &[levers::Aim], days: u32) -> Vec<String> {
    let mut sentences = vec![sentence(&of.text) + "."];
    sentences.push(movement::bond(words, of.bond_before, of.bond_after, Tense::Conditional));
    let facets = movement::largest(&of.facets, SMALLEST_REASON, FACETS).into_iter();
    sentences.extend(facets.map(|change| movement::facet(words, change, Tense::Conditional)));
    if let Some(gain) = &of.order_day_gain {
        let [value, low, high] = [gain.value, gain.low, gain.high].map(|days| Figure::new(days, 2));
        sentences.push(words.tell(GainOrders { days: u64::from(days), value, low, high }));
    }
    if let Some(gain) = &of.spend_gain {
        let [value, low, high] = amounts(words, gain, &of.currency_code, true);
        sentences.push(words.tell(GainSpend { value, low, high }));
    }
    if let Some(gain) = &of.kept_value_gain {
        let [value, low, high] = amounts(words, gain, &of.currency_code, true);
        sentences.push(words.tell(GainKept { value, low, high }));
    }
    sentences.extend(aims.iter().map(|aim| aimed(words, aim)));
    if !of.sources.is_empty() {
        let sources = of.sources.iter().take(SOURCES).cloned().collect::<Vec<_>>().join(", ");
        sentences.push(words.tell(RestsOn { sources, more: count(of.sources.len().saturating_sub(SOURCES)) }));
    }
    sentences
}

fn aimed(words: &Words, aim: &levers::Aim) -> String {
    let signal = sentence(&signal(words, aim.signal));
    let (goal, now) = (Figure::new(aim.value, 2), Figure::new(aim.now, 2));
    match aim.quarter {
        None => words.tell(Aim { signal, goal, now }),
        Some((from, to)) => {
            words.tell(AimOfQuarter { signal, goal, now, from: date(words, from), to: date(words, to) })
        }
    }
}
