//! A regularised generalised linear model with an offset: logistic for whether, Poisson for how
//! many. Convex, solved by Newton's method.
//!
//! McCullagh and Nelder (1989), *Generalized Linear Models*; ridge penalty of Hoerl and Kennard
//! (1970). The covariance is the sandwich that holds when a customer's rows depend on each other
//! (Liang and Zeger 1986).

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Whether it happens, 0 or 1; the offset and the answer are log-odds.
    Logistic,
    /// How often it happens, at least 0; the offset and the answer are logarithms.
    Poisson,
}

/// One thing that was seen.
pub(super) struct Row<'a> {
    /// The variables, standardised; 0 where absent.
    pub(super) at: &'a [f64],
    pub(super) offset: f64,
    pub(super) target: f64,
    /// Whose row it is; rows of one customer follow each other.
    pub(super) customer: usize,
}

/// The predictor in which the means of a family are still numbers.
const FARTHEST: f64 = 500.0;
const MAX_STEPS: usize = 200;
/// What the value of a row may still sink by at the end of a search.
const PRECISION: f64 = 1e-10;

impl Family {
    /// The mean, and the variance at that mean.
    pub(super) fn mean(self, predictor: f64) -> (f64, f64) {
        match self {
            Family::Logistic => {
                let mean = 1.0 / (1.0 + (-predictor).exp());
                (mean, mean * (1.0 - mean))
            }
            Family::Poisson => {
                let mean = predictor.min(FARTHEST).exp();
                (mean, mean)
            }
        }
    }

    /// The negative logarithm of the likelihood, up to what the target alone says.
    pub(super) fn loss(self, predictor: f64, target: f64) -> f64 {
        match self {
            Family::Logistic => ln_1p_exp(predictor) - target * predictor,
            Family::Poisson => predictor.min(FARTHEST).exp() - target * predictor,
        }
    }
}

/// ln(1 + e^x).
fn ln_1p_exp(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A search for the weights of one model, which remembers where it was: with another ridge it is
/// soon at its end again.
pub(super) struct Search<'a> {
    family: Family,
    rows: Vec<Row<'a>>,
    weights: Vec<f64>,
    /// The Hessian of the loss without the ridge, its lower triangle, as it last was computed.
    hessian: Option<Vec<f64>>,
}

