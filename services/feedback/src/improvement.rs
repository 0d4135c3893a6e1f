//! What an improvement is: a change that feedback asks for, from the proposal to its measured effect.

use std::collections::HashSet;

use contracts::feedback::v1::{
    DeclineImprovementRequest, FacetEffect, Improvement, ImprovementKind, ImprovementState, MeasureImprovementRequest,
};
use methods::{Collection, Guard, Index, Kind, Violations, from_micros, state_conflict};
use prost_types::Timestamp;
use runtime::Fault;
use store::Table;

use crate::{feedback, theme};

pub(crate) static TABLE: Table = Table { name: "improvements" };
/// The facets of a relationship that an effect can be on.
const FACETS: [&str; 5] = ["rapport", "trust", "loyalty", "ease", "value"];

/// What an improvement is. PROPOSED → PLANNED → SHIPPED → MEASURED; PROPOSED or PLANNED → DECLINED.
pub(crate) static IMPROVEMENT: Kind<Improvement> = Kind {
    name: "improvement",
    table: &TABLE,
    collection: Collection::OfTenant("improvements"),
    updatable: &["kind", "title", "description", "themes", "feedback"],
    check,
    as_new: as_row,
    as_row,
    derive,
    reading: None,
    index: |improvement| Index { state: improvement.state().as_str_name(), ..Index::default() },
    related: Kind::<Improvement>::unrelated,
    rules,
};

fn check(improvement: &Improvement, violations: &mut Violations) {
    violations.required_enum::<ImprovementKind>("kind", improvement.kind);
    violations.text("title", &improvement.title, 1, 256);
    violations.text("description", &improvement.description, 0, 8_192);
    theme::check_names(violations, "themes", &improvement.themes, theme::COLLECTION, 100);
    theme::check_names(violations, "feedback", &improvement.feedback, feedback::COLLECTION, 1_000);
    let (plan_time, ship_time) = (improvement.plan_time.as_ref(), improvement.ship_time.as_ref());
    let measure_time = improvement.measure_time.as_ref();
    violations.time("plan_time", plan_time);
    violations.time("ship_time", ship_time);
    violations.in_order("ship_time", ship_time, "plan_time", plan_time);
    violations.time("measure_time", measure_time);
    violations.in_order("measure_time", measure_time, "ship_time", ship_time);
    violations.text("effect", &improvement.effect, 0, 8_192);
    violations.text("decline_reason", &improvement.decline_reason, 0, 1_024);
}

fn as_row(improvement: &mut Improvement) {
    *improvement = Improvement {
        plan_time: None,
        ship_time: None,
        measure_time: None,
        effect: String::new(),
        facet_effects: Vec::new(),
        decline_reason: String::new(),
        state: 0,
        ..std::mem::take(improvement)
    };
}

fn derive(improvement: &mut Improvement) {
    let state = match improvement {
        Improvement { decline_reason, .. } if !decline_reason.is_empty() => ImprovementState::Declined,
        Improvement { measure_time: Some(_), .. } => ImprovementState::Measured,
        Improvement { ship_time: Some(_), .. } => ImprovementState::Shipped,
        Improvement { plan_time: Some(_), .. } => ImprovementState::Planned,
        _ => ImprovementState::Proposed,
    };
    improvement.set_state(state);
}

/// Nothing leads back to a proposal but an imported row, which says nothing of what became of it: that stays as it is.
fn rules(guard: &mut Guard<'_, '_, Improvement>) -> Result<(), Fault> {
    if let Some(old) = guard.old
        && guard.new.state() == ImprovementState::Proposed
    {
        *guard.new = Improvement {
            plan_time: old.plan_time,
            ship_time: old.ship_time,
            measure_time: old.measure_time,
            effect: old.effect.clone(),
            facet_effects: old.facet_effects.clone(),
            decline_reason: old.decline_reason.clone(),
            state: old.state,
            ..std::mem::take(guard.new)
        };
    }
    Ok(())
}

