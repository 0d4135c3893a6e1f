//! The little linear algebra that a few coefficients need: matrices by rows, symmetric.

pub(super) type Matrix = Vec<Vec<f64>>;

/// The lower triangle L with L Lᵀ = matrix; none when the matrix is not positive definite.
pub(super) fn cholesky(matrix: &Matrix) -> Option<Matrix> {
    let n = matrix.len();
    let mut lower = vec![vec![0.0; n]; n];
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
            let rest = matrix[row][column] - known;
            if row == column {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                lower[row][row] = rest.sqrt();
            } else {
                lower[row][column] = rest / lower[column][column];
            }
        }
    }
    Some(lower)
}

/// The solution x of L Lᵀ x = vector.
pub(super) fn solve(lower: &Matrix, vector: &[f64]) -> Vec<f64> {
    let n = vector.len();
    let mut x = vector.to_vec();
    for row in 0..n {
        let known: f64 = (0..row).map(|k| lower[row][k] * x[k]).sum();
        x[row] = (x[row] - known) / lower[row][row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| lower[k][row] * x[k]).sum();
        x[row] = (x[row] - known) / lower[row][row];
    }
    x
}

/// The inverse of L Lᵀ, symmetric to the bit.
pub(super) fn inverse(lower: &Matrix) -> Matrix {
    let n = lower.len();
    let row = |row| {
        let mut unit = vec![0.0; n];
        unit[row] = 1.0;
        solve(lower, &unit)
    };
    mirrored(&(0..n).map(row).collect())
}

/// The symmetric matrix of which these rows are the lower triangle; what they have beyond it is
/// passed over.
pub(super) fn mirrored(lower: &Matrix) -> Matrix {
    let n = lower.len();
    (0..n).map(|row| (0..n).map(|column| lower[row.max(column)][row.min(column)]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let matrix = vec![vec![4.0, 1.0, -0.5], vec![1.0, 3.0, 0.2], vec![-0.5, 0.2, 2.0]];
        let inverse = inverse(&cholesky(&matrix).unwrap());
        for (row, of_row) in matrix.iter().enumerate() {
            // As it is symmetric, its columns are its rows.
            for (column, of_column) in inverse.iter().enumerate() {
                let product: f64 = of_row.iter().zip(of_column).map(|(one, other)| one * other).sum();
                assert!((product - f64::from(u8::from(row == column))).abs() < 1e-14);
            }
        }
        assert_eq!(mirrored(&inverse), inverse);
        assert_eq!(cholesky(&vec![vec![1.0, 2.0], vec![2.0, 1.0]]), None);
        assert_eq!(cholesky(&vec![vec![f64::NAN]]), None);
    }
}
