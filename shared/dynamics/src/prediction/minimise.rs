//! Minimising a smooth function of a few variables inside a box.
//!
//! A projected quasi-Newton method: BFGS updates of the Hessian (Nocedal and Wright 2006,
//! *Numerical Optimization*, 6.1), steps in the variables that no bound holds (Bertsekas 1982,
//! SIAM J. Control Optim. 20(2)), and a backtracking search with interpolation. The general
//! optimisers on offer know no bounds and bring some ten crates for what four variables need.

/// A function's value and its gradient.
pub(super) type Value<const N: usize> = (f64, [f64; N]);

/// The variables of which each has its least and its greatest value.
#[derive(Clone, Copy)]
pub(super) struct Space<const N: usize> {
    pub(super) least: [f64; N],
    pub(super) greatest: [f64; N],
}

/// Where the search ended.
pub(super) struct Minimum<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) value: f64,
    /// Whether the gradient vanishes there, but for what a bound holds back.
    pub(super) converged: bool,
}

/// The gradient, as a share of its scale of 1, below which a point is a minimum.
const TOLERANCE: f64 = 1e-8;
/// The gradient that still passes when the value sinks no further.
const LOOSE_TOLERANCE: f64 = 1e-5;
/// What the value must sink by, once in so many steps, to go on where the gradient passes loosely:
/// in a valley that flattens without end only this ends the walk.
const LEAST_GAIN: f64 = 1e-11;
const PATIENCE: u32 = 3;
const MAX_STEPS: usize = 300;
/// The longest step of one variable.
const LONGEST: f64 = 2.0;

/// Where a search begins, and the Hessian there if it is nearly known.
#[derive(Clone, Copy)]
pub(super) struct Start<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) hessian: Option<[[f64; N]; N]>,
}

/// Searches from `start` for a minimum of `function`, whose value and gradient should be of the
/// order of 1. A value that is not finite counts as too high.
pub(super) fn minimise<const N: usize>(
    mut function: impl FnMut(&[f64; N]) -> Value<N>,
    start: Start<N>,
    space: &Space<N>,
) -> Minimum<N> {
    let mut at = space.nearest(start.at);
    let (mut value, mut gradient) = function(&at);
    if !finite(value, &gradient) {
        return Minimum { at, value, converged: false };
    }
    let mut hessian = start.hessian.unwrap_or(identity(1.0));
    let mut fresh = start.hessian.is_none();
    let mut idle = 0;
    for _ in 0..MAX_STEPS {
        let free = space.free(&at, &gradient);
        let slope = steepest(&gradient, &free);
        if slope <= TOLERANCE || slope <= LOOSE_TOLERANCE && idle >= PATIENCE {
            return Minimum { at, value, converged: true };
        }
        let direction = solve(&hessian, &gradient.map(|g| -g), &free)
            .filter(|direction| dot(direction, &gradient) < 0.0)
            .unwrap_or_else(|| std::array::from_fn(|i| if free[i] { -gradient[i] } else { 0.0 }));
        let Some((next, (next_value, next_gradient))) = search(&mut function, &at, value, &gradient, &direction, space)
        else {
            if fresh {
                return Minimum { at, value, converged: slope <= LOOSE_TOLERANCE };
            }
            // Perhaps only the curvature is wrong: once more from the gradient alone.
            (hessian, fresh) = (identity(1.0), true);
            continue;
        };
        let step: [f64; N] = std::array::from_fn(|i| next[i] - at[i]);
        let change: [f64; N] = std::array::from_fn(|i| next_gradient[i] - gradient[i]);
        update(&mut hessian, &step, &change, fresh);
        fresh = false;
        idle = if value - next_value < LEAST_GAIN { idle + 1 } else { 0 };
        (at, value, gradient) = (next, next_value, next_gradient);
    }
    let converged = steepest(&gradient, &space.free(&at, &gradient)) <= LOOSE_TOLERANCE;
    Minimum { at, value, converged }
}

impl<const N: usize> Space<N> {
    fn nearest(&self, at: [f64; N]) -> [f64; N] {
        std::array::from_fn(|i| at[i].clamp(self.least[i], self.greatest[i]))
    }

    /// The variables that may still sink: all but those that press against a bound.
    fn free(&self, at: &[f64; N], gradient: &[f64; N]) -> [bool; N] {
        std::array::from_fn(|i| {
            !(at[i] <= self.least[i] && gradient[i] > 0.0 || at[i] >= self.greatest[i] && gradient[i] < 0.0)
        })
    }

