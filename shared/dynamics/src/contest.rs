//! Being lured away: what happens if a rival makes an offer.
//!
//! Two questions are asked of an account at a moment: whether the customer would give the provider
//! the chance to counter the offer, and whether it would stay, with a counter-offer and without.
//! [`Case`]s, the offers of the portfolio with the [`Standing`] of their accounts when each was
//! learned of, turn a documented [`Prior`] into a [`Posterior`]; a [`Predictor`] answers with
//! [`Contest`], chances with their 95 % intervals, and the [`Position`] that follows from them.
//! [`calibrate`] says how well all this foretold the cases that are known.
//!
//! Each question is a logistic regression on a few features, all documented at [`Prior`]. A
//! coefficient whose sign theory gives is the exponential of a Gaussian one, so that no handful of
//! cases can turn its sign: a better bond never lowers a chance. The posterior is a Gaussian at the
//! mode with the inverse of the exact Hessian as covariance (Laplace's approximation; MacKay 1992,
//! *The Evidence Framework Applied to Classification Networks*, Neural Computation 4(5)), under
//! priors wide enough to be weakly informative (Gelman, Jakulin, Pittau & Su 2008, *Annals of Applied
//! Statistics* 2(4)): finite whatever the cases are, even if all have stayed.
//!
//! What it cannot know: offers that the provider never learned of. All chances are of offers like
//! those on record. And what a counter-offer adds is what it went with, which is not all its doing:
//! who gives the chance to counter may have wanted to stay.
//!
//! ```
//! use dynamics::contest::{Case, Ending, Offer, Position, Prior, Record, Scored, Standing, fit};
//!
//! let score = |score| Scored { score, deviation: 4.0 };
//! let standing = |level| Standing { bond: score(level), trust: score(level), loyalty: score(level),
//!     value: score(level), velocity: 0.0, conflict: 0.0, record: Record::default() };
//! let offer = Offer { learned_at: 0, disclosed: Some(true), counter_chance: Some(true), countered_at: None,
//!     ending: Some(Ending::Stayed), ended_at: 7 };
//! let cases = vec![Case::new(&offer, standing(80.0)); 40];
//! let predictor = fit(&Prior::default(), &cases).predictor();
//! let contest = predictor.contest(&standing(85.0));
//! assert!(contest.counter.chance > 0.9 && contest.stay_alone.low > 0.8);
//! assert_eq!(contest.position(), Some(Position::BeyondCompetition));
//! ```

mod calibration;
mod linear;
mod logistic;
mod offer;
mod position;
mod posterior;
mod predict;
mod prior;
mod standing;
#[cfg(test)]
mod tests;

pub use calibration::{Bin, Calibration, ENOUGH_CASES, Figures, Reliability, calibrate};
pub use offer::{Case, Ending, Offer, Record};
pub use position::{BEYOND, CONTESTABLE, Position, RESILIENT};
pub use posterior::{Coefficient, Coefficients, Posterior, fit};
pub use predict::{Chance, Contest, Predictor};
pub use prior::{Belief, Form, Prior};
pub use standing::{Scored, Standing};
