//! What is believed before any case: each coefficient with its reason.

use super::standing::{ASKING, STAYING};

/// How a coefficient enters the logarithm of the odds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is, of either sign.
    Free,
    /// As its exponential, which is above 0.
    Positive,
}

/// A Gaussian prior of one coefficient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// The feature, in snake case.
    pub name: &'static str,
    /// How the coefficient enters.
    pub form: Form,
    /// Its mean; of a positive one that of its logarithm, so that e^mean is its median.
    pub mean: f64,
    /// Its standard deviation; of a positive one that of its logarithm.
    pub deviation: f64,
    /// What the mean comes from.
    pub reason: &'static str,
}

/// What is believed of both questions before any case.
///
/// Features are scores less 50 in units of 25 points, the bond's velocity in units of 10 points per
/// quarter, conflict and its absence from 0 to 1, and the record of the account's own offers from -1
/// to +1. Coefficients are logarithms of odds: 1 multiplies them by 2.7. Deviations are wide: ±1.5
/// of an intercept spans chances from some .07 to .95, and 0.7 in the logarithm of a positive
/// coefficient lets it be a quarter of its median or four times that, at 95 %.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior {
    pub(super) asking: [Belief; ASKING],
    pub(super) staying: [Belief; STAYING],
}

impl Prior {
    /// What is believed of giving the chance to counter, in the order of its features.
    pub fn asking(&self) -> &[Belief] {
        &self.asking
    }

    /// What is believed of staying, in the order of its features.
    pub fn staying(&self) -> &[Belief] {
        &self.staying
    }
}

/// The wide deviations that [`Prior`] speaks of.
const INTERCEPT: f64 = 1.5;
const SIGN_OPEN: f64 = 1.0;
const SIGN_KNOWN: f64 = 0.7;

const fn free(name: &'static str, mean: f64, deviation: f64, reason: &'static str) -> Belief {
    Belief { name, form: Form::Free, mean, deviation, reason }
}

fn positive(name: &'static str, median: f64, reason: &'static str) -> Belief {
    Belief { name, form: Form::Positive, mean: median.ln(), deviation: SIGN_KNOWN, reason }
}

impl Default for Prior {
    fn default() -> Prior {
        Prior {
            asking: [
                free(
                    "middle",
                    -0.4,
                    INTERCEPT,
                    "judgement: two in five at a bond of 50, as exit is silent and voice costs effort \
                     (Hirschman 1970, Exit, Voice, and Loyalty)",
                ),
                positive(
                    "bond",
                    0.6,
                    "loyalty holds exit back and gives voice a chance (Hirschman 1970); satisfaction and investment \
                     favour voice over exit (Rusbult, Zembrodt & Gunn 1982, JPSP 43(6)); the size is judgement",
                ),
                positive(
                    "trust",
                    0.5,
                    "trust lets partners speak of what divides them (Morgan & Hunt 1994, Journal of Marketing 58(3)); \
                     the size is judgement",
                ),
                free(
                    "conflict",
                    -0.3,
                    SIGN_OPEN,
                    "judgement, and its sign is open: voice is born of discontent (Hirschman 1970), and so are exit \
                     and neglect (Ping 1993, Journal of Retailing 69(3))",
                ),
                positive(
                    "record",
                    1.0,
                    "judgement: who was open before is open again, at some threefold odds after many offers",
                ),
            ],
            staying: [
                free(
                    "middle",
                    -0.2,
                    INTERCEPT,
                    "judgement: with the absence of conflict, three in five at a bond of 50, as changing costs \
                     effort and money (Burnham, Frels & Mahajan 2003, JAMS 31(2))",
                ),
                positive(
                    "bond",
                    1.0,
                    "satisfaction and investment make commitment, which makes one stay (Rusbult 1980, JESP 16(2)); \
                     commitment and staying correlate by some .47 (Le & Agnew 2003, Personal Relationships 10(1)), \
                     an effect of 1.1 deviations; if one is 13 points, bond, loyalty and value together are 2 in 25",
                ),
                positive("loyalty", 0.5, "as the bond; loyalty is its part that resists persuasion (Dick & Basu 1994)"),
                positive(
                    "value",
                    0.4,
                    "as the bond; what the rival's price is held against, the lesser part of why customers switch \
                     (Keaveney 1995, Journal of Marketing 59(2)); the share is judgement",
                ),
                positive(
                    "velocity",
                    0.3,
                    "movement tells beyond level (Palmatier, Houston, Dant & Grewal 2013, Journal of Marketing 77(1)); \
                     the size is judgement",
                ),
                positive(
                    "no_conflict",
                    0.6,
                    "conflict has the largest absolute effect on relationships (Palmatier, Dant, Grewal & Evans 2006, \
                     Journal of Marketing 70(4)); the size is judgement, as the bond has it in part",
                ),
                positive(
                    "record",
                    0.8,
                    "past behaviour foretells behaviour (Ouellette & Wood 1998, Psychological Bulletin 124(1)); the \
                     size is judgement",
                ),
                positive("countered", 0.6, "judgement: a counter-offer raises the odds to stay by some 80 %"),
            ],
        }
    }
}