    /// Whether the variable lies on its least value, or on its greatest.
    pub(super) fn at_bound(&self, at: &[f64; N], i: usize) -> (bool, bool) {
        (at[i] <= self.least[i], at[i] >= self.greatest[i])
    }
}

/// A point along the direction where the value has sunk by a fair share of what the slope promises.
fn search<const N: usize>(
    function: &mut impl FnMut(&[f64; N]) -> Value<N>,
    at: &[f64; N],
    value: f64,
    gradient: &[f64; N],
    direction: &[f64; N],
    space: &Space<N>,
) -> Option<([f64; N], Value<N>)> {
    let longest = direction.iter().fold(0.0, |longest: f64, d| longest.max(d.abs()));
    let mut length = (LONGEST / longest).min(1.0);
    for _ in 0..40 {
        let next = space.nearest(std::array::from_fn(|i| at[i] + length * direction[i]));
        // Measured on the step as the bounds cut it.
        let slope: f64 = (0..N).map(|i| gradient[i] * (next[i] - at[i])).sum();
        if slope >= 0.0 {
            return None;
        }
        let (next_value, next_gradient) = function(&next);
        let rise = next_value - value;
        // The last bits of a long sum are noise; a step that changes nothing else is no harm.
        if finite(next_value, &next_gradient) && rise <= 1e-4 * slope + 4.0 * f64::EPSILON * value.abs() {
            return (next != *at).then_some((next, (next_value, next_gradient)));
        }
        // The minimum of the parabola through the value, its slope and the new value.
        let shrink = if rise.is_finite() { (-slope / (2.0 * (rise - slope))).clamp(0.1, 0.5) } else { 0.1 };
        length *= shrink;
    }
    None
}

/// The BFGS update; left out where the function does not curve upwards.
fn update<const N: usize>(hessian: &mut [[f64; N]; N], step: &[f64; N], change: &[f64; N], fresh: bool) {
    let curvature = dot(step, change);
    let size = dot(step, step);
    if curvature <= 1e-10 * size {
        return;
    }
    if fresh {
        *hessian = identity(dot(change, change) / curvature);
    }
    let product: [f64; N] = std::array::from_fn(|i| dot(&hessian[i], step));
    let along = dot(step, &product);
    for i in 0..N {
        for j in 0..N {
            hessian[i][j] += change[i] * change[j] / curvature - product[i] * product[j] / along;
        }
    }
}

/// The Hessian from central differences of the gradient, symmetric.
pub(super) fn hessian<const N: usize>(mut function: impl FnMut(&[f64; N]) -> Value<N>, at: &[f64; N]) -> [[f64; N]; N] {
    // The gradient is exact to some 1e-13, so this step loses no more than 1e-9 either way.
    const STEP: f64 = 1e-4;
    let mut matrix = [[0.0; N]; N];
    for i in 0..N {
        let mut beside = |offset: f64| {
            let mut point = *at;
            point[i] += offset;
            function(&point).1
        };
        let (above, below) = (beside(STEP), beside(-STEP));
        matrix[i] = std::array::from_fn(|j| (above[j] - below[j]) / (2.0 * STEP));
    }
    std::array::from_fn(|i| std::array::from_fn(|j| (matrix[i][j] + matrix[j][i]) / 2.0))
}

/// The inverse of a matrix that is safely positive definite.
pub(super) fn inverse<const N: usize>(matrix: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut columns = [[0.0; N]; N];
    for (i, column) in columns.iter_mut().enumerate() {
        let mut unit = [0.0; N];
        unit[i] = 1.0;
        *column = solve(matrix, &unit, &[true; N])?;
    }
    Some(columns)
}

