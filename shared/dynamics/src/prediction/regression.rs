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

/// The weights of each variable, then the intercept.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    /// By rows, the intercept last.
    pub(super) covariance: Vec<f64>,
}

/// The predictor in which the means of a family are still numbers.
const FARTHEST: f64 = 500.0;
const MAX_STEPS: usize = 100;

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

/// Minimises the loss plus half the sum of `ridge` times the squares of the weights. None when
/// the search does not end.
pub(super) fn solve(family: Family, rows: &[Row<'_>], ridge: &[f64]) -> Option<Solution> {
    let size = ridge.len();
    let predictor = |weights: &[f64], row: &Row<'_>| {
        row.offset + weights[size - 1] + row.at.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>()
    };
    let loss = |weights: &[f64]| {
        let rows: f64 = rows.iter().map(|row| family.loss(predictor(weights, row), row.target)).sum();
        rows + ridge.iter().zip(weights).map(|(r, w)| 0.5 * r * w * w).sum::<f64>()
    };
    let mut weights = vec![0.0; size];
    let mut value = loss(&weights);
    for _ in 0..MAX_STEPS {
        let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
        for row in rows {
            let (mean, variance) = family.mean(predictor(&weights, row));
            let residual = mean - row.target;
            for i in 0..size {
                let v = row.at.get(i).copied().unwrap_or(1.0);
                if v == 0.0 {
                    continue;
                }
                gradient[i] += residual * v;
                let scaled = variance * v;
                let line = &mut hessian[i * size..i * size + i + 1];
                for (h, other) in line.iter_mut().zip(row.at) {
                    *h += scaled * other;
                }
                if i == size - 1 {
                    line[i] += scaled;
                }
            }
        }
        for i in 0..size {
            gradient[i] += ridge[i] * weights[i];
            hessian[i * size + i] += ridge[i];
        }
        let lower = cholesky(&hessian, size)?;
        let step = back_substitute(&lower, size, &gradient);
        // Half of what the value may still sink by.
        let decrement = step.iter().zip(&gradient).map(|(s, g)| s * g).sum::<f64>();
        if !decrement.is_finite() {
            return None;
        }
        if decrement <= 1e-12 * (1.0 + rows.len() as f64) {
            let covariance = sandwich(family, rows, ridge, &weights, &lower, predictor);
            return Some(Solution { weights, covariance });
        }
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(w, s)| w - length * s).collect();
            let next_value = loss(&next);
            if next_value <= value - 1e-4 * length * decrement {
                (weights, value) = (next, next_value);
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

/// H⁻¹ (M + R) H⁻¹, of the Hessian H, the sum M over customers of the squared sums of their rows'
/// gradients, and the ridge R. It is H⁻¹ where rows are independent and the family is right.
fn sandwich(
    family: Family,
    rows: &[Row<'_>],
    ridge: &[f64],
    weights: &[f64],
    lower: &[f64],
    predictor: impl Fn(&[f64], &Row<'_>) -> f64,
) -> Vec<f64> {
    let size = ridge.len();
    let mut middle = vec![0.0; size * size];
    for i in 0..size {
        middle[i * size + i] = ridge[i];
    }
    for block in rows.chunk_by(|one, other| one.customer == other.customer) {
        let mut gradient = vec![0.0; size];
        for row in block {
            let residual = family.mean(predictor(weights, row)).0 - row.target;
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
