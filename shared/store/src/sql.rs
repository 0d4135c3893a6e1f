//! Pieces of SQL text that both databases understand.

use std::fmt::Write as _;

/// Sizes in which rows are written or looked up together. Few distinct sizes keep the number of prepared statements small.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Writes `($1, $2), ($3, $4), …` for as many rows of as many columns.
pub fn placeholders(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let separator = if column == 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}${}", row * columns + column);
        }
        text.push(')');
    }
    text
}

/// The least of these sizes, 1, 4, 16 and 64, that so many rows fit into, for statements that take one row several times; the
/// largest if none is.
pub fn set_size(rows: usize) -> usize {
    SIZES.into_iter().rev().find(|size| *size >= rows).unwrap_or(SIZES[0])
}

/// Cuts rows into sets of 64, 16, 4 and 1, for statements whose text depends on the number of rows.
pub fn bind_row_sets<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (set, others) = rest.split_at(size);
        rest = others;
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on_across_rows() {
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }

    #[test]
    fn rows_fit_into_the_least_set_that_holds_them() {
        assert_eq!([1, 2, 4, 5, 17, 64, 65].map(set_size), [1, 4, 4, 16, 64, 64, 64]);
    }

    #[test]
    fn sets_cover_all_rows_in_order() {
        let rows: Vec<usize> = (0..87).collect();
        let sets: Vec<&[usize]> = bind_row_sets(&rows).collect();
        assert_eq!(sets.iter().map(|set| set.len()).collect::<Vec<_>>(), [64, 16, 4, 1, 1, 1]);
        assert_eq!(sets.concat(), rows);
    }
}
