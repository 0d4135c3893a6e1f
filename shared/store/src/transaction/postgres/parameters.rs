//! Parameters of a statement on PostgreSQL: values one by one, and rows as an array for each column.

use sqlx::{Arguments as _, postgres::PgArguments};

use crate::{Error, Value};

/// How many bytes of values travel with a statement, about.
pub(super) const BYTES_PER_STATEMENT: usize = 8 * 1024 * 1024;

/// The parameters of a statement so far.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) arguments: PgArguments,
    count: usize,
    /// How many bytes they take, about.
    pub(super) bytes: usize,
}

/// The values of a column.
enum Column<'a> {
    Integers(Vec<Option<i64>>),
    Numbers(Vec<f64>),
    Texts(Vec<&'a str>),
    Bytes(Vec<&'a [u8]>),
}

impl Parameters {
    /// Binds values as the next parameters.
    pub(super) fn bind(&mut self, values: &[Value<'_>]) -> Result<(), Error> {
        for value in values {
            self.count += 1;
            let bound = match *value {
                Value::Integer(number) => self.arguments.add(number),
                Value::Optional(number) => self.arguments.add(number),
                Value::Number(number) => self.arguments.add(number),
                Value::Text(text) => self.arguments.add(text),
                Value::Bytes(bytes) => self.arguments.add(bytes),
            };
            bound.map_err(sqlx::Error::Encode)?;
        }
        Ok(())
    }

    /// Binds keys as the next parameters. Returns the text that compares with them; a single one is planned faster as it is.
    pub(super) fn bind_keys<const WIDTH: usize>(&mut self, keys: &[[Value<'_>; WIDTH]]) -> Result<String, Error> {
        if let [key] = keys {
            let first = self.count + 1;
            self.bind(key)?;
            let numbers: Vec<String> = (first..=self.count).map(|number| format!("${number}")).collect();
            return Ok(format!("= ({})", numbers.join(", ")));
        }
        Ok(format!("in (select * from {})", self.bind_columns(keys)?))
    }

    /// Binds the columns of rows as the next parameters, an array each. Returns the text that makes them rows again.
    pub(super) fn bind_columns<const WIDTH: usize>(&mut self, rows: &[[Value<'_>; WIDTH]]) -> Result<String, Error> {
        let mut arrays = Vec::with_capacity(WIDTH);
        for index in 0..WIDTH {
            let column = Column::of(rows.iter().map(|row| row[index]), rows.len())?;
            self.count += 1;
            let (bound, kind) = match column {
                Column::Integers(numbers) => (self.arguments.add(numbers), "bigint"),
                Column::Numbers(numbers) => (self.arguments.add(numbers), "double precision"),
                Column::Texts(texts) => (self.arguments.add(texts), "text"),
                Column::Bytes(bytes) => (self.arguments.add(bytes), "bytea"),
            };
            bound.map_err(sqlx::Error::Encode)?;
            arrays.push(format!("${}::{kind}[]", self.count));
        }
        self.bytes += rows.iter().map(size).sum::<usize>();
        Ok(format!("unnest({})", arrays.join(", ")))
    }
}

impl<'a> Column<'a> {
    fn of(values: impl Iterator<Item = Value<'a>>, count: usize) -> Result<Self, Error> {
        let mut values = values.peekable();
        let mut column = match values.peek() {
            Some(Value::Number(_)) => Self::Numbers(Vec::with_capacity(count)),
            Some(Value::Text(_)) => Self::Texts(Vec::with_capacity(count)),
            Some(Value::Bytes(_)) => Self::Bytes(Vec::with_capacity(count)),
            Some(Value::Integer(_) | Value::Optional(_)) | None => Self::Integers(Vec::with_capacity(count)),
        };
        for value in values {
            match (&mut column, value) {
                (Self::Integers(column), Value::Integer(number)) => column.push(Some(number)),
                (Self::Integers(column), Value::Optional(number)) => column.push(number),
                (Self::Numbers(column), Value::Number(number)) => column.push(number),
                (Self::Texts(column), Value::Text(text)) => column.push(text),
                (Self::Bytes(column), Value::Bytes(bytes)) => column.push(bytes),
                _ => return Err(Error::Unstorable("a column has values of different types")),
            }
        }
        Ok(column)
    }
}

/// Cuts rows into portions that a statement can take.
pub(super) fn portions<'r, 'v, const WIDTH: usize>(
    rows: &'r [[Value<'v>; WIDTH]],
) -> impl Iterator<Item = &'r [[Value<'v>; WIDTH]]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|row| {
            let before = bytes;
            bytes += size(row);
            before < BYTES_PER_STATEMENT
        });
        let (portion, others) = rest.split_at(fits.count());
        rest = others;
        (!portion.is_empty()).then_some(portion)
    })
}

/// How many bytes a row takes, about.
fn size<const WIDTH: usize>(row: &[Value<'_>; WIDTH]) -> usize {
    let bytes = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Integer(_) | Value::Optional(_) | Value::Number(_) => 8,
    });
    bytes.sum::<usize>() + 4 * WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_have_all_rows_in_order_and_no_more_bytes_than_travel() {
        let large = vec![0_u8; BYTES_PER_STATEMENT / 2];
        let rows: Vec<[Value<'_>; 2]> = (0..7)
            .map(|number| {
                let bytes = if number % 3 == 0 { &large[..] } else { &large[..1] };
                [Value::Integer(number), Value::Bytes(bytes)]
            })
            .collect();
        let portions: Vec<Vec<i64>> = portions(&rows)
            .map(|portion| {
                let number = |row: &[Value<'_>; 2]| if let Value::Integer(number) = row[0] { number } else { -1 };
                portion.iter().map(number).collect()
            })
            .collect();
        assert_eq!(portions, [vec![0, 1, 2, 3], vec![4, 5, 6]]);
    }

    #[test]
    fn a_column_has_values_of_one_type() {
        let mixed = [Value::Integer(1), Value::Optional(None), Value::Optional(Some(3))];
        let Ok(Column::Integers(numbers)) = Column::of(mixed.into_iter(), 3) else { panic!("no numbers") };
        assert_eq!(numbers, [Some(1), None, Some(3)]);
        assert!(Column::of([Value::Text("1"), Value::Integer(1)].into_iter(), 2).is_err());
    }

    #[test]
    fn parameters_are_counted_on() {
        let mut parameters = Parameters::default();
        parameters.bind(&[Value::Text("a")]).unwrap();
        let rows = [[Value::Integer(1), Value::Bytes(b"x")], [Value::Integer(2), Value::Bytes(b"y")]];
        assert_eq!(parameters.bind_columns(&rows).unwrap(), "unnest($2::bigint[], $3::bytea[])");
        assert_eq!(parameters.bind_keys(&rows[..1]).unwrap(), "= ($4, $5)");
        assert_eq!(parameters.bind_keys(&rows).unwrap(), "in (select * from unnest($6::bigint[], $7::bytea[]))");
    }
}