/// Solves for the free variables by Cholesky's decomposition; the others are 0. None when the
/// matrix is not positive definite, to within rounding.
fn solve<const N: usize>(matrix: &[[f64; N]; N], right: &[f64; N], free: &[bool; N]) -> Option<[f64; N]> {
    let mut lower = [[0.0; N]; N];
    let mut solution = [0.0; N];
    for i in (0..N).filter(|i| free[*i]) {
        for j in (0..=i).filter(|j| free[*j]) {
            let rest = matrix[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            if i != j {
                lower[i][j] = rest / lower[j][j];
            } else if rest > 1e-10 * matrix[i][i] {
                lower[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
        let rest = right[i] - (0..i).map(|k| lower[i][k] * solution[k]).sum::<f64>();
        solution[i] = rest / lower[i][i];
    }
    for i in (0..N).rev().filter(|i| free[*i]) {
        let rest = solution[i] - (i + 1..N).map(|k| lower[k][i] * solution[k]).sum::<f64>();
        solution[i] = rest / lower[i][i];
    }
    solution.iter().all(|s| s.is_finite()).then_some(solution)
}

fn identity<const N: usize>(scale: f64) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { scale } else { 0.0 }))
}

fn dot<const N: usize>(one: &[f64; N], other: &[f64; N]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

fn steepest<const N: usize>(gradient: &[f64; N], free: &[bool; N]) -> f64 {
    (0..N).filter(|i| free[*i]).fold(0.0, |most, i| most.max(gradient[i].abs()))
}

fn finite<const N: usize>(value: f64, gradient: &[f64; N]) -> bool {
    value.is_finite() && gradient.iter().all(|g| g.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(at: &[f64; 2]) -> Value<2> {
        let [x, y] = *at;
        let bend = y - x * x;
        ((1.0 - x).powi(2) + 100.0 * bend * bend, [-2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend])
    }

    fn from<const N: usize>(at: [f64; N]) -> Start<N> {
        Start { at, hessian: None }
    }

    fn within(bound: f64) -> Space<2> {
        Space { least: [-bound; 2], greatest: [bound; 2] }
    }

    #[test]
    fn the_valley_of_rosenbrock_is_walked_to_its_end() {
        let mut calls = 0;
        let counted = |at: &[f64; 2]| {
            calls += 1;
            rosenbrock(at)
        };
        let found = minimise(counted, from([-1.2, 1.0]), &within(10.0));
        assert!(found.converged && found.value < 1e-15, "{:?} {}", found.at, found.value);
        assert!(calls < 100, "{calls}");
    }

    #[test]
    fn a_known_hessian_saves_steps() {
        let count = |start: Start<2>| {
            let mut calls = 0;
            let counted = |at: &[f64; 2]| {
                calls += 1;
                rosenbrock(at)
            };
            let found = minimise(counted, start, &within(10.0));
            assert!(found.converged && found.value < 1e-15);
            calls
        };
        let at = [1.01, 1.02];
        let known = Start { at, hessian: Some(hessian(rosenbrock, &at)) };
        assert!(count(known) < count(from(at)));
    }

    #[test]
    fn a_bound_holds_and_is_no_failure() {
        // With x at most 1/2 the minimum is at (1/2, 1/4).
        let space = Space { least: [-2.0; 2], greatest: [0.5, 2.0] };
        let found = minimise(rosenbrock, from([-1.2, 1.0]), &space);
        assert!(found.converged);
        assert!((found.at[0] - 0.5).abs() < 1e-12 && (found.at[1] - 0.25).abs() < 1e-8, "{:?}", found.at);
        assert_eq!(space.at_bound(&found.at, 0), (false, true));
    }

    #[test]
    fn values_that_are_no_numbers_are_walked_round() {
        let function = |at: &[f64; 1]| {
            let value = if at[0] > 1.0 { f64::NAN } else { -at[0].ln_1p() + at[0] };
            (value, [1.0 - 1.0 / (1.0 + at[0])])
        };
        let found = minimise(function, from([0.9]), &Space { least: [-0.99], greatest: [5.0] });
        assert!(found.converged && found.at[0].abs() < 1e-6, "{:?}", found.at);
        let never = minimise(|_: &[f64; 1]| (f64::NAN, [0.0]), from([0.0]), &Space { least: [-1.0], greatest: [1.0] });
        assert!(!never.converged);
    }

    #[test]
    fn the_hessian_of_rosenbrock_is_known() {
        let known = [[802.0, -400.0], [-400.0, 200.0]];
        let found = hessian(rosenbrock, &[1.0, 1.0]);
        for (row, known) in found.iter().zip(&known) {
            assert!(row.iter().zip(known).all(|(f, k)| (f - k).abs() < 1e-3), "{found:?}");
        }
        let inverse = inverse(&known).unwrap();
        assert!((inverse[0][0] - 0.5).abs() < 1e-9 && (inverse[1][1] - 2.005).abs() < 1e-9, "{inverse:?}");
        assert_eq!(super::inverse(&[[1.0, 1.0], [1.0, 1.0]]), None);
    }
}