impl<'a> Search<'a> {
    /// Over these rows, each with so many variables.
    pub(super) fn new(family: Family, rows: Vec<Row<'a>>, variables: usize) -> Search<'a> {
        Search { family, rows, weights: vec![0.0; variables + 1], hessian: None }
    }

    /// The weights, and last the intercept, that minimise the loss plus half the sum of `ridge`
    /// times their squares. None when the search does not end.
    ///
    /// Newton's method; the Hessian is computed anew only where the last one has become a poor guide.
    pub(super) fn solve(&mut self, ridge: &[f64]) -> Option<Vec<f64>> {
        let size = self.weights.len();
        let mut value = self.loss(&self.weights, ridge);
        let mut before = f64::INFINITY;
        for _ in 0..MAX_STEPS {
            let gradient = self.gradient(ridge);
            let kept = self.hessian.take();
            let fresh = kept.is_none();
            let hessian = kept.unwrap_or_else(|| self.curvature());
            let lower = cholesky(&with_ridge(&hessian, ridge), size);
            self.hessian = Some(hessian);
            let step = back_substitute(&lower?, size, &gradient);
            // Half of what the value may still sink by.
            let decrement = step.iter().zip(&gradient).map(|(s, g)| s * g).sum::<f64>();
            if !decrement.is_finite() {
                return None;
            }
            if decrement <= PRECISION * (1.0 + self.rows.len() as f64) {
                return Some(self.weights.clone());
            }
            if !fresh && decrement > 0.1 * before {
                (self.hessian, before) = (None, f64::INFINITY);
                continue;
            }
            before = decrement;
            let mut length = 1.0;
            loop {
                let next: Vec<f64> = self.weights.iter().zip(&step).map(|(w, s)| w - length * s).collect();
                let next_value = self.loss(&next, ridge);
                if next_value <= value - 1e-4 * length * decrement {
                    (self.weights, value) = (next, next_value);
                    break;
                }
                length *= 0.5;
                if length < 1e-8 {
                    return None;
                }
            }
        }
        None
    }

    /// The covariance of the weights that were found with this ridge, by rows.
    pub(super) fn covariance(&self, ridge: &[f64]) -> Option<Vec<f64>> {
        let lower = cholesky(&with_ridge(&self.curvature(), ridge), ridge.len())?;
        Some(sandwich(self.family, &self.rows, ridge, &self.weights, &lower))
    }

    fn loss(&self, weights: &[f64], ridge: &[f64]) -> f64 {
        let rows: f64 = self.rows.iter().map(|row| self.family.loss(row.predictor(weights), row.target)).sum();
        rows + ridge.iter().zip(weights).map(|(r, w)| 0.5 * r * w * w).sum::<f64>()
    }

    fn gradient(&self, ridge: &[f64]) -> Vec<f64> {
        let mut gradient: Vec<f64> = ridge.iter().zip(&self.weights).map(|(r, w)| r * w).collect();
        for row in &self.rows {
            let residual = self.family.mean(row.predictor(&self.weights)).0 - row.target;
            gradient.iter_mut().zip(row.at.iter().chain([&1.0])).for_each(|(g, v)| *g += residual * v);
        }
        gradient
    }

    fn curvature(&self) -> Vec<f64> {
        let size = self.weights.len();
        let mut hessian = vec![0.0; size * size];
        for row in &self.rows {
            let variance = self.family.mean(row.predictor(&self.weights)).1;
            for (i, v) in row.at.iter().chain([&1.0]).enumerate().filter(|(_, v)| **v != 0.0) {
                let scaled = variance * v;
                let line = &mut hessian[i * size..i * size + i + 1];
                line.iter_mut().zip(row.at).for_each(|(h, other)| *h += scaled * other);
                if i == size - 1 {
                    line[i] += scaled;
                }
            }
        }
        hessian
    }
}

impl Row<'_> {
    fn predictor(&self, weights: &[f64]) -> f64 {
        let sum = self.at.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>();
        self.offset + weights[self.at.len()] + sum
    }
}

fn with_ridge(hessian: &[f64], ridge: &[f64]) -> Vec<f64> {
    let mut matrix = hessian.to_vec();
    matrix.iter_mut().step_by(ridge.len() + 1).zip(ridge).for_each(|(on_diagonal, ridge)| *on_diagonal += ridge);
    matrix
}

