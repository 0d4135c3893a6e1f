//! What a milestone is: a step of onboarding.

use contracts::accounts::v1::{Milestone, MilestoneState};
use methods::{Collection, Index, Kind, Violations, from_micros, state_conflict};
use prost_types::Timestamp;
use runtime::Fault;
use store::Table;

use crate::account;

pub(crate) static TABLE: Table = Table { name: "milestones" };

/// What a milestone is. OPEN → COMPLETED or WAIVED → OPEN.
pub(crate) static MILESTONE: Kind<Milestone> = Kind {
    name: "milestone",
    table: &TABLE,
    collection: Collection::OfAccount("milestones"),
    updatable: &["title", "party", "due_time"],
    check,
    as_new: |milestone| {
        milestone.complete_time = None;
        milestone.waive_time = None;
    },
    as_row: |_| {},
    derive: |milestone| {
        let state = match (&milestone.complete_time, &milestone.waive_time) {
            (Some(_), _) => MilestoneState::Completed,
            (None, Some(_)) => MilestoneState::Waived,
            (None, None) => MilestoneState::Open,
        };
        milestone.set_state(state);
    },
    reading: None,
    index: |milestone| Index { state: milestone.state().as_str_name(), ..Index::default() },
    related: |tenant, key, _| vec![account::owner(tenant, key)],
    rules: |guard| account::check_owner(guard.rows, guard.key),
};

fn check(milestone: &Milestone, violations: &mut Violations) {
    violations.text("title", &milestone.title, 1, 256);
    violations.party("party", milestone.party);
    violations.time("due_time", milestone.due_time.as_ref());
    violations.time("complete_time", milestone.complete_time.as_ref());
    violations.time("waive_time", milestone.waive_time.as_ref());
    if milestone.complete_time.is_some() && milestone.waive_time.is_some() {
        violations.add("waive_time", "cannot be set beside `complete_time`");
    }
}

/// Records that the milestone was reached.
pub(crate) fn complete(milestone: &mut Milestone, at: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect_open(milestone, "completed")?;
    milestone.complete_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Gives the milestone up.
pub(crate) fn waive(milestone: &mut Milestone, at: Option<Timestamp>, now: i64) -> Result<(), Fault> {
    expect_open(milestone, "waived")?;
    milestone.waive_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

/// Takes the milestone up again.
pub(crate) fn reopen(milestone: &mut Milestone) -> Result<(), Fault> {
    if milestone.state() == MilestoneState::Open {
        return Err(state_conflict(&milestone.name, milestone.state().as_str_name(), "reopened"));
    }
    milestone.complete_time = None;
    milestone.waive_time = None;
    Ok(())
}

fn expect_open(milestone: &Milestone, wanted: &'static str) -> Result<(), Fault> {
    if milestone.state() == MilestoneState::Open {
        return Ok(());
    }
    Err(state_conflict(&milestone.name, milestone.state().as_str_name(), wanted))
}
