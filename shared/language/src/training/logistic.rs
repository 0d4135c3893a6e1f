//! Logistic regression of a few variables, by Newton's method.

/// Variables, whether it is so, and how much that counts.
pub(crate) struct Case<const N: usize> {
    pub(crate) variables: [f64; N],
    pub(crate) is: bool,
    pub(crate) weight: f64,
}

/// Fits coefficients, drawn to `prior` as if by so many cases as `ridge` says.
pub(crate) fn fit<const N: usize>(cases: &[Case<N>], prior: [f64; N], ridge: f64) -> [f64; N] {
    let mut coefficients = prior;
    for _ in 0..30 {
        let mut gradient = [0.0; N];
        let mut curvature = [[0.0; N]; N];
        for at in 0..N {
            gradient[at] = ridge * (coefficients[at] - prior[at]);
            curvature[at][at] = ridge;
        }
        for case in cases {
            let sum: f64 =
                coefficients.iter().zip(&case.variables).map(|(coefficient, variable)| coefficient * variable).sum();
            let probability = 1.0 / (1.0 + (-sum).exp());
            let slope = (probability - f64::from(u8::from(case.is))) * case.weight;
            let bend = (probability * (1.0 - probability)).max(1e-6) * case.weight;
            for (row, &variable) in case.variables.iter().enumerate() {
                gradient[row] += slope * variable;
                for (column, &other) in case.variables.iter().enumerate() {
                    curvature[row][column] += bend * variable * other;
                }
            }
        }
        let step = solved(curvature, gradient);
        for (coefficient, step) in coefficients.iter_mut().zip(step) {
            *coefficient -= step.clamp(-4.0, 4.0);
        }
    }
    coefficients
}

/// Solves a system whose matrix is symmetric and positive.
fn solved<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for pivot in 0..N {
        for row in pivot + 1..N {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot];
            for (cell, above) in matrix[row].iter_mut().zip(above).skip(pivot) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_found_again() {
        // 3 of 4 where the variable is 1, 1 of 4 where it is 0: logits ln 3 and -ln 3.
        let case = |variable: f64, is: bool, weight: f64| Case { variables: [1.0, variable], is, weight };
        let cases = [case(1.0, true, 3.0), case(1.0, false, 1.0), case(0.0, true, 1.0), case(0.0, false, 3.0)];
        let [offset, slope] = fit(&cases, [0.0, 0.0], 1e-9);
        assert!((offset + 3.0_f64.ln()).abs() < 1e-6 && (slope - 2.0 * 3.0_f64.ln()).abs() < 1e-6);
    }
}
