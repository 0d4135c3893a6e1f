//! What a watcher is told: which of an account's movements, and from where they are counted.

use std::collections::HashMap;

use runtime::Fault;

use crate::{
    filter::{self, Value},
    movement::{Movement, State, Why},
    standing,
};

/// What a watcher asked for.
#[derive(Debug)]
pub(crate) struct Rule {
    conditions: Vec<Condition>,
    threshold: f64,
}

/// A comparison of the filter, with its figure found.
#[derive(Debug)]
struct Condition {
    field: Field,
    operator: &'static str,
}

#[derive(Debug)]
enum Field {
    /// The figure at this place, compared with this.
    Figure(usize, f64),
    /// The stage, compared with this.
    Stage(String),
}

/// Where an account stood when it was told last, if it has moved since.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Untold {
    pub(crate) from: State,
    pub(crate) why: Why,
}

/// A change to tell.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) before: State,
    pub(crate) after: State,
    pub(crate) why: Why,
}

/// What comes of a movement.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Told(Box<Change>),
    Untold(Untold),
}

impl Rule {
    /// Reads a filter. The threshold is in points.
    ///
    /// # Errors
    /// As for a list with this filter.
    pub(crate) fn new(filter: &str, threshold: f64) -> Result<Self, Fault> {
        let places: HashMap<String, usize> = standing::names().into_iter().zip(0..).collect();
        let conditions = filter::parse(filter)?.into_iter().map(|comparison| Condition {
            field: match comparison.value {
                // The parser knows no other fields.
                Value::Number(number) => {
                    let place = places.get(&comparison.column).copied();
                    // Zero has one sign here.
                    Field::Figure(place.unwrap_or(standing::BOND), number + 0.0)
                }
                Value::Text(stage) => Field::Stage(stage),
            },
            operator: comparison.operator,
        });
        Ok(Self { conditions: conditions.collect(), threshold })
    }

    /// The least movement that is told, in points.
    pub(crate) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Takes in the next movement of an account, of which something may be untold.
    pub(crate) fn take(&self, untold: Option<Untold>, movement: Movement) -> Outcome {
        let own = movement.why();
        // An account that came back after it was gone begins anew.
        let untold = untold.filter(|_| movement.previous().is_some());
        let Untold { from, mut why } = untold.unwrap_or(Untold { from: movement.before, why: Why::default() });
        why.add(own);
        let after = movement.after;
        if after.is_moved_from(&from, self.threshold) && (self.passes(&from) || self.passes(&after)) {
            return Outcome::Told(Box::new(Change { before: from, after, why }));
        }
        Outcome::Untold(Untold { from, why })
    }

    fn passes(&self, state: &State) -> bool {
        self.conditions.iter().all(|condition| condition.passes(state))
    }
}

impl Condition {
    fn passes(&self, state: &State) -> bool {
        let order = match &self.field {
            Field::Figure(place, than) => state.figure(*place).total_cmp(than),
            Field::Stage(than) => {
                let stage = contracts::assessments::v1::Stage::try_from(state.stage).unwrap_or_default();
                filter::stage_name(stage).cmp(than)
            }
        };
        match self.operator {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "=" => order.is_eq(),
            _ => order.is_ne(),
        }
    }
}