/// Records that the improvement was decided.
pub(crate) fn plan(improvement: &mut Improvement, at: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect(improvement, &[ImprovementState::Proposed], "planned")?;
    improvement.plan_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Records that the improvement is in effect.
pub(crate) fn ship(improvement: &mut Improvement, at: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect(improvement, &[ImprovementState::Planned], "shipped")?;
    improvement.ship_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Checks what the request of a measurement needs beyond its target.
pub(crate) fn check_measurement(ask: &MeasureImprovementRequest, violations: &mut Violations) {
    violations.text("effect", &ask.effect, 1, 8_192);
    violations.time("measure_time", ask.measure_time.as_ref());
    check_facets(&ask.facet_effects, violations);
}

fn check_facets(effects: &[FacetEffect], violations: &mut Violations) {
    violations.at_most("facet_effects", effects.len(), 2 * FACETS.len());
    let mut known = HashSet::new();
    for (index, effect) in effects.iter().enumerate() {
        violations.within(format!("facet_effects[{index}]"), |violations| {
            violations.party("party", effect.party);
            if !FACETS.contains(&effect.facet.as_str()) {
                violations.add("facet", format!("must be one of {}", FACETS.join(", ")));
            } else if !known.insert((effect.party, &effect.facet)) {
                violations.add("facet", "is there twice for this party");
            }
            for (field, points) in [("change", effect.change), ("low", effect.low), ("high", effect.high)] {
                violations.number(field, Some(points), -100.0, 100.0);
            }
            if effect.high < effect.low {
                violations.add("high", "must not be below `low`");
            }
            violations.number("p_value", effect.p_value, 0.0, 1.0);
            for (field, count) in
                [("account_count", effect.account_count), ("comparable_account_count", effect.comparable_account_count)]
            {
                violations.integer(field, count, 0, i64::MAX);
            }
        });
    }
}

/// Records the effect.
pub(crate) fn measure(
    improvement: &mut Improvement,
    (effect, facet_effects): (String, Vec<FacetEffect>),
    at: Option<Timestamp>,
    now: i64,
) -> Result<(), Fault> {
    expect(improvement, &[ImprovementState::Shipped], "measured")?;
    improvement.measure_time = Some(at.unwrap_or_else(|| from_micros(now)));
    improvement.effect = effect;
    improvement.facet_effects = facet_effects;
    Ok(())
}

/// Checks what the request of a refusal needs beyond its target.
pub(crate) fn check_refusal(ask: &DeclineImprovementRequest, violations: &mut Violations) {
    violations.text("decline_reason", &ask.decline_reason, 1, 1_024);
}

/// Turns the improvement down.
pub(crate) fn decline(improvement: &mut Improvement, reason: String) -> Result<(), Fault> {
    expect(improvement, &[ImprovementState::Proposed, ImprovementState::Planned], "declined")?;
    improvement.decline_reason = reason;
    Ok(())
}

fn expect(improvement: &Improvement, states: &[ImprovementState], wanted: &'static str) -> Result<(), Fault> {
    if states.contains(&improvement.state()) {
        return Ok(());
    }
    Err(state_conflict(&improvement.name, improvement.state().as_str_name(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Step = fn(&mut Improvement) -> Result<(), Fault>;

    const STEPS: [(&str, Step); 4] = [
        ("plan", |improvement| plan(improvement, None, 1_000_000)),
        ("ship", |improvement| ship(improvement, None, 2_000_000)),
        ("measure", |improvement| measure(improvement, ("faster".to_owned(), vec![]), None, 3_000_000)),
        ("decline", |improvement| decline(improvement, "too dear".to_owned())),
    ];

    #[test]
    fn each_state_allows_its_own_steps_only() {
        let walks: [(&[&str], &[&str]); 5] = [
            (&[], &["plan", "decline"]),
            (&["plan"], &["ship", "decline"]),
            (&["plan", "ship"], &["measure"]),
            (&["plan", "ship", "measure"], &[]),
            (&["plan", "decline"], &[]),
        ];
        for (walk, allowed) in walks {
            let mut improvement = Improvement::default();
            derive(&mut improvement);
            for wanted in walk {
                let (_, step) = STEPS.iter().find(|(name, _)| name == wanted).unwrap();
                step(&mut improvement).unwrap();
                derive(&mut improvement);
            }
            for (name, step) in STEPS {
                let done = step(&mut improvement.clone());
                assert_eq!(done.is_ok(), allowed.contains(&name), "{name} after {walk:?}");
            }
        }
    }

    #[test]
    fn an_effect_is_not_measured_before_it_is_there() {
        let mut improvement = Improvement {
            kind: ImprovementKind::Policy.into(),
            title: "returns within 60 days".to_owned(),
            ship_time: Some(from_micros(2_000_000)),
            measure_time: Some(from_micros(1_000_000)),
            ..Improvement::default()
        };
        derive(&mut improvement);
        let mut violations = Violations::default();
        check(&improvement, &mut violations);
        assert_eq!(violations.finish().unwrap_err().violations()[0].field, "measure_time");
    }
}
