//! What a commitment is: a promise of either party.

use contracts::interactions::v1::{Commitment, CommitmentState};
use methods::{Collection, Index, Kind, Violations, from_micros, state_conflict, to_micros};
use prost_types::Timestamp;
use runtime::Fault;
use store::Table;

pub(crate) static TABLE: Table = Table { name: "commitments" };

/// What a commitment is. OPEN → KEPT, BROKEN or WITHDRAWN.
pub(crate) static COMMITMENT: Kind<Commitment> = Kind {
    name: "commitment",
    table: &TABLE,
    collection: Collection::OfAccount("commitments"),
    updatable: &["party", "description", "make_time", "due_time", "about"],
    check,
    as_new: |commitment| {
        commitment.settle_time = None;
        commitment.state = 0;
    },
    as_row: |_| {},
    derive: |commitment| {
        if commitment.state() == CommitmentState::Unspecified {
            commitment.set_state(CommitmentState::Open);
        }
    },
    reading: None,
    index: |commitment| Index {
        state: commitment.state().as_str_name(),
        happened_at: commitment.make_time.as_ref().map_or(0, to_micros),
        ..Index::default()
    },
    related: Kind::<Commitment>::unrelated,
    rules: Kind::<Commitment>::no_rules,
};

fn check(commitment: &Commitment, violations: &mut Violations) {
    let make_time = commitment.make_time.as_ref();
    violations.party("party", commitment.party);
    violations.text("description", &commitment.description, 1, 1_024);
    violations.required_time("make_time", make_time);
    violations.time("due_time", commitment.due_time.as_ref());
    violations.in_order("due_time", commitment.due_time.as_ref(), "make_time", make_time);
    violations.text("about", &commitment.about, 0, 256);
    violations.known_enum::<CommitmentState>("state", commitment.state);
    let settle_time = commitment.settle_time.as_ref();
    violations.time("settle_time", settle_time);
    violations.in_order("settle_time", settle_time, "make_time", make_time);
    match (is_open(commitment), settle_time) {
        (true, Some(_)) => violations.add("settle_time", "cannot be set while the commitment is open"),
        (false, None) => violations.add("settle_time", "is required once the commitment is settled"),
        _ => {}
    }
}

fn is_open(commitment: &Commitment) -> bool {
    matches!(commitment.state(), CommitmentState::Unspecified | CommitmentState::Open)
}

/// Records what became of the commitment.
pub(crate) fn settle(
    commitment: &mut Commitment,
    outcome: CommitmentState,
    at: Option<Timestamp>,
    now: i64,
) -> Result<(), Fault> {
    if !is_open(commitment) {
        let wanted = match outcome {
            CommitmentState::Kept => "kept",
            CommitmentState::Broken => "broken",
            _ => "withdrawn",
        };
        return Err(state_conflict(&commitment.name, commitment.state().as_str_name(), wanted));
    }
    commitment.set_state(outcome);
    commitment.settle_time = Some(at.unwrap_or_else(|| from_micros(now)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::Party;

    use super::*;

    fn promise() -> Commitment {
        Commitment {
            party: Party::Provider.into(),
            description: "a call back".to_owned(),
            make_time: Some(from_micros(1_000_000)),
            ..Commitment::default()
        }
    }

    fn fields_at_fault(commitment: &Commitment) -> Vec<String> {
        let mut violations = Violations::default();
        check(commitment, &mut violations);
        let fault = violations.finish().err();
        fault.iter().flat_map(Fault::violations).map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn a_promise_is_settled_once() {
        let mut promise = promise();
        settle(&mut promise, CommitmentState::Kept, None, 2_000_000).unwrap();
        assert_eq!((promise.state(), promise.settle_time), (CommitmentState::Kept, Some(from_micros(2_000_000))));
        for outcome in [CommitmentState::Kept, CommitmentState::Broken, CommitmentState::Withdrawn] {
            assert!(settle(&mut promise, outcome, None, 3_000_000).is_err());
        }
        assert_eq!(fields_at_fault(&promise), Vec::<String>::new());
    }

    #[test]
    fn state_and_time_of_a_settlement_belong_together() {
        let kept_some_time = Commitment { state: CommitmentState::Kept.into(), ..promise() };
        let open_but_settled = Commitment { settle_time: Some(from_micros(2_000_000)), ..promise() };
        let kept_too_early =
            Commitment { settle_time: Some(from_micros(0)), state: CommitmentState::Kept.into(), ..promise() };
        for commitment in [kept_some_time, open_but_settled, kept_too_early] {
            assert_eq!(fields_at_fault(&commitment), ["settle_time"]);
        }
    }
}
