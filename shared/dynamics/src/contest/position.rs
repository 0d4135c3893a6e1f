//! Competitive positions.

use crate::vocabulary::vocabulary;

/// The chance to stay, with no counter-offer, from which on an account is beyond competition.
pub const BEYOND: f64 = 0.9;
/// The chance to stay from which on an account is resilient.
pub const RESILIENT: f64 = 0.7;
/// The chance to stay, or to be asked for a counter-offer, from which on an account is contestable.
pub const CONTESTABLE: f64 = 0.5;

vocabulary! {
    /// How an account would fare against a rival's offer, from worst to best. The highest whose
    /// rule holds; thresholds are judgement. "To stay" is to stay if the provider counters whenever
    /// it is given the chance.
    ///
    /// 1. **Exposed**: it would rather leave, and rather without a word.
    /// 2. **Contestable**: the chance to stay, or the chance to be asked for a counter-offer, is at
    ///    least [`CONTESTABLE`]: what the provider does decides.
    /// 3. **Resilient**: the chance to stay is at least [`RESILIENT`].
    /// 4. **Beyond competition**: the chance to stay without any counter-offer is at least
    ///    [`BEYOND`].
    Position {
        /// It would rather leave, and rather without a word.
        Exposed = "exposed",
        /// What the provider does decides.
        Contestable = "contestable",
        /// It would probably stay.
        Resilient = "resilient",
        /// It would stay whatever is offered.
        BeyondCompetition = "beyond_competition",
    }
}

impl Position {
    /// The position at these chances: to stay with no counter-offer, to be given the chance to
    /// counter, and to stay if one is made whenever there is the chance. It never falls when one of
    /// them rises. What is no number counts as no chance.
    pub fn of(stay_alone: f64, counter: f64, stay: f64) -> Position {
        if stay_alone >= BEYOND {
            Position::BeyondCompetition
        } else if stay >= RESILIENT {
            Position::Resilient
        } else if stay >= CONTESTABLE || counter >= CONTESTABLE {
            Position::Contestable
        } else {
            Position::Exposed
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_are_as_defined() {
        assert_eq!(Position::of(0.9, 0.0, 0.9), Position::BeyondCompetition);
        assert_eq!(Position::of(0.89, 1.0, 0.95), Position::Resilient);
        assert_eq!(Position::of(0.7, 0.0, 0.7), Position::Resilient);
        assert_eq!(Position::of(0.2, 0.6, 0.4), Position::Contestable);
        assert_eq!(Position::of(0.5, 0.1, 0.52), Position::Contestable);
        assert_eq!(Position::of(0.45, 0.49, 0.49), Position::Exposed);
        assert_eq!(Position::of(f64::NAN, f64::NAN, f64::NAN), Position::Exposed);
    }

    proptest! {
        #[test]
        fn a_higher_chance_is_never_a_worse_position(
            chances in prop::array::uniform3(0.0..=1.0),
            rises in prop::array::uniform3(0.0..=1.0),
        ) {
            let of = |chances: [f64; 3]| Position::of(chances[0], chances[1], chances[2]);
            let risen = std::array::from_fn(|which| chances[which] + rises[which]);
            prop_assert!(of(risen) >= of(chances));
        }
    }
}