/// H⁻¹ (M + R) H⁻¹, of the Hessian H, the sum M over customers of the squared sums of their rows'
/// gradients, and the ridge R. It is H⁻¹ where rows are independent and the family is right.
fn sandwich(family: Family, rows: &[Row<'_>], ridge: &[f64], weights: &[f64], lower: &[f64]) -> Vec<f64> {
    let size = ridge.len();
    let mut middle = vec![0.0; size * size];
    for i in 0..size {
        middle[i * size + i] = ridge[i];
    }
    for block in rows.chunk_by(|one, other| one.customer == other.customer) {
        let mut gradient = vec![0.0; size];
        for row in block {
            let residual = family.mean(row.predictor(weights)).0 - row.target;
            gradient.iter_mut().zip(row.at.iter().chain([&1.0])).for_each(|(g, v)| *g += residual * v);
        }
        for i in 0..size {
            for j in 0..size {
                middle[i * size + j] += gradient[i] * gradient[j];
            }
        }
    }
    // H⁻¹ M, then its transpose M H⁻¹ from the left again.
    let half = transposed_solutions(lower, size, &middle);
    let mut whole = transposed_solutions(lower, size, &half);
    for i in 0..size {
        for j in 0..i {
            let mean = (whole[i * size + j] + whole[j * size + i]) / 2.0;
            whole[i * size + j] = mean;
            whole[j * size + i] = mean;
        }
    }
    whole
}

/// The rows of the matrix, each solved for: (H⁻¹ Aᵀ)ᵀ, transposed once more.
fn transposed_solutions(lower: &[f64], size: usize, matrix: &[f64]) -> Vec<f64> {
    let mut transposed = vec![0.0; size * size];
    for (i, row) in matrix.chunks_exact(size).enumerate() {
        for (j, value) in back_substitute(lower, size, row).into_iter().enumerate() {
            transposed[j * size + i] = value;
        }
    }
    transposed
}

/// The lower triangle L of A = L Lᵀ. None when A is not safely positive definite.
fn cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let (one, other) = (&lower[i * size..i * size + j], &lower[j * size..j * size + j]);
            let rest = matrix[i * size + j] - one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            if i != j {
                lower[i * size + j] = rest / lower[j * size + j];
            } else if rest > 1e-12 * matrix[i * size + i] {
                lower[i * size + i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(lower)
}

fn back_substitute(lower: &[f64], size: usize, right: &[f64]) -> Vec<f64> {
    let mut solution = right.to_vec();
    for i in 0..size {
        let rest = solution[i] - (0..i).map(|k| lower[i * size + k] * solution[k]).sum::<f64>();
        solution[i] = rest / lower[i * size + i];
    }
    for i in (0..size).rev() {
        let rest = solution[i] - (i + 1..size).map(|k| lower[k * size + i] * solution[k]).sum::<f64>();
        solution[i] = rest / lower[i * size + i];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<'a>(values: &'a [[f64; 2]], targets: &[f64], offset: f64) -> Vec<Row<'a>> {
        let row =
            |(customer, (at, target)): (usize, (&'a [f64; 2], &f64))| Row { at, offset, target: *target, customer };
        values.iter().zip(targets).enumerate().map(row).collect()
    }

    #[test]
    fn without_variables_the_intercept_is_that_of_the_mean() {
        let none = [[0.0; 2]; 8];
        let logistic = Search::new(Family::Logistic, rows(&none, &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.5), 2);
        let poisson = Search::new(Family::Poisson, rows(&none, &[3.0, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0], 0.5), 2);
        for (mut search, intercept) in [(logistic, (0.25f64 / 0.75).ln() - 0.5), (poisson, 0.75f64.ln() - 0.5)] {
            let weights = search.solve(&[1.0, 1.0, 0.0]).unwrap();
            assert!(weights[0] == 0.0 && weights[1] == 0.0 && (weights[2] - intercept).abs() < 1e-4, "{weights:?}");
        }
    }

    #[test]
    fn a_ridge_holds_what_separates() {
        // The first variable tells all: without a ridge its weight would have no end.
        let values: Vec<[f64; 2]> =
            (0..40).map(|n| [if n % 2 == 0 { 1.0 } else { -1.0 }, f64::from(n % 5) - 2.0]).collect();
        let targets: Vec<f64> = (0..40).map(|n| f64::from(1 - n % 2)).collect();
        let mut search = Search::new(Family::Logistic, rows(&values, &targets, 0.0), 2);
        let weak = search.solve(&[0.1, 0.1, 1.0]).unwrap();
        let strong = search.solve(&[10.0, 10.0, 1.0]).unwrap();
        assert!(weak[0] > strong[0] && strong[0] > 0.5, "{weak:?} {strong:?}");
        // Where the search ends the ridge balances the slope of the loss.
        let slope: f64 = targets
            .iter()
            .zip(&values)
            .map(|(target, at)| {
                let sum = strong[2] + strong[0] * at[0] + strong[1] * at[1];
                (1.0 / (1.0 + (-sum).exp()) - target) * at[0]
            })
            .sum();
        assert!((slope + 10.0 * strong[0]).abs() < 1e-3, "{slope} {strong:?}");
        // It does not depend on where the search came from.
        let again = Search::new(Family::Logistic, rows(&values, &targets, 0.0), 2).solve(&[10.0, 10.0, 1.0]).unwrap();
        assert!(again.iter().zip(&strong).all(|(one, other)| (one - other).abs() < 1e-4), "{again:?} {strong:?}");
        let covariance = search.covariance(&[10.0, 10.0, 1.0]).unwrap();
        assert!((0..3).all(|i| covariance[4 * i] > 0.0 && covariance[4 * i] < 1.1), "{covariance:?}");
    }
}
